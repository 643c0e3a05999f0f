/* SPDX-License-Identifier: Apache-2.0 */
/* Turns values and views into struct apitrace_value. */
#include "lib/typed.h"

#include <string.h>

#include "lib/run/event.h"

static const char *unit_of(const struct at_type *t)
{
	return t && t->unit == AT_UNIT_NS ? "ns" : NULL;
}

static void set_int(struct apitrace_value *out, const struct at_type *t, int64_t v)
{
	out->unit = unit_of(t);
	out->kind = !t || t->sign ? APITRACE_INT : APITRACE_UINT;
	out->i = v;
}

static void set_string(struct apitrace_value *out, const char *s, size_t n)
{
	out->kind = APITRACE_STRING;
	out->s = s;
	out->n = n;
}

/* Those whose text says more than their bytes: enums, addresses. */
static void set_text(struct at_arena *a, const struct at_type *t, const void *bytes,
		     struct apitrace_value *out)
{
	struct at_buf b = { 0 };

	at_value_text(&b, t, bytes);
	set_string(out, at_strndup(a, b.s ? b.s : "", b.n), b.n);
	at_buf_free(&b);
}

static void set_fields(struct at_arena *a, const struct at_type *t, const char *bytes,
		       struct apitrace_value *out)
{
	struct apitrace_value *items = at_new_n(a, struct apitrace_value, t->nfields + 1);

	for (unsigned i = 0; i < t->nfields; i++) {
		at_typed_value(a, t->fields[i].type, bytes + t->fields[i].offset, &items[i]);
		items[i].name = t->fields[i].name;
	}
	out->kind = APITRACE_TUPLE;
	out->items = items;
	out->n = t->nfields;
}

static void set_bytes(struct at_arena *a, const struct at_type *t, const void *bytes,
		      struct apitrace_value *out)
{
	out->kind = APITRACE_BYTES;
	out->s = at_strndup(a, bytes, t->size);
	out->n = t->size;
}

void at_typed_value(struct at_arena *a, const struct at_type *t, const void *bytes,
		    struct apitrace_value *out)
{
	*out = (struct apitrace_value){ 0 };
	switch (t->kind) {
	case AT_T_VOID:
	case AT_T_NONE:
	case AT_T_AGG:
		return;
	case AT_T_BOOL:
		out->kind = APITRACE_BOOL;
		out->b = at_value_word(t, bytes);
		return;
	case AT_T_INT:
	case AT_T_PTR:
		set_int(out, t, at_value_word(t, bytes));
		return;
	case AT_T_STRING:
		set_string(out, at_strndup(a, bytes, strnlen(bytes, t->size)),
			   strnlen(bytes, t->size));
		return;
	case AT_T_ENUM:
	case AT_T_INET:
	case AT_T_TIME:
		set_text(a, t, bytes, out);
		return;
	case AT_T_TUPLE:
	case AT_T_STRUCT:
		set_fields(a, t, bytes, out);
		return;
	case AT_T_ARRAY:
		set_bytes(a, t, bytes, out);
		return;
	}
}

/* ---- Views ---- */

static void set_cells(struct at_arena *a, const struct at_view *v, enum apitrace_kind kind,
		      struct apitrace_value *out)
{
	struct apitrace_value *items = at_new_n(a, struct apitrace_value, v->ncells + 1);

	for (unsigned i = 0; i < v->ncells; i++) {
		bool count = !strcmp(v->cells[i].name, "count");

		set_int(&items[i], count ? &at_type_uint64 : v->type, v->cells[i].value);
		items[i].name = v->cells[i].name;
	}
	out->kind = kind;
	out->items = items;
	out->n = v->ncells;
}

static void set_buckets(struct at_arena *a, const struct at_view *v, struct apitrace_value *out)
{
	struct apitrace_bucket *b = at_new_n(a, struct apitrace_bucket, v->nbuckets + 1);

	for (unsigned i = 0; i < v->nbuckets; i++) {
		const struct at_bucket *k = &v->buckets[i];

		b[i] = (struct apitrace_bucket){ k->open_low ? INT64_MIN : k->min,
						 k->open_high ? INT64_MAX : k->max, k->count };
	}
	out->kind = APITRACE_HISTOGRAM;
	out->unit = unit_of(v->type);
	out->buckets = b;
	out->n = v->nbuckets;
}

void at_typed_view(struct at_arena *a, const struct at_view *v, struct apitrace_value *out)
{
	*out = (struct apitrace_value){ 0 };
	switch (v->kind) {
	case AT_VIEW_NUMBER:
	case AT_VIEW_RATE:
		set_int(out, v->type, v->number);
		return;
	case AT_VIEW_TABLE:
		set_cells(a, v, APITRACE_TABLE, out);
		return;
	case AT_VIEW_QUANTILES:
		set_cells(a, v, APITRACE_QUANTILES, out);
		return;
	case AT_VIEW_HISTOGRAM:
		set_buckets(a, v, out);
		return;
	case AT_VIEW_SHARE:
		out->kind = APITRACE_SHARE;
		out->share.hits = v->hits;
		out->share.total = v->total;
		return;
	case AT_VIEW_VALUE:
		at_typed_value(a, v->type, v->bytes, out);
		return;
	}
}
