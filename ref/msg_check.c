/* sipws_msg_check: every element of every known header field decoded, then the rules that join the
 * header fields, the start line, the body and the connection. Which fields must be there is in
 * msg.def. */
#include "field_impl.h"
#include "msg.h"

#include "plant.h"

struct check {
    const struct sipws_msg *m;
    enum sipws_transport transport;
    uint32_t allow;
    struct sipws_report *r;
    struct sipws_cur cur;     /* over one value after the other */
    struct sipws_diag diag;   /* of that value */
    bool full;                /* the report has no room for one more error */
    enum sipws_method method; /* of the request, or the one that CSeq says a response answers */

    /* What the decoding found. */
    bool seen[SIPWS_FIELD_COUNT];
    bool via_seen, route_seen;
    bool expires_0;
    bool to_sips;          /* Request-URI or top Route is a sips URI */
    const char *reliable;  /* 100rel in Require */
    uint32_t contacts;     /* addresses, so without "*" */
    const char *contact_2; /* the second one */
    const char *star;      /* "*" */
    const char *not_sip;   /* the first Contact that is neither a sip nor a sips URI */
    const char *not_sips;  /* the first that is no sips URI */

    bool multipart; /* Content-Type of the message, or of the part at hand, is multipart */
};

/* ---- reporting ------------------------------------------------------------------------------- */

static void tell(struct check *c, const struct sipws_diag *d)
{
    if (!c->full)
        c->full = !sipws_report_add(c->r, d);
}

/* `rfc` NULL: the section of the error. */
static void say(struct check *c, const char *at, enum sipws_err err, const char *rule,
                const char *rfc)
{
    struct sipws_diag d;
    sipws_diag_set(&d, err, (size_t)(at - c->m->text.p), rule);
    d.rfc = rfc ? rfc : d.rfc;
    tell(c, &d);
}

/* The report has an error between the two octets, both included: it is about the same thing. */
static bool told(const struct check *c, const char *from, const char *to)
{
    size_t a = (size_t)(from - c->m->text.p), b = (size_t)(to - c->m->text.p);
    for (size_t i = 0; i < c->r->n; i++)
        if (c->r->p[i].off >= a && c->r->p[i].off <= b &&
            sipws_err_info(c->r->p[i].err)->severity == SIPWS_ERROR)
            return true;
    return false;
}

/* Where a header field that is missing would have to be at the latest: the empty line. */
static const char *header_end(const struct sipws_msg *m)
{
    if (!m->body.p)
        return m->text.n ? m->text.p + m->text.n : m->text.p;
    return m->body.p - (m->body.p[-2] == '\r' ? 2 : 1);
}

static bool is_response(const struct check *c)
{
    return !c->m->is_request && c->m->status != 0;
}

static const char *end_of(struct sipws_str s)
{
    return s.p + s.n;
}

/* ---- URIs by place: RFC 3261 19.1.1, table 1 --------------------------------------------------
 */

/* What may be denied: parameters as SIPWS_URI_*, and these. */
enum { PORT = 1 << 16, HEADERS = 1 << 17 };

enum {
    DENY_REQUEST_URI = SIPWS_URI_METHOD | HEADERS,
    DENY_FROM_TO = PORT | SIPWS_URI_METHOD | SIPWS_URI_MADDR | SIPWS_URI_TTL | SIPWS_URI_TRANSPORT |
                   SIPWS_URI_LR | HEADERS,
    DENY_CONTACT = SIPWS_URI_METHOD | SIPWS_URI_LR,          /* of registrations, redirections */
    DENY_DIALOG = SIPWS_URI_METHOD | SIPWS_URI_TTL | HEADERS /* Contact of dialogs, Route, … */
};

/* Which of them the URI has; of other schemes than sip and sips, none. */
static inline unsigned components_of(const struct sipws_uri *uri)
{
    return uri->named | (uri->port != SIPWS_NO_PORT ? PORT : 0) | (uri->headers.p ? HEADERS : 0);
}

static const char *first_denied(const struct sipws_uri *uri, unsigned deny)
{
    if ((deny & PORT) && uri->port != SIPWS_NO_PORT)
        return end_of(uri->host.text) + 1;
    if (deny & uri->named) {
        struct sipws_str rest = uri->params;
        struct sipws_uri_part part;
        while (sipws_uri_part_next(&rest, &part))
            if (deny & sipws_uri_named(part.name))
                return part.name.p;
    }
    return (deny & HEADERS) ? uri->headers.p : NULL;
}

/* The first component of the URI that may not stand where it stands, or NULL. */
static inline const char *denied(const struct sipws_uri *uri, unsigned deny)
{
    return SIPWS_SELDOM(deny & components_of(uri)) ? first_denied(uri, deny) : NULL;
}

static inline void components(struct check *c, const struct sipws_uri *uri, unsigned deny,
                              const char *rule)
{
    const char *at = denied(uri, deny);
    if (at)
        say(c, at, SIPWS_E_URI_COMPONENT, rule, NULL);
}

/* ---- one element of a header field ------------------------------------------------------------
 */

static bool is_ws(struct sipws_str transport)
{
    return sipws_str_is(transport, SIPWS_STR("WS")) || sipws_str_is(transport, SIPWS_STR("WSS"));
}

/* RFC 7118 5.1: WS over plain connections, WSS over TLS. */
static void via_transport(struct check *c, struct sipws_str transport)
{
    bool wss = sipws_str_is(transport, SIPWS_STR("WSS"));
    if (c->transport == SIPWS_TRANSPORT_ANY || (c->allow & SIPWS_ALLOW_VIA_TRANSPORT))
        return;
    if (!is_ws(transport))
        say(c, transport.p, SIPWS_E_VIA_NOT_WS, "transport", NULL);
    else if (wss != (c->transport == SIPWS_TRANSPORT_WSS))
        say(c, transport.p, SIPWS_E_VIA_TRANSPORT, "transport", NULL);
}

/* RFC 3261 8.1.1.7, of the top Via only: the others belong to elements further away, which may
 * still follow RFC 2543. */
static void via(struct check *c, const struct sipws_value *v)
{
    if (c->via_seen)
        return;
    c->via_seen = true;
    if (!sipws_str_is(v->via.protocol, SIPWS_STR("SIP")))
        say(c, v->via.protocol.p, SIPWS_E_VIA_PROTOCOL, "protocol-name", NULL);
    else if (!sipws_str_eq(v->via.version, SIPWS_STR("2.0")))
        say(c, v->via.version.p, SIPWS_E_VIA_PROTOCOL, "protocol-version", NULL);
    via_transport(c, v->via.transport);
    struct sipws_str branch = v->key;
    if (!branch.p) {
        /* RFC 3261 17.2.3 goes on without one for the sake of RFC 2543; no element of that time
         * speaks WebSocket. */
        say(c, end_of(v->text),
            is_ws(v->via.transport) ? SIPWS_E_BRANCH_MISSING : SIPWS_E_BRANCH_2543, "via-branch",
            NULL);
        return;
    }
    struct sipws_str cookie = {branch.p, branch.n < 7 ? branch.n : 7};
    if (branch.n <= 7 || !sipws_str_is(cookie, SIPWS_STR("z9hG4bK")))
        say(c, branch.p, SIPWS_E_BRANCH_COOKIE, "via-branch", NULL);
}

static void from(struct check *c, const struct sipws_value *v)
{
    components(c, &v->addr.uri, DENY_FROM_TO, "From");
    if (!v->key.p && !SIPWS_PLANT(MSG_FROM_TAG))
        say(c, end_of(v->text), SIPWS_E_TAG_MISSING, "tag-param", NULL);
}

/* A request outside a dialog has no tag in To, and a 100 need not have one. */
static void to(struct check *c, const struct sipws_value *v)
{
    components(c, &v->addr.uri, DENY_FROM_TO, "To");
    if (is_response(c) && c->m->status != 100 && !v->key.p)
        say(c, end_of(v->text), SIPWS_E_TAG_MISSING, "tag-param", "3261 8.2.6.2");
}

static void cseq(struct check *c, const struct sipws_value *v)
{
    if (!c->m->is_request)
        c->method = sipws_method_find(v->cseq.method);
    else if (!sipws_str_eq(v->cseq.method, c->m->method_name))
        say(c, v->cseq.method.p, SIPWS_E_CSEQ_METHOD, "CSeq", NULL);
}

static void contact(struct check *c, const struct sipws_value *v)
{
    if (v->kind == SIPWS_K_STAR) {
        if (c->star)
            say(c, v->text.p, SIPWS_E_CONTACT_STAR, "Contact", NULL);
        c->star = c->star ? c->star : v->text.p;
        return;
    }
    const struct sipws_uri *uri = &v->addr.uri;
    bool registers = c->method == SIPWS_M_REGISTER || c->m->status / 100 == 3;
    components(c, uri, registers ? DENY_CONTACT : DENY_DIALOG, "Contact");
    if (++c->contacts == 2)
        c->contact_2 = v->text.p;
    if (uri->scheme == SIPWS_SCHEME_OTHER && !c->not_sip)
        c->not_sip = uri->text.p;
    if (uri->scheme != SIPWS_SCHEME_SIPS && !c->not_sips)
        c->not_sips = uri->text.p;
}

static void route(struct check *c, const struct sipws_value *v)
{
    const struct sipws_uri *uri = &v->addr.uri;
    components(c, uri, DENY_DIALOG, "Route");
    if (c->route_seen || uri->scheme != SIPWS_SCHEME_SIPS) {
        c->route_seen = true;
        return;
    }
    c->route_seen = true;
    c->to_sips = true;
    if (c->transport == SIPWS_TRANSPORT_WS && !(c->allow & SIPWS_ALLOW_SIPS_PLAIN))
        say(c, uri->text.p, SIPWS_E_SIPS_PLAIN, "Route", NULL);
}

static void record_route(struct check *c, const struct sipws_value *v)
{
    components(c, &v->addr.uri, DENY_DIALOG, "Record-Route");
}

static void content_length(struct check *c, const struct sipws_value *v)
{
    uint64_t n = v->number.value;
    if (SIPWS_PLANT_IF(MSG_LENGTH_32, n > UINT32_MAX))
        n &= UINT32_MAX;
    if (c->m->body.p && n != c->m->body.n && !SIPWS_PLANT_IF(MSG_LENGTH_ZERO, n == 0))
        say(c, v->text.p, SIPWS_E_BODY_LENGTH, "Content-Length", NULL);
}

static void expires(struct check *c, const struct sipws_value *v)
{
    c->expires_0 = v->number.value == 0;
}

/* The option tags of the extensions whose header fields are in field.def. */
static void require(struct check *c, const struct sipws_value *v)
{
    static const char *const known[] = {"100rel", "path",     "outbound", "gruu",
                                        "timer",  "replaces", "privacy",  "norefersub"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (sipws_str_ieq(v->token, (struct sipws_str){known[i], strlen(known[i])})) {
            if (i == 0)
                c->reliable = v->token.p;
            return;
        }
    say(c, v->token.p, SIPWS_E_OPTION_UNKNOWN, "option-tag", NULL);
}

static void content_type(struct check *c, const struct sipws_value *v)
{
    c->multipart = sipws_str_ieq(v->media.type, SIPWS_STR("multipart"));
}

typedef void judge_element(struct check *c, const struct sipws_value *v);

static judge_element *const judges[SIPWS_FIELD_COUNT] = {
    [SIPWS_F_VIA] = via,
    [SIPWS_F_FROM] = from,
    [SIPWS_F_TO] = to,
    [SIPWS_F_CSEQ] = cseq,
    [SIPWS_F_CONTACT] = contact,
    [SIPWS_F_ROUTE] = route,
    [SIPWS_F_RECORD_ROUTE] = record_route,
    [SIPWS_F_CONTENT_LENGTH] = content_length,
    [SIPWS_F_CONTENT_TYPE] = content_type,
    [SIPWS_F_EXPIRES] = expires,
    [SIPWS_F_REQUIRE] = require,
    [SIPWS_F_PROXY_REQUIRE] = require,
};

/* ---- header fields one by one -----------------------------------------------------------------
 */

/* A field that may stand once stands twice, in whichever form (RFC 3261 7.3.1, 7.3.3). */
SIPWS_COLD static void doubled(struct check *c, const struct sipws_field *f)
{
    if (sipws_field_info(f->id)->shape == SIPWS_ONE &&
        !SIPWS_PLANT_IF(MSG_DOUBLE_COMPACT, f->name.n == 1))
        say(c, f->name.p, SIPWS_E_DOUBLE_FIELD, sipws_field_info(f->id)->name, NULL);
}

/* Every element of a field. */
SIPWS_INLINE void decode(struct check *c, const struct sipws_field *f)
{
    struct sipws_value v;
    struct sipws_cur *cur = &c->cur;
    const struct sipws_field_info *info = &sipws_field_rows[f->id];
    judge_element *judge = judges[f->id];
    bool more;
    cur->p = f->value.p;
    cur->end = end_of(f->value);
    cur->window.p = NULL; /* one that may do or not is a branch that nobody can foretell */
    if (f->id == SIPWS_F_EXTENSION && /* header-value, and nothing to judge */
        sipws_span_at(cur, cur->p, SIPWS_C_TEXT | SIPWS_C_WSP) == cur->end)
        return;
    if (SIPWS_SELDOM(cur->p == cur->end || *cur->p == ','))
        more = sipws_value_first(cur, f->id, &v);
    else
        more = sipws_value_read_at(cur, f->value.p, info, true, &v);
    while (more && !c->full) {
        if (judge &&
            !SIPWS_PLANT_IF(MSG_LENGTH_COMPACT, f->id == SIPWS_F_CONTENT_LENGTH && f->name.n == 1))
            judge(c, &v);
        if (SIPWS_MOSTLY(cur->p == cur->end))
            return;
        more = sipws_value_another(cur, info, &v);
    }
    if (!more && c->diag.err != SIPWS_OK && !told(c, f->name.p, end_of(f->value)))
        tell(c, &c->diag);
}

/* One header field of the message, or of a part. */
SIPWS_INLINE void field(struct check *c, const struct sipws_field *f)
{
    bool seen = c->seen[f->id];
    if (!SIPWS_PLANT_IF(MSG_VIA_FIRST, !c->seen[SIPWS_F_VIA] && f->id != SIPWS_F_VIA)) {
        c->seen[f->id] = true;
        if (SIPWS_SELDOM(seen))
            doubled(c, f);
    }
    decode(c, f);
}

/* ---- rules across the message ------------------------------------------------------------------
 */

static void request_line(struct check *c)
{
    const struct sipws_msg *m = c->m;
    if (m->method == SIPWS_M_EXTENSION && m->method_name.n < 16) {
        char upper[16];
        for (size_t i = 0; i < m->method_name.n; i++)
            upper[i] =
                (char)(m->method_name.p[i] -
                       (m->method_name.p[i] >= 'a' && m->method_name.p[i] <= 'z' ? 0x20 : 0));
        if (sipws_method_find((struct sipws_str){upper, m->method_name.n}) != SIPWS_M_EXTENSION)
            say(c, m->method_name.p, SIPWS_E_METHOD_CASE, "Method", NULL);
    }
    if (!m->uri.text.p)
        return;
    if (m->method == SIPWS_M_REGISTER && m->uri.user.p)
        say(c, m->uri.user.p, SIPWS_E_REQUEST_URI, "Request-URI", "3261 10.2");
    const char *at = denied(&m->uri, DENY_REQUEST_URI);
    if (at)
        say(c, at, SIPWS_E_REQUEST_URI, "Request-URI", "3261 19.1.1");
    if (m->uri.scheme == SIPWS_SCHEME_SIPS) {
        c->to_sips = true;
        if (c->transport == SIPWS_TRANSPORT_WS && !(c->allow & SIPWS_ALLOW_SIPS_PLAIN))
            say(c, m->uri.text.p, SIPWS_E_SIPS_PLAIN, "Request-URI", NULL);
    }
}

#define M(method) (1u << SIPWS_M_##method)
#define ANY       (~0u)

SIPWS_COLD static void need(struct check *c, enum sipws_field_id id, const char *rfc)
{
    say(c, header_end(c->m), SIPWS_E_MISSING_FIELD, sipws_field_info(id)->name, rfc);
}

/* Of a response to a request that is not known, what any response has is wanted. */
static void missing(struct check *c)
{
    unsigned status = c->m->status, method = 1u << c->method;
    if (c->m->is_request) {
#define REQUEST(field, methods, rfc)                                                               \
    if (((methods)&method) && !c->seen[SIPWS_F_##field])                                           \
        need(c, SIPWS_F_##field, rfc);
#define RESPONSE(field, methods, first, last, rfc)
#include "msg.def"
#undef REQUEST
#undef RESPONSE
    } else {
#define REQUEST(field, methods, rfc)
#define RESPONSE(field, methods, first, last, rfc)                                                 \
    if (status >= (first) && status <= (last) && ((methods)&method) && !c->seen[SIPWS_F_##field])  \
        need(c, SIPWS_F_##field, rfc);
#include "msg.def"
#undef REQUEST
#undef RESPONSE
    }
    /* One of three, depending on what was not supported. */
    if (status == 415 && !c->seen[SIPWS_F_ACCEPT] && !c->seen[SIPWS_F_ACCEPT_ENCODING] &&
        !c->seen[SIPWS_F_ACCEPT_LANGUAGE])
        say(c, header_end(c->m), SIPWS_E_MISSING_FIELD, "Accept", "3261 21.4.13");
}

/* RFC 3261 8.1.1.8 and 10.2.2. */
static void contacts(struct check *c)
{
    const struct sipws_msg *m = c->m;
    bool registers = m->is_request && m->method == SIPWS_M_REGISTER;
    if (c->star && (!registers || c->contacts > 0 || !c->expires_0))
        say(c, c->star, SIPWS_E_CONTACT_STAR, "Contact", NULL);
    if (!m->is_request ||
        !((1u << m->method) & (M(INVITE) | M(SUBSCRIBE) | M(NOTIFY) | M(REFER) | M(UPDATE))))
        return;
    if (c->contacts > 1)
        say(c, c->contact_2, SIPWS_E_CONTACT_COUNT, "Contact", NULL);
    if (c->not_sip)
        say(c, c->not_sip, SIPWS_E_CONTACT_COUNT, "Contact", NULL);
    else if (c->to_sips && c->not_sips)
        say(c, c->not_sips, SIPWS_E_CONTACT_SIPS, "Contact", NULL);
}

/* Of a part, only fields whose names start with "Content-" have a meaning (RFC 2046 5.1). */
static bool of_part(enum sipws_field_id id)
{
    return id == SIPWS_F_CONTENT_TYPE || id == SIPWS_F_CONTENT_DISPOSITION ||
           id == SIPWS_F_CONTENT_ENCODING || id == SIPWS_F_CONTENT_LANGUAGE;
}

/* The header fields of a part. True: it is multipart itself. */
static bool part_header(struct check *c, const struct sipws_part *part)
{
    c->multipart = false;
    memset(c->seen, 0, sizeof c->seen);
    for (size_t i = 0; i < part->n && !c->full; i++)
        if (of_part(part->fields[i].id))
            field(c, &part->fields[i]);
    return c->multipart && !c->seen[SIPWS_F_CONTENT_ENCODING] && part->body.n > 0;
}

/* The parts of the body at the cursor. Their header fields are indexed in `fields`, which is free
 * again when a part is descended into. */
static void parts(struct check *c, const struct sipws_field *content_type, struct sipws_cur body,
                  struct sipws_field *fields, int depth)
{
    struct sipws_value type;
    struct sipws_multipart w;
    struct sipws_part part;
    struct sipws_cur value = sipws_msg_cur(c->m, content_type, c->allow, NULL);
    if (depth > SIPWS_MAX_MULTIPART_DEPTH) {
        say(c, body.p, SIPWS_E_LIMIT_MULTIPART, "multipart-body", NULL);
        return;
    }
    if (!sipws_value_first(&value, SIPWS_F_CONTENT_TYPE, &type) ||
        !sipws_multipart(&body, &type, &w, c->r))
        return;
    while (sipws_multipart_next(&body, &w, fields, SIPWS_MAX_PART_FIELDS, &part, c->r))
        if (part_header(c, &part)) {
            struct sipws_cur in =
                sipws_cur_in(body.base, part.body.p, end_of(part.body), NULL, body.allow);
            const struct sipws_field *f = part.fields;
            while (f->id != SIPWS_F_CONTENT_TYPE) /* by which it is multipart */
                f++;
            parts(c, f, in, fields, depth + 1);
        }
}

static void body(struct check *c)
{
    const struct sipws_msg *m = c->m;
    if (!m->body.p)
        return;
    if (m->body.n > 0 && !c->seen[SIPWS_F_CONTENT_TYPE])
        say(c, m->body.p, SIPWS_E_BODY_TYPE, "Content-Type", NULL);
    if (m->is_request && m->method == SIPWS_M_PUBLISH && m->body.n == 0 &&
        !c->seen[SIPWS_F_SIP_IF_MATCH])
        say(c, m->body.p, SIPWS_E_BODY_MISSING, "message-body", NULL);
}

/* RFC 5621. The last rule, as it forgets which fields the message has. */
static void multipart(struct check *c)
{
    struct sipws_field fields[SIPWS_MAX_PART_FIELDS];
    const struct sipws_field *f = c->multipart ? sipws_msg_find(c->m, SIPWS_F_CONTENT_TYPE) : NULL;
    if (f && c->m->body.n > 0 && !c->seen[SIPWS_F_CONTENT_ENCODING])
        parts(c, f, sipws_msg_body(c->m, c->allow), fields, 1);
}

/* RFC 3262 3: RSeq and Require: 100rel go together, in provisional responses but 100. */
static void reliable(struct check *c)
{
    if (!is_response(c) || c->m->status == 100 || c->m->status > 199)
        return;
    const struct sipws_field *rseq = sipws_msg_find(c->m, SIPWS_F_RSEQ);
    if (rseq && !c->reliable)
        say(c, rseq->name.p, SIPWS_E_RELIABLE, "RSeq", NULL);
    else if (!rseq && c->reliable)
        say(c, c->reliable, SIPWS_E_RELIABLE, "RSeq", NULL);
}

/* Outside of quoted pairs, a NUL is refused where it stands. */
static void nul(struct check *c)
{
    const struct sipws_msg *m = c->m;
    if (m->plain)
        return;
    size_t n = (size_t)(header_end(m) - m->text.p);
    const char *at = n ? memchr(m->text.p, 0, n) : NULL;
    if (at && !told(c, at, at))
        say(c, at, SIPWS_E_NUL_OCTET, "quoted-pair", NULL);
}

bool sipws_msg_check(const struct sipws_msg *m, enum sipws_transport transport, uint32_t allow,
                     struct sipws_report *r)
{
    size_t errors = r->errors;
    struct check c; /* member by member, as compilers clear one of this size slowly */
    c.m = m;
    c.transport = transport;
    c.allow = allow;
    c.r = r;
    c.cur = sipws_cur(m->text, &c.diag);
    c.cur.allow = allow;
    c.full = sipws_report_full(r);
    c.method = m->method;
    memset(c.seen, 0, sizeof c.seen);
    c.via_seen = c.route_seen = c.expires_0 = c.to_sips = c.multipart = false;
    c.reliable = NULL;
    c.contacts = 0;
    c.contact_2 = c.star = c.not_sip = c.not_sips = NULL;
    if (m->is_request)
        request_line(&c);
    for (size_t i = 0; i < m->n && !c.full; i++)
        field(&c, &m->fields[i]);
    if (m->body.p && (m->is_request || is_response(&c)))
        missing(&c); /* of a header that is not all there, they may be in the rest */
    contacts(&c);
    body(&c);
    reliable(&c);
    nul(&c);
    if (!c.full)
        multipart(&c);
    return r->errors == errors && !sipws_report_full(r);
}
