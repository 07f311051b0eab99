/* Plants: deliberate bugs, switched on one at a time in test builds.
 *
 * SIPWS_PLANT(NAME) is the constant 0 unless the build defines SIPWS_PLANTS; then it is true when
 * the environment variable SIPWS_PLANT names the plant. Only such a build has plant.c's state.
 */
#ifndef SIPWS_PLANT_H
#define SIPWS_PLANT_H

#ifdef SIPWS_PLANTS

enum sipws_plant {
    SIPWS_PLANT_NONE,
#define P(name, class, text) SIPWS_PLANT_##name,
#include "plant.def"
#undef P
    SIPWS_PLANT_COUNT
};

enum sipws_plant sipws_plant(void);
#define SIPWS_PLANT(name) (sipws_plant() == SIPWS_PLANT_##name)

#else
#define SIPWS_PLANT(name) 0
#endif

#endif
