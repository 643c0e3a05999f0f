/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets, as the programs see them: fields by BTF, what can be known of one
 * without its bytes, its place in the stream, its mark.
 */
#include "lib/http/sock.h"

#include <errno.h>
#include <sys/socket.h>

enum {
	TCP = 6,          /* IPPROTO_TCP */
	READINGS = 8,     /* of counters that belong together and are not read together */
	RCV_SHUTDOWN = 1, /* sock.sk_shutdown (include/net/sock.h) */
};

struct at_ir *at_btf_load(struct at_irb *b, unsigned width, struct at_ir *addr,
			  const char *path)
{
	unsigned sym = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, path, 0);

	return ir_load(b, width, ir_add(b, addr, ir_sym(b, sym)), 0);
}

struct at_ir *at_sk_load(struct at_http_eng *e, unsigned width, struct at_ir *addr,
			 const char *path)
{
	return e->tap->load(e, width, addr, path);
}

struct at_ir *at_sk_storage(struct at_http_eng *e, unsigned map, struct at_ir *sk, int flags)
{
	return e->tap->storage(e, map, sk, flags);
}

struct at_ir *at_http_window(struct at_http_eng *e, int entry)
{
	struct at_irb *b = &e->b;
	struct at_ir *key = ir_slot(b, 8);

	ir_store(b, 4, key, 0, C(entry));
	return ir_let(b, ir_helper(b, MAP_LOOKUP, 2, ir_map(b, e->m_win), key));
}

/* skc_num is given back when a connection ends, before its last call has returned. */
struct at_ir *at_sk_port(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *tp, *sport;
	unsigned port = ir_local(b);

	ir_set(b, port, at_sk_load(e, 2, sk, "sock.__sk_common.skc_num"));
	IF(ir_iszero(b, ir_get(b, port)));
	tp = ir_let(b, e->tap->tcp(e, sk));
	IF(tp);
	sport = at_sk_load(e, 2, tp, "tcp_sock.inet_conn.icsk_inet.inet_sport");
	ir_set(b, port, ir_un(b, AT_OP_BSWAP16, sport));
	END;
	END;
	return ir_get(b, port);
}

struct at_ir *at_sk_place(struct at_http_eng *e, struct at_ir *tp, int dir)
{
	return at_sk_load(e, 4, tp, dir ? "tcp_sock.write_seq" : "tcp_sock.copied_seq");
}

struct at_ir *at_sk_unread(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *tp = ir_let(b, e->tap->tcp(e, sk)), *n;
	unsigned unread = ir_local(b);

	IF(tp);
	n = ir_sub(b, at_sk_load(e, 4, tp, "tcp_sock.rcv_nxt"),
		   at_sk_load(e, 4, tp, "tcp_sock.copied_seq"));
	ir_set(b, unread, ir_un(b, AT_OP_ZEXT32, n));
	ELSE;
	ir_set(b, unread, at_sk_load(e, 4, sk, "sock.sk_receive_queue.qlen"));
	END;
	return ir_get(b, unread);
}

struct at_ir *at_is_reset(struct at_irb *b, struct at_ir *err)
{
	return ir_or(b, ir_eqi(b, err, ECONNRESET), ir_eqi(b, err, EPIPE));
}

/* Leaves the function with 0 when the condition holds. */
void at_leave_if(struct at_irb *b, struct at_ir *cond)
{
	IF(cond);
	RETURN(0);
	END;
}

unsigned at_http_begin(struct at_http_eng *e, const char *name, unsigned nparams)
{
	ir_begin(&e->b, e->plan, name, AT_FN_SUB, nparams);
	e->b.fn->noinline = true;
	return e->b.index;
}

void at_http_inlined(struct at_http_eng *e)
{
	e->b.fn->noinline = false;
	e->b.fn->inlined = true;
}

const char *at_tap_name(struct at_http_eng *e, const char *name)
{
	return at_sprintf(e->plan->arena, "%s_%s", e->tap->name, name);
}

unsigned at_tap_begin(struct at_http_eng *e, const char *name, unsigned nparams)
{
	return at_http_begin(e, at_tap_name(e, name), nparams);
}

/* ---- Filters ---- */

bool at_http_all_name_ports(const struct at_http *h)
{
	for (size_t i = 0; i < h->uses.n; i++)
		if (!h->uses.v[i].port)
			return false;
	return true;
}

/* (sock): 1 when it can be one of ours, by what is known without its bytes. */
static void filter_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "filter", 1);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *family, *sport, *dport, *any = C(0);

	at_leave_if(b, ir_nei(b, at_sk_load(e, 2, sk, "sock.sk_type"), SOCK_STREAM));
	family = ir_let(b, at_sk_load(e, 2, sk, "sock.__sk_common.skc_family"));
	IF(ir_eqi(b, family, AF_UNIX));
	RETURN(!at_http_all_name_ports(e->h));
	END;
	at_leave_if(b, ir_and(b, ir_nei(b, family, AF_INET), ir_nei(b, family, AF_INET6)));
	at_leave_if(b, ir_nei(b, at_sk_load(e, 2, sk, "sock.sk_protocol"), TCP));
	if (at_http_all_name_ports(e->h)) {
		sport = at_sk_port(e, sk);
		dport = ir_let(b, ir_un(b, AT_OP_BSWAP16,
					at_sk_load(e, 2, sk, "sock.__sk_common.skc_dport")));
		for (size_t i = 0; i < e->h->uses.n; i++) {
			int port = e->h->uses.v[i].port;

			any = ir_or(b, any,
				    ir_or(b, ir_eqi(b, sport, port), ir_eqi(b, dport, port)));
		}
		at_leave_if(b, ir_iszero(b, any));
	}
	RETURN(1);
	e->f_filter = func;
}

void at_pid_filter(struct at_irb *b)
{
	struct at_ir *pid = ir_sym(b, at_plan_sym(b->plan, AT_SYM_PID, NULL, 0));

	IF(pid);
	at_leave_if(b, ir_ne(b, ir_shri(b, ir_helper(b, GET_PID_TGID, 0), 32), pid));
	END;
}

/* ---- Position in the stream ---- */

/* Bytes that went through the stream so far, as one reading of its counters says. */
static struct at_ir *read_position(struct at_http_eng *e, struct at_ir *tp, int dir)
{
	struct at_irb *b = &e->b;
	const char *count = dir ? "tcp_sock.bytes_acked" : "tcp_sock.bytes_received";
	const char *low = dir ? "tcp_sock.snd_una" : "tcp_sock.copied_seq";
	const char *high = dir ? "tcp_sock.write_seq" : "tcp_sock.rcv_nxt";
	struct at_ir *first, *second, *inner, *total;

	first = ir_let(b,
		       at_sk_load(e, 4, ir_let(b, ir_un(b, AT_OP_HIDE, tp)), dir ? low : high));
	second = ir_let(
		b, at_sk_load(e, 4, ir_let(b, ir_un(b, AT_OP_HIDE, tp)), dir ? high : low));
	inner = dir ? ir_sub(b, second, first) : ir_sub(b, first, second);
	inner = ir_let(b, ir_un(b, AT_OP_ZEXT32, inner));
	total = ir_let(b, at_sk_load(e, 8, ir_let(b, ir_un(b, AT_OP_HIDE, tp)), count));
	return ir_let(b, dir ? ir_add(b, total, inner) : ir_sub(b, total, inner));
}

/*
 * (sock, direction, length): does the stream begin with this call? Softirqs on
 * other CPUs move two of the counters, one after the other, so a single reading
 * may be wrong either way: one that says so is believed.
 */
static void start_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "is_start", 3);
	struct at_irb *b = &e->b;
	struct at_ir *tp = ir_let(b, e->tap->tcp(e, ir_param(b, 0)));
	struct at_ir *place;

	at_leave_if(b, ir_iszero(b, tp));
	for (int dir = AT_DIR_IN; dir <= AT_DIR_OUT; dir++) {
		IF(ir_eqi(b, ir_param(b, 1), dir));
		for (int i = 0; i < READINGS; i++) {
			place = ir_sub(b, read_position(e, tp, dir), ir_param(b, 2));
			/* The SYN of a client counts as one byte sent. */
			IF(ir_ulei(b, place, dir));
			RETURN(1);
			END;
		}
		END;
	}
	RETURN(0);
	e->f_start = func;
}

/*
 * (sock, direction, expected, found): places of a call's first byte, as sequence
 * numbers, that differ. How many bytes went by unseen; none for what takes a
 * number and is no byte of the stream.
 */
static void gap_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "gap", 4);
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *gap, *tp;

	gap = ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_sub(b, ir_param(b, 3), ir_param(b, 2))));
	IF(ir_and(b, ir_iszero(b, ir_param(b, 1)), ir_eqi(b, gap, 1)));
	/* The read also took the FIN, or passed over an urgent byte. */
	at_leave_if(b, ir_andi(b, at_sk_load(e, 1, sk, "sock.sk_shutdown"), RCV_SHUTDOWN));
	tp = ir_let(b, e->tap->tcp(e, sk));
	at_leave_if(b, ir_iszero(b, tp));
	at_leave_if(b, ir_eq(b, at_sk_load(e, 4, tp, "tcp_sock.urg_seq"), ir_param(b, 2)));
	END;
	ir_return(b, gap);
	e->f_gap = func;
}

/* ---- Marks ---- */

struct at_ir *at_sk_mark(struct at_http_eng *e, struct at_ir *sk, int flags)
{
	return at_sk_storage(e, e->m_mark, sk, flags);
}

/* (sock, kind): what is known of the socket from now on. */
static void mark_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "set_mark", 2);
	struct at_irb *b = &e->b;
	struct at_ir *mark = at_sk_mark(e, ir_param(b, 0), CREATE);

	IF(mark);
	AT_ST(at_http_mark, mark, kind, ir_param(b, 1));
	END;
	RETURN(0);
	e->f_mark = func;
}

struct at_ir *at_sk_set_mark(struct at_http_eng *e, struct at_ir *sk, int kind)
{
	return ir_call(&e->b, e->f_mark, 2, sk, ir_const(&e->b, kind));
}

/* ---- Programs ---- */

void at_tap_add_prog(struct at_http_eng *e, enum at_prog_kind kind, const char *target,
		     bool optional)
{
	const struct at_http_use *u = &e->h->uses.v[0];

	at_plan_prog(e->plan, &(struct at_plan_prog){
				      .kind = kind,
				      .provider = "http",
				      .probe = u->use->point->text,
				      .target = target,
				      .func = e->b.index,
				      .alternative = e->tap->name,
				      .needs = e->tap->needs,
				      .optional = optional,
				      .range = u->use->point->range,
			      });
}

struct at_ir *at_tap_prog_begin(struct at_http_eng *e, const char *name)
{
	ir_begin(&e->b, e->plan, at_tap_name(e, name), AT_FN_PROG, 1);
	return ir_let(&e->b, ir_load(&e->b, 8, ir_param(&e->b, 0), 0));
}

void at_http_sock_funcs(struct at_http_eng *e)
{
	filter_func(e);
	start_func(e);
	gap_func(e);
	mark_func(e);
}
