/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strftime: a point of the boot clock (nsecs) as a point in time, which is
 * shown by its format wherever it is printed. The programs keep nanoseconds
 * since 1970, since the two clocks may drift apart while a script runs; what
 * the format says is made in user space. 0 stays 0, which is no time.
 */
#include <string.h>

#include "lib/builtin/builtin.h"

bool at_check_time_format(struct at_check *c, const struct at_node *arg)
{
	const char *s = at_fold_string(arg), *from;

	while ((from = strchr(s, '%'))) {
		s = from + 1 + strspn(from + 1, "_-0^#");
		s += strspn(s, "0123456789");
		s += strspn(s, "EO");
		if (*s && strchr("aAbBcCdDefFgGhHIjklmMnpPrRsStTuUVwWxXyYzZ%", *s++))
			continue;
		at_diag(c->diags, AT_D_FORMAT, arg->range, "times have no conversion `%.*s`",
			(int)(s - from), from);
		at_hint(c->diags, "they are those of strftime(3), and %%f for microseconds");
		return false;
	}
	return true;
}

static const struct at_type *check(struct at_check *c, struct at_n_call *call)
{
	struct at_type *t;

	if (!at_check_time_format(c, call->args.v[0]))
		return NULL;
	t = at_new(c->arena, struct at_type);
	t->kind = AT_T_TIME;
	t->size = t->align = sizeof(uint64_t);
	t->name = at_fold_string(call->args.v[0]);
	return t;
}

static struct at_val lower(struct at_lower *lw, struct at_n_call *call)
{
	struct at_irb *b = lw->b;
	struct at_ir *ns = ir_let(b, at_lower_word(lw, call->args.v[1]));
	struct at_ir *from = ir_sym(b, at_plan_sym(lw->plan, AT_SYM_WALL, NULL, 0));

	return at_word(call->n.type,
		       ir_let(b, ir_select(b, ns, ir_add(b, ns, from), ir_const(b, 0))));
}

const struct at_func at_func_strftime = {
	.name = "strftime",
	.proto = "time strftime(lit-string format, int nsecs)",
	.brief = "the time at `nsecs`, shown by a format of strftime(3); %f: microseconds",
	.check = check,
	.lower = lower,
};
