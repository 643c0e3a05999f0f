/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of a compilation, for a reader: text, but for the last one, which is the ELF file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/look.h"

/* A copy of what the arena or the session holds. */
static int copy(const void *from, size_t n, char **out, size_t *len)
{
	*out = from ? malloc(n + 1) : NULL;
	if (!*out)
		return from ? -ENOMEM : -ENODATA;
	memcpy(*out, from, n);
	(*out)[n] = 0;
	*len = n;
	return 0;
}

static int copy_text(const char *text, char **out, size_t *len)
{
	return copy(text, text ? strlen(text) : 0, out, len);
}

static int dump_tokens(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	struct at_diags again = { .arena = a, .source = &s->source };

	return copy_text(at_dump_tokens(a, &again, &s->source), out, len);
}

static int dump_ast(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	return copy_text(s->script ? at_dump_ast(a, s->script, false) : NULL, out, len);
}

static int dump_types(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	return copy_text(s->checked ? at_dump_ast(a, s->script, true) : NULL, out, len);
}

static int dump_plan(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	bool made = s->plan && !s->diags.errors;

	return copy_text(made ? at_plan_dump(a, s->plan) : NULL, out, len);
}

static int dump_ir(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	int err = s->elf ? at_session_ir(s, out) : -ENODATA;

	if (!err)
		*len = strlen(*out);
	return err;
}

static int dump_elf(struct at_session *s, struct at_arena *a, char **out, size_t *len)
{
	return copy(s->elf, s->elf_size, out, len);
}

static const struct {
	const char *name;
	int (*dump)(struct at_session *s, struct at_arena *a, char **out, size_t *len);
} stages[] = {
	{ "tokens", dump_tokens }, { "ast", dump_ast }, { "types", dump_types },
	{ "plan", dump_plan },     { "ir", dump_ir },   { "elf", dump_elf },
};

int at_session_dump(struct at_session *s, const char *stage, char **out, size_t *len)
{
	struct at_arena *a;
	size_t i = 0;
	int err;

	*out = NULL;
	*len = 0;
	while (i < at_count(stages) && strcmp(stages[i].name, stage))
		i++;
	if (i == at_count(stages))
		return -EINVAL;
	a = at_arena_new();
	if (!a)
		return -ENOMEM;
	err = stages[i].dump(s, a, out, len);
	at_arena_free(a);
	return err;
}
