/* SPDX-License-Identifier: Apache-2.0 */
/* The apitrace command: what its files share. It uses the library through <apitrace.h> only. */
#ifndef AT_CLI_H
#define AT_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include <apitrace.h>

enum { EXIT_USAGE = 1, EXIT_RUN = 255 };

/* options.c: the command line. */
struct cli_options {
	const char *program;  /* -e */
	const char *file;     /* or a name; NULL with -e, or "-" */
	const char *command;  /* -c */
	pid_t pid;            /* -p */
	enum apitrace_format format;
	const char *output;   /* -o */
	const char *buffer;   /* -B, or NULL */
	const char *stage;    /* -d */
	bool list, dry_run, unsafe, show_secrets, verbose, quiet, info, help, version;
	const char *const *params;
	size_t nparams;
};
/* 0, or an exit code after saying what is wrong. */
int cli_parse(struct cli_options *o, int argc, char **argv);
void cli_help(FILE *out);

/* script.c: the script's text, malloc'ed; its name for diagnostics. 0 or an exit code. */
int cli_read_script(const struct cli_options *o, const char **name, char **text, size_t *len);
/* Reads and compiles it: 0, or an exit code; diagnostics are the handle's. */
int cli_compile(const struct cli_options *o, struct apitrace *h);

/* child.c: a command that waits until it is told to go. */
struct cli_child {
	pid_t pid; /* 0: none */
	int go;    /* its end of the pipe */
	int fd;    /* pidfd, readable at its end; also of -p; -1: none */
	bool ours;
};
int cli_child_start(struct cli_child *c, const char *command); /* 0 or -errno */
int cli_child_watch(struct cli_child *c, pid_t pid);           /* of -p */
void cli_child_go(struct cli_child *c);
void cli_child_end(struct cli_child *c); /* ends and reaps it when it is ours */

/* run.c: from handle to exit code. */
int cli_run(const struct cli_options *o);
/* list.c: -l, and info.c: --info, likewise. */
int cli_list(const struct cli_options *o);
int cli_info(const struct cli_options *o);
/* Prints the handle's diagnostics from number *seen on; true: one was an error. */
bool cli_show_diagnostics(struct apitrace *h, size_t *seen, bool quiet);

#endif
