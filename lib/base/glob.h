/* SPDX-License-Identifier: Apache-2.0 */
/* Globs of attach points and searches: '*' matches any run of bytes, the empty one too. */
#ifndef AT_BASE_GLOB_H
#define AT_BASE_GLOB_H

#include <stdbool.h>

bool at_glob_is(const char *pattern); /* has a '*' */
/* Does the whole of s match? any_case: ASCII letters match in either case. */
bool at_glob(const char *pattern, const char *s, bool any_case);

#endif
