/* SPDX-License-Identifier: Apache-2.0 */
/* The tree as text, a node a line, indented: for `-d ast`, `-d types` and the tests. */
#include <stdio.h>

#include "frontend/ast.h"

struct dump {
	struct at_arena *arena;
	bool types;
	unsigned level;
	AT_VEC(char) out;
};

static const char *const node_text[] = {
#define AT_NODE(kind, suffix, text) [AT_N_##kind] = text,
#include "frontend/ast.def"
#undef AT_NODE
};

static void put(struct dump *d, const char *s)
{
	for (; *s; s++)
		at_vec_push(d->arena, &d->out, *s);
}

static void line_start(struct dump *d, const char *text)
{
	for (unsigned i = 0; i < d->level; i++)
		put(d, "  ");
	put(d, text);
}

/* " word" behind a node's name. */
static void put_word(struct dump *d, const char *word)
{
	put(d, " ");
	put(d, word);
}

static void put_byte(struct dump *d, unsigned char c)
{
	static const char named[][2] = {
		{ '\n', 'n' }, { '\t', 't' }, { '\r', 'r' }, { '"', '"' }, { '\\', '\\' }
	};
	char buf[8];

	for (size_t i = 0; i < at_count(named); i++) {
		if (named[i][0] == (char)c) {
			snprintf(buf, sizeof(buf), "\\%c", named[i][1]);
			put(d, buf);
			return;
		}
	}
	snprintf(buf, sizeof(buf), c < ' ' || c == 0x7f ? "\\x%02x" : "%c", c);
	put(d, buf);
}

static void put_string(struct dump *d, const struct at_n_string *s)
{
	put(d, " \"");
	for (size_t i = 0; i < s->len; i++) {
		if (s->text[i])
			put_byte(d, (unsigned char)s->text[i]);
		else
			put(d, "\\x00");
	}
	put(d, "\"");
}

static void put_type(struct dump *d, const struct at_type_name *t)
{
	if (t->tag)
		put_word(d, t->tag);
	put_word(d, t->name);
	for (unsigned i = 0; i < t->stars; i++)
		put(d, "*");
	for (size_t i = 0; i < t->dims.n; i++)
		put(d, t->dims.v[i] < 0
			       ? "[]"
			       : at_sprintf(d->arena, "[%lld]", (long long)t->dims.v[i]));
}

/* What stands behind the kind of a node, in its line. */
static void words_int(struct dump *d, struct at_node *n)
{
	const struct at_n_int *i = (struct at_n_int *)n;

	put_word(d, at_sprintf(d->arena, "%llu%s", (unsigned long long)i->value,
			       i->unit == AT_UNIT_NS ? " ns" : ""));
}

static void words_bool(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_int *)n)->value ? "true" : "false");
}

static void words_string(struct dump *d, struct at_node *n)
{
	put_string(d, (struct at_n_string *)n);
}

static void words_ident(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_ident *)n)->name);
}

static void words_param(struct dump *d, struct at_node *n)
{
	const struct at_n_param *p = (struct at_n_param *)n;

	put_word(d, p->number ? at_sprintf(d->arena, "$%u", p->number) : "$#");
}

static void words_var(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_var *)n)->name);
}

static void words_map(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_map *)n)->name);
}

static void words_call(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_call *)n)->name);
}

static void words_field(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_field *)n)->name);
}

static void words_tindex(struct dump *d, struct at_node *n)
{
	put_word(d, at_sprintf(d->arena, "%u", ((struct at_n_tindex *)n)->index));
}

static void words_unary(struct dump *d, struct at_node *n)
{
	put_word(d, at_sprintf(d->arena, "%c", ((struct at_n_unary *)n)->op));
}

static void words_incdec(struct dump *d, struct at_node *n)
{
	const struct at_n_incdec *i = (struct at_n_incdec *)n;

	put_word(d, i->prefix ? "prefix" : "postfix");
	put_word(d, i->decrement ? "--" : "++");
}

static void words_binary(struct dump *d, struct at_node *n)
{
	put_word(d, at_binop_text(((struct at_n_binary *)n)->op));
}

static void words_cast(struct dump *d, struct at_node *n)
{
	put_type(d, ((struct at_n_cast *)n)->to);
}

static void words_record(struct dump *d, struct at_node *n)
{
	const struct at_n_tuple *t = (struct at_n_tuple *)n;

	for (size_t i = 0; i < t->names.n; i++)
		put_word(d, t->names.v[i]);
}

static void words_sizeof(struct dump *d, struct at_node *n)
{
	if (((struct at_n_sizeof *)n)->of_type)
		put_type(d, ((struct at_n_sizeof *)n)->of_type);
}

static void words_offsetof(struct dump *d, struct at_node *n)
{
	const struct at_n_offsetof *o = (struct at_n_offsetof *)n;

	if (o->of_type)
		put_type(d, o->of_type);
	for (size_t i = 0; i < o->path.n; i++)
		put_word(d, at_sprintf(d->arena, ".%s", o->path.v[i]));
}

static void words_assign(struct dump *d, struct at_node *n)
{
	put_word(d, at_sprintf(d->arena, "%s=", at_binop_text(((struct at_n_assign *)n)->op)));
}

static void words_let(struct dump *d, struct at_node *n)
{
	const struct at_n_let *l = (struct at_n_let *)n;

	put_word(d, l->name);
	if (l->of_type)
		put_type(d, l->of_type);
}

static void words_for(struct dump *d, struct at_node *n)
{
	put_word(d, ((struct at_n_for *)n)->name);
}

static void (*const words[AT_N_COUNT])(struct dump *d, struct at_node *n) = {
	[AT_N_INT] = words_int,           [AT_N_BOOL] = words_bool,
	[AT_N_STRING] = words_string,     [AT_N_IDENT] = words_ident,
	[AT_N_PARAM] = words_param,       [AT_N_VAR] = words_var,
	[AT_N_MAP] = words_map,           [AT_N_CALL] = words_call,
	[AT_N_FIELD] = words_field,       [AT_N_TINDEX] = words_tindex,
	[AT_N_UNARY] = words_unary,       [AT_N_INCDEC] = words_incdec,
	[AT_N_BINARY] = words_binary,     [AT_N_CAST] = words_cast,
	[AT_N_RECORD] = words_record,     [AT_N_SIZEOF] = words_sizeof,
	[AT_N_OFFSETOF] = words_offsetof, [AT_N_ASSIGN] = words_assign,
	[AT_N_LET] = words_let,           [AT_N_FOR] = words_for,
};

static void dump_node(struct dump *d, struct at_node *n);

static void dump_all(struct dump *d, const at_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++)
		dump_node(d, nodes->v[i]);
}

/* A named part of a node ("else", "value"): a line of its own. */
static void dump_part(struct dump *d, const char *name, struct at_node *n)
{
	if (!n)
		return;
	line_start(d, name);
	put(d, "\n");
	d->level++;
	dump_node(d, n);
	d->level--;
}

static void kids_block(struct dump *d, struct at_node *n)
{
	struct at_n_block *b = (struct at_n_block *)n;

	dump_all(d, &b->stmts);
	dump_part(d, "value", b->value);
}

#define KID(d, n, suffix, member)                                                              \
	dump_node(d, (struct at_node *)((struct at_n_##suffix *)(n))->member)

static void kids_map(struct dump *d, struct at_node *n)
{
	dump_all(d, &((struct at_n_map *)n)->keys);
}

static void kids_call(struct dump *d, struct at_node *n)
{
	dump_all(d, &((struct at_n_call *)n)->args);
}

static void kids_tuple(struct dump *d, struct at_node *n)
{
	dump_all(d, &((struct at_n_tuple *)n)->elems);
}

static void kids_field(struct dump *d, struct at_node *n)
{
	KID(d, n, field, of);
}

static void kids_tindex(struct dump *d, struct at_node *n)
{
	KID(d, n, tindex, of);
}

static void kids_index(struct dump *d, struct at_node *n)
{
	KID(d, n, index, of);
	KID(d, n, index, index);
}

static void kids_unary(struct dump *d, struct at_node *n)
{
	KID(d, n, unary, of);
}

static void kids_incdec(struct dump *d, struct at_node *n)
{
	KID(d, n, incdec, of);
}

static void kids_binary(struct dump *d, struct at_node *n)
{
	KID(d, n, binary, left);
	KID(d, n, binary, right);
}

static void kids_ternary(struct dump *d, struct at_node *n)
{
	KID(d, n, ternary, cond);
	dump_part(d, "yes", ((struct at_n_ternary *)n)->yes);
	dump_part(d, "no", ((struct at_n_ternary *)n)->no);
}

static void kids_cast(struct dump *d, struct at_node *n)
{
	KID(d, n, cast, of);
}

static void kids_sizeof(struct dump *d, struct at_node *n)
{
	KID(d, n, sizeof, of);
}

static void kids_offsetof(struct dump *d, struct at_node *n)
{
	KID(d, n, offsetof, of);
}

static void kids_expr(struct dump *d, struct at_node *n)
{
	KID(d, n, expr_stmt, of);
}

static void kids_assign(struct dump *d, struct at_node *n)
{
	KID(d, n, assign, to);
	KID(d, n, assign, value);
}

static void kids_let(struct dump *d, struct at_node *n)
{
	KID(d, n, let, value);
}

static void kids_if(struct dump *d, struct at_node *n)
{
	KID(d, n, if, cond);
	KID(d, n, if, yes);
	dump_part(d, "else", ((struct at_n_if *)n)->no);
}

static void kids_while(struct dump *d, struct at_node *n)
{
	KID(d, n, while, cond);
	KID(d, n, while, body);
}

static void kids_unroll(struct dump *d, struct at_node *n)
{
	KID(d, n, unroll, times);
	KID(d, n, unroll, body);
}

static void kids_for(struct dump *d, struct at_node *n)
{
	dump_part(d, "from", ((struct at_n_for *)n)->from);
	dump_part(d, "to", ((struct at_n_for *)n)->to);
	dump_part(d, "over", ((struct at_n_for *)n)->over);
	KID(d, n, for, body);
}

static void kids_return(struct dump *d, struct at_node *n)
{
	KID(d, n, return, value);
}

static void (*const kids[AT_N_COUNT])(struct dump *d, struct at_node *n) = {
	[AT_N_MAP] = kids_map,         [AT_N_CALL] = kids_call,
	[AT_N_FIELD] = kids_field,     [AT_N_TINDEX] = kids_tindex,
	[AT_N_INDEX] = kids_index,     [AT_N_UNARY] = kids_unary,
	[AT_N_INCDEC] = kids_incdec,   [AT_N_BINARY] = kids_binary,
	[AT_N_TERNARY] = kids_ternary, [AT_N_CAST] = kids_cast,
	[AT_N_TUPLE] = kids_tuple,     [AT_N_RECORD] = kids_tuple,
	[AT_N_SIZEOF] = kids_sizeof,   [AT_N_OFFSETOF] = kids_offsetof,
	[AT_N_EXPR] = kids_expr,       [AT_N_ASSIGN] = kids_assign,
	[AT_N_LET] = kids_let,         [AT_N_IF] = kids_if,
	[AT_N_WHILE] = kids_while,     [AT_N_UNROLL] = kids_unroll,
	[AT_N_FOR] = kids_for,         [AT_N_RETURN] = kids_return,
	[AT_N_BLOCK] = kids_block,
};

static void dump_node(struct dump *d, struct at_node *n)
{
	if (!n)
		return;
	line_start(d, node_text[n->kind]);
	if (words[n->kind])
		words[n->kind](d, n);
	if (d->types && n->kind < AT_N_EXPR)
		put(d, at_sprintf(d->arena, " : %s",
				  n->type ? at_type_text(d->arena, n->type) : "?"));
	put(d, "\n");
	d->level++;
	if (kids[n->kind])
		kids[n->kind](d, n);
	d->level--;
}

static void dump_clause(struct dump *d, const struct at_clause *c)
{
	line_start(d, "clause\n");
	d->level++;
	for (size_t i = 0; i < c->points.n; i++) {
		line_start(d, "probe");
		for (size_t k = 0; k < c->points.v[i]->parts.n; k++)
			put(d, at_sprintf(d->arena, " <%s>", c->points.v[i]->parts.v[k]));
		put(d, "\n");
	}
	dump_part(d, "predicate", c->pred);
	dump_node(d, &c->body->n);
	d->level--;
}

char *at_dump_ast(struct at_arena *a, const struct at_script *s, bool types)
{
	struct dump d = { .arena = a, .types = types };

	for (size_t i = 0; i < s->config.n; i++)
		dump_part(&d, at_sprintf(a, "config %s", s->config.v[i].key),
			  s->config.v[i].value);
	for (size_t i = 0; i < s->maps.n; i++)
		put(&d, at_sprintf(a, "map-declaration %s %s %lld\n", s->maps.v[i].name,
				   s->maps.v[i].kind, (long long)s->maps.v[i].size));
	for (size_t i = 0; i < s->clauses.n; i++)
		dump_clause(&d, s->clauses.v[i]);
	at_vec_push(a, &d.out, 0);
	return d.out.v;
}
