/* The writer: bounded, sticky, counting.
 *
 * A writer over `cap` octets never writes past them. Once something does not fit, nothing more is
 * written, but `n` goes on counting, so that a writer of capacity 0 measures. After printing,
 * sipws_out_ok tells whether all of it is there; if not, nothing of it should be used and n is the
 * capacity that would have been enough.
 */
#ifndef SIPWS_OUT_H
#define SIPWS_OUT_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A writer. */
struct sipws_out {
    char *p;    /* may be NULL when cap is 0 */
    size_t cap; /* octets at p */
    size_t n;   /* octets printed so far, whether they fitted or not */
};

/* A writer over the `cap` octets at `p`, empty. */
static inline struct sipws_out sipws_out(char *p, size_t cap)
{
    struct sipws_out o = {p, cap, 0};
    return o;
}

/* Whether everything that was printed did fit. */
static inline bool sipws_out_ok(const struct sipws_out *o)
{
    return o->n <= o->cap;
}

/* What was printed; only when sipws_out_ok. */
static inline struct sipws_str sipws_out_str(const struct sipws_out *o)
{
    struct sipws_str s = {o->p, o->n};
    return s;
}

/* Print octets as they stand, one octet, a number in decimal digits. */
void sipws_put(struct sipws_out *o, struct sipws_str s);
void sipws_put_char(struct sipws_out *o, char ch);
void sipws_put_uint(struct sipws_out *o, uint64_t value);

/* Prints a string literal. */
#define sipws_put_lit(o, literal) sipws_put((o), SIPWS_STR(literal))

#ifdef __cplusplus
}
#endif

#endif
