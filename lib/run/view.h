/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: the closed set of shapes in which values are shown. Aggregations fill
 * one; text, JSON, live page and metric encoders know views and nothing else.
 */
#ifndef AT_RUN_VIEW_H
#define AT_RUN_VIEW_H

#include "frontend/type.h"

enum at_view_kind {
	AT_VIEW_NUMBER,    /* one number: count, sum, min, max, avg */
	AT_VIEW_RATE,      /* per second */
	AT_VIEW_TABLE,     /* named numbers: stats */
	AT_VIEW_HISTOGRAM, /* buckets: hist, lhist */
	AT_VIEW_QUANTILES, /* count, min, quantiles, max */
	AT_VIEW_SHARE,     /* hits of total */
	AT_VIEW_VALUE,     /* a plain value of a type (bytes) */
};

struct at_bucket {
	int64_t min, max; /* inclusive */
	bool open_low, open_high;
	uint64_t count;
};

struct at_cell {
	const char *name; /* "count", "p99.9" */
	int64_t value;
};

enum { AT_VIEW_CELLS = 10, AT_VIEW_BUCKETS = 2048 };

struct at_view {
	enum at_view_kind kind;
	const struct at_type *type; /* of the numbers (sign, unit), or of the value */
	int64_t number;             /* NUMBER, RATE */
	uint64_t hits, total;       /* SHARE; total also of TABLE, QUANTILES, HISTOGRAM: number of samples */
	int64_t order;              /* sort key inside a map */
	const void *bytes;          /* VALUE */
	unsigned ncells, nbuckets;
	struct at_cell cells[AT_VIEW_CELLS];
	struct at_bucket *buckets;  /* AT_VIEW_BUCKETS long, given by the caller */
	bool lhist;                 /* labels of a linear histogram */
	bool mean;                  /* NUMBER: the mean of `total` samples */
};

#endif
