/* SPDX-License-Identifier: Apache-2.0 */
/* comm: name of the thread, at most 15 bytes. The helper pads it with zeros. */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"

enum { COMM = 16 };

static struct at_val lower_comm(struct at_lower *lw, struct at_n_call *call)
{
	struct at_irb *b = lw->b;
	struct at_ir *at = at_lower_temp(lw, COMM);

	ir_do(b, ir_helper(b, BPF_FUNC_get_current_comm, 2, at, ir_const(b, COMM)));
	return (struct at_val){ .type = at_type_string(lw->arena, COMM), .ir = at };
}

const struct at_func at_var_comm = {
	.name = "comm",
	.proto = "string[16] comm",
	.flags = AT_F_VAR,
	.brief = "name of the thread",
	.lower = lower_comm,
};
