/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Types on every node, names resolved, misuse reported. An error poisons the
 * node (type NULL) and checking goes on; whoever meets a poisoned operand
 * stays silent.
 *
 * Types of variables and maps follow from all their uses: check runs the type
 * pass with its diagnostics thrown away until nothing changes, then once more
 * for good. So a function's check() is called several times for one call: it
 * must come to the same result each time.
 */
#ifndef AT_FRONTEND_CHECK_H
#define AT_FRONTEND_CHECK_H

#include "frontend/lang.h"

/* What the caller of the compiler decides. */
struct at_options {
	const char *const *params; /* $1.. */
	size_t nparams;
	bool unsafe;
	bool show_secrets;
	bool pid_filter; /* a pid will be given: programs compare with AT_SYM_PID */
	bool binds_maps; /* programs of other scripts may count in its maps */
	bool event_time; /* every event carries the time when it was sent */
};

struct at_check {
	struct at_arena *arena;
	struct at_diags *diags;
	const struct at_lang *lang;
	const struct at_options *opts;
	struct at_host *host;          /* what providers ask about the kernel; may be a recording */
	struct at_script *script;
	struct at_clause *clause;      /* being checked */
	struct at_attachpt *point;
	AT_VEC(struct at_mapsym *) maps; /* of the script, in order of first use */
	struct at_scope *scope;        /* check.c's */
	unsigned loops;                /* depth, for break and continue */
	AT_VEC(const struct at_type *) structs; /* of the kernel, whose fields were looked up */
	bool changed;                  /* a variable or map changed its type in this round */
	AT_VEC(struct { const struct at_config_key *key; uint64_t num; const char *text;
			struct at_range range; }) config; /* those the script sets */
};

/* Expands (parameters, several points per clause, wildcards) and checks. False when there were errors. */
bool at_check(struct at_check *c);
/* Its first step alone: every clause of the script then has one point, with its provider and
 * args. */
void at_expand(struct at_check *c);
/* Says that a provider's list() failed with err. */
void at_cannot_list(struct at_diags *d, const struct at_provider *p, struct at_range range,
		    int err);

/* For descriptors. */
const struct at_type *at_check_expr(struct at_check *c, struct at_node *e); /* NULL: poisoned */
/* The common type of two values (wider string, common int); NULL: they have none. */
const struct at_type *at_check_unify(struct at_check *c, const struct at_type *a,
				     const struct at_type *b);
/* What a variable, key or map value of that type is kept as: ints of 64 bits. */
const struct at_type *at_check_widen(struct at_check *c, const struct at_type *t);
/* How a call is written, for hints. */
const char *at_check_written(const struct at_func *f);
/* Evaluates a constant expression; false if it is none (nothing reported). */
bool at_fold_int(const struct at_node *e, int64_t *out);
/* The text of a literal string (or a positional parameter); NULL if it is none. */
const char *at_fold_string(const struct at_node *e);
uint64_t at_config_num(const struct at_check *c, const char *key);     /* set or default */
const char *at_config_text(const struct at_check *c, const char *key); /* NULL: not set */

#endif
