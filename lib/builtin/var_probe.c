/* SPDX-License-Identifier: Apache-2.0 */
/* probe: the attach point as text. Each attach point has its own copy of a clause. */
#include <string.h>

#include "lib/builtin/builtin.h"

static const struct at_type *check_probe(struct at_check *c, struct at_n_call *call)
{
	return at_type_string(c->arena, strlen(c->point->text) + 1);
}

static struct at_val lower_probe(struct at_lower *lw, struct at_n_call *call)
{
	return at_lower_literal(lw, lw->point->text);
}

const struct at_func at_var_probe = {
	.name = "probe",
	.proto = "string probe",
	.flags = AT_F_VAR,
	.brief = "the attach point that fired",
	.check = check_probe,
	.lower = lower_probe,
};
