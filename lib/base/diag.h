/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Source text, ranges in it, and diagnostics as data. A diagnostic has a tag
 * (diag.def), a range, what was found and wanted, and an optional hint.
 * Report once, where the cause is known; passes go on after errors.
 */
#ifndef AT_BASE_DIAG_H
#define AT_BASE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/vec.h"

enum { AT_MAX_SCRIPT = 1 << 20 }; /* bytes; a larger script is refused */

/* Bytes [beg, end) of the script; {0, 0} is "no place". */
struct at_range {
	uint32_t beg, end;
};

struct at_source {
	const char *name; /* file name, or "stdin" for -e, as bpftrace names it */
	const char *text; /* not terminated */
	size_t len;
};

enum at_severity { AT_SEV_ERROR, AT_SEV_WARNING, AT_SEV_NOTE };

enum at_tag {
#define DIAG(tag, name, severity) AT_D_##tag,
#include "lib/base/diag.def"
#undef DIAG
	AT_D_COUNT
};

struct at_diag {
	enum at_tag tag;
	enum at_severity severity;
	struct at_range range;
	const char *text, *hint; /* hint may be NULL */
};

struct at_diags {
	struct at_arena *arena; /* the texts live here */
	const struct at_source *source; /* may be NULL: then no line is shown */
	AT_VEC(struct at_diag) list;
	size_t errors, dropped; /* past AT_MAX_DIAGS they are only counted */
};

enum { AT_MAX_DIAGS = 100 };

void at_diag(struct at_diags *d, enum at_tag tag, struct at_range range, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Hint of the diagnostic reported last. */
void at_hint(struct at_diags *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

const char *at_tag_name(enum at_tag tag);

/* Line (from 1), column (from 1, bytes) and the whole line of an offset. */
struct at_place {
	unsigned line, column;
	const char *text;
	size_t len;
};
struct at_place at_source_place(const struct at_source *s, uint32_t offset);

/*
 * One diagnostic as text in the arena: "file:line:col1-col2: ERROR: text", the
 * source line with tabs as 4 spaces, "~" under the range, "HINT: …".
 */
char *at_diag_render(struct at_arena *a, const struct at_source *s, const struct at_diag *d);

static inline struct at_range at_join(struct at_range a, struct at_range b)
{
	return (struct at_range){ a.beg, b.end };
}

#endif
