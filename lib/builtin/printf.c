/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printf: the format is held against the arguments when the script is
 * compiled; the event carries the arguments, and lib/run/format.c prints them.
 * Numbers are printed in full by their types: %d of a 64-bit number needs no
 * length modifier.
 */
#include <errno.h>
#include <string.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

struct conversion {
	size_t at, len; /* bytes of the format, '%' included */
	char kind;      /* 0: the format ends in it */
};

/* The next conversion at or after `from`; false when there is none. "%%" counts as one. */
static bool next_conversion(const char *fmt, size_t from, struct conversion *out)
{
	const char *start = strchr(fmt + from, '%'), *s;

	if (!start)
		return false;
	s = start + 1;
	s += strspn(s, "-+ #0");
	s += strspn(s, "0123456789");
	if (*s == '.')
		s += 1 + strspn(s + 1, "0123456789");
	s += strspn(s, "hljztL");
	out->kind = *s;
	out->at = start - fmt;
	out->len = s - start + (*s != 0);
	return true;
}

static bool takes_number(const struct at_type *t)
{
	return at_type_is_word(t) && t->kind != AT_T_TIME;
}

static bool takes_int(const struct at_type *t)
{
	return at_type_is_int(t);
}

static bool takes_any(const struct at_type *t)
{
	return t->kind != AT_T_VOID && t->kind != AT_T_AGG;
}

static const struct kind {
	char name;
	bool (*takes)(const struct at_type *t);
	const char *wanted;
} kinds[] = {
	{ 'd', takes_number, "a number" },
	{ 'i', takes_number, "a number" },
	{ 'u', takes_number, "a number" },
	{ 'o', takes_number, "a number" },
	{ 'x', takes_number, "a number" },
	{ 'X', takes_number, "a number" },
	{ 'p', takes_number, "an address or a number" },
	{ 'c', takes_int, "a number" },
	{ 's', takes_any, "a value" },
};

static const struct kind *find_kind(char name)
{
	for (size_t i = 0; i < at_count(kinds); i++)
		if (kinds[i].name == name)
			return &kinds[i];
	return NULL;
}

/* ---- Diagnostics, at the conversion where the script shows it ---- */

static size_t count_percent(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] == '%';
	return count;
}

/* Place of a conversion in the script; the whole string when escapes hide it. */
static struct at_range conversion_range(struct at_check *c, const struct at_node *fmt,
					const char *text, const struct conversion *v)
{
	const struct at_source *s = c->diags->source;
	struct at_range r = fmt->range;
	size_t skip = count_percent(text, v->at);

	if (!s || fmt->kind != AT_N_STRING || r.end > s->len || r.beg > r.end ||
	    count_percent(s->text + r.beg, r.end - r.beg) != count_percent(text, strlen(text)))
		return r;
	for (uint32_t i = r.beg; i < r.end; i++) {
		if (s->text[i] != '%' || skip--)
			continue;
		return (struct at_range){ i, i + v->len < r.end ? i + v->len : r.end };
	}
	return r;
}

static void bad_conversion(struct at_check *c, const struct at_node *fmt, const char *text,
			   const struct conversion *v)
{
	at_diag(c->diags, AT_D_FORMAT, conversion_range(c, fmt, text, v),
		v->kind ? "there is no conversion `%.*s`" : "the format ends within `%.*s`",
		(int)v->len, text + v->at);
	at_hint(c->diags,
		"conversions are %%d %%i %%u %%x %%X %%o %%c %%p %%s, and %%%% for a %%");
}

static bool check_arg(struct at_check *c, const struct at_node *arg, const char *text,
		      const struct conversion *v, const struct kind *k)
{
	if (!arg->type || !at_event_shows(c, arg))
		return false;
	if (k->takes(arg->type))
		return true;
	at_diag(c->diags, AT_D_FORMAT_TYPE, arg->range, "%.*s wants %s, this is %s",
		(int)v->len, text + v->at, k->wanted, at_type_text(c->arena, arg->type));
	if (takes_any(arg->type))
		at_hint(c->diags, "%%s shows it");
	return false;
}

static void wrong_count(struct at_check *c, struct at_range range, const struct at_n_call *call,
			size_t wanted)
{
	size_t given = call->args.n - 1;

	at_diag(c->diags, AT_D_FORMAT_ARGS, range,
		"the format has %zu conversion%s, and %zu argument%s %s given", wanted,
		wanted == 1 ? "" : "s", given, given == 1 ? "" : "s",
		given == 1 ? "is" : "are");
}

static bool check_format(struct at_check *c, const struct at_n_call *call, const char *text)
{
	const struct at_node *fmt = call->args.v[0];
	struct at_range missing = fmt->range;
	struct conversion v;
	size_t n = 0;
	bool ok = true;

	for (size_t at = 0; next_conversion(text, at, &v); at = v.at + v.len) {
		const struct kind *k = find_kind(v.kind);

		if (v.kind == '%')
			continue;
		if (!k) {
			bad_conversion(c, fmt, text, &v);
			return false;
		}
		if (n + 1 < call->args.n)
			ok = check_arg(c, call->args.v[n + 1], text, &v, k) && ok;
		else if (n + 1 == call->args.n)
			missing = conversion_range(c, fmt, text, &v);
		n++;
	}
	if (n + 1 == call->args.n)
		return ok;
	wrong_count(c,
		    n + 1 > call->args.n ? missing
					 : at_join(call->args.v[n + 1]->range,
						   call->args.v[call->args.n - 1]->range),
		    call, n);
	return false;
}

static const struct at_type *check_printf(struct at_check *c, struct at_n_call *call)
{
	const char *text = at_fold_string(call->args.v[0]);

	return check_format(c, call, text) ? &at_type_void : NULL;
}

static struct at_val lower_printf(struct at_lower *lw, struct at_n_call *call)
{
	struct at_plan_event e = { .text = at_fold_string(call->args.v[0]), .map = -1 };

	at_event_send(lw, call, &e, 1);
	return at_word(&at_type_void, NULL);
}

static int event_printf(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	struct at_buf b = { 0 };

	at_format(&b, e->text, e->args, payload);
	return at_event_text(r, "printf", &b);
}

const struct at_func at_func_printf = {
	.name = "printf",
	.proto = "void printf(lit-string format, value ...)",
	.flags = AT_F_ASYNC,
	.brief = "print by a format, as in C",
	.check = check_printf,
	.lower = lower_printf,
	.event = event_printf,
};
