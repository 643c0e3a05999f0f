/* SPDX-License-Identifier: Apache-2.0 */
/* Number literals: see num.h for the forms. */
#include "lib/base/num.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define NS_PER_S 1000000000ull

static const struct suffix {
	const char *text;
	bool any_case, duration;
	uint64_t factor, max;
} suffixes[] = {
	{ "", false, false, 1, UINT64_MAX },
	{ "u", true, false, 1, UINT32_MAX },
	{ "l", true, false, 1, INT64_MAX },
	{ "ll", true, false, 1, INT64_MAX },
	{ "ul", true, false, 1, UINT64_MAX },
	{ "ull", true, false, 1, UINT64_MAX },
	{ "ns", false, true, 1, UINT64_MAX },
	{ "us", false, true, 1000, UINT64_MAX },
	{ "ms", false, true, 1000000, UINT64_MAX },
	{ "s", false, true, NS_PER_S, UINT64_MAX },
	{ "m", false, true, 60 * NS_PER_S, UINT64_MAX },
	{ "h", false, true, 3600 * NS_PER_S, UINT64_MAX },
	{ "d", false, true, 86400 * NS_PER_S, UINT64_MAX },
};

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/* Digits of the base with '_' between them. -EINVAL without a digit or with a '_' at an end. */
static int read_digits(const char **s, const char *end, int base, uint64_t *value)
{
	const char *p = *s;
	bool over = false;

	*value = 0;
	for (; p < end && (*p == '_' || digit_of(*p) < base); p++) {
		if (*p == '_')
			continue;
		over |= __builtin_mul_overflow(*value, (uint64_t)base, value);
		over |= __builtin_add_overflow(*value, (uint64_t)digit_of(*p), value);
	}
	if (p == *s || **s == '_' || p[-1] == '_')
		return -EINVAL;
	*s = p;
	return over ? -ERANGE : 0;
}

/* "e6" after a decimal coefficient. */
static int read_exponent(const char **s, const char *end, uint64_t *value)
{
	uint64_t exp;
	int err;

	(*s)++;
	err = read_digits(s, end, 10, &exp);
	if (err == -EINVAL)
		return err;
	while (!err && *value && exp--)
		if (__builtin_mul_overflow(*value, 10ull, value))
			err = -ERANGE;
	return err;
}

static int read_base(const char **s, const char *end)
{
	const char *p = *s;

	if (end - p < 2 || *p != '0')
		return 10;
	if (p[1] == 'x' || p[1] == 'X' || p[1] == 'b' || p[1] == 'B') {
		*s += 2;
		return p[1] == 'x' || p[1] == 'X' ? 16 : 2;
	}
	if (p[1] != '_' && digit_of(p[1]) > 9)
		return 10;
	(*s)++;
	return 8;
}

static const struct suffix *find_suffix(const char *s, size_t n)
{
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		const struct suffix *x = &suffixes[i];

		if (strlen(x->text) == n &&
		    !(x->any_case ? strncasecmp(x->text, s, n) : strncmp(x->text, s, n)))
			return x;
	}
	return NULL;
}

int at_num_uint(const char *s, size_t n, uint64_t *value, bool *duration)
{
	const char *end = s + n;
	int base = read_base(&s, end), err = read_digits(&s, end, base, value);
	const struct suffix *x;

	if (err == -EINVAL)
		return err;
	if (base == 10 && s < end && *s == 'e') {
		int again = read_exponent(&s, end, value);

		if (again == -EINVAL)
			return again;
		err = err ? err : again;
	}
	x = find_suffix(s, end - s);
	if (!x)
		return -EINVAL;
	if (duration)
		*duration = x->duration;
	if (err || *value > x->max || __builtin_mul_overflow(*value, x->factor, value))
		return -ERANGE;
	return 0;
}

int at_num_int(const char *s, size_t n, int64_t *value, bool *duration)
{
	bool minus = n && *s == '-';
	uint64_t u;
	int err = at_num_uint(s + minus, n - minus, &u, duration);

	if (err)
		return err;
	if (u > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*value = (int64_t)(minus ? 0 - u : u);
	return 0;
}
