/* cost: what makes ref work hardest for each octet.
 *
 * Input: one octet that chooses what reads, counted round (cost.def), then what is read.
 *
 * Holds, beyond no crash: an octet of no input costs more than the ceiling of cost.def, in percent
 * of what one of a plain message costs that is only parsed, so that nobody buys much work with few
 * octets; and a second reading takes as many steps as the first.
 *
 * The cost is coverage (state.h): the dearest input of each size is kept, and made dearer. The
 * worst that are known are seeds, worst-NAME. The count is of basic blocks (cost.h), not of time;
 * in a build without it (AFL++, whose pass leaves no room for another) there is no such target.
 */
#include "cost.h"
#include "depth.h"
#include "state.h"

#include <string.h>

enum { INPUT_MAX = 1 << 14 };
enum { DEAR, TWICE }; /* layers: dearer than the unit, twice as dear */

/* An eighth of an octave. */
static unsigned bucket(uint64_t n)
{
    unsigned octave = 0;
    while (n >> octave >= 16)
        octave++;
    return octave * 8 + (unsigned)(n >> octave) % 16;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"dear", "twice", NULL};
    static char room[INPUT_MAX];
    fuzz_begin(layers, &size);
    if (size < 1 || size > INPUT_MAX)
        return 0;
    enum cost_entry entry = (enum cost_entry)(data[0] % COST_ENTRIES);
    /* The text ends where the array ends: AddressSanitizer guards what is behind it. */
    struct sipws_str input = {room + INPUT_MAX - (size - 1), size - 1};
    memcpy(room + INPUT_MAX - (size - 1), data + 1, size - 1);
    uint64_t cost = cost_of(entry, input);
    fuzz_state((uint64_t)entry << 32 | bucket(size) / 8 << 16 | bucket(cost));
    if (cost > 100)
        fuzz_past(DEAR);
    if (cost > 200)
        fuzz_past(TWICE);
    if (cost > cost_bounds[entry].ceiling) {
        fprintf(stderr, "cost: an octet of %s costs %llu%% of a plain one, at most %u%%\n",
                cost_bounds[entry].name, (unsigned long long)cost, cost_bounds[entry].ceiling);
        abort();
    }
    must(cost_of(entry, input) == cost);
    return 0;
}
