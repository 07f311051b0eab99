/* What the files of the field layer share: one reader for each rule that field.def names.
 *
 * A reader reads one element and stops behind it. It may leave the cursor anywhere when it refuses
 * (sipws_value_first and sipws_value_next put it back), and may leave out->text, and out->params
 * where there are none, alone.
 */
#ifndef SIPWS_FIELD_IMPL_H
#define SIPWS_FIELD_IMPL_H

#include "field.h"

/* A rule that several fields have is declared for each. */
#define F(name, text, compact, shape, rule, rfc) sipws_value_read sipws_##rule;
#include "field.def"
#undef F

/* header-value of an extension-header. */
sipws_value_read sipws_header_value;

extern const char sipws_wkday_names[7][4];  /* from Mon */
extern const char sipws_month_names[12][4]; /* from Jan */

static inline bool sipws_blank(char ch)
{
    return (unsigned char)ch <= ' ' && (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n');
}

/* LWS that must stand, and no second one behind it. */
bool sipws_need_lws(struct sipws_cur *c, const char *rule);

/* LDQUOT and RDQUOT: the quotes around what a rule then takes apart. */
bool sipws_ldquot(struct sipws_cur *c);
bool sipws_rdquot(struct sipws_cur *c);

#endif
