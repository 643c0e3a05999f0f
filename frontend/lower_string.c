/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings in core IR. Two forms: padded (whole words, zeros to the end) and
 * counted (a length beside bytes that end anywhere). Literals are compared and
 * stored as constant words. What leaves the program goes through
 * at_lower_store_text(), where secrets become "redacted:" and their hash.
 */
#include "frontend/lower_int.h"

#include <string.h>

enum { UNROLLED = 64, REDACTED = 32 };

static uint64_t word_at(const char *s, size_t n, size_t off)
{
	uint64_t w = 0;

	for (size_t i = 0; i < 8 && off + i < n; i++)
		w |= (uint64_t)(unsigned char)s[off + i] << (8 * i);
	return w;
}

/* ---- Bringing text into the padded form ---- */

static void put_literal(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
			const char *text)
{
	char *kept = at_alloc(lw->arena, size);
	size_t n = strlen(text);

	memcpy(kept, text, n < size ? n : size - 1);
	if (n >= size)
		memcpy(kept + size - 3, "..", 2);
	for (unsigned i = 0; i < size; i += 8)
		ir_store(lw->b, 8, addr, off + i, ir_const(lw->b, word_at(kept, size, i)));
}

static void put_marks(struct at_lower *lw, struct at_ir *addr, int64_t off)
{
	ir_store(lw->b, 1, addr, off, ir_const(lw->b, '.'));
	ir_store(lw->b, 1, addr, off + 1, ir_const(lw->b, '.'));
	ir_store(lw->b, 1, addr, off + 2, ir_const(lw->b, 0));
}

static void put_padded(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
		       struct at_val v, bool mark)
{
	struct at_irb *b = lw->b;
	unsigned have = v.type->size;

	ir_copy(b, addr, off, v.ir, 0, have < size ? have : size);
	if (have < size) {
		ir_zero(b, addr, off + have, size - have);
	} else if (have > size && mark) {
		ir_if(b, ir_load(b, 1, addr, off + size - 1));
		put_marks(lw, addr, off + size - 3);
		ir_end(b);
	} else if (have > size) {
		ir_store(b, 1, addr, off + size - 1, ir_const(b, 0));
	}
}

/* A word clamped to a constant, in a local that the verifier sees bounded. */
static struct at_ir *clamp(struct at_irb *b, struct at_ir *v, unsigned most)
{
	unsigned local = ir_local(b);

	ir_set(b, local, v);
	ir_if(b, ir_ugti(b, ir_get(b, local), most));
	ir_set(b, local, ir_const(b, most));
	ir_end(b);
	return ir_get(b, local);
}

static void put_counted(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
			struct at_val v, bool mark)
{
	struct at_irb *b = lw->b;
	struct at_ir *len = ir_let(b, v.len), *n, *at;

	ir_zero(b, addr, off, size);
	n = clamp(b, len, size - 1);
	ir_do(b, ir_helper(b, AT_H_READ_KERNEL, 3, ir_addi(b, addr, off), n, v.ir));
	if (!mark || (!v.full && v.cap < size))
		return;
	ir_if(b, ir_ugt(b, v.full ? v.full : len, n));
	at = ir_add(b, ir_addi(b, addr, off), clamp(b, len, size - 3));
	put_marks(lw, ir_let(b, at), 0);
	ir_end(b);
}

void at_lower_put_text(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
		       struct at_val v, bool mark)
{
	if (v.literal)
		put_literal(lw, addr, off, size, v.literal);
	else if (v.len)
		put_counted(lw, addr, off, size, v, mark);
	else
		put_padded(lw, addr, off, size, v, mark);
}

struct at_val at_lower_text(struct at_lower *lw, struct at_val v, unsigned size)
{
	struct at_val out = v;

	size = (size + 7) & ~7u;
	if (!v.len && !v.literal && v.type->size == size)
		return v;
	out.type = at_type_string(lw->arena, size);
	out.ir = at_lower_temp(lw, size);
	out.len = out.full = NULL;
	out.literal = NULL;
	at_lower_put_text(lw, out.ir, 0, size, v, false);
	return out;
}

struct at_val at_lower_literal(struct at_lower *lw, const char *text)
{
	struct at_val v = { .type = at_type_string(lw->arena, strlen(text) + 1),
			    .literal = text };

	v.ir = at_lower_temp(lw, v.type->size);
	put_literal(lw, v.ir, 0, v.type->size, text);
	return v;
}

/* ---- Secrets ---- */

static struct at_ir *is_empty(struct at_lower *lw, struct at_val v)
{
	if (v.len)
		return ir_iszero(lw->b, v.full ? v.full : v.len);
	return ir_iszero(lw->b, ir_load(lw->b, 1, v.ir, 0));
}

struct at_ir *at_lower_secret_hash(struct at_lower *lw, struct at_val v)
{
	struct at_irb *b = lw->b;
	unsigned func, cap = v.len ? v.cap : v.type->size;

	if (v.hash)
		return v.hash;
	if (v.literal && !v.ir)
		v = at_lower_literal(lw, v.literal);
	func = at_lower_hash_func(lw);
	return ir_let(b, ir_call(b, func, 3, v.ir, at_lower_strlen(lw, v), ir_const(b, cap)));
}

/* Eight hex digits of the low 32 bits of h, first digit in the first byte. */
static struct at_ir *hex_word(struct at_irb *b, struct at_ir *h)
{
	static const struct {
		int shift;
		int64_t mask;
	} spread[] = {
		{ 16, 0x0000ffff0000ffff },
		{ 8, 0x00ff00ff00ff00ff },
		{ 4, 0x0f0f0f0f0f0f0f0f },
	};
	struct at_ir *x = ir_let(b, ir_andi(b, h, 0xffffffff)), *letters;

	for (size_t i = 0; i < at_count(spread); i++)
		x = ir_let(b, ir_andi(b, ir_or(b, x, ir_shli(b, x, spread[i].shift)),
				      spread[i].mask));
	/* 1 in each byte that is above 9: those are letters, 39 further on. */
	letters = ir_andi(b, ir_shri(b, ir_addi(b, x, 0x0606060606060606), 4),
			  0x0101010101010101);
	x = ir_add(b, ir_addi(b, x, 0x3030303030303030), ir_muli(b, letters, 39));
	return ir_let(b, ir_un(b, AT_OP_BSWAP64, x));
}

/* void redact(dst, hash): "redacted:" and 16 hex digits into 32 bytes. */
static unsigned redact_func(struct at_lower *lw)
{
	struct at_lowering *all = at_lowering_of(lw);
	struct at_irb mine = { 0 }, *b = &mine;
	struct at_ir *dst, *high, *low;

	if (all->redact_func >= 0)
		return all->redact_func;
	ir_begin(b, lw->plan, "redact", AT_FN_SUB, 2);
	all->redact_func = b->index;
	b->fn->noinline = true;
	dst = ir_param(b, 0);
	high = hex_word(b, ir_shri(b, ir_param(b, 1), 32));
	low = hex_word(b, ir_param(b, 1));
	ir_store(b, 8, dst, 0, ir_const(b, word_at("redacted", 8, 0)));
	ir_store(b, 8, dst, 8, ir_ori(b, ir_shli(b, high, 8), ':'));
	ir_store(b, 8, dst, 16, ir_or(b, ir_shri(b, high, 56), ir_shli(b, low, 8)));
	ir_store(b, 8, dst, 24, ir_shri(b, low, 56));
	ir_return(b, ir_const(b, 0));
	return all->redact_func;
}

static void store_redacted(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
			   struct at_val v)
{
	struct at_irb *b = lw->b;
	struct at_ir *text = at_lower_temp(lw, REDACTED);
	struct at_val hidden = { .type = at_type_string(lw->arena, REDACTED), .ir = text };
	unsigned redact = redact_func(lw);

	ir_if(b, is_empty(lw, v));
	ir_zero(b, addr, off, size);
	ir_else(b);
	ir_do(b, ir_call(b, redact, 2, text, at_lower_secret_hash(lw, v)));
	put_padded(lw, addr, off, size, hidden, false);
	ir_end(b);
}

void at_lower_store_text(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
			 struct at_val v)
{
	if (!v.secret || lw->opts->show_secrets) {
		at_lower_put_text(lw, addr, off, size, v, true);
		return;
	}
	ir_if(lw->b, v.secret);
	store_redacted(lw, addr, off, size, v);
	ir_else(lw->b);
	at_lower_put_text(lw, addr, off, size, v, true);
	ir_end(lw->b);
}

/* ---- Comparing ---- */

/* Or of the differences between the first n bytes at v and the text; the last word is masked.
 */
static struct at_ir *differences(struct at_lower *lw, struct at_val v, const char *text,
				 size_t n)
{
	struct at_irb *b = lw->b;
	struct at_ir *all = ir_const(b, 0);

	for (size_t off = 0; off < n; off += 8) {
		struct at_ir *w = ir_load(b, 8, v.ir, off);

		if (n - off < 8)
			w = ir_andi(b, w, ((int64_t)1 << (8 * (n - off))) - 1);
		w = ir_bini(b, AT_OP_XOR, w, word_at(text, n, off));
		all = off ? ir_or(b, all, w) : w;
	}
	return all;
}

/* Of a text that is kept in part, more bytes are compared than are kept: that cannot be answered. */
static void report_cut(struct at_lower *lw, struct at_val v, size_t n)
{
	if (!v.full)
		return;
	at_diag(lw->diags, AT_D_COMPARE_CUT, lw->b->range,
		"this compares with %zu bytes, of which only %u are kept", n, v.cap);
	at_hint(lw->diags, "config = { http_value_len = N } sets how many are kept of header fields");
}

static struct at_ir *equals_literal(struct at_lower *lw, struct at_val v, const char *text)
{
	struct at_irb *b = lw->b;
	size_t n = strlen(text);

	if (v.literal)
		return ir_const(b, strcmp(v.literal, text) == 0);
	if (v.len) {
		struct at_ir *same = ir_eqi(b, v.full ? v.full : v.len, n);

		if (n > v.cap) {
			report_cut(lw, v, n);
			return ir_const(b, 0);
		}
		return n ? ir_and(b, same, ir_iszero(b, differences(lw, v, text, n))) : same;
	}
	if (n >= v.type->size)
		return ir_const(b, 0);
	return ir_iszero(b, differences(lw, v, text, n + 1)); /* with its zero */
}

/* The differences once more, word by word in a loop: it has no way out but its end. */
static struct at_ir *equal_loop(struct at_irb *b, struct at_ir *x, struct at_ir *y,
				unsigned size)
{
	unsigned i = ir_local(b), all = ir_local(b);
	struct at_ir *xw, *yw;

	x = ir_let(b, x);
	y = ir_let(b, y);
	ir_set(b, i, ir_const(b, 0));
	ir_set(b, all, ir_const(b, 0));
	ir_loop(b);
	ir_if(b, ir_ugei(b, ir_get(b, i), size));
	ir_break(b);
	ir_end(b);
	xw = ir_load(b, 8, ir_add(b, x, ir_get(b, i)), 0);
	yw = ir_load(b, 8, ir_add(b, y, ir_get(b, i)), 0);
	ir_set(b, all, ir_or(b, ir_get(b, all), ir_xor(b, xw, yw)));
	ir_set(b, i, ir_addi(b, ir_get(b, i), 8));
	ir_end(b);
	return ir_iszero(b, ir_get(b, all));
}

struct at_ir *at_lower_memeq(struct at_lower *lw, struct at_ir *x, struct at_ir *y,
			     unsigned size, unsigned align)
{
	struct at_irb *b = lw->b;
	unsigned step = align >= 8 && size % 8 == 0 ? 8 : align >= 4 && size % 4 == 0 ? 4 : 1;
	struct at_ir *all = ir_const(b, 0), *d;

	if (step == 8 && size > UNROLLED)
		return equal_loop(b, x, y, size);
	for (unsigned off = 0; off < size; off += step) {
		d = ir_xor(b, ir_load(b, step, x, off), ir_load(b, step, y, off));
		all = off ? ir_or(b, all, d) : d;
	}
	return ir_iszero(b, all);
}

/* The text as a variable of that size has it: what is cut ends in "..". */
static struct at_val as_stored(struct at_lower *lw, struct at_val v, unsigned size)
{
	struct at_val out = { .type = at_type_string(lw->arena, size) };

	out.ir = at_lower_temp(lw, size);
	at_lower_put_text(lw, out.ir, 0, size, v, true);
	return out;
}

/* Two texts of which perhaps not all is kept: their lengths and hashes are of the whole. */
static struct at_ir *same_whole(struct at_lower *lw, struct at_val x, struct at_val y)
{
	struct at_irb *b = lw->b;
	struct at_ir *same = ir_eq(b, x.full ? x.full : x.len, y.full ? y.full : y.len);

	if (!x.want_whole || !y.want_whole)
		return same;
	*x.want_whole = *y.want_whole = true;
	return ir_and(b, same, ir_eq(b, x.whole, y.whole));
}

struct at_ir *at_lower_streq(struct at_lower *lw, struct at_val x, struct at_val y)
{
	struct at_ir *whole = NULL;
	unsigned sx, sy, size;

	if (y.literal)
		return equals_literal(lw, x, y.literal);
	if (x.literal)
		return equals_literal(lw, y, x.literal);
	if (x.len && y.len)
		whole = ir_let(lw->b, same_whole(lw, x, y));
	else if (x.len)
		x = as_stored(lw, x, y.type->size);
	else if (y.len)
		y = as_stored(lw, y, x.type->size);
	/* Padded to the same size, counted ones with room for their zero. */
	sx = x.len ? x.cap + 8 : x.type->size;
	sy = y.len ? y.cap + 8 : y.type->size;
	size = sx < sy ? sx : sy;
	if (x.len)
		x = at_lower_text(lw, x, sx);
	if (y.len)
		y = at_lower_text(lw, y, sy);
	/* The shorter ends in a zero, so equal words up to there are equal texts. */
	if (!whole)
		return ir_let(lw->b, at_lower_memeq(lw, x.ir, y.ir, size, 8));
	return ir_let(lw->b, ir_and(lw->b, whole, at_lower_memeq(lw, x.ir, y.ir, size, 8)));
}

struct at_ir *at_lower_starts_with(struct at_lower *lw, struct at_val s, const char *prefix)
{
	struct at_irb *b = lw->b;
	size_t n = strlen(prefix);

	if (s.literal)
		return ir_const(b, strncmp(s.literal, prefix, n) == 0);
	if (!n)
		return ir_const(b, 1);
	if (n > (s.len ? s.cap : s.type->size - 1)) {
		report_cut(lw, s, n);
		return ir_const(b, 0);
	}
	if (!s.len)
		return ir_iszero(b, differences(lw, s, prefix, n));
	return ir_and(b, ir_ugei(b, s.len, n), ir_iszero(b, differences(lw, s, prefix, n)));
}

/* ---- Length ---- */

/* Index of the first zero byte of a word, 8 if it has none. */
static struct at_ir *zero_index(struct at_irb *b, struct at_ir *w)
{
	const int64_t ones = 0x0101010101010101, highs = (int64_t)0x8080808080808080ull;
	struct at_ir *flags, *low, *below;

	/* 0x80 in each zero byte (and perhaps in bytes above the first, which do not count). */
	flags = ir_andi(b, ir_and(b, ir_subi(b, w, ones), ir_un(b, AT_OP_NOT, w)), highs);
	flags = ir_let(b, flags);
	low = ir_let(b, ir_and(b, flags, ir_un(b, AT_OP_NEG, flags)));
	/* A one for each byte below it; their sum gathers in the highest byte. */
	below = ir_andi(b, ir_shri(b, ir_subi(b, low, 1), 7), ones);
	return ir_let(b, ir_shri(b, ir_muli(b, below, ones), 56));
}

struct strlen_state {
	unsigned n, alive; /* locals: bytes so far; all ones until a zero was seen */
};

/* Without branches: the verifier would follow each of them on its own. */
static void count_word(struct at_irb *b, const struct strlen_state *s, struct at_ir *addr)
{
	struct at_ir *index = zero_index(b, ir_let(b, ir_load(b, 8, addr, 0)));
	struct at_ir *none = ir_un(b, AT_OP_NEG, ir_shri(b, index, 3));

	ir_set(b, s->n, ir_add(b, ir_get(b, s->n), ir_and(b, index, ir_get(b, s->alive))));
	ir_set(b, s->alive, ir_and(b, ir_get(b, s->alive), none));
}

static void count_loop(struct at_irb *b, const struct strlen_state *s, struct at_ir *text,
		       unsigned size)
{
	unsigned i = ir_local(b);

	text = ir_let(b, text);
	ir_set(b, i, ir_const(b, 0));
	ir_loop(b);
	ir_if(b, ir_ugei(b, ir_get(b, i), size));
	ir_break(b);
	ir_end(b);
	count_word(b, s, ir_add(b, text, ir_get(b, i)));
	ir_set(b, i, ir_addi(b, ir_get(b, i), 8));
	ir_end(b);
}

struct at_ir *at_lower_strlen(struct at_lower *lw, struct at_val s)
{
	struct at_irb *b = lw->b;
	struct strlen_state state;
	unsigned size = s.type->size;

	if (s.literal)
		return ir_const(b, strlen(s.literal));
	if (s.len)
		return s.len;
	state.n = ir_local(b);
	state.alive = ir_local(b);
	ir_set(b, state.n, ir_const(b, 0));
	ir_set(b, state.alive, ir_const(b, -1));
	if (size > UNROLLED)
		count_loop(b, &state, s.ir, size);
	else
		for (unsigned off = 0; off < size; off += 8)
			count_word(b, &state, ir_addi(b, s.ir, off));
	return ir_get(b, state.n);
}
