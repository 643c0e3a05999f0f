/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar. Each action calls one constructor (ast.c); what the tokens mean
 * was settled in token.c. After an error the parser goes on behind the next
 * `;` or `}`.
 */
%code requires {
#include "frontend/parse.h"
}

%define api.pure full
%define api.prefix {at_yy}
%define api.location.type {struct at_range}
%define parse.error custom
%define parse.lac full
%param { struct at_parser *p }
%expect 0

%union {
	const char *text;
	enum at_binop op;
	struct at_node *node;
	struct at_n_block *block;
	at_nodes nodes;
	struct at_type_name *type;
	struct at_clause *clause;
}

%code {
#define YYLLOC_DEFAULT(cur, rhs, n)                                    \
	((cur) = (n) ? at_join(YYRHSLOC(rhs, 1), YYRHSLOC(rhs, n)) :   \
		       (struct at_range){ YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end })
#define NODES ((at_nodes){ 0 })

static int at_yylex(YYSTYPE *value, YYLTYPE *loc, struct at_parser *p);
static void at_yyerror(YYLTYPE *loc, struct at_parser *p, const char *text);
}

%token T_END 0 "end"
%token T_SKIP T_UNSUPPORTED
%token T_ATTACH "probe" T_NEXT_POINT "next" T_CONFIG "config" T_LET "let"
%token T_IF "if" T_VALUE_IF "if value" T_ELSE "else"
%token T_FOR "for" T_WHILE "while" T_UNROLL "unroll" T_BREAK "break" T_CONTINUE "continue"
%token T_RETURN "return" T_SIZEOF "sizeof" T_OFFSETOF "offsetof"
%token <text> T_STRUCT "struct" T_IDENT "name" T_VAR "variable" T_MAP "map" T_MAP_KEYS "map keyed"
%token T_INT "number" T_BOOL "bool" T_STRING "string" T_PARAM "parameter"
%token T_PRED_OPEN "predicate" T_PRED_CLOSE "predicate end" T_VALUE_BLOCK "block value"
%token T_CAST "cast" T_RECORD "record"
%token <op> T_ASSIGN_OP "assignment"
%token T_SHL "<<" T_SHR ">>" T_LE "<=" T_GE ">=" T_EQ "==" T_NE "!=" T_LAND "&&" T_LOR "||"
%token T_INC "++" T_DEC "--" T_ARROW "->" T_DOTDOT ".."

%left T_LOR
%left T_LAND
%left '|'
%left '^'
%left '&'
%left T_EQ T_NE
%left '<' '>' T_LE T_GE
%left T_SHL T_SHR
%left '+' '-'
%left '*' '/' '%'

%type <node> expr binary unary postfix primary literal record offset value_if else
%type <node> stmt closed open predicate config_value let_value return_value else_value
%type <block> block
%type <nodes> stmts args list
%type <type> type type_words let_type
%type <clause> points
%type <text> map_name

%%

script:
	  %empty
	| script config
	| script map_decl
	| script clause
	| script error ';'
	| script error '}'
	| script error block
	;

config:
	  T_CONFIG '=' '{' settings '}'	{ at_ast_config_block(p, @1); }
	| T_CONFIG '=' '{' settings setting '}'	{ at_ast_config_block(p, @1); }
	| T_CONFIG error '}'	{ yyerrok; }
	;
settings:
	  %empty
	| settings setting ';'
	| settings error ';'	{ yyerrok; }
	;
setting:
	  T_IDENT '=' config_value	{ at_ast_config(p, @$, $1, $3); }
	;
config_value:
	  literal
	| T_IDENT	{ $$ = at_ast_ident(p, @$, $1); }
	;

map_decl:
	  T_LET T_MAP '=' T_IDENT '(' T_INT ')' semicolon
		{ at_ast_map_decl(p, @$, $2, $4, at_ast_int(p, @6, AT_N_INT)); }
	;
semicolon:
	  %empty
	| ';'
	;

clause:
	  points predicate block	{ at_ast_clause_end(p, @$, $1, $2, $3); }
	;
points:
	  T_ATTACH	{ $$ = at_ast_clause(p, at_attachpt_new(p, @1)); }
	| points T_NEXT_POINT T_ATTACH
		{
			$$ = $1;
			at_vec_push(p->arena, &$$->points, at_attachpt_new(p, @3));
		}
	| points T_NEXT_POINT
	;
predicate:
	  %empty	{ $$ = NULL; }
	| T_PRED_OPEN expr T_PRED_CLOSE	{ $$ = $2; }
	| T_PRED_OPEN error T_PRED_CLOSE	{ $$ = NULL; yyerrok; }
	;

block:
	  '{' stmts '}'		{ $$ = at_ast_block(p, @$, $2, NULL); }
	| '{' stmts open '}'	{ $$ = at_ast_block(p, @$, $2, $3); }
	| '{' stmts error '}'	{ $$ = at_ast_block(p, @$, $2, NULL); yyerrok; }
	;
stmts:
	  %empty		{ $$ = NODES; }
	| stmts stmt
		{
			$$ = $1;
			if ($2)
				at_vec_push(p->arena, &$$, $2);
		}
	;
stmt:
	  closed
	| open ';'
	| ';'			{ $$ = NULL; }
	| error ';'		{ $$ = NULL; yyerrok; }
	| error block else	{ $$ = &$2->n; }
	;
closed:
	  T_IF expr block else	{ $$ = at_ast_if(p, @$, $2, $3, $4); }
	| T_WHILE expr block	{ $$ = at_ast_while(p, @$, $2, $3); }
	| T_UNROLL expr block	{ $$ = at_ast_unroll(p, @$, $2, $3); }
	| T_FOR '(' T_VAR ':' expr ')' block	{ $$ = at_ast_for(p, @$, $3, @3, $5, NULL, $7); }
	| T_FOR '(' T_VAR ':' expr T_DOTDOT expr ')' block
		{ $$ = at_ast_for(p, @$, $3, @3, $5, $7, $9); }
	| T_FOR T_VAR ':' expr block	{ $$ = at_ast_for(p, @$, $2, @2, $4, NULL, $5); }
	| T_FOR T_VAR ':' expr T_DOTDOT expr block
		{ $$ = at_ast_for(p, @$, $2, @2, $4, $6, $7); }
	| block			{ $$ = &$1->n; }
	;
else:
	  %empty		{ $$ = NULL; }
	| else_value
	;
else_value:
	  T_ELSE block		{ $$ = &$2->n; }
	| T_ELSE T_IF expr block else	{ $$ = at_ast_if(p, at_join(@2, @$), $3, $4, $5); }
	;
open:
	  expr
	| postfix '=' expr	{ $$ = at_ast_assign(p, @$, $1, AT_B_NONE, $3); }
	| postfix T_ASSIGN_OP expr	{ $$ = at_ast_assign(p, @$, $1, $2, $3); }
	| T_LET T_VAR let_type let_value	{ $$ = at_ast_let(p, @$, $2, @2, $3, $4); }
	| T_BREAK		{ $$ = at_ast_jump(p, @$, AT_N_BREAK); }
	| T_CONTINUE		{ $$ = at_ast_jump(p, @$, AT_N_CONTINUE); }
	| T_RETURN return_value	{ $$ = at_ast_return(p, @$, $2); }
	;
let_type:
	  %empty		{ $$ = NULL; }
	| ':' type		{ $$ = $2; }
	;
let_value:
	  %empty		{ $$ = NULL; }
	| '=' expr		{ $$ = $2; }
	;
return_value:
	  %empty		{ $$ = NULL; }
	| expr
	;

expr:
	  binary
	| binary '?' expr ':' expr	{ $$ = at_ast_ternary(p, @$, $1, $3, $5); }
	| binary '?' ':' expr	{ $$ = at_ast_ternary(p, @$, $1, NULL, $4); }
	;
binary:
	  unary
	| binary T_LOR binary	{ $$ = at_ast_binary(p, @$, AT_B_LOR, $1, $3); }
	| binary T_LAND binary	{ $$ = at_ast_binary(p, @$, AT_B_LAND, $1, $3); }
	| binary '|' binary	{ $$ = at_ast_binary(p, @$, AT_B_OR, $1, $3); }
	| binary '^' binary	{ $$ = at_ast_binary(p, @$, AT_B_XOR, $1, $3); }
	| binary '&' binary	{ $$ = at_ast_binary(p, @$, AT_B_AND, $1, $3); }
	| binary T_EQ binary	{ $$ = at_ast_binary(p, @$, AT_B_EQ, $1, $3); }
	| binary T_NE binary	{ $$ = at_ast_binary(p, @$, AT_B_NE, $1, $3); }
	| binary '<' binary	{ $$ = at_ast_binary(p, @$, AT_B_LT, $1, $3); }
	| binary '>' binary	{ $$ = at_ast_binary(p, @$, AT_B_GT, $1, $3); }
	| binary T_LE binary	{ $$ = at_ast_binary(p, @$, AT_B_LE, $1, $3); }
	| binary T_GE binary	{ $$ = at_ast_binary(p, @$, AT_B_GE, $1, $3); }
	| binary T_SHL binary	{ $$ = at_ast_binary(p, @$, AT_B_SHL, $1, $3); }
	| binary T_SHR binary	{ $$ = at_ast_binary(p, @$, AT_B_SHR, $1, $3); }
	| binary '+' binary	{ $$ = at_ast_binary(p, @$, AT_B_ADD, $1, $3); }
	| binary '-' binary	{ $$ = at_ast_binary(p, @$, AT_B_SUB, $1, $3); }
	| binary '*' binary	{ $$ = at_ast_binary(p, @$, AT_B_MUL, $1, $3); }
	| binary '/' binary	{ $$ = at_ast_binary(p, @$, AT_B_DIV, $1, $3); }
	| binary '%' binary	{ $$ = at_ast_binary(p, @$, AT_B_MOD, $1, $3); }
	;
unary:
	  postfix
	| '-' unary		{ $$ = at_ast_unary(p, @$, '-', $2); }
	| '!' unary		{ $$ = at_ast_unary(p, @$, '!', $2); }
	| '~' unary		{ $$ = at_ast_unary(p, @$, '~', $2); }
	| '*' unary		{ $$ = at_ast_unary(p, @$, '*', $2); }
	| '&' unary		{ $$ = at_ast_unary(p, @$, '&', $2); }
	| T_INC unary		{ $$ = at_ast_incdec(p, @$, true, false, $2); }
	| T_DEC unary		{ $$ = at_ast_incdec(p, @$, true, true, $2); }
	| T_CAST type ')' unary	{ $$ = at_ast_cast(p, @$, $2, $4); }
	;
postfix:
	  primary
	| postfix '.' T_IDENT	{ $$ = at_ast_field(p, @$, $1, $3, @3); }
	| postfix T_ARROW T_IDENT	{ $$ = at_ast_field(p, @$, $1, $3, @3); }
	| postfix '.' T_INT	{ $$ = at_ast_tindex(p, @$, $1, @3); }
	| postfix '[' expr ']'	{ $$ = at_ast_index(p, @$, $1, $3); }
	| postfix T_INC		{ $$ = at_ast_incdec(p, @$, false, false, $1); }
	| postfix T_DEC		{ $$ = at_ast_incdec(p, @$, false, true, $1); }
	;
primary:
	  literal
	| T_PARAM		{ $$ = at_ast_param(p, @$); }
	| T_VAR			{ $$ = at_ast_var(p, @$, $1); }
	| map_name		{ $$ = at_ast_map(p, @$, $1, NODES); }
	| T_MAP_KEYS '[' list ']'	{ $$ = at_ast_map(p, @$, $1, $3); }
	| T_IDENT		{ $$ = at_ast_ident(p, @$, $1); }
	| T_IDENT '(' args ')'	{ $$ = at_ast_call(p, @$, $1, @1, $3); }
	| '(' expr ')'		{ $$ = $2; }
	| '(' ')'		{ $$ = at_ast_tuple(p, @$, NULL, NODES); }
	| '(' expr ',' ')'	{ $$ = at_ast_tuple(p, @$, $2, NODES); }
	| '(' expr ',' list ')'	{ $$ = at_ast_tuple(p, @$, $2, $4); }
	| '(' expr ',' list ',' ')'	{ $$ = at_ast_tuple(p, @$, $2, $4); }
	| record ')'		{ ($$ = $1)->range = @$; }
	| T_VALUE_BLOCK stmts '}'
		{ $$ = at_ast_value(p, &at_ast_block(p, @$, $2, NULL)->n); }
	| T_VALUE_BLOCK stmts open '}'
		{ $$ = at_ast_value(p, &at_ast_block(p, @$, $2, $3)->n); }
	| T_VALUE_BLOCK stmts error '}'
		{
			$$ = at_ast_value(p, &at_ast_block(p, @$, $2, NULL)->n);
			yyerrok;
		}
	| value_if
	| T_SIZEOF T_CAST type ')'	{ $$ = at_ast_sizeof(p, @$, NULL, $3); }
	| T_SIZEOF '(' expr ')'	{ $$ = at_ast_sizeof(p, @$, $3, NULL); }
	| offset ')'		{ ($$ = $1)->range = @$; }
	;
map_name:
	  T_MAP
	;
literal:
	  T_INT			{ $$ = at_ast_int(p, @$, AT_N_INT); }
	| T_BOOL		{ $$ = at_ast_int(p, @$, AT_N_BOOL); }
	| T_STRING		{ $$ = at_ast_string(p, @$); }
	;
value_if:
	  T_VALUE_IF expr block else
		{ $$ = at_ast_value(p, at_ast_if(p, @$, $2, $3, $4)); }
	;
record:
	  T_RECORD T_IDENT '=' expr
		{ at_ast_record_add(p, $$ = at_ast_record(p, @$), $2, $4); }
	| record ',' T_IDENT '=' expr	{ at_ast_record_add(p, $$ = $1, $3, $5); }
	;
offset:
	  T_OFFSETOF T_CAST type ',' T_IDENT
		{ at_ast_offsetof_add(p, $$ = at_ast_offsetof(p, @$, NULL, $3), $5); }
	| T_OFFSETOF '(' expr ',' T_IDENT
		{ at_ast_offsetof_add(p, $$ = at_ast_offsetof(p, @$, $3, NULL), $5); }
	| offset '.' T_IDENT	{ at_ast_offsetof_add(p, $$ = $1, $3); }
	;
args:
	  %empty		{ $$ = NODES; }
	| list
	;
list:
	  expr
		{
			$$ = NODES;
			at_vec_push(p->arena, &$$, $1);
		}
	| list ',' expr
		{
			$$ = $1;
			at_vec_push(p->arena, &$$, $3);
		}
	;

type:
	  type_words
	| type '*'		{ ($$ = $1)->stars++; $$->range = @$; }
	| type '[' ']'		{ at_ast_type_dim(p, $$ = $1, NULL); $$->range = @$; }
	| type '[' T_INT ']'
		{
			at_ast_type_dim(p, $$ = $1, at_ast_int(p, @3, AT_N_INT));
			$$->range = @$;
		}
	;
type_words:
	  T_IDENT		{ $$ = at_ast_type(p, @$, NULL, $1); }
	| T_STRUCT T_IDENT	{ $$ = at_ast_type(p, @$, $1, $2); }
	| type_words T_IDENT	{ at_ast_type_word(p, $$ = $1, $2); $$->range = @$; }
	;

%%

const char *at_token_name(int kind)
{
	if (kind < 256)
		return ""; /* a character is its own name */
	return yysymbol_name(YYTRANSLATE(kind));
}

static const struct {
	const char *text;
	enum at_binop op;
} assign_ops[] = {
	{ "<<=", AT_B_SHL }, { ">>=", AT_B_SHR }, { "+=", AT_B_ADD }, { "-=", AT_B_SUB },
	{ "*=", AT_B_MUL },  { "/=", AT_B_DIV },  { "%=", AT_B_MOD }, { "&=", AT_B_AND },
	{ "|=", AT_B_OR },   { "^=", AT_B_XOR },
};

static enum at_binop assign_op(const char *text, size_t n)
{
	for (size_t i = 0; i < at_count(assign_ops); i++)
		if (!strncmp(assign_ops[i].text, text, n))
			return assign_ops[i].op;
	return AT_B_NONE;
}

static int at_yylex(YYSTYPE *value, YYLTYPE *loc, struct at_parser *p)
{
	const struct at_token *t = &p->tokens.v[p->next];
	const char *text = at_token_text(p, t->range);
	size_t n = t->range.end - t->range.beg;

	*loc = t->range;
	if (p->stopped || !t->kind)
		return 0;
	if (at_arena_low(p->arena))
		at_too_complex(p, t->range);
	if (t->kind == T_ASSIGN_OP)
		value->op = assign_op(text, n);
	else if (t->kind == T_IDENT || t->kind == T_VAR || t->kind == T_MAP ||
		 t->kind == T_MAP_KEYS || t->kind == T_STRUCT)
		value->text = at_strndup(p->arena, text, n);
	p->next++;
	return t->kind;
}

/* Bison's own complaint: its stack is at its limit. */
static void at_yyerror(YYLTYPE *loc, struct at_parser *p, const char *text)
{
	at_too_complex(p, *loc);
}

/* What may come next, gathered into the few words a person would use. */
static const struct wanted {
	const char *text;
	int first, second; /* both possible: this it is */
	bool whole;        /* says enough: after it only closing brackets are named */
} wanted[] = {
	{ "a statement", T_WHILE, T_INT, true },
	{ "an expression", T_VAR, T_INT, true },
	{ "a probe", T_ATTACH, T_CONFIG, true },
	{ "`{`", '{', '{' },
	{ "a predicate", T_PRED_OPEN, T_PRED_OPEN },
	{ "`/`", T_PRED_CLOSE, T_PRED_CLOSE },
	{ "`;`", ';', ';' },
	{ "`:`", ':', ':' },
	{ "`=`", '=', '=' },
	{ "`(`", '(', '(' },
	{ "a probe", T_ATTACH, T_ATTACH },
	{ "a variable", T_VAR, T_VAR },
	{ "a map", T_MAP, T_MAP },
	{ "a name", T_IDENT, T_IDENT },
	{ "a number", T_INT, T_INT },
	{ "a string", T_STRING, T_STRING },
	{ "`)`", ')', ')' },
	{ "`]`", ']', ']' },
	{ "`}`", '}', '}' },
	{ "`,`", ',', ',' },
	{ "`,`", T_NEXT_POINT, T_NEXT_POINT },
};

struct found {
	struct at_parser *p;
	int kind;
	struct at_range range;
	yysymbol_kind_t expected[YYNTOKENS];
	int nexpected;
};

static bool wants(const struct found *f, int kind)
{
	for (int i = 0; i < f->nexpected; i++)
		if (f->expected[i] == YYTRANSLATE(kind))
			return true;
	return false;
}

static bool closes(int kind)
{
	return kind == ')' || kind == ']' || kind == '}';
}

/* "`;` or `}`": at most three of what is wanted. */
static const char *wanted_text(const struct found *f)
{
	const char *all = "", *last = NULL;
	bool whole = false;
	int n = 0;

	for (size_t i = 0; i < at_count(wanted) && n < 3; i++) {
		const struct wanted *w = &wanted[i];

		if (!wants(f, w->first) || !wants(f, w->second))
			continue;
		/* where a statement may end, nobody forgot an assignment or a call */
		if ((whole && !closes(w->first)) ||
		    ((w->first == '=' || w->first == '(') && wants(f, ';')))
			continue;
		if (last)
			all = at_sprintf(f->p->arena, "%s%s%s", all, *all ? ", " : "", last);
		last = w->text;
		whole |= w->whole;
		n++;
	}
	return *all ? at_sprintf(f->p->arena, "%s or %s", all, last) : last;
}

static const char *found_text(const struct found *f)
{
	enum { LONGEST = 40 };
	size_t n = f->range.end - f->range.beg;
	const char *text = at_token_text(f->p, f->range);

	if (!f->kind)
		return "the end of the script";
	if (f->kind == T_STRING)
		return "a string";
	return at_sprintf(f->p->arena, "`%.*s%s`", (int)(n < LONGEST ? n : LONGEST), text,
			  n < LONGEST ? "" : "..");
}

/* The innermost brace that is open at the end of the tokens; NULL: none. */
static const struct at_token *open_brace(const struct at_parser *p)
{
	size_t closed = 0;

	for (size_t i = p->tokens.n; i-- > 0;) {
		const struct at_token *t = &p->tokens.v[i];

		if (t->kind == '}')
			closed++;
		else if ((t->kind == '{' || t->kind == T_VALUE_BLOCK) && !closed--)
			return t;
	}
	return NULL;
}

static void hint_end(const struct found *f)
{
	const struct at_token *t = open_brace(f->p);

	if (t)
		at_hint(f->p->diags, "the `{` of line %u is not closed",
			at_source_place(f->p->src, t->range.beg).line);
}

static void hint(const struct found *f)
{
	if (!f->kind)
		hint_end(f);
	else if (f->kind == '=' && wants(f, T_EQ))
		at_hint(f->p->diags, "`==` compares");
	else if (wants(f, T_PRED_CLOSE))
		at_hint(f->p->diags, "a predicate stands between two slashes in front of `{`");
	else if (f->kind == T_ELSE)
		at_hint(f->p->diags, "`else` stands behind the `}` of an `if`");
	else if (f->kind == T_CONFIG || (f->kind == T_ATTACH && wants(f, '{')))
		at_hint(f->p->diags, "several probes of one block are separated by `,`");
	else if (wants(f, ';') && wants(f, '}'))
		at_hint(f->p->diags, "a `;` is missing in front of it");
}

/* A string that did not end took closing brackets with it: what follows is no mistake of its own. */
static bool is_open_string(const struct at_parser *p, size_t i)
{
	const struct at_token *t = &p->tokens.v[i];
	const char *last = p->src->text + t->range.end - 1;

	return t->kind == T_STRING && (t->range.end - t->range.beg < 2 || *last != '"');
}

static bool said_already(const struct found *f, size_t i)
{
	const struct at_parser *p = f->p;

	return p->stopped ||
	       (p->cut && (!f->kind || is_open_string(p, i) || (i && is_open_string(p, i - 1))));
}

static int yyreport_syntax_error(const yypcontext_t *ctx, struct at_parser *p)
{
	struct found f = { .p = p, .range = *yypcontext_location(ctx) };
	size_t i = p->next - (p->next > 0);
	const char *text;

	f.kind = yypcontext_token(ctx) == YYSYMBOL_YYEOF ? 0 : p->tokens.v[i].kind;
	if (said_already(&f, i))
		return 0;
	f.nexpected = yypcontext_expected_tokens(ctx, f.expected, YYNTOKENS);
	if (f.nexpected < 0)
		f.nexpected = 0;
	text = wanted_text(&f);
	at_diag(p->diags, AT_D_SYNTAX, f.range, text ? "found %s, wanted %s" : "found %s here",
		found_text(&f), text);
	hint(&f);
	return 0;
}
