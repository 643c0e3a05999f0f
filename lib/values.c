/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values of a script: its maps, what happens in it, what it missed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"
#include "lib/typed.h"

/* ---- Maps ---- */

int at_script_map(const struct apitrace_script *s, const char *name)
{
	const struct at_plan *p = s->run.plan;

	for (size_t i = 0; p && name && i < p->maps.n; i++)
		if (p->maps.v[i].script && !strcmp(p->maps.v[i].name, name))
			return i;
	return -ENOENT;
}

/* The shape of a value is that of zeros. */
static const struct apitrace_value *shape(struct at_arena *a, const struct at_type *t)
{
	struct apitrace_value *out = at_new(a, struct apitrace_value);
	const struct at_agg *agg = t->kind == AT_T_AGG ? t->func->agg : NULL;
	struct at_view v = { 0 };

	if (!agg) {
		at_typed_value(a, t, at_alloc(a, t->size), out);
		return out;
	}
	v.buckets = at_new_n(a, struct at_bucket, AT_VIEW_BUCKETS);
	agg->view(t, at_alloc(a, t->size), &v);
	v.nbuckets = 0;
	at_typed_view(a, &v, out);
	return out;
}

static void describe(struct at_arena *a, const struct at_plan_map *m, struct apitrace_map *out)
{
	*out = (struct apitrace_map){ .name = m->name,
				      .value_type = at_type_text(a, m->value),
				      .value = shape(a, m->value),
				      .max_entries = m->max_entries };
	if (!m->key)
		return;
	out->key_type = at_type_text(a, m->key);
	out->key = shape(a, m->key);
}

void at_script_describe(struct apitrace_script *s)
{
	const struct at_plan *p = s->run.plan;

	s->maps = at_new_n(s->arena, struct apitrace_map, p->maps.n + 1);
	for (size_t i = 0; i < p->maps.n; i++)
		if (p->maps.v[i].script)
			describe(s->arena, &p->maps.v[i], &s->maps[s->nmaps++]);
}

int apitrace_map_get(const struct apitrace_script *s, unsigned index, struct apitrace_map *out)
{
	if (index >= s->nmaps)
		return -ENOENT;
	*out = s->maps[index];
	return 0;
}

static int give_row(struct at_arena *a, const struct at_rows *rows, const struct at_row *row,
		    int (*each)(void *arg, const struct apitrace_value *key,
				const struct apitrace_value *value),
		    void *arg)
{
	struct apitrace_value key = { 0 }, value = { 0 };

	if (at_arena_low(a))
		return -ENOMEM;
	if (row->key)
		at_typed_value(a, rows->map->key, row->key, &key);
	at_typed_view(a, &row->view, &value);
	return each(arg, row->key ? &key : NULL, &value);
}

int apitrace_map_foreach(struct apitrace_script *s, const char *map,
			 int (*each)(void *arg, const struct apitrace_value *key,
				     const struct apitrace_value *value),
			 void *arg)
{
	struct apitrace *h = s->h;
	struct at_rows rows;
	size_t mark;
	int i = at_script_map(s, map), err;

	err = at_need(h, s->state >= AT_LOADED, "apitrace_map_foreach", "apitrace_load");
	if (err || i < 0)
		return err ? err : i;
	h->busy++;
	err = at_map_read(&s->run, i, &rows);
	for (size_t k = 0; k < rows.n && !err; k++) {
		mark = at_arena_mark(h->arena);
		err = give_row(h->arena, &rows, &rows.v[k], each, arg);
		at_arena_release(h->arena, mark);
	}
	at_rows_free(&rows);
	return at_leave(h, err);
}

/* ---- Events ---- */

/* The names of arguments are the call's, not their types'. */
static void set_args(struct at_arena *a, const struct at_plan_event *e, const void *payload,
		     struct apitrace_event *out)
{
	unsigned n = e->args ? e->args->nfields : 0;
	struct apitrace_value *args = at_new_n(a, struct apitrace_value, n + 1);

	for (unsigned i = 0; i < n; i++) {
		const struct at_type_field *f = &e->args->fields[i];

		at_typed_value(a, f->type, (const char *)payload + f->offset, &args[i]);
		args[i].name = e->names ? e->names[i] : NULL;
	}
	out->args = args;
	out->nargs = n;
}

static uint64_t time_of(const struct at_plan_event *e, const void *payload)
{
	uint64_t ns = 0;

	if (e->time)
		memcpy(&ns, (const char *)payload - AT_EVENT_HEADER + e->time, sizeof(ns));
	return ns;
}

void at_script_deliver(void *arg, const struct at_plan_event *e, const void *payload,
		       const char *text, size_t len)
{
	struct apitrace_script *s = arg;
	struct apitrace *h = s->h;
	struct apitrace_event out = {
		.script = s,
		.probe = e->probe,
		.func = e->func,
		.text = text,
		.len = len,
		.map = e->map < 0 ? NULL : s->run.plan->maps.v[e->map].name,
		.format = strcmp(e->func, "printf") ? NULL : e->text,
		.time_ns = time_of(e, payload),
	};
	size_t mark = at_arena_mark(h->arena);

	set_args(h->arena, e, payload, &out);
	h->on_event(h->on_event_arg, &out);
	at_arena_release(h->arena, mark);
}

int apitrace_on_event(struct apitrace *h, void (*fn)(void *arg, const struct apitrace_event *e),
		      void *arg)
{
	h->on_event = fn;
	h->on_event_arg = arg;
	for (struct apitrace_script *s = h->scripts; s; s = s->next)
		s->render.on_event = fn ? at_script_deliver : NULL;
	return 0;
}

/* ---- Counters ---- */

int apitrace_counter_get(const struct apitrace_script *s, unsigned index,
			 struct apitrace_counter *out)
{
	const struct at_plan *p = s->run.plan;

	if (!p || index >= p->counters.n)
		return -ENOENT;
	out->name = p->counters.v[index].name;
	out->text = p->counters.v[index].brief;
	out->value = s->state >= AT_LOADED ? at_counter_read(&s->run, index) : 0;
	return 0;
}
