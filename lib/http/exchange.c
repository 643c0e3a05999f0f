/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that are complete, and what that means: framing of what follows,
 * the request of a response, and the calls of the script's clauses.
 *
 * Responses answer requests in order, so the n-th final response belongs to the
 * n-th request: pairing is by number, and a response without a kept request is
 * counted and shifts nothing.
 */
#include "lib/http/layout.h"

enum { GET_PID_TGID = 14, GET_UID_GID = 15, GET_COMM = 16, GET_CGROUP = 80 };

/* ---- Calling clauses ---- */

static bool shows_client(const struct at_http *h)
{
	for (size_t i = 0; i < h->uses.n; i++)
		if (h->uses.v[i].side != AT_HTTP_SERVER)
			return true;
	return false;
}

static void call_use(struct at_irb *b, const struct at_http_use *u, struct at_ir *side,
		     struct at_ir *port)
{
	struct at_ir *cond = C(1);

	if (u->side != AT_HTTP_ANY)
		cond = ir_eqi(b, side, u->side);
	if (u->port)
		cond = ir_and(b, cond, ir_eqi(b, port, u->port));
	IF(cond);
	ir_do(b, ir_call(b, u->func, AT_HTTP_NPARAMS, ir_param(b, 0), ir_param(b, 1),
			 ir_param(b, 2)));
	END;
}

/* (slot, response, connection): every clause of the event whose side and port it is. */
static void fire_func(struct at_http_eng *e, enum at_http_event event, const char *name)
{
	struct at_irb *b = &e->b;
	struct at_ir *conn, *side, *port;

	ir_begin(b, e->plan, name, AT_FN_SUB, AT_HTTP_NPARAMS);
	b->fn->inlined = true;
	e->f_fire[event] = b->index;
	conn = ir_param(b, AT_HTTP_P_CONN);
	side = ir_let(b, AT_LD(at_http_conn, conn, side));
	port = ir_select(b, ir_eqi(b, side, AT_HTTP_SERVER), AT_LD(at_http_conn, conn, sport),
			 AT_LD(at_http_conn, conn, dport));
	port = ir_let(b, port);
	if (event != AT_HTTP_EXCHANGE) {
		at_plan_count(b, e->h->c_seen, NULL);
		if (!shows_client(e->h)) {
			IF(ir_eqi(b, side, AT_HTTP_CLIENT));
			at_plan_count(b, e->h->c_client_unshown, NULL);
			END;
		}
	}
	for (size_t i = 0; i < e->h->uses.n; i++)
		if (e->h->uses.v[i].event == event)
			call_use(b, &e->h->uses.v[i], side, port);
	RETURN(0);
}

static void fire(struct at_walk *w, enum at_http_event event, struct at_ir *slot)
{
	struct at_irb *b = w->b;

	ir_do(b, ir_call(b, w->e->f_fire[event], AT_HTTP_NPARAMS, slot,
			 ir_addi(b, w->conn, w->e->resp_off), w->conn));
}

/* ---- A head is complete ---- */

static void keep_process(struct at_walk *w, struct at_ir *msg)
{
	struct at_irb *b = w->b;

	if (!w->e->h->want_process)
		return;
	MS(msg, pid_tgid, ir_helper(b, GET_PID_TGID, 0));
	MS(msg, uid_gid, ir_helper(b, GET_UID_GID, 0));
	MS(msg, cgroup, ir_helper(b, GET_CGROUP, 0));
	ir_do(b, ir_helper(b, GET_COMM, 2, ir_addi(b, msg, offsetof(struct at_http_msg, comm)),
			   C(16)));
}

static void head_end(struct at_walk *w, struct at_ir *msg, struct at_ir *frame,
		     enum at_http_half half)
{
	struct at_irb *b = w->b;
	struct at_ir *known =
		ir_eqi(b, ir_andi(b, frame, AT_FR_LENGTH | AT_FR_BAD_LENGTH), AT_FR_LENGTH);

	MS(msg, header_bytes, ir_sub(b, at_http_off(w, WL(pos)), HL(start)));
	MS(msg, head_ns, WL(now));
	MS(msg, content_length, ir_select(b, known, HL(length), C(-1)));
	at_http_end_texts(w, msg, half);
	keep_process(w, msg);
	MS(msg, flags, ir_ori(b, ML(msg, flags), AT_HTTP_M_DONE));
}

/* Framing that contradicts itself; coded: also a last coding that is not chunked. */
static struct at_ir *contradicts(struct at_irb *b, struct at_ir *frame, bool coded)
{
	const int both = AT_FR_LENGTH | AT_FR_CODED, plain = AT_FR_CODED | AT_FR_CHUNKED;
	struct at_ir *bad = ir_andi(b, frame, AT_FR_BAD_LENGTH);

	bad = ir_or(b, bad, ir_eqi(b, ir_andi(b, frame, both), both));
	if (coded)
		bad = ir_or(b, bad, ir_eqi(b, ir_andi(b, frame, plain), AT_FR_CODED));
	return bad;
}

/* The body that the frame announces: chunks, a length, or `without`. */
static void body_begin(struct at_walk *w, struct at_ir *frame, int without)
{
	struct at_irb *b = w->b;

	IF(ir_andi(b, frame, AT_FR_CHUNKED));
	HS(body_left, C(0));
	HS(digits, C(0));
	HS(state, C(AT_S_CHUNK));
	RETURN(0);
	END;
	IF(ir_andi(b, frame, AT_FR_LENGTH));
	HS(body_left, HL(length));
	HS(state, ir_select(b, HL(length), C(AT_S_BODY), C(AT_S_MSG_END)));
	RETURN(0);
	END;
	HS(state, C(without));
	RETURN(0);
}

static unsigned request_head_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_request_head", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *msg = at_http_msg_addr(w, HL(msg)), *frame = ir_let(b, HL(frame)), *flags;

	head_end(w, msg, frame, AT_HTTP_OF_REQUEST);
	flags = ir_let(b, ML(msg, flags));
	IF(ir_iszero(b, ir_andi(b, flags, AT_HTTP_M_MUTE)));
	fire(w, AT_HTTP_REQUEST, msg);
	END;
	IF(ir_andi(b, flags, AT_HTTP_M_CONNECT));
	HS(state, C(AT_S_MSG_END));
	RETURN(0);
	END;
	IF(contradicts(b, frame, true));
	ir_return(b, at_http_step(w, e->f_invalid));
	END;
	body_begin(w, frame, AT_S_MSG_END);
	return b->index;
}

/* Method flags of the request that the next response answers. */
static struct at_ir *method_of_next(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_andi(b, KL(resp_seq), AT_HTTP_METHODS - 1);

	return ir_let(b, ir_load(b, 1, ir_add(b, w->conn, at),
				 offsetof(struct at_http_state, methods)));
}

static void response_body(struct at_walk *w, struct at_ir *msg, struct at_ir *frame)
{
	struct at_irb *b = w->b;
	struct at_ir *method = method_of_next(w), *status = ir_let(b, ML(msg, status)), *none,
		     *up;

	up = ir_and(b, ir_un(b, AT_OP_BOOL, ir_andi(b, method, AT_HTTP_M_CONNECT)),
		    ir_ulti(b, ir_subi(b, status, 200), 100));
	IF(ir_or(b, up, ir_eqi(b, status, 101)));
	MS(msg, end, C(AT_HTTP_UPGRADED));
	MS(msg, end_ns, WL(now));
	HS(state, C(AT_S_EXCHANGE));
	RETURN(0);
	END;
	none = ir_or(b, ir_eqi(b, status, 204), ir_eqi(b, status, 304));
	IF(ir_or(b, none, ir_andi(b, method, AT_HTTP_M_HEAD)));
	HS(state, C(AT_S_MSG_END));
	RETURN(0);
	END;
	IF(contradicts(b, frame, false));
	ir_return(b, ir_call(b, w->e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	body_begin(w, frame, AT_S_TO_CLOSE);
}

/* The request of the response whose head is complete, unless its own head may still come. */
static void pair_head(struct at_walk *w)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *index, *slot;

	ir_do(b, at_http_step(w, e->f_pair));
	IF(ir_eqi(b, HL(pair), e->blank_off));
	index = ir_andi(b, KL(resp_seq), e->h->depth - 1);
	slot = at_http_msg_addr(w,
				ir_addi(b, ir_muli(b, index, e->h->slot_size), e->slots_off));
	IF(ir_iszero(b, ir_andi(b, ML(slot, flags), AT_HTTP_M_INVALID)));
	IF(at_http_may_be_early(w));
	HS(pair, C(0));
	HS(early, C(1));
	END;
	END;
	END;
}

static unsigned response_head_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_response_head", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *msg = at_http_msg_addr(w, HL(msg)), *frame = ir_let(b, HL(frame)), *slot;

	IF(HL(interim));
	HS(early, C(0));
	HS(begun, C(0));
	HS(state, C(AT_S_START));
	RETURN(0);
	END;
	head_end(w, msg, frame, AT_HTTP_OF_RESPONSE);
	IF(ir_iszero(b, HL(early)));
	pair_head(w);
	END;
	IF(HL(pair));
	slot = at_http_msg_addr(w, HL(pair));
	IF(ir_iszero(b, ir_andi(b, ML(slot, flags), AT_HTTP_M_MUTE)));
	fire(w, AT_HTTP_RESPONSE, slot);
	END;
	END;
	response_body(w, msg, frame);
	return b->index;
}

static void head_func(struct at_http_eng *e, unsigned request, unsigned response)
{
	struct at_walk walk = at_http_func(e, "http_head_end", 3), *w = &walk;
	struct at_irb *b = w->b;

	e->f_step[AT_S_HEAD_END] = b->index;
	IF(ir_eqi(b, HL(role), AT_ROLE_REQUEST));
	ir_return(b, at_http_step(w, request));
	END;
	ir_return(b, at_http_step(w, response));
}

/* ---- A message has ended ---- */

/* No message follows on this half. */
static struct at_ir *is_last(struct at_walk *w, struct at_ir *msg)
{
	struct at_irb *b = w->b;
	struct at_ir *old = ir_and(b, ir_iszero(b, ML(msg, minor)),
				   ir_iszero(b, ir_andi(b, HL(frame), AT_FR_KEEP)));

	return ir_or(b, old, ir_un(b, AT_OP_BOOL, ir_andi(b, HL(frame), AT_FR_CLOSE)));
}

static void msg_end_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_msg_end", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *msg = at_http_msg_addr(w, HL(msg)), *asks;

	e->f_step[AT_S_MSG_END] = b->index;
	IF(ir_eqi(b, HL(role), AT_ROLE_RESPONSE));
	MS(msg, end, C(AT_HTTP_COMPLETE));
	MS(msg, end_ns, WL(now));
	HS(state, C(AT_S_EXCHANGE));
	RETURN(0);
	END;
	at_http_keep(w);
	asks = ir_or(b, ir_andi(b, HL(frame), AT_FR_UPGRADE),
		     ir_andi(b, ML(msg, flags), AT_HTTP_M_CONNECT));
	HS(state, ir_select(b, asks, C(AT_S_HOLD),
			    ir_select(b, is_last(w, msg), C(AT_S_OVER), C(AT_S_START))));
	RETURN(0);
}

/* ---- Pairing ---- */

/* The blank slot in the place of one that is not complete: only what is certain. */
static void use_blank(struct at_walk *w, struct at_ir *slot)
{
	struct at_irb *b = w->b;
	struct at_ir *blank = ir_let(b, ir_addi(b, w->conn, w->e->blank_off));
	struct at_ir *mute = ir_andi(b, ML(slot, flags), AT_HTTP_M_MUTE);

	ir_zero(b, blank, 0, sizeof(struct at_http_msg));
	MS(blank, content_length, C(-1));
	MS(blank, minor, C(0xffffffff));
	MS(blank, first_ns, ML(slot, first_ns));
	MS(blank, flags, ir_ori(b, mute, AT_HTTP_M_INVALID));
	HS(pair, C(w->e->blank_off));
}

/* 1 + sequence number of the request in a slot. */
static struct at_ir *kept_seq(struct at_walk *w, struct at_ir *index)
{
	struct at_irb *b = w->b;

	return ir_load(b, 8, ir_add(b, w->conn, ir_shli(b, index, 3)),
		       offsetof(struct at_http_state, slot_seq));
}

/* half.pair: offset of the slot that the next response answers; 0 when it is not kept. */
static void pair_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_pair", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *seq, *index, *slot;

	e->f_pair = b->index;
	seq = ir_let(b, KL(resp_seq));
	index = ir_let(b, ir_andi(b, seq, e->h->depth - 1));
	HS(pair, C(0));
	IF(ir_ne(b, kept_seq(w, index), ir_addi(b, seq, 1)));
	at_http_fetch(w);
	END;
	IF(ir_ne(b, kept_seq(w, index), ir_addi(b, seq, 1)));
	IF(ir_iszero(b, KL(tentative)));
	at_plan_count(b, e->h->c_unmatched, NULL);
	END;
	RETURN(0);
	END;
	HS(pair, ir_addi(b, ir_muli(b, index, e->h->slot_size), e->slots_off));
	slot = at_http_msg_addr(w, HL(pair));
	IF(ir_iszero(b, ir_andi(b, ML(slot, flags), AT_HTTP_M_DONE)));
	use_blank(w, slot);
	END;
	RETURN(0);
}

/* The request half waits behind an asked upgrade that did not come; 1 if bytes are lost by it.
 */
static void release_hold(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *other = ir_muli(b, ir_andi(b, ir_xori(b, HL(dir), 1), 1),
				      sizeof(struct at_http_stream));
	const int64_t state =
		offsetof(struct at_http_state, half) + offsetof(struct at_http_stream, state);

	IF(KL(held));
	ir_return(b, ir_call(b, w->e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	other = ir_let(b, ir_add(b, w->conn, other));
	IF(ir_eqi(b, ir_load(b, 4, other, state), AT_S_HOLD));
	ir_store(b, 4, other, state, C(AT_S_START));
	END;
}

/* What comes behind the exchange. */
static void exchange_next(struct at_walk *w, struct at_ir *msg)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *end = ir_let(b, ML(msg, end)), *open;

	KS(resp_seq, ir_addi(b, KL(resp_seq), 1));
	HS(begun, C(0));
	HS(pair, C(0));
	IF(ir_eqi(b, end, AT_HTTP_UPGRADED));
	KS(dead, C(1));
	HS(state, C(AT_S_OVER));
	RETURN(0);
	END;
	open = ir_let(b, ir_ult(b, KL(resp_seq), KL(req_seq)));
	IF(ir_and(b, ir_nei(b, KL(poison), 0), ir_iszero(b, open)));
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	IF(ir_and(b, ir_nei(b, KL(tentative), 0), ir_eqi(b, end, AT_HTTP_COMPLETE)));
	KS(tentative, C(0));
	at_plan_count(b, e->h->c_joined_late, NULL);
	END;
	IF(is_last(w, msg));
	HS(state, C(AT_S_OVER));
	IF(ir_iszero(b, open));
	KS(dead, C(1));
	END;
	RETURN(0);
	END;
	release_hold(w);
	HS(state, C(AT_S_START));
	RETURN(0);
}

static void exchange_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_exchange", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *msg = ir_let(b, ir_addi(b, w->conn, e->resp_off)), *slot;

	e->f_step[AT_S_EXCHANGE] = e->f_exchange = b->index;
	IF(HL(early));
	HS(state, C(AT_S_WAIT));
	RETURN(0);
	END;
	IF(HL(pair));
	slot = at_http_msg_addr(w, HL(pair));
	IF(ir_iszero(b, ir_andi(b, ML(slot, flags), AT_HTTP_M_MUTE)));
	fire(w, AT_HTTP_EXCHANGE, slot);
	END;
	END;
	exchange_next(w, msg);
}

/* ---- The connection has ended ---- */

/* No response came, or not a whole head of one: the response area says so. */
static void no_response(struct at_walk *w, struct at_ir *msg)
{
	struct at_irb *b = w->b;

	ir_zero(b, msg, 0, sizeof(struct at_http_msg));
	MS(msg, content_length, C(-1));
	MS(msg, minor, C(0xffffffff));
	at_http_reset_texts(w, msg, AT_HTTP_OF_RESPONSE);
	HS(frame, C(0));
	ir_do(b, at_http_step(w, w->e->f_pair));
}

/*
 * The next open exchange ends with the stream of responses: 0, and the state is
 * AT_S_EXCHANGE; 1 when none is open. A body up to the close is complete when a
 * FIN ended it.
 */
static void finish_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_finish", 3), *w = &walk;
	struct at_irb *b = w->b;
	const int64_t fin = offsetof(struct at_http_state, fin);
	struct at_ir *msg, *state, *end, *by_fin, *headed;

	e->f_finish = b->index;
	IF(ir_uge(b, KL(resp_seq), KL(req_seq)));
	IF(HL(early));
	IF(ir_iszero(b, KL(closed)));
	RETURN(1);
	END;
	at_plan_count(b, e->h->c_unmatched, NULL);
	END;
	KS(dead, C(1));
	HS(state, C(AT_S_OVER));
	RETURN(1);
	END;
	msg = ir_let(b, ir_addi(b, w->conn, e->resp_off));
	state = ir_let(b, HL(state));
	by_fin = ir_select(b, HL(dir), ir_load(b, 4, w->conn, fin + 4),
			   ir_load(b, 4, w->conn, fin));
	by_fin = ir_and(b, ir_eqi(b, state, AT_S_TO_CLOSE), by_fin);
	end = ir_select(b, ir_eqi(b, KL(closed), 2), C(AT_HTTP_RESET), C(AT_HTTP_CLOSED));
	end = ir_let(b, ir_select(b, by_fin, C(AT_HTTP_COMPLETE), end));
	headed = ir_or(b, ir_ulti(b, ir_subi(b, state, AT_S_CHUNK), AT_S_OVER - AT_S_CHUNK),
		       HL(trailer));
	IF(ir_iszero(b, ir_and(b, HL(begun), headed)));
	no_response(w, msg);
	END;
	MS(msg, end, end);
	MS(msg, end_ns, ir_select(b, KL(closed), KL(closed_ns), WL(now)));
	HS(state, C(AT_S_EXCHANGE));
	RETURN(0);
}

/* Before the window's functions, which end exchanges. */
void at_http_finish_funcs(struct at_http_eng *e)
{
	pair_func(e);
	finish_func(e);
}

void at_http_exchange_funcs(struct at_http_eng *e)
{
	unsigned request, response;

	fire_func(e, AT_HTTP_REQUEST, "http_fire_request");
	fire_func(e, AT_HTTP_RESPONSE, "http_fire_response");
	fire_func(e, AT_HTTP_EXCHANGE, "http_fire_exchange");
	request = request_head_func(e);
	response = response_head_func(e);
	head_func(e, request, response);
	msg_end_func(e);
	exchange_func(e);
	at_http_answer_func(e);
}
