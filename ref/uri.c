#include "uri.h"

#include "plant.h"

/* ---- host ------------------------------------------------------------------------------------ */

/* hostname = *( domainlabel "." ) toplabel [ "." ]: NULL if [p, end) is one, else the octet at
 * which it stops being one. All of it is of SIPWS_C_HOST, and there is some. */
static const char *hostname_flaw(const char *p, const char *end)
{
    bool alpha = false; /* the last label starts with a letter */
    while (p < end) {
        if (*p == '.' || *p == '-')
            return p;
        alpha = sipws_is(*p, SIPWS_C_ALPHA);
        while (p < end && *p != '.')
            p++;
        if (p[-1] == '-')
            return p;
        p += p < end; /* the dot */
    }
    return alpha ? NULL : end;
}

#if SIPWS_VECTORS
/* IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet at p, in octets that end where
 * no digit nor dot stands: the octet behind it. NULL: it may still be one. There are 32 octets. No
 * branch depends on how many digits there are. */
static const char *plain_ipv4(const char *p, unsigned char addr[4])
{
    static const uint8_t least[4] = {0, 0, 10, 100}; /* of so many digits: no zero leads */
    sipws_octets x = sipws_load_16(p);
    uint64_t dots = sipws_bits(SIPWS_IS(x, '.')), digits = sipws_bits(SIPWS_TO(x, '0', '9'));
    unsigned n = sipws_lowest(~(dots | digits)), start = 0, wrong = 0;
    /* Where the numbers end, and where they might if dots were missing. */
    uint64_t ends = (dots & ((UINT64_C(1) << n) - 1)) | UINT64_C(1) << n | UINT64_C(7) << 17;
    for (int i = 0; i < 4; i++, ends &= ends - 1) {
        unsigned end = sipws_lowest(ends), count = end - start, value;
        uint32_t w = (uint32_t)sipws_eight(p + start) ^ UINT32_C(0x30303030);
        w <<= (32 - 8 * count) & 31; /* the last digit is on top */
        value = (w >> 24) + (w >> 16 & 0xFF) * 10 + (w >> 8 & 0xFF) * 100;
        wrong |= count - 1 > 2 || value > 255 || value < least[count & 3];
        addr[i] = (unsigned char)value;
        start = end + 1;
    }
    return SIPWS_SELDOM(wrong || start != n + 1) ? NULL : p + n;
}
#endif

/* Whether the octets of a host [p, host_end) are a hostname or an IPv4address, and that is plain to
 * see. Of a hostname: up to 32 octets, no label empty, no hyphen beside a dot or at an end, no dot
 * at the end, a letter first in the last label. */
static inline bool plain_host(const struct sipws_cur *c, const char *p, const char *host_end,
                              struct sipws_host *out)
{
#if SIPWS_VECTORS
    if (SIPWS_SELDOM(c->limit - p < 32 || (size_t)(host_end - p) - 1 >= 32))
        return false;
    out->text = sipws_slice(p, host_end);
    out->kind = SIPWS_HOST_NAME;
    sipws_octets x = sipws_load_16(p), y = sipws_load_16(p + 16);
    uint64_t after = UINT64_C(1) << (host_end - p); /* the octet behind them */
    uint64_t dots = sipws_bits(SIPWS_IS(x, '.')) | sipws_bits(SIPWS_IS(y, '.')) << 16;
    uint64_t hyphens = sipws_bits(SIPWS_IS(x, '-')) | sipws_bits(SIPWS_IS(y, '-')) << 16;
    dots &= after - 1;
    hyphens &= after - 1;
    uint64_t starts = dots << 1 | 1; /* of labels */
    if (SIPWS_SELDOM((starts & (dots | hyphens | after)) || (hyphens << 1 & (dots | after))))
        return false;
    if (sipws_is(p[63 - __builtin_clzll(starts)], SIPWS_C_ALPHA))
        return !SIPWS_PLANT_IF(HOST_LETTER_FIRST, !sipws_is(*p, SIPWS_C_ALPHA));
    out->kind = SIPWS_HOST_IPV4;
    return plain_ipv4(p, out->addr) == host_end;
#else
    (void)c, (void)p, (void)host_end, (void)out;
    return false;
#endif
}

static bool ipv6_reference(struct sipws_cur *c, struct sipws_host *out)
{
    const char *bad = NULL;
    const char *p = sipws_ipv6_address(c->p + 1, c->end, out->addr, &bad);
    if (!p)
        return sipws_fail(c, bad, SIPWS_E_URI_IPV6, "IPv6address");
    if (p == c->end || *p != ']')
        return sipws_fail(c, p, SIPWS_E_URI_IPV6, "IPv6reference");
    out->kind = SIPWS_HOST_IPV6;
    out->text = sipws_slice(c->p, p + 1);
    c->p = p + 1;
    return true;
}

static bool any_host(struct sipws_cur *c, struct sipws_host *out)
{
    const char *end, *flaw, *bad;
    out->kind = SIPWS_HOST_NAME;
    if (sipws_peek(c) == '[')
        return ipv6_reference(c, out);
    end = sipws_span_at(c, c->p, SIPWS_C_HOST);
    if (end == c->p)
        return sipws_fail(c, end, SIPWS_E_URI_HOST, "host");
    if (sipws_is(*c->p, SIPWS_C_DIGIT) && sipws_ipv4_address(c->p, end, out->addr, &bad) == end)
        out->kind = SIPWS_HOST_IPV4;
    else if ((flaw = hostname_flaw(c->p, end)) != NULL)
        return sipws_fail(c, flaw, SIPWS_E_URI_HOST, "host");
    if (SIPWS_PLANT_IF(HOST_LETTER_FIRST,
                       out->kind == SIPWS_HOST_NAME && !sipws_is(*c->p, SIPWS_C_ALPHA)))
        return sipws_fail(c, c->p, SIPWS_E_URI_HOST, "host");
    out->text = sipws_slice(c->p, end);
    c->p = end;
    return true;
}

bool sipws_host(struct sipws_cur *c, struct sipws_host *out)
{
    const char *end = sipws_run(c, c->p);
    if (SIPWS_SELDOM(!plain_host(c, c->p, end, out)))
        return any_host(c, out);
    c->p = end;
    return true;
}

bool sipws_ip_address(struct sipws_cur *c, struct sipws_host *out)
{
    const char *bad4 = c->p, *bad = c->p, *p = NULL;
    out->kind = SIPWS_HOST_IPV4;
#if SIPWS_VECTORS
    p = c->limit - c->p >= 32 ? plain_ipv4(c->p, out->addr) : NULL;
    p = p && p <= c->end ? p : NULL;
#endif
    p = p ? p : sipws_ipv4_address(c->p, c->end, out->addr, &bad4);
    if (!p) {
        p = sipws_ipv6_address(c->p, c->end, out->addr, &bad);
        out->kind = SIPWS_HOST_IPV6;
    }
    bad = bad4 > bad ? bad4 : bad; /* the reading that got further */
    if (!p)
        return sipws_fail(c, bad, SIPWS_E_URI_IPV6, "IPv6address");
    out->text = sipws_slice(c->p, p);
    c->p = p;
    return true;
}

bool sipws_hostport(struct sipws_cur *c, struct sipws_host *host, int32_t *port)
{
    const char *start = c->p;
    if (!sipws_host(c, host))
        return false;
    *port = SIPWS_NO_PORT;
    if (sipws_take(c, ':')) {
        uint64_t value;
        const char *digits = c->p;
        if (!sipws_number(c, 0, 65535, &value, "port")) {
            sipws_fail(c, digits, SIPWS_E_URI_PORT, "port");
            return sipws_back(c, start);
        }
        *port = (int32_t)value;
    }
    return true;
}

/* ---- parameters and headers ------------------------------------------------------------------ */

/* Reserved octets differ from their escaped form; all others do not (RFC 3261 19.1.4). */
static bool component_eq(struct sipws_str a, struct sipws_str b, bool fold_case)
{
    if (!a.p || !b.p)
        return !a.p && !b.p;
    const char *p = a.p, *q = b.p, *pe = a.p + a.n, *qe = b.p + b.n;
    while (p < pe && q < qe) {
        bool pesc, qesc;
        unsigned char x = sipws_unescape(&p, pe, &pesc), y = sipws_unescape(&q, qe, &qesc);
        if (fold_case) {
            x = x >= 'A' && x <= 'Z' ? x | 0x20 : x;
            y = y >= 'A' && y <= 'Z' ? y | 0x20 : y;
        }
        bool reserved = sipws_is((char)x, SIPWS_C_URIC) && !sipws_is((char)x, SIPWS_C_UNRESERVED);
        if (x != y || SIPWS_PLANT_IF(URI_ESCAPE_DIFFERS, pesc != qesc) ||
            (pesc != qesc && (reserved || x == '%')))
            return false;
    }
    return p == pe && q == qe;
}

/* Names of parameters and headers are compared as what they mean: "%61" is "a". */
static bool same_name(struct sipws_str a, struct sipws_str b)
{
    bool escaped = (a.n > 0 && memchr(a.p, '%', a.n)) || (b.n > 0 && memchr(b.p, '%', b.n));
    return escaped ? component_eq(a, b, true) : sipws_str_ieq(a, b);
}

/* sipws_key of a name as what it means. */
static uint64_t name_key(struct sipws_str name)
{
    const char *p = name.p, *end = name.p + name.n;
    char eight[8];
    size_t n = 0, before = 0;
    uint64_t key = 0;
    do {
        bool escaped;
        for (n = 0; n < 8 && p < end; n++)
            eight[n] = (char)sipws_unescape(&p, end, &escaped);
        key = before ? sipws_octets_ihash(key, eight, n)
                     : sipws_key(sipws_first_8(eight, eight, n, eight + n),
                                 (struct sipws_str){eight, n});
        before += n;
    } while (p < end);
    return key;
}

/* sipws_uri_named, where the first eight octets of the name are at hand. */
static inline unsigned named_by(uint64_t first, struct sipws_str name)
{
#define NAME(text)                                                                                 \
    (first == (SIPWS_FIRST_8(text) | SIPWS_ONES * 0x20) && name.n == sizeof(text) - 1)
    first |= SIPWS_ONES * 0x20; /* see sipws_key */
    if (NAME("lr"))
        return SIPWS_URI_LR;
    if (NAME("transport"))
        return (name.p[8] | 0x20) == 't' ? SIPWS_URI_TRANSPORT : 0;
    if (NAME("user"))
        return SIPWS_URI_USER;
    if (NAME("method"))
        return SIPWS_URI_METHOD;
    if (NAME("maddr"))
        return SIPWS_URI_MADDR;
    return NAME("ttl") ? SIPWS_URI_TTL : 0;
#undef NAME
}

unsigned sipws_uri_named(struct sipws_str name)
{
    return name.n ? named_by(sipws_first_8(name.p, name.p, name.n, name.p + name.n), name) : 0;
}

static bool named_value(struct sipws_cur *c, unsigned named)
{
    struct sipws_str token;
    struct sipws_host host;
    uint64_t ttl;
    if (named == SIPWS_URI_MADDR)
        return sipws_host(c, &host);
    if (named != SIPWS_URI_TTL)
        return sipws_token(c, &token);
    const char *digits = c->p;
    return sipws_number(c, 0, 255, &ttl, "ttl") &&
           (c->p - digits <= 3 || sipws_fail(c, digits, SIPWS_E_NUMBER_RANGE, "ttl"));
}

/* The value of a parameter that has a rule of its own. A flaw in it is one of the parameter, so
 * that it says so. */
static bool named_param_value(struct sipws_cur *c, unsigned named)
{
    struct sipws_diag inner = {SIPWS_OK, 0, "uri-parameter", ""};
    struct sipws_cur at = *c;
    at.diag = &inner;
    bool ok = named_value(&at, named);
    if (ok && at.p < at.end && (sipws_is(*at.p, SIPWS_C_PARAM) || *at.p == '%'))
        ok = sipws_fail(&at, at.p, SIPWS_E_URI_PARAM, "uri-parameter");
    if (!ok)
        return sipws_diag_set(c->diag, SIPWS_E_URI_PARAM, inner.off, inner.rule);
    c->p = at.p;
    return true;
}

/* What stands behind "=". */
static inline bool uri_param_value(struct sipws_cur *c, unsigned named)
{
    const char *start = c->p;
    if (named == 0 || named == SIPWS_URI_LR)
        return sipws_span_escaped(c, SIPWS_C_PARAM) &&
               (c->p > start || sipws_fail(c, c->p, SIPWS_E_URI_PARAM, "pvalue"));
    return named_param_value(c, named);
}

/* Where a parameter of a URI ends for certain. */
static bool param_ends(const char *p, const char *end)
{
    return p == end || *p == ';' || *p == '>' || *p == ' ';
}

/* uri-parameters = *( ";" uri-parameter ) */
SIPWS_INLINE bool uri_parameters(struct sipws_cur *c, struct sipws_uri *out)
{
    const char *start = c->p, *stop;
    struct sipws_names seen;
    sipws_names_init(&seen);
    while (sipws_take(c, ';')) {
        const char *p = c->p;
        bool ok = true, escaped = false;
        bool plain = sipws_plain_param(c, p, &c->p, &stop) && param_ends(stop, c->end);
        if (SIPWS_SELDOM(!plain)) {
            c->p = p;
            sipws_skip(c, SIPWS_C_PARAM);
            escaped = sipws_peek(c) == '%';
            if (escaped && !sipws_more_escaped(c, SIPWS_C_PARAM, p))
                return sipws_back(c, start);
        }
        struct sipws_str name = sipws_slice(p, c->p);
        uint64_t first = sipws_first_at(c, p, name.n);
        unsigned named = named_by(first, name);
        if (SIPWS_MOSTLY(plain && !(named & (SIPWS_URI_MADDR | SIPWS_URI_TTL)))) {
            c->p = stop;
        } else {
            ok = name.n > 0 || sipws_fail(c, p, SIPWS_E_URI_PARAM, "pname");
            if (ok && sipws_take(c, '='))
                ok = uri_param_value(c, named);
        }
        if (ok && seen.n == SIPWS_MAX_PARAMS)
            ok = sipws_fail(c, p, SIPWS_E_LIMIT_PARAMS, "uri-parameters");
        if (ok && !sipws_names_add(&seen, name, escaped ? name_key(name) : sipws_key(first, name),
                                   same_name))
            ok = sipws_fail(c, p, SIPWS_E_URI_PARAM_DUPLICATE, "uri-parameters");
        if (SIPWS_SELDOM(!ok))
            return sipws_back(c, start);
        out->named |= named;
    }
    out->params = sipws_slice(start, c->p);
    return true;
}

/* headers = "?" header *( "&" header ) */
static bool headers(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    size_t count = 0;
    do {
        c->p++; /* "?" or "&" */
        const char *name = c->p;
        bool ok =
            count++ < SIPWS_MAX_PARAMS || sipws_fail(c, name, SIPWS_E_LIMIT_PARAMS, "headers");
        ok = ok && sipws_span_escaped(c, SIPWS_C_HNV);
        if (ok && (c->p == name || !sipws_take(c, '=')))
            ok = sipws_fail(c, c->p, SIPWS_E_URI_HEADERS, "header");
        if (!ok || !sipws_span_escaped(c, SIPWS_C_HNV))
            return sipws_back(c, start);
    } while (sipws_peek(c) == '&');
    *out = sipws_slice(start, c->p);
    return true;
}

bool sipws_uri_part_next(struct sipws_str *rest, struct sipws_uri_part *out)
{
    if (rest->n == 0)
        return false;
    char sep = rest->p[0] == ';' ? ';' : '&';
    const char *p = rest->p + 1, *end = rest->p + rest->n;
    const char *stop = memchr(p, sep, (size_t)(end - p));
    stop = stop ? stop : end;
    const char *equal = memchr(p, '=', (size_t)(stop - p));
    out->name = sipws_slice(p, equal ? equal : stop);
    out->value = equal ? sipws_slice(equal + 1, stop) : (struct sipws_str){NULL, 0};
    *rest = sipws_slice(stop, end);
    return true;
}

struct sipws_str sipws_uri_param(const struct sipws_uri *uri, struct sipws_str name)
{
    struct sipws_str rest = uri->params;
    struct sipws_uri_part part;
    while (sipws_uri_part_next(&rest, &part))
        if (sipws_str_ieq(part.name, name))
            return part.value.p ? part.value : sipws_slice(part.name.p, part.name.p);
    return (struct sipws_str){NULL, 0};
}

/* ---- SIP-URI, SIPS-URI ----------------------------------------------------------------------- */

/* Where a URI ends for certain: the end of the input, or for a bare one what RFC 3261 20 has in
 * brackets only. */
static const char *uri_end(const struct sipws_cur *c, enum sipws_uri_place place)
{
    const char *p = c->p;
    if (place == SIPWS_URI_WHOLE)
        return c->end;
    while (p < c->end && *p != ';' && *p != ',' && *p != '?')
        p++;
    return p;
}

/* sipws_span_escaped, as far as the URI can go. */
static bool span_user(struct sipws_cur *c, enum sipws_uri_place place, uint32_t classes)
{
    struct sipws_cur at = *c;
    at.end = uri_end(c, place);
    if (!sipws_span_escaped(&at, classes))
        return false;
    c->p = at.p;
    return true;
}

/* Whether an "@" stands in what is left of the URI. */
static bool at_follows(const struct sipws_cur *c)
{
    const char *p = c->p;
    while (p < c->end && *p != '@' && (sipws_is(*p, SIPWS_C_URIC) || *p == '%'))
        p++;
    return p < c->end && *p == '@';
}

/* user [ ":" password ], as far as it goes. */
static bool user_password(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    const char *start = c->p;
    if (!span_user(c, place, SIPWS_C_USER))
        return false;
    out->user = sipws_slice(start, c->p);
    if (out->user.n == 0 || !sipws_take(c, ':'))
        return true;
    const char *p = c->p;
    if (!span_user(c, place, SIPWS_C_PASSWORD))
        return sipws_back(c, start);
    out->password = sipws_slice(p, c->p);
    return true;
}

/* [ userinfo ]: takes it if there is one. What looks like the user may turn out to be the host; it
 * is a user for certain only by the "@" behind it. */
static bool userinfo(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    const char *start = c->p;
    struct sipws_diag *diag = c->diag, flaw;
    c->diag = &flaw;
    bool ok = user_password(c, place, out);
    c->diag = diag;
    if (ok && sipws_peek(c) == '@' && out->user.n > 0) {
        c->p++;
        return true;
    }
    /* No user, unless an "@" follows somewhere: then the octet here spoils it. */
    if (place == SIPWS_URI_WHOLE && at_follows(c)) {
        if (ok)
            sipws_fail(c, c->p, SIPWS_E_URI_USER, "userinfo");
        else if (diag)
            *diag = flaw;
        return sipws_back(c, start);
    }
    out->user = out->password = (struct sipws_str){NULL, 0};
    c->p = start;
    return true;
}

/* [ user "@" ] hostport uri-parameters and then an octet that no URI has, or the end: most SIP
 * URIs. That no "@" comes is only told at their end. False: it may be one of another form, and *out
 * is spoilt. */
SIPWS_INLINE bool plain_sip_uri(struct sipws_cur *c, struct sipws_uri *out)
{
    const char *start = c->p, *p = sipws_run(c, start), *user = p;
    if (p < c->end && *p != ';' && *p != '@' && SIPWS_SELDOM(sipws_is(*p, SIPWS_C_USER)))
        user = sipws_span_more(c, p, SIPWS_C_USER);
    if (user < c->end && *user == '@') {
        if (user == start)
            return false;
        out->user = sipws_slice(start, user);
        c->p = start = user + 1;
        p = sipws_run(c, start);
    }
    if (SIPWS_MOSTLY(plain_host(c, start, p, &out->host))) {
        c->p = p;
    } else if (!any_host(c, &out->host)) {
        return false;
    }
    if (sipws_take(c, ':')) {
        uint64_t port;
        if (!sipws_number(c, 0, 65535, &port, "port"))
            return false;
        out->port = (int32_t)port;
    }
    if (sipws_peek(c) == ';' && !uri_parameters(c, out))
        return false;
    return c->p == c->end || !(sipws_is(*c->p, SIPWS_C_URIC) || *c->p == '%');
}

static bool sip_uri(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    if (!userinfo(c, place, out) || !sipws_hostport(c, &out->host, &out->port))
        return false;
    if (place == SIPWS_URI_BARE)
        return sipws_peek(c) != '?' || sipws_fail(c, c->p, SIPWS_E_ADDR_BARE, "addr-spec");
    if (sipws_peek(c) == ';' && !uri_parameters(c, out))
        return false;
    return sipws_peek(c) != '?' || headers(c, &out->headers);
}

/* ---- absoluteURI ----------------------------------------------------------------------------- */

/* Whether an IPv6reference follows, perhaps behind a userinfo, to which *host then points. */
static bool srvr_ipv6(const struct sipws_cur *c, const char **host)
{
    struct sipws_cur at = *c;
    at.diag = NULL;
    if (!sipws_span_escaped(&at, SIPWS_C_USER))
        return false;
    if (at.p > c->p) {
        if (sipws_take(&at, ':') && !sipws_span_escaped(&at, SIPWS_C_PASSWORD))
            return false;
        if (!sipws_take(&at, '@'))
            return false;
    }
    *host = at.p;
    return sipws_peek(&at) == '[';
}

/* net-path after its "//": authority [ abs-path ]. A reg-name and what may follow it take all that
 * a srvr does, but for one with an IPv6reference. The octet behind an authority is "/", "?" or
 * none. */
static bool net_path(struct sipws_cur *c)
{
    const char *start = c->p, *end;
    if (srvr_ipv6(c, &c->p)) {
        struct sipws_host host;
        int32_t port;
        if (!sipws_hostport(c, &host, &port))
            return sipws_back(c, start);
    } else {
        c->p = start;
        if (!sipws_span_escaped(c, SIPWS_C_REG_NAME))
            return false;
    }
    end = c->p;
    if (end < c->end && (sipws_is(*end, SIPWS_C_URIC) || *end == '%') && *end != '/' &&
        *end != '?') {
        sipws_fail(c, end, SIPWS_E_URI_OCTET, "authority");
        return sipws_back(c, start);
    }
    return true;
}

static bool absolute_uri(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    const char *start = c->p;
    struct sipws_cur at = *c;
    at.end = uri_end(c, place);
    if (at.p == at.end || !(sipws_is(*at.p, SIPWS_C_URIC) || *at.p == '%'))
        return sipws_fail(c, at.p, SIPWS_E_URI_OCTET, "absoluteURI");
    if (at.end - at.p >= 2 && at.p[0] == '/' && at.p[1] == '/') {
        at.p += 2;
        if (!net_path(&at))
            return false;
    }
    if (!sipws_span_escaped(&at, SIPWS_C_URIC))
        return false;
    if (place == SIPWS_URI_BARE && at.p < c->end && *at.p == '?')
        return sipws_fail(c, at.p, SIPWS_E_ADDR_BARE, "addr-spec");
    c->p = at.p;
    out->opaque = sipws_slice(start, c->p);
    return true;
}

/* ---- telephone-uri, RFC 3966 3 ----------------------------------------------------------------
 */

/* global-number-digits = "+" *phonedigit DIGIT *phonedigit */
static bool global_number(struct sipws_cur *c)
{
    bool digit = false;
    for (c->p++; c->p < c->end && sipws_is(*c->p, SIPWS_C_PHONE); c->p++)
        digit = digit || sipws_is(*c->p, SIPWS_C_DIGIT);
    return digit;
}

/* local-number-digits, less "#", which may not stand in a URI of RFC 3261 */
static bool local_number(struct sipws_cur *c)
{
    bool digit = false;
    for (; c->p < c->end && (sipws_is(*c->p, SIPWS_C_PHONE | SIPWS_C_HEXDIG) || *c->p == '*');
         c->p++)
        digit = digit || *c->p == '*' || sipws_is(*c->p, SIPWS_C_HEXDIG);
    return digit;
}

/* descriptor = domainname / global-number-digits */
static bool descriptor(struct sipws_cur *c)
{
    struct sipws_host host;
    struct sipws_diag flaw = {SIPWS_OK, 0, "", ""};
    struct sipws_cur at = *c;
    if (sipws_peek(c) == '+')
        return global_number(c);
    at.diag = &flaw;
    bool ok = sipws_host(&at, &host) && host.kind == SIPWS_HOST_NAME;
    c->p = ok || flaw.err == SIPWS_OK ? at.p : c->base + flaw.off;
    return ok;
}

/* par = parameter / extension / isdn-subaddress; context. `c` stands behind the semicolon. */
static bool tel_par(struct sipws_cur *c, struct sipws_str *name)
{
    const char *start = c->p;
    while (c->p < c->end && (sipws_is(*c->p, SIPWS_C_ALPHA | SIPWS_C_DIGIT) || *c->p == '-'))
        c->p++;
    *name = sipws_slice(start, c->p);
    bool ext = sipws_str_is(*name, SIPWS_STR("ext")), isub = sipws_str_is(*name, SIPWS_STR("isub"));
    bool context = sipws_str_is(*name, SIPWS_STR("phone-context"));
    if (name->n == 0)
        return false;
    if (!sipws_take(c, '='))
        return !(ext || isub || context);
    if (context)
        return descriptor(c);
    const char *value = c->p;
    if (ext)
        sipws_skip(c, SIPWS_C_PHONE);
    else if (!sipws_span_escaped(c, SIPWS_C_PARAM))
        return false;
    while (isub && c->p < c->end && *c->p != ';') /* 1*uric, which the URI's own reading has seen */
        c->p++;
    return c->p > value;
}

/* telephone-subscriber = global-number / local-number: all of [c->p, end). A local number has a
 * phone-context; no parameter stands twice. */
static bool telephone_subscriber(const struct sipws_cur *c, const char *end)
{
    static const char rule[] = "telephone-subscriber";
    struct sipws_cur at = *c;
    struct sipws_names seen;
    sipws_names_init(&seen);
    at.end = end;
    bool global = sipws_peek(&at) == '+', context = false;
    if (!(global ? global_number(&at) : local_number(&at)))
        return sipws_fail(c, at.p, SIPWS_E_URI_TEL, rule);
    while (sipws_take(&at, ';')) {
        struct sipws_str name;
        const char *start = at.p;
        if (seen.n == SIPWS_MAX_PARAMS)
            return sipws_fail(c, start, SIPWS_E_LIMIT_PARAMS, rule);
        if (!tel_par(&at, &name))
            return sipws_fail(c, at.p, SIPWS_E_URI_TEL, rule);
        if (!sipws_names_add(&seen, name, name_key(name), sipws_str_ieq))
            return sipws_fail(c, start, SIPWS_E_URI_TEL, rule);
        context = context || sipws_str_is(name, SIPWS_STR("phone-context"));
    }
    return (at.p == end && (global || context)) || sipws_fail(c, at.p, SIPWS_E_URI_TEL, rule);
}

/* scheme ":" */
static bool any_scheme(struct sipws_cur *c, struct sipws_uri *out)
{
    const char *p = sipws_span_at(c, c->p, SIPWS_C_SCHEME);
    if (p == c->p || !sipws_is(*c->p, SIPWS_C_ALPHA))
        return sipws_fail(c, c->p, SIPWS_E_URI_SCHEME, "scheme");
    if (p == c->end || *p != ':')
        return sipws_fail(c, p, SIPWS_E_URI_SCHEME, "scheme");
    out->scheme_name = sipws_slice(c->p, p);
    c->p = p + 1;
    return true;
}

/* The same: most URIs have "sip" or "sips", in letters of either case. */
SIPWS_INLINE bool scheme(struct sipws_cur *c, struct sipws_uri *out)
{
    uint64_t first = SIPWS_MOSTLY(c->limit - c->p >= 8) ? sipws_eight(c->p) : sipws_next_8(c);
    unsigned n = (first >> 24 & 0xFF) == 's' || (first >> 24 & 0xFF) == 'S' ? 4 : 3;
    uint64_t differs = (first | SIPWS_ONES * 0x20) ^ SIPWS_FIRST_8("sip");
    if (SIPWS_SELDOM((differs & 0xFFFFFF) != 0 || sipws_left(c) <= n || c->p[n] != ':'))
        return any_scheme(c, out);
    out->scheme = n == 3 ? SIPWS_SCHEME_SIP : SIPWS_SCHEME_SIPS;
    out->scheme_name = sipws_slice(c->p, c->p + n);
    c->p += n + 1;
    return true;
}

/* The same, of any form. */
static bool any_uri(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    sipws_uri_init(out);
    if (!scheme(c, out))
        return false;
    if (out->scheme != SIPWS_SCHEME_OTHER)
        return sip_uri(c, place, out);
    if (!absolute_uri(c, place, out))
        return false;
    struct sipws_cur at = *c;
    at.p = out->opaque.p;
    return !sipws_str_is(out->scheme_name, SIPWS_STR("tel")) || telephone_subscriber(&at, c->p);
}

bool sipws_uri(struct sipws_cur *c, enum sipws_uri_place place, struct sipws_uri *out)
{
    const char *start = c->p;
    struct sipws_diag *diag = c->diag;
    bool ok = false;
    if (place == SIPWS_URI_WHOLE) {
        sipws_uri_init(out);
        c->diag = NULL; /* what this refuses may still be a URI */
        ok = scheme(c, out) && out->scheme != SIPWS_SCHEME_OTHER && plain_sip_uri(c, out);
        c->diag = diag;
    }
    if (SIPWS_SELDOM(!ok)) {
        c->p = start;
        ok = any_uri(c, place, out);
    }
    if (SIPWS_SELDOM(!ok))
        return sipws_back(c, start);
    out->text = sipws_slice(start, c->p);
    return true;
}

/* ---- equality -------------------------------------------------------------------------------- */

bool sipws_host_eq(const struct sipws_host *a, const struct sipws_host *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == SIPWS_HOST_IPV4 || a->kind == SIPWS_HOST_IPV6)
        return memcmp(a->addr, b->addr, a->kind == SIPWS_HOST_IPV4 ? 4 : 16) == 0;
    return sipws_str_ieq(a->text, b->text);
}

/* Whether a parameter makes a difference by standing in one URI only. */
static bool never_ignored(struct sipws_str name)
{
    char text[sizeof "transport"]; /* the longest, and one octet more */
    const char *p = name.p, *end = name.p + name.n;
    size_t n = 0;
    for (bool escaped; n < sizeof text && p < end;)
        text[n++] = (char)sipws_unescape(&p, end, &escaped);
    unsigned named = sipws_uri_named((struct sipws_str){text, n});
    return (named & ~(unsigned)SIPWS_URI_LR) != 0 &&
           !SIPWS_PLANT_IF(URI_MADDR_LEFT_OUT, named == SIPWS_URI_MADDR);
}

/* The parts of a URI by name: one is found without a look at most of the others. Each list has
 * those whose keys end alike, in the order of the URI. */
struct parts {
    uint8_t first[64], next[SIPWS_MAX_PARAMS]; /* 1 + a part, or 0 */
    uint64_t key[SIPWS_MAX_PARAMS];
    struct sipws_uri_part part[SIPWS_MAX_PARAMS];
};

static uint8_t *parts_of(struct parts *all, uint64_t key)
{
    return &all->first[key * SIPWS_GOLDEN >> 58];
}

/* False: more than a URI has. */
static bool parts_fill(struct parts *all, struct sipws_str text)
{
    size_t n = 0;
    for (; n < SIPWS_MAX_PARAMS && sipws_uri_part_next(&text, &all->part[n]); n++)
        all->key[n] = name_key(all->part[n].name);
    memset(all->first, 0, sizeof all->first);
    for (size_t i = n; i-- > 0;) {
        uint8_t *first = parts_of(all, all->key[i]);
        all->next[i] = *first;
        *first = (uint8_t)(i + 1);
    }
    return text.n == 0;
}

/* Takes out the first of this name, or gives NULL. */
static const struct sipws_uri_part *parts_take(struct parts *all, struct sipws_str name)
{
    uint64_t key = name_key(name);
    for (uint8_t *at = parts_of(all, key); *at; at = &all->next[*at - 1]) {
        size_t i = *at - 1u;
        if (all->key[i] == key && same_name(all->part[i].name, name)) {
            *at = all->next[i];
            return &all->part[i];
        }
    }
    return NULL;
}

/* Whether a part counts that the other URI has not. */
static bool counts(const struct sipws_uri_part *part, bool is_header)
{
    return is_header || never_ignored(part->name);
}

/* Each part that counts stands in both, with an equal value. A parameter stands once; of headers
 * with one name the first is compared with the first, and so on. */
static bool parts_eq(struct sipws_str a, struct sipws_str b, bool is_header)
{
    struct parts left;
    struct sipws_uri_part x;
    if (a.n == 0 && b.n == 0)
        return true;
    if (!parts_fill(&left, b))
        return false;
    while (sipws_uri_part_next(&a, &x)) {
        const struct sipws_uri_part *y = parts_take(&left, x.name);
        if (y ? !component_eq(x.value, y->value, !is_header) : counts(&x, is_header))
            return false;
    }
    for (size_t k = 0; k < sizeof left.first; k++)
        for (uint8_t at = left.first[k]; at; at = left.next[at - 1])
            if (counts(&left.part[at - 1], is_header))
                return false;
    return true;
}

bool sipws_uri_eq(const struct sipws_uri *a, const struct sipws_uri *b)
{
    if (a->scheme != b->scheme || !sipws_str_ieq(a->scheme_name, b->scheme_name))
        return false;
    if (a->scheme == SIPWS_SCHEME_OTHER)
        return sipws_str_eq(a->opaque, b->opaque);
    return (component_eq(a->user, b->user, false) ||
            SIPWS_PLANT_IF(URI_USER_CASE, component_eq(a->user, b->user, true))) &&
           component_eq(a->password, b->password, false) && sipws_host_eq(&a->host, &b->host) &&
           a->port == b->port && parts_eq(a->params, b->params, false) &&
           parts_eq(a->headers, b->headers, true);
}

/* ---- printing -------------------------------------------------------------------------------- */

static void put_lower(struct sipws_out *o, struct sipws_str s)
{
    for (size_t i = 0; i < s.n; i++)
        sipws_put_char(o, s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] | 0x20) : s.p[i]);
}

void sipws_hostport_print(struct sipws_out *o, const struct sipws_host *host, int32_t port)
{
    put_lower(o, host->text);
    if (port != SIPWS_NO_PORT) {
        sipws_put_char(o, ':');
        sipws_put_uint(o, (uint64_t)port);
    }
}

void sipws_uri_print(struct sipws_out *o, const struct sipws_uri *uri)
{
    put_lower(o, uri->scheme_name);
    sipws_put_char(o, ':');
    if (uri->scheme == SIPWS_SCHEME_OTHER) {
        sipws_put(o, uri->opaque);
        return;
    }
    if (uri->user.p) {
        sipws_put(o, uri->user);
        if (uri->password.p && !SIPWS_PLANT(URI_PRINT_PASSWORD)) {
            sipws_put_char(o, ':');
            sipws_put(o, uri->password);
        }
        sipws_put_char(o, '@');
    }
    sipws_hostport_print(o, &uri->host, uri->port);
    sipws_put(o, uri->params);
    sipws_put(o, uri->headers);
}
