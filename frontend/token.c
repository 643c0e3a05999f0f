/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token is by what stands around it, and what its text means. The
 * whole script is an array of tokens here, so looking ahead costs nothing; no
 * look goes further than one type, so the time stays linear.
 */
#include <stdlib.h>
#include <string.h>

#include "frontend/parse.h"
#include "frontend/parser.h"

static const struct {
	const char *text;
	int kind;
} keywords[] = {
	{ "break", T_BREAK },
	{ "comptime", T_UNSUPPORTED },
	{ "continue", T_CONTINUE },
	{ "else", T_ELSE },
	{ "enum", T_STRUCT },
	{ "false", T_BOOL },
	{ "for", T_FOR },
	{ "if", T_IF },
	{ "import", T_UNSUPPORTED },
	{ "let", T_LET },
	{ "offsetof", T_OFFSETOF },
	{ "return", T_RETURN },
	{ "sizeof", T_SIZEOF },
	{ "struct", T_STRUCT },
	{ "true", T_BOOL },
	{ "typeinfo", T_UNSUPPORTED },
	{ "typeof", T_UNSUPPORTED },
	{ "union", T_STRUCT },
	{ "unroll", T_UNROLL },
	{ "while", T_WHILE },
};

int at_token_keyword(const char *s, size_t n)
{
	for (size_t i = 0; i < at_count(keywords); i++)
		if (strlen(keywords[i].text) == n && !memcmp(keywords[i].text, s, n))
			return keywords[i].kind;
	return 0;
}

/* Names that are types wherever they stand; other names only where nothing else is possible. */
static const char *const type_names[] = {
	"bool",   "char",   "short",  "int",   "long",  "unsigned", "signed", "void",
	"string", "buffer", "inet",   "int8",  "int16", "int32",    "int64",  "uint8",
	"uint16", "uint32", "uint64", "u8",    "u16",   "u32",      "u64",    "s8",
	"s16",    "s32",    "s64",    "__u8",  "__u16", "__u32",    "__u64",  "__be16",
	"__be32", "__be64", "__s8",   "__s16", "__s32", "__s64",
};

static bool names_type(const struct at_parser *p, struct at_range r)
{
	const char *s = at_token_text(p, r);
	size_t n = r.end - r.beg;

	if (n > 2 && !memcmp(s + n - 2, "_t", 2))
		return true;
	for (size_t i = 0; i < at_count(type_names); i++)
		if (strlen(type_names[i]) == n && !memcmp(type_names[i], s, n))
			return true;
	return false;
}

static int kind_at(const struct at_parser *p, size_t i)
{
	return i < p->tokens.n ? p->tokens.v[i].kind : 0;
}

/* Token behind the type that begins at i, or 0; sure: it cannot be an expression. */
static size_t skip_type(const struct at_parser *p, size_t i, bool *sure)
{
	size_t start = i;

	*sure = kind_at(p, i) == T_STRUCT;
	i += *sure;
	if (kind_at(p, i) != T_IDENT)
		return 0;
	*sure |= names_type(p, p->tokens.v[start].range);
	while (kind_at(p, i) == T_IDENT)
		i++;
	while (kind_at(p, i) == '*') {
		i++;
		*sure |= kind_at(p, i) == ')';
	}
	while (*sure && kind_at(p, i) == '[') {
		i += 1 + (kind_at(p, i + 1) == T_INT);
		if (kind_at(p, i++) != ']')
			return 0;
	}
	return i;
}

static bool is_one_of(int kind, const int *set)
{
	while (*set && *set != kind)
		set++;
	return *set;
}

/* Behind `(name)` these make it a cast whatever the name is. */
static const int begins_operand[] = { T_IDENT,  T_VAR,      T_PARAM, T_MAP, T_INT,
				      T_STRING, T_BOOL,     '(',     '!',   '~',
				      T_SIZEOF, T_OFFSETOF, 0 };
/* And these if the name is sure to be a type. */
static const int begins_typed[] = { '*', '&', '-', T_INC, T_DEC, '{', T_IF, 0 };

static int paren_kind(const struct at_parser *p, size_t i, int before)
{
	bool sure;
	size_t end = skip_type(p, i + 1, &sure);

	if (before == T_SIZEOF || before == T_OFFSETOF)
		return end && (kind_at(p, end) == ')' || kind_at(p, end) == ',') ? T_CAST : '(';
	if (before == T_IDENT)
		return '(';
	if (kind_at(p, i + 1) == T_IDENT && kind_at(p, i + 2) == '=')
		return T_RECORD;
	if (!end || kind_at(p, end) != ')')
		return '(';
	if (is_one_of(kind_at(p, end + 1), begins_operand))
		return T_CAST;
	/* if (u8) {: the brace belongs to the statement */
	return sure && is_one_of(kind_at(p, end + 1), begins_typed) &&
			       !is_one_of(before,
					  (const int[]){ T_IF, T_WHILE, T_UNROLL, T_FOR, 0 })
		       ? T_CAST
		       : '(';
}

/* Behind these an expression goes on: a brace or an `if` there is one. */
static const int wants_operand[] = { '=',   T_ASSIGN_OP, '(',  T_RECORD, ',',   '[',   '?',
				     ':',   T_RETURN,    '+',  '-',      '*',   '/',   '%',
				     '&',   '|',         '^',  '!',      '~',   '<',   '>',
				     T_LE,  T_GE,        T_EQ, T_NE,     T_SHL, T_SHR, T_LAND,
				     T_LOR, T_PRED_OPEN, 0 };

static int refine(const struct at_parser *p, size_t i, int before, int earlier)
{
	struct at_range r = p->tokens.v[i].range;
	int kind = p->tokens.v[i].kind;

	if (before == '.' || before == T_ARROW)
		return at_token_keyword(at_token_text(p, r), r.end - r.beg) ? T_IDENT : kind;
	if (kind == T_MAP)
		return kind_at(p, i + 1) == '[' ? T_MAP_KEYS : kind;
	if (kind == '(')
		return paren_kind(p, i, before);
	if (kind == '{' && is_one_of(before, wants_operand))
		return earlier == T_CONFIG ? kind : T_VALUE_BLOCK;
	if (kind == T_IF && is_one_of(before, wants_operand))
		return T_VALUE_IF;
	return kind;
}

void at_token_refine(struct at_parser *p)
{
	int before = 0, earlier = 0;
	size_t out = 0;

	for (size_t i = 0; i < p->tokens.n; i++) {
		struct at_token t = p->tokens.v[i];

		t.kind = refine(p, i, before, earlier);
		if (t.kind == T_UNSUPPORTED) {
			at_diag(p->diags, AT_D_UNSUPPORTED, t.range,
				"`%.*s` is not supported yet", (int)(t.range.end - t.range.beg),
				at_token_text(p, t.range));
			/* typeof (x) reads on as a call, comptime x and import x as x */
			if (kind_at(p, i + 1) != '(')
				continue;
			t.kind = T_IDENT;
		}
		p->tokens.v[out++] = t;
		earlier = before;
		before = t.kind;
	}
	p->tokens.n = out;
}

static const struct {
	char letter, byte;
} escapes[] = { { 'n', '\n' }, { 't', '\t' }, { 'r', '\r' }, { '"', '"' }, { '\\', '\\' } };

static int digit(char c, int base)
{
	const char *all = "0123456789abcdef",
		   *at = c ? strchr(all, c | (c > '9' ? 0x20 : 0)) : NULL;

	return at && at - all < base ? (int)(at - all) : -1;
}

/* Up to max digits; the number, or -1 without one. */
static int escape_number(const char **s, const char *end, int base, int max)
{
	int v = -1, d;

	while (max-- && *s < end && (d = digit(**s, base)) >= 0) {
		v = (v < 0 ? 0 : v) * base + d;
		(*s)++;
	}
	return v;
}

/* *s is behind the backslash; the byte, or -1. */
static int escape_byte(const char **s, const char *end)
{
	for (size_t i = 0; i < at_count(escapes); i++) {
		if (escapes[i].letter == **s) {
			(*s)++;
			return escapes[i].byte;
		}
	}
	if (**s != 'x')
		return escape_number(s, end, 8, 3);
	(*s)++;
	return escape_number(s, end, 16, 2);
}

char *at_token_string(struct at_parser *p, struct at_range r, size_t *len)
{
	const char *text = p->src->text, *s = text + r.beg + 1, *end = text + r.end;
	char *out = at_alloc(p->arena, r.end - r.beg), *o = out;

	while (s < end && *s != '"') {
		const char *from = s;
		int byte = (unsigned char)*s++;

		if (byte == '\\' && s < end) {
			byte = escape_byte(&s, end);
			if (byte < 0 || byte > 0xff) {
				s = byte < 0 && s == from + 1 ? s + 1 : s;
				at_diag(p->diags, AT_D_BAD_ESCAPE,
					(struct at_range){ (uint32_t)(from - text),
							   (uint32_t)(s - text) },
					"found `%.*s`, which is no escape of a string",
					(int)(s - from), from);
				at_hint(p->diags,
					"escapes are \\n \\t \\r \\\" \\\\ \\ooo \\xHH");
				byte = '?';
			}
		}
		*o++ = (char)byte;
	}
	*len = (size_t)(o - out);
	return out;
}
