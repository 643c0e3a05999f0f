/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the verifier's log: its last message says what was refused, its last
 * instruction leads to the line of the script. The log goes on to -v.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run/loader.h"

enum { LINES_SHOWN = 2000 };

/* Lines of statistics that end a log. */
static bool is_trailer(const char *s)
{
	static const char *const starts[] = { "processed ", "verification time", "stack depth",
					      "-- END", "max_states", "func#" };

	for (size_t i = 0; i < at_count(starts); i++)
		if (!strncmp(s, starts[i], strlen(starts[i])))
			return true;
	return !*s;
}

/* Lines that trace the walk rather than say something. */
static bool is_trace(const char *s)
{
	if (*s == ';' || !strncmp(s, "from ", 5) || !strncmp(s, "regs=", 5) ||
	    !strncmp(s, "mark_precise", 12) || !strncmp(s, "last_idx", 8) ||
	    !strncmp(s, "parent ", 7) || !strncmp(s, "frame", 5))
		return true;
	while (isdigit((unsigned char)*s))
		s++;
	return *s == ':' && s[-1] != ' ';
}

/* "12: (85) call …" is instruction 12; -1: no such line. */
static long insn_of(const char *s)
{
	char *end;
	long n = strtol(s, &end, 10);

	return end > s && !strncmp(end, ": (", 3) ? n : -1;
}

static struct at_range line_range(const struct at_source *src, unsigned line, unsigned column)
{
	const char *p = src->text, *end = src->text + src->len, *stop;

	while (line > 1 && (p = memchr(p, '\n', end - p))) {
		p++;
		line--;
	}
	if (!p || p >= end)
		return (struct at_range){ 0 };
	stop = memchr(p, '\n', end - p);
	if (!stop)
		stop = end;
	if (column > 1 && column - 1 < (size_t)(stop - p))
		p += column - 1;
	while (p < stop && isspace((unsigned char)*p))
		p++;
	return (struct at_range){ p - src->text, stop - src->text };
}

/* The script's place of an instruction, by the last line record at or before it. */
static struct at_range range_of(const struct at_run *run, const struct at_plan_prog *g,
				const struct at_linked *code, long insn)
{
	const struct bpf_line_info *best = NULL;
	struct at_range r = { 0 };

	for (uint32_t i = 0; i < code->nlines && code->lines[i].insn_off <= insn; i++)
		if (code->lines[i].line_col >> 10)
			best = &code->lines[i];
	if (best && run->plan->source)
		r = line_range(run->plan->source, best->line_col >> 10, best->line_col & 0x3ff);
	return r.end ? r : g->range;
}

void at_verifier_explain(struct at_run *run, const struct at_plan_prog *g,
			 const struct at_linked *code, char *log, struct at_failure *f)
{
	struct at_arena *a = run->diags->arena;
	const char *message = "";
	char *save = NULL;
	size_t lines = 0, seen = 0;
	long insn = -1;

	for (const char *s = log; *s; s++)
		lines += *s == '\n';
	for (char *s = strtok_r(log, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		if (lines - seen++ < LINES_SHOWN)
			at_run_log(run, "verifier: %s", s);
		if (insn_of(s) >= 0)
			insn = insn_of(s);
		if (!is_trailer(s) && !is_trace(s))
			message = s;
	}
	f->tag = AT_D_VERIFIER;
	f->range = range_of(run, g, code, insn);
	f->text = at_sprintf(a, "the kernel's verifier refused the program of %s: %.300s",
			     g->probe ? g->probe : g->name,
			     *message ? message : strerror(-f->err));
	f->hint = "-v shows the whole log";
}
