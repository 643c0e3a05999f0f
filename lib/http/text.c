/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captured texts: appending bytes of the window to one, with the length before
 * the cut, the running hash and the search for secret parameters. A text may
 * come in any number of pieces.
 */
#include "lib/http/layout.h"

enum { MAP_LOOKUP = 1, PROBE_READ_KERNEL = 113 }; /* enum bpf_func_id */

/* Places in win.tmp: what trips of this file keep. */
enum { T_AT, T_N, T_SRC, T_SIP };

static struct at_ir *tmp(struct at_walk *w, unsigned i)
{
	return ir_load(w->b, 8, w->win, offsetof(struct at_http_win, tmp) + 8 * i);
}

static void set_tmp(struct at_walk *w, unsigned i, struct at_ir *v)
{
	ir_store(w->b, 8, w->win, offsetof(struct at_http_win, tmp) + 8 * i, v);
}

/* Leaves the function with 1 when the word is above what the verifier may assume of it. */
static void at_most(struct at_irb *b, struct at_ir *v, uint64_t most)
{
	IF(ir_ugti(b, v, (int64_t)most));
	RETURN(1);
	END;
}

/* ---- Secret parameters ---- */

static const char *const secret_names[] = { "key", "api_key",   "token",    "access_token",
					    "sig", "signature", "password", NULL };

/* A secret name was read, and an '=' behind it. */
static void name_judge(struct at_walk *w)
{
	struct at_irb *b = w->b;
	const int64_t word = offsetof(struct at_http_stream, word);
	struct at_ir *n = ir_let(b, HL(nword)), *low = ir_let(b, ir_load(b, 8, w->half, word));
	struct at_ir *high = ir_let(b, ir_load(b, 8, w->half, word + 8));

	for (const char *const *s = secret_names; *s; s++) {
		unsigned len = strlen(*s), more = len > 8 ? len - 8 : 0;

		IF(ir_eqi(b, n, len + 1));
		IF(ir_eqi(b, low, (int64_t)at_word_of(*s, len)));
		IF(ir_eqi(b, high, (int64_t)at_word_of(*s + len - more, more)));
		HS(scan, C(3));
		END;
		END;
		END;
	}
}

static void name_begin(struct at_walk *w)
{
	struct at_irb *b = w->b;

	ir_zero(b, w->half, offsetof(struct at_http_stream, word), 16);
	HS(nword, C(1));
}

static struct at_ir *one_of(struct at_irb *b, struct at_ir *c, const char *chars)
{
	struct at_ir *any = ir_eqi(b, c, *chars);

	while (*++chars)
		any = ir_or(b, any, ir_eqi(b, c, *chars));
	return any;
}

/* Adds a byte to the name; what is longer than the longest only counts. */
static void name_add(struct at_walk *w, struct at_ir *c)
{
	struct at_irb *b = w->b;
	struct at_ir *k = ir_let(b, ir_subi(b, HL(nword), 1));
	struct at_ir *upper = ir_ulti(b, ir_subi(b, c, 'A'), 26);
	struct at_ir *byte = ir_or(b, c, ir_shli(b, upper, 5));
	struct at_ir *shifted = ir_let(b, ir_shl(b, byte, ir_shli(b, ir_andi(b, k, 7), 3)));
	int64_t word = offsetof(struct at_http_stream, word);

	IF(ir_ulti(b, k, 8));
	ir_store(b, 8, w->half, word, ir_or(b, ir_load(b, 8, w->half, word), shifted));
	ELSE;
	IF(ir_ulti(b, k, 16));
	ir_store(b, 8, w->half, word + 8, ir_or(b, ir_load(b, 8, w->half, word + 8), shifted));
	END;
	END;
	IF(ir_ulti(b, k, 30));
	HS(nword, ir_addi(b, k, 2));
	END;
}

/* scan: 1 behind '?' or '#', 3 right behind the '=' of a secret name. */
static unsigned secret_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_secret_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *i = ir_let(b, tmp(w, T_AT)), *c, *scan, *at;

	IF(ir_uge(b, i, tmp(w, T_N)));
	RETURN(1);
	END;
	set_tmp(w, T_AT, ir_addi(b, i, 1));
	at = ir_let(b, ir_add(b, tmp(w, T_SRC), i));
	at_most(b, at, sizeof(struct at_http_win) - 8);
	c = ir_let(b, ir_load(b, 1, ir_add(b, w->win, at), 0));
	scan = ir_let(b, HL(scan));
	IF(ir_eqi(b, scan, 3));
	HS(scan, C(1));
	IF(ir_iszero(b, one_of(b, c, "&;#")));
	HS(secret, C(1));
	END;
	END;
	IF(ir_or(b, one_of(b, c, "?#"), ir_and(b, ir_nei(b, scan, 0), one_of(b, c, "&;"))));
	HS(scan, C(1));
	name_begin(w);
	RETURN(0);
	END;
	IF(ir_iszero(b, HL(nword)));
	RETURN(0);
	END;
	IF(ir_eqi(b, c, '='));
	name_judge(w);
	HS(nword, C(0));
	ELSE;
	name_add(w, c);
	END;
	RETURN(0);
	return b->index;
}

/* (conn, half, win, src | n << 32): the bytes through the search. */
static void secret_func(struct at_http_eng *e)
{
	unsigned trip = secret_trip(e);
	struct at_walk walk = at_http_func(e, "http_secret", 4), *w = &walk;
	struct at_irb *b = w->b;

	e->f_secret = b->index;
	set_tmp(w, T_AT, C(0));
	set_tmp(w, T_N, ir_shri(b, ir_param(b, 3), 32));
	set_tmp(w, T_SRC, ir_andi(b, ir_param(b, 3), 0xffffffff));
	ir_repeat(b, C(AT_HTTP_STEP + 1), trip, at_http_context(w));
	RETURN(0);
}

/* ---- Hash: SipHash-1-3 by pieces, the same as hash() of the whole text ---- */

struct sip {
	struct at_irb *b;
	unsigned v[4];
};

static struct at_ir *rotl(struct at_irb *b, struct at_ir *x, int n)
{
	return ir_or(b, ir_shli(b, x, n), ir_shri(b, x, 64 - n));
}

static void sip_add(struct sip *s, int to, int from)
{
	ir_set(s->b, s->v[to], ir_add(s->b, ir_get(s->b, s->v[to]), ir_get(s->b, s->v[from])));
}

static void sip_mix(struct sip *s, int to, int by, int n)
{
	ir_set(s->b, s->v[to],
	       ir_xor(s->b, rotl(s->b, ir_get(s->b, s->v[to]), n), ir_get(s->b, s->v[by])));
}

static void sip_turn(struct sip *s, int which, int n)
{
	ir_set(s->b, s->v[which], rotl(s->b, ir_get(s->b, s->v[which]), n));
}

static void sip_round(struct sip *s)
{
	sip_add(s, 0, 1);
	sip_mix(s, 1, 0, 13);
	sip_turn(s, 0, 32);
	sip_add(s, 2, 3);
	sip_mix(s, 3, 2, 16);
	sip_add(s, 0, 3);
	sip_mix(s, 3, 0, 21);
	sip_add(s, 2, 1);
	sip_mix(s, 1, 2, 17);
	sip_turn(s, 2, 32);
}

static void sip_xor(struct sip *s, int which, struct at_ir *x)
{
	ir_set(s->b, s->v[which], ir_xor(s->b, ir_get(s->b, s->v[which]), x));
}

static void sip_load(struct sip *s, struct at_irb *b, struct at_ir *addr)
{
	s->b = b;
	for (int i = 0; i < 4; i++)
		s->v[i] = ir_local(b);
	for (int i = 0; i < 4; i++)
		ir_set(b, s->v[i], ir_load(b, 8, addr, 8 * i));
}

static void sip_compress(struct sip *s, struct at_ir *m)
{
	sip_xor(s, 3, m);
	sip_round(s);
	sip_xor(s, 0, m);
}

static struct at_ir *sip_at(struct at_walk *w, struct at_ir *off)
{
	struct at_irb *b = w->b;

	at_most(b, off, w->e->total - sizeof(struct at_http_sip));
	return ir_let(b, ir_add(b, w->conn, off));
}

/* Up to eight bytes a trip; they are joined with the tail that was left over. */
static unsigned sip_trip(struct at_http_eng *e)
{
	struct at_walk walk = at_http_trip(e, "http_sip_trip"), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *i = ir_let(b, tmp(w, T_AT)), *n = ir_let(b, tmp(w, T_N)), *at, *addr, *m;
	struct at_ir *word, *have, *joined, *all;
	struct sip s;

	IF(ir_uge(b, i, n));
	RETURN(1);
	END;
	at = ir_let(b, ir_add(b, tmp(w, T_SRC), i));
	at_most(b, at, sizeof(struct at_http_win) - 8);
	m = at_http_forget(w, at_http_min(b, ir_sub(b, n, i), C(8)));
	set_tmp(w, T_AT, ir_add(b, i, m));
	addr = sip_at(w, ir_let(b, tmp(w, T_SIP)));
	word = ir_load(b, 8, ir_add(b, w->win, at), 0);
	word = ir_and(b, word, ir_shr(b, C(-1), ir_sub(b, C(64), ir_shli(b, m, 3))));
	word = ir_let(b, word);
	have = ir_let(b, AT_LD(at_http_sip, addr, ntail));
	joined = ir_let(b, ir_or(b, AT_LD(at_http_sip, addr, tail),
				 ir_shl(b, word, ir_shli(b, have, 3))));
	all = ir_let(b, ir_add(b, have, m));
	AT_ST(at_http_sip, addr, len, ir_add(b, AT_LD(at_http_sip, addr, len), m));
	IF(ir_ulti(b, all, 8));
	AT_ST(at_http_sip, addr, tail, joined);
	AT_ST(at_http_sip, addr, ntail, all);
	RETURN(0);
	END;
	sip_load(&s, b, addr);
	sip_compress(&s, joined);
	for (int k = 0; k < 4; k++)
		ir_store(b, 8, addr, 8 * k, ir_get(b, s.v[k]));
	/* In two steps, so that nothing is left of the word when there was no tail. */
	word = ir_shri(b, ir_shr(b, word, ir_sub(b, C(56), ir_shli(b, have, 3))), 8);
	AT_ST(at_http_sip, addr, tail, word);
	AT_ST(at_http_sip, addr, ntail, ir_subi(b, all, 8));
	RETURN(0);
	return b->index;
}

/* (conn, half, win, src | n << 32, offset of the state) */
static unsigned sip_put_func(struct at_http_eng *e)
{
	unsigned trip = sip_trip(e);
	struct at_walk walk = at_http_func(e, "http_sip_put", 5), *w = &walk;
	struct at_irb *b = w->b;

	set_tmp(w, T_AT, C(0));
	set_tmp(w, T_N, ir_shri(b, ir_param(b, 3), 32));
	set_tmp(w, T_SRC, ir_andi(b, ir_param(b, 3), 0xffffffff));
	set_tmp(w, T_SIP, ir_param(b, 4));
	ir_repeat(b, C(AT_HTTP_STEP + 1), trip, at_http_context(w));
	RETURN(0);
	return b->index;
}

/* (conn, half, win, offset of the state): the hash of all that came. */
static unsigned sip_end_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_sip_end", 4), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *addr = sip_at(w, ir_param(b, 3));
	struct sip s;

	sip_load(&s, b, addr);
	sip_compress(&s, ir_let(b, ir_or(b, AT_LD(at_http_sip, addr, tail),
					 ir_shli(b, AT_LD(at_http_sip, addr, len), 56))));
	sip_xor(&s, 2, C(0xff));
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	ir_return(b, ir_xor(b, ir_xor(b, ir_get(b, s.v[0]), ir_get(b, s.v[1])),
			    ir_xor(b, ir_get(b, s.v[2]), ir_get(b, s.v[3]))));
	return b->index;
}

static void sip_reset(struct at_walk *w, unsigned off)
{
	static const uint64_t start[4] = {
		0x736f6d6570736575,
		0x646f72616e646f6d,
		0x6c7967656e657261,
		0x7465646279746573,
	};
	struct at_irb *b = w->b;

	for (int i = 0; i < 4; i++) {
		unsigned key = at_plan_sym(b->plan, AT_SYM_SECRET, NULL, i & 1);

		ir_store(b, 8, w->conn, off + 8 * i,
			 ir_xori(b, ir_sym(b, key), (int64_t)start[i]));
	}
	ir_zero(b, w->conn, off + 32, sizeof(struct at_http_sip) - 32);
}

/* ---- Appending ---- */

/* Copies n (at most AT_HTTP_STEP) bytes; whole words where the text has room for their end. */
static void copy_bytes(struct at_irb *b, struct at_ir *dst, struct at_ir *src, struct at_ir *n,
		       struct at_ir *room)
{
	struct at_ir *padded = ir_andi(b, ir_addi(b, n, 7), ~7);

	IF(ir_ule(b, padded, room));
	for (int i = 0; i < AT_HTTP_STEP; i += 8) {
		IF(ir_ugti(b, n, i));
		ir_store(b, 8, dst, i, ir_load(b, 8, src, i));
	}
	for (int i = 0; i < AT_HTTP_STEP; i += 8)
		END;
	ELSE;
	ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, dst, n, src));
	END;
}

/*
 * Steps only note what is to be appended: the walk calls the function that does
 * it in one place, so the verifier goes through it once and not at every step.
 */
void at_http_put(struct at_walk *w, struct at_ir *src, struct at_ir *n, struct at_ir *cap)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_let(b, WL(nput)), *entry;
	const int64_t off = offsetof(struct at_http_win, piece);

	entry = ir_shli(b, ir_andi(b, at, AT_HTTP_PUTS - 1), 4);
	entry = ir_let(b, ir_add(b, w->win, entry));
	ir_store(b, 8, entry, off, ir_or(b, src, ir_shli(b, n, 32)));
	ir_store(b, 8, entry, off + 8, cap);
	WS(nput, ir_addi(b, at, 1));
}

/* Takes the next piece that was noted. */
static void put_next_func(struct at_http_eng *e, unsigned put)
{
	struct at_walk walk = at_http_func(e, "http_put_next", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *at, *entry, *piece;
	const int64_t off = offsetof(struct at_http_win, piece);

	e->f_put = b->index;
	at = ir_let(b, WL(put));
	entry = ir_shli(b, ir_andi(b, at, AT_HTTP_PUTS - 1), 4);
	entry = ir_let(b, ir_add(b, w->win, entry));
	at = ir_let(b, ir_addi(b, at, 1));
	WS(put, at);
	IF(ir_uge(b, at, WL(nput)));
	WS(put, C(0));
	WS(nput, C(0));
	END;
	piece = ir_load(b, 8, entry, off);
	ir_do(b, ir_call(b, put, 5, w->conn, w->half, w->win, piece,
			 ir_load(b, 8, entry, off + 8)));
	RETURN(0);
}

/* A text has no room for all of its value: counted, once for each value. */
static void count_cut(struct at_walk *w, struct at_ir *counter)
{
	struct at_irb *b = w->b;
	struct at_ir *map = ir_map(b, at_plan_counters(w->e->plan)), *key = ir_slot(b, 8),
		     *value;

	counter = ir_let(b, counter);
	IF(counter);
	ir_store(b, 4, key, 0, counter);
	value = ir_let(b, ir_helper(b, MAP_LOOKUP, 2, map, key));
	IF(value);
	ir_atomic_add(b, 8, value, 0, C(1));
	END;
	END;
}

/* (conn, half, win, src | n << 32, capture word): appends n bytes of win + src. */
static unsigned put_func(struct at_http_eng *e, unsigned sip_put)
{
	struct at_walk walk = at_http_inline(e, "http_put", 5), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *piece = ir_param(b, 3), *cap = ir_param(b, 4);
	struct at_ir *n = ir_let(b, ir_shri(b, piece, 32)), *src, *off, *text, *len, *full,
		     *room;
	struct at_ir *sip = ir_let(b, ir_andi(b, ir_shri(b, cap, AT_CAP_HASH), 0xffff));
	struct at_ir *at, *k;

	src = ir_let(b, ir_andi(b, piece, 0xffffffff));
	off = ir_let(b, ir_andi(b, cap, 0xffff));
	IF(ir_iszero(b, off));
	RETURN(0);
	END;
	IF(sip);
	ir_do(b, ir_call(b, sip_put, 5, w->conn, w->half, w->win, piece, sip));
	END;
	IF(ir_andi(b, ir_shri(b, cap, AT_CAP_SECRET), 1));
	ir_do(b, ir_call(b, e->f_secret, 4, w->conn, w->half, w->win, piece));
	END;
	at_most(b, off, e->total - AT_HTTP_PAD);
	at_most(b, src, sizeof(struct at_http_win) - AT_HTTP_STEP);
	text = ir_let(b, ir_add(b, w->conn, off));
	len = ir_let(b, AT_LD(at_http_text, text, len));
	full = ir_let(b, AT_LD(at_http_text, text, full));
	AT_ST(at_http_text, text, full, ir_add(b, full, n));
	IF(ir_ne(b, len, full));
	RETURN(0);
	END;
	room = ir_let(b, ir_sub(b, ir_andi(b, ir_shri(b, cap, AT_CAP_WIDTH), 0xffff), len));
	IF(ir_ugt(b, n, room));
	count_cut(w, ir_shri(b, cap, AT_CAP_COUNTER));
	END;
	k = at_http_min(b, n, room);
	at_most(b, k, AT_HTTP_STEP);
	at = ir_let(b, ir_addi(b, ir_add(b, off, len), sizeof(struct at_http_text)));
	at_most(b, at, e->total - AT_HTTP_STEP);
	copy_bytes(b, ir_let(b, ir_add(b, w->conn, at)), ir_let(b, ir_add(b, w->win, src)), k,
		   room);
	AT_ST(at_http_text, text, len, ir_add(b, len, k));
	RETURN(0);
	return b->index;
}

/* ---- All captures of a message ---- */

static struct at_ir *text_of(struct at_walk *w, struct at_ir *msg,
			     const struct at_http_capture *c)
{
	return ir_addi(w->b, msg, c->offset);
}

static unsigned sip_of(const struct at_http_eng *e, const struct at_http_capture *c)
{
	unsigned off = e->sip_off[c->half];

	for (size_t i = 0; i < e->h->captures.n; i++) {
		const struct at_http_capture *o = e->h->captures.v[i];

		if (o == c)
			break;
		if (o->half == c->half && o->want_hash)
			off += sizeof(struct at_http_sip);
	}
	return c->want_hash ? off : 0;
}

const struct at_http_capture *at_http_capture_of(const struct at_http_eng *e,
						 enum at_http_half half, enum at_http_what what)
{
	for (size_t i = 0; i < e->h->captures.n; i++) {
		const struct at_http_capture *c = e->h->captures.v[i];

		if (c->half == half && c->what == what)
			return c;
	}
	return NULL;
}

/* Of target and query, which are written with the same bytes, one is searched for both. */
static bool is_searched(const struct at_http_eng *e, const struct at_http_capture *c)
{
	return c->may_secret && !(c->what == AT_HTTP_QUERY &&
				  at_http_capture_of(e, AT_HTTP_OF_REQUEST, AT_HTTP_TARGET));
}

/* Without the base of its message, which the half knows: a response's is fixed. */
uint64_t at_http_cap_word(const struct at_http_eng *e, const struct at_http_capture *c)
{
	uint64_t secret = is_searched(e, c);

	return c->offset | (uint64_t)c->width << AT_CAP_WIDTH |
	       (uint64_t)sip_of(e, c) << AT_CAP_HASH | secret << AT_CAP_SECRET |
	       (uint64_t)c->counter << AT_CAP_COUNTER;
}

void at_http_reset_texts(struct at_walk *w, struct at_ir *msg, enum at_http_half half)
{
	struct at_http_eng *e = w->e;

	for (size_t i = 0; i < e->h->captures.n; i++) {
		const struct at_http_capture *c = e->h->captures.v[i];

		if (c->half != half)
			continue;
		ir_zero(w->b, text_of(w, msg, c), 0, sizeof(struct at_http_text));
		if (c->want_hash)
			sip_reset(w, sip_of(e, c));
	}
}

void at_http_end_texts(struct at_walk *w, struct at_ir *msg, enum at_http_half half)
{
	struct at_http_eng *e = w->e;
	struct at_irb *b = w->b;

	for (size_t i = 0; i < e->h->captures.n; i++) {
		const struct at_http_capture *c = e->h->captures.v[i];
		struct at_ir *hash;

		if (c->half != half || !c->want_hash)
			continue;
		hash = ir_call(b, e->f_sip_end, 4, w->conn, w->half, w->win, C(sip_of(e, c)));
		AT_ST(at_http_text, text_of(w, msg, c), hash, hash);
	}
}

void at_http_text_funcs(struct at_http_eng *e)
{
	unsigned sip_put;

	secret_func(e);
	sip_put = sip_put_func(e);
	e->f_sip_end = sip_end_func(e);
	put_next_func(e, put_func(e, sip_put));
}
