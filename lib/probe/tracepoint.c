/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracepoint:CATEGORY:EVENT: the kernel's tracepoints, with the fields that
 * tracefs describes. Clauses at one tracepoint share a program, which calls
 * them in turn.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/closest.h"
#include "lib/base/glob.h"
#include "lib/probe/probe.h"
#include "lib/probe/syscall.h"
#include "lib/probe/tpformat.h"
#include "lib/run/load.h"

#define SYNTAX "tracepoint:CATEGORY:EVENT"

/* What an attach point knows. */
struct event {
	const struct at_tpformat *format;
	const struct at_syscall *call; /* NULL: a perf event serves it */
};

/* ---- Attach points ---- */

struct suggestion {
	struct at_closest closest;
	struct at_arena *arena;
};

/* The name is the caller's: what is taken is copied. */
static int offer(const char *name, void *arg)
{
	struct suggestion *s = arg;
	const char *before = s->closest.best;

	at_closest_offer(&s->closest, name);
	if (s->closest.best != before)
		s->closest.best = at_strdup(s->arena, name);
	return 0;
}

/* A close name of the category; of the categories, where that is what is not there. */
static void suggest(struct at_check *c, const struct at_attachpt *p)
{
	struct suggestion event = { at_closest_to(p->parts.v[2]), c->arena },
			  category = { at_closest_to(p->parts.v[1]), c->arena };

	if (at_host_tracepoints(c->host, p->parts.v[1], offer, &event))
		at_host_tracepoints(c->host, NULL, offer, &category);
	if (event.closest.best)
		at_hint(c->diags, "did you mean tracepoint:%s:%s?", p->parts.v[1],
			event.closest.best);
	else if (category.closest.best)
		at_hint(c->diags, "did you mean tracepoint:%s:%s?", category.closest.best,
			p->parts.v[2]);
	else
		at_hint(c->diags, "`-l 'tracepoint:*'` lists what there is");
}

static int not_found(struct at_check *c, const struct at_attachpt *p, int err)
{
	if (err != ENOENT) {
		at_cannot_list(c->diags, p->provider, p->range, -err);
		return -1;
	}
	at_diag(c->diags, AT_D_NO_MATCH, p->range, "there is no tracepoint %s:%s",
		p->parts.v[1], p->parts.v[2]);
	suggest(c, p);
	return -1;
}

static int parse(struct at_check *c, struct at_attachpt *p)
{
	struct event *e = at_new(c->arena, struct event);
	char *text;

	if (p->parts.n != 3) {
		at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->range,
			"a tracepoint has a category and a name");
		at_hint(c->diags, "it is written " SYNTAX);
		return -1;
	}
	text = at_host_tracepoint_format(c->host, p->parts.v[1], p->parts.v[2]);
	if (!text)
		return not_found(c, p, errno);
	e->format = at_tpformat_read(c->arena, p->text, text, at_config_num(c, "max_strlen"));
	free(text);
	if (!e->format)
		return not_found(c, p, ENOENT);
	e->call = at_syscall_of(c, p, e->format);
	p->data = e;
	return 0;
}

static const struct at_type *args(struct at_check *c, struct at_attachpt *p)
{
	const struct event *e = p->data;

	return e->format->type;
}

/* ---- Fields ---- */

static struct at_ir *at_offset(struct at_lower *lw, const struct at_type_field *f)
{
	return ir_addi(lw->b, lw->ctx, f->offset);
}

/* Address of what a word of offset and length stands for. */
static struct at_ir *data_of(struct at_lower *lw, const struct at_type_field *f,
			     enum at_tp_place place)
{
	struct at_irb *b = lw->b;
	struct at_ir *from = lw->ctx;
	struct at_ir *off = ir_andi(b, ir_load(b, 4, lw->ctx, f->offset), 0xffff);

	if (place == AT_TP_REL_DATA_LOC)
		from = ir_addi(b, from, f->offset + sizeof(uint32_t));
	return ir_add(b, from, off);
}

/* The helper ends the text, and leaves what is behind its end as it was. */
static struct at_val text_at(struct at_lower *lw, const struct at_type *t, struct at_ir *from)
{
	struct at_irb *b = lw->b;
	struct at_ir *to = at_lower_temp(lw, t->size), *got;

	got = ir_let(b, ir_helper(b, BPF_FUNC_probe_read_kernel_str, 3, to,
				  ir_const(b, t->size), from));
	return (struct at_val){
		.type = t,
		.ir = to,
		.cap = t->size - 1,
		.len = ir_let(b, ir_select(b, ir_sgti(b, got, 0), ir_subi(b, got, 1),
					   ir_const(b, 0))),
	};
}

static struct at_val bytes_at(struct at_lower *lw, const struct at_type *t, struct at_ir *from)
{
	struct at_irb *b = lw->b;
	struct at_ir *to = at_lower_temp(lw, t->size);

	ir_do(b, ir_helper(b, BPF_FUNC_probe_read_kernel, 3, to, ir_const(b, t->size), from));
	return (struct at_val){ .type = t, .ir = to };
}

static struct at_val field(struct at_lower *lw, const struct at_type_field *f)
{
	const struct event *e = lw->point->data;
	enum at_tp_place place = e->format->places[f - e->format->type->fields];
	const struct at_type *t = f->type;
	struct at_irb *b = lw->b;

	if (e->call)
		return at_syscall_field(lw, e->call, f);
	if (t->kind == AT_T_STRING)
		return text_at(lw, t,
			       place == AT_TP_INLINE ? at_offset(lw, f)
						     : data_of(lw, f, place));
	if (!at_type_is_word(t))
		return bytes_at(lw, t, at_offset(lw, f));
	if (t->sign)
		return at_word(t, ir_let(b, ir_loads(b, t->size, lw->ctx, f->offset)));
	return at_word(t, ir_let(b, ir_load(b, t->size, lw->ctx, f->offset)));
}

/* ---- Programs ---- */

/* The program of the uses at one tracepoint. */
static unsigned plan_shared(struct at_lower *lw, const struct at_clause_use *const *uses,
			    size_t n)
{
	struct at_irb mine = { .range = uses[0]->point->range }, *b = &mine;
	const struct event *e = uses[0]->point->data;
	unsigned *funcs = at_new_n(lw->arena, unsigned, n);
	struct at_ir *tgid;

	lw->one_program = !lw->opts || !lw->opts->binds_maps;
	for (size_t i = 0; i < n; i++)
		funcs[i] = at_lower_clause(lw, uses[i], 1, 0, NULL);
	lw->one_program = false;
	ir_begin(b, lw->plan, at_sprintf(lw->arena, "prog_tracepoint_f%u", funcs[0]),
		 AT_FN_PROG, 1);
	if (e->call)
		at_syscall_leave_if_compat(b);
	if (lw->opts->pid_filter) {
		tgid = ir_shri(b, ir_helper(b, BPF_FUNC_get_current_pid_tgid, 0), 32);
		ir_if(b, ir_ne(b, tgid, ir_sym(b, at_plan_sym(lw->plan, AT_SYM_PID, NULL, 0))));
		ir_return(b, ir_const(b, 0));
		ir_end(b);
	}
	for (size_t i = 0; i < n; i++)
		ir_do(b, ir_call(b, funcs[i], 1, ir_param(b, 0)));
	ir_return(b, ir_const(b, 0));
	return b->index;
}

static void plan_point(struct at_lower *lw, const struct at_clause_use *const *uses, size_t n,
		       struct at_syscalls *calls)
{
	const struct at_attachpt *p = uses[0]->point;
	const struct event *e = p->data;
	struct at_plan_prog g = {
		.kind = AT_PROG_TRACEPOINT,
		.provider = p->provider->name,
		.probe = p->text,
		.target = at_sprintf(lw->arena, "%s/%s", p->parts.v[1], p->parts.v[2]),
		.range = p->range,
	};

	g.func = n > 1 || e->call ? plan_shared(lw, uses, n) : at_lower_prog(lw, uses[0], true);
	g.name = lw->plan->funcs.v[g.func]->name;
	if (e->call)
		at_syscall_prog(lw, calls, e->call, &g);
	at_plan_prog(lw->plan, &g);
}

static void leave_few_to_perf(struct at_clause_use *uses, size_t n)
{
	size_t calls = 0;

	for (size_t i = 0; i < n; i++)
		calls += ((struct event *)uses[i].point->data)->call != NULL;
	for (size_t i = 0; i < n && calls <= AT_SYSCALLS_FEW; i++)
		((struct event *)uses[i].point->data)->call = NULL;
}

static int plan(struct at_lower *lw, struct at_clause_use *uses, size_t n)
{
	const struct at_clause_use **same =
		at_new_n(lw->arena, const struct at_clause_use *, n);
	bool *done = at_new_n(lw->arena, bool, n);
	struct at_syscalls calls = { 0 };

	leave_few_to_perf(uses, n);
	for (size_t i = 0; i < n; i++) {
		size_t count = 0;

		for (size_t j = i; j < n && !done[i]; j++) {
			if (strcmp(uses[i].point->text, uses[j].point->text))
				continue;
			done[j] = j != i;
			same[count++] = &uses[j];
		}
		if (count)
			plan_point(lw, same, count, &calls);
	}
	at_syscall_finish(lw, &calls, &at_provider_tracepoint);
	return 0;
}

/* On any CPU and for any process the program runs for all of them. */
static int attach_perf(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .sample_period = 1 };
	const char *slash = strchr(g->target, '/');
	char *category = slash ? strndup(g->target, slash - g->target) : NULL;
	unsigned n;
	const int *cpus = at_host_cpus_online(run->host, &n);
	int id = category ? at_host_tracepoint_id(run->host, category, slash + 1) : -ENOMEM;

	free(category);
	if (id < 0)
		return id;
	attr.config = id;
	return n ? at_run_perf(run, &attr, -1, cpus[0], fd) : -ENODEV;
}

static int attach(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	return g->kind == AT_PROG_TP_BTF ? at_syscall_attach(run, g, fd)
					 : attach_perf(run, g, fd);
}

/* ---- Listing ---- */

struct listing {
	struct at_host *host;
	const char *glob;     /* "tracepoint:CATEGORY:EVENT" */
	const char *category; /* being listed */
	int (*each)(const char *name, void *arg);
	void *arg;
	bool stopped;
};

static int each_event(const char *event, void *arg)
{
	struct listing *l = arg;
	char name[512];
	int stop;

	snprintf(name, sizeof(name), "tracepoint:%s:%s", l->category, event);
	if (!at_glob(l->glob, name, false))
		return 0;
	stop = l->each(name, l->arg);
	l->stopped = stop != 0;
	return stop;
}

static int each_category(const char *category, void *arg)
{
	struct listing *l = arg;

	l->category = category;
	at_host_tracepoints(l->host, category, each_event, l);
	return l->stopped;
}

/* "t:open*" is "tracepoint:*:open*"; a category that is no pattern is looked into alone. */
static int list_parts(struct listing *l, const char *parts)
{
	const char *colon = strchr(parts, ':');
	char full[512], category[256];
	int err;

	snprintf(full, sizeof(full), "tracepoint:%s%s", colon ? "" : "*:", parts);
	l->glob = full;
	if (!colon || memchr(parts, '*', colon - parts))
		return at_host_tracepoints(l->host, NULL, each_category, l);
	snprintf(category, sizeof(category), "%.*s", (int)(colon - parts), parts);
	l->category = category;
	err = at_host_tracepoints(l->host, category, each_event, l);
	return err == -ENOENT ? 0 : err; /* there is no such category */
}

static int list(struct at_host *host, const char *glob,
		int (*each)(const char *name, void *arg), void *arg)
{
	struct listing l = { .host = host, .each = each, .arg = arg };
	const char *colon = strchr(glob, ':');

	return list_parts(&l, colon ? colon + 1 : "*");
}

const struct at_provider at_provider_tracepoint = {
	.name = "tracepoint",
	.alias = "t",
	.syntax = SYNTAX,
	.brief = "the kernel's tracepoints",
	.needs = "tracefs",
	.feature = "tracefs",
	.parse = parse,
	.args = args,
	.field = field,
	.plan = plan,
	.attach = attach,
	.list = list,
};
