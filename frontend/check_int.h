/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of check share among themselves; nobody else includes it. */
#ifndef AT_FRONTEND_CHECK_INT_H
#define AT_FRONTEND_CHECK_INT_H

#include "frontend/check.h"

/* ---- check_part.c: fields and elements ---- */

const struct at_type *at_check_field(struct at_check *c, struct at_node *e);
const struct at_type *at_check_tindex(struct at_check *c, struct at_node *e);
const struct at_type *at_check_index(struct at_check *c, struct at_node *e);

/* ---- config.c ---- */

void at_check_config(struct at_check *c);
void at_check_map_decls(struct at_check *c);

/* ---- scope.c: variables of a clause, maps of the script ---- */

void at_scope_push(struct at_check *c);
void at_scope_pop(struct at_check *c);
struct at_var *at_scope_find(struct at_check *c, const char *name);
/* `known`: the variable the node made in an earlier round, or NULL. */
struct at_var *at_scope_declare(struct at_check *c, const char *name, struct at_range range,
				struct at_var *known);
/* Hint for a name that is not there: a variable of an ended block, or the closest. */
void at_scope_hint(struct at_check *c, const char *name);
/* The variable takes a value of `e`'s type: its own type widens, or a diagnostic. */
void at_scope_take(struct at_check *c, struct at_var *v, const struct at_node *e);
struct at_mapsym *at_scope_map(struct at_check *c, const char *name, struct at_range range);

/* ---- check_map.c ---- */

/* Keys of an access: keyed or not as elsewhere, types united. False: reported or poisoned. */
bool at_check_map_access(struct at_check *c, struct at_n_map *m);
/* The map takes a value of that type. NULL after reporting, else the map's type. */
const struct at_type *at_check_map_value(struct at_check *c, struct at_n_map *m,
					 const struct at_type *t, struct at_range range);
/* Once types are final: keys the kernel can hold, maps nothing is ever put into. */
void at_check_maps_end(struct at_check *c);
const struct at_type *at_check_map_read(struct at_check *c, struct at_n_map *m);

/* ---- check_expr.c ---- */

/* A condition: something that is true or false. */
void at_check_truth(struct at_check *c, struct at_node *e);
/* Type under which a value of that expression is kept: explicit casts keep their size. */
const struct at_type *at_check_kept(struct at_check *c, const struct at_node *e);
/* The result of `a op b` on two ints. */
const struct at_type *at_check_arith(struct at_check *c, enum at_binop op,
				     const struct at_node *l, const struct at_node *r);
/* A number of 64 bits. */
const struct at_type *at_check_word(bool sign, bool literal, enum at_unit unit);
/* An int whose sign is that of what it meets. */
bool at_check_flexible(const struct at_type *t);
const struct at_type *at_check_type_name(struct at_check *c, const struct at_type_name *t);
const char *at_check_text(struct at_check *c, const struct at_type *t);
/* Line of the script, for hints that point at another place. */
unsigned at_check_line(struct at_check *c, struct at_range r);

/* ---- check_call.c ---- */

const struct at_type *at_check_call(struct at_check *c, struct at_n_call *call);
/* An aggregation as right-hand side of an assignment to a map: its AGG type. */
const struct at_type *at_check_agg(struct at_check *c, struct at_n_call *call);

/* ---- check_stmt.c ---- */

void at_check_stmts(struct at_check *c, struct at_n_block *b);

/* Number as a positional parameter is written: false when it is no number. */
bool at_fold_number(const char *text, int64_t *out, bool *negative);

#endif
