/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps in core IR. Scalars are arrays of one entry, reached without a lookup
 * where they are not per-CPU. New entries start as zero (copied from the map
 * "zero", which nobody writes) and are then changed in place; what cannot be
 * put into a map is counted for that map, by whether it is full.
 */
#include "frontend/lower_int.h"

#include <errno.h>
#include <string.h>

enum { BPF_ANY, BPF_NOEXIST };

static const struct at_plan_map *plan_map(struct at_lower *lw, const struct at_mapsym *m)
{
	return &lw->plan->maps.v[m->plan_map];
}

static bool is_percpu(const struct at_plan_map *m)
{
	return m->kind == AT_MAP_PERCPU_HASH || m->kind == AT_MAP_LRU_PERCPU_HASH ||
	       m->kind == AT_MAP_PERCPU_ARRAY;
}

static void count_one(struct at_lower *lw, const struct at_mapsym *m, int *counter,
		      const char *name, const char *why)
{
	if (*counter < 0)
		*counter = at_plan_counter(lw->plan, name,
					   at_sprintf(lw->arena,
						      "%%llu updates of %s failed: %s",
						      m->name, why),
					   m->plan_map);
	at_plan_count(lw->b, *counter, NULL);
}

/* The helper's result: an int, of which kernels before 6.4 leave the upper half undefined. */
static struct at_ir *map_update(struct at_irb *b, struct at_ir *map, struct at_ir *key,
				struct at_ir *value, int flags)
{
	struct at_ir *err =
		ir_helper(b, AT_H_UPDATE, 4, map, key, value, ir_const(b, flags));

	return ir_let(b, ir_un(b, AT_OP_SEXT32, err));
}

/* -E2BIG is of full maps; the others are -ENOMEM and, of a lock that is held, -EBUSY. */
static void count_failed(struct at_lower *lw, const struct at_mapsym *m, struct at_ir *err)
{
	struct at_lowering *all = at_lowering_of(lw);
	struct at_irb *b = lw->b;

	ir_if(b, ir_eqi(b, err, -E2BIG));
	count_one(lw, m, &all->map_full[m->plan_map], "map_full", "it is full");
	ir_else(b);
	count_one(lw, m, &all->map_failed[m->plan_map], "map_failed",
		  "the kernel had no memory for them at once");
	ir_end(b);
}

/* A zero value of the size of the map's, for new entries. */
static struct at_ir *zero_value(struct at_lower *lw, const struct at_plan_map *m)
{
	struct at_lowering *all = at_lowering_of(lw);

	if (all->zero_map < 0)
		all->zero_map = at_plan_map(lw->plan, &(struct at_plan_map){
							      .name = "zero",
							      .kind = AT_MAP_ARRAY,
							      .key_size = sizeof(uint32_t),
							      .value_size = 8,
						      });
	if (m->value_size > all->zero_size)
		all->zero_size = m->value_size;
	return ir_mapval(lw->b, all->zero_map, 0);
}

/* ---- Keys ---- */

static bool has_padding(const struct at_type *t)
{
	unsigned end = 0;

	if (t->kind != AT_T_TUPLE)
		return false;
	for (unsigned i = 0; i < t->nfields; i++) {
		if (t->fields[i].offset != end || has_padding(t->fields[i].type))
			return true;
		end += t->fields[i].type->size;
	}
	return end != t->size;
}

static void store_key(struct at_lower *lw, struct at_n_map *n, const struct at_type *key,
		      struct at_ir *addr)
{
	if (has_padding(key))
		ir_zero(lw->b, addr, 0, (key->size + 7) & ~7u);
	if (n->keys.n == 1) {
		at_lower_store(lw, key, addr, 0, at_lower_value(lw, n->keys.v[0]));
		return;
	}
	for (size_t i = 0; i < n->keys.n; i++)
		at_lower_store(lw, key->fields[i].type, addr, key->fields[i].offset,
			       at_lower_value(lw, n->keys.v[i]));
}

struct at_ir *at_lower_key(struct at_lower *lw, struct at_n_map *n)
{
	const struct at_type *key = n->keys.n ? n->map->key : NULL;
	struct at_ir *addr = at_lower_temp(lw, key ? key->size : sizeof(uint32_t));

	if (key)
		store_key(lw, n, key, addr);
	else
		ir_store(lw->b, 4, addr, 0, ir_const(lw->b, 0));
	return addr;
}

/* ---- Looking up ---- */

/* A scalar that all CPUs share is at a known address. */
static bool at_known_address(struct at_lower *lw, const struct at_n_map *n)
{
	return plan_map(lw, n->map)->kind == AT_MAP_ARRAY;
}

static void make_entry(struct at_lower *lw, struct at_n_map *n, struct at_ir *key,
		       unsigned value)
{
	struct at_irb *b = lw->b;
	const struct at_plan_map *m = plan_map(lw, n->map);
	struct at_ir *map = ir_map(b, n->map->plan_map), *err;

	ir_if(b, ir_iszero(b, ir_get(b, value)));
	err = map_update(b, map, key, zero_value(lw, m), BPF_NOEXIST);
	ir_set(b, value, ir_helper(b, AT_H_LOOKUP, 2, map, key));
	ir_if(b, ir_iszero(b, ir_get(b, value)));
	count_failed(lw, n->map, err);
	ir_end(b);
	ir_end(b);
}

struct at_ir *at_lower_lookup(struct at_lower *lw, struct at_n_map *n, struct at_ir *key,
			      bool make)
{
	struct at_irb *b = lw->b;
	unsigned value;

	if (at_known_address(lw, n))
		return ir_mapval(b, n->map->plan_map, 0);
	value = ir_local(b);
	ir_set(b, value, ir_helper(b, AT_H_LOOKUP, 2, ir_map(b, n->map->plan_map), key));
	if (make && n->keys.n)
		make_entry(lw, n, key, value);
	return ir_get(b, value);
}

/* The value's address for changing it in place, inside an `if` that the caller closes. */
static struct at_ir *open_value(struct at_lower *lw, struct at_n_map *n)
{
	struct at_ir *key = at_known_address(lw, n) ? NULL : at_lower_key(lw, n);
	struct at_ir *value = at_lower_lookup(lw, n, key, true);

	ir_if(lw->b, at_known_address(lw, n) ? ir_const(lw->b, 1) : value);
	return value;
}

/* ---- Reading ---- */

static struct at_val read_agg(struct at_lower *lw, struct at_n_map *n)
{
	const struct at_type *t = n->map->value;
	const struct at_agg *agg = t->func->agg;

	return at_word(agg->read_type(t),
		       ir_let(lw->b, agg->read(lw, t, n->map->plan_map, at_lower_key(lw, n))));
}

static struct at_val read_word(struct at_lower *lw, const struct at_type *t,
			       struct at_ir *value)
{
	struct at_irb *b = lw->b;
	unsigned word = ir_local(b);

	ir_set(b, word, ir_const(b, 0));
	ir_if(b, value);
	ir_set(b, word, at_lower_load(lw, t, value, 0));
	ir_end(b);
	return at_word(t, ir_get(b, word));
}

/* The entry may change or go while it is used: a copy. */
static struct at_val read_bytes(struct at_lower *lw, const struct at_type *t,
				struct at_ir *value)
{
	struct at_irb *b = lw->b;
	struct at_val v = { .type = t, .ir = at_lower_temp(lw, t->size) };

	ir_if(b, value);
	ir_copy(b, v.ir, 0, value, 0, t->size);
	ir_else(b);
	ir_zero(b, v.ir, 0, t->size);
	ir_end(b);
	return v;
}

struct at_val at_lower_map_read(struct at_lower *lw, struct at_n_map *n)
{
	const struct at_type *t = n->map->value;
	struct at_ir *value;

	if (t->kind == AT_T_AGG)
		return read_agg(lw, n);
	if (at_known_address(lw, n)) {
		value = ir_mapval(lw->b, n->map->plan_map, 0);
		if (at_type_is_word(t))
			return at_word(t, ir_let(lw->b, at_lower_load(lw, t, value, 0)));
		return read_bytes(lw, t, value);
	}
	value = at_lower_lookup(lw, n, at_lower_key(lw, n), false);
	return at_type_is_word(t) ? read_word(lw, t, value) : read_bytes(lw, t, value);
}

/* ---- Writing ---- */

static void update(struct at_lower *lw, struct at_n_map *n, struct at_ir *key,
		   struct at_ir *value)
{
	struct at_irb *b = lw->b;
	struct at_ir *err = map_update(b, ir_map(b, n->map->plan_map), key, value, BPF_ANY);

	ir_if(b, ir_slti(b, err, 0));
	count_failed(lw, n->map, err);
	ir_end(b);
}

void at_lower_map_assign(struct at_lower *lw, struct at_n_map *n, struct at_val v)
{
	struct at_irb *b = lw->b;
	const struct at_type *t = n->map->value;
	struct at_ir *key, *value;

	if (at_type_is_word(t) || at_known_address(lw, n)) {
		value = open_value(lw, n);
		at_lower_store(lw, t, value, 0, v);
		ir_end(b);
		return;
	}
	/* The whole value at once, so that no reader sees half of it. */
	value = at_lower_temp(lw, t->size);
	if (has_padding(t))
		ir_zero(b, value, 0, (t->size + 7) & ~7u);
	at_lower_store(lw, t, value, 0, v);
	key = at_lower_key(lw, n);
	update(lw, n, key, value);
}

void at_lower_map_agg(struct at_lower *lw, struct at_n_map *n, struct at_n_call *call)
{
	const struct at_type *t = n->map->value;
	struct at_ir *value = open_value(lw, n);
	bool shared = !is_percpu(plan_map(lw, n->map)) || lw->frame->shared;

	t->func->agg->update(lw, call, t, value, shared);
	ir_end(lw->b);
}

static bool is_addition(enum at_binop op)
{
	return op == AT_B_ADD || op == AT_B_SUB;
}

struct at_ir *at_lower_map_change(struct at_lower *lw, struct at_n_map *n, enum at_binop op,
				  struct at_ir *by, const struct at_type *result,
				  enum at_wanted wanted)
{
	struct at_irb *b = lw->b;
	const struct at_type *t = n->map->value;
	unsigned old = ir_local(b);
	struct at_ir *value, *step, *changed;

	by = ir_let(b, by);
	ir_set(b, old, ir_const(b, 0));
	value = open_value(lw, n);
	step = op == AT_B_SUB ? ir_un(b, AT_OP_NEG, by) : by;
	if (is_addition(op) && t->size == 8 && wanted == AT_WANT_NONE) {
		ir_atomic_add(b, 8, value, 0, step);
	} else if (is_addition(op) && t->size == 8) {
		ir_set(b, old, ir_xadd(b, 8, value, 0, step));
	} else {
		ir_set(b, old, at_lower_load(lw, t, value, 0));
		changed = at_lower_arith(lw, op, result, t, ir_get(b, old), by);
		at_lower_store(lw, t, value, 0, at_word(result, changed));
	}
	ir_end(b);
	if (wanted == AT_WANT_NONE)
		return NULL;
	if (wanted == AT_WANT_BEFORE)
		return ir_get(b, old);
	return ir_let(b, at_lower_fit(lw, t, result,
				      at_lower_arith(lw, op, result, t, ir_get(b, old), by)));
}
