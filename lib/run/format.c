/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf over a payload. The conversions were checked against the types when
 * the script was compiled; numbers are printed in full by their types, whatever
 * the length modifier says.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run/event.h"

struct conversion {
	char flags[8]; /* a subset of "-+ #0" */
	int width, precision; /* -1: none */
	char kind;     /* d u x s … */
	size_t len;    /* bytes of the format, % included */
};

static int read_number(const char **s)
{
	enum { MOST = 100000 };
	int n = 0;

	while (**s >= '0' && **s <= '9' && n < MOST)
		n = n * 10 + *(*s)++ - '0';
	return n;
}

/* s is after the '%'. kind is 0 at the end of the text. */
static struct conversion parse(const char *s)
{
	struct conversion c = { .width = -1, .precision = -1 };
	const char *from = s;
	size_t n = 0;

	for (; *s && strchr("-+ #0", *s); s++)
		if (!strchr(c.flags, *s) && n < sizeof(c.flags) - 1)
			c.flags[n++] = *s;
	if (*s >= '1' && *s <= '9')
		c.width = read_number(&s);
	if (*s == '.') {
		s++;
		c.precision = read_number(&s);
	}
	while (*s && strchr("hljztL", *s))
		s++;
	c.kind = *s;
	c.len = s - from + 1 + (*s != 0);
	return c;
}

/* "%", flags, width, precision, and what follows. */
static void make_spec(char *spec, size_t size, const struct conversion *c, const char *tail)
{
	char width[16] = "", precision[16] = "";

	if (c->width >= 0)
		snprintf(width, sizeof(width), "%d", c->width);
	if (c->precision >= 0)
		snprintf(precision, sizeof(precision), ".%d", c->precision);
	snprintf(spec, size, "%%%s%s%s%s", c->flags, width, precision, tail);
}

static void put_text(struct at_buf *b, const struct conversion *c, const struct at_type *t,
		     const void *bytes)
{
	struct at_buf text = { 0 };
	char spec[64];

	at_value_text(&text, t, bytes);
	make_spec(spec, sizeof(spec), c, "s");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (c->width < 0 && c->precision < 0)
		at_buf_put(b, text.s ? text.s : "", text.n);
	else
		at_buf_printf(b, spec, text.s ? text.s : "");
#pragma GCC diagnostic pop
	at_buf_part_free(b, &text);
}

/* The bits of a number as wide as its type. */
static uint64_t bits_of(const struct at_type *t, int64_t v)
{
	return t->size < 8 ? (uint64_t)v & ((1ull << t->size * 8) - 1) : (uint64_t)v;
}

static void put_number(struct at_buf *b, const struct conversion *c, const struct at_type *t,
		       const void *bytes)
{
	int64_t v = at_value_word(t, bytes);
	char spec[64], tail[8] = "ll?";

	tail[2] = c->kind == 'p' ? 'x' : c->kind == 'i' ? 'd' : c->kind;
	if (tail[2] == 'd' && !t->sign)
		tail[2] = 'u';
	make_spec(spec, sizeof(spec), c, tail);
	if (c->kind == 'p')
		at_buf_puts(b, "0x");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (tail[2] == 'd')
		at_buf_printf(b, spec, (long long)v);
	else
		at_buf_printf(b, spec, (unsigned long long)bits_of(t, v));
#pragma GCC diagnostic pop
}

static void put_char(struct at_buf *b, const struct conversion *c, const struct at_type *t,
		     const void *bytes)
{
	char one = at_value_word(t, bytes);

	for (int pad = c->width; pad > 1 && !strchr(c->flags, '-'); pad--)
		at_buf_put(b, " ", 1);
	at_buf_put(b, &one, 1);
	for (int pad = c->width; pad > 1 && strchr(c->flags, '-'); pad--)
		at_buf_put(b, " ", 1);
}

static void put_arg(struct at_buf *b, const struct conversion *c, const struct at_type *t,
		    const void *bytes)
{
	if (c->kind == 's' || !at_type_is_word(t))
		put_text(b, c, t, bytes);
	else if (c->kind == 'c')
		put_char(b, c, t, bytes);
	else
		put_number(b, c, t, bytes);
}

void at_format(struct at_buf *b, const char *fmt, const struct at_type *args, const void *payload)
{
	unsigned next = 0;

	while (*fmt) {
		size_t plain = strcspn(fmt, "%");
		const struct at_type_field *f;
		struct conversion c;

		at_buf_put(b, fmt, plain);
		fmt += plain;
		if (!*fmt)
			break;
		c = parse(fmt + 1);
		if (c.kind == '%') {
			at_buf_put(b, "%", 1);
		} else if (c.kind && args && next < args->nfields) {
			f = &args->fields[next++];
			put_arg(b, &c, f->type, (const char *)payload + f->offset);
		}
		fmt += c.len;
	}
}
