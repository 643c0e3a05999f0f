# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/http/capture.c lib/http/engine.c lib/http/fields.c lib/http/fn_header.c lib/http/fn_route.c lib/http/http.h \
	lib/http/provider.c
