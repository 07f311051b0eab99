/* The court as a fuzzer: cases are bred, those in which peers differ in a new way are kept. */
#ifndef SIPWS_FUZZ_H
#define SIPWS_FUZZ_H

#include "court.h"

struct fuzz {
    double seconds;
    uint64_t seed;
    const char *out; /* a folder: where witnesses go */

    /* What it came to. */
    size_t cases, asked_all, kept, crashes;
    double spent; /* seconds */
};

/* Breeds from `seeds` until the time is over or Ctrl-C comes. Clusters, and with k->coalitions
 * coalitions, are added to the court. False: the folder cannot be written (errno). */
bool fuzz(struct court *k, const struct cases *seeds, struct fuzz *f);

/* Writes each witness of a cluster that no quirk explains to the folder, and makes it the name that
 * is printed. Call it when they are as small as they get. False: errno. */
bool fuzz_save(struct court *k, const char *out);

/* How many messages a second a peer answers, asked alone for about `seconds`. */
double fuzz_rate(struct court *k, size_t peer, double seconds);

#endif
