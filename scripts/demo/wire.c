/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing of HTTP/1 messages; see wire.h. */
#include "scripts/demo/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

void wire_init(struct wire *w, int fd, unsigned way)
{
	w->fd = fd;
	w->way = way;
	w->start = w->end = 0;
	w->head[0] = 0;
}

/* ---- Ways to read ---- */

static ssize_t by_read(int fd, char *s, size_t n)
{
	return read(fd, s, n);
}

static ssize_t by_recv(int fd, char *s, size_t n)
{
	return recv(fd, s, n, 0);
}

static ssize_t by_recvmsg(int fd, char *s, size_t n)
{
	struct iovec v = { s, n };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return recvmsg(fd, &m, 0);
}

/* Two buffers, the first one small. */
static ssize_t by_readv(int fd, char *s, size_t n)
{
	struct iovec v[] = { { s, n / 3 }, { s + n / 3, n - n / 3 } };

	return readv(fd, v, 2);
}

/* Looks first: those bytes must not be counted twice. */
static ssize_t by_peek(int fd, char *s, size_t n)
{
	ssize_t got = recv(fd, s, n, MSG_PEEK);

	return got > 0 ? recv(fd, s, got, 0) : got;
}

static const struct {
	ssize_t (*read)(int fd, char *s, size_t n);
	size_t in_head; /* bytes at a time while a head is read */
} readers[] = {
	{ by_read, WIRE_BUF }, { by_recv, WIRE_BUF }, { by_recvmsg, 61 },     { by_readv, 37 },
	{ by_peek, WIRE_BUF }, { by_read, 1 },        { by_readv, WIRE_BUF }, { by_recv, 7 },
};

static ssize_t fill(struct wire *w, size_t most)
{
	size_t room;
	ssize_t n;

	if (w->start == w->end)
		w->start = w->end = 0;
	room = WIRE_BUF - w->end;
	if (most > room)
		most = room;
	do
		n = readers[w->way % COUNT(readers)].read(w->fd, w->buf + w->end, most);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		w->end += n;
	return n;
}

/* ---- Heads ---- */

static void move_down(struct wire *w)
{
	memmove(w->buf, w->buf + w->start, w->end - w->start);
	w->end -= w->start;
	w->start = 0;
}

long wire_head(struct wire *w)
{
	size_t in_head = readers[w->way % COUNT(readers)].in_head;
	const char *stop = NULL;
	size_t n;

	move_down(w);
	while (!(stop = memmem(w->buf, w->end, "\r\n\r\n", 4))) {
		ssize_t got = w->end < WIRE_HEAD ? fill(w, in_head) : -1;

		if (got <= 0)
			return got < 0 || w->end ? -1 : 0;
	}
	n = stop - w->buf + 4;
	if (n >= WIRE_HEAD)
		return -1;
	memcpy(w->head, w->buf, n);
	w->head[n] = 0;
	w->start = n;
	return n;
}

bool wire_field(const struct wire *w, const char *name, char *out, size_t size)
{
	size_t n = strlen(name), len;

	out[0] = 0;
	for (const char *s = strstr(w->head, "\r\n"); s && s[2] != '\r';
	     s = strstr(s + 2, "\r\n")) {
		const char *value = s + 2 + n + 1;

		if (strncasecmp(s + 2, name, n) || s[2 + n] != ':')
			continue;
		value += strspn(value, " \t");
		len = strcspn(value, "\r");
		snprintf(out, size, "%.*s", (int)len, value);
		return true;
	}
	return false;
}

/* ---- Bodies ---- */

long long wire_take(struct wire *w, long long length)
{
	for (long long left = length; left > 0;) {
		long long n = w->end - w->start;

		if (!n && fill(w, WIRE_BUF) <= 0)
			return -1;
		n = w->end - w->start;
		if (n > left)
			n = left;
		w->start += n;
		left -= n;
	}
	return length;
}

long long wire_to_end(struct wire *w)
{
	long long sum = w->end - w->start;
	ssize_t n;

	w->start = w->end;
	while ((n = fill(w, WIRE_BUF)) > 0) {
		sum += n;
		w->start = w->end;
	}
	return n < 0 ? -1 : sum;
}

static int take_line(struct wire *w, char *line, size_t size)
{
	for (size_t n = 0; n + 1 < size; n++) {
		if (w->start == w->end && fill(w, WIRE_BUF) <= 0)
			return -1;
		line[n] = w->buf[w->start++];
		if (line[n] != '\n')
			continue;
		line[n] = 0;
		return 0;
	}
	return -1;
}

long long wire_chunked(struct wire *w)
{
	char line[256];
	long long sum = 0, n;

	do {
		if (take_line(w, line, sizeof(line)))
			return -1;
		n = strtoll(line, NULL, 16);
		if (wire_take(w, n) < 0)
			return -1;
		sum += n;
		/* After the last chunk: trailers up to an empty line; we send none. */
		if (take_line(w, line, sizeof(line)))
			return -1;
	} while (n);
	return sum;
}

long long wire_body(struct wire *w, bool bare, bool to_end)
{
	char value[64];

	if (bare)
		return 0;
	if (wire_field(w, "transfer-encoding", value, sizeof(value)))
		return wire_chunked(w);
	if (wire_field(w, "content-length", value, sizeof(value)))
		return wire_take(w, atoll(value));
	return to_end ? wire_to_end(w) : 0;
}

/* ---- Ways to write ---- */

int wire_write(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t done = send(fd, s, n, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		s += done;
		n -= done;
	}
	return 0;
}

static int by_parts(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	return wire_write(fd, head, nhead) || wire_write(fd, body, nbody) ? -1 : 0;
}

/* What a vectored call took; the rest goes out by send(). */
static int finish(int fd, ssize_t done, const struct iovec v[2])
{
	size_t skip = done;

	if (done < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		size_t part = skip < v[i].iov_len ? skip : v[i].iov_len;

		if (wire_write(fd, (const char *)v[i].iov_base + part, v[i].iov_len - part))
			return -1;
		skip -= part;
	}
	return 0;
}

static int by_writev(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	struct iovec v[] = { { (void *)head, nhead }, { (void *)body, nbody } };

	return finish(fd, writev(fd, v, 2), v);
}

static int by_sendmsg(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	struct iovec v[] = { { (void *)head, nhead }, { (void *)body, nbody } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return finish(fd, sendmsg(fd, &m, MSG_NOSIGNAL), v);
}

static int in_pieces(int fd, const char *head, size_t nhead, const char *body, size_t nbody,
		     size_t piece)
{
	for (size_t at = 0; at < nhead; at += piece)
		if (wire_write(fd, head + at, nhead - at < piece ? nhead - at : piece))
			return -1;
	return wire_write(fd, body, nbody);
}

static int by_pieces(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	return in_pieces(fd, head, nhead, body, nbody, 23);
}

static int by_bytes(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	return in_pieces(fd, head, nhead, body, nbody, 1);
}

/* The end of the head and the beginning of the body in one write. */
static int across(int fd, const char *head, size_t nhead, const char *body, size_t nbody)
{
	size_t tail = nhead / 3, with = nbody / 2;
	char both[WIRE_HEAD];

	if (tail + with > sizeof(both))
		with = sizeof(both) - tail;
	memcpy(both, head + nhead - tail, tail);
	memcpy(both + tail, body, with);
	return wire_write(fd, head, nhead - tail) || wire_write(fd, both, tail + with) ||
			       wire_write(fd, body + with, nbody - with)
		       ? -1
		       : 0;
}

int wire_send(int fd, unsigned way, const char *head, size_t nhead, const char *body,
	      size_t nbody)
{
	static int (*const writers[])(int fd, const char *head, size_t nhead, const char *body,
				      size_t nbody) = {
		by_parts, by_writev, across, by_sendmsg, by_pieces, by_writev, by_bytes,
	};

	return writers[way % COUNT(writers)](fd, head, nhead, body, nbody);
}
