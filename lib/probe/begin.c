/* SPDX-License-Identifier: Apache-2.0 */
/*
 * begin and end: run once, before the other probes are attached and after they
 * are detached. Nothing triggers the programs, lib/run/attach.c runs them.
 */
#include <string.h>

#include "lib/base/glob.h"
#include "lib/probe/probe.h"

static int parse(struct at_check *c, struct at_attachpt *p)
{
	if (p->parts.n == 1)
		return 0;
	at_diag(c->diags, AT_D_BAD_ATTACH_POINT, p->ranges.v[1],
		"%s stands alone, found `%s` after it", p->provider->name, p->parts.v[1]);
	return -1;
}

static int plan(struct at_lower *lw, struct at_clause_use *uses, size_t n)
{
	return at_probe_plan_each(lw, uses, n, AT_PROG_RAW_TP, false, NULL);
}

static int list_begin(struct at_host *host, const char *glob,
		      int (*each)(const char *name, void *arg), void *arg)
{
	return !strchr(glob, ':') || at_glob(glob, "begin:", true) ? each("begin", arg) : 0;
}

static int list_end(struct at_host *host, const char *glob,
		    int (*each)(const char *name, void *arg), void *arg)
{
	return !strchr(glob, ':') || at_glob(glob, "end:", true) ? each("end", arg) : 0;
}

const struct at_provider at_provider_begin = {
	.name = "begin",
	.syntax = "begin",
	.brief = "once, before the other probes are attached",
	.parse = parse,
	.plan = plan,
	.list = list_begin,
};
const struct at_provider at_provider_end = {
	.name = "end",
	.syntax = "end",
	.brief = "once, after the other probes are detached",
	.parse = parse,
	.plan = plan,
	.list = list_end,
};
