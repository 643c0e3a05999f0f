/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BTF of map keys and values from our types, so that `bpftool map dump` and
 * other readers see them as what they are. Sizes agree with the map's own to the
 * byte, or the kernel refuses them.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>

#include "frontend/lang.h"
#include "lib/run/loader.h"

static int add_int(struct btf *btf, unsigned size, bool sign)
{
	char name[16];
	int id;

	snprintf(name, sizeof(name), "%sint%u", sign ? "" : "u", size * 8);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_INT);
	return id > 0 ? id : btf__add_int(btf, name, size, sign ? BTF_INT_SIGNED : 0);
}

static int add_named_int(struct btf *btf, const char *name, int encoding)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_INT);

	return id > 0 ? id : btf__add_int(btf, name, 1, encoding);
}

/* N elements of what `elem` is the id of (or an error). */
static int add_array(struct btf *btf, int elem, unsigned n)
{
	int index = add_int(btf, 4, false);

	if (elem < 0 || index < 0)
		return elem < 0 ? elem : index;
	return btf__add_array(btf, index, elem, n);
}

/* A struct with one array as its only field. */
static int add_wrapped(struct btf *btf, const char *name, const char *field, int array,
		       unsigned size)
{
	int id = array < 0 ? array : btf__add_struct(btf, name, size), err;

	if (id < 0)
		return id;
	err = btf__add_field(btf, field, array, 0, 0);
	return err ? err : id;
}

static int add_raw(struct btf *btf, unsigned size)
{
	int array = add_array(btf, add_named_int(btf, "byte", 0), size);

	return add_wrapped(btf, NULL, "bytes", array, size);
}

static int add_enum(struct btf *btf, const struct at_type *t)
{
	int id = btf__add_enum(btf, t->name, t->size), err = 0;

	for (unsigned i = 0; id > 0 && i < t->nnames && !err; i++)
		err = btf__add_enum_value(btf, t->names[i].name, t->names[i].value);
	return err ? err : id;
}

/* Members' types come first: a BTF struct's members must follow it at once. */
static int add_struct(struct btf *btf, const struct at_type *t)
{
	enum { MOST = 64 };
	int ids[MOST], id, err = 0;
	char name[16];

	if (t->nfields > MOST)
		return add_raw(btf, t->size);
	for (unsigned i = 0; i < t->nfields; i++) {
		ids[i] = at_btf_add_type(btf, t->fields[i].type, t->fields[i].type->size);
		if (ids[i] < 0)
			return ids[i];
	}
	id = btf__add_struct(btf, t->name, t->size);
	for (unsigned i = 0; id > 0 && i < t->nfields && !err; i++) {
		const char *field = t->fields[i].name;

		snprintf(name, sizeof(name), "f%u", i);
		err = btf__add_field(btf, field ? field : name, ids[i], t->fields[i].offset * 8,
				     0);
	}
	return err ? err : id;
}

static int add_inet(struct btf *btf, unsigned size)
{
	int family = add_int(btf, 4, false);
	int bytes = add_array(btf, add_named_int(btf, "byte", 0), size - 4);
	int id = family < 0 || bytes < 0 ? -EINVAL : btf__add_struct(btf, "inet", size);

	if (id > 0 && (btf__add_field(btf, "family", family, 0, 0) ||
		       btf__add_field(btf, "address", bytes, 32, 0)))
		return -EINVAL;
	return id;
}

static int add_agg(struct btf *btf, const struct at_type *t)
{
	int word = add_int(btf, 8, t->sign);

	if (t->size % 8)
		return add_raw(btf, t->size);
	if (t->size == 8)
		return word;
	return add_wrapped(btf, t->func ? t->func->name : NULL, "words",
			   add_array(btf, word, t->size / 8), t->size);
}

int at_btf_add_type(struct btf *btf, const struct at_type *t, unsigned size)
{
	if (!t || !t->size)
		return add_raw(btf, size);
	switch (t->kind) {
	case AT_T_BOOL:
		return add_named_int(btf, "bool", BTF_INT_BOOL);
	case AT_T_INT:
		return add_int(btf, t->size, t->sign);
	case AT_T_PTR:
	case AT_T_TIME:
		return add_int(btf, 8, false);
	case AT_T_ENUM:
		return t->size == 4 && t->name ? add_enum(btf, t) : add_int(btf, t->size, t->sign);
	case AT_T_STRING:
		return add_array(btf, add_named_int(btf, "char", BTF_INT_SIGNED), t->size);
	case AT_T_TUPLE:
	case AT_T_STRUCT:
		return add_struct(btf, t);
	case AT_T_ARRAY:
		if (!t->elem || !t->elem->size)
			break;
		return add_array(btf, at_btf_add_type(btf, t->elem, t->elem->size),
				 t->size / t->elem->size);
	case AT_T_INET:
		return add_inet(btf, t->size);
	case AT_T_AGG:
		return add_agg(btf, t);
	case AT_T_VOID:
	case AT_T_NONE:
		break;
	}
	return add_raw(btf, size);
}
