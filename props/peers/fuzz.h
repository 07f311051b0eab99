/* The court as a fuzzer: cases are bred, those in which peers differ in a new way are kept. */
#ifndef SIPWS_FUZZ_H
#define SIPWS_FUZZ_H

#include "court.h"

struct fuzz {
    double seconds;
    uint64_t seed;

    /* What it came to. */
    size_t cases, asked_all, kept, crashes;
    double spent; /* seconds */
};

/* Breeds from `seeds` until the time is over or Ctrl-C comes. Clusters, and with k->coalitions
 * coalitions, are added to the court. */
void fuzz(struct court *k, const struct cases *seeds, struct fuzz *f);

/* How quick cases are read: bred ones, the same for each peer and in each run. */
struct rate {
    double per_second;
    double cpu;   /* seconds of processor time for each */
    size_t cases; /* how many were read */
};

/* A peer alone, for about `seconds`; a linked one as in the first tier. */
struct rate fuzz_rate(struct court *k, size_t peer, double seconds);

/* All linked peers of the court's layer together, each of which gets every case: the first tier,
 * with all that breeds and compares, and nobody asked in full. `all` has what they and this process
 * took; each[i] who has read how many, and in what time. False: there are not two of them. */
bool fuzz_rate_together(struct court *k, double seconds, struct rate *all, struct rate *each);

#endif
