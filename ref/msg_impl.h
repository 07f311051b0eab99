/* What the files of the msg layer share. */
#ifndef SIPWS_MSG_IMPL_H
#define SIPWS_MSG_IMPL_H

#include "msg.h"

/* *message-header CRLF: adds the header fields from the cursor on to the *n at `fields`, and steps
 * over the empty line. `rule` is what the header belongs to. *plain becomes false where a line may
 * have an octet below 14 besides its CRLF. False: the report is full, or the input ends before the
 * empty line. */
bool sipws_header(struct sipws_cur *c, struct sipws_field *fields, size_t cap, size_t *n,
                  bool *plain, const char *rule, struct sipws_report *r);

/* Reports `err` at `at`. False: the report is full. */
bool sipws_tell(struct sipws_report *r, const struct sipws_cur *c, const char *at,
                enum sipws_err err, const char *rule);

#endif
