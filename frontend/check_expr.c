/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: the type of every node. Arithmetic is done in 64 bits; a result
 * is signed when an operand is (literals take the other's sign), `-` always
 * is. Durations stay durations under + and - and under * and / by numbers.
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <string.h>

const char *at_check_text(struct at_check *c, const struct at_type *t)
{
	return at_type_text(c->arena, t);
}

unsigned at_check_line(struct at_check *c, struct at_range r)
{
	return c->diags->source && c->diags->source->text
		       ? at_source_place(c->diags->source, r.beg).line
		       : 0;
}

/* ---- Leaves ---- */

static const struct at_type *check_int(struct at_check *c, struct at_node *e)
{
	const struct at_n_int *n = (const struct at_n_int *)e;

	return at_check_word(n->value <= INT64_MAX, true, n->unit);
}

static const struct at_type *check_bool(struct at_check *c, struct at_node *e)
{
	return &at_type_bool;
}

static const struct at_type *check_string(struct at_check *c, struct at_node *e)
{
	return at_type_string(c->arena, ((const struct at_n_string *)e)->len + 1);
}

static const struct at_type *check_param(struct at_check *c, struct at_node *e)
{
	const struct at_n_param *n = (const struct at_n_param *)e;
	bool negative = false;
	int64_t v = 0;

	if (n->text && !at_fold_number(n->text, &v, &negative))
		return at_type_string(c->arena, strlen(n->text) + 1);
	return negative ? at_check_word(true, false, AT_UNIT_NONE)
			: at_check_word(v >= 0, true, AT_UNIT_NONE);
}

static const struct at_type *check_var(struct at_check *c, struct at_node *e)
{
	struct at_n_var *n = (struct at_n_var *)e;
	struct at_var *v = at_scope_find(c, n->name);

	if (!v) {
		at_diag(c->diags, AT_D_UNKNOWN_VARIABLE, e->range, "%s has no value yet",
			n->name);
		at_scope_hint(c, n->name);
		return NULL;
	}
	n->var = v;
	v->used = true;
	if (!v->assigned && !v->type) {
		at_diag(c->diags, AT_D_UNKNOWN_VARIABLE, e->range, "%s has no value yet",
			n->name);
		return NULL;
	}
	return v->type;
}

static const struct at_type *check_map(struct at_check *c, struct at_node *e)
{
	return at_check_map_read(c, (struct at_n_map *)e);
}

static void unknown_name(struct at_check *c, const struct at_n_ident *n,
			 const struct at_func *f)
{
	struct at_closest best = at_closest_to(n->name);

	if (f) {
		at_diag(c->diags, AT_D_UNKNOWN_NAME, n->n.range, "%s is a function", n->name);
		at_hint(c->diags, "it is written %s", at_check_written(f));
		return;
	}
	at_diag(c->diags, AT_D_UNKNOWN_NAME, n->n.range, "there is no `%s`", n->name);
	for (const struct at_func *const *v = c->lang->funcs; *v; v++)
		if ((*v)->flags & AT_F_VAR)
			at_closest_offer(&best, (*v)->name);
	at_closest_offer(&best, "args");
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
	else if (at_scope_find(c, at_sprintf(c->arena, "$%s", n->name)))
		at_hint(c->diags, "the variable is $%s", n->name);
}

static const struct at_type *check_ident(struct at_check *c, struct at_node *e)
{
	struct at_n_ident *n = (struct at_n_ident *)e;
	const struct at_func *f = at_lang_func(c->lang, n->name);

	if (strcmp(n->name, "args") == 0) {
		at_diag(c->diags, AT_D_NOT_YET, e->range, "args cannot be used as a whole yet");
		at_hint(c->diags, "use its fields, args.NAME");
		return NULL;
	}
	if (!f || !(f->flags & AT_F_VAR)) {
		unknown_name(c, n, f);
		return NULL;
	}
	n->func = f;
	if (!n->call) {
		n->call = at_new(c->arena, struct at_n_call);
		n->call->n = (struct at_node){ .kind = AT_N_CALL, .range = e->range };
		n->call->name = n->name;
		n->call->name_range = e->range;
	}
	n->call->n.type = at_check_call(c, n->call);
	return n->call->n.type;
}

/* ---- Operators ---- */

static bool is_truth(const struct at_type *t)
{
	return at_type_is_word(t);
}

void at_check_truth(struct at_check *c, struct at_node *e)
{
	const struct at_type *t = at_check_expr(c, e);

	if (!t || is_truth(t))
		return;
	at_diag(c->diags, AT_D_TYPE_MISMATCH, e->range,
		"a condition is true or false, this is %s", at_check_text(c, t));
	if (t->kind == AT_T_STRING)
		at_hint(c->diags, "to ask whether it is empty, compare with \"\"");
}

static bool want_int(struct at_check *c, const struct at_node *e, const char *op)
{
	if (!e->type)
		return false;
	if (at_type_is_int(e->type))
		return true;
	at_diag(c->diags, AT_D_TYPE_MISMATCH, e->range, "`%s` wants a number, this is %s", op,
		at_check_text(c, e->type));
	return false;
}

static const struct at_type *check_unary(struct at_check *c, struct at_node *e)
{
	struct at_n_unary *n = (struct at_n_unary *)e;
	char op[2] = { n->op, 0 };

	if (n->op == '*' || n->op == '&') {
		at_diag(c->diags, AT_D_NOT_YET, e->range,
			"pointers cannot be followed or taken yet");
		return NULL;
	}
	if (n->op == '!') {
		at_check_truth(c, n->of);
		return n->of->type && is_truth(n->of->type) ? &at_type_bool : NULL;
	}
	at_check_expr(c, n->of);
	if (!want_int(c, n->of, op))
		return NULL;
	if (n->op == '-')
		return at_check_word(true, false, n->of->type->unit);
	return at_check_word(n->of->type->sign, false, AT_UNIT_NONE);
}

/* A duration written in the script, beside a plain number, is just a number: nsecs + 5ms. */
static bool only_written(const struct at_node *a, const struct at_node *b)
{
	return a->kind == AT_N_INT && !b->type->literal;
}

static enum at_unit unit_of(enum at_binop op, const struct at_node *l, const struct at_node *r)
{
	bool lu = l->type->unit == AT_UNIT_NS, ru = r->type->unit == AT_UNIT_NS;

	switch (op) {
	case AT_B_ADD:
	case AT_B_SUB:
		if (lu && ru)
			return AT_UNIT_NS;
		if (lu)
			return only_written(l, r) ? AT_UNIT_NONE : AT_UNIT_NS;
		return ru && !only_written(r, l) ? AT_UNIT_NS : AT_UNIT_NONE;
	case AT_B_MUL:
		return lu != ru ? AT_UNIT_NS : AT_UNIT_NONE;
	case AT_B_DIV:
		return lu && !ru ? AT_UNIT_NS : AT_UNIT_NONE;
	case AT_B_MOD:
		return lu ? AT_UNIT_NS : AT_UNIT_NONE;
	default:
		return AT_UNIT_NONE;
	}
}

const struct at_type *at_check_arith(struct at_check *c, enum at_binop op,
				     const struct at_node *l, const struct at_node *r)
{
	const char *text = at_binop_text(op);
	bool literal, sign;
	int64_t v;

	if (!want_int(c, l, text) || !want_int(c, r, text))
		return NULL;
	if ((op == AT_B_DIV || op == AT_B_MOD) && r->kind == AT_N_INT && at_fold_int(r, &v) &&
	    !v) {
		at_diag(c->diags, AT_D_DIVISION_BY_ZERO, r->range, "division by zero");
		return NULL;
	}
	literal = at_check_flexible(l->type) && at_check_flexible(r->type) && op != AT_B_SUB;
	sign = op == AT_B_SUB ||
	       (op == AT_B_SHL || op == AT_B_SHR ? l->type->sign && !at_check_flexible(l->type)
						 : at_type_signed_pair(l->type, r->type));
	return at_check_word(sign, literal, unit_of(op, l, r));
}

static bool has_enum_name(const struct at_type *t, const char *name)
{
	for (unsigned i = 0; i < t->nnames; i++)
		if (strcmp(t->names[i].name, name) == 0)
			return true;
	return false;
}

/* args.end == "reset": the string stands for the value of that name. */
static const struct at_type *compare_enum(struct at_check *c, const struct at_type *t,
					  struct at_node *name)
{
	const char *text = ((struct at_n_string *)name)->text, *all = "";

	name->type = t;
	if (has_enum_name(t, text))
		return &at_type_bool;
	for (unsigned i = 0; i < t->nnames; i++)
		all = at_sprintf(c->arena, "%s%s%s", all,
				 !i                  ? ""
				 : i + 1 < t->nnames ? ", "
						     : " or ",
				 t->names[i].name);
	at_diag(c->diags, AT_D_ENUM_NAME, name->range, "\"%s\" is not one of its values", text);
	at_hint(c->diags, "it is %s", all);
	return NULL;
}

static bool comparable(struct at_check *c, enum at_binop op, const struct at_type *l,
		       const struct at_type *r)
{
	bool equality = op == AT_B_EQ || op == AT_B_NE;

	if (at_type_is_word(l) && at_type_is_word(r))
		return true;
	if (!equality || l->kind != r->kind)
		return false;
	if (l->kind == AT_T_TUPLE)
		return at_check_unify(c, l, r) != NULL;
	return l->kind == AT_T_STRING || l->kind == AT_T_INET;
}

static const struct at_type *check_comparison(struct at_check *c, struct at_n_binary *n)
{
	const struct at_type *l = at_check_expr(c, n->left), *r;

	if (l && l->kind == AT_T_ENUM && n->right->kind == AT_N_STRING)
		return compare_enum(c, l, n->right);
	r = at_check_expr(c, n->right);
	if (r && r->kind == AT_T_ENUM && n->left->kind == AT_N_STRING)
		return compare_enum(c, r, n->left);
	if (!l || !r)
		return NULL;
	if (comparable(c, n->op, l, r))
		return &at_type_bool;
	at_diag(c->diags, AT_D_TYPE_MISMATCH, n->n.range, "`%s` cannot compare %s with %s",
		at_binop_text(n->op), at_check_text(c, l), at_check_text(c, r));
	return NULL;
}

static const struct at_type *check_binary(struct at_check *c, struct at_node *e)
{
	struct at_n_binary *n = (struct at_n_binary *)e;

	if (n->op == AT_B_LAND || n->op == AT_B_LOR) {
		at_check_truth(c, n->left);
		at_check_truth(c, n->right);
		return n->left->type && n->right->type ? &at_type_bool : NULL;
	}
	if (n->op >= AT_B_LT && n->op <= AT_B_NE)
		return check_comparison(c, n);
	at_check_expr(c, n->left);
	at_check_expr(c, n->right);
	if (!n->left->type || !n->right->type)
		return NULL;
	return at_check_arith(c, n->op, n->left, n->right);
}

static const struct at_type *common(struct at_check *c, const struct at_node *e,
				    const struct at_type *a, const struct at_type *b)
{
	const struct at_type *t;

	if (!a || !b)
		return NULL;
	t = at_check_unify(c, a, b);
	if (!t)
		at_diag(c->diags, AT_D_TYPE_MISMATCH, e->range,
			"the two values have different types: %s and %s", at_check_text(c, a),
			at_check_text(c, b));
	return t;
}

static const struct at_type *check_ternary(struct at_check *c, struct at_node *e)
{
	struct at_n_ternary *n = (struct at_n_ternary *)e;
	const struct at_type *yes, *no;

	at_check_truth(c, n->cond);
	yes = n->yes ? at_check_expr(c, n->yes) : n->cond->type;
	no = at_check_expr(c, n->no);
	return common(c, e, yes, no);
}

static const struct at_type *check_incdec(struct at_check *c, struct at_node *e)
{
	struct at_n_incdec *n = (struct at_n_incdec *)e;
	struct at_node step = { AT_N_INT, e->range,
				at_check_word(true, !n->decrement, AT_UNIT_NONE) };

	if (n->of->kind == AT_N_MAP) {
		struct at_n_map *m = (struct at_n_map *)n->of;

		n->of->type = NULL;
		if (!at_check_map_access(c, m)) {
			m->map->assigned = true;
			return NULL;
		}
		return n->of->type = at_check_map_value(c, m, step.type, e->range);
	}
	if (!at_check_expr(c, n->of) || !want_int(c, n->of, n->decrement ? "--" : "++"))
		return NULL;
	if (n->of->kind != AT_N_VAR) {
		at_diag(c->diags, AT_D_TYPE_MISMATCH, n->of->range,
			"only variables and maps can be counted up and down");
		return NULL;
	}
	at_scope_take(c, ((struct at_n_var *)n->of)->var, &step);
	return n->of->type = ((struct at_n_var *)n->of)->var->type;
}

static const struct at_type *check_cast(struct at_check *c, struct at_node *e)
{
	struct at_n_cast *n = (struct at_n_cast *)e;
	const struct at_type *to = at_check_type_name(c, n->to),
			     *from = at_check_expr(c, n->of);

	if (!to || !from)
		return NULL;
	if (at_type_is_word(to) && at_type_is_word(from))
		return to;
	at_diag(c->diags, AT_D_TYPE_MISMATCH, e->range, "%s cannot be made %s",
		at_check_text(c, from), at_check_text(c, to));
	return NULL;
}

/* ---- Values of several parts ---- */

static const struct at_type *check_tuple(struct at_check *c, struct at_node *e)
{
	struct at_n_tuple *n = (struct at_n_tuple *)e;
	const struct at_type **elems =
		at_new_n(c->arena, const struct at_type *, n->elems.n + 1);
	const struct at_type *t;
	bool ok = true;

	for (size_t i = 0; i < n->elems.n; i++) {
		struct at_node *part = n->elems.v[i];

		if (!at_check_expr(c, part)) {
			ok = false;
			continue;
		}
		elems[i] = at_check_kept(c, part);
		if (!part->type->size) {
			at_diag(c->diags, AT_D_TYPE_MISMATCH, part->range, "%s is no value",
				at_check_text(c, part->type));
			ok = false;
		}
	}
	if (!ok)
		return NULL;
	t = at_type_tuple(c->arena, elems, n->elems.n);
	for (size_t i = 0; i < n->names.n && i < n->elems.n; i++)
		((struct at_type_field *)t->fields)[i].name = n->names.v[i];
	return t;
}

/* sizeof(pid): a builtin variable looks like the name of a type. */
static void sizeof_variable(struct at_check *c, struct at_n_sizeof *n)
{
	const struct at_func *f = at_lang_func(c->lang, n->of_type->name);
	struct at_n_ident *name;

	if (!f || !(f->flags & AT_F_VAR) || n->of_type->tag || n->of_type->stars)
		return;
	name = at_new(c->arena, struct at_n_ident);
	name->n = (struct at_node){ .kind = AT_N_IDENT, .range = n->of_type->range };
	name->name = n->of_type->name;
	n->of = &name->n;
	n->of_type = NULL;
}

static const struct at_type *check_sizeof(struct at_check *c, struct at_node *e)
{
	struct at_n_sizeof *n = (struct at_n_sizeof *)e;
	const struct at_type *t;

	if (n->of_type)
		sizeof_variable(c, n);
	t = n->of_type ? at_check_type_name(c, n->of_type) : at_check_expr(c, n->of);

	if (!t)
		return NULL;
	if (n->of_type && !n->of) { /* lowering reads the size from the node's type */
		n->of = at_new(c->arena, struct at_node);
		n->of->kind = AT_N_INT;
	}
	n->of->type = t;
	return at_check_word(true, true, AT_UNIT_NONE);
}

static const struct at_type *check_offsetof(struct at_check *c, struct at_node *e)
{
	at_diag(c->diags, AT_D_NOT_YET, e->range, "offsetof does not work yet");
	return NULL;
}

static const struct at_type *check_block_value(struct at_check *c, struct at_node *e)
{
	struct at_n_block *n = (struct at_n_block *)e;

	at_check_stmts(c, n);
	return n->value ? n->n.type : &at_type_void;
}

static const struct at_type *check_if_value(struct at_check *c, struct at_node *e)
{
	struct at_n_if *n = (struct at_n_if *)e;
	const struct at_type *yes, *no;

	at_check_truth(c, n->cond);
	yes = at_check_expr(c, &n->yes->n);
	no = n->no ? at_check_expr(c, n->no) : &at_type_void;
	return common(c, e, yes, no);
}

static const struct at_type *check_call(struct at_check *c, struct at_node *e)
{
	return at_check_call(c, (struct at_n_call *)e);
}

static const struct at_type *(*const exprs[AT_N_COUNT])(struct at_check *, struct at_node *) = {
	[AT_N_INT] = check_int,         [AT_N_BOOL] = check_bool,
	[AT_N_STRING] = check_string,   [AT_N_IDENT] = check_ident,
	[AT_N_PARAM] = check_param,     [AT_N_VAR] = check_var,
	[AT_N_MAP] = check_map,         [AT_N_CALL] = check_call,
	[AT_N_FIELD] = at_check_field,     [AT_N_TINDEX] = at_check_tindex,
	[AT_N_INDEX] = at_check_index,     [AT_N_UNARY] = check_unary,
	[AT_N_INCDEC] = check_incdec,   [AT_N_BINARY] = check_binary,
	[AT_N_TERNARY] = check_ternary, [AT_N_CAST] = check_cast,
	[AT_N_TUPLE] = check_tuple,     [AT_N_RECORD] = check_tuple,
	[AT_N_SIZEOF] = check_sizeof,   [AT_N_OFFSETOF] = check_offsetof,
	[AT_N_IF] = check_if_value,     [AT_N_BLOCK] = check_block_value,
};

/* A value that there is only in the kernel's memory, too large to be copied whole. */
static bool only_parts(const struct at_type *t)
{
	enum { MOST = 1024 };

	if (t->kind == AT_T_ARRAY)
		return t->size > MOST || !at_type_is_word(t->elem);
	return t->kind == AT_T_STRUCT && t->far;
}

const struct at_type *at_check_expr(struct at_check *c, struct at_node *e)
{
	e->type = exprs[e->kind] ? exprs[e->kind](c, e) : NULL;
	if (!e->type || !only_parts(e->type))
		return e->type;
	at_diag(c->diags, AT_D_NOT_YET, e->range, "%s cannot be used as a whole yet",
		at_check_text(c, e->type));
	at_hint(c->diags, e->type->kind == AT_T_STRUCT ? "use its fields" : "use its elements");
	return e->type = NULL;
}
