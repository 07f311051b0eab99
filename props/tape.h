/* The tape: a byte string from which a generator draws all its choices.
 *
 * Past its end a tape reads 0, and smaller octets make simpler cases, so a shorter or lower tape is
 * a simpler case, and every byte string is a case. Each function draws a fixed number of octets for
 * its arguments; nothing is skipped or drawn again. A generator that asks tape_more before each
 * element ends at the latest where the tape ends.
 *
 * Spans tell which octets made what: a shrinker cuts them out whole, a printer names them.
 */
#ifndef SIPWS_TAPE_H
#define SIPWS_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tape_span {
    const char *label; /* static */
    uint32_t from, to; /* octets [from, to), both within the tape */
    uint32_t up;       /* the enclosing span, or TAPE_NO_SPAN */
};

#define TAPE_NO_SPAN UINT32_MAX

struct tape {
    const unsigned char *p; /* may be NULL when n is 0 */
    size_t n;
    size_t at; /* octets drawn so far; goes on counting past the end */

    struct tape_span *spans; /* in the order in which they begin */
    uint32_t span_cap;
    uint32_t span_n;     /* spans recorded */
    uint32_t spans_lost; /* spans for which there was no room */
    uint32_t open;       /* the innermost open span, or TAPE_NO_SPAN */
    uint32_t open_lost;  /* open spans that were not recorded; these are inside `open` */
};

/* A tape over n octets; `spans` may be NULL when span_cap is 0. */
struct tape tape(const unsigned char *p, size_t n, struct tape_span *spans, uint32_t span_cap);

/* One octet. */
unsigned tape_byte(struct tape *t);

/* A number below n (0 for n == 0), as value modulo n, so that the octet k means the choice k.
 * Draws one octet for n up to 256, two up to 65536, else four, the most significant first. */
uint32_t tape_below(struct tape *t, uint32_t n);

/* A number from min to max, simplest at min. */
uint32_t tape_range(struct tape *t, uint32_t min, uint32_t max);

/* One more element? No at the end of the tape; yes `mean` times on average. One octet. */
bool tape_more(struct tape *t, unsigned mean);

/* True in `in256` of 256 cases, and not on an octet 0. One octet. */
bool tape_chance(struct tape *t, unsigned in256);

/* An index of weights[n], each as likely as its weight; simplest at 0. The sum is at most 256.
 * One octet. */
unsigned tape_weighted(struct tape *t, const unsigned char *weights, unsigned n);

/* A size up to max: mostly small, sometimes any up to max (or 65535), sometimes one of edges[n]
 * (those above max are not used), where code changes its ways. Three octets. */
uint32_t tape_size(struct tape *t, uint32_t max, const uint32_t *edges, unsigned n);

/* n octets as they stand. */
void tape_bytes(struct tape *t, unsigned char *out, size_t n);

/* What is drawn between them belongs together; `label` is static. They nest. */
void tape_begin(struct tape *t, const char *label);
void tape_end(struct tape *t);

/* tape_more within a span of its own, so that a shrinker cuts an element out with its question:
 *
 *     while (tape_next(t, "element", 3)) {
 *         ...
 *         tape_end(t);
 *     }
 */
bool tape_next(struct tape *t, const char *label, unsigned mean);

#endif
