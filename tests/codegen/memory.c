/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: widths, signs, stack, atomics, zeroing and copying with what lies beside untouched.
 */
#include "tests/codegen/harness.h"

enum { MAP_LOOKUP_ELEM = 1, PROBE_READ_KERNEL = 113 };

static const unsigned widths[] = { 1, 2, 4, 8 };

/* Value number k of the bytes at p, as a load of that width and sign gives it. */
static uint64_t c_load(const void *p, unsigned width, bool sign)
{
	unsigned shift = 64 - 8 * width;
	uint64_t v = 0;

	memcpy(&v, p,
	       width); /* the tests run on the machine the program runs on: little endian */
	return sign ? (uint64_t)((int64_t)(v << shift) >> shift) : v;
}

static void build_load(struct t *t)
{
	struct at_irb *b = t->b;
	unsigned n = 0;

	for (unsigned w = 0; w < at_count(widths); w++)
		for (unsigned i = 0; i < 16; i++) {
			struct at_ir *at = ir_mapval(b, t->in, 64);
			int64_t off = i * widths[w];

			t_out(t, b, n++, ir_load(b, widths[w], at, off));
			t_out(t, b, n++, ir_loads(b, widths[w], at, off));
		}
}

static void expect_load(const struct t *t, const uint64_t *in, uint64_t *out)
{
	const char *at = (const char *)in + 64;
	unsigned n = 0;

	for (unsigned w = 0; w < at_count(widths); w++)
		for (unsigned i = 0; i < 16; i++) {
			out[n++] = c_load(at + i * widths[w], widths[w], false);
			out[n++] = c_load(at + i * widths[w], widths[w], true);
		}
}

/* Stores of all widths at an address that is computed, beside bytes that must stay. */
static void build_store(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *at =
		ir_let(b, ir_add(b, ir_mapval(b, t->out, 0), ir_andi(b, t_in(t, b, 18), 0xf8)));

	for (unsigned w = 0; w < at_count(widths); w++)
		ir_store(b, widths[w], at, 512 + 8 * w, t_in(t, b, 16 + w));
}

static void expect_store(const struct t *t, const uint64_t *in, uint64_t *out)
{
	char *at = (char *)out + (in[18] & 0xf8) + 512;

	for (unsigned w = 0; w < at_count(widths); w++)
		memcpy(at + 8 * w, &in[16 + w], widths[w]);
}

/* Stack memory as key and as buffer of a helper; a slot is as large as asked for. */
static void build_stack(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *key = ir_slot(b, 4), *buf = ir_slot(b, 61), *value;

	ir_store(b, 4, key, 0, ir_const(b, 0));
	value = ir_let(b, ir_helper(b, MAP_LOOKUP_ELEM, 2, ir_map(b, t->in), key));
	ir_if(b, ir_iszero(b, value));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	ir_zero(b, buf, 0, 64);
	ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, buf, ir_const(b, 61), value));
	for (unsigned i = 0; i < 8; i++)
		t_out(t, b, i, ir_load(b, 8, buf, 8 * i));
}

static void expect_stack(const struct t *t, const uint64_t *in, uint64_t *out)
{
	memset(out, 0, 64);
	memcpy(out, in, 61);
}

static void build_atomic(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *out = ir_mapval(b, t->out, 0);
	unsigned n = 100;

	for (unsigned w = 4; w <= 8; w += 4) {
		struct at_ir *x = t_in(t, b, 30), *same = ir_load(b, w, out, 8 * n + 24);

		ir_atomic_add(b, w, out, 8 * n, x);
		t_out(t, b, w, ir_xadd(b, w, out, 8 * n + 8, x));
		t_out(t, b, w + 1, ir_xchg(b, w, out, 8 * n + 16, x));
		t_out(t, b, w + 2, ir_cmpxchg(b, w, out, 8 * n + 24, ir_let(b, same), x));
		t_out(t, b, w + 3, ir_cmpxchg(b, w, out, 8 * n + 32, ir_const(b, 77), x));
		n += 10;
	}
}

/* The low `width` bytes of the word take v; what they were is returned. */
static uint64_t c_put(uint64_t *word, unsigned width, uint64_t v)
{
	uint64_t was = c_load(word, width, false);

	memcpy(word, &v, width);
	return was;
}

static void expect_atomic(const struct t *t, const uint64_t *in, uint64_t *out)
{
	uint64_t *at = out + 100, x = in[30];

	for (unsigned w = 4; w <= 8; w += 4) {
		c_put(at, w, at[0] + x);
		out[w] = c_put(at + 1, w, at[1] + x);
		out[w + 1] = c_put(at + 2, w, x);
		out[w + 2] = c_put(at + 3, w, x);
		out[w + 3] = c_load(at + 4, w, false);
		at += 10;
	}
}

struct extent {
	unsigned at, n;
};

/* Offsets and sizes: odd ones, the largest unrolled, and beyond it with and without a rest. */
static const struct extent extents[] = {
	{ 0, 0 },      { 8, 1 },       { 17, 3 },      { 32, 8 },
	{ 52, 13 },    { 72, 64 },     { 144, 75 },    { 1024, 512 },
	{ 2048, 513 }, { 3072, 1000 }, { 4096, 1024 }, { 6146, 515 },
};

static void build_zero(struct t *t)
{
	for (unsigned i = 0; i < at_count(extents); i++)
		ir_zero(t->b, ir_mapval(t->b, t->out, 0), extents[i].at, extents[i].n);
}

static void expect_zero(const struct t *t, const uint64_t *in, uint64_t *out)
{
	for (unsigned i = 0; i < at_count(extents); i++)
		memset((char *)out + extents[i].at, 0, extents[i].n);
}

static void build_copy(struct t *t)
{
	struct at_irb *b = t->b;

	for (unsigned i = 0; i < at_count(extents); i++)
		ir_copy(b, ir_mapval(b, t->out, 0), extents[i].at, ir_mapval(b, t->in, 8),
			extents[i].at + (i & 1) * 4, extents[i].n);
}

static void expect_copy(const struct t *t, const uint64_t *in, uint64_t *out)
{
	for (unsigned i = 0; i < at_count(extents); i++)
		memcpy((char *)out + extents[i].at,
		       (const char *)in + 8 + extents[i].at + (i & 1) * 4, extents[i].n);
}

const struct test memory_tests[] = {
	{ "load", build_load, expect_load },
	{ "store", build_store, expect_store },
	{ "stack", build_stack, expect_stack },
	{ "atomic", build_atomic, expect_atomic },
	{ "zero", build_zero, expect_zero },
	{ "copy", build_copy, expect_copy },
	{ NULL },
};
