/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the command on a script as a user would: output and messages through
 * pipes, the `with` command once "Attached" was said, SIGINT when that ended,
 * and never longer than DEADLINE.
 */
#include "tests/case.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000, SETTLE_MS = 200, MAX_ARGS = 64 };

struct job {
	const struct run_what *what;
	struct run *run;
	pid_t tracer, with; /* 0: not running */
	int fds[2];         /* stdout, stderr of the tracer; -1: closed */
	size_t n[2];
	bool started, interrupted; /* `with`; the tracer */
	long long begun, with_ended;
};

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

bool run_possible(void)
{
	const char *command = getenv("APITRACE");

	return !geteuid() && command && !access(command, X_OK);
}

static void exec_tracer(const struct run_what *w)
{
	const char *argv[MAX_ARGS];
	size_t n = 0;

	argv[n++] = getenv("APITRACE");
	if (w->json)
		argv[n++] = "-f", argv[n++] = "json";
	if (w->dry)
		argv[n++] = "--dry-run";
	for (size_t i = 0; i < w->noptions && n < MAX_ARGS / 2; i++)
		argv[n++] = w->options[i];
	argv[n++] = "-e";
	argv[n++] = w->script;
	for (size_t i = 0; i < w->nparams && n < MAX_ARGS - 1; i++)
		argv[n++] = w->params[i];
	argv[n] = NULL;
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static bool start_tracer(struct job *j)
{
	int out[2], err[2];

	if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		return false;
	fflush(stdout);
	j->tracer = fork();
	if (!j->tracer) {
		dup2(out[1], 1);
		dup2(err[1], 2);
		signal(SIGINT, SIG_DFL); /* a shell ignores it for what it starts aside */
		exec_tracer(j->what);
	}
	close(out[1]);
	close(err[1]);
	j->fds[0] = out[0];
	j->fds[1] = err[0];
	return j->tracer > 0;
}

static void start_with(struct job *j)
{
	j->started = true;
	j->with = fork();
	if (!j->with) {
		int null = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execl("/bin/sh", "sh", "-c", j->what->with, (char *)NULL);
		_exit(127);
	}
}

static void read_some(struct job *j, int i)
{
	char **text = i ? &j->run->err : &j->run->out;
	ssize_t got;

	*text = xrealloc(*text, j->n[i] + 4097);
	got = read(j->fds[i], *text + j->n[i], 4096);
	if (got <= 0) {
		close(j->fds[i]);
		j->fds[i] = -1;
		got = 0;
	}
	j->n[i] += (size_t)got;
	(*text)[j->n[i]] = 0;
}

static void wait_for_text(struct job *j, int ms)
{
	struct pollfd p[2] = { { .fd = j->fds[0], .events = POLLIN },
			       { .fd = j->fds[1], .events = POLLIN } };

	if (poll(p, 2, ms) <= 0)
		return;
	for (int i = 0; i < 2; i++)
		if (p[i].revents)
			read_some(j, i);
}

static int status_of(int raw)
{
	return WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
}

/* The next step of `with` and of the interrupt that follows it. */
static void step(struct job *j)
{
	if (!j->what->with)
		return;
	if (!j->started) {
		if (j->run->err && strstr(j->run->err, "Attached "))
			start_with(j);
		return;
	}
	if (j->with > 0 && waitpid(j->with, NULL, WNOHANG) == j->with) {
		j->with = 0;
		j->with_ended = now_ms();
	}
	if (!j->with && !j->interrupted && now_ms() - j->with_ended >= SETTLE_MS) {
		kill(j->tracer, SIGINT);
		j->interrupted = true;
	}
}

static void finish(struct job *j)
{
	int raw;

	if (j->with > 0) {
		kill(-j->with, SIGKILL);
		waitpid(j->with, NULL, 0);
	}
	if (now_ms() - j->begun >= DEADLINE_MS) {
		kill(j->tracer, SIGKILL);
		waitpid(j->tracer, &raw, 0);
		j->run->status = -1;
	} else {
		waitpid(j->tracer, &raw, 0);
		j->run->status = status_of(raw);
	}
	for (int i = 0; i < 2; i++)
		if (j->fds[i] >= 0)
			close(j->fds[i]);
}

void run_command(const struct run_what *w, struct run *r)
{
	struct job j = { .what = w, .run = r, .begun = now_ms() };

	*r = (struct run){ .out = xstrndup("", 0), .err = xstrndup("", 0), .status = -1 };
	if (!start_tracer(&j))
		return;
	while ((j.fds[0] >= 0 || j.fds[1] >= 0) && now_ms() - j.begun < DEADLINE_MS) {
		wait_for_text(&j, 50);
		step(&j);
	}
	finish(&j);
}

void run_free(struct run *r)
{
	free(r->out);
	free(r->err);
}
