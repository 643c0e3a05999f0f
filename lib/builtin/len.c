/* SPDX-License-Identifier: Apache-2.0 */
/* len and strlen: entries of a map, bytes of a string. */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"

static const struct at_type *check_len(struct at_check *c, struct at_n_call *call)
{
	const struct at_node *arg = call->args.v[0];
	const struct at_n_map *m = arg->kind == AT_N_MAP ? at_arg_map(call, 0) : NULL;

	if (arg->type->kind == AT_T_STRING && (!m || m->keys.n))
		return &at_type_uint64;
	if (m && !m->keys.n && !m->map->unkeyed)
		return &at_type_uint64;
	at_diag(c->diags, AT_D_ARGUMENT_TYPE, arg->range,
		m && !m->keys.n ? "%s has no keys to count"
				: "len() wants a map or a string, not %s",
		m && !m->keys.n ? m->name : at_type_text(c->arena, arg->type));
	return NULL;
}

/* The callback that lets the kernel count entries: it goes on. Made once. */
static unsigned count_func(struct at_lower *lw)
{
	static const char name[] = "count_entry";
	int made = at_find_func(lw->plan, name);
	struct at_irb b = { 0 };

	if (made >= 0)
		return made;
	ir_begin(&b, lw->plan, name, AT_FN_TRIP, 4);
	ir_return(&b, ir_const(&b, 0));
	return b.index;
}

static struct at_val lower_len(struct at_lower *lw, struct at_n_call *call)
{
	struct at_irb *b = lw->b;
	struct at_node *arg = call->args.v[0];
	struct at_ir *n;

	if (arg->kind != AT_N_MAP || at_arg_map(call, 0)->keys.n) {
		n = at_lower_strlen(lw, at_lower_expr(lw, arg));
		return at_word(&at_type_uint64, ir_let(b, n));
	}
	n = ir_helper(b, BPF_FUNC_for_each_map_elem, 4,
		      ir_map(b, at_arg_map(call, 0)->map->plan_map),
		      ir_funcaddr(b, count_func(lw)), ir_const(b, 0), ir_const(b, 0));
	return at_word(&at_type_uint64, ir_let(b, n));
}

static struct at_val lower_strlen(struct at_lower *lw, struct at_n_call *call)
{
	struct at_ir *n = at_lower_strlen(lw, at_lower_expr(lw, call->args.v[0]));

	return at_word(&at_type_uint64, ir_let(lw->b, n));
}

const struct at_func at_func_len = {
	.name = "len",
	.proto = "uint64 len(any what)",
	.brief = "number of entries of a map, or of bytes of a string",
	.needs = "Linux 5.13 for maps",
	.check = check_len,
	.lower = lower_len,
};
const struct at_func at_func_strlen = {
	.name = "strlen",
	.proto = "uint64 strlen(string s)",
	.brief = "number of bytes of a string",
	.lower = lower_strlen,
};
