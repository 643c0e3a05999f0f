/* SPDX-License-Identifier: Apache-2.0 */
/* Statements: assignments, declarations, branches, loops. */
#include "frontend/check_int.h"

#include <string.h>

enum { MOST_UNROLL = 100 };

static void check_stmt(struct at_check *c, struct at_node *n);

void at_check_stmts(struct at_check *c, struct at_n_block *b)
{
	at_scope_push(c);
	for (size_t i = 0; i < b->stmts.n; i++)
		check_stmt(c, b->stmts.v[i]);
	if (b->value)
		b->n.type = at_check_expr(c, b->value);
	at_scope_pop(c);
}

static void check_expr_stmt(struct at_check *c, struct at_node *n)
{
	at_check_expr(c, ((struct at_n_expr_stmt *)n)->of);
}

/* ---- Assignments ---- */

/* `to op= value` on ints: gives the node the type of `to op value`. */
static bool check_compound(struct at_check *c, struct at_n_assign *s,
			   const struct at_type *held)
{
	struct at_node left = { .kind = s->to->kind, .range = s->to->range, .type = held };

	s->n.type = NULL;
	if (!s->value->type)
		return false;
	if (!held)
		left.type = s->value->type; /* a map not yet assigned: zero of that type */
	s->n.type = at_check_arith(c, s->op, &left, s->value);
	return s->n.type != NULL;
}

static void undefined_var(struct at_check *c, const struct at_node *n, const char *name)
{
	at_diag(c->diags, AT_D_UNKNOWN_VARIABLE, n->range, "%s has no value yet", name);
	at_scope_hint(c, name);
}

static void assign_var(struct at_check *c, struct at_n_assign *s)
{
	struct at_n_var *to = (struct at_n_var *)s->to;
	struct at_var *v = at_scope_find(c, to->name);

	at_check_expr(c, s->value);
	if (!v && s->op != AT_B_NONE) {
		undefined_var(c, s->to, to->name);
		return;
	}
	if (!v)
		v = at_scope_declare(c, to->name, s->to->range, to->var);
	to->var = v;
	if (s->op == AT_B_NONE) {
		at_scope_take(c, v, s->value);
	} else if (check_compound(c, s, v->type)) {
		struct at_node result = { AT_N_BINARY, s->n.range, s->n.type };

		at_scope_take(c, v, &result);
	}
	to->n.type = v->type;
}

static void assign_agg(struct at_check *c, struct at_n_map *to, struct at_n_call *call)
{
	bool ok = at_check_map_access(c, to);
	const struct at_type *t = at_check_agg(c, call);

	if (!ok) {
		to->map->assigned = true;
		return;
	}
	call->n.type = to->n.type = at_check_map_value(c, to, t, call->n.range);
}

static void assign_map(struct at_check *c, struct at_n_assign *s)
{
	struct at_n_map *to = (struct at_n_map *)s->to;
	const struct at_type *t;
	bool ok = at_check_map_access(c, to);

	t = at_check_expr(c, s->value);
	if (t && (t->kind == AT_T_VOID || t->kind == AT_T_STRUCT)) {
		at_diag(c->diags, AT_D_TYPE_MISMATCH, s->value->range,
			"%s cannot be kept in a map", at_check_text(c, t));
		t = NULL;
	}
	if (!ok || !t) {
		to->map->assigned = true;
		return;
	}
	if (s->op == AT_B_NONE) {
		t = at_check_kept(c, s->value);
	} else if (to->map->value && to->map->value->kind == AT_T_AGG) {
		t = s->value->type;
	} else {
		t = check_compound(c, s, to->map->value) ? at_check_widen(c, s->n.type) : NULL;
	}
	to->n.type = at_check_map_value(c, to, t, s->value->range);
}

static const struct at_func *agg_named(struct at_check *c, const struct at_node *e)
{
	const struct at_func *f;

	if (e->kind != AT_N_CALL)
		return NULL;
	f = at_lang_func(c->lang, ((const struct at_n_call *)e)->name);
	return f && f->flags & AT_F_AGG ? f : NULL;
}

static void check_assign(struct at_check *c, struct at_node *n)
{
	struct at_n_assign *s = (struct at_n_assign *)n;

	if (s->to->kind == AT_N_VAR) {
		assign_var(c, s);
	} else if (s->to->kind != AT_N_MAP) {
		at_check_expr(c, s->value); /* "_ = …" */
	} else if (s->op == AT_B_NONE && agg_named(c, s->value)) {
		assign_agg(c, (struct at_n_map *)s->to, (struct at_n_call *)s->value);
	} else {
		assign_map(c, s);
	}
}

static void check_let(struct at_check *c, struct at_node *n)
{
	struct at_n_let *s = (struct at_n_let *)n;
	struct at_var *old = at_scope_find(c, s->name);

	if (s->value)
		at_check_expr(c, s->value);
	if (old) {
		at_diag(c->diags, AT_D_SHADOWED_VARIABLE, s->name_range, "%s exists already",
			s->name);
		at_hint(c->diags, "it was made in line %u", at_check_line(c, old->range));
		s->var = old;
		return;
	}
	s->var = at_scope_declare(c, s->name, s->name_range, s->var);
	if (s->of_type) {
		s->var->declared = true;
		s->var->type = at_check_type_name(c, s->of_type);
		s->var->assigned |= !s->var->type; /* reported: its uses are not */
	}
	if (s->value)
		at_scope_take(c, s->var, s->value);
}

/* ---- Branches and loops ---- */

static void check_if(struct at_check *c, struct at_node *n)
{
	struct at_n_if *s = (struct at_n_if *)n;

	at_check_truth(c, s->cond);
	at_check_stmts(c, s->yes);
	if (s->no)
		check_stmt(c, s->no);
}

static void check_loop_body(struct at_check *c, struct at_n_block *body)
{
	c->loops++;
	at_check_stmts(c, body);
	c->loops--;
}

static void check_while(struct at_check *c, struct at_node *n)
{
	struct at_n_while *s = (struct at_n_while *)n;

	at_check_truth(c, s->cond);
	check_loop_body(c, s->body);
}

static void check_unroll(struct at_check *c, struct at_node *n)
{
	struct at_n_unroll *s = (struct at_n_unroll *)n;
	int64_t times;

	if (at_check_expr(c, s->times)) {
		if (!at_fold_int(s->times, &times))
			at_diag(c->diags, AT_D_NOT_LITERAL, s->times->range,
				"how often to unroll must be known when the script is "
				"compiled");
		else if (times < 1 || times > MOST_UNROLL)
			at_diag(c->diags, AT_D_UNROLL_COUNT, s->times->range,
				"a body can be unrolled 1 to %d times", MOST_UNROLL);
	}
	check_loop_body(c, s->body);
}

static void check_bound(struct at_check *c, struct at_node *e)
{
	const struct at_type *t = at_check_expr(c, e);

	if (t && !at_type_is_int(t))
		at_diag(c->diags, AT_D_TYPE_MISMATCH, e->range,
			"a bound is a number, this is %s", at_check_text(c, t));
}

/* What one round of a loop over the map has: (key, value), aggregations as numbers. */
static const struct at_type *row_type(struct at_check *c, const struct at_n_map *n)
{
	const struct at_mapsym *m = n->map;
	const struct at_type *row[2] = { m->key, m->value };

	if (!m->key || !m->value)
		return NULL;
	if (m->value->kind == AT_T_AGG) {
		const struct at_agg *agg = m->value->func->agg;

		if (!agg->read_type || !agg->read) {
			at_diag(c->diags, AT_D_AGG_READ, n->n.range,
				"the values of %s() cannot be read one by one",
				m->value->func->name);
			at_hint(c->diags, "print(%s) shows all of them", n->name);
			return NULL;
		}
		row[1] = agg->read_type(m->value);
	}
	return at_type_tuple(c->arena, row, 2);
}

static void check_over(struct at_check *c, struct at_n_for *s)
{
	struct at_n_map *n = (struct at_n_map *)s->over;
	const struct at_type *t;

	c->clause->map_loop = true;
	s->var->assigned = true;
	if (s->over->kind != AT_N_MAP || n->keys.n) {
		at_diag(c->diags, AT_D_TYPE_MISMATCH, s->over->range,
			"a loop is over a whole map or a range");
		at_hint(c->diags, "write for ($kv : @map) { … } or for ($i : 0..10) { … }");
		return;
	}
	n->map = at_scope_map(c, n->name, n->n.range);
	if (n->map->unkeyed) {
		at_diag(c->diags, AT_D_MAP_KEYED, n->n.range, "%s has no keys to loop over",
			n->name);
		return;
	}
	n->n.type = n->map->value;
	t = row_type(c, n);
	if (t && (!s->var->type || !at_type_equal(s->var->type, t)))
		c->changed = true;
	s->var->type = t;
}

static void check_for(struct at_check *c, struct at_node *n)
{
	struct at_n_for *s = (struct at_n_for *)n;
	struct at_var *old = at_scope_find(c, s->name);

	if (!s->over) {
		check_bound(c, s->from);
		check_bound(c, s->to);
	}
	if (old) {
		at_diag(c->diags, AT_D_SHADOWED_VARIABLE, s->name_range, "%s exists already",
			s->name);
		at_hint(c->diags, "it was made in line %u", at_check_line(c, old->range));
	}
	at_scope_push(c);
	s->var = at_scope_declare(c, s->name, s->name_range, s->var);
	if (s->over) {
		check_over(c, s);
	} else {
		s->var->type = &at_type_int64;
		s->var->assigned = true;
	}
	check_loop_body(c, s->body);
	at_scope_pop(c);
}

static void check_jump(struct at_check *c, struct at_node *n)
{
	if (!c->loops)
		at_diag(c->diags, AT_D_OUTSIDE_LOOP, n->range, "`%s` is not inside a loop",
			n->kind == AT_N_BREAK ? "break" : "continue");
}

static void check_return(struct at_check *c, struct at_node *n)
{
	struct at_n_return *s = (struct at_n_return *)n;

	if (s->value)
		at_check_expr(c, s->value);
}

static void check_block(struct at_check *c, struct at_node *n)
{
	at_check_stmts(c, (struct at_n_block *)n);
}

static void (*const stmts[AT_N_COUNT])(struct at_check *, struct at_node *) = {
	[AT_N_EXPR] = check_expr_stmt, [AT_N_ASSIGN] = check_assign,
	[AT_N_LET] = check_let,        [AT_N_IF] = check_if,
	[AT_N_WHILE] = check_while,    [AT_N_UNROLL] = check_unroll,
	[AT_N_FOR] = check_for,        [AT_N_BREAK] = check_jump,
	[AT_N_CONTINUE] = check_jump,  [AT_N_RETURN] = check_return,
	[AT_N_BLOCK] = check_block,
};

static void check_stmt(struct at_check *c, struct at_node *n)
{
	if (stmts[n->kind])
		stmts[n->kind](c, n);
	else
		at_check_expr(c, n);
}
