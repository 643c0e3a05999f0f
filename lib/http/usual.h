/* SPDX-License-Identifier: Apache-2.0 */
/* What usual.c and usual_field.c share. Each leaves its function with 1 where it says so. */
#ifndef AT_HTTP_USUAL_H
#define AT_HTTP_USUAL_H

#include "lib/http/layout.h"

/* Leaves the function with 1 when the condition holds: what stands here is left to the steps.
 */
static inline void leave_if(struct at_walk *w, struct at_ir *cond)
{
	struct at_irb *b = w->b;

	IF(cond);
	RETURN(1);
	END;
}

/* The word of that width at pos + off. */
static inline struct at_ir *at(struct at_walk *w, struct at_ir *pos, unsigned width,
			       int64_t off)
{
	return ir_load(w->b, width, ir_add(w->b, w->win, pos), off);
}

/*
 * Numbers of a line lie in memory, from where they are read again for each use:
 * what comparisons tell the verifier of one reading does not make different ways
 * of what follows, which in a loop it would go through one by one.
 */
enum { N_LINE, N_NAME, N_VALUE, N_WORD, N_LEFT };

static inline int64_t off_number(unsigned i)
{
	return offsetof(struct at_http_win, tmp) + 8 * (int64_t)i;
}

static inline struct at_ir *again(struct at_walk *w, unsigned i)
{
	struct at_irb *b = w->b;

	return ir_let(b, ir_load(b, 8, ir_un(b, AT_OP_HIDE, w->win), off_number(i)));
}

static inline struct at_ir *keep(struct at_walk *w, unsigned i, struct at_ir *n, unsigned most)
{
	struct at_irb *b = w->b;

	ir_store(b, 8, w->win, off_number(i), n);
	n = again(w, i);
	leave_if(w, ir_ugti(b, n, most));
	return at_http_bounded(b, n);
}

/* Copies n bytes, at most `most`, to a capture's text: word by word, so up to seven more. */
static inline void copy_text(struct at_walk *w, struct at_ir *text, struct at_ir *from,
			     struct at_ir *n, unsigned most)
{
	struct at_irb *b = w->b;

	ir_loop(b);
	for (unsigned i = 0; i < most; i += 8) {
		IF(ir_ulei(b, n, i));
		ir_break(b);
		END;
		ir_store(b, 8, text, sizeof(struct at_http_text) + i, ir_load(b, 8, from, i));
	}
	ir_break(b);
	END;
}

/* A place in the window, bounded for the verifier. */
static inline struct at_ir *place(struct at_walk *w, struct at_ir *v)
{
	v = at_http_forget(w, v);
	leave_if(w, ir_ugti(w->b, v, AT_HTTP_EDGE));
	return at_http_bounded(w->b, v);
}

/* The trip of the loop over field lines; N_LEFT is 1 when a line is left to the steps. */
unsigned at_http_usual_lines(struct at_http_eng *e);

#endif
