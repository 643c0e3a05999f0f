/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring buffer records -> events. A descriptor's event() renders one into the
 * render's sink or carries it out (exit, clear). Sinks are text and JSON; both
 * write through one callback of the embedding program.
 */
#ifndef AT_RUN_EVENT_H
#define AT_RUN_EVENT_H

#include "lib/run/load.h"
#include "lib/run/map.h"

/* Where output goes, and in which form: text or JSON lines. */
struct at_sink {
	const char *name; /* "text", "json" */
	/* `type` is the JSON type ("printf", "time"); text is what the script printed. */
	void (*text)(struct at_render *r, const char *type, const char *s, size_t n);
	void (*value)(struct at_render *r, const struct at_type *t, const void *bytes); /* print(v) */
	void (*map)(struct at_render *r, const struct at_rows *rows, unsigned top, unsigned div);
	/* One counter of the exit report, by name and sentence. */
	void (*counters)(struct at_render *r, const struct at_run *run);
	void (*attached)(struct at_render *r, unsigned nprobes);
	void (*lost)(struct at_render *r, uint64_t events);
};
extern const struct at_sink at_sink_text, at_sink_json;

struct at_render {
	struct at_run *run;
	const struct at_sink *sink;
	void (*write)(void *arg, const char *s, size_t n); /* whole lines where the script wrote whole lines */
	void *arg;
	/* Typed delivery to the embedding program, once per event; may be NULL. text (ended with NUL,
	   len bytes) is NULL where the event printed nothing. */
	void (*on_event)(void *arg, const struct at_plan_event *e, const void *payload,
			 const char *text, size_t len);
	void *on_event_arg;
	const struct at_plan_event *event; /* being handled, not delivered yet; else NULL */
	const void *payload;
	int err;        /* -ENOMEM: something could not be written; at_render_error() takes it */
	bool exiting;   /* exit() was seen */
	int exit_code;
};

/* 0, or -errno of what was not written since it was last asked. */
int at_render_error(struct at_render *r);
/* For sinks: hands the event being handled to on_event, if it has not been. */
void at_render_deliver(struct at_render *r, const char *text, size_t len);

/* The ring: fd for poll; consume returns the number of records or -errno, and leaves some where
   more come than can be handled: the fd stays readable then. */
int at_ring_open(struct at_run *run);
int at_ring_fd(const struct at_run *run);
int at_ring_poll(struct at_run *run, struct at_render *r, int timeout_ms);
int at_ring_consume(struct at_run *run, struct at_render *r);
/* The same until nothing is left, of a run that was detached. 0 or -errno. */
int at_ring_drain(struct at_run *run, struct at_render *r);
void at_ring_close(struct at_run *run);

/* A value as text (rules: language reference 3.5), appended to a growing buffer. */
struct at_buf {
	char *s;
	size_t n, cap;
	bool failed; /* no memory: the rest was dropped */
};
/* The text is always ended with NUL (s is NULL while nothing was put). */
void at_buf_put(struct at_buf *b, const char *s, size_t n);
void at_buf_puts(struct at_buf *b, const char *s);
void at_buf_printf(struct at_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void at_buf_free(struct at_buf *b);
/* Frees a text that went into b; when it was not whole, b is not. */
void at_buf_part_free(struct at_buf *b, struct at_buf *part);
void at_value_text(struct at_buf *b, const struct at_type *t, const void *bytes);
void at_value_json(struct at_buf *b, const struct at_type *t, const void *bytes);
/* A number by its type: sign, and durations with a unit (999ns, 1.23us, 12.3ms, 123s). */
void at_int_text(struct at_buf *b, const struct at_type *t, int64_t v);
void at_duration_text(struct at_buf *b, int64_t ns, bool sign);
/* A point in time (nanoseconds since 1970) by a format: strftime's, and %f for microseconds. */
void at_time_text(struct at_buf *b, const char *fmt, uint64_t ns);
/* A tuple whose elements have names: (a=1, b=2). */
bool at_value_named(const struct at_type *t);
/* Elements of a tuple without its parentheses. */
void at_elems_text(struct at_buf *b, const struct at_type *t, const void *bytes,
		   const char *between);
/* JSON: whole numbers past 2^53 as strings; bytes that are no UTF-8 as U+FFFD each. */
void at_json_int(struct at_buf *b, int64_t v, bool sign);
void at_json_string(struct at_buf *b, const char *s, size_t n);
/* Reads the word of an int-like type. */
int64_t at_value_word(const struct at_type *t, const void *bytes);
/* printf with bpftrace's conversions over a payload (types checked at compile time). */
void at_format(struct at_buf *b, const char *fmt, const struct at_type *args, const void *payload);

#endif
