/* SPDX-License-Identifier: Apache-2.0 */
/* Text being written for dump_plan.c and dump_ir.c: nobody else includes it. */
#ifndef AT_FRONTEND_DUMP_H
#define AT_FRONTEND_DUMP_H

#include "frontend/plan.h"

struct at_out {
	struct at_arena *arena;
	const struct at_plan *plan;
	const struct at_ir_func *fn; /* being dumped */
	unsigned level;              /* of indentation */
	AT_VEC(char) text;
};

void at_put(struct at_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In quotes, with what is not printable as \xNN. */
void at_put_quoted(struct at_out *o, const char *s);
/* "btf_offset "sock.x"", as in the table of symbols and where one is used. */
void at_put_sym(struct at_out *o, const struct at_plan_sym *s);

/* dump_ir.c */
void at_put_func(struct at_out *o, const struct at_ir_func *fn);

#endif
