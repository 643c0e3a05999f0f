/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clients: workers with a connection each, which they keep for some
 * requests or for one; requests go out whole, in pieces, several in one write.
 * What comes back is read to its end and entered into the ledger.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "scripts/demo/demo.h"
#include "scripts/demo/wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { BODY = 1, CHUNKED = 2, EXPECT = 4, CLOSE = 8, OLD = 16, SSE = 32 };

/* %u is the request's number. `size`: of the body, varied by the number. */
static const struct kind {
	const char *method, *target, *route;
	unsigned flags, size;
} kinds[] = {
	{ "POST", "/v1/chat/completions", "/v1/chat/completions", BODY, 700 },
	{ "POST", "/v1/chat/completions", "/v1/chat/completions", BODY | SSE, 900 },
	{ "GET", "/v1/models?limit=20&api_key=sk-%u", "/v1/models", 0, 0 },
	{ "POST", "/v1/embeddings", "/v1/embeddings", BODY, 5000 },
	{ "GET", "/v1/models/%u", "/v1/models/:id", 0, 0 },
	{ "POST", "/v1/chat/completions", "/v1/chat/completions", BODY | CHUNKED | SSE, 1200 },
	{ "GET", "/healthz", "/healthz", CLOSE | OLD, 0 },
	{ "PUT", "/v1/files/%u", "/v1/files/:id", BODY | EXPECT, 60000 },
	{ "GET", "/v1/files/%u/content", "/v1/files/:id/content", 0, 0 },
	{ "POST", "/v1/embeddings", "/v1/embeddings", BODY | CLOSE, 300 },
	{ "DELETE", "/v1/files/%u", "/v1/files/:id", 0, 0 },
	{ "HEAD", "/v1/models", "/v1/models", 0, 0 },
	{ "POST", "/v1/batches", "/v1/batches", BODY | CHUNKED, 9000 },
	{ "GET", "/v1/nothing/here", "/v1/nothing/here", 0, 0 },
	{ "GET", "/healthz", "/healthz", CLOSE, 0 },
};

/* "": the header is left out. */
static const char *const models[] = { "small-1", "large-2", "embed-3", "", "vision-4" };

enum { PIPELINED = 3 };

struct sent {
	const struct kind *kind;
	struct ledger_row row;
};

struct worker {
	const struct clients *c;
	pthread_t thread;
	unsigned index, number; /* of the next request */
	double stop;
	struct wire w; /* fd -1: not connected */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- Sending ---- */

static int make_head(const struct worker *k, const struct sent *s, char *head, size_t size)
{
	const struct kind *kind = s->kind;
	char target[128], framing[64] = "", model[64] = "";

	snprintf(target, sizeof(target), kind->target, k->number);
	if (kind->flags & CHUNKED)
		snprintf(framing, sizeof(framing), "transfer-encoding: chunked\r\n");
	else if (kind->flags & BODY)
		snprintf(framing, sizeof(framing), "content-length: %llu\r\n",
			 s->row.request_bytes);
	if (*s->row.model)
		snprintf(model, sizeof(model), "%s: %s\r\n",
			 k->number % 2 ? "X-Model" : "x-model", s->row.model);
	return snprintf(
		head, size,
		"%s %s HTTP/1.%d\r\nHost: gateway.test:%u\r\nUser-Agent: demo/%u\r\n"
		"X-Request-Number: %u\r\n%s%s%s%s%s%s\r\n",
		kind->method, target, !(kind->flags & OLD), k->c->port, k->index, k->number,
		k->number % 37 == 6 ? "" : "Authorization: Bearer sk-demo-secret\r\n", model,
		framing, kind->flags & SSE ? "Accept: text/event-stream\r\n" : "",
		kind->flags & EXPECT ? "Expect: 100-continue\r\n" : "",
		kind->flags & CLOSE ? "Connection: close\r\n" : "");
}

static void fill_body(char *body, size_t size)
{
	static const char text[] =
		"{\"prompt\": \"\r\n\r\nGET /v1/forged HTTP/1.1\r\nx-model: no\r\n\r\n\"} ";

	for (size_t i = 0; i < size; i++)
		body[i] = text[i % (sizeof(text) - 1)];
}

static int send_chunks(int fd, const char *body, size_t size)
{
	char line[32];

	for (size_t at = 0, len; at < size; at += len) {
		len = size - at < 700 ? size - at : 700;
		snprintf(line, sizeof(line), "%zX\r\n", len);
		if (wire_write(fd, line, strlen(line)) || wire_write(fd, body + at, len) ||
		    wire_write(fd, "\r\n", 2))
			return -1;
	}
	return wire_write(fd, "0\r\n\r\n", 5);
}

static int send_with_body(struct worker *k, const struct sent *s, const char *head, size_t n)
{
	size_t size = s->row.request_bytes;
	char *body = malloc(size + 1);
	int err = -1;

	if (!body)
		return -1;
	fill_body(body, size);
	if (!(s->kind->flags & CHUNKED))
		err = wire_send(k->w.fd, k->number, head, n, body, size);
	else if (!wire_send(k->w.fd, k->number, head, n, "", 0))
		err = send_chunks(k->w.fd, body, size);
	free(body);
	return err;
}

static struct sent choose(struct worker *k)
{
	const struct kind *kind = &kinds[k->number * 7 % COUNT(kinds)];
	struct sent s = {
		kind, { .route = kind->route, .model = models[k->number % 13 % COUNT(models)] }
	};

	if (kind->flags & BODY)
		s.row.request_bytes = kind->size / 2 + k->number * 61 % kind->size;
	return s;
}

/* Sends the next request, and with it those that may share its write. How many, or 0. */
static unsigned send_requests(struct worker *k, struct sent sent[PIPELINED])
{
	char heads[4 * WIRE_HEAD];
	size_t n = 0;
	unsigned count = 0;

	do {
		sent[count] = choose(k);
		if (count && sent[count].kind->flags)
			break;
		n += make_head(k, &sent[count], heads + n, sizeof(heads) - n);
		if (sent[count].kind->flags & BODY)
			return k->number++, !send_with_body(k, &sent[0], heads, n);
		k->number++;
		count++;
	} while (k->index % 3 == 0 && !sent[0].kind->flags && count < PIPELINED);
	return wire_send(k->w.fd, k->number, heads, n, "", 0) ? 0 : count;
}

/* ---- Receiving ---- */

/* True when the connection can be used for more. */
static bool read_answer(struct worker *k, struct sent *s, bool *ok)
{
	char value[64];
	long long bytes;
	int status;

	do {
		*ok = wire_head(&k->w) > 0 && sscanf(k->w.head, "HTTP/1.%*d %d", &status) == 1;
		if (!*ok)
			return false;
	} while (status < 200);
	bytes = wire_body(&k->w, !strcmp(s->kind->method, "HEAD") || status == 204, true);
	*ok = bytes >= 0;
	s->row.status = status;
	s->row.response_bytes = bytes;
	wire_field(&k->w, "connection", value, sizeof(value));
	return *ok && strcasecmp(value, "close");
}

static bool read_answers(struct worker *k, struct sent *sent, unsigned n)
{
	bool more = n > 0, ok = true;

	for (unsigned i = 0; i < n && ok; i++) {
		more = read_answer(k, &sent[i], &ok);
		ok = ok && ledger_add(k->c->ledger, &sent[i].row);
	}
	if (!ok || !n)
		ledger_broken(k->c->ledger);
	return more && ok;
}

/* ---- Workers ---- */

static bool dial(struct worker *k)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(k->c->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || connect(fd, (void *)&a, sizeof(a))) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	wire_init(&k->w, fd, k->number);
	return true;
}

/* One connection: as many requests as the worker likes. */
static void converse(struct worker *k)
{
	unsigned most = k->index % 4 == 1 ? 1 : 5 + k->number % 40;
	struct sent sent[PIPELINED];

	if (!dial(k)) {
		ledger_broken(k->c->ledger);
		usleep(100000);
		return;
	}
	while (most-- && now() < k->stop) {
		if (!read_answers(k, sent, send_requests(k, sent)))
			break;
		usleep(500 + k->number % 7 * 500);
	}
	close(k->w.fd);
}

static void *work(void *arg)
{
	struct worker *k = arg;

	while (now() < k->stop)
		converse(k);
	return NULL;
}

int clients_run(const struct clients *c)
{
	struct worker *workers = calloc(c->workers, sizeof(*workers));
	double stop = now() + c->seconds;
	unsigned n;

	for (n = 0; workers && n < c->workers; n++) {
		workers[n] = (struct worker){
			.c = c, .index = n, .number = n * 100000 + 1, .stop = stop
		};
		if (pthread_create(&workers[n].thread, NULL, work, &workers[n]))
			break;
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	free(workers);
	return n && n == c->workers ? 0 : -1;
}
