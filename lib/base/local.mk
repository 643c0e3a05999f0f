libat_la_SOURCES += lib/base/arena.c lib/base/arena.h lib/base/vec.h lib/base/diag.c lib/base/diag.h \
	lib/base/diag.def
libat_la_SOURCES += lib/base/closest.c lib/base/closest.h
