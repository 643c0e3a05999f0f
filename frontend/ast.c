/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constructors that the grammar's actions call, one per node kind. They
 * keep the depth of the tree within AT_MAX_DEPTH and settle which blocks are
 * values; they decide nothing about types or names.
 */
#include <errno.h>

#include "frontend/parse.h"
#include "lib/base/num.h"

#define NEW(p, kind, suffix, r)                                                                \
	((struct at_n_##suffix *)make(p, AT_N_##kind, sizeof(struct at_n_##suffix), r))

static const char *const binop_text[] = {
	[AT_B_MUL] = "*",   [AT_B_DIV] = "/",  [AT_B_MOD] = "%",  [AT_B_ADD] = "+",
	[AT_B_SUB] = "-",   [AT_B_SHL] = "<<", [AT_B_SHR] = ">>", [AT_B_LT] = "<",
	[AT_B_GT] = ">",    [AT_B_LE] = "<=",  [AT_B_GE] = ">=",  [AT_B_EQ] = "==",
	[AT_B_NE] = "!=",   [AT_B_AND] = "&",  [AT_B_XOR] = "^",  [AT_B_OR] = "|",
	[AT_B_LAND] = "&&", [AT_B_LOR] = "||", [AT_B_NONE] = "",
};

const char *at_binop_text(enum at_binop op)
{
	return binop_text[op];
}

void at_too_complex(struct at_parser *p, struct at_range r)
{
	if (!p->stopped)
		at_diag(p->diags, AT_D_SCRIPT_COMPLEX, r,
			"the script is too complex: this is nested too deep");
	p->stopped = true;
}

static void *make(struct at_parser *p, enum at_node_kind kind, size_t size, struct at_range r)
{
	struct at_node *n = at_alloc(p->arena, size);

	n->kind = kind;
	n->range = r;
	n->depth = 1;
	return n;
}

/* n contains child: its depth follows. Returns child. */
static void *has(struct at_parser *p, struct at_node *n, struct at_node *child)
{
	if (child && child->depth >= n->depth)
		n->depth = child->depth + 1;
	if (n->depth > AT_MAX_DEPTH)
		at_too_complex(p, n->range);
	return child;
}

static at_nodes has_all(struct at_parser *p, struct at_node *n, at_nodes children)
{
	for (size_t i = 0; i < children.n; i++)
		has(p, n, children.v[i]);
	return children;
}

/* ---- Leaves ---- */

static uint64_t read_number(struct at_parser *p, struct at_range r, bool *duration)
{
	const char *s = at_token_text(p, r);
	int n = (int)(r.end - r.beg), err;
	uint64_t v = 0;

	err = at_num_uint(s, (size_t)n, &v, duration);
	if (err == -ERANGE)
		at_diag(p->diags, AT_D_BAD_NUMBER, r, "`%.*s` is too large for its type", n, s);
	else if (err)
		at_diag(p->diags, AT_D_BAD_NUMBER, r, "`%.*s` is no number", n, s);
	if (err == -EINVAL)
		at_hint(p->diags,
			"numbers are 42 0x2a 052 0b101 1_000 1e6, with u l ul ll ull or "
			"ns us ms s m h d behind them");
	return err ? 0 : v;
}

struct at_node *at_ast_int(struct at_parser *p, struct at_range r, enum at_node_kind kind)
{
	struct at_n_int *n = make(p, kind, sizeof(*n), r);
	bool duration = false;

	if (kind == AT_N_BOOL)
		n->value = *at_token_text(p, r) == 't';
	else
		n->value = read_number(p, r, &duration);
	n->unit = duration ? AT_UNIT_NS : AT_UNIT_NONE;
	return &n->n;
}

struct at_node *at_ast_string(struct at_parser *p, struct at_range r)
{
	struct at_n_string *n = NEW(p, STRING, string, r);

	n->text = at_token_string(p, r, &n->len);
	return &n->n;
}

struct at_node *at_ast_ident(struct at_parser *p, struct at_range r, const char *name)
{
	struct at_n_ident *n = NEW(p, IDENT, ident, r);

	n->name = name;
	return &n->n;
}

struct at_node *at_ast_param(struct at_parser *p, struct at_range r)
{
	struct at_n_param *n = NEW(p, PARAM, param, r);
	const char *s = at_token_text(p, r);
	uint64_t v = 0;

	for (uint32_t i = 1; i < r.end - r.beg && s[i] != '#' && v <= UINT16_MAX; i++)
		v = v * 10 + (uint64_t)(s[i] - '0');
	if (s[1] != '#' && (!v || v > UINT16_MAX))
		at_diag(p->diags, AT_D_BAD_NUMBER, r, "positional parameters are $1 to $%d",
			UINT16_MAX);
	n->number = (unsigned)v;
	return &n->n;
}

struct at_node *at_ast_var(struct at_parser *p, struct at_range r, const char *name)
{
	struct at_n_var *n = NEW(p, VAR, var, r);

	n->name = name;
	return &n->n;
}

struct at_node *at_ast_map(struct at_parser *p, struct at_range r, const char *name,
			   at_nodes keys)
{
	struct at_n_map *n = NEW(p, MAP, map, r);
	struct at_n_tuple *one = keys.n == 1 ? (struct at_n_tuple *)keys.v[0] : NULL;

	if (one && one->n.kind == AT_N_TUPLE && one->elems.n > 1)
		keys = one->elems; /* @m[(a, b)] is @m[a, b] */
	n->name = name;
	n->keys = has_all(p, &n->n, keys);
	return &n->n;
}

/* ---- Expressions ---- */

struct at_node *at_ast_call(struct at_parser *p, struct at_range r, const char *name,
			    struct at_range name_range, at_nodes args)
{
	struct at_n_call *n = NEW(p, CALL, call, r);

	n->name = name;
	n->name_range = name_range;
	n->args = has_all(p, &n->n, args);
	return &n->n;
}

struct at_node *at_ast_field(struct at_parser *p, struct at_range r, struct at_node *of,
			     const char *name, struct at_range name_range)
{
	struct at_n_field *n = NEW(p, FIELD, field, r);

	n->of = has(p, &n->n, of);
	n->name = name;
	n->name_range = name_range;
	return &n->n;
}

struct at_node *at_ast_tindex(struct at_parser *p, struct at_range r, struct at_node *of,
			      struct at_range number)
{
	struct at_n_tindex *n = NEW(p, TINDEX, tindex, r);
	bool duration;
	uint64_t v = read_number(p, number, &duration);

	n->of = has(p, &n->n, of);
	n->index = v > UINT32_MAX ? UINT32_MAX : (unsigned)v; /* no tuple is that wide */
	return &n->n;
}

struct at_node *at_ast_index(struct at_parser *p, struct at_range r, struct at_node *of,
			     struct at_node *index)
{
	struct at_n_index *n = NEW(p, INDEX, index, r);

	n->of = has(p, &n->n, of);
	n->index = has(p, &n->n, index);
	return &n->n;
}

struct at_node *at_ast_unary(struct at_parser *p, struct at_range r, char op,
			     struct at_node *of)
{
	struct at_n_unary *n = NEW(p, UNARY, unary, r);

	n->op = op;
	n->of = has(p, &n->n, of);
	return &n->n;
}

static void check_target(struct at_parser *p, const struct at_node *to, const char *what)
{
	if (to->kind == AT_N_VAR || to->kind == AT_N_MAP)
		return;
	at_diag(p->diags, AT_D_NOT_ASSIGNABLE, to->range, "%s needs a variable or a map", what);
	at_hint(p->diags, "variables are written $x, maps @x or @x[key]");
}

struct at_node *at_ast_incdec(struct at_parser *p, struct at_range r, bool prefix,
			      bool decrement, struct at_node *of)
{
	struct at_n_incdec *n = NEW(p, INCDEC, incdec, r);

	check_target(p, of, decrement ? "`--`" : "`++`");
	n->prefix = prefix;
	n->decrement = decrement;
	n->of = has(p, &n->n, of);
	return &n->n;
}

struct at_node *at_ast_binary(struct at_parser *p, struct at_range r, enum at_binop op,
			      struct at_node *left, struct at_node *right)
{
	struct at_n_binary *n = NEW(p, BINARY, binary, r);

	n->op = op;
	n->left = has(p, &n->n, left);
	n->right = has(p, &n->n, right);
	return &n->n;
}

struct at_node *at_ast_ternary(struct at_parser *p, struct at_range r, struct at_node *cond,
			       struct at_node *yes, struct at_node *no)
{
	struct at_n_ternary *n = NEW(p, TERNARY, ternary, r);

	n->cond = has(p, &n->n, cond);
	n->yes = has(p, &n->n, yes);
	n->no = has(p, &n->n, no);
	return &n->n;
}

struct at_node *at_ast_cast(struct at_parser *p, struct at_range r, struct at_type_name *to,
			    struct at_node *of)
{
	struct at_n_cast *n = NEW(p, CAST, cast, r);

	n->to = to;
	n->of = has(p, &n->n, of);
	return &n->n;
}

struct at_node *at_ast_tuple(struct at_parser *p, struct at_range r, struct at_node *first,
			     at_nodes rest)
{
	struct at_n_tuple *n = NEW(p, TUPLE, tuple, r);

	if (first)
		at_vec_push(p->arena, &n->elems, first);
	for (size_t i = 0; i < rest.n; i++)
		at_vec_push(p->arena, &n->elems, rest.v[i]);
	has_all(p, &n->n, n->elems);
	return &n->n;
}

struct at_node *at_ast_record(struct at_parser *p, struct at_range r)
{
	struct at_n_tuple *n = NEW(p, RECORD, tuple, r);

	return &n->n;
}

void at_ast_record_add(struct at_parser *p, struct at_node *record, const char *name,
		       struct at_node *value)
{
	struct at_n_tuple *n = (struct at_n_tuple *)record;

	at_vec_push(p->arena, &n->names, name);
	at_vec_push(p->arena, &n->elems, has(p, record, value));
}

struct at_node *at_ast_sizeof(struct at_parser *p, struct at_range r, struct at_node *of,
			      struct at_type_name *type)
{
	struct at_n_sizeof *n = NEW(p, SIZEOF, sizeof, r);

	n->of = has(p, &n->n, of);
	n->of_type = type;
	return &n->n;
}

struct at_node *at_ast_offsetof(struct at_parser *p, struct at_range r, struct at_node *of,
				struct at_type_name *type)
{
	struct at_n_offsetof *n = NEW(p, OFFSETOF, offsetof, r);

	n->of = has(p, &n->n, of);
	n->of_type = type;
	return &n->n;
}

void at_ast_offsetof_add(struct at_parser *p, struct at_node *n, const char *name)
{
	at_vec_push(p->arena, &((struct at_n_offsetof *)n)->path, name);
}

/* ---- Statements ---- */

struct at_node *at_ast_assign(struct at_parser *p, struct at_range r, struct at_node *to,
			      enum at_binop op, struct at_node *value)
{
	struct at_n_assign *n = NEW(p, ASSIGN, assign, r);
	bool discard = to->kind == AT_N_IDENT && !strcmp(((struct at_n_ident *)to)->name, "_");

	if (!discard || op != AT_B_NONE)
		check_target(p, to, "an assignment");
	n->to = has(p, &n->n, to);
	n->op = op;
	n->value = has(p, &n->n, value);
	return &n->n;
}

struct at_node *at_ast_let(struct at_parser *p, struct at_range r, const char *name,
			   struct at_range name_range, struct at_type_name *type,
			   struct at_node *value)
{
	struct at_n_let *n = NEW(p, LET, let, r);

	n->name = name;
	n->name_range = name_range;
	n->of_type = type;
	n->value = has(p, &n->n, value);
	return &n->n;
}

struct at_node *at_ast_if(struct at_parser *p, struct at_range r, struct at_node *cond,
			  struct at_n_block *yes, struct at_node *no)
{
	struct at_n_if *n = NEW(p, IF, if, r);

	n->cond = has(p, &n->n, cond);
	n->yes = has(p, &n->n, &yes->n);
	n->no = has(p, &n->n, no);
	return &n->n;
}

struct at_node *at_ast_while(struct at_parser *p, struct at_range r, struct at_node *cond,
			     struct at_n_block *body)
{
	struct at_n_while *n = NEW(p, WHILE, while, r);

	n->cond = has(p, &n->n, cond);
	n->body = has(p, &n->n, &body->n);
	return &n->n;
}

struct at_node *at_ast_unroll(struct at_parser *p, struct at_range r, struct at_node *times,
			      struct at_n_block *body)
{
	struct at_n_unroll *n = NEW(p, UNROLL, unroll, r);

	n->times = has(p, &n->n, times);
	n->body = has(p, &n->n, &body->n);
	return &n->n;
}

struct at_node *at_ast_for(struct at_parser *p, struct at_range r, const char *name,
			   struct at_range name_range, struct at_node *from, struct at_node *to,
			   struct at_n_block *body)
{
	struct at_n_for *n = NEW(p, FOR, for, r);

	if (!to && from->kind != AT_N_MAP) {
		at_diag(p->diags, AT_D_SYNTAX, from->range, "`for` wants a map or a range");
		at_hint(p->diags, "for $kv : @map { }, or for $i : 0..10 { }");
	}
	n->name = name;
	n->name_range = name_range;
	*(to ? &n->from : &n->over) = has(p, &n->n, from);
	n->to = has(p, &n->n, to);
	n->body = has(p, &n->n, &body->n);
	return &n->n;
}

struct at_node *at_ast_jump(struct at_parser *p, struct at_range r, enum at_node_kind kind)
{
	return make(p, kind, sizeof(struct at_n_jump), r);
}

struct at_node *at_ast_return(struct at_parser *p, struct at_range r, struct at_node *value)
{
	struct at_n_return *n = NEW(p, RETURN, return, r);

	n->value = has(p, &n->n, value);
	return &n->n;
}

/* ---- Blocks: which of them are values ---- */

static struct at_node *as_statement(struct at_parser *p, struct at_node *e)
{
	struct at_n_expr_stmt *n;

	if (e->kind >= AT_N_EXPR)
		return e;
	n = NEW(p, EXPR, expr_stmt, e->range);
	n->of = has(p, &n->n, e);
	return &n->n;
}

struct at_n_block *at_ast_block(struct at_parser *p, struct at_range r, at_nodes stmts,
				struct at_node *tail)
{
	struct at_n_block *n = NEW(p, BLOCK, block, r);

	for (size_t i = 0; i < stmts.n; i++)
		stmts.v[i] = as_statement(p, stmts.v[i]);
	n->stmts = has_all(p, &n->n, stmts);
	if (tail && tail->kind < AT_N_EXPR)
		n->value = has(p, &n->n, tail);
	else if (tail)
		at_vec_push(p->arena, &n->stmts, has(p, &n->n, tail));
	return n;
}

static void settle(struct at_parser *p, struct at_node *n, bool value);

static void settle_block(struct at_parser *p, struct at_n_block *b, bool value)
{
	struct at_node *last = b->stmts.n ? b->stmts.v[b->stmts.n - 1] : NULL;

	if (value && !b->value && last && (last->kind == AT_N_IF || last->kind == AT_N_BLOCK)) {
		b->value = last;
		b->stmts.n--;
		settle(p, last, true);
	} else if (!value && b->value) {
		at_vec_push(p->arena, &b->stmts, as_statement(p, b->value));
		b->value = NULL;
	}
	for (size_t i = 0; i < b->stmts.n; i++)
		settle(p, b->stmts.v[i], false);
}

/*
 * A block's last expression is its value only where a value is wanted;
 * elsewhere it is one more statement. Known when the outermost is complete.
 */
static void settle(struct at_parser *p, struct at_node *n, bool value)
{
	if (n->kind == AT_N_BLOCK) {
		settle_block(p, (struct at_n_block *)n, value);
	} else if (n->kind == AT_N_WHILE) {
		settle_block(p, ((struct at_n_while *)n)->body, false);
	} else if (n->kind == AT_N_UNROLL) {
		settle_block(p, ((struct at_n_unroll *)n)->body, false);
	} else if (n->kind == AT_N_FOR) {
		settle_block(p, ((struct at_n_for *)n)->body, false);
	} else if (n->kind == AT_N_IF) {
		struct at_n_if *i = (struct at_n_if *)n;

		settle_block(p, i->yes, value);
		if (i->no)
			settle(p, i->no, value);
	}
}

struct at_node *at_ast_value(struct at_parser *p, struct at_node *n)
{
	settle(p, n, true);
	return n;
}

/* ---- Types as written ---- */

struct at_type_name *at_ast_type(struct at_parser *p, struct at_range r, const char *tag,
				 const char *name)
{
	struct at_type_name *t = at_new(p->arena, struct at_type_name);

	t->range = r;
	t->tag = tag;
	t->name = name;
	return t;
}

void at_ast_type_word(struct at_parser *p, struct at_type_name *t, const char *word)
{
	t->name = at_sprintf(p->arena, "%s %s", t->name, word);
}

void at_ast_type_dim(struct at_parser *p, struct at_type_name *t, struct at_node *n)
{
	uint64_t v = n ? ((struct at_n_int *)n)->value : UINT64_MAX;

	if (n && v > INT32_MAX)
		at_diag(p->diags, AT_D_BAD_NUMBER, n->range, "no array is that long");
	at_vec_push(p->arena, &t->dims, n && v > INT32_MAX ? 1 : (int64_t)v);
}

/* ---- The script ---- */

void at_ast_config_block(struct at_parser *p, struct at_range r)
{
	if (p->script->has_config)
		at_diag(p->diags, AT_D_MISPLACED, r, "a script has one config block");
	else if (p->script->clauses.n)
		at_diag(p->diags, AT_D_MISPLACED, r,
			"the config block stands in front of the first probe");
	p->script->has_config = true;
}

void at_ast_config(struct at_parser *p, struct at_range r, const char *key,
		   struct at_node *value)
{
	struct at_config_entry e = {
		.range = r, .value_range = value->range, .key = key, .value = value
	};

	at_vec_push(p->arena, &p->script->config, e);
}

void at_ast_map_decl(struct at_parser *p, struct at_range r, const char *name, const char *kind,
		     struct at_node *size)
{
	struct at_map_decl d = { .range = r, .name = name, .kind = kind };
	uint64_t v = ((struct at_n_int *)size)->value;

	if (!v || v > UINT32_MAX)
		at_diag(p->diags, AT_D_BAD_NUMBER, size->range, "a map has 1 to %u entries",
			UINT32_MAX);
	d.size = v > UINT32_MAX ? 1 : (int64_t)v;
	at_vec_push(p->arena, &p->script->maps, d);
}

struct at_clause *at_ast_clause(struct at_parser *p, struct at_attachpt *first)
{
	struct at_clause *c = at_new(p->arena, struct at_clause);

	at_vec_push(p->arena, &c->points, first);
	return c;
}

void at_ast_clause_end(struct at_parser *p, struct at_range r, struct at_clause *c,
		       struct at_node *pred, struct at_n_block *body)
{
	c->range = r;
	c->pred = pred;
	c->body = body;
	settle_block(p, body, false);
	at_vec_push(p->arena, &p->script->clauses, c);
}
