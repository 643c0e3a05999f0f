/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON lines: one object with "type" and "data" each. Types and shapes are
 * bpftrace's; "quantiles" and "share" are ours.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/run/out.h"

static void put_start(struct at_buf *b, const char *type)
{
	at_buf_printf(b, "{\"type\": \"%s\", \"data\": ", type);
}

static void put_line(struct at_render *r, struct at_buf *b)
{
	at_buf_puts(b, "}\n");
	at_out_flush(r, b);
}

static void put_member(struct at_buf *b, const char *name, uint64_t v, bool first)
{
	at_buf_printf(b, "%s\"%s\": ", first ? "" : ", ", name);
	at_json_int(b, v, false);
}

/* ---- Views ---- */

static void put_histogram(struct at_buf *b, const struct at_view *v, unsigned div)
{
	const struct at_bucket *k;
	size_t n = at_out_buckets(v, &k);
	bool sign = !v->type || v->type->sign;

	at_buf_put(b, "[", 1);
	for (size_t i = 0; i < n; i++) {
		at_buf_puts(b, i ? ", {" : "{");
		if (!k[i].open_low) {
			at_buf_puts(b, "\"min\": ");
			at_json_int(b, k[i].min, sign);
			at_buf_puts(b, ", ");
		}
		if (!k[i].open_high) {
			at_buf_puts(b, "\"max\": ");
			at_json_int(b, k[i].max, sign || k[i].open_low);
			at_buf_puts(b, ", ");
		}
		put_member(b, "count", k[i].count / div, true);
		at_buf_put(b, "}", 1);
	}
	at_buf_put(b, "]", 1);
}

static void put_cells(struct at_buf *b, const struct at_view *v)
{
	bool sign = v->type && v->type->sign, counted = false;

	for (unsigned i = 0; i < v->ncells; i++)
		counted |= !strcmp(v->cells[i].name, "count");
	at_buf_put(b, "{", 1);
	if (!counted)
		put_member(b, "count", v->total, true);
	for (unsigned i = 0; i < v->ncells; i++) {
		at_buf_printf(b, "%s\"%s\": ", i || !counted ? ", " : "", v->cells[i].name);
		at_json_int(b, v->cells[i].value, sign);
	}
	at_buf_put(b, "}", 1);
}

static void put_value(struct at_buf *b, const struct at_view *v, unsigned div)
{
	const struct at_type *t = v->type;

	if (div > 1 && t->kind == AT_T_INT)
		at_json_int(b, at_out_divided(t, at_value_word(t, v->bytes), div), t->sign);
	else
		at_value_json(b, t, v->bytes);
}

static void put_view(struct at_buf *b, const struct at_view *v, unsigned div)
{
	switch (v->kind) {
	case AT_VIEW_NUMBER:
	case AT_VIEW_RATE:
		at_json_int(b, at_out_divided(v->type, v->number, div), !v->type || v->type->sign);
		return;
	case AT_VIEW_TABLE:
	case AT_VIEW_QUANTILES:
		put_cells(b, v);
		return;
	case AT_VIEW_HISTOGRAM:
		put_histogram(b, v, div);
		return;
	case AT_VIEW_SHARE:
		at_buf_put(b, "{", 1);
		put_member(b, "hits", v->hits, true);
		put_member(b, "total", v->total, false);
		at_buf_put(b, "}", 1);
		return;
	case AT_VIEW_VALUE:
		put_value(b, v, div);
		return;
	}
}

static const char *const types[] = {
	[AT_VIEW_NUMBER] = "map",	  [AT_VIEW_RATE] = "map",
	[AT_VIEW_TABLE] = "stats",	  [AT_VIEW_HISTOGRAM] = "hist",
	[AT_VIEW_QUANTILES] = "quantiles", [AT_VIEW_SHARE] = "share",
	[AT_VIEW_VALUE] = "map",
};

/* bpftrace counts means among its stats. */
static const char *type_name(const struct at_view *v)
{
	return v->mean ? "stats" : types[v->kind];
}

/* ---- The sink ---- */

/* A key is a member's name: its text, parts of a tuple separated by commas. */
static void put_key(struct at_buf *b, const struct at_type *t, const void *key)
{
	struct at_buf text = { 0 };

	if (t->kind == AT_T_TUPLE && !at_value_named(t))
		at_elems_text(&text, t, key, ",");
	else
		at_value_text(&text, t, key);
	at_json_string(b, text.s ? text.s : "", text.n);
	at_buf_part_free(b, &text);
}

static void put_rows(struct at_buf *b, const struct at_rows *rows, size_t first, unsigned div)
{
	at_buf_put(b, "{", 1);
	for (size_t i = first; i < rows->n; i++) {
		if (i > first)
			at_buf_puts(b, ", ");
		put_key(b, rows->map->key, rows->v[i].key);
		at_buf_puts(b, ": ");
		put_view(b, &rows->v[i].view, div);
	}
	at_buf_put(b, "}", 1);
}

/* Empty keyed maps are left out. */
static void json_map(struct at_render *r, const struct at_rows *rows, unsigned top, unsigned div)
{
	struct at_buf b = { 0 };

	at_render_deliver(r, NULL, 0);
	if (!rows->n)
		return;
	div = div ? div : 1;
	put_start(&b, type_name(&rows->v[0].view));
	at_buf_put(&b, "{", 1);
	at_json_string(&b, rows->map->name, strlen(rows->map->name));
	at_buf_puts(&b, ": ");
	if (rows->map->key)
		put_rows(&b, rows, at_out_first(rows, top), div);
	else
		put_view(&b, &rows->v[0].view, div);
	at_buf_put(&b, "}", 1);
	put_line(r, &b);
}

static void json_text(struct at_render *r, const char *type, const char *s, size_t n)
{
	struct at_buf b = { 0 };

	at_render_deliver(r, s, n);
	put_start(&b, type);
	at_json_string(&b, s, n);
	put_line(r, &b);
}

static void json_value(struct at_render *r, const struct at_type *t, const void *bytes)
{
	struct at_buf b = { 0 };

	at_render_deliver(r, NULL, 0);
	put_start(&b, "value");
	at_value_json(&b, t, bytes);
	put_line(r, &b);
}

static void json_attached(struct at_render *r, unsigned nprobes)
{
	struct at_buf b = { 0 };

	at_buf_printf(&b, "{\"type\": \"attached_probes\", \"count\": %u, \"data\": {\"probes\": %u}",
		      nprobes, nprobes);
	put_line(r, &b);
}

static void json_lost(struct at_render *r, uint64_t events)
{
	struct at_buf b = { 0 };

	at_buf_printf(&b, "{\"type\": \"lost_events\", \"count\": %" PRIu64 ", \"data\": {\"events\": "
		      "%" PRIu64 "}", events, events);
	put_line(r, &b);
}

/* The line that counters are members of, in their order, and what concerns all probes. */
static void put_line_of(struct at_render *r, const struct at_run *run, const char *line)
{
	const struct at_plan *p = run->plan;
	struct at_buf b = { 0 };
	bool first = true;

	put_start(&b, line);
	at_buf_put(&b, "{", 1);
	for (size_t i = 0; i < p->counters.n; i++) {
		const struct at_plan_counter *c = &p->counters.v[i];

		if (!c->line || strcmp(c->line, line))
			continue;
		put_member(&b, strchr(c->name, '.') + 1, at_counter_read(run, i), first);
		first = false;
	}
	put_member(&b, "lost", at_out_counter(run, "lost"), first);
	put_member(&b, "map_full", at_out_counter(run, "map_full"), false);
	put_member(&b, "recursion", at_out_recursion(run) + at_out_counter(run, "recursion"),
		   false);
	at_buf_put(&b, "}", 1);
	put_line(r, &b);
}

/* A line is put where its first member stands. False: there is none. */
static bool put_lines(struct at_render *r, const struct at_run *run)
{
	const struct at_plan *p = run->plan;
	bool any = false;

	for (size_t i = 0; i < p->counters.n; i++) {
		const char *line = p->counters.v[i].line;
		size_t first = 0;

		while (line && (!p->counters.v[first].line || strcmp(p->counters.v[first].line, line)))
			first++;
		if (line && first == i)
			put_line_of(r, run, line);
		any = any || line;
	}
	return any;
}

static void put_map_full(struct at_render *r, const struct at_run *run)
{
	const struct at_plan *p = run->plan;
	struct at_buf b = { 0 };
	bool first = true;

	put_start(&b, "map_full");
	at_buf_put(&b, "{", 1);
	for (size_t i = 0; i < p->counters.n; i++) {
		const struct at_plan_counter *c = &p->counters.v[i];
		bool full = c->map >= 0 && !strcmp(c->name, "map_full");
		uint64_t n = full ? at_counter_read(run, i) : 0;

		if (n)
			put_member(&b, p->maps.v[c->map].name, n, first);
		first = first && !n;
	}
	at_buf_put(&b, "}", 1);
	if (first)
		at_buf_free(&b);
	else
		put_line(r, &b);
}

/* Probes that were skipped because they were running; the lines above have it, too. */
static void put_recursion(struct at_render *r, const struct at_run *run)
{
	uint64_t n = at_out_recursion(run) + at_out_counter(run, "recursion");
	struct at_buf b = { 0 };

	if (!n)
		return;
	put_start(&b, "recursion");
	at_buf_put(&b, "{", 1);
	put_member(&b, "probes", n, true);
	at_buf_put(&b, "}", 1);
	put_line(r, &b);
}

/* Has it a place in another line? */
static bool is_told(const struct at_plan_counter *c)
{
	static const char *const names[] = { "lost", "map_full", "recursion" };

	for (size_t i = 0; i < at_count(names); i++)
		if (!strcmp(names[i], c->name))
			return true;
	return c->line;
}

/* Of each of the other counters a line. */
static void put_missed(struct at_render *r, const struct at_run *run)
{
	for (size_t i = 0; i < run->plan->counters.n; i++) {
		const struct at_plan_counter *c = &run->plan->counters.v[i];
		uint64_t n = at_counter_read(run, i);
		struct at_buf b = { 0 }, text = { 0 };

		if (is_told(c) || !at_out_missed(run, c, n))
			continue;
		at_out_sentence(&text, c, n);
		put_start(&b, "missed");
		at_buf_printf(&b, "{\"counter\": \"%s\", ", c->name);
		put_member(&b, "count", n, true);
		at_buf_puts(&b, ", \"text\": ");
		at_json_string(&b, text.s ? text.s : "", text.n);
		at_buf_put(&b, "}", 1);
		at_buf_part_free(&b, &text);
		put_line(r, &b);
	}
}

static void json_counters(struct at_render *r, const struct at_run *run)
{
	uint64_t lost = at_out_counter(run, "lost");

	if (lost)
		json_lost(r, lost);
	put_map_full(r, run);
	if (!put_lines(r, run))
		put_recursion(r, run);
	put_missed(r, run);
}

const struct at_sink at_sink_json = {
	.name = "json",
	.text = json_text,
	.value = json_value,
	.map = json_map,
	.counters = json_counters,
	.attached = json_attached,
	.lost = json_lost,
};
