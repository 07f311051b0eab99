/* URIs: SIP-URI, SIPS-URI and absoluteURI of RFC 3261 section 25.1, hosts by RFC 5954.
 *
 * The readings of the standards that are chosen here:
 * - A URI whose scheme is sip or sips is a SIP-URI or SIPS-URI or refused, although the grammar
 *   would also take it for an absoluteURI.
 * - Parameters that the grammar names (transport, user, method, ttl, maddr) follow their own
 *   rule, although other-param would also take them.
 * - A port is at most 65535.
 * - A URI whose scheme is tel has a telephone-subscriber (RFC 3966 3), although the grammar takes
 *   any absoluteURI; one with a parameter needs angle brackets.
 */
#ifndef SIPWS_URI_H
#define SIPWS_URI_H

#include "chars.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a host is written as; NONE: of URIs that have none. */
enum sipws_host_kind { SIPWS_HOST_NONE, SIPWS_HOST_NAME, SIPWS_HOST_IPV4, SIPWS_HOST_IPV6 };

/* A host name or an address. */
struct sipws_host {
    enum sipws_host_kind kind;
    struct sipws_str text;  /* as it stands; an IPv6reference with its brackets */
    unsigned char addr[16]; /* the address: 4 octets of IPv4, 16 of IPv6 */
};

/* The schemes that are told apart; every other one is OTHER, `tel` included. */
enum sipws_scheme { SIPWS_SCHEME_OTHER, SIPWS_SCHEME_SIP, SIPWS_SCHEME_SIPS };

/* Of a port: none stands there. */
#define SIPWS_NO_PORT (-1)

/* A URI taken apart. Absent parts have p == NULL; an absent port is SIPWS_NO_PORT. */
struct sipws_uri {
    struct sipws_str text; /* all of it */
    enum sipws_scheme scheme;
    struct sipws_str scheme_name;
    struct sipws_str opaque;   /* SIPWS_SCHEME_OTHER only: all after the scheme's colon */
    struct sipws_str user;     /* escapes as they stand */
    struct sipws_str password; /* may be empty */
    struct sipws_host host;
    int32_t port;
    struct sipws_str params;  /* ";name=value;name", from the first semicolon */
    struct sipws_str headers; /* "?name=value&name=value", from the question mark */
    unsigned named;           /* SIPWS_URI_*: which parameters that RFC 3261 names are in params */
};

enum {
    SIPWS_URI_TRANSPORT = 1 << 0,
    SIPWS_URI_METHOD = 1 << 1,
    SIPWS_URI_USER = 1 << 2,
    SIPWS_URI_TTL = 1 << 3,
    SIPWS_URI_MADDR = 1 << 4,
    SIPWS_URI_LR = 1 << 5
};

/* All parts absent. Member by member, since compilers clear a structure of this size slowly; and
 * one by one, since they copy "a = b = none" by a load that waits for the stores before it. */
static inline void sipws_uri_init(struct sipws_uri *out)
{
    const struct sipws_str none = {NULL, 0};
    out->text = none;
    out->scheme = SIPWS_SCHEME_OTHER;
    out->scheme_name = none;
    out->opaque = none;
    out->user = none;
    out->password = none;
    out->host.kind = SIPWS_HOST_NONE;
    out->host.text = none;
    out->port = SIPWS_NO_PORT;
    out->params = none;
    out->headers = none;
    out->named = 0;
}

/* Which of these the parameter `name` is, or 0. */
unsigned sipws_uri_named(struct sipws_str name);

/* One uri-parameter or header of a URI. value.p is NULL where there is no "=". */
struct sipws_uri_part {
    struct sipws_str name;
    struct sipws_str value;
};

/* host = hostname / IPv4address / IPv6reference */
bool sipws_host(struct sipws_cur *c, struct sipws_host *out);

/* IPv4address / IPv6address without brackets, as in via-received. */
bool sipws_ip_address(struct sipws_cur *c, struct sipws_host *out);

/* host [ ":" port ] without white space. */
bool sipws_hostport(struct sipws_cur *c, struct sipws_host *host, int32_t *port);

/* Where a URI stands decides how much of it belongs to the URI. */
enum sipws_uri_place {
    SIPWS_URI_WHOLE, /* Request-URI, or between angle brackets: parameters and headers belong to it
                      */
    SIPWS_URI_BARE   /* addr-spec alone: ";" and "," end it; "?" may not follow (RFC 3261 20) */
};

/* SIP-URI / SIPS-URI / absoluteURI: stops at the first octet that cannot belong to it. */
bool sipws_uri(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out);

/* Walks over uri->params or uri->headers, which sipws_uri has checked. `rest` starts as a copy of
 * one of them. False at the end. */
bool sipws_uri_part_next(struct sipws_str *rest, struct sipws_uri_part *out);

/* The value of the parameter `name`; p is NULL where it is absent. A parameter without a value has
 * n == 0 and a p that is not NULL. */
struct sipws_str sipws_uri_param(const struct sipws_uri *uri, struct sipws_str name);

/* RFC 3261 19.1.4 with RFC 5954 4.2. Reflexive and symmetric, not transitive. URIs of other
 * schemes are equal when they are the same octets but for the scheme's case. Headers are compared
 * as octets: the matching rules of each header field would need the field layer. */
bool sipws_uri_eq(const struct sipws_uri *a, const struct sipws_uri *b);

/* Same host: names without regard to case, addresses as numbers (RFC 5954 4.2). */
bool sipws_host_eq(const struct sipws_host *a, const struct sipws_host *b);

/* host [ ":" port ], names and hexadecimal digits in lower case. */
void sipws_hostport_print(struct sipws_out *o, const struct sipws_host *host, int32_t port);

/* Canonical: scheme and host in lower case, the rest as it stands. */
void sipws_uri_print(struct sipws_out *o, const struct sipws_uri *uri);

#ifdef __cplusplus
}
#endif

#endif
