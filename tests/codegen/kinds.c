/* SPDX-License-Identifier: Apache-2.0 */
/* Which kinds and operators of core IR the tests have made code of. */
#include <stdio.h>

#include "tests/codegen/harness.h"

static const char *const kind_names[] = {
#define AT_IR_EXPR(kind, text) [AT_IR_##kind] = #kind,
#define AT_IR_STMT(kind, text) [AT_IR_S_##kind] = "S_" #kind,
#include "frontend/ir.def"
};

static const char *const op_names[] = {
#define AT_IR_BIN(kind, text) [AT_OP_##kind] = #kind,
#define AT_IR_UN(kind, text) [AT_OP_##kind] = #kind,
#include "frontend/ir.def"
};

static void note_block(struct kinds *k, const struct at_ir_block *block);

static void note_node(struct kinds *k, const struct at_ir *n)
{
	if (!n)
		return;
	k->kinds[n->kind] = true;
	if (n->kind == AT_IR_BIN || n->kind == AT_IR_UN)
		k->ops[n->op] = true;
	note_node(k, n->a);
	note_node(k, n->b);
	note_node(k, n->c);
	for (size_t i = 0; i < at_count(n->args); i++)
		note_node(k, n->args[i]);
	note_block(k, n->body);
	note_block(k, n->other);
}

static void note_block(struct kinds *k, const struct at_ir_block *block)
{
	for (size_t i = 0; block && i < block->stmts.n; i++)
		note_node(k, block->stmts.v[i]);
}

void kinds_note(struct kinds *k, const struct at_plan *plan)
{
	for (size_t i = 0; i < plan->funcs.n; i++)
		note_block(k, plan->funcs.v[i]->body);
}

static bool all_seen(const bool *seen, const char *const *names, size_t n)
{
	bool all = true;

	for (size_t i = 0; i < n; i++) {
		if (seen[i] || !names[i])
			continue;
		printf("# no test makes code of %s\n", names[i]);
		all = false;
	}
	return all;
}

bool kinds_all(const struct kinds *k)
{
	bool kinds = all_seen(k->kinds, kind_names, at_count(kind_names));

	return all_seen(k->ops, op_names, at_count(op_names)) && kinds;
}
