/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the description of a tracepoint's record. Its lines are
 *
 *	field:C DECLARATION;	offset:N;	size:N;	signed:N;
 *
 * Types come from the declaration and the size: arrays of char are strings,
 * pointers addresses, what is 1, 2, 4 or 8 bytes long a number, the rest bytes.
 */
#include "lib/probe/tpformat.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
	char *decl; /* "unsigned int" (marks of places taken away) */
	char *name;
	char *dims; /* "16", "" ([]), or NULL: no array */
	unsigned offset, size;
	int sign;
	enum at_tp_place place;
};

/* ---- A line ---- */

static char *last_word(char *s)
{
	char *end = s + strlen(s);

	while (end > s && (isalnum((unsigned char)end[-1]) || end[-1] == '_'))
		end--;
	return end;
}

static void trim(char *s)
{
	size_t n = strlen(s);

	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = 0;
}

static char *skip_mark(char *decl, const char *mark, enum at_tp_place place, struct line *l)
{
	size_t n = strlen(mark);

	if (strncmp(decl, mark, n) || decl[n] != ' ')
		return decl;
	l->place = place;
	return decl + n + 1;
}

/* "TYPE NAME", "TYPE NAME[N]", "__data_loc TYPE[] NAME" */
static bool read_decl(char *decl, struct line *l)
{
	char *open;

	decl = skip_mark(decl, "__data_loc", AT_TP_DATA_LOC, l);
	decl = skip_mark(decl, "__rel_loc", AT_TP_REL_DATA_LOC, l);
	open = strchr(decl, '[');
	if (open) {
		char *close = strchr(open, ']');

		if (!close)
			return false;
		*open = *close = 0;
		l->dims = open + 1;
		l->name = close + 1 + strspn(close + 1, " ");
	}
	trim(decl);
	if (!open || !*l->name || *l->name == '[')
		l->name = last_word(decl);
	if (!*l->name)
		return false;
	if (l->name > decl && l->name < decl + strlen(decl)) {
		/* the name ends the declaration: cut it off */
		if (l->name[-1] == ' ')
			l->name[-1] = 0;
	}
	l->decl = decl;
	return true;
}

/* The text is the caller's copy and is cut up. */
static bool read_line(char *s, struct line *l)
{
	char *decl = strstr(s, "field:"), *rest;

	memset(l, 0, sizeof(*l));
	rest = decl ? strchr(decl, ';') : NULL;
	if (!rest)
		return false;
	*rest++ = 0;
	if (sscanf(rest, " offset:%u; size:%u; signed:%d", &l->offset, &l->size, &l->sign) != 3)
		return false;
	return read_decl(decl + strlen("field:"), l);
}

/* ---- Types ---- */

static bool is_char(const char *decl)
{
	return !strcmp(decl, "char") || !strcmp(decl, "const char");
}

static bool is_pointer(const char *decl)
{
	return strchr(decl, '*') != NULL;
}

static bool number_size(unsigned n)
{
	return n == 1 || n == 2 || n == 4 || n == 8;
}

/* System calls keep every argument in a long: its type tells which bytes are it. */
static const struct at_type *narrow(const char *decl, unsigned size)
{
	static const struct {
		const char *name;
		const struct at_type *type;
	} names[] = {
		{ "int", &at_type_int32 },       { "unsigned int", &at_type_uint32 },
		{ "pid_t", &at_type_int32 },     { "uid_t", &at_type_uint32 },
		{ "gid_t", &at_type_uint32 },    { "umode_t", &at_type_uint16 },
		{ "u32", &at_type_uint32 },      { "__u32", &at_type_uint32 },
		{ "uint32_t", &at_type_uint32 }, { "__s32", &at_type_int32 },
		{ "key_t", &at_type_int32 },     { "clockid_t", &at_type_int32 },
	};

	for (size_t i = 0; i < at_count(names); i++)
		if (size > names[i].type->size && !strcmp(names[i].name, decl))
			return names[i].type;
	return NULL;
}

/* "struct NAME *": its fields are looked up in BTF when they are asked for. NULL: another pointer. */
static const struct at_type *struct_of(struct at_arena *a, const char *decl)
{
	const char *name = strstr(decl, "struct "), *star = strchr(decl, '*');
	struct at_type *t;

	if (!name || star[1])
		return NULL;
	name += strlen("struct ");
	t = at_new(a, struct at_type);
	*t = (struct at_type){ .kind = AT_T_STRUCT, .align = 1, .far = true,
			       .name = at_strndup(a, name, strcspn(name, " *")) };
	return t;
}

static const struct at_type *pointer_type(struct at_arena *a, const char *decl)
{
	struct at_type *t = at_new(a, struct at_type);

	t->kind = AT_T_PTR;
	t->size = t->align = 8;
	t->elem = strstr(decl, "char") ? &at_type_int8 : struct_of(a, decl);
	return t;
}

static const struct at_type *array_type(struct at_arena *a, const struct at_type *elem,
					unsigned size)
{
	struct at_type *t = at_new(a, struct at_type);

	t->kind = AT_T_ARRAY;
	t->elem = elem;
	t->size = size / elem->size * elem->size;
	t->align = elem->align;
	return t;
}

/* Elements of "[N]": their size follows from the whole. Names in it are not known. */
static const struct at_type *elem_type(const struct line *l)
{
	unsigned n = atoi(l->dims), size = n ? l->size / n : 1;

	if (!number_size(size))
		return &at_type_uint8;
	return at_type_int(size, l->sign && size > 1);
}

static const struct at_type *number_type(const struct line *l)
{
	const struct at_type *t = narrow(l->decl, l->size);

	if (t)
		return t;
	if (l->size == 1 && !strcmp(l->decl, "bool"))
		return &at_type_bool;
	return at_type_int(l->size, l->sign);
}

static const struct at_type *type_of(struct at_arena *a, const struct line *l,
				     unsigned strlen_max)
{
	if (l->place != AT_TP_INLINE)
		return l->dims && is_char(l->decl) ? at_type_string(a, strlen_max) : NULL;
	if (l->dims && is_char(l->decl))
		return l->size ? at_type_string(a, l->size) : NULL;
	if (l->dims && l->size)
		return array_type(a, elem_type(l), l->size);
	if (is_pointer(l->decl) && l->size == 8)
		return pointer_type(a, l->decl);
	if (number_size(l->size))
		return number_type(l);
	return l->size ? array_type(a, &at_type_uint8, l->size) : NULL;
}

/* ---- The record ---- */

struct record {
	AT_VEC(struct at_type_field) fields;
	AT_VEC(enum at_tp_place) places;
};

static void add_field(struct at_arena *a, struct record *r, const struct line *l,
		      unsigned strlen_max)
{
	struct at_type_field f = {
		.name = l->name,
		.type = type_of(a, l, strlen_max),
		.offset = l->offset,
	};

	if (!f.type || !strncmp(l->name, "common_", 7))
		return;
	f.brief = at_sprintf(a, "%s%s%s%s", l->decl, l->dims ? "[" : "", l->dims ? l->dims : "",
			     l->dims ? "]" : "");
	at_vec_push(a, &r->fields, f);
	at_vec_push(a, &r->places, l->place);
}

struct at_tpformat *at_tpformat_read(struct at_arena *a, const char *name, const char *text,
				     unsigned strlen_max)
{
	struct at_tpformat *out = at_new(a, struct at_tpformat);
	struct at_type *t = at_new(a, struct at_type);
	char *copy = at_strdup(a, text), *save = NULL, *s;
	struct record r = { 0 };
	struct line l;
	bool any = false;

	for (s = strtok_r(copy, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		if (!read_line(s, &l))
			continue;
		any = true;
		add_field(a, &r, &l, strlen_max);
	}
	t->kind = AT_T_STRUCT;
	t->name = at_strdup(a, name);
	t->fields = r.fields.v;
	t->nfields = r.fields.n;
	out->type = t;
	out->places = r.places.v;
	return any ? out : NULL;
}
