/* Building SIP messages, and changing them on their way (RFC 3261 7, 8.1.1, 8.2.6, 16.6, 16.7).
 *
 * A builder writes a message into the caller's writer, part by part, and keeps nothing but a few
 * numbers. Parts are strings or typed values; each is read back by the reader of its header field,
 * so that what was meant is what is said: no string ends a line, starts another parameter or list
 * element, or closes a quote that it did not open. The first refusal stays, as in a writer, so only
 * the end need be asked; and the end judges the whole message as sipws_msg_check does.
 *
 *     struct sipws_out o = sipws_out(buf, sizeof buf);
 *     struct sipws_build b = sipws_build_request(&o, SIPWS_STR("OPTIONS"), uri, fields, 32);
 *     sipws_build_text(&b, SIPWS_F_VIA, SIPWS_STR("SIP/2.0/WSS k2v9.invalid"));
 *     sipws_build_param(&b, SIPWS_STR("branch"), branch);
 *     sipws_build_number(&b, SIPWS_F_MAX_FORWARDS, 70);
 *     …
 *     if (sipws_build_end(&b, body))
 *         … // the message is sipws_out_str(&o); its reading is b.msg
 *     else
 *         … // b.diag tells what is wrong; nothing is in the writer
 *
 * Only sipws_build_raw goes round the judgement, and its name says so where it is used.
 *
 * sipws_rewrite changes what a proxy changes and copies every other octet as it stands, so that
 * signatures over parts of the message (RFC 8224, S/MIME) and oddities that the next element may
 * want to see survive.
 */
#ifndef SIPWS_BUILD_H
#define SIPWS_BUILD_H

#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A message under construction. It holds a pointer to the writer, which must stay. */
struct sipws_build {
    /* The judgement at the end: the connection on which the message is to go, for the rules of RFC
     * 7118. Set it before the end; SIPWS_TRANSPORT_ANY at first. */
    enum sipws_transport transport;

    /* The first refusal; err is SIPWS_OK while there is none. `off` counts from the message's first
     * octet. What was refused is behind the writer's end, for people to look at. */
    struct sipws_diag diag;

    struct sipws_msg msg; /* the reading of what was built, once sipws_build_end said true */

    /* The rest belongs to the builder. */
    struct sipws_out *o;
    size_t start; /* of the message in the writer */
    struct sipws_field *fields;
    size_t cap;
    enum sipws_field_id id; /* of the header field that is open: its line end is not written */
    size_t value;           /* where its value starts in the writer */
    const char *separator;  /* before a parameter of it */
    bool open, has_length, raw;
};

/* Starts a request. `uri` is any URI as a Request-URI has it. `fields` is room for the reading of
 * the message at its end, `cap` header fields at most; it must not be that of a message that is
 * used on the way. */
struct sipws_build sipws_build_request(struct sipws_out *o, struct sipws_str method,
                                       struct sipws_str uri, struct sipws_field *fields,
                                       size_t cap);

/* Starts a response. A `reason` of no octets is allowed (RFC 3261 25.1). */
struct sipws_build sipws_build_response(struct sipws_out *o, unsigned status,
                                        struct sipws_str reason, struct sipws_field *fields,
                                        size_t cap);

/* Starts the response to a request, by RFC 3261 8.2.6: takes over every Via in its order, From,
 * Call-ID, CSeq, and To, to which `to_tag` is added where it has none (p NULL: none is added; only
 * a 100 is sound so). In a 100 also Timestamp; in a 101 to 299 to INVITE, SUBSCRIBE or REFER also
 * Record-Route (RFC 3261 12.1.1). Header fields are copied as they stand. More may follow; what the
 * status calls for (Contact, Allow, a challenge …) is the caller's. */
struct sipws_build sipws_build_response_to(struct sipws_out *o, const struct sipws_msg *request,
                                           unsigned status, struct sipws_str reason,
                                           struct sipws_str to_tag, struct sipws_field *fields,
                                           size_t cap);

/* One header field. Its name is printed in full, as its RFC spells it.
 *
 * text:   a whole value as it goes on the wire, lists included.
 * number: a value that is a number: Max-Forwards, Expires, …
 * value:  one element, such as was read elsewhere or built by hand (`text` of it counts for
 *         SIPWS_K_TEXT only; a host without a port has the port SIPWS_NO_PORT). Refused as surplus
 *         where it would be read as something else.
 * field:  any name, for extensions too; `name` is printed as it is given.
 * copy:   a header field of another message as it stands, folds included. */
void sipws_build_text(struct sipws_build *b, enum sipws_field_id id, struct sipws_str text);
void sipws_build_number(struct sipws_build *b, enum sipws_field_id id, uint64_t number);
void sipws_build_value(struct sipws_build *b, enum sipws_field_id id,
                       const struct sipws_value *value);
void sipws_build_field(struct sipws_build *b, struct sipws_str name, struct sipws_str text);
void sipws_build_copy(struct sipws_build *b, const struct sipws_field *field);

/* A parameter of the last element of the header field that was set last: ";name=value", or
 * ", name=value" in challenges, credentials and Authentication-Info. `value` is a token, a host, a
 * quoted-string with its quotes or <URI>; p NULL: there is none.
 *
 * quoted: any text; quotes are put around it, and backslashes before \ and ". Refused: control
 *         octets, and what is not UTF-8. */
void sipws_build_param(struct sipws_build *b, struct sipws_str name, struct sipws_str value);
void sipws_build_quoted(struct sipws_build *b, struct sipws_str name, struct sipws_str text);

/* Octets that nobody judges, between header fields: whole lines, mostly. A message with any is not
 * judged at its end, and b->msg is not set. For tests, and for what this library does not know. */
void sipws_build_raw(struct sipws_build *b, struct sipws_str octets);

/* Ends the header and adds the body, with Content-Length unless that was set (RFC 3261 20.14).
 * True: the whole message is in the writer and has no errors. False: b->diag says why not; the
 * writer is where it was before the message, but for SIPWS_E_LIMIT_OUT: then o->n tells what
 * capacity would have been enough, and sipws_out_ok is false. So a writer without room measures;
 * of the refusals it finds those of single strings only. */
bool sipws_build_end(struct sipws_build *b, struct sipws_str body);

/* ---- changing a message ---------------------------------------------------------------------- */

/* What to change. All zero changes nothing. */
struct sipws_rewrite {
    struct sipws_str uri; /* the new Request-URI; p NULL: stays */

    /* One element each, to stand above all others of its header field: a line of its own before the
     * first line of the field, else behind the last Via line, else behind the start line. p NULL:
     * none. */
    struct sipws_str via;
    struct sipws_str record_route;

    bool pop_via;   /* remove the top Via, before `via` is added: a response on its way back */
    bool pop_route; /* remove the first value of Route: it named this proxy */

    /* Max-Forwards one lower; added with 70 where it is missing (RFC 3261 16.6 step 3). 0 is
     * refused as number-range, section "3261 16.3": answer 483. */
    bool forward;
};

/* Prints the message `m`, which sipws_msg_parse took without errors, with the changes. A line whose
 * only element is removed goes as a whole. Octets that are not named above stay as they are, the
 * body included; what lies behind the body (SIPWS_ALLOW_EXCESS_BODY) is left out.
 *
 * False: refused, described in *diag (which may be NULL), and nothing was printed: a string of
 * `how` is not what it should be (the offset counts from its start), a field to be popped is
 * missing (missing-field, the offset counts in the message) or does not decode, a response is to
 * get a Request-URI or Max-Forwards (method); or SIPWS_E_LIMIT_OUT as in sipws_build_end.
 *
 * Only the strings are judged, not the message again: rules across header fields (a Contact that
 * must be a sips URI where the Request-URI is one) are the caller's. `o` must not lie in `m`. */
bool sipws_rewrite(struct sipws_out *o, const struct sipws_msg *m, const struct sipws_rewrite *how,
                   struct sipws_diag *diag);

#ifdef __cplusplus
}
#endif

#endif
