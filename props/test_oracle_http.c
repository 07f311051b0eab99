/* Every rule of the handshake's grammar: lines with the rule in them, set into a handshake that is
 * good otherwise; how many of these ref takes as the grammar does; and near misses within the rule
 * that both refuse. A rule for which one of the three is missing fails the test. Prints the table.
 */
#include "oracle_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { RULES = 120, PIECES = 700, TAPE = 300, ROUNDS = 40000 };

/* What ref takes never, whatever it is: a body. */
static const char *const never[] = {"Transfer-Encoding",  "transfer-coding", "BWS",
                                    "transfer-parameter", "quoted-string",   "qdtext",
                                    "quoted-pair"};

/* What no one draws by chance: the values that the prose asks for. */
static const struct {
    const char *line, *rules[6];
} by_hand[] = {
    {"Sec-WebSocket-Key: " ORACLE_KEY,
     {"Sec-WebSocket-Key", "base64-value-non-empty", "base64-data", "base64-padding",
      "base64-character"}},
    {"Sec-WebSocket-Accept: " ORACLE_ANSWER, {"Sec-WebSocket-Accept", "base64-value-non-empty"}},
    {"HTTP/1.1 101 Switching Protocols\r\n", {"status-code"}},
    {"Sec-WebSocket-Version: 13", {"Sec-WebSocket-Version-Client", "version", "NZDIGIT"}},
    {"GET / HTTP/1.1\r\n", {"method", "request-line"}},
    {"Sec-WebSocket-Protocol: sip", {"Sec-WebSocket-Protocol-Server"}},
};

static struct count {
    unsigned made, taken, refused;
} counts[RULES];

static uint64_t rng = 7;

static void random_octets(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)(rng >> 56);
    }
}

static void disagree(struct sipws_str head, const struct oracle_http_answer *a)
{
    fail_msg("%s in \"%.*s\": ref %s, %s at %zu; certain at %zu", a->wrong, (int)head.n, head.p,
             a->ref ? "takes it" : "refuses", sipws_err_info(a->diag.err)->id, a->diag.off, a->far);
}

static void ask(struct sipws_str head, bool response, struct oracle_http_answer *a)
{
    oracle_http_ask(head, response, a);
    assert_int_not_equal(a->grammar, ABNF_UNDECIDED);
    if (a->wrong)
        disagree(head, a);
}

/* ---- a handshake around one thing ------------------------------------------------------------ */

/* A place where sentences of a rule go; what stands there in a good handshake is left out. */
static const struct place {
    const char *rule, *before; /* the name with its colon */
    bool response, instead;
} places[] = {
    {"request-line", "", false, true},
    {"request-target", "GET ", false, true},
    {"Host", "Host:", false, true},
    {"Sec-WebSocket-Key", "Sec-WebSocket-Key:", false, true},
    {"Sec-WebSocket-Version-Client", "Sec-WebSocket-Version:", false, true},
    {"Upgrade", "Upgrade:", false, false},
    {"Connection", "Connection:", false, false},
    {"Sec-WebSocket-Protocol-Client", "Sec-WebSocket-Protocol:", false, false},
    {"Sec-WebSocket-Extensions", "Sec-WebSocket-Extensions:", false, false},
    {"origin-list-or-null", "Origin:", false, false},
    {"Content-Length", "Content-Length:", false, false},
    {"Transfer-Encoding", "Transfer-Encoding:", false, false},
    {"request-field", "", false, false},
    {"status-line", "", true, true},
    {"reason-phrase", "HTTP/1.1 101 ", true, true},
    {"Connection", "Connection:", true, false},
    {"Sec-WebSocket-Accept", "Sec-WebSocket-Accept:", true, true},
    {"Sec-WebSocket-Protocol-Server", "Sec-WebSocket-Protocol:", true, true},
    {"response-field", "", true, false},
};

enum { PLACES = sizeof places / sizeof *places };

static const char *const request_lines[] = {"GET / HTTP/1.1",
                                            "Host: example.org",
                                            "Upgrade: websocket",
                                            "Connection: Upgrade",
                                            ("Sec-WebSocket-Key: " ORACLE_KEY),
                                            "Sec-WebSocket-Version: 13",
                                            "Sec-WebSocket-Protocol: sip"};
static const char *const response_lines[] = {
    "HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade",
    ("Sec-WebSocket-Accept: " ORACLE_ANSWER), "Sec-WebSocket-Protocol: sip"};

static void put(struct sipws_out *o, const char *text)
{
    sipws_put(o, (struct sipws_str){text, strlen(text)});
}

static bool is_start(const struct place *p)
{
    return strstr(p->rule, "-line") || p->before[0] == 'G' || strncmp(p->before, "HTTP", 4) == 0;
}

/* The sentence where it goes, from *at on. */
static void put_place(struct sipws_out *o, const struct place *p, struct sipws_str sentence,
                      size_t *at)
{
    put(o, p->before);
    *at = o->n;
    sipws_put(o, sentence);
    if (p->before[0] == 'G')
        put(o, " HTTP/1.1");
    if (!strstr(p->rule, "-line")) /* which has its own */
        put(o, "\r\n");
}

/* `host` is that of an absolute-form, or empty: Host must be the same. */
static void put_head(struct sipws_out *o, const struct place *p, struct sipws_str sentence,
                     struct sipws_str host, size_t *at)
{
    const char *const *lines = p->response ? response_lines : request_lines;
    size_t n = p->response ? sizeof response_lines / sizeof *response_lines
                           : sizeof request_lines / sizeof *request_lines;
    size_t name = strlen(p->before);
    if (is_start(p))
        put_place(o, p, sentence, at);
    for (size_t i = is_start(p); i < n; i++) {
        if (p->instead && name > 0 && strncmp(lines[i], p->before, name) == 0)
            continue;
        if (host.n > 0 && strncmp(lines[i], "Host:", 5) == 0) {
            put(o, "Host: ");
            sipws_put(o, host);
        } else {
            put(o, lines[i]);
        }
        put(o, "\r\n");
    }
    if (!is_start(p))
        put_place(o, p, sentence, at);
    put(o, "\r\n");
}

/* ---- the rules ------------------------------------------------------------------------------- */

static bool is_one_of(struct sipws_str name, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sipws_str_eq(name, (struct sipws_str){list[i], strlen(list[i])}))
            return true;
    return false;
}

/* One octet within the piece deleted, put in, or replaced, so that both refuse. */
static void near_miss(bool response, struct sipws_str head, int rule, size_t from, size_t to)
{
    static const char odd[] = "a0;,:=<>\"\\@?&%()[] \t\r\n\x01\x7F\x80\xC3\xFF{|/.-*+~#^G";
    unsigned char r[3];
    char bent[ORACLE_HEAD + 1];
    random_octets(r, sizeof r);
    size_t len = to - from, at = from + (len ? r[0] % len : 0), n = head.n;
    memcpy(bent, head.p, n);
    unsigned how = len ? r[1] % 3 : 1;
    if (how == 0) {
        memmove(bent + at, bent + at + 1, n - at - 1);
        n--;
    } else if (how == 1) {
        memmove(bent + at + 1, bent + at, n - at);
        n++;
    }
    if (how > 0)
        bent[at] = odd[r[2] % (sizeof odd - 1)];
    struct oracle_http_answer a;
    ask((struct sipws_str){bent, n}, response, &a);
    counts[rule].refused += a.grammar == ABNF_REFUSED && !a.ref;
}

static void sentence(const struct place *p)
{
    static struct abnf_piece pieces[PIECES];
    const struct abnf *g = oracle_http_grammar();
    unsigned char octets[TAPE];
    char text[ORACLE_HEAD], head[ORACLE_HEAD];
    struct abnf_trace trace = {pieces, PIECES, 0};
    struct oracle_http_answer a;
    random_octets(octets, sizeof octets);
    struct tape t = tape(octets, sizeof octets, NULL, 0);
    struct sipws_out o = sipws_out(text, sizeof text), whole = sipws_out(head, sizeof head - 1);
    assert_true(abnf_generate(g, abnf_rule(g, p->rule), &t, 40, &o, NULL, &trace));
    if (!sipws_out_ok(&o))
        return;
    size_t at = 0;
    struct sipws_str host = {NULL, 0};
    for (size_t i = 0; i < trace.n; i++)
        if (pieces[i].rule == abnf_rule(g, "authority"))
            host = (struct sipws_str){text + pieces[i].from, pieces[i].to - pieces[i].from};
    put_head(&whole, p, sipws_out_str(&o), host, &at);
    if (!sipws_out_ok(&whole))
        return;
    ask(sipws_out_str(&whole), p->response, &a);
    assert_int_equal(a.grammar, ABNF_ACCEPTED);
    for (size_t i = 0; i < trace.n; i++) {
        struct count *c = &counts[pieces[i].rule];
        c->made++;
        c->taken += a.ref;
        /* Of rules that come up often, a few. */
        if (c->refused < 50)
            near_miss(p->response, sipws_out_str(&whole), pieces[i].rule, at + pieces[i].from,
                      at + pieces[i].to);
    }
}

/* The two handshakes themselves, and what in them has the value that the prose asks for. */
static void written_by_hand(void)
{
    const struct abnf *g = oracle_http_grammar();
    static const struct place whole[] = {{"request-field", "X:", false, false},
                                         {"response-field", "X:", true, false}};
    char head[ORACLE_HEAD], both[2 * ORACLE_HEAD] = "";
    for (int i = 0; i < 2; i++) {
        struct sipws_out o = sipws_out(head, sizeof head - 1);
        struct oracle_http_answer a;
        size_t at;
        put_head(&o, &whole[i], SIPWS_STR(""), SIPWS_STR(""), &at);
        ask(sipws_out_str(&o), whole[i].response, &a);
        assert_true(a.ref);
        int rule = abnf_rule(g, whole[i].response ? "response" : "request");
        counts[rule].made++;
        counts[rule].taken++;
        near_miss(whole[i].response, sipws_out_str(&o), rule, o.n - 2, o.n);
        strncat(both, head, o.n);
    }
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        assert_non_null(strstr(both, by_hand[i].line));
        for (int k = 0; k < 6 && by_hand[i].rules[k]; k++) {
            int rule = abnf_rule(g, by_hand[i].rules[k]);
            assert_true(rule >= 0);
            counts[rule].taken++;
        }
    }
}

static void every_rule(void **state)
{
    const struct abnf *g = oracle_http_grammar();
    int request = abnf_rule(g, "request"), response = abnf_rule(g, "response");
    int n = abnf_rules(g), missing = 0, all = 0;
    (void)state;
    assert_true(n <= RULES);
    for (int round = 0; round < ROUNDS; round++)
        sentence(&places[round % PLACES]);
    written_by_hand();
    print_message("%-32s %9s %9s %9s\n", "rule", "made", "taken", "refused");
    for (int i = 0; i < n; i++) {
        struct sipws_str name = abnf_rule_name(g, i);
        const struct count *c = &counts[i];
        if (i != request && i != response && !abnf_reaches(g, request, i) &&
            !abnf_reaches(g, response, i))
            continue; /* core rules that are not used */
        bool is_never = is_one_of(name, never, sizeof never / sizeof *never);
        bool good = c->made && (is_never ? !c->taken : c->taken > 0) && c->refused;
        all++;
        missing += !good;
        print_message("%-32.*s %9u %9u %9u%s\n", (int)name.n, name.p, c->made, c->taken, c->refused,
                      good ? "" : "  MISSING");
    }
    print_message("%d rules\n", all);
    assert_int_equal(missing, 0);
    assert_true(all > 70);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
