/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interval and profile: a clock of the CPU, on the first CPU or on all of them.
 *
 *	interval:s:1  interval:ms:100  interval:us:500  interval:hz:99  interval:100ms
 *
 * A part alone is a duration, or nanoseconds. The program's nums are the number
 * and whether it is a frequency.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/base/glob.h"
#include "lib/base/num.h"
#include "lib/probe/probe.h"
#include "lib/run/load.h"

enum { NUMBER, IS_FREQUENCY }; /* in nums */

struct timer {
	uint64_t number; /* nanoseconds, or times a second */
	bool frequency;
};

static const struct unit {
	const char *name;
	uint64_t ns; /* 0: times a second */
} units[] = { { "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "hz", 0 } };

static const struct unit *find_unit(const char *name)
{
	for (size_t i = 0; i < at_count(units); i++)
		if (!strcasecmp(units[i].name, name))
			return &units[i];
	return NULL;
}

/* ---- Attach points ---- */

static int wrong(struct at_check *c, const struct at_attachpt *p, size_t part,
		 const char *wanted)
{
	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->ranges.v[part], "found `%s`, wanted %s",
		p->parts.v[part], wanted);
	at_hint(c->diags, "it is written %s", p->provider->syntax);
	return -1;
}

/* UNIT:NUMBER */
static int parse_unit(struct at_check *c, const struct at_attachpt *p, struct timer *t)
{
	const struct unit *unit = find_unit(p->parts.v[1]);
	bool duration = false;

	if (!unit)
		return wrong(c, p, 1, "a unit: s, ms, us or hz");
	if (at_num_uint(p->parts.v[2], strlen(p->parts.v[2]), &t->number, &duration) ||
	    duration || !t->number)
		return wrong(c, p, 2, "a number from 1");
	t->frequency = !unit->ns;
	if (unit->ns && __builtin_mul_overflow(t->number, unit->ns, &t->number))
		return wrong(c, p, 2, "a shorter time");
	return 0;
}

/* A duration, or nanoseconds. */
static int parse_duration(struct at_check *c, const struct at_attachpt *p, struct timer *t)
{
	enum { LEAST = 1000 };
	bool duration;

	if (at_num_uint(p->parts.v[1], strlen(p->parts.v[1]), &t->number, &duration))
		return wrong(c, p, 1, "a time as 1s, 100ms or 500us");
	return t->number >= LEAST ? 0 : wrong(c, p, 1, "a time of 1us or more");
}

static int parse(struct at_check *c, struct at_attachpt *p)
{
	enum { MOST = 1ull << 62 };
	struct timer *t = at_new(c->arena, struct timer);
	int err;

	p->data = t;
	if (p->parts.n < 2 || p->parts.n > 3) {
		at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->range,
			"%s needs a unit and a number", p->provider->name);
		at_hint(c->diags, "it is written %s", p->provider->syntax);
		return -1;
	}
	err = p->parts.n == 3 ? parse_unit(c, p, t) : parse_duration(c, p, t);
	if (!err && t->number > MOST)
		err = wrong(c, p, p->parts.n - 1, "a shorter time");
	return err;
}

/* ---- Programs ---- */

static void fill(struct at_plan_prog *g, const struct at_attachpt *p)
{
	const struct timer *t = p->data;

	g->nums[NUMBER] = t->number;
	g->nums[IS_FREQUENCY] = t->frequency;
}

static int plan(struct at_lower *lw, struct at_clause_use *uses, size_t n)
{
	return at_probe_plan_each(lw, uses, n, AT_PROG_PERF_EVENT, false, fill);
}

static int open_on(struct at_run *run, const struct at_plan_prog *g, pid_t pid, int cpu, int fd)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = g->nums[IS_FREQUENCY],
		.sample_period = g->nums[NUMBER],
	};

	return at_run_perf(run, &attr, pid, cpu, fd);
}

static int attach_interval(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	unsigned n;
	const int *cpus = at_host_cpus_online(run->host, &n);

	return n ? open_on(run, g, -1, cpus[0], fd) : -ENODEV;
}

/* Of a process only its own time counts. */
static int attach_profile(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	unsigned n;
	const int *cpus = at_host_cpus_online(run->host, &n);
	int err = n ? 0 : -ENODEV;

	for (unsigned i = 0; i < n && !err; i++)
		err = open_on(run, g, run->pid ? run->pid : -1, cpus[i], fd);
	return err;
}

/* The kernel's only limit on how often. */
static const char *why(struct at_run *run, const struct at_plan_prog *g, int err)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_max_sample_rate", "re");
	const char *text = NULL;
	long rate;

	if (f && err == -EINVAL && g->nums[IS_FREQUENCY] && fscanf(f, "%ld", &rate) == 1 &&
	    g->nums[NUMBER] > rate)
		text = at_sprintf(run->diags->arena,
				  "at most %ld times a second are allowed "
				  "(kernel.perf_event_max_sample_rate)", rate);
	if (f)
		fclose(f);
	return text;
}

/* ---- Listing: the units ---- */

static int list(const char *const *names, const char *glob, int (*each)(const char *, void *),
		void *arg)
{
	bool all = !strchr(glob, ':');

	for (; *names; names++)
		if ((all || at_glob(glob, *names, true)) && each(*names, arg))
			break;
	return 0;
}

static int list_interval(struct at_host *host, const char *glob,
			 int (*each)(const char *name, void *arg), void *arg)
{
	static const char *const names[] = { "interval:s:", "interval:ms:", "interval:us:",
					     "interval:hz:", NULL };

	return list(names, glob, each, arg);
}

static int list_profile(struct at_host *host, const char *glob,
			int (*each)(const char *name, void *arg), void *arg)
{
	static const char *const names[] = { "profile:s:", "profile:ms:", "profile:us:",
					     "profile:hz:", NULL };

	return list(names, glob, each, arg);
}

const struct at_provider at_provider_interval = {
	.name = "interval",
	.alias = "i",
	.syntax = "interval:UNIT:NUMBER or interval:TIME",
	.brief = "every so often, on one CPU",
	.needs = "perf events",
	.parse = parse,
	.plan = plan,
	.attach = attach_interval,
	.why = why,
	.list = list_interval,
};
const struct at_provider at_provider_profile = {
	.name = "profile",
	.alias = "p",
	.syntax = "profile:UNIT:NUMBER or profile:TIME",
	.brief = "every so often, on every CPU",
	.needs = "perf events",
	.parse = parse,
	.plan = plan,
	.attach = attach_profile,
	.why = why,
	.list = list_profile,
};
