/* SPDX-License-Identifier: Apache-2.0 */
/* What the text and the JSON sink share. */
#include "lib/run/out.h"

#include <bpf/bpf.h>
#include <inttypes.h>
#include <string.h>
#include <errno.h>

/* A text that is not whole is not written: it might be read as another. */
void at_out_flush(struct at_render *r, struct at_buf *b)
{
	if (b->failed)
		r->err = -ENOMEM;
	else if (b->n && r->write)
		r->write(r->arg, b->s, b->n);
	at_buf_free(b);
}

size_t at_out_first(const struct at_rows *rows, unsigned top)
{
	return top && top < rows->n ? rows->n - top : 0;
}

size_t at_out_buckets(const struct at_view *v, const struct at_bucket **first)
{
	size_t from = 0, to = v->nbuckets;

	while (to && !v->buckets[to - 1].count)
		to--;
	while (from < to && !v->buckets[from].count)
		from++;
	*first = v->buckets + from;
	return to - from;
}

int64_t at_out_divided(const struct at_type *t, int64_t v, unsigned div)
{
	return t && !t->sign ? (int64_t)((uint64_t)v / div) : v / (int64_t)div;
}

uint64_t at_out_recursion(const struct at_run *run)
{
	uint64_t sum = 0;

	for (size_t i = 0; run->prog_fds && i < run->plan->progs.n; i++) {
		struct bpf_prog_info info = { 0 };
		uint32_t len = sizeof(info);

		if (run->prog_fds[i] >= 0 &&
		    !bpf_obj_get_info_by_fd(run->prog_fds[i], &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

uint64_t at_out_counter(const struct at_run *run, const char *name)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run->plan->counters.n; i++)
		if (!strcmp(run->plan->counters.v[i].name, name))
			sum += at_counter_read(run, i);
	return sum;
}

void at_out_sentence(struct at_buf *b, const struct at_plan_counter *c, uint64_t n)
{
	const char *brief = c->brief ? c->brief : c->name, *at = strstr(brief, "%llu");

	if (!at) {
		at_buf_printf(b, "%s: %" PRIu64, brief, n);
		return;
	}
	at_buf_put(b, brief, at - brief);
	at_buf_printf(b, "%" PRIu64 "%s", n, at + 4);
}

bool at_out_missed(const struct at_run *run, const struct at_plan_counter *c, uint64_t n)
{
	if (c->alone && n != at_out_counter(run, c->alone))
		return false;
	return n && !c->happened;
}
