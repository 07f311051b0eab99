/* How deep executions get: a count for each layer of a target that was passed.
 *
 * A target that runs and reaches nothing finds nothing, and looks like one without bugs. So each
 * target names the layers that an input can pass, counts them, and ci/fuzz holds the counts against
 * fuzz/floors. They go to the file that the environment variable SIPWS_DEPTH names, which is shared
 * by all processes of a run and outlives each of them; without the variable, nowhere.
 *
 *     enum { LINES, SOUND };
 *     static const char *const layers[] = {"lines", "sound", NULL};
 *
 *     fuzz_begin(layers, &size);
 *     …
 *     fuzz_past(LINES);
 */
#ifndef SIPWS_FUZZ_DEPTH_H
#define SIPWS_FUZZ_DEPTH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What every target defines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_LAYERS = 15, FUZZ_LAYER_NAME = 24 };

/* The file: one of these for "executions", then one a layer; the rest is zero. */
struct fuzz_layer {
    char name[FUZZ_LAYER_NAME];
    uint64_t n;
};

extern struct fuzz_layer *fuzz_depth; /* [1 + FUZZ_LAYERS] */

/* At the start of an execution. `layers` is static, its end NULL. A build with plants may take
 * octets off the input: see depth.c. */
void fuzz_begin(const char *const *layers, size_t *size);

/* The execution passed a layer: the index of its name. */
static inline void fuzz_past(unsigned layer)
{
    fuzz_depth[1 + layer].n++;
}

/* A claim of a target. */
static inline void must(int holds)
{
    if (!holds)
        abort();
}

#endif
