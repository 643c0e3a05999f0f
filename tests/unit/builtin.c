/* SPDX-License-Identifier: Apache-2.0 */
/* Aggregations in C: buckets, merging, views; and how tracepoint records are read. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "lib/builtin/builtin.h"
#include "lib/probe/tpformat.h"
#include "lib/run/host.h"
#include "lib/run/view.h"

enum { QUANTILE_BITS = 5, QUANTILE_HEAD = 4, QUANTILE_WORDS = QUANTILE_HEAD + ((65 - 5) << 5) };

static struct at_type agg_of(const struct at_func *f, unsigned words,
			     const struct at_type *elem, const int64_t *args, unsigned nargs)
{
	return (struct at_type){
		.kind = AT_T_AGG,
		.size = words * 8,
		.align = 8,
		.func = f,
		.elem = elem,
		.sign = elem && elem->sign,
		.args = args,
		.nargs = nargs,
	};
}

/* ---- Buckets ---- */

Test(buckets, go_on_without_a_gap)
{
	for (unsigned bits = 0; bits <= 5; bits++) {
		uint64_t next = 0, min, max;

		for (unsigned i = 0; i < at_buckets(bits); i++) {
			at_bucket_bounds(i, bits, &min, &max);
			cr_assert_eq(min, next, "bits %u bucket %u", bits, i);
			cr_assert_geq(max, min);
			cr_assert_eq(at_bucket_of(min, bits), i);
			cr_assert_eq(at_bucket_of(max, bits), i);
			next = max + 1;
		}
		cr_assert_eq(next, 0, "the last bucket ends with the largest number");
	}
}

Test(buckets, are_narrow)
{
	uint64_t min, max;

	for (unsigned i = 0; i < at_buckets(5); i++) {
		at_bucket_bounds(i, 5, &min, &max);
		cr_assert_leq(max - min, min / 32);
	}
}

/* ---- quantile ---- */

/* What the program in the kernel does for one number. */
static void put(uint64_t *v, uint64_t n, bool sign)
{
	uint64_t turned = sign ? n ^ (1ull << 63) : n;

	v[0]++;
	v[1] += n;
	if (turned > v[2])
		v[2] = turned;
	if (~turned > v[3])
		v[3] = ~turned;
	v[QUANTILE_HEAD + at_bucket_of(sign && (int64_t)n < 0 ? 0 : n, QUANTILE_BITS)]++;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t cell(const struct at_view *v, const char *name)
{
	for (unsigned i = 0; i < v->ncells; i++)
		if (!strcmp(v->cells[i].name, name))
			return v->cells[i].value;
	cr_assert_fail("no cell %s", name);
	return 0;
}

static void view_quantile(const uint64_t *v, const struct at_type *elem, struct at_view *out)
{
	struct at_type t = agg_of(&at_func_quantile, QUANTILE_WORDS, elem, NULL, 0);

	memset(out, 0, sizeof(*out));
	at_func_quantile.agg->view(&t, v, out);
}

/* Sorts the numbers and holds every quantile shown against the exact one: within 2 %. */
static void check_quantiles(uint64_t *n, size_t count, const char *what)
{
	static const struct {
		const char *name;
		unsigned per_mille;
	} all[] = {
		{ "p50", 500 }, { "p90", 900 },   { "p95", 950 },
		{ "p99", 990 }, { "p99.9", 999 },
	};
	uint64_t *v = calloc(QUANTILE_WORDS, sizeof(*v));
	struct at_view view;

	for (size_t i = 0; i < count; i++)
		put(v, n[i], false);
	view_quantile(v, &at_type_uint64, &view);
	qsort(n, count, sizeof(*n), compare);
	cr_assert_eq(cell(&view, "count"), count);
	cr_assert_eq(cell(&view, "min"), n[0], "%s", what);
	cr_assert_eq(cell(&view, "max"), n[count - 1], "%s", what);
	for (size_t i = 0; i < at_count(all); i++) {
		uint64_t exact = n[(count * all[i].per_mille + 999) / 1000 - 1];
		uint64_t got = cell(&view, all[i].name);
		uint64_t off = got > exact ? got - exact : exact - got;

		cr_assert_leq(off, exact / 50, "%s %s: %lu, exact %lu", what, all[i].name, got,
			      exact);
	}
	free(v);
}

/* xorshift: the same numbers in each run. */
static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(quantile, random_numbers)
{
	enum { N = 5000 };
	uint64_t *n = calloc(N, sizeof(*n)), state = 88172645463325252ull;

	for (int bits = 1; bits <= 64; bits++) {
		for (size_t i = 0; i < N; i++)
			n[i] = draw(&state) >> (64 - bits);
		check_quantiles(n, N, "uniform");
		for (size_t i = 0; i < N; i++) {
			uint64_t wide = draw(&state);

			n[i] = wide >> (64 - 1 - draw(&state) % bits);
		}
		check_quantiles(n, N, "log-uniform");
	}
	free(n);
}

/* The ends of each bucket are where a value is farthest from what is shown for it. */
Test(quantile, numbers_at_the_ends_of_buckets)
{
	uint64_t ends[2], many[1000];

	for (unsigned i = 0; i < at_buckets(QUANTILE_BITS); i++) {
		at_bucket_bounds(i, QUANTILE_BITS, &ends[0], &ends[1]);
		for (int end = 0; end < 2; end++) {
			for (size_t k = 0; k < at_count(many); k++)
				many[k] = ends[end];
			/* so that min and max do not help */
			many[0] = 0;
			many[999] = UINT64_MAX;
			check_quantiles(many, at_count(many), "end of a bucket");
		}
	}
}

Test(quantile, few_numbers)
{
	uint64_t one[] = { 12345678 }, two[] = { 1, 1ull << 40 }, zero[] = { 0, 0, 0 },
		 large[] = { UINT64_MAX, UINT64_MAX };

	check_quantiles(one, 1, "one");
	check_quantiles(two, 2, "two");
	check_quantiles(zero, 3, "zero");
	check_quantiles(large, 2, "largest");
}

Test(quantile, nothing)
{
	uint64_t *v = calloc(QUANTILE_WORDS, sizeof(*v));
	struct at_view view;

	view_quantile(v, &at_type_uint64, &view);
	for (unsigned i = 0; i < view.ncells; i++)
		cr_assert_eq(view.cells[i].value, 0);
	free(v);
}

Test(quantile, negative_numbers_count_as_zero_but_for_min)
{
	uint64_t *v = calloc(QUANTILE_WORDS, sizeof(*v));
	struct at_view view;

	put(v, -5, true);
	put(v, 7, true);
	put(v, 7, true);
	view_quantile(v, &at_type_int64, &view);
	cr_assert_eq(cell(&view, "min"), -5);
	cr_assert_eq(cell(&view, "p50"), 7);
	cr_assert_eq(cell(&view, "max"), 7);
	put(v, -9, true);
	put(v, -9, true);
	view_quantile(v, &at_type_int64, &view);
	cr_assert_eq(cell(&view, "min"), -9);
	cr_assert_eq(cell(&view, "p50"), 0);
	free(v);
}

Test(quantile, merging_is_as_one)
{
	struct at_type t = agg_of(&at_func_quantile, QUANTILE_WORDS, &at_type_uint64, NULL, 0);
	uint64_t *a = calloc(QUANTILE_WORDS, sizeof(*a)),
		 *b = calloc(QUANTILE_WORDS, sizeof(*b));
	uint64_t *all = calloc(QUANTILE_WORDS, sizeof(*all));
	uint64_t *sum = calloc(QUANTILE_WORDS, sizeof(*sum)), state = 1;

	for (int i = 0; i < 1000; i++) {
		uint64_t n = draw(&state) >> 20;

		put(i % 3 ? a : b, n, false);
		put(all, n, false);
	}
	at_func_quantile.agg->merge(&t, sum, a);
	at_func_quantile.agg->merge(&t, sum, b);
	cr_assert_arr_eq(sum, all, QUANTILE_WORDS * sizeof(*all));
	free(a);
	free(b);
	free(all);
	free(sum);
}

/* ---- The others ---- */

static struct at_view view_of(const struct at_func *f, const struct at_type *elem,
			      const uint64_t *v, unsigned words)
{
	struct at_type t = agg_of(f, words, elem, NULL, 0);
	struct at_view out = { 0 };

	f->agg->view(&t, v, &out);
	return out;
}

Test(number, averages_have_the_sign_of_their_numbers)
{
	uint64_t negative[] = { -10, 4 }, large[] = { UINT64_MAX - 1, 2 }, none[] = { 0, 0 };

	cr_assert_eq(view_of(&at_func_avg, &at_type_int64, negative, 2).number, -2);
	cr_assert_eq(view_of(&at_func_avg, &at_type_uint64, large, 2).number, INT64_MAX);
	cr_assert_eq(view_of(&at_func_avg, &at_type_int64, none, 2).number, 0);
	cr_assert_eq(view_of(&at_func_stats, &at_type_int64, negative, 2).cells[1].value, -2);
}

/* min keeps complements, max numbers with the sign turned: 0 is a new entry. */
Test(number, extremes_over_cpus)
{
	const uint64_t turn = 1ull << 63;
	uint64_t cpus[3][2] = { { -3 ^ turn, 1 }, { 0, 0 }, { -7 ^ turn, 2 } }, v[2] = { 0 };
	struct at_type t = agg_of(&at_func_max, 2, &at_type_int64, NULL, 0);
	struct at_view out = { 0 };

	for (int i = 0; i < 3; i++)
		at_func_max.agg->merge(&t, v, cpus[i]);
	at_func_max.agg->view(&t, v, &out);
	cr_assert_eq(out.number, -3);
	cr_assert_eq(out.total, 3);

	memset(v, 0, sizeof(v));
	for (int i = 0; i < 3; i++) {
		uint64_t min[2] = { cpus[i][1] ? ~cpus[i][0] : 0, cpus[i][1] };

		at_func_min.agg->merge(&t, v, min);
	}
	at_func_min.agg->view(&t, v, &out);
	cr_assert_eq(out.number, -7);
	memset(v, 0, sizeof(v));
	at_func_min.agg->view(&t, v, &out);
	cr_assert_eq(out.number, 0, "of nothing");
}

Test(share, order_is_by_percent)
{
	uint64_t half[] = { 1, 2 }, third[] = { 1000, 3000 }, none[] = { 0, 0 };

	cr_assert_gt(view_of(&at_func_ratio, NULL, half, 2).order,
		     view_of(&at_func_ratio, NULL, third, 2).order);
	cr_assert_eq(view_of(&at_func_ratio, NULL, none, 2).order, 0);
	cr_assert_eq(view_of(&at_func_ratio, NULL, third, 2).hits, 1000);
}

Test(histogram, buckets_from_the_first_to_the_last)
{
	static const int64_t bits[] = { 0 };
	struct at_type t = agg_of(&at_func_hist, 66, &at_type_int64, bits, 1);
	struct at_bucket buckets[AT_VIEW_BUCKETS];
	struct at_view out = { .buckets = buckets };
	uint64_t v[66] = { 0 };

	v[0] = 2; /* -1, -100 */
	v[1 + at_bucket_of(0, 0)] = 1;
	v[1 + at_bucket_of(5, 0)] = 3;
	at_func_hist.agg->view(&t, v, &out);
	cr_assert_eq(out.kind, AT_VIEW_HISTOGRAM);
	cr_assert_eq(out.total, 6);
	cr_assert_eq(out.nbuckets, 5); /* (..., 0) [0] [1] [2, 4) [4, 8) */
	cr_assert(buckets[0].open_low);
	cr_assert_eq(buckets[4].min, 4);
	cr_assert_eq(buckets[4].max, 7);
	cr_assert_eq(buckets[4].count, 3);
}

Test(histogram, the_whole_range_fits_a_view)
{
	static const int64_t bits[] = { 5 };
	enum { WORDS = 1 + ((65 - 5) << 5) };
	struct at_type t = agg_of(&at_func_hist, WORDS, &at_type_uint64, bits, 1);
	struct at_bucket *buckets = calloc(AT_VIEW_BUCKETS, sizeof(*buckets));
	struct at_view out = { .buckets = buckets };
	uint64_t *v = calloc(WORDS, sizeof(*v));

	v[0] = v[WORDS - 1] = 1;
	at_func_hist.agg->view(&t, v, &out);
	cr_assert_eq(out.nbuckets, WORDS);
	cr_assert(buckets[WORDS - 1].open_high);
	free(v);
	free(buckets);
}

Test(histogram, linear)
{
	static const int64_t args[] = { 10, 40, 10 };
	struct at_type t = agg_of(&at_func_lhist, 5, &at_type_int64, args, 3);
	struct at_bucket buckets[AT_VIEW_BUCKETS];
	struct at_view out = { .buckets = buckets };
	uint64_t v[5] = { 1, 2, 3, 4, 5 };

	at_func_lhist.agg->view(&t, v, &out);
	cr_assert_eq(out.nbuckets, 5);
	cr_assert(out.lhist);
	cr_assert(buckets[0].open_low);
	cr_assert_eq(buckets[0].max, 9);
	cr_assert_eq(buckets[1].min, 10);
	cr_assert_eq(buckets[3].max, 39);
	cr_assert(buckets[4].open_high);
	cr_assert_eq(buckets[4].min, 40);
}

/* ---- Tracepoint records ---- */

static const struct at_tpformat *read_text(struct at_arena *a, const char *text)
{
	const struct at_tpformat *f = at_tpformat_read(a, "t", text, 64);

	cr_assert_not_null(f);
	return f;
}

static void check_field(struct at_arena *a, const struct at_tpformat *f, const char *name,
			const char *type, unsigned offset)
{
	const struct at_type_field *field = at_type_field(f->type, name);

	cr_assert_not_null(field, "%s", name);
	cr_assert_str_eq(at_type_text(a, field->type), type, "%s", name);
	cr_assert_eq(field->offset, offset, "%s", name);
}

static const char record[] =
	"name: x\nID: 7\nformat:\n"
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
	"\n"
	"\tfield:__data_loc char[] file;\toffset:8;\tsize:4;\tsigned:0;\n"
	"\tfield:__rel_loc char[] tail;\toffset:12;\tsize:4;\tsigned:0;\n"
	"\tfield:__data_loc u32[] words;\toffset:16;\tsize:4;\tsigned:0;\n"
	"\tfield:pid_t pid;\toffset:20;\tsize:4;\tsigned:1;\n"
	"\tfield:int dfd;\toffset:24;\tsize:8;\tsigned:0;\n"
	"\tfield:const char * name;\toffset:32;\tsize:8;\tsigned:0;\n"
	"\tfield:const char *const *argv;\toffset:40;\tsize:8;\tsigned:0;\n"
	"\tfield:char comm[16];\toffset:48;\tsize:16;\tsigned:0;\n"
	"\tfield:__u8 addr[4];\toffset:64;\tsize:4;\tsigned:0;\n"
	"\tfield:unsigned long args[6];\toffset:72;\tsize:48;\tsigned:0;\n"
	"\tfield:bool dead;\toffset:120;\tsize:1;\tsigned:0;\n"
	"\tfield:enum zone which;\toffset:124;\tsize:4;\tsigned:0;\n"
	"\tfield:struct in6_addr where;\toffset:128;\tsize:16;\tsigned:0;\n"
	"\nprint fmt: \"x\"\n";

Test(tracepoint, fields_have_the_types_of_their_declarations)
{
	struct at_arena *a = at_arena_new();
	const struct at_tpformat *f = read_text(a, record);

	check_field(a, f, "file", "string[64]", 8);
	check_field(a, f, "tail", "string[64]", 12);
	check_field(a, f, "pid", "int32", 20);
	check_field(a, f, "dfd", "int32", 24);
	check_field(a, f, "name", "int8 *", 32);
	check_field(a, f, "argv", "int8 *", 40);
	check_field(a, f, "comm", "string[16]", 48);
	check_field(a, f, "addr", "uint8[4]", 64);
	check_field(a, f, "args", "uint64[6]", 72);
	check_field(a, f, "dead", "bool", 120);
	check_field(a, f, "which", "uint32", 124);
	check_field(a, f, "where", "uint8[16]", 128);
	cr_assert_null(at_type_field(f->type, "common_type"));
	cr_assert_null(at_type_field(f->type, "words"),
		       "arrays of unknown length are no values yet");
	cr_assert_eq(f->places[0], AT_TP_DATA_LOC);
	cr_assert_eq(f->places[1], AT_TP_REL_DATA_LOC);
	cr_assert_eq(f->places[2], AT_TP_INLINE);
	at_arena_free(a);
}

Test(tracepoint, what_is_no_description_has_no_fields)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"name: x\nID: 7\nformat:\n",
		"field:",
		"field:;offset:0;size:0;signed:0;",
		"field:int;",
		"field:int x",
		"field:int x;\toffset:;\tsize:4;\tsigned:0;",
		"field:char x[;\toffset:0;\tsize:4;\tsigned:0;",
	};
	struct at_arena *a = at_arena_new();

	for (size_t i = 0; i < at_count(texts); i++)
		cr_assert_null(at_tpformat_read(a, "t", texts[i], 64), "%zu", i);
	at_arena_free(a);
}

/* Each event of the recording: fields in order, none past the next. */
static int read_event(const char *event, void *arg)
{
	void **args = arg;
	struct at_host *h = args[0];
	struct at_arena *a = at_arena_new();
	char *text = at_host_tracepoint_format(h, args[1], event);
	const struct at_tpformat *f = read_text(a, text);

	for (unsigned i = 0; i + 1 < f->type->nfields; i++) {
		const struct at_type_field *x = &f->type->fields[i];

		if (f->places[i] == AT_TP_INLINE && x->type->kind != AT_T_STRING)
			cr_assert_leq(x->offset + x->type->size, x[1].offset, "%s.%s", event,
				      x->name);
	}
	free(text);
	at_arena_free(a);
	return 0;
}

static int read_category(const char *category, void *arg)
{
	void *args[] = { arg, (void *)category };

	return at_host_tracepoints(arg, category, read_event, args);
}

Test(tracepoint, the_recorded_host)
{
	struct at_host *h = at_host_recorded(FIXTURE_HOST);

	cr_assert_eq(at_host_tracepoints(h, NULL, read_category, h), 0);
	at_host_free(h);
}
