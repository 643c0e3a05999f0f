/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field lines as nearly all are: a name, a colon, a space, text, CR LF. See usual.c.
 */
#include "lib/http/usual.h"

#include <stdlib.h>
#include <string.h>

enum {
	NAME = 32,  /* most bytes of a name */
	LINE = 192, /* of a line, without its end */
	LINES = 4,  /* for one call */
};

/* ---- Who wants them ---- */

/*
 * What is wanted of a name, in one word: place and width of its capture as in
 * at_http_cap_word(), and above that HOST (unless a target had one), ENGINE (which field of the
 * engine's), LEAVE (more than is done here). 0: nothing.
 */
enum { HOST = 61, ENGINE = 56, ENGINE_MASK = 3, LEAVE = 63 };
static const uint64_t CAPTURE = 0xffffffff;

static uint64_t want_word(const struct at_http_eng *e, const struct at_http_want *want)
{
	const struct at_http_capture *c = want->field ? want->field : want->host;
	uint64_t word = c ? at_http_cap_word(e, c) & CAPTURE : 0;

	if ((want->field && want->host) || (c && c->want_hash))
		return 1ull << LEAVE;
	if (want->host)
		word |= 1ull << HOST;
	return word | (uint64_t)want->engine << ENGINE;
}

static int by_length(const void *a, const void *b)
{
	const struct at_http_want *x = a, *y = b;

	return (int)strlen(x->name) - (int)strlen(y->name);
}

/* Looks among n wants, sorted, for the name of `len` bytes at an address. */
static void find(struct at_walk *w, const struct at_http_want *v, size_t n, struct at_ir *name,
		 struct at_ir *len, unsigned found)
{
	struct at_irb *b = w->b;
	size_t middle = n / 2;

	while (middle && strlen(v[middle - 1].name) == strlen(v[middle].name))
		middle--;
	if (middle) {
		IF(ir_ulti(b, len, (int64_t)strlen(v[middle].name)));
		find(w, v, middle, name, len, found);
		ELSE;
		find(w, v + middle, n - middle, name, len, found);
		END;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		IF(ir_eqi(b, len, (int64_t)strlen(v[i].name)));
		IF(at_http_same_name(b, name, v[i].name));
		ir_set(b, found, C(want_word(w->e, &v[i])));
		END;
		END;
	}
}

static void find_of(struct at_walk *w, enum at_http_half half, struct at_ir *name,
		    struct at_ir *len, unsigned found)
{
	struct at_http_wants all = { .n = 0 };

	at_http_wants(w->e, half, &all);
	qsort(all.v, all.n, sizeof(all.v[0]), by_length);
	find(w, all.v, all.n, name, len, found);
}

/* A name that nobody wants has to be one all the same: letters, digits and hyphens. */
static void need_plain(struct at_walk *w, struct at_ir *from, struct at_ir *len)
{
	struct at_irb *b = w->b;
	struct at_ir *rest;

	leave_if(w, ir_iszero(b, len));
	ir_loop(b);
	for (int i = 0; i < NAME; i += 8) {
		struct at_ir *plain = at_swar_plain(b, ir_let(b, ir_load(b, 8, from, i)));
		struct at_ir *other = ir_let(b, ir_xori(b, plain, at_swar(0x80)));

		IF(ir_ulti(b, len, i + 8));
		rest = ir_shl(b, C(1), ir_shli(b, ir_subi(b, len, i), 3));
		leave_if(w, ir_and(b, other, ir_subi(b, rest, 1)));
		ir_break(b);
		END;
		leave_if(w, other);
	}
	ir_break(b);
	END;
}

/* What is wanted of the name of `len` bytes at an address, which is one. */
static void wanted(struct at_walk *w, struct at_ir *name, struct at_ir *len)
{
	struct at_irb *b = w->b;
	unsigned found = ir_local(b);

	ir_set(b, found, C(0));
	IF(ir_eqi(b, HL(role), AT_ROLE_REQUEST));
	find_of(w, AT_HTTP_OF_REQUEST, name, len, found);
	ELSE;
	find_of(w, AT_HTTP_OF_RESPONSE, name, len, found);
	END;
	ir_store(b, 8, w->win, off_number(N_WORD), ir_get(b, found));
	IF(ir_iszero(b, again(w, N_WORD)));
	need_plain(w, name, again(w, N_NAME));
	END;
	leave_if(w, ir_shri(b, again(w, N_WORD), LEAVE));
}

/* ---- Fields of the engine ---- */

/* Content-Length: up to eight digits, and the first of the head. */
static void take_length(struct at_walk *w, struct at_ir *word, struct at_ir *n)
{
	struct at_irb *b = w->b;
	struct at_ir *x, *bad, *low, *high;
	const int64_t pairs = 0x000000ff000000ff;

	leave_if(w, ir_or(b, ir_ugei(b, ir_subi(b, n, 1), 8),
			  ir_andi(b, HL(frame), AT_FR_LENGTH)));
	/* The first digit lowest, zeros before it: digits, then pairs, then all. */
	x = ir_shl(b, ir_xori(b, word, at_swar('0')), ir_sub(b, C(64), ir_shli(b, n, 3)));
	x = ir_let(b, x);
	bad = ir_or(b, ir_addi(b, x, at_swar(0x80 - 10)), x);
	leave_if(w, ir_andi(b, bad, at_swar(0x80)));
	x = ir_let(b, ir_add(b, ir_muli(b, x, 10), ir_shri(b, x, 8)));
	low = ir_muli(b, ir_andi(b, x, pairs), 0x000f424000000064);
	high = ir_muli(b, ir_andi(b, ir_shri(b, x, 16), pairs), 0x0000271000000001);
	HS(length, ir_shri(b, ir_add(b, low, high), 32));
	HS(frame, ir_ori(b, HL(frame), AT_FR_LENGTH));
}

/* The value is one of the words that matter, alone. */
static void take_option(struct at_walk *w, struct at_ir *value, struct at_ir *n,
			const struct at_http_option *options, size_t count)
{
	struct at_irb *b = w->b;
	unsigned bits = ir_local(b);

	ir_set(b, bits, C(0));
	for (size_t i = 0; i < count; i++) {
		IF(ir_eqi(b, n, (int64_t)strlen(options[i].name)));
		IF(at_http_same_name(b, value, options[i].name));
		ir_set(b, bits, C(options[i].bits));
		END;
		END;
	}
	leave_if(w, ir_iszero(b, ir_get(b, bits)));
	HS(frame, ir_or(b, HL(frame), ir_get(b, bits)));
}

static struct at_ir *engine_of(struct at_walk *w)
{
	struct at_irb *b = w->b;

	return ir_let(b, ir_andi(b, ir_shri(b, again(w, N_WORD), ENGINE), ENGINE_MASK));
}

static void take_engine(struct at_walk *w, struct at_ir *value, struct at_ir *n)
{
	static const struct at_http_option chunked = { "chunked", AT_FR_CODED | AT_FR_CHUNKED };
	struct at_irb *b = w->b;

	IF(engine_of(w));
	IF(ir_eqi(b, engine_of(w), AT_E_LENGTH));
	take_length(w, ir_let(b, ir_load(b, 8, value, 0)), n);
	ELSE;
	IF(ir_eqi(b, engine_of(w), AT_E_CODING));
	take_option(w, value, n, &chunked, 1);
	ELSE;
	take_option(w, value, n, at_http_options, AT_HTTP_OPTIONS);
	END;
	END;
	END;
}

/* ---- Field lines ---- */

/* Bytes of a value that are copied here: what every capture has room for. */
static unsigned copied(const struct at_http_eng *e)
{
	unsigned least = AT_HTTP_PAD - sizeof(struct at_http_text);

	for (size_t i = 0; i < e->h->captures.n; i++)
		if (e->h->captures.v[i]->width < least)
			least = e->h->captures.v[i]->width;
	return least;
}

/* Length of the name at an address: up to a colon, with a space behind it. */
static struct at_ir *name_length(struct at_walk *w, struct at_ir *from)
{
	struct at_irb *b = w->b;
	unsigned n = ir_local(b);
	struct at_ir *len;

	ir_set(b, n, C(0));
	ir_loop(b);
	for (int i = 0; i < NAME; i += 8) {
		struct at_ir *word = ir_let(b, ir_load(b, 8, from, i));
		struct at_ir *colon = ir_let(b, at_swar_equal(b, word, C(at_swar(':'))));

		IF(colon);
		ir_set(b, n, ir_addi(b, at_swar_first(b, colon), i));
		ir_break(b);
		END;
	}
	ir_break(b);
	END;
	len = keep(w, N_NAME, ir_get(b, n), NAME);
	leave_if(w, ir_nei(b, ir_load(b, 2, ir_add(b, from, len), 0), ':' | ' ' << 8));
	return len;
}

/* The line of `len` bytes at an address ends, and the next one, whose first byte is there, does
 * not go on with it. That line's first two bytes. */
static struct at_ir *need_end(struct at_walk *w, struct at_ir *from, struct at_ir *pos,
			      struct at_ir *len)
{
	struct at_irb *b = w->b;
	struct at_ir *next = ir_let(b, ir_load(b, 4, ir_add(b, from, len), 0)), *c;

	leave_if(w, ir_nei(b, ir_andi(b, next, 0xffff), '\r' | '\n' << 8));
	leave_if(w, ir_ugt(b, ir_addi(b, ir_add(b, pos, len), 3), WL(end)));
	next = ir_let(b, ir_shri(b, next, 16));
	c = ir_let(b, ir_andi(b, next, 0xff));
	leave_if(w, ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	return next;
}

/* The value of n bytes is the text of a capture: the first of that name, or the steps join
 * them. */
static void put_value(struct at_walk *w, struct at_ir *value)
{
	struct at_irb *b = w->b;
	const unsigned most = w->e->total - AT_HTTP_PAD;
	struct at_ir *off, *text, *m;

	off = ir_let(b, ir_add(b, ir_andi(b, again(w, N_WORD), 0xffff), HL(msg)));
	leave_if(w, ir_ugti(b, off, most));
	text = ir_let(b, ir_add(b, w->conn, at_http_bounded(b, off)));
	leave_if(w, ir_andi(b, AT_LD(at_http_text, text, flags), AT_HTTP_T_PRESENT));
	leave_if(w, ir_ugti(b, again(w, N_VALUE), copied(w->e)));
	m = again(w, N_VALUE);
	copy_text(w, text, value, m, copied(w->e));
	AT_ST(at_http_text, text, len, again(w, N_VALUE));
	AT_ST(at_http_text, text, flags, C(AT_HTTP_T_PRESENT));
	AT_ST(at_http_text, text, full, again(w, N_VALUE));
}

/* Which capture the value goes to; 0: none. */
static struct at_ir *capture_of(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *cap = ir_let(b, ir_andi(b, again(w, N_WORD), (int64_t)CAPTURE));

	if (!at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_HOST))
		return cap;
	cap = ir_select(
		b, ir_and(b, ir_andi(b, ir_shri(b, again(w, N_WORD), HOST), 1), HL(host_set)),
		C(0), cap);
	return ir_let(b, cap);
}

/* What a line asks for is done with its value of n bytes. */
static void take_value(struct at_walk *w, struct at_ir *value, struct at_ir *n)
{
	struct at_irb *b = w->b;

	IF(again(w, N_WORD));
	take_engine(w, value, n);
	IF(capture_of(w));
	put_value(w, value);
	END;
	END;
}

/*
 * One line of a head, if it is usual; leaves the loop behind the last one. Its end
 * is looked for first and alone: the next line can begin before all that is done
 * with this one.
 */
static unsigned line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_line", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *from = ir_let(b, ir_add(b, w->win, pos)), *len,
		     *next, *name, *msg, *value;

	len = keep(w, N_LINE, at_swar_text(b, from, LINE), LINE);
	next = need_end(w, from, pos, len);
	name = name_length(w, from);
	value = ir_let(b, ir_addi(b, ir_add(b, from, name), 2));
	/* Of the value; an empty one has one space, which belongs to the colon. */
	keep(w, N_VALUE, ir_subi(b, ir_sub(b, len, name), 2), LINE);
	IF(again(w, N_VALUE));
	leave_if(w, ir_ulei(b, ir_load(b, 1, value, 0), ' '));
	leave_if(w, ir_ulei(b, at_http_byte_before(w, pos, len), ' '));
	END;
	wanted(w, from, again(w, N_NAME));
	msg = at_http_msg_addr(w, HL(msg));
	take_value(w, value, again(w, N_VALUE));
	MS(msg, nheaders, ir_addi(b, ML(msg, nheaders), 1));
	HS(first_line, C(0));
	pos = ir_let(b, ir_addi(b, ir_add(b, pos, len), 2));
	IF(ir_and(b, ir_eqi(b, next, '\r' | '\n' << 8),
		  ir_ule(b, ir_addi(b, pos, 2), WL(end))));
	WS(pos, ir_addi(b, pos, 2));
	HS(state, C(AT_S_HEAD_END));
	ir_store(b, 8, w->win, off_number(N_LEFT), C(0));
	RETURN(1);
	END;
	WS(pos, pos);
	RETURN(0);
	return b->index;
}

/*
 * Some lines; 1: behind the last, or one is left. The verifier goes through a loop
 * of a known number of trips once for each, through one it cannot bound many times;
 * so that loop calls this, once for several lines.
 */
static unsigned lines_func(struct at_http_eng *e)
{
	unsigned line = line_func(e);
	struct at_walk walk = at_http_func(e, "http_lines", 3), *w = &walk;
	struct at_irb *b = w->b;
	unsigned n = ir_local(b);

	ir_set(b, n, C(0));
	ir_loop(b);
	IF(at_http_step(w, line));
	RETURN(1);
	END;
	ir_set(b, n, ir_addi(b, ir_get(b, n), 1));
	IF(ir_eqi(b, ir_get(b, n), LINES));
	ir_break(b);
	END;
	END;
	RETURN(0);
	return b->index;
}

unsigned at_http_usual_lines(struct at_http_eng *e)
{
	unsigned lines = lines_func(e);
	struct at_walk walk = at_http_trip(e, "http_lines_trip"), *w = &walk;

	ir_return(w->b, at_http_step(w, lines));
	return w->b->index;
}
