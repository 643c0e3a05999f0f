/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine offers: kernel BTF, tracefs, features found by probing
 * once, lazily. Tests use a recorded host (a folder with a small BTF file and
 * tracefs format files), so the front end needs no privilege and no kernel.
 */
#ifndef AT_RUN_HOST_H
#define AT_RUN_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct at_btf;
struct at_host;

/* The running kernel; NULL and errno. Opens nothing before it is asked. */
struct at_host *at_host_new(void);
/* Recording: DIR/vmlinux.btf, DIR/events/CATEGORY/EVENT/format, DIR/features (lines "name 0|1"). */
struct at_host *at_host_recorded(const char *dir);
void at_host_free(struct at_host *h);

/* Features by name: "may_goto" (6.9), "bpf_loop" (5.17), "btf", "tp_btf:NAME", … Unknown names: false. */
bool at_host_has(struct at_host *h, const char *feature);

/* The kernel's BTF; NULL and errno. Borrowed. */
const struct at_btf *at_host_btf(struct at_host *h);
/* Byte offset of "struct.field.field" (anonymous members are looked through); 0 or -ENOENT. */
int at_host_btf_offset(struct at_host *h, const char *path, unsigned *offset);
/* BTF id of a kind (BTF_KIND_FUNC, BTF_KIND_TYPEDEF, BTF_KIND_STRUCT) and name; -ENOENT. */
int at_host_btf_id(struct at_host *h, unsigned kind, const char *name);

/* Text of events/CATEGORY/EVENT/format, malloc'ed; NULL and errno (ENOENT: no such event). */
char *at_host_tracepoint_format(struct at_host *h, const char *category, const char *event);
/* Number in events/CATEGORY/EVENT/id; or -errno. */
int at_host_tracepoint_id(struct at_host *h, const char *category, const char *event);
/* Names in events/ (category NULL) or events/CATEGORY; 0 or -errno; stops when each() is not 0. */
int at_host_tracepoints(struct at_host *h, const char *category,
			int (*each)(const char *name, void *arg), void *arg);

int at_host_ncpus_possible(struct at_host *h);
/* Online CPUs in order; count written. Borrowed. */
const int *at_host_cpus_online(struct at_host *h, unsigned *n);

#endif
