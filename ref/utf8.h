/* UTF-8, checked as it arrives (RFC 3629): no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 *
 * Text comes in pieces that may end inside a character; the state carries over. All zero is the
 * start.
 */
#ifndef SIPWS_UTF8_H
#define SIPWS_UTF8_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where in a character the text is. */
struct sipws_utf8 {
    uint8_t more;   /* octets that the character still lacks */
    uint8_t lo, hi; /* of more > 0: what the next octet must be within */
};

/* How many of the n octets continue valid text: n, or the index of the first octet after which no
 * text is valid. There the state stays before the bad octet, and every further call that starts
 * with it returns 0. */
size_t sipws_utf8_feed(struct sipws_utf8 *u, const char *p, size_t n);

/* Whether text may end here: no character is unfinished. */
static inline bool sipws_utf8_done(const struct sipws_utf8 *u)
{
    return u->more == 0;
}

/* Whether all of `s` is UTF-8. */
bool sipws_utf8_valid(struct sipws_str s);

#ifdef __cplusplus
}
#endif

#endif
