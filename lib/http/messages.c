/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sendmmsg and recvmmsg: the tracepoints fire for each of their messages, with
 * the same registers. Which of them it is follows from those before it: a call
 * ends with its last message, with one that was sent in part, or with an error,
 * and begins with the first. What does not fit is not read.
 */
#include "lib/http/layout.h"

#include <sys/socket.h>

enum { GET_PID_TGID = 14, PROBE_READ_USER = 112 }; /* enum bpf_func_id */
enum { MOST_PIECES = 8 };                          /* of a message, to be added up */

static const int64_t user = offsetof(struct at_http_win, user);

/* Reads 16 bytes of user memory; leaves when they are not there. */
static void read_pair(struct at_walk *w, struct at_ir *from)
{
	struct at_irb *b = w->b;

	IF(ir_let(b, ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, w->win, user), C(16), from)));
	HS(mm_bad, C(1));
	RETURN(0);
	END;
}

/* Room of the message in the window's iov, in a local. */
static struct at_ir *room_of(struct at_walk *w)
{
	struct at_irb *b = w->b;
	struct at_ir *n = ir_let(b, WL(niov)), *iov = ir_let(b, WL(iov));
	unsigned sum = ir_local(b);

	ir_set(b, sum, C(0));
	for (int i = 0; i < MOST_PIECES; i++) {
		IF(ir_ugti(b, n, i));
		read_pair(w, ir_addi(b, iov, 16 * i));
		ir_set(b, sum, ir_add(b, ir_get(b, sum), ir_load(b, 8, w->win, user + 8)));
		END;
	}
	return ir_get(b, sum);
}

/* (conn, half, win, length): the pieces of the message whose bytes these are. */
void at_http_message_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_message", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *vec = ir_let(b, WL(vec)), *ret = ir_param(b, 3), *task, *k, *room, *over;
	unsigned index = ir_local(b);

	e->f_message = b->index;
	WS(nobuf, C(1));
	IF(HL(mm_bad));
	RETURN(0);
	END;
	task = ir_let(b, ir_helper(b, GET_PID_TGID, 0));
	ir_set(b, index, C(0));
	IF(ir_and(b, ir_eq(b, HL(mm_vec), vec), ir_eq(b, HL(mm_task), task)));
	ir_set(b, index, HL(mm_next));
	END;
	k = ir_let(b, ir_get(b, index));
	read_pair(w, ir_addi(b, ir_add(b, vec, ir_muli(b, k, sizeof(struct mmsghdr))),
			     offsetof(struct mmsghdr, msg_hdr.msg_iov)));
	WS(iov, ir_load(b, 8, w->win, user));
	WS(niov, ir_load(b, 8, w->win, user + 8));
	WS(room, C(0));
	room = ir_let(b, room_of(w));
	IF(ir_or(b, ir_ugt(b, ret, room), ir_ugti(b, WL(niov), MOST_PIECES)));
	HS(mm_bad, C(1));
	RETURN(0);
	END;
	over = ir_uge(b, ir_addi(b, k, 1), WL(vlen));
	over = ir_or(b, over, ir_and(b, HL(dir), ir_ult(b, ret, room)));
	HS(mm_vec, ir_select(b, over, C(0), vec));
	HS(mm_next, ir_addi(b, k, 1));
	HS(mm_task, task);
	WS(nobuf, C(0));
	RETURN(0);
}

/* A call failed: the next message is the first of another. */
void at_http_messages_end(struct at_http_eng *e, struct at_ir *conn)
{
	struct at_irb *b = &e->b;

	for (int dir = AT_DIR_IN; dir <= AT_DIR_OUT; dir++)
		ir_store(b, 8, conn,
			 offsetof(struct at_http_state, half) +
				 dir * (int64_t)sizeof(struct at_http_stream) +
				 offsetof(struct at_http_stream, mm_vec),
			 C(0));
}
