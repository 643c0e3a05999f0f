/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Eight bytes at a time in one word, as core IR. A mask has 0x80 in the bytes
 * that are meant. Of `less` and `equal` only the lowest marked byte is certain,
 * since a borrow may run into the next.
 */
#ifndef AT_HTTP_SWAR_H
#define AT_HTTP_SWAR_H

#include "frontend/ir.h"

int64_t at_swar(unsigned c); /* eight times that byte */
struct at_ir *at_swar_less(struct at_irb *b, struct at_ir *w, unsigned n);
struct at_ir *at_swar_equal(struct at_irb *b, struct at_ir *w, struct at_ir *eight);
/* Index of the lowest marked byte of a mask that is not 0. */
struct at_ir *at_swar_first(struct at_irb *b, struct at_ir *mask);
/* Bytes of `low` (each below 0x80) that are first .. last. Exact; other bits are anything. */
struct at_ir *at_swar_between(struct at_irb *b, struct at_ir *low, unsigned first,
			      unsigned last);
/* Letters, digits and '-'. Exact. */
struct at_ir *at_swar_plain(struct at_irb *b, struct at_ir *w);
/* Bytes at an address up to the first below `below` or among `ends`, at most limit (a multiple
 * of 8). */
struct at_ir *at_swar_until(struct at_irb *b, struct at_ir *at, int limit, unsigned below,
			    const char *ends);
/* The same up to what ends a text or has to be looked at: below 0x0e. */
struct at_ir *at_swar_text(struct at_irb *b, struct at_ir *at, int limit);
struct at_ir *at_is_token(struct at_irb *b, struct at_ir *c); /* by RFC 9110 */
uint64_t at_word_of(const char *s, unsigned n);               /* up to 8 bytes, little endian */

#endif
