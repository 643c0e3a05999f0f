/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing what was wanted with what came, line by line. */
#include "tests/case.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool line_matches(const char *want, size_t wn, const char *got, size_t gn)
{
	char *pattern, *line;
	regex_t re;
	bool ok;

	if (wn < 1 || *want != '~')
		return wn == gn && !memcmp(want, got, wn);
	pattern = xrealloc(NULL, wn + 4);
	snprintf(pattern, wn + 4, "^(%.*s)$", (int)wn - 1, want + 1);
	line = xstrndup(got, gn);
	ok = !regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	if (ok) {
		ok = !regexec(&re, line, 0, NULL, 0);
		regfree(&re);
	}
	free(pattern);
	free(line);
	return ok;
}

static bool lines_equal(const char *want, size_t wn, const char *got, size_t gn, bool patterns)
{
	if (patterns)
		return line_matches(want, wn, got, gn);
	return wn == gn && !memcmp(want, got, wn);
}

/* Length of a text without the line breaks at its end. */
static size_t trimmed(const char *s)
{
	size_t n = strlen(s);

	while (n && s[n - 1] == '\n')
		n--;
	return n;
}

unsigned differing_line(const char *want, const char *got, bool patterns)
{
	const char *wend = want + trimmed(want), *gend = got + trimmed(got);

	for (unsigned line = 1;; line++) {
		size_t wn = strcspn(want, "\n"), gn = strcspn(got, "\n");

		if ((want >= wend) != (got >= gend))
			return line;
		if (want >= wend)
			return 0;
		if (!lines_equal(want, wn, got, gn, patterns))
			return line;
		want += wn + (want[wn] == '\n');
		got += gn + (got[gn] == '\n');
	}
}

void print_line(const char *label, const char *text, unsigned n)
{
	while (--n && *text) {
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	if (*text)
		printf("#   %s: %.*s\n", label, (int)strcspn(text, "\n"), text);
	else
		printf("#   %s: (nothing more)\n", label);
}

void print_lines(const char *label, const char *text, unsigned n)
{
	while (n-- && *text) {
		print_line(label, text, 1);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}
