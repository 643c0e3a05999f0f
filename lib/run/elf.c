/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes an ELF object for BPF apart: sections with code, their relocations,
 * functions, BTF. Knows nothing of what the code means.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run/link.h"

static bool inside(const struct at_elf *e, uint64_t off, uint64_t len)
{
	return off <= e->size && len <= e->size - off;
}

static int check_header(struct at_elf *e)
{
	const Elf64_Ehdr *h = (const void *)e->data;

	if (e->size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) ||
	    h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_machine != EM_BPF ||
	    h->e_shentsize != sizeof(Elf64_Shdr) || h->e_shoff % 8 ||
	    !inside(e, h->e_shoff, (uint64_t)h->e_shnum * sizeof(Elf64_Shdr)) ||
	    h->e_shstrndx >= h->e_shnum)
		return -EINVAL;
	e->headers = (const void *)(e->data + h->e_shoff);
	e->nsections = h->e_shnum;
	for (uint32_t i = 0; i < e->nsections; i++) {
		const Elf64_Shdr *s = &e->headers[i];

		if (s->sh_type != SHT_NOBITS && !inside(e, s->sh_offset, s->sh_size))
			return -EINVAL;
		if (s->sh_entsize >= 8 && s->sh_offset % 8)
			return -EINVAL;
	}
	return 0;
}

/* Text at an offset of a string section that ends with NUL; NULL: outside. */
static const char *string_at(const struct at_elf *e, uint32_t section, uint32_t off)
{
	const Elf64_Shdr *s;

	if (section >= e->nsections)
		return NULL;
	s = &e->headers[section];
	if (s->sh_type != SHT_STRTAB || off >= s->sh_size ||
	    e->data[s->sh_offset + s->sh_size - 1])
		return NULL;
	return (const char *)e->data + s->sh_offset + off;
}

static int open_code(struct at_elf *e, uint32_t i)
{
	const Elf64_Shdr *h = &e->headers[i];
	struct at_elf_section *s = &e->sections[i];

	if (h->sh_offset % 8 || h->sh_size % sizeof(struct bpf_insn))
		return -EINVAL;
	s->insns = (const void *)(e->data + h->sh_offset);
	s->ninsns = h->sh_size / sizeof(struct bpf_insn);
	s->symbol = calloc(s->ninsns ? s->ninsns : 1, sizeof(*s->symbol));
	return s->symbol ? 0 : -ENOMEM;
}

static int open_symbols(struct at_elf *e, const Elf64_Shdr *h)
{
	if (h->sh_entsize != sizeof(Elf64_Sym) || !string_at(e, h->sh_link, 0))
		return -EINVAL;
	e->symbols = (const void *)(e->data + h->sh_offset);
	e->nsymbols = h->sh_size / sizeof(Elf64_Sym);
	e->names = (const char *)e->data + e->headers[h->sh_link].sh_offset;
	e->names_len = e->headers[h->sh_link].sh_size;
	return 0;
}

static int open_sections(struct at_elf *e)
{
	const Elf64_Ehdr *eh = (const void *)e->data;
	int err = 0;

	for (uint32_t i = 0; i < e->nsections && !err; i++) {
		const Elf64_Shdr *h = &e->headers[i];
		struct at_elf_section *s = &e->sections[i];

		s->name = string_at(e, eh->e_shstrndx, h->sh_name);
		if (!s->name)
			return -EINVAL;
		if (h->sh_type == SHT_PROGBITS && (h->sh_flags & SHF_EXECINSTR))
			err = open_code(e, i);
		else if (h->sh_type == SHT_SYMTAB)
			err = open_symbols(e, h);
		else if (!strcmp(s->name, ".BTF")) {
			e->btf = e->data + h->sh_offset;
			e->btf_size = h->sh_size;
		} else if (!strcmp(s->name, ".BTF.ext")) {
			e->ext = e->data + h->sh_offset;
			e->ext_size = h->sh_size;
		}
	}
	return err;
}

/* Notes the symbol of every relocated instruction of one section. */
static int read_relocations(struct at_elf *e, const Elf64_Shdr *h)
{
	const Elf64_Rel *r = (const void *)(e->data + h->sh_offset);
	struct at_elf_section *s;

	if (h->sh_info >= e->nsections || h->sh_entsize != sizeof(*r))
		return -EINVAL;
	s = &e->sections[h->sh_info];
	if (!s->insns)
		return 0; /* of debug information */
	for (uint64_t i = 0; i < h->sh_size / sizeof(*r); i++) {
		uint64_t insn = r[i].r_offset / sizeof(struct bpf_insn);
		uint32_t sym = ELF64_R_SYM(r[i].r_info), type = ELF64_R_TYPE(r[i].r_info);

		if (insn >= s->ninsns || sym >= e->nsymbols ||
		    e->symbols[sym].st_name >= e->names_len ||
		    (type != R_BPF_64_64 && type != R_BPF_64_32))
			return -EINVAL;
		s->symbol[insn] = sym + 1;
	}
	return 0;
}

static int read_functions(struct at_elf *e)
{
	e->funcs = calloc(e->nsymbols ? e->nsymbols : 1, sizeof(*e->funcs));
	if (!e->funcs)
		return -ENOMEM;
	for (uint32_t i = 0; i < e->nsymbols; i++) {
		const Elf64_Sym *s = &e->symbols[i];
		struct at_elf_func *f = &e->funcs[e->nfuncs];
		const struct at_elf_section *code;

		if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || s->st_shndx >= e->nsections)
			continue;
		code = &e->sections[s->st_shndx];
		f->section = s->st_shndx;
		f->start = s->st_value / sizeof(struct bpf_insn);
		f->n = s->st_size / sizeof(struct bpf_insn);
		if (!code->insns || !f->n || f->start > code->ninsns ||
		    f->n > code->ninsns - f->start)
			return -EINVAL;
		e->nfuncs++;
	}
	return 0;
}

int at_elf_open(struct at_elf *e, const void *data, size_t size)
{
	int err;

	memset(e, 0, sizeof(*e));
	e->data = data;
	e->size = size;
	err = check_header(e);
	if (err)
		return err;
	e->sections = calloc(e->nsections, sizeof(*e->sections));
	err = e->sections ? open_sections(e) : -ENOMEM;
	for (uint32_t i = 0; i < e->nsections && !err; i++)
		if (e->headers[i].sh_type == SHT_REL)
			err = read_relocations(e, &e->headers[i]);
	if (!err)
		err = read_functions(e);
	if (err)
		at_elf_close(e);
	return err;
}

void at_elf_close(struct at_elf *e)
{
	for (uint32_t i = 0; e->sections && i < e->nsections; i++)
		free(e->sections[i].symbol);
	free(e->sections);
	free(e->funcs);
	memset(e, 0, sizeof(*e));
}
