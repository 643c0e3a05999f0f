/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of fields: the start of each line of a head. A name is compared with
 * those that the script or the engine wants, any case, and only with those of
 * its length; the value that follows goes to what wants it.
 */
#include "lib/http/layout.h"

#include <ctype.h>

static struct at_http_want *want_of(struct at_http_wants *all, const char *name)
{
	size_t i = 0;

	while (i < all->n && strcmp(all->v[i].name, name) != 0)
		i++;
	if (i == AT_HTTP_NAMES)
		return NULL;
	if (i == all->n)
		all->v[all->n++] = (struct at_http_want){ .name = name };
	return &all->v[i];
}

void at_http_wants(const struct at_http_eng *e, enum at_http_half half,
		   struct at_http_wants *all)
{
	want_of(all, "content-length")->engine = AT_E_LENGTH;
	want_of(all, "transfer-encoding")->engine = AT_E_CODING;
	want_of(all, "connection")->engine = AT_E_CONNECTION;
	for (size_t i = 0; i < e->h->captures.n; i++) {
		const struct at_http_capture *c = e->h->captures.v[i];
		struct at_http_want *w = NULL;

		if (c->half != half)
			continue;
		if (c->what == AT_HTTP_FIELD && (w = want_of(all, c->name)))
			w->field = c;
		if (c->what == AT_HTTP_HOST && (w = want_of(all, "host")))
			w->host = c;
	}
}

/* Bit 0x20 of the letters among the bytes: exact for every other character. */
static uint64_t fold_of(const char *s, unsigned n)
{
	uint64_t fold = 0;

	for (unsigned i = 0; i < n && i < 8; i++)
		if (isalpha((unsigned char)s[i]))
			fold |= 0x20ull << (8 * i);
	return fold;
}

struct at_ir *at_http_same_name(struct at_irb *b, struct at_ir *at, const char *name)
{
	unsigned len = strlen(name);
	struct at_ir *all = NULL;

	for (unsigned i = 0; i < len; i += 8) {
		unsigned n = len - i < 8 ? len - i : 8;
		struct at_ir *word = ir_load(b, 8, at, i), *same;

		if (n < 8)
			word = ir_andi(b, word, (int64_t)((1ull << (8 * n)) - 1));
		word = ir_ori(b, word, (int64_t)fold_of(name + i, n));
		same = ir_eqi(b, word, (int64_t)at_word_of(name + i, n));
		all = all ? ir_and(b, all, same) : same;
	}
	return all;
}

struct found {
	unsigned cap, host, engine; /* locals */
};

/* Of the two, only one is wanted of a name, but a host never has a search for secrets. */
enum { HOST_BITS = AT_CAP_SECRET };
static const int64_t HOST_MASK = (1ll << HOST_BITS) - 1;

static void compare(struct at_walk *w, enum at_http_half half, struct at_ir *at,
		    struct at_ir *n, const struct found *out)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_http_wants all = { .n = 0 };

	at_http_wants(e, half, &all);
	for (size_t i = 0; i < all.n; i++) {
		const struct at_http_want *want = &all.v[i];

		IF(ir_eqi(b, n, (int64_t)strlen(want->name)));
		IF(at_http_same_name(b, at, want->name));
		if (want->engine)
			ir_set(b, out->engine, C(want->engine));
		if (want->field)
			ir_set(b, out->cap, C((int64_t)at_http_cap_word(e, want->field)));
		if (want->host)
			ir_set(b, out->host,
			       C((int64_t)at_http_cap_word(e, want->host) & HOST_MASK));
		END;
		END;
	}
}

/* (conn, half, win, capture word): a field begins; it is joined to what was there of that name.
 */
static unsigned capture_begin_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_capture_begin", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *cap = ir_param(b, 3), *off = ir_let(b, ir_andi(b, cap, 0xffff)), *text,
		     *flags;

	IF(ir_ugti(b, off, e->total - AT_HTTP_PAD));
	RETURN(1);
	END;
	text = ir_let(b, ir_add(b, w->conn, at_http_bounded(b, off)));
	flags = ir_let(b, AT_LD(at_http_text, text, flags));
	IF(ir_andi(b, flags, AT_HTTP_T_PRESENT));
	at_http_put(w, C(offsetof(struct at_http_win, sep)), C(2), cap);
	ELSE;
	AT_ST(at_http_text, text, flags, ir_ori(b, flags, AT_HTTP_T_PRESENT));
	END;
	RETURN(0);
	return b->index;
}

/* A head longer than is read for captures: cut, once. */
static void cut_long_head(struct at_walk *w, const struct found *found)
{
	struct at_irb *b = w->b;
	struct at_ir *msg, *flags, *len = ir_sub(b, at_http_off(w, WL(pos)), HL(start));

	IF(ir_ugti(b, len, AT_HTTP_HEAD));
	ir_set(b, found->cap, C(0));
	ir_set(b, found->host, C(0));
	msg = at_http_msg_addr(w, HL(msg));
	flags = ir_let(b, ML(msg, flags));
	IF(ir_iszero(b, ir_andi(b, flags, AT_HTTP_M_CUT)));
	at_plan_count(b, w->e->h->c_cut, NULL);
	MS(msg, flags, ir_ori(b, flags, AT_HTTP_M_CUT));
	END;
	END;
}

/* What the mask takes from the host's capture. */
static int64_t host_counter(const struct at_http_eng *e)
{
	const struct at_http_capture *c =
		at_http_capture_of(e, AT_HTTP_OF_REQUEST, AT_HTTP_HOST);

	return c ? (int64_t)((uint64_t)c->counter << AT_CAP_COUNTER) : 0;
}

/* (conn, half, win, capture, capture of the host, engine's field): the value goes to them. */
static unsigned take_func(struct at_http_eng *e)
{
	unsigned capture_begin = capture_begin_func(e);
	struct at_walk walk = at_http_func(e, "http_take", 5), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *cap = ir_param(b, 3),
		     *host = ir_let(b, ir_andi(b, ir_param(b, 4), HOST_MASK));
	struct at_ir *engine = ir_let(b, ir_shri(b, ir_param(b, 4), HOST_BITS));

	IF(ir_and(b, ir_nei(b, host, 0), ir_iszero(b, HL(host_set))));
	HS(cap2, ir_let(b, ir_add(b, ir_or(b, host, C(host_counter(e))), HL(msg))));
	ir_do(b, ir_call(b, capture_begin, 4, w->conn, w->half, w->win, HL(cap2)));
	END;
	IF(cap);
	HS(cap, ir_let(b, ir_add(b, cap, HL(msg))));
	ir_do(b, ir_call(b, capture_begin, 4, w->conn, w->half, w->win, HL(cap)));
	END;
	IF(engine);
	HS(engine, engine);
	ir_zero(b, w->half, offsetof(struct at_http_stream, text), sizeof(struct at_http_text));
	HS(cap2, ir_addi(b, HL(self),
			 (int64_t)(offsetof(struct at_http_stream, text) |
				   (uint64_t)AT_HTTP_ENGINE << AT_CAP_WIDTH)));
	END;
	RETURN(0);
	return b->index;
}

/* (conn, half, win, n): the n bytes at pos are a field's name. */
static unsigned match_func(struct at_http_eng *e)
{
	unsigned take = take_func(e);
	struct at_walk walk = at_http_func(e, "http_match", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *n = ir_param(b, 3), *at, *msg, *second;
	struct found found = { ir_local(b), 0, 0 };

	found.host = ir_local(b);
	found.engine = ir_local(b);
	ir_set(b, found.cap, C(0));
	ir_set(b, found.host, C(0));
	ir_set(b, found.engine, C(0));
	IF(HL(trailer));
	RETURN(0);
	END;
	msg = at_http_msg_addr(w, HL(msg));
	MS(msg, nheaders, ir_addi(b, ML(msg, nheaders), 1));
	at = ir_let(b, ir_add(b, w->win, pos));
	IF(ir_eqi(b, HL(role), AT_ROLE_REQUEST));
	compare(w, AT_HTTP_OF_REQUEST, at, n, &found);
	ELSE;
	compare(w, AT_HTTP_OF_RESPONSE, at, n, &found);
	END;
	cut_long_head(w, &found);
	second =
		ir_or(b, ir_get(b, found.host), ir_shli(b, ir_get(b, found.engine), HOST_BITS));
	second = ir_let(b, second);
	IF(ir_or(b, ir_get(b, found.cap), second));
	ir_do(b, ir_call(b, take, 5, w->conn, w->half, w->win, ir_get(b, found.cap), second));
	END;
	RETURN(0);
	return b->index;
}

/* The empty line, one byte or two of it: the head is complete, or the trailers are. */
static unsigned empty_line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_empty_line", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w);

	IF(ir_eqi(b, ir_param(b, 3), '\r'));
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
	HS(state, ir_select(b, HL(trailer), C(AT_S_MSG_END), C(AT_S_HEAD_END)));
	RETURN(0);
	return b->index;
}

/* n characters of a name at pos: complete with its colon, or not. */
static void name_end(struct at_walk *w, struct at_ir *pos, struct at_ir *n, unsigned match)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *c;

	IF(ir_ugti(b, n, AT_HTTP_CARRY));
	WS(pos, ir_addi(b, pos, AT_HTTP_CARRY));
	HS(first_line, C(0));
	HS(state, C(AT_S_LONG));
	RETURN(0);
	END;
	IF(ir_uge(b, ir_add(b, pos, n), WL(end)));
	ir_return(b, at_http_step(w, e->f_more));
	END;
	c = ir_let(b, ir_load(b, 1, ir_add(b, ir_add(b, w->win, pos), n), 0));
	IF(ir_or(b, ir_nei(b, c, ':'), ir_iszero(b, n)));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	ir_do(b, ir_call(b, match, 4, w->conn, w->half, w->win, n));
	WS(pos, ir_addi(b, ir_add(b, pos, n), 1));
	HS(first_line, C(0));
	HS(state, C(AT_S_LEAD));
	RETURN(0);
}

/* The start of a line, whatever stands there. */
static void name_func(struct at_http_eng *e, unsigned empty_line, unsigned match)
{
	struct at_walk walk = at_http_func(e, "http_name", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0)), *n,
		     *fold;

	e->f_step[AT_S_NAME] = b->index;
	IF(ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	IF(HL(first_line));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	fold = ir_let(b, HL(fold));
	HS(fold, ir_select(b, ir_eqi(b, fold, AT_FOLD_TEXT), C(AT_FOLD_PENDING), fold));
	HS(state, C(AT_S_LEAD));
	RETURN(0);
	END;
	ir_do(b, at_http_step(w, e->f_field_end));
	IF(ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n')));
	ir_return(b, ir_call(b, empty_line, 4, w->conn, w->half, w->win, c));
	END;
	n = ir_let(b, at_http_step(w, e->f_token));
	name_end(w, pos, n, match);
}

/* Behind the first bytes of a name too long to be wanted by anybody. */
static void long_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_long_name", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, at_http_step(w, e->f_token)), *pos = at_http_pos(w), *msg;

	e->f_step[AT_S_LONG] = b->index;
	IF(n);
	WS(pos, ir_add(b, pos, n));
	RETURN(0);
	END;
	IF(ir_nei(b, at_byte(b, w->win, pos, 0), ':'));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	IF(ir_iszero(b, HL(trailer)));
	msg = at_http_msg_addr(w, HL(msg));
	MS(msg, nheaders, ir_addi(b, ML(msg, nheaders), 1));
	END;
	WS(pos, ir_addi(b, pos, 1));
	HS(state, C(AT_S_LEAD));
	RETURN(0);
}

void at_http_name_funcs(struct at_http_eng *e)
{
	unsigned match = match_func(e), empty_line = empty_line_func(e);

	name_func(e, empty_line, match);
	long_func(e);
}
