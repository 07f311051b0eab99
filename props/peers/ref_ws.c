/* ref as a reader of frames: sipws_ws_read in the role of a server, which leaves an end within a
 * frame open, as a connection would. */
#include "peer.h"
#include "ws.h"

#include <stdio.h>

static bool read_stream(json_t *o, const char *p, size_t n)
{
    static char buf[1 << 20];
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    struct sipws_str in = {p, n};
    struct sipws_ws_event e;
    struct sipws_ws w;
    json_t *events = peer_array(o, "events");
    limits.message = sizeof buf;
    sipws_ws_init(&w, SIPWS_SERVER, &limits, buf, sizeof buf);
    peer_text(o, "close", NULL);
    for (;;) {
        enum sipws_ws_kind kind = sipws_ws_read(&w, &in, &e);
        static const char *const names[] = {
            [SIPWS_WS_PING] = "ping", [SIPWS_WS_PONG] = "pong", [SIPWS_WS_CLOSE] = "close"};
        if (kind == SIPWS_WS_MORE)
            return true;
        if (kind == SIPWS_WS_ERROR)
            break;
        json_t *event = peer_item(events);
        peer_text(event, "event",
                  kind != SIPWS_WS_MESSAGE ? names[kind]
                  : e.binary               ? "binary"
                                           : "text");
        peer_octets(event, kind == SIPWS_WS_CLOSE ? "reason" : "data", e.data.p ? e.data.p : "",
                    e.data.n);
        if (kind == SIPWS_WS_CLOSE && e.code == SIPWS_CLOSE_NONE)
            peer_text(event, "code", NULL);
        else if (kind == SIPWS_WS_CLOSE)
            peer_number(event, "code", e.code);
        if (kind == SIPWS_WS_CLOSE)
            return true; /* what follows is not read */
    }
    char why[128];
    const struct sipws_err_info *info = sipws_err_info(e.diag.err);
    snprintf(why, sizeof why, "%s at %zu", info->id, e.diag.off);
    peer_refuse(why);
    peer_number(o, "close", info->ws_close);
    return false;
}

const struct peer peer_ref_ws = {"ref", SIPWS_VERSION, PEER_WS, read_stream, NULL, NULL};
