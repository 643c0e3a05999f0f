/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window: how the walker gets the bytes of a call. Refilling reads the next
 * piece of user memory behind what was carried over, or passes over content
 * whose length is known without reading it. When the call has nothing left, the
 * half is given back.
 */
#include "lib/http/layout.h"

enum { PROBE_READ_USER = 112 }; /* enum bpf_func_id */

/* ---- What all functions of (connection, half, window) share ---- */

struct at_walk at_http_inline(struct at_http_eng *e, const char *name, unsigned nparams)
{
	struct at_irb *b = &e->b;

	ir_begin(b, e->plan, name, AT_FN_SUB, nparams);
	b->fn->inlined = true;
	return (struct at_walk){ e, b, ir_param(b, 0), ir_param(b, 1), ir_param(b, 2) };
}

/*
 * Verified once and by themselves: followed from each of their calls, the
 * programs would be 30 times as much work for the verifier. It then wants to
 * see that the addresses are some.
 */
struct at_walk at_http_func(struct at_http_eng *e, const char *name, unsigned nparams)
{
	struct at_irb *b = &e->b;
	const unsigned mem[] = { e->total, sizeof(struct at_http_stream),
				 sizeof(struct at_http_win) };

	ir_begin(b, e->plan, name, AT_FN_SUB, nparams);
	b->fn->by_itself = b->fn->noinline = true;
	for (unsigned i = 0; i < at_count(mem); i++) {
		b->fn->mem[i] = mem[i];
		IF(ir_iszero(b, ir_param(b, i)));
		RETURN(1);
		END;
	}
	return (struct at_walk){ e, b, ir_param(b, 0), ir_param(b, 1), ir_param(b, 2) };
}

struct at_walk at_http_trip(struct at_http_eng *e, const char *name)
{
	struct at_irb *b = &e->b;
	struct at_walk w = { .e = e, .b = b };

	ir_begin(b, e->plan, name, AT_FN_TRIP, 2);
	w.conn = ir_let(b, ir_load(b, 8, ir_param(b, 1), 0));
	w.half = ir_let(b, ir_load(b, 8, ir_param(b, 1), 8));
	w.win = ir_let(b, ir_load(b, 8, ir_param(b, 1), 16));
	return w;
}

struct at_ir *at_http_context(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *slot = ir_slot(b, 24);

	ir_store(b, 8, slot, 0, w->conn);
	ir_store(b, 8, slot, 8, w->half);
	ir_store(b, 8, slot, 16, w->win);
	return slot;
}

struct at_ir *at_http_min(struct at_irb *b, struct at_ir *x, struct at_ir *y)
{
	x = ir_let(b, x);
	y = ir_let(b, y);
	return ir_let(b, ir_select(b, ir_ult(b, x, y), x, y));
}

struct at_ir *at_http_forget(struct at_walk *w, struct at_ir *v)
{
	struct at_irb *b = w->b;
	int64_t last = offsetof(struct at_http_win, tmp) + 8 * 15;

	ir_store(b, 8, w->win, last, v);
	return ir_let(b, ir_load(b, 8, ir_un(b, AT_OP_HIDE, w->win), last));
}

struct at_ir *at_http_pos(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *pos = ir_let(b, WL(pos));

	IF(ir_ugti(b, pos, AT_HTTP_EDGE));
	RETURN(1);
	END;
	return at_http_bounded(b, pos);
}

struct at_ir *at_http_byte_before(struct at_walk *w, struct at_ir *pos, struct at_ir *n)
{
	struct at_irb *b = w->b;
	struct at_ir *last = ir_subi(b, ir_add(b, pos, n), 1);

	last = ir_let(b, ir_un(b, AT_OP_HIDE, last));
	IF(ir_ugti(b, last, AT_HTTP_EDGE + AT_HTTP_STEP));
	RETURN(1);
	END;
	return ir_let(b, at_byte(b, w->win, at_http_bounded(b, last), 0));
}

struct at_ir *at_http_msg_addr(struct at_walk *w, struct at_ir *offset)
{
	struct at_irb *b = w->b;
	unsigned largest = w->e->h->slot_size;

	if (largest < w->e->h->resp_size)
		largest = w->e->h->resp_size;
	offset = ir_let(b, offset);
	IF(ir_ugti(b, offset, w->e->total - largest));
	RETURN(1);
	END;
	return ir_let(b, ir_add(b, w->conn, at_http_bounded(b, offset)));
}

struct at_ir *at_http_step(struct at_walk *w, unsigned func)
{
	return ir_call(w->b, func, 3, w->conn, w->half, w->win);
}

struct at_ir *at_http_off(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;

	return ir_sub(b, HL(off), ir_sub(b, WL(end), pos));
}

/* ---- Giving up ---- */

/* (conn, half, win, verdict): the walk ends; the caller takes the connection away. */
static void fail_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_fail", 4), *w = &walk;
	struct at_irb *b = w->b;

	e->f_fail = b->index;
	WS(verdict, ir_param(b, 3));
	IF(ir_iszero(b, KL(tentative)));
	IF(ir_eqi(b, ir_param(b, 3), AT_V_SEARCH));
	IF(HL(role));
	at_plan_count(b, e->h->c_desync, NULL);
	END;
	END;
	END;
	RETURN(1);
}

/*
 * What stands here breaks the grammar. Before a first valid line it is no HTTP;
 * an invalid request may still be answered; behind an invalid response nothing
 * is known.
 */
static void invalid_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_invalid", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *role, *msg, *flags;

	e->f_invalid = b->index;
	role = ir_let(b, HL(role));
	IF(ir_eqi(b, role, AT_ROLE_UNKNOWN));
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_NOT)));
	END;
	IF(ir_or(b, ir_eqi(b, role, AT_ROLE_RESPONSE), ir_nei(b, KL(tentative), 0)));
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	msg = at_http_msg_addr(w, HL(msg));
	flags = ir_let(b, ML(msg, flags));
	IF(ir_iszero(b, ir_andi(b, flags, AT_HTTP_M_DONE)));
	MS(msg, flags, ir_ori(b, flags, AT_HTTP_M_INVALID));
	END;
	KS(poison, C(1));
	at_http_keep(w);
	HS(state, C(AT_S_LOST));
	RETURN(0);
}

/* The token at pos goes on behind the window: kept for the next bytes. */
static void more_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_more", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos, *end, *pending;

	e->f_more = b->index;
	pos = at_http_pos(w);
	end = ir_let(b, WL(end));
	pending = ir_let(b, ir_sub(b, end, pos));
	IF(ir_or(b, ir_ulti(b, end, AT_HTTP_CARRY), ir_ugti(b, end, AT_HTTP_EDGE)));
	RETURN(1);
	END;
	IF(ir_ugti(b, pending, AT_HTTP_CARRY));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	ir_copy(b, w->half, offsetof(struct at_http_stream, carry), ir_add(b, w->win, end),
		-AT_HTTP_CARRY, AT_HTTP_CARRY);
	HS(ncarry, pending);
	WS(pos, end);
	RETURN(0);
}

void at_http_fail_funcs(struct at_http_eng *e)
{
	fail_func(e);
	invalid_func(e);
	more_func(e);
}

/* ---- Refilling ---- */

static struct at_ir *read_failed(struct at_walk *w)
{
	struct at_irb *b = w->b;

	at_plan_count(b, w->e->h->c_read_calls, NULL);
	at_plan_count(b, w->e->h->c_read_bytes, WL(left));
	return ir_call(b, w->e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH));
}

/* (window): the next piece of the call's memory. */
static void iov_func(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *iov, *left, *err;

	ir_begin(b, e->plan, "http_iov", AT_FN_SUB, 1);
	b->fn->noinline = true;
	w->win = ir_param(b, 0);
	e->f_iov = b->index;
	iov = ir_let(b, WL(iov));
	left = ir_let(b, WL(niov));
	IF(ir_iszero(b, left));
	RETURN(1);
	END;
	err = ir_let(b, ir_helper(b, PROBE_READ_USER, 3,
				  ir_addi(b, w->win, offsetof(struct at_http_win, user)), C(16),
				  iov));
	IF(err);
	RETURN(1);
	END;
	WS(base, ir_load(b, 8, w->win, offsetof(struct at_http_win, user)));
	WS(room, ir_load(b, 8, w->win, offsetof(struct at_http_win, user) + 8));
	WS(iov, ir_addi(b, iov, 16));
	WS(niov, ir_subi(b, left, 1));
	RETURN(0);
}

/* The stream of the responses has ended, or the connection has. */
static struct at_ir *has_ended(struct at_walk *w)
{
	struct at_irb *b = w->b;
	int64_t fin = offsetof(struct at_http_state, fin);
	struct at_ir *ended = ir_select(b, HL(dir), ir_load(b, 4, w->conn, fin + 4),
					ir_load(b, 4, w->conn, fin));

	ended = ir_or(b, ended, KL(closed));
	return ir_and(b, ir_eqi(b, HL(role), AT_ROLE_RESPONSE),
		      ir_and(b, ir_un(b, AT_OP_BOOL, ended), ir_iszero(b, KL(dead))));
}

/*
 * Nothing left: open exchanges end if the stream has, then the half is given
 * back. Who ends a connection while the half is held leaves that to its holder:
 * hence the second look.
 */
static void give_back(struct at_walk *w)
{
	struct at_irb *b = w->b;
	int64_t busy = offsetof(struct at_http_stream, busy);

	IF(KL(broken));
	ir_return(b, ir_call(b, w->e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	IF(has_ended(w));
	IF(ir_iszero(b, at_http_step(w, w->e->f_finish)));
	RETURN(0);
	END;
	END;
	ir_do(b, ir_xchg(b, 4, w->half, busy, C(0)));
	IF(has_ended(w));
	IF(ir_iszero(b, ir_cmpxchg(b, 4, w->half, busy, C(0), C(1))));
	RETURN(0);
	END;
	END;
	at_http_answer_early(w);
	WS(verdict, C(AT_V_OK));
	RETURN(1);
}

/* How many of `left` bytes need not be read. */
static struct at_ir *unread(struct at_walk *w, struct at_ir *left, struct at_ir *state)
{
	struct at_irb *b = w->b;
	unsigned k = ir_local(b);

	ir_set(b, k, C(0));
	IF(ir_eqi(b, state, AT_S_BODY));
	ir_set(b, k, at_http_min(b, left, HL(body_left)));
	ELSE;
	IF(ir_ulti(b, ir_subi(b, state, AT_S_TO_CLOSE), AT_S_NO_INPUT - AT_S_TO_CLOSE));
	ir_set(b, k, left);
	END;
	END;
	return ir_get(b, k);
}

/* (conn, half, win, k): k bytes of content, or of what is ignored, have gone by. */
static void pass_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_pass", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *k = ir_param(b, 3), *state = ir_let(b, HL(state)), *msg, *rest;

	e->f_pass = b->index;
	IF(ir_eqi(b, state, AT_S_HOLD));
	KS(held, C(1));
	END;
	IF(ir_ugti(b, state, AT_S_TO_CLOSE));
	RETURN(0);
	END;
	msg = at_http_msg_addr(w, HL(msg));
	MS(msg, body_bytes, ir_add(b, ML(msg, body_bytes), k));
	IF(ir_eqi(b, state, AT_S_BODY));
	rest = ir_let(b, ir_sub(b, HL(body_left), k));
	HS(body_left, rest);
	IF(ir_iszero(b, rest));
	HS(state, ir_select(b, ir_andi(b, HL(frame), AT_FR_CHUNKED), C(AT_S_CHUNK_END),
			    C(AT_S_MSG_END)));
	END;
	END;
	RETURN(0);
}

/* Passes over the k bytes of the call, as far as they lie in the current piece. */
static void skip(struct at_walk *w, struct at_ir *left, struct at_ir *k)
{
	struct at_irb *b = w->b;
	unsigned n = ir_local(b);

	ir_set(b, n, k);
	IF(ir_iszero(b, WL(nobuf)));
	IF(ir_iszero(b, WL(room)));
	IF(ir_call(b, w->e->f_iov, 1, w->win));
	ir_return(b, read_failed(w));
	END;
	RETURN(0);
	END;
	ir_set(b, n, at_http_min(b, k, WL(room)));
	WS(base, ir_add(b, WL(base), ir_get(b, n)));
	WS(room, ir_sub(b, WL(room), ir_get(b, n)));
	END;
	WS(left, ir_sub(b, left, ir_get(b, n)));
	HS(off, ir_add(b, HL(off), ir_get(b, n)));
	ir_return(b, ir_call(b, w->e->f_pass, 4, w->conn, w->half, w->win, ir_get(b, n)));
}

/* Reads up to AT_HTTP_READ bytes behind what was carried over. */
static void fill(struct at_walk *w, struct at_ir *left)
{
	struct at_irb *b = w->b;
	struct at_ir *n = at_http_min(b, left, WL(room)), *base, *err;

	n = at_http_min(b, n, C(AT_HTTP_READ));
	base = ir_let(b, WL(base));
	ir_copy(b, w->win, 0, w->half, offsetof(struct at_http_stream, carry), AT_HTTP_CARRY);
	err = ir_let(b, ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, AT_HTTP_CARRY), n,
				  base));
	IF(err);
	ir_return(b, read_failed(w));
	END;
	WS(pos, ir_sub(b, C(AT_HTTP_CARRY), ir_andi(b, HL(ncarry), 127)));
	WS(end, ir_addi(b, n, AT_HTTP_CARRY));
	WS(base, ir_add(b, base, n));
	WS(room, ir_sub(b, WL(room), n));
	WS(left, ir_sub(b, left, n));
	HS(off, ir_add(b, HL(off), n));
	HS(ncarry, C(0));
	RETURN(0);
}

static void refill_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_refill", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *left, *state, *k;

	e->f_refill = b->index;
	left = ir_let(b, WL(left));
	IF(ir_iszero(b, left));
	give_back(w);
	END;
	state = ir_let(b, HL(state));
	k = unread(w, left, state);
	IF(k);
	skip(w, left, k);
	END;
	IF(WL(nobuf));
	ir_return(b, read_failed(w));
	END;
	IF(ir_iszero(b, WL(room)));
	IF(ir_call(b, e->f_iov, 1, w->win));
	ir_return(b, read_failed(w));
	END;
	RETURN(0);
	END;
	fill(w, left);
}

void at_http_window_funcs(struct at_http_eng *e)
{
	iov_func(e);
	pass_func(e);
	refill_func(e);
}
