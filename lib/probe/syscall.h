/* SPDX-License-Identifier: Apache-2.0 */
/* The tracepoints of single system calls, without a perf event for each: see syscall.c. */
#ifndef AT_PROBE_SYSCALL_H
#define AT_PROBE_SYSCALL_H

#include "frontend/lower.h"
#include "lib/probe/tpformat.h"

enum { AT_SYSCALLS_FEW = 4 }; /* so many get a perf event each */

struct at_syscall {
	unsigned nr;
	bool exit;
};

/* The programs of one side. */
struct at_syscall_side {
	bool used;
	unsigned map;          /* of the plan: programs by number */
	struct at_range range; /* first use */
};

struct at_syscalls {
	struct at_syscall_side sides[2]; /* enter, exit */
};

/* NULL: not the tracepoint of a system call, or one that only a perf event can serve. */
const struct at_syscall *at_syscall_of(struct at_check *c, const struct at_attachpt *p,
				       const struct at_tpformat *f);
struct at_val at_syscall_field(struct at_lower *lw, const struct at_syscall *call,
			       const struct at_type_field *f);
/* Makes the program one that is called for its system call. */
void at_syscall_prog(struct at_lower *lw, struct at_syscalls *s, const struct at_syscall *call,
		     struct at_plan_prog *g);
/* What such a program does first. */
void at_syscall_leave_if_compat(struct at_irb *b);
/* Adds the programs that call the others; after them, so that they are attached last. */
void at_syscall_finish(struct at_lower *lw, const struct at_syscalls *s,
		       const struct at_provider *p);
int at_syscall_attach(struct at_run *run, const struct at_plan_prog *g, int fd);

#endif
