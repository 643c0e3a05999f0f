/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of the engine inside the kernel, and what the files that write its
 * programs share. Nothing outside lib/http includes it.
 *
 * sk_storage "http_conn", one value per connection:
 *	struct at_http_state | response area | slots (depth) | blank slot | spill slot | padding
 * A slot is one open request. The half that carries requests writes it, the
 * half that carries responses reads it. The blank slot stands for a request
 * that was invalid or unfinished when it was answered, the spill slot takes a
 * request when all others are open. They share their texts: nobody reads the blank's.
 *
 * array "http_more": open requests beyond those slots, of all connections (pipeline.c).
 *
 * sk_storage "http_mark", one small value per socket: what is known of a socket
 * that has no connection memory.
 *
 * per-CPU array "http_window", two values: bytes of the call being read. Entry
 * 0 belongs to process context, entry 1 to state changes, which may interrupt.
 */
#ifndef AT_HTTP_LAYOUT_H
#define AT_HTTP_LAYOUT_H

#include "lib/http/http.h"
#include "lib/http/swar.h"

enum {
	AT_HTTP_CARRY = 64,  /* bytes of an unfinished token kept for the next read */
	AT_HTTP_READ = 4096, /* most bytes of one read of user memory */
	AT_HTTP_EDGE = AT_HTTP_CARRY + AT_HTTP_READ,
	AT_HTTP_STEP = 64,    /* most bytes of text one step takes, or appends */
	AT_HTTP_ENGINE = 128, /* bytes kept of the fields that the engine reads itself */
	AT_HTTP_METHODS = 64, /* requests whose method is remembered for framing */
	AT_HTTP_HEAD = 65536, /* bytes of a head that are read for captures */
	AT_HTTP_SLOTS = 2,    /* of a connection: a request may begin while one is answered */
	AT_HTTP_NAMES = 64,   /* different names wanted in one half */
	AT_HTTP_PUTS = 8,     /* pieces of text one step may append: power of two */
	AT_HTTP_PAD = 192,    /* behind the last slot, so that bounds stay simple */
	AT_HTTP_MOST = 60000, /* of memory per connection: what the kernel takes, and 16 bits */
	AT_HTTP_TRIPS = 1 << 20, /* steps per call */
};

/* Where a half stands. Those from AT_S_NO_INPUT on need no further byte. */
enum {
	AT_S_START, /* between messages */
	AT_S_FIRST, /* first token of a message */
	AT_S_TARGET,
	AT_S_VERSION,
	AT_S_STATUS,
	AT_S_NAME, /* at the start of a line of the head */
	AT_S_LONG, /* inside a name too long to be wanted */
	AT_S_LEAD, /* white space before a value */
	AT_S_VALUE,
	AT_S_SPACE, /* white space that may end a value */
	AT_S_WAIT,  /* response half behind a response whose request is not known yet */
	AT_S_CHUNK, /* digits of a chunk's size */
	AT_S_CHUNK_EXT,
	AT_S_CHUNK_LF,
	AT_S_CHUNK_END, /* line end behind a chunk's data */
	AT_S_BODY,      /* body_left bytes of content */
	AT_S_TO_CLOSE,  /* content until the end of the stream */
	AT_S_OVER,      /* no message can follow */
	AT_S_LOST,      /* request half behind an invalid request */
	AT_S_HOLD,      /* request half behind an asked upgrade */
	AT_S_NO_INPUT,
	AT_S_HEAD_END = AT_S_NO_INPUT,
	AT_S_MSG_END,
	AT_S_EXCHANGE,
};

enum { AT_ROLE_UNKNOWN, AT_ROLE_REQUEST, AT_ROLE_RESPONSE };
enum { AT_DIR_IN, AT_DIR_OUT };

/* What the fields of a head say about framing (half.frame). */
enum {
	AT_FR_LENGTH = 1,
	AT_FR_BAD_LENGTH = 2,
	AT_FR_CODED = 4,
	AT_FR_CHUNKED = 8,
	AT_FR_CLOSE = 16,
	AT_FR_KEEP = 32,
	AT_FR_UPGRADE = 64,
};

/* Fields that the engine reads itself. */
enum { AT_E_NONE, AT_E_LENGTH, AT_E_CODING, AT_E_CONNECTION };

/* Parts of a request-target (half.part). */
enum { AT_T_NEW, AT_T_SCHEME, AT_T_AUTHORITY, AT_T_PATH, AT_T_QUERY, AT_T_REST };

/* Is there a text that a folded line would go on (half.fold). */
enum { AT_FOLD_NONE, AT_FOLD_TEXT, AT_FOLD_PENDING };

/* Private flag of at_http_msg.flags: begun before the connection was synchronised. */
enum { AT_HTTP_M_MUTE = 1 << 16 };

/*
 * A capture in one word: offset of its at_http_text in the connection (bits
 * 0-15), width (16-31), offset of its hash state (32-47, 0: none), bit 48: its
 * text is searched for secret parameters, from 49 on its counter. 0: no capture.
 */
enum { AT_CAP_WIDTH = 16, AT_CAP_HASH = 32, AT_CAP_SECRET = 48, AT_CAP_COUNTER = 49 };

struct at_http_sip { /* SipHash-1-3 in progress */
	uint64_t v[4], tail;
	uint32_t ntail, len;
};

struct at_http_stream {
	uint32_t busy; /* 1 while a program walks it */
	uint32_t state, role, dir;
	uint32_t self; /* offset of this struct in the connection */
	uint32_t msg;  /* offset of the message being written */
	uint32_t pair; /* response: offset of its request's slot; 0: none */
	uint32_t part, ncarry, frame, engine;
	uint32_t first_line; /* no field line seen yet, so nothing can be continued */
	uint32_t trail;      /* bytes of white space that were appended and may end the value */
	uint32_t fold, trailer, interim, digits, secret, host_set, line;
	uint32_t begun; /* response: its status line was read */
	uint32_t early; /* response: the call that sent its request has not returned */
	uint32_t keep;  /* request: its slot is the spill slot, from which it is put away */
	uint64_t off;   /* bytes of the stream up to the window's end */
	uint64_t start; /* of the message, in the same count */
	uint64_t next;  /* TCP: sequence number that is due, 32 bits; -1: not known */
	uint64_t first_ns, body_left, length;
	/* sendmmsg, recvmmsg: what the next message of the call is. */
	uint64_t mm_vec, mm_task, mm_next;
	uint32_t mm_bad;          /* it is not known any more */
	uint64_t cap, cap2;       /* captures that the text goes to */
	uint64_t delim[3];        /* bytes that end a part of the target, each eight times */
	uint64_t word[2];         /* name of the query parameter being read */
	uint32_t nword, scan;     /* its length + 1; 0: not at a name; scan: 1 after '?' */
	struct at_http_text text; /* engine field: */
	uint8_t bytes[AT_HTTP_ENGINE + 8];
	uint8_t carry[AT_HTTP_CARRY]; /* right-aligned */
};

struct at_http_state {
	struct at_http_conn pub;
	uint32_t dead;              /* nothing more to be seen */
	uint32_t tentative;         /* not known yet to be in step */
	uint32_t broken;            /* two calls walked one half at once */
	uint32_t poison;            /* the request half is lost; ends with the last answer */
	uint32_t held;              /* bytes came while an upgrade was pending */
	uint32_t more;              /* requests were put away */
	uint32_t sending;           /* TCP, by the last read: a send is under way */
	uint32_t closed;            /* 1: connection ended, 2: by RST */
	uint32_t closing;           /* the same, while there is something to be read */
	uint32_t fin[2];            /* by direction */
	uint64_t closed_ns;         /* when the connection ended */
	uint64_t send_ns;           /* start of the send in progress */
	uint64_t req_seq, resp_seq; /* requests begun, responses ended */
	struct at_http_stream half[2];
	uint64_t slot_seq[AT_HTTP_SLOTS];  /* 1 + sequence number of the request in a slot */
	uint16_t kept_at[AT_HTTP_METHODS]; /* place in http_more of a request that was put away
					    */
	uint8_t methods[AT_HTTP_METHODS];  /* AT_HTTP_M_HEAD, AT_HTTP_M_CONNECT */
};

enum { AT_MARK_NEW, AT_MARK_NOT, AT_MARK_SEARCH };

struct at_http_mark {
	uint32_t kind, tries, last; /* last: 1 + direction of the last call */
	uint32_t pad;
	uint64_t send_ns;
	uint64_t born; /* kept by address: the socket of AF_UNIX that it was made for */
};

enum { AT_V_OK, AT_V_NOT, AT_V_SEARCH };

struct at_http_win {
	uint8_t d[AT_HTTP_EDGE + 256];
	uint64_t pos, end;
	uint64_t left;       /* bytes of the call neither read nor passed over */
	uint64_t base, room; /* user memory of the current piece */
	uint64_t iov, niov;  /* pieces to come */
	uint64_t now, verdict, nobuf;
	uint64_t vec, vlen; /* of sendmmsg, recvmmsg: messages; 0: none */
	uint64_t urgent;    /* not 0: the last byte of the call is none of the stream */
	uint64_t tmp[16];
	uint64_t nput, put;              /* pieces of text to be appended; the next of them */
	uint64_t piece[AT_HTTP_PUTS][2]; /* src | n << 32, capture word */
	uint64_t user[2];                /* read from user memory: an iovec, first bytes */
	uint8_t sep[72];                 /* ", " */
};

/* Engine while it writes the programs. */
struct at_http_eng {
	struct at_http *h;
	struct at_plan *plan;
	struct at_irb b; /* function being written */
	unsigned m_conn, m_mark, m_win;
	unsigned m_more, nmore; /* map http_more, and requests in it; 0: none */
	unsigned resp_off, slots_off, blank_off, spill_off, total;
	unsigned sip_off[2], nsip[2]; /* by half: offset of the first state, number */
	/* Functions, in the order in which they are written. */
	unsigned f_put, f_secret, f_sip_end, f_trail, f_more, f_fail, f_invalid, f_token,
		f_join;
	unsigned f_field_end, f_finish, f_pass, f_pair, f_exchange, f_fire[AT_HTTP_EVENTS];
	unsigned f_refill, f_iov, f_walk;
	unsigned f_keep, f_fetch, f_answer, f_message;
	unsigned f_sniff, f_search, f_source, f_end;
	/* Written once for each tap; its maps are m_conn and m_mark. */
	const struct at_http_tap *tap;
	unsigned f_filter, f_start, f_gap, f_settle, f_hangup, f_mark, f_admit, f_unsend, f_tap;
	/* Of taps that keep by address. */
	unsigned m_blank, f_find_conn, f_find_mark, spare_of;
	struct at_ir *spare;
	unsigned f_step[AT_S_EXCHANGE + 1]; /* by state; 0: none of its own */
};

/* What every step has: its function's first three params. */
struct at_walk {
	struct at_http_eng *e;
	struct at_irb *b;
	struct at_ir *conn, *half, *win;
};

/* Begins a function of (connection, half, window, …). */
struct at_walk at_http_func(struct at_http_eng *e, const char *name, unsigned nparams);
/* The same, written into its caller: calls may be 8 deep in the kernel, and a clause needs
 * some. */
struct at_walk at_http_inline(struct at_http_eng *e, const char *name, unsigned nparams);
struct at_walk at_http_trip(struct at_http_eng *e, const char *name);
/* Address of the words that a trip finds: connection, half, window. */
struct at_ir *at_http_context(struct at_walk *w);

/* text.c */
void at_http_text_funcs(struct at_http_eng *e);
/* Has n bytes of win + src appended to a capture, before the next step. */
void at_http_put(struct at_walk *w, struct at_ir *src, struct at_ir *n, struct at_ir *cap);
void at_http_reset_texts(struct at_walk *w, struct at_ir *msg, enum at_http_half half);
void at_http_end_texts(struct at_walk *w, struct at_ir *msg, enum at_http_half half);
uint64_t at_http_cap_word(const struct at_http_eng *e, const struct at_http_capture *c);
const struct at_http_capture *
at_http_capture_of(const struct at_http_eng *e, enum at_http_half half, enum at_http_what what);
/* name.c: who wants a name, in one half. */
struct at_http_want {
	const char *name;
	const struct at_http_capture *field, *host;
	int engine;
};

struct at_http_wants {
	struct at_http_want v[AT_HTTP_NAMES];
	size_t n;
};

void at_http_wants(const struct at_http_eng *e, enum at_http_half half,
		   struct at_http_wants *all);
/* Are these bytes the name, in any case? */
struct at_ir *at_http_same_name(struct at_irb *b, struct at_ir *at, const char *name);

/* field.c: words of the Connection field, and what they say about framing. */
struct at_http_option {
	const char *name;
	int64_t bits;
};
enum { AT_HTTP_OPTIONS = 3 };
extern const struct at_http_option at_http_options[AT_HTTP_OPTIONS];

/* line.c: a message begins. */
struct at_ir *at_http_open_requests_full(struct at_walk *w);
/* Its first byte is at pos. */
void at_http_message_at(struct at_walk *w, struct at_ir *pos);
/* The request whose method is at pos, or the final response; its message. */
struct at_ir *at_http_begin_request(struct at_walk *w, struct at_ir *pos);
struct at_ir *at_http_begin_response(struct at_walk *w, struct at_ir *minor,
				     struct at_ir *status);
/* The first valid request line says who is who. */
void at_http_decide_roles(struct at_walk *w);
/* Three digits behind "HTTP/1.x ", 0 if they are none. */
struct at_ir *at_http_status_at(struct at_walk *w, struct at_ir *pos);

/* line.c, field.c, body.c, exchange.c, window.c, tap.c: each writes its functions. */
void at_http_window_funcs(struct at_http_eng *e);
void at_http_line_funcs(struct at_http_eng *e);
void at_http_field_funcs(struct at_http_eng *e);
void at_http_name_funcs(struct at_http_eng *e);
void at_http_body_funcs(struct at_http_eng *e);
void at_http_exchange_funcs(struct at_http_eng *e);
void at_http_fail_funcs(struct at_http_eng *e);
void at_http_finish_funcs(struct at_http_eng *e);
/* Takes the place of the steps that begin messages and lines. */
void at_http_usual_func(struct at_http_eng *e);
void at_http_walk_func(struct at_http_eng *e);
void at_http_sniff_funcs(struct at_http_eng *e);
void at_http_source_func(struct at_http_eng *e);
void at_http_end_func(struct at_http_eng *e);
/* What is written once for each tap, by at_http_tap_progs(). */
void at_http_tap_progs(struct at_http_eng *e);
void at_http_sock_funcs(struct at_http_eng *e);
void at_http_admit_func(struct at_http_eng *e);
void at_http_settle_func(struct at_http_eng *e);
void at_http_hangup_func(struct at_http_eng *e);

/* pipeline.c */
void at_http_pipeline_map(struct at_http_eng *e);
void at_http_pipeline_funcs(struct at_http_eng *e);
/* The request half's message is complete: it is put away, if it was written for that. */
void at_http_keep(struct at_walk *w);
/* Before the next response's slot is looked at: its request is brought back, if it was put
 * away. */
void at_http_fetch(struct at_walk *w);

/* messages.c */
void at_http_message_func(struct at_http_eng *e);
void at_http_messages_end(struct at_http_eng *e, struct at_ir *conn);

/* early.c */
/* May the request of a response that is being read be in a call that has not returned? */
struct at_ir *at_http_may_be_early(struct at_walk *w);
void at_http_begin_early(struct at_walk *w);
void at_http_early_roles(struct at_walk *w);
void at_http_answer_func(struct at_http_eng *e);
void at_http_answer_early(struct at_walk *w);

/* Loads and stores of members; `w` and `b` are in scope. */
#define AT_SIZE(type, f)        sizeof(((struct type *)0)->f)
#define AT_LD(type, addr, f)    ir_load(b, AT_SIZE(type, f), addr, offsetof(struct type, f))
#define AT_ST(type, addr, f, v) ir_store(b, AT_SIZE(type, f), addr, offsetof(struct type, f), v)
#define HL(f)                   AT_LD(at_http_stream, w->half, f)
#define HS(f, v)                AT_ST(at_http_stream, w->half, f, v)
#define WL(f)                   AT_LD(at_http_win, w->win, f)
#define WS(f, v)                AT_ST(at_http_win, w->win, f, v)
#define KL(f)                   AT_LD(at_http_state, w->conn, f)
#define KS(f, v)                AT_ST(at_http_state, w->conn, f, v)
#define ML(m, f)                AT_LD(at_http_msg, m, f)
#define MS(m, f, v)             AT_ST(at_http_msg, m, f, v)
#define C(v)                    ir_const(b, (int64_t)(v))
#define RETURN(v)               ir_return(b, ir_const(b, v))
#define IF(cond)                ir_if(b, cond)
#define ELSE                    ir_else(b)
#define END                     ir_end(b)

/* Byte at d[pos + off]; pos is known to be at most AT_HTTP_EDGE. */
static inline struct at_ir *at_byte(struct at_irb *b, struct at_ir *win, struct at_ir *pos,
				    int64_t off)
{
	return ir_load(b, 1, ir_add(b, win, pos), off);
}

/* A value that the verifier knows nothing of: through memory, by an address LLVM cannot follow.
 */
struct at_ir *at_http_forget(struct at_walk *w, struct at_ir *v);
/*
 * The same value once it was compared with its bound. LLVM may have put a copy on
 * the stack before, of which verifiers before 6.8 do not know what was compared.
 */
static inline struct at_ir *at_http_bounded(struct at_irb *b, struct at_ir *v)
{
	return ir_let(b, ir_un(b, AT_OP_HIDE, v));
}
/* Position in the window, bounded for the verifier (returns 1 where it cannot be). */
struct at_ir *at_http_pos(struct at_walk *w);
/* Byte in front of d[pos + n], n not 0: that one is there, not all verifiers see in n (6.1). */
struct at_ir *at_http_byte_before(struct at_walk *w, struct at_ir *pos, struct at_ir *n);
/* Address of the message that this half writes, bounded. */
struct at_ir *at_http_msg_addr(struct at_walk *w, struct at_ir *offset);
struct at_ir *at_http_step(struct at_walk *w, unsigned func); /* call of (conn, half, win) */
struct at_ir *at_http_min(struct at_irb *b, struct at_ir *x, struct at_ir *y);
/* Offset of the byte at pos in the stream. */
struct at_ir *at_http_off(struct at_walk *w, struct at_ir *pos);

#endif
