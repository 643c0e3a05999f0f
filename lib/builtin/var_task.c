/* SPDX-License-Identifier: Apache-2.0 */
/* Builtin variables that are a helper's word: who runs, and where. */
#include <linux/bpf.h>

#include "lib/builtin/builtin.h"

static struct at_val word(struct at_lower *lw, const struct at_type *t, int helper)
{
	return at_word(t, ir_let(lw->b, ir_helper(lw->b, helper, 0)));
}

/* Helpers that give two numbers in a word. */
static struct at_val high(struct at_lower *lw, const struct at_type *t, int helper)
{
	return at_word(t, ir_let(lw->b, ir_shri(lw->b, ir_helper(lw->b, helper, 0), 32)));
}

static struct at_val low(struct at_lower *lw, const struct at_type *t, int helper)
{
	struct at_irb *b = lw->b;

	return at_word(t, ir_let(b, ir_un(b, AT_OP_ZEXT32, ir_helper(b, helper, 0))));
}

static struct at_val lower_pid(struct at_lower *lw, struct at_n_call *call)
{
	return high(lw, &at_type_uint32, BPF_FUNC_get_current_pid_tgid);
}

static struct at_val lower_tid(struct at_lower *lw, struct at_n_call *call)
{
	return low(lw, &at_type_uint32, BPF_FUNC_get_current_pid_tgid);
}

static struct at_val lower_uid(struct at_lower *lw, struct at_n_call *call)
{
	return low(lw, &at_type_uint64, BPF_FUNC_get_current_uid_gid);
}

static struct at_val lower_gid(struct at_lower *lw, struct at_n_call *call)
{
	return high(lw, &at_type_uint64, BPF_FUNC_get_current_uid_gid);
}

static struct at_val lower_cpu(struct at_lower *lw, struct at_n_call *call)
{
	return low(lw, &at_type_uint64, BPF_FUNC_get_smp_processor_id);
}

static struct at_val lower_cgroup(struct at_lower *lw, struct at_n_call *call)
{
	return word(lw, &at_type_uint64, BPF_FUNC_get_current_cgroup_id);
}

static struct at_val lower_rand(struct at_lower *lw, struct at_n_call *call)
{
	return low(lw, &at_type_uint32, BPF_FUNC_get_prandom_u32);
}

static struct at_val lower_ncpus(struct at_lower *lw, struct at_n_call *call)
{
	return at_word(&at_type_uint64,
		       ir_sym(lw->b, at_plan_sym(lw->plan, AT_SYM_NCPUS, NULL, 0)));
}

/* Its fields are those of the kernel's BTF; without that it is an address. */
static const struct at_type *check_curtask(struct at_check *c, struct at_n_call *call)
{
	struct at_type task = { .kind = AT_T_STRUCT, .name = "task_struct", .far = true };
	struct at_type *t = at_new(c->arena, struct at_type);

	*t = (struct at_type){ .kind = AT_T_PTR, .size = 8, .align = 8 };
	t->elem = c->lang->kernel_struct ? c->lang->kernel_struct(c, &task) : NULL;
	return t;
}

static struct at_val lower_curtask(struct at_lower *lw, struct at_n_call *call)
{
	return word(lw, call->n.type, BPF_FUNC_get_current_task);
}

const struct at_func at_var_pid = {
	.name = "pid",
	.proto = "uint32 pid",
	.flags = AT_F_VAR,
	.brief = "process (thread group) id",
	.lower = lower_pid,
};
const struct at_func at_var_tid = {
	.name = "tid",
	.proto = "uint32 tid",
	.flags = AT_F_VAR,
	.brief = "thread id",
	.lower = lower_tid,
};
const struct at_func at_var_uid = {
	.name = "uid",
	.proto = "uint64 uid",
	.flags = AT_F_VAR,
	.brief = "user id of the process",
	.lower = lower_uid,
};
const struct at_func at_var_gid = {
	.name = "gid",
	.proto = "uint64 gid",
	.flags = AT_F_VAR,
	.brief = "group id of the process",
	.lower = lower_gid,
};
const struct at_func at_var_cpu = {
	.name = "cpu",
	.proto = "uint64 cpu",
	.flags = AT_F_VAR,
	.brief = "number of the CPU the probe fires on",
	.lower = lower_cpu,
};
const struct at_func at_var_cgroup = {
	.name = "cgroup",
	.proto = "uint64 cgroup",
	.flags = AT_F_VAR,
	.brief = "id of the process's cgroup (version 2)",
	.lower = lower_cgroup,
};
const struct at_func at_var_rand = {
	.name = "rand",
	.proto = "uint32 rand",
	.flags = AT_F_VAR,
	.brief = "a random number",
	.lower = lower_rand,
};
const struct at_func at_var_ncpus = {
	.name = "ncpus",
	.proto = "uint64 ncpus",
	.flags = AT_F_VAR,
	.brief = "number of possible CPUs",
	.lower = lower_ncpus,
};
const struct at_func at_var_curtask = {
	.name = "curtask",
	.proto = "uint64 curtask",
	.flags = AT_F_VAR,
	.brief = "the current task, a struct task_struct *",
	.check = check_curtask,
	.lower = lower_curtask,
};
