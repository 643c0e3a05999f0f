/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight bytes at a time in one word, as core IR: the arithmetic that finds and
 * classifies characters. It knows nothing of connections.
 */
#include "lib/http/swar.h"

#include <string.h>

int64_t at_swar(unsigned c)
{
	return (int64_t)(c * 0x0101010101010101ull);
}

struct at_ir *at_swar_less(struct at_irb *b, struct at_ir *w, unsigned n)
{
	struct at_ir *below = ir_subi(b, w, at_swar(n));

	return ir_andi(b, ir_and(b, below, ir_un(b, AT_OP_NOT, w)), at_swar(0x80));
}

struct at_ir *at_swar_equal(struct at_irb *b, struct at_ir *w, struct at_ir *eight)
{
	struct at_ir *x = ir_let(b, ir_xor(b, w, eight));

	return at_swar_less(b, x, 1);
}

/* Index of the lowest marked byte: BPF has no count of trailing zeros. */
struct at_ir *at_swar_first(struct at_irb *b, struct at_ir *mask)
{
	struct at_ir *below = ir_and(b, ir_subi(b, mask, 1), ir_un(b, AT_OP_NOT, mask));

	below = ir_muli(b, ir_andi(b, below, at_swar(0x01)), at_swar(0x01));
	return ir_subi(b, ir_shri(b, below, 56), 1);
}

struct at_ir *at_swar_between(struct at_irb *b, struct at_ir *low, unsigned first,
			      unsigned last)
{
	struct at_ir *from = ir_addi(b, low, at_swar(0x80 - first));
	struct at_ir *past = ir_addi(b, low, at_swar(0x80 - last - 1));

	return ir_and(b, from, ir_un(b, AT_OP_NOT, past));
}

struct at_ir *at_swar_plain(struct at_irb *b, struct at_ir *w)
{
	struct at_ir *low = ir_let(b, ir_andi(b, w, at_swar(0x7f)));
	struct at_ir *fold = ir_let(b, ir_ori(b, low, at_swar(0x20)));
	struct at_ir *ok =
		ir_or(b, at_swar_between(b, fold, 'a', 'z'), at_swar_between(b, low, '0', '9'));

	ok = ir_or(b, ok, at_swar_between(b, low, '-', '-'));
	/* A byte of 0x80 and more is none of them. */
	return ir_andi(b, ir_and(b, ok, ir_un(b, AT_OP_NOT, w)), at_swar(0x80));
}

/* Bit set of the token characters of RFC 9110 from `from` on. */
static int64_t token_bits(unsigned from)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	uint64_t bits = 0;

	for (unsigned c = from; c < from + 64; c++) {
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		bool digit = c >= '0' && c <= '9';

		if (letter || digit || (c && strchr(marks, (int)c)))
			bits |= 1ull << (c - from);
	}
	return (int64_t)bits;
}

struct at_ir *at_is_token(struct at_irb *b, struct at_ir *c)
{
	struct at_ir *bits = ir_select(b, ir_ulti(b, c, 64), ir_const(b, token_bits(0)),
				       ir_const(b, token_bits(64)));

	bits = ir_andi(b, ir_shr(b, bits, ir_andi(b, c, 63)), 1);
	return ir_and(b, bits, ir_ulti(b, c, 128));
}

uint64_t at_word_of(const char *s, unsigned n)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < n && i < 8; i++)
		word |= (uint64_t)(unsigned char)s[i] << (8 * i);
	return word;
}

struct at_ir *at_swar_until(struct at_irb *b, struct at_ir *at, int limit, unsigned below,
			    const char *ends)
{
	unsigned n = ir_local(b);

	ir_set(b, n, ir_const(b, limit));
	ir_loop(b);
	for (int i = 0; i < limit; i += 8) {
		struct at_ir *word = ir_let(b, ir_load(b, 8, at, i));
		struct at_ir *mask = at_swar_less(b, word, below);

		for (const char *c = ends; *c; c++) {
			struct at_ir *eight = ir_const(b, at_swar((unsigned)*c));

			mask = ir_or(b, mask, at_swar_equal(b, word, eight));
		}
		mask = ir_let(b, mask);
		ir_if(b, mask);
		ir_set(b, n, ir_addi(b, at_swar_first(b, mask), i));
		ir_break(b);
		ir_end(b);
	}
	ir_break(b);
	ir_end(b);
	return ir_get(b, n);
}

struct at_ir *at_swar_text(struct at_irb *b, struct at_ir *at, int limit)
{
	return at_swar_until(b, at, limit, 0x0e, "");
}
