/* How libFuzzer mutates the inputs of targets that read tapes (SIPWS_TAPES: octets in front of the
 * tape that choose a property).
 *
 * Mutations stay in the tape: another property would read it as something else altogether, and the
 * name in a tape file is no place to look for bugs. And a part of the inputs is fresh: a property
 * by chance, and a tape by chance as sipws-props draws them. Coverage goes into depth where much is
 * to be reached; the fresh ones keep the many small properties from waiting for their turn.
 * ci/bench-fuzz showed that.
 *
 * With SIPWS_TAPES_FRESH all are fresh: the ablation of ci/bench-fuzz.
 */
#include "property.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

enum { HEAD = SIPWS_TAPES, FRESH_PERCENT = 50, LONGEST = 1024 };

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* A property in the octets that choose one; returns how long its tapes get. */
static size_t choose(uint64_t *rng, uint8_t *head)
{
#ifdef SIPWS_TAPES_PROPS
    size_t n = 0;
    while (props[n])
        n++;
    const struct prop *p;
    do
        p = props[next(rng) % n];
    while (prop_is_selftest(p));
    prop_selector(p, head);
    return p->tape_max;
#else
    head[0] = (uint8_t)next(rng);
    return LONGEST;
#endif
}

static size_t fresh(uint8_t *data, size_t max, uint64_t *rng)
{
    size_t most = choose(rng, data), room = max - HEAD;
    most = most < room ? most : room;
    size_t n = next(rng) % (next(rng) % (most + 1) + 1);
    unsigned how = (unsigned)(next(rng) % 8);
    for (size_t i = 0; i < n; i++) {
        uint64_t z = next(rng);
        uint8_t any = (uint8_t)(z >> 8);
        data[HEAD + i] = how < 4   ? any
                         : how < 6 ? (uint8_t)(z & 3 ? any : 0)
                         : how < 7 ? (uint8_t)(any >> (z & 7))
                                   : (uint8_t)(z & 1 ? 0 : any & 7);
    }
    return HEAD + n;
}

#ifndef SIPWS_TAPES_FRESH
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* A tape file as octets that choose its property, and the tape. */
static size_t plain(uint8_t *data, size_t size)
{
#ifdef SIPWS_TAPES_PROPS
    const struct prop *p;
    const unsigned char *tape;
    size_t n;
    if (!prop_file(data, size, &p, &tape, &n) || !p)
        return size;
    memmove(data + HEAD, tape, n);
    prop_selector(p, data);
    return HEAD + n;
#else
    (void)data;
    return size;
#endif
}
#endif

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    uint64_t rng = seed;
    if (max <= HEAD)
        return size;
#ifndef SIPWS_TAPES_FRESH
    size = plain(data, size);
    if (size > HEAD && next(&rng) % 100 >= FRESH_PERCENT)
        return HEAD + LLVMFuzzerMutate(data + HEAD, size - HEAD, max - HEAD);
#endif
    (void)size;
    return fresh(data, max, &rng);
}
