/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of `make bench` share: runs of a tool, and figures over
 * rounds. Rounds are interleaved, so that a busy machine slows everything that
 * is compared; ratios are taken within a round.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { MOST_ROUNDS = 101 };

double now_ms(void);

/* ---- Runs ---- */

struct run {
	pid_t pid;
	FILE *said;    /* stdout and stderr, as they come */
	char *text;    /* all that was said; of run_end() */
	double begun;  /* ms */
	double ending; /* ms: when it was told to end */
};

struct use {
	double attached, wall, detach, rss; /* ms, ms, ms, MiB; attached < 0: never was */
};

/* Starts a program that dies with this one; cpu < 0: anywhere. */
bool run_start(struct run *r, const char *const argv[], int cpu);
/* Waits until it says that its probes are attached: ms since its start, or -1. */
double run_attached(struct run *r);
/* Waits for its end, after a signal if that is not 0. Was the end good? */
bool run_end(struct run *r, int signal, struct use *use);
void run_free(struct run *r);

/* ---- Figures ---- */

struct figure {
	double median, low, high; /* quartiles */
};

/* Sorts v. */
struct figure figure_of(double *v, unsigned n);
/* What a tenth of them is below; sorts v. */
double figure_low(double *v, unsigned n);
/* "12.3 (11.9 to 13.0)" in a buffer of the caller. */
struct figure_text {
	char s[64];
};
struct figure_text figure_text(struct figure f, int decimals);

/* What $BENCH_ROUNDS says, or `rounds`. */
unsigned bench_rounds(unsigned rounds);
/* A line of the file that $BENCH_RAW names: bench, what, round, value. */
void bench_raw(const char *bench, const char *what, unsigned round, double value);

#endif
