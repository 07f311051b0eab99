/* The connection: RFC 7118 joined from handshake, frames and SIP, in both roles. */
#define _GNU_SOURCE /* memmem */
#include "drive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* ---- building what a peer sends -------------------------------------------------------------- */

#define HANDSHAKE                                                                                  \
    "GET / HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"      \
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n"               \
    "Sec-WebSocket-Version: 13\r\n\r\n"
#define ANSWER                                                                                     \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: " DRIVE_ACCEPT "\r\nSec-WebSocket-Protocol: sip\r\n\r\n"
#define OPTIONS_BY(transport)                                                                      \
    "OPTIONS sip:example.org SIP/2.0\r\nVia: SIP/2.0/" transport                                   \
    " x7.invalid;branch=z9hG4bKa1\r\n"                                                             \
    "From: <sip:carol@example.org>;tag=1\r\nTo: <sip:example.org>\r\nCall-ID: c1\r\n"              \
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"
#define OPTIONS OPTIONS_BY("WS")

static char octets[1 << 20];
static struct sipws_out wire;
static bool masked;

static void start(const char *head, bool from_client)
{
    wire = sipws_out(octets, sizeof octets);
    masked = from_client;
    sipws_put(&wire, (struct sipws_str){head, strlen(head)});
}

/* A frame whose first octet is `first`. Written out here, as RFC 6455 5.2 draws it. */
static void frame_of(unsigned first, struct sipws_str payload)
{
    static const unsigned char key[4] = {0x37, 0xFA, 0x21, 0x3D};
    unsigned mask_bit = masked ? 0x80 : 0;
    sipws_put_char(&wire, (char)first);
    if (payload.n < 126) {
        sipws_put_char(&wire, (char)(mask_bit | payload.n));
    } else if (payload.n < 65536) {
        sipws_put_char(&wire, (char)(mask_bit | 126));
        sipws_put_char(&wire, (char)(payload.n >> 8));
        sipws_put_char(&wire, (char)payload.n);
    } else {
        sipws_put_char(&wire, (char)(mask_bit | 127));
        for (int shift = 56; shift >= 0; shift -= 8)
            sipws_put_char(&wire, (char)((uint64_t)payload.n >> shift));
    }
    if (masked)
        sipws_put(&wire, (struct sipws_str){(const char *)key, 4});
    for (size_t i = 0; i < payload.n; i++)
        sipws_put_char(&wire, (char)(payload.p[i] ^ (masked ? key[i % 4] : 0)));
}

static void frame(unsigned first, const char *payload)
{
    frame_of(first, (struct sipws_str){payload, strlen(payload)});
}

enum { TEXT = 0x81, BINARY = 0x82, CLOSE = 0x88, PING = 0x89, PONG = 0x8A };

/* ---- running --------------------------------------------------------------------------------- */

static struct drive driver;

static struct drive *server(void)
{
    memset(&driver, 0, sizeof driver);
    driver.role = SIPWS_SERVER;
    driver.limits = SIPWS_LIMITS_DEFAULT;
    return &driver;
}

static struct drive *client(void)
{
    server()->role = SIPWS_CLIENT;
    return &driver;
}

/* What happened, without the indented lines and what was sent. */
static const char *events(struct drive *d)
{
    static char text[1 << 20], brief[1 << 16];
    struct sipws_out t = sipws_out(text, sizeof text);
    size_t n = 0;
    drive_run(d, sipws_out_str(&wire), &t);
    assert_true(sipws_out_ok(&t));
    const char *p = text, *end = text + t.n;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        assert_non_null(lf);
        if (*p != ' ' && strncmp(p, "sent ", 5) != 0) {
            assert_true(n + (size_t)(lf - p) + 2 < sizeof brief);
            memcpy(brief + n, p, (size_t)(lf - p) + 1);
            n += (size_t)(lf - p) + 1;
        }
        p = lf + 1;
    }
    brief[n] = '\0';
    return brief;
}

/* What the engine sent behind its handshake. */
static struct sipws_str sent_frames(const struct drive *d)
{
    for (size_t i = 4; i <= d->sent.n; i++)
        if (memcmp(d->sent.p + i - 4, "\r\n\r\n", 4) == 0)
            return (struct sipws_str){d->sent.p + i, d->sent.n - i};
    return (struct sipws_str){NULL, 0};
}

#define SENT(d, literal) assert_true(sipws_str_eq(sent_frames(d), SIPWS_STR(literal)))

/* ---- server ---------------------------------------------------------------------------------- */

static void a_message_in_text_and_in_binary(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(TEXT, OPTIONS);
    frame(BINARY, OPTIONS);
    frame(CLOSE, "\x03\xE8");
    assert_string_equal(events(d), "request\nmessage\nmessage binary\nclosed code 1000\n");
    SENT(d, "\x88\x02\x03\xE8");
}

static void the_handshake_answers_the_key(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(CLOSE, "");
    assert_string_equal(events(d), "request\nclosed code 1005\n");
    assert_memory_equal(d->sent.p, "HTTP/1.1 101 ", 13);
    SENT(d, "\x88\0");
    d->refuse = true;
    assert_string_equal(events(d), "request\nclosed code 1005\n");
    assert_memory_equal(d->sent.p, "HTTP/1.1 403 ", 13);
    SENT(d, "");
}

static void a_bad_handshake_is_answered(void **state)
{
    (void)state;
    struct drive *d = server();
    start("GET / HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n"
          "Sec-WebSocket-Version: 8\r\n\r\n",
          true);
    assert_non_null(strstr(events(d), "failed code 1006 http-wsversion at "));
    assert_memory_equal(d->sent.p, "HTTP/1.1 426 ", 13);
    start("GET / HTTP/1.1\nHost: ws.example.org\n\n", true);
    assert_string_equal(events(d), "failed code 1006 http-crlf at 14 in CRLF\n");
    assert_memory_equal(d->sent.p, "HTTP/1.1 400 ", 13);
}

static void the_head_has_a_limit(void **state)
{
    (void)state;
    struct drive *d = server();
    d->limits.head = sizeof HANDSHAKE - 1;
    start(HANDSHAKE, true);
    frame(CLOSE, "\x03\xE8");
    assert_string_equal(events(d), "request\nclosed code 1000\n");
    d->limits.head--;
    assert_non_null(strstr(events(d), "failed code 1006 limit-head at "));
    assert_memory_equal(d->sent.p, "HTTP/1.1 431 ", 13);
}

static void sound_frames_carry_unsound_sip(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(TEXT, "");
    frame(TEXT, "{\"json\": true}");
    frame(TEXT, "OPTIONS sip:example.org SIP/2.0\r\n\r\n");
    frame(TEXT, OPTIONS);
    frame(CLOSE, "\x03\xE8");
    const char *got = events(d);
    assert_non_null(strstr(got, "request\nrefused empty at 0 in "));
    assert_non_null(strstr(got, "\nrefused method at 0 in Method"));
    assert_non_null(strstr(got, "\nrefused missing-field at "));
    assert_non_null(strstr(got, "\nmessage\nclosed code 1000\n"));
    SENT(d, "\x88\x02\x03\xE8");
}

static void via_and_sips_follow_the_connection(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(TEXT, OPTIONS_BY("WSS"));
    assert_non_null(strstr(events(d), "\nrefused via-transport at 46 in "));
    d->tls = true;
    assert_non_null(strstr(events(d), "\nmessage\n"));
    start(HANDSHAKE, true);
    frame(TEXT, OPTIONS_BY("UDP"));
    assert_non_null(strstr(events(d), "\nrefused via-"));
    d->allow = SIPWS_ALLOW_VIA_TRANSPORT;
    assert_non_null(strstr(events(d), "\nmessage\n"));
}

static void one_message_is_one_sip_message(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    /* Two requests in one: the second is the first one's body, and that has no type. */
    frame(TEXT, OPTIONS OPTIONS);
    assert_non_null(strstr(events(d), "\nrefused body-type at "));
    /* One request over two: neither is one. */
    start(HANDSHAKE, true);
    frame(TEXT, "OPTIONS sip:example.org SIP/2.0\r\n");
    frame(TEXT, "Max-Forwards: 70\r\n\r\n");
    assert_non_null(strstr(events(d), "\nrefused no-blank-line at 33 in "));
    /* One request in three frames is one. */
    start(HANDSHAKE, true);
    frame(0x01, "OPTIONS sip:example.org SI");
    frame(PING, "between");
    frame(0x00, "");
    frame(0x80, &OPTIONS[26]);
    assert_non_null(strstr(events(d), "\nping \"between\"\nmessage\n"));
    SENT(d, "\x8A\x07"
            "between");
}

static void crlf_is_a_keep_alive(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(TEXT, "\r\n\r\n");
    frame(BINARY, "\r\n\r\n");
    frame(TEXT, "\r\n");
    frame(0x01, "\r\n");
    frame(0x80, "\r\n");
    frame(CLOSE, "\x03\xE8");
    assert_string_equal(events(d), "request\nkeepalive \"\\r\\n\\r\\n\"\n"
                                   "keepalive binary \"\\r\\n\\r\\n\"\nkeepalive \"\\r\\n\"\n"
                                   "keepalive \"\\r\\n\\r\\n\"\nclosed code 1000\n");
    SENT(d, "\x81\x02\r\n\x82\x02\r\n\x81\x02\r\n\x88\x02\x03\xE8");
    start(HANDSHAKE, true);
    frame(TEXT, "\r\n" OPTIONS);
    assert_non_null(strstr(events(d), "\nrefused leading-crlf at 0 in "));
    start(HANDSHAKE, true);
    frame(TEXT, "\r\n\r\n\r\n");
    assert_non_null(strstr(events(d), "\nrefused "));
    SENT(d, "");
}

static void control_frames_carry_no_sip(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(PONG, "\r\n\r\n");
    frame(PING, "\r\n\r\n");
    frame(PING, "OPTIONS sip:example.org SIP/2.0\r\n\r\n");
    frame(CLOSE, "\x03\xE8"
                 "OPTIONS sip:example.org SIP/2.0\r\n\r\n");
    assert_string_equal(events(d),
                        "request\npong \"\\r\\n\\r\\n\"\nping \"\\r\\n\\r\\n\"\n"
                        "ping \"OPTIONS sip:example.org SIP/2.0\\r\\n\\r\\n\"\n"
                        "closed code 1000 \"OPTIONS sip:example.org SIP/2.0\\r\\n\\r\\n\"\n");
}

static void a_bad_frame_fails_the_connection(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    masked = false;
    frame(TEXT, OPTIONS);
    char want[128];
    snprintf(want, sizeof want, "request\nfailed code 1002 ws-unmasked at %zu in ",
             sizeof HANDSHAKE - 1 + 1);
    assert_memory_equal(events(d), want, strlen(want));
    SENT(d, "\x88\x02\x03\xEA");
    start(HANDSHAKE, true);
    frame(TEXT, "\xFF");
    assert_non_null(strstr(events(d), "failed code 1007 ws-utf8 at "));
    SENT(d, "\x88\x02\x03\xEF");
}

static void messages_have_a_limit(void **state)
{
    (void)state;
    struct drive *d = server();
    d->limits.message = sizeof OPTIONS - 1;
    start(HANDSHAKE, true);
    frame(TEXT, OPTIONS);
    frame(CLOSE, "\x03\xE8");
    assert_string_equal(events(d), "request\nmessage\nclosed code 1000\n");
    d->limits.message--;
    assert_non_null(strstr(events(d), "failed code 1009 limit-message at "));
    SENT(d, "\x88\x02\x03\xF1");
}

static void the_stream_may_end_anywhere(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    assert_string_equal(events(d), "request\nfailed code 1006 ws-lost at 182 in close\n");
    assert_int_equal(sizeof HANDSHAKE - 1, 182);
    frame(TEXT, OPTIONS);
    size_t whole = wire.n;
    for (size_t n = 0; n < whole; n++) {
        wire.n = n;
        const char *got = events(d);
        const char *want = n < 182   ? "failed code 1006 http-cut at "
                           : n > 182 ? "failed code 1006 ws-cut at "
                                     : "failed code 1006 ws-lost at ";
        assert_non_null(strstr(got, want));
        assert_null(strstr(got, "message"));
    }
}

static void nothing_follows_a_close(void **state)
{
    (void)state;
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(CLOSE, "\x03\xE8");
    frame(TEXT, OPTIONS);
    assert_string_equal(events(d), "request\nclosed code 1000\n");
    start(HANDSHAKE, true);
    frame(CLOSE, "\x03\xED"); /* 1005 */
    assert_non_null(strstr(events(d), "failed code 1002 ws-close-code at "));
}

/* ---- client ---------------------------------------------------------------------------------- */

static void a_client_opens_and_is_answered(void **state)
{
    (void)state;
    struct drive *d = client();
    start(ANSWER, false);
    frame(TEXT, "SIP/2.0 200 OK\r\nVia: SIP/2.0/WS x7.invalid;branch=z9hG4bKa1\r\n"
                "From: <sip:carol@example.org>;tag=1\r\nTo: <sip:example.org>;tag=2\r\n"
                "Call-ID: c1\r\nCSeq: 1 OPTIONS\r\n\r\n");
    frame(PING, "hi");
    frame(CLOSE, "\x03\xE8");
    assert_string_equal(events(d), "open\nmessage\nping \"hi\"\nclosed code 1000\n");
    /* Masked with the random octets, which are zero here. */
    SENT(d, "\x8A\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xE8");
    assert_non_null(memmem(d->sent.p, d->sent.n, DRIVE_KEY "\r\n", 26));
}

static void a_client_refuses_what_it_did_not_ask_for(void **state)
{
    (void)state;
    struct drive *d = client();
    start("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: " DRIVE_ACCEPT "\r\n\r\n",
          false);
    assert_non_null(strstr(events(d), "failed code 1006 http-no-sip at "));
    start("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\nSec-WebSocket-Protocol: sip\r\n"
          "\r\n",
          false);
    assert_non_null(strstr(events(d), "failed code 1006 http-accept at "));
    start(ANSWER, true); /* a server that masks */
    frame(TEXT, "x");
    assert_non_null(strstr(events(d), "open\nfailed code 1002 ws-masked at "));
}

/* ---- sending, closing, time ------------------------------------------------------------------ */

static struct sipws_conn conn;
static struct sipws_io io;
static struct sipws_event ev;
static char buf[4096], tx[4096];
static struct sipws_field fields[32];

static void open_server(void)
{
    struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .times = {1000, 2000, 300, 50},
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = fields,
                                       .field_cap = 32};
    memset(&io, 0, sizeof io);
    io.out = sipws_out(tx, sizeof tx);
    io.now = 10000;
    sipws_conn_init(&conn, &config, io.now);
    io.in = SIPWS_STR(HANDSHAKE);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_REQUEST);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_REQUEST); /* until it is answered */
    assert_true(sipws_conn_accept(&conn, &io));
    assert_false(sipws_conn_accept(&conn, &io));
    io.out = sipws_out(tx, sizeof tx);
}

static void sending(void **state)
{
    (void)state;
    struct sipws_diag diag = {0};
    open_server();
    assert_true(sipws_conn_send(&conn, &io, SIPWS_STR(OPTIONS), &diag));
    assert_memory_equal(tx, "\x81\x7E\0", 3);
    assert_int_equal(io.out.n, 4 + sizeof OPTIONS - 1);

    /* Octets that are not UTF-8 go out as binary (RFC 7118 4.2). */
    io.out = sipws_out(tx, sizeof tx);
    assert_true(sipws_conn_send(
        &conn, &io, SIPWS_STR("OPTIONS sip:x SIP/2.0\r\nContent-Type: a/b\r\n\r\n\xFF"), &diag));
    assert_int_equal((unsigned char)tx[0], 0x82);

    io.out = sipws_out(tx, 100);
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR(OPTIONS), &diag));
    assert_int_equal(diag.err, SIPWS_E_LIMIT_OUT);
    assert_int_equal(io.out.n, 0);
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR("no SIP"), &diag));
    assert_int_equal(io.out.n, 0);
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR("no SIP"), NULL));
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR(""), NULL));
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR(OPTIONS), NULL));
    assert_int_equal(io.out.n, 0);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_FULL);

    io.out = sipws_out(tx, sizeof tx);
    assert_true(sipws_conn_send(&conn, &io, SIPWS_STR("OPTIONS sip:x sip/2.0\r\n\r\n"), NULL));

    io.out = sipws_out(tx, sizeof tx);
    assert_true(sipws_conn_crlf(&conn, &io));
    assert_memory_equal(tx, "\x81\x04\r\n\r\n", 6);
    assert_false(sipws_conn_close(&conn, &io, 1006, SIPWS_STR("")));
    assert_true(sipws_conn_close(&conn, &io, 1000, SIPWS_STR("done")));
    assert_memory_equal(tx + 6,
                        "\x88\x06\x03\xE8"
                        "done",
                        8);
    assert_false(sipws_conn_send(&conn, &io, SIPWS_STR(OPTIONS), &diag));
    assert_int_equal(diag.err, SIPWS_E_STATE);
    assert_false(sipws_conn_ping(&conn, &io));
}

/* Until the peer's close frame comes, its messages still do, and pings are answered. */
static void closing(void **state)
{
    (void)state;
    open_server();
    assert_true(sipws_conn_close(&conn, &io, 1001, SIPWS_STR("")));
    io.out = sipws_out(tx, sizeof tx);
    start("", true);
    frame(TEXT, OPTIONS);
    frame(TEXT, "\r\n\r\n");
    frame(PING, "x");
    frame(CLOSE, "\x03\xE9");
    io.in = sipws_out_str(&wire);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_MESSAGE);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_KEEPALIVE);
    assert_int_equal(io.out.n, 0);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_PING);
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_CLOSED);
    assert_int_equal(ev.code, 1001);
    assert_int_equal(io.out.n, 3); /* the pong only */
    assert_int_equal(sipws_conn_end(&conn, &io, &ev), SIPWS_EV_CLOSED);
}

static enum sipws_event_kind tick_at(uint64_t now)
{
    io.now = now;
    io.out = sipws_out(tx, sizeof tx);
    return sipws_conn_tick(&conn, &io, &ev);
}

static void time_passes(void **state)
{
    (void)state;
    open_server();
    assert_int_equal(sipws_conn_due(&conn), 12000);
    assert_int_equal(tick_at(11999), SIPWS_EV_MORE);
    assert_int_equal(io.out.n, 0);
    assert_int_equal(tick_at(12000), SIPWS_EV_MORE);
    assert_memory_equal(tx, "\x89\0", 2);
    assert_int_equal(sipws_conn_due(&conn), 12300);

    /* Any octet shows that the peer is there. */
    start("", true);
    frame(PONG, "");
    io.in = sipws_out_str(&wire);
    io.now = 12299;
    assert_int_equal(sipws_conn_read(&conn, &io, &ev), SIPWS_EV_PONG);
    assert_int_equal(sipws_conn_due(&conn), 14299);
    assert_int_equal(tick_at(14299), SIPWS_EV_MORE);
    assert_int_equal(tick_at(14598), SIPWS_EV_MORE);
    assert_int_equal(tick_at(14599), SIPWS_EV_FAILED);
    assert_int_equal(ev.diag.err, SIPWS_E_TIMEOUT);
    assert_memory_equal(tx, "\x88\x02\x03\xE9", 4);
    assert_int_equal(tick_at(99999), SIPWS_EV_FAILED);
    assert_int_equal(sipws_conn_due(&conn), UINT64_MAX);

    open_server();
    assert_true(sipws_conn_close(&conn, &io, 1000, SIPWS_STR("")));
    assert_int_equal(tick_at(10049), SIPWS_EV_MORE);
    assert_int_equal(tick_at(10050), SIPWS_EV_FAILED);
    assert_int_equal(io.out.n, 0);

    struct sipws_conn_config config = conn.config;
    sipws_conn_init(&conn, &config, 0);
    assert_int_equal(tick_at(999), SIPWS_EV_MORE);
    assert_int_equal(tick_at(1000), SIPWS_EV_FAILED);
    assert_memory_equal(tx, "HTTP/1.1 408 ", 13);
}

static void any_cut_gives_the_same(void **state)
{
    (void)state;
    static char whole[1 << 18], cut[1 << 18], cuts[4096];
    struct drive *d = server();
    start(HANDSHAKE, true);
    frame(0x01, "OPTIONS sip:example.org SI");
    frame(PING, "between");
    frame(0x80, &OPTIONS[26]);
    frame(TEXT, "\r\n\r\n");
    frame(BINARY, "bad");
    frame(TEXT, "\xC3");
    struct sipws_out a = sipws_out(whole, sizeof whole);
    drive_run(d, sipws_out_str(&wire), &a);
    assert_true(sipws_out_ok(&a));
    for (int size = 1; size < 256; size++) {
        memset(cuts, size, sizeof cuts);
        d->cuts = (struct sipws_str){cuts, sizeof cuts};
        struct sipws_out b = sipws_out(cut, sizeof cut);
        drive_run(d, sipws_out_str(&wire), &b);
        assert_true(sipws_str_eq(sipws_out_str(&a), sipws_out_str(&b)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_in_text_and_in_binary),
        cmocka_unit_test(the_handshake_answers_the_key),
        cmocka_unit_test(a_bad_handshake_is_answered),
        cmocka_unit_test(the_head_has_a_limit),
        cmocka_unit_test(sound_frames_carry_unsound_sip),
        cmocka_unit_test(via_and_sips_follow_the_connection),
        cmocka_unit_test(one_message_is_one_sip_message),
        cmocka_unit_test(crlf_is_a_keep_alive),
        cmocka_unit_test(control_frames_carry_no_sip),
        cmocka_unit_test(a_bad_frame_fails_the_connection),
        cmocka_unit_test(messages_have_a_limit),
        cmocka_unit_test(the_stream_may_end_anywhere),
        cmocka_unit_test(nothing_follows_a_close),
        cmocka_unit_test(a_client_opens_and_is_answered),
        cmocka_unit_test(a_client_refuses_what_it_did_not_ask_for),
        cmocka_unit_test(sending),
        cmocka_unit_test(closing),
        cmocka_unit_test(time_passes),
        cmocka_unit_test(any_cut_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
