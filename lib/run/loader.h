/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the loader share: nothing outside lib/run includes it. */
#ifndef AT_RUN_LOADER_H
#define AT_RUN_LOADER_H

#include <bpf/btf.h>

#include "lib/run/link.h"
#include "lib/run/load.h"

struct at_link_fd {
	int fd;
	bool perf;
};

/* What a run holds besides maps and programs. */
struct at_links {
	struct at_link_fd *v;
	size_t n, cap;
	bool attached; /* `end` programs have not run yet */
	void (*log)(void *arg, const char *line);
	void *log_arg;
};

/* A line for -v. */
void at_run_log(const struct at_run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A failure that becomes a diagnostic only when nothing else can be tried. */
struct at_failure {
	enum at_tag tag;
	struct at_range range;
	const char *text, *hint; /* hint may be NULL */
	int err; /* -errno; 0: no failure */
};
void at_failure_report(struct at_run *run, const struct at_failure *f);

/* mapbtf.c: adds a type to our BTF; its id, or -errno. t NULL: `size` raw bytes. */
int at_btf_add_type(struct btf *btf, const struct at_type *t, unsigned size);

/* maps.c: creates all maps of the plan; 0, or -errno with *f filled. Adds their types to btf and
   loads it: *btf_fd is the caller's to close, or less than 0. */
int at_maps_create(struct at_run *run, struct btf *btf, int *btf_fd, struct at_failure *f);

/* privilege.c: EPERM, EACCES of perf_event_open or tracefs. */
const char *at_privilege_perf(struct at_arena *a);

/* verifier.c: the kernel's log -> what was refused, and where. */
void at_verifier_explain(struct at_run *run, const struct at_plan_prog *g,
			 const struct at_linked *code, char *log, struct at_failure *f);

#endif
