# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/builtin/builtin.h lib/builtin/event.c lib/builtin/agg.c \
	lib/builtin/agg_hist.c lib/builtin/agg_minmax.c lib/builtin/agg_quantile.c \
	lib/builtin/agg_ratio.c lib/builtin/agg_sum.c lib/builtin/buckets.c lib/builtin/clear.c \
	lib/builtin/delete.c lib/builtin/exit.c lib/builtin/len.c lib/builtin/print.c \
	lib/builtin/printf.c lib/builtin/starts_with.c lib/builtin/str.c lib/builtin/strftime.c lib/builtin/time.c \
	lib/builtin/var_arg.c lib/builtin/var_comm.c lib/builtin/var_probe.c lib/builtin/var_task.c \
	lib/builtin/var_time.c
