/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print: a value as it is when the probe fires, a whole map as it is when the
 * event is handled. An entry whose aggregation has no single number (hist,
 * quantile, …) is shown as its line of the map; the event then carries the key.
 */
#include <errno.h>
#include <string.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

enum { TOP, DIV }; /* in nums */

static bool is_map(const struct at_node *arg)
{
	return arg->kind == AT_N_MAP && !((const struct at_n_map *)arg)->keys.n;
}

/* An entry that is shown as a line of its map. */
static bool is_row(const struct at_node *arg)
{
	const struct at_type *t = arg->type;

	return arg->kind == AT_N_MAP && t->kind == AT_T_AGG && !t->func->agg->read;
}

static bool check_numbers(struct at_check *c, const struct at_n_call *call)
{
	static const char *const names[] = { "top", "div" };
	int64_t v;

	if (call->args.n > 1 && !is_map(call->args.v[0])) {
		at_diag(c->diags, AT_D_ARGUMENT_COUNT, call->args.v[1]->range,
			"only a whole map is printed with numbers");
		at_hint(c->diags, "it is written %s", at_check_written(call->func));
		return false;
	}
	for (size_t i = 1; i < call->args.n; i++) {
		if (at_fold_int(call->args.v[i], &v) && v >= (i == 1 ? 0 : 1) && v <= INT32_MAX)
			continue;
		at_diag(c->diags, AT_D_ARGUMENT_TYPE, call->args.v[i]->range,
			"%s is a number from %d", names[i - 1], i == 1 ? 0 : 1);
		return false;
	}
	return true;
}

static const struct at_type *check_print(struct at_check *c, struct at_n_call *call)
{
	const struct at_node *arg = call->args.v[0];

	return check_numbers(c, call) && at_event_shows(c, arg) ? &at_type_void : NULL;
}

/* ---- Sending ---- */

static void send_map(struct at_lower *lw, struct at_n_call *call)
{
	struct at_plan_event e = { .map = at_arg_map(call, 0)->map->plan_map, .nums[DIV] = 1 };

	for (size_t i = 1; i < call->args.n; i++)
		at_fold_int(call->args.v[i], &e.nums[i - 1]);
	at_event_send_values(lw, call, &e, NULL, 0);
}

static void send_row(struct at_lower *lw, struct at_n_call *call)
{
	struct at_n_map *m = at_arg_map(call, 0);
	const struct at_type *key = m->map->key;
	struct at_plan_event e = { .map = m->map->plan_map, .nums[DIV] = 1 };
	struct at_ir *at = at_lower_key(lw, m), *record;

	e.args = at_type_tuple(lw->arena, &key, 1);
	e.func = call->func->name;
	e.range = call->n.range;
	e.size = AT_EVENT_HEADER + ((key->size + 7) & ~7u);
	record = at_lower_reserve(lw, at_plan_event(lw->plan, &e));
	ir_copy(lw->b, record, AT_EVENT_HEADER, at, 0, key->size);
	at_lower_submit(lw, record);
}

static void send_value(struct at_lower *lw, struct at_n_call *call)
{
	struct at_val v = at_lower_expr(lw, call->args.v[0]);
	struct at_plan_event e = { .map = -1 };

	if (at_type_is_word(v.type))
		v.ir = ir_let(lw->b, v.ir);
	e.args = at_type_tuple(lw->arena, &v.type, 1);
	e.names = at_event_names(lw, call, 0);
	at_event_send_values(lw, call, &e, &v, 1);
}

static struct at_val lower_print(struct at_lower *lw, struct at_n_call *call)
{
	if (is_map(call->args.v[0]))
		send_map(lw, call);
	else if (is_row(call->args.v[0]))
		send_row(lw, call);
	else
		send_value(lw, call);
	return at_word(&at_type_void, NULL);
}

/* ---- Handling ---- */

/* Leaves the row of this key alone in `only`. */
static void pick_row(const struct at_rows *rows, const void *key, struct at_rows *only)
{
	*only = *rows;
	only->n = 0;
	for (size_t i = 0; i < rows->n; i++)
		if (!memcmp(rows->v[i].key, key, rows->map->key_size)) {
			only->v = &rows->v[i];
			only->n = 1;
		}
}

static int show_map(struct at_render *r, const struct at_plan_event *e, const void *key)
{
	struct at_rows rows, only;
	int err = at_map_read(r->run, e->map, &rows);

	if (!err && key)
		pick_row(&rows, key, &only);
	else
		only = rows;
	if (!err)
		r->sink->map(r, &only, e->nums[TOP], e->nums[DIV]);
	at_rows_free(&rows);
	return err;
}

static int event_print(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	if (e->map >= 0)
		return show_map(r, e, e->args ? payload : NULL);
	r->sink->value(r, e->args->fields[0].type, payload);
	return 0;
}

const struct at_func at_func_print = {
	.name = "print",
	.proto = "void print(any value, lit-int top?, lit-int div?)",
	.flags = AT_F_ASYNC,
	.brief = "print a value, or a map: its `top` largest entries, numbers divided by `div`",
	.check = check_print,
	.lower = lower_print,
	.event = event_print,
};
