/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Searches for probes. The first part of a search names providers; a search of
 * one part that names none by itself is held against whole names: "*sleep*".
 */
#include <errno.h>
#include <string.h>

#include "lib/base/glob.h"
#include "lib/look.h"

struct listing {
	int (*each)(void *arg, const char *name);
	void *arg;
	const char *filter; /* pattern for whole names, or NULL */
	int stop;
};

static int list_one(const char *name, void *arg)
{
	struct listing *l = arg;

	if (l->filter && !at_glob(l->filter, name, false))
		return 0;
	l->stop = l->each(l->arg, name);
	return l->stop != 0;
}

/* No name of the provider can match: then it need not be asked. */
static bool begins_otherwise(const char *pattern, const struct at_provider *p)
{
	return strncmp(pattern, p->name, strcspn(pattern, "*")) != 0;
}

static bool names_provider(const char *pattern, const struct at_provider *p)
{
	return at_glob(pattern, p->name, true) ||
	       (p->alias && at_glob(pattern, p->alias, true));
}

int at_list(const struct at_lang *lang, struct at_host *host, struct at_diags *diags,
	    const char *search, int (*each)(void *arg, const char *name), void *arg)
{
	struct listing l = { .each = each, .arg = arg };
	size_t len = strcspn(search, ":");
	const char *first = at_strndup(diags->arena, search, len);
	int err, result = 0;

	for (size_t i = 0; lang->providers[i] && !l.stop; i++) {
		const struct at_provider *p = lang->providers[i];
		bool named = names_provider(first, p);

		if (!p->list || (!named && (search[len] || !at_glob_is(search) ||
					    begins_otherwise(search, p))))
			continue;
		l.filter = named ? NULL : search;
		err = p->list(host, at_sprintf(diags->arena, "%s%s", p->name, search + len),
			      list_one, &l);
		if (err >= 0)
			continue;
		at_cannot_list(diags, p, (struct at_range){ 0 }, err);
		result = err;
	}
	return l.stop ? l.stop : result;
}

/* A script of that one probe tells what it has. */
int at_list_args(const struct at_lang *lang, struct at_host *host, const char *probe,
		 int (*each)(void *arg, const char *type, const char *name), void *arg)
{
	struct at_arena *a = at_arena_new();
	struct at_source source = { .name = "probe" };
	struct at_diags diags = { .arena = a, .source = &source };
	struct at_options opts = { 0 };
	struct at_check c = {
		.arena = a, .diags = &diags, .lang = lang, .opts = &opts, .host = host
	};
	const struct at_type *args = NULL;
	int stop = 0;

	if (!a)
		return -errno;
	source.text = at_sprintf(a, "%s { }", probe);
	source.len = strlen(source.text);
	c.script = at_parse(a, &diags, &source);
	if (c.script && !diags.errors)
		at_expand(&c);
	if (c.script && !diags.errors && c.script->clauses.n == 1)
		args = c.script->clauses.v[0]->points.v[0]->args;
	for (unsigned i = 0; args && i < args->nfields && !stop; i++)
		stop = each(arg, at_type_text(a, args->fields[i].type), args->fields[i].name);
	at_arena_free(a);
	return stop;
}
