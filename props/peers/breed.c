/* Generators, and the mutator of the fuzz targets. */
#include "breed.h"

#include "gen_conn.h"
#include "gen_msg.h"
#include "gen_ws.h"
#include "mutate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MAX = 8192, TAPE_SIZE = 1024, ARENA_SIZE = 1 << 18 };

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
    unsigned char memory[ARENA_SIZE];
    struct arena arena; /* of the case that is made */
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
    b->arena = (struct arena){b->memory, ARENA_SIZE, 0, false};
    return b;
}

void breed_free(struct breed *b)
{
    if (b)
        arena_clear(&b->arena);
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

static struct sipws_str gen_head(struct breed *b, struct arena *a, bool bent)
{
    for (int tries = 0; tries < 16; tries++) {
        struct tape t = new_tape(b);
        b->tape[0] = GEN_CONN_OF(SIPWS_SERVER);
        arena_clear(a);
        struct gen_conn *g = gen_conn(&t, a);
        if (g && (g->head_bend != NULL) == bent)
            return g->head;
    }
    return (struct sipws_str){NULL, 0};
}

/* ---- mutated --------------------------------------------------------------------------------- */

static struct sipws_str any_kept(struct breed *b)
{
    if (b->n == 0)
        return (struct sipws_str){NULL, 0};
    const struct kept *k = &b->pool[breed_below(b, (uint32_t)b->n)];
    return (struct sipws_str){k->p, k->n};
}

/* How the mutator has cases of a layer: behind octets that say how they are read. */
static const struct {
    enum mutate_target target;
    size_t head;
} inputs[] = {
    [PEER_SIP] = {MUTATE_msg, 0}, [PEER_WS] = {MUTATE_ws, 1}, [PEER_HTTP] = {MUTATE_http, 3}};

static size_t as_input(const struct breed *b, char *out, struct sipws_str s)
{
    size_t head = inputs[b->layer].head;
    size_t n = s.n < BREED_LARGEST - head ? s.n : BREED_LARGEST - head;
    memset(out, 0, head);
    if (n)
        memcpy(out + head, s.p, n);
    return head + n;
}

static struct sipws_str mutated(struct breed *b)
{
    enum mutate_target kind = inputs[b->layer].target;
    size_t head = inputs[b->layer].head, n = as_input(b, b->buf[0], any_kept(b));
    for (uint32_t times = 1 + breed_below(b, 3); times > 0; times--) {
        uint8_t *p = (uint8_t *)b->buf[0];
        if (breed_below(b, 3) == 0) {
            size_t other = as_input(b, b->buf[1], any_kept(b));
            n = mutate_cross(kind, p, n, BREED_LARGEST, (uint8_t *)b->buf[1], other, draw(b),
                             false);
        } else {
            n = mutate(kind, p, n, BREED_LARGEST, draw(b), false);
        }
    }
    return n < head ? (struct sipws_str){NULL, 0} : (struct sipws_str){b->buf[0] + head, n - head};
}

size_t breed_whole(struct sipws_str s)
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

/* The head up to its empty line; 0 where there is none: a server waits for it, and so would we. */
static size_t whole_head(struct sipws_str s)
{
    for (size_t i = 4; i <= s.n; i++)
        if (memcmp(s.p + i - 4, "\r\n\r\n", 4) == 0)
            return i;
    return 0;
}

size_t breed_next(struct breed *b, char out[BREED_LARGEST])
{
    struct sipws_str s;
    arena_clear(&b->arena);
    uint32_t way = breed_below(b, 4);
    if (b->n > 0 && way < 2)
        s = mutated(b);
    else if (b->layer == PEER_WS)
        s = gen_stream(b, &b->arena, way == 2);
    else if (b->layer == PEER_HTTP)
        s = gen_head(b, &b->arena, way == 2);
    else
        s = gen_message(b, &b->arena, way == 2);
    if (s.p && b->layer == PEER_WS)
        s.n = breed_whole(s);
    if (s.p && b->layer == PEER_HTTP)
        s.n = whole_head(s);
    return s.p ? copied(out, s).n : 0;
}
