/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apitrace-demo [-t SECONDS] [-n CLIENTS] [-o LEDGER] [-w]: runs the gateway in this
 * process and the clients in a second one, then writes what the clients sent
 * and got. Started by `apitrace -c` it begins when the tracer is attached; with
 * -w it prints its port and waits for a line on stdin.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripts/demo/demo.h"

struct options {
	double seconds;
	unsigned clients;
	const char *ledger;
	bool wait;
};

static int usage(void)
{
	fputs("usage: apitrace-demo [-t SECONDS] [-n CLIENTS] [-o LEDGER] [-w]\n", stderr);
	return 2;
}

static bool parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "t:n:o:w")) != -1) {
		if (c == 't')
			o->seconds = atof(optarg);
		else if (c == 'n')
			o->clients = strtoul(optarg, NULL, 10);
		else if (c == 'o')
			o->ledger = optarg;
		else if (c == 'w')
			o->wait = true;
		else
			return false;
	}
	return optind == argc && o->seconds > 0 && o->clients > 0 && o->clients < 1000;
}

/* The second process. Its exit status. */
static int be_clients(const struct options *o, unsigned short port)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	struct clients c = { port, o->clients, o->seconds, ledger };
	FILE *out = o->ledger ? fopen(o->ledger, "we") : stdout;
	int err;

	if (!ledger || !out) {
		perror(o->ledger ? o->ledger : "apitrace-demo");
		return 1;
	}
	pthread_mutex_init(&ledger->lock, NULL);
	err = clients_run(&c) | ledger_write(ledger, out);
	if (ledger->broken)
		fprintf(stderr, "apitrace-demo: %llu exchanges did not end as they should\n",
			ledger->broken);
	return err || ledger->broken || !ledger->n;
}

static int run_clients(const struct options *o, unsigned short port)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(be_clients(o, port));
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void wait_for_word(unsigned short port)
{
	int c;

	printf("pid %d port %u\n", (int)getpid(), port);
	fflush(stdout);
	while ((c = getchar()) != EOF && c != '\n')
		;
}

int main(int argc, char **argv)
{
	struct options o = { .seconds = 10, .clients = 12 };
	struct gateway g;
	int status;

	if (!parse(&o, argc, argv))
		return usage();
	if (gateway_start(&g)) {
		perror("apitrace-demo");
		return 1;
	}
	if (o.wait)
		wait_for_word(g.port);
	status = run_clients(&o, g.port);
	gateway_stop(&g);
	return status;
}
