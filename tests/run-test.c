/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/run on the running kernel: plans written by hand go through the code
 * generator, the loader, maps and the ring. Needs root, is skipped without.
 * APITRACE_PLUGIN names the code generator. Prints TAP.
 */
#include <bpf/bpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "lib/run/event.h"
#include "lib/run/loader.h"

enum { LOOKUP = 1, UPDATE = 2, RESERVE = 131, SUBMIT = 132 }; /* enum bpf_func_id */

static at_codegen_fn codegen;

/* ---- A toy language ---- */

static void sum_merge(const struct at_type *t, uint64_t *dst, const uint64_t *src)
{
	dst[0] += src[0];
}

static void sum_view(const struct at_type *t, const uint64_t *v, struct at_view *out)
{
	out->kind = AT_VIEW_NUMBER;
	out->type = &at_type_uint64;
	out->number = out->order = v[0];
}

static const struct at_agg sum_agg = { .merge = sum_merge, .view = sum_view };
static const struct at_func sum_func = { .name = "sum", .agg = &sum_agg };

static int say(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	struct at_buf b = { 0 };

	at_format(&b, e->text, e->args, payload);
	r->sink->text(r, e->func, b.s, b.n);
	at_buf_free(&b);
	return 0;
}

static const struct at_func printf_func = { .name = "printf", .event = say };

static int refuse(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	return -EBUSY;
}

static const struct at_provider begin = { .name = "begin" }, end = { .name = "end" };
static const struct at_provider probe = { .name = "probe", .needs = "a better kernel",
					  .attach = refuse };
static int hook(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	int link = bpf_raw_tracepoint_open(g->target, fd);

	return link < 0 ? link : at_run_link(run, link, false);
}

static const struct at_provider raw = { .name = "raw", .attach = hook };
static const struct at_func *const funcs[] = { &sum_func, &printf_func, NULL };
static const struct at_provider *const providers[] = { &begin, &end, &probe, &raw, NULL };
static const struct at_lang lang = { providers, funcs, NULL };
static const struct at_type sum_type = { .kind = AT_T_AGG, .size = 8, .align = 8, .func = &sum_func };

/* ---- A scene: plan, run, output ---- */

struct scene {
	struct at_arena *arena;
	struct at_source source;
	struct at_diags diags;
	struct at_plan *plan;
	struct at_irb b;
	struct at_run run;
	struct at_render render;
	struct at_buf out;
	char *log;
	void *elf;
};

static void collect(void *arg, const char *s, size_t n)
{
	at_buf_put(arg, s, n);
}

static void setup(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->arena = at_arena_new();
	s->source = (struct at_source){ "toy.bt", "begin {}\nprobe { bad }\n", 23 };
	s->diags = (struct at_diags){ .arena = s->arena, .source = &s->source };
	s->plan = at_plan_new(s->arena, &s->source);
	s->b.arena = s->arena;
	s->run = (struct at_run){ .plan = s->plan, .lang = &lang, .host = at_host_new(),
				  .diags = &s->diags };
	s->render = (struct at_render){ .run = &s->run, .sink = &at_sink_text, .write = collect,
					.arg = &s->out };
}

static void teardown(struct scene *s)
{
	at_run_free(&s->run);
	free(s->elf);
	at_host_free(s->run.host);
	at_buf_free(&s->out);
	at_arena_free(s->arena);
}

static void start(struct scene *s, const char *name)
{
	memset(&s->b, 0, sizeof(s->b));
	s->b.arena = s->arena;
	ir_begin(&s->b, s->plan, name, AT_FN_PROG, 1);
}

static struct at_plan_prog *finish(struct scene *s, const char *provider)
{
	unsigned i;

	ir_return(&s->b, ir_const(&s->b, 0));
	i = at_plan_prog(s->plan, &(struct at_plan_prog){
		.kind = AT_PROG_RAW_TP, .provider = provider, .probe = provider,
		.func = s->b.index, .range = { 9, 14 },
	});
	return &s->plan->progs.v[i];
}

static int load(struct scene *s)
{
	struct at_codegen_opts opts = { .sz = sizeof(opts), .cpu = "v3" };
	struct at_codegen_result elf = { 0 };
	int err = codegen(s->plan, &opts, 0, &elf);

	if (err)
		fprintf(stderr, "# codegen: %s\n", elf.error ? elf.error : strerror(-err));
	if (!err)
		err = at_run_load(&s->run, elf.elf, elf.size, NULL, NULL);
	s->elf = elf.elf;
	free(elf.error);
	return err;
}

/* The diagnostic there is, and how many. */
static bool diagnosed(const struct scene *s, enum at_tag tag, const char *words)
{
	return s->diags.list.n == 1 && s->diags.list.v[0].tag == tag &&
	       strstr(s->diags.list.v[0].text, words);
}

static unsigned new_map(struct scene *s, const char *name, enum at_map_kind kind,
			const struct at_type *key, const struct at_type *value)
{
	return at_plan_map(s->plan, &(struct at_plan_map){
		.name = name, .script = true, .kind = kind, .key = key, .value = value,
		.key_size = key ? key->size : 4, .value_size = value->size,
		.max_entries = key ? 1000 : 1,
	});
}

/* map[key] = value, both words. */
static void put(struct scene *s, unsigned map, int64_t key, int64_t value)
{
	struct at_irb *b = &s->b;
	struct at_ir *k = ir_slot(b, 8), *v = ir_slot(b, 8);

	ir_store(b, 8, k, 0, ir_const(b, key));
	ir_store(b, 8, v, 0, ir_const(b, value));
	ir_do(b, ir_helper(b, UPDATE, 4, ir_map(b, map), k, v, ir_const(b, 0)));
}

/* ---- Tests: each true when it holds ---- */

static bool rows_are_ordered_by_value(struct scene *s)
{
	unsigned m = new_map(s, "@m", AT_MAP_HASH, &at_type_int64, &at_type_int64);
	struct at_rows rows;
	bool ok;

	start(s, "begin_0");
	put(s, m, 1, 30);
	put(s, m, 2, -10);
	put(s, m, 3, 20);
	put(s, m, -4, 20);
	finish(s, "begin");
	if (load(s) || at_run_attach(&s->run) || at_map_read(&s->run, m, &rows))
		return false;
	at_sink_text.map(&s->render, &rows, 0, 0);
	ok = !strcmp(s->out.s, "@m[2]: -10\n@m[-4]: 20\n@m[3]: 20\n@m[1]: 30\n");
	at_rows_free(&rows);
	return ok;
}

/* More entries than one batch holds. */
static bool large_maps_are_read_whole(struct scene *s)
{
	unsigned m = new_map(s, "@m", AT_MAP_PERCPU_HASH, &at_type_int64, &sum_type);
	struct at_rows rows;
	bool ok;

	start(s, "begin_0");
	put(s, m, 0, 1);
	finish(s, "begin");
	if (load(s) || at_run_attach(&s->run))
		return false;
	for (int64_t key = 1; key < 900; key++) {
		uint64_t values[512] = { 2, 3 };

		if (bpf_map_update_elem(s->run.map_fds[m], &key, values, 0))
			return false;
	}
	if (at_map_read(&s->run, m, &rows))
		return false;
	ok = rows.n == 900 && rows.v[0].view.number == 1 &&
	     rows.v[899].view.number == (s->run.ncpus > 1 ? 5 : 2);
	at_rows_free(&rows);
	if (at_map_zero(&s->run, m) || at_map_read(&s->run, m, &rows))
		return false;
	ok = ok && rows.n == 900 && rows.v[899].view.number == 0;
	at_rows_free(&rows);
	if (at_map_clear(&s->run, m) || at_map_read(&s->run, m, &rows))
		return false;
	ok = ok && rows.n == 0;
	at_rows_free(&rows);
	return ok;
}

static bool scalars_begin_at_zero(struct scene *s)
{
	unsigned m = new_map(s, "@s", AT_MAP_ARRAY, NULL, &at_type_int64);
	struct at_rows rows;
	bool ok;

	start(s, "begin_0");
	finish(s, "begin");
	if (load(s) || at_map_read(&s->run, m, &rows))
		return false;
	at_sink_text.map(&s->render, &rows, 0, 0);
	ok = !strcmp(s->out.s, "@s: 0\n");
	at_rows_free(&rows);
	return ok;
}

/* A record with the number of a symbolic constant. */
static void send_sym(struct scene *s, unsigned sym)
{
	static const struct at_type_field field = { .type = &at_type_uint64 };
	static const struct at_type args = { .kind = AT_T_TUPLE, .size = 8, .fields = &field,
					     .nfields = 1 };
	struct at_irb *b = &s->b;
	unsigned e = at_plan_event(s->plan, &(struct at_plan_event){
		.func = "printf", .args = &args, .text = "%d\n", .map = -1, .size = 16 });
	unsigned ring = at_plan_ring(s->plan);
	struct at_ir *r = ir_let(b, ir_helper(b, RESERVE, 3, ir_map(b, ring), ir_const(b, 16),
					      ir_const(b, 0)));

	ir_if(b, r);
	ir_store(b, 4, r, 0, ir_const(b, e));
	ir_store(b, 4, r, 4, ir_const(b, 0));
	ir_store(b, 8, r, 8, ir_sym(b, sym));
	ir_do(b, ir_helper(b, SUBMIT, 2, r, ir_const(b, 0)));
	ir_end(b);
}

static bool constants_reach_events(struct scene *s)
{
	char want[64];

	s->run.pid = 77;
	start(s, "begin_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_CONST, NULL, 0x123456789a));
	send_sym(s, at_plan_sym(s->plan, AT_SYM_PID, NULL, 0));
	send_sym(s, at_plan_sym(s->plan, AT_SYM_SELF, NULL, 0));
	send_sym(s, at_plan_sym(s->plan, AT_SYM_KCONST, "btf", 0));
	finish(s, "begin");
	if (load(s) || at_ring_open(&s->run) || at_run_attach(&s->run) ||
	    at_ring_poll(&s->run, &s->render, 1000) != 4)
		return false;
	snprintf(want, sizeof(want), "78187493530\n77\n%d\n1\n", getpid());
	return !strcmp(s->out.s, want);
}

static bool begin_and_end_run_once(struct scene *s)
{
	start(s, "begin_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_CONST, NULL, 1));
	finish(s, "begin");
	start(s, "end_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_CONST, NULL, 2));
	finish(s, "end");
	if (load(s) || at_ring_open(&s->run) || at_run_attach(&s->run))
		return false;
	at_ring_consume(&s->run, &s->render);
	if (strcmp(s->out.s, "1\n"))
		return false;
	at_run_detach(&s->run);
	at_run_detach(&s->run);
	at_ring_consume(&s->run, &s->render);
	return !strcmp(s->out.s, "1\n2\n") && !at_run_waits(&s->run);
}

static bool counters_are_summed(struct scene *s)
{
	unsigned a = at_plan_counter(s->plan, "a", "%llu of a", -1);
	unsigned b = at_plan_counter(s->plan, "b", "%llu of b (so far)", -1);

	start(s, "begin_0");
	at_plan_count(&s->b, b, ir_const(&s->b, 5));
	at_plan_count(&s->b, b, NULL);
	finish(s, "begin");
	if (load(s) || at_run_attach(&s->run))
		return false;
	at_sink_text.counters(&s->render, &s->run);
	return !at_counter_read(&s->run, a) && at_counter_read(&s->run, b) == 6 &&
	       !strcmp(s->out.s, "6 of b (so far)\n");
}

/* Reads through a pointer that may be NULL: the verifier says no, at line 2 of the script. */
static void read_blindly(struct scene *s, unsigned map)
{
	struct at_irb *b = &s->b;
	struct at_ir *k = ir_slot(b, 8), *v = ir_slot(b, 8), *found;

	b->range = (struct at_range){ 17, 20 };
	ir_store(b, 8, k, 0, ir_const(b, 12345));
	found = ir_helper(b, LOOKUP, 2, ir_map(b, map), k);
	ir_store(b, 8, v, 0, ir_load(b, 8, found, 0));
	ir_do(b, ir_helper(b, UPDATE, 4, ir_map(b, map), k, v, ir_const(b, 0)));
}

static bool refusals_are_told_at_their_line(struct scene *s)
{
	unsigned m = new_map(s, "@m", AT_MAP_HASH, &at_type_int64, &at_type_int64);

	start(s, "bad_0");
	read_blindly(s, m);
	finish(s, "probe");
	return load(s) && diagnosed(s, AT_D_VERIFIER, "invalid mem access") &&
	       s->diags.list.v[0].range.beg == 17;
}

static bool optional_programs_may_fail(struct scene *s)
{
	unsigned m = new_map(s, "@m", AT_MAP_HASH, &at_type_int64, &at_type_int64);

	start(s, "bad_0");
	read_blindly(s, m);
	finish(s, "probe")->optional = true;
	start(s, "begin_0");
	finish(s, "begin");
	return !load(s) && s->run.prog_fds[0] < 0 && s->run.prog_fds[1] >= 0 && !s->diags.list.n;
}

static bool the_first_alternative_that_loads_is_taken(struct scene *s)
{
	unsigned m = new_map(s, "@m", AT_MAP_HASH, &at_type_int64, &at_type_int64);
	static const char *const sets[] = { "one", "one", "two", "three" };
	static const char *const names[] = { "a_0", "a_1", "a_2", "a_3" };

	for (int i = 0; i < 4; i++) {
		start(s, names[i]);
		if (i == 1)
			read_blindly(s, m);
		finish(s, "probe")->alternative = sets[i];
	}
	return !load(s) && !strcmp(s->run.alternative, "two") && s->run.prog_fds[0] < 0 &&
	       s->run.prog_fds[1] < 0 && s->run.prog_fds[2] >= 0 && s->run.prog_fds[3] < 0;
}

static bool what_the_kernel_lacks_is_named(struct scene *s)
{
	struct at_plan_prog *g;

	start(s, "tp_0");
	g = finish(s, "probe");
	g->kind = AT_PROG_TP_BTF;
	g->target = "no_such_tracepoint";
	return load(s) == -ENOTSUP && diagnosed(s, AT_D_KERNEL_LACKS, "no_such_tracepoint") &&
	       strstr(s->diags.list.v[0].hint, "a better kernel");
}

static bool unknown_fields_are_named(struct scene *s)
{
	start(s, "begin_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_BTF_OFFSET, "sock.no_such_field", 0));
	finish(s, "begin");
	return load(s) == -ENOTSUP && diagnosed(s, AT_D_KERNEL_LACKS, "sock.no_such_field");
}

static bool a_failing_attach_is_told(struct scene *s)
{
	struct at_plan_prog *g;

	start(s, "tp_0");
	g = finish(s, "probe");
	g->kind = AT_PROG_TP_BTF;
	g->target = "sched_switch";
	return !load(s) && at_run_attach(&s->run) == -EBUSY &&
	       diagnosed(s, AT_D_ATTACH_FAILED, "busy");
}

/* Where the script does not mind, with a word or without one. */
static bool a_failing_attach_may_be_left_out(struct scene *s)
{
	struct at_plan_prog *g;

	s->plan->config.missing_probes = AT_MISSING_WARN;
	start(s, "tp_0");
	g = finish(s, "probe");
	g->kind = AT_PROG_TP_BTF;
	g->target = "sched_switch";
	return !load(s) && !at_run_attach(&s->run) && s->run.skipped == 1 && !s->diags.errors &&
	       diagnosed(s, AT_D_ATTACH_SKIPPED, "busy");
}

/* A program of a set at sched_switch; provider "probe" cannot attach, "raw" can. */
static void of_set(struct scene *s, const char *name, const char *provider, const char *set)
{
	struct at_plan_prog *g;

	start(s, name);
	g = finish(s, provider);
	g->kind = AT_PROG_RAW_TP;
	g->target = "sched_switch";
	g->alternative = set;
	g->needs = "something";
}

/* Also the maps of a set that is not taken are gone, and what it attached. */
static bool the_first_set_that_attaches_is_taken(struct scene *s)
{
	unsigned a = new_map(s, "@a", AT_MAP_ARRAY, NULL, &at_type_int64);
	unsigned b = new_map(s, "@b", AT_MAP_ARRAY, NULL, &at_type_int64);

	s->plan->maps.v[a].alternative = "first";
	s->plan->maps.v[b].alternative = "second";
	of_set(s, "first_0", "raw", "first");
	of_set(s, "first_1", "probe", "first");
	of_set(s, "second_0", "raw", "second");
	if (load(s) || strcmp(s->run.alternative, "first") || s->run.map_fds[b] >= 0)
		return false;
	return !at_run_attach(&s->run) && !strcmp(s->run.alternative, "second") &&
	       s->run.map_fds[a] < 0 && s->run.map_fds[b] >= 0 && s->run.prog_fds[0] < 0 &&
	       s->run.prog_fds[2] >= 0 && s->run.links->n == 1 && !s->diags.list.n;
}

/* What is told is not the set for which the kernel is too old, but what is wrong. */
static bool no_set_that_works_is_told(struct scene *s)
{
	start(s, "old_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_BTF_OFFSET, "sock.no_such_field", 0));
	finish(s, "raw")->alternative = "old";
	of_set(s, "first_0", "probe", "first");
	of_set(s, "second_0", "probe", "second");
	return !load(s) && at_run_attach(&s->run) == -EBUSY && !s->run.alternative &&
	       diagnosed(s, AT_D_ATTACH_FAILED, "busy");
}

static bool memory_is_bounded(struct scene *s)
{
	unsigned m = new_map(s, "@big", AT_MAP_HASH, &at_type_int64, &at_type_int64);

	s->plan->maps.v[m].max_entries = 10000000;
	s->plan->config.max_map_memory = 16 << 20;
	start(s, "begin_0");
	put(s, m, 1, 1);
	finish(s, "begin");
	return load(s) == -ENOMEM && diagnosed(s, AT_D_MAP_MEMORY, "@big");
}

/* An entry of a hash is at most what kmalloc() gives. */
static bool a_map_that_is_refused_is_told(struct scene *s)
{
	unsigned m = new_map(s, "@wide", AT_MAP_HASH, &at_type_int64, &at_type_int64);

	start(s, "begin_0");
	put(s, m, 1, 1);
	finish(s, "begin");
	s->plan->maps.v[m].value = NULL;
	s->plan->maps.v[m].value_size = 1 << 30;
	return load(s) && diagnosed(s, AT_D_MAP_FAILED, "@wide");
}

static bool a_program_that_cannot_be_linked_is_told(struct scene *s)
{
	start(s, "begin_0");
	finish(s, "begin")->name = "begin_1";
	return load(s) && diagnosed(s, AT_D_LOAD_FAILED, "cannot be linked");
}

static bool what_is_no_elf_is_told(struct scene *s)
{
	static const char bytes[100] = "no ELF at all";

	return at_run_load(&s->run, bytes, sizeof(bytes), NULL, NULL) &&
	       diagnosed(s, AT_D_LOAD_FAILED, "cannot be loaded");
}

/* In a child that gave its privileges away. */
static bool missing_privilege_is_named(struct scene *s)
{
	int status;
	pid_t pid;

	start(s, "begin_0");
	send_sym(s, at_plan_sym(s->plan, AT_SYM_CONST, NULL, 1));
	finish(s, "begin");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		bool ok = !setgid(65534) && !setuid(65534) && load(s) &&
			  diagnosed(s, AT_D_NO_PRIVILEGE, "CAP_BPF");

		_exit(ok ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static const struct {
	const char *name;
	bool (*test)(struct scene *s);
} tests[] = {
	{ "rows are ordered by value, then by key", rows_are_ordered_by_value },
	{ "large maps are read whole, zeroed, cleared", large_maps_are_read_whole },
	{ "scalars begin at zero", scalars_begin_at_zero },
	{ "constants reach events", constants_reach_events },
	{ "begin and end run once", begin_and_end_run_once },
	{ "counters are summed", counters_are_summed },
	{ "refusals are told at their line", refusals_are_told_at_their_line },
	{ "optional programs may fail", optional_programs_may_fail },
	{ "the first alternative that loads is taken", the_first_alternative_that_loads_is_taken },
	{ "what the kernel lacks is named", what_the_kernel_lacks_is_named },
	{ "unknown fields are named", unknown_fields_are_named },
	{ "a failing attach is told", a_failing_attach_is_told },
	{ "a failing attach may be left out", a_failing_attach_may_be_left_out },
	{ "the first set that attaches is taken", the_first_set_that_attaches_is_taken },
	{ "no set that works is told", no_set_that_works_is_told },
	{ "memory is bounded", memory_is_bounded },
	{ "a map that is refused is told", a_map_that_is_refused_is_told },
	{ "a program that cannot be linked is told", a_program_that_cannot_be_linked_is_told },
	{ "what is no ELF is told", what_is_no_elf_is_told },
	{ "missing privilege is named", missing_privilege_is_named },
};

static bool open_codegen(void)
{
	const char *path = getenv("APITRACE_PLUGIN");
	void *plugin = dlopen(path ? path : ".libs/libapitrace-llvm.so", RTLD_NOW | RTLD_LOCAL);

	if (plugin)
		*(void **)&codegen = dlsym(plugin, AT_CODEGEN_SYMBOL);
	else
		fprintf(stderr, "# %s\n", dlerror());
	return codegen;
}

int main(void)
{
	unsigned n = at_count(tests), failed = 0;
	bool root = geteuid() == 0;

	printf("1..%u\n", n);
	if (root && !open_codegen())
		return 1;
	for (unsigned i = 0; i < n; i++) {
		struct scene s;
		bool ok = true;

		if (root) {
			setup(&s);
			ok = tests[i].test(&s);
			for (size_t k = 0; !ok && k < s.diags.list.n; k++)
				printf("# %s\n", s.diags.list.v[k].text);
			teardown(&s);
		}
		failed += !ok;
		printf("%sok %u - %s%s\n", ok ? "" : "not ", i + 1, tests[i].name,
		       root ? "" : " # SKIP needs root");
	}
	printf("%u passed, %u failed, %u skipped\n", root ? n - failed : 0, failed, root ? 0 : n);
	return failed != 0;
}
