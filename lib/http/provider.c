/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The http provider: reads attach points, gathers the clauses of a script,
 * hands them to the engine, and attaches what the engine wrote.
 *
 *	http:[SIDE:][PORT:]EVENT
 */
#include "lib/http/http.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/closest.h"
#include "lib/base/glob.h"
#include "lib/base/num.h"
#include "lib/run/load.h"

#define SYNTAX "http:[SIDE:][PORT:]EVENT"

static const struct {
	const char *name;
	bool ready;
} events[] = {
	[AT_HTTP_REQUEST] = { "request", true },
	[AT_HTTP_RESPONSE] = { "response", true },
	[AT_HTTP_EXCHANGE] = { "exchange", true },
	[AT_HTTP_EVENTS] = { "event", false },
	{ "header", false },
};

static const char *const sides[] = {
	[AT_HTTP_ANY] = "any",
	[AT_HTTP_SERVER] = "server",
	[AT_HTTP_CLIENT] = "client",
};

const char *at_http_event_name(enum at_http_event e)
{
	return events[e].name;
}

/* ---- Attach points ---- */

static int find_side(const char *s)
{
	for (size_t i = 0; i < at_count(sides); i++)
		if (strcmp(sides[i], s) == 0)
			return (int)i;
	return -1;
}

static int find_event(const char *s)
{
	for (size_t i = 0; i < at_count(events); i++)
		if (strcmp(events[i].name, s) == 0)
			return (int)i;
	return -1;
}

static int bad_port(struct at_check *c, const struct at_attachpt *p, size_t i)
{
	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->ranges.v[i],
		"found the port `%s`, wanted 1 to 65535", p->parts.v[i]);
	return -1;
}

static int read_port(struct at_check *c, const struct at_attachpt *p, size_t i, int *port)
{
	uint64_t v;
	bool duration;
	const char *s = p->parts.v[i];

	if (at_num_uint(s, strlen(s), &v, &duration) || duration || v < 1 || v > 65535)
		return bad_port(c, p, i);
	*port = (int)v;
	return 0;
}

static int no_event(struct at_check *c, const struct at_attachpt *p)
{
	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->range, "%s names no event", p->text);
	at_hint(c->diags, "it is written " SYNTAX ", events are request, response, exchange");
	return -1;
}

static int unknown_event(struct at_check *c, const struct at_attachpt *p, size_t i)
{
	struct at_closest best = at_closest_to(p->parts.v[i]);

	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->ranges.v[i], "http has no event `%s`",
		p->parts.v[i]);
	for (size_t e = 0; e < at_count(events); e++)
		at_closest_offer(&best, events[e].name);
	if (find_side(p->parts.v[i]) >= 0 || isdigit((unsigned char)*p->parts.v[i]))
		at_hint(c->diags, "it is written " SYNTAX);
	else if (best.best)
		at_hint(c->diags, "did you mean %s?", best.best);
	else
		at_hint(c->diags, "events are request, response, exchange");
	return -1;
}

/*
 * A glob in a part that is not there yet would be taken for a wildcard. So when
 * only asked whether the pattern is taken (the point is in no clause yet), yes.
 */
static int not_yet(struct at_check *c, const struct at_attachpt *p, struct at_range range,
		   const char *what)
{
	at_diag(c->diags, AT_D_NOT_YET, range, "%s is not there yet", what);
	return c->point == p ? -1 : 0;
}

static int parse(struct at_check *c, struct at_attachpt *p)
{
	struct at_http_point *h = at_new(c->arena, struct at_http_point);
	size_t i = 1;
	int found;

	p->data = h;
	h->side = AT_HTTP_SERVER;
	if (i < p->parts.n && (found = find_side(p->parts.v[i])) >= 0) {
		h->side = found;
		i++;
	}
	if (i < p->parts.n && isdigit((unsigned char)*p->parts.v[i])) {
		if (read_port(c, p, i, &h->port))
			return -1;
		i++;
	}
	if (i >= p->parts.n || !*p->parts.v[i])
		return no_event(c, p);
	found = find_event(p->parts.v[i]);
	if (found < 0)
		return unknown_event(c, p, i);
	if (!events[found].ready)
		return not_yet(c, p, p->ranges.v[i],
			       at_sprintf(c->arena, "http:%s", events[found].name));
	h->event = found;
	if (++i == p->parts.n)
		return 0;
	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->ranges.v[i],
		"found `%s`, wanted nothing after the event", p->parts.v[i]);
	at_hint(c->diags, "it is written " SYNTAX);
	return -1;
}

/* Events with what stands before the last part of the search: "http:client:re*". */
static int list(struct at_host *host, const char *glob,
		int (*each)(const char *name, void *arg), void *arg)
{
	const char *last = strrchr(glob, ':'), *front = "http";
	size_t before = last ? (size_t)(last - glob) : 0;
	char name[64];
	int err = 0;

	(void)host;
	if (before && before < 40 && !memchr(glob, '*', before))
		front = glob;
	else
		before = strlen(front);
	for (size_t i = 0; i < at_count(events) && !err; i++) {
		snprintf(name, sizeof(name), "%.*s:%s", (int)before, front, events[i].name);
		if (events[i].ready && (!last || at_glob(glob, name, false)))
			err = each(name, arg);
	}
	return err;
}

/* ---- The plan ---- */

/* Members of the JSON line stand in this order. */
static const struct {
	size_t number;
	const char *name, *brief;
	enum { MEMBER = 1, HAPPENED = 2, ALONE = 4 } shown;
} counters[] = {
#define COUNTER(field) offsetof(struct at_http, field)
	{ COUNTER(c_seen), "http.seen", "%llu HTTP messages were seen", MEMBER | HAPPENED },
	{ COUNTER(c_cut), "http.cut", "%llu heads were longer than 64 KiB and were cut", MEMBER },
	{ COUNTER(c_unmatched), "http.unmatched",
	  "%llu responses were not shown: their request was not seen, or too many were open",
	  MEMBER },
	{ COUNTER(c_desync), "http.desynchronised",
	  "%llu times the place in a connection was lost, until the next exchange", MEMBER },
	{ COUNTER(c_joined_late), "http.joined_late",
	  "%llu connections were joined in the middle, their first exchange is not shown",
	  MEMBER },
	{ COUNTER(c_read_calls), "http.read_failed_calls",
	  "%llu calls had bytes that could not be read", MEMBER },
	{ COUNTER(c_read_bytes), "http.read_failed_bytes", "%llu bytes could not be read",
	  MEMBER },
	{ COUNTER(c_unfollowed), "map_full",
	  "%llu times a connection could not be followed: no memory for it", 0 },
	/* Worth a word to somebody who sees nothing else. */
	{ COUNTER(c_client_unshown), "http.client_unshown",
	  "%llu client-side messages not shown (http:client:…)", ALONE },
#undef COUNTER
};

void at_http_counters(struct at_http *h)
{
	struct at_plan *p = h->lw->plan;

	for (size_t i = 0; i < at_count(counters); i++) {
		unsigned n = at_plan_counter(p, counters[i].name, counters[i].brief, -1);

		p->counters.v[n].happened = counters[i].shown & HAPPENED;
		p->counters.v[n].alone = counters[i].shown & ALONE ? "http.seen" : NULL;
		p->counters.v[n].line = counters[i].shown & MEMBER ? "http_missed" : NULL;
		*(unsigned *)((char *)h + counters[i].number) = n;
	}
}

static void lower_use(struct at_http *h, const struct at_clause_use *use)
{
	const struct at_http_point *p = use->point->data;
	struct at_http_use u = {
		.use = use, .event = p->event, .side = p->side, .port = p->port
	};

	h->current = &u;
	h->lw->by_itself = true;
	u.func = at_lower_clause(h->lw, use, AT_HTTP_NPARAMS, -1, h);
	h->lw->by_itself = false;
	h->current = NULL;
	at_vec_push(h->lw->arena, &h->uses, u);
}

/* How much memory each param of a clause leads to, known when all have been lowered. */
static void size_params(struct at_http *h)
{
	for (size_t i = 0; i < h->uses.n; i++) {
		unsigned *mem = h->lw->plan->funcs.v[h->uses.v[i].func]->mem;

		mem[AT_HTTP_P_SLOT] = h->slot_size;
		mem[AT_HTTP_P_RESP] = h->resp_size;
		mem[AT_HTTP_P_CONN] = sizeof(struct at_http_conn);
	}
}

static int plan(struct at_lower *lw, struct at_clause_use *uses, size_t n)
{
	struct at_http *h = at_new(lw->arena, struct at_http);
	size_t errors = lw->diags->errors;

	h->lw = lw;
	h->tap = at_config_num(lw->check, "http_tap");
	h->slot_size = h->resp_size = sizeof(struct at_http_msg);
	at_http_counters(h);
	for (size_t i = 0; i < n; i++)
		lower_use(h, &uses[i]);
	size_params(h);
	return lw->diags->errors == errors ? at_http_engine(h) : -1;
}

/* ---- Attaching ---- */

/* Once over everything there is: what the program does, it does while it is read. */
static int iterate(int prog_fd)
{
	char buf[256];
	ssize_t n = -1;
	int link = bpf_link_create(prog_fd, 0, BPF_TRACE_ITER, NULL), fd, err;

	if (link < 0)
		return link;
	fd = bpf_iter_create(link);
	err = fd < 0 ? fd : 0;
	while (!err && (n = read(fd, buf, sizeof(buf))) != 0)
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	if (fd >= 0)
		close(fd);
	close(link);
	return err;
}

static int attach(struct at_run *run, const struct at_plan_prog *g, int fd)
{
	int link;

	if (g->kind == AT_PROG_ITER)
		return iterate(fd);
	link = bpf_raw_tracepoint_open(g->kind == AT_PROG_RAW_TP ? g->target : NULL, fd);
	return link < 0 ? link : at_run_link(run, link, false);
}

const struct at_provider at_provider_http = {
	.name = "http",
	.syntax = SYNTAX,
	.brief = "requests, responses and exchanges of HTTP on plaintext sockets",
	.needs = "kernel BTF and bpf_loop (5.17)",
	.feature = "bpf_loop",
	.parse = parse,
	.args = at_http_args,
	.lacks = at_http_lacks,
	.field = at_http_field,
	.builtin = at_http_builtin,
	.plan = plan,
	.attach = attach,
	.list = list,
};

/* ---- https ---- */

static int parse_https(struct at_check *c, struct at_attachpt *p)
{
	return not_yet(c, p, p->ranges.v[0], "https (the plaintext inside a TLS library)");
}

const struct at_provider at_provider_https = {
	.name = "https",
	.syntax = "https:[LIBRARY:][SIDE:]EVENT",
	.brief = "the same inside TLS libraries (not there yet)",
	.parse = parse_https,
};
