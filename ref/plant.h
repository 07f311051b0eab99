/* Plants: deliberate bugs, switched on one at a time in test builds.
 *
 * SIPWS_PLANT(NAME) and SIPWS_PLANT_IF(NAME, when) are the constant 0 unless the build defines
 * SIPWS_PLANTS; then they are true when the environment variable SIPWS_PLANT names the plant (and
 * `when` holds). Only such a build has plant.c's state.
 *
 * `when` says that the bug would make a difference here and now; a plant whose place is reached
 * only then needs none. It matters to builds with SIPWS_CANARIES: there no plant breaks anything,
 * so that all of them can be watched in one run; each place keeps count of how often it was
 * reached, and how often the bug would have been triggered.
 */
#ifndef SIPWS_PLANT_H
#define SIPWS_PLANT_H

/* Where a short cut goes past a plant, a build that has them takes the long way. */
#if defined(SIPWS_PLANTS) || defined(SIPWS_CANARIES)
#define SIPWS_PLANTED 1
#else
#define SIPWS_PLANTED 0
#endif

#if defined(SIPWS_PLANTS) || defined(SIPWS_CANARIES)
#include <stdbool.h>

enum sipws_plant {
    SIPWS_PLANT_NONE,
#define P(name, class, oracle, text) SIPWS_PLANT_##name,
#include "plant.def"
#undef P
    SIPWS_PLANT_COUNT
};
#endif

#if defined(SIPWS_CANARIES)

/* Counts, and is false. */
bool sipws_canary(enum sipws_plant plant, bool triggered);

/* How often each was reached and triggered; [SIPWS_PLANT_NONE] is not used. A program may put the
 * counts elsewhere: a pointer to SIPWS_PLANT_COUNT of them. */
struct sipws_canary {
    unsigned long long reached, triggered;
};
extern struct sipws_canary *sipws_canaries;

const char *sipws_plant_name(enum sipws_plant plant);

#define SIPWS_PLANT(name)          sipws_canary(SIPWS_PLANT_##name, true)
#define SIPWS_PLANT_IF(name, when) sipws_canary(SIPWS_PLANT_##name, (when))

#elif defined(SIPWS_PLANTS)

enum sipws_plant sipws_plant(void);

#define SIPWS_PLANT(name)          (sipws_plant() == SIPWS_PLANT_##name)
#define SIPWS_PLANT_IF(name, when) (SIPWS_PLANT(name) && (when))

#else
#define SIPWS_PLANT(name)          0
#define SIPWS_PLANT_IF(name, when) (0 && (when))
#endif

#endif
