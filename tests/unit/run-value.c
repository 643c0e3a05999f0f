/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text and JSON, durations, printf conversions. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "lib/run/event.h"

#define EXPECT_TEXT(b, want)                                                          \
	do {                                                                          \
		cr_expect_str_eq((b)->s ? (b)->s : "", want);                         \
		at_buf_free(b);                                                       \
	} while (0)

static const struct at_type *new_string(struct at_arena *a, unsigned n)
{
	return at_type_string(a, n);
}

Test(buf, grows_and_stays_ended)
{
	struct at_buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		at_buf_printf(&b, "%d,", i);
	cr_expect_eq(b.n, strlen(b.s));
	cr_expect(!strncmp(b.s, "0,1,2,3,", 8));
	at_buf_free(&b);
	at_buf_put(&b, "", 0);
	EXPECT_TEXT(&b, "");
}

Test(value, words_by_size_and_sign)
{
	static const unsigned char bytes[] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	cr_expect_eq(at_value_word(&at_type_int8, bytes), -2);
	cr_expect_eq(at_value_word(&at_type_uint8, bytes), 0xfe);
	cr_expect_eq(at_value_word(&at_type_int16, bytes), -2);
	cr_expect_eq(at_value_word(&at_type_uint16, bytes), 0xfffe);
	cr_expect_eq(at_value_word(&at_type_int32, bytes), -2);
	cr_expect_eq(at_value_word(&at_type_uint32, bytes), 0xfffffffe);
	cr_expect_eq(at_value_word(&at_type_int64, bytes), -2);
}

Test(value, text_of_scalars)
{
	struct at_buf b = { 0 };
	int64_t v = -5;
	bool yes = true;
	uint64_t big = UINT64_MAX;

	at_value_text(&b, &at_type_int64, &v);
	EXPECT_TEXT(&b, "-5");
	at_value_text(&b, &at_type_uint64, &big);
	EXPECT_TEXT(&b, "18446744073709551615");
	at_value_text(&b, &at_type_bool, &yes);
	EXPECT_TEXT(&b, "true");
	at_value_text(&b, &at_type_none, NULL);
	EXPECT_TEXT(&b, "null");
}

Test(value, enums_by_name_or_number)
{
	static const struct at_enum_name names[] = { { 0, "complete" }, { 1, "reset" } };
	static const struct at_type t = { .kind = AT_T_ENUM, .size = 4, .align = 4, .names = names,
					  .nnames = 2 };
	struct at_buf b = { 0 };
	uint32_t v = 1;

	at_value_text(&b, &t, &v);
	EXPECT_TEXT(&b, "reset");
	at_value_json(&b, &t, &v);
	EXPECT_TEXT(&b, "1");
	v = 7;
	at_value_text(&b, &t, &v);
	EXPECT_TEXT(&b, "7");
}

Test(value, tuples_nest)
{
	struct at_arena *a = at_arena_new();
	const struct at_type *in[] = { &at_type_uint32, new_string(a, 16) };
	const struct at_type *inner = at_type_tuple(a, in, 2);
	const struct at_type *out[] = { inner, &at_type_int64 };
	const struct at_type *t = at_type_tuple(a, out, 2);
	char bytes[64] = { 0 };
	struct at_buf b = { 0 };
	uint32_t n = 7;
	int64_t m = -1;

	memcpy(bytes + inner->fields[0].offset, &n, 4);
	strcpy(bytes + inner->fields[1].offset, "a \"b\"");
	memcpy(bytes + t->fields[1].offset, &m, 8);
	at_value_text(&b, t, bytes);
	EXPECT_TEXT(&b, "((7, a \"b\"), -1)");
	at_value_json(&b, t, bytes);
	EXPECT_TEXT(&b, "[[7,\"a \\\"b\\\"\"],-1]");
	at_elems_text(&b, t, bytes, ",");
	EXPECT_TEXT(&b, "(7, a \"b\"),-1");
	at_arena_free(a);
}

Test(value, addresses)
{
	unsigned char bytes[20] = { 0 };
	uint32_t family = AF_INET;
	struct at_buf b = { 0 };

	at_value_text(&b, &at_type_inet, bytes);
	EXPECT_TEXT(&b, "");
	memcpy(bytes, &family, 4);
	memcpy(bytes + 4, "\x7f\0\0\1", 4);
	at_value_text(&b, &at_type_inet, bytes);
	EXPECT_TEXT(&b, "127.0.0.1");
	family = AF_INET6;
	memcpy(bytes, &family, 4);
	memset(bytes + 4, 0, 16);
	bytes[19] = 1;
	at_value_json(&b, &at_type_inet, bytes);
	EXPECT_TEXT(&b, "\"::1\"");
}

Test(value, durations_have_three_digits_and_a_unit)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "0ns" }, { 1, "1ns" }, { 999, "999ns" }, { 1000, "1.00us" },
		{ 1234, "1.23us" }, { 9999, "10.0us" }, { 12345, "12.3us" }, { 123456, "123us" },
		{ 999499, "999us" }, { 999600, "1.00ms" }, { 12345678, "12.3ms" },
		{ 1000000000, "1.00s" }, { 61500000000, "61.5s" }, { 5000000000000, "5000s" },
	};

	for (size_t i = 0; i < at_count(rows); i++) {
		struct at_buf b = { 0 };

		at_duration_text(&b, rows[i].ns, true);
		EXPECT_TEXT(&b, rows[i].text);
	}
}

Test(value, durations_may_be_negative)
{
	struct at_buf b = { 0 };

	at_duration_text(&b, -1500, true);
	EXPECT_TEXT(&b, "-1.50us");
	at_value_text(&b, &at_type_ns, &(uint64_t){ 2500000 });
	EXPECT_TEXT(&b, "2.50ms");
	at_value_json(&b, &at_type_ns, &(uint64_t){ 2500000 });
	EXPECT_TEXT(&b, "2500000");
}

Test(json, large_numbers_are_strings)
{
	struct at_buf b = { 0 };

	at_json_int(&b, 9007199254740992, true);
	EXPECT_TEXT(&b, "9007199254740992");
	at_json_int(&b, 9007199254740993, true);
	EXPECT_TEXT(&b, "\"9007199254740993\"");
	at_json_int(&b, -9007199254740993, true);
	EXPECT_TEXT(&b, "\"-9007199254740993\"");
	at_json_int(&b, -1, false);
	EXPECT_TEXT(&b, "\"18446744073709551615\"");
}

Test(json, strings_are_utf8_whatever_the_bytes)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain", "\"plain\"" },
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "\n\r\t\x01\x7f", "\"\\n\\r\\t\\u0001\\u007f\"" },
		{ "\xc3\xa9t\xc3\xa9", "\"\xc3\xa9t\xc3\xa9\"" },
		{ "\xe2\x82\xac \xf0\x9f\x98\x80", "\"\xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
		{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },         /* overlong */
		{ "\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
		{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
		{ "\xc3", "\"\xef\xbf\xbd\"" },                         /* cut */
		{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	};

	for (size_t i = 0; i < at_count(rows); i++) {
		struct at_buf b = { 0 };

		at_json_string(&b, rows[i].in, strlen(rows[i].in));
		EXPECT_TEXT(&b, rows[i].out);
	}
}

/* ---- printf ---- */

static void format_one(struct at_buf *b, const char *fmt, const struct at_type *t, const void *v)
{
	const struct at_type_field f = { .type = t };
	const struct at_type args = { .kind = AT_T_TUPLE, .fields = &f, .nfields = 1 };

	at_format(b, fmt, &args, v);
}

Test(format, numbers)
{
	static const struct {
		const char *fmt;
		const struct at_type *t;
		int64_t v;
		const char *out;
	} rows[] = {
		{ "%d", &at_type_int64, -5000000000, "-5000000000" },
		{ "%d", &at_type_uint64, -1, "18446744073709551615" },
		{ "%lld|", &at_type_int64, 3, "3|" },
		{ "%hhd", &at_type_int64, 300, "300" },
		{ "%5d|%%", &at_type_int64, 42, "   42|%" },
		{ "%-5d|", &at_type_int64, 42, "42   |" },
		{ "%05d", &at_type_int64, -42, "-0042" },
		{ "%+d", &at_type_int64, 42, "+42" },
		{ "%x", &at_type_int32, -1, "ffffffff" },
		{ "%#x", &at_type_uint64, 255, "0xff" },
		{ "%X", &at_type_uint64, 255, "FF" },
		{ "%o", &at_type_uint64, 8, "10" },
		{ "%u", &at_type_int32, -1, "4294967295" },
		{ "%p", &at_type_uint64, 0x1234, "0x1234" },
		{ "%c", &at_type_int8, 'A', "A" },
		{ "%3c|", &at_type_int8, 'A', "  A|" },
		{ "%-3c|", &at_type_int8, 'A', "A  |" },
		{ "%s", &at_type_int64, 7, "7" },
		{ "%6s|", &at_type_ns, 1500, "1.50us|" },
		{ "%.2d", &at_type_int64, 7, "07" },
		{ "no conversion", &at_type_int64, 7, "no conversion" },
		{ "100%", &at_type_int64, 7, "100" },
	};

	for (size_t i = 0; i < at_count(rows); i++) {
		struct at_buf b = { 0 };

		format_one(&b, rows[i].fmt, rows[i].t, &rows[i].v);
		cr_expect_str_eq(b.s ? b.s : "", rows[i].out, "%s gives %s, wanted %s",
				 rows[i].fmt, b.s, rows[i].out);
		at_buf_free(&b);
	}
}

Test(format, strings)
{
	struct at_arena *a = at_arena_new();
	char bytes[16] = "hello";
	struct at_buf b = { 0 };

	format_one(&b, "[%s]", new_string(a, 16), bytes);
	EXPECT_TEXT(&b, "[hello]");
	format_one(&b, "[%-8s]", new_string(a, 16), bytes);
	EXPECT_TEXT(&b, "[hello   ]");
	format_one(&b, "[%8.2s]", new_string(a, 16), bytes);
	EXPECT_TEXT(&b, "[      he]");
	memset(bytes, 'x', sizeof(bytes)); /* not ended */
	format_one(&b, "%s", new_string(a, 16), bytes);
	EXPECT_TEXT(&b, "xxxxxxxxxxxxxxxx");
	at_arena_free(a);
}

Test(format, an_argument_too_few_ends_quietly)
{
	struct at_buf b = { 0 };

	format_one(&b, "%d %d", &at_type_int64, &(int64_t){ 1 });
	EXPECT_TEXT(&b, "1 ");
	at_format(&b, "%d", NULL, NULL);
	EXPECT_TEXT(&b, "");
}
