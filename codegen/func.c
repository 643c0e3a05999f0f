/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Functions and statements. A statement says whether control goes on behind
 * it, so nothing is written where nothing can come. Inlining is done here, not
 * by LLVM: a trip of a may_goto loop, and functions hinted so, are written
 * again where they are used.
 */
#include "codegen/cg.h"

enum { BPF_LOOP = 181, GET_CURRENT_TASK = 35 }; /* enum bpf_func_id */

static bool block(struct cg *cg, const struct at_ir_block *blk);

LLVMTypeRef cg_func_type(struct cg *cg, unsigned nparams)
{
	LLVMTypeRef params[CG_MAX_PARAMS] = { cg->i64, cg->i64, cg->i64, cg->i64, cg->i64 };

	return LLVMFunctionType(cg->i64, params, nparams, false);
}

LLVMBasicBlockRef cg_block(struct cg *cg, const char *name)
{
	return LLVMAppendBasicBlockInContext(cg->ctx, cg->host, name);
}

/* Memory of the frame, in the entry block, where LLVM takes it for a fixed part. */
LLVMValueRef cg_alloca(struct cg *cg, unsigned words)
{
	LLVMTypeRef type = words == 1 ? cg->i64 : LLVMArrayType(cg->i64, words);
	LLVMValueRef v = LLVMBuildAlloca(cg->allocas, type, "");

	LLVMSetAlignment(v, 8);
	return v;
}

/* A slot's memory: that of an inlined function that has ended, or new. */
static LLVMValueRef take_slot(struct cg *cg, unsigned size)
{
	for (size_t i = 0; i < cg->free_slots.n; i++) {
		struct cg_slot *s = &cg->free_slots.v[i];
		LLVMValueRef at = s->at;

		if (s->size != size)
			continue;
		*s = cg->free_slots.v[--cg->free_slots.n];
		return at;
	}
	return cg_alloca(cg, size / 8);
}

/* The stack is small: what is inlined one behind the other shares it. */
static void free_slots(struct cg *cg, const struct cg_body *body)
{
	for (size_t i = 0; i < body->fn->slots.n; i++) {
		struct cg_slot s = { body->fn->slots.v[i].size, body->slots[i] };

		at_vec_push(cg->arena, &cg->free_slots, s);
	}
}

/* ---- A function's code ---- */

/* Locals begin as 0; those that are set before they are read cost nothing. */
static void body_begin(struct cg *cg, struct cg_body *body, const struct at_ir_func *fn,
		       LLVMValueRef *args)
{
	body->fn = fn;
	body->locals = at_new_n(cg->arena, LLVMValueRef, fn->nlocals);
	body->slots = at_new_n(cg->arena, LLVMValueRef, fn->slots.n);
	for (unsigned i = 0; i < fn->nlocals; i++) {
		body->locals[i] = cg_alloca(cg, 1);
		LLVMBuildStore(cg->b, i < fn->nparams ? args[i] : cg_word(cg, 0),
			       body->locals[i]);
	}
	for (size_t i = 0; i < fn->slots.n; i++)
		body->slots[i] = take_slot(cg, fn->slots.v[i].size);
}

static void leave(struct cg *cg, LLVMValueRef v)
{
	struct cg_body *body = cg->body;

	if (body->as_bool) {
		v = LLVMBuildICmp(cg->b, LLVMIntNE, v, cg_word(cg, 0), "");
		v = LLVMBuildZExt(cg->b, v, cg->i64, "");
	}
	if (!body->exit) {
		LLVMBuildRet(cg->b, v);
		return;
	}
	LLVMBuildStore(cg->b, v, body->result);
	LLVMBuildBr(cg->b, body->exit);
}

static void write_body(struct cg *cg, struct cg_body *body, const struct at_ir_func *fn,
		       LLVMValueRef *args)
{
	body->outer = cg->body;
	body_begin(cg, body, fn, args);
	cg->body = body;
	if (block(cg, fn->body))
		leave(cg, cg_word(cg, 0));
	cg->body = body->outer;
}

LLVMValueRef cg_inline(struct cg *cg, const struct at_ir_func *fn, LLVMValueRef *args)
{
	struct cg_body body = { .exit = cg_block(cg, fn->name), .result = cg_alloca(cg, 1) };

	write_body(cg, &body, fn, args);
	free_slots(cg, &body);
	LLVMPositionBuilderAtEnd(cg->b, body.exit);
	return LLVMBuildLoad2(cg->b, cg->i64, body.result, "");
}

/* ---- Statements ---- */

static bool stmt_set(struct cg *cg, const struct at_ir *s)
{
	LLVMBuildStore(cg->b, cg_expr(cg, s->a), cg->body->locals[s->index]);
	return true;
}

static bool stmt_store(struct cg *cg, const struct at_ir *s)
{
	cg_store(cg, s);
	return true;
}

static bool stmt_zero(struct cg *cg, const struct at_ir *s)
{
	cg_zero(cg, s);
	return true;
}

static bool stmt_copy(struct cg *cg, const struct at_ir *s)
{
	cg_copy(cg, s);
	return true;
}

static bool stmt_add(struct cg *cg, const struct at_ir *s)
{
	cg_atomic_add(cg, s);
	return true;
}

static bool stmt_do(struct cg *cg, const struct at_ir *s)
{
	cg_expr(cg, s->a);
	return true;
}

/* One side of an if; goes on at `after` unless it has left. */
static bool side(struct cg *cg, const struct at_ir_block *blk, LLVMBasicBlockRef at,
		 LLVMBasicBlockRef after)
{
	bool on;

	LLVMPositionBuilderAtEnd(cg->b, at);
	on = block(cg, blk);
	if (on)
		LLVMBuildBr(cg->b, after);
	return on;
}

static bool stmt_if(struct cg *cg, const struct at_ir *s)
{
	LLVMValueRef cond = cg_cond(cg, s->a);
	LLVMBasicBlockRef then = cg_block(cg, "then"), after = cg_block(cg, "endif");
	LLVMBasicBlockRef other = s->other ? cg_block(cg, "else") : after;
	bool on;

	LLVMBuildCondBr(cg->b, cond, then, other);
	on = side(cg, s->body, then, after);
	on |= s->other ? side(cg, s->other, other, after) : true;
	if (on)
		LLVMPositionBuilderAtEnd(cg->b, after);
	else
		LLVMDeleteBasicBlock(after);
	return on;
}

/* Goes to `after` when the condition holds. */
static void leave_if(struct cg *cg, LLVMValueRef cond, LLVMBasicBlockRef after)
{
	LLVMBasicBlockRef on = cg_block(cg, "on");

	LLVMBuildCondBr(cg->b, cond, after, on);
	LLVMPositionBuilderAtEnd(cg->b, on);
}

static bool stmt_loop(struct cg *cg, const struct at_ir *s)
{
	struct cg_body *body = cg->body, saved = *body;
	bool broken;

	body->head = cg_block(cg, "loop");
	body->after = cg_block(cg, "endloop");
	body->broken = false;
	LLVMBuildBr(cg->b, body->head);
	LLVMPositionBuilderAtEnd(cg->b, body->head);
	if (s->n && cg->opts.may_goto) {
		leave_if(cg, LLVMBuildICmp(cg->b, LLVMIntEQ, cg_budget(cg), cg_word(cg, 0), ""),
			 body->after);
		body->broken = true;
	}
	if (block(cg, s->body))
		LLVMBuildBr(cg->b, body->head);
	broken = body->broken;
	if (broken)
		LLVMPositionBuilderAtEnd(cg->b, body->after);
	else
		LLVMDeleteBasicBlock(body->after);
	*body = saved;
	return broken;
}

static bool stmt_break(struct cg *cg, const struct at_ir *s)
{
	cg->body->broken = true;
	LLVMBuildBr(cg->b, cg->body->after);
	return false;
}

static bool stmt_continue(struct cg *cg, const struct at_ir *s)
{
	LLVMBuildBr(cg->b, cg->body->head);
	return false;
}

static bool stmt_return(struct cg *cg, const struct at_ir *s)
{
	leave(cg, cg_expr(cg, s->a));
	return false;
}

/* ---- REPEAT ---- */

static LLVMValueRef compare(struct cg *cg, LLVMIntPredicate how, LLVMValueRef x, LLVMValueRef y)
{
	return LLVMBuildICmp(cg->b, how, x, y, "");
}

/*
 * The loop counts from a word that the verifier does not know (the address of
 * the task) up to that word + trips: a counter that starts at a known 0 and is
 * compared would be followed trip by trip. Hiding each step keeps LLVM from
 * making it count from 0 after all.
 */
static void may_goto_loop(struct cg *cg, const struct at_ir *s, LLVMValueRef trips,
			  LLVMValueRef context)
{
	LLVMBasicBlockRef head = cg_block(cg, "repeat"), after = cg_block(cg, "endrepeat");
	LLVMValueRef at = cg_alloca(cg, 1), now, args[2] = { cg_word(cg, 0), context };
	LLVMValueRef start = NULL, end = NULL;

	if (trips) {
		start = cg_helper(cg, GET_CURRENT_TASK, NULL, 0);
		end = LLVMBuildAdd(cg->b, start, trips, "");
		LLVMBuildStore(cg->b, start, at);
	}
	LLVMBuildBr(cg->b, head);
	LLVMPositionBuilderAtEnd(cg->b, head);
	leave_if(cg, compare(cg, LLVMIntEQ, cg_budget(cg), cg_word(cg, 0)), after);
	if (trips) {
		now = LLVMBuildLoad2(cg->b, cg->i64, at, "");
		leave_if(cg, compare(cg, LLVMIntEQ, now, end), after);
		args[0] = LLVMBuildSub(cg->b, now, start, "");
		now = LLVMBuildAdd(cg->b, now, cg_word(cg, 1), "");
		LLVMBuildStore(cg->b, cg_hide(cg, now), at);
	}
	now = cg_inline(cg, cg->plan->funcs.v[s->index], args);
	LLVMBuildCondBr(cg->b, compare(cg, LLVMIntNE, now, cg_word(cg, 0)), after, head);
	LLVMPositionBuilderAtEnd(cg->b, after);
}

/* bpf_loop passes its callback a pointer into the stack: the context word lies there. */
static void bpf_loop(struct cg *cg, const struct at_ir *s, LLVMValueRef trips,
		     LLVMValueRef context)
{
	LLVMValueRef at = cg_alloca(cg, 1), args[4], most = cg_word(cg, AT_IR_TRIPS);

	LLVMBuildStore(cg->b, context, at);
	args[0] = most;
	if (trips)
		args[0] = LLVMBuildSelect(cg->b, compare(cg, LLVMIntULT, trips, most), trips,
					  most, "");
	args[1] = LLVMBuildPtrToInt(cg->b, cg->funcs[s->index].thunk, cg->i64, "");
	args[2] = LLVMBuildPtrToInt(cg->b, at, cg->i64, "");
	args[3] = cg_word(cg, 0);
	cg_helper(cg, BPF_LOOP, args, 4);
}

static bool stmt_repeat(struct cg *cg, const struct at_ir *s)
{
	LLVMValueRef trips = s->a ? cg_expr(cg, s->a) : NULL, context = cg_expr(cg, s->b);

	if (cg->opts.may_goto)
		may_goto_loop(cg, s, trips, context);
	else
		bpf_loop(cg, s, trips, context);
	return true;
}

static bool (*const makers[AT_IR_KIND_COUNT])(struct cg *, const struct at_ir *) = {
	[AT_IR_S_SET] = stmt_set,
	[AT_IR_S_STORE] = stmt_store,
	[AT_IR_S_ZERO] = stmt_zero,
	[AT_IR_S_COPY] = stmt_copy,
	[AT_IR_S_ADD] = stmt_add,
	[AT_IR_S_DO] = stmt_do,
	[AT_IR_S_IF] = stmt_if,
	[AT_IR_S_LOOP] = stmt_loop,
	[AT_IR_S_REPEAT] = stmt_repeat,
	[AT_IR_S_BREAK] = stmt_break,
	[AT_IR_S_CONTINUE] = stmt_continue,
	[AT_IR_S_RETURN] = stmt_return,
};

/* True when control reaches its end. */
static bool block(struct cg *cg, const struct at_ir_block *blk)
{
	for (size_t i = 0; i < blk->stmts.n; i++) {
		cg_debug_at(cg, blk->stmts.v[i]->range);
		if (!makers[blk->stmts.v[i]->kind](cg, blk->stmts.v[i]))
			return false;
	}
	return true;
}

/* ---- Functions ---- */

static void set_attribute(struct cg *cg, LLVMValueRef fn, const char *name)
{
	unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));

	LLVMAddAttributeAtIndex(fn, LLVMAttributeFunctionIndex,
				LLVMCreateEnumAttribute(cg->ctx, kind, 0));
}

static LLVMValueRef declare(struct cg *cg, const struct at_ir_func *fn, const char *name)
{
	LLVMValueRef v = LLVMAddFunction(cg->mod, name, cg_func_type(cg, fn->nparams));

	set_attribute(cg, v, "nounwind");
	if (fn->kind == AT_FN_PROG) {
		LLVMSetSection(v, at_sprintf(cg->arena, "prog/%s", name));
	} else {
		LLVMSetLinkage(v, fn->by_itself ? LLVMExternalLinkage : LLVMInternalLinkage);
		set_attribute(cg, v, "noinline");
	}
	cg_debug_func(cg, v, name, fn);
	return v;
}

static LLVMBasicBlockRef host_begin(struct cg *cg, LLVMValueRef host, struct at_range range)
{
	LLVMBasicBlockRef start;

	cg->host = host;
	cg->debug.scope = LLVMGetSubprogram(host);
	LLVMPositionBuilderAtEnd(cg->allocas, cg_block(cg, "entry"));
	cg->free_slots.n = 0;
	start = cg_block(cg, "start");
	LLVMPositionBuilderAtEnd(cg->b, start);
	cg_debug_at(cg, range);
	return start;
}

static void define(struct cg *cg, LLVMValueRef host, const struct at_ir_func *fn)
{
	struct cg_body body = { .as_bool = fn->kind == AT_FN_TRIP };
	LLVMBasicBlockRef start = host_begin(cg, host, fn->range);
	LLVMValueRef args[CG_MAX_PARAMS];

	LLVMGetParams(host, args);
	write_body(cg, &body, fn, args);
	LLVMBuildBr(cg->allocas, start);
}

/* Callback of bpf_loop: takes the context word from where the caller left it. */
static void define_thunk(struct cg *cg, LLVMValueRef host, const struct at_ir_func *fn)
{
	struct cg_body body = { .as_bool = true };
	LLVMBasicBlockRef start = host_begin(cg, host, fn->range);
	LLVMValueRef args[CG_MAX_PARAMS];

	LLVMGetParams(host, args);
	args[1] = LLVMBuildLoad2(cg->b, cg->i64, cg_address(cg, args[1], 0, 8), "");
	write_body(cg, &body, fn, args);
	LLVMBuildBr(cg->allocas, start);
}

void cg_functions(struct cg *cg)
{
	size_t n = cg->plan->funcs.n;

	for (size_t i = 0; i < n; i++) {
		const struct at_ir_func *fn = cg->plan->funcs.v[i];

		if (cg->funcs[i].called)
			cg->funcs[i].value = declare(cg, fn, fn->name);
		if (cg->funcs[i].thunked)
			cg->funcs[i].thunk =
				declare(cg, fn, at_sprintf(cg->arena, "%s_loop", fn->name));
	}
	for (size_t i = 0; i < n; i++) {
		const struct at_ir_func *fn = cg->plan->funcs.v[i];

		if (cg->funcs[i].called)
			define(cg, cg->funcs[i].value, fn);
		if (cg->funcs[i].thunked)
			define_thunk(cg, cg->funcs[i].thunk, fn);
	}
}
