/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header-probe engine, shared inside lib/http.
 *
 * provider.c parses http attach points, types their fields and lowers the
 * clauses; while it does, field() and header() ask for captures here, and each
 * capture gets its place in the request's slot or in the response area. Then
 * engine.c writes the programs: tap.c (how bytes are seen), walker.c (HTTP/1
 * state machine), exchange.c (pairing, framing, calling the clauses).
 *
 * Kernel memory, per connection (sk_storage "http_conn"):
 *	struct: fixed part, two direction halves, response area, N request slots
 * A slot is one open request: written by the half that carries requests,
 * read by the half that carries responses (single producer, single consumer).
 *
 * A clause function has three params: slot, response area, connection; all
 * addresses inside that one map value. What a clause may read is below; the
 * rest of the layout is the engine's own.
 */
#ifndef AT_HTTP_HTTP_H
#define AT_HTTP_HTTP_H

#include "frontend/lower.h"

enum at_http_event { AT_HTTP_REQUEST, AT_HTTP_RESPONSE, AT_HTTP_EXCHANGE, AT_HTTP_EVENTS };
enum at_http_side { AT_HTTP_ANY, AT_HTTP_SERVER, AT_HTTP_CLIENT };
enum at_http_end { AT_HTTP_COMPLETE, AT_HTTP_RESET, AT_HTTP_CLOSED, AT_HTTP_UPGRADED };
enum at_http_half { AT_HTTP_OF_REQUEST, AT_HTTP_OF_RESPONSE };

/* An attach point, parsed: at_attachpt.data of http points. */
struct at_http_point {
	enum at_http_event event;
	enum at_http_side side;
	int port; /* 0: any */
};

/* Clause parameters. RESP is an address in exchanges without a response, too: status is 0 there. */
enum { AT_HTTP_P_SLOT, AT_HTTP_P_RESP, AT_HTTP_P_CONN, AT_HTTP_NPARAMS };

/* What a clause may read. Offsets by offsetof; written by the engine, little endian, aligned. */
struct at_http_msg {          /* start of both the slot and the response area */
	uint64_t first_ns;    /* time of the first byte (see rule 3), boot clock */
	uint64_t head_ns;     /* time the head was complete */
	uint64_t end_ns;      /* response: time of its last byte, or of the connection's end */
	uint64_t body_bytes;  /* content so far, framing excluded */
	int64_t content_length; /* -1: absent, malformed, contradictory */
	uint32_t header_bytes, nheaders;
	uint32_t flags;       /* AT_HTTP_M_* */
	uint32_t status;      /* response; 0: none */
	uint32_t minor;       /* version 1.minor: 0 or 1; 0xffffffff: not known */
	uint32_t end;         /* response: enum at_http_end, for exchange */
	/* Process whose call carried the message (kept only when a clause of `exchange` asks). */
	uint64_t pid_tgid, uid_gid, cgroup;
	char comm[16];
};
enum {
	AT_HTTP_M_INVALID = 1, /* the head broke the grammar */
	AT_HTTP_M_CUT = 2,     /* a limit cut the head */
	AT_HTTP_M_DONE = 4,    /* the head is complete */
	AT_HTTP_M_HEAD = 8, AT_HTTP_M_CONNECT = 16, /* request's method */
};

struct at_http_conn {         /* start of the connection's memory */
	uint64_t id;          /* args.conn: equal in both directions of one connection */
	uint32_t side;        /* AT_HTTP_SERVER or AT_HTTP_CLIENT once known */
	uint16_t family;      /* AF_INET, AF_INET6, AF_UNIX */
	uint16_t sport, dport; /* host order; s is local */
	uint16_t pad;
	uint8_t saddr[16], daddr[16]; /* IPv4 in the first 4 bytes */
};

/* One captured text. In memory: struct at_http_text, then `width` bytes. */
struct at_http_text {
	uint16_t len;   /* bytes kept, at most width; white space trimmed */
	uint16_t flags; /* AT_HTTP_T_* */
	uint32_t full;  /* length before the cut */
	uint64_t hash;  /* keyed hash of the whole text; kept for captures with want_hash */
};
enum {
	AT_HTTP_T_PRESENT = 1, /* the field was there, if only empty */
	AT_HTTP_T_SECRET = 2,  /* decided at run time: target, query, referer, location */
};

enum at_http_what {
	AT_HTTP_METHOD, AT_HTTP_TARGET, AT_HTTP_PATH, AT_HTTP_QUERY, /* request line */
	AT_HTTP_HOST,   /* the Host field, or the authority of an absolute target */
	AT_HTTP_REASON, /* status line */
	AT_HTTP_FIELD,  /* a header field, by name in lower case */
};

struct at_http_capture {
	enum at_http_half half;
	enum at_http_what what;
	const char *name;      /* FIELD */
	unsigned width;        /* bytes kept; multiple of 8 */
	unsigned offset;       /* of its at_http_text from the start of the slot or response area */
	unsigned counter;      /* of values that were cut */
	bool whole;            /* compared as a whole, kept or not */
	bool want_hash;        /* secret, or whole: the hash covers all of the value, across reads */
	bool secret;           /* always secret (authorization, …, config redact) */
	bool may_secret;       /* AT_HTTP_T_SECRET decides (target, query, referer, location) */
};

struct at_http_use {
	const struct at_clause_use *use;
	enum at_http_event event;
	enum at_http_side side;
	int port;              /* 0: any */
	unsigned func;         /* lowered clause in plan.funcs */
};

/* What is gathered while clauses are lowered; lw->env while they are. */
struct at_http {
	struct at_lower *lw;
	AT_VEC(struct at_http_capture *) captures;
	unsigned slot_size, resp_size; /* grow as captures are asked for; start: sizeof(struct at_http_msg) */
	AT_VEC(struct at_http_use) uses;
	struct at_http_use *current;   /* clause being lowered */
	bool want_process;             /* an exchange clause reads pid, comm, uid or cgroup */
	bool want_send_time;           /* a clause reads latency, duration: worth tcp_sendmsg_locked */
	unsigned depth;                /* slots of a connection: power of two */
	unsigned pipeline;             /* open requests whose captures are kept: config http_pipeline */
	/* Counters (plan.counters), by rule 7. */
	unsigned c_seen, c_cut, c_unmatched, c_desync, c_joined_late, c_read_calls, c_read_bytes,
		c_client_unshown, c_unfollowed;
	unsigned tap;                  /* config http_tap: index of at_http_taps */
};

/* The capture, made when first asked for. */
struct at_http_capture *at_http_want(struct at_http *h, enum at_http_half half,
				     enum at_http_what what, const char *name, unsigned width);
/* Its value in the clause being lowered (len, cap, full, secret, hash set). */
struct at_val at_http_text_val(struct at_http *h, struct at_http_capture *c);

/* Was the field there, if only empty: 0 or 1. */
struct at_ir *at_http_present(struct at_http *h, const struct at_http_capture *c);
/* A name whose value is always secret: the known ones and those of config redact. */
bool at_http_secret_name(const struct at_check *c, const char *name);

/* fields.c: the parts of the provider's descriptor that are about args.NAME and builtin variables. */
const struct at_type *at_http_args(struct at_check *c, struct at_attachpt *point);
struct at_val at_http_field(struct at_lower *lw, const struct at_type_field *f);
bool at_http_builtin(struct at_lower *lw, const struct at_func *f, struct at_val *out);
const char *at_http_lacks(struct at_check *c, struct at_attachpt *point, const char *name);
const char *at_http_event_name(enum at_http_event e);

/* provider.c, before the engine is asked: plan.counters of rule 7, their numbers in h. */
void at_http_counters(struct at_http *h);

/* engine.c: writes all programs once the clauses are lowered. 0, or -1 after reporting. */
int at_http_engine(struct at_http *h);

/* ---- Taps: how the bytes of sockets are seen, one descriptor each, in one file ---- */

struct at_http_eng;

/*
 * A tap writes its programs into the plan, as an alternative set with its name.
 * It calls e->f_tap(sock, length, direction, 1: no bytes to be read) at every
 * call that moved bytes of a socket, and has at_http_close_progs() written, or
 * does otherwise what that does when a connection ends. Of a socket the engine
 * knows an address; what can be done with it is the tap's to say.
 */
struct at_http_tap {
	const char *name;  /* as in config http_tap */
	const char *needs; /* what the kernel must have */
	bool by_address;   /* forgets a socket only when told to */
	/* Makes m_conn and m_mark: a value per socket, of e->total and at_http_mark. */
	void (*maps)(struct at_http_eng *e);
	/* Writes functions that the following use. May be NULL. */
	void (*funcs)(struct at_http_eng *e);
	bool each_message;  /* of sendmmsg and recvmmsg is told for itself */
	/* A field of a socket, or of what a socket points to. */
	struct at_ir *(*load)(struct at_http_eng *e, unsigned width, struct at_ir *addr,
			      const char *path);
	struct at_ir *(*tcp)(struct at_http_eng *e, struct at_ir *sk); /* its tcp_sock, or 0 */
	struct at_ir *(*id)(struct at_http_eng *e, struct at_ir *sk);  /* args.conn */
	struct at_ir *(*peer)(struct at_http_eng *e, struct at_ir *sk); /* of a unix socket, or 0 */
	/* The socket's value in a map, or 0; flags: CREATE, zeroed. */
	struct at_ir *(*storage)(struct at_http_eng *e, unsigned map, struct at_ir *sk,
				 int flags);
	void (*forget)(struct at_http_eng *e, unsigned map, struct at_ir *sk);
	/* Writes its entries. */
	void (*progs)(struct at_http_eng *e);
};

extern const struct at_http_tap at_http_socktp, at_http_syscall;
/* Words of config http_tap: auto, and their names in order of preference; NULL behind the last. */
extern const char *const at_http_taps[];

extern const struct at_provider at_provider_http, at_provider_https;
extern const struct at_func at_func_header, at_func_request_header, at_func_response_header,
	at_func_has_header, at_func_route;

#endif
