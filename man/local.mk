# SPDX-License-Identifier: Apache-2.0
dist_man_MANS += man/apitrace.1 man/apitrace.5
# A page for each group of calls; those of one line lead to it.
dist_man_MANS += man/apitrace_add.3 man/apitrace_attach.3 man/apitrace_compile.3 \
	man/apitrace_consume.3 man/apitrace_counter_get.3 man/apitrace_diag_count.3 \
	man/apitrace_diag_get.3 man/apitrace_dump.3 man/apitrace_exiting.3 man/apitrace_fd.3 \
	man/apitrace_free.3 man/apitrace_info.3 man/apitrace_list.3 man/apitrace_list_args.3 \
	man/apitrace_load.3 man/apitrace_map_foreach.3 man/apitrace_map_get.3 man/apitrace_new.3 \
	man/apitrace_on_event.3 man/apitrace_poll.3 man/apitrace_probe_name.3 man/apitrace_probes.3 \
	man/apitrace_remove.3 man/apitrace_report.3 man/apitrace_script_at.3 \
	man/apitrace_script_exiting.3 man/apitrace_script_name.3 man/apitrace_script_report.3 \
	man/apitrace_script_stop.3 man/apitrace_set_pid.3 man/apitrace_stop.3 man/apitrace_version.3 \
	man/libapitrace.3

exampledir = $(docdir)/examples
dist_example_DATA = man/examples/embed-epoll.c
