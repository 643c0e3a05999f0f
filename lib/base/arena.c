/* SPDX-License-Identifier: Apache-2.0 */
/* The arena: see arena.h for why it reserves once and never fails afterwards. */
#include "lib/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	REGION = 512 << 20,
	OTHERS = 128 << 20, /* what the program must find beside it: LLVM's memory, above all */
	LITTLE = 16 << 20,
	ALIGN = 16,
	PER_BYTE = 128, /* most that one step of a pass takes, for each byte of the script */
};

struct at_arena {
	char *base;
	size_t used, size;
};

struct at_arena *at_arena_sized(size_t size)
{
	struct at_arena *a = malloc(sizeof(*a));

	if (!a)
		return NULL;
	a->used = 0;
	a->size = size;
	a->base = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (a->base == MAP_FAILED) {
		free(a);
		return NULL;
	}
	return a;
}

void at_arena_trim(struct at_arena *a, size_t spare)
{
	size_t page = getpagesize(), keep = (a->used + spare + page - 1) & ~(page - 1);

	if (keep >= a->size || munmap(a->base + keep, a->size - keep))
		return;
	a->size = keep;
}

struct at_arena *at_arena_new(void)
{
	struct at_arena *a = at_arena_sized(REGION + OTHERS);

	if (a)
		at_arena_trim(a, REGION);
	return a ? a : at_arena_sized(LITTLE);
}

void at_arena_free(struct at_arena *a)
{
	if (!a)
		return;
	munmap(a->base, a->size);
	free(a);
}

void *at_alloc(struct at_arena *a, size_t size)
{
	void *p = a->base + a->used;

	a->used += (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	return p;
}

char *at_strndup(struct at_arena *a, const char *s, size_t n)
{
	char *p = at_alloc(a, n + 1);

	memcpy(p, s, n);
	return p;
}

char *at_strdup(struct at_arena *a, const char *s)
{
	return at_strndup(a, s, strlen(s));
}

char *at_vsprintf(struct at_arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p = at_alloc(a, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *at_sprintf(struct at_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = at_vsprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

bool at_arena_low(const struct at_arena *a)
{
	return a->used > a->size / 4 * 3;
}

size_t at_arena_script(const struct at_arena *a)
{
	return a->size / 4 / PER_BYTE;
}

size_t at_arena_mark(const struct at_arena *a)
{
	return a->used;
}

void at_arena_release(struct at_arena *a, size_t mark)
{
	memset(a->base + mark, 0, a->used - mark);
	a->used = mark;
}
