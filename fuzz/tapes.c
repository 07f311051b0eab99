/* How libFuzzer mutates the inputs of targets that read tapes (SIPWS_TAPES: octets in front of the
 * tape that choose a property).
 *
 * Mutations stay in the tape: another property would read it as something else altogether, and the
 * name in a tape file is no place to look for bugs. And a part of the inputs is fresh: a property
 * by chance, and a tape by chance as sipws-props draws them. Coverage goes into depth where much is
 * to be reached; the fresh ones keep the many small properties from waiting for their turn.
 * ci/bench-fuzz showed that.
 *
 * Their fuzz-NAME.options turn libFuzzer's entropic energies off: tapes reach thousands of rare
 * features, and keeping count of these for each of thousands of tapes took four fifths of the time.
 *
 * With SIPWS_TAPES_FRESH all are fresh: the ablation of ci/bench-fuzz.
 */
#include "property.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

enum { HEAD = SIPWS_TAPES, FRESH_PERCENT = 50, LONGEST = 1024 };

/* A property in the octets that choose one; returns how long its tapes get. */
static size_t choose(uint64_t *rng, uint8_t *head)
{
#ifdef SIPWS_TAPES_PROPS
    size_t n = 0;
    while (props[n])
        n++;
    const struct prop *p;
    do
        p = props[prop_random(rng) % n];
    while (prop_is_selftest(p));
    prop_selector(p, head);
    return p->tape_max;
#else
    head[0] = (uint8_t)prop_random(rng);
    return LONGEST;
#endif
}

static size_t fresh(uint8_t *data, size_t max, uint64_t *rng)
{
    size_t most = choose(rng, data), room = max - HEAD;
    return HEAD + prop_fresh(rng, data + HEAD, most < room ? most : room);
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
    if (size > HEAD && prop_random(&rng) % 100 >= FRESH_PERCENT)
        return HEAD + LLVMFuzzerMutate(data + HEAD, size - HEAD, max - HEAD);
#endif
    (void)size;
    return fresh(data, max, &rng);
}
