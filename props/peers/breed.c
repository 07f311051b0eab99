/* Generators, and mutations by line, element and octet. */
#include "breed.h"

#include "abnf.h"
#include "gen_field.h"
#include "gen_msg.h"
#include "gen_ws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MAX = 8192, TAPE_SIZE = 1024, ARENA_SIZE = 1 << 18, LINES_MAX = 80 };

struct kept {
    char *p;
    size_t n;
};

struct breed {
    uint64_t state;
    enum peer_layer layer;
    struct kept pool[POOL_MAX];
    size_t n;
    unsigned char tape[TAPE_SIZE];
    unsigned char arena[ARENA_SIZE];
    char buf[2][BREED_LARGEST];
};

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

struct breed *breed_new(uint64_t seed, enum peer_layer layer)
{
    struct breed *b = need(calloc(1, sizeof *b));
    b->state = seed * 2 + 1;
    b->layer = layer;
    return b;
}

void breed_free(struct breed *b)
{
    for (size_t i = 0; b && i < b->n; i++)
        free(b->pool[i].p);
    free(b);
}

/* xorshift64*. */
static uint64_t draw(struct breed *b)
{
    b->state ^= b->state >> 12;
    b->state ^= b->state << 25;
    b->state ^= b->state >> 27;
    return b->state * 2685821657736338717u;
}

uint32_t breed_below(struct breed *b, uint32_t n)
{
    return n ? (uint32_t)(draw(b) >> 33) % n : 0;
}

/* A full pool gives up any one of its later half for the new one. */
void breed_keep(struct breed *b, const char *p, size_t n)
{
    size_t at = b->n < POOL_MAX ? b->n++ : POOL_MAX / 2 + breed_below(b, POOL_MAX / 2);
    if (n > BREED_LARGEST)
        n = BREED_LARGEST;
    free(b->pool[at].p);
    b->pool[at] = (struct kept){need(malloc(n ? n : 1)), n};
    memcpy(b->pool[at].p, p, n);
}

size_t breed_kept(const struct breed *b)
{
    return b->n;
}

static struct tape new_tape(struct breed *b)
{
    for (size_t i = 0; i < TAPE_SIZE; i += 8) {
        uint64_t x = draw(b);
        memcpy(b->tape + i, &x, 8);
    }
    /* A short tape makes a simple case. */
    return tape(b->tape, 32 + breed_below(b, TAPE_SIZE - 32), NULL, 0);
}

static struct sipws_str copied(char *out, struct sipws_str s)
{
    if (s.n > BREED_LARGEST)
        s.n = BREED_LARGEST;
    if (s.n)
        memcpy(out, s.p, s.n);
    return (struct sipws_str){out, s.n};
}

/* ---- generated ------------------------------------------------------------------------------- */

static struct sipws_str gen_message(struct breed *b, struct arena *a, bool bent)
{
    struct tape t = new_tape(b);
    static const struct gen_msg_want want = {.body = 60};
    struct gen_msg *m = arena_get(a, sizeof *m);
    if (!m || !gen_msg(&t, a, &want, m))
        return (struct sipws_str){NULL, 0};
    return bent ? gen_msg_bent(&t, a, m).text : m->text;
}

static struct sipws_str gen_stream(struct breed *b, struct arena *a, bool bent)
{
    struct tape t = new_tape(b);
    struct gen_ws *g = gen_ws_new(&t, a, SIPWS_SERVER);
    if (!g)
        return (struct sipws_str){NULL, 0};
    do {
        if (tape_chance(&t, 80))
            gen_ws_control(g);
        gen_ws_message(g, tape_chance(&t, 60), gen_ws_text(&t, a, tape_below(&t, 40)));
    } while (tape_more(&t, 2));
    if (tape_chance(&t, 128))
        gen_ws_close(g);
    enum gen_ws_bend bend = bent ? (enum gen_ws_bend)tape_below(&t, GEN_WS_BENDS) : GEN_WS_GOOD;
    return gen_ws_finish(g, bend) ? g->wire : (struct sipws_str){NULL, 0};
}

/* ---- a message by its lines ------------------------------------------------------------------ */

struct lines {
    struct sipws_str line[LINES_MAX]; /* with their ends; the start line is the first */
    size_t n;
    struct sipws_str rest; /* from the empty line on */
};

static struct lines split(struct sipws_str s)
{
    struct lines l = {.n = 0};
    size_t at = 0;
    while (at < s.n && l.n < LINES_MAX) {
        size_t from = at;
        do {
            const char *end = memchr(s.p + at, '\n', s.n - at);
            at = end ? (size_t)(end - s.p) + 1 : s.n;
        } while (at < s.n && (s.p[at] == ' ' || s.p[at] == '\t'));
        if (at - from <= 2 && (s.p[from] == '\r' || s.p[from] == '\n')) {
            at = from;
            break;
        }
        l.line[l.n++] = (struct sipws_str){s.p + from, at - from};
    }
    l.rest = (struct sipws_str){s.p + at, s.n - at};
    return l;
}

static void put_lines(struct sipws_out *o, const struct lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        sipws_put(o, l->line[i]);
    sipws_put(o, l->rest);
}

static struct sipws_str name_of(struct sipws_str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] != ':' && line.p[n] != ' ')
        n++;
    return (struct sipws_str){line.p, n};
}

/* A line with what stands between two octets of it replaced. */
static struct sipws_str spliced(struct arena *a, struct sipws_str line, size_t from, size_t to,
                                struct sipws_str by)
{
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, (struct sipws_str){line.p, from});
    sipws_put(&o, by);
    sipws_put(&o, (struct sipws_str){line.p + to, line.n - to});
    return arena_end(a, &o);
}

static struct sipws_str any(struct breed *b, const struct sipws_str *words, size_t n)
{
    return words[breed_below(b, (uint32_t)n)];
}

#define W(literal)                                                                                 \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* Where one octet ends and the next begins, what may be put there. */
static const struct sipws_str seams[] = {W(" "),
                                         W("\t"),
                                         W("\r\n "),
                                         W("\n"),
                                         W("\r"),
                                         W(","),
                                         W(", "),
                                         W(";"),
                                         W("\""),
                                         W("\\"),
                                         W("<"),
                                         W(">"),
                                         W("@"),
                                         W(":"),
                                         W("%00"),
                                         W("%41"),
                                         W("\0"),
                                         W("\x80"),
                                         W("\xc3\xa9"),
                                         W("("),
                                         W(")"),
                                         W("?a=b"),
                                         W(";tag=x"),
                                         W(";lr"),
                                         W(";branch=z9hG4bKx"),
                                         W("*"),
                                         W("0"),
                                         W("-"),
                                         W("[::1]"),
                                         W("\r\n\r\n"),
                                         W("SIP/2.0"),
                                         W(";rport"),
                                         W(";transport=ws"),
                                         W("/"),
                                         W("=")};

static const struct sipws_str numbers[] = {
    W("0"),          W("1"),   W("-1"),   W("+1"),         W("00"),
    W("4294967296"), W("99"),  W("0x10"), W("2147483648"), W("18446744073709551617"),
    W("1 2"),        W("1,2"), W(""),     W("5;6")};

#undef W

/* Changes within one line. */
static struct sipws_str change_line(struct breed *b, struct arena *a, struct sipws_str line)
{
    size_t colon = 0, digits = 0, at;
    while (colon < line.n && line.p[colon] != ':')
        colon++;
    bool field = colon < line.n;
    switch (breed_below(b, 9)) {
    case 0: /* before the colon */
        return field ? spliced(a, line, colon, colon, any(b, seams, 3)) : line;
    case 1: /* the other form of the name */
        if (field) {
            const struct sipws_field_info *f = sipws_field_info(sipws_field_find(name_of(line)));
            const char *to = name_of(line).n > 1 ? f->compact : f->name;
            return *to ? spliced(a, line, 0, name_of(line).n, (struct sipws_str){to, strlen(to)})
                       : line;
        }
        return line;
    case 2: /* another value of the same field */
        if (field) {
            struct tape t = new_tape(b);
            struct gen_value v;
            if (gen_value_of(&t, a, sipws_field_find(name_of(line)), &v))
                return spliced(a, line, colon + 1, line.n > 1 ? line.n - 2 : line.n, v.text);
        }
        return line;
    case 3: /* a number */
        at = colon < line.n ? colon : 0;
        while (at < line.n && !(line.p[at] >= '0' && line.p[at] <= '9'))
            at++;
        while (at + digits < line.n && line.p[at + digits] >= '0' && line.p[at + digits] <= '9')
            digits++;
        return spliced(a, line, at, at + digits, any(b, numbers, sizeof numbers / sizeof *numbers));
    case 4: /* the line end */
        return line.n > 2 ? spliced(a, line, line.n - 2, line.n,
                                    breed_below(b, 2) ? SIPWS_STR("\n") : SIPWS_STR(" \r\n"))
                          : line;
    case 5: { /* twice in one field, as a list */
        size_t end = line.n > 2 ? line.n - 2 : line.n;
        if (!field || colon + 1 > end)
            return line;
        struct sipws_out o = arena_begin(a);
        sipws_put_lit(&o, ",");
        sipws_put(&o, (struct sipws_str){line.p + colon + 1, end - colon - 1});
        struct sipws_str again = arena_end(a, &o);
        return again.p ? spliced(a, line, end, end, again) : line;
    }
    default: /* somewhere */
        at = breed_below(b, (uint32_t)line.n);
        return spliced(a, line, at, at + breed_below(b, 2),
                       any(b, seams, sizeof seams / sizeof *seams));
    }
}

static struct sipws_str any_kept(struct breed *b)
{
    if (b->n == 0)
        return (struct sipws_str){NULL, 0};
    const struct kept *k = &b->pool[breed_below(b, (uint32_t)b->n)];
    return (struct sipws_str){k->p, k->n};
}

/* Changes among the lines. */
static void change_lines(struct breed *b, struct arena *a, struct lines *l)
{
    size_t i = breed_below(b, (uint32_t)l->n), j = breed_below(b, (uint32_t)l->n);
    struct sipws_str swap = l->line[i];
    struct lines other;
    switch (breed_below(b, 10)) {
    case 0: /* without it */
        memmove(&l->line[i], &l->line[i + 1], (l->n - i - 1) * sizeof *l->line);
        l->n--;
        break;
    case 1: /* in another place */
        l->line[i] = l->line[j];
        l->line[j] = swap;
        break;
    case 2:
    case 3: /* one more like it */
        if (l->n < LINES_MAX) {
            memmove(&l->line[j + 1], &l->line[j], (l->n - j) * sizeof *l->line);
            l->line[j] = breed_below(b, 3) ? change_line(b, a, swap) : swap;
            l->n++;
        }
        break;
    case 4: /* one of another message */
        other = split(any_kept(b));
        if (other.n > 1 && l->n < LINES_MAX && j > 0) {
            memmove(&l->line[j + 1], &l->line[j], (l->n - j) * sizeof *l->line);
            l->line[j] = other.line[1 + breed_below(b, (uint32_t)(other.n - 1))];
            l->n++;
        }
        break;
    case 5: /* what follows the header */
        if (breed_below(b, 2))
            l->rest = split(any_kept(b)).rest;
        else
            l->rest = spliced(a, l->rest, l->rest.n, l->rest.n,
                              breed_below(b, 2) ? any_kept(b) : SIPWS_STR("\r\nx"));
        break;
    default:
        l->line[i] = change_line(b, a, swap);
    }
}

/* The whole frames at the start. Of a head that is cut readers tell what is wrong sooner or later,
 * and none of them is wrong in that. */
static size_t whole_frames(struct sipws_str s)
{
    size_t at = 0;
    for (;;) {
        const unsigned char *p = (const unsigned char *)s.p + at;
        size_t left = s.n - at, head = 2;
        uint64_t n = left > 1 ? p[1] & 0x7Fu : 0;
        unsigned more = n == 126 ? 2 : n == 127 ? 8 : 0;
        if (left < 2 || left < head + more)
            return at;
        for (unsigned i = 0; more && i < more; i++)
            n = (i ? n << 8 : 0) | p[2 + i];
        head += more + (p[1] & 0x80 ? 4 : 0);
        if (left < head || left - head < n)
            return at;
        at += head + (size_t)n;
    }
}

/* ---- mutated --------------------------------------------------------------------------------- */

static struct sipws_str mutated(struct breed *b, struct arena *a)
{
    struct sipws_str s = copied(b->buf[0], any_kept(b));
    if (b->layer == PEER_WS || breed_below(b, 6) == 0) {
        struct tape t = new_tape(b);
        s.n = abnf_bend(&t, s, b->buf[1], BREED_LARGEST);
        s.p = b->buf[1];
        return s;
    }
    struct lines l = split(s);
    for (uint32_t times = 1 + breed_below(b, 3); times > 0 && l.n > 1; times--)
        change_lines(b, a, &l);
    struct sipws_out o = sipws_out(b->buf[1], BREED_LARGEST);
    put_lines(&o, &l);
    return sipws_out_ok(&o) ? sipws_out_str(&o) : s;
}

size_t breed_next(struct breed *b, char out[BREED_LARGEST])
{
    struct arena a = {b->arena, ARENA_SIZE, 0, false};
    struct sipws_str s;
    uint32_t way = breed_below(b, 4);
    if (b->n > 0 && way < 2)
        s = mutated(b, &a);
    else if (b->layer == PEER_WS)
        s = gen_stream(b, &a, way == 2);
    else
        s = gen_message(b, &a, way == 2);
    if (s.p && b->layer == PEER_WS)
        s.n = whole_frames(s);
    return s.p ? copied(out, s).n : 0;
}
