/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traced process: a command of ours that waits at a pipe until the probes
 * are attached, or a process that is there already. A pidfd tells its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

static int pidfd_open(pid_t pid)
{
	int fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* In the child: waits for the word to go, and leaves when there is none. */
static void become(int pipe_fd, const char *command)
{
	sigset_t none;
	char word;

	if (read(pipe_fd, &word, 1) != 1)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int cli_child_start(struct cli_child *c, const char *command)
{
	/* A simple command takes the shell's place, so that the pid traced is its own. */
	bool simple = !strpbrk(command, ";&|<>()$`\\\"'\n*?[#~=%!{}");
	char exec[4096];
	int ends[2];

	if (snprintf(exec, sizeof(exec), "%s%s", simple ? "exec " : "", command) >=
	    (int)sizeof(exec))
		return -E2BIG;
	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	c->pid = fork();
	if (c->pid < 0) {
		close(ends[0]);
		close(ends[1]);
		c->pid = 0;
		return -errno;
	}
	if (!c->pid) {
		close(ends[1]);
		become(ends[0], exec);
	}
	close(ends[0]);
	c->go = ends[1];
	c->ours = true;
	c->fd = pidfd_open(c->pid);
	return c->fd < 0 ? c->fd : 0;
}

int cli_child_watch(struct cli_child *c, pid_t pid)
{
	c->pid = pid;
	c->fd = pidfd_open(pid);
	return c->fd < 0 ? c->fd : 0;
}

void cli_child_go(struct cli_child *c)
{
	if (c->go < 0)
		return;
	while (write(c->go, "g", 1) < 0 && errno == EINTR)
		;
	close(c->go);
	c->go = -1;
}

/* SIGTERM, and SIGKILL for what does not leave in half a second. */
static void end_and_reap(struct cli_child *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	if (c->go >= 0)
		close(c->go); /* it never started: it leaves by itself */
	else
		kill(c->pid, SIGTERM);
	if (c->fd < 0 || poll(&p, 1, 500) != 1)
		kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

void cli_child_end(struct cli_child *c)
{
	if (c->ours)
		end_and_reap(c);
	if (c->fd >= 0)
		close(c->fd);
	*c = (struct cli_child){ .go = -1, .fd = -1 };
}
