#include "state.h"

enum { STATES = 1 << 13 };

#if defined(__GNUC__) && defined(__ELF__)
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static unsigned char states[STATES];

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

void fuzz_state(uint64_t hash)
{
    states[mix(0, hash) % STATES] = 1;
}

/* none, one, some */
static unsigned few(uint64_t n)
{
    return n < 2 ? (unsigned)n : 2;
}

static uint64_t frame_state(const struct sipws_ws *ws)
{
    bool head = ws->head_n < ws->head_len, payload = !head && ws->done < ws->frame.len;
    uint64_t h = mix(few(ws->head_n), (head ? 1 : 0) | (payload ? 2 : 0));
    h = mix(h, ws->head_n ? ws->frame.opcode | (ws->frame.fin ? 16u : 0) : 0);
    return mix(h, few(ws->frames) | (uint64_t)ws->binary << 2 | (uint64_t)ws->closed << 3 |
                      few(ws->n) << 4);
}

uint64_t fuzz_conn_state(const struct sipws_conn *c, const struct sipws_event *ev)
{
    uint64_t h = mix(c->config.role, c->state);
    h = mix(h, c->state == SIPWS_CONN_HEAD ? c->head.state : 0);
    if (c->state >= SIPWS_CONN_OPEN)
        h = mix(h, frame_state(&c->ws));
    h = mix(h, (c->pinged ? 1 : 0) | (unsigned)c->error.err << 1);
    if (ev)
        h = mix(h, (unsigned)ev->kind | (unsigned)ev->diag.err << 8);
    return h;
}
