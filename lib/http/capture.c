/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Captures: the texts of a message that a script asks for. Asked for once, a
 * text has its place in the request's slot or in the response area; the walker
 * writes it there, clauses read it. What nobody asks for is not kept.
 */
#include "lib/http/http.h"

#include <string.h>
#include <strings.h>

static const char *const secret_names[] = {
	"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key",
	"api-key",       "x-auth-token",
};

/* Their values are secret when a query parameter in them is. */
static const char *const url_names[] = { "referer", "location" };

static bool is_one_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Is the name in a list like "x-a, X-B"? */
static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *s = list; *s; s += strcspn(s, ", \t")) {
		s += strspn(s, ", \t");
		if (strcspn(s, ", \t") == len && strncasecmp(s, name, len) == 0)
			return len > 0;
	}
	return false;
}

bool at_http_secret_name(const struct at_check *c, const char *name)
{
	const char *more = at_config_text(c, "redact");

	return is_one_of(secret_names, at_count(secret_names), name) ||
	       (more && is_listed(more, name));
}

static bool may_be_secret(const struct at_http_capture *c)
{
	if (c->what == AT_HTTP_FIELD)
		return is_one_of(url_names, at_count(url_names), c->name);
	return c->what == AT_HTTP_TARGET || c->what == AT_HTTP_QUERY;
}

static bool is_same(const struct at_http_capture *c, enum at_http_half half,
		    enum at_http_what what, const char *name)
{
	return c->half == half && c->what == what &&
	       (what != AT_HTTP_FIELD || strcmp(c->name, name) == 0);
}

/* "%%" for each '%' of a name, which may have some: the text is a format. */
static const char *escape(struct at_arena *a, const char *name)
{
	char *out = at_alloc(a, 2 * strlen(name) + 1), *to = out;

	for (; *name; name++) {
		if (*name == '%')
			*to++ = '%';
		*to++ = *name;
	}
	*to = 0;
	return out;
}

static const char *cut_brief(struct at_http *h, const struct at_http_capture *c)
{
	static const char *const parts[] = {
		[AT_HTTP_METHOD] = "args.method", [AT_HTTP_TARGET] = "args.target",
		[AT_HTTP_PATH] = "args.path",     [AT_HTTP_QUERY] = "args.query",
		[AT_HTTP_HOST] = "args.host",     [AT_HTTP_REASON] = "args.reason",
	};
	struct at_arena *a = h->lw->arena;

	if (c->what != AT_HTTP_FIELD)
		return at_sprintf(a,
				  "%%llu values were longer than what is kept of %s, %u bytes",
				  parts[c->what], c->width);
	return at_sprintf(a,
			  "%%llu values were longer than what is kept of %s(\"%s\"), %u bytes",
			  c->half == AT_HTTP_OF_REQUEST ? "request_header" : "response_header",
			  escape(a, c->name), c->width);
}

struct at_http_capture *at_http_want(struct at_http *h, enum at_http_half half,
				     enum at_http_what what, const char *name, unsigned width)
{
	unsigned *size = half == AT_HTTP_OF_REQUEST ? &h->slot_size : &h->resp_size;
	struct at_http_capture *c;

	for (size_t i = 0; i < h->captures.n; i++)
		if (is_same(h->captures.v[i], half, what, name))
			return h->captures.v[i];
	c = at_new(h->lw->arena, struct at_http_capture);
	c->half = half;
	c->what = what;
	c->name = name;
	c->width = (width + 7) & ~7u;
	c->offset = *size;
	*size += sizeof(struct at_http_text) + c->width;
	if (!h->lw->opts->show_secrets) {
		c->secret = what == AT_HTTP_FIELD && at_http_secret_name(h->lw->check, name);
		c->may_secret = !c->secret && may_be_secret(c);
		c->want_hash = c->secret || c->may_secret;
	}
	c->counter = at_plan_counter(h->lw->plan, "http.value_cut", cut_brief(h, c), -1);
	at_vec_push(h->lw->arena, &h->captures, c);
	return c;
}

/* ---- Reading one in a clause ---- */

static struct at_ir *message(struct at_http *h, enum at_http_half half)
{
	return ir_param(h->lw->b, half == AT_HTTP_OF_REQUEST ? AT_HTTP_P_SLOT : AT_HTTP_P_RESP);
}

/*
 * Is the message of that half known as a whole? A request may be answered while
 * its head is invalid or not yet complete: its texts are "" then. An exchange
 * may end without a response. NULL: always, or the event would not be.
 */
static struct at_ir *is_known(struct at_http *h, enum at_http_half half)
{
	enum at_http_event event = h->current->event;
	struct at_irb *b = h->lw->b;
	struct at_ir *flags;

	if (half == AT_HTTP_OF_RESPONSE)
		return event == AT_HTTP_EXCHANGE ? ir_load(b, 4, message(h, half),
							   offsetof(struct at_http_msg, status))
						 : NULL;
	if (event == AT_HTTP_REQUEST)
		return NULL;
	flags = ir_let(b, ir_load(b, 4, message(h, half), offsetof(struct at_http_msg, flags)));
	return ir_and(b,
		      ir_un(b, AT_OP_BOOL, ir_andi(b, flags, AT_HTTP_M_DONE | AT_HTTP_M_CUT)),
		      ir_iszero(b, ir_andi(b, flags, AT_HTTP_M_INVALID)));
}

static struct at_ir *if_known(struct at_http *h, enum at_http_half half, struct at_ir *v)
{
	struct at_ir *known = is_known(h, half);

	return ir_let(h->lw->b,
		      known ? ir_select(h->lw->b, known, v, ir_const(h->lw->b, 0)) : v);
}

static struct at_ir *part(struct at_http *h, const struct at_http_capture *c, unsigned width,
			  size_t offset)
{
	return ir_load(h->lw->b, width, message(h, c->half), c->offset + offset);
}

struct at_val at_http_text_val(struct at_http *h, struct at_http_capture *c)
{
	struct at_irb *b = h->lw->b;
	struct at_val v = { .type = at_type_string(h->lw->arena, c->width), .cap = c->width };

	v.ir = ir_addi(b, message(h, c->half), c->offset + sizeof(struct at_http_text));
	v.len = if_known(h, c->half, part(h, c, 2, offsetof(struct at_http_text, len)));
	v.full = if_known(h, c->half, part(h, c, 4, offsetof(struct at_http_text, full)));
	if (c->secret)
		v.secret = ir_const(b, 1);
	else if (c->may_secret)
		v.secret = ir_let(
			b, ir_andi(b, part(h, c, 2, offsetof(struct at_http_text, flags)),
				   AT_HTTP_T_SECRET));
	v.whole = if_known(h, c->half, part(h, c, 8, offsetof(struct at_http_text, hash)));
	v.want_whole = &c->whole;
	if (c->want_hash)
		v.hash = ir_let(b, part(h, c, 8, offsetof(struct at_http_text, hash)));
	return v;
}

struct at_ir *at_http_present(struct at_http *h, const struct at_http_capture *c)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *flags = part(h, c, 2, offsetof(struct at_http_text, flags));

	return ir_un(b, AT_OP_BOOL, if_known(h, c->half, ir_andi(b, flags, AT_HTTP_T_PRESENT)));
}
