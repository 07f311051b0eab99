/* Steps of ref, counted: basic blocks, by a build of ref of its own in which the compiler calls for
 * each of them (-fsanitize-coverage=trace-pc). The same input takes the same steps on any machine,
 * busy or not; a block is a handful of instructions. */
#ifndef SIPWS_FUZZ_COST_H
#define SIPWS_FUZZ_COST_H

#include "str.h"

enum cost_entry {
#define COST(name, floor, ceiling) COST_##name,
#include "cost.def"
#undef COST
    COST_ENTRIES
};

struct cost_bounds {
    const char *name;
    unsigned floor, ceiling; /* percent */
};

extern const struct cost_bounds cost_bounds[COST_ENTRIES];

/* Steps so far. */
extern uint64_t cost_steps;

/* What an octet of `input` costs where it is read by `entry`, in percent of what one of a plain
 * message costs that is only parsed. 0: nobody counts in this build. */
uint64_t cost_of(enum cost_entry entry, struct sipws_str input);

#endif
