/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Number literals: the one set of rules for scripts, positional parameters,
 * attach points and configuration.
 *
 *	42  0x2a  052  0b101010  1_000_000  1e6  2e3ms
 *
 * then nothing, a C suffix that bounds the value (u l ul ll ull, any case), or
 * a unit of time (ns us ms s m h d), which makes it a duration in nanoseconds.
 */
#ifndef AT_BASE_NUM_H
#define AT_BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0; -EINVAL: no number; -ERANGE: too large. duration (may be NULL): it had a unit of time. */
int at_num_uint(const char *s, size_t n, uint64_t *value, bool *duration);
/* The same with an optional '-' in front. */
int at_num_int(const char *s, size_t n, int64_t *value, bool *duration);

#endif
