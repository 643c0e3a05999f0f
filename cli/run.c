/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One run of a script: compile, load, attach, poll until a signal, exit() or the
 * end of the traced process, then the maps. Signals come through a signalfd,
 * so that the loop waits for everything in one place.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"

struct run {
	const struct cli_options *o;
	struct apitrace *h;
	FILE *out;
	bool broken; /* stdout is gone: nothing more can be said there */
	bool by_line;
	int signals;
	struct cli_child child;
	size_t seen; /* diagnostics printed */
};

bool cli_show_diagnostics(struct apitrace *h, size_t *seen, bool quiet)
{
	struct apitrace_diag d;
	bool error = false;

	for (; !apitrace_diag_get(h, *seen, &d); (*seen)++) {
		error |= d.severity == APITRACE_ERROR;
		if (!quiet || d.severity == APITRACE_ERROR)
			fputs(d.rendered, stderr);
	}
	return error;
}

static bool show_diagnostics(struct run *r)
{
	return cli_show_diagnostics(r->h, &r->seen, r->o->quiet);
}

/* ---- Output ---- */

static void write_out(void *arg, const char *s, size_t n)
{
	struct run *r = arg;

	if (r->broken)
		return;
	if (fwrite(s, 1, n, r->out) != n || (r->by_line && fflush(r->out)))
		r->broken = true;
}

static void write_log(void *arg, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

static int open_output(struct run *r)
{
	const char *mode = r->o->buffer;

	r->out = r->o->output ? fopen(r->o->output, "we") : stdout;
	if (!r->out) {
		fprintf(stderr, "ERROR: %s: %s\n", r->o->output, strerror(errno));
		return EXIT_USAGE;
	}
	r->by_line = mode ? strcmp(mode, "full") : true;
	setvbuf(r->out, NULL, mode && !strcmp(mode, "none") ? _IONBF : _IOFBF, 1 << 16);
	return 0;
}

/* 0, or the exit code of output that could not be written (a reader that left is none). */
static int close_output(struct run *r)
{
	int err = 0;

	errno = 0;
	if (r->out && (fflush(r->out) || r->broken))
		err = errno;
	if (r->o->output && r->out && fclose(r->out) && !err)
		err = errno;
	if (!err || err == EPIPE)
		return 0;
	fprintf(stderr, "ERROR: output: %s\n", strerror(err));
	return EXIT_RUN;
}

/* ---- Waiting ---- */

static int open_signals(struct run *r)
{
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		/* What was ignored when we were started (nohup) stays so. */
		if (!sigaction(caught[i], NULL, &now) && now.sa_handler == SIG_IGN)
			continue;
		sigaddset(&set, caught[i]);
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->signals < 0 ? -errno : 0;
}

enum { AT_RING, AT_SIGNALS, AT_CHILD, AT_OUT, AT_NFDS };

/* Until something ends the run; 0 or -errno. */
static int wait_for_end(struct run *r)
{
	struct pollfd p[AT_NFDS] = {
		[AT_RING] = { .fd = apitrace_fd(r->h), .events = POLLIN },
		[AT_SIGNALS] = { .fd = r->signals, .events = POLLIN },
		[AT_CHILD] = { .fd = r->child.fd, .events = POLLIN },
		[AT_OUT] = { .fd = fileno(r->out) }, /* its error is a reader that left */
	};
	int n = 0;

	while (n >= 0 && !apitrace_exiting(r->h, NULL) && !r->broken) {
		if (poll(p, AT_NFDS, -1) < 0 && errno != EINTR)
			return -errno;
		if (p[AT_OUT].revents & POLLNVAL)
			p[AT_OUT].fd = -1; /* started without a stdout */
		if (p[AT_RING].revents)
			n = apitrace_consume(r->h);
		if (p[AT_SIGNALS].revents || p[AT_CHILD].revents ||
		    p[AT_OUT].revents & POLLERR)
			break;
	}
	return n < 0 ? n : 0;
}

/* ---- The run ---- */

static void say_attached(const struct run *r)
{
	unsigned n = apitrace_probes(r->h);

	if (!r->o->quiet)
		fprintf(stderr, "Attached %u probe%s\n", n, n == 1 ? "" : "s");
	if (getenv("__BPFTRACE_NOTIFY_PROBES_ATTACHED")) {
		puts("__BPFTRACE_NOTIFY_PROBES_ATTACHED"); /* where bpftrace says it */
		fflush(stdout);
	}
}

static int start_process(struct run *r)
{
	int err = 0;

	if (r->o->command)
		err = cli_child_start(&r->child, r->o->command);
	else if (r->o->pid)
		err = cli_child_watch(&r->child, r->o->pid);
	if (!err && r->o->command)
		err = apitrace_set_pid(r->h, r->child.pid);
	if (err && r->o->pid)
		fprintf(stderr, "ERROR: process %d: %s\n", (int)r->o->pid, strerror(-err));
	else if (err)
		fprintf(stderr, "ERROR: %s: %s\n", r->o->command, strerror(-err));
	return err;
}

/* Attached: until the end, and what is said then. Exit code. */
static int trace(struct run *r)
{
	int code = 0, err;

	say_attached(r);
	if (!r->o->dry_run)
		cli_child_go(&r->child);
	err = apitrace_consume(r->h);
	if (err >= 0 && !r->o->dry_run)
		err = wait_for_end(r);
	if (err < 0)
		fprintf(stderr, "ERROR: reading events: %s\n", strerror(-err));
	apitrace_stop(r->h);
	if (!r->o->dry_run)
		apitrace_report(r->h);
	apitrace_exiting(r->h, &code);
	return err < 0 ? EXIT_RUN : code;
}

static int load_and_trace(struct run *r)
{
	int err = start_process(r), code;

	if (err)
		return EXIT_USAGE;
	err = apitrace_load(r->h);
	if (!err)
		err = apitrace_attach(r->h);
	show_diagnostics(r);
	if (err)
		return err == -EPERM ? EXIT_USAGE : EXIT_RUN;
	code = trace(r);
	show_diagnostics(r);
	return code;
}

/* A stage can be looked at even when a later one found mistakes. */
static int show_stage(struct run *r)
{
	bool bytes = !strcmp(r->o->stage, "elf");
	size_t len;
	char *text;
	int err;

	if (bytes && isatty(fileno(r->out))) {
		fprintf(stderr, "ERROR: -d elf writes bytes: give it a file with -o\n");
		return EXIT_USAGE;
	}
	err = apitrace_dump(r->h, r->o->stage, &text, &len);
	if (!err) {
		write_out(r, text, len);
		free(text);
	}
	return show_diagnostics(r) || err ? EXIT_USAGE : 0;
}

static int compile_and_run(struct run *r)
{
	const char *name;
	char *text;
	size_t len;
	int code = cli_read_script(r->o, &name, &text, &len), err;

	if (code)
		return code;
	err = apitrace_compile(r->h, name, text, len);
	free(text);
	if (r->o->stage)
		return show_stage(r);
	show_diagnostics(r);
	if (err)
		return EXIT_USAGE;
	return load_and_trace(r);
}

static struct apitrace *new_handle(struct run *r)
{
	const struct cli_options *o = r->o;
	struct apitrace_opts opts = {
		.sz = sizeof(opts), .format = o->format, .write = write_out,
		.log = o->verbose ? write_log : NULL, .arg = r,
		.pid = o->command ? -1 : o->pid, .params = o->params, .nparams = o->nparams,
		.unsafe = o->unsafe, .show_secrets = o->show_secrets, .quiet = o->quiet,
	};

	return apitrace_new(&opts);
}

int cli_run(const struct cli_options *o)
{
	struct run r = { .o = o, .signals = -1, .child = { .go = -1, .fd = -1 } };
	int code = open_output(&r), out;

	if (code)
		return code;
	r.h = new_handle(&r);
	if (!r.h || open_signals(&r)) {
		fprintf(stderr, "ERROR: %s\n", strerror(errno));
		code = EXIT_RUN;
	} else {
		code = compile_and_run(&r);
	}
	apitrace_free(r.h);
	cli_child_end(&r.child);
	if (r.signals >= 0)
		close(r.signals);
	out = close_output(&r);
	return code ? code : out;
}
