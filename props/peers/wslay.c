/* wslay as a reader of frames: its event interface in the role of a server, which reads from and
 * writes to memory. What it queues as a close frame of its own is how it fails a connection. */
#include "peer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <wslay/wslay.h>

struct stream {
    const char *p;
    size_t n;
    json_t *events;
};

static ssize_t receive(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags, void *user)
{
    struct stream *s = user;
    (void)flags;
    if (s->n == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    n = n < s->n ? n : s->n;
    memcpy(to, s->p, n);
    s->p += n;
    s->n -= n;
    return (ssize_t)n;
}

static ssize_t swallow(wslay_event_context_ptr ctx, const uint8_t *p, size_t n, int flags,
                       void *user)
{
    (void)ctx, (void)p, (void)flags, (void)user;
    return (ssize_t)n;
}

static void message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                    void *user)
{
    static const char *const names[16] = {[WSLAY_TEXT_FRAME] = "text",
                                          [WSLAY_BINARY_FRAME] = "binary",
                                          [WSLAY_CONNECTION_CLOSE] = "close",
                                          [WSLAY_PING] = "ping",
                                          [WSLAY_PONG] = "pong"};
    struct stream *s = user;
    json_t *event = peer_item(s->events);
    bool close = arg->opcode == WSLAY_CONNECTION_CLOSE;
    size_t skip = close && arg->msg_length >= 2 ? 2 : 0; /* the code */
    (void)ctx;
    peer_text(event, "event", names[arg->opcode & 15]);
    peer_octets(event, close ? "reason" : "data", arg->msg ? (const char *)arg->msg + skip : "",
                arg->msg_length - skip);
    if (close && !arg->status_code)
        peer_text(event, "code", NULL);
    else if (close)
        peer_number(event, "code", arg->status_code);
}

static bool read_stream(json_t *o, const char *p, size_t n)
{
    wslay_event_context_ptr ctx;
    struct stream s = {p, n, peer_array(o, "events")};
    const struct wslay_event_callbacks callbacks = {
        .recv_callback = receive, .send_callback = swallow, .on_msg_recv_callback = message};
    if (wslay_event_context_server_init(&ctx, &callbacks, &s) != 0)
        abort();
    int error = wslay_event_recv(ctx);
    while (wslay_event_want_write(ctx) && wslay_event_send(ctx) == 0)
        ;
    bool ok =
        error == 0 && (wslay_event_get_close_received(ctx) || !wslay_event_get_close_sent(ctx));
    peer_text(o, "close", NULL);
    if (!ok) {
        peer_refuse(error ? "wslay_event_recv" : "it queued a close frame");
        if (wslay_event_get_status_code_sent(ctx) != WSLAY_CODE_NO_STATUS_RCVD)
            peer_number(o, "close", wslay_event_get_status_code_sent(ctx));
    }
    wslay_event_context_free(ctx);
    return ok;
}

const struct peer peer_wslay = {"wslay", WSLAY_VERSION, PEER_WS, read_stream, NULL, NULL};
