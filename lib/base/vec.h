/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing array in an arena. AT_VEC(T) declares one; a zeroed one is empty.
 * Elements move when it grows: keep indexes, or a vector of pointers.
 */
#ifndef AT_BASE_VEC_H
#define AT_BASE_VEC_H

#include <string.h>

#include "lib/base/arena.h"

#define AT_VEC(T)         \
	struct {          \
		T *v;     \
		size_t n; \
		size_t cap; \
	}

#define at_vec_push(arena, vec, item)                                              \
	do {                                                                       \
		(vec)->v = at_vec_grow((arena), (vec)->v, (vec)->n, &(vec)->cap,   \
				       sizeof(*(vec)->v));                         \
		(vec)->v[(vec)->n++] = (item);                                     \
	} while (0)

static inline void *at_vec_grow(struct at_arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	void *bigger;

	if (n < *cap)
		return v;
	*cap = *cap ? *cap * 2 : 8;
	bigger = at_alloc(a, *cap * size);
	if (n)
		memcpy(bigger, v, n * size);
	return bigger;
}

#define at_count(array) (sizeof(array) / sizeof((array)[0]))

#endif
