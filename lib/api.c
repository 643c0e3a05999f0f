/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public interface: the only definitions of apitrace_*. Keeps the order of
 * calls, copies what it is given, and hands the work to session.c and lib/run.
 */
#include "lib/apitrace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "lib/look.h"
#include "lib/run/event.h"
#include "lib/session.h"
#include "lib/typed.h"

enum state { NEW, COMPILED, LOADED, ATTACHED, STOPPED };

static const char *const state_calls[] = { "apitrace_new", "apitrace_compile", "apitrace_load",
					   "apitrace_attach", "apitrace_stop" };

struct apitrace {
	struct apitrace_opts opts;
	struct at_arena *arena;
	struct at_host *host;
	struct at_session session;
	struct at_run run;
	struct at_render render;
	enum state state;
	bool compiled; /* apitrace_compile was called, with whatever outcome */
	void (*on_event)(void *arg, const struct apitrace_event *e);
	void *on_event_arg;
};

const char *apitrace_version(void)
{
	return PACKAGE_VERSION;
}

/* ---- Making and freeing ---- */

static void copy_opts(struct apitrace *h, const struct apitrace_opts *opts)
{
	const char **params;

	if (!opts)
		return;
	memcpy(&h->opts, opts, opts->sz < sizeof(h->opts) ? opts->sz : sizeof(h->opts));
	params = at_new_n(h->arena, const char *, h->opts.nparams + 1);
	for (size_t i = 0; i < h->opts.nparams; i++)
		params[i] = at_strdup(h->arena, h->opts.params[i]);
	h->opts.params = params;
	if (h->opts.plugin)
		h->opts.plugin = at_strdup(h->arena, h->opts.plugin);
}

static void prepare_session(struct apitrace *h)
{
	h->session = (struct at_session){
		.arena = h->arena, .lang = &at_lang, .host = h->host, .plugin = h->opts.plugin,
		.diags = { .arena = h->arena },
		.opts = {
			.params = h->opts.params, .nparams = h->opts.nparams,
			.unsafe = h->opts.unsafe, .show_secrets = h->opts.show_secrets,
			.pid_filter = h->opts.pid != 0,
		},
	};
	h->run = (struct at_run){ .lang = &at_lang, .host = h->host, .diags = &h->session.diags,
				  .pid = h->opts.pid };
	h->render = (struct at_render){
		.run = &h->run, .write = h->opts.write, .arg = h->opts.arg,
		.sink = h->opts.format == APITRACE_JSON ? &at_sink_json : &at_sink_text,
	};
}

struct apitrace *apitrace_new(const struct apitrace_opts *opts)
{
	struct apitrace *h;

	if (opts && (opts->sz < sizeof(size_t) || opts->format > APITRACE_JSON)) {
		errno = EINVAL;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->arena = at_arena_new();
	h->host = at_host_new();
	if (!h->arena || !h->host) {
		apitrace_free(h);
		errno = ENOMEM;
		return NULL;
	}
	copy_opts(h, opts);
	prepare_session(h);
	return h;
}

void apitrace_free(struct apitrace *h)
{
	if (!h)
		return;
	at_run_free(&h->run);
	at_session_free(&h->session);
	at_host_free(h->host);
	at_arena_free(h->arena);
	free(h);
}

/* ---- From text to running ---- */

/* -EINVAL and a diagnostic when a call comes out of its order. */
static int need(struct apitrace *h, bool in_order, const char *call, const char *after)
{
	if (in_order)
		return 0;
	at_diag(&h->session.diags, AT_D_CALL_ORDER, (struct at_range){ 0 },
		"%s was called out of order: it follows %s", call, after);
	return -EINVAL;
}

static int need_state(struct apitrace *h, enum state state, const char *call)
{
	return need(h, h->state == state, call, state_calls[state]);
}

int apitrace_compile(struct apitrace *h, const char *name, const char *text, size_t len)
{
	struct at_session *s = &h->session;
	int err = need(h, !h->compiled, "apitrace_compile", state_calls[NEW]);

	if (err)
		return err;
	h->compiled = true;
	s->source.name = at_strdup(h->arena, name ? name : "stdin");
	/* What is too long is refused by its length: the rest need not be looked at. */
	s->source.len = len > AT_MAX_SCRIPT ? AT_MAX_SCRIPT + 1 : len;
	s->source.text = at_strndup(h->arena, text, s->source.len);
	err = at_session_compile(s);
	h->run.plan = s->plan;
	if (!err)
		h->state = COMPILED;
	return err;
}

int apitrace_set_pid(struct apitrace *h, pid_t pid)
{
	int err = need(h, h->state <= COMPILED && pid > 0 &&
		       (!h->compiled || h->session.opts.pid_filter),
		       "apitrace_set_pid", "apitrace_new, with a pid (or -1) among its options");

	if (err)
		return err;
	h->run.pid = pid;
	h->session.opts.pid_filter = true;
	return 0;
}

/* -errno of the kernel's refusals, as the header promises them. */
static int load_error(const struct apitrace *h, int err)
{
	const struct at_diags *d = &h->session.diags;
	enum at_tag tag = d->list.n ? d->list.v[d->list.n - 1].tag : AT_D_COUNT;

	if (tag == AT_D_NO_PRIVILEGE)
		return -EPERM;
	return tag == AT_D_KERNEL_LACKS ? -ENOTSUP : err;
}

int apitrace_load(struct apitrace *h)
{
	int err = need_state(h, COMPILED, "apitrace_load");

	if (err)
		return err;
	err = need(h, h->run.pid >= 0, "apitrace_load", "apitrace_set_pid");
	if (err)
		return err;
	err = at_run_load(&h->run, h->session.elf, h->session.elf_size, h->opts.log, h->opts.arg);
	if (!err) {
		err = at_ring_open(&h->run);
		if (err)
			at_diag(&h->session.diags, AT_D_LOAD_FAILED, (struct at_range){ 0 },
				"the ring buffer cannot be read: %s", strerror(-err));
	}
	if (err)
		return load_error(h, err);
	h->state = LOADED;
	return 0;
}

int apitrace_attach(struct apitrace *h)
{
	int err = need_state(h, LOADED, "apitrace_attach");

	if (err)
		return err;
	err = at_run_attach(&h->run);
	if (err) {
		at_run_detach(&h->run);
		return load_error(h, err);
	}
	h->state = ATTACHED;
	if (!h->opts.quiet)
		h->render.sink->attached(&h->render, apitrace_probes(h));
	return 0;
}

unsigned apitrace_probes(const struct apitrace *h)
{
	return h->run.plan ? h->run.plan->nprobes - h->run.skipped : 0;
}

/* ---- While it runs ---- */

int apitrace_fd(const struct apitrace *h)
{
	return at_ring_fd(&h->run);
}

int apitrace_poll(struct apitrace *h, int timeout_ms)
{
	int err = need_state(h, ATTACHED, "apitrace_poll");

	return err ? err : at_ring_poll(&h->run, &h->render, timeout_ms);
}

int apitrace_consume(struct apitrace *h)
{
	int err = need(h, h->state == ATTACHED || h->state == STOPPED, "apitrace_consume",
		       state_calls[ATTACHED]);

	return err ? err : at_ring_consume(&h->run, &h->render);
}

bool apitrace_exiting(const struct apitrace *h, int *code)
{
	if (code)
		*code = h->render.exit_code;
	return h->render.exiting || (h->state == ATTACHED && !at_run_waits(&h->run));
}

int apitrace_stop(struct apitrace *h)
{
	int err = need_state(h, ATTACHED, "apitrace_stop"), n;

	if (err)
		return err;
	at_run_detach(&h->run);
	n = at_ring_consume(&h->run, &h->render);
	h->state = STOPPED;
	return n < 0 ? n : 0;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct at_plan *p = arg;

	return strcmp(p->maps.v[*(const unsigned *)a].name, p->maps.v[*(const unsigned *)b].name);
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
static void report_gap(struct apitrace *h)
{
	if (h->opts.format == APITRACE_TEXT && h->opts.write)
		h->opts.write(h->opts.arg, "\n\n", 2);
}

static int report_maps(struct apitrace *h)
{
	size_t n;
	unsigned *order = sorted_maps(h->run.plan, &n);
	bool gap = false;
	int err = order ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !err; i++) {
		struct at_rows rows;

		err = at_map_read(&h->run, order[i], &rows);
		if (!err && rows.n && !gap) {
			report_gap(h);
			gap = true;
		}
		if (!err && rows.n)
			h->render.sink->map(&h->render, &rows, 0, 0);
		at_rows_free(&rows);
	}
	free(order);
	return err;
}

int apitrace_report(struct apitrace *h)
{
	int err = need(h, h->state == ATTACHED || h->state == STOPPED, "apitrace_report",
		       state_calls[ATTACHED]);

	if (!err && h->run.plan->config.print_maps_on_exit)
		err = report_maps(h);
	if (!err)
		h->render.sink->counters(&h->render, &h->run);
	return err ? err : at_render_error(&h->render);
}

/* ---- Typed values ---- */

static int script_map(const struct apitrace *h, unsigned index)
{
	const struct at_plan *p = h->run.plan;

	for (size_t i = 0; p && i < p->maps.n; i++)
		if (p->maps.v[i].script && !index--)
			return i;
	return -ENOENT;
}

const char *apitrace_map_name(const struct apitrace *h, unsigned index)
{
	int i = script_map(h, index);

	return i < 0 ? NULL : h->run.plan->maps.v[i].name;
}

static int map_index(const struct apitrace *h, const char *name)
{
	const struct at_plan *p = h->run.plan;

	for (size_t i = 0; i < p->maps.n; i++)
		if (p->maps.v[i].script && !strcmp(p->maps.v[i].name, name))
			return i;
	return -ENOENT;
}

int apitrace_map_foreach(struct apitrace *h, const char *map,
			 int (*each)(void *arg, const struct apitrace_value *key,
				     const struct apitrace_value *value),
			 void *arg)
{
	int err = need(h, h->state >= LOADED, "apitrace_map_foreach", state_calls[LOADED]), i;
	struct at_arena *a;
	struct at_rows rows;

	if (err)
		return err;
	i = map_index(h, map);
	if (i < 0)
		return i;
	a = at_arena_new();
	if (!a)
		return -errno;
	err = at_map_read(&h->run, i, &rows);
	for (size_t k = 0; k < rows.n && !err && !at_arena_low(a); k++) {
		struct apitrace_value key = { 0 }, value = { 0 };

		if (rows.v[k].key)
			at_typed_value(a, rows.map->key, rows.v[k].key, &key);
		at_typed_view(a, &rows.v[k].view, &value);
		err = each(arg, rows.v[k].key ? &key : NULL, &value);
	}
	at_rows_free(&rows);
	at_arena_free(a);
	return err;
}

static void deliver(void *arg, const struct at_plan_event *e, const void *payload,
		    const char *text, size_t len)
{
	struct apitrace *h = arg;
	struct at_arena *a = at_arena_new();
	struct apitrace_event out = { .func = e->func, .text = text, .len = len };
	struct apitrace_value tuple = { 0 };

	if (!a)
		return;
	if (e->args)
		at_typed_value(a, e->args, payload, &tuple);
	if (tuple.kind == APITRACE_TUPLE) {
		out.args = tuple.items;
		out.nargs = tuple.n;
	}
	h->on_event(h->on_event_arg, &out);
	at_arena_free(a);
}

int apitrace_on_event(struct apitrace *h, void (*fn)(void *arg, const struct apitrace_event *e),
		      void *arg)
{
	h->on_event = fn;
	h->on_event_arg = arg;
	h->render.on_event = fn ? deliver : NULL;
	h->render.on_event_arg = h;
	return 0;
}

bool apitrace_counter(struct apitrace *h, unsigned index, struct apitrace_counter *out)
{
	const struct at_plan *p = h->run.plan;

	if (!p || index >= p->counters.n)
		return false;
	out->name = p->counters.v[index].name;
	out->text = p->counters.v[index].brief;
	out->value = h->state >= LOADED ? at_counter_read(&h->run, index) : 0;
	return true;
}

/* ---- Diagnostics ---- */

size_t apitrace_diag_count(const struct apitrace *h)
{
	return h->session.diags.list.n;
}

int apitrace_diag_get(struct apitrace *h, size_t index, struct apitrace_diag *out)
{
	static const enum apitrace_severity severities[] = {
		[AT_SEV_ERROR] = APITRACE_ERROR,
		[AT_SEV_WARNING] = APITRACE_WARNING,
		[AT_SEV_NOTE] = APITRACE_NOTE,
	};
	const struct at_source *src = h->session.source.text ? &h->session.source : NULL;
	const struct at_diag *d;
	struct at_place from, to;

	if (index >= h->session.diags.list.n)
		return -ENOENT;
	d = &h->session.diags.list.v[index];
	*out = (struct apitrace_diag){ .tag = at_tag_name(d->tag),
				       .severity = severities[d->severity],
				       .file = src ? src->name : NULL, .text = d->text,
				       .hint = d->hint };
	out->rendered = at_diag_render(h->arena, src, d);
	if (!src || !d->range.end)
		return 0;
	from = at_source_place(src, d->range.beg);
	to = at_source_place(src, d->range.end);
	out->line = from.line;
	out->column = from.column;
	out->end_line = to.line;
	out->end_column = to.column;
	return 0;
}

/* ---- Looking inside ---- */

int apitrace_dump(struct apitrace *h, const char *stage, char **out, size_t *len)
{
	int err = need(h, h->compiled, "apitrace_dump", state_calls[COMPILED]);
	size_t n;

	*out = NULL;
	return err ? err : at_session_dump(&h->session, stage, out, len ? len : &n);
}

int apitrace_list(struct apitrace *h, const char *search,
		  int (*each)(void *arg, const char *name), void *arg)
{
	return at_list(&at_lang, h->host, &h->session.diags, search ? search : "*", each, arg);
}

int apitrace_info(struct apitrace *h,
		  int (*each)(void *arg, const char *section, const char *name, const char *value),
		  void *arg)
{
	return at_session_info(&h->session, each, arg);
}

int apitrace_list_args(struct apitrace *h, const char *probe,
		       int (*each)(void *arg, const char *type, const char *name), void *arg)
{
	return at_list_args(&at_lang, h->host, probe, each, arg);
}

const char *apitrace_probe_name(const struct apitrace *h, unsigned index)
{
	const struct at_script *s = h->session.checked ? h->session.script : NULL;

	return s && index < s->clauses.n ? s->clauses.v[index]->points.v[0]->text : NULL;
}
