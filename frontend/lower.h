/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lowering: checked AST -> plan. frontend/lower.c walks clauses and
 * expressions; functions and providers are asked through their descriptors
 * and write core IR with lw->b.
 *
 * A lowered value is a word (ints, bools, enums, pointers) or the address of
 * bytes laid out as type.h says. A string value that is a counted text of its
 * own (a header captured in the connection) has `len`, its bytes then need no
 * zero padding; at_lower_text() brings it into the padded form.
 */
#ifndef AT_FRONTEND_LOWER_H
#define AT_FRONTEND_LOWER_H

#include "frontend/check.h"
#include "frontend/ir.h"

struct at_val {
	const struct at_type *type;
	struct at_ir *ir; /* word, or address; an expression that may be used more than once */
	bool far;             /* inside lower_part.c: an address that only helpers can read */
	unsigned char bits, shift; /* there, too: of a bit field, else 0 */
	/* Strings only: */
	struct at_ir *len;    /* number of bytes present (<= cap), no padding needed; NULL: padded */
	unsigned cap;         /* with len: most bytes that can be present at ir */
	struct at_ir *full;   /* with len: length before it was cut; NULL: never cut */
	struct at_ir *secret; /* word: not 0 when the text is secret; NULL: never. Types of such strings
				 are at least 32 bytes wide: what is shown instead takes 26 */
	struct at_ir *hash;   /* with secret: its keyed 64-bit hash; NULL: computed from the bytes */
	struct at_ir *whole;  /* with full: hash of the whole text, made if *want_whole is set */
	bool *want_whole;
	const char *literal;  /* a literal string: its text (which is at ir, too) */
};

struct at_lower {
	struct at_arena *arena;
	struct at_diags *diags;
	const struct at_lang *lang;
	const struct at_options *opts;
	struct at_check *check;
	struct at_plan *plan;
	struct at_irb *b;           /* function being written */
	struct at_clause *clause;
	struct at_attachpt *point;
	struct at_ir *ctx;          /* program context, or NULL where there is none */
	void *env;                  /* the provider's, between its plan() and its field() */
	bool one_program;           /* set by a provider around at_lower_clause(): one program calls the
				       clauses, so that nothing interrupts them on their CPU */
	bool by_itself;             /* set by a provider around at_lower_clause(): all params are addresses,
				       the function is verified once and not wherever it is called. The
				       provider then says how many bytes each has: at_ir_func.mem */
	struct at_frame *frame;     /* lower.c's: scratch memory of the clause */
};

/*
 * Lowers a clause into a new AT_FN_SUB function with `nparams` params and
 * returns its index. The provider's field() and builtin() are called while it
 * is written; `env` is what they find in lw->env, params are ir_param(lw->b, i).
 * The predicate and the body are in it. With `ctx` >= 0 that param is lw->ctx.
 * Names are made of the provider and a number.
 */
unsigned at_lower_clause(struct at_lower *lw, const struct at_clause_use *use, unsigned nparams,
			 int ctx, void *env);
/* The usual program: entry function that applies the pid filter (when asked) and calls the clause. */
unsigned at_lower_prog(struct at_lower *lw, const struct at_clause_use *use, bool pid_filter);

struct at_val at_lower_expr(struct at_lower *lw, struct at_node *e);
/* The word of an int, bool, enum or pointer, extended to 64 bits by its type's sign. */
struct at_ir *at_lower_word(struct at_lower *lw, struct at_node *e);
/* A word cut and extended to the type of a word. */
struct at_ir *at_lower_fit(struct at_lower *lw, const struct at_type *to, const struct at_type *from,
			   struct at_ir *word);
/* Writes a value of type `as` at addr + off: casts ints, pads and cuts strings (".."), redacts
   secrets ("redacted:" and 16 hex digits) since this is how values leave the program. */
void at_lower_store(struct at_lower *lw, const struct at_type *as, struct at_ir *addr, int64_t off,
		    struct at_val v);
/* Zero-padded copy in scratch, clear: for comparing and hashing, never for output. */
struct at_val at_lower_text(struct at_lower *lw, struct at_val v, unsigned size);
/* Scratch memory of this clause (per-CPU map value), zeroed or not known; its address. */
struct at_ir *at_lower_scratch(struct at_lower *lw, unsigned size);
/* Memory for one statement: a stack slot when small, else scratch; not zeroed. Its address. */
struct at_ir *at_lower_temp(struct at_lower *lw, unsigned size);
/* Address of the key of a map access (u32 0 for a scalar), and its value: NULL (0) if there is none;
   with `make` a zero value is put there first, and a map that is full is counted. */
struct at_ir *at_lower_key(struct at_lower *lw, struct at_n_map *m);
struct at_ir *at_lower_lookup(struct at_lower *lw, struct at_n_map *m, struct at_ir *key, bool make);
/* Leaves the clause for good, from wherever in it that is. */
void at_lower_leave(struct at_lower *lw);
/* Events: reserve a record of plan.events[index] (counted as lost when the ring is full, then the
   body is skipped): writes `if (record) {` and returns the record's address; the caller stores its
   fields and calls at_lower_submit(), which closes the `if`. */
struct at_ir *at_lower_reserve(struct at_lower *lw, unsigned event);
void at_lower_submit(struct at_lower *lw, struct at_ir *record);

/* Strings, in IR, for functions on strings (each takes either form): 0 or 1. */
struct at_ir *at_lower_streq(struct at_lower *lw, struct at_val a, struct at_val b);
struct at_ir *at_lower_starts_with(struct at_lower *lw, struct at_val s, const char *prefix);
/* Number of bytes of a string, either form. */
struct at_ir *at_lower_strlen(struct at_lower *lw, struct at_val s);
/* A literal as a value, written to memory now. */
struct at_val at_lower_literal(struct at_lower *lw, const char *text);
/* Index of the subprogram u64 hash(ptr, len, cap) keyed with this run's secret (SipHash-1-3), made once. */
unsigned at_lower_hash_func(struct at_lower *lw);

static inline struct at_val at_word(const struct at_type *t, struct at_ir *ir)
{
	return (struct at_val){ .type = t, .ir = ir };
}

/* Lowers a checked script. False after reporting. */
bool at_lower(struct at_check *c, struct at_plan *plan);

#endif
