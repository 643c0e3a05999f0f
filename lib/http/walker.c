/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: one trip of the loop is one step of the state machine that RFC 9112
 * describes, on the bytes in the window. All it knows lies in the connection's
 * half, so it stops and goes on at any byte.
 */
#include "lib/http/layout.h"

/* States with a step of their own besides the usual one, ascending; content and what is ignored
 * are one step. */
static const uint8_t states[] = {
	AT_S_FIRST,     AT_S_TARGET,   AT_S_VERSION,   AT_S_STATUS, AT_S_LONG,
	AT_S_LEAD,      AT_S_VALUE,    AT_S_SPACE,     AT_S_WAIT,   AT_S_CHUNK,
	AT_S_CHUNK_EXT, AT_S_CHUNK_LF, AT_S_CHUNK_END, AT_S_BODY,
};

static void step(struct at_walk *w, int state)
{
	struct at_irb *b = w->b;

	ir_return(b, at_http_step(w, w->e->f_step[state]));
}

/* The step of a state among the n of `of`, by halves. */
static void dispatch(struct at_walk *w, struct at_ir *state, const uint8_t *of, size_t n)
{
	struct at_irb *b = w->b;

	if (n == 1) {
		step(w, of[0]);
		return;
	}
	IF(ir_ulti(b, state, of[n / 2]));
	dispatch(w, state, of, n / 2);
	ELSE;
	dispatch(w, state, of + n / 2, n - n / 2);
	END;
}

/* A head's end, a message's and an exchange's often come together. */
static void steps_without_input(struct at_walk *w)
{
	struct at_irb *b = w->b;

	for (int state = AT_S_HEAD_END; state <= AT_S_EXCHANGE; state++) {
		IF(ir_eqi(b, HL(state), state));
		IF(at_http_step(w, w->e->f_step[state]));
		RETURN(1);
		END;
		END;
	}
	RETURN(0);
}

static unsigned walk_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_walk_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *state = ir_let(b, HL(state));

	IF(WL(nput));
	ir_return(b, at_http_step(w, e->f_put));
	END;
	IF(ir_ugei(b, state, AT_S_NO_INPUT));
	steps_without_input(w);
	END;
	IF(ir_uge(b, WL(pos), WL(end)));
	ir_return(b, at_http_step(w, e->f_refill));
	END;
	IF(ir_or(b, ir_eqi(b, state, AT_S_NAME), ir_eqi(b, state, AT_S_START)));
	step(w, AT_S_NAME);
	END;
	dispatch(w, state, states, at_count(states));
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
	ir_repeat(b, NULL, trip, at_http_context(w));
	ir_return(b, WL(verdict));
}
