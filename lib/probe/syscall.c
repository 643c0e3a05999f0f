/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracepoint:syscalls:sys_enter_NAME and sys_exit_NAME. The kernel makes them
 * of the raw tracepoints sys_enter and sys_exit, a perf event each, and gives
 * such events back one after another at 36 ms. So where a script has more than
 * a few we do what it does, once for all: a program on the raw tracepoint looks
 * up by the number of the call which program to go on with (a tail call). A
 * call that is traced then costs 35 ns less, one that is not 50 ns more. Calls
 * in the 32-bit ABI have other numbers; like the kernel's, these tracepoints do
 * not see them.
 */
#include "lib/probe/syscall.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <string.h>

#include "lib/run/load.h"

enum {
	NR_OFFSET = 8,    /* in the record: __syscall_nr */
	ARGS_OFFSET = 16, /* arguments, or the result; a word each */
	ARGS = 6,
	TS_COMPAT = 2, /* thread_info.status (arch/x86/include/asm/thread_info.h) */
};

/* Where x86-64 passes arguments (arch/x86/include/asm/syscall.h). */
static const char *const arg_regs[ARGS] = { "pt_regs.di",  "pt_regs.si", "pt_regs.dx",
					    "pt_regs.r10", "pt_regs.r8", "pt_regs.r9" };

/* ---- Names ---- */

static const struct name {
	const char *text;
	unsigned nr;
} numbers[] = {
#ifdef __x86_64__
#define CALL(nr, name) { #name, nr },
#include "lib/probe/syscall_x86_64.def"
#undef CALL
#endif
	{ NULL, 0 },
};

static const struct name *find(const char *name)
{
	for (const struct name *n = numbers; n->text; n++)
		if (!strcmp(n->text, name))
			return n;
	return NULL;
}

/* A field that is not in the registers is made by the kernel's own code only. */
static bool in_registers(const struct at_tpformat *f)
{
	for (size_t i = 0; i < f->type->nfields; i++)
		if (f->places[i] != AT_TP_INLINE ||
		    f->type->fields[i].offset >= ARGS_OFFSET + ARGS * sizeof(uint64_t))
			return false;
	return true;
}

const struct at_syscall *at_syscall_of(struct at_check *c, const struct at_attachpt *p,
				       const struct at_tpformat *f)
{
	bool exit = !strncmp(p->parts.v[2], "sys_exit_", 9);
	struct at_syscall *call;
	const struct name *name;

	if (strcmp(p->parts.v[1], "syscalls") ||
	    (!exit && strncmp(p->parts.v[2], "sys_enter_", 10)) || !in_registers(f))
		return NULL;
	name = find(p->parts.v[2] + (exit ? 9 : 10));
	if (!name)
		return NULL;
	call = at_new(c->arena, struct at_syscall);
	*call = (struct at_syscall){ name->nr, exit };
	return call;
}

/* ---- Programs ---- */

static struct at_ir *load_at(struct at_irb *b, unsigned width, struct at_ir *addr,
			     const char *path)
{
	unsigned sym = at_plan_sym(b->plan, AT_SYM_BTF_OFFSET, path, 0);

	return ir_load(b, width, ir_add(b, addr, ir_sym(b, sym)), 0);
}

/* Of the context: both raw tracepoints begin with it. */
static struct at_ir *regs(struct at_irb *b, struct at_ir *ctx)
{
	return ir_load(b, sizeof(uint64_t), ctx, 0);
}

/* The other argument: the number, or the result. */
static struct at_ir *second(struct at_irb *b, struct at_ir *ctx)
{
	return ir_load(b, sizeof(uint64_t), ctx, sizeof(uint64_t));
}

static struct at_ir *word_of(struct at_lower *lw, const struct at_syscall *call,
			     unsigned offset)
{
	if (offset == NR_OFFSET)
		return ir_const(lw->b, call->nr);
	if (call->exit)
		return second(lw->b, lw->ctx);
	return load_at(lw->b, sizeof(uint64_t), regs(lw->b, lw->ctx),
		       arg_regs[(offset - ARGS_OFFSET) / sizeof(uint64_t)]);
}

struct at_val at_syscall_field(struct at_lower *lw, const struct at_syscall *call,
			       const struct at_type_field *f)
{
	struct at_ir *word = word_of(lw, call, f->offset);

	return at_word(f->type,
		       ir_let(lw->b, at_lower_fit(lw, f->type, &at_type_uint64, word)));
}

static const char *const targets[] = { "sys_enter", "sys_exit" };

static unsigned new_map(struct at_lower *lw, bool exit)
{
	struct at_plan_map m = {
		.name = exit ? "sys_exit" : "sys_enter",
		.kind = AT_MAP_PROG_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(uint32_t),
	};

	for (const struct name *n = numbers; n->text; n++)
		if (n->nr >= m.max_entries)
			m.max_entries = n->nr + 1;
	return at_plan_map(lw->plan, &m);
}

/* nums: 1 + the map, the entry there; 0 for those that call the others. */
void at_syscall_prog(struct at_lower *lw, struct at_syscalls *s, const struct at_syscall *call,
		     struct at_plan_prog *g)
{
	struct at_syscall_side *side = &s->sides[call->exit];

	if (!side->used)
		*side = (struct at_syscall_side){ true, new_map(lw, call->exit), g->range };
	g->kind = AT_PROG_TP_BTF;
	g->target = targets[call->exit];
	g->nums[0] = 1 + side->map;
	g->nums[1] = call->nr;
}

void at_syscall_leave_if_compat(struct at_irb *b)
{
	struct at_ir *task = ir_helper(b, BPF_FUNC_get_current_task_btf, 0);

	ir_if(b, ir_andi(b, load_at(b, 4, task, "task_struct.thread_info.status"), TS_COMPAT));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
}

static unsigned write_dispatcher(struct at_lower *lw, const struct at_syscall_side *side,
				 bool exit)
{
	struct at_irb mine = { .range = side->range }, *b = &mine;
	struct at_ir *nr;

	ir_begin(b, lw->plan, at_sprintf(lw->arena, "prog_%s", targets[exit]), AT_FN_PROG, 1);
	if (exit)
		nr = load_at(b, sizeof(uint64_t), regs(b, ir_param(b, 0)), "pt_regs.orig_ax");
	else
		nr = second(b, ir_param(b, 0));
	ir_do(b, ir_helper(b, BPF_FUNC_tail_call, 3, ir_param(b, 0), ir_map(b, side->map), nr));
	ir_return(b, ir_const(b, 0));
	return b->index;
}

void at_syscall_finish(struct at_lower *lw, const struct at_syscalls *s,
		       const struct at_provider *p)
{
	for (size_t i = 0; i < at_count(s->sides); i++) {
		struct at_plan_prog g = {
			.kind = AT_PROG_TP_BTF,
			.provider = p->name,
			.probe = at_sprintf(lw->arena, "%s:syscalls:%s_*", p->name, targets[i]),
			.target = targets[i],
			.range = s->sides[i].range,
		};

		if (!s->sides[i].used)
			continue;
		g.func = write_dispatcher(lw, &s->sides[i], i);
		g.name = lw->plan->funcs.v[g.func]->name;
		at_plan_prog(lw->plan, &g);
	}
}

int at_syscall_attach(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	uint32_t nr = g->nums[1];
	int link;

	if (g->nums[0])
		return bpf_map_update_elem(run->map_fds[g->nums[0] - 1], &nr, &fd, BPF_ANY);
	link = bpf_raw_tracepoint_open(NULL, fd);
	return link < 0 ? link : at_run_link(run, link, false);
}
