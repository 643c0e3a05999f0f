/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory: an address is a word, turned into a pointer at the access. Zeroing
 * and copying are spelled out here because LLVM's memset and memcpy are refused
 * by the BPF target above a size and done bytewise below.
 */
#include "codegen/cg.h"

enum {
	UNROLLED = 512,          /* bytes that are zeroed or copied without a loop or helper */
	PER_TRIP = 64,           /* bytes zeroed by a trip of the loop for more */
	PROBE_READ_KERNEL = 113, /* enum bpf_func_id */
};

LLVMTypeRef cg_int(struct cg *cg, unsigned width)
{
	LLVMTypeRef types[] = { [1] = cg->i8, [2] = cg->i16, [4] = cg->i32, [8] = cg->i64 };

	return types[width];
}

static LLVMValueRef plus(struct cg *cg, LLVMValueRef addr, int64_t off)
{
	return off ? LLVMBuildAdd(cg->b, addr, cg_word(cg, off), "") : addr;
}

LLVMValueRef cg_address(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned width)
{
	LLVMTypeRef type = LLVMPointerType(cg_int(cg, width), 0);

	return LLVMBuildIntToPtr(cg->b, plus(cg, addr, off), type, "");
}

static LLVMValueRef load(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned width)
{
	LLVMValueRef p = cg_address(cg, addr, off, width);
	LLVMValueRef v = LLVMBuildLoad2(cg->b, cg_int(cg, width), p, "");

	LLVMSetAlignment(v, width);
	return v;
}

static void store(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned width, LLVMValueRef v)
{
	LLVMSetAlignment(LLVMBuildStore(cg->b, v, cg_address(cg, addr, off, width)), width);
}

static LLVMValueRef narrow(struct cg *cg, LLVMValueRef v, unsigned width)
{
	return width == 8 ? v : LLVMBuildTrunc(cg->b, v, cg_int(cg, width), "");
}

static LLVMValueRef widen(struct cg *cg, LLVMValueRef v)
{
	return LLVMTypeOf(v) == cg->i64 ? v : LLVMBuildZExt(cg->b, v, cg->i64, "");
}

LLVMValueRef cg_load(struct cg *cg, const struct at_ir *e)
{
	LLVMValueRef v = load(cg, cg_expr(cg, e->a), e->imm, e->width);

	return e->sign && e->width < 8 ? LLVMBuildSExt(cg->b, v, cg->i64, "") : widen(cg, v);
}

void cg_store(struct cg *cg, const struct at_ir *s)
{
	LLVMValueRef addr = cg_expr(cg, s->a), v = cg_expr(cg, s->b);

	store(cg, addr, s->imm, s->width, narrow(cg, v, s->width));
}

/* ---- Atomics ---- */

static LLVMValueRef rmw(struct cg *cg, const struct at_ir *e, LLVMAtomicRMWBinOp op,
			LLVMAtomicOrdering order)
{
	LLVMValueRef addr = cg_expr(cg, e->a), v = narrow(cg, cg_expr(cg, e->b), e->width);

	return LLVMBuildAtomicRMW(cg->b, op, cg_address(cg, addr, e->imm, e->width), v, order,
				  false);
}

LLVMValueRef cg_xadd(struct cg *cg, const struct at_ir *e)
{
	return widen(cg, rmw(cg, e, LLVMAtomicRMWBinOpAdd,
			     LLVMAtomicOrderingSequentiallyConsistent));
}

LLVMValueRef cg_xchg(struct cg *cg, const struct at_ir *e)
{
	return widen(cg, rmw(cg, e, LLVMAtomicRMWBinOpXchg,
			     LLVMAtomicOrderingSequentiallyConsistent));
}

/* No value asked for: the plain locked add, which kernels before 5.12 have too. */
void cg_atomic_add(struct cg *cg, const struct at_ir *s)
{
	rmw(cg, s, LLVMAtomicRMWBinOpAdd, LLVMAtomicOrderingMonotonic);
}

LLVMValueRef cg_cmpxchg(struct cg *cg, const struct at_ir *e)
{
	LLVMAtomicOrdering order = LLVMAtomicOrderingSequentiallyConsistent;
	LLVMValueRef addr = cg_expr(cg, e->a);
	LLVMValueRef expect = narrow(cg, cg_expr(cg, e->b), e->width);
	LLVMValueRef v = narrow(cg, cg_expr(cg, e->c), e->width);
	LLVMValueRef pair = LLVMBuildAtomicCmpXchg(
		cg->b, cg_address(cg, addr, e->imm, e->width), expect, v, order, order, false);

	return widen(cg, LLVMBuildExtractValue(cg->b, pair, 0, ""));
}

/* ---- Zeroing and copying ---- */

/* Widest access at offset `at` (of memory aligned to 8) within the bytes left. */
static unsigned step(int64_t at, unsigned left)
{
	unsigned width = 8;

	while (width > left || at & (width - 1))
		width /= 2;
	return width;
}

static void zero_bytes(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned n)
{
	for (unsigned done = 0, width; done < n; done += width) {
		width = step(off + done, n - done);
		store(cg, addr, off + done, width, LLVMConstNull(cg_int(cg, width)));
	}
}

/* The verifier walks all trips: n / PER_TRIP of them, a handful of instructions each. */
static void zero_loop(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned n)
{
	LLVMBasicBlockRef head = cg_block(cg, "zero"), after = cg_block(cg, "zeroed");
	LLVMValueRef at = cg_alloca(cg, 1), done, more;

	LLVMBuildStore(cg->b, cg_word(cg, 0), at);
	LLVMBuildBr(cg->b, head);
	LLVMPositionBuilderAtEnd(cg->b, head);
	done = LLVMBuildLoad2(cg->b, cg->i64, at, "");
	zero_bytes(cg, LLVMBuildAdd(cg->b, addr, done, ""), off, PER_TRIP);
	done = LLVMBuildAdd(cg->b, done, cg_word(cg, PER_TRIP), "");
	LLVMBuildStore(cg->b, done, at);
	more = LLVMBuildICmp(cg->b, LLVMIntULT, done, cg_word(cg, n), "");
	LLVMBuildCondBr(cg->b, more, head, after);
	LLVMPositionBuilderAtEnd(cg->b, after);
}

void cg_zero(struct cg *cg, const struct at_ir *s)
{
	LLVMValueRef addr = cg_expr(cg, s->a);
	unsigned looped = s->n > UNROLLED ? s->n / PER_TRIP * PER_TRIP : 0;

	if (looped)
		zero_loop(cg, addr, s->imm, looped);
	zero_bytes(cg, addr, s->imm + looped, s->n - looped);
}

void cg_copy(struct cg *cg, const struct at_ir *s)
{
	LLVMValueRef dst = cg_expr(cg, s->a), src = cg_expr(cg, s->b);

	if (s->n > UNROLLED) {
		LLVMValueRef args[] = { plus(cg, dst, s->imm), cg_word(cg, s->n),
					plus(cg, src, s->off) };

		cg_helper(cg, PROBE_READ_KERNEL, args, at_count(args));
		return;
	}
	for (unsigned done = 0, width; done < s->n; done += width) {
		width = step((s->imm + done) | (s->off + done), s->n - done);
		store(cg, dst, s->imm + done, width, load(cg, src, s->off + done, width));
	}
}
