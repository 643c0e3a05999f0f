/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1 messages on a socket, for both sides of the demo: heads and bodies are
 * read and written in many ways (sizes, system calls), because a tracer must
 * see the same in all of them. It knows nothing of the tracer's own reader.
 */
#ifndef DEMO_WIRE_H
#define DEMO_WIRE_H

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_HEAD = 8192, WIRE_BUF = 16384 };

struct wire {
	int fd;
	unsigned way;      /* which system call reads, and how much at a time in heads */
	size_t start, end; /* what was read and not yet taken */
	char buf[WIRE_BUF];
	char head[WIRE_HEAD]; /* the last head, terminated */
};

void wire_init(struct wire *w, int fd, unsigned way);
/* Reads one head into w->head. Its length, 0 at the end of the stream, -1 when it is cut or too
 * long. */
long wire_head(struct wire *w);
/* A field of the last head, "" when absent; false when absent. */
bool wire_field(const struct wire *w, const char *name, char *out, size_t size);
/* Read a body away. Bytes of content, or -1. */
long long wire_take(struct wire *w, long long length);
long long wire_chunked(struct wire *w);
long long wire_to_end(struct wire *w);
/* The body of the last head, framed as it says; `bare`: by rule there is none. */
long long wire_body(struct wire *w, bool bare, bool to_end);

/* Writes head and body in one of several ways; 0, or -1. */
int wire_send(int fd, unsigned way, const char *head, size_t nhead, const char *body,
	      size_t nbody);
int wire_write(int fd, const char *s, size_t n);

#endif
