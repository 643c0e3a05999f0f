/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types of the kernel's BTF as types of the language. Structs behind pointers
 * are only named; their fields are looked up when a script asks for one.
 */
#include "lib/probe/btftype.h"

#include <string.h>

#include "lib/base/vec.h"

struct builder {
	struct at_arena *arena;
	const struct at_btf *btf;
};

static const struct at_type *type_of(const struct builder *b, uint32_t id);

/* What follows the header of a type in BTF. */
static const void *tail(const struct btf_type *t)
{
	return t + 1;
}

static const char *name_of(const struct builder *b, const struct btf_type *t)
{
	return at_btf_name(b->btf, t->name_off);
}

/* ---- Numbers ---- */

static const struct at_type *bytes_type(const struct builder *b, unsigned n)
{
	struct at_type *t = at_new(b->arena, struct at_type);

	*t = (struct at_type){
		.kind = AT_T_ARRAY, .size = n, .align = 1, .elem = &at_type_uint8
	};
	return t;
}

static const struct at_type *int_type(const struct builder *b, const struct btf_type *t)
{
	uint32_t encoding = BTF_INT_ENCODING(*(const uint32_t *)tail(t));

	if (encoding & BTF_INT_BOOL && t->size == 1)
		return &at_type_bool;
	if (t->size > 8 || t->size & (t->size - 1))
		return bytes_type(b, t->size);
	return at_type_int(t->size, encoding & BTF_INT_SIGNED);
}

/* ENUM and ENUM64, whose values are two words. */
static const struct at_type *enum_type(const struct builder *b, const struct btf_type *t)
{
	struct at_type *out = at_new(b->arena, struct at_type);
	unsigned n = BTF_INFO_VLEN(t->info);
	struct at_enum_name *names = at_new_n(b->arena, struct at_enum_name, n + 1);
	bool wide = BTF_INFO_KIND(t->info) == BTF_KIND_ENUM64;
	const struct btf_enum *e = tail(t);
	const struct btf_enum64 *e64 = tail(t);

	for (unsigned i = 0; i < n; i++) {
		names[i].name = at_btf_name(b->btf, wide ? e64[i].name_off : e[i].name_off);
		names[i].value =
			wide ? (int64_t)((uint64_t)e64[i].val_hi32 << 32 | e64[i].val_lo32)
			     : e[i].val;
	}
	*out = (struct at_type){ .kind = AT_T_ENUM,
				 .size = t->size,
				 .align = t->size,
				 .sign = BTF_INFO_KFLAG(t->info),
				 .name = name_of(b, t),
				 .names = names,
				 .nnames = n };
	return out;
}

/* ---- Pointers and structs ---- */

static bool is_struct(const struct btf_type *t)
{
	unsigned kind = t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN;

	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_FWD;
}

/* Without its fields. */
static struct at_type *struct_type(const struct builder *b, uint32_t id,
				   const struct btf_type *t)
{
	struct at_type *out = at_new(b->arena, struct at_type);
	bool defined = BTF_INFO_KIND(t->info) != BTF_KIND_FWD;

	*out = (struct at_type){ .kind = AT_T_STRUCT,
				 .align = 1,
				 .far = true,
				 .id = defined ? id : 0,
				 .size = defined ? t->size : 0,
				 .name = *name_of(b, t) ? name_of(b, t) : "(anonymous)" };
	return out;
}

static const struct at_type *pointer_type(const struct builder *b, const struct btf_type *t)
{
	struct at_type *out = at_new(b->arena, struct at_type);
	uint32_t id = at_btf_strip(b->btf, t->type);
	const struct btf_type *to = at_btf_type(b->btf, id);

	*out = (struct at_type){ .kind = AT_T_PTR, .size = 8, .align = 8 };
	if (is_struct(to))
		out->elem = struct_type(b, id, to);
	else if (to && BTF_INFO_KIND(to->info) == BTF_KIND_INT)
		out->elem = int_type(b, to);
	return out;
}

/* Arrays of char are strings; without a size there is nothing to read. */
static const struct at_type *array_type(const struct builder *b, const struct btf_type *t)
{
	const struct btf_array *a = tail(t);
	const struct btf_type *of = at_btf_type(b->btf, at_btf_strip(b->btf, a->type));
	const struct at_type *elem = type_of(b, a->type);
	struct at_type *out;

	if (!elem || !elem->size || !a->nelems || a->nelems > INT32_MAX / elem->size)
		return NULL;
	if (of && BTF_INFO_KIND(of->info) == BTF_KIND_INT && elem->size == 1 &&
	    !strcmp(name_of(b, of), "char"))
		return at_type_string(b->arena, a->nelems);
	out = at_new(b->arena, struct at_type);
	*out = (struct at_type){ .kind = AT_T_ARRAY,
				 .size = a->nelems * elem->size,
				 .align = elem->align,
				 .elem = elem };
	return out;
}

static const struct at_type *type_of(const struct builder *b, uint32_t id)
{
	const struct btf_type *t;

	id = at_btf_strip(b->btf, id);
	t = at_btf_type(b->btf, id);
	switch (t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN) {
	case BTF_KIND_INT:
		return int_type(b, t);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return enum_type(b, t);
	case BTF_KIND_PTR:
		return pointer_type(b, t);
	case BTF_KIND_ARRAY:
		return array_type(b, t);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return struct_type(b, id, t);
	}
	return NULL;
}

/* ---- Fields ---- */

typedef AT_VEC(struct at_type_field) fields;

/* Fields of a struct that stands `at` bytes into the whole; those of anonymous ones are its
 * own. */
static void add_fields(const struct builder *b, uint32_t id, unsigned at, int depth,
		       fields *out)
{
	const struct btf_type *t = at_btf_type(b->btf, at_btf_strip(b->btf, id));
	const struct btf_member *m;

	if (!is_struct(t) || !depth)
		return;
	m = tail(t);
	for (unsigned i = 0; i < BTF_INFO_VLEN(t->info); i++, m++) {
		bool flag = BTF_INFO_KFLAG(t->info);
		uint32_t bit = flag ? BTF_MEMBER_BIT_OFFSET(m->offset) : m->offset;
		unsigned bits = flag ? BTF_MEMBER_BITFIELD_SIZE(m->offset) : 0;
		struct at_type_field f = { .name = at_btf_name(b->btf, m->name_off),
					   .type = type_of(b, m->type),
					   .offset = at + bit / 8,
					   .bits = bits,
					   .shift = bits ? bit % 8 : 0 };

		if (bits && (bits + f.shift > 64 || !f.type || !at_type_is_int(f.type)))
			f.type = NULL;
		if (*f.name)
			at_vec_push(b->arena, out, f);
		else
			add_fields(b, m->type, f.offset, depth - 1, out);
	}
}

static uint32_t find_struct(const struct at_btf *btf, const char *name)
{
	int id = at_btf_find(btf, BTF_KIND_STRUCT, name);

	if (id < 0)
		id = at_btf_find(btf, BTF_KIND_UNION, name);
	return id < 0 ? 0 : id;
}

static const struct at_type *known_struct(const struct at_check *c, const struct at_type *t)
{
	for (size_t i = 0; i < c->structs.n; i++) {
		const struct at_type *k = c->structs.v[i];

		if (t->id ? t->id == k->id : !strcmp(t->name, k->name))
			return k;
	}
	return NULL;
}

const struct at_type *at_kernel_struct(struct at_check *c, const struct at_type *t)
{
	enum { DEEPEST = 16 };
	struct builder b = { c->arena, at_host_btf(c->host) };
	const struct at_type *known = known_struct(c, t);
	struct at_type *out;
	uint32_t id = t->id;
	fields all = { 0 };

	if (known || !b.btf)
		return known;
	if (!id)
		id = find_struct(b.btf, t->name);
	if (!id)
		return NULL;
	out = struct_type(&b, id, at_btf_type(b.btf, id));
	add_fields(&b, id, 0, DEEPEST, &all);
	out->fields = all.v;
	out->nfields = all.n;
	at_vec_push(c->arena, &c->structs, out);
	return out;
}

/* ---- Prototypes ---- */

/* Fields of the parameters from the second on: the first is the tracepoint's own. */
static const struct at_type *params_type(const struct builder *b, const char *name,
					 const struct btf_type *proto)
{
	const struct btf_param *p = tail(proto);
	unsigned n = BTF_INFO_VLEN(proto->info);
	struct at_type_field *f = at_new_n(b->arena, struct at_type_field, n + 1);
	struct at_type *out = at_new(b->arena, struct at_type);

	*out = (struct at_type){ .kind = AT_T_STRUCT,
				 .name = at_strdup(b->arena, name),
				 .fields = f };
	for (unsigned i = 1; i < n; i++) {
		struct at_type_field *to = &f[out->nfields++];

		to->name = at_btf_name(b->btf, p[i].name_off);
		if (!*to->name)
			to->name = at_sprintf(b->arena, "arg%u", i - 1);
		to->offset = (i - 1) * sizeof(uint64_t);
		to->type = type_of(b, p[i].type);
		if (to->type && to->type->kind == AT_T_STRUCT)
			to->type = NULL; /* by value: there is no address of it */
	}
	return out;
}

/* The names stand in the prototype of __traceiter_NAME, the type btf_trace_NAME has none. */
const struct at_type *at_btf_tracepoint(struct at_arena *a, const struct at_btf *btf,
					const char *name)
{
	struct builder b = { a, btf };
	const struct btf_type *t;
	int id = at_btf_find(btf, BTF_KIND_FUNC, at_sprintf(a, "__traceiter_%s", name));

	if (id < 0)
		id = at_btf_find(btf, BTF_KIND_TYPEDEF, at_sprintf(a, "btf_trace_%s", name));
	t = id < 0 ? NULL : at_btf_type(btf, at_btf_strip(btf, id));
	while (t && (BTF_INFO_KIND(t->info) == BTF_KIND_FUNC ||
		     BTF_INFO_KIND(t->info) == BTF_KIND_PTR))
		t = at_btf_type(btf, at_btf_strip(btf, t->type));
	return t && BTF_INFO_KIND(t->info) == BTF_KIND_FUNC_PROTO ? params_type(&b, name, t)
								  : NULL;
}
