/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route(): the path with its varying segments replaced, or the first of the
 * given templates that matches it. Works on any string, up to its first '?'.
 *
 * The text is copied into memory of its own, and one loop goes over its bytes.
 * Without templates the loop judges each segment and writes the result: ":id"
 * for a segment that is a number (digits only), hexadecimal (8 digits or more)
 * or a UUID (8-4-4-4-12). With templates it notes where segments are, and
 * straight code compares: a literal segment word for word, ":name" with any
 * segment that is not empty, "*" at the end with all that is left.
 */
#include "lib/http/http.h"

#include <string.h>

enum { H_READ_KERNEL = 113 };

enum { MOST_SEGMENTS = 31, MOST_TEMPLATES = 64, WIDE = 256 };

/* The memory: words, then what is read, then what is written or found. */
enum {
	W_LEN = 0,      /* bytes of the text */
	W_OUT = 8,      /* bytes written */
	W_SEG = 16,     /* where the current segment begins in what is written */
	W_COUNT = 24,   /* bytes of the current segment; with templates: segments so far */
	W_NOT = 32,     /* NOT_*: what the segment is not */
	W_STOPPED = 40, /* a '?' ended the text */
	W_TEXT = 48,
	PAD = 8, /* words are read past the end of the text */
};

enum { NOT_NUMBER = 1, NOT_HEX = 2, NOT_UUID = 4 };

enum { UUID_LEN = 36, HEX_LEAST = 8 };
#define UUID_DASHES ((1ll << 8) | (1ll << 13) | (1ll << 18) | (1ll << 23))

struct work {
	struct at_ir *at; /* address of the memory */
	unsigned size;    /* of the text's room: a power of two */
};

/* After the text: the result, or pairs of u32 (begin, end) of segments. */
static int64_t after_text(const struct work *w)
{
	return W_TEXT + w->size + PAD;
}

static struct at_ir *get(struct at_irb *b, const struct work *w, int64_t word)
{
	return ir_load(b, 8, w->at, word);
}

static void put(struct at_irb *b, const struct work *w, int64_t word, struct at_ir *v)
{
	ir_store(b, 8, w->at, word, v);
}

/* ---- The loop over bytes ---- */

static int find_func(const struct at_plan *p, const char *name)
{
	for (size_t i = 0; i < p->funcs.n; i++)
		if (strcmp(p->funcs.v[i]->name, name) == 0)
			return (int)i;
	return -1;
}

/* The byte of this trip; '?' at the end of the text. */
static struct at_ir *this_byte(struct at_irb *b, const struct work *w)
{
	struct at_ir *trip = ir_param(b, 0);
	struct at_ir *at = ir_add(b, w->at, ir_andi(b, trip, w->size - 1));

	return ir_let(b, ir_select(b, ir_uge(b, trip, get(b, w, W_LEN)), ir_const(b, '?'),
				   ir_load(b, 1, at, W_TEXT)));
}

static struct at_ir *ends_segment(struct at_irb *b, struct at_ir *c)
{
	return ir_or(b, ir_eqi(b, c, '/'), ir_eqi(b, c, '?'));
}

static void write_byte(struct at_irb *b, const struct work *w, struct at_ir *pos,
		       struct at_ir *c)
{
	ir_if(b, ir_ulti(b, pos, w->size));
	ir_store(b, 1, ir_add(b, w->at, ir_andi(b, pos, w->size - 1)), after_text(w), c);
	ir_end(b);
}

static struct at_ir *lacks(struct at_irb *b, struct at_ir * not, int what)
{
	return ir_iszero(b, ir_andi(b, not, what));
}

/* Is the segment that ends here one that varies? Then ":id" takes its place. */
static void end_segment(struct at_irb *b, const struct work *w)
{
	static const char id[] = ":id";
	struct at_ir *n = ir_let(b, get(b, w, W_COUNT)), *not = ir_let(b, get(b, w, W_NOT));
	struct at_ir *number = lacks(b, not, NOT_NUMBER), *seg;
	struct at_ir *hex = ir_and(b, lacks(b, not, NOT_HEX), ir_ugei(b, n, HEX_LEAST));
	struct at_ir *uuid = ir_and(b, lacks(b, not, NOT_UUID), ir_eqi(b, n, UUID_LEN));

	ir_if(b, ir_and(b, ir_un(b, AT_OP_BOOL, n), ir_or(b, number, ir_or(b, hex, uuid))));
	seg = ir_let(b, get(b, w, W_SEG));
	for (int i = 0; id[i]; i++)
		write_byte(b, w, ir_let(b, ir_addi(b, seg, i)), ir_const(b, id[i]));
	put(b, w, W_OUT, ir_addi(b, seg, strlen(id)));
	ir_end(b);
}

static void judge_byte(struct at_irb *b, const struct work *w, struct at_ir *c)
{
	struct at_ir *n = ir_let(b, get(b, w, W_COUNT));
	struct at_ir *digit = ir_let(b, ir_ulti(b, ir_subi(b, c, '0'), 10));
	struct at_ir *letter = ir_ulti(b, ir_subi(b, ir_ori(b, c, 0x20), 'a'), 6);
	struct at_ir *hex = ir_let(b, ir_or(b, digit, letter));
	struct at_ir *dash =
		ir_andi(b, ir_shr(b, ir_const(b, UUID_DASHES), ir_andi(b, n, 63)), 1);
	struct at_ir *uuid = ir_select(b, dash, ir_eqi(b, c, '-'), hex);
	struct at_ir *not = ir_iszero(b, digit);

	not = ir_or(b, not, ir_shli(b, ir_iszero(b, hex), 1));
	not = ir_or(b, not, ir_shli(b, ir_iszero(b, uuid), 2));
	put(b, w, W_NOT, ir_or(b, get(b, w, W_NOT), not ));
	put(b, w, W_COUNT, ir_addi(b, n, 1));
}

/* Trip: judges and copies a byte. */
static unsigned ids_func(struct at_lower *lw, unsigned size)
{
	const char *name = at_sprintf(lw->arena, "route_ids_%u", size);
	struct at_irb mine = { 0 }, *b = &mine;
	struct work w = { .size = size };
	struct at_ir *c, *out;
	int made = find_func(lw->plan, name);

	if (made >= 0)
		return made;
	ir_begin(b, lw->plan, name, AT_FN_TRIP, 2);
	w.at = ir_param(b, 1);
	c = this_byte(b, &w);
	ir_if(b, ends_segment(b, c));
	end_segment(b, &w);
	ir_if(b, ir_eqi(b, c, '?'));
	put(b, &w, W_STOPPED, ir_ult(b, ir_param(b, 0), get(b, &w, W_LEN)));
	ir_return(b, ir_const(b, 1));
	ir_end(b);
	put(b, &w, W_SEG, ir_addi(b, get(b, &w, W_OUT), 1));
	put(b, &w, W_COUNT, ir_const(b, 0));
	put(b, &w, W_NOT, ir_const(b, 0));
	ir_else(b);
	judge_byte(b, &w, c);
	ir_end(b);
	out = ir_let(b, get(b, &w, W_OUT));
	write_byte(b, &w, out, c);
	put(b, &w, W_OUT, ir_addi(b, out, 1));
	ir_return(b, ir_const(b, 0));
	return b->index;
}

static struct at_ir *segment(struct at_irb *b, const struct work *w, struct at_ir *n)
{
	return ir_add(b, w->at, ir_shli(b, ir_andi(b, n, MOST_SEGMENTS), 3));
}

/* Trip: notes where segments begin and end. The one before the first '/' has number 0. */
static unsigned split_func(struct at_lower *lw, unsigned size)
{
	const char *name = at_sprintf(lw->arena, "route_split_%u", size);
	struct at_irb mine = { 0 }, *b = &mine;
	struct work w = { .size = size };
	struct at_ir *c, *n, *trip;
	int made = find_func(lw->plan, name);

	if (made >= 0)
		return made;
	ir_begin(b, lw->plan, name, AT_FN_TRIP, 2);
	trip = ir_param(b, 0);
	w.at = ir_param(b, 1);
	c = this_byte(b, &w);
	ir_if(b, ir_iszero(b, ends_segment(b, c)));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	n = ir_let(b, get(b, &w, W_COUNT));
	ir_if(b, ir_ulei(b, n, MOST_SEGMENTS));
	ir_store(b, 4, segment(b, &w, n), after_text(&w) + 4, trip);
	ir_end(b);
	ir_if(b, ir_eqi(b, c, '?'));
	ir_return(b, ir_const(b, 1));
	ir_end(b);
	n = ir_let(b, ir_addi(b, n, 1));
	put(b, &w, W_COUNT, n);
	ir_if(b, ir_ulei(b, n, MOST_SEGMENTS));
	ir_store(b, 4, segment(b, &w, n), after_text(&w), ir_addi(b, trip, 1));
	ir_end(b);
	ir_return(b, ir_const(b, 0));
	return b->index;
}

/* ---- Templates ---- */

static int64_t word_at(const char *s, size_t n, size_t off)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8 && off + i < n; i++)
		v |= (uint64_t)(unsigned char)s[off + i] << (8 * i);
	return (int64_t)v;
}

/* What differs between segment `number` and the n bytes at s: 0 when nothing. */
static struct at_ir *literal_differs(struct at_irb *b, const struct work *w, unsigned number,
				     const char *s, size_t n)
{
	int64_t at = after_text(w) + 8 * number;
	struct at_ir *from = ir_let(b, ir_load(b, 4, w->at, at));
	struct at_ir *all =
		ir_bini(b, AT_OP_XOR, ir_sub(b, ir_load(b, 4, w->at, at + 4), from), n);

	for (size_t off = 0; off < n; off += 8) {
		struct at_ir *pos = ir_andi(b, ir_addi(b, from, off), w->size - 1);
		struct at_ir *v = ir_load(b, 8, ir_add(b, w->at, pos), W_TEXT);

		if (n - off < 8)
			v = ir_andi(b, v, ((int64_t)1 << (8 * (n - off))) - 1);
		all = ir_or(b, all, ir_bini(b, AT_OP_XOR, v, word_at(s, n, off)));
	}
	return all;
}

static struct at_ir *is_empty(struct at_irb *b, const struct work *w, unsigned number)
{
	int64_t at = after_text(w) + 8 * number;

	return ir_eq(b, ir_load(b, 4, w->at, at), ir_load(b, 4, w->at, at + 4));
}

static unsigned count_segments(const char *template)
{
	unsigned n = 0;

	for (; *template; template ++)
		n += *template == '/';
	return n;
}

static bool takes_rest(const char *template)
{
	size_t n = strlen(template);

	return n >= 2 && strcmp(template + n - 2, "/*") == 0;
}

static void store_text(struct at_irb *b, struct at_ir *to, const char *s, unsigned size)
{
	for (unsigned i = 0; i < size; i += 8)
		ir_store(b, 8, to, i, ir_const(b, word_at(s, strlen(s), i)));
}

/* if (it matches) { write it; return; } */
static void try_template(struct at_irb *b, const struct work *w, const char *template,
			 struct at_ir *to, unsigned size)
{
	unsigned n = count_segments(template), number = 1, differs = ir_local(b);
	struct at_ir *have = get(b, w, W_COUNT);
	bool rest = takes_rest(template);
	const char *s = template + 1;

	ir_if(b, rest ? ir_ugei(b, have, n) : ir_eqi(b, have, n));
	ir_set(b, differs, ir_iszero(b, is_empty(b, w, 0)));
	for (; number <= n && !(rest && number == n); number++) {
		size_t len = strcspn(s, "/");

		ir_set(b, differs,
		       ir_or(b, ir_get(b, differs),
			     *s == ':' ? is_empty(b, w, number)
				       : literal_differs(b, w, number, s, len)));
		s += len + (s[len] == '/');
	}
	ir_if(b, ir_iszero(b, ir_get(b, differs)));
	store_text(b, to, template, size);
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	ir_end(b);
}

/* Sub: writes the first template that matches, or "other", to its second argument. */
static unsigned match_func(struct at_lower *lw, const struct at_n_call *call,
			   unsigned text_size, unsigned size)
{
	struct at_irb mine = { .range = call->n.range }, *b = &mine;
	struct work w = { .size = text_size };

	ir_begin(b, lw->plan, at_sprintf(lw->arena, "route_%zu", lw->plan->funcs.n), AT_FN_SUB,
		 2);
	b->fn->noinline = true;
	w.at = ir_param(b, 0);
	for (size_t i = 1; i < call->args.n; i++)
		try_template(b, &w, at_fold_string(call->args.v[i]), ir_param(b, 1), size);
	store_text(b, ir_param(b, 1), "other", size);
	ir_return(b, ir_const(b, 0));
	return b->index;
}

/* ---- Lowering ---- */

static unsigned power_of_two(unsigned n)
{
	unsigned p = 16;

	while (p < n)
		p *= 2;
	return p;
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

/* Copies the text into the memory and goes over it. */
static struct work run_over(struct at_lower *lw, struct at_val v, unsigned result,
			    unsigned (*func)(struct at_lower *lw, unsigned size))
{
	struct at_irb *b = lw->b;
	unsigned most = v.len ? v.cap : v.type->size;
	struct work w = { .size = power_of_two(most > result ? most : result) };
	unsigned room = result ? w.size : 8 * (MOST_SEGMENTS + 1);
	struct at_ir *n;

	w.at = at_lower_scratch(lw, after_text(&w) + room);
	if (v.len) {
		n = clamp(b, v.len, v.cap);
		ir_do(b, ir_helper(b, H_READ_KERNEL, 3, ir_addi(b, w.at, W_TEXT), n, v.ir));
	} else {
		n = at_lower_strlen(lw, v);
		ir_copy(b, w.at, W_TEXT, v.ir, 0, v.type->size);
	}
	put(b, &w, W_LEN, n);
	ir_zero(b, w.at, W_OUT, W_TEXT - W_OUT);
	if (!result)
		ir_zero(b, w.at, after_text(&w), 8); /* segment 0 begins at 0 */
	ir_repeat(b, ir_addi(b, get(b, &w, W_LEN), 1), func(lw, w.size), w.at);
	return w;
}

static struct at_val lower_ids(struct at_lower *lw, struct at_val v, const struct at_type *t)
{
	struct at_irb *b = lw->b;
	struct work w = run_over(lw, v, t->size, ids_func);
	struct at_val out = { .type = t, .cap = t->size, .secret = v.secret };
	struct at_ir *n = ir_let(b, get(b, &w, W_OUT)), *cut;

	out.ir = ir_addi(b, w.at, after_text(&w));
	out.len = clamp(b, n, t->size);
	out.full = n;
	if (v.len && v.full) { /* what the text had lost already */
		cut = ir_select(b, get(b, &w, W_STOPPED), ir_const(b, 0),
				ir_sub(b, v.full, get(b, &w, W_LEN)));
		out.full = ir_let(b, ir_add(b, n, cut));
	}
	return out;
}

static struct at_val lower_route(struct at_lower *lw, struct at_n_call *call)
{
	struct at_val v = at_lower_expr(lw, call->args.v[0]);
	struct at_val out = { .type = call->n.type, .secret = v.secret };
	struct work w;

	if (call->args.n == 1)
		return lower_ids(lw, v, call->n.type);
	w = run_over(lw, v, 0, split_func);
	out.ir = at_lower_temp(lw, out.type->size);
	ir_do(lw->b,
	      ir_call(lw->b, match_func(lw, call, w.size, out.type->size), 2, w.at, out.ir));
	return out;
}

/* ---- Check ---- */

static bool bad_template(struct at_check *c, const struct at_node *n, const char *why,
			 const char *hint)
{
	at_diag(c->diags, AT_D_ROUTE_TEMPLATE, n->range, "this template can match nothing: %s",
		why);
	at_hint(c->diags, "%s", hint);
	return false;
}

static bool check_template(struct at_check *c, const struct at_node *n)
{
	const char *s = at_fold_string(n), *star = strchr(s, '*');

	if (*s != '/')
		return bad_template(c, n, "it does not begin with a `/`",
				    "templates are written like \"/v1/users/:id\"");
	if (strchr(s, '?'))
		return bad_template(c, n, "the query is not part of a route",
				    "leave out the `?` and what follows it");
	if (star && (!takes_rest(s) || star[1]))
		return bad_template(c, n, "`*` stands for all that is left, at the end only",
				    ":name stands for one segment");
	if (count_segments(s) > MOST_SEGMENTS)
		return bad_template(c, n, "it has more than 31 segments", "end it with `/*`");
	if (strlen(s) >= WIDE)
		return bad_template(c, n, "it is longer than a path may be",
				    "255 bytes are the most");
	return true;
}

/* ":id" is longer than what it stands for may be; a path as wide as args.path has room enough.
 */
static unsigned ids_size(unsigned size)
{
	if (size >= WIDE)
		return size;
	return 2 * size < WIDE ? 2 * size : WIDE;
}

static const struct at_type *check_route(struct at_check *c, struct at_n_call *call)
{
	size_t longest = strlen("other");
	bool ok = true;

	if (call->args.n == 1)
		return at_type_string(c->arena, ids_size(call->args.v[0]->type->size));
	if (call->args.n - 1 > MOST_TEMPLATES) {
		at_diag(c->diags, AT_D_ROUTE_TEMPLATE, call->n.range,
			"route() takes at most %d templates, these are %zu", MOST_TEMPLATES,
			call->args.n - 1);
		return NULL;
	}
	for (size_t i = 1; i < call->args.n; i++) {
		size_t n = strlen(at_fold_string(call->args.v[i]));

		ok = check_template(c, call->args.v[i]) && ok;
		longest = n > longest ? n : longest;
	}
	return ok ? at_type_string(c->arena, (unsigned)longest + 1) : NULL;
}

const struct at_func at_func_route = {
	.name = "route",
	.proto = "string route(string path, lit-string template...)",
	.brief = "the path with numbers, long hex and UUIDs as :id, or the template that "
		 "matches",
	.check = check_route,
	.lower = lower_route,
};
