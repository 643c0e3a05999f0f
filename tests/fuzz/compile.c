/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target: any bytes as a script, through everything up to the plan, on
 * the recorded host, with all that can be looked at on the way. Its first byte
 * chooses options. Built and run by scripts/dev/check-fuzz.
 */
#include <stdlib.h>

#include "frontend/lower.h"
#include "lib/run/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { UNSAFE = 1, SHOW_SECRETS = 2, PID = 4, PARAMS = 8 };

static struct at_host *host(void)
{
	static struct at_host *h;

	if (!h)
		h = at_host_recorded(getenv("AT_FIXTURE_HOST"));
	if (!h)
		abort();
	return h;
}

static void look_at_diagnostics(struct at_arena *a, const struct at_source *source,
				const struct at_diags *d)
{
	for (size_t i = 0; i < d->list.n; i++)
		at_diag_render(a, source, &d->list.v[i]);
}

static void compile(struct at_arena *a, const struct at_source *source, unsigned flags)
{
	static const char *const params[] = { "42", "text \"quoted\" and \\ more", "-7" };
	struct at_options opts = { .unsafe = flags & UNSAFE,
				   .show_secrets = flags & SHOW_SECRETS,
				   .pid_filter = flags & PID,
				   .params = params,
				   .nparams = flags & PARAMS ? 3 : 0 };
	struct at_diags diags = { .arena = a, .source = source };
	struct at_check c = { .arena = a, .diags = &diags, .lang = &at_lang, .opts = &opts,
			      .host = host() };
	struct at_plan *plan = NULL;

	c.script = at_parse(a, &diags, source);
	if (c.script && !diags.errors) {
		at_dump_ast(a, c.script, false);
		if (at_check(&c))
			plan = at_plan_new(a, source);
		at_dump_ast(a, c.script, true);
	}
	if (plan && at_lower(&c, plan))
		at_plan_dump(a, plan);
	else if (!diags.errors)
		abort(); /* refused, and nobody said why */
	look_at_diagnostics(a, source, &diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct at_arena *a = at_arena_new();
	char *text = malloc(size + 1);
	struct at_source source = { "fuzz", text, size ? size - 1 : 0 };

	if (!a || !text || !size)
		goto out;
	for (size_t i = 1; i < size; i++)
		text[i - 1] = (char)data[i];
	text[size - 1] = 0;
	compile(a, &source, data[0]);
out:
	free(text);
	at_arena_free(a);
	return 0;
}
