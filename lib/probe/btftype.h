/* SPDX-License-Identifier: Apache-2.0 */
/* Types of the kernel's BTF as types of the language. */
#ifndef AT_PROBE_BTFTYPE_H
#define AT_PROBE_BTFTYPE_H

#include "frontend/check.h"
#include "lib/run/btf.h"
#include "lib/run/host.h"

/* at_lang.kernel_struct: the struct or union with its fields; NULL when BTF has it not. */
const struct at_type *at_kernel_struct(struct at_check *c, const struct at_type *t);

/*
 * STRUCT of a tracepoint's arguments, a u64 each in the program's context.
 * Fields whose type cannot be read have none. NULL: not in this BTF.
 */
const struct at_type *at_btf_tracepoint(struct at_arena *a, const struct at_btf *btf,
					const char *name);

#endif
