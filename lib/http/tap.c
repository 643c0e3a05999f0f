/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap `socktp`: how a socket's bytes are seen. tp_btf sock_recv_length and
 * sock_send_length give socket and length; the bytes are where the registers of
 * the system call say. Everything that can be known without them is asked
 * before user memory is read.
 */
#include "lib/http/sock.h"

#include <sys/socket.h>

enum {                                      /* of the kernel's headers */
       PF_NO_REGISTERS = 0x00200000 | 0x10, /* PF_KTHREAD, PF_IO_WORKER */
       TS_COMPAT = 2,
       RECEIVE_END = 1, /* RCV_SHUTDOWN */
       PEEK_OOB_ERRQUEUE = MSG_PEEK | MSG_OOB | MSG_ERRQUEUE,
};

/* System calls of x86-64 whose second argument is the buffer, iovecs, or a msghdr. */
static const int buffer_calls[] = { 0, 1, 44, 45 };     /* read write sendto recvfrom */
static const int vector_calls[] = { 19, 20, 327, 328 }; /* readv writev preadv2 pwritev2 */
static const int message_calls[] = { 46, 47 };          /* sendmsg recvmsg */
enum { SENDTO = 44, SENDMSG = 46 };

static struct at_ir *any_of(struct at_irb *b, struct at_ir *v, const int *of, size_t n)
{
	struct at_ir *any = ir_eqi(b, v, of[0]);

	for (size_t i = 1; i < n; i++)
		any = ir_or(b, any, ir_eqi(b, v, of[i]));
	return any;
}

/* ---- Where the bytes are ---- */

/* The last byte of a send with MSG_OOB is urgent data, and none of the stream. */
static void note_urgent(struct at_walk *w, struct at_ir *regs, struct at_ir *nr)
{
	struct at_irb *b = w->b;

	IF(ir_eqi(b, nr, SENDTO));
	WS(urgent, ir_andi(b, at_sk_load(b, 8, regs, "pt_regs.r10"), MSG_OOB));
	END;
	IF(ir_eqi(b, nr, SENDMSG));
	WS(urgent, ir_andi(b, at_sk_load(b, 8, regs, "pt_regs.dx"), MSG_OOB));
	END;
}

/* (window, length): the pieces of user memory of the current system call. */
static unsigned source_func(struct at_http_eng *e)
{
	unsigned func = at_http_begin(e, "http_source", 2);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .win = ir_param(b, 0) }, *w = &walk;
	struct at_ir *task, *regs, *nr, *buf, *err;
	const int64_t user = offsetof(struct at_http_win, user);

	WS(nobuf, C(1));
	WS(niov, C(0));
	WS(room, C(0));
	WS(urgent, C(0));
	task = ir_let(b, ir_helper(b, CURRENT_TASK, 0));
	at_leave_if(b,
		    ir_andi(b, at_sk_load(b, 4, task, "task_struct.flags"), PF_NO_REGISTERS));
	at_leave_if(b, ir_andi(b, at_sk_load(b, 4, task, "task_struct.thread_info.status"),
			       TS_COMPAT));
	regs = ir_let(b, ir_helper(b, TASK_REGS, 1, task));
	nr = ir_let(b, at_sk_load(b, 8, regs, "pt_regs.orig_ax"));
	buf = ir_let(b, at_sk_load(b, 8, regs, "pt_regs.si"));
	note_urgent(w, regs, nr);
	IF(any_of(b, nr, buffer_calls, at_count(buffer_calls)));
	WS(base, buf);
	WS(room, ir_param(b, 1));
	WS(nobuf, C(0));
	RETURN(0);
	END;
	IF(any_of(b, nr, vector_calls, at_count(vector_calls)));
	WS(iov, buf);
	WS(niov, at_sk_load(b, 8, regs, "pt_regs.dx"));
	WS(nobuf, C(0));
	RETURN(0);
	END;
	IF(any_of(b, nr, message_calls, at_count(message_calls)));
	err = ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, user), C(16),
			ir_addi(b, buf, offsetof(struct msghdr, msg_iov)));
	IF(ir_iszero(b, err));
	WS(iov, ir_load(b, 8, w->win, user));
	WS(niov, ir_load(b, 8, w->win, user + 8));
	WS(nobuf, C(0));
	END;
	END;
	RETURN(0);
	return func;
}

/* ---- A call ---- */

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
	struct at_ir *tp = ir_let(b, ir_helper(b, SKC_TO_TCP, 1, sk)), *next, *place, *gap;
	unsigned end = ir_local(b);

	IF(tp);
	IF(dir);
	ir_set(b, end, at_sk_load(b, 4, tp, "tcp_sock.write_seq"));
	ELSE;
	ir_set(b, end, at_sk_load(b, 4, tp, "tcp_sock.copied_seq"));
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
	struct at_walk walk = at_http_inline(e, "http_call", 5), *w = &walk;
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
	IF(ir_and(b, ir_nei(b, at_sk_load(b, 2, sk, "sock.__sk_common.skc_family"), AF_UNIX),
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
	unsigned func = at_http_begin(e, "http_drop", 3);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *tentative = ir_param(b, 1), *mark, *not_http;

	ir_do(b, ir_helper(b, STORAGE_DELETE, 2, ir_map(b, e->m_conn), sk));
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

struct tap {
	unsigned source, call, drop;
};

/* (sock, length, direction, 1 when there are no bytes to be read) */
static unsigned tap_func(struct at_http_eng *e, const struct tap *t)
{
	unsigned func = at_http_begin(e, "http_tap", 4), conn;
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *ret = ir_param(b, 1), *dir = ir_param(b, 2), *win,
		     *mark;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *half, *tentative, *verdict;

	b->fn->noinline = false;
	b->fn->inlined = true;
	at_leave_if(b, ir_iszero(b, ir_call(b, e->f_filter, 1, sk)));
	at_pid_filter(b);
	conn = ir_local(b);
	ir_set(b, conn, at_sk_storage(b, e->m_conn, sk, 0));
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
	ir_do(b, ir_call(b, t->source, 2, win, ret));
	IF(ir_param(b, 3));
	WS(nobuf, C(1));
	END;
	IF(ir_iszero(b, w->conn));
	ir_set(b, conn, ir_call(b, e->f_admit, 4, sk, ret, dir, win));
	at_leave_if(b, ir_iszero(b, w->conn));
	END;
	tentative = ir_let(b, KL(tentative));
	half = ir_addi(b, ir_muli(b, dir, sizeof(struct at_http_stream)),
		       offsetof(struct at_http_state, half));
	half = ir_let(b, ir_add(b, w->conn, half));
	verdict = ir_let(b, ir_call(b, t->call, 5, w->conn, half, win, sk,
				    ir_or(b, ret, ir_shli(b, dir, 32))));
	IF(verdict);
	ir_do(b, ir_call(b, t->drop, 3, sk, tentative, verdict));
	RETURN(0);
	END;
	IF(KL(closing));
	ir_do(b, ir_call(b, e->f_settle, 2, sk, w->conn));
	END;
	RETURN(0);
	return func;
}

/* ---- Programs ---- */

static void recv_prog(struct at_http_eng *e, unsigned tap)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = at_http_prog_begin(e, "http_recv"), *ret, *flags, *none;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	flags = ir_let(b, ir_load(b, 8, ir_param(b, 0), 16));
	at_leave_if(b, ir_slti(b, ret, 0));
	at_leave_if(b, ir_andi(b, flags, PEEK_OOB_ERRQUEUE));
	/* Nothing was asked for, so nothing came: not the end of the stream. */
	IF(ir_iszero(b, ret));
	at_leave_if(b, ir_iszero(b, ir_andi(b, at_sk_load(b, 1, sk, "sock.sk_shutdown"),
					    RECEIVE_END)));
	at_leave_if(b, at_sk_unread(b, sk));
	END;
	none = ir_un(b, AT_OP_BOOL, ir_andi(b, flags, MSG_TRUNC));
	ir_do(b, ir_call(b, tap, 4, sk, ret, C(AT_DIR_IN), none));
	RETURN(0);
	at_http_add_prog(e, AT_PROG_TP_BTF, "sock_recv_length", false);
}

/* (sock): the send that had begun sent nothing. */
static unsigned unsend_func(struct at_http_eng *e)
{
	unsigned func = at_http_begin(e, "http_unsend", 1);
	struct at_irb *b = &e->b;
	struct at_ir *conn = at_sk_storage(b, e->m_conn, ir_param(b, 0), 0), *mark;

	IF(conn);
	AT_ST(at_http_state, conn, send_ns, C(0));
	RETURN(0);
	END;
	mark = at_sk_mark(e, ir_param(b, 0), 0);
	IF(mark);
	AT_ST(at_http_mark, mark, send_ns, C(0));
	END;
	RETURN(0);
	return func;
}

static void send_prog(struct at_http_eng *e, unsigned tap)
{
	unsigned unsend = unsend_func(e);
	struct at_irb *b = &e->b;
	struct at_ir *sk = at_http_prog_begin(e, "http_send"), *ret;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	IF(ir_slei(b, ret, 0));
	if (e->h->want_send_time)
		ir_do(b, ir_call(b, unsend, 1, sk));
	RETURN(0);
	END;
	ir_do(b, ir_call(b, tap, 4, sk, ret, C(AT_DIR_OUT), C(0)));
	RETURN(0);
	at_http_add_prog(e, AT_PROG_TP_BTF, "sock_send_length", false);
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
static void send_time_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = at_http_prog_begin(e, "http_send_time"), *conn, *mark;
	const int64_t off = offsetof(struct at_http_mark, send_ns);

	at_leave_if(b, ir_iszero(b, ir_call(b, e->f_filter, 1, sk)));
	at_pid_filter(b);
	conn = at_sk_storage(b, e->m_conn, sk, 0);
	IF(conn);
	store_time(b, conn, offsetof(struct at_http_state, send_ns));
	END;
	mark = at_sk_mark(e, sk, CREATE);
	at_leave_if(b, ir_iszero(b, mark));
	at_leave_if(b, ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_NOT));
	store_time(b, mark, off);
	at_http_add_prog(e, AT_PROG_TP_BTF, "tcp_sendmsg_locked", true);
}

/* AF_UNIX has no position: sockets that exist when we attach are in the middle. */
static void unix_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk;

	ir_begin(b, e->plan, "http_unix", AT_FN_PROG, 1);
	sk = ir_let(b, ir_load(b, 8, ir_param(b, 0), 8));
	at_leave_if(b, ir_iszero(b, sk));
	at_leave_if(b, ir_nei(b, at_sk_mark(e, sk, 0), 0));
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_SEARCH));
	RETURN(0);
	at_http_add_prog(e, AT_PROG_ITER, "unix", true);
}

void at_http_tap_progs(struct at_http_eng *e)
{
	struct tap t = { .source = source_func(e) };
	unsigned tap;

	t.call = half_func(e);
	t.drop = drop_func(e);
	tap = tap_func(e, &t);
	recv_prog(e, tap);
	send_prog(e, tap);
	if (e->h->want_send_time)
		send_time_prog(e);
	if (!at_http_all_name_ports(e->h))
		unix_prog(e);
}
