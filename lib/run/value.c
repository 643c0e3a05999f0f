/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as text and as JSON, by their types alone. Text is what bpftrace
 * prints; durations are shown with a unit. JSON is UTF-8 whatever the bytes.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/run/event.h"

int64_t at_value_word(const struct at_type *t, const void *bytes)
{
	int64_t v = 0;

	switch (t->size) {
	case 1:
		return t->sign ? *(const int8_t *)bytes : *(const uint8_t *)bytes;
	case 2:
		memcpy(&v, bytes, 2);
		return t->sign ? (int16_t)v : v;
	case 4:
		memcpy(&v, bytes, 4);
		return t->sign ? (int32_t)v : v;
	case 8:
		memcpy(&v, bytes, 8);
		return v;
	}
	return 0;
}

/* Three digits and a unit: 999ns, 1.23us, 12.3ms, 123s. */
void at_duration_text(struct at_buf *b, int64_t ns, bool sign)
{
	static const struct {
		double ns;
		const char *unit;
	} units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "us" } };
	bool negative = sign && ns < 0;
	uint64_t size = negative ? 0 - (uint64_t)ns : (uint64_t)ns;

	if (negative)
		at_buf_put(b, "-", 1);
	for (size_t i = 0; i < at_count(units); i++) {
		double v = size / units[i].ns;

		/* What would round up to the next unit is shown in that one. */
		if (v < 0.9995)
			continue;
		at_buf_printf(b, "%.*f%s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[i].unit);
		return;
	}
	at_buf_printf(b, "%" PRIu64 "ns", size);
}

void at_int_text(struct at_buf *b, const struct at_type *t, int64_t v)
{
	if (t && t->unit == AT_UNIT_NS)
		at_duration_text(b, v, t->sign);
	else if (t && !t->sign)
		at_buf_printf(b, "%" PRIu64, (uint64_t)v);
	else
		at_buf_printf(b, "%" PRId64, v);
}

static const char *enum_name(const struct at_type *t, int64_t v)
{
	for (unsigned i = 0; i < t->nnames; i++)
		if (t->names[i].value == v)
			return t->names[i].name;
	return NULL;
}

static void enum_text(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	int64_t v = at_value_word(t, bytes);
	const char *name = enum_name(t, v);

	if (name)
		at_buf_puts(b, name);
	else
		at_buf_printf(b, "%" PRId64, v);
}

static void inet_text(struct at_buf *b, const void *bytes)
{
	char text[INET6_ADDRSTRLEN] = "";
	uint32_t family;

	memcpy(&family, bytes, sizeof(family));
	if (family == AF_INET || family == AF_INET6)
		inet_ntop(family, (const char *)bytes + 4, text, sizeof(text));
	at_buf_puts(b, text);
}

static void time_text(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	uint64_t ns = at_value_word(t, bytes);

	if (ns)
		at_time_text(b, t->name, ns);
	else
		at_buf_puts(b, "(?)");
}

static unsigned nelems(const struct at_type *t)
{
	return t->elem && t->elem->size ? t->size / t->elem->size : 0;
}

static void put_array(struct at_buf *b, const struct at_type *t, const char *bytes,
		      void (*put)(struct at_buf *b, const struct at_type *t, const void *bytes))
{
	at_buf_put(b, "[", 1);
	for (unsigned i = 0; i < nelems(t); i++) {
		if (i)
			at_buf_put(b, ",", 1);
		put(b, t->elem, bytes + (size_t)i * t->elem->size);
	}
	at_buf_put(b, "]", 1);
}

static void array_text(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	put_array(b, t, bytes, at_value_text);
}

/* Elements of a tuple, without its parentheses. */
void at_elems_text(struct at_buf *b, const struct at_type *t, const void *bytes,
		   const char *between)
{
	for (unsigned i = 0; i < t->nfields; i++) {
		if (i)
			at_buf_puts(b, between);
		at_value_text(b, t->fields[i].type, (const char *)bytes + t->fields[i].offset);
	}
}

static void struct_text(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	at_buf_puts(b, t->nfields ? "{ " : "{");
	for (unsigned i = 0; i < t->nfields; i++) {
		at_buf_printf(b, "%s.%s = ", i ? ", " : "", t->fields[i].name);
		at_value_text(b, t->fields[i].type, bytes + t->fields[i].offset);
	}
	at_buf_puts(b, t->nfields ? " }" : "}");
}

bool at_value_named(const struct at_type *t)
{
	return t->kind == AT_T_TUPLE && t->nfields && t->fields[0].name;
}

static void tuple_text(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	if (at_value_named(t)) {
		struct_text(b, t, bytes);
		return;
	}
	at_buf_put(b, "(", 1);
	at_elems_text(b, t, bytes, ", ");
	at_buf_put(b, ")", 1);
}

void at_value_text(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	switch (t->kind) {
	case AT_T_VOID:
	case AT_T_AGG: /* shown by its view */
		return;
	case AT_T_NONE:
		at_buf_puts(b, "null");
		return;
	case AT_T_BOOL:
		at_buf_puts(b, at_value_word(t, bytes) ? "true" : "false");
		return;
	case AT_T_INT:
		at_int_text(b, t, at_value_word(t, bytes));
		return;
	case AT_T_ENUM:
		enum_text(b, t, bytes);
		return;
	case AT_T_STRING:
		at_buf_put(b, bytes, strnlen(bytes, t->size));
		return;
	case AT_T_TUPLE:
		tuple_text(b, t, bytes);
		return;
	case AT_T_STRUCT:
		struct_text(b, t, bytes);
		return;
	case AT_T_PTR:
		at_buf_printf(b, "0x%" PRIx64, (uint64_t)at_value_word(t, bytes));
		return;
	case AT_T_ARRAY:
		array_text(b, t, bytes);
		return;
	case AT_T_INET:
		inet_text(b, bytes);
		return;
	case AT_T_TIME:
		time_text(b, t, bytes);
		return;
	}
}

/* ---- JSON ---- */

/* A double holds whole numbers up to 2^53; larger ones go as strings. */
void at_json_int(struct at_buf *b, int64_t v, bool sign)
{
	const int64_t most = 1ll << 53;
	bool fits = sign ? v <= most && v >= -most : (uint64_t)v <= (uint64_t)most;
	const char *quote = fits ? "" : "\"";

	if (sign)
		at_buf_printf(b, "%s%" PRId64 "%s", quote, v, quote);
	else
		at_buf_printf(b, "%s%" PRIu64 "%s", quote, (uint64_t)v, quote);
}

/* Bytes of the UTF-8 character at s, or 0 when it is none (RFC 3629, section 4). */
static size_t utf8_len(const unsigned char *s, size_t n)
{
	unsigned low = 0x80, high = 0xbf;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = s[0] >= 0xc2 && s[0] <= 0xdf ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
	      s[0] >= 0xf0 && s[0] <= 0xf4 ? 4 : 0;
	if (!len || len > n)
		return 0;
	if (s[0] == 0xe0 || s[0] == 0xf0)
		low = s[0] == 0xe0 ? 0xa0 : 0x90;
	if (s[0] == 0xed || s[0] == 0xf4)
		high = s[0] == 0xed ? 0x9f : 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

static void put_escaped(struct at_buf *b, unsigned char c)
{
	static const char plain[] = "\"\\\b\f\n\r\t", named[] = "\"\\bfnrt";
	const char *p = memchr(plain, c, sizeof(plain) - 1);

	if (p)
		at_buf_printf(b, "\\%c", named[p - plain]);
	else
		at_buf_printf(b, "\\u%04x", c);
}

void at_json_string(struct at_buf *b, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;

	at_buf_put(b, "\"", 1);
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(s + i, n - i);

		if (!len)
			at_buf_puts(b, "\xef\xbf\xbd"); /* U+FFFD */
		else if (s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] == 0x7f)
			put_escaped(b, s[i]);
		else
			at_buf_put(b, text + i, len);
		i += len ? len : 1;
	}
	at_buf_put(b, "\"", 1);
}

static void json_elems(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	at_buf_put(b, "[", 1);
	for (unsigned i = 0; i < t->nfields; i++) {
		if (i)
			at_buf_put(b, ",", 1);
		at_value_json(b, t->fields[i].type, bytes + t->fields[i].offset);
	}
	at_buf_put(b, "]", 1);
}

static void json_struct(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	at_buf_put(b, "{", 1);
	for (unsigned i = 0; i < t->nfields; i++) {
		if (i)
			at_buf_puts(b, ", ");
		at_json_string(b, t->fields[i].name, strlen(t->fields[i].name));
		at_buf_puts(b, ": ");
		at_value_json(b, t->fields[i].type, bytes + t->fields[i].offset);
	}
	at_buf_put(b, "}", 1);
}

static void json_tuple(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	if (at_value_named(t))
		json_struct(b, t, bytes);
	else
		json_elems(b, t, bytes);
}

static void json_array(struct at_buf *b, const struct at_type *t, const char *bytes)
{
	put_array(b, t, bytes, at_value_json);
}

/* What is shown as text. */
static void json_text(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	struct at_buf text = { 0 };

	at_value_text(&text, t, bytes);
	at_json_string(b, text.s ? text.s : "", text.n);
	at_buf_part_free(b, &text);
}

void at_value_json(struct at_buf *b, const struct at_type *t, const void *bytes)
{
	switch (t->kind) {
	case AT_T_VOID:
	case AT_T_AGG:
	case AT_T_NONE:
		at_buf_puts(b, "null");
		return;
	case AT_T_BOOL:
		at_buf_puts(b, at_value_word(t, bytes) ? "true" : "false");
		return;
	case AT_T_INT:
	case AT_T_ENUM:
	case AT_T_PTR:
		at_json_int(b, at_value_word(t, bytes), t->sign);
		return;
	case AT_T_STRING:
		at_json_string(b, bytes, strnlen(bytes, t->size));
		return;
	case AT_T_TUPLE:
		json_tuple(b, t, bytes);
		return;
	case AT_T_STRUCT:
		json_struct(b, t, bytes);
		return;
	case AT_T_ARRAY:
		json_array(b, t, bytes);
		return;
	case AT_T_INET:
	case AT_T_TIME:
		json_text(b, t, bytes);
		return;
	}
}
