/* ws: the reader of WebSocket frames, on raw octets.
 *
 * The first octet chooses: bit 0 who we are (0 server, 1 client), bits 1 and 2 the limits, the
 * other five the size of the pieces (1 to 32). What follows is the stream, and then it ends.
 *
 * Holds:
 * - nothing is read or written out of bounds, however small the pieces and the buffer;
 * - the events are the same in one piece and in many, and those of the naive twin, down to the
 *   octet of an error;
 * - every slice that comes out can be read, every error has its rule and section, and is sticky.
 *
 * Nothing is allocated, so that it runs as often as can be.
 */
#include "depth.h"
#include "twin.h"
#include "ws.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAME, MESSAGE, CLOSE }; /* layers */

enum { MOST = 8192, EVENTS = 512, BUF = 4096, PIECE = 32 };

static const struct sipws_limits limits[] = {{0, BUF, 256}, {0, 125, 3}, {0, 16, 2}, {0, 1000, 0}};

struct seen {
    struct twin_event events[EVENTS];
    size_t n;
    unsigned char mem[MOST]; /* payloads: never more octets than the stream has */
    size_t mem_n;
};

static struct seen whole, pieces, twin;
static char buf[BUF], piece[PIECE]; /* used at their ends, behind which AddressSanitizer watches */

static void die(const char *what)
{
    fprintf(stderr, "ws: %s\n", what);
    abort();
}

static void hear(struct seen *s, const struct sipws_ws_event *ev)
{
    static const enum twin_kind kinds[] = {
        [SIPWS_WS_MORE] = TWIN_ERROR,  [SIPWS_WS_MESSAGE] = TWIN_MESSAGE,
        [SIPWS_WS_PING] = TWIN_PING,   [SIPWS_WS_PONG] = TWIN_PONG,
        [SIPWS_WS_CLOSE] = TWIN_CLOSE, [SIPWS_WS_ERROR] = TWIN_ERROR};
    struct twin_event e = {.kind = kinds[ev->kind],
                           .binary = ev->binary,
                           .code = ev->code,
                           .p = s->mem + s->mem_n,
                           .n = ev->data.n};
    if (ev->kind == SIPWS_WS_ERROR) {
        e.err = ev->diag.err;
        e.off = ev->diag.off;
        if (!ev->diag.rule[0] || !ev->diag.rfc[0])
            die("an error without rule or section");
    }
    if (e.n > MOST - s->mem_n)
        die("more payload than the stream has");
    if (e.n > 0)
        memcpy(s->mem + s->mem_n, ev->data.p, e.n);
    s->mem_n += e.n;
    if (s->n < EVENTS)
        s->events[s->n++] = e;
}

static void read_all(struct seen *s, enum sipws_role role, const struct sipws_limits *l,
                     struct sipws_str stream, size_t step)
{
    struct sipws_ws w;
    struct sipws_ws_event ev = {.kind = SIPWS_WS_MORE};
    sipws_ws_init(&w, role, l, buf + BUF - l->message, l->message);
    s->n = s->mem_n = 0;
    while (stream.n > 0 && ev.kind != SIPWS_WS_ERROR) {
        size_t n = step < stream.n ? step : stream.n;
        struct sipws_str in = {stream.p, n};
        if (n <= PIECE) {
            memcpy(piece + PIECE - n, stream.p, n);
            in.p = piece + PIECE - n;
        }
        do {
            sipws_ws_read(&w, &in, &ev);
            if (ev.kind != SIPWS_WS_MORE)
                hear(s, &ev);
        } while (ev.kind != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR);
        if (ev.kind == SIPWS_WS_MORE && in.n > 0)
            die("MORE, with input left");
        stream.p += n;
        stream.n -= n;
    }
    bool failed = ev.kind == SIPWS_WS_ERROR;
    if (!failed && sipws_ws_end(&w, &ev) != SIPWS_WS_MORE)
        hear(s, &ev);
    if (ev.kind == SIPWS_WS_ERROR) {
        struct sipws_ws_event again;
        struct sipws_str more = SIPWS_STR("\x81\x00");
        if (sipws_ws_read(&w, &more, &again) != SIPWS_WS_ERROR || more.n != 2 ||
            again.diag.err != ev.diag.err || again.diag.off != ev.diag.off ||
            sipws_ws_end(&w, &again) != SIPWS_WS_ERROR)
            die("an error is not sticky");
    }
}

static void compare(const char *who, const struct seen *x, const struct seen *y)
{
    for (size_t i = 0; i < x->n || i < y->n; i++) {
        const struct twin_event *a = i < x->n ? &x->events[i] : NULL;
        const struct twin_event *b = i < y->n ? &y->events[i] : NULL;
        if (a && b && a->kind == b->kind && a->binary == b->binary && a->err == b->err &&
            a->off == b->off && a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0) &&
            (a->kind != TWIN_CLOSE || a->code == b->code))
            continue;
        const struct twin_event none = {.kind = TWIN_ERROR};
        a = a ? a : &none;
        b = b ? b : &none;
        fprintf(stderr,
                "ws: event %zu differs in one piece and %s: kind %d %d, %zu %zu octets, %s %s at "
                "octet %zu %zu\n",
                i, who, (int)a->kind, (int)b->kind, a->n, b->n, sipws_err_info(a->err)->id,
                sipws_err_info(b->err)->id, a->off, b->off);
        abort();
    }
}

static void count(const struct seen *s)
{
    bool frame = false, message = false, close = false;
    for (size_t i = 0; i < s->n; i++) {
        frame = frame || s->events[i].kind != TWIN_ERROR;
        message = message || s->events[i].kind == TWIN_MESSAGE;
        close = close || s->events[i].kind == TWIN_CLOSE;
    }
    if (frame)
        fuzz_past(FRAME);
    if (message)
        fuzz_past(MESSAGE);
    if (close)
        fuzz_past(CLOSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"frame", "message", "close", NULL};
    fuzz_begin(layers, &size);
    if (size == 0 || size > MOST)
        return 0;
    const struct sipws_limits *l = &limits[data[0] >> 1 & 3];
    enum sipws_role role = data[0] & 1 ? SIPWS_CLIENT : SIPWS_SERVER;
    struct sipws_str stream = {(const char *)data + 1, size - 1};
    const struct twin_stream t = {.p = data + 1,
                                  .n = size - 1,
                                  .server = role == SIPWS_SERVER,
                                  .ended = true,
                                  .limit = l->message,
                                  .fragments = l->fragments};
    read_all(&whole, role, l, stream, MOST);
    read_all(&pieces, role, l, stream, (size_t)(data[0] >> 3) + 1);
    count(&whole);
    compare("in many", &whole, &pieces);
    twin.n = twin_frames(&t, twin.mem, twin.events, EVENTS);
    if (twin.n <= EVENTS)
        compare("by the twin", &whole, &twin);
    return 0;
}
