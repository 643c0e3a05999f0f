# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += frontend/ir.c frontend/ir.h frontend/ir.def frontend/plan.c frontend/plan.h
