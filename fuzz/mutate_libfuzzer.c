/* The mutator in a libFuzzer target: SIPWS_MUTATE_TARGET is the target's name. */
#include "mutate.h"

#include <string.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define WRITTEN(p, n) __msan_unpoison((p), (n)) /* libFuzzer itself is not instrumented */
#endif
#endif
#ifndef WRITTEN
#define WRITTEN(p, n) ((void)0)
#endif

#define JOIN(a, b)   JOINED(a, b)
#define JOINED(a, b) a##b

/* Engines that are not libFuzzer may lack it. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n,
                                 uint8_t *out, size_t max, unsigned seed);

/* Half of the time libFuzzer's own: it has the dictionary, and knows what was compared. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    if (LLVMFuzzerMutate && seed & 1) {
        size_t n = LLVMFuzzerMutate(data, size, max);
        WRITTEN(&n, sizeof n);
        WRITTEN(data, n);
        return n;
    }
    return mutate(JOIN(MUTATE_, SIPWS_MUTATE_TARGET), data, size, max, seed, false);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_n, const uint8_t *b, size_t b_n,
                                 uint8_t *out, size_t max, unsigned seed)
{
    size_t n = a_n < max ? a_n : max;
    if (n > 0)
        memcpy(out, a, n);
    return mutate_cross(JOIN(MUTATE_, SIPWS_MUTATE_TARGET), out, n, max, b, b_n, seed, false);
}
