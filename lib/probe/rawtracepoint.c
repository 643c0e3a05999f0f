/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rawtracepoint:EVENT: a tracepoint of the kernel with the arguments that it is
 * called with, whose names and types are in the kernel's BTF. Needs no tracefs
 * and costs less than tracepoint:, which copies a record first.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/closest.h"
#include "lib/base/glob.h"
#include "lib/probe/btftype.h"
#include "lib/probe/probe.h"
#include "lib/run/load.h"

#define SYNTAX "rawtracepoint:[vmlinux:]EVENT"
#define PREFIX "btf_trace_"

/* ---- Attach points ---- */

static const char *event_of(const struct at_attachpt *p)
{
	return p->parts.v[p->parts.n - 1];
}

static int offer(const char *name, void *arg)
{
	at_closest_offer(arg, name + strlen(PREFIX));
	return 0;
}

static int not_found(struct at_check *c, const struct at_attachpt *p, const struct at_btf *btf)
{
	struct at_closest best = at_closest_to(event_of(p));

	at_diag(c->diags, AT_D_NO_MATCH, p->range, "there is no raw tracepoint %s",
		event_of(p));
	at_btf_each(btf, BTF_KIND_TYPEDEF, PREFIX, offer, &best);
	if (best.best)
		at_hint(c->diags, "did you mean rawtracepoint:%s?", best.best);
	else
		at_hint(c->diags, "`-l 'rawtracepoint:*'` lists what there is");
	return -1;
}

static int wrong_parts(struct at_check *c, const struct at_attachpt *p)
{
	bool module = p->parts.n == 3 && *p->parts.v[1];

	if (module)
		at_diag(c->diags, AT_D_NOT_YET, p->ranges.v[1],
			"raw tracepoints of modules cannot be traced yet");
	else
		at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->range,
			"a raw tracepoint has a name");
	at_hint(c->diags, "it is written " SYNTAX);
	return -1;
}

static int parse(struct at_check *c, struct at_attachpt *p)
{
	const struct at_btf *btf = at_host_btf(c->host);
	bool kernel = p->parts.n == 3 && !strcmp(p->parts.v[1], "vmlinux");

	if ((p->parts.n != 2 && !kernel) || !*event_of(p))
		return wrong_parts(c, p);
	if (!btf) {
		at_cannot_list(c->diags, p->provider, p->range, -errno);
		return -1;
	}
	p->data = (void *)at_btf_tracepoint(c->arena, btf, event_of(p));
	return p->data ? 0 : not_found(c, p, btf);
}

static const struct at_type *args(struct at_check *c, struct at_attachpt *p)
{
	return p->data;
}

/*
 * The verifier knows what a pointer in the context leads to and allows less
 * with it than with a number: it is read as one.
 */
static struct at_ir *read_pointer(struct at_lower *lw, unsigned offset)
{
	struct at_irb *b = lw->b;
	struct at_ir *to = at_lower_temp(lw, sizeof(uint64_t));

	ir_do(b, ir_helper(b, BPF_FUNC_probe_read_kernel, 3, to, ir_const(b, sizeof(uint64_t)),
			   ir_addi(b, lw->ctx, offset)));
	return ir_load(b, sizeof(uint64_t), to, 0);
}

static struct at_val field(struct at_lower *lw, const struct at_type_field *f)
{
	struct at_irb *b = lw->b;
	struct at_ir *word = f->type->kind == AT_T_PTR
				     ? read_pointer(lw, f->offset)
				     : ir_load(b, sizeof(uint64_t), lw->ctx, f->offset);

	return at_word(f->type, ir_let(b, at_lower_fit(lw, f->type, &at_type_uint64, word)));
}

/* ---- Programs ---- */

static void fill(struct at_plan_prog *g, const struct at_attachpt *p)
{
	g->target = event_of(p);
}

static int plan(struct at_lower *lw, struct at_clause_use *uses, size_t n)
{
	return at_probe_plan_each(lw, uses, n, AT_PROG_TP_BTF, true, fill);
}

static int attach(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	int link = bpf_raw_tracepoint_open(NULL, fd);

	return link < 0 ? link : at_run_link(run, link, false);
}

/* ---- Listing ---- */

struct names {
	char **v;
	size_t n, cap;
	const char *glob;
	int err;
};

static int take(const char *typedef_name, void *arg)
{
	struct names *all = arg;
	char *name;

	if (all->n == all->cap) {
		size_t cap = all->cap ? all->cap * 2 : 256;
		char **more = realloc(all->v, cap * sizeof(*more));

		if (!more)
			return all->err = -ENOMEM;
		all->v = more;
		all->cap = cap;
	}
	if (asprintf(&name, "rawtracepoint:%s", typedef_name + strlen(PREFIX)) < 0)
		return all->err = -ENOMEM;
	if (at_glob(all->glob, name, false))
		all->v[all->n++] = name;
	else
		free(name);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(struct at_host *host, const char *glob,
		int (*each)(const char *name, void *arg), void *arg)
{
	const struct at_btf *btf = at_host_btf(host);
	struct names all = { .glob = strchr(glob, ':') ? glob : "*" };
	int stop = 0;

	if (!btf)
		return -errno;
	at_btf_each(btf, BTF_KIND_TYPEDEF, PREFIX, take, &all);
	qsort(all.v, all.n, sizeof(*all.v), by_name);
	for (size_t i = 0; i < all.n; i++) {
		bool again = i && !strcmp(all.v[i], all.v[i - 1]);

		if (!all.err && !stop && !again)
			stop = each(all.v[i], arg);
	}
	for (size_t i = 0; i < all.n; i++)
		free(all.v[i]);
	free(all.v);
	return all.err;
}

const struct at_provider at_provider_rawtracepoint = {
	.name = "rawtracepoint",
	.alias = "rt",
	.syntax = SYNTAX,
	.brief = "the kernel's tracepoints with the arguments they are called with",
	.needs = "kernel BTF (/sys/kernel/btf/vmlinux)",
	.feature = "btf",
	.numbered = true,
	.parse = parse,
	.args = args,
	.field = field,
	.plan = plan,
	.attach = attach,
	.list = list,
};
