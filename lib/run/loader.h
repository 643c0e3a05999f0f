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
	struct at_loading *loading; /* until all is attached */
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
	const char *text, *hint; /* text NULL: told already; hint may be NULL */
	int err; /* -errno; 0: no failure */
};
void at_failure_report(struct at_run *run, const struct at_failure *f);

/* mapbtf.c: adds a type to our BTF; its id, or -errno. t NULL: `size` raw bytes. */
int at_btf_add_type(struct btf *btf, const struct at_type *t, unsigned size);

/* What is needed until programs are attached, since another set may have to be loaded then. */
struct at_loading {
	struct at_run *run;
	struct at_elf elf;
	struct btf *btf;
	int btf_fd; /* less than 0: the kernel did not take our types */
	struct bpf_map_create_opts *map_opts; /* by plan map */
	uint32_t file_name;
	const struct at_plan_prog *prog; /* being linked */
	struct at_failure failure;       /* the last one */
	struct at_failure kept;          /* the one to be told of all sets */
	size_t next;                     /* program at which the search for sets goes on */
};

/* maps.c: has the kernel know the types of all maps. */
void at_maps_types(struct at_loading *l);
/* Creates the maps of one set (NULL: of none); 0, or -errno with the failure filled. */
int at_maps_create(struct at_loading *l, const char *set);

/* load.c: fd, or -errno with the failure filled. */
int at_prog_load(struct at_loading *l, const struct at_plan_prog *g);
/* Gives back what only loading needs. */
void at_loading_end(struct at_run *run);

/* sets.c: all 0, or -errno with the failure filled. */
bool at_same_set(const char *a, const char *b);
int at_set_load(struct at_loading *l, const char *set);
/* The next set that loads becomes run->alternative. */
int at_alternative_load(struct at_loading *l);
/* Attaches it; where that fails, the next that loads and attaches. */
int at_alternative_attach(struct at_loading *l);

/* attach.c: attaches the programs of one set, iterators first. */
int at_set_attach(struct at_run *run, const char *set, struct at_failure *f);
/* Closes links from number `from` on. */
void at_links_close(struct at_links *l, size_t from);

/* privilege.c: EPERM, EACCES of perf_event_open or tracefs. */
const char *at_privilege_perf(struct at_arena *a);

/* verifier.c: the kernel's log -> what was refused, and where. */
void at_verifier_explain(struct at_run *run, const struct at_plan_prog *g,
			 const struct at_linked *code, char *log, struct at_failure *f);

#endif
