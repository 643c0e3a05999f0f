/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors of the plan. They copy texts, give out indexes, and make the
 * engine's two shared maps (ring, counters) when first asked for. What goes
 * into a plan is decided by lowering and the providers.
 */
#include "frontend/plan.h"

#include <assert.h>
#include <ctype.h>

enum {
	KERNEL_NAME = 15,    /* BPF_OBJ_NAME_LEN without its zero */
	MAP_LOOKUP_ELEM = 1, /* enum bpf_func_id */
};

struct at_plan *at_plan_new(struct at_arena *a, const struct at_source *src)
{
	struct at_plan *p = at_new(a, struct at_plan);

	p->arena = p->code = a;
	p->source = src;
	p->config = (struct at_plan_config){
		.max_map_keys = 4096,
		.max_strlen = 1024,
		.print_maps_on_exit = true,
	};
	p->counter_map = p->ring_map = p->scratch_map = -1;
	return p;
}

static const char *copy_text(struct at_plan *p, const char *s)
{
	return s ? at_strdup(p->arena, s) : NULL;
}

/* "@lat" is AT_lat in the kernel; what the kernel does not take in a name becomes '_'. */
static const char *kernel_name(struct at_plan *p, const struct at_plan_map *m)
{
	const char *s = m->name;
	char *name;

	if (m->kernel_name)
		s = m->kernel_name;
	else if (s[0] == '@')
		s = at_sprintf(p->arena, "AT_%s", s + 1);
	name = at_strndup(p->arena, s, strnlen(s, KERNEL_NAME));
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '.')
			*c = '_';
	return name;
}

unsigned at_plan_map(struct at_plan *p, const struct at_plan_map *m)
{
	struct at_plan_map copy = *m;

	assert(m->name);
	copy.kernel_name = kernel_name(p, m);
	copy.name = copy_text(p, m->name);
	copy.alternative = copy_text(p, m->alternative);
	if (!copy.max_entries && copy.kind != AT_MAP_RINGBUF && copy.kind != AT_MAP_SK_STORAGE)
		copy.max_entries = 1;
	at_vec_push(p->arena, &p->maps, copy);
	return p->maps.n - 1;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

unsigned at_plan_sym(struct at_plan *p, enum at_sym_kind kind, const char *text, int64_t num)
{
	struct at_plan_sym sym = { kind, text, num };

	for (size_t i = 0; i < p->syms.n; i++) {
		const struct at_plan_sym *s = &p->syms.v[i];

		if (s->kind == kind && s->num == num && same_text(s->text, text))
			return i;
	}
	sym.text = copy_text(p, text);
	at_vec_push(p->arena, &p->syms, sym);
	return p->syms.n - 1;
}

unsigned at_plan_event(struct at_plan *p, const struct at_plan_event *e)
{
	struct at_plan_event copy = *e;

	copy.func = copy_text(p, e->func);
	copy.text = copy_text(p, e->text);
	at_vec_push(p->arena, &p->events, copy);
	return p->events.n - 1;
}

unsigned at_plan_counter(struct at_plan *p, const char *name, const char *brief, int map)
{
	struct at_plan_counter c = {
		.name = copy_text(p, name), .brief = copy_text(p, brief), .map = map,
	};
	unsigned counters = at_plan_counters(p);

	at_vec_push(p->arena, &p->counters, c);
	p->maps.v[counters].max_entries = p->counters.n;
	return p->counters.n - 1;
}

unsigned at_plan_prog(struct at_plan *p, const struct at_plan_prog *g)
{
	struct at_plan_prog copy = *g;

	assert(g->func < p->funcs.n && p->funcs.v[g->func]->kind == AT_FN_PROG);
	copy.name = copy_text(p, g->name ? g->name : p->funcs.v[g->func]->name);
	copy.provider = copy_text(p, g->provider);
	copy.probe = copy_text(p, g->probe);
	copy.target = copy_text(p, g->target);
	copy.alternative = copy_text(p, g->alternative);
	copy.needs = copy_text(p, g->needs);
	at_vec_push(p->arena, &p->progs, copy);
	return p->progs.n - 1;
}

unsigned at_plan_ring(struct at_plan *p)
{
	if (p->ring_map < 0)
		p->ring_map = at_plan_map(p, &(struct at_plan_map){
						     .name = "ring",
						     .kind = AT_MAP_RINGBUF,
						     .max_entries = p->config.ring_bytes,
					     });
	return p->ring_map;
}

unsigned at_plan_counters(struct at_plan *p)
{
	if (p->counter_map < 0)
		p->counter_map = at_plan_map(p, &(struct at_plan_map){
							.name = "counters",
							.kind = AT_MAP_PERCPU_ARRAY,
							.key_size = sizeof(uint32_t),
							.value_size = sizeof(uint64_t),
						});
	return p->counter_map;
}

/*
 * Atomic although the value is this CPU's: a program in an interrupt may count
 * between the load and the store of another. One key slot serves a function.
 */
void at_plan_count(struct at_irb *b, unsigned counter, struct at_ir *by)
{
	struct at_ir *map = ir_map(b, at_plan_counters(b->plan)), *value;

	assert(counter < b->plan->counters.n);
	if (!b->count_key)
		b->count_key = ir_slot(b, sizeof(uint64_t));
	ir_store(b, 4, b->count_key, 0, ir_const(b, counter));
	value = ir_let(b, ir_helper(b, MAP_LOOKUP_ELEM, 2, map, b->count_key));
	ir_if(b, value);
	ir_atomic_add(b, 8, value, 0, by ? by : ir_const(b, 1));
	ir_end(b);
}
