/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring buffer records to the functions that made them. Each record is checked
 * against the plan before its function sees it.
 */
#include "lib/run/event.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TURN = 16384 }; /* records: a script that sends them faster than they are handled lets others
			  have their turn */

struct at_ring {
	struct ring_buffer *rb; /* NULL: the plan sends nothing */
	int epoll;              /* without a ring: never readable */
	const struct at_run *run;
	struct at_render *render; /* while records are handled */
	int error;
	int handled; /* in this turn */
};

void at_render_deliver(struct at_render *r, const char *text, size_t len)
{
	const struct at_plan_event *e = r->event;

	r->event = NULL;
	if (e && r->on_event)
		r->on_event(r->on_event_arg, e, r->payload, text, len);
}

int at_render_error(struct at_render *r)
{
	int err = r->err;

	r->err = 0;
	return err;
}

/* Not 0 ends the turn; the record is consumed all the same. */
static int turn(struct at_ring *ring)
{
	return ++ring->handled < TURN ? 0 : -EAGAIN;
}

static int handle(void *arg, void *data, size_t size)
{
	struct at_ring *ring = arg;
	struct at_render *r = ring->render;
	const struct at_plan *p = ring->run->plan;
	const uint32_t *header = data;
	const struct at_plan_event *e;
	const struct at_func *f;
	int err, unwritten;

	if (size < AT_EVENT_HEADER || header[0] >= p->events.n)
		return turn(ring);
	e = &p->events.v[header[0]];
	f = at_lang_func(ring->run->lang, e->func);
	if (size < e->size || !f || !f->event)
		return turn(ring);
	r->event = e;
	r->payload = (const char *)data + AT_EVENT_HEADER;
	err = f->event(r, e, r->payload);
	at_render_deliver(r, NULL, 0);
	unwritten = at_render_error(r);
	if (!ring->error)
		ring->error = err ? err : unwritten;
	return turn(ring);
}

int at_ring_open(struct at_run *run)
{
	struct at_ring *ring = calloc(1, sizeof(*ring));
	int err = 0;

	if (!ring)
		return -ENOMEM;
	ring->run = run;
	ring->epoll = -1;
	run->ring = ring;
	if (run->plan->ring_map >= 0) {
		ring->rb = ring_buffer__new(run->map_fds[run->plan->ring_map], handle, ring, NULL);
		err = ring->rb ? 0 : -errno;
	} else {
		ring->epoll = epoll_create1(EPOLL_CLOEXEC);
		err = ring->epoll < 0 ? -errno : 0;
	}
	if (err)
		at_ring_close(run);
	return err;
}

int at_ring_fd(const struct at_run *run)
{
	if (!run->ring)
		return -EINVAL;
	return run->ring->rb ? ring_buffer__epoll_fd(run->ring->rb) : run->ring->epoll;
}

int at_ring_consume(struct at_run *run, struct at_render *r)
{
	struct at_ring *ring = run->ring;
	int err = 0;

	if (!ring)
		return -EINVAL;
	ring->render = r;
	ring->error = ring->handled = 0;
	if (ring->rb)
		err = ring_buffer__consume(ring->rb);
	if (err < 0 && ring->handled < TURN)
		return err;
	return ring->error ? ring->error : ring->handled;
}

int at_ring_drain(struct at_run *run, struct at_render *r)
{
	int n, err = 0;

	do {
		n = at_ring_consume(run, r);
		if (n < 0 && !err)
			err = n;
	} while (run->ring && run->ring->handled >= TURN);
	return err;
}

int at_ring_poll(struct at_run *run, struct at_render *r, int timeout_ms)
{
	struct pollfd fd = { .fd = at_ring_fd(run), .events = POLLIN };

	if (!run->ring)
		return -EINVAL;
	if (poll(&fd, 1, timeout_ms) < 0)
		return -errno;
	return at_ring_consume(run, r);
}

void at_ring_close(struct at_run *run)
{
	struct at_ring *ring = run->ring;

	if (!ring)
		return;
	if (ring->rb)
		ring_buffer__free(ring->rb);
	if (ring->epoll >= 0)
		close(ring->epoll);
	free(ring);
	run->ring = NULL;
}
