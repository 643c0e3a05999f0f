/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BTF file read in place: names to ids, ids to types, paths to offsets. The
 * kernel's has 126000 types; libbpf's parser takes 10 ms and 12 MB for it, this
 * one half a millisecond and a few pages, because it only ever looks.
 */
#ifndef AT_RUN_BTF_H
#define AT_RUN_BTF_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct at_btf {
	void *data;
	size_t size;
	bool mapped; /* by mmap, else malloc'ed */
	const unsigned char *types;
	const char *strings;
	uint32_t types_len, strings_len;
	uint32_t *index; /* place of every AT_BTF_STEP-th type */
	uint32_t nindex, ntypes;
};

enum { AT_BTF_STEP = 64 };

/* 0 or -errno; -EINVAL: no BTF of this machine's byte order. b is zeroed by the caller. */
int at_btf_open(struct at_btf *b, int dirfd, const char *path);
void at_btf_close(struct at_btf *b);

/* Id of the first type of this kind and name; -ENOENT. */
int at_btf_find(const struct at_btf *b, unsigned kind, const char *name);
/* Names of the types of this kind that begin with prefix, in order; stops when each() is not 0. */
void at_btf_each(const struct at_btf *b, unsigned kind, const char *prefix,
		 int (*each)(const char *name, void *arg), void *arg);
const struct btf_type *at_btf_type(const struct at_btf *b, uint32_t id); /* NULL: no such id */
const char *at_btf_name(const struct at_btf *b, uint32_t off);
/* Bytes of a type in the file: header and what follows it. */
size_t at_btf_type_len(const struct btf_type *t);
/* Through typedef, const, volatile, restrict and type tags; the id of what is below. */
uint32_t at_btf_strip(const struct at_btf *b, uint32_t id);

/* Byte offset of "struct.field.field"; anonymous members are looked through. 0 or -ENOENT. */
int at_btf_offset(const struct at_btf *b, const char *path, unsigned *offset);

#endif
