/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constant expressions: what is known when the script is compiled, computed
 * with sign. Reports nothing.
 */
#include "frontend/check_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool at_fold_number(const char *text, int64_t *out, bool *negative)
{
	const char *digits = text;
	char *end;
	uint64_t v;

	*negative = *digits == '-';
	digits += *negative;
	if (*digits < '0' || *digits > '9')
		return false;
	errno = 0;
	v = strtoull(digits, &end, 0);
	if (*end || errno || (*negative && v > (uint64_t)INT64_MAX + 1))
		return false;
	*out = *negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

/* One function an operator; a, b are the operands without sign. */
#define FOLD(op, result)                                                                       \
	static int64_t fold_##op(int64_t l, int64_t r)                                         \
	{                                                                                      \
		uint64_t a = l, b = r;                                                         \
                                                                                               \
		(void)a;                                                                       \
		(void)b;                                                                       \
		return (int64_t)(result);                                                      \
	}

/* clang-format off */
FOLD(MUL, a * b)
FOLD(DIV, l / r)
FOLD(MOD, l % r)
FOLD(ADD, a + b)
FOLD(SUB, a - b)
FOLD(SHL, a << (b & 63))
FOLD(SHR, l >> (b & 63))
FOLD(LT, l < r)
FOLD(GT, l > r)
FOLD(LE, l <= r)
FOLD(GE, l >= r)
FOLD(EQ, l == r)
FOLD(NE, l != r)
FOLD(AND, a & b)
FOLD(XOR, a ^ b)
FOLD(OR, a | b)
FOLD(LAND, l && r)
FOLD(LOR, l || r)
/* clang-format on */

static int64_t (*const folds[AT_B_NONE])(int64_t l, int64_t r) = {
	[AT_B_MUL] = fold_MUL, [AT_B_DIV] = fold_DIV,   [AT_B_MOD] = fold_MOD,
	[AT_B_ADD] = fold_ADD, [AT_B_SUB] = fold_SUB,   [AT_B_SHL] = fold_SHL,
	[AT_B_SHR] = fold_SHR, [AT_B_LT] = fold_LT,     [AT_B_GT] = fold_GT,
	[AT_B_LE] = fold_LE,   [AT_B_GE] = fold_GE,     [AT_B_EQ] = fold_EQ,
	[AT_B_NE] = fold_NE,   [AT_B_AND] = fold_AND,   [AT_B_XOR] = fold_XOR,
	[AT_B_OR] = fold_OR,   [AT_B_LAND] = fold_LAND, [AT_B_LOR] = fold_LOR,
};

static bool fold_arith(enum at_binop op, int64_t l, int64_t r, int64_t *out)
{
	bool division = op == AT_B_DIV || op == AT_B_MOD;

	if (op == AT_B_NONE || (division && (r == 0 || (l == INT64_MIN && r == -1))))
		return false;
	*out = folds[op](l, r);
	return true;
}

static bool fold_unary(const struct at_n_unary *n, int64_t *out)
{
	int64_t v;

	if (!at_fold_int(n->of, &v))
		return false;
	if (n->op == '-')
		*out = (int64_t)(0 - (uint64_t)v);
	else if (n->op == '~')
		*out = ~v;
	else if (n->op == '!')
		*out = !v;
	else
		return false;
	return true;
}

static bool fold_binary(const struct at_n_binary *n, int64_t *out)
{
	int64_t l, r;

	return at_fold_int(n->left, &l) && at_fold_int(n->right, &r) &&
	       fold_arith(n->op, l, r, out);
}

static bool fold_param(const struct at_n_param *n, int64_t *out)
{
	bool negative;

	if (!n->text) {
		*out = 0;
		return true;
	}
	return at_fold_number(n->text, out, &negative);
}

bool at_fold_int(const struct at_node *e, int64_t *out)
{
	if (!e)
		return false;
	if (e->kind == AT_N_INT || e->kind == AT_N_BOOL) {
		*out = (int64_t)((const struct at_n_int *)e)->value;
		return true;
	}
	if (e->kind == AT_N_PARAM)
		return fold_param((const struct at_n_param *)e, out);
	if (e->kind == AT_N_UNARY)
		return fold_unary((const struct at_n_unary *)e, out);
	if (e->kind == AT_N_BINARY)
		return fold_binary((const struct at_n_binary *)e, out);
	return false;
}

const char *at_fold_string(const struct at_node *e)
{
	if (e->kind == AT_N_STRING)
		return ((const struct at_n_string *)e)->text;
	if (e->kind == AT_N_PARAM) {
		const char *text = ((const struct at_n_param *)e)->text;

		return text ? text : "";
	}
	return NULL;
}
