/* What all targets of connections share: how far a connection got, and where it was. */
#ifndef SIPWS_FUZZ_CONN_H
#define SIPWS_FUZZ_CONN_H

#include "depth.h"
#include "drive.h"
#include "state.h"

#include <string.h>

/* The layers of RFC 7118, in the order in which octets pass them. */
enum { PAST_HANDSHAKE, PAST_FRAME, PAST_LINES, PAST_SIP, PAST_CLOSE, PAST_CONN };
#define FUZZ_CONN_LAYERS "handshake", "frame", "lines", "sip", "close"

static bool fuzz_conn_past[PAST_CONN];

static inline void fuzz_conn_spy(const struct sipws_conn *c, const struct sipws_event *ev)
{
    fuzz_state(fuzz_conn_state(c, ev));
    if (!ev)
        return;
    switch (ev->kind) {
    case SIPWS_EV_CLOSED:
        fuzz_conn_past[PAST_CLOSE] = true;
        break;
    case SIPWS_EV_MESSAGE:
        fuzz_conn_past[PAST_SIP] = fuzz_conn_past[PAST_LINES] = fuzz_conn_past[PAST_FRAME] = true;
        break;
    case SIPWS_EV_REFUSED:
        fuzz_conn_past[PAST_LINES] |= ev->msg != NULL;
        fuzz_conn_past[PAST_FRAME] = true;
        break;
    case SIPWS_EV_KEEPALIVE:
    case SIPWS_EV_PING:
    case SIPWS_EV_PONG:
        fuzz_conn_past[PAST_FRAME] = true;
        break;
    case SIPWS_EV_REQUEST:
    case SIPWS_EV_OPEN:
        fuzz_conn_past[PAST_HANDSHAKE] = true;
        break;
    case SIPWS_EV_MORE:
    case SIPWS_EV_FULL:
    case SIPWS_EV_FAILED:
        break;
    }
}

/* At the start of an execution, and at its end. */
static inline void fuzz_conn_begin(const char *const *layers, size_t *size)
{
    fuzz_begin(layers, size);
    memset(fuzz_conn_past, 0, sizeof fuzz_conn_past);
    drive_spy = fuzz_conn_spy;
}

static inline void fuzz_conn_end(void)
{
    drive_spy = NULL;
    for (unsigned i = 0; i < PAST_CONN; i++)
        if (fuzz_conn_past[i])
            fuzz_past(i);
}

#endif
