/* SPDX-License-Identifier: Apache-2.0 */
/* Sinks over made-up rows; BTF, ELF and link on good and bad input. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/run/btf.h"
#include "lib/run/event.h"
#include "lib/run/link.h"

static void collect(void *arg, const char *s, size_t n)
{
	at_buf_put(arg, s, n);
}

/* What a sink writes for these rows. */
static void expect_map(const struct at_sink *sink, struct at_rows rows, unsigned top, unsigned div,
		       const char *want)
{
	struct at_buf b = { 0 };
	struct at_render r = { .sink = sink, .write = collect, .arg = &b };

	sink->map(&r, &rows, top, div);
	cr_expect_str_eq(b.s ? b.s : "", want);
	at_buf_free(&b);
}

static struct at_view number(int64_t v)
{
	return (struct at_view){ .kind = AT_VIEW_NUMBER, .type = &at_type_int64, .number = v };
}

Test(sink, scalars_and_keys)
{
	const struct at_plan_map scalar = { .name = "@n" };
	const struct at_plan_map keyed = { .name = "@k", .key = &at_type_uint64 };
	uint64_t keys[] = { 7, 9 };
	struct at_row one = { .view = number(42) };
	struct at_row two[] = { { &keys[0], number(10) }, { &keys[1], number(30) } };

	expect_map(&at_sink_text, (struct at_rows){ &scalar, &one, 1, NULL }, 0, 0, "@n: 42\n");
	expect_map(&at_sink_json, (struct at_rows){ &scalar, &one, 1, NULL }, 0, 0,
		   "{\"type\": \"map\", \"data\": {\"@n\": 42}}\n");
	expect_map(&at_sink_text, (struct at_rows){ &keyed, two, 2, NULL }, 0, 0,
		   "@k[7]: 10\n@k[9]: 30\n");
	expect_map(&at_sink_text, (struct at_rows){ &keyed, two, 2, NULL }, 1, 10, "@k[9]: 3\n");
	expect_map(&at_sink_json, (struct at_rows){ &keyed, two, 2, NULL }, 0, 0,
		   "{\"type\": \"map\", \"data\": {\"@k\": {\"7\": 10, \"9\": 30}}}\n");
	expect_map(&at_sink_json, (struct at_rows){ &keyed, two, 0, NULL }, 0, 0, "");
	expect_map(&at_sink_text, (struct at_rows){ &keyed, two, 0, NULL }, 0, 0, "");
}

Test(sink, histograms)
{
	const struct at_plan_map m = { .name = "@h" };
	struct at_bucket k[] = {
		{ .max = -1, .open_low = true, .count = 0 }, { .min = 0, .max = 0, .count = 1 },
		{ .min = 1, .max = 1, .count = 0 },	     { .min = 2, .max = 3, .count = 2 },
		{ .min = 1024, .max = 2047, .count = 4 },    { .min = 2048, .max = 4095, .count = 0 },
	};
	struct at_row row = { .view = { .kind = AT_VIEW_HISTOGRAM, .type = &at_type_int64,
					.buckets = k, .nbuckets = at_count(k) } };
	struct at_rows rows = { &m, &row, 1, NULL };

	expect_map(&at_sink_text, rows, 0, 0,
		   "@h:\n"
		   "[0]                    1 |@@@@@@@@@@@@@                                       |\n"
		   "[1]                    0 |                                                    |\n"
		   "[2, 4)                 2 |@@@@@@@@@@@@@@@@@@@@@@@@@@                          |\n"
		   "[1K, 2K)               4 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|\n"
		   "\n");
	expect_map(&at_sink_json, rows, 0, 0,
		   "{\"type\": \"hist\", \"data\": {\"@h\": [{\"min\": 0, \"max\": 0, \"count\": 1}, "
		   "{\"min\": 1, \"max\": 1, \"count\": 0}, {\"min\": 2, \"max\": 3, \"count\": 2}, "
		   "{\"min\": 1024, \"max\": 2047, \"count\": 4}]}}\n");
}

Test(sink, open_ends_and_plain_linear_labels)
{
	const struct at_plan_map m = { .name = "@l" };
	struct at_bucket k[] = {
		{ .max = 999, .open_low = true, .count = 1 },
		{ .min = 1000, .max = 1023, .count = 1 },
		{ .min = 1024, .open_high = true, .count = 1 },
	};
	struct at_row row = { .view = { .kind = AT_VIEW_HISTOGRAM, .type = &at_type_int64,
					.buckets = k, .nbuckets = at_count(k), .lhist = true } };
	struct at_buf b = { 0 };
	struct at_render r = { .sink = &at_sink_text, .write = collect, .arg = &b };

	at_sink_text.map(&r, &(struct at_rows){ &m, &row, 1, NULL }, 0, 0);
	cr_expect(strstr(b.s, "(..., 1000)  "));
	cr_expect(strstr(b.s, "[1000, 1024)  "));
	cr_expect(strstr(b.s, "[1024, ...)  "));
	at_buf_free(&b);
	expect_map(&at_sink_json, (struct at_rows){ &m, &row, 1, NULL }, 0, 0,
		   "{\"type\": \"hist\", \"data\": {\"@l\": [{\"max\": 999, \"count\": 1}, "
		   "{\"min\": 1000, \"max\": 1023, \"count\": 1}, {\"min\": 1024, \"count\": 1}]}}\n");
}

Test(sink, quantiles_tables_shares)
{
	const struct at_plan_map m = { .name = "@q" };
	struct at_row q = { .view = { .kind = AT_VIEW_QUANTILES, .type = &at_type_ns, .total = 3,
				      .ncells = 3, .cells = { { "count", 3 }, { "p50", 1500 },
							      { "max", 2500000 } } } };
	struct at_row t = { .view = { .kind = AT_VIEW_TABLE, .type = &at_type_int64, .ncells = 2,
				      .cells = { { "count", 2 }, { "average", -4 } } } };
	struct at_row s = { .view = { .kind = AT_VIEW_SHARE, .hits = 3, .total = 120 } };
	struct at_row none = { .view = { .kind = AT_VIEW_SHARE } };

	expect_map(&at_sink_text, (struct at_rows){ &m, &q, 1, NULL }, 0, 0,
		   "@q: count 3, p50 1.50us, max 2.50ms\n");
	expect_map(&at_sink_json, (struct at_rows){ &m, &q, 1, NULL }, 0, 0,
		   "{\"type\": \"quantiles\", \"data\": {\"@q\": {\"count\": 3, \"p50\": 1500, "
		   "\"max\": 2500000}}}\n");
	expect_map(&at_sink_text, (struct at_rows){ &m, &t, 1, NULL }, 0, 0,
		   "@q: { .count = 2, .average = -4 }\n");
	expect_map(&at_sink_json, (struct at_rows){ &m, &t, 1, NULL }, 0, 0,
		   "{\"type\": \"stats\", \"data\": {\"@q\": {\"count\": 2, \"average\": -4}}}\n");
	expect_map(&at_sink_text, (struct at_rows){ &m, &s, 1, NULL }, 0, 0,
		   "@q: 2.50 %  3 / 120\n");
	expect_map(&at_sink_json, (struct at_rows){ &m, &s, 1, NULL }, 0, 0,
		   "{\"type\": \"share\", \"data\": {\"@q\": {\"hits\": 3, \"total\": 120}}}\n");
	expect_map(&at_sink_text, (struct at_rows){ &m, &none, 1, NULL }, 0, 0,
		   "@q: 0.00 %  0 / 0\n");
}

/* An event is delivered once, with its text where there is one. */
static void count_event(void *arg, const struct at_plan_event *e, const void *payload,
			const char *text, size_t len)
{
	int *n = arg;

	*n += text && len == strlen(text) ? 100 : 1;
}

Test(sink, events_are_delivered_once)
{
	const struct at_plan_event e = { .func = "printf" };
	struct at_buf b = { 0 };
	int n = 0;
	struct at_render r = { .sink = &at_sink_json, .write = collect, .arg = &b, .event = &e,
			       .on_event = count_event, .on_event_arg = &n };

	at_sink_json.text(&r, "printf", "a\n", 2);
	at_render_deliver(&r, NULL, 0);
	cr_expect_eq(n, 100);
	cr_expect_str_eq(b.s, "{\"type\": \"printf\", \"data\": \"a\\n\"}\n");
	at_buf_free(&b);
}

/* ---- BTF ---- */

Test(btf, offsets_of_the_recorded_host)
{
	struct at_host *h = at_host_recorded(FIXTURE_HOST);
	unsigned whole, common, port;

	cr_assert_eq(at_host_btf_offset(h, "inet_sock.sk.__sk_common.skc_dport", &whole), 0);
	cr_expect_eq(at_host_btf_offset(h, "sock.__sk_common.skc_dport", &common), 0);
	cr_expect_eq(at_host_btf_offset(h, "sock_common.skc_dport", &port), 0);
	cr_expect_eq(whole, common);
	cr_expect_eq(common, port);
	cr_expect_eq(at_host_btf_offset(h, "sock.nothing", &port), -ENOENT);
	cr_expect_eq(at_host_btf_offset(h, "nothing.sk", &port), -ENOENT);
	cr_expect_eq(at_host_btf_offset(h, "sock", &port), -ENOENT);
	cr_expect(at_host_has(h, "tp_btf:sock_recv_length"));
	cr_expect(!at_host_has(h, "tp_btf:sock_recv_lengt"));
	cr_expect(at_host_has(h, "may_goto"));
	cr_expect(!at_host_has(h, "may"));
	at_host_free(h);
}

Test(host, recorded_formats)
{
	struct at_host *h = at_host_recorded(FIXTURE_HOST);
	char *s = at_host_tracepoint_format(h, "syscalls", "sys_enter_openat");

	cr_assert(s);
	cr_expect(strstr(s, "filename"));
	free(s);
	cr_expect(at_host_tracepoint_id(h, "syscalls", "sys_enter_openat") > 0);
	cr_expect_null(at_host_tracepoint_format(h, "syscalls", "sys_enter_nothing"));
	cr_expect_null(at_host_tracepoint_format(h, "..", "events"));
	cr_expect_null(at_host_tracepoint_format(h, "syscalls", "../../features"));
	cr_expect_eq(errno, ENOENT);
	at_host_free(h);
}

static char *read_fixture(size_t *n)
{
	static char buf[1 << 18];
	int fd = open(FIXTURE_HOST "/vmlinux.btf", O_RDONLY);

	cr_assert(fd >= 0);
	*n = read(fd, buf, sizeof(buf));
	close(fd);
	return buf;
}

/* Cut anywhere, BTF is refused or read within its bounds. */
Test(btf, cut_files_are_refused)
{
	char path[] = "/tmp/apitrace-btf-XXXXXX";
	size_t n;
	char *data = read_fixture(&n);
	int fd = mkstemp(path), refused = 0;

	cr_assert(fd >= 0);
	for (size_t cut = 0; cut < n; cut += 977) {
		struct at_btf b = { 0 };

		cr_assert_eq(ftruncate(fd, 0), 0);
		cr_assert_eq(pwrite(fd, data, cut, 0), (ssize_t)cut);
		refused += at_btf_open(&b, AT_FDCWD, path) < 0;
		at_btf_close(&b);
	}
	cr_expect_eq(refused, (int)((n + 976) / 977));
	close(fd);
	unlink(path);
}

Test(elf, garbage_is_refused)
{
	static unsigned char junk[4096];
	struct at_elf e;

	cr_expect_eq(at_elf_open(&e, junk, 0), -EINVAL);
	cr_expect_eq(at_elf_open(&e, junk, sizeof(junk)), -EINVAL);
	memcpy(junk, ELFMAG, SELFMAG);
	junk[EI_CLASS] = ELFCLASS64;
	for (int seed = 0; seed < 2000; seed++) {
		Elf64_Ehdr *h = (void *)junk;

		srand(seed);
		for (size_t i = sizeof(*h); i < sizeof(junk); i++)
			junk[i] = rand() % 7 ? 0 : rand();
		h->e_machine = EM_BPF;
		h->e_shentsize = sizeof(Elf64_Shdr);
		h->e_shoff = 64 + rand() % 512 * 8;
		h->e_shnum = rand() % 20;
		h->e_shstrndx = rand() % 20;
		if (!at_elf_open(&e, junk, sizeof(junk)))
			at_elf_close(&e);
	}
}
