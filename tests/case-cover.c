/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rows of the language's tables the cases use: every function, variable,
 * aggregation, provider, setting, field of http probes, kind of node and
 * operator has to stand in a script that compiles and is judged. The trees'
 * own text says what stands in them.
 */
#include "tests/case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/case-cover.h"

struct row {
	const char *group;
	char *name;
	bool seen;
};

static void add(struct cover *c, const char *group, const char *name)
{
	c->rows = xrealloc(c->rows, (c->n + 1) * sizeof(*c->rows));
	c->rows[c->n++] = (struct row){ group, xstrndup(name, strlen(name)), false };
}

static void see(struct cover *c, const char *group, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (!strcmp(c->rows[i].group, group) && !strcmp(c->rows[i].name, name))
			c->rows[i].seen = true;
}

/* ---- What there is ---- */

static const char *group_of(const struct at_func *f)
{
	return f->flags & AT_F_VAR ? "variable" : f->flags & AT_F_AGG ? "aggregation" : "function";
}

static void add_node_kinds(struct cover *c)
{
	static const char *const kinds[] = {
#define AT_NODE(kind, suffix, text) text,
#include "frontend/ast.def"
	};
	char name[16];

	for (size_t i = 0; i < at_count(kinds); i++)
		add(c, "node", kinds[i]);
	for (unsigned op = 0; op < AT_B_NONE; op++)
		add(c, "operator", at_binop_text(op));
	for (const char *op = "-!~"; *op; op++) {
		snprintf(name, sizeof(name), "unary %c", *op);
		add(c, "operator", name);
	}
}

void cover_begin(struct cover *c, const struct at_lang *lang)
{
	for (size_t i = 0; lang->funcs[i]; i++)
		add(c, group_of(lang->funcs[i]), lang->funcs[i]->name);
	for (size_t i = 0; lang->providers[i]; i++)
		if (lang->providers[i]->plan) /* else it is not there yet */
			add(c, "provider", lang->providers[i]->name);
	for (size_t i = 0; lang->config[i].name; i++)
		add(c, "setting", lang->config[i].name);
	add_node_kinds(c);
}

void cover_fields(struct cover *c, const struct at_type *args)
{
	char name[128];

	for (size_t i = 0; i < args->nfields; i++) {
		snprintf(name, sizeof(name), "struct %s.%s", args->name, args->fields[i].name);
		add(c, "field", name);
	}
}

/* ---- What a script has ---- */

/* Words of a line of the tree: "field status : int32" has two in front of its type. */
struct words {
	char v[3][128];
};

static const char *split(const char *line, struct words *w)
{
	const char *end = line + strcspn(line, "\n");

	*w = (struct words){ 0 };
	for (int i = 0; i < 3; i++) {
		size_t n;

		line += strspn(line, " ");
		n = strcspn(line, " \n");
		snprintf(w->v[i], sizeof(w->v[i]), "%.*s", (int)n, line);
		line += n;
	}
	return *end ? end + 1 : end;
}

/* "field NAME : …" above "ident args : struct TYPE" */
static void see_field(struct cover *c, const char *name, const char *below)
{
	static const char args[] = "ident args : ";
	char row[256];

	below += strspn(below, " ");
	if (strncmp(below, args, sizeof(args) - 1))
		return;
	below += sizeof(args) - 1;
	snprintf(row, sizeof(row), "%.*s.%s", (int)strcspn(below, "\n"), below, name);
	see(c, "field", row);
}

static void see_operator(struct cover *c, const struct words *w)
{
	char op[160];
	size_t n = strlen(w->v[1]);

	snprintf(op, sizeof(op), "unary %s", w->v[1]);
	if (!strcmp(w->v[0], "binary"))
		see(c, "operator", w->v[1]);
	else if (!strcmp(w->v[0], "unary"))
		see(c, "operator", op);
	else if (!strcmp(w->v[0], "assign") && n > 1) {
		snprintf(op, sizeof(op), "%.*s", (int)n - 1, w->v[1]);
		see(c, "operator", op);
	}
}

static void see_tree(struct cover *c, const char *tree)
{
	struct words w;

	while (*tree) {
		const char *below = split(tree, &w);

		see(c, "node", w.v[0]);
		see_operator(c, &w);
		if (!strcmp(w.v[0], "field"))
			see_field(c, w.v[1], below);
		if (!strcmp(w.v[0], "ident"))
			see(c, "variable", w.v[1]);
		if (!strcmp(w.v[0], "call")) {
			see(c, "function", w.v[1]);
			see(c, "aggregation", w.v[1]);
		}
		tree = below;
	}
}

/* NULL: the point was refused. */
static void see_provider(struct cover *c, const struct at_provider *p)
{
	if (p)
		see(c, "provider", p->name);
}

void cover_script(struct cover *c, const struct at_script *s, const char *tree)
{
	for (size_t i = 0; i < s->config.n; i++)
		see(c, "setting", s->config.v[i].key);
	for (size_t i = 0; i < s->clauses.n; i++)
		for (size_t k = 0; k < s->clauses.v[i]->points.n; k++)
			see_provider(c, s->clauses.v[i]->points.v[k]->provider);
	see_tree(c, tree);
}

/* ---- The judgement ---- */

bool cover_group(const struct cover *c, const char *group)
{
	size_t rows = 0, missing = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->rows[i].group, group))
			continue;
		rows++;
		if (c->rows[i].seen)
			continue;
		printf("# no case for the %s %s\n", group, c->rows[i].name);
		missing++;
	}
	return rows && !missing;
}

void cover_names(const struct cover *c)
{
	for (size_t i = 0; i < c->n; i++)
		printf("%s %s\n", c->rows[i].group, c->rows[i].name);
}

void cover_free(struct cover *c)
{
	while (c->n)
		free(c->rows[--c->n].name);
	free(c->rows);
}
