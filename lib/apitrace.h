/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libapitrace: compiles a bpftrace-compatible language with header probes into
 * BPF at run time, and runs it. This header is the whole public interface.
 *
 * A handle runs scripts. One script: apitrace_compile(), apitrace_load(),
 * apitrace_attach(), in this order. More of them: apitrace_add(), which does
 * all three, and apitrace_remove(), at any time. One fd, one poll and one
 * callback serve all scripts of a handle.
 *
 * Functions return 0 or a positive count, or a negative errno; what went wrong
 * is then a diagnostic of the handle. Pointers that are returned are borrowed:
 * each function says for how long. A handle may be used by one thread at a
 * time; several handles may be used by several threads. From inside a callback
 * a handle may be read, but what would change its scripts is refused: -EBUSY.
 * The library writes nothing to stdout or stderr, installs no signal handlers,
 * and never exits.
 */
#ifndef APITRACE_H
#define APITRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define APITRACE_API __attribute__((visibility("default")))
#define APITRACE_ANONYMOUS __extension__ /* unions without a name, in C99 */
#else
#define APITRACE_API
#define APITRACE_ANONYMOUS
#endif

struct apitrace;        /* a handle */
struct apitrace_script; /* a script of a handle, which owns it */

const char *apitrace_version(void) APITRACE_API;

enum apitrace_format { APITRACE_TEXT, APITRACE_JSON };

/* Set sz to sizeof(struct apitrace_opts); zero is the default of everything. */
struct apitrace_opts {
	size_t sz;
	enum apitrace_format format; /* of what write() gets */
	/* Gets what the scripts print. `s` is not terminated. NULL: dropped. */
	void (*write)(void *arg, const char *s, size_t n);
	/* Gets what a verbose user wants to know, a line a call, without newline. NULL: dropped. */
	void (*log)(void *arg, const char *line);
	void *arg;
	pid_t pid;                   /* trace this process only; 0: all; -1: apitrace_set_pid tells */
	const char *const *params;   /* positional parameters $1..; copied */
	size_t nparams;
	bool unsafe;                 /* allow functions that change the system */
	bool show_secrets;           /* secret header values in clear */
	bool quiet;                  /* write() does not get JSON's line about attached probes */
	const char *plugin;          /* path of the code generator; NULL: where it was installed */
	bool event_time;             /* events carry the time when they happened */
};

/* NULL and errno. opts may be NULL; it is copied. */
struct apitrace *apitrace_new(const struct apitrace_opts *opts) APITRACE_API;
/* Stops what runs and releases everything, scripts too. NULL is fine. */
void apitrace_free(struct apitrace *h) APITRACE_API;

/* ---- One script, in steps ---- */

/* name is for diagnostics; text is copied. -EINVAL: the script has mistakes (see diagnostics). */
int apitrace_compile(struct apitrace *h, const char *name, const char *text, size_t len)
	APITRACE_API;
int apitrace_load(struct apitrace *h) APITRACE_API;   /* -EPERM: privilege; -ENOTSUP: kernel */
int apitrace_attach(struct apitrace *h) APITRACE_API; /* runs `begin`; probes are live on return */
/* The process to trace when it was not known before (opts.pid -1); before apitrace_load(). */
int apitrace_set_pid(struct apitrace *h, pid_t pid) APITRACE_API;

/* ---- Scripts that come and go ---- */

/* A map that goes on: the new script uses one of a running script instead of a map of its own. */
struct apitrace_bind {
	const char *map;              /* of the new script, "@x"; NULL: each that `from` has, too */
	struct apitrace_script *from; /* of the same handle, by apitrace_add() */
	const char *as;               /* its name there; NULL: the same */
};

/* Set sz to sizeof(struct apitrace_script_opts). */
struct apitrace_script_opts {
	size_t sz;
	const char *const *params; /* NULL: those of the handle; copied */
	size_t nparams;
	const struct apitrace_bind *binds; /* types of key and value must agree */
	size_t nbinds;
};

/*
 * Compiles, loads and attaches one more script; *out is it, until it is removed. Other scripts run
 * on, whatever happens. On failure *out is NULL and nothing is left but diagnostics; errors as of
 * the three steps. opts may be NULL.
 */
int apitrace_add(struct apitrace *h, const char *name, const char *text, size_t len,
		 const struct apitrace_script_opts *opts, struct apitrace_script **out)
	APITRACE_API;
/* Stops the script (see apitrace_script_stop) and releases it; the others run on. NULL is fine. */
int apitrace_remove(struct apitrace_script *s) APITRACE_API;
/* The scripts of the handle, oldest first; that of apitrace_compile() is one. NULL past the end. */
struct apitrace_script *apitrace_script_at(const struct apitrace *h, unsigned index) APITRACE_API;
const char *apitrace_script_name(const struct apitrace_script *s) APITRACE_API;
/* The script called exit(), was stopped, or has nothing left to wait for; code may be NULL. */
bool apitrace_script_exiting(const struct apitrace_script *s, int *code) APITRACE_API;
/* Detaches, runs `end`, handles the last events. Maps can still be read. 0 when it was stopped. */
int apitrace_script_stop(struct apitrace_script *s) APITRACE_API;
/* Writes the script's part of apitrace_report(). */
int apitrace_script_report(struct apitrace_script *s) APITRACE_API;

/* ---- While they run ---- */

/* For any event loop: readable when there is something to consume. The same for the whole life. */
int apitrace_fd(const struct apitrace *h) APITRACE_API;
/*
 * Waits at most timeout_ms (-1: for ever) and handles what is there. Number of events, or -errno.
 * A script that called exit() is stopped; the others run on.
 */
int apitrace_poll(struct apitrace *h, int timeout_ms) APITRACE_API;
int apitrace_consume(struct apitrace *h) APITRACE_API; /* without waiting */
/* All scripts are exiting, and there is one; code of the first that called exit(). */
bool apitrace_exiting(const struct apitrace *h, int *code) APITRACE_API;
/* Stops all scripts. */
int apitrace_stop(struct apitrace *h) APITRACE_API;
/* Writes what the command writes at exit, script by script: maps (unless one forbids) and what was
   missed. */
int apitrace_report(struct apitrace *h) APITRACE_API;

/* ---- Typed values ---- */

enum apitrace_kind {
	APITRACE_NONE,
	APITRACE_BOOL,      /* b */
	APITRACE_INT,       /* i */
	APITRACE_UINT,      /* u */
	APITRACE_STRING,    /* s, n */
	APITRACE_TUPLE,     /* items, n */
	APITRACE_BYTES,     /* s, n */
	APITRACE_QUANTILES, /* items with names, n: count, min, p50 to max */
	APITRACE_TABLE,     /* items with names, n */
	APITRACE_HISTOGRAM, /* buckets, n */
	APITRACE_SHARE      /* share */
};

struct apitrace_bucket {
	int64_t min, max; /* inclusive; INT64_MIN and INT64_MAX where open */
	uint64_t count;
};

struct apitrace_share {
	uint64_t hits, total;
};

struct apitrace_value {
	enum apitrace_kind kind;
	const char *name; /* of an item, or of an argument as the script writes it; else NULL */
	const char *unit; /* "ns", or NULL */
	size_t n;
	APITRACE_ANONYMOUS union {
		bool b;
		int64_t i;
		uint64_t u;
		const char *s; /* a NUL follows */
		const struct apitrace_value *items;
		const struct apitrace_bucket *buckets;
		struct apitrace_share share;
	};
};

/* A map of a script. What it points to lives as long as the script. */
struct apitrace_map {
	const char *name;                   /* "@lat" */
	const char *key_type, *value_type;  /* as the language writes them; key_type NULL: no key */
	/* What entries look like: kinds, names and units, without contents. key NULL: no key. */
	const struct apitrace_value *key, *value;
	unsigned max_entries;
};

/* The maps of a script in the order of their first use; -ENOENT past the end. */
int apitrace_map_get(const struct apitrace_script *s, unsigned index, struct apitrace_map *out)
	APITRACE_API;
/*
 * Calls each() for every entry of a map ("@lat"), merged over CPUs, ordered as printed; key is NULL
 * for a map without keys. What it gets lives as long as the call. Stops when each() returns not 0,
 * and returns that. -ENOENT: no such map.
 */
int apitrace_map_foreach(struct apitrace_script *s, const char *map,
			 int (*each)(void *arg, const struct apitrace_value *key,
				     const struct apitrace_value *value),
			 void *arg) APITRACE_API;

/* An event of a script as it happened. Lives as long as the call. */
struct apitrace_event {
	struct apitrace_script *script;
	const char *probe;   /* "http:response", as apitrace_probe_name() has it; NULL: not known */
	const char *func;    /* what made it: "printf" */
	const struct apitrace_value *args; /* named as the script writes them */
	size_t nargs;
	const char *format;  /* printf's, or NULL */
	const char *map;     /* the map it is about ("@x"), or NULL */
	const char *text;    /* what the script printed, or NULL */
	size_t len;
	uint64_t time_ns;    /* CLOCK_BOOTTIME when it happened, with opts.event_time; else 0 */
};
/* Called from apitrace_poll, apitrace_consume and what stops scripts, before write(). NULL takes
   it away. */
int apitrace_on_event(struct apitrace *h, void (*fn)(void *arg, const struct apitrace_event *e),
		      void *arg) APITRACE_API;

/* What was missed, counted since attach: name ("http.cut"), a sentence, the number. */
struct apitrace_counter {
	const char *name, *text;
	uint64_t value;
};
/* -ENOENT past the end. */
int apitrace_counter_get(const struct apitrace_script *s, unsigned index,
			 struct apitrace_counter *out) APITRACE_API;

/* ---- Diagnostics ---- */

enum apitrace_severity { APITRACE_ERROR, APITRACE_WARNING, APITRACE_NOTE };

struct apitrace_diag {
	const char *tag; /* stable: "unknown-field" */
	enum apitrace_severity severity;
	const char *file; /* NULL: about no script */
	unsigned line, column, end_line, end_column; /* from 1; 0 where there is no place */
	const char *text, *hint;   /* hint may be NULL */
	const char *rendered;      /* with the source line underlined, as the command prints it */
};

/* Since the last apitrace_compile() or apitrace_add(), which begin anew; so long texts live. */
size_t apitrace_diag_count(const struct apitrace *h) APITRACE_API;
/* -ENOENT past the end. */
int apitrace_diag_get(const struct apitrace *h, size_t index, struct apitrace_diag *out)
	APITRACE_API;

/* ---- Looking inside ---- */

/*
 * A stage of apitrace_compile(): "tokens", "ast", "types", "plan", "ir" (LLVM IR) as text, "elf"
 * (the BPF object file). Owned by the caller: free(). A NUL follows the *len bytes; len may be
 * NULL. -ENODATA: a mistake ended the compilation before that stage.
 */
int apitrace_dump(struct apitrace *h, const char *stage, char **out, size_t *len) APITRACE_API;
/*
 * Probes of this machine that match a search, one a call: "tracepoint:sched:*", "*sleep*";
 * NULL: all. Stops when each() returns not 0, and returns that; a negative errno and a
 * diagnostic when some could not be looked up (the others were listed).
 */
int apitrace_list(struct apitrace *h, const char *search,
		  int (*each)(void *arg, const char *name), void *arg) APITRACE_API;
/*
 * What this machine offers: kernel, build, privileges, features, types of probes. When the handle
 * has a compiled script, also its programs, its maps with the bytes they may take, and its counters.
 * One value a call ("yes", "no", a text), by section. Stops when each() returns not 0.
 */
int apitrace_info(struct apitrace *h,
		  int (*each)(void *arg, const char *section, const char *name, const char *value),
		  void *arg) APITRACE_API;
/* The fields of a probe's args, one a call: type and name. */
int apitrace_list_args(struct apitrace *h, const char *probe,
		       int (*each)(void *arg, const char *type, const char *name),
		       void *arg) APITRACE_API;
/* Attach points of all scripts of the handle, wildcards expanded: their number, their names in
   order (NULL past the end; each lives as long as its script). */
unsigned apitrace_probes(const struct apitrace *h) APITRACE_API;
const char *apitrace_probe_name(const struct apitrace *h, unsigned index) APITRACE_API;

#ifdef __cplusplus
}
#endif

#endif
