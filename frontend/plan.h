/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: everything between the script and the kernel. It refers to nothing
 * in the AST, can be written to a file and read back, and is all that loading
 * and printing need. Lives in the arena it was made in.
 */
#ifndef AT_FRONTEND_PLAN_H
#define AT_FRONTEND_PLAN_H

#include "frontend/ir.h"
#include "frontend/type.h"

/* ---- Maps ---- */

enum at_map_kind {
	AT_MAP_HASH,
	AT_MAP_PERCPU_HASH,
	AT_MAP_LRU_HASH,
	AT_MAP_LRU_PERCPU_HASH,
	AT_MAP_ARRAY,        /* one entry unless max_entries says more */
	AT_MAP_PERCPU_ARRAY,
	AT_MAP_RINGBUF,      /* max_entries: bytes */
	AT_MAP_SK_STORAGE,
	AT_MAP_PROG_ARRAY,   /* programs to go on with; attaching fills it */
};

struct at_plan_map {
	const char *name;   /* of the script: "@lat", "@"; of the engine: "counters", "http_conn", … */
	const char *kernel_name; /* at most 15 bytes: "AT_lat", "AT_", … */
	bool script;        /* printed at exit, iterated by the API */
	const char *alternative; /* the set of programs that it belongs to; NULL: always there */
	enum at_map_kind kind;
	const struct at_type *key; /* NULL: a scalar (array of one entry, key u32 0) */
	const struct at_type *value; /* AT_T_AGG for aggregations; NULL for the engine's raw memory */
	unsigned key_size, value_size, max_entries;
	struct at_range range; /* first use */
};

/* ---- Symbolic constants ---- */

enum at_sym_kind {
	AT_SYM_CONST,      /* num: known already (tests, bound parameters) */
	AT_SYM_BTF_OFFSET, /* text "struct.field.field": byte offset in kernel BTF */
	AT_SYM_SECRET,     /* num 0, 1: 64 random bits of this run each */
	AT_SYM_PID,        /* the traced process (-p, -c), 0 for all */
	AT_SYM_SELF,       /* our own pid, so that we do not trace ourselves where that matters */
	AT_SYM_NCPUS,
	AT_SYM_WALL,       /* what makes a point of the boot clock nanoseconds since 1970 */
	AT_SYM_START,      /* nsecs (boot clock) when the run began, for elapsed */
	AT_SYM_KCONST,     /* text: "feature name": 1 or 0, from the host (at_host_has) */
};

struct at_plan_sym {
	enum at_sym_kind kind;
	const char *text;
	int64_t num;
};

/* ---- Events: what programs send through the ring ---- */

/* Record in the ring: u32 event number (index in plan.events), u32 0, then the payload. */
enum { AT_EVENT_HEADER = 8 };

struct at_plan_event {
	const char *func;   /* at_func that made it and renders it: "printf", "print", "exit" */
	const struct at_type *args; /* tuple: payload layout, offsets from AT_EVENT_HEADER; may be NULL */
	const char *text;   /* literal of the call: format, time format; may be NULL */
	int map;            /* map it is about, or -1 */
	int64_t nums[4];    /* literal numbers: top, div, … */
	unsigned size;      /* whole record, header included, multiple of 8 */
	unsigned time;      /* offset of the u64 nanoseconds (boot clock) when it was sent; 0: none */
	const char *probe;  /* attach point of the clause that sends it */
	const char *const *names; /* of the args, as the script writes them; NULL, or NULL ones */
	struct at_range range;
};

/* ---- Counters: nothing is lost silently ---- */

/* One u64 per counter in the per-CPU array map "counters" (index plan.counter_map). */
struct at_plan_counter {
	const char *name;  /* stable: "lost", "map_full", "http.seen", "http.cut", … */
	const char *brief; /* sentence with %llu for the exit report: "%llu heads were cut (…)" */
	int map;           /* map it is about (failed updates), or -1 */
	bool happened;     /* what happened, not what was missed: in no exit report */
	const char *alone; /* missed only while the counter of this name has the same number; or NULL */
	const char *line;  /* JSON line of which it is a member, by its name behind the dot; or NULL */
};

/* ---- Programs ---- */

enum at_prog_kind {
	AT_PROG_RAW_TP,      /* BPF_PROG_TYPE_RAW_TRACEPOINT; target NULL: run by BPF_PROG_TEST_RUN */
	AT_PROG_TP_BTF,      /* BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP; target: tracepoint name */
	AT_PROG_TRACEPOINT,  /* BPF_PROG_TYPE_TRACEPOINT; target "category/event" */
	AT_PROG_PERF_EVENT,  /* BPF_PROG_TYPE_PERF_EVENT; nums: see the provider */
	AT_PROG_ITER,        /* BPF_TRACE_ITER; target: iterator name; run once at attach */
};

struct at_plan_prog {
	const char *name;      /* of its entry function */
	enum at_prog_kind kind;
	const char *provider;  /* whose attach() is called: "begin", "tracepoint", "http" */
	const char *probe;     /* as the script writes it, for messages and `probe` */
	const char *target;    /* see kind */
	int64_t nums[4];
	unsigned func;         /* entry in plan.funcs */
	const char *alternative; /* NULL: always. Else the set it belongs to ("socktp", "syscall"): of
				    all sets named in a plan the loader takes the first that loads
				    and attaches */
	const char *needs;     /* what the kernel must have for this set, to tell who has it not */
	bool optional;         /* may fail to load or attach (a better timestamp): said with -v */
	struct at_range range; /* attach point in the script */
};

/* ---- Configuration that survives compilation ---- */

struct at_plan_config {
	unsigned max_map_keys;  /* 4096 */
	unsigned max_strlen;    /* 1024 */
	unsigned ring_bytes;    /* 0: automatic */
	bool print_maps_on_exit;
	unsigned missing_probes; /* enum at_missing */
	const char *license;
	int64_t max_map_memory; /* bytes */
};

struct at_plan {
	struct at_arena *arena;
	struct at_arena *code; /* of the functions alone, most of a plan: may be given back once it is
				  loaded. The same one unless set before they are written */
	const struct at_source *source; /* for line info and diagnostics */
	AT_VEC(struct at_plan_map) maps;
	AT_VEC(struct at_plan_sym) syms;
	AT_VEC(struct at_plan_event) events;
	AT_VEC(struct at_plan_counter) counters;
	AT_VEC(struct at_ir_func *) funcs;
	AT_VEC(struct at_plan_prog) progs;
	struct at_plan_config config;
	int counter_map, ring_map, scratch_map; /* -1: none */
	unsigned nprobes; /* attach points, as "Attached N probes" counts them */
};

/*
 * Each returns the index; names and texts are copied. Same sym asked twice is one sym.
 * A map without kernel_name gets one from its name, max_entries 0 is 1 (ringbuf: as configured).
 */
struct at_plan *at_plan_new(struct at_arena *a, const struct at_source *src);
unsigned at_plan_map(struct at_plan *p, const struct at_plan_map *m);
unsigned at_plan_sym(struct at_plan *p, enum at_sym_kind kind, const char *text, int64_t num);
unsigned at_plan_event(struct at_plan *p, const struct at_plan_event *e);
unsigned at_plan_counter(struct at_plan *p, const char *name, const char *brief, int map);
unsigned at_plan_prog(struct at_plan *p, const struct at_plan_prog *g);
/* The ring buffer and the counters map, made when first asked for. */
unsigned at_plan_ring(struct at_plan *p);
unsigned at_plan_counters(struct at_plan *p);
/* count += by (NULL: 1) of a counter, written at the builder's place; clobbers nothing. */
void at_plan_count(struct at_irb *b, unsigned counter, struct at_ir *by);

/* The whole plan with its core IR as text in the arena: what `-d plan` prints and tests pin. */
char *at_plan_dump(struct at_arena *a, const struct at_plan *p);

#endif
