/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections end here: changes of a TCP socket's state end the exchanges that
 * are open. Where bytes came that nobody has read yet, their messages may still
 * be, so the end is that of the socket. May run in softirq, and inside the other
 * programs.
 */
#include "lib/http/sock.h"

#include <errno.h>
#include <sys/socket.h>

enum { SHUTDOWN_MASK = 3 };                                            /* include/net/sock.h */
enum { ESTABLISHED = 1, FIN_WAIT1 = 4, CLOSE_WAIT = 8, LAST_ACK = 9 }; /* TCP_* */

static unsigned close_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_close_trip"), *w = &walk;
	struct at_irb *b = w->b;

	IF(at_http_step(w, e->f_finish));
	RETURN(1);
	END;
	ir_return(b, at_http_step(w, e->f_exchange));
	return b->index;
}

/* (connection): ends what is open, if the stream of responses has ended. Has a window of its
 * own.
 */
void at_http_end_func(struct at_http_eng *e)
{
	unsigned trip = close_trip(e), func = at_http_begin(e, "http_end", 1);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .conn = ir_param(b, 0) }, *w = &walk;
	const int64_t half = offsetof(struct at_http_state, half),
		      fin = offsetof(struct at_http_state, fin);
	struct at_ir *role[2], *out, *ended;

	at_http_inlined(e);
	for (unsigned d = 0; d < 2; d++)
		role[d] = ir_eqi(b,
				 ir_load(b, 4, w->conn,
					 half + d * sizeof(struct at_http_stream) +
						 offsetof(struct at_http_stream, role)),
				 AT_ROLE_RESPONSE);
	out = ir_let(b, role[1]);
	at_leave_if(b, ir_iszero(b, ir_or(b, out, role[0])));
	ended = ir_select(b, out, ir_load(b, 4, w->conn, fin + 4), ir_load(b, 4, w->conn, fin));
	at_leave_if(b, ir_iszero(b, ir_or(b, ended, KL(closed))));
	at_leave_if(b, KL(dead));
	w->win = at_http_window(e, 1);
	at_leave_if(b, ir_iszero(b, w->win));
	w->half = ir_addi(b, ir_muli(b, out, sizeof(struct at_http_stream)), half);
	w->half = ir_let(b, ir_add(b, w->conn, w->half));
	/* Whoever walks it now looks again when done. */
	at_leave_if(b, ir_cmpxchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0),
				  C(1)));
	WS(now, ir_helper(b, KTIME_BOOT, 0));
	ir_repeat(b, C(AT_HTTP_METHODS + 1), trip, at_http_context(w));
	ir_do(b, ir_xchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0)));
	RETURN(0);
	e->f_end = func;
}

/* ---- What looks at sockets, once for each tap ---- */

/* Bytes were given to the stream that no call showed yet: its end, or the call that sends them.
 */
static struct at_ir *is_sending(struct at_walk *w, struct at_ir *sk)
{
	struct at_irb *b = w->b;
	struct at_ir *tp = ir_let(b, w->e->tap->tcp(w->e, sk)), *next;
	unsigned sending = ir_local(b);

	ir_set(b, sending, C(0));
	IF(tp);
	next = ir_let(b, ir_load(b, 8, w->conn,
				 offsetof(struct at_http_state, half[AT_DIR_OUT].next)));
	ir_set(b, sending,
	       ir_and(b, ir_nei(b, next, -1),
		      ir_ne(b, at_sk_place(w->e, tp, AT_DIR_OUT), next)));
	END;
	return ir_get(b, sending);
}

/*
 * (sock, connection): the connection is over. What is open ends, unless something
 * is to come: bytes that were not read, or the call that is under way.
 */
void at_http_settle_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "settle", 2);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .conn = ir_param(b, 1) }, *w = &walk;

	at_http_inlined(e);
	at_leave_if(b, at_sk_unread(e, ir_param(b, 0)));
	at_leave_if(b, at_sk_load(e, 4, ir_param(b, 0), "sock.sk_lock.owned"));
	at_leave_if(b, is_sending(w, ir_param(b, 0)));
	KS(closed, KL(closing));
	ir_do(b, ir_call(b, e->f_end, 1, w->conn));
	RETURN(0);
	e->f_settle = func;
}

/* (sock): its connection is over, as a call says where no change of state does. */
void at_http_hangup_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "hangup", 1);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;

	w->conn = at_sk_storage(e, e->m_conn, ir_param(b, 0), 0);
	at_leave_if(b, ir_iszero(b, w->conn));
	IF(ir_iszero(b, KL(closing)));
	KS(closing, C(1));
	KS(closed_ns, ir_helper(b, KTIME_BOOT, 0));
	END;
	ir_do(b, ir_call(b, e->f_settle, 2, ir_param(b, 0), w->conn));
	RETURN(0);
	e->f_hangup = func;
}

/* Where what is kept of a socket does not go with it. */
static void forget_if_kept(struct at_http_eng *e, struct at_ir *sk)
{
	if (!e->tap->by_address)
		return;
	e->tap->forget(e, e->m_conn, sk);
	e->tap->forget(e, e->m_mark, sk);
}

/*
 * A read of a unix socket that has none of the two directions left: the
 * connection is over for this end, and for the other, which may have been closed
 * with a request open. No change of state says so.
 */
void at_http_unix_end(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *family = at_sk_load(e, 2, sk, "sock.__sk_common.skc_family"), *shut,
		     *peer;

	shut = ir_andi(b, at_sk_load(e, 1, sk, "sock.sk_shutdown"), SHUTDOWN_MASK);
	IF(ir_and(b, ir_eqi(b, family, AF_UNIX), ir_eqi(b, shut, SHUTDOWN_MASK)));
	ir_do(b, ir_call(b, e->f_hangup, 1, sk));
	peer = ir_let(b, e->tap->peer(e, sk));
	IF(peer);
	ir_do(b, ir_call(b, e->f_hangup, 1, peer));
	forget_if_kept(e, peer);
	END;
	forget_if_kept(e, sk);
	END;
}

void at_http_failed(struct at_http_eng *e, struct at_ir *sk, struct at_ir *ret)
{
	struct at_irb *b = &e->b;
	struct at_ir *conn;

	IF(at_http_in_messages(b));
	conn = at_sk_storage(e, e->m_conn, sk, 0);
	IF(conn);
	at_http_messages_end(e, conn);
	END;
	END;
	IF(ir_or(b, ir_eqi(b, ret, -EPIPE), ir_eqi(b, ret, -ECONNRESET)));
	ir_do(b, ir_call(b, e->f_hangup, 1, sk));
	END;
}

/* RST, sent or received: the error says so, or a close out of a state that a FIN would have
 * left. */
static struct at_ir *is_reset(struct at_http_eng *e, struct at_ir *sk, struct at_ir *old)
{
	struct at_irb *b = &e->b;
	struct at_ir *err = ir_let(b, at_sk_load(e, 4, sk, "sock.sk_err"));
	struct at_ir *open = ir_or(b, ir_eqi(b, old, ESTABLISHED), ir_eqi(b, old, CLOSE_WAIT));

	return ir_or(b, at_is_reset(b, err), ir_and(b, open, ir_iszero(b, err)));
}

static void state_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *sk = at_tap_prog_begin(e, "close"), *old, *new;
	const int64_t fin = offsetof(struct at_http_state, fin);

	old = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	new = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_load(b, 8, ir_param(b, 0), 16)));
	at_leave_if(b, ir_and(b, ir_nei(b, new, AT_TCP_CLOSE),
			      ir_and(b, ir_nei(b, new, FIN_WAIT1), ir_nei(b, new, LAST_ACK))));
	w->conn = at_sk_storage(e, e->m_conn, sk, 0);
	at_leave_if(b, ir_iszero(b, w->conn));
	IF(ir_eqi(b, new, AT_TCP_CLOSE));
	KS(closing, ir_addi(b, is_reset(e, sk, old), 1));
	KS(closed_ns, ir_helper(b, KTIME_BOOT, 0));
	ir_do(b, ir_call(b, e->f_settle, 2, sk, w->conn));
	RETURN(0);
	END;
	ir_store(b, 4, w->conn, fin + 4, C(1));
	/* All that came was read, or the state would be another. */
	IF(ir_eqi(b, new, LAST_ACK));
	ir_store(b, 4, w->conn, fin, C(1));
	END;
	ir_do(b, ir_call(b, e->f_end, 1, w->conn));
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "inet_sock_set_state", false);
}

/* The socket goes, and with it what nobody has read. */
static void destroy_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *sk = at_tap_prog_begin(e, "destroy"), *closing;

	w->conn = at_sk_storage(e, e->m_conn, sk, 0);
	IF(w->conn);
	closing = ir_let(b, KL(closing));
	IF(ir_iszero(b, closing));
	KS(closed_ns, ir_helper(b, KTIME_BOOT, 0));
	END;
	KS(closed, ir_select(b, closing, closing, C(1)));
	ir_do(b, ir_call(b, e->f_end, 1, w->conn));
	END;
	forget_if_kept(e, sk);
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "tcp_destroy_sock", false);
}

void at_http_close_progs(struct at_http_eng *e)
{
	state_prog(e);
	destroy_prog(e);
}
