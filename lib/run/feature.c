/* SPDX-License-Identifier: Apache-2.0 */
/* One row a feature: a helper, a type of program or of map, or an instruction. */
#include "lib/run/feature.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

static bool has_helper(int type, int id)
{
	return libbpf_probe_bpf_helper(type, id, NULL) == 1;
}

static bool has_prog(int type, int unused)
{
	return libbpf_probe_bpf_prog_type(type, NULL) == 1;
}

static bool has_map(int type, int unused)
{
	return libbpf_probe_bpf_map_type(type, NULL) == 1;
}

static bool has_may_goto(int type, int code)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = code, .off = 1 },              /* may_goto +1; 6.12 refuses +0 */
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, /* r0 = 0 */
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "probe", "GPL", insns, sizeof(insns) / sizeof(insns[0]),
			       NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#define RAW BPF_PROG_TYPE_RAW_TRACEPOINT

static const struct {
	const char *name;
	bool (*has)(int type, int id);
	int type, id;
} features[] = {
	{ "may_goto", has_may_goto, RAW, 0xe5 },
	{ "bpf_loop", has_helper, RAW, BPF_FUNC_loop },
	{ "probe_read_kernel", has_helper, RAW, BPF_FUNC_probe_read_kernel },
	{ "ktime_get_boot_ns", has_helper, RAW, BPF_FUNC_ktime_get_boot_ns },
	{ "get_current_task_btf", has_helper, RAW, BPF_FUNC_get_current_task_btf },
	{ "for_each_map_elem", has_helper, RAW, BPF_FUNC_for_each_map_elem },
	{ "map_lookup_percpu_elem", has_helper, RAW, BPF_FUNC_map_lookup_percpu_elem },
	{ "ringbuf", has_map, BPF_MAP_TYPE_RINGBUF, 0 },
	{ "sk_storage", has_map, BPF_MAP_TYPE_SK_STORAGE, 0 },
	{ "raw_tracepoint", has_prog, RAW, 0 },
	{ "tracepoint", has_prog, BPF_PROG_TYPE_TRACEPOINT, 0 },
	{ "perf_event", has_prog, BPF_PROG_TYPE_PERF_EVENT, 0 },
	{ "fentry", has_prog, BPF_PROG_TYPE_TRACING, 0 },
};

#define N (int)(sizeof(features) / sizeof(features[0]))
_Static_assert(N <= AT_FEATURES, "AT_FEATURES is too small");

int at_feature_find(const char *name)
{
	for (int i = 0; i < N; i++)
		if (!strcmp(features[i].name, name))
			return i;
	return -1;
}

bool at_feature_probe(int index)
{
	return features[index].has(features[index].type, features[index].id);
}
