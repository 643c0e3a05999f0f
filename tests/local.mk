# SPDX-License-Identifier: Apache-2.0

EXTRA_PROGRAMS = tests/record-host
tests_record_host_SOURCES = tests/record-host.c
tests_record_host_LDADD = libat.la
EXTRA_DIST += tests/fixtures/host tests/fixtures/host.list scripts/dev/record-host
