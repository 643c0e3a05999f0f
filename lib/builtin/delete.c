/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete and has_key: one entry, at once. A map without keys is set to zero;
 * where its value is kept per CPU only user space can do that, by an event.
 */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

/* Entries of keyed maps are named by a key; false after reporting. */
static bool has_key(struct at_check *c, const struct at_n_call *call, const struct at_n_map *m)
{
	if (m->keys.n || !m->map->keyed)
		return true;
	at_diag(c->diags, AT_D_ARGUMENT_COUNT, call->n.range, "%s() needs the key of an entry",
		call->name);
	at_hint(c->diags, "clear(%s) deletes all entries", m->name);
	return false;
}

static const struct at_type *check_delete(struct at_check *c, struct at_n_call *call)
{
	return has_key(c, call, at_arg_map(call, 0)) ? &at_type_bool : NULL;
}

static bool per_cpu(const struct at_plan_map *m)
{
	return m->kind == AT_MAP_PERCPU_ARRAY || m->kind == AT_MAP_PERCPU_HASH ||
	       m->kind == AT_MAP_LRU_PERCPU_HASH;
}

/* A map without keys. */
static void reset_scalar(struct at_lower *lw, struct at_n_call *call, struct at_n_map *m)
{
	const struct at_plan_map *map = &lw->plan->maps.v[m->map->plan_map];
	struct at_plan_event e = { .map = m->map->plan_map };
	struct at_irb *b = lw->b;
	struct at_ir *v;

	if (per_cpu(map)) {
		at_event_send_values(lw, call, &e, NULL, 0);
		return;
	}
	v = ir_let(b, ir_helper(b, BPF_FUNC_map_lookup_elem, 2, ir_map(b, m->map->plan_map),
				at_lower_key(lw, m)));
	ir_if(b, v);
	ir_zero(b, v, 0, map->value_size);
	ir_end(b);
}

static struct at_val lower_delete(struct at_lower *lw, struct at_n_call *call)
{
	struct at_n_map *m = at_arg_map(call, 0);
	struct at_irb *b = lw->b;
	struct at_ir *err;

	if (!m->keys.n) {
		reset_scalar(lw, call, m);
		return at_word(&at_type_bool, ir_const(b, 1));
	}
	err = ir_helper(b, BPF_FUNC_map_delete_elem, 2, ir_map(b, m->map->plan_map),
			at_lower_key(lw, m));
	return at_word(&at_type_bool, ir_let(b, ir_iszero(b, err)));
}

static int event_delete(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	return at_map_clear(r->run, e->map);
}

static const struct at_type *check_has_key(struct at_check *c, struct at_n_call *call)
{
	const struct at_n_map *m = at_arg_map(call, 0);

	if (m->keys.n)
		return &at_type_bool;
	at_diag(c->diags, AT_D_ARGUMENT_COUNT, call->n.range,
		"has_key() needs a map with keys and a key");
	at_hint(c->diags, "it is written %s", at_check_written(call->func));
	return NULL;
}

static struct at_val lower_has_key(struct at_lower *lw, struct at_n_call *call)
{
	struct at_n_map *m = at_arg_map(call, 0);
	struct at_irb *b = lw->b;
	struct at_ir *v = ir_helper(b, BPF_FUNC_map_lookup_elem, 2, ir_map(b, m->map->plan_map),
				    at_lower_key(lw, m));

	return at_word(&at_type_bool, ir_let(b, ir_un(b, AT_OP_BOOL, v)));
}

const struct at_func at_func_delete = {
	.name = "delete",
	.proto = "bool delete(map m, key k?)",
	.flags = AT_F_ASYNC,
	.brief = "delete an entry of a map; was there one?",
	.check = check_delete,
	.lower = lower_delete,
	.event = event_delete,
};
const struct at_func at_func_has_key = {
	.name = "has_key",
	.proto = "bool has_key(map m, key k)",
	.brief = "is there an entry with this key?",
	.check = check_has_key,
	.lower = lower_has_key,
};
