/* SPDX-License-Identifier: Apache-2.0 */
/* Where a call's bytes are: the registers of the system call that is under way say it. */
#include "lib/http/sock.h"

#include <sys/socket.h>

enum {                                      /* of the kernel's headers */
       PF_NO_REGISTERS = 0x00200000 | 0x10, /* PF_KTHREAD, PF_IO_WORKER */
       TS_COMPAT = 2,
};

/* System calls of x86-64 whose second argument is the buffer, iovecs, or a msghdr. */
static const int buffer_calls[] = { 0, 1, 44, 45 };     /* read write sendto recvfrom */
static const int vector_calls[] = { 19, 20, 327, 328 }; /* readv writev preadv2 pwritev2 */
static const int message_calls[] = { 46, 47 };          /* sendmsg recvmsg */
enum { SENDTO = 44, SENDMSG = 46, RECVMMSG = 299, SENDMMSG = 307 };
enum { MOST_MESSAGES = 1024 }; /* UIO_MAXIOV: what is behind them is not sent */

static struct at_ir *any_of(struct at_irb *b, struct at_ir *v, const int *of, size_t n)
{
	struct at_ir *any = ir_eqi(b, v, of[0]);

	for (size_t i = 1; i < n; i++)
		any = ir_or(b, any, ir_eqi(b, v, of[i]));
	return any;
}

struct at_ir *at_is_compat(struct at_irb *b, struct at_ir *task)
{
	return ir_andi(b, at_btf_load(b, 4, task, "task_struct.thread_info.status"), TS_COMPAT);
}

/* The last byte of a send with MSG_OOB is urgent data, and none of the stream. */
static void note_urgent(struct at_walk *w, struct at_ir *regs, struct at_ir *nr)
{
	struct at_irb *b = w->b;

	IF(ir_eqi(b, nr, SENDTO));
	WS(urgent, ir_andi(b, at_btf_load(b, 8, regs, "pt_regs.r10"), MSG_OOB));
	END;
	IF(ir_eqi(b, nr, SENDMSG));
	WS(urgent, ir_andi(b, at_btf_load(b, 8, regs, "pt_regs.dx"), MSG_OOB));
	END;
}

static struct at_ir *has_messages(struct at_irb *b, struct at_ir *nr)
{
	return ir_or(b, ir_eqi(b, nr, RECVMMSG), ir_eqi(b, nr, SENDMMSG));
}

/* A time limit ends a call without a word, so only single messages are certain then. */
static void note_messages(struct at_walk *w, struct at_ir *regs, struct at_ir *nr)
{
	struct at_irb *b = w->b;
	struct at_ir *n, *limit;

	IF(has_messages(b, nr));
	n = at_http_min(b, ir_un(b, AT_OP_ZEXT32, at_btf_load(b, 8, regs, "pt_regs.dx")),
			C(MOST_MESSAGES));
	limit = ir_and(b, ir_eqi(b, nr, RECVMMSG),
		       ir_nei(b, at_btf_load(b, 8, regs, "pt_regs.r8"), 0));
	limit = ir_and(b, limit, ir_ugti(b, n, 1));
	limit = ir_or(b, limit, ir_andi(b, at_btf_load(b, 8, regs, "pt_regs.r10"), MSG_OOB));
	IF(ir_iszero(b, limit));
	WS(vec, at_btf_load(b, 8, regs, "pt_regs.si"));
	WS(vlen, n);
	END;
	END;
}

/* Is the current call one with several messages? */
struct at_ir *at_http_in_messages(struct at_irb *b)
{
	struct at_ir *task = ir_let(b, ir_helper(b, CURRENT_TASK, 0));
	struct at_ir *regs = ir_let(b, ir_helper(b, TASK_REGS, 1, task));

	return has_messages(b, ir_let(b, at_btf_load(b, 8, regs, "pt_regs.orig_ax")));
}

/* (window, length): the pieces of user memory of the current system call. */
void at_http_source_func(struct at_http_eng *e)
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
	WS(vec, C(0));
	task = ir_let(b, ir_helper(b, CURRENT_TASK, 0));
	at_leave_if(b,
		    ir_andi(b, at_btf_load(b, 4, task, "task_struct.flags"), PF_NO_REGISTERS));
	at_leave_if(b, at_is_compat(b, task));
	regs = ir_let(b, ir_helper(b, TASK_REGS, 1, task));
	nr = ir_let(b, at_btf_load(b, 8, regs, "pt_regs.orig_ax"));
	buf = ir_let(b, at_btf_load(b, 8, regs, "pt_regs.si"));
	note_urgent(w, regs, nr);
	IF(any_of(b, nr, buffer_calls, at_count(buffer_calls)));
	WS(base, buf);
	WS(room, ir_param(b, 1));
	WS(nobuf, C(0));
	RETURN(0);
	END;
	IF(any_of(b, nr, vector_calls, at_count(vector_calls)));
	WS(iov, buf);
	WS(niov, at_btf_load(b, 8, regs, "pt_regs.dx"));
	WS(nobuf, C(0));
	RETURN(0);
	END;
	note_messages(w, regs, nr);
	IF(ir_or(b, ir_nei(b, WL(vec), 0),
		 any_of(b, nr, message_calls, at_count(message_calls))));
	err = ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, user), C(16),
			ir_addi(b, buf, offsetof(struct msghdr, msg_iov)));
	IF(ir_iszero(b, err));
	WS(iov, ir_load(b, 8, w->win, user));
	WS(niov, ir_load(b, 8, w->win, user + 8));
	WS(nobuf, C(0));
	END;
	END;
	RETURN(0);
	e->f_source = func;
}
