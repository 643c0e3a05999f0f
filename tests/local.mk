# SPDX-License-Identifier: Apache-2.0
#
# TESTS are the suites of `make check`, which needs no privilege; RUNTIME_TESTS, named NAME.test,
# those of `make check-runtime`, which needs root and traces this kernel. All of them print TAP;
# automake's driver counts it.
TEST_EXTENSIONS = .test
TAP = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh --merge
LOG_DRIVER = $(TAP)
TEST_LOG_DRIVER = $(TAP)
AM_TESTS_ENVIRONMENT = \
	APITRACE='$(abs_top_builddir)/apitrace'; export APITRACE; \
	APITRACE_PLUGIN='$(abs_top_builddir)/.libs/libapitrace-llvm.so'; export APITRACE_PLUGIN; \
	APITRACE_SCRIPTS='$(abs_top_srcdir)/scripts'; export APITRACE_SCRIPTS; \
	AT_FIXTURE_HOST='$(abs_top_srcdir)/tests/fixtures/host'; export AT_FIXTURE_HOST; \
	CRITERION_ENABLE_TAP=1; export CRITERION_ENABLE_TAP; \
	srcdir='$(abs_top_srcdir)'; builddir='$(abs_top_builddir)'; export srcdir builddir; \
	$(SANITIZER_ENVIRONMENT)

check-runtime: all $(check_PROGRAMS)
	@$(MAKE) $(AM_MAKEFLAGS) -j1 check-TESTS TESTS='$(RUNTIME_TESTS)' \
		TEST_SUITE_LOG=runtime-suite.log
count-runtime:
	@set -- $(RUNTIME_TESTS); echo $$#
.PHONY: check-runtime count-runtime
CLEANFILES += runtime-suite.log
EXTRA_PROGRAMS = tests/record-host
tests_record_host_SOURCES = tests/record-host.c
tests_record_host_LDADD = libat.la
EXTRA_DIST += tests/fixtures/host tests/fixtures/host.list scripts/dev/record-host

# With sanitizers: that they find what is planted.
if SANITIZED
SANITIZER_ENVIRONMENT = SANITIZE='$(SANITIZE)'; export SANITIZE; \
	ASAN_OPTIONS=strict_string_checks=1:detect_stack_use_after_return=1; export ASAN_OPTIONS; \
	UBSAN_OPTIONS=print_stacktrace=1; export UBSAN_OPTIONS;
TESTS += tests/sanitizers.test
endif
EXTRA_DIST += tests/sanitizers.test

# Rooms and globals, see ARCHITECTURE.md.
TESTS += tests/rooms.test
EXTRA_DIST += tests/rooms.test

# Text cases and their runner.
check_PROGRAMS += tests/case-runner
tests_case_runner_SOURCES = tests/case-runner.c tests/case-file.c tests/case-match.c tests/case-run.c \
	tests/case-cover.c tests/case-cover.h tests/case.h
tests_case_runner_LDADD = libat.la
CASES = $(top_srcdir)/tests/cases/*.case
EXTRA_DIST += tests/cases
TESTS += tests/cases.test
EXTRA_DIST += tests/cases.test
update-cases: tests/case-runner
	@$(AM_TESTS_ENVIRONMENT) $(builddir)/tests/case-runner --update $(CASES)
.PHONY: update-cases

# The command looking inside: listings, stages; needs no privilege.
TESTS += tests/look.test
EXTRA_DIST += tests/look.test

# Units of lib/run.
if HAVE_CRITERION
check_PROGRAMS += tests/unit/run
TESTS += tests/unit/run
tests_unit_run_SOURCES = tests/unit/run-value.c tests/unit/run-out.c
tests_unit_run_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS) \
	-DFIXTURE_HOST='"$(abs_top_srcdir)/tests/fixtures/host"'
tests_unit_run_LDADD = libat.la $(CRITERION_LIBS)
endif

# The code generator, through the built plugin; what it makes is run when root.
check_PROGRAMS += tests/codegen-test
TESTS += tests/codegen-test
tests_codegen_test_SOURCES = tests/codegen/harness.h tests/codegen/main.c tests/codegen/arith.c \
	tests/codegen/memory.c tests/codegen/control.c tests/codegen/whole.c tests/codegen/kinds.c
tests_codegen_test_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_PLUGIN='"$(abs_top_builddir)/.libs/libapitrace-llvm.so"'
tests_codegen_test_LDADD = libat.la -ldl -lpthread
EXTRA_tests_codegen_test_DEPENDENCIES = libapitrace-llvm.la

# http probes on nginx, curl and wrk; needs root.
RUNTIME_TESTS += tests/runtime/http.test
EXTRA_DIST += tests/fixtures/server.js
EXTRA_DIST += tests/runtime

# lib/run on the running kernel; needs root.
check_PROGRAMS += tests/run.test
RUNTIME_TESTS += tests/run.test
tests_run_test_SOURCES = tests/run-test.c
tests_run_test_LDADD = libat.la

# The plan and core IR.
if HAVE_CRITERION
check_PROGRAMS += tests/unit/plan
TESTS += tests/unit/plan
tests_unit_plan_SOURCES = tests/unit/plan.c
tests_unit_plan_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS)
tests_unit_plan_LDADD = libat.la $(CRITERION_LIBS)
endif

# What scripts compute, in the kernel (root).
check_PROGRAMS += tests/lower.test
RUNTIME_TESTS += tests/lower.test
tests_lower_test_SOURCES = tests/lower-test.c
tests_lower_test_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_PLUGIN='"$(abs_top_builddir)/.libs/libapitrace-llvm.so"'
tests_lower_test_LDADD = libat.la
EXTRA_tests_lower_test_DEPENDENCIES = libapitrace-llvm.la

# Types.
if HAVE_CRITERION
check_PROGRAMS += tests/unit/type
TESTS += tests/unit/type
tests_unit_type_SOURCES = tests/unit/type.c
tests_unit_type_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS)
tests_unit_type_LDADD = libat.la $(CRITERION_LIBS)
endif

# Units of lib/base.
if HAVE_CRITERION
check_PROGRAMS += tests/unit/base
TESTS += tests/unit/base
tests_unit_base_SOURCES = tests/unit/base.c
tests_unit_base_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS)
tests_unit_base_LDADD = libat.la $(CRITERION_LIBS)
endif

# The command line.
TESTS += tests/options.test
EXTRA_DIST += tests/options.test

# What is installed.
TESTS += tests/install.test
EXTRA_DIST += tests/install.test

# The manuals and their examples.
TESTS += tests/manual.test tests/counters.test
RUNTIME_TESTS += tests/examples.test
EXTRA_DIST += tests/manual.test tests/counters.test tests/examples.test tests/examples.sh

# The compiler with a language of the test.
check_PROGRAMS += tests/lang-test
TESTS += tests/lang-test
tests_lang_test_SOURCES = tests/lang-test.c
tests_lang_test_LDADD = libat.la

# The public interface through the shared library; what loads programs is skipped without root.
check_PROGRAMS += tests/api-test
TESTS += tests/api-test
tests_api_test_SOURCES = tests/api-test.c
tests_api_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/lib
tests_api_test_LDADD = libapitrace.la
# The header, the version map and the library's manual against each other, and its programs built
# against an install; one of them is run, which needs root.
TESTS += tests/header.test
RUNTIME_TESTS += tests/embed.test
EXTRA_DIST += tests/header.test tests/embed.test tests/embed.sh
# Scripts that come and go; needs root.
check_PROGRAMS += tests/scripts.test
RUNTIME_TESTS += tests/scripts.test
tests_scripts_test_SOURCES = tests/scripts-test.c
tests_scripts_test_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/lib
tests_scripts_test_LDADD = libapitrace.la -lpthread

# The same with memory running out.
check_PROGRAMS += tests/oom-test
TESTS += tests/oom-test
tests_oom_test_SOURCES = tests/oom-test.c
tests_oom_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc \
	-Wl,--wrap=strdup,--wrap=mmap,--wrap=vasprintf
tests_oom_test_LDADD = libat.la

# Units of lib/builtin and lib/probe.
if HAVE_CRITERION
check_PROGRAMS += tests/unit/builtin
TESTS += tests/unit/builtin
tests_unit_builtin_SOURCES = tests/unit/builtin.c
tests_unit_builtin_CPPFLAGS = $(AM_CPPFLAGS) $(CRITERION_CFLAGS) \
	-DFIXTURE_HOST='"$(abs_top_srcdir)/tests/fixtures/host"'
tests_unit_builtin_LDADD = libat.la $(CRITERION_LIBS)
endif

# The header-probe engine on sockets of the test (root).
check_PROGRAMS += tests/http-engine.test
RUNTIME_TESTS += tests/http-engine.test
tests_http_engine_test_SOURCES = tests/http-engine-test.c
tests_http_engine_test_LDADD = libapitrace.la

# The demo traffic against its ledger; needs root.
RUNTIME_TESTS += tests/ledger.test tests/cli.test tests/json.test
EXTRA_DIST += tests/ledger.test tests/cli.test tests/json.test

# Not tests: figures, most of them beside bpftrace.
EXTRA_PROGRAMS += tests/bench/start tests/bench/load tests/bench/nginx
BENCH = tests/bench/bench.c tests/bench/bench.h
tests_bench_start_SOURCES = tests/bench/start.c $(BENCH)
tests_bench_load_SOURCES = tests/bench/load.c $(BENCH)
tests_bench_nginx_SOURCES = tests/bench/nginx.c $(BENCH)
# The walker alone, repeated in the kernel.
EXTRA_PROGRAMS += tests/bench/walker
tests_bench_walker_SOURCES = tests/bench/walker.c $(BENCH)
tests_bench_walker_CPPFLAGS = $(AM_CPPFLAGS) \
	-DTEST_PLUGIN='"$(abs_top_builddir)/.libs/libapitrace-llvm.so"'
tests_bench_walker_LDADD = libat.la -ldl
bench-walker: all
	@BUILD='$(abs_top_builddir)' $(top_srcdir)/scripts/dev/bench walker
.PHONY: bench-walker
bench: all
	@BUILD='$(abs_top_builddir)' $(top_srcdir)/scripts/dev/bench
.PHONY: bench
EXTRA_DIST += scripts/dev/bench

# Not a test of every day: the front end with any input.
EXTRA_PROGRAMS += tests/fuzz/compile
tests_fuzz_compile_SOURCES = tests/fuzz/compile.c
tests_fuzz_compile_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_compile_LDADD = libat.la
check-fuzz:
	@$(top_srcdir)/scripts/dev/check-fuzz '$(abs_top_builddir)'
.PHONY: check-fuzz
EXTRA_DIST += tests/fuzz/script.dict scripts/dev/check-fuzz

# Other kernels, in an emulated machine (qemu, a kernel package); not part of the daily check.
check-vm: all $(check_PROGRAMS)
	@$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/vm.test TEST_SUITE_LOG=vm-suite.log
.PHONY: check-vm
CLEANFILES += vm-suite.log
EXTRA_DIST += tests/vm.test tests/vm/inside tests/vm/with-tap scripts/dev/vm-run
