/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session: one script on its way from text to ELF. What a failing stage
 * leaves undone stays NULL, so that the stages before it can still be looked at.
 */
#ifndef AT_SESSION_H
#define AT_SESSION_H

#include "frontend/check.h"
#include "frontend/plan.h"
#include "lib/run/host.h"

struct at_session {
	/* Given. */
	struct at_arena *arena;
	const struct at_lang *lang;
	struct at_options opts;
	struct at_source source; /* name and text live in the arena */
	struct at_host *host;
	const char *plugin; /* path of the code generator, or NULL: found by itself */
	/* Made. */
	struct at_diags diags;
	struct at_script *script;
	struct at_check check;
	bool checked;
	struct at_plan *plan;
	struct at_arena *code; /* of the plan's functions, or NULL */
	void *elf; /* malloc'ed */
	size_t elf_size;
};

/* 0; -EINVAL: the script has mistakes; else -errno. Diagnostics say why. */
int at_session_compile(struct at_session *s);
/* LLVM IR of a session with a plan, malloc'ed; 0 or -errno. */
int at_session_ir(struct at_session *s, char **out);
/* Version and path of the code generator; NULL after reporting. */
const char *at_session_codegen(struct at_session *s);
/* Frees what was made outside the arena: what only loading and looking inside need. */
void at_session_free(struct at_session *s);

#endif
