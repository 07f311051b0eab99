/* What an edge server keeps around the engine: which connection an address is reached by and an
 * answer goes to, transactions, the parts of bodies, and whose a certificate is. Only tests use it.
 * ref stops short of these things, and deployed stacks have failed in them, so the plants of the
 * classes X5, S6, S9 and P4 of bugs live here.
 */
#ifndef EDGE_H
#define EDGE_H

#include "msg.h"

/* ---- connections and transactions ------------------------------------------------------------ */

enum { EDGE_SLOTS = 4, EDGE_TRANSACTIONS = 32, EDGE_TEXT = 64 };

/* Octets of its own: messages do not outlive the call. */
struct edge_text {
    char p[EDGE_TEXT];
    size_t n;
};

/* A connection. Slots are used again, serials are not. */
struct edge_slot {
    bool open;
    uint32_t serial;       /* from 1 */
    struct edge_text aor;  /* that was registered over it, or empty */
    struct edge_text host; /* the sent-by of that registration */
};

struct edge_transaction {
    bool used, answered;
    unsigned slot;
    uint32_t serial; /* of the connection that the request came over */
    struct edge_text branch, host;
    enum sipws_method method;
};

struct edge {
    uint32_t serials;
    unsigned last; /* the slot of the last registration */
    struct edge_slot slots[EDGE_SLOTS];
    struct edge_transaction transactions[EDGE_TRANSACTIONS];
};

/* What a request is (RFC 3261 17.2.3 and 9.2). */
enum edge_what {
    EDGE_BAD,       /* without a branch, or too long for an edge_text, or the slot is not open */
    EDGE_NEW,       /* a transaction of its own */
    EDGE_AGAIN,     /* a retransmission, or the ACK of an answer */
    EDGE_CANCELLED, /* a CANCEL of a transaction without an answer */
    EDGE_LATE,      /* a CANCEL of none, or of one that was answered; an ACK of none */
    EDGE_FULL
};

/* A slot for a new connection, or EDGE_SLOTS. */
unsigned edge_open(struct edge *e);
void edge_close(struct edge *e, unsigned slot);

/* A request came over `slot`. *transaction: the one that is new, or that it belongs to. */
enum edge_what edge_hear(struct edge *e, unsigned slot, const struct sipws_msg *m,
                         unsigned *transaction);

/* The answer of a transaction: the serial of the connection it goes out on, or 0 where that is
 * gone. Never by what Via says: the other end has no address (RFC 7118 5.2). */
uint32_t edge_answer(struct edge *e, unsigned transaction);

/* The serial of the connection over which an address was registered last, or 0. */
uint32_t edge_call(const struct edge *e, struct sipws_str aor);

/* ---- the parts of a body (RFC 2046 5.1.1) ---------------------------------------------------- */

struct edge_parts {
    const char *p, *end; /* what is left */
    struct sipws_str boundary;
    bool inside; /* behind a delimiter */
    bool closed; /* the close-delimiter came */
};

struct edge_parts edge_parts(struct sipws_str body, struct sipws_str boundary);

/* The next part. False: there is none; then `closed` tells whether the body ended as it must. */
bool edge_part_next(struct edge_parts *s, struct sipws_str *part);

/* ---- certificates (RFC 5922 7) --------------------------------------------------------------- */

enum { EDGE_NAMES = 4 };

/* The names in a certificate whose chain is good. */
struct edge_certificate {
    struct sipws_str uris[EDGE_NAMES], dns[EDGE_NAMES]; /* of subjectAltName */
    size_t uri_n, dns_n;
    struct sipws_str cn; /* n = 0: none */
};

/* Whether it is a certificate of that SIP domain. */
bool edge_certificate_is(const struct edge_certificate *c, struct sipws_str domain);

#endif
