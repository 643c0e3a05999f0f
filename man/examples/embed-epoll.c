/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libapitrace in a program that has an event loop of its own: the handle's fd stands beside a timer
 * in one epoll set. The first script prints each request; two seconds later a second one is added,
 * which counts requests by route, and goes on with the first one's total; then the first is removed.
 * At the end the typed values are read.
 *
 *     cc -o embed-epoll embed-epoll.c $(pkg-config --cflags --libs libapitrace)
 *     sudo ./embed-epoll [SECONDS]
 */
#include <apitrace.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

static const char log_script[] =
	"http:response {"
	"  printf(\"%s %s %d %d\\n\", args.method, args.path, args.status, args.latency);"
	"  @total = count();"
	"}";

static const char count_script[] =
	"http:response {"
	"  @routes[route(args.path)] = quantile(args.latency);"
	"  @total = count();"
	"}";

/* ---- Printing typed values ---- */

static void print_value(const struct apitrace_value *v)
{
	if (v->name)
		printf("%s=", v->name);
	switch (v->kind) {
	case APITRACE_BOOL:
		printf("%s", v->b ? "true" : "false");
		break;
	case APITRACE_INT:
		printf("%" PRId64, v->i);
		break;
	case APITRACE_UINT:
		printf("%" PRIu64, v->u);
		break;
	case APITRACE_STRING:
		printf("\"%s\"", v->s);
		break;
	case APITRACE_TUPLE:
	case APITRACE_QUANTILES:
	case APITRACE_TABLE:
		for (size_t i = 0; i < v->n; i++) {
			if (i)
				putchar(' ');
			print_value(&v->items[i]);
		}
		break;
	case APITRACE_SHARE:
		printf("%" PRIu64 "/%" PRIu64, v->share.hits, v->share.total);
		break;
	case APITRACE_HISTOGRAM:
		printf("%zu buckets", v->n);
		break;
	case APITRACE_BYTES:
	case APITRACE_NONE:
		printf("%zu bytes", v->kind == APITRACE_BYTES ? v->n : 0);
		break;
	}
	if (v->unit)
		printf("%s", v->unit);
}

static void on_event(void *arg, const struct apitrace_event *e)
{
	printf("%s %s %s:", apitrace_script_name(e->script), e->probe ? e->probe : "-", e->func);
	for (size_t i = 0; i < e->nargs; i++) {
		putchar(' ');
		print_value(&e->args[i]);
	}
	putchar('\n');
	++*(unsigned *)arg;
}

static int print_row(void *arg, const struct apitrace_value *key, const struct apitrace_value *value)
{
	printf("  ");
	if (key) {
		print_value(key);
		printf(": ");
	}
	print_value(value);
	printf("\n");
	(void)arg;
	return 0;
}

/* What was missed must not be, silently. */
static void print_counters(struct apitrace_script *s)
{
	struct apitrace_counter c;

	for (unsigned i = 0; !apitrace_counter_get(s, i, &c); i++)
		if (c.value)
			printf("%s %s=%" PRIu64 "\n", apitrace_script_name(s), c.name, c.value);
}

static void print_maps(struct apitrace_script *s)
{
	struct apitrace_map m;

	for (unsigned i = 0; !apitrace_map_get(s, i, &m); i++) {
		printf("%s %s[%s]: %s\n", apitrace_script_name(s), m.name,
		       m.key_type ? m.key_type : "", m.value_type);
		apitrace_map_foreach(s, m.name, print_row, NULL);
	}
}

/* ---- The loop ---- */

struct loop {
	struct apitrace *trace;
	struct apitrace_script *log, *count;
	unsigned events, ticks, last; /* last: the tick that ends it */
	int epoll, timer;
};

static int failed(struct apitrace *h, const char *what, int err)
{
	struct apitrace_diag d;

	fprintf(stderr, "%s: %s\n", what, strerror(-err));
	for (size_t i = 0; h && !apitrace_diag_get(h, i, &d); i++)
		fprintf(stderr, "%s", d.rendered);
	return err;
}

/* What the loop does besides tracing. */
static int tick(struct loop *l)
{
	struct apitrace_bind bind = { NULL, l->log, NULL }; /* every map that both have */
	struct apitrace_script_opts opts = { sizeof(opts), NULL, 0, &bind, 1 };
	int err = 0;

	if (++l->ticks == 2) {
		err = apitrace_add(l->trace, "count", count_script, strlen(count_script), &opts,
				   &l->count);
		if (!err)
			printf("added %s\n", apitrace_script_name(l->count));
	} else if (l->ticks == 3) {
		err = apitrace_script_stop(l->log);
		print_counters(l->log);
		apitrace_remove(l->log);
		l->log = NULL;
		printf("removed log\n");
	}
	fflush(stdout);
	return err ? failed(l->trace, "tick", err) : 0;
}

static int wait_once(struct loop *l)
{
	struct epoll_event e[2];
	uint64_t expired;
	int n = epoll_wait(l->epoll, e, 2, -1), err = 0;

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < n && !err; i++) {
		if (e[i].data.fd != l->timer)
			err = apitrace_consume(l->trace);
		else if (read(l->timer, &expired, sizeof(expired)) == sizeof(expired))
			err = tick(l);
		if (err > 0)
			err = 0; /* the number of events */
	}
	return err;
}

static int watch(struct loop *l, int fd)
{
	struct epoll_event e;

	memset(&e, 0, sizeof(e));
	e.events = EPOLLIN;
	e.data.fd = fd;
	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static int open_loop(struct loop *l)
{
	const struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	int err;

	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0 || timerfd_settime(l->timer, 0, &second, NULL))
		return -errno;
	err = watch(l, l->timer);
	return err ? err : watch(l, apitrace_fd(l->trace));
}

static int run(struct loop *l)
{
	int err = open_loop(l);

	if (err)
		return failed(NULL, "event loop", err);
	err = apitrace_add(l->trace, "log", log_script, strlen(log_script), NULL, &l->log);
	if (err)
		return failed(l->trace, "the script", err);
	printf("attached %u probe\n", apitrace_probes(l->trace));
	fflush(stdout);
	while (!err && l->ticks < l->last && !apitrace_exiting(l->trace, NULL))
		err = wait_once(l);
	if (!err)
		err = apitrace_stop(l->trace);
	if (l->count) {
		print_maps(l->count);
		print_counters(l->count);
	}
	printf("%u events\n", l->events);
	return err ? failed(l->trace, "tracing", err) : 0;
}

int main(int argc, char **argv)
{
	struct loop l;
	int err;

	memset(&l, 0, sizeof(l));
	l.epoll = l.timer = -1;
	l.last = argc > 1 ? (unsigned)atoi(argv[1]) : 10;
	l.trace = apitrace_new(NULL);
	if (!l.trace) {
		perror("apitrace_new");
		return 1;
	}
	apitrace_on_event(l.trace, on_event, &l.events);
	err = run(&l);
	apitrace_free(l.trace);
	if (l.timer >= 0)
		close(l.timer);
	if (l.epoll >= 0)
		close(l.epoll);
	return err ? 1 : 0;
}
