/* wslay: its event interface, a server's context that reads from memory. */
#include "bench.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include <wslay/wslay.h>

struct reading {
    const char *p, *end;
    size_t messages;
};

static ssize_t receive(wslay_event_context_ptr ctx, uint8_t *to, size_t n, int flags, void *user)
{
    struct reading *r = user;
    size_t left = (size_t)(r->end - r->p);
    (void)flags;
    if (left == 0) {
        wslay_event_set_error(ctx, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    n = n < left ? n : left;
    memcpy(to, r->p, n);
    r->p += n;
    return (ssize_t)n;
}

static void message(wslay_event_context_ptr ctx, const struct wslay_event_on_msg_recv_arg *arg,
                    void *user)
{
    struct reading *r = user;
    (void)ctx;
    r->messages += arg->opcode == WSLAY_TEXT_FRAME;
}

static bool run(const char *p, size_t n)
{
    static wslay_event_context_ptr ctx;
    static struct reading r;
    const struct wslay_event_callbacks callbacks = {.recv_callback = receive,
                                                    .on_msg_recv_callback = message};
    if (!ctx && wslay_event_context_server_init(&ctx, &callbacks, &r) != 0)
        abort();
    r = (struct reading){p, p + n, 0};
    return wslay_event_recv(ctx) == 0 && r.messages == 1;
}

const struct bench_subject bench_wslay = {
    "wslay", WSLAY_VERSION,
    "header, unmasking, UTF-8, reassembly by its event interface; copies and allocates, and frees",
    run};
