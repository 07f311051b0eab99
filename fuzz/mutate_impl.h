/* What the files of the mutator share: a text under change, and the few ways to change it.
 *
 * A function that mutates a part gets a span of the text. It may make the text longer or shorter,
 * within the span; the caller finds the span's new end by the growth of the whole:
 *
 *     size_t before = m->n;
 *     mut_value(m, value, field);
 *     outer.to += m->n - before;
 */
#ifndef SIPWS_MUTATE_IMPL_H
#define SIPWS_MUTATE_IMPL_H

#include "mutate.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct text {
    const uint8_t *p;
    size_t n;
};

struct mut {
    uint8_t *p;
    size_t n, cap;
    uint64_t random;
    bool sound;
    struct text other; /* to take things of; p is NULL where there is none */
};

/* Octets [from, to). */
struct span {
    size_t from, to;
};

/* ---- chance ---------------------------------------------------------------------------------- */

/* Below n; 0 for 0. */
size_t mut_below(struct mut *m, size_t n);
bool mut_chance(struct mut *m, unsigned in256);

/* ---- changes: false, and nothing is changed, where there is no room -------------------------- */

/* Puts n octets, which are not of the text, in the place of [from, to). */
bool mut_splice(struct mut *m, size_t from, size_t to, const void *with, size_t n);
bool mut_insert(struct mut *m, size_t at, const char *with);
bool mut_replace(struct mut *m, struct span s, const char *with);
void mut_drop(struct mut *m, struct span s);

/* A copy of s at `at`, which is not within s. */
bool mut_copy(struct mut *m, struct span s, size_t at);

/* b begins at the end of a, or behind it. */
void mut_swap(struct mut *m, struct span a, struct span b);

/* Any octets: the changes of an engine that knows nothing. */
void mut_octets(struct mut *m, struct span s);

/* Some number in it becomes another one, at a limit. */
void mut_number(struct mut *m, struct span s);

/* ---- looking --------------------------------------------------------------------------------- */

bool mut_is_digit(uint8_t ch);
bool mut_is_letter(uint8_t ch);

/* The text at p is `word`, whatever the case of letters. */
bool mut_is(const uint8_t *p, struct span s, const char *word);

/* Splits s at each `sep` that is not within quotes or angle brackets. Returns the number of parts,
 * at most cap, at least 1; the last one has all the rest. */
size_t mut_split(const uint8_t *p, struct span s, uint8_t sep, struct span *parts, size_t cap);

/* Doubles, drops, swaps or multiplies parts of s, which `sep` separates; bends may leave one empty.
 * Something of another text comes in where there is one. */
void mut_parts(struct mut *m, struct span s, uint8_t sep);

/* Takes part k of s away, with its separator, not counting the first `keep` parts, which stay.
 * Counts k down by the parts that there are. */
bool mut_without_part(struct mut *m, struct span s, uint8_t sep, size_t keep, size_t *k);

/* Takes the last half of s away, or quarter, and so on down to an octet: number k of these. */
bool mut_without_tail(struct mut *m, struct span s, size_t *k);

/* The first `ch` in s, or its end. */
size_t mut_find(const uint8_t *p, struct span s, uint8_t ch);

/* ---- mutate_uri.c ---------------------------------------------------------------------------- */

void mut_uri(struct mut *m, struct span s);
bool mut_without_uri(struct mut *m, struct span s, size_t *k);

/* A URI somewhere in s: what begins with sip:, sips: or tel:, up to where a URI in brackets or a
 * bare one ends. */
bool mut_find_uri(struct mut *m, const uint8_t *p, struct span s, struct span *uri);

/* A parameter at `at`; a sound one has a name of its own, so that none is there twice. */
void mut_add_param(struct mut *m, size_t at);

/* ---- mutate_field.c -------------------------------------------------------------------------- */

/* A row of ref/field.def, shape and rule as text. */
struct known {
    const char *name, *compact, *shape, *rule;
};

const struct known *mut_any_field(struct mut *m);
const struct known *mut_known_as(const uint8_t *p, struct span name); /* or NULL */
bool mut_is_one(const struct known *field);                           /* may stand once only */
bool mut_is_rule(const struct known *field, const char *rule);        /* no for NULL */

/* A value of the rule, or NULL; a value of any rule for NULL. */
const char *mut_sample(struct mut *m, const char *rule);

/* `field` is NULL for one that is not known. */
void mut_value(struct mut *m, struct span s, const struct known *field);

/* White space becomes longer or folds, or becomes what is none. */
void mut_space(struct mut *m, struct span s);

void mut_field(struct mut *m, struct span s); /* an octet for the field, one of switches, a value */
bool mut_without_field(struct mut *m, struct span s, size_t *k);

/* ---- mutate_sip.c ---------------------------------------------------------------------------- */

void mut_msg(struct mut *m, struct span s);
void mut_http(struct mut *m, struct span s); /* a handshake's head, and what is behind it */
bool mut_without_msg(struct mut *m, struct span s, size_t *k);

/* Behind the empty line, or the end. */
size_t mut_head_end(const uint8_t *p, struct span s);

/* A sample of a SIP message, with its lines' ends. */
const char *mut_sample_msg(struct mut *m);

/* ---- mutate_ws.c ----------------------------------------------------------------------------- */

/* `masked`: what new frames are. */
void mut_ws(struct mut *m, struct span s, bool masked);
bool mut_without_ws(struct mut *m, struct span s, size_t *k);

#endif
