/* SPDX-License-Identifier: Apache-2.0 */
/* lib/base: what text cases cannot show of arena, vectors, numbers, globs, diagnostics. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/arena.h"
#include "lib/base/diag.h"
#include "lib/base/glob.h"
#include "lib/base/num.h"
#include "lib/base/vec.h"

static struct at_arena *arena;

static void start(void)
{
	arena = at_arena_new();
	cr_assert_not_null(arena);
}

static void stop(void)
{
	at_arena_free(arena);
}

/* ---- Arena and vectors ---- */

TestSuite(arena, .init = start, .fini = stop);

Test(arena, gives_zeroed_aligned_memory_that_does_not_overlap)
{
	char *a = at_alloc(arena, 3), *b = at_alloc(arena, 17), *c = at_alloc(arena, 0);

	cr_assert_eq((uintptr_t)a % 16, 0);
	cr_assert_eq((uintptr_t)b % 16, 0);
	cr_assert_geq(b - a, 3);
	cr_assert_geq(c - b, 17);
	for (int i = 0; i < 17; i++)
		cr_assert_eq(b[i], 0);
}

Test(arena, makes_strings)
{
	cr_assert_str_eq(at_strndup(arena, "abcdef", 3), "abc");
	cr_assert_str_eq(at_strdup(arena, ""), "");
	cr_assert_str_eq(at_sprintf(arena, "%s-%d", "x", 42), "x-42");
	cr_assert_str_eq(at_sprintf(arena, "%300d", 1) + 299, "1");
}

Test(arena, says_when_it_is_low)
{
	cr_assert_not(at_arena_low(arena));
	for (int i = 0; i < 384; i++)
		at_alloc(arena, 1 << 20); /* reserved only: nothing of it is touched */
	cr_assert_not(at_arena_low(arena));
	at_alloc(arena, 1);
	cr_assert(at_arena_low(arena));
}

Test(arena, gives_back_to_a_mark)
{
	size_t mark = (at_alloc(arena, 100), at_arena_mark(arena));
	char *a = at_alloc(arena, 5000), *b;

	memset(a, 1, 5000);
	at_arena_release(arena, mark);
	b = at_alloc(arena, 5000);
	cr_assert_eq(a, b);
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(b[i], 0);
}

Test(arena, keeps_what_is_used_when_trimmed)
{
	char *a = at_strdup(arena, "kept");

	at_arena_trim(arena, 1 << 20);
	cr_assert_not(at_arena_low(arena));
	memset(at_alloc(arena, 1 << 20), 1, 1 << 20);
	cr_assert(at_arena_low(arena));
	cr_assert_str_eq(a, "kept");
}

/* Bytes that count against RLIMIT_DATA: with sanitizers these are terabytes. */
static rlim_t data_in_use(void)
{
	unsigned long long kb = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	cr_assert(f);
	while (fgets(line, sizeof(line), f) && sscanf(line, "VmData: %llu", &kb) != 1)
		;
	fclose(f);
	return kb << 10;
}

Test(arena, is_small_where_little_can_be_had)
{
	rlim_t some = data_in_use() + (180 << 20);
	struct rlimit most = { some, some };
	struct at_arena *a;

	cr_assert_eq(at_arena_script(arena), 1 << 20);
	cr_assert_eq(setrlimit(RLIMIT_DATA, &most), 0); /* of this test's process */
	a = at_arena_new();
	cr_assert(a);
	cr_assert_eq(at_arena_script(a), 1 << 15);
	at_arena_free(a);
}

Test(arena, free_takes_null)
{
	at_arena_free(NULL);
}

Test(arena, vectors_keep_what_they_hold_when_they_grow)
{
	AT_VEC(int) v = { 0 };

	for (int i = 0; i < 1000; i++)
		at_vec_push(arena, &v, i * 3);
	cr_assert_eq(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(v.v[i], i * 3);
}

/* ---- Numbers ---- */

static const struct {
	const char *text;
	int err;
	uint64_t value;
	bool duration;
} numbers[] = {
	{ "0", 0, 0 },
	{ "42", 0, 42 },
	{ "0x2A", 0, 42 },
	{ "0X2a", 0, 42 },
	{ "052", 0, 42 },
	{ "0b101010", 0, 42 },
	{ "1_000_000", 0, 1000000 },
	{ "0xffff_ffff", 0, 0xffffffff },
	{ "1e6", 0, 1000000 },
	{ "25e3", 0, 25000 },
	{ "0e99999999999999999999", -ERANGE },
	{ "0e9999999999", 0, 0 },
	{ "1e19", 0, 10000000000000000000ull },
	{ "1e20", -ERANGE },
	{ "18446744073709551615", 0, UINT64_MAX },
	{ "18446744073709551616", -ERANGE },
	{ "99999999999999999999999999", -ERANGE },
	{ "01777777777777777777777", 0, UINT64_MAX },
	{ "4294967295u", 0, UINT32_MAX },
	{ "4294967296u", -ERANGE },
	{ "9223372036854775807l", 0, INT64_MAX },
	{ "9223372036854775808LL", -ERANGE },
	{ "18446744073709551615ull", 0, UINT64_MAX },
	{ "1Ul", 0, 1 },
	{ "7ns", 0, 7, true },
	{ "7us", 0, 7000, true },
	{ "7ms", 0, 7000000, true },
	{ "7s", 0, 7000000000, true },
	{ "7m", 0, 420000000000, true },
	{ "7h", 0, 25200000000000, true },
	{ "7d", 0, 604800000000000, true },
	{ "2e3ms", 0, 2000000000, true },
	{ "0x1d", 0, 29, false },
	{ "213504d", -ERANGE, 0, true },
	{ "", -EINVAL },
	{ "-1", -EINVAL },
	{ "_1", -EINVAL },
	{ "1_", -EINVAL },
	{ "0x", -EINVAL },
	{ "0x_1", -EINVAL },
	{ "0b2", -EINVAL },
	{ "08", -EINVAL },
	{ "1e", -EINVAL },
	{ "1MS", -EINVAL },
	{ "1lu", -EINVAL },
	{ "12abc", -EINVAL },
	{ "1 ", -EINVAL },
	{ "1.5", -EINVAL },
};

Test(num, unsigned_forms)
{
	for (size_t i = 0; i < at_count(numbers); i++) {
		uint64_t v = 0;
		bool duration = false;
		const char *s = numbers[i].text;

		cr_expect_eq(at_num_uint(s, strlen(s), &v, &duration), numbers[i].err, "%s", s);
		if (numbers[i].err)
			continue;
		cr_expect_eq(v, numbers[i].value, "%s", s);
		cr_expect_eq(duration, numbers[i].duration, "%s", s);
	}
}

Test(num, reads_no_further_than_its_length)
{
	uint64_t v;

	cr_assert_eq(at_num_uint("123", 2, &v, NULL), 0);
	cr_assert_eq(v, 12);
}

Test(num, signed_forms)
{
	int64_t v;

	cr_assert_eq(at_num_int("-9223372036854775808", 20, &v, NULL), 0);
	cr_assert_eq(v, INT64_MIN);
	cr_assert_eq(at_num_int("-9223372036854775809", 20, &v, NULL), -ERANGE);
	cr_assert_eq(at_num_int("9223372036854775808", 19, &v, NULL), -ERANGE);
	cr_assert_eq(at_num_int("-5ms", 4, &v, NULL), 0);
	cr_assert_eq(v, -5000000);
	cr_assert_eq(at_num_int("-0", 2, &v, NULL), 0);
	cr_assert_eq(v, 0);
	cr_assert_eq(at_num_int("--1", 3, &v, NULL), -EINVAL);
	cr_assert_eq(at_num_int("-", 1, &v, NULL), -EINVAL);
}

/* ---- Globs ---- */

static const struct {
	const char *pattern, *text;
	bool any_case, matches;
} globs[] = {
	{ "", "", false, true },
	{ "", "a", false, false },
	{ "*", "", false, true },
	{ "*", "abc", false, true },
	{ "**", "abc", false, true },
	{ "abc", "abc", false, true },
	{ "abc", "abcd", false, false },
	{ "abcd", "abc", false, false },
	{ "a*", "abc", false, true },
	{ "*c", "abc", false, true },
	{ "a*c", "ac", false, true },
	{ "a*c", "abbc", false, true },
	{ "a*c", "abcb", false, false },
	{ "*b*", "abc", false, true },
	{ "a*b*c", "aXbXbc", false, true },
	{ "*abab", "abaabab", false, true },
	{ "x-*", "X-Request-Id", false, false },
	{ "x-*", "X-Request-Id", true, true },
	{ "*-ID", "x-request-id", true, true },
	{ "[", "{", true, false }, /* bytes, not letters, that differ by the case bit */
	{ "a?c", "abc", false, false },
};

Test(glob, table)
{
	for (size_t i = 0; i < at_count(globs); i++)
		cr_expect_eq(at_glob(globs[i].pattern, globs[i].text, globs[i].any_case),
			     globs[i].matches, "%s %s", globs[i].pattern, globs[i].text);
}

Test(glob, is)
{
	cr_assert(at_glob_is("a*"));
	cr_assert_not(at_glob_is("a?b"));
	cr_assert_not(at_glob_is(""));
}

Test(glob, many_stars_do_not_explode, .timeout = 10)
{
	char text[4097];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	cr_assert_not(at_glob("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", text, false));
}

/* ---- Diagnostics ---- */

static const char script[] = "begin {\n\tprintf(\"h\xc3\xa9\", x);\n}\n";
static struct at_source source = { "a.bt", script, sizeof(script) - 1 };
static struct at_diags diags;

static void start_diags(void)
{
	start();
	diags = (struct at_diags){ .arena = arena, .source = &source };
}

TestSuite(diag, .init = start_diags, .fini = stop);

static const char *render(size_t i)
{
	return at_diag_render(arena, &source, &diags.list.v[i]);
}

Test(diag, shows_the_line_with_tabs_widened_and_the_range_underlined)
{
	at_diag(&diags, AT_D_SYNTAX, (struct at_range){ 23, 24 }, "no %s", "x");
	at_hint(&diags, "write %d", 1);
	cr_assert_eq(diags.errors, 1);
	cr_assert_str_eq(render(0), "a.bt:2:16-16: ERROR: no x\n"
				    "    printf(\"h\xc3\xa9\", x);\n"
				    "                 ~\n"
				    "HINT: write 1\n");
}

Test(diag, a_range_over_several_lines_is_underlined_in_its_first)
{
	at_diag(&diags, AT_D_SYNTAX, (struct at_range){ 6, 30 }, "block");
	cr_assert_str_eq(render(0), "a.bt:1:7-7: ERROR: block\nbegin {\n      ~\n");
}

Test(diag, the_end_of_the_text_has_a_place)
{
	at_diag(&diags, AT_D_SYNTAX, (struct at_range){ 27, 27 }, "end");
	cr_assert_str_eq(render(0), "a.bt:3:1-1: ERROR: end\n}\n~\n");
	at_diag(&diags, AT_D_SYNTAX, (struct at_range){ 999, 1000 }, "past");
	cr_assert_eq(strncmp(render(1), "a.bt:4:1-1:", 11), 0);
}

Test(diag, without_a_place_there_is_no_line)
{
	at_diag(&diags, AT_D_SCRIPT_EMPTY, (struct at_range){ 0, 0 }, "empty");
	cr_assert_str_eq(render(0), "a.bt: ERROR: empty\n");
	cr_assert_str_eq(at_diag_render(arena, NULL, &diags.list.v[0]), "ERROR: empty\n");
}

Test(diag, places_count_lines_and_bytes_from_one)
{
	struct at_place p = at_source_place(&source, 9);

	cr_assert_eq(p.line, 2);
	cr_assert_eq(p.column, 2);
	cr_assert_eq(p.len, 18);
	p = at_source_place(&source, 0);
	cr_assert_eq(p.line, 1);
	cr_assert_eq(p.column, 1);
}

Test(diag, past_the_limit_they_are_counted_only)
{
	for (int i = 0; i < AT_MAX_DIAGS + 5; i++)
		at_diag(&diags, AT_D_SYNTAX, (struct at_range){ 0, 1 }, "%d", i);
	at_hint(&diags, "of one that was dropped");
	cr_assert_eq(diags.list.n, AT_MAX_DIAGS);
	cr_assert_eq(diags.dropped, 5);
	cr_assert_eq(diags.errors, AT_MAX_DIAGS + 5);
	cr_assert_null(diags.list.v[AT_MAX_DIAGS - 1].hint);
}

Test(diag, tag_names_are_unique)
{
	for (unsigned i = 0; i < AT_D_COUNT; i++)
		for (unsigned k = 0; k < i; k++)
			cr_expect_str_neq(at_tag_name(i), at_tag_name(k));
}
