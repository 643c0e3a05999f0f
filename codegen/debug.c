/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Debug information: as much as LLVM needs to write BTF of functions and
 * lines, and no more (no variables, no DWARF). LLVM takes the text of lines
 * from the source file, so the script is put into a memory file for it.
 * A unit where one function has no DISubprogram crashes LLVM: all have one.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "codegen/cg.h"

enum {
	DIRECTIVES_ONLY = 3, /* DICompileUnit::DebugDirectivesOnly, not named in the C API */
	DW_ATE_UNSIGNED = 7,
};

static void index_lines(struct cg *cg)
{
	const struct at_source *s = cg->plan->source;
	struct cg_debug *d = &cg->debug;
	size_t n = 1;

	for (size_t i = 0; s && i < s->len; i++)
		n += s->text[i] == '\n';
	d->lines = at_new_n(cg->arena, uint32_t, n);
	d->nlines = 1;
	for (size_t i = 0; s && i < s->len; i++)
		if (s->text[i] == '\n')
			d->lines[d->nlines++] = i + 1;
}

/* Without the file (no memfd, no space) only the text of lines is missing. */
static const char *source_file(struct cg *cg)
{
	const struct at_source *s = cg->plan->source;
	size_t done = 0;
	ssize_t n;

	cg->debug.source_fd = s ? memfd_create("script", MFD_CLOEXEC) : -1;
	if (cg->debug.source_fd < 0)
		return "script";
	while (done < s->len) {
		n = write(cg->debug.source_fd, s->text + done, s->len - done);
		if (n <= 0)
			break;
		done += n;
	}
	return at_sprintf(cg->arena, "/proc/self/fd/%d", cg->debug.source_fd);
}

static LLVMMetadataRef make_unit(struct cg *cg)
{
	static const char producer[] = "apitrace";

	return LLVMDIBuilderCreateCompileUnit(
		cg->debug.di, LLVMDWARFSourceLanguageC, cg->debug.file, producer,
		sizeof(producer) - 1, true, "", 0, 0, "", 0,
		(LLVMDWARFEmissionKind)DIRECTIVES_ONLY, 0, false, false, "", 0, "", 0);
}

static void mark_version(struct cg *cg)
{
	static const char key[] = "Debug Info Version";
	LLVMValueRef version = LLVMConstInt(cg->i32, LLVMDebugMetadataVersion(), false);

	LLVMAddModuleFlag(cg->mod, LLVMModuleFlagBehaviorWarning, key, sizeof(key) - 1,
			  LLVMValueAsMetadata(version));
}

void cg_debug_begin(struct cg *cg)
{
	LLVMMetadataRef types[CG_MAX_PARAMS + 1];
	struct cg_debug *d = &cg->debug;
	const char *name = source_file(cg);

	index_lines(cg);
	mark_version(cg);
	d->di = LLVMCreateDIBuilder(cg->mod);
	d->file = LLVMDIBuilderCreateFile(d->di, name, strlen(name), "", 0);
	d->unit = make_unit(cg);
	d->word = LLVMDIBuilderCreateBasicType(d->di, "u64", 3, 64, DW_ATE_UNSIGNED,
					       LLVMDIFlagZero);
	for (unsigned i = 0; i <= CG_MAX_PARAMS; i++) {
		types[i] = d->word; /* the result, then params */
		d->types[i] = LLVMDIBuilderCreateSubroutineType(d->di, d->file, types, i + 1,
								LLVMDIFlagZero);
	}
}

/* Line and column from 1, of an offset into the script. */
static void place(const struct cg_debug *d, uint32_t offset, unsigned *line, unsigned *column)
{
	size_t lo = 0, hi = d->nlines;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (d->lines[mid] <= offset)
			lo = mid;
		else
			hi = mid;
	}
	*line = lo + 1;
	*column = offset - d->lines[lo] + 1;
}

struct at_range cg_debug_range(const struct cg *cg, unsigned line, unsigned column)
{
	uint32_t at;

	if (line < 1 || line > cg->debug.nlines)
		return (struct at_range){ 0, 0 };
	at = cg->debug.lines[line - 1] + (column ? column - 1 : 0);
	return (struct at_range){ at, at + 1 };
}

static const char *param_name(const struct cg *cg, const struct at_ir_func *fn, unsigned i)
{
	return fn->kind == AT_FN_PROG ? "ctx" : at_sprintf(cg->arena, "a%u", i);
}

/* A param as the kernel is told of it: a number, or the address of so many bytes. */
static LLVMMetadataRef param_type(struct cg_debug *d, const struct at_ir_func *fn, unsigned i)
{
	LLVMMetadataRef range, array;

	if (!fn->by_itself || !fn->mem[i])
		return d->word;
	range = LLVMDIBuilderGetOrCreateSubrange(d->di, 0, fn->mem[i] / 8);
	array = LLVMDIBuilderCreateArrayType(d->di, (uint64_t)fn->mem[i] * 8, 64, d->word, &range,
					     1);
	return LLVMDIBuilderCreatePointerType(d->di, array, 64, 0, 0, "", 0);
}

/* The kernel refuses functions whose params have no names in BTF. */
static void name_params(struct cg *cg, LLVMMetadataRef sub, const struct at_ir_func *fn,
			unsigned line)
{
	struct cg_debug *d = &cg->debug;

	for (unsigned i = 0; i < fn->nparams; i++) {
		const char *name = param_name(cg, fn, i);

		LLVMDIBuilderCreateParameterVariable(d->di, sub, name, strlen(name), i + 1,
						     d->file, line, param_type(d, fn, i),
						     true, LLVMDIFlagZero);
	}
}

static LLVMMetadataRef func_type(struct cg_debug *d, const struct at_ir_func *fn)
{
	LLVMMetadataRef types[CG_MAX_PARAMS + 1] = { d->word };

	if (!fn->by_itself)
		return d->types[fn->nparams];
	for (unsigned i = 0; i < fn->nparams; i++)
		types[i + 1] = param_type(d, fn, i);
	return LLVMDIBuilderCreateSubroutineType(d->di, d->file, types, fn->nparams + 1,
						 LLVMDIFlagZero);
}

void cg_debug_func(struct cg *cg, LLVMValueRef value, const char *name,
		   const struct at_ir_func *fn)
{
	struct cg_debug *d = &cg->debug;
	unsigned line = 0, column;
	LLVMMetadataRef sub;

	if (fn->range.end)
		place(d, fn->range.beg, &line, &column);
	sub = LLVMDIBuilderCreateFunction(d->di, d->file, name, strlen(name), "", 0, d->file,
					  line, func_type(d, fn),
					  fn->kind != AT_FN_PROG && !fn->by_itself,
					  true, line, LLVMDIFlagZero, true);
	name_params(cg, sub, fn, line);
	LLVMSetSubprogram(value, sub);
}

void cg_debug_at(struct cg *cg, struct at_range range)
{
	struct cg_debug *d = &cg->debug;
	unsigned line = 0, column = 0;

	if (range.end)
		place(d, range.beg, &line, &column);
	LLVMSetCurrentDebugLocation2(
		cg->b, LLVMDIBuilderCreateDebugLocation(cg->ctx, line, column, d->scope, NULL));
}

void cg_debug_end(struct cg *cg)
{
	LLVMDIBuilderFinalize(cg->debug.di);
}

void cg_debug_free(struct cg *cg)
{
	if (cg->debug.di)
		LLVMDisposeDIBuilder(cg->debug.di);
	if (cg->debug.source_fd >= 0)
		close(cg->debug.source_fd);
}
