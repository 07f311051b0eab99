/* At each limit and one above it: what is as large as the limit is taken, what is larger is refused
 * with the limit's own error, and the peer is told. */
#include "drive.h"
#include "gen_ws.h"
#include "property.h"

/* ---- http/limits ----------------------------------------------------------------------------- */

struct head {
    size_t fields, protocols;
    bool protocols_first; /* before the fields that are none of ours */
    struct sipws_str text;
};

/* What a server wants besides the subprotocols. */
enum { OURS = 5 };

static void put_offers(struct sipws_out *o, size_t n, bool one_line)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !one_line)
            sipws_put_lit(o, "Sec-WebSocket-Protocol: ");
        if (i + 1 == n) {
            sipws_put_lit(o, "sip");
        } else {
            sipws_put_char(o, 'p');
            sipws_put_uint(o, i);
        }
        sipws_put(o, one_line && i + 1 < n ? SIPWS_STR(", ") : SIPWS_STR("\r\n"));
    }
}

/* One of the numbers around a limit, or any up to twice as many. */
static uint32_t around(struct tape *t, uint32_t limit)
{
    bool any = tape_chance(t, 96);
    uint32_t far = tape_below(t, 2 * limit), near = tape_below(t, 4);
    return any ? 1 + far : limit - 1 + near;
}

static const void *draw_head(struct tape *t, struct arena *a)
{
    struct head *h = arena_get(a, sizeof *h);
    if (!h)
        return NULL;
    bool many = tape_chance(t, 128), one_line = !tape_chance(t, 64);
    uint32_t fields = around(t, SIPWS_MAX_HEAD_FIELDS);
    uint32_t protocols = around(t, SIPWS_MAX_SUBPROTOCOLS);
    h->protocols = many ? protocols : 1 + protocols % 4;
    h->fields = OURS + (one_line ? 1 : h->protocols);
    size_t others = fields > h->fields ? fields - h->fields : 0;
    h->fields += others;
    h->protocols_first = !tape_chance(t, 128);
    struct sipws_out o = arena_begin(a);
    sipws_put_lit(&o, "GET / HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: " DRIVE_KEY "\r\n"
                      "Sec-WebSocket-Version: 13\r\n");
    if (h->protocols_first)
        put_offers(&o, h->protocols, one_line);
    for (size_t i = 0; i < others; i++)
        sipws_put_lit(&o, "X: y\r\n");
    if (!h->protocols_first)
        put_offers(&o, h->protocols, one_line);
    sipws_put_lit(&o, "\r\n");
    h->text = arena_end(a, &o);
    return a->full ? NULL : h;
}

static void explain_head(const void *story, FILE *f)
{
    const struct head *h = story;
    fprintf(f, "  %zu header fields, %zu subprotocols\n", h->fields, h->protocols);
    prop_octets(f, "  ", h->text);
}

static void wire_head(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct head *)story)->text);
}

static enum verdict hold_head(struct prop_trial *r, const void *story)
{
    const struct head *s = story;
    struct sipws_http *h = arena_get(&r->arena, sizeof *h);
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    bool fields = s->fields > SIPWS_MAX_HEAD_FIELDS;
    bool protocols = s->protocols > SIPWS_MAX_SUBPROTOCOLS;
    if (!h)
        return DISCARDED;
    bool ok = sipws_http_request(s->text, h, &diag);
    prop_class(r, fields ? "fields above" : protocols ? "subprotocols above" : "within");
    if (s->fields == SIPWS_MAX_HEAD_FIELDS || s->protocols == SIPWS_MAX_SUBPROTOCOLS)
        prop_class(r, "at the limit");
    if (ok == (fields || protocols))
        return prop_fail(r, ok ? "taken" : "refused", diag.off,
                         "%zu header fields and %zu subprotocols: %s", s->fields, s->protocols,
                         sipws_err_info(diag.err)->id);
    if (ok && h->n != s->fields)
        return prop_fail(r, "lost", PROP_NOWHERE, "%zu of %zu header fields", h->n, s->fields);
    if (ok || (fields && diag.err == SIPWS_E_LIMIT_HEAD_FIELDS) ||
        (protocols && diag.err == SIPWS_E_LIMIT_SUBPROTOCOLS))
        return HOLDS;
    return prop_fail(r, "reason", diag.off, "%s", sipws_err_info(diag.err)->id);
}

const struct prop prop_http_limits = {
    .name = "http/limits",
    .plant = "HTTP_FIELDS_ONE",
    .sentence = "A handshake may have as many header fields and subprotocols as their limits say, "
                "and is refused with the limit's own error from one more on.",
    .draw = draw_head,
    .hold = hold_head,
    .explain = explain_head,
    .wire = wire_head,
    .classes = {{"within", 150},
                {"at the limit", 50},
                {"fields above", 150},
                {"subprotocols above", 20}},
    .discard_percent = 0,
    .tape_max = 16,
};

/* ---- conn/limits ----------------------------------------------------------------------------- */

struct large {
    struct sipws_limits limits;
    size_t octets, frames;
    struct gen_cuts cuts;
    struct sipws_str wire;
};

static void put_frames(struct sipws_out *o, const struct large *s, struct tape *t)
{
    size_t left = s->octets;
    for (size_t i = 0; i < s->frames; i++) {
        static const char octets[512] = {0};
        const unsigned char key[4] = {7, 1, 1, 8};
        bool last = i + 1 == s->frames;
        size_t n = last ? left : tape_below(t, (uint32_t)left + 1);
        sipws_ws_put(o, last, i == 0 ? SIPWS_BINARY : SIPWS_CONTINUATION, key,
                     (struct sipws_str){octets, n});
        left -= n;
    }
}

static const void *draw_large(struct tape *t, struct arena *a)
{
    struct large *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->limits = (struct sipws_limits){4096, 1 + tape_below(t, 200), 1 + tape_below(t, 8)};
    s->octets = around(t, (uint32_t)s->limits.message);
    s->frames = around(t, s->limits.fragments);
    s->frames = s->frames ? s->frames : 1;
    s->cuts = gen_cuts(t);
    struct sipws_out o = arena_begin(a);
    sipws_put_lit(&o, "GET / HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: " DRIVE_KEY "\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n");
    put_frames(&o, s, t);
    s->wire = arena_end(a, &o);
    return a->full ? NULL : s;
}

static void explain_large(const void *story, FILE *f)
{
    const struct large *s = story;
    fprintf(f, "  %zu octets in %zu frames; %zu octets and %u frames are allowed\n", s->octets,
            s->frames, s->limits.message, (unsigned)s->limits.fragments);
    gen_cuts_explain(&s->cuts, f);
}

static void wire_large(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct large *)story)->wire);
}

/* What the watcher has seen. */
struct seen {
    size_t messages;
    struct sipws_event last;
};

static void watch(struct drive *d, const struct sipws_event *ev)
{
    struct seen *seen = d->ctx;
    if (!ev)
        return;
    seen->messages += ev->kind == SIPWS_EV_REFUSED || ev->kind == SIPWS_EV_MESSAGE ||
                      ev->kind == SIPWS_EV_KEEPALIVE;
    seen->last = *ev;
}

static enum verdict hold_large(struct prop_trial *r, const void *story)
{
    static struct drive d;
    static char transcript[1 << 14], sizes[1 << 12];
    const struct large *s = story;
    struct seen seen = {0};
    struct sipws_out o = sipws_out(transcript, sizeof transcript);
    bool octets = s->octets > s->limits.message, frames = s->frames > s->limits.fragments;
    for (size_t i = 0; i < sizeof sizes; i++)
        sizes[i] = (char)(s->cuts.size[i % s->cuts.n] % 256);
    d.role = SIPWS_SERVER;
    d.limits = s->limits;
    d.cuts = (struct sipws_str){sizes, sizeof sizes};
    d.watch = watch;
    d.ctx = &seen;
    d.stays = true;
    drive_run(&d, s->wire, &o);
    prop_class(r, octets ? "too many octets" : frames ? "too many frames" : "within");
    if (s->octets == s->limits.message)
        prop_class(r, "at the limit");
    if (!octets && !frames)
        return seen.messages == 1 && seen.last.kind != SIPWS_EV_FAILED
                   ? HOLDS
                   : prop_fail(r, "refused", PROP_NOWHERE, "%zu messages, then %s", seen.messages,
                               drive_event_name(seen.last.kind));
    enum sipws_err err = seen.last.diag.err;
    if (seen.messages > 0 || seen.last.kind != SIPWS_EV_FAILED)
        return prop_fail(r, "taken", PROP_NOWHERE, "%zu messages, then %s", seen.messages,
                         drive_event_name(seen.last.kind));
    if (!(octets && err == SIPWS_E_LIMIT_MESSAGE) && !(frames && err == SIPWS_E_LIMIT_FRAGMENTS))
        return prop_fail(r, "reason", PROP_NOWHERE, "%s", sipws_err_info(err)->id);
    /* RFC 6455 7.4.1: 1009 for what is too big, 1008 for what is against the rules of the house. */
    struct sipws_str want = err == SIPWS_E_LIMIT_MESSAGE ? SIPWS_STR("\x88\x02\x03\xF1")
                                                         : SIPWS_STR("\x88\x02\x03\xF0");
    bool told = d.sent.n > 4 && memcmp(d.sent.p + d.sent.n - 4, want.p, 4) == 0;
    return told ? HOLDS : prop_fail(r, "silent", PROP_NOWHERE, "the peer is not told why");
}

const struct prop prop_conn_limits = {
    .name = "conn/limits",
    .plant = "CONN_LIMIT_SILENT",
    .sentence = "A message may have as many octets and frames as the limits say; from one more on "
                "the connection fails for that reason, and tells the peer in a close frame.",
    .draw = draw_large,
    .hold = hold_large,
    .explain = explain_large,
    .wire = wire_large,
    .classes = {{"within", 100},
                {"at the limit", 30},
                {"too many octets", 200},
                {"too many frames", 50}},
    .discard_percent = 0,
    .tape_max = 96,
};
