/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types: the common ones, constructors, comparison, names as the language
 * writes them. Strings are whole words (size a multiple of 8, aligned to 8),
 * so that copying and comparing them needs no single bytes.
 */
#include "frontend/type.h"

#include <stdio.h>
#include <string.h>

#include "frontend/lang.h"

#define INT_TYPE(bytes, is_signed)                                                             \
	{                                                                                      \
		.kind = AT_T_INT, .size = (bytes), .align = (bytes), .sign = (is_signed)       \
	}

const struct at_type at_type_void = { .kind = AT_T_VOID };
const struct at_type at_type_none = { .kind = AT_T_NONE, .size = 8, .align = 8 };
const struct at_type at_type_bool = { .kind = AT_T_BOOL, .size = 1, .align = 1 };
const struct at_type at_type_inet = { .kind = AT_T_INET, .size = 20, .align = 4 };
const struct at_type at_type_int8 = INT_TYPE(1, true);
const struct at_type at_type_int16 = INT_TYPE(2, true);
const struct at_type at_type_int32 = INT_TYPE(4, true);
const struct at_type at_type_int64 = INT_TYPE(8, true);
const struct at_type at_type_uint8 = INT_TYPE(1, false);
const struct at_type at_type_uint16 = INT_TYPE(2, false);
const struct at_type at_type_uint32 = INT_TYPE(4, false);
const struct at_type at_type_uint64 = INT_TYPE(8, false);
const struct at_type at_type_ns = {
	.kind = AT_T_INT,
	.size = 8,
	.align = 8,
	.unit = AT_UNIT_NS,
};

const struct at_type *at_type_int(unsigned size, bool sign)
{
	static const struct at_type *const ints[2][9] = {
		{ [1] = &at_type_uint8,
		  [2] = &at_type_uint16,
		  [4] = &at_type_uint32,
		  [8] = &at_type_uint64 },
		{ [1] = &at_type_int8,
		  [2] = &at_type_int16,
		  [4] = &at_type_int32,
		  [8] = &at_type_int64 },
	};

	return size <= 8 ? ints[sign][size] : NULL;
}

const struct at_type *at_type_string(struct at_arena *a, unsigned size)
{
	struct at_type *t = at_new(a, struct at_type);

	t->kind = AT_T_STRING;
	t->size = size ? (size + 7) & ~7u : 8;
	t->align = 8;
	return t;
}

static unsigned round_up(unsigned n, unsigned align)
{
	return (n + align - 1) / align * align;
}

const struct at_type *at_type_tuple(struct at_arena *a, const struct at_type *const *elems,
				    unsigned n)
{
	struct at_type *t = at_new(a, struct at_type);
	struct at_type_field *fields = at_new_n(a, struct at_type_field, n ? n : 1);

	t->kind = AT_T_TUPLE;
	t->align = 1;
	t->fields = fields;
	t->nfields = n;
	for (unsigned i = 0; i < n; i++) {
		unsigned align = elems[i]->align ? elems[i]->align : 1;

		fields[i].type = elems[i];
		fields[i].offset = round_up(t->size, align);
		t->size = fields[i].offset + elems[i]->size;
		if (align > t->align)
			t->align = align;
	}
	t->size = round_up(t->size, t->align);
	return t;
}

const struct at_type_field *at_type_field(const struct at_type *t, const char *name)
{
	for (unsigned i = 0; i < t->nfields; i++)
		if (t->fields[i].name && strcmp(t->fields[i].name, name) == 0)
			return &t->fields[i];
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_fields(const struct at_type *a, const struct at_type *b)
{
	if (a->nfields != b->nfields)
		return false;
	for (unsigned i = 0; i < a->nfields; i++)
		if (!same_text(a->fields[i].name, b->fields[i].name) ||
		    a->fields[i].offset != b->fields[i].offset ||
		    !at_type_equal(a->fields[i].type, b->fields[i].type))
			return false;
	return true;
}

static bool same_agg(const struct at_type *a, const struct at_type *b)
{
	return a->func == b->func && a->nargs == b->nargs &&
	       (!a->nargs || memcmp(a->args, b->args, a->nargs * sizeof(*a->args)) == 0);
}

static bool same_far(const struct at_type *a, const struct at_type *b)
{
	return same_text(a->name, b->name) && (a->id == b->id || !a->id || !b->id);
}

bool at_type_equal(const struct at_type *a, const struct at_type *b)
{
	if (a == b)
		return true;
	if (a && b && a->far && b->far)
		return same_far(a, b);
	if (!a || !b || a->kind != b->kind || a->size != b->size || a->sign != b->sign ||
	    a->unit != b->unit || !same_text(a->name, b->name))
		return false;
	if (!a->elem != !b->elem || (a->elem && !at_type_equal(a->elem, b->elem)))
		return false;
	return same_fields(a, b) && same_agg(a, b);
}

static bool flexible(const struct at_type *t)
{
	return t->kind == AT_T_INT && t->literal;
}

bool at_type_signed_pair(const struct at_type *a, const struct at_type *b)
{
	if (flexible(a) && !flexible(b))
		return b->sign || (a->sign && b->kind == AT_T_BOOL);
	if (flexible(b) && !flexible(a))
		return a->sign || (b->sign && a->kind == AT_T_BOOL);
	if (flexible(a) &&
	    flexible(b)) /* written numbers are not negative, some need 64 bits */
		return a->sign && b->sign;
	return a->sign || b->sign;
}

static const char *int_text(struct at_arena *a, const struct at_type *t)
{
	if (t->unit == AT_UNIT_NS && t->size == 8)
		return t->sign ? "int64 ns" : "ns";
	return at_sprintf(a, "%sint%u", t->sign ? "" : "u", t->size * 8);
}

static const char *tuple_text(struct at_arena *a, const struct at_type *t)
{
	const char *s = "(";

	for (unsigned i = 0; i < t->nfields; i++)
		s = at_sprintf(a, "%s%s%s%s%s", s, i ? "," : "",
			       t->fields[i].name ? t->fields[i].name : "",
			       t->fields[i].name ? "=" : "",
			       at_type_text(a, t->fields[i].type));
	return at_sprintf(a, "%s)", s);
}

const char *at_type_text(struct at_arena *a, const struct at_type *t)
{
	if (!t)
		return "?";
	switch (t->kind) {
	case AT_T_VOID:
		return "void";
	case AT_T_NONE:
		return "none";
	case AT_T_BOOL:
		return "bool";
	case AT_T_INT:
		return int_text(a, t);
	case AT_T_ENUM:
		return t->name ? at_sprintf(a, "enum %s", t->name) : "enum";
	case AT_T_STRING:
		return at_sprintf(a, "string[%u]", t->size);
	case AT_T_TUPLE:
		return tuple_text(a, t);
	case AT_T_STRUCT:
		return t->name ? at_sprintf(a, "struct %s", t->name) : tuple_text(a, t);
	case AT_T_PTR:
		return at_sprintf(a, "%s *", t->elem ? at_type_text(a, t->elem) : "void");
	case AT_T_ARRAY:
		return at_sprintf(a, "%s[%u]", at_type_text(a, t->elem),
				  t->elem && t->elem->size ? t->size / t->elem->size : 0);
	case AT_T_INET:
		return "inet";
	case AT_T_TIME:
		return at_sprintf(a, "time(\"%s\")", t->name);
	case AT_T_AGG:
		return at_sprintf(a, "%s_t", t->func ? t->func->name : "agg");
	}
	return "?";
}
