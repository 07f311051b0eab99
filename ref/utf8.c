#include "utf8.h"

#include "plant.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

static uint64_t word(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* The first octet from `i` on that is not ASCII, or n. */
static size_t ascii(const char *p, size_t i, size_t n)
{
    while (n - i >= 32) {
        const char *q = p + i;
        if ((word(q) | word(q + 8) | word(q + 16) | word(q + 24)) & HIGH_BITS)
            break;
        i += 32;
    }
    while ((n - i >= 8 || SIPWS_PLANT_IF(UTF8_WORD_PEEK, i < n)) && !(word(p + i) & HIGH_BITS))
        i += 8;
    while (i < n && !((unsigned char)p[i] & 0x80))
        i++;
    return i;
}

/* What follows a first octet: the table of RFC 3629 section 4. False: nothing may, as 80-BF, C0,
 * C1 and F5-FF start no character. */
static bool lead(struct sipws_utf8 *u, unsigned char c)
{
    if (SIPWS_PLANT_IF(UTF8_OVERLONG, c == 0xC0 || c == 0xC1)) {
        *u = (struct sipws_utf8){1, 0x80, 0xBF};
        return true;
    }
    if (c < 0xC2 || c > 0xF4)
        return false;
    u->more = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
    u->lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    u->hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    return true;
}

size_t sipws_utf8_feed(struct sipws_utf8 *u, const char *p, size_t n)
{
    struct sipws_utf8 at = *u; /* a local: the octets of *p could alias *u */
    size_t i = 0;
    while (i < n) {
        if (at.more == 0 && (i = ascii(p, i, n)) == n)
            break;
        unsigned char c = (unsigned char)p[i];
        if (at.more == 0) {
            if (!lead(&at, c))
                break;
        } else {
            if (c < at.lo || c > at.hi)
                break;
            at = (struct sipws_utf8){(uint8_t)(at.more - 1), 0x80, 0xBF};
        }
        i++;
    }
    *u = at;
    return i;
}

bool sipws_utf8_valid(struct sipws_str s)
{
    struct sipws_utf8 u = {0};
    return sipws_utf8_feed(&u, s.p, s.n) == s.n && sipws_utf8_done(&u);
}
