/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: texts up to the end of a line, without the white space around them,
 * to whatever captures want them; and the meaning of the fields that say how a
 * message is framed. Names are in name.c.
 */
#include "lib/http/layout.h"

enum { T_TRAIL = 9, T_RUN = 10, T_AT = 11, T_NUM = 12, RUN_MOST = AT_HTTP_CARRY };

static int64_t tmp_at(unsigned i)
{
	return offsetof(struct at_http_win, tmp) + 8 * (int64_t)i;
}

/* ---- White space ---- */

static struct at_ir *is_space(struct at_irb *b, struct at_ir *c)
{
	return ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t'));
}

static unsigned trail_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_trail_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_TRAIL))), *pos, *c;

	pos = at_http_pos(w);
	IF(ir_ugei(b, ir_subi(b, n, 1), AT_HTTP_STEP));
	RETURN(1);
	END;
	c = at_http_byte_before(w, pos, n);
	IF(ir_nei(b, c, ' '));
	RETURN(1);
	END;
	ir_store(b, 8, w->win, tmp_at(T_TRAIL), ir_subi(b, n, 1));
	RETURN(0);
	return b->index;
}

/* (conn, half, win, n): n without the spaces at the end of the n bytes at pos. */
static void trail_func(struct at_http_eng *e)
{
	unsigned trip = trail_trip(e);
	struct at_walk walk = at_http_func(e, "http_trail", 4), *w = &walk;
	struct at_irb *b = w->b;

	e->f_trail = b->index;
	ir_store(b, 8, w->win, tmp_at(T_TRAIL), ir_param(b, 3));
	ir_repeat(b, C(AT_HTTP_STEP + 1), trip, at_http_context(w));
	ir_return(b, ir_load(b, 8, w->win, tmp_at(T_TRAIL)));
}

static unsigned run_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_run_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_RUN))), *pos, *c;

	pos = at_http_pos(w);
	IF(ir_or(b, ir_ugei(b, n, RUN_MOST), ir_uge(b, ir_add(b, pos, n), WL(end))));
	RETURN(1);
	END;
	c = ir_let(b, ir_load(b, 1, ir_add(b, ir_add(b, w->win, pos), n), 0));
	IF(ir_iszero(b, is_space(b, c)));
	RETURN(1);
	END;
	ir_store(b, 8, w->win, tmp_at(T_RUN), ir_addi(b, n, 1));
	RETURN(0);
	return b->index;
}

/* ---- Appending to what wants the text ---- */

static void put_both(struct at_walk *w, struct at_ir *src, struct at_ir *n)
{
	struct at_irb *b = w->b;

	IF(HL(cap));
	at_http_put(w, src, n, HL(cap));
	END;
	IF(HL(cap2));
	at_http_put(w, src, n, HL(cap2));
	END;
}

/* (conn, half, win, pos, n): the piece, behind one space if the line was folded before it. */
static void join_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_join", 5), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *fold;

	e->f_join = b->index;
	fold = ir_let(b, HL(fold));
	HS(fold, C(AT_FOLD_TEXT));
	IF(ir_eqi(b, fold, AT_FOLD_PENDING));
	put_both(w, C(offsetof(struct at_http_win, sep) + 1), C(1));
	END;
	put_both(w, ir_param(b, 3), ir_param(b, 4));
	RETURN(0);
}

static struct at_ir *join(struct at_walk *w, struct at_ir *pos, struct at_ir *n)
{
	return ir_call(w->b, w->e->f_join, 5, w->conn, w->half, w->win, pos, n);
}

/* ---- Steps ---- */

/* Bytes of text from pos on: up to a control character, at most AT_HTTP_STEP. */
static struct at_ir *value_scan(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_let(b, ir_add(b, w->win, pos));
	struct at_ir *n = at_swar_text(b, at, AT_HTTP_STEP);

	at = at_http_min(b, at_http_forget(w, n), ir_sub(b, WL(end), pos));
	IF(ir_ugti(b, at, AT_HTTP_STEP));
	RETURN(1);
	END;
	return at_http_bounded(b, at);
}

static void shorten(struct at_walk *w, struct at_ir *cap)
{
	struct at_irb *b = w->b;
	struct at_ir *text = ir_let(b, ir_andi(b, cap, 0xffff)), *full;

	IF(text);
	IF(ir_ugti(b, text, w->e->total - AT_HTTP_PAD));
	RETURN(1);
	END;
	text = ir_let(b, ir_add(b, w->conn, text));
	full = ir_let(b, ir_sub(b, AT_LD(at_http_text, text, full), HL(trail)));
	AT_ST(at_http_text, text, full, full);
	AT_ST(at_http_text, text, len, at_http_min(b, AT_LD(at_http_text, text, len), full));
	END;
}

/* What was appended of the white space at the end of a value is taken away. */
static unsigned untrail_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_untrail", 3), *w = &walk;
	struct at_irb *b = w->b;

	shorten(w, HL(cap));
	shorten(w, HL(cap2));
	HS(trail, C(0));
	RETURN(0);
	return b->index;
}

/* The line has ended at pos, with one byte or two. */
static unsigned line_end_func(struct at_http_eng *e)
{
	unsigned untrail = untrail_func(e);
	struct at_walk walk = at_http_func(e, "http_line_end", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_param(b, 3);

	IF(HL(trail));
	ir_do(b, at_http_step(w, untrail));
	END;
	IF(ir_eqi(b, c, '\r'));
	IF(ir_ulti(b, ir_sub(b, WL(end), pos), 2));
	ir_return(b, at_http_step(w, e->f_more));
	END;
	IF(ir_nei(b, at_byte(b, w->win, pos, 1), '\n'));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	WS(pos, ir_addi(b, pos, 2));
	ELSE;
	WS(pos, ir_addi(b, pos, 1));
	END;
	HS(state, C(AT_S_NAME));
	RETURN(0);
	return b->index;
}

/*
 * White space at the end of a piece is left for AT_S_SPACE, which knows only
 * later whether it belongs to the value.
 */
static void value_func(struct at_http_eng *e, unsigned line_end)
{
	struct at_walk walk = at_http_func(e, "http_value", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *n = value_scan(w, pos),
		     *m = ir_get(b, ir_local(b)), *c;

	e->f_step[AT_S_VALUE] = b->index;
	ir_set(b, m->index, n);
	IF(n);
	c = at_http_byte_before(w, pos, n);
	IF(ir_eqi(b, c, ' '));
	ir_set(b, m->index, ir_call(b, e->f_trail, 4, w->conn, w->half, w->win, n));
	HS(state, C(AT_S_SPACE));
	END;
	IF(m);
	IF(ir_or(b, HL(cap), HL(cap2)));
	ir_do(b, join(w, pos, m));
	END;
	WS(pos, ir_add(b, pos, m));
	END;
	RETURN(0);
	END;
	c = ir_let(b, at_byte(b, w->win, pos, 0));
	IF(ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n')));
	ir_return(b, ir_call(b, line_end, 4, w->conn, w->half, w->win, c));
	END;
	IF(ir_eqi(b, c, '\t'));
	HS(state, C(AT_S_SPACE));
	RETURN(0);
	END;
	IF(ir_iszero(b, c));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	ir_do(b, join(w, pos, C(1)));
	WS(pos, ir_addi(b, pos, 1));
	RETURN(0);
}

static void lead_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_lead", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0));

	e->f_step[AT_S_LEAD] = b->index;
	IF(is_space(b, c));
	WS(pos, ir_addi(b, pos, 1));
	RETURN(0);
	END;
	HS(state, C(AT_S_VALUE));
	ir_return(b, at_http_step(w, e->f_step[AT_S_VALUE]));
}

/*
 * A run that no carry could hold. It is appended, and taken away again if the
 * value ends with it; from a hash it could not be, so there it is dropped, and
 * that is said.
 */
static unsigned long_run_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_long_run", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *msg = at_http_msg_addr(w, HL(msg)), *flags, *hash;

	hash = ir_andi(b, ir_shri(b, ir_or(b, HL(cap), HL(cap2)), AT_CAP_HASH), 0xffff);
	IF(ir_iszero(b, hash));
	put_both(w, pos, C(RUN_MOST));
	HS(trail, ir_addi(b, HL(trail), RUN_MOST));
	WS(pos, ir_addi(b, pos, RUN_MOST));
	RETURN(0);
	END;
	flags = ir_let(b, ML(msg, flags));
	IF(ir_iszero(b, ir_andi(b, flags, AT_HTTP_M_CUT | AT_HTTP_M_DONE)));
	at_plan_count(b, e->h->c_cut, NULL);
	MS(msg, flags, ir_ori(b, flags, AT_HTTP_M_CUT));
	END;
	WS(pos, ir_addi(b, pos, RUN_MOST));
	RETURN(0);
	return b->index;
}

static void space_func(struct at_http_eng *e, unsigned trip)
{
	unsigned long_run = long_run_func(e);
	struct at_walk walk = at_http_func(e, "http_space", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos, *n, *c;

	e->f_step[AT_S_SPACE] = b->index;
	ir_store(b, 8, w->win, tmp_at(T_RUN), C(0));
	ir_repeat(b, C(RUN_MOST + 1), trip, at_http_context(w));
	pos = at_http_pos(w);
	n = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_RUN)));
	IF(ir_ugei(b, n, RUN_MOST));
	ir_return(b, at_http_step(w, long_run));
	END;
	IF(ir_uge(b, ir_add(b, pos, n), WL(end)));
	ir_return(b, at_http_step(w, e->f_more));
	END;
	c = ir_let(b, ir_load(b, 1, ir_add(b, ir_add(b, w->win, pos), n), 0));
	IF(ir_iszero(b, ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n'))));
	HS(trail, C(0));
	ir_do(b, join(w, pos, n));
	END;
	WS(pos, ir_add(b, pos, n));
	HS(state, C(AT_S_VALUE));
	RETURN(0);
}

/* ---- Fields that the engine reads itself ---- */

static struct at_ir *engine_byte(struct at_walk *w, struct at_ir *i)
{
	struct at_irb *b = w->b;

	return ir_load(b, 1, ir_add(b, w->half, ir_andi(b, i, AT_HTTP_ENGINE - 1)),
		       offsetof(struct at_http_stream, bytes));
}

static unsigned number_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_number_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *i = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_AT))), *digit;

	IF(ir_uge(b, i, ir_load(b, 2, w->half, offsetof(struct at_http_stream, text.len))));
	RETURN(1);
	END;
	digit = ir_let(b, ir_subi(b, engine_byte(w, i), '0'));
	IF(ir_ugti(b, digit, 9));
	ir_store(b, 8, w->win, tmp_at(T_NUM), C(-1));
	RETURN(1);
	END;
	ir_store(b, 8, w->win, tmp_at(T_NUM),
		 ir_add(b, ir_muli(b, ir_load(b, 8, w->win, tmp_at(T_NUM)), 10), digit));
	ir_store(b, 8, w->win, tmp_at(T_AT), ir_addi(b, i, 1));
	RETURN(0);
	return b->index;
}

static struct at_ir *engine_full(struct at_walk *w)
{
	struct at_irb *b = w->b;

	return ir_load(b, 4, w->half, offsetof(struct at_http_stream, text.full));
}

static void add_frame(struct at_walk *w, int64_t bits)
{
	struct at_irb *b = w->b;

	HS(frame, ir_ori(b, HL(frame), bits));
}

/* Content-Length: digits that fit 63 bits; the same again if repeated. */
static unsigned length_func(struct at_http_eng *e)
{
	unsigned trip = number_trip(e);
	struct at_walk walk = at_http_func(e, "http_length", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *full = ir_let(b, engine_full(w)), *v, *bad;

	ir_store(b, 8, w->win, tmp_at(T_AT), C(0));
	ir_store(b, 8, w->win, tmp_at(T_NUM), C(0));
	ir_repeat(b, C(20), trip, at_http_context(w));
	v = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_NUM)));
	bad = ir_or(b, ir_ugei(b, ir_subi(b, full, 1), 18), ir_slti(b, v, 0));
	bad = ir_or(b, bad,
		    ir_and(b, ir_andi(b, HL(frame), AT_FR_LENGTH), ir_ne(b, v, HL(length))));
	IF(bad);
	add_frame(w, AT_FR_LENGTH | AT_FR_BAD_LENGTH);
	RETURN(0);
	END;
	HS(length, v);
	add_frame(w, AT_FR_LENGTH);
	RETURN(0);
	return b->index;
}

/* Transfer-Encoding: only whether the last coding is chunked. */
static unsigned coding_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_coding", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, engine_full(w)), *word, *front, *same;
	const int64_t chunked = (int64_t)at_word_of("chunked", 7);

	HS(frame, ir_ori(b, ir_andi(b, HL(frame), ~(int64_t)AT_FR_CHUNKED), AT_FR_CODED));
	IF(ir_or(b, ir_ulti(b, n, 7), ir_ugti(b, n, AT_HTTP_ENGINE)));
	RETURN(0);
	END;
	IF(ir_eqi(b, n, 7));
	word = ir_load(b, 8, w->half, offsetof(struct at_http_stream, bytes));
	word = ir_andi(b, ir_ori(b, word, at_swar(0x20)), 0xffffffffffffff);
	IF(ir_eqi(b, word, chunked));
	add_frame(w, AT_FR_CHUNKED);
	END;
	RETURN(0);
	END;
	word = ir_load(b, 8, ir_add(b, w->half, n), offsetof(struct at_http_stream, bytes) - 8);
	word = ir_let(b, word);
	front = ir_let(b, ir_andi(b, word, 0xff));
	same = ir_eqi(b, ir_shri(b, ir_ori(b, word, at_swar(0x20)), 8), chunked);
	IF(ir_and(b, same, ir_or(b, is_space(b, front), ir_eqi(b, front, ','))));
	add_frame(w, AT_FR_CHUNKED);
	END;
	RETURN(0);
	return b->index;
}

const struct at_http_option at_http_options[AT_HTTP_OPTIONS] = { { "close", AT_FR_CLOSE },
								 { "keep-alive", AT_FR_KEEP },
								 { "upgrade", AT_FR_UPGRADE } };

/* A byte of the Connection field; behind the last one a comma. The token is in half.word. */
static unsigned option_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_option_trip"), *w = &walk;
	struct at_irb *b = w->b;
	const int64_t word = offsetof(struct at_http_stream, word);
	struct at_ir *i = ir_let(b, ir_load(b, 8, w->win, tmp_at(T_AT))), *n, *c, *low, *high,
		     *k;

	n = ir_let(b, ir_load(b, 2, w->half, offsetof(struct at_http_stream, text.len)));
	c = ir_let(b, ir_select(b, ir_ult(b, i, n), engine_byte(w, i), C(',')));
	ir_store(b, 8, w->win, tmp_at(T_AT), ir_addi(b, i, 1));
	low = ir_let(b, ir_load(b, 8, w->half, word));
	high = ir_let(b, ir_load(b, 8, w->half, word + 8));
	k = ir_let(b, HL(nword));
	IF(ir_eqi(b, c, ','));
	for (size_t o = 0; o < AT_HTTP_OPTIONS; o++) {
		size_t len = strlen(at_http_options[o].name);
		struct at_ir *same = ir_eqi(b, k, (int64_t)len);

		same = ir_and(
			b, same,
			ir_eqi(b, low, (int64_t)at_word_of(at_http_options[o].name, len)));
		if (len > 8)
			same = ir_and(b, same,
				      ir_eqi(b, high,
					     (int64_t)at_word_of(at_http_options[o].name + 8,
								 len - 8)));
		IF(same);
		add_frame(w, at_http_options[o].bits);
		END;
	}
	ir_zero(b, w->half, word, 16);
	HS(nword, C(0));
	ir_return(b, ir_uge(b, i, n));
	END;
	IF(is_space(b, c));
	RETURN(0);
	END;
	c = ir_let(b, ir_shl(b, ir_ori(b, c, 0x20), ir_shli(b, ir_andi(b, k, 7), 3)));
	ir_store(b, 8, w->half, word, ir_or(b, low, ir_select(b, ir_ulti(b, k, 8), c, C(0))));
	ir_store(b, 8, w->half, word + 8,
		 ir_or(b, high, ir_select(b, ir_eqi(b, ir_shri(b, k, 3), 1), c, C(0))));
	HS(nword, ir_addi(b, k, 1));
	RETURN(0);
	return b->index;
}

static unsigned connection_func(struct at_http_eng *e)
{
	unsigned trip = option_trip(e);
	struct at_walk walk = at_http_func(e, "http_connection", 3), *w = &walk;
	struct at_irb *b = w->b;

	ir_store(b, 8, w->win, tmp_at(T_AT), C(0));
	ir_zero(b, w->half, offsetof(struct at_http_stream, word), 16);
	HS(nword, C(0));
	ir_repeat(b, C(AT_HTTP_ENGINE + 1), trip, at_http_context(w));
	HS(nword, C(0));
	RETURN(0);
	return b->index;
}

/* The text of a capture is a secret by what was found in it. */
static void mark_secret(struct at_walk *w, struct at_ir *cap)
{
	struct at_irb *b = w->b;
	struct at_ir *text;

	IF(cap);
	text = ir_let(b, ir_andi(b, cap, 0xffff));
	IF(ir_ugti(b, text, w->e->total - AT_HTTP_PAD));
	RETURN(1);
	END;
	text = ir_let(b, ir_add(b, w->conn, at_http_bounded(b, text)));
	ir_store(b, 2, text, offsetof(struct at_http_text, flags),
		 ir_ori(b, ir_load(b, 2, text, offsetof(struct at_http_text, flags)),
			AT_HTTP_T_SECRET));
	END;
}

/* A field is complete: what it says about framing, and whether it holds a secret. */
static void field_end_func(struct at_http_eng *e)
{
	unsigned length = length_func(e), coding = coding_func(e),
		 connection = connection_func(e);
	struct at_walk walk = at_http_func(e, "http_field_end", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *engine;

	e->f_field_end = b->index;
	engine = ir_let(b, HL(engine));
	HS(engine, C(0));
	IF(ir_eqi(b, engine, AT_E_LENGTH));
	ir_do(b, at_http_step(w, length));
	END;
	IF(ir_eqi(b, engine, AT_E_CODING));
	ir_do(b, at_http_step(w, coding));
	END;
	IF(ir_eqi(b, engine, AT_E_CONNECTION));
	ir_do(b, at_http_step(w, connection));
	END;
	IF(HL(secret));
	mark_secret(w, ir_let(b, HL(cap)));
	HS(secret, C(0));
	END;
	HS(cap, C(0));
	HS(cap2, C(0));
	HS(scan, C(0));
	HS(nword, C(0));
	HS(fold, C(0));
	RETURN(0);
}

void at_http_field_funcs(struct at_http_eng *e)
{
	unsigned line_end, run;

	trail_func(e);
	run = run_trip(e);
	join_func(e);
	line_end = line_end_func(e);
	value_func(e, line_end);
	lead_func(e);
	space_func(e, run);
	field_end_func(e);
}
