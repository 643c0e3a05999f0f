/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads as nearly all are. A start line or a field line that lies in the window
 * as a whole, and is written as clients and servers write it, is taken at once
 * and without a call; a value is copied while its end is looked for. Whatever is
 * otherwise is left, from its line's first byte, to the steps of the state
 * machine (line.c, name.c, field.c), which take anything and stop anywhere: so
 * nothing here is kept from one call to the next.
 */
#include "lib/http/layout.h"

#include <stdlib.h>

enum {
	METHOD = 7,   /* most bytes of a method */
	TARGET = 192, /* of a path, and of a query */
	REASON = 64,
	NAME = 32,
	VALUE = 128,
};

/* Leaves the function with 1 when the condition holds: what stands here is left to the steps.
 */
static void leave_if(struct at_walk *w, struct at_ir *cond)
{
	struct at_irb *b = w->b;

	IF(cond);
	RETURN(1);
	END;
}

static struct at_ir *at(struct at_walk *w, struct at_ir *pos, unsigned width, int64_t off)
{
	return ir_load(w->b, width, ir_add(w->b, w->win, pos), off);
}

/* A place in the window, bounded for the verifier. */
static struct at_ir *place(struct at_walk *w, struct at_ir *v)
{
	v = at_http_forget(w, v);
	leave_if(w, ir_ugti(w->b, v, AT_HTTP_EDGE));
	return at_http_bounded(w->b, v);
}

/* A number of bytes, bounded for the verifier. */
static struct at_ir *count(struct at_walk *w, struct at_ir *n, unsigned most)
{
	n = at_http_forget(w, n);
	leave_if(w, ir_ugti(w->b, n, most));
	return at_http_bounded(w->b, n);
}

static struct at_ir *bytes_until(struct at_walk *w, struct at_ir *pos, int most, unsigned below,
				 const char *ends)
{
	struct at_irb *b = w->b;
	struct at_ir *from = ir_let(b, ir_add(b, w->win, pos));

	return count(w, at_swar_until(b, from, most, below, ends), (unsigned)most);
}

/* The n bytes at pos, at most `most`, are the text of a capture of the message; NULL: of none.
 */
static void put_text(struct at_walk *w, struct at_ir *msg, const struct at_http_capture *c,
		     struct at_ir *pos, struct at_ir *n, unsigned most)
{
	struct at_irb *b = w->b;
	struct at_ir *text, *from;

	if (!c)
		return;
	text = ir_let(b, ir_addi(b, msg, c->offset));
	from = ir_let(b, ir_add(b, w->win, pos));
	ir_loop(b);
	for (unsigned i = 0; i < most && i < c->width; i += 8) {
		IF(ir_ulei(b, n, i));
		ir_break(b);
		END;
		ir_store(b, 8, text, sizeof(struct at_http_text) + i, ir_load(b, 8, from, i));
	}
	ir_break(b);
	END;
	AT_ST(at_http_text, text, len, at_http_min(b, n, C(c->width)));
	AT_ST(at_http_text, text, full, n);
}

/* There is more white space around the n bytes of text than one space before them. */
static void leave_if_padded(struct at_walk *w, struct at_ir *space, struct at_ir *n)
{
	struct at_irb *b = w->b;

	IF(n);
	leave_if(w, ir_ulei(b, at(w, space, 1, 1), ' '));
	leave_if(w, ir_ulei(b, at(w, ir_add(b, space, n), 1, 0), ' '));
	END;
}

/* ---- Start lines ---- */

/* Length of the method at pos: letters, and a space behind them. */
static struct at_ir *method(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, at(w, pos, 8, 0)), *other, *n;

	other = ir_let(b, ir_xori(b, at_swar_plain(b, word), at_swar(0x80)));
	leave_if(w, ir_iszero(b, other));
	n = count(w, at_swar_first(b, other), METHOD);
	leave_if(w, ir_or(b, ir_iszero(b, n), ir_nei(b, at(w, ir_add(b, pos, n), 1, 0), ' ')));
	return n;
}

/* "HTTP/1." and a digit at pos. The minor version. */
static struct at_ir *version(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, at(w, pos, 8, 0)), *bad;
	struct at_ir *digit = ir_let(b, ir_subi(b, ir_shri(b, word, 56), '0'));

	bad = ir_nei(b, ir_shli(b, word, 8), (int64_t)(at_word_of("HTTP/1.", 7) << 8));
	leave_if(w, ir_or(b, bad, ir_ugti(b, digit, 9)));
	return ir_let(b, ir_un(b, AT_OP_BOOL, digit));
}

/* CR LF at pos, inside the window. */
static void need_crlf(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;

	leave_if(w, ir_or(b, ir_nei(b, at(w, pos, 2, 0), '\r' | '\n' << 8),
			  ir_ugt(b, ir_addi(b, pos, 2), WL(end))));
}

struct target {
	struct at_ir *path, *npath, *query, *nquery, *end;
};

/*
 * Path and query from pos up to a space. What may hold a secret parameter is left
 * to the steps, which search it, if somebody wants to see it.
 */
static struct target target(struct at_walk *w, struct at_ir *pos)
{
	const struct at_http_capture *all =
		at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_TARGET);
	const struct at_http_capture *query =
		at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_QUERY);
	const bool secret = (all && all->may_secret) || (query && query->may_secret);
	struct at_irb *b = w->b;
	unsigned q = ir_local(b), n = ir_local(b), end = ir_local(b);
	struct target t = { .path = pos };
	struct at_ir *c;

	leave_if(w, ir_nei(b, at(w, pos, 1, 0), '/'));
	t.npath = bytes_until(w, pos, TARGET, 0x21, secret ? "?#" : "?");
	t.query = ir_get(b, q);
	t.nquery = ir_get(b, n);
	t.end = ir_get(b, end);
	ir_set(b, q, pos);
	ir_set(b, n, C(0));
	ir_set(b, end, place(w, ir_add(b, pos, t.npath)));
	c = ir_let(b, at(w, t.end, 1, 0));
	IF(ir_nei(b, c, ' '));
	leave_if(w, secret ? C(1) : ir_nei(b, c, '?'));
	ir_set(b, q, place(w, ir_addi(b, t.end, 1)));
	ir_set(b, n, bytes_until(w, t.query, TARGET, 0x21, ""));
	ir_set(b, end, place(w, ir_add(b, t.query, t.nquery)));
	leave_if(w, ir_nei(b, at(w, t.end, 1, 0), ' '));
	END;
	return t;
}

/* A request line: 0, it is taken; 1, nothing is. */
static unsigned request_line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_request_line", 3), *w = &walk;
	const enum at_http_half half = AT_HTTP_OF_REQUEST;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *n, *minor, *crlf, *msg;
	struct target t;

	leave_if(w, at_http_open_requests_full(w));
	n = method(w, pos);
	t = target(w, place(w, ir_addi(b, ir_add(b, pos, n), 1)));
	minor = version(w, place(w, ir_addi(b, t.end, 1)));
	crlf = place(w, ir_addi(b, t.end, 9));
	need_crlf(w, crlf);
	at_http_message_at(w, pos);
	msg = at_http_begin_request(w, pos);
	MS(msg, minor, minor);
	put_text(w, msg, at_http_capture_of(e, half, AT_HTTP_METHOD), pos, n, METHOD);
	put_text(w, msg, at_http_capture_of(e, half, AT_HTTP_PATH), t.path, t.npath, TARGET);
	put_text(w, msg, at_http_capture_of(e, half, AT_HTTP_QUERY), t.query, t.nquery, TARGET);
	put_text(w, msg, at_http_capture_of(e, half, AT_HTTP_TARGET), t.path,
		 ir_let(b, ir_sub(b, t.end, t.path)), 2 * TARGET + 1);
	WS(pos, ir_addi(b, crlf, 2));
	at_http_decide_roles(w);
	RETURN(0);
	return b->index;
}

/* The line of a final status with a space behind it: 0, it is taken; 1, nothing is. */
static unsigned status_line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_status_line", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *minor, *status, *space, *n, *crlf, *msg;

	leave_if(w, ir_uge(b, KL(resp_seq), KL(req_seq)));
	minor = version(w, pos);
	status = at_http_status_at(w, pos);
	leave_if(w, ir_or(b, ir_ulti(b, status, 200), ir_nei(b, at(w, pos, 1, 12), ' ')));
	space = place(w, ir_addi(b, pos, 12));
	n = bytes_until(w, ir_addi(b, space, 1), REASON, 0x0e, "");
	leave_if_padded(w, space, n);
	crlf = place(w, ir_addi(b, ir_add(b, space, n), 1));
	need_crlf(w, crlf);
	at_http_message_at(w, pos);
	msg = at_http_begin_response(w, minor, status);
	put_text(w, msg, at_http_capture_of(e, AT_HTTP_OF_RESPONSE, AT_HTTP_REASON),
		 ir_addi(b, space, 1), n, REASON);
	WS(pos, ir_addi(b, crlf, 2));
	RETURN(0);
	return b->index;
}

/* ---- Fields: who wants them ---- */

/*
 * What is wanted of a name, in one word: its capture as in at_http_cap_word(),
 * and above that HOST (unless a target had one), ENGINE (which field of the
 * engine's), LEAVE (more than is done here). 0: nothing.
 */
enum { HOST = 61, ENGINE = 56, ENGINE_MASK = 3, LEAVE = 63 };

static uint64_t want_word(const struct at_http_eng *e, const struct at_http_want *want)
{
	const struct at_http_capture *c = want->field ? want->field : want->host;
	uint64_t word = c ? at_http_cap_word(e, c) : 0;

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

static struct at_ir *wanted(struct at_walk *w, struct at_ir *pos, struct at_ir *len)
{
	struct at_irb *b = w->b;
	struct at_ir *name = ir_let(b, ir_add(b, w->win, pos)), *word;
	unsigned found = ir_local(b);

	ir_set(b, found, C(0));
	IF(ir_eqi(b, HL(role), AT_ROLE_REQUEST));
	find_of(w, AT_HTTP_OF_REQUEST, name, len, found);
	ELSE;
	find_of(w, AT_HTTP_OF_RESPONSE, name, len, found);
	END;
	word = at_http_forget(w, ir_get(b, found));
	leave_if(w, ir_shri(b, word, LEAVE));
	return word;
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

static void take_engine(struct at_walk *w, struct at_ir *word, struct at_ir *space,
			struct at_ir *n)
{
	static const struct at_http_option chunked = { "chunked", AT_FR_CODED | AT_FR_CHUNKED };
	struct at_irb *b = w->b;
	struct at_ir *engine, *value;

	engine = ir_let(b, ir_andi(b, ir_shri(b, word, ENGINE), ENGINE_MASK));
	IF(engine);
	value = ir_let(b, ir_addi(b, ir_add(b, w->win, space), 1));
	IF(ir_eqi(b, engine, AT_E_LENGTH));
	take_length(w, ir_let(b, ir_load(b, 8, value, 0)), n);
	ELSE;
	IF(ir_eqi(b, engine, AT_E_CODING));
	take_option(w, value, n, &chunked, 1);
	ELSE;
	take_option(w, value, n, at_http_options, AT_HTTP_OPTIONS);
	END;
	END;
	END;
}

/* ---- Field lines ---- */

/* Is 1 when the loop over lines has to be left to the steps. */
enum { T_LEFT = 13 };

static const int64_t off_left = offsetof(struct at_http_win, tmp) + 8 * T_LEFT;

/* Bytes of a value that are copied while its end is looked for: what all captures have room
 * for. */
static unsigned copied(const struct at_http_eng *e)
{
	unsigned least = VALUE;

	for (size_t i = 0; i < e->h->captures.n; i++)
		if (e->h->captures.v[i]->width < least)
			least = e->h->captures.v[i]->width;
	return least;
}

/* Length of the plain name at pos: letters, digits, hyphens, then a colon and a space. */
static struct at_ir *name_length(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *from = ir_let(b, ir_add(b, w->win, pos));
	unsigned n = ir_local(b);

	ir_set(b, n, C(0));
	ir_loop(b);
	for (int i = 0; i < NAME; i += 8) {
		struct at_ir *plain = at_swar_plain(b, ir_let(b, ir_load(b, 8, from, i)));
		struct at_ir *other = ir_let(b, ir_xori(b, plain, at_swar(0x80)));

		IF(other);
		ir_set(b, n, ir_addi(b, at_swar_first(b, other), i));
		ir_break(b);
		END;
	}
	ir_break(b);
	END;
	from = count(w, ir_get(b, n), NAME);
	leave_if(w, ir_iszero(b, from));
	leave_if(w, ir_nei(b, at(w, ir_add(b, pos, from), 2, 0), ':' | ' ' << 8));
	return from;
}

/*
 * Address of the text that the value goes to. Behind the last slot is room that
 * nobody reads: there go values that nobody wants, so that all go the same way.
 */
static struct at_ir *text_for(struct at_walk *w, struct at_ir *cap)
{
	struct at_irb *b = w->b;
	const unsigned last = w->e->total - AT_HTTP_PAD;
	struct at_ir *off = ir_add(b, ir_andi(b, cap, 0xffff), HL(msg)), *text;

	off = ir_let(b, ir_select(b, cap, off, C(last)));
	leave_if(w, ir_ugti(b, off, last));
	text = ir_let(b, ir_add(b, w->conn, at_http_bounded(b, off)));
	/* Of that name there was one: the steps join them. */
	IF(cap);
	leave_if(w, ir_andi(b, AT_LD(at_http_text, text, flags), AT_HTTP_T_PRESENT));
	END;
	return text;
}

/* Copies the value behind the space; its length, up to a control character. */
static struct at_ir *copy_value(struct at_walk *w, struct at_ir *text, struct at_ir *space)
{
	struct at_irb *b = w->b;
	struct at_ir *from = ir_let(b, ir_addi(b, ir_add(b, w->win, space), 1));
	unsigned n = ir_local(b), most = copied(w->e);

	ir_set(b, n, C(VALUE));
	ir_loop(b);
	for (int i = 0; i < VALUE; i += 8) {
		struct at_ir *word = ir_let(b, ir_load(b, 8, from, i));
		struct at_ir *mask = ir_let(b, at_swar_less(b, word, 0x0e));

		if ((unsigned)i < most)
			ir_store(b, 8, text, (int64_t)sizeof(struct at_http_text) + i, word);
		IF(mask);
		ir_set(b, n, ir_addi(b, at_swar_first(b, mask), i));
		ir_break(b);
		END;
	}
	ir_break(b);
	END;
	return count(w, ir_get(b, n), VALUE);
}

/* The n bytes behind the space are all of its line, and the next line, whose first byte is
 * there, does not go on with them. That line's first two bytes. */
static struct at_ir *need_whole(struct at_walk *w, struct at_ir *space, struct at_ir *n)
{
	struct at_irb *b = w->b;
	struct at_ir *last = ir_let(b, ir_add(b, space, n)), *next, *c;

	next = ir_let(b, at(w, last, 4, 1));
	leave_if(w, ir_nei(b, ir_andi(b, next, 0xffff), '\r' | '\n' << 8));
	leave_if(w, ir_ugt(b, ir_addi(b, last, 4), WL(end)));
	leave_if_padded(w, space, n);
	next = ir_let(b, ir_shri(b, next, 16));
	c = ir_let(b, ir_andi(b, next, 0xff));
	leave_if(w, ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	return next;
}

/* Which capture the value goes to; 0: none. */
static struct at_ir *capture_of(struct at_walk *w, struct at_ir *word)
{
	struct at_irb *b = w->b;
	struct at_ir *cap = ir_let(b, ir_andi(b, word, 0xffffffff));

	if (!at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_HOST))
		return cap;
	cap = ir_select(b, ir_and(b, ir_andi(b, ir_shri(b, word, HOST), 1), HL(host_set)), C(0),
			cap);
	return ir_let(b, cap);
}

/* One line of a head, if it is usual; leaves the loop behind the last one. */
static unsigned line_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_line_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *n = name_length(w, pos), *word, *cap, *text, *msg,
		     *next, *space;

	word = wanted(w, pos, n);
	cap = capture_of(w, word);
	text = text_for(w, cap);
	msg = at_http_msg_addr(w, HL(msg));
	space = place(w, ir_addi(b, ir_add(b, pos, n), 1));
	n = copy_value(w, text, space);
	next = need_whole(w, space, n);
	if (copied(e) < VALUE)
		leave_if(w, ir_and(b, ir_nei(b, cap, 0), ir_ugti(b, n, copied(e))));
	take_engine(w, word, space, n);
	/* The line is usual: from here on it is taken. */
	IF(cap);
	AT_ST(at_http_text, text, len, n);
	AT_ST(at_http_text, text, flags, C(AT_HTTP_T_PRESENT));
	AT_ST(at_http_text, text, full, n);
	END;
	MS(msg, nheaders, ir_addi(b, ML(msg, nheaders), 1));
	HS(first_line, C(0));
	pos = ir_let(b, ir_addi(b, ir_add(b, space, n), 3));
	IF(ir_and(b, ir_eqi(b, next, '\r' | '\n' << 8),
		  ir_ule(b, ir_addi(b, pos, 2), WL(end))));
	WS(pos, ir_addi(b, pos, 2));
	HS(state, C(AT_S_HEAD_END));
	ir_store(b, 8, w->win, off_left, C(0));
	RETURN(1);
	END;
	WS(pos, pos);
	RETURN(0);
	return b->index;
}

/* Heads are read for captures so far. */
static struct at_ir *is_long(struct at_walk *w)
{
	struct at_irb *b = w->b;

	return ir_ugti(b, ir_sub(b, HL(off), HL(start)), AT_HTTP_HEAD);
}

/* A field that the steps have read ends, unless this line goes on with it. */
static void end_field(struct at_walk *w, unsigned name)
{
	struct at_irb *b = w->b;
	struct at_ir *c;

	IF(ir_or(b, HL(cap), ir_or(b, HL(cap2), HL(fold))));
	c = ir_let(b, at(w, at_http_pos(w), 1, 0));
	IF(ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	ir_return(b, at_http_step(w, name));
	END;
	ir_do(b, at_http_step(w, w->e->f_field_end));
	END;
}

/* Between messages, or at the start of a line: what is usual, then a step of what is not. */
void at_http_usual_func(struct at_http_eng *e)
{
	unsigned request = request_line_func(e), status = status_line_func(e),
		 trip = line_trip(e), start = e->f_step[AT_S_START],
		 name = e->f_step[AT_S_NAME];
	struct at_walk walk = at_http_func(e, "http_usual", 3), *w = &walk;
	struct at_irb *b = w->b;

	e->f_step[AT_S_START] = e->f_step[AT_S_NAME] = b->index;
	IF(ir_eqi(b, HL(state), AT_S_START));
	IF(ir_eqi(b, HL(role), AT_ROLE_RESPONSE));
	IF(at_http_step(w, status));
	ir_return(b, at_http_step(w, start));
	END;
	ELSE;
	IF(at_http_step(w, request));
	ir_return(b, at_http_step(w, start));
	END;
	END;
	HS(state, C(AT_S_NAME));
	END;
	IF(ir_uge(b, WL(pos), WL(end)));
	RETURN(0);
	END;
	IF(ir_or(b, HL(trailer), is_long(w)));
	ir_return(b, at_http_step(w, name));
	END;
	end_field(w, name);
	ir_store(b, 8, w->win, off_left, C(1));
	ir_repeat(b, C(AT_HTTP_READ), trip, at_http_context(w));
	IF(ir_load(b, 8, w->win, off_left));
	ir_return(b, at_http_step(w, name));
	END;
	RETURN(0);
}
