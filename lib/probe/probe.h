/* SPDX-License-Identifier: Apache-2.0 */
/* The providers of this room, for lib/lang.c. */
#ifndef AT_PROBE_PROBE_H
#define AT_PROBE_PROBE_H

#include "frontend/lower.h"

extern const struct at_provider at_provider_begin, at_provider_end, at_provider_interval,
	at_provider_profile, at_provider_tracepoint, at_provider_rawtracepoint;

/* plan.c: a program of this kind for each clause, with the pid filter or without; fill() (may be
 * NULL) adds what is the provider's. */
int at_probe_plan_each(struct at_lower *lw, const struct at_clause_use *uses, size_t n,
		       enum at_prog_kind kind, bool pid_filter,
		       void (*fill)(struct at_plan_prog *g, const struct at_attachpt *point));

#endif
