/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pipeline on one screen: text -> AST -> checked AST -> plan -> ELF. The
 * last step is a plugin, opened for one compilation and closed again: LLVM is
 * large, and a script needs it once.
 */
#include "lib/session.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "frontend/lower.h"

/* ---- The plugin ---- */

/* Beside this library, as the build leaves both, or below, as they are installed: wherever that
   is, the library finds the plugin that belongs to it. */
static const char *beside(struct at_session *s)
{
	static const char *const folders[] = { "", "apitrace/" };
	Dl_info info;
	const char *slash, *path;

	if (!dladdr(beside, &info) || !info.dli_fname)
		return NULL;
	slash = strrchr(info.dli_fname, '/');
	for (size_t i = 0; slash && i < at_count(folders); i++) {
		path = at_sprintf(s->arena, "%.*s/%slibapitrace-llvm.so",
				  (int)(slash - info.dli_fname), info.dli_fname, folders[i]);
		if (!access(path, R_OK))
			return path;
	}
	return NULL;
}

static const char *plugin_path(struct at_session *s)
{
	if (!s->plugin)
		s->plugin = secure_getenv("APITRACE_PLUGIN");
	if (!s->plugin)
		s->plugin = beside(s);
	if (!s->plugin)
		s->plugin = AT_PLUGIN;
	return s->plugin;
}

static int no_plugin(struct at_session *s, const char *why)
{
	at_diag(&s->diags, AT_D_NO_PLUGIN, (struct at_range){ 0 },
		"the code generator cannot be used: %s", why);
	at_hint(&s->diags, "APITRACE_PLUGIN names the file libapitrace-llvm.so");
	return -ENOENT;
}

static int open_plugin(struct at_session *s, void **plugin, at_codegen_fn *fn)
{
	const char *path = plugin_path(s);
	const int *abi;

	*plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*plugin)
		return no_plugin(s, dlerror());
	abi = dlsym(*plugin, AT_CODEGEN_ABI_SYMBOL);
	*(void **)fn = dlsym(*plugin, AT_CODEGEN_SYMBOL);
	if (abi && *fn && *abi == AT_CODEGEN_ABI)
		return 0;
	dlclose(*plugin);
	return no_plugin(s, at_sprintf(s->arena, "%s belongs to another version", path));
}

const char *at_session_codegen(struct at_session *s)
{
	at_codegen_fn fn;
	void *plugin;
	const char *version, *text;

	if (open_plugin(s, &plugin, &fn))
		return NULL;
	version = dlsym(plugin, AT_CODEGEN_VERSION_SYMBOL);
	text = at_sprintf(s->arena, "%s (%s)", version ? version : "unknown", plugin_path(s));
	dlclose(plugin);
	return text;
}

/* Asked of the kernel only when there is a loop that needs the answer. */
static bool wants_may_goto(const struct at_session *s)
{
	for (size_t i = 0; i < s->plan->syms.n; i++)
		if (s->plan->syms.v[i].kind == AT_SYM_KCONST &&
		    strcmp(s->plan->syms.v[i].text, "may_goto") == 0)
			return at_host_has(s->host, "may_goto");
	for (size_t i = 0; i < s->plan->funcs.n; i++)
		if (s->plan->funcs.v[i]->kind == AT_FN_TRIP)
			return at_host_has(s->host, "may_goto");
	return false;
}

static int generate(struct at_session *s, unsigned want, struct at_codegen_result *out)
{
	struct at_codegen_opts opts = { .sz = sizeof(opts), .cpu = "v3" };
	at_codegen_fn fn = NULL;
	void *plugin;
	int err = open_plugin(s, &plugin, &fn);

	if (err)
		return err;
	opts.may_goto = wants_may_goto(s);
	err = fn(s->plan, &opts, want, out);
	dlclose(plugin);
	if (err)
		at_diag(&s->diags, AT_D_CODEGEN, out->error_range, "%s",
			out->error ? out->error : strerror(-err));
	free(out->error);
	out->error = NULL;
	return err;
}

/* ---- The pipeline ---- */

/* Where memory is not overcommitted the arena may be small. */
static bool fits(struct at_session *s)
{
	size_t len = s->source.len;

	if (len <= at_arena_script(s->arena) || len > AT_MAX_SCRIPT)
		return true;
	at_diag(&s->diags, AT_D_SCRIPT_COMPLEX, (struct at_range){ 0 },
		"there is memory to compile %zu bytes of script, this one has %zu",
		at_arena_script(s->arena), len);
	return false;
}

static bool parse(struct at_session *s)
{
	s->script = at_parse(s->arena, &s->diags, &s->source);
	return s->script;
}

static bool check(struct at_session *s)
{
	s->check = (struct at_check){
		.arena = s->arena, .diags = &s->diags, .lang = s->lang, .opts = &s->opts,
		.host = s->host, .script = s->script,
	};
	s->checked = true;
	return at_check(&s->check);
}

static bool lower(struct at_session *s)
{
	s->plan = at_plan_new(s->arena, &s->source);
	s->code = at_arena_new();
	if (s->code)
		s->plan->code = s->code;
	return at_lower(&s->check, s->plan);
}

int at_session_compile(struct at_session *s)
{
	struct at_codegen_result out = { 0 };
	int err;

	s->diags.arena = s->arena;
	s->diags.source = &s->source;
	s->diags.errors = 0; /* of calls out of order before: not the script's */
	if (!fits(s))
		return -ENOMEM;
	if (!parse(s) || !check(s) || !lower(s))
		return -EINVAL;
	err = generate(s, 0, &out);
	free(out.ll);
	s->elf = out.elf;
	s->elf_size = out.size;
	return err;
}

int at_session_ir(struct at_session *s, char **out)
{
	struct at_codegen_result result = { 0 };
	int err = generate(s, AT_CODEGEN_WANT_LL, &result);

	free(result.elf);
	*out = result.ll;
	return !err && !result.ll ? -ENOTSUP : err;
}

void at_session_free(struct at_session *s)
{
	free(s->elf);
	s->elf = NULL;
	if (s->code)
		s->plan->funcs.n = 0;
	at_arena_free(s->code);
	s->code = NULL;
}
