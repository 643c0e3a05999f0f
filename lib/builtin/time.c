/* SPDX-License-Identifier: Apache-2.0 */
/* time: prints the local time at which the event is handled, by a strftime format. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/builtin/builtin.h"
#include "lib/run/event.h"

enum { MOST = 4096 }; /* bytes of time as text */

static struct at_val lower_time(struct at_lower *lw, struct at_n_call *call)
{
	struct at_plan_event e = { .text = "%H:%M:%S\n", .map = -1 };

	if (call->args.n)
		e.text = at_fold_string(call->args.v[0]);
	at_event_send_values(lw, call, &e, NULL, 0);
	return at_word(&at_type_void, NULL);
}

/* strftime gives 0 both for what does not fit and for an empty text. */
static int put_time(struct at_render *r, const char *fmt, const struct tm *tm)
{
	char *text = malloc(MOST);
	size_t n;

	if (!text)
		return -ENOMEM;
	n = strftime(text, MOST, fmt, tm);
	r->sink->text(r, "time", text, n);
	free(text);
	return n || !*fmt ? 0 : -E2BIG;
}

static int event_time(struct at_render *r, const struct at_plan_event *e, const void *payload)
{
	time_t now = time(NULL);
	struct tm tm;

	if (!localtime_r(&now, &tm))
		return -errno;
	return put_time(r, e->text, &tm);
}

const struct at_func at_func_time = {
	.name = "time",
	.proto = "void time(lit-string format?)",
	.flags = AT_F_ASYNC,
	.brief = "print the time, by default as %H:%M:%S",
	.lower = lower_time,
	.event = event_time,
};
