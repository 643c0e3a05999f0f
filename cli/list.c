/* SPDX-License-Identifier: Apache-2.0 */
/* -l: the probes that match a search, or those of a script; with -v the fields of their args.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

struct listing {
	struct apitrace *h;
	bool fields;
	unsigned n;
};

static int print_field(void *arg, const char *type, const char *name)
{
	size_t len = strlen(type);

	return printf("    %s%s%s\n", type, len && type[len - 1] == '*' ? "" : " ", name) < 0;
}

static int print_name(void *arg, const char *name)
{
	struct listing *l = arg;

	l->n++;
	if (printf("%s\n", name) < 0)
		return 1;
	return l->fields ? apitrace_list_args(l->h, name, print_field, NULL) : 0;
}

/* Each once: clauses may share a probe. */
static void list_script(struct listing *l)
{
	const char *name;

	for (unsigned i = 0; (name = apitrace_probe_name(l->h, i)); i++) {
		unsigned j = 0;

		while (j < i && strcmp(apitrace_probe_name(l->h, j), name))
			j++;
		if (j == i && print_name(l, name))
			return;
	}
}

static int compile_and_list(const struct cli_options *o, struct listing *l)
{
	int code = cli_compile(o, l->h);

	if (!code)
		list_script(l);
	return code;
}

static int search(const struct cli_options *o, struct listing *l)
{
	int err = apitrace_list(l->h, o->file, print_name, l);

	if (err < 0 || l->n)
		return err < 0 ? EXIT_USAGE : 0;
	fprintf(stderr,
		"ERROR: no probe matches %s\n"
		"HINT: a search may have `*` in it: -l '*sleep*'\n",
		o->file);
	return EXIT_USAGE;
}

int cli_list(const struct cli_options *o)
{
	bool script =
		o->program || (o->file && (!strcmp(o->file, "-") || !access(o->file, F_OK)));
	struct apitrace_opts opts = { .sz = sizeof(opts),
				      .params = o->params,
				      .nparams = o->nparams,
				      .unsafe = o->unsafe };
	struct listing l = { .h = apitrace_new(&opts), .fields = o->verbose };
	size_t seen = 0;
	int code;

	if (!l.h)
		return EXIT_RUN;
	code = script ? compile_and_list(o, &l) : search(o, &l);
	cli_show_diagnostics(l.h, &seen, o->quiet);
	apitrace_free(l.h);
	return code;
}
