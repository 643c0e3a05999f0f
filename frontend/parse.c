/* SPDX-License-Identifier: Apache-2.0 */
/* Text to tree: the limits that hold before anything is parsed, then lexer, token.c, grammar.
 */
#include <string.h>

#include "frontend/parse.h"
#include "frontend/parser.h"

static bool is_control(unsigned char c)
{
	return (c < ' ' && !strchr("\t\n\r\f\v", c)) || c == 0 || c == 0x7f;
}

/* A file that is no text, or no script's size, is refused before its bytes are looked at
 * closely. */
static bool check_limits(struct at_diags *d, const struct at_source *src)
{
	if (src->len > AT_MAX_SCRIPT) {
		at_diag(d, AT_D_SCRIPT_TOO_BIG, (struct at_range){ 0, 0 },
			"the script is larger than %d bytes, the most that is read",
			AT_MAX_SCRIPT);
		return false;
	}
	for (size_t i = 0; i < src->len; i++) {
		if (!is_control((unsigned char)src->text[i]))
			continue;
		at_diag(d, AT_D_SCRIPT_BINARY, (struct at_range){ 0, 0 },
			"this is no script: byte %zu is 0x%02x", i,
			(unsigned char)src->text[i]);
		return false;
	}
	return true;
}

/* Ready for the grammar; false when the text is refused. */
static bool tokenize(struct at_parser *p, struct at_arena *a, struct at_diags *d,
		     const struct at_source *src)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, in front of the text */

	*p = (struct at_parser){ .arena = a, .diags = d, .src = src };
	if (!check_limits(d, src))
		return false;
	if (src->len >= 3 && !memcmp(src->text, mark, 3))
		p->end = 3;
	at_lex(p);
	at_token_refine(p);
	return true;
}

/* The lexer has reported its faults before the grammar's: into the order of the text. */
static void sort_diags(struct at_diags *d, size_t from)
{
	for (size_t i = from + 1; i < d->list.n; i++) {
		struct at_diag one = d->list.v[i];
		size_t k = i;

		for (; k > from && d->list.v[k - 1].range.beg > one.range.beg; k--)
			d->list.v[k] = d->list.v[k - 1];
		d->list.v[k] = one;
	}
}

struct at_script *at_parse(struct at_arena *a, struct at_diags *d, const struct at_source *src)
{
	size_t before = d->list.n, errors = d->errors;
	struct at_parser p;

	if (!tokenize(&p, a, d, src))
		return NULL;
	p.script = at_new(a, struct at_script);
	/* 2: its stack is at its limit, reported by at_yyerror() */
	at_yyparse(&p);
	sort_diags(d, before);
	p.script->broken = d->errors != errors;
	if (p.stopped)
		return NULL; /* the tree may be deeper than passes can walk */
	if (!p.script->clauses.n && !d->errors)
		at_diag(d, AT_D_SCRIPT_EMPTY, (struct at_range){ 0, 0 },
			"the script is empty: there is no probe in it");
	return p.script->clauses.n || p.script->config.n ? p.script : NULL;
}

/* Lines of text put one behind the other. */
struct lines {
	struct at_arena *arena;
	AT_VEC(char) text;
};

static void put(struct lines *l, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at_vec_push(l->arena, &l->text, s[i]);
}

char *at_dump_tokens(struct at_arena *a, struct at_diags *d, const struct at_source *src)
{
	struct lines out = { .arena = a };
	struct at_parser p;

	if (!tokenize(&p, a, d, src))
		return at_strdup(a, "");
	for (size_t i = 0; i + 1 < p.tokens.n; i++) {
		const struct at_token *t = &p.tokens.v[i];
		const char *text = at_token_text(&p, t->range), *name = at_token_name(t->kind);
		size_t n = t->range.end - t->range.beg, m = strlen(name);
		const char *head = at_sprintf(a, "%u-%u ", t->range.beg, t->range.end);

		put(&out, head, strlen(head));
		if (m && (m != n || memcmp(name, text, n))) {
			put(&out, name, m);
			put(&out, " ", 1);
		}
		put(&out, text, n);
		put(&out, "\n", 1);
	}
	put(&out, "", 1);
	return out.text.v;
}
