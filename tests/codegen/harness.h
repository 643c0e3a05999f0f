/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the code generator: programs written in core IR by hand are
 * compiled, loaded and run once, and what they leave in the map "out" is
 * compared with what C computes from the same "in".
 */
#ifndef AT_TESTS_CODEGEN_HARNESS_H
#define AT_TESTS_CODEGEN_HARNESS_H

#include "codegen/codegen.h"
#include "frontend/plan.h"

enum { WORDS = 1024 };

struct io {
	uint64_t in[WORDS], out[WORDS];
};

/* A test being built. */
struct t {
	struct at_arena *arena;
	struct at_plan *plan;
	struct at_irb *b; /* of the program */
	unsigned in, out; /* maps: arrays of one entry, struct io's halves */
	const void *arg;  /* of the test */
	struct at_source source;
};

struct test {
	const char *name;
	/* Writes the program (begun already, name "prog"); falls off its end. */
	void (*build)(struct t *t);
	/* Computes what out must be; out is as the program found it. */
	void (*expect)(const struct t *t, const uint64_t *in, uint64_t *out);
	const void *arg;
	const char *error;   /* a compilation that must fail, with this in its sentence */
	unsigned error_line; /* and this line of the script; 0: none */
	const char *passes;  /* NULL: the default ones */
	/* Looks at the loaded program; 0 or -errno. May be NULL. */
	int (*check)(int prog_fd);
};

/* The word in[i] as an expression; out[i] = v as a statement. */
struct at_ir *t_in(struct t *t, struct at_irb *b, unsigned i);
void t_out(struct t *t, struct at_irb *b, unsigned i, struct at_ir *v);

/* Each ends with a NULL name. */
extern const struct test arith_tests[], memory_tests[], control_tests[], whole_tests[];

/* kinds.c: what core IR the tests are made of. */
struct kinds {
	bool kinds[AT_IR_KIND_COUNT + 1], ops[AT_OP_COUNT];
};
void kinds_note(struct kinds *k, const struct at_plan *plan);
/* False, and says which: a kind that no test has. */
bool kinds_all(const struct kinds *k);

#endif
