/* SPDX-License-Identifier: Apache-2.0 */
/* nsecs and elapsed: the boot clock, from its own zero or from the run's start. */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"

static struct at_ir *now(struct at_lower *lw)
{
	return ir_helper(lw->b, BPF_FUNC_ktime_get_boot_ns, 0);
}

static struct at_val lower_nsecs(struct at_lower *lw, struct at_n_call *call)
{
	return at_word(&at_type_uint64, ir_let(lw->b, now(lw)));
}

static struct at_val lower_elapsed(struct at_lower *lw, struct at_n_call *call)
{
	struct at_irb *b = lw->b;
	struct at_ir *start = ir_sym(b, at_plan_sym(lw->plan, AT_SYM_START, NULL, 0));

	return at_word(&at_type_uint64, ir_let(b, ir_sub(b, now(lw), start)));
}

const struct at_func at_var_nsecs = {
	.name = "nsecs",
	.proto = "uint64 nsecs",
	.flags = AT_F_VAR,
	.brief = "nanoseconds since boot, suspended time included",
	.needs = "Linux 5.8",
	.lower = lower_nsecs,
};
const struct at_func at_var_elapsed = {
	.name = "elapsed",
	.proto = "uint64 elapsed",
	.flags = AT_F_VAR,
	.brief = "nanoseconds since the script started",
	.needs = "Linux 5.8",
	.lower = lower_elapsed,
};
