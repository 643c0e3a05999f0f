/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyed hash of strings: SipHash-1-3 (Aumasson and Bernstein) as a
 * subprogram, keyed with 128 random bits of the run. What secrets are shown as,
 * and hash(), use it.
 */
#include "frontend/lower_int.h"

/* The four words of the state are locals. */
struct sip {
	struct at_irb *b;
	unsigned v[4];
};

static struct at_ir *rotl(struct at_irb *b, struct at_ir *x, int n)
{
	return ir_or(b, ir_shli(b, x, n), ir_shri(b, x, 64 - n));
}

static void add(struct sip *s, int to, int from)
{
	ir_set(s->b, s->v[to], ir_add(s->b, ir_get(s->b, s->v[to]), ir_get(s->b, s->v[from])));
}

static void mix(struct sip *s, int to, int by, int n)
{
	ir_set(s->b, s->v[to],
	       ir_xor(s->b, rotl(s->b, ir_get(s->b, s->v[to]), n), ir_get(s->b, s->v[by])));
}

static void turn(struct sip *s, int which, int n)
{
	ir_set(s->b, s->v[which], rotl(s->b, ir_get(s->b, s->v[which]), n));
}

static void sip_round(struct sip *s)
{
	add(s, 0, 1);
	mix(s, 1, 0, 13);
	turn(s, 0, 32);
	add(s, 2, 3);
	mix(s, 3, 2, 16);
	add(s, 0, 3);
	mix(s, 3, 0, 21);
	add(s, 2, 1);
	mix(s, 1, 2, 17);
	turn(s, 2, 32);
}

static void xor_into(struct sip *s, int which, struct at_ir *x)
{
	ir_set(s->b, s->v[which], ir_xor(s->b, ir_get(s->b, s->v[which]), x));
}

static void compress(struct sip *s, struct at_ir *m)
{
	m = ir_let(s->b, m);
	xor_into(s, 3, m);
	sip_round(s);
	xor_into(s, 0, m);
}

static void sip_begin(struct sip *s, struct at_irb *b)
{
	static const uint64_t start[4] = {
		0x736f6d6570736575,
		0x646f72616e646f6d,
		0x6c7967656e657261,
		0x7465646279746573,
	};

	s->b = b;
	for (int i = 0; i < 4; i++) {
		struct at_ir *key = ir_sym(b, at_plan_sym(b->plan, AT_SYM_SECRET, NULL, i & 1));

		s->v[i] = ir_local(b);
		ir_set(b, s->v[i], ir_xor(b, key, ir_const(b, (int64_t)start[i])));
	}
}

static struct at_ir *sip_end(struct sip *s)
{
	struct at_irb *b = s->b;

	xor_into(s, 2, ir_const(b, 0xff));
	for (int i = 0; i < 3; i++)
		sip_round(s);
	return ir_xor(b, ir_xor(b, ir_get(b, s->v[0]), ir_get(b, s->v[1])),
		      ir_xor(b, ir_get(b, s->v[2]), ir_get(b, s->v[3])));
}

/* The bytes of w below the count (0 to 7). */
static struct at_ir *low_bytes(struct at_irb *b, struct at_ir *w, struct at_ir *count)
{
	struct at_ir *mask = ir_subi(b, ir_shl(b, ir_const(b, 1), ir_shli(b, count, 3)), 1);

	return ir_and(b, w, mask);
}

unsigned at_lower_hash_func(struct at_lower *lw)
{
	struct at_lowering *all = at_lowering_of(lw);
	struct at_irb mine = { 0 }, *b = &mine;
	struct at_ir *ptr, *len, *cap;
	unsigned i, tail;
	struct sip s;

	if (all->hash_func >= 0)
		return all->hash_func;
	ir_begin(b, lw->plan, "siphash", AT_FN_SUB, 3);
	all->hash_func = b->index;
	b->fn->noinline = true;
	ptr = ir_param(b, 0);
	len = ir_param(b, 1);
	cap = ir_param(b, 2);
	i = ir_local(b);
	tail = ir_local(b);
	sip_begin(&s, b);
	ir_set(b, i, ir_const(b, 0));
	ir_set(b, tail, ir_const(b, 0));
	/* Whole words, then what is left of the last; cap is a constant where it is called. */
	ir_loop(b);
	ir_if(b, ir_ugt(b, ir_addi(b, ir_get(b, i), 8), cap));
	ir_break(b);
	ir_end(b);
	ir_if(b, ir_ugt(b, ir_addi(b, ir_get(b, i), 8), len));
	ir_set(b, tail,
	       low_bytes(b, ir_load(b, 8, ir_add(b, ptr, ir_get(b, i)), 0),
			 ir_andi(b, len, 7)));
	ir_break(b);
	ir_end(b);
	compress(&s, ir_load(b, 8, ir_add(b, ptr, ir_get(b, i)), 0));
	ir_set(b, i, ir_addi(b, ir_get(b, i), 8));
	ir_end(b);
	compress(&s, ir_or(b, ir_shli(b, len, 56), ir_get(b, tail)));
	ir_return(b, sip_end(&s));
	return all->hash_func;
}
