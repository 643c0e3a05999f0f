/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads as nearly all are. A start line or a field line that lies in the window
 * as a whole, and is written as clients and servers write it, is taken at once
 * and without a call; a value is copied while its end is looked for. Whatever is
 * otherwise is left, from its line's first byte, to the steps of the state
 * machine (line.c, name.c, field.c), which take anything and stop anywhere: so
 * nothing here is kept from one call to the next.
 */
#include "lib/http/usual.h"

enum { /* most bytes of */
       METHOD = 7,
       TARGET = 192, /* a path, and a query */
       REASON = 64,
};

/* A number of bytes, bounded for the verifier. */
static struct at_ir *count(struct at_walk *w, struct at_ir *n, unsigned most)
{
	n = at_http_forget(w, n);
	leave_if(w, ir_ugti(w->b, n, most));
	return at_http_bounded(w->b, n);
}

static struct at_ir *bytes_until(struct at_walk *w, struct at_ir *pos, int most, unsigned below,
				 const char *ends)
{
	struct at_irb *b = w->b;
	struct at_ir *from = ir_let(b, ir_add(b, w->win, pos));

	return count(w, at_swar_until(b, from, most, below, ends), (unsigned)most);
}

/*
 * Leaves what has to be hashed, and what is longer than its capture, which is
 * counted by the steps. (What may be secret is hashed when it is: see target().)
 */
static void need_room(struct at_walk *w, const struct at_http_capture *c, struct at_ir *n,
		      unsigned most)
{
	if (c && (c->whole || (c->want_hash && !c->may_secret)))
		leave_if(w, ir_const(w->b, 1));
	else if (c && c->width < most)
		leave_if(w, ir_ugti(w->b, n, c->width));
}

/* The n bytes at pos, at most `most`, are the text of a capture of the message; NULL: of none.
 */
static void put_text(struct at_walk *w, struct at_ir *msg, const struct at_http_capture *c,
		     struct at_ir *pos, struct at_ir *n, unsigned most)
{
	struct at_irb *b = w->b;
	struct at_ir *text, *from;

	if (!c)
		return;
	text = ir_let(b, ir_addi(b, msg, c->offset));
	from = ir_let(b, ir_add(b, w->win, pos));
	copy_text(w, text, from, ir_let(b, n), most < c->width ? most : c->width);
	AT_ST(at_http_text, text, len, n);
	AT_ST(at_http_text, text, full, n);
}

/* There is more white space around the n bytes of text than one space before them. */
static void leave_if_padded(struct at_walk *w, struct at_ir *space, struct at_ir *n)
{
	struct at_irb *b = w->b;

	IF(n);
	leave_if(w, ir_ulei(b, at(w, space, 1, 1), ' '));
	leave_if(w, ir_ulei(b, at(w, ir_add(b, space, n), 1, 0), ' '));
	END;
}

/* ---- Start lines ---- */

/* Length of the method at pos: letters, and a space behind them. */
static struct at_ir *method(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, at(w, pos, 8, 0)), *other, *n;

	other = ir_let(b, ir_xori(b, at_swar_plain(b, word), at_swar(0x80)));
	leave_if(w, ir_iszero(b, other));
	n = count(w, at_swar_first(b, other), METHOD);
	leave_if(w, ir_or(b, ir_iszero(b, n), ir_nei(b, at(w, ir_add(b, pos, n), 1, 0), ' ')));
	return n;
}

/* "HTTP/1." and a digit at pos. The minor version. */
static struct at_ir *version(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;
	struct at_ir *word = ir_let(b, at(w, pos, 8, 0)), *bad;
	struct at_ir *digit = ir_let(b, ir_subi(b, ir_shri(b, word, 56), '0'));

	bad = ir_nei(b, ir_shli(b, word, 8), (int64_t)(at_word_of("HTTP/1.", 7) << 8));
	leave_if(w, ir_or(b, bad, ir_ugti(b, digit, 9)));
	return ir_let(b, ir_un(b, AT_OP_BOOL, digit));
}

/* CR LF at pos, inside the window. */
static void need_crlf(struct at_walk *w, struct at_ir *pos)
{
	struct at_irb *b = w->b;

	leave_if(w, ir_or(b, ir_nei(b, at(w, pos, 2, 0), '\r' | '\n' << 8),
			  ir_ugt(b, ir_addi(b, pos, 2), WL(end))));
}

struct target {
	struct at_ir *path, *npath, *query, *nquery, *end;
};

/*
 * Path and query from pos up to a space. What may hold a secret parameter is left
 * to the steps, which search it, if somebody wants to see it.
 */
static struct target target(struct at_walk *w, struct at_ir *pos)
{
	const struct at_http_capture *all =
		at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_TARGET);
	const struct at_http_capture *query =
		at_http_capture_of(w->e, AT_HTTP_OF_REQUEST, AT_HTTP_QUERY);
	const bool secret = (all && all->may_secret) || (query && query->may_secret);
	struct at_irb *b = w->b;
	unsigned q = ir_local(b), n = ir_local(b), end = ir_local(b);
	struct target t = { .path = pos };
	struct at_ir *c;

	leave_if(w, ir_nei(b, at(w, pos, 1, 0), '/'));
	t.npath = bytes_until(w, pos, TARGET, 0x21, secret ? "?#" : "?");
	t.query = ir_get(b, q);
	t.nquery = ir_get(b, n);
	t.end = ir_get(b, end);
	ir_set(b, q, pos);
	ir_set(b, n, C(0));
	ir_set(b, end, place(w, ir_add(b, pos, t.npath)));
	c = ir_let(b, at(w, t.end, 1, 0));
	IF(ir_nei(b, c, ' '));
	leave_if(w, secret ? C(1) : ir_nei(b, c, '?'));
	ir_set(b, q, place(w, ir_addi(b, t.end, 1)));
	ir_set(b, n, bytes_until(w, t.query, TARGET, 0x21, ""));
	ir_set(b, end, place(w, ir_add(b, t.query, t.nquery)));
	leave_if(w, ir_nei(b, at(w, t.end, 1, 0), ' '));
	END;
	return t;
}

/* A request line: 0, it is taken; 1, nothing is. */
static unsigned request_line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_request_line", 3), *w = &walk;
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *n, *minor, *crlf, *msg;
	struct target t;

	leave_if(w, at_http_open_requests_full(w));
	n = method(w, pos);
	t = target(w, place(w, ir_addi(b, ir_add(b, pos, n), 1)));
	minor = version(w, place(w, ir_addi(b, t.end, 1)));
	crlf = place(w, ir_addi(b, t.end, 9));
	need_crlf(w, crlf);
	const struct {
		enum at_http_what what;
		struct at_ir *pos, *n;
		unsigned most;
	} texts[] = {
		{ AT_HTTP_METHOD, pos, n, METHOD },
		{ AT_HTTP_PATH, t.path, t.npath, TARGET },
		{ AT_HTTP_QUERY, t.query, t.nquery, TARGET },
		{ AT_HTTP_TARGET, t.path, ir_let(b, ir_sub(b, t.end, t.path)), 2 * TARGET + 1 },
	};
	const struct at_http_capture *c[at_count(texts)];

	for (size_t i = 0; i < at_count(texts); i++) {
		c[i] = at_http_capture_of(e, AT_HTTP_OF_REQUEST, texts[i].what);
		need_room(w, c[i], texts[i].n, texts[i].most);
	}
	at_http_message_at(w, pos);
	msg = at_http_begin_request(w, pos);
	MS(msg, minor, minor);
	for (size_t i = 0; i < at_count(texts); i++)
		put_text(w, msg, c[i], texts[i].pos, texts[i].n, texts[i].most);
	WS(pos, ir_addi(b, crlf, 2));
	at_http_decide_roles(w);
	RETURN(0);
	return b->index;
}

/* The line of a final status with a space behind it: 0, it is taken; 1, nothing is. */
static unsigned status_line_func(struct at_http_eng *e)
{
	struct at_walk walk = at_http_inline(e, "http_status_line", 3), *w = &walk;
	const struct at_http_capture *c =
		at_http_capture_of(e, AT_HTTP_OF_RESPONSE, AT_HTTP_REASON);
	struct at_irb *b = w->b;
	struct at_ir *pos = at_http_pos(w), *minor, *status, *space, *n, *crlf, *msg;

	leave_if(w, ir_uge(b, KL(resp_seq), KL(req_seq)));
	minor = version(w, pos);
	status = at_http_status_at(w, pos);
	leave_if(w, ir_or(b, ir_ulti(b, status, 200), ir_nei(b, at(w, pos, 1, 12), ' ')));
	space = place(w, ir_addi(b, pos, 12));
	n = bytes_until(w, ir_addi(b, space, 1), REASON, 0x0e, "");
	leave_if_padded(w, space, n);
	crlf = place(w, ir_addi(b, ir_add(b, space, n), 1));
	need_crlf(w, crlf);
	need_room(w, c, n, REASON);
	at_http_message_at(w, pos);
	msg = at_http_begin_response(w, minor, status);
	put_text(w, msg, c, ir_addi(b, space, 1), n, REASON);
	WS(pos, ir_addi(b, crlf, 2));
	RETURN(0);
	return b->index;
}

/* Heads are read for captures so far. */
static struct at_ir *is_long(struct at_walk *w)
{
	struct at_irb *b = w->b;

	return ir_ugti(b, ir_sub(b, HL(off), HL(start)), AT_HTTP_HEAD);
}

/* A field that the steps have read ends, unless this line goes on with it. */
static void end_field(struct at_walk *w, unsigned name)
{
	struct at_irb *b = w->b;
	struct at_ir *c;

	IF(ir_or(b, HL(cap), ir_or(b, HL(cap2), HL(fold))));
	c = ir_let(b, at(w, at_http_pos(w), 1, 0));
	IF(ir_or(b, ir_eqi(b, c, ' '), ir_eqi(b, c, '\t')));
	ir_return(b, at_http_step(w, name));
	END;
	ir_do(b, at_http_step(w, w->e->f_field_end));
	END;
}

/* Between messages, or at the start of a line: what is usual, then a step of what is not. */
void at_http_usual_func(struct at_http_eng *e)
{
	unsigned request = request_line_func(e), status = status_line_func(e),
		 trip = at_http_usual_lines(e), start = e->f_step[AT_S_START],
		 name = e->f_step[AT_S_NAME];
	struct at_walk walk = at_http_func(e, "http_usual", 3), *w = &walk;
	struct at_irb *b = w->b;

	e->f_step[AT_S_START] = e->f_step[AT_S_NAME] = b->index;
	IF(ir_eqi(b, HL(state), AT_S_START));
	IF(ir_eqi(b, HL(role), AT_ROLE_RESPONSE));
	IF(at_http_step(w, status));
	ir_return(b, at_http_step(w, start));
	END;
	ELSE;
	IF(at_http_step(w, request));
	ir_return(b, at_http_step(w, start));
	END;
	END;
	HS(state, C(AT_S_NAME));
	END;
	IF(ir_uge(b, WL(pos), WL(end)));
	RETURN(0);
	END;
	IF(ir_or(b, HL(trailer), is_long(w)));
	ir_return(b, at_http_step(w, name));
	END;
	end_field(w, name);
	/* Not 0: the lines are left to the steps. */
	ir_store(b, 8, w->win, off_number(N_LEFT), C(1));
	ir_repeat(b, NULL, trip, at_http_context(w));
	IF(again(w, N_LEFT));
	ir_return(b, at_http_step(w, name));
	END;
	RETURN(0);
}
