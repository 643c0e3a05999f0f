/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libapitrace: compiles a bpftrace-compatible language with header probes into
 * BPF at run time, and runs it. This header is the whole public interface.
 *
 * A handle is made, given a script, loaded, attached, polled, stopped, freed,
 * in this order; a call out of order is -EINVAL with a diagnostic. Compiling
 * needs no privilege; loading and attaching do.
 *
 * Functions return 0 or a positive count, or a negative errno; what went wrong
 * is then a diagnostic of the handle. Pointers that are returned are borrowed:
 * they live as long as the handle, or until the next call of the same function.
 * A handle may be used by one thread at a time; several handles may be used by
 * several threads. The library writes nothing to stdout or stderr, installs no
 * signal handlers, and never exits.
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
#else
#define APITRACE_API
#endif

struct apitrace; /* a handle */

const char *apitrace_version(void) APITRACE_API;

enum apitrace_format { APITRACE_TEXT, APITRACE_JSON };

/* Set sz to sizeof(struct apitrace_opts); zero is the default of everything. */
struct apitrace_opts {
	size_t sz;
	enum apitrace_format format; /* of what write() gets */
	/* Gets what the script prints. `s` is not terminated. NULL: dropped. */
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
};

/* NULL and errno. opts may be NULL; it is copied. */
struct apitrace *apitrace_new(const struct apitrace_opts *opts) APITRACE_API;
/* Stops what runs and releases everything. NULL is fine. */
void apitrace_free(struct apitrace *h) APITRACE_API;

/* ---- From text to running ---- */

/* name is for diagnostics; text is copied. -EINVAL: the script has mistakes (see diagnostics). */
int apitrace_compile(struct apitrace *h, const char *name, const char *text, size_t len)
	APITRACE_API;
int apitrace_load(struct apitrace *h) APITRACE_API;   /* -EPERM: privilege; -ENOTSUP: kernel */
int apitrace_attach(struct apitrace *h) APITRACE_API; /* runs `begin`; probes are live on return */
unsigned apitrace_probes(const struct apitrace *h) APITRACE_API; /* attach points of the script */
/* The process to trace when it was not known before (opts.pid -1); before apitrace_load(). */
int apitrace_set_pid(struct apitrace *h, pid_t pid) APITRACE_API;

/* ---- While it runs ---- */

/* For any event loop: readable when there is something to consume. */
int apitrace_fd(const struct apitrace *h) APITRACE_API;
/* Waits at most timeout_ms (-1: for ever) and handles what is there. Number of events, or -errno. */
int apitrace_poll(struct apitrace *h, int timeout_ms) APITRACE_API;
int apitrace_consume(struct apitrace *h) APITRACE_API;
/* The script called exit(), or has nothing left to wait for; code may be NULL. */
bool apitrace_exiting(const struct apitrace *h, int *code) APITRACE_API;
/* Detaches, runs `end`, handles the last events. Maps can still be read. */
int apitrace_stop(struct apitrace *h) APITRACE_API;
/* Writes what the command writes at exit: maps (unless the script forbids) and what was missed. */
int apitrace_report(struct apitrace *h) APITRACE_API;

/* ---- Typed values ---- */

enum apitrace_kind {
	APITRACE_NONE,
	APITRACE_BOOL,
	APITRACE_INT,       /* i */
	APITRACE_UINT,      /* u */
	APITRACE_STRING,    /* s, n */
	APITRACE_TUPLE,     /* items, n */
	APITRACE_BYTES,     /* s, n */
	APITRACE_QUANTILES, /* items with names: count, min, p50 … max */
	APITRACE_TABLE,     /* items with names */
	APITRACE_HISTOGRAM, /* buckets, n */
	APITRACE_SHARE,     /* share */
};

struct apitrace_bucket {
	int64_t min, max; /* inclusive; INT64_MIN and INT64_MAX where open */
	uint64_t count;
};

struct apitrace_value {
	enum apitrace_kind kind;
	const char *name; /* of an item or field, else NULL */
	const char *unit; /* "ns", or NULL */
	size_t n;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		const char *s;
		const struct apitrace_value *items;
		const struct apitrace_bucket *buckets;
		struct {
			uint64_t hits, total;
		} share;
	};
};

/* Names of the script's maps, in order of first use; NULL past the end. */
const char *apitrace_map_name(const struct apitrace *h, unsigned index) APITRACE_API;
/*
 * Calls each() for every entry of a map ("@lat"), merged over CPUs, ordered as
 * printed; key is NULL for a map without keys. Stops when each() returns not 0,
 * and returns that. -ENOENT: no such map.
 */
int apitrace_map_foreach(struct apitrace *h, const char *map,
			 int (*each)(void *arg, const struct apitrace_value *key,
				     const struct apitrace_value *value),
			 void *arg) APITRACE_API;

/* An event of the script as it happened: what made it ("printf"), its arguments, and the text. */
struct apitrace_event {
	const char *func;
	const struct apitrace_value *args;
	size_t nargs;
	const char *text; /* what the script printed, or NULL */
	size_t len;
};
/* Called from apitrace_poll and apitrace_consume, before write(). NULL takes it away. */
int apitrace_on_event(struct apitrace *h, void (*fn)(void *arg, const struct apitrace_event *e),
		      void *arg) APITRACE_API;

/* What was missed, counted since attach: name ("http.cut"), a sentence, the number; false past the end. */
struct apitrace_counter {
	const char *name, *text;
	uint64_t value;
};
bool apitrace_counter(struct apitrace *h, unsigned index, struct apitrace_counter *out)
	APITRACE_API;

/* ---- Diagnostics ---- */

enum apitrace_severity { APITRACE_ERROR, APITRACE_WARNING, APITRACE_NOTE };

struct apitrace_diag {
	const char *tag; /* stable: "unknown-field" */
	enum apitrace_severity severity;
	const char *file;
	unsigned line, column, end_line, end_column; /* from 1; 0 where there is no place */
	const char *text, *hint;   /* hint may be NULL */
	const char *rendered;      /* with the source line underlined, as the command prints it */
};

size_t apitrace_diag_count(const struct apitrace *h) APITRACE_API;
/* -ENOENT past the end. */
int apitrace_diag_get(struct apitrace *h, size_t index, struct apitrace_diag *out) APITRACE_API;

/* ---- Looking inside ---- */

/*
 * A stage of the compilation: "tokens", "ast", "types", "plan", "ir" (LLVM IR) as text, "elf"
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
/* Attach points of the script, wildcards expanded, in its order; NULL past the end. */
const char *apitrace_probe_name(const struct apitrace *h, unsigned index) APITRACE_API;

#ifdef __cplusplus
}
#endif

#endif
