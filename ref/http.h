/* The opening handshake of WebSocket for SIP (RFC 6455 section 4, RFC 7118 section 4), both roles.
 *
 * A head is everything from the start line to the empty line. It arrives in pieces:
 * sipws_head_feed finds its end, refusing lines that end otherwise than with CRLF and heads above
 * the limit as soon as that is certain; then one of the two readers takes the whole head.
 *
 * The readings that are chosen here:
 * - No obsolete folding and no white space before a colon: both are refused (RFC 7230 3.2.4), as
 *   two readers that disagree on them disagree on what the handshake says.
 * - A subprotocol is compared with case (RFC 6455 11.3.4 gives none away). Offering sip among
 *   others, in one or in several Sec-WebSocket-Protocol fields, is fine; offering a name twice is
 *   not (RFC 6455 4.1).
 * - Extensions may be offered and are never agreed to; a server that agrees to one is refused.
 * - Octets behind a request's head are the start of the first frame. A client must not send them
 *   before the answer (RFC 6455 4.1), but when it sent them cannot be told from the octets.
 */
#ifndef SIPWS_HTTP_H
#define SIPWS_HTTP_H

#include "crypt.h"
#include "limits.h"
#include "out.h"

struct sipws_head {
    uint32_t n;    /* octets seen */
    uint8_t state; /* of the line ends */
};

enum sipws_head_end { SIPWS_HEAD_MORE, SIPWS_HEAD_DONE, SIPWS_HEAD_BAD };

/* Feeds n octets of a head. *used is how many belong to it: all for MORE, up to and with the empty
 * line for DONE, those before the offending octet for BAD (described in *diag with its offset from
 * the start of the head). The caller keeps them. All zero is the start. */
enum sipws_head_end sipws_head_feed(struct sipws_head *h, const char *p, size_t n, size_t limit,
                                    size_t *used, struct sipws_diag *diag);

struct sipws_http_field {
    struct sipws_str name;
    struct sipws_str value; /* without the white space around it */
};

/* What a head says. Slices alias the head; p is NULL for what is absent. */
struct sipws_http {
    struct sipws_str target; /* request-target of a request */
    unsigned status;         /* of a response */
    struct sipws_str reason;
    struct sipws_str host, origin, key, accept;
    struct sipws_str protocol; /* response: the one that was chosen */
    bool offers_sip;           /* request */
    struct sipws_http_field fields[SIPWS_MAX_HEAD_FIELDS]; /* all, in their order */
    size_t n;
};

/* A client's request, read by a server. Offsets in *diag count from the start of the head. */
bool sipws_http_request(struct sipws_str head, struct sipws_http *out, struct sipws_diag *diag);

/* A server's response, read by the client that sent `key`. Every status but 101 is refused as
 * http-status, with out->status set. */
bool sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                         struct sipws_diag *diag);

/* The first field `name`, without regard to case. False: absent. */
bool sipws_http_find(const struct sipws_http *h, struct sipws_str name, struct sipws_str *value);

/* What a client asks. Strings are octets that may stand where they go: the caller's promise, which
 * sipws_http_put_request checks. */
struct sipws_http_ask {
    struct sipws_str target; /* "/path?query" */
    struct sipws_str host;   /* "host" or "host:port" */
    struct sipws_str origin; /* p NULL: none, as for programs that are no browsers */
    struct sipws_str more;   /* further header lines, each with its CRLF; may be empty */
};

/* Prints a request for the subprotocol sip. False: `ask` has an octet that would break it; nothing
 * was printed. */
bool sipws_http_put_request(struct sipws_out *o, const struct sipws_http_ask *ask,
                            struct sipws_str key);

/* Prints the 101 that answers `key`. False: libcrypto failed. */
bool sipws_http_put_accept(struct sipws_out *o, struct sipws_str key);

/* Prints a refusal with `status` (400, 401, 403, 404, 426, 431, 503, …), an empty body, the header
 * lines that the status calls for (Sec-WebSocket-Version for 426) and `more` (as in
 * sipws_http_ask). */
void sipws_http_put_refusal(struct sipws_out *o, unsigned status, struct sipws_str more);

#endif
