/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of an attach point cut into its parts: at ':' outside of quotes,
 * quotes removed (`\x` in them is x), an optional "name=" in front dropped.
 * "$1" stays as it is; who knows the parameters replaces it.
 */
#include <ctype.h>
#include <string.h>

#include "frontend/parse.h"

/* Length of "name=" in front of the provider. */
static size_t given_name(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (isalnum((unsigned char)s[i]) || s[i] == '_'))
		i++;
	return i && i < n && s[i] == '=' ? i + 1 : 0;
}

static void check_dollar(struct at_parser *p, uint32_t at, uint32_t end)
{
	const char *text = p->src->text;

	if (at + 1 < end && isdigit((unsigned char)text[at + 1]))
		return;
	at_diag(p->diags, AT_D_BAD_ATTACH_POINT, (struct at_range){ at, at + 1 },
		"found `$`, wanted a positional parameter (`$1`)");
	at_hint(p->diags, "a `$` that is part of a name stands in quotes");
}

/* Copies the part that begins at *at into out; returns the end of what it wrote. */
static char *copy_part(struct at_parser *p, uint32_t *at, uint32_t end, char *out)
{
	const char *text = p->src->text;
	bool quoted = false;
	uint32_t i;

	for (i = *at; i < end && (quoted || text[i] != ':'); i++) {
		if (text[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && text[i] == '\\' && i + 1 < end)
			i++;
		else if (!quoted && text[i] == '$')
			check_dollar(p, i, end);
		*out++ = text[i];
	}
	*at = i;
	return out;
}

struct at_attachpt *at_attachpt_new(struct at_parser *p, struct at_range r)
{
	struct at_attachpt *ap = at_new(p->arena, struct at_attachpt);
	uint32_t at = r.beg + (uint32_t)given_name(at_token_text(p, r), r.end - r.beg);
	char *all = at_alloc(p->arena, r.end - r.beg + 1), *out = all;

	ap->range = r;
	ap->text = all;
	for (;; at++) {
		struct at_range part = { at, at };
		char *from = out;

		out = copy_part(p, &at, r.end, out);
		part.end = at;
		at_vec_push(p->arena, &ap->parts,
			    (const char *)at_strndup(p->arena, from, (size_t)(out - from)));
		at_vec_push(p->arena, &ap->ranges, part);
		if (at >= r.end)
			return ap;
		*out++ = ':';
	}
}
