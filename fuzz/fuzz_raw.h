/* What both whole-connection targets do: raw octets of a peer against one role of the engine.
 *
 * Input: one octet of switches (1 TLS, 2 the application refuses, 4 low limits, 8 lenient), one
 * octet with the number of cuts, the cuts (sizes of pieces), then the octets of the stream.
 */
#ifndef SIPWS_FUZZ_RAW_H
#define SIPWS_FUZZ_RAW_H

#include "fuzz_conn.h"

/* What the engine sends, its handshake aside, must be frames that its peer takes: nothing in them
 * is chosen by the octets that came in but the payload of pongs. */
static inline bool peer_takes(const struct drive *d)
{
    static char buf[1024];
    struct sipws_limits limits = {8192, sizeof buf, 8};
    enum sipws_role peer = d->role == SIPWS_SERVER ? SIPWS_CLIENT : SIPWS_SERVER;
    struct sipws_head head = {0};
    struct sipws_diag diag;
    struct sipws_ws ws;
    struct sipws_ws_event ev;
    enum sipws_ws_kind kind;
    size_t used = 0;
    if (sipws_head_feed(&head, d->sent.p, d->sent.n, 8192, &used, &diag) != SIPWS_HEAD_DONE)
        return d->sent.n == 0;
    struct sipws_str rest = {d->sent.p + used, d->sent.n - used};
    sipws_ws_init(&ws, peer, &limits, buf, sizeof buf);
    while ((kind = sipws_ws_read(&ws, &rest, &ev)) != SIPWS_WS_MORE)
        if (kind == SIPWS_WS_ERROR ||
            (kind == SIPWS_WS_MESSAGE && !sipws_str_eq(ev.data, SIPWS_STR("\r\n"))))
            return false;
    return sipws_ws_end(&ws, &ev) == SIPWS_WS_MORE;
}

static inline int fuzz_raw(enum sipws_role role, const uint8_t *data, size_t size)
{
    enum { TRANSCRIPT = 1 << 18 };
    static struct drive d;
    static char whole[TRANSCRIPT], cut[TRANSCRIPT];
    static const char *const layers[] = {FUZZ_CONN_LAYERS, NULL};
    fuzz_conn_begin(layers, &size);
    if (size < 2 || size - 2 < data[1])
        return 0;
    struct sipws_str cuts = {(const char *)data + 2, data[1]};
    struct sipws_str stream = {cuts.p + cuts.n, size - 2 - cuts.n};
    d.role = role;
    d.tls = data[0] & 1;
    d.refuse = data[0] & 2;
    d.limits = data[0] & 4 ? (struct sipws_limits){256, 128, 4} : SIPWS_LIMITS_DEFAULT;
    d.allow = data[0] & 8 ? UINT32_MAX : 0;

    struct sipws_out a = sipws_out(whole, sizeof whole), b = sipws_out(cut, sizeof cut);
    d.cuts = (struct sipws_str){NULL, 0};
    drive_run(&d, stream, &a);
    must(peer_takes(&d));
    if (cuts.n > 0) {
        d.cuts = cuts;
        drive_run(&d, stream, &b);
        size_t n = a.n < sizeof whole ? a.n : sizeof whole;
        must(a.n == b.n && (!sipws_out_ok(&a) || memcmp(whole, cut, n) == 0));
    }
    fuzz_conn_end();
    return 0;
}

#endif
