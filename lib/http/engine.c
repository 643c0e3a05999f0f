/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: lays out the connection's memory for what the clauses want, makes
 * the maps, and has the other files write the programs, callees first.
 */
#include "lib/http/layout.h"

/* Bytes of a connection with so many slots. */
static unsigned size_with(const struct at_http_eng *e, unsigned depth)
{
	const struct at_http *h = e->h;
	unsigned larger = h->slot_size > h->resp_size ? h->slot_size : h->resp_size;

	return e->resp_off + h->resp_size + depth * h->slot_size + sizeof(struct at_http_msg) +
	       larger + AT_HTTP_PAD;
}

/* Hash states of one half's captures, behind the fixed part. */
static void place_hashes(struct at_http_eng *e)
{
	unsigned off = sizeof(struct at_http_state);

	for (int half = AT_HTTP_OF_REQUEST; half <= AT_HTTP_OF_RESPONSE; half++) {
		e->sip_off[half] = off;
		for (size_t i = 0; i < e->h->captures.n; i++) {
			const struct at_http_capture *c = e->h->captures.v[i];

			if ((int)c->half == half && c->want_hash)
				off += sizeof(struct at_http_sip);
		}
	}
	e->resp_off = off;
}

/* Known when all clauses are lowered. */
static void want_hashes(struct at_http *h)
{
	for (size_t i = 0; i < h->captures.n; i++)
		h->captures.v[i]->want_hash |= h->captures.v[i]->whole;
}

/* Places of all that a connection's memory holds. False: it would be too large. */
static bool lay_out(struct at_http_eng *e)
{
	struct at_http *h = e->h;

	place_hashes(e);
	h->pipeline = (unsigned)at_config_num(h->lw->check, "http_pipeline");
	h->depth = h->pipeline < AT_HTTP_SLOTS || size_with(e, AT_HTTP_SLOTS) > AT_HTTP_MOST
			   ? 1
			   : AT_HTTP_SLOTS;
	e->slots_off = e->resp_off + h->resp_size;
	e->blank_off = e->slots_off + h->depth * h->slot_size;
	/* Of the blank slot only the fixed part is looked at, so the texts may be another's. */
	e->spill_off = e->blank_off + sizeof(struct at_http_msg);
	e->total = size_with(e, h->depth);
	return e->total <= AT_HTTP_MOST;
}

static void make_maps(struct at_http_eng *e)
{
	e->m_win = at_plan_map(e->plan, &(struct at_plan_map){
						.name = "http_window",
						.kind = AT_MAP_PERCPU_ARRAY,
						.max_entries = 2,
						.key_size = sizeof(uint32_t),
						.value_size = sizeof(struct at_http_win),
					});
	at_http_pipeline_map(e);
}

/* Callees before callers. */
static void (*const writers[])(struct at_http_eng *) = {
	at_http_message_func, at_http_pipeline_funcs, at_http_text_funcs,   at_http_fail_funcs,
	at_http_finish_funcs, at_http_exchange_funcs, at_http_window_funcs, at_http_line_funcs,
	at_http_field_funcs,  at_http_name_funcs,     at_http_body_funcs,   at_http_usual_func,
	at_http_walk_func,    at_http_sniff_funcs,    at_http_source_func,  at_http_end_func,
	at_http_tap_progs,
};

int at_http_engine(struct at_http *h)
{
	struct at_http_eng e = { .h = h, .plan = h->lw->plan };
	struct at_range range = h->uses.v[0].use->point->range;

#if !defined(__x86_64__)
	at_diag(h->lw->diags, AT_D_NOT_YET, range,
		"http probes read system call registers, which is written for x86-64 only");
	return -1;
#endif
	want_hashes(h);
	if (!lay_out(&e)) {
		at_diag(h->lw->diags, AT_D_TOO_MANY_CAPTURES, range,
			"the texts that http probes want take %u bytes of a connection, "
			"%d is the most",
			e.total, AT_HTTP_MOST);
		at_hint(h->lw->diags,
			"use fewer fields, or shorter: config = { http_value_len = 64 }");
		return -1;
	}
	make_maps(&e);
	for (size_t i = 0; i < at_count(writers); i++)
		writers[i](&e);
	return 0;
}
