/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expansion: positional parameters get their text, attach points their
 * provider, wildcards their matches, and every attach point a clause of its
 * own (a copy of the tree), since types and fields depend on the point.
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MATCHES = 1024 }; /* attach points of one script */

/* Where a node's children hang: offsets of single nodes (0 ends), and of its list. */
struct shape {
	size_t size;
	unsigned short kids[5];
	unsigned short list;
};

#define SIZE(s)      .size = sizeof(struct at_n_##s)
#define AT(s, field) offsetof(struct at_n_##s, field)

static const struct shape shapes[AT_N_COUNT] = {
	[AT_N_INT] = { SIZE(int) },
	[AT_N_BOOL] = { SIZE(int) },
	[AT_N_STRING] = { SIZE(string) },
	[AT_N_IDENT] = { SIZE(ident) },
	[AT_N_PARAM] = { SIZE(param) },
	[AT_N_VAR] = { SIZE(var) },
	[AT_N_MAP] = { SIZE(map), .list = AT(map, keys) },
	[AT_N_CALL] = { SIZE(call), .list = AT(call, args) },
	[AT_N_FIELD] = { SIZE(field), { AT(field, of) } },
	[AT_N_TINDEX] = { SIZE(tindex), { AT(tindex, of) } },
	[AT_N_INDEX] = { SIZE(index), { AT(index, of), AT(index, index) } },
	[AT_N_UNARY] = { SIZE(unary), { AT(unary, of) } },
	[AT_N_INCDEC] = { SIZE(incdec), { AT(incdec, of) } },
	[AT_N_BINARY] = { SIZE(binary), { AT(binary, left), AT(binary, right) } },
	[AT_N_TERNARY] = { SIZE(ternary), { AT(ternary, cond), AT(ternary, yes), AT(ternary, no) } },
	[AT_N_CAST] = { SIZE(cast), { AT(cast, of) } },
	[AT_N_TUPLE] = { SIZE(tuple), .list = AT(tuple, elems) },
	[AT_N_RECORD] = { SIZE(tuple), .list = AT(tuple, elems) },
	[AT_N_SIZEOF] = { SIZE(sizeof), { AT(sizeof, of) } },
	[AT_N_OFFSETOF] = { SIZE(offsetof), { AT(offsetof, of) } },
	[AT_N_EXPR] = { SIZE(expr_stmt), { AT(expr_stmt, of) } },
	[AT_N_ASSIGN] = { SIZE(assign), { AT(assign, to), AT(assign, value) } },
	[AT_N_LET] = { SIZE(let), { AT(let, value) } },
	[AT_N_IF] = { SIZE(if), { AT(if, cond), AT(if, yes), AT(if, no) } },
	[AT_N_WHILE] = { SIZE(while), { AT(while, cond), AT(while, body) } },
	[AT_N_UNROLL] = { SIZE(unroll), { AT(unroll, times), AT(unroll, body) } },
	[AT_N_FOR] = { SIZE(for), { AT(for, from), AT(for, to), AT(for, over), AT(for, body) } },
	[AT_N_BREAK] = { SIZE(jump) },
	[AT_N_CONTINUE] = { SIZE(jump) },
	[AT_N_RETURN] = { SIZE(return), { AT(return, value) } },
	[AT_N_BLOCK] = { SIZE(block), { AT(block, value) }, .list = AT(block, stmts) },
};

static struct at_node **kid(struct at_node *n, size_t offset)
{
	return (struct at_node **)((char *)n + offset);
}

static at_nodes *kids_of(struct at_node *n, const struct shape *shape)
{
	return shape->list ? (at_nodes *)((char *)n + shape->list) : NULL;
}

static struct at_node *clone(struct at_arena *a, const struct at_node *n)
{
	const struct shape *shape;
	struct at_node *copy;
	at_nodes *list;

	if (!n)
		return NULL;
	shape = &shapes[n->kind];
	copy = at_alloc(a, shape->size);
	memcpy(copy, n, shape->size);
	for (const unsigned short *k = shape->kids; *k; k++)
		*kid(copy, *k) = clone(a, *kid(copy, *k));
	list = kids_of(copy, shape);
	if (list && list->n) {
		struct at_node **old = list->v;

		list->v = at_new_n(a, struct at_node *, list->cap);
		for (size_t i = 0; i < list->n; i++)
			list->v[i] = clone(a, old[i]);
	}
	return copy;
}

/* ---- Positional parameters ---- */

static const char *param_text(struct at_check *c, unsigned number)
{
	if (number == 0)
		return at_sprintf(c->arena, "%zu", c->opts->nparams);
	return number <= c->opts->nparams ? c->opts->params[number - 1] : NULL;
}

static void fill_params(struct at_check *c, struct at_node *n)
{
	at_nodes *list;

	if (!n)
		return;
	if (n->kind == AT_N_PARAM) {
		struct at_n_param *p = (struct at_n_param *)n;

		p->text = param_text(c, p->number);
	}
	for (const unsigned short *k = shapes[n->kind].kids; *k; k++)
		fill_params(c, *kid(n, *k));
	list = kids_of(n, &shapes[n->kind]);
	for (size_t i = 0; list && i < list->n; i++)
		fill_params(c, list->v[i]);
}

/* "$1" in the text of an attach point; the text may bring in more parts. */
static const char *replace_params(struct at_check *c, const char *text)
{
	const char *dollar = strchr(text, '$'), *value;
	unsigned long number;
	char *rest;

	if (!dollar || dollar[1] < '0' || dollar[1] > '9')
		return text;
	number = strtoul(dollar + 1, &rest, 10);
	value = param_text(c, number < 1000 ? (unsigned)number : 1000);
	return at_sprintf(c->arena, "%.*s%s%s", (int)(dollar - text), text, value ? value : "",
			  replace_params(c, rest));
}

/* ---- Attach points ---- */

static void add_part(struct at_check *c, struct at_attachpt *p, const char *s, size_t n,
		     struct at_range range)
{
	at_vec_push(c->arena, &p->parts, at_strndup(c->arena, s, n));
	at_vec_push(c->arena, &p->ranges, range);
}

static void split_part(struct at_check *c, struct at_attachpt *p, const char *s,
		       struct at_range range)
{
	for (const char *colon; (colon = strchr(s, ':')); s = colon + 1)
		add_part(c, p, s, colon - s, range);
	add_part(c, p, s, strlen(s), range);
}

/* The point with its parameters filled in; parts of the others stay as they were. */
static struct at_attachpt *copy_point(struct at_check *c, const struct at_attachpt *from)
{
	struct at_attachpt *p = at_new(c->arena, struct at_attachpt);

	p->range = from->range;
	for (size_t i = 0; i < from->parts.n; i++) {
		const char *text = replace_params(c, from->parts.v[i]);

		if (text != from->parts.v[i])
			split_part(c, p, text, from->ranges.v[i]);
		else
			add_part(c, p, text, strlen(text), from->ranges.v[i]);
	}
	return p;
}

static void name_point(struct at_check *c, struct at_attachpt *p)
{
	const char *provider = p->provider ? p->provider->name : p->parts.v[0];
	size_t size = strlen(provider) + 1;
	char *text, *end;

	for (size_t i = 1; i < p->parts.n; i++)
		size += 1 + strlen(p->parts.v[i]);
	text = at_alloc(c->arena, size);
	end = stpcpy(text, provider);
	for (size_t i = 1; i < p->parts.n; i++) {
		*end++ = ':';
		end = stpcpy(end, p->parts.v[i]);
	}
	p->text = text;
}

static bool find_provider(struct at_check *c, struct at_attachpt *p)
{
	struct at_closest best;

	p->provider = at_lang_provider(c->lang, p->parts.v[0]);
	name_point(c, p);
	if (p->provider)
		return true;
	at_diag(c->diags, AT_D_UNKNOWN_PROVIDER, p->ranges.v[0], "there is no probe type `%s`",
		p->parts.v[0]);
	best = at_closest_to(p->parts.v[0]);
	for (const struct at_provider *const *v = c->lang->providers; *v; v++)
		at_closest_offer(&best, (*v)->name);
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
	return false;
}

/* One clause of the expanded script: the clause itself the first time, then copies. */
static void add_clause(struct at_check *c, const struct at_clause *from, struct at_attachpt *p)
{
	struct at_clause *copy = at_new(c->arena, struct at_clause);

	copy->range = from->range;
	copy->pred = clone(c->arena, from->pred);
	copy->body = (struct at_n_block *)clone(c->arena, &from->body->n);
	copy->index = c->script->clauses.n;
	at_vec_push(c->arena, &copy->points, p);
	at_vec_push(c->arena, &c->script->clauses, copy);
	c->clause = copy;
	c->point = p;
}

static bool parse_point(struct at_check *c, struct at_attachpt *p)
{
	if (p->provider->parse && p->provider->parse(c, p))
		return false;
	p->args = p->provider->args ? p->provider->args(c, p) : NULL;
	return true;
}

/* ---- Wildcards ---- */

struct matching {
	struct at_check *c;
	const struct at_clause *clause;
	const struct at_attachpt *pattern;
	unsigned n;
};

static int each_match(const char *name, void *arg)
{
	struct matching *m = arg;
	struct at_check *c = m->c;
	struct at_attachpt *p = at_new(c->arena, struct at_attachpt);

	if (c->script->clauses.n >= MAX_MATCHES || at_arena_low(c->arena))
		return 1;
	p->range = m->pattern->range;
	p->provider = m->pattern->provider;
	split_part(c, p, name, p->range);
	name_point(c, p);
	add_clause(c, m->clause, p);
	parse_point(c, p);
	m->n++;
	return 0;
}

static bool has_wildcard(const struct at_attachpt *p)
{
	for (size_t i = 1; i < p->parts.n; i++)
		if (strchr(p->parts.v[i], '*'))
			return true;
	return false;
}

/* Does the provider take the pattern as it stands (a glob that it matches itself)? */
static bool takes_pattern(struct at_check *c, const struct at_attachpt *p)
{
	struct at_diags quiet = { .arena = c->arena }, *real = c->diags;
	struct at_attachpt *try = copy_point(c, p);
	bool ok;

	try->provider = p->provider;
	name_point(c, try);
	c->diags = &quiet;
	ok = !p->provider->parse || p->provider->parse(c, try) == 0;
	c->diags = real;
	return ok;
}

void at_cannot_list(struct at_diags *d, const struct at_provider *p, struct at_range range,
		    int err)
{
	bool privilege = err == -EACCES || err == -EPERM;

	if (privilege)
		at_diag(d, AT_D_NO_PRIVILEGE, range,
			"the %ss of this machine can be read by root only", p->name);
	else
		at_diag(d, AT_D_KERNEL_LACKS, range, "%ss cannot be looked up: %s", p->name,
			strerror(-err));
	if (p->needs && !privilege)
		at_hint(d, "they need %s", p->needs);
}

/* A probe that is not there, where the script does not mind: said, if it wants that. */
static void leave_out(struct at_check *c, const struct at_attachpt *p)
{
	if (at_config_num(c, "missing_probes") == AT_MISSING_WARN)
		at_diag(c->diags, AT_D_MISSING_PROBE, p->range, "%s is left out, it is not there",
			p->text);
}

static bool only_missing(const struct at_diags *d)
{
	return d->list.n == 1 && d->list.v[0].tag == AT_D_NO_MATCH;
}

/* Is this what missing_probes is about? */
static bool is_missing(struct at_check *c, const struct at_attachpt *p)
{
	struct at_diags quiet = { .arena = c->arena }, *real = c->diags;
	struct at_attachpt *try;

	if (at_config_num(c, "missing_probes") == AT_MISSING_ERROR || !p->provider->parse)
		return false;
	try = copy_point(c, p);
	try->provider = p->provider;
	name_point(c, try);
	c->diags = &quiet;
	p->provider->parse(c, try);
	c->diags = real;
	return only_missing(&quiet);
}

static void expand_wildcard(struct at_check *c, const struct at_clause *clause,
			    struct at_attachpt *p)
{
	struct matching m = { c, clause, p, 0 };
	int err = p->provider->list(c->host, p->text, each_match, &m);

	if (c->script->clauses.n >= MAX_MATCHES) {
		at_diag(c->diags, AT_D_SCRIPT_COMPLEX, p->range,
			"%s and the other probes match more than %d attach points", p->text,
			MAX_MATCHES);
		at_hint(c->diags, "narrow the wildcard");
	} else if (err < 0) {
		at_cannot_list(c->diags, p->provider, p->range, err);
	} else if (!m.n && at_config_num(c, "missing_probes") != AT_MISSING_ERROR) {
		leave_out(c, p);
	} else if (!m.n) {
		at_diag(c->diags, AT_D_NO_MATCH, p->range, "nothing matches %s", p->text);
		at_hint(c->diags, "`-l '%s'` lists what there is", p->text);
	}
}

static void expand_point(struct at_check *c, const struct at_clause *clause,
			 const struct at_attachpt *from)
{
	struct at_attachpt *p = copy_point(c, from);

	if (find_provider(c, p) && has_wildcard(p) && p->provider->list &&
	    !takes_pattern(c, p)) {
		expand_wildcard(c, clause, p);
		return;
	}
	if (p->provider && is_missing(c, p)) {
		leave_out(c, p);
		return;
	}
	add_clause(c, clause, p);
	if (p->provider && !parse_point(c, p))
		p->provider = NULL; /* reported: the body is checked without its fields */
}

void at_expand(struct at_check *c)
{
	struct at_script *s = c->script;
	struct at_clause **clauses = s->clauses.v;
	size_t n = s->clauses.n;

	memset(&s->clauses, 0, sizeof(s->clauses));
	for (size_t i = 0; i < n; i++) {
		if (clauses[i]->pred)
			fill_params(c, clauses[i]->pred);
		fill_params(c, &clauses[i]->body->n);
		for (size_t j = 0; j < clauses[i]->points.n; j++) {
			if (at_arena_low(c->arena)) {
				at_diag(c->diags, AT_D_SCRIPT_COMPLEX, clauses[i]->range,
					"the script grows too large when it is expanded");
				return;
			}
			expand_point(c, clauses[i], clauses[i]->points.v[j]);
		}
	}
	if (n && !s->clauses.n && !c->diags->errors)
		at_diag(c->diags, AT_D_NO_MATCH, clauses[0]->range,
			"no probe of the script is there");
}
