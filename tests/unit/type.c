/* SPDX-License-Identifier: Apache-2.0 */
/* Types: layout, comparison, names; and the closest of known names. */
#include <criterion/criterion.h>

#include "frontend/type.h"
#include "lib/base/closest.h"

static struct at_arena *arena;

static void set_up(void)
{
	arena = at_arena_new();
}

static void tear_down(void)
{
	at_arena_free(arena);
}

TestSuite(type, .init = set_up, .fini = tear_down);

Test(type, strings_are_whole_words)
{
	cr_assert_eq(at_type_string(arena, 1)->size, 8);
	cr_assert_eq(at_type_string(arena, 8)->size, 8);
	cr_assert_eq(at_type_string(arena, 9)->size, 16);
	cr_assert_eq(at_type_string(arena, 9)->align, 8);
}

Test(type, tuples_have_natural_alignment)
{
	const struct at_type *elems[] = { &at_type_bool, &at_type_uint32, &at_type_uint8,
					  at_type_string(arena, 16) };
	const struct at_type *t = at_type_tuple(arena, elems, 4);

	cr_assert_eq(t->fields[1].offset, 4);
	cr_assert_eq(t->fields[2].offset, 8);
	cr_assert_eq(t->fields[3].offset, 16);
	cr_assert_eq(t->size, 32);
	cr_assert_str_eq(at_type_text(arena, t), "(bool,uint32,uint8,string[16])");
	cr_assert_eq(at_type_tuple(arena, elems, 0)->size, 0);
}

Test(type, equal_by_what_they_are)
{
	const struct at_type *a[] = { &at_type_int64, at_type_string(arena, 16) };
	const struct at_type *b[] = { at_type_int(8, true), at_type_string(arena, 16) };
	const struct at_type *c[] = { &at_type_uint64, at_type_string(arena, 16) };

	cr_assert(at_type_equal(at_type_tuple(arena, a, 2), at_type_tuple(arena, b, 2)));
	cr_assert_not(at_type_equal(at_type_tuple(arena, a, 2), at_type_tuple(arena, c, 2)));
	cr_assert_not(at_type_equal(at_type_tuple(arena, a, 2), at_type_tuple(arena, a, 1)));
	cr_assert_not(at_type_equal(&at_type_uint64, &at_type_ns));
}

Test(type, literals_take_the_sign_of_the_other)
{
	struct at_type literal = at_type_int64, large = at_type_uint64;

	literal.literal = large.literal = true;
	cr_assert_not(at_type_signed_pair(&literal, &at_type_uint64));
	cr_assert(at_type_signed_pair(&at_type_int64, &literal));
	cr_assert(at_type_signed_pair(&literal, &literal));
	cr_assert_not(at_type_signed_pair(&large, &literal));
	cr_assert(at_type_signed_pair(&at_type_uint64, &at_type_int64));
}

Test(type, closest_name)
{
	static const char *const known[] = { "printf", "print", "count", "args" };
	static const struct {
		const char *written, *best;
	} cases[] = {
		{ "prinft", "printf" }, { "prnt", "print" }, { "cuont", "count" },
		{ "ARGS", "args" },     { "sum", NULL },     { "completely", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct at_closest c = at_closest_to(cases[i].written);

		for (size_t j = 0; j < sizeof(known) / sizeof(known[0]); j++)
			at_closest_offer(&c, known[j]);
		if (cases[i].best)
			cr_assert_str_eq(c.best ? c.best : "(none)", cases[i].best);
		else
			cr_assert_null(c.best, "%s: %s", cases[i].written, c.best);
	}
}
