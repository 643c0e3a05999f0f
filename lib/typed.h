/* SPDX-License-Identifier: Apache-2.0 */
/* Values and views as the public interface hands them out; what they point to lives in the arena. */
#ifndef AT_TYPED_H
#define AT_TYPED_H

#include "lib/apitrace.h"
#include "lib/run/view.h"

void at_typed_value(struct at_arena *a, const struct at_type *t, const void *bytes,
		    struct apitrace_value *out);
void at_typed_view(struct at_arena *a, const struct at_view *v, struct apitrace_value *out);

#endif
