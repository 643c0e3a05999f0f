/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: each gives an i64, or an i1 where only its truth is asked (cg_cond). */
#include <string.h>

#include "codegen/cg.h"

enum { PSEUDO_MAP = 5, PSEUDO_MAPVAL = 6, PSEUDO_SYM = 7 }; /* see codegen.h */

enum op_class { PLAIN, SHIFT, COMPARE, UNSIGNED_DIV, SIGNED_DIV };

static const struct {
	enum op_class class;
	int code; /* LLVMOpcode, LLVMIntPredicate; of divisions: 1 for the remainder */
} bins[AT_OP_UNARY] = {
	[AT_OP_ADD] = { PLAIN, LLVMAdd },      [AT_OP_SUB] = { PLAIN, LLVMSub },
	[AT_OP_MUL] = { PLAIN, LLVMMul },      [AT_OP_AND] = { PLAIN, LLVMAnd },
	[AT_OP_OR] = { PLAIN, LLVMOr },        [AT_OP_XOR] = { PLAIN, LLVMXor },
	[AT_OP_SHL] = { SHIFT, LLVMShl },      [AT_OP_SHR] = { SHIFT, LLVMLShr },
	[AT_OP_SAR] = { SHIFT, LLVMAShr },     [AT_OP_EQ] = { COMPARE, LLVMIntEQ },
	[AT_OP_NE] = { COMPARE, LLVMIntNE },   [AT_OP_ULT] = { COMPARE, LLVMIntULT },
	[AT_OP_ULE] = { COMPARE, LLVMIntULE }, [AT_OP_UGT] = { COMPARE, LLVMIntUGT },
	[AT_OP_UGE] = { COMPARE, LLVMIntUGE }, [AT_OP_SLT] = { COMPARE, LLVMIntSLT },
	[AT_OP_SLE] = { COMPARE, LLVMIntSLE }, [AT_OP_SGT] = { COMPARE, LLVMIntSGT },
	[AT_OP_SGE] = { COMPARE, LLVMIntSGE }, [AT_OP_UDIV] = { UNSIGNED_DIV, 0 },
	[AT_OP_UMOD] = { UNSIGNED_DIV, 1 },    [AT_OP_SDIV] = { SIGNED_DIV, 0 },
	[AT_OP_SMOD] = { SIGNED_DIV, 1 },
};

LLVMValueRef cg_word(struct cg *cg, int64_t v)
{
	return LLVMConstInt(cg->i64, (unsigned long long)v, true);
}

/* ---- Inline assembly: what LLVM must not reason about, or does not know ---- */

static LLVMValueRef assembly(struct cg *cg, const char *text, const char *operands, bool effect,
			     LLVMValueRef *args, unsigned n)
{
	char code[96], constraints[24];
	LLVMTypeRef type = cg_func_type(cg, n);
	LLVMValueRef value;

	/* The C API takes them writable. */
	strcpy(code, text);
	strcpy(constraints, operands);
	value = LLVMGetInlineAsm(type, code, strlen(code), constraints, strlen(constraints),
				 effect, false, LLVMInlineAsmDialectATT, false);
	return LLVMBuildCall2(cg->b, type, value, args, n, "");
}

LLVMValueRef cg_hide(struct cg *cg, LLVMValueRef v)
{
	return assembly(cg, "", "=r,0", true, &v, 1);
}

/*
 * may_goto leaps over the second assignment when the budget is spent. Written
 * as bytes because LLVM before 19 does not know the instruction, and with a
 * value because the C API has no asm goto.
 */
LLVMValueRef cg_budget(struct cg *cg)
{
	return assembly(cg, "$0 = 0\n.byte 0xe5, 0\n.short 1\n.long 0\n$0 = 1", "=r", true,
			NULL, 0);
}

/* ---- Arithmetic ---- */

/*
 * Division by what may be 0 is undefined in LLVM and defined in BPF: LLVM may
 * conclude that the divisor is not 0, so it gets one that nothing else uses.
 */
static LLVMValueRef divide(struct cg *cg, bool remainder, LLVMValueRef x, LLVMValueRef y)
{
	if (!LLVMIsAConstantInt(y))
		y = assembly(cg, "", "=r,0", false, &y, 1);
	else if (LLVMConstIntGetZExtValue(y) == 0)
		return remainder ? x : cg_word(cg, 0);
	return LLVMBuildBinOp(cg->b, remainder ? LLVMURem : LLVMUDiv, x, y, "");
}

/* v, or -v where the mask is all ones. */
static LLVMValueRef negate_if(struct cg *cg, LLVMValueRef v, LLVMValueRef mask)
{
	return LLVMBuildSub(cg->b, LLVMBuildXor(cg->b, v, mask, ""), mask, "");
}

static LLVMValueRef divide_signed(struct cg *cg, bool remainder, LLVMValueRef x, LLVMValueRef y)
{
	LLVMValueRef xs = LLVMBuildAShr(cg->b, x, cg_word(cg, 63), "");
	LLVMValueRef ys = LLVMBuildAShr(cg->b, y, cg_word(cg, 63), "");
	LLVMValueRef v = divide(cg, remainder, negate_if(cg, x, xs), negate_if(cg, y, ys));

	return negate_if(cg, v, remainder ? xs : LLVMBuildXor(cg->b, xs, ys, ""));
}

static LLVMValueRef shift(struct cg *cg, LLVMOpcode op, LLVMValueRef x, LLVMValueRef count)
{
	return LLVMBuildBinOp(cg->b, op, x, LLVMBuildAnd(cg->b, count, cg_word(cg, 63), ""),
			      "");
}

static LLVMValueRef to_word(struct cg *cg, LLVMValueRef truth)
{
	return LLVMBuildZExt(cg->b, truth, cg->i64, "");
}

static LLVMValueRef expr_bin(struct cg *cg, const struct at_ir *e)
{
	enum op_class class = bins[e->op].class;
	int code = bins[e->op].code;
	LLVMValueRef x, y;

	if (class == COMPARE)
		return to_word(cg, cg_cond(cg, e));
	x = cg_expr(cg, e->a);
	y = cg_expr(cg, e->b);
	if (class == SHIFT)
		return shift(cg, code, x, y);
	if (class == UNSIGNED_DIV)
		return divide(cg, code, x, y);
	if (class == SIGNED_DIV)
		return divide_signed(cg, code, x, y);
	return LLVMBuildBinOp(cg->b, code, x, y, "");
}

static LLVMValueRef bswap(struct cg *cg, LLVMValueRef v, unsigned width)
{
	static const char *const names[] = {
		[2] = "llvm.bswap.i16",
		[4] = "llvm.bswap.i32",
		[8] = "llvm.bswap.i64",
	};
	LLVMTypeRef type = cg_int(cg, width), fn_type = LLVMFunctionType(type, &type, 1, false);
	LLVMValueRef fn = LLVMGetNamedFunction(cg->mod, names[width]);

	if (!fn)
		fn = LLVMAddFunction(cg->mod, names[width], fn_type);
	v = LLVMBuildTrunc(cg->b, v, type, "");
	v = LLVMBuildCall2(cg->b, fn_type, fn, &v, 1, "");
	return LLVMBuildZExt(cg->b, v, cg->i64, "");
}

static LLVMValueRef extend(struct cg *cg, LLVMValueRef v, unsigned width, bool sign)
{
	v = LLVMBuildTrunc(cg->b, v, cg_int(cg, width), "");
	return sign ? LLVMBuildSExt(cg->b, v, cg->i64, "")
		    : LLVMBuildZExt(cg->b, v, cg->i64, "");
}

static LLVMValueRef un_neg(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return LLVMBuildNeg(cg->b, v, "");
}

static LLVMValueRef un_not(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return LLVMBuildNot(cg->b, v, "");
}

static LLVMValueRef un_zext(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return extend(cg, v, width, false);
}

static LLVMValueRef un_sext(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return extend(cg, v, width, true);
}

static LLVMValueRef un_hide(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return cg_hide(cg, v);
}

/* BOOL and ISZERO are left to cg_cond. */
static const struct {
	LLVMValueRef (*make)(struct cg *cg, LLVMValueRef v, unsigned width);
	unsigned width;
} uns[AT_OP_COUNT] = {
	[AT_OP_NEG] = { un_neg },        [AT_OP_NOT] = { un_not },
	[AT_OP_ZEXT8] = { un_zext, 1 },  [AT_OP_ZEXT16] = { un_zext, 2 },
	[AT_OP_ZEXT32] = { un_zext, 4 }, [AT_OP_SEXT8] = { un_sext, 1 },
	[AT_OP_SEXT16] = { un_sext, 2 }, [AT_OP_SEXT32] = { un_sext, 4 },
	[AT_OP_BSWAP16] = { bswap, 2 },  [AT_OP_BSWAP32] = { bswap, 4 },
	[AT_OP_BSWAP64] = { bswap, 8 },  [AT_OP_HIDE] = { un_hide },
};

static LLVMValueRef expr_un(struct cg *cg, const struct at_ir *e)
{
	if (!uns[e->op].make)
		return to_word(cg, cg_cond(cg, e));
	return uns[e->op].make(cg, cg_expr(cg, e->a), uns[e->op].width);
}

/* ---- Truth ---- */

static bool is_truth(const struct at_ir *e)
{
	if (e->kind == AT_IR_UN)
		return e->op == AT_OP_BOOL || e->op == AT_OP_ISZERO;
	if (e->kind != AT_IR_BIN)
		return false;
	if (e->op == AT_OP_AND || e->op == AT_OP_OR || e->op == AT_OP_XOR)
		return is_truth(e->a) && is_truth(e->b);
	return bins[e->op].class == COMPARE;
}

static LLVMValueRef cond_bin(struct cg *cg, const struct at_ir *e)
{
	LLVMValueRef x, y;

	if (bins[e->op].class == COMPARE) {
		x = cg_expr(cg, e->a);
		y = cg_expr(cg, e->b);
		return LLVMBuildICmp(cg->b, bins[e->op].code, x, y, "");
	}
	x = cg_cond(cg, e->a);
	y = cg_cond(cg, e->b);
	return LLVMBuildBinOp(cg->b, bins[e->op].code, x, y, "");
}

LLVMValueRef cg_cond(struct cg *cg, const struct at_ir *e)
{
	if (!is_truth(e))
		return LLVMBuildICmp(cg->b, LLVMIntNE, cg_expr(cg, e), cg_word(cg, 0), "");
	if (e->kind == AT_IR_BIN)
		return cond_bin(cg, e);
	if (e->op == AT_OP_BOOL)
		return cg_cond(cg, e->a);
	if (is_truth(e->a))
		return LLVMBuildNot(cg->b, cg_cond(cg, e->a), "");
	return LLVMBuildICmp(cg->b, LLVMIntEQ, cg_expr(cg, e->a), cg_word(cg, 0), "");
}

/* ---- The rest ---- */

static LLVMValueRef expr_const(struct cg *cg, const struct at_ir *e)
{
	return cg_word(cg, e->imm);
}

static LLVMValueRef pseudo(struct cg *cg, int kind, unsigned index)
{
	LLVMValueRef args[] = { cg_word(cg, kind), cg_word(cg, index) };

	return LLVMBuildCall2(cg->b, cg_func_type(cg, 2), cg->pseudo, args, 2, "");
}

static LLVMValueRef expr_sym(struct cg *cg, const struct at_ir *e)
{
	return pseudo(cg, PSEUDO_SYM, e->index);
}

static LLVMValueRef expr_map(struct cg *cg, const struct at_ir *e)
{
	return pseudo(cg, PSEUDO_MAP, e->index);
}

static LLVMValueRef expr_mapval(struct cg *cg, const struct at_ir *e)
{
	LLVMValueRef v = pseudo(cg, PSEUDO_MAPVAL, e->index);

	return e->imm ? LLVMBuildAdd(cg->b, v, cg_word(cg, e->imm), "") : v;
}

static LLVMValueRef expr_local(struct cg *cg, const struct at_ir *e)
{
	return LLVMBuildLoad2(cg->b, cg->i64, cg->body->locals[e->index], "");
}

static LLVMValueRef expr_slot(struct cg *cg, const struct at_ir *e)
{
	return LLVMBuildPtrToInt(cg->b, cg->body->slots[e->index], cg->i64, "");
}

static LLVMValueRef expr_func(struct cg *cg, const struct at_ir *e)
{
	return LLVMBuildPtrToInt(cg->b, cg->funcs[e->index].value, cg->i64, "");
}

static LLVMValueRef expr_select(struct cg *cg, const struct at_ir *e)
{
	LLVMValueRef cond = cg_cond(cg, e->a), x = cg_expr(cg, e->b), y = cg_expr(cg, e->c);

	return LLVMBuildSelect(cg->b, cond, x, y, "");
}

static void take_args(struct cg *cg, const struct at_ir *e, LLVMValueRef *args)
{
	for (unsigned i = 0; i < e->n; i++)
		args[i] = cg_expr(cg, e->args[i]);
}

LLVMValueRef cg_helper(struct cg *cg, int64_t id, LLVMValueRef *args, unsigned n)
{
	LLVMTypeRef type = cg_func_type(cg, n);
	LLVMValueRef fn = LLVMConstIntToPtr(cg_word(cg, id), LLVMPointerType(type, 0));

	return LLVMBuildCall2(cg->b, type, fn, args, n, "");
}

static LLVMValueRef expr_helper(struct cg *cg, const struct at_ir *e)
{
	LLVMValueRef args[CG_MAX_PARAMS];

	take_args(cg, e, args);
	return cg_helper(cg, e->imm, args, e->n);
}

static LLVMValueRef expr_kfunc(struct cg *cg, const struct at_ir *e)
{
	LLVMTypeRef type = cg_func_type(cg, e->n);
	LLVMValueRef fn = LLVMGetNamedFunction(cg->mod, e->name), args[CG_MAX_PARAMS];

	if (!fn)
		fn = LLVMAddFunction(cg->mod, e->name, type);
	take_args(cg, e, args);
	return LLVMBuildCall2(cg->b, type, fn, args, e->n, "");
}

static LLVMValueRef expr_call(struct cg *cg, const struct at_ir *e)
{
	const struct at_ir_func *fn = cg->plan->funcs.v[e->index];
	LLVMValueRef args[CG_MAX_PARAMS];

	take_args(cg, e, args);
	if (cg_inlined(fn))
		return cg_inline(cg, fn, args);
	return LLVMBuildCall2(cg->b, cg_func_type(cg, e->n), cg->funcs[e->index].value, args,
			      e->n, "");
}

static LLVMValueRef (*const makers[AT_IR_EXPR_COUNT])(struct cg *, const struct at_ir *) = {
	[AT_IR_CONST] = expr_const,   [AT_IR_SYM] = expr_sym,
	[AT_IR_LOCAL] = expr_local,   [AT_IR_SLOT] = expr_slot,
	[AT_IR_MAP] = expr_map,       [AT_IR_MAPVAL] = expr_mapval,
	[AT_IR_FUNC] = expr_func,     [AT_IR_BIN] = expr_bin,
	[AT_IR_UN] = expr_un,         [AT_IR_SELECT] = expr_select,
	[AT_IR_LOAD] = cg_load,       [AT_IR_HELPER] = expr_helper,
	[AT_IR_KFUNC] = expr_kfunc,   [AT_IR_CALL] = expr_call,
	[AT_IR_XADD] = cg_xadd,       [AT_IR_XCHG] = cg_xchg,
	[AT_IR_CMPXCHG] = cg_cmpxchg,
};

LLVMValueRef cg_expr(struct cg *cg, const struct at_ir *e)
{
	return makers[e->kind](cg, e);
}
