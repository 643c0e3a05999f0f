/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of programs. What belongs to no set is always there. Of sets that are
 * alternatives the first is taken whose maps can be made and whose programs load
 * and attach. A failure is told only when nothing else can be tried.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/run/loader.h"

bool at_same_set(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* All programs of one set (NULL: those without alternative), with their maps. */
int at_set_load(struct at_loading *l, const char *set)
{
	struct at_run *run = l->run;
	int fd, err = at_maps_create(l, set);

	for (size_t i = 0; i < run->plan->progs.n && !err; i++) {
		const struct at_plan_prog *g = &run->plan->progs.v[i];

		if (!at_same_set(g->alternative, set))
			continue;
		fd = at_prog_load(l, g);
		if (fd >= 0)
			run->prog_fds[i] = fd;
		else if (g->optional)
			at_run_log(run, "%s is left out: %s", g->name, l->failure.text);
		else
			err = fd;
	}
	return err;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void unload(struct at_run *run, const char *set)
{
	for (size_t i = 0; i < run->plan->progs.n; i++)
		if (at_same_set(run->plan->progs.v[i].alternative, set))
			close_fd(&run->prog_fds[i]);
	for (size_t i = 0; i < run->plan->maps.n; i++)
		if (at_same_set(run->plan->maps.v[i].alternative, set))
			close_fd(&run->map_fds[i]);
}

/* The set that was tried is none. What is told in the end is not what this kernel is too old
 * for, if there is something else. */
static void give_up(struct at_loading *l, const char *set)
{
	at_run_log(l->run, "%s is not taken: %s", set,
		   l->failure.text ? l->failure.text : strerror(-l->failure.err));
	unload(l->run, set);
	if (!l->kept.err || l->kept.tag == AT_D_KERNEL_LACKS)
		l->kept = l->failure;
}

int at_alternative_load(struct at_loading *l)
{
	const struct at_plan *p = l->run->plan;
	const char *last = l->run->alternative, *set = last;

	l->run->alternative = NULL;
	for (; l->next < p->progs.n; l->next++) {
		set = p->progs.v[l->next].alternative;
		if (!set || at_same_set(set, last))
			continue;
		last = set;
		if (at_set_load(l, set)) {
			give_up(l, set);
			continue;
		}
		l->run->alternative = set;
		return 0;
	}
	l->failure = l->kept;
	return l->kept.err;
}

int at_alternative_attach(struct at_loading *l)
{
	struct at_run *run = l->run;
	size_t links = run->links->n;

	while (run->alternative) {
		if (!at_set_attach(run, run->alternative, &l->failure)) {
			at_run_log(run, "%s is taken", run->alternative);
			return 0;
		}
		at_links_close(run->links, links);
		give_up(l, run->alternative);
		if (at_alternative_load(l))
			return l->failure.err;
	}
	return 0;
}
