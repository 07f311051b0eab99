/* The JSON form of a reading.
 *
 *     {"request": {"method": "ACK", "uri": {…}}      or "response": {"status": 200, "reason": "OK"}
 *      "fields": [{"name": "Via", "elements": [{"kind": "via", …, "params": [{"name": …}]}]}],
 *      "body": "…"}
 *
 * What an element has besides its kind are the members of struct sipws_value, by their names; a
 * member that is absent has no key. Strings are as on the wire, with their quotes and escapes, and
 * unfolded; octets that are not UTF-8 are {"hex": "…"}. One table for each kind, which both
 * directions walk over, says so.
 *
 * Two messages that say the same have the same document: names of header fields are in full, in
 * lower case where they are not ours; hosts and URI schemes are in lower case; all rows of a list
 * are one list, in the place of the first row (RFC 3261 7.3.1).
 */
#ifndef SIPWS_CLI_JSON_H
#define SIPWS_CLI_JSON_H

#include "cli.h"

#include <jansson.h>

/* A string where the octets are UTF-8, else {"hex": "…"}. */
json_t *cli_octets(struct sipws_str s);

/* The document for a message that was parsed with `allow` and has no errors. */
json_t *cli_reading(const struct sipws_msg *m, uint32_t allow);

/* The message that a document describes: octets from malloc. NULL: it is no reading, or none that a
 * message can have; told, with the place in the document. `raw`: what is printed is not judged. */
char *cli_build(const struct cli_args *a, const char *name, bool raw, json_t *reading, size_t *n);

/* ---- what a kind has ------------------------------------------------------------------------- */

enum cli_type {
    CLI_STRING,  /* struct sipws_str */
    CLI_DISPLAY, /* the same: a quoted-string, or tokens with white space between them */
    CLI_LOWER,   /* the same, without regard to case */
    CLI_HOST,    /* struct sipws_host */
    CLI_PORT,    /* int32_t, or SIPWS_NO_PORT */
    CLI_U8,
    CLI_U16,
    CLI_U32,
    CLI_U64,
    CLI_WEEKDAY,    /* uint8_t, 0 = Mon */
    CLI_URI,        /* struct sipws_uri */
    CLI_PARAMS,     /* struct sipws_str for sipws_param_next, from ";" */
    CLI_COMMAS,     /* the same, with "," between them */
    CLI_URI_PARAMS, /* struct sipws_str for sipws_uri_part_next, from ";" */
    CLI_URI_HEADERS /* the same, from "?" with "&" between them */
};

struct cli_member {
    const char *key; /* NULL ends a table */
    enum cli_type type;
    bool optional;
    size_t off;        /* in struct sipws_value or struct sipws_uri */
    uint64_t min, max; /* of a number */
};

/* The members of a kind, in the order of the document. */
const struct cli_member *cli_members(enum sipws_kind kind);

/* The members of struct sipws_uri that a URI of the scheme has. */
const struct cli_member *cli_uri_members(enum sipws_scheme scheme);

extern const char *const cli_weekdays[]; /* up to NULL */

#endif
