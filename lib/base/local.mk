# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/base/arena.c lib/base/arena.h lib/base/vec.h lib/base/diag.c lib/base/diag.h \
	lib/base/diag.def
libat_la_SOURCES += lib/base/closest.c lib/base/closest.h
libat_la_SOURCES += lib/base/num.c lib/base/num.h lib/base/glob.c lib/base/glob.h
