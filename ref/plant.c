#include "plant.h"

#ifdef SIPWS_PLANTS
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    "NONE",
#define P(name, class, text) #name,
#include "plant.def"
#undef P
};

enum sipws_plant sipws_plant(void)
{
    static int chosen = -1;
    if (chosen < 0) {
        const char *want = getenv("SIPWS_PLANT");
        chosen = SIPWS_PLANT_NONE;
        for (int i = 0; want && i < SIPWS_PLANT_COUNT; i++)
            if (strcmp(want, names[i]) == 0)
                chosen = i;
        if (want && chosen == SIPWS_PLANT_NONE && strcmp(want, names[0]) != 0) {
            fprintf(stderr, "SIPWS_PLANT: no plant is named \"%s\"\n", want);
            exit(2);
        }
    }
    return (enum sipws_plant)chosen;
}
#else
typedef int sipws_no_plants; /* a translation unit must not be empty */
#endif
