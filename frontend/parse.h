/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the parser: what lexer.l, token.c, parser.y, parse.c, attachpt.c and
 * ast.c share. Nobody else includes it.
 *
 * The whole script becomes an array of tokens first (lexer.l), then token.c
 * looks around each token and tells apart what an LALR(1) grammar cannot: a
 * cast from a group, a block from an expression block, and so on. The grammar
 * reads that array.
 */
#ifndef AT_FRONTEND_PARSE_H
#define AT_FRONTEND_PARSE_H

#include "frontend/ast.h"

struct at_token {
	int kind; /* enum at_yytokentype, T_* */
	struct at_range range;
};

struct at_parser {
	struct at_arena *arena;
	struct at_diags *diags;
	const struct at_source *src;
	AT_VEC(struct at_token) tokens;
	size_t next;  /* token that the grammar reads next */
	bool stopped; /* too complex: the grammar gets no more tokens */
	struct at_script *script;
	/* The lexer's state. */
	uint32_t beg, end; /* bytes of the current token */
	unsigned braces;   /* open ones */
	bool predicate;    /* between the slashes */
	bool declaration;  /* in a map declaration, which its ')' or ';' ends */
	bool cut;          /* by a comment or string that does not end, which is reported */
	bool skipping; /* in a construct that is not supported: faults in it are not reported */
};

/* lexer.l: text -> tokens; reports what is no token. */
void at_lex(struct at_parser *p);
/* token.c: tells tokens apart by what stands around them. */
void at_token_refine(struct at_parser *p);
/* Is it a keyword of the expression and statement language? Its token, or 0. */
int at_token_keyword(const char *s, size_t n);
/* Text of a string literal (quotes included in the token), escapes resolved. */
char *at_token_string(struct at_parser *p, struct at_range r, size_t *len);
/* parser.y: name of a kind of token; "" of single characters. */
const char *at_token_name(int kind);

static inline const char *at_token_text(const struct at_parser *p, struct at_range r)
{
	return p->src->text + r.beg;
}

/* attachpt.c */
struct at_attachpt *at_attachpt_new(struct at_parser *p, struct at_range r);

/* ast.c: the constructors of the grammar's actions. */
void at_too_complex(struct at_parser *p, struct at_range r);
struct at_node *at_ast_int(struct at_parser *p, struct at_range r, enum at_node_kind kind);
struct at_node *at_ast_string(struct at_parser *p, struct at_range r);
struct at_node *at_ast_ident(struct at_parser *p, struct at_range r, const char *name);
struct at_node *at_ast_param(struct at_parser *p, struct at_range r);
struct at_node *at_ast_var(struct at_parser *p, struct at_range r, const char *name);
struct at_node *at_ast_map(struct at_parser *p, struct at_range r, const char *name,
			   at_nodes keys);
struct at_node *at_ast_call(struct at_parser *p, struct at_range r, const char *name,
			    struct at_range name_range, at_nodes args);
struct at_node *at_ast_field(struct at_parser *p, struct at_range r, struct at_node *of,
			     const char *name, struct at_range name_range);
struct at_node *at_ast_tindex(struct at_parser *p, struct at_range r, struct at_node *of,
			      struct at_range number);
struct at_node *at_ast_index(struct at_parser *p, struct at_range r, struct at_node *of,
			     struct at_node *index);
struct at_node *at_ast_unary(struct at_parser *p, struct at_range r, char op,
			     struct at_node *of);
struct at_node *at_ast_incdec(struct at_parser *p, struct at_range r, bool prefix,
			      bool decrement, struct at_node *of);
struct at_node *at_ast_binary(struct at_parser *p, struct at_range r, enum at_binop op,
			      struct at_node *left, struct at_node *right);
struct at_node *at_ast_ternary(struct at_parser *p, struct at_range r, struct at_node *cond,
			       struct at_node *yes, struct at_node *no);
struct at_node *at_ast_cast(struct at_parser *p, struct at_range r, struct at_type_name *to,
			    struct at_node *of);
/* first NULL: the empty tuple */
struct at_node *at_ast_tuple(struct at_parser *p, struct at_range r, struct at_node *first,
			     at_nodes rest);
struct at_node *at_ast_record(struct at_parser *p, struct at_range r);
void at_ast_record_add(struct at_parser *p, struct at_node *record, const char *name,
		       struct at_node *value);
struct at_node *at_ast_sizeof(struct at_parser *p, struct at_range r, struct at_node *of,
			      struct at_type_name *type);
struct at_node *at_ast_offsetof(struct at_parser *p, struct at_range r, struct at_node *of,
				struct at_type_name *type);
void at_ast_offsetof_add(struct at_parser *p, struct at_node *n, const char *name);
struct at_node *at_ast_assign(struct at_parser *p, struct at_range r, struct at_node *to,
			      enum at_binop op, struct at_node *value);
struct at_node *at_ast_let(struct at_parser *p, struct at_range r, const char *name,
			   struct at_range name_range, struct at_type_name *type,
			   struct at_node *value);
struct at_node *at_ast_if(struct at_parser *p, struct at_range r, struct at_node *cond,
			  struct at_n_block *yes, struct at_node *no);
struct at_node *at_ast_while(struct at_parser *p, struct at_range r, struct at_node *cond,
			     struct at_n_block *body);
struct at_node *at_ast_unroll(struct at_parser *p, struct at_range r, struct at_node *times,
			      struct at_n_block *body);
/* over: a map, or the range from .. to. */
struct at_node *at_ast_for(struct at_parser *p, struct at_range r, const char *name,
			   struct at_range name_range, struct at_node *from, struct at_node *to,
			   struct at_n_block *body);
struct at_node *at_ast_jump(struct at_parser *p, struct at_range r, enum at_node_kind kind);
struct at_node *at_ast_return(struct at_parser *p, struct at_range r, struct at_node *value);
/* tail: what stands last without a ';': an expression is the block's value. */
struct at_n_block *at_ast_block(struct at_parser *p, struct at_range r, at_nodes stmts,
				struct at_node *tail);
/* The block, or the if, stands where a value is wanted. */
struct at_node *at_ast_value(struct at_parser *p, struct at_node *n);

struct at_type_name *at_ast_type(struct at_parser *p, struct at_range r, const char *tag,
				 const char *name);
void at_ast_type_word(struct at_parser *p, struct at_type_name *t, const char *word);
void at_ast_type_dim(struct at_parser *p, struct at_type_name *t, struct at_node *n);

void at_ast_config_block(struct at_parser *p, struct at_range r);
void at_ast_config(struct at_parser *p, struct at_range r, const char *key,
		   struct at_node *value);
void at_ast_map_decl(struct at_parser *p, struct at_range r, const char *name, const char *kind,
		     struct at_node *size);
struct at_clause *at_ast_clause(struct at_parser *p, struct at_attachpt *first);
void at_ast_clause_end(struct at_parser *p, struct at_range r, struct at_clause *c,
		       struct at_node *pred, struct at_n_block *body);

#endif
