/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demo: a gateway to language models and its clients on loopback. The
 * gateway is the process that is traced; the clients are a process of their own
 * and keep the ledger, by what went over their sockets.
 */
#ifndef DEMO_H
#define DEMO_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

/* ---- gateway.c ---- */

struct gateway {
	int fd; /* listens */
	unsigned short port;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned open;   /* connections being served */
	unsigned served; /* connections so far */
};

int gateway_start(struct gateway *g);
/* Waits until every connection is closed. The gateway must not be started twice. */
void gateway_stop(struct gateway *g);

/* ---- ledger.c ---- */

enum { LEDGER_ROWS = 512 };

struct ledger_row {
	const char *route, *model; /* literals */
	int status;
	unsigned long long requests, request_bytes, response_bytes;
};

struct ledger {
	pthread_mutex_t lock;
	struct ledger_row rows[LEDGER_ROWS];
	unsigned n;
	unsigned long long broken; /* exchanges that did not end as they should */
};

/* One exchange; false when the ledger is full. */
bool ledger_add(struct ledger *l, const struct ledger_row *one);
void ledger_broken(struct ledger *l);
/* Tab separated, sorted, a line of titles first. 0, or -1. */
int ledger_write(struct ledger *l, FILE *out);

/* ---- clients.c ---- */

struct clients {
	unsigned short port;
	unsigned workers;
	double seconds;
	struct ledger *ledger;
};

/* Runs all clients to their end. 0, or -1. */
int clients_run(const struct clients *c);

#endif
