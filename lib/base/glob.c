/* SPDX-License-Identifier: Apache-2.0 */
/* Glob matching; time at most the product of both lengths, no recursion. */
#include "lib/base/glob.h"

#include <stddef.h>
#include <string.h>

static char fold(char c, bool any_case)
{
	return any_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

bool at_glob_is(const char *pattern)
{
	return strchr(pattern, '*');
}

bool at_glob(const char *pattern, const char *s, bool any_case)
{
	const char *star = NULL, *retry = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = s;
		} else if (*pattern && fold(*pattern, any_case) == fold(*s, any_case)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star; /* let the last star take one byte more */
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}
