/* The opening handshake: what is printed reads back, whatever is asked; where a head ends does not
 * depend on how it came; an answer answers one key only; sip is sip and nothing near it. */
#include "http.h"
#include "property.h"

#include <string.h>

/* ---- what is asked --------------------------------------------------------------------------- */

struct ask {
    struct sipws_http_ask ask;
    unsigned char nonce[SIPWS_NONCE];
    uint32_t cap;    /* of a short buffer */
    bool bent;       /* an octet of it is another, or its end is gone: it may be sound or not */
    bool is_uri;     /* the target is an absolute URI */
    bool is_ipv6;    /* the host is an address in brackets */
    bool offers;     /* `more` offers further subprotocols */
    uint32_t more_n; /* lines of `more` */
};

static void put_name(struct tape *t, struct sipws_out *o)
{
    static const char octets[] = "abcxyzABC019-._~%!$&'()*+,;=";
    do {
        char ch = octets[tape_below(t, sizeof octets - 1)];
        sipws_put_char(o, ch);
        if (ch == '%')
            sipws_put_lit(o, "2f");
    } while (tape_more(t, 4));
}

/* uri-host [ ":" port ] */
static struct sipws_str draw_authority(struct tape *t, struct arena *a, bool *is_ipv6)
{
    static const struct sipws_str v6[] = {{"[::]", 4},
                                          {"[::1]", 5},
                                          {"[2001:db8::a:1]", 15},
                                          {"[::192.0.2.33]", 14},
                                          {"[fe80::]", 8},
                                          {"[1:2:3:4:5:6:7:8]", 17},
                                          {"[A::b:0.1.20.255]", 17}};
    struct sipws_out o = arena_begin(a);
    *is_ipv6 = tape_chance(t, 64);
    if (*is_ipv6)
        sipws_put(&o, v6[tape_below(t, sizeof v6 / sizeof *v6)]);
    else
        put_name(t, &o);
    if (tape_chance(t, 80)) {
        sipws_put_char(&o, ':');
        sipws_put_uint(&o, tape_below(t, 65536));
    }
    return arena_end(a, &o);
}

static struct sipws_str draw_target(struct tape *t, struct arena *a, struct sipws_str authority,
                                    bool *is_uri)
{
    struct sipws_out o = arena_begin(a);
    *is_uri = tape_chance(t, 48);
    if (*is_uri) {
        sipws_put(&o, tape_chance(t, 128) ? SIPWS_STR("https://") : SIPWS_STR("HTTP://"));
        sipws_put(&o, authority);
    }
    if (!*is_uri || tape_chance(t, 160))
        sipws_put_char(&o, '/');
    if (o.n > 0 && o.cap > 0 && o.n <= o.cap && o.p[o.n - 1] == '/')
        while (tape_next(t, "segment", 3)) {
            put_name(t, &o);
            sipws_put(&o, tape_chance(t, 128) ? SIPWS_STR("/") : SIPWS_STR(":@"));
            tape_end(t);
        }
    if (tape_chance(t, 64)) {
        sipws_put_lit(&o, "?/?");
        put_name(t, &o);
    }
    return arena_end(a, &o);
}

static struct sipws_str draw_origin(struct tape *t, struct arena *a)
{
    static const struct sipws_str origins[] = {
        {"https://phone.example.org", 25}, {"null", 4}, {"file://", 7}, {"a+b-1.c://h:0", 13}};
    struct sipws_str none = {NULL, 0};
    return tape_chance(t, 128) ? arena_copy(a, origins[tape_below(t, 4)]) : none;
}

/* Lines that a request may have besides its own, each at most once. */
static struct sipws_str draw_more(struct tape *t, struct arena *a, struct ask *ask)
{
    static const struct sipws_str lines[] = {
        {"X-Note: a\r\n", 11},
        {"x:\r\n", 4},
        {"Sec-WebSocket-Protocol: msrp, SIP\r\n", 35},
        {"Sec-WebSocket-Extensions: x; y=\"z\"\r\n", 36},
        {"Cookie: s=1; t=\xC3\xBC\r\n", 19},
        {"Content-Length: 0\r\n", 19},
        {"connection: keep-alive\r\n", 24},
        {"Authorization: Bearer x\r\n", 25},
    };
    struct sipws_out o = arena_begin(a);
    uint32_t used = 0;
    while (tape_next(t, "line", 2)) {
        uint32_t which = tape_below(t, 8);
        if (!(used >> which & 1)) {
            sipws_put(&o, lines[which]);
            ask->more_n++;
        }
        used |= 1u << which;
        tape_end(t);
    }
    ask->offers = used & 4;
    return arena_end(a, &o);
}

static const void *draw_ask(struct tape *t, struct arena *a)
{
    struct ask *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->ask.host = draw_authority(t, a, &s->is_ipv6);
    s->ask.target = draw_target(t, a, s->ask.host, &s->is_uri);
    s->ask.origin = draw_origin(t, a);
    s->ask.more = draw_more(t, a, s);
    tape_bytes(t, s->nonce, sizeof s->nonce);
    s->cap = tape_below(t, 512);
    struct sipws_str *parts[] = {&s->ask.target, &s->ask.host, &s->ask.origin, &s->ask.more};
    bool bend = tape_chance(t, 96);
    struct sipws_str *part = parts[tape_below(t, 4)];
    uint32_t at = tape_below(t, 256);
    char octet = (char)tape_byte(t);
    bool cut = tape_chance(t, 128);
    if (bend && part->n > 0) {
        at %= (uint32_t)part->n;
        struct sipws_str copy = arena_copy(a, (struct sipws_str){part->p, cut ? at : part->n});
        if (copy.p) {
            if (!cut)
                ((char *)(uintptr_t)copy.p)[at] = octet;
            *part = copy;
            s->bent = true;
        }
    }
    return a->full ? NULL : s;
}

static void explain_ask(const void *story, FILE *f)
{
    const struct ask *s = story;
    const struct sipws_str parts[] = {s->ask.target, s->ask.host, s->ask.origin, s->ask.more};
    static const char *const names[] = {"target", "host", "origin", "more"};
    for (int i = 0; i < 4; i++) {
        fprintf(f, "  %s%s\n", names[i], parts[i].p ? "" : ": none");
        prop_octets(f, "    ", parts[i]);
    }
    fprintf(f, "  %s; printed to %u octets too\n", s->bent ? "one octet was bent" : "as meant",
            (unsigned)s->cap);
}

/* What prints to `o`. False: it refused. */
typedef bool print(void *ctx, struct sipws_out *o);

/* Prints three times: measured, with room, and short. What was measured must be what is written,
 * and nothing may be written past a short buffer (AddressSanitizer sees that, and so do we). */
static enum verdict print_all(struct prop_trial *r, print *p, void *ctx, size_t cap,
                              struct sipws_str *out)
{
    struct sipws_out size = sipws_out(NULL, 0);
    *out = (struct sipws_str){NULL, 0};
    if (!p(ctx, &size))
        return size.n == 0 ? HOLDS : prop_fail(r, "refused", 0, "refused, with octets printed");
    char *room = arena_get(&r->arena, size.n), *small = arena_get(&r->arena, cap + 1);
    if (!room || !small)
        return DISCARDED;
    struct sipws_out o = sipws_out(room, size.n);
    if (!p(ctx, &o) || o.n != size.n)
        return prop_fail(r, "size", 0, "measured %zu octets, wrote %zu", size.n, o.n);
    struct sipws_out s = sipws_out(small, cap);
    small[cap] = 'S';
    if (!p(ctx, &s) || s.n != size.n || sipws_out_ok(&s) != (size.n <= cap))
        return prop_fail(r, "short", cap, "a buffer of %zu octets: n is %zu", cap, s.n);
    if (small[cap] != 'S')
        return prop_fail(r, "past", cap, "wrote past a buffer of %zu octets", cap);
    *out = sipws_out_str(&o);
    return HOLDS;
}

struct ask_and_key {
    const struct sipws_http_ask *ask;
    struct sipws_str key;
};

static bool print_ask(void *ctx, struct sipws_out *o)
{
    const struct ask_and_key *c = ctx;
    return sipws_http_put_request(o, c->ask, c->key);
}

static enum verdict hold_ask(struct prop_trial *r, const void *story)
{
    const struct ask *s = story;
    char key[SIPWS_KEY];
    struct ask_and_key c = {&s->ask, {key, sizeof key}};
    struct sipws_str text;
    if (!sipws_crypt_key(s->nonce, key))
        return DISCARDED;
    enum verdict v = print_all(r, print_ask, &c, s->cap, &text);
    if (v != HOLDS)
        return v;
    if (s->bent)
        prop_class(r, text.p ? "bent, printed" : "bent, refused");
    if (!text.p)
        return s->bent ? HOLDS : prop_fail(r, "unprinted", 0, "a sound request was not printed");
    if (s->is_uri)
        prop_class(r, "absolute URI");
    if (s->is_ipv6)
        prop_class(r, "IPv6 address");
    if (s->ask.origin.p)
        prop_class(r, "origin");
    if (s->offers)
        prop_class(r, "further subprotocols");

    struct sipws_http *h = arena_get(&r->arena, sizeof *h);
    struct sipws_diag diag;
    if (!h)
        return DISCARDED;
    if (!sipws_http_request(text, h, &diag))
        return prop_fail(r, "unread", diag.off, "%s in %s", sipws_err_info(diag.err)->id,
                         diag.rule);
    size_t own = s->ask.origin.p ? 7 : 6;
    v = prop_same(r, "target", s->ask.target, h->target);
    v = v == HOLDS ? prop_same(r, "host", s->ask.host, h->host) : v;
    v = v == HOLDS ? prop_same(r, "origin", s->ask.origin, h->origin) : v;
    v = v == HOLDS ? prop_same(r, "key", c.key, h->key) : v;
    if (v == HOLDS && (!h->offers_sip || !h->origin.p != !s->ask.origin.p))
        v = prop_fail(r, "reading", PROP_NOWHERE, "sip or the origin came or went");
    if (v == HOLDS && !s->bent && h->n != own + s->more_n)
        v = prop_fail(r, "fields", PROP_NOWHERE, "%zu fields", h->n);
    return v;
}

const struct prop prop_http_print = {
    .name = "http/print",
    .plant = "OUT_BY_ONE",
    .sentence = "A request that is printed reads back to what was asked; one that a bent octet "
                "would break is not printed at all.",
    .draw = draw_ask,
    .hold = hold_ask,
    .explain = explain_ask,
    .classes = {{"absolute URI", 30},
                {"IPv6 address", 50},
                {"origin", 150},
                {"further subprotocols", 30},
                {"bent, printed", 20},
                {"bent, refused", 20}},
    .discard_percent = 5,
    .tape_max = 512,
};

/* ---- where a head ends ----------------------------------------------------------------------- */

struct stream {
    struct sipws_str octets;
    uint32_t limit;
    uint32_t cut_n;
    uint8_t cuts[64]; /* sizes of pieces; the rest is one */
};

static const void *draw_stream(struct tape *t, struct arena *a)
{
    static const struct sipws_str bits[] = {
        {"a", 1},  {"\r\n", 2},   {"X-Note: b\r\n", 11}, {"\r\n\r\n", 4}, {"\r", 1},
        {"\n", 1}, {"\r\r\n", 3}, {"\xFF\0\t", 3},       {"\x81\x80", 2}, {"Host: h", 7}};
    static const unsigned char weights[] = {60, 44, 56, 28, 8, 8, 8, 14, 10, 20};
    struct stream *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    while (s->cut_n < 64 && tape_next(t, "cut", 6)) {
        s->cuts[s->cut_n++] = (uint8_t)tape_size(t, 255, NULL, 0);
        tape_end(t);
    }
    s->limit = tape_chance(t, 96) ? tape_below(t, 64) : 8192;
    struct sipws_out o = arena_begin(a);
    while (tape_next(t, "bit", 12)) {
        sipws_put(&o, bits[tape_weighted(t, weights, 10)]);
        tape_end(t);
    }
    s->octets = arena_end(a, &o);
    return a->full ? NULL : s;
}

static void explain_stream(const void *story, FILE *f)
{
    const struct stream *s = story;
    fprintf(f, "  limit %u, %u cuts:", (unsigned)s->limit, (unsigned)s->cut_n);
    for (uint32_t i = 0; i < s->cut_n; i++)
        fprintf(f, " %u", (unsigned)s->cuts[i]);
    fputc('\n', f);
    prop_octets(f, "  ", s->octets);
}

static void wire_stream(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct stream *)story)->octets);
}

struct ending {
    enum sipws_head_end end;
    size_t off; /* octets of the head, or of what is before the fault */
    enum sipws_err err;
};

/* The naive twin: looks back at the octets before, at each one anew. */
static struct ending twin(struct sipws_str s, size_t limit)
{
    for (size_t i = 0; i < s.n; i++) {
        bool after_cr = i > 0 && s.p[i - 1] == '\r';
        if (i >= limit)
            return (struct ending){SIPWS_HEAD_BAD, i, SIPWS_E_LIMIT_HEAD};
        if (after_cr ? s.p[i] != '\n' : s.p[i] == '\n')
            return (struct ending){SIPWS_HEAD_BAD, i, SIPWS_E_HTTP_CRLF};
        if (s.p[i] == '\n' && (i == 1 || s.p[i - 2] == '\n'))
            return (struct ending){SIPWS_HEAD_DONE, i + 1, SIPWS_OK};
    }
    return (struct ending){SIPWS_HEAD_MORE, s.n, SIPWS_OK};
}

/* The reader, piece by piece, each piece in memory of its own. */
static bool fed(struct prop_trial *r, const struct stream *s, bool cut, struct ending *out)
{
    struct sipws_head head = {0};
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    size_t at = 0, used = 0;
    enum sipws_head_end end = SIPWS_HEAD_MORE;
    for (uint32_t i = 0; end == SIPWS_HEAD_MORE && at < s->octets.n; i++) {
        size_t n = s->octets.n - at;
        if (cut && i < s->cut_n && s->cuts[i] < n)
            n = s->cuts[i];
        struct sipws_str piece = arena_copy(&r->arena, (struct sipws_str){s->octets.p + at, n});
        if (!piece.p)
            return false;
        if (cut && i < s->cut_n && n > 0 && piece.p[n - 1] == '\r')
            prop_class(r, "cut inside CRLF");
        end = sipws_head_feed(&head, piece.p, n, s->limit, &used, &diag);
        at += used;
    }
    *out = (struct ending){end, at, diag.err};
    if (end == SIPWS_HEAD_BAD && diag.off != at)
        out->off = diag.off;
    if (head.n != at)
        out->off = head.n;
    return true;
}

static enum verdict hold_cut(struct prop_trial *r, const void *story)
{
    const struct stream *s = story;
    struct ending want = twin(s->octets, s->limit), got[2];
    prop_class(r, want.err == SIPWS_E_LIMIT_HEAD ? "limit"
                  : want.end == SIPWS_HEAD_BAD   ? "bad line end"
                  : want.end == SIPWS_HEAD_DONE  ? "whole"
                                                 : "unfinished");
    if (!fed(r, s, false, &got[0]) || !fed(r, s, true, &got[1]))
        return DISCARDED;
    for (int i = 0; i < 2; i++)
        if (got[i].end != want.end || got[i].off != want.off || got[i].err != want.err)
            return prop_fail(r, i ? "cut" : "whole", want.off,
                             "want end %d at %zu (%s), got %d at %zu (%s)", (int)want.end, want.off,
                             sipws_err_info(want.err)->id, (int)got[i].end, got[i].off,
                             sipws_err_info(got[i].err)->id);
    return HOLDS;
}

const struct prop prop_http_cut = {
    .name = "http/cut",
    .plant = "HTTP_HEAD_LIMIT",
    .sentence =
        "Where a head ends, or why it never will, does not depend on how it was cut, and is "
        "where a search that looks back finds it.",
    .draw = draw_stream,
    .hold = hold_cut,
    .explain = explain_stream,
    .wire = wire_stream,
    .classes = {{"whole", 200},
                {"unfinished", 50},
                {"bad line end", 50},
                {"limit", 20},
                {"cut inside CRLF", 30}},
    .discard_percent = 5,
    .tape_max = 512,
};

/* ---- the answer ------------------------------------------------------------------------------ */

struct answer {
    unsigned char nonce[SIPWS_NONCE], other[SIPWS_NONCE];
    uint32_t cap;
};

static const void *draw_answer(struct tape *t, struct arena *a)
{
    struct answer *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    tape_bytes(t, s->nonce, sizeof s->nonce);
    memcpy(s->other, s->nonce, sizeof s->nonce);
    if (tape_chance(t, 224))
        s->other[tape_below(t, SIPWS_NONCE)] ^= (unsigned char)(1u << tape_below(t, 8));
    s->cap = tape_below(t, 192);
    return s;
}

static void explain_answer(const void *story, FILE *f)
{
    const struct answer *s = story;
    fputs("  nonce and another\n", f);
    prop_octets(f, "    ", (struct sipws_str){(const char *)s->nonce, sizeof s->nonce});
    prop_octets(f, "    ", (struct sipws_str){(const char *)s->other, sizeof s->other});
}

static bool print_accept(void *ctx, struct sipws_out *o)
{
    return sipws_http_put_accept(o, *(const struct sipws_str *)ctx);
}

static enum verdict hold_answer(struct prop_trial *r, const void *story)
{
    const struct answer *s = story;
    char key_text[SIPWS_KEY], other_text[SIPWS_KEY];
    struct sipws_str key = {key_text, SIPWS_KEY}, other = {other_text, SIPWS_KEY}, text;
    struct sipws_http *h = arena_get(&r->arena, sizeof *h);
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    bool same = memcmp(s->nonce, s->other, SIPWS_NONCE) == 0;
    if (!h || !sipws_crypt_key(s->nonce, key_text) || !sipws_crypt_key(s->other, other_text))
        return DISCARDED;
    enum verdict v = print_all(r, print_accept, &key, s->cap, &text);
    if (v != HOLDS || !text.p)
        return v == HOLDS ? prop_fail(r, "unprinted", 0, "not printed") : v;
    prop_class(r, same ? "same key" : "another key");
    if (!sipws_http_response(text, key, h, &diag))
        return prop_fail(r, "unread", diag.off, "%s in %s", sipws_err_info(diag.err)->id,
                         diag.rule);
    if (sipws_http_response(text, other, h, &diag) != same)
        return prop_fail(r, "taken", 0, "the answer to one key answers another");
    return same || diag.err == SIPWS_E_HTTP_ACCEPT
               ? HOLDS
               : prop_fail(r, "reason", diag.off, "%s", sipws_err_info(diag.err)->id);
}

const struct prop prop_http_accept = {
    .name = "http/accept",
    .plant = "OUT_BY_ONE",
    .sentence = "A 101 that is printed for a key is taken by the client that sent it, and by no "
                "other.",
    .draw = draw_answer,
    .hold = hold_answer,
    .explain = explain_answer,
    .classes = {{"same key", 20}, {"another key", 300}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- the subprotocol ------------------------------------------------------------------------- */

enum { NAMES = 24 };

struct offer {
    struct sipws_str head;
    bool has_sip, twice;
    bool near; /* some name has sip in it and is another */
};

static bool same_name(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static const void *draw_offer(struct tape *t, struct arena *a)
{
    static const char *const names[] = {"sip", "msrp", "SIP",   "sips", "gossip", "si",     "sip.",
                                        "Sip", "xmpp", "sip-x", "mqtt", "s",      "sipsip", "ip"};
    static const char *const seps[] = {", ",
                                       ",",
                                       " ,\t",
                                       ",,",
                                       "\r\nSec-WebSocket-Protocol: ",
                                       "\r\nX: sip\r\nsec-websocket-protocol:"};
    struct offer *s = arena_get(a, sizeof *s);
    const char *seen[NAMES];
    size_t n = 0;
    if (!s)
        return NULL;
    struct sipws_out o = arena_begin(a);
    sipws_put_lit(&o, "GET /sip HTTP/1.1\r\nHost: sip\r\nUpgrade: websocket\r\n"
                      "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: ");
    do {
        const char *name = names[tape_below(t, sizeof names / sizeof *names)];
        if (n > 0) {
            const char *sep = seps[tape_below(t, sizeof seps / sizeof *seps)];
            sipws_put(&o, (struct sipws_str){sep, strlen(sep)});
        }
        sipws_put(&o, (struct sipws_str){name, strlen(name)});
        for (size_t i = 0; i < n; i++)
            s->twice = s->twice || same_name(seen[i], name);
        seen[n++] = name;
        s->has_sip = s->has_sip || same_name(name, "sip");
        s->near = s->near || (strstr(name, "sip") && !same_name(name, "sip"));
    } while (n < NAMES && tape_more(t, 2));
    sipws_put_lit(&o, "\r\n\r\n");
    s->head = arena_end(a, &o);
    return a->full ? NULL : s;
}

static void explain_offer(const void *story, FILE *f)
{
    const struct offer *s = story;
    fprintf(f, "  %s%s\n", s->has_sip ? "offers sip" : "does not offer sip",
            s->twice ? ", and some name twice" : "");
    prop_octets(f, "  ", s->head);
}

static void wire_offer(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct offer *)story)->head);
}

static enum verdict hold_offer(struct prop_trial *r, const void *story)
{
    const struct offer *s = story;
    struct sipws_http *h = arena_get(&r->arena, sizeof *h);
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    enum sipws_err want = s->twice     ? SIPWS_E_HTTP_PROTOCOL
                          : s->has_sip ? SIPWS_OK
                                       : SIPWS_E_HTTP_NO_SIP;
    if (!h)
        return DISCARDED;
    prop_class(r, s->twice     ? "a name twice"
                  : s->has_sip ? "sip"
                  : s->near    ? "near sip"
                               : "far from sip");
    sipws_http_request(s->head, h, &diag);
    return diag.err == want ? HOLDS
                            : prop_fail(r, "offer", diag.off, "want %s, got %s",
                                        sipws_err_info(want)->id, sipws_err_info(diag.err)->id);
}

const struct prop prop_http_offer = {
    .name = "http/offer",
    .plant = "HTTP_PROTOCOL_PART",
    .sentence = "A handshake offers sip when one of its subprotocols is those three octets, in "
                "whichever field and place, and names none twice.",
    .draw = draw_offer,
    .hold = hold_offer,
    .explain = explain_offer,
    .wire = wire_offer,
    .classes = {{"sip", 100}, {"near sip", 100}, {"far from sip", 30}, {"a name twice", 50}},
    .discard_percent = 5,
    .tape_max = 128,
};
