/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of lowering share among themselves; nobody else includes it. */
#ifndef AT_FRONTEND_LOWER_INT_H
#define AT_FRONTEND_LOWER_INT_H

#include "frontend/lower.h"

enum at_helper { /* enum bpf_func_id */
	AT_H_LOOKUP = 1, AT_H_UPDATE = 2, AT_H_PID_TGID = 14, AT_H_CURRENT_TASK = 35, AT_H_READ_USER = 112, AT_H_READ_KERNEL = 113,
	AT_H_READ_USER_STR = 114, AT_H_READ_KERNEL_STR = 115, AT_H_EACH_ELEM = 164,
	AT_H_RING_RESERVE = 131, AT_H_RING_SUBMIT = 132,
};

/* The whole of a lowering; struct at_lower is its first member. */
struct at_lowering {
	struct at_lower lw;
	unsigned clauses;       /* functions made so far: number in names, entry in the scratch map */
	unsigned scratch_size, scratch_entries;
	int zero_map;           /* a value nobody writes: what new map entries start as; -1: none */
	unsigned zero_size;
	int *map_full, *map_failed; /* by plan map: counters of failed updates, -1: none yet */
	int lost, recursion;    /* counters, -1: none yet */
	int hash_func, redact_func; /* -1: not made yet */
};

static inline struct at_lowering *at_lowering_of(struct at_lower *lw)
{
	return (struct at_lowering *)lw;
}

/* What break and continue mean where a statement stands. */
struct at_loop {
	struct at_loop *up;
	bool unrolled;   /* each copy is a loop of one round; else a loop of the IR */
	bool callback;   /* over a map: the body is a function of its own */
	struct at_ir *left; /* callback: address of a word that is set when the clause is left */
	unsigned done;   /* unrolled: local that ends the copies to come */
};

enum { AT_SLOT_POOL = 8 };

/* Memory and state of the clause being written. */
struct at_frame {
	unsigned scratch_param; /* param that is the scratch address */
	bool scratch_used;
	bool shared;            /* several programs call it: one may interrupt another */
	unsigned used, high;    /* bytes of scratch now and at most */
	struct { struct at_ir *ir; unsigned size; bool taken; } slots[AT_SLOT_POOL];
	unsigned nslots, slot_bytes;
	AT_VEC(struct at_var *) vars; /* with memory, innermost block last */
	struct at_loop *loop;
	bool in_memory;         /* variables live in scratch: bodies of loops over maps reach them */
	bool too_deep;          /* reported */
};

/* ---- lower_frame.c: memory of a clause ---- */

/* Where memory stands; what was taken since is given back at release. */
struct at_mark {
	unsigned used;
	bool taken[AT_SLOT_POOL];
};
struct at_mark at_frame_mark(struct at_lower *lw);
void at_frame_release(struct at_lower *lw, const struct at_mark *m);

/* The variable takes a value (its memory is made the first time). */
void at_frame_assign(struct at_lower *lw, struct at_var *v, struct at_val val);
/* Gives the variable its memory (zeroed unless it is assigned at once); then values for it may be
   computed in memory of the statement. */
void at_frame_declare(struct at_lower *lw, struct at_var *v, bool zero);
/* Of a variable that is no word. */
struct at_ir *at_frame_address(const struct at_var *v);
struct at_val at_frame_read(struct at_lower *lw, const struct at_var *v);
/* Variables made since: the block is over. */
void at_frame_end_block(struct at_lower *lw, size_t vars);

/* ---- lower_stmt.c ---- */

void at_lower_block(struct at_lower *lw, struct at_n_block *b);
/* The block's statements, then its value (expression blocks). */
struct at_val at_lower_block_value(struct at_lower *lw, struct at_n_block *b,
				   const struct at_type *type);
void at_lower_stmt(struct at_lower *lw, struct at_node *n);

/* ---- lower_each.c: loops over maps ---- */

void at_lower_each(struct at_lower *lw, struct at_n_for *s);

/* ---- lower_expr.c ---- */

static inline bool at_lower_low(const struct at_lower *lw)
{
	return at_arena_low(lw->arena) || at_arena_low(lw->plan->code);
}
/* True when the tree may become no deeper: reported, skip it. */
bool at_lower_too_deep(struct at_lower *lw, const struct at_node *e);
/* As at_lower_expr, but a literal string is not written to memory. */
struct at_val at_lower_value(struct at_lower *lw, struct at_node *e);
struct at_ir *at_lower_cond(struct at_lower *lw, struct at_node *e);
/* The word at an address. */
struct at_ir *at_lower_load(struct at_lower *lw, const struct at_type *t, struct at_ir *addr,
			    int64_t off);
struct at_ir *at_lower_arith(struct at_lower *lw, enum at_binop op, const struct at_type *result,
			     const struct at_type *left_type, struct at_ir *l, struct at_ir *r);
/* Equality of bytes: size a multiple of 4. */
struct at_ir *at_lower_memeq(struct at_lower *lw, struct at_ir *a, struct at_ir *b, unsigned size,
			     unsigned align);

/* ---- lower_part.c: fields and elements ---- */

struct at_val at_lower_part(struct at_lower *lw, struct at_val v, const struct at_type_field *f);
struct at_val at_lower_field(struct at_lower *lw, struct at_node *e);
struct at_val at_lower_index(struct at_lower *lw, struct at_node *e);

/* ---- lower_map.c ---- */

struct at_val at_lower_map_read(struct at_lower *lw, struct at_n_map *m);
void at_lower_map_assign(struct at_lower *lw, struct at_n_map *m, struct at_val v);
void at_lower_map_agg(struct at_lower *lw, struct at_n_map *m, struct at_n_call *call);
/* `@m op= v` on ints; returns the value before or after, or NULL. */
enum at_wanted { AT_WANT_NONE, AT_WANT_BEFORE, AT_WANT_AFTER };
struct at_ir *at_lower_map_change(struct at_lower *lw, struct at_n_map *m, enum at_binop op,
				  struct at_ir *by, const struct at_type *result,
				  enum at_wanted wanted);

/* ---- lower_string.c ---- */

/* Text of v at addr + off in `size` bytes, zero-padded; mark: ".." where it was cut. Clear. */
void at_lower_put_text(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
		       struct at_val v, bool mark);
/* The same, redacted when secret: for what leaves the program. */
void at_lower_store_text(struct at_lower *lw, struct at_ir *addr, int64_t off, unsigned size,
			 struct at_val v);
/* The keyed hash of a secret string: its own, or computed from the bytes. */
struct at_ir *at_lower_secret_hash(struct at_lower *lw, struct at_val v);

#endif
