/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of values: fields, elements. What stands behind a pointer is far: its
 * address is carried along (a->b.c[2] is one address) until the part that is
 * wanted is known, and only that is read. Whether the address is one of the
 * kernel's is told by its upper half.
 */
#include "frontend/lower_int.h"

/* Copies `size` bytes, or a text of at most so many, from a far address; what cannot be read is
 * 0. The helper's result. */
static struct at_ir *read_far(struct at_lower *lw, bool text, struct at_ir *to, unsigned size,
			      struct at_ir *from)
{
	struct at_irb *b = lw->b;
	unsigned got = ir_local(b);

	ir_if(b, ir_slti(b, from, 0));
	ir_set(b, got,
	       ir_helper(b, text ? AT_H_READ_KERNEL_STR : AT_H_READ_KERNEL, 3, to,
			 ir_const(b, size), from));
	ir_else(b);
	ir_set(b, got,
	       ir_helper(b, text ? AT_H_READ_USER_STR : AT_H_READ_USER, 3, to,
			 ir_const(b, size), from));
	ir_end(b);
	return ir_get(b, got);
}

static struct at_val fetch_text(struct at_lower *lw, struct at_val v)
{
	struct at_irb *b = lw->b;
	struct at_ir *to = at_lower_temp(lw, v.type->size);
	struct at_ir *got = read_far(lw, true, to, v.type->size, v.ir);

	return (struct at_val){
		.type = v.type,
		.ir = to,
		.cap = v.type->size - 1,
		.len = ir_let(b, ir_select(b, ir_sgti(b, got, 0), ir_subi(b, got, 1),
					   ir_const(b, 0))),
	};
}

/* The bytes that it is in, then up to the top of a word and down again, with its sign or
 * without. */
static struct at_val fetch_bits(struct at_lower *lw, struct at_val v)
{
	struct at_irb *b = lw->b;
	struct at_ir *to = at_lower_temp(lw, sizeof(uint64_t)), *word;

	ir_zero(b, to, 0, sizeof(uint64_t));
	read_far(lw, false, to, (v.shift + v.bits + 7) / 8, v.ir);
	word = ir_shli(b, ir_load(b, sizeof(uint64_t), to, 0), 64 - v.shift - v.bits);
	word = v.type->sign ? ir_bini(b, AT_OP_SAR, word, 64 - v.bits)
			    : ir_shri(b, word, 64 - v.bits);
	return at_word(v.type, ir_let(b, word));
}

/* The value itself. A far struct stays far: check lets only its parts be used. */
static struct at_val fetch(struct at_lower *lw, struct at_val v)
{
	struct at_ir *to;

	if (!v.far || v.type->kind == AT_T_STRUCT)
		return v;
	if (v.type->kind == AT_T_STRING)
		return fetch_text(lw, v);
	if (v.bits)
		return fetch_bits(lw, v);
	to = at_lower_temp(lw, v.type->size);
	read_far(lw, false, to, v.type->size, v.ir);
	if (at_type_is_word(v.type))
		return at_word(v.type, ir_let(lw->b, at_lower_load(lw, v.type, to, 0)));
	return (struct at_val){ .type = v.type, .ir = to };
}

struct at_val at_lower_part(struct at_lower *lw, struct at_val v, const struct at_type_field *f)
{
	if (at_type_is_word(f->type) && !v.far)
		return at_word(f->type,
			       ir_let(lw->b, at_lower_load(lw, f->type, v.ir, f->offset)));
	return (struct at_val){ .type = f->type,
				.ir = ir_addi(lw->b, v.ir, f->offset),
				.far = v.far,
				.bits = f->bits,
				.shift = f->shift };
}

static struct at_val field_place(struct at_lower *lw, struct at_node *e);
static struct at_val index_place(struct at_lower *lw, struct at_node *e);

/* Of a node that parts are taken of: its value, or where it is. */
static struct at_val place(struct at_lower *lw, struct at_node *e)
{
	struct at_val v;

	if (e->kind == AT_N_FIELD)
		v = field_place(lw, e);
	else if (e->kind == AT_N_INDEX)
		v = index_place(lw, e);
	else
		v = at_lower_expr(lw, e);
	if (e->type->kind != AT_T_PTR)
		return v;
	v = fetch(lw, v);
	return (struct at_val){ .type = e->type->elem, .ir = v.ir, .far = true };
}

static struct at_val field_place(struct at_lower *lw, struct at_node *e)
{
	struct at_n_field *n = (struct at_n_field *)e;

	if (n->of->kind == AT_N_IDENT && n->of->type->kind == AT_T_STRUCT)
		return lw->point->provider->field(lw, n->field);
	return at_lower_part(lw, place(lw, n->of), n->field);
}

static struct at_val index_place(struct at_lower *lw, struct at_node *e)
{
	struct at_n_index *n = (struct at_n_index *)e;
	const struct at_type *t = n->of->type;
	struct at_type_field part = { .type = t->elem };
	int64_t i = 0;

	at_fold_int(n->index, &i);
	if (t->kind == AT_T_TUPLE)
		return at_lower_part(lw, at_lower_expr(lw, n->of), &t->fields[i]);
	part.offset = i * t->elem->size;
	return at_lower_part(lw, place(lw, n->of), &part);
}

struct at_val at_lower_field(struct at_lower *lw, struct at_node *e)
{
	return fetch(lw, field_place(lw, e));
}

struct at_val at_lower_index(struct at_lower *lw, struct at_node *e)
{
	return fetch(lw, index_place(lw, e));
}
