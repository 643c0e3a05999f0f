/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics: queueing and rendering. What to report is the callers' business. */
#include "lib/base/diag.h"

#include <stdio.h>
#include <string.h>

enum { TAB = 4 };

static const struct {
	const char *name;
	enum at_severity severity;
} tags[] = {
#define DIAG(tag, name, severity) { name, severity },
#include "lib/base/diag.def"
#undef DIAG
};

static const char *const severities[] = {
	[AT_SEV_ERROR] = "ERROR",
	[AT_SEV_WARNING] = "WARNING",
	[AT_SEV_NOTE] = "NOTE",
};

const char *at_tag_name(enum at_tag tag)
{
	return tags[tag].name;
}

void at_diag(struct at_diags *d, enum at_tag tag, struct at_range range, const char *fmt, ...)
{
	struct at_diag one = { .tag = tag, .severity = tags[tag].severity, .range = range };
	va_list ap;

	if (one.severity == AT_SEV_ERROR)
		d->errors++;
	if (d->list.n >= AT_MAX_DIAGS) {
		d->dropped++;
		return;
	}
	va_start(ap, fmt);
	one.text = at_vsprintf(d->arena, fmt, ap);
	va_end(ap);
	at_vec_push(d->arena, &d->list, one);
}

void at_hint(struct at_diags *d, const char *fmt, ...)
{
	va_list ap;

	if (!d->list.n || d->dropped)
		return;
	va_start(ap, fmt);
	d->list.v[d->list.n - 1].hint = at_vsprintf(d->arena, fmt, ap);
	va_end(ap);
}

struct at_place at_source_place(const struct at_source *s, uint32_t offset)
{
	struct at_place p = { .line = 1, .column = 1, .text = s->text };
	const char *end = s->text + s->len, *nl;

	if (offset > s->len)
		offset = s->len;
	while ((nl = memchr(p.text, '\n', s->text + offset - p.text))) {
		p.text = nl + 1;
		p.line++;
	}
	p.column = s->text + offset - p.text + 1;
	nl = memchr(p.text, '\n', end - p.text);
	p.len = (nl ? nl : end) - p.text;
	return p;
}

/* Copies a source line with tabs widened; bytes that are not printable become '?'. */
static char *put_line(char *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = s[i];

		if (c == '\t') {
			memset(out, ' ', TAB);
			out += TAB;
		} else {
			*out++ = c < ' ' || c == 0x7f ? '?' : c;
		}
	}
	return out;
}

static size_t shown_width(const char *s, size_t n)
{
	size_t w = 0;

	for (size_t i = 0; i < n; i++)
		w += s[i] == '\t' ? TAB : ((unsigned char)s[i] & 0xc0) != 0x80;
	return w;
}

static char *put_underlined(struct at_arena *a, const struct at_place *p, size_t width)
{
	enum { LONGEST = 400 }; /* of a generated one-line script only the start is worth showing */
	size_t len = p->len < LONGEST ? p->len : LONGEST, before = p->column - 1;
	char *buf, *out;

	if (before > len)
		before = len;
	if (width > len - before)
		width = len - before;
	buf = out = at_alloc(a, (len + 1) * TAB * 2 + 8);
	out = put_line(out, p->text, len);
	*out++ = '\n';
	size_t skip = shown_width(p->text, before), mark = shown_width(p->text + before, width);

	memset(out, ' ', skip);
	out += skip;
	memset(out, '~', mark ? mark : 1);
	out += mark ? mark : 1;
	*out++ = '\n';
	*out = 0;
	return buf;
}

char *at_diag_render(struct at_arena *a, const struct at_source *s, const struct at_diag *d)
{
	const char *severity = severities[d->severity];
	const char *hint = d->hint ? at_sprintf(a, "HINT: %s\n", d->hint) : "";
	struct at_place p;
	size_t width;

	if (!s || !s->text || d->range.end == 0)
		return at_sprintf(a, "%s%s%s: %s\n%s", s ? s->name : "", s ? ": " : "", severity,
				  d->text, hint);
	p = at_source_place(s, d->range.beg);
	width = d->range.end - d->range.beg;
	if (width > p.len - (p.column - 1))
		width = p.len - (p.column - 1);
	return at_sprintf(a, "%s:%u:%u-%zu: %s: %s\n%s%s", s->name, p.line, p.column,
			  p.column + (width ? width - 1 : 0), severity, d->text,
			  put_underlined(a, &p, width), hint);
}
