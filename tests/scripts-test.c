/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts that come and go on one handle, as an embedding program sees it: <apitrace.h> and the
 * shared library, nothing else. Needs root. Prints TAP.
 */
#include <apitrace.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A clause that runs whenever this program asks for it: getpgid(2) of a number. */
#define ASKED "tracepoint:syscalls:sys_enter_getpgid /pid == $1 && args.pid == 12345/"

static char self[16];

static void ask(void)
{
	getpgid(12345);
}

/* ---- What events say ---- */

struct log {
	char s[1 << 14];
	size_t n;
};

static void put(struct log *l, const char *text)
{
	size_t n = strlen(text);

	if (n < sizeof(l->s) - l->n) {
		memcpy(l->s + l->n, text, n + 1);
		l->n += n;
	}
}

static void see_event(void *arg, const struct apitrace_event *e)
{
	char line[256];

	snprintf(line, sizeof(line), "%s %s %.*s|", apitrace_script_name(e->script), e->func,
		 e->text ? (int)strcspn(e->text, "\n") : 0, e->text ? e->text : "");
	put(arg, line);
}

static struct apitrace *new_handle(struct log *l)
{
	static const char *const params[] = { self };
	struct apitrace_opts opts = {
		.sz = sizeof(opts), .params = params, .nparams = 1, .event_time = true
	};
	struct apitrace *h = apitrace_new(&opts);

	l->n = 0;
	l->s[0] = 0;
	if (h)
		apitrace_on_event(h, see_event, l);
	return h;
}

static void tell(struct apitrace *h)
{
	struct apitrace_diag d;

	for (size_t i = 0; !apitrace_diag_get(h, i, &d); i++)
		printf("# %s: %s\n", d.tag, d.text);
}

static struct apitrace_script *add_with(struct apitrace *h, const char *name, const char *text,
					const struct apitrace_script_opts *opts)
{
	struct apitrace_script *s;

	if (apitrace_add(h, name, text, strlen(text), opts, &s))
		tell(h);
	return s;
}

static struct apitrace_script *add(struct apitrace *h, const char *name, const char *text)
{
	return add_with(h, name, text, NULL);
}

static struct apitrace_script *add_bound(struct apitrace *h, const char *name, const char *text,
					 const struct apitrace_bind *bind)
{
	struct apitrace_script_opts opts = { .sz = sizeof(opts), .binds = bind, .nbinds = 1 };

	return add_with(h, name, text, &opts);
}

static int see_number(void *arg, const struct apitrace_value *key,
		      const struct apitrace_value *value)
{
	*(int64_t *)arg += value->i;
	return 0;
}

/* The sum of a map of numbers; -1: it cannot be read. */
static int64_t sum(struct apitrace_script *s, const char *map)
{
	int64_t n = 0;

	return apitrace_map_foreach(s, map, see_number, &n) ? -1 : n;
}

static bool diagnosed(struct apitrace *h, const char *tag, const char *words)
{
	struct apitrace_diag d;

	for (size_t i = 0; !apitrace_diag_get(h, i, &d); i++)
		if (!strcmp(d.tag, tag) && strstr(d.text, words))
			return true;
	return false;
}

/* ---- Coming and going ---- */

static bool scripts_share_a_poll(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct pollfd p = { .fd = apitrace_fd(h), .events = POLLIN };
	struct apitrace_script *a = add(h, "a", ASKED " { printf(\"one\\n\"); @n = count(); }");
	struct apitrace_script *b = add(h, "b", ASKED " { printf(\"two\\n\"); @n = sum(10); }");
	bool ok = a && b && apitrace_script_at(h, 0) == a && apitrace_script_at(h, 1) == b &&
		  !apitrace_script_at(h, 2) && apitrace_probes(h) == 2 && poll(&p, 1, 0) == 0;

	ask();
	ok = ok && poll(&p, 1, 1000) == 1 && apitrace_poll(h, 1000) == 2 && poll(&p, 1, 0) == 0;
	ok = ok && !strcmp(l.s, "a printf one|b printf two|") && sum(a, "@n") == 1 &&
	     sum(b, "@n") == 10;
	ok = ok && !apitrace_remove(a) && apitrace_script_at(h, 0) == b;
	ask();
	ok = ok && apitrace_poll(h, 1000) == 1 && sum(b, "@n") == 20 && apitrace_fd(h) == p.fd;
	ok = ok && !strcmp(l.s, "a printf one|b printf two|b printf two|");
	apitrace_free(h);
	return ok;
}

static bool the_steps_and_others_go_together(void)
{
	static const char script[] = "begin { printf(\"main\\n\"); } " ASKED " { exit(7); }";
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *b =
		add(h, "b", ASKED " { @ = count(); } end { printf(\"end\\n\"); }");
	bool ok = b && !apitrace_compile(h, "main", script, sizeof(script) - 1) &&
		  !apitrace_exiting(h, NULL) && !apitrace_load(h) && !apitrace_attach(h) &&
		  apitrace_consume(h) == 1;
	int code = 0;

	ask();
	ok = ok && apitrace_consume(h) == 1 && !apitrace_exiting(h, NULL) &&
	     apitrace_script_exiting(apitrace_script_at(h, 1), &code) && code == 7;
	ask();
	ok = ok && apitrace_consume(h) == 0 &&
	     sum(b, "@") == 2; /* it was stopped by its exit() */
	ok = ok && !apitrace_stop(h) && apitrace_exiting(h, &code) && code == 7 &&
	     !strcmp(l.s, "main printf main|main exit |b printf end|");
	apitrace_free(h);
	return ok;
}

static bool exit_ends_one_script(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *a =
		add(h, "a", ASKED " { exit(3); } end { printf(\"end\\n\"); }");
	struct apitrace_script *b = add(h, "b", ASKED " { @n = count(); }");
	int code = 0;
	bool ok = a && b && !apitrace_script_exiting(a, NULL);

	ask();
	ok = ok && apitrace_poll(h, 1000) == 1 && apitrace_script_exiting(a, &code) &&
	     code == 3 && !apitrace_script_exiting(b, NULL) && !apitrace_exiting(h, NULL) &&
	     !strcmp(l.s, "a exit |a printf end|");
	ok = ok && !apitrace_script_stop(a) && !apitrace_remove(a);
	ask();
	ok = ok && sum(b, "@n") == 2 && !apitrace_script_stop(b) && apitrace_exiting(h, NULL) &&
	     sum(b, "@n") == 2 && apitrace_poll(h, -1) == 0;
	apitrace_free(h);
	return ok;
}

static bool mistakes_touch_nobody(void)
{
	static const char *const wrong[] = {
		"begin { nothing(); }",
		"config = { max_map_memory = 65536 } begin { @x[1] = 1; }"
	};
	static const char *const tags[] = { "unknown-function", "map-memory" };
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *a = add(h, "a", ASKED " { @n = count(); }"), *s;
	struct apitrace_diag d;
	bool ok = a;

	for (int i = 0; i < 2; i++) {
		s = a;
		ok = ok && apitrace_add(h, "wrong", wrong[i], strlen(wrong[i]), NULL, &s) < 0 &&
		     !s && apitrace_diag_count(h) == 1 && !apitrace_diag_get(h, 0, &d) &&
		     !strcmp(d.tag, tags[i]) && !strcmp(d.file, "wrong") &&
		     (i || d.line == 1) && (i || strstr(d.rendered, "~~")) &&
		     !apitrace_script_at(h, 1);
		ask();
		ok = ok && sum(a, "@n") == i + 1;
	}
	apitrace_free(h);
	return ok;
}

/* ---- What is left ---- */

static unsigned entries(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

static unsigned regions(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	unsigned n = 0;
	int c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static bool one_round(struct apitrace *h, int i)
{
	static const char wrong[] = "config = { max_map_memory = 65536 } begin { @x[1] = 1; }";
	struct apitrace_script *s = add(h, "round",
					ASKED
					" { @[args.pid] = hist(nsecs); }"
					" interval:hz:50 { @n = count(); } end { print(@n); }"),
			       *none;
	bool ok = s && apitrace_consume(h) >= 0;

	if (i % 2)
		ok = ok && !apitrace_script_stop(s) && !apitrace_script_report(s);
	return ok && !apitrace_remove(s) &&
	       apitrace_add(h, "wrong", wrong, strlen(wrong), NULL, &none) == -ENOMEM;
}

/* The first rounds fill caches of the C library. */
static bool nothing_is_left(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *stays = add(h, "stays", ASKED " { @n = count(); }");
	unsigned fds = 0, maps = 0, threads = 0;
	bool ok = stays;

	for (int i = 0; i < 24 && ok; i++) {
		l.n = 0;
		ok = one_round(h, i);
		if (i == 3) {
			fds = entries("/proc/self/fd");
			maps = regions();
			threads = entries("/proc/self/task");
		}
	}
	ok = ok && entries("/proc/self/fd") == fds && entries("/proc/self/task") == threads;
	if (regions() > maps + 2)
		ok = !printf("# %u regions became %u\n", maps, regions());
	ask();
	ok = ok && sum(stays, "@n") == 1;
	apitrace_free(h);
	return ok;
}

#ifdef __SANITIZE_ADDRESS__
enum { LITTLE = -1 }; /* what it needs itself cannot be told: unlimited */
#else
enum { LITTLE = 400 << 20 };
#endif

/*
 * RLIMIT_DATA counts what a kernel that does not overcommit counts. A script that runs keeps
 * little of what its compilation reserved, and that makes do with less than it would like.
 */
static bool many_scripts_fit(void)
{
	struct rlimit few = { (rlim_t)LITTLE, (rlim_t)LITTLE };
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		static struct log l;
		struct apitrace *h;
		bool ok = snprintf(self, sizeof(self), "%d", getpid()) > 0 &&
			  !setrlimit(RLIMIT_DATA, &few) && (h = new_handle(&l));

		for (int i = 0; i < 24 && ok; i++)
			ok = add(h, "one of many", ASKED " { @n = count(); }");
		ask();
		for (int i = 0; i < 24 && ok; i++)
			ok = sum(apitrace_script_at(h, i), "@n") == 1;
		if (ok)
			apitrace_free(h);
		fflush(stdout);
		_exit(!ok);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* ---- Binding ---- */

#define COUNTS ASKED " { @n = count(); @k[1, comm] = sum(2); }"

static bool a_script_goes_on_with_maps(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *old = add(h, "old", COUNTS), *new, *one;
	struct apitrace_bind all = { .from = old }, as = { .map = "@mine", .as = "@n" };
	bool ok = old;

	ask();
	new = add_bound(h, "new", COUNTS " begin { @own = 5; }", &all);
	ok = ok && new &&sum(new, "@n") == 1 && sum(new, "@k") == 2 && !apitrace_remove(old);
	ask();
	ok = ok && sum(new, "@n") == 2 && sum(new, "@k") == 4 && sum(new, "@own") == 5;
	as.from = new;
	one = add_bound(h, "one", ASKED " { @mine = count(); @k[1, comm] = sum(1); }", &as);
	ask();
	ok = ok && one && sum(one, "@mine") == 4 && sum(new, "@n") == 4 &&
	     sum(one, "@k") == 1 && sum(new, "@k") == 6;
	apitrace_free(h);
	return ok;
}

static bool maps_of_other_types_are_not_bound(void)
{
	static const struct {
		const char *text, *words, *map;
	} wrong[] = {
		{ ASKED " { @n = sum(1); }", "it is @n: sum_t, old has @n: count_t", NULL },
		{ ASKED " { @n[pid] = count(); }",
		  "it is @n[uint64]: count_t, old has @n: count_t", NULL },
		{ ASKED " { @l = lhist(1, 0, 20, 2); }",
		  "it is @l: lhist_t(0, 20, 2), old has @l: lhist_t(0, 10, 1)", "@l" },
		{ ASKED " { @z = 1; }", "old has no map @z", "@z" },
		{ ASKED " { @z = 1; }", "wrong has no such map", "@y" },
	};
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *old = add(h, "old",
					  COUNTS ASKED " { @l = lhist(1, 0, 10, 1); }"),
			       *s;
	bool ok = old;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct apitrace_bind bind = { .map = wrong[i].map, .from = old };
		struct apitrace_script_opts opts = { .sz = sizeof(opts),
						     .binds = &bind,
						     .nbinds = 1 };

		if (apitrace_add(h, "wrong", wrong[i].text, strlen(wrong[i].text), &opts, &s) ==
			    -EINVAL &&
		    diagnosed(h, "bind", wrong[i].words))
			continue;
		tell(h);
		ok = false;
	}
	apitrace_free(h);
	return ok;
}

static bool only_scripts_that_are_there_can_be_bound(void)
{
	static const char main_script[] = "begin { @n = 1; }";
	static struct log l;
	struct apitrace *h = new_handle(&l), *other = apitrace_new(NULL);
	struct apitrace_bind bind = { .from = add(other, "other", "begin { @n = 1; }") };
	struct apitrace_script_opts opts = { .sz = sizeof(opts), .binds = &bind, .nbinds = 1 };
	struct apitrace_script *s;
	bool ok = bind.from &&
		  apitrace_add(h, "a", "begin { @n = 1; }", 17, &opts, &s) == -EINVAL &&
		  diagnosed(h, "bind", "not a loaded one of this handle");

	bind.from = NULL;
	ok = ok && apitrace_add(h, "a", "begin { @n = 1; }", 17, &opts, &s) == -EINVAL &&
	     diagnosed(h, "bind", "not a loaded one of this handle");
	ok = ok && !apitrace_compile(h, "main", main_script, sizeof(main_script) - 1) &&
	     !apitrace_load(h) && !apitrace_attach(h);
	bind.from = apitrace_script_at(h, 0);
	ok = ok && bind.from && apitrace_add(h, "a", "begin { @n = 1; }", 17, &opts, &s) == -EINVAL &&
	     diagnosed(h, "bind", "the script of apitrace_compile()");
	apitrace_free(other);
	apitrace_free(h);
	return ok;
}

/* ---- Events ---- */

static void check_event(void *arg, const struct apitrace_event *e)
{
	const struct apitrace_value *v = e->args;
	struct timespec now;
	bool ok;

	clock_gettime(CLOCK_BOOTTIME, &now);
	ok = e->nargs == 4 && !strcmp(e->func, "printf") &&
	     !strcmp(e->format, "%d %s %s %d\n") &&
	     !strcmp(e->probe, "tracepoint:syscalls:sys_enter_getpgid") && !e->map &&
	     e->time_ns && e->time_ns <= now.tv_sec * 1000000000ull + now.tv_nsec &&
	     !strncmp(e->text, "12345 ", 6) && e->text[e->len - 1] == '\n';
	ok = ok && v[0].kind == APITRACE_INT && v[0].i == 12345 &&
	     !strcmp(v[0].name, "args.pid") && !v[0].unit;
	ok = ok && v[1].kind == APITRACE_STRING && !strcmp(v[1].name, "comm") && v[1].n &&
	     strlen(v[1].s) == v[1].n;
	ok = ok && v[2].kind == APITRACE_UINT && !strcmp(v[2].unit, "ns") &&
	     !strcmp(v[2].name, "$t") && v[2].u == 1500;
	ok = ok && v[3].kind == APITRACE_UINT && !strcmp(v[3].name, "pid + 1") && v[3].u > 1;
	*(int *)arg += ok ? 1 : 100;
}

static bool events_have_typed_fields(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *s =
		add(h, "a",
		    ASKED " { $t = (ns)1500;"
			  " printf(\"%d %s %s %d\\n\", args.pid, comm, $t, pid + 1); }");
	int seen = 0;
	bool ok = s;

	apitrace_on_event(h, check_event, &seen);
	ask();
	ok = ok && apitrace_poll(h, 1000) == 1 && seen == 1;
	apitrace_free(h);
	return ok;
}

static void check_map_event(void *arg, const struct apitrace_event *e)
{
	bool ok = e->map && !strcmp(e->map, "@q") && !strcmp(e->func, "print") &&
		  (!e->nargs || (e->nargs == 1 && e->args[0].i == 3));

	*(int *)arg +=
		ok && apitrace_map_foreach(e->script, e->map, see_number, &(int64_t){ 0 }) == 0;
}

static bool events_name_their_map(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	int seen = 0;
	bool ok;

	apitrace_on_event(h, check_map_event, &seen);
	ok = add(h, "a", "begin { @q[3] = quantile(7); print(@q); print(@q[3]); }");
	ok = ok && apitrace_consume(h) == 2 && seen == 2;
	apitrace_free(h);
	return ok;
}

/* ---- Callbacks ---- */

static void change_scripts(void *arg, const struct apitrace_event *e)
{
	struct apitrace **h = arg;
	struct apitrace_script *s;
	bool busy =
		apitrace_add(*h, "x", "begin { }", 9, NULL, &s) == -EBUSY && !s &&
		apitrace_remove(e->script) == -EBUSY && apitrace_stop(*h) == -EBUSY &&
		apitrace_script_stop(e->script) == -EBUSY && apitrace_poll(*h, 0) == -EBUSY &&
		apitrace_compile(*h, "x", "", 0) == -EBUSY && apitrace_consume(*h) == -EBUSY &&
		apitrace_report(*h) == -EBUSY && apitrace_diag_count(*h) == 8;

	apitrace_free(*h);
	*h = NULL;
	if (!busy)
		abort();
}

static bool callbacks_change_no_scripts(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l), *same = h;
	unsigned fds;
	bool ok;

	apitrace_on_event(h, change_scripts, &h);
	fds = entries("/proc/self/fd");
	ok = add(h, "a", "begin { printf(\"x\"); }") && apitrace_consume(same) == 1 && !h;
	return ok && entries("/proc/self/fd") == fds - 1; /* the handle's own is closed, too */
}

/* ---- More than can be handled ---- */

static _Atomic int asking;

static void *ask_on(void *arg)
{
	while (asking)
		ask();
	return NULL;
}

static void handle_slowly(void *arg, const struct apitrace_event *e)
{
	usleep(20);
	++*(int *)arg;
}

/* Without bounds a call would not return, nor would others have their turn. */
static bool a_flood_leaves_others_their_turn(void)
{
	static struct log l;
	struct apitrace *h = new_handle(&l);
	struct apitrace_script *s = add(h, "flood", ASKED " { @n = count(); print(1); }");
	struct apitrace_counter c = { 0 };
	int handled = 0, n = 0;
	int64_t lost = 0;
	pthread_t t;
	bool ok = s;

	asking = 1;
	apitrace_on_event(h, handle_slowly, &handled);
	if (!ok || pthread_create(&t, NULL, ask_on, NULL))
		return false;
	alarm(60);
	for (int i = 0; i < 2 && ok; i++) {
		n = apitrace_poll(h, -1);
		ok = n > 0;
	}
	asking = 0;
	pthread_join(t, NULL);
	alarm(0);
	ok = ok && !apitrace_stop(h);
	for (unsigned i = 0; !apitrace_counter_get(s, i, &c); i++)
		if (!strcmp(c.name, "lost"))
			lost = c.value;
	if (handled + lost != sum(s, "@n"))
		ok = !printf("# %d handled, %lld lost of %lld\n", handled, (long long)lost,
			     (long long)sum(s, "@n"));
	apitrace_free(h);
	return ok;
}

/* ---- Threads ---- */

static void *run_in_thread(void *arg)
{
	bool *ok = arg;
	static const char script[] =
		"begin { @x = 1; printf(\"%d\\n\", 5); } " ASKED " { @n = count(); }";

	*ok = true;
	for (int i = 0; i < 4 && *ok; i++) {
		struct log *l = calloc(1, sizeof(*l));
		struct apitrace *h = new_handle(l);
		struct apitrace_script *s = add(h, "t", script);

		ask();
		*ok = s && apitrace_consume(h) == 1 && !strcmp(l->s, "t printf 5|") &&
		      sum(s, "@n") >= 1 && sum(s, "@x") == 1;
		apitrace_free(h);
		free(l);
	}
	return NULL;
}

static bool threads_have_handles(void)
{
	pthread_t t[3];
	bool ok[3], all = true;

	for (int i = 0; i < 3; i++)
		if (pthread_create(&t[i], NULL, run_in_thread, &ok[i]))
			return false;
	for (int i = 0; i < 3; i++)
		all &= !pthread_join(t[i], NULL) && ok[i];
	return all;
}

static const struct {
	const char *name;
	bool (*test)(void);
} tests[] = {
	{ "scripts share a poll", scripts_share_a_poll },
	{ "the script in steps and others go together", the_steps_and_others_go_together },
	{ "exit() ends one script", exit_ends_one_script },
	{ "mistakes in one touch nobody", mistakes_touch_nobody },
	{ "nothing is left of removed scripts", nothing_is_left },
	{ "many scripts fit", many_scripts_fit },
	{ "a script goes on with another's maps", a_script_goes_on_with_maps },
	{ "maps of other types are not bound", maps_of_other_types_are_not_bound },
	{ "only scripts that are there can be bound", only_scripts_that_are_there_can_be_bound },
	{ "events have typed fields", events_have_typed_fields },
	{ "events name their map", events_name_their_map },
	{ "callbacks change no scripts", callbacks_change_no_scripts },
	{ "a flood leaves others their turn", a_flood_leaves_others_their_turn },
	{ "threads have handles of their own", threads_have_handles },
};

int main(void)
{
	unsigned n = sizeof(tests) / sizeof(tests[0]), failed = 0;

	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	snprintf(self, sizeof(self), "%d", getpid());
	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		bool ok = tests[i].test();

		failed += !ok;
		printf("%sok %u - %s\n", ok ? "" : "not ", i + 1, tests[i].name);
	}
	printf("# %u passed, %u failed\n", n - failed, failed);
	return failed != 0;
}
