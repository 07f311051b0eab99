/* Breeding: new cases for the court, from the generators and from cases that were worth keeping. */
#ifndef SIPWS_BREED_H
#define SIPWS_BREED_H

#include "cases.h"
#include "str.h"

#include <stdint.h>

enum { BREED_LARGEST = 4096 }; /* octets of a case: what smuggles fits in much less */

struct breed;

/* The same seed and the same kept cases give the same ones. */
struct breed *breed_new(uint64_t seed, enum peer_layer layer);
void breed_free(struct breed *b);

/* Joins the pool that mutations start from. */
void breed_keep(struct breed *b, const char *p, size_t n);
size_t breed_kept(const struct breed *b);

/* Makes a case of at most BREED_LARGEST octets at `out`; returns how many. A quarter of them is
 * generated and sound, a quarter is that with one error, the rest are mutations of the pool. */
size_t breed_next(struct breed *b, char out[BREED_LARGEST]);

/* How many octets the whole frames at the start of a stream are. Of a head that is cut readers tell
 * what is wrong sooner or later, and none of them is wrong in that. */
size_t breed_whole(struct sipws_str s);

/* A number below n. */
uint32_t breed_below(struct breed *b, uint32_t n);

#endif
