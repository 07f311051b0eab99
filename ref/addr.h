/* Addresses and parameters: name-addr, addr-spec and generic-param of RFC 3261 section 25.1.
 *
 * In an addr-spec without angle brackets, a semicolon starts a parameter of the header field, not
 * of the URI, and a comma ends the element (RFC 3261 20). The canonical form has the brackets.
 */
#ifndef SIPWS_ADDR_H
#define SIPWS_ADDR_H

#include "uri.h"

/* One parameter of a header field's element. `value` is a token, a host or a quoted-string with
 * its quotes; value.p is NULL where there is no "=". */
struct sipws_param {
    struct sipws_str name;
    struct sipws_str value;
};

/* Says whether a parameter that the grammar names has the value that its own rule asks for:
 * returns true for all others. `c` stands anywhere; the check reads the value through a cursor of
 * its own and describes a refusal in c->diag. */
typedef bool sipws_param_check(const struct sipws_cur *c, const struct sipws_param *param);

/* *( SEMI generic-param ), each checked by `check` (NULL: none), at most SIPWS_MAX_PARAMS, no name
 * twice. `out` runs from the first semicolon (without white space before it) to the end of the last
 * parameter; p is NULL where there are none. */
bool sipws_params(struct sipws_cur *c, sipws_param_check *check, struct sipws_str *out);

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

#endif
