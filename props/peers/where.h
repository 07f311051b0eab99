/* Where a quirk shows: a cause in the message, by a pattern over the lines that a row is read from.
 */
#ifndef SIPWS_WHERE_H
#define SIPWS_WHERE_H

#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>

struct where; /* all patterns of a quirks.json */

/* From its member "where": name -> {"about", "pattern"}, extended regular expressions of POSIX, in
 * which case does not count. NULL: one of them does not compile, and that was told. */
struct where *where_load(const json_t *patterns);
void where_free(struct where *w);

bool where_has(const struct where *w, const char *name);

/* Whether a line that the row `field` is read from has the pattern `name`, in a message of n octets
 * at p. Of the row "header names" that is the line which `kind` ("lacks NAME") names. Where there
 * is no such line, and of what the whole message decides, any line of the header. A line that is
 * folded is one line, with its folds in it; a NUL reads as 0x01. */
bool where_shows(const struct where *w, const char *name, const char *field, const char *kind,
                 const char *p, size_t n);

#endif
