/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before LLVM: walks the calls from every program on, marks the functions that
 * have to exist, and adds up stack frames, so that what cannot load is said
 * with the place in the script. Registers that LLVM spills are not known here;
 * LLVM and the verifier report what those push over the limit.
 */
#include <errno.h>

#include "codegen/cg.h"

enum {
	MAY_GOTO_STACK = 16, /* the kernel's own counter and time stamp */
	CONTEXT_STACK = 8,   /* bpf_loop: where the context word is passed */
};

static int visit(struct cg *cg, unsigned index);

bool cg_inlined(const struct at_ir_func *fn)
{
	return fn->inlined && !fn->noinline && fn->kind == AT_FN_SUB;
}

static unsigned larger(unsigned a, unsigned b)
{
	return a > b ? a : b;
}

/* Code that becomes part of f. */
static int include(struct cg *cg, struct cg_func *f, unsigned index)
{
	const struct cg_func *t = &cg->funcs[index];

	if (visit(cg, index))
		return -EINVAL;
	f->own += t->own;
	f->below = larger(f->below, t->below);
	f->depth = larger(f->depth, t->depth);
	return 0;
}

/* Code that f calls, with a frame of its own. */
static int call(struct cg *cg, struct cg_func *f, unsigned index)
{
	const struct cg_func *t = &cg->funcs[index];

	if (visit(cg, index))
		return -EINVAL;
	f->below = larger(f->below, t->own + t->below);
	f->depth = larger(f->depth, t->depth + 1);
	return 0;
}

static int visit_repeat(struct cg *cg, struct cg_func *f, unsigned index, bool *has_goto)
{
	if (cg->opts.may_goto) {
		f->own += *has_goto ? 0 : MAY_GOTO_STACK;
		*has_goto = true;
		return include(cg, f, index);
	}
	f->own += CONTEXT_STACK;
	cg->funcs[index].thunked = true;
	return call(cg, f, index);
}

static int visit_call(struct cg *cg, struct cg_func *f, const struct at_ir *n)
{
	if (n->kind == AT_IR_CALL && cg_inlined(cg->plan->funcs.v[n->index]))
		return include(cg, f, n->index);
	cg->funcs[n->index].called = true;
	return call(cg, f, n->index);
}

static int visit_block(struct cg *cg, struct cg_func *f, const struct at_ir_block *block,
		       bool *g);

static int visit_node(struct cg *cg, struct cg_func *f, const struct at_ir *n, bool *has_goto)
{
	int err = 0;

	if (!n)
		return 0;
	if (n->kind == AT_IR_CALL || n->kind == AT_IR_FUNC)
		err = visit_call(cg, f, n);
	else if (n->kind == AT_IR_S_REPEAT)
		err = visit_repeat(cg, f, n->index, has_goto);
	for (unsigned i = 0; !err && i < at_count(n->args); i++)
		err = visit_node(cg, f, n->args[i], has_goto);
	if (!err)
		err = visit_node(cg, f, n->a, has_goto);
	if (!err)
		err = visit_node(cg, f, n->b, has_goto);
	if (!err)
		err = visit_node(cg, f, n->c, has_goto);
	if (!err)
		err = visit_block(cg, f, n->body, has_goto);
	return err ? err : visit_block(cg, f, n->other, has_goto);
}

static int visit_block(struct cg *cg, struct cg_func *f, const struct at_ir_block *block,
		       bool *g)
{
	int err = 0;

	for (size_t i = 0; block && !err && i < block->stmts.n; i++)
		err = visit_node(cg, f, block->stmts.v[i], g);
	return err;
}

static int check_limits(struct cg *cg, const struct at_ir_func *fn, const struct cg_func *f)
{
	if (f->own + f->below > CG_STACK)
		return cg_error(
			cg, fn->range,
			"%s needs %u bytes of stack with what it calls, the kernel gives %d",
			fn->name, f->own + f->below, CG_STACK);
	if (f->depth > CG_FRAMES)
		return cg_error(cg, fn->range, "%s is %u calls deep, the kernel allows %d",
				fn->name, f->depth, CG_FRAMES);
	return 0;
}

static int visit(struct cg *cg, unsigned index)
{
	const struct at_ir_func *fn = cg->plan->funcs.v[index];
	struct cg_func *f = &cg->funcs[index];
	bool has_goto = false;

	if (f->state == CG_BUSY)
		return cg_error(cg, fn->range, "%s calls itself", fn->name);
	if (f->state == CG_DONE)
		return 0;
	f->state = CG_BUSY;
	f->depth = 1;
	for (size_t i = 0; i < fn->slots.n; i++)
		f->own += fn->slots.v[i].size;
	if (visit_block(cg, f, fn->body, &has_goto))
		return -EINVAL;
	f->state = CG_DONE;
	return check_limits(cg, fn, f);
}

int cg_calls(struct cg *cg)
{
	int err = 0;

	cg->funcs = at_new_n(cg->arena, struct cg_func, cg->plan->funcs.n);
	for (size_t i = 0; !err && i < cg->plan->funcs.n; i++) {
		if (cg->plan->funcs.v[i]->kind != AT_FN_PROG)
			continue;
		cg->funcs[i].called = true;
		err = visit(cg, i);
	}
	return err;
}
