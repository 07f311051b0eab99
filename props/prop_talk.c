/* What two ends of a connection may count on: how messages, control frames, keep-alives, closing
 * and time go together (RFC 7118 4 to 6, RFC 6455 5 to 7). */
#include "drive.h"
#include "gen_conn.h"

#include <string.h>

enum { ITEMS = 6, TRANSCRIPT = 1 << 18, WIRE = 1 << 16 };

/* Large, and the same for all cases: a case fills what it reads. */
static struct drive driver;
static char one[TRANSCRIPT], two[TRANSCRIPT];

enum kind { SIP, UNSOUND, PING, PONG, CRLF_PING, CRLF_PONG };

struct item {
    enum kind kind;
    bool binary;
    struct sipws_str payload;
    unsigned char key[4];
};

struct talk {
    enum sipws_role role; /* of the engine */
    bool tls;
    struct item items[ITEMS];
    size_t n;
    unsigned code; /* of the peer's close frame */
    uint32_t pick[4];
    unsigned char key[4];
    char cuts[64];
    struct sipws_str wire; /* of some stories */
};

/* ---- drawing --------------------------------------------------------------------------------- */

static bool draw_item(struct tape *t, struct arena *a, const struct talk *c, struct item *item,
                      const unsigned char weights[6])
{
    struct gen_msg_want want = {
        .transport = c->tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS, .body = 80, .utf8 = true};
    struct gen_msg *m = arena_get(a, sizeof *m);
    item->kind = (enum kind)tape_weighted(t, weights, 6);
    item->binary = tape_chance(t, 100);
    tape_bytes(t, item->key, 4);
    switch (item->kind) {
    case SIP:
    case UNSOUND:
        if (!m || !gen_msg(t, a, &want, m))
            return false;
        item->payload = m->text;
        if (item->kind == UNSOUND) {
            struct gen_bent bent = gen_msg_bent(t, a, m);
            bool is_text = false;
            if (bent.text.p)
                (void)twin_utf8((const unsigned char *)bent.text.p, bent.text.n, &is_text);
            item->payload = is_text ? bent.text : SIPWS_STR("no SIP");
        }
        return true;
    case PING:
    case PONG:
        item->payload = gen_ws_octets(t, a, tape_below(t, 126));
        return item->payload.p != NULL || item->payload.n == 0;
    case CRLF_PING:
        item->payload = SIPWS_STR("\r\n\r\n");
        return true;
    case CRLF_PONG:
        item->payload = SIPWS_STR("\r\n");
        return true;
    }
    return false;
}

static struct talk *start(struct tape *t, struct arena *a, unsigned mean,
                          const unsigned char weights[6])
{
    static const unsigned codes[] = {1000, 1001, 3000, 4999, SIPWS_CLOSE_NONE};
    struct talk *c = arena_get(a, sizeof *c);
    if (!c)
        return NULL;
    c->role = tape_chance(t, 100) ? SIPWS_CLIENT : SIPWS_SERVER;
    c->tls = tape_chance(t, 100);
    c->code = codes[tape_below(t, 5)];
    for (int i = 0; i < 4; i++)
        c->pick[i] = tape_below(t, 65536);
    tape_bytes(t, c->key, 4);
    unsigned size = tape_chance(t, 128) ? 1 + tape_below(t, 60) : 255;
    memset(c->cuts, (int)size, sizeof c->cuts);
    while (c->n < ITEMS && tape_next(t, "item", mean)) {
        bool ok = draw_item(t, a, c, &c->items[c->n], weights);
        tape_end(t);
        if (!ok)
            return NULL;
        c->n++;
    }
    return c;
}

/* Of the kinds in their order. */
static const unsigned char mostly_sip[] = {120, 50, 30, 20, 20, 16};
static const unsigned char mostly_small[] = {16, 16, 100, 34, 60, 30};

static const void *draw(struct tape *t, struct arena *a)
{
    return start(t, a, 3, mostly_sip);
}

static const void *draw_small(struct tape *t, struct arena *a)
{
    return start(t, a, 4, mostly_small);
}

static void explain(const void *story, FILE *f)
{
    static const char *const kinds[] = {
        "a SIP message", "no sound SIP message", "a ping", "a pong", "CRLF CRLF", "CRLF"};
    const struct talk *c = story;
    fprintf(f, "  the engine is a %s, %s TLS; its peer sends\n",
            c->role == SIPWS_SERVER ? "server" : "client", c->tls ? "over" : "without");
    for (size_t i = 0; i < c->n; i++) {
        fprintf(f, "  %s, %s, key %02x%02x%02x%02x\n", kinds[c->items[i].kind],
                c->items[i].binary ? "binary" : "text", c->items[i].key[0], c->items[i].key[1],
                c->items[i].key[2], c->items[i].key[3]);
        prop_octets(f, "    ", c->items[i].payload);
    }
    fprintf(f, "  a close frame with %u; numbers %u %u %u %u\n", c->code, c->pick[0], c->pick[1],
            c->pick[2], c->pick[3]);
}

/* ---- what goes over the wire ----------------------------------------------------------------- */

static void put_head(struct sipws_out *o, enum sipws_role reader)
{
    if (reader == SIPWS_SERVER)
        sipws_put_lit(o, "GET / HTTP/1.1\r\nHost: ws.example.org\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Key: " DRIVE_KEY "\r\n"
                         "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n");
    else
        sipws_put_lit(o, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\nSec-WebSocket-Accept: " DRIVE_ACCEPT "\r\n"
                         "Sec-WebSocket-Protocol: sip\r\n\r\n");
}

/* One frame; masked unless key is NULL. */
static void put_frame(struct sipws_out *o, bool fin, unsigned opcode, const unsigned char *key,
                      struct sipws_str payload)
{
    unsigned mask = key ? 0x80 : 0;
    sipws_put_char(o, (char)((fin ? 0x80u : 0u) | opcode));
    if (payload.n < 126) {
        sipws_put_char(o, (char)(mask | payload.n));
    } else {
        sipws_put_char(o, (char)(mask | 126));
        sipws_put_char(o, (char)(payload.n >> 8));
        sipws_put_char(o, (char)(payload.n & 255));
    }
    for (int i = 0; key && i < 4; i++)
        sipws_put_char(o, (char)key[i]);
    for (size_t i = 0; i < payload.n; i++)
        sipws_put_char(o, key ? (char)((unsigned char)payload.p[i] ^ key[i % 4]) : payload.p[i]);
}

static void put_close(struct sipws_out *o, const unsigned char *key, unsigned code)
{
    char octets[2] = {(char)(code >> 8), (char)(code & 255)};
    put_frame(o, true, 8, key, (struct sipws_str){octets, code == SIPWS_CLOSE_NONE ? 0 : 2});
}

static bool is_control(enum kind kind)
{
    return kind == PING || kind == PONG;
}

/* How the items go over the wire. */
struct way {
    int binary;      /* of messages: 0 text, 1 binary, -1 as drawn */
    size_t fragment; /* octets of each but the last; 0: in one */
    bool other_key;  /* of all frames */
};

static void put_item(struct sipws_out *o, const struct talk *c, const struct item *item,
                     const struct way *way)
{
    const unsigned char *key = way->other_key ? c->key : item->key;
    bool binary = way->binary < 0 ? item->binary : way->binary;
    unsigned opcode = item->kind == PING ? 9 : item->kind == PONG ? 10 : binary ? 2 : 1;
    struct sipws_str rest = item->payload;
    if (c->role == SIPWS_CLIENT)
        key = NULL;
    while (way->fragment > 0 && !is_control(item->kind) && rest.n > way->fragment) {
        put_frame(o, false, opcode, key, (struct sipws_str){rest.p, way->fragment});
        rest = sipws_slice(rest.p + way->fragment, rest.p + rest.n);
        opcode = 0;
    }
    put_frame(o, true, opcode, key, rest);
}

static struct sipws_str put_talk(struct arena *a, const struct talk *c, const struct way *way)
{
    static const unsigned char zero[4];
    struct sipws_out o = arena_begin(a);
    put_head(&o, c->role);
    for (size_t i = 0; i < c->n; i++)
        put_item(&o, c, &c->items[i], way);
    put_close(&o, c->role == SIPWS_SERVER ? zero : NULL, c->code);
    return arena_end(a, &o);
}

/* Limits under which all of it passes. */
static void set_up(const struct talk *c)
{
    driver.role = c->role;
    driver.tls = c->tls;
    driver.refuse = false;
    driver.allow = 0;
    driver.limits = (struct sipws_limits){4096, 65536, 65536};
    driver.cuts = (struct sipws_str){NULL, 0};
    driver.room = 0;
}

static struct sipws_str run(const struct talk *c, struct sipws_str wire, bool cut, char *memory)
{
    struct sipws_out o = sipws_out(memory, TRANSCRIPT);
    set_up(c);
    if (cut)
        driver.cuts = (struct sipws_str){c->cuts, sizeof c->cuts};
    drive_run(&driver, wire, &o);
    return sipws_out_ok(&o) ? sipws_out_str(&o) : (struct sipws_str){NULL, 0};
}

/* How many lines of a transcript begin with `word`. */
static size_t lines(struct sipws_str transcript, const char *word)
{
    size_t n = 0, len = strlen(word);
    for (size_t i = 0; i + len < transcript.n; i++)
        n += (i == 0 || transcript.p[i - 1] == '\n') && memcmp(transcript.p + i, word, len) == 0;
    return n;
}

static void classes(struct prop_trial *r, const struct talk *c)
{
    bool sip = false, unsound = false;
    for (size_t i = 0; i < c->n; i++) {
        sip = sip || c->items[i].kind == SIP;
        unsound = unsound || c->items[i].kind == UNSOUND;
    }
    prop_class(r, c->role == SIPWS_SERVER ? "server" : "client");
    if (sip)
        prop_class(r, "with SIP");
    if (unsound)
        prop_class(r, "not sound");
}

#define CLASSES                                                                                    \
    {                                                                                              \
        {"server", 200}, {"client", 100}, {"with SIP", 200},                                       \
        {                                                                                          \
            "not sound", 100                                                                       \
        }                                                                                          \
    }

/* ---- conn/binary ----------------------------------------------------------------------------- */

/* Takes " binary" and the line of what was sent out of a transcript. */
static struct sipws_str without_binary(char *p, size_t n)
{
    static const char word[] = " binary";
    size_t out = 0, len = sizeof word - 1;
    for (size_t i = 0; i < n; i++) {
        bool line = i == 0 || p[i - 1] == '\n';
        if (line && n - i >= 5 && memcmp(p + i, "sent ", 5) == 0)
            break;
        if (n - i > len && memcmp(p + i, word, len) == 0) {
            i += len - 1;
            continue;
        }
        p[out++] = p[i];
    }
    return (struct sipws_str){p, out};
}

static enum verdict hold_binary(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct way way = {.binary = 0};
    struct sipws_str text = put_talk(&r->arena, c, &way);
    way.binary = 1;
    struct sipws_str binary = put_talk(&r->arena, c, &way);
    classes(r, c);
    if (!binary.p || !text.p)
        return DISCARDED;
    struct sipws_str a = run(c, text, false, one), b = run(c, binary, false, two);
    if (!a.p || !b.p)
        return DISCARDED;
    return prop_same(r, "reading", without_binary(one, a.n), without_binary(two, b.n));
}

const struct prop prop_conn_binary = {
    .name = "conn/binary",
    .plant = "CONN_BINARY_PASSES",
    .sentence =
        "A message that is UTF-8 reads the same, and is refused for the same reason, whether "
        "it comes as text or as binary (RFC 7118 4.2).",
    .draw = draw,
    .hold = hold_binary,
    .explain = explain,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/keys, conn/fragments --------------------------------------------------------------- */

static enum verdict same_both_ways(struct prop_trial *r, const struct talk *c,
                                   const struct way *way, bool cut)
{
    const struct way plain = {.binary = -1};
    struct sipws_str x = put_talk(&r->arena, c, &plain), y = put_talk(&r->arena, c, way);
    classes(r, c);
    if (!x.p || !y.p)
        return DISCARDED;
    struct sipws_str a = run(c, x, false, one), b = run(c, y, cut, two);
    return a.p && b.p ? prop_same(r, "events", a, b) : DISCARDED;
}

static const void *draw_to_server(struct tape *t, struct arena *a)
{
    struct talk *c = start(t, a, 3, mostly_sip);
    if (c)
        c->role = SIPWS_SERVER;
    return c;
}

static enum verdict hold_keys(struct prop_trial *r, const void *story)
{
    return same_both_ways(r, story, &(struct way){.binary = -1, .other_key = true}, true);
}

const struct prop prop_conn_keys = {
    .name = "conn/keys",
    .plant = "WS_KEY_PHASE",
    .sentence = "With any other masking keys, and cut in any other way, the same frames give the "
                "same events and answers.",
    .draw = draw_to_server,
    .hold = hold_keys,
    .explain = explain,
    .classes = {{"server", 500}, {"client", 0}, {"with SIP", 200}, {"not sound", 100}},
    .discard_percent = 5,
    .tape_max = 800,
};

static enum verdict hold_fragments(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct way way = {.binary = -1, .fragment = 1 + c->pick[0] % 100};
    return same_both_ways(r, c, &way, false);
}

const struct prop prop_conn_fragments = {
    .name = "conn/fragments",
    .plant = "WS_UTF8_PER_FRAME",
    .sentence = "In one frame or in many, a message reads the same (RFC 6455 5.4).",
    .draw = draw,
    .hold = hold_fragments,
    .explain = explain,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/glued, conn/halves ----------------------------------------------------------------- */

/* The message with a Content-Length. */
static struct sipws_str with_length(struct arena *a, const struct gen_msg *m)
{
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, sipws_slice(m->text.p, m->body.p - 2));
    sipws_put_lit(&o, "l: ");
    sipws_put_uint(&o, m->body.n);
    sipws_put_lit(&o, "\r\n\r\n");
    sipws_put(&o, m->body);
    return arena_end(a, &o);
}

/* pick[1]: 65536 where the first message says how long its body is; pick[2]: where that begins. */
static const void *draw_two(struct tape *t, struct arena *a)
{
    struct talk *c = start(t, a, 0, mostly_sip);
    struct gen_msg *m = arena_get(a, 2 * sizeof *m);
    if (!c || !m)
        return NULL;
    bool length = c->pick[1] % 2, has = false;
    struct gen_msg_want want = {.transport = c->tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS,
                                .body = 40};
    for (; c->n < 2; c->n++) {
        if (!gen_msg(t, a, &want, &m[c->n]))
            return NULL;
        c->items[c->n] = (struct item){.kind = SIP, .binary = true, .payload = m[c->n].text};
    }
    for (size_t i = 0; i < m[0].n; i++)
        has = has || m[0].fields[i].id == SIPWS_F_CONTENT_LENGTH;
    if (length && !has)
        c->items[0].payload = with_length(a, &m[0]);
    c->pick[1] = length || has ? 65536 : 0;
    c->pick[2] = (uint32_t)(m[0].body.p - m[0].text.p);
    return a->full ? NULL : c;
}

static enum verdict hold_glued(struct prop_trial *r, const void *story)
{
    static const unsigned char zero[4];
    const struct talk *c = story;
    struct sipws_str a = c->items[0].payload, b = c->items[1].payload;
    char *both = arena_get(&r->arena, a.n + b.n);
    if (!both)
        return DISCARDED;
    memcpy(both, a.p, a.n);
    memcpy(both + a.n, b.p, b.n);
    struct sipws_out o = arena_begin(&r->arena);
    put_head(&o, c->role);
    put_frame(&o, true, 2, c->role == SIPWS_SERVER ? zero : NULL,
              (struct sipws_str){both, a.n + b.n});
    struct sipws_str wire = arena_end(&r->arena, &o);
    struct sipws_str t = wire.p ? run(c, wire, false, one) : wire;
    if (!t.p)
        return DISCARDED;
    size_t messages = lines(t, "message"), refused = lines(t, "refused");
    bool says_length = c->pick[1] == 65536;
    prop_class(r, says_length ? "with a length" : "without");
    if (messages + refused != 1)
        return prop_fail(r, "events", PROP_NOWHERE, "%zu events", messages + refused);
    return says_length && messages
               ? prop_fail(r, "taken", PROP_NOWHERE, "what follows the body is overlooked")
               : HOLDS;
}

const struct prop prop_conn_glued = {
    .name = "conn/glued",
    .plant = "MSG_LENGTH_TRUST",
    .sentence = "Two SIP messages in one WebSocket message are one event, and a refusal where the "
                "first says how long it is (RFC 7118 4.1).",
    .draw = draw_two,
    .hold = hold_glued,
    .explain = explain,
    .classes = {{"with a length", 100}, {"without", 100}},
    .discard_percent = 5,
    .tape_max = 800,
};

static enum verdict hold_halves(struct prop_trial *r, const void *story)
{
    static const unsigned char zero[4];
    const struct talk *c = story;
    const unsigned char *key = c->role == SIPWS_SERVER ? zero : NULL;
    struct sipws_str s = c->items[0].payload;
    size_t at = 1 + c->pick[0] % (c->pick[2] - 1); /* within the header */
    struct sipws_out o = arena_begin(&r->arena);
    put_head(&o, c->role);
    put_frame(&o, true, 2, key, (struct sipws_str){s.p, at});
    if (c->key[0] & 1)
        put_frame(&o, true, 9, key, SIPWS_STR("x"));
    put_frame(&o, true, 2, key, sipws_slice(s.p + at, s.p + s.n));
    struct sipws_str wire = arena_end(&r->arena, &o);
    struct sipws_str t = wire.p ? run(c, wire, false, one) : wire;
    if (!t.p)
        return DISCARDED;
    size_t messages = lines(t, "message"), refused = lines(t, "refused"),
           keepalives = lines(t, "keepalive");
    prop_class(r, at < 20 ? "in the start line" : "further behind");
    return messages == 0 && refused + keepalives == 2
               ? HOLDS
               : prop_fail(r, "joined", at, "%zu messages and %zu refusals", messages, refused);
}

const struct prop prop_conn_halves = {
    .name = "conn/halves",
    .plant = "WS_FRAGMENTS_STAY",
    .sentence = "A SIP message that is cut within its header and sent as two WebSocket messages is "
                "two refusals; nothing is put together.",
    .draw = draw_two,
    .hold = hold_halves,
    .explain = explain,
    .classes = {{"in the start line", 10}, {"further behind", 100}},
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/control ---------------------------------------------------------------------------- */

static enum verdict hold_control(struct prop_trial *r, const void *story)
{
    static const unsigned char zero[4];
    static const char sip[] = "OPTIONS sip:a.invalid SIP/2.0\r\nv:SIP/2.0/WS a;branch=z9hG4bK1\r\n"
                              "f:sip:a;tag=1\r\nt:sip:b\r\ni:1\r\nCSeq:1 OPTIONS\r\n\r\n";
    const struct talk *c = story;
    struct sipws_out o = arena_begin(&r->arena);
    put_head(&o, c->role);
    size_t controls = 0;
    for (size_t i = 0; i < c->n; i++) {
        struct sipws_str payload = c->items[i].payload;
        if (c->items[i].kind == PING || c->items[i].kind == CRLF_PING)
            payload = (struct sipws_str){sip, sizeof sip - 1};
        payload.n = payload.n < 125 ? payload.n : 125;
        put_frame(&o, true, i % 2 ? 9 : 10, c->role == SIPWS_SERVER ? zero : NULL, payload);
        controls++;
    }
    struct sipws_str wire = arena_end(&r->arena, &o);
    struct sipws_str t = wire.p ? run(c, wire, false, one) : wire;
    if (!t.p)
        return DISCARDED;
    prop_class(r, controls ? "some" : "none");
    size_t sip_events = lines(t, "message") + lines(t, "refused") + lines(t, "keepalive");
    if (sip_events > 0)
        return prop_fail(r, "taken for SIP", PROP_NOWHERE, "%zu events of SIP", sip_events);
    return lines(t, "ping") == controls / 2 && lines(t, "pong") == (controls + 1) / 2
               ? HOLDS
               : prop_fail(r, "lost", PROP_NOWHERE, "%zu pings and %zu pongs of %zu frames",
                           lines(t, "ping"), lines(t, "pong"), controls);
}

const struct prop prop_conn_control = {
    .name = "conn/control",
    .plant = "CONN_PING_AS_SIP",
    .sentence = "The payload of a ping or pong never becomes SIP, whatever it looks like.",
    .draw = draw,
    .hold = hold_control,
    .explain = explain,
    .classes = {{"some", 300}, {"none", 0}},
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/answers ---------------------------------------------------------------------------- */

static enum verdict hold_answers(struct prop_trial *r, const void *story)
{
    static const unsigned char zero[4];
    const struct talk *c = story;
    const unsigned char *key = c->role == SIPWS_CLIENT ? zero : NULL; /* of what the engine sends */
    struct sipws_str wire = put_talk(&r->arena, c, &(struct way){.binary = -1});
    struct sipws_out o = arena_begin(&r->arena);
    unsigned answers = 0;
    for (size_t i = 0; i < c->n; i++) {
        const struct item *item = &c->items[i];
        if (item->kind == PING)
            put_frame(&o, true, 10, key, item->payload);
        else if (item->kind == CRLF_PING)
            put_frame(&o, true, item->binary ? 2 : 1, key, SIPWS_STR("\r\n"));
        answers += item->kind == PING || item->kind == CRLF_PING;
    }
    put_close(&o, key, c->code);
    struct sipws_str want = arena_end(&r->arena, &o);
    if (!wire.p || !want.p || !run(c, wire, true, one).p)
        return DISCARDED;
    prop_class(r, answers > 1 ? "several" : answers ? "one" : "only the close");
    /* Behind the head that the engine sent. */
    const char *p = driver.sent.p, *end = p + driver.sent.n;
    while (end - p >= 4 && memcmp(p, "\r\n\r\n", 4) != 0)
        p++;
    return prop_same(r, "answers", want, sipws_slice(end - p >= 4 ? p + 4 : end, end));
}

const struct prop prop_conn_answers = {
    .name = "conn/answers",
    .plant = "CONN_PONG_EMPTY",
    .sentence = "A ping is answered with a pong of its payload, CRLF CRLF with CRLF of the same "
                "kind, a close frame with its code, in this order, and nothing else is sent.",
    .draw = draw_small,
    .hold = hold_answers,
    .explain = explain,
    .classes = {{"several", 50}, {"one", 100}, {"only the close", 0}},
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/again ------------------------------------------------------------------------------ */

static enum verdict hold_again(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct sipws_str wire = put_talk(&r->arena, c, &(struct way){.binary = -1});
    if (!wire.p)
        return DISCARDED;
    classes(r, c);
    memset(&driver.conn, 0, sizeof driver.conn);
    memset(driver.buf, 0, 4096);
    struct sipws_str a = run(c, wire, true, one);
    memset(&driver.conn, (int)(1 + c->pick[0] % 255), sizeof driver.conn);
    memset(driver.buf, (int)(c->pick[1] % 256), 4096);
    struct sipws_str b = run(c, wire, true, two);
    return a.p && b.p ? prop_same(r, "events", a, b) : DISCARDED;
}

const struct prop prop_conn_again = {
    .name = "conn/again",
    .plant = "CONN_INIT_STAYS",
    .sentence =
        "The same octets give the same events and answers, bit for bit, whatever was in the "
        "memory of the connection before.",
    .draw = draw,
    .hold = hold_again,
    .explain = explain,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/room ------------------------------------------------------------------------------- */

static enum verdict hold_room(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct sipws_str wire = put_talk(&r->arena, c, &(struct way){.binary = -1});
    if (!wire.p)
        return DISCARDED;
    classes(r, c);
    struct sipws_str a = run(c, wire, true, one);
    struct sipws_out o = sipws_out(two, TRANSCRIPT);
    driver.room = SIPWS_CONN_ROOM + c->pick[0] % 64;
    drive_run(&driver, wire, &o);
    if (!a.p || !sipws_out_ok(&o))
        return DISCARDED;
    return prop_same(r, "events", a, sipws_out_str(&o));
}

const struct prop prop_conn_room = {
    .name = "conn/room",
    .plant = "CONN_FULL_EATS",
    .sentence = "Where there is little room for answers, nothing is lost, neither of what came nor "
                "of what is to be sent.",
    .draw = draw,
    .hold = hold_room,
    .explain = explain,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- conn/prefix ----------------------------------------------------------------------------- */

/* A transcript without its last event, which tells of the end, and without what was sent. */
static size_t without_end(struct sipws_str t)
{
    size_t ends[2] = {0, 0}; /* where the last two lines of events begin */
    for (size_t i = 0; i < t.n; i++)
        if ((i == 0 || t.p[i - 1] == '\n') && t.p[i] != ' ') {
            ends[0] = ends[1];
            ends[1] = i;
        }
    return ends[0];
}

static enum verdict hold_prefix(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct sipws_str wire = put_talk(&r->arena, c, &(struct way){.binary = -1});
    if (!wire.p)
        return DISCARDED;
    /* Mostly behind the handshake, often right before the close frame. */
    size_t close_n = (c->role == SIPWS_SERVER ? 6u : 2u) + (c->code == SIPWS_CLOSE_NONE ? 0 : 2);
    size_t at = c->pick[2] % 4 ? wire.n - 1 - c->pick[0] % (wire.n / 2) : wire.n - close_n;
    char *noise = arena_get(&r->arena, wire.n);
    if (!noise)
        return DISCARDED;
    memcpy(noise, wire.p, wire.n);
    if (c->pick[1] % 4 > 0) /* else what follows is as it was */
        noise[at] = (char)((unsigned char)noise[at] ^ (1 + c->pick[1] / 4 % 255));
    struct sipws_str begun = run(c, (struct sipws_str){wire.p, at}, false, one);
    struct sipws_str all = run(c, (struct sipws_str){noise, wire.n}, false, two);
    if (!begun.p || !all.p)
        return DISCARDED;
    size_t n = without_end(begun);
    prop_class(r, lines((struct sipws_str){one, n}, "message") ? "with messages" : "without");
    begun.n = n;
    all.n = all.n < n ? all.n : n;
    return prop_same(r, "events", begun, all);
}

const struct prop prop_conn_prefix = {
    .name = "conn/prefix",
    .plant = "CONN_CLOSE_OVERTAKES",
    .sentence = "What came in whole is read as it was meant, whatever follows it: noise, another "
                "frame, a close frame, or nothing.",
    .draw = draw,
    .hold = hold_prefix,
    .explain = explain,
    .classes = {{"with messages", 60}, {"without", 100}},
    .discard_percent = 5,
    .tape_max = 800,
};

/* ---- one engine by hand ---------------------------------------------------------------------- */

static struct end {
    struct sipws_conn conn;
    struct sipws_io io;
    struct sipws_event ev;
    struct sipws_field fields[64];
    char buf[WIRE], tx[WIRE];
} end;

static bool same_diag(const struct sipws_diag *a, const struct sipws_diag *b)
{
    return a->err == b->err && a->off == b->off;
}

/* An engine whose handshake is done. */
static bool open_end(enum sipws_role role, bool tls, struct sipws_times times, uint64_t now)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {NULL, 0}, {NULL, 0}};
    char head[512];
    struct sipws_out o = sipws_out(head, sizeof head);
    struct sipws_conn_config config = {.role = role,
                                       .tls = tls,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .times = times,
                                       .buf = end.buf,
                                       .cap = sizeof end.buf,
                                       .fields = end.fields,
                                       .field_cap = 64};
    memset(&end.io, 0, sizeof end.io);
    end.io.now = now;
    end.io.out = sipws_out(end.tx, sizeof end.tx);
    sipws_conn_init(&end.conn, &config, now);
    put_head(&o, role);
    end.io.in = sipws_out_str(&o);
    bool ok = role == SIPWS_SERVER || sipws_conn_start(&end.conn, &end.io, &ask);
    ok = ok && sipws_conn_read(&end.conn, &end.io, &end.ev) ==
                   (role == SIPWS_SERVER ? SIPWS_EV_REQUEST : SIPWS_EV_OPEN);
    ok = ok && (role == SIPWS_CLIENT || sipws_conn_accept(&end.conn, &end.io));
    end.io.out.n = 0;
    return ok;
}

/* ---- conn/sticky ----------------------------------------------------------------------------- */

static enum verdict hold_sticky(struct prop_trial *r, const void *story)
{
    static const char broken[] = "\xF1\xF2\xF3\xF4";
    static const char *const steps[] = {"read", "end", "tick", "read nothing"};
    const struct talk *c = story;
    if (!open_end(c->role, c->tls, SIPWS_TIMES_DEFAULT, 5))
        return prop_fail(r, "open", PROP_NOWHERE, "no handshake");
    unsigned how = c->pick[0] % 3;
    prop_class(r, how == 0 ? "frames" : how == 1 ? "the end" : "time");
    if (how == 0) {
        end.io.in = (struct sipws_str){broken, 1u + c->pick[1] % 4};
        sipws_conn_read(&end.conn, &end.io, &end.ev);
    } else if (how == 1) {
        sipws_conn_end(&end.conn, &end.io, &end.ev);
    } else {
        for (int i = 0; i < 2; i++) {
            end.io.now += 40000;
            sipws_conn_tick(&end.conn, &end.io, &end.ev);
        }
    }
    if (end.ev.kind != SIPWS_EV_FAILED)
        return prop_fail(r, "failed", PROP_NOWHERE, "it did not fail");
    struct sipws_event first = end.ev;
    size_t sent = end.io.out.n;
    for (unsigned i = 0; i < 6; i++) {
        unsigned step = (c->pick[2] >> 2 * i) % 4;
        end.io.in = (struct sipws_str){broken, step ? 0 : 4};
        end.io.now += c->pick[3];
        if (step == 1)
            sipws_conn_end(&end.conn, &end.io, &end.ev);
        else if (step == 2)
            sipws_conn_tick(&end.conn, &end.io, &end.ev);
        else
            sipws_conn_read(&end.conn, &end.io, &end.ev);
        if (end.ev.kind != SIPWS_EV_FAILED || !same_diag(&end.ev.diag, &first.diag) ||
            end.ev.code != first.code)
            return prop_fail(r, "another", PROP_NOWHERE, "%s gives %s, not %s again", steps[step],
                             sipws_err_info(end.ev.diag.err)->id,
                             sipws_err_info(first.diag.err)->id);
    }
    struct sipws_diag d;
    if (sipws_conn_ping(&end.conn, &end.io) || sipws_conn_crlf(&end.conn, &end.io) ||
        sipws_conn_close(&end.conn, &end.io, 1000, SIPWS_STR("")) ||
        sipws_conn_send(&end.conn, &end.io, SIPWS_STR("x"), &d))
        return prop_fail(r, "sends", PROP_NOWHERE, "a failed connection sends");
    if (sipws_conn_due(&end.conn) != UINT64_MAX)
        return prop_fail(r, "due", PROP_NOWHERE, "a failed connection waits for something");
    return end.io.out.n == sent ? HOLDS : prop_fail(r, "sent", PROP_NOWHERE, "something was sent");
}

const struct prop prop_conn_sticky = {
    .name = "conn/sticky",
    .plant = "CONN_ERROR_FADES",
    .sentence = "A connection that has failed gives its first reason again, whatever comes, and "
                "sends nothing more.",
    .draw = draw,
    .hold = hold_sticky,
    .explain = explain,
    .classes = {{"frames", 100}, {"the end", 100}, {"time", 100}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- conn/closing ---------------------------------------------------------------------------- */

static enum verdict hold_closing(struct prop_trial *r, const void *story)
{
    static const unsigned char zero[4];
    const struct talk *c = story;
    struct sipws_diag d = {0};
    const unsigned char *key = c->role == SIPWS_SERVER ? zero : NULL;
    unsigned ours = c->pick[0] % 2 ? 1001 : SIPWS_CLOSE_NONE;
    if (!open_end(c->role, c->tls, SIPWS_TIMES_DEFAULT, 0))
        return prop_fail(r, "open", PROP_NOWHERE, "no handshake");
    if (!sipws_conn_close(&end.conn, &end.io, ours, SIPWS_STR("")))
        return prop_fail(r, "close", PROP_NOWHERE, "it cannot be closed");
    end.io.out.n = 0;
    if (sipws_conn_ping(&end.conn, &end.io) || sipws_conn_crlf(&end.conn, &end.io) ||
        sipws_conn_close(&end.conn, &end.io, 1000, SIPWS_STR("")) ||
        sipws_conn_send(&end.conn, &end.io, SIPWS_STR("x"), &d))
        return prop_fail(r, "sends", PROP_NOWHERE, "it sends behind its close frame");
    /* What the peer sent before it saw that still counts; no data frame goes out for it. */
    struct sipws_out o = arena_begin(&r->arena);
    size_t messages = 0, got = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->items[i].kind != PING) {
            put_item(&o, c, &c->items[i], &(struct way){.binary = -1});
            messages += c->items[i].kind == SIP;
        }
    put_close(&o, key, c->code);
    end.io.in = arena_end(&r->arena, &o);
    if (!end.io.in.p)
        return DISCARDED;
    prop_class(r, messages ? "with messages" : "without");
    do {
        sipws_conn_read(&end.conn, &end.io, &end.ev);
        got += end.ev.kind == SIPWS_EV_MESSAGE;
    } while (end.ev.kind != SIPWS_EV_CLOSED && end.ev.kind != SIPWS_EV_MORE &&
             end.ev.kind != SIPWS_EV_FAILED);
    if (end.ev.kind != SIPWS_EV_CLOSED || end.ev.code != c->code)
        return prop_fail(r, "closed", PROP_NOWHERE, "%s with %u", drive_event_name(end.ev.kind),
                         end.ev.code);
    if (got != messages)
        return prop_fail(r, "lost", PROP_NOWHERE, "%zu of %zu messages", got, messages);
    return end.io.out.n == 0 ? HOLDS
                             : prop_fail(r, "sent", PROP_NOWHERE,
                                         "%zu octets behind the close frame", end.io.out.n);
}

const struct prop prop_conn_closing = {
    .name = "conn/closing",
    .plant = "CONN_CLOSE_TWICE",
    .sentence = "Behind our own close frame nothing is sent, messages of the peer still count, and "
                "its close frame ends the connection without an answer (RFC 6455 5.5.1).",
    .draw = draw,
    .hold = hold_closing,
    .explain = explain,
    .classes = {{"with messages", 200}, {"without", 100}},
    .discard_percent = 5,
    .tape_max = 600,
};

/* ---- conn/clock ------------------------------------------------------------------------------ */

enum { STEPS = 12 };

struct clock {
    enum sipws_role role;
    struct sipws_times times;
    struct {
        uint32_t pass; /* milliseconds */
        bool hear;     /* then a pong comes */
        bool close;    /* or we close */
    } steps[STEPS];
    size_t n;
};

static const void *draw_clock(struct tape *t, struct arena *a)
{
    struct clock *c = arena_get(a, sizeof *c);
    if (!c)
        return NULL;
    c->role = tape_chance(t, 100) ? SIPWS_CLIENT : SIPWS_SERVER;
    c->times = (struct sipws_times){tape_below(t, 50), tape_below(t, 50), tape_below(t, 50),
                                    tape_below(t, 50)};
    while (c->n < STEPS && tape_next(t, "step", 6)) {
        c->steps[c->n].pass = tape_below(t, 80);
        c->steps[c->n].hear = tape_chance(t, 80);
        c->steps[c->n].close = tape_chance(t, 20);
        tape_end(t);
        c->n++;
    }
    return c;
}

static void explain_clock(const void *story, FILE *f)
{
    const struct clock *c = story;
    fprintf(f, "  a %s; idle %u ms, pong %u ms, close %u ms\n",
            c->role == SIPWS_SERVER ? "server" : "client", c->times.idle, c->times.pong,
            c->times.close);
    for (size_t i = 0; i < c->n; i++)
        fprintf(f, "  %u ms pass%s%s\n", c->steps[i].pass, c->steps[i].hear ? ", a pong comes" : "",
                c->steps[i].close ? ", we close" : "");
}

/* What is waited for: for how long since when, or for nothing. */
static uint64_t naive_due(uint64_t since, uint32_t ms)
{
    return ms ? since + ms : UINT64_MAX;
}

static enum verdict hold_clock(struct prop_trial *r, const void *story)
{
    static const char pong[2][6] = {"\x8A\x80\0\0\0", "\x8A"};
    const struct clock *c = story;
    uint64_t now = 1000, since = now;
    bool pinged = false, closing = false;
    if (!open_end(c->role, false, c->times, now))
        return prop_fail(r, "open", PROP_NOWHERE, "no handshake");
    for (size_t i = 0; i < c->n; i++) {
        now += c->steps[i].pass;
        end.io.now = now;
        end.io.out.n = 0;
        uint64_t due = naive_due(since, closing  ? c->times.close
                                        : pinged ? c->times.pong
                                                 : c->times.idle);
        if (sipws_conn_due(&end.conn) != due)
            return prop_fail(r, "due", PROP_NOWHERE, "step %zu: due at %llu, not at %llu", i,
                             (unsigned long long)sipws_conn_due(&end.conn),
                             (unsigned long long)due);
        enum sipws_event_kind kind = sipws_conn_tick(&end.conn, &end.io, &end.ev);
        bool over = now >= due;
        if (over && (pinged || closing)) {
            prop_class(r, closing ? "no close frame came" : "no pong came");
            return kind == SIPWS_EV_FAILED && end.ev.diag.err == SIPWS_E_TIMEOUT
                       ? HOLDS
                       : prop_fail(r, "late", PROP_NOWHERE, "step %zu: it goes on", i);
        }
        if (kind != SIPWS_EV_MORE)
            return prop_fail(r, "early", PROP_NOWHERE, "step %zu: %s", i, drive_event_name(kind));
        bool ping = end.io.out.n >= 2 && (unsigned char)end.tx[0] == 0x89;
        if (ping != over || (!over && end.io.out.n > 0))
            return prop_fail(r, "ping", PROP_NOWHERE, "step %zu: %s", i,
                             ping ? "a ping too early" : "no ping");
        if (over) {
            prop_class(r, "pinged");
            pinged = true;
            since = now;
        }
        if (c->steps[i].hear) {
            end.io.in = (struct sipws_str){pong[c->role], c->role == SIPWS_SERVER ? 6 : 2};
            while (sipws_conn_read(&end.conn, &end.io, &end.ev) == SIPWS_EV_PONG)
                ;
            pinged = false;
            since = closing ? since : now;
        }
        if (c->steps[i].close && !closing) {
            if (!sipws_conn_close(&end.conn, &end.io, 1000, SIPWS_STR("")))
                return prop_fail(r, "close", PROP_NOWHERE, "it cannot be closed");
            closing = true;
            since = now;
        }
    }
    return HOLDS;
}

const struct prop prop_conn_clock = {
    .name = "conn/clock",
    .plant = "CONN_PING_AGAIN",
    .sentence =
        "Silence is answered with a ping when its time has come and not before, silence "
        "behind the ping or behind our close frame ends the connection, and the time that is "
        "told in advance is the time at which that happens.",
    .draw = draw_clock,
    .hold = hold_clock,
    .explain = explain_clock,
    .classes = {{"pinged", 200}, {"no pong came", 100}, {"no close frame came", 20}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- conn/refusal ---------------------------------------------------------------------------- */

static enum verdict hold_refusal(struct prop_trial *r, const void *story)
{
    static const unsigned statuses[] = {400, 401, 403, 404, 426, 431, 503, 301};
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {NULL, 0}, {NULL, 0}};
    static struct sipws_conn server;
    static char buf[4096], tx[4096];
    const struct talk *c = story;
    struct sipws_event ev;
    unsigned status = statuses[c->pick[0] % 8];
    struct sipws_io io = {.out = sipws_out(tx, sizeof tx)};
    struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .times = SIPWS_TIMES_DEFAULT,
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = end.fields,
                                       .field_cap = 64};
    prop_class(r, status < 400 ? "elsewhere" : "refused");
    if (!open_end(SIPWS_CLIENT, false, SIPWS_TIMES_DEFAULT, 0))
        return prop_fail(r, "open", PROP_NOWHERE, "no handshake");
    config.role = SIPWS_CLIENT; /* the same engine, as it was before its handshake */
    config.buf = end.buf;
    config.cap = sizeof end.buf;
    sipws_conn_init(&end.conn, &config, 0);
    if (!sipws_conn_start(&end.conn, &end.io, &ask))
        return prop_fail(r, "start", PROP_NOWHERE, "the client does not start");
    config.role = SIPWS_SERVER;
    config.buf = buf;
    config.cap = sizeof buf;
    sipws_conn_init(&server, &config, 0);
    io.in = sipws_out_str(&end.io.out);
    if (sipws_conn_read(&server, &io, &ev) != SIPWS_EV_REQUEST)
        return prop_fail(r, "request", PROP_NOWHERE, "the server does not take the request");
    if (!sipws_conn_refuse(&server, &io, status,
                           c->key[0] & 1 ? SIPWS_STR("X-Why: no\r\n") : SIPWS_STR("")))
        return prop_fail(r, "refuse", PROP_NOWHERE, "the server cannot refuse with %u", status);
    if (sipws_conn_accept(&server, &io) || sipws_conn_ping(&server, &io))
        return prop_fail(r, "after", PROP_NOWHERE, "what is refused is accepted");
    size_t before = end.io.out.n, piece = 1 + c->pick[1] % 200;
    struct sipws_str answer = sipws_out_str(&io.out);
    enum sipws_event_kind kind = SIPWS_EV_MORE;
    while (answer.n > 0 && kind == SIPWS_EV_MORE) {
        end.io.in = (struct sipws_str){answer.p, piece < answer.n ? piece : answer.n};
        answer = sipws_slice(answer.p + end.io.in.n, answer.p + answer.n);
        kind = sipws_conn_read(&end.conn, &end.io, &end.ev);
    }
    if (kind != SIPWS_EV_FAILED || end.ev.diag.err != SIPWS_E_HTTP_STATUS)
        return prop_fail(r, "client", PROP_NOWHERE, "the client has the event %s",
                         drive_event_name(kind));
    if (!end.ev.http || end.ev.http->status != status)
        return prop_fail(r, "status", PROP_NOWHERE, "the client has another status than %u",
                         status);
    return end.io.out.n == before ? HOLDS : prop_fail(r, "sent", PROP_NOWHERE, "the client sends");
}

const struct prop prop_conn_refusal = {
    .name = "conn/refusal",
    .plant = "HTTP_STATUS_OTHER",
    .sentence = "A handshake that a server refuses fails at the client with the same status, "
                "however it was cut, and neither sends a frame.",
    .draw = draw,
    .hold = hold_refusal,
    .explain = explain,
    .classes = {{"refused", 300}, {"elsewhere", 20}},
    .discard_percent = 5,
    .tape_max = 32,
};

/* ---- conn/send ------------------------------------------------------------------------------- */

static const void *draw_send(struct tape *t, struct arena *a)
{
    struct talk *c = start(t, a, 0, mostly_sip);
    struct gen_msg *m = arena_get(a, sizeof *m);
    struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY, .body = 300};
    if (!c || !m || !gen_msg(t, a, &want, m))
        return NULL;
    c->items[c->n++] = (struct item){.kind = SIP, .payload = m->text};
    return c;
}

static enum verdict hold_send(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    struct sipws_str text = c->items[0].payload;
    struct sipws_diag d = {0};
    bool is_text = false;
    (void)twin_utf8((const unsigned char *)text.p, text.n, &is_text);
    if (!open_end(c->role, c->tls, SIPWS_TIMES_DEFAULT, 0))
        return prop_fail(r, "open", PROP_NOWHERE, "no handshake");
    memcpy(end.io.random, c->key, 4);
    struct sipws_out o = arena_begin(&r->arena);
    put_frame(&o, true, is_text ? 1 : 2, c->role == SIPWS_CLIENT ? c->key : NULL, text);
    struct sipws_str want = arena_end(&r->arena, &o);
    if (!want.p)
        return DISCARDED;
    prop_class(r, is_text ? "text" : "binary");
    /* One octet of room too few: nothing is written. */
    end.io.out.cap = want.n - 1;
    if (sipws_conn_send(&end.conn, &end.io, text, &d) || d.err != SIPWS_E_LIMIT_OUT ||
        end.io.out.n > 0)
        return prop_fail(r, "room", PROP_NOWHERE, "sent without room, or %s",
                         sipws_err_info(d.err)->id);
    end.io.out.cap = want.n;
    if (!sipws_conn_send(&end.conn, &end.io, text, &d))
        return prop_fail(r, "refused", d.off, "not sent: %s", sipws_err_info(d.err)->id);
    return prop_same(r, "frame", want, sipws_out_str(&end.io.out));
}

const struct prop prop_conn_send = {
    .name = "conn/send",
    .plant = "CONN_SEND_TEXT",
    .sentence =
        "A SIP message is sent as one frame, as text just when it is UTF-8, masked just by a "
        "client, and not at all where one octet of room is missing.",
    .draw = draw_send,
    .hold = hold_send,
    .explain = explain,
    .classes = {{"text", 200}, {"binary", 50}},
    .discard_percent = 5,
    .tape_max = 600,
};
