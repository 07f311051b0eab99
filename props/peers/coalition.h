/* Coalitions: two stacks that would stand in a chain, a proxy or server and what is behind it, and
 * read one message differently in a way that matters. coalition.def says in which.
 *
 * Both take the message, both say something of the row, and what they say differs in more than
 * escapes, letter case or white space. What two stacks read differently in a plain message too is
 * no coalition: there the stack, or its adapter, does not know the thing at all.
 */
#ifndef SIPWS_COALITION_H
#define SIPWS_COALITION_H

#include "court.h"

/* Asks everybody about the plain message. To be called once, before the others. */
void coalitions_begin(struct court *k);

/* Adds those that a case shows; of those with one kind, cause, first and second the shortest case
 * stays. Returns how many are new. */
size_t coalitions_add(struct court *k, const struct result *r);

/* Makes the witnesses small, the worst first, until `until` (see seconds_now). */
void coalitions_shrink(struct court *k, double until);

void coalitions_print(struct court *k);

/* Writes the witnesses to a folder, or all of it as coalitions.json. False: errno. */
bool coalitions_save(struct court *k, const char *out);
void coalitions_free(struct court *k);

#endif
