/* SPDX-License-Identifier: Apache-2.0 */
/* The apitrace command: chooses what to do. Running a script is in run.c. */

#include "cli/cli.h"

int main(int argc, char **argv)
{
	struct cli_options o = { 0 };
	int code = cli_parse(&o, argc, argv);

	if (code)
		return code;
	if (o.help) {
		cli_help(stdout);
		return 0;
	}
	if (o.version) {
		printf("apitrace %s\n", apitrace_version());
		return 0;
	}
	if (o.info)
		return cli_info(&o);
	return o.list ? cli_list(&o) : cli_run(&o);
}
