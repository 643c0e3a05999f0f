/* SPDX-License-Identifier: Apache-2.0 */
/* Case files: reading, and writing back as they were but for what changed. */
#include "tests/case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xrealloc(void *p, size_t size)
{
	p = realloc(p, size ? size : 1);
	if (!p) {
		fprintf(stderr, "case-runner: out of memory\n");
		exit(2);
	}
	return p;
}

char *xstrndup(const char *s, size_t n)
{
	char *p = xrealloc(NULL, n + 1);

	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

static char *read_all(const char *path)
{
	size_t n = 0, got;
	char *text = NULL;
	FILE *f = fopen(path, "r");

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return NULL;
	}
	do {
		text = xrealloc(text, n + 65537);
		got = fread(text + n, 1, 65536, f);
		n += got;
	} while (got);
	text[n] = 0;
	fclose(f);
	return text;
}

static bool starts(const char *line, const char *mark)
{
	return !strncmp(line, mark, strlen(mark));
}

static const char *next_line(const char *s)
{
	const char *nl = strchr(s, '\n');

	return nl ? nl + 1 : s + strlen(s);
}

/* Where the text that begins at s ends: at a "===" or, in a case, a "---" line. */
static const char *text_end(const char *s, bool in_case, unsigned *line)
{
	while (*s && !starts(s, "=== ") && !(in_case && starts(s, "--- "))) {
		s = next_line(s);
		(*line)++;
	}
	return s;
}

static void section_set(struct section *s, const char *text, const char *end)
{
	s->blank = 0;
	while (end > text && end[-1] == '\n') {
		end--;
		s->blank++;
	}
	s->text = xstrndup(text, (size_t)(end - text));
	if (*s->text && s->blank)
		s->blank--; /* the line's own */
}

/* "--- name args" */
static const char *read_section(struct testcase *c, const char *s, unsigned *line)
{
	const char *word = s + 4, *eol = s + strcspn(s, "\n"), *end;
	size_t n = strcspn(word, " \n");
	struct section *x;

	c->sections = xrealloc(c->sections, (c->n + 1) * sizeof(*c->sections));
	x = &c->sections[c->n++];
	x->line = (*line)++;
	x->name = xstrndup(word, n);
	word += n + (word + n < eol);
	x->args = xstrndup(word, (size_t)(eol - word));
	s = next_line(s);
	end = text_end(s, true, line);
	section_set(x, s, end);
	return end;
}

static const char *read_case(struct casefile *f, const char *s, unsigned *line)
{
	struct testcase *c;

	f->cases = xrealloc(f->cases, (f->n + 1) * sizeof(*f->cases));
	c = &f->cases[f->n++];
	*c = (struct testcase){ .line = (*line)++ };
	c->name = xstrndup(s + 4, strcspn(s + 4, "\n"));
	s = next_line(s);
	while (starts(s, "--- "))
		s = read_section(c, s, line);
	return s;
}

bool casefile_read(struct casefile *f, const char *path)
{
	char *text = read_all(path);
	unsigned line = 1;
	const char *s;
	bool whole;

	*f = (struct casefile){ .path = path };
	if (!text)
		return false;
	s = text_end(text, false, &line);
	f->head = xstrndup(text, (size_t)(s - text));
	while (starts(s, "=== "))
		s = read_case(f, s, &line);
	whole = !*s;
	if (!whole)
		fprintf(stderr, "%s:%u: wanted a section (--- name) or a case (=== name)\n",
			path, line);
	free(text);
	return whole;
}

bool casefile_write(const struct casefile *f)
{
	FILE *out = fopen(f->path, "w");

	if (!out)
		return false;
	fputs(f->head, out);
	for (size_t i = 0; i < f->n; i++) {
		const struct testcase *c = &f->cases[i];

		fprintf(out, "=== %s\n", c->name);
		for (size_t k = 0; k < c->n; k++) {
			const struct section *s = &c->sections[k];

			fprintf(out, "--- %s%s%s\n%s%s", s->name, *s->args ? " " : "", s->args,
				s->text, *s->text ? "\n" : "");
			for (unsigned b = 0; b < s->blank; b++)
				fputc('\n', out);
		}
	}
	return !fclose(out);
}

void casefile_free(struct casefile *f)
{
	for (size_t i = 0; i < f->n; i++) {
		for (size_t k = 0; k < f->cases[i].n; k++) {
			free(f->cases[i].sections[k].name);
			free(f->cases[i].sections[k].args);
			free(f->cases[i].sections[k].text);
		}
		free(f->cases[i].sections);
		free(f->cases[i].name);
	}
	free(f->cases);
	free(f->head);
}

struct section *case_section(const struct testcase *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->sections[i].name, name))
			return &c->sections[i];
	return NULL;
}

struct bytes {
	char *v;
	size_t n, cap;
};

static void add(struct bytes *b, const char *s, size_t n)
{
	if (b->n + n + 1 > b->cap) {
		b->cap = (b->n + n + 1) * 2;
		b->v = xrealloc(b->v, b->cap);
	}
	memcpy(b->v + b->n, s, n);
	b->n += n;
	b->v[b->n] = 0;
}

static const char *add_escape(struct bytes *b, const char *s);

/* Adds text up to end with its escapes resolved; line breaks of the file are none of the
 * script's. */
static void add_escaped(struct bytes *b, const char *s, const char *end)
{
	while (s < end) {
		if (*s == '\\')
			s = add_escape(b, s + 1);
		else if (*s++ != '\n')
			add(b, s - 1, 1);
	}
}

/* "*N{text}" */
static const char *add_repeated(struct bytes *b, const char *s)
{
	char *brace;
	long n = strtol(s + 1, &brace, 10);
	const char *end = strchr(s, '}');

	if (*brace != '{' || !end)
		return s;
	while (n-- > 0)
		add_escaped(b, brace + 1, end);
	return end + 1;
}

/* s is behind a backslash; adds what is meant and returns what follows. */
static const char *add_escape(struct bytes *b, const char *s)
{
	static const char letters[] = "nt\\", meant[] = "\n\t\\";
	const char *at = *s ? strchr(letters, *s) : NULL;

	if (at) {
		add(b, &meant[at - letters], 1);
		return s + 1;
	}
	if (*s == 'x') {
		char hex[3] = { s[1], s[1] ? s[2] : 0 }, byte = (char)strtol(hex, NULL, 16);

		add(b, &byte, 1);
		return s + 1 + strlen(hex);
	}
	return *s == '*' ? add_repeated(b, s) : s;
}

char *script_text(const struct section *s, size_t *len)
{
	struct bytes b = { 0 };
	const char *t = s->text;

	add(&b, "", 0);
	if (strstr(s->args, "escaped"))
		add_escaped(&b, t, t + strlen(t));
	else
		add(&b, t, strlen(t));
	*len = b.n;
	return b.v;
}
