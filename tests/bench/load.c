/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-load APITRACE SCRIPT...: what each script costs the kernel: the time on
 * the CPU for loading its programs (verification is nearly all of it), the
 * instructions that the verifier went through, and the memory of maps and
 * programs, as /proc shows it of the running command. Exits 1 when a script
 * takes longer than the bound. Started by scripts/dev/bench.
 */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

#define BOUND_MS 50.0

struct cost {
	double slowest, total; /* ms: of one program, of all */
	double insns;          /* verified */
	double maps, progs;    /* KiB */
};

/* Adds one descriptor of BPF, if it is one. */
static void add_fd(const char *path, struct cost *c)
{
	double memory = 0, insns = 0, value;
	bool map = false, prog = false;
	char line[256];
	FILE *f = fopen(path, "re");

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		map |= !strncmp(line, "map_type:", 9);
		prog |= !strncmp(line, "prog_type:", 10);
		if (sscanf(line, "memlock: %lf", &value) == 1)
			memory = value / 1024;
		if (sscanf(line, "verified_insns: %lf", &value) == 1)
			insns = value;
	}
	fclose(f);
	c->maps += map ? memory : 0;
	c->progs += prog ? memory : 0;
	c->insns += prog ? insns : 0;
}

static void add_fds(pid_t pid, struct cost *c)
{
	char path[512];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.200s", pid, e->d_name);
		add_fd(path, c);
	}
	if (d)
		closedir(d);
}

/* "NAME: N instructions loaded in 1.2 ms" */
static void add_times(const char *text, struct cost *c)
{
	static const char said[] = " instructions loaded in ";

	for (const char *p = text; p && (p = strstr(p, said)); p++) {
		double ms = strtod(p + sizeof(said) - 1, NULL);

		c->total += ms;
		if (ms > c->slowest)
			c->slowest = ms;
	}
}

static bool run_once(const char *tool, const char *script, struct cost *c)
{
	const char *const argv[] = { tool, "-v", script, NULL };
	struct use use;
	struct run r;
	bool ok;

	*c = (struct cost){ 0 };
	if (!run_start(&r, argv, -1))
		return false;
	ok = run_attached(&r) >= 0;
	add_fds(r.pid, c);
	ok = run_end(&r, ok ? SIGINT : 0, &use) && ok;
	add_times(r.text, c);
	if (!ok)
		fprintf(stderr, "%s failed: %s\n", script, r.text ? r.text : "");
	run_free(&r);
	if (ok && c->total && c->insns && c->maps)
		return true;
	fprintf(stderr, "%s: no programs or maps were seen\n", script);
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool bench(const char *tool, const char *script, unsigned rounds)
{
	double slowest[MOST_ROUNDS], total[MOST_ROUNDS];
	struct cost c = { 0 };
	bool above;

	for (unsigned i = 0; i < rounds; i++) {
		if (!run_once(tool, script, &c))
			return false;
		slowest[i] = c.slowest;
		total[i] = c.total;
		bench_raw("load ms", base_name(script), i, c.total);
	}
	above = figure_of(total, rounds).median > BOUND_MS;
	printf("  %-18s %-24s %-24s %10.0f %9.0f %9.0f%s\n", base_name(script),
	       figure_text(figure_of(total, rounds), 1).s,
	       figure_text(figure_of(slowest, rounds), 1).s, c.insns, c.maps, c.progs,
	       above ? "  ABOVE" : "");
	return !above;
}

int main(int argc, char **argv)
{
	unsigned rounds = bench_rounds(5);
	bool ok = true;

	if (argc < 3) {
		fputs("usage: bench-load APITRACE SCRIPT...\n", stderr);
		return 2;
	}
	printf("Loading the shipped scripts (%u rounds; bound: %.0f ms for all programs):\n"
	       "  %-18s %-24s %-24s %10s %9s %9s\n",
	       rounds, BOUND_MS, "", "all, ms (quartiles)", "slowest program, ms", "insns seen",
	       "maps, KiB", "code, KiB");
	for (int i = 2; i < argc; i++)
		ok &= bench(argv[1], argv[i], rounds);
	return !ok;
}
