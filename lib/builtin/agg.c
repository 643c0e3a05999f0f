/* SPDX-License-Identifier: Apache-2.0 */
/* What aggregations have in common: their types, adding, the largest, sums over CPUs. */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

const struct at_type *at_agg_elem(struct at_check *c, const struct at_n_call *call)
{
	return at_check_widen(c, call->args.v[0]->type);
}

struct at_type *at_agg_type(struct at_check *c, struct at_n_call *call, unsigned words,
			    const struct at_type *elem)
{
	struct at_type *t = at_new(c->arena, struct at_type);

	t->kind = AT_T_AGG;
	t->size = words * sizeof(uint64_t);
	t->align = sizeof(uint64_t);
	t->func = call->func;
	t->elem = elem;
	t->sign = elem && elem->sign;
	t->unit = elem ? elem->unit : AT_UNIT_NONE;
	return t;
}

void at_agg_add(struct at_irb *b, struct at_ir *v, unsigned word, struct at_ir *by, bool shared)
{
	int64_t off = word * sizeof(uint64_t);

	if (shared)
		ir_atomic_add(b, 8, v, off, by);
	else
		ir_store(b, 8, v, off, ir_add(b, ir_load(b, 8, v, off), by));
}

/* ---- The largest, by several CPUs at once ---- */

enum { WORD, BY, STATE = 16 }; /* what a try needs, 8 bytes each */

/* A try: done when the word is large enough, or was raised. Made once. */
static unsigned try_func(struct at_lower *lw)
{
	int made = at_find_func(lw->plan, "agg_try_raise");
	struct at_ir *word, *by, *old;
	struct at_irb b = { 0 };

	if (made >= 0)
		return made;
	ir_begin(&b, lw->plan, "agg_try_raise", AT_FN_TRIP, 2);
	word = ir_let(&b, ir_load(&b, 8, ir_param(&b, 1), WORD * 8));
	by = ir_let(&b, ir_load(&b, 8, ir_param(&b, 1), BY * 8));
	old = ir_let(&b, ir_load(&b, 8, word, 0));
	ir_if(&b, ir_ule(&b, by, old));
	ir_return(&b, ir_const(&b, 1));
	ir_end(&b);
	ir_return(&b, ir_eq(&b, ir_cmpxchg(&b, 8, word, 0, old, by), old));
	return b.index;
}

/*
 * raise(word, by): *word = max(*word, by). A try fails only when another CPU
 * raised the word in between, so there are no more of them than CPUs; the
 * first look is for the usual case, that there is nothing to raise.
 */
static unsigned raise_func(struct at_lower *lw)
{
	enum { TRIES = 4096 };
	int made = at_find_func(lw->plan, "agg_raise");
	struct at_irb b = { 0 };
	struct at_ir *state;
	unsigned try;

	if (made >= 0)
		return made;
	try = try_func(lw);
	ir_begin(&b, lw->plan, "agg_raise", AT_FN_SUB, 2);
	b.fn->inlined = true; /* calls may be 8 deep, and on kernels without may_goto a loop is one */
	ir_if(&b, ir_ugt(&b, ir_param(&b, 1), ir_load(&b, 8, ir_param(&b, 0), 0)));
	state = ir_slot(&b, STATE);
	ir_store(&b, 8, state, WORD * 8, ir_param(&b, 0));
	ir_store(&b, 8, state, BY * 8, ir_param(&b, 1));
	ir_repeat(&b, ir_const(&b, TRIES), try, state);
	ir_end(&b);
	return b.index;
}

void at_agg_raise(struct at_lower *lw, struct at_ir *v, unsigned word, struct at_ir *by,
		  bool shared)
{
	struct at_irb *b = lw->b;
	int64_t off = word * sizeof(uint64_t);

	if (shared) {
		ir_do(b, ir_call(b, raise_func(lw), 2, ir_addi(b, v, off), by));
		return;
	}
	ir_if(b, ir_ugt(b, by, ir_load(b, 8, v, off)));
	ir_store(b, 8, v, off, by);
	ir_end(b);
}

/* ---- Over all CPUs ---- */

void at_agg_merge_sums(const struct at_type *t, uint64_t *dst, const uint64_t *src)
{
	for (unsigned i = 0; i < t->size / sizeof(*dst); i++)
		dst[i] += src[i];
}

/* A value that is shared is read once, as if there were one CPU. */
struct at_agg_loop at_agg_each_cpu(struct at_lower *lw, unsigned plan_map, struct at_ir *key)
{
	const struct at_plan_map *map = &lw->plan->maps.v[plan_map];
	bool shared = map->kind == AT_MAP_HASH || map->kind == AT_MAP_LRU_HASH ||
		      map->kind == AT_MAP_ARRAY;
	struct at_irb *b = lw->b;
	struct at_agg_loop l = { .cpu = ir_local(b) };
	struct at_ir *n = shared ? ir_const(b, 1)
				 : ir_sym(b, at_plan_sym(lw->plan, AT_SYM_NCPUS, NULL, 0));
	struct at_ir *cpu = ir_get(b, l.cpu);

	ir_set(b, l.cpu, ir_const(b, 0));
	ir_loop(b);
	ir_if(b, ir_uge(b, cpu, n));
	ir_break(b);
	ir_end(b);
	if (shared)
		l.v = ir_helper(b, BPF_FUNC_map_lookup_elem, 2, ir_map(b, plan_map), key);
	else
		l.v = ir_helper(b, BPF_FUNC_map_lookup_percpu_elem, 3, ir_map(b, plan_map), key,
				cpu);
	l.v = ir_let(b, l.v);
	ir_if(b, ir_iszero(b, l.v));
	ir_break(b);
	ir_end(b);
	return l;
}

void at_agg_end_cpu(struct at_lower *lw, const struct at_agg_loop *l)
{
	struct at_irb *b = lw->b;

	ir_set(b, l->cpu, ir_addi(b, ir_get(b, l->cpu), 1));
	ir_end(b);
}

void at_agg_number(struct at_view *out, const struct at_type *type, int64_t number)
{
	out->kind = AT_VIEW_NUMBER;
	out->type = type;
	out->number = out->order = number;
}
