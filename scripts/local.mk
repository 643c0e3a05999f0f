# SPDX-License-Identifier: Apache-2.0

# The demo traffic of `./bootstrap run`.
noinst_PROGRAMS += scripts/demo/apitrace-demo
scripts_demo_apitrace_demo_SOURCES = scripts/demo/main.c scripts/demo/demo.h scripts/demo/gateway.c \
	scripts/demo/clients.c scripts/demo/ledger.c scripts/demo/wire.c scripts/demo/wire.h
scripts_demo_apitrace_demo_LDADD = -lpthread
EXTRA_DIST += scripts/demo/run scripts/demo/compare

# What `apitrace NAME` finds.
dist_script_DATA += scripts/headerlog.bt scripts/apilatency.bt scripts/apierrors.bt \
	scripts/apivolume.bt scripts/apistats.bt

# For developers.
EXTRA_DIST += scripts/dev/check-rooms scripts/dev/check-globals scripts/dev/format scripts/dev/style \
	scripts/dev/check-matrix
format:
	@$(top_srcdir)/scripts/dev/format
style:
	@$(top_srcdir)/scripts/dev/style
# Every LLVM that Debian has; not part of `make check`.
check-matrix:
	@$(top_srcdir)/scripts/dev/check-matrix '$(abs_top_builddir)'
.PHONY: format style check-matrix
