/* SPDX-License-Identifier: Apache-2.0 */
/* Says which privilege is missing when the kernel refuses. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/run/loader.h"

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

static uint64_t effective_caps(void)
{
	unsigned long long caps = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	if (!f)
		return ~0ull;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(f);
	return caps;
}

static bool has_cap(uint64_t caps, int cap)
{
	return caps & (1ull << cap) || caps & (1ull << CAP_SYS_ADMIN);
}

const char *at_privilege_missing(struct at_arena *a, const char *what)
{
	uint64_t caps = effective_caps();
	bool bpf = has_cap(caps, CAP_BPF), perfmon = has_cap(caps, CAP_PERFMON);

	if (bpf && perfmon)
		return NULL;
	return at_sprintf(a, "no permission to %s: %s%s%s missing; run it as root", what,
			  bpf ? "" : "CAP_BPF", !bpf && !perfmon ? " and CAP_PERFMON are" :
			  bpf ? "CAP_PERFMON" : "", !bpf && !perfmon ? "" : " is");
}

static int perf_paranoid(void)
{
	FILE *f = fopen("/proc/sys/kernel/perf_event_paranoid", "re");
	int level = -1;

	if (f && fscanf(f, "%d", &level) != 1)
		level = -1;
	if (f)
		fclose(f);
	return level;
}

const char *at_privilege_perf(struct at_arena *a)
{
	uint64_t caps = effective_caps();

	if (caps & (1ull << CAP_SYS_ADMIN))
		return NULL;
	if (perf_paranoid() > 2)
		return at_sprintf(a, "no permission to open perf events: "
				  "kernel.perf_event_paranoid is %d, which wants CAP_SYS_ADMIN",
				  perf_paranoid());
	if (!has_cap(caps, CAP_PERFMON))
		return at_sprintf(a, "no permission to open perf events: CAP_PERFMON is missing");
	return at_sprintf(a, "no permission to read tracefs: CAP_DAC_READ_SEARCH is missing");
}
