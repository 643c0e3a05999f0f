/* SPDX-License-Identifier: Apache-2.0 */
/* Runs and figures of the programs of `make bench`. */
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Of both tools: bpftrace says it when this is in its environment. */
#define MARKER "__BPFTRACE_NOTIFY_PROBES_ATTACHED"

enum { MOST_SECONDS = 120, SETTLE_US = 700000 };

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* ---- Runs ---- */

static void child(const char *const argv[], int cpu, int out)
{
	cpu_set_t set;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL); /* a shell's background job ignores it */
	setenv(MARKER, "1", 1);
	if (cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

bool run_start(struct run *r, const char *const argv[], int cpu)
{
	int ends[2];

	*r = (struct run){ .begun = now_ms() };
	if (pipe2(ends, O_CLOEXEC))
		return false;
	r->pid = fork();
	if (!r->pid)
		child(argv, cpu, ends[1]);
	close(ends[1]);
	r->said = fdopen(ends[0], "re");
	return r->pid > 0 && r->said;
}

static void keep(struct run *r, const char *line)
{
	size_t had = r->text ? strlen(r->text) : 0, more = strlen(line);
	char *text = realloc(r->text, had + more + 1);

	if (!text)
		return;
	memcpy(text + had, line, more + 1);
	r->text = text;
}

double run_attached(struct run *r)
{
	char line[4096];

	while (fgets(line, sizeof(line), r->said)) {
		if (strstr(line, MARKER))
			return now_ms() - r->begun;
		keep(r, line);
	}
	return -1;
}

/* bpftrace says that it is attached shortly before it listens to signals. */
static void settle(const struct run *r)
{
	double left = SETTLE_US - (now_ms() - r->begun) * 1e3;

	if (left > 0)
		usleep(left);
}

bool run_end(struct run *r, int signal, struct use *use)
{
	struct rusage spent;
	char line[4096];
	int status;

	if (signal) {
		settle(r);
		r->ending = now_ms();
		kill(r->pid, signal);
	}
	while (fgets(line, sizeof(line), r->said))
		keep(r, line);
	fclose(r->said);
	if (wait4(r->pid, &status, 0, &spent) != r->pid)
		return false;
	use->wall = now_ms() - r->begun;
	use->detach = signal ? now_ms() - r->ending : 0;
	use->rss = spent.ru_maxrss / 1024.0;
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

void run_free(struct run *r)
{
	free(r->text);
	r->text = NULL;
}

/* ---- Figures ---- */

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(const double *v, unsigned n, double q)
{
	double at = q * (n - 1);
	unsigned i = at;

	return i + 1 < n ? v[i] + (at - i) * (v[i + 1] - v[i]) : v[i];
}

struct figure figure_of(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return (struct figure){ quantile(v, n, 0.5), quantile(v, n, 0.25),
				quantile(v, n, 0.75) };
}

double figure_low(double *v, unsigned n)
{
	qsort(v, n, sizeof(*v), compare);
	return quantile(v, n, 0.1);
}

struct figure_text figure_text(struct figure f, int decimals)
{
	struct figure_text t;

	snprintf(t.s, sizeof(t.s), "%.*f (%.*f to %.*f)", decimals, f.median, decimals, f.low,
		 decimals, f.high);
	return t;
}

unsigned bench_rounds(unsigned rounds)
{
	const char *text = getenv("BENCH_ROUNDS");

	if (text && *text)
		rounds = strtoul(text, NULL, 10);
	return rounds < 1 ? 1 : rounds > MOST_ROUNDS ? MOST_ROUNDS : rounds;
}

void bench_raw(const char *bench, const char *what, unsigned round, double value)
{
	const char *path = getenv("BENCH_RAW");
	FILE *f = path && *path ? fopen(path, "ae") : NULL;

	if (!f)
		return;
	fprintf(f, "%s\t%s\t%u\t%.4f\n", bench, what, round, value);
	fclose(f);
}
