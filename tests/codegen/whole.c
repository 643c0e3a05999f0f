/* SPDX-License-Identifier: Apache-2.0 */
/* Of the whole: line information as the kernel has it, errors that LLVM finds, pipelines. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>

#include "tests/codegen/harness.h"

enum { GET_CURRENT_PID_TGID = 14, MANY = 14 };

static struct at_range line(unsigned n)
{
	static const struct at_range lines[] = { { 0, 10 }, { 11, 22 }, { 23, 33 } };

	return lines[n - 1];
}

/* A function on line 3, a call of it on line 2 from column 8. */
static void build_lines(struct t *t)
{
	struct at_irb *sub = at_new(t->arena, struct at_irb);

	sub->range = line(3);
	ir_begin(sub, t->plan, "sub", AT_FN_SUB, 1);
	ir_return(sub, ir_addi(sub, ir_param(sub, 0), 1));
	t->b->range = (struct at_range){ line(2).beg + 7, line(2).end };
	t_out(t, t->b, 0, ir_call(t->b, sub->index, 1, t_in(t, t->b, 20)));
}

static void expect_lines(const struct t *t, const uint64_t *in, uint64_t *out)
{
	out[0] = in[20] + 1;
}

/* Text and place of each line information, as the verifier's log would show it. */
static bool has_line(const struct btf *btf, const struct bpf_line_info *lines, unsigned n,
		     unsigned at, unsigned column, const char *text)
{
	for (unsigned i = 0; i < n; i++) {
		const char *s = btf__name_by_offset(btf, lines[i].line_off);

		if (lines[i].line_col >> 10 == at && (lines[i].line_col & 1023) == column &&
		    !strcmp(s, text))
			return true;
	}
	return false;
}

static int check_lines(int prog_fd)
{
	struct bpf_line_info lines[64] = { 0 };
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	struct btf *btf;
	int err;

	info.line_info = (uintptr_t)lines;
	info.nr_line_info = at_count(lines);
	info.line_info_rec_size = sizeof(lines[0]);
	err = bpf_obj_get_info_by_fd(prog_fd, &info, &size);
	if (err)
		return err;
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (!btf)
		return -errno;
	if (!has_line(btf, lines, info.nr_line_info, 2, 8, "second line") ||
	    !has_line(btf, lines, info.nr_line_info, 3, 1, "third line") ||
	    info.nr_func_info != 2)
		err = -EINVAL;
	btf__free(btf);
	return err;
}

/* Slots fill the stack to the last byte, then registers have to be spilled. */
static void build_spill(struct t *t)
{
	struct at_irb *b = t->b;
	struct at_ir *slot = ir_slot(b, 512), *words[MANY], *sum = ir_const(b, 0);

	b->range = line(2);
	ir_store(b, 8, slot, 0, ir_const(b, 1));
	for (unsigned i = 0; i < MANY; i++)
		words[i] = ir_let(b, t_in(t, b, i));
	ir_do(b, ir_helper(b, GET_CURRENT_PID_TGID, 0));
	for (unsigned i = 0; i < MANY; i++)
		sum = ir_xor(b, ir_muli(b, sum, 3), words[i]);
	t_out(t, b, 0, ir_add(b, sum, ir_load(b, 8, slot, 0)));
}

const struct test whole_tests[] = {
	{ "lines", build_lines, expect_lines, .check = check_lines },
	{ "lines through O2", build_lines, expect_lines, .passes = "default<O2>" },
	{ "spilling", build_spill, .error = "stack limit", .error_line = 2 },
	{ "unknown pass", build_lines, .error = "LLVM: ", .passes = "nonsense" },
	{ NULL },
};
