/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway: a thread a connection, answers made up from the request's number
 * (x-request-number), so that a run has errors, slow answers, streams and all
 * ways of framing in a fixed mix. Bodies are full of text that looks like
 * requests.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scripts/demo/demo.h"
#include "scripts/demo/wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char forged[] =
	"{\"text\": \"\r\n\r\nPOST /v1/forged HTTP/1.1\r\nx-model: forged\r\n\r\n"
	"HTTP/1.1 500 Forged\r\ncontent-length: 0\r\n\r\n\"},\n";

enum framing { LENGTH, STREAM, TO_CLOSE, BARE };

struct request {
	struct wire *w;
	char method[16], target[512];
	unsigned number;
	bool old;   /* HTTP/1.0 */
	bool close; /* the connection ends after the answer */
};

struct answer {
	int status;
	enum framing framing;
	size_t size; /* of the body; a stream: of all events */
	const char *fields;
};

/* ---- What is answered, by route ---- */

static void answer_chat(const struct request *r, struct answer *a)
{
	char accept[64];

	a->size = 300 + r->number * 37 % 4000;
	if (wire_field(r->w, "accept", accept, sizeof(accept)) &&
	    strstr(accept, "event-stream"))
		*a = (struct answer){ 200, STREAM, a->size,
				      "content-type: text/event-stream\r\n" };
	if (r->number % 17 == 3)
		*a = (struct answer){ 429, LENGTH, 87, "retry-after: 1\r\n" };
	if (r->number % 29 == 5)
		*a = (struct answer){ 500, LENGTH, 120, "" };
	if (r->number % 41 == 7)
		*a = (struct answer){ 503, LENGTH, 0, "" };
}

static void answer_embeddings(const struct request *r, struct answer *a)
{
	a->size = 6000 + r->number * 131 % 30000;
	if (r->number % 23 == 2)
		*a = (struct answer){ 400, LENGTH, 64, "" };
}

static void answer_models(const struct request *r, struct answer *a)
{
	a->size = 900;
}

static void answer_model(const struct request *r, struct answer *a)
{
	a->size = 250;
	if (r->number % 9 == 1)
		*a = (struct answer){ 404, LENGTH, 48, "" };
}

static void answer_file(const struct request *r, struct answer *a)
{
	if (!strcmp(r->method, "DELETE"))
		*a = (struct answer){ 204, BARE, 0, "" };
	else if (!strcmp(r->method, "PUT"))
		*a = (struct answer){ 201, LENGTH, 75, "location: /v1/files/1?sig=5ec4e7\r\n" };
	else
		a->size = 40000 + r->number * 977 % 200000;
}

static void answer_batch(const struct request *r, struct answer *a)
{
	a->size = 500;
	a->framing = STREAM;
	if (r->number % 19 == 4)
		*a = (struct answer){ 502, LENGTH, 33, "" };
}

static void answer_health(const struct request *r, struct answer *a)
{
	a->size = 15;
	a->framing = r->old ? TO_CLOSE : LENGTH;
}

/* The first prefix of the target that fits. */
static const struct {
	const char *prefix;
	void (*answer)(const struct request *r, struct answer *a);
} routes[] = {
	{ "/v1/chat/completions", answer_chat }, { "/v1/embeddings", answer_embeddings },
	{ "/v1/models/", answer_model },         { "/v1/models", answer_models },
	{ "/v1/files/", answer_file },           { "/v1/batches", answer_batch },
	{ "/healthz", answer_health },
};

static struct answer decide(const struct request *r)
{
	struct answer a = { 200, LENGTH, 0, "" };
	char secret[128];

	if (strncmp(r->target, "/healthz", 8) &&
	    !wire_field(r->w, "authorization", secret, sizeof(secret)))
		return (struct answer){ 401, LENGTH, 40, "www-authenticate: Bearer\r\n" };
	for (size_t i = 0; i < COUNT(routes); i++) {
		if (strncmp(r->target, routes[i].prefix, strlen(routes[i].prefix)))
			continue;
		routes[i].answer(r, &a);
		return a;
	}
	return (struct answer){ 404, LENGTH, 21, "" };
}

/* ---- How it is sent ---- */

static const char *reason_of(int status)
{
	static const struct {
		int status;
		const char *reason;
	} table[] = {
		{ 200, "OK" },          { 201, "Created" },        { 204, "No Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },   { 404, "Not Found" },
		{ 429, "Slow Down" },   { 500, "Internal Error" }, { 502, "Bad Gateway" },
		{ 503, "Unavailable" },
	};

	for (size_t i = 0; i < COUNT(table); i++)
		if (table[i].status == status)
			return table[i].reason;
	return "";
}

static char *make_body(size_t size)
{
	char *body = malloc(size + 1);

	for (size_t i = 0; body && i < size; i++)
		body[i] = forged[i % (sizeof(forged) - 1)];
	return body;
}

static int make_head(const struct request *r, const struct answer *a, char *head, size_t size)
{
	char framing[64] = "";

	if (a->framing == LENGTH)
		snprintf(framing, sizeof(framing), "content-length: %zu\r\n", a->size);
	else if (a->framing == STREAM)
		snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n");
	return snprintf(head, size, "HTTP/1.%d %d %s\r\nServer: apitrace-demo\r\n%s%s%s\r\n",
			!r->old, a->status, reason_of(a->status), framing, a->fields,
			r->close ? "Connection: close\r\n" : "");
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

/* Events of 90 bytes or so, a chunk each, with pauses between. */
static int send_stream(const struct request *r, const struct answer *a, const char *head,
		       size_t n)
{
	char *body = make_body(a->size);
	int err = body ? wire_write(r->w->fd, head, n) : -1;

	for (size_t at = 0, len; body && !err && at < a->size; at += len) {
		char chunk[256];
		int m;

		len = a->size - at < 90 ? a->size - at : 90;
		m = snprintf(chunk, sizeof(chunk), "%zx%s\r\n%.*s\r\n", len,
			     r->number % 2 ? ";part=1" : "", (int)len, body + at);
		err = wire_write(r->w->fd, chunk, m);
		if (at % 450 == 0)
			pause_ms(1);
	}
	free(body);
	return err ? err : wire_write(r->w->fd, "0\r\n\r\n", 5);
}

static int send_answer(const struct request *r, const struct answer *a)
{
	char head[WIRE_HEAD], *body;
	int n = make_head(r, a, head, sizeof(head)), err;
	bool bare = a->framing == BARE || !strcmp(r->method, "HEAD");

	if (a->framing == STREAM)
		return send_stream(r, a, head, n);
	body = make_body(a->size);
	err = body ? wire_send(r->w->fd, r->number, head, n, body, bare ? 0 : a->size) : -1;
	free(body);
	return err;
}

/* ---- Connections ---- */

static bool read_request(struct wire *w, struct request *r)
{
	char value[64];
	int minor = 1;

	*r = (struct request){ .w = w };
	if (wire_head(w) <= 0)
		return false;
	if (sscanf(w->head, "%15s %511s HTTP/1.%d", r->method, r->target, &minor) != 3)
		return false;
	wire_field(w, "x-request-number", value, sizeof(value));
	r->number = strtoul(value, NULL, 10);
	r->old = !minor;
	wire_field(w, "connection", value, sizeof(value));
	r->close = r->old || !strcasecmp(value, "close");
	if (wire_field(w, "expect", value, sizeof(value)) &&
	    wire_write(w->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25))
		return false;
	return wire_body(w, false, false) >= 0;
}

static bool serve(struct wire *w)
{
	struct request r;
	struct answer a;

	if (!read_request(w, &r))
		return false;
	a = decide(&r);
	if (r.number % 11 == 0)
		pause_ms(20 + r.number % 60);
	return !send_answer(&r, &a) && !r.close;
}

struct connection {
	struct gateway *g;
	struct wire w;
};

static void *serve_connection(void *arg)
{
	struct connection *c = arg;
	struct gateway *g = c->g;

	while (serve(&c->w))
		;
	close(c->w.fd);
	free(c);
	pthread_mutex_lock(&g->lock);
	if (!--g->open)
		pthread_cond_signal(&g->idle);
	pthread_mutex_unlock(&g->lock);
	return NULL;
}

static void take_connection(struct gateway *g, int fd)
{
	struct connection *c = malloc(sizeof(*c));
	pthread_t thread;
	int one = 1;

	if (!c) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->g = g;
	wire_init(&c->w, fd, g->served++);
	pthread_mutex_lock(&g->lock);
	g->open++;
	pthread_mutex_unlock(&g->lock);
	if (!pthread_create(&thread, NULL, serve_connection, c)) {
		pthread_detach(thread);
		return;
	}
	pthread_mutex_lock(&g->lock);
	g->open--;
	pthread_mutex_unlock(&g->lock);
	close(fd);
	free(c);
}

static void *accept_all(void *arg)
{
	struct gateway *g = arg;
	int fd;

	while ((fd = accept(g->fd, NULL, NULL)) >= 0 || errno == EINTR || errno == ECONNABORTED)
		if (fd >= 0)
			take_connection(g, fd);
	return NULL;
}

int gateway_start(struct gateway *g)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->idle, NULL);
	g->open = g->served = 0;
	g->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->fd < 0 || bind(g->fd, (void *)&a, sizeof(a)) || listen(g->fd, 128) ||
	    getsockname(g->fd, (void *)&a, &len))
		return -1;
	g->port = ntohs(a.sin_port);
	return pthread_create(&g->thread, NULL, accept_all, g) ? -1 : 0;
}

void gateway_stop(struct gateway *g)
{
	shutdown(g->fd, SHUT_RDWR);
	pthread_join(g->thread, NULL);
	close(g->fd);
	pthread_mutex_lock(&g->lock);
	while (g->open)
		pthread_cond_wait(&g->idle, &g->lock);
	pthread_mutex_unlock(&g->lock);
}
