/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lowering as a whole: the script's maps, clauses as functions, programs,
 * events. Providers are asked to plan their clauses; they call back here for
 * each clause.
 */
#include "frontend/lower_int.h"

#include <linux/bpf.h>
#include <string.h>

enum {
	/* Bytes: a larger aggregation with keys is one value for all CPUs. The kernel finds per-CPU
	   memory too slowly for new keys of histograms: of 4000 in a row it refused 3800. */
	PERCPU_MOST = 64,
	LEVELS = 2,      /* a clause in process context, and once more in an interrupt */
	DEPTH_BYTES = 8, /* how deep the clause is nested on this CPU, before its scratch */
};

/* ---- Maps ---- */

static enum at_map_kind map_kind(const struct at_mapsym *m)
{
	bool agg = m->value->kind == AT_T_AGG, percpu = agg && m->value->size <= PERCPU_MOST;
	bool lru = m->decl_kind == AT_MAP_LRU_HASH || m->decl_kind == AT_MAP_LRU_PERCPU_HASH;

	if (!m->key)
		return agg ? AT_MAP_PERCPU_ARRAY : AT_MAP_ARRAY;
	if (m->decl_kind == AT_MAP_HASH || m->decl_kind == AT_MAP_LRU_HASH)
		percpu = false;
	if (lru)
		return percpu ? AT_MAP_LRU_PERCPU_HASH : AT_MAP_LRU_HASH;
	return percpu ? AT_MAP_PERCPU_HASH : AT_MAP_HASH;
}

static void make_map(struct at_lower *lw, struct at_mapsym *m)
{
	struct at_plan_map map = {
		.name = m->name,
		.script = true,
		.kind = map_kind(m),
		.key = m->key,
		.value = m->value,
		.range = m->range,
		.value_size = m->value->size,
	};

	map.key_size = m->key ? m->key->size : sizeof(uint32_t);
	map.max_entries = !m->key          ? 1
			  : m->max_entries ? m->max_entries
					   : lw->plan->config.max_map_keys;
	m->plan_map = at_plan_map(lw->plan, &map);
}

/* ---- Events ---- */

static int lost_counter(struct at_lower *lw)
{
	struct at_lowering *all = at_lowering_of(lw);

	if (all->lost < 0)
		all->lost =
			at_plan_counter(lw->plan, "lost",
					"%llu events were lost (the ring buffer was full)", -1);
	return all->lost;
}

struct at_ir *at_lower_reserve(struct at_lower *lw, unsigned event)
{
	struct at_irb *b = lw->b;
	struct at_ir *ring = ir_map(b, at_plan_ring(lw->plan)), *record, *now = NULL;
	struct at_plan_event *e = &lw->plan->events.v[event];

	e->probe = lw->point ? at_strdup(lw->arena, lw->point->text) : NULL;
	if (lw->opts && lw->opts->event_time) {
		e->time = e->size;
		e->size += 8;
		now = ir_let(b, ir_helper(b, BPF_FUNC_ktime_get_boot_ns, 0));
	}
	record = ir_let(b, ir_helper(b, AT_H_RING_RESERVE, 3, ring, ir_const(b, e->size),
				     ir_const(b, 0)));
	ir_if(b, record);
	ir_store(b, 4, record, 0, ir_const(b, event));
	ir_store(b, 4, record, 4, ir_const(b, 0));
	if (now)
		ir_store(b, 8, record, e->time, now);
	return record;
}

void at_lower_submit(struct at_lower *lw, struct at_ir *record)
{
	struct at_irb *b = lw->b;

	ir_do(b, ir_helper(b, AT_H_RING_SUBMIT, 2, record, ir_const(b, 0)));
	ir_else(b);
	at_plan_count(b, lost_counter(lw), NULL);
	ir_end(b);
}

/* ---- Clauses ---- */

static void write_clause(struct at_lower *lw, const struct at_clause *clause)
{
	if (clause->pred) {
		struct at_mark m = at_frame_mark(lw);

		lw->b->range = clause->pred->range;
		ir_if(lw->b, at_lower_cond(lw, clause->pred));
		at_frame_release(lw, &m);
	}
	at_lower_block(lw, clause->body);
	if (clause->pred)
		ir_end(lw->b);
}

static unsigned scratch_map(struct at_lower *lw)
{
	if (lw->plan->scratch_map < 0)
		lw->plan->scratch_map =
			at_plan_map(lw->plan, &(struct at_plan_map){
						      .name = "scratch",
						      .kind = AT_MAP_PERCPU_ARRAY,
						      .key_size = sizeof(uint32_t),
						      .value_size = DEPTH_BYTES,
						      .max_entries = 1,
					      });
	return lw->plan->scratch_map;
}

static struct at_ir *find_scratch(struct at_lower *lw, struct at_irb *b, unsigned entry)
{
	struct at_ir *key = ir_slot(b, sizeof(uint64_t));

	ir_store(b, 4, key, 0, ir_const(b, entry));
	return ir_helper(b, AT_H_LOOKUP, 2, ir_map(b, scratch_map(lw)), key);
}

static void return_if_none(struct at_irb *b, struct at_ir *address)
{
	ir_if(b, ir_iszero(b, address));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
}

/* The kernel only knows of its params what it is made to see: that they are not NULL. */
static void begin_by_itself(struct at_lower *lw, struct at_irb *b, unsigned n)
{
	if (!lw->by_itself)
		return;
	b->fn->by_itself = true;
	for (unsigned i = 0; i < n; i++)
		return_if_none(b, ir_param(b, i));
}

static int recursion_counter(struct at_lower *lw)
{
	struct at_lowering *all = at_lowering_of(lw);

	if (all->recursion < 0)
		all->recursion = at_plan_counter(
			lw->plan, "recursion",
			"%llu times a probe was skipped because it was running on that CPU",
			-1);
	return all->recursion;
}

static struct at_ir *call_with(struct at_irb *b, unsigned body, unsigned n,
			       struct at_ir *scratch)
{
	struct at_ir *args[5] = { NULL };

	for (unsigned i = 0; i < n; i++)
		args[i] = ir_param(b, i);
	args[n] = scratch;
	return ir_call(b, body, n + 1, args[0], args[1], args[2], args[3], args[4]);
}

/*
 * Finds the clause's scratch memory and calls its body with it. A clause that
 * several programs call may be interrupted on a CPU by another of them: each
 * level of nesting has memory of its own, and what is deeper is counted.
 */
static unsigned write_wrapper(struct at_lower *lw, const char *name, unsigned body, unsigned n,
			      bool shared)
{
	struct at_lowering *all = at_lowering_of(lw);
	struct at_irb mine = { .range = lw->clause->range }, *b = &mine;
	unsigned entry = all->scratch_entries, base;
	struct at_ir *first, *depth;

	all->scratch_entries += shared ? LEVELS : 1;
	ir_begin(b, lw->plan, name, AT_FN_SUB, n);
	begin_by_itself(lw, b, n);
	first = ir_let(b, find_scratch(lw, b, entry));
	return_if_none(b, first);
	if (!shared) {
		ir_do(b, call_with(b, body, n, ir_addi(b, first, DEPTH_BYTES)));
		return b->index;
	}
	base = ir_local(b);
	ir_set(b, base, first);
	depth = ir_let(b, ir_xadd(b, 8, first, 0, ir_const(b, 1)));
	ir_if(b, depth);
	ir_set(b, base, ir_const(b, 0));
	ir_if(b, ir_ulti(b, depth, LEVELS));
	ir_set(b, base, find_scratch(lw, b, entry + 1));
	ir_end(b);
	ir_end(b);
	ir_if(b, ir_get(b, base));
	ir_do(b, call_with(b, body, n, ir_addi(b, ir_get(b, base), DEPTH_BYTES)));
	ir_else(b);
	at_plan_count(b, recursion_counter(lw), NULL);
	ir_end(b);
	ir_atomic_add(b, 8, first, 0, ir_const(b, -1));
	return b->index;
}

static unsigned lower_clause(struct at_lower *lw, const struct at_clause_use *use,
			     unsigned nparams, int ctx, void *env, bool shared)
{
	struct at_lowering *all = at_lowering_of(lw);
	struct at_lower outer = *lw;
	struct at_irb b = { .range = use->clause->range };
	struct at_frame frame = { .scratch_param = nparams, .shared = shared,
				  .in_memory = use->clause->map_loop };
	const char *name =
		at_sprintf(lw->arena, "%s_%u", use->point->provider->name, all->clauses++);
	unsigned func;

	ir_begin(&b, lw->plan, at_sprintf(lw->arena, "%s_body", name), AT_FN_SUB, nparams + 1);
	lw->b = &b;
	lw->frame = &frame;
	lw->clause = use->clause;
	lw->point = use->point;
	lw->ctx = ctx >= 0 ? ir_param(&b, ctx) : NULL;
	lw->env = env;
	begin_by_itself(lw, &b, nparams);
	write_clause(lw, use->clause);
	func = b.index;
	if (frame.scratch_used) {
		b.fn->by_itself = false; /* the wrapper is */
		b.fn->inlined = true;    /* the kernel allows few frames */
		func = write_wrapper(lw, name, func, nparams, shared);
	} else { /* nobody asked for the scratch address */
		b.fn->nparams--;
		b.fn->name = name;
	}
	if (frame.high > all->scratch_size)
		all->scratch_size = frame.high;
	*lw = outer;
	return func;
}

unsigned at_lower_clause(struct at_lower *lw, const struct at_clause_use *use, unsigned nparams,
			 int ctx, void *env)
{
	return lower_clause(lw, use, nparams, ctx, env, !lw->one_program);
}

/* ---- Programs ---- */

static void return_unless_traced(struct at_irb *b)
{
	struct at_ir *tgid = ir_shri(b, ir_helper(b, AT_H_PID_TGID, 0), 32);

	ir_if(b, ir_ne(b, tgid, ir_sym(b, at_plan_sym(b->plan, AT_SYM_PID, NULL, 0))));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
}

unsigned at_lower_prog(struct at_lower *lw, const struct at_clause_use *use, bool pid_filter)
{
	struct at_irb mine = { .range = use->point->range }, *b = &mine;
	unsigned func = lower_clause(lw, use, 1, 0, lw->env, false);

	ir_begin(b, lw->plan, at_sprintf(lw->arena, "prog_%s", lw->plan->funcs.v[func]->name),
		 AT_FN_PROG, 1);
	if (pid_filter && lw->opts->pid_filter)
		return_unless_traced(b);
	ir_do(b, ir_call(b, func, 1, ir_param(b, 0)));
	ir_return(b, ir_const(b, 0));
	return b->index;
}

/* ---- The script ---- */

static void set_config(struct at_check *c, struct at_plan *plan)
{
	struct at_plan_config *k = &plan->config;

	for (const struct at_config_key *key = c->lang->config; key && key->name; key++) {
		uint64_t v = at_config_num(c, key->name);

		if (strcmp(key->name, "max_map_keys") == 0)
			k->max_map_keys = v;
		else if (strcmp(key->name, "max_strlen") == 0)
			k->max_strlen = v;
		else if (strcmp(key->name, "print_maps_on_exit") == 0)
			k->print_maps_on_exit = v;
		else if (strcmp(key->name, "max_map_memory") == 0)
			k->max_map_memory = v;
		else if (strcmp(key->name, "perf_rb_pages") == 0)
			k->ring_bytes = v * 4096;
		else if (strcmp(key->name, "missing_probes") == 0)
			k->missing_probes = v;
		else if (strcmp(key->name, "license") == 0)
			k->license = key->words[v];
	}
}

static bool plan_provider(struct at_lower *lw, const struct at_provider *p)
{
	struct at_script *s = lw->check->script;
	struct at_clause_use *uses = at_new_n(lw->arena, struct at_clause_use, s->clauses.n);
	size_t n = 0;

	for (size_t i = 0; i < s->clauses.n; i++) {
		struct at_attachpt *point = s->clauses.v[i]->points.v[0];

		if (point->provider == p)
			uses[n++] = (struct at_clause_use){ s->clauses.v[i], point };
	}
	return p->plan(lw, uses, n) == 0;
}

/* Each provider once, in the order in which the script names them. */
static bool plan_providers(struct at_lower *lw)
{
	struct at_script *s = lw->check->script;

	for (size_t i = 0; i < s->clauses.n; i++) {
		const struct at_provider *p = s->clauses.v[i]->points.v[0]->provider;
		bool seen = false;

		for (size_t j = 0; j < i && !seen; j++)
			seen = s->clauses.v[j]->points.v[0]->provider == p;
		if (!seen && !plan_provider(lw, p))
			return false;
	}
	return true;
}

static void make_maps(struct at_lowering *all)
{
	struct at_check *c = all->lw.check;

	for (size_t i = 0; i < c->maps.n; i++)
		make_map(&all->lw, c->maps.v[i]);
	all->map_full = at_new_n(all->lw.arena, int, all->lw.plan->maps.n + 1);
	all->map_failed = at_new_n(all->lw.arena, int, all->lw.plan->maps.n + 1);
	for (size_t i = 0; i < all->lw.plan->maps.n; i++)
		all->map_full[i] = all->map_failed[i] = -1;
}

static void size_own_maps(struct at_lowering *all)
{
	struct at_plan *p = all->lw.plan;

	if (p->scratch_map >= 0) {
		p->maps.v[p->scratch_map].value_size = DEPTH_BYTES + all->scratch_size;
		p->maps.v[p->scratch_map].max_entries = all->scratch_entries;
	}
	if (all->zero_map >= 0 && all->zero_size > p->maps.v[all->zero_map].value_size)
		p->maps.v[all->zero_map].value_size = all->zero_size;
}

bool at_lower(struct at_check *c, struct at_plan *plan)
{
	struct at_lowering all = {
		.lw = { .arena = c->arena,
			.diags = c->diags,
			.lang = c->lang,
			.opts = c->opts,
			.check = c,
			.plan = plan },
		.zero_map = -1,
		.lost = -1,
		.recursion = -1,
		.hash_func = -1,
		.redact_func = -1,
	};

	set_config(c, plan);
	make_maps(&all);
	plan_providers(&all.lw);
	size_own_maps(&all);
	plan->nprobes = c->script->clauses.n;
	return c->diags->errors == 0;
}
