/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine offers, looked at when first asked for and remembered. A
 * recorded host answers from a folder in place of the kernel. tracefs is used
 * where it is mounted; where it is not, an own mount of it that no one else
 * sees (fsopen) is.
 */
#include "lib/run/host.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/run/btf.h"
#include "lib/run/feature.h"

enum { MAX_CPUS = 4096 };

struct at_host {
	char *dir; /* of a recording, or NULL */
	struct at_btf btf;
	bool btf_opened;
	int btf_error;
	int tracefs; /* fd of its root; -1: not opened, else -errno - 1 */
	int possible;
	int *online;
	unsigned nonline;
	signed char known[AT_FEATURES]; /* by feature.c: 0 not asked, 1 yes, -1 no */
};

struct at_host *at_host_new(void)
{
	struct at_host *h = calloc(1, sizeof(*h));

	if (h)
		h->tracefs = -1;
	return h;
}

struct at_host *at_host_recorded(const char *dir)
{
	struct at_host *h = at_host_new();

	if (h && !(h->dir = strdup(dir))) {
		at_host_free(h);
		return NULL;
	}
	return h;
}

void at_host_free(struct at_host *h)
{
	if (!h)
		return;
	at_btf_close(&h->btf);
	if (h->tracefs >= 0)
		close(h->tracefs);
	free(h->online);
	free(h->dir);
	free(h);
}

/* Reads fd to its end into a growing buffer; 0 or -errno. */
static int read_all(int fd, char **text)
{
	size_t n = 0, cap = 4096;
	char *s = malloc(cap + 1), *more;
	ssize_t got;

	*text = s;
	if (!s)
		return -ENOMEM;
	while ((got = read(fd, s + n, cap - n)) > 0) {
		n += got;
		if (n < cap)
			continue;
		more = realloc(s, (cap *= 2) + 1);
		if (!more)
			return -ENOMEM;
		*text = s = more;
	}
	s[n] = 0;
	return got < 0 ? -errno : 0;
}

/* A small file as text, malloc'ed; NULL and errno. */
static char *read_text(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC), err;
	char *s;

	if (fd < 0)
		return NULL;
	err = read_all(fd, &s);
	close(fd);
	if (!err)
		return s;
	free(s);
	errno = -err;
	return NULL;
}

/* ---- BTF ---- */

const struct at_btf *at_host_btf(struct at_host *h)
{
	char path[4096] = "/sys/kernel/btf/vmlinux";

	if (h->dir)
		snprintf(path, sizeof(path), "%s/vmlinux.btf", h->dir);
	if (!h->btf_opened)
		h->btf_error = at_btf_open(&h->btf, AT_FDCWD, path);
	h->btf_opened = true;
	errno = -h->btf_error;
	return h->btf_error ? NULL : &h->btf;
}

int at_host_btf_offset(struct at_host *h, const char *path, unsigned *offset)
{
	const struct at_btf *b = at_host_btf(h);

	return b ? at_btf_offset(b, path, offset) : -ENOENT;
}

int at_host_btf_id(struct at_host *h, unsigned kind, const char *name)
{
	const struct at_btf *b = at_host_btf(h);

	return b ? at_btf_find(b, kind, name) : -ENOENT;
}

/* ---- Features ---- */

static int probe_feature(struct at_host *h, const char *feature)
{
	int i = at_feature_find(feature);

	if (i < 0)
		return -1;
	if (!h->known[i])
		h->known[i] = at_feature_probe(i) ? 1 : -1;
	return h->known[i] > 0;
}

/* Features that are names in BTF: "PREFIX:NAME". */
static const struct {
	const char *prefix, *name;
	unsigned kind;
} in_btf[] = {
	{ "tp_btf:", "btf_trace_", BTF_KIND_TYPEDEF },
	{ "func:", "", BTF_KIND_FUNC },
	{ "iter:", "bpf_iter_", BTF_KIND_FUNC },
	{ "struct:", "", BTF_KIND_STRUCT },
};

static int tracefs(struct at_host *h);

static int btf_feature(struct at_host *h, const char *feature)
{
	unsigned offset;
	char name[160];

	if (!strcmp(feature, "btf"))
		return at_host_btf(h) != NULL;
	if (!strcmp(feature, "tracefs"))
		return tracefs(h) >= 0;
	if (!strncmp(feature, "field:", 6))
		return at_host_btf_offset(h, feature + 6, &offset) == 0;
	for (size_t i = 0; i < sizeof(in_btf) / sizeof(in_btf[0]); i++) {
		size_t len = strlen(in_btf[i].prefix);

		if (strncmp(feature, in_btf[i].prefix, len))
			continue;
		snprintf(name, sizeof(name), "%s%s", in_btf[i].name, feature + len);
		return at_host_btf_id(h, in_btf[i].kind, name) > 0;
	}
	return -1;
}

/* A line "name 0|1" of DIR/features. */
static int recorded_feature(struct at_host *h, const char *feature)
{
	size_t len = strlen(feature);
	char path[4096], *text, *line, *save = NULL;
	int has = 0;

	snprintf(path, sizeof(path), "%s/features", h->dir);
	text = read_text(AT_FDCWD, path);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, feature, len) && line[len] == ' ')
			has = atoi(line + len + 1);
	free(text);
	return has;
}

bool at_host_has(struct at_host *h, const char *feature)
{
	int has = btf_feature(h, feature);

	if (has < 0)
		has = h->dir ? recorded_feature(h, feature) : probe_feature(h, feature);
	return has > 0;
}

/* ---- tracefs ---- */

/* Its own mount of tracefs, seen by nobody else; fd or -errno. */
static int mount_tracefs(void)
{
#ifdef SYS_fsopen
	int fs = syscall(SYS_fsopen, "tracefs", 1 /* FSOPEN_CLOEXEC */), fd;

	if (fs < 0)
		return -errno;
	fd = syscall(SYS_fsconfig, fs, 6 /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0);
	if (!fd)
		fd = syscall(SYS_fsmount, fs, 1 /* FSMOUNT_CLOEXEC */, 0);
	if (fd < 0)
		fd = -errno;
	close(fs);
	return fd;
#else
	return -ENOENT;
#endif
}

static int open_tracefs(const struct at_host *h)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	if (h->dir) {
		int fd = open(h->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return fd < 0 ? -errno : fd;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 && errno == EACCES)
			return -EACCES;
		if (fd >= 0 && !faccessat(fd, "events", F_OK, 0))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return mount_tracefs();
}

/* fd of the root, or -errno. */
static int tracefs(struct at_host *h)
{
	int fd;

	if (h->tracefs >= 0)
		return h->tracefs;
	if (h->tracefs < -1)
		return h->tracefs + 1;
	fd = open_tracefs(h);
	h->tracefs = fd < 0 ? fd - 1 : fd;
	return fd;
}

/* Names come from scripts: they must stay inside the folder. */
static bool plain_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/');
}

static char *event_file(struct at_host *h, const char *category, const char *event,
			const char *file)
{
	int fd = tracefs(h);
	char path[512];

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	if (!plain_name(category) || !plain_name(event) ||
	    snprintf(path, sizeof(path), "events/%s/%s/%s", category, event, file) >=
		    (int)sizeof(path)) {
		errno = ENOENT;
		return NULL;
	}
	return read_text(fd, path);
}

char *at_host_tracepoint_format(struct at_host *h, const char *category, const char *event)
{
	return event_file(h, category, event, "format");
}

int at_host_tracepoint_id(struct at_host *h, const char *category, const char *event)
{
	char *s = event_file(h, category, event, "id");
	int id = s ? atoi(s) : -errno;

	free(s);
	return s && !id ? -ENOENT : id;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_event_dir(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_type == DT_DIR;
}

int at_host_tracepoints(struct at_host *h, const char *category,
			int (*each)(const char *name, void *arg), void *arg)
{
	int fd = tracefs(h), n, stop = 0;
	struct dirent **list;
	char path[300];

	if (fd < 0)
		return fd;
	if (category && !plain_name(category))
		return -ENOENT;
	snprintf(path, sizeof(path), "events/%.255s", category ? category : "");
	n = scandirat(fd, path, &list, is_event_dir, by_name);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (!stop)
			stop = each(list[i]->d_name, arg);
		free(list[i]);
	}
	free(list);
	return 0;
}

/* ---- CPUs ---- */

int at_host_ncpus_possible(struct at_host *h)
{
	if (h->possible <= 0)
		h->possible = libbpf_num_possible_cpus();
	return h->possible;
}

/* Reads "0-3,5". */
static int parse_cpus(struct at_host *h, char *s)
{
	h->online = malloc(MAX_CPUS * sizeof(*h->online));
	if (!h->online)
		return -ENOMEM;
	while (*s && *s != '\n') {
		long first = strtol(s, &s, 10), last = first;

		if (*s == '-')
			last = strtol(s + 1, &s, 10);
		for (long cpu = first; cpu <= last && h->nonline < MAX_CPUS; cpu++)
			h->online[h->nonline++] = cpu;
		if (*s != ',')
			break;
		s++;
	}
	return 0;
}

const int *at_host_cpus_online(struct at_host *h, unsigned *n)
{
	if (!h->online) {
		char *s = read_text(AT_FDCWD, "/sys/devices/system/cpu/online");

		if (s)
			parse_cpus(h, s);
		free(s);
	}
	*n = h->online ? h->nonline : 0;
	return h->online;
}
