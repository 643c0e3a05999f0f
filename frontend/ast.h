/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The syntax tree. Made by the parser's constructors, annotated by check
 * (types and what names stand for), read by lowering. A node struct per kind,
 * each starting with struct at_node; cast by kind.
 */
#ifndef AT_FRONTEND_AST_H
#define AT_FRONTEND_AST_H

#include "frontend/type.h"
#include "lib/base/diag.h"
#include "lib/base/vec.h"

enum at_node_kind {
#define AT_NODE(kind, suffix, text) AT_N_##kind,
#include "frontend/ast.def"
#undef AT_NODE
	AT_N_COUNT
};

enum at_binop { /* as written */
	AT_B_MUL, AT_B_DIV, AT_B_MOD, AT_B_ADD, AT_B_SUB, AT_B_SHL, AT_B_SHR,
	AT_B_LT, AT_B_GT, AT_B_LE, AT_B_GE, AT_B_EQ, AT_B_NE,
	AT_B_AND, AT_B_XOR, AT_B_OR, AT_B_LAND, AT_B_LOR,
	AT_B_NONE, /* plain "=" in an assignment */
};
const char *at_binop_text(enum at_binop op); /* "*", … */

struct at_func;
struct at_provider;
struct at_config_key;

/* Passes may recurse over the tree: no script makes it deeper than this. */
enum { AT_MAX_DEPTH = 400 };

struct at_node {
	enum at_node_kind kind;
	struct at_range range;
	const struct at_type *type; /* set by check; NULL: poisoned, already reported */
	uint32_t depth; /* of the tree below it; the parser keeps it within AT_MAX_DEPTH */
};
typedef AT_VEC(struct at_node *) at_nodes;

/* What names stand for; one per variable or map of the script, made by check. */
struct at_var {
	const char *name; /* "$x" */
	const struct at_type *type;
	struct at_range range; /* first assignment or let */
	bool assigned, used;
	bool declared; /* let with a type: kept as written, values are converted to it */
	void *lowered; /* lowering's */
};
struct at_mapsym {
	const char *name; /* "@m", "@" */
	const struct at_type *key, *value; /* key NULL: scalar */
	bool keyed, unkeyed; /* how it was used */
	bool assigned; /* somewhere; a type may still be missing when that was wrong */
	struct at_range range; /* first use */
	struct at_range key_range, value_range; /* where its types were fixed */
	unsigned plan_map; /* lowering's */
	unsigned max_entries; /* from let @m = hash(N); 0: default */
	int decl_kind;        /* enum at_map_kind, -1: not declared */
};

struct at_n_int { struct at_node n; uint64_t value; enum at_unit unit; }; /* INT, BOOL */
struct at_n_string { struct at_node n; const char *text; size_t len; }; /* escapes resolved */
struct at_n_ident { struct at_node n; const char *name; const struct at_func *func; int64_t value;
		    struct at_n_call *call; /* builtin variable: what its check and lower are given */ };
struct at_n_param { struct at_node n; unsigned number; const char *text; }; /* text: from expand */
struct at_n_var { struct at_node n; const char *name; struct at_var *var; };
struct at_n_map { struct at_node n; const char *name; at_nodes keys; struct at_mapsym *map; };
struct at_n_call {
	struct at_node n;
	const char *name;
	struct at_range name_range;
	at_nodes args;
	const struct at_func *func;
	void *data; /* the function's own, set by its check, read by its lower */
};
struct at_n_field { struct at_node n; struct at_node *of; const char *name; struct at_range name_range;
		    const struct at_type_field *field; };
struct at_n_tindex { struct at_node n; struct at_node *of; unsigned index; };
struct at_n_index { struct at_node n; struct at_node *of, *index; };
struct at_n_unary { struct at_node n; char op; struct at_node *of; }; /* - ! ~ * & */
struct at_n_incdec { struct at_node n; bool prefix, decrement; struct at_node *of; };
struct at_n_binary { struct at_node n; enum at_binop op; struct at_node *left, *right; };
struct at_n_ternary { struct at_node n; struct at_node *cond, *yes, *no; }; /* yes NULL: a ?: b */
struct at_type_name { /* a type as written */
	struct at_range range;
	const char *tag;  /* "struct", "union", "enum" or NULL */
	const char *name;
	unsigned stars;
	AT_VEC(int64_t) dims; /* [N]; -1 for [] */
};
struct at_n_cast { struct at_node n; struct at_type_name *to; struct at_node *of; };
struct at_n_tuple { struct at_node n; at_nodes elems; AT_VEC(const char *) names; };
struct at_n_sizeof { struct at_node n; struct at_node *of; struct at_type_name *of_type; };
struct at_n_offsetof { struct at_node n; struct at_node *of; struct at_type_name *of_type;
		       AT_VEC(const char *) path; };

struct at_n_expr_stmt { struct at_node n; struct at_node *of; };
struct at_n_assign { struct at_node n; struct at_node *to; /* VAR, MAP, IDENT "_" */
		     enum at_binop op; struct at_node *value; };
struct at_n_let { struct at_node n; const char *name; struct at_range name_range;
		  struct at_type_name *of_type; struct at_node *value; struct at_var *var; };
struct at_n_block { struct at_node n; at_nodes stmts; struct at_node *value; /* trailing expr or NULL */ };
struct at_n_if { struct at_node n; struct at_node *cond; struct at_n_block *yes;
		 struct at_node *no; /* BLOCK, IF or NULL */ };
struct at_n_while { struct at_node n; struct at_node *cond; struct at_n_block *body; };
struct at_n_unroll { struct at_node n; struct at_node *times; struct at_n_block *body; };
struct at_n_for { struct at_node n; const char *name; struct at_range name_range;
		  struct at_node *from, *to; /* range; else */ struct at_node *over; /* MAP */
		  struct at_n_block *body; struct at_var *var; };
struct at_n_jump { struct at_node n; };
struct at_n_return { struct at_node n; struct at_node *value; };

/* An attach point: text as written, cut at ':' outside quotes, quotes removed. */
struct at_attachpt {
	struct at_range range;
	const char *text; /* normalised "provider:part:part" */
	AT_VEC(const char *) parts; /* parts.v[0] is the provider as written */
	AT_VEC(struct at_range) ranges; /* of each part */
	const struct at_provider *provider; /* set by check */
	void *data; /* the provider's own, set by its parse() */
	const struct at_type *args; /* type of `args` here (STRUCT), or NULL */
};

struct at_clause {
	struct at_range range;
	AT_VEC(struct at_attachpt *) points; /* after expansion each has its own copy of the clause */
	struct at_node *pred; /* or NULL */
	struct at_n_block *body;
	unsigned index; /* order in the script after expansion */
	bool map_loop;  /* set by check: there is a `for` over a map in it */
};

struct at_config_entry {
	struct at_range range, value_range;
	const char *key;
	struct at_node *value; /* INT, BOOL, STRING, IDENT */
};

struct at_map_decl {
	struct at_range range;
	const char *name, *kind;
	int64_t size;
};

struct at_script {
	bool has_config; /* a config block, may be an empty one */
	bool broken;     /* parts could not be read, which is reported; they are left out */
	AT_VEC(struct at_config_entry) config;
	AT_VEC(struct at_map_decl) maps;
	AT_VEC(struct at_clause *) clauses;
};

/* frontend/parser.y. Goes on after errors where it can; NULL only when nothing could be parsed. */
struct at_script *at_parse(struct at_arena *a, struct at_diags *d, const struct at_source *src);
/* Tokens one a line, for the `tokens` cases. */
char *at_dump_tokens(struct at_arena *a, struct at_diags *d, const struct at_source *src);
/* One node a line, indented; with types once check has run. */
char *at_dump_ast(struct at_arena *a, const struct at_script *s, bool types);

#endif
