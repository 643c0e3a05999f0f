/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Creates the maps of a plan. Hash maps are preallocated: the kernel cannot
 * always find memory for new keys as fast as they come, nor where interrupts
 * are off (of 4000 new per-CPU values of 528 bytes in a row it refused 3800, of
 * 25 new counts in the scheduler 2). It costs 0.4 ms for 4096 entries, 5 ms
 * where they are per-CPU. Large values that are not per-CPU come on demand.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/run/loader.h"
#include "lib/run/map.h"

enum {
	RING_BYTES = 1 << 20,
	RING_MOST = 1 << 30,
	ON_DEMAND = 8 << 20, /* bytes: hash maps that may take more are not preallocated */
};

static const struct {
	enum bpf_map_type type;
	uint32_t flags;
	bool percpu, typed; /* typed: takes BTF of key and value */
	const char *text;
} kinds[] = {
	[AT_MAP_HASH] = { BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, false, true, "hash" },
	[AT_MAP_PERCPU_HASH] = { BPF_MAP_TYPE_PERCPU_HASH, 0, true, true, "per-CPU hash" },
	[AT_MAP_LRU_HASH] = { BPF_MAP_TYPE_LRU_HASH, 0, false, true, "LRU hash" },
	[AT_MAP_LRU_PERCPU_HASH] = { BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, true, true,
				     "per-CPU LRU hash" },
	[AT_MAP_ARRAY] = { BPF_MAP_TYPE_ARRAY, 0, false, true, "array" },
	[AT_MAP_PERCPU_ARRAY] = { BPF_MAP_TYPE_PERCPU_ARRAY, 0, true, true, "per-CPU array" },
	[AT_MAP_RINGBUF] = { BPF_MAP_TYPE_RINGBUF, 0, false, false, "ring buffer" },
	[AT_MAP_SK_STORAGE] = { BPF_MAP_TYPE_SK_STORAGE, BPF_F_NO_PREALLOC, false, true,
				"socket storage" },
	[AT_MAP_PROG_ARRAY] = { BPF_MAP_TYPE_PROG_ARRAY, 0, false, false, "program array" },
};

static uint32_t flags_of(const struct at_plan_map *m)
{
	uint64_t bytes = (uint64_t)m->max_entries * (m->key_size + m->value_size);

	if (m->kind == AT_MAP_HASH && bytes <= ON_DEMAND)
		return 0;
	return kinds[m->kind].flags;
}

static bool keyed_by_number(const struct at_plan_map *m)
{
	return m->kind == AT_MAP_ARRAY || m->kind == AT_MAP_PERCPU_ARRAY ||
	       m->kind == AT_MAP_SK_STORAGE || m->kind == AT_MAP_PROG_ARRAY;
}

/* The kernel wants a power of two of pages. */
static unsigned ring_bytes(const struct at_plan *p, const struct at_plan_map *m)
{
	unsigned want = m->max_entries, bytes = getpagesize();

	if (!want)
		want = p->config.ring_bytes;
	if (!want)
		want = RING_BYTES;
	while (bytes < want && bytes < RING_MOST)
		bytes *= 2;
	return bytes;
}

/* Ids of key and value in our BTF, or none where the map takes none. */
static void add_types(const struct at_plan_map *m, struct btf *btf, struct bpf_map_create_opts *o)
{
	int key, value;

	if (!btf || !kinds[m->kind].typed)
		return;
	key = keyed_by_number(m) ? at_btf_add_type(btf, &at_type_uint32, 4) :
				   at_btf_add_type(btf, m->key, m->key_size);
	value = at_btf_add_type(btf, m->value, m->value_size);
	if (key < 0 || value < 0)
		return;
	o->btf_key_type_id = key;
	o->btf_value_type_id = value;
}

/* The map that is used instead of this one; -1: none. */
static int bound_to(const struct at_run *run, const struct at_plan_map *m)
{
	return run->bound ? run->bound[m - run->plan->maps.v] : -1;
}

static int copy_fd(int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : copy;
}

static int create(const struct at_run *run, const struct at_plan_map *m,
		  const struct bpf_map_create_opts *o)
{
	unsigned entries = m->max_entries, key = m->key_size, value = m->value_size;
	int bound = bound_to(run, m);

	if (bound >= 0)
		return copy_fd(bound);
	if (m->kind == AT_MAP_RINGBUF) {
		entries = ring_bytes(run->plan, m);
		key = value = 0;
	} else if (keyed_by_number(m)) {
		key = sizeof(uint32_t);
	}
	if (m->kind == AT_MAP_SK_STORAGE)
		entries = 0;
	return bpf_map_create(kinds[m->kind].type, m->kernel_name, key, value, entries, o);
}

static void explain(struct at_run *run, const struct at_plan_map *m, int err, struct at_failure *f)
{
	struct at_arena *a = run->diags->arena;
	const char *missing = err == -EPERM ? at_privilege_missing(a, "create BPF maps") : NULL;

	*f = (struct at_failure){ .tag = AT_D_MAP_FAILED, .range = m->range, .err = err };
	if (missing) {
		f->tag = AT_D_NO_PRIVILEGE;
		f->range = (struct at_range){ 0 };
		f->text = missing;
		return;
	}
	f->text = at_sprintf(a, "the kernel does not make the map %s (%s, %u entries of %u bytes): %s",
			     m->name, kinds[m->kind].text, m->max_entries,
			     m->key_size + m->value_size, strerror(-err));
	if (err == -ENOMEM || err == -E2BIG)
		f->hint = at_sprintf(a, "fewer keys (max_map_keys) or smaller strings take less memory");
}

const char *at_map_kind_text(enum at_map_kind kind)
{
	return kinds[kind].text;
}

uint64_t at_map_bytes(const struct at_plan *p, const struct at_plan_map *m, unsigned ncpus)
{
	uint64_t value = (m->value_size + 7) & ~7u, entries = m->max_entries;

	if (m->kind == AT_MAP_RINGBUF)
		return ring_bytes(p, m);
	if (kinds[m->kind].percpu)
		value *= ncpus;
	return entries * (value + m->key_size);
}

static int check_memory(struct at_run *run, const char *set, struct at_failure *f)
{
	int64_t most = run->plan->config.max_map_memory;
	uint64_t sum = 0;

	for (size_t i = 0; i < run->plan->maps.n; i++) {
		const struct at_plan_map *m = &run->plan->maps.v[i];

		if (bound_to(run, m) >= 0 ||
		    (m->alternative && !at_same_set(m->alternative, set)))
			continue;
		sum += at_map_bytes(run->plan, m, run->ncpus);
		if (most <= 0 || sum <= (uint64_t)most)
			continue;
		*f = (struct at_failure){ AT_D_MAP_MEMORY, m->range, NULL, NULL, -ENOMEM };
		f->text = at_sprintf(run->diags->arena,
				     "the maps up to %s may take %llu KiB, max_map_memory is %lld KiB",
				     m->name, (unsigned long long)(sum >> 10),
				     (long long)(most >> 10));
		f->hint = "fewer keys (max_map_keys) or a larger max_map_memory";
		return f->err;
	}
	return 0;
}

/* Not by btf__load_into_kernel(), which prints. The fd, or -errno: then all goes without types. */
static int load_types(const struct at_run *run, struct btf *btf)
{
	uint32_t size = 0;
	const void *data = btf ? btf__raw_data(btf, &size) : NULL;
	int fd = data ? bpf_btf_load(data, size, NULL) : -EINVAL;

	if (fd < 0)
		at_run_log(run, "the kernel did not take the types: %s", strerror(-fd));
	return fd;
}

void at_maps_types(struct at_loading *l)
{
	const struct at_plan *p = l->run->plan;

	l->map_opts = at_new_n(l->run->diags->arena, struct bpf_map_create_opts, p->maps.n + 1);
	for (size_t i = 0; i < p->maps.n; i++) {
		l->map_opts[i] = (struct bpf_map_create_opts){
			.sz = sizeof(*l->map_opts),
			.map_flags = flags_of(&p->maps.v[i]),
		};
		add_types(&p->maps.v[i], l->btf, &l->map_opts[i]);
	}
	l->btf_fd = load_types(l->run, l->btf);
}

/* With its types, or without where the kernel does not take them. */
static int create_typed(const struct at_loading *l, const struct at_plan_map *m,
			struct bpf_map_create_opts o)
{
	int fd = -1;

	if (l->btf_fd >= 0 && o.btf_key_type_id) {
		o.btf_fd = l->btf_fd;
		fd = create(l->run, m, &o);
	}
	if (fd >= 0)
		return fd;
	o.btf_fd = o.btf_key_type_id = o.btf_value_type_id = 0;
	return create(l->run, m, &o);
}

int at_maps_create(struct at_loading *l, const char *set)
{
	struct at_run *run = l->run;

	if (check_memory(run, set, &l->failure))
		return l->failure.err;
	for (size_t i = 0; i < run->plan->maps.n; i++) {
		const struct at_plan_map *m = &run->plan->maps.v[i];
		int fd;

		if (!at_same_set(m->alternative, set))
			continue;
		fd = create_typed(l, m, l->map_opts[i]);
		if (fd < 0) {
			explain(run, m, fd, &l->failure);
			return fd;
		}
		run->map_fds[i] = fd;
	}
	return 0;
}
