/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names stand for: scratch variables of the clause being checked, block
 * by block, and the maps of the script. The symbols outlive a round of the
 * type pass (variables hang on the node that made them), scopes do not.
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <string.h>

struct at_scope {
	struct at_scope *up;
	AT_VEC(struct at_var *) vars;
	AT_VEC(struct at_var *) ended; /* of blocks inside that are over */
};

void at_scope_push(struct at_check *c)
{
	struct at_scope *s = at_new(c->arena, struct at_scope);

	s->up = c->scope;
	c->scope = s;
}

void at_scope_pop(struct at_check *c)
{
	struct at_scope *s = c->scope;

	c->scope = s->up;
	if (!c->scope)
		return;
	for (size_t i = 0; i < s->vars.n; i++)
		at_vec_push(c->arena, &c->scope->ended, s->vars.v[i]);
	for (size_t i = 0; i < s->ended.n; i++)
		at_vec_push(c->arena, &c->scope->ended, s->ended.v[i]);
}

struct at_var *at_scope_find(struct at_check *c, const char *name)
{
	for (struct at_scope *s = c->scope; s; s = s->up)
		for (size_t i = 0; i < s->vars.n; i++)
			if (strcmp(s->vars.v[i]->name, name) == 0)
				return s->vars.v[i];
	return NULL;
}

struct at_var *at_scope_declare(struct at_check *c, const char *name, struct at_range range,
				struct at_var *known)
{
	struct at_var *v = known;

	if (!v) {
		v = at_new(c->arena, struct at_var);
		v->name = name;
		v->range = range;
	}
	at_vec_push(c->arena, &c->scope->vars, v);
	return v;
}

void at_scope_hint(struct at_check *c, const char *name)
{
	struct at_closest best = at_closest_to(name);

	for (struct at_scope *s = c->scope; s; s = s->up) {
		for (size_t i = 0; i < s->ended.n; i++)
			if (strcmp(s->ended.v[i]->name, name) == 0) {
				at_hint(c->diags,
					"%s of line %u ends with its block: assign it, or "
					"write `let %s;`, before the block",
					name, at_check_line(c, s->ended.v[i]->range), name);
				return;
			}
		for (size_t i = 0; i < s->vars.n; i++)
			at_closest_offer(&best, s->vars.v[i]->name);
	}
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
}

static bool fits_declared(const struct at_type *declared, const struct at_type *t)
{
	if (at_type_is_int(declared))
		return at_type_is_int(t);
	return declared->kind == t->kind &&
	       (declared->kind == AT_T_STRING || at_type_equal(declared, t));
}

void at_scope_take(struct at_check *c, struct at_var *v, const struct at_node *e)
{
	const struct at_type *kept, *t;

	v->assigned = true;
	if (!e->type)
		return;
	kept = at_check_kept(c, e);
	if (v->declared)
		t = v->type && fits_declared(v->type, e->type) ? v->type : NULL;
	else
		t = v->type ? at_check_unify(c, v->type, kept) : kept;
	if (!t) {
		if (v->declared && !v->type)
			return;
		at_diag(c->diags, AT_D_VARIABLE_TYPE, e->range, "%s holds %s, this is %s",
			v->name, at_check_text(c, v->type), at_check_text(c, e->type));
		at_hint(c->diags, "its type was fixed in line %u", at_check_line(c, v->range));
		return;
	}
	if (!v->type || !at_type_equal(v->type, t) || v->type->literal != t->literal) {
		v->type = t;
		c->changed = true;
	}
}

struct at_mapsym *at_scope_map(struct at_check *c, const char *name, struct at_range range)
{
	struct at_mapsym *m;

	for (size_t i = 0; i < c->maps.n; i++)
		if (strcmp(c->maps.v[i]->name, name) == 0)
			return c->maps.v[i];
	m = at_new(c->arena, struct at_mapsym);
	m->name = name;
	m->range = range;
	m->decl_kind = -1;
	at_vec_push(c->arena, &c->maps, m);
	return m;
}
