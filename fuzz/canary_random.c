/* The ablation of ci/bench-fuzz: the same target, engine and seeds, where each input is octets by
 * chance and owes nothing to what others reached. The octets are drawn as sipws-props draws tapes.
 */
#include <stddef.h>
#include <stdint.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    enum { CHOICE = 2, MOST = 1024 }; /* the octets that choose a property are any */
    uint64_t rng = seed;
    (void)size;
    size_t most = max_size < MOST ? max_size : MOST;
    size_t limit = 8 + next(&rng) % most, n = CHOICE + next(&rng) % limit;
    unsigned how = (unsigned)(next(&rng) % 8);
    n = n < max_size ? n : max_size;
    for (size_t i = 0; i < n; i++) {
        uint64_t z = next(&rng);
        uint8_t any = (uint8_t)(z >> 8);
        data[i] = i < CHOICE || how < 4 ? any
                  : how < 6             ? (uint8_t)(z & 3 ? any : 0)
                  : how < 7             ? (uint8_t)(any >> (z & 7))
                                        : (uint8_t)(z & 1 ? 0 : any & 7);
    }
    return n;
}
