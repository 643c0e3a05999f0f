# SPDX-License-Identifier: Apache-2.0
bin_PROGRAMS += apitrace
apitrace_SOURCES = cli/main.c cli/options.c cli/options.def cli/run.c cli/info.c cli/list.c cli/script.c cli/child.c cli/cli.h
apitrace_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/lib -DAT_SCRIPTS='"$(scriptdir)"'
apitrace_LDADD = libapitrace.la
