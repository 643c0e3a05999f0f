/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a clause: stack slots for small values, scratch (a per-CPU map
 * value whose address is a param of the clause function) for the rest, and
 * where its variables live. Memory is given back per statement and per block.
 */
#include "frontend/lower_int.h"

#include <string.h>

enum {
	SMALL = 32,       /* bytes: a larger value never lives on the stack */
	SLOT_BUDGET = 96, /* bytes of stack for values; what more there is goes to scratch */
	MOST_SCRATCH = 32000, /* what the kernel takes as a per-CPU value */
};

/* A word: in a local, or in scratch where another function must reach it. */
struct cell {
	unsigned local;
	struct at_ir *addr;
};

/* Where a variable lives. */
struct place {
	struct cell word;         /* ints, pointers */
	struct at_ir *addr;       /* the others */
	struct cell secret, hash; /* strings: beside the text */
	bool may_secret;
};

struct at_mark at_frame_mark(struct at_lower *lw)
{
	struct at_frame *f = lw->frame;
	struct at_mark m = { .used = f->used };

	for (unsigned i = 0; i < f->nslots; i++)
		m.taken[i] = f->slots[i].taken;
	return m;
}

void at_frame_release(struct at_lower *lw, const struct at_mark *m)
{
	struct at_frame *f = lw->frame;

	f->used = m->used;
	for (unsigned i = 0; i < f->nslots; i++)
		f->slots[i].taken = m->taken[i];
}

struct at_ir *at_lower_scratch(struct at_lower *lw, unsigned size)
{
	struct at_frame *f = lw->frame;
	unsigned at = f->used;

	f->scratch_used = true;
	f->used += (size + 7) & ~7u;
	if (f->used > f->high)
		f->high = f->used;
	if (f->used > MOST_SCRATCH && !f->too_deep) {
		f->too_deep = true;
		at_diag(lw->diags, AT_D_SCRIPT_COMPLEX, lw->b->range,
			"this needs more than %d bytes of memory at once", MOST_SCRATCH);
	}
	return ir_addi(lw->b, ir_get(lw->b, f->scratch_param), at);
}

static struct at_ir *take_slot(struct at_lower *lw, unsigned size)
{
	struct at_frame *f = lw->frame;

	for (unsigned i = 0; i < f->nslots; i++)
		if (!f->slots[i].taken && f->slots[i].size == size) {
			f->slots[i].taken = true;
			return f->slots[i].ir;
		}
	if (f->nslots == AT_SLOT_POOL || f->slot_bytes + size > SLOT_BUDGET)
		return NULL;
	f->slots[f->nslots].ir = ir_slot(lw->b, size);
	f->slots[f->nslots].size = size;
	f->slots[f->nslots].taken = true;
	f->slot_bytes += size;
	return f->slots[f->nslots++].ir;
}

struct at_ir *at_lower_temp(struct at_lower *lw, unsigned size)
{
	struct at_ir *slot;

	size = size ? (size + 7) & ~7u : 8;
	slot = size <= SMALL ? take_slot(lw, size) : NULL;
	return slot ? slot : at_lower_scratch(lw, size);
}

/* ---- Variables ---- */

static void set_cell(struct at_lower *lw, const struct cell *c, struct at_ir *v)
{
	if (c->addr)
		ir_store(lw->b, 8, c->addr, 0, v);
	else
		ir_set(lw->b, c->local, v);
}

static struct at_ir *get_cell(struct at_lower *lw, const struct cell *c)
{
	return c->addr ? ir_let(lw->b, ir_load(lw->b, 8, c->addr, 0)) : ir_get(lw->b, c->local);
}

static void make_cell(struct at_lower *lw, struct cell *c)
{
	if (lw->frame->in_memory)
		c->addr = at_lower_scratch(lw, 8);
	else
		c->local = ir_local(lw->b);
	set_cell(lw, c, ir_const(lw->b, 0));
}

void at_frame_declare(struct at_lower *lw, struct at_var *v, bool zero)
{
	struct place *p;

	if (v->lowered || !v->type)
		return;
	p = at_new(lw->arena, struct place);
	if (at_type_is_word(v->type)) {
		make_cell(lw, &p->word);
	} else {
		p->addr = lw->frame->in_memory ? at_lower_scratch(lw, v->type->size)
					       : at_lower_temp(lw, v->type->size);
		if (zero)
			ir_zero(lw->b, p->addr, 0, (v->type->size + 7) & ~7u);
	}
	if (v->type->kind == AT_T_STRING) {
		make_cell(lw, &p->secret);
		make_cell(lw, &p->hash);
	}
	v->lowered = p;
	at_vec_push(lw->arena, &lw->frame->vars, v);
}

static void assign_string(struct at_lower *lw, struct at_var *v, struct at_val val)
{
	struct place *p = v->lowered;

	if (val.secret) {
		p->may_secret = true;
		set_cell(lw, &p->hash, at_lower_secret_hash(lw, val));
		set_cell(lw, &p->secret, val.secret);
	} else {
		set_cell(lw, &p->secret, ir_const(lw->b, 0));
	}
	at_lower_put_text(lw, p->addr, 0, v->type->size, val, true);
}

void at_frame_assign(struct at_lower *lw, struct at_var *v, struct at_val val)
{
	struct place *p;

	at_frame_declare(lw, v, false);
	p = v->lowered;
	if (!p)
		return;
	if (v->type->kind == AT_T_STRING)
		assign_string(lw, v, val);
	else if (at_type_is_word(v->type))
		set_cell(lw, &p->word, at_lower_fit(lw, v->type, val.type, val.ir));
	else
		at_lower_store(lw, v->type, p->addr, 0, val);
}

struct at_ir *at_frame_address(const struct at_var *v)
{
	return ((const struct place *)v->lowered)->addr;
}

struct at_val at_frame_read(struct at_lower *lw, const struct at_var *v)
{
	struct place *p = v->lowered;
	struct at_val val = { .type = v->type };

	if (!p) { /* declared, never assigned */
		val.type = v->type ? v->type : &at_type_int64;
		val.ir = ir_const(lw->b, 0);
		return val;
	}
	if (at_type_is_word(v->type)) {
		val.ir = get_cell(lw, &p->word);
		return val;
	}
	val.ir = p->addr;
	/* In a loop, what is assigned further down was perhaps assigned before. */
	if (v->type->kind == AT_T_STRING && lw->frame->loop)
		p->may_secret = true;
	if (p->may_secret) {
		val.secret = get_cell(lw, &p->secret);
		val.hash = get_cell(lw, &p->hash);
	}
	return val;
}

void at_frame_end_block(struct at_lower *lw, size_t vars)
{
	struct at_frame *f = lw->frame;

	for (size_t i = vars; i < f->vars.n; i++)
		f->vars.v[i]->lowered = NULL;
	f->vars.n = vars;
}
