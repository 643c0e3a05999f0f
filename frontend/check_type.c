/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types in the check: words of 64 bits, what two values have in common, what
 * is kept in variables and maps, and types as the script writes them.
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <string.h>

#define WORD(is_sign, is_literal, its_unit)                                                    \
	{                                                                                      \
		.kind = AT_T_INT, .size = 8, .align = 8, .sign = (is_sign),                    \
		.literal = (is_literal), .unit = (its_unit)                                    \
	}

/* [signed][literal][unit] */
static const struct at_type words[2][2][2] = {
	{ { WORD(false, false, AT_UNIT_NONE), WORD(false, false, AT_UNIT_NS) },
	  { WORD(false, true, AT_UNIT_NONE), WORD(false, true, AT_UNIT_NS) } },
	{ { WORD(true, false, AT_UNIT_NONE), WORD(true, false, AT_UNIT_NS) },
	  { WORD(true, true, AT_UNIT_NONE), WORD(true, true, AT_UNIT_NS) } },
};

const struct at_type *at_check_word(bool sign, bool literal, enum at_unit unit)
{
	return &words[sign][literal][unit];
}

bool at_check_flexible(const struct at_type *t)
{
	return t->kind == AT_T_INT && t->literal;
}

/* ---- Common types ---- */

static enum at_unit common_unit(const struct at_type *a, const struct at_type *b)
{
	if (a->unit == b->unit)
		return a->unit;
	if (at_check_flexible(a) != at_check_flexible(b))
		return at_check_flexible(a) ? b->unit : a->unit;
	return at_check_flexible(a) ? AT_UNIT_NS : AT_UNIT_NONE;
}

static const struct at_type *unify_ints(const struct at_type *a, const struct at_type *b)
{
	if (a->kind == AT_T_BOOL && b->kind == AT_T_BOOL)
		return a;
	if (at_type_equal(a, b) && a->literal == b->literal)
		return a;
	return at_check_word(at_type_signed_pair(a, b),
			     at_check_flexible(a) && at_check_flexible(b), common_unit(a, b));
}

static const struct at_type *unify_tuples(struct at_check *c, const struct at_type *a,
					  const struct at_type *b)
{
	const struct at_type **elems =
		at_new_n(c->arena, const struct at_type *, a->nfields + 1);
	struct at_type *t;
	struct at_type_field *fields;

	if (a->nfields != b->nfields)
		return NULL;
	for (unsigned i = 0; i < a->nfields; i++) {
		const char *an = a->fields[i].name, *bn = b->fields[i].name;

		elems[i] = at_check_unify(c, a->fields[i].type, b->fields[i].type);
		if (!elems[i] || !an != !bn || (an && strcmp(an, bn) != 0))
			return NULL;
	}
	t = (struct at_type *)at_type_tuple(c->arena, elems, a->nfields);
	fields = (struct at_type_field *)t->fields;
	for (unsigned i = 0; i < a->nfields; i++)
		fields[i].name = a->fields[i].name;
	return t;
}

const struct at_type *at_check_unify(struct at_check *c, const struct at_type *a,
				     const struct at_type *b)
{
	if (at_type_is_int(a) && at_type_is_int(b))
		return unify_ints(a, b);
	if (a->kind != b->kind)
		return NULL;
	if (a->kind == AT_T_STRING)
		return a->size >= b->size ? a : b;
	if (a->kind == AT_T_TUPLE)
		return unify_tuples(c, a, b);
	return at_type_equal(a, b) ? a : NULL;
}

const struct at_type *at_check_widen(struct at_check *c, const struct at_type *t)
{
	if (t->kind == AT_T_INT && t->size < 8)
		return at_check_word(t->sign, false, t->unit);
	return t;
}

const struct at_type *at_check_kept(struct at_check *c, const struct at_node *e)
{
	return e->kind == AT_N_CAST ? e->type : at_check_widen(c, e->type);
}

/* ---- Types as written ---- */

static const struct {
	const char *name;
	const struct at_type *type;
} names[] = {
	{ "bool", &at_type_bool },       { "void", &at_type_void },
	{ "int8", &at_type_int8 },       { "int16", &at_type_int16 },
	{ "int32", &at_type_int32 },     { "int64", &at_type_int64 },
	{ "uint8", &at_type_uint8 },     { "uint16", &at_type_uint16 },
	{ "uint32", &at_type_uint32 },   { "uint64", &at_type_uint64 },
	{ "int8_t", &at_type_int8 },     { "int16_t", &at_type_int16 },
	{ "int32_t", &at_type_int32 },   { "int64_t", &at_type_int64 },
	{ "uint8_t", &at_type_uint8 },   { "uint16_t", &at_type_uint16 },
	{ "uint32_t", &at_type_uint32 }, { "uint64_t", &at_type_uint64 },
	{ "char", &at_type_int8 },       { "short", &at_type_int16 },
	{ "int", &at_type_int32 },       { "long", &at_type_int64 },
	{ "size_t", &at_type_uint64 },   { "u8", &at_type_uint8 },
	{ "u16", &at_type_uint16 },      { "u32", &at_type_uint32 },
	{ "u64", &at_type_uint64 },      { "ns", &at_type_ns },
	{ "inet", &at_type_inet },
};

static const struct at_type *named_type(struct at_check *c, const struct at_type_name *t)
{
	struct at_closest best = at_closest_to(t->name);

	for (size_t i = 0; i < at_count(names); i++) {
		if (strcmp(names[i].name, t->name) == 0)
			return names[i].type;
		at_closest_offer(&best, names[i].name);
	}
	at_diag(c->diags, AT_D_UNKNOWN_TYPE, t->range, "there is no type `%s`", t->name);
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
	return NULL;
}

/* struct NAME *, where the kernel has it */
static const struct at_type *struct_pointer(struct at_check *c, const struct at_type_name *t)
{
	struct at_type named = { .kind = AT_T_STRUCT, .name = t->name, .far = true };
	struct at_type *ptr = at_new(c->arena, struct at_type);

	*ptr = (struct at_type){ .kind = AT_T_PTR, .size = 8, .align = 8 };
	ptr->elem = c->lang->kernel_struct ? c->lang->kernel_struct(c, &named) : NULL;
	if (ptr->elem)
		return ptr;
	at_diag(c->diags, AT_D_UNKNOWN_TYPE, t->range, "there is no %s %s in this kernel's BTF",
		t->tag, t->name);
	return NULL;
}

const struct at_type *at_check_type_name(struct at_check *c, const struct at_type_name *t)
{
	const struct at_type *base;
	struct at_type *ptr;

	if (t->tag && t->stars == 1 && !t->dims.n && strcmp(t->tag, "enum") != 0)
		return struct_pointer(c, t);
	if (t->tag || (t->dims.n && strcmp(t->name, "string") != 0)) {
		at_diag(c->diags, AT_D_NOT_YET, t->range, "%s cannot be written as types yet",
			t->tag ? "structs, unions and enums" : "arrays");
		return NULL;
	}
	if (strcmp(t->name, "string") == 0) {
		int64_t n = t->dims.n ? t->dims.v[0] : 0;

		return at_type_string(c->arena, n > 0 && n <= 65536 ? (unsigned)n : 64);
	}
	base = named_type(c, t);
	for (unsigned i = 0; base && i < t->stars; i++) {
		ptr = at_new(c->arena, struct at_type);
		*ptr = (struct at_type){
			.kind = AT_T_PTR, .size = 8, .align = 8, .elem = base
		};
		base = ptr;
	}
	return base;
}
