/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and reads the script: from -e, a file, stdin, or by its name in the script folder. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { MOST = 64 << 20 }; /* bytes; the library refuses far less, with a diagnostic */

static int read_all(FILE *f, char **text, size_t *len)
{
	size_t cap = 1 << 16, n;
	char *s = malloc(cap), *more;

	*len = 0;
	while (s && (n = fread(s + *len, 1, cap - *len, f)) > 0) {
		*len += n;
		if (*len < cap)
			continue;
		if (cap >= MOST)
			break;
		more = realloc(s, cap *= 2);
		if (!more) {
			free(s);
			return -ENOMEM;
		}
		s = more;
	}
	*text = s;
	if (!s)
		return -ENOMEM;
	return ferror(f) ? (errno ? -errno : -EIO) : 0;
}

/* NAME, then FOLDER/NAME and FOLDER/NAME.bt; a name with a slash is a path only. */
static FILE *open_script(const char *name)
{
	const char *folder = getenv("APITRACE_SCRIPTS");
	FILE *f = fopen(name, "re");
	char path[4096];
	int first = errno;

	if (f || strchr(name, '/'))
		return f;
	for (int i = 0; i < 2 && !f; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", folder ? folder : AT_SCRIPTS, name,
			 i ? ".bt" : "");
		f = fopen(path, "re");
	}
	errno = first;
	return f;
}

int cli_read_script(const struct cli_options *o, const char **name, char **text, size_t *len)
{
	FILE *f;
	int err;

	*name = "stdin";
	if (o->program) {
		*text = strdup(o->program);
		*len = strlen(o->program);
		return *text ? 0 : EXIT_USAGE;
	}
	f = strcmp(o->file, "-") ? open_script(o->file) : stdin;
	if (f != stdin)
		*name = o->file;
	err = f ? read_all(f, text, len) : -errno;
	if (f && f != stdin)
		fclose(f);
	if (!err)
		return 0;
	fprintf(stderr, "ERROR: %s: %s\n", o->file, strerror(-err));
	return EXIT_USAGE;
}

int cli_compile(const struct cli_options *o, struct apitrace *h)
{
	const char *name;
	char *text;
	size_t len;
	int code = cli_read_script(o, &name, &text, &len);

	if (code)
		return code;
	code = apitrace_compile(h, name, text, len) ? EXIT_USAGE : 0;
	free(text);
	return code;
}
