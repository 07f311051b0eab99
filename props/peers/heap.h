/* A heap for stacks that are asked thousands of times a second, under AddressSanitizer.
 *
 * A parser that allocates thousands of times for a message spends three quarters of its time in
 * AddressSanitizer's allocator. While this one is in use, malloc and its kin take chunks from it at
 * a fraction of that cost, and the same faults end the process: memory before and behind each
 * chunk, and that of one that was freed, is poisoned in AddressSanitizer's own shadow; a freed
 * chunk is handed out again only when 64 KiB of its size were freed after it (a large one, of more
 * than 16 KiB, sooner); what was freed, or never was a chunk, cannot be freed. What is given up is
 * the tale: nobody keeps the stacks of who allocated and freed. So whoever wants the answer in
 * full, as they do of any case that crashed, asks on AddressSanitizer's own heap, and that report
 * is told.
 */
#ifndef SIPWS_HEAP_H
#define SIPWS_HEAP_H

#include <stdbool.h>

/* Whether malloc takes from it, from now on; one thread only. Chunks of either heap are freed and
 * grown at any time. Nothing where this is built without AddressSanitizer. */
void heap_use(bool on);

#endif
