/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check as a whole: expand, then rounds of the type pass until no variable
 * or map changes its type, then the round whose diagnostics count.
 */
#include "frontend/check_int.h"

#include <string.h>

/* Each round can only widen; strings settle in two or three. */
enum { MAX_ROUNDS = 8 };

static bool check_clauses(struct at_check *c)
{
	struct at_script *s = c->script;

	for (size_t i = 0; i < s->clauses.n; i++) {
		struct at_clause *k = s->clauses.v[i];

		if (at_arena_low(c->arena)) {
			at_diag(c->diags, AT_D_SCRIPT_COMPLEX, k->range,
				"the script is too complex to be checked");
			return false;
		}
		c->clause = k;
		c->point = k->points.v[0];
		c->loops = 0;
		c->scope = NULL;
		at_scope_push(c);
		if (k->pred)
			at_check_truth(c, k->pred);
		at_check_stmts(c, k->body);
		at_scope_pop(c);
	}
	return true;
}

static void settle_types(struct at_check *c)
{
	struct at_diags *real = c->diags;

	for (int round = 0; round < MAX_ROUNDS; round++) {
		struct at_diags quiet = { .arena = c->arena, .source = real->source };
		bool ok;

		c->changed = false;
		c->diags = &quiet;
		ok = check_clauses(c);
		c->diags = real;
		if (!ok || !c->changed)
			return;
	}
}

static bool same_mistake(const struct at_diag *a, const struct at_diag *b)
{
	return a->tag == b->tag && a->range.beg == b->range.beg && a->range.end == b->range.end;
}

/* In the order of the script; few enough to be inserted one by one. */
static void sort_by_place(struct at_diags *d, size_t from)
{
	for (size_t i = from + 1; i < d->list.n; i++) {
		struct at_diag one = d->list.v[i];
		size_t j = i;

		for (; j > from && d->list.v[j - 1].range.beg > one.range.beg; j--)
			d->list.v[j] = d->list.v[j - 1];
		d->list.v[j] = one;
	}
}

/* A clause with several attach points is checked once for each: its mistakes are said once. */
static void drop_repeated(struct at_diags *d, size_t from)
{
	size_t out = from;

	for (size_t i = from; i < d->list.n; i++) {
		size_t j = from;

		while (j < out && !same_mistake(&d->list.v[j], &d->list.v[i]))
			j++;
		if (j == out)
			d->list.v[out++] = d->list.v[i];
		else if (d->list.v[i].severity == AT_SEV_ERROR)
			d->errors--;
	}
	d->list.n = out;
}

/* Of a script of which parts could not be read: what they may have held is not missed. */
static void drop_followers(struct at_diags *d, size_t from)
{
	static const enum at_tag tags[] = { AT_D_UNKNOWN_VARIABLE, AT_D_UNKNOWN_MAP,
					    AT_D_OUTSIDE_LOOP };
	size_t out = from;

	for (size_t i = from; i < d->list.n; i++) {
		bool follows = false;

		for (size_t k = 0; k < at_count(tags); k++)
			follows |= d->list.v[i].tag == tags[k];
		if (follows)
			d->errors--;
		else
			d->list.v[out++] = d->list.v[i];
	}
	d->list.n = out;
}

bool at_check(struct at_check *c)
{
	size_t before = c->diags->list.n;

	at_check_config(c);
	at_check_map_decls(c);
	at_expand(c);
	settle_types(c);
	if (check_clauses(c))
		at_check_maps_end(c);
	drop_repeated(c->diags, before);
	if (c->script->broken)
		drop_followers(c->diags, before);
	sort_by_place(c->diags, c->script->broken ? 0 : before);
	return c->diags->errors == 0;
}
