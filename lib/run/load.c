/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings a plan into the kernel: fills in symbolic constants, has programs
 * linked, loads them. Which ones, sets.c knows.
 */
#include "lib/run/load.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/run/event.h"
#include "lib/run/loader.h"

enum { LOG_BYTES = 16 << 20 }; /* only touched as far as the kernel writes */

static const struct {
	enum bpf_prog_type type;
	enum bpf_attach_type expected;
	const char *prefix; /* of the kernel's BTF name; NULL: none is needed */
	unsigned kind;
	const char *what;
} kinds[] = {
	[AT_PROG_RAW_TP] = { BPF_PROG_TYPE_RAW_TRACEPOINT },
	[AT_PROG_TP_BTF] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "btf_trace_",
			     BTF_KIND_TYPEDEF, "tracepoint" },
	[AT_PROG_TRACEPOINT] = { BPF_PROG_TYPE_TRACEPOINT },
	[AT_PROG_PERF_EVENT] = { BPF_PROG_TYPE_PERF_EVENT },
	[AT_PROG_ITER] = { BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_", BTF_KIND_FUNC,
			   "iterator" },
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void at_run_log(const struct at_run *run, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!run->links || !run->links->log)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	run->links->log(run->links->log_arg, line);
}

void at_failure_report(struct at_run *run, const struct at_failure *f)
{
	if (!f->text)
		return;
	at_diag(run->diags, f->tag, f->range, "%s", f->text);
	if (f->hint)
		at_hint(run->diags, "%s", f->hint);
}

static int fail(struct at_failure *f, enum at_tag tag, struct at_range range, int err,
		const char *text)
{
	*f = (struct at_failure){ .tag = tag, .range = range, .text = text, .err = err };
	return err;
}

/* ---- What the linker asks ---- */

static int map_fd(void *arg, uint32_t map)
{
	const struct at_loading *l = arg;

	return map < l->run->plan->maps.n ? l->run->map_fds[map] : -EINVAL;
}

static int lacks(struct at_loading *l, const char *what, const char *name)
{
	struct at_run *run = l->run;
	const struct at_provider *p = at_lang_provider(run->lang, l->prog->provider);
	const char *text = at_sprintf(run->diags->arena,
				      "%s needs the %s %s, which this kernel does not have",
				      l->prog->probe, what, name);

	fail(&l->failure, AT_D_KERNEL_LACKS, l->prog->range, -ENOTSUP, text);
	if (l->prog->needs)
		l->failure.hint = at_sprintf(run->diags->arena, "%s needs %s",
					     l->prog->alternative, l->prog->needs);
	else if (p && p->needs)
		l->failure.hint = at_sprintf(run->diags->arena, "%s needs %s", p->name, p->needs);
	return -ENOTSUP;
}

static int btf_offset(struct at_loading *l, const struct at_plan_sym *s, uint64_t *value)
{
	unsigned offset = 0;

	if (at_host_btf_offset(l->run->host, s->text, &offset))
		return lacks(l, "kernel type", s->text);
	*value = offset;
	return 0;
}

static int sym_value(void *arg, uint32_t index, uint64_t *value)
{
	struct at_loading *l = arg;
	const struct at_run *run = l->run;
	const struct at_plan_sym *s;

	if (index >= run->plan->syms.n)
		return -EINVAL;
	s = &run->plan->syms.v[index];
	switch (s->kind) {
	case AT_SYM_CONST:
		*value = s->num;
		return 0;
	case AT_SYM_BTF_OFFSET:
		return btf_offset(l, s, value);
	case AT_SYM_SECRET:
		*value = run->secret[s->num & 1];
		return 0;
	case AT_SYM_PID:
		*value = run->pid;
		return 0;
	case AT_SYM_SELF:
		*value = getpid();
		return 0;
	case AT_SYM_NCPUS:
		*value = run->ncpus;
		return 0;
	case AT_SYM_START:
		*value = run->start_ns;
		return 0;
	case AT_SYM_WALL:
		*value = run->wall_ns;
		return 0;
	case AT_SYM_KCONST:
		*value = at_host_has(run->host, s->text);
		return 0;
	}
	return -EINVAL;
}

static int kfunc_id(void *arg, const char *name)
{
	struct at_loading *l = arg;
	int id = at_host_btf_id(l->run->host, BTF_KIND_FUNC, name);

	return id > 0 ? id : lacks(l, "kernel function", name);
}

/* ---- Programs ---- */

static int target_id(struct at_loading *l)
{
	const struct at_plan_prog *g = l->prog;
	char name[160];
	int id;

	if (!kinds[g->kind].prefix || !g->target)
		return 0;
	snprintf(name, sizeof(name), "%s%s", kinds[g->kind].prefix, g->target);
	id = at_host_btf_id(l->run->host, kinds[g->kind].kind, name);
	return id > 0 ? id : lacks(l, kinds[g->kind].what, g->target);
}

static int prog_load(const struct at_loading *l, const struct at_linked *code,
		     struct bpf_prog_load_opts *o)
{
	const struct at_plan_prog *g = l->prog;
	const char *license = l->run->plan->config.license;
	char name[16];

	license = license ? license : "GPL";
	snprintf(name, sizeof(name), "%.15s", g->name);
	if (code->nfuncs && l->btf_fd >= 0) {
		o->prog_btf_fd = l->btf_fd;
		o->func_info = code->funcs;
		o->func_info_cnt = code->nfuncs;
		o->func_info_rec_size = sizeof(*code->funcs);
		o->line_info = code->nlines ? code->lines : NULL;
		o->line_info_cnt = code->nlines;
		o->line_info_rec_size = code->nlines ? sizeof(*code->lines) : 0;
	}
	return bpf_prog_load(kinds[g->kind].type, name, license, code->insns, code->n, o);
}

/* The same load once more, with a log, to learn why. */
static int explain(struct at_loading *l, const struct at_linked *code, struct bpf_prog_load_opts *o,
		   int err)
{
	struct at_arena *a = l->run->diags->arena;
	const char *missing = err == -EPERM ? at_privilege_missing(a, "load BPF programs") : NULL;
	char *log = NULL;
	int fd;

	if (missing)
		return fail(&l->failure, AT_D_NO_PRIVILEGE, (struct at_range){ 0 }, err, missing);
	log = calloc(1, LOG_BYTES);
	if (log) {
		o->log_level = 1;
		o->log_buf = log;
		o->log_size = LOG_BYTES;
		fd = prog_load(l, code, o);
		if (fd >= 0)
			close(fd);
	}
	l->failure.err = err;
	at_verifier_explain(l->run, l->prog, code, log ? log : (char[]){ "" }, &l->failure);
	free(log);
	return err;
}

static int load_linked(struct at_loading *l, const struct at_linked *code)
{
	LIBBPF_OPTS(bpf_prog_load_opts, o);
	int id = target_id(l), fd;

	if (id < 0)
		return id;
	o.expected_attach_type = kinds[l->prog->kind].expected;
	o.attach_btf_id = id;
	fd = prog_load(l, code, &o);
	return fd < 0 ? explain(l, code, &o, fd) : fd;
}

int at_prog_load(struct at_loading *l, const struct at_plan_prog *g)
{
	struct at_link_env env = { l, map_fd, sym_value, kfunc_id, l->file_name };
	struct at_linked code;
	uint64_t begun;
	int err, fd;

	l->prog = g;
	l->failure.err = 0;
	err = at_link(&l->elf, g->name, &env, &code);
	if (err && !l->failure.err)
		fail(&l->failure, AT_D_LOAD_FAILED, g->range, err,
		     at_sprintf(l->run->diags->arena, "the program of %s cannot be linked: %s",
				g->probe, strerror(-err)));
	if (err)
		return err;
	begun = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	fd = load_linked(l, &code);
	if (fd >= 0)
		at_run_log(l->run, "%s: %u instructions loaded in %.1f ms", g->name, code.n,
			   (clock_ns(CLOCK_THREAD_CPUTIME_ID) - begun) / 1e6);
	at_linked_free(&code);
	return fd;
}

/* ---- The run ---- */

static int *new_fds(size_t n)
{
	int *fds = malloc((n + 1) * sizeof(*fds));

	for (size_t i = 0; fds && i <= n; i++)
		fds[i] = -1;
	return fds;
}

static int prepare(struct at_run *run)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	if (!run->secret[0] && !run->secret[1] &&
	    getrandom(run->secret, sizeof(run->secret), 0) != sizeof(run->secret))
		return -errno;
	run->start_ns = clock_ns(CLOCK_BOOTTIME);
	run->wall_ns = clock_ns(CLOCK_REALTIME) - run->start_ns;
	run->ncpus = at_host_ncpus_possible(run->host);
	if (run->ncpus <= 0)
		return run->ncpus ? run->ncpus : -EINVAL;
	run->map_fds = new_fds(run->plan->maps.n);
	run->prog_fds = new_fds(run->plan->progs.n);
	if (!run->map_fds || !run->prog_fds)
		return -ENOMEM;
	setrlimit(RLIMIT_MEMLOCK, &all); /* wanted before 5.11, and not to be had everywhere */
	return 0;
}

/* Our types are added to what the code generator wrote; without it they stand alone. */
static int open_btf(struct at_loading *l)
{
	const struct at_source *src = l->run->plan->source;
	int off;

	l->btf = l->elf.btf ? btf__new(l->elf.btf, l->elf.btf_size) : btf__new_empty();
	if (!l->btf)
		return -errno;
	off = btf__add_str(l->btf, src && src->name ? src->name : "script");
	l->file_name = off > 0 ? off : 0;
	return 0;
}

static int load_all(struct at_loading *l, const void *elf, size_t size)
{
	int err = at_elf_open(&l->elf, elf, size);

	if (!err)
		err = open_btf(l);
	if (err)
		return err;
	at_maps_types(l);
	err = at_set_load(l, NULL);
	if (!err)
		err = at_alternative_load(l);
	return err;
}

int at_run_load(struct at_run *run, const void *elf, size_t size,
		void (*log)(void *arg, const char *line), void *arg)
{
	struct at_loading *l;
	int err;

	run->links = calloc(1, sizeof(*run->links));
	l = calloc(1, sizeof(*l));
	if (!run->links || !l) {
		free(l);
		return -ENOMEM;
	}
	*l = (struct at_loading){ .run = run, .btf_fd = -1 };
	run->links->loading = l;
	run->links->log = log;
	run->links->log_arg = arg;
	err = prepare(run);
	if (!err)
		err = load_all(l, elf, size);
	if (err && !l->failure.err)
		fail(&l->failure, AT_D_LOAD_FAILED, (struct at_range){ 0 }, err,
		     at_sprintf(run->diags->arena, "the programs cannot be loaded: %s",
				strerror(-err)));
	if (err)
		at_failure_report(run, &l->failure);
	return err;
}

void at_loading_end(struct at_run *run)
{
	struct at_loading *l = run->links ? run->links->loading : NULL;

	if (!l)
		return;
	if (l->btf_fd >= 0)
		close(l->btf_fd);
	btf__free(l->btf);
	at_elf_close(&l->elf);
	free(l);
	run->links->loading = NULL;
}

static void close_fds(int *fds, size_t n)
{
	for (size_t i = 0; fds && i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

void at_run_free(struct at_run *run)
{
	at_run_detach(run);
	at_loading_end(run);
	at_ring_close(run);
	close_fds(run->prog_fds, run->plan ? run->plan->progs.n : 0);
	close_fds(run->map_fds, run->plan ? run->plan->maps.n : 0);
	run->prog_fds = run->map_fds = NULL;
	if (run->links)
		free(run->links->v);
	free(run->links);
	run->links = NULL;
}
