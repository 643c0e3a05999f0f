/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code generator's one entry. It is a plugin (libapitrace-llvm.so), opened
 * only when a script has to be compiled: plan and options in, ELF bytes out.
 *
 * Contract of the ELF with the loader (lib/run/load.c):
 * - one section per AT_FN_PROG function, named "prog/NAME", symbol NAME at 0;
 *   all other functions in .text, local symbols named like the function.
 * - ld_imm64 with src 5: map index in imm (AT_IR_MAP). src 6: map index in imm,
 *   offset 0 (AT_IR_MAPVAL). src 7: index of a symbolic constant (AT_IR_SYM).
 * - calls by R_BPF_64_32, function addresses by R_BPF_64_64, both against the
 *   section's symbol with the place in imm, as LLVM writes local functions; an
 *   undefined symbol is a kfunc. NAME_loop is the callback of bpf_loop made of
 *   a REPEAT's function NAME.
 * - .BTF with FUNC and FUNC_PROTO only, .BTF.ext with func_info and line_info.
 *   Line numbers are those of the script; column 0 and line 0 where a node has
 *   no range.
 */
#ifndef AT_CODEGEN_H
#define AT_CODEGEN_H

#include "frontend/plan.h"

enum { AT_CODEGEN_ABI = 1 };

struct at_codegen_opts {
	size_t sz;
	bool may_goto;      /* REPEAT as may_goto loops; else bpf_loop */
	const char *cpu;    /* "v3" */
	const char *passes; /* NULL: the default pipeline */
};

struct at_codegen_result {
	void *elf;    /* malloc'ed; the caller frees */
	size_t size;
	char *ll;     /* LLVM IR as text when asked for, else NULL; malloc'ed */
	char *error;  /* malloc'ed sentence when it failed */
	struct at_range error_range; /* of the script, {0,0} if not known */
};

enum { AT_CODEGEN_WANT_LL = 1 };

/* 0 or -errno with out->error set. Thread-safe; keeps nothing between calls. */
typedef int (*at_codegen_fn)(const struct at_plan *plan, const struct at_codegen_opts *opts,
			     unsigned want, struct at_codegen_result *out);

/* Symbol names in the plugin. */
#define AT_CODEGEN_SYMBOL "apitrace_codegen"
#define AT_CODEGEN_ABI_SYMBOL "apitrace_codegen_abi" /* const int */
#define AT_CODEGEN_VERSION_SYMBOL "apitrace_codegen_version" /* const char[]: "LLVM 14.0.6" */

#endif
