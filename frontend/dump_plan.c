/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as text, for `-d plan` and the tests that pin it: its tables, a
 * line per row, then its functions. The same plan gives the same text.
 */
#include <stdio.h>

#include "frontend/dump.h"

static const char *const map_kinds[] = {
	[AT_MAP_HASH] = "hash",         [AT_MAP_PERCPU_HASH] = "percpu_hash",
	[AT_MAP_LRU_HASH] = "lru_hash", [AT_MAP_LRU_PERCPU_HASH] = "lru_percpu_hash",
	[AT_MAP_ARRAY] = "array",       [AT_MAP_PERCPU_ARRAY] = "percpu_array",
	[AT_MAP_RINGBUF] = "ringbuf",   [AT_MAP_SK_STORAGE] = "sk_storage",
	[AT_MAP_PROG_ARRAY] = "prog_array",
};

static const char *const sym_kinds[] = {
	[AT_SYM_CONST] = "const",   [AT_SYM_BTF_OFFSET] = "btf_offset",
	[AT_SYM_SECRET] = "secret", [AT_SYM_PID] = "pid",
	[AT_SYM_SELF] = "self",     [AT_SYM_NCPUS] = "ncpus",
	[AT_SYM_START] = "start",   [AT_SYM_KCONST] = "kconst",
	[AT_SYM_WALL] = "wall",
};

static const char *const prog_kinds[] = {
	[AT_PROG_RAW_TP] = "raw_tp",
	[AT_PROG_TP_BTF] = "tp_btf",
	[AT_PROG_TRACEPOINT] = "tracepoint",
	[AT_PROG_PERF_EVENT] = "perf_event",
	[AT_PROG_ITER] = "iter",
};

void at_put(struct at_out *o, const char *fmt, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, fmt);
	s = at_vsprintf(o->arena, fmt, ap);
	va_end(ap);
	for (; *s; s++)
		at_vec_push(o->arena, &o->text, *s);
}

void at_put_quoted(struct at_out *o, const char *s)
{
	at_put(o, "\"");
	for (; *s; s++) {
		unsigned char c = *s;

		if (c == '"' || c == '\\')
			at_put(o, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			at_put(o, "\\x%02x", c);
		else
			at_vec_push(o->arena, &o->text, (char)c);
	}
	at_put(o, "\"");
}

void at_put_sym(struct at_out *o, const struct at_plan_sym *s)
{
	at_put(o, "%s", sym_kinds[s->kind]);
	if (s->text)
		at_put(o, " %s", s->text);
	else if (s->kind == AT_SYM_CONST || s->kind == AT_SYM_SECRET)
		at_put(o, " %lld", (long long)s->num);
}

/* " WORD TYPE", or " WORD SIZE" of raw memory, or nothing when there is none. */
static void put_layout(struct at_out *o, const char *word, const struct at_type *t,
		       unsigned size)
{
	if (t)
		at_put(o, " %s %s (%u)", word, at_type_text(o->arena, t), size);
	else if (size)
		at_put(o, " %s %u", word, size);
}

static void put_map(struct at_out *o, const struct at_plan_map *m)
{
	at_put(o, "map %s %s", m->name, map_kinds[m->kind]);
	put_layout(o, "key", m->key, m->key_size);
	put_layout(o, "value", m->value, m->value_size);
	at_put(o, " max %u kernel %s%s", m->max_entries, m->kernel_name,
	       m->script ? " script" : "");
	if (m->alternative)
		at_put(o, " of %s", m->alternative);
	at_put(o, "\n");
}

static void put_event(struct at_out *o, const struct at_plan_event *e)
{
	at_put(o, "event %s size %u", e->func, e->size);
	put_layout(o, "args", e->args, e->args ? e->args->size : 0);
	if (e->map >= 0)
		at_put(o, " map %s", o->plan->maps.v[e->map].name);
	for (size_t i = 0; i < at_count(e->nums); i++)
		if (e->nums[i])
			at_put(o, " n%zu %lld", i, (long long)e->nums[i]);
	if (e->text) {
		at_put(o, " text ");
		at_put_quoted(o, e->text);
	}
	at_put(o, "\n");
}

static void put_counter(struct at_out *o, const struct at_plan_counter *c)
{
	at_put(o, "counter %s", c->name);
	if (c->map >= 0)
		at_put(o, " map %s", o->plan->maps.v[c->map].name);
	at_put(o, " ");
	at_put_quoted(o, c->brief ? c->brief : "");
	at_put(o, "\n");
}

static void put_prog(struct at_out *o, const struct at_plan_prog *g)
{
	at_put(o, "program %s %s", g->name, prog_kinds[g->kind]);
	if (g->target)
		at_put(o, " %s", g->target);
	for (size_t i = 0; i < at_count(g->nums); i++)
		if (g->nums[i])
			at_put(o, " n%zu %lld", i, (long long)g->nums[i]);
	at_put(o, " of %s", g->provider);
	if (g->probe) {
		at_put(o, " ");
		at_put_quoted(o, g->probe);
	}
	if (g->alternative)
		at_put(o, " alternative %s", g->alternative);
	at_put(o, "%s\n", g->optional ? " optional" : "");
}

char *at_plan_dump(struct at_arena *a, const struct at_plan *p)
{
	struct at_out o = { .arena = a, .plan = p };

	for (size_t i = 0; i < p->maps.n; i++)
		put_map(&o, &p->maps.v[i]);
	for (size_t i = 0; i < p->syms.n; i++) {
		at_put(&o, "sym ");
		at_put_sym(&o, &p->syms.v[i]);
		at_put(&o, "\n");
	}
	for (size_t i = 0; i < p->events.n; i++)
		put_event(&o, &p->events.v[i]);
	for (size_t i = 0; i < p->counters.n; i++)
		put_counter(&o, &p->counters.v[i]);
	for (size_t i = 0; i < p->progs.n; i++)
		put_prog(&o, &p->progs.v[i]);
	for (size_t i = 0; i < p->funcs.n; i++)
		at_put_func(&o, p->funcs.v[i]);
	return at_strndup(a, o.text.v, o.text.n);
}
