/* SPDX-License-Identifier: Apache-2.0 */
/* What the text and the JSON sink share. */
#ifndef AT_RUN_OUT_H
#define AT_RUN_OUT_H

#include "lib/run/event.h"

/* Writes what the buffer holds, in one piece, and frees it. */
void at_out_flush(struct at_render *r, struct at_buf *b);
/* Rows of which print(@m, top) shows the last ones: the index of the first. */
size_t at_out_first(const struct at_rows *rows, unsigned top);
/* Buckets from the first to the last that is not empty; 0: all are. */
size_t at_out_buckets(const struct at_view *v, const struct at_bucket **first);
/* A number as print(@m, top, div) shows it. */
int64_t at_out_divided(const struct at_type *t, int64_t v, unsigned div);
/* Times programs were not run because they were running already, over all programs. */
uint64_t at_out_recursion(const struct at_run *run);
/* A counter of the plan by name; 0 when there is none. */
uint64_t at_out_counter(const struct at_run *run, const char *name);
/* Is a counter of this value worth a word at the end? Its sentence, with the number. */
bool at_out_missed(const struct at_run *run, const struct at_plan_counter *c, uint64_t n);
void at_out_sentence(struct at_buf *b, const struct at_plan_counter *c, uint64_t n);

#endif
