/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binding: a new script goes on with a map of a running one, by name, when the types of its
 * keys and values are the same. The kernel keeps a map as long as one of them holds it.
 */
#include <errno.h>
#include <string.h>

#include "lib/handle.h"
#include "lib/run/map.h"

static int cannot(struct apitrace_script *s, struct at_range range, const char *map,
		  const char *why)
{
	at_diag(&s->session.diags, AT_D_BIND, range, "%s cannot be bound: %s", map, why);
	return -EINVAL;
}

/* "@lat[string[64]]: lhist_t(0, 100, 10), per-CPU hash" */
static const char *type_text(struct at_arena *a, const struct at_plan_map *m)
{
	const char *key = m->key ? at_sprintf(a, "[%s]", at_type_text(a, m->key)) : "";
	const char *args = "";

	for (unsigned i = 0; i < m->value->nargs; i++)
		args = at_sprintf(a, "%s%s%lld", args, i ? ", " : "(",
				  (long long)m->value->args[i]);
	return at_sprintf(a, "%s%s: %s%s%s", m->name, key, at_type_text(a, m->value), args,
			  *args ? ")" : "");
}

static bool same_key(const struct at_plan_map *a, const struct at_plan_map *b)
{
	return a->key && b->key ? at_type_equal(a->key, b->key) : a->key == b->key;
}

static bool same_layout(const struct at_plan_map *a, const struct at_plan_map *b)
{
	return a->kind == b->kind && a->key_size == b->key_size &&
	       a->value_size == b->value_size;
}

static int differs(struct apitrace_script *s, const struct at_plan_map *here,
		   const struct apitrace_script *from, const struct at_plan_map *there)
{
	struct at_arena *a = s->arena;
	const char *in = from->session.source.name, *why;

	if (same_key(here, there) && at_type_equal(here->value, there->value))
		why = at_sprintf(a, "it is a %s, %s of %s is a %s",
				 at_map_kind_text(here->kind), there->name, in,
				 at_map_kind_text(there->kind));
	else
		why = at_sprintf(a, "it is %s, %s has %s", type_text(a, here), in,
				 type_text(a, there));
	return cannot(s, here->range, here->name, why);
}

static int bind_map(struct apitrace_script *s, int map, const struct apitrace_script *from,
		    const char *as, int *bound)
{
	const struct at_plan_map *here = &s->run.plan->maps.v[map], *there;
	int i = at_script_map(from, as);

	if (i < 0)
		return cannot(s, here->range, here->name,
			      at_sprintf(s->arena, "%s has no map %s",
					 from->session.source.name, as));
	there = &from->run.plan->maps.v[i];
	if (!same_key(here, there) || !at_type_equal(here->value, there->value) ||
	    !same_layout(here, there))
		return differs(s, here, from, there);
	bound[map] = from->run.map_fds[i];
	return 0;
}

static int bind_common(struct apitrace_script *s, const struct apitrace_script *from,
		       int *bound)
{
	const struct at_plan *p = s->run.plan;
	int err = 0;

	for (size_t i = 0; i < p->maps.n && !err; i++)
		if (p->maps.v[i].script && at_script_map(from, p->maps.v[i].name) >= 0)
			err = bind_map(s, i, from, p->maps.v[i].name, bound);
	return err;
}

/* A script that was removed is not in the list: its pointer is not followed. */
static bool is_loaded(const struct apitrace *h, const struct apitrace_script *wanted)
{
	const struct apitrace_script *s = h->scripts;

	while (s && s != wanted)
		s = s->next;
	return s && s->state >= AT_LOADED;
}

static int bind_one(struct apitrace_script *s, const struct apitrace_bind *b, int *bound)
{
	int map = b->map ? at_script_map(s, b->map) : 0;

	if (!is_loaded(s->h, b->from))
		return cannot(s, (struct at_range){ 0 }, b->map ? b->map : "a map",
			      "the script to bind it to is not a loaded one of this handle");
	if (b->from == s->h->main)
		return cannot(s, (struct at_range){ 0 }, b->map ? b->map : "a map",
			      "the script of apitrace_compile() takes it that nobody else counts "
			      "in its maps");
	if (!b->map)
		return bind_common(s, b->from, bound);
	if (map < 0)
		return cannot(
			s, (struct at_range){ 0 }, b->map,
			at_sprintf(s->arena, "%s has no such map", s->session.source.name));
	return bind_map(s, map, b->from, b->as ? b->as : b->map, bound);
}

int at_script_bind(struct apitrace_script *s, const struct apitrace_bind *binds, size_t n)
{
	int *bound, err = 0;

	if (!n)
		return 0;
	bound = at_new_n(s->arena, int, s->run.plan->maps.n + 1);
	for (size_t i = 0; i < s->run.plan->maps.n; i++)
		bound[i] = -1;
	for (size_t i = 0; i < n && !err; i++)
		err = bind_one(s, &binds[i], bound);
	s->run.bound = bound;
	return err;
}
