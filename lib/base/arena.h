/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: the memory of one compilation. One reserved region, handed out from
 * the front, given back whole, or back to a mark. Nothing in it is freed singly.
 *
 * The region is reserved (not committed) when the arena is made, so that is
 * the one place where memory can be refused. at_alloc() never returns NULL as
 * long as the passes ask at_arena_low() once per clause or node they loop over
 * and stop with a diagnostic when it says yes: what one such step takes is
 * bounded by the size of the script, which is bounded by AT_MAX_SCRIPT.
 */
#ifndef AT_BASE_ARENA_H
#define AT_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct at_arena;

/*
 * NULL and errno when the address space is refused. Where memory is not overcommitted the whole
 * region counts as used: then a smaller one is made, which takes smaller scripts.
 */
struct at_arena *at_arena_new(void);
/* The same with a region of that many bytes. */
struct at_arena *at_arena_sized(size_t size);
void at_arena_free(struct at_arena *a);
/* Gives the region back but for what is used and `spare` bytes: nothing large will be asked for. */
void at_arena_trim(struct at_arena *a, size_t spare);
/* The longest script that can be compiled in it without asking at_arena_low() between its parts. */
size_t at_arena_script(const struct at_arena *a);

/* What was handed out after the mark is given back. */
size_t at_arena_mark(const struct at_arena *a);
void at_arena_release(struct at_arena *a, size_t mark);

/* Zeroed, aligned to 16. */
void *at_alloc(struct at_arena *a, size_t size);
#define at_new(a, T) ((T *)at_alloc((a), sizeof(T)))
#define at_new_n(a, T, n) ((T *)at_alloc((a), sizeof(T) * (n)))

char *at_strndup(struct at_arena *a, const char *s, size_t n);
char *at_strdup(struct at_arena *a, const char *s);
char *at_sprintf(struct at_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *at_vsprintf(struct at_arena *a, const char *fmt, va_list ap);

/* Less than a quarter of the region is left: stop with a diagnostic. */
bool at_arena_low(const struct at_arena *a);

#endif
