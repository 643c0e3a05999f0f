/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public interface: the handle and its first script in steps. Keeps the order of calls,
 * copies what it is given, and hands the work to script.c, session.c and lib/run.
 */
#include "lib/apitrace.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "config.h"
#include "lib/handle.h"
#include "lib/look.h"

enum { ROOM = 16 << 20, PARAMS = 1 << 20 }; /* bytes */

static const char *const state_calls[] = { "apitrace_new", "apitrace_compile", "apitrace_load",
					   "apitrace_attach", "apitrace_stop" };

const char *apitrace_version(void)
{
	return PACKAGE_VERSION;
}

/* ---- Making and freeing ---- */

int at_copy_params(struct at_arena *a, const char *const *params, size_t n,
		   const char *const **out)
{
	size_t size = 0;
	const char **copy;

	for (size_t i = 0; i < n; i++) {
		size += sizeof(*copy) + strlen(params[i]) + 1;
		if (size > PARAMS)
			return -E2BIG;
	}
	copy = at_new_n(a, const char *, n + 1);
	for (size_t i = 0; i < n; i++)
		copy[i] = at_strdup(a, params[i]);
	*out = copy;
	return 0;
}

static int copy_opts(struct apitrace *h, const struct apitrace_opts *opts)
{
	if (!opts)
		return 0;
	memcpy(&h->opts, opts, opts->sz < sizeof(h->opts) ? opts->sz : sizeof(h->opts));
	if (h->opts.plugin)
		h->opts.plugin = at_strdup(h->arena, h->opts.plugin);
	return at_copy_params(h->arena, h->opts.params, h->opts.nparams, &h->opts.params);
}

static int prepare(struct apitrace *h, const struct apitrace_opts *opts)
{
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll < 0)
		return -errno;
	h->arena = at_arena_sized(ROOM);
	h->host = at_host_new();
	if (!h->arena || !h->host)
		return -ENOMEM;
	return copy_opts(h, opts);
}

struct apitrace *apitrace_new(const struct apitrace_opts *opts)
{
	struct apitrace *h;
	int err;

	if (opts && (opts->sz < sizeof(size_t) || opts->format > APITRACE_JSON)) {
		errno = EINVAL;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	err = prepare(h, opts);
	if (!err)
		return h;
	apitrace_free(h);
	errno = -err;
	return NULL;
}

void apitrace_free(struct apitrace *h)
{
	if (!h)
		return;
	h->freed = h->busy;
	if (h->busy)
		return;
	while (h->scripts)
		at_script_free(h->scripts);
	at_diags_clear(h);
	at_host_free(h->host);
	at_arena_free(h->arena);
	if (h->epoll >= 0)
		close(h->epoll);
	free(h);
}

/* ---- The order of calls ---- */

static void say_order(struct apitrace *h, const char *text)
{
	size_t mark = at_arena_mark(h->arena), told = 0;
	struct at_diags d = { .arena = h->arena };

	at_diag(&d, AT_D_CALL_ORDER, (struct at_range){ 0 }, "%s", text);
	at_diags_take(h, &d, &told);
	at_arena_release(h->arena, mark);
}

int at_need(struct apitrace *h, bool in_order, const char *call, const char *after)
{
	char text[160];

	if (in_order)
		return 0;
	snprintf(text, sizeof(text), "%s was called out of order: it follows %s", call, after);
	say_order(h, text);
	return -EINVAL;
}

int at_enter(struct apitrace *h, const char *call)
{
	char text[160];

	if (!h->busy) {
		h->busy = 1;
		return 0;
	}
	snprintf(text, sizeof(text), "%s was called within a callback of the handle", call);
	say_order(h, text);
	return -EBUSY;
}

int at_leave(struct apitrace *h, int result)
{
	struct apitrace_script *next;

	for (struct apitrace_script *s = h->scripts; s; s = next) {
		next = s->next;
		at_diags_take(h, &s->session.diags, &s->told);
	}
	if (h->untold && result <= 0)
		result = -ENOMEM;
	h->untold = false;
	if (h->busy)
		h->busy--;
	if (!h->busy && h->freed)
		apitrace_free(h);
	return result;
}

static enum at_state main_state(const struct apitrace *h)
{
	return h->main ? h->main->state : AT_NEW;
}

static int need_state(struct apitrace *h, enum at_state state, const char *call)
{
	return at_need(h, main_state(h) == state, call, state_calls[state]);
}

/* Some script was attached. */
static int need_attached(struct apitrace *h, const char *call)
{
	bool found = false;

	for (const struct apitrace_script *s = h->scripts; s; s = s->next)
		found |= s->state >= AT_ATTACHED;
	return at_need(h, found, call, "apitrace_attach or apitrace_add");
}

/* ---- From text to running ---- */

static int compile(struct apitrace *h, const char *name, const char *text, size_t len)
{
	int err = at_need(h, !h->main, "apitrace_compile", state_calls[AT_NEW]);

	if (err)
		return err;
	at_diags_clear(h);
	h->main = at_script_new(h, NULL);
	return h->main ? at_script_compile(h->main, name, text, len) : -errno;
}

int apitrace_compile(struct apitrace *h, const char *name, const char *text, size_t len)
{
	int err = at_enter(h, "apitrace_compile");

	return err ? err : at_leave(h, compile(h, name, text, len));
}

/* A script compiled without a pid filter cannot get one. */
static bool pid_may_come(const struct apitrace *h)
{
	bool may = h->opts.pid || !h->scripts;

	for (const struct apitrace_script *s = h->scripts; s; s = s->next)
		may &= s->state <= AT_COMPILED;
	return may;
}

static int set_pid(struct apitrace *h, pid_t pid)
{
	int err = at_need(h, pid > 0 && pid_may_come(h), "apitrace_set_pid",
			  "apitrace_new, with a pid (or -1) among its options");

	if (err)
		return err;
	h->opts.pid = pid;
	if (h->main)
		h->main->run.pid = pid;
	return 0;
}

int apitrace_set_pid(struct apitrace *h, pid_t pid)
{
	int err = at_enter(h, "apitrace_set_pid");

	return err ? err : at_leave(h, set_pid(h, pid));
}

int apitrace_load(struct apitrace *h)
{
	int err = at_enter(h, "apitrace_load");

	if (err)
		return err;
	err = need_state(h, AT_COMPILED, "apitrace_load");
	if (!err)
		err = at_need(h, h->main->run.pid >= 0, "apitrace_load", "apitrace_set_pid");
	return at_leave(h, err ? err : at_script_load(h->main));
}

int apitrace_attach(struct apitrace *h)
{
	int err = at_enter(h, "apitrace_attach");

	if (err)
		return err;
	err = need_state(h, AT_LOADED, "apitrace_attach");
	return at_leave(h, err ? err : at_script_attach(h->main));
}

/* ---- While they run ---- */

int apitrace_fd(const struct apitrace *h)
{
	return h->epoll;
}

static bool runs(const struct apitrace *h)
{
	for (const struct apitrace_script *s = h->scripts; s; s = s->next)
		if (s->state == AT_ATTACHED)
			return true;
	return false;
}

/* Every script has its turn, whatever another's events come to. */
static int consume(struct apitrace *h)
{
	int sum = 0, err = 0;

	for (struct apitrace_script *s = h->scripts; s; s = s->next) {
		int n = s->state == AT_ATTACHED ? at_ring_consume(&s->run, &s->render) : 0;

		if (n >= 0 && s->render.exiting && s->state == AT_ATTACHED)
			err = err ? err : at_script_stop(s);
		if (n < 0)
			err = err ? err : n;
		else
			sum += n;
	}
	return err ? err : sum;
}

static int wait_for(struct apitrace *h, int timeout_ms)
{
	struct pollfd p = { .fd = h->epoll, .events = POLLIN };

	return runs(h) && poll(&p, 1, timeout_ms) < 0 ? -errno : 0;
}

int apitrace_poll(struct apitrace *h, int timeout_ms)
{
	int err = at_enter(h, "apitrace_poll");

	if (err)
		return err;
	err = need_attached(h, "apitrace_poll");
	if (!err)
		err = wait_for(h, timeout_ms);
	return at_leave(h, err ? err : consume(h));
}

int apitrace_consume(struct apitrace *h)
{
	int err = at_enter(h, "apitrace_consume");

	if (err)
		return err;
	err = need_attached(h, "apitrace_consume");
	return at_leave(h, err ? err : consume(h));
}

bool apitrace_exiting(const struct apitrace *h, int *code)
{
	bool ran = false, all = true, called = false;

	if (code)
		*code = 0;
	for (const struct apitrace_script *s = h->scripts; s; s = s->next) {
		if (s->state < AT_ATTACHED)
			continue;
		ran = true;
		all &= apitrace_script_exiting(s, NULL);
		if (s->render.exiting && !called && code)
			*code = s->render.exit_code;
		called |= s->render.exiting;
	}
	return ran && all;
}

int apitrace_stop(struct apitrace *h)
{
	int err = at_enter(h, "apitrace_stop");

	if (err)
		return err;
	err = need_attached(h, "apitrace_stop");
	for (struct apitrace_script *s = h->scripts; s; s = s->next) {
		int e = s->state == AT_ATTACHED ? at_script_stop(s) : 0;

		err = err ? err : e;
	}
	return at_leave(h, err);
}

int apitrace_report(struct apitrace *h)
{
	int err = at_enter(h, "apitrace_report");

	if (err)
		return err;
	err = need_attached(h, "apitrace_report");
	for (struct apitrace_script *s = h->scripts; s && !err; s = s->next)
		if (s->state >= AT_ATTACHED)
			err = at_script_report(s);
	return at_leave(h, err);
}

/* ---- Looking inside ---- */

int apitrace_dump(struct apitrace *h, const char *stage, char **out, size_t *len)
{
	int err = at_need(h, h->main, "apitrace_dump", state_calls[AT_COMPILED]);
	size_t n;

	*out = NULL;
	if (!err)
		err = at_session_dump(&h->main->session, stage, out, len ? len : &n);
	if (h->main)
		at_diags_take(h, &h->main->session.diags, &h->main->told);
	return err;
}

int apitrace_list(struct apitrace *h, const char *search,
		  int (*each)(void *arg, const char *name), void *arg)
{
	struct at_diags d = { .arena = h->arena };
	size_t mark = at_arena_mark(h->arena), told = 0;
	int result;

	if (search && strlen(search) > AT_MAX_SCRIPT)
		return -EINVAL;
	h->busy++;
	result = at_list(&at_lang, h->host, &d, search ? search : "*", each, arg);
	at_diags_take(h, &d, &told);
	at_arena_release(h->arena, mark);
	return at_leave(h, result);
}

int apitrace_info(struct apitrace *h,
		  int (*each)(void *arg, const char *section, const char *name,
			      const char *value),
		  void *arg)
{
	struct at_session s = { .lang = &at_lang, .host = h->host, .plugin = h->opts.plugin };
	size_t told = 0;
	int result;

	if (h->main)
		s = h->main->session;
	s.arena = at_arena_new();
	if (!s.arena)
		return -ENOMEM;
	s.diags = (struct at_diags){ .arena = s.arena };
	h->busy++;
	result = at_session_info(&s, each, arg);
	at_diags_take(h, &s.diags, &told);
	at_arena_free(s.arena);
	return at_leave(h, result);
}

int apitrace_list_args(struct apitrace *h, const char *probe,
		       int (*each)(void *arg, const char *type, const char *name), void *arg)
{
	return at_list_args(&at_lang, h->host, probe, each, arg);
}

unsigned apitrace_probes(const struct apitrace *h)
{
	unsigned n = 0;

	for (const struct apitrace_script *s = h->scripts; s; s = s->next)
		n += at_script_probes(s);
	return n;
}

/* Also of a script in which mistakes were found later: as far as it got. */
const char *apitrace_probe_name(const struct apitrace *h, unsigned index)
{
	for (const struct apitrace_script *s = h->scripts; s; s = s->next) {
		const struct at_script *script = s->session.checked ? s->session.script : NULL;
		size_t n = script ? script->clauses.n : 0;

		if (index < n)
			return script->clauses.v[index]->points.v[0]->text;
		index -= n;
	}
	return NULL;
}
