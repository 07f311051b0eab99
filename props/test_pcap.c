/* Captures, read back by a reader of their own: lengths, checksums, sequence numbers, and that what
 * one side sends is the wire. */
#include "http.h"
#include "pcap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

enum { MOST = 1 << 16 };

static char capture[MOST], sides[2][MOST]; /* [1]: to the server */
static size_t side_n[2], packets;
static unsigned server_port;

static unsigned number(const char *p, size_t n)
{
    unsigned value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

/* The sum over 16-bit words, which is all ones where the checksum is right. */
static unsigned sum_of(const char *p, size_t n, unsigned sum)
{
    for (size_t i = 0; i < n; i += 2)
        sum += number(p + i, 1) * 256 + (i + 1 < n ? number(p + i + 1, 1) : 0);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static void take(struct sipws_str wire)
{
    struct sipws_out o = sipws_out(capture, sizeof capture);
    pcap_print(&o, wire);
    assert_true(sipws_out_ok(&o));
    assert_int_equal(number(capture, 4), 0xA1B2C3D4);
    assert_int_equal(number(capture + 4, 2), 2);
    assert_int_equal(number(capture + 20, 4), 101);
    unsigned next[2] = {0, 0}, time = 0;
    memset(side_n, 0, sizeof side_n);
    packets = 0;
    for (size_t at = 24; at < o.n; packets++) {
        assert_true(o.n - at >= 16 + 40);
        const char *record = capture + at, *ip = record + 16, *tcp = ip + 20;
        unsigned n = number(record + 8, 4),
                 now = number(record, 4) * 1000000 + number(record + 4, 4);
        assert_int_equal(n, number(record + 12, 4));
        assert_true(packets == 0 || now > time || number(record, 4) > 1700000000);
        time = now;
        assert_true(n >= 40 && n <= o.n - at - 16);
        assert_int_equal(number(ip, 1), 0x45);
        assert_int_equal(number(ip + 2, 2), n);
        assert_int_equal(number(ip + 9, 1), 6);
        assert_int_equal(sum_of(ip, 20, 0), 0xFFFF);
        unsigned pseudo = sum_of(ip + 12, 8, 6 + n - 20);
        assert_int_equal(sum_of(tcp, n - 20, pseudo), 0xFFFF);
        bool to_server = number(ip + 15, 1) == 1;
        server_port = number(tcp + (to_server ? 2 : 0), 2);
        assert_int_equal(number(tcp + (to_server ? 0 : 2), 2), 50000);
        unsigned flags = number(tcp + 13, 1), seq = number(tcp + 4, 4);
        assert_true(packets < 2 || seq == next[to_server]);
        assert_true(packets == 0 || number(tcp + 8, 4) == next[!to_server]);
        assert_int_equal(flags & 2, packets < 2 ? 2 : 0);
        next[to_server] = seq + n - 40 + (flags & 3 ? 1 : 0);
        memcpy(sides[to_server] + side_n[to_server], tcp + 20, n - 40);
        side_n[to_server] += n - 40;
        at += 16 + n;
    }
}

static void sent(bool to_server, struct sipws_str want)
{
    assert_int_equal(side_n[to_server], want.n);
    assert_memory_equal(sides[to_server], want.p, want.n);
}

static void sip(void **state)
{
    struct sipws_str wire = SIPWS_STR("OPTIONS sip:a.invalid SIP/2.0\r\n\r\n");
    (void)state;
    take(wire);
    sent(true, wire);
    sent(false, SIPWS_STR(""));
    assert_int_equal(server_port, 5060);
    assert_int_equal(packets, 3 + 2 + 3);
}

static void frames(void **state)
{
    char wire[5001];
    (void)state;
    memset(wire, '\x81', sizeof wire);
    take((struct sipws_str){wire, sizeof wire});
    sent(true, (struct sipws_str){wire, sizeof wire});
    assert_int_equal(server_port, 80);
    assert_int_equal(packets, 3 + 2 * 4 + 3);
    take((struct sipws_str){NULL, 0});
    assert_int_equal(packets, 6);
}

static const char request[] =
    "GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n"
    "\x89\x80\0\0\0\0";

static void to_server(void **state)
{
    struct sipws_str wire = {request, sizeof request - 1};
    struct sipws_http http;
    struct sipws_diag d = {0};
    (void)state;
    take(wire);
    sent(true, wire);
    assert_int_equal(server_port, 80);
    assert_true(sipws_http_response((struct sipws_str){sides[0], side_n[0]},
                                    SIPWS_STR("AAAAAAAAAAAAAAAAAAAAAA=="), &http, &d));
    /* Of a handshake that is refused there is no answer. */
    wire.n -= 8;
    take(wire);
    sent(true, wire);
    assert_int_equal(side_n[0], 0);
}

static void to_client(void **state)
{
    char answer[512];
    struct sipws_out o = sipws_out(answer, sizeof answer);
    struct sipws_http http;
    struct sipws_diag d = {0};
    (void)state;
    assert_true(sipws_http_put_accept(&o, SIPWS_STR("AAAAAAAAAAAAAAAAAAAAAA==")));
    sipws_put_lit(&o, "\x89\x01x");
    take(sipws_out_str(&o));
    sent(false, sipws_out_str(&o));
    assert_true(sipws_http_request((struct sipws_str){sides[1], side_n[1]}, &http, &d));
    assert_true(sipws_str_eq(http.key, SIPWS_STR("AAAAAAAAAAAAAAAAAAAAAA==")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sip), cmocka_unit_test(frames),
                                       cmocka_unit_test(to_server), cmocka_unit_test(to_client)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
