#include "plant.h"

#if defined(SIPWS_PLANTS) || defined(SIPWS_CANARIES)
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "NONE",
#define P(name, class, oracle, text) #name,
#include "plant.def"
#undef P
};
#endif

#if defined(SIPWS_CANARIES)

static struct sipws_canary here[SIPWS_PLANT_COUNT];
struct sipws_canary *sipws_canaries = here;

bool sipws_canary(enum sipws_plant plant, bool triggered)
{
    sipws_canaries[plant].reached++;
    sipws_canaries[plant].triggered += triggered;
    return false;
}

const char *sipws_plant_name(enum sipws_plant plant)
{
    return names[plant];
}

#elif defined(SIPWS_PLANTS)

static enum sipws_plant chosen;

/* Before main: the first input of a fuzz target must take the same way as the next. */
__attribute__((constructor)) static void choose(void)
{
    const char *want = getenv("SIPWS_PLANT");
    for (int i = 0; want && i < SIPWS_PLANT_COUNT; i++)
        if (strcmp(want, names[i]) == 0)
            chosen = (enum sipws_plant)i;
    if (want && chosen == SIPWS_PLANT_NONE && strcmp(want, names[0]) != 0) {
        fprintf(stderr, "SIPWS_PLANT: no plant is named \"%s\"\n", want);
        exit(2);
    }
}

enum sipws_plant sipws_plant(void)
{
    return chosen;
}
#else
typedef int sipws_no_plants; /* a translation unit must not be empty */
#endif
