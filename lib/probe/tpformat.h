/* SPDX-License-Identifier: Apache-2.0 */
/* A tracepoint's record, as tracefs describes it: events/CATEGORY/EVENT/format. */
#ifndef AT_PROBE_TPFORMAT_H
#define AT_PROBE_TPFORMAT_H

#include "frontend/type.h"
#include "lib/base/vec.h"

enum at_tp_place {
	AT_TP_INLINE,       /* the value is in the record */
	AT_TP_DATA_LOC,     /* a word there: offset from the record's start | bytes << 16 */
	AT_TP_REL_DATA_LOC, /* the same, offset from the end of that word */
};

struct at_tpformat {
	const struct at_type *type; /* STRUCT: the fields of `args`; offsets in the record */
	const enum at_tp_place *places; /* of each field */
};

/*
 * Reads the text. Fields that all tracepoints have (common_…) are left out.
 * `strlen_max` is the size of strings whose length is known only when they
 * come. NULL: nothing in it is a field.
 */
struct at_tpformat *at_tpformat_read(struct at_arena *a, const char *name, const char *text,
				     unsigned strlen_max);

#endif
