/* ref as a reader of handshakes: the engine of a server, which answers. */
#include "conn.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

static bool read_head(json_t *o, const char *p, size_t n)
{
    static char buf[1 << 17], tx[2 * SIPWS_CONN_ROOM];
    static struct sipws_field fields[1];
    static struct sipws_conn conn;
    struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                       .limits = {sizeof buf, sizeof buf, 1},
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = fields,
                                       .field_cap = 1};
    struct sipws_io io = {.in = {p, n}, .out = sipws_out(tx, sizeof tx)};
    struct sipws_event ev;
    char why[128];
    sipws_conn_init(&conn, &config, 0);
    if (sipws_conn_read(&conn, &io, &ev) == SIPWS_EV_MORE)
        sipws_conn_end(&conn, &io, &ev);
    if (ev.kind != SIPWS_EV_REQUEST) {
        snprintf(why, sizeof why, "%s at %zu", sipws_err_info(ev.diag.err)->id, ev.diag.off);
        peer_refuse(why);
        return false;
    }
    o = peer_object(o, "handshake");
    peer_text(o, "subprotocol", "sip");
    peer_text(o, "key", "answered");
    peer_text(o, "extensions", NULL);
    return true;
}

const struct peer peer_ref_http = {"ref", SIPWS_VERSION, PEER_HTTP, read_head, NULL, NULL};
