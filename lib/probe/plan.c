/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of providers whose clauses have nothing to share: one each. */
#include "lib/probe/probe.h"

int at_probe_plan_each(struct at_lower *lw, const struct at_clause_use *uses, size_t n,
		       enum at_prog_kind kind, bool pid_filter,
		       void (*fill)(struct at_plan_prog *g, const struct at_attachpt *point))
{
	for (size_t i = 0; i < n; i++) {
		const struct at_attachpt *p = uses[i].point;
		struct at_plan_prog g = {
			.kind = kind,
			.provider = p->provider->name,
			.probe = p->text,
			.range = p->range,
		};

		g.func = at_lower_prog(lw, &uses[i], pid_filter);
		g.name = lw->plan->funcs.v[g.func]->name;
		if (fill)
			fill(&g, p);
		at_plan_prog(lw->plan, &g);
	}
	return 0;
}
