/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str: the text at an address of user or kernel memory, "" where it cannot be
 * read. Which memory is told by the address: the kernel's is the upper half.
 * str(s) of what is a string already is s, str(s, n) its first n bytes; str($1)
 * is the parameter's text.
 */
#include <linux/bpf.h>
#include <string.h>

#include "lib/builtin/builtin.h"

enum { ALIGN = 8, SECRET = 32 }; /* SECRET: what strings that may be secret are as wide as */

static bool is_address(const struct at_type *t)
{
	return t->kind == AT_T_PTR || t->kind == AT_T_INT;
}

/* Bytes that str(p, n) can have, its end not included. Without n a longer text is marked as
 * cut. */
static unsigned most_bytes(struct at_check *c, const struct at_n_call *call)
{
	unsigned most = at_config_num(c, "max_strlen") - 1;
	int64_t n;

	if (call->args.n > 1 && at_fold_int(call->args.v[1], &n) && n < most)
		return n < 0 ? 0 : n;
	return most;
}

/* A parameter of the script is its text here, even where it looks like a number. */
static const struct at_type *text_type(struct at_check *c, struct at_node *arg)
{
	if (arg->kind == AT_N_PARAM)
		arg->type = at_type_string(c->arena, strlen(at_fold_string(arg)) + 1);
	return arg->type;
}

static const struct at_type *check_str(struct at_check *c, struct at_n_call *call)
{
	const struct at_type *t = text_type(c, call->args.v[0]);
	unsigned size = most_bytes(c, call) + 1;

	if (t->kind == AT_T_STRING && (call->args.n == 1 || t->size <= size))
		return t;
	if (t->kind == AT_T_STRING)
		return at_type_string(c->arena, size < SECRET ? SECRET : size);
	if (is_address(t))
		return at_type_string(c->arena, size);
	at_diag(c->diags, AT_D_ARGUMENT_TYPE, call->args.v[0]->range,
		"str() wants an address or a string, this is %s", at_type_text(c->arena, t));
	at_hint(c->diags, "it is written %s", call->func->proto);
	return NULL;
}

/* Number of bytes to ask the helper for, the end included. */
static struct at_ir *wanted_bytes(struct at_lower *lw, const struct at_n_call *call,
				  unsigned most)
{
	struct at_irb *b = lw->b;
	struct at_ir *n;
	int64_t lit;

	if (call->args.n < 2 || at_fold_int(call->args.v[1], &lit))
		return ir_const(b, most + 1);
	n = ir_let(b, ir_un(b, AT_OP_HIDE, at_lower_word(lw, call->args.v[1])));
	return ir_let(b,
		      ir_addi(b, ir_select(b, ir_ugti(b, n, most), ir_const(b, most), n), 1));
}

static struct at_ir *read_text(struct at_lower *lw, struct at_ir *to, struct at_ir *size,
			       struct at_ir *from)
{
	struct at_irb *b = lw->b;
	unsigned got = ir_local(b);

	ir_if(b, ir_slti(b, from, 0));
	ir_set(b, got, ir_helper(b, BPF_FUNC_probe_read_kernel_str, 3, to, size, from));
	ir_else(b);
	ir_set(b, got, ir_helper(b, BPF_FUNC_probe_read_user_str, 3, to, size, from));
	ir_end(b);
	return ir_get(b, got);
}

/* The first bytes of a string. What is secret stays so. */
static struct at_val first_bytes(struct at_lower *lw, const struct at_n_call *call,
				 unsigned most)
{
	struct at_val v = at_lower_expr(lw, call->args.v[0]);
	struct at_irb *b = lw->b;
	struct at_ir *len, *n;

	if (call->args.n == 1)
		return v;
	len = ir_let(b, at_lower_strlen(lw, v));
	n = ir_let(b, at_lower_word(lw, call->args.v[1]));
	v.cap = v.len ? v.cap : v.type->size - 1;
	v.cap = v.cap < most ? v.cap : most;
	n = ir_let(b, ir_select(b, ir_ugti(b, n, v.cap), ir_const(b, v.cap), n));
	v.len = ir_let(b, ir_select(b, ir_ult(b, len, n), len, n));
	v.type = call->n.type;
	v.full = NULL;
	v.literal = NULL;
	return v;
}

static struct at_val lower_str(struct at_lower *lw, struct at_n_call *call)
{
	const struct at_type *t = call->n.type;
	unsigned most = most_bytes(lw->check, call);
	struct at_irb *b = lw->b;
	struct at_ir *from, *size, *to, *got;

	if (call->args.v[0]->type->kind == AT_T_STRING)
		return first_bytes(lw, call, most);
	from = ir_let(b, at_lower_word(lw, call->args.v[0]));
	if (call->args.n < 2)
		most++; /* one byte more than fits tells a text that has to be cut */
	size = wanted_bytes(lw, call, most);
	to = at_lower_temp(lw, t->size + ALIGN);
	got = read_text(lw, to, size, from);
	return (struct at_val){
		.type = t,
		.ir = to,
		.cap = most,
		.len = ir_let(b, ir_select(b, ir_sgti(b, got, 0), ir_subi(b, got, 1),
					   ir_const(b, 0))),
	};
}

const struct at_func at_func_str = {
	.name = "str",
	.proto = "string str(value text, int length?)",
	.brief = "the text at an address, or a string; at most `length` bytes of it",
	.check = check_str,
	.lower = lower_str,
};
