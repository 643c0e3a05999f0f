/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of text cases, inside. Reads the files in tests/cases:
 *
 *	=== name                 a case; everything up to the next "===" is its
 *	--- section [args]       sections, each up to the next "---" or "==="
 *
 * Lines in front of the first case are a comment. Blank lines at the end of a
 * section belong to the file, not to the section.
 *
 *	script    the program. `--- script escaped`: \n \t \\ \xHH are bytes,
 *	          \*N{text} is text N times, and lines are joined without breaks.
 *	options   as on the command line: --unsafe, --show-secrets, --pid, other
 *	          words are positional parameters ("with blanks in quotes").
 *	tokens    the tokens, one a line            } up to here the script is
 *	ast       the syntax tree                   } only parsed
 *	types     the tree with types
 *	diag      all diagnostics as rendered, each with its tag in front.
 *	          `--- diag parse`: those of the parser only.
 *	plan      the plan with its core IR
 *	same      another script that has the same plan; may be repeated
 *
 * Without a `diag` section a diagnostic that is an error fails the case. These
 * run on a recorded host (tests/fixtures/host) and need no privilege. The
 * following run the command named by $APITRACE, as root; else they are skipped:
 *
 *	verify    the kernel takes the programs (--dry-run); no text
 *	out       what it prints. Lines are compared exactly; a line that begins
 *	          with '~' is a POSIX extended expression for the whole line.
 *	json      the same with -f json
 *	exit      its exit status
 *	with      a shell command run once the probes are attached; when it has
 *	          ended, the tracer gets SIGINT
 *
 * Prints TAP, a line a case; the last line counts. --update rewrites what
 * differs into the files.
 */
#ifndef AT_TESTS_CASE_H
#define AT_TESTS_CASE_H

#include <stdbool.h>
#include <stddef.h>

struct section {
	char *name, *args;
	char *text;     /* without the blank lines at its end */
	unsigned blank; /* how many those are */
	unsigned line;  /* of its "---" in the file */
};

struct testcase {
	char *name;
	unsigned line;
	struct section *sections;
	size_t n;
};

struct casefile {
	const char *path;
	char *head; /* in front of the first case */
	struct testcase *cases;
	size_t n;
	bool changed;
};

/* case-file.c. Does not return when memory is short: a test program may. */
void *xrealloc(void *p, size_t size);
char *xstrndup(const char *s, size_t n);
bool casefile_read(struct casefile *f, const char *path); /* false: said why on stderr */
bool casefile_write(const struct casefile *f);
void casefile_free(struct casefile *f);
struct section *case_section(const struct testcase *c, const char *name);
/* The bytes of a script section; *len. The caller frees. */
char *script_text(const struct section *s, size_t *len);

/* case-run.c: runs the command on a script. */
struct run {
	char *out, *err; /* NUL-terminated; run_free() */
	int status;      /* exit status, 128 + signal, -1: did not end in time */
};
struct run_what {
	const char *script;
	char *const *options; /* in front of -e */
	size_t noptions;
	char *const *params;
	size_t nparams;
	bool json, dry;
	const char *with; /* may be NULL */
};
bool run_possible(void);
void run_command(const struct run_what *w, struct run *r);
void run_free(struct run *r);

/* case-match.c */
/* Number of the first line that differs, from 1; 0: none. patterns: '~' lines are expressions.
 */
unsigned differing_line(const char *want, const char *got, bool patterns);
/* The first lines of a text, at most n. */
void print_lines(const char *label, const char *text, unsigned n);
/* Line n of a text as "# label: …" on stdout. */
void print_line(const char *label, const char *text, unsigned n);

#endif
