/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies: content of known length, chunks with their sizes, and bytes that mean
 * nothing to us. Content that lies in the window is passed over here, content
 * beyond it by window.c.
 */
#include "lib/http/layout.h"

static unsigned chunk_begin_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_chunk_begin", 3), *w = &walk;
	struct at_irb *b = w->b;

	HS(digits, C(0));
	IF(HL(body_left));
	HS(state, C(AT_S_BODY));
	ELSE;
	HS(trailer, C(1));
	HS(first_line, C(1));
	HS(state, C(AT_S_NAME));
	END;
	RETURN(0);
	return b->index;
}

/* A digit of the size; else what follows the size. */
static void chunk_func(struct at_http_eng *e, unsigned begin)
{
	struct at_walk walk = at_http_inline(e, "http_chunk", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0)), *v, *n;
	struct at_ir *fold = ir_let(b, ir_subi(b, ir_ori(b, c, 0x20), 'a')), *ext;

	e->f_step[AT_S_CHUNK] = b->index;
	v = ir_subi(b, c, '0');
	v = ir_select(b, ir_ulti(b, fold, 6), ir_addi(b, fold, 10), v);
	v = ir_let(b, v);
	n = ir_let(b, HL(digits));
	WS(pos, ir_addi(b, pos, 1));
	IF(ir_and(b, ir_ulti(b, v, 16),
		  ir_iszero(b, ir_ulti(b, ir_subi(b, c, '9' + 1), 'A' - '9' - 1))));
	IF(ir_eqi(b, n, 15));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	HS(body_left, ir_add(b, ir_shli(b, HL(body_left), 4), v));
	HS(digits, ir_addi(b, n, 1));
	RETURN(0);
	END;
	ext = ir_or(b, ir_eqi(b, c, ';'), ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	ext = ir_let(b, ext);
	IF(ir_iszero(b,
		     ir_and(b, ir_nei(b, n, 0),
			    ir_or(b, ext, ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n'))))));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	IF(ext);
	HS(state, C(AT_S_CHUNK_EXT));
	RETURN(0);
	END;
	IF(ir_eqi(b, c, '\r'));
	HS(state, C(AT_S_CHUNK_LF));
	RETURN(0);
	END;
	ir_return(b, at_http_step(w, begin));
}

static void chunk_ext_func(struct at_http_eng *e, unsigned begin)
{
	struct at_walk walk = at_http_inline(e, "http_chunk_ext", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0));

	e->f_step[AT_S_CHUNK_EXT] = b->index;
	WS(pos, ir_addi(b, pos, 1));
	IF(ir_eqi(b, c, '\r'));
	HS(state, C(AT_S_CHUNK_LF));
	RETURN(0);
	END;
	IF(ir_eqi(b, c, '\n'));
	ir_return(b, at_http_step(w, begin));
	END;
	RETURN(0);
}

static void chunk_lf_func(struct at_http_eng *e, unsigned begin)
{
	struct at_walk walk = at_http_inline(e, "http_chunk_lf", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0));

	e->f_step[AT_S_CHUNK_LF] = b->index;
	IF(ir_nei(b, c, '\n'));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	WS(pos, ir_addi(b, pos, 1));
	ir_return(b, at_http_step(w, begin));
}

/* The line end behind a chunk's data; digits is 1 behind its CR. */
static void chunk_end_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_chunk_end", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0));

	e->f_step[AT_S_CHUNK_END] = b->index;
	WS(pos, ir_addi(b, pos, 1));
	IF(ir_eqi(b, c, '\n'));
	HS(digits, C(0));
	HS(state, C(AT_S_CHUNK));
	RETURN(0);
	END;
	IF(ir_or(b, ir_nei(b, c, '\r'), HL(digits)));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	HS(digits, C(1));
	RETURN(0);
}

/* A second response comes before the first one's request is known: neither is shown. */
static void wait_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_wait", 3), *w = &walk;
	struct at_irb *b = w->b;

	e->f_step[AT_S_WAIT] = b->index;
	at_plan_count(b, e->h->c_unmatched, NULL);
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
}

/* Content in the window, or what is ignored there. */
static void body_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_body", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *k;
	unsigned n = ir_local(b);

	ir_set(b, n, ir_sub(b, WL(end), pos));
	IF(ir_eqi(b, HL(state), AT_S_BODY));
	ir_set(b, n, at_http_min(b, ir_get(b, n), HL(body_left)));
	END;
	k = ir_get(b, n);
	WS(pos, ir_add(b, pos, k));
	ir_return(b, ir_call(b, e->f_pass, 4, w->conn, w->half, w->win, k));
	for (int s = AT_S_BODY; s < AT_S_NO_INPUT; s++)
		e->f_step[s] = b->index;
}

void at_http_body_funcs(struct at_http_eng *e)
{
	unsigned begin = chunk_begin_func(e);

	chunk_func(e, begin);
	chunk_ext_func(e, begin);
	chunk_lf_func(e, begin);
	chunk_end_func(e);
	wait_func(e);
	body_func(e);
}
