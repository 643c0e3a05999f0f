# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/http/capture.c lib/http/fields.c lib/http/fn_header.c lib/http/fn_route.c lib/http/http.h \
	lib/http/provider.c

# The engine.
libat_la_SOURCES += lib/http/admit.c lib/http/body.c lib/http/close.c lib/http/early.c lib/http/engine.c lib/http/exchange.c lib/http/field.c lib/http/layout.h lib/http/swar.h \
	lib/http/line.c lib/http/messages.c lib/http/name.c lib/http/pipeline.c lib/http/sock.c lib/http/sock.h lib/http/swar.c lib/http/regs.c lib/http/tap.c lib/http/tap_socktp.c lib/http/tap_syscall.c lib/http/text.c lib/http/usual.c lib/http/usual.h lib/http/usual_field.c lib/http/walker.c \
	lib/http/window.c
