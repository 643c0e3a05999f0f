/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipelining: open requests that the connection's own slots have no room for.
 * Few clients send a request before the last one was answered, so a connection
 * holds two, and further ones go to a ring that all connections share: a request
 * that is complete is copied there from the spill slot, and back into a slot
 * when its response comes. The oldest in the ring is overwritten, whosever it is;
 * a stamp tells. So nothing has to be given back, however a connection ends.
 */
#include "lib/http/sock.h"

enum {
	RING_BYTES = 1 << 21,
	RING_LEAST = 64, /* requests */
	RING_MOST = 1 << 14,
	STAMP_SEQ = 20, /* bits of the request's number in a stamp, below the connection's */
	WRITING = 1,    /* as a stamp: no connection has the number 0 */
};

struct kept {
	uint64_t stamp;
	/* the slot */
};

void at_http_pipeline_map(struct at_http_eng *e)
{
	unsigned size = sizeof(struct kept) + e->h->slot_size, n = RING_LEAST;

	if (e->h->pipeline <= e->h->depth)
		return;
	while (n < RING_MOST && 2 * n * size <= RING_BYTES)
		n *= 2;
	e->nmore = n;
	/* One more, whose stamp is the place of the next. */
	e->m_more = at_plan_map(e->plan, &(struct at_plan_map){
						 .name = "http_more",
						 .kind = AT_MAP_ARRAY,
						 .max_entries = n + 1,
						 .key_size = sizeof(uint32_t),
						 .value_size = size,
					 });
}

static struct at_ir *ring_entry(struct at_walk *w, struct at_ir *index)
{
	struct at_irb *b = w->b;
	struct at_ir *key = ir_slot(b, 8), *entry;

	ir_store(b, 4, key, 0, index);
	entry = ir_let(b, ir_helper(b, MAP_LOOKUP, 2, ir_map(b, w->e->m_more), key));
	IF(ir_iszero(b, entry));
	RETURN(0);
	END;
	return entry;
}

static struct at_ir *stamp_of(struct at_walk *w, struct at_ir *seq)
{
	struct at_irb *b = w->b;
	struct at_ir *id = AT_LD(at_http_conn, w->conn, id);

	return ir_let(
		b, ir_or(b, ir_shli(b, id, STAMP_SEQ), ir_andi(b, seq, (1 << STAMP_SEQ) - 1)));
}

/* Address from which, with the offset of kept_at, the request's place in the ring is found. */
static struct at_ir *place_of(struct at_walk *w, struct at_ir *seq)
{
	struct at_irb *b = w->b;
	struct at_ir *at = ir_andi(b, seq, AT_HTTP_METHODS - 1);

	return ir_let(b, ir_add(b, w->conn, ir_shli(b, at, 1)));
}

static const int64_t off_kept = offsetof(struct at_http_state, kept_at);

/* The request in the spill slot is complete, and is put away. */
static void keep_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_keep", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *seq = ir_let(b, ir_subi(b, KL(req_seq), 1)), *entry, *index, *old;

	e->f_keep = b->index;
	HS(keep, C(0));
	entry = ring_entry(w, C(e->nmore));
	index = ir_let(b, ir_andi(b, ir_xadd(b, 8, entry, 0, C(1)), e->nmore - 1));
	entry = ring_entry(w, index);
	old = ir_let(b, ir_xchg(b, 8, entry, 0, C(WRITING)));
	IF(ir_eqi(b, old, WRITING));
	RETURN(0);
	END;
	ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, ir_addi(b, entry, sizeof(struct kept)),
			   C(e->h->slot_size), ir_addi(b, w->conn, e->spill_off)));
	ir_do(b, ir_xchg(b, 8, entry, 0, stamp_of(w, seq)));
	ir_store(b, 2, place_of(w, seq), off_kept, index);
	KS(more, C(1));
	RETURN(0);
}

/* The request that the next response answers, back into its slot if it was put away. */
static void fetch_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_func(e, "http_fetch", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *seq = ir_let(b, KL(resp_seq)), *entry, *index, *slot, *stamp;

	e->f_fetch = b->index;
	entry = ring_entry(w, ir_load(b, 2, place_of(w, seq), off_kept));
	stamp = stamp_of(w, seq);
	IF(ir_ne(b, ir_load(b, 8, entry, 0), stamp));
	RETURN(0);
	END;
	index = ir_let(b, ir_andi(b, seq, e->h->depth - 1));
	slot = ir_add(b, w->conn, ir_muli(b, index, e->h->slot_size));
	ir_do(b, ir_helper(b, PROBE_READ_KERNEL, 3, ir_addi(b, slot, e->slots_off),
			   C(e->h->slot_size), ir_addi(b, entry, sizeof(struct kept))));
	/* Overwritten meanwhile? */
	IF(ir_ne(b, ir_load(b, 8, entry, 0), stamp));
	RETURN(0);
	END;
	ir_store(b, 8, ir_add(b, w->conn, ir_shli(b, index, 3)),
		 offsetof(struct at_http_state, slot_seq), ir_addi(b, seq, 1));
	RETURN(0);
}

void at_http_pipeline_funcs(struct at_http_eng *e)
{
	if (!e->nmore)
		return;
	keep_func(e);
	fetch_func(e);
}

void at_http_keep(struct at_walk *w)
{
	struct at_irb *b = w->b;

	if (!w->e->nmore)
		return;
	IF(HL(keep));
	ir_do(b, at_http_step(w, w->e->f_keep));
	END;
}

void at_http_fetch(struct at_walk *w)
{
	struct at_irb *b = w->b;

	if (!w->e->nmore)
		return;
	IF(KL(more));
	ir_do(b, at_http_step(w, w->e->f_fetch));
	END;
}
