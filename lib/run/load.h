/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: a plan in the kernel. Creates maps, resolves symbolic constants,
 * links the ELF, loads and attaches programs, takes them away again.
 */
#ifndef AT_RUN_LOAD_H
#define AT_RUN_LOAD_H

#include "frontend/lang.h"
#include "lib/run/host.h"

struct at_run {
	const struct at_plan *plan;
	const struct at_lang *lang;
	struct at_host *host;
	struct at_diags *diags;
	pid_t pid;       /* traced process, 0: all */
	const int *bound; /* by plan map: one to use instead of a new one, or -1; NULL: all are new */
	int *map_fds;    /* by plan map; -1 where not created */
	int *prog_fds;   /* by plan prog; -1 where not loaded */
	int ncpus;       /* possible CPUs: values of per-CPU maps */
	const char *alternative; /* the set of programs that was taken, or NULL */
	unsigned skipped; /* probes that were left out: see missing_probes */
	struct at_links *links;
	struct at_ring *ring;   /* lib/run/event.c's */
	uint64_t start_ns;      /* boot clock */
	uint64_t wall_ns;       /* from there to nanoseconds since 1970 */
	uint64_t secret[2];     /* zeros: made when it loads */
};

/* 0, or -errno after a diagnostic. The ELF stays the caller's until the run is attached. `log` (may be NULL) gets what -v shows. */
int at_run_load(struct at_run *run, const void *elf, size_t size,
		void (*log)(void *arg, const char *line), void *arg);
/* In order: begin programs run first, then everything else is attached. */
int at_run_attach(struct at_run *run);
/* Is there anything that can still fire (a probe other than begin, end, iterators)? */
bool at_run_waits(const struct at_run *run);
/* Stops programs at once, runs `end` programs, closes links in parallel. */
void at_run_detach(struct at_run *run);
/* Releases all; takes half-built runs. */
void at_run_free(struct at_run *run);

/* For providers' attach(). The run owns the fd from here; `perf` fds are disabled before closing. */
int at_run_link(struct at_run *run, int fd, bool perf);
/* Runs a program once by BPF_PROG_TEST_RUN (raw_tp, syscall). 0 or -errno. */
int at_run_once(int prog_fd);
/* privilege.c: what this process lacks to do `what`, as a sentence; NULL: nothing that is known of. */
const char *at_privilege_missing(struct at_arena *a, const char *what);
/* Opens a perf event on a cpu, attaches the program and enables it; links it. 0 or -errno. */
struct perf_event_attr;
int at_run_perf(struct at_run *run, struct perf_event_attr *attr, pid_t pid, int cpu, int prog_fd);

#endif
