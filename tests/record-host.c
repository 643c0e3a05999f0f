/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records this machine for tests: record-host DIR < LIST writes DIR/vmlinux.btf,
 * DIR/features and DIR/events. The BTF is trimmed to what LIST names, a line each:
 * "struct NAME", "tp NAME" (btf_trace_NAME), "func NAME", "event CATEGORY/NAME",
 * "feature NAME". Pointers lose what they point to. A developer's tool.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/run/btf.h"
#include "lib/run/host.h"

struct record {
	struct at_btf from;
	struct btf *to;
	int *ids; /* by id in from: id in to, 0: not copied */
	int pointer, index;
	struct at_host *host;
	const char *dir;
};

static int copy_type(struct record *r, uint32_t id);

static int copy_int(struct record *r, const struct btf_type *t)
{
	uint32_t info;

	memcpy(&info, t + 1, sizeof(info));
	return btf__add_int(r->to, at_btf_name(&r->from, t->name_off), t->size,
			    BTF_INT_ENCODING(info));
}

static int copy_array(struct record *r, const struct btf_type *t)
{
	const struct btf_array *a = (const void *)(t + 1);

	return btf__add_array(r->to, r->index, copy_type(r, a->type), a->nelems);
}

static int copy_struct(struct record *r, const struct btf_type *t)
{
	const struct btf_member *m = (const void *)(t + 1);
	unsigned n = BTF_INFO_VLEN(t->info), flag = BTF_INFO_KFLAG(t->info);
	int *types = calloc(n + 1, sizeof(*types)), id;
	const char *name = at_btf_name(&r->from, t->name_off);

	for (unsigned i = 0; i < n; i++)
		types[i] = copy_type(r, m[i].type);
	id = BTF_INFO_KIND(t->info) == BTF_KIND_UNION ? btf__add_union(r->to, name, t->size) :
							btf__add_struct(r->to, name, t->size);
	for (unsigned i = 0; i < n; i++)
		if (btf__add_field(r->to, at_btf_name(&r->from, m[i].name_off), types[i],
				   flag ? BTF_MEMBER_BIT_OFFSET(m[i].offset) : m[i].offset,
				   flag ? BTF_MEMBER_BITFIELD_SIZE(m[i].offset) : 0))
			fprintf(stderr, "%s.%s is left out\n", name,
				at_btf_name(&r->from, m[i].name_off));
	free(types);
	return id;
}

static int copy_enum(struct record *r, const struct btf_type *t)
{
	const struct btf_enum *e = (const void *)(t + 1);
	int id = btf__add_enum(r->to, at_btf_name(&r->from, t->name_off), t->size);

	for (unsigned i = 0; i < BTF_INFO_VLEN(t->info); i++)
		btf__add_enum_value(r->to, at_btf_name(&r->from, e[i].name_off), e[i].val);
	return id;
}

/* To structs by their names only, and to numbers. */
static int copy_pointer(struct record *r, const struct btf_type *t)
{
	uint32_t id = at_btf_strip(&r->from, t->type);
	const struct btf_type *to = at_btf_type(&r->from, id);
	unsigned kind = to ? BTF_INFO_KIND(to->info) : BTF_KIND_UNKN;
	const char *name = to ? at_btf_name(&r->from, to->name_off) : "";

	if (kind == BTF_KIND_INT)
		return btf__add_ptr(r->to, copy_type(r, id));
	if (kind != BTF_KIND_STRUCT || !*name)
		return r->pointer;
	return btf__add_ptr(r->to, btf__add_fwd(r->to, name, BTF_FWD_STRUCT));
}

static int copy_type(struct record *r, uint32_t id)
{
	const struct btf_type *t;
	int made = 0;

	id = at_btf_strip(&r->from, id);
	t = at_btf_type(&r->from, id);
	if (!t || r->ids[id])
		return t ? r->ids[id] : r->pointer;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
		made = copy_int(r, t);
		break;
	case BTF_KIND_ARRAY:
		made = copy_array(r, t);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		made = copy_struct(r, t);
		break;
	case BTF_KIND_ENUM:
		made = copy_enum(r, t);
		break;
	case BTF_KIND_PTR:
		made = copy_pointer(r, t);
		break;
	default:
		made = r->pointer;
	}
	r->ids[id] = made;
	return made;
}

static void make_dirs(char *path)
{
	for (char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = 0;
		mkdir(path, 0777);
		*s = '/';
	}
}

static FILE *create(const struct record *r, const char *name, const char *mode)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	make_dirs(path);
	f = fopen(path, mode);
	if (!f)
		perror(path);
	return f;
}

static void record_event(struct record *r, char *name)
{
	char *slash = strchr(name, '/'), path[512], *text;
	FILE *f;

	if (!slash)
		return;
	*slash = 0;
	text = at_host_tracepoint_format(r->host, name, slash + 1);
	snprintf(path, sizeof(path), "events/%s/%s/format", name, slash + 1);
	f = text ? create(r, path, "w") : NULL;
	if (f) {
		fputs(text, f);
		fclose(f);
	}
	free(text);
	snprintf(path, sizeof(path), "events/%s/%s/id", name, slash + 1);
	f = create(r, path, "w");
	if (f) {
		fprintf(f, "%d\n", at_host_tracepoint_id(r->host, name, slash + 1));
		fclose(f);
	}
}

static void record_feature(const struct record *r, const char *name)
{
	FILE *f = create(r, "features", "a");

	if (!f)
		return;
	fprintf(f, "%s %d\n", name, at_host_has(r->host, name));
	fclose(f);
}

/* That of a tracepoint, with the names of its arguments. */
static void copy_prototype(struct record *r, const char *tracepoint)
{
	char name[256];
	const struct btf_type *t;
	const struct btf_param *p;
	int id, types[16];

	snprintf(name, sizeof(name), "__traceiter_%s", tracepoint);
	id = at_btf_find(&r->from, BTF_KIND_FUNC, name);
	if (id < 0)
		return;
	t = at_btf_type(&r->from, at_btf_type(&r->from, id)->type);
	p = (const void *)(t + 1);
	for (unsigned i = 0; i < BTF_INFO_VLEN(t->info) && i < 16; i++)
		types[i] = copy_type(r, p[i].type);
	id = btf__add_func_proto(r->to, 0);
	for (unsigned i = 0; i < BTF_INFO_VLEN(t->info) && i < 16; i++)
		btf__add_func_param(r->to, at_btf_name(&r->from, p[i].name_off), types[i]);
	btf__add_func(r->to, name, BTF_FUNC_GLOBAL, id);
}

static void record_line(struct record *r, const char *kind, char *name)
{
	char trace[256];
	int id;

	if (!strcmp(kind, "event")) {
		record_event(r, name);
	} else if (!strcmp(kind, "feature")) {
		record_feature(r, name);
	} else if (!strcmp(kind, "tp")) {
		snprintf(trace, sizeof(trace), "btf_trace_%s", name);
		if (at_btf_find(&r->from, BTF_KIND_TYPEDEF, trace) > 0)
			btf__add_typedef(r->to, trace, r->pointer);
		copy_prototype(r, name);
	} else if (!strcmp(kind, "func")) {
		if (at_btf_find(&r->from, BTF_KIND_FUNC, name) > 0)
			btf__add_func(r->to, name, BTF_FUNC_GLOBAL, btf__add_func_proto(r->to, 0));
	} else if ((id = at_btf_find(&r->from, BTF_KIND_STRUCT, name)) > 0) {
		copy_type(r, id);
	} else {
		fprintf(stderr, "%s %s: not here\n", kind, name);
	}
}

static int write_btf(struct record *r)
{
	uint32_t size;
	const void *data = btf__raw_data(r->to, &size);
	FILE *f = data ? create(r, "vmlinux.btf", "w") : NULL;

	if (!f)
		return 1;
	fwrite(data, 1, size, f);
	return fclose(f) != 0;
}

int main(int argc, char **argv)
{
	struct record r = { .dir = argv[1], .to = btf__new_empty(), .host = at_host_new() };
	char kind[16], name[200];
	int bad;

	if (argc != 2 || at_btf_open(&r.from, AT_FDCWD, "/sys/kernel/btf/vmlinux")) {
		fprintf(stderr, "usage: record-host DIR < LIST (on a kernel with BTF)\n");
		return 1;
	}
	r.ids = calloc(r.from.ntypes + 1, sizeof(*r.ids));
	r.pointer = btf__add_ptr(r.to, 0);
	r.index = btf__add_int(r.to, "unsigned int", 4, 0);
	while (scanf("%15s %199s", kind, name) == 2)
		record_line(&r, kind, name);
	bad = write_btf(&r);
	btf__free(r.to);
	at_btf_close(&r.from);
	at_host_free(r.host);
	free(r.ids);
	return bad;
}
