/* Conversations from a tape: what a SIP client and the proxy at the other end of its connection say
 * to each other, by a small model of transactions and dialogs. REGISTER with a challenge, refreshed
 * and given up; calls that are answered, rejected, cancelled, changed and ended; subscriptions with
 * their notifications; MESSAGE, OPTIONS, and keep-alives between all of them.
 *
 * The model keeps what RFC 3261 has an element keep: Call-ID, tags and CSeq of each dialog, the
 * branch of each transaction, the recorded route. The text is written here, line by line; nothing
 * of ref prints it. At most one step is bent, and knows the error that it earns.
 */
#ifndef GEN_DIALOG_H
#define GEN_DIALOG_H

#include "err.h"
#include "property.h"
#include "ws.h"

enum gen_dialog_bend {
    GEN_DIALOG_SOUND,
    GEN_DIALOG_CSEQ_METHOD,  /* CSeq names another method than the request */
    GEN_DIALOG_TO_TAG,       /* a response without a tag in To */
    GEN_DIALOG_FROM_TAG,     /* no tag in From */
    GEN_DIALOG_VIA_OTHER,    /* WS over TLS, WSS without */
    GEN_DIALOG_VIA_UDP,      /* no WebSocket transport */
    GEN_DIALOG_LENGTH,       /* Content-Length counts otherwise */
    GEN_DIALOG_TWICE,        /* two Call-ID */
    GEN_DIALOG_NO_HOPS,      /* a request without Max-Forwards */
    GEN_DIALOG_NO_CALL_ID,   /* no Call-ID */
    GEN_DIALOG_NO_CHALLENGE, /* a 401 without WWW-Authenticate */
    GEN_DIALOG_GLUED,        /* two SIP messages in one WebSocket message */
    GEN_DIALOG_HALVES,       /* one SIP message in two WebSocket messages */
    GEN_DIALOG_BENDS
};

enum gen_dialog_what {
    GEN_DIALOG_SIP,
    GEN_DIALOG_PING, /* of WebSocket */
    GEN_DIALOG_CRLF  /* of RFC 5626 */
};

/* What the receiver of a WebSocket message makes of it. */
enum gen_dialog_want { GEN_DIALOG_MESSAGE, GEN_DIALOG_REFUSED, GEN_DIALOG_KEEPALIVE };

/* One WebSocket message. */
struct gen_dialog_part {
    struct sipws_str text;
    enum gen_dialog_want want;
    enum sipws_err err; /* of GEN_DIALOG_REFUSED, and at which octet */
    size_t off;
    bool unreadable; /* its lines are no SIP message, so that an end of ref does not send it */
};

struct gen_dialog_line {
    const char *name;
    char compact; /* its compact form, or '\0' */
    struct sipws_str value;
};

enum { GEN_DIALOG_STEPS = 72, GEN_DIALOG_LINES = 20 };

struct gen_dialog_step {
    enum sipws_role from;
    enum gen_dialog_what what;

    /* Of GEN_DIALOG_SIP: what a right reader finds in it. */
    unsigned status;    /* 0: a request */
    const char *method; /* of the request, or of the one that is answered */
    uint32_t cseq;
    struct sipws_str call_id, branch;
    struct sipws_str from_tag, to_tag; /* p NULL: none */

    /* Its text: start line and header fields in their order, without line ends. */
    struct sipws_str start, body;
    struct gen_dialog_line lines[GEN_DIALOG_LINES];
    size_t lines_n;
    bool compact;

    struct gen_dialog_part parts[2];
    size_t n; /* 0: it went into the part of the step before */
};

struct gen_dialog {
    bool tls;
    enum gen_dialog_bend bend;
    size_t bent; /* the step, where bend is not GEN_DIALOG_SOUND */

    /* Each step but the first is caused by those before it: its sender has received what the other
     * end sent up to there. */
    struct gen_dialog_step steps[GEN_DIALOG_STEPS];
    size_t n;
};

/* NULL: the arena is full. */
struct gen_dialog *gen_dialog(struct tape *t, struct arena *a);

const char *gen_dialog_bend_name(enum gen_dialog_bend bend);

void gen_dialog_explain(const struct gen_dialog *d, FILE *f);

#endif
