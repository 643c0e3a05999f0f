/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entry: sets up LLVM for one compilation, runs the stages, takes it down.
 * LLVM reports what it cannot do in three ways: by return values, through the
 * context's diagnostic handler, and by a fatal error that must not return; all
 * become out->error here.
 */
#include "codegen/codegen.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <llvm-c/Analysis.h>
#include <llvm-c/Error.h>
#include <llvm-c/ErrorHandling.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>

#include "codegen/cg.h"

#define EXPORT __attribute__((visibility("default")))

#define DEFAULT_CPU "v3"
/*
 * Locals into registers, common expressions, no more: others make code no
 * smaller, cost time, and move pointer arithmetic in front of the check that
 * allows it (simplifycfg turns small branches into selects).
 */
#define DEFAULT_PASSES "function(sroa,early-cse)"

EXPORT extern const int apitrace_codegen_abi;
const int apitrace_codegen_abi = AT_CODEGEN_ABI;
EXPORT extern const char apitrace_codegen_version[];
const char apitrace_codegen_version[] = CG_LLVM;

EXPORT int apitrace_codegen(const struct at_plan *plan, const struct at_codegen_opts *opts,
			    unsigned want, struct at_codegen_result *out);

int cg_error(struct cg *cg, struct at_range range, const char *fmt, ...)
{
	va_list ap;

	if (cg->out->error)
		return -EINVAL;
	va_start(ap, fmt);
	if (vasprintf(&cg->out->error, fmt, ap) < 0)
		cg->out->error = NULL;
	va_end(ap);
	cg->out->error_range = range;
	return -EINVAL;
}

/* ---- Fatal errors ---- */

/*
 * LLVM has one handler per process, so this state is the process's: who is
 * compiling counts itself in, the first installs, the last takes it away.
 * The handler runs on the thread that compiles, and leaps back to its entry.
 */
static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned handler_users;
static _Thread_local struct {
	sigjmp_buf *back;
	struct cg *cg;
} compiling;

static void on_fatal(const char *reason)
{
	if (!compiling.back)
		return; /* not ours: LLVM goes on as it would have */
	cg_error(compiling.cg, (struct at_range){ 0, 0 }, "LLVM: %s", reason);
	siglongjmp(*compiling.back, 1);
}

static void guard(struct cg *cg, sigjmp_buf *back)
{
	pthread_mutex_lock(&handler_lock);
	if (!handler_users++)
		LLVMInstallFatalErrorHandler(on_fatal);
	pthread_mutex_unlock(&handler_lock);
	compiling.cg = cg;
	compiling.back = back;
}

static void unguard(void)
{
	compiling.back = NULL;
	pthread_mutex_lock(&handler_lock);
	if (!--handler_users)
		LLVMResetFatalErrorHandler();
	pthread_mutex_unlock(&handler_lock);
}

/* ---- Diagnostics ---- */

/* "FILE:LINE:COL: in function NAME i64 (i64): TEXT" is how the BPF target reports. */
static struct at_range named_range(struct cg *cg, const char *text, const char **rest)
{
	static const char mark[] = "in function ";
	const char *at = strstr(text, mark), *colon;
	unsigned line, column;

	*rest = text;
	if (!at)
		return (struct at_range){ 0, 0 };
	colon = strstr(at, ": ");
	if (colon)
		*rest = colon + 2;
	for (const char *p = text; p < at; p++)
		if (*p == ':' && sscanf(p, ":%u:%u:", &line, &column) == 2 && line)
			return cg_debug_range(cg, line, column);
	at += sizeof(mark) - 1;
	for (size_t i = 0; i < cg->plan->funcs.n; i++) {
		const struct at_ir_func *fn = cg->plan->funcs.v[i];
		size_t n = strlen(fn->name);

		if (strncmp(at, fn->name, n) == 0 && at[n] == ' ')
			return fn->range;
	}
	return (struct at_range){ 0, 0 };
}

static void on_diagnostic(LLVMDiagnosticInfoRef info, void *arg)
{
	struct cg *cg = arg;
	struct at_range range;
	const char *rest;
	char *text;

	if (LLVMGetDiagInfoSeverity(info) != LLVMDSError)
		return;
	text = LLVMGetDiagInfoDescription(info);
	range = named_range(cg, text, &rest);
	cg_error(cg, range, "LLVM: %s", rest);
	LLVMDisposeMessage(text);
}

/* ---- Stages ---- */

static void init_target(void)
{
	LLVMInitializeBPFTargetInfo();
	LLVMInitializeBPFTarget();
	LLVMInitializeBPFTargetMC();
	LLVMInitializeBPFAsmPrinter();
	LLVMInitializeBPFAsmParser(); /* for inline assembly */
}

#ifdef AT_LLVM_IS_OURS
/* What LLVM registered for the whole process goes with the plugin. A shared LLVM may have other
   users. */
__attribute__((destructor)) static void plugin_closes(void)
{
	LLVMShutdown();
}
#endif

static int make_machine(struct cg *cg)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const char *triple = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? "bpfel" : "bpfeb";
	LLVMTargetDataRef layout;
	LLVMTargetRef target;
	char *text = NULL;

	pthread_once(&once, init_target);
	if (LLVMGetTargetFromTriple(triple, &target, &text)) {
		cg_error(cg, (struct at_range){ 0, 0 }, "LLVM: %s", text);
		LLVMDisposeMessage(text);
		return -ENOTSUP;
	}
	cg->tm = LLVMCreateTargetMachine(target, triple, cg->opts.cpu, "",
					 LLVMCodeGenLevelDefault, LLVMRelocDefault,
					 LLVMCodeModelDefault);
	if (!cg->tm)
		return cg_error(cg, (struct at_range){ 0, 0 }, "LLVM cannot generate BPF %s",
				cg->opts.cpu);
	layout = LLVMCreateTargetDataLayout(cg->tm);
	LLVMSetModuleDataLayout(cg->mod, layout);
	LLVMDisposeTargetData(layout);
	LLVMSetTarget(cg->mod, triple);
	return 0;
}

static void make_context(struct cg *cg)
{
	cg->ctx = LLVMContextCreate();
	LLVMContextSetDiagnosticHandler(cg->ctx, on_diagnostic, cg);
	cg->mod = LLVMModuleCreateWithNameInContext("apitrace", cg->ctx);
	cg->b = LLVMCreateBuilderInContext(cg->ctx);
	cg->allocas = LLVMCreateBuilderInContext(cg->ctx);
	cg->i1 = LLVMInt1TypeInContext(cg->ctx);
	cg->i8 = LLVMInt8TypeInContext(cg->ctx);
	cg->i16 = LLVMInt16TypeInContext(cg->ctx);
	cg->i32 = LLVMInt32TypeInContext(cg->ctx);
	cg->i64 = LLVMInt64TypeInContext(cg->ctx);
	cg->pseudo = LLVMAddFunction(cg->mod, "llvm.bpf.pseudo", cg_func_type(cg, 2));
}

static int build(struct cg *cg)
{
	char *text = NULL;
	int err = cg_calls(cg);

	if (err)
		return err;
	make_context(cg);
	err = make_machine(cg);
	if (err)
		return err;
	cg_debug_begin(cg);
	cg_functions(cg);
	cg_debug_end(cg);
	if (LLVMVerifyModule(cg->mod, LLVMReturnStatusAction, &text))
		err = cg_error(cg, (struct at_range){ 0, 0 }, "LLVM: %s", text);
	LLVMDisposeMessage(text);
	return err;
}

static int optimise(struct cg *cg)
{
	LLVMPassBuilderOptionsRef o = LLVMCreatePassBuilderOptions();
	LLVMErrorRef e;
	char *text;

	LLVMPassBuilderOptionsSetLoopUnrolling(o, false);
	LLVMPassBuilderOptionsSetLoopVectorization(o, false);
	LLVMPassBuilderOptionsSetSLPVectorization(o, false);
	e = LLVMRunPasses(cg->mod, cg->opts.passes, cg->tm, o);
	LLVMDisposePassBuilderOptions(o);
	if (!e)
		return 0;
	text = LLVMGetErrorMessage(e);
	cg_error(cg, (struct at_range){ 0, 0 }, "LLVM: %s", text);
	LLVMDisposeErrorMessage(text);
	return -EINVAL;
}

static int emit(struct cg *cg)
{
	LLVMMemoryBufferRef buf = NULL;
	char *text = NULL;

	if (LLVMTargetMachineEmitToMemoryBuffer(cg->tm, cg->mod, LLVMObjectFile, &text, &buf)) {
		cg_error(cg, (struct at_range){ 0, 0 }, "LLVM: %s", text);
		LLVMDisposeMessage(text);
		return -EINVAL;
	}
	if (!cg->out->error) {
		cg->out->size = LLVMGetBufferSize(buf);
		cg->out->elf = malloc(cg->out->size);
		if (cg->out->elf)
			memcpy(cg->out->elf, LLVMGetBufferStart(buf), cg->out->size);
	}
	LLVMDisposeMemoryBuffer(buf);
	if (cg->out->error)
		return -EINVAL;
	return cg->out->elf ? 0 : -ENOMEM;
}

static int keep_text(struct cg *cg)
{
	char *text = LLVMPrintModuleToString(cg->mod);

	cg->out->ll = strdup(text);
	LLVMDisposeMessage(text);
	return cg->out->ll ? 0 : -ENOMEM;
}

static int compile(struct cg *cg, unsigned want)
{
	int err = build(cg);

	if (!err)
		err = optimise(cg);
	if (!err && want & AT_CODEGEN_WANT_LL)
		err = keep_text(cg);
	return err ? err : emit(cg);
}

static void release(struct cg *cg)
{
	cg_debug_free(cg);
	if (cg->b)
		LLVMDisposeBuilder(cg->b);
	if (cg->allocas)
		LLVMDisposeBuilder(cg->allocas);
	if (cg->tm)
		LLVMDisposeTargetMachine(cg->tm);
	if (cg->mod)
		LLVMDisposeModule(cg->mod);
	if (cg->ctx)
		LLVMContextDispose(cg->ctx);
}

/* After a fatal error LLVM's objects are in an unknown state: they are left, and lost. */
static int guarded(struct cg *cg, unsigned want)
{
	sigjmp_buf back;
	int err;

	guard(cg, &back);
	if (sigsetjmp(back, 0) == 0) {
		err = compile(cg, want);
		release(cg);
	} else {
		cg->debug.di = NULL;
		cg_debug_free(cg); /* the file is ours */
		err = -ENOTSUP;
	}
	unguard();
	return err;
}

static void take_opts(struct cg *cg, const struct at_codegen_opts *opts)
{
	size_t size = opts->sz < sizeof(cg->opts) ? opts->sz : sizeof(cg->opts);

	memcpy(&cg->opts, opts, size);
	if (!cg->opts.cpu)
		cg->opts.cpu = DEFAULT_CPU;
	if (!cg->opts.passes)
		cg->opts.passes = DEFAULT_PASSES;
}

int apitrace_codegen(const struct at_plan *plan, const struct at_codegen_opts *opts,
		     unsigned want, struct at_codegen_result *out)
{
	struct cg cg = { .plan = plan, .out = out, .debug.source_fd = -1 };
	int err;

	memset(out, 0, sizeof(*out));
	take_opts(&cg, opts);
	cg.arena = at_arena_new();
	if (!cg.arena)
		return cg_error(&cg, (struct at_range){ 0, 0 }, "no memory to compile in"),
		       -ENOMEM;
	err = guarded(&cg, want);
	at_arena_free(cg.arena);
	if (err && !out->error)
		cg_error(&cg, (struct at_range){ 0, 0 }, "compiling failed: %s",
			 strerror(-err));
	if (err) {
		free(out->elf);
		out->elf = NULL;
	}
	return err;
}
