#include "gen_msg.h"

#include "gen_field.h"
#include "utf8.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The message under construction. */
struct gen {
    struct tape *t;
    struct arena *a;
    struct gen_msg *m;
    const struct gen_msg_want *want;
    struct sipws_out wire, canon;
    struct sipws_str body;
    const char *type; /* of the body, or NULL */
    bool sips;        /* the Request-URI is a sips URI */
    bool reliable;    /* RSeq and Require: 100rel */
};

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static void both(struct gen *g, struct sipws_str s)
{
    sipws_put(&g->wire, s);
    sipws_put(&g->canon, s);
}

static void lit(struct gen *g, const char *s)
{
    both(g, str(s));
}

static void number(struct gen *g, uint64_t n)
{
    sipws_put_uint(&g->wire, n);
    sipws_put_uint(&g->canon, n);
}

static const char *pick(struct gen *g, const char *const *from, size_t n)
{
    return from[tape_below(g->t, (uint32_t)n)];
}
#define PICK(g, array) pick(g, array, COUNT(array))

/* The letters in any case; the canonical form has them as they are. */
static void any_case(struct gen *g, const char *s)
{
    unsigned how = g->want->plain ? 0 : tape_below(g->t, 4);
    for (; *s; s++) {
        char ch = *s;
        if (how == 1 && ch >= 'a' && ch <= 'z')
            ch = (char)(ch - 0x20);
        if (how == 2 && ch >= 'A' && ch <= 'Z')
            ch = (char)(ch + 0x20);
        sipws_put_char(&g->wire, ch);
        sipws_put(&g->canon, (struct sipws_str){s, 1});
    }
}

/* ---- white space ------------------------------------------------------------------------------
 */

/* Something for SWS: mostly nothing. `canon` is what the canonical form has in its place. */
static void sws(struct gen *g, const char *canon)
{
    static const char *const spaces[] = {" ", "  ", "\t", "\r\n ", "\r\n\t", "\r\n   \t"};
    sipws_put(&g->canon, str(canon));
    if (g->want->plain) {
        sipws_put(&g->wire, str(canon));
        return;
    }
    if (!tape_chance(g->t, 24)) {
        sipws_put(&g->wire, str(canon));
        return;
    }
    const char *s = PICK(g, spaces);
    g->m->spaces = true;
    g->m->folds = g->m->folds || s[0] == '\r';
    sipws_put(&g->wire, str(s));
}

static void sep(struct gen *g, const char *ch)
{
    sws(g, "");
    lit(g, ch);
    sws(g, "");
}

/* Between list elements: the canonical form has ", ". */
static void comma(struct gen *g)
{
    sws(g, "");
    lit(g, ",");
    sws(g, " ");
}

/* LWS that must be there. */
static void lws(struct gen *g)
{
    static const char *const spaces[] = {" ", "   ", "\t", "\r\n ", "\r\n\t\t"};
    const char *s = g->want->plain || !tape_chance(g->t, 32) ? " " : PICK(g, spaces);
    g->m->folds = g->m->folds || s[0] == '\r';
    sipws_put(&g->wire, str(s));
    sipws_put(&g->canon, str(" "));
}

/* LWS within text: as it stands, but a fold is one SP in the canonical form. */
static void text_lws(struct gen *g)
{
    static const char *const spaces[] = {" ", "   ", "\t", "\r\n ", "\r\n\t\t"};
    const char *s = g->want->plain || !tape_chance(g->t, 64) ? " " : PICK(g, spaces);
    g->m->folds = g->m->folds || s[0] == '\r';
    sipws_put(&g->wire, str(s));
    sipws_put(&g->canon, str(s[0] == '\r' ? " " : s));
}

/* ---- basic rules ------------------------------------------------------------------------------
 */

static void token(struct gen *g)
{
    static const char *const pool[] = {"a",    "k2v9",  "Z.0-9", "x!y%z*", "q_+`'~", "0",
                                       "null", "71a4b", "sip",   "-",      "tag"};
    lit(g, PICK(g, pool));
    while (tape_more(g->t, 1)) {
        char digit[2] = {(char)('a' + tape_below(g->t, 26)), '\0'};
        lit(g, digit);
    }
}

static void quoted(struct gen *g)
{
    static const char *const pool[] = {"",
                                       "Ada",
                                       "Ada, L. <x@y>",
                                       "say \\\"hi\\\"",
                                       "\\\\",
                                       "semi;colon=1",
                                       "a: b",
                                       "\xC3\xA9l\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\\;",
                                       "tab\there"};
    lit(g, "\"");
    lit(g, PICK(g, pool));
    if (!g->want->plain && tape_chance(g->t, 24)) {
        lit(g, "x");
        sipws_put(&g->wire, str("\r\n "));
        sipws_put(&g->canon, str(" "));
        g->m->folds = true;
        lit(g, "y");
    }
    lit(g, "\"");
}

static void text(struct gen *g)
{
    static const char *const pool[] = {
        "Lunch",           "a", "100% \"sure\" <maybe>; or, not", "\xC3\xBC\xC3\xBC", "x  y",
        "Re: [1] {2} \\ ^"};
    lit(g, PICK(g, pool));
    while (tape_more(g->t, 1)) {
        text_lws(g);
        lit(g, PICK(g, pool));
    }
}

static void host(struct gen *g)
{
    static const char *const pool[] = {"example.org",
                                       "k2v9.invalid",
                                       "192.0.2.7",
                                       "[2001:db8::1]",
                                       "a",
                                       "xn--bcher-kva.example.",
                                       "[::ffff:192.0.2.1]",
                                       "10.255.0.1",
                                       "a-b.c-d.example"};
    lit(g, PICK(g, pool));
}

static void port(struct gen *g)
{
    if (!tape_chance(g->t, 64))
        return;
    static const uint16_t ports[] = {5060, 0, 65535, 443, 80};
    lit(g, ":");
    number(g, ports[tape_below(g->t, COUNT(ports))]);
}

/* ---- URIs and addresses -----------------------------------------------------------------------
 */

enum place { REQUEST_URI, REGISTRAR, IDENTITY, CONTACT, ROUTE, REFER };

static void sip_uri(struct gen *g, enum place place)
{
    static const char *const users[] = {"bob", "ada",    "a%20b", "+1-202-555-0100", "x;y=1",
                                        "a,b", "&=+$/?", "%61da", "87ash54=3dd.98a"};
    static const char *const params[] = {
        ";transport=ws",     ";lr",       ";user=phone",      ";ob",
        ";gr=urn:uuid:0a1b", ";x=%41[y]", ";maddr=192.0.2.1", ";foo"};
    any_case(g, g->sips && place != IDENTITY ? "sips" : "sip");
    lit(g, ":");
    if (place != REGISTRAR && !tape_chance(g->t, 48)) {
        lit(g, PICK(g, users));
        if (tape_chance(g->t, 16))
            lit(g, ":p%20w");
        lit(g, "@");
    }
    host(g);
    if (place != IDENTITY)
        port(g);
    for (size_t i = 0; i < COUNT(params) && place != IDENTITY; i++)
        if (tape_chance(g->t, i == 0 ? 96 : 20))
            lit(g, params[i]);
    if (place == REFER && tape_chance(g->t, 64))
        lit(g, "?Subject=a%20b&Priority=urgent");
}

static void uri(struct gen *g, enum place place)
{
    static const char *const others[] = {"tel:+1-202-555-0100", "urn:service:sos",
                                         "http://www.example.org/a?b;c", "mailto:a@example.org"};
    if ((place == IDENTITY || place == REFER) && tape_chance(g->t, 24))
        lit(g, PICK(g, others));
    else
        sip_uri(g, place);
}

/* name-addr / addr-spec; the canonical form has the brackets. */
static void addr(struct gen *g, enum place place)
{
    static const char *const names[] = {"Ada", "Bob B", "x-1.2"};
    if (!g->want->plain && place == IDENTITY && tape_chance(g->t, 40)) {
        sipws_put(&g->canon, str("<"));
        lit(g, "sip:bob@example.org");
        sipws_put(&g->canon, str(">"));
        return;
    }
    if (tape_chance(g->t, 80)) {
        if (tape_chance(g->t, 128)) {
            quoted(g);
            sws(g, " ");
        } else {
            lit(g, PICK(g, names));
            lws(g);
        }
    }
    lit(g, "<");
    uri(g, place);
    lit(g, ">");
}

/* ;name=value, name from `n` on so that none comes twice. */
static void params(struct gen *g)
{
    unsigned n = 0;
    while (n < 20 && tape_next(g->t, "param", 1)) {
        char name[4] = {'p', (char)('a' + n++), '\0', '\0'};
        sep(g, ";");
        lit(g, name);
        switch (tape_below(g->t, 4)) {
        case 1:
            sep(g, "=");
            token(g);
            break;
        case 2:
            sep(g, "=");
            quoted(g);
            break;
        case 3:
            sep(g, "=");
            lit(g, "[2001:db8::7]");
            break;
        default:
            break;
        }
        tape_end(g->t);
    }
}

/* ---- header fields ----------------------------------------------------------------------------
 */

static void via(struct gen *g, bool top)
{
    static const char *const any[] = {"WSS", "WS", "UDP", "TCP", "TLS", "x-quic"};
    const char *transport = PICK(g, any);
    if (top && g->want->transport != SIPWS_TRANSPORT_ANY)
        transport = g->want->transport == SIPWS_TRANSPORT_WS ? "WS" : "WSS";
    lit(g, "SIP");
    sep(g, "/");
    lit(g, "2.0");
    sep(g, "/");
    lit(g, transport);
    lws(g);
    host(g);
    if (tape_chance(g->t, 48)) {
        sep(g, ":");
        number(g, 5060 + tape_below(g->t, 3));
    }
    sep(g, ";");
    lit(g, "branch");
    sep(g, "=");
    lit(g, "z9hG4bK");
    token(g);
    if (tape_chance(g->t, 32))
        lit(g, ";rport");
    if (tape_chance(g->t, 32)) {
        sep(g, ";");
        lit(g, "received");
        sep(g, "=");
        lit(g, tape_chance(g->t, 128) ? "2001:db8::9" : "192.0.2.9");
    }
    params(g);
}

static void f_via(struct gen *g)
{
    via(g, true);
    while (tape_next(g->t, "via", 1)) {
        comma(g);
        via(g, false);
        tape_end(g->t);
    }
}

static void f_from(struct gen *g)
{
    addr(g, IDENTITY);
    sep(g, ";");
    lit(g, "tag");
    sep(g, "=");
    token(g);
    params(g);
}

static void f_to(struct gen *g)
{
    addr(g, IDENTITY);
    if ((!g->m->is_request && g->m->status != 100) || tape_chance(g->t, 80)) {
        sep(g, ";");
        lit(g, "tag");
        sep(g, "=");
        token(g);
    }
    params(g);
}

static void f_call_id(struct gen *g)
{
    static const char *const words[] = {"9d1c", "a(b)<c>[d]{e}?/\\:\"", "0", "~x%y"};
    lit(g, PICK(g, words));
    if (tape_chance(g->t, 100)) {
        lit(g, "@");
        lit(g, PICK(g, words));
    }
}

static void f_cseq(struct gen *g)
{
    static const uint32_t edges[] = {1, 0, 2147483647, 65536, 4711};
    number(g, edges[tape_below(g->t, COUNT(edges))]);
    lws(g);
    both(g, g->m->method_name);
}

static void f_max_forwards(struct gen *g)
{
    static const uint32_t edges[] = {70, 0, 255, 1};
    number(g, edges[tape_below(g->t, COUNT(edges))]);
}

static void f_contact(struct gen *g)
{
    bool many = g->m->method == SIPWS_M_REGISTER || g->m->status / 100 == 3;
    do {
        addr(g, CONTACT);
        if (tape_chance(g->t, 48)) {
            sep(g, ";");
            lit(g, "expires");
            sep(g, "=");
            number(g, tape_below(g->t, 7200));
        }
        if (tape_chance(g->t, 48))
            lit(g, ";q=0.7");
        if (tape_chance(g->t, 48))
            lit(g, ";+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";reg-id=1");
        params(g);
    } while (many && tape_more(g->t, 1) && (comma(g), true));
}

static void f_route(struct gen *g)
{
    do {
        lit(g, "<");
        sip_uri(g, ROUTE);
        lit(g, ">");
        params(g);
    } while (tape_more(g->t, 1) && (comma(g), true));
}

static void f_identities(struct gen *g)
{
    lit(g, "<");
    sip_uri(g, IDENTITY);
    lit(g, ">");
}

static void f_supported(struct gen *g)
{
    static const char *const tags[] = {"outbound", "gruu", "path", "100rel", "timer", "replaces"};
    if (tape_chance(g->t, 24))
        return;
    do
        lit(g, PICK(g, tags));
    while (tape_more(g->t, 2) && (comma(g), true));
}

static void f_require(struct gen *g)
{
    lit(g, g->reliable ? "100rel" : "path");
}

static void f_unsupported(struct gen *g)
{
    token(g);
}

static void f_allow(struct gen *g)
{
    static const char *const methods[] = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "x-y"};
    do
        lit(g, PICK(g, methods));
    while (tape_more(g->t, 3) && (comma(g), true));
}

static void f_accept(struct gen *g)
{
    static const char *const ranges[] = {"application/sdp", "text/*", "*/*", "a/b"};
    do {
        const char *r = PICK(g, ranges);
        lit(g, r);
        if (tape_chance(g->t, 48))
            lit(g, ";q=0.5");
    } while (tape_more(g->t, 1) && (comma(g), true));
}

static void f_content_type(struct gen *g)
{
    lit(g, g->type ? g->type : "application/sdp");
    if (tape_chance(g->t, 40)) {
        sep(g, ";");
        lit(g, "charset");
        sep(g, "=");
        lit(g, "UTF-8");
    }
    if (tape_chance(g->t, 40)) {
        sep(g, ";");
        lit(g, "x");
        sep(g, "=");
        quoted(g);
    }
}

static void f_content_length(struct gen *g)
{
    if (!g->want->plain && tape_chance(g->t, 32))
        sipws_put_lit(&g->wire, "000");
    number(g, g->body.n);
}

static void f_seconds(struct gen *g)
{
    static const uint32_t edges[] = {3600, 0, 1, 600, 4294967295};
    number(g, edges[tape_below(g->t, COUNT(edges))]);
}

static void f_min_se(struct gen *g)
{
    number(g, 90 + tape_below(g->t, 1800));
    params(g);
}

static void f_session_expires(struct gen *g)
{
    number(g, 90 + tape_below(g->t, 1800));
    if (tape_chance(g->t, 100)) {
        sep(g, ";");
        lit(g, "refresher");
        sep(g, "=");
        lit(g, "uac");
    }
}

static void f_event(struct gen *g)
{
    static const char *const events[] = {"presence", "refer", "reg", "presence.winfo", "x.y.z"};
    lit(g, PICK(g, events));
    if (tape_chance(g->t, 64)) {
        sep(g, ";");
        lit(g, "id");
        sep(g, "=");
        token(g);
    }
    params(g);
}

static void f_subscription_state(struct gen *g)
{
    static const char *const states[] = {"active", "pending", "terminated", "waiting"};
    lit(g, PICK(g, states));
    if (tape_chance(g->t, 100)) {
        sep(g, ";");
        lit(g, "expires");
        sep(g, "=");
        number(g, tape_below(g->t, 4000));
    }
    params(g);
}

static void f_refer_to(struct gen *g)
{
    addr(g, REFER);
    params(g);
}

static void f_rack(struct gen *g)
{
    number(g, 1 + tape_below(g->t, 70000));
    lws(g);
    number(g, tape_below(g->t, 300));
    lws(g);
    lit(g, "INVITE");
}

static void f_rseq(struct gen *g)
{
    number(g, 1 + tape_below(g->t, 70000));
}

static void f_etag(struct gen *g)
{
    token(g);
}

static void f_challenge(struct gen *g)
{
    lit(g, "Digest");
    lws(g);
    lit(g, "realm=");
    quoted(g);
    comma(g);
    lit(g, "nonce=\"84a4cc6f3082121f\"");
    if (tape_chance(g->t, 100)) {
        comma(g);
        lit(g, "stale");
        sep(g, "=");
        lit(g, "FALSE");
    }
    if (tape_chance(g->t, 100)) {
        comma(g);
        lit(g, "algorithm=SHA-256");
    }
    if (tape_chance(g->t, 100)) {
        comma(g);
        lit(g, "qop=\"auth,auth-int\"");
    }
}

static void f_credentials(struct gen *g)
{
    lit(g, "Digest");
    lws(g);
    lit(g, "username=\"ada\"");
    comma(g);
    lit(g, "realm=\"example.org\"");
    comma(g);
    lit(g, "nonce=\"84a4cc6f3082121f\"");
    comma(g);
    lit(g, "uri=\"sip:example.org\"");
    comma(g);
    lit(g, "response=\"7587245234b3434cc3412213e5f113a5\"");
    if (tape_chance(g->t, 128)) {
        comma(g);
        lit(g, "cnonce=\"0a4f113b\"");
        comma(g);
        lit(g, "qop");
        sep(g, "=");
        lit(g, "auth");
        comma(g);
        lit(g, "nc=00000001");
    }
}

static void f_date(struct gen *g)
{
    static const char *const dates[] = {"Sat, 13 Nov 2010 23:29:00 GMT",
                                        "Tue, 29 Feb 2028 00:00:00 GMT",
                                        "Fri, 31 Dec 1999 23:59:59 GMT"};
    lit(g, PICK(g, dates));
}

static void f_server(struct gen *g)
{
    lit(g, "Phone/1.0");
    while (tape_more(g->t, 1)) {
        text_lws(g);
        lit(g, "x");
    }
}

static void f_warning(struct gen *g)
{
    do {
        lit(g, "399 example.org ");
        quoted(g);
    } while (tape_more(g->t, 1) && (comma(g), true));
}

static void f_retry_after(struct gen *g)
{
    number(g, tape_below(g->t, 4000));
    params(g);
}

static void f_reason(struct gen *g)
{
    lit(g, "SIP");
    sep(g, ";");
    lit(g, "cause");
    sep(g, "=");
    number(g, 200 + tape_below(g->t, 400));
    if (tape_chance(g->t, 100)) {
        sep(g, ";");
        lit(g, "text");
        sep(g, "=");
        quoted(g);
    }
}

static void f_extension(struct gen *g)
{
    if (!tape_chance(g->t, 32))
        text(g);
}

typedef void write_value(struct gen *g);

/* The fields that are written, and where else than when needed they may stand. */
enum where { NEVER = 0, REQUESTS = 1, RESPONSES = 2, ANYWHERE = 3 };

struct kind {
    enum sipws_field_id id;
    const char *name, *compact;
    write_value *write; /* NULL: gen_value_of, as no rule across the message asks for more */
    enum where where;
};

static const struct kind kinds[] = {
    {SIPWS_F_VIA, "Via", "v", f_via, NEVER},
    {SIPWS_F_FROM, "From", "f", f_from, NEVER},
    {SIPWS_F_TO, "To", "t", f_to, NEVER},
    {SIPWS_F_CALL_ID, "Call-ID", "i", f_call_id, NEVER},
    {SIPWS_F_CSEQ, "CSeq", NULL, f_cseq, NEVER},
    {SIPWS_F_MAX_FORWARDS, "Max-Forwards", NULL, f_max_forwards, NEVER},
    {SIPWS_F_CONTACT, "Contact", "m", f_contact, NEVER},
    {SIPWS_F_CONTENT_LENGTH, "Content-Length", "l", f_content_length, ANYWHERE},
    {SIPWS_F_CONTENT_TYPE, "Content-Type", "c", f_content_type, NEVER},
    {SIPWS_F_RSEQ, "RSeq", NULL, f_rseq, NEVER},
    {SIPWS_F_REQUIRE, "Require", NULL, f_require, NEVER},
    {SIPWS_F_RACK, "RAck", NULL, f_rack, NEVER},
    {SIPWS_F_EVENT, "Event", "o", f_event, NEVER},
    {SIPWS_F_SUBSCRIPTION_STATE, "Subscription-State", NULL, f_subscription_state, NEVER},
    {SIPWS_F_REFER_TO, "Refer-To", "r", f_refer_to, NEVER},
    {SIPWS_F_SIP_ETAG, "SIP-ETag", NULL, f_etag, NEVER},
    {SIPWS_F_SIP_IF_MATCH, "SIP-If-Match", NULL, f_etag, NEVER},
    {SIPWS_F_WWW_AUTHENTICATE, "WWW-Authenticate", NULL, f_challenge, NEVER},
    {SIPWS_F_PROXY_AUTHENTICATE, "Proxy-Authenticate", NULL, f_challenge, NEVER},
    {SIPWS_F_MIN_EXPIRES, "Min-Expires", NULL, f_seconds, NEVER},
    {SIPWS_F_MIN_SE, "Min-SE", NULL, f_min_se, NEVER},
    {SIPWS_F_ROUTE, "Route", NULL, f_route, REQUESTS},
    {SIPWS_F_RECORD_ROUTE, "Record-Route", NULL, f_route, ANYWHERE},
    {SIPWS_F_PATH, "Path", NULL, f_route, ANYWHERE},
    {SIPWS_F_SERVICE_ROUTE, "Service-Route", NULL, f_route, RESPONSES},
    {SIPWS_F_P_ASSERTED_IDENTITY, "P-Asserted-Identity", NULL, f_identities, ANYWHERE},
    {SIPWS_F_SUPPORTED, "Supported", "k", f_supported, ANYWHERE},
    {SIPWS_F_UNSUPPORTED, "Unsupported", NULL, f_unsupported, RESPONSES},
    {SIPWS_F_ALLOW, "Allow", NULL, f_allow, ANYWHERE},
    {SIPWS_F_ACCEPT, "Accept", NULL, f_accept, ANYWHERE},
    {SIPWS_F_AUTHORIZATION, "Authorization", NULL, f_credentials, REQUESTS},
    {SIPWS_F_PROXY_AUTHORIZATION, "Proxy-Authorization", NULL, f_credentials, REQUESTS},
    {SIPWS_F_EXPIRES, "Expires", NULL, f_seconds, ANYWHERE},
    {SIPWS_F_SESSION_EXPIRES, "Session-Expires", "x", f_session_expires, ANYWHERE},
    {SIPWS_F_SUBJECT, "Subject", "s", text, ANYWHERE},
    {SIPWS_F_ORGANIZATION, "Organization", NULL, text, ANYWHERE},
    {SIPWS_F_DATE, "Date", NULL, f_date, ANYWHERE},
    {SIPWS_F_USER_AGENT, "User-Agent", NULL, f_server, ANYWHERE},
    {SIPWS_F_SERVER, "Server", NULL, f_server, RESPONSES},
    {SIPWS_F_WARNING, "Warning", NULL, f_warning, RESPONSES},
    {SIPWS_F_RETRY_AFTER, "Retry-After", NULL, f_retry_after, RESPONSES},
    {SIPWS_F_REASON, "Reason", NULL, f_reason, ANYWHERE},
    {SIPWS_F_REPLY_TO, "Reply-To", NULL, f_identities, ANYWHERE},
    {SIPWS_F_P_PREFERRED_IDENTITY, "P-Preferred-Identity", NULL, f_identities, REQUESTS},
    {SIPWS_F_ACCEPT_ENCODING, "Accept-Encoding", NULL, NULL, ANYWHERE},
    {SIPWS_F_ACCEPT_LANGUAGE, "Accept-Language", NULL, NULL, ANYWHERE},
    {SIPWS_F_ALERT_INFO, "Alert-Info", NULL, NULL, ANYWHERE},
    {SIPWS_F_CALL_INFO, "Call-Info", NULL, NULL, ANYWHERE},
    {SIPWS_F_ERROR_INFO, "Error-Info", NULL, NULL, RESPONSES},
    {SIPWS_F_CONTENT_DISPOSITION, "Content-Disposition", NULL, NULL, ANYWHERE},
    {SIPWS_F_CONTENT_ENCODING, "Content-Encoding", "e", NULL, ANYWHERE},
    {SIPWS_F_CONTENT_LANGUAGE, "Content-Language", NULL, NULL, ANYWHERE},
    {SIPWS_F_IN_REPLY_TO, "In-Reply-To", NULL, NULL, REQUESTS},
    {SIPWS_F_MIME_VERSION, "MIME-Version", NULL, NULL, ANYWHERE},
    {SIPWS_F_PRIORITY, "Priority", NULL, NULL, REQUESTS},
    {SIPWS_F_PROXY_REQUIRE, "Proxy-Require", NULL, NULL, REQUESTS},
    {SIPWS_F_TIMESTAMP, "Timestamp", NULL, NULL, ANYWHERE},
    {SIPWS_F_PRIVACY, "Privacy", NULL, NULL, ANYWHERE},
    {SIPWS_F_REPLACES, "Replaces", NULL, NULL, REQUESTS},
    {SIPWS_F_ALLOW_EVENTS, "Allow-Events", "u", NULL, ANYWHERE},
    {SIPWS_F_RECV_INFO, "Recv-Info", NULL, NULL, ANYWHERE},
    {SIPWS_F_INFO_PACKAGE, "Info-Package", NULL, NULL, REQUESTS},
    {SIPWS_F_FLOW_TIMER, "Flow-Timer", NULL, NULL, RESPONSES},
    {SIPWS_F_MAX_BREADTH, "Max-Breadth", NULL, NULL, REQUESTS},
    {SIPWS_F_AUTHENTICATION_INFO, "Authentication-Info", NULL, NULL, RESPONSES},
    {SIPWS_F_IDENTITY, "Identity", "y", NULL, REQUESTS},
    {SIPWS_F_EXTENSION, "X-Own", NULL, f_extension, ANYWHERE},
    {SIPWS_F_EXTENSION, "Viaduct", NULL, f_extension, ANYWHERE},
    {SIPWS_F_EXTENSION, "Content-Lengths", NULL, f_extension, ANYWHERE},
    {SIPWS_F_EXTENSION, "j", NULL, f_extension, ANYWHERE},
};

static const struct kind *kind_of(enum sipws_field_id id)
{
    size_t i = 0;
    while (kinds[i].id != id)
        i++;
    return &kinds[i];
}

static void field(struct gen *g, const struct kind *k, bool needed)
{
    struct gen_msg *m = g->m;
    struct gen_value v = {0};
    if (m->n == GEN_MSG_FIELDS)
        return;
    /* The grammar of RFC 3261 has characters of up to six octets, which UTF-8 has no longer. */
    if (!k->write &&
        (!gen_value_of(g->t, g->a, k->id, &v) || (g->want->utf8 && !sipws_utf8_valid(v.text))))
        return;
    struct gen_field *f = &m->fields[m->n++];
    *f = (struct gen_field){.id = k->id, .needed = needed};
    tape_begin(g->t, k->name);
    size_t line = g->wire.n, canon = g->canon.n;
    bool compact = k->compact && !g->want->plain && tape_chance(g->t, 48);
    m->compact = m->compact || compact;
    if (compact) {
        sipws_put(&g->canon, str(k->name));
        struct sipws_out keep = g->canon;
        any_case(g, k->compact);
        g->canon = keep;
    } else if (k->id == SIPWS_F_EXTENSION) {
        lit(g, k->name);
    } else {
        any_case(g, k->name);
    }
    f->name.n = g->wire.n - line;
    if (!g->want->plain && tape_chance(g->t, 16)) {
        sipws_put(&g->wire, str(tape_chance(g->t, 128) ? "\t" : "  "));
        m->spaces = true;
    }
    lit(g, ":");
    size_t colon = g->canon.n;
    sws(g, " ");
    size_t empty = g->canon.n;
    if (k->write) {
        k->write(g);
    } else {
        m->folds = m->folds || v.folds;
        m->spaces = m->spaces || v.spaces;
        sipws_put(&g->wire, g->want->plain ? v.canon : v.text);
        sipws_put(&g->canon, v.canon);
    }
    if (g->canon.n == empty) { /* the canonical form of an empty value has no white space */
        g->canon.n = colon;
        g->wire.n -= g->want->plain ? 1 : 0;
    }
    lit(g, "\r\n");
    f->line = (struct sipws_str){NULL, g->wire.n - line};
    f->canon = (struct sipws_str){NULL, g->canon.n - canon};
    tape_end(g->t);
}

/* ---- the message ------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    enum sipws_method method;
} methods[] = {
    {"OPTIONS", SIPWS_M_OPTIONS},   {"INVITE", SIPWS_M_INVITE},
    {"REGISTER", SIPWS_M_REGISTER}, {"ACK", SIPWS_M_ACK},
    {"BYE", SIPWS_M_BYE},           {"CANCEL", SIPWS_M_CANCEL},
    {"MESSAGE", SIPWS_M_MESSAGE},   {"SUBSCRIBE", SIPWS_M_SUBSCRIBE},
    {"NOTIFY", SIPWS_M_NOTIFY},     {"PUBLISH", SIPWS_M_PUBLISH},
    {"REFER", SIPWS_M_REFER},       {"INFO", SIPWS_M_INFO},
    {"UPDATE", SIPWS_M_UPDATE},     {"PRACK", SIPWS_M_PRACK},
    {"X-a.b", SIPWS_M_EXTENSION},   {"INVITES", SIPWS_M_EXTENSION},
    {"RE", SIPWS_M_EXTENSION},
};

static void start(struct gen *g)
{
    static const uint16_t statuses[] = {200, 100, 180, 183, 199, 202, 299, 300, 302,
                                        401, 404, 405, 407, 415, 420, 421, 422, 423,
                                        481, 487, 489, 500, 503, 600, 606, 699};
    static const char *const reasons[] = {
        "OK",     "",        "Not Here (yet); try @ 5%25", "\xC3\xA9t\xC3\xA9", "a  b\tc",
        " leads", "\x80\xBF"};
    struct gen_msg *m = g->m;
    unsigned which = tape_below(g->t, COUNT(methods));
    m->method = methods[which].method;
    m->method_name = str(methods[which].name);
    m->is_request =
        g->want->request == g->want->response ? !tape_chance(g->t, 100) : g->want->request;
    if (m->is_request) {
        g->sips = g->want->transport != SIPWS_TRANSPORT_WS && tape_chance(g->t, 40);
        both(g, m->method_name);
        lit(g, " ");
        size_t from = g->canon.n;
        uri(g, m->method == SIPWS_M_REGISTER ? REGISTRAR : REQUEST_URI);
        m->uri.n = g->canon.n - from;
        lit(g, " SIP/2.0\r\n");
    } else {
        m->status = statuses[tape_below(g->t, COUNT(statuses))];
        lit(g, "SIP/2.0 ");
        number(g, m->status);
        lit(g, " ");
        m->reason = str(PICK(g, reasons));
        if (g->want->utf8 && !strcmp(m->reason.p, "\x80\xBF"))
            m->reason = str("");
        both(g, m->reason);
        lit(g, "\r\n");
    }
    m->start.n = g->wire.n;
    m->canon_start.n = g->canon.n;
}

/* Draws the body first: Content-Length and Content-Type may stand before it. */
static void body(struct gen *g, char *to, size_t cap)
{
    static const char *const lines[] = {
        "v=0\r\n",      "o=- 1 1 IN IP4 192.0.2.1\r\n",
        "s=-\r\n",      "a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n",
        "\r\n",         "Via: not a field\r\n",
        "\xE2\x82\xAC", " "};
    struct sipws_out o = sipws_out(to, cap);
    unsigned how = tape_below(g->t, 4);
    struct sipws_str piece = {NULL, 0};
    if (how == 0) {
        g->body = (struct sipws_str){to, 0};
        return;
    }
    g->type = how == 3 && !g->want->utf8 ? "application/octet-stream" : "text/plain";
    while (tape_next(g->t, "body", 6)) {
        unsigned char octets[4];
        piece = str(PICK(g, lines));
        if (how == 3 && !g->want->utf8) {
            tape_bytes(g->t, octets, sizeof octets);
            piece = (struct sipws_str){(char *)octets, sizeof octets};
        }
        if (o.n + piece.n <= cap)
            sipws_put(&o, piece);
        tape_end(g->t);
    }
    g->body = sipws_out_str(&o);
}

/* The fields without which the message is wrong. Written from the standards, not from msg.def. */
static unsigned needed(struct gen *g, enum sipws_field_id *out)
{
    struct gen_msg *m = g->m;
    unsigned n = 0;
    unsigned status = m->status;
    bool ok = status / 100 == 2;
    out[n++] = SIPWS_F_VIA;
    out[n++] = SIPWS_F_FROM;
    out[n++] = SIPWS_F_TO;
    out[n++] = SIPWS_F_CALL_ID;
    out[n++] = SIPWS_F_CSEQ;
    if (m->is_request)
        out[n++] = SIPWS_F_MAX_FORWARDS;
    switch (m->method) {
    case SIPWS_M_INVITE:
        if (m->is_request || ok)
            out[n++] = SIPWS_F_CONTACT;
        break;
    case SIPWS_M_SUBSCRIBE:
        if (m->is_request) {
            out[n++] = SIPWS_F_CONTACT;
            out[n++] = SIPWS_F_EVENT;
        } else if (ok) {
            out[n++] = SIPWS_F_EXPIRES;
        }
        break;
    case SIPWS_M_NOTIFY:
        if (m->is_request) {
            out[n++] = SIPWS_F_CONTACT;
            out[n++] = SIPWS_F_EVENT;
            out[n++] = SIPWS_F_SUBSCRIPTION_STATE;
        }
        break;
    case SIPWS_M_REFER:
        if (m->is_request || ok)
            out[n++] = SIPWS_F_CONTACT;
        if (m->is_request)
            out[n++] = SIPWS_F_REFER_TO;
        break;
    case SIPWS_M_UPDATE:
        if (m->is_request || ok)
            out[n++] = SIPWS_F_CONTACT;
        break;
    case SIPWS_M_PRACK:
        if (m->is_request)
            out[n++] = SIPWS_F_RACK;
        break;
    case SIPWS_M_PUBLISH:
        if (m->is_request) {
            out[n++] = SIPWS_F_EVENT;
            if (g->body.n == 0)
                out[n++] = SIPWS_F_SIP_IF_MATCH;
        } else if (ok) {
            out[n++] = SIPWS_F_EXPIRES;
            out[n++] = SIPWS_F_SIP_ETAG;
        }
        break;
    case SIPWS_M_EXTENSION:
    case SIPWS_M_ACK:
    case SIPWS_M_BYE:
    case SIPWS_M_CANCEL:
    case SIPWS_M_INFO:
    case SIPWS_M_MESSAGE:
    case SIPWS_M_OPTIONS:
    case SIPWS_M_REGISTER:
    case SIPWS_METHOD_COUNT:
    default:
        break;
    }
    static const struct {
        unsigned status;
        enum sipws_field_id id;
    } by_status[] = {{401, SIPWS_F_WWW_AUTHENTICATE},
                     {405, SIPWS_F_ALLOW},
                     {407, SIPWS_F_PROXY_AUTHENTICATE},
                     {415, SIPWS_F_ACCEPT},
                     {420, SIPWS_F_UNSUPPORTED},
                     {421, SIPWS_F_REQUIRE},
                     {422, SIPWS_F_MIN_SE},
                     {423, SIPWS_F_MIN_EXPIRES}};
    for (size_t i = 0; i < COUNT(by_status); i++)
        if (status == by_status[i].status)
            out[n++] = by_status[i].id;
    if (status > 100 && status < 200 && tape_chance(g->t, 100)) {
        g->reliable = true;
        out[n++] = SIPWS_F_RSEQ;
        out[n++] = SIPWS_F_REQUIRE;
    }
    if (g->body.n > 0)
        out[n++] = SIPWS_F_CONTENT_TYPE;
    return n;
}

static bool stands(const struct gen_msg *m, enum sipws_field_id id)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id == id)
            return true;
    return false;
}

/* May this field stand in the message once more? Lists may, and what no table knows. */
static bool may_repeat(const struct kind *k)
{
    return k->write == f_route || k->write == f_supported || k->write == f_allow ||
           k->id == SIPWS_F_EXTENSION || k->id == SIPWS_F_ALERT_INFO;
}

static void header(struct gen *g)
{
    enum sipws_field_id ids[16];
    unsigned n = needed(g, ids);
    /* Any order: the next one is one of those that are left. */
    for (unsigned left = n; left > 0; left--) {
        unsigned i = tape_below(g->t, left);
        field(g, kind_of(ids[i]), true);
        memmove(&ids[i], &ids[i + 1], (left - 1 - i) * sizeof *ids);
        while (tape_next(g->t, "more", 1)) {
            const struct kind *k = &kinds[tape_below(g->t, COUNT(kinds))];
            bool coming = false;
            for (unsigned j = 0; j + 1 < left; j++)
                coming = coming || ids[j] == k->id;
            /* A 415 needs one of three; where it has more, none of them is needed. */
            coming = coming || (g->m->status == 415 && (k->id == SIPWS_F_ACCEPT_ENCODING ||
                                                        k->id == SIPWS_F_ACCEPT_LANGUAGE));
            enum where here = g->m->is_request ? REQUESTS : RESPONSES;
            if ((k->where & here) && !coming && (may_repeat(k) || !stands(g->m, k->id)))
                field(g, k, false);
            tape_end(g->t);
        }
    }
}

/* The slices of the model were lengths so far. */
static void settle(struct gen_msg *m)
{
    const char *p = m->text.p, *q = m->canon.p;
    m->start.p = p;
    m->canon_start.p = q;
    p += m->start.n;
    q += m->canon_start.n;
    if (m->is_request)
        m->uri.p = m->canon.p + m->method_name.n + 1;
    for (size_t i = 0; i < m->n; i++) {
        struct gen_field *f = &m->fields[i];
        f->name.p = f->line.p = p;
        f->canon.p = q;
        p += f->line.n;
        q += f->canon.n;
    }
    m->body.p = p + 2;
}

bool gen_msg(struct tape *t, struct arena *a, const struct gen_msg_want *want, struct gen_msg *out)
{
    struct gen g = {.t = t, .a = a, .m = out, .want = want};
    size_t cap = want->body ? want->body : 600;
    memset(out, 0, sizeof *out);
    char *wire = arena_get(a, GEN_MSG_MAX + cap), *canon = arena_get(a, GEN_MSG_MAX + cap);
    char *octets = arena_get(a, cap);
    if (!wire || !canon || !octets)
        return false;
    g.wire = sipws_out(wire, GEN_MSG_MAX + cap);
    g.canon = sipws_out(canon, GEN_MSG_MAX + cap);
    tape_begin(t, "message");
    start(&g);
    body(&g, octets, cap);
    header(&g);
    tape_end(t);
    lit(&g, "\r\n");
    both(&g, g.body);
    if (!sipws_out_ok(&g.wire) || !sipws_out_ok(&g.canon))
        return false;
    out->text = arena_copy(a, sipws_out_str(&g.wire));
    out->canon = arena_copy(a, sipws_out_str(&g.canon));
    if (!out->text.p || !out->canon.p)
        return false;
    out->body.n = g.body.n;
    settle(out);
    return true;
}

/* ---- bent messages ----------------------------------------------------------------------------
 */

/* The text with the octets [from, to) replaced. */
static struct gen_bent bend(struct arena *a, const struct gen_msg *m, const char *how, size_t from,
                            size_t to, struct sipws_str with)
{
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, (struct sipws_str){m->text.p, from});
    sipws_put(&o, with);
    sipws_put(&o, (struct sipws_str){m->text.p + to, m->text.n - to});
    return (struct gen_bent){how, arena_end(a, &o), from};
}

static size_t count(const struct gen_msg *m, enum sipws_field_id id)
{
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++)
        n += m->fields[i].id == id;
    return n;
}

/* The text with the line of the field `id` replaced, or with one more line where there is none. */
static struct gen_bent bend_field(struct arena *a, const struct gen_msg *m, const char *how,
                                  enum sipws_field_id id, const char *with)
{
    size_t from = (size_t)(m->body.p - m->text.p) - 2, to = from;
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id == id) {
            from = (size_t)(m->fields[i].line.p - m->text.p);
            to = from + m->fields[i].line.n;
        }
    return bend(a, m, how, from, to, str(with));
}

/* A Content-Length that is next to right, or right in its lower 32 bits. */
static struct gen_bent bend_length(struct tape *t, struct arena *a, const struct gen_msg *m)
{
    char line[48];
    struct sipws_out o = sipws_out(line, sizeof line - 1);
    uint64_t n = m->body.n;
    unsigned how = tape_below(t, 3);
    sipws_put_lit(&o, "l: ");
    sipws_put_uint(&o, how == 1 && n > 0 ? n - 1 : how == 2 ? n + (UINT64_C(1) << 32) : n + 1);
    sipws_put_lit(&o, "\r\n");
    line[o.n] = '\0';
    return bend_field(a, m, "Content-Length is wrong", SIPWS_F_CONTENT_LENGTH, line);
}

struct gen_bent gen_msg_bent(struct tape *t, struct arena *a, const struct gen_msg *m)
{
    size_t i = tape_below(t, (uint32_t)m->n);
    unsigned how = tape_below(t, 13);
    const struct gen_field *f = &m->fields[i];
    size_t line = (size_t)(f->line.p - m->text.p), end = line + f->line.n;
    size_t start = m->start.n, head = (size_t)(m->body.p - m->text.p);
    size_t needed = 0;
    while (!m->fields[needed].needed || m->fields[needed].id == SIPWS_F_CONTACT ||
           count(m, m->fields[needed].id) > 1)
        needed++;
    const struct gen_field *n = &m->fields[needed];
    size_t n_at = (size_t)(n->line.p - m->text.p);
    switch (how) {
    case 0:
        return bend(a, m, "a needed field is gone", n_at, n_at + n->line.n, str(""));
    case 1:
        return bend(a, m, "the CR of a line end is gone", end - 2, end - 1, str(""));
    case 2:
        return bend(a, m, "the LF of a line end is gone", end - 1, end, str(""));
    case 3:
        return bend(a, m, "a name has a space in it", line, line, str("a b"));
    case 4:
        return bend(a, m, "the empty line is gone", head - 2, m->text.n, str(""));
    case 5:
        return bend(a, m, "the version is another", m->is_request ? start - 3 : 6,
                    m->is_request ? start - 2 : 7, str("1"));
    case 6:
        return bend(a, m, "a line end stands before the start line", 0, 0, str("\r\n"));
    case 7:
        return bend(a, m, "Call-ID stands twice", head - 2, head - 2, str("I: again\r\n"));
    case 8:
        return bend(a, m, "a NUL stands in a name", line, line, (struct sipws_str){"", 1});
    case 9:
        return bend_length(t, a, m);
    case 10:
        return bend_field(a, m, "From has no tag", SIPWS_F_FROM, "From: <sip:a>;x=tag\r\n");
    case 11:
        return bend_field(a, m, "Via has no branch", SIPWS_F_VIA, "v: SIP/2.0/WSS a;rport\r\n");
    default:
        return bend(a, m, "the start line is folded", start, start, str(" \r\n"));
    }
}
