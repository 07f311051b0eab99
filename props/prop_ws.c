/* WebSocket frames: the reader against its twins, against itself, and against what was meant. */
#include "gen_ws.h"

enum { SLACK = 8 }; /* octets in front of a buffer, so that it can lie on any address */

/* n octets of which the last is the last of its piece of memory: reading or writing behind them is
 * seen by AddressSanitizer. */
static char *at_the_end(struct arena *a, size_t n)
{
    char *p = arena_get(a, n + SLACK);
    return p ? p + SLACK : NULL;
}

/* ---- what the reader says -------------------------------------------------------------------- */

enum { SEEN = GEN_WS_FRAMES + 8 };

struct seen {
    struct twin_event events[SEEN];
    size_t n;
    const char *broken; /* a promise of the interface that did not hold, or NULL */
};

static struct twin_event seen_event(struct arena *a, const struct sipws_ws_event *ev)
{
    static const enum twin_kind kinds[] = {
        [SIPWS_WS_MORE] = TWIN_ERROR,  [SIPWS_WS_MESSAGE] = TWIN_MESSAGE,
        [SIPWS_WS_PING] = TWIN_PING,   [SIPWS_WS_PONG] = TWIN_PONG,
        [SIPWS_WS_CLOSE] = TWIN_CLOSE, [SIPWS_WS_ERROR] = TWIN_ERROR};
    struct twin_event e = {.kind = kinds[ev->kind], .binary = ev->binary, .code = ev->code};
    if (ev->kind == SIPWS_WS_ERROR) {
        e.err = ev->diag.err;
        e.off = ev->diag.off;
    } else {
        struct sipws_str copy = arena_copy(a, ev->data);
        e.p = (const unsigned char *)copy.p;
        e.n = copy.p ? copy.n : 0;
    }
    return e;
}

/* Feeds the wire of `g` to a reader, in pieces as `cuts` says or in one, each in memory of exactly
 * its size. */
static void watch(struct arena *a, const struct gen_ws *g, const struct gen_cuts *cuts,
                  struct seen *s)
{
    struct sipws_ws w;
    struct sipws_ws_event ev = {0};
    struct sipws_str rest = g->wire;
    char *buf = at_the_end(a, g->limits.message);
    size_t largest = cuts ? 0 : rest.n;
    for (uint32_t i = 0; cuts && i < cuts->n; i++)
        largest = cuts->size[i] > largest ? cuts->size[i] : largest;
    char *room = arena_get(a, largest);
    s->n = 0;
    s->broken = NULL;
    if (!buf || !room)
        return;
    sipws_ws_init(&w, g->role, &g->limits, buf, g->limits.message);
    for (uint32_t i = 0; rest.n > 0; i++) {
        size_t n = cuts ? cuts->size[i % cuts->n] : rest.n;
        n = n < rest.n ? n : rest.n;
        char *piece = room + largest - n;
        memcpy(piece, rest.p, n);
        rest.p += n;
        rest.n -= n;
        struct sipws_str in = {piece, n};
        while (sipws_ws_read(&w, &in, &ev) != SIPWS_WS_MORE) {
            if (in.p + in.n != piece + n)
                s->broken = "the input is stepped over, not cut";
            if (s->n < SEEN)
                s->events[s->n++] = seen_event(a, &ev);
            if (ev.kind == SIPWS_WS_ERROR)
                break;
        }
        if (ev.kind == SIPWS_WS_MORE && in.n > 0)
            s->broken = "MORE comes when all input is used";
        if (ev.kind == SIPWS_WS_ERROR)
            break;
    }
    struct sipws_ws_event again;
    bool failed = ev.kind == SIPWS_WS_ERROR;
    if (!failed && g->ended && sipws_ws_end(&w, &ev) == SIPWS_WS_ERROR && s->n < SEEN) {
        s->events[s->n++] = seen_event(a, &ev);
        failed = true;
    }
    struct sipws_str more = SIPWS_STR("\x81\x80\x01\x02\x03\x04");
    if (failed && (sipws_ws_read(&w, &more, &again) != SIPWS_WS_ERROR || more.n != 6 ||
                   again.diag.err != ev.diag.err || again.diag.off != ev.diag.off ||
                   sipws_ws_end(&w, &again) != SIPWS_WS_ERROR || again.diag.err != ev.diag.err))
        s->broken = "an error is sticky";
}

static bool same_event(const struct twin_event *x, const struct twin_event *y)
{
    return x->kind == y->kind && x->binary == y->binary && x->n == y->n && x->err == y->err &&
           (x->kind != TWIN_CLOSE || x->code == y->code) &&
           (x->kind != TWIN_ERROR || x->off == y->off) &&
           (x->n == 0 || memcmp(x->p, y->p, x->n) == 0);
}

static const char *said(char out[160], const struct twin_event *e)
{
    static const char *const names[] = {"message", "ping", "pong", "close", "error"};
    if (!e)
        snprintf(out, 160, "nothing");
    else if (e->kind == TWIN_ERROR)
        snprintf(out, 160, "error %s at octet %zu", sipws_err_info(e->err)->id, e->off);
    else if (e->kind == TWIN_CLOSE)
        snprintf(out, 160, "close %u with a reason of %zu octets", e->code, e->n);
    else
        snprintf(out, 160, "%s%s of %zu octets", e->binary ? "binary " : "", names[e->kind], e->n);
    return out;
}

static enum verdict same_events(struct prop_trial *r, const char *id, const struct twin_event *want,
                                size_t want_n, const struct seen *got)
{
    if (got->broken)
        return prop_fail(r, "contract", PROP_NOWHERE, "does not hold: %s", got->broken);
    for (size_t i = 0; i < want_n || i < got->n; i++) {
        const struct twin_event *x = i < want_n ? &want[i] : NULL;
        const struct twin_event *y = i < got->n ? &got->events[i] : NULL;
        char a[160], b[160];
        if (!x || !y || !same_event(x, y))
            return prop_fail(r, id, y && y->kind == TWIN_ERROR ? y->off : PROP_NOWHERE,
                             "event %zu: %s, should be %s", i, said(a, y), said(b, x));
    }
    return HOLDS;
}

/* ---- streams --------------------------------------------------------------------------------- */

struct stream {
    struct gen_ws *g;
    struct gen_cuts cuts;
};

static const void *draw_stream(struct tape *t, struct arena *a)
{
    struct stream *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->cuts = gen_cuts(t);
    s->g = gen_ws(t, a, true);
    return s->g ? s : NULL;
}

static void explain_stream(const void *story, FILE *f)
{
    const struct stream *s = story;
    gen_ws_explain(s->g, f);
    gen_cuts_explain(&s->cuts, f);
}

static void wire_stream(const void *story, struct sipws_out *o)
{
    gen_ws_wire(((const struct stream *)story)->g, o);
}

/* The classes that every property of streams counts. */
static void classes_of_stream(struct prop_trial *r, const struct gen_ws *g)
{
    prop_class(r, g->bend == GEN_WS_GOOD ? "good" : g->bend == GEN_WS_CUT ? "cut off" : "bent");
    prop_class(r, g->role == SIPWS_SERVER ? "server" : "client");
    bool open = false;
    for (size_t i = 0; i < g->bent; i++) {
        const struct gen_ws_frame *f = &g->frames[i];
        if (f->opcode == SIPWS_CONTINUATION)
            prop_class(r, "fragments");
        if (f->opcode >= 8 && open)
            prop_class(r, "control between fragments");
        if (f->opcode < 8)
            open = !f->fin;
        if (f->len_extra)
            prop_class(r, f->len_extra == 2 ? "16 bits of length" : "63 bits of length");
    }
}

#define STREAM_CLASSES                                                                             \
    {"good", 300}, {"bent", 200}, {"cut off", 5}, {"server", 250}, {"client", 250},                \
        {"fragments", 100}, {"control between fragments", 20}, {"16 bits of length", 50},          \
    {                                                                                              \
        "63 bits of length", 5                                                                     \
    }

static enum verdict hold_cut(struct prop_trial *r, const void *story)
{
    const struct stream *s = story;
    struct seen *whole = arena_get(&r->arena, sizeof *whole);
    struct seen *cut = arena_get(&r->arena, sizeof *cut);
    if (!whole || !cut)
        return DISCARDED;
    classes_of_stream(r, s->g);
    if (s->cuts.n == 1 && s->cuts.size[0] == 1)
        prop_class(r, "octet by octet");
    watch(&r->arena, s->g, NULL, whole);
    watch(&r->arena, s->g, &s->cuts, cut);
    if (whole->broken)
        return prop_fail(r, "contract", PROP_NOWHERE, "does not hold: %s", whole->broken);
    return same_events(r, "cut", whole->events, whole->n, cut);
}

const struct prop prop_ws_cut = {
    .name = "ws/cut",
    .plant = "WS_HEAD_LOST",
    .sentence = "However a stream of frames is cut, it gives the same events and errors at the "
                "same octets.",
    .draw = draw_stream,
    .hold = hold_cut,
    .explain = explain_stream,
    .wire = wire_stream,
    .classes = {STREAM_CLASSES, {"octet by octet", 10}},
    .discard_percent = 5,
    .tape_max = 1024,
};

static enum verdict hold_twin(struct prop_trial *r, const void *story)
{
    const struct stream *s = story;
    struct seen *got = arena_get(&r->arena, sizeof *got);
    struct twin_event *want = arena_get(&r->arena, SEEN * sizeof *want);
    unsigned char *mem = arena_get(&r->arena, s->g->wire.n);
    if (!got || !want || !mem)
        return DISCARDED;
    classes_of_stream(r, s->g);
    const struct twin_stream t = {.p = (const unsigned char *)s->g->wire.p,
                                  .n = s->g->wire.n,
                                  .server = s->g->role == SIPWS_SERVER,
                                  .ended = s->g->ended,
                                  .limit = s->g->limits.message,
                                  .fragments = s->g->limits.fragments};
    size_t n = twin_frames(&t, mem, want, SEEN);
    watch(&r->arena, s->g, &s->cuts, got);
    return same_events(r, "twin", want, n, got);
}

const struct prop prop_ws_twin = {
    .name = "ws/twin",
    .plant = "WS_LENGTH_WRAP",
    .sentence = "The reader and the naive one, which has all of the stream before it, give the "
                "same events and the same error at the same octet.",
    .draw = draw_stream,
    .hold = hold_twin,
    .explain = explain_stream,
    .wire = wire_stream,
    .classes = {STREAM_CLASSES},
    .discard_percent = 5,
    .tape_max = 1024,
};

static const void *draw_bare_stream(struct tape *t, struct arena *a)
{
    return gen_ws(t, a, true);
}

static const char *group(enum gen_ws_bend bend)
{
    static const char *const groups[GEN_WS_BENDS] = {
        [GEN_WS_GOOD] = "good",
        [GEN_WS_RSV] = "bent: RSV, opcode",
        [GEN_WS_OPCODE] = "bent: RSV, opcode",
        [GEN_WS_CONTROL_CUT] = "bent: control",
        [GEN_WS_CONTROL_LONG] = "bent: control",
        [GEN_WS_CONTINUATION] = "bent: order",
        [GEN_WS_INTERLEAVED] = "bent: order",
        [GEN_WS_FRAGMENTS] = "bent: limits",
        [GEN_WS_MESSAGE] = "bent: limits",
        [GEN_WS_HUGE] = "bent: limits",
        [GEN_WS_MASK] = "bent: mask",
        [GEN_WS_LENGTH_LONG] = "bent: length",
        [GEN_WS_LENGTH_TOP] = "bent: length",
        [GEN_WS_UTF8] = "bent: UTF-8",
        [GEN_WS_UTF8_CUT] = "bent: UTF-8",
        [GEN_WS_CLOSE_SHORT] = "bent: close",
        [GEN_WS_CLOSE_CODE] = "bent: close",
        [GEN_WS_CLOSE_UTF8] = "bent: close",
        [GEN_WS_AFTER_CLOSE] = "bent: after close",
        [GEN_WS_CUT] = "cut off",
    };
    return groups[bend];
}

static enum verdict hold_meant(struct prop_trial *r, const void *story)
{
    const struct gen_ws *g = story;
    struct seen *got = arena_get(&r->arena, sizeof *got);
    if (!got)
        return DISCARDED;
    prop_class(r, group(g->bend));
    for (size_t i = 0; i < g->want_n; i++)
        prop_class(r, g->want[i].kind == TWIN_MESSAGE ? "a message before it" : "a control frame");
    watch(&r->arena, g, NULL, got);
    enum sipws_err err = SIPWS_OK;
    if (got->n > 0 && got->events[got->n - 1].kind == TWIN_ERROR)
        err = got->events[--got->n].err;
    if (err != g->err)
        return prop_fail(r, "verdict", PROP_NOWHERE, "%s where %s is due", sipws_err_info(err)->id,
                         sipws_err_info(g->err)->id);
    return same_events(r, "meant", g->want, g->want_n, got);
}

const struct prop prop_ws_meant = {
    .name = "ws/meant",
    .plant = "WS_MASK_LAX",
    .sentence = "What a sender means is what is read: a message is its fragments one behind the "
                "other, control frames come in their places; what is bent earns its error.",
    .draw = draw_bare_stream,
    .hold = hold_meant,
    .explain = gen_ws_explain,
    .wire = gen_ws_wire,
    .classes = {{"good", 300},
                {"bent: RSV, opcode", 5},
                {"bent: control", 5},
                {"bent: order", 5},
                {"bent: limits", 5},
                {"bent: mask", 5},
                {"bent: length", 5},
                {"bent: UTF-8", 5},
                {"bent: close", 5},
                {"bent: after close", 5},
                {"cut off", 5},
                {"a message before it", 100},
                {"a control frame", 100}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- limits ---------------------------------------------------------------------------------- */

static const void *draw_good_stream(struct tape *t, struct arena *a)
{
    return gen_ws(t, a, false);
}

/* The verdict on the stream under these limits. */
static enum sipws_err under(struct arena *a, const struct gen_ws *g, size_t message,
                            uint32_t fragments, struct seen *s)
{
    struct gen_ws copy = *g;
    copy.limits.message = message;
    copy.limits.fragments = fragments;
    watch(a, &copy, NULL, s);
    return s->n > 0 ? s->events[s->n - 1].err : SIPWS_OK;
}

static enum verdict hold_limits(struct prop_trial *r, const void *story)
{
    const struct gen_ws *g = story;
    struct seen *s = arena_get(&r->arena, sizeof *s);
    if (!s)
        return DISCARDED;
    enum sipws_err err = under(&r->arena, g, g->largest, g->longest, s);
    if (err != SIPWS_OK)
        return prop_fail(r, "at", s->events[s->n - 1].off, "%s at the limits",
                         sipws_err_info(err)->id);
    if (g->largest > 0) {
        prop_class(r, "octets");
        err = under(&r->arena, g, g->largest - 1, g->longest, s);
        if (err != SIPWS_E_LIMIT_MESSAGE)
            return prop_fail(r, "message", PROP_NOWHERE, "%s one octet above the limit",
                             sipws_err_info(err)->id);
    }
    if (g->longest > 0) {
        prop_class(r, g->longest > 1 ? "fragments" : "one frame");
        err = under(&r->arena, g, g->largest, g->longest - 1, s);
        if (err != SIPWS_E_LIMIT_FRAGMENTS)
            return prop_fail(r, "fragments", PROP_NOWHERE, "%s one fragment above the limit",
                             sipws_err_info(err)->id);
    }
    return HOLDS;
}

const struct prop prop_ws_limits = {
    .name = "ws/limits",
    .plant = "WS_FRAGMENT_FLOOD",
    .sentence = "A limit of octets or fragments accepts as many as it says, and refuses one more "
                "with an error of its own.",
    .draw = draw_good_stream,
    .hold = hold_limits,
    .explain = gen_ws_explain,
    .wire = gen_ws_wire,
    .classes = {{"octets", 400}, {"fragments", 100}, {"one frame", 100}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- control frames -------------------------------------------------------------------------- */

/* The messages among the events, moved together. */
static void messages_only(struct seen *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        if (s->events[i].kind == TWIN_MESSAGE || s->events[i].kind == TWIN_ERROR)
            s->events[n++] = s->events[i];
    s->n = n;
}

static enum verdict hold_control(struct prop_trial *r, const void *story)
{
    const struct gen_ws *g = story;
    struct seen *with = arena_get(&r->arena, sizeof *with);
    struct seen *without = arena_get(&r->arena, sizeof *without);
    if (!with || !without)
        return DISCARDED;
    struct gen_ws bare = *g;
    struct sipws_out o = arena_begin(&r->arena);
    for (size_t i = 0; i < g->n; i++) {
        size_t end = i + 1 < g->n ? g->frames[i + 1].off : g->wire.n;
        size_t off = g->frames[i].off;
        if (g->frames[i].opcode < 8)
            sipws_put(&o, (struct sipws_str){g->wire.p + off, end - off});
        else
            prop_class(r, g->frames[i].payload.n > 2 ? "with payload" : "without");
    }
    bare.wire = arena_end(&r->arena, &o);
    if (r->arena.full)
        return DISCARDED;
    watch(&r->arena, g, NULL, with);
    watch(&r->arena, &bare, NULL, without);
    messages_only(with);
    for (size_t i = 0; i < without->n; i++)
        prop_class(r, "with messages");
    return same_events(r, "messages", without->events, without->n, with);
}

const struct prop prop_ws_control = {
    .name = "ws/control",
    .plant = "WS_CONTROL_CLEARS",
    .sentence = "Taking the control frames out of a stream changes none of its messages: no "
                "payload of theirs becomes one.",
    .draw = draw_good_stream,
    .hold = hold_control,
    .explain = gen_ws_explain,
    .wire = gen_ws_wire,
    .classes = {{"with payload", 200}, {"without", 20}, {"with messages", 300}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- printing -------------------------------------------------------------------------------- */

/* A message in frames, and a close frame. */
struct letter {
    enum sipws_role from;
    bool binary;
    unsigned char key[4];
    struct sipws_str payload;
    uint32_t first; /* octets of the first frame, if it is not the only one */
    bool two;
    unsigned code;
    struct sipws_str reason;
    uint32_t cap; /* of a buffer that may be too short */
};

static const void *draw_letter(struct tape *t, struct arena *a)
{
    static const uint16_t codes[] = {1000, 1001, 1005, 1006, 1009, 1014, 1015, 999,
                                     3000, 4999, 5000, 0,    1004, 2999, 1003, 65535};
    struct letter *l = arena_get(a, sizeof *l);
    if (!l)
        return NULL;
    l->from = tape_below(t, 2) ? SIPWS_CLIENT : SIPWS_SERVER;
    tape_bytes(t, l->key, 4);
    l->binary = tape_below(t, 2);
    size_t n = gen_ws_size(t);
    l->payload = l->binary ? gen_ws_octets(t, a, n) : gen_ws_text(t, a, n);
    l->two = tape_chance(t, 100);
    l->first = tape_below(t, (uint32_t)l->payload.n + 1);
    l->code = codes[tape_below(t, 16)];
    n = tape_below(t, 160);
    struct sipws_str reason = gen_ws_text(t, a, n), bad = gen_ws_bad_utf8(t);
    size_t at = tape_below(t, 160);
    if (reason.p && tape_chance(t, 60) && at + bad.n <= n) {
        char *p = arena_get(a, n);
        if (!p)
            return NULL;
        memcpy(p, reason.p, n);
        memcpy(p + at, bad.p, bad.n);
        reason.p = p;
    }
    l->reason = reason;
    l->cap = tape_below(t, 256);
    return l;
}

static void explain_letter(const void *story, FILE *f)
{
    const struct letter *l = story;
    fprintf(f, "  a %s sends a %s message of %zu octets",
            l->from == SIPWS_CLIENT ? "client" : "server", l->binary ? "binary" : "text",
            l->payload.n);
    if (l->two)
        fprintf(f, ", %u of them in a first frame", (unsigned)l->first);
    fprintf(f, ",\n  then closes with %u and a reason of %zu octets:\n", l->code, l->reason.n);
    prop_octets(f, "    ", l->reason);
}

static void put_letter(const struct letter *l, struct sipws_out *o)
{
    const unsigned char *key = l->from == SIPWS_CLIENT ? l->key : NULL;
    enum sipws_opcode opcode = l->binary ? SIPWS_BINARY : SIPWS_TEXT;
    struct sipws_str all = l->payload;
    if (l->two) {
        sipws_ws_put(o, false, opcode, key, (struct sipws_str){all.p, l->first});
        all.p += l->first;
        all.n -= l->first;
        opcode = SIPWS_CONTINUATION;
    }
    sipws_ws_put(o, true, opcode, key, all);
    sipws_ws_put_close(o, key, l->code, l->reason);
}

static void wire_letter(const void *story, struct sipws_out *o)
{
    put_letter(story, o);
}

static enum verdict hold_put(struct prop_trial *r, const void *story)
{
    const struct letter *l = story;
    prop_class(r, l->payload.n < 126 ? "7 bits" : l->payload.n < 65536 ? "16 bits" : "63 bits");
    prop_class(r, l->from == SIPWS_CLIENT ? "client" : "server");
    if (l->reason.n > 123)
        prop_class(r, "long reason");

    struct sipws_out measured = sipws_out(NULL, 0);
    put_letter(l, &measured);
    char *p = at_the_end(&r->arena, measured.n);
    struct sipws_out o = sipws_out(p, measured.n);
    if (!p)
        return DISCARDED;
    put_letter(l, &o);
    if (o.n != measured.n)
        return prop_fail(r, "measure", PROP_NOWHERE, "%zu octets, measured %zu", o.n, measured.n);
    size_t cap = l->cap < measured.n ? l->cap : measured.n;
    char *q = at_the_end(&r->arena, cap);
    struct sipws_out cut = sipws_out(q, cap);
    if (!q)
        return DISCARDED;
    put_letter(l, &cut);
    if (cut.n != measured.n || sipws_out_ok(&cut) != (cap == measured.n))
        return prop_fail(r, "short", cap, "%zu octets counted in a buffer of %zu, %zu are needed",
                         cut.n, cap, measured.n);

    struct gen_ws g = {.role = l->from == SIPWS_CLIENT ? SIPWS_SERVER : SIPWS_CLIENT,
                       .limits = {0, l->payload.n, 2},
                       .wire = sipws_out_str(&o)};
    struct seen *got = arena_get(&r->arena, sizeof *got);
    if (!got)
        return DISCARDED;
    watch(&r->arena, &g, NULL, got);

    /* The reason: as many whole characters as there are, up to 123 octets. */
    bool has_code = twin_close_sendable(l->code), whole = false;
    const unsigned char *reason = (const unsigned char *)l->reason.p;
    size_t n = has_code ? (l->reason.n < 123 ? l->reason.n : 123) : 0;
    for (; n > 0 && (twin_utf8(reason, n, &whole) < n || !whole); n--)
        ;
    if (has_code && n < l->reason.n)
        prop_class(r, "cut reason");
    const struct twin_event want[] = {
        {.kind = TWIN_MESSAGE,
         .binary = l->binary,
         .p = (const unsigned char *)l->payload.p,
         .n = l->payload.n},
        {.kind = TWIN_CLOSE, .code = has_code ? l->code : 1005, .p = reason, .n = n}};
    size_t parts = l->two ? 3 : 2, least = 0;
    size_t sizes[3] = {l->two ? l->first : l->payload.n, l->two ? l->payload.n - l->first : n + 2,
                       n + 2};
    if (!has_code)
        sizes[parts - 1] = 0;
    for (size_t i = 0; i < parts; i++)
        least += 2 +
                 (sizes[i] > 65535 ? 8u
                  : sizes[i] > 125 ? 2u
                                   : 0u) +
                 (l->from == SIPWS_CLIENT ? 4u : 0u) + sizes[i];
    if (least != measured.n)
        return prop_fail(r, "least", PROP_NOWHERE, "%zu octets, where %zu do", measured.n, least);
    return same_events(r, "read back", want, 2, got);
}

const struct prop prop_ws_put = {
    .name = "ws/put",
    .plant = "WS_PUT_126",
    .sentence = "What is printed is read back, is as short as it can be and as long as measured, "
                "and never written past a buffer's end.",
    .draw = draw_letter,
    .hold = hold_put,
    .explain = explain_letter,
    .wire = wire_letter,
    .classes = {{"7 bits", 200},
                {"16 bits", 100},
                {"63 bits", 5},
                {"client", 250},
                {"server", 250},
                {"long reason", 20},
                {"cut reason", 20}},
    .discard_percent = 5,
    .tape_max = 256,
};

/* ---- unmasking ------------------------------------------------------------------------------- */

struct masked {
    unsigned char key[4];
    uint32_t phase, src_at, dst_at;
    bool in_place;
    struct sipws_str octets;
};

static const void *draw_masked(struct tape *t, struct arena *a)
{
    static const uint32_t edges[] = {0, 1, 7, 8, 9, 31, 32, 33, 63, 64, 65, 1023, 1024, 1025};
    struct masked *m = arena_get(a, sizeof *m);
    if (!m)
        return NULL;
    tape_bytes(t, m->key, 4);
    m->phase = tape_below(t, 9);
    m->src_at = tape_below(t, SLACK);
    m->dst_at = tape_below(t, SLACK);
    m->in_place = tape_below(t, 2);
    m->octets = gen_ws_octets(t, a, tape_size(t, 2000, edges, 14));
    return m->octets.p ? m : NULL;
}

static void explain_masked(const void *story, FILE *f)
{
    const struct masked *m = story;
    fprintf(f, "  %zu octets at %u to %u (modulo 8)%s, key %02x%02x%02x%02x, phase %u\n",
            m->octets.n, (unsigned)m->src_at, (unsigned)(m->in_place ? m->src_at : m->dst_at),
            m->in_place ? ", in place" : "", m->key[0], m->key[1], m->key[2], m->key[3],
            (unsigned)m->phase);
}

static enum verdict hold_unmask(struct prop_trial *r, const void *story)
{
    const struct masked *m = story;
    size_t n = m->octets.n;
    char *src = arena_get(&r->arena, n + m->src_at), *dst = arena_get(&r->arena, n + m->dst_at);
    char *want = arena_get(&r->arena, n);
    if (!src || !dst || !want)
        return DISCARDED;
    src += m->src_at;
    dst += m->dst_at;
    if (m->in_place)
        dst = src;
    memcpy(src, m->octets.p, n);
    memcpy(want, m->octets.p, n);
    prop_class(r, m->in_place ? "in place" : "to elsewhere");
    prop_class(r, n < 8 ? "below a word" : n < 32 ? "words" : "blocks");
    if ((m->in_place ? 0 : m->dst_at ^ m->src_at) != 0)
        prop_class(r, "at different alignments");
    if (m->phase % 4 != 0)
        prop_class(r, "within a key");
    sipws_unmask(dst, src, n, m->key, m->phase);
    twin_unmask((unsigned char *)want, n, m->key, m->phase);
    return prop_same(r, "twin", (struct sipws_str){want, n}, (struct sipws_str){dst, n});
}

const struct prop prop_ws_unmask = {
    .name = "ws/unmask",
    .plant = "WS_UNMASK_START",
    .sentence = "Unmasking by words is unmasking octet by octet: any key, phase, alignment and "
                "length, in place or not.",
    .draw = draw_masked,
    .hold = hold_unmask,
    .explain = explain_masked,
    .classes = {{"in place", 250},
                {"to elsewhere", 250},
                {"below a word", 50},
                {"words", 100},
                {"blocks", 100},
                {"at different alignments", 200},
                {"within a key", 300}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

struct utf8_story {
    struct sipws_str text;
    struct gen_cuts cuts;
};

static const void *draw_utf8(struct tape *t, struct arena *a)
{
    struct utf8_story *u = arena_get(a, sizeof *u);
    struct sipws_out o;
    if (!u)
        return NULL;
    u->cuts = gen_cuts(t);
    char *p = arena_get(a, 4096);
    if (!p)
        return NULL;
    o = sipws_out(p, 4096);
    while (tape_next(t, "run", 3)) {
        unsigned how = tape_below(t, 8);
        size_t n = tape_below(t, 80);
        if (how == 6)
            sipws_put(&o, gen_ws_bad_utf8(t));
        else if (how == 7)
            sipws_put(&o, gen_ws_half_character(t));
        else if (how == 5)
            sipws_put(&o, gen_ws_octets(t, a, n % 5));
        else
            sipws_put(&o, gen_ws_text(t, a, n));
        tape_end(t);
    }
    if (!sipws_out_ok(&o))
        return NULL;
    u->text = arena_copy(a, sipws_out_str(&o));
    return u->text.p ? u : NULL;
}

static void explain_utf8(const void *story, FILE *f)
{
    const struct utf8_story *u = story;
    prop_octets(f, "  ", u->text);
    gen_cuts_explain(&u->cuts, f);
}

static void wire_utf8(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct utf8_story *)story)->text);
}

static enum verdict hold_utf8(struct prop_trial *r, const void *story)
{
    const struct utf8_story *u = story;
    struct sipws_utf8 state = {0};
    size_t at = 0;
    bool whole = false, split = false;
    size_t want = twin_utf8((const unsigned char *)u->text.p, u->text.n, &whole);
    for (uint32_t i = 0; at < u->text.n; i++) {
        size_t n = u->cuts.size[i % u->cuts.n];
        n = n < u->text.n - at ? n : u->text.n - at;
        split = split || !sipws_utf8_done(&state);
        char *piece = at_the_end(&r->arena, n);
        if (!piece)
            return DISCARDED;
        memcpy(piece, u->text.p + at, n);
        size_t good = sipws_utf8_feed(&state, piece, n);
        at += good;
        if (good < n) {
            if (sipws_utf8_feed(&state, piece + good, n - good) != 0)
                return prop_fail(r, "sticky", at, "a bad octet becomes good");
            break;
        }
    }
    prop_class(r, want < u->text.n ? "bad" : whole ? "good" : "cut short");
    if (split)
        prop_class(r, "a character in two pieces");
    if (at != want)
        return prop_fail(r, "octet", at, "good up to octet %zu, should be %zu", at, want);
    if (want == u->text.n && sipws_utf8_done(&state) != whole)
        return prop_fail(r, "done", at, "%s, should be %s", whole ? "unfinished" : "whole",
                         whole ? "whole" : "unfinished");
    if (sipws_utf8_valid(u->text) != whole)
        return prop_fail(r, "valid", PROP_NOWHERE, "validity of the whole is misjudged");
    return HOLDS;
}

const struct prop prop_ws_utf8 = {
    .name = "ws/utf8",
    .plant = "UTF8_OVERLONG",
    .sentence = "The incremental check of UTF-8 and the naive decoder agree on the first bad octet "
                "and on whether text may end, however it is cut.",
    .draw = draw_utf8,
    .hold = hold_utf8,
    .explain = explain_utf8,
    .wire = wire_utf8,
    .classes = {{"good", 150}, {"bad", 150}, {"cut short", 10}, {"a character in two pieces", 100}},
    .discard_percent = 5,
    .tape_max = 512,
};
