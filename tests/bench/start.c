/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-start APITRACE BPFTRACE [ROUNDS]: what a start costs, beside bpftrace in
 * the same minute. Rounds are interleaved, so that a busy machine slows both;
 * printed are medians, their spread and the ratios. Exits 1 when one is above
 * its bound. Started by scripts/dev/bench-start.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MARKER   "__BPFTRACE_NOTIFY_PROBES_ATTACHED"

enum { MOST_ROUNDS = 101, LOOPS = 1000000, MOST_SECONDS = 20 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* ---- One run ---- */

struct child {
	pid_t pid;
	FILE *said; /* stdout and stderr */
	double begun;
};

struct figures {
	double attached, wall, rss; /* ms, ms, MiB; attached < 0: never was */
};

static bool start(struct child *c, const char *tool, const char *program)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return false;
	c->begun = now();
	c->pid = fork();
	if (!c->pid) {
		signal(SIGINT, SIG_DFL); /* a shell's background job ignores it */
		alarm(MOST_SECONDS);     /* survives exec: a run that hangs is killed */
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execlp(tool, tool, "-e", program, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	c->said = fdopen(ends[0], "re");
	return c->pid > 0 && c->said;
}

/* Until it says that its probes are attached, or its end. */
static double wait_attached(const struct child *c)
{
	char line[4096];

	while (fgets(line, sizeof(line), c->said))
		if (strstr(line, MARKER))
			return now() - c->begun;
	return -1;
}

static bool end(struct child *c, bool interrupt, struct figures *f)
{
	struct rusage use;
	char rest[4096];
	int status;

	/* bpftrace says that it is attached shortly before it listens to signals. */
	if (interrupt) {
		usleep(700000);
		kill(c->pid, SIGINT);
	}
	while (fgets(rest, sizeof(rest), c->said))
		;
	fclose(c->said);
	if (wait4(c->pid, &status, 0, &use) != c->pid)
		return false;
	f->wall = now() - c->begun;
	f->rss = use.ru_maxrss / 1024.0;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static bool run(const char *tool, const char *program, bool interrupt, struct figures *f)
{
	struct child c;

	if (!start(&c, tool, program))
		return false;
	f->attached = wait_attached(&c);
	return end(&c, interrupt, f) && f->attached >= 0;
}

/* ---- Medians ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* ---- Beside bpftrace ---- */

static double get_attached(const struct figures *f)
{
	return f->attached;
}

static double get_wall(const struct figures *f)
{
	return f->wall;
}

static double get_rss(const struct figures *f)
{
	return f->rss;
}

static const struct measure {
	const char *name, *unit;
	int program; /* index below */
	double (*get)(const struct figures *f);
	double bound;
} measures[] = {
	{ "openat: start to attached", "ms", 0, get_attached, 0.35 },
	{ "begin and exit: whole run", "ms", 1, get_wall, 0.15 },
	{ "openat: peak memory", "MiB", 0, get_rss, 0.4 },
	{ "begin and exit: peak memory", "MiB", 1, get_rss, 0.4 },
};

static const struct {
	const char *text;
	bool interrupt;
} programs[] = {
	{ "tracepoint:syscalls:sys_enter_openat { @[comm] = count(); }", true },
	{ "BEGIN { exit(); }", false },
};

struct results {
	struct figures of[2][COUNT(programs)][MOST_ROUNDS]; /* by tool, program, round */
};

static bool run_rounds(struct results *r, const char *const tools[2], unsigned rounds)
{
	for (unsigned i = 0; i < rounds; i++)
		for (unsigned p = 0; p < COUNT(programs); p++)
			for (unsigned k = 0; k < 2; k++) {
				unsigned t = (i + k) % 2;

				if (run(tools[t], programs[p].text, programs[p].interrupt,
					&r->of[t][p][i]))
					continue;
				fprintf(stderr, "%s -e '%s' failed\n", tools[t],
					programs[p].text);
				return false;
			}
	return true;
}

static bool print_measure(const struct results *r, const struct measure *m, unsigned rounds)
{
	double v[2][MOST_ROUNDS], mid[2];

	for (unsigned t = 0; t < 2; t++) {
		for (unsigned i = 0; i < rounds; i++)
			v[t][i] = m->get(&r->of[t][m->program][i]);
		mid[t] = median(v[t], rounds);
	}
	printf("%-28s %8.1f (%.1f to %.1f) %8.1f (%.1f to %.1f) %-4s ratio %.3f, bound "
	       "%.2f%s\n",
	       m->name, mid[0], v[0][0], v[0][rounds - 1], mid[1], v[1][0], v[1][rounds - 1],
	       m->unit, mid[0] / mid[1], m->bound, mid[0] / mid[1] > m->bound ? ": ABOVE" : "");
	return mid[0] / mid[1] <= m->bound;
}

/* ---- What a system call costs that is none of ours ---- */

static double call_ns(void)
{
	double begun = now();

	for (int i = 0; i < LOOPS; i++)
		syscall(SYS_getppid);
	return (now() - begun) * 1e6 / LOOPS;
}

static bool traced_call_ns(const char *tool, double *ns)
{
	struct figures f;
	struct child c;
	bool attached;

	if (!start(&c, tool, "http:exchange { @[args.status] = count(); }"))
		return false;
	attached = wait_attached(&c) >= 0;
	if (attached)
		*ns = call_ns();
	return end(&c, attached, &f) && attached;
}

/* Noise is a few percent: the bound is on medians of interleaved rounds. */
static bool print_call_cost(const char *tool, unsigned rounds)
{
	double v[2][MOST_ROUNDS], mid[2];

	for (unsigned i = 0; i < rounds; i++) {
		v[0][i] = call_ns();
		if (!traced_call_ns(tool, &v[1][i])) {
			puts("getppid under an http script: the script did not attach");
			return false;
		}
	}
	mid[0] = median(v[0], rounds);
	mid[1] = median(v[1], rounds);
	printf("%-28s %8.1f (%.1f to %.1f) %8.1f (%.1f to %.1f) ns   ratio %.3f, bound "
	       "1.05%s\n",
	       "getppid: untraced, traced", mid[0], v[0][0], v[0][rounds - 1], mid[1], v[1][0],
	       v[1][rounds - 1], mid[1] / mid[0], mid[1] / mid[0] > 1.05 ? ": ABOVE" : "");
	return mid[1] / mid[0] <= 1.05;
}

static bool bench(struct results *r, const char *const tools[2], unsigned rounds)
{
	bool ok = true;

	printf("medians of %u rounds (least to most): apitrace, bpftrace\n", rounds);
	if (!run_rounds(r, tools, rounds))
		return false;
	for (size_t i = 0; i < COUNT(measures); i++)
		ok &= print_measure(r, &measures[i], rounds);
	return print_call_cost(tools[0], rounds < 9 ? rounds : 9) && ok;
}

int main(int argc, char **argv)
{
	unsigned rounds = argc > 3 ? strtoul(argv[3], NULL, 10) : 15;
	struct results *r = calloc(1, sizeof(*r));
	bool ok;

	if (!r || argc < 3 || !rounds || rounds > MOST_ROUNDS) {
		fprintf(stderr, "usage: bench-start APITRACE BPFTRACE [ROUNDS]\n");
		free(r);
		return 2;
	}
	setenv(MARKER, "1", 1);
	ok = bench(r, (const char *const *)argv + 1, rounds);
	free(r);
	return !ok;
}
