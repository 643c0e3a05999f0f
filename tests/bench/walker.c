/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the walker costs inside the kernel: the functions that the engine writes
 * for a script with eight wanted headers, called by a program that
 * BPF_PROG_TEST_RUN repeats, on requests of some sizes in this process's memory.
 * Beside it run an empty program and one that only reads the same memory, as
 * the walker does: what is printed is the difference. The values that the walk
 * found are looked for in the connection's memory, so that nothing is measured
 * that did not work. Root only.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/codegen.h"
#include "lib/http/layout.h"
#include "lib/run/link.h"
#include "lib/run/load.h"
#include "lib/session.h"
#include "tests/bench/bench.h"

enum { REPEAT = 20000, SIZE_MOST = 8192, HEADERS = 8 };
enum { PROBE_READ_USER = 112, MAP_LOOKUP = 1, NOTHING = 1 << 30 };

static const char *const wanted[HEADERS] = { "host",         "user-agent",   "accept",
					     "content-type", "x-request-id", "x-model",
					     "traceparent",  "x-client" };

static const char script[] =
	"http:request /args.nheaders == 100000/ {\n"
	"	printf(\"%s %s %s %s %s %s %s %s\", header(\"host\"), header(\"user-agent\"),\n"
	"		header(\"accept\"), header(\"content-type\"), "
	"header(\"x-request-id\"),\n"
	"		header(\"x-model\"), header(\"traceparent\"), header(\"x-client\"));\n"
	"}\n";

/* ---- Requests ---- */

struct request {
	unsigned size;
	unsigned wanted; /* of the eight, how many it has */
	double bound[2]; /* ns, by form; 0: none */
	char text[SIZE_MOST + 1];
	char value[HEADERS][64];
};

static struct request requests[] = {
	{ 40, 1, { 0, 0 }, "", { "" } },
	{ 400, 8, { 200, 0 }, "", { "" } },
	{ 1300, 8, { 400, 0 }, "", { "" } },
	{ 8000, 8, { 0, 0 }, "", { "" } },
};

/* What else a browser and a gateway send; fills a request to its size. */
static const char *const others[] = {
	"accept-encoding: gzip, deflate, br, zstd",
	"accept-language: en-GB,en;q=0.8,de;q=0.5",
	"cookie: theme=dark; session=5e2a9c1b7f304d68a1e2c3f4d5a6b7c8; consent=1",
	"sec-ch-ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"",
	"sec-fetch-mode: cors",
	"sec-fetch-site: same-origin",
	"cache-control: no-cache",
	"x-forwarded-for: 203.0.113.7, 198.51.100.23",
	"x-forwarded-proto: https",
	"referer: https://www.example.org/a/page/of/some/length?with=query",
};

/* A request line, the wanted headers, others, and one that ends at the size. */
static bool make_request(struct request *q)
{
	static const char *const value[HEADERS] = { "h.example",
						    "Mozilla/5.0 (X11; Linux x86_64)",
						    "application/json",
						    "text/plain",
						    "0af7651916cd43dd",
						    "small-2",
						    "00-4bf92f3577b34da6-00f067aa0b",
						    "batch" };
	size_t at, pad = strlen("x-pad: \r\n\r\n");

	at = (size_t)sprintf(q->text, "GET /%s HTTP/1.1\r\n",
			     q->wanted < HEADERS ? "" : "v1/chat/complete?q=1");
	for (unsigned i = 0; i < q->wanted; i++) {
		snprintf(q->value[i], sizeof(q->value[i]), "%s%u", value[i], q->size);
		at += (size_t)sprintf(q->text + at, "%s: %s\r\n", wanted[i], q->value[i]);
	}
	if (at + 2 == q->size || q->wanted < HEADERS) {
		strcpy(q->text + at, "\r\n");
		return strlen(q->text) <= q->size;
	}
	for (unsigned i = 0;; i++) {
		const char *line = others[i % COUNT(others)];

		if (at + strlen(line) + 2 + pad > q->size)
			break;
		at += (size_t)sprintf(q->text + at, "%s\r\n", line);
	}
	sprintf(q->text + at, "x-pad: %.*s\r\n\r\n", (int)(q->size - at - pad),
		"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
		"pppp");
	return strlen(q->text) == q->size;
}

/* ---- Programs ---- */

/* The map "bench_in": what a program is told. */
struct input {
	uint64_t base, size; /* user memory */
};

enum { P_EMPTY, P_READ, P_WALK, PROGS };

static const char *const prog_names[PROGS] = { "bench_empty", "bench_read", "bench_walk" };

struct maps {
	unsigned conn, win, in;
};

static unsigned find_map(const struct at_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->maps.n; i++)
		if (strcmp(plan->maps.v[i].name, name) == 0)
			return i;
	return NOTHING;
}

static unsigned find_func(const struct at_plan *plan, const char *name)
{
	for (unsigned i = 0; i < plan->funcs.n; i++)
		if (strcmp(plan->funcs.v[i]->name, name) == 0)
			return i;
	return NOTHING;
}

static unsigned add_map(struct at_plan *plan, const char *name, unsigned size)
{
	return at_plan_map(plan, &(struct at_plan_map){ .name = name,
							.kind = AT_MAP_ARRAY,
							.key_size = 4,
							.value_size = size,
							.max_entries = 1 });
}

/* The value of a map's only entry, or the first of a CPU; leaves when there is none. */
static struct at_ir *value_of(struct at_irb *b, unsigned map)
{
	struct at_ir *key = ir_slot(b, 8), *v;

	ir_store(b, 4, key, 0, C(0));
	v = ir_let(b, ir_helper(b, MAP_LOOKUP, 2, ir_map(b, map), key));
	IF(ir_iszero(b, v));
	RETURN(100);
	END;
	return v;
}

static void write_empty(struct at_irb *b, const struct maps *m, unsigned walk)
{
	(void)m;
	(void)walk;
	RETURN(0);
}

/* The window's reads of a call of that size, and no more. */
static void write_read(struct at_irb *b, const struct maps *m, unsigned walk)
{
	struct at_ir *win = value_of(b, m->win), *in = value_of(b, m->in), *base, *left, *n;

	(void)walk;
	base = ir_let(b, ir_load(b, 8, in, offsetof(struct input, base)));
	left = ir_let(b, ir_load(b, 8, in, offsetof(struct input, size)));
	for (int i = 0; i < SIZE_MOST / AT_HTTP_READ; i++) {
		IF(left);
		n = at_http_min(b, left, C(AT_HTTP_READ));
		IF(ir_helper(b, PROBE_READ_USER, 3, ir_addi(b, win, AT_HTTP_CARRY), n, base));
		RETURN(101);
		END;
		END;
		base = ir_let(b, ir_addi(b, base, AT_HTTP_READ));
		left = ir_let(b, ir_select(b, ir_ugti(b, left, AT_HTTP_READ),
					   ir_subi(b, left, AT_HTTP_READ), C(0)));
	}
	RETURN(0);
}

/* A call of that size on a connection whose requests have all been answered. */
static void write_walk(struct at_irb *b, const struct maps *m, unsigned walk_func)
{
	struct at_walk walk = { .b = b }, *w = &walk;
	struct at_ir *in = value_of(b, m->in);

	w->conn = value_of(b, m->conn);
	w->win = value_of(b, m->win);
	w->half = ir_let(b, ir_addi(b, w->conn, offsetof(struct at_http_state, half)));
	KS(resp_seq, KL(req_seq));
	HS(busy, C(1));
	HS(self, C(offsetof(struct at_http_state, half)));
	WS(now, C(1));
	WS(nput, C(0));
	WS(put, C(0));
	WS(pos, C(AT_HTTP_CARRY));
	WS(end, C(AT_HTTP_CARRY));
	WS(nobuf, C(0));
	WS(niov, C(0));
	WS(urgent, C(0));
	WS(base, ir_load(b, 8, in, offsetof(struct input, base)));
	WS(room, ir_load(b, 8, in, offsetof(struct input, size)));
	WS(left, ir_load(b, 8, in, offsetof(struct input, size)));
	ir_return(b, ir_call(b, walk_func, 3, w->conn, w->half, w->win));
}

/* Adds the programs to the script's plan and takes its own away: only the maps are made of it.
 */
static bool add_programs(struct at_plan *plan, struct maps *m)
{
	static void (*const write[PROGS])(struct at_irb *, const struct maps *,
					  unsigned) = { write_empty, write_read, write_walk };
	unsigned walk = find_func(plan, "http_walk"), conn = find_map(plan, "http_conn");

	m->win = find_map(plan, "http_window");
	if (walk == NOTHING || conn == NOTHING || m->win == NOTHING)
		return false;
	m->conn = add_map(plan, "bench_conn", plan->maps.v[conn].value_size);
	m->in = add_map(plan, "bench_in", sizeof(struct input));
	for (int i = 0; i < PROGS; i++) {
		struct at_irb b = { 0 };

		ir_begin(&b, plan, prog_names[i], AT_FN_PROG, 1);
		write[i](&b, m, walk);
	}
	plan->progs.n = 0;
	return true;
}

/* ---- Loading ---- */

struct bench {
	struct at_session s;
	struct at_run run;
	struct maps maps;
	struct at_codegen_result code;
	struct at_elf elf;
	int fd[PROGS];
};

static int map_fd(void *arg, uint32_t map)
{
	const struct bench *t = arg;

	return t->run.map_fds[map];
}

/* The walk has no offsets in it, so what is left is a secret or a pid. */
static int sym(void *arg, uint32_t index, uint64_t *value)
{
	(void)arg;
	(void)index;
	*value = 0;
	return 0;
}

static int kfunc(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return -ENOTSUP;
}

/* As a classifier of packets: of those that can be repeated, it may call what the walk calls.
 */
static int load_prog(struct bench *t, const char *name, int btf_fd)
{
	struct at_link_env env = { t, map_fd, sym, kfunc, 0 };
	LIBBPF_OPTS(bpf_prog_load_opts, o);
	static char log[1 << 16];
	struct at_linked code;
	int fd;

	if (at_link(&t->elf, name, &env, &code))
		return -1;
	o.prog_btf_fd = (uint32_t)btf_fd;
	o.func_info = code.funcs;
	o.func_info_cnt = code.nfuncs;
	o.func_info_rec_size = sizeof(*code.funcs);
	o.log_buf = log;
	o.log_size = sizeof(log);
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", code.insns, code.n, &o);
	if (fd < 0)
		fprintf(stderr, "%s does not load: %s\n%s\n", name, strerror(-fd),
			log + (strlen(log) > 1000 ? strlen(log) - 1000 : 0));
	at_linked_free(&code);
	return fd;
}

static int compile(struct bench *t, const char *plugin, bool may_goto)
{
	struct at_codegen_opts opts = { .sz = sizeof(opts), .may_goto = may_goto };
	void *dl = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
	at_codegen_fn fn = NULL;
	int err;

	if (dl)
		*(void **)&fn = dlsym(dl, AT_CODEGEN_SYMBOL);
	if (!fn)
		return -ENOENT;
	err = fn(t->s.plan, &opts, 0, &t->code);
	if (err)
		fprintf(stderr, "walker: %s\n", t->code.error);
	dlclose(dl);
	return err;
}

static bool load(struct bench *t)
{
	struct btf *btf;
	int fd;

	t->run = (struct at_run){
		.plan = t->s.plan, .lang = t->s.lang, .host = t->s.host, .diags = &t->s.diags
	};
	if (at_run_load(&t->run, t->code.elf, t->code.size, NULL, NULL) ||
	    at_elf_open(&t->elf, t->code.elf, t->code.size))
		return false;
	btf = btf__new(t->elf.btf, t->elf.btf_size);
	if (!btf || btf__load_into_kernel(btf))
		return false;
	fd = btf__fd(btf);
	for (int i = 0; i < PROGS; i++) {
		t->fd[i] = load_prog(t, prog_names[i], fd);
		if (t->fd[i] < 0)
			return false;
	}
	btf__free(btf);
	return true;
}

static bool set_up(struct bench *t, const char *plugin, bool may_goto)
{
	t->s = (struct at_session){ .arena = at_arena_new(),
				    .lang = &at_lang,
				    .host = at_host_new(),
				    .plugin = plugin,
				    .source = { "walker", script, sizeof(script) - 1 } };
	bool ok = at_session_compile(&t->s) == 0 && add_programs(t->s.plan, &t->maps) &&
		  compile(t, plugin, may_goto) == 0 && load(t);

	for (size_t i = 0; i < t->s.diags.list.n; i++)
		fprintf(stderr, "walker: %s\n", t->s.diags.list.v[i].text);
	return ok;
}

static void tear_down(struct bench *t)
{
	for (int i = 0; i < PROGS; i++)
		close(t->fd[i]);
	at_elf_close(&t->elf);
	at_run_free(&t->run);
	free(t->code.elf);
	free(t->code.error);
	at_session_free(&t->s);
	at_host_free(t->s.host);
	at_arena_free(t->s.arena);
}

/* ---- Running ---- */

/* ns a call, or less than 0. */
static double run_prog(const struct bench *t, int prog, int repeat)
{
	static char packet[64];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = repeat);

	if (bpf_prog_test_run_opts(t->fd[prog], &o) || o.retval) {
		fprintf(stderr, "walker: %s: %s, %u\n", prog_names[prog], strerror(errno),
			o.retval);
		return -1;
	}
	return o.duration;
}

/* A whole text, with the length that belongs to it, lies somewhere in the connection. */
static bool has_text(const char *conn, size_t size, const char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at + sizeof(struct at_http_text) + len <= size; at += 8) {
		struct at_http_text have;

		memcpy(&have, conn + at, sizeof(have));
		if (have.len == len && have.full == len && have.flags & AT_HTTP_T_PRESENT &&
		    memcmp(conn + at + sizeof(have), text, len) == 0)
			return true;
	}
	return false;
}

/* One walk on fresh memory: the request is complete, its values are there, and no others. */
static bool is_right(const struct bench *t, const struct request *q)
{
	unsigned size = t->s.plan->maps.v[t->maps.conn].value_size;
	char *conn = calloc(1, size);
	const struct at_http_state *state = (const void *)conn;
	uint32_t key = 0;
	bool ok;

	ok = conn && bpf_map_update_elem(t->run.map_fds[t->maps.conn], &key, conn, 0) == 0 &&
	     run_prog(t, P_WALK, 1) >= 0 &&
	     bpf_map_lookup_elem(t->run.map_fds[t->maps.conn], &key, conn) == 0 &&
	     state->req_seq == 1 && state->half[0].state == AT_S_START && !state->half[0].busy;
	for (unsigned i = 0; ok && i < HEADERS; i++)
		ok = has_text(conn, size, q->value[i]) == (i < q->wanted);
	free(conn);
	if (!ok)
		fprintf(stderr, "walker: the walk of %u bytes did not find what is there\n",
			q->size);
	return ok;
}

static bool take(const struct bench *t, struct request *q)
{
	struct input in = { (uint64_t)(uintptr_t)q->text, strlen(q->text) };
	uint32_t key = 0;

	return bpf_map_update_elem(t->run.map_fds[t->maps.in], &key, &in, 0) == 0;
}

/* A round: ns of the walk and of the read, without what an empty program costs. */
static bool measure(const struct bench *t, struct request *q, double *walk, double *read)
{
	double v[PROGS];

	if (!take(t, q))
		return false;
	for (int i = 0; i < PROGS; i++) {
		v[i] = run_prog(t, i, REPEAT);
		if (v[i] < 0)
			return false;
	}
	*walk = v[P_WALK] - v[P_READ];
	*read = v[P_READ] - v[P_EMPTY];
	return true;
}

static const char *const forms[] = { "may_goto", "bpf_loop" };

static bool print_figures(const struct bench *t, unsigned rounds)
{
	static double v[COUNT(requests)][COUNT(forms)][2][MOST_ROUNDS];
	bool ok = true;

	for (unsigned r = 0; r < rounds; r++)
		for (size_t q = 0; q < COUNT(requests); q++)
			for (size_t f = 0; f < COUNT(forms); f++)
				if (!measure(&t[f], &requests[q], &v[q][f][0][r],
					     &v[q][f][1][r]))
					return false;
	printf("The walk of a request, %u wanted headers (%u rounds of %d, ns a call):\n"
	       "  %-8s %-9s %-25s %-25s bound\n",
	       HEADERS, rounds, REPEAT, "bytes", "loops by", "walk (quartiles)",
	       "its reads of user memory");
	for (size_t q = 0; q < COUNT(requests); q++)
		for (size_t f = 0; f < COUNT(forms); f++) {
			double bound = requests[q].bound[f];
			struct figure walk, read;
			char what[64];

			snprintf(what, sizeof(what), "%u %s", requests[q].size, forms[f]);
			for (unsigned r = 0; r < rounds; r++)
				bench_raw("walker", what, r, v[q][f][0][r]);
			walk = figure_of(v[q][f][0], rounds);
			read = figure_of(v[q][f][1], rounds);
			printf("  %-8zu %-9s %-25s %-25s", strlen(requests[q].text), forms[f],
			       figure_text(walk, 0).s, figure_text(read, 0).s);
			if (bound > 0)
				printf(" %.0f%s", bound, walk.median > bound ? " MISSED" : "");
			putchar('\n');
			ok &= bound == 0 || walk.median <= bound;
		}
	return ok;
}

int main(void)
{
	static struct bench t[COUNT(forms)];

	for (size_t q = 0; q < COUNT(requests); q++)
		if (!make_request(&requests[q])) {
			fprintf(stderr, "walker: no request of %u bytes\n", requests[q].size);
			return 1;
		}
	for (size_t f = 0; f < COUNT(forms); f++) {
		if (!set_up(&t[f], TEST_PLUGIN, f == 0))
			return 1;
		for (size_t q = 0; q < COUNT(requests); q++)
			if (!take(&t[f], &requests[q]) || !is_right(&t[f], &requests[q]))
				return 1;
	}
	bool ok = print_figures(t, bench_rounds(9));

	for (size_t f = 0; f < COUNT(forms); f++)
		tear_down(&t[f]);
	return !ok;
}
