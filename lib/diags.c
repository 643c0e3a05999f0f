/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle's diagnostics. They are copied from the scripts', since a script that cannot be
 * added is gone when its mistakes are read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/handle.h"

void at_diags_clear(struct apitrace *h)
{
	for (size_t i = 0; i < h->ndiags; i++)
		free((void *)h->diags[i].rendered); /* the first of its texts */
	free(h->diags);
	h->diags = NULL;
	h->ndiags = 0;
}

static void set_place(struct apitrace_diag *out, const struct at_source *src, struct at_range r)
{
	struct at_place from, to;

	if (!src || !r.end)
		return;
	from = at_source_place(src, r.beg);
	to = at_source_place(src, r.end);
	out->line = from.line;
	out->column = from.column;
	out->end_line = to.line;
	out->end_column = to.column;
}

/* Moves the texts into one piece of memory. False: there is none. */
static bool own_texts(struct apitrace_diag *d)
{
	const char **texts[] = { &d->rendered, &d->text, &d->hint, &d->file };
	size_t size = 0;
	char *p;

	for (size_t i = 0; i < at_count(texts); i++)
		size += *texts[i] ? strlen(*texts[i]) + 1 : 0;
	p = malloc(size);
	for (size_t i = 0; p && i < at_count(texts); i++) {
		size_t n = *texts[i] ? strlen(*texts[i]) + 1 : 0;

		if (n)
			*texts[i] = memcpy(p, *texts[i], n);
		p += n;
	}
	return p != NULL;
}

static void keep(struct apitrace *h, const struct at_source *src, const struct at_diag *d)
{
	static const enum apitrace_severity severities[] = {
		[AT_SEV_ERROR] = APITRACE_ERROR,
		[AT_SEV_WARNING] = APITRACE_WARNING,
		[AT_SEV_NOTE] = APITRACE_NOTE,
	};
	struct apitrace_diag one = { .tag = at_tag_name(d->tag),
				     .severity = severities[d->severity],
				     .file = src ? src->name : NULL,
				     .text = d->text,
				     .hint = d->hint },
			     *more;
	struct at_arena *a = h->ndiags < AT_MAX_DIAGS ? at_arena_new() : NULL;

	if (!a) {
		h->untold |= h->ndiags < AT_MAX_DIAGS;
		return;
	}
	set_place(&one, src, d->range);
	one.rendered = at_diag_render(a, src, d);
	more = realloc(h->diags, (h->ndiags + 1) * sizeof(*more));
	if (more)
		h->diags = more;
	if (more && own_texts(&one))
		h->diags[h->ndiags++] = one;
	else
		h->untold = true;
	at_arena_free(a);
}

void at_diags_take(struct apitrace *h, const struct at_diags *d, size_t *told)
{
	const struct at_source *src = d->source && d->source->text ? d->source : NULL;

	for (; *told < d->list.n; (*told)++)
		keep(h, src, &d->list.v[*told]);
}

size_t apitrace_diag_count(const struct apitrace *h)
{
	return h->ndiags;
}

int apitrace_diag_get(const struct apitrace *h, size_t index, struct apitrace_diag *out)
{
	if (index >= h->ndiags)
		return -ENOENT;
	*out = h->diags[index];
	return 0;
}
