/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The linker: takes the code generator's ELF apart and makes one program of
 * an entry function and the functions it reaches, with function and line
 * information moved along. The input may come from a file, so every offset in
 * it is checked.
 */
#ifndef AT_RUN_LINK_H
#define AT_RUN_LINK_H

#include <elf.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

struct at_elf_section {
	const char *name;
	const struct bpf_insn *insns; /* of a section with code, else NULL */
	uint32_t ninsns;
	uint32_t *symbol; /* by insn: index of the relocation's symbol + 1, 0: none */
};

struct at_elf_func {
	uint32_t section, start, n; /* in insns */
};

struct at_elf {
	const unsigned char *data;
	size_t size;
	const Elf64_Shdr *headers;
	struct at_elf_section *sections;
	uint32_t nsections;
	const Elf64_Sym *symbols;
	uint32_t nsymbols;
	const char *names; /* of symbols; ends with NUL */
	size_t names_len;
	struct at_elf_func *funcs;
	uint32_t nfuncs;
	const void *btf;
	uint32_t btf_size;
	const unsigned char *ext; /* .BTF.ext */
	uint32_t ext_size;
};

/* 0 or -errno (-EINVAL: no ELF of ours). The data stay the caller's and must outlive it. */
int at_elf_open(struct at_elf *e, const void *data, size_t size);
void at_elf_close(struct at_elf *e);

/* What only the loader knows. Each returns 0 or more, or -errno, which ends the link. */
struct at_link_env {
	void *arg;
	int (*map_fd)(void *arg, uint32_t map);
	int (*sym)(void *arg, uint32_t sym, uint64_t *value);
	int (*kfunc)(void *arg, const char *name); /* its id in kernel BTF */
	uint32_t file_name; /* in our BTF's strings: what line information names as file */
};

/* One program, ready to be loaded. */
struct at_linked {
	struct bpf_insn *insns;
	struct bpf_func_info *funcs;
	struct bpf_line_info *lines;
	uint32_t n, nfuncs, nlines;
};

/* -ENOENT: no section "prog/NAME". */
int at_link(const struct at_elf *e, const char *prog, const struct at_link_env *env,
	    struct at_linked *out);
void at_linked_free(struct at_linked *l);

#endif
