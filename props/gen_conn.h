/* Stories of whole connections from a tape: what the peer of an engine sends, from its handshake to
 * its last frame, and what must come of it. At most one thing is bent: in the handshake, in the
 * frames, or in SIP.
 */
#ifndef GEN_CONN_H
#define GEN_CONN_H

#include "conn.h"
#include "gen_msg.h"
#include "gen_ws.h"

enum gen_conn_what {
    GEN_CONN_SIP,       /* a sound SIP message */
    GEN_CONN_KEEPALIVE, /* CRLF or CRLF CRLF */
    GEN_CONN_UNSOUND    /* a WebSocket message that is no sound SIP message */
};

enum { GEN_CONN_MESSAGES = 10 };

struct gen_conn {
    enum sipws_role role; /* of the engine */
    bool tls;
    bool talks; /* the SIP messages are those of one end of a conversation (gen_dialog.h) */
    struct sipws_str head; /* the peer's handshake */
    const char *head_bend; /* what is wrong with it, or NULL */
    enum sipws_err head_err;
    /* The WebSocket messages in their order; a bend of the frames may add others, which are no SIP.
     */
    enum gen_conn_what what[GEN_CONN_MESSAGES];
    struct sipws_str text[GEN_CONN_MESSAGES];
    size_t n;
    struct gen_ws *ws;
    struct sipws_str wire; /* all of it */
    struct gen_cuts cuts;
};

/* The first octet of the tape is the role, as in all properties of one connection. */
#define GEN_CONN_OF(role) ((role) == SIPWS_CLIENT ? 255 : 0)

/* NULL: the arena is full. */
struct gen_conn *gen_conn(struct tape *t, struct arena *a);

/* For struct prop; the story is a struct gen_conn. */
void gen_conn_explain(const void *story, FILE *f);
void gen_conn_wire(const void *story, struct sipws_out *o);

#endif
