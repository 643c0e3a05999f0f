/* SPDX-License-Identifier: Apache-2.0 */
/* Points in time as text: strftime's conversions in local time, and %f for microseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/run/event.h"

enum { NS = 1000000000, MOST = 64 << 10 };

/* The format with the microseconds in place of %f. */
static void fill_micros(struct at_buf *b, const char *fmt, unsigned micros)
{
	for (const char *p; (p = strchr(fmt, '%')); fmt = p + 2) {
		at_buf_put(b, fmt, p - fmt);
		if (p[1] == 'f')
			at_buf_printf(b, "%06u", micros);
		else
			at_buf_put(b, p, p[1] ? 2 : 1);
		if (!p[1])
			return;
	}
	at_buf_puts(b, fmt);
}

/* strftime gives 0 both for what does not fit and for an empty text: the format gets a mark. */
static void put(struct at_buf *b, struct at_buf *fmt, const struct tm *tm)
{
	size_t n = 0;

	at_buf_put(fmt, ".", 1);
	for (size_t size = fmt->n + 256; !n && !fmt->failed && size <= MOST; size *= 4) {
		char *text = malloc(size);

		if (!text)
			break;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		n = strftime(text, size, fmt->s, tm);
#pragma GCC diagnostic pop
		if (n)
			at_buf_put(b, text, n - 1);
		free(text);
	}
	b->failed |= !n;
}

void at_time_text(struct at_buf *b, const char *fmt, uint64_t ns)
{
	struct at_buf filled = { 0 };
	time_t seconds = ns / NS;
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		return;
	fill_micros(&filled, fmt, ns % NS / 1000);
	put(b, &filled, &tm);
	at_buf_part_free(b, &filled);
}
