/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core IR: nodes, functions, and the builder that lowering, providers and the
 * header engine write programs with. The kinds are described in ir.def.
 *
 * The builder is imperative: statements are appended to the current block;
 * ir_if/ir_else/ir_loop open blocks that ir_end closes. Expressions are values
 * of C that become part of the statement they are given to.
 *
 *	ir_if(b, ir_eq(b, ir_load(b, 4, sk, off), ir_const(b, 1)));
 *	ir_return(b, ir_const(b, 0));
 *	ir_end(b);
 *
 * C evaluates the arguments of a call in any order, so of the arguments of one
 * call at most one may append statements (ir_let and what uses it) or make a
 * slot, a local or something in the plan; otherwise the program, right as it
 * is, would depend on the compiler.
 *
 * REPEAT is the loop for what the verifier cannot bound: a function of two
 * arguments (trip number, context word) that returns 0 to go on. codegen makes
 * it a may_goto loop with the function inlined (kernel 6.9) or bpf_loop (5.17,
 * the function a callback). Hence: what must survive a trip lives in memory
 * that the context leads to; the verifier must see unknown values at the head
 * of each trip, so loop state belongs in a map value, not on the stack.
 * At most AT_IR_TRIPS trips are made, and fewer when the kernel's budget for
 * the program is spent (may_goto: 8 M trips of all its loops together, and in
 * newer kernels 250 ms); the loop is then left as if all trips had been made.
 * Without a number of trips (NULL) none are counted and the trip number means nothing: the kernel's
 * budget ends the loop; a counter costs the verifier another round, and the program a helper's call.
 * The trip number counts from 0 and is a word of which the verifier knows
 * nothing: bound it (mask it) before it becomes part of an address.
 *
 * A function of kind TRIP gives its caller 0 or 1, whatever it returns, since
 * the kernel takes nothing else of a callback.
 */
#ifndef AT_FRONTEND_IR_H
#define AT_FRONTEND_IR_H

#include <stdint.h>

#include "lib/base/diag.h"
#include "lib/base/vec.h"

enum at_ir_kind {
#define AT_IR_EXPR(kind, text) AT_IR_##kind,
#include "frontend/ir.def"
	AT_IR_EXPR_COUNT,
#define AT_IR_STMT(kind, text) AT_IR_S_##kind,
#include "frontend/ir.def"
	AT_IR_KIND_COUNT
};

enum at_ir_op {
#define AT_IR_BIN(kind, text) AT_OP_##kind,
#include "frontend/ir.def"
	AT_OP_UNARY,
#define AT_IR_UN(kind, text) AT_OP_##kind,
#include "frontend/ir.def"
	AT_OP_COUNT
};

struct at_ir_block {
	AT_VEC(struct at_ir *) stmts;
};

struct at_ir {
	uint8_t kind; /* enum at_ir_kind */
	uint8_t op;   /* enum at_ir_op */
	uint8_t width; /* bytes: 1 2 4 8 */
	bool sign;
	uint32_t index;
	uint32_t n;   /* ZERO, COPY: bytes; HELPER, KFUNC, CALL: arguments */
	int64_t imm, off;
	const char *name; /* KFUNC */
	struct at_ir *a, *b, *c;
	struct at_ir *args[5];
	struct at_ir_block *body, *other;
	struct at_range range; /* of the script, for line info; {0,0} for the engine's own code */
};

struct at_ir_slot {
	unsigned size; /* bytes; a multiple of 8, aligned to 8 */
};

enum at_ir_func_kind {
	AT_FN_PROG, /* entry of a program: one param, the context */
	AT_FN_SUB,  /* static subprogram, at most 5 params */
	AT_FN_TRIP, /* body of a REPEAT, or a callback: inlined or called as codegen likes */
};

struct at_ir_func {
	const char *name; /* unique in the plan, [A-Za-z0-9_] */
	enum at_ir_func_kind kind;
	unsigned nparams, nlocals; /* locals 0 .. nparams-1 are the params */
	AT_VEC(struct at_ir_slot) slots;
	struct at_ir_block *body;  /* falling off its end returns 0 */
	struct at_range range;
	bool noinline, inlined;    /* hints to codegen */
	/* SUB: the kernel verifies it once, by itself, not at each call (a "global function", 5.11). It
	   then knows nothing of numbers, and of an address that it is that of mem[i] bytes or 0. */
	bool by_itself;
	unsigned mem[5];           /* by_itself: bytes behind param i, a multiple of 8; 0: a number */
};

struct at_plan;

enum {
	AT_IR_DEPTH = 48,      /* of nested blocks */
	AT_IR_TRIPS = 1 << 23, /* most trips of a REPEAT, BPF_MAX_LOOPS */
};

/* The builder. One function at a time; keep one builder per function to write several. */
struct at_irb {
	struct at_arena *arena;
	struct at_plan *plan;
	struct at_ir_func *fn;
	unsigned index; /* of fn in plan->funcs */
	struct at_range range; /* given to new nodes */
	struct at_ir_block *open[AT_IR_DEPTH];
	struct at_ir *owner[AT_IR_DEPTH];
	unsigned depth;
	struct at_ir *count_key; /* at_plan_count's slot of this function, once made */
};

/* Makes a function, adds it to the plan, and starts writing it. */
void ir_begin(struct at_irb *b, struct at_plan *plan, const char *name, enum at_ir_func_kind kind,
	      unsigned nparams);

/* Words. */
struct at_ir *ir_const(struct at_irb *b, int64_t v);
struct at_ir *ir_sym(struct at_irb *b, unsigned sym);
struct at_ir *ir_param(struct at_irb *b, unsigned n);
struct at_ir *ir_get(struct at_irb *b, unsigned local);
struct at_ir *ir_slot(struct at_irb *b, unsigned size); /* a new slot, rounded up to 8; its address */
struct at_ir *ir_map(struct at_irb *b, unsigned map);
struct at_ir *ir_mapval(struct at_irb *b, unsigned map, int64_t off);
struct at_ir *ir_funcaddr(struct at_irb *b, unsigned func);
struct at_ir *ir_bin(struct at_irb *b, enum at_ir_op op, struct at_ir *x, struct at_ir *y);
struct at_ir *ir_bini(struct at_irb *b, enum at_ir_op op, struct at_ir *x, int64_t y);
struct at_ir *ir_un(struct at_irb *b, enum at_ir_op op, struct at_ir *x);
struct at_ir *ir_select(struct at_irb *b, struct at_ir *cond, struct at_ir *x, struct at_ir *y);
struct at_ir *ir_load(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off);
struct at_ir *ir_loads(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off);
struct at_ir *ir_helper(struct at_irb *b, int id, unsigned nargs, ...); /* struct at_ir * each */
struct at_ir *ir_kfunc(struct at_irb *b, const char *name, unsigned nargs, ...);
struct at_ir *ir_call(struct at_irb *b, unsigned func, unsigned nargs, ...);
struct at_ir *ir_xadd(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		      struct at_ir *v);
struct at_ir *ir_xchg(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		      struct at_ir *v);
struct at_ir *ir_cmpxchg(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
			 struct at_ir *expect, struct at_ir *v);

/* Locals. */
unsigned ir_local(struct at_irb *b); /* a new one */
void ir_set(struct at_irb *b, unsigned local, struct at_ir *v);
/* Evaluates v now into a new local; what it returns reads that local and may be used often. */
struct at_ir *ir_let(struct at_irb *b, struct at_ir *v);

/* Statements. */
void ir_store(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off, struct at_ir *v);
void ir_zero(struct at_irb *b, struct at_ir *addr, int64_t off, unsigned n);
void ir_copy(struct at_irb *b, struct at_ir *dst, int64_t doff, struct at_ir *src, int64_t soff,
	     unsigned n);
void ir_atomic_add(struct at_irb *b, unsigned width, struct at_ir *addr, int64_t off,
		   struct at_ir *v);
void ir_do(struct at_irb *b, struct at_ir *v);
void ir_if(struct at_irb *b, struct at_ir *cond);
void ir_else(struct at_irb *b);
void ir_loop(struct at_irb *b);
/* A loop whose bound the verifier need not find: where the kernel has may_goto, it is left when the
   program's budget is spent. Elsewhere it is a plain loop. */
void ir_loop_guarded(struct at_irb *b);
void ir_end(struct at_irb *b); /* of if, else, loop */
void ir_repeat(struct at_irb *b, struct at_ir *trips, unsigned func, struct at_ir *context);
void ir_break(struct at_irb *b);
void ir_continue(struct at_irb *b);
void ir_return(struct at_irb *b, struct at_ir *v);

/* Short names for what engines write all day. */
#define IR_OP2(name, OP)                                                                      \
	static inline struct at_ir *ir_##name(struct at_irb *b, struct at_ir *x, struct at_ir *y) \
	{                                                                                     \
		return ir_bin(b, AT_OP_##OP, x, y);                                           \
	}                                                                                     \
	static inline struct at_ir *ir_##name##i(struct at_irb *b, struct at_ir *x, int64_t y) \
	{                                                                                     \
		return ir_bini(b, AT_OP_##OP, x, y);                                          \
	}
IR_OP2(add, ADD) IR_OP2(sub, SUB) IR_OP2(mul, MUL) IR_OP2(and, AND) IR_OP2(or, OR)
IR_OP2(xor, XOR) IR_OP2(shl, SHL) IR_OP2(shr, SHR) IR_OP2(eq, EQ) IR_OP2(ne, NE)
IR_OP2(ult, ULT) IR_OP2(ule, ULE) IR_OP2(ugt, UGT) IR_OP2(uge, UGE)
IR_OP2(slt, SLT) IR_OP2(sle, SLE) IR_OP2(sgt, SGT) IR_OP2(sge, SGE)
#undef IR_OP2

static inline struct at_ir *ir_iszero(struct at_irb *b, struct at_ir *x)
{
	return ir_un(b, AT_OP_ISZERO, x);
}

#endif
