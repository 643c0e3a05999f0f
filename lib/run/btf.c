/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads BTF in place. A name is looked for in the string section first: pahole
 * keeps every string once, so what is left is comparing numbers. Everything is
 * bounded by the sizes in the header, which are checked against the file.
 */
#include "lib/run/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_whole(struct at_btf *b, int fd)
{
	size_t done = 0;
	ssize_t n;

	b->data = malloc(b->size ? b->size : 1);
	if (!b->data)
		return -ENOMEM;
	while (done < b->size && (n = pread(fd, (char *)b->data + done, b->size - done, done)) > 0)
		done += n;
	return done == b->size ? 0 : -EIO;
}

static int map_file(struct at_btf *b, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	b->size = st.st_size;
	b->data = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE, fd, 0);
	b->mapped = b->data != MAP_FAILED;
	if (b->mapped)
		return 0;
	b->data = NULL;
	return read_whole(b, fd); /* kernels before 6.16 cannot map it */
}

static int check_header(struct at_btf *b)
{
	const struct btf_header *h = b->data;
	uint64_t types_end, strings_end;

	if (b->size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h))
		return -EINVAL;
	types_end = (uint64_t)h->hdr_len + h->type_off + h->type_len;
	strings_end = (uint64_t)h->hdr_len + h->str_off + h->str_len;
	if (types_end > b->size || strings_end > b->size || !h->str_len)
		return -EINVAL;
	b->types = (unsigned char *)b->data + h->hdr_len + h->type_off;
	b->types_len = h->type_len;
	b->strings = (char *)b->data + h->hdr_len + h->str_off;
	b->strings_len = h->str_len;
	return b->strings[0] || b->strings[b->strings_len - 1] ? -EINVAL : 0;
}

size_t at_btf_type_len(const struct btf_type *t)
{
	static const struct {
		uint8_t fixed, each;
	} tails[] = {
		[BTF_KIND_INT] = { 4, 0 },
		[BTF_KIND_ARRAY] = { sizeof(struct btf_array), 0 },
		[BTF_KIND_STRUCT] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_UNION] = { 0, sizeof(struct btf_member) },
		[BTF_KIND_ENUM] = { 0, sizeof(struct btf_enum) },
		[BTF_KIND_FUNC_PROTO] = { 0, sizeof(struct btf_param) },
		[BTF_KIND_VAR] = { sizeof(struct btf_var), 0 },
		[BTF_KIND_DATASEC] = { 0, sizeof(struct btf_var_secinfo) },
		[BTF_KIND_DECL_TAG] = { sizeof(struct btf_decl_tag), 0 },
		[BTF_KIND_ENUM64] = { 0, sizeof(struct btf_enum64) },
	};
	unsigned kind = BTF_INFO_KIND(t->info);

	if (kind >= sizeof(tails) / sizeof(tails[0]))
		return sizeof(*t);
	return sizeof(*t) + tails[kind].fixed + (size_t)BTF_INFO_VLEN(t->info) * tails[kind].each;
}

/* Counts the types and notes where every AT_BTF_STEP-th begins. Type 1 is at place 0. */
static int build_index(struct at_btf *b)
{
	uint32_t at = 0, cap = b->types_len / sizeof(struct btf_type) / AT_BTF_STEP + 1;

	b->index = malloc(cap * sizeof(*b->index));
	if (!b->index)
		return -ENOMEM;
	while (at + sizeof(struct btf_type) <= b->types_len) {
		size_t len = at_btf_type_len((const void *)(b->types + at));

		if (len > b->types_len - at)
			return -EINVAL;
		if (b->ntypes++ % AT_BTF_STEP == 0)
			b->index[b->nindex++] = at;
		at += len;
	}
	return 0;
}

int at_btf_open(struct at_btf *b, int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = map_file(b, fd);
	close(fd);
	if (!err)
		err = check_header(b);
	if (!err)
		err = build_index(b);
	if (err)
		at_btf_close(b);
	return err;
}

void at_btf_close(struct at_btf *b)
{
	if (b->mapped)
		munmap(b->data, b->size);
	else
		free(b->data);
	free(b->index);
	memset(b, 0, sizeof(*b));
}

const struct btf_type *at_btf_type(const struct at_btf *b, uint32_t id)
{
	uint32_t at;

	if (!id || id > b->ntypes)
		return NULL;
	id--;
	at = b->index[id / AT_BTF_STEP];
	for (uint32_t left = id % AT_BTF_STEP; left; left--)
		at += at_btf_type_len((const void *)(b->types + at));
	return (const void *)(b->types + at);
}

const char *at_btf_name(const struct at_btf *b, uint32_t off)
{
	return off < b->strings_len ? b->strings + off : "";
}

/* Place of a whole string in the string section; 0: not there. */
static uint32_t find_string(const struct at_btf *b, const char *name)
{
	const char *from = b->strings, *end = b->strings + b->strings_len, *p;
	size_t len = strlen(name) + 1; /* its end too */

	while (len > 1 && (p = memmem(from, end - from, name, len))) {
		if (p > b->strings && !p[-1])
			return p - b->strings;
		from = p + 1;
	}
	return 0;
}

int at_btf_find(const struct at_btf *b, unsigned kind, const char *name)
{
	uint32_t want = find_string(b, name), at = 0;

	if (!want)
		return -ENOENT;
	for (uint32_t id = 1; id <= b->ntypes; id++) {
		const struct btf_type *t = (const void *)(b->types + at);

		if (t->name_off == want && BTF_INFO_KIND(t->info) == kind)
			return id;
		at += at_btf_type_len(t);
	}
	return -ENOENT;
}

void at_btf_each(const struct at_btf *b, unsigned kind, const char *prefix,
		 int (*each)(const char *name, void *arg), void *arg)
{
	size_t len = strlen(prefix);
	uint32_t at = 0;

	for (uint32_t id = 1; id <= b->ntypes; id++) {
		const struct btf_type *t = (const void *)(b->types + at);
		const char *name = at_btf_name(b, t->name_off);

		if (BTF_INFO_KIND(t->info) == kind && !strncmp(name, prefix, len) &&
		    each(name, arg))
			return;
		at += at_btf_type_len(t);
	}
}

uint32_t at_btf_strip(const struct at_btf *b, uint32_t id)
{
	enum { DEEPEST = 64 };
	const struct btf_type *t;

	for (int i = 0; i < DEEPEST && (t = at_btf_type(b, id)); i++) {
		unsigned kind = BTF_INFO_KIND(t->info);

		if (kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_CONST &&
		    kind != BTF_KIND_VOLATILE && kind != BTF_KIND_RESTRICT &&
		    kind != BTF_KIND_TYPE_TAG)
			break;
		id = t->type;
	}
	return id;
}

/* Finds a member, also inside anonymous ones; its type, with its bits added to *bits. 0: none. */
static uint32_t find_member(const struct at_btf *b, uint32_t id, const char *name, size_t len,
			    unsigned depth, uint32_t *bits)
{
	const struct btf_type *t = at_btf_type(b, at_btf_strip(b, id));
	const struct btf_member *m;
	unsigned kind = t ? BTF_INFO_KIND(t->info) : BTF_KIND_UNKN;

	if (!depth || (kind != BTF_KIND_STRUCT && kind != BTF_KIND_UNION))
		return 0;
	m = (const void *)(t + 1);
	for (unsigned i = 0; i < BTF_INFO_VLEN(t->info); i++, m++) {
		uint32_t off = BTF_INFO_KFLAG(t->info) ? BTF_MEMBER_BIT_OFFSET(m->offset) :
							 m->offset;
		const char *s = at_btf_name(b, m->name_off);
		uint32_t found = 0;

		if (!*s)
			found = find_member(b, m->type, name, len, depth - 1, bits);
		else if (!strncmp(s, name, len) && !s[len])
			found = m->type;
		if (found) {
			*bits += off;
			return found;
		}
	}
	return 0;
}

int at_btf_offset(const struct at_btf *b, const char *path, unsigned *offset)
{
	enum { DEEPEST = 16 };
	const char *dot = strchr(path, '.');
	uint32_t bits = 0;
	char first[128];
	int id;

	if (!dot || dot - path >= (ptrdiff_t)sizeof(first))
		return -ENOENT;
	memcpy(first, path, dot - path);
	first[dot - path] = 0;
	id = at_btf_find(b, BTF_KIND_STRUCT, first);
	if (id < 0)
		id = at_btf_find(b, BTF_KIND_UNION, first);
	if (id < 0)
		id = at_btf_find(b, BTF_KIND_TYPEDEF, first);
	while (id > 0 && dot) {
		const char *name = dot + 1;

		dot = strchr(name, '.');
		id = find_member(b, id, name, dot ? (size_t)(dot - name) : strlen(name), DEEPEST,
				 &bits);
	}
	if (id <= 0 || bits % 8)
		return -ENOENT;
	*offset = bits / 8;
	return 0;
}
