/* SPDX-License-Identifier: Apache-2.0 */
/* clear and zero: all entries of a map, when the event is handled. */
#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

static const struct at_type *check_whole(struct at_check *c, struct at_n_call *call)
{
	const struct at_n_map *m = at_arg_map(call, 0);

	if (!m->keys.n)
		return &at_type_void;
	at_diag(c->diags, AT_D_ARGUMENT_TYPE, m->n.range, "%s() is for whole maps", call->name);
	at_hint(c->diags, "delete(%s, key) takes one entry away", m->name);
	return NULL;
}

static struct at_val lower_whole(struct at_lower *lw, struct at_n_call *call)
{
	struct at_plan_event e = { .map = at_arg_map(call, 0)->map->plan_map };

	at_event_send_values(lw, call, &e, NULL, 0);
	return at_word(&at_type_void, NULL);
}

static int event_clear(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	return at_map_clear(r->run, e->map);
}

static int event_zero(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	return at_map_zero(r->run, e->map);
}

const struct at_func at_func_clear = {
	.name = "clear",
	.proto = "void clear(map m)",
	.flags = AT_F_ASYNC,
	.brief = "delete all entries of a map",
	.check = check_whole,
	.lower = lower_whole,
	.event = event_clear,
};
const struct at_func at_func_zero = {
	.name = "zero",
	.proto = "void zero(map m)",
	.flags = AT_F_ASYNC,
	.brief = "set all values of a map to zero, keeping the keys",
	.check = check_whole,
	.lower = lower_whole,
	.event = event_zero,
};
