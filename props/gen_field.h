/* Values of header fields from a tape, valid by construction, for every row of field.def.
 *
 * A value is written twice at the same time: with odd but legal white space, folds, letter cases
 * and leading zeros, and in the canonical form. The canonical form is the model: what a right
 * reader prints after reading the other. A rule that field.def names needs its generator here, or
 * this does not compile.
 */
#ifndef GEN_FIELD_H
#define GEN_FIELD_H

#include "field.h"
#include "property.h"

enum { GEN_VALUE_MAX = 8192 };

struct gen_value {
    enum sipws_field_id id;
    struct sipws_str text;  /* of exactly its size */
    struct sipws_str canon; /* elements joined by ", " */
    unsigned elements;
    bool folds, spaces, pairs, ipv6, params; /* what odd forms it has */
};

/* Any field's value. False: the arena is full. */
bool gen_value(struct tape *t, struct arena *a, struct gen_value *out);

/* One of the field `id`. */
bool gen_value_of(struct tape *t, struct arena *a, enum sipws_field_id id, struct gen_value *out);

/* A URI as it stands between angle brackets, and its canonical form. */
bool gen_uri(struct tape *t, struct arena *a, struct sipws_str *text, struct sipws_str *canon);

#endif
