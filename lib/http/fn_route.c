/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route(): the path with its varying segments replaced, or the first of the
 * given templates that matches it. Works on any string, up to its first '?'.
 *
 * The text is copied into memory of its own, and one loop goes over it, eight bytes
 * at a time.
 * Without templates the loop judges each segment and writes the result: ":id"
 * for a segment that is a number (digits only), hexadecimal (8 digits or more)
 * or a UUID (8-4-4-4-12). With templates it notes where segments are, and
 * straight code compares: a literal segment word for word, ":name" with any
 * segment that is not empty, "*" at the end with all that is left.
 */
#include "lib/http/http.h"
#include "lib/http/swar.h"

#include <string.h>

enum { H_READ_KERNEL = 113 };

enum { MOST_SEGMENTS = 31, MOST_TEMPLATES = 64, WIDE = 256 };

/* The memory: words, then what is read, then what is written or found. */
enum {
	W_LEN = 0,    /* bytes of the text; behind them stands a '?' */
	W_POS = 8,    /* bytes read */
	W_OUT = 16,   /* bytes written */
	W_SEG = 24,   /* where the current segment begins in what is written */
	W_COUNT = 32, /* bytes of the current segment; with templates: segments so far */
	W_NUMBER = 40,
	W_HEX = 48,
	W_UUID = 56,    /* not 0: the segment is none */
	W_STOPPED = 64, /* a '?' ended the text */
	W_DASHES = 72,  /* where a UUID has dashes, for each eight bytes of it */
	W_TEXT = 136,
	PAD = 8, /* words are read and written past the end of the text */
};

enum { UUID_LEN = 36, HEX_LEAST = 8 };

/*
 * Positions are masked and not compared, since each branch would double what the
 * verifier has to follow in the loop: the rooms hold whatever position there may be.
 */
struct work {
	struct at_ir *at; /* address of the memory */
	unsigned size;    /* most bytes of the text: a power of two */
};

static unsigned text_room(const struct work *w)
{
	return 2 * w->size;
}

/* Each byte of the text adds at most two: "/1" becomes "/:id". */
static unsigned result_room(const struct work *w)
{
	return 4 * w->size;
}

/* After the text: the result, or pairs of u32 (begin, end) of segments. */
static int64_t after_text(const struct work *w)
{
	return W_TEXT + text_room(w) + PAD;
}

static struct at_ir *get(struct at_irb *b, const struct work *w, int64_t word)
{
	return ir_load(b, 8, w->at, word);
}

static void put(struct at_irb *b, const struct work *w, int64_t word, struct at_ir *v)
{
	ir_store(b, 8, w->at, word, v);
}

/* ---- The loop over words ---- */

static int find_func(const struct at_plan *p, const char *name)
{
	for (size_t i = 0; i < p->funcs.n; i++)
		if (strcmp(p->funcs.v[i]->name, name) == 0)
			return (int)i;
	return -1;
}

/* The next eight bytes; those of the segment are 0x80 in `in`. */
struct piece {
	struct at_ir *pos, *word, *end, *in;
};

static struct piece next_piece(struct at_irb *b, const struct work *w)
{
	struct piece p = { .pos = ir_let(b, get(b, w, W_POS)) };
	struct at_ir *slash, *mark;

	p.word = ir_andi(b, p.pos, text_room(w) - 1);
	p.word = ir_let(b, ir_load(b, 8, ir_add(b, w->at, p.word), W_TEXT));
	slash = at_swar_equal(b, p.word, ir_const(b, at_swar('/')));
	mark = at_swar_equal(b, p.word, ir_const(b, at_swar('?')));
	p.end = ir_let(b, ir_or(b, slash, mark));
	p.in = ir_and(b, ir_subi(b, p.end, 1), ir_un(b, AT_OP_NOT, p.end));
	p.in = ir_let(b, ir_andi(b, p.in, at_swar(0x80)));
	return p;
}

/* The byte that ends the segment, the n-th of the piece. */
static struct at_ir *end_byte(struct at_irb *b, const struct piece *p, struct at_ir *n)
{
	return ir_let(b, ir_andi(b, ir_shr(b, p->word, ir_shli(b, n, 3)), 0xff));
}

static void write_at(struct at_irb *b, const struct work *w, unsigned width, struct at_ir *pos,
		     struct at_ir *bytes)
{
	struct at_ir *to = ir_add(b, w->at, ir_andi(b, pos, result_room(w) - 1));

	ir_store(b, width, to, after_text(w), bytes);
}

static void blame(struct at_irb *b, const struct work *w, int64_t what, struct at_ir *bytes)
{
	put(b, w, what, ir_or(b, get(b, w, what), bytes));
}

/* The place of those behind `count` bytes of a segment; of a longer one any, it is no UUID. */
static struct at_ir *dashes(struct at_irb *b, const struct work *w, struct at_ir *count)
{
	return ir_load(b, 8, ir_add(b, w->at, ir_andi(b, count, 0x38)), W_DASHES);
}

/* Which bytes of the segment are no digits, no hexadecimal digits, none of a UUID at that
 * place. */
static void judge(struct at_irb *b, const struct work *w, const struct piece *p,
		  struct at_ir *count)
{
	struct at_ir *low = ir_let(b, ir_andi(b, p->word, at_swar(0x7f)));
	struct at_ir *fold = ir_let(b, ir_ori(b, low, at_swar(0x20))), *digit, *other, *dash,
		     *is_dash;

	digit = ir_let(b, at_swar_between(b, low, '0', '9'));
	other = ir_or(b, ir_un(b, AT_OP_NOT, digit), p->word);
	blame(b, w, W_NUMBER, ir_and(b, other, p->in));
	other = ir_or(b, digit, at_swar_between(b, fold, 'a', 'f'));
	other = ir_let(b, ir_or(b, ir_un(b, AT_OP_NOT, other), p->word));
	blame(b, w, W_HEX, ir_and(b, other, p->in));
	dash = ir_let(b, dashes(b, w, count));
	is_dash = ir_and(b, at_swar_between(b, low, '-', '-'), ir_un(b, AT_OP_NOT, p->word));
	other = ir_or(b, ir_and(b, dash, ir_un(b, AT_OP_NOT, is_dash)),
		      ir_and(b, ir_un(b, AT_OP_NOT, dash), other));
	blame(b, w, W_UUID, ir_and(b, other, p->in));
}

/* Leaves the loop around it unless the segment of n bytes is one that varies. */
static void break_unless_id(struct at_irb *b, const struct work *w, struct at_ir *n)
{
	struct at_ir *short_hex = ir_andi(b, ir_subi(b, n, HEX_LEAST), INT64_MIN);

	ir_if(b, ir_iszero(b, n));
	ir_break(b);
	ir_end(b);
	ir_if(b, get(b, w, W_NUMBER));
	ir_if(b, ir_or(b, get(b, w, W_HEX), short_hex));
	ir_if(b, ir_or(b, get(b, w, W_UUID), ir_xori(b, n, UUID_LEN)));
	ir_break(b);
	ir_end(b);
	ir_end(b);
	ir_end(b);
}

/* Where the next byte is written behind a segment of n bytes: ":id" takes the place of one that
 * varies. */
static struct at_ir *end_segment(struct at_irb *b, const struct work *w, struct at_ir *n,
				 struct at_ir *out)
{
	unsigned end = ir_local(b);
	struct at_ir *seg;

	ir_set(b, end, out);
	ir_loop(b);
	break_unless_id(b, w, n);
	seg = ir_let(b, get(b, w, W_SEG));
	write_at(b, w, 4, seg, ir_const(b, ':' | 'i' << 8 | 'd' << 16));
	ir_set(b, end, ir_addi(b, seg, 3));
	ir_break(b);
	ir_end(b);
	return ir_let(b, ir_get(b, end));
}

static void begin_segment(struct at_irb *b, const struct work *w, struct at_ir *pos,
			  struct at_ir *out)
{
	put(b, w, W_POS, pos);
	put(b, w, W_OUT, out);
	put(b, w, W_SEG, out);
	ir_zero(b, w->at, W_COUNT, W_STOPPED - W_COUNT);
}

/* Trip: judges and copies up to eight bytes of a segment, and its end. */
static void ids_trip(struct at_irb *b, const struct work *w)
{
	struct piece p = next_piece(b, w);
	struct at_ir *count = ir_let(b, get(b, w, W_COUNT)), *out = ir_let(b, get(b, w, W_OUT));
	struct at_ir *n, *c, *pos;

	write_at(b, w, 8, out, p.word);
	judge(b, w, &p, count);
	ir_if(b, ir_iszero(b, p.end));
	put(b, w, W_POS, ir_addi(b, p.pos, 8));
	put(b, w, W_OUT, ir_addi(b, out, 8));
	put(b, w, W_COUNT, ir_addi(b, count, 8));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	n = ir_let(b, at_swar_first(b, p.end));
	pos = ir_let(b, ir_add(b, p.pos, n));
	c = end_byte(b, &p, n);
	out = end_segment(b, w, ir_let(b, ir_add(b, count, n)), ir_add(b, out, n));
	ir_if(b, ir_eqi(b, c, '?'));
	put(b, w, W_OUT, out);
	put(b, w, W_STOPPED, ir_ult(b, pos, get(b, w, W_LEN)));
	ir_return(b, ir_const(b, 1));
	ir_end(b);
	write_at(b, w, 1, out, c);
	begin_segment(b, w, ir_addi(b, pos, 1), ir_addi(b, out, 1));
	ir_return(b, ir_const(b, 0));
}

static struct at_ir *segment(struct at_irb *b, const struct work *w, struct at_ir *n)
{
	return ir_add(b, w->at, ir_shli(b, ir_andi(b, n, MOST_SEGMENTS), 3));
}

/* Trip: notes where a segment ends and the next begins. The one before the first '/' has number
 * 0. */
static void split_trip(struct at_irb *b, const struct work *w)
{
	struct piece p = next_piece(b, w);
	struct at_ir *n, *c, *pos, *number;

	ir_if(b, ir_iszero(b, p.end));
	put(b, w, W_POS, ir_addi(b, p.pos, 8));
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	n = ir_let(b, at_swar_first(b, p.end));
	pos = ir_let(b, ir_add(b, p.pos, n));
	c = end_byte(b, &p, n);
	number = ir_let(b, get(b, w, W_COUNT));
	ir_if(b, ir_ulei(b, number, MOST_SEGMENTS));
	ir_store(b, 4, segment(b, w, number), after_text(w) + 4, pos);
	ir_end(b);
	ir_if(b, ir_eqi(b, c, '?'));
	ir_return(b, ir_const(b, 1));
	ir_end(b);
	pos = ir_let(b, ir_addi(b, pos, 1));
	number = ir_let(b, ir_addi(b, number, 1));
	put(b, w, W_POS, pos);
	put(b, w, W_COUNT, number);
	ir_if(b, ir_ulei(b, number, MOST_SEGMENTS));
	ir_store(b, 4, segment(b, w, number), after_text(w), pos);
	ir_end(b);
	ir_return(b, ir_const(b, 0));
}

/* How the memory is gone over, in a function that the kernel verifies once. */
struct pass {
	const char *name;
	void (*trip)(struct at_irb *b, const struct work *w);
	unsigned (*room)(const struct work *w); /* after the text */
};

static unsigned segments_room(const struct work *w)
{
	return 8 * (MOST_SEGMENTS + 1);
}

static const struct pass ids = { "ids", ids_trip, result_room };
static const struct pass split = { "split", split_trip, segments_room };

static unsigned memory_of(const struct pass *p, const struct work *w)
{
	return after_text(w) + p->room(w) + PAD;
}

static unsigned trip_func(struct at_lower *lw, const struct pass *p, unsigned size)
{
	struct at_irb mine = { 0 }, *b = &mine;
	struct work w = { .size = size };

	ir_begin(b, lw->plan, at_sprintf(lw->arena, "route_%s_trip_%u", p->name, size),
		 AT_FN_TRIP, 2);
	w.at = ir_param(b, 1);
	p->trip(b, &w);
	return b->index;
}

/* Goes over texts of that size: written once in a plan. */
static unsigned pass_func(struct at_lower *lw, const struct pass *p, unsigned size)
{
	const char *name = at_sprintf(lw->arena, "route_%s_%u", p->name, size);
	struct at_irb mine = { 0 }, *b = &mine;
	struct work w = { .size = size };
	int made = find_func(lw->plan, name);
	unsigned trip;

	if (made >= 0)
		return made;
	trip = trip_func(lw, p, size);
	ir_begin(b, lw->plan, name, AT_FN_SUB, 1);
	b->fn->by_itself = b->fn->noinline = true;
	b->fn->mem[0] = memory_of(p, &w);
	w.at = ir_param(b, 0);
	ir_if(b, w.at);
	ir_repeat(b, ir_addi(b, get(b, &w, W_LEN), 1), trip, w.at);
	ir_end(b);
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
		struct at_ir *pos = ir_andi(b, ir_addi(b, from, off), text_room(w) - 1);
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

/* Copies the text into memory and goes over it. */
static struct work run_over(struct at_lower *lw, struct at_val v, unsigned result,
			    const struct pass *p)
{
	struct at_irb *b = lw->b;
	unsigned most = v.len ? v.cap : v.type->size;
	struct work w = { .size = power_of_two(most > result ? most : result) };
	struct at_ir *n;

	w.at = at_lower_scratch(lw, memory_of(p, &w));
	n = clamp(b, v.len ? v.len : at_lower_strlen(lw, v), most);
	if (v.len)
		ir_do(b, ir_helper(b, H_READ_KERNEL, 3, ir_addi(b, w.at, W_TEXT), n, v.ir));
	else
		ir_copy(b, w.at, W_TEXT, v.ir, 0, v.type->size);
	put(b, &w, W_LEN, n);
	ir_store(b, 1, ir_add(b, w.at, n), W_TEXT, ir_const(b, '?'));
	ir_zero(b, w.at, W_POS, W_TEXT - W_POS);
	put(b, &w, W_DASHES + 8, ir_const(b, 0x0000800000000080));           /* 8, 13 */
	put(b, &w, W_DASHES + 16, ir_const(b, (int64_t)0x8000000000800000)); /* 18, 23 */
	ir_zero(b, w.at, after_text(&w), 8); /* segment 0 begins at 0 */
	ir_do(b, ir_call(b, pass_func(lw, p, w.size), 1, w.at));
	return w;
}

static struct at_val lower_ids(struct at_lower *lw, struct at_val v, const struct at_type *t)
{
	struct at_irb *b = lw->b;
	struct work w = run_over(lw, v, t->size, &ids);
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
	w = run_over(lw, v, 0, &split);
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
