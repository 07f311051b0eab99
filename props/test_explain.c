/* What `sipws explain` tells is true: every error is explained, every bad example is refused with
 * its error at its octet, and every good one is not. */
#include "http.h"
#include "msg.h"
#include "ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define AT "\x01"

enum how { SIP, SIP_WS, SIP_WSS, SIP_RAW, HTTP, HTTP_RAW, WS, WS_CLIENT, WORDS };

static const struct row {
    enum sipws_err err;
    enum how how;
    const char *name, *meaning, *why;
    struct sipws_str bad, good; /* NULs and all */
} rows[] = {
#define X(name, how, meaning, why, bad, good)                                                      \
    {SIPWS_E_##name, how, #name, meaning, why, {bad, sizeof(bad) - 1}, {good, sizeof(good) - 1}},
#include "cli_explain.def"
#undef X
};

enum { ROWS = sizeof rows / sizeof *rows };

static const char *at_of(struct sipws_str s)
{
    return s.n ? memchr(s.p, AT[0], s.n) : NULL;
}

static void every_error_once(void **state)
{
    (void)state;
    assert_int_equal(ROWS, SIPWS_ERR_COUNT - 1);
    for (unsigned i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];
        if (r->err != i + 1)
            fail_msg("%s does not stand where err.def has it", r->name);
        size_t n = strlen(r->meaning), m = strlen(r->why);
        const char *at = at_of(r->bad);
        if (n < 20 || m < 20 || r->meaning[n - 1] != '.' || strchr(".)", r->why[m - 1]) == NULL ||
            r->good.n == 0)
            fail_msg("%s: its texts are no sentences", r->name);
        if ((r->how == WORDS) != !at || at_of(r->good))
            fail_msg("%s: the bad example has no octet that is at fault, or the good one has",
                     r->name);
        if (at && memchr(at + 1, AT[0], (size_t)(r->bad.p + r->bad.n - at - 1)))
            fail_msg("%s: two octets are at fault", r->name);
    }
}

/* ---- examples made whole ----------------------------------------------------------------------
 */

/* An example as octets, and where its octet at fault is (SIZE_MAX: none is marked). */
struct whole {
    char p[4096];
    size_t n, at;
};

static void put(struct whole *w, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(w->n < sizeof w->p - 1);
        if (s[i] == AT[0])
            w->at = w->n;
        else
            w->p[w->n++] = s[i];
    }
}

static void puts_to(struct whole *w, const char *s)
{
    put(w, s, strlen(s));
}

/* The name of a header line, without marks. False: it is a start line. */
static bool name_of(const char *p, const char *end, char out[64])
{
    size_t n = 0;
    for (; p < end && *p != ':' && *p != ' ' && n < 63; p++)
        if (*p != AT[0])
            out[n++] = *p;
    out[n] = '\0';
    while (p < end && (*p == ' ' || *p == AT[0]))
        p++;
    return p < end && *p == ':' && n > 0;
}

static bool same_field(const char *a, const char *b, bool sip)
{
    struct sipws_str x = {a, strlen(a)}, y = {b, strlen(b)};
    enum sipws_field_id id = sip ? sipws_field_find(x) : SIPWS_F_EXTENSION;
    return sipws_str_ieq(x, y) || (id != SIPWS_F_EXTENSION && id == sipws_field_find(y));
}

/* The example has a line of that field. */
static bool has(struct sipws_str s, const char *field, bool sip)
{
    char name[64];
    for (const char *p = s.p, *end = s.p + s.n, *line; p < end; p = line + 1) {
        line = memchr(p, '\n', (size_t)(end - p));
        line = line ? line : end;
        if (line == p)
            return false; /* the body */
        if (name_of(p, line, name) && same_field(name, field, sip))
            return true;
    }
    return false;
}

/* Lines of a head completed by those of `base` ("Name: value\n"…), or `start` where the example has
 * no start line of its own. */
static void complete(struct whole *w, struct sipws_str s, const char *start, const char *base,
                     bool sip)
{
    const char *p = s.p, *end = s.p + s.n;
    const char *line = memchr(p, '\n', s.n);
    char name[64];
    line = line ? line : end;
    w->n = 0;
    w->at = SIZE_MAX;
    /* "Subject Lunch" has no colon either; a start line names its protocol. */
    static const char *const protocols[] = {"SIP/", "HTTP/", "sip/"};
    bool own_start = false;
    for (size_t i = 0; i < 3; i++)
        for (const char *q = p; q + 5 <= line; q++)
            own_start = own_start || memcmp(q, protocols[i], strlen(protocols[i])) == 0;
    if (name_of(p, line, name) && sip && same_field(name, "Via", true))
        own_start = false;
    if (own_start) {
        put(w, p, (size_t)(line - p));
        p = line < end ? line + 1 : end;
    } else {
        puts_to(w, start);
    }
    puts_to(w, "\r\n");
    for (const char *b = base, *next; *b; b = next) {
        next = strchr(b, '\n') + 1;
        assert_true(name_of(b, next, name));
        if (!has(s, name, sip)) {
            put(w, b, (size_t)(next - 1 - b));
            puts_to(w, "\r\n");
        }
    }
    bool body = false;
    while (p < end) {
        line = memchr(p, '\n', (size_t)(end - p));
        if (line == p) {
            puts_to(w, "\r\n");
            for (p++; (line = memchr(p, '\n', (size_t)(end - p))); p = line + 1) {
                put(w, p, (size_t)(line - p));
                puts_to(w, "\r\n");
            }
            put(w, p, (size_t)(end - p));
            body = true;
            break;
        }
        const char *stop = line ? line : end;
        put(w, p, (size_t)(stop - p));
        puts_to(w, "\r\n");
        p = line ? line + 1 : end;
    }
    if (!body)
        puts_to(w, "\r\n");
}

/* The method of the request line that an example starts with, or OPTIONS. */
static void method_of(struct sipws_str s, char out[32])
{
    size_t n = 0;
    const char *line = memchr(s.p, '\n', s.n), *p = s.p;
    const char *end = line ? line : s.p + s.n, *sip = NULL;
    for (const char *q = p; q + 4 < end; q++)
        sip = memcmp(q, " SIP/", 5) == 0 || memcmp(q, " sip/", 5) == 0 ? q : sip;
    if (end - p > 5 && memcmp(end - 7, "SIP/", 4) != 0 && memcmp(end - 7, "sip/", 4) != 0)
        sip = memchr(p, AT[0], (size_t)(end - p)) && sip ? sip : NULL;
    for (; sip && p < sip && *p != ' ' && n < 31; p++)
        if (*p != AT[0])
            out[n++] = *p;
    if (n == 0 || memchr(out, ':', n) || memchr(out, '/', n) || memchr(out, '@', n)) {
        strcpy(out, "OPTIONS");
        return;
    }
    out[n] = '\0';
}

static void sip_whole(struct whole *w, struct sipws_str s, const char *transport)
{
    char base[512], method[32];
    bool response = s.n > 4 && memcmp(s.p, "SIP/2.0 ", 8) == 0;
    method_of(s, method);
    snprintf(base, sizeof base,
             "Via: SIP/2.0/%s k2v9.invalid;branch=z9hG4bK1\n%s"
             "From: <sip:ada@example.org>;tag=a1\n"
             "To: <sip:bob@example.org>%s\nCall-ID: c1@k2v9.invalid\nCSeq: 1 %s\n%s",
             transport, response ? "" : "Max-Forwards: 70\n", response ? ";tag=b1" : "",
             response ? "OPTIONS" : method,
             response && has(s, "RSeq", true) ? "Contact: <sip:bob@192.0.2.4>\n" : "");
    complete(w, s, "OPTIONS sip:bob@example.org SIP/2.0", base, true);
}

/* ---- judging --------------------------------------------------------------------------------- */

enum { DIAGS = 16 };

struct judged {
    struct sipws_diag diags[DIAGS];
    size_t n;
};

static void judge_sip(struct judged *j, const struct whole *w, enum sipws_transport transport)
{
    static struct sipws_field fields[128];
    struct sipws_msg m;
    struct sipws_report r = sipws_report(j->diags, DIAGS);
    if (sipws_msg_parse((struct sipws_str){w->p, w->n}, 0, fields, 128, &m, &r) || m.body.p)
        sipws_msg_check(&m, transport, 0, &r);
    j->n = r.n;
}

static void judge_http(struct judged *j, const struct whole *w)
{
    static struct sipws_http http;
    struct sipws_head head = {0};
    size_t used;
    struct sipws_str text = {w->p, w->n};
    enum sipws_head_end end = sipws_head_feed(&head, w->p, w->n, 8192, &used, &j->diags[0]);
    bool response = w->n > 5 && memcmp(w->p, "HTTP/", 5) == 0, ok = false;
    if (end == SIPWS_HEAD_MORE)
        sipws_diag_set(&j->diags[0], SIPWS_E_HTTP_CUT, w->n, "head");
    else if (end == SIPWS_HEAD_DONE)
        ok = response ? sipws_http_response(text, SIPWS_STR("c2l4dGVlbiBvY3RldHMhIQ=="), &http,
                                            &j->diags[0])
                      : sipws_http_request(text, &http, &j->diags[0]);
    j->n = ok ? 0 : 1;
}

static void judge_ws(struct judged *j, const struct whole *w, enum sipws_role role)
{
    static char buf[256];
    struct sipws_ws ws;
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    struct sipws_ws_event ev = {.kind = SIPWS_WS_MESSAGE};
    struct sipws_str in = {w->p, w->n};
    sipws_ws_init(&ws, role, &limits, buf, sizeof buf);
    while (ev.kind != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR)
        sipws_ws_read(&ws, &in, &ev);
    if (ev.kind == SIPWS_WS_MORE)
        sipws_ws_end(&ws, &ev);
    j->n = ev.kind == SIPWS_WS_ERROR;
    j->diags[0] = ev.diag;
}

static int hex(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static void ws_whole(struct whole *w, struct sipws_str s)
{
    w->n = 0;
    w->at = SIZE_MAX;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == AT[0])
            w->at = w->n;
        if (hex(s.p[i]) < 0)
            continue;
        assert_true(i + 1 < s.n && hex(s.p[i + 1]) >= 0);
        w->p[w->n++] = (char)(hex(s.p[i]) << 4 | hex(s.p[i + 1]));
        i++;
    }
}

static void judge(struct judged *j, struct whole *w, const struct row *r, struct sipws_str s)
{
    static const char request[] = "Host: example.org\nUpgrade: websocket\nConnection: Upgrade\n"
                                  "Sec-WebSocket-Key: c2l4dGVlbiBvY3RldHMhIQ==\n"
                                  "Sec-WebSocket-Version: 13\nSec-WebSocket-Protocol: sip\n";
    char response[256], accept[SIPWS_ACCEPT];
    switch (r->how) {
    case SIP:
        sip_whole(w, s, "WSS");
        judge_sip(j, w, SIPWS_TRANSPORT_ANY);
        break;
    case SIP_WS:
        sip_whole(w, s, "WS");
        judge_sip(j, w, SIPWS_TRANSPORT_WS);
        break;
    case SIP_WSS:
        sip_whole(w, s, "WSS");
        judge_sip(j, w, SIPWS_TRANSPORT_WSS);
        break;
    case HTTP:
        assert_true(sipws_crypt_accept(SIPWS_STR("c2l4dGVlbiBvY3RldHMhIQ=="), accept));
        snprintf(response, sizeof response,
                 "Upgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Accept: %.*s\n"
                 "Sec-WebSocket-Protocol: sip\n",
                 SIPWS_ACCEPT, accept);
        complete(w, s, "GET / HTTP/1.1",
                 s.n > 5 && memcmp(s.p, "HTTP/", 5) == 0 ? response : request, false);
        judge_http(j, w);
        break;
    case WS:
    case WS_CLIENT:
        ws_whole(w, s);
        judge_ws(j, w, r->how == WS ? SIPWS_SERVER : SIPWS_CLIENT);
        break;
    case SIP_RAW:
    case HTTP_RAW:
        w->n = 0;
        w->at = SIZE_MAX;
        put(w, s.p, s.n);
        if (r->how == SIP_RAW)
            judge_sip(j, w, SIPWS_TRANSPORT_ANY);
        else
            judge_http(j, w);
        break;
    case WORDS:
        break;
    }
}

static void bad_is_bad(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (const struct row *r = rows; r < rows + ROWS; r++) {
        static struct whole w;
        static struct judged j;
        if (r->how == WORDS)
            continue;
        judge(&j, &w, r, r->bad);
        /* The first thing that is told; of what follows from it, more may be. */
        if (j.n > 0 && j.diags[0].err == r->err && j.diags[0].off == w.at)
            continue;
        wrong++;
        print_error("%s: the bad example gives %s at %zu instead of %zu:\n%.*s\n", r->name,
                    j.n ? sipws_err_info(j.diags[0].err)->id : "nothing", j.n ? j.diags[0].off : 0,
                    w.at, (int)w.n, w.p);
    }
    assert_int_equal(wrong, 0);
}

static void good_is_good(void **state)
{
    (void)state;
    unsigned wrong = 0;
    for (const struct row *r = rows; r < rows + ROWS; r++) {
        static struct whole w;
        static struct judged j;
        if (r->how == WORDS)
            continue;
        judge(&j, &w, r, r->good);
        if (j.n == 0)
            continue;
        wrong++;
        print_error("%s: the good example gives %s at %zu:\n%.*s\n", r->name,
                    sipws_err_info(j.diags[0].err)->id, j.diags[0].off, (int)w.n, w.p);
    }
    assert_int_equal(wrong, 0);
}

/* The examples are tried, not waved through: more than words, in every way there is. */
static void the_examples_are_tried(void **state)
{
    (void)state;
    unsigned of[WORDS + 1] = {0};
    for (const struct row *r = rows; r < rows + ROWS; r++)
        of[r->how]++;
    for (unsigned how = 0; how <= WORDS; how++)
        assert_true(of[how] > 0);
    assert_true(of[WORDS] * 4 < ROWS);
    struct row wrong = {SIPWS_E_QUOTE, SIP, "", "", "", {NULL, 0}, {NULL, 0}};
    struct whole w;
    struct judged j;
    judge(&j, &w, &wrong, SIPWS_STR("Expires: " AT "60"));
    assert_int_equal(j.n, 0);
    assert_memory_equal(w.p + w.at, "60", 2);
    judge(&j, &w, &wrong, SIPWS_STR("Expires: " AT "x"));
    assert_int_equal(j.diags[0].err, SIPWS_E_NUMBER);
    assert_int_equal(j.diags[0].off, w.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_once),
        cmocka_unit_test(bad_is_bad),
        cmocka_unit_test(good_is_good),
        cmocka_unit_test(the_examples_are_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
