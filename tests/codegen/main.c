/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the code generator's tests, prints TAP. Each is compiled twice, with
 * REPEAT as may_goto and as bpf_loop; without root they are only compiled.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/run/load.h"
#include "tests/codegen/harness.h"

static const struct at_provider *const no_providers[] = { NULL };
static const struct at_func *const no_funcs[] = { NULL };
static const struct at_config_key no_config[] = { { NULL } };
static const struct at_lang no_lang = { no_providers, no_funcs, no_config };

static const char script[] = "first line\nsecond line\nthird line\n";

struct runner {
	at_codegen_fn codegen;
	struct at_host *host;
	bool may_goto;
	unsigned count, failed;
	const char *filter;
	struct kinds kinds;
};

struct at_ir *t_in(struct t *t, struct at_irb *b, unsigned i)
{
	return ir_load(b, 8, ir_mapval(b, t->in, 8 * (int64_t)i), 0);
}

void t_out(struct t *t, struct at_irb *b, unsigned i, struct at_ir *v)
{
	ir_store(b, 8, ir_mapval(b, t->out, 8 * (int64_t)i), 0, v);
}

static unsigned io_map(struct t *t, const char *name)
{
	return at_plan_map(t->plan, &(struct at_plan_map){ .name = name,
							   .kind = AT_MAP_ARRAY,
							   .key_size = 4,
							   .value_size = WORDS * 8,
							   .max_entries = 1 });
}

static void begin(struct t *t, const struct test *test)
{
	t->arena = at_arena_new();
	t->source = (struct at_source){ "script", script, sizeof(script) - 1 };
	t->plan = at_plan_new(t->arena, &t->source);
	t->b = at_new(t->arena, struct at_irb);
	t->in = io_map(t, "in");
	t->out = io_map(t, "out");
	t->arg = test->arg;
	ir_begin(t->b, t->plan, "prog", AT_FN_PROG, 1);
	t->b->fn->range = (struct at_range){ 0, 5 };
	test->build(t);
	at_plan_prog(t->plan, &(struct at_plan_prog){ .name = "prog",
						      .kind = AT_PROG_RAW_TP,
						      .provider = "begin",
						      .probe = "begin",
						      .func = t->b->index });
}

/* Numbers that are edges of something, then whatever comes. */
static void fill(struct io *io)
{
	static const uint64_t edges[] = { 0,
					  1,
					  2,
					  7,
					  63,
					  64,
					  255,
					  256,
					  0x8000,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  0x7fffffffffffffff,
					  0x8000000000000000,
					  0xffffffffffffffff,
					  0x0123456789abcdef };
	uint64_t x = 88172645463325252ull;

	for (unsigned i = 0; i < WORDS; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		io->in[i] = i < at_count(edges) ? edges[i] : x;
		io->out[i] = ~x;
	}
}

static int same(const struct io *got, const struct io *want)
{
	for (unsigned i = 0; i < WORDS; i++) {
		if (got->out[i] == want->out[i])
			continue;
		printf("# out[%u] is 0x%llx, not 0x%llx\n", i, (unsigned long long)got->out[i],
		       (unsigned long long)want->out[i]);
		return -EINVAL;
	}
	return 0;
}

static int exchange(struct at_run *run, const struct t *t, const struct test *test)
{
	struct io io, want;
	uint32_t key = 0;
	int err;

	fill(&io);
	want = io;
	test->expect(t, want.in, want.out);
	err = bpf_map_update_elem(run->map_fds[t->in], &key, io.in, 0);
	if (!err)
		err = bpf_map_update_elem(run->map_fds[t->out], &key, io.out, 0);
	if (!err)
		err = at_run_once(run->prog_fds[0]);
	if (!err)
		err = bpf_map_lookup_elem(run->map_fds[t->out], &key, io.out);
	return err ? err : same(&io, &want);
}

static void show(void *arg, const char *line)
{
	printf("# %s\n", line);
}

static int load_and_run(struct runner *r, struct t *t, const struct test *test,
			const struct at_codegen_result *elf)
{
	struct at_diags diags = { .arena = t->arena, .source = &t->source };
	struct at_run run = {
		.plan = t->plan, .lang = &no_lang, .host = r->host, .diags = &diags
	};
	int err = at_run_load(&run, elf->elf, elf->size, r->filter ? show : NULL, NULL);

	for (size_t i = 0; i < diags.list.n; i++)
		printf("# %s\n", diags.list.v[i].text);
	if (!err)
		err = exchange(&run, t, test);
	if (!err && test->check)
		err = test->check(run.prog_fds[0]);
	at_run_free(&run);
	return err;
}

static bool fails_as_said(const struct t *t, const struct test *test,
			  const struct at_codegen_result *out)
{
	unsigned line = 0;

	if (out->error_range.end)
		line = at_source_place(&t->source, out->error_range.beg).line;
	return !out->elf && out->error && strstr(out->error, test->error) &&
	       line == test->error_line;
}

static int compile_and_run(struct runner *r, struct t *t, const struct test *test)
{
	struct at_codegen_opts opts = { .sz = sizeof(opts),
					.may_goto = r->may_goto,
					.passes = test->passes };
	struct at_codegen_result out;
	int err = r->codegen(t->plan, &opts, AT_CODEGEN_WANT_LL, &out);

	if (r->filter && out.ll)
		fprintf(stderr, "%s\n%s", at_plan_dump(t->arena, t->plan), out.ll);
	if (test->error)
		err = err && fails_as_said(t, test, &out) ? 0 : -EINVAL;
	else if (!err && !strstr(out.ll, "@prog("))
		err = -EINVAL;
	else if (!err && (out.size < 4 || memcmp(out.elf, "\177ELF", 4) != 0))
		err = -EINVAL;
	else if (!err && geteuid() == 0)
		err = load_and_run(r, t, test, &out);
	if (err && out.error)
		printf("# %s\n", out.error);
	free(out.elf);
	free(out.ll);
	free(out.error);
	return err;
}

static void run_test(struct runner *r, const struct test *test)
{
	struct t t;
	int err;

	if (r->filter && strcmp(r->filter, test->name) != 0)
		return;
	begin(&t, test);
	err = compile_and_run(r, &t, test);
	if (!test->error)
		kinds_note(&r->kinds, t.plan);
	if (err)
		r->failed++;
	printf("%s %u - %s, %s%s\n", err ? "not ok" : "ok", ++r->count, test->name,
	       r->may_goto ? "may_goto" : "bpf_loop",
	       geteuid() != 0 && !test->error ? " # SKIP compiled; running needs root" : "");
	at_arena_free(t.arena);
}

/* ---- Several threads at once ---- */

enum { THREADS = 4, ROUNDS = 5 };

struct thread {
	struct runner r;
	pthread_t id;
	bool failed;
};

static bool compile_wrong_and_right(struct runner *r)
{
	struct at_codegen_opts opts = { .sz = sizeof(opts), .passes = "no such pass" };
	struct at_codegen_result out;
	struct t t;
	bool ok;

	begin(&t, &memory_tests[0]);
	ok = r->codegen(t.plan, &opts, 0, &out) && out.error && !out.elf;
	free(out.error);
	opts.passes = NULL;
	ok = ok && !r->codegen(t.plan, &opts, 0, &out) && out.elf && !out.error && !out.ll;
	free(out.elf);
	at_arena_free(t.arena);
	return ok;
}

static void *thread_main(void *arg)
{
	struct thread *th = arg;

	for (unsigned i = 0; i < ROUNDS; i++)
		th->failed |= !compile_wrong_and_right(&th->r);
	return NULL;
}

static void run_threads(struct runner *r)
{
	struct thread threads[THREADS] = { 0 };
	bool failed = false;

	for (unsigned i = 0; i < THREADS; i++) {
		threads[i].r = *r;
		pthread_create(&threads[i].id, NULL, thread_main, &threads[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		failed |= threads[i].failed;
	}
	r->failed += failed;
	printf("%s %u - threads\n", failed ? "not ok" : "ok", ++r->count);
}

static void judge_kinds(struct runner *r)
{
	bool all = kinds_all(&r->kinds);

	r->failed += !all;
	printf("%s %u - every kind and operator of core IR has a test\n", all ? "ok" : "not ok",
	       ++r->count);
}

static void run_tests(struct runner *r, const struct test *tests)
{
	for (; tests->name; tests++)
		run_test(r, tests);
}

int main(int argc, char **argv)
{
	struct runner r = { .filter = argc > 1 ? argv[1] : NULL };
	void *plugin = dlopen(TEST_PLUGIN, RTLD_NOW | RTLD_LOCAL);

	if (!plugin) {
		printf("Bail out! %s\n", dlerror());
		return 99;
	}
	*(void **)&r.codegen = dlsym(plugin, AT_CODEGEN_SYMBOL);
	r.host = at_host_new();
	for (int may_goto = 1; may_goto >= 0; may_goto--) {
		r.may_goto = may_goto;
		if (may_goto && geteuid() == 0 && !at_host_has(r.host, "may_goto"))
			continue;
		run_tests(&r, arith_tests);
		run_tests(&r, memory_tests);
		run_tests(&r, control_tests);
		run_tests(&r, whole_tests);
	}
	if (!r.filter) {
		run_threads(&r);
		judge_kinds(&r);
	}
	printf("1..%u\n", r.count);
	at_host_free(r.host);
	dlclose(plugin);
	return r.failed || !r.count;
}
