/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out: what a program does with the library is done again and
 * again, the Nth allocation of ours failing each time, until it succeeds. No
 * crash, nothing leaked (the sanitized build judges that), and never a result
 * that looks whole and is not. Allocations of libbpf and LLVM are not made to
 * fail. What loads programs needs root. Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/apitrace.h"

/* ---- The allocations of what is linked into this program: -Wl,--wrap ---- */

static long countdown = -1; /* the allocation that fails; below 0: none does */

static bool fails(void)
{
	if (countdown < 0 || countdown-- > 0)
		return false;
	errno = ENOMEM;
	return true;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_vasprintf(char **out, const char *fmt, va_list ap);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __wrap_vasprintf(char **out, const char *fmt, va_list ap);

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	return fails() ? MAP_FAILED : __real_mmap(at, n, prot, flags, fd, off);
}

int __wrap_vasprintf(char **out, const char *fmt, va_list ap)
{
	return fails() ? -1 : __real_vasprintf(out, fmt, ap);
}

/* ---- What is done, and what came out ---- */

struct outcome {
	char text[1 << 16];
	size_t n;
	bool failed; /* a call said so */
};

static void keep(struct outcome *o, const char *s, size_t n)
{
	if (n > sizeof(o->text) - 1 - o->n)
		n = sizeof(o->text) - 1 - o->n;
	memcpy(o->text + o->n, s, n);
	o->n += n;
	o->text[o->n] = 0;
}

static void collect(void *arg, const char *s, size_t n)
{
	keep(arg, s, n);
}

static bool ok(struct outcome *o, int result)
{
	o->failed |= result < 0;
	return result >= 0;
}

static struct apitrace *new(struct outcome *o, enum apitrace_format format)
{
	static const char *const params[] = { "1", "two" };
	struct apitrace_opts opts = { .sz = sizeof(opts), .format = format, .write = collect,
				      .arg = o, .params = params, .nparams = 2 };
	struct apitrace *h = apitrace_new(&opts);

	o->failed |= !h;
	return h;
}

static int compile(struct apitrace *h, const char *script)
{
	return apitrace_compile(h, "x.bt", script, strlen(script));
}

static void dump(struct outcome *o, struct apitrace *h, const char *stage)
{
	char *text = NULL;
	size_t n = 0;

	if (ok(o, apitrace_dump(h, stage, &text, &n)))
		keep(o, text, n);
	free(text);
}

static int listed(void *arg, const char *name)
{
	keep(arg, name, strlen(name));
	return 0;
}

static void compiles(struct outcome *o)
{
	struct apitrace *h = new(o, APITRACE_TEXT);

	if (h && ok(o, compile(h, "begin { @x[$1, str($2)] = count(); printf(\"%s\", \"a\"); }"))) {
		dump(o, h, "types");
		dump(o, h, "plan");
		dump(o, h, "ir");
		ok(o, apitrace_list(h, "http:*", listed, o));
	}
	apitrace_free(h);
}

static void says_mistakes(struct outcome *o)
{
	struct apitrace *h = new(o, APITRACE_TEXT);
	struct apitrace_diag d;

	if (h && compile(h, "begin { nothing(); @x = hist(); $y + 1 }") == -EINVAL)
		for (size_t i = 0; !apitrace_diag_get(h, i, &d); i++)
			keep(o, d.rendered, strlen(d.rendered));
	else
		o->failed = true;
	apitrace_free(h);
}

static int entry(void *arg, const struct apitrace_value *key, const struct apitrace_value *value)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%d %d\n", key ? (int)key->kind : -1, (int)value->kind);

	keep(arg, line, (size_t)n);
	return 0;
}

static void runs_in(struct outcome *o, enum apitrace_format format)
{
	struct apitrace *h = new(o, format);
	const char *script = "begin { @c = count(); @h[1, \"a\"] = hist(5); @q[2] = quantile(7); @t = (1, \"b\"); "
			     "print((1, \"x\")); printf(\"%d %s\\n\", 3, \"y\"); print(@h); }"
			     "interval:s:100 { @n = 1; } end { print(@c); }";

	if (h && ok(o, compile(h, script)) && ok(o, apitrace_load(h)) && ok(o, apitrace_attach(h)) &&
	    ok(o, apitrace_consume(h)) && ok(o, apitrace_stop(h))) {
		ok(o, apitrace_map_foreach(apitrace_script_at(h, 0), "@h", entry, o));
		ok(o, apitrace_map_foreach(apitrace_script_at(h, 0), "@q", entry, o));
		ok(o, apitrace_report(h));
	}
	apitrace_free(h);
}

static void runs_text(struct outcome *o)
{
	runs_in(o, APITRACE_TEXT);
}

static void runs_json(struct outcome *o)
{
	runs_in(o, APITRACE_JSON);
}

/* ---- Judging ---- */

enum { MOST = 5000 };

/* The number of allocations, or -1. */
static long fail_each(void (*scene)(struct outcome *o))
{
	static struct outcome whole, o;

	memset(&whole, 0, sizeof(whole));
	scene(&whole);
	if (whole.failed || !whole.n)
		return printf("# it fails with all memory\n"), -1;
	for (long n = 0; n < MOST; n++) {
		memset(&o, 0, sizeof(o));
		countdown = n;
		scene(&o);
		if (countdown >= 0) {
			countdown = -1;
			return n;
		}
		if (!o.failed && strcmp(o.text, whole.text))
			return printf("# allocation %ld fails, no call says so, and this is missing:\n# %s\n# %s\n",
				      n, whole.text, o.text), -1;
	}
	return -1;
}

static const struct {
	const char *name;
	bool root;
	void (*scene)(struct outcome *o);
} scenes[] = {
	{ "a script is compiled and looked at", false, compiles },
	{ "mistakes are told", false, says_mistakes },
	{ "a script runs, text", true, runs_text },
	{ "a script runs, JSON", true, runs_json },
};

int main(void)
{
	unsigned failed = 0, n = sizeof(scenes) / sizeof(scenes[0]);

	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		bool skip = scenes[i].root && geteuid();
		long count = skip ? 0 : fail_each(scenes[i].scene);

		failed += count < 0;
		printf("%sok %u - %s: %ld allocations%s\n", count < 0 ? "not " : "", i + 1,
		       scenes[i].name, count, skip ? " # SKIP needs root" : "");
		fflush(stdout);
	}
	return failed != 0;
}
