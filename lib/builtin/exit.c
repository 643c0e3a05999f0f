/* SPDX-License-Identifier: Apache-2.0 */
/* exit: ends the run. The clause returns at once; `end` probes still run. */
#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

static const struct at_type *check_exit(struct at_check *c, struct at_n_call *call)
{
	int64_t v;

	if (!call->args.n || !at_fold_int(call->args.v[0], &v) || (v >= 0 && v <= 255))
		return &at_type_void;
	at_diag(c->diags, AT_D_ARGUMENT_TYPE, call->args.v[0]->range,
		"an exit code is a number from 0 to 255");
	return NULL;
}

static struct at_val lower_exit(struct at_lower *lw, struct at_n_call *call)
{
	const struct at_type *code = &at_type_uint8;
	static const char *const names[] = { "code" };
	struct at_plan_event e = { .map = -1, .args = at_type_tuple(lw->arena, &code, 1),
				   .names = names };
	struct at_val v = at_word(&at_type_int64, ir_const(lw->b, 0));

	if (call->args.n)
		v.ir = ir_let(lw->b, at_lower_word(lw, call->args.v[0]));
	at_event_send_values(lw, call, &e, &v, 1);
	at_lower_leave(lw);
	return at_word(&at_type_void, NULL);
}

/* The first one counts. */
static int event_exit(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	if (!r->exiting)
		r->exit_code = *(const uint8_t *)payload;
	r->exiting = true;
	return 0;
}

const struct at_func at_func_exit = {
	.name = "exit",
	.proto = "void exit(int code?)",
	.flags = AT_F_ASYNC,
	.brief = "end the run, with an exit code",
	.check = check_exit,
	.lower = lower_exit,
	.event = event_exit,
};
