/* Shrinking: less and less of a case, as long as it shows what it is to show. */
#ifndef SIPWS_SHRINK_H
#define SIPWS_SHRINK_H

#include "court.h"

/* Whether a judged case still shows it. */
typedef bool shrink_holds(struct court *k, const struct result *r, const void *what);

/* Cuts n octets at p down, in place: lines of a message, elements and parameters of a line, words,
 * then octets; where Content-Length was right it stays right. Ends when nothing more can go, or at
 * `until` (see seconds_now). Returns how many octets are left. */
size_t shrink(struct court *k, char *p, size_t n, shrink_holds *holds, const void *what,
              double until);

/* The witnesses of clusters that no quirk explains. */
void clusters_shrink(struct court *k, double until);

#endif
