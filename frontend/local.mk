# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += frontend/ir.c frontend/ir.h frontend/ir.def frontend/plan.c frontend/plan.h
# Types, check, lowering.
libat_la_SOURCES += frontend/type.c frontend/type.h frontend/check.c frontend/check.h \
	frontend/check_int.h frontend/check_expr.c frontend/check_call.c frontend/check_map.c \
	frontend/check_stmt.c frontend/scope.c frontend/fold.c frontend/expand.c frontend/config.c
