/* SPDX-License-Identifier: Apache-2.0 */
/* The closest known name to a mistyped one, for hints: "did you mean …". */
#ifndef AT_BASE_CLOSEST_H
#define AT_BASE_CLOSEST_H

struct at_closest {
	const char *name;  /* as written */
	const char *best;  /* closest so far that is worth suggesting, or NULL */
	unsigned distance; /* of best */
};

static inline struct at_closest at_closest_to(const char *name)
{
	return (struct at_closest){ .name = name, .distance = ~0u };
}

/* Offers one known name; equal distances keep the first. Case does not count. */
void at_closest_offer(struct at_closest *c, const char *known);

#endif
