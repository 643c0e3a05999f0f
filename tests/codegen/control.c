/* SPDX-License-Identifier: Apache-2.0 */
/* Control: branches, loops, calls, both forms of REPEAT, callbacks, and what must be refused.
 */
#include "tests/codegen/harness.h"

enum { MAP_LOOKUP_ELEM = 1, FOR_EACH_MAP_ELEM = 164 };

/* A new function of the plan; its builder is good until the test is over. */
static struct at_irb *function(struct t *t, const char *name, enum at_ir_func_kind kind,
			       unsigned nparams)
{
	struct at_irb *b = at_new(t->arena, struct at_irb);

	ir_begin(b, t->plan, name, kind, nparams);
	return b;
}

/* ---- Branches and loops ---- */

static void build_branch(struct t *t)
{
	struct at_irb *b = function(t, "sign", AT_FN_SUB, 1);

	ir_if(b, ir_slti(b, ir_param(b, 0), 0));
	ir_return(b, ir_const(b, -1));
	ir_else(b);
	ir_if(b, ir_param(b, 0));
	ir_return(b, ir_const(b, 1));
	ir_else(b);
	ir_return(b, ir_const(b, 0));
	ir_end(b);
	ir_end(b);
	for (unsigned i = 0; i < 20; i++)
		t_out(t, t->b, i, ir_call(t->b, b->index, 1, t_in(t, t->b, i)));
}

/* A pointer may be computed with only behind its check: nothing may be moved in front of it. */
static void build_checked(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *key = ir_slot(b, 8), *value;
	unsigned at = ir_local(b);

	ir_store(b, 4, key, 0, ir_const(b, 0));
	value = ir_let(b, ir_helper(b, MAP_LOOKUP_ELEM, 2, ir_map(b, t->in), key));
	ir_if(b, value);
	ir_set(b, at, ir_addi(b, value, 160));
	ir_end(b);
	ir_if(b, ir_get(b, at));
	t_out(t, b, 0, ir_load(b, 8, ir_get(b, at), 0));
	ir_end(b);
	t_out(t, b, 1, ir_select(b, ir_get(b, at), ir_const(b, 1), ir_const(b, 2)));
}

static void expect_checked(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = in[20];
	out[1] = 1;
}

static void expect_branch(const struct t *t, const uint64_t *in, uint64_t *out)
{
	for (unsigned i = 0; i < 20; i++)
		out[i] = (int64_t)in[i] < 0 ? -1 : in[i] > 0;
}

/* for i = 0; ; i++: skips, leaves early, a loop in it with a break of its own. */
static void build_loop(struct t *t)
{
	struct at_irb *b = t->b;
	unsigned i = ir_local(b), k = ir_local(b), sum = ir_local(b);

	ir_loop(b);
	ir_if(b, ir_eqi(b, ir_get(b, i), 20));
	ir_break(b);
	ir_end(b);
	ir_set(b, i, ir_addi(b, ir_get(b, i), 1));
	ir_if(b, ir_eqi(b, ir_bini(b, AT_OP_UMOD, ir_get(b, i), 3), 0));
	ir_continue(b);
	ir_end(b);
	ir_set(b, k, ir_const(b, 0));
	ir_loop(b);
	ir_set(b, k, ir_addi(b, ir_get(b, k), 1));
	ir_if(b, ir_uge(b, ir_get(b, k), ir_get(b, i)));
	ir_break(b);
	ir_end(b);
	ir_end(b);
	ir_set(b, sum, ir_add(b, ir_get(b, sum), ir_mul(b, ir_get(b, k), t_in(t, b, 20))));
	ir_end(b);
	t_out(t, b, 0, ir_get(b, sum));
	t_out(t, b, 1, ir_get(b, i));
}

static void expect_loop(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = 0;
	for (unsigned i = 1; i <= 20; i++)
		if (i % 3)
			out[0] += i * in[20];
	out[1] = 20;
}

/* ---- Calls ---- */

/* Five params; `mix` is inlined into `outer`, which is called. */
static void build_call(struct t *t)
{
	struct at_irb *mix = function(t, "mix", AT_FN_SUB, 5), *outer, *b = t->b;
	struct at_ir *v = ir_param(mix, 0);

	for (unsigned i = 1; i < 5; i++)
		v = ir_add(mix, ir_muli(mix, v, 31), ir_param(mix, i));
	ir_if(mix, ir_andi(mix, ir_param(mix, 0), 1));
	ir_return(mix, ir_xori(mix, v, 0x55));
	ir_end(mix);
	ir_return(mix, v);
	mix->fn->inlined = true;

	outer = function(t, "outer", AT_FN_SUB, 2);
	v = ir_let(outer, ir_call(outer, mix->index, 5, ir_param(outer, 0), ir_param(outer, 1),
				  ir_const(outer, 3), ir_const(outer, 4), ir_const(outer, 5)));
	ir_return(outer, ir_call(outer, mix->index, 5, v, v, ir_param(outer, 1),
				 ir_const(outer, 1), ir_const(outer, 2)));
	for (unsigned i = 0; i < 16; i++)
		t_out(t, b, i, ir_call(b, outer->index, 2, t_in(t, b, i), t_in(t, b, i + 1)));
}

static uint64_t c_mix(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	uint64_t v = (((a * 31 + b) * 31 + c) * 31 + d) * 31 + e;

	return a & 1 ? v ^ 0x55 : v;
}

static void expect_call(const struct t *t, const uint64_t *in, uint64_t *out)
{
	for (unsigned i = 0; i < 16; i++) {
		uint64_t v = c_mix(in[i], in[i + 1], 3, 4, 5);

		out[i] = c_mix(v, v, in[i + 1], 1, 2);
	}
}

static void build_kfunc(struct t *t)
{
	ir_do(t->b, ir_kfunc(t->b, "bpf_rcu_read_lock", 0));
	t_out(t, t->b, 0, ir_const(t->b, 1));
	ir_do(t->b, ir_kfunc(t->b, "bpf_rcu_read_unlock", 0));
}

static void expect_one(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = 1;
}

/* Callback: adds the value's first words and leaves what it was given in its context. */
static void build_callback(struct t *t)
{
	struct at_irb *each = function(t, "each", AT_FN_TRIP, 4), *b = t->b;
	struct at_ir *value = ir_param(each, 2), *context = ir_param(each, 3), *slot;

	ir_store(each, 8, context, 0,
		 ir_add(each, ir_load(each, 8, value, 160), ir_load(each, 8, value, 168)));
	ir_store(each, 4, context, 8, ir_load(each, 4, ir_param(each, 1), 0));
	ir_return(each, ir_const(each, 12345)); /* callbacks may return 0 or 1: made 1 */
	slot = ir_slot(b, 16);
	ir_zero(b, slot, 0, 16);
	t_out(t, b, 2,
	      ir_helper(b, FOR_EACH_MAP_ELEM, 4, ir_map(b, t->in), ir_funcaddr(b, each->index),
			slot, ir_const(b, 0)));
	t_out(t, b, 0, ir_load(b, 8, slot, 0));
	t_out(t, b, 1, ir_load(b, 8, slot, 8));
}

static void expect_callback(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = in[20] + in[21];
	out[1] = 0; /* the key */
	out[2] = 1; /* elements seen */
}

/* ---- REPEAT ---- */

/* out[0] counts the trips, out[1] adds their numbers; ends by itself at out[2] trips. */
static unsigned counting_trip(struct t *t, const char *name)
{
	struct at_irb *b = function(t, name, AT_FN_TRIP, 2);
	struct at_ir *ctx = ir_param(b, 1), *n;

	n = ir_let(b, ir_addi(b, ir_load(b, 8, ctx, 0), 1));
	ir_store(b, 8, ctx, 0, n);
	ir_store(b, 8, ctx, 8, ir_add(b, ir_load(b, 8, ctx, 8), ir_param(b, 0)));
	ir_return(b, ir_eq(b, n, ir_load(b, 8, ctx, 16)));
	return b->index;
}

/* Trips a constant, a word, none, many; left early, counted and not; several in one function.
 */
static void build_repeat(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *trips[] = { ir_const(b, 100),  ir_andi(b, t_in(t, b, 20), 0xff),
				  ir_const(b, 0),    ir_const(b, 100000),
				  ir_const(b, 1000), NULL };
	unsigned func = counting_trip(t, "trip");

	for (unsigned i = 0; i < at_count(trips); i++) {
		ir_zero(b, ir_mapval(b, t->out, 64 * (int64_t)i), 0, 24);
		if (i >= 4)
			ir_store(b, 8, ir_mapval(b, t->out, 64 * (int64_t)i), 16,
				 ir_const(b, 50));
		ir_repeat(b, trips[i], func, ir_mapval(b, t->out, 64 * (int64_t)i));
		if (!trips[i]) /* what the trips were said to be, added up */
			ir_store(b, 8, ir_mapval(b, t->out, 64 * (int64_t)i), 8,
				 ir_const(b, 0));
	}
}

static void expect_repeat(const struct t *t, const uint64_t *in, uint64_t *out)
{
	uint64_t trips[] = { 100, in[20] & 0xff, 0, 100000, 50, 50 };

	for (unsigned i = 0; i < at_count(trips); i++) {
		out[8 * i] = trips[i];
		out[8 * i + 1] = i < 5 ? trips[i] * (trips[i] - 1) / 2 : 0;
		out[8 * i + 2] = i >= 4 ? 50 : 0;
	}
}

/* A trip that repeats another one, from a subprogram, with slots on both levels. */
static void build_nested(struct t *t)
{
	struct at_irb *inner = function(t, "inner", AT_FN_TRIP, 2), *outer, *sub;
	struct at_ir *ctx = ir_param(inner, 1), *slot = ir_slot(inner, 16);

	ir_store(inner, 8, slot, 8, ir_load(inner, 8, ctx, 0));
	ir_store(inner, 8, ctx, 0, ir_addi(inner, ir_load(inner, 8, slot, 8), 1));

	outer = function(t, "outer", AT_FN_TRIP, 2);
	ctx = ir_param(outer, 1);
	slot = ir_slot(outer, 8);
	ir_store(outer, 8, slot, 0, ir_param(outer, 0));
	ir_repeat(outer, ir_const(outer, 10), inner->index, ctx);
	ir_store(outer, 8, ctx, 8,
		 ir_add(outer, ir_load(outer, 8, ctx, 8), ir_load(outer, 8, slot, 0)));

	sub = function(t, "sub", AT_FN_SUB, 1);
	ir_repeat(sub, ir_const(sub, 7), outer->index, ir_param(sub, 0));
	ir_return(sub, ir_load(sub, 8, ir_param(sub, 0), 0));

	ir_zero(t->b, ir_mapval(t->b, t->out, 0), 0, 16);
	t_out(t, t->b, 2, ir_call(t->b, sub->index, 1, ir_mapval(t->b, t->out, 0)));
}

static void expect_nested(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = 70;
	out[1] = 21;
	out[2] = 70;
}

/* A walker's shape: position and state in a map value, a masked index, branches, a scalar
 * context. */
static void build_walk(struct t *t)
{
	struct at_irb *w = function(t, "walk", AT_FN_TRIP, 2);
	struct at_ir *state = ir_mapval(w, t->out, 0), *pos, *byte;

	pos = ir_let(w, ir_andi(w, ir_load(w, 8, state, 0), WORDS * 8 - 1));
	byte = ir_let(w, ir_load(w, 1, ir_add(w, ir_mapval(w, t->in, 0), pos), 0));
	ir_if(w, ir_ult(w, byte, ir_param(w, 1)));
	ir_store(w, 8, state, 8, ir_addi(w, ir_load(w, 8, state, 8), 1));
	ir_else(w);
	ir_if(w, ir_eqi(w, byte, 0xff));
	ir_store(w, 8, state, 16, ir_addi(w, ir_load(w, 8, state, 16), 1));
	ir_end(w);
	ir_end(w);
	pos = ir_let(w, ir_addi(w, pos, 1));
	ir_store(w, 8, state, 0, pos);
	ir_return(w, ir_uge(w, pos, ir_const(w, WORDS * 8)));

	ir_zero(t->b, ir_mapval(t->b, t->out, 0), 0, 24);
	ir_repeat(t->b, ir_const(t->b, 1 << 23), w->index, ir_const(t->b, 65));
}

static void expect_walk(const struct t *t, const uint64_t *in, uint64_t *out)
{
	const unsigned char *bytes = (const unsigned char *)in;

	memset(out, 0, 24);
	for (unsigned i = 0; i < WORDS * 8; i++) {
		out[1] += bytes[i] < 65;
		out[2] += bytes[i] == 0xff;
	}
	out[0] = WORDS * 8;
}

/* ---- Counters ---- */

static void build_count(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *value, *key = ir_slot(b, 8);
	unsigned first = at_plan_counter(t->plan, "first", "%llu", -1);
	unsigned second = at_plan_counter(t->plan, "second", "%llu", -1);

	at_plan_count(b, first, NULL);
	at_plan_count(b, second, ir_const(b, 40));
	at_plan_count(b, second, ir_const(b, 2));
	for (unsigned i = 0; i < 2; i++) {
		ir_store(b, 4, key, 0, ir_const(b, i));
		value = ir_let(b, ir_helper(b, MAP_LOOKUP_ELEM, 2,
					    ir_map(b, t->plan->counter_map), key));
		ir_if(b, value);
		t_out(t, b, i, ir_load(b, 8, value, 0));
		ir_end(b);
	}
}

static void expect_count(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = 1;
	out[1] = 42;
}

/* ---- Refused before LLVM sees it ---- */

static void build_stack_over(struct t *t)
{
	struct at_irb *sub = function(t, "deep", AT_FN_SUB, 0);

	ir_zero(sub, ir_slot(sub, 300), 0, 8);
	ir_zero(t->b, ir_slot(t->b, 300), 0, 8);
	ir_do(t->b, ir_call(t->b, sub->index, 0));
}

static void build_recursion(struct t *t)
{
	struct at_irb *sub = function(t, "again", AT_FN_SUB, 0);

	ir_do(sub, ir_call(sub, sub->index, 0));
	ir_do(t->b, ir_call(t->b, sub->index, 0));
}

static void build_depth(struct t *t)
{
	struct at_irb *sub = NULL, *last = NULL;

	for (unsigned i = 0; i < 8; i++) {
		sub = function(t, at_sprintf(t->arena, "level%u", i), AT_FN_SUB, 0);
		if (last)
			ir_do(sub, ir_call(sub, last->index, 0));
		last = sub;
	}
	ir_do(t->b, ir_call(t->b, last->index, 0));
}

const struct test control_tests[] = {
	{ "branch", build_branch, expect_branch },
	{ "checked pointer", build_checked, expect_checked },
	{ "loop", build_loop, expect_loop },
	{ "call", build_call, expect_call },
	{ "kfunc", build_kfunc, expect_one },
	{ "callback", build_callback, expect_callback },
	{ "repeat", build_repeat, expect_repeat },
	{ "nested repeat", build_nested, expect_nested },
	{ "walk", build_walk, expect_walk },
	{ "count", build_count, expect_count },
	{ "too much stack", build_stack_over, NULL, NULL, "needs 608 bytes of stack", 1 },
	{ "recursion", build_recursion, NULL, NULL, "again calls itself" },
	{ "too deep", build_depth, NULL, NULL, "calls deep", 1 },
	{ NULL },
};
