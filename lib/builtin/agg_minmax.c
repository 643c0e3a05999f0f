/* SPDX-License-Identifier: Apache-2.0 */
/*
 * min and max. Both keep the largest of words that are ordered unsigned: for
 * max the number (with its sign bit turned), for min its complement. A new
 * entry's 0 is then the least extreme of all, so it needs no mark of its own,
 * and several CPUs may raise a shared word. The count beside it tells whether
 * there was any number.
 */
#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

enum { EXTREME, COUNT };
#define TURN (1ull << 63) /* makes the order of signed words that of unsigned ones */

static const struct at_type *type_extreme(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, 2, at_agg_elem(c, call));
}

/* The word that is kept for n: larger means more extreme. 0 is the least extreme. */
static uint64_t mask_of(const struct at_type *t, bool min)
{
	uint64_t turn = t->sign ? TURN : 0;

	return min ? ~turn : turn;
}

static void update(struct at_lower *lw, struct at_n_call *call, struct at_ir *v, uint64_t mask,
		   bool shared)
{
	struct at_irb *b = lw->b;
	struct at_ir *n = ir_let(b, ir_xori(b, at_lower_word(lw, call->args.v[0]), mask));

	at_agg_raise(lw, v, EXTREME, n, shared);
	at_agg_add(b, v, COUNT, ir_const(b, 1), shared);
}

static void update_min(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
		       struct at_ir *v, bool shared)
{
	update(lw, call, v, mask_of(t, true), shared);
}

static void update_max(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
		       struct at_ir *v, bool shared)
{
	update(lw, call, v, mask_of(t, false), shared);
}

static void merge_extreme(const struct at_type *t, uint64_t *dst, const uint64_t *src)
{
	if (src[EXTREME] > dst[EXTREME])
		dst[EXTREME] = src[EXTREME];
	dst[COUNT] += src[COUNT];
}

/* Nothing counted yet is shown as 0. */
static void view_min(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	at_agg_number(out, t->elem, v[COUNT] ? v[EXTREME] ^ mask_of(t, true) : 0);
	out->total = v[COUNT];
}

static void view_max(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	at_agg_number(out, t->elem, v[COUNT] ? v[EXTREME] ^ mask_of(t, false) : 0);
	out->total = v[COUNT];
}

static const struct at_type *read_type(const struct at_type *t)
{
	return t->elem;
}

static struct at_ir *read_extreme(struct at_lower *lw, unsigned plan_map, struct at_ir *key,
				  uint64_t mask)
{
	struct at_irb *b = lw->b;
	unsigned most = ir_local(b), count = ir_local(b);
	struct at_agg_loop l;
	struct at_ir *one;

	ir_set(b, most, ir_const(b, 0));
	ir_set(b, count, ir_const(b, 0));
	l = at_agg_each_cpu(lw, plan_map, key);
	one = ir_let(b, ir_load(b, 8, l.v, EXTREME * sizeof(uint64_t)));
	ir_set(b, most, ir_select(b, ir_ugt(b, one, ir_get(b, most)), one, ir_get(b, most)));
	ir_set(b, count,
	       ir_add(b, ir_get(b, count), ir_load(b, 8, l.v, COUNT * sizeof(uint64_t))));
	at_agg_end_cpu(lw, &l);
	return ir_let(b, ir_select(b, ir_get(b, count), ir_xori(b, ir_get(b, most), mask),
				   ir_const(b, 0)));
}

static struct at_ir *read_min(struct at_lower *lw, const struct at_type *t, unsigned plan_map,
			      struct at_ir *key)
{
	return read_extreme(lw, plan_map, key, mask_of(t, true));
}

static struct at_ir *read_max(struct at_lower *lw, const struct at_type *t, unsigned plan_map,
			      struct at_ir *key)
{
	return read_extreme(lw, plan_map, key, mask_of(t, false));
}

static const struct at_agg min_agg = {
	.type = type_extreme,
	.update = update_min,
	.merge = merge_extreme,
	.view = view_min,
	.read_type = read_type,
	.read = read_min,
};
static const struct at_agg max_agg = {
	.type = type_extreme,
	.update = update_max,
	.merge = merge_extreme,
	.view = view_max,
	.read_type = read_type,
	.read = read_max,
};

const struct at_func at_func_min = {
	.name = "min",
	.proto = "void min(int n)",
	.flags = AT_F_AGG,
	.brief = "smallest n",
	.agg = &min_agg,
};
const struct at_func at_func_max = {
	.name = "max",
	.proto = "void max(int n)",
	.flags = AT_F_AGG,
	.brief = "largest n",
	.agg = &max_agg,
};
