/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections begin here: whether a socket gets memory, by where its stream
 * stands, who uses it and what its first bytes look like.
 */
#include "lib/http/sock.h"

#include <sys/socket.h>

enum {
	EMPTY_PIECES = 4, /* of a call that may come before the first bytes */
	SEARCHES = 32, /* changes of direction after which a connection is taken for no HTTP */
};

static void init_address(struct at_http_eng *e, struct at_ir *conn, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	static const struct {
		const char *v4, *v6;
		unsigned off;
	} ends[] = {
		{ "sock.__sk_common.skc_rcv_saddr", "sock.__sk_common.skc_v6_rcv_saddr",
		  offsetof(struct at_http_conn, saddr) },
		{ "sock.__sk_common.skc_daddr", "sock.__sk_common.skc_v6_daddr",
		  offsetof(struct at_http_conn, daddr) },
	};
	struct at_ir *family = ir_let(b, at_sk_load(e, 2, sk, "sock.__sk_common.skc_family"));

	AT_ST(at_http_conn, conn, family, family);
	at_leave_if(b, ir_eqi(b, family, AF_UNIX));
	AT_ST(at_http_conn, conn, sport, at_sk_port(e, sk));
	AT_ST(at_http_conn, conn, dport,
	      ir_un(b, AT_OP_BSWAP16, at_sk_load(e, 2, sk, "sock.__sk_common.skc_dport")));
	for (int i = 0; i < 2; i++) {
		unsigned v6 = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, ends[i].v6, 0);

		IF(ir_eqi(b, family, AF_INET));
		ir_store(b, 4, conn, ends[i].off, at_sk_load(e, 4, sk, ends[i].v4));
		ELSE;
		ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, ir_addi(b, conn, ends[i].off),
				   C(16), ir_add(b, sk, ir_sym(b, v6))));
		END;
	}
}

/* Where the two streams stand. Of bytes that were sent already the call may still be to come.
 */
static void first_places(struct at_walk *w, struct at_ir *sk, struct at_ir *tp)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;
	const int64_t next = offsetof(struct at_http_stream, next),
		      half = offsetof(struct at_http_state, half),
		      size = sizeof(struct at_http_stream);

	ir_store(b, 8, w->conn, half + AT_DIR_IN * size + next, at_sk_place(e, tp, AT_DIR_IN));
	IF(ir_call(b, e->f_start, 3, sk, C(AT_DIR_OUT), C(0)));
	ir_store(b, 8, w->conn, half + AT_DIR_OUT * size + next,
		 at_sk_place(e, tp, AT_DIR_OUT));
	END;
}

/* (connection, sock, tentative, send_ns): fresh memory, all zero. */
static unsigned init_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "init", 4);
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b, .conn = ir_param(b, 0) }, *w = &walk;
	struct at_ir *sk = ir_param(b, 1), *tp = ir_let(b, e->tap->tcp(e, sk)), *err;

	KS(tentative, ir_param(b, 2));
	/* Read when the connection was over: it ends with the socket. */
	IF(ir_eqi(b, at_sk_load(e, 1, sk, "sock.__sk_common.skc_state"), AT_TCP_CLOSE));
	err = ir_let(b, at_sk_load(e, 4, sk, "sock.sk_err"));
	KS(closing, ir_addi(b, at_is_reset(b, err), 1));
	KS(closed_ns, ir_helper(b, KTIME_BOOT, 0));
	END;
	KS(send_ns, ir_param(b, 3));
	AT_ST(at_http_conn, w->conn, id, e->tap->id(e, sk));
	for (int dir = AT_DIR_IN; dir <= AT_DIR_OUT; dir++) {
		unsigned self = offsetof(struct at_http_state, half) +
				(unsigned)dir * sizeof(struct at_http_stream);
		struct at_ir *half = ir_let(b, ir_addi(b, w->conn, self));

		AT_ST(at_http_stream, half, dir, C(dir));
		AT_ST(at_http_stream, half, self, C(self));
		AT_ST(at_http_stream, half, next, C(-1));
	}
	IF(tp);
	first_places(w, sk, tp);
	END;
	init_address(e, w->conn, sk);
	RETURN(0);
	return func;
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
static void sniff_func(struct at_http_eng *e)
{
	unsigned func = at_http_begin(e, "http_sniff", 3);
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
	e->f_sniff = func;
}

/* A socket that is being searched for the beginning of an exchange: 1 to look at this call. */
static void search_func(struct at_http_eng *e)
{
	unsigned func = at_http_begin(e, "http_search", 2);
	struct at_irb *b = &e->b;
	struct at_ir *mark = ir_param(b, 0), *dir = ir_let(b, ir_addi(b, ir_param(b, 1), 1)),
		     *n;

	at_leave_if(b, ir_eq(b, AT_LD(at_http_mark, mark, last), dir));
	AT_ST(at_http_mark, mark, last, dir);
	n = ir_let(b, ir_addi(b, AT_LD(at_http_mark, mark, tries), 1));
	AT_ST(at_http_mark, mark, tries, n);
	IF(ir_ugti(b, n, SEARCHES));
	AT_ST(at_http_mark, mark, kind, C(AT_MARK_NOT));
	RETURN(0);
	END;
	RETURN(1);
	e->f_search = func;
}

/* The stream begins with this call, in a connection or pair that is known to be new. */
static struct at_ir *is_start(struct at_http_eng *e, struct at_ir *sk, struct at_ir *dir,
			      struct at_ir *ret)
{
	struct at_irb *b = &e->b;
	struct at_ir *family = at_sk_load(e, 2, sk, "sock.__sk_common.skc_family");
	unsigned start = ir_local(b);

	ir_set(b, start, C(1));
	IF(ir_nei(b, family, AF_UNIX));
	ir_set(b, start, ir_call(b, e->f_start, 3, sk, dir, ret));
	END;
	return ir_get(b, start);
}

/* Kernel users of sockets (a file system, for one) run under the registers of other calls. */
static void leave_if_kernel(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *socket = ir_let(b, at_sk_load(e, 8, sk, "sock.sk_socket"));
	unsigned file = ir_local(b);

	ir_set(b, file, C(0));
	IF(socket);
	ir_set(b, file, ir_un(b, AT_OP_BOOL, at_sk_load(e, 8, socket, "socket.file")));
	END;
	IF(ir_iszero(b, ir_get(b, file)));
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_NOT));
	RETURN(0);
	END;
}

/* Bytes that cannot be read, or are no text: the socket is marked, and nothing else is kept. */
static void sniff(struct at_http_eng *e, struct at_ir *sk, struct at_ir *win, struct at_ir *ret,
		  struct at_ir *searching)
{
	struct at_irb *b = &e->b;
	struct at_ir *seen;

	/* In the middle of a stream it is not known which message this is. */
	IF(ir_and(b, ir_nei(b, searching, 0), ir_nei(b, AT_LD(at_http_win, win, vec), 0)));
	RETURN(0);
	END;
	seen = ir_let(b, ir_call(b, e->f_sniff, 3, win, ret, searching));
	IF(seen);
	IF(ir_iszero(b, searching));
	IF(ir_eqi(b, seen, 1));
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_NOT));
	RETURN(0);
	END;
	at_plan_count(b, e->h->c_read_calls, NULL);
	at_plan_count(b, e->h->c_read_bytes, ret);
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_SEARCH));
	END;
	RETURN(0);
	END;
}

/* (sock, length, direction, window): memory for a connection that may be HTTP, or 0. */
void at_http_admit_func(struct at_http_eng *e)
{
	unsigned init = init_func(e), func = at_tap_begin(e, "admit", 4);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *ret = ir_param(b, 1), *dir = ir_param(b, 2);
	struct at_ir *mark = at_sk_mark(e, sk, 0), *searching, *sent, *conn, *half;

	sent = ir_get(b, ir_local(b));
	searching = ir_get(b, ir_local(b));
	ir_set(b, sent->index, C(0));
	ir_set(b, searching->index, C(0));
	IF(mark);
	ir_set(b, sent->index, AT_LD(at_http_mark, mark, send_ns));
	AT_ST(at_http_mark, mark, send_ns, C(0));
	IF(ir_eqi(b, AT_LD(at_http_mark, mark, kind), AT_MARK_SEARCH));
	ir_set(b, searching->index, C(1));
	at_leave_if(b, ir_iszero(b, ir_call(b, e->f_search, 2, mark, dir)));
	END;
	END;
	leave_if_kernel(e, sk);
	IF(ir_iszero(b, searching));
	IF(ir_iszero(b, is_start(e, sk, dir, ret)));
	ir_do(b, at_sk_set_mark(e, sk, AT_MARK_SEARCH));
	ir_set(b, searching->index, C(1));
	END;
	END;
	sniff(e, sk, ir_param(b, 3), ret, searching);
	conn = at_sk_storage(e, e->m_conn, sk, CREATE);
	IF(conn);
	ir_do(b, ir_call(b, init, 4, conn, sk, searching, sent));
	/* Behind the call that we are in. */
	half = ir_add(b, conn, ir_muli(b, dir, sizeof(struct at_http_stream)));
	ir_store(b, 8, half,
		 offsetof(struct at_http_state, half) + offsetof(struct at_http_stream, next),
		 C(-1));
	END;
	ir_return(b, conn);
	e->f_admit = func;
}

/* What admission asks that is the same for all taps. */
void at_http_sniff_funcs(struct at_http_eng *e)
{
	sniff_func(e);
	search_func(e);
}
