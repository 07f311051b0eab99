/* Addresses and parameters: name-addr, addr-spec and generic-param of RFC 3261 section 25.1.
 *
 * In an addr-spec without angle brackets, a semicolon starts a parameter of the header field, not
 * of the URI, and a comma ends the element (RFC 3261 20). The canonical form has the brackets.
 */
#ifndef SIPWS_ADDR_H
#define SIPWS_ADDR_H

#include "uri.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One parameter of a header field's element. `value` is a token, a host, a quoted-string with
 * its quotes, or <URI>; value.p is NULL where there is no "=". */
struct sipws_param {
    struct sipws_str name;
    struct sipws_str value;
};

/* Reads what follows the "=" of a parameter, by the rule that the grammar gives for its value. */
typedef bool sipws_param_value(struct sipws_cur *c);

/* The parameters of an element are a table: one row for each that the grammar names, and a last row
 * without a name for all others. A named parameter follows its own rule, although generic-param
 * would also take it. */
struct sipws_param_rule {
    struct sipws_str name;    /* n == 0: the last row */
    uint64_t first;           /* SIPWS_FIRST_8 of it, as sipws_key makes it */
    sipws_param_value *value; /* NULL: no value may stand; in the last row: no others are known */
    bool optional;            /* "=" and the value may be missing */
};

/* A row of such a table: a value must stand. */
#define SIPWS_PARAM(name, value)                                                                   \
    {                                                                                              \
        {"" name, sizeof(name) - 1}, SIPWS_FIRST_8(name) | SIPWS_ONES * 0x20, value, false         \
    }

/* The same: a value may stand. */
#define SIPWS_PARAM_OPTIONAL(name, value)                                                          \
    {                                                                                              \
        {"" name, sizeof(name) - 1}, SIPWS_FIRST_8(name) | SIPWS_ONES * 0x20, value, true          \
    }

/* The last row, for all names that have none. */
#define SIPWS_PARAM_OTHERS(value, optional)                                                        \
    {                                                                                              \
        {NULL, 0}, 0, value, optional                                                              \
    }

/* The table of an element that names none: generic-param only. */
extern const struct sipws_param_rule sipws_generic_params[];

/* Rules for the value in such a row: token; quoted-string; gen-value = token / host / quoted-string
 */
bool sipws_token_value(struct sipws_cur *c);
bool sipws_quoted_value(struct sipws_cur *c);
bool sipws_gen_value(struct sipws_cur *c);

/* *( SEMI param ) by a table, at most SIPWS_MAX_PARAMS, no name twice. `out` runs from the first
 * semicolon (without white space before it) to the end of the last parameter; p is NULL where there
 * are none. */
bool sipws_params(struct sipws_cur *c, const struct sipws_param_rule *rules, struct sipws_str *out);

/* The same; `key` is the value of the parameter that the table's first row names. p NULL: absent.
 */
bool sipws_params_key(struct sipws_cur *c, const struct sipws_param_rule *rules,
                      struct sipws_str *out, struct sipws_str *key);

/* The same for param *( COMMA param ): credentials, challenges, Authentication-Info. `out` starts
 * with the first name. Bit i of *rows: the parameter of row i is there. */
bool sipws_comma_params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                        struct sipws_str *out, uint32_t *rows);

/* generic-param = token [ EQUAL gen-value ] */
bool sipws_generic_param(struct sipws_cur *c, struct sipws_param *out);

/* Walks over parameters that were checked: those of sipws_params, or the comma-separated ones of
 * challenges and credentials. `rest` starts as a copy of them. False at the end. */
bool sipws_param_next(struct sipws_str *rest, struct sipws_param *out);

/* The parameter `name` among `params`, without regard to case. False: absent. */
bool sipws_param_find(struct sipws_str params, struct sipws_str name, struct sipws_param *out);

/* Canonical: separators without white space around them ("," is followed by one SP), quoted
 * strings unfolded. */
void sipws_params_print(struct sipws_out *o, struct sipws_str params);

/* A URI with a display name, as From, To, Contact and routes have it. */
struct sipws_addr {
    struct sipws_str display; /* quoted-string with its quotes, or tokens; p NULL: none */
    struct sipws_uri uri;
    bool brackets; /* it is a name-addr */
};

/* name-addr = [ display-name ] LAQUOT addr-spec RAQUOT */
bool sipws_name_addr(struct sipws_cur *c, struct sipws_addr *out);

/* name-addr / addr-spec */
bool sipws_addr(struct sipws_cur *c, struct sipws_addr *out);

/* Canonical: a name-addr, its display name unfolded. */
void sipws_addr_print(struct sipws_out *o, const struct sipws_addr *addr);

#ifdef __cplusplus
}
#endif

#endif
