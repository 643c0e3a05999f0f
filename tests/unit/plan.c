/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's constructors, the builder of core IR, and their text. */
#include <criterion/criterion.h>

#include "frontend/plan.h"

static struct at_arena *arena;
static struct at_plan *plan;

static void setup(void)
{
	arena = at_arena_new();
	plan = at_plan_new(arena, NULL);
}

static void teardown(void)
{
	at_arena_free(arena);
}

TestSuite(plan, .init = setup, .fini = teardown);

Test(plan, the_same_symbol_is_one)
{
	unsigned pid = at_plan_sym(plan, AT_SYM_PID, NULL, 0);
	unsigned off = at_plan_sym(plan, AT_SYM_BTF_OFFSET, "sock.sk_flags", 0);

	cr_assert_eq(at_plan_sym(plan, AT_SYM_PID, NULL, 0), pid);
	cr_assert_eq(at_plan_sym(plan, AT_SYM_BTF_OFFSET, "sock.sk_flags", 0), off);
	cr_assert_neq(at_plan_sym(plan, AT_SYM_BTF_OFFSET, "sock.sk_type", 0), off);
	cr_assert_neq(at_plan_sym(plan, AT_SYM_SECRET, NULL, 0),
		      at_plan_sym(plan, AT_SYM_SECRET, NULL, 1));
	cr_assert_eq(plan->syms.n, 5);
}

static const char *kernel_name(const char *name)
{
	struct at_plan_map m = { .name = name, .kind = AT_MAP_HASH };
	unsigned map = at_plan_map(plan, &m);

	return plan->maps.v[map].kernel_name;
}

Test(plan, maps_get_names_that_the_kernel_takes)
{
	cr_assert_str_eq(kernel_name("@"), "AT_");
	cr_assert_str_eq(kernel_name("@latency"), "AT_latency");
	cr_assert_str_eq(kernel_name("@a_rather_long_name"), "AT_a_rather_lon");
	cr_assert_str_eq(kernel_name("http conn"), "http_conn");
}

Test(plan, shared_maps_are_made_once_and_grow)
{
	unsigned first = at_plan_counter(plan, "lost", "%llu events were lost", -1);
	unsigned second = at_plan_counter(plan, "cut", "%llu heads were cut", -1);

	cr_assert_eq(first, 0);
	cr_assert_eq(second, 1);
	cr_assert_eq(at_plan_counters(plan), (unsigned)plan->counter_map);
	cr_assert_eq(at_plan_ring(plan), at_plan_ring(plan));
	cr_assert_eq(plan->maps.n, 2);
	cr_assert_eq(plan->maps.v[plan->counter_map].max_entries, 2);
}

static void write_program(void)
{
	unsigned map = at_plan_map(plan, &(struct at_plan_map){ .name = "state",
								.kind = AT_MAP_ARRAY,
								.key_size = 4,
								.value_size = 64 });
	unsigned counter = at_plan_counter(plan, "seen", "%llu \"seen\"", -1);
	unsigned offset = at_plan_sym(plan, AT_SYM_BTF_OFFSET, "a.b", 0);
	unsigned three = at_plan_sym(plan, AT_SYM_CONST, NULL, -3);
	struct at_irb trip = { 0 }, b = { 0 };
	struct at_ir *v;

	ir_begin(&trip, plan, "step", AT_FN_TRIP, 2);
	ir_return(&trip,
		  ir_uge(&trip, ir_param(&trip, 0), ir_load(&trip, 4, ir_param(&trip, 1), 8)));

	ir_begin(&b, plan, "main", AT_FN_PROG, 1);
	v = ir_let(&b, ir_loads(&b, 2, ir_param(&b, 0), -6));
	ir_if(&b, ir_iszero(&b, v));
	ir_zero(&b, ir_mapval(&b, map, 16), 0, 24);
	ir_else(&b);
	ir_loop(&b);
	ir_break(&b);
	ir_end(&b);
	ir_repeat(&b, ir_const(&b, 100), trip.index, ir_mapval(&b, map, 0));
	ir_end(&b);
	at_plan_count(&b, counter, NULL);
	at_plan_count(&b, counter, v);
	ir_return(&b, ir_select(&b, v, ir_sym(&b, offset), ir_sym(&b, three)));
	at_plan_prog(plan, &(struct at_plan_prog){ .kind = AT_PROG_TRACEPOINT,
						   .provider = "tracepoint",
						   .probe = "tracepoint:a:b",
						   .target = "a/b",
						   .func = b.index });
}

Test(plan, dump)
{
	static const char want[] =
		"map state array key 4 value 64 max 1 kernel state\n"
		"map counters percpu_array key 4 value 8 max 1 kernel counters\n"
		"sym btf_offset a.b\n"
		"sym const -3\n"
		"counter seen \"%llu \\\"seen\\\"\"\n"
		"program main tracepoint a/b of tracepoint \"tracepoint:a:b\"\n"
		"trip step(p0, p1)\n"
		"  return (p0 >= u32[p1 + 8])\n"
		"program main(p0) s0[8]\n"
		"  v0 = s16[p0 - 6]\n"
		"  if iszero(v0)\n"
		"    zero 24 at &state[16]\n"
		"  else\n"
		"    loop\n"
		"      break\n"
		"    repeat 100 times step with &state[0]\n"
		"  u32[&s0] = 0\n"
		"  v1 = map_lookup_elem(map counters, &s0)\n"
		"  if v1\n"
		"    atomic u64[v1] += 1\n"
		"  u32[&s0] = 0\n"
		"  v2 = map_lookup_elem(map counters, &s0)\n"
		"  if v2\n"
		"    atomic u64[v2] += v0\n"
		"  return (v0 ? {btf_offset a.b} : {const -3})\n";

	write_program();
	cr_assert_str_eq(at_plan_dump(arena, plan), want);
}
