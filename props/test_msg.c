/* SIP messages: what is refused, where and why; what is read; what is printed.
 *
 * A case is a good message with one piece replaced. In the replacement, the octet BEL (\a) marks
 * where an error is expected; it is taken out before the message is read. Errors that lie at the
 * end of the header or of the message need no mark.
 */
#include "msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>

#include <cmocka.h>

enum { FIELDS = 96, DIAGS = 64, ERRORS = 8 };

/* Every error that came up in any case. */
static bool seen[SIPWS_ERR_COUNT];
static int failures;

/* ---- good messages ----------------------------------------------------------------------------
 */

#define VIA     "Via: SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK77a1\r\n"
#define FROM    "From: \"Ada\" <sip:ada@example.org>;tag=a1\r\n"
#define TO      "To: <sip:bob@example.org>\r\n"
#define TO_TAG  "To: <sip:bob@example.org>;tag=b2\r\n"
#define CALL_ID "Call-ID: 9d1c@k2v9.invalid\r\n"
#define HOPS    "Max-Forwards: 70\r\n"
#define CONTACT "Contact: <sip:ada@k2v9.invalid;transport=ws>\r\n"
#define TAIL    "Subject: Lunch\r\n"
#define REQUEST(method, uri, more)                                                                 \
    method " " uri " SIP/2.0\r\n" VIA HOPS FROM TO CALL_ID "CSeq: 7 " method "\r\n" more TAIL "\r" \
           "\n"
#define RESPONSE(status, method, more)                                                             \
    "SIP/2.0 " status "\r\n" VIA FROM TO_TAG CALL_ID "CSeq: 7 " method "\r\n" more TAIL "\r\n"

#define OPTIONS   REQUEST("OPTIONS", "sip:bob@example.org", "")
#define REGISTER  REQUEST("REGISTER", "sip:example.org", CONTACT "Expires: 600\r\n")
#define INVITE    REQUEST("INVITE", "sip:bob@example.org", CONTACT)
#define SUBSCRIBE REQUEST("SUBSCRIBE", "sip:bob@example.org", CONTACT "Event: presence\r\n")
#define NOTIFY                                                                                     \
    REQUEST("NOTIFY", "sip:bob@example.org",                                                       \
            CONTACT "Event: presence\r\nSubscription-State: active;expires=60\r\n")
#define PUBLISH                                                                                    \
    REQUEST("PUBLISH", "sip:bob@example.org", "Event: presence\r\nContent-Type: text/plain\r\n")   \
    "open"
#define REFER  REQUEST("REFER", "sip:bob@example.org", CONTACT "Refer-To: <sip:eve@example.org>\r\n")
#define PRACK  REQUEST("PRACK", "sip:bob@example.org", "RAck: 1 7 INVITE\r\n")
#define UPDATE REQUEST("UPDATE", "sip:bob@example.org", CONTACT)
#define CANCEL REQUEST("CANCEL", "sip:bob@example.org", "")
#define MESSAGE                                                                                    \
    REQUEST("MESSAGE", "sip:bob@example.org", "Content-Type: text/plain\r\nContent-Length: 5\r\n") \
    "Lunch"
#define SIPS         REQUEST("INVITE", "sips:bob@example.org", "Contact: <sips:ada@k2v9.invalid>\r\n")
#define OK           RESPONSE("200 OK", "OPTIONS", "")
#define INVITE_OK    RESPONSE("200 OK", "INVITE", "Contact: <sip:bob@192.0.2.4:5060>\r\n")
#define RELIABLE_183 RESPONSE("183 Progress", "INVITE", "RSeq: 9\r\nRequire: 100rel\r\n")

#define SDP                                                                                        \
    "v=0\r\n"                                                                                      \
    "o=- 8611372455014573 2 IN IP4 127.0.0.1\r\n"                                                  \
    "s=-\r\n"                                                                                      \
    "t=0 0\r\n"                                                                                    \
    "a=group:BUNDLE 0\r\n"                                                                         \
    "a=msid-semantic: WMS 1f0a\r\n"                                                                \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\n"                                                      \
    "c=IN IP4 0.0.0.0\r\n"                                                                         \
    "a=rtcp:9 IN IP4 0.0.0.0\r\n"                                                                  \
    "a=candidate:1467250027 1 udp 2122260223 192.0.2.77 46243 typ host generation 0\r\n"           \
    "a=ice-ufrag:Yk2v\r\n"                                                                         \
    "a=ice-pwd:6sDqNRXyCL3dE4nCWAE7Ptz0\r\n"                                                       \
    "a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:"  \
    "0E:05:E9:26:33:E8:70:88:A2\r\n"                                                               \
    "a=setup:actpass\r\n"                                                                          \
    "a=mid:0\r\n"                                                                                  \
    "a=sendrecv\r\n"                                                                               \
    "a=rtcp-mux\r\n"                                                                               \
    "a=rtpmap:111 opus/48000/2\r\n"

/* What browsers send: an INVITE as JsSIP shapes it. */
static const char webrtc_invite[] =
    "INVITE sip:bob@example.org SIP/2.0\r\n"
    "Via: SIP/2.0/WSS 7q1fkhbsi3rn.invalid;branch=z9hG4bK3961054\r\n"
    "Max-Forwards: 69\r\n"
    "To: <sip:bob@example.org>\r\n"
    "From: \"Ada L.\" <sip:ada@example.org>;tag=lgl4o86uf2\r\n"
    "Call-ID: cigl4tc0jh9hfeqqrsvu\r\n"
    "CSeq: 4520 INVITE\r\n"
    "Proxy-Authorization: Digest algorithm=MD5, username=\"ada\", realm=\"example.org\", "
    "nonce=\"ZSPrrGUj6oC7\", uri=\"sip:bob@example.org\", "
    "response=\"4a4b7a96d0e5a2f0d9b10f11d4c3a9f1\", qop=auth, cnonce=\"9pld0u2v7c5t\", "
    "nc=00000001\r\n"
    "Contact: <sip:tn6v9dqk@7q1fkhbsi3rn.invalid;transport=ws;ob>\r\n"
    "Content-Type: application/sdp\r\n"
    "Session-Expires: 90\r\n"
    "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY\r\n"
    "Supported: timer,gruu,ice,replaces,outbound\r\n"
    "User-Agent: JsSIP 3.10.1\r\n"
    "\r\n" SDP;

static const char jssip_register[] =
    "REGISTER sip:example.org SIP/2.0\r\n"
    "Via: SIP/2.0/WSS 7q1fkhbsi3rn.invalid;branch=z9hG4bK8112590\r\n"
    "Max-Forwards: 69\r\n"
    "To: <sip:ada@example.org>\r\n"
    "From: \"Ada L.\" <sip:ada@example.org>;tag=5m8s0q1jv3\r\n"
    "Call-ID: c7u3m8nbc0jl3k7f8e9d2s\r\n"
    "CSeq: 2 REGISTER\r\n"
    "Authorization: Digest algorithm=MD5, username=\"ada\", realm=\"example.org\", "
    "nonce=\"ZSPrrGUj6oC7\", uri=\"sip:example.org\", "
    "response=\"0d9b10f11d4c3a9f14a4b7a96d0e5a2f\"\r\n"
    "Contact: <sip:tn6v9dqk@7q1fkhbsi3rn.invalid;transport=ws>;"
    "+sip.ice;reg-id=1;+sip.instance=\"<urn:uuid:5f1c7e60-3b0a-4d59-9e7e-1c1f4b2a9d10>\";expires="
    "600\r\n"
    "Expires: 600\r\n"
    "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY\r\n"
    "Supported: path,gruu,outbound\r\n"
    "User-Agent: JsSIP 3.10.1\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

/* The same as SIP.js shapes it. */
static const char sipjs_register[] =
    "REGISTER sip:example.org SIP/2.0\r\n"
    "Via: SIP/2.0/WSS 4q0k8r7m2d5v.invalid;branch=z9hG4bK5513876\r\n"
    "To: <sip:ada@example.org>\r\n"
    "From: <sip:ada@example.org>;tag=k9sd82hsna\r\n"
    "CSeq: 1 REGISTER\r\n"
    "Call-ID: 2qv9b3cr1k8s6t0p4m5n\r\n"
    "Max-Forwards: 70\r\n"
    "Contact: <sip:f0q8c2k1@4q0k8r7m2d5v.invalid;transport=ws>;expires=600\r\n"
    "Allow: ACK,CANCEL,INVITE,MESSAGE,BYE,OPTIONS,INFO,NOTIFY,REFER\r\n"
    "Supported: outbound, path, gruu\r\n"
    "User-Agent: SIP.js/0.21.1\r\n"
    "Content-Length: 0\r\n"
    "\r\n";

static const char sipjs_bye[] = "BYE sip:bob@192.0.2.4:5060;transport=udp SIP/2.0\r\n"
                                "Via: SIP/2.0/WSS 4q0k8r7m2d5v.invalid;branch=z9hG4bK1183365\r\n"
                                "To: <sip:bob@example.org>;tag=m2k1\r\n"
                                "From: <sip:ada@example.org>;tag=k9sd82hsna\r\n"
                                "CSeq: 3 BYE\r\n"
                                "Call-ID: 2qv9b3cr1k8s6t0p4m5n\r\n"
                                "Max-Forwards: 70\r\n"
                                "Route: <sip:edge.example.org:443;transport=ws;lr>\r\n"
                                "Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"\r\n"
                                "Supported: outbound\r\n"
                                "User-Agent: SIP.js/0.21.1\r\n"
                                "Content-Length: 0\r\n"
                                "\r\n";

/* ---- running one message ----------------------------------------------------------------------
 */

struct reading {
    struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_msg m;
    struct sipws_report r;
    bool parsed, ok;
    char *p; /* of exactly the message's size, so that AddressSanitizer sees a read past its end */
};

static void read_text(struct reading *x, struct sipws_str text, enum sipws_transport transport,
                      uint32_t allow)
{
    x->p = malloc(text.n ? text.n : 1);
    assert_non_null(x->p);
    if (text.n)
        memcpy(x->p, text.p, text.n);
    x->r = sipws_report(x->diags, DIAGS);
    x->parsed =
        sipws_msg_parse((struct sipws_str){x->p, text.n}, allow, x->fields, FIELDS, &x->m, &x->r);
    x->ok = sipws_msg_check(&x->m, transport, allow, &x->r) && x->parsed;
    assert_int_equal(x->ok, x->r.errors == 0);
    for (size_t i = 0; i < x->r.n; i++) {
        seen[x->diags[i].err] = true;
        assert_true(x->diags[i].off <= text.n);
        assert_non_null(x->diags[i].rule);
    }
}

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

struct mcase {
    const char *title;
    const char *base;
    const char *find; /* what is replaced, once in `base`; NULL: all of it */
    const char *with;
    enum sipws_err errors[ERRORS]; /* in the order in which they are reported */
    const char *rule;              /* of the last one, or NULL */
    enum sipws_transport transport;
    uint32_t allow;
};

/* Where an error lies that needs no mark, or -1. */
static long implied(enum sipws_err err, struct sipws_str text)
{
    size_t head = 0;
    while (head + 4 <= text.n && memcmp(text.p + head, "\r\n\r\n", 4) != 0)
        head++;
    if (err == SIPWS_E_NO_BLANK_LINE)
        return (long)text.n;
    if (err == SIPWS_E_MISSING_FIELD)
        return (long)head + 2;
    if (err == SIPWS_E_BODY_TYPE || err == SIPWS_E_BODY_MISSING)
        return (long)head + 4;
    return -1;
}

static void run(const struct mcase *c)
{
    char text[8192];
    size_t marks[ERRORS * 2], mark_n = 0, n = 0, used = 0;
    const char *at = c->find ? strstr(c->base, c->find) : c->base;
    if (!at || (c->find && strstr(at + 1, c->find)))
        fail_msg("%s: \"%s\" does not stand once in the message", c->title, c->find);
    struct sipws_str parts[3] = {sipws_slice(c->base, at), str(c->with),
                                 str(c->find ? at + strlen(c->find) : "")};
    for (int i = 0; i < 3; i++)
        for (size_t j = 0; j < parts[i].n; j++) {
            assert_true(n < sizeof text && mark_n < ERRORS * 2);
            if (parts[i].p[j] == '\a')
                marks[mark_n++] = n;
            else if (parts[i].p[j] == '\x01') /* a NUL, which would end the literal */
                text[n++] = '\0';
            else
                text[n++] = parts[i].p[j];
        }
    struct reading x;
    read_text(&x, (struct sipws_str){text, n}, c->transport, c->allow);
    size_t want = 0;
    while (want < ERRORS && c->errors[want] != SIPWS_OK)
        want++;
    bool bad = x.r.n != want;
    for (size_t i = 0; i < want && i < x.r.n; i++) {
        long off = implied(c->errors[i], (struct sipws_str){text, n});
        if (off < 0 || (c->errors[i] == SIPWS_E_NO_BLANK_LINE && used < mark_n)) /* of a part */
            off = used < mark_n ? (long)marks[used++] : -1;
        bad = bad || x.diags[i].err != c->errors[i] || (long)x.diags[i].off != off;
    }
    if (!bad && c->rule && (want == 0 || strcmp(x.diags[want - 1].rule, c->rule) != 0))
        bad = true;
    if (bad || used != mark_n) {
        print_error("%s:\n", c->title);
        for (size_t i = 0; i < want; i++)
            print_error("  wanted %s\n", sipws_err_info(c->errors[i])->id);
        for (size_t i = 0; i < mark_n; i++)
            print_error("  mark at %zu\n", marks[i]);
        for (size_t i = 0; i < x.r.n; i++)
            print_error("  got %s at %zu in %s (%s): \"%.12s\"\n",
                        sipws_err_info(x.diags[i].err)->id, x.diags[i].off, x.diags[i].rule,
                        x.diags[i].rfc, text + x.diags[i].off);
        failures++;
    }
    free(x.p);
}

#define E(name) SIPWS_E_##name
#define ERR1(a)                                                                                    \
    {                                                                                              \
        E(a)                                                                                       \
    }
#define WS  SIPWS_TRANSPORT_WS
#define WSS SIPWS_TRANSPORT_WSS
#define ANY SIPWS_TRANSPORT_ANY

/* ---- cases ------------------------------------------------------------------------------------
 */

#define GOOD(title, base, find, with)                                                              \
    {                                                                                              \
        title, base, find, with, {SIPWS_OK}, NULL, ANY, 0                                          \
    }
#define BAD(title, base, find, with, ...)                                                          \
    {                                                                                              \
        title, base, find, with, {__VA_ARGS__}, NULL, ANY, 0                                       \
    }
#define RULE(title, base, find, with, rule, ...)                                                   \
    {                                                                                              \
        title, base, find, with, {__VA_ARGS__}, rule, ANY, 0                                       \
    }
#define WITH(title, base, find, with, transport, allow, ...)                                       \
    {                                                                                              \
        title, base, find, with, {__VA_ARGS__}, NULL, transport, allow                             \
    }

static const struct mcase lines[] = {
    BAD("nothing", "x", "x", "\a", E(EMPTY)),
    BAD("only line ends", "x", "x", "\r\n\r\n\a", E(EMPTY)),
    BAD("line ends first", OPTIONS, "OPTIONS sip", "\a\r\n\r\nOPTIONS sip", E(LEADING_CRLF)),
    BAD("LF first", OPTIONS, "OPTIONS sip", "\a\nOPTIONS sip", E(LEADING_CRLF)),
    WITH("LF first, where CRLF is allowed", OPTIONS, "OPTIONS sip", "\r\n\a\nOPTIONS sip", ANY,
         SIPWS_ALLOW_LEADING_CRLF, E(LINE_END)),
    WITH("line ends first, allowed", OPTIONS, "OPTIONS sip", "\r\nOPTIONS sip", ANY,
         SIPWS_ALLOW_LEADING_CRLF, SIPWS_OK),
    BAD("one word", "hello", NULL, "hello", E(NO_BLANK_LINE)),
    BAD("start line only", "x", "x", "OPTIONS sip:a SIP/2.0\r\n", E(NO_BLANK_LINE)),
    BAD("no empty line", OPTIONS, TAIL "\r\n", TAIL, E(NO_BLANK_LINE)),
    BAD("cut in a name", OPTIONS, TAIL "\r\n", "Subj", E(NO_BLANK_LINE)),
    BAD("cut in a value", OPTIONS, TAIL "\r\n", "Subject: Lu", E(NO_BLANK_LINE)),
    BAD("cut within a line end", OPTIONS, TAIL "\r\n", "Subject: Lu\r", E(NO_BLANK_LINE)),
    BAD("cut within the empty line", OPTIONS, TAIL "\r\n", TAIL "\r", E(NO_BLANK_LINE)),
    BAD("LF ends the start line", OPTIONS, "SIP/2.0\r\nVia", "SIP/2.0\a\nVia", E(LINE_END)),
    BAD("LF ends a field", OPTIONS, TAIL, "Subject: Lunch\a\n", E(LINE_END)),
    BAD("LF is the empty line", OPTIONS, TAIL "\r\n", TAIL "\a\n", E(LINE_END)),
    BAD("LF thrice", OPTIONS, TAIL "\r\n", "Subject: Lunch\a\nX-a: y\a\n\a\n", E(LINE_END),
        E(LINE_END), E(LINE_END)),
    WITH("LF, allowed", OPTIONS, TAIL "\r\n", "Subject: Lunch\nX-a: y\n z\n\n", ANY,
         SIPWS_ALLOW_BARE_LF, SIPWS_OK),
    BAD("CR in a value", OPTIONS, TAIL, "Subject: Lu\a\rnch\r\n", E(LINE_END)),
    BAD("CR CR LF", OPTIONS, TAIL, "Subject: Lunch\a\r\r\n", E(LINE_END)),
    BAD("CR in a name", OPTIONS, TAIL, "Sub\a\rject: Lunch\r\n", E(LINE_END)),
    BAD("CR before a name", OPTIONS, TAIL, "\a\rSubject: Lunch\r\n", E(LINE_END)),
    BAD("CR in the start line", OPTIONS, "SIP/2.0\r\nVia", "SIP\a\r/2.0\r\nVia", E(LINE_END)),
    BAD("CR hides a field", OPTIONS, TAIL, "X: a\a\rCall-ID: two\r\n", E(LINE_END)),
    BAD("the start line is folded", OPTIONS, "SIP/2.0\r\nVia", "SIP/2.0\r\n\a  x\r\nVia",
        E(FIELD_NAME)),
    BAD("no name", OPTIONS, TAIL, "\a: Lunch\r\n", E(FIELD_NAME)),
    BAD("an octet in a name", OPTIONS, TAIL, "Sub\a@ject: Lunch\r\n", E(FIELD_NAME)),
    BAD("NUL in a name", OPTIONS, TAIL, "Sub\a\x01ject: Lunch\r\n", E(FIELD_NAME)),
    BAD("UTF-8 in a name", OPTIONS, TAIL, "S\a\xC3\xBC: Lunch\r\n", E(FIELD_NAME)),
    BAD("no colon", OPTIONS, TAIL, "Subject\a\r\n", E(FIELD_COLON)),
    BAD("space for a colon", OPTIONS, TAIL, "Subject \aLunch\r\n", E(FIELD_COLON)),
    BAD("fold before the colon", OPTIONS, TAIL, "Subject\a\r\n : Lunch\r\n", E(FIELD_COLON)),
    BAD("two lines without colon", OPTIONS, TAIL, "one\a\r\ntwo\a\r\n", E(FIELD_COLON),
        E(FIELD_COLON)),
    BAD("space before the colon", OPTIONS, "Subject:", "Subject\a :", E(COLON_SPACE)),
    BAD("tab before the colon", OPTIONS, "Call-ID:", "Call-ID\a\t:", E(COLON_SPACE)),
    GOOD("no space behind the colon", OPTIONS, "Subject: ", "Subject:"),
    GOOD("a fold behind the colon", OPTIONS, "Subject: ", "Subject:\r\n "),
    GOOD("empty value", OPTIONS, "Subject: Lunch", "Subject:"),
    GOOD("empty value with white space", OPTIONS, "Subject: Lunch", "Subject: \t "),
    GOOD("folds", OPTIONS, "Subject: Lunch", "Subject: a\r\n b\r\n\t c"),
    BAD("white space ends a value", OPTIONS, "Subject: Lunch", "Subject: Lunch\a ", E(LWS)),
    BAD("white space ends a token", OPTIONS, "Max-Forwards: 70", "Max-Forwards: 70\a ", E(LWS)),
    WITH("white space ends a value, allowed", OPTIONS, "Subject: Lunch", "Subject: Lunch \t", ANY,
         SIPWS_ALLOW_TRAILING_WSP, SIPWS_OK),
    WITH("white space before a fold, allowed", OPTIONS, "WSS k2v9", "WSS \r\n k2v9", ANY,
         SIPWS_ALLOW_TRAILING_WSP, SIPWS_OK),
    BAD("a control octet in text", OPTIONS, "Lunch", "Lu\a\x02nch", E(FIELD_VALUE)),
    BAD("NUL in text", OPTIONS, "Lunch", "Lu\a\x01nch", E(FIELD_VALUE)),
    BAD("NUL in a display name", OPTIONS, "Ada\" <",
        "A\a\x01"
        "da\" <",
        E(QUOTED_OCTET)),
    BAD("NUL in a quoted pair", OPTIONS, "Ada\" <",
        "A\\\a\x01"
        "da\" <",
        E(NUL_OCTET)),
    GOOD("NUL in the body", MESSAGE, "\r\n\r\nLunch",
         "\r\n\r\nLu\x01"
         "ch"),
    BAD("not UTF-8", OPTIONS, "Lunch", "L\xC3\anch", E(UTF8)),
    BAD("a continuation octet alone", OPTIONS, "Lunch", "L\a\xBFnch", E(UTF8)),
};

static const struct mcase start_lines[] = {
    BAD("no method", OPTIONS, "OPTIONS sip", "\a sip", E(METHOD)),
    BAD("a method that is no token", OPTIONS, "OPTIONS sip", "OPT\a/IONS sip", E(METHOD)),
    BAD("HTTP", OPTIONS, "OPTIONS sip:bob@example.org SIP/2.0", "HTTP\a/1.1 200 OK", E(METHOD)),
    BAD("two spaces", OPTIONS, "OPTIONS sip", "OPTIONS \a sip", E(START_SP)),
    BAD("a tab", OPTIONS, "OPTIONS sip", "OPTIONS\a\tsip", E(START_SP)),
    BAD("method only", OPTIONS, "OPTIONS sip:bob@example.org SIP/2.0", "OPTIONS\a", E(START_SP)),
    BAD("no version", OPTIONS, "bob@example.org SIP/2.0", "bob@example.org\a", E(START_SP)),
    BAD("two spaces before the version", OPTIONS, "org SIP/2.0", "org \a SIP/2.0", E(START_SP)),
    BAD("a tab before the version", OPTIONS, "org SIP/2.0", "org\a\tSIP/2.0", E(START_SP)),
    BAD("a space behind the version", OPTIONS, "org SIP/2.0", "org SIP/2.0\a ", E(START_SP)),
    BAD("version 3", OPTIONS, "org SIP/2.0", "org SIP/\a3.0", E(VERSION)),
    BAD("version 2.1", OPTIONS, "org SIP/2.0", "org SIP/2.\a1", E(VERSION)),
    BAD("version 2.00", OPTIONS, "org SIP/2.0", "org SIP/2.0\a0", E(VERSION)),
    BAD("version of HTTP", OPTIONS, "org SIP/2.0", "org \aHTTP/1.1", E(VERSION)),
    BAD("version cut", OPTIONS, "org SIP/2.0", "org SIP/2\a", E(VERSION)),
    BAD("version in lower case", OPTIONS, "org SIP/2.0", "org \asip/2.0", E(VERSION_CASE)),
    BAD("version of a response in lower case", OK, "SIP/2.0 200", "\aSip/2.0 200", E(VERSION_CASE)),
    BAD("brackets around the Request-URI", OPTIONS, "sip:bob@example.org SIP",
        "\a<sip:bob@example.org> SIP", E(REQUEST_URI)),
    BAD("white space in the Request-URI", OPTIONS, "bob@example.org SIP",
        "bob@example.org;lr\a ;x SIP", E(REQUEST_URI)),
    BAD("headers in the Request-URI", OPTIONS, "bob@example.org SIP", "bob@example.org\a?a=b SIP",
        E(REQUEST_URI)),
    BAD("method in the Request-URI", OPTIONS, "bob@example.org SIP",
        "bob@example.org;\amethod=BYE SIP", E(REQUEST_URI)),
    BAD("a user in a REGISTER", REGISTER, "sip:example.org SIP", "sip:\aada@example.org SIP",
        E(REQUEST_URI)),
    BAD("no scheme", OPTIONS, "sip:bob@example.org SIP", "bob\a@example.org SIP", E(URI_SCHEME)),
    BAD("a digit for a scheme", OPTIONS, "sip:bob@example.org SIP", "\a1ip:bob SIP", E(URI_SCHEME)),
    BAD("an empty user", OPTIONS, "sip:bob@example.org SIP", "sip:\a@example.org SIP", E(URI_USER)),
    BAD("a bad escape", OPTIONS, "sip:bob@example.org SIP", "sip:b%\aog@example.org SIP",
        E(URI_ESCAPE)),
    BAD("an escape at the end", OPTIONS, "bob@example.org SIP", "bob@example.org;x=%4\a SIP",
        E(URI_ESCAPE)),
    BAD("no host", OPTIONS, "bob@example.org SIP", "bob@\a SIP", E(URI_HOST)),
    BAD("a host with an underscore", OPTIONS, "bob@example.org SIP", "bob@exa\a_mple.org SIP",
        E(URI_OCTET)),
    BAD("an IPv6 zone", OPTIONS, "bob@example.org SIP", "bob@[fe80::1\a%eth0] SIP", E(URI_IPV6)),
    BAD("an IPv6 address without brackets", OPTIONS, "bob@example.org SIP", "bob@2001\a:db8::1 SIP",
        E(URI_HOST)),
    BAD("port 65536", OPTIONS, "bob@example.org SIP", "bob@example.org:\a65536 SIP", E(URI_PORT)),
    BAD("no port", OPTIONS, "bob@example.org SIP", "bob@example.org:\a SIP", E(URI_PORT)),
    BAD("an empty parameter", OPTIONS, "bob@example.org SIP", "bob@example.org;\a;lr SIP",
        E(URI_PARAM)),
    BAD("a parameter twice", OPTIONS, "bob@example.org SIP", "bob@example.org;a=1;\aA=2 SIP",
        E(URI_PARAM_DUPLICATE)),
    BAD("broken headers", OPTIONS, "bob@example.org SIP", "bob@example.org?a\a SIP",
        E(URI_HEADERS)),
    BAD("a quote in the URI", OPTIONS, "bob@example.org SIP", "bob@example.org\a\" SIP",
        E(URI_OCTET)),
    GOOD("a tel URI", OPTIONS, "sip:bob@example.org SIP", "tel:+1-202-555-0100 SIP"),
    GOOD("an unknown scheme", OPTIONS, "sip:bob@example.org SIP", "urn:service:sos SIP"),
    GOOD("an unknown method", REQUEST("JUMP.x", "sip:a", ""), "Subject", "Subject"),
    BAD("a method in lower case", REQUEST("options", "sip:a", ""), "options sip", "\aoptions sip",
        E(METHOD_CASE)),
    BAD("status 99", OK, "200 OK", "\a099 OK", E(STATUS_CODE)),
    BAD("status 700", OK, "200 OK", "\a700 OK", E(STATUS_CODE)),
    BAD("status of two digits", OK, "200 OK", "20\a OK", E(STATUS_CODE)),
    BAD("status of four digits", OK, "200 OK", "200\a0 OK", E(STATUS_CODE)),
    BAD("status with a letter", OK, "200 OK", "2\ax0 OK", E(STATUS_CODE)),
    BAD("no status", OK, "SIP/2.0 200 OK", "SIP/2.0\a", E(START_SP)),
    BAD("version 7 of a response", OK, "SIP/2.0 200", "SIP/\a7.0 200", E(VERSION)),
    BAD("version glued to the status", OK, "SIP/2.0 200", "SIP/2.0\a200", E(VERSION)),
    BAD("two spaces before the status", OK, "SIP/2.0 200", "SIP/2.0 \a 200", E(START_SP)),
    BAD("no space behind the status", OK, "200 OK", "200\a", E(START_SP)),
    GOOD("an empty reason", OK, "200 OK", "200 "),
    GOOD("a reason in UTF-8", OK, "200 OK", "200 \xC3\xA9t\xC3\xA9"),
    GOOD("a reason that starts with white space", OK, "200 OK", "200  \tOK"),
    BAD("a quote in the reason", OK, "200 OK", "200 \a\"OK\"", E(REASON_PHRASE)),
    BAD("a per cent sign in the reason", OK, "200 OK", "200 100%\a done", E(REASON_PHRASE)),
    BAD("a control octet in the reason", OK, "200 OK", "200 O\a\x02K", E(REASON_PHRASE)),
    BAD("a reason that is not UTF-8", OK, "200 OK", "200 \a\xFFK", E(UTF8)),
};

static const struct mcase values[] = {
    BAD("CSeq without a method", OPTIONS, "CSeq: 7 OPTIONS", "CSeq: 7\a", E(LWS)),
    BAD("CSeq without a number", OPTIONS, "CSeq: 7 OPTIONS", "CSeq: \aOPTIONS", E(NUMBER)),
    BAD("CSeq 2^31", OPTIONS, "CSeq: 7 ", "CSeq: \a2147483648 ", E(NUMBER_RANGE)),
    GOOD("CSeq 2^31 - 1", OPTIONS, "CSeq: 7 ", "CSeq: 2147483647 "),
    BAD("CSeq 2^32 + 7", OPTIONS, "CSeq: 7 ", "CSeq: \a4294967303 ", E(NUMBER_RANGE)),
    BAD("CSeq -1", OPTIONS, "CSeq: 7 ", "CSeq: \a-1 ", E(NUMBER)),
    BAD("Max-Forwards 256", OPTIONS, "Max-Forwards: 70", "Max-Forwards: \a256", E(NUMBER_RANGE)),
    BAD("surplus", OPTIONS, "Max-Forwards: 70", "Max-Forwards: 70\ax", E(SURPLUS)),
    BAD("Call-ID with a space", OPTIONS, "9d1c@k2v9.invalid", "9d1c\a @k2v9.invalid", E(LWS)),
    BAD("Call-ID with two @", OPTIONS, "9d1c@k2v9.invalid", "9d1c@k2\a@v9", E(SURPLUS)),
    BAD("empty Call-ID", OPTIONS, "Call-ID: 9d1c@k2v9.invalid", "Call-ID:\a", E(WORD)),
    BAD("half a Call-ID", OPTIONS, "9d1c@k2v9.invalid", "9d1c@\a", E(WORD)),
    BAD("Via without a host", OPTIONS, "WSS k2v9.invalid;", "WSS \a;", E(URI_HOST)),
    BAD("Via without white space", OPTIONS, "WSS k2v9.invalid;", "WSS\a;", E(LWS)),
    BAD("Via without a slash", OPTIONS, "SIP/2.0/WSS", "SIP/2.0 \aWSS", E(SEPARATOR)),
    BAD("empty branch", OPTIONS, "branch=z9hG4bK77a1", "branch=\a", E(TOKEN)),
    BAD("branch without a value", OPTIONS, "branch=z9hG4bK77a1", "branch\a", E(PARAM_VALUE)),
    BAD("branch twice", OPTIONS, "branch=z9hG4bK77a1", "branch=z9hG4bK77a1;\aBRANCH=z9hG4bKx",
        E(PARAM_DUPLICATE)),
    BAD("an empty parameter", OPTIONS, "branch=z9hG4bK77a1", "branch=z9hG4bK77a1;\a;x", E(TOKEN)),
    BAD("received is a name", OPTIONS, "branch=z9hG4bK77a1",
        "branch=z9hG4bK77a1;received=e\axample.org", E(PARAM_VALUE)),
    BAD("empty tag", OPTIONS, ";tag=a1", ";tag=\a", E(TOKEN)),
    BAD("an open quote", OPTIONS, "\"Ada\" <sip:ada@example.org>;tag=a1",
        "\"Ada <sip:ada@example.org>;tag=a1\a", E(QUOTE)),
    BAD("a backslash at the end", OPTIONS, "\"Ada\" <sip:ada@example.org>;tag=a1", "\"Ada\\\a",
        E(QUOTED_OCTET)),
    BAD("no bracket closes", OPTIONS, "<sip:ada@example.org>;tag=a1",
        "<sip:ada@example.org;tag=a1\a", E(ADDR_BRACKET)),
    BAD("a display name without brackets", OPTIONS, "\"Ada\" <sip:ada@example.org>",
        "\"Ada\" \asip:ada@example.org", E(ADDR_BRACKET)),
    BAD("a question mark without brackets", OPTIONS, "<sip:bob@example.org>",
        "sip:bob@example.org\a?a=b", E(ADDR_BARE)),
    BAD("white space within brackets", OPTIONS, "<sip:bob@example.org>", "<sip:bob@example.org\a >",
        E(URI_OCTET)),
    BAD("a fold within brackets", INVITE, "k2v9.invalid;transport=ws>",
        "k2v9.invalid\a\r\n ;transport=ws>", E(URI_OCTET)),
    BAD("a comma and nothing", OPTIONS, TAIL, "Route: <sip:a;lr>\a,\r\n", E(LIST_ELEMENT)),
    BAD("two commas", OPTIONS, TAIL, "Route: <sip:a;lr>,\a,<sip:b;lr>\r\n", E(LIST_ELEMENT)),
    WITH("two commas, allowed", OPTIONS, TAIL, "Route: <sip:a;lr>,,<sip:b;lr>,\r\n", ANY,
         SIPWS_ALLOW_EMPTY_ELEMENT, SIPWS_OK),
    BAD("an empty list", OPTIONS, TAIL, "Route:\a\r\n", E(LIST_ELEMENT)),
    GOOD("a list that may be empty", OPTIONS, TAIL, "Supported:\r\nAccept:\r\nAllow:\r\n"),
    BAD("q of two", INVITE, "transport=ws>", "transport=ws>;q=\a2", E(QVALUE)),
    BAD("an open comment", OPTIONS, TAIL, "Server: x (y\a\r\n", E(COMMENT)),
    BAD("the thirteenth month", OPTIONS, TAIL, "Date: Sat, 13 \aNox 2010 23:29:00 GMT\r\n",
        E(DATE)),
    BAD("a number above 2^64", MESSAGE, "Content-Length: 5",
        "Content-Length: \a99999999999999999999", E(LIMIT_NUMBER)),
    BAD("a negative length", MESSAGE, "Content-Length: 5", "Content-Length: \a-1", E(NUMBER)),
    BAD("a length with a plus", MESSAGE, "Content-Length: 5", "Content-Length: \a+5", E(NUMBER)),
    BAD("a hexadecimal length", MESSAGE, "Content-Length: 5", "Content-Length: 0\ax5", E(SURPLUS)),
    BAD("two lengths in one", MESSAGE, "Content-Length: 5", "Content-Length: 5\a, 5", E(SURPLUS)),
    BAD("a bad option tag", OPTIONS, TAIL, "Require: \a@\r\n", E(TOKEN)),
    BAD("a bad URI in a field", OPTIONS, "<sip:bob@example.org>", "<sip:bob@example.\a.org>",
        E(URI_HOST)),
    BAD("two values of one header field", OPTIONS, TAIL, "Event: \a@\r\nRSeq: \ax\r\n", E(TOKEN),
        E(NUMBER)),
    BAD("credentials without a response", OPTIONS, TAIL,
        "Authorization: Digest username=\"a\", realm=\"b\", nonce=\"c\", uri=\"sip:a\"\a\r\n",
        E(PARAM_MISSING)),
    BAD("a parameter where the grammar has none", OPTIONS, TAIL,
        "Authentication-Info: nextnonce=\"a\", \ax=1\r\n", E(PARAM_UNKNOWN)),
    BAD("a language of nine letters", OPTIONS, TAIL, "Content-Language: abcdefgh\ai\r\n",
        E(LANGUAGE)),
};

static const struct mcase across[] = {
    RULE("no Via", OPTIONS, VIA, "", "Via", E(MISSING_FIELD)),
    RULE("no From", OPTIONS, FROM, "", "From", E(MISSING_FIELD)),
    RULE("no To", OPTIONS, TO, "", "To", E(MISSING_FIELD)),
    RULE("no Call-ID", OPTIONS, CALL_ID, "", "Call-ID", E(MISSING_FIELD)),
    RULE("no CSeq", OPTIONS, "CSeq: 7 OPTIONS\r\n", "", "CSeq", E(MISSING_FIELD)),
    RULE("no Max-Forwards", OPTIONS, HOPS, "", "Max-Forwards", E(MISSING_FIELD)),
    RULE("no To and no CSeq", OPTIONS, TO CALL_ID "CSeq: 7 OPTIONS\r\n", CALL_ID, "CSeq",
         E(MISSING_FIELD), E(MISSING_FIELD)),
    RULE("nothing but a start line", "OPTIONS sip:a SIP/2.0\r\n\r\n", NULL,
         "OPTIONS sip:a SIP/2.0\r\n\r\n", "Max-Forwards", E(MISSING_FIELD), E(MISSING_FIELD),
         E(MISSING_FIELD), E(MISSING_FIELD), E(MISSING_FIELD), E(MISSING_FIELD)),
    RULE("no Via in a response", OK, VIA, "", "Via", E(MISSING_FIELD)),
    RULE("no From in a response", OK, FROM, "", "From", E(MISSING_FIELD)),
    RULE("no To in a response", OK, TO_TAG, "", "To", E(MISSING_FIELD)),
    RULE("no Call-ID in a response", OK, CALL_ID, "", "Call-ID", E(MISSING_FIELD)),
    RULE("no CSeq in a response", OK, "CSeq: 7 OPTIONS\r\n", "", "CSeq", E(MISSING_FIELD)),
    RULE("INVITE without Contact", INVITE, CONTACT, "", "Contact", E(MISSING_FIELD)),
    RULE("SUBSCRIBE without Contact", SUBSCRIBE, CONTACT, "", "Contact", E(MISSING_FIELD)),
    RULE("NOTIFY without Contact", NOTIFY, CONTACT, "", "Contact", E(MISSING_FIELD)),
    RULE("REFER without Contact", REFER, CONTACT, "", "Contact", E(MISSING_FIELD)),
    RULE("UPDATE without Contact", UPDATE, CONTACT, "", "Contact", E(MISSING_FIELD)),
    GOOD("REGISTER without Contact", REGISTER, CONTACT, ""),
    RULE("SUBSCRIBE without Event", SUBSCRIBE, "Event: presence\r\n", "", "Event",
         E(MISSING_FIELD)),
    RULE("NOTIFY without Event", NOTIFY, "Event: presence\r\n", "", "Event", E(MISSING_FIELD)),
    RULE("NOTIFY without Subscription-State", NOTIFY, "Subscription-State: active;expires=60\r\n",
         "", "Subscription-State", E(MISSING_FIELD)),
    RULE("PUBLISH without Event", PUBLISH, "Event: presence\r\n", "", "Event", E(MISSING_FIELD)),
    RULE("REFER without Refer-To", REFER, "Refer-To: <sip:eve@example.org>\r\n", "", "Refer-To",
         E(MISSING_FIELD)),
    RULE("PRACK without RAck", PRACK, "RAck: 1 7 INVITE\r\n", "", "RAck", E(MISSING_FIELD)),
    RULE("200 to INVITE without Contact", INVITE_OK, "Contact: <sip:bob@192.0.2.4:5060>\r\n", "",
         "Contact", E(MISSING_FIELD)),
    RULE("202 to REFER without Contact", RESPONSE("202 Accepted", "REFER", ""), NULL,
         RESPONSE("202 Accepted", "REFER", ""), "Contact", E(MISSING_FIELD)),
    RULE("200 to UPDATE without Contact", RESPONSE("200 OK", "UPDATE", ""), NULL,
         RESPONSE("200 OK", "UPDATE", ""), "Contact", E(MISSING_FIELD)),
    RULE("200 to SUBSCRIBE without Expires", RESPONSE("200 OK", "SUBSCRIBE", ""), NULL,
         RESPONSE("200 OK", "SUBSCRIBE", ""), "Expires", E(MISSING_FIELD)),
    RULE("200 to PUBLISH without SIP-ETag", RESPONSE("200 OK", "PUBLISH", "Expires: 9\r\n"), NULL,
         RESPONSE("200 OK", "PUBLISH", "Expires: 9\r\n"), "SIP-ETag", E(MISSING_FIELD)),
    RULE("200 to PUBLISH without Expires", RESPONSE("200 OK", "PUBLISH", "SIP-ETag: 9\r\n"), NULL,
         RESPONSE("200 OK", "PUBLISH", "SIP-ETag: 9\r\n"), "Expires", E(MISSING_FIELD)),
    GOOD("404 to INVITE without Contact", RESPONSE("404 No", "INVITE", ""), NULL,
         RESPONSE("404 No", "INVITE", "")),
    RULE("401 without a challenge", OK, "200 OK", "401 No", "WWW-Authenticate", E(MISSING_FIELD)),
    RULE("405 without Allow", OK, "200 OK", "405 No", "Allow", E(MISSING_FIELD)),
    RULE("407 without a challenge", OK, "200 OK", "407 No", "Proxy-Authenticate", E(MISSING_FIELD)),
    RULE("415 without Accept", OK, "200 OK", "415 No", "Accept", E(MISSING_FIELD)),
    GOOD("415 with Accept-Encoding", OK, "200 OK\r\n", "415 No\r\nAccept-Encoding: gzip\r\n"),
    RULE("420 without Unsupported", OK, "200 OK", "420 No", "Unsupported", E(MISSING_FIELD)),
    RULE("421 without Require", OK, "200 OK", "421 No", "Require", E(MISSING_FIELD)),
    RULE("422 without Min-SE", OK, "200 OK", "422 No", "Min-SE", E(MISSING_FIELD)),
    RULE("423 without Min-Expires", OK, "200 OK", "423 No", "Min-Expires", E(MISSING_FIELD)),
    GOOD("401 with a challenge", OK, "200 OK\r\n",
         "401 No\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"b\"\r\n"),

    BAD("From twice", OPTIONS, TAIL, "\aFrom: <sip:eve@example.org>;tag=x\r\n", E(DOUBLE_FIELD)),
    BAD("From and f", OPTIONS, TAIL, "\af: <sip:eve@example.org>;tag=x\r\n", E(DOUBLE_FIELD)),
    BAD("To and t", OPTIONS, TAIL, "\aT: <sip:eve@example.org>\r\n", E(DOUBLE_FIELD)),
    BAD("Call-ID and i", OPTIONS, TAIL, "\ai: x\r\n", E(DOUBLE_FIELD)),
    BAD("CSeq thrice", OPTIONS, TAIL, "\aCSeq: 8 OPTIONS\r\n\acseq: 9 OPTIONS\r\n", E(DOUBLE_FIELD),
        E(DOUBLE_FIELD)),
    BAD("Content-Length and l", MESSAGE, TAIL, "\al: 5\r\n", E(DOUBLE_FIELD)),
    BAD("Max-Forwards twice", OPTIONS, TAIL, "\amax-forwards: 3\r\n", E(DOUBLE_FIELD)),
    GOOD("an unknown name that is nearly known", OPTIONS, TAIL,
         "Call-ID2: x\r\nTo1: x\r\nFro: y\r\nContent-Lengt: 9\r\nii: z\r\n"),
    GOOD("Via twice", OPTIONS, HOPS, HOPS "v: SIP/2.0/UDP 192.0.2.1\r\n"),
    GOOD("credentials twice", OPTIONS, TAIL,
         "Authorization: Bearer abc\r\nAuthorization: Bearer def\r\n"),

    BAD("CSeq of another method", OPTIONS, "CSeq: 7 OPTIONS", "CSeq: 7 \aINVITE", E(CSEQ_METHOD)),
    BAD("CSeq in another case", OPTIONS, "CSeq: 7 OPTIONS", "CSeq: 7 \aoptions", E(CSEQ_METHOD)),
    BAD("a CANCEL with CSeq INVITE", CANCEL, "CSeq: 7 CANCEL", "CSeq: 7 \aINVITE", E(CSEQ_METHOD)),
    BAD("From without a tag", OPTIONS, ";tag=a1", "\a", E(TAG_MISSING)),
    BAD("From without a tag, with another parameter", OPTIONS, ";tag=a1", ";x=tag\a",
        E(TAG_MISSING)),
    BAD("a tag within the URI", OPTIONS, "<sip:ada@example.org>;tag=a1",
        "<sip:ada@example.org;tag=a1>\a", E(TAG_MISSING)),
    BAD("To of a response without a tag", OK, ";tag=b2", "\a", E(TAG_MISSING)),
    GOOD("To of a 100 without a tag", RESPONSE("100 Trying", "INVITE", ""), ";tag=b2", ""),
    BAD("a response whose From has no tag", OK, ";tag=a1", "\a", E(TAG_MISSING)),
    BAD("no branch", OPTIONS, ";branch=z9hG4bK77a1", "\a", E(BRANCH_MISSING)),
    BAD("no branch, a comma", OPTIONS, ";branch=z9hG4bK77a1",
        "\a, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", E(BRANCH_MISSING)),
    BAD("no branch, not over WebSocket", OPTIONS, "SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK77a1",
        "SIP/2.0/TCP k2v9.invalid\a", E(BRANCH_2543)),
    GOOD("no branch further down", OPTIONS, "z9hG4bK77a1", "z9hG4bK77a1, SIP/2.0/UDP 192.0.2.1"),
    BAD("an old branch", OPTIONS, "branch=z9hG4bK77a1", "branch=\a77a1", E(BRANCH_COOKIE)),
    BAD("a branch of the cookie only", OPTIONS, "branch=z9hG4bK77a1", "branch=\az9hG4bK",
        E(BRANCH_COOKIE)),
    BAD("another protocol in Via", OPTIONS, "SIP/2.0/WSS", "\aSPI/2.0/WSS", E(VIA_PROTOCOL)),
    BAD("another version in Via", OPTIONS, "SIP/2.0/WSS", "SIP/\a2.1/WSS", E(VIA_PROTOCOL)),

    GOOD("Contact *", REGISTER, CONTACT "Expires: 600", "Contact: *\r\nExpires: 0"),
    GOOD("Contact *, Expires first", REGISTER, CONTACT "Expires: 600", "Expires: 0\r\nm:*"),
    BAD("Contact * without Expires", REGISTER, CONTACT "Expires: 600\r\n", "Contact: \a*\r\n",
        E(CONTACT_STAR)),
    BAD("Contact * with Expires 600", REGISTER, CONTACT, "Contact: \a*\r\n", E(CONTACT_STAR)),
    BAD("Contact * beside another", REGISTER, "Expires: 600", "Contact: \a*\r\nExpires: 0",
        E(CONTACT_STAR)),
    BAD("Contact * in INVITE", INVITE, CONTACT, "Contact: \a*\r\nExpires: 0\r\n", E(CONTACT_STAR)),
    BAD("Contact * in a response", OK, TAIL, "Contact: \a*\r\nExpires: 0\r\n", E(CONTACT_STAR)),
    BAD("two contacts in INVITE", INVITE, "transport=ws>", "transport=ws>, \a<sip:eve@example.org>",
        E(CONTACT_COUNT)),
    BAD("two contacts in two lines", INVITE, TAIL, "m: \a<sip:eve@example.org>\r\n",
        E(CONTACT_COUNT)),
    BAD("a telephone as contact of INVITE", INVITE, "sip:ada@k2v9.invalid;transport=ws",
        "\atel:+12025550100", E(CONTACT_COUNT)),
    GOOD("two contacts in REGISTER", REGISTER, "transport=ws>",
         "transport=ws>, <mailto:a@b.example>"),
    GOOD("sips and sips", SIPS, "Subject", "Subject"),
    BAD("sips and sip", SIPS, "<sips:ada", "<\asip:ada", E(CONTACT_SIPS)),
    BAD("a sips Route and sip", INVITE, CONTACT,
        "Contact: <\asip:ada@k2v9.invalid>\r\nRoute: <sips:p.example;lr>\r\n", E(CONTACT_SIPS)),

    BAD("a body without type", OPTIONS, TAIL "\r\n", TAIL "\r\nx", E(BODY_TYPE)),
    GOOD("a type without a body", INVITE, TAIL, "Content-Type: application/sdp\r\n"),
    BAD("Content-Length too long", MESSAGE, "Content-Length: 5", "Content-Length: \a6",
        E(BODY_LENGTH)),
    BAD("Content-Length too short", MESSAGE, "Content-Length: 5", "l: \a4", E(BODY_LENGTH)),
    BAD("Content-Length 0 and a body", MESSAGE, "Content-Length: 5", "Content-Length: \a0",
        E(BODY_LENGTH)),
    BAD("Content-Length 2^32 + 5", MESSAGE, "Content-Length: 5", "Content-Length: \a4294967301",
        E(BODY_LENGTH)),
    GOOD("Content-Length with leading zeros", MESSAGE, "Content-Length: 5", "Content-Length: 0005"),
    GOOD("no Content-Length", MESSAGE, "Content-Length: 5\r\n", ""),
    BAD("a second message behind the first", MESSAGE, "5\r\n" TAIL "\r\nLunch",
        "\a5\r\n" TAIL "\r\nLunchBYE sip:a SIP/2.0", E(BODY_LENGTH)),
    WITH("Content-Length too short, allowed", MESSAGE, "Content-Length: 5", "l: 4", ANY,
         SIPWS_ALLOW_EXCESS_BODY, SIPWS_OK),
    WITH("Content-Length too long is never allowed", MESSAGE, "Content-Length: 5",
         "Content-Length: \a6", ANY, SIPWS_ALLOW_EXCESS_BODY, E(BODY_LENGTH)),
    BAD("PUBLISH without a body", PUBLISH, "\r\n\r\nopen", "\r\n\r\n", E(BODY_MISSING)),
    GOOD("PUBLISH of an earlier state", PUBLISH, TAIL "\r\nopen", "SIP-If-Match: x1\r\n\r\n"),

    GOOD("a reliable response", RELIABLE_183, "Subject", "Subject"),
    BAD("RSeq without 100rel", RELIABLE_183, "RSeq: 9\r\nRequire: 100rel", "\aRSeq: 9",
        E(RELIABLE)),
    BAD("100rel without RSeq", RELIABLE_183, "RSeq: 9\r\nRequire: 100rel", "Require: \a100rel",
        E(RELIABLE)),
    GOOD("100rel required of the peer", INVITE, TAIL, "Require: 100rel\r\n"),
    BAD("an unknown extension", OPTIONS, TAIL, "Require: path, \anoodles\r\n", E(OPTION_UNKNOWN)),
    BAD("an unknown extension for proxies", OPTIONS, TAIL, "Proxy-Require: \anoodles\r\n",
        E(OPTION_UNKNOWN)),

    BAD("a port in From", OPTIONS, "ada@example.org>", "ada@example.org:\a5060>", E(URI_COMPONENT)),
    BAD("transport in To", OPTIONS, "bob@example.org>", "bob@example.org;\atransport=ws>",
        E(URI_COMPONENT)),
    BAD("headers in Route", OPTIONS, TAIL, "Route: <sip:a;lr\a?x=y>\r\n", E(URI_COMPONENT)),
    BAD("lr in a Contact of REGISTER", REGISTER, ";transport=ws>", ";\alr>", E(URI_COMPONENT)),
    GOOD("lr in a Contact of INVITE", INVITE, ";transport=ws>", ";lr>"),
    BAD("ttl in Record-Route", OPTIONS, TAIL, "Record-Route: <sip:a;lr;\attl=1>\r\n",
        E(URI_COMPONENT)),
};

static const struct mcase transports[] = {
    WITH("WSS over wss", OPTIONS, "Subject", "Subject", WSS, 0, SIPWS_OK),
    WITH("WSS over ws", OPTIONS, "/WSS ", "/\aWSS ", WS, 0, E(VIA_TRANSPORT)),
    WITH("WS over wss", OPTIONS, "/WSS ", "/\aWS ", WSS, 0, E(VIA_TRANSPORT)),
    WITH("WS over ws", OPTIONS, "/WSS ", "/WS ", WS, 0, SIPWS_OK),
    WITH("ws in lower case", OPTIONS, "/WSS ", "/ws ", WS, 0, SIPWS_OK),
    WITH("UDP over wss", OPTIONS, "/WSS ", "/\aUDP ", WSS, 0, E(VIA_NOT_WS)),
    WITH("TLS over wss", OPTIONS, "/WSS ", "/\aTLS ", WSS, 0, E(VIA_NOT_WS)),
    WITH("UDP over wss, allowed", OPTIONS, "/WSS ", "/UDP ", WSS, SIPWS_ALLOW_VIA_TRANSPORT,
         SIPWS_OK),
    WITH("UDP over anything", OPTIONS, "/WSS ", "/UDP ", ANY, 0, SIPWS_OK),
    WITH("UDP further down", OPTIONS, HOPS, HOPS "Via: SIP/2.0/UDP a;branch=z9hG4bKx\r\n", WSS, 0,
         SIPWS_OK),
    WITH("a response over ws", OK, "/WSS ", "/\aWSS ", WS, 0, E(VIA_TRANSPORT)),
    WITH("sips over ws", SIPS, "sips:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WSS",
         "\asips:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WS", WS, 0, E(SIPS_PLAIN)),
    WITH("sips over ws, allowed", SIPS, "/WSS ", "/WS ", WS, SIPWS_ALLOW_SIPS_PLAIN, SIPWS_OK),
    WITH("sips over wss", SIPS, "Subject", "Subject", WSS, 0, SIPWS_OK),
    WITH("a sips Route over ws", OPTIONS, "Via: SIP/2.0/WSS",
         "Route: <\asips:p.example;lr>\r\nVia: SIP/2.0/WS", WS, 0, E(SIPS_PLAIN)),
};

/* Several problems, in one pass and in order. */
static const struct mcase several[] = {
    BAD("five lines, five problems", OPTIONS, TAIL,
        "Sub\a@ject: x\r\nX \aY\r\nExpires: \ax\r\nDate: \aNow\r\nSubject: a\a\x02\r\n",
        E(FIELD_NAME), E(FIELD_COLON), E(NUMBER), E(DATE), E(FIELD_VALUE)),
    BAD("start line, header, body", OPTIONS,
        "SIP/2.0\r\n" VIA HOPS FROM TO CALL_ID "CSeq: 7 OPTIONS\r\n" TAIL "\r\n",
        "SIP/\a3.0\r\nVia: \aSPI/2.0/WS a;branch=z9hG4bKx\r\n" HOPS "From: <sip:a>\a\r\n" TO
        "Call-ID:\a\r\nCSeq: 7 \aBYE\r\nl: \a9\r\n\r\nx",
        E(VERSION), E(VIA_PROTOCOL), E(TAG_MISSING), E(WORD), E(CSEQ_METHOD), E(BODY_LENGTH),
        E(BODY_TYPE)),
    BAD("a bad line end is told once", OPTIONS, FROM, "From: \"A\a\rda\" <sip:a>\r\n", E(LINE_END)),
    BAD("a bad line end, and more", OPTIONS, TAIL, "Subject: a\a\nExpires: \a-\r\n", E(LINE_END),
        E(NUMBER)),
    RULE("all that a NOTIFY lacks", REQUEST("NOTIFY", "sip:a", ""), NULL,
         REQUEST("NOTIFY", "sip:a", ""), "Subscription-State", E(MISSING_FIELD), E(MISSING_FIELD),
         E(MISSING_FIELD)),
    BAD("warnings and errors", OPTIONS, "CSeq: 7 OPTIONS\r\n" TAIL,
        "Require\a : \aone\r\nCSeq: 7 \aBYE\r\n", E(COLON_SPACE), E(OPTION_UNKNOWN),
        E(CSEQ_METHOD)),
};

#define TYPE_B1         "Content-Type: multipart/mixed;boundary=b1\r\n"
#define MULTIPART(body) REQUEST("MESSAGE", "sip:bob@example.org", TYPE_B1) body
#define D60             "012345678901234567890123456789012345678901234567890123456789"
#define PART            "--b1\r\n\r\nLunch?\r\n"
#define LAST            "--b1--"
/* One multipart body within another, of boundary `outer`; both of one part. */
#define NEST(outer, inner, body)                                                                   \
    "--" outer "\r\nContent-Type: multipart/mixed;boundary=" inner "\r\n\r\n" body "\r\n--" outer  \
    "--"

static const struct mcase multiparts[] = {
    GOOD("one part", MULTIPART("B"), "B", PART LAST),
    GOOD("three parts and a line end", MULTIPART("B"), "B", PART PART PART LAST "\r\n"),
    GOOD("preamble and epilogue", MULTIPART("B"), "B", "x\r\n--c\r\n" PART LAST "\r\n" PART),
    GOOD("transport-padding", MULTIPART("B"), "B",
         "--b1 \t\r\n\r\nx\r\n--b1\t\r\n\r\n\r\n--b1-- \t"),
    GOOD("empty parts", MULTIPART("B"), "B",
         "--b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\n" LAST),
    GOOD("hyphens and CR in a part", MULTIPART("B"), "B",
         "--b1\r\n\r\n--b\r\n--\r\r\n-b1\n--b1\r--b1\r\n" LAST),
    GOOD("a boundary of 70 octets", MULTIPART("B"), TYPE_B1 TAIL "\r\nB",
         "Content-Type: multipart/x;boundary=\"" D60 "01234 :?=)\"\r\n\r\n--" D60
         "01234 :?=)\r\n\r\n\r\n--" D60 "01234 :?=)--"),
    RULE("a boundary of 71 octets", MULTIPART("B"), "b1\r\n" TAIL, D60 "0123456789\a0\r\n" TAIL,
         "boundary", E(PARAM_VALUE)),
    GOOD("a quoted pair in the boundary", MULTIPART("B"), "b1\r\n" TAIL "\r\nB",
         "\"\\b1\"\r\n" TAIL "\r\n" PART LAST),
    RULE("no boundary", MULTIPART("B"), ";boundary=b1", "\a", "boundary", E(PARAM_MISSING)),
    RULE("an empty boundary", MULTIPART("B"), "b1\r\n" TAIL, "\"\a\"\r\n" TAIL, "boundary",
         E(PARAM_VALUE)),
    RULE("an octet in the boundary", MULTIPART("B"), "b1\r\n" TAIL, "\"b\a;1\"\r\n" TAIL,
         "boundary", E(PARAM_VALUE)),
    RULE("the boundary ends with a space", MULTIPART("B"), "b1\r\n" TAIL, "\"b1\a \"\r\n" TAIL,
         "boundary", E(PARAM_VALUE)),
    GOOD("no octets", MULTIPART("B"), "B", ""),
    BAD("no boundary line", MULTIPART("B"), "B", "-b1\r\n --b1\r\n\r\n\a", E(MULTIPART_EMPTY)),
    BAD("other boundary lines", MULTIPART("B"), "B", "--B1\r\n\r\n\r\n--B1--\a",
        E(MULTIPART_EMPTY)),
    BAD("octets behind the boundary", MULTIPART("B"), "B", "--b1\a2\r\n\r\n" LAST,
        E(MULTIPART_LINE)),
    BAD("the same, later", MULTIPART("B"), "B", PART "--b1 \a;\r\n" LAST, E(MULTIPART_LINE)),
    BAD("octets behind the last boundary", MULTIPART("B"), "B", PART LAST "\a-", E(MULTIPART_LINE)),
    BAD("LF behind the boundary", MULTIPART("B"), "B", "--b1\a\n\nx\r\n" LAST, E(MULTIPART_LINE)),
    BAD("two boundary lines on end", MULTIPART("B"), "B", "--b1\r\n\a--b1--", E(MULTIPART_LINE)),
    BAD("no closing line", MULTIPART("B"), "B", PART PART "\a", E(MULTIPART_END)),
    BAD("cut in the closing line", MULTIPART("B"), "B", PART "--b\a", E(MULTIPART_END)),
    BAD("one hyphen in the closing line", MULTIPART("B"), "B", PART "--b1\a-", E(MULTIPART_LINE)),
    BAD("no empty line", MULTIPART("B"), "B", "--b1\r\nContent-Type: text/plain\r\n\a" LAST,
        E(NO_BLANK_LINE)),
    BAD("a part without a header", MULTIPART("B"), "B", "--b1\r\nLunch\a?\r\n\a" LAST,
        E(FIELD_NAME), E(NO_BLANK_LINE)),
    BAD("Content-Type of a part", MULTIPART("B"), "B",
        "--b1\r\nContent-Type: text\a\r\n\r\n\r\n" PART LAST, E(SEPARATOR)),
    BAD("twice in one part", MULTIPART("B"), "B",
        "--b1\r\nc: a/b\r\n\aContent-Type: a/b\r\n\r\n\r\n" LAST, E(DOUBLE_FIELD)),
    GOOD("what has no meaning in a part", MULTIPART("B"), "B",
         "--b1\r\nVia: x\r\nVia: x\r\nContent-Length: 9\r\n\r\n\r\n" LAST),
    GOOD("encoded", MULTIPART("B"), TAIL "\r\nB", "Content-Encoding: gzip\r\n\r\n\x1F\x8B"),
    GOOD("within another", MULTIPART("B"), "B", NEST("b1", "b2", "--b2\r\n\r\n\r\n--b2--")),
    BAD("within another, not closed", MULTIPART("B"), "B",
        NEST("b1", "b2", "--b2\r\n\r\n\r\n--b2\a-"), E(MULTIPART_LINE)),
    BAD("the inner boundary starts as the outer one", MULTIPART("B"), "B",
        NEST("b1", "b12", "--b1\a2\r\n\r\n--b12--"), E(MULTIPART_LINE)),
    GOOD(
        "eight deep", MULTIPART("B"), "B",
        NEST("b1", "b2",
             NEST("b2", "b3",
                  NEST("b3", "b4",
                       NEST("b4", "b5",
                            NEST("b5", "b6",
                                 NEST("b6", "b7", NEST("b7", "b8", "--b8\r\n\r\n\r\n--b8--")))))))),
    BAD("nine deep", MULTIPART("B"), "B",
        NEST("b1", "b2",
             NEST("b2", "b3",
                  NEST("b3", "b4",
                       NEST("b4", "b5",
                            NEST("b5", "b6",
                                 NEST("b6", "b7", NEST("b7", "b8", NEST("b8", "b9", "\aB")))))))),
        E(LIMIT_MULTIPART)),
};

static void run_all(const struct mcase *c, size_t n)
{
    failures = 0;
    for (size_t i = 0; i < n; i++)
        run(&c[i]);
    assert_int_equal(failures, 0);
}
#define RUN(table) run_all(table, sizeof table / sizeof *table)

static void test_lines(void **state)
{
    (void)state;
    RUN(lines);
}

static void test_start_lines(void **state)
{
    (void)state;
    RUN(start_lines);
}

static void test_values(void **state)
{
    (void)state;
    RUN(values);
}

static void test_across(void **state)
{
    (void)state;
    RUN(across);
}

static void test_transports(void **state)
{
    (void)state;
    RUN(transports);
}

static void test_multiparts(void **state)
{
    (void)state;
    RUN(multiparts);
}

/* The parts as slices, in the caller's array. */
static void test_parts(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body;
    } want[] = {{"text/plain", "Lunch?"}, {NULL, "x\r\n"}, {"image/png", ""}};
    struct reading x;
    struct sipws_value type;
    struct sipws_multipart w;
    struct sipws_part part;
    struct sipws_field fields[2];
    read_text(&x,
              SIPWS_STR(MULTIPART("--b1\r\nX-Part: 1\r\nc: text/plain\r\n\r\nLunch?\r\n"
                                  "--b1\r\n\r\nx\r\n\r\n"
                                  "--b1\r\nContent-Type: image/png\r\n\r\n--b1--")),
              ANY, 0);
    assert_true(x.ok);
    struct sipws_cur c = sipws_msg_body(&x.m, 0);
    assert_true(sipws_msg_first(&x.m, SIPWS_F_CONTENT_TYPE, &type));
    assert_true(sipws_multipart(&c, &type, &w, &x.r));
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(sipws_multipart_next(&c, &w, fields, 2, &part, &x.r));
        assert_int_equal(part.n, i == 0 ? 2 : i == 1 ? 0 : 1);
        if (want[i].type) {
            assert_int_equal(fields[part.n - 1].id, SIPWS_F_CONTENT_TYPE);
            assert_true(sipws_str_eq(fields[part.n - 1].value, str(want[i].type)));
        }
        assert_true(sipws_str_eq(part.body, str(want[i].body)));
        assert_true(part.body.p >= x.p && part.body.p <= x.p + x.m.text.n);
    }
    assert_false(sipws_multipart_next(&c, &w, fields, 2, &part, &x.r));
    assert_ptr_equal(c.p, x.p + x.m.text.n);
    assert_int_equal(x.r.n, 0);

    /* A part with more header fields than the array has room for. */
    c = sipws_msg_body(&x.m, 0);
    assert_true(sipws_multipart(&c, &type, &w, &x.r));
    assert_true(sipws_multipart_next(&c, &w, fields, 1, &part, &x.r));
    assert_int_equal(x.r.n, 1);
    assert_int_equal(x.r.p[0].err, E(LIMIT_FIELDS));

    /* Another type is not an error. */
    type.media.type = SIPWS_STR("text");
    c = sipws_msg_body(&x.m, 0);
    assert_false(sipws_multipart(&c, &type, &w, &x.r));
    assert_int_equal(x.r.n, 1);
    free(x.p);
}

static void test_several(void **state)
{
    (void)state;
    RUN(several);
}

/* ---- messages as a whole ----------------------------------------------------------------------
 */

static const struct {
    const char *title;
    const char *text;
    enum sipws_method method;
    size_t fields;
} whole[] = {
    {"OPTIONS", OPTIONS, SIPWS_M_OPTIONS, 7},
    {"REGISTER", REGISTER, SIPWS_M_REGISTER, 9},
    {"INVITE", INVITE, SIPWS_M_INVITE, 8},
    {"SUBSCRIBE", SUBSCRIBE, SIPWS_M_SUBSCRIBE, 9},
    {"NOTIFY", NOTIFY, SIPWS_M_NOTIFY, 10},
    {"PUBLISH", PUBLISH, SIPWS_M_PUBLISH, 9},
    {"REFER", REFER, SIPWS_M_REFER, 9},
    {"PRACK", PRACK, SIPWS_M_PRACK, 8},
    {"UPDATE", UPDATE, SIPWS_M_UPDATE, 8},
    {"CANCEL", CANCEL, SIPWS_M_CANCEL, 7},
    {"MESSAGE", MESSAGE, SIPWS_M_MESSAGE, 9},
    {"ACK", REQUEST("ACK", "sip:a", ""), SIPWS_M_ACK, 7},
    {"BYE", REQUEST("BYE", "sip:a", ""), SIPWS_M_BYE, 7},
    {"INFO", REQUEST("INFO", "sip:a", ""), SIPWS_M_INFO, 7},
    {"another method", REQUEST("NOTIFYX", "sip:a", ""), SIPWS_M_EXTENSION, 7},
    {"an INVITE from a browser", webrtc_invite, SIPWS_M_INVITE, 13},
    {"JsSIP's REGISTER", jssip_register, SIPWS_M_REGISTER, 13},
    {"SIP.js's REGISTER", sipjs_register, SIPWS_M_REGISTER, 11},
    {"SIP.js's BYE", sipjs_bye, SIPWS_M_BYE, 11},
    {"200", OK, SIPWS_M_EXTENSION, 6},
    {"200 to INVITE", INVITE_OK, SIPWS_M_EXTENSION, 7},
    {"183", RELIABLE_183, SIPWS_M_EXTENSION, 8},
};

enum { WHOLE = sizeof whole / sizeof *whole };

static void test_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        struct reading x;
        read_text(&x, str(whole[i].text), ANY, 0);
        if (!x.ok || x.r.n > 0)
            fail_msg("%s: %s at %zu", whole[i].title, sipws_err_info(x.diags[0].err)->id,
                     x.diags[0].off);
        assert_int_equal(x.m.method, whole[i].method);
        assert_int_equal(x.m.n, whole[i].fields);
        free(x.p);
    }
}

static bool is(struct sipws_str a, const char *b)
{
    return sipws_str_eq(a, str(b));
}

/* Every part of one request. */
static void test_reading(void **state)
{
    (void)state;
    static const char text[] = "INVITE sip:bob@Example.org;lr SIP/2.0\r\n"
                               "v \t:SIP/2.0/WS a;branch=z9hG4bKx\r\n"
                               "F:\r\n <sip:a>;tag=1\r\n"
                               "unknown-1:  a\r\n\tb\r\n"
                               "subject:\r\n"
                               "\r\n"
                               " body\r\n\r\n";
    struct reading x;
    read_text(&x, str(text), ANY, 0);
    const struct sipws_msg *m = &x.m;
    assert_true(x.parsed && m->is_request);
    assert_true(is(m->method_name, "INVITE") && m->method == SIPWS_M_INVITE);
    assert_true(is(m->uri.text, "sip:bob@Example.org;lr") && is(m->uri.user, "bob"));
    assert_int_equal(m->status, 0);
    assert_null(m->reason.p);
    assert_int_equal(m->n, 4);
    static const struct {
        const char *name, *value;
        enum sipws_field_id id;
    } want[] = {{"v", "SIP/2.0/WS a;branch=z9hG4bKx", SIPWS_F_VIA},
                {"F", "<sip:a>;tag=1", SIPWS_F_FROM},
                {"unknown-1", "a\r\n\tb", SIPWS_F_EXTENSION},
                {"subject", "", SIPWS_F_SUBJECT}};
    for (size_t i = 0; i < 4; i++) {
        assert_true(is(m->fields[i].name, want[i].name));
        assert_true(is(m->fields[i].value, want[i].value));
        assert_int_equal(m->fields[i].id, want[i].id);
    }
    assert_true(is(m->body, " body\r\n\r\n"));
    assert_ptr_equal(m->text.p, x.p);
    assert_int_equal(m->text.n, sizeof text - 1);

    struct sipws_value v;
    assert_ptr_equal(sipws_msg_find(m, SIPWS_F_FROM), &m->fields[1]);
    assert_null(sipws_msg_find(m, SIPWS_F_TO));
    assert_true(sipws_msg_first(m, SIPWS_F_VIA, &v) && is(v.via.transport, "WS"));
    assert_false(sipws_msg_first(m, SIPWS_F_TO, &v));
    struct sipws_diag d;
    struct sipws_cur c = sipws_msg_cur(m, &m->fields[1], SIPWS_ALLOW_BARE_LF, &d);
    assert_true(c.base == m->text.p && c.p == m->fields[1].value.p && sipws_left(&c) == 13);
    assert_true(c.allow == SIPWS_ALLOW_BARE_LF && c.diag == &d);
    free(x.p);

    read_text(&x, str("SIP/2.0 404 Not  here\t\r\n\r\n"), ANY, 0);
    assert_true(x.parsed && !x.m.is_request && x.m.status == 404);
    assert_true(is(x.m.reason, "Not  here\t"));
    assert_int_equal(x.m.method, SIPWS_M_EXTENSION);
    assert_int_equal(x.m.uri.port, SIPWS_NO_PORT);
    assert_int_equal(x.m.n, 0);
    assert_true(x.m.body.p && x.m.body.n == 0);
    free(x.p);
}

/* What could be read of a broken message is there, for people. */
static void test_partial(void **state)
{
    (void)state;
    struct reading x;
    read_text(&x, str("INVITE sip: SIP/2.0\r\nTo: <sip:a>\r\nbad\r\nl: 1\r\n\r\nx"), ANY, 0);
    assert_false(x.parsed);
    assert_true(x.m.is_request && x.m.method == SIPWS_M_INVITE && !x.m.uri.text.p);
    assert_int_equal(x.m.n, 2);
    assert_true(is(x.m.body, "x"));
    free(x.p);
    read_text(&x, str("SIP/2.0 999 OK\r\nTo: <sip:a>\r\nFrom: <s"), ANY, 0);
    assert_true(!x.parsed && !x.m.is_request && x.m.status == 0 && x.m.n == 1);
    assert_null(x.m.body.p);
    free(x.p);
}

static void test_excess_body(void **state)
{
    (void)state;
    struct reading x;
    read_text(&x, str("OPTIONS sip:a SIP/2.0\r\nl:\r\n 3\r\n\r\nabcdef"), ANY,
              SIPWS_ALLOW_EXCESS_BODY);
    assert_true(x.parsed && is(x.m.body, "abc"));
    free(x.p);
    read_text(&x, str("OPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabcdef"), ANY, 0);
    assert_true(x.parsed && is(x.m.body, "abcdef"));
    free(x.p);
}

static void test_methods(void **state)
{
    (void)state;
    static const char *const names[] = {[SIPWS_M_ACK] = "ACK",
                                        [SIPWS_M_BYE] = "BYE",
                                        [SIPWS_M_CANCEL] = "CANCEL",
                                        [SIPWS_M_INFO] = "INFO",
                                        [SIPWS_M_INVITE] = "INVITE",
                                        [SIPWS_M_MESSAGE] = "MESSAGE",
                                        [SIPWS_M_NOTIFY] = "NOTIFY",
                                        [SIPWS_M_OPTIONS] = "OPTIONS",
                                        [SIPWS_M_PRACK] = "PRACK",
                                        [SIPWS_M_PUBLISH] = "PUBLISH",
                                        [SIPWS_M_REFER] = "REFER",
                                        [SIPWS_M_REGISTER] = "REGISTER",
                                        [SIPWS_M_SUBSCRIBE] = "SUBSCRIBE",
                                        [SIPWS_M_UPDATE] = "UPDATE"};
    for (int m = 1; m < SIPWS_METHOD_COUNT; m++) {
        struct sipws_str name = str(names[m]);
        assert_int_equal(sipws_method_find(name), m);
        name.n--;
        assert_int_equal(sipws_method_find(name), SIPWS_M_EXTENSION);
        char other[16];
        memcpy(other, names[m], name.n + 1);
        other[0] |= 0x20;
        assert_int_equal(sipws_method_find((struct sipws_str){other, name.n + 1}),
                         SIPWS_M_EXTENSION);
        other[0] &= ~0x20;
        other[name.n + 1] = 'X';
        assert_int_equal(sipws_method_find((struct sipws_str){other, name.n + 2}),
                         SIPWS_M_EXTENSION);
    }
    assert_int_equal(sipws_method_find((struct sipws_str){NULL, 0}), SIPWS_M_EXTENSION);
}

/* ---- limits and reports -----------------------------------------------------------------------
 */

static void test_field_limit(void **state)
{
    (void)state;
    char text[4096] = "OPTIONS sip:a SIP/2.0\r\n";
    for (int i = 0; i < FIELDS; i++)
        strcat(text, "X-a: b\r\n");
    struct reading x;
    size_t head = strlen(text);
    strcat(text, "\r\nbody");
    read_text(&x, str(text), ANY, 0);
    assert_true(x.parsed);
    assert_int_equal(x.m.n, FIELDS);
    free(x.p);
    strcpy(text + head, "Y-a: b\r\nY-b: c\r\n\r\nbody");
    read_text(&x, str(text), ANY, 0);
    assert_false(x.parsed);
    assert_int_equal(x.m.n, FIELDS);
    assert_int_equal(x.diags[0].err, E(LIMIT_FIELDS));
    assert_int_equal(x.diags[0].off, head);
    assert_true(is(x.m.body, "body"));
    free(x.p);
    struct sipws_report r = sipws_report(NULL, 0);
    struct sipws_msg m;
    assert_true(sipws_msg_parse(str("OPTIONS sip:a SIP/2.0\r\n\r\n"), 0, NULL, 0, &m, &r));
    assert_false(sipws_msg_parse(str("OPTIONS sip:a SIP/2.0\r\na: b\r\n\r\n"), 0, NULL, 0, &m, &r));
}

/* 64 parameters, then 65; 16 comments in each other, then 17. */
static void test_element_limits(void **state)
{
    (void)state;
    for (unsigned n = SIPWS_MAX_PARAMS; n <= SIPWS_MAX_PARAMS + 1; n++) {
        char text[4096] = "SIP/2.0 200 OK\r\nContact: <sip:a>";
        for (unsigned i = 0; i < n; i++)
            snprintf(text + strlen(text), 16, ";p%u", i);
        strcat(text, "\r\n\r\n");
        struct reading x;
        read_text(&x, str(text), ANY, 0);
        assert_int_equal(x.diags[0].err == E(LIMIT_PARAMS), n > SIPWS_MAX_PARAMS);
        free(x.p);
    }
    for (unsigned n = SIPWS_MAX_COMMENT_DEPTH; n <= SIPWS_MAX_COMMENT_DEPTH + 1; n++) {
        char text[4096] = "SIP/2.0 200 OK\r\nServer: ";
        for (unsigned i = 0; i < n; i++)
            strcat(text, "(");
        for (unsigned i = 0; i < n; i++)
            strcat(text, ")");
        strcat(text, "\r\n\r\n");
        struct reading x;
        read_text(&x, str(text), ANY, 0);
        assert_int_equal(x.diags[0].err == E(LIMIT_COMMENT), n > SIPWS_MAX_COMMENT_DEPTH);
        free(x.p);
    }
}

static struct sipws_diag diag(enum sipws_err err, size_t off)
{
    struct sipws_diag d;
    sipws_diag_set(&d, err, off, "rule");
    return d;
}

static void test_report(void **state)
{
    (void)state;
    struct sipws_diag p[2], warning = diag(E(COLON_SPACE), 1), note = diag(E(OPTION_UNKNOWN), 2),
                            error = diag(E(TOKEN), 3), other = diag(E(WORD), 4);
    struct sipws_report r = sipws_report(p, 2);
    assert_true(sipws_report_add(&r, &warning) && sipws_report_add(&r, &note));
    assert_true(r.n == 2 && r.errors == 0);
    assert_true(sipws_report_add(&r, &warning)); /* no room, and no end */
    assert_true(r.n == 2);
    assert_true(sipws_report_add(&r, &error)); /* the note gives way */
    assert_true(r.n == 2 && p[0].off == 1 && p[1].off == 3 && r.errors == 1);
    assert_false(sipws_report_add(&r, &other)); /* the warning does, and the report is full */
    assert_true(r.n == 2 && p[0].off == 3 && p[1].off == 4 && r.errors == 2);
    r = sipws_report(p, 1);
    assert_false(sipws_report_add(&r, &error));
    assert_true(r.n == 1 && r.errors == 1 && p[0].off == 3);
    r = sipws_report(NULL, 0);
    assert_true(sipws_report_add(&r, &warning) && r.errors == 0 && r.n == 0);
    assert_false(sipws_report_add(&r, &error));
    assert_true(r.n == 0 && r.errors == 1);
}

/* A warning fills the report before the error comes. */
static void test_small_report(void **state)
{
    (void)state;
    static const char text[] = "OPTIONS sip:a SIP/2.0\r\nSubject : x\r\nbad\r\n\r\n";
    struct sipws_field fields[4];
    struct sipws_diag d;
    struct sipws_msg m;
    struct sipws_report r = sipws_report(&d, 1);
    assert_false(sipws_msg_parse(str(text), 0, fields, 4, &m, &r));
    assert_true(r.n == 1 && r.errors == 1 && d.err == E(FIELD_COLON) && d.off == 39);
    r = sipws_report(NULL, 0);
    assert_false(sipws_msg_parse(str(text), 0, fields, 4, &m, &r));
    /* Diagnostics add to those that are there, and the result tells of the new ones only. */
    r = sipws_report(&d, 1);
    assert_false(sipws_msg_parse(str("x"), 0, fields, 4, &m, &r));
    assert_true(r.errors == 1);
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static void prints(const char *text, const char *want)
{
    struct reading x;
    read_text(&x, str(text), ANY, 0);
    char buf[8192];
    struct sipws_out o = sipws_out(buf, sizeof buf);
    sipws_msg_print(&o, &x.m);
    buf[o.n] = '\0';
    assert_string_equal(buf, want);
    struct sipws_out measure = sipws_out(NULL, 0);
    sipws_msg_print(&measure, &x.m);
    assert_int_equal(measure.n, o.n);
    free(x.p);
}

static void test_print(void **state)
{
    (void)state;
    prints("OPTIONS SIP:bob@EXAMPLE.org sip/2.0\r\n"
           "v :  SIP / 2.0 / WS\r\n a ; branch = z9hG4bKx ,SIP/2.0/UDP b:5060;rport\r\n"
           "fROM: sip:a;tag=1\r\n"
           "k:\r\n"
           "m: \"A\r\n  b\" <sip:a>;q=0.50,<sip:b>\r\n"
           "X-Y:a \r\n \tb\r\n"
           "s: \r\n"
           "l: 004\r\n"
           "\r\n"
           "a\nb\r",
           "OPTIONS sip:bob@example.org SIP/2.0\r\n"
           "Via: SIP/2.0/WS a;branch=z9hG4bKx, SIP/2.0/UDP b:5060;rport\r\n"
           "From: <sip:a>;tag=1\r\n"
           "Supported:\r\n"
           "Contact: \"A b\" <sip:a>;q=0.50, <sip:b>\r\n"
           "X-Y: a  b\r\n"
           "Subject:\r\n"
           "Content-Length: 4\r\n"
           "\r\n"
           "a\nb\r");
    /* What does not decode is printed unfolded, and the lines around it as ever. */
    prints("SIP/2.0 200  OK\r\n"
           "i: a\r\n  b c\r\n"
           "M: <sip:a>, <sip:b\r\n"
           "t: <sip:a>\r\n"
           "\r\n",
           "SIP/2.0 200  OK\r\n"
           "Call-ID: a b c\r\n"
           "Contact: <sip:a>, <sip:b\r\n"
           "To: <sip:a>\r\n"
           "\r\n");
}

static void test_print_start(void **state)
{
    (void)state;
    char buf[64];
    struct sipws_out o = sipws_out(buf, sizeof buf);
    struct sipws_msg m = {.status = 486, .reason = SIPWS_STR("Busy")};
    sipws_msg_print_start(&o, &m);
    assert_true(is(sipws_out_str(&o), "SIP/2.0 486 Busy\r\n"));
    o = sipws_out(buf, sizeof buf);
    m = (struct sipws_msg){.is_request = true, .method_name = SIPWS_STR("BYE")};
    struct sipws_cur c = sipws_cur(SIPWS_STR("sip:a@b:5060;lr"), NULL);
    assert_true(sipws_uri(&c, SIPWS_URI_WHOLE, &m.uri));
    sipws_msg_print_start(&o, &m);
    assert_true(is(sipws_out_str(&o), "BYE sip:a@b:5060;lr SIP/2.0\r\n"));
}

/* Every good message, printed and read again: no errors, and the same print. */
static void test_print_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        char once[8192], twice[8192];
        struct reading x;
        read_text(&x, str(whole[i].text), ANY, 0);
        struct sipws_out o = sipws_out(once, sizeof once);
        sipws_msg_print(&o, &x.m);
        free(x.p);
        assert_true(sipws_out_ok(&o));
        read_text(&x, sipws_out_str(&o), ANY, 0);
        assert_true(x.ok && x.m.n == whole[i].fields);
        struct sipws_out again = sipws_out(twice, sizeof twice);
        sipws_msg_print(&again, &x.m);
        free(x.p);
        assert_true(sipws_str_eq(sipws_out_str(&o), sipws_out_str(&again)));
    }
}

/* ---- cuts and changes -------------------------------------------------------------------------
 */

/* Every prefix of every good message, in memory of exactly its size. */
static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHOLE; i++) {
        struct sipws_str all = str(whole[i].text);
        size_t head = (size_t)(strstr(all.p, "\r\n\r\n") - all.p) + 4;
        for (size_t n = 0; n < head; n++) {
            struct reading x;
            read_text(&x, (struct sipws_str){all.p, n}, ANY, 0);
            assert_false(x.parsed);
            const struct sipws_diag *last = &x.diags[x.r.n - 1];
            assert_int_equal(x.r.errors, 1 + (x.r.n > 1 ? x.r.errors - 1 : 0));
            bool told = false;
            for (size_t j = 0; j < x.r.n; j++)
                told = told || (x.diags[j].off == n &&
                                (x.diags[j].err == E(NO_BLANK_LINE) || x.diags[j].err == E(EMPTY)));
            if (!told)
                fail_msg("%s cut at %zu: %s", whole[i].title, n, sipws_err_info(last->err)->id);
            free(x.p);
        }
    }
}

/* Every octet of the shortest message, changed to each of some octets that mean something. */
static void test_changes(void **state)
{
    (void)state;
    static const unsigned char octets[] = {0,   '\t', '\n', '\r', ' ', '"',  '%',  ',',  ':', ';',
                                           '<', '>',  '\\', '@',  '*', 0x7F, 0x80, 0xC3, 0xFF};
    char text[] = OPTIONS;
    for (size_t i = 0; i < sizeof text - 1; i++)
        for (size_t j = 0; j < sizeof octets; j++) {
            char was = text[i];
            text[i] = (char)octets[j];
            struct reading x;
            read_text(&x, (struct sipws_str){text, sizeof text - 1}, WSS, 0);
            free(x.p);
            text[i] = was;
        }
}

/* ---- all errors -------------------------------------------------------------------------------
 */

/* The errors of other parts, which judge connections, frames and policies; and of the grammar of
 * tel URIs (RFC 3966), which are absoluteURIs in a message. */
static bool elsewhere(enum sipws_err err)
{
    static const enum sipws_err list[] = {
        E(STATE),      E(TIMEOUT),           E(LIMIT_MESSAGE), E(LIMIT_FRAGMENTS),
        E(LIMIT_HEAD), E(LIMIT_HEAD_FIELDS), E(LIMIT_OUT),     E(LIMIT_SUBPROTOCOLS),
        E(URI_TEL)};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == err)
            return true;
    enum sipws_layer layer = sipws_err_info(err)->layer;
    return layer != SIPWS_LAYER_SIP && layer != SIPWS_LAYER_CONN && layer != SIPWS_LAYER_LIMIT;
}

/* The last test: whatever can be wrong with a message was wrong with one above. */
static void test_all_errors(void **state)
{
    (void)state;
    int unseen = 0;
    for (int i = SIPWS_OK + 1; i < SIPWS_ERR_COUNT; i++)
        if (!seen[i] && !elsewhere((enum sipws_err)i)) {
            print_error("no case has %s\n", sipws_err_info((enum sipws_err)i)->id);
            unseen++;
        }
    assert_int_equal(unseen, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_start_lines),
        cmocka_unit_test(test_values),         cmocka_unit_test(test_across),
        cmocka_unit_test(test_transports),     cmocka_unit_test(test_several),
        cmocka_unit_test(test_multiparts),     cmocka_unit_test(test_parts),
        cmocka_unit_test(test_whole),          cmocka_unit_test(test_reading),
        cmocka_unit_test(test_partial),        cmocka_unit_test(test_excess_body),
        cmocka_unit_test(test_methods),        cmocka_unit_test(test_field_limit),
        cmocka_unit_test(test_element_limits), cmocka_unit_test(test_report),
        cmocka_unit_test(test_small_report),   cmocka_unit_test(test_print),
        cmocka_unit_test(test_print_start),    cmocka_unit_test(test_print_again),
        cmocka_unit_test(test_cuts),           cmocka_unit_test(test_changes),
        cmocka_unit_test(test_all_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
