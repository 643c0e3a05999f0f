/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log-linear buckets, in C for reading and in IR for counting. With b bits:
 *
 *	v < 2^b		bucket v
 *	else		e = log2(v); bucket (e - b + 1) * 2^b + the b bits below the highest
 *
 * so buckets go on without a gap, and one is at most a 2^b-th of its numbers wide.
 */
#include "lib/builtin/builtin.h"

unsigned at_bucket_of(uint64_t v, unsigned bits)
{
	unsigned e;

	if (v < 1ull << bits)
		return v;
	e = 63 - __builtin_clzll(v);
	return ((e - bits + 1) << bits) + ((v >> (e - bits)) & ((1u << bits) - 1));
}

void at_bucket_bounds(unsigned index, unsigned bits, uint64_t *min, uint64_t *max)
{
	unsigned octave = index >> bits, part = index & ((1u << bits) - 1);
	unsigned shift = octave ? octave - 1 : 0;

	*min = octave ? ((1ull << bits) + part) << shift : part;
	*max = *min + ((1ull << shift) - 1);
}

/*
 * log2 of a word, by halving: BPF has no instruction for it. Whether the upper
 * part is 0 is told by the sign of its negative; a comparison would become a
 * branch, of which the verifier follows both sides, 64 paths in all.
 */
static struct at_ir *log2_of(struct at_irb *b, struct at_ir *v)
{
	unsigned rest = ir_local(b), e = ir_local(b);

	ir_set(b, rest, v);
	ir_set(b, e, ir_const(b, 0));
	for (int step = 5; step >= 0; step--) {
		struct at_ir *upper = ir_shri(b, ir_get(b, rest), 1 << step);
		struct at_ir *sign = ir_un(b, AT_OP_HIDE, ir_un(b, AT_OP_NEG, upper));
		struct at_ir *by = ir_let(b, ir_shli(b, ir_shri(b, sign, 63), step));

		ir_set(b, rest, ir_shr(b, ir_get(b, rest), by));
		ir_set(b, e, ir_or(b, ir_get(b, e), by));
	}
	return ir_get(b, e);
}

/* bucket_BITS(v), made once per plan. */
static unsigned bucket_func(struct at_lower *lw, unsigned bits)
{
	const char *name = at_sprintf(lw->arena, "bucket_%u", bits);
	int made = at_find_func(lw->plan, name);
	struct at_ir *v, *shift, *part;
	struct at_irb b = { 0 };

	if (made >= 0)
		return made;
	ir_begin(&b, lw->plan, name, AT_FN_SUB, 1);
	v = ir_param(&b, 0);
	ir_if(&b, ir_ulti(&b, v, 1ll << bits));
	ir_return(&b, v);
	ir_end(&b);
	shift = ir_let(&b, ir_subi(&b, log2_of(&b, v), bits));
	part = ir_andi(&b, ir_shr(&b, v, shift), (1ll << bits) - 1);
	ir_return(&b, ir_add(&b, ir_shli(&b, ir_addi(&b, shift, 1), bits), part));
	return b.index;
}

/* Hidden from the optimiser, which knows the bound and would take the check out. */
struct at_ir *at_bucket_lower(struct at_lower *lw, struct at_ir *v, unsigned bits)
{
	struct at_irb *b = lw->b;
	struct at_ir *index = ir_call(b, bucket_func(lw, bits), 1, v);
	int64_t last = at_buckets(bits) - 1;

	index = ir_let(b, ir_un(b, AT_OP_HIDE, index));
	return ir_let(b, ir_select(b, ir_ugti(b, index, last), ir_const(b, last), index));
}
