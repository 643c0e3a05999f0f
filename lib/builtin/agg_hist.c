/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hist and lhist. hist: buckets by powers of two, each cut into 2^bits; words
 * are negative numbers, then the buckets of buckets.c. lhist: numbers below
 * min, buckets of `step`, numbers past the last whole step.
 */
#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

enum { MOST_BITS = 5, MOST_LINEAR = 1000 };

/* Counts one in the bucket of that index, which the verifier knows to be in bounds. */
static void count_in(struct at_lower *lw, struct at_ir *v, struct at_ir *index, bool shared)
{
	struct at_irb *b = lw->b;
	struct at_ir *at = ir_let(b, ir_add(b, v, ir_shli(b, index, 3)));

	at_agg_add(b, at, 0, ir_const(b, 1), shared);
}

static uint64_t sum_of(const uint64_t *v, unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += v[i];
	return sum;
}

/* Bounds of the bucket that is counted in that word. */
typedef void (*bounds_fn)(const struct at_type *t, unsigned word, struct at_bucket *out);

/* Buckets from the first to the last that is not empty. */
static void view_buckets(const struct at_type *t, const uint64_t *v, struct at_view *out,
			 bounds_fn bounds)
{
	unsigned words = t->size / sizeof(*v), first = 0, end = words;

	while (first < words && !v[first])
		first++;
	while (end > first && !v[end - 1])
		end--;
	for (unsigned i = first; i < end && out->nbuckets < AT_VIEW_BUCKETS; i++) {
		struct at_bucket *k = &out->buckets[out->nbuckets++];

		*k = (struct at_bucket){ .count = v[i] };
		bounds(t, i, k);
	}
	out->kind = AT_VIEW_HISTOGRAM;
	out->type = t->elem;
	out->total = out->order = sum_of(v, words);
}

/* ---- hist ---- */

static const struct at_type *type_hist(struct at_check *c, struct at_n_call *call)
{
	int64_t *bits = at_new(c->arena, int64_t);
	struct at_type *t;

	if (call->args.n > 1 && at_fold_int(call->args.v[1], bits) &&
	    (*bits < 0 || *bits > MOST_BITS)) {
		at_diag(c->diags, AT_D_ARGUMENT_TYPE, call->args.v[1]->range,
			"hist() cuts each power of two into 2^0 to 2^%d buckets, not 2^%lld",
			MOST_BITS, (long long)*bits);
		return NULL;
	}
	t = at_agg_type(c, call, 1 + at_buckets(*bits), at_agg_elem(c, call));
	t->args = bits;
	t->nargs = 1;
	return t;
}

static void update_hist(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
			struct at_ir *v, bool shared)
{
	struct at_irb *b = lw->b;
	struct at_ir *n = ir_let(b, at_lower_word(lw, call->args.v[0]));

	if (t->sign) {
		ir_if(b, ir_slti(b, n, 0));
		at_agg_add(b, v, 0, ir_const(b, 1), shared);
		ir_else(b);
	}
	count_in(lw, v, ir_addi(b, at_bucket_lower(lw, n, t->args[0]), 1), shared);
	if (t->sign)
		ir_end(b);
}

static void hist_bounds(const struct at_type *t, unsigned word, struct at_bucket *out)
{
	uint64_t min, max;

	if (!word) {
		out->min = INT64_MIN;
		out->max = -1;
		out->open_low = true;
		return;
	}
	at_bucket_bounds(word - 1, t->args[0], &min, &max);
	out->min = min;
	out->max = max;
	out->open_high = word == at_buckets(t->args[0]);
}

static void view_hist(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	view_buckets(t, v, out, hist_bounds);
}

/* ---- lhist ---- */

enum { MIN, MAX, STEP };

static unsigned linear_buckets(const int64_t *args)
{
	return (args[MAX] - args[MIN]) / args[STEP];
}

static const char *bad_bounds(const int64_t *args)
{
	if (args[MIN] < 0 || args[MAX] <= args[MIN])
		return "lhist() wants 0 <= min < max";
	if (args[STEP] < 1 || args[STEP] > args[MAX] - args[MIN])
		return "the step of lhist() is from 1 to max - min";
	if ((args[MAX] - args[MIN]) / args[STEP] > MOST_LINEAR)
		return "lhist() would have more than 1000 buckets";
	return NULL;
}

static const struct at_type *type_lhist(struct at_check *c, struct at_n_call *call)
{
	int64_t *args = at_new_n(c->arena, int64_t, 3);
	const char *bad;
	struct at_type *t;

	for (int i = 0; i < 3; i++)
		at_fold_int(call->args.v[i + 1], &args[i]);
	bad = bad_bounds(args);
	if (bad) {
		at_diag(c->diags, AT_D_ARGUMENT_TYPE,
			at_join(call->args.v[1]->range, call->args.v[3]->range), "%s", bad);
		return NULL;
	}
	t = at_agg_type(c, call, linear_buckets(args) + 2, at_agg_elem(c, call));
	t->args = args;
	t->nargs = 3;
	return t;
}

static void update_lhist(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
			 struct at_ir *v, bool shared)
{
	enum at_ir_op lt = t->sign ? AT_OP_SLT : AT_OP_ULT;
	struct at_irb *b = lw->b;
	struct at_ir *n = ir_let(b, at_lower_word(lw, call->args.v[0])), *index;
	int64_t last = linear_buckets(t->args) + 1;

	index = ir_addi(b, ir_bini(b, AT_OP_UDIV, ir_subi(b, n, t->args[MIN]), t->args[STEP]),
			1);
	index = ir_let(b, ir_un(b, AT_OP_HIDE, index));
	index = ir_select(b, ir_ugti(b, index, last), ir_const(b, last), index);
	index = ir_select(b, ir_bini(b, lt, n, t->args[MIN]), ir_const(b, 0), index);
	count_in(lw, v, ir_let(b, index), shared);
}

static void lhist_bounds(const struct at_type *t, unsigned word, struct at_bucket *out)
{
	out->open_low = !word;
	out->open_high = word > linear_buckets(t->args);
	out->min = out->open_low ? INT64_MIN : t->args[MIN] + (word - 1) * t->args[STEP];
	out->max = out->open_high ? INT64_MAX : t->args[MIN] + word * t->args[STEP] - 1;
}

static void view_lhist(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	view_buckets(t, v, out, lhist_bounds);
	out->lhist = true;
}

static const struct at_agg hist_agg = {
	.type = type_hist,
	.update = update_hist,
	.merge = at_agg_merge_sums,
	.view = view_hist,
};
static const struct at_agg lhist_agg = {
	.type = type_lhist,
	.update = update_lhist,
	.merge = at_agg_merge_sums,
	.view = view_lhist,
};

const struct at_func at_func_hist = {
	.name = "hist",
	.proto = "void hist(int n, lit-int bits?)",
	.flags = AT_F_AGG,
	.brief = "histogram by powers of two, each in 2^bits parts",
	.agg = &hist_agg,
};
const struct at_func at_func_lhist = {
	.name = "lhist",
	.proto = "void lhist(int n, lit-int min, lit-int max, lit-int step)",
	.flags = AT_F_AGG,
	.brief = "histogram of equal steps from min to max",
	.agg = &lhist_agg,
};
