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
 * - HTTP's grammar is that of RFC 7230, which replaced RFC 2616: one digit on each side of the
 *   version's dot, one space in the start line, nothing before it. Lists keep the empty elements
 *   of RFC 2616's #rule, which RFC 7230 7 has a recipient ignore; but each list of the handshake
 *   has one element at least (1#; RFC 9110 would let Upgrade and Connection be empty).
 * - Versions 1.1 to 1.9 are taken; HTTP/2 opens WebSockets in another way (RFC 8441).
 * - Host has at least one octet and, behind its colon, a port of at least one digit, at most 65535:
 *   it repeats the host and port of a ws URI (RFC 6455 4.1), which RFC 3986 would let be empty.
 *   Where the request-target is an absolute URI, Host must name the same server.
 * - Origin is one serialized origin or null: RFC 6455 has no use for the list of RFC 6454.
 * - Authorization and Cookie stand once, though none of ours: who reads the first of two and who
 *   reads the last see different users.
 * - A quoted extension parameter is a token between its quotes (RFC 6455 9.1; erratum 6997, which
 *   would lift that, is not verified).
 * - Origin is read and not judged: whether it is allowed is policy.h's question, and the caller's
 *   answer (SIPWS_E_HTTP_ORIGIN, 403).
 *
 * A head is cut into lines first; then it is judged from its first octet to its last, and the first
 * refusal is the verdict. (Of a line, what no field-value may hold comes before the value.) Then
 * comes what is missing, in the order Host, Upgrade, Connection, Sec-WebSocket-Version,
 * Sec-WebSocket-Key or -Accept, Sec-WebSocket-Protocol: a field that is not there is at fault at
 * the empty line, one whose values lack what they must name is at fault where its first value
 * starts, and a field that stands twice at the second one's name.
 */
#ifndef SIPWS_HTTP_H
#define SIPWS_HTTP_H

#include "crypt.h"
#include "limits.h"
#include "out.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How much of a head has come. */
struct sipws_head {
    uint32_t n;    /* octets seen */
    uint8_t state; /* of the line ends */
};

/* What sipws_head_feed found: more is needed, all of it is there, or it is refused. */
enum sipws_head_end { SIPWS_HEAD_MORE, SIPWS_HEAD_DONE, SIPWS_HEAD_BAD };

/* Feeds n octets of a head. *used is how many belong to it: all for MORE, up to and with the empty
 * line for DONE, those before the offending octet for BAD (described in *diag with its offset from
 * the start of the head). The caller keeps them. All zero is the start. */
enum sipws_head_end sipws_head_feed(struct sipws_head *h, const char *p, size_t n, size_t limit,
                                    size_t *used, struct sipws_diag *diag);

/* A header line of a head. */
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
    struct sipws_str protocol;                             /* response: the one that was chosen */
    bool offers_sip;                                       /* request */
    struct sipws_http_field fields[SIPWS_MAX_HEAD_FIELDS]; /* all, in their order */
    size_t n;
};

/* A client's request, read by a server. Offsets in *diag count from the start of the head. */
bool sipws_http_request(struct sipws_str head, struct sipws_http *out, struct sipws_diag *diag);

/* A server's response, read by the client that sent `key`. Every status but 101 is refused as
 * http-status, with out->status, reason and fields set: all fields whose lines are sound up to the
 * first that is not, their values as they stand. */
bool sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                         struct sipws_diag *diag);

/* The first field `name`, without regard to case. False: absent. */
bool sipws_http_find(const struct sipws_http *h, struct sipws_str name, struct sipws_str *value);

/* What a client asks. sipws_http_put_request refuses octets that may not stand where they go. */
struct sipws_http_ask {
    struct sipws_str target; /* "/path?query" */
    struct sipws_str host;   /* "host" or "host:port" */
    struct sipws_str origin; /* p NULL: none, as for programs that are no browsers */
    struct sipws_str more;   /* further header lines, each with its CRLF; may be empty */
};

/* Prints a request for the subprotocol sip. False: a server that reads as sipws_http_request does
 * would refuse it, for an octet that may not stand where it goes, for a line of `more` that repeats
 * what is printed here, or for too many lines; nothing was printed. `more` may offer further
 * subprotocols and extensions. */
bool sipws_http_put_request(struct sipws_out *o, const struct sipws_http_ask *ask,
                            struct sipws_str key);

/* Prints the 101 that answers `key`. False: libcrypto failed; nothing was printed. */
bool sipws_http_put_accept(struct sipws_out *o, struct sipws_str key);

/* Prints a refusal with `status` (a redirection or an error: 400, 401, 403, 404, 426, 431, 503, …),
 * an empty body, the header lines that the status calls for (Sec-WebSocket-Version for 400 and 426,
 * Upgrade for 426) and `more` (as in sipws_http_ask; WWW-Authenticate for 401). False: the status
 * is another, or `more` is not whole lines; nothing was printed. */
bool sipws_http_put_refusal(struct sipws_out *o, unsigned status, struct sipws_str more);

#ifdef __cplusplus
}
#endif

#endif
