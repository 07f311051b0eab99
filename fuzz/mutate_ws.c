/* Streams of frames (RFC 6455 5.2). */
#include "mutate_impl.h"

enum { FRAMES = 64, HEAD_MAX = 14, FIN = 0x80, MASK = 0x80, CONTROL = 8, CLOSE = 8 };

struct frame {
    size_t at, payload, end; /* its first octet, that of its payload, and behind what is there */
    uint64_t declared;       /* length */
    uint8_t first;           /* FIN, RSV, opcode */
    uint8_t extra;           /* octets of the length behind the second: 0, 2, 8 */
    bool masked;
    uint8_t key[4];
    bool open; /* it stands within a fragmented message */
};

static unsigned opcode(const struct frame *f)
{
    return f->first & 15;
}

static bool is_control(const struct frame *f)
{
    return f->first & CONTROL;
}

/* All of its payload is there. */
static bool is_whole(const struct frame *f)
{
    return f->end - f->payload == f->declared;
}

static bool read_frame(const uint8_t *p, size_t at, size_t to, struct frame *f)
{
    if (to - at < 2)
        return false;
    unsigned length = p[at + 1] & 0x7F;
    *f = (struct frame){.at = at, .declared = length, .first = p[at]};
    f->masked = p[at + 1] & MASK;
    f->extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    f->payload = at + 2 + f->extra + (f->masked ? 4U : 0U);
    if (f->payload > to)
        return false;
    if (f->extra)
        f->declared = 0;
    for (size_t i = 0; i < f->extra; i++)
        f->declared = f->declared << 8 | p[at + 2 + i];
    if (f->masked)
        memcpy(f->key, p + f->payload - 4, 4);
    f->end = f->declared < to - f->payload ? f->payload + (size_t)f->declared : to;
    return true;
}

static size_t read_frames(const uint8_t *p, struct span s, struct frame frames[FRAMES])
{
    bool open = false;
    size_t n = 0, at = s.from;
    while (n < FRAMES && read_frame(p, at, s.to, &frames[n])) {
        struct frame *f = &frames[n++];
        f->open = open;
        if (!is_control(f))
            open = !(f->first & FIN);
        at = f->end;
    }
    return n;
}

/* The head that says what f says, with at least f->extra octets of length. Returns its size. */
static size_t put_head(uint8_t head[HEAD_MAX], const struct frame *f)
{
    size_t extra = f->declared > 0xFFFF ? 8 : f->declared > 125 ? 2 : 0, n = 2;
    if (extra < f->extra)
        extra = f->extra;
    head[0] = f->first;
    head[1] = (uint8_t)((f->masked ? MASK : 0) | (extra == 8   ? 127
                                                  : extra == 2 ? 126
                                                               : (uint8_t)f->declared));
    for (size_t i = extra; i-- > 0;)
        head[n++] = (uint8_t)(f->declared >> 8 * i);
    if (f->masked)
        memcpy(head + n, f->key, 4);
    return n + (f->masked ? 4 : 0);
}

/* Writes its head again, in the place of the one that is there. */
static bool set_head(struct mut *m, const struct frame *f)
{
    uint8_t head[HEAD_MAX];
    return mut_splice(m, f->at, f->payload, head, put_head(head, f));
}

/* The length of what is there now; in its shortest form, if it was in that. */
static void set_length(struct mut *m, struct frame *f)
{
    if ((f->extra == 2 && f->declared > 125) || (f->extra == 8 && f->declared > 0xFFFF))
        f->extra = 0;
    f->declared = f->end - f->payload;
    set_head(m, f);
}

static void mask(uint8_t *p, size_t n, const uint8_t key[4])
{
    for (size_t i = 0; i < n; i++)
        p[i] ^= key[i % 4];
}

static void toggle_mask(struct mut *m, const struct frame *f)
{
    if (f->masked)
        mask(m->p + f->payload, f->end - f->payload, f->key);
}

static void draw_key(struct mut *m, uint8_t key[4])
{
    bool none = mut_chance(m, 32);
    for (size_t i = 0; i < 4; i++)
        key[i] = none ? 0 : (uint8_t)mut_below(m, 256);
}

static bool insert_frame(struct mut *m, size_t at, unsigned first, bool masked, const char *text,
                         size_t n)
{
    struct frame f = {.at = at, .payload = at, .first = (uint8_t)first, .masked = masked};
    uint8_t head[HEAD_MAX];
    f.declared = n;
    draw_key(m, f.key);
    size_t head_n = put_head(head, &f);
    if (m->cap - m->n < head_n + n)
        return false;
    mut_splice(m, at, at, text, n);
    if (masked)
        mask(m->p + at, n, f.key);
    return mut_splice(m, at, at, head, head_n);
}

/* ---- payloads -------------------------------------------------------------------------------- */

static bool looks_like_sip(const uint8_t *p, struct span s)
{
    for (size_t i = s.from; i + 7 <= s.to && i < s.from + 256; i++)
        if (memcmp(p + i, "SIP/2.0", 7) == 0)
            return true;
    return false;
}

static void mutate_close(struct mut *m, struct span s)
{
    static const uint16_t codes[] = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000,
                                     3999, 4000, 4999, /* from here on none that may be sent */
                                     0,    999,  1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    uint16_t code = codes[mut_below(m, m->sound ? 13 : COUNT(codes))];
    uint8_t octets[2] = {(uint8_t)(code >> 8), (uint8_t)(code & 0xFF)};
    if (s.to > s.from && !m->sound && mut_chance(m, 64))
        mut_drop(m, (struct span){s.from + 1, s.to});
    else if (s.to - s.from != 1)
        mut_splice(m, s.from, s.from + (s.to > s.from ? 2 : 0), octets, 2);
}

static void mutate_text(struct mut *m, struct span s)
{
    static const char *const texts[] = {"a",
                                        "\r\n",
                                        "\r\n\r\n",
                                        "\0", /* sound so far */
                                        "\xC3\xA9",
                                        "\xE2\x82\xAC",
                                        "\xF0\x9F\x98\x80",
                                        "\xEF\xBF\xBF",
                                        "\xC3",
                                        "\xE2\x82",
                                        "\xF0\x9F\x98",
                                        "\xED\xA0\x80",
                                        "\xC0\x80",
                                        "\xF4\x90\x80\x80",
                                        "\xF5",
                                        "\x80",
                                        "\xE0\x9F\x80",
                                        "\xF0\x8F\x80\x80"};
    size_t n = s.to - s.from, at = m->sound ? s.to : s.from + mut_below(m, n + 1);
    if (!m->sound && mut_chance(m, 64))
        mut_octets(m, s);
    else
        mut_insert(m, at, texts[mut_below(m, m->sound ? 4 : COUNT(texts))]);
}

/* To a size where lengths change their form, or limits lie. */
static void resize_payload(struct mut *m, struct span s)
{
    static const size_t sizes[] = {125, 126, 127,  0,    1,    2,     16,
                                   17,  256, 1000, 1001, 4096, 65535, 65536};
    static const char fill[64] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    size_t want = sizes[mut_below(m, COUNT(sizes))], n = s.to - s.from;
    if (want < n)
        mut_drop(m, (struct span){s.from + want, s.to});
    if (want > n && m->cap - m->n < want - n)
        return;
    for (size_t some; n < want; n += some) {
        some = want - n < sizeof fill - 1 ? want - n : sizeof fill - 1;
        mut_splice(m, s.from + n, s.from + n, fill, some);
    }
}

static void mutate_plain(struct mut *m, const struct frame *f)
{
    struct span s = {f->payload, f->end};
    bool fragment = !(f->first & FIN) || opcode(f) == 0;
    if (m->sound && fragment) /* a Content-Length may lie in another one */
        return;
    if (opcode(f) == CLOSE && mut_chance(m, 160))
        mutate_close(m, s);
    else if (looks_like_sip(m->p, s) && mut_chance(m, m->sound ? 256 : 224))
        mut_msg(m, s);
    else if (!m->sound && mut_chance(m, 64))
        resize_payload(m, s);
    else if (!m->sound && s.from == s.to && mut_chance(m, 64))
        mut_insert(m, s.from, mut_sample_msg(m));
    else if (!is_control(f) || s.to - s.from < 64)
        mutate_text(m, s);
}

/* What frames of the other stream carry can be taken where it is not masked. */
static struct text other_payload(struct mut *m, struct text other)
{
    struct frame frames[FRAMES];
    size_t n = other.p ? read_frames(other.p, (struct span){0, other.n}, frames) : 0;
    const struct frame *f = &frames[mut_below(m, n)];
    if (n == 0 || f->end == f->payload || (f->masked && memcmp(f->key, "\0\0\0", 4) != 0))
        return (struct text){NULL, 0};
    return (struct text){other.p + f->payload, f->end - f->payload};
}

/* Changed as it was before masking; the length follows if it was right. */
static void mutate_payload(struct mut *m, struct frame f)
{
    struct text other = m->other;
    size_t before = m->n, room = is_whole(&f) ? 8 : 0; /* for a longer head */
    if (m->cap - m->n < room)
        return;
    bool whole = is_whole(&f);
    m->cap -= room;
    m->other = other_payload(m, other);
    toggle_mask(m, &f);
    mutate_plain(m, &f);
    f.end += m->n - before;
    toggle_mask(m, &f);
    m->cap += room;
    m->other = other;
    if (whole)
        set_length(m, &f);
}

/* ---- frames ---------------------------------------------------------------------------------- */

/* Two fragments of one. The second one's key is turned, so that no octet of the payload changes. */
static void split(struct mut *m, struct frame f)
{
    size_t n = f.end - f.payload, at = mut_below(m, n + 1);
    struct frame second = f;
    uint8_t head[HEAD_MAX];
    if (!is_whole(&f) || (m->sound && is_control(&f)) || m->cap - m->n < HEAD_MAX)
        return;
    second.first = f.first & FIN;
    second.declared = n - at;
    second.extra = f.extra = 0;
    for (size_t i = 0; i < 4; i++)
        second.key[i] = f.key[(at + i) % 4];
    mut_splice(m, f.payload + at, f.payload + at, head, put_head(head, &second));
    f.first &= (uint8_t)~FIN;
    f.declared = at;
    set_head(m, &f);
}

static void merge(struct mut *m, struct frame f, struct frame next)
{
    if (!is_whole(&f) || !is_whole(&next) || is_control(&f) || opcode(&next) != 0 ||
        f.masked != next.masked)
        return;
    size_t n = f.end - f.payload;
    uint8_t key[4];
    for (size_t i = 0; i < 4; i++)
        key[i] = f.key[(n + i) % 4];
    toggle_mask(m, &next);
    memcpy(next.key, key, 4);
    toggle_mask(m, &next);
    mut_drop(m, (struct span){next.at, next.payload});
    f.first |= next.first & FIN;
    f.declared += next.end - next.payload;
    set_head(m, &f); /* there is room: the other head was as long */
}

static void rekey(struct mut *m, struct frame f)
{
    toggle_mask(m, &f);
    draw_key(m, f.key);
    toggle_mask(m, &f);
    set_head(m, &f);
}

static void bend_head(struct mut *m, struct frame f)
{
    static const uint64_t lengths[] = {0,
                                       125,
                                       126,
                                       127,
                                       65535,
                                       65536,
                                       INT32_MAX,
                                       UINT32_MAX,
                                       INT64_MAX,
                                       UINT64_MAX,
                                       (uint64_t)INT64_MAX + 1,
                                       UINT64_MAX - 13};
    switch (mut_below(m, 8)) {
    case 0:
        f.first ^= FIN;
        break;
    case 1:
        f.first ^= (uint8_t)(0x10 << mut_below(m, 3));
        break;
    case 2:
        f.first = (uint8_t)((f.first & 0xF0) | mut_below(m, 16));
        break;
    case 3:
        f.masked = !f.masked;
        break;
    case 4: /* the octets stay masked: garbage */
        draw_key(m, f.key);
        break;
    case 5:
        f.extra = mut_chance(m, 128) ? 8 : 2;
        break;
    case 6:
        f.declared += mut_chance(m, 128) ? 1 : UINT64_MAX;
        break;
    default:
        f.declared = lengths[mut_below(m, COUNT(lengths))];
    }
    set_head(m, &f);
}

static void insert_some(struct mut *m, size_t at, bool open, bool masked)
{
    static const char text[] =
        "\x03\xE8 a text that is no message, of a control frame or of another";
    const char *sip = mut_sample_msg(m);
    unsigned control = FIN | (m->sound ? 9 : 8);
    if (mut_chance(m, 128))
        insert_frame(m, at, control + (unsigned)mut_below(m, m->sound ? 2 : 3), masked, text,
                     mut_below(m, sizeof text));
    else if ((open && m->sound) || mut_chance(m, 64))
        insert_frame(m, at, FIN | 10, masked, "", 0);
    else if (mut_chance(m, 64))
        insert_frame(m, at, FIN | 1, masked, "\r\n\r\n", mut_chance(m, 128) ? 2 : 4);
    else
        insert_frame(m, at,
                     (m->sound || mut_chance(m, 240) ? FIN : 0U) | (1U + (unsigned)mut_below(m, 2)),
                     masked, sip, strlen(sip));
}

/* Up to three frames of the other stream, as they stand. */
static void take_frames(struct mut *m, size_t at)
{
    struct frame frames[FRAMES];
    size_t n = read_frames(m->other.p, (struct span){0, m->other.n}, frames);
    if (n == 0)
        return;
    size_t first = mut_below(m, n), last = first + mut_below(m, 3);
    if (last >= n)
        last = n - 1;
    mut_splice(m, at, at, m->other.p + frames[first].at, frames[last].end - frames[first].at);
}

/* What keeps a good stream good. */
static void mutate_sound(struct mut *m, const struct frame *f, const struct frame *next,
                         bool masked)
{
    switch (mut_below(m, 8)) {
    case 0:
        insert_some(m, f->at, f->open, masked);
        break;
    case 1:
        split(m, *f);
        break;
    case 2:
        if (next)
            merge(m, *f, *next);
        break;
    case 3:
        if (f->masked)
            rekey(m, *f);
        break;
    case 4:
        if ((!f->open && f->first & FIN && opcode(f) != CLOSE) || !m->sound)
            mut_copy(m, (struct span){f->at, f->end}, f->end);
        break;
    case 5:
        if (opcode(f) == 1 || (opcode(f) == 2 && !m->sound))
            m->p[f->at] ^= 3;
        break;
    default:
        mutate_payload(m, *f);
    }
}

void mut_ws(struct mut *m, struct span s, bool masked)
{
    struct frame frames[FRAMES];
    size_t n = read_frames(m->p, s, frames), i = mut_below(m, n), j = mut_below(m, n);
    const struct frame *f = &frames[i], *g = &frames[j];
    if (n == 0) {
        insert_some(m, s.from, false, masked);
        return;
    }
    if (m->other.p && mut_chance(m, 128)) {
        take_frames(m, mut_chance(m, 64) ? frames[n - 1].end : f->at);
        return;
    }
    switch (m->sound ? 0 : mut_below(m, 16)) {
    case 10:
    case 11:
        bend_head(m, *f);
        break;
    case 12:
        mut_drop(m, (struct span){f->at, f->end});
        break;
    case 13:
        if (f != g)
            mut_swap(m, (struct span){f < g ? f->at : g->at, f < g ? f->end : g->end},
                     (struct span){f < g ? g->at : f->at, f < g ? g->end : f->end});
        break;
    case 14:
        mut_octets(m, (struct span){f->at, s.to});
        break;
    case 15: /* the stream ends within it */
        if (mut_chance(m, 64))
            mut_drop(m, (struct span){f->at + 1 + mut_below(m, f->end - f->at), s.to});
        break;
    default:
        mutate_sound(m, f, i + 1 < n ? f + 1 : NULL, masked);
    }
}

/* ---- trimming -------------------------------------------------------------------------------- */

bool mut_without_ws(struct mut *m, struct span s, size_t *k)
{
    struct frame frames[FRAMES];
    size_t n = read_frames(m->p, s, frames);
    if (*k < n) {
        mut_drop(m, (struct span){frames[*k].at, frames[*k].end});
        return true;
    }
    *k -= n;
    for (size_t i = 0; i < n; i++) {
        struct frame f = frames[i];
        struct span payload = {f.payload, f.end};
        size_t before = m->n;
        bool whole = is_whole(&f);
        toggle_mask(m, &f);
        bool done = mut_without_msg(m, payload, k) || mut_without_tail(m, payload, k);
        f.end += m->n - before;
        toggle_mask(m, &f);
        if (done && whole)
            set_length(m, &f);
        if (done)
            return true;
    }
    return false;
}
