/* example_server: the smallest SIP WebSocket server. One connection on standard input and output;
 * every request is answered, and what is refused is told to standard error. So
 *
 *     socat TCP-LISTEN:8080,reuseaddr,fork EXEC:build/bin/example_server
 *
 * serves ws://127.0.0.1:8080/. README.md shows what follows, and a test compares the two.
 */
#include "sipws.h"

#include <stdio.h>
#include <unistd.h>

/* 200 OK; 501 where a 200 would have to say more than that (a Contact, an Expires). */
static void put_ok(struct sipws_out *o, const struct sipws_msg *m)
{
    static struct sipws_field fields[128];
    struct sipws_build b =
        sipws_build_response_to(o, m, 200, SIPWS_STR("OK"), SIPWS_STR("example"), fields, 128);
    if (sipws_build_end(&b, SIPWS_STR("")))
        return;
    b = sipws_build_response_to(o, m, 501, SIPWS_STR("Not Implemented"), SIPWS_STR("example"),
                                fields, 128);
    sipws_build_end(&b, SIPWS_STR(""));
}

int main(void)
{
    static char rx[4096], tx[1 << 17], buf[1 << 16], ok[1 << 16]; /* all memory there is */
    static struct sipws_field fields[128];
    struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = fields,
                                       .field_cap = 128};
    struct sipws_conn conn;
    struct sipws_event ev = {.kind = SIPWS_EV_MORE};
    sipws_conn_init(&conn, &config, 0); /* no .times: never asks sipws_conn_tick for the time */

    for (ssize_t n; ev.kind == SIPWS_EV_MORE && (n = read(STDIN_FILENO, rx, sizeof rx)) > 0;) {
        struct sipws_io io = {.in = {rx, (size_t)n}, .out = sipws_out(tx, sizeof tx)};
        do {
            sipws_conn_read(&conn, &io, &ev);
            if (ev.kind == SIPWS_EV_REQUEST) {
                sipws_conn_accept(&conn, &io);
            } else if (ev.kind == SIPWS_EV_MESSAGE && ev.msg->is_request &&
                       ev.msg->method != SIPWS_M_ACK) {
                struct sipws_out o = sipws_out(ok, sizeof ok);
                put_ok(&o, ev.msg);
                if (sipws_out_ok(&o) && o.n > 0)
                    sipws_conn_send(&conn, &io, sipws_out_str(&o), NULL);
            } else if (ev.kind == SIPWS_EV_REFUSED || ev.kind == SIPWS_EV_FAILED) {
                fprintf(stderr, "octet %zu: %s (RFC %s)\n", ev.diag.off,
                        sipws_err_info(ev.diag.err)->text, ev.diag.rfc);
            }
            fwrite(tx, 1, io.out.n, stdout);
            fflush(stdout);
            io.out.n = 0;
        } while (ev.kind != SIPWS_EV_MORE && ev.kind != SIPWS_EV_CLOSED &&
                 ev.kind != SIPWS_EV_FAILED);
    }
    return ev.kind == SIPWS_EV_CLOSED ? 0 : 1;
}
