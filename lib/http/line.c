/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start lines: the first token decides what a message is, then the
 * request-target with its parts, the version, or the status. Each function is
 * one step of the walker.
 */
#include "lib/http/layout.h"

enum { T_TOKEN = 8, TOKEN_MOST = AT_HTTP_CARRY + 1 };

static const int64_t FIVE_BYTES = 0xffffffffff;
static const int64_t off_token = offsetof(struct at_http_win, tmp) + 8 * T_TOKEN;

/* ---- Tokens ---- */

static unsigned token_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_token_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, ir_load(b, 8, w->win, off_token)), *pos, *at, *word, *plain;

	IF(ir_ugti(b, n, TOKEN_MOST + 8));
	RETURN(1);
	END;
	pos = at_http_pos(w);
	at = ir_let(b, ir_add(b, ir_add(b, w->win, pos), n));
	word = ir_let(b, ir_load(b, 8, at, 0));
	plain = ir_let(b, at_swar_plain(b, word));
	IF(ir_eqi(b, plain, at_swar(0x80)));
	ir_store(b, 8, w->win, off_token, ir_addi(b, n, 8));
	ir_return(b, ir_ugei(b, n, TOKEN_MOST - 8));
	END;
	/* Some other character: a token's all the same, or its end. */
	plain = ir_let(b, at_swar_first(b, ir_xori(b, plain, at_swar(0x80))));
	word = ir_andi(b, ir_shr(b, word, ir_shli(b, plain, 3)), 0xff);
	word = ir_let(b, at_is_token(b, ir_let(b, word)));
	n = ir_let(b, ir_add(b, ir_add(b, n, plain), word));
	ir_store(b, 8, w->win, off_token, n);
	ir_return(b, ir_or(b, ir_iszero(b, word), ir_ugei(b, n, TOKEN_MOST)));
	return b->index;
}

/* Number of token characters from pos on, at most those in the window and TOKEN_MOST. */
static void token_func(struct at_http_eng *e)
{
	unsigned trip = token_trip(e);
	struct at_walk walk = at_http_func(e, "http_token", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n;

	e->f_token = b->index;
	ir_store(b, 8, w->win, off_token, C(0));
	ir_repeat(b, C(TOKEN_MOST + 1), trip, at_http_context(w));
	n = at_http_min(b, ir_load(b, 8, w->win, off_token), ir_sub(b, WL(end), WL(pos)));
	ir_return(b, at_http_min(b, n, C(TOKEN_MOST)));
}

/* ---- A message begins ---- */

static void head_begin(struct at_walk *w)
{
	struct at_irb *b = w->b;

	HS(frame, C(0));
	HS(engine, C(0));
	HS(first_line, C(1));
	HS(fold, C(0));
	HS(trailer, C(0));
	HS(interim, C(0));
	HS(cap, C(0));
	HS(cap2, C(0));
	HS(secret, C(0));
	HS(scan, C(0));
	HS(nword, C(0));
	HS(host_set, C(0));
	HS(length, C(0));
	HS(digits, C(0));
}

static void msg_begin(struct at_walk *w, struct at_ir *msg, enum at_http_half half)
{
	struct at_irb *b = w->b;

	ir_zero(b, msg, 0, sizeof(struct at_http_msg));
	MS(msg, content_length, C(-1));
	MS(msg, minor, C(0xffffffff));
	MS(msg, first_ns, HL(first_ns));
	at_http_reset_texts(w, msg, half);
}

/* Method flags of the token at pos. */
static struct at_ir *method_flags(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, ir_load(b, 8, ir_add(b, w->win, pos), 0));
	struct at_ir *head =
		ir_eqi(b, ir_andi(b, word, FIVE_BYTES), (int64_t)at_word_of("HEAD ", 5));
	struct at_ir *connect = ir_eqi(b, word, (int64_t)at_word_of("CONNECT ", 8));

	return ir_let(b, ir_select(b, head, C(AT_HTTP_M_HEAD),
				   ir_select(b, connect, C(AT_HTTP_M_CONNECT), C(0))));
}

/* Its slot; when all are open, the spill slot. */
static void choose_slot(struct at_walk *w, struct at_ir *seq, struct at_ir *open)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *index = ir_let(b, ir_andi(b, seq, e->h->depth - 1));

	IF(ir_ulti(b, open, e->h->depth));
	HS(keep, C(0));
	HS(msg, ir_addi(b, ir_muli(b, index, e->h->slot_size), e->slots_off));
	ir_store(b, 8, ir_add(b, w->conn, ir_shli(b, index, 3)),
		 offsetof(struct at_http_state, slot_seq), C(0));
	ELSE;
	HS(keep, ir_ulti(b, open, e->h->pipeline));
	HS(msg, C(e->spill_off));
	END;
}

static void publish_slot(struct at_walk *w, struct at_ir *seq, struct at_ir *open)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *index = ir_let(b, ir_andi(b, seq, e->h->depth - 1)), *next;

	next = ir_let(b, ir_addi(b, seq, 1));
	IF(ir_ulti(b, open, e->h->depth));
	ir_store(b, 8, ir_add(b, w->conn, ir_shli(b, index, 3)),
		 offsetof(struct at_http_state, slot_seq), next);
	END;
	ir_do(b, ir_xchg(b, 8, w->conn, offsetof(struct at_http_state, req_seq), next));
}

struct at_ir *at_http_open_requests_full(struct at_walk *w)
{
	struct at_irb *b = w->b;

	return ir_ugei(b, ir_sub(b, KL(req_seq), KL(resp_seq)), AT_HTTP_METHODS);
}

struct at_ir *at_http_begin_request(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *seq = ir_let(b, KL(req_seq)), *open, *msg, *flags, *mute, *at;

	open = ir_let(b, ir_sub(b, seq, KL(resp_seq)));
	choose_slot(w, seq, open);
	head_begin(w);
	msg = at_http_msg_addr(w, HL(msg));
	msg_begin(w, msg, AT_HTTP_OF_REQUEST);
	flags = method_flags(w, pos);
	mute = ir_select(b, KL(tentative), C(AT_HTTP_M_MUTE), C(0));
	MS(msg, flags, ir_or(b, flags, mute));
	at = ir_add(b, w->conn, ir_andi(b, seq, AT_HTTP_METHODS - 1));
	ir_store(b, 1, at, offsetof(struct at_http_state, methods), flags);
	publish_slot(w, seq, open);
	return msg;
}

/* (conn, half, win, n): a request whose method is the n bytes at pos; 0: none to be kept. */
static unsigned begin_request_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_begin_request", 4), *w = &walk;
	const struct at_http_capture *c =
		at_http_capture_of(e, AT_HTTP_OF_REQUEST, AT_HTTP_METHOD);
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w);

	IF(at_http_open_requests_full(w));
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	at_http_begin_request(w, pos);
	if (c)
		at_http_put(w, pos, ir_param(b, 3),
			    ir_addi(b, HL(msg), (int64_t)at_http_cap_word(e, c)));
	RETURN(0);
	return b->index;
}

void at_http_message_at(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;

	HS(start, at_http_off(w, pos));
	HS(first_ns, WL(now));
}

/* Between messages: empty lines are passed over. */
static void start_func(struct at_http_eng *e, unsigned first)
{
	struct at_walk walk = at_http_func(e, "http_start", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0));

	e->f_step[AT_S_START] = b->index;
	IF(ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n')));
	WS(pos, ir_addi(b, pos, 1));
	RETURN(0);
	END;
	at_http_message_at(w, pos);
	IF(ir_eqi(b, HL(role), AT_ROLE_RESPONSE));
	HS(state, C(AT_S_STATUS));
	RETURN(0);
	END;
	HS(state, C(AT_S_FIRST));
	ir_return(b, at_http_step(w, first));
}

/* A token and a space: a request. Responses, where they may come, go to AT_S_STATUS instead. */
static void first_func(struct at_http_eng *e, unsigned begin_request)
{
	struct at_walk walk = at_http_func(e, "http_first", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, at_http_step(w, e->f_token)), *pos = at_http_pos(w), *at,
		     *c;
	struct at_ir *role, *err;

	e->f_step[AT_S_FIRST] = b->index;
	IF(ir_ugti(b, n, TOKEN_MOST));
	RETURN(1);
	END;
	IF(ir_and(b, ir_eq(b, ir_add(b, pos, n), WL(end)), ir_ulti(b, n, TOKEN_MOST)));
	ir_return(b, at_http_step(w, e->f_more));
	END;
	role = ir_let(b, HL(role));
	at = ir_let(b, ir_add(b, w->win, pos));
	c = ir_let(b, ir_load(b, 1, ir_add(b, at, n), 0));
	/* A response before any request: which it answers was not seen. */
	IF(ir_and(b, ir_iszero(b, role),
		  ir_eqi(b, ir_andi(b, ir_load(b, 8, at, 0), FIVE_BYTES),
			 (int64_t)at_word_of("HTTP/", 5))));
	IF(at_http_may_be_early(w));
	at_http_early_roles(w);
	HS(state, C(AT_S_STATUS));
	RETURN(0);
	END;
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	IF(ir_and(b, ir_eqi(b, c, ' '), ir_nei(b, n, 0)));
	err = ir_let(b, ir_call(b, begin_request, 4, w->conn, w->half, w->win, n));
	IF(err);
	RETURN(1);
	END;
	WS(pos, ir_addi(b, ir_add(b, pos, n), 1));
	HS(part, C(AT_T_NEW));
	HS(state, C(AT_S_TARGET));
	RETURN(0);
	END;
	/* Where a request is due, what came instead may be answered. */
	IF(ir_eqi(b, role, AT_ROLE_REQUEST));
	err = ir_let(b, ir_call(b, begin_request, 4, w->conn, w->half, w->win, C(0)));
	IF(err);
	RETURN(1);
	END;
	END;
	ir_return(b, at_http_step(w, e->f_invalid));
}

/* ---- Version and status ---- */

/* "HTTP/1." and a digit at pos; else leaves as invalid. The minor version. */
static struct at_ir *version_at(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, ir_load(b, 8, ir_add(b, w->win, pos), 0));
	struct at_ir *digit = ir_let(b, ir_subi(b, ir_shri(b, word, 56), '0'));
	struct at_ir *name = ir_shli(b, word, 8);

	IF(ir_or(b, ir_nei(b, name, (int64_t)(at_word_of("HTTP/1.", 7) << 8)),
		 ir_ugti(b, digit, 9)));
	ir_return(b, at_http_step(w, w->e->f_invalid));
	END;
	return ir_let(b, ir_un(b, AT_OP_BOOL, digit));
}

static void need(struct at_walk *w, struct at_ir *pos, unsigned n)
{
	struct at_irb *b = w->b;

	IF(ir_ulti(b, ir_sub(b, WL(end), pos), n));
	ir_return(b, at_http_step(w, w->e->f_more));
	END;
}

void at_http_decide_roles(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *dir, *other;

	IF(ir_iszero(b, HL(role)));
	dir = ir_let(b, HL(dir));
	HS(role, C(AT_ROLE_REQUEST));
	other = ir_muli(b, ir_andi(b, ir_xori(b, dir, 1), 1), sizeof(struct at_http_stream));
	ir_store(b, 4, ir_add(b, w->conn, other),
		 offsetof(struct at_http_state, half) + offsetof(struct at_http_stream, role),
		 C(AT_ROLE_RESPONSE));
	ir_store(b, 4, w->conn, offsetof(struct at_http_conn, side),
		 ir_select(b, dir, C(AT_HTTP_CLIENT), C(AT_HTTP_SERVER)));
	END;
}

static void version_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_version", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *minor, *msg;
	unsigned n;

	e->f_step[AT_S_VERSION] = b->index;
	need(w, pos, 9);
	minor = version_at(w, pos);
	n = ir_local(b);
	ir_set(b, n, C(9));
	IF(ir_nei(b, at_byte(b, w->win, pos, 8), '\n'));
	IF(ir_nei(b, at_byte(b, w->win, pos, 8), '\r'));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	need(w, pos, 10);
	IF(ir_nei(b, at_byte(b, w->win, pos, 9), '\n'));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	ir_set(b, n, C(10));
	END;
	msg = at_http_msg_addr(w, HL(msg));
	MS(msg, minor, minor);
	WS(pos, ir_add(b, pos, ir_get(b, n)));
	at_http_decide_roles(w);
	HS(state, C(AT_S_NAME));
	RETURN(0);
}

struct at_ir *at_http_status_at(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *status = C(0), *bad = ir_nei(b, at_byte(b, w->win, pos, 8), ' ');

	for (int i = 9; i < 12; i++) {
		struct at_ir *d = ir_let(b, ir_subi(b, at_byte(b, w->win, pos, i), '0'));

		bad = ir_or(b, bad, ir_ugti(b, d, 9));
		status = ir_add(b, ir_muli(b, status, 10), d);
	}
	return ir_let(b, ir_select(b, bad, C(0), status));
}

struct at_ir *at_http_begin_response(struct at_walk *w, struct at_ir *minor,
				     struct at_ir *status)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *msg = ir_let(b, ir_addi(b, w->conn, e->resp_off));

	head_begin(w);
	HS(msg, C(e->resp_off));
	msg_begin(w, msg, AT_HTTP_OF_RESPONSE);
	MS(msg, minor, minor);
	MS(msg, status, status);
	HS(interim, ir_and(b, ir_ulti(b, status, 200), ir_nei(b, status, 101)));
	HS(begun, C(1));
	return msg;
}

static void status_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_status", 3), *w = &walk;
	struct at_irb *b = w->b;
	const struct at_http_capture *reason =
		at_http_capture_of(e, AT_HTTP_OF_RESPONSE, AT_HTTP_REASON);
	struct at_ir *pos = at_http_pos(w), *minor, *status, *c;

	e->f_step[AT_S_STATUS] = b->index;
	need(w, pos, 13);
	minor = version_at(w, pos);
	status = at_http_status_at(w, pos);
	c = ir_let(b, at_byte(b, w->win, pos, 12));
	IF(ir_or(b, ir_ulti(b, status, 100),
		 ir_iszero(b, ir_or(b, ir_eqi(b, c, ' '),
				    ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n'))))));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	/* One that answers nothing, or what was not seen. */
	IF(ir_uge(b, KL(resp_seq), KL(req_seq)));
	IF(at_http_may_be_early(w));
	at_http_begin_early(w);
	ELSE;
	IF(ir_iszero(b, KL(tentative)));
	at_plan_count(b, e->h->c_unmatched, NULL);
	END;
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	END;
	at_http_begin_response(w, minor, status);
	if (reason)
		HS(cap, C((int64_t)at_http_cap_word(e, reason) + e->resp_off));
	HS(state, C(AT_S_LEAD));
	WS(pos, ir_add(b, pos, ir_select(b, ir_eqi(b, c, ' '), C(13), C(12))));
	RETURN(0);
}

/* ---- Target ---- */

struct part {
	int part;
	const char *ends; /* characters, besides white space */
	enum at_http_what what;
	bool kept;
};

static const struct part parts[] = {
	{ AT_T_SCHEME, ":", 0, false },
	{ AT_T_AUTHORITY, "/?@", AT_HTTP_HOST, true },
	{ AT_T_PATH, "?", AT_HTTP_PATH, true },
	{ AT_T_QUERY, "", AT_HTTP_QUERY, true },
	{ AT_T_REST, "", 0, false },
};

/* From here on the bytes belong to this part. */
static void part_begin(struct at_walk *w, int which)
{
	struct at_irb *b = w->b;
	const struct part *p = &parts[which - 1];
	const struct at_http_capture *c =
		p->kept ? at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, p->what) : NULL;

	for (int i = 0; i < 3; i++) {
		char end = (int)strlen(p->ends) > i ? p->ends[i] : ' ';

		ir_store(b, 8, w->half, offsetof(struct at_http_stream, delim) + 8 * i,
			 C(at_swar((unsigned)end)));
	}
	HS(part, C(which));
	if (c)
		HS(cap2, ir_addi(b, HL(msg), (int64_t)at_http_cap_word(w->e, c)));
	else
		HS(cap2, C(0));
	if (which == AT_T_AUTHORITY)
		HS(host_set, C(1));
	if (which == AT_T_QUERY) { /* at a parameter's name, as behind the '?' */
		ir_zero(b, w->half, offsetof(struct at_http_stream, word), 16);
		HS(nword, C(1));
		HS(scan, C(1));
	}
}

static unsigned part_func(struct at_http_eng *e, int which, const char *name)
{
	struct at_walk walk = at_http_func(e, name, 3), *w = &walk;
	struct at_irb *b = w->b;

	part_begin(w, which);
	RETURN(0);
	return b->index;
}

/* The first byte says which form the target has. */
static unsigned target_new_func(struct at_http_eng *e, const unsigned *part)
{
	struct at_walk walk = at_http_inline(e, "http_target_new", 3), *w = &walk;
	const struct at_http_capture *c =
		at_http_capture_of(e, AT_HTTP_OF_REQUEST, AT_HTTP_TARGET);
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *first, *msg;

	if (c)
		HS(cap, ir_addi(b, HL(msg), (int64_t)at_http_cap_word(e, c)));
	first = ir_let(b, at_byte(b, w->win, pos, 0));
	IF(ir_ulei(b, first, ' '));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	msg = at_http_msg_addr(w, HL(msg));
	IF(ir_andi(b, ML(msg, flags), AT_HTTP_M_CONNECT));
	ir_return(b, at_http_step(w, part[AT_T_REST]));
	END;
	IF(ir_ulti(b, ir_subi(b, ir_ori(b, first, 0x20), 'a'), 26));
	ir_return(b, at_http_step(w, part[AT_T_SCHEME]));
	END;
	ir_return(b, at_http_step(w, part[AT_T_PATH]));
	return b->index;
}

/* n bytes at pos to the target, and (both) to its current part. */
static void target_put(struct at_walk *w, struct at_ir *pos, struct at_ir *n, bool both)
{
	struct at_irb *b = w->b;

	IF(HL(cap));
	at_http_put(w, pos, n, HL(cap));
	END;
	if (!both)
		return;
	IF(HL(cap2));
	at_http_put(w, pos, n, HL(cap2));
	END;
}

/* Bytes of the current part from pos on, at most AT_HTTP_STEP and those in the window. */
static struct at_ir *target_scan(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_let(b, ir_add(b, w->win, pos)), *delim[3];
	unsigned n = ir_local(b);

	for (int i = 0; i < 3; i++)
		delim[i] = ir_let(b, ir_load(b, 8, w->half,
					     offsetof(struct at_http_stream, delim) + 8 * i));
	ir_set(b, n, C(AT_HTTP_STEP));
	ir_loop(b);
	for (int i = 0; i < AT_HTTP_STEP; i += 8) {
		struct at_ir *word = ir_let(b, ir_load(b, 8, at, i));
		struct at_ir *mask = ir_let(b, at_swar_less(b, word, 0x21));

		for (int d = 0; d < 3; d++) {
			struct at_ir *more = at_swar_equal(b, word, delim[d]);

			mask = ir_let(b, ir_or(b, mask, more));
		}
		IF(mask);
		ir_set(b, n, ir_addi(b, at_swar_first(b, mask), i));
		ir_break(b);
		END;
	}
	ir_break(b);
	END;
	return at_http_min(b, at_http_forget(w, ir_get(b, n)), ir_sub(b, WL(end), pos));
}

static void target_secret(struct at_walk *w, enum at_http_what what)
{
	const struct at_http_capture *c = at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, what);
	struct at_irb *b = w->b;
	struct at_ir *msg;

	if (!c || !c->may_secret)
		return;
	msg = at_http_msg_addr(w, HL(msg));
	IF(HL(secret));
	ir_store(b, 2, msg, c->offset + offsetof(struct at_http_text, flags),
		 C(AT_HTTP_T_SECRET));
	END;
}

static unsigned target_end_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_target_end", 3), *w = &walk;
	struct at_irb *b = w->b;

	target_secret(w, AT_HTTP_TARGET);
	target_secret(w, AT_HTTP_QUERY);
	HS(cap, C(0));
	HS(cap2, C(0));
	HS(scan, C(0));
	HS(secret, C(0));
	HS(state, C(AT_S_VERSION));
	RETURN(0);
	return b->index;
}

/* What stands before an '@' was no host: it is dropped, and never kept. */
static void drop_userinfo(struct at_walk *w)
{
	const struct at_http_capture *c =
		at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_HOST);
	struct at_irb *b = w->b;
	struct at_ir *msg;

	if (!c)
		return;
	msg = at_http_msg_addr(w, HL(msg));
	ir_zero(b, msg, c->offset, sizeof(struct at_http_text));
}

/* The byte at pos ended a part, and is none that ends the target. */
static unsigned target_delim_func(struct at_http_eng *e, const unsigned *part)
{
	struct at_walk walk = at_http_inline(e, "http_target_delim", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *c = ir_let(b, at_byte(b, w->win, pos, 0)), *n,
		     *slashes;

	IF(ir_eqi(b, c, '/'));
	ir_return(b, at_http_step(w, part[AT_T_PATH]));
	END;
	slashes = C(0);
	IF(ir_eqi(b, c, ':'));
	need(w, pos, 3);
	END;
	slashes = ir_and(b, ir_eqi(b, c, ':'),
			 ir_eqi(b, ir_load(b, 2, ir_add(b, w->win, pos), 1), '/' | '/' << 8));
	slashes = ir_let(b, slashes);
	n = ir_let(b, ir_select(b, slashes, C(3), C(1)));
	target_put(w, pos, n, false);
	WS(pos, ir_add(b, pos, n));
	IF(ir_eqi(b, c, '?'));
	ir_return(b, at_http_step(w, part[AT_T_QUERY]));
	END;
	IF(slashes);
	ir_return(b, at_http_step(w, part[AT_T_AUTHORITY]));
	END;
	IF(ir_eqi(b, c, '@'));
	drop_userinfo(w);
	RETURN(0);
	END;
	ir_return(b, at_http_step(w, part[AT_T_REST]));
	return b->index;
}

static void target_func(struct at_http_eng *e)
{
	static const char *const names[] = { "",          "http_scheme", "http_authority",
					     "http_path", "http_query",  "http_rest" };
	unsigned part[AT_T_REST + 1], fresh, end, delim;
	struct at_walk walk, *w = &walk;
	struct at_irb *b = &e->b;
	struct at_ir *pos, *n, *at, *c, *control;

	for (int i = AT_T_SCHEME; i <= AT_T_REST; i++)
		part[i] = part_func(e, i, names[i]);
	fresh = target_new_func(e, part);
	end = target_end_func(e);
	delim = target_delim_func(e, part);
	walk = at_http_func(e, "http_target", 3);
	e->f_step[AT_S_TARGET] = b->index;
	IF(ir_eqi(b, HL(part), AT_T_NEW));
	ir_return(b, at_http_step(w, fresh));
	END;
	pos = at_http_pos(w);
	n = target_scan(w, pos);
	IF(n);
	target_put(w, pos, n, true);
	WS(pos, ir_add(b, pos, n));
	RETURN(0);
	END;
	at = ir_let(b, ir_add(b, w->win, pos));
	c = ir_let(b, ir_load(b, 1, at, 0));
	IF(ir_eqi(b, c, ' '));
	WS(pos, ir_addi(b, pos, 1));
	ir_return(b, at_http_step(w, end));
	END;
	IF(ir_ugti(b, c, ' '));
	ir_return(b, at_http_step(w, delim));
	END;
	control = ir_or(b, ir_or(b, ir_eqi(b, c, '\r'), ir_eqi(b, c, '\n')), ir_iszero(b, c));
	IF(control);
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	target_put(w, pos, C(1), true);
	WS(pos, ir_addi(b, pos, 1));
	RETURN(0);
}

void at_http_line_funcs(struct at_http_eng *e)
{
	unsigned begin_request;

	token_func(e);
	begin_request = begin_request_func(e);
	first_func(e, begin_request);
	start_func(e, e->f_step[AT_S_FIRST]);
	target_func(e);
	version_func(e);
	status_func(e);
}
