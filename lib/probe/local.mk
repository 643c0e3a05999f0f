# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/probe/probe.h lib/probe/plan.c lib/probe/begin.c lib/probe/timer.c \
	lib/probe/btftype.c lib/probe/btftype.h lib/probe/rawtracepoint.c \
	lib/probe/tpformat.h lib/probe/tpformat.c lib/probe/tracepoint.c \
	lib/probe/syscall.c lib/probe/syscall.h lib/probe/syscall_x86_64.def
