/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contracts: a function, an aggregation, a provider. Each descriptor
 * carries its feature through every stage and stands in one file in
 * lib/builtin, lib/probe or lib/http; lib/lang.c lists them in const tables,
 * which are passed in (tests pass their own). Nothing is registered at run time.
 */
#ifndef AT_FRONTEND_LANG_H
#define AT_FRONTEND_LANG_H

#include "frontend/ast.h"
#include "frontend/plan.h"

struct at_check;
struct at_lower;
struct at_val;
struct at_render;
struct at_view;
struct at_run;
struct at_host;

/* ---- Functions and builtin variables ---- */

enum {
	AT_F_VAR = 1 << 0,     /* written without parentheses: pid, comm */
	AT_F_AGG = 1 << 1,     /* whole right-hand side of an assignment to a map */
	AT_F_ASYNC = 1 << 2,   /* sends an event; event() is required */
	AT_F_UNSAFE = 1 << 3,
	AT_F_HTTP = 1 << 4,    /* only in http probes */
};

struct at_func {
	const char *name;
	/* "RESULT name(TYPE arg, TYPE arg?, ...)". Types: int, uint64, …, bool, ns, string, word, any,
	   map (an @map named, not read), lit-int, lit-string (literals). '?' optional, "..." any more.
	   Generic checks (count, kinds, literals) are made from it before check() is asked.
	   "key" after a map: a key of that map. The call is brought into one form: the key becomes the
	   map node's own (delete(@m, k) is delete(@m[k])) and leaves call->args. "any" takes an @map as
	   "map" does: named, not read (its node's type is the value's; at_type_none while not known). */
	const char *proto;
	unsigned flags;
	const char *brief; /* a line for -l and the manual */
	const char *needs; /* what the kernel must have, or NULL */

	/* Type of the call; NULL after reporting. May be NULL when proto's result says it all. */
	const struct at_type *(*check)(struct at_check *c, struct at_n_call *call);
	/* Builtin variables get a call without args. */
	struct at_val (*lower)(struct at_lower *lw, struct at_n_call *call);
	/* Renders or carries out an event it made; see lib/run/event.h. 0 or -errno. */
	int (*event)(struct at_render *r, const struct at_plan_event *e, const void *payload);
	const struct at_agg *agg; /* AT_F_AGG */
};

/* What an aggregation keeps. A value is `words` u64 words; per CPU without a key and up to 64
   bytes, else shared. */
struct at_agg {
	/* Type kept for this call (AT_T_AGG with size, elem, args); reports and returns NULL on misuse. */
	const struct at_type *(*type)(struct at_check *c, struct at_n_call *call);
	/* Adds the call's argument to the value at address v (zeroed when new). shared: use atomics
	   (the value is that of all CPUs, or one program may interrupt another on its CPU). */
	void (*update)(struct at_lower *lw, struct at_n_call *call, const struct at_type *t,
		       struct at_ir *v, bool shared);
	/* Into dst (zeroed before the first), once per CPU. */
	void (*merge)(const struct at_type *t, uint64_t *dst, const uint64_t *src);
	/* Fills a view; what it points to may live in v or in the render's arena. */
	void (*view)(const struct at_type *t, const uint64_t *v, struct at_view *out);
	/* Readable as an integer in expressions (count sum min max avg): word of one CPU's value into
	   the sum; NULL: not readable. Lowering loops over CPUs. */
	const struct at_type *(*read_type)(const struct at_type *t);
	struct at_ir *(*read)(struct at_lower *lw, const struct at_type *t, unsigned plan_map,
			      struct at_ir *key);
};

/* ---- Probe providers ---- */

struct at_clause_use { /* one clause at one attach point, checked */
	struct at_clause *clause;
	struct at_attachpt *point;
};

struct at_provider {
	const char *name, *alias; /* alias may be NULL */
	const char *syntax, *brief, *needs;
	const char *feature; /* what the host must have (at_host_has) for --info to say yes; may be NULL */
	bool numbered; /* the fields of args are arg0, arg1, … too */

	/* Judges parts, sets point->data; 0, or -1 after reporting. */
	int (*parse)(struct at_check *c, struct at_attachpt *point);
	/* Type of `args` at this point, or NULL: no args (check reports their use). */
	const struct at_type *(*args)(struct at_check *c, struct at_attachpt *point);
	/* Hint for a field that `args` does not have here: what has it; NULL: nothing. May be NULL. */
	const char *(*lacks)(struct at_check *c, struct at_attachpt *point, const char *name);
	/* args.NAME. */
	struct at_val (*field)(struct at_lower *lw, const struct at_type_field *f);
	/* Overrides a builtin variable (pid, comm from connection state); false: not mine. */
	bool (*builtin)(struct at_lower *lw, const struct at_func *f, struct at_val *out);
	/* All uses of the provider at once, in script order -> functions, programs. 0, or -1 after reporting. */
	int (*plan)(struct at_lower *lw, struct at_clause_use *uses, size_t n);
	/* Attaches one loaded program; links go to the run (lib/run/load.h). 0 or -errno after reporting. */
	int (*attach)(struct at_run *run, const struct at_plan_prog *g, int fd);
	/* Hint where attach() failed with err without a word; NULL: none. May be NULL. */
	const char *(*why)(struct at_run *run, const struct at_plan_prog *g, int err);
	/* Whole names that match "NAME:PARTS" (or all: "NAME") through the callback, until it
	   gives not 0. 0 or more; -errno when they cannot be looked up. May be NULL. */
	int (*list)(struct at_host *host, const char *glob,
		    int (*each)(const char *name, void *arg), void *arg);
};

/* ---- Configuration keys ---- */

enum at_missing { AT_MISSING_ERROR, AT_MISSING_WARN, AT_MISSING_IGNORE }; /* missing_probes */

struct at_config_key {
	const char *name;
	enum { AT_CONFIG_UINT, AT_CONFIG_BOOL, AT_CONFIG_STRING, AT_CONFIG_WORD } kind;
	uint64_t min, max, def;
	const char *brief;
	const char *const *words; /* of a WORD, ended by NULL: its number is their index */
};

struct at_lang {
	const struct at_provider *const *providers; /* NULL-terminated, like the others */
	const struct at_func *const *funcs;
	const struct at_config_key *config; /* ends with a NULL name */
	/* The fields of a far struct that has a name or a number; NULL: not known. May be NULL. */
	const struct at_type *(*kernel_struct)(struct at_check *c, const struct at_type *t);
};

const struct at_func *at_lang_func(const struct at_lang *l, const char *name);
/* Any case, by name or alias. */
const struct at_provider *at_lang_provider(const struct at_lang *l, const char *name);

extern const struct at_lang at_lang; /* lib/lang.c: the real one */

#endif
