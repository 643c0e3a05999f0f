/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-nginx APITRACE BPFTRACE SCRIPTS DIRECTORY: the time on the CPU that
 * nginx needs for a request, untraced and traced. nginx has one worker, wrk one
 * thread and 16 connections that stay open; each has a CPU. Before the first
 * round wrk talks to a listener of ours, which holds what it sends against what
 * is claimed. After each slice the requests that wrk counted, nginx counted and
 * the tool saw must agree. Started by scripts/dev/bench.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

enum { BYTES = 344, HEADERS = 8, CONNECTIONS = 16, NGINX_CPU = 0, WRK_CPU = 1 };

#define PATH    "/v1/chat/completions"
#define SECONDS "2"

static const char request_only[] =
	"http:request { @requests[route(args.path), header(\"x-model\")] = count(); }";

/* The nearest that it can: the first 64 bytes, no headers, no status. */
static const char bpftrace_script[] =
	"tracepoint:syscalls:sys_enter_recvfrom /comm == \"nginx\"/ { @buf[tid] = args->ubuf; }"
	"tracepoint:syscalls:sys_exit_recvfrom /@buf[tid]/ {"
	"  $head = str(@buf[tid], 64);"
	"  if (args->ret > 0 && (strncmp($head, \"GET \", 4) == 0 ||"
	"      strncmp($head, \"POST \", 5) == 0)) {"
	"    @requests[$head] = count();"
	"    @begun[tid] = nsecs;"
	"  }"
	"  delete(@buf[tid]);"
	"}"
	"tracepoint:syscalls:sys_enter_writev /@begun[tid]/ {"
	"  @latency = hist(nsecs - @begun[tid]);"
	"  delete(@begun[tid]);"
	"}";

struct slice {
	double ns, rps; /* CPU time of nginx a request; requests a second */
};

struct bench {
	const char *apitrace, *bpftrace, *scripts, *dir;
	char tag[16]; /* in each request: tells them from others on this machine */
	char headers[HEADERS][160]; /* as wrk takes them */
	int port, status_port;
	struct run nginx;
	unsigned rounds;
};

static const struct subject {
	const char *name, *file, *text;
	bool bpftrace;
	double bound; /* of the ratio to untraced; 0: none */
} subjects[] = {
	{ .name = "untraced" },
	{ .name = "apistats.bt", .file = "apistats.bt", .bound = 1.18 },
	{ .name = "request only", .text = request_only, .bound = 1.10 },
	{ .name = "bpftrace, first 64 bytes", .text = bpftrace_script, .bpftrace = true },
};

static bool wrong(const char *what, const char *detail)
{
	fprintf(stderr, "bench-nginx: %s%s%s\n", what, detail ? ": " : "",
		detail ? detail : "");
	return false;
}

/* ---- Sockets ---- */

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listener(int *port)
{
	struct sockaddr_in a = loopback(0);
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 64) ||
	    getsockname(fd, (struct sockaddr *)&a, &len))
		return -1;
	*port = ntohs(a.sin_port);
	return fd;
}

static bool free_ports(int *a, int *b)
{
	int one = listener(a), two = listener(b);

	close(one);
	close(two);
	return one >= 0 && two >= 0;
}

/* Until `end` is in it or the peer is silent for long; what was read, as a string. */
static void read_until(int fd, const char *end, char *buf, size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };
	size_t n = 0;
	ssize_t got;

	buf[0] = 0;
	while (n + 1 < size && !strstr(buf, end) && poll(&p, 1, 2000) > 0) {
		got = read(fd, buf + n, size - 1 - n);
		if (got <= 0)
			break;
		n += got;
		buf[n] = 0;
	}
}

/* ---- The request ---- */

static size_t request_size(const struct bench *b)
{
	size_t n = strlen("GET ") + strlen(PATH "?run=") + strlen(b->tag) +
		   strlen(" HTTP/1.1\r\n\r\n");

	for (size_t i = 0; i < HEADERS; i++)
		n += strlen(b->headers[i]) + strlen("\r\n");
	return n;
}

/* The last header fills up to the size. */
static void make_request(struct bench *b)
{
	static const char *const fixed[HEADERS] = {
		"Host: gateway.test",
		"Accept: application/json",
		"Accept-Encoding: gzip, deflate",
		"Authorization: Bearer sk-bench-0123456789abcdef",
		NULL,
		"X-Request-Id: 6f1d2c3b-4a59-4867",
		"Content-Type: application/json",
		"User-Agent: bench/",
	};
	char *last = b->headers[HEADERS - 1];
	pid_t pid = getpid();

	/* Letters: a number in a path is no part of a route. */
	for (size_t i = 0; i < 8; i++)
		b->tag[i] = 'a' + ((unsigned)pid >> 4 * i) % 16;
	for (size_t i = 0; i < HEADERS; i++)
		if (fixed[i])
			strcpy(b->headers[i], fixed[i]);
	snprintf(b->headers[4], sizeof(b->headers[4]), "X-Model: %s", b->tag);
	while (request_size(b) < BYTES)
		strcat(last, "1");
}

static bool start_wrk(const struct bench *b, struct run *wrk, int port)
{
	const char *argv[8 + 2 * HEADERS] = { "wrk", "-t1", "-c16", "-d" SECONDS };
	char url[128];
	size_t n = 4;

	for (size_t i = 0; i < HEADERS; i++) {
		argv[n++] = "-H";
		argv[n++] = b->headers[i];
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d" PATH "?run=%s", port, b->tag);
	argv[n] = url;
	return run_start(wrk, argv, WRK_CPU) || wrong("wrk cannot be started", NULL);
}

static bool is_as_claimed(const struct bench *b, const char *head)
{
	unsigned lines = 0;

	for (const char *p = head; (p = strstr(p, "\r\n")); p += 2)
		lines++;
	if (strlen(head) != BYTES || lines != HEADERS + 2)
		return false; /* the request line, and the empty one */
	for (size_t i = 0; i < HEADERS; i++)
		if (!strstr(head, b->headers[i]))
			return false;
	return strstr(head, "GET " PATH "?run=") == head;
}

/* wrk connects once without a word before it begins. */
static bool first_request(int fd, char *head, size_t size)
{
	struct pollfd p = { fd, POLLIN, 0 };

	head[0] = 0;
	while (!head[0] && poll(&p, 1, 3000) > 0) {
		int conn = accept(fd, NULL, NULL);

		read_until(conn, "\r\n\r\n", head, size);
		close(conn);
	}
	return head[0];
}

static bool check_wire(const struct bench *b)
{
	struct run wrk;
	struct use use;
	char head[4096];
	int port, fd = listener(&port);
	bool ok = fd >= 0 && start_wrk(b, &wrk, port);

	if (!ok)
		return wrong("no listener", strerror(errno));
	ok = first_request(fd, head, sizeof(head)) && is_as_claimed(b, head);
	kill(wrk.pid, SIGKILL);
	run_end(&wrk, 0, &use);
	run_free(&wrk);
	close(fd);
	return ok || wrong("wrk does not send the request that is claimed, but", head);
}

/* ---- nginx ---- */

static bool write_config(const struct bench *b, const char *path)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return wrong(path, strerror(errno));
	fprintf(f,
		"daemon off;\nmaster_process off;\npid %1$s/pid;\n"
		"events { worker_connections 256; }\n"
		"http {\n"
		"\taccess_log off;\n\tkeepalive_requests 1000000000;\n"
		"\tclient_body_temp_path %1$s/body;\n\tproxy_temp_path %1$s/proxy;\n"
		"\tfastcgi_temp_path %1$s/fastcgi;\n\tuwsgi_temp_path %1$s/uwsgi;\n"
		"\tscgi_temp_path %1$s/scgi;\n"
		"\tserver {\n\t\tlisten 127.0.0.1:%2$d;\n\t\tdefault_type application/json;\n"
		"\t\tlocation / { return 200 "
		"'{\"id\":\"c-1\",\"object\":\"chat.completion\"}'; }\n"
		"\t}\n"
		"\tserver {\n\t\tlisten 127.0.0.1:%3$d;\n\t\tlocation / { stub_status; }\n\t}\n"
		"}\n",
		b->dir, b->port, b->status_port);
	return !fclose(f);
}

/* Requests that nginx took, this one included; -1 when it does not answer. */
static long requests_taken(const struct bench *b)
{
	struct sockaddr_in a = loopback(b->status_port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	static const char ask[] = "GET / HTTP/1.0\r\n\r\n";
	char answer[2048];
	const char *at;
	long n = -1;

	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)) &&
	    write(fd, ask, sizeof(ask) - 1) == sizeof(ask) - 1) {
		read_until(fd, "Waiting", answer, sizeof(answer));
		at = strstr(answer, "requests\n");
		if (!at || sscanf(at, "requests %*d %*d %ld", &n) != 1)
			n = -1;
	}
	close(fd);
	return n;
}

static bool start_nginx(struct bench *b)
{
	char config[256], log[256];
	const char *const argv[] = { "nginx", "-p", b->dir, "-c", config, "-e", log, NULL };

	snprintf(config, sizeof(config), "%s/nginx.conf", b->dir);
	snprintf(log, sizeof(log), "%s/error.log", b->dir);
	if (!free_ports(&b->port, &b->status_port) || !write_config(b, config) ||
	    !run_start(&b->nginx, argv, NGINX_CPU))
		return false;
	for (int i = 0; i < 100; i++) {
		if (requests_taken(b) > 0)
			return true;
		usleep(20000);
	}
	return wrong("nginx does not answer", NULL);
}

static double cpu_ns(pid_t pid)
{
	char path[64];
	double ns = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	if (fscanf(f, "%lf", &ns) != 1)
		ns = -1;
	fclose(f);
	return ns;
}

/* ---- One slice ---- */

/* Requests that wrk counted; -1 when one failed. */
static long wrk_requests(const struct bench *b)
{
	struct run wrk;
	struct use use;
	const char *at;
	long n = -1;

	if (!start_wrk(b, &wrk, b->port))
		return -1;
	if (run_end(&wrk, 0, &use) && wrk.text && !strstr(wrk.text, "Socket errors") &&
	    !strstr(wrk.text, "Non-2xx")) {
		at = strstr(wrk.text, " requests in");
		while (at && at > wrk.text && at[-1] >= '0' && at[-1] <= '9')
			at--;
		n = at ? strtol(at, NULL, 10) : -1;
	}
	if (n <= 0)
		wrong("wrk failed", wrk.text);
	run_free(&wrk);
	return n;
}

/*
 * Loads nginx once. `taken` is what nginx counted: up to a request for each
 * connection more than wrk's count, which leaves those open at its end.
 */
static bool load(const struct bench *b, struct slice *s, long *made, long *taken)
{
	long before = requests_taken(b), after;
	double ns = cpu_ns(b->nginx.pid);

	*made = wrk_requests(b);
	if (*made < 0)
		return false;
	usleep(50000);
	ns = cpu_ns(b->nginx.pid) - ns;
	after = requests_taken(b);
	*taken = after - before - 1;
	*s = (struct slice){ ns / *taken, *made / strtod(SECONDS, NULL) };
	if (before > 0 && *taken >= *made && *taken <= *made + CONNECTIONS)
		return true;
	fprintf(stderr, "bench-nginx: wrk counted %ld requests, nginx %ld\n", *made, *taken);
	return false;
}

/* What the script last printed of the requests of this run; -1: nothing. */
static long requests_seen(const struct bench *b, const char *text)
{
	long seen = -1;

	for (const char *p = text; p && (p = strstr(p, "@requests[")); p++) {
		const char *end = strstr(p, "]: "), *tag = strstr(p, b->tag);

		if (end && tag && tag < end)
			seen = strtol(end + 3, NULL, 10);
	}
	return seen;
}

static bool start_tool(const struct bench *b, const struct subject *s, struct run *tool)
{
	const char *argv[] = { s->bpftrace ? b->bpftrace : b->apitrace, NULL, NULL, NULL };
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", b->scripts, s->file ? s->file : "");
	argv[1] = s->file ? path : "-e";
	argv[2] = s->file ? NULL : s->text;
	if (run_start(tool, argv, -1) && run_attached(tool) >= 0)
		return true;
	return wrong("a tool did not attach", tool->text);
}

static bool traced(const struct bench *b, const struct subject *s, struct slice *slice)
{
	struct run tool;
	struct use use;
	long made, taken, seen;
	bool ok;

	if (!start_tool(b, s, &tool))
		return false;
	ok = load(b, slice, &made, &taken);
	ok = run_end(&tool, SIGINT, &use) && ok;
	seen = requests_seen(b, tool.text);
	run_free(&tool);
	if (ok && seen >= made && seen <= taken)
		return true;
	fprintf(stderr, "bench-nginx: %s: saw %ld requests; wrk counted %ld, nginx %ld\n",
		s->name, seen, made, taken);
	return false;
}

static bool measure(const struct bench *b, const struct subject *s, struct slice *slice)
{
	long made, taken;

	if (s->file || s->text)
		return traced(b, s, slice);
	return load(b, slice, &made, &taken);
}

/* ---- All of them ---- */

static struct slice slices[COUNT(subjects)][MOST_ROUNDS];

static bool run_rounds(const struct bench *b)
{
	struct slice warm;

	if (!measure(b, &subjects[0], &warm))
		return false;
	for (unsigned i = 0; i < b->rounds; i++)
		for (unsigned k = 0; k < COUNT(subjects); k++) {
			unsigned t = (i + k) % COUNT(subjects);

			if (!measure(b, &subjects[t], &slices[t][i]))
				return false;
			bench_raw("nginx ns/request", subjects[t].name, i, slices[t][i].ns);
			bench_raw("nginx requests/s", subjects[t].name, i, slices[t][i].rps);
		}
	return true;
}

static bool print_subject(unsigned t, unsigned rounds)
{
	double ns[MOST_ROUNDS], ratio[MOST_ROUNDS], rps[MOST_ROUNDS], bound = subjects[t].bound;
	struct figure r;
	char judged[32] = "";

	for (unsigned i = 0; i < rounds; i++) {
		ns[i] = slices[t][i].ns;
		ratio[i] = ns[i] / slices[0][i].ns;
		rps[i] = slices[t][i].rps;
	}
	r = figure_of(ratio, rounds);
	if (bound)
		snprintf(judged, sizeof(judged), "%.2f%s", bound,
			 r.median > bound ? " ABOVE" : "");
	printf("  %-26s %-26s %-24s %-11s %8.0f\n", subjects[t].name,
	       figure_text(figure_of(ns, rounds), 0).s, figure_text(r, 3).s, judged,
	       figure_of(rps, rounds).median);
	return !bound || r.median <= bound;
}

static bool print_all(unsigned rounds)
{
	bool ok = true;

	printf("nginx, time on the CPU for a request (%d bytes, %d headers; %u rounds "
	       "of " SECONDS " s):\n"
	       "  %-26s %-26s %-24s %-11s %8s\n",
	       BYTES, HEADERS, rounds, "", "ns (quartiles)", "of untraced (quartiles)", "bound",
	       "req/s");
	for (unsigned t = 0; t < COUNT(subjects); t++)
		ok &= print_subject(t, rounds);
	puts("  Each tool saw all requests that wrk made.");
	return ok;
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = bench_rounds(7) };
	struct use use;
	bool ok;

	if (argc != 5) {
		fprintf(stderr, "usage: bench-nginx APITRACE BPFTRACE SCRIPTS DIRECTORY\n");
		return 2;
	}
	b.apitrace = argv[1];
	b.bpftrace = argv[2];
	b.scripts = argv[3];
	b.dir = argv[4];
	make_request(&b);
	if (!check_wire(&b) || !start_nginx(&b))
		return 1;
	ok = run_rounds(&b) && print_all(b.rounds);
	run_end(&b.nginx, SIGTERM, &use);
	run_free(&b.nginx);
	return !ok;
}
