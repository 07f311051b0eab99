/* The two readers of a handshake against the grammar of RFC 6455 and HTTP/1.1, and against the
 * prose beside it (oracle_http.h); a run ends with how often each sentence of the prose was needed.
 */
#include "oracle_http.h"
#include "property.h"

enum { PIECE = 40 };

enum how { STRAIGHT, BENT };

struct story {
    bool response;
    enum how how;
    struct sipws_str head;
};

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
     {"Sec-WebSocket-Key: " ORACLE_KEY,
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
     {"Sec-WebSocket-Accept: " ORACLE_ANSWER, "sec-websocket-accept:" ORACLE_ANSWER " ",
      "Sec-WebSocket-Accept: rd2Fcw1tJcS0UWmNdpQ+310xww5=", "Sec-WebSocket-Accept: " ORACLE_KEY,
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
    const struct abnf *g = oracle_http_grammar();
    abnf_generate(g, abnf_rule(g, rule), t, PIECE, o, NULL, NULL);
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
    char text[ORACLE_HEAD], bent[ORACLE_HEAD];
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
/* ---- judging --------------------------------------------------------------------------------- */

/* How often each sentence was needed: for people only. */
enum { SENTENCES = 64 };
static unsigned long used[SENTENCES];

static enum verdict hold(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct oracle_http_answer a;
    oracle_http_ask(s->head, s->response, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return DISCARDED;
    prop_class(r, s->response ? "response" : "request");
    prop_class(r, a.grammar == ABNF_REFUSED ? "refused by the grammar"
                  : a.ref                   ? "taken by both"
                                            : "refused by the prose");
    if (a.wrong && a.ref)
        return prop_fail(r, a.wrong, a.grammar == ABNF_REFUSED ? a.far : PROP_NOWHERE,
                         "ref takes it, against %s",
                         a.sentence < 0 ? "the grammar" : oracle_http_why((unsigned)a.sentence));
    if (a.wrong && a.grammar == ABNF_ACCEPTED)
        return prop_fail(r, a.wrong, a.diag.off, "ref refuses (%s, %s), the grammar takes it",
                         sipws_err_info(a.diag.err)->id, a.diag.rule);
    if (a.wrong)
        return prop_fail(r, a.wrong, a.far, "ref refuses at %zu (%s, %s); it is certain at %zu",
                         a.diag.off, sipws_err_info(a.diag.err)->id, a.diag.rule, a.far);
    if (a.sentence >= 0)
        used[a.sentence % SENTENCES]++;
    return HOLDS;
}

static void report(FILE *f)
{
    for (unsigned i = 0; i < oracle_http_sentences() && i < SENTENCES; i++)
        if (used[i])
            fprintf(f, "      sentence: %8lu  %s\n", used[i], oracle_http_why(i));
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
