/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of text cases: judging sections, TAP, counting. The format is in case.h. */
#include "tests/case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/lower.h"
#include "lib/run/host.h"
#include "tests/case-cover.h"

/* One script through the front end, as far as a section wants. */
enum stage { PARSED, CHECKED, LOWERED };

struct compiled {
	struct at_arena *arena;
	struct at_source source;
	struct at_diags diags;
	struct at_script *script;
	struct at_plan *plan;
	char *text; /* owned */
};

/* Words of the options section. */
struct options {
	char *words[32];
	size_t n;
	char *options[32], *params[32]; /* those of words */
	size_t noptions, nparams;
	struct at_options front;
};

struct runner {
	bool update, covering;
	struct at_host *host;
	unsigned number, passed, failed, skipped;
	bool tags[AT_D_COUNT]; /* seen in a diag section, or tested elsewhere */
	struct cover cover;
	/* Of the case being judged: */
	const struct testcase *c;
	struct casefile *file;
	struct options opts;
	bool failing, skipping;
};

static void options_read(struct options *o, const struct section *s)
{
	const char *t = s ? s->text : "";

	*o = (struct options){ 0 };
	while (*(t += strspn(t, " \n")) && o->n < at_count(o->words)) {
		bool quoted = *t == '"';
		size_t n = strcspn(t += quoted, quoted ? "\"" : " \n");
		char *word = o->words[o->n++] = xstrndup(t, n);

		t += n + (quoted && t[n]);
		if (*word == '-' && !quoted)
			o->options[o->noptions++] = word;
		else
			o->params[o->nparams++] = word;
		o->front.unsafe |= !strcmp(word, "--unsafe");
		o->front.show_secrets |= !strcmp(word, "--show-secrets");
		o->front.pid_filter |= !strcmp(word, "--pid");
	}
	o->front.params = (const char *const *)o->params;
	o->front.nparams = o->nparams;
}

static void options_free(struct options *o)
{
	while (o->n)
		free(o->words[--o->n]);
}

static void compile(struct runner *r, const struct section *s, enum stage stage,
		    struct compiled *out)
{
	size_t len;
	char *text = script_text(s, &len);
	struct at_arena *a = at_arena_new();
	struct at_check *c;

	if (!a)
		exit(2);
	*out = (struct compiled){ .arena = a, .text = text, .source = { "stdin", text, len } };
	out->diags = (struct at_diags){ .arena = a, .source = &out->source };
	out->script = at_parse(a, &out->diags, &out->source);
	if (stage == PARSED || !out->script)
		return;
	c = at_new(a, struct at_check);
	*c = (struct at_check){ .arena = a,
				.diags = &out->diags,
				.lang = &at_lang,
				.opts = &r->opts.front,
				.host = r->host,
				.script = out->script };
	if (!at_check(c) || stage == CHECKED || out->diags.errors)
		return;
	out->plan = at_plan_new(a, &out->source);
	if (!at_lower(c, out->plan))
		out->plan = NULL;
}

static void compiled_free(struct compiled *x)
{
	at_arena_free(x->arena);
	free(x->text);
}

static void fail(struct runner *r, const struct section *s, const char *why)
{
	r->failing = true;
	printf("# %s:%u: %s: %s\n", r->file->path, s->line, s->name, why);
}

/* The judgement of most sections: what came is what the section says. */
static void expect(struct runner *r, struct section *s, const char *got, bool patterns)
{
	unsigned line = differing_line(s->text, got, patterns);
	size_t n = strlen(got);

	if (!line)
		return;
	if (r->update) {
		while (n && got[n - 1] == '\n')
			n--;
		free(s->text);
		s->text = xstrndup(got, n);
		r->file->changed = true;
		return;
	}
	fail(r, s, "not as expected");
	printf("#   line %u of the section\n", line);
	print_line("want", s->text, line);
	print_line("got ", got, line);
}

/* All diagnostics, each behind its tag. */
static char *diags_text(struct runner *r, struct compiled *x)
{
	char *all = at_strdup(x->arena, "");

	for (size_t i = 0; i < x->diags.list.n; i++) {
		const struct at_diag *d = &x->diags.list.v[i];

		r->tags[d->tag] = true;
		all = at_sprintf(x->arena, "%s[%s]\n%s", all, at_tag_name(d->tag),
				 at_diag_render(x->arena, &x->source, d));
	}
	return all;
}

/* Errors that no diag section of the case expects. */
static bool unexpected(struct runner *r, struct section *s, struct compiled *x)
{
	if (!x->diags.errors || case_section(r->c, "diag"))
		return false;
	fail(r, s, "the script has mistakes");
	printf("#   %s\n", at_tag_name(x->diags.list.v[0].tag));
	print_line("says", at_diag_render(x->arena, &x->source, &x->diags.list.v[0]), 1);
	return true;
}

static void judge_tokens(struct runner *r, struct section *s, struct section *script)
{
	struct compiled x;

	compile(r, script, PARSED, &x);
	x.diags = (struct at_diags){ .arena = x.arena, .source = &x.source };
	expect(r, s, at_dump_tokens(x.arena, &x.diags, &x.source), false);
	compiled_free(&x);
}

static void judge_ast(struct runner *r, struct section *s, struct section *script)
{
	bool types = !strcmp(s->name, "types");
	struct compiled x;

	compile(r, script, types ? CHECKED : PARSED, &x);
	if (!unexpected(r, s, &x))
		expect(r, s, x.script ? at_dump_ast(x.arena, x.script, types) : "", false);
	compiled_free(&x);
}

static void judge_diag(struct runner *r, struct section *s, struct section *script)
{
	struct compiled x;

	compile(r, script, strcmp(s->args, "parse") ? LOWERED : PARSED, &x);
	expect(r, s, diags_text(r, &x), false);
	compiled_free(&x);
}

static void judge_plan(struct runner *r, struct section *s, struct section *script)
{
	struct compiled x;

	compile(r, script, LOWERED, &x);
	if (!unexpected(r, s, &x))
		expect(r, s, x.plan ? at_plan_dump(x.arena, x.plan) : "", false);
	compiled_free(&x);
}

static void judge_same(struct runner *r, struct section *s, struct section *script)
{
	struct compiled x, y;
	const char *a, *b;
	unsigned line;

	compile(r, script, LOWERED, &x);
	compile(r, s, LOWERED, &y);
	a = x.plan ? at_plan_dump(x.arena, x.plan) : "(none)";
	b = y.plan ? at_plan_dump(y.arena, y.plan) : "";
	line = differing_line(a, b, false);
	if (!unexpected(r, s, &x) && !unexpected(r, s, &y) && line) {
		fail(r, s, "the plans differ");
		print_line("script", a, line);
		print_line("same  ", b, line);
	}
	compiled_free(&x);
	compiled_free(&y);
}

/* ---- Sections that run the command ---- */

static char *run_script(struct runner *r, struct section *script, bool json, bool dry,
			struct run *run)
{
	const struct section *with = case_section(r->c, "with");
	size_t len;
	char *text = script_text(script, &len);
	struct run_what w = { .script = text,
			      .json = json,
			      .dry = dry,
			      .options = r->opts.options,
			      .noptions = r->opts.noptions,
			      .params = r->opts.params,
			      .nparams = r->opts.nparams,
			      .with = with && !dry ? with->text : NULL };

	run_command(&w, run);
	return text;
}

/* Its messages, when a run did not go as it should. */
static void print_messages(const struct run *run)
{
	printf("#   exit status %d\n", run->status);
	print_lines("says", run->err, 5);
}

static void judge_run(struct runner *r, struct section *s, struct section *script)
{
	const struct section *status = case_section(r->c, "exit");
	struct run run;
	char *text = run_script(r, script, !strcmp(s->name, "json"), false, &run), number[16];
	bool failing = r->failing;

	snprintf(number, sizeof(number), "%d", run.status);
	if (!strcmp(s->name, "exit"))
		expect(r, s, number, false);
	else if (run.status && !status)
		fail(r, s, run.status < 0 ? "did not end in time" : "failed");
	else
		expect(r, s, run.out, true);
	if (r->failing && !failing)
		print_messages(&run);
	run_free(&run);
	free(text);
}

static void judge_verify(struct runner *r, struct section *s, struct section *script)
{
	struct run run;
	char *text = run_script(r, script, false, true, &run);

	if (run.status) {
		fail(r, s, "the kernel does not take it");
		print_messages(&run);
	}
	run_free(&run);
	free(text);
}

/* A section that judges; those without are read by others. */
static const struct {
	const char *name;
	bool privileged;
	void (*judge)(struct runner *r, struct section *s, struct section *script);
} sections[] = {
	{ "script" },
	{ "options" },
	{ "with", true },
	{ "tokens", false, judge_tokens },
	{ "ast", false, judge_ast },
	{ "types", false, judge_ast },
	{ "diag", false, judge_diag },
	{ "plan", false, judge_plan },
	{ "same", false, judge_same },
	{ "verify", true, judge_verify },
	{ "out", true, judge_run },
	{ "json", true, judge_run },
	{ "exit", true, judge_run },
};

static void judge_section(struct runner *r, struct section *s, struct section *script)
{
	for (size_t i = 0; i < at_count(sections); i++) {
		if (strcmp(sections[i].name, s->name))
			continue;
		if (sections[i].privileged && !run_possible())
			r->skipping = true;
		else if (sections[i].judge)
			sections[i].judge(r, s, script);
		return;
	}
	fail(r, s, "no such section");
}

/* Is there anything in it that can fail? */
static bool judges(const struct testcase *c)
{
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < at_count(sections); k++)
			if (sections[k].judge && !strcmp(sections[k].name, c->sections[i].name))
				return true;
	return false;
}

/* Is all that is wrong that something is not there yet? */
static bool only_not_yet(const struct at_diags *d)
{
	for (size_t i = 0; i < d->list.n; i++)
		if (d->list.v[i].tag != AT_D_NOT_YET)
			return false;
	return d->list.n;
}

/* Notes what the case uses of the language. */
static void cover_case(struct runner *r, struct section *script)
{
	struct compiled x;

	compile(r, script, LOWERED, &x);
	if (x.plan || only_not_yet(&x.diags))
		cover_script(&r->cover, x.script, at_dump_ast(x.arena, x.script, true));
	compiled_free(&x);
}

static void judge_case(struct runner *r, struct casefile *f, const struct testcase *c)
{
	struct section *script = case_section(c, "script");

	r->file = f;
	r->c = c;
	r->failing = r->skipping = false;
	options_read(&r->opts, case_section(c, "options"));
	if (!script || !judges(c)) {
		printf("# %s:%u: a case has a script and a section that judges it\n", f->path,
		       c->line);
		r->failing = true;
	} else {
		for (size_t i = 0; i < c->n; i++)
			judge_section(r, &c->sections[i], script);
		if (r->covering)
			cover_case(r, script);
	}
	options_free(&r->opts);
	printf("%sok %u - %s%s\n", r->failing ? "not " : "", ++r->number, c->name,
	       !r->failing && r->skipping ? " # SKIP needs root and $APITRACE" : "");
	r->failed += r->failing;
	r->skipped += !r->failing && r->skipping;
	r->passed += !r->failing && !r->skipping;
}

static void judge_file(struct runner *r, const char *path)
{
	struct casefile f;

	if (!casefile_read(&f, path)) {
		printf("not ok %u - %s\n", ++r->number, path);
		r->failed++;
	} else {
		printf("# %s\n", path);
		for (size_t i = 0; i < f.n; i++)
			judge_case(r, &f, &f.cases[i]);
	}
	if (f.changed && !casefile_write(&f))
		fprintf(stderr, "%s: cannot be written\n", path);
	casefile_free(&f);
}

/* ---- Coverage of the tables ---- */

static int cover_probe(const char *probe, void *arg)
{
	struct runner *r = arg;
	char text[128];
	struct section s = { .text = text, .args = (char *)"" };
	struct compiled x;

	snprintf(text, sizeof(text), "%s { }", probe);
	compile(r, &s, CHECKED, &x);
	if (!x.diags.errors)
		cover_fields(&r->cover, x.script->clauses.v[0]->points.v[0]->args);
	compiled_free(&x);
	return 0;
}

/* A tag by its name, or as C has it: AT_D_SYNTAX. */
static void tested_elsewhere(struct runner *r, const char *tag)
{
	static const char *const names[] = {
#define DIAG(tag, name, severity) "AT_D_" #tag,
#include "lib/base/diag.def"
#undef DIAG
	};

	for (unsigned i = 0; i < AT_D_COUNT; i++)
		if (!strcmp(tag, names[i]) || !strcmp(tag, at_tag_name(i)))
			r->tags[i] = true;
}

static bool all_tags_tested(const struct runner *r)
{
	bool all = true;

	for (unsigned i = 0; i < AT_D_COUNT; i++) {
		if (r->tags[i])
			continue;
		printf("# no case for the diagnostic %s\n", at_tag_name(i));
		all = false;
	}
	return all;
}

static void judge_cover(struct runner *r, const char *group, bool ok)
{
	printf("%sok %u - every %s has a case\n", ok ? "" : "not ", ++r->number, group);
	*(ok ? &r->passed : &r->failed) += 1;
}

static void judge_coverage(struct runner *r)
{
	static const char *const groups[] = { "function", "variable", "aggregation", "provider",
					      "setting",  "field",    "node",        "operator" };

	for (size_t i = 0; i < at_count(groups); i++)
		judge_cover(r, groups[i], cover_group(&r->cover, groups[i]));
	judge_cover(r, "diagnostic", all_tags_tested(r));
}

int main(int argc, char **argv)
{
	const char *host = getenv("AT_FIXTURE_HOST");
	struct runner r = { 0 };

	r.host = at_host_recorded(host ? host : "tests/fixtures/host");
	if (!r.host) {
		fprintf(stderr, "case-runner: $AT_FIXTURE_HOST: %s\n", strerror(errno));
		return 2;
	}
	cover_begin(&r.cover, &at_lang);
	at_lang_provider(&at_lang, "http")->list(r.host, "http:*", cover_probe, &r);
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--update"))
			r.update = true;
		else if (!strcmp(argv[i], "--cover"))
			r.covering = true;
		else if (!strncmp(argv[i], "--tested=", 9))
			tested_elsewhere(&r, argv[i] + 9);
		else if (!strcmp(argv[i], "--names"))
			cover_names(&r.cover);
		else
			judge_file(&r, argv[i]);
	}
	if (r.covering)
		judge_coverage(&r);
	cover_free(&r.cover);
	at_host_free(r.host);
	printf("1..%u\n", r.number);
	printf("%u passed, %u failed, %u skipped\n", r.passed, r.failed, r.skipped);
	return r.failed || !r.number;
}
