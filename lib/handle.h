/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handle and its scripts, for the files that define apitrace_*: api.c (the handle and the
 * script in steps), script.c (scripts that come and go), values.c (maps, events, counters),
 * diags.c.
 */
#ifndef AT_HANDLE_H
#define AT_HANDLE_H

#include "lib/apitrace.h"
#include "lib/run/event.h"
#include "lib/session.h"

enum at_state { AT_NEW, AT_COMPILED, AT_LOADED, AT_ATTACHED, AT_STOPPED };

struct apitrace_script {
	struct apitrace *h;
	struct apitrace_script *next; /* in the order in which they were added */
	struct at_arena *arena;
	struct at_session session;
	struct at_run run;
	struct at_render render;
	enum at_state state;
	struct apitrace_map *maps; /* of the script, typed */
	size_t nmaps;
	size_t told; /* diagnostics of the session that the handle has */
};

struct apitrace {
	struct apitrace_opts opts;
	struct at_arena
		*arena; /* options; what a call needs for itself, given back at its end */
	struct at_host *host;
	struct apitrace_script *scripts, *main; /* main: that of apitrace_compile() */
	struct apitrace_diag *diags;            /* each with its texts in one piece of memory */
	size_t ndiags;
	bool untold;   /* there was no memory for one */
	int epoll;          /* the rings of all scripts */
	uint64_t secret[2]; /* one for all scripts: what they hash may meet in a map */
	unsigned busy;      /* calls in whose callbacks the program may be */
	bool freed;         /* in a callback: at the end of that call */
	void (*on_event)(void *arg, const struct apitrace_event *e);
	void *on_event_arg;
};

/* ---- api.c ---- */

/* Around what changes scripts. -EBUSY and a diagnostic within a callback. */
int at_enter(struct apitrace *h, const char *call);
/* Gives `result`; the handle may be gone then. */
int at_leave(struct apitrace *h, int result);
/* -EINVAL and a diagnostic when a call comes out of its order. */
int at_need(struct apitrace *h, bool in_order, const char *call, const char *after);
/* Copies an array of strings. -E2BIG: it is unreasonable. */
int at_copy_params(struct at_arena *a, const char *const *params, size_t n,
		   const char *const **out);

/* ---- script.c ---- */

/* One at the end of the list, not compiled; NULL and errno. opts NULL: that of the steps. */
struct apitrace_script *at_script_new(struct apitrace *h,
				      const struct apitrace_script_opts *opts);
int at_script_compile(struct apitrace_script *s, const char *name, const char *text,
		      size_t len);
int at_script_load(struct apitrace_script *s);
int at_script_attach(struct apitrace_script *s);
/* Its attach points, without those that were left out. */
unsigned at_script_probes(const struct apitrace_script *s);
/* Of an attached one; 0 or -errno of the last events. */
int at_script_stop(struct apitrace_script *s);
int at_script_report(struct apitrace_script *s);
/* Out of the list, with all that it holds. */
void at_script_free(struct apitrace_script *s);

/* bind.c: 0, or -EINVAL after a diagnostic. After compiling, before loading. */
int at_script_bind(struct apitrace_script *s, const struct apitrace_bind *binds, size_t n);

/* ---- values.c ---- */

/* Index in the plan of a map of the script; -ENOENT. */
int at_script_map(const struct apitrace_script *s, const char *name);
/* The descriptions of its maps; lives in the script's arena. */
void at_script_describe(struct apitrace_script *s);
/* render.on_event of a script */
void at_script_deliver(void *arg, const struct at_plan_event *e, const void *payload,
		       const char *text, size_t len);

/* ---- diags.c ---- */

void at_diags_clear(struct apitrace *h);
/* Those that `d` has after *told; `src` may be NULL. */
void at_diags_take(struct apitrace *h, const struct at_diags *d, size_t *told);

#endif
