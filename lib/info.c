/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine offers and what a script takes: tables of values, each with how it is
 * found. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "config.h"
#include "lib/look.h"
#include "lib/run/event.h"
#include "lib/run/feature.h"

struct info {
	struct at_session *s;
	int (*each)(void *arg, const char *section, const char *name, const char *value);
	void *arg;
	const char *section;
	bool may_load; /* programs can be tried */
	int stop;
};

static void say(struct info *i, const char *name, const char *value)
{
	if (!i->stop)
		i->stop = i->each(i->arg, i->section, name, value);
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

/* The first line of a file; NULL: not to be read. */
static const char *line_of(struct info *i, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");
	bool got = f && fgets(line, sizeof(line), f);

	if (f)
		fclose(f);
	return got ? at_strndup(i->s->arena, line, strcspn(line, "\n")) : NULL;
}

/* ---- Values: of a row's argument ---- */

static const char *kernel(struct info *i, const char *arg)
{
	struct utsname u;

	return uname(&u) ? NULL
			 : at_sprintf(i->s->arena, "%s %s %s", u.sysname, u.release, u.machine);
}

static const char *cpus(struct info *i, const char *arg)
{
	unsigned online;

	at_host_cpus_online(i->s->host, &online);
	return at_sprintf(i->s->arena, "%u online, %d possible", online,
			  at_host_ncpus_possible(i->s->host));
}

static const char *version(struct info *i, const char *arg)
{
	return PACKAGE_VERSION;
}

static const char *codegen(struct info *i, const char *arg)
{
	const char *text = at_session_codegen(i->s);

	return text ? text : "not found";
}

static const char *exists(struct info *i, const char *path)
{
	return yes_no(!access(path, F_OK));
}

static const char *setting(struct info *i, const char *path)
{
	const char *line = line_of(i, path);

	return line ? line : "not there";
}

static const char *may_load(struct info *i, const char *arg)
{
	const char *missing = at_privilege_missing(i->s->arena, "load BPF programs");

	return missing ? at_sprintf(i->s->arena, "no: %s", missing) : "yes";
}

static const char *here(struct info *i, const char *feature)
{
	return yes_no(at_host_has(i->s->host, feature));
}

/* Only loading tells. */
static const char unknown[] = "unknown (programs cannot be loaded)";

static const char *tried(struct info *i, const char *feature)
{
	return i->may_load ? here(i, feature) : unknown;
}

static const char *loop_form(struct info *i, const char *arg)
{
	static const char *const forms[] = { "may_goto", "bpf_loop" };

	if (!i->may_load)
		return unknown;
	for (size_t k = 0; k < at_count(forms); k++)
		if (at_host_has(i->s->host, forms[k]))
			return forms[k];
	return "no";
}

/* How http probes would see the bytes of sockets: the first whose feature is here. */
static const char *tap(struct info *i, const char *arg)
{
	static const struct {
		const char *name, *feature;
	} taps[] = { { "socktp", "tp_btf:sock_recv_length" }, { "syscall", "bpf_loop" } };

	for (size_t k = 0; k < at_count(taps); k++) {
		if (at_feature_find(taps[k].feature) >= 0 && !i->may_load)
			return unknown;
		if (at_host_has(i->s->host, taps[k].feature))
			return taps[k].name;
	}
	return "none";
}

static const struct {
	const char *section, *name;
	const char *(*value)(struct info *i, const char *arg);
	const char *arg;
} rows[] = {
	{ "System", "kernel", kernel, NULL },
	{ "System", "CPUs", cpus, NULL },
	{ "System", "cgroup v2", exists, "/sys/fs/cgroup/cgroup.controllers" },
	{ "System", "btf", here, "btf" },
	{ "System", "tracefs", here, "tracefs" },
	{ "Build", "version", version, NULL },
	{ "Build", "code generator", codegen, NULL },
	{ "Privileges", "load programs", may_load, NULL },
	{ "Privileges", "perf_event_paranoid", setting,
	  "/proc/sys/kernel/perf_event_paranoid" },
	{ "Privileges", "unprivileged_bpf_disabled", setting,
	  "/proc/sys/kernel/unprivileged_bpf_disabled" },
	{ "Privileges", "lockdown", setting, "/sys/kernel/security/lockdown" },
	{ "Kernel features", "loop form", loop_form, NULL },
	{ "Kernel features", "may_goto", tried, "may_goto" },
	{ "Kernel features", "ringbuf", tried, "ringbuf" },
	{ "Kernel features", "sk_storage", tried, "sk_storage" },
	{ "Kernel features", "raw_tracepoint", tried, "raw_tracepoint" },
	{ "Kernel features", "tracepoint", tried, "tracepoint" },
	{ "Kernel features", "perf_event", tried, "perf_event" },
	{ "Kernel features", "fentry", tried, "fentry" },
	{ "Kernel features", "kprobe", exists, "/sys/bus/event_source/devices/kprobe" },
	{ "Kernel features", "uprobe", exists, "/sys/bus/event_source/devices/uprobe" },
	{ "Kernel helpers", "bpf_loop", tried, "bpf_loop" },
	{ "Kernel helpers", "probe_read_kernel", tried, "probe_read_kernel" },
	{ "Kernel helpers", "ktime_get_boot_ns", tried, "ktime_get_boot_ns" },
	{ "Kernel helpers", "get_current_task_btf", tried, "get_current_task_btf" },
	{ "Kernel helpers", "for_each_map_elem", tried, "for_each_map_elem" },
	{ "Kernel helpers", "map_lookup_percpu_elem", tried, "map_lookup_percpu_elem" },
	{ "HTTP", "tap", tap, NULL },
	{ "HTTP", "sock_recv_length", here, "tp_btf:sock_recv_length" },
	{ "HTTP", "sock_send_length", here, "tp_btf:sock_send_length" },
	{ "HTTP", "inet_sock_set_state", here, "tp_btf:inet_sock_set_state" },
	{ "HTTP", "tcp_sendmsg_locked", here, "tp_btf:tcp_sendmsg_locked" },
	{ "HTTP", "unix iterator", here, "iter:unix" },
};

static const char *usable(struct info *i, const struct at_provider *p)
{
	const char *feature = p->feature;

	if (feature && at_feature_find(feature) >= 0 && !i->may_load)
		return unknown;
	if (!feature || at_host_has(i->s->host, feature))
		return "yes";
	return at_sprintf(i->s->arena, "no, needs %s", p->needs);
}

static void probe_types(struct info *i)
{
	i->section = "Probe types";
	for (const struct at_provider *const *p = i->s->lang->providers; *p; p++)
		if ((*p)->plan)
			say(i, (*p)->name, usable(i, *p));
}

/* ---- A script ---- */

static void programs(struct info *i, const struct at_plan *p)
{
	i->section = "Programs";
	for (size_t k = 0; k < p->progs.n; k++) {
		const struct at_plan_prog *g = &p->progs.v[k];

		say(i, g->name,
		    at_sprintf(i->s->arena, "%s%s%s%s%s", g->probe, g->target ? " at " : "",
			       g->target ? g->target : "", g->alternative ? ", tap " : "",
			       g->alternative ? g->alternative : ""));
	}
}

static const char *bytes_text(struct info *i, uint64_t n)
{
	return n < 10240 ? at_sprintf(i->s->arena, "%llu bytes", (unsigned long long)n)
			 : at_sprintf(i->s->arena, "%llu KiB", (unsigned long long)n >> 10);
}

static const char *map_text(struct info *i, const struct at_plan_map *m, uint64_t bytes)
{
	const char *kind = at_map_kind_text(m->kind);

	if (m->alternative)
		kind = at_sprintf(i->s->arena, "%s of tap %s", kind, m->alternative);
	if (m->kind == AT_MAP_SK_STORAGE)
		return at_sprintf(i->s->arena, "%s, %u bytes for each socket", kind,
				  m->value_size);
	if (m->kind == AT_MAP_RINGBUF)
		return at_sprintf(i->s->arena, "%s, %s", kind, bytes_text(i, bytes));
	return at_sprintf(i->s->arena, "%s, %u entries of %u bytes, %s", kind, m->max_entries,
			  m->key_size + m->value_size, bytes_text(i, bytes));
}

/* Only one set of programs has its maps made: the tap that is chosen, or the script's only one.
 */
static bool is_made(const struct at_plan *p, const struct at_plan_map *m, const char *tap)
{
	bool any = false;

	for (size_t k = 0; k < p->maps.n; k++)
		any |= p->maps.v[k].alternative && !strcmp(p->maps.v[k].alternative, tap);
	return !m->alternative || !any || !strcmp(m->alternative, tap);
}

static void maps(struct info *i, const struct at_plan *p)
{
	unsigned ncpus = at_host_ncpus_possible(i->s->host);
	const char *taken = tap(i, NULL);
	uint64_t sum = 0;

	i->section = "Maps";
	for (size_t k = 0; k < p->maps.n; k++) {
		const struct at_plan_map *m = &p->maps.v[k];
		uint64_t bytes = at_map_bytes(p, m, ncpus);

		sum += is_made(p, m, taken) ? bytes : 0;
		say(i, m->name, map_text(i, m, bytes));
	}
	say(i, "all",
	    at_sprintf(i->s->arena, "%s of %s (max_map_memory)", bytes_text(i, sum),
		       bytes_text(i, p->config.max_map_memory)));
}

/* "N heads were cut" */
static const char *sentence(struct info *i, const char *brief)
{
	const char *number = strstr(brief, "%llu");

	return number ? at_sprintf(i->s->arena, "%.*sN%s", (int)(number - brief), brief,
				   number + 4)
		      : brief;
}

static void counters(struct info *i, const struct at_plan *p)
{
	i->section = "Counters";
	for (size_t k = 0; k < p->counters.n; k++) {
		const struct at_plan_counter *c = &p->counters.v[k];

		say(i,
		    c->map < 0
			    ? c->name
			    : at_sprintf(i->s->arena, "%s %s", c->name, p->maps.v[c->map].name),
		    sentence(i, c->brief ? c->brief : ""));
	}
}

int at_session_info(struct at_session *s,
		    int (*each)(void *arg, const char *section, const char *name,
				const char *value),
		    void *arg)
{
	struct info i = { .s = s, .each = each, .arg = arg };

	i.may_load = !at_privilege_missing(s->arena, "load BPF programs");
	for (size_t k = 0; k < at_count(rows); k++) {
		i.section = rows[k].section;
		say(&i, rows[k].name, rows[k].value(&i, rows[k].arg));
	}
	probe_types(&i);
	if (s->elf) {
		programs(&i, s->plan);
		maps(&i, s->plan);
		counters(&i, s->plan);
	}
	return i.stop;
}
