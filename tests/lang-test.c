/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler with a language that is not ours: what no function of ours does,
 * such as changing the system or asking for too much, has to be judged, too.
 * Needs no privilege; APITRACE_PLUGIN names the code generator. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/probe/probe.h"
#include "lib/session.h"

static struct at_val lower_word(struct at_lower *lw, struct at_n_call *call)
{
	return at_word(&at_type_int64, ir_const(lw->b, 7));
}

/* More than a frame holds. */
static struct at_val lower_deep(struct at_lower *lw, struct at_n_call *call)
{
	struct at_ir *slot = ir_slot(lw->b, 1024);

	ir_store(lw->b, 8, slot, 0, ir_const(lw->b, 7));
	return at_word(&at_type_int64, ir_load(lw->b, 8, slot, 0));
}

static const struct at_func unsafe = {
	.name = "reboot", .proto = "int reboot()", .flags = AT_F_UNSAFE, .lower = lower_word
};
static const struct at_func deep = {
	.name = "deep", .proto = "int deep()", .lower = lower_deep
};
static const struct at_func *const funcs[] = { &unsafe, &deep, NULL };
static const struct at_provider *const providers[] = { &at_provider_begin, NULL };
static const struct at_config_key no_config[] = { { NULL } };
static const struct at_lang lang = { providers, funcs, no_config };

struct result {
	struct at_session s;
	int err;
};

static void compile(struct result *r, const char *text, bool unsafe_allowed)
{
	struct at_arena *a = at_arena_new();

	*r = (struct result){ .s = { .arena = a, .lang = &lang, .host = at_host_new() } };
	r->s.source = (struct at_source){ "x.bt", text, strlen(text) };
	r->s.opts.unsafe = unsafe_allowed;
	r->err = at_session_compile(&r->s);
}

/* Is the only diagnostic of that tag, with that text? */
static bool diagnosed(const struct result *r, enum at_tag tag, const char *text)
{
	const struct at_diags *d = &r->s.diags;

	for (size_t i = 0; i < d->list.n; i++)
		printf("# %s: %s\n", at_tag_name(d->list.v[i].tag), d->list.v[i].text);
	return r->err && d->list.n == 1 && d->list.v[0].tag == tag &&
	       strstr(d->list.v[0].text, text);
}

static void release(struct result *r)
{
	at_session_free(&r->s);
	at_host_free(r->s.host);
	at_arena_free(r->s.arena);
}

static bool unsafe_functions_are_refused(void)
{
	struct result r;
	bool ok;

	compile(&r, "begin { @x = reboot() }", false);
	ok = diagnosed(&r, AT_D_UNSAFE_FUNCTION, "reboot()");
	release(&r);
	compile(&r, "begin { @x = reboot() }", true);
	ok &= !r.err && r.s.elf;
	release(&r);
	return ok;
}

static bool what_cannot_be_generated_is_told(void)
{
	struct result r;
	bool ok;

	compile(&r, "begin { @x = 1; @x = deep() }", false);
	ok = diagnosed(&r, AT_D_CODEGEN, "stack") && !r.s.elf && r.s.diags.list.v[0].range.end;
	release(&r);
	return ok;
}

static const struct {
	const char *name;
	bool (*test)(void);
} tests[] = {
	{ "unsafe functions are refused, unless allowed", unsafe_functions_are_refused },
	{ "what cannot be generated is told with its place", what_cannot_be_generated_is_told },
};

int main(void)
{
	unsigned failed = 0;

	printf("1..%zu\n", at_count(tests));
	for (size_t i = 0; i < at_count(tests); i++) {
		bool ok = tests[i].test();

		failed += !ok;
		printf("%sok %zu - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	return failed != 0;
}
