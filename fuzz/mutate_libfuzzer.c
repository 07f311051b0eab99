/* The mutator in a libFuzzer target: SIPWS_MUTATE_TARGET is the target's name. Like libFuzzer it is
 * built without sanitizers. */
#include "mutate.h"

#include <string.h>

#define JOIN(a, b)   JOINED(a, b)
#define JOINED(a, b) a##b

/* Engines that are not libFuzzer may lack it. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n,
                                 uint8_t *out, size_t max, unsigned seed);

/* libFuzzer does not keep inputs short where there is a custom mutator, and long ones are slow:
 * mostly they grow by little. */
static size_t room(size_t size, size_t max, unsigned seed)
{
    size_t some = size + size / 8 + 64;
    return seed % 32 && some < max ? some : max;
}

/* Half of the time libFuzzer's own: it has the dictionary, and knows what was compared. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    max = room(size, max, seed >> 1);
    if (LLVMFuzzerMutate && seed & 1)
        return LLVMFuzzerMutate(data, size, max);
    return mutate(JOIN(MUTATE_, SIPWS_MUTATE_TARGET), data, size, max, seed, false);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n,
                                 uint8_t *out, size_t max, unsigned seed)
{
    size_t n = a_n < max ? a_n : max;
    max = room(n, max, seed);
    if (n > 0)
        memcpy(out, a, n);
    return mutate_cross(JOIN(MUTATE_, SIPWS_MUTATE_TARGET), out, n, max, b, b_n, seed, false);
}
