/* SPDX-License-Identifier: Apache-2.0 */
/* --info: what this machine offers; with a script, what that takes as well. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static int print_value(void *arg, const char *section, const char *name, const char *value)
{
	const char **last = arg;

	if (strcmp(section, *last) && printf("%s%s\n", **last ? "\n" : "", section) < 0)
		return 1;
	*last = section;
	return printf("  %s: %s\n", name, value) < 0;
}

int cli_info(const struct cli_options *o)
{
	struct apitrace_opts opts = { .sz = sizeof(opts),
				      .params = o->params,
				      .nparams = o->nparams,
				      .unsafe = o->unsafe };
	struct apitrace *h = apitrace_new(&opts);
	const char *last = "";
	size_t seen = 0;
	int code;

	if (!h)
		return EXIT_RUN;
	code = o->program || o->file ? cli_compile(o, h) : 0;
	apitrace_info(h, print_value, &last);
	cli_show_diagnostics(h, &seen, o->quiet);
	apitrace_free(h);
	return code;
}
