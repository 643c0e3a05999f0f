/* SPDX-License-Identifier: Apache-2.0 */
/* arg0 to arg9: the fields of args by number, where the provider says that they have one. */
#include <string.h>

#include "lib/builtin/builtin.h"

/* NULL: there is none of that number. */
static const struct at_type_field *numbered(const struct at_attachpt *p,
					    const struct at_n_call *call)
{
	unsigned i = call->func->name[strlen("arg")] - '0';

	if (!p->provider->numbered || !p->args || i >= p->args->nfields)
		return NULL;
	return &p->args->fields[i];
}

static const struct at_type *check_arg(struct at_check *c, struct at_n_call *call)
{
	const struct at_attachpt *p = c->point;
	const struct at_type_field *f;

	if (!p->provider)
		return NULL; /* the attach point was reported */
	f = numbered(p, call);
	if (f && f->type)
		return f->type;
	if (f)
		at_diag(c->diags, AT_D_NOT_YET, call->n.range,
			"an argument of its type cannot be read yet");
	else
		at_diag(c->diags, AT_D_NO_ARGS, call->n.range, "%s has no %s", p->text,
			call->func->name);
	if (!f && p->provider->numbered && p->args && p->args->nfields)
		at_hint(c->diags, "its arguments are arg0 to arg%u", p->args->nfields - 1);
	return NULL;
}

static struct at_val lower_arg(struct at_lower *lw, struct at_n_call *call)
{
	return lw->point->provider->field(lw, numbered(lw->point, call));
}

#define ARG(n)                                                                                 \
	[n] = { .name = "arg" #n,                                                              \
		.proto = "uint64 arg" #n,                                                      \
		.flags = AT_F_VAR,                                                             \
		.brief = "argument " #n " of a raw tracepoint",                                \
		.check = check_arg,                                                            \
		.lower = lower_arg }

const struct at_func at_vars_arg[AT_VARS_ARG] = {
	ARG(0), ARG(1), ARG(2), ARG(3), ARG(4), ARG(5), ARG(6), ARG(7), ARG(8), ARG(9),
};
