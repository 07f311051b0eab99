/* example_client: the smallest SIP WebSocket client. One connection on standard input and output,
 * to whatever is at their other end; it asks OPTIONS, tells the answer to standard error, and
 * closes. So
 *
 *     socat TCP:127.0.0.1:8080 EXEC:build/bin/example_client
 */
#define _DEFAULT_SOURCE
#include "sipws.h"

#include <stdio.h>
#include <unistd.h>

/* `id` is any token that was never used before. */
static bool put_options(struct sipws_out *o, struct sipws_str id)
{
    static struct sipws_field fields[16];
    struct sipws_build b =
        sipws_build_request(o, SIPWS_STR("OPTIONS"), SIPWS_STR("sip:server.example"), fields, 16);
    b.transport = SIPWS_TRANSPORT_WS;
    sipws_build_text(&b, SIPWS_F_VIA, SIPWS_STR("SIP/2.0/WS client.invalid"));
    sipws_build_param(&b, SIPWS_STR("branch"), id);
    sipws_build_number(&b, SIPWS_F_MAX_FORWARDS, 70);
    sipws_build_text(&b, SIPWS_F_FROM, SIPWS_STR("<sip:client@server.example>"));
    sipws_build_param(&b, SIPWS_STR("tag"), id);
    sipws_build_text(&b, SIPWS_F_TO, SIPWS_STR("<sip:server.example>"));
    sipws_build_text(&b, SIPWS_F_CALL_ID, id);
    sipws_build_text(&b, SIPWS_F_CSEQ, SIPWS_STR("1 OPTIONS"));
    return sipws_build_end(&b, SIPWS_STR(""));
}

/* An id out of 16 random octets. */
static struct sipws_str new_id(char out[40])
{
    unsigned char octets[16] = {0};
    if (getentropy(octets, sizeof octets) != 0)
        return (struct sipws_str){NULL, 0};
    int n = snprintf(out, 40, "z9hG4bK");
    for (size_t i = 0; i < sizeof octets; i++)
        out[n++] = "abcdefghijklmnop"[octets[i] % 16];
    return (struct sipws_str){out, (size_t)n};
}

int main(void)
{
    static char rx[4096], tx[1 << 17], buf[1 << 16], text[4096]; /* all memory there is */
    static struct sipws_field fields[128];
    struct sipws_conn_config config = {.role = SIPWS_CLIENT,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = fields,
                                       .field_cap = 128};
    struct sipws_http_ask ask = {.target = SIPWS_STR("/"), .host = SIPWS_STR("server.example")};
    struct sipws_conn conn;
    struct sipws_event ev = {.kind = SIPWS_EV_MORE};
    struct sipws_io io = {.out = sipws_out(tx, sizeof tx)};
    char id[40];
    unsigned status = 0;
    sipws_conn_init(&conn, &config, 0);
    if (getentropy(io.random, sizeof io.random) != 0 || !sipws_conn_start(&conn, &io, &ask))
        return 1;
    for (;;) {
        fwrite(tx, 1, io.out.n, stdout);
        fflush(stdout);
        io.out.n = 0;
        if (ev.kind == SIPWS_EV_CLOSED || ev.kind == SIPWS_EV_FAILED)
            break;
        if (io.in.n == 0) {
            ssize_t n = read(STDIN_FILENO, rx, sizeof rx);
            if (n <= 0)
                break;
            io.in = (struct sipws_str){rx, (size_t)n};
        }
        sipws_conn_read(&conn, &io, &ev);
        if (getentropy(io.random, sizeof io.random) != 0) /* fresh: each frame has its own key */
            break;
        struct sipws_out o = sipws_out(text, sizeof text);
        if (ev.kind == SIPWS_EV_OPEN && put_options(&o, new_id(id))) {
            sipws_conn_send(&conn, &io, sipws_out_str(&o), NULL);
        } else if (ev.kind == SIPWS_EV_MESSAGE && !ev.msg->is_request) {
            status = ev.msg->status;
            fprintf(stderr, "%u %.*s\n", status, (int)ev.msg->reason.n, ev.msg->reason.p);
            sipws_conn_close(&conn, &io, SIPWS_CLOSE_NORMAL, SIPWS_STR("bye"));
        } else if (ev.kind == SIPWS_EV_REFUSED || ev.kind == SIPWS_EV_FAILED) {
            fprintf(stderr, "octet %zu: %s (RFC %s)\n", ev.diag.off,
                    sipws_err_info(ev.diag.err)->text, ev.diag.rfc);
        }
    }
    return ev.kind == SIPWS_EV_CLOSED && status == 200 ? 0 : 1;
}
