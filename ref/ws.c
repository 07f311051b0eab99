#include "ws.h"

#include "plant.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

enum {
    HEAD_MIN = 2,    /* octets of the shortest header */
    MASK = 0x80,     /* of its second octet */
    LEN_7_MAX = 125, /* the longest payload whose length is in the second octet */
    LEN_16 = 126,    /* the length is in the next two octets, */
    LEN_63 = 127,    /* or in the next eight */
    BLOCK = 4096     /* octets unmasked and then, while they are at hand, checked for UTF-8 */
};

bool sipws_close_sendable(unsigned code)
{
    if (SIPWS_PLANT_IF(WS_CLOSE_1005, code == SIPWS_CLOSE_NONE))
        return true;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

/* ---- masking --------------------------------------------------------------------------------- */

/* Thirty-two octets at a time where the compiler knows vectors (of as many registers as that takes,
 * or words where the machine has none), eight elsewhere. */
#if defined(__GNUC__)
typedef uint64_t lane __attribute__((vector_size(32)));
#else
typedef uint64_t lane;
#endif

enum { LANE = sizeof(lane) };

/* Compiled twice where the loader can choose: for what every x86-64 has, and for AVX2. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) &&   \
    !defined(__SANITIZE_ADDRESS__)
#define WIDEST __attribute__((target_clones("default", "avx2")))
#else
#define WIDEST
#endif

/* As sipws_unmask. Returns whether all octets are ASCII now, which is nearly free to know here. */
WIDEST static bool unmask(char *dst, const char *src, size_t n, const unsigned char key[4],
                          size_t phase)
{
    unsigned char octets[LANE];
    for (size_t i = 0; i < 4; i++)
        octets[i] = key[(phase + i) % 4];
    for (size_t i = 4; i < LANE; i += 4)
        memcpy(octets + i, octets, 4);
    lane k, a, b, c, d, any;
    memcpy(&k, octets, LANE);
    any = k ^ k;
    for (; n >= 4 * LANE; n -= 4 * LANE, src += 4 * LANE, dst += 4 * LANE) {
        memcpy(&a, src, LANE); /* all is loaded before any is stored: dst may be src */
        memcpy(&b, src + LANE, LANE);
        memcpy(&c, src + 2 * LANE, LANE);
        memcpy(&d, src + 3 * LANE, LANE);
        a ^= k;
        b ^= k;
        c ^= k;
        d ^= k;
        any |= (a | b) | (c | d);
        memcpy(dst, &a, LANE);
        memcpy(dst + LANE, &b, LANE);
        memcpy(dst + 2 * LANE, &c, LANE);
        memcpy(dst + 3 * LANE, &d, LANE);
    }
    for (; n >= LANE; n -= LANE, src += LANE, dst += LANE) {
        memcpy(&a, src, LANE);
        a ^= k;
        any |= a;
        memcpy(dst, &a, LANE);
    }
    uint64_t words[LANE / sizeof(uint64_t)], high = 0;
    memcpy(words, &any, LANE);
    for (size_t i = 0; i < LANE / sizeof(uint64_t); i++)
        high |= words[i];
    for (size_t i = 0; i < n; i++) {
        unsigned char octet = (unsigned char)src[i] ^ octets[i];
        dst[i] = (char)octet;
        high |= octet;
    }
    return (high & HIGH_BITS) == 0;
}

void sipws_unmask(char *dst, const char *src, size_t n, const unsigned char key[4], size_t phase)
{
    (void)unmask(dst, src, n, key,
                 SIPWS_PLANT_IF(WS_UNMASK_START, n > 0 && phase % 4 != 0) ? 0 : phase);
}

/* ---- reading --------------------------------------------------------------------------------- */

void sipws_ws_init(struct sipws_ws *w, enum sipws_role role, const struct sipws_limits *limits,
                   char *buf, size_t cap)
{
    *w = (struct sipws_ws){.role = role,
                           .limit = limits->message < cap ? limits->message : cap,
                           .fragments = limits->fragments,
                           .buf = buf,
                           .head_len = HEAD_MIN};
}

static bool refuse(struct sipws_ws *w, enum sipws_err err, size_t off, const char *rule)
{
    return sipws_diag_set(&w->error, err, off, rule);
}

static void step(struct sipws_ws *w, struct sipws_str *in, size_t n)
{
    in->p += n;
    in->n -= n;
    w->off += n;
}

static bool is_control(const struct sipws_frame *f)
{
    return (f->opcode & 8) != 0;
}

static bool is_known(uint8_t opcode)
{
    const unsigned known = 1u << SIPWS_CONTINUATION | 1u << SIPWS_TEXT | 1u << SIPWS_BINARY |
                           1u << SIPWS_CLOSE | 1u << SIPWS_PING | 1u << SIPWS_PONG;
    return (known >> opcode & 1) != 0;
}

/* Whether a data frame may come now (5.4); counts it. */
static bool fragment(struct sipws_ws *w)
{
    const struct sipws_frame *f = &w->frame;
    if (f->opcode == SIPWS_CONTINUATION && w->frames == 0 && !SIPWS_PLANT(WS_CONTINUATION_FIRST))
        return refuse(w, SIPWS_E_WS_CONTINUATION, w->off, "frame-opcode-cont");
    if (f->opcode != SIPWS_CONTINUATION && w->frames > 0)
        return refuse(w, SIPWS_E_WS_INTERLEAVED, w->off, "frame-opcode-non-control");
    if (w->frames >= w->fragments && !SIPWS_PLANT(WS_FRAGMENT_FLOOD))
        return refuse(w, SIPWS_E_LIMIT_FRAGMENTS, w->off, "ws-frame");
    if (w->frames == 0) {
        w->binary = f->opcode == SIPWS_BINARY;
        w->utf8 = (struct sipws_utf8){0};
        if (!SIPWS_PLANT_IF(WS_FRAGMENTS_STAY, w->n > 0))
            w->n = 0;
    }
    if (SIPWS_PLANT_IF(WS_UTF8_PER_FRAME, !sipws_utf8_done(&w->utf8)))
        w->utf8 = (struct sipws_utf8){0};
    w->frames++;
    return true;
}

/* The first octet: FIN, RSV1 to RSV3 and the opcode (5.2). */
static bool head_first(struct sipws_ws *w, unsigned char c)
{
    struct sipws_frame *f = &w->frame;
    *f = (struct sipws_frame){
        .fin = (c & 0x80) != 0, .rsv = c >> 4 & 7, .opcode = c & 15, .off = w->off};
    w->done = 0;
    if (f->rsv != 0)
        return refuse(w, SIPWS_E_WS_RSV, w->off,
                      f->rsv & 4   ? "frame-rsv1"
                      : f->rsv & 2 ? "frame-rsv2"
                                   : "frame-rsv3");
    if (!is_known(f->opcode))
        return refuse(w, SIPWS_E_WS_OPCODE, w->off, "frame-opcode");
    if (!is_control(f))
        return fragment(w);
    if (SIPWS_PLANT_IF(WS_CONTROL_CLEARS, w->frames > 0 && w->n > 0))
        w->n = 0;
    return f->fin || SIPWS_PLANT(WS_CONTROL_CUT) ||
           refuse(w, SIPWS_E_WS_CONTROL_CUT, w->off, "frame-fin");
}

/* Whether a data frame of at least `len` octets fits the message. */
static bool fits(struct sipws_ws *w, uint64_t len, const char *rule)
{
    if (SIPWS_PLANT_IF(WS_LENGTH_WRAP, len > w->limit && w->n + len <= w->limit))
        return true;
    if (SIPWS_PLANT_IF(WS_LENGTH_32, len > w->limit && (uint32_t)(w->n + len) <= w->limit))
        return true;
    if (SIPWS_PLANT_IF(WS_DECLARED_CLEARED, len > w->limit))
        memset(w->buf + w->n, 0, len < UINT32_MAX ? (size_t)len : UINT32_MAX);
    if (SIPWS_PLANT_IF(WS_LIMIT_LATE, len > w->limit - w->n))
        return true;
    return len <= w->limit - w->n || SIPWS_PLANT_IF(WS_LIMIT_ONE, len == w->limit - w->n + 1) ||
           refuse(w, SIPWS_E_LIMIT_MESSAGE, w->off, rule);
}

/* The second octet: whether the frame is masked (5.1), and the length or how it is written. */
static bool head_second(struct sipws_ws *w, unsigned char c)
{
    struct sipws_frame *f = &w->frame;
    uint8_t len = c & 0x7F;
    f->masked = (c & MASK) != 0;
    if (w->role == SIPWS_SERVER && !f->masked && !(is_control(f) && SIPWS_PLANT(WS_MASK_LAX)))
        return refuse(w, SIPWS_E_WS_UNMASKED, w->off, "frame-masked");
    if (w->role == SIPWS_CLIENT && f->masked)
        return refuse(w, SIPWS_E_WS_MASKED, w->off, "frame-masked");
    if (is_control(f) && len > SIPWS_MAX_CONTROL && !SIPWS_PLANT(WS_CONTROL_LONG))
        return refuse(w, SIPWS_E_WS_CONTROL_LONG, w->off, "frame-payload-length");
    if (f->opcode == SIPWS_CLOSE && len == 1 && !SIPWS_PLANT(WS_CLOSE_ONE))
        return refuse(w, SIPWS_E_WS_CLOSE_SHORT, w->off, "frame-payload-length");
    w->head_len = (uint8_t)(HEAD_MIN +
                            (len == LEN_16   ? 2
                             : len == LEN_63 ? 8
                                             : 0) +
                            (f->masked ? 4 : 0));
    if (len > LEN_7_MAX)
        return true;
    f->len = len;
    return is_control(f) || fits(w, len, "frame-payload-length");
}

/* One octet of a length of two or eight, of which `left` are still to come. */
static bool head_length(struct sipws_ws *w, unsigned char c, unsigned left, bool is_16)
{
    struct sipws_frame *f = &w->frame;
    const char *rule = is_16 ? "frame-payload-length-16" : "frame-payload-length-63";
    f->len = f->len << 8 | c;
    if (left == 7 && (c & 0x80) && !SIPWS_PLANT(WS_LENGTH_WRAP))
        return refuse(w, SIPWS_E_WS_LENGTH_TOP, w->off, rule);
    if (is_16 ? left == 0 && f->len <= LEN_7_MAX : left == 2 && f->len == 0)
        return refuse(w, SIPWS_E_WS_LENGTH_LONG, w->off, rule);
    return fits(w, f->len << 8 * left, rule);
}

/* One octet of the header. */
static bool head_octet(struct sipws_ws *w, unsigned char c)
{
    unsigned i = w->head_n;
    if (i == 0)
        return head_first(w, c);
    if (i == 1)
        return head_second(w, c);
    unsigned len_end = w->head_len - (w->frame.masked ? 4u : 0u);
    if (i < len_end)
        return head_length(w, c, len_end - 1 - i, len_end == HEAD_MIN + 2);
    w->frame.key[i - len_end] = c;
    return true;
}

static bool read_head(struct sipws_ws *w, struct sipws_str *in)
{
    while (in->n > 0 && w->head_n < w->head_len) {
        if (!head_octet(w, (unsigned char)*in->p))
            return false;
        w->head_n++;
        step(w, in, 1);
    }
    if (SIPWS_PLANT_IF(WS_HEAD_LOST, w->head_n < w->head_len && w->head_n > HEAD_MIN))
        w->head_n = HEAD_MIN;
    return true;
}

/* How many of the n new octets at p, the first of which is the `at`-th of a close frame, may stand
 * there (5.5.1). */
static size_t close_checked(struct sipws_ws *w, const char *p, size_t at, size_t n)
{
    const unsigned char *code = (const unsigned char *)w->control;
    if (at + n < 2)
        return n;
    if (at < 2) {
        if (!sipws_close_sendable((unsigned)code[0] << 8 | code[1])) {
            refuse(w, SIPWS_E_WS_CLOSE_CODE, w->off - at, "frame-payload-data");
            return 0;
        }
        w->utf8 = (struct sipws_utf8){0}; /* no text message goes on behind a close frame */
    }
    size_t skip = at < 2 ? 2 - at : 0, good = skip + sipws_utf8_feed(&w->utf8, p + skip, n - skip);
    if (good < n)
        refuse(w, SIPWS_E_WS_CLOSE_UTF8, w->off + good, "frame-payload-data");
    return good;
}

/* Takes payload, up to the end of the frame. */
static bool read_payload(struct sipws_ws *w, struct sipws_str *in)
{
    const struct sipws_frame *f = &w->frame;
    bool control = is_control(f), text = !control && !w->binary;
    if (!control && w->done == 0 && f->len > w->limit - w->n && SIPWS_PLANT(WS_LIMIT_LATE))
        return refuse(w, SIPWS_E_LIMIT_MESSAGE, w->off, "ws-frame");
    while (in->n > 0 && w->done < f->len) {
        size_t n = in->n < BLOCK ? in->n : BLOCK, good;
        if (n > f->len - w->done)
            n = (size_t)(f->len - w->done);
        char *dst = control ? w->control + w->done : w->buf + w->n;
        bool ascii =
            unmask(dst, in->p, n, f->key,
                   SIPWS_PLANT_IF(WS_KEY_PHASE, w->done % 4 != 0) ? 0 : (size_t)(w->done % 4));
        good = n;
        if (text && !(ascii && sipws_utf8_done(&w->utf8)))
            good = sipws_utf8_feed(&w->utf8, dst, n);
        else if (f->opcode == SIPWS_CLOSE)
            good = close_checked(w, dst, (size_t)w->done, n);
        if (good < n) /* close_checked has said why */
            return !control && refuse(w, SIPWS_E_WS_UTF8, w->off + good, "frame-payload-data");
        w->done += n;
        w->n += control ? 0 : n;
        step(w, in, n);
    }
    return true;
}

static bool give(struct sipws_ws *w, struct sipws_ws_event *out, enum sipws_ws_kind kind)
{
    out->kind = kind;
    out->data = (struct sipws_str){w->control, (size_t)w->frame.len};
    return true;
}

static bool give_message(struct sipws_ws *w, struct sipws_ws_event *out)
{
    if (!w->binary && !sipws_utf8_done(&w->utf8))
        return refuse(w, SIPWS_E_WS_UTF8, w->off, "frame-payload-data");
    out->kind = SIPWS_WS_MESSAGE;
    out->binary = w->binary;
    out->data = (struct sipws_str){w->buf, w->n};
    w->frames = 0;
    return true;
}

static bool give_close(struct sipws_ws *w, struct sipws_ws_event *out)
{
    const unsigned char *p = (const unsigned char *)w->control;
    w->closed = true;
    give(w, out, SIPWS_WS_CLOSE);
    out->code = SIPWS_CLOSE_NONE;
    if (w->frame.len > 0) {
        if (!sipws_utf8_done(&w->utf8))
            return refuse(w, SIPWS_E_WS_CLOSE_UTF8, w->off, "frame-payload-data");
        out->code = (uint16_t)(p[0] << 8 | p[1]);
        out->data.p += 2;
        out->data.n -= out->data.n < 2 ? out->data.n : 2;
    }
    return true;
}

/* The frame is whole: whether that makes an event. */
static bool frame_end(struct sipws_ws *w, struct sipws_ws_event *out)
{
    const struct sipws_frame *f = &w->frame;
    w->head_n = 0;
    w->head_len = HEAD_MIN;
    switch ((enum sipws_opcode)f->opcode) {
    case SIPWS_PING:
        return give(w, out, SIPWS_WS_PING);
    case SIPWS_PONG:
        if (SIPWS_PLANT_IF(WS_PONG_IS_DATA, f->len > 2))
            return give(w, out, SIPWS_WS_MESSAGE);
        return give(w, out, SIPWS_WS_PONG);
    case SIPWS_CLOSE:
        return give_close(w, out);
    case SIPWS_CONTINUATION:
    case SIPWS_TEXT:
    case SIPWS_BINARY:
        break;
    }
    if (SIPWS_PLANT_IF(WS_EMPTY_UNCOUNTED, f->len == 0 && !f->fin && w->frames > 1))
        w->frames--;
    return f->fin && give_message(w, out);
}

/* Whether the reader goes on: no error and no event. */
static bool read_on(struct sipws_ws *w, struct sipws_str *in, struct sipws_ws_event *out)
{
    if (w->closed)
        return refuse(w, SIPWS_E_WS_AFTER_CLOSE, w->off, "ws-frame");
    if (w->head_n < w->head_len ? !read_head(w, in) : !read_payload(w, in))
        return false;
    if (w->head_n == w->head_len && w->done == w->frame.len)
        return !frame_end(w, out) && w->error.err == SIPWS_OK;
    return true;
}

static enum sipws_ws_kind finish(const struct sipws_ws *w, struct sipws_ws_event *out)
{
    if (w->error.err != SIPWS_OK)
        *out = (struct sipws_ws_event){.kind = SIPWS_WS_ERROR, .diag = w->error};
    return out->kind;
}

enum sipws_ws_kind sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                 struct sipws_ws_event *out)
{
    *out = (struct sipws_ws_event){.kind = SIPWS_WS_MORE};
    while (w->error.err == SIPWS_OK && in->n > 0 && read_on(w, in, out))
        ;
    if (SIPWS_PLANT_IF(WS_REST_LOST, out->kind == SIPWS_WS_MESSAGE && in->n > 0))
        step(w, in, in->n);
    return finish(w, out);
}

enum sipws_ws_kind sipws_ws_end(struct sipws_ws *w, struct sipws_ws_event *out)
{
    *out = (struct sipws_ws_event){.kind = SIPWS_WS_MORE};
    if (w->error.err == SIPWS_OK && (w->head_n > 0 || w->frames > 0) && !w->closed)
        refuse(w, SIPWS_E_WS_CUT, w->off, "ws-frame");
    return finish(w, out);
}

/* ---- printing -------------------------------------------------------------------------------- */

/* The header but for the key: its octets. */
static size_t put_head(unsigned char head[10], bool fin, enum sipws_opcode opcode, bool masked,
                       uint64_t len)
{
    unsigned more = len <= LEN_7_MAX ? 0 : len <= UINT16_MAX ? 2 : 8;
    if (SIPWS_PLANT_IF(WS_PUT_126, len == LEN_16))
        more = 0;
    head[0] = (unsigned char)((fin ? 0x80 : 0) | (unsigned)opcode);
    head[1] = (unsigned char)((masked ? MASK : 0) | (more == 0   ? (unsigned)len
                                                     : more == 2 ? LEN_16
                                                                 : LEN_63));
    for (unsigned i = 0; i < more; i++)
        head[HEAD_MIN + i] = (unsigned char)(len >> 8 * (more - 1 - i));
    if (SIPWS_PLANT_IF(WS_PUT_ORDER, more == 2 && head[2] != head[3])) {
        head[2] = (unsigned char)len;
        head[3] = (unsigned char)(len >> 8);
    }
    if (SIPWS_PLANT_IF(WS_PUT_FOUR, more == 8)) {
        memcpy(head + HEAD_MIN, head + HEAD_MIN + 4, 4);
        return HEAD_MIN + 4;
    }
    return HEAD_MIN + more;
}

/* As sipws_put, masked from its octet `phase` on. */
static void put_masked(struct sipws_out *o, struct sipws_str s, const unsigned char key[4],
                       size_t phase)
{
    if (s.n > 0 && o->n <= o->cap && s.n <= o->cap - o->n)
        sipws_unmask(o->p + o->n, s.p, s.n, key, phase);
    o->n = s.n <= SIZE_MAX - o->n ? o->n + s.n : SIZE_MAX;
}

static void put_octets(struct sipws_out *o, const unsigned char *p, size_t n)
{
    sipws_put(o, (struct sipws_str){(const char *)p, n});
}

/* A frame whose payload is `first` and then `rest`. */
static void put_frame(struct sipws_out *o, bool fin, enum sipws_opcode opcode,
                      const unsigned char *key, struct sipws_str first, struct sipws_str rest)
{
    static const unsigned char none[4];
    unsigned char head[10];
    put_octets(o, head, put_head(head, fin, opcode, key != NULL, (uint64_t)first.n + rest.n));
    if (key)
        put_octets(o, key, 4);
    put_masked(o, first, key ? key : none, 0);
    put_masked(o, rest, key ? key : none, first.n);
}

void sipws_ws_put(struct sipws_out *o, bool fin, enum sipws_opcode opcode,
                  const unsigned char key[4], struct sipws_str payload)
{
    put_frame(o, fin, opcode, key, payload, (struct sipws_str){NULL, 0});
}

/* The longest front of `s` that is whole UTF-8 characters and at most `max` octets. */
static struct sipws_str whole_characters(struct sipws_str s, size_t max)
{
    struct sipws_utf8 u = {0};
    size_t n = sipws_utf8_feed(&u, s.p, s.n < max ? s.n : max);
    if (!sipws_utf8_done(&u)) {
        while (((unsigned char)s.p[n - 1] & 0xC0) == 0x80)
            n--;
        n--; /* the octet that starts it */
    }
    return (struct sipws_str){s.p, n};
}

void sipws_ws_put_close(struct sipws_out *o, const unsigned char key[4], unsigned code,
                        struct sipws_str reason)
{
    const char octets[2] = {(char)(code >> 8 & 0xFF), (char)(code & 0xFF)};
    struct sipws_str first = {octets, 2}, none = {NULL, 0};
    if (!sipws_close_sendable(code))
        first = reason = none;
    put_frame(o, true, SIPWS_CLOSE, key, first,
              whole_characters(reason, SIPWS_MAX_CONTROL - sizeof octets));
}
