/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header-probe engine on real sockets of this process (root). Each case is
 * a conversation; it is held over TCP and over a socket pair, whole, split in
 * two at every byte of each message, and one byte at a time, and what the
 * script prints must be the same each time, once for the server and once for
 * the client. Prints TAP.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/apitrace.h"

static const char script[] =
	"http:any:request {\n"
	"  printf(\"%d Q %s t=%s p=%s q=%s h=%s v=%s n=%d b=%d l=%d c=%d\\n\", args.side, "
	"args.method,\n"
	"    args.target, args.path, args.query, args.host, args.version, args.nheaders,\n"
	"    args.header_bytes, args.content_length, args.complete);\n"
	"  if (has_header(\"x-a\")) { printf(\"%d a=%s|\\n\", args.side, header(\"x-a\")); }\n"
	"  if (has_header(\"cookie\")) { printf(\"%d k=%d %s\\n\", args.side,\n"
	"    header(\"cookie\") == \"a=1\", header(\"cookie\")); }\n"
	"}\n"
	"http:any:response {\n"
	"  printf(\"%d R %d %s m=%s v=%s n=%d b=%d l=%d c=%d r=%s|\\n\", args.side, "
	"args.status,\n"
	"    args.reason, args.method, args.version, args.nheaders, args.header_bytes,\n"
	"    args.content_length, args.complete, response_header(\"x-r\"));\n"
	"}\n"
	"http:any:exchange {\n"
	"  printf(\"%d E %d p=%s end=%d qb=%d rb=%d ok=%d\\n\", args.side, args.status, "
	"args.path, args.end,\n"
	"    args.request_bytes, args.response_bytes, args.duration < 10000000000);\n"
	"}\n";

enum { SPLITS = 1, TCP_ONLY = 2, WHOLE_ONLY = 4 };

/*
 * talk: pieces one after another. '>' from the client, '<' from the server,
 * '(' the client shuts down its sending side, ')' the server does, 'R' the
 * server resets. What is open at the end is closed, client first.
 */
struct piece {
	char what;
	const char *text;
	size_t len; /* 0: strlen */
};

struct conversation {
	const char *name;
	struct piece talk[16];
	const char *want;   /* lines without the side */
	const char *client; /* when the client sees something else; NULL: the same */
	unsigned flags;
};

#define S10   "          "
#define S80   S10 S10 S10 S10 S10 S10 S10 S10
#define S100  S80 S10 S10
#define GET   "GET /x HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK2   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define Q_GET "Q GET t=/x p=/x q= h=h v=1.1 n=1 b=28 l=-1 c=1\n"
#define R_OK2 "R 200 OK m=GET v=1.1 n=1 b=38 l=2 c=1 r=|\n"
#define E_OK2 "E 200 p=/x end=0 qb=0 rb=2 ok=1\n"
#define E_BIG "E 200 p=/x end=0 qb=0 rb=50000 ok=1\n"

static const struct conversation conversations[] = {
	{ "get", { { '>', GET }, { '<', OK2 } }, Q_GET R_OK2 E_OK2 },
	{ "keep-alive",
	  { { '>', GET }, { '<', OK2 }, { '>', GET }, { '<', OK2 } },
	  Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2 },
	{ "pipelining",
	  { { '>', GET GET }, { '<', OK2 OK2 } },
	  Q_GET Q_GET R_OK2 E_OK2 R_OK2 E_OK2 },
	{ "target with query",
	  { { '>', "GET /a/b?x=1&y=2?3 HTTP/1.1\r\nHost:h\r\n\r\n" }, { '<', OK2 } },
	  "Q GET t=/a/b?x=1&y=2?3 p=/a/b q=x=1&y=2?3 h=h v=1.1 n=1 b=39 l=-1 c=1\n" R_OK2
	  "E 200 p=/a/b end=0 qb=0 rb=2 ok=1\n" },
	{ "absolute target",
	  { { '>', "GET http://user:pw@ex.org:80/p?q HTTP/1.1\r\nHost: other\r\n\r\n" },
	    { '<', OK2 } },
	  "Q GET t=http://user:pw@ex.org:80/p?q p=/p q=q h=ex.org:80 v=1.1 n=1 b=58 l=-1 "
	  "c=1\n" R_OK2 "E 200 p=/p end=0 qb=0 rb=2 ok=1\n" },
	{ "any method, options *",
	  { { '>', "X-My_Method! * HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" },
	    { '<', OK2 } },
	  "Q X-My_Method! t=* p=* q= h= v=1.0 n=1 b=51 l=-1 c=1\n"
	  "R 200 OK m=X-My_Method! v=1.1 n=1 b=38 l=2 c=1 r=|\n"
	  "E 200 p=* end=0 qb=0 rb=2 ok=1\n" },
	{ "values: white space, folds, repeats",
	  { { '>', "GET /x HTTP/1.1\r\nHost: \t h \t\r\nX-A: one  two \t\r\n\r\n" },
	    { '<', OK2 },
	    { '>', "GET /x HTTP/1.1\r\nHost:h\r\nX-a:  one\r\n  two\r\n\tthree  \r\n\r\n" },
	    { '<', OK2 },
	    { '>', "GET /x HTTP/1.1\r\nHost:h\r\nX-a: 1\r\nX-Ab: no\r\nx-A: 2\r\n\r\n" },
	    { '<', OK2 },
	    { '>', "GET /x HTTP/1.1\r\nHost:h\r\nX-A:\r\n \r\n\r\n" },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=2 b=49 l=-1 c=1\na=one  two|\n" R_OK2 E_OK2
	  "Q GET t=/x p=/x q= h=h v=1.1 n=2 b=55 l=-1 c=1\na=one two three|\n" R_OK2 E_OK2
	  "Q GET t=/x p=/x q= h=h v=1.1 n=4 b=53 l=-1 c=1\na=1, 2|\n" R_OK2 E_OK2
	  "Q GET t=/x p=/x q= h=h v=1.1 n=2 b=36 l=-1 c=1\na=|\n" R_OK2 E_OK2 },
	{ "values: long runs of white space",
	  { { '>',
	      "POST /x HTTP/1.1\r\nContent-Length: 2" S100 "\r\nX-A: one" S80
	      "\t  two" S100 S100 "\r\n" S100 "three" S100 "\r\nHost: h" S100 "\r\n\r\nhi" },
	    { '<', OK2 } },
	  "Q POST t=/x p=/x q= h=h v=1.1 n=3 b=751 l=2 c=1\na=one" S80 "\t  two three|\n"
	  "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\nE 200 p=/x end=0 qb=2 rb=2 ok=1\n" },
	{ "other minor versions, HTTP/1.0 without keep-alive",
	  { { '>', "GET /x HTTP/1.7\r\n\r\n" },
	    { '<', "HTTP/1.5 200 OK\r\nContent-Length: 2\r\n\r\nok" },
	    { '>', "GET /x HTTP/1.0\r\n\r\n" },
	    { '<', "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok" },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h= v=1.1 n=0 b=19 l=-1 c=1\n"
	  "R 200 OK m=GET v=1.1 n=1 b=38 l=2 c=1 r=|\n" E_OK2
	  "Q GET t=/x p=/x q= h= v=1.0 n=0 b=19 l=-1 c=1\n"
	  "R 200 OK m=GET v=1.0 n=2 b=62 l=2 c=1 r=|\n" E_OK2 },
	{ "bare LF, leading empty lines",
	  { { '>', "\r\n\nGET /x HTTP/1.1\nHost: h\nX-A: v\n\n" },
	    { '<', "HTTP/1.1 200\nContent-Length: 2\nX-R: s\n\nok" } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=2 b=32 l=-1 c=1\na=v|\n"
	  "R 200  m=GET v=1.1 n=2 b=39 l=2 c=1 r=s|\n" E_OK2 },
	{ "request bodies",
	  { { '>', "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 30\r\n\r\n"
		   "GET / HTTP/1.1\r\nX-A: no\r\n\r\n..." },
	    { '<', OK2 },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q POST t=/x p=/x q= h=h v=1.1 n=2 b=49 l=30 c=1\n"
	  "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\n"
	  "E 200 p=/x end=0 qb=30 rb=2 ok=1\n" Q_GET R_OK2 E_OK2 },
	{ "chunks, extensions, trailers",
	  { { '>', "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
		   "5;n=v\r\nhello\r\n0A \r\n0123456789\r\n0\r\nX-A: trailer\r\n\r\n" },
	    { '<', "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-R: "
		   "t\r\n\r\n" },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q POST t=/x p=/x q= h=h v=1.1 n=2 b=63 l=-1 c=1\n"
	  "R 200 OK m=POST v=1.1 n=1 b=47 l=-1 c=1 r=|\n"
	  "E 200 p=/x end=0 qb=15 rb=3 ok=1\n" Q_GET R_OK2 E_OK2 },
	{ "interim responses",
	  { { '>', "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: "
		   "1\r\n\r\n" },
	    { '<', "HTTP/1.1 100 Continue\r\nX-R: no\r\n\r\n" },
	    { '>', "1" },
	    { '<', "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\n\r\n" OK2 } },
	  "Q POST t=/x p=/x q= h=h v=1.1 n=3 b=70 l=1 c=1\n"
	  "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\n"
	  "E 200 p=/x end=0 qb=1 rb=2 ok=1\n" },
	{ "no bodies: HEAD, 204, 304",
	  { { '>', "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" },
	    { '<', "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" },
	    { '>', GET },
	    { '<', "HTTP/1.1 204 No Content\r\n\r\n" },
	    { '>', GET },
	    { '<', "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n" },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q HEAD t=/x p=/x q= h=h v=1.1 n=1 b=29 l=-1 c=1\n"
	  "R 200 OK m=HEAD v=1.1 n=1 b=40 l=100 c=1 r=|\nE 200 p=/x end=0 qb=0 rb=0 "
	  "ok=1\n" Q_GET "R 204 No Content m=GET v=1.1 n=0 b=27 l=-1 c=1 r=|\nE 204 p=/x end=0 "
	  "qb=0 rb=0 ok=1\n" Q_GET
	  "R 304 Not Modified m=GET v=1.1 n=1 b=48 l=5 c=1 r=|\nE 304 p=/x end=0 qb=0 rb=0 "
	  "ok=1\n" Q_GET R_OK2 E_OK2 },
	{ "body up to the close",
	  { { '>', GET }, { '<', "HTTP/1.0 200 OK\r\n\r\nsome text" }, { ')', "" } },
	  Q_GET "R 200 OK m=GET v=1.0 n=0 b=19 l=-1 c=1 r=|\nE 200 p=/x end=0 qb=0 rb=9 ok=1\n",
	  .flags = TCP_ONLY },
	{ "closed in the middle of a body",
	  { { '>', GET },
	    { '<', "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nsome" },
	    { ')', "" } },
	  Q_GET "R 200 OK m=GET v=1.1 n=1 b=39 l=20 c=1 r=|\nE 200 p=/x end=2 qb=0 rb=4 ok=1\n",
	  .flags = TCP_ONLY },
	{ "closed without an answer",
	  { { '>', GET GET }, { ')', "" } },
	  Q_GET Q_GET "E 0 p=/x end=2 qb=0 rb=0 ok=1\nE 0 p=/x end=2 qb=0 rb=0 ok=1\n",
	  .flags = TCP_ONLY },
	{ "half-closed by the client",
	  { { '>', GET }, { '(', "" }, { '<', OK2 } },
	  Q_GET R_OK2 E_OK2 },
	{ "reset",
	  { { '>', GET },
	    { '<', "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nsome" },
	    { 'R', "" } },
	  Q_GET "R 200 OK m=GET v=1.1 n=1 b=39 l=20 c=1 r=|\nE 200 p=/x end=1 qb=0 rb=4 ok=1\n",
	  .flags = TCP_ONLY },
	{ "connection: close ends it",
	  { { '>', "GET /x HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n" },
	    { '<', OK2 },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=2 b=52 l=-1 c=1\n" R_OK2 E_OK2 },
	{ "upgrade",
	  { { '>', "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: "
		   "websocket\r\n\r\n" },
	    { '<', "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi" },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=3 b=69 l=-1 c=1\n"
	  "R 101 Switching Protocols m=GET v=1.1 n=1 b=56 l=-1 c=1 r=|\n"
	  "E 101 p=/x end=3 qb=0 rb=0 ok=1\n" },
	{ "upgrade that is not taken",
	  { { '>',
	      "GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" },
	    { '<', OK2 },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=3 b=63 l=-1 c=1\n" R_OK2 E_OK2 Q_GET R_OK2 E_OK2 },
	{ "connect",
	  { { '>', "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n" },
	    { '<', "HTTP/1.1 200 OK\r\n\r\n" },
	    { '>', "\x16\x03\x01" },
	    { '<', OK2 } },
	  "Q CONNECT t=h:443 p= q= h=h:443 v=1.1 n=1 b=39 l=-1 c=1\n"
	  "R 200 OK m=CONNECT v=1.1 n=0 b=19 l=-1 c=1 r=|\nE 200 p= end=3 qb=0 rb=0 ok=1\n" },
	{ "secrets: cookies joined, parameters",
	  { { '>', "GET /x?a=1&Api_Key=abc HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\n\r\n" },
	    { '<', OK2 },
	    { '>', "GET /x?key=&akey=v HTTP/1.1\r\nHost: h\r\n\r\n" },
	    { '<', OK2 } },
	  "Q GET t=redacted:# p=/x q=redacted:# h=h v=1.1 n=2 b=57 l=-1 c=1\nk=1 "
	  "redacted:#\n" R_OK2 E_OK2
	  "Q GET t=/x?key=&akey=v p=/x q=key=&akey=v h=h v=1.1 n=1 b=40 l=-1 c=1\n" R_OK2
		  E_OK2 },
	{ "invalid head, answered",
	  { { '>', "GET /x HTTP/1.1\r\nHost: h\r\nbad name: x\r\n\r\n" },
	    { '<', "HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno" } },
	  "R 400 Bad Request m= v=1.1 n=1 b=47 l=2 c=0 r=|\nE 400 p= end=0 qb=0 rb=2 ok=1\n" },
	{ "no colon, answered",
	  { { '>', GET "GET /x HTTP/1.1\r\nHost\r\n\r\n" }, { '<', OK2 OK2 } },
	  Q_GET R_OK2 E_OK2
	  "R 200 OK m= v=1.1 n=1 b=38 l=2 c=0 r=|\nE 200 p= end=0 qb=0 rb=2 ok=1\n" },
	{ "NUL in a value",
	  { { '>', "GET /x HTTP/1.1\r\nX-A: a\0b\r\n\r\n", 29 }, { '<', OK2 } },
	  "R 200 OK m= v=1.1 n=1 b=38 l=2 c=0 r=|\nE 200 p= end=0 qb=0 rb=2 ok=1\n" },
	{ "answered before its head was complete",
	  { { '>', "GET /x HTTP/1.1\r\nHost: h\r\n" }, { '<', OK2 } },
	  "R 200 OK m= v=1.1 n=1 b=38 l=2 c=0 r=|\nE 200 p= end=0 qb=0 rb=2 ok=1\n" },
	{ "contradicting framing",
	  { { '>', "POST /x HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc" },
	    { '<', OK2 },
	    { '>', GET },
	    { '<', OK2 } },
	  "Q POST t=/x p=/x q= h= v=1.1 n=2 b=58 l=-1 c=1\n"
	  "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\nE 200 p=/x end=0 qb=0 rb=2 ok=1\n" },
	{ "long names, other controls",
	  { { '>',
	      "GET /x HTTP/1.1\r\nHost: h\r\n"
	      "a123456789b123456789c123456789d123456789e123456789f123456789g12: 63\r\n"
	      "a123456789b123456789c123456789d123456789e123456789f123456789g123: 64\r\n"
	      "a123456789b123456789c123456789d123456789e123456789f123456789g1234: 65\r\n"
	      "a123456789b123456789c123456789d123456789e123456789f123456789g123456789h: 70\r\n"
	      "X-A: a\x01"
	      "b\tc \x7f\xff\r\n\r\n" },
	    { '<', OK2 } },
	  "Q GET t=/x p=/x q= h=h v=1.1 n=6 b=330 l=-1 c=1\na=a\x01"
	  "b\tc \x7f\xff|\n" R_OK2 E_OK2,
	  .flags = WHOLE_ONLY },
	{ "no HTTP: text",
	  { { '>', "PING me\r\n" }, { '<', "+PONG\r\n" }, { '>', GET }, { '<', OK2 } },
	  "" },
	{ "no HTTP: 0.9", { { '>', "GET /x\r\n" }, { '<', "<html>" }, { ')', "" } }, "" },
	{ "no HTTP: the server speaks first",
	  { { '<', "220 hello\r\n" }, { '>', "HELO a b\r\n" } },
	  "" },
	{ "no HTTP: binary",
	  { { '>', "\x16\x03\x01\x02\x00\x01", 6 }, { '<', "\x16\x03\x03" }, { '>', GET } },
	  "" },
	{ "HTTP/2 preface",
	  { { '>', "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" }, { '<', "\0\0\0\4", 4 } },
	  "" },
	{ "unsolicited response",
	  { { '<', "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n" } },
	  "" },
};

/* ---- What is printed ---- */

struct printed {
	char side[3][16384]; /* by enum of args.side: 1 server, 2 client */
	size_t n[3];
	char line[2048];
	size_t nline;
	bool strange;
	char hash[17]; /* the last that was printed */
};

/* The run's secret, so that hashes can be computed here, too: taken instead of the C library's.
 */
__attribute__((visibility("default"))) ssize_t getrandom(void *buf, size_t n, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < n; i++)
		((unsigned char *)buf)[i] = (unsigned char)(i * 7 + 1);
	return (ssize_t)n;
}

/* Hashes differ from run to run. */
static size_t strip_hash(struct printed *p, char *s, size_t n)
{
	char *at = s;

	while ((at = memmem(at, n - (size_t)(at - s), "redacted:", 9))) {
		at += 9;
		if (n - (size_t)(at - s) < 16)
			break;
		memcpy(p->hash, at, 16);
		*at++ = '#';
		memmove(at, at + 15, n - (size_t)(at - s) - 15);
		n -= 15;
	}
	return n;
}

static void take_line(struct printed *p)
{
	int side = p->line[0] - '0';

	if (p->nline < 3 || side < 1 || side > 2 ||
	    p->n[side] + p->nline > sizeof(p->side[0])) {
		p->strange = true;
		return;
	}
	p->nline = strip_hash(p, p->line, p->nline);
	memcpy(p->side[side] + p->n[side], p->line + 2, p->nline - 2);
	p->n[side] += p->nline - 2;
}

static void on_write(void *arg, const char *s, size_t n)
{
	struct printed *p = arg;

	for (size_t i = 0; i < n; i++) {
		if (p->nline == sizeof(p->line))
			p->strange = true, p->nline = 0;
		p->line[p->nline++] = s[i];
		if (s[i] == '\n') {
			take_line(p);
			p->nline = 0;
		}
	}
}

/* ---- Conversations ---- */

struct pair {
	int client, server;
};

static struct pair connect_tcp(void)
{
	static int listener = -1;
	static struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	struct pair p;
	int one = 1;

	if (listener < 0) {
		addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(listener, (void *)&addr, len) || listen(listener, 8) ||
		    getsockname(listener, (void *)&addr, &len))
			exit(99);
	}
	p.client = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(p.client, (void *)&addr, sizeof(addr)))
		exit(99);
	p.server = accept(listener, NULL, NULL);
	setsockopt(p.client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(p.server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return p;
}

static struct pair connect_unix(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		exit(99);
	return (struct pair){ fds[0], fds[1] };
}

/* How bytes get in and out: by turns, so that every tap is used. */
enum way { PLAIN, VECTOR, MESSAGE, WAYS };

static void put_bytes(int fd, const char *s, size_t n, enum way way)
{
	size_t half = n / 2;
	struct iovec iov[3] = { { (char *)s, half },
				{ NULL, 0 },
				{ (char *)s + half, n - half } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	ssize_t got;

	if (way == VECTOR)
		got = writev(fd, iov, 3);
	else if (way == MESSAGE)
		got = sendmsg(fd, &msg, MSG_NOSIGNAL);
	else
		got = send(fd, s, n, MSG_NOSIGNAL);
	if (got != (ssize_t)n)
		exit(98);
}

static void get_bytes(int fd, size_t n, enum way way)
{
	static char buf[1 << 17];
	size_t done = 0;

	while (done < n) {
		size_t part = (n - done) / 3;
		struct iovec iov[2] = { { buf, part }, { buf + part, n - done - part } };
		struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
		ssize_t got;

		recv(fd, buf, 3, MSG_PEEK);
		recv(fd, buf, 0, 0);
		if (way == VECTOR)
			got = readv(fd, iov, 2);
		else if (way == MESSAGE)
			got = recvmsg(fd, &msg, 0);
		else
			got = read(fd, buf, n - done);
		if (got <= 0)
			exit(97);
		done += (size_t)got;
	}
}

/* One piece, cut behind `at` bytes, or into single bytes. */
static void transfer(int from, int to, const struct piece *p, size_t at, bool bytes,
		     enum way way)
{
	size_t len = p->len ? p->len : strlen(p->text), i = 0;

	while (i < len) {
		size_t n = bytes ? 1 : i < at && at < len ? at - i : len - i;

		put_bytes(from, p->text + i, n, way);
		get_bytes(to, n, way);
		i += n;
	}
}

static void reset(int fd)
{
	struct linger l = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	close(fd);
}

static void hold(const struct conversation *c, struct pair p, size_t piece, size_t at,
		 bool bytes, enum way way)
{
	char end[8];

	for (size_t i = 0; c->talk[i].what; i++) {
		const struct piece *t = &c->talk[i];
		size_t cut = i == piece ? at : 0;

		if (t->what == '>')
			transfer(p.client, p.server, t, cut, bytes, way);
		else if (t->what == '<')
			transfer(p.server, p.client, t, cut, bytes, way);
		else if (t->what == '(')
			shutdown(p.client, SHUT_WR), recv(p.server, end, 8, 0);
		else if (t->what == ')')
			shutdown(p.server, SHUT_WR), recv(p.client, end, 8, 0);
		else
			reset(p.server), p.server = -1, recv(p.client, end, 8, 0);
	}
	close(p.client);
	if (p.server >= 0)
		close(p.server);
}

/* ---- Comparing ---- */

static bool same(const struct printed *p, int side, const char *want)
{
	return p->n[side] == strlen(want) && !memcmp(p->side[side], want, p->n[side]);
}

static void show(const char *what, const char *s, size_t n)
{
	printf("# %s:\n#   ", what);
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < ' ' && s[i] != '\n')
			printf("\\x%02x", (unsigned char)s[i]);
		else
			putchar(s[i]);
		if (s[i] == '\n' && i + 1 < n)
			printf("#   ");
	}
	printf(n && s[n - 1] == '\n' ? "" : "\n");
}

static bool judge(struct printed *p, const struct conversation *c, const char *how,
		  size_t piece, size_t at)
{
	const char *client = c->client ? c->client : c->want;
	bool good = !p->strange && same(p, 1, c->want) && same(p, 2, client);

	if (!good) {
		printf("# %s, %s, piece %zu cut at %zu%s\n", c->name, how, piece, at,
		       p->strange ? ", strange output" : "");
		show("server", p->side[1], p->n[1]);
		show("client", p->side[2], p->n[2]);
		show("wanted", c->want, strlen(c->want));
		if (c->client)
			show("wanted of the client", c->client, strlen(c->client));
	}
	return good;
}

struct test {
	struct apitrace *h;
	struct printed printed;
	unsigned runs;
	struct pair old[2]; /* connections from before we were attached */
};

static bool once(struct test *t, const struct conversation *c, bool tcp, size_t piece,
		 size_t at, bool bytes)
{
	enum way way = t->runs++ % WAYS;

	memset(t->printed.n, 0, sizeof(t->printed.n));
	t->printed.strange = false;
	hold(c, tcp ? connect_tcp() : connect_unix(), piece, at, bytes, way);
	apitrace_consume(t->h);
	return judge(&t->printed, c,
		     bytes ? (tcp ? "tcp, bytes" : "unix, bytes")
		     : tcp ? "tcp"
			   : "unix",
		     piece, at);
}

static bool over(struct test *t, const struct conversation *c, bool tcp)
{
	if (!once(t, c, tcp, 0, 0, false))
		return false;
	for (size_t i = 0; c->talk[i].what; i++) {
		size_t len = c->talk[i].len ? c->talk[i].len : strlen(c->talk[i].text);

		for (size_t at = 1; at < len; at++)
			if (!once(t, c, tcp, i, at, false))
				return false;
	}
	return once(t, c, tcp, 0, 0, true);
}

static bool run_case(struct test *t, const struct conversation *c)
{
	if (!over(t, c, true))
		return false;
	return c->flags & TCP_ONLY || over(t, c, false);
}

/* ---- What is no table row ---- */

static bool check_both(struct test *t, const char *name, const char *server, const char *client)
{
	struct conversation c = { .name = name, .want = server, .client = client };

	apitrace_consume(t->h);
	return judge(&t->printed, &c, "by itself", 0, 0);
}

static bool check(struct test *t, const char *name, const char *want)
{
	return check_both(t, name, want, NULL);
}

static void start(struct test *t)
{
	apitrace_consume(t->h);
	memset(t->printed.n, 0, sizeof(t->printed.n));
	t->printed.strange = false;
}

static uint64_t counter_of(struct test *t, const char *name)
{
	struct apitrace_counter c;

	for (unsigned i = 0; !apitrace_counter_get(apitrace_script_at(t->h, 0), i, &c); i++)
		if (!strcmp(c.name, name))
			return c.value;
	return UINT64_MAX;
}

static void say(int from, int to, const char *s, size_t n)
{
	put_bytes(from, s, n, PLAIN);
	get_bytes(to, n, PLAIN);
}

static void end_pair(struct pair p)
{
	close(p.client);
	close(p.server);
}

/* A head of 100 kB: fields behind 64 KiB are not kept, framing goes on, and it is said. */
static bool long_head(struct test *t)
{
	static char text[120000], want[512];
	uint64_t cut = counter_of(t, "http.cut");
	struct pair p = connect_tcp();
	char *s = text;
	size_t n;

	s += sprintf(s, "GET /x HTTP/1.1\r\nX-A: 1\r\n");
	while (s - text < 100000)
		s += sprintf(s, "X-Filler: %*s\r\n", 87, "v");
	s += sprintf(s, "X-A: 2\r\nHost: h\r\nContent-Length: 2\r\n\r\n");
	n = (size_t)(s - text);
	sprintf(want,
		"Q GET t=/x p=/x q= h= v=1.1 n=%zu b=%zu l=2 c=0\na=1|\n"
		"R 200 OK m=GET v=1.1 n=1 b=38 l=2 c=0 r=|\nE 200 p=/x end=0 qb=2 rb=2 "
		"ok=1\n" Q_GET R_OK2 E_OK2,
		(n - 25 - 38) / 99 + 4, n);
	memcpy(s, "hi", 2);
	start(t);
	for (size_t i = 0; i < n + 2; i += 7000)
		say(p.client, p.server, text + i, n + 2 - i < 7000 ? n + 2 - i : 7000);
	say(p.server, p.client, OK2, strlen(OK2));
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	return check(t, "long head", want) && counter_of(t, "http.cut") == cut + 2;
}

/* Content that no program reads: sent by sendfile, thrown away by MSG_TRUNC. */
static bool unread_body(struct test *t)
{
	static char junk[50000];
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n";
	struct pair p = connect_tcp();
	int file = memfd_create("body", 0);
	off_t at = 0;
	ssize_t got = 0;
	bool good = write(file, junk, sizeof(junk)) == sizeof(junk);

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, head, strlen(head));
	good &= sendfile(p.server, file, &at, sizeof(junk)) == sizeof(junk);
	while (got < (ssize_t)sizeof(junk))
		got += recv(p.client, NULL, sizeof(junk) - (size_t)got, MSG_TRUNC);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	close(file);
	return good && check(t, "unread body",
			     Q_GET "R 200 OK m=GET v=1.1 n=1 b=42 l=50000 c=1 r=|\n"
				   "E 200 p=/x end=0 qb=0 rb=50000 ok=1\n" Q_GET R_OK2 E_OK2);
}

/* It tells of whole system calls: of splice(), but not of each message of sendmmsg(). */
static bool sees_calls(void)
{
	const char *tap = getenv("HTTP_TAP");

	return tap && !strcmp(tap, "syscall");
}

/* Content that goes into a pipe without a call that every tap sees. */
static bool unseen_body(struct test *t)
{
	static const char all[] =
		Q_GET "R 200 OK m=GET v=1.1 n=1 b=42 l=50000 c=1 r=|\n" E_BIG Q_GET R_OK2 E_OK2;
	static const char late[] =
		Q_GET "R 200 OK m=GET v=1.1 n=1 b=42 l=50000 c=1 r=|\n" Q_GET E_BIG R_OK2 E_OK2;
	static char junk[50000];
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n";
	struct pair p = connect_tcp();
	int ends[2];
	bool good = !pipe(ends);

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, head, strlen(head));
	good &= send(p.server, junk, sizeof(junk), 0) == sizeof(junk);
	for (ssize_t at = 0, n; at < (ssize_t)sizeof(junk); at += n) {
		n = splice(p.client, NULL, ends[1], NULL, sizeof(junk) - (size_t)at, 0);
		if (n <= 0 || read(ends[0], junk, (size_t)n) != n)
			exit(96);
	}
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	close(ends[0]);
	close(ends[1]);
	/*
	 * Where the tap does not see splice(), that the content has ended is known when
	 * something follows it.
	 */
	return good && check_both(t, "unseen body", all, sees_calls() ? all : late);
}

/* Urgent bytes are none of the stream, read or not, alone or behind others. */
static bool urgent(struct test *t)
{
	bool good = true;

	for (int i = 0; i < 4; i++) {
		struct pair p = i & 1 ? connect_unix() : connect_tcp();
		struct msghdr msg = { .msg_iovlen = 1 };
		struct iovec iov = { (char *)OK2 "!", strlen(OK2) + 1 };
		char c;

		start(t);
		say(p.client, p.server, GET, 5);
		good &= send(p.client, "!", 1, MSG_OOB) == 1;
		if (i & 2)
			good &= recv(p.server, &c, 1, MSG_OOB) == 1 && c == '!';
		say(p.client, p.server, GET + 5, strlen(GET) - 5);
		msg.msg_iov = &iov;
		good &= sendmsg(p.server, &msg, MSG_OOB) == (ssize_t)iov.iov_len;
		get_bytes(p.client, strlen(OK2), PLAIN);
		say(p.client, p.server, GET, strlen(GET));
		say(p.server, p.client, OK2, strlen(OK2));
		end_pair(p);
		good &= check(t, i & 1 ? "urgent, unix" : "urgent, tcp",
			      Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2);
	}
	return good;
}

/* What is read behind a RST was sent before it: seen like all else, by the server and by the
 * client. */
static bool read_after_reset(struct test *t)
{
	struct pair p = connect_tcp();
	bool good;

	start(t);
	put_bytes(p.client, GET GET, 2 * strlen(GET), PLAIN);
	reset(p.client);
	get_bytes(p.server, strlen(GET), PLAIN);
	get_bytes(p.server, strlen(GET), PLAIN);
	close(p.server);
	good = check(t, "requests read after a reset",
		     Q_GET Q_GET "E 0 p=/x end=1 qb=0 rb=0 ok=1\nE 0 p=/x end=1 qb=0 rb=0 "
				 "ok=1\n");
	start(t);
	p = connect_tcp();
	say(p.client, p.server, GET GET, 2 * strlen(GET));
	put_bytes(p.server, OK2, strlen(OK2), PLAIN);
	reset(p.server);
	get_bytes(p.client, strlen(OK2), PLAIN);
	close(p.client);
	return good & check(t, "a response read after a reset",
			    Q_GET Q_GET R_OK2 E_OK2 "E 0 p=/x end=1 qb=0 rb=0 ok=1\n");
}

/* n requests at once or one by one, then their responses, answered or cut off by a close. */
static bool open_at_once(struct test *t, int n, bool one_by_one, bool answered)
{
	static char requests[8192], want[8192];
	uint64_t unmatched = counter_of(t, "http.unmatched");
	char *r = requests, *w = want;
	struct pair p = connect_tcp();

	start(t);
	for (int i = 0; i < n; i++) {
		char *from = r;

		r += sprintf(r, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i);
		w += sprintf(w, "Q GET t=/%d p=/%d q= h=h v=1.1 n=1 b=%d l=-1 c=1\n", i, i,
			     (int)(r - from));
		if (one_by_one)
			say(p.client, p.server, from, (size_t)(r - from));
	}
	if (!one_by_one)
		say(p.client, p.server, requests, (size_t)(r - requests));
	for (int i = 0; i < n && i < 16; i++)
		w += sprintf(w,
			     answered ? R_OK2 "E 200 p=/%d end=0 qb=0 rb=2 ok=1\n"
				      : "E 0 p=/%d end=2 qb=0 rb=0 ok=1\n",
			     i);
	for (int i = 0; i < n && answered; i++)
		say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	unmatched = counter_of(t, "http.unmatched") - unmatched;
	if (unmatched != (n > 16 ? 2ull * (unsigned)(n - 16) : 0)) {
		printf("# %d open: %llu unmatched\n", n, (unsigned long long)unmatched);
		return false;
	}
	return check(t, "open at once", want);
}

/* Up to 16 open requests are kept; of more all are seen, and their responses counted. */
static bool many_open(struct test *t)
{
	bool good = true;

	for (int n = 1; n < 20; n++)
		for (int how = 0; how < 4; how++)
			good &= open_at_once(t, n, how & 1, how & 2);
	return good;
}

/* Depths that come and go on one connection: each response finds its own request. */
static bool open_by_turns(struct test *t)
{
	static const int turns[] = { 1, 2, 3, -1, 4, -6, 1, 1, -3, 14, -10, 9, -15 };
	uint64_t unmatched = counter_of(t, "http.unmatched");
	struct pair p = connect_unix();
	char want[16384], request[64], *w = want;
	int asked = 0, answered = 0;

	start(t);
	for (size_t i = 0; i < sizeof(turns) / sizeof(*turns); i++) {
		for (int k = 0; k < turns[i]; k++, asked++) {
			size_t n = (size_t)sprintf(
				request, "POST /%d HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
				asked);

			w += sprintf(w, "Q POST t=/%d p=/%d q= h= v=1.1 n=1 b=%zu l=2 c=1\n",
				     asked, asked, n - 2);
			say(p.client, p.server, request, n);
		}
		for (int k = 0; k > turns[i]; k--, answered++) {
			w += sprintf(w,
				     "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\n"
				     "E 200 p=/%d end=0 qb=2 rb=2 ok=1\n",
				     answered);
			say(p.server, p.client, OK2, strlen(OK2));
		}
	}
	end_pair(p);
	return check(t, "open by turns", want) && asked == answered &&
	       counter_of(t, "http.unmatched") == unmatched;
}

static struct apitrace *attach_script(struct printed *printed, const char *source);

/* As many are kept for a script that captures much more than a connection's memory holds. */
static bool many_open_wide(struct test *t)
{
	static char source[4096], request[16][1024], want[16384];
	static struct printed printed;
	struct apitrace *h;
	struct pair p;
	char *s = source, *w = want;
	struct test own = { .h = NULL };
	bool good;

	(void)t;
	s += sprintf(s, "config = { http_value_len = 1024 } http:any:response { printf(\"%%d ");
	for (int i = 0; i < 12; i++)
		s += sprintf(s, "%%s ");
	s += sprintf(s, "%%s\\n\", args.side");
	for (int i = 0; i < 12; i++)
		s += sprintf(s, ", request_header(\"x-%d\")", i);
	sprintf(s, ", args.target); }");
	h = attach_script(&printed, source);
	if (!h)
		return false;
	p = connect_tcp();
	for (int k = 0; k < 16; k++) {
		char *r = request[k];

		r += sprintf(r, "GET /%d HTTP/1.1\r\n", k);
		for (int i = 0; i < 12; i++) {
			r += sprintf(r, "X-%d: %d-%d\r\n", i, k, i);
			w += sprintf(w, "%d-%d ", k, i);
		}
		w += sprintf(w, "/%d\n", k);
		r += sprintf(r, "\r\n");
		say(p.client, p.server, request[k], (size_t)(r - request[k]));
	}
	for (int k = 0; k < 16; k++)
		say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	own.h = h;
	apitrace_consume(h);
	own.printed = printed;
	good = check(&own, "wide, many open", want);
	apitrace_free(h);
	return good;
}

/* config http_pipeline: so many are kept and no more. */
static bool pipeline_config(struct test *t)
{
	static const int depths[] = { 1, 2, 3, 64 };
	bool good = true;

	(void)t;
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		static struct test own;
		static char source[256], want[4096];
		struct pair p;
		char *w = want;

		memset(&own, 0, sizeof(own));
		sprintf(source,
			"config = { http_pipeline = %d } http:any:response { printf(\"%%d "
			"%%s\\n\", "
			"args.side, args.path); }",
			depths[i]);
		own.h = attach_script(&own.printed, source);
		if (!own.h)
			return false;
		p = connect_tcp();
		for (int k = 0; k < 63; k++) {
			char request[64];
			size_t n = (size_t)sprintf(request, "GET /%d HTTP/1.1\r\n\r\n", k);

			say(p.client, p.server, request, n);
			w += k < depths[i] ? sprintf(w, "/%d\n", k) : 0;
		}
		*w = 0;
		for (int k = 0; k < 63; k++)
			say(p.server, p.client, OK2, strlen(OK2));
		end_pair(p);
		good &= check(&own, "http_pipeline", want);
		good &= counter_of(&own, "http.unmatched") ==
			(depths[i] < 63 ? 2 * (uint64_t)(63 - depths[i]) : 0);
		apitrace_free(own.h);
	}
	return good;
}

/* How a unix socket ends is told by the calls on both ends of it. */
static bool unix_ends(struct test *t)
{
	static const char half[] = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nsome";
	static const char cut[] = Q_GET "R 200 OK m=GET v=1.1 n=1 b=39 l=20 c=1 r=|\n"
					"E 200 p=/x end=2 qb=0 rb=4 ok=1\n";
	static const char both[] = Q_GET "E 0 p=/x end=2 qb=0 rb=0 ok=1\n";
	struct pair p = connect_unix();
	bool good;
	char c;

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	close(p.server);
	good = recv(p.client, &c, 1, 0) == 0;
	good &= check(t, "the server closes", both);
	close(p.client);

	p = connect_unix();
	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, half, strlen(half));
	close(p.client);
	good &= recv(p.server, &c, 1, 0) == 0;
	good &= check(t, "the client closes", cut);
	close(p.server);

	p = connect_unix();
	start(t);
	say(p.client, p.server, GET, strlen(GET));
	close(p.client);
	good &= send(p.server, OK2, strlen(OK2), MSG_NOSIGNAL) < 0;
	good &= check_both(t, "the client closes, the server sends", both, Q_GET);
	close(p.server);

	p = connect_unix();
	start(t);
	put_bytes(p.client, GET GET, 2 * strlen(GET), PLAIN);
	get_bytes(p.server, 5, PLAIN);
	close(p.server);
	good &= recv(p.client, &c, 1, 0) < 0;
	good &= recv(p.client, &c, 1, 0) == 0;
	close(p.client);
	return good & check_both(t, "the server closes without reading", "",
				 Q_GET Q_GET "E 0 p=/x end=2 qb=0 rb=0 ok=1\n"
					     "E 0 p=/x end=2 qb=0 rb=0 ok=1\n");
}

struct sender {
	int fd;
	const char *text;
	size_t n;
};

static void *send_all(void *arg)
{
	const struct sender *s = arg;

	return send(s->fd, s->text, s->n, MSG_NOSIGNAL) == (ssize_t)s->n ? arg : NULL;
}

enum { LONG_BODY = 8 << 20 };

/*
 * The client reads a response while the call that sends its request is still in
 * the kernel, since the server answers before it has read the body.
 */
static bool early_response(struct test *t, const char *method, const char *response, bool used,
			   size_t before)
{
	static char text[LONG_BODY + 256], want[2048], client[2048];
	struct pair p = connect_tcp();
	size_t head = (size_t)sprintf(text, "%s /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n",
				      method, LONG_BODY);
	bool is_head = *method == 'H';
	struct sender s = { p.client, text + before, head + LONG_BODY - before };
	pthread_t thread;
	void *sent;

	start(t);
	if (used) {
		say(p.client, p.server, GET, strlen(GET));
		say(p.server, p.client, OK2, strlen(OK2));
	}
	if (before)
		say(p.client, p.server, text, before);
	if (pthread_create(&thread, NULL, send_all, &s))
		exit(95);
	get_bytes(p.server, head - before, PLAIN);
	usleep(20000); /* until the rest fills the buffers */
	put_bytes(p.server, response, strlen(response), PLAIN);
	get_bytes(p.client, strlen(response), PLAIN);
	for (int left = LONG_BODY; left > 0;) {
		static char junk[1 << 16];
		ssize_t got = recv(p.server, junk, sizeof(junk), 0);

		if (got <= 0)
			exit(94);
		left -= (int)got;
	}
	pthread_join(thread, &sent);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	for (int side = 1; side <= 2; side++)
		sprintf(side == 1 ? want : client,
			"%sQ %s t=/x p=/x q= h= v=1.1 n=1 b=%zu l=%d c=1\n"
			"R 413 No m=%s v=1.1 n=1 b=38 l=2 c=1 r=|\nE 413 p=/x end=0 qb=%d "
			"rb=%d "
			"ok=1\n%s",
			used ? Q_GET R_OK2 E_OK2 : "", method, head, LONG_BODY, method,
			side == 1 ? 0 : LONG_BODY, is_head ? 0 : 2, Q_GET R_OK2 E_OK2);
	return sent && check_both(t, "early response", want, client);
}

static bool early_responses(struct test *t)
{
	static const char post[] = "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno";
	static const char head[] = "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\n";
	uint64_t unmatched = counter_of(t, "http.unmatched");
	bool good = true;

	for (int i = 0; i < 4; i++) {
		good &= early_response(t, "POST", post, i & 1, i & 2 ? 10 : 0);
		good &= early_response(t, "HEAD", head, i & 1, i & 2 ? 10 : 0);
	}
	return good && counter_of(t, "http.unmatched") == unmatched;
}

/* The port is known of what is read behind a RST, when the kernel has given it back. */
static bool port_after_reset(struct test *t)
{
	static struct test own;
	struct pair p = connect_tcp();
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);
	char source[128];
	bool good;

	(void)t;
	getsockname(p.server, (void *)&addr, &len);
	sprintf(source, "http:%d:request { printf(\"1 %%d\\n\", args.sport == %d); }",
		ntohs(addr.sin_port), ntohs(addr.sin_port));
	own.h = attach_script(&own.printed, source);
	if (!own.h)
		return false;
	end_pair(p);
	p = connect_tcp();
	put_bytes(p.client, GET, strlen(GET), PLAIN);
	reset(p.client);
	get_bytes(p.server, strlen(GET), PLAIN);
	close(p.server);
	good = check_both(&own, "port after a reset", "1\n", "");
	apitrace_free(own.h);
	return good;
}

static const char *const silent[] = { "http.unmatched", "http.desynchronised",
				      "http.read_failed_calls", "http.joined_late", NULL };

/* Connections that were there before us: the first exchange synchronises, the next is shown. */
static bool joined_late(struct test *t)
{
	uint64_t late = counter_of(t, "http.joined_late");
	bool good = true;

	for (int i = 0; i < 2; i++) {
		struct pair p = t->old[i];

		start(t);
		say(p.server, p.client, "lo", 2);
		say(p.client, p.server, "POST /no HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 41);
		say(p.server, p.client, OK2, strlen(OK2));
		say(p.client, p.server, GET, strlen(GET));
		say(p.server, p.client, OK2, strlen(OK2));
		end_pair(p);
		good &= check(t, i ? "joined late, unix" : "joined late, tcp",
			      Q_GET R_OK2 E_OK2);
	}
	return good && counter_of(t, "http.joined_late") == late + 4;
}

enum { MESSAGES = 4 };

struct messages {
	struct mmsghdr m[MESSAGES];
	struct iovec iov[MESSAGES][2];
	char buf[MESSAGES][64];
};

/* Messages of the text, n bytes each, in two pieces. */
static unsigned make_messages(struct messages *v, const char *text, size_t n)
{
	unsigned k = 0;

	memset(v, 0, sizeof(*v));
	for (size_t len = strlen(text); len && k < MESSAGES; k++) {
		size_t m = len < n ? len : n;

		v->iov[k][0] = (struct iovec){ (char *)text, m / 3 };
		v->iov[k][1] = (struct iovec){ (char *)text + m / 3, m - m / 3 };
		v->m[k].msg_hdr.msg_iov = v->iov[k];
		v->m[k].msg_hdr.msg_iovlen = 2;
		text += m;
		len -= m;
	}
	return k;
}

static void send_messages(int fd, const char *text, size_t n)
{
	struct messages v;
	int k = (int)make_messages(&v, text, n);

	if (sendmmsg(fd, v.m, (unsigned)k, 0) != k)
		exit(87);
}

/* So many bytes, with the same vector again and again, which is rarely filled. */
static void get_messages(int fd, size_t n)
{
	static struct messages v;

	memset(&v, 0, sizeof(v));
	for (int k = 0; k < MESSAGES; k++) {
		v.iov[k][0] = (struct iovec){ v.buf[k], 7 };
		v.iov[k][1] = (struct iovec){ v.buf[k] + 7, sizeof(v.buf[k]) - 7 };
		v.m[k].msg_hdr.msg_iov = v.iov[k];
		v.m[k].msg_hdr.msg_iovlen = 2;
	}
	while (n) {
		int got = recvmmsg(fd, v.m, MESSAGES, MSG_DONTWAIT, NULL);

		if (got <= 0)
			exit(86);
		for (int k = 0; k < got; k++)
			n -= v.m[k].msg_len;
	}
}

/* sendmmsg and recvmmsg: each message has its own bytes, however the calls before it ended. */
static bool several_messages(struct test *t)
{
	uint64_t calls = counter_of(t, "http.read_failed_calls");
	bool good = true;

	for (size_t n = 8; n < 70; n++) {
		struct pair p = n & 1 ? connect_tcp() : connect_unix();

		start(t);
		for (int i = 0; i < 2; i++) {
			send_messages(p.client, GET, n);
			get_messages(p.server, strlen(GET));
			send_messages(p.server, OK2, n > 10 ? n : 10);
			get_messages(p.client, strlen(OK2));
		}
		end_pair(p);
		good &= sees_calls() ||
			check(t, "several messages", Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2);
	}
	calls = counter_of(t, "http.read_failed_calls") - calls;
	return good && (sees_calls() ? calls > 0 : !calls);
}

/* A call that ends in the middle: the next begins with its first message. */
static bool message_in_part(struct test *t)
{
	static char body[1 << 20];
	static const char head[] = "POST /x HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n";
	uint64_t calls = counter_of(t, "http.read_failed_calls");
	struct pair p = connect_tcp();
	struct mmsghdr m[3] = { 0 };
	struct iovec iov[3] = { { (char *)head, strlen(head) },
				{ body, sizeof(body) },
				{ (char *)GET, strlen(GET) } };
	size_t left = sizeof(body);
	int size = 65536, sent;

	start(t);
	setsockopt(p.client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(p.server, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	for (int k = 0; k < 3; k++)
		m[k].msg_hdr.msg_iov = &iov[k], m[k].msg_hdr.msg_iovlen = 1;
	sent = sendmmsg(p.client, m, 3, MSG_DONTWAIT);
	if (sent != 2 || m[1].msg_len == sizeof(body))
		exit(85);
	left -= m[1].msg_len;
	get_bytes(p.server, strlen(head) + m[1].msg_len, PLAIN);
	while (left) { /* the rest, with the vector from its beginning */
		iov[0] = (struct iovec){ body, left };
		iov[1] = (struct iovec){ (char *)GET, strlen(GET) };
		sent = sendmmsg(p.client, m, 2, MSG_DONTWAIT);
		if (sent < 1)
			exit(84);
		left -= m[0].msg_len;
		get_bytes(p.server, m[0].msg_len, PLAIN);
		if (sent == 2)
			get_bytes(p.server, strlen(GET), PLAIN);
		else if (!left)
			say(p.client, p.server, GET, strlen(GET));
	}
	say(p.server, p.client, OK2 OK2, 2 * strlen(OK2));
	end_pair(p);
	if (sees_calls())
		return counter_of(t, "http.read_failed_calls") > calls;
	return check(t, "a message in part",
		     "Q POST t=/x p=/x q= h= v=1.1 n=1 b=45 l=1048576 c=1\n" Q_GET
		     "R 200 OK m=POST v=1.1 n=1 b=38 l=2 c=1 r=|\n"
		     "E 200 p=/x end=0 qb=1048576 rb=2 ok=1\n" R_OK2 E_OK2) &&
	       counter_of(t, "http.read_failed_calls") == calls;
}

/* What could not be read is counted and nothing is made up; then the next exchange
 * synchronises. */
static bool unreadable(struct test *t)
{
	struct pair p = connect_tcp();
	struct mmsghdr m[2] = { 0 };
	struct iovec iov[10]; /* more pieces than are added up */
	uint64_t calls = counter_of(t, "http.read_failed_calls");
	uint64_t bytes = counter_of(t, "http.read_failed_bytes");
	bool good;

	start(t);
	for (int i = 0; i < 10; i++)
		iov[i] = (struct iovec){ (char *)GET + i, i < 9 ? 1 : strlen(GET) - 9 };
	for (int i = 0; i < 2; i++) {
		m[i].msg_hdr.msg_iov = iov;
		m[i].msg_hdr.msg_iovlen = 10;
	}
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	good = sendmmsg(p.client, m, 2, 0) == 2;
	get_bytes(p.server, 2 * strlen(GET), PLAIN);
	say(p.server, p.client, OK2 OK2, 2 * strlen(OK2));
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	apitrace_consume(t->h);
	good &= same(&t->printed, 1,
		     Q_GET R_OK2 E_OK2 Q_GET Q_GET R_OK2 E_OK2 R_OK2 E_OK2 Q_GET R_OK2 E_OK2
			     Q_GET R_OK2 E_OK2);
	good &= same(&t->printed, 2, Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2);
	if (!good)
		check(t, "unreadable", "(see the test)");
	return good && counter_of(t, "http.read_failed_calls") > calls &&
	       counter_of(t, "http.read_failed_bytes") > bytes;
}

/* An answer that is none: what follows is not believed until the next exchange. */
static bool no_answer(struct test *t)
{
	static const char noise[] = "220 mail.test ready for what may come\r\n\r\n";
	struct pair p = connect_tcp();
	uint64_t lost = counter_of(t, "http.desynchronised");
	bool good;

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, noise, strlen(noise));
	end_pair(p);
	good = check(t, "no answer", Q_GET R_OK2 E_OK2 Q_GET);
	return good && counter_of(t, "http.desynchronised") > lost;
}

/* After calls that could not be read, an exchange synchronises and the next is shown. */
static void synchronise(struct pair p)
{
	for (int i = 0; i < 2; i++) {
		say(p.client, p.server, GET, strlen(GET));
		say(p.server, p.client, OK2, strlen(OK2));
	}
}

/* What a client sent in a way that cannot be read: counted, and nothing made up. */
static bool unread_send(struct test *t, const char *name,
			bool (*put)(int fd, const char *s, size_t n))
{
	uint64_t calls = counter_of(t, "http.read_failed_calls");
	uint64_t bytes = counter_of(t, "http.read_failed_bytes");
	uint64_t lost = counter_of(t, "http.desynchronised");
	const char *server =
		Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2;
	struct pair p = connect_tcp();
	bool good;

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	if (!put(p.client, GET, strlen(GET))) {
		printf("# %s: not here\n", name);
		end_pair(p);
		return true;
	}
	get_bytes(p.server, strlen(GET), PLAIN);
	say(p.server, p.client, OK2, strlen(OK2));
	synchronise(p);
	end_pair(p);
	if (sees_calls()) { /* not such a one: what is missing shows at the next */
		apitrace_consume(t->h);
		return same(&t->printed, 1, server) &&
		       counter_of(t, "http.desynchronised") > lost;
	}
	good = check_both(t, name, server, Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2);
	return good && counter_of(t, "http.read_failed_calls") == calls + 1 &&
	       counter_of(t, "http.read_failed_bytes") == bytes + strlen(GET);
}

/* io_uring has no registers of a system call: by its own calls, without a library. */
static bool send_by_uring(int fd, const char *text, size_t n)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &params), got;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqe;
	char *rings;
	unsigned *array;

	if (ring < 0)
		return false;
	rings = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQ_RING);
	sqes = mmap(NULL, sizeof(*sqes), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		    IORING_OFF_SQES);
	if (rings == MAP_FAILED || sqes == MAP_FAILED ||
	    !(params.features & IORING_FEAT_SINGLE_MMAP))
		exit(93);
	*sqes = (struct io_uring_sqe){
		.opcode = IORING_OP_SEND, .fd = fd, .addr = (uintptr_t)text, .len = (unsigned)n
	};
	array = (unsigned *)(rings + params.sq_off.array);
	array[0] = 0;
	__atomic_store_n((unsigned *)(rings + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		exit(93);
	cqe = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
	got = cqe->res;
	munmap(rings, 1 << 16);
	munmap(sqes, sizeof(*sqes));
	close(ring);
	return got == (int)n;
}

/* A call of a 32-bit program, which a 64-bit one may make: other numbers, other registers. */
static bool send_by_32(int fd, const char *text, size_t n)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long ret = 4; /* write */

	if (low == MAP_FAILED)
		return false;
	memcpy(low, text, n);
	__asm__ volatile("int $0x80"
			 : "+a"(ret)
			 : "b"((long)fd), "c"(low), "d"(n)
			 : "memory", "r8", "r9", "r10", "r11");
	munmap(low, 4096);
	return ret == (long)n;
}

static bool by_uring(struct test *t)
{
	return unread_send(t, "sent by io_uring", send_by_uring);
}

static bool by_32(struct test *t)
{
	return unread_send(t, "sent by a 32-bit call", send_by_32);
}

/* A head that is thrown away by its reader was seen by nobody. */
static bool thrown_away(struct test *t)
{
	uint64_t calls = counter_of(t, "http.read_failed_calls");
	struct pair p = connect_tcp();
	bool good;

	start(t);
	say(p.client, p.server, GET, strlen(GET));
	say(p.server, p.client, OK2, strlen(OK2));
	put_bytes(p.client, GET, strlen(GET), PLAIN);
	good = recv(p.server, NULL, strlen(GET), MSG_TRUNC) == (ssize_t)strlen(GET);
	say(p.server, p.client, OK2, strlen(OK2));
	synchronise(p);
	end_pair(p);
	good &= check_both(
		t, "thrown away", Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2,
		Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2 Q_GET R_OK2 E_OK2);
	return good && counter_of(t, "http.read_failed_calls") == calls + 1;
}

/* What comes out of the queue of errors was sent, not received. */
static bool error_queue(struct test *t)
{
	int stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	struct pair p = connect_tcp();
	char buf[256], control[256];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t got = -1;

	start(t);
	setsockopt(p.client, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps));
	say(p.client, p.server, GET, strlen(GET));
	for (int i = 0; got <= 0 && i < 100; i++, usleep(1000))
		got = recvmsg(p.client, &msg, MSG_ERRQUEUE);
	say(p.server, p.client, OK2, strlen(OK2));
	end_pair(p);
	return got > 0 && check(t, "error queue", Q_GET R_OK2 E_OK2);
}

static void record(int from, int to, const char *s)
{
	char buf[256];

	if (send(from, s, strlen(s), 0) != (ssize_t)strlen(s) ||
	    recv(to, buf, sizeof(buf), 0) != (ssize_t)strlen(s))
		exit(88);
}

/* Datagrams and records are no streams. */
static bool no_streams(struct test *t)
{
	static const int kinds[][2] = { { AF_UNIX, SOCK_DGRAM }, { AF_UNIX, SOCK_SEQPACKET } };
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	struct pair p;

	start(t);
	for (size_t i = 0; i < 2; i++) {
		int fds[2];

		if (socketpair(kinds[i][0], kinds[i][1], 0, fds))
			return false;
		p = (struct pair){ fds[0], fds[1] };
		record(p.client, p.server, GET);
		record(p.server, p.client, OK2);
		end_pair(p);
	}
	p = (struct pair){ socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET, SOCK_DGRAM, 0) };
	if (bind(p.server, (void *)&addr, len) || getsockname(p.server, (void *)&addr, &len) ||
	    connect(p.client, (void *)&addr, len))
		return false;
	record(p.client, p.server, GET);
	end_pair(p);
	return check(t, "no streams", "");
}

enum { AT_ONCE = 3000, ABREAST = 12 };

struct talker {
	int in, out;
	const char *text;
	size_t in_size;
};

static void *write_all(void *arg)
{
	const struct talker *k = arg;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		char credit;

		if (k->in >= 0 && read(k->in, &credit, 1) != 1)
			exit(92);
		put_bytes(k->out, k->text, strlen(k->text), PLAIN);
	}
	return NULL;
}

static void *read_all(void *arg)
{
	const struct talker *k = arg;
	char buf[512];

	for (unsigned i = 0; i < AT_ONCE; i++) {
		size_t left = k->in_size;

		while (left) {
			ssize_t n = read(k->in, buf, left);

			if (n <= 0)
				exit(91);
			left -= (size_t)n;
		}
		if (k->out >= 0 && write(k->out, "", 1) != 1)
			exit(90);
	}
	return NULL;
}

/* Both directions of one connection on both ends, each in a thread of its own. */
static bool at_once(struct test *t)
{
	static struct test own;
	struct pair p = connect_tcp();
	int window[2], answer[2];
	struct talker k[4];
	pthread_t thread[4];
	bool good;

	(void)t;
	memset(&own, 0, sizeof(own));
	own.h = attach_script(&own.printed,
			      "http:any:request { @q[args.side] = count(); }\n"
			      "http:any:response { @r[args.side, args.path] = count(); }\n"
			      "http:any:exchange { @e[args.side, args.end] = count(); }\n"
			      "end { print(@q); print(@r); print(@e); }");
	if (!own.h || pipe(window) || pipe(answer))
		return false;
	for (int i = 0; i < ABREAST; i++)
		good = write(window[1], "", 1) == 1;
	k[0] = (struct talker){ .in = window[0], .out = p.client, .text = GET };
	k[1] = (struct talker){ .in = p.server, .out = answer[1], .in_size = strlen(GET) };
	k[2] = (struct talker){ .in = answer[0], .out = p.server, .text = OK2 };
	k[3] = (struct talker){ .in = p.client, .out = window[1], .in_size = strlen(OK2) };
	for (int i = 0; i < 4; i++)
		if (pthread_create(&thread[i], NULL, i & 1 ? read_all : write_all, &k[i]))
			exit(89);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	end_pair(p);
	for (int i = 0; i < 2; i++)
		close(window[i]), close(answer[i]);
	apitrace_consume(own.h);
	for (const char *const *q = silent; *q; q++)
		if (counter_of(&own, *q)) {
			printf("# %s is %llu\n", *q, (unsigned long long)counter_of(&own, *q));
			good = false;
		}
	good &= counter_of(&own, "http.seen") == 4 * AT_ONCE;
	apitrace_free(own.h);
	return good;
}

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotl(v[1], 13) ^ v[0], v[0] = rotl(v[0], 32);
	v[2] += v[3], v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3], v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1], v[1] = rotl(v[1], 17) ^ v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 with the key that getrandom() gives. */
static uint64_t siphash(const unsigned char *s, size_t n)
{
	uint64_t key[2], v[4] = { 0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
				  0x7465646279746573 };

	getrandom(key, sizeof(key), 0);
	for (int i = 0; i < 4; i++)
		v[i] ^= key[i & 1];
	for (size_t i = 0; i <= n; i += 8) {
		size_t left = n - i < 8 ? n - i : 8;
		uint64_t m = 0;

		memcpy(&m, s + i, left);
		m |= left < 8 ? (uint64_t)n << 56 : 0;
		v[3] ^= m;
		sip_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The hash of a secret is that of all its bytes, kept or not, however they came. */
static bool secret_hash(struct test *t)
{
	static char cookie[512], text[1024];
	bool good = true;

	for (size_t len = 1; len < 400; len += 1 + len / 9) {
		char want[17];

		for (size_t i = 0; i < len; i++)
			cookie[i] = (char)('a' + (i * 31 + len) % 26);
		snprintf(want, sizeof(want), "%016llx",
			 (unsigned long long)siphash((unsigned char *)cookie, len));
		sprintf(text, "GET /x HTTP/1.1\r\nCookie: %.*s\r\n\r\n", (int)len, cookie);
		for (size_t step = 1; step < 500; step = step * 3 + 1) {
			struct pair p = len & 1 ? connect_tcp() : connect_unix();
			size_t n = strlen(text);

			start(t);
			for (size_t i = 0; i < n; i += step)
				say(p.client, p.server, text + i, n - i < step ? n - i : step);
			end_pair(p);
			apitrace_consume(t->h);
			if (strcmp(t->printed.hash, want)) {
				printf("# %zu bytes by %zu: %s, wanted %s\n", len, step,
				       t->printed.hash, want);
				good = false;
			}
			memset(t->printed.hash, 0, sizeof(t->printed.hash));
		}
	}
	return good;
}

static const char *const quiet[] = { "http.read_failed_calls", "lost", "map_full", NULL };

/* Nothing of the conversations may have been lost on the way. */
static bool counters_quiet(struct test *t)
{
	bool good = counter_of(t, "http.seen") != UINT64_MAX;

	for (const char *const *q = quiet; *q; q++) {
		uint64_t v = counter_of(t, *q);

		if (v && v != UINT64_MAX) {
			printf("# %s is %llu\n", *q, (unsigned long long)v);
			good = false;
		}
	}
	return good;
}

static const struct {
	const char *name;
	bool (*run)(struct test *t);
} others[] = {
	{ "nothing was lost", counters_quiet },
	{ "long head", long_head },
	{ "content that nobody reads", unread_body },
	{ "content that no call shows", unseen_body },
	{ "urgent bytes", urgent },
	{ "read after a reset", read_after_reset },
	{ "port after a reset", port_after_reset },
	{ "the ends of unix sockets", unix_ends },
	{ "a response before its request's call returns", early_responses },
	{ "many open requests", many_open },
	{ "open requests that come and go", open_by_turns },
	{ "many open requests, many texts", many_open_wide },
	{ "config http_pipeline", pipeline_config },
	{ "hashes of secrets", secret_hash },
	{ "joined late", joined_late },
	{ "several messages in a call", several_messages },
	{ "a message that is sent in part", message_in_part },
	{ "a call that cannot be read", unreadable },
	{ "sent by io_uring", by_uring },
	{ "sent by a 32-bit call", by_32 },
	{ "a head that its reader throws away", thrown_away },
	{ "the queue of errors", error_queue },
	{ "datagrams and records", no_streams },
	{ "both directions at once", at_once },
	{ "what answers is not HTTP", no_answer },
};

/* Connections in the middle of an exchange. */
static void open_old(struct test *t)
{
	t->old[0] = connect_tcp();
	t->old[1] = connect_unix();
	for (int i = 0; i < 2; i++) {
		say(t->old[i].client, t->old[i].server, GET, strlen(GET));
		say(t->old[i].server, t->old[i].client,
		    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 41);
	}
}

/* The script told to use the tap that HTTP_TAP names, if it does. */
static const char *with_tap(const char *source, char *told, size_t size)
{
	const char *tap = getenv("HTTP_TAP"), *start = "config = {";
	bool has_config = !strncmp(source, start, strlen(start));

	if (!tap)
		return source;
	if (has_config)
		source += strlen(start);
	snprintf(told, size, "%s http_tap = \"%s\"%s%s", start, tap, has_config ? ";" : " } ",
		 source);
	return told;
}

static struct apitrace *attach_script(struct printed *printed, const char *source)
{
	struct apitrace_opts opts = { .sz = sizeof(opts),
				      .write = on_write,
				      .arg = printed,
				      .pid = getpid(),
				      .plugin = getenv("APITRACE_PLUGIN") };
	struct apitrace *h = apitrace_new(&opts);
	struct apitrace_diag d;
	char told[8192];
	int err;

	source = with_tap(source, told, sizeof(told));
	err = apitrace_compile(h, "test", source, strlen(source));

	err = err ? err : apitrace_load(h);
	err = err ? err : apitrace_attach(h);
	for (size_t i = 0; err && !apitrace_diag_get(h, i, &d); i++)
		printf("# %s\n", d.rendered ? d.rendered : d.text);
	if (!err)
		return h;
	apitrace_free(h);
	return NULL;
}

static int setup(struct test *t)
{
	open_old(t);
	t->h = attach_script(&t->printed, script);
	return t->h ? 0 : -1;
}

int main(int argc, char **argv)
{
	size_t ncases = sizeof(conversations) / sizeof(*conversations), failed = 0, n = 0;
	size_t nothers = sizeof(others) / sizeof(*others);
	static struct test t;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (geteuid()) {
		printf("1..0 # SKIP needs root\n");
		return 0;
	}
	printf("1..%zu\n", ncases + nothers);
	if (setup(&t)) {
		printf("Bail out! the script was not attached\n");
		return 1;
	}
	for (size_t i = 0; i < ncases; i++) {
		bool good;

		if (argc > 1 && !strstr(conversations[i].name, argv[1]))
			continue;
		good = run_case(&t, &conversations[i]);
		failed += !good;
		printf("%sok %zu - %s\n", good ? "" : "not ", ++n, conversations[i].name);
	}
	for (size_t i = 0; i < nothers; i++) {
		bool good = others[i].run(&t);

		failed += !good;
		printf("%sok %zu - %s\n", good ? "" : "not ", ++n, others[i].name);
	}
	printf("# %u conversations\n", t.runs);
	apitrace_free(t.h);
	return failed != 0;
}
