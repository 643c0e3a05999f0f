/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The code generator's own: state of one compilation, and what its files ask
 * of each other.
 *
 *	codegen.c  the entry: LLVM set up, errors caught, passes, ELF
 *	calls.c    which functions are needed, and does the stack suffice
 *	func.c     functions and statements
 *	expr.c     expressions
 *	memory.c   loads, stores, atomics, zeroing, copying
 *	debug.c    functions and lines for BTF
 *
 * What keeps LLVM from crashing or aborting: words are i64 and nothing else is
 * computed with; no sdiv, ctlz, cttz, memcpy, dynamic alloca, atomic load;
 * only C API calls that exist from LLVM 14 to 22.
 */
#ifndef AT_CODEGEN_CG_H
#define AT_CODEGEN_CG_H

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/TargetMachine.h>

#include "codegen/codegen.h"

enum {
	CG_STACK = 512, /* of a chain of calls, MAX_BPF_STACK */
	CG_FRAMES = 8,  /* MAX_CALL_FRAMES */
	CG_MAX_PARAMS = 5,
};

/* What calls.c finds out about a function of the plan, and what was made of it. */
struct cg_func {
	LLVMValueRef value; /* the function itself, when something calls it */
	LLVMValueRef thunk; /* the callback of bpf_loop that stands for it */
	bool called, thunked;
	enum { CG_NEW, CG_BUSY, CG_DONE } state;
	unsigned own;   /* bytes of its frame */
	unsigned below; /* most bytes of frames under it */
	unsigned depth; /* frames, its own included */
};

struct cg_debug {
	LLVMDIBuilderRef di;
	LLVMMetadataRef file, unit, word, scope;
	LLVMMetadataRef types[CG_MAX_PARAMS + 1];
	int source_fd;   /* memfd with the script's text, or -1 */
	uint32_t *lines; /* offsets where lines begin */
	size_t nlines;
};

/* One copy of a function's code: the function itself, or inlined into another. */
struct cg_body {
	const struct at_ir_func *fn;
	struct cg_body *outer;
	LLVMValueRef *locals, *slots;
	LLVMBasicBlockRef exit;        /* inlined: where return goes */
	LLVMValueRef result;           /* inlined: where return leaves its value */
	bool as_bool;                  /* return 0 or 1 only */
	LLVMBasicBlockRef head, after; /* of the innermost LOOP */
	bool broken;                   /* that loop has a break */
};

struct cg_slot {
	unsigned size;
	LLVMValueRef at;
};

struct cg {
	const struct at_plan *plan;
	struct at_codegen_opts opts;
	struct at_codegen_result *out;
	struct at_arena *arena;
	LLVMContextRef ctx;
	LLVMModuleRef mod;
	LLVMTargetMachineRef tm;
	LLVMBuilderRef b;       /* at the place being written */
	LLVMBuilderRef allocas; /* in the entry block of the function being written */
	AT_VEC(struct cg_slot) free_slots; /* of the host: of what was inlined and has ended */
	LLVMValueRef host;      /* LLVM function being written */
	LLVMTypeRef i1, i8, i16, i32, i64;
	LLVMValueRef pseudo;   /* llvm.bpf.pseudo */
	struct cg_func *funcs; /* by plan function */
	struct cg_body *body;
	struct cg_debug debug;
};

/* Keeps the first error; always returns -EINVAL. */
int cg_error(struct cg *cg, struct at_range range, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* calls.c: fills cg->funcs from the plan's programs on. 0, or -EINVAL with the error set. */
int cg_calls(struct cg *cg);
bool cg_inlined(const struct at_ir_func *fn);

/* func.c */
void cg_functions(struct cg *cg);
LLVMValueRef cg_inline(struct cg *cg, const struct at_ir_func *fn, LLVMValueRef *args);
LLVMTypeRef cg_func_type(struct cg *cg, unsigned nparams);
LLVMValueRef cg_alloca(struct cg *cg, unsigned words);
LLVMBasicBlockRef cg_block(struct cg *cg, const char *name);

/* expr.c */
LLVMValueRef cg_expr(struct cg *cg, const struct at_ir *e);
LLVMValueRef cg_cond(struct cg *cg, const struct at_ir *e); /* i1 */
LLVMValueRef cg_word(struct cg *cg, int64_t v);
LLVMValueRef cg_hide(struct cg *cg, LLVMValueRef v);
LLVMValueRef cg_budget(struct cg *cg); /* may_goto: not 0 while the program may go on looping */
LLVMValueRef cg_helper(struct cg *cg, int64_t id, LLVMValueRef *args, unsigned n);

/* memory.c */
LLVMValueRef cg_address(struct cg *cg, LLVMValueRef addr, int64_t off, unsigned width);
LLVMTypeRef cg_int(struct cg *cg, unsigned width);
LLVMValueRef cg_load(struct cg *cg, const struct at_ir *e);
LLVMValueRef cg_xadd(struct cg *cg, const struct at_ir *e);
LLVMValueRef cg_xchg(struct cg *cg, const struct at_ir *e);
LLVMValueRef cg_cmpxchg(struct cg *cg, const struct at_ir *e);
void cg_store(struct cg *cg, const struct at_ir *s);
void cg_atomic_add(struct cg *cg, const struct at_ir *s);
void cg_zero(struct cg *cg, const struct at_ir *s);
void cg_copy(struct cg *cg, const struct at_ir *s);

/* debug.c */
void cg_debug_begin(struct cg *cg);
void cg_debug_func(struct cg *cg, LLVMValueRef value, const char *name,
		   const struct at_ir_func *fn);
void cg_debug_at(struct cg *cg, struct at_range range);
void cg_debug_end(struct cg *cg);
void cg_debug_free(struct cg *cg);
/* The place LLVM names in a message, as a range of the script. */
struct at_range cg_debug_range(const struct cg *cg, unsigned line, unsigned column);

#endif
