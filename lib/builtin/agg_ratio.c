/* SPDX-License-Identifier: Apache-2.0 */
/* ratio: how often a condition was true, of all times. Rows are ordered by the share. */
#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

enum { HITS, TOTAL };

static const struct at_type *type_ratio(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, 2, NULL);
}

static void update_ratio(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
			 struct at_ir *v, bool shared)
{
	struct at_irb *b = lw->b;
	struct at_ir *hit = ir_un(b, AT_OP_BOOL, at_lower_word(lw, call->args.v[0]));

	at_agg_add(b, v, HITS, ir_let(b, hit), shared);
	at_agg_add(b, v, TOTAL, ir_const(b, 1), shared);
}

static void view_ratio(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	const uint64_t parts = 1000000000;

	out->kind = AT_VIEW_SHARE;
	out->hits = v[HITS];
	out->total = v[TOTAL];
	out->order = v[TOTAL] ? (unsigned __int128)v[HITS] * parts / v[TOTAL] : 0;
}

static const struct at_agg ratio_agg = {
	.type = type_ratio,
	.update = update_ratio,
	.merge = at_agg_merge_sums,
	.view = view_ratio,
};

const struct at_func at_func_ratio = {
	.name = "ratio",
	.proto = "void ratio(bool hit)",
	.flags = AT_F_AGG,
	.brief = "share of times the condition was true: percent, hits / total",
	.agg = &ratio_agg,
};
