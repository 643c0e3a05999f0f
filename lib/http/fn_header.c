/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header(), request_header(), response_header(), has_header(): the value of a
 * header field, and whether it is there. Names are literals, so that the walker
 * knows what to keep.
 */
#include "lib/http/http.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST_NAME = 64, DEFAULT_WIDTH = 128 };

/* call->data */
struct wanted {
	enum at_http_half half;
	const char *name; /* in lower case */
	unsigned width;
};

static bool is_tchar(unsigned char c)
{
	return isalnum(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token_length(const char *s)
{
	size_t n = 0;

	while (is_tchar(s[n]))
		n++;
	return n;
}

/* The name in lower case, or NULL after reporting. */
static const char *read_name(struct at_check *c, const struct at_n_call *call)
{
	const char *name = at_fold_string(call->args.v[0]);
	struct at_range range = call->args.v[0]->range;
	size_t n = token_length(name), len = strlen(name);
	char *lower = at_strdup(c->arena, name);

	if (!len) {
		at_diag(c->diags, AT_D_HEADER_NAME, range,
			"the name of a header field is missing");
		return NULL;
	}
	if (n < len) {
		at_diag(c->diags, AT_D_HEADER_NAME, range,
			"`%s` cannot be the name of a header field", name);
		if (n && name[n] == ':')
			at_hint(c->diags, "write it without the colon: \"%.*s\"", (int)n, name);
		else
			at_hint(c->diags, "names are letters, digits and !#$%%&'*+-.^_`|~");
		return NULL;
	}
	if (len > LONGEST_NAME) {
		at_diag(c->diags, AT_D_HEADER_NAME, range,
			"the name of a header field has at most %d letters, this has %zu",
			LONGEST_NAME, len);
		return NULL;
	}
	for (size_t i = 0; i < len; i++)
		lower[i] = (char)tolower((unsigned char)lower[i]);
	return lower;
}

static unsigned value_width(const struct at_check *c)
{
	uint64_t width = at_config_num(c, "http_value_len");

	return width ? ((unsigned)width + 7) & ~7u : DEFAULT_WIDTH;
}

/* Sets call->data; false after reporting. */
static bool want(struct at_check *c, struct at_n_call *call, enum at_http_half half)
{
	struct wanted *w = call->data;
	const char *name = read_name(c, call);

	if (!name)
		return false;
	if (!w)
		call->data = w = at_new(c->arena, struct wanted);
	w->half = half;
	w->name = name;
	w->width = value_width(c);
	return true;
}

/* NULL where the attach point itself was wrong: it has been reported. */
static const struct at_http_point *point_of(const struct at_check *c)
{
	return c->point->provider ? c->point->data : NULL;
}

/* The half that fired: header() in an exchange is the response's, which ends it. */
static enum at_http_half fired(const struct at_check *c)
{
	const struct at_http_point *p = point_of(c);

	return !p || p->event == AT_HTTP_REQUEST ? AT_HTTP_OF_REQUEST : AT_HTTP_OF_RESPONSE;
}

static const struct at_type *value_type(struct at_check *c, struct at_n_call *call, bool ok)
{
	if (!ok)
		return NULL;
	return at_type_string(c->arena, ((struct wanted *)call->data)->width);
}

static const struct at_type *check_header(struct at_check *c, struct at_n_call *call)
{
	return value_type(c, call, want(c, call, fired(c)));
}

static const struct at_type *check_request_header(struct at_check *c, struct at_n_call *call)
{
	return value_type(c, call, want(c, call, AT_HTTP_OF_REQUEST));
}

static const struct at_type *check_response_header(struct at_check *c, struct at_n_call *call)
{
	const struct at_http_point *p = point_of(c);

	if (p && p->event == AT_HTTP_REQUEST) {
		at_diag(c->diags, AT_D_WRONG_EVENT, call->n.range,
			"there is no response yet in %s", c->point->text);
		at_hint(c->diags, "response_header() is for http:response and http:exchange");
		return NULL;
	}
	return value_type(c, call, want(c, call, AT_HTTP_OF_RESPONSE));
}

static const struct at_type *check_has_header(struct at_check *c, struct at_n_call *call)
{
	return want(c, call, fired(c)) ? &at_type_bool : NULL;
}

static struct at_http_capture *capture_of(struct at_lower *lw, struct at_n_call *call)
{
	const struct wanted *w = call->data;

	return at_http_want(lw->env, w->half, AT_HTTP_FIELD, w->name, w->width);
}

static struct at_val lower_value(struct at_lower *lw, struct at_n_call *call)
{
	return at_http_text_val(lw->env, capture_of(lw, call));
}

static struct at_val lower_has_header(struct at_lower *lw, struct at_n_call *call)
{
	return at_word(&at_type_bool, at_http_present(lw->env, capture_of(lw, call)));
}

const struct at_func at_func_header = {
	.name = "header",
	.proto = "string header(lit-string name)",
	.flags = AT_F_HTTP,
	.brief = "value of a header field in the message that fired; \"\" when absent",
	.check = check_header,
	.lower = lower_value,
};

const struct at_func at_func_request_header = {
	.name = "request_header",
	.proto = "string request_header(lit-string name)",
	.flags = AT_F_HTTP,
	.brief = "value of a header field of the request",
	.check = check_request_header,
	.lower = lower_value,
};

const struct at_func at_func_response_header = {
	.name = "response_header",
	.proto = "string response_header(lit-string name)",
	.flags = AT_F_HTTP,
	.brief = "value of a header field of the response",
	.check = check_response_header,
	.lower = lower_value,
};

const struct at_func at_func_has_header = {
	.name = "has_header",
	.proto = "bool has_header(lit-string name)",
	.flags = AT_F_HTTP,
	.brief = "whether the message that fired has that header field",
	.check = check_has_header,
	.lower = lower_has_header,
};
