/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What args.NAME is in http probes: one table says of each field its type, the
 * events that have it and how its value is made. Also the builtin variables
 * that `exchange` takes from the message, since it may fire in another process.
 */
#include "lib/http/http.h"

#include <string.h>
#include <sys/socket.h>

#include "lib/base/closest.h"

enum {
	IN_REQUEST = 1 << AT_HTTP_REQUEST,
	IN_RESPONSE = 1 << AT_HTTP_RESPONSE,
	IN_EXCHANGE = 1 << AT_HTTP_EXCHANGE,
	IN_ANSWER = IN_RESPONSE | IN_EXCHANGE,
	IN_ALL = IN_REQUEST | IN_ANSWER,
};

struct field {
	const char *name;
	const struct at_type *type; /* NULL: string[width] */
	unsigned width;
	unsigned events;
	struct at_val (*lower)(struct at_http *h, const struct field *f);
	unsigned arg; /* lower's: what to capture, or an offset */
	const char *brief;
};

static const struct at_enum_name side_names[] = {
	{ AT_HTTP_SERVER, "server" },
	{ AT_HTTP_CLIENT, "client" },
};
static const struct at_enum_name end_names[] = {
	{ AT_HTTP_COMPLETE, "complete" },
	{ AT_HTTP_RESET, "reset" },
	{ AT_HTTP_CLOSED, "closed" },
	{ AT_HTTP_UPGRADED, "upgraded" },
};
static const struct at_type side_type = {
	.kind = AT_T_ENUM,
	.size = 4,
	.align = 4,
	.name = "http_side",
	.names = side_names,
	.nnames = at_count(side_names),
};
static const struct at_type end_type = {
	.kind = AT_T_ENUM,
	.size = 4,
	.align = 4,
	.name = "http_end",
	.names = end_names,
	.nnames = at_count(end_names),
};

/* ---- How values are made ---- */

static struct at_ir *slot(struct at_http *h)
{
	return ir_param(h->lw->b, AT_HTTP_P_SLOT);
}

static struct at_ir *resp(struct at_http *h)
{
	return ir_param(h->lw->b, AT_HTTP_P_RESP);
}

#define MSG(field) offsetof(struct at_http_msg, field)

static bool is_event(const struct at_http *h, enum at_http_event e)
{
	return h->current->event == e;
}

static struct at_ir *status(struct at_http *h)
{
	return ir_load(h->lw->b, 4, resp(h), MSG(status));
}

/* The head that fired; of an exchange without a response there is none: `none` then. */
static struct at_ir *of_head(struct at_http *h, struct at_ir *request, struct at_ir *response,
			     int64_t none)
{
	struct at_irb *b = h->lw->b;

	if (is_event(h, AT_HTTP_REQUEST))
		return request;
	if (is_event(h, AT_HTTP_RESPONSE))
		return response;
	return ir_select(b, status(h), response, ir_const(b, none));
}

static struct at_ir *head_load(struct at_http *h, unsigned width, unsigned offset, int64_t none)
{
	struct at_irb *b = h->lw->b;

	return of_head(h, ir_load(b, width, slot(h), offset),
		       ir_load(b, width, resp(h), offset), none);
}

static struct at_val word(struct at_http *h, const struct field *f, struct at_ir *v)
{
	return at_word(f->type, ir_let(h->lw->b, v));
}

static struct at_val lower_request_text(struct at_http *h, const struct field *f)
{
	return at_http_text_val(h, at_http_want(h, AT_HTTP_OF_REQUEST, f->arg, NULL, f->width));
}

static struct at_val lower_reason(struct at_http *h, const struct field *f)
{
	return at_http_text_val(h,
				at_http_want(h, AT_HTTP_OF_RESPONSE, f->arg, NULL, f->width));
}

static int64_t text_word(const char *s)
{
	uint64_t w = 0;

	for (unsigned i = 0; s[i]; i++)
		w |= (uint64_t)(unsigned char)s[i] << (8 * i);
	return (int64_t)w;
}

static struct at_val lower_version(struct at_http *h, const struct field *f)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *minor = ir_let(b, head_load(h, 4, MSG(minor), UINT32_MAX));
	struct at_ir *text = at_lower_temp(h->lw, f->width);
	struct at_val v = { .type = at_type_string(h->lw->arena, f->width), .ir = text };

	ir_store(b, 8, text, 0,
		 ir_select(b, ir_eqi(b, minor, 0), ir_const(b, text_word("1.0")),
			   ir_select(b, ir_eqi(b, minor, 1), ir_const(b, text_word("1.1")),
				     ir_const(b, 0))));
	return v;
}

static struct at_val lower_status(struct at_http *h, const struct field *f)
{
	return word(h, f, status(h));
}

/* Never negative: a response may be received before the call that sent its request returned. */
static struct at_ir *since_request(struct at_http *h, unsigned offset)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *from = ir_let(b, ir_load(b, 8, slot(h), MSG(first_ns)));
	struct at_ir *to = ir_let(b, ir_load(b, 8, resp(h), offset));

	h->want_send_time = true;
	return ir_select(b, ir_ugt(b, to, from), ir_sub(b, to, from), ir_const(b, 0));
}

static struct at_val lower_latency(struct at_http *h, const struct field *f)
{
	struct at_ir *v = since_request(h, MSG(head_ns));

	return word(h, f, of_head(h, v, v, 0));
}

static struct at_val lower_duration(struct at_http *h, const struct field *f)
{
	return word(h, f, since_request(h, MSG(end_ns)));
}

static struct at_val lower_end(struct at_http *h, const struct field *f)
{
	return word(h, f, ir_load(h->lw->b, 4, resp(h), MSG(end)));
}

static struct at_val lower_request_bytes(struct at_http *h, const struct field *f)
{
	return word(h, f, ir_load(h->lw->b, 8, slot(h), MSG(body_bytes)));
}

static struct at_val lower_response_bytes(struct at_http *h, const struct field *f)
{
	struct at_ir *bytes = ir_load(h->lw->b, 8, resp(h), MSG(body_bytes));

	return word(h, f, of_head(h, bytes, bytes, 0));
}

static struct at_val lower_head_count(struct at_http *h, const struct field *f)
{
	return word(h, f, head_load(h, 4, f->arg, 0));
}

static struct at_val lower_content_length(struct at_http *h, const struct field *f)
{
	return word(h, f, head_load(h, 8, MSG(content_length), -1));
}

static struct at_val lower_conn(struct at_http *h, const struct field *f)
{
	return word(h, f,
		    ir_load(h->lw->b, f->width, ir_param(h->lw->b, AT_HTTP_P_CONN), f->arg));
}

static struct at_val lower_no(struct at_http *h, const struct field *f)
{
	return at_word(f->type, ir_const(h->lw->b, 0));
}

static struct at_val lower_address(struct at_http *h, const struct field *f)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *conn = ir_param(b, AT_HTTP_P_CONN);
	struct at_ir *inet = at_lower_temp(h->lw, f->type->size);

	ir_store(b, 4, inet, 0, ir_load(b, 2, conn, offsetof(struct at_http_conn, family)));
	ir_copy(b, inet, 4, conn, f->arg, 16);
	return (struct at_val){ .type = f->type, .ir = inet };
}

/* The head ended as heads end, within all limits. */
static struct at_ir *is_whole(struct at_http *h, struct at_ir *message)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *flags = ir_load(b, 4, message, MSG(flags));

	return ir_eqi(b, ir_andi(b, flags, AT_HTTP_M_DONE | AT_HTTP_M_CUT),
		      AT_HTTP_M_DONE);
}

static struct at_val lower_complete(struct at_http *h, const struct field *f)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *v = is_whole(h, slot(h));

	if (is_event(h, AT_HTTP_RESPONSE))
		v = ir_and(b, v, is_whole(h, resp(h)));
	else if (is_event(h, AT_HTTP_EXCHANGE))
		v = ir_and(b, v, ir_or(b, ir_iszero(b, status(h)), is_whole(h, resp(h))));
	return word(h, f, v);
}

/* ---- The table ---- */

#define CONN(field)                                                                            \
	sizeof(((struct at_http_conn *)0)->field), IN_ALL, lower_conn,                         \
		offsetof(struct at_http_conn, field)

static const struct field fields[] = {
	{ "method", NULL, 32, IN_ALL, lower_request_text, AT_HTTP_METHOD,
	  "request method, as sent" },
	{ "target", NULL, 256, IN_ALL, lower_request_text, AT_HTTP_TARGET,
	  "request target, as sent; secret when a query parameter in it is" },
	{ "path", NULL, 256, IN_ALL, lower_request_text, AT_HTTP_PATH, "target up to its `?`" },
	{ "query", NULL, 256, IN_ALL, lower_request_text, AT_HTTP_QUERY,
	  "target after its `?`; secret when a parameter in it is" },
	{ "host", NULL, 256, IN_ALL, lower_request_text, AT_HTTP_HOST,
	  "Host field, or the authority of an absolute target" },
	{ "version", NULL, 8, IN_ALL, lower_version, 0,
	  "\"1.0\" or \"1.1\", of the message that fired" },
	{ "status", &at_type_int32, 0, IN_ANSWER, lower_status, 0,
	  "status code; 0 when there was no response" },
	{ "reason", NULL, 64, IN_ANSWER, lower_reason, AT_HTTP_REASON,
	  "text after the status code" },
	{ "latency", &at_type_ns, 0, IN_ANSWER, lower_latency, 0,
	  "from the request's first byte to the complete head of the response; 0 without a "
	  "response" },
	{ "duration", &at_type_ns, 0, IN_EXCHANGE, lower_duration, 0,
	  "from the request's first byte to the response's last" },
	{ "end", &end_type, 0, IN_EXCHANGE, lower_end, 0,
	  "how it ended: complete, reset, closed or upgraded" },
	{ "request_bytes", &at_type_uint64, 0, IN_EXCHANGE, lower_request_bytes, 0,
	  "content of the request: no head, no chunk framing" },
	{ "response_bytes", &at_type_uint64, 0, IN_EXCHANGE, lower_response_bytes, 0,
	  "content of the response: no head, no chunk framing" },
	{ "header_bytes", &at_type_uint64, 0, IN_ALL, lower_head_count, MSG(header_bytes),
	  "bytes of the head that fired, start line and empty line included" },
	{ "nheaders", &at_type_uint64, 0, IN_ALL, lower_head_count, MSG(nheaders),
	  "header fields of the head that fired" },
	{ "content_length", &at_type_int64, 0, IN_ALL, lower_content_length, 0,
	  "Content-Length of the head that fired; -1: absent, malformed or contradictory" },
	{ "side", &side_type, CONN(side), "who this process is: server or client" },
	{ "tls", &at_type_bool, 0, IN_ALL, lower_no, 0, "seen inside a TLS library" },
	{ "stream", &at_type_uint32, 0, IN_ALL, lower_no, 0, "HTTP/2 stream; 0 for HTTP/1" },
	{ "conn", &at_type_uint64, CONN(id),
	  "number of the connection, equal in both directions" },
	{ "saddr", &at_type_inet, 0, IN_ALL, lower_address,
	  offsetof(struct at_http_conn, saddr), "local address" },
	{ "daddr", &at_type_inet, 0, IN_ALL, lower_address,
	  offsetof(struct at_http_conn, daddr), "the peer's address" },
	{ "sport", &at_type_uint16, CONN(sport), "local port" },
	{ "dport", &at_type_uint16, CONN(dport), "the peer's port" },
	{ "family", &at_type_int32, CONN(family), "2: IPv4, 10: IPv6, 1: a unix socket" },
	{ "complete", &at_type_bool, 0, IN_ALL, lower_complete, 0,
	  "false when a limit cut a head, or the request was invalid" },
};

static const struct {
	const char *name;
	const char *reason;
} later[] = {
	{ "inflight", "args.inflight is not there yet" },
	{ "name", "it is a field of http:header, which is not there yet" },
	{ "value", "it is a field of http:header, which is not there yet" },
	{ "direction", "it is a field of http:header, which is not there yet" },
	{ "index", "it is a field of http:event, which is not there yet" },
	{ "elapsed", "it is a field of http:event, which is not there yet" },
	{ "gap", "it is a field of http:event, which is not there yet" },
	{ "data", "it is a field of http:event, which is not there yet" },
};

static const struct field *find(const char *name)
{
	for (size_t i = 0; i < at_count(fields); i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

/* ---- For the descriptor ---- */

const struct at_type *at_http_args(struct at_check *c, struct at_attachpt *point)
{
	const struct at_http_point *p = point->data;
	struct at_type *t = at_new(c->arena, struct at_type);
	struct at_type_field *out = at_new_n(c->arena, struct at_type_field, at_count(fields));

	t->kind = AT_T_STRUCT;
	t->align = 8;
	t->name = at_sprintf(c->arena, "http_%s_args", at_http_event_name(p->event));
	t->fields = out;
	for (size_t i = 0; i < at_count(fields); i++) {
		const struct field *f = &fields[i];

		if (!(f->events & 1u << p->event))
			continue;
		*out = (struct at_type_field){ .name = f->name,
					       .offset = t->size,
					       .brief = f->brief };
		out->type = f->type ? f->type : at_type_string(c->arena, f->width);
		t->size += (out->type->size + 7) & ~7u;
		t->nfields++;
		out++;
	}
	return t;
}

static const char *events_of(struct at_arena *a, unsigned events)
{
	const char *text = "";

	for (unsigned e = 0; e <= AT_HTTP_EXCHANGE; e++)
		if (events & 1u << e)
			text = at_sprintf(a, "%s%shttp:%s", text, *text ? ", " : "",
					  at_http_event_name(e));
	return text;
}

const char *at_http_lacks(struct at_check *c, struct at_attachpt *point, const char *name)
{
	const struct field *f = find(name);

	(void)point;
	if (f)
		return at_sprintf(c->arena, "probes that have it: %s",
				  events_of(c->arena, f->events));
	for (size_t i = 0; i < at_count(later); i++)
		if (strcmp(later[i].name, name) == 0)
			return later[i].reason;
	return NULL;
}

struct at_val at_http_field(struct at_lower *lw, const struct at_type_field *field)
{
	const struct field *f = find(field->name);

	return f->lower(lw->env, f);
}

/* ---- Builtin variables of the message's process ---- */

/* The response's process, or the request's where there was no response. */
static struct at_ir *process(struct at_http *h, unsigned offset)
{
	struct at_irb *b = h->lw->b;

	return ir_select(b, ir_load(b, 8, resp(h), MSG(pid_tgid)),
			 ir_load(b, 8, resp(h), offset), ir_load(b, 8, slot(h), offset));
}

static const struct variable {
	const char *name;
	const struct at_type *type;
	unsigned offset, shift;
} variables[] = {
	{ "pid", &at_type_uint32, MSG(pid_tgid), 32 },
	{ "tid", &at_type_uint32, MSG(pid_tgid), 0 },
	{ "gid", &at_type_uint32, MSG(uid_gid), 32 },
	{ "uid", &at_type_uint32, MSG(uid_gid), 0 },
	{ "cgroup", &at_type_uint64, MSG(cgroup), 0 },
	{ "comm", NULL, MSG(comm), 0 },
};

static struct at_val variable_val(struct at_http *h, const struct variable *v)
{
	struct at_irb *b = h->lw->b;
	struct at_ir *w;

	if (!v->type) {
		struct at_ir *text = at_lower_temp(h->lw, 16);

		ir_store(b, 8, text, 0, process(h, v->offset));
		ir_store(b, 8, text, 8, process(h, v->offset + 8));
		return (struct at_val){ .type = at_type_string(h->lw->arena, 16), .ir = text };
	}
	w = process(h, v->offset);
	if (v->shift)
		w = ir_shri(b, w, v->shift);
	else if (v->type->size == 4)
		w = ir_un(b, AT_OP_ZEXT32, w);
	return at_word(v->type, ir_let(b, w));
}

bool at_http_builtin(struct at_lower *lw, const struct at_func *f, struct at_val *out)
{
	struct at_http *h = lw->env;

	if (!is_event(h, AT_HTTP_EXCHANGE))
		return false;
	for (size_t i = 0; i < at_count(variables); i++)
		if (strcmp(variables[i].name, f->name) == 0) {
			h->want_process = true;
			*out = variable_val(h, &variables[i]);
			return true;
		}
	return false;
}
