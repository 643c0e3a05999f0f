/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots of script maps: all entries read in batches (which an entry deleted
 * meanwhile does not disturb), values merged over CPUs, rows put in order.
 */
#include "lib/run/map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/run/event.h"

enum { BATCH = 64 };

struct memory { /* rows->memory */
	char *keys, *values;
	size_t n, cap;
	size_t key_size, value_size;
};

/* Values as the kernel hands them over: one per CPU, each rounded up to 8. */
struct layout {
	bool percpu;
	size_t key, value, step, all;
};

static struct layout layout_of(const struct at_run *run, const struct at_plan_map *m)
{
	struct layout l = { .key = m->key_size, .value = m->value_size };

	l.percpu = m->kind == AT_MAP_PERCPU_HASH || m->kind == AT_MAP_LRU_PERCPU_HASH ||
		   m->kind == AT_MAP_PERCPU_ARRAY;
	if (!m->key)
		l.key = sizeof(uint32_t);
	l.step = l.percpu ? (l.value + 7) & ~(size_t)7 : l.value;
	l.all = l.percpu ? l.step * run->ncpus : l.value;
	return l;
}

static const struct at_agg *agg_of(const struct at_type *t)
{
	return t && t->kind == AT_T_AGG && t->func ? t->func->agg : NULL;
}

static int grow(struct memory *m, size_t more)
{
	size_t cap = m->cap ? m->cap : BATCH;
	char *keys, *values;

	if (m->n + more <= m->cap)
		return 0;
	while (cap < m->n + more)
		cap *= 2;
	keys = realloc(m->keys, cap * m->key_size);
	if (keys)
		m->keys = keys;
	values = realloc(m->values, cap * m->value_size);
	if (values)
		m->values = values;
	if (!keys || !values)
		return -ENOMEM;
	m->cap = cap;
	return 0;
}

static void merge(const struct at_type *t, const struct layout *l, char *dst, const char *src)
{
	const struct at_agg *agg = agg_of(t);

	if (!agg) {
		memcpy(dst, src, l->value);
		return;
	}
	memset(dst, 0, l->value);
	for (size_t at = 0; at < l->all; at += l->step)
		agg->merge(t, (uint64_t *)dst, (const uint64_t *)(src + at));
}

static int add(struct memory *m, const struct at_plan_map *map, const struct layout *l,
	       const char *key, const char *values)
{
	int err = grow(m, 1);

	if (err)
		return err;
	memcpy(m->keys + m->n * m->key_size, key, l->key);
	merge(map->value, l, m->values + m->n * m->value_size, values);
	m->n++;
	return 0;
}

static int read_scalar(int fd, const struct at_plan_map *map, const struct layout *l,
		       struct memory *m)
{
	char *values = calloc(1, l->all);
	uint32_t key = 0;
	int err = values ? bpf_map_lookup_elem(fd, &key, values) : -ENOMEM;

	if (!err)
		err = add(m, map, l, (char *)&key, values);
	free(values);
	return err;
}

/* A bucket that holds more than a batch makes the kernel ask for more room. */
static int read_batches(int fd, const struct at_plan_map *map, const struct layout *l,
			struct memory *m, uint32_t room)
{
	char *keys = calloc(room, l->key), *values = calloc(room, l->all);
	uint32_t n, at = 0;
	bool first = true;
	int err = keys && values ? 0 : -ENOMEM;

	while (!err) {
		uint32_t from = at;

		n = room;
		err = bpf_map_lookup_batch(fd, first ? NULL : &from, &at, keys, values, &n, NULL);
		first = false;
		if (err && err != -ENOENT)
			break;
		for (uint32_t i = 0; i < n; i++)
			if (add(m, map, l, keys + i * l->key, values + i * l->all))
				err = -ENOMEM;
	}
	free(keys);
	free(values);
	return err == -ENOENT ? 0 : err;
}

static int read_hash(int fd, const struct at_plan_map *map, const struct layout *l,
		     struct memory *m)
{
	int err;

	for (uint32_t room = BATCH; ; room *= 8) {
		m->n = 0;
		err = read_batches(fd, map, l, m, room);
		if (err != -ENOSPC || room > map->max_entries)
			return err;
	}
}

/* ---- Order ---- */

static int compare_words(int64_t a, int64_t b, bool sign)
{
	if (sign)
		return a < b ? -1 : a > b;
	return (uint64_t)a < (uint64_t)b ? -1 : (uint64_t)a > (uint64_t)b;
}

static int compare_values(const struct at_type *t, const char *a, const char *b)
{
	int c = 0;

	if (at_type_is_word(t))
		return compare_words(at_value_word(t, a), at_value_word(t, b), t->sign);
	if (t->kind != AT_T_TUPLE && t->kind != AT_T_STRUCT)
		return memcmp(a, b, t->size);
	for (unsigned i = 0; i < t->nfields && !c; i++)
		c = compare_values(t->fields[i].type, a + t->fields[i].offset,
				   b + t->fields[i].offset);
	return c;
}

static int compare_rows(const void *a, const void *b, void *arg)
{
	const struct at_plan_map *map = arg;
	const struct at_row *x = a, *y = b;
	bool sign = !x->view.type || x->view.type->sign || x->view.kind != AT_VIEW_VALUE;
	int c = compare_words(x->view.order, y->view.order, sign);

	return c || !map->key ? c : compare_values(map->key, x->key, y->key);
}

/* ---- Rows ---- */

/* The view of one value; a histogram's buckets are copied, `buckets` is used again. */
static int fill_view(const struct at_type *t, const char *value, struct at_bucket *buckets,
		     struct at_view *v)
{
	const struct at_agg *agg = agg_of(t);
	struct at_bucket *own;

	v->buckets = buckets;
	if (agg) {
		agg->view(t, (const uint64_t *)value, v);
	} else {
		v->kind = AT_VIEW_VALUE;
		v->type = t;
		v->bytes = value;
		v->order = t->kind == AT_T_INT ? at_value_word(t, value) : 0;
	}
	if (v->kind != AT_VIEW_HISTOGRAM || !v->nbuckets) {
		v->buckets = NULL;
		v->nbuckets = 0;
		return 0;
	}
	own = malloc(v->nbuckets * sizeof(*own));
	v->buckets = own;
	if (!own)
		return -ENOMEM;
	memcpy(own, buckets, v->nbuckets * sizeof(*own));
	return 0;
}

static int make_rows(struct at_rows *out, const struct memory *m)
{
	struct at_bucket *buckets = malloc(AT_VIEW_BUCKETS * sizeof(*buckets));
	int err = 0;

	out->v = calloc(m->n ? m->n : 1, sizeof(*out->v));
	if (!out->v || !buckets)
		err = -ENOMEM;
	for (size_t i = 0; i < m->n && !err; i++) {
		struct at_row *row = &out->v[out->n++];

		row->key = out->map->key ? m->keys + i * m->key_size : NULL;
		err = fill_view(out->map->value, m->values + i * m->value_size, buckets,
				&row->view);
	}
	free(buckets);
	if (!err)
		qsort_r(out->v, out->n, sizeof(*out->v), compare_rows, (void *)out->map);
	return err;
}

int at_map_read(const struct at_run *run, unsigned map, struct at_rows *out)
{
	const struct at_plan_map *p = &run->plan->maps.v[map];
	struct layout l = layout_of(run, p);
	struct memory *m = calloc(1, sizeof(*m));
	int err;

	memset(out, 0, sizeof(*out));
	out->map = p;
	out->memory = m;
	if (!m)
		return -ENOMEM;
	m->key_size = (l.key + 7) & ~(size_t)7;
	m->value_size = (l.value + 7) & ~(size_t)7;
	err = p->key ? read_hash(run->map_fds[map], p, &l, m) :
		       read_scalar(run->map_fds[map], p, &l, m);
	return err ? err : make_rows(out, m);
}

void at_rows_free(struct at_rows *rows)
{
	struct memory *m = rows->memory;

	for (size_t i = 0; i < rows->n; i++)
		free(rows->v[i].view.buckets);
	free(rows->v);
	if (m) {
		free(m->keys);
		free(m->values);
	}
	free(m);
	memset(rows, 0, sizeof(*rows));
}

/* ---- Changing ---- */

static int zero_key(const struct at_run *run, unsigned map, const void *key)
{
	struct layout l = layout_of(run, &run->plan->maps.v[map]);
	char *zero = calloc(1, l.all);
	int err = zero ? bpf_map_update_elem(run->map_fds[map], key, zero, BPF_EXIST) : -ENOMEM;

	free(zero);
	return err == -ENOENT ? 0 : err;
}

/* Entries that programs add meanwhile may stay; hence the bound. */
static int delete_all(const struct at_run *run, unsigned map)
{
	const struct at_plan_map *p = &run->plan->maps.v[map];
	char *key = calloc(1, p->key_size);
	int fd = run->map_fds[map], err = key ? 0 : -ENOMEM;

	for (unsigned i = 0; i < p->max_entries * 2 && !err; i++) {
		err = bpf_map_get_next_key(fd, NULL, key);
		if (!err)
			bpf_map_delete_elem(fd, key);
	}
	free(key);
	return err == -ENOENT ? 0 : err;
}

int at_map_clear(const struct at_run *run, unsigned map)
{
	uint32_t key = 0;

	return run->plan->maps.v[map].key ? delete_all(run, map) : zero_key(run, map, &key);
}

int at_map_zero(const struct at_run *run, unsigned map)
{
	struct at_rows rows;
	uint32_t key = 0;
	int err;

	if (!run->plan->maps.v[map].key)
		return zero_key(run, map, &key);
	err = at_map_read(run, map, &rows);
	for (size_t i = 0; i < rows.n && !err; i++)
		err = zero_key(run, map, rows.v[i].key);
	at_rows_free(&rows);
	return err;
}

uint64_t at_counter_read(const struct at_run *run, unsigned counter)
{
	uint64_t sum = 0, *values;

	if (run->plan->counter_map < 0 || !run->map_fds)
		return 0;
	values = calloc(run->ncpus, sizeof(*values));
	if (values && !bpf_map_lookup_elem(run->map_fds[run->plan->counter_map], &counter, values))
		for (int i = 0; i < run->ncpus; i++)
			sum += values[i];
	free(values);
	return sum;
}
