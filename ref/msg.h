/* SIP messages (RFC 3261 section 7, section 25.1 SIP-message), one in each WebSocket message.
 *
 * Two tiers. sipws_msg_parse reads the start line and the line structure, and indexes the header
 * fields into the caller's array: what a proxy needs to forward. sipws_msg_check decodes every
 * header field that field.def has, and holds the message against the rules across header fields.
 * Both go on after a problem for as long as the report has room for the next one.
 *
 *     struct sipws_field fields[128];
 *     struct sipws_diag diags[16];
 *     struct sipws_report r = sipws_report(diags, 16);
 *     struct sipws_msg m;
 *     sipws_msg_parse(text, 0, fields, 128, &m, &r);
 *     sipws_msg_check(&m, SIPWS_TRANSPORT_WSS, 0, &r);
 *     if (r.errors == 0)
 *         … // m is sound; sipws_msg_find and sipws_msg_first look into it
 *     else
 *         … // diags[0] to diags[r.n - 1] tell what is wrong
 *
 * A caller that only wants a verdict stops where sipws_msg_parse says false, and makes do with a
 * report of one diagnostic.
 *
 * The readings of the standards that are chosen here:
 * - What starts with "SIP/" is a response: a method cannot have a slash in it.
 * - SIP-Version is 2.0. In lower case it is read, and warned of (RFC 3261 7.1).
 * - Max-Forwards is mandatory in requests (8.1.1), although proxies let requests without it pass
 *   (16.3). To has a tag in every response but 100 (8.2.6.2).
 * - NOTIFY starts a dialog (RFC 6665 4.4.1), so it has one Contact (RFC 3261 8.1.1.8).
 * - Headers and method in a Request-URI are errors, other components of a URI that table 1 of
 *   19.1.1 does not allow where they stand are warnings: receivers should ignore them.
 * - Only the top Via is held against the connection; of a response, it is the client's own.
 * - A fold, and white space before a colon, are legal. The latter is warned of, as is a NUL in a
 *   quoted pair, the only place of a header where one may stand.
 * - Content-Length is optional; where it stands, it counts what the WebSocket message has behind
 *   the empty line.
 */
#ifndef SIPWS_MSG_H
#define SIPWS_MSG_H

#include "field.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is wrong with a message, in the order in which it was found. */
struct sipws_report {
    struct sipws_diag *p; /* the caller's */
    size_t cap;
    size_t n;      /* diagnostics at p */
    size_t errors; /* those of severity SIPWS_ERROR */
};

/* A report of what the caller's array has room for. Warnings and notes give way to errors: no
 * warning keeps an error from being found, so a report of capacity 1 ends with the first error, and
 * only a report that is full of errors ends the reading. */
static inline struct sipws_report sipws_report(struct sipws_diag *p, size_t cap)
{
    struct sipws_report r = {p, cap, 0, 0};
    return r;
}

/* Adds `d`, which sipws_diag_set has filled. False: the report has no room for one more error. A
 * report of capacity 0 counts the first error and ends with it. */
bool sipws_report_add(struct sipws_report *r, const struct sipws_diag *d);

/* No room for one more error: sipws_msg_parse and sipws_msg_check read no further, and say false.
 */
bool sipws_report_full(const struct sipws_report *r);

/* The methods that the library knows. */
enum sipws_method {
    SIPWS_M_EXTENSION, /* any other token */
    SIPWS_M_ACK,
    SIPWS_M_BYE,
    SIPWS_M_CANCEL,
    SIPWS_M_INFO,
    SIPWS_M_INVITE,
    SIPWS_M_MESSAGE,
    SIPWS_M_NOTIFY,
    SIPWS_M_OPTIONS,
    SIPWS_M_PRACK,
    SIPWS_M_PUBLISH,
    SIPWS_M_REFER,
    SIPWS_M_REGISTER,
    SIPWS_M_SUBSCRIBE,
    SIPWS_M_UPDATE,
    SIPWS_METHOD_COUNT
};

/* Methods are compared with case (RFC 3261 7.1). */
enum sipws_method sipws_method_find(struct sipws_str name);

/* A header field of a message, as it stands there. */
struct sipws_field {
    struct sipws_str name;
    struct sipws_str value; /* from its first octet that is not white space to its line end; folds
                               as they stand */
    enum sipws_field_id id;
};

/* A message as sipws_msg_parse reads it. */
struct sipws_msg {
    struct sipws_str text; /* all of it */
    bool is_request;

    /* Of a request. */
    struct sipws_str method_name;
    enum sipws_method method;
    struct sipws_uri uri; /* Request-URI */

    /* Of a response. */
    unsigned status;
    struct sipws_str reason;

    const struct sipws_field *fields; /* in their order; the caller's array */
    size_t n;
    struct sipws_str body; /* all after the empty line; less under SIPWS_ALLOW_EXCESS_BODY */
    bool plain; /* sipws_msg_check's own: no octet of the header is below 14 but its CRLFs */
};

/* Reads `text`, which must be one whole message, with the leniencies `allow` (SIPWS_ALLOW_*, 0 =
 * strict), and adds what is wrong to the report `r`. At most `cap` header fields have room in
 * `fields`; one more is SIPWS_E_LIMIT_FIELDS. Slices of *out alias `text`. True: no error. False:
 * *out holds what could be read, for a report to people only. */
bool sipws_msg_parse(struct sipws_str text, uint32_t allow, struct sipws_field *fields, size_t cap,
                     struct sipws_msg *out, struct sipws_report *r);

/* The connection on which a message came, for the rules of RFC 7118. */
enum sipws_transport {
    SIPWS_TRANSPORT_ANY, /* not known: Via may name any transport */
    SIPWS_TRANSPORT_WS,
    SIPWS_TRANSPORT_WSS
};

/* Decodes and judges a parsed message. True: no error was added to the report. */
bool sipws_msg_check(const struct sipws_msg *m, enum sipws_transport transport, uint32_t allow,
                     struct sipws_report *r);

/* The first field `id`, or NULL. */
const struct sipws_field *sipws_msg_find(const struct sipws_msg *m, enum sipws_field_id id);

/* A cursor over the value of one of the message's fields, for sipws_value_first; offsets count from
 * the start of the message. `diag` may be NULL. All Contacts of a message are the elements of each
 * field whose id is SIPWS_F_CONTACT. */
struct sipws_cur sipws_msg_cur(const struct sipws_msg *m, const struct sipws_field *f,
                               uint32_t allow, struct sipws_diag *diag);

/* Decodes the first element of the first field `id`, strictly. False: absent or refused. */
bool sipws_msg_first(const struct sipws_msg *m, enum sipws_field_id id, struct sipws_value *out);

/* Multipart bodies (RFC 5621 4.2, RFC 2046 5.1), as slices of the body: nothing is decoded, copied
 * or put together. Of a message m that sipws_msg_check has found sound:
 *
 *     struct sipws_value type;
 *     struct sipws_multipart w;
 *     struct sipws_part part;
 *     struct sipws_cur c = sipws_msg_body(&m, 0);
 *     if (sipws_msg_first(&m, SIPWS_F_CONTENT_TYPE, &type) && sipws_multipart(&c, &type, &w, &r))
 *         while (sipws_multipart_next(&c, &w, fields, 32, &part, &r))
 *             … // part.fields[0] to part.fields[part.n - 1], part.body
 *
 * A part that is multipart itself is walked over in the same way: its type is what
 * sipws_value_first reads of the Content-Type among part.fields, and its cursor, of sipws_cur_in,
 * is over part.body with the base of c. sipws_msg_check does so to SIPWS_MAX_MULTIPART_DEPTH,
 * unless Content-Encoding says that the body is not what Content-Type names before it is decoded;
 * in each part it decodes Content-Type, Content-Disposition, Content-Encoding and Content-Language.
 *
 * Readings that are chosen here: the boundary in a line makes it a boundary line, whatever follows
 * it (RFC 2046 5.1.1), so "--ab" within a part of boundary "a" is malformed and not text. Each
 * delimiter has a line end of its own before it, so there is an empty line in an empty part. A
 * body of no octets is not taken apart (RFC 3261 20.15). */
struct sipws_multipart {
    char delimiter[74]; /* CRLF, "--", and the boundary of at most 70 octets */
    size_t n;           /* octets of it */
    bool last;          /* the closing delimiter was read */
};

/* One part: its header fields, and what it holds. */
struct sipws_part {
    const struct sipws_field *fields; /* the caller's array */
    size_t n;
    struct sipws_str body;
};

/* A cursor over the body whose offsets count from the start of the message. */
struct sipws_cur sipws_msg_body(const struct sipws_msg *m, uint32_t allow);

/* Starts a walk over the body at the cursor, which `type`, its Content-Type, must say to be
 * multipart, and steps over the first boundary line. False: it is not multipart, or an error was
 * added to the report. */
bool sipws_multipart(struct sipws_cur *c, const struct sipws_value *type,
                     struct sipws_multipart *out, struct sipws_report *r);

/* The next part. At most `cap` header fields have room in `fields`, which may be the same at each
 * call. What is wrong with its header fields is added to the report. False: there are no more, or
 * an error that ends the walk was added. */
bool sipws_multipart_next(struct sipws_cur *c, struct sipws_multipart *w,
                          struct sipws_field *fields, size_t cap, struct sipws_part *out,
                          struct sipws_report *r);

/* Canonical: one header field a line, names in full and as their RFCs spell them, values in
 * canonical form, in the order of the message; the body as it stands. What does not decode is
 * printed unfolded. For a message without errors, parsing what was printed gives the same reading,
 * and printing that gives the same octets. */
void sipws_msg_print(struct sipws_out *o, const struct sipws_msg *m);

/* The parts of it, for messages built by hand: the start line with its CRLF, from m->is_request,
 * method_name, uri, status and reason. */
void sipws_msg_print_start(struct sipws_out *o, const struct sipws_msg *m);

#ifdef __cplusplus
}
#endif

#endif
