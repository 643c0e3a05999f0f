/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap `socktp`: tp_btf sock_recv_length and sock_send_length give socket
 * and length of every call, and nothing runs at other system calls. Sockets are
 * typed pointers, so what is kept of them lies in sk_storage and goes with them.
 */
#include "lib/http/sock.h"

/* ---- Sockets ---- */

static unsigned storage_map(struct at_http_eng *e, const char *name, unsigned size)
{
	return at_plan_map(e->plan, &(struct at_plan_map){
					    .name = name,
					    .kind = AT_MAP_SK_STORAGE,
					    .key_size = sizeof(int),
					    .value_size = size,
					    .alternative = e->tap->name,
				    });
}

static void maps(struct at_http_eng *e)
{
	e->m_conn = storage_map(e, "http_conn", e->total);
	e->m_mark = storage_map(e, "http_mark", sizeof(struct at_http_mark));
}

static struct at_ir *load(struct at_http_eng *e, unsigned width, struct at_ir *addr,
			  const char *path)
{
	return at_btf_load(&e->b, width, addr, path);
}

static struct at_ir *tcp(struct at_http_eng *e, struct at_ir *sk)
{
	return ir_helper(&e->b, SKC_TO_TCP, 1, sk);
}

static struct at_ir *id(struct at_http_eng *e, struct at_ir *sk)
{
	return ir_helper(&e->b, GET_COOKIE, 1, sk);
}

static struct at_ir *peer(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *own = ir_let(b, ir_helper(b, SKC_TO_UNIX, 1, sk));
	unsigned other = ir_local(b);

	ir_set(b, other, C(0));
	IF(own);
	ir_set(b, other, at_sk_load(e, 8, own, "unix_sock.peer"));
	END;
	return ir_get(b, other);
}

static struct at_ir *storage(struct at_http_eng *e, unsigned map, struct at_ir *sk, int flags)
{
	struct at_irb *b = &e->b;

	struct at_ir *value =
		ir_let(b, ir_helper(b, STORAGE_GET, 4, ir_map(b, map), sk, C(0), C(flags)));

	if (flags & CREATE && map == e->m_conn) {
		IF(ir_iszero(b, value));
		at_plan_count(b, e->h->c_unfollowed, NULL);
		END;
	}
	return value;
}

static void forget(struct at_http_eng *e, unsigned map, struct at_ir *sk)
{
	struct at_irb *b = &e->b;

	ir_do(b, ir_helper(b, STORAGE_DELETE, 2, ir_map(b, map), sk));
}

/* ---- Programs ---- */

static void recv_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = at_tap_prog_begin(e, "recv"), *ret, *flags, *none;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	flags = ir_let(b, ir_load(b, 8, ir_param(b, 0), 16));
	none = at_tap_received(e, sk, ret, flags);
	ir_do(b, ir_call(b, e->f_tap, 4, sk, ret, C(AT_DIR_IN), none));
	IF(ir_iszero(b, ret));
	at_http_unix_end(e, sk);
	END;
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "sock_recv_length", false);
}

static void send_prog(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_ir *sk = at_tap_prog_begin(e, "send"), *ret;

	ret = ir_let(b, ir_un(b, AT_OP_SEXT32, ir_load(b, 8, ir_param(b, 0), 8)));
	IF(ir_slei(b, ret, 0));
	at_tap_unsend(e, sk);
	at_http_failed(e, sk, ret);
	RETURN(0);
	END;
	ir_do(b, ir_call(b, e->f_tap, 4, sk, ret, C(AT_DIR_OUT), C(0)));
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "sock_send_length", false);
}

static void write_progs(struct at_http_eng *e)
{
	recv_prog(e);
	send_prog(e);
}

const struct at_http_tap at_http_socktp = {
	.name = "socktp",
	.needs = "kernel BTF with the tracepoints sock_recv_length and sock_send_length (6.3)",
	.each_message = true,
	.maps = maps,
	.load = load,
	.tcp = tcp,
	.id = id,
	.peer = peer,
	.storage = storage,
	.forget = forget,
	.progs = write_progs,
};
