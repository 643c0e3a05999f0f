/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantile: count, smallest, largest and sum exactly, and a count for each of
 * the log-linear buckets of buckets.c with 32 to a power of two. What is shown
 * for a quantile is the middle of its bucket, in the sense of the smallest
 * error: min + max is divided so that both ends are equally far in proportion,
 * at most 1/63 (1.6 %) of the value. Numbers below 64 are exact.
 *
 * A value takes 15 KiB, for each key; it is shared by all CPUs, which add to it
 * atomically. Numbers below 0 are counted as 0, but for min.
 */
#include "lib/builtin/builtin.h"
#include "lib/run/view.h"

enum { BITS = 5, BUCKETS = (65 - BITS) << BITS };
enum { COUNT, SUM, LARGEST, SMALLEST, FIRST_BUCKET, WORDS = FIRST_BUCKET + BUCKETS };
#define TURN (1ull << 63)

/* Words that grow with n, and with -n; see agg_minmax.c. */
static uint64_t turn_of(const struct at_type *t)
{
	return t->sign ? TURN : 0;
}

static const struct at_type *type_quantile(struct at_check *c, struct at_n_call *call)
{
	return at_agg_type(c, call, WORDS, at_agg_elem(c, call));
}

static void update_quantile(struct at_lower *lw, struct at_n_call *call,
			    const struct at_type *t, struct at_ir *v, bool shared)
{
	struct at_irb *b = lw->b;
	struct at_ir *n = ir_let(b, at_lower_word(lw, call->args.v[0]));
	struct at_ir *large = ir_let(b, ir_xori(b, n, turn_of(t))), *index;

	at_agg_add(b, v, COUNT, ir_const(b, 1), shared);
	at_agg_add(b, v, SUM, n, shared);
	at_agg_raise(lw, v, LARGEST, large, shared);
	at_agg_raise(lw, v, SMALLEST, ir_let(b, ir_un(b, AT_OP_NOT, large)), shared);
	if (t->sign)
		n = ir_let(b, ir_select(b, ir_slti(b, n, 0), ir_const(b, 0), n));
	index = at_bucket_lower(lw, n, BITS);
	at_agg_add(b, ir_let(b, ir_add(b, v, ir_shli(b, index, 3))), FIRST_BUCKET,
		   ir_const(b, 1), shared);
}

static void merge_quantile(const struct at_type *t, uint64_t *dst, const uint64_t *src)
{
	for (unsigned i = 0; i < WORDS; i++) {
		if (i != LARGEST && i != SMALLEST)
			dst[i] += src[i];
		else if (src[i] > dst[i])
			dst[i] = src[i];
	}
}

/* The number of a bucket [a, b]: 2ab / (a + b), which both ends are off by the same share. */
static uint64_t middle(unsigned bucket)
{
	uint64_t min, max;

	at_bucket_bounds(bucket, BITS, &min, &max);
	if (min == max)
		return min;
	return min + (unsigned __int128)min * (max - min) / ((unsigned __int128)min + max);
}

struct quantile {
	const char *name;
	unsigned per_mille;
};
static const struct quantile quantiles[] = {
	{ "p50", 500 }, { "p90", 900 }, { "p95", 950 }, { "p99", 990 }, { "p99.9", 999 },
};

/* The smallest number that at least this share of all numbers does not exceed. */
static uint64_t value_at(const uint64_t *v, uint64_t count, unsigned per_mille)
{
	uint64_t rank = ((unsigned __int128)count * per_mille + 999) / 1000, seen = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		seen += v[FIRST_BUCKET + i];
		if (seen >= rank)
			return middle(i);
	}
	return UINT64_MAX; /* not reached: `count` is the sum of the buckets */
}

/* Buckets and count are not read in one moment: what the buckets hold is the count. */
static uint64_t bucket_sum(const uint64_t *v)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < BUCKETS; i++)
		sum += v[FIRST_BUCKET + i];
	return sum;
}

/* A quantile is never outside of what was seen. */
static int64_t within(const struct at_type *t, uint64_t v, uint64_t min, uint64_t max)
{
	uint64_t turn = turn_of(t);

	if ((v ^ turn) < (min ^ turn))
		return min;
	return (v ^ turn) > (max ^ turn) ? max : v;
}

static void add_cell(struct at_view *out, const char *name, int64_t value)
{
	out->cells[out->ncells++] = (struct at_cell){ name, value };
}

static void view_quantile(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	uint64_t count = bucket_sum(v);
	uint64_t max = count ? v[LARGEST] ^ turn_of(t) : 0;
	uint64_t min = count ? ~v[SMALLEST] ^ turn_of(t) : 0;

	out->kind = AT_VIEW_QUANTILES;
	out->type = t->elem;
	out->total = out->order = count;
	add_cell(out, "count", count);
	add_cell(out, "min", min);
	for (size_t i = 0; i < at_count(quantiles); i++)
		add_cell(out, quantiles[i].name,
			 count ? within(t, value_at(v, count, quantiles[i].per_mille), min, max)
			       : 0);
	add_cell(out, "max", max);
}

static const struct at_agg quantile_agg = {
	.type = type_quantile,
	.update = update_quantile,
	.merge = merge_quantile,
	.view = view_quantile,
};

const struct at_func at_func_quantile = {
	.name = "quantile",
	.proto = "void quantile(int n)",
	.flags = AT_F_AGG,
	.brief = "count, min, p50, p90, p95, p99, p99.9 (within 2 %) and max of all n",
	.agg = &quantile_agg,
};
