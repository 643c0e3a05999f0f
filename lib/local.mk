# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/lang.c lib/session.c lib/session.h lib/api.c lib/script.c lib/bind.c lib/values.c lib/diags.c lib/handle.h lib/typed.c lib/typed.h lib/apitrace.h \
	lib/dump.c lib/info.c lib/list.c lib/look.h

lib_LTLIBRARIES += libapitrace.la
libapitrace_la_SOURCES =
libapitrace_la_LIBADD = libat.la
libapitrace_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-Wl,--version-script=$(top_srcdir)/lib/libapitrace.map
EXTRA_libapitrace_la_DEPENDENCIES = lib/libapitrace.map
EXTRA_DIST += lib/libapitrace.map
include_HEADERS += lib/apitrace.h

pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = lib/libapitrace.pc
