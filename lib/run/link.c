/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links one program: the entry function first, then each function it reaches,
 * once. Calls and callback addresses are set when all have their places; maps,
 * symbolic constants and kernel functions are asked from the loader.
 */
#include "lib/run/link.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_INSNS = 1000000, /* the kernel's own limit */
	SRC_MAP = 5, SRC_MAP_VALUE = 6, SRC_SYM = 7, /* codegen.h */
	CALL = BPF_JMP | BPF_CALL,
	LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW,
};

struct piece { /* a function and where it stands in the program */
	struct at_elf_func func;
	uint32_t at;
};

struct fixup {
	uint32_t insn, piece;
};

struct linking {
	const struct at_elf *elf;
	const struct at_link_env *env;
	struct at_linked *out;
	struct piece *pieces;
	struct fixup *fixups;
	uint32_t npieces, nfixups, cap_fixups;
};

/* Index of the piece that begins at an instruction of a section, added when new; or -errno. */
static int piece_at(struct linking *l, uint32_t section, int64_t start)
{
	const struct at_elf *e = l->elf;

	for (uint32_t i = 0; i < l->npieces; i++)
		if (l->pieces[i].func.section == section && l->pieces[i].func.start == start)
			return i;
	for (uint32_t i = 0; i < e->nfuncs; i++) {
		if (e->funcs[i].section != section || e->funcs[i].start != start)
			continue;
		if (l->npieces == e->nfuncs) /* two symbols of one function */
			return -EINVAL;
		l->pieces[l->npieces].func = e->funcs[i];
		return l->npieces++;
	}
	return -EINVAL;
}

static int add_fixup(struct linking *l, uint32_t insn, int piece)
{
	if (piece < 0)
		return piece;
	if (l->nfixups == l->cap_fixups) {
		uint32_t cap = l->cap_fixups ? l->cap_fixups * 2 : 32;
		struct fixup *more = realloc(l->fixups, cap * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->fixups = more;
		l->cap_fixups = cap;
	}
	l->fixups[l->nfixups++] = (struct fixup){ insn, piece };
	return 0;
}

/* A call: of a kernel function, or of one of ours with its place told by symbol and immediate. */
static int link_call(struct linking *l, const struct piece *p, uint32_t i, uint32_t symbol)
{
	struct bpf_insn *insn = &l->out->insns[p->at + i];
	const Elf64_Sym *s = symbol ? &l->elf->symbols[symbol - 1] : NULL;
	uint32_t section = s ? s->st_shndx : p->func.section;
	int64_t base = s ? (int64_t)(s->st_value / sizeof(*insn)) : p->func.start + i;
	int id;

	if (s && s->st_shndx == SHN_UNDEF) {
		id = l->env->kfunc(l->env->arg, l->elf->names + s->st_name);
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		insn->imm = id;
		return id < 0 ? id : 0;
	}
	return add_fixup(l, p->at + i, piece_at(l, section, base + insn->imm + 1));
}

static int link_func_address(struct linking *l, uint32_t at, uint32_t symbol)
{
	const Elf64_Sym *s = &l->elf->symbols[symbol - 1];
	struct bpf_insn *insn = &l->out->insns[at];
	int64_t bytes = (int64_t)s->st_value + insn->imm;

	insn->src_reg = BPF_PSEUDO_FUNC;
	return add_fixup(l, at, piece_at(l, s->st_shndx, bytes / (int64_t)sizeof(*insn)));
}

static int link_constant(struct linking *l, uint32_t at)
{
	struct bpf_insn *insn = &l->out->insns[at];
	uint64_t value = 0;
	int got = 0;

	if (insn->src_reg == SRC_MAP || insn->src_reg == SRC_MAP_VALUE) {
		got = l->env->map_fd(l->env->arg, insn->imm);
		insn->src_reg = insn->src_reg == SRC_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		insn[0].imm = got;
		insn[1].imm = 0;
	} else if (insn->src_reg == SRC_SYM) {
		got = l->env->sym(l->env->arg, insn->imm, &value);
		insn->src_reg = 0;
		insn[0].imm = (uint32_t)value;
		insn[1].imm = value >> 32;
	} else if (insn->src_reg) {
		return -EINVAL;
	}
	return got < 0 ? got : 0;
}

static int link_insns(struct linking *l, const struct piece *p)
{
	const struct at_elf_section *s = &l->elf->sections[p->func.section];
	int err = 0;

	for (uint32_t i = 0; i < p->func.n && !err; i++) {
		const struct bpf_insn *insn = &l->out->insns[p->at + i];
		uint32_t symbol = s->symbol[p->func.start + i];

		if (insn->code == CALL && (insn->src_reg == BPF_PSEUDO_CALL || symbol)) {
			err = link_call(l, p, i, symbol);
		} else if (insn->code == LD_IMM64) {
			if (i + 1 == p->func.n)
				return -EINVAL;
			err = symbol ? link_func_address(l, p->at + i, symbol) :
				       link_constant(l, p->at + i);
			i++;
		}
	}
	return err;
}

static int append(struct linking *l, struct piece *p)
{
	struct at_linked *out = l->out;
	struct bpf_insn *more;

	if (p->func.n > MAX_INSNS - out->n)
		return -E2BIG;
	more = realloc(out->insns, (out->n + p->func.n) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	out->insns = more;
	p->at = out->n;
	memcpy(more + out->n, l->elf->sections[p->func.section].insns + p->func.start,
	       p->func.n * sizeof(*more));
	out->n += p->func.n;
	return 0;
}

static void apply_fixups(struct linking *l)
{
	for (uint32_t i = 0; i < l->nfixups; i++) {
		const struct fixup *f = &l->fixups[i];
		struct bpf_insn *insn = &l->out->insns[f->insn];

		insn->imm = (int32_t)(l->pieces[f->piece].at - f->insn - 1);
		if (insn->code == LD_IMM64)
			insn[1].imm = 0;
	}
}

/* ---- .BTF.ext ---- */

/* Records of one kind: those of a section that lie in a function. */
struct records {
	const unsigned char *at;
	uint32_t n, size;
};

static uint32_t word_at(const unsigned char *p)
{
	uint32_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/* Name of a section as BTF's strings have it at off. */
static bool names_section(const struct at_elf *e, uint32_t off, const char *name)
{
	const unsigned char *btf = e->btf;
	uint64_t at;

	if (e->btf_size < 24)
		return false;
	at = (uint64_t)word_at(btf + 4) + word_at(btf + 16) + off; /* hdr_len, str_off */
	return at < e->btf_size && strnlen((const char *)btf + at, e->btf_size - at) <
		e->btf_size - at && !strcmp((const char *)btf + at, name);
}

/* Finds the records of a section; which: 0 functions, 1 lines. n is 0 when there are none. */
static struct records find_records(const struct at_elf *e, int which, const char *section)
{
	struct records r = { 0 };
	uint64_t at, end;

	if (e->ext_size < 24)
		return r;
	at = (uint64_t)word_at(e->ext + 4) + word_at(e->ext + 8 + which * 8);
	end = at + word_at(e->ext + 12 + which * 8);
	if (end > e->ext_size || end < at + 4)
		return r;
	r.size = word_at(e->ext + at);
	at += 4;
	while (r.size >= 8 && at + 8 <= end) {
		uint32_t n = word_at(e->ext + at + 4);

		if ((uint64_t)n * r.size > end - at - 8)
			break;
		r.at = e->ext + at + 8;
		r.n = n;
		if (names_section(e, word_at(e->ext + at), section))
			return r;
		at += 8 + (uint64_t)n * r.size;
	}
	r.n = 0;
	return r;
}

/* Moves a record's place from section to program; false: not of this function. */
static bool moved(const struct piece *p, uint32_t bytes, uint32_t *insn_off)
{
	uint32_t insn = bytes / sizeof(struct bpf_insn);

	if (insn < p->func.start || insn - p->func.start >= p->func.n)
		return false;
	*insn_off = insn - p->func.start + p->at;
	return true;
}

static bool copy_func(struct linking *l, const struct piece *p)
{
	struct at_linked *out = l->out;
	struct records r = find_records(l->elf, 0, l->elf->sections[p->func.section].name);

	for (uint32_t i = 0; i < r.n; i++) {
		struct bpf_func_info f = { 0, word_at(r.at + (size_t)i * r.size + 4) };

		if (!moved(p, word_at(r.at + (size_t)i * r.size), &f.insn_off) ||
		    f.insn_off != p->at)
			continue;
		out->funcs[out->nfuncs++] = f;
		return true;
	}
	return false;
}

/* The kernel wants a record at a function's first instruction: the first one is moved there. */
static int copy_lines(struct linking *l, const struct piece *p)
{
	struct at_linked *out = l->out;
	struct records r = find_records(l->elf, 1, l->elf->sections[p->func.section].name);
	struct bpf_line_info *more = realloc(out->lines, (out->nlines + r.n + 1) * sizeof(*more));
	uint32_t first = out->nlines;

	if (!more)
		return -ENOMEM;
	out->lines = more;
	for (uint32_t i = 0; i < r.n && r.size >= sizeof(*more); i++) {
		struct bpf_line_info line;

		memcpy(&line, r.at + (size_t)i * r.size, sizeof(line));
		if (!moved(p, line.insn_off, &line.insn_off))
			continue;
		line.file_name_off = l->env->file_name;
		more[out->nlines++] = line;
	}
	if (first == out->nlines)
		return -ENOENT;
	more[first].insn_off = p->at;
	return 0;
}

/* Without information on every function the kernel wants none at all. */
static int copy_information(struct linking *l)
{
	struct at_linked *out = l->out;
	int err = 0;

	out->funcs = calloc(l->npieces, sizeof(*out->funcs));
	if (!out->funcs)
		return -ENOMEM;
	for (uint32_t i = 0; i < l->npieces; i++) {
		if (!copy_func(l, &l->pieces[i])) {
			out->nfuncs = out->nlines = 0;
			return 0;
		}
	}
	for (uint32_t i = 0; i < l->npieces && !err; i++)
		err = copy_lines(l, &l->pieces[i]);
	if (err)
		out->nlines = 0;
	return err == -ENOMEM ? err : 0;
}

/* Piece 0: the whole of section "prog/NAME". */
static int add_entry(struct linking *l, const char *prog)
{
	const struct at_elf *e = l->elf;

	for (uint32_t i = 0; i < e->nsections; i++) {
		const struct at_elf_section *s = &e->sections[i];

		if (!s->insns || strncmp(s->name, "prog/", 5) || strcmp(s->name + 5, prog))
			continue;
		return piece_at(l, i, 0) == 0 ? 0 : -EINVAL;
	}
	return -ENOENT;
}

int at_link(const struct at_elf *e, const char *prog, const struct at_link_env *env,
	    struct at_linked *out)
{
	struct linking l = { .elf = e, .env = env, .out = out };
	int err;

	memset(out, 0, sizeof(*out));
	l.pieces = calloc(e->nfuncs ? e->nfuncs : 1, sizeof(*l.pieces));
	err = l.pieces ? add_entry(&l, prog) : -ENOMEM;
	for (uint32_t i = 0; i < l.npieces && !err; i++) {
		err = append(&l, &l.pieces[i]);
		if (!err)
			err = link_insns(&l, &l.pieces[i]);
	}
	if (!err) {
		apply_fixups(&l);
		err = copy_information(&l);
	}
	free(l.pieces);
	free(l.fixups);
	if (err)
		at_linked_free(out);
	return err;
}

void at_linked_free(struct at_linked *l)
{
	free(l->insns);
	free(l->funcs);
	free(l->lines);
	memset(l, 0, sizeof(*l));
}
