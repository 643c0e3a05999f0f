/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts of a handle. Each has its own arena, programs, maps and ring, so that one can come
 * and go while others run; what they share is the handle's: fd, callbacks, host, secret.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/handle.h"

enum {
	SPARE = 256 << 10
}; /* bytes of the arena left to a script that runs: diagnostics, no more */

/* ---- Making and freeing ---- */

static void prepare(struct apitrace_script *s)
{
	const struct apitrace_opts *o = &s->h->opts;

	s->session = (struct at_session){
		.arena = s->arena, .lang = &at_lang, .host = s->h->host, .plugin = o->plugin,
		.diags = { .arena = s->arena },
		.opts = {
			.params = o->params, .nparams = o->nparams, .unsafe = o->unsafe,
			.show_secrets = o->show_secrets, .event_time = o->event_time,
			.pid_filter = o->pid != 0,
		},
	};
	s->run = (struct at_run){
		.lang = &at_lang, .host = s->h->host, .diags = &s->session.diags, .pid = o->pid
	};
	s->render = (struct at_render){
		.run = &s->run,
		.write = o->write,
		.arg = o->arg,
		.sink = o->format == APITRACE_JSON ? &at_sink_json : &at_sink_text,
		.on_event = s->h->on_event ? at_script_deliver : NULL,
		.on_event_arg = s,
	};
}

static int take_opts(struct apitrace_script *s, const struct apitrace_script_opts *opts)
{
	s->session.opts.binds_maps = opts != NULL;
	if (!opts || !opts->params)
		return 0;
	s->session.opts.nparams = opts->nparams;
	return at_copy_params(s->arena, opts->params, opts->nparams, &s->session.opts.params);
}

struct apitrace_script *at_script_new(struct apitrace *h,
				      const struct apitrace_script_opts *opts)
{
	struct apitrace_script *s = calloc(1, sizeof(*s)), **last = &h->scripts;
	int err;

	if (!s)
		return NULL;
	s->h = h;
	while (*last)
		last = &(*last)->next;
	*last = s;
	s->arena = at_arena_new();
	err = s->arena ? 0 : -ENOMEM;
	if (!err) {
		prepare(s);
		err = take_opts(s, opts);
	}
	if (!err)
		return s;
	at_script_free(s);
	errno = -err;
	return NULL;
}

void at_script_free(struct apitrace_script *s)
{
	struct apitrace_script **p = &s->h->scripts;

	while (*p != s)
		p = &(*p)->next;
	*p = s->next;
	if (s->h->main == s)
		s->h->main = NULL;
	at_run_free(&s->run);
	at_session_free(&s->session);
	at_arena_free(s->arena);
	free(s);
}

/* ---- From text to running ---- */

int at_script_compile(struct apitrace_script *s, const char *name, const char *text, size_t len)
{
	struct at_source *src = &s->session.source;
	int err;

	src->name = at_strdup(s->arena, name ? name : "stdin");
	/* What is too long is refused by its length: the rest need not be looked at. */
	src->len = len > AT_MAX_SCRIPT ? AT_MAX_SCRIPT + 1 : len;
	src->text = at_strndup(s->arena, text ? text : "", text ? src->len : 0);
	err = at_session_compile(&s->session);
	s->run.plan = s->session.plan;
	if (err)
		return err;
	s->state = AT_COMPILED;
	at_script_describe(s);
	return 0;
}

/* -errno of the kernel's refusals, as the header promises them. */
static int load_error(const struct apitrace_script *s, int err)
{
	const struct at_diags *d = &s->session.diags;
	enum at_tag tag = d->list.n ? d->list.v[d->list.n - 1].tag : AT_D_COUNT;

	if (tag == AT_D_NO_PRIVILEGE)
		return -EPERM;
	return tag == AT_D_KERNEL_LACKS ? -ENOTSUP : err;
}

static int open_ring(struct apitrace_script *s)
{
	struct epoll_event e = { .events = EPOLLIN };
	int err = at_ring_open(&s->run);

	if (!err && epoll_ctl(s->h->epoll, EPOLL_CTL_ADD, at_ring_fd(&s->run), &e))
		err = -errno;
	if (err)
		at_diag(&s->session.diags, AT_D_LOAD_FAILED, (struct at_range){ 0 },
			"the ring buffer cannot be read: %s", strerror(-err));
	return err;
}

int at_script_load(struct apitrace_script *s)
{
	struct apitrace *h = s->h;
	int err;

	memcpy(s->run.secret, h->secret, sizeof(h->secret));
	err = at_run_load(&s->run, s->session.elf, s->session.elf_size, h->opts.log,
			  h->opts.arg);
	if (!err)
		err = open_ring(s);
	if (err)
		return load_error(s, err);
	memcpy(h->secret, s->run.secret, sizeof(h->secret));
	s->state = AT_LOADED;
	return 0;
}

unsigned at_script_probes(const struct apitrace_script *s)
{
	return s->run.plan ? s->run.plan->nprobes - s->run.skipped : 0;
}

int at_script_attach(struct apitrace_script *s)
{
	int err = at_run_attach(&s->run);

	if (err) {
		at_run_detach(&s->run);
		return load_error(s, err);
	}
	s->state = AT_ATTACHED;
	at_arena_trim(s->arena, SPARE);
	if (s->session.code)
		at_arena_trim(s->session.code, 0);
	if (!s->h->opts.quiet)
		s->render.sink->attached(&s->render, at_script_probes(s));
	return 0;
}

/* ---- Until the end ---- */

int at_script_stop(struct apitrace_script *s)
{
	int err;

	at_run_detach(&s->run);
	s->state = AT_STOPPED;
	err = at_ring_drain(&s->run, &s->render);
	epoll_ctl(s->h->epoll, EPOLL_CTL_DEL, at_ring_fd(&s->run), NULL);
	return err;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct at_plan *p = arg;

	return strcmp(p->maps.v[*(const unsigned *)a].name,
		      p->maps.v[*(const unsigned *)b].name);
}

/* Indexes of the script's maps in the order of their names; malloc'ed. */
static unsigned *sorted_maps(const struct at_plan *p, size_t *n)
{
	unsigned *order = malloc((p->maps.n + 1) * sizeof(*order));

	*n = 0;
	for (size_t i = 0; order && i < p->maps.n; i++)
		if (p->maps.v[i].script)
			order[(*n)++] = i;
	if (order)
		qsort_r(order, *n, sizeof(*order), by_name, (void *)p);
	return order;
}

/* bpftrace parts the maps from what came before by empty lines. */
static void report_gap(const struct apitrace_opts *o)
{
	if (o->format == APITRACE_TEXT && o->write)
		o->write(o->arg, "\n\n", 2);
}

static int report_maps(struct apitrace_script *s)
{
	size_t n;
	unsigned *order = sorted_maps(s->run.plan, &n);
	bool gap = false;
	int err = order ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		struct at_rows rows;

		err = at_map_read(&s->run, order[i], &rows);
		if (!err && rows.n && !gap) {
			report_gap(&s->h->opts);
			gap = true;
		}
		if (!err && rows.n)
			s->render.sink->map(&s->render, &rows, 0, 0);
		at_rows_free(&rows);
	}
	free(order);
	return err;
}

int at_script_report(struct apitrace_script *s)
{
	int err = 0;

	if (s->run.plan->config.print_maps_on_exit)
		err = report_maps(s);
	if (!err)
		s->render.sink->counters(&s->render, &s->run);
	return err ? err : at_render_error(&s->render);
}

/* ---- The interface ---- */

static int start(struct apitrace_script *s, const char *name, const char *text, size_t len,
		 const struct apitrace_script_opts *opts)
{
	int err = at_script_compile(s, name, text, len);

	if (!err && opts)
		err = at_script_bind(s, opts->binds, opts->nbinds);
	if (!err)
		err = at_need(s->h, s->run.pid >= 0, "apitrace_add", "apitrace_set_pid");
	if (!err)
		err = at_script_load(s);
	return err ? err : at_script_attach(s);
}

static int add(struct apitrace *h, const char *name, const char *text, size_t len,
	       const struct apitrace_script_opts *opts, struct apitrace_script **out)
{
	struct apitrace_script *s = at_script_new(h, opts);
	int err = s ? start(s, name, text, len, opts) : -errno;

	if (s) {
		at_diags_take(h, &s->session.diags, &s->told);
		at_session_free(&s->session);
	}
	if (s && err)
		at_script_free(s);
	*out = err ? NULL : s;
	return err;
}

int apitrace_add(struct apitrace *h, const char *name, const char *text, size_t len,
		 const struct apitrace_script_opts *opts, struct apitrace_script **out)
{
	struct apitrace_script_opts o = { 0 };
	int err = at_enter(h, "apitrace_add");

	*out = NULL;
	if (err)
		return err;
	at_diags_clear(h);
	if (opts && opts->sz < sizeof(size_t))
		return at_leave(h, -EINVAL);
	if (opts)
		memcpy(&o, opts, opts->sz < sizeof(o) ? opts->sz : sizeof(o));
	return at_leave(h, add(h, name, text, len, &o, out));
}

int apitrace_remove(struct apitrace_script *s)
{
	struct apitrace *h;
	int err;

	if (!s)
		return 0;
	h = s->h;
	err = at_enter(h, "apitrace_remove");
	if (err)
		return err;
	if (s->state == AT_ATTACHED)
		err = at_script_stop(s);
	at_diags_take(h, &s->session.diags, &s->told);
	at_script_free(s);
	return at_leave(h, err);
}

struct apitrace_script *apitrace_script_at(const struct apitrace *h, unsigned index)
{
	struct apitrace_script *s = h->scripts;

	while (s && index--)
		s = s->next;
	return s;
}

const char *apitrace_script_name(const struct apitrace_script *s)
{
	return s->session.source.name;
}

bool apitrace_script_exiting(const struct apitrace_script *s, int *code)
{
	if (code)
		*code = s->render.exit_code;
	return s->render.exiting || s->state == AT_STOPPED ||
	       (s->state == AT_ATTACHED && !at_run_waits(&s->run));
}

int apitrace_script_stop(struct apitrace_script *s)
{
	struct apitrace *h = s->h;
	int err = at_enter(h, "apitrace_script_stop");

	if (err)
		return err;
	err = at_need(h, s->state >= AT_ATTACHED, "apitrace_script_stop", "apitrace_attach");
	if (!err && s->state == AT_ATTACHED)
		err = at_script_stop(s);
	return at_leave(h, err);
}

int apitrace_script_report(struct apitrace_script *s)
{
	struct apitrace *h = s->h;
	int err = at_enter(h, "apitrace_script_report");

	if (err)
		return err;
	err = at_need(h, s->state >= AT_ATTACHED, "apitrace_script_report", "apitrace_attach");
	return at_leave(h, err ? err : at_script_report(s));
}
