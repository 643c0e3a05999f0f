/* SPDX-License-Identifier: Apache-2.0 */
/* count, sum, avg, stats: a total and how many it is of. */
#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

/* count and sum keep one word; avg and stats the total and the count. */
enum { TOTAL, COUNT };

static const struct at_type *type_count(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, 1, NULL);
}

static const struct at_type *type_sum(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, 1, at_agg_elem(c, call));
}

static const struct at_type *type_avg(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, 2, at_agg_elem(c, call));
}

static void update_count(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
			 struct at_ir *v, bool shared)
{
	at_agg_add(lw->b, v, TOTAL, ir_const(lw->b, 1), shared);
}

static void update_sum(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
		       struct at_ir *v, bool shared)
{
	at_agg_add(lw->b, v, TOTAL, ir_let(lw->b, at_lower_word(lw, call->args.v[0])), shared);
}

static void update_avg(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
		       struct at_ir *v, bool shared)
{
	update_sum(lw, call, t, v, shared);
	at_agg_add(lw->b, v, COUNT, ir_const(lw->b, 1), shared);
}

/* ---- Views ---- */

static int64_t quotient(const struct at_type *t, const uint64_t *v)
{
	if (!v[COUNT])
		return 0;
	if (t->sign)
		return (int64_t)v[TOTAL] / (int64_t)v[COUNT];
	return v[TOTAL] / v[COUNT];
}

static void view_count(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	at_agg_number(out, &at_type_uint64, v[TOTAL]);
}

static void view_sum(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	at_agg_number(out, t->elem, v[TOTAL]);
}

static void view_avg(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	at_agg_number(out, t->elem, quotient(t, v));
	out->total = v[COUNT];
	out->mean = true;
}

static void view_stats(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	out->kind = AT_VIEW_TABLE;
	out->type = t->elem;
	out->total = v[COUNT];
	out->order = quotient(t, v);
	out->ncells = 3;
	out->cells[0] = (struct at_cell){ "count", v[COUNT] };
	out->cells[1] = (struct at_cell){ "average", out->order };
	out->cells[2] = (struct at_cell){ "total", v[TOTAL] };
}

/* ---- Reading ---- */

static const struct at_type *read_type_count(const struct at_type *t)
{
	return &at_type_uint64;
}

static const struct at_type *read_type_elem(const struct at_type *t)
{
	return t->elem;
}

/* One word added up over CPUs, in each of `n` locals. */
static void read_sums(struct at_lower *lw, unsigned plan_map, struct at_ir *key,
		      const unsigned *locals, unsigned n)
{
	struct at_irb *b = lw->b;
	struct at_agg_loop l;

	for (unsigned i = 0; i < n; i++)
		ir_set(b, locals[i], ir_const(b, 0));
	l = at_agg_each_cpu(lw, plan_map, key);
	for (unsigned i = 0; i < n; i++)
		ir_set(b, locals[i],
		       ir_add(b, ir_get(b, locals[i]),
			      ir_load(b, 8, l.v, i * sizeof(uint64_t))));
	at_agg_end_cpu(lw, &l);
}

static struct at_ir *read_sum(struct at_lower *lw, const struct at_type *t, unsigned plan_map,
			      struct at_ir *key)
{
	unsigned total = ir_local(lw->b);

	read_sums(lw, plan_map, key, &total, 1);
	return ir_get(lw->b, total);
}

static struct at_ir *read_avg(struct at_lower *lw, const struct at_type *t, unsigned plan_map,
			      struct at_ir *key)
{
	struct at_irb *b = lw->b;
	unsigned sums[2] = { ir_local(b), ir_local(b) };

	read_sums(lw, plan_map, key, sums, 2);
	return ir_let(b, ir_bin(b, t->sign ? AT_OP_SDIV : AT_OP_UDIV, ir_get(b, sums[TOTAL]),
				ir_get(b, sums[COUNT])));
}

static const struct at_agg count_agg = {
	.type = type_count,
	.update = update_count,
	.merge = at_agg_merge_sums,
	.view = view_count,
	.read_type = read_type_count,
	.read = read_sum,
};
static const struct at_agg sum_agg = {
	.type = type_sum,
	.update = update_sum,
	.merge = at_agg_merge_sums,
	.view = view_sum,
	.read_type = read_type_elem,
	.read = read_sum,
};
static const struct at_agg avg_agg = {
	.type = type_avg,
	.update = update_avg,
	.merge = at_agg_merge_sums,
	.view = view_avg,
	.read_type = read_type_elem,
	.read = read_avg,
};
static const struct at_agg stats_agg = {
	.type = type_avg,
	.update = update_avg,
	.merge = at_agg_merge_sums,
	.view = view_stats,
};

const struct at_func at_func_count = {
	.name = "count",
	.proto = "void count()",
	.flags = AT_F_AGG,
	.brief = "how many times",
	.agg = &count_agg,
};
const struct at_func at_func_sum = {
	.name = "sum",
	.proto = "void sum(int n)",
	.flags = AT_F_AGG,
	.brief = "sum of all n",
	.agg = &sum_agg,
};
const struct at_func at_func_avg = {
	.name = "avg",
	.proto = "void avg(int n)",
	.flags = AT_F_AGG,
	.brief = "average of all n, a whole number",
	.agg = &avg_agg,
};
const struct at_func at_func_stats = {
	.name = "stats",
	.proto = "void stats(int n)",
	.flags = AT_F_AGG,
	.brief = "count, average and total of all n",
	.agg = &stats_agg,
};
