/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tap `syscall`: tp_btf sys_exit, where all system calls pass, for kernels
 * that have no tracepoint at sockets. The number tells which calls are of
 * interest, the descriptor leads to the socket. The verifier does not know the
 * type of what is found by a descriptor, so fields are read with a helper and
 * what is kept of a socket lies in hashes under its address. It is forgotten
 * when a TCP socket goes; of AF_UNIX, which says nothing then, when both sides
 * have ended, or when another socket is found at the address.
 */
#include "lib/http/sock.h"

#include <sys/socket.h>
#include <sys/stat.h>

enum {
	CONNECTIONS = 16384, /* followed at once */
	MARKS = 32768,
	NOEXIST = 1,          /* BPF_NOEXIST */
	SHUTDOWN = 3,         /* SHUTDOWN_MASK of include/net/sock.h */
	MOST = 0x7fffffff,    /* bytes of a call: MAX_RW_COUNT is less */
	MOST_MESSAGES = 1024, /* of a call: UIO_MAXIOV */
};

/* ---- What is kept of a socket ---- */

static void maps(struct at_http_eng *e)
{
	struct at_plan_map conn = { .name = "http_conn",
				    .kind = AT_MAP_HASH,
				    .max_entries = CONNECTIONS,
				    .key_size = 8,
				    .value_size = e->total };
	struct at_plan_map mark = { .name = "http_mark",
				    .kind = AT_MAP_LRU_HASH,
				    .max_entries = MARKS,
				    .key_size = 8,
				    .value_size = sizeof(struct at_http_mark) };
	/* A new value is a copy of one; both kinds begin as zeroes. */
	struct at_plan_map blank = { .name = "http_blank",
				     .kind = AT_MAP_ARRAY,
				     .key_size = 4,
				     .value_size = e->total };

	conn.alternative = mark.alternative = blank.alternative = e->tap->name;
	e->m_conn = at_plan_map(e->plan, &conn);
	e->m_mark = at_plan_map(e->plan, &mark);
	e->m_blank = at_plan_map(e->plan, &blank);
}

/* Memory for 8 bytes on the stack of the function that is being written. */
static struct at_ir *spare(struct at_http_eng *e)
{
	if (!e->spare || e->spare_of != e->b.index)
		e->spare = ir_slot(&e->b, 8);
	e->spare_of = e->b.index;
	return e->spare;
}

static struct at_ir *read_at(struct at_http_eng *e, unsigned width, struct at_ir *addr)
{
	struct at_irb *b = &e->b;
	struct at_ir *to = spare(e);

	ir_store(b, 8, to, 0, C(0));
	ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, to, C(width), addr));
	return ir_let(b, ir_load(b, width, to, 0));
}

static struct at_ir *load(struct at_http_eng *e, unsigned width, struct at_ir *addr,
			  const char *path)
{
	struct at_irb *b = &e->b;
	unsigned sym = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, path, 0);

	return read_at(e, width, ir_add(b, addr, ir_sym(b, sym)));
}

/* The filter has let TCP pass: a tcp_sock begins with its sock. */
static struct at_ir *tcp(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *family = load(e, 2, sk, "sock.__sk_common.skc_family");

	return ir_select(b, ir_eqi(b, family, AF_UNIX), C(0), sk);
}

/* Number of the socket's inode: no two sockets have the same at once. */
static struct at_ir *id(struct at_http_eng *e, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *socket = load(e, 8, sk, "sock.sk_socket");
	unsigned sym = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, "socket_alloc.vfs_inode", 0);

	return load(e, 8, ir_add(b, socket, ir_sym(b, sym)), "inode.i_ino");
}

static struct at_ir *peer(struct at_http_eng *e, struct at_ir *sk)
{
	return load(e, 8, sk, "unix_sock.peer");
}

static struct at_ir *lookup(struct at_http_eng *e, unsigned map, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *key = spare(e);

	ir_store(b, 8, key, 0, sk);
	return ir_helper(b, MAP_LOOKUP, 2, ir_map(b, map), key);
}

static void forget(struct at_http_eng *e, unsigned map, struct at_ir *sk)
{
	struct at_irb *b = &e->b;
	struct at_ir *key = spare(e);

	ir_store(b, 8, key, 0, sk);
	ir_do(b, ir_helper(b, MAP_DELETE, 2, ir_map(b, map), key));
}

/* For which socket of AF_UNIX a value was made; 0: of TCP, whose end is always seen. */
static struct at_ir *made_for(struct at_http_eng *e, unsigned map, struct at_ir *value)
{
	struct at_irb *b = &e->b;
	struct at_ir *family;

	if (map == e->m_mark)
		return AT_LD(at_http_mark, value, born);
	family = AT_LD(at_http_conn, value, family);
	return ir_select(b, ir_eqi(b, family, AF_UNIX), AT_LD(at_http_conn, value, id), C(0));
}

static void create(struct at_http_eng *e, unsigned map, struct at_ir *sk, unsigned value)
{
	struct at_irb *b = &e->b;
	struct at_ir *key = spare(e), *blank = ir_mapval(b, e->m_blank, 0), *err;

	ir_store(b, 8, key, 0, sk);
	err = ir_helper(b, MAP_UPDATE, 4, ir_map(b, map), key, blank, C(NOEXIST));
	IF(ir_let(b, err));
	at_plan_count(b, e->h->c_unfollowed, NULL);
	END;
	ir_set(b, value, lookup(e, map, sk));
	if (map != e->m_mark)
		return;
	IF(ir_get(b, value));
	IF(ir_eqi(b, load(e, 2, sk, "sock.__sk_common.skc_family"), AF_UNIX));
	AT_ST(at_http_mark, ir_get(b, value), born, id(e, sk));
	END;
	END;
}

/* (sock, CREATE or 0): its value in the map, or 0. */
static unsigned find_func(struct at_http_eng *e, const char *name, unsigned map)
{
	unsigned func = at_tap_begin(e, name, 2), value;
	struct at_irb *b = &e->b;
	struct at_ir *sk = ir_param(b, 0), *born, *now;

	value = ir_local(b);
	ir_set(b, value, lookup(e, map, sk));
	IF(ir_get(b, value));
	born = ir_let(b, made_for(e, map, ir_get(b, value)));
	IF(born);
	now = id(e, sk); /* 0: it was closed, and is held by its peer */
	IF(ir_and(b, ir_nei(b, now, 0), ir_ne(b, born, now)));
	forget(e, map, sk);
	ir_set(b, value, C(0));
	END;
	END;
	END;
	IF(ir_and(b, ir_param(b, 1), ir_iszero(b, ir_get(b, value))));
	create(e, map, sk, value);
	END;
	ir_return(b, ir_get(b, value));
	return func;
}

static struct at_ir *storage(struct at_http_eng *e, unsigned map, struct at_ir *sk, int flags)
{
	struct at_irb *b = &e->b;
	unsigned func = map == e->m_mark ? e->f_find_mark : e->f_find_conn;

	return ir_let(b, ir_call(b, func, 2, sk, C(flags)));
}

/* ---- From a descriptor to its socket ---- */

/* (descriptor): the sock, or 0 for what is no socket. */
static unsigned sock_func(struct at_http_eng *e)
{
	unsigned func = at_tap_begin(e, "sock", 1);
	struct at_irb *b = &e->b;
	struct at_ir *fd = ir_param(b, 0), *task, *table, *file, *inode, *mode, *socket;

	task = ir_let(b, ir_helper(b, CURRENT_TASK, 0));
	table = ir_let(b, at_btf_load(b, 8, task, "task_struct.files"));
	table = ir_let(b, at_btf_load(b, 8, table, "files_struct.fdt"));
	at_leave_if(b, ir_uge(b, fd, at_btf_load(b, 4, table, "fdtable.max_fds")));
	file = ir_add(b, at_btf_load(b, 8, table, "fdtable.fd"), ir_shli(b, fd, 3));
	file = read_at(e, 8, file);
	at_leave_if(b, ir_iszero(b, file));
	inode = load(e, 8, file, "file.f_inode");
	mode = load(e, 2, inode, "inode.i_mode");
	at_leave_if(b, ir_nei(b, ir_andi(b, mode, S_IFMT), S_IFSOCK));
	socket = load(e, 8, file, "file.private_data");
	ir_return(b, load(e, 8, socket, "socket.sk"));
	return func;
}

/* ---- Calls ---- */

enum { RECEIVES = 1, SENDS = 2, FLAGS_R10 = 4, FLAGS_DX = 8, FLAGS_SI = 16, MESSAGES = 32 };
enum { SPLICE = 275, WORD = 64 };

/* A system call that moves bytes of sockets, and the register of its flags. */
struct call {
	int nr;
	unsigned what;
};

/* Of x86-64. The result of some counts messages; splice may do both. */
static const struct call calls[] = {
	{ 0, RECEIVES },                          /* read */
	{ 1, SENDS },                             /* write */
	{ 19, RECEIVES },                         /* readv */
	{ 20, SENDS },                            /* writev */
	{ 40, SENDS },                            /* sendfile */
	{ 44, SENDS },                            /* sendto */
	{ 45, RECEIVES | FLAGS_R10 },             /* recvfrom */
	{ 46, SENDS },                            /* sendmsg */
	{ 47, RECEIVES | FLAGS_DX },              /* recvmsg */
	{ SPLICE, RECEIVES | SENDS },             /* splice */
	{ 299, RECEIVES | FLAGS_R10 | MESSAGES }, /* recvmmsg */
	{ 307, SENDS | MESSAGES },                /* sendmmsg */
	{ 327, RECEIVES },                        /* preadv2 */
	{ 328, SENDS },                           /* pwritev2 */
	{ -1, 0 },
};

/* Of 32-bit programs: that bytes were moved is seen, and not which. */
static const struct call compat_calls[] = {
	{ 3, RECEIVES },              /* read */
	{ 4, SENDS },                 /* write */
	{ 145, RECEIVES },            /* readv */
	{ 146, SENDS },               /* writev */
	{ 369, SENDS },               /* sendto */
	{ 370, SENDS },               /* sendmsg */
	{ 371, RECEIVES | FLAGS_SI }, /* recvfrom */
	{ 372, RECEIVES | FLAGS_DX }, /* recvmsg */
	{ -1, 0 },
};

/* Is the number in the table that of a call with one of these marks? */
static struct at_ir *is_in(struct at_irb *b, const struct call *of, struct at_ir *nr,
			   unsigned what)
{
	struct at_ir *high = C(0), *low;
	uint64_t mask = 0;

	for (; of->nr >= 0; of++) {
		if (!(of->what & what))
			continue;
		if (of->nr < WORD)
			mask |= 1ull << of->nr;
		else
			high = ir_or(b, high, ir_eqi(b, nr, of->nr));
	}
	low = ir_andi(b, ir_shr(b, C(mask), nr), 1);
	return ir_let(b, ir_select(b, ir_ulti(b, nr, WORD), low, high));
}

/* What is known of the call when the program ends its quick way out. */
struct exit {
	struct at_ir *regs, *nr, *ret, *compat;
};

static struct at_ir *is_call(struct at_irb *b, const struct exit *x, unsigned what)
{
	struct at_ir *wide = is_in(b, calls, x->nr, what);

	return ir_let(b, ir_select(b, x->compat, is_in(b, compat_calls, x->nr, what), wide));
}

/* The descriptor, the first argument. */
static struct at_ir *first_fd(struct at_irb *b, const struct exit *x)
{
	struct at_ir *wide = ir_let(b, at_btf_load(b, 4, x->regs, "pt_regs.di"));

	return ir_let(b,
		      ir_select(b, x->compat, at_btf_load(b, 4, x->regs, "pt_regs.bx"), wide));
}

/* Bytes of the messages of a call: the sum of their lengths, in the window's tmp[2]. */
static unsigned messages_trip(struct at_http_eng *e)
{
	struct at_irb *b = &e->b;
	struct at_walk walk = { .e = e, .b = b }, *w = &walk;
	const int64_t user = offsetof(struct at_http_win, user),
		      tmp = offsetof(struct at_http_win, tmp);
	struct at_ir *at, *err, *left;

	ir_begin(b, e->plan, at_tap_name(e, "messages_trip"), AT_FN_TRIP, 2);
	w->win = ir_let(b, ir_load(b, 8, ir_param(b, 1), 0));
	left = ir_let(b, ir_load(b, 8, w->win, tmp + 8));
	IF(ir_iszero(b, left));
	RETURN(1);
	END;
	ir_store(b, 8, w->win, tmp + 8, ir_addi(b, left, -1));
	at = ir_let(b, ir_load(b, 8, w->win, tmp));
	ir_store(b, 8, w->win, tmp, ir_addi(b, at, sizeof(struct mmsghdr)));
	err = ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, user), C(4),
			ir_addi(b, at, offsetof(struct mmsghdr, msg_len)));
	IF(err);
	RETURN(1);
	END;
	ir_store(b, 8, w->win, tmp + 16,
		 ir_add(b, ir_load(b, 8, w->win, tmp + 16), ir_load(b, 4, w->win, user)));
	RETURN(0);
	return b->index;
}

/* (first message, number): their bytes. */
static unsigned messages_func(struct at_http_eng *e)
{
	unsigned trip = messages_trip(e), func = at_tap_begin(e, "messages", 2);
	struct at_irb *b = &e->b;
	struct at_ir *win = at_http_window(e, 0), *context = ir_slot(b, 8);
	const int64_t tmp = offsetof(struct at_http_win, tmp);

	at_leave_if(b, ir_iszero(b, win));
	ir_store(b, 8, win, tmp, ir_param(b, 0));
	ir_store(b, 8, win, tmp + 8, ir_param(b, 1));
	ir_store(b, 8, win, tmp + 16, C(0));
	ir_store(b, 8, context, 0, win);
	ir_repeat(b, C(MOST_MESSAGES), trip, context);
	ir_return(b, ir_load(b, 8, win, tmp + 16));
	return func;
}

struct funcs {
	unsigned sock, messages;
};

/* The socket of a call and which way its bytes go, into locals. */
static void find_socket(struct at_http_eng *e, const struct funcs *f, const struct exit *x,
			unsigned sk, unsigned dir)
{
	struct at_irb *b = &e->b;

	ir_set(b, dir, is_call(b, x, SENDS)); /* 1: AT_DIR_OUT */
	ir_set(b, sk, ir_call(b, f->sock, 1, first_fd(b, x)));
	IF(ir_eqi(b, x->nr, SPLICE));
	IF(ir_get(b, sk));
	ir_set(b, dir, C(AT_DIR_IN));
	ELSE;
	ir_set(b, sk, ir_call(b, f->sock, 1, at_btf_load(b, 4, x->regs, "pt_regs.dx")));
	END;
	END;
}

/* Flags of a receiving call. */
static struct at_ir *flags_of(struct at_irb *b, const struct exit *x)
{
	static const struct {
		unsigned what;
		const char *path;
	} places[] = { { FLAGS_R10, "pt_regs.r10" },
		       { FLAGS_DX, "pt_regs.dx" },
		       { FLAGS_SI, "pt_regs.si" } };
	unsigned flags = ir_local(b);

	ir_set(b, flags, C(0));
	for (size_t i = 0; i < at_count(places); i++) {
		IF(is_call(b, x, places[i].what));
		ir_set(b, flags, at_btf_load(b, 4, x->regs, places[i].path));
		END;
	}
	return ir_get(b, flags);
}

/* Bytes that the call moved: at most MAX_RW_COUNT, or an error. */
static struct at_ir *length_of(struct at_http_eng *e, const struct funcs *f,
			       const struct exit *x)
{
	struct at_irb *b = &e->b;
	unsigned n = ir_local(b);

	ir_set(b, n, x->ret);
	IF(ir_and(b, is_call(b, x, MESSAGES), ir_sgti(b, x->ret, 0)));
	ir_set(b, n,
	       ir_call(b, f->messages, 2, at_btf_load(b, 8, x->regs, "pt_regs.si"), x->ret));
	END;
	return ir_let(b, ir_un(b, AT_OP_SEXT32, ir_get(b, n)));
}

/* (registers, number, result) of a call that may have moved bytes of a socket. */
static unsigned call_func(struct at_http_eng *e, const struct funcs *f)
{
	unsigned func = at_tap_begin(e, "on_socket", 3), sk, dir, none;
	struct at_irb *b = &e->b;
	struct exit exit = { ir_param(b, 0), ir_param(b, 1), ir_param(b, 2), NULL }, *x = &exit;
	struct at_ir *n;

	at_http_inlined(e);
	at_pid_filter(b);
	x->compat = at_is_compat(b, ir_let(b, ir_helper(b, CURRENT_TASK, 0)));
	x->compat = ir_let(b, ir_un(b, AT_OP_BOOL, x->compat));
	at_leave_if(b, ir_iszero(b, is_call(b, x, RECEIVES | SENDS)));
	sk = ir_local(b);
	dir = ir_local(b);
	none = ir_local(b);
	find_socket(e, f, x, sk, dir);
	at_leave_if(b, ir_iszero(b, ir_get(b, sk)));
	IF(ir_and(b, ir_slei(b, x->ret, 0), ir_get(b, dir)));
	at_tap_unsend(e, ir_get(b, sk));
	at_http_failed(e, ir_get(b, sk), x->ret);
	RETURN(0);
	END;
	n = length_of(e, f, x);
	ir_set(b, none, C(0));
	IF(ir_iszero(b, ir_get(b, dir)));
	ir_set(b, none, at_tap_received(e, ir_get(b, sk), n, flags_of(b, x)));
	END;
	ir_do(b, ir_call(b, e->f_tap, 4, ir_get(b, sk), n, ir_get(b, dir), ir_get(b, none)));
	IF(ir_iszero(b, ir_or(b, n, ir_get(b, dir))));
	at_http_unix_end(e, ir_get(b, sk));
	END;
	RETURN(0);
	return func;
}

/* Most system calls leave here, so it asks nothing but their number. */
static void exit_prog(struct at_http_eng *e, unsigned call)
{
	struct at_irb *b = &e->b;
	struct at_ir *regs = at_tap_prog_begin(e, "exit"), *nr, *wide, *ret;

	nr = ir_let(b, at_btf_load(b, 8, regs, "pt_regs.orig_ax"));
	wide = is_in(b, calls, nr, RECEIVES | SENDS);
	at_leave_if(b,
		    ir_iszero(b, ir_or(b, wide, is_in(b, compat_calls, nr, RECEIVES | SENDS))));
	ret = ir_let(b, ir_load(b, 8, ir_param(b, 0), 8));
	ir_do(b, ir_call(b, call, 3, regs, nr, ret));
	RETURN(0);
	at_tap_add_prog(e, AT_PROG_TP_BTF, "sys_exit", false);
}

static void funcs(struct at_http_eng *e)
{
	e->f_find_conn = find_func(e, "conn", e->m_conn);
	e->f_find_mark = find_func(e, "mark", e->m_mark);
}

static void progs(struct at_http_eng *e)
{
	struct funcs f = { .sock = sock_func(e), .messages = messages_func(e) };

	exit_prog(e, call_func(e, &f));
}

const struct at_http_tap at_http_syscall = {
	.name = "syscall",
	.needs = "kernel BTF and bpf_loop (5.17)",
	.by_address = true,
	.maps = maps,
	.funcs = funcs,
	.load = load,
	.tcp = tcp,
	.id = id,
	.peer = peer,
	.storage = storage,
	.forget = forget,
	.progs = progs,
};
