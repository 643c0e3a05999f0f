/* SPDX-License-Identifier: Apache-2.0 */
/* The apitrace command: chooses what to do. Running a script is in run.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/cli.h"

static int info(void)
{
	static const char *const paths[][2] = {
		{ "btf", "/sys/kernel/btf/vmlinux" },
		{ "tracefs", "/sys/kernel/tracing/events" },
		{ "cgroup v2", "/sys/fs/cgroup/cgroup.controllers" },
	};
	struct utsname u;

	uname(&u);
	printf("apitrace: %s\nkernel: %s %s\n", apitrace_version(), u.release, u.machine);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		printf("%s: %s\n", paths[i][0], access(paths[i][1], F_OK) ? "no" : "yes");
	return 0;
}

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
		return info();
	return o.list ? cli_list(&o) : cli_run(&o);
}
