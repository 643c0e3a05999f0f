/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loops over maps: the kernel calls a function for each entry, which is the
 * body of the loop. Its context leads to the params and the scratch memory of
 * the clause (the kernel wants that context on the stack); it starts by putting
 * them into the locals that have the same numbers in the clause function, so
 * that everything written for the clause can be written there. Variables of
 * such a clause live in scratch.
 */
#include "frontend/lower_int.h"

#include <string.h>

enum { KEY = 1, VALUE = 2, CONTEXT = 3, NPARAMS = 4 }; /* of the function */

/* Slots belong to a function: the clause's are out of reach while a body is written. */
static void set_slots(struct at_frame *f, const struct at_frame *from)
{
	memcpy(f->slots, from->slots, sizeof(f->slots));
	f->nslots = from->nslots;
	f->slot_bytes = from->slot_bytes;
}

/* The address of the params and the scratch address, saved on the stack. */
static struct at_ir *save_params(struct at_lower *lw)
{
	unsigned n = lw->frame->scratch_param + 1;
	struct at_ir *slot = ir_slot(lw->b, n * 8);

	lw->frame->scratch_used = true;
	for (unsigned i = 0; i < n; i++)
		ir_store(lw->b, 8, slot, i * 8, ir_get(lw->b, i));
	return slot;
}

static void load_params(struct at_irb *b, struct at_ir *context, unsigned n)
{
	while (b->fn->nlocals < n)
		ir_local(b);
	for (unsigned i = 0; i < n; i++)
		ir_set(b, i, ir_load(b, 8, context, i * 8));
}

/* (key, value) into the loop's variable. */
static void store_row(struct at_lower *lw, const struct at_n_for *s, struct at_ir *key,
		      struct at_ir *value)
{
	const struct at_mapsym *m = ((const struct at_n_map *)s->over)->map;
	const struct at_type_field *f = s->var->type->fields;
	struct at_ir *row = at_frame_address(s->var);
	struct at_val v = { .type = f[1].type, .ir = value };

	ir_copy(lw->b, row, 0, key, 0, m->key->size);
	if (m->value->kind == AT_T_AGG)
		v.ir = m->value->func->agg->read(lw, m->value, m->plan_map, row);
	else if (at_type_is_word(f[1].type))
		v.ir = at_lower_load(lw, f[1].type, value, 0);
	at_lower_store(lw, f[1].type, row, f[1].offset, v);
}

static unsigned write_body(struct at_lower *lw, struct at_n_for *s, struct at_loop *loop)
{
	struct at_frame *f = lw->frame;
	struct at_irb *outer = lw->b, mine = { .range = s->n.range };
	struct at_frame clause = *f, none = { 0 };
	struct at_ir *key, *value, *context;

	ir_begin(&mine, lw->plan,
		 at_sprintf(lw->arena, "each_%s_%zu", lw->point->provider->name,
			    lw->plan->funcs.n),
		 AT_FN_TRIP, NPARAMS);
	key = ir_let(&mine, ir_param(&mine, KEY));
	value = ir_let(&mine, ir_param(&mine, VALUE));
	context = ir_let(&mine, ir_param(&mine, CONTEXT));
	load_params(&mine, context, f->scratch_param + 1);
	lw->b = &mine;
	set_slots(f, &none);
	f->loop = loop;
	store_row(lw, s, key, value);
	at_lower_block(lw, s->body);
	ir_return(&mine, ir_const(&mine, 0));
	f->loop = loop->up;
	set_slots(f, &clause);
	lw->b = outer;
	return mine.index;
}

void at_lower_each(struct at_lower *lw, struct at_n_for *s)
{
	struct at_loop loop = { .up = lw->frame->loop, .callback = true };
	const struct at_mapsym *m = ((const struct at_n_map *)s->over)->map;
	struct at_irb *b = lw->b;
	size_t vars = lw->frame->vars.n;
	struct at_ir *context;
	unsigned body;

	at_frame_declare(lw, s->var, true);
	loop.left = at_lower_scratch(lw, 8);
	ir_store(b, 8, loop.left, 0, ir_const(b, 0));
	context = save_params(lw);
	body = write_body(lw, s, &loop);
	ir_do(b, ir_helper(b, AT_H_EACH_ELEM, 4, ir_map(b, m->plan_map), ir_funcaddr(b, body),
			   context, ir_const(b, 0)));
	ir_if(b, ir_load(b, 8, loop.left, 0));
	at_lower_leave(lw);
	ir_end(b);
	at_frame_end_block(lw, vars);
}

/* Out of the innermost body of a loop over a map, which tells the one around it. */
void at_lower_leave(struct at_lower *lw)
{
	const struct at_loop *loop = lw->frame->loop;

	while (loop && !loop->callback)
		loop = loop->up;
	if (loop)
		ir_store(lw->b, 8, loop->left, 0, ir_const(lw->b, 1));
	ir_return(lw->b, ir_const(lw->b, loop != NULL));
}
