/* SPDX-License-Identifier: Apache-2.0 */
/* Features of the running kernel that only trying tells; lib/run/host.c remembers the answers.
 */
#ifndef AT_RUN_FEATURE_H
#define AT_RUN_FEATURE_H

#include <stdbool.h>

enum { AT_FEATURES = 32 }; /* room for what feature.c lists */

int at_feature_find(const char *name); /* its index, or -1 */
bool at_feature_probe(int index);      /* false, too, where this process may not try */

#endif
