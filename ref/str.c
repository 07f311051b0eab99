#include "str.h"

#include "plant.h"

static bool same(uint64_t v, uint64_t w)
{
    return v == w || (((v ^ w) & ~(SIPWS_ONES * 0x20)) == 0 &&
                      (sipws_lower_8(v) == sipws_lower_8(w) || SIPWS_PLANT(STR_FOLD)));
}

bool sipws_octets_ieq(const char *p, const char *q, size_t n)
{
    for (; n > 8; n -= 8, p += 8, q += 8)
        if (!same(sipws_load_8(p, 8), sipws_load_8(q, 8)))
            return false;
    return same(sipws_load_8(p, n), sipws_load_8(q, n));
}

uint64_t sipws_octets_ihash(uint64_t h, const char *p, size_t n)
{
    for (; n > 8; n -= 8, p += 8)
        h = sipws_mix(h, sipws_load_8(p, 8));
    return sipws_mix(h, sipws_load_8(p, n));
}

bool sipws_fail(const struct sipws_cur *c, const char *at, enum sipws_err err, const char *rule)
{
    return sipws_diag_set(c->diag, err, (size_t)(at - c->base), rule);
}
