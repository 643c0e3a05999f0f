/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The builder of core IR: makes nodes, keeps the open blocks. It decides
 * nothing; a misuse by us is an assert. What is built is described in ir.h.
 */
#include "frontend/ir.h"

#include <assert.h>

#include "frontend/plan.h"

static struct at_ir *node(struct at_irb *b, enum at_ir_kind kind)
{
	struct at_ir *n = at_new(b->arena, struct at_ir);

	n->kind = kind;
	n->range = b->range;
	return n;
}

static bool is_expr(const struct at_ir *x)
{
	return x && x->kind < AT_IR_EXPR_COUNT;
}

static bool good_width(unsigned width)
{
	return width == 1 || width == 2 || width == 4 || width == 8;
}

/* Appends a statement to the innermost open block. */
static struct at_ir *statement(struct at_irb *b, enum at_ir_kind kind)
{
	struct at_ir_block *block = b->open[b->depth];
	struct at_ir *n = node(b, kind);

	at_vec_push(b->arena, &block->stmts, n);
	return n;
}

static struct at_ir_block *block_open(struct at_irb *b, struct at_ir *owner)
{
	struct at_ir_block *block = at_new(b->arena, struct at_ir_block);

	assert(b->depth + 1 < AT_IR_DEPTH);
	b->depth++;
	b->open[b->depth] = block;
	b->owner[b->depth] = owner;
	return block;
}

void ir_begin(struct at_irb *b, struct at_plan *plan, const char *name,
	      enum at_ir_func_kind kind, unsigned nparams)
{
	struct at_range range = b->range;

	assert(nparams <= 5);
	for (size_t i = 0; i < plan->funcs.n; i++)
		assert(strcmp(plan->funcs.v[i]->name, name) != 0);
	*b = (struct at_irb){ .arena = plan->code, .plan = plan, .range = range };
	b->fn = at_new(b->arena, struct at_ir_func);
	b->fn->name = at_strdup(b->arena, name);
	b->fn->kind = kind;
	b->fn->nparams = b->fn->nlocals = nparams;
	b->fn->body = at_new(b->arena, struct at_ir_block);
	b->fn->range = range;
	b->open[0] = b->fn->body;
	b->index = plan->funcs.n;
	at_vec_push(b->arena, &plan->funcs, b->fn);
}

/* ---- Words ---- */

struct at_ir *ir_const(struct at_irb *b, int64_t v)
{
	struct at_ir *n = node(b, AT_IR_CONST);

	n->imm = v;
	return n;
}

static struct at_ir *indexed(struct at_irb *b, enum at_ir_kind kind, unsigned index)
{
	struct at_ir *n = node(b, kind);

	n->index = index;
	return n;
}

struct at_ir *ir_sym(struct at_irb *b, unsigned sym)
{
	assert(sym < b->plan->syms.n);
	return indexed(b, AT_IR_SYM, sym);
}

struct at_ir *ir_param(struct at_irb *b, unsigned n)
{
	assert(n < b->fn->nparams);
	return indexed(b, AT_IR_LOCAL, n);
}

struct at_ir *ir_get(struct at_irb *b, unsigned local)
{
	assert(local < b->fn->nlocals);
	return indexed(b, AT_IR_LOCAL, local);
}

struct at_ir *ir_slot(struct at_irb *b, unsigned size)
{
	struct at_ir_slot slot = { (size + 7) & ~7u };

	at_vec_push(b->arena, &b->fn->slots, slot);
	return indexed(b, AT_IR_SLOT, b->fn->slots.n - 1);
}

struct at_ir *ir_map(struct at_irb *b, unsigned map)
{
	assert(map < b->plan->maps.n);
	return indexed(b, AT_IR_MAP, map);
}

struct at_ir *ir_mapval(struct at_irb *b, unsigned map, int64_t off)
{
	struct at_ir *n;

	assert(map < b->plan->maps.n && b->plan->maps.v[map].kind == AT_MAP_ARRAY);
	n = indexed(b, AT_IR_MAPVAL, map);
	n->imm = off;
	return n;
}

struct at_ir *ir_funcaddr(struct at_irb *b, unsigned func)
{
	assert(func < b->plan->funcs.n && b->plan->funcs.v[func]->kind != AT_FN_PROG);
	return indexed(b, AT_IR_FUNC, func);
}

struct at_ir *ir_bin(struct at_irb *b, enum at_ir_op op, struct at_ir *x, struct at_ir *y)
{
	struct at_ir *n = node(b, AT_IR_BIN);

	assert(op < AT_OP_UNARY && is_expr(x) && is_expr(y));
	n->op = op;
	n->a = x;
	n->b = y;
	return n;
}

struct at_ir *ir_bini(struct at_irb *b, enum at_ir_op op, struct at_ir *x, int64_t y)
{
	return ir_bin(b, op, x, ir_const(b, y));
}

struct at_ir *ir_un(struct at_irb *b, enum at_ir_op op, struct at_ir *x)
{
	struct at_ir *n = node(b, AT_IR_UN);

	assert(op > AT_OP_UNARY && op < AT_OP_COUNT && is_expr(x));
	n->op = op;
	n->a = x;
	return n;
}

struct at_ir *ir_select(struct at_irb *b, struct at_ir *cond, struct at_ir *x, struct at_ir *y)
{
	struct at_ir *n = node(b, AT_IR_SELECT);

	assert(is_expr(cond) && is_expr(x) && is_expr(y));
	n->a = cond;
	n->b = x;
	n->c = y;
	return n;
}

/* A node that touches memory at addr + off. */
static void set_place(struct at_ir *n, unsigned width, struct at_ir *addr, int64_t off)
{
	assert(good_width(width) && is_expr(addr));
	n->width = width;
	n->a = addr;
	n->imm = off;
}

struct at_ir *ir_load(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off)
{
	struct at_ir *n = node(b, AT_IR_LOAD);

	set_place(n, width, addr, off);
	return n;
}

struct at_ir *ir_loads(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off)
{
	struct at_ir *n = ir_load(b, width, addr, off);

	n->sign = true;
	return n;
}

static void take_args(struct at_ir *n, unsigned nargs, va_list ap)
{
	assert(nargs <= at_count(n->args));
	n->n = nargs;
	for (unsigned i = 0; i < nargs; i++) {
		n->args[i] = va_arg(ap, struct at_ir *);
		assert(is_expr(n->args[i]));
	}
}

struct at_ir *ir_helper(struct at_irb *b, int id, unsigned nargs, ...)
{
	struct at_ir *n = node(b, AT_IR_HELPER);
	va_list ap;

	assert(id > 0);
	n->imm = id;
	va_start(ap, nargs);
	take_args(n, nargs, ap);
	va_end(ap);
	return n;
}

struct at_ir *ir_kfunc(struct at_irb *b, const char *name, unsigned nargs, ...)
{
	struct at_ir *n = node(b, AT_IR_KFUNC);
	va_list ap;

	n->name = at_strdup(b->arena, name);
	va_start(ap, nargs);
	take_args(n, nargs, ap);
	va_end(ap);
	return n;
}

struct at_ir *ir_call(struct at_irb *b, unsigned func, unsigned nargs, ...)
{
	struct at_ir *n = indexed(b, AT_IR_CALL, func);
	va_list ap;

	assert(func < b->plan->funcs.n && b->plan->funcs.v[func]->kind != AT_FN_PROG);
	assert(b->plan->funcs.v[func]->nparams == nargs);
	va_start(ap, nargs);
	take_args(n, nargs, ap);
	va_end(ap);
	return n;
}

static struct at_ir *atomic(struct at_irb *b, enum at_ir_kind kind, unsigned width,
			    struct at_ir *addr, int64_t off)
{
	struct at_ir *n = node(b, kind);

	assert(width >= 4);
	set_place(n, width, addr, off);
	return n;
}

struct at_ir *ir_xadd(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		      struct at_ir *v)
{
	struct at_ir *n = atomic(b, AT_IR_XADD, width, addr, off);

	assert(is_expr(v));
	n->b = v;
	return n;
}

struct at_ir *ir_xchg(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		      struct at_ir *v)
{
	struct at_ir *n = atomic(b, AT_IR_XCHG, width, addr, off);

	assert(is_expr(v));
	n->b = v;
	return n;
}

struct at_ir *ir_cmpxchg(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
			 struct at_ir *expect, struct at_ir *v)
{
	struct at_ir *n = atomic(b, AT_IR_CMPXCHG, width, addr, off);

	assert(is_expr(expect) && is_expr(v));
	n->b = expect;
	n->c = v;
	return n;
}

/* ---- Locals ---- */

unsigned ir_local(struct at_irb *b)
{
	return b->fn->nlocals++;
}

void ir_set(struct at_irb *b, unsigned local, struct at_ir *v)
{
	struct at_ir *n = statement(b, AT_IR_S_SET);

	assert(local < b->fn->nlocals && is_expr(v));
	n->index = local;
	n->a = v;
}

struct at_ir *ir_let(struct at_irb *b, struct at_ir *v)
{
	unsigned local = ir_local(b);

	ir_set(b, local, v);
	return ir_get(b, local);
}

/* ---- Statements ---- */

void ir_store(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
	      struct at_ir *v)
{
	struct at_ir *n = statement(b, AT_IR_S_STORE);

	assert(is_expr(v));
	set_place(n, width, addr, off);
	n->b = v;
}

void ir_zero(struct at_irb *b, struct at_ir *addr, int64_t off, unsigned bytes)
{
	struct at_ir *n = statement(b, AT_IR_S_ZERO);

	set_place(n, 1, addr, off);
	n->n = bytes;
}

void ir_copy(struct at_irb *b, struct at_ir *dst, int64_t doff, struct at_ir *src, int64_t soff,
	     unsigned bytes)
{
	struct at_ir *n = statement(b, AT_IR_S_COPY);

	assert(is_expr(src));
	set_place(n, 1, dst, doff);
	n->b = src;
	n->off = soff;
	n->n = bytes;
}

void ir_atomic_add(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		   struct at_ir *v)
{
	struct at_ir *n = statement(b, AT_IR_S_ADD);

	assert(width >= 4 && is_expr(v));
	set_place(n, width, addr, off);
	n->b = v;
}

void ir_do(struct at_irb *b, struct at_ir *v)
{
	struct at_ir *n = statement(b, AT_IR_S_DO);

	assert(is_expr(v));
	n->a = v;
}

void ir_if(struct at_irb *b, struct at_ir *cond)
{
	struct at_ir *n = statement(b, AT_IR_S_IF);

	assert(is_expr(cond));
	n->a = cond;
	n->body = block_open(b, n);
}

void ir_else(struct at_irb *b)
{
	struct at_ir *n = b->owner[b->depth];

	assert(b->depth && n->kind == AT_IR_S_IF && !n->other);
	n->other = b->open[b->depth] = at_new(b->arena, struct at_ir_block);
}

void ir_loop(struct at_irb *b)
{
	struct at_ir *n = statement(b, AT_IR_S_LOOP);

	n->body = block_open(b, n);
}

void ir_loop_guarded(struct at_irb *b)
{
	ir_loop(b);
	b->owner[b->depth]->n = 1;
}

void ir_end(struct at_irb *b)
{
	assert(b->depth);
	b->depth--;
}

void ir_repeat(struct at_irb *b, struct at_ir *trips, unsigned func, struct at_ir *context)
{
	struct at_ir *n = statement(b, AT_IR_S_REPEAT);

	assert((!trips || is_expr(trips)) && is_expr(context) && func < b->plan->funcs.n);
	assert(b->plan->funcs.v[func]->kind == AT_FN_TRIP);
	assert(b->plan->funcs.v[func]->nparams == 2);
	n->a = trips;
	n->b = context;
	n->index = func;
}

static bool in_loop(const struct at_irb *b)
{
	for (unsigned i = b->depth; i > 0; i--)
		if (b->owner[i]->kind == AT_IR_S_LOOP)
			return true;
	return false;
}

void ir_break(struct at_irb *b)
{
	assert(in_loop(b));
	statement(b, AT_IR_S_BREAK);
}

void ir_continue(struct at_irb *b)
{
	assert(in_loop(b));
	statement(b, AT_IR_S_CONTINUE);
}

void ir_return(struct at_irb *b, struct at_ir *v)
{
	struct at_ir *n = statement(b, AT_IR_S_RETURN);

	assert(is_expr(v));
	n->a = v;
}
