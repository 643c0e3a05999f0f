/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: one trip of the loop is one step of the state machine that RFC 9112
 * describes, on the bytes in the window. All it knows lies in the connection's
 * half, so it stops and goes on at any byte.
 */
#include "lib/http/layout.h"

/* The most frequent first. */
static const uint8_t order[] = {
	AT_S_NAME,  AT_S_LEAD,	AT_S_VALUE,	AT_S_BODY,     AT_S_TARGET,    AT_S_START,
	AT_S_FIRST, AT_S_VERSION, AT_S_STATUS,	AT_S_HEAD_END, AT_S_MSG_END,   AT_S_EXCHANGE,
	AT_S_CHUNK, AT_S_CHUNK_LF, AT_S_CHUNK_END, AT_S_TO_CLOSE, AT_S_CHUNK_EXT, AT_S_SPACE,
	AT_S_LONG,  AT_S_OVER,	AT_S_LOST,	AT_S_HOLD,
};

static unsigned walk_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_walk_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *state = ir_let(b, HL(state));

	IF(WL(nput));
	ir_return(b, at_http_step(w, e->f_put));
	END;
	IF(ir_and(b, ir_ulti(b, state, AT_S_NO_INPUT), ir_uge(b, WL(pos), WL(end))));
	ir_return(b, at_http_step(w, e->f_refill));
	END;
	/* Content and what is ignored are one function. */
	IF(ir_ulti(b, ir_subi(b, state, AT_S_BODY), AT_S_NO_INPUT - AT_S_BODY));
	ir_return(b, at_http_step(w, e->f_step[AT_S_BODY]));
	END;
	for (size_t i = 0; i < at_count(order); i++) {
		if (order[i] >= AT_S_BODY && order[i] < AT_S_NO_INPUT)
			continue;
		IF(ir_eqi(b, state, order[i]));
		ir_return(b, at_http_step(w, e->f_step[order[i]]));
		END;
	}
	RETURN(1);
	return b->index;
}

/* (conn, half, win): walks the call that the window was set up for. The verdict. */
void at_http_walk_func(struct at_http_eng *e)
{
	unsigned trip = walk_trip(e);
	struct at_walk walk = at_http_inline(e, "http_walk", 3), *w = &walk;
	struct at_irb *b = w->b;

	e->f_walk = b->index;
	/* What ends otherwise than by giving the half back has lost its place. */
	WS(verdict, C(AT_V_SEARCH));
	ir_repeat(b, C(AT_HTTP_TRIPS), trip, at_http_context(w));
	ir_return(b, WL(verdict));
}
