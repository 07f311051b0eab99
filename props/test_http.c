/* The opening handshake: what both readers take, what they refuse and at which octet, where a head
 * ends, and what is printed. Expectations are counted by hand from RFC 6455 section 4, RFC 7118
 * section 4 and RFC 7230.
 *
 * A case is a sound head in which one slot is replaced. In the replacement, "\1" stands before the
 * octet at which the refusal is due, and is taken out; without one, it is due at the empty line. */
#include "http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define KEY     "c2lwd3MtdGVzdC1ub25jZQ=="
#define ACCEPT  "NDdvgvFPIWwO3GfemLQzWFzXHDc="
#define TEN     "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

enum { START, HOST, UPGRADE, CONNECTION, SECRET, VERSION, PROTOCOL, MORE, END, SLOTS };

static const struct sipws_str request_slots[SLOTS] = {
    [START] = {"GET /ws?room=4 HTTP/1.1\r\n", 25},
    [HOST] = {"Host: ws.example.org\r\n", 22},
    [UPGRADE] = {"Upgrade: websocket\r\n", 20},
    [CONNECTION] = {"Connection: Upgrade\r\n", 21},
    [SECRET] = {"Sec-WebSocket-Key: " KEY "\r\n", 45},
    [VERSION] = {"Sec-WebSocket-Version: 13\r\n", 27},
    [PROTOCOL] = {"Sec-WebSocket-Protocol: sip\r\n", 29},
    [MORE] = {"", 0},
    [END] = {"\r\n", 2},
};

static const struct sipws_str response_slots[SLOTS] = {
    [START] = {"HTTP/1.1 101 Switching Protocols\r\n", 34},
    [UPGRADE] = {"Upgrade: websocket\r\n", 20},
    [CONNECTION] = {"Connection: Upgrade\r\n", 21},
    [SECRET] = {"Sec-WebSocket-Accept: " ACCEPT "\r\n", 52},
    [PROTOCOL] = {"Sec-WebSocket-Protocol: sip\r\n", 29},
    [END] = {"\r\n", 2},
};

struct head {
    char text[4096];
    size_t n;
    size_t mark;
    bool marked;
};

static void add(struct head *h, struct sipws_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\1') {
            assert_false(h->marked);
            h->marked = true;
            h->mark = h->n;
            continue;
        }
        assert_true(h->n < sizeof h->text);
        h->text[h->n++] = s.p[i];
    }
}

static void build(struct head *h, const struct sipws_str *slots, int slot, struct sipws_str text)
{
    h->n = 0;
    h->marked = false;
    for (int i = 0; i < SLOTS; i++)
        add(h, i == slot ? text : slots[i]);
    if (!h->marked)
        h->mark = h->n - 2;
}

static bool reached[SIPWS_ERR_COUNT];

/* A copy of exactly its size, so that AddressSanitizer sees an octet read past the end. */
static char *copy(const char *p, size_t n)
{
    char *q = malloc(n ? n : 1);
    assert_non_null(q);
    if (n > 0)
        memcpy(q, p, n);
    return q;
}

struct verdict_of {
    bool ok;
    struct sipws_diag diag;
    struct sipws_http http;
    char *text; /* the slices alias it */
};

/* The head as a connection takes it: its end first, then what it says. */
static struct verdict_of judge(bool is_request, const char *p, size_t n)
{
    struct verdict_of v = {.text = copy(p, n)};
    struct sipws_str head = {v.text, n}, key = SIPWS_STR(KEY);
    v.diag = (struct sipws_diag){SIPWS_OK, 0, "", ""};
    v.ok = is_request ? sipws_http_request(head, &v.http, &v.diag)
                      : sipws_http_response(head, key, &v.http, &v.diag);
    if (!v.ok)
        reached[v.diag.err] = true;
    return v;
}

struct refused {
    const char *title;
    int slot;
    enum sipws_err err;
    const char *rule;
    struct sipws_str text;
};

#define R(title, slot, err, rule, text)                                                            \
    {                                                                                              \
        title, slot, SIPWS_E_##err, rule,                                                          \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }

static const struct refused requests[] = {
    /* request-line */
    R("no method", START, HTTP_LINE, "method", "\1 /ws HTTP/1.1\r\n"),
    R("no start line", START, HTTP_LINE, "method", "\1: /ws HTTP/1.1\r\n"),
    R("a TLS hello", START, HTTP_LINE, "method", "\1\x16\x03\x03\x02\r\n"),
    R("POST", START, HTTP_METHOD, "method", "\1POST /ws HTTP/1.1\r\n"),
    R("a method is compared with case", START, HTTP_METHOD, "method", "\1get /ws HTTP/1.1\r\n"),
    R("a longer method", START, HTTP_METHOD, "method", "GET\1S /ws HTTP/1.1\r\n"),
    R("a shorter method", START, HTTP_METHOD, "method", "GE\1 /ws HTTP/1.1\r\n"),
    R("a SIP request", START, HTTP_METHOD, "method", "\1OPTIONS sip:example.org SIP/2.0\r\n"),
    R("a tab after the method", START, HTTP_LINE, "request-line", "GET\1\t/ws HTTP/1.1\r\n"),
    R("two spaces before the target", START, HTTP_TARGET, "request-target",
      "GET \1 /ws HTTP/1.1\r\n"),
    R("no target", START, HTTP_LINE, "request-line", "GET\1\r\n"),
    R("HTTP/0.9", START, HTTP_LINE, "request-line", "GET /ws\1\r\n"),
    R("a space in the target", START, HTTP_LINE, "HTTP-version", "GET /w \1s HTTP/1.1\r\n"),
    R("two spaces before the version", START, HTTP_LINE, "HTTP-version", "GET /ws \1 HTTP/1.1\r\n"),
    R("HTTP in lower case", START, HTTP_LINE, "HTTP-version", "GET /ws \1http/1.1\r\n"),
    R("no dot in the version", START, HTTP_LINE, "HTTP-version", "GET /ws HTTP/1\1\r\n"),
    R("two digits in the version", START, HTTP_LINE, "request-line",
      "GET /ws HTTP/1.1\1"
      "0\r\n"),
    R("a space after the version", START, HTTP_LINE, "request-line", "GET /ws HTTP/1.1\1 \r\n"),
    R("HTTP/1.0", START, HTTP_VERSION, "HTTP-version",
      "GET /ws HTTP/1.\1"
      "0\r\n"),
    R("HTTP/0.9 by name", START, HTTP_VERSION, "HTTP-version",
      "GET /ws HTTP/\1"
      "0.9\r\n"),
    R("HTTP/2.0", START, HTTP_VERSION, "HTTP-version",
      "GET /ws HTTP/\1"
      "2.0\r\n"),

    /* request-target */
    R("asterisk-form", START, HTTP_TARGET, "request-target", "GET \1* HTTP/1.1\r\n"),
    R("authority-form", START, HTTP_TARGET, "request-target",
      "GET \1ws.example.org:80 HTTP/1.1\r\n"),
    R("a path without its slash", START, HTTP_TARGET, "request-target", "GET \1ws HTTP/1.1\r\n"),
    R("a ws URI", START, HTTP_TARGET, "request-target", "GET \1ws://ws.example.org/ HTTP/1.1\r\n"),
    R("a query without a path", START, HTTP_TARGET, "request-target", "GET \1?a HTTP/1.1\r\n"),
    R("a fragment", START, HTTP_LINE, "request-line", "GET /ws\1#top HTTP/1.1\r\n"),
    R("an octet that no path has", START, HTTP_LINE, "request-line", "GET /w\1|s HTTP/1.1\r\n"),
    R("an octet above 127 in a path", START, HTTP_LINE, "request-line",
      "GET /w\1\xC3\xBC HTTP/1.1\r\n"),
    R("a NUL in a path", START, HTTP_LINE, "request-line", "GET /w\1\0 HTTP/1.1\r\n"),
    R("a broken escape", START, HTTP_TARGET, "absolute-path", "GET /%4\1g HTTP/1.1\r\n"),
    R("a broken escape in the query", START, HTTP_TARGET, "query", "GET /?%\1 HTTP/1.1\r\n"),
    R("an absolute URI without a host", START, HTTP_TARGET, "uri-host",
      "GET http://\1/ws HTTP/1.1\r\n"),
    R("an absolute URI with a user", START, HTTP_TARGET, "request-target",
      "GET http://me\1@ws.example.org/ HTTP/1.1\r\n"),
    R("an absolute URI with a bad port", START, HTTP_TARGET, "port",
      "GET http://ws.example.org:\1x/ HTTP/1.1\r\n"),
    R("an absolute URI with a bad address", START, HTTP_TARGET, "IP-literal",
      "GET http://[::1\1%25lo]/ HTTP/1.1\r\n"),

    /* header lines */
    R("white space before the colon", MORE, HTTP_FIELD, "header-field", "X-Note\1 : a\r\n"),
    R("white space before the colon of Host", HOST, HTTP_FIELD, "header-field",
      "Host\1 : ws.example.org\r\n"),
    R("a tab before the colon", MORE, HTTP_FIELD, "header-field", "X-Note\1\t: a\r\n"),
    R("a fold", MORE, HTTP_FIELD, "field-name", "X-Note: a\r\n\1 b\r\n"),
    R("a fold before the first field", START, HTTP_FIELD, "field-name",
      "GET /ws HTTP/1.1\r\n\1 X-Note: a\r\n"),
    R("no name", MORE, HTTP_FIELD, "field-name", "\1: a\r\n"),
    R("no colon", MORE, HTTP_FIELD, "header-field", "X-Note\1\r\n"),
    R("a name that is no token", MORE, HTTP_FIELD, "header-field", "X\1(Note): a\r\n"),
    R("an octet above 127 in a name", MORE, HTTP_FIELD, "header-field", "X\1\xE9: a\r\n"),
    R("a NUL in a value", MORE, HTTP_FIELD, "field-value", "X-Note: a\1\0b\r\n"),
    R("a DEL in a value", MORE, HTTP_FIELD, "field-value",
      "X-Note: a\1\x7F"
      "b\r\n"),
    R("an escape in a value", MORE, HTTP_FIELD, "field-value", "X-Note: \1\x1B[0m\r\n"),
    R("a NUL that would cut Host short", HOST, HTTP_FIELD, "field-value",
      "Host: ws.example.org\1\0.evil.invalid\r\n"),

    /* line ends */
    R("a bare LF", MORE, HTTP_CRLF, "CRLF", "X-Note: a\1\nX-More: b\r\n"),
    R("a bare CR", MORE, HTTP_CRLF, "CRLF", "X-Note: a\r\1b\r\n"),
    R("CR CR LF", MORE, HTTP_CRLF, "CRLF", "X-Note: a\r\1\r\n"),
    R("a bare LF first", START, HTTP_CRLF, "CRLF", "\1\nGET /ws HTTP/1.1\r\n"),
    R("a bare LF for the empty line", END, HTTP_CRLF, "CRLF", "\1\n"),
    R("a CR that ends nothing", END, HTTP_CRLF, "CRLF", "\r\1\r\n"),
    R("the start line ends with LF", START, HTTP_CRLF, "CRLF", "GET /ws HTTP/1.1\1\n"),

    /* what is not one whole head */
    R("an empty line first", START, HTTP_BODY, "head", "\r\n\1GET /ws HTTP/1.1\r\n"),
    R("octets behind the head", END, HTTP_BODY, "head", "\r\n\1\x81\x80"),
    R("no empty line", END, HTTP_CUT, "head", "\1"),
    R("half an empty line", END, HTTP_CUT, "head", "\r\1"),

    /* Host */
    R("no Host", HOST, HTTP_HOST, "Host", ""),
    R("a name that starts as Host", HOST, HTTP_HOST, "Host", "Hosts: ws.example.org\r\n"),
    R("Host twice", MORE, HTTP_DUPLICATE, "Host", "\1host: ws.example.org\r\n"),
    R("an empty Host", HOST, HTTP_HOST, "uri-host", "Host:\1\r\n"),
    R("a Host of a port only", HOST, HTTP_HOST, "uri-host", "Host: \1:80\r\n"),
    R("a Host with a path", HOST, HTTP_HOST, "Host", "Host: ws.example.org\1/ws\r\n"),
    R("a Host with a user", HOST, HTTP_HOST, "Host", "Host: me\1@ws.example.org\r\n"),
    R("a Host of two", HOST, HTTP_HOST, "Host", "Host: ws.example.org\1 evil.invalid\r\n"),
    R("a Host with no port behind the colon", HOST, HTTP_HOST, "port",
      "Host: ws.example.org:\1\r\n"),
    R("a Host with a port of words", HOST, HTTP_HOST, "port", "Host: ws.example.org:\1http\r\n"),
    R("a port above 65535", HOST, HTTP_HOST, "port",
      "Host: ws.example.org:\1"
      "65536\r\n"),
    R("a port of 2^64", HOST, HTTP_HOST, "port",
      "Host: h:\1"
      "18446744073709551616\r\n"),
    R("a broken escape in a Host", HOST, HTTP_HOST, "reg-name", "Host: ws%2\1.example.org\r\n"),
    R("an octet above 127 in a Host", HOST, HTTP_HOST, "Host", "Host: w\1\xC3\xBC.example\r\n"),
    R("an IPv6 address without brackets", HOST, HTTP_HOST, "port",
      "Host: 2001:\1"
      "db8::1\r\n"),
    R("an IPv6 address with one bracket", HOST, HTTP_HOST, "IP-literal",
      "Host: [2001:db8::1\1\r\n"),
    R("an IPv6 address with a zone", HOST, HTTP_HOST, "IP-literal", "Host: [fe80::1\1%25eth0]\r\n"),
    R("an IPv6 address of seven groups", HOST, HTTP_HOST, "IP-literal",
      "Host: [1:2:3:4:5:6:7\1]\r\n"),
    R("an IPv6 address of nine groups", HOST, HTTP_HOST, "IP-literal",
      "Host: [1:2:3:4:5:6:7:8\1:9]\r\n"),
    R("a gap and eight groups", HOST, HTTP_HOST, "IP-literal", "Host: [1::2:3:4:5:6:7\1:8]\r\n"),
    R("an IPv4 part too early", HOST, HTTP_HOST, "IP-literal", "Host: [1:2:192\1.0.2.5]\r\n"),
    R("eight groups and a gap", HOST, HTTP_HOST, "IP-literal", "Host: [1:2:3:4:5:6:7:8\1::]\r\n"),
    R("two gaps", HOST, HTTP_HOST, "IP-literal", "Host: [1::2:\1:3]\r\n"),
    R("five digits", HOST, HTTP_HOST, "IP-literal",
      "Host: [::1234\1"
      "5]\r\n"),
    R("an IPv4 part above 255", HOST, HTTP_HOST, "IP-literal",
      "Host: [::192.0.2.25\1"
      "6]\r\n"),
    R("an IPv4 part of three", HOST, HTTP_HOST, "IP-literal", "Host: [::192.0.2\1]\r\n"),
    R("an IPv4 part with a leading zero", HOST, HTTP_HOST, "IP-literal",
      "Host: [::192.0.2.0\1"
      "1]\r\n"),
    R("an address of the future", HOST, HTTP_HOST, "IP-literal", "Host: [\1v1.x]\r\n"),
    R("empty brackets", HOST, HTTP_HOST, "IP-literal", "Host: [\1]\r\n"),
    R("another server in the target", START, HTTP_HOST, "Host",
      "GET http://other.example.org/ws HTTP/1.1\r\nHost: \1ws.example.org\r\n"),
    R("another port in the target", START, HTTP_HOST, "Host",
      "GET http://ws.example.org:8080/ws HTTP/1.1\r\nHost: \1ws.example.org\r\n"),
    R("the default port of the other scheme", START, HTTP_HOST, "Host",
      "GET https://ws.example.org/ws HTTP/1.1\r\nHost: \1ws.example.org:80\r\n"),

    /* Upgrade, Connection */
    R("no Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", ""),
    R("another Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: \1h2c\r\n"),
    R("an empty Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade:\1\r\n"),
    R("an Upgrade of commas", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: , ,\1\r\n"),
    R("an Upgrade of commas beside a good one", MORE, HTTP_UPGRADE, "Upgrade", "Upgrade: ,\1\r\n"),
    R("an empty Upgrade beside a good one", MORE, HTTP_UPGRADE, "Upgrade", "Upgrade:\1\r\n"),
    R("part of a word in Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: \1websockets\r\n"),
    R("a version of websocket", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: \1websocket/13\r\n"),
    R("a version without digits", UPGRADE, HTTP_UPGRADE, "protocol-version",
      "Upgrade: websocket/\1\r\n"),
    R("two words in Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: websocket \1h2c\r\n"),
    R("a quote in Upgrade", UPGRADE, HTTP_UPGRADE, "protocol-name", "Upgrade: \1\"websocket\"\r\n"),
    R("no Connection", CONNECTION, HTTP_CONNECTION, "Connection", ""),
    R("a Connection of commas beside a good one", MORE, HTTP_CONNECTION, "Connection",
      "Connection: ,,\1\r\n"),
    R("an empty Connection beside a good one", MORE, HTTP_CONNECTION, "Connection",
      "Connection:\1\r\n"),
    R("keep-alive only", CONNECTION, HTTP_CONNECTION, "Connection", "Connection: \1keep-alive\r\n"),
    R("part of a word in Connection", CONNECTION, HTTP_CONNECTION, "Connection",
      "Connection: \1not-upgrade, upgrades\r\n"),
    R("two words in Connection", CONNECTION, HTTP_CONNECTION, "Connection",
      "Connection: keep-alive \1Upgrade\r\n"),
    R("a semicolon in Connection", CONNECTION, HTTP_CONNECTION, "Connection",
      "Connection: keep-alive\1; Upgrade\r\n"),
    R("no token in Connection", CONNECTION, HTTP_CONNECTION, "connection-option",
      "Connection: Upgrade, \1@\r\n"),

    /* Sec-WebSocket-Key */
    R("no key", SECRET, HTTP_KEY, "Sec-WebSocket-Key", ""),
    R("two keys", MORE, HTTP_DUPLICATE, "Sec-WebSocket-Key",
      "\1SEC-WEBSOCKET-KEY: AAAAAAAAAAAAAAAAAAAAAA==\r\n"),
    R("an empty key", SECRET, HTTP_KEY, "base64-value-non-empty", "Sec-WebSocket-Key: \1\r\n"),
    R("a key of 15 octets", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\1\r\n"),
    R("a key of 17 octets", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA\1A=\r\n"),
    R("a key with one padding", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=\1\r\n"),
    R("a key with three paddings", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\1=\r\n"),
    R("a key in base64url", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AA\1_AAAAAAAAAAAAAAAAAAA==\r\n"),
    R("a key with white space", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAA\1 AAAAAAAAAAAAAAAAAA==\r\n"),
    R("a key whose spare bits are set", SECRET, HTTP_KEY, "base64-value-non-empty",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAA\1C==\r\n"),

    /* Sec-WebSocket-Version */
    R("no version", VERSION, HTTP_WSVERSION, "Sec-WebSocket-Version", ""),
    R("two versions", MORE, HTTP_DUPLICATE, "Sec-WebSocket-Version",
      "\1Sec-WebSocket-Version: 13\r\n"),
    R("version 8", VERSION, HTTP_WSVERSION, "version",
      "Sec-WebSocket-Version: \1"
      "8\r\n"),
    R("version 1", VERSION, HTTP_WSVERSION, "version", "Sec-WebSocket-Version: 1\1\r\n"),
    R("version 131", VERSION, HTTP_WSVERSION, "version",
      "Sec-WebSocket-Version: 13\1"
      "1\r\n"),
    R("version 013", VERSION, HTTP_WSVERSION, "version",
      "Sec-WebSocket-Version: \1"
      "013\r\n"),
    R("a list of versions", VERSION, HTTP_WSVERSION, "version",
      "Sec-WebSocket-Version: 13\1, 8\r\n"),
    R("an empty version", VERSION, HTTP_WSVERSION, "version", "Sec-WebSocket-Version:\1\r\n"),

    /* Sec-WebSocket-Protocol */
    R("no subprotocol", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol", ""),
    R("SIP", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: \1SIP\r\n"),
    R("sips", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol",
      "Sec-WebSocket-Protocol: \1sips\r\n"),
    R("gossip", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol",
      "Sec-WebSocket-Protocol: \1gossip\r\n"),
    R("near sip", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol",
      "Sec-WebSocket-Protocol: \1xsip, sip2,sip.example.org , Sip,si\r\n"),
    R("msrp in two fields", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol",
      "Sec-WebSocket-Protocol: \1msrp\r\nSec-WebSocket-Protocol: xmpp\r\n"),
    R("an empty offer", PROTOCOL, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol:\1\r\n"),
    R("an offer of commas", PROTOCOL, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: ,,\1\r\n"),
    R("sip twice", PROTOCOL, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: sip, \1sip\r\n"),
    R("sip in two fields", MORE, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: msrp, \1sip\r\n"),
    R("a quoted subprotocol", PROTOCOL, HTTP_PROTOCOL, "token",
      "Sec-WebSocket-Protocol: \1\"sip\"\r\n"),
    R("two words", PROTOCOL, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: sip \1msrp\r\n"),
    R("a slash in a subprotocol", PROTOCOL, HTTP_PROTOCOL, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: sip\1/2.0\r\n"),
    R("33 subprotocols", PROTOCOL, LIMIT_SUBPROTOCOLS, "Sec-WebSocket-Protocol-Client",
      "Sec-WebSocket-Protocol: sip,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,"
      "A,B,C,D,E,\1F\r\n"),

    /* Sec-WebSocket-Extensions */
    R("an empty offer of extensions", MORE, HTTP_EXTENSION, "extension-list",
      "Sec-WebSocket-Extensions: \1\r\n"),
    R("a parameter without a name", MORE, HTTP_EXTENSION, "extension-param",
      "Sec-WebSocket-Extensions: foo; \1=1\r\n"),
    R("a parameter that is not there", MORE, HTTP_EXTENSION, "extension-param",
      "Sec-WebSocket-Extensions: foo;\1, bar\r\n"),
    R("an equal sign with nothing behind it", MORE, HTTP_EXTENSION, "extension-param",
      "Sec-WebSocket-Extensions: foo; a=\1\r\n"),
    R("a quoted string that does not end", MORE, HTTP_EXTENSION, "quoted-string",
      "Sec-WebSocket-Extensions: foo; a=\"b\1\r\n"),
    R("a quoted string that ends in a backslash", MORE, HTTP_EXTENSION, "quoted-string",
      "Sec-WebSocket-Extensions: foo; a=\"b\\\1\r\n"),
    R("an escaped quote is no token", MORE, HTTP_EXTENSION, "quoted-string",
      "Sec-WebSocket-Extensions: foo; a=\"b\\\1\"\"\r\n"),
    R("a quoted string with a space", MORE, HTTP_EXTENSION, "quoted-string",
      "Sec-WebSocket-Extensions: foo; a=\"b\1 c\"\r\n"),
    R("an empty quoted string", MORE, HTTP_EXTENSION, "quoted-string",
      "Sec-WebSocket-Extensions: foo; a=\"\1\"\r\n"),
    R("two words in an extension", MORE, HTTP_EXTENSION, "extension-list",
      "Sec-WebSocket-Extensions: foo \1bar\r\n"),

    /* Origin */
    R("two origins", MORE, HTTP_DUPLICATE, "Origin",
      "Origin: https://a.example.org\r\n\1Origin: https://evil.invalid\r\n"),
    R("an empty Origin", MORE, HTTP_ORIGIN_FORM, "scheme", "Origin:\1\r\n"),
    R("a host as Origin", MORE, HTTP_ORIGIN_FORM, "scheme", "Origin: a\1\r\n"),
    R("an Origin with a path", MORE, HTTP_ORIGIN_FORM, "serialized-origin",
      "Origin: https://a.example.org\1/\r\n"),
    R("an Origin with a user", MORE, HTTP_ORIGIN_FORM, "serialized-origin",
      "Origin: https://a.example.org\1@evil.invalid\r\n"),
    R("a list of origins", MORE, HTTP_ORIGIN_FORM, "serialized-origin",
      "Origin: https://a.example.org\1 https://evil.invalid\r\n"),
    R("an Origin with one slash", MORE, HTTP_ORIGIN_FORM, "scheme", "Origin: https:/\1a\r\n"),
    R("an Origin whose scheme starts with a digit", MORE, HTTP_ORIGIN_FORM, "scheme",
      "Origin: \1"
      "1a://b\r\n"),
    R("Null", MORE, HTTP_ORIGIN_FORM, "scheme", "Origin: Null\1\r\n"),
    R("an Origin with a bad port", MORE, HTTP_ORIGIN_FORM, "port", "Origin: https://a:\1b\r\n"),

    /* what HTTP knows and a handshake has none of */
    R("a body", MORE, HTTP_BODY, "Content-Length",
      "Content-Length: \1"
      "4\r\n"),
    R("a body with leading zeros", MORE, HTTP_BODY, "Content-Length",
      "Content-Length: 00\1"
      "4\r\n"),
    R("a negative body", MORE, HTTP_BODY, "Content-Length", "Content-Length: \1-1\r\n"),
    R("an empty Content-Length", MORE, HTTP_BODY, "Content-Length", "Content-Length:\1\r\n"),
    R("a list of lengths", MORE, HTTP_BODY, "Content-Length", "Content-Length: 0\1, 0\r\n"),
    R("two lengths", MORE, HTTP_DUPLICATE, "Content-Length",
      "Content-Length: 0\r\n\1Content-Length: 0\r\n"),
    R("chunks", MORE, HTTP_BODY, "Transfer-Encoding", "Transfer-Encoding: \1chunked\r\n"),
    R("identity", MORE, HTTP_BODY, "Transfer-Encoding", "transfer-encoding: \1identity\r\n"),
    R("two credentials", MORE, HTTP_DUPLICATE, "Authorization",
      "Authorization: Bearer a\r\nX: y\r\n\1authorization: Bearer b\r\n"),
    R("two cookies", MORE, HTTP_DUPLICATE, "Cookie", "Cookie: s=1\r\n\1Cookie: s=2\r\n"),

    /* what comes first is told first, and what is missing last */
    R("two faults in octet order", UPGRADE, HTTP_UPGRADE, "protocol-name",
      "Upgrade: \1@\r\nX-Note : b\r\n"),
    R("a fault before something missing", HOST, HTTP_FIELD, "header-field", "X-Note\1 : b\r\n"),
};

static const struct refused responses[] = {
    /* status-line */
    R("a request", START, HTTP_LINE, "HTTP-version", "\1GET / HTTP/1.1\r\n"),
    R("HTTP in lower case", START, HTTP_LINE, "HTTP-version", "\1http/1.1 101 Go\r\n"),
    R("SIP", START, HTTP_LINE, "HTTP-version", "\1SIP/2.0 200 OK\r\n"),
    R("another service", START, HTTP_LINE, "HTTP-version",
      "\1"
      "220 mail.example.org\r\n"),
    R("no status", START, HTTP_LINE, "status-line", "HTTP/1.1\1\r\n"),
    R("two spaces", START, HTTP_LINE, "status-code", "HTTP/1.1 \1 101 Go\r\n"),
    R("a status of two digits", START, HTTP_LINE, "status-code", "HTTP/1.1 10\1 Go\r\n"),
    R("a status of four digits", START, HTTP_LINE, "status-line",
      "HTTP/1.1 101\1"
      "1 Go\r\n"),
    R("no space behind the status", START, HTTP_LINE, "status-line", "HTTP/1.1 101\1\r\n"),
    R("a control octet in the reason", START, HTTP_LINE, "reason-phrase",
      "HTTP/1.1 101 G\1\0o\r\n"),
    R("HTTP/1.0", START, HTTP_VERSION, "HTTP-version",
      "HTTP/1.\1"
      "0 101 Go\r\n"),
    R("HTTP/2.0", START, HTTP_VERSION, "HTTP-version",
      "HTTP/\1"
      "2.0 101 Go\r\n"),
    R("200", START, HTTP_STATUS, "status-code",
      "HTTP/1.1 \1"
      "200 OK\r\n"),
    R("401", START, HTTP_STATUS, "status-code",
      "HTTP/1.1 \1"
      "401 Unauthorized\r\n"),
    R("100", START, HTTP_STATUS, "status-code",
      "HTTP/1.1 \1"
      "100 Continue\r\n"),
    R("503 of HTTP/1.0", START, HTTP_STATUS, "status-code",
      "HTTP/1.0 \1"
      "503 Busy\r\n"),
    R("000", START, HTTP_STATUS, "status-code",
      "HTTP/1.1 \1"
      "000 Nothing\r\n"),

    /* lines: the reader is that of requests */
    R("a fold", MORE, HTTP_FIELD, "field-name", "X-Note: a\r\n\1\tb\r\n"),
    R("white space before the colon", SECRET, HTTP_FIELD, "header-field",
      "Sec-WebSocket-Accept\1 : " ACCEPT "\r\n"),
    R("a bare LF", UPGRADE, HTTP_CRLF, "CRLF", "Upgrade: websocket\1\n"),
    R("no empty line", END, HTTP_CUT, "head", "\1"),
    R("a frame behind the head", END, HTTP_BODY, "head", "\r\n\1\x89\0"),

    /* Upgrade, Connection */
    R("no Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", ""),
    R("an Upgrade of two", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: websocket\1, h2c\r\n"),
    R("another Upgrade", UPGRADE, HTTP_UPGRADE, "Upgrade", "Upgrade: web\1\r\n"),
    R("Upgrade twice", MORE, HTTP_DUPLICATE, "Upgrade", "\1Upgrade: websocket\r\n"),
    R("no Connection", CONNECTION, HTTP_CONNECTION, "Connection", ""),
    R("a Connection of commas beside a good one", MORE, HTTP_CONNECTION, "Connection",
      "Connection: ,\1\r\n"),
    R("close", CONNECTION, HTTP_CONNECTION, "Connection",
      "Connection: \1"
      "close\r\n"),

    /* Sec-WebSocket-Accept */
    R("no Accept", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept", ""),
    R("the key back", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept",
      "Sec-WebSocket-Accept: \1" KEY "\r\n"),
    R("the answer in another case", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept",
      "Sec-WebSocket-Accept: NDdvgvFPIWwO3GfemLQzWFzXHD\1C=\r\n"),
    R("the answer cut", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept",
      "Sec-WebSocket-Accept: NDdvgvFPIWwO3GfemLQzWFzXHDc\1\r\n"),
    R("the answer and more", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept",
      "Sec-WebSocket-Accept: " ACCEPT "\1=\r\n"),
    R("an empty answer", SECRET, HTTP_ACCEPT, "Sec-WebSocket-Accept",
      "Sec-WebSocket-Accept:\1\r\n"),
    R("Accept twice", MORE, HTTP_DUPLICATE, "Sec-WebSocket-Accept",
      "\1Sec-WebSocket-Accept: " ACCEPT "\r\n"),

    /* Sec-WebSocket-Protocol */
    R("no subprotocol", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol", ""),
    R("SIP", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server",
      "Sec-WebSocket-Protocol: \1SIP\r\n"),
    R("sips", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server",
      "Sec-WebSocket-Protocol: sip\1s\r\n"),
    R("gossip", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server",
      "Sec-WebSocket-Protocol: \1gossip\r\n"),
    R("a list", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server",
      "Sec-WebSocket-Protocol: sip\1, msrp\r\n"),
    R("an empty one", PROTOCOL, HTTP_NO_SIP, "Sec-WebSocket-Protocol-Server",
      "Sec-WebSocket-Protocol:\1\r\n"),
    R("sip twice", MORE, HTTP_DUPLICATE, "Sec-WebSocket-Protocol",
      "\1Sec-WebSocket-Protocol: sip\r\n"),

    /* Sec-WebSocket-Extensions, bodies */
    R("an extension that was not offered", MORE, HTTP_EXTENSION, "extension",
      "Sec-WebSocket-Extensions: \1permessage-deflate\r\n"),
    R("the same behind an empty element", MORE, HTTP_EXTENSION, "extension",
      "Sec-WebSocket-Extensions: , \1permessage-deflate; server_max_window_bits=10\r\n"),
    R("an agreement to nothing", MORE, HTTP_EXTENSION, "extension-list",
      "Sec-WebSocket-Extensions: \1\r\n"),
    R("a malformed agreement", MORE, HTTP_EXTENSION, "extension-param",
      "Sec-WebSocket-Extensions: permessage-deflate; \1;\r\n"),
    R("a length in a 101", MORE, HTTP_BODY, "Content-Length",
      "Content-Length: \1"
      "0\r\n"),
    R("chunks in a 101", MORE, HTTP_BODY, "Transfer-Encoding", "Transfer-Encoding: \1chunked\r\n"),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void run_refused(bool is_request, const struct sipws_str *slots, const struct refused *cases,
                        size_t n)
{
    static struct head h;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        const struct refused *c = &cases[i];
        build(&h, slots, c->slot, c->text);
        struct verdict_of v = judge(is_request, h.text, h.n);
        if (v.ok || v.diag.err != c->err || v.diag.off != h.mark ||
            strcmp(v.diag.rule, c->rule) != 0) {
            print_error("%s \"%s\": want %s at %zu in %s, got %s at %zu in %s\n",
                        is_request ? "request" : "response", c->title, sipws_err_info(c->err)->id,
                        h.mark, c->rule, v.ok ? "accepted" : sipws_err_info(v.diag.err)->id,
                        v.diag.off, v.diag.rule);
            wrong++;
        }
        free(v.text);
    }
    assert_int_equal(wrong, 0);
}

static void requests_are_refused_at_their_octet(void **state)
{
    (void)state;
    run_refused(true, request_slots, requests, COUNT(requests));
}

static void responses_are_refused_at_their_octet(void **state)
{
    (void)state;
    run_refused(false, response_slots, responses, COUNT(responses));
}

/* ---- what is accepted ------------------------------------------------------------------------ */

struct accepted {
    const char *title;
    int slot;
    struct sipws_str text;
};

#define A(title, slot, text)                                                                       \
    {                                                                                              \
        title, slot,                                                                               \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }

static const struct accepted good_requests[] = {
    A("as it is", MORE, ""),
    A("HTTP/1.9", START, "GET / HTTP/1.9\r\n"),
    A("every octet of a path and query", START,
      "GET /-._~!$&'()*+,;=:@aZ09%7E//?-._~!$&'()*+,;=:@/?%00 HTTP/1.1\r\n"),
    A("an empty query", START, "GET /? HTTP/1.1\r\n"),
    A("an absolute URI", START, "GET http://ws.example.org/ws?a HTTP/1.1\r\n"),
    A("an absolute URI without a path", START, "GET http://ws.example.org HTTP/1.1\r\n"),
    A("an absolute URI with a query only", START, "GET http://ws.example.org?a=b HTTP/1.1\r\n"),
    A("an absolute URI in capitals", START, "GET HTTP://WS.EXAMPLE.ORG:80/ws HTTP/1.1\r\n"),
    A("a port", HOST, "Host: ws.example.org:8080\r\n"),
    A("the highest port", HOST, "Host: ws.example.org:65535\r\n"),
    A("an IPv4 address", HOST, "Host: 192.0.2.1\r\n"),
    A("a name of numbers", HOST, "Host: 999.1.1.1\r\n"),
    A("an IPv6 address", HOST, "Host: [2001:db8::1]:8080\r\n"),
    A("a short IPv6 address", HOST, "Host: [::]\r\n"),
    A("a full IPv6 address", HOST, "Host: [1:2:3:4:5:6:7:8]\r\n"),
    A("seven groups and a gap", HOST, "Host: [::2:3:4:5:6:7:8]\r\n"),
    A("seven groups before a gap", HOST, "Host: [1:2:3:4:5:6:7::]\r\n"),
    A("an IPv4 address in an IPv6 one", HOST, "Host: [::ffff:192.0.2.255]\r\n"),
    A("six groups and an IPv4 address", HOST, "Host: [1:2:3:4:5:6:0.0.0.0]\r\n"),
    A("a name with every octet", HOST, "Host: a-._~!$&'()*+,;=%2F\r\n"),
    A("white space around a value", HOST, "Host: \t ws.example.org\t \r\n"),
    A("no white space at all", HOST, "Host:ws.example.org\r\n"),
    A("names in any case", UPGRADE, "uPGRADE: WebSocket\r\n"),
    A("an Upgrade of several", UPGRADE, "Upgrade: h2c/1,, ,\tWEBSOCKET ,\r\n"),
    A("several Upgrades", MORE, "Upgrade: h2c\r\n"),
    A("a Connection of several", CONNECTION, "Connection: keep-alive,,upgrade,\r\n"),
    A("several Connections", CONNECTION,
      "Connection: keep-alive\r\nX: y\r\nconnection: UPGRADE\r\n"),
    A("a key of spare letters", SECRET, "Sec-WebSocket-Key: +/09azAZ+/09azAZ+/09aw==\r\n"),
    A("sip among others", PROTOCOL, "Sec-WebSocket-Protocol: msrp,gossip , sip\r\n"),
    A("sip in the second field", PROTOCOL,
      "Sec-WebSocket-Protocol: sips, SIP\r\nSec-WebSocket-Protocol: sip\r\n"),
    A("sip between empty elements", PROTOCOL, "Sec-WebSocket-Protocol: ,, sip,,\r\n"),
    A("32 subprotocols", PROTOCOL,
      "Sec-WebSocket-Protocol: sip,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,"
      "A,B,C,D,E\r\n"),
    A("the extension that browsers offer", MORE,
      "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"),
    A("extensions with all there is", MORE,
      "Sec-WebSocket-Extensions: foo , bar ;baz = 2;quux=\"a\\b\" ,, x\r\n"
      "Sec-WebSocket-Extensions: y\r\n"),
    A("an origin", MORE, "Origin: https://phone.example.org:8443\r\n"),
    A("the null origin", MORE, "Origin: null\r\n"),
    A("the origin of a file", MORE, "Origin: file://\r\n"),
    A("the origin of an extension", MORE, "Origin: chrome-extension://abcdefgh\r\n"),
    A("no octets of body", MORE, "Content-Length: 0\r\n"),
    A("one credential and one cookie", MORE, "Authorization: Bearer a\r\nCookie: a=1; b=2\r\n"),
    A("an empty value", MORE, "X-Note:\r\n"),
    A("octets above 127 and tabs in a value", MORE, "X-Note: caf\xE9\t\xC3\xA9\r\n"),
    A("a name of every octet", MORE, "!#$%&'*+-.^_`|~09azAZ: a\r\n"),
    A("what a response would have", MORE, "Sec-WebSocket-Accept: x\r\nSec-WebSocket-Accept: y\r\n"),
};

static const struct accepted good_responses[] = {
    A("as it is", MORE, ""),
    A("no reason", START, "HTTP/1.1 101 \r\n"),
    A("any reason", START, "HTTP/1.1 101 \tWhy not? \xC3\xBC\r\n"),
    A("Upgrade in capitals", UPGRADE, "Upgrade: WEBSOCKET\r\n"),
    A("Connection with more", CONNECTION, "Connection: keep-alive, upgrade\r\n"),
    A("white space around Accept", SECRET, "Sec-WebSocket-Accept:\t " ACCEPT " \r\n"),
    A("a version", MORE, "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7\r\n"),
    A("what a request would have", MORE, "Host: a\r\nHost: b\r\nOrigin: x y\r\n"),
    A("cookies", MORE, "Set-Cookie: a=b\r\nSet-Cookie: c=d\r\nCookie: x\r\nCookie: y\r\n"),
};

static void run_accepted(bool is_request, const struct sipws_str *slots,
                         const struct accepted *cases, size_t n)
{
    static struct head h;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) {
        build(&h, slots, cases[i].slot, cases[i].text);
        struct verdict_of v = judge(is_request, h.text, h.n);
        if (!v.ok) {
            print_error("%s \"%s\" is refused: %s at %zu in %s\n",
                        is_request ? "request" : "response", cases[i].title,
                        sipws_err_info(v.diag.err)->id, v.diag.off, v.diag.rule);
            wrong++;
        } else if (is_request) {
            assert_true(v.http.offers_sip && v.http.host.n > 0 && v.http.key.n == SIPWS_KEY);
            assert_null(v.http.accept.p);
            assert_null(v.http.protocol.p);
        } else {
            assert_true(sipws_str_eq(v.http.protocol, SIPWS_STR("sip")));
            assert_true(sipws_str_eq(v.http.accept, SIPWS_STR(ACCEPT)));
            assert_int_equal(v.http.status, 101);
            assert_null(v.http.target.p);
        }
        free(v.text);
    }
    assert_int_equal(wrong, 0);
}

static void sound_requests_are_accepted(void **state)
{
    (void)state;
    run_accepted(true, request_slots, good_requests, COUNT(good_requests));
}

static void sound_responses_are_accepted(void **state)
{
    (void)state;
    run_accepted(false, response_slots, good_responses, COUNT(good_responses));
}

#define assert_str(s, literal) assert_true(sipws_str_eq((s), SIPWS_STR(literal)))

static void a_request_is_read(void **state)
{
    (void)state;
    static struct head h;
    build(&h, request_slots, MORE,
          SIPWS_STR("Origin:  https://phone.example.org \r\nX-Note: one\r\nx-note: two\r\n"));
    struct verdict_of v = judge(true, h.text, h.n);
    struct sipws_str value = SIPWS_STR("unset");
    assert_true(v.ok);
    assert_str(v.http.target, "/ws?room=4");
    assert_str(v.http.host, "ws.example.org");
    assert_str(v.http.origin, "https://phone.example.org");
    assert_str(v.http.key, KEY);
    assert_int_equal(v.http.n, 9);
    assert_str(v.http.fields[0].name, "Host");
    assert_str(v.http.fields[8].name, "x-note");
    assert_true(sipws_http_find(&v.http, SIPWS_STR("X-NOTE"), &value));
    assert_str(value, "one");
    assert_false(sipws_http_find(&v.http, SIPWS_STR("X-Not"), &value));
    assert_str(value, "one");
    free(v.text);
}

static void a_refused_status_keeps_its_fields(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 401 Who are you?\r\nContent-Length: 12\r\n"
                               "WWW-Authenticate: Bearer\r\nContent-Length: 12\r\n\r\n";
    struct verdict_of v = judge(false, head, sizeof head - 1);
    struct sipws_str value;
    assert_false(v.ok);
    assert_int_equal(v.diag.err, SIPWS_E_HTTP_STATUS);
    assert_int_equal(v.http.status, 401);
    assert_str(v.http.reason, "Who are you?");
    assert_int_equal(v.http.n, 3);
    assert_true(sipws_http_find(&v.http, SIPWS_STR("www-authenticate"), &value));
    assert_str(value, "Bearer");
    free(v.text);
}

static void the_number_of_fields_has_a_limit(void **state)
{
    (void)state;
    static struct head h;
    static char more[4096];
    for (int fields = SIPWS_MAX_HEAD_FIELDS; fields <= SIPWS_MAX_HEAD_FIELDS + 1; fields++) {
        more[0] = 0;
        for (int i = 6; i < fields; i++)
            strcat(more, i == SIPWS_MAX_HEAD_FIELDS ? "\1X: y\r\n" : "X: y\r\n");
        build(&h, request_slots, MORE, (struct sipws_str){more, strlen(more)});
        struct verdict_of v = judge(true, h.text, h.n);
        assert_int_equal(v.ok, fields == SIPWS_MAX_HEAD_FIELDS);
        if (!v.ok) {
            assert_int_equal(v.diag.err, SIPWS_E_LIMIT_HEAD_FIELDS);
            assert_int_equal(v.diag.off, h.mark);
        }
        free(v.text);
    }
}

/* ---- the end of a head ----------------------------------------------------------------------- */

static enum sipws_head_end feed(const char *p, size_t n, size_t limit, size_t cut, size_t *used,
                                struct sipws_diag *diag, uint32_t *seen)
{
    struct sipws_head head = {0};
    size_t first = n < cut ? n : cut, more = 0;
    char *a = copy(p, first), *b = copy(p + first, n - first);
    enum sipws_head_end end = sipws_head_feed(&head, a, first, limit, used, diag);
    if (end == SIPWS_HEAD_MORE) {
        assert_int_equal(*used, first);
        end = sipws_head_feed(&head, b, n - first, limit, &more, diag);
        *used += more;
    }
    *seen = head.n;
    free(a);
    free(b);
    return end;
}

static void a_head_ends_at_the_empty_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n, limit;
        enum sipws_head_end end;
        size_t used;
        enum sipws_err err;
    } cases[] = {
        {"", 0, 100, SIPWS_HEAD_MORE, 0, SIPWS_OK},
        {"\r\n", 2, 100, SIPWS_HEAD_DONE, 2, SIPWS_OK},
        {"a\r\n", 3, 100, SIPWS_HEAD_MORE, 3, SIPWS_OK},
        {"a\r\n\r\n", 5, 100, SIPWS_HEAD_DONE, 5, SIPWS_OK},
        {"a\r\n\r\nbcd", 8, 100, SIPWS_HEAD_DONE, 5, SIPWS_OK},
        {"a\r\nb\r\n\r\n\n", 9, 100, SIPWS_HEAD_DONE, 8, SIPWS_OK},
        {"a\r\nb\r", 5, 100, SIPWS_HEAD_MORE, 5, SIPWS_OK},
        {"a\r\n\r\n", 5, 5, SIPWS_HEAD_DONE, 5, SIPWS_OK},
        {"a\r\n\r\n", 5, 4, SIPWS_HEAD_BAD, 4, SIPWS_E_LIMIT_HEAD},
        {"abcd", 4, 4, SIPWS_HEAD_MORE, 4, SIPWS_OK},
        {"abcde", 5, 4, SIPWS_HEAD_BAD, 4, SIPWS_E_LIMIT_HEAD},
        {"abcd\n", 5, 4, SIPWS_HEAD_BAD, 4, SIPWS_E_LIMIT_HEAD},
        {"a", 1, 0, SIPWS_HEAD_BAD, 0, SIPWS_E_LIMIT_HEAD},
        {"", 0, 0, SIPWS_HEAD_MORE, 0, SIPWS_OK},
        {"\n", 1, 100, SIPWS_HEAD_BAD, 0, SIPWS_E_HTTP_CRLF},
        {"a\nb\r\n\r\n", 8, 100, SIPWS_HEAD_BAD, 1, SIPWS_E_HTTP_CRLF},
        {"a\rb", 3, 100, SIPWS_HEAD_BAD, 2, SIPWS_E_HTTP_CRLF},
        {"a\r\r\n", 4, 100, SIPWS_HEAD_BAD, 2, SIPWS_E_HTTP_CRLF},
        {"a\r\n\ra", 5, 100, SIPWS_HEAD_BAD, 4, SIPWS_E_HTTP_CRLF},
        {"a\r\n\n", 4, 100, SIPWS_HEAD_BAD, 3, SIPWS_E_HTTP_CRLF},
        {"\0\xFF\r\n\r\n", 6, 100, SIPWS_HEAD_DONE, 6, SIPWS_OK},
        {"a\r\n\r\n", 5, SIZE_MAX, SIPWS_HEAD_DONE, 5, SIPWS_OK},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t cut = 0; cut <= cases[i].n; cut++) {
            struct sipws_diag diag = {SIPWS_OK, 99, "", ""};
            size_t used;
            uint32_t seen;
            enum sipws_head_end end =
                feed(cases[i].text, cases[i].n, cases[i].limit, cut, &used, &diag, &seen);
            assert_int_equal(end, cases[i].end);
            assert_int_equal(used, cases[i].used);
            assert_int_equal(seen, used);
            assert_int_equal(diag.err, cases[i].err);
            reached[diag.err] = true;
            assert_int_equal(diag.off, diag.err ? used : 99);
        }
}

/* Bug class W14: a head that never ends, and fields longer than any buffer. */
static void long_heads_cost_their_limit_only(void **state)
{
    (void)state;
    struct sipws_head head = {0};
    struct sipws_diag diag;
    size_t used, fed = 0;
    enum sipws_head_end end;
    while ((end = sipws_head_feed(&head, HUNDRED, 100, 8192, &used, &diag)) == SIPWS_HEAD_MORE)
        fed += used;
    assert_int_equal(end, SIPWS_HEAD_BAD);
    assert_int_equal(fed + used, 8192);
    assert_int_equal(diag.err, SIPWS_E_LIMIT_HEAD);
    assert_int_equal(diag.off, 8192);

    static const char *const names[] = {"Origin: https://",
                                        "Sec-WebSocket-Key: ", "Sec-WebSocket-Protocol: sip,",
                                        "Host: ", "X-Note: "};
    static struct head h;
    for (size_t i = 0; i < COUNT(names); i++) {
        static char line[3000];
        size_t n = strlen(names[i]);
        memset(line, 'a', sizeof line);
        memcpy(line, names[i], n);
        memcpy(line + sizeof line - 2, "\r\n", 2);
        build(&h, request_slots, i == 3 ? HOST : MORE, (struct sipws_str){line, sizeof line});
        struct verdict_of v = judge(true, h.text, h.n);
        assert_int_equal(v.ok, i == 0 || i == 3 || i == 4);
        free(v.text);
    }
}

static void every_prefix_is_cut(void **state)
{
    (void)state;
    static struct head h;
    for (int request = 0; request < 2; request++) {
        build(&h, request ? request_slots : response_slots, MORE, SIPWS_STR("X-Note: a\r\n"));
        for (size_t n = 0; n < h.n; n++) {
            struct verdict_of v = judge(request, h.text, n);
            assert_false(v.ok);
            assert_int_equal(v.diag.err, SIPWS_E_HTTP_CUT);
            assert_int_equal(v.diag.off, n);
            free(v.text);
        }
    }
}

/* ---- printing -------------------------------------------------------------------------------- */

static struct sipws_http_ask ask_of(const char *target, const char *host, const char *origin,
                                    const char *more)
{
    return (struct sipws_http_ask){{target, strlen(target)},
                                   {host, strlen(host)},
                                   {origin, origin ? strlen(origin) : 0},
                                   {more, more ? strlen(more) : 0}};
}

static void a_request_is_printed(void **state)
{
    (void)state;
    char text[1024];
    struct sipws_out o = sipws_out(text, sizeof text);
    struct sipws_http_ask ask = ask_of("/ws", "[2001:db8::1]:8080", "https://phone.example.org",
                                       "Sec-WebSocket-Protocol: msrp\r\nCookie: a=b\r\n");
    assert_true(sipws_http_put_request(&o, &ask, SIPWS_STR(KEY)));
    assert_true(sipws_out_ok(&o));
    assert_str(sipws_out_str(&o), "GET /ws HTTP/1.1\r\n"
                                  "Host: [2001:db8::1]:8080\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Key: " KEY "\r\n"
                                  "Origin: https://phone.example.org\r\n"
                                  "Sec-WebSocket-Protocol: sip\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Protocol: msrp\r\n"
                                  "Cookie: a=b\r\n\r\n");
    o = sipws_out(text, sizeof text);
    ask = ask_of("/", "h", NULL, NULL);
    assert_true(sipws_http_put_request(&o, &ask, SIPWS_STR(KEY)));
    struct verdict_of v = judge(true, text, o.n);
    assert_true(v.ok);
    assert_null(v.http.origin.p);
    free(v.text);
}

static void what_would_break_a_request_is_not_printed(void **state)
{
    (void)state;
    static const struct {
        const char *target, *host, *origin, *more;
    } cases[] = {
        {"", "h", NULL, ""},
        {"ws", "h", NULL, ""},
        {"/a b", "h", NULL, ""},
        {"/ HTTP/1.1\r\nX: y", "h", NULL, ""},
        {"/#f", "h", NULL, ""},
        {"http://g/", "h", NULL, ""},
        {"/", "", NULL, ""},
        {"/", "h\r\nX: y", NULL, ""},
        {"/", "h/", NULL, ""},
        {"/", " h", NULL, ""},
        {"/", "h", "", ""},
        {"/", "h", "https://a/", ""},
        {"/", "h", "https://a\r\nX: y", ""},
        {"/", "h", NULL, "X: y"},
        {"/", "h", NULL, "X: y\n"},
        {"/", "h", NULL, "X: y\r\n\r\n"},
        {"/", "h", NULL, "\r\n"},
        {"/", "h", NULL, "X : y\r\n"},
        {"/", "h", NULL, " X: y\r\n"},
        {"/", "h", NULL, "host: g\r\n"},
        {"/", "h", NULL, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"},
        {"/", "h", NULL, "Sec-WebSocket-Version: 13\r\n"},
        {"/", "h", NULL, "Sec-WebSocket-Protocol: sip\r\n"},
        {"/", "h", "https://a", "Origin: https://a\r\n"},
        {"/", "h", NULL, "Content-Length: 1\r\n"},
        {"/", "h", NULL, "Transfer-Encoding: chunked\r\n"},
        {"/", "h", NULL, "Cookie: a\r\nCookie: b\r\n"},
        {"/", "h", NULL, "Connection: @\r\n"},
    };
    char text[1024];
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sipws_http_ask ask =
            ask_of(cases[i].target, cases[i].host, cases[i].origin, cases[i].more);
        struct sipws_out o = sipws_out(text, sizeof text);
        if (sipws_http_put_request(&o, &ask, SIPWS_STR(KEY)))
            fail_msg("case %zu was printed", i);
        assert_int_equal(o.n, 0);
    }
    struct sipws_out o = sipws_out(text, sizeof text);
    struct sipws_http_ask ask = ask_of("/", "h", NULL, NULL);
    assert_false(sipws_http_put_request(&o, &ask, SIPWS_STR("AAAAAAAAAAAAAAAAAAAAAC==")));
    assert_false(sipws_http_put_request(&o, &ask, (struct sipws_str){NULL, 0}));
    assert_int_equal(o.n, 0);
}

static void answers_are_printed(void **state)
{
    (void)state;
    char text[1024];
    struct sipws_out o = sipws_out(text, sizeof text);
    assert_true(sipws_http_put_accept(&o, SIPWS_STR(KEY)));
    assert_str(sipws_out_str(&o), "HTTP/1.1 101 Switching Protocols\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade\r\n"
                                  "Sec-WebSocket-Accept: " ACCEPT "\r\n"
                                  "Sec-WebSocket-Protocol: sip\r\n\r\n");
    o = sipws_out(text, sizeof text);
    assert_false(sipws_http_put_accept(&o, SIPWS_STR("short")));
    assert_int_equal(o.n, 0);

    assert_true(sipws_http_put_refusal(&o, 426, (struct sipws_str){NULL, 0}));
    assert_str(sipws_out_str(&o), "HTTP/1.1 426 Upgrade Required\r\n"
                                  "Upgrade: websocket\r\n"
                                  "Connection: Upgrade, close\r\n"
                                  "Sec-WebSocket-Version: 13\r\n"
                                  "Content-Length: 0\r\n\r\n");
    o = sipws_out(text, sizeof text);
    assert_true(sipws_http_put_refusal(&o, 401, SIPWS_STR("WWW-Authenticate: Bearer\r\n")));
    assert_str(sipws_out_str(&o), "HTTP/1.1 401 Unauthorized\r\n"
                                  "Connection: close\r\n"
                                  "Content-Length: 0\r\n"
                                  "WWW-Authenticate: Bearer\r\n\r\n");
    o = sipws_out(text, sizeof text);
    assert_true(sipws_http_put_refusal(&o, 418, (struct sipws_str){NULL, 0}));
    assert_memory_equal(text, "HTTP/1.1 418 Refused\r\n", 22);

    o = sipws_out(text, sizeof text);
    assert_false(sipws_http_put_refusal(&o, 101, (struct sipws_str){NULL, 0}));
    assert_false(sipws_http_put_refusal(&o, 600, (struct sipws_str){NULL, 0}));
    assert_false(sipws_http_put_refusal(&o, 403, SIPWS_STR("X: y\r\n\r\n")));
    assert_false(sipws_http_put_refusal(&o, 403, SIPWS_STR("X: y")));
    assert_int_equal(o.n, 0);
}

/* Each status with which a handshake is refused can be sent, and a client reads it as that. */
static void every_refusal_has_an_answer(void **state)
{
    (void)state;
    static const unsigned statuses[] = {400, 401, 403, 404, 426, 431, 503};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        char text[512];
        struct sipws_out o = sipws_out(text, sizeof text);
        struct sipws_str version;
        assert_true(sipws_http_put_refusal(&o, statuses[i], (struct sipws_str){NULL, 0}));
        assert_true(sipws_out_ok(&o));
        struct verdict_of v = judge(false, text, o.n);
        assert_int_equal(v.diag.err, SIPWS_E_HTTP_STATUS);
        assert_int_equal(v.http.status, statuses[i]);
        assert_int_equal(sipws_http_find(&v.http, SIPWS_STR("Sec-WebSocket-Version"), &version),
                         statuses[i] == 400 || statuses[i] == 426);
        free(v.text);
    }
    for (int e = 1; e < SIPWS_ERR_COUNT; e++) {
        const struct sipws_err_info *info = sipws_err_info((enum sipws_err)e);
        bool answered = info->status == 0;
        for (size_t i = 0; i < COUNT(statuses); i++)
            answered = answered || statuses[i] == info->status;
        if (info->layer == SIPWS_LAYER_HTTP)
            assert_true(answered);
    }
}

/* Runs last. http-origin is for an application to say: the reader takes any sound Origin. */
static void every_error_was_reached(void **state)
{
    (void)state;
    static const enum sipws_err limits[] = {SIPWS_E_LIMIT_HEAD, SIPWS_E_LIMIT_HEAD_FIELDS,
                                            SIPWS_E_LIMIT_SUBPROTOCOLS};
    for (size_t i = 0; i < COUNT(limits); i++)
        assert_true(reached[limits[i]]);
    for (int e = 1; e < SIPWS_ERR_COUNT; e++) {
        const struct sipws_err_info *info = sipws_err_info((enum sipws_err)e);
        if (info->layer == SIPWS_LAYER_HTTP && e != SIPWS_E_HTTP_ORIGIN && !reached[e])
            fail_msg("no case reaches %s", info->id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_refused_at_their_octet),
        cmocka_unit_test(responses_are_refused_at_their_octet),
        cmocka_unit_test(sound_requests_are_accepted),
        cmocka_unit_test(sound_responses_are_accepted),
        cmocka_unit_test(a_request_is_read),
        cmocka_unit_test(a_refused_status_keeps_its_fields),
        cmocka_unit_test(the_number_of_fields_has_a_limit),
        cmocka_unit_test(a_head_ends_at_the_empty_line),
        cmocka_unit_test(long_heads_cost_their_limit_only),
        cmocka_unit_test(every_prefix_is_cut),
        cmocka_unit_test(a_request_is_printed),
        cmocka_unit_test(what_would_break_a_request_is_not_printed),
        cmocka_unit_test(answers_are_printed),
        cmocka_unit_test(every_refusal_has_an_answer),
        cmocka_unit_test(every_error_was_reached),
    };
    return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
