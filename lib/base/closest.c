/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance with transpositions, cut off at what is worth suggesting. */
#include "lib/base/closest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { LONGEST = 64 };

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* One row of the matrix from the two before it. */
static void next_row(const unsigned *older, const unsigned *old, unsigned *row, const char *a,
		     size_t i, const char *b, size_t nb)
{
	row[0] = i;
	for (size_t j = 1; j <= nb; j++) {
		row[j] = least(old[j] + 1, row[j - 1] + 1,
			       old[j - 1] + !same(a[i - 1], b[j - 1]));
		if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
		    older[j - 2] + 1 < row[j])
			row[j] = older[j - 2] + 1;
	}
}

static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][LONGEST + 1];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++)
		next_row(rows[(i + 1) % 3], rows[(i - 1) % 3], rows[i % 3], a, i, b, nb);
	return rows[na % 3][nb];
}

void at_closest_offer(struct at_closest *c, const char *known)
{
	size_t na = strlen(c->name), nb = strlen(known);
	unsigned limit = na < 4 ? 1 : na < 8 ? 2 : 3, d;

	if (na > LONGEST || nb > LONGEST)
		return;
	d = edit_distance(c->name, na, known, nb);
	if (d > limit || d >= na || d >= c->distance)
		return;
	c->best = known;
	c->distance = d;
}
