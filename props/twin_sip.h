/* Naive twins of SIP: folds, lists, parameters, lines and URI equality, read as RFC 3261 tells them
 * to people. Slow, over whole inputs, with no code of ref/. Inputs are sound: what a twin says of
 * others means nothing.
 */
#ifndef TWIN_SIP_H
#define TWIN_SIP_H

#include <stdbool.h>
#include <stddef.h>

struct twin_str {
    const char *p;
    size_t n;
};

/* `s` with each line end and the white space behind it as one space, and none at either end (RFC
 * 3261 7.3.1). `out` has room for s.n octets; returns how many there are. */
size_t twin_unfold(struct twin_str s, char *out);

/* The pieces of `s` between `separator`s that stand in no quoted string and in no angle brackets,
 * without the white space around them. At most `cap`; returns how many there are. */
size_t twin_split(struct twin_str s, char separator, struct twin_str *out, size_t cap);

/* The name and the value of "name = value", without the white space around them; value.p is NULL
 * where there is no "=". */
void twin_name_value(struct twin_str s, struct twin_str *name, struct twin_str *value);

/* The header lines of a message, its start line left out: name and value of each, folds as they
 * stand. *body: what is behind the empty line. Returns how many there are. */
size_t twin_lines(struct twin_str message, struct twin_str *names, struct twin_str *values,
                  size_t cap, struct twin_str *body);

/* RFC 3261 19.1.4 with RFC 5954 4.2, on the texts of two URIs. */
bool twin_uri_eq(struct twin_str a, struct twin_str b);

#endif
