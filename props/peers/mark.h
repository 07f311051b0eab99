/* Marks: what is left of an answer where only the way in which answers differ matters.
 *
 * A mark stands for a row of the reading. Two readings agree in a row when the hashes of their
 * texts are equal; where they are not, `measure` says which is less. That is enough to see that a
 * case is like none before, at some hundred octets an answer.
 */
#ifndef SIPWS_MARK_H
#define SIPWS_MARK_H

#include <stddef.h>
#include <stdint.h>

typedef struct json_t json_t;

struct mark {
    uint64_t row, text;
    int64_t measure; /* the number, or how long the text is; -1: "(none)" */
};

enum { MARKS_MAX = 120 };

struct marks {
    uint64_t verdict; /* an enum answer_verdict, and a hash of the kind of refusal */
    uint64_t n;       /* at p, in the order of their rows; what there is no room for is left out */
    struct mark p[MARKS_MAX];
};

/* `rows` may be NULL. */
void marks_of(const json_t *rows, struct marks *out);

uint64_t mark_hash(const char *text, size_t n);

#endif
