/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap `socktp`: how a socket's bytes are seen. tp_btf sock_recv_length and
 * sock_send_length give socket and length; the bytes are where the registers of
 * the system call say. Everything that can be known without them is asked
 * before user memory is read.
 */
#include "lib/http/layout.h"

#include <errno.h>
#include <sys/socket.h>

enum { /* enum bpf_func_id */
       MAP_LOOKUP = 1,
       GET_PID_TGID = 14,
       GET_COOKIE = 46,
       STORAGE_GET = 107,
       STORAGE_DELETE = 108,
       PROBE_READ_USER = 112,
       PROBE_READ_KERNEL = 113,
       KTIME_BOOT = 125,
       SKC_TO_TCP = 137,
       CURRENT_TASK = 158,
       TASK_REGS = 175,
};

enum {                                      /* of the kernel's headers */
       PF_NO_REGISTERS = 0x00200000 | 0x10, /* PF_KTHREAD, PF_IO_WORKER */
       TS_COMPAT = 2,
       RCV_SHUTDOWN = 1,
       TCP = 6,
       CREATE = 1,
       SYN_TIMES = 3,    /* attempts to read two counters that belong together */
       EMPTY_PIECES = 4, /* of a call that may come before the first bytes */
       SEARCHES = 32, /* changes of direction after which a connection is taken for no HTTP */
       PEEK_OOB_ERRQUEUE = MSG_PEEK | MSG_OOB | MSG_ERRQUEUE,
       TCP_ESTABLISHED = 1,
       TCP_FIN_WAIT1 = 4,
       TCP_CLOSE = 7,
       TCP_CLOSE_WAIT = 8,
       TCP_LAST_ACK = 9,
};

/* System calls of x86-64 whose second argument is the buffer, iovecs, or a msghdr. */
static const int buffer_calls[] = { 0, 1, 44, 45 };     /* read write sendto recvfrom */
static const int vector_calls[] = { 19, 20, 327, 328 }; /* readv writev preadv2 pwritev2 */
static const int message_calls[] = { 46, 47 };          /* sendmsg recvmsg */

static struct at_ir *btf_load(struct at_irb *b, unsigned width, struct at_ir *addr,
			      const char *path)
{
	unsigned sym = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, path, 0);

	return ir_load(b, width, ir_add(b, addr, ir_sym(b, sym)), 0);
}

static struct at_ir *storage(struct at_irb *b, unsigned map, struct at_ir *sk, int flags)
{
	return ir_let(b, ir_helper(b, STORAGE_GET, 4, ir_map(b, map), sk, C(0), C(flags)));
}

static struct at_ir *window(struct at_http_eng *e, int entry)
{
	struct at_irb *b = &e->b;
	struct at_ir *key = ir_slot(b, 8);

	ir_store(b, 4, key, 0, C(entry));
	return ir_let(b, ir_helper(b, MAP_LOOKUP, 2, ir_map(b, e->m_win), key));
}

/* Leaves the function with 0 when the condition holds. */
static void leave_if(struct at_irb *b, struct at_ir *cond)
{
	IF(cond);
	RETURN(0);
	END;
}

static struct at_ir *any_of(struct at_irb *b, struct at_ir *v, const int *of, size_t n)
{
	struct at_ir *any = ir_eqi(b, v, of[0]);

	for (size_t i = 1; i < n; i++)
		any = ir_or(b, any, ir_eqi(b, v, of[i]));
	return any;
}

static unsigned begin(struct at_http_eng *e, const char *name, unsigned nparams)
{
	ir_begin(&e->b, e->plan, name, AT_FN_SUB, nparams);
	e->b.fn->noinline = true;
	return e->b.index;
}

/* ---- Filters ---- */

static bool all_name_ports(const struct at_http *h)
{
	for (size_t i = 0; i < h->uses.n; i++)
		if (!h->uses.v[i].port)
			return false;
	return true;
}

/* (sock): 1 when it can be one of ours, by what is known without its bytes. */
static unsigned filter_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_filter", 1);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *family, *sport, *dport, *any = C(0);

	leave_if(b, ir_nei(b, btf_load(b, 2, sk, "sock.sk_type"), SOCK_STREAM));
	family = ir_let(b, btf_load(b, 2, sk, "sock.__sk_common.skc_family"));
	IF(ir_eqi(b, family, AF_UNIX));
	RETURN(!all_name_ports(e->h));
	END;
	leave_if(b, ir_and(b, ir_nei(b, family, AF_INET), ir_nei(b, family, AF_INET6)));
	leave_if(b, ir_nei(b, btf_load(b, 2, sk, "sock.sk_protocol"), TCP));
	if (all_name_ports(e->h)) {
		sport = ir_let(b, btf_load(b, 2, sk, "sock.__sk_common.skc_num"));
		dport = ir_let(b, ir_un(b, AT_OP_BSWAP16,
					btf_load(b, 2, sk, "sock.__sk_common.skc_dport")));
		for (size_t i = 0; i < e->h->uses.n; i++) {
			int port = e->h->uses.v[i].port;

			any = ir_or(b, any,
				    ir_or(b, ir_eqi(b, sport, port), ir_eqi(b, dport, port)));
		}
		leave_if(b, ir_iszero(b, any));
	}
	RETURN(1);
	return func;
}

static void pid_filter(struct at_irb *b)
{
	struct at_ir *pid = ir_sym(b, at_plan_sym(b->plan, AT_SYM_PID, NULL, 0));

	IF(pid);
	leave_if(b, ir_ne(b, ir_shri(b, ir_helper(b, GET_PID_TGID, 0), 32), pid));
	END;
}

/* ---- Position in the stream ---- */

/*
 * (sock, direction, length): position of a call's first byte in its stream; -1
 * when it is not known. Softirqs move two of the counters together: read until
 * one is the same before and after the others.
 */
static unsigned position_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_position", 3);
	struct at_irb *b = &e->b;
	struct at_ir *tp = ir_let(b, ir_helper(b, SKC_TO_TCP, 1, ir_param(b, 0))), *before,
		     *inner;

	IF(ir_iszero(b, tp));
	RETURN(-1);
	END;
	for (int dir = AT_DIR_IN; dir <= AT_DIR_OUT; dir++) {
		const char *count = dir ? "tcp_sock.bytes_acked" : "tcp_sock.bytes_received";
		const char *low = dir ? "tcp_sock.snd_una" : "tcp_sock.copied_seq";
		const char *high = dir ? "tcp_sock.write_seq" : "tcp_sock.rcv_nxt";

		IF(ir_eqi(b, ir_param(b, 1), dir));
		for (int i = 0; i < SYN_TIMES; i++) {
			struct at_ir *again = ir_un(b, AT_OP_HIDE, tp), *place;

			before = ir_let(b, btf_load(b, 8, ir_let(b, again), count));
			inner = ir_let(b, btf_load(b, 4, ir_let(b, again), high));
			inner = ir_let(b,
				       ir_sub(b, inner, btf_load(b, 4, ir_let(b, again), low)));
			inner = ir_let(b, ir_un(b, AT_OP_ZEXT32, inner));
			place = dir ? ir_add(b, before, inner) : ir_sub(b, before, inner);
			IF(ir_eq(b, before, btf_load(b, 8, ir_let(b, again), count)));
			ir_return(b, ir_sub(b, place, ir_param(b, 2)));
			END;
		}
		END;
	}
	RETURN(-1);
	return func;
}

/* ---- Where the bytes are ---- */

/* (window, length): the pieces of user memory of the current system call. */
static unsigned source_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_source", 2);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .win = ir_param(b, 0) }, *w = &walk;
	struct at_ir *task, *regs, *nr, *buf, *err;
	const int64_t user = offsetof(struct at_http_win, user);

	WS(nobuf, C(1));
	WS(niov, C(0));
	WS(room, C(0));
	task = ir_let(b, ir_helper(b, CURRENT_TASK, 0));
	leave_if(b, ir_andi(b, btf_load(b, 4, task, "task_struct.flags"), PF_NO_REGISTERS));
	leave_if(b,
		 ir_andi(b, btf_load(b, 4, task, "task_struct.thread_info.status"), TS_COMPAT));
	regs = ir_let(b, ir_helper(b, TASK_REGS, 1, task));
	nr = ir_let(b, btf_load(b, 8, regs, "pt_regs.orig_ax"));
	buf = ir_let(b, btf_load(b, 8, regs, "pt_regs.si"));
	IF(any_of(b, nr, buffer_calls, at_count(buffer_calls)));
	WS(base, buf);
	WS(room, ir_param(b, 1));
	WS(nobuf, C(0));
	RETURN(0);
	END;
	IF(any_of(b, nr, vector_calls, at_count(vector_calls)));
	WS(iov, buf);
	WS(niov, btf_load(b, 8, regs, "pt_regs.dx"));
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

/* ---- A connection begins ---- */

static void init_address(struct at_irb *b, struct at_ir *conn, struct at_ir *sk)
{
	static const struct {
		const char *v4, *v6;
		unsigned off;
	} ends[] = {
		{ "sock.__sk_common.skc_rcv_saddr", "sock.__sk_common.skc_v6_rcv_saddr",
		  offsetof(struct at_http_conn, saddr) },
		{ "sock.__sk_common.skc_daddr", "sock.__sk_common.skc_v6_daddr",
		  offsetof(struct at_http_conn, daddr) },
	};
	struct at_ir *family = ir_let(b, btf_load(b, 2, sk, "sock.__sk_common.skc_family"));

	AT_ST(at_http_conn, conn, family, family);
	leave_if(b, ir_eqi(b, family, AF_UNIX));
	AT_ST(at_http_conn, conn, sport, btf_load(b, 2, sk, "sock.__sk_common.skc_num"));
	AT_ST(at_http_conn, conn, dport,
	      ir_un(b, AT_OP_BSWAP16, btf_load(b, 2, sk, "sock.__sk_common.skc_dport")));
	for (int i = 0; i < 2; i++) {
		unsigned v6 = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, ends[i].v6, 0);

		IF(ir_eqi(b, family, AF_INET));
		ir_store(b, 4, conn, ends[i].off, btf_load(b, 4, sk, ends[i].v4));
		ELSE;
		ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, ir_addi(b, conn, ends[i].off),
				   C(16), ir_add(b, sk, ir_sym(b, v6))));
		END;
	}
}

/* (connection, sock, tentative, send_ns): fresh memory, all zero. */
static unsigned init_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_init", 4);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .conn = ir_param(b, 0) }, *w = &walk;
	struct at_ir *sk = ir_param(b, 1);

	KS(tentative, ir_param(b, 2));
	KS(send_ns, ir_param(b, 3));
	AT_ST(at_http_conn, w->conn, id, ir_helper(b, GET_COOKIE, 1, sk));
	for (int dir = AT_DIR_IN; dir <= AT_DIR_OUT; dir++) {
		unsigned self = offsetof(struct at_http_state, half) +
				(unsigned)dir * sizeof(struct at_http_stream);
		struct at_ir *half = ir_let(b, ir_addi(b, w->conn, self));

		AT_ST(at_http_stream, half, dir, C(dir));
		AT_ST(at_http_stream, half, self, C(self));
		AT_ST(at_http_stream, half, next, C(-1));
	}
	init_address(b, w->conn, sk);
	RETURN(0);
	return func;
}

static struct at_ir *mark_get(struct at_http_eng *e, struct at_ir *sk, int flags)
{
	return storage(&e->b, e->m_mark, sk, flags);
}

/* (sock, kind): what is known of the socket from now on. */
static unsigned mark_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_set_mark", 2);
	struct at_irb *b = &e->b;
	struct at_ir *mark = mark_get(e, ir_param(b, 0), CREATE);

	IF(mark);
	AT_ST(at_http_mark, mark, kind, ir_param(b, 1));
	END;
	RETURN(0);
	return func;
}

static struct at_ir *set_mark(struct at_irb *b, unsigned mark, struct at_ir *sk, int kind)
{
	return ir_call(b, mark, 2, sk, C(kind));
}

/* A method and a space in the 16 bytes: where a search may take up a connection. */
static struct at_ir *is_method(struct at_walk *w, struct at_ir *word)
{
	struct at_irb *b = w->b;
	struct at_ir *high =
		ir_let(b, ir_load(b, 8, w->win, offsetof(struct at_http_win, user) + 8));
	struct at_ir *space = at_swar_equal(b, word, C(at_swar(' ')));
	struct at_ir *later = at_swar_equal(b, high, C(at_swar(' ')));

	space = ir_let(b, ir_or(b, space, later));
	return ir_and(
		b, ir_nei(b, space, 0),
		ir_nei(b, ir_andi(b, word, 0xffffffffff), (int64_t)at_word_of("HTTP/", 5)));
}

/*
 * (window, length, searching): do the call's first bytes look like text that may
 * begin an HTTP message? 1 no, 2 they cannot be read.
 */
static unsigned sniff_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_sniff", 3);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .win = ir_param(b, 0) }, *w = &walk;
	const int64_t user = offsetof(struct at_http_win, user);
	struct at_ir *n, *base, *err, *word, *first;

	IF(WL(nobuf));
	RETURN(2);
	END;
	for (int i = 0; i < EMPTY_PIECES; i++) {
		IF(ir_iszero(b, WL(room)));
		IF(ir_call(b, e->f_iov, 1, w->win));
		RETURN(2);
		END;
		END;
	}
	n = at_http_min(b, ir_param(b, 1), WL(room));
	n = at_http_min(b, n, C(16));
	base = ir_let(b, WL(base));
	ir_zero(b, w->win, user, 16);
	err = ir_let(b, ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, user), n, base));
	IF(ir_or(b, err, ir_iszero(b, n)));
	RETURN(2);
	END;
	word = ir_let(b, ir_load(b, 8, w->win, user));
	first = ir_let(b, ir_andi(b, word, 0xff));
	IF(ir_andi(b, word, at_swar(0x80)));
	RETURN(1);
	END;
	IF(ir_param(b, 2));
	IF(ir_iszero(b, is_method(w, word)));
	RETURN(1);
	END;
	END;
	ir_return(b, ir_iszero(b, ir_or(b, at_is_token(b, first),
					ir_or(b, ir_eqi(b, first, '\r'),
					      ir_eqi(b, first, '\n')))));
	return func;
}

struct admit {
	unsigned position, sniff, init, mark;
};

/* A socket that is being searched for the beginning of an exchange: 1 to look at this call. */
static unsigned search_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_search", 2);
	struct at_irb *b = &e->b;
	struct at_ir *mark = ir_param(b, 0), *dir = ir_let(b, ir_addi(b, ir_param(b, 1), 1)),
		     *n;

	leave_if(b, ir_eq(b, AT_LD(at_http_mark, mark, last), dir));
	AT_ST(at_http_mark, mark, last, dir);
	n = ir_let(b, ir_addi(b, AT_LD(at_http_mark, mark, tries), 1));
	AT_ST(at_http_mark, mark, tries, n);
	IF(ir_ugti(b, n, SEARCHES));
	AT_ST(at_http_mark, mark, kind, C(AT_MARK_NOT));
	RETURN(0);
	END;
	RETURN(1);
	return func;
}

/* The stream begins with this call, in a connection or pair that is known to be new. */
static struct at_ir *is_start(struct at_http_eng *e, const struct admit *a, struct at_ir *sk,
			      struct at_ir *dir, struct at_ir *ret)
{
	struct at_irb *b = &e->b;
	struct at_ir *family = btf_load(b, 2, sk, "sock.__sk_common.skc_family"), *pos;
	unsigned start = ir_local(b);

	ir_set(b, start, C(1));
	IF(ir_nei(b, family, AF_UNIX));
	pos = ir_let(b, ir_call(b, a->position, 3, sk, dir, ret));
	/* The SYN of a client counts as one byte sent. */
	ir_set(b, start, ir_ule(b, pos, dir));
	END;
	return ir_get(b, start);
}

/* Kernel users of sockets (a file system, for one) run under the registers of other calls. */
static void leave_if_kernel(struct at_irb *b, struct at_ir *sk, unsigned mark)
{
	struct at_ir *socket = ir_let(b, btf_load(b, 8, sk, "sock.sk_socket"));
	unsigned file = ir_local(b);

	ir_set(b, file, C(0));
	IF(socket);
	ir_set(b, file, ir_un(b, AT_OP_BOOL, btf_load(b, 8, socket, "socket.file")));
	END;
	IF(ir_iszero(b, ir_get(b, file)));
	ir_do(b, set_mark(b, mark, sk, AT_MARK_NOT));
	RETURN(0);
	END;
}

/* Bytes that cannot be read, or are no text: the socket is marked, and nothing else is kept. */
static void sniff(struct at_http_eng *e, const struct admit *a, struct at_ir *sk,
		  struct at_ir *win, struct at_ir *ret, struct at_ir *searching)
{
	struct at_irb *b = &e->b;
	struct at_ir *seen = ir_let(b, ir_call(b, a->sniff, 3, win, ret, searching));

	IF(seen);
	IF(ir_iszero(b, searching));
	IF(ir_eqi(b, seen, 1));
	ir_do(b, set_mark(b, a->mark, sk, AT_MARK_NOT));
	RETURN(0);
	END;
	at_plan_count(b, e->h->c_read_calls, NULL);
	at_plan_count(b, e->h->c_read_bytes, ret);
	ir_do(b, set_mark(b, a->mark, sk, AT_MARK_SEARCH));
	END;
	RETURN(0);
	END;
}

/* (sock, length, direction, window): memory for a connection that may be HTTP, or 0. */
static unsigned admit_func(struct at_http_eng *e, const struct admit *a, unsigned search)
{
	unsigned func = begin(e, "http_admit", 4);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *ret = ir_param(b, 1), *dir = ir_param(b, 2);
	struct at_ir *mark = mark_get(e, sk, 0), *searching, *sent, *conn;

	sent = ir_get(b, ir_local(b));
	searching = ir_get(b, ir_local(b));
	ir_set(b, sent->index, C(0));
	ir_set(b, searching->index, C(0));
	IF(mark);
	ir_set(b, sent->index, AT_LD(at_http_mark, mark, send_ns));
	AT_ST(at_http_mark, mark, send_ns, C(0));
	IF(ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_SEARCH));
	ir_set(b, searching->index, C(1));
	leave_if(b, ir_iszero(b, ir_call(b, search, 2, mark, dir)));
	END;
	END;
	leave_if_kernel(b, sk, a->mark);
	IF(ir_iszero(b, searching));
	IF(ir_iszero(b, is_start(e, a, sk, dir, ret)));
	ir_do(b, set_mark(b, a->mark, sk, AT_MARK_SEARCH));
	ir_set(b, searching->index, C(1));
	END;
	END;
	sniff(e, a, sk, ir_param(b, 3), ret, searching);
	conn = storage(b, e->m_conn, sk, CREATE);
	IF(conn);
	ir_do(b, ir_call(b, a->init, 4, conn, sk, searching, sent));
	END;
	ir_return(b, conn);
	return func;
}

/* ---- A call ---- */

/* (connection, half, window, sock, length | direction << 32): takes the half, finds its place,
 * walks. */
static unsigned half_func(struct at_http_eng *e, const struct admit *a)
{
	struct at_walk walk = at_http_inline(e, "http_call", 5), *w = &walk;
	struct at_irb *b = w->b;
	unsigned func = b->index, now = ir_local(b);
	struct at_ir *ret = ir_let(b, ir_andi(b, ir_param(b, 4), 0x7fffffff)),
		     *sk = ir_param(b, 3);
	struct at_ir *dir = ir_let(b, ir_shri(b, ir_param(b, 4), 32)), *pos, *next, *busy;

	busy = ir_cmpxchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0), C(1));
	IF(busy);
	KS(broken, C(1));
	RETURN(AT_V_OK);
	END;
	/* Not at the end of the stream, where the FIN counts as a byte. */
	IF(ir_and(b, ir_nei(b, btf_load(b, 2, sk, "sock.__sk_common.skc_family"), AF_UNIX),
		  ir_nei(b, ret, 0)));
	pos = ir_let(b, ir_call(b, a->position, 3, sk, dir, ret));
	next = ir_let(b, HL(next));
	IF(ir_and(b, ir_ne(b, pos, next), ir_nei(b, next, -1)));
	IF(ir_nei(b, pos, -1));
	ir_do(b, ir_call(b, e->f_fail, 4, w->conn, w->half, w->win, C(AT_V_SEARCH)));
	RETURN(AT_V_SEARCH);
	END;
	ir_set(b, now, next);
	ELSE;
	ir_set(b, now, pos);
	END;
	HS(next,
	   ir_select(b, ir_eqi(b, ir_get(b, now), -1), C(-1), ir_add(b, ir_get(b, now), ret)));
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
	WS(left, ret);
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
	unsigned func = begin(e, "http_drop", 3);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *tentative = ir_param(b, 1), *mark, *not_http;

	ir_do(b, ir_helper(b, STORAGE_DELETE, 2, ir_map(b, e->m_conn), sk));
	mark = mark_get(e, sk, CREATE);
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
	unsigned filter, source, admit, call, drop;
};

/* (sock, length, direction, 1 when there are no bytes to be read) */
static unsigned tap_func(struct at_http_eng *e, const struct tap *t)
{
	unsigned func = begin(e, "http_tap", 4), conn;
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *ret = ir_param(b, 1), *dir = ir_param(b, 2), *win,
		     *mark;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *half, *tentative, *verdict;

	b->fn->noinline = false;
	b->fn->inlined = true;
	leave_if(b, ir_iszero(b, ir_call(b, t->filter, 1, sk)));
	pid_filter(b);
	conn = ir_local(b);
	ir_set(b, conn, storage(b, e->m_conn, sk, 0));
	w->conn = ir_get(b, conn);
	IF(ir_iszero(b, w->conn));
	leave_if(b, ir_iszero(b, ret));
	mark = mark_get(e, sk, 0);
	IF(mark);
	leave_if(b, ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_NOT));
	END;
	ELSE;
	leave_if(b, KL(dead));
	END;
	win = window(e, 0);
	leave_if(b, ir_iszero(b, win));
	w->win = win;
	ir_do(b, ir_call(b, t->source, 2, win, ret));
	IF(ir_param(b, 3));
	WS(nobuf, C(1));
	END;
	IF(ir_iszero(b, w->conn));
	ir_set(b, conn, ir_call(b, t->admit, 4, sk, ret, dir, win));
	leave_if(b, ir_iszero(b, w->conn));
	END;
	tentative = ir_let(b, KL(tentative));
	half = ir_addi(b, ir_muli(b, dir, sizeof(struct at_http_stream)),
		       offsetof(struct at_http_state, half));
	half = ir_let(b, ir_add(b, w->conn, half));
	verdict = ir_let(b, ir_call(b, t->call, 5, w->conn, half, win, sk,
				    ir_or(b, ret, ir_shli(b, dir, 32))));
	IF(verdict);
	ir_do(b, ir_call(b, t->drop, 3, sk, tentative, verdict));
	END;
	RETURN(0);
	return func;
}

/* ---- Programs ---- */

static void add_prog(struct at_http_eng *e, enum at_prog_kind kind, const char *target,
		     bool optional)
{
	const struct at_http_use *u = &e->h->uses.v[0];

	at_plan_prog(e->plan, &(struct at_plan_prog){
				      .kind = kind,
				      .provider = "http",
				      .probe = u->use->point->text,
				      .target = target,
				      .func = e->b.index,
				      .alternative = "socktp",
				      .optional = optional,
				      .range = u->use->point->range,
			      });
}

static struct at_ir *prog_begin(struct at_http_eng *e, const char *name)
{
	ir_begin(&e->b, e->plan, name, AT_FN_PROG, 1);
	return ir_let(&e->b, ir_load(&e->b, 8, ir_param(&e->b, 0), 0));
}

static void recv_prog(struct at_http_eng *e, unsigned tap)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = prog_begin(e, "http_recv"), *ret, *flags, *none;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	flags = ir_let(b, ir_load(b, 8, ir_param(b, 0), 16));
	leave_if(b, ir_slti(b, ret, 0));
	leave_if(b, ir_andi(b, flags, PEEK_OOB_ERRQUEUE));
	/* Nothing was asked for, so nothing came: not the end of the stream. */
	IF(ir_iszero(b, ret));
	leave_if(b, ir_iszero(b, ir_andi(b, btf_load(b, 1, sk, "sock.sk_shutdown"),
					 RCV_SHUTDOWN)));
	END;
	none = ir_un(b, AT_OP_BOOL, ir_andi(b, flags, MSG_TRUNC));
	ir_do(b, ir_call(b, tap, 4, sk, ret, C(AT_DIR_IN), none));
	RETURN(0);
	add_prog(e, AT_PROG_TP_BTF, "sock_recv_length", false);
}

/* (sock): the send that had begun sent nothing. */
static unsigned unsend_func(struct at_http_eng *e)
{
	unsigned func = begin(e, "http_unsend", 1);
	struct at_irb *b = &e->b;
	struct at_ir *conn = storage(b, e->m_conn, ir_param(b, 0), 0), *mark;

	IF(conn);
	AT_ST(at_http_state, conn, send_ns, C(0));
	RETURN(0);
	END;
	mark = mark_get(e, ir_param(b, 0), 0);
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
	struct at_ir *sk = prog_begin(e, "http_send"), *ret;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	IF(ir_slei(b, ret, 0));
	if (e->h->want_send_time)
		ir_do(b, ir_call(b, unsend, 1, sk));
	RETURN(0);
	END;
	ir_do(b, ir_call(b, tap, 4, sk, ret, C(AT_DIR_OUT), C(0)));
	RETURN(0);
	add_prog(e, AT_PROG_TP_BTF, "sock_send_length", false);
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
static void send_time_prog(struct at_http_eng *e, unsigned filter)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = prog_begin(e, "http_send_time"), *conn, *mark;
	const int64_t off = offsetof(struct at_http_mark, send_ns);

	leave_if(b, ir_iszero(b, ir_call(b, filter, 1, sk)));
	pid_filter(b);
	conn = storage(b, e->m_conn, sk, 0);
	IF(conn);
	store_time(b, conn, offsetof(struct at_http_state, send_ns));
	END;
	mark = mark_get(e, sk, CREATE);
	leave_if(b, ir_iszero(b, mark));
	leave_if(b, ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_NOT));
	store_time(b, mark, off);
	add_prog(e, AT_PROG_TP_BTF, "tcp_sendmsg_locked", true);
}

/* AF_UNIX has no position: sockets that exist when we attach are in the middle. */
static void unix_prog(struct at_http_eng *e, unsigned mark)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk;

	ir_begin(b, e->plan, "http_unix", AT_FN_PROG, 1);
	sk = ir_let(b, ir_load(b, 8, ir_param(b, 0), 8));
	leave_if(b, ir_iszero(b, sk));
	leave_if(b, ir_nei(b, mark_get(e, sk, 0), 0));
	ir_do(b, set_mark(b, mark, sk, AT_MARK_SEARCH));
	RETURN(0);
	add_prog(e, AT_PROG_ITER, "unix", true);
}

void at_http_tap_progs(struct at_http_eng *e)
{
	struct tap t = { .filter = filter_func(e) };
	struct admit a = { .position = position_func(e) };
	unsigned tap, search;

	t.source = source_func(e);
	a.mark = mark_func(e);
	a.sniff = sniff_func(e);
	a.init = init_func(e);
	search = search_func(e);
	t.admit = admit_func(e, &a, search);
	t.call = half_func(e, &a);
	t.drop = drop_func(e);
	tap = tap_func(e, &t);
	recv_prog(e, tap);
	send_prog(e, tap);
	if (e->h->want_send_time)
		send_time_prog(e, t.filter);
	if (!all_name_ports(e->h))
		unix_prog(e, a.mark);
}

/* ---- The end of a connection ---- */

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

/* RST, sent or received: the error says so, or a close out of a state that a FIN would have
 * left. */
static struct at_ir *is_reset(struct at_irb *b, struct at_ir *sk, struct at_ir *old)
{
	struct at_ir *err = ir_let(b, btf_load(b, 4, sk, "sock.sk_err"));
	struct at_ir *open =
		ir_or(b, ir_eqi(b, old, TCP_ESTABLISHED), ir_eqi(b, old, TCP_CLOSE_WAIT));

	return ir_or(b, ir_or(b, ir_eqi(b, err, ECONNRESET), ir_eqi(b, err, EPIPE)),
		     ir_and(b, open, ir_iszero(b, err)));
}

/* What the change of state says: fin by direction, closed. Leaves for all other changes. */
static void note_state(struct at_walk *w, struct at_ir *sk, struct at_ir *old,
		       struct at_ir *new)
{
	struct at_irb *b = w->b;
	const int64_t fin = offsetof(struct at_http_state, fin);

	IF(ir_eqi(b, new, TCP_CLOSE));
	KS(closed, ir_addi(b, is_reset(b, sk, old), 1));
	ELSE;
	ir_store(b, 4, w->conn, fin + 4, C(1));
	/* All that came was read, or the state would be another. */
	IF(ir_eqi(b, new, TCP_LAST_ACK));
	ir_store(b, 4, w->conn, fin, C(1));
	END;
	END;
}

/* May run in softirq, and inside the other programs: has a window of its own. */
void at_http_close_prog(struct at_http_eng *e)
{
	unsigned trip = close_trip(e);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	struct at_ir *sk = prog_begin(e, "http_close"), *old, *new, *role[2], *out, *ended;
	const int64_t half = offsetof(struct at_http_state, half),
		      fin = offsetof(struct at_http_state, fin);

	old = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	new = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_load(b, 8, ir_param(b, 0), 16)));
	leave_if(b, ir_and(b, ir_nei(b, new, TCP_CLOSE),
			   ir_and(b, ir_nei(b, new, TCP_FIN_WAIT1),
				  ir_nei(b, new, TCP_LAST_ACK))));
	w->conn = storage(b, e->m_conn, sk, 0);
	leave_if(b, ir_iszero(b, w->conn));
	note_state(w, sk, old, new);
	for (unsigned d = 0; d < 2; d++)
		role[d] = ir_eqi(b,
				 ir_load(b, 4, w->conn,
					 half + d * sizeof(struct at_http_stream) +
						 offsetof(struct at_http_stream, role)),
				 AT_ROLE_RESPONSE);
	out = ir_let(b, role[1]);
	leave_if(b, ir_iszero(b, ir_or(b, out, role[0])));
	ended = ir_select(b, out, ir_load(b, 4, w->conn, fin + 4), ir_load(b, 4, w->conn, fin));
	leave_if(b, ir_iszero(b, ir_or(b, ended, KL(closed))));
	leave_if(b, KL(dead));
	w->win = window(e, 1);
	leave_if(b, ir_iszero(b, w->win));
	w->half = ir_addi(b, ir_muli(b, out, sizeof(struct at_http_stream)), half);
	w->half = ir_let(b, ir_add(b, w->conn, w->half));
	/* Whoever walks it now looks again when done. */
	leave_if(b,
		 ir_cmpxchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0), C(1)));
	WS(now, ir_helper(b, KTIME_BOOT, 0));
	ir_repeat(b, C(AT_HTTP_METHODS + 1), trip, at_http_context(w));
	ir_do(b, ir_xchg(b, 4, w->half, offsetof(struct at_http_stream, busy), C(0)));
	RETURN(0);
	add_prog(e, AT_PROG_TP_BTF, "inet_sock_set_state", false);
}
