/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements in core IR. Loops over ranges and `while` are loops of the IR
 * that the kernel's own budget bounds where it can (see ir_loop_guarded);
 * unroll writes its body several times.
 */
#include "frontend/lower_int.h"

/* ---- Blocks ---- */

static void lower_stmts(struct at_lower *lw, struct at_n_block *b)
{
	for (size_t i = 0; i < b->stmts.n; i++)
		at_lower_stmt(lw, b->stmts.v[i]);
}

void at_lower_block(struct at_lower *lw, struct at_n_block *n)
{
	struct at_mark m = at_frame_mark(lw);
	size_t vars = lw->frame->vars.n;

	lower_stmts(lw, n);
	if (n->value)
		at_lower_value(lw, n->value);
	at_frame_end_block(lw, vars);
	at_frame_release(lw, &m);
}

/* The value outlives the block: it is moved into memory made before it. */
struct at_val at_lower_block_value(struct at_lower *lw, struct at_n_block *n,
				   const struct at_type *type)
{
	struct at_irb *b = lw->b;
	bool word = at_type_is_word(type);
	struct at_val out = { .type = type }, v;
	unsigned local = ir_local(b), secret = ir_local(b), hash = ir_local(b);
	struct at_mark m;
	size_t vars;

	out.ir = word ? ir_get(b, local) : at_lower_temp(lw, type->size);
	m = at_frame_mark(lw);
	vars = lw->frame->vars.n;
	lower_stmts(lw, n);
	v = at_lower_expr(lw, n->value);
	if (word) {
		ir_set(b, local, at_lower_fit(lw, type, v.type, v.ir));
	} else if (type->kind == AT_T_STRING) {
		ir_set(b, secret, v.secret ? v.secret : ir_const(b, 0));
		ir_set(b, hash, v.secret ? at_lower_secret_hash(lw, v) : ir_const(b, 0));
		at_lower_put_text(lw, out.ir, 0, type->size, v, true);
		if (v.secret) {
			out.secret = ir_get(b, secret);
			out.hash = ir_get(b, hash);
		}
	} else {
		at_lower_store(lw, type, out.ir, 0, v);
	}
	at_frame_end_block(lw, vars);
	at_frame_release(lw, &m);
	return out;
}

/* ---- Assignments ---- */

static void lower_expr_stmt(struct at_lower *lw, struct at_node *n)
{
	struct at_node *of = ((struct at_n_expr_stmt *)n)->of;
	struct at_n_incdec *step = (struct at_n_incdec *)of;

	if (of->kind == AT_N_INCDEC && step->of->kind == AT_N_MAP)
		at_lower_map_change(lw, (struct at_n_map *)step->of,
				    step->decrement ? AT_B_SUB : AT_B_ADD, ir_const(lw->b, 1),
				    of->type, AT_WANT_NONE);
	else
		at_lower_value(lw, of);
}

static void assign_var(struct at_lower *lw, struct at_n_assign *s)
{
	struct at_var *v = ((struct at_n_var *)s->to)->var;
	struct at_val val = at_lower_value(lw, s->value), old;

	if (s->op != AT_B_NONE) {
		old = at_frame_read(lw, v);
		val = at_word(s->n.type,
			      at_lower_arith(lw, s->op, s->n.type, v->type, old.ir, val.ir));
	}
	at_frame_assign(lw, v, val);
}

static bool is_agg(const struct at_node *e)
{
	return e->kind == AT_N_CALL && ((const struct at_n_call *)e)->func->flags & AT_F_AGG;
}

static void assign_map(struct at_lower *lw, struct at_n_assign *s)
{
	struct at_n_map *to = (struct at_n_map *)s->to;

	if (is_agg(s->value))
		at_lower_map_agg(lw, to, (struct at_n_call *)s->value);
	else if (s->op == AT_B_NONE)
		at_lower_map_assign(lw, to, at_lower_value(lw, s->value));
	else
		at_lower_map_change(lw, to, s->op, at_lower_word(lw, s->value), s->n.type,
				    AT_WANT_NONE);
}

static void lower_assign(struct at_lower *lw, struct at_node *n)
{
	struct at_n_assign *s = (struct at_n_assign *)n;

	if (s->to->kind == AT_N_VAR)
		assign_var(lw, s);
	else if (s->to->kind == AT_N_MAP)
		assign_map(lw, s);
	else
		at_lower_value(lw, s->value);
}

static void lower_let(struct at_lower *lw, struct at_node *n)
{
	struct at_n_let *s = (struct at_n_let *)n;

	if (s->value)
		at_frame_assign(lw, s->var, at_lower_value(lw, s->value));
	else
		at_frame_declare(lw, s->var, true);
}

/* Memory of a variable that this statement makes must outlive the statement. */
static void declare_first(struct at_lower *lw, struct at_node *n)
{
	if (n->kind == AT_N_LET)
		at_frame_declare(lw, ((struct at_n_let *)n)->var,
				 !((struct at_n_let *)n)->value);
	else if (n->kind == AT_N_ASSIGN && ((struct at_n_assign *)n)->to->kind == AT_N_VAR)
		at_frame_declare(lw, ((struct at_n_var *)((struct at_n_assign *)n)->to)->var,
				 false);
}

/* ---- Branches ---- */

static void lower_if(struct at_lower *lw, struct at_node *n)
{
	struct at_n_if *s = (struct at_n_if *)n;

	ir_if(lw->b, at_lower_cond(lw, s->cond));
	at_lower_block(lw, s->yes);
	if (s->no) {
		ir_else(lw->b);
		at_lower_stmt(lw, s->no);
	}
	ir_end(lw->b);
}

static void lower_block_stmt(struct at_lower *lw, struct at_node *n)
{
	at_lower_block(lw, (struct at_n_block *)n);
}

static void lower_return(struct at_lower *lw, struct at_node *n)
{
	struct at_n_return *s = (struct at_n_return *)n;

	if (s->value)
		at_lower_value(lw, s->value);
	at_lower_leave(lw);
}

/* ---- Loops ---- */

static void loop_body(struct at_lower *lw, struct at_n_block *body)
{
	struct at_loop loop = { .up = lw->frame->loop };

	lw->frame->loop = &loop;
	at_lower_block(lw, body);
	lw->frame->loop = loop.up;
}

/* Is the kernel one that bounds loops? That a plan asks tells codegen to use it. */
static unsigned may_goto_sym(struct at_irb *b)
{
	return at_plan_sym(b->plan, AT_SYM_KCONST, "may_goto", 0);
}

static void lower_while(struct at_lower *lw, struct at_node *n)
{
	struct at_n_while *s = (struct at_n_while *)n;
	struct at_irb *b = lw->b;

	may_goto_sym(b);
	ir_loop_guarded(b);
	ir_if(b, ir_iszero(b, at_lower_cond(lw, s->cond)));
	ir_break(b);
	ir_end(b);
	loop_body(lw, s->body);
	ir_end(b);
}

/*
 * Zero, but where may_goto bounds loops the verifier does not know that: it
 * would follow a counter that starts at a known number round by round.
 */
static struct at_ir *unknown_zero(struct at_irb *b)
{
	unsigned sym = may_goto_sym(b), zero = ir_local(b);
	struct at_ir *task;

	ir_set(b, zero, ir_const(b, 0));
	ir_if(b, ir_sym(b, sym));
	task = ir_let(b, ir_helper(b, AT_H_CURRENT_TASK, 0));
	ir_set(b, zero, ir_sub(b, task, ir_un(b, AT_OP_HIDE, task)));
	ir_end(b);
	return ir_get(b, zero);
}

/* The bounds are evaluated once; the script may change its variable, the count goes on. */
static void lower_range(struct at_lower *lw, struct at_node *n)
{
	struct at_n_for *s = (struct at_n_for *)n;
	struct at_irb *b = lw->b;
	struct at_ir *from = at_lower_word(lw, s->from),
		     *end = ir_let(b, at_lower_word(lw, s->to));
	size_t vars = lw->frame->vars.n;
	unsigned i = ir_local(b);

	ir_set(b, i, from);
	ir_set(b, i, ir_add(b, ir_get(b, i), unknown_zero(b)));
	at_frame_declare(lw, s->var, true);
	ir_loop_guarded(b);
	ir_if(b, ir_sge(b, ir_get(b, i), end));
	ir_break(b);
	ir_end(b);
	/* Hidden, so that nothing is counted up beside it whose bound the verifier would not
	 * see. */
	at_frame_assign(lw, s->var,
			at_word(&at_type_int64, ir_un(b, AT_OP_HIDE, ir_get(b, i))));
	ir_set(b, i, ir_addi(b, ir_get(b, i), 1));
	loop_body(lw, s->body);
	ir_end(b);
	at_frame_end_block(lw, vars);
}

static void lower_for(struct at_lower *lw, struct at_node *n)
{
	if (((struct at_n_for *)n)->over)
		at_lower_each(lw, (struct at_n_for *)n);
	else
		lower_range(lw, n);
}

/* Each copy is a loop of one round, so that break and continue have something to leave. */
static void unrolled_copy(struct at_lower *lw, struct at_n_block *body, struct at_loop *loop)
{
	struct at_irb *b = lw->b;

	ir_if(b, ir_iszero(b, ir_get(b, loop->done)));
	ir_loop(b);
	lw->frame->loop = loop;
	at_lower_block(lw, body);
	lw->frame->loop = loop->up;
	ir_break(b);
	ir_end(b);
	ir_end(b);
}

static void lower_unroll(struct at_lower *lw, struct at_node *n)
{
	struct at_n_unroll *s = (struct at_n_unroll *)n;
	struct at_loop loop = { .up = lw->frame->loop, .unrolled = true };
	int64_t times = 0;

	at_fold_int(s->times, &times);
	loop.done = ir_local(lw->b);
	ir_set(lw->b, loop.done, ir_const(lw->b, 0));
	for (int64_t i = 0; i < times && !at_lower_low(lw); i++)
		unrolled_copy(lw, s->body, &loop);
}

static void lower_break(struct at_lower *lw, struct at_node *n)
{
	struct at_loop *loop = lw->frame->loop;

	if (loop->callback) {
		ir_return(lw->b, ir_const(lw->b, 1));
		return;
	}
	if (loop->unrolled)
		ir_set(lw->b, loop->done, ir_const(lw->b, 1));
	ir_break(lw->b);
}

static void lower_continue(struct at_lower *lw, struct at_node *n)
{
	if (lw->frame->loop->callback)
		ir_return(lw->b, ir_const(lw->b, 0));
	else if (lw->frame->loop->unrolled)
		ir_break(lw->b);
	else
		ir_continue(lw->b);
}

static void (*const stmts[AT_N_COUNT])(struct at_lower *, struct at_node *) = {
	[AT_N_EXPR] = lower_expr_stmt,    [AT_N_ASSIGN] = lower_assign,
	[AT_N_LET] = lower_let,           [AT_N_IF] = lower_if,
	[AT_N_WHILE] = lower_while,       [AT_N_UNROLL] = lower_unroll,
	[AT_N_FOR] = lower_for,           [AT_N_BREAK] = lower_break,
	[AT_N_CONTINUE] = lower_continue, [AT_N_RETURN] = lower_return,
	[AT_N_BLOCK] = lower_block_stmt,
};

void at_lower_stmt(struct at_lower *lw, struct at_node *n)
{
	struct at_range outer = lw->b->range;
	struct at_mark m;

	if (at_lower_too_deep(lw, n))
		return;
	lw->b->range = n->range;
	declare_first(lw, n);
	m = at_frame_mark(lw);
	if (stmts[n->kind])
		stmts[n->kind](lw, n);
	else
		at_lower_value(lw, n);
	at_frame_release(lw, &m);
	lw->b->range = outer;
}
