/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: one table (options.def) that also prints its own help. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static bool set_program(struct cli_options *o, const char *arg)
{
	o->program = arg;
	return true;
}

static bool set_command(struct cli_options *o, const char *arg)
{
	o->command = arg;
	return *arg;
}

static bool set_pid(struct cli_options *o, const char *arg)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(arg, &end, 10);
	o->pid = pid;
	return !errno && *arg && !*end && pid > 0 && pid == o->pid;
}

static bool set_format(struct cli_options *o, const char *arg)
{
	o->format = !strcmp(arg, "json") ? APITRACE_JSON : APITRACE_TEXT;
	return !strcmp(arg, "json") || !strcmp(arg, "text");
}

static bool set_output(struct cli_options *o, const char *arg)
{
	o->output = arg;
	return *arg;
}

static bool set_buffer(struct cli_options *o, const char *arg)
{
	o->buffer = arg;
	return !strcmp(arg, "line") || !strcmp(arg, "full") || !strcmp(arg, "none");
}

static bool set_debug(struct cli_options *o, const char *arg)
{
	static const char *const stages[] = { "tokens", "ast", "types", "plan", "ir", "elf" };

	o->stage = arg;
	for (size_t i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (!strcmp(arg, stages[i]))
			return true;
	return false;
}

#define FLAG(name)                                                        \
	static bool set_##name(struct cli_options *o, const char *arg)    \
	{                                                                 \
		(void)arg;                                                \
		o->name = true;                                           \
		return true;                                              \
	}
FLAG(list)
FLAG(dry_run)
FLAG(unsafe)
FLAG(show_secrets)
FLAG(verbose)
FLAG(quiet)
FLAG(info)
FLAG(help)
FLAG(version)
#undef FLAG

static const struct {
	const char *name;
	char letter;
	const char *arg;
	bool (*set)(struct cli_options *o, const char *arg);
	const char *brief;
} table[] = {
#define OPTION(name, letter, arg, set, brief) { name, letter, arg, set, brief },
#include "cli/options.def"
#undef OPTION
};

enum { N = sizeof(table) / sizeof(table[0]), LONG_ONLY = 256 };

void cli_help(FILE *out)
{
	fprintf(out, "usage: apitrace [OPTIONS] FILE [PARAMETER...]\n"
		     "       apitrace [OPTIONS] -e PROGRAM [PARAMETER...]\n"
		     "       apitrace -l [SEARCH]\n\n"
		     "FILE is a script, - for stdin, or the name of a script that came with apitrace.\n\n");
	for (size_t i = 0; i < N; i++) {
		char left[64], letter[8] = "    ";

		if (table[i].letter)
			snprintf(letter, sizeof(letter), "-%c, ", table[i].letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, table[i].name,
			 table[i].arg ? " " : "", table[i].arg ? table[i].arg : "");
		fprintf(out, "  %-24s  %s\n", left, table[i].brief);
	}
}

/* getopt's two forms of the table. "+": what follows the script is the script's. */
static void make_getopt(char *shorts, struct option *longs)
{
	*shorts++ = '+';
	*shorts++ = ':';
	for (size_t i = 0; i < N; i++) {
		longs[i] = (struct option){ table[i].name,
					    table[i].arg ? required_argument : no_argument, NULL,
					    LONG_ONLY + (int)i };
		if (!table[i].letter)
			continue;
		*shorts++ = table[i].letter;
		if (table[i].arg)
			*shorts++ = ':';
	}
	*shorts = 0;
	longs[N] = (struct option){ 0 };
}

static size_t row_of(int c)
{
	size_t i;

	if (c >= LONG_ONLY)
		return c - LONG_ONLY;
	for (i = 0; i < N && table[i].letter != c; i++)
		;
	return i;
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "ERROR: %s%s%s\nHINT: apitrace --help lists the options\n", what,
		word ? " " : "", word ? word : "");
	return EXIT_USAGE;
}

static int check(const struct cli_options *o)
{
	if (o->help || o->version || o->info || o->list)
		return 0;
	if (o->command && o->pid)
		return usage("-c and -p cannot be used together", NULL);
	if (!o->program && !o->file)
		return usage("a script is missing: a file, or -e PROGRAM", NULL);
	return 0;
}

static bool is_option(const char *word)
{
	for (size_t i = 0; i < N; i++)
		if ((word[0] == '-' && word[1] && word[1] == table[i].letter && !word[2]) ||
		    (!strncmp(word, "--", 2) && !strcmp(word + 2, table[i].name)))
			return true;
	return false;
}

/* What follows the script is its parameters, all of it; "--" says that this is meant. */
static void take_params(struct cli_options *o, int argc, char **argv, bool meant)
{
	bool mark = argc && !meant && !strcmp(argv[0], "--");

	meant |= mark;
	o->params = (const char *const *)argv + mark;
	o->nparams = argc - mark;
	for (size_t i = 0; i < o->nparams && !meant; i++)
		if (is_option(o->params[i]))
			fprintf(stderr,
				"WARNING: `%s` stands behind the script: it is its parameter $%zu\n"
				"HINT: options stand in front; `--` in front of parameters says that "
				"they are meant\n", o->params[i], i + 1);
}

int cli_parse(struct cli_options *o, int argc, char **argv)
{
	struct option longs[N + 1];
	char shorts[2 * N + 3];
	bool meant;
	int c;

	make_getopt(shorts, longs);
	opterr = 0;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		size_t i = row_of(c);

		if (c == ':')
			return usage("an argument is missing after", argv[optind - 1]);
		if (c == '?')
			return usage("unknown option", argv[optind - 1]);
		if (i < N && !table[i].set(o, optarg)) {
			fprintf(stderr, "ERROR: --%s does not take `%s`: %s\n", table[i].name, optarg,
				table[i].brief);
			return EXIT_USAGE;
		}
	}
	meant = !strcmp(argv[optind - 1], "--") && o->program;
	if (!o->program && optind < argc)
		o->file = argv[optind++];
	take_params(o, argc - optind, argv + optind, meant);
	return check(o);
}
