# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += frontend/ir.c frontend/ir.h frontend/ir.def frontend/plan.c frontend/plan.h
# Types, check, lowering.
libat_la_SOURCES += frontend/type.c frontend/type.h
