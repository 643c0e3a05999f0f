# SPDX-License-Identifier: Apache-2.0
# The plugin: nothing of it is visible but its three symbols, LLVM's least of all,
# so that a program that has an LLVM of its own can use the library.
pkglib_LTLIBRARIES += libapitrace-llvm.la
libapitrace_llvm_la_SOURCES = codegen/cg.h codegen/codegen.h codegen/codegen.c codegen/calls.c \
	codegen/func.c codegen/expr.c codegen/memory.c codegen/debug.c lib/base/arena.c
libapitrace_llvm_la_CPPFLAGS = $(AM_CPPFLAGS) $(LLVM_CPPFLAGS) \
	-DCG_LLVM='"LLVM $(LLVM_VERSION)"'
libapitrace_llvm_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -no-undefined \
	-Wl,--gc-sections,--exclude-libs,ALL,-Bsymbolic $(LLVM_LDFLAGS)
libapitrace_llvm_la_LIBADD = $(LLVM_LIBS) -lpthread

# It is opened by its name: what libtool would link against is not installed.
install-exec-hook:
	rm -f $(DESTDIR)$(pkglibdir)/libapitrace-llvm.la
uninstall-hook:
	rm -f $(DESTDIR)$(pkglibdir)/libapitrace-llvm.so
