/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: writes the programs that see the bytes, walk the heads and call the clauses. */
#include "lib/http/http.h"

int at_http_engine(struct at_http *h)
{
	at_diag(h->lw->diags, AT_D_NOT_YET, h->uses.v[0].use->point->range,
		"http probes cannot be run yet");
	return -1;
}
