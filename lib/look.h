/* SPDX-License-Identifier: Apache-2.0 */
/* Looking inside: stages of a session as text or bytes, and the probes there are. */
#ifndef AT_LOOK_H
#define AT_LOOK_H

#include "lib/session.h"

/*
 * dump.c: a stage of a session, malloc'ed, with a NUL behind its `len` bytes.
 * -ENODATA: compilation did not get that far; -EINVAL: there is no such stage.
 */
int at_session_dump(struct at_session *s, const char *stage, char **out, size_t *len);

/*
 * list.c: probes that match a search ("tracepoint:*", "*sleep*"), one a call. Stops when each()
 * is not 0, and returns that; -errno after a diagnostic when some could not be looked up.
 */
int at_list(const struct at_lang *lang, struct at_host *host, struct at_diags *diags,
	    const char *search, int (*each)(void *arg, const char *name), void *arg);
/* The fields of its args: their types as the language writes them, and names. */
int at_list_args(const struct at_lang *lang, struct at_host *host, const char *probe,
		 int (*each)(void *arg, const char *type, const char *name), void *arg);

/* info.c: what this machine offers, and what a compiled session takes, a value a call. Stops
 * when each() is not 0, and returns that. */
int at_session_info(struct at_session *s,
		    int (*each)(void *arg, const char *section, const char *name,
				const char *value),
		    void *arg);

#endif
