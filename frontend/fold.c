/* SPDX-License-Identifier: Apache-2.0 */
/* Constant expressions: what is known when the script is compiled. Reports nothing. */
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

static bool fold_divide(enum at_binop op, int64_t l, int64_t r, int64_t *out)
{
	if (r == 0 || (l == INT64_MIN && r == -1))
		return false;
	*out = op == AT_B_DIV ? l / r : l % r;
	return true;
}

static bool fold_arith(enum at_binop op, int64_t l, int64_t r, int64_t *out)
{
	uint64_t a = l, b = r;

	switch (op) {
	case AT_B_MUL: *out = a * b; return true;
	case AT_B_ADD: *out = a + b; return true;
	case AT_B_SUB: *out = a - b; return true;
	case AT_B_SHL: *out = a << (b & 63); return true;
	case AT_B_SHR: *out = a >> (b & 63); return true;
	case AT_B_AND: *out = a & b; return true;
	case AT_B_XOR: *out = a ^ b; return true;
	case AT_B_OR: *out = a | b; return true;
	case AT_B_LT: *out = l < r; return true;
	case AT_B_GT: *out = l > r; return true;
	case AT_B_LE: *out = l <= r; return true;
	case AT_B_GE: *out = l >= r; return true;
	case AT_B_EQ: *out = l == r; return true;
	case AT_B_NE: *out = l != r; return true;
	case AT_B_LAND: *out = l && r; return true;
	case AT_B_LOR: *out = l || r; return true;
	case AT_B_DIV:
	case AT_B_MOD: return fold_divide(op, l, r, out);
	case AT_B_NONE: return false;
	}
	return false;
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
