/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic: every operator on edges and on whatever comes, against C. */
#include "tests/codegen/harness.h"

enum { EDGES = 16, PAIRS = EDGES * EDGES }; /* EDGES: as in[] begins, see main.c */

struct op {
	enum at_ir_op op;
	uint64_t (*c)(uint64_t x, uint64_t y);
};

/* What C leaves undefined is defined here as the IR defines it. */
/* clang-format off */
static uint64_t c_add(uint64_t x, uint64_t y) { return x + y; }
static uint64_t c_sub(uint64_t x, uint64_t y) { return x - y; }
static uint64_t c_mul(uint64_t x, uint64_t y) { return x * y; }
static uint64_t c_udiv(uint64_t x, uint64_t y) { return y ? x / y : 0; }
static uint64_t c_umod(uint64_t x, uint64_t y) { return y ? x % y : x; }
static uint64_t c_and(uint64_t x, uint64_t y) { return x & y; }
static uint64_t c_or(uint64_t x, uint64_t y) { return x | y; }
static uint64_t c_xor(uint64_t x, uint64_t y) { return x ^ y; }
static uint64_t c_shl(uint64_t x, uint64_t y) { return x << (y & 63); }
static uint64_t c_shr(uint64_t x, uint64_t y) { return x >> (y & 63); }
static uint64_t c_sar(uint64_t x, uint64_t y) { return (int64_t)x >> (y & 63); }
static uint64_t c_eq(uint64_t x, uint64_t y) { return x == y; }
static uint64_t c_ne(uint64_t x, uint64_t y) { return x != y; }
static uint64_t c_ult(uint64_t x, uint64_t y) { return x < y; }
static uint64_t c_ule(uint64_t x, uint64_t y) { return x <= y; }
static uint64_t c_ugt(uint64_t x, uint64_t y) { return x > y; }
static uint64_t c_uge(uint64_t x, uint64_t y) { return x >= y; }
static uint64_t c_slt(uint64_t x, uint64_t y) { return (int64_t)x < (int64_t)y; }
static uint64_t c_sle(uint64_t x, uint64_t y) { return (int64_t)x <= (int64_t)y; }
static uint64_t c_sgt(uint64_t x, uint64_t y) { return (int64_t)x > (int64_t)y; }
static uint64_t c_sge(uint64_t x, uint64_t y) { return (int64_t)x >= (int64_t)y; }
/* clang-format on */

static uint64_t c_sdiv(uint64_t x, uint64_t y)
{
	if (!y)
		return 0;
	return y == UINT64_MAX ? 0 - x : (uint64_t)((int64_t)x / (int64_t)y);
}

static uint64_t c_smod(uint64_t x, uint64_t y)
{
	if (!y)
		return x;
	return y == UINT64_MAX ? 0 : (uint64_t)((int64_t)x % (int64_t)y);
}

#define OP(NAME, fn) static const struct op op_##fn = { AT_OP_##NAME, c_##fn }
OP(ADD, add);
OP(SUB, sub);
OP(MUL, mul);
OP(UDIV, udiv);
OP(UMOD, umod);
OP(SDIV, sdiv);
OP(SMOD, smod);
OP(AND, and);
OP(OR, or);
OP(XOR, xor);
OP(SHL, shl);
OP(SHR, shr);
OP(SAR, sar);
OP(EQ, eq);
OP(NE, ne);
OP(ULT, ult);
OP(ULE, ule);
OP(UGT, ugt);
OP(UGE, uge);
OP(SLT, slt);
OP(SLE, sle);
OP(SGT, sgt);
OP(SGE, sge);
#undef OP

/* Operand pairs: all edges with all edges. */
static unsigned left(unsigned i)
{
	return i / EDGES;
}

static unsigned right(unsigned i)
{
	return i % EDGES;
}

/* Both unknown; then the right one, then the left one a constant. */
static void build_bin(struct t *t)
{
	static const int64_t constants[] = { 0, 1, -1, 3, -7, 64, INT64_MIN, 1000000007 };
	const struct op *op = t->arg;
	struct at_irb *b = t->b;

	for (unsigned i = 0; i < PAIRS; i++)
		t_out(t, b, i, ir_bin(b, op->op, t_in(t, b, left(i)), t_in(t, b, right(i))));
	for (unsigned i = 0; i < at_count(constants); i++) {
		t_out(t, b, 320 + i, ir_bini(b, op->op, t_in(t, b, 20), constants[i]));
		t_out(t, b, 336 + i,
		      ir_bin(b, op->op, ir_const(b, constants[i]), t_in(t, b, 21)));
		t_out(t, b, 352 + i, ir_bini(b, op->op, ir_const(b, 41), constants[i]));
	}
}

static void expect_bin(const struct t *t, const uint64_t *in, uint64_t *out)
{
	static const uint64_t constants[] = { 0, 1, -1, 3, -7, 64, INT64_MIN, 1000000007 };
	const struct op *op = t->arg;

	for (unsigned i = 0; i < PAIRS; i++)
		out[i] = op->c(in[left(i)], in[right(i)]);
	for (unsigned i = 0; i < at_count(constants); i++) {
		out[320 + i] = op->c(in[20], constants[i]);
		out[336 + i] = op->c(constants[i], in[21]);
		out[352 + i] = op->c(41, constants[i]);
	}
}

/* clang-format off */
static uint64_t c_neg(uint64_t x, uint64_t y) { return -x; }
static uint64_t c_not(uint64_t x, uint64_t y) { return ~x; }
static uint64_t c_bool(uint64_t x, uint64_t y) { return !!x; }
static uint64_t c_iszero(uint64_t x, uint64_t y) { return !x; }
static uint64_t c_zext8(uint64_t x, uint64_t y) { return (uint8_t)x; }
static uint64_t c_zext16(uint64_t x, uint64_t y) { return (uint16_t)x; }
static uint64_t c_zext32(uint64_t x, uint64_t y) { return (uint32_t)x; }
static uint64_t c_sext8(uint64_t x, uint64_t y) { return (int64_t)(int8_t)x; }
static uint64_t c_sext16(uint64_t x, uint64_t y) { return (int64_t)(int16_t)x; }
static uint64_t c_sext32(uint64_t x, uint64_t y) { return (int64_t)(int32_t)x; }
static uint64_t c_bswap16(uint64_t x, uint64_t y) { return __builtin_bswap16(x); }
static uint64_t c_bswap32(uint64_t x, uint64_t y) { return __builtin_bswap32(x); }
static uint64_t c_bswap64(uint64_t x, uint64_t y) { return __builtin_bswap64(x); }
static uint64_t c_hide(uint64_t x, uint64_t y) { return x; }
/* clang-format on */

static const struct op unary[] = {
	{ AT_OP_NEG, c_neg },         { AT_OP_NOT, c_not },
	{ AT_OP_BOOL, c_bool },       { AT_OP_ISZERO, c_iszero },
	{ AT_OP_ZEXT8, c_zext8 },     { AT_OP_ZEXT16, c_zext16 },
	{ AT_OP_ZEXT32, c_zext32 },   { AT_OP_SEXT8, c_sext8 },
	{ AT_OP_SEXT16, c_sext16 },   { AT_OP_SEXT32, c_sext32 },
	{ AT_OP_BSWAP16, c_bswap16 }, { AT_OP_BSWAP32, c_bswap32 },
	{ AT_OP_BSWAP64, c_bswap64 }, { AT_OP_HIDE, c_hide },
};

static void build_un(struct t *t)
{
	struct at_irb *b = t->b;
	unsigned n = 0;

	for (unsigned i = 0; i < at_count(unary); i++)
		for (unsigned k = 0; k < 20; k++)
			t_out(t, b, n++, ir_un(b, unary[i].op, t_in(t, b, k)));
}

static void expect_un(const struct t *t, const uint64_t *in, uint64_t *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < at_count(unary); i++)
		for (unsigned k = 0; k < 20; k++)
			out[n++] = unary[i].c(in[k], 0);
}

/* Truths of truths, as words and as conditions; select. */
static void build_truth(struct t *t)
{
	struct at_irb *b = t->b;

	for (unsigned i = 0; i < 16; i++) {
		struct at_ir *x = t_in(t, b, i), *y = t_in(t, b, 15 - i);
		struct at_ir *less = ir_ult(b, x, y),
			     *odd = ir_un(b, AT_OP_BOOL, ir_andi(b, x, 1));
		struct at_ir *both = ir_and(b, less, odd),
			     *none = ir_iszero(b, ir_or(b, less, odd));

		t_out(t, b, i, both);
		t_out(t, b, 16 + i, none);
		t_out(t, b, 32 + i, ir_select(b, ir_xor(b, less, odd), x, y));
		t_out(t, b, 48 + i, ir_select(b, x, ir_const(b, 5), y));
		t_out(t, b, 64 + i, ir_add(b, both, ir_shli(b, ir_iszero(b, none), 4)));
		ir_if(b, ir_iszero(b, ir_iszero(b, x)));
		t_out(t, b, 80 + i, ir_const(b, 1));
		ir_else(b);
		t_out(t, b, 80 + i, ir_const(b, 2));
		ir_end(b);
	}
}

static void expect_truth(const struct t *t, const uint64_t *in, uint64_t *out)
{
	for (unsigned i = 0; i < 16; i++) {
		uint64_t x = in[i], y = in[15 - i];
		bool less = x < y, odd = x & 1;

		out[i] = less && odd;
		out[16 + i] = !less && !odd;
		out[32 + i] = less != odd ? x : y;
		out[48 + i] = x ? 5 : y;
		out[64 + i] = (less && odd) + 16 * (less || odd);
		out[80 + i] = x ? 1 : 2;
	}
}

/* A plan's symbolic constants, one of them wider than 32 bits. */
static void build_sym(struct t *t)
{
	struct at_irb *b = t->b;
	unsigned wide = at_plan_sym(t->plan, AT_SYM_CONST, NULL, 0x123456789abcdefll);
	unsigned minus = at_plan_sym(t->plan, AT_SYM_CONST, NULL, -2);

	t_out(t, b, 0, ir_sym(b, wide));
	t_out(t, b, 1, ir_add(b, ir_sym(b, minus), ir_sym(b, minus)));
}

static void expect_sym(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = 0x123456789abcdefull;
	out[1] = -4;
}

#define BIN(fn)                                                                                \
	{                                                                                      \
#fn, build_bin, expect_bin, &op_##fn                                           \
	}
const struct test arith_tests[] = {
	BIN(add),
	BIN(sub),
	BIN(mul),
	BIN(udiv),
	BIN(umod),
	BIN(sdiv),
	BIN(smod),
	BIN(and),
	BIN(or),
	BIN(xor),
	BIN(shl),
	BIN(shr),
	BIN(sar),
	BIN(eq),
	BIN(ne),
	BIN(ult),
	BIN(ule),
	BIN(ugt),
	BIN(uge),
	BIN(slt),
	BIN(sle),
	BIN(sgt),
	BIN(sge),
	{ "unary", build_un, expect_un },
	{ "truth", build_truth, expect_truth },
	{ "sym", build_sym, expect_sym },
	{ NULL },
};
