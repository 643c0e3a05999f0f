/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core IR as text: a statement a line, blocks indented. Params are p0.., other
 * locals v0.., slots s0.. (&s0 is an address); u32[a + 8] is memory, s32[..]
 * the same with its sign extended. Operators are those of ir.def, in full
 * brackets.
 */
#include <linux/bpf.h>

#include "frontend/dump.h"

static const char *const ops[AT_OP_COUNT] = {
#define AT_IR_BIN(kind, text) [AT_OP_##kind] = text,
#include "frontend/ir.def"
#define AT_IR_UN(kind, text) [AT_OP_##kind] = text,
#include "frontend/ir.def"
};

static const char *const helpers[] = {
#define HELPER(name) #name
	__BPF_FUNC_MAPPER(HELPER)
#undef HELPER
};

static const char *const func_kinds[] = {
	[AT_FN_PROG] = "program",
	[AT_FN_SUB] = "sub",
	[AT_FN_TRIP] = "trip",
};

static void put_expr(struct at_out *o, const struct at_ir *e);
static void put_block(struct at_out *o, const struct at_ir_block *block);

static void put_local(struct at_out *o, unsigned local)
{
	unsigned nparams = o->fn->nparams;

	if (local < nparams)
		at_put(o, "p%u", local);
	else
		at_put(o, "v%u", local - nparams);
}

static void put_offset(struct at_out *o, int64_t off)
{
	if (off)
		at_put(o, " %c %lld", off < 0 ? '-' : '+', (long long)(off < 0 ? -off : off));
}

static void put_memory(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "%c%u[", e->sign ? 's' : 'u', e->width * 8);
	put_expr(o, e->a);
	put_offset(o, e->imm);
	at_put(o, "]");
}

static void put_args(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "(");
	for (unsigned i = 0; i < e->n; i++) {
		if (i)
			at_put(o, ", ");
		put_expr(o, e->args[i]);
	}
	at_put(o, ")");
}

/* ---- Expressions ---- */

static void put_const(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "%lld", (long long)e->imm);
}

static void put_sym(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "{");
	at_put_sym(o, &o->plan->syms.v[e->index]);
	at_put(o, "}");
}

static void put_get(struct at_out *o, const struct at_ir *e)
{
	put_local(o, e->index);
}

static void put_slot(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "&s%u", e->index);
}

static void put_map(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "map %s", o->plan->maps.v[e->index].name);
}

static void put_mapval(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "&%s[%lld]", o->plan->maps.v[e->index].name, (long long)e->imm);
}

static void put_func(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "&%s", o->plan->funcs.v[e->index]->name);
}

static void put_bin(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "(");
	put_expr(o, e->a);
	at_put(o, " %s ", ops[e->op]);
	put_expr(o, e->b);
	at_put(o, ")");
}

static void put_un(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "%s(", ops[e->op]);
	put_expr(o, e->a);
	at_put(o, ")");
}

static void put_select(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "(");
	put_expr(o, e->a);
	at_put(o, " ? ");
	put_expr(o, e->b);
	at_put(o, " : ");
	put_expr(o, e->c);
	at_put(o, ")");
}

static void put_helper(struct at_out *o, const struct at_ir *e)
{
	if ((size_t)e->imm < at_count(helpers))
		at_put(o, "%s", helpers[e->imm]);
	else
		at_put(o, "helper%lld", (long long)e->imm);
	put_args(o, e);
}

static void put_kfunc(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "kernel %s", e->name);
	put_args(o, e);
}

static void put_call(struct at_out *o, const struct at_ir *e)
{
	at_put(o, "call %s", o->plan->funcs.v[e->index]->name);
	put_args(o, e);
}

/* "NAME(memory, operand, operand)" */
static void put_atomic(struct at_out *o, const struct at_ir *e)
{
	static const char *const names[] = {
		[AT_IR_XADD] = "xadd",
		[AT_IR_XCHG] = "xchg",
		[AT_IR_CMPXCHG] = "cmpxchg",
	};

	at_put(o, "%s(", names[e->kind]);
	put_memory(o, e);
	at_put(o, ", ");
	put_expr(o, e->b);
	if (e->c) {
		at_put(o, ", ");
		put_expr(o, e->c);
	}
	at_put(o, ")");
}

/* ---- Statements: without indentation and line end ---- */

static void put_set(struct at_out *o, const struct at_ir *s)
{
	put_local(o, s->index);
	at_put(o, " = ");
	put_expr(o, s->a);
}

static void put_store(struct at_out *o, const struct at_ir *s)
{
	put_memory(o, s);
	at_put(o, " = ");
	put_expr(o, s->b);
}

static void put_add(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "atomic ");
	put_memory(o, s);
	at_put(o, " += ");
	put_expr(o, s->b);
}

static void put_zero(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "zero %u at ", s->n);
	put_expr(o, s->a);
	put_offset(o, s->imm);
}

static void put_copy(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "copy %u to ", s->n);
	put_expr(o, s->a);
	put_offset(o, s->imm);
	at_put(o, " from ");
	put_expr(o, s->b);
	put_offset(o, s->off);
}

static void put_do(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "do ");
	put_expr(o, s->a);
}

static void put_indent(struct at_out *o)
{
	for (unsigned i = 0; i < o->level; i++)
		at_put(o, "  ");
}

static void put_if(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "if ");
	put_expr(o, s->a);
	at_put(o, "\n");
	put_block(o, s->body);
	if (!s->other)
		return;
	put_indent(o);
	at_put(o, "else\n");
	put_block(o, s->other);
}

static void put_loop(struct at_out *o, const struct at_ir *s)
{
	at_put(o, s->n ? "loop guarded\n" : "loop\n");
	put_block(o, s->body);
}

static void put_repeat(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "repeat ");
	if (s->a) {
		put_expr(o, s->a);
		at_put(o, " times ");
	}
	at_put(o, "%s with ", o->plan->funcs.v[s->index]->name);
	put_expr(o, s->b);
}

static void put_break(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "break");
}

static void put_continue(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "continue");
}

static void put_return(struct at_out *o, const struct at_ir *s)
{
	at_put(o, "return ");
	put_expr(o, s->a);
}

static void (*const writers[AT_IR_KIND_COUNT])(struct at_out *, const struct at_ir *) = {
	[AT_IR_CONST] = put_const,     [AT_IR_SYM] = put_sym,
	[AT_IR_LOCAL] = put_get,       [AT_IR_SLOT] = put_slot,
	[AT_IR_MAP] = put_map,         [AT_IR_MAPVAL] = put_mapval,
	[AT_IR_FUNC] = put_func,       [AT_IR_BIN] = put_bin,
	[AT_IR_UN] = put_un,           [AT_IR_SELECT] = put_select,
	[AT_IR_LOAD] = put_memory,     [AT_IR_HELPER] = put_helper,
	[AT_IR_KFUNC] = put_kfunc,     [AT_IR_CALL] = put_call,
	[AT_IR_XADD] = put_atomic,     [AT_IR_XCHG] = put_atomic,
	[AT_IR_CMPXCHG] = put_atomic,  [AT_IR_S_SET] = put_set,
	[AT_IR_S_STORE] = put_store,   [AT_IR_S_ZERO] = put_zero,
	[AT_IR_S_COPY] = put_copy,     [AT_IR_S_ADD] = put_add,
	[AT_IR_S_DO] = put_do,         [AT_IR_S_IF] = put_if,
	[AT_IR_S_LOOP] = put_loop,     [AT_IR_S_REPEAT] = put_repeat,
	[AT_IR_S_BREAK] = put_break,   [AT_IR_S_CONTINUE] = put_continue,
	[AT_IR_S_RETURN] = put_return,
};

static void put_expr(struct at_out *o, const struct at_ir *e)
{
	writers[e->kind](o, e);
}

static bool has_blocks(const struct at_ir *s)
{
	return s->kind == AT_IR_S_IF || s->kind == AT_IR_S_LOOP;
}

static void put_block(struct at_out *o, const struct at_ir_block *block)
{
	o->level++;
	for (size_t i = 0; i < block->stmts.n; i++) {
		const struct at_ir *s = block->stmts.v[i];

		put_indent(o);
		writers[s->kind](o, s);
		if (!has_blocks(s)) /* theirs ended the line */
			at_put(o, "\n");
	}
	o->level--;
}

void at_put_func(struct at_out *o, const struct at_ir_func *fn)
{
	o->fn = fn;
	at_put(o, "%s %s(", func_kinds[fn->kind], fn->name);
	for (unsigned i = 0; i < fn->nparams; i++)
		at_put(o, "%sp%u", i ? ", " : "", i);
	at_put(o, ")%s%s%s", fn->inlined ? " inlined" : "", fn->noinline ? " noinline" : "",
	       fn->by_itself ? " by itself" : "");
	for (size_t i = 0; i < fn->slots.n; i++)
		at_put(o, " s%zu[%u]", i, fn->slots.v[i].size);
	at_put(o, "\n");
	put_block(o, fn->body);
}
