/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-start APITRACE BPFTRACE: what a run costs beside bpftrace: the start,
 * memory, the end; and what tracing costs calls that are not traced. Exits 1
 * when a figure is above its bound. Started by scripts/dev/bench.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { BATCHES = 20000, BATCH = 50, SYSCALLS = 20 };

/* ---- Scripts ---- */

static char forty[SYSCALLS * 400]; /* of both ends of 20 system calls */

static const struct script {
	const char *name, *text;
	bool interrupt; /* SIGINT ends it, not itself */
	bool once;      /* too slow for rounds */
} scripts[] = {
	{ "openat", "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }",
	  .interrupt = true },
	{ "begin and exit", "BEGIN { exit(); }" },
	{ "40 system call probes", forty },
	{ "all sched tracepoints",
	  "tracepoint:sched:* { @[probe] = count(); } BEGIN { exit(); }" },
	{ "all system calls",
	  "tracepoint:syscalls:sys_enter_* { @[probe] = count(); } BEGIN { exit(); }",
	  .once = true },
};

/* Counts calls by process and measures how long they take. */
static void write_forty(void)
{
	static const char *const calls[SYSCALLS] = {
		"openat",  "close",    "read",   "write",      "readv",
		"writev",  "recvfrom", "sendto", "recvmsg",    "sendmsg",
		"connect", "accept4",  "socket", "bind",       "mmap",
		"munmap",  "futex",    "ppoll",  "epoll_wait", "nanosleep",
	};
	char *at = forty;

	for (size_t i = 0; i < SYSCALLS; i++)
		at += sprintf(at,
			      "tracepoint:syscalls:sys_enter_%s /pid > 1/ {"
			      " @at[tid] = nsecs; @calls[comm, probe] = count(); }\n"
			      "tracepoint:syscalls:sys_exit_%s /@at[tid]/ {"
			      " @ns[probe] = hist(nsecs - @at[tid]); delete(@at[tid]); }\n",
			      calls[i], calls[i]);
	sprintf(at, "BEGIN { exit(); }\n");
}

/* ---- Figures ---- */

static double get_attached(const struct use *u)
{
	return u->attached;
}

static double get_wall(const struct use *u)
{
	return u->wall;
}

static double get_detach(const struct use *u)
{
	return u->detach;
}

static double get_rss(const struct use *u)
{
	return u->rss;
}

static const struct measure {
	const char *name, *unit;
	int script; /* index above */
	double (*get)(const struct use *u);
	double bound; /* of the ratio; 0: none */
} measures[] = {
	{ "openat: start to attached", "ms", 0, get_attached, 0.35 },
	{ "openat: signal to end", "ms", 0, get_detach, 0 },
	{ "openat: peak memory", "MiB", 0, get_rss, 0.4 },
	{ "begin and exit: whole run", "ms", 1, get_wall, 0.15 },
	{ "begin and exit: peak memory", "MiB", 1, get_rss, 0.4 },
	{ "40 probes: start to attached", "ms", 2, get_attached, 0.35 },
	{ "40 probes: whole run", "ms", 2, get_wall, 0.25 },
	{ "sched:*: whole run", "ms", 3, get_wall, 0 },
	{ "sys_enter_*: whole run", "ms", 4, get_wall, 0 },
};

/* By tool, script, round. */
static struct use uses[2][COUNT(scripts)][MOST_ROUNDS];

/* It said that it attached, and ended well. */
static bool run_script(const char *tool, const struct script *s, struct use *use)
{
	const char *const argv[] = { tool, "-e", s->text, NULL };
	struct run r;
	bool ok = run_start(&r, argv, -1);

	if (ok) {
		use->attached = run_attached(&r);
		ok = run_end(&r, s->interrupt ? SIGINT : 0, use) && use->attached >= 0;
	}
	if (!ok)
		fprintf(stderr, "%s: %s failed: %s\n", tool, s->name, r.text ? r.text : "");
	run_free(&r);
	return ok;
}

static bool run_rounds(const char *const tools[2], unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned p = 0; p < COUNT(scripts); p++)
			for (unsigned k = 0; k < 2; k++) {
				unsigned t = (i + k) % 2;

				if (scripts[p].once && i)
					continue;
				if (!run_script(tools[t], &scripts[p], &uses[t][p][i]))
					return false;
			}
	return true;
}

/* Ratios are b/a within rounds. */
static bool print_line(const char *name, const char *unit, double *a, double *b, double bound,
		       unsigned rounds)
{
	double ratio[MOST_ROUNDS];
	char judged[32] = "";
	struct figure r;

	for (unsigned i = 0; i < rounds; i++)
		ratio[i] = b[i] / a[i];
	r = figure_of(ratio, rounds);
	if (bound)
		snprintf(judged, sizeof(judged), "%.2f%s", bound,
			 r.median > bound ? " ABOVE" : "");
	printf("  %-29s %-4s %-25s %-25s %-24s %s\n", name, unit,
	       figure_text(figure_of(b, rounds), 1).s, figure_text(figure_of(a, rounds), 1).s,
	       figure_text(r, 3).s, judged);
	return !bound || r.median <= bound;
}

static bool print_measure(const struct measure *m, unsigned rounds)
{
	double v[2][MOST_ROUNDS];

	if (scripts[m->script].once)
		rounds = 1;
	for (unsigned t = 0; t < 2; t++)
		for (unsigned i = 0; i < rounds; i++) {
			v[t][i] = m->get(&uses[t][m->script][i]);
			bench_raw(m->name, t ? "bpftrace" : "apitrace", i, v[t][i]);
		}
	return print_line(m->name, m->unit, v[1], v[0], m->bound, rounds);
}

/* ---- What a system call costs that is none of ours ---- */

/* Of short batches the lowest tenth: the rest shared the CPU with something. */
static double call_ns(void)
{
	static double v[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		double begun = now_ms();

		for (int k = 0; k < BATCH; k++)
			syscall(SYS_getppid);
		v[i] = (now_ms() - begun) * 1e6 / BATCH;
	}
	return figure_low(v, BATCHES);
}

static bool traced_call_ns(const char *tool, double *ns)
{
	const char *const argv[] = { tool, "-e", "http:exchange { @[args.status] = count(); }",
				     NULL };
	struct use use;
	struct run r;
	bool attached;

	if (!run_start(&r, argv, -1))
		return false;
	attached = run_attached(&r) >= 0;
	if (attached)
		*ns = call_ns();
	attached &= run_end(&r, attached ? SIGINT : 0, &use);
	run_free(&r);
	return attached;
}

static bool print_call_cost(const char *tool, unsigned rounds)
{
	double v[2][MOST_ROUNDS];

	for (unsigned i = 0; i < rounds; i++) {
		v[0][i] = call_ns();
		if (!traced_call_ns(tool, &v[1][i])) {
			fputs("getppid under an http script: the script did not attach\n",
			      stderr);
			return false;
		}
		bench_raw("getppid", "untraced", i, v[0][i]);
		bench_raw("getppid", "traced", i, v[1][i]);
	}
	printf("  %-34s %-25s %-25s %-24s bound\n", "", "http script (quartiles)", "untraced",
	       "ratio");
	return print_line("getppid, which is not traced", "ns", v[0], v[1], 1.05, rounds);
}

int main(int argc, char **argv)
{
	unsigned rounds = bench_rounds(7);
	bool ok = true;

	if (argc != 3) {
		fputs("usage: bench-start APITRACE BPFTRACE\n", stderr);
		return 2;
	}
	write_forty();
	if (!run_rounds((const char *const *)argv + 1, rounds))
		return 1;
	printf("Runs beside bpftrace (%u rounds; sys_enter_*: one):\n"
	       "  %-34s %-25s %-25s %-24s bound\n",
	       rounds, "", "apitrace (quartiles)", "bpftrace", "ratio");
	for (size_t i = 0; i < COUNT(measures); i++)
		ok &= print_measure(&measures[i], rounds);
	return !(print_call_cost(argv[1], rounds) && ok);
}
