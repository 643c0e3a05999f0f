/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attaching and detaching. Attaching asks the providers. Detaching is the
 * slowest thing a short run does: for each perf event the kernel waits twice
 * until no CPU can be in it (75 ms), so events are stopped first and closed in
 * parallel, which halves it. Raw tracepoints are closed without a wait: one
 * for all of them follows.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/run/loader.h"

enum { THREADS = 64, STACK_BYTES = 64 << 10 };

int at_run_link(struct at_run *run, int fd, bool perf)
{
	struct at_links *l = run->links;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct at_link_fd *more = realloc(l->v, cap * sizeof(*more));

		if (!more) {
			close(fd);
			return -ENOMEM;
		}
		l->v = more;
		l->cap = cap;
	}
	l->v[l->n++] = (struct at_link_fd){ fd, perf };
	return 0;
}

int at_run_once(int prog_fd)
{
	LIBBPF_OPTS(bpf_test_run_opts, o);
	int err = bpf_prog_test_run_opts(prog_fd, &o);

	return err < 0 ? err : 0;
}

int at_run_perf(struct at_run *run, struct perf_event_attr *attr, pid_t pid, int cpu, int prog_fd)
{
	int fd, err;

	attr->size = sizeof(*attr);
	fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, prog_fd) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
		err = -errno;
		close(fd);
		return err;
	}
	return at_run_link(run, fd, true);
}

/* ---- Attaching ---- */

/* A program that nothing triggers: `begin` and `end`. */
static bool runs_once(const struct at_plan_prog *g, const char *provider)
{
	return g->kind == AT_PROG_RAW_TP && !g->target &&
	       (!provider || !strcmp(g->provider, provider));
}

static void explain(struct at_run *run, const struct at_provider *p,
		    const struct at_plan_prog *g, int err, struct at_failure *f)
{
	struct at_arena *a = run->diags->arena;
	const char *why = err == -EACCES || err == -EPERM ? at_privilege_perf(a) : NULL;

	*f = (struct at_failure){ AT_D_NO_PRIVILEGE, g->range, why, NULL, err };
	if (why)
		return;
	f->tag = AT_D_ATTACH_FAILED;
	f->text = at_sprintf(a, "%s cannot be attached: %s", g->probe, strerror(-err));
	if (p && p->why)
		f->hint = p->why(run, g, err);
}

/* As the script's missing_probes says; a lack of privilege is not the probe's. */
static bool may_skip(const struct at_run *run, const struct at_plan_prog *g, int err)
{
	return run->plan->config.missing_probes != AT_MISSING_ERROR && !g->alternative &&
	       err != -EPERM && err != -EACCES;
}

static void skip(struct at_run *run, const struct at_plan_prog *g, int err)
{
	run->skipped++;
	if (run->plan->config.missing_probes == AT_MISSING_WARN)
		at_diag(run->diags, AT_D_ATTACH_SKIPPED, g->range,
			"%s is left out, it cannot be attached: %s", g->probe, strerror(-err));
}

static int attach_one(struct at_run *run, size_t i, struct at_failure *f)
{
	const struct at_plan_prog *g = &run->plan->progs.v[i];
	const struct at_provider *p = at_lang_provider(run->lang, g->provider);
	size_t errors = run->diags->errors;
	int err;

	if (run->prog_fds[i] < 0)
		return 0;
	if (runs_once(g, "begin"))
		err = at_run_once(run->prog_fds[i]);
	else
		err = p && p->attach ? p->attach(run, g, run->prog_fds[i]) : -EINVAL;
	if (err && g->optional) {
		at_run_log(run, "%s is left out: %s", g->name, strerror(-err));
		return 0;
	}
	if (err && run->diags->errors == errors && may_skip(run, g, err)) {
		skip(run, g, err);
		return 0;
	}
	*f = (struct at_failure){ .err = err };
	if (err && run->diags->errors == errors)
		explain(run, p, g, err, f);
	return err;
}

static bool is_begin(const struct at_plan_prog *g)
{
	return runs_once(g, "begin");
}

static bool is_iter(const struct at_plan_prog *g)
{
	return g->kind == AT_PROG_ITER;
}

static bool is_probe(const struct at_plan_prog *g)
{
	return !runs_once(g, NULL) && !is_iter(g);
}

int at_set_attach(struct at_run *run, const char *set, struct at_failure *f)
{
	static bool (*const order[])(const struct at_plan_prog *) = { is_begin, is_iter, is_probe };
	const struct at_plan *p = run->plan;
	int err = 0;

	for (size_t step = 0; step < at_count(order); step++)
		for (size_t i = 0; i < p->progs.n && !err; i++)
			if (at_same_set(p->progs.v[i].alternative, set) &&
			    order[step](&p->progs.v[i]))
				err = attach_one(run, i, f);
	return err;
}

int at_run_attach(struct at_run *run)
{
	struct at_loading *l = run->links->loading;
	int err;

	run->links->attached = true;
	err = at_set_attach(run, NULL, &l->failure);
	if (!err)
		err = at_alternative_attach(l);
	if (err) {
		run->links->attached = false; /* `end` belongs to a run that began */
		at_failure_report(run, &l->failure);
	}
	at_loading_end(run);
	return err;
}

bool at_run_waits(const struct at_run *run)
{
	for (size_t i = 0; i < run->plan->progs.n; i++)
		if (is_probe(&run->plan->progs.v[i]))
			return true;
	return false;
}

/* ---- Detaching ---- */

static void *close_link(void *arg)
{
	close(((struct at_link_fd *)arg)->fd);
	return NULL;
}

/* Closes up to THREADS links at once; where no thread can be had, in turn. */
static void close_batch(struct at_link_fd *v, size_t n, const pthread_attr_t *attr)
{
	pthread_t threads[THREADS];
	bool started[THREADS] = { false };
	size_t i;

	for (i = 0; i < n; i++) {
		if (i + 1 < n) /* the last one is for this thread */
			started[i] = !pthread_create(&threads[i], attr, close_link, &v[i]);
		if (!started[i])
			close(v[i].fd);
	}
	for (i = 0; i < n; i++)
		if (started[i])
			pthread_join(threads[i], NULL);
}

/* Signals are for the threads of the program that we are in. */
static void close_slow(struct at_link_fd *v, size_t n)
{
	pthread_attr_t attr;
	sigset_t all, before;

	if (!n)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	for (size_t i = 0; i < n; i += THREADS)
		close_batch(v + i, n - i < THREADS ? n - i : THREADS, &attr);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/*
 * Until no CPU is in a program any more (a grace period of RCU), so that what is
 * read next is final. Where the kernel does not offer it, a program that is
 * under way may still count.
 */
static void wait_for_programs(void)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void at_links_close(struct at_links *l, size_t from)
{
	size_t slow = from;

	for (size_t i = from; i < l->n; i++)
		if (l->v[i].perf)
			ioctl(l->v[i].fd, PERF_EVENT_IOC_DISABLE, 0);
	for (size_t i = from; i < l->n; i++) {
		if (l->v[i].perf)
			l->v[slow++] = l->v[i];
		else
			close(l->v[i].fd);
	}
	close_slow(l->v + from, slow - from);
	if (l->n > slow)
		wait_for_programs();
	l->n = from;
}

void at_run_detach(struct at_run *run)
{
	if (!run->links)
		return;
	at_links_close(run->links, 0);
	if (!run->links->attached)
		return;
	run->links->attached = false;
	for (size_t i = 0; i < run->plan->progs.n; i++)
		if (runs_once(&run->plan->progs.v[i], "end") && run->prog_fds[i] >= 0)
			at_run_once(run->prog_fds[i]);
}
