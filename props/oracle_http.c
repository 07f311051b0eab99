#include "oracle_http.h"

#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>

enum { LINES = ORACLE_HEAD / 3 };

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
const struct abnf *oracle_http_grammar(void)
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

static void look(struct view *v, struct sipws_str head, bool response)
{
    struct sipws_str left = head, line = cut(&left, '\r');
    *v = (struct view){.response = response};
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
    struct sipws_str list[ORACLE_HEAD];
    size_t n = elements(v, field, list, ORACLE_HEAD);
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
    return v->response && !is(value(v, "Sec-WebSocket-Accept"), ORACLE_ANSWER);
}

static bool no_sip(const struct view *v)
{
    struct sipws_str list[ORACLE_HEAD];
    if (v->response)
        return !is(value(v, "Sec-WebSocket-Protocol"), "sip");
    size_t n = elements(v, "Sec-WebSocket-Protocol", list, ORACLE_HEAD);
    for (size_t i = 0; i < n; i++)
        if (is(list[i], "sip"))
            return false;
    return true;
}

static bool offered_twice(const struct view *v)
{
    struct sipws_str list[ORACLE_HEAD];
    size_t n = v->response ? 0 : elements(v, "Sec-WebSocket-Protocol", list, ORACLE_HEAD);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (sipws_str_eq(list[i], list[k]))
                return true;
    return false;
}

static bool too_many_offers(const struct view *v)
{
    struct sipws_str list[ORACLE_HEAD];
    return !v->response &&
           elements(v, "Sec-WebSocket-Protocol", list, ORACLE_HEAD) > SIPWS_MAX_SUBPROTOCOLS;
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
    {SIPWS_E_HTTP_BODY, "head",
     "6455 4.1: what stands behind the head is found before a line is read"},
    {SIPWS_E_HTTP_FIELD, "field-value",
     "7230 3.2: what no value may hold is found before it is read"},
};

enum { LATES = sizeof late / sizeof *late };

unsigned oracle_http_sentences(void)
{
    return RULES + LATES;
}

const char *oracle_http_why(unsigned i)
{
    return i < RULES ? rules[i].why : late[i - RULES].why;
}

/* ---- the question ---------------------------------------------------------------------------- */

static void judge_refused(struct oracle_http_answer *a)
{
    if (a->ref) {
        a->wrong = "over-acceptance";
        return;
    }
    for (int i = 0; i < LATES && a->diag.off > a->far; i++)
        if (late[i].err == a->diag.err && strcmp(late[i].rule, a->diag.rule) == 0)
            a->sentence = RULES + i;
    if (a->diag.off > a->far && a->sentence < 0)
        a->wrong = "late";
}

static void judge_accepted(struct oracle_http_answer *a, struct sipws_str head, bool response)
{
    struct view v;
    look(&v, head, response);
    for (int i = 0; i < RULES && a->sentence < 0; i++)
        if ((a->ref || rules[i].err == a->diag.err) && rules[i].applies(&v))
            a->sentence = i;
    if (a->ref == (a->sentence >= 0))
        a->wrong = a->ref ? "prose" : "over-refusal";
}

void oracle_http_ask(struct sipws_str head, bool response, struct oracle_http_answer *a)
{
    static struct abnf_matcher *m;
    const struct abnf *g = oracle_http_grammar();
    struct sipws_http http;
    if (!m)
        m = abnf_matcher_new(g, ORACLE_HEAD);
    if (!m) {
        fputs("oracle: out of memory\n", stderr);
        exit(2);
    }
    *a = (struct oracle_http_answer){.sentence = -1};
    a->grammar = abnf_match(m, abnf_rule(g, response ? "response" : "request"), head, &a->far);
    if (a->grammar == ABNF_UNDECIDED)
        return;
    a->ref = response ? sipws_http_response(head, SIPWS_STR(ORACLE_KEY), &http, &a->diag)
                      : sipws_http_request(head, &http, &a->diag);
    if (a->grammar == ABNF_REFUSED)
        judge_refused(a);
    else
        judge_accepted(a, head, response);
}
