/* Size classes, first in first out. Compiled without sanitizers and without the compiler's idea of
 * memset, since it reads and writes what is poisoned. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, which POSIX of 2024 has too */
#include "heap.h"

#ifdef SIPWS_HEAP /* AddressSanitizer is there */

#include <sanitizer/asan_interface.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* AddressSanitizer's own. Those that libraries call are ours, below. */
void *__interceptor_malloc(size_t n);
void *__interceptor_calloc(size_t n, size_t size);
void *__interceptor_realloc(void *p, size_t n);
void __interceptor_free(void *p);

enum {
    UNIT = 16,
    SLAB = 1 << 16,  /* octets that a class takes at a time */
    SLABS = 1 << 13, /* 512 MiB of addresses; what is not touched is not there */
    SMALL = 1 << 14, /* octets; a larger chunk is one of the few below */
    CLASSES = 64,
    REST = 1 << 16, /* octets of a class that lie freed before the oldest is used again */
    LARGE = 4,      /* large chunks that are kept */
};

/* What AddressSanitizer calls them in its shadow. */
enum { REDZONE = 0xfa, FREED = 0xfd };

enum state { LIVE = 0x11fe, DEAD = 0xdead };

/* In front of each chunk, poisoned: so it is the redzone of the one before, too. */
struct head {
    uint32_t size; /* as it was asked for */
    uint32_t state;
    struct head *younger; /* of those that were freed */
};

struct class
{
    size_t stride;
    struct head *oldest, *youngest; /* freed */
    size_t resting;                 /* octets in these */
    char *at, *end;                 /* of its slab: never used */
};

struct large {
    char *p;
    size_t n;
    bool live;
};

static struct {
    bool on;
    char *region;
    unsigned char *shadow; /* of address 0 */
    size_t slabs;
    struct class class[CLASSES];
    unsigned char by_units[(SMALL + SMALL / 8) / UNIT + 2];
    unsigned char by_slab[SLABS];
    struct large large[LARGE];
    size_t turn;
} heap;

/* ---- shadow ---------------------------------------------------------------------------------- */

static void fill(const void *from, const void *to, unsigned char word)
{
    unsigned char *at = heap.shadow + (uintptr_t)from / 8, *end = heap.shadow + (uintptr_t)to / 8;
    uint64_t eight = word * (UINT64_MAX / 255);
    for (; end - at >= 8; at += 8)
        __builtin_memcpy(at, &eight, 8);
    for (; at < end; at++)
        *at = word;
}

/* n octets may be used, what is left to `end` not. */
static void open_up(char *p, size_t n, const char *end)
{
    size_t whole = n & ~(size_t)7;
    fill(p, p + whole, 0);
    fill(p + whole, end, REDZONE);
    if (n > whole)
        heap.shadow[(uintptr_t)(p + whole) / 8] = (unsigned char)(n - whole);
}

/* ---- small chunks ---------------------------------------------------------------------------- */

/* A chunk's place: its head, and behind it an eighth more than was asked for. */
static size_t units(size_t n)
{
    return (sizeof(struct head) + n + n / 8 + UNIT - 1) / UNIT;
}

static void set_up(void)
{
    size_t scale, offset, stride = 2 * UNIT, c = 0;
    __asan_get_shadow_mapping(&scale, &offset);
    void *p = scale == 3 ? mmap(NULL, (size_t)SLAB * SLABS, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                         : MAP_FAILED;
    if (p == MAP_FAILED)
        return;
    heap.region = p;
    heap.shadow = (unsigned char *)offset;
    for (size_t u = 0; u < sizeof heap.by_units; u++) {
        if (u * UNIT > stride) {
            stride += stride / 4 / UNIT ? stride / 4 / UNIT * UNIT : UNIT;
            c++;
        }
        heap.class[c].stride = stride;
        heap.by_units[u] = (unsigned char)c;
    }
}

static bool is_small(const void *p)
{
    return heap.region && (uintptr_t)p - (uintptr_t)heap.region < (size_t)SLAB * SLABS;
}

static struct head *head_of(void *p)
{
    return (struct head *)((char *)p - sizeof(struct head));
}

static struct class *class_of(const void *p)
{
    return &heap.class[heap.by_slab[((uintptr_t)p - (uintptr_t)heap.region) / SLAB]];
}

static bool take_slab(struct class *c)
{
    if (heap.slabs == SLABS)
        return false;
    c->at = heap.region + heap.slabs * SLAB;
    c->end = c->at + SLAB;
    heap.by_slab[heap.slabs++] = (unsigned char)(c - heap.class);
    fill(c->at, c->end + (heap.slabs < SLABS ? UNIT : 0), REDZONE);
    return true;
}

static void *small_new(size_t n)
{
    struct class *c = &heap.class[heap.by_units[units(n)]];
    struct head *h = c->oldest;
    if (c->resting > REST) {
        c->oldest = h->younger;
        c->resting -= c->stride;
        /* It has lain so long that no cache has it; until it is asked for, there is time. */
        __builtin_prefetch(c->oldest, 1);
        __builtin_prefetch(heap.shadow + (uintptr_t)c->oldest / 8, 1);
    } else {
        if (c->at + c->stride > c->end && !take_slab(c))
            return NULL;
        h = (struct head *)c->at;
        c->at += c->stride;
    }
    *h = (struct head){(uint32_t)n, LIVE, NULL};
    char *p = (char *)h + sizeof *h;
    open_up(p, n, (char *)h + c->stride);
    return p;
}

/* False: nothing was there to be freed. */
static bool small_free(void *p)
{
    struct head *h = head_of(p);
    struct class *c = class_of(p);
    if ((uintptr_t)p % UNIT || h->state != LIVE)
        return false;
    h->state = DEAD;
    fill(p, (char *)p + h->size + 7, FREED);
    if (c->resting)
        c->youngest->younger = h;
    else
        c->oldest = h;
    c->youngest = h;
    c->resting += c->stride;
    return true;
}

/* ---- large chunks ---------------------------------------------------------------------------- */

/* AddressSanitizer gets each from the system and gives it back at once, which costs more than to
 * parse a message. Kept are those that are asked for by one size again and again. */
static void *large_new(size_t n, bool zero)
{
    struct large *l;
    for (size_t i = 0; i < LARGE; i++) {
        l = &heap.large[(heap.turn + i) % LARGE];
        if (l->live || l->n != n)
            continue;
        heap.turn = (heap.turn + i + 1) % LARGE;
        l->live = true;
        __asan_unpoison_memory_region(l->p, n);
        if (zero)
            memset(l->p, 0, n);
        return l->p;
    }
    void *p = zero ? __interceptor_calloc(1, n) : __interceptor_malloc(n);
    l = &heap.large[heap.turn++ % LARGE];
    if (l->live || !p)
        return p;
    if (l->p) {
        __asan_unpoison_memory_region(l->p, l->n);
        __interceptor_free(l->p);
    }
    *l = (struct large){p, n, true};
    return p;
}

static struct large *large_of(const void *p)
{
    for (size_t i = 0; p && i < LARGE; i++)
        if (heap.large[i].p == p)
            return &heap.large[i];
    return NULL;
}

/* ---- what everybody calls -------------------------------------------------------------------- */

static void *chunk(size_t n, bool zero)
{
    n = n ? n : 1;
    if (heap.on && n > SMALL)
        return large_new(n, zero);
    void *p = heap.on ? small_new(n) : NULL;
    if (!p)
        return zero ? __interceptor_calloc(1, n) : __interceptor_malloc(n);
    if (zero)
        memset(p, 0, n);
    return p;
}

void *malloc(size_t n)
{
    return chunk(n, false);
}

void *calloc(size_t n, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(n, size, &all))
        return __interceptor_calloc(n, size); /* which tells it */
    return chunk(all, true);
}

void free(void *p)
{
    struct large *l = large_of(p);
    if (is_small(p) && small_free(p))
        return;
    if (l && l->live) {
        l->live = false;
        __asan_poison_memory_region(p, l->n);
        return;
    }
    __interceptor_free(p); /* which tells what is no chunk */
    if (l)
        __interceptor_free(p); /* and what was freed before */
}

void *realloc(void *p, size_t n)
{
    struct large *l = large_of(p);
    if (!p)
        return malloc(n);
    if (!is_small(p) && !l)
        return __interceptor_realloc(p, n);
    size_t had = l ? l->n : head_of(p)->size;
    if (n == 0 || (l ? !l->live : head_of(p)->state != LIVE)) {
        free(p);
        return NULL;
    }
    void *q = malloc(n);
    if (q) {
        memcpy(q, p, had < n ? had : n);
        free(p);
    }
    return q;
}

char *strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = malloc(n);
    return p ? memcpy(p, text, n) : NULL;
}

void heap_use(bool on)
{
    if (on && !heap.region)
        set_up();
    heap.on = on && heap.region;
}

#else

void heap_use(bool on)
{
    (void)on;
}

#endif
