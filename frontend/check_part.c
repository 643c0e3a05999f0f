/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of values: fields of args, of structs and of what pointers lead to,
 * elements of tuples and arrays. What a struct of the kernel has is asked of the
 * language (at_lang.kernel_struct).
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <string.h>

static const struct at_type *no_args(struct at_check *c, const struct at_node *e)
{
	if (!c->point->provider)
		return NULL; /* the attach point was reported */
	at_diag(c->diags, AT_D_NO_ARGS, e->range, "%s has no args", c->point->text);
	return NULL;
}

static bool is_args(const struct at_node *e)
{
	return e->kind == AT_N_IDENT &&
	       strcmp(((const struct at_n_ident *)e)->name, "args") == 0;
}

static void unknown_field(struct at_check *c, const struct at_n_field *n,
			  const struct at_type *t)
{
	enum { MOST_NAMED = 40 };
	struct at_closest best = at_closest_to(n->name);
	const char *all = "", *other = NULL;
	bool args = is_args(n->of);

	at_diag(c->diags, AT_D_UNKNOWN_FIELD, n->name_range, "%s has no field `%s`",
		args ? c->point->text : at_check_text(c, t), n->name);
	for (unsigned i = 0; i < t->nfields; i++) {
		if (!t->fields[i].name)
			continue;
		at_closest_offer(&best, t->fields[i].name);
		all = at_sprintf(c->arena, "%s%s%s", all, *all ? ", " : "", t->fields[i].name);
	}
	if (args && c->point->provider && c->point->provider->lacks)
		other = c->point->provider->lacks(c, c->point, n->name);
	if (other)
		at_hint(c->diags, "%s", other);
	else if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
	else if (*all && t->nfields <= MOST_NAMED)
		at_hint(c->diags, "fields are %s", all);
}

/* A whole struct, or an array of such, is nothing but what its parts are taken of. */
static const struct at_type *check_base(struct at_check *c, struct at_node *e)
{
	if (e->kind == AT_N_FIELD)
		return e->type = at_check_field(c, e);
	return e->kind == AT_N_INDEX ? e->type = at_check_index(c, e) : at_check_expr(c, e);
}

/* What has the fields: the struct itself, or the one that a pointer leads to. */
static const struct at_type *with_fields(struct at_check *c, const struct at_n_field *n,
					 const struct at_type *t)
{
	const struct at_type *s = t->kind == AT_T_PTR ? t->elem : t, *known = s;

	if (t->kind == AT_T_PTR && (!s || s->kind != AT_T_STRUCT)) {
		at_diag(c->diags, AT_D_UNKNOWN_FIELD, n->name_range, "%s leads to no struct",
			at_check_text(c, t));
		at_hint(c->diags, "a cast says to which: ((struct NAME *)…)->%s", n->name);
		return NULL;
	}
	if (s->far)
		known = c->lang->kernel_struct ? c->lang->kernel_struct(c, s) : NULL;
	if (!known)
		at_diag(c->diags, AT_D_UNKNOWN_TYPE, n->of->range,
			"the fields of %s are not in this kernel's BTF", at_check_text(c, s));
	return known;
}

const struct at_type *at_check_field(struct at_check *c, struct at_node *e)
{
	struct at_n_field *n = (struct at_n_field *)e;
	const struct at_type *t;

	if (is_args(n->of))
		t = n->of->type = c->point->args ? c->point->args : no_args(c, n->of);
	else
		t = check_base(c, n->of);
	t = t ? with_fields(c, n, t) : NULL;
	if (!t)
		return NULL;
	n->field = at_type_field(t, n->name);
	if (!n->field)
		unknown_field(c, n, t);
	else if (!n->field->type)
		at_diag(c->diags, AT_D_NOT_YET, n->name_range,
			"arrays without a size and structs by value cannot be read yet");
	return n->field ? n->field->type : NULL;
}

static const struct at_type *tuple_part(struct at_check *c, const struct at_node *e,
					const struct at_type *t, int64_t i)
{
	if (i >= 0 && i < t->nfields)
		return t->fields[i].type;
	at_diag(c->diags, AT_D_UNKNOWN_FIELD, e->range, "%s has %u parts, .0 to .%u",
		at_check_text(c, t), t->nfields, t->nfields ? t->nfields - 1 : 0);
	return NULL;
}

const struct at_type *at_check_tindex(struct at_check *c, struct at_node *e)
{
	struct at_n_tindex *n = (struct at_n_tindex *)e;
	const struct at_type *t = at_check_expr(c, n->of);

	if (!t)
		return NULL;
	if (t->kind == AT_T_TUPLE)
		return tuple_part(c, e, t, n->index);
	at_diag(c->diags, AT_D_TYPE_MISMATCH, n->of->range, "only a tuple has .%u, this is %s",
		n->index, at_check_text(c, t));
	return NULL;
}

static const struct at_type *array_part(struct at_check *c, struct at_n_index *n,
					const struct at_type *t)
{
	int64_t i, count = t->elem->size ? t->size / t->elem->size : 0;

	if (!at_fold_int(n->index, &i)) {
		at_diag(c->diags, AT_D_NOT_YET, n->index->range,
			"an index that is not a constant does not work yet");
		return NULL;
	}
	if (i >= 0 && i < count)
		return t->elem;
	at_diag(c->diags, AT_D_UNKNOWN_FIELD, n->index->range, "%s has no element %lld",
		at_check_text(c, t), (long long)i);
	return NULL;
}

const struct at_type *at_check_index(struct at_check *c, struct at_node *e)
{
	struct at_n_index *n = (struct at_n_index *)e;
	const struct at_type *t = check_base(c, n->of), *ti = at_check_expr(c, n->index);
	int64_t i;

	if (!t || !ti)
		return NULL;
	if (t->kind == AT_T_TUPLE && at_fold_int(n->index, &i))
		return tuple_part(c, e, t, i);
	if (t->kind == AT_T_ARRAY)
		return array_part(c, n, t);
	at_diag(c->diags, AT_D_TYPE_MISMATCH, n->of->range, "%s cannot be indexed",
		at_check_text(c, t));
	return NULL;
}
