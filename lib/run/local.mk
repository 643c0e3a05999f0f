# SPDX-License-Identifier: Apache-2.0
libat_la_SOURCES += lib/run/btf.c lib/run/btf.h lib/run/host.c lib/run/host.h lib/run/load.h \
	lib/run/map.h lib/run/event.h lib/run/view.h
