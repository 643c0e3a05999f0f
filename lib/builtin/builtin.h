/* SPDX-License-Identifier: Apache-2.0 */
/* The functions, variables and aggregations of this room, for lib/lang.c, and what they share.
 */
#ifndef AT_BUILTIN_BUILTIN_H
#define AT_BUILTIN_BUILTIN_H

#include "frontend/lower.h"

extern const struct at_func at_var_pid, at_var_tid, at_var_uid, at_var_gid, at_var_comm,
	at_var_cpu, at_var_cgroup, at_var_rand, at_var_ncpus, at_var_nsecs, at_var_elapsed,
	at_var_probe, at_var_curtask;
extern const struct at_func at_func_printf, at_func_print, at_func_clear, at_func_zero,
	at_func_delete, at_func_has_key, at_func_time, at_func_exit, at_func_str, at_func_len,
	at_func_strlen, at_func_starts_with, at_func_strftime;
extern const struct at_func at_func_count, at_func_sum, at_func_min, at_func_max, at_func_avg,
	at_func_stats, at_func_hist, at_func_lhist, at_func_quantile, at_func_ratio;

enum { AT_VARS_ARG = 10 };
extern const struct at_func at_vars_arg[AT_VARS_ARG];

/* ---- event.c: events of the functions that send one ---- */

/* Type of an event's payload: the arguments from `first` on. */
const struct at_type *at_event_args(struct at_lower *lw, const struct at_n_call *call,
				    size_t first);
/* Their names: what the script writes for them. */
const char *const *at_event_names(struct at_lower *lw, const struct at_n_call *call,
				  size_t first);
/* Sends event `e` (func, range and size are filled in) with those arguments stored in it. */
void at_event_send(struct at_lower *lw, struct at_n_call *call, struct at_plan_event *e,
		   size_t first);
/* The same with `n` values that are no arguments, laid out as e->args. */
void at_event_send_values(struct at_lower *lw, struct at_n_call *call, struct at_plan_event *e,
			  const struct at_val *v, size_t n);
/* Can a value of this type be sent and shown? False after reporting at its range. */
bool at_event_shows(struct at_check *c, const struct at_node *arg);
/* Index of a function that is made once per plan; -1: not yet. */
int at_find_func(const struct at_plan *p, const char *name);
/* The map an argument names. */
static inline struct at_n_map *at_arg_map(const struct at_n_call *call, size_t i)
{
	return (struct at_n_map *)call->args.v[i];
}

/* strftime.c: is the literal a format of times? False after reporting. */
bool at_check_time_format(struct at_check *c, const struct at_node *arg);

/* Hands a text that an event made to the sink, if it is whole, and frees it. 0 or -ENOMEM. */
struct at_buf;
int at_event_text(struct at_render *r, const char *type, struct at_buf *b);

/* ---- agg.c: what aggregations have in common ---- */

/* AGG type of a call: `words` u64 words over values of type `elem` (may be NULL). */
struct at_type *at_agg_type(struct at_check *c, struct at_n_call *call, unsigned words,
			    const struct at_type *elem);
/* Type of the call's first argument as it is kept. */
const struct at_type *at_agg_elem(struct at_check *c, const struct at_n_call *call);
/* v[word] += by. */
void at_agg_add(struct at_irb *b, struct at_ir *v, unsigned word, struct at_ir *by,
		bool shared);
/* v[word] = the larger of it and `by`, unsigned. */
void at_agg_raise(struct at_lower *lw, struct at_ir *v, unsigned word, struct at_ir *by,
		  bool shared);
/* merge() of plain counters: all words added. */
void at_agg_merge_sums(const struct at_type *t, uint64_t *dst, const uint64_t *src);
/* Writes a loop over the values of all CPUs under a key: v is one of them in between. */
struct at_agg_loop {
	struct at_ir *v;
	unsigned cpu;
};
struct at_agg_loop at_agg_each_cpu(struct at_lower *lw, unsigned plan_map, struct at_ir *key);
void at_agg_end_cpu(struct at_lower *lw, const struct at_agg_loop *l);

/* Fills the view of one number, which is also what rows are ordered by. */
void at_agg_number(struct at_view *out, const struct at_type *type, int64_t number);

/*
 * buckets.c: log-linear buckets of u64 numbers. Each power of two is cut into
 * 2^bits buckets; numbers below 2^bits have a bucket of their own.
 */
static inline unsigned at_buckets(unsigned bits)
{
	return (65 - bits) << bits;
}
unsigned at_bucket_of(uint64_t v, unsigned bits);
void at_bucket_bounds(unsigned index, unsigned bits, uint64_t *min, uint64_t *max);
/* The same in IR: index of a word's bucket, of which the verifier knows that it is one. */
struct at_ir *at_bucket_lower(struct at_lower *lw, struct at_ir *v, unsigned bits);

#endif
