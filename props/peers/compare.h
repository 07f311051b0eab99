/* Readings side by side: which rows there are, who differs, and in which way. */
#ifndef SIPWS_COMPARE_H
#define SIPWS_COMPARE_H

#include "worker.h"

#include <jansson.h>

/* A row of the grid: what two readings can differ in. */
struct row {
    const char *name, *layer;
};

/* The rows in their order; name NULL at the end. Other header fields have a row of their own, whose
 * name is the field's in lower case. */
extern const struct row rows[];
const char *row_layer(const char *name);

/* What a row is read from: "start", "header", "body", or the name of a field. */
const char *row_source(const char *row);

/* The rows of a reading of n octets at p: name -> text, ready to be compared and printed. Names
 * without regard to case are in lower case, numbers have no leading zeros, white space is one
 * space; what is no printable ASCII stands as \xNN. */
json_t *rows_of(const json_t *reading, const char *p, size_t n);

/* What the readers of one case said. Index 0 is ref. */
struct said {
    const struct peer *peer;
    struct answer answer;
    json_t *rows; /* where there is a reading */
};

/* The findings, an array of
 *
 *     {"layer", "field", "kind", "peers": [who differs], "against": [from whom],
 *      "readings": {peer: text}, "error": why ref refuses, if it does}
 *
 * A field is "verdict" or the name of a row. Of a row, those who have an opinion are held against
 * ref; where ref refuses a message for what this row is read from, nobody is right, and "peers" are
 * all who have an opinion, if they are split. `grammar`: what the grammar of the RFCs says of the
 * case, to go with findings about verdicts; may be NULL. */
json_t *findings_of(const struct said *said, size_t n, const char *grammar);

/* The kind of a refusal: its words without what changes from message to message; of ref, the id of
 * its error. */
void refusal_class(const char *reason, bool is_ref, char *out, size_t cap);

/* In which way a reading differs from another one: the kinds of README.md. */
const char *reading_kind(const char *from, const char *reading);

/* The text of a row of a reader, or NULL: no opinion. */
const char *said_row(const struct said *s, const char *row);

#endif
