/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls: the prototype of a descriptor is read, the arguments are held against
 * it, then the descriptor's own check is asked. Builtin variables are calls
 * without arguments.
 */
#include "frontend/check_int.h"
#include "lib/base/closest.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARAMS = 8, WORD_LEN = 24 };

struct param {
	char type[WORD_LEN], name[WORD_LEN];
	bool optional, any_more;
};

struct proto {
	char result[WORD_LEN];
	struct param params[MOST_PARAMS];
	unsigned n;
};

/* ---- Reading a prototype ---- */

static const char *read_word(const char *s, char *out)
{
	size_t n = 0;

	while (*s == ' ')
		s++;
	for (; *s && !strchr(" ,()?.", *s); s++)
		if (n + 1 < WORD_LEN)
			out[n++] = *s;
	out[n] = 0;
	return s;
}

static const char *skip_marks(const char *s, struct param *p)
{
	for (; *s && *s != ',' && *s != ')' && !isalnum((unsigned char)*s) && *s != '_'; s++) {
		if (*s == '?')
			p->optional = true;
		if (*s == '.')
			p->any_more = true;
	}
	return s;
}

static const char *read_param(const char *s, struct param *p)
{
	s = skip_marks(read_word(s, p->type), p);
	s = skip_marks(read_word(s, p->name), p);
	if (!*p->type)
		strcpy(p->type, "value");
	return s;
}

static void read_proto(const char *text, struct proto *p)
{
	char name[WORD_LEN];

	memset(p, 0, sizeof(*p));
	text = read_word(text, p->result);
	text = read_word(text, name);
	while (*text == ' ')
		text++;
	if (*text++ != '(')
		return;
	while (*text && *text != ')') {
		assert(p->n < MOST_PARAMS);
		text = read_param(text, &p->params[p->n]);
		if (*p->params[p->n].name || p->params[p->n].any_more ||
		    strcmp(p->params[p->n].type, "value") != 0)
			p->n++;
		if (*text == ',')
			text++;
	}
}

const char *at_check_written(const struct at_func *f)
{
	return strncmp(f->proto, "void ", 5) == 0 ? f->proto + 5 : f->proto;
}

/* ---- Arguments ---- */

static void wrong_type(struct at_check *c, const struct at_n_call *call,
		       const struct at_node *arg, const char *wanted)
{
	at_diag(c->diags, AT_D_ARGUMENT_TYPE, arg->range, "%s() wants %s here, this is %s",
		call->name, wanted, at_check_text(c, arg->type));
	if (call->func)
		at_hint(c->diags, "it is written %s", at_check_written(call->func));
}

static bool arg_int(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	if (at_type_is_int(arg->type))
		return true;
	wrong_type(c, call, arg, "a number");
	return false;
}

static bool arg_bool(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	if (at_type_is_word(arg->type))
		return true;
	wrong_type(c, call, arg, "a condition");
	return false;
}

static bool arg_word(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	if (at_type_is_word(arg->type))
		return true;
	wrong_type(c, call, arg, "a number or an address");
	return false;
}

static bool arg_string(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	if (arg->type->kind == AT_T_STRING)
		return true;
	wrong_type(c, call, arg, "a string");
	return false;
}

static bool arg_value(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	if (arg->type->kind != AT_T_VOID)
		return true;
	wrong_type(c, call, arg, "a value");
	return false;
}

/* A map by name; with keys it names that entry. */
static bool name_map(struct at_check *c, struct at_node *arg)
{
	struct at_n_map *m = (struct at_n_map *)arg;

	m->map = at_scope_map(c, m->name, arg->range);
	if (m->keys.n && !at_check_map_access(c, m))
		return false;
	arg->type = m->map->value ? m->map->value : &at_type_none;
	return true;
}

static bool arg_map(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (arg->kind == AT_N_MAP)
		return name_map(c, arg);
	if (at_check_expr(c, arg))
		wrong_type(c, call, arg, "a map");
	return false;
}

static bool arg_any(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	return arg->kind == AT_N_MAP ? name_map(c, arg) : arg_value(c, call, arg);
}

static bool not_literal(struct at_check *c, struct at_n_call *call, struct at_node *arg,
			const char *wanted)
{
	at_diag(c->diags, AT_D_NOT_LITERAL, arg->range,
		"%s() wants %s written in the script here", call->name, wanted);
	at_hint(c->diags, "it is written %s", at_check_written(call->func));
	return false;
}

static bool arg_lit_int(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	int64_t v;

	if (!at_check_expr(c, arg))
		return false;
	return at_fold_int(arg, &v) || not_literal(c, call, arg, "a number");
}

static bool arg_lit_string(struct at_check *c, struct at_n_call *call, struct at_node *arg)
{
	if (!at_check_expr(c, arg))
		return false;
	return at_fold_string(arg) || not_literal(c, call, arg, "a string");
}

static const struct kind {
	const char *name;
	bool (*check)(struct at_check *c, struct at_n_call *call, struct at_node *arg);
} kinds[] = {
	{ "int", arg_int },         { "uint64", arg_int },
	{ "int64", arg_int },       { "uint32", arg_int },
	{ "int32", arg_int },       { "uint16", arg_int },
	{ "uint8", arg_int },       { "ns", arg_int },
	{ "bool", arg_bool },       { "word", arg_word },
	{ "string", arg_string },   { "value", arg_value },
	{ "any", arg_any },         { "map", arg_map },
	{ "lit-int", arg_lit_int }, { "lit-string", arg_lit_string },
};

static bool check_arg(struct at_check *c, struct at_n_call *call, const struct param *p,
		      struct at_node *arg)
{
	for (size_t i = 0; i < at_count(kinds); i++)
		if (strcmp(kinds[i].name, p->type) == 0)
			return kinds[i].check(c, call, arg);
	assert(!"a prototype with an unknown type");
	return false;
}

/* delete(@m, k) -> delete(@m[k]): the key moves to the map. */
static void move_key(struct at_check *c, struct at_n_call *call, const struct proto *p)
{
	struct at_n_map *m;

	for (unsigned i = 1; i < p->n; i++) {
		if (strcmp(p->params[i].type, "key") != 0 || call->args.n <= i ||
		    call->args.v[i - 1]->kind != AT_N_MAP)
			continue;
		m = (struct at_n_map *)call->args.v[i - 1];
		if (m->keys.n)
			continue;
		if (call->args.v[i]->kind == AT_N_TUPLE)
			m->keys = ((struct at_n_tuple *)call->args.v[i])->elems;
		else
			at_vec_push(c->arena, &m->keys, call->args.v[i]);
		memmove(&call->args.v[i], &call->args.v[i + 1],
			(call->args.n - i - 1) * sizeof(call->args.v[0]));
		call->args.n--;
	}
}

static bool check_count(struct at_check *c, struct at_n_call *call, const struct proto *p)
{
	unsigned least = 0, most = p->n, wanted;
	const char *bound = "";
	bool more = p->n && p->params[p->n - 1].any_more;

	for (unsigned i = 0; i < p->n; i++)
		if (!p->params[i].optional && !p->params[i].any_more &&
		    strcmp(p->params[i].type, "key") != 0)
			least = i + 1;
	if (call->args.n >= least && (more || call->args.n <= most))
		return true;
	wanted = call->args.n < least ? least : most;
	if (more || (least < most && wanted == least))
		bound = "at least ";
	else if (least < most)
		bound = "at most ";
	at_diag(c->diags, AT_D_ARGUMENT_COUNT, call->n.range,
		"%s() takes %s%u argument%s, not %zu", call->name, bound, wanted,
		wanted == 1 ? "" : "s", call->args.n);
	at_hint(c->diags, "it is written %s", at_check_written(call->func));
	return false;
}

static bool check_args(struct at_check *c, struct at_n_call *call, const struct proto *p)
{
	bool ok;

	move_key(c, call, p);
	ok = check_count(c, call, p);
	for (size_t i = 0; i < call->args.n; i++) {
		const struct param *param = i < p->n ? &p->params[i]
					    : p->n   ? &p->params[p->n - 1]
						     : NULL;

		if (!ok || !param || strcmp(param->type, "key") == 0)
			ok = at_check_expr(c, call->args.v[i]) && ok;
		else
			ok = check_arg(c, call, param, call->args.v[i]) && ok;
	}
	return ok;
}

/* ---- Results ---- */

static const struct at_type *result_type(struct at_check *c, const char *name)
{
	static const struct {
		const char *name;
		const struct at_type *type;
	} results[] = {
		{ "void", &at_type_void },     { "bool", &at_type_bool },
		{ "int", &at_type_int64 },     { "int64", &at_type_int64 },
		{ "uint64", &at_type_uint64 }, { "int32", &at_type_int32 },
		{ "uint32", &at_type_uint32 }, { "uint16", &at_type_uint16 },
		{ "uint8", &at_type_uint8 },   { "ns", &at_type_ns },
		{ "inet", &at_type_inet },
	};

	for (size_t i = 0; i < at_count(results); i++)
		if (strcmp(results[i].name, name) == 0)
			return results[i].type;
	if (strncmp(name, "string[", 7) == 0)
		return at_type_string(c->arena, (unsigned)atoi(name + 7));
	assert(strcmp(name, "string") == 0);
	return at_type_string(c->arena, (unsigned)at_config_num(c, "max_strlen"));
}

static bool allowed(struct at_check *c, const struct at_n_call *call)
{
	const struct at_func *f = call->func;

	if (f->flags & AT_F_UNSAFE && !c->opts->unsafe) {
		at_diag(c->diags, AT_D_UNSAFE_FUNCTION, call->name_range,
			"%s() can change the system", f->name);
		at_hint(c->diags, "run with --unsafe to allow it");
		return false;
	}
	if (f->flags & AT_F_HTTP && c->point->provider &&
	    strncmp(c->point->provider->name, "http", 4) != 0) {
		at_diag(c->diags, AT_D_HTTP_ONLY, call->name_range,
			"%s%s works in http probes only", f->name,
			f->flags & AT_F_VAR ? "" : "()");
		return false;
	}
	return true;
}

static void unknown_function(struct at_check *c, const struct at_n_call *call)
{
	struct at_closest best = at_closest_to(call->name);

	at_diag(c->diags, AT_D_UNKNOWN_FUNCTION, call->name_range, "there is no function %s()",
		call->name);
	for (const struct at_func *const *v = c->lang->funcs; *v; v++)
		at_closest_offer(&best, (*v)->name);
	if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
}

/* Finds the function and checks what it is given; false after reporting. */
static bool check_use(struct at_check *c, struct at_n_call *call, struct proto *p)
{
	bool ok;

	call->func = at_lang_func(c->lang, call->name);
	if (!call->func) {
		unknown_function(c, call);
		for (size_t i = 0; i < call->args.n; i++)
			at_check_expr(c, call->args.v[i]);
		return false;
	}
	read_proto(call->func->proto, p);
	ok = allowed(c, call);
	return check_args(c, call, p) && ok;
}

const struct at_type *at_check_agg(struct at_check *c, struct at_n_call *call)
{
	struct proto p;

	if (!check_use(c, call, &p))
		return NULL;
	return call->func->agg->type(c, call);
}

const struct at_type *at_check_call(struct at_check *c, struct at_n_call *call)
{
	struct proto p;

	if (!check_use(c, call, &p))
		return NULL;
	if (call->func->flags & AT_F_AGG) {
		at_diag(c->diags, AT_D_AGG_PLACE, call->n.range,
			"%s() must be put into a map, and be all that is put into it",
			call->name);
		at_hint(c->diags, "write @name = %s(…); or @name[key] = %s(…);", call->name,
			call->name);
		return NULL;
	}
	if (call->func->check)
		return call->func->check(c, call);
	return result_type(c, p.result);
}
