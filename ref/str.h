/* Slices and cursors.
 *
 * A slice aliases octets that somebody else owns; it is never NUL-terminated and owns nothing. It
 * lives as long as the input it was cut from.
 *
 * A cursor walks over input. The contract of every function that reads through one: on success it
 * returns true and the cursor stands behind what was read; on failure it returns false, the cursor
 * stands where it stood before, and cur->diag (if not NULL) tells what is wrong, with an offset
 * counted from cur->base.
 */
#ifndef SIPWS_STR_H
#define SIPWS_STR_H

#include "err.h"
#include "limits.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of functions that tell what is wrong: what leads to them is off the way. */
#if defined(__GNUC__)
#define SIPWS_COLD __attribute__((cold))
#else
#define SIPWS_COLD
#endif

/* Of functions that are worth a copy wherever they are called. */
#if defined(__GNUC__)
#define SIPWS_INLINE static inline __attribute__((always_inline))
#else
#define SIPWS_INLINE static inline
#endif

/* Whether x, which it is in nearly all of the cases. */
#if defined(__GNUC__)
#define SIPWS_MOSTLY(x) __builtin_expect(!!(x), 1)
#else
#define SIPWS_MOSTLY(x) (x)
#endif

/* Whether x, which it is in hardly any of the cases. */
#if defined(__GNUC__)
#define SIPWS_SELDOM(x) __builtin_expect(!!(x), 0)
#else
#define SIPWS_SELDOM(x) (x)
#endif

/* A slice of octets. An absent string has p == NULL; an empty one has n == 0 and any p. */
struct sipws_str {
    const char *p; /* may be NULL when n is 0 */
    size_t n;      /* octets at p */
};

/* The slice of a string literal. */
#define SIPWS_STR(literal) (SIPWS_NEW(sipws_str){"" literal, sizeof(literal) - 1})

/* The octets from `p` up to `end`. */
static inline struct sipws_str sipws_slice(const char *p, const char *end)
{
    struct sipws_str s = {p, (size_t)(end - p)};
    return s;
}

/* Same octets. */
static inline bool sipws_str_eq(struct sipws_str a, struct sipws_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* n octets are the same but for the case of ASCII letters. */
bool sipws_octets_ieq(const char *p, const char *q, size_t n);

/* Same octets but for the case of ASCII letters (RFC 3261 7.3.1: tokens, names). */
static inline bool sipws_str_ieq(struct sipws_str a, struct sipws_str b)
{
    return a.n == b.n && sipws_octets_ieq(a.p, b.p, a.n);
}

/* The same, of a constant that mostly stands there just so, or is not there at all. */
static inline bool sipws_str_is(struct sipws_str s, struct sipws_str constant)
{
    return s.n == constant.n &&
           (memcmp(s.p, constant.p, constant.n) == 0 ||
            (((s.p[0] ^ constant.p[0]) & ~0x20) == 0 && sipws_octets_ieq(s.p, constant.p, s.n)));
}

/* Eight octets as one number whose lowest octet is the first. */
static inline uint64_t sipws_little(uint64_t w)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(w);
#else
    return w;
#endif
}

/* The number of the lowest bit of w that is 1, of which there is one. */
static inline unsigned sipws_lowest(uint64_t w)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(w);
#else
    unsigned n = 0;
    while (!(w >> n & 1))
        n++;
    return n;
#endif
}

/* Eight octets of 1. */
#define SIPWS_ONES UINT64_C(0x0101010101010101)

/* Up to eight octets as one number. From it and n can be told what they are. */
static inline uint64_t sipws_load_8(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    uint32_t first, last; /* they overlap below eight */
    if (n < 4)
        return n == 0 ? 0 : (uint64_t)u[0] | (uint64_t)u[n / 2] << 8 | (uint64_t)u[n - 1] << 16;
    memcpy(&first, p, 4);
    memcpy(&last, p + n - 4, 4);
    return (uint64_t)last << 32 | first;
}

/* Each of the eight octets in lower case. The sums do not carry from one octet to the next, as each
 * is below 80 hexadecimal before: from "A" on the first sum has its top bit set, behind "Z" the
 * second. */
static inline uint64_t sipws_lower_8(uint64_t w)
{
    uint64_t ascii = w & SIPWS_ONES * 0x7F;
    uint64_t from_a = ascii + SIPWS_ONES * (0x80 - 'A');
    uint64_t above_z = ascii + SIPWS_ONES * (0x7F - 'Z');
    return w | (from_a & ~above_z & ~w & SIPWS_ONES * 0x80) >> 2;
}

/* The eight octets at p as one number in which the first is the lowest. */
static inline uint64_t sipws_eight(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
    return sipws_little(w);
}

/* The first octets of [p, p + n), up to eight, as one number in which the first is the lowest, and
 * what is missing is 0. All of [base, end) may be looked at. */
static inline uint64_t sipws_first_8(const char *base, const char *p, size_t n, const char *end)
{
    uint64_t w = 0;
    if (SIPWS_SELDOM(n == 0))
        return 0;
    if (SIPWS_SELDOM(end - base < 8)) {
        memcpy(&w, p, n < 8 ? n : 8);
        return sipws_little(w);
    }
    ptrdiff_t over = p + 8 - end, lack = 8 - (ptrdiff_t)n; /* without a branch, where positive */
    over &= ~(over >> (sizeof over * 8 - 1));
    lack &= ~(lack >> (sizeof lack * 8 - 1));
    return sipws_eight(p - over) >> 8 * over & ~UINT64_C(0) >> 8 * lack;
}

/* Octet i of a string literal, in its place among the first eight; 0 behind its end. */
#define SIPWS_OCTET(s, i) ((uint64_t)(sizeof(s) > (i) + 1 ? (unsigned char)(s)[i] : 0) << 8 * (i))

/* The first eight octets of a string literal, as sipws_first_8 gives them: a constant. */
#define SIPWS_FIRST_8(s)                                                                           \
    (SIPWS_OCTET(s, 0) | SIPWS_OCTET(s, 1) | SIPWS_OCTET(s, 2) | SIPWS_OCTET(s, 3) |               \
     SIPWS_OCTET(s, 4) | SIPWS_OCTET(s, 5) | SIPWS_OCTET(s, 6) | SIPWS_OCTET(s, 7))

/* What all hashes here are multiplied by. */
#define SIPWS_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

/* The hash `h` with eight more octets in it, whatever their case. */
static inline uint64_t sipws_mix(uint64_t h, uint64_t w)
{
    h = (h ^ sipws_lower_8(w)) * SIPWS_GOLDEN;
    return h ^ h >> 32;
}

/* A hash of octets without regard to the case of ASCII letters; h is 0, or the hash of what stands
 * before them where that is a multiple of eight octets. */
uint64_t sipws_octets_ihash(uint64_t h, const char *p, size_t n);

/* A number from which names of any case are told apart for certain up to eight octets, if they have
 * tokens' or paramchars' octets only, and mostly above. `first` is of sipws_first_8. Not secret:
 * who wants to can make longer ones that collide. */
static inline uint64_t sipws_key(uint64_t first, struct sipws_str name)
{
    /* Of the octets that may stand in a token, or in a paramchar, no two but the two cases of a
     * letter differ in this bit alone. */
    uint64_t key = first | SIPWS_ONES * 0x20;
    return name.n > 8 ? sipws_octets_ihash(key, name.p + 8, name.n - 8) : key;
}

/* What a cursor has seen of up to 64 octets from p on, so that each is looked at once: bit i: p[i]
 * is not of SIPWS_C_HOST (chars.h), or not before the limit. p is NULL at first. */
struct sipws_window {
    const char *p;
    uint64_t outside;
};

/* A cursor; the octets left are those from `p` up to `end`. */
struct sipws_cur {
    const char *base;           /* offsets count from here */
    const char *p;              /* the next octet */
    const char *end;            /* one past the last octet that there is to be read */
    const char *limit;          /* one past the last that may be looked at: where `end` was first */
    struct sipws_diag *diag;    /* where a refusal is described, or NULL */
    uint32_t allow;             /* leniencies, SIPWS_ALLOW_*; 0 = strict */
    struct sipws_window window; /* the readers' own */
};

/* Leniencies. Strict is the default; each bit widens what is accepted and opens an attack.
 * SIPWS_ALLOW_NAMES lists them for command lines, in the order of the bits. */
enum {
    /* A line may end with LF alone. A proxy that wants CRLF and one that takes LF see different
     * header fields in the same octets: header smuggling. RFC 3261 7. */
    SIPWS_ALLOW_BARE_LF = 1 << 0,
    /* White space before a CRLF: at the end of a value, or before a fold (the grammar before
     * erratum 7529). Values that differ in invisible octets compare equal. */
    SIPWS_ALLOW_TRAILING_WSP = 1 << 1,
    /* Empty list elements, as in the ACK that RFC 7118 8.2 prints. What is the second of "a,,b"? */
    SIPWS_ALLOW_EMPTY_ELEMENT = 1 << 2,
    /* CRLFs before the start line (RFC 3261 7.5 says so of streams). A keep-alive glued to a
     * request hides it from an inspector that judges by the first octets. */
    SIPWS_ALLOW_LEADING_CRLF = 1 << 3,
    /* Content-Length below the octets present: the rest is cut off, as in a datagram (RFC 3261
     * 18.3). What one element cuts off, another takes for a second message: request smuggling. */
    SIPWS_ALLOW_EXCESS_BODY = 1 << 4,
    /* Any Via transport on a WebSocket connection, as behind a gateway that ends TLS. The top Via
     * no longer tells how the message travelled. RFC 7118 5.1. */
    SIPWS_ALLOW_VIA_TRANSPORT = 1 << 5,
    /* sips URIs over a connection without TLS: the promise of sips is broken. RFC 5630 3.1.3. */
    SIPWS_ALLOW_SIPS_PLAIN = 1 << 6
};

/* An initialiser of an array of const char *, with NULL at the end. */
#define SIPWS_ALLOW_NAMES                                                                          \
    {                                                                                              \
        "bare-lf", "trailing-wsp", "empty-element", "leading-crlf", "excess-body",                 \
            "via-transport", "sips-plain", NULL                                                    \
    }

/* A cursor over [p, end), with offsets that count from `base`. All of [base, end) may be looked at.
 * Who then moves `end` to the front, to read a part only, has the readers see no more than that,
 * but need not have them look as if there was nothing else. */
static inline struct sipws_cur sipws_cur_in(const char *base, const char *p, const char *end,
                                            struct sipws_diag *diag, uint32_t allow)
{
    struct sipws_cur c = {base, p, end, end, diag, allow, {NULL, 0}};
    return c;
}

/* A strict cursor over `s`, whose first octet has offset 0. */
static inline struct sipws_cur sipws_cur(struct sipws_str s, struct sipws_diag *diag)
{
    return sipws_cur_in(s.p, s.p, s.n ? s.p + s.n : s.p, diag, 0);
}

/* How many octets are left. */
static inline size_t sipws_left(const struct sipws_cur *c)
{
    return (size_t)(c->end - c->p);
}

/* The next octet, or -1 at the end. */
static inline int sipws_peek(const struct sipws_cur *c)
{
    return c->p < c->end ? (unsigned char)*c->p : -1;
}

/* Steps over the octet `ch` if it is next; silent if not. */
static inline bool sipws_take(struct sipws_cur *c, char ch)
{
    if (c->p == c->end || *c->p != ch)
        return false;
    c->p++;
    return true;
}

/* Describes a refusal at `at`. Moves nothing. Returns false. */
SIPWS_COLD bool sipws_fail(const struct sipws_cur *c, const char *at, enum sipws_err err,
                           const char *rule);

/* The first octets of [p, p + n), which the cursor's limits hold, as sipws_first_8 gives them. */
static inline uint64_t sipws_first_at(const struct sipws_cur *c, const char *p, size_t n)
{
    if (SIPWS_SELDOM(c->limit - p < 8))
        return sipws_first_8(c->base, p, n, c->limit);
    uint64_t all = -(uint64_t)(n >= 8); /* without a branch */
    return sipws_eight(p) & (all | ((UINT64_C(1) << (8 * n & 63)) - 1));
}

/* The next octets, up to eight, as sipws_first_8 gives them. */
static inline uint64_t sipws_next_8(const struct sipws_cur *c)
{
    return sipws_first_at(c, c->p, sipws_left(c));
}

/* Puts the cursor back to `start` and returns false: the end of a failed read. */
static inline bool sipws_back(struct sipws_cur *c, const char *start)
{
    c->p = start;
    return false;
}

#ifdef __cplusplus
}
#endif

#endif
