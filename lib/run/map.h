/* SPDX-License-Identifier: Apache-2.0 */
/* Script maps in the running kernel: reading, merging over CPUs, ordering, clearing. */
#ifndef AT_RUN_MAP_H
#define AT_RUN_MAP_H

#include "lib/run/load.h"
#include "lib/run/view.h"

struct at_row {
	const void *key;       /* laid out as plan map's key type; NULL for a scalar */
	struct at_view view;   /* merged */
};

struct at_rows {
	const struct at_plan_map *map;
	struct at_row *v; /* ordered as bpftrace orders: see the language reference, 3.5 */
	size_t n;
	void *memory;     /* at_rows_free's */
};

/* A snapshot. 0 or -errno. Free with at_rows_free also after errors. */
int at_map_read(const struct at_run *run, unsigned map, struct at_rows *out);
void at_rows_free(struct at_rows *rows);
/* Bytes that all its entries take on so many CPUs, as far as that can be told beforehand. */
uint64_t at_map_bytes(const struct at_plan *p, const struct at_plan_map *m, unsigned ncpus);
const char *at_map_kind_text(enum at_map_kind kind); /* "per-CPU hash" */
int at_map_clear(const struct at_run *run, unsigned map); /* delete all entries (scalar: zero) */
int at_map_zero(const struct at_run *run, unsigned map);  /* keep keys, zero values */
uint64_t at_counter_read(const struct at_run *run, unsigned counter); /* sum over CPUs */

#endif
