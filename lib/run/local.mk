# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/run/attach.c lib/run/btf.c lib/run/btf.h lib/run/buf.c lib/run/elf.c \
	lib/run/event.c lib/run/event.h lib/run/feature.c lib/run/feature.h lib/run/format.c lib/run/host.c lib/run/host.h \
	lib/run/link.c lib/run/link.h lib/run/load.c lib/run/load.h lib/run/loader.h \
	lib/run/map.c lib/run/map.h lib/run/mapbtf.c lib/run/maps.c lib/run/out.c lib/run/out.h \
	lib/run/out_json.c lib/run/out_text.c lib/run/privilege.c lib/run/sets.c lib/run/time.c lib/run/value.c \
	lib/run/verifier.c lib/run/view.h
