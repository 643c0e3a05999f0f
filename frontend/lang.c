/* SPDX-License-Identifier: Apache-2.0 */
/* Looks names up in the tables of a language; the tables themselves are lib/lang.c's. */
#include <string.h>
#include <strings.h>

#include "frontend/lang.h"

const struct at_func *at_lang_func(const struct at_lang *l, const char *name)
{
	for (size_t i = 0; l->funcs[i]; i++)
		if (!strcmp(l->funcs[i]->name, name))
			return l->funcs[i];
	return NULL;
}

const struct at_provider *at_lang_provider(const struct at_lang *l, const char *name)
{
	for (size_t i = 0; l->providers[i]; i++) {
		const struct at_provider *p = l->providers[i];

		if (!strcasecmp(p->name, name) || (p->alias && !strcasecmp(p->alias, name)))
			return p;
	}
	return NULL;
}
