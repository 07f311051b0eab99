/* Building messages and changing them: each refusal where it belongs, each change octet by octet.
 */
#include "build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define S SIPWS_STR

enum { ROOM = 4096, FIELDS = 32 };

static char octets[ROOM];
static struct sipws_field fields[FIELDS], read_fields[FIELDS];

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

#define assert_octets(got, want)                                                                   \
    do {                                                                                           \
        struct sipws_str got_ = (got), want_ = (want);                                             \
        if (!sipws_str_eq(got_, want_))                                                            \
            fail_msg("got\n%.*s\ninstead of\n%.*s", (int)got_.n, got_.p, (int)want_.n, want_.p);   \
    } while (0)

/* ---- a request ------------------------------------------------------------------------------- */

static void head(struct sipws_build *b)
{
    sipws_build_text(b, SIPWS_F_VIA, S("SIP/2.0/WSS k2v9.invalid"));
    sipws_build_param(b, S("branch"), S("z9hG4bK7r"));
    sipws_build_number(b, SIPWS_F_MAX_FORWARDS, 70);
    sipws_build_text(b, SIPWS_F_FROM, S("\"Ada\" <sip:ada@example.org>"));
    sipws_build_param(b, S("tag"), S("f1"));
    sipws_build_text(b, SIPWS_F_TO, S("<sip:bob@example.com>"));
    sipws_build_text(b, SIPWS_F_CALL_ID, S("c1@k2v9.invalid"));
    sipws_build_text(b, SIPWS_F_CSEQ, S("1 OPTIONS"));
}

#define START "OPTIONS sip:bob@example.com SIP/2.0\r\n"
#define HEAD                                                                                       \
    "Via: SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK7r\r\n"                                           \
    "Max-Forwards: 70\r\n"                                                                         \
    "From: \"Ada\" <sip:ada@example.org>;tag=f1\r\n"                                               \
    "To: <sip:bob@example.com>\r\n"                                                                \
    "Call-ID: c1@k2v9.invalid\r\n"                                                                 \
    "CSeq: 1 OPTIONS\r\n"

static struct sipws_build options(struct sipws_out *o)
{
    struct sipws_build b =
        sipws_build_request(o, S("OPTIONS"), S("sip:bob@example.com"), fields, FIELDS);
    head(&b);
    return b;
}

static void a_request(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = options(&o);
    b.transport = SIPWS_TRANSPORT_WSS;
    sipws_build_field(&b, S("X-Note"), S("as \"it\" is"));
    assert_true(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_OK);
    assert_octets(sipws_out_str(&o), S(START HEAD "X-Note: as \"it\" is\r\n"
                                                  "Content-Length: 0\r\n\r\n"));
    assert_int_equal(b.msg.method, SIPWS_M_OPTIONS);
    assert_int_equal(b.msg.n, 8);
    assert_octets(b.msg.text, sipws_out_str(&o));
}

static void a_body(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    sipws_put_lit(&o, "before"); /* a writer may have something in it */
    struct sipws_build b = options(&o);
    sipws_build_text(&b, SIPWS_F_CONTENT_TYPE, S("text/plain"));
    assert_true(sipws_build_end(&b, S("Lunch?\r\n\0\xFF")));
    assert_octets(sipws_out_str(&o), S("before" START HEAD "Content-Type: text/plain\r\n"
                                       "Content-Length: 10\r\n\r\nLunch?\r\n\0\xFF"));
    assert_octets(b.msg.body, S("Lunch?\r\n\0\xFF"));
}

/* Content-Length that the caller sets is judged, and not doubled. */
static void content_length(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = options(&o);
    sipws_build_field(&b, S("l"), S("0"));
    assert_true(sipws_build_end(&b, S("")));
    assert_octets(sipws_out_str(&o), S(START HEAD "l: 0\r\n\r\n"));
    o.n = 0;
    b = options(&o);
    sipws_build_number(&b, SIPWS_F_CONTENT_LENGTH, 1);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_BODY_LENGTH);
    assert_int_equal(b.diag.off, strlen(START HEAD "Content-Length: "));
}

static void auth(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = options(&o);
    sipws_build_text(&b, SIPWS_F_AUTHORIZATION, S("Digest"));
    sipws_build_quoted(&b, S("username"), S("a\"d\\a"));
    sipws_build_quoted(&b, S("realm"), S("example.org"));
    sipws_build_quoted(&b, S("nonce"), S("n\xC3\xA9"));
    sipws_build_quoted(&b, S("uri"), S("sip:example.org"));
    sipws_build_quoted(&b, S("response"), S("0123456789abcdef0123456789abcdef"));
    assert_true(sipws_build_end(&b, S("")));
    assert_octets(sipws_out_str(&o),
                  S(START HEAD "Authorization: Digest username=\"a\\\"d\\\\a\", "
                               "realm=\"example.org\", nonce=\"n\xC3\xA9\", "
                               "uri=\"sip:example.org\", "
                               "response=\"0123456789abcdef0123456789abcdef\"\r\n"
                               "Content-Length: 0\r\n\r\n"));

    /* The same scheme as a value, and a field that starts with a parameter. */
    o.n = 0;
    b = sipws_build_response(&o, 200, S("OK"), fields, FIELDS);
    struct sipws_value scheme = {.kind = SIPWS_K_CHALLENGE, .auth = {.scheme = S("Digest")}};
    sipws_build_value(&b, SIPWS_F_WWW_AUTHENTICATE, &scheme);
    sipws_build_quoted(&b, S("realm"), S("r"));
    sipws_build_quoted(&b, S("nonce"), S("n"));
    sipws_build_text(&b, SIPWS_F_AUTHENTICATION_INFO, S(""));
    sipws_build_param(&b, S("nc"), S("00000001"));
    sipws_build_param(&b, S("qop"), S("auth"));
    sipws_build_raw(&b, S(""));
    assert_true(sipws_build_end(&b, S("")));
    assert_octets(sipws_out_str(&o), S("SIP/2.0 200 OK\r\n"
                                       "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
                                       "Authentication-Info: nc=00000001, qop=auth\r\n"
                                       "Content-Length: 0\r\n\r\n"));
}

static void raw(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = options(&o);
    sipws_build_raw(&b, S("no colon\r\n"));
    assert_true(sipws_build_end(&b, S("")));
    assert_octets(sipws_out_str(&o), S(START HEAD "no colon\r\nContent-Length: 0\r\n\r\n"));
    assert_null(b.msg.text.p);
    /* What is not raw is judged all the same. */
    o.n = 0;
    b = options(&o);
    sipws_build_raw(&b, S("no colon\r\n"));
    sipws_build_text(&b, SIPWS_F_EXPIRES, S("soon"));
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_NUMBER);
}

/* ---- what cannot be said --------------------------------------------------------------------- */

/* One refusal: what is set behind HEAD, and the octet of that which is at fault. */
struct refusal {
    enum { TEXT, NAMED, PARAM, QUOTED } how;
    enum sipws_field_id id;
    const char *name, *value; /* NAMED: of the field; PARAM, QUOTED: of the parameter */
    enum sipws_err err;
    const char *until; /* what was written before the fault, behind HEAD */
};

static const struct refusal refusals[] = {
    /* A value cannot end its line. */
    {TEXT, SIPWS_F_SUBJECT, NULL, "a\r\nContact: <sip:eve@example.net>", SIPWS_E_FIELD_VALUE,
     "Subject: a"},
    {TEXT, SIPWS_F_SUBJECT, NULL, "a\nb", SIPWS_E_FIELD_VALUE, "Subject: a"},
    {TEXT, SIPWS_F_SUBJECT, NULL, "a\r\n", SIPWS_E_FIELD_VALUE, "Subject: a"},
    {NAMED, SIPWS_F_EXTENSION, "X-Note", "a\r\n\r\nbody", SIPWS_E_FIELD_VALUE, "X-Note: a"},
    {NAMED, SIPWS_F_EXTENSION, "X-Note", "a\rb", SIPWS_E_FIELD_VALUE, "X-Note: a"},
    {NAMED, SIPWS_F_EXTENSION, "X-Note", "a\x01", SIPWS_E_FIELD_VALUE, "X-Note: a"},
    /* Names. */
    {NAMED, SIPWS_F_EXTENSION, "", "a", SIPWS_E_FIELD_NAME, ""},
    {NAMED, SIPWS_F_EXTENSION, "X Note", "a", SIPWS_E_FIELD_NAME, ""},
    {NAMED, SIPWS_F_EXTENSION, "X: b\r\nNote", "a", SIPWS_E_FIELD_NAME, ""},
    {TEXT, SIPWS_F_EXTENSION, NULL, "a", SIPWS_E_FIELD_NAME, ""},
    /* Values that are not their field's. */
    {TEXT, SIPWS_F_EXPIRES, NULL, "soon", SIPWS_E_NUMBER, "Expires: "},
    {TEXT, SIPWS_F_SUPPORTED, NULL, "path,,gruu", SIPWS_E_LIST_ELEMENT, "Supported: path,"},
    {NAMED, SIPWS_F_EXTENSION, "f", "<sip:eve@example.net>;tag=2", SIPWS_E_DOUBLE_FIELD, ""},
    /* Parameters are one parameter. */
    {PARAM, SIPWS_F_CONTACT, "expires", "60;q=1", SIPWS_E_PARAM_VALUE, ";expires="},
    {PARAM, SIPWS_F_CONTACT, "x", "1, <sip:eve@example.net>", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "\"a", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "\"a\"b", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "\"a\\\"", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "<a", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "a\r\n b", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "x", "", SIPWS_E_PARAM_VALUE, ";x="},
    {PARAM, SIPWS_F_CONTACT, "q", "2", SIPWS_E_QVALUE, ";q="},
    {PARAM, SIPWS_F_CONTACT, "x=1;y", NULL, SIPWS_E_TOKEN, ";"},
    {PARAM, SIPWS_F_CONTACT, "", NULL, SIPWS_E_TOKEN, ";"},
    {QUOTED, SIPWS_F_CONTACT, "x", "a\r\n b", SIPWS_E_QUOTED_OCTET, ";x=\"a"},
    {QUOTED, SIPWS_F_CONTACT, "x", "\x7F", SIPWS_E_QUOTED_OCTET, ";x=\""},
    {QUOTED, SIPWS_F_CONTACT, "x", "\xC3(", SIPWS_E_UTF8, ";x="},
};

static void what_cannot_be_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const struct refusal *r = &refusals[i];
        struct sipws_out o = sipws_out(octets, sizeof octets);
        struct sipws_build b = options(&o);
        const char *line = "";
        struct sipws_str value = {r->value, r->value ? strlen(r->value) : 0};
        if (r->how == TEXT)
            sipws_build_text(&b, r->id, value);
        else if (r->how == NAMED)
            sipws_build_field(&b, str(r->name), value);
        if (r->how == PARAM || r->how == QUOTED) {
            line = "Contact: <sip:ada@k2v9.invalid>";
            sipws_build_text(&b, r->id, S("<sip:ada@k2v9.invalid>"));
            if (r->how == PARAM)
                sipws_build_param(&b, str(r->name), value);
            else
                sipws_build_quoted(&b, str(r->name), value);
        }
        bool good = sipws_build_end(&b, S(""));
        size_t at = strlen(START HEAD) + strlen(line) + strlen(r->until);
        if (good || b.diag.err != r->err || b.diag.off != at || o.n != 0 || b.diag.rfc[0] == '\0')
            fail_msg("%s: %s at %zu (RFC %s) instead of %s at %zu; %zu octets in the writer",
                     r->value ? r->value : r->name, sipws_err_info(b.diag.err)->id, b.diag.off,
                     b.diag.rfc, sipws_err_info(r->err)->id, at, o.n);
    }
}

static void bad_starts(void **state)
{
    (void)state;
    static const struct {
        const char *method, *uri;
        enum sipws_err err;
        size_t off;
    } requests[] = {
        {"", "sip:a@example.org", SIPWS_E_METHOD, 0},
        {"OPT IONS", "sip:a@example.org", SIPWS_E_METHOD, 0},
        {"OPTIONS", "sip:a@example.org SIP/2.0\r\nX: y", SIPWS_E_URI_OCTET, 25},
        {"OPTIONS", "<sip:a@example.org>", SIPWS_E_URI_SCHEME, 8},
        {"OPTIONS", "sip:a@example.org?x=y", SIPWS_E_REQUEST_URI, 25},
        {"OPTIONS", "", SIPWS_E_URI_SCHEME, 8},
        {"BYE", "sip:a@example.org", SIPWS_E_CSEQ_METHOD, 0},
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct sipws_out o = sipws_out(octets, sizeof octets);
        struct sipws_build b =
            sipws_build_request(&o, str(requests[i].method), str(requests[i].uri), fields, FIELDS);
        head(&b);
        assert_false(sipws_build_end(&b, S("")));
        assert_string_equal(sipws_err_info(b.diag.err)->id, sipws_err_info(requests[i].err)->id);
        if (requests[i].off || requests[i].err == SIPWS_E_METHOD)
            assert_int_equal(b.diag.off, requests[i].off);
        assert_int_equal(o.n, 0);
    }
    static const struct {
        unsigned status;
        const char *reason;
        enum sipws_err err;
        size_t off;
    } responses[] = {
        {99, "", SIPWS_E_STATUS_CODE, 8},
        {700, "", SIPWS_E_STATUS_CODE, 8},
        {200, "OK\r\nX: y", SIPWS_E_REASON_PHRASE, 14},
        {200, "O\x01K", SIPWS_E_REASON_PHRASE, 13},
        {200, "100%", SIPWS_E_REASON_PHRASE, 16},
        {200, "OK", SIPWS_E_TAG_MISSING, 0},
    };
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        struct sipws_out o = sipws_out(octets, sizeof octets);
        struct sipws_build b =
            sipws_build_response(&o, responses[i].status, str(responses[i].reason), fields, FIELDS);
        head(&b);
        assert_false(sipws_build_end(&b, S("")));
        assert_string_equal(sipws_err_info(b.diag.err)->id, sipws_err_info(responses[i].err)->id);
        if (responses[i].off)
            assert_int_equal(b.diag.off, responses[i].off);
    }
}

static void rules_across_fields(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    /* Nothing but a start line: the first thing that is missing. */
    struct sipws_build b =
        sipws_build_request(&o, S("OPTIONS"), S("sip:bob@example.com"), fields, FIELDS);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_MISSING_FIELD);
    /* A body without its type. */
    b = options(&o);
    assert_false(sipws_build_end(&b, S("x")));
    assert_int_equal(b.diag.err, SIPWS_E_BODY_TYPE);
    /* The connection. */
    b = options(&o);
    b.transport = SIPWS_TRANSPORT_WS;
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_VIA_TRANSPORT);
    /* Room for the reading. */
    b = sipws_build_request(&o, S("OPTIONS"), S("sip:bob@example.com"), fields, 6);
    head(&b);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_LIMIT_FIELDS);
    /* A parameter of nothing. */
    b = sipws_build_request(&o, S("OPTIONS"), S("sip:bob@example.com"), fields, FIELDS);
    sipws_build_param(&b, S("tag"), S("1"));
    head(&b);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_SEPARATOR);
    assert_int_equal(b.diag.off, strlen(START));
    assert_int_equal(o.n, 0);
}

/* The first refusal stays, whatever follows. */
static void the_first_refusal_stays(void **state)
{
    (void)state;
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = options(&o);
    sipws_build_text(&b, SIPWS_F_EXPIRES, S("soon"));
    sipws_build_field(&b, S("no name"), S(""));
    assert_false(sipws_build_end(&b, S("x")));
    assert_int_equal(b.diag.err, SIPWS_E_NUMBER);
    assert_string_equal(b.diag.rfc, "3261 20.19");
}

/* ---- typed values ---------------------------------------------------------------------------- */

/* Values by hand that would be read as something else. */
static void values_that_say_more(void **state)
{
    (void)state;
    struct sipws_uri plain = {.scheme = SIPWS_SCHEME_SIP,
                              .scheme_name = S("sip"),
                              .user = S("ada"),
                              .host = {SIPWS_HOST_NAME, S("example.org"), {0}},
                              .port = SIPWS_NO_PORT};
    struct sipws_uri sly = plain;
    sly.user = S("eve@example.net;x="), sly.host.text = S("a");
    struct sipws_uri params = plain;
    params.host.text = S("example.org;lr");
    const struct {
        enum sipws_field_id id;
        struct sipws_value v;
        bool good;
    } cases[] = {
        {SIPWS_F_CONTACT, {.kind = SIPWS_K_ADDR, .addr = {.uri = plain}}, true},
        {SIPWS_F_CONTACT, {.kind = SIPWS_K_ADDR, .addr = {.uri = sly}}, false},
        {SIPWS_F_CONTACT, {.kind = SIPWS_K_ADDR, .addr = {.uri = params}}, false},
        {SIPWS_F_CONTACT,
         {.kind = SIPWS_K_ADDR, .params = S(";q=0.5 ; x"), .addr = {.uri = plain}},
         true},
        {SIPWS_F_CONTACT,
         {.kind = SIPWS_K_ADDR, .params = S(";x>y"), .addr = {.uri = plain}},
         false},
        {SIPWS_F_CONTACT,
         {.kind = SIPWS_K_ADDR,
          .addr = {.display = S("<sip:eve@example.net>, \"Ada\""), .uri = plain}},
         false},
        {SIPWS_F_SUPPORTED, {.kind = SIPWS_K_TOKEN, .token = S("path")}, true},
        {SIPWS_F_SUPPORTED, {.kind = SIPWS_K_TOKEN, .token = S("path, gruu")}, false},
        {SIPWS_F_SUPPORTED, {.kind = SIPWS_K_TOKEN, .token = S("")}, false},
        {SIPWS_F_EXPIRES, {.kind = SIPWS_K_DATE, .params = S(";x")}, false},
        {SIPWS_F_RSEQ, {.kind = SIPWS_K_NUMBER, .params = S(";x"), .number = {.value = 1}}, false},
        {SIPWS_F_RACK,
         {.kind = SIPWS_K_RACK, .params = S(";x"), .rack = {1, 1, S("INVITE")}},
         false},
        {SIPWS_F_RACK, {.kind = SIPWS_K_RACK, .rack = {1, 1, S("INVITE")}}, true},
        {SIPWS_F_EVENT, {.kind = SIPWS_K_TOKEN, .token = S("presence;id=1")}, false},
        {SIPWS_F_SUBJECT, {.kind = SIPWS_K_TEXT, .text = S("a\r\n b")}, true},
        {SIPWS_F_EXPIRES, {.kind = SIPWS_K_TOKEN, .token = S("60")}, false},
        {SIPWS_F_EXPIRES, {.kind = SIPWS_K_NUMBER, .number = {.value = 60}}, true},
        {SIPWS_F_RETRY_AFTER, {.kind = SIPWS_K_NUMBER, .number = {60, S("(a);duration=1")}}, false},
        {SIPWS_F_VIA,
         {.kind = SIPWS_K_VIA,
          .via = {S("SIP"), S("2.0"), S("WS a, SIP/2.0/WS"), {SIPWS_HOST_NAME, S("b"), {0}}, -1}},
         false},
        {SIPWS_F_WARNING,
         {.kind = SIPWS_K_WARNING, .warning = {399, S("a"), S("\"x\", 399 b \"y\"")}},
         false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sipws_out o = sipws_out(octets, sizeof octets);
        struct sipws_build b = options(&o);
        sipws_build_value(&b, cases[i].id, &cases[i].v);
        bool good = sipws_build_end(&b, S(""));
        if (good != cases[i].good)
            fail_msg("case %zu: %s at %zu: %.*s", i, sipws_err_info(b.diag.err)->id, b.diag.off,
                     (int)o.cap, o.p);
    }
}

/* ---- responses ------------------------------------------------------------------------------- */

static struct sipws_msg read_msg(const char *text)
{
    static struct sipws_diag diag;
    struct sipws_report r = sipws_report(&diag, 1);
    struct sipws_msg m;
    if (!sipws_msg_parse(str(text), 0, read_fields, FIELDS, &m, &r))
        fail_msg("%s at %zu: %s", sipws_err_info(diag.err)->id, diag.off, text);
    return m;
}

#define INVITE                                                                                     \
    "INVITE sip:bob@example.com SIP/2.0\r\n"                                                       \
    "v: SIP/2.0/WSS p.example.org;branch=z9hG4bK2 ,\r\n"                                           \
    " SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK1\r\n"                                                \
    "Record-Route: <sip:p.example.org;lr>\r\n"                                                     \
    "Max-Forwards:  07\r\n"                                                                        \
    "Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK0\r\n"                                               \
    "Timestamp: 54.3\r\n"                                                                          \
    "f: <sip:ada@example.org>;tag=f1\r\n"                                                          \
    "to: sip:bob@example.com\r\n"                                                                  \
    "Route: <sip:q.example.org;lr> , <sip:r.example.org;lr>\r\n"                                   \
    "ROUTE: <sip:s.example.org;lr>\r\n"                                                            \
    "i: c1\r\n"                                                                                    \
    "CSeq: 4 INVITE\r\n"                                                                           \
    "Contact: <sip:ada@k2v9.invalid;transport=ws>\r\n"                                             \
    "Content-Length: 0\r\n"                                                                        \
    "\r\n"

static void a_response_to(void **state)
{
    (void)state;
    struct sipws_msg m = read_msg(INVITE);
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_build b = sipws_build_response_to(&o, &m, 200, S("OK"), S("t9"), fields, FIELDS);
    sipws_build_text(&b, SIPWS_F_CONTACT, S("<sip:bob@192.0.2.4>"));
    assert_true(sipws_build_end(&b, S("")));
    assert_octets(sipws_out_str(&o), S("SIP/2.0 200 OK\r\n"
                                       "v: SIP/2.0/WSS p.example.org;branch=z9hG4bK2 ,\r\n"
                                       " SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK1\r\n"
                                       "Record-Route: <sip:p.example.org;lr>\r\n"
                                       "Via: SIP/2.0/WSS x.invalid;branch=z9hG4bK0\r\n"
                                       "f: <sip:ada@example.org>;tag=f1\r\n"
                                       "to: sip:bob@example.com;tag=t9\r\n"
                                       "i: c1\r\n"
                                       "CSeq: 4 INVITE\r\n"
                                       "Contact: <sip:bob@192.0.2.4>\r\n"
                                       "Content-Length: 0\r\n\r\n"));
    /* 100: Timestamp, no tag needed, no Record-Route. */
    o.n = 0;
    b = sipws_build_response_to(&o, &m, 100, S(""), (struct sipws_str){NULL, 0}, fields, FIELDS);
    assert_true(sipws_build_end(&b, S("")));
    assert_null(sipws_msg_find(&b.msg, SIPWS_F_RECORD_ROUTE));
    assert_non_null(sipws_msg_find(&b.msg, SIPWS_F_TIMESTAMP));
    /* A refusal has no Record-Route, and needs the tag. */
    o.n = 0;
    b = sipws_build_response_to(&o, &m, 486, S("Busy"), S("t9"), fields, FIELDS);
    assert_true(sipws_build_end(&b, S("")));
    assert_null(sipws_msg_find(&b.msg, SIPWS_F_RECORD_ROUTE));
    o.n = 0;
    b = sipws_build_response_to(&o, &m, 486, S(""), (struct sipws_str){NULL, 0}, fields, FIELDS);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_TAG_MISSING);
    /* A tag cannot bring its own parameters. */
    b = sipws_build_response_to(&o, &m, 486, S(""), S("t;x=y"), fields, FIELDS);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_PARAM_VALUE);
    /* What the status calls for is still the caller's. */
    b = sipws_build_response_to(&o, &m, 401, S(""), S("t"), fields, FIELDS);
    assert_false(sipws_build_end(&b, S("")));
    assert_int_equal(b.diag.err, SIPWS_E_MISSING_FIELD);
}

/* ---- room ------------------------------------------------------------------------------------ */

static void room(void **state)
{
    (void)state;
    const size_t whole = strlen(START HEAD "Content-Length: 0\r\n\r\n");
    for (size_t cap = 0; cap <= whole; cap++) {
        struct sipws_out o = sipws_out(cap ? octets : NULL, cap);
        struct sipws_build b = options(&o);
        bool good = sipws_build_end(&b, S(""));
        assert_int_equal(good, cap == whole);
        assert_int_equal(o.n, whole);
        assert_int_equal(b.diag.err, good ? SIPWS_OK : SIPWS_E_LIMIT_OUT);
    }
}

/* ---- rewriting ------------------------------------------------------------------------------- */

static void rewriting(void **state)
{
    (void)state;
    const char *text = INVITE;
    static const struct {
        struct sipws_rewrite how;
        const char *was, *is; /* the octets that change, up to two places */
        const char *was2, *is2;
    } cases[] = {
        {{.uri = {"sip:eve@192.0.2.9;x", 19}},
         "sip:bob@example.com SIP",
         "sip:eve@192.0.2.9;x SIP",
         NULL,
         NULL},
        {{.via = {"SIP/2.0/WS y.invalid;branch=z9hG4bK3", 36}},
         "v: SIP",
         "Via: SIP/2.0/WS y.invalid;branch=z9hG4bK3\r\nv: SIP",
         NULL,
         NULL},
        {{.record_route = {"<sip:y.example.org;lr>", 22}},
         "Record-Route: ",
         "Record-Route: <sip:y.example.org;lr>\r\nRecord-Route: ",
         NULL,
         NULL},
        {{.pop_via = true}, "SIP/2.0/WSS p.example.org;branch=z9hG4bK2 ,\r\n ", "", NULL, NULL},
        {{.pop_route = true}, "<sip:q.example.org;lr> , ", "", NULL, NULL},
        {{.forward = true}, "07", "6", NULL, NULL},
        {{.via = {"SIP/2.0/WS y;branch=z9hG4bK3", 28}, .pop_via = true},
         "v: ",
         "Via: SIP/2.0/WS y;branch=z9hG4bK3\r\nv: ",
         "SIP/2.0/WSS p.example.org;branch=z9hG4bK2 ,\r\n ",
         ""},
    };
    struct sipws_msg m = read_msg(text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[2048];
        struct sipws_out w = sipws_out(want, sizeof want);
        const char *at = text, *hit = strstr(at, cases[i].was);
        assert_non_null(hit);
        sipws_put(&w, sipws_slice(at, hit));
        sipws_put(&w, str(cases[i].is));
        at = hit + strlen(cases[i].was);
        if (cases[i].was2) {
            hit = strstr(at, cases[i].was2);
            assert_non_null(hit);
            sipws_put(&w, sipws_slice(at, hit));
            sipws_put(&w, str(cases[i].is2));
            at = hit + strlen(cases[i].was2);
        }
        sipws_put(&w, str(at));
        struct sipws_diag diag;
        for (size_t cap = w.n - 1; cap <= w.n; cap++) {
            struct sipws_out o = sipws_out(octets, cap);
            assert_int_equal(sipws_rewrite(&o, &m, &cases[i].how, &diag), cap == w.n);
            assert_int_equal(o.n, w.n);
            if (cap < w.n)
                assert_int_equal(diag.err, SIPWS_E_LIMIT_OUT);
            else
                assert_octets(sipws_out_str(&o), sipws_out_str(&w));
        }
    }
    struct sipws_out o = sipws_out(octets, sizeof octets);
    assert_true(sipws_rewrite(&o, &m, &(struct sipws_rewrite){.pop_via = false}, NULL));
    assert_octets(sipws_out_str(&o), str(text));
}

#define BYE                                                                                        \
    "BYE sip:a SIP/2.0\r\n"                                                                        \
    "Via: SIP/2.0/WS x;branch=z9hG4bK1\r\n"                                                        \
    "Route: <sip:q;lr>\r\n"                                                                        \
    "Content-Length: 2\r\n"                                                                        \
    "\r\nhi"

/* Lines that go whole, and lines that have no neighbour of their kind to stand above. */
static void whole_lines(void **state)
{
    (void)state;
    struct sipws_msg m = read_msg(BYE);
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_rewrite how = {
        .record_route = S("<sip:p;lr>"), .pop_via = true, .pop_route = true, .forward = true};
    assert_true(sipws_rewrite(&o, &m, &how, NULL));
    assert_octets(sipws_out_str(&o), S("BYE sip:a SIP/2.0\r\n"
                                       "Record-Route: <sip:p;lr>\r\n"
                                       "Max-Forwards: 70\r\n"
                                       "Content-Length: 2\r\n"
                                       "\r\nhi"));
    /* No header field at all. */
    m = read_msg("SIP/2.0 200 OK\r\n\r\n");
    o.n = 0;
    how = (struct sipws_rewrite){.via = S("SIP/2.0/WS y"), .record_route = S("<sip:p;lr>")};
    assert_true(sipws_rewrite(&o, &m, &how, NULL));
    assert_octets(sipws_out_str(&o), S("SIP/2.0 200 OK\r\n"
                                       "Via: SIP/2.0/WS y\r\n"
                                       "Record-Route: <sip:p;lr>\r\n\r\n"));
}

static void what_cannot_be_rewritten(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct sipws_rewrite how;
        enum sipws_err err;
        size_t off;
    } cases[] = {
        {BYE, {.uri = {"sip:b SIP/2.0", 13}}, SIPWS_E_URI_OCTET, 5},
        {BYE, {.uri = {"", 0}}, SIPWS_E_URI_SCHEME, 0},
        {BYE, {.uri = {"sip:b?x=y", 9}}, SIPWS_E_REQUEST_URI, 5},
        {BYE, {.uri = {"sip:b;method=BYE", 16}}, SIPWS_E_REQUEST_URI, 13},
        {"REGISTER sip:a SIP/2.0\r\n\r\n", {.uri = {"sip:u@b", 7}}, SIPWS_E_REQUEST_URI, 4},
        {BYE, {.via = {"SIP/2.0/WS y, SIP/2.0/WS z", 26}}, SIPWS_E_SURPLUS, 12},
        {BYE, {.via = {"SIP/2.0/WS y\r\nX: y", 18}}, SIPWS_E_LWS, 12},
        {BYE, {.record_route = {"sip:p;lr", 8}}, SIPWS_E_ADDR_BRACKET, 0},
        {"BYE sip:a SIP/2.0\r\nMax-Forwards: 0\r\n\r\n",
         {.forward = true},
         SIPWS_E_NUMBER_RANGE,
         33},
        {"BYE sip:a SIP/2.0\r\nMax-Forwards: x\r\n\r\n", {.forward = true}, SIPWS_E_NUMBER, 33},
        {"BYE sip:a SIP/2.0\r\nX: y\r\n\r\n", {.pop_route = true}, SIPWS_E_MISSING_FIELD, 25},
        {"BYE sip:a SIP/2.0\r\nRoute: <sip:a>, b\r\n\r\n",
         {.pop_route = true},
         SIPWS_E_ADDR_BRACKET,
         36},
        {"BYE sip:a SIP/2.0\r\nRoute: <sip:\r\n\r\n", {.pop_route = true}, SIPWS_E_URI_HOST, 31},
        {"SIP/2.0 200 OK\r\n\r\n", {.forward = true}, SIPWS_E_METHOD, 0},
        {"SIP/2.0 200 OK\r\n\r\n", {.uri = {"sip:a", 5}}, SIPWS_E_METHOD, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sipws_msg m = read_msg(cases[i].text);
        struct sipws_out o = sipws_out(octets, sizeof octets);
        struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
        assert_false(sipws_rewrite(&o, &m, &cases[i].how, &diag));
        if (diag.err != cases[i].err || diag.off != cases[i].off)
            fail_msg("case %zu: %s at %zu instead of %s at %zu", i, sipws_err_info(diag.err)->id,
                     diag.off, sipws_err_info(cases[i].err)->id, cases[i].off);
        assert_int_equal(o.n, 0);
        assert_false(sipws_rewrite(&o, &m, &cases[i].how, NULL));
    }
    struct sipws_msg cut = {.text = S("BYE sip:a SIP/2.0\r\n"), .is_request = true};
    struct sipws_out o = sipws_out(octets, sizeof octets);
    struct sipws_diag diag;
    assert_false(sipws_rewrite(&o, &cut, &(struct sipws_rewrite){.forward = true}, &diag));
    assert_int_equal(diag.err, SIPWS_E_NO_BLANK_LINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(a_body),
        cmocka_unit_test(content_length),
        cmocka_unit_test(auth),
        cmocka_unit_test(raw),
        cmocka_unit_test(what_cannot_be_said),
        cmocka_unit_test(bad_starts),
        cmocka_unit_test(rules_across_fields),
        cmocka_unit_test(the_first_refusal_stays),
        cmocka_unit_test(values_that_say_more),
        cmocka_unit_test(a_response_to),
        cmocka_unit_test(room),
        cmocka_unit_test(rewriting),
        cmocka_unit_test(whole_lines),
        cmocka_unit_test(what_cannot_be_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
