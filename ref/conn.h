/* A SIP WebSocket connection (RFC 7118), sans-I/O, both roles: handshake, frames and SIP joined.
 *
 * The engine has no socket, clock, random source or memory of its own. Octets that came from the
 * peer go in through io->in, octets for the peer come out through io->out, and each call of
 * sipws_conn_read gives at most one event. The same octets give the same events however they were
 * cut.
 *
 *     struct sipws_io io = {.in = …, .out = sipws_out(tx, sizeof tx), .now = …, .random = …};
 *     do {
 *         sipws_conn_read(&conn, &io, &ev);
 *         … // act on the event, then send io.out and empty it
 *     } while (ev.kind != SIPWS_EV_MORE && ev.kind != SIPWS_EV_CLOSED &&
 *              ev.kind != SIPWS_EV_FAILED);
 *     // read more; once the stream has ended, call sipws_conn_end
 *
 * A client calls sipws_conn_start before it reads.
 *
 * The readings that are chosen here:
 * - RFC 7118 4.1 has a WebSocket message carry one SIP message, and section 6 allows the CRLF
 *   keep-alive of RFC 5626 3.5.1: a message that is exactly CRLF CRLF is a ping and is answered
 *   with CRLF, one that is exactly CRLF is a pong. Any other message that starts with a CRLF is
 *   refused.
 * - A refused SIP message does not end the connection: the frames around it are sound, so the next
 *   message can be told from it. A refused frame or handshake does.
 */
#ifndef SIPWS_CONN_H
#define SIPWS_CONN_H

#include "http.h"
#include "msg.h"
#include "ws.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Octets of io->out that must be free for each call that may answer by itself: no answer is longer.
 */
enum { SIPWS_CONN_ROOM = 512 };

/* What a call reads and writes: the caller fills it before each. */
struct sipws_io {
    struct sipws_str in;      /* stepped over as it is used */
    struct sipws_out out;     /* at least SIPWS_CONN_ROOM octets free */
    uint64_t now;             /* milliseconds of any monotonic clock */
    unsigned char random[16]; /* a client's nonce and masking keys: fresh octets for each call, from
                                 a source that nobody can foresee. A server needs none. */
};

/* Times in milliseconds; 0 = never. */
struct sipws_times {
    uint32_t handshake; /* from the start to SIPWS_EV_OPEN */
    uint32_t idle;      /* silence after which a ping is sent */
    uint32_t pong;      /* silence after that ping */
    uint32_t close;     /* from our close frame to the peer's */
};

/* 10 s, 30 s, 10 s, 5 s. */
#define SIPWS_TIMES_DEFAULT (SIPWS_NEW(sipws_times){10000, 30000, 10000, 5000})

/* How a connection is to be; copied by sipws_conn_init. */
struct sipws_conn_config {
    enum sipws_role role;
    bool tls;                   /* the connection runs over TLS: WSS in Via, sips allowed */
    uint32_t allow;             /* SIPWS_ALLOW_* */
    struct sipws_limits limits; /* all zero takes nothing: start from SIPWS_LIMITS_DEFAULT */
    struct sipws_times times;

    /* The caller's memory, for as long as the connection lives. */
    char *buf;                  /* the head, then messages: each at most cap octets */
    size_t cap;                 /* not 0 */
    struct sipws_field *fields; /* of the current message */
    size_t field_cap;           /* not 0 */
};

/* What happened. */
enum sipws_event_kind {
    SIPWS_EV_MORE,    /* all input is used up */
    SIPWS_EV_FULL,    /* io->out has less than SIPWS_CONN_ROOM octets free: send it first */
    SIPWS_EV_REQUEST, /* server: a sound handshake; answer with sipws_conn_accept or _refuse before
                         reading on */
    SIPWS_EV_OPEN,    /* client: the server agreed; ev.http is its answer */
    SIPWS_EV_MESSAGE, /* a SIP message without errors; ev.msg */
    SIPWS_EV_REFUSED, /* a WebSocket message that is no sound SIP message; ev.diag, and ev.msg if
                         its lines could be read (then a request can be answered), or NULL */
    SIPWS_EV_KEEPALIVE, /* CRLF keep-alive: ev.data is CRLF CRLF (answered) or CRLF */
    SIPWS_EV_PING,      /* answered; ev.data */
    SIPWS_EV_PONG,      /* ev.data */
    SIPWS_EV_CLOSED, /* both have closed, in order; ev.code and ev.data of the peer's close frame.
                        Send io.out, then end the stream. The last event. */
    SIPWS_EV_FAILED  /* the connection failed; ev.diag. Send io.out (a refusal or close frame
                        is in it where the peer can still read one), then end the stream.
                        Sticky. */
};

/* Slices and pointers live until the next call with the connection. */
struct sipws_event {
    enum sipws_event_kind kind;
    const struct sipws_http *http; /* REQUEST, OPEN */
    const struct sipws_msg *msg;   /* MESSAGE, REFUSED */
    bool binary;                   /* MESSAGE, REFUSED, KEEPALIVE */
    uint16_t code;          /* CLOSED: of the peer's close frame, or SIPWS_CLOSE_NONE. FAILED:
                               of the close frame that was sent, or SIPWS_CLOSE_LOST */
    struct sipws_str data;  /* the octets of a WebSocket message; a control payload; a close's
                               reason */
    struct sipws_diag diag; /* FAILED: offset from the start of the stream. REFUSED: offset
                               from the start of the message */
};

/* Where a connection is; read it, but leave it to the engine. */
enum sipws_conn_state {
    SIPWS_CONN_START,  /* client: before sipws_conn_start */
    SIPWS_CONN_HEAD,   /* the peer's head is coming */
    SIPWS_CONN_ANSWER, /* server: the head is here, the answer is not */
    SIPWS_CONN_OPEN,
    SIPWS_CONN_CLOSING, /* our close frame is out; the peer's is not here */
    SIPWS_CONN_CLOSED,  /* what still comes is discarded */
    SIPWS_CONN_FAILED
};

/* A connection. Owns nothing that would have to be freed. */
struct sipws_conn {
    struct sipws_conn_config config;
    enum sipws_conn_state state;

    /* The rest belongs to the engine. */
    struct sipws_head head;
    struct sipws_http http;
    char key[SIPWS_KEY]; /* client */
    struct sipws_ws ws;
    struct sipws_msg msg;
    size_t off;     /* octets of the stream before the first frame */
    uint64_t since; /* when the state began */
    uint64_t heard; /* when octets last came, or when our ping went out after that */
    bool pinged;    /* no octet has come since our ping */
    struct sipws_diag error;
    uint16_t error_code;
};

/* `now` as in struct sipws_io. */
void sipws_conn_init(struct sipws_conn *c, const struct sipws_conn_config *config, uint64_t now);

/* Client: sends the handshake. False: wrong state, `ask` has octets that may not stand in it, no
 * room in io->out, or libcrypto failed; nothing happened. */
bool sipws_conn_start(struct sipws_conn *c, struct sipws_io *io, const struct sipws_http_ask *ask);

/* Reads io->in up to the next event. Call it until it says SIPWS_EV_MORE, then read more; or until
 * one of the last two events, SIPWS_EV_CLOSED and SIPWS_EV_FAILED. */
enum sipws_event_kind sipws_conn_read(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev);

/* Server, after SIPWS_EV_REQUEST. accept opens the connection. refuse ends it, with a status and
 * further header lines as for sipws_http_put_refusal; no event follows: send io->out, then end the
 * stream. False: wrong state, no room (accept needs SIPWS_CONN_ROOM), another status, lines that
 * are not whole, or libcrypto failed; nothing happened. */
bool sipws_conn_accept(struct sipws_conn *c, struct sipws_io *io);
bool sipws_conn_refuse(struct sipws_conn *c, struct sipws_io *io, unsigned status,
                       struct sipws_str more);

/* Sends one SIP message: as text where it is UTF-8, else as binary (RFC 7118 4.2). False: the
 * connection is not open (SIPWS_E_STATE), `text` is no message by sipws_msg_parse, or io->out has
 * no room for it (SIPWS_E_LIMIT_OUT; 14 octets more than `text` are enough); nothing was written,
 * *diag (which may be NULL) says why. Reads `text` through the field array of the configuration, so
 * the fields of an event's message are gone after it. */
bool sipws_conn_send(struct sipws_conn *c, struct sipws_io *io, struct sipws_str text,
                     struct sipws_diag *diag);

/* Sends WebSocket's ping, or the CRLF CRLF of RFC 5626. False: not open, or no room. */
bool sipws_conn_ping(struct sipws_conn *c, struct sipws_io *io);
bool sipws_conn_crlf(struct sipws_conn *c, struct sipws_io *io);

/* Starts the closing handshake. `code` is one of sipws_close_sendable or SIPWS_CLOSE_NONE. False:
 * not open, another code, or no room. */
bool sipws_conn_close(struct sipws_conn *c, struct sipws_io *io, unsigned code,
                      struct sipws_str reason);

/* The peer's stream ended. Gives CLOSED or FAILED, also where that was given before. */
enum sipws_event_kind sipws_conn_end(struct sipws_conn *c, struct sipws_io *io,
                                     struct sipws_event *ev);

/* Time passed. MORE, or FAILED with SIPWS_E_TIMEOUT; sends a ping where one is due. */
enum sipws_event_kind sipws_conn_tick(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev);

/* When sipws_conn_tick has something to do, in terms of io->now; UINT64_MAX: never. */
uint64_t sipws_conn_due(const struct sipws_conn *c);

#ifdef __cplusplus
}
#endif

#endif
