/* SPDX-License-Identifier: Apache-2.0 */
/* What the clients sent and got, by route, model and status. */
#include <stdlib.h>
#include <string.h>

#include "scripts/demo/demo.h"

static int compare(const void *a, const void *b)
{
	const struct ledger_row *x = a, *y = b;
	int by_route = strcmp(x->route, y->route), by_model = strcmp(x->model, y->model);

	return by_route ? by_route : by_model ? by_model : x->status - y->status;
}

static struct ledger_row *find(struct ledger *l, const struct ledger_row *one)
{
	unsigned i;

	for (i = 0; i < l->n; i++)
		if (!compare(&l->rows[i], one))
			return &l->rows[i];
	if (l->n == LEDGER_ROWS)
		return NULL;
	l->rows[l->n] = (struct ledger_row){ one->route, one->model, one->status };
	return &l->rows[l->n++];
}

bool ledger_add(struct ledger *l, const struct ledger_row *one)
{
	struct ledger_row *row;

	pthread_mutex_lock(&l->lock);
	row = find(l, one);
	if (row) {
		row->requests++;
		row->request_bytes += one->request_bytes;
		row->response_bytes += one->response_bytes;
	}
	pthread_mutex_unlock(&l->lock);
	return row;
}

void ledger_broken(struct ledger *l)
{
	pthread_mutex_lock(&l->lock);
	l->broken++;
	pthread_mutex_unlock(&l->lock);
}

int ledger_write(struct ledger *l, FILE *out)
{
	qsort(l->rows, l->n, sizeof(l->rows[0]), compare);
	fputs("route\tmodel\tstatus\trequests\trequest_bytes\tresponse_bytes\n", out);
	for (unsigned i = 0; i < l->n; i++) {
		const struct ledger_row *r = &l->rows[i];

		fprintf(out, "%s\t%s\t%d\t%llu\t%llu\t%llu\n", r->route, r->model, r->status,
			r->requests, r->request_bytes, r->response_bytes);
	}
	return fflush(out) || ferror(out) ? -1 : 0;
}
