/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all taps do with a call: whether it is of interest, where it stands in
 * its connection, the walk. Everything that can be known without the bytes is
 * asked before user memory is read. How calls are seen is in tap_*.c.
 */
#include "lib/http/sock.h"

#include <sys/socket.h>

enum {
	RECEIVE_END = 1, /* RCV_SHUTDOWN */
	PEEK_OOB_ERRQUEUE = MSG_PEEK | MSG_OOB | MSG_ERRQUEUE,
};

/* Bytes went by that no call showed: content, if that is what was due; else the place is lost.
 */
static void pass_unseen(struct at_walk *w, struct at_ir *gap)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *state = ir_let(b, HL(state)), *content;

	content = ir_and(b, ir_eqi(b, state, AT_S_BODY), ir_ule(b, gap, HL(body_left)));
	content = ir_or(b, content, ir_eqi(b, state, AT_S_TO_CLOSE));
	IF(ir_iszero(b, ir_and(b, content, ir_ulti(b, gap, 1ll << 31))));
	ir_do(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	RETURN(AT_V_SEARCH);
	END;
	HS(off, ir_add(b, HL(off), gap));
	ir_do(b, ir_call(b, e->f_pass, 4, w->conn, w->half, w->win, gap));
}

/*
 * Holds the call's place against the one that was due. One counter says it that
 * only calls move: how much was copied to the reader, or taken from the writer.
 */
static void find_place(struct at_walk *w, struct at_ir *sk, struct at_ir *dir,
		       struct at_ir *ret)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	struct at_ir *tp = ir_let(b, e->tap->tcp(e, sk)), *next, *place, *gap;
	unsigned end = ir_local(b);

	IF(tp);
	IF(dir);
	ir_set(b, end, at_sk_place(e, tp, AT_DIR_OUT));
	ELSE;
	ir_set(b, end, at_sk_place(e, tp, AT_DIR_IN));
	KS(sending, ir_ne(b, at_sk_place(e, tp, AT_DIR_OUT),
			  ir_load(b, 8, w->conn,
				  offsetof(struct at_http_state, half[AT_DIR_OUT].next))));
	END;
	next = ir_let(b, HL(next));
	place = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_sub(b, ir_get(b, end), ret)));
	HS(next, ir_get(b, end));
	IF(ir_and(b, ir_ne(b, place, next), ir_nei(b, next, -1)));
	gap = ir_let(b, ir_call(b, e->f_gap, 4, sk, dir, next, place));
	IF(gap);
	pass_unseen(w, gap);
	END;
	END;
	END;
}

/* (connection, half, window, sock, length | direction << 32): takes the half, finds its place,
 * walks. */
static unsigned half_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, at_tap_name(e, "call"), 5), *w = &walk;
	struct at_irb *b = w->b;
	unsigned func = b->index, now = ir_local(b);
	struct at_ir *ret = ir_let(b, ir_andi(b, ir_param(b, 4), 0x7fffffff)),
		     *sk = ir_param(b, 3);
	struct at_ir *dir = ir_let(b, ir_shri(b, ir_param(b, 4), 32)), *busy;

	busy = ir_cmpxchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0), C(1));
	IF(busy);
	KS(broken, C(1));
	RETURN(AT_V_OK);
	END;
	IF(ir_and(b, ir_nei(b, at_sk_load(e, 2, sk, "sock.__sk_common.skc_family"), AF_UNIX),
		  ir_nei(b, ret, 0)));
	find_place(w, sk, dir, ret);
	END;
	ir_set(b, now, C(0));
	IF(ir_eqi(b, dir, AT_DIR_OUT));
	ir_set(b, now, KL(send_ns));
	KS(send_ns, C(0));
	END;
	IF(ir_iszero(b, ir_get(b, now)));
	ir_set(b, now, ir_helper(b, KTIME_BOOT, 0));
	END;
	WS(now, ir_get(b, now));
	IF(WL(vec)); /* of several messages, one */
	ir_do(b, ir_call(b, e->f_message, 4, w->conn, w->half, w->win, ret));
	END;
	WS(left, ir_sub(b, ret, ir_un(b, AT_OP_BOOL, WL(urgent))));
	WS(nput, C(0));
	WS(put, C(0));
	WS(pos, C(AT_HTTP_CARRY));
	WS(end, C(AT_HTTP_CARRY));
	ir_store(b, 2, w->win, offsetof(struct at_http_win, sep), C(',' | ' ' << 8));
	IF(ir_or(b, dir, ret));
	ELSE;
	ir_store(b, 4, w->conn, offsetof(struct at_http_state, fin), C(1));
	END;
	ir_return(b, at_http_step(w, e->f_walk));
	return func;
}

/* (sock, tentative, verdict): the connection's memory goes, a mark stays. */
static unsigned drop_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "drop", 3);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *tentative = ir_param(b, 1), *mark, *not_http;

	e->tap->forget(e, e->m_conn, sk);
	mark = at_sk_mark(e, sk, CREATE);
	IF(mark);
	not_http = ir_and(b, ir_eqi(b, ir_param(b, 2), AT_V_NOT), ir_iszero(b, tentative));
	AT_ST(at_http_mark, mark, kind,
	      ir_select(b, not_http, C(AT_MARK_NOT), C(AT_MARK_SEARCH)));
	IF(ir_iszero(b, tentative));
	AT_ST(at_http_mark, mark, tries, C(0));
	AT_ST(at_http_mark, mark, last, C(0));
	END;
	END;
	RETURN(0);
	return func;
}

/* Where the bytes of the call are; none: they are nowhere. */
static void find_bytes(struct at_walk *w, struct at_ir *ret, struct at_ir *none)
{
	struct at_irb *b = w->b;

	ir_do(b, ir_call(b, w->e->f_source, 2, w->win, ret));
	if (!w->e->tap->each_message) {
		IF(WL(vec));
		WS(nobuf, C(1));
		WS(vec, C(0));
		END;
	}
	IF(none);
	WS(nobuf, C(1));
	WS(vec, C(0));
	END;
}

/* (sock, length, direction, 1 when there are no bytes to be read) */
static void tap_func(struct at_http_eng *e)
{
	unsigned call = half_func(e), drop = drop_func(e), func = at_tap_begin(e, "tap", 4),
		 conn;
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *ret = ir_param(b, 1), *dir = ir_param(b, 2), *win,
		     *mark;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *half, *tentative, *verdict;

	at_http_inlined(e);
	at_leave_if(b, ir_iszero(b, ir_call(b, e->f_filter, 1, sk)));
	at_pid_filter(b);
	conn = ir_local(b);
	ir_set(b, conn, at_sk_storage(e, e->m_conn, sk, 0));
	w->conn = ir_get(b, conn);
	IF(ir_iszero(b, w->conn));
	at_leave_if(b, ir_iszero(b, ret));
	mark = at_sk_mark(e, sk, 0);
	IF(mark);
	at_leave_if(b, ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_NOT));
	END;
	ELSE;
	at_leave_if(b, KL(dead));
	END;
	win = at_http_window(e, 0);
	at_leave_if(b, ir_iszero(b, win));
	w->win = win;
	find_bytes(w, ret, ir_param(b, 3));
	IF(ir_iszero(b, w->conn));
	ir_set(b, conn, ir_call(b, e->f_admit, 4, sk, ret, dir, win));
	at_leave_if(b, ir_iszero(b, w->conn));
	END;
	tentative = ir_let(b, KL(tentative));
	half = ir_addi(b, ir_muli(b, dir, sizeof(struct at_http_stream)),
		       offsetof(struct at_http_state, half));
	half = ir_let(b, ir_add(b, w->conn, half));
	verdict = ir_let(b, ir_call(b, call, 5, w->conn, half, win, sk,
				    ir_or(b, ret, ir_shli(b, dir, 32))));
	IF(verdict);
	ir_do(b, ir_call(b, drop, 3, sk, tentative, verdict));
	RETURN(0);
	END;
	IF(KL(closing));
	ir_do(b, ir_call(b, e->f_settle, 2, sk, w->conn));
	END;
	RETURN(0);
	e->f_tap = func;
}

/* ---- What several taps write ---- */

struct at_ir *at_tap_received(struct at_http_eng *e, struct at_ir *sk, struct at_ir *ret,
			      struct at_ir *flags)
{
	struct at_irb *b = &e->b;

	at_leave_if(b, ir_andi(b, flags, PEEK_OOB_ERRQUEUE));
	IF(ir_slti(b, ret, 0));
	at_http_failed(e, sk, ret);
	RETURN(0);
	END;
	/* Nothing was asked for, so nothing came: not the end of the stream. */
	IF(ir_iszero(b, ret));
	at_leave_if(b, ir_iszero(b, ir_andi(b, at_sk_load(e, 1, sk, "sock.sk_shutdown"),
					    RECEIVE_END)));
	at_leave_if(b, at_sk_unread(e, sk));
	END;
	return ir_un(b, AT_OP_BOOL, ir_andi(b, flags, MSG_TRUNC));
}

/* (sock): the send that had begun sent nothing. */
static void unsend_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "unsend", 1);
	struct at_irb *b = &e->b;
	struct at_ir *conn = at_sk_storage(e, e->m_conn, ir_param(b, 0), 0), *mark;

	IF(conn);
	AT_ST(at_http_state, conn, send_ns, C(0));
	RETURN(0);
	END;
	mark = at_sk_mark(e, ir_param(b, 0), 0);
	IF(mark);
	AT_ST(at_http_mark, mark, send_ns, C(0));
	END;
	RETURN(0);
	e->f_unsend = func;
}

void at_tap_unsend(struct at_http_eng *e, struct at_ir *sk)
{
	if (e->h->want_send_time)
		ir_do(&e->b, ir_call(&e->b, e->f_unsend, 1, sk));
}

/* Stores the time in memory at addr + off unless one is there: the first of a send counts. */
static void store_time(struct at_irb *b, struct at_ir *addr, int64_t off)
{
	IF(ir_iszero(b, ir_load(b, 8, addr, off)));
	ir_store(b, 8, addr, off, ir_helper(b, KTIME_BOOT, 0));
	END;
	RETURN(0);
}

/* The start of a send; called once for each buffer of it. */
void at_http_send_time_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	const int64_t off = offsetof(struct at_http_mark, send_ns);
	struct at_ir *sk, *conn, *mark;

	if (!e->h->want_send_time)
		return;
	sk = at_tap_prog_begin(e, "send_time");
	at_leave_if(b, ir_iszero(b, ir_call(b, e->f_filter, 1, sk)));
	at_pid_filter(b);
	conn = at_sk_storage(e, e->m_conn, sk, 0);
	IF(conn);
	store_time(b, conn, offsetof(struct at_http_state, send_ns));
	END;
	mark = at_sk_mark(e, sk, CREATE);
	at_leave_if(b, ir_iszero(b, mark));
	at_leave_if(b, ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_NOT));
	store_time(b, mark, off);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "tcp_sendmsg_locked", true);
}

/* AF_UNIX has no position: sockets that exist when we attach are in the middle. */
void at_http_unix_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk;

	if (at_http_all_name_ports(e->h))
		return;
	at_tap_prog_begin(e, "unix");
	sk = ir_let(b, ir_load(b, 8, ir_param(b, 0), 8));
	at_leave_if(b, ir_iszero(b, sk));
	at_leave_if(b, ir_nei(b, at_sk_mark(e, sk, 0), 0));
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_SEARCH));
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_ITER, "unix", true);
}

/* ---- The taps ---- */

static const struct at_http_tap *const taps[] = { &at_http_socktp, &at_http_syscall };
const char *const at_http_taps[] = { "auto", "socktp", "syscall", NULL };

static void write_tap(struct at_http_eng *e)
{
	e->tap->maps(e);
	if (e->tap->funcs)
		e->tap->funcs(e);
	at_http_sock_funcs(e);
	at_http_admit_func(e);
	at_http_settle_func(e);
	at_http_hangup_func(e);
	if (e->h->want_send_time)
		unsend_func(e);
	tap_func(e);
	e->tap->progs(e);
	at_http_send_time_prog(e);
	at_http_unix_prog(e);
	at_http_close_progs(e);
}

/* Each tap has programs of its own, from the functions that look at sockets on. */
void at_http_tap_progs(struct at_http_eng *e)
{
	for (size_t i = 0; i < at_count(taps); i++) {
		e->tap = taps[i];
		if (!e->h->tap || e->h->tap == i + 1)
			write_tap(e);
	}
}
