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

/* The rows of field.def. */
extern const struct sipws_field_info sipws_field_rows[SIPWS_FIELD_COUNT];

static inline bool sipws_blank(char ch)
{
    return (unsigned char)ch <= ' ' && (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n');
}

/* ---- names -----------------------------------------------------------------------------------
 *
 * A name is looked for in one slot (ci/fields), and compared as words as sipws_first_8 has them:
 * its first eight octets, its last eight, and where there are more than sixteen, the second eight.
 */

/* Of each name, and of each compact form, with the bit set by which the cases of a letter differ.
 * None is longer than 24. */
struct sipws_field_words {
    uint32_t n;
    enum sipws_field_id id;
    uint64_t first, last, middle;
};
extern const struct sipws_field_words sipws_field_words[2 * SIPWS_FIELD_COUNT];
extern const uint8_t sipws_field_slots[512];

/* sipws_field_find for a name that has an octet, and no CR, which is all that can be taken for
 * another octet than the same one or the same letter (it is "-", but for one bit). The eight before
 * its end may be looked at, and the eight at its start. */
static inline enum sipws_field_id sipws_field_find_in(struct sipws_str name)
{
#define MULTIPLIER(m) const uint64_t multiplier = m;
#define SLOT(number, id)
#define COMPACT(number, id)
#include "field_slots.def"
#undef COMPACT
#undef SLOT
#undef MULTIPLIER
    const uint64_t fold = SIPWS_ONES * 0x20;
    unsigned lack = (64 - 8 * (unsigned)name.n) & -(unsigned)(name.n < 8); /* bits, of 64 */
    uint64_t last = sipws_eight(name.p + name.n - 8) >> lack | fold;
    uint64_t first = (sipws_eight(name.p) & ~UINT64_C(0) >> lack) | fold;
    const struct sipws_field_words *row =
        &sipws_field_words[sipws_field_slots[(first + last) * multiplier >> 55]];
    uint64_t differs = (row->n ^ name.n) | (first ^ row->first) | (last ^ row->last);
    if (SIPWS_SELDOM(name.n > 16))
        differs |= (sipws_eight(name.p + 8) | fold) ^ row->middle;
    return SIPWS_MOSTLY(differs == 0) ? row->id : SIPWS_F_EXTENSION;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* What follows the element that was read from `start` on; its text. */
bool sipws_value_ends(struct sipws_cur *c, enum sipws_shape shape, const char *start, bool first,
                      struct sipws_value *out);

/* One element and what follows it; `first`: no comma came before it. */
static inline bool sipws_value_element(struct sipws_cur *c, const struct sipws_field_info *info,
                                       bool first, struct sipws_value *out)
{
    const char *start = c->p;
    out->params = (struct sipws_str){NULL, 0};
    out->key = (struct sipws_str){NULL, 0};
    if (SIPWS_SELDOM(!info->read(c, out)))
        return false;
    bool list = info->shape == SIPWS_LIST || info->shape == SIPWS_LIST_EMPTY;
    bool ends = c->p == c->end || (list && *c->p == ',');
    if (SIPWS_SELDOM(!ends || c->p == start || sipws_blank(*start) || sipws_blank(c->p[-1]) ||
                     out->kind == SIPWS_K_STAR))
        return sipws_value_ends(c, info->shape, start, first, out);
    out->text = sipws_slice(start, c->p);
    return true;
}

/* Ends a refusal: returns false. */
SIPWS_COLD bool sipws_value_refused(struct sipws_cur *c, const char *start,
                                    const struct sipws_field_info *info);

/* The same; where it is refused, from `start` on. */
SIPWS_INLINE bool sipws_value_read_at(struct sipws_cur *c, const char *start,
                                      const struct sipws_field_info *info, bool first,
                                      struct sipws_value *out)
{
    return sipws_value_element(c, info, first, out) || sipws_value_refused(c, start, info);
}

/* sipws_value_next by its row. */
bool sipws_value_another(struct sipws_cur *c, const struct sipws_field_info *info,
                         struct sipws_value *out);

/* LWS that must stand, and no second one behind it. */
bool sipws_need_lws(struct sipws_cur *c, const char *rule);

/* LDQUOT and RDQUOT: the quotes around what a rule then takes apart. */
bool sipws_ldquot(struct sipws_cur *c);
bool sipws_rdquot(struct sipws_cur *c);

#endif
