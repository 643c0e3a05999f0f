/* SPDX-License-Identifier: Apache-2.0 */
/* Events that functions send: payload types, storing arguments, what can be shown. */
#include <errno.h>
#include <string.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

int at_find_func(const struct at_plan *p, const char *name)
{
	for (size_t i = 0; i < p->funcs.n; i++)
		if (!strcmp(p->funcs.v[i]->name, name))
			return i;
	return -1;
}

/* Payload type of an argument: what its value is. */
static const struct at_type *sent_type(struct at_lower *lw, const struct at_type *t)
{
	return t->kind == AT_T_BOOL || t->size ? t : &at_type_none;
}

const struct at_type *at_event_args(struct at_lower *lw, const struct at_n_call *call,
				    size_t first)
{
	size_t n = call->args.n > first ? call->args.n - first : 0;
	const struct at_type **elems = at_new_n(lw->arena, const struct at_type *, n + 1);

	for (size_t i = 0; i < n; i++)
		elems[i] = sent_type(lw, call->args.v[first + i]->type);
	return n ? at_type_tuple(lw->arena, elems, n) : NULL;
}

/* Arguments are named by what the script writes for them. */
const char *const *at_event_names(struct at_lower *lw, const struct at_n_call *call, size_t first)
{
	const struct at_source *s = lw->diags->source;
	size_t n = call->args.n - first;
	const char **names = at_new_n(lw->arena, const char *, n + 1);

	for (size_t i = 0; s && i < n; i++) {
		struct at_range r = call->args.v[first + i]->range;

		if (r.beg < r.end && r.end <= s->len)
			names[i] = at_strndup(lw->arena, s->text + r.beg, r.end - r.beg);
	}
	return names;
}

static struct at_ir *reserve(struct at_lower *lw, struct at_n_call *call,
			     struct at_plan_event *e)
{
	e->func = call->func->name;
	e->range = call->n.range;
	e->size = AT_EVENT_HEADER + (e->args ? (e->args->size + 7) & ~7u : 0);
	return at_lower_reserve(lw, at_plan_event(lw->plan, e));
}

void at_event_send_values(struct at_lower *lw, struct at_n_call *call, struct at_plan_event *e,
			  const struct at_val *v, size_t n)
{
	struct at_ir *record = reserve(lw, call, e);

	for (size_t i = 0; i < n; i++)
		at_lower_store(lw, e->args->fields[i].type, record,
			       AT_EVENT_HEADER + e->args->fields[i].offset, v[i]);
	at_lower_submit(lw, record);
}

/* Arguments are evaluated before the record is reserved: what they call may not stand in
 * between. */
void at_event_send(struct at_lower *lw, struct at_n_call *call, struct at_plan_event *e,
		   size_t first)
{
	size_t n = call->args.n > first ? call->args.n - first : 0;
	struct at_val *v = at_new_n(lw->arena, struct at_val, n + 1);

	e->args = at_event_args(lw, call, first);
	e->names = n ? at_event_names(lw, call, first) : NULL;
	for (size_t i = 0; i < n; i++) {
		v[i] = at_lower_expr(lw, call->args.v[first + i]);
		if (at_type_is_word(e->args->fields[i].type))
			v[i].ir = ir_let(lw->b, v[i].ir);
	}
	at_event_send_values(lw, call, e, v, n);
}

bool at_event_shows(struct at_check *c, const struct at_node *arg)
{
	if (arg->type->kind != AT_T_STRUCT)
		return true;
	at_diag(c->diags, AT_D_NOT_YET, arg->range, "a whole struct cannot be shown yet");
	at_hint(c->diags, "show its fields");
	return false;
}

int at_event_text(struct at_render *r, const char *type, struct at_buf *b)
{
	int err = b->failed ? -ENOMEM : 0;

	if (!err)
		r->sink->text(r, type, b->s ? b->s : "", b->n);
	at_buf_free(b);
	return err;
}
