/* SPDX-License-Identifier: Apache-2.0 */
/* starts_with: does a string begin with a literal one? */
#include "lib/builtin/builtin.h"

static struct at_val lower_starts_with(struct at_lower *lw, struct at_n_call *call)
{
	struct at_val s = at_lower_expr(lw, call->args.v[0]);
	struct at_ir *yes = at_lower_starts_with(lw, s, at_fold_string(call->args.v[1]));

	return at_word(&at_type_bool, ir_let(lw->b, yes));
}

const struct at_func at_func_starts_with = {
	.name = "starts_with",
	.proto = "bool starts_with(string s, lit-string prefix)",
	.brief = "does the string begin with the other?",
	.lower = lower_starts_with,
};
