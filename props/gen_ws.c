#include "gen_ws.h"

static const struct {
    const char *text;
    enum sipws_err err;
} bends[] = {
#define B(name, weight, text, err) {text, SIPWS_##err},
#include "gen_ws.def"
#undef B
};

static const unsigned char bend_weights[] = {
#define B(name, weight, text, err) weight,
#include "gen_ws.def"
#undef B
};

const char *gen_ws_bend_name(enum gen_ws_bend bend)
{
    return bends[bend].text;
}

enum gen_ws_bend gen_ws_draw_bend(struct tape *t)
{
    return (enum gen_ws_bend)(1 + tape_weighted(t, bend_weights + 1, GEN_WS_BENDS - 1));
}

/* ---- payloads -------------------------------------------------------------------------------- */

/* A character: the ends of each range of RFC 3629, or anything in it. */
static uint32_t character(struct tape *t)
{
    static const uint32_t first[] = {'a', 0x20, 0x80, 0x800, 0xE000, 0x10000, 0};
    static const uint32_t last[] = {'z', 0x7E, 0x7FF, 0xD7FF, 0xFFFF, 0x10FFFF, 0x7F};
    static const unsigned char weights[] = {80, 60, 24, 24, 16, 32, 20};
    unsigned range = tape_weighted(t, weights, 7);
    unsigned where = tape_below(t, 4);
    uint32_t any = tape_below(t, 65536) * 31;
    return where == 1   ? last[range]
           : where == 2 ? first[range]
                        : first[range] + any % (last[range] - first[range] + 1);
}

static size_t encode(uint32_t c, char out[4])
{
    static const unsigned char mark[] = {0, 0, 0xC0, 0xE0, 0xF0};
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n; i-- > 1; c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(mark[n] | c);
    return n;
}

struct sipws_str gen_ws_text(struct tape *t, struct arena *a, size_t n)
{
    char pattern[64];
    size_t pattern_n = 0, i = 0;
    tape_begin(t, "text");
    do
        pattern_n += encode(character(t), pattern + pattern_n);
    while (tape_more(t, 4) && pattern_n + 4 <= sizeof pattern);
    tape_end(t);
    char *p = arena_get(a, n);
    if (!p)
        return (struct sipws_str){NULL, 0};
    for (; n - i >= pattern_n; i += pattern_n)
        memcpy(p + i, pattern, pattern_n);
    memset(p + i, 'z', n - i);
    return (struct sipws_str){p, n};
}

struct sipws_str gen_ws_octets(struct tape *t, struct arena *a, size_t n)
{
    unsigned char seed[8];
    tape_bytes(t, seed, sizeof seed);
    char *p = arena_get(a, n);
    if (!p)
        return (struct sipws_str){NULL, 0};
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(seed[i % 8] + i / 8 * seed[7]);
    return (struct sipws_str){p, n};
}

size_t gen_ws_size(struct tape *t)
{
    static const uint32_t middle[] = {0, 1, 2, 3, 124, 125, 126, 127, 128, 255, 256};
    static const uint32_t large[] = {1024, 65535, 65536, 65537, 1023, 1025, 4096, 66000};
    bool is_large = tape_chance(t, 16);
    uint32_t size = large[tape_below(t, 8)];
    uint32_t usual = tape_size(t, 300, middle, 11);
    return is_large ? size : usual;
}

static struct sipws_str literal(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

struct sipws_str gen_ws_bad_utf8(struct tape *t)
{
    static const char *const bad[] = {"\xFF",
                                      "\x80",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80",
                                      "\xF8\x88\x80\x80",
                                      "\xC3(",
                                      "\xE2\x82(",
                                      "\xF0\x9F\x98(",
                                      "\xFE",
                                      "\xE2\x28\xA1"};
    return literal(bad[tape_below(t, sizeof bad / sizeof *bad)]);
}

struct sipws_str gen_ws_half_character(struct tape *t)
{
    static const char *const half[] = {"\xC3", "\xE2",     "\xE2\x82",
                                       "\xF0", "\xF0\x9F", "\xF0\x9F\x98"};
    return literal(half[tape_below(t, sizeof half / sizeof *half)]);
}

static struct sipws_str join(struct arena *a, struct sipws_str x, struct sipws_str y,
                             struct sipws_str z)
{
    char *p = arena_get(a, x.n + y.n + z.n);
    struct sipws_str parts[] = {x, y, z};
    size_t n = 0;
    for (size_t i = 0; p && i < 3; i++) {
        if (parts[i].n > 0)
            memcpy(p + n, parts[i].p, parts[i].n);
        n += parts[i].n;
    }
    return (struct sipws_str){p, n};
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct gen_ws *gen_ws_new(struct tape *t, struct arena *a, enum sipws_role role)
{
    struct gen_ws *g = arena_get(a, sizeof *g);
    if (g)
        *g = (struct gen_ws){.t = t, .a = a, .role = role};
    return g;
}

static uint8_t least_extra(uint64_t len)
{
    return len < 126 ? 0 : len < 65536 ? 2 : 8;
}

static struct gen_ws_frame frame(struct gen_ws *g, bool fin, unsigned opcode,
                                 struct sipws_str payload)
{
    struct gen_ws_frame f = {.fin = fin,
                             .opcode = (uint8_t)opcode,
                             .masked = g->role == SIPWS_SERVER,
                             .len = payload.n,
                             .len_extra = least_extra(payload.n),
                             .payload = payload};
    if (f.masked)
        tape_bytes(g->t, f.key, 4);
    return f;
}

/* Puts a frame in front of the `at`-th. Where the stream is full, it is left out. */
static void insert(struct gen_ws *g, size_t at, struct gen_ws_frame f)
{
    if (g->n == GEN_WS_FRAMES)
        return;
    memmove(g->frames + at + 1, g->frames + at, (g->n - at) * sizeof *g->frames);
    g->frames[at] = f;
    g->n++;
}

static void add(struct gen_ws *g, struct gen_ws_frame f)
{
    insert(g, g->n, f);
}

void gen_ws_control(struct gen_ws *g)
{
    static const uint32_t edges[] = {0, 1, 124, 125};
    static const char *const looks[] = {"OPTIONS sip:ann@example.org SIP/2.0\r\n\r\n", "\r\n\r\n",
                                        "\r\n"};
    unsigned look = tape_below(g->t, 8);
    struct sipws_str payload =
        look >= 1 && look <= 3
            ? arena_copy(g->a, literal(looks[look - 1]))
            : gen_ws_octets(g->t, g->a, tape_size(g->t, SIPWS_MAX_CONTROL, edges, 4));
    bool pong = tape_below(g->t, 2);
    add(g, frame(g, true, pong ? SIPWS_PONG : SIPWS_PING, payload));
}

void gen_ws_message(struct gen_ws *g, bool binary, struct sipws_str payload)
{
    static const uint32_t none = 0; /* a fragment may be empty, and some peers send those */
    unsigned opcode = binary ? SIPWS_BINARY : SIPWS_TEXT;
    while (g->n + 8 < GEN_WS_FRAMES && tape_next(g->t, "fragment", 1)) {
        size_t n = tape_size(g->t, (uint32_t)payload.n, &none, 1);
        add(g, frame(g, false, opcode, (struct sipws_str){payload.p, n}));
        if (payload.p)
            payload.p += n;
        payload.n -= n;
        opcode = SIPWS_CONTINUATION;
        if (tape_chance(g->t, 64))
            gen_ws_control(g);
        tape_end(g->t);
    }
    add(g, frame(g, true, opcode, payload));
}

static struct sipws_str close_code(struct gen_ws *g, unsigned code)
{
    char octets[2] = {(char)(code >> 8), (char)(code & 255)};
    return arena_copy(g->a, (struct sipws_str){octets, 2});
}

void gen_ws_close(struct gen_ws *g)
{
    static const uint16_t codes[] = {0,    1000, 1001, 1002, 1003, 1007, 1008, 1009,
                                     1010, 1011, 1012, 1013, 1014, 3000, 3999, 4999};
    unsigned code = codes[tape_below(g->t, 16)];
    size_t n = tape_below(g->t, SIPWS_MAX_CONTROL - 1);
    struct sipws_str payload = {NULL, 0};
    if (code)
        payload = join(g->a, close_code(g, code), gen_ws_text(g->t, g->a, n), payload);
    add(g, frame(g, true, SIPWS_CLOSE, payload));
}

/* ---- bends ----------------------------------------------------------------------------------- */

/* Whether a message is open in front of the `at`-th frame. */
static bool inside(const struct gen_ws *g, size_t at)
{
    bool open = false;
    for (size_t i = 0; i < at; i++)
        if (g->frames[i].opcode < 8)
            open = !g->frames[i].fin;
    return open;
}

/* A place for a new frame: in front of a close frame. */
static size_t place(struct gen_ws *g)
{
    size_t most = g->n > 0 && g->frames[g->n - 1].opcode == SIPWS_CLOSE ? g->n - 1 : g->n;
    return tape_below(g->t, (uint32_t)most + 1);
}

static size_t place_between(struct gen_ws *g)
{
    size_t at = place(g);
    while (inside(g, at))
        at--;
    return at;
}

/* A data frame that may stand at `at`, but for what is done to it. */
static struct gen_ws_frame data_frame(struct gen_ws *g, size_t at, bool fin, size_t n)
{
    unsigned opcode = inside(g, at) ? SIPWS_CONTINUATION : SIPWS_BINARY;
    return frame(g, fin, opcode, gen_ws_text(g->t, g->a, n));
}

/* A text message of `bad` with text around it, in two frames. */
static void insert_text(struct gen_ws *g, size_t at, struct sipws_str bad, bool goes_on)
{
    struct sipws_str none = {NULL, 0};
    struct sipws_str front = gen_ws_text(g->t, g->a, gen_ws_size(g->t));
    struct sipws_str all = join(g->a, front, bad, goes_on ? gen_ws_text(g->t, g->a, 40) : none);
    size_t cut = front.n < 4 ? 0 : front.n - 4;
    cut += tape_below(g->t, 9);
    cut = cut < all.n ? cut : all.n;
    if (!all.p)
        return;
    insert(g, at, frame(g, true, SIPWS_CONTINUATION, (struct sipws_str){all.p + cut, all.n - cut}));
    insert(g, at, frame(g, false, SIPWS_TEXT, (struct sipws_str){all.p, cut}));
}

static void bend_length(struct gen_ws *g, enum gen_ws_bend bend)
{
    static const uint64_t top[] = {UINT64_MAX,       UINT64_MAX - 1,  UINT64_MAX - 3,
                                   UINT64_MAX - 13,  UINT64_MAX - 99, 1ull << 63,
                                   (1ull << 63) + 5, 3ull << 62};
    static const uint64_t huge[] = {1ull << 62,       (1ull << 63) - 1, (1ull << 63) - 2,
                                    1ull << 32,       (1ull << 32) + 5, 1ull << 31,
                                    (1ull << 32) - 1, 1ull << 56};
    unsigned which = tape_below(g->t, 8);
    struct gen_ws_frame f = data_frame(g, g->bent, true, tape_below(g->t, 20));
    f.len = bend == GEN_WS_HUGE ? huge[which] : top[which];
    f.len_extra = 8;
    insert(g, g->bent, f);
}

static void bend(struct gen_ws *g)
{
    static const uint16_t codes[] = {0,    999,  1004, 1005, 1006, 1015, 1016, 1100,
                                     1999, 2000, 2999, 5000, 1005, 1006, 1,    65535};
    struct tape *t = g->t;
    struct arena *a = g->a;
    struct gen_ws_frame f;
    size_t n;
    g->bent = place(g);
    switch (g->bend) {
    case GEN_WS_GOOD:
    case GEN_WS_BENDS:
        g->bent = g->n;
        break;
    case GEN_WS_RSV:
    case GEN_WS_OPCODE:
        f = data_frame(g, g->bent, true, 5);
        if (g->bend == GEN_WS_RSV)
            f.rsv = (uint8_t)tape_range(t, 1, 7);
        n = tape_below(t, 10);
        if (g->bend == GEN_WS_OPCODE)
            f.opcode = (uint8_t)(n < 5 ? 3 + n : 6 + n);
        insert(g, g->bent, f);
        break;
    case GEN_WS_CONTROL_CUT:
        insert(g, g->bent, frame(g, false, tape_below(t, 3) + 8u, gen_ws_octets(t, a, 3)));
        break;
    case GEN_WS_CONTINUATION:
        g->bent = place_between(g);
        f = frame(g, tape_below(t, 2), SIPWS_CONTINUATION, gen_ws_text(t, a, tape_below(t, 9)));
        insert(g, g->bent, f);
        break;
    case GEN_WS_INTERLEAVED:
        if (!inside(g, g->bent))
            insert(g, g->bent++, frame(g, false, SIPWS_TEXT, gen_ws_text(t, a, 3)));
        n = tape_range(t, SIPWS_TEXT, SIPWS_BINARY);
        insert(g, g->bent, frame(g, tape_below(t, 2), (unsigned)n, gen_ws_text(t, a, 3)));
        break;
    case GEN_WS_FRAGMENTS: /* the limits are set when all frames are there */
    case GEN_WS_MESSAGE:
        g->bent = place_between(g);
        insert_text(g, g->bent, SIPWS_STR("one octet too many"), true);
        break;
    case GEN_WS_MASK:
        n = tape_below(t, 4);
        f = n == 0 ? data_frame(g, g->bent, true, 7)
                   : frame(g, true, SIPWS_CLOSE + (unsigned)n - 1,
                           n == 1 ? close_code(g, SIPWS_CLOSE_NORMAL) : gen_ws_octets(t, a, 7));
        f.masked = !f.masked;
        insert(g, g->bent, f);
        break;
    case GEN_WS_CONTROL_LONG:
        n = tape_range(t, 126, 400);
        insert(g, g->bent, frame(g, true, tape_below(t, 3) + 8u, gen_ws_text(t, a, n)));
        break;
    case GEN_WS_LENGTH_LONG:
        n = tape_below(t, 260);
        f = data_frame(g, g->bent, true, n);
        f.len_extra = n >= 126 || tape_below(t, 2) ? 8 : 2;
        insert(g, g->bent, f);
        break;
    case GEN_WS_LENGTH_TOP:
    case GEN_WS_HUGE:
        bend_length(g, g->bend);
        break;
    case GEN_WS_UTF8:
        g->bent = place_between(g);
        insert_text(g, g->bent, gen_ws_bad_utf8(t), true);
        break;
    case GEN_WS_UTF8_CUT:
        g->bent = place_between(g);
        insert_text(g, g->bent, gen_ws_half_character(t), false);
        break;
    case GEN_WS_CLOSE_SHORT:
        insert(g, g->bent, frame(g, true, SIPWS_CLOSE, gen_ws_octets(t, a, 1)));
        break;
    case GEN_WS_CLOSE_CODE:
        insert(g, g->bent, frame(g, true, SIPWS_CLOSE, close_code(g, codes[tape_below(t, 16)])));
        break;
    case GEN_WS_CLOSE_UTF8: {
        struct sipws_str bad = tape_below(t, 2) ? gen_ws_half_character(t) : gen_ws_bad_utf8(t);
        struct sipws_str front = gen_ws_text(t, a, tape_below(t, 119));
        struct sipws_str payload = join(a, close_code(g, SIPWS_CLOSE_NORMAL), front, bad);
        insert(g, g->bent, frame(g, true, SIPWS_CLOSE, payload));
        break;
    }
    case GEN_WS_AFTER_CLOSE:
        insert(g, g->bent, frame(g, true, SIPWS_CLOSE, close_code(g, 1000)));
        if (++g->bent == g->n)
            add(g, frame(g, true, SIPWS_PONG, (struct sipws_str){NULL, 0}));
        break;
    case GEN_WS_CUT:
        g->ended = true;
        g->bent = g->n;
        break;
    }
    g->err = bends[g->bend].err;
    if (g->bend == GEN_WS_MASK && g->role == SIPWS_CLIENT)
        g->err = SIPWS_E_WS_MASKED;
}

/* ---- what it comes to ------------------------------------------------------------------------ */

static void print(struct gen_ws_frame *f, struct sipws_out *o)
{
    static const unsigned mark[] = {0, 0, 126, 0, 0, 0, 0, 0, 127};
    unsigned first = (f->fin ? 0x80u : 0) | (unsigned)f->rsv << 4 | f->opcode;
    unsigned second =
        (f->masked ? 0x80u : 0) | (f->len_extra ? mark[f->len_extra] : (unsigned)f->len);
    f->off = o->n;
    sipws_put_char(o, (char)first);
    sipws_put_char(o, (char)second);
    for (int i = f->len_extra - 1; i >= 0; i--)
        sipws_put_char(o, (char)(f->len >> 8 * i & 255));
    if (f->masked)
        sipws_put(o, (struct sipws_str){(const char *)f->key, 4});
    size_t at = o->n;
    sipws_put(o, f->payload);
    if (f->masked && sipws_out_ok(o))
        twin_unmask((unsigned char *)o->p + at, f->payload.n, f->key, 0);
}

/* The sizes of messages: the limits that they need. */
static void measure(struct gen_ws *g)
{
    size_t n = 0;
    uint32_t parts = 0;
    for (size_t i = 0; i < g->n; i++)
        if (g->frames[i].opcode < 8) {
            n += g->frames[i].payload.n;
            parts++;
            g->largest = n > g->largest ? n : g->largest;
            g->longest = parts > g->longest ? parts : g->longest;
            if (g->frames[i].fin)
                n = parts = 0;
        }
}

/* The octets of the fragments that follow each other from the `at`-th frame on. */
static size_t message_size(const struct gen_ws *g, size_t at)
{
    size_t n = 0;
    for (bool fin = false; at < g->n && !fin; at++)
        if (g->frames[at].opcode < 8) {
            n += g->frames[at].payload.n;
            fin = g->frames[at].fin;
        }
    return n;
}

/* The events of the frames before the bent one, by putting fragments one behind the other. */
static void expect(struct gen_ws *g)
{
    bool binary = false, fits = true;
    size_t n = 0;
    uint32_t parts = 0;
    unsigned char *message = NULL;
    for (size_t i = 0; i < g->bent; i++) {
        const struct gen_ws_frame *f = &g->frames[i];
        struct twin_event *e = &g->want[g->want_n];
        const unsigned char *p = (const unsigned char *)f->payload.p;
        if (f->opcode >= 8) {
            *e = (struct twin_event){.kind = f->opcode == SIPWS_PING   ? TWIN_PING
                                             : f->opcode == SIPWS_PONG ? TWIN_PONG
                                                                       : TWIN_CLOSE,
                                     .p = p,
                                     .n = f->payload.n};
            if (e->kind == TWIN_CLOSE)
                e->code = 1005;
            if (e->kind == TWIN_CLOSE && e->n >= 2) {
                e->code = p[0] * 256u + p[1];
                e->p += 2;
                e->n -= 2;
            }
            g->want_n++;
            continue;
        }
        if (f->opcode != SIPWS_CONTINUATION) {
            binary = f->opcode == SIPWS_BINARY;
            message = arena_get(g->a, message_size(g, i));
            n = parts = 0;
        }
        fits = n + f->payload.n <= g->limits.message && ++parts <= g->limits.fragments;
        if (!fits || !message) {
            g->bent = i;
            break;
        }
        if (f->payload.n > 0)
            memcpy(message + n, f->payload.p, f->payload.n);
        n += f->payload.n;
        if (f->fin)
            g->want[g->want_n++] =
                (struct twin_event){.kind = TWIN_MESSAGE, .binary = binary, .p = message, .n = n};
    }
}

/* Takes away from the end: what the wire has of the frames, and the events that are not there. */
static void cut_off(struct gen_ws *g)
{
    size_t n = g->wire.n, i = 0;
    if (n == 0)
        return;
    /* Half the time within a header, for payloads are much longer. */
    size_t at = tape_below(g->t, (uint32_t)n);
    size_t some = tape_below(g->t, (uint32_t)g->n), octets = tape_below(g->t, 15);
    if (tape_chance(g->t, 128) && g->frames[some].off + octets < n)
        at = g->frames[some].off + octets;
    g->wire.n = at;
    while (i < g->n && (i + 1 < g->n ? g->frames[i + 1].off : n) <= at)
        i++;
    bool whole = i == g->n || g->frames[i].off == at;
    bool closed = i > 0 && g->frames[i - 1].opcode == SIPWS_CLOSE;
    g->err = (!whole || inside(g, i)) && !closed ? SIPWS_E_WS_CUT : SIPWS_OK;
    g->bent = i;
}

bool gen_ws_finish(struct gen_ws *g, enum gen_ws_bend which)
{
    g->bend = which;
    bend(g);
    measure(g);
    g->limits = SIPWS_LIMITS_DEFAULT;
    bool exact = tape_below(g->t, 2);
    g->limits.message = g->largest + (exact ? 0 : 1000);
    g->limits.fragments = g->longest + (exact ? 0 : 1000);
    if (which == GEN_WS_MESSAGE)
        g->limits.message = g->largest - 1;
    if (which == GEN_WS_FRAGMENTS)
        g->limits.fragments = g->longest - 1;
    if (which == GEN_WS_MESSAGE || which == GEN_WS_FRAGMENTS)
        g->bent = g->n;

    struct sipws_out o = arena_begin(g->a);
    for (size_t i = 0; i < g->n; i++)
        print(&g->frames[i], &o);
    g->wire = arena_end(g->a, &o);
    if (which == GEN_WS_CUT)
        cut_off(g);
    expect(g);
    return !g->a->full;
}

struct gen_ws *gen_ws(struct tape *t, struct arena *a, bool may_bend)
{
    enum sipws_role role = tape_below(t, 2) ? SIPWS_CLIENT : SIPWS_SERVER;
    enum gen_ws_bend which = GEN_WS_GOOD;
    bool bent = tape_chance(t, 128);
    enum gen_ws_bend choice = gen_ws_draw_bend(t);
    if (may_bend && bent)
        which = choice;
    struct gen_ws *g = gen_ws_new(t, a, role);
    if (!g)
        return NULL;
    while (g->n + 12 < GEN_WS_FRAMES && tape_next(t, "part", 5)) {
        if (tape_chance(t, 64)) {
            gen_ws_control(g);
        } else {
            bool binary = tape_chance(t, 80);
            size_t n = gen_ws_size(t);
            gen_ws_message(g, binary, binary ? gen_ws_octets(t, a, n) : gen_ws_text(t, a, n));
        }
        tape_end(t);
    }
    if (tape_chance(t, 128))
        gen_ws_close(g);
    g->ended = tape_below(t, 2);
    return gen_ws_finish(g, which) ? g : NULL;
}

/* ---- for people ------------------------------------------------------------------------------ */

void gen_ws_explain(const void *story, FILE *f)
{
    static const char *const names[] = {"continuation", "text",      "binary",    "opcode 3",
                                        "opcode 4",     "opcode 5",  "opcode 6",  "opcode 7",
                                        "close",        "ping",      "pong",      "opcode 11",
                                        "opcode 12",    "opcode 13", "opcode 14", "opcode 15"};
    const struct gen_ws *g = story;
    fprintf(f, "  a %s reads %zu octets; limits: %zu octets, %u frames a message\n",
            g->role == SIPWS_SERVER ? "server" : "client", g->wire.n, g->limits.message,
            (unsigned)g->limits.fragments);
    fprintf(f, "  wrong: %s\n", bends[g->bend].text);
    for (size_t i = 0; i < g->n; i++) {
        const struct gen_ws_frame *x = &g->frames[i];
        fprintf(f, "  %6zu %s%s%s%s, length %llu", x->off, names[x->opcode], x->fin ? ", FIN" : "",
                x->rsv ? ", RSV" : "", x->masked ? ", masked" : "", (unsigned long long)x->len);
        if (x->len_extra != least_extra(x->len))
            fprintf(f, " in %u octets", x->len_extra);
        fputc('\n', f);
        if (x->payload.n > 0 && x->payload.n <= 100)
            prop_octets(f, "           ", x->payload);
        else if (x->payload.n > 0)
            fprintf(f, "           %zu octets of payload\n", x->payload.n);
    }
    if (g->ended)
        fprintf(f, "  %6zu the stream ends\n", g->wire.n);
}

void gen_ws_wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct gen_ws *)story)->wire);
}

/* ---- cuts ------------------------------------------------------------------------------------ */

struct gen_cuts gen_cuts(struct tape *t)
{
    static const uint32_t edges[] = {0, 1, 3, 7, 9, 13, 1023, 1024, 1447};
    struct gen_cuts c = {0};
    do
        c.size[c.n++] = 1 + tape_size(t, 4000, edges, 9);
    while (c.n < 16 && tape_more(t, 3));
    return c;
}

void gen_cuts_explain(const struct gen_cuts *c, FILE *f)
{
    fprintf(f, "  in pieces of");
    for (uint32_t i = 0; i < c->n; i++)
        fprintf(f, " %u", (unsigned)c->size[i]);
    fprintf(f, " octets%s\n", c->n > 1 ? ", over and over" : "");
}
