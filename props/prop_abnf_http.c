/* The two readers of a handshake against grammar/websocket.abnf, and against the prose beside it.
 *
 * What the grammar refuses, ref refuses, at the latest where no head goes on. What the grammar
 * takes, ref takes, unless a sentence of the prose forbids it: `rules` below is the whole list,
 * each with a naive judge of its own. So both ways are held: ref refuses where one of them applies,
 * for one that does, and takes the head where none does.
 */
#include "abnf.h"
#include "grammar.h"
#include "http.h"
#include "property.h"

#include <stdlib.h>

enum { HEAD = 700, PIECE = 40, LINES = HEAD / 3 };

enum how { STRAIGHT, BENT };

struct story {
    bool response;
    enum how how;
    struct sipws_str head;
};

/* The key that our client sent, and the answer to it (computed with other tools). */
#define KEY    "c2lwd3MgaGFuZHNoYWtlcw=="
#define ANSWER "rd2Fcw1tJcS0UWmNdpQ+310xww4="

/* ---- the grammar ----------------------------------------------------------------------------- */

static bool is_tchar(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           (ch != '\0' && strchr("!#$%&'*+-.^_`|~", ch));
}

static bool is_name_but(struct sipws_str s, const char *const *names)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_tchar(s.p[i]))
            return false;
    for (; *names; names++)
        if (sipws_str_ieq(s, (struct sipws_str){*names, strlen(*names)}))
            return false;
    return s.n > 0;
}

static bool is_other_request_name(struct sipws_str s)
{
    static const char *const names[] = {"Host",
                                        "Upgrade",
                                        "Connection",
                                        "Sec-WebSocket-Key",
                                        "Sec-WebSocket-Version",
                                        "Sec-WebSocket-Protocol",
                                        "Sec-WebSocket-Extensions",
                                        "Origin",
                                        "Content-Length",
                                        "Transfer-Encoding",
                                        NULL};
    return is_name_but(s, names);
}

static bool is_other_response_name(struct sipws_str s)
{
    static const char *const names[] = {"Upgrade",
                                        "Connection",
                                        "Sec-WebSocket-Accept",
                                        "Sec-WebSocket-Protocol",
                                        "Sec-WebSocket-Extensions",
                                        "Content-Length",
                                        "Transfer-Encoding",
                                        NULL};
    return is_name_but(s, names);
}

static void make_other_name(struct tape *t, struct sipws_out *o)
{
    static const char *const names[] = {"X",       "Cookie",           "Authorization",   "Via",
                                        "X-Host",  "Proxy-Connection", "Accept-Language", "Server",
                                        "Upgrades"};
    const char *name = names[tape_below(t, sizeof names / sizeof *names)];
    sipws_put(o, (struct sipws_str){name, strlen(name)});
    if (tape_chance(t, 64))
        sipws_put_char(o, "!#$%&'*+-.^_`|~7q"[tape_below(t, 17)]);
}

static const struct abnf_prose prose[] = {
    {"a token that is no name of a request above", is_other_request_name, make_other_name},
    {"a token that is no name of a response above", is_other_response_name, make_other_name},
    {NULL, NULL, NULL}};

/* Read once; constant from then on. */
static const struct abnf *grammar(void)
{
    static struct abnf *g;
    char error[200];
    if (!g) {
        g = abnf_load((struct sipws_str){websocket_grammar, websocket_grammar_n}, prose, error,
                      sizeof error);
        if (!g) {
            fprintf(stderr, "websocket.abnf: %s\n", error);
            exit(2);
        }
    }
    return g;
}

static enum abnf_verdict ask_grammar(const struct story *s, size_t *far)
{
    static struct abnf_matcher *m;
    if (!m)
        m = abnf_matcher_new(grammar(), HEAD);
    if (!m) {
        fputs("abnf/handshake: out of memory\n", stderr);
        exit(2);
    }
    return abnf_match(m, abnf_rule(grammar(), s->response ? "response" : "request"), s->head, far);
}

/* ---- drawing --------------------------------------------------------------------------------- */

/* What makes a handshake, or nearly does. */
static const char *const request_lines[] = {"GET /sip HTTP/1.1",
                                            "GET / HTTP/1.2",
                                            "GET /a?b=c HTTP/1.9",
                                            "GET http://example.org HTTP/1.1",
                                            "GET https://EXAMPLE.ORG:443/sip?x HTTP/1.1",
                                            "GET http://example.com/ HTTP/1.1",
                                            "GET /sip HTTP/1.0",
                                            "GET /sip HTTP/2.0",
                                            "get /sip HTTP/1.1",
                                            "POST /sip HTTP/1.1"};
static const char *const status_lines[] = {"HTTP/1.1 101 Switching Protocols",
                                           "HTTP/1.1 101 ",
                                           "HTTP/1.3 101 \xC3\xA9",
                                           "HTTP/1.1 200 OK",
                                           "HTTP/1.1 201 Created",
                                           "HTTP/1.0 101 Switching Protocols",
                                           "HTTP/3.1 101 Switching Protocols"};

enum { WAYS = 5 };

/* The lines that must be there, the first of them good. */
struct needed {
    const char *rule;
    const char *ways[WAYS];
};

static const struct needed request_needs[] = {
    {"Host",
     {"Host: example.org", "host:\texample.org:80 ", "Host: example.org:443", "Host: :80",
      "Host: example.org:"}},
    {"Upgrade",
     {"Upgrade: websocket", "upgrade:WebSocket, h2c", "Upgrade: h2c/1 ,, websocket",
      "Upgrade: websocket/13", "Upgrade: ,"}},
    {"Connection",
     {"Connection: Upgrade", "connection: keep-alive,UPGRADE", "Connection: ,Upgrade",
      "Connection: upgraded", "Connection: , ,"}},
    {"Sec-WebSocket-Version-Client",
     {"Sec-WebSocket-Version: 13", "sec-websocket-version:13", "Sec-WebSocket-Version: 8",
      "Sec-WebSocket-Version: 255", "Sec-WebSocket-Version: 013"}},
    {"Sec-WebSocket-Key",
     {"Sec-WebSocket-Key: " KEY,
      "sec-websocket-key:AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=", "Sec-WebSocket-Key: AAAA"}},
    {"Sec-WebSocket-Protocol-Client",
     {"Sec-WebSocket-Protocol: sip", "Sec-WebSocket-Protocol: msrp, sip,",
      "Sec-WebSocket-Protocol: xsip", "Sec-WebSocket-Protocol: SIP",
      "Sec-WebSocket-Protocol: sip,sip"}},
};

static const struct needed response_needs[] = {
    {"Upgrade",
     {"Upgrade: websocket", "upgrade: WebSocket\t", "Upgrade: websocket, h2c", "Upgrade: h2c",
      "Upgrade: ,"}},
    {"Connection",
     {"Connection: Upgrade", "connection: keep-alive,UPGRADE", "Connection: ,Upgrade",
      "Connection: upgraded", "Connection: , ,"}},
    {"Sec-WebSocket-Accept",
     {"Sec-WebSocket-Accept: " ANSWER, "sec-websocket-accept:" ANSWER " ",
      "Sec-WebSocket-Accept: rd2Fcw1tJcS0UWmNdpQ+310xww5=", "Sec-WebSocket-Accept: " KEY,
      "Sec-WebSocket-Accept: AAAA"}},
    {"Sec-WebSocket-Protocol-Server",
     {"Sec-WebSocket-Protocol: sip", "sec-websocket-protocol:\tsip", "Sec-WebSocket-Protocol: SIP",
      "Sec-WebSocket-Protocol: xsip", "Sec-WebSocket-Protocol: sipx"}},
};

static const char *const further[] = {
    "Origin: https://example.org",
    "Origin: null",
    "Origin: NULL",
    "Origin: https://a.invalid https://b.invalid",
    "Origin: https://a.invalid:65536",
    "Content-Length: 0",
    "Content-Length: 7",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip;q=\"1 \\\" 2\" , chunked",
    "Sec-WebSocket-Extensions: a; b=\"c\"; d = e, f",
    "Sec-WebSocket-Extensions: a;b=\"c d\"",
    "Sec-WebSocket-Protocol: xmpp",
    "Connection: close",
    "Connection: ,",
    "Upgrade: h2c",
    "Upgrade:",
    "Cookie: a=b",
    "cookie: c",
    "Authorization: Basic eDp5",
    "Sec-WebSocket-Version: 7, 8",
    "X:",
};

static void put_line(struct sipws_out *o, const char *line)
{
    sipws_put(o, (struct sipws_str){line, strlen(line)});
}

static void put_sentence(struct tape *t, struct sipws_out *o, const char *rule)
{
    abnf_generate(grammar(), abnf_rule(grammar(), rule), t, PIECE, o, NULL, NULL);
}

/* A line that must be there: nearly always one that will do, else any, or none. */
static void put_needed(struct tape *t, struct sipws_out *o, const struct needed *need)
{
    static const unsigned char weights[] = {190, 40, 4, 4, 4, 9, 5};
    unsigned way = tape_weighted(t, weights, WAYS + 2);
    if (way == WAYS + 1)
        return;
    if (way < WAYS) {
        put_line(o, need->ways[way]);
    } else {
        const char *good = need->ways[0], *colon = strchr(good, ':');
        sipws_put(o, sipws_slice(good, colon + 1));
        put_sentence(t, o, need->rule);
    }
    sipws_put_lit(o, "\r\n");
}

static void put_further(struct tape *t, struct sipws_out *o, bool response)
{
    if (tape_chance(t, 128))
        put_sentence(t, o, response ? "response-field" : "request-field");
    else
        put_line(o, further[tape_below(t, sizeof further / sizeof *further)]);
    sipws_put_lit(o, "\r\n");
}

static void put_head(struct tape *t, struct sipws_out *o, bool response)
{
    static const unsigned char line_weights[] = {204, 40, 12};
    static const unsigned char weights[] = {150, 30, 20, 10, 20, 5, 5, 5, 5, 6};
    const struct needed *needs = response ? response_needs : request_needs;
    unsigned n = response ? sizeof response_needs / sizeof *response_needs
                          : sizeof request_needs / sizeof *request_needs;
    tape_begin(t, "start-line");
    unsigned way = tape_weighted(t, line_weights, 3);
    if (way == 2) {
        put_sentence(t, o, response ? "status-line" : "request-line");
    } else if (way == 1 && !response) {
        sipws_put_lit(o, "GET ");
        put_sentence(t, o, "request-target");
        sipws_put_lit(o, " HTTP/1.1\r\n");
    } else {
        const char *line =
            response ? status_lines[tape_weighted(t, weights,
                                                  sizeof status_lines / sizeof *status_lines)]
                     : request_lines[tape_weighted(t, weights,
                                                   sizeof request_lines / sizeof *request_lines)];
        put_line(o, line);
        sipws_put_lit(o, "\r\n");
    }
    tape_end(t);
    unsigned first = tape_below(t, n); /* any of them may be the first */
    for (unsigned i = 0; i < n; i++) {
        tape_begin(t, "header-field");
        put_needed(t, o, &needs[(first + i) % n]);
        tape_end(t);
        if (tape_chance(t, 20)) {
            tape_begin(t, "header-field");
            put_further(t, o, response);
            tape_end(t);
        }
    }
    sipws_put_lit(o, "\r\n");
}

static const void *draw(struct tape *t, struct arena *a)
{
    char text[HEAD], bent[HEAD];
    struct sipws_out o = sipws_out(text, sizeof text);
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->response = tape_chance(t, 96);
    s->how = tape_chance(t, 140) ? BENT : STRAIGHT;
    put_head(t, &o, s->response);
    if (!sipws_out_ok(&o))
        return NULL;
    struct sipws_str made = {text, o.n};
    if (s->how == BENT) {
        tape_begin(t, "bend");
        made = (struct sipws_str){bent, abnf_bend(t, made, bent, sizeof bent)};
        tape_end(t);
    }
    s->head = arena_copy(a, made);
    return s->head.p ? s : NULL;
}

/* ---- the prose ------------------------------------------------------------------------------- */

/* A head that the grammar takes, cut naively: nothing in it can go wrong. */
struct view {
    bool response;
    struct sipws_str start[3]; /* of the first line, between its first two spaces */
    struct {
        struct sipws_str name, value;
    } lines[LINES];
    size_t n;
};

static struct sipws_str trim(struct sipws_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* What stands before the first `ch`, or all; `*s` keeps what stands behind it. */
static struct sipws_str cut(struct sipws_str *s, char ch)
{
    size_t i = 0;
    while (i < s->n && s->p[i] != ch)
        i++;
    struct sipws_str head = {s->p, i};
    i += i < s->n;
    *s = (struct sipws_str){s->p + i, s->n - i};
    return head;
}

static void look(struct view *v, const struct story *s)
{
    struct sipws_str left = s->head, line = cut(&left, '\r');
    *v = (struct view){.response = s->response};
    v->start[0] = cut(&line, ' ');
    v->start[1] = cut(&line, ' ');
    v->start[2] = line;
    for (;;) {
        cut(&left, '\n');
        line = cut(&left, '\r');
        if (line.n == 0 || v->n == LINES)
            return;
        v->lines[v->n].name = cut(&line, ':');
        v->lines[v->n++].value = trim(line);
    }
}

static bool is(struct sipws_str s, const char *text)
{
    return sipws_str_eq(s, (struct sipws_str){text, strlen(text)});
}

static bool is_any_case(struct sipws_str s, const char *text)
{
    return sipws_str_ieq(s, (struct sipws_str){text, strlen(text)});
}

static size_t count(const struct view *v, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += is_any_case(v->lines[i].name, name);
    return n;
}

static struct sipws_str value(const struct view *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (is_any_case(v->lines[i].name, name))
            return v->lines[i].value;
    return SIPWS_STR("");
}

/* The elements of all lists `name`, none of which has a quoted string; at most `cap`. */
static size_t elements(const struct view *v, const char *name, struct sipws_str *out, size_t cap)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        struct sipws_str left = v->lines[i].value;
        while (is_any_case(v->lines[i].name, name) && left.n > 0) {
            struct sipws_str element = trim(cut(&left, ','));
            if (element.n > 0 && n < cap)
                out[n++] = element;
        }
    }
    return n;
}

static bool names(const struct view *v, const char *field, const char *word)
{
    struct sipws_str list[HEAD];
    size_t n = elements(v, field, list, HEAD);
    for (size_t i = 0; i < n; i++)
        if (is_any_case(list[i], word))
            return true;
    return false;
}

/* host [ ":" port ]: the port is behind the last colon that is in no brackets. */
static void host_port(struct sipws_str s, struct sipws_str *host, struct sipws_str *port)
{
    size_t i = s.n;
    while (i > 0 && s.p[i - 1] != ':' && s.p[i - 1] != ']')
        i--;
    bool has = i > 0 && s.p[i - 1] == ':';
    *host = (struct sipws_str){s.p, has ? i - 1 : s.n};
    *port = has ? (struct sipws_str){s.p + i, s.n - i} : (struct sipws_str){NULL, 0};
}

static unsigned long number(struct sipws_str digits)
{
    unsigned long n = 0;
    for (size_t i = 0; i < digits.n && n < 100000; i++)
        n = n * 10 + (unsigned long)(digits.p[i] - '0');
    return n;
}

static bool bad_port(struct sipws_str port)
{
    return port.p && (port.n == 0 || number(port) > 65535);
}

/* The authority of an absolute-form. */
static bool target_authority(const struct view *v, struct sipws_str *host, struct sipws_str *port,
                             bool *tls)
{
    struct sipws_str s = v->start[1], scheme;
    if (v->response || (s.n > 0 && s.p[0] == '/'))
        return false;
    scheme = cut(&s, ':');
    *tls = scheme.n == 5;
    s = (struct sipws_str){s.p + 2, s.n - 2};
    struct sipws_str authority = cut(&s, '/');
    authority = cut(&authority, '?');
    host_port(authority, host, port);
    return true;
}

static bool other_method(const struct view *v)
{
    return !v->response && !is(v->start[0], "GET");
}

static bool other_version(const struct view *v)
{
    struct sipws_str s = v->response ? v->start[0] : v->start[2];
    return s.p[5] != '1' || s.p[7] == '0';
}

static bool bad_target(const struct view *v)
{
    struct sipws_str host, port;
    bool tls;
    return target_authority(v, &host, &port, &tls) && (host.n == 0 || bad_port(port));
}

static bool bad_host(const struct view *v)
{
    struct sipws_str host, port, there, there_port;
    bool tls;
    if (v->response)
        return false;
    host_port(value(v, "Host"), &host, &port);
    if (host.n == 0 || bad_port(port)) /* or there is none */
        return true;
    if (!target_authority(v, &there, &there_port, &tls))
        return false;
    unsigned long usual = tls ? 443 : 80;
    return !sipws_str_ieq(host, there) ||
           (port.p ? number(port) : usual) != (there_port.p ? number(there_port) : usual);
}

static bool no_websocket(const struct view *v)
{
    return v->response ? !is_any_case(value(v, "Upgrade"), "websocket")
                       : !names(v, "Upgrade", "websocket");
}

static bool no_upgrade(const struct view *v)
{
    return !names(v, "Connection", "upgrade");
}

static bool other_ws_version(const struct view *v)
{
    return !v->response && !is(value(v, "Sec-WebSocket-Version"), "13");
}

static bool bad_key(const struct view *v)
{
    struct sipws_str key = value(v, "Sec-WebSocket-Key");
    return !v->response &&
           (key.n != 24 || key.p[23] != '=' || key.p[22] != '=' || !strchr("AQgw", key.p[21]));
}

static bool other_answer(const struct view *v)
{
    return v->response && !is(value(v, "Sec-WebSocket-Accept"), ANSWER);
}

static bool no_sip(const struct view *v)
{
    struct sipws_str list[HEAD];
    if (v->response)
        return !is(value(v, "Sec-WebSocket-Protocol"), "sip");
    size_t n = elements(v, "Sec-WebSocket-Protocol", list, HEAD);
    for (size_t i = 0; i < n; i++)
        if (is(list[i], "sip"))
            return false;
    return true;
}

static bool offered_twice(const struct view *v)
{
    struct sipws_str list[HEAD];
    size_t n = v->response ? 0 : elements(v, "Sec-WebSocket-Protocol", list, HEAD);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (sipws_str_eq(list[i], list[k]))
                return true;
    return false;
}

static bool too_many_offers(const struct view *v)
{
    struct sipws_str list[HEAD];
    return !v->response &&
           elements(v, "Sec-WebSocket-Protocol", list, HEAD) > SIPWS_MAX_SUBPROTOCOLS;
}

static bool too_many_fields(const struct view *v)
{
    return v->n > SIPWS_MAX_HEAD_FIELDS;
}

static bool agrees(const struct view *v)
{
    return v->response && count(v, "Sec-WebSocket-Extensions") > 0;
}

static bool stands_twice(const struct view *v)
{
    static const char *const in_request[] = {"Host",   "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                                             "Origin", "Content-Length",    "Authorization",
                                             "Cookie"};
    static const char *const in_response[] = {"Upgrade", "Sec-WebSocket-Accept",
                                              "Sec-WebSocket-Protocol"};
    const char *const *list = v->response ? in_response : in_request;
    size_t n = v->response ? sizeof in_response / sizeof *in_response
                           : sizeof in_request / sizeof *in_request;
    for (size_t i = 0; i < n; i++)
        if (count(v, list[i]) > 1)
            return true;
    return false;
}

static bool has_body(const struct view *v)
{
    bool some = false;
    for (size_t i = 0; i < v->n; i++)
        some = some || (is_any_case(v->lines[i].name, "Content-Length") &&
                        (v->response || number(v->lines[i].value) > 0));
    return some || count(v, "Transfer-Encoding") > 0;
}

static bool bad_origin(const struct view *v)
{
    for (size_t i = 0; i < v->n && !v->response; i++) {
        struct sipws_str s = v->lines[i].value, host, port;
        if (!is_any_case(v->lines[i].name, "Origin") || is(s, "null"))
            continue;
        if (memchr(s.p, ' ', s.n))
            return true;
        cut(&s, '/');
        cut(&s, '/');
        host_port(s, &host, &port);
        if (bad_port(port))
            return true;
    }
    return false;
}

static bool other_status(const struct view *v)
{
    return v->response && !is(v->start[1], "101");
}

static const struct {
    enum sipws_err err;
    bool (*applies)(const struct view *v);
    const char *why;
} rules[] = {
    {SIPWS_E_HTTP_STATUS, other_status, "6455 4.1: 101 alone switches protocols"},
    {SIPWS_E_HTTP_METHOD, other_method, "6455 4.1: the method is GET"},
    {SIPWS_E_HTTP_VERSION, other_version, "6455 4.1: HTTP/1.1 or higher; 8441: and below 2"},
    {SIPWS_E_HTTP_TARGET, bad_target, "7230 2.7.1: a host; 793 3.1: a port has 16 bits, and one"},
    {SIPWS_E_HTTP_HOST, bad_host, "6455 4.2.1: Host names the server, as the target does"},
    {SIPWS_E_HTTP_UPGRADE, no_websocket, "6455 4.2.1, 4.1: Upgrade names websocket"},
    {SIPWS_E_HTTP_CONNECTION, no_upgrade, "6455 4.2.1, 4.1: Connection names Upgrade"},
    {SIPWS_E_HTTP_WSVERSION, other_ws_version, "6455 4.2.1: the version is 13"},
    {SIPWS_E_HTTP_KEY, bad_key, "6455 4.2.1, erratum 3150: the base64 of 16 octets"},
    {SIPWS_E_HTTP_ACCEPT, other_answer, "6455 4.1: the hash of the key that was sent"},
    {SIPWS_E_HTTP_NO_SIP, no_sip, "7118 4.1: sip is offered, and chosen"},
    {SIPWS_E_HTTP_PROTOCOL, offered_twice, "6455 4.1: subprotocols are unique strings"},
    {SIPWS_E_LIMIT_SUBPROTOCOLS, too_many_offers, "a limit of ours: subprotocols"},
    {SIPWS_E_LIMIT_HEAD_FIELDS, too_many_fields, "a limit of ours: header fields of a head"},
    {SIPWS_E_HTTP_EXTENSION, agrees, "6455 9.1: no extension that was not offered"},
    {SIPWS_E_HTTP_DUPLICATE, stands_twice, "6455 11.3, 7230 3.2.2: these stand once"},
    {SIPWS_E_HTTP_BODY, has_body, "6455 4.1, 7230 3.3.2: a handshake has no body"},
    {SIPWS_E_HTTP_ORIGIN_FORM, bad_origin, "6455 4.1: one origin; 793 3.1: a port has 16 bits"},
};

enum { RULES = sizeof rules / sizeof *rules };

/* What may be refused later than the grammar is certain. */
static const struct {
    enum sipws_err err;
    const char *rule, *why;
} late[] = {
    {SIPWS_E_HTTP_CRLF, "CRLF", "7230 3: a head is cut into lines before one is read"},
    {SIPWS_E_HTTP_CUT, "head", "7230 3: a head is cut into lines before one is read"},
    {SIPWS_E_HTTP_BODY, "head", "6455 4.1: so what stands behind the head is found first, too"},
    {SIPWS_E_HTTP_FIELD, "field-value",
     "7230 3.2: what no value may hold is found before it is read"},
};

enum { LATES = sizeof late / sizeof *late };

/* How often each was used: for people only. */
static unsigned long used[RULES], used_late[LATES];

/* ---- judging --------------------------------------------------------------------------------- */

static enum verdict hold_refused(struct prop_trial *r, size_t far, bool ref,
                                 const struct sipws_diag *d)
{
    if (ref)
        return prop_fail(r, "over-acceptance", far, "ref takes it, the grammar refuses it");
    if (d->off <= far)
        return HOLDS;
    for (size_t i = 0; i < LATES; i++)
        if (late[i].err == d->err && strcmp(late[i].rule, d->rule) == 0) {
            used_late[i]++;
            return HOLDS;
        }
    return prop_fail(r, "late", far, "ref refuses at %zu (%s, %s); it is certain at %zu", d->off,
                     sipws_err_info(d->err)->id, d->rule, far);
}

static enum verdict hold_accepted(struct prop_trial *r, const struct story *s, bool ref,
                                  const struct sipws_diag *d)
{
    struct view v;
    look(&v, s);
    prop_class(r, ref ? "taken by both" : "refused by the prose");
    for (size_t i = 0; i < RULES; i++) {
        if (ref && rules[i].applies(&v))
            return prop_fail(r, "prose", PROP_NOWHERE, "ref takes it, against %s", rules[i].why);
        if (!ref && rules[i].err == d->err && rules[i].applies(&v)) {
            used[i]++;
            return HOLDS;
        }
    }
    if (ref)
        return HOLDS;
    return prop_fail(r, "over-refusal", d->off, "ref refuses (%s, %s), the grammar takes it",
                     sipws_err_info(d->err)->id, d->rule);
}

static enum verdict hold(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct sipws_http http;
    struct sipws_diag d = {0};
    size_t far;
    enum abnf_verdict grammar = ask_grammar(s, &far);
    if (grammar == ABNF_UNDECIDED)
        return DISCARDED;
    bool ref = s->response ? sipws_http_response(s->head, SIPWS_STR(KEY), &http, &d)
                           : sipws_http_request(s->head, &http, &d);
    prop_class(r, s->response ? "response" : "request");
    if (grammar == ABNF_ACCEPTED)
        return hold_accepted(r, s, ref, &d);
    prop_class(r, "refused by the grammar");
    return hold_refused(r, far, ref, &d);
}

static void report(FILE *f)
{
    for (size_t i = 0; i < RULES; i++)
        if (used[i])
            fprintf(f, "      refused by the prose: %8lu  %s\n", used[i], rules[i].why);
    for (size_t i = 0; i < LATES; i++)
        if (used_late[i])
            fprintf(f, "      permitted later: %8lu  %s\n", used_late[i], late[i].why);
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    fprintf(f, "  %s%s\n", s->response ? "response" : "request", s->how == BENT ? ", bent" : "");
    prop_octets(f, "    ", s->head);
}

static void wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct story *)story)->head);
}

const struct prop prop_abnf_handshake = {
    .name = "abnf/handshake",
    .plant = "HTTP_LIST_EMPTY",
    .sentence =
        "ref takes the head of a handshake just when the RFC's grammar does and no sentence "
        "of the prose forbids it, and refuses at the latest where no head goes on.",
    .draw = draw,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .report = report,
    .classes = {{"request", 400},
                {"response", 200},
                {"taken by both", 150},
                {"refused by the prose", 150},
                {"refused by the grammar", 200}},
    .discard_percent = 5,
    .tape_max = 400,
};
