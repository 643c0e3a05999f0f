/* SPDX-License-Identifier: Apache-2.0 */
/* time: prints the local time at which the event is handled, by a strftime format. */
#include <errno.h>
#include <time.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

static const struct at_type *check_time(struct at_check *c, struct at_n_call *call)
{
	return !call->args.n || at_check_time_format(c, call->args.v[0]) ? &at_type_void : NULL;
}

static struct at_val lower_time(struct at_lower *lw, struct at_n_call *call)
{
	struct at_plan_event e = { .text = "%H:%M:%S\n", .map = -1 };

	if (call->args.n)
		e.text = at_fold_string(call->args.v[0]);
	at_event_send_values(lw, call, &e, NULL, 0);
	return at_word(&at_type_void, NULL);
}

static int event_time(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	struct at_buf b = { 0 };
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	at_time_text(&b, e->text, now.tv_sec * 1000000000ull + now.tv_nsec);
	return at_event_text(r, "time", &b);
}

const struct at_func at_func_time = {
	.name = "time",
	.proto = "void time(lit-string format?)",
	.flags = AT_F_ASYNC,
	.brief = "print the time, by default as %H:%M:%S",
	.check = check_time,
	.lower = lower_time,
	.event = event_time,
};
