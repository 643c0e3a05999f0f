/* SPDX-License-Identifier: Apache-2.0 */
/* Maps: keyed or not, the types of keys and values over all uses. */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <string.h>

enum { MOST_KEY = 512 }; /* bytes: what the kernel takes as a hash key */

/* Notes how the map is used here; false when it was used the other way before. */
static bool use_as(struct at_check *c, struct at_n_map *n, bool keyed)
{
	struct at_mapsym *m = n->map;

	if (keyed ? m->unkeyed : m->keyed) {
		at_diag(c->diags, AT_D_MAP_KEYED, n->n.range,
			keyed ? "%s has no key elsewhere" : "%s has a key elsewhere", m->name);
		at_hint(c->diags, "it is used %s a key in line %u", keyed ? "without" : "with",
			at_check_line(c, m->key_range));
		return false;
	}
	if (!m->keyed && !m->unkeyed)
		m->key_range = n->n.range;
	m->keyed |= keyed;
	m->unkeyed |= !keyed;
	return true;
}

/* Type of the key as written; NULL when a part is poisoned or cannot be a key. */
static const struct at_type *key_type(struct at_check *c, struct at_n_map *n)
{
	const struct at_type **elems = at_new_n(c->arena, const struct at_type *, n->keys.n);
	bool ok = true;

	for (size_t i = 0; i < n->keys.n; i++) {
		struct at_node *k = n->keys.v[i];

		if (!at_check_expr(c, k)) {
			ok = false;
			continue;
		}
		elems[i] = at_check_kept(c, k);
		if (!elems[i]->size || elems[i]->kind == AT_T_AGG) {
			at_diag(c->diags, AT_D_TYPE_MISMATCH, k->range, "%s cannot be a key",
				at_check_text(c, elems[i]));
			ok = false;
		}
	}
	if (!ok)
		return NULL;
	return n->keys.n == 1 ? elems[0] : at_type_tuple(c->arena, elems, n->keys.n);
}

static bool unite_keys(struct at_check *c, struct at_n_map *n)
{
	struct at_mapsym *m = n->map;
	const struct at_type *t = key_type(c, n), *u;

	if (!t)
		return false;
	u = m->key ? at_check_unify(c, m->key, t) : t;
	if (!u) {
		at_diag(c->diags, AT_D_MAP_KEY, n->n.range, "the key of %s is %s, this is %s",
			m->name, at_check_text(c, m->key), at_check_text(c, t));
		at_hint(c->diags, "its type was fixed in line %u",
			at_check_line(c, m->key_range));
		return false;
	}
	if (!m->key || !at_type_equal(m->key, u) || m->key->literal != u->literal) {
		m->key = u;
		c->changed = true;
	}
	return true;
}

bool at_check_map_access(struct at_check *c, struct at_n_map *n)
{
	n->map = at_scope_map(c, n->name, n->n.range);
	if (!use_as(c, n, n->keys.n > 0)) {
		for (size_t i = 0; i < n->keys.n; i++)
			at_check_expr(c, n->keys.v[i]);
		return false;
	}
	return !n->keys.n || unite_keys(c, n);
}

/* The two aggregations as one, if they are the same but for their argument's type. */
static const struct at_type *unite_aggs(struct at_check *c, const struct at_type *a,
					const struct at_type *b)
{
	struct at_type bare = *b, *both;

	if (a->kind != AT_T_AGG || b->kind != AT_T_AGG)
		return NULL;
	bare.elem = a->elem;
	bare.sign = a->sign;
	bare.unit = a->unit;
	if (!at_type_equal(a, &bare) || !a->elem != !b->elem)
		return NULL;
	both = at_new(c->arena, struct at_type);
	*both = *a;
	both->elem = a->elem ? at_check_unify(c, a->elem, b->elem) : NULL;
	both->sign = a->sign || b->sign;
	return a->elem && !both->elem ? NULL : both;
}

const struct at_type *at_check_map_value(struct at_check *c, struct at_n_map *n,
					 const struct at_type *t, struct at_range range)
{
	struct at_mapsym *m = n->map;
	const struct at_type *u;

	m->assigned = true;
	if (!t)
		return NULL;
	if (!m->value)
		u = t;
	else if (m->value->kind == AT_T_AGG || t->kind == AT_T_AGG)
		u = unite_aggs(c, m->value, t);
	else
		u = at_check_unify(c, m->value, t);
	if (!u) {
		at_diag(c->diags, AT_D_MAP_VALUE, range, "%s holds %s, this is %s", m->name,
			at_check_text(c, m->value), at_check_text(c, t));
		at_hint(c->diags, "its type was fixed in line %u",
			at_check_line(c, m->value_range));
		return NULL;
	}
	if (!m->value)
		m->value_range = n->n.range;
	if (!m->value || !at_type_equal(m->value, u) || m->value->literal != u->literal) {
		m->value = u;
		c->changed = true;
	}
	return m->value;
}

static void unknown_map(struct at_check *c, const struct at_mapsym *m)
{
	struct at_closest best = at_closest_to(m->name);

	at_diag(c->diags, AT_D_UNKNOWN_MAP, m->range, "nothing is ever put into %s", m->name);
	for (size_t i = 0; i < c->maps.n; i++)
		if (c->maps.v[i]->assigned)
			at_closest_offer(&best, c->maps.v[i]->name);
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
}

const struct at_type *at_check_map_read(struct at_check *c, struct at_n_map *n)
{
	const struct at_type *t;

	if (!at_check_map_access(c, n))
		return NULL;
	t = n->map->value;
	if (!t || t->kind != AT_T_AGG)
		return t; /* nothing put in yet: an earlier round, or told at the end */
	if (t->func->agg->read_type && t->func->agg->read)
		return t->func->agg->read_type(t);
	at_diag(c->diags, AT_D_AGG_READ, n->n.range,
		"the value of %s() cannot be read in an expression", t->func->name);
	at_hint(c->diags, "print(%s) shows it", n->name);
	return NULL;
}

/* ---- Keys the kernel can hold ---- */

static unsigned widest_string(const struct at_type *const *elems, unsigned n)
{
	unsigned best = n;

	for (unsigned i = 0; i < n; i++)
		if (elems[i]->kind == AT_T_STRING &&
		    (best == n || elems[i]->size > elems[best]->size))
			best = i;
	return best;
}

/* Cuts the widest strings of a tuple until it fits; NULL when that does not help. */
static const struct at_type *fit_tuple(struct at_check *c, const struct at_type *key)
{
	const struct at_type **elems = at_new_n(c->arena, const struct at_type *, key->nfields);

	for (unsigned i = 0; i < key->nfields; i++)
		elems[i] = key->fields[i].type;
	while (key->size > MOST_KEY) {
		unsigned i = widest_string(elems, key->nfields);

		if (i == key->nfields || elems[i]->size <= 16)
			return NULL;
		elems[i] = at_type_string(c->arena, elems[i]->size - 8);
		key = at_type_tuple(c->arena, elems, key->nfields);
	}
	return key;
}

static void fit_key(struct at_check *c, struct at_mapsym *m)
{
	const struct at_type *key = m->key;

	if (!key || key->size <= MOST_KEY)
		return;
	if (key->kind == AT_T_STRING)
		m->key = at_type_string(c->arena, MOST_KEY);
	else if (key->kind == AT_T_TUPLE && !(key->nfields && key->fields[0].name))
		m->key = fit_tuple(c, key);
	else
		m->key = NULL;
	if (!m->key) {
		at_diag(c->diags, AT_D_KEY_SIZE, m->key_range,
			"a key of %s is %u bytes, the kernel takes %d", m->name, key->size,
			MOST_KEY);
		m->key = key;
		return;
	}
	at_diag(c->diags, AT_D_KEY_CUT, m->key_range,
		"a key of %s would be %u bytes, the kernel takes %d: long strings in it are "
		"cut",
		m->name, key->size, MOST_KEY);
	at_hint(c->diags, "keys are %s", at_check_text(c, m->key));
}

/* Maps that are only put into each other: with no other mistake to blame, that is one. */
static void typeless_map(struct at_check *c, const struct at_mapsym *m)
{
	at_diag(c->diags, AT_D_UNKNOWN_MAP, m->range, "nothing tells what %s holds", m->name);
	at_hint(c->diags, "what is put into it comes from maps that hold nothing themselves");
}

void at_check_maps_end(struct at_check *c)
{
	for (size_t i = 0; i < c->maps.n; i++) {
		if (!c->maps.v[i]->assigned)
			unknown_map(c, c->maps.v[i]);
		fit_key(c, c->maps.v[i]);
	}
	for (size_t i = 0; i < c->maps.n && !c->diags->errors; i++)
		if (!c->maps.v[i]->value)
			typeless_map(c, c->maps.v[i]);
}
