#include "http.h"

#include "chars.h"
#include "plant.h"

/* ---- the end of a head ----------------------------------------------------------------------- */

enum {
    LINE_START, /* nothing of the line has come: CRLF ends the head here */
    IN_LINE,
    AFTER_CR,      /* the CR of a line with octets */
    AFTER_EMPTY_CR /* the CR of the empty line */
};

static enum sipws_head_end head_bad(const struct sipws_head *h, struct sipws_diag *diag,
                                    enum sipws_err err, const char *rule)
{
    sipws_diag_set(diag, err, h->n, rule);
    return SIPWS_HEAD_BAD;
}

enum sipws_head_end sipws_head_feed(struct sipws_head *h, const char *p, size_t n, size_t limit,
                                    size_t *used, struct sipws_diag *diag)
{
    if (limit > UINT32_MAX)
        limit = UINT32_MAX; /* h->n must not wrap */
    for (*used = 0; *used < n; ++*used) {
        char ch = p[*used];
        bool line_end = h->state == AFTER_CR || h->state == AFTER_EMPTY_CR;
        if (h->n >= limit && !SIPWS_PLANT_IF(HTTP_HEAD_LIMIT, h->n == limit))
            return head_bad(h, diag, SIPWS_E_LIMIT_HEAD, "head");
        if (line_end != (ch == '\n'))
            return head_bad(h, diag, SIPWS_E_HTTP_CRLF, "CRLF");
        h->n++;
        if (h->state == AFTER_EMPTY_CR) {
            ++*used;
            return SIPWS_HEAD_DONE;
        }
        if (line_end)
            h->state = LINE_START;
        else if (ch != '\r')
            h->state = IN_LINE;
        else
            h->state = h->state == LINE_START ? AFTER_EMPTY_CR : AFTER_CR;
    }
    return SIPWS_HEAD_MORE;
}

/* ---- alphabets ------------------------------------------------------------------------------- */

typedef bool alphabet(char ch);

static bool is_one_of(char ch, struct sipws_str set)
{
    return memchr(set.p, ch, set.n) != NULL;
}

/* RFC 7230 3.2.6: more than the token of SIP. */
static bool tchar(char ch)
{
    return sipws_is(ch, SIPWS_C_ALPHA | SIPWS_C_DIGIT) ||
           is_one_of(ch, SIPWS_STR("!#$%&'*+-.^_`|~"));
}

/* unreserved / sub-delims, RFC 3986: reg-name, less pct-encoded. */
static bool reg_name_char(char ch)
{
    return sipws_is(ch, SIPWS_C_ALPHA | SIPWS_C_DIGIT) ||
           is_one_of(ch, SIPWS_STR("-._~!$&'()*+,;="));
}

/* What stands in a path or query, less pct-encoded: pchar / "/", and "?" once there is a query. */
static bool path_char(char ch)
{
    return reg_name_char(ch) || is_one_of(ch, SIPWS_STR(":@/"));
}
static bool query_char(char ch)
{
    return path_char(ch) || ch == '?';
}

/* VCHAR / SP / HTAB / obs-text, RFC 7230 3.2: field-content, reason-phrase. */
static bool text_char(char ch)
{
    unsigned char u = (unsigned char)ch;
    return (u >= ' ' && u != 0x7F) || u == '\t';
}

static void skip(struct sipws_cur *c, alphabet *in)
{
    while (c->p < c->end && in(*c->p))
        c->p++;
}

static void ows(struct sipws_cur *c)
{
    c->p = sipws_span(c->p, c->end, SIPWS_C_WSP);
}

static bool token(struct sipws_cur *c, struct sipws_str *out, enum sipws_err err, const char *rule)
{
    const char *start = c->p;
    skip(c, tchar);
    *out = sipws_slice(start, c->p);
    return out->n > 0 || sipws_fail(c, c->p, err, rule);
}

/* The octets of `literal`, and nothing behind them: fails at the first octet that differs. */
static bool whole(struct sipws_cur *c, struct sipws_str literal, bool any_case, enum sipws_err err,
                  const char *rule)
{
    for (size_t i = 0; i < literal.n; i++, c->p++) {
        struct sipws_str want = {literal.p + i, 1}, got = {c->p, 1};
        if (c->p == c->end || !(any_case ? sipws_str_ieq(want, got) : *want.p == *got.p))
            return sipws_fail(c, c->p, err, rule);
    }
    return c->p == c->end || sipws_fail(c, c->p, err, rule);
}

/* ---- host, authority, request-target, origin ------------------------------------------------- */

struct authority {
    struct sipws_str host;
    int32_t port; /* or NO_PORT */
};

enum { NO_PORT = -1 };

static bool skip_escaped(struct sipws_cur *c, alphabet *in, enum sipws_err err, const char *rule)
{
    for (;;) {
        skip(c, in);
        if (!sipws_take(c, '%'))
            return true;
        for (int i = 0; i < 2; i++, c->p++)
            if ((c->p == c->end && !SIPWS_PLANT(HTTP_ESCAPE_PEEK)) ||
                !sipws_is(*c->p, SIPWS_C_HEXDIG))
                return sipws_fail(c, c->p, err, rule);
    }
}

/* uri-host [ ":" port ], to the first octet that belongs to neither. A host name is a reg-name, of
 * which an IPv4address is one; IPvFuture is refused, for lack of a future. */
static bool authority(struct sipws_cur *c, struct authority *out, enum sipws_err err)
{
    const char *start = c->p;
    if (sipws_take(c, '[')) {
        unsigned char addr[16];
        const char *bad, *behind = sipws_ipv6_address(c->p, c->end, addr, &bad);
        c->p = behind ? behind : bad;
        if (!behind || !sipws_take(c, ']'))
            return sipws_fail(c, c->p, err, "IP-literal");
    } else if (!skip_escaped(c, reg_name_char, err, "reg-name")) {
        return false;
    }
    out->host = sipws_slice(start, c->p);
    out->port = NO_PORT;
    if (sipws_take(c, ':')) {
        const char *digits = c->p;
        uint64_t port;
        if (!sipws_number(c, 0, 65535, &port, "port"))
            return sipws_fail(c, digits, err, "port");
        out->port = (int32_t)port;
    }
    return true;
}

/* The same with a host of at least one octet. */
static bool some_authority(struct sipws_cur *c, struct authority *out, enum sipws_err err)
{
    const char *start = c->p;
    return authority(c, out, err) && (out->host.n > 0 || sipws_fail(c, start, err, "uri-host"));
}

/* What one head says, while it is read. */
struct reader {
    struct sipws_cur c;
    struct sipws_http *out;
    bool is_request;
    bool index_only;      /* the fields are none of ours to judge */
    struct sipws_str key; /* that the response must answer */

    struct authority target; /* of an absolute-form; host.p NULL: none */
    int32_t default_port;    /* of its scheme */

    const char *first[16]; /* where the value of each known field starts, by its row; NULL: none */
    bool upgrades, connects;
    struct sipws_str protocols[SIPWS_MAX_SUBPROTOCOLS];
    size_t protocol_n;
};

/* request-target = origin-form / absolute-form: absolute-path [ "?" query ], or the same behind
 * http://authority or https://authority, where the path may be empty. No userinfo (RFC 7230 2.7.1),
 * no fragment (RFC 6455 3). */
static bool request_target(struct reader *r)
{
    struct sipws_cur *c = &r->c;
    const char *start = c->p;
    static const struct {
        struct sipws_str prefix;
        int32_t port;
    } schemes[] = {{{"http://", 7}, 80}, {{"https://", 8}, 443}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes && !r->target.host.p; i++) {
        struct sipws_str prefix = schemes[i].prefix;
        if (sipws_left(c) < prefix.n || !sipws_str_ieq(prefix, (struct sipws_str){c->p, prefix.n}))
            continue;
        c->p += prefix.n;
        r->default_port = schemes[i].port;
        if (!some_authority(c, &r->target, SIPWS_E_HTTP_TARGET))
            return false;
    }
    bool empty_path = r->target.host.p && (c->p == c->end || *c->p == '?' || *c->p == ' ');
    if (!empty_path && sipws_peek(c) != '/')
        return sipws_fail(c, c->p, SIPWS_E_HTTP_TARGET, "request-target");
    if (!skip_escaped(c, path_char, SIPWS_E_HTTP_TARGET, "absolute-path") ||
        (sipws_take(c, '?') && !skip_escaped(c, query_char, SIPWS_E_HTTP_TARGET, "query")))
        return false;
    r->out->target = sipws_slice(start, c->p);
    return true;
}

/* serialized-origin = scheme "://" host [ ":" port ], or null (RFC 6454 7.1). One only: RFC 6455
 * 4.1 asks for the serialization of an origin, not of a list. */
static bool origin(struct sipws_cur *c)
{
    static const struct sipws_str null = {"null", 4};
    const char *start = c->p;
    struct authority a;
    if (sipws_str_eq(sipws_slice(c->p, c->end), null)) {
        c->p = c->end;
        return true;
    }
    if (c->p < c->end && sipws_is(*c->p, SIPWS_C_ALPHA))
        c->p = sipws_span(c->p, c->end, SIPWS_C_SCHEME);
    if (c->p == start || !sipws_take(c, ':') || !sipws_take(c, '/') || !sipws_take(c, '/'))
        return sipws_fail(c, c->p, SIPWS_E_HTTP_ORIGIN_FORM, "scheme");
    return authority(c, &a, SIPWS_E_HTTP_ORIGIN_FORM) &&
           (c->p == c->end || sipws_fail(c, c->p, SIPWS_E_HTTP_ORIGIN_FORM, "serialized-origin"));
}

/* ---- the fields of the handshake ------------------------------------------------------------- */

/* Reads the value that `v` stands over, from its first octet to its last. */
typedef bool value_read(struct reader *r, struct sipws_cur *v);

/* 1#element of RFC 7230 7: elements between commas, white space around them, and elements that are
 * not there; but one at least is. */
static bool list(struct reader *r, struct sipws_cur *v, value_read *element, enum sipws_err err,
                 const char *rule)
{
    size_t n = 0;
    for (;;) {
        ows(v);
        if (sipws_take(v, ','))
            continue;
        if (v->p == v->end)
            return n > 0 || SIPWS_PLANT(HTTP_LIST_EMPTY) || sipws_fail(v, v->p, err, rule);
        if (!element(r, v))
            return false;
        n++;
        ows(v);
        if (v->p < v->end && *v->p != ',')
            return sipws_fail(v, v->p, err, rule);
    }
}

static bool read_host(struct reader *r, struct sipws_cur *v)
{
    const char *start = v->p;
    struct authority a;
    if (!some_authority(v, &a, SIPWS_E_HTTP_HOST))
        return false;
    if (v->p < v->end)
        return sipws_fail(v, v->p, SIPWS_E_HTTP_HOST, "Host");
    if (r->target.host.p) {
        /* Both name the server (RFC 6455 4.1), so one of them lies where they differ. */
        int32_t port = a.port == NO_PORT ? r->default_port : a.port;
        int32_t want = r->target.port == NO_PORT ? r->default_port : r->target.port;
        if (!sipws_str_ieq(a.host, r->target.host) || port != want)
            return sipws_fail(v, start, SIPWS_E_HTTP_HOST, "Host");
    }
    r->out->host = sipws_slice(start, v->end);
    return true;
}

/* protocol = protocol-name [ "/" protocol-version ], RFC 7230 6.7. */
static bool upgrade_protocol(struct reader *r, struct sipws_cur *v)
{
    struct sipws_str name, version;
    if (!token(v, &name, SIPWS_E_HTTP_UPGRADE, "protocol-name"))
        return false;
    if (sipws_take(v, '/'))
        return token(v, &version, SIPWS_E_HTTP_UPGRADE, "protocol-version");
    r->upgrades = r->upgrades || sipws_str_ieq(name, SIPWS_STR("websocket"));
    return true;
}

static bool read_upgrade(struct reader *r, struct sipws_cur *v)
{
    if (r->is_request)
        return list(r, v, upgrade_protocol, SIPWS_E_HTTP_UPGRADE, "Upgrade");
    r->upgrades = whole(v, SIPWS_STR("websocket"), true, SIPWS_E_HTTP_UPGRADE, "Upgrade");
    return r->upgrades;
}

static bool connection_option(struct reader *r, struct sipws_cur *v)
{
    struct sipws_str option;
    if (!token(v, &option, SIPWS_E_HTTP_CONNECTION, "connection-option"))
        return false;
    r->connects = r->connects || sipws_str_ieq(option, SIPWS_STR("upgrade"));
    return true;
}

static bool read_connection(struct reader *r, struct sipws_cur *v)
{
    return list(r, v, connection_option, SIPWS_E_HTTP_CONNECTION, "Connection");
}

/* sipws_crypt_key_ok decides; what remains is to find the octet at fault. */
static bool read_key(struct reader *r, struct sipws_cur *v)
{
    struct sipws_str key = sipws_slice(v->p, v->end);
    if (sipws_crypt_key_ok(key)) {
        r->out->key = key;
        return true;
    }
    for (int i = 0; i < SIPWS_KEY - 2 && v->p < v->end; i++, v->p++)
        if (!(i == SIPWS_KEY - 3 ? is_one_of(*v->p, SIPWS_STR("AQgw"))
                                 : sipws_is(*v->p, SIPWS_C_ALPHA | SIPWS_C_DIGIT) ||
                                       is_one_of(*v->p, SIPWS_STR("+/"))))
            return sipws_fail(v, v->p, SIPWS_E_HTTP_KEY, "base64-value-non-empty");
    for (int i = 0; i < 2 && sipws_take(v, '='); i++)
        ;
    return sipws_fail(v, v->p, SIPWS_E_HTTP_KEY, "base64-value-non-empty");
}

static bool read_version(struct reader *r, struct sipws_cur *v)
{
    (void)r;
    return whole(v, SIPWS_STR("13"), false, SIPWS_E_HTTP_WSVERSION, "version");
}

static bool is_sip(struct sipws_str name)
{
    return sipws_str_eq(name, SIPWS_STR("sip")) ||
           SIPWS_PLANT_IF(HTTP_PROTOCOL_PART,
                          name.n > 3 && memcmp(name.p + name.n - 3, "sip", 3) == 0);
}

static bool subprotocol(struct reader *r, struct sipws_cur *v)
{
    const char *start = v->p;
    struct sipws_str name;
    if (!token(v, &name, SIPWS_E_HTTP_PROTOCOL, "token"))
        return false;
    for (size_t i = 0; i < r->protocol_n; i++)
        if (sipws_str_eq(r->protocols[i], name))
            return sipws_fail(v, start, SIPWS_E_HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client");
    if (r->protocol_n >= SIPWS_MAX_SUBPROTOCOLS &&
        !SIPWS_PLANT_IF(HTTP_PROTOCOLS_ONE, r->protocol_n == SIPWS_MAX_SUBPROTOCOLS))
        return sipws_fail(v, start, SIPWS_E_LIMIT_SUBPROTOCOLS, "Sec-WebSocket-Protocol-Client");
    r->protocols[r->protocol_n++] = name;
    r->out->offers_sip = r->out->offers_sip || is_sip(name);
    return true;
}

static bool read_protocol(struct reader *r, struct sipws_cur *v)
{
    struct sipws_str chosen = sipws_slice(v->p, v->end);
    if (r->is_request)
        return list(r, v, subprotocol, SIPWS_E_HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client");
    if (!is_sip(chosen) &&
        !whole(v, SIPWS_STR("sip"), false, SIPWS_E_HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server"))
        return false;
    r->out->protocol = chosen;
    return true;
}

/* quoted-string whose content, without its backslashes, is a token (RFC 6455 9.1; erratum 6997,
 * which would lift that, is reported only). */
static bool quoted_token(struct sipws_cur *v)
{
    const char *start = ++v->p;
    while (sipws_take(v, '\\') || sipws_peek(v) != '"') {
        if (v->p == v->end || !tchar(*v->p))
            return sipws_fail(v, v->p, SIPWS_E_HTTP_EXTENSION, "quoted-string");
        v->p++;
    }
    if (v->p == start)
        return sipws_fail(v, v->p, SIPWS_E_HTTP_EXTENSION, "quoted-string");
    v->p++;
    return true;
}

/* extension = extension-token *( ";" extension-param ), white space around the separators. */
static bool extension(struct reader *r, struct sipws_cur *v)
{
    const char *start = v->p;
    struct sipws_str text;
    if (!token(v, &text, SIPWS_E_HTTP_EXTENSION, "extension-token"))
        return false;
    for (ows(v); sipws_take(v, ';'); ows(v)) {
        ows(v);
        if (!token(v, &text, SIPWS_E_HTTP_EXTENSION, "extension-param"))
            return false;
        ows(v);
        if (!sipws_take(v, '='))
            continue;
        ows(v);
        if (sipws_peek(v) == '"' ? !quoted_token(v)
                                 : !token(v, &text, SIPWS_E_HTTP_EXTENSION, "extension-param"))
            return false;
    }
    /* We offer none, so a server can agree to none. */
    return r->is_request || sipws_fail(v, start, SIPWS_E_HTTP_EXTENSION, "extension");
}

static bool read_extensions(struct reader *r, struct sipws_cur *v)
{
    return list(r, v, extension, SIPWS_E_HTTP_EXTENSION, "extension-list");
}

static bool read_accept(struct reader *r, struct sipws_cur *v)
{
    char want[SIPWS_ACCEPT];
    struct sipws_str got = sipws_slice(v->p, v->end);
    if (!sipws_crypt_accept(r->key, want))
        return sipws_fail(v, v->p, SIPWS_E_HTTP_ACCEPT, "Sec-WebSocket-Accept");
    if (!whole(v, (struct sipws_str){want, sizeof want}, false, SIPWS_E_HTTP_ACCEPT,
               "Sec-WebSocket-Accept"))
        return false;
    r->out->accept = got;
    return true;
}

static bool read_origin(struct reader *r, struct sipws_cur *v)
{
    r->out->origin = sipws_slice(v->p, v->end);
    return origin(v);
}

/* A request may say that its body has no octets; a 101 may not even do that (RFC 7230 3.3.2). */
static bool read_content_length(struct reader *r, struct sipws_cur *v)
{
    const char *start = v->p;
    while (r->is_request && sipws_take(v, '0'))
        ;
    return (v->p == v->end && v->p > start) ||
           sipws_fail(v, v->p, SIPWS_E_HTTP_BODY, "Content-Length");
}

static bool read_transfer_encoding(struct reader *r, struct sipws_cur *v)
{
    (void)r;
    return sipws_fail(v, v->p, SIPWS_E_HTTP_BODY, "Transfer-Encoding");
}

/* Nothing of it is ours, but what reads it may take the first or the last of two. */
static bool read_once(struct reader *r, struct sipws_cur *v)
{
    (void)r;
    v->p = v->end;
    return true;
}

enum known {
    HOST,
    UPGRADE,
    CONNECTION,
    KEY,
    WS_VERSION,
    PROTOCOL,
    EXTENSIONS,
    ACCEPT,
    ORIGIN,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    AUTHORIZATION,
    COOKIE,
    KNOWN
};

enum { REQUEST = 1, RESPONSE = 2, BOTH = 3, NEITHER = 0 };

static const struct {
    const char *name;
    uint8_t in;   /* the heads in which it is read; elsewhere it is a field like any other */
    uint8_t once; /* the heads in which it may stand once only */
    value_read *read;
} known[KNOWN] = {
    [HOST] = {"Host", REQUEST, REQUEST, read_host},
    [UPGRADE] = {"Upgrade", BOTH, RESPONSE, read_upgrade},
    [CONNECTION] = {"Connection", BOTH, NEITHER, read_connection},
    [KEY] = {"Sec-WebSocket-Key", REQUEST, REQUEST, read_key},
    [WS_VERSION] = {"Sec-WebSocket-Version", REQUEST, REQUEST, read_version},
    [PROTOCOL] = {"Sec-WebSocket-Protocol", BOTH, RESPONSE, read_protocol},
    [EXTENSIONS] = {"Sec-WebSocket-Extensions", BOTH, NEITHER, read_extensions},
    [ACCEPT] = {"Sec-WebSocket-Accept", RESPONSE, RESPONSE, read_accept},
    [ORIGIN] = {"Origin", REQUEST, REQUEST, read_origin},
    [CONTENT_LENGTH] = {"Content-Length", BOTH, BOTH, read_content_length},
    [TRANSFER_ENCODING] = {"Transfer-Encoding", BOTH, NEITHER, read_transfer_encoding},
    [AUTHORIZATION] = {"Authorization", REQUEST, REQUEST, read_once},
    [COOKIE] = {"Cookie", REQUEST, REQUEST, read_once},
};

/* ---- lines ----------------------------------------------------------------------------------- */

/* header-field = field-name ":" OWS field-value OWS, up to `end`. */
static bool header_field(struct reader *r, const char *end)
{
    struct sipws_cur *c = &r->c, value = *c;
    const char *start = c->p;
    struct sipws_http_field field;
    unsigned who = r->is_request ? REQUEST : RESPONSE;
    c->end = end;
    if (!token(c, &field.name, SIPWS_E_HTTP_FIELD, "field-name"))
        return false;
    if (!sipws_take(c, ':'))
        return sipws_fail(c, c->p, SIPWS_E_HTTP_FIELD, "header-field");
    ows(c);
    value.p = c->p;
    value.end = end;
    skip(c, text_char);
    if (c->p < end)
        return sipws_fail(c, c->p, SIPWS_E_HTTP_FIELD, "field-value");
    while (value.end > value.p && sipws_is(value.end[-1], SIPWS_C_WSP))
        value.end--;
    field.value = sipws_slice(value.p, value.end);
    if (r->out->n >= SIPWS_MAX_HEAD_FIELDS &&
        !SIPWS_PLANT_IF(HTTP_FIELDS_ONE, r->out->n == SIPWS_MAX_HEAD_FIELDS))
        return sipws_fail(c, start, SIPWS_E_LIMIT_HEAD_FIELDS, "header-field");
    r->out->fields[r->out->n++] = field;

    for (size_t i = 0; i < KNOWN && !r->index_only; i++) {
        struct sipws_str name = {known[i].name, strlen(known[i].name)};
        if (!(known[i].in & who) || !sipws_str_ieq(field.name, name))
            continue;
        if (r->first[i] && (known[i].once & who))
            return sipws_fail(c, start, SIPWS_E_HTTP_DUPLICATE, known[i].name);
        if (!r->first[i])
            r->first[i] = value.p;
        return known[i].read(r, &value);
    }
    return true;
}

/* Lines that end with CRLF each, up to `end`. */
static bool header_fields(struct reader *r, const char *end)
{
    while (r->c.p < end) {
        const char *line = sipws_span(r->c.p, end, SIPWS_C_LINE);
        if (!header_field(r, line))
            return false;
        r->c.p = line + 2;
    }
    return true;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT, RFC 7230 2.6: the number of its digits. */
static bool http_version(struct sipws_cur *c, const char **digits)
{
    static const char form[] = "HTTP/#.#";
    for (size_t i = 0; i < sizeof form - 1; i++, c->p++)
        if (c->p == c->end || !(form[i] == '#' ? sipws_is(*c->p, SIPWS_C_DIGIT) : *c->p == form[i]))
            return sipws_fail(c, c->p, SIPWS_E_HTTP_LINE, "HTTP-version");
    *digits = c->p - 3;
    return true;
}

/* 1.1 or above, below 2: HTTP/2 opens WebSockets in another way (RFC 8441). */
static bool good_version(const struct sipws_cur *c, const char *digits)
{
    const char *at = digits[0] != '1' ? digits : digits + 2;
    return (at > digits && *at != '0') || sipws_fail(c, at, SIPWS_E_HTTP_VERSION, "HTTP-version");
}

static bool space(struct sipws_cur *c, const char *rule)
{
    return sipws_take(c, ' ') || sipws_fail(c, c->p, SIPWS_E_HTTP_LINE, rule);
}

static bool line_end(const struct sipws_cur *c, const char *rule)
{
    return c->p == c->end || sipws_fail(c, c->p, SIPWS_E_HTTP_LINE, rule);
}

/* request-line = method SP request-target SP HTTP-version. The cursor ends where the line does. */
static bool request_line(struct reader *r)
{
    struct sipws_cur *c = &r->c;
    const char *digits;
    struct sipws_str name;
    if (!token(c, &name, SIPWS_E_HTTP_LINE, "method"))
        return false;
    struct sipws_cur method = *c;
    method.p = name.p;
    method.end = c->p;
    return whole(&method, SIPWS_STR("GET"), false, SIPWS_E_HTTP_METHOD, "method") &&
           space(c, "request-line") && request_target(r) && space(c, "request-line") &&
           http_version(c, &digits) && line_end(c, "request-line") && good_version(c, digits);
}

/* status-line = HTTP-version SP status-code SP reason-phrase */
static bool status_line(struct reader *r)
{
    struct sipws_cur *c = &r->c;
    struct sipws_http *out = r->out;
    const char *digits;
    if (!http_version(c, &digits) || !space(c, "status-line"))
        return false;
    const char *code = c->p;
    unsigned status = 0;
    for (; c->p < code + 3; c->p++) {
        if (c->p == c->end || !sipws_is(*c->p, SIPWS_C_DIGIT))
            return sipws_fail(c, c->p, SIPWS_E_HTTP_LINE, "status-code");
        status = status * 10 + (unsigned)(*c->p - '0');
    }
    if (!space(c, "status-line"))
        return false;
    const char *reason = c->p;
    skip(c, text_char);
    if (!line_end(c, "reason-phrase"))
        return false;
    out->status = status;
    out->reason = sipws_slice(reason, c->p);
    if (status != 101 && !SIPWS_PLANT_IF(HTTP_STATUS_OTHER, status % 10 == 1))
        return sipws_fail(c, code, SIPWS_E_HTTP_STATUS, "status-code");
    return good_version(c, digits);
}

/* Sets `r` over the start line of a head that is whole: lines that end with CRLF, the last of them
 * empty, and nothing behind it. */
static bool begin(struct reader *r, struct sipws_str head, struct sipws_http *out,
                  struct sipws_diag *diag)
{
    struct sipws_head h = {0};
    size_t used;
    *out = (struct sipws_http){0};
    *r = (struct reader){.c = sipws_cur(head, diag), .out = out};
    switch (sipws_head_feed(&h, head.p, head.n, SIZE_MAX, &used, diag)) {
    case SIPWS_HEAD_BAD:
        return false;
    case SIPWS_HEAD_MORE:
        return sipws_fail(&r->c, r->c.end, SIPWS_E_HTTP_CUT, "head");
    case SIPWS_HEAD_DONE:
        break;
    }
    if (used < head.n)
        return sipws_fail(&r->c, head.p + used, SIPWS_E_HTTP_BODY, "head");
    r->c.end = sipws_span(head.p, r->c.end, SIPWS_C_LINE);
    return true;
}

/* Steps over the CRLF of the start line and reads the fields. */
static bool rest(struct reader *r, struct sipws_str head)
{
    const char *blank = head.p + head.n - 2;
    r->c.p = r->c.end + 2;
    if (!header_fields(r, blank))
        return false;
    r->c.p = blank;
    return true;
}

/* A field whose values did not say what they must is at fault where its first value is; one that is
 * missing, where it could have stood. */
static bool need(const struct reader *r, enum known which, bool there, enum sipws_err err)
{
    const char *at = r->first[which] ? r->first[which] : r->c.p;
    return there || sipws_fail(&r->c, at, err, known[which].name);
}

bool sipws_http_request(struct sipws_str head, struct sipws_http *out, struct sipws_diag *diag)
{
    struct reader r;
    if (!begin(&r, head, out, diag))
        return false;
    r.is_request = true;
    return request_line(&r) && rest(&r, head) && need(&r, HOST, out->host.p, SIPWS_E_HTTP_HOST) &&
           need(&r, UPGRADE, r.upgrades, SIPWS_E_HTTP_UPGRADE) &&
           need(&r, CONNECTION, r.connects, SIPWS_E_HTTP_CONNECTION) &&
           need(&r, WS_VERSION, r.first[WS_VERSION], SIPWS_E_HTTP_WSVERSION) &&
           need(&r, KEY, out->key.p, SIPWS_E_HTTP_KEY) &&
           need(&r, PROTOCOL, out->offers_sip, SIPWS_E_HTTP_NO_SIP);
}

bool sipws_http_response(struct sipws_str head, struct sipws_str key, struct sipws_http *out,
                         struct sipws_diag *diag)
{
    struct reader r;
    if (!begin(&r, head, out, diag))
        return false;
    r.key = key;
    if (!status_line(&r)) {
        /* Another status comes with fields that tell more: a challenge, a place to go. */
        r.index_only = true;
        r.c.diag = NULL;
        if (out->status)
            (void)rest(&r, head);
        return false;
    }
    return rest(&r, head) && need(&r, UPGRADE, r.upgrades, SIPWS_E_HTTP_UPGRADE) &&
           need(&r, CONNECTION, r.connects, SIPWS_E_HTTP_CONNECTION) &&
           need(&r, ACCEPT, out->accept.p, SIPWS_E_HTTP_ACCEPT) &&
           need(&r, PROTOCOL, out->protocol.p, SIPWS_E_HTTP_NO_SIP);
}

bool sipws_http_find(const struct sipws_http *h, struct sipws_str name, struct sipws_str *value)
{
    for (size_t i = 0; i < h->n; i++)
        if (sipws_str_ieq(h->fields[i].name, name)) {
            *value = h->fields[i].value;
            return true;
        }
    return false;
}

/* ---- printing -------------------------------------------------------------------------------- */

/* Whole lines, each with its CRLF, and no empty one. */
static bool are_lines(struct sipws_str s)
{
    struct sipws_head h = {0};
    size_t used;
    return sipws_head_feed(&h, s.p, s.n, SIZE_MAX, &used, NULL) == SIPWS_HEAD_MORE &&
           h.state == LINE_START;
}

/* Sets the reader's cursor over `s`, where nothing is described. */
static struct sipws_cur *over(struct reader *r, struct sipws_str s)
{
    r->c = sipws_cur(s, NULL);
    return &r->c;
}

/* The readers themselves say whether a server would take what is about to be printed. */
bool sipws_http_put_request(struct sipws_out *o, const struct sipws_http_ask *ask,
                            struct sipws_str key)
{
    struct sipws_http seen = {0};
    struct reader r = {.out = &seen, .is_request = true};
    over(&r, ask->target);
    if (!request_target(&r) || r.c.p < r.c.end || !read_host(&r, over(&r, ask->host)) ||
        (ask->origin.p && !origin(over(&r, ask->origin))) || !sipws_crypt_key_ok(key))
        return false;
    static const enum known printed[] = {HOST, UPGRADE, CONNECTION, KEY, PROTOCOL, WS_VERSION};
    for (size_t i = 0; i < sizeof printed / sizeof *printed; i++, seen.n++)
        r.first[printed[i]] = "";
    if (ask->origin.p)
        r.first[ORIGIN] = "", seen.n++;
    r.protocols[r.protocol_n++] = SIPWS_STR("sip");
    over(&r, ask->more);
    if (!are_lines(ask->more) || !header_fields(&r, r.c.end))
        return false;

    sipws_put_lit(o, "GET ");
    sipws_put(o, ask->target);
    sipws_put_lit(o, " HTTP/1.1\r\nHost: ");
    sipws_put(o, ask->host);
    sipws_put_lit(o, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
    sipws_put(o, key);
    if (ask->origin.p) {
        sipws_put_lit(o, "\r\nOrigin: ");
        sipws_put(o, ask->origin);
    }
    sipws_put_lit(o, "\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n");
    sipws_put(o, ask->more);
    sipws_put_lit(o, "\r\n");
    return true;
}

bool sipws_http_put_accept(struct sipws_out *o, struct sipws_str key)
{
    char accept[SIPWS_ACCEPT];
    if (!sipws_crypt_accept(key, accept))
        return false;
    sipws_put_lit(o, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    sipws_put(o, (struct sipws_str){accept, sizeof accept});
    sipws_put_lit(o, "\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
    return true;
}

bool sipws_http_put_refusal(struct sipws_out *o, unsigned status, struct sipws_str more)
{
    static const struct {
        unsigned status;
        struct sipws_str reason;
    } reasons[] = {
        {302, {"Found", 5}},
        {307, {"Temporary Redirect", 18}},
        {400, {"Bad Request", 11}},
        {401, {"Unauthorized", 12}},
        {403, {"Forbidden", 9}},
        {404, {"Not Found", 9}},
        {426, {"Upgrade Required", 16}},
        {431, {"Request Header Fields Too Large", 31}},
        {500, {"Internal Server Error", 21}},
        {503, {"Service Unavailable", 19}},
    };
    struct sipws_str reason = SIPWS_STR("Refused");
    if (status < 300 || status > 599 || !are_lines(more))
        return false;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].status == status)
            reason = reasons[i].reason;
    sipws_put_lit(o, "HTTP/1.1 ");
    sipws_put_uint(o, status);
    sipws_put_char(o, ' ');
    sipws_put(o, reason);
    /* RFC 7230 6.7 wants Upgrade in a 426, and Connection to name it. RFC 6455 4.4 wants the
     * version wherever the version may have been at fault, which a 400 does not rule out. */
    if (status == 426)
        sipws_put_lit(o, "\r\nUpgrade: websocket\r\nConnection: Upgrade, close");
    else
        sipws_put_lit(o, "\r\nConnection: close");
    if (status == 400 || status == 426)
        sipws_put_lit(o, "\r\nSec-WebSocket-Version: 13");
    sipws_put_lit(o, "\r\nContent-Length: 0\r\n");
    sipws_put(o, more);
    sipws_put_lit(o, "\r\n");
    return true;
}
