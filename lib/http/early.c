/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Responses that are read before the call that sent their request has returned:
 * one thread writes, another reads, and the peer is quick, or the call is a long
 * one. Its bytes are known when it returns. Until then the response is walked,
 * but shown by nobody; then the half of the requests shows it.
 */
#include "lib/http/layout.h"

static int64_t off_half(int dir)
{
	return offsetof(struct at_http_state, half) +
	       dir * (int64_t)sizeof(struct at_http_stream);
}

struct at_ir *at_http_may_be_early(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *sending = ir_and(b, ir_iszero(b, HL(dir)), ir_nei(b, KL(sending), 0));
	struct at_ir *fin =
		ir_load(b, 4, w->conn, offsetof(struct at_http_state, fin[AT_DIR_OUT]));

	/* A FIN that was sent looks like a send. */
	return ir_and(b, sending, ir_iszero(b, ir_or(b, KL(tentative), fin)));
}

void at_http_begin_early(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_andi(b, KL(resp_seq), AT_HTTP_METHODS - 1);

	HS(early, C(1));
	/* A method that nobody knows yet. */
	ir_store(b, 1, ir_add(b, w->conn, at), offsetof(struct at_http_state, methods), C(0));
}

/* A response is the first that is seen of a connection: the other half has its request. */
void at_http_early_roles(struct at_walk *w)
{
	struct at_irb *b = w->b;

	HS(role, C(AT_ROLE_RESPONSE));
	ir_store(b, 4, w->conn, off_half(AT_DIR_OUT) + offsetof(struct at_http_stream, role),
		 C(AT_ROLE_REQUEST));
	ir_store(b, 4, w->conn, offsetof(struct at_http_conn, side), C(AT_HTTP_CLIENT));
}

/* The message is over with its head: what else was taken for it is the next one's. */
static void end_with_head(struct at_walk *w, struct at_ir *msg, int end)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;

	IF(ML(msg, body_bytes));
	ir_return(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	END;
	MS(msg, end, C(end));
	MS(msg, end_ns, ML(msg, head_ns));
	HS(state, C(AT_S_WAIT));
}

/* What the method of the request means for the response that was read before it. */
static void mind_method(struct at_walk *w, struct at_ir *msg)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_andi(b, KL(resp_seq), AT_HTTP_METHODS - 1), *method, *ok;

	method = ir_let(b, ir_load(b, 1, ir_add(b, w->conn, at),
				   offsetof(struct at_http_state, methods)));
	ok = ir_ulti(b, ir_subi(b, ML(msg, status), 200), 100);
	IF(ir_and(b, ir_un(b, AT_OP_BOOL, ir_andi(b, method, AT_HTTP_M_CONNECT)), ok));
	end_with_head(w, msg, AT_HTTP_UPGRADED);
	END;
	IF(ir_andi(b, method, AT_HTTP_M_HEAD));
	end_with_head(w, msg, AT_HTTP_COMPLETE);
	END;
}

/* (conn, half of responses, win): its request has come; half is held. 1: the walk ends. */
void at_http_answer_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_answer", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *msg = ir_let(b, ir_addi(b, w->conn, e->resp_off)), *slot;

	e->f_answer = b->index;
	HS(early, C(0));
	/* Its head is not complete yet: it goes its usual way. */
	IF(ir_iszero(b, ir_andi(b, ML(msg, flags), AT_HTTP_M_DONE)));
	RETURN(0);
	END;
	ir_do(b, at_http_step(w, e->f_pair));
	IF(HL(pair));
	slot = at_http_msg_addr(w, HL(pair));
	IF(ir_iszero(b, ir_andi(b, ML(slot, flags), AT_HTTP_M_MUTE)));
	ir_do(b, ir_call(b, e->f_fire[AT_HTTP_RESPONSE], AT_HTTP_NPARAMS, slot, msg, w->conn));
	END;
	END;
	mind_method(w, msg);
	IF(ir_eqi(b, HL(state), AT_S_WAIT));
	ir_return(b, at_http_step(w, e->f_exchange));
	END;
	RETURN(0);
}

/* The next response's request is there as a whole, or will never be. */
static struct at_ir *is_due(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *state = ir_load(
		b, 4, w->conn, off_half(AT_DIR_OUT) + offsetof(struct at_http_stream, state));
	struct at_ir *over =
		ir_ulti(b, ir_subi(b, state, AT_S_CHUNK), AT_S_NO_INPUT - AT_S_CHUNK);
	struct at_ir *more = ir_ugti(b, ir_sub(b, KL(req_seq), KL(resp_seq)), 1);
	struct at_ir *any = ir_ult(b, KL(resp_seq), KL(req_seq));

	over = ir_or(b, over, ir_or(b, ir_eqi(b, state, AT_S_START), more));
	return ir_and(b, any, over);
}

/*
 * Both halves end a call with this, when they have been given back: whoever comes
 * last sees that the other is done. Leaves when there was something to show.
 */
void at_http_answer_early(struct at_walk *w)
{
	struct at_irb *b = w->b;
	const int64_t in = off_half(AT_DIR_IN), busy = offsetof(struct at_http_stream, busy);
	struct at_ir *half, *ended;

	IF(ir_eqi(b, AT_LD(at_http_conn, w->conn, side), AT_HTTP_CLIENT));
	IF(ir_load(b, 4, w->conn, in + offsetof(struct at_http_stream, early)));
	IF(is_due(w));
	IF(ir_iszero(b, ir_cmpxchg(b, 4, w->conn, in + busy, C(0), C(1))));
	half = ir_let(b, ir_addi(b, w->conn, in));
	ended = ir_let(b, ir_call(b, w->e->f_answer, 3, w->conn, half, w->win));
	ir_do(b, ir_xchg(b, 4, w->conn, in + busy, C(0)));
	IF(ended);
	RETURN(1);
	END;
	END;
	END;
	END;
	END;
}
