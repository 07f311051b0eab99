/* example_server: the smallest SIP WebSocket server. One connection on standard input and output;
 * every request is answered with 200 OK, and what is refused is told to standard error. So
 *
 *     socat TCP-LISTEN:8080,reuseaddr,fork EXEC:build/bin/example_server
 *
 * serves ws://127.0.0.1:8080/. README.md shows what follows, and a test compares the two.
 */
#include "conn.h"

#include <stdio.h>
#include <unistd.h>

/* What RFC 3261 8.2.6 has a response take over from its request. */
static void put_ok(struct sipws_out *o, const struct sipws_msg *m)
{
    struct sipws_value to;
    struct sipws_param tag;
    sipws_put_lit(o, "SIP/2.0 200 OK\r\n");
    for (const struct sipws_field *f = m->fields; f < m->fields + m->n; f++) {
        if (f->id != SIPWS_F_VIA && f->id != SIPWS_F_FROM && f->id != SIPWS_F_TO &&
            f->id != SIPWS_F_CALL_ID && f->id != SIPWS_F_CSEQ)
            continue;
        sipws_put(o, f->name);
        sipws_put_lit(o, ": ");
        sipws_put(o, f->value);
        if (f->id == SIPWS_F_TO && sipws_msg_first(m, SIPWS_F_TO, &to) &&
            !sipws_param_find(to.params, SIPWS_STR("tag"), &tag))
            sipws_put_lit(o, ";tag=example");
        sipws_put_lit(o, "\r\n");
    }
    sipws_put_lit(o, "Content-Length: 0\r\n\r\n");
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
                if (sipws_out_ok(&o))
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
