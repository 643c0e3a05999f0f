/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of the language's tables the cases use. */
#ifndef AT_TESTS_CASE_COVER_H
#define AT_TESTS_CASE_COVER_H

#include "frontend/lang.h"

struct cover {
	struct row *rows;
	size_t n;
};

/* Takes the rows of the tables. */
void cover_begin(struct cover *c, const struct at_lang *lang);
/* The same of the fields that `args` has in one kind of probe. */
void cover_fields(struct cover *c, const struct at_type *args);
/* What a script without mistakes uses; tree: its text with types. */
void cover_script(struct cover *c, const struct at_script *s, const char *tree);
/* Are all rows of a group used? Says which are not. */
bool cover_group(const struct cover *c, const char *group);
/* "GROUP NAME" a line: what the manual has to describe. */
void cover_names(const struct cover *c);
void cover_free(struct cover *c);

#endif
