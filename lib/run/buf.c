/* SPDX-License-Identifier: Apache-2.0 */
/* A growing text, always ended with NUL. Without memory the rest is dropped and `failed` says so. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run/event.h"

static bool reserve(struct at_buf *b, size_t more)
{
	size_t cap = b->cap ? b->cap : 128;
	char *s;

	if (b->failed || more >= SIZE_MAX / 2 - b->n)
		return false;
	if (b->n + more + 1 <= b->cap)
		return true;
	while (cap < b->n + more + 1)
		cap *= 2;
	s = realloc(b->s, cap);
	b->failed = !s;
	if (!s)
		return false;
	b->s = s;
	b->cap = cap;
	return true;
}

void at_buf_put(struct at_buf *b, const char *s, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n)
		memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = 0;
}

void at_buf_puts(struct at_buf *b, const char *s)
{
	at_buf_put(b, s, strlen(s));
}

void at_buf_printf(struct at_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->s + b->n, n + 1, fmt, ap);
	va_end(ap);
	b->n += n;
}

void at_buf_part_free(struct at_buf *b, struct at_buf *part)
{
	b->failed |= part->failed;
	at_buf_free(part);
}

void at_buf_free(struct at_buf *b)
{
	free(b->s);
	memset(b, 0, sizeof(*b));
}
