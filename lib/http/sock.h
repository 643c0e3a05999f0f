/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs' entries share: taps, admit.c, close.c. */
#ifndef AT_HTTP_SOCK_H
#define AT_HTTP_SOCK_H

#include "lib/http/layout.h"

enum { /* enum bpf_func_id */
       MAP_LOOKUP = 1,
       MAP_UPDATE = 2,
       MAP_DELETE = 3,
       GET_PID_TGID = 14,
       GET_COOKIE = 46,
       STORAGE_GET = 107,
       STORAGE_DELETE = 108,
       PROBE_READ_USER = 112,
       PROBE_READ_KERNEL = 113,
       KTIME_BOOT = 125,
       SKC_TO_TCP = 137,
       SKC_TO_UNIX = 178,
       CURRENT_TASK = 158,
       TASK_REGS = 175,
};

enum { CREATE = 1 };       /* BPF_LOCAL_STORAGE_GET_F_CREATE */
enum { AT_TCP_CLOSE = 7 }; /* TCP_CLOSE */

/* A field of a kernel struct whose type the verifier knows, by its path in BTF. */
struct at_ir *at_btf_load(struct at_irb *b, unsigned width, struct at_ir *addr,
			  const char *path);

/* ---- By the tap that programs are written for (struct at_http_tap) ---- */

/* A field of a socket, or of what a socket points to. */
struct at_ir *at_sk_load(struct at_http_eng *e, unsigned width, struct at_ir *addr,
			 const char *path);
/* The socket's value in one of the engine's maps, or 0; flags: CREATE. */
struct at_ir *at_sk_storage(struct at_http_eng *e, unsigned map, struct at_ir *sk, int flags);
struct at_ir *at_sk_mark(struct at_http_eng *e, struct at_ir *sk, int flags);
/* The local port, also of a connection that has ended. */
struct at_ir *at_sk_port(struct at_http_eng *e, struct at_ir *sk);
/* Sequence number behind the last call that took bytes from the stream, or added some. */
struct at_ir *at_sk_place(struct at_http_eng *e, struct at_ir *tp, int dir);
/* Not 0: there is something that a read can still bring, of TCP also a FIN. */
struct at_ir *at_sk_unread(struct at_http_eng *e, struct at_ir *sk);
/* Does sock.sk_err say that a RST ended the connection? */
struct at_ir *at_is_reset(struct at_irb *b, struct at_ir *err);
/* Is the current call one with several messages? */
struct at_ir *at_http_in_messages(struct at_irb *b);
/* What a read of nothing says of a unix socket. */
void at_http_unix_end(struct at_http_eng *e, struct at_ir *sk);
/* A call that failed: of a connection that is over, nothing more can come. */
void at_http_failed(struct at_http_eng *e, struct at_ir *sk, struct at_ir *ret);
/* A call that sets the mark's kind. */
struct at_ir *at_sk_set_mark(struct at_http_eng *e, struct at_ir *sk, int kind);
/* Address of a window: 0 process context, 1 state changes. */
struct at_ir *at_http_window(struct at_http_eng *e, int entry);
/* Leaves the function with 0 when the condition holds. */
void at_leave_if(struct at_irb *b, struct at_ir *cond);
/* Leaves when only one process is traced, and it is another. */
void at_pid_filter(struct at_irb *b);
bool at_http_all_name_ports(const struct at_http *h);

/* Begins a subprogram that all taps use; its index. */
unsigned at_http_begin(struct at_http_eng *e, const char *name, unsigned nparams);
/* Has it written into its callers: calls may be 8 deep in the kernel, and clauses need some. */
void at_http_inlined(struct at_http_eng *e);
/* TAP_name: what belongs to one tap has its name. */
const char *at_tap_name(struct at_http_eng *e, const char *name);
/* Begins one of this tap's. */
unsigned at_tap_begin(struct at_http_eng *e, const char *name, unsigned nparams);
/* Begins an entry of this tap; the first word of its context, the socket. */
struct at_ir *at_tap_prog_begin(struct at_http_eng *e, const char *name);
/* Adds the entry that was written last to the plan. */
void at_tap_add_prog(struct at_http_eng *e, enum at_prog_kind kind, const char *target,
		     bool optional);

/* A task of the 32-bit ABI: other numbers of system calls, other structs. */
struct at_ir *at_is_compat(struct at_irb *b, struct at_ir *task);

/* tap.c, close.c: what several taps write. */

/* Leaves for a receive that took nothing from the stream. 1: its bytes are not in user memory. */
struct at_ir *at_tap_received(struct at_http_eng *e, struct at_ir *sk, struct at_ir *ret,
			      struct at_ir *flags);
/* The send that had begun sent nothing. */
void at_tap_unsend(struct at_http_eng *e, struct at_ir *sk);
void at_http_send_time_prog(struct at_http_eng *e);
void at_http_unix_prog(struct at_http_eng *e);
void at_http_close_progs(struct at_http_eng *e);

#endif
