/* SPDX-License-Identifier: Apache-2.0 */
/* Text, as bpftrace prints it: maps, histograms with bars; quantiles and shares in a line each. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/run/out.h"

enum { BAR = 52 };

/* ---- Histograms ---- */

/* 2048 is 2K; what is no multiple stays as it is. Only open ends are negative. */
static void put_bound(struct at_buf *b, uint64_t n, bool suffixes)
{
	static const char units[] = "KMGTPE";
	int unit = -1;

	while (suffixes && n && n % 1024 == 0 && unit + 1 < (int)sizeof(units) - 1) {
		n /= 1024;
		unit++;
	}
	at_buf_printf(b, "%" PRIu64, n);
	if (unit >= 0)
		at_buf_put(b, &units[unit], 1);
}

/* Bounds are shown half open. */
static uint64_t past(int64_t max)
{
	return (uint64_t)max + 1;
}

/* Powers of two name a bucket of one number by it alone, equal steps do not. */
static void put_label(struct at_buf *b, const struct at_bucket *k, bool suffixes, bool lhist)
{
	if (k->open_low) {
		at_buf_puts(b, "(..., ");
		put_bound(b, past(k->max), suffixes);
		at_buf_put(b, ")", 1);
	} else if (k->open_high) {
		at_buf_put(b, "[", 1);
		put_bound(b, k->min, suffixes);
		at_buf_puts(b, ", ...)");
	} else if (k->min == k->max && !lhist) {
		at_buf_put(b, "[", 1);
		put_bound(b, k->min, suffixes);
		at_buf_put(b, "]", 1);
	} else {
		at_buf_put(b, "[", 1);
		put_bound(b, k->min, suffixes);
		at_buf_puts(b, ", ");
		put_bound(b, past(k->max), suffixes);
		at_buf_put(b, ")", 1);
	}
}

/* Linear histograms show plain numbers unless their step is a multiple of 1024. */
static bool wants_suffixes(const struct at_view *v)
{
	for (unsigned i = 0; v->lhist && i < v->nbuckets; i++) {
		const struct at_bucket *k = &v->buckets[i];

		if (!k->open_low && !k->open_high && (k->max - k->min + 1) % 1024)
			return false;
	}
	return true;
}

static void put_bucket(struct at_buf *b, const struct at_bucket *k, const char *label,
		       uint64_t most, unsigned div)
{
	static const char bar[] = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@";
	int len = (float)k->count / (float)most * (float)BAR;

	at_buf_printf(b, "%-16s%8" PRIu64 " |%-*.*s|\n", label, k->count / div, BAR, len, bar);
}

static void put_histogram(struct at_buf *b, const struct at_view *v, unsigned div)
{
	const struct at_bucket *k;
	size_t n = at_out_buckets(v, &k);
	bool suffixes = wants_suffixes(v);
	uint64_t most = 0;

	for (size_t i = 0; i < n; i++)
		if (k[i].count > most)
			most = k[i].count;
	for (size_t i = 0; i < n; i++) {
		struct at_buf label = { 0 };

		put_label(&label, &k[i], suffixes, v->lhist);
		put_bucket(b, &k[i], label.s ? label.s : "", most, div);
		at_buf_part_free(b, &label);
	}
}

/* ---- Views in a line ---- */

static void put_cell(struct at_buf *b, const struct at_view *v, const struct at_cell *c)
{
	if (!strcmp(c->name, "count"))
		at_buf_printf(b, "%" PRIu64, (uint64_t)c->value);
	else
		at_int_text(b, v->type, c->value);
}

static void put_table(struct at_buf *b, const struct at_view *v)
{
	at_buf_puts(b, "{ ");
	for (unsigned i = 0; i < v->ncells; i++) {
		at_buf_printf(b, "%s.%s = ", i ? ", " : "", v->cells[i].name);
		put_cell(b, v, &v->cells[i]);
	}
	at_buf_puts(b, " }");
}

static void put_quantiles(struct at_buf *b, const struct at_view *v)
{
	const char *between = "";

	if (!v->ncells || strcmp(v->cells[0].name, "count")) {
		at_buf_printf(b, "count %" PRIu64, v->total);
		between = ", ";
	}
	for (unsigned i = 0; i < v->ncells; i++, between = ", ") {
		at_buf_printf(b, "%s%s ", between, v->cells[i].name);
		put_cell(b, v, &v->cells[i]);
	}
}

static void put_share(struct at_buf *b, const struct at_view *v)
{
	double percent = v->total ? 100.0 * v->hits / v->total : 0;

	at_buf_printf(b, "%.2f %%  %" PRIu64 " / %" PRIu64, percent, v->hits, v->total);
}

static void put_value(struct at_buf *b, const struct at_view *v, unsigned div)
{
	if (div > 1 && v->type->kind == AT_T_INT)
		at_int_text(b, v->type, at_out_divided(v->type, at_value_word(v->type, v->bytes), div));
	else
		at_value_text(b, v->type, v->bytes);
}

static void put_view(struct at_buf *b, const struct at_view *v, unsigned div)
{
	switch (v->kind) {
	case AT_VIEW_NUMBER:
		at_int_text(b, v->type, at_out_divided(v->type, v->number, div));
		return;
	case AT_VIEW_RATE:
		at_buf_printf(b, "%" PRId64 "/s", v->number / (int64_t)div);
		return;
	case AT_VIEW_TABLE:
		put_table(b, v);
		return;
	case AT_VIEW_HISTOGRAM:
		put_histogram(b, v, div);
		return;
	case AT_VIEW_QUANTILES:
		put_quantiles(b, v);
		return;
	case AT_VIEW_SHARE:
		put_share(b, v);
		return;
	case AT_VIEW_VALUE:
		put_value(b, v, div);
		return;
	}
}

/* ---- The sink ---- */

static void put_key(struct at_buf *b, const struct at_type *t, const void *key)
{
	at_buf_put(b, "[", 1);
	if (t->kind == AT_T_TUPLE && !at_value_named(t))
		at_elems_text(b, t, key, ", ");
	else
		at_value_text(b, t, key);
	at_buf_put(b, "]", 1);
}

static void text_map(struct at_render *r, const struct at_rows *rows, unsigned top, unsigned div)
{
	struct at_buf b = { 0 };

	for (size_t i = at_out_first(rows, top); i < rows->n; i++) {
		const struct at_row *row = &rows->v[i];
		bool bars = row->view.kind == AT_VIEW_HISTOGRAM;

		at_buf_puts(&b, rows->map->name);
		if (row->key)
			put_key(&b, rows->map->key, row->key);
		at_buf_puts(&b, bars ? ":\n" : ": ");
		put_view(&b, &row->view, div ? div : 1);
		at_buf_put(&b, "\n", 1);
	}
	at_render_deliver(r, b.s, b.n);
	at_out_flush(r, &b);
}

static void text_text(struct at_render *r, const char *type, const char *s, size_t n)
{
	at_render_deliver(r, s, n);
	if (n && r->write)
		r->write(r->arg, s, n);
}

static void text_value(struct at_render *r, const struct at_type *t, const void *bytes)
{
	struct at_buf b = { 0 };

	at_value_text(&b, t, bytes);
	at_buf_put(&b, "\n", 1);
	at_render_deliver(r, b.s, b.n);
	at_out_flush(r, &b);
}

static void text_counters(struct at_render *r, const struct at_run *run)
{
	struct at_buf b = { 0 };
	uint64_t misses = at_out_recursion(run);

	for (size_t i = 0; i < run->plan->counters.n; i++) {
		const struct at_plan_counter *c = &run->plan->counters.v[i];
		uint64_t n = at_counter_read(run, i);

		if (!at_out_missed(run, c, n))
			continue;
		at_out_sentence(&b, c, n);
		at_buf_put(&b, "\n", 1);
	}
	if (misses)
		at_buf_printf(&b, "%" PRIu64 " events came while their program was running and were "
			      "missed\n", misses);
	at_out_flush(r, &b);
}

/* The command says so itself, on stderr. */
static void text_attached(struct at_render *r, unsigned nprobes)
{
}

static void text_lost(struct at_render *r, uint64_t events)
{
	struct at_buf b = { 0 };

	at_buf_printf(&b, "Lost %" PRIu64 " events\n", events);
	at_out_flush(r, &b);
}

const struct at_sink at_sink_text = {
	.name = "text",
	.text = text_text,
	.value = text_value,
	.map = text_map,
	.counters = text_counters,
	.attached = text_attached,
	.lost = text_lost,
};
