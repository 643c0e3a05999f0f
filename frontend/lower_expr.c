/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions in core IR. A word always stands extended to 64 bits by its
 * type's sign, so that arithmetic and comparisons need no further care; && ||
 * and ?: evaluate what they need and no more.
 */
#include "frontend/lower_int.h"

#include <string.h>

bool at_lower_too_deep(struct at_lower *lw, const struct at_node *e)
{
	enum { ROOM = 14 }; /* levels that one expression or function may open by itself */

	if (lw->b->depth + ROOM < AT_IR_DEPTH && !at_lower_low(lw))
		return false;
	if (!lw->frame->too_deep)
		at_diag(lw->diags, AT_D_SCRIPT_COMPLEX, e->range, "this is nested too deeply");
	lw->frame->too_deep = true;
	return true;
}

/* ---- Words ---- */

struct at_ir *at_lower_fit(struct at_lower *lw, const struct at_type *to,
			   const struct at_type *from, struct at_ir *word)
{
	static const enum at_ir_op ops[2][8] = {
		{ [1] = AT_OP_ZEXT8, [2] = AT_OP_ZEXT16, [4] = AT_OP_ZEXT32 },
		{ [1] = AT_OP_SEXT8, [2] = AT_OP_SEXT16, [4] = AT_OP_SEXT32 },
	};

	if (to->kind == AT_T_BOOL)
		return from->kind == AT_T_BOOL ? word : ir_un(lw->b, AT_OP_BOOL, word);
	if (to->size >= 8 || !to->size || at_type_equal(to, from))
		return word;
	return ir_un(lw->b, ops[to->sign][to->size], word);
}

struct at_ir *at_lower_load(struct at_lower *lw, const struct at_type *t, struct at_ir *addr,
			    int64_t off)
{
	return t->sign && t->size < 8 ? ir_loads(lw->b, t->size, addr, off)
				      : ir_load(lw->b, t->size, addr, off);
}

struct at_ir *at_lower_word(struct at_lower *lw, struct at_node *e)
{
	return at_lower_value(lw, e).ir;
}

struct at_ir *at_lower_cond(struct at_lower *lw, struct at_node *e)
{
	return at_lower_word(lw, e);
}

/* ---- Leaves ---- */

static struct at_val constant(struct at_lower *lw, const struct at_type *t, int64_t v)
{
	return at_word(t, ir_const(lw->b, v));
}

static struct at_val lower_int(struct at_lower *lw, struct at_node *e)
{
	return constant(lw, e->type, (int64_t)((struct at_n_int *)e)->value);
}

/* Not in memory: at_lower_expr() puts it there for who needs that. */
static struct at_val literal(const struct at_node *e, const char *text)
{
	return (struct at_val){ .type = e->type, .literal = text };
}

static struct at_val lower_string(struct at_lower *lw, struct at_node *e)
{
	return literal(e, ((struct at_n_string *)e)->text);
}

static struct at_val lower_param(struct at_lower *lw, struct at_node *e)
{
	int64_t v;

	if (e->type->kind == AT_T_STRING)
		return literal(e, at_fold_string(e));
	at_fold_int(e, &v);
	return constant(lw, e->type, v);
}

static struct at_val lower_call(struct at_lower *lw, struct at_node *e)
{
	struct at_n_call *n = (struct at_n_call *)e;
	const struct at_provider *p = lw->point->provider;
	struct at_val v;

	if (n->func->flags & AT_F_VAR && p->builtin && p->builtin(lw, n->func, &v))
		return v;
	return n->func->lower(lw, n);
}

static struct at_val lower_ident(struct at_lower *lw, struct at_node *e)
{
	return lower_call(lw, &((struct at_n_ident *)e)->call->n);
}

static struct at_val lower_var(struct at_lower *lw, struct at_node *e)
{
	return at_frame_read(lw, ((struct at_n_var *)e)->var);
}

static struct at_val lower_map(struct at_lower *lw, struct at_node *e)
{
	return at_lower_map_read(lw, (struct at_n_map *)e);
}

static struct at_val lower_sizeof(struct at_lower *lw, struct at_node *e)
{
	return constant(lw, e->type, ((struct at_n_sizeof *)e)->of->type->size);
}

/* ---- Tuples ---- */

static struct at_val lower_tindex(struct at_lower *lw, struct at_node *e)
{
	struct at_n_tindex *n = (struct at_n_tindex *)e;

	return at_lower_part(lw, at_lower_expr(lw, n->of), &n->of->type->fields[n->index]);
}

static struct at_val lower_tuple(struct at_lower *lw, struct at_node *e)
{
	struct at_n_tuple *n = (struct at_n_tuple *)e;
	struct at_val v = { .type = e->type, .ir = at_lower_temp(lw, e->type->size) };

	ir_zero(lw->b, v.ir, 0, (e->type->size + 7) & ~7u);
	for (size_t i = 0; i < n->elems.n; i++)
		at_lower_store(lw, e->type->fields[i].type, v.ir, e->type->fields[i].offset,
			       at_lower_value(lw, n->elems.v[i]));
	return v;
}

/* ---- Operators ---- */

static struct at_val lower_unary(struct at_lower *lw, struct at_node *e)
{
	struct at_n_unary *n = (struct at_n_unary *)e;
	struct at_ir *v = at_lower_word(lw, n->of);
	enum at_ir_op op = n->op == '-' ? AT_OP_NEG : n->op == '!' ? AT_OP_ISZERO : AT_OP_NOT;

	return at_word(e->type, ir_un(lw->b, op, v));
}

/* [operator][signed] */
static const enum at_ir_op ops[AT_B_NONE][2] = {
	[AT_B_MUL] = { AT_OP_MUL, AT_OP_MUL },   [AT_B_DIV] = { AT_OP_UDIV, AT_OP_SDIV },
	[AT_B_MOD] = { AT_OP_UMOD, AT_OP_SMOD }, [AT_B_ADD] = { AT_OP_ADD, AT_OP_ADD },
	[AT_B_SUB] = { AT_OP_SUB, AT_OP_SUB },   [AT_B_SHL] = { AT_OP_SHL, AT_OP_SHL },
	[AT_B_SHR] = { AT_OP_SHR, AT_OP_SAR },   [AT_B_LT] = { AT_OP_ULT, AT_OP_SLT },
	[AT_B_GT] = { AT_OP_UGT, AT_OP_SGT },    [AT_B_LE] = { AT_OP_ULE, AT_OP_SLE },
	[AT_B_GE] = { AT_OP_UGE, AT_OP_SGE },    [AT_B_EQ] = { AT_OP_EQ, AT_OP_EQ },
	[AT_B_NE] = { AT_OP_NE, AT_OP_NE },      [AT_B_AND] = { AT_OP_AND, AT_OP_AND },
	[AT_B_XOR] = { AT_OP_XOR, AT_OP_XOR },   [AT_B_OR] = { AT_OP_OR, AT_OP_OR },
};

/* A division is signed when its result is, a shift when what is shifted is. */
struct at_ir *at_lower_arith(struct at_lower *lw, enum at_binop op,
			     const struct at_type *result, const struct at_type *left_type,
			     struct at_ir *l, struct at_ir *r)
{
	bool sign = op == AT_B_SHR ? left_type->sign : result->sign;

	return ir_bin(lw->b, ops[op][sign], l, r);
}

static struct at_val lower_logic(struct at_lower *lw, struct at_n_binary *n)
{
	struct at_irb *b = lw->b;
	bool both = n->op == AT_B_LAND;
	unsigned result = ir_local(b);
	struct at_ir *l;

	ir_set(b, result, ir_const(b, !both));
	l = at_lower_cond(lw, n->left);
	ir_if(b, both ? l : ir_iszero(b, l));
	ir_set(b, result, ir_un(b, AT_OP_BOOL, at_lower_cond(lw, n->right)));
	ir_end(b);
	return at_word(&at_type_bool, ir_get(b, result));
}

static struct at_val negated_if(struct at_lower *lw, bool negate, struct at_ir *equal)
{
	return at_word(&at_type_bool, negate ? ir_iszero(lw->b, equal) : equal);
}

static int64_t enum_value(const struct at_type *t, const struct at_node *name)
{
	const char *text = ((const struct at_n_string *)name)->text;

	for (unsigned i = 0; i < t->nnames; i++)
		if (strcmp(t->names[i].name, text) == 0)
			return t->names[i].value;
	return 0;
}

static struct at_val compare_enum(struct at_lower *lw, struct at_n_binary *n)
{
	bool right = n->right->kind == AT_N_STRING;
	struct at_node *value = right ? n->left : n->right, *name = right ? n->right : n->left;

	return negated_if(
		lw, n->op == AT_B_NE,
		ir_eqi(lw->b, at_lower_word(lw, value), enum_value(value->type, name)));
}

static struct at_ir *in_memory(struct at_lower *lw, const struct at_type *t, struct at_val v)
{
	struct at_ir *addr = at_lower_temp(lw, t->size);

	ir_zero(lw->b, addr, 0, (t->size + 7) & ~7u);
	at_lower_store(lw, t, addr, 0, v);
	return addr;
}

static struct at_val compare_bytes(struct at_lower *lw, struct at_n_binary *n)
{
	const struct at_type *t = at_check_unify(lw->check, n->left->type, n->right->type);
	struct at_ir *l, *r;

	if (t->kind == AT_T_STRING) {
		struct at_val x = at_lower_value(lw, n->left), y = at_lower_value(lw, n->right);

		return negated_if(lw, n->op == AT_B_NE, at_lower_streq(lw, x, y));
	}
	l = in_memory(lw, t, at_lower_expr(lw, n->left));
	r = in_memory(lw, t, at_lower_expr(lw, n->right));
	return negated_if(lw, n->op == AT_B_NE,
			  ir_let(lw->b, at_lower_memeq(lw, l, r, t->size, t->align)));
}

/* The left side is evaluated before what the right side may change. */
static struct at_ir *left_word(struct at_lower *lw, struct at_n_binary *n)
{
	struct at_ir *l = at_lower_word(lw, n->left);

	return n->right->kind == AT_N_INT || n->right->kind == AT_N_BOOL ? l : ir_let(lw->b, l);
}

static struct at_val lower_comparison(struct at_lower *lw, struct at_n_binary *n)
{
	const struct at_type *lt = n->left->type, *rt = n->right->type;
	struct at_ir *l, *r;
	bool sign;

	if (n->left->kind == AT_N_STRING
		    ? rt->kind == AT_T_ENUM
		    : lt->kind == AT_T_ENUM && n->right->kind == AT_N_STRING)
		return compare_enum(lw, n);
	if (!at_type_is_word(lt))
		return compare_bytes(lw, n);
	sign = at_type_signed_pair(lt, rt);
	l = left_word(lw, n);
	r = at_lower_word(lw, n->right);
	return at_word(&at_type_bool, ir_bin(lw->b, ops[n->op][sign], l, r));
}

static struct at_val lower_binary(struct at_lower *lw, struct at_node *e)
{
	struct at_n_binary *n = (struct at_n_binary *)e;
	struct at_ir *l, *r;
	int64_t v;

	if (n->op == AT_B_LAND || n->op == AT_B_LOR)
		return lower_logic(lw, n);
	if (n->op >= AT_B_LT && n->op <= AT_B_NE)
		return lower_comparison(lw, n);
	if (e->type->sign && at_fold_int(e, &v))
		return constant(lw, e->type, v);
	l = left_word(lw, n);
	r = at_lower_word(lw, n->right);
	return at_word(e->type, at_lower_arith(lw, n->op, e->type, n->left->type, l, r));
}

/* ---- One of two values ---- */

/* Where the chosen value goes: a local or memory, with what makes a string secret. */
struct choice {
	const struct at_type *type;
	unsigned word, secret, hash;
	struct at_ir *addr;
	bool may_secret;
};

static void choose_begin(struct at_lower *lw, struct choice *c, const struct at_type *type)
{
	*c = (struct choice){ .type = type };
	if (type->kind == AT_T_VOID)
		return;
	if (at_type_is_word(type)) {
		c->word = ir_local(lw->b);
		return;
	}
	c->addr = at_lower_temp(lw, type->size);
	c->secret = ir_local(lw->b);
	c->hash = ir_local(lw->b);
	ir_set(lw->b, c->secret, ir_const(lw->b, 0));
	ir_set(lw->b, c->hash, ir_const(lw->b, 0));
}

static void choose(struct at_lower *lw, struct choice *c, struct at_val v)
{
	if (c->type->kind == AT_T_VOID)
		return;
	if (at_type_is_word(c->type)) {
		ir_set(lw->b, c->word, at_lower_fit(lw, c->type, v.type, v.ir));
		return;
	}
	if (c->type->kind != AT_T_STRING) {
		at_lower_store(lw, c->type, c->addr, 0, v);
		return;
	}
	if (v.secret) {
		c->may_secret = true;
		ir_set(lw->b, c->hash, at_lower_secret_hash(lw, v));
		ir_set(lw->b, c->secret, v.secret);
	}
	at_lower_put_text(lw, c->addr, 0, c->type->size, v, true);
}

static struct at_val chosen(struct at_lower *lw, const struct choice *c)
{
	struct at_val v = { .type = c->type, .ir = c->addr };

	if (c->type->kind != AT_T_VOID && at_type_is_word(c->type))
		v.ir = ir_get(lw->b, c->word);
	if (c->may_secret) {
		v.secret = ir_get(lw->b, c->secret);
		v.hash = ir_get(lw->b, c->hash);
	}
	return v;
}

static struct at_val lower_ternary(struct at_lower *lw, struct at_node *e)
{
	struct at_n_ternary *n = (struct at_n_ternary *)e;
	struct at_ir *cond;
	struct choice c;

	choose_begin(lw, &c, e->type);
	cond = ir_let(lw->b, at_lower_cond(lw, n->cond));
	ir_if(lw->b, cond);
	choose(lw, &c, n->yes ? at_lower_value(lw, n->yes) : at_word(n->cond->type, cond));
	ir_else(lw->b);
	choose(lw, &c, at_lower_value(lw, n->no));
	ir_end(lw->b);
	return chosen(lw, &c);
}

static struct at_val lower_if_value(struct at_lower *lw, struct at_node *e)
{
	struct at_n_if *n = (struct at_n_if *)e;
	struct choice c;

	choose_begin(lw, &c, e->type);
	ir_if(lw->b, at_lower_cond(lw, n->cond));
	choose(lw, &c, at_lower_value(lw, &n->yes->n));
	ir_else(lw->b);
	if (n->no)
		choose(lw, &c, at_lower_value(lw, n->no));
	ir_end(lw->b);
	return chosen(lw, &c);
}

static struct at_val lower_block_expr(struct at_lower *lw, struct at_node *e)
{
	struct at_n_block *n = (struct at_n_block *)e;

	if (n->value && e->type->kind != AT_T_VOID)
		return at_lower_block_value(lw, n, e->type);
	at_lower_block(lw, n);
	return (struct at_val){ .type = &at_type_void, .ir = ir_const(lw->b, 0) };
}

/* ---- Counting up and down ---- */

static struct at_val lower_incdec(struct at_lower *lw, struct at_node *e)
{
	struct at_n_incdec *n = (struct at_n_incdec *)e;
	struct at_irb *b = lw->b;
	enum at_binop op = n->decrement ? AT_B_SUB : AT_B_ADD;
	struct at_var *v;
	struct at_val old;
	struct at_ir *new;

	if (n->of->kind == AT_N_MAP)
		return at_word(e->type,
			       at_lower_map_change(lw, (struct at_n_map *)n->of, op,
						   ir_const(b, 1), e->type,
						   n->prefix ? AT_WANT_AFTER : AT_WANT_BEFORE));
	v = ((struct at_n_var *)n->of)->var;
	old = at_frame_read(lw, v);
	old.ir = ir_let(b, old.ir);
	new = ir_let(b,
		     ir_bin(b, n->decrement ? AT_OP_SUB : AT_OP_ADD, old.ir, ir_const(b, 1)));
	at_frame_assign(lw, v, at_word(&at_type_int64, new));
	return n->prefix ? at_frame_read(lw, v) : old;
}

static struct at_val lower_cast(struct at_lower *lw, struct at_node *e)
{
	struct at_n_cast *n = (struct at_n_cast *)e;
	struct at_val v = at_lower_value(lw, n->of);

	return at_word(e->type, at_lower_fit(lw, e->type, v.type, v.ir));
}

static struct at_val (*const exprs[AT_N_COUNT])(struct at_lower *, struct at_node *) = {
	[AT_N_INT] = lower_int,          [AT_N_BOOL] = lower_int,
	[AT_N_STRING] = lower_string,    [AT_N_IDENT] = lower_ident,
	[AT_N_PARAM] = lower_param,      [AT_N_VAR] = lower_var,
	[AT_N_MAP] = lower_map,          [AT_N_CALL] = lower_call,
	[AT_N_FIELD] = at_lower_field,      [AT_N_TINDEX] = lower_tindex,
	[AT_N_INDEX] = at_lower_index,      [AT_N_UNARY] = lower_unary,
	[AT_N_INCDEC] = lower_incdec,    [AT_N_BINARY] = lower_binary,
	[AT_N_TERNARY] = lower_ternary,  [AT_N_CAST] = lower_cast,
	[AT_N_TUPLE] = lower_tuple,      [AT_N_RECORD] = lower_tuple,
	[AT_N_SIZEOF] = lower_sizeof,    [AT_N_IF] = lower_if_value,
	[AT_N_BLOCK] = lower_block_expr,
};

struct at_val at_lower_value(struct at_lower *lw, struct at_node *e)
{
	struct at_range outer = lw->b->range;
	struct at_val v;

	if (at_lower_too_deep(lw, e))
		return (struct at_val){ .type = e->type, .ir = ir_const(lw->b, 0) };
	lw->b->range = e->range;
	v = exprs[e->kind](lw, e);
	lw->b->range = outer;
	return v;
}

struct at_val at_lower_expr(struct at_lower *lw, struct at_node *e)
{
	struct at_val v = at_lower_value(lw, e);

	if (v.literal && !v.ir)
		v.ir = at_lower_literal(lw, v.literal).ir;
	return v;
}

/* ---- Values in memory ---- */

static void store_tuple(struct at_lower *lw, const struct at_type *as, struct at_ir *addr,
			int64_t off, struct at_val v)
{
	if (at_type_equal(as, v.type)) {
		ir_copy(lw->b, addr, off, v.ir, 0, as->size);
		return;
	}
	for (unsigned i = 0; i < as->nfields && i < v.type->nfields; i++)
		at_lower_store(lw, as->fields[i].type, addr, off + as->fields[i].offset,
			       at_lower_part(lw, v, &v.type->fields[i]));
}

void at_lower_store(struct at_lower *lw, const struct at_type *as, struct at_ir *addr,
		    int64_t off, struct at_val v)
{
	if (at_type_is_word(as))
		ir_store(lw->b, as->size, addr, off, at_lower_fit(lw, as, v.type, v.ir));
	else if (as->kind == AT_T_STRING)
		at_lower_store_text(lw, addr, off, as->size, v);
	else if (as->kind == AT_T_TUPLE)
		store_tuple(lw, as, addr, off, v);
	else
		ir_copy(lw->b, addr, off, v.ir, 0, as->size);
}
