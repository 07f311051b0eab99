/* ref under measurement. */
#include "bench.h"

#include "conn.h"

#include <stdlib.h>

enum { FIELDS = 1 << 15, BUF = 1 << 21 };

static struct sipws_field fields[FIELDS];
static char buf[BUF], tx[1 << 12];

static struct sipws_str of(const char *p, size_t n)
{
    return (struct sipws_str){p, n};
}

static bool index_tier(const char *p, size_t n)
{
    struct sipws_msg msg;
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    return sipws_msg_parse(of(p, n), 0, fields, FIELDS, &msg, &report);
}

static bool check_tier(const char *p, size_t n)
{
    struct sipws_msg msg;
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    return sipws_msg_parse(of(p, n), 0, fields, FIELDS, &msg, &report) &&
           sipws_msg_check(&msg, SIPWS_TRANSPORT_ANY, 0, &report);
}

/* One connection of a server, open since the first call. */
static bool connection(const char *p, size_t n)
{
    static const char head[] = "GET / HTTP/1.1\r\nHost: ws.example.net\r\nUpgrade: websocket\r\n"
                               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                               "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                               "Sec-WebSocket-Protocol: sip\r\n\r\n";
    static struct sipws_conn conn;
    struct sipws_event ev;
    struct sipws_io io = {.out = sipws_out(tx, sizeof tx)};
    if (conn.state != SIPWS_CONN_OPEN) {
        struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                           .tls = true,
                                           .allow = SIPWS_ALLOW_VIA_TRANSPORT,
                                           .limits = SIPWS_LIMITS_DEFAULT,
                                           .buf = buf,
                                           .cap = BUF,
                                           .fields = fields,
                                           .field_cap = FIELDS};
        sipws_conn_init(&conn, &config, 0);
        io.in = of(head, sizeof head - 1);
        if (sipws_conn_read(&conn, &io, &ev) != SIPWS_EV_REQUEST || !sipws_conn_accept(&conn, &io))
            abort();
        io.out = sipws_out(tx, sizeof tx);
    }
    io.in = of(p, n);
    return sipws_conn_read(&conn, &io, &ev) == SIPWS_EV_MESSAGE;
}

static bool frame(const char *p, size_t n)
{
    static struct sipws_ws ws;
    struct sipws_ws_event ev;
    struct sipws_str in = of(p, n);
    if (!ws.buf)
        sipws_ws_init(&ws, SIPWS_SERVER, &SIPWS_LIMITS_DEFAULT, buf, BUF);
    return sipws_ws_read(&ws, &in, &ev) == SIPWS_WS_MESSAGE;
}

static bool copy(const char *p, size_t n)
{
    memcpy(buf, p, n);
    __asm__ volatile("" : : "r"(buf) : "memory"); /* somebody reads it */
    return true;
}

const struct bench_subject bench_index = {
    "index", "", "start line and line structure, header names known; no copy, no allocation",
    index_tier};
const struct bench_subject bench_check = {
    "check", "",
    "the index, every element of every known header field decoded, the rules across fields; "
    "no copy, no allocation",
    check_tier};
const struct bench_subject bench_connection = {
    "connection", "", "frame, unmasking into a buffer, UTF-8, index and check; no allocation",
    connection};
const struct bench_subject bench_frame = {
    "frame", "", "header, unmasking into a buffer, UTF-8, reassembly; no allocation", frame};
const struct bench_subject bench_memcpy = {"memcpy", "", "one copy", copy};
