/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public interface as an embedding program sees it: <apitrace.h> and the
 * shared library, nothing else. What loads programs needs root and is skipped
 * without. Prints TAP.
 */
#include <apitrace.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct text {
	char s[1 << 16];
	size_t n;
};

static void collect(void *arg, const char *s, size_t n)
{
	struct text *t = arg;

	if (n > sizeof(t->s) - 1 - t->n)
		n = sizeof(t->s) - 1 - t->n;
	memcpy(t->s + t->n, s, n);
	t->n += n;
	t->s[t->n] = 0;
}

static struct apitrace *new_with(struct text *t, enum apitrace_format format)
{
	struct apitrace_opts opts = {
		.sz = sizeof(opts), .format = format, .write = collect, .arg = t
	};

	memset(t, 0, sizeof(*t));
	return apitrace_new(&opts);
}

static int compile(struct apitrace *h, const char *script)
{
	return apitrace_compile(h, "x.bt", script, strlen(script));
}

static bool has_tag(struct apitrace *h, size_t i, const char *tag)
{
	struct apitrace_diag d;

	return !apitrace_diag_get(h, i, &d) && !strcmp(d.tag, tag);
}

/* ---- Without privilege ---- */

static bool options_are_checked(void)
{
	struct apitrace_opts none = { 0 }, format = { .sz = sizeof(format), .format = 7 };
	static char text[70000];
	const char *params[20];
	struct apitrace_opts many = { .sz = sizeof(many), .params = params, .nparams = 20 };
	struct apitrace_script_opts no_size = { 0 },
				    too_many = { sizeof(too_many), params, 20, NULL, 0 };
	struct apitrace_script *s;
	struct apitrace *h = apitrace_new(NULL);
	bool ok = h && !apitrace_new(&none) && errno == EINVAL && !apitrace_new(&format);

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 20; i++)
		params[i] = text;
	ok = ok && !apitrace_new(&many) && errno == E2BIG &&
	     apitrace_add(h, "x", "begin { }", 9, &too_many, &s) == -E2BIG && !s &&
	     apitrace_add(h, "x", "begin { }", 9, &no_size, &s) == -EINVAL && !s &&
	     !apitrace_script_at(h, 0) && !apitrace_remove(NULL);
	apitrace_free(h);
	apitrace_free(NULL);
	return ok;
}

static bool calls_out_of_order_are_told(void)
{
	struct apitrace *h = apitrace_new(NULL);
	char *dump = (char *)1;
	bool ok = apitrace_load(h) == -EINVAL && apitrace_attach(h) == -EINVAL &&
		  apitrace_poll(h, 0) == -EINVAL && apitrace_consume(h) == -EINVAL &&
		  apitrace_stop(h) == -EINVAL && apitrace_report(h) == -EINVAL &&
		  apitrace_dump(h, "plan", &dump, NULL) == -EINVAL && !dump &&
		  apitrace_fd(h) >= 0 && apitrace_diag_count(h) == 7;

	for (size_t i = 0; i < 7; i++)
		ok = ok && has_tag(h, i, "call-order");
	ok = ok && !compile(h, "begin { }") && !apitrace_diag_count(h) &&
	     apitrace_map_foreach(apitrace_script_at(h, 0), "@", NULL, NULL) == -EINVAL &&
	     compile(h, "begin { }") == -EINVAL;
	apitrace_free(h);
	return ok;
}

static bool mistakes_are_data(void)
{
	struct apitrace *h = apitrace_new(NULL);
	struct apitrace_diag d;
	bool ok = compile(h, "begin {\n\tnothing();\n}\n") == -EINVAL &&
		  apitrace_diag_count(h) == 1 && !apitrace_diag_get(h, 0, &d) &&
		  d.severity == APITRACE_ERROR && !strcmp(d.file, "x.bt") && d.line == 2 &&
		  d.column == 2 && d.end_line == 2 && strstr(d.text, "nothing") &&
		  strstr(d.rendered, "x.bt:2:2-") && strstr(d.rendered, "~~~~~~~") &&
		  apitrace_diag_get(h, 1, &d) == -ENOENT && apitrace_load(h) == -EINVAL;

	apitrace_free(h);
	return ok;
}

static bool stages_can_be_looked_at(void)
{
	static const char *const stages[] = { "tokens", "ast", "types", "plan", "ir", "elf" };
	struct apitrace *h = apitrace_new(NULL);
	bool ok = !compile(h, "begin { @x = 1 }");
	size_t len = 0;
	char *s;

	for (size_t i = 0; i < 6 && ok; i++) {
		ok = !apitrace_dump(h, stages[i], &s, &len) && len && !s[len];
		ok = ok && (i == 5 ? !memcmp(s,
					     "\x7f"
					     "ELF",
					     4)
				   : strlen(s) == len);
		free(s);
	}
	ok = ok && apitrace_dump(h, "nonsense", &s, NULL) == -EINVAL && !s;
	apitrace_free(h);
	return ok;
}

/* Neither privilege nor entries are needed to know what entries look like. */
static bool maps_are_described(void)
{
	struct apitrace *h = apitrace_new(NULL);
	struct apitrace_script *s;
	struct apitrace_map m;
	bool ok =
		!compile(
			h,
			"begin { @z = 1; @a[comm, 1] = count(); @z = 3; @h = lhist(1, 0, 9, 3);"
			"@l[(a=1, b=true)] = (1, \"x\") }") &&
		apitrace_probes(h) == 1;

	s = apitrace_script_at(h, 0);
	ok = ok && !apitrace_map_get(s, 0, &m) && !strcmp(m.name, "@z") && !m.key &&
	     !m.key_type && m.value->kind == APITRACE_INT && !strcmp(m.value_type, "int64");
	ok = ok && !apitrace_map_get(s, 1, &m) && !strcmp(m.name, "@a") &&
	     m.max_entries == 4096 && m.key->kind == APITRACE_TUPLE && m.key->n == 2 &&
	     m.key->items[0].kind == APITRACE_STRING && m.key->items[1].kind == APITRACE_INT &&
	     !strcmp(m.key_type, "(string[16],int64)") && !strcmp(m.value_type, "count_t") &&
	     m.value->kind == APITRACE_UINT;
	ok = ok && !apitrace_map_get(s, 2, &m) && m.value->kind == APITRACE_HISTOGRAM;
	ok = ok && !apitrace_map_get(s, 3, &m) && !strcmp(m.key->items[1].name, "b") &&
	     m.key->items[1].kind == APITRACE_BOOL && m.value->items[1].kind == APITRACE_STRING;
	ok = ok && apitrace_map_get(s, 4, &m) == -ENOENT;
	apitrace_free(h);
	return ok;
}

/* A pid that comes later must have been announced. */
static bool a_late_pid_is_announced(void)
{
	struct apitrace_opts opts = { .sz = sizeof(opts), .pid = -1 };
	struct apitrace *h = apitrace_new(&opts), *plain = apitrace_new(NULL);
	struct apitrace_script *s;
	bool ok = apitrace_add(h, "x", "begin { }", 9, NULL, &s) == -EINVAL && !s &&
		  has_tag(h, 0, "call-order") && !compile(h, "begin { }") &&
		  apitrace_load(h) == -EINVAL && !apitrace_set_pid(h, getpid()) &&
		  !compile(plain, "begin { }") && apitrace_set_pid(plain, getpid()) == -EINVAL;

	apitrace_free(h);
	apitrace_free(plain);
	return ok;
}

static bool a_missing_plugin_is_told(void)
{
	struct apitrace_opts opts = { .sz = sizeof(opts), .plugin = "/nowhere/plugin.so" };
	struct apitrace *h = apitrace_new(&opts);
	char *plan;
	bool ok = compile(h, "begin { }") == -ENOENT && has_tag(h, 0, "no-plugin");

	ok = ok && apitrace_diag_count(h) == 1;
	if (ok && !apitrace_dump(h, "ast", &plan, NULL))
		free(plan);
	apitrace_free(h);
	return ok;
}

/* More texts than one connection's memory takes. */
static bool too_many_captures_are_told(void)
{
	struct apitrace *h = apitrace_new(NULL);
	char script[4096];
	size_t n = 0;
	bool ok;

	n += snprintf(script, sizeof(script),
		      "config = { http_value_len = 1024 } http:request {");
	for (int i = 0; i < 64; i++)
		n += snprintf(script + n, sizeof(script) - n, " print(header(\"x%d\"));", i);
	snprintf(script + n, sizeof(script) - n, " }");
	ok = compile(h, script) == -EINVAL && has_tag(h, 0, "too-many-captures");
	apitrace_free(h);
	return ok;
}

/* Each part costs memory only once. */
static bool attach_points_may_be_long(void)
{
	struct apitrace *h = apitrace_new(NULL);
	static char script[100000];
	bool ok;

	memset(script, ':', sizeof(script) - 1);
	script[0] = 'a';
	memcpy(script + sizeof(script) - 4, "{ }", 3);
	ok = compile(h, script) == -EINVAL && has_tag(h, 0, "unknown-provider");
	apitrace_free(h);
	return ok;
}

/* ---- With privilege ---- */

static int start(struct apitrace *h, const char *script)
{
	int err = compile(h, script);

	if (!err)
		err = apitrace_load(h);
	return err ? err : apitrace_attach(h);
}

static int see_row(void *arg, const struct apitrace_value *key,
		   const struct apitrace_value *value)
{
	char line[256] = "";

	if (key && key->kind == APITRACE_TUPLE)
		snprintf(line, sizeof(line), "(%d,%.*s)", (int)key->items[0].i,
			 (int)key->items[1].n, key->items[1].s);
	else if (key)
		snprintf(line, sizeof(line), "%d", (int)key->i);
	snprintf(line + strlen(line), sizeof(line) - strlen(line), "=%lld;",
		 (long long)value->i);
	collect(arg, line, strlen(line));
	return value->i == 99 ? 42 : 0;
}

static bool maps_are_typed(void)
{
	static struct text out, rows;
	struct apitrace *h = new_with(&out, APITRACE_TEXT);
	struct apitrace_script *s;
	bool ok = !start(h, "begin { @s = 7; @k[1] = 20; @k[2] = 10; @t[3, \"ab\"] = 5; "
			    "@e[1] = 99; @e[2] = 100 }") &&
		  apitrace_exiting(h, NULL) && !apitrace_stop(h);

	rows.n = 0;
	s = apitrace_script_at(h, 0);
	ok = ok && !apitrace_map_foreach(s, "@s", see_row, &rows) &&
	     !apitrace_map_foreach(s, "@k", see_row, &rows) &&
	     !apitrace_map_foreach(s, "@t", see_row, &rows) &&
	     apitrace_map_foreach(s, "@e", see_row, &rows) == 42 &&
	     apitrace_map_foreach(s, "@none", see_row, &rows) == -ENOENT;
	ok = ok && !strcmp(rows.s, "=7;2=10;1=20;(3,ab)=5;1=99;");
	ok = ok && !apitrace_report(h) &&
	     !strcmp(out.s,
		     "\n\n@e[1]: 99\n@e[2]: 100\n@k[2]: 10\n@k[1]: 20\n@s: 7\n@t[3, ab]: 5\n");
	apitrace_free(h);
	return ok;
}

static void see_event(void *arg, const struct apitrace_event *e)
{
	char line[256];

	snprintf(line, sizeof(line), "%s/%zu/%.*s|", e->func, e->nargs,
		 e->text ? (int)e->len : 0, e->text ? e->text : "");
	collect(arg, line, strlen(line));
}

static bool events_are_typed_and_printed(void)
{
	static struct text out, events;
	struct apitrace *h = new_with(&out, APITRACE_TEXT);
	struct pollfd p;
	bool ok;

	events.n = 0;
	apitrace_on_event(h, see_event, &events);
	ok = !start(h, "begin { printf(\"%d %s\\n\", 5, \"five\"); exit(3) }");
	p = (struct pollfd){ .fd = apitrace_fd(h), .events = POLLIN };
	ok = ok && poll(&p, 1, 1000) == 1 && apitrace_poll(h, 0) > 0;
	int code = 0;

	ok = ok && apitrace_exiting(h, &code) && code == 3 && !strcmp(out.s, "5 five\n") &&
	     !strncmp(events.s, "printf/2/5 five\n|exit/", 22);
	apitrace_free(h);
	return ok;
}

static bool json_is_lines_of_objects(void)
{
	static struct text out;
	struct apitrace *h = new_with(&out, APITRACE_JSON);
	bool ok = !start(h, "begin { printf(\"\\\"q\\\"\\n\"); @x = 1 }") &&
		  !apitrace_stop(h) && !apitrace_report(h);

	ok = ok &&
	     !strcmp(out.s,
		     "{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": "
		     "1}}\n{\"type\": \"printf\", \"data\": \"\\\"q\\\"\\n\"}\n"
		     "{\"type\": \"map\", \"data\": {\"@x\": 1}}\n");
	apitrace_free(h);
	return ok;
}

static bool handles_live_side_by_side(void)
{
	static struct text one, two;
	struct apitrace *a = new_with(&one, APITRACE_TEXT), *b = new_with(&two, APITRACE_TEXT);
	bool ok = !start(a, "begin { @x = 1 }") && !start(b, "begin { @x = 2 }") &&
		  !apitrace_stop(a) && !apitrace_report(a) && !apitrace_stop(b) &&
		  !apitrace_report(b) && !strcmp(one.s, "\n\n@x: 1\n") &&
		  !strcmp(two.s, "\n\n@x: 2\n");

	apitrace_free(a);
	apitrace_free(b);
	return ok;
}

static uint64_t counted(struct apitrace *h, const char *name)
{
	struct apitrace_counter c;
	uint64_t sum = 0;

	for (unsigned i = 0; !apitrace_counter_get(apitrace_script_at(h, 0), i, &c); i++)
		if (!strcmp(c.name, name))
			sum += c.value;
	return sum;
}

/* 4000 new values in a burst, of a map for 20000 that is too large to be allocated beforehand; then
   a map for two. */
static bool full_is_not_short_of_memory(void)
{
	static struct text out;
	struct apitrace *h = new_with(&out, APITRACE_TEXT);
	uint64_t failed = 0;
	bool ok = !start(h, "config = { max_map_keys = 20000; print_maps_on_exit = false } "
			    "begin { for ($i : 0..4000) { @m[$i] = hist($i) } "
			    "printf(\"%d\\n\", len(@m)) }") &&
		  !apitrace_stop(h);

	failed = counted(h, "map_failed");
	ok = ok && !counted(h, "map_full") && strtoul(out.s, NULL, 10) + failed == 4000;
	apitrace_free(h);
	h = new_with(&out, APITRACE_TEXT);
	ok = ok && !start(h, "config = { max_map_keys = 2 } begin { @[1] = 1; @[2] = 2; @[3] = 3 }");
	ok = ok && !apitrace_stop(h) && counted(h, "map_full") == 1 && !counted(h, "map_failed");
	apitrace_free(h);
	return ok;
}

#ifdef __x86_64__
/* 110 is getppid here, and iopl in the 32-bit ABI. */
static void call_32(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(110), "b"(0) : "memory");
}

/* All that a probe counted is there when stop() is back: it waits for programs under way. */
static bool system_calls_are_of_the_64_bit_abi_with(const char *more)
{
	static struct text out;
	struct apitrace *h = new_with(&out, APITRACE_TEXT);
	char script[512];
	bool ok;

	snprintf(script, sizeof(script),
		 "%s t:syscalls:sys_enter_getppid, t:syscalls:sys_exit_getppid /pid == %d/ "
		 "{ @n[args.__syscall_nr] = count() } "
		 "t:syscalls:sys_exit_getppid /pid == %d/ { @parent = args.ret } "
		 "t:syscalls:sys_enter_lseek /pid == %d/ { @six = args.offset + args.whence }",
		 more, getpid(), getpid(), getpid());
	ok = !start(h, script);
	for (int i = 0; i < 5; i++)
		syscall(SYS_getppid);
	call_32();
	syscall(SYS_lseek, -1, -1L, 7);
	ok = ok && !apitrace_stop(h) && !apitrace_report(h);
	snprintf(script, sizeof(script), "\n\n@n[110]: 10\n@parent: %d\n@six: 6\n", getppid());
	ok = ok && !strcmp(out.s, script);
	apitrace_free(h);
	return ok;
}

/* By perf events, and by their number. */
static bool system_calls_are_of_the_64_bit_abi(void)
{
	return system_calls_are_of_the_64_bit_abi_with("") &&
	       system_calls_are_of_the_64_bit_abi_with("t:syscalls:sys_*_kill* { }");
}
#endif

static bool no_privilege_is_eperm(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		struct apitrace *h = apitrace_new(NULL);
		struct apitrace_script *s;
		bool ok = !setgid(65534) && !setuid(65534) && !compile(h, "begin { @x = 1 }") &&
			  apitrace_load(h) == -EPERM && has_tag(h, 0, "no-privilege") &&
			  apitrace_diag_count(h) == 1;

		ok = ok && apitrace_add(h, "x", "begin { @x = 1 }", 16, NULL, &s) == -EPERM &&
		     !s && has_tag(h, 0, "no-privilege") && apitrace_diag_count(h) == 1;
		apitrace_free(h);
		_exit(ok ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static const struct {
	const char *name;
	bool root;
	bool (*test)(void);
} tests[] = {
	{ "options are checked", false, options_are_checked },
	{ "calls out of order are told", false, calls_out_of_order_are_told },
	{ "mistakes are data", false, mistakes_are_data },
	{ "stages can be looked at", false, stages_can_be_looked_at },
	{ "maps are described", false, maps_are_described },
	{ "a late pid is announced", false, a_late_pid_is_announced },
	{ "a missing plugin is told", false, a_missing_plugin_is_told },
	{ "too many captures are told", false, too_many_captures_are_told },
	{ "attach points may be long", false, attach_points_may_be_long },
	{ "maps are typed", true, maps_are_typed },
	{ "events are typed and printed", true, events_are_typed_and_printed },
	{ "JSON is lines of objects", true, json_is_lines_of_objects },
	{ "handles live side by side", true, handles_live_side_by_side },
	{ "a full map is not a lack of memory", true, full_is_not_short_of_memory },
#ifdef __x86_64__
	{ "system calls are of the 64-bit ABI", true, system_calls_are_of_the_64_bit_abi },
#endif
	{ "no privilege is -EPERM", true, no_privilege_is_eperm },
};

int main(void)
{
	unsigned n = sizeof(tests) / sizeof(tests[0]), passed = 0, failed = 0, skipped = 0;
	bool root = geteuid() == 0;

	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		bool skip = tests[i].root && !root, ok = skip || tests[i].test();

		skipped += skip;
		passed += ok && !skip;
		failed += !ok;
		printf("%sok %u - %s%s\n", ok ? "" : "not ", i + 1, tests[i].name,
		       skip ? " # SKIP needs root" : "");
	}
	printf("# %u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed != 0;
}
