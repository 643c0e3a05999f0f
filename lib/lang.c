/* SPDX-License-Identifier: Apache-2.0 */
/* The language: which functions, probe providers and settings there are. */
#include "lib/builtin/builtin.h"
#include "lib/http/http.h"
#include "lib/probe/btftype.h"
#include "lib/probe/probe.h"

static const struct at_func *const funcs[] = {
	/* variables */
	&at_var_pid, &at_var_tid, &at_var_uid, &at_var_gid, &at_var_comm, &at_var_cpu,
	&at_var_cgroup, &at_var_rand, &at_var_ncpus, &at_var_nsecs, &at_var_elapsed,
	&at_var_probe, &at_var_curtask,
	&at_vars_arg[0], &at_vars_arg[1], &at_vars_arg[2], &at_vars_arg[3], &at_vars_arg[4],
	&at_vars_arg[5], &at_vars_arg[6], &at_vars_arg[7], &at_vars_arg[8], &at_vars_arg[9],
	/* output and control */
	&at_func_printf, &at_func_print, &at_func_time, &at_func_exit,
	/* maps */
	&at_func_clear, &at_func_zero, &at_func_delete, &at_func_has_key,
	/* strings */
	&at_func_str, &at_func_len, &at_func_strlen, &at_func_starts_with,
	&at_func_strftime,
	/* aggregations */
	&at_func_count, &at_func_sum, &at_func_min, &at_func_max, &at_func_avg, &at_func_stats,
	&at_func_hist, &at_func_lhist, &at_func_quantile, &at_func_ratio,
	/* http probes; route() works on any string */
	&at_func_header, &at_func_request_header, &at_func_response_header, &at_func_has_header,
	&at_func_route,
	NULL,
};

static const struct at_provider *const providers[] = {
	&at_provider_begin, &at_provider_end, &at_provider_interval, &at_provider_profile,
	&at_provider_tracepoint, &at_provider_rawtracepoint, &at_provider_http, &at_provider_https,
	NULL,
};

/* In the order of enum at_missing. */
static const char *const missing[] = { "error", "warn", "ignore", NULL };
/* Those with which the kernel lets a program use every helper (license_is_gpl_compatible). */
static const char *const licenses[] = { "GPL", "GPL v2", "GPL and additional rights",
					"Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL", NULL };

static const struct at_config_key config[] = {
	{ "max_map_keys", AT_CONFIG_UINT, 1, 1 << 24, 4096, "most entries of a map" },
	{ "max_map_memory", AT_CONFIG_UINT, 1 << 16, INT64_MAX, 1ull << 30,
	  "bytes that all maps together may take" },
	{ "max_strlen", AT_CONFIG_UINT, 16, 1024, 1024, "bytes of a string, its end included" },
	{ "perf_rb_pages", AT_CONFIG_UINT, 0, 1 << 18, 0,
	  "pages (of 4096 bytes) of the ring of events; 0: 1 MiB" },
	{ "print_maps_on_exit", AT_CONFIG_BOOL, 0, 1, 1, "show all maps at the end" },
	{ "http_value_len", AT_CONFIG_UINT, 16, 1024, 128,
	  "bytes kept of header(), query() and cookie() values" },
	{ "http_pipeline", AT_CONFIG_UINT, 1, 64, 16,
	  "open requests of a connection that are kept" },
	{ "http_tap", AT_CONFIG_WORD, 0, 0, 0,
	  "how http probes see bytes; auto: the first that works", at_http_taps },
	{ "redact", AT_CONFIG_STRING, 0, 0, 0,
	  "names of more header fields whose values are secret, comma separated" },
	{ "missing_probes", AT_CONFIG_WORD, 0, 0, 0,
	  "a probe that is not there or cannot be attached: error, warn or ignore", missing },
	{ "license", AT_CONFIG_WORD, 0, 0, 0, "license of the programs", licenses },
	{ 0 },
};

const struct at_lang at_lang = { providers, funcs, config, at_kernel_struct };
