/* The basic rules of RFC 3261 section 25.1: the alphabets as one table, a bit an alphabet, and a
 * function for each rule that is longer than an octet.
 *
 * A class holds the plain octets of an ABNF rule. What a rule allows beyond single octets
 * (escaped, UTF8-NONASCII, LWS) is read by the rule's function. Functions follow the cursor
 * contract of str.h, and are named as the rules are.
 */
#ifndef SIPWS_CHARS_H
#define SIPWS_CHARS_H

#include "limits.h"
#include "out.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SIPWS_C_ALPHA = 1 << 0,
    SIPWS_C_DIGIT = 1 << 1,
    SIPWS_C_HEXDIG = 1 << 2,     /* either case */
    SIPWS_C_LHEX = 1 << 3,       /* lower case only */
    SIPWS_C_WSP = 1 << 4,        /* SP, HTAB */
    SIPWS_C_TOKEN = 1 << 5,      /* token */
    SIPWS_C_WORD = 1 << 6,       /* word */
    SIPWS_C_UNRESERVED = 1 << 7, /* unreserved */
    SIPWS_C_USER = 1 << 8,       /* unreserved, user-unreserved */
    SIPWS_C_PASSWORD = 1 << 9,   /* password, less escaped */
    SIPWS_C_PARAM = 1 << 10,     /* paramchar, less escaped */
    SIPWS_C_HNV = 1 << 11,       /* hname and hvalue, less escaped */
    SIPWS_C_HOST = 1 << 12,      /* letters, digits, "-" and "." of hostname */
    SIPWS_C_SCHEME = 1 << 13,    /* scheme after its first letter */
    SIPWS_C_URIC = 1 << 14,      /* reserved, unreserved */
    SIPWS_C_PCHAR = 1 << 15,     /* pchar, less escaped */
    SIPWS_C_REG_NAME = 1 << 16,  /* reg-name, less escaped */
    SIPWS_C_QDTEXT = 1 << 17,    /* qdtext, less LWS and UTF8-NONASCII */
    SIPWS_C_CTEXT = 1 << 18,     /* ctext, less LWS and UTF8-NONASCII */
    SIPWS_C_TEXT = 1 << 19,      /* TEXT-UTF8char, less UTF8-NONASCII: %x21-7E */
    SIPWS_C_REASON = 1 << 20,    /* Reason-Phrase, less escaped and what is above 127 */
    SIPWS_C_PHONE = 1 << 21,     /* phonedigit and visual separators, RFC 3966 */
    SIPWS_C_LINE = 1 << 22       /* any octet but CR and LF: a line before it is decoded */
};

/* The classes of each octet. */
extern const uint32_t sipws_chars[256];

/* Whether `ch` is in one of `classes` (SIPWS_C_…, joined by |). */
static inline bool sipws_is(char ch, uint32_t classes)
{
    return (sipws_chars[(unsigned char)ch] & classes) != 0;
}

/* ---- scanning --------------------------------------------------------------------------------
 *
 * Where a token ends is not to be foretold, so a branch for each octet costs more than looking at
 * some octets too many: sixteen at a time where the compiler knows vectors. One alphabet is enough
 * for nearly all that messages are made of: letters, digits, "-" and ".", of which tokens, hosts,
 * users and the values of parameters mostly are. Where they stop, the table tells whether the octet
 * belongs. */

#if defined(__GNUC__) && (defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__)))
/* Whether the compiler knows vectors of sixteen octets. */
#define SIPWS_VECTORS 1
typedef unsigned char sipws_octets __attribute__((vector_size(16)));

/* 255 for each octet of x that is of a part of the class `of`, a constant: of all of it for text,
 * quoted text and lines, else of SIPWS_C_HOST. 0 for others. */
static inline sipws_octets sipws_in(sipws_octets x, uint32_t of)
{
#define TO(x, lo, hi) ((sipws_octets)((sipws_octets)((x) - (lo)) <= (unsigned char)((hi) - (lo))))
#define IS(x, ch)     ((sipws_octets)((x) == (unsigned char)(ch)))
    if (of == (SIPWS_C_TEXT | SIPWS_C_WSP))
        return TO(x, ' ', '~') | IS(x, '\t');
    if (of == (SIPWS_C_QDTEXT | SIPWS_C_WSP))
        return (TO(x, ' ', '~') & ~IS(x, '"') & ~IS(x, '\\')) | IS(x, '\t');
    if (of == SIPWS_C_LINE)
        return ~IS(x, '\r') & ~IS(x, '\n');
    return TO(x | 0x20, 'a', 'z') | TO(x, '0', '9') | TO(x, '-', '.');
#undef TO
#undef IS
}

/* Whether what sipws_in gives is a part of `classes`. */
static inline bool sipws_in_knows(uint32_t classes)
{
    return classes == SIPWS_C_LINE ||
           (classes & (SIPWS_C_HOST | SIPWS_C_TOKEN | SIPWS_C_WORD | SIPWS_C_UNRESERVED |
                       SIPWS_C_USER | SIPWS_C_PASSWORD | SIPWS_C_PARAM | SIPWS_C_HNV |
                       SIPWS_C_SCHEME | SIPWS_C_URIC | SIPWS_C_PCHAR | SIPWS_C_REG_NAME |
                       SIPWS_C_QDTEXT | SIPWS_C_CTEXT | SIPWS_C_TEXT | SIPWS_C_REASON)) != 0;
}

/* One bit in SIPWS_LANE for each octet that is 255 and not 0, the first one's the lowest. */
static inline uint64_t sipws_bits(sipws_octets x)
{
#if defined(__SSE2__)
    typedef char signed_octets __attribute__((vector_size(16)));
    return (uint64_t)(unsigned)__builtin_ia32_pmovmskb128((signed_octets)x);
#else
    typedef unsigned short halves __attribute__((vector_size(16)));
    typedef unsigned char eight __attribute__((vector_size(8)));
    eight nibbles = __builtin_convertvector((halves)x >> 4, eight);
    uint64_t bits;
    memcpy(&bits, &nibbles, sizeof bits);
    return bits & UINT64_C(0x1111111111111111);
#endif
}
#if defined(__SSE2__)
enum { SIPWS_LANE = 1 };
#else
enum { SIPWS_LANE = 4 };
#endif

/* Sixteen octets of any alignment. */
static inline sipws_octets sipws_load_16(const char *p)
{
    sipws_octets x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Which of the sixteen octets at p are outside of sipws_in. */
static inline uint64_t sipws_outside_16(const char *p, uint32_t of)
{
    return sipws_bits(~sipws_in(sipws_load_16(p), of));
}

/* How many of the octets from p on stand before the first that is outside of sipws_in, up to
 * sixteen and up to the end, before which there are sixteen. Near it those are looked at, without a
 * branch. */
static inline unsigned sipws_few(const char *p, const char *end, uint32_t of)
{
    const char *at = end - p >= 16 ? p : end - 16;
    unsigned before = (unsigned)(p - at);
    uint64_t outside = sipws_outside_16(at, of);
#if defined(__SSE2__)
    return sipws_lowest((outside | 1u << 16) >> before);
#else
    outside = before < 16 ? outside >> SIPWS_LANE * before : 0;
    return outside ? sipws_lowest(outside) / SIPWS_LANE : 16 - before;
#endif
}
#else
/* Whether the compiler knows vectors of sixteen octets. */
#define SIPWS_VECTORS 0
#endif

/* The first octet in [p, end) that is in none of `classes`, or end: without vectors. */
const char *sipws_span_8(const char *p, const char *end, uint32_t classes);

/* The same for what is long, or has octets outside of sipws_in. All of [base, end) may be looked
 * at.
 */
const char *sipws_span_more(const char *base, const char *p, const char *end, uint32_t classes);

/* The same, for a constant. All of [base, end) may be looked at, so that the last few octets are as
 * quick as the others. */
static inline const char *sipws_span_in(const char *base, const char *p, const char *end,
                                        uint32_t classes)
{
#if SIPWS_VECTORS
    if (sipws_in_knows(classes) && end - base >= 16) {
        p += sipws_few(p, end, classes);
        return p == end || !sipws_is(*p, classes) ? p : sipws_span_more(base, p, end, classes);
    }
#endif
    (void)base;
    return sipws_span_8(p, end, classes);
}

/* The same, for what is up to 32 octets long as often as not: there is one way for all of them. */
static inline const char *sipws_span_32(const char *base, const char *p, const char *end,
                                        uint32_t classes)
{
#if SIPWS_VECTORS && defined(__SSE2__)
    if (sipws_in_knows(classes) && end - base >= 32) {
        const char *at = end - p >= 32 ? p : end - 32;
        uint64_t outside = sipws_outside_16(at, classes) | sipws_outside_16(at + 16, classes) << 16;
        p += sipws_lowest((outside | UINT64_C(1) << 32) >> (p - at));
        return p == end || !sipws_is(*p, classes) ? p : sipws_span_more(base, p, end, classes);
    }
#endif
    return sipws_span_in(base, p, end, classes);
}

/* name [ "=" value ] at p, both of octets of SIPWS_C_HOST, which most parameters are. *equal:
 * behind the name; *stop: behind all. What stands there the caller looks at. False: it is something
 * else.
 */
static inline bool sipws_plain_param(const char *base, const char *p, const char *end,
                                     const char **equal, const char **stop)
{
    *equal = *stop = p;
#if SIPWS_VECTORS && defined(__SSE2__)
    if (end - base < 32)
        return false;
    const char *at = end - p >= 32 ? p : end - 32;
    uint64_t outside = sipws_outside_16(at, SIPWS_C_HOST) |
                       sipws_outside_16(at + 16, SIPWS_C_HOST) << 16 | UINT64_C(1) << 32;
    outside >>= p - at;
    const char *q = *equal = *stop = p + sipws_lowest(outside);
    if (q == p || (q == at + 32 && q < end))
        return false;
    if (q == end || *q != '=')
        return true;
    *stop = p + sipws_lowest(outside & (outside - 1));
    if (*stop == at + 32 && *stop < end)
        *stop = sipws_span_more(base, *stop, end, SIPWS_C_HOST);
    return *stop > q + 1;
#else
    (void)base, (void)end;
    return false;
#endif
}

/* Where the line at p ends: at its CR or LF, at end, or before that at an octet up to 13, which
 * hardly any line has. *colon: its first ":", or where none is to be seen easily, any octet before
 * which there is none. Most lines are longer than sixteen octets, and hardly any is longer than 64.
 */
static inline const char *sipws_line(const char *base, const char *p, const char *end,
                                     const char **colon)
{
#if SIPWS_VECTORS && defined(__SSE2__)
    if (end - p >= 64) {
        sipws_octets a = sipws_load_16(p), b = sipws_load_16(p + 16), c = sipws_load_16(p + 32),
                     d = sipws_load_16(p + 48);
        uint64_t colons = sipws_bits((sipws_octets)(a == ':')) |
                          sipws_bits((sipws_octets)(b == ':')) << 16 | UINT64_C(1) << 32;
        uint64_t low =
            sipws_bits((sipws_octets)(a <= 13)) | sipws_bits((sipws_octets)(b <= 13)) << 16 |
            sipws_bits((sipws_octets)(c <= 13)) << 32 | sipws_bits((sipws_octets)(d <= 13)) << 48;
        *colon = p + sipws_lowest(colons);
        return low ? p + sipws_lowest(low) : sipws_span_more(base, p + 64, end, SIPWS_C_LINE);
    }
#endif
    *colon = sipws_span_in(base, p, end, SIPWS_C_TOKEN);
    return sipws_span_in(base, p, end, SIPWS_C_LINE);
}

/* The first octet in [p, end) that is in none of `classes`, or end. */
static inline const char *sipws_span(const char *p, const char *end, uint32_t classes)
{
    return sipws_span_in(p, p, end, classes);
}

/* Steps over the octets of `classes`, as many as there are. */
static inline void sipws_skip(struct sipws_cur *c, uint32_t classes)
{
    c->p = sipws_span_in(c->base, c->p, c->end, classes);
}

/* The first octet in [p, end) that is neither SP nor HTAB, or end. There is mostly one or none. */
static inline const char *sipws_span_wsp(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* LWS = [CRLF] 1*WSP, by erratum 7529. Silent: white space is mostly optional. */
bool sipws_lws(struct sipws_cur *c);

/* SWS = [LWS] */
static inline void sipws_sws(struct sipws_cur *c)
{
    if (c->p < c->end && (unsigned char)*c->p <= ' ')
        (void)sipws_lws(c);
}

/* SWS ch SWS: SEMI, COMMA, SLASH, EQUAL, COLON, LPAREN, RPAREN, STAR. Silent, so that it can ask
 * whether a separator is next. */
bool sipws_sep(struct sipws_cur *c, char ch);

/* The same, where the separator must stand: refuses with SIPWS_E_SEPARATOR where it is missing. */
bool sipws_need(struct sipws_cur *c, char ch, const char *rule);

/* token = 1*( alphanum and some marks ) */
static inline bool sipws_token(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    c->p = sipws_span_in(c->base, start, c->end, SIPWS_C_TOKEN);
    *out = sipws_slice(start, c->p);
    return c->p > start || sipws_fail(c, start, SIPWS_E_TOKEN, "token");
}

/* word = the same with more marks (Call-ID) */
static inline bool sipws_word(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    c->p = sipws_span_32(c->base, start, c->end, SIPWS_C_WORD);
    *out = sipws_slice(start, c->p);
    return c->p > start || sipws_fail(c, start, SIPWS_E_WORD, "word");
}

/* 1*DIGIT, from `min` to `max`. Leading zeros count for nothing. */
bool sipws_number(struct sipws_cur *c, uint64_t min, uint64_t max, uint64_t *out, const char *rule);

/* "%" HEXDIG HEXDIG */
bool sipws_escaped(struct sipws_cur *c);

/* Octets of `classes` and escaped, as many as there are; fails on a broken escape only. */
bool sipws_more_escaped(struct sipws_cur *c, uint32_t classes, const char *start);
static inline bool sipws_span_escaped(struct sipws_cur *c, uint32_t classes)
{
    const char *start = c->p;
    sipws_skip(c, classes);
    return c->p == c->end || *c->p != '%' || sipws_more_escaped(c, classes, start);
}

/* One character above 127, as the grammar of RFC 3261 has it (RFC 2279: up to six octets). */
bool sipws_utf8_nonascii(struct sipws_cur *c);

/* DQUOTE *(qdtext / quoted-pair) DQUOTE; `out` has the quotes. The rule's leading SWS is the
 * caller's. */
bool sipws_quoted_string(struct sipws_cur *c, struct sipws_str *out);

/* comment, from its LPAREN to its RPAREN with the SWS around both. */
bool sipws_comment(struct sipws_cur *c, struct sipws_str *out);

/* [TEXT-UTF8-TRIM] up to the end of the input. */
bool sipws_text_utf8_trim(struct sipws_cur *c, struct sipws_str *out);

/* Names of which none may stand twice: those of the parameters of one element. As there may be
 * SIPWS_MAX_PARAMS, each is compared only with those that have its key. */
struct sipws_names {
    size_t n;
    uint64_t some[4]; /* bit i of the 256: there is a key that ends in i */
    uint64_t key[SIPWS_MAX_PARAMS];
    struct sipws_str name[SIPWS_MAX_PARAMS];
};

/* Whether two names are the same. Such two have the same key. */
typedef bool sipws_same(struct sipws_str a, struct sipws_str b);

/* Starts with no names. */
static inline void sipws_names_init(struct sipws_names *names)
{
    names->n = 0;
    names->some[0] = names->some[1] = names->some[2] = names->some[3] = 0;
}

/* Whether one of the names is the same as `name`. */
bool sipws_names_has(const struct sipws_names *names, struct sipws_str name, uint64_t key,
                     sipws_same *same);

/* Adds `name`, for which there must be room. False: it was there. */
static inline bool sipws_names_add(struct sipws_names *names, struct sipws_str name, uint64_t key,
                                   sipws_same *same)
{
    unsigned hash = (unsigned)(key * SIPWS_GOLDEN >> 56);
    uint64_t bit = UINT64_C(1) << (hash & 63), *some = &names->some[hash >> 6];
    if ((*some & bit) && sipws_names_has(names, name, key, same))
        return false;
    *some |= bit;
    names->key[names->n] = key;
    names->name[names->n++] = name;
    return true;
}

/* Prints `s` with each fold (a line end and the white space after it) as one SP, and without white
 * space at either end (RFC 3261 7.3.1). */
void sipws_put_unfolded(struct sipws_out *o, struct sipws_str s);

/* Reads "%41" and "A" alike: the octet at *p, stepping over it. For validated URI components. */
unsigned char sipws_unescape(const char **p, const char *end, bool *was_escaped);

#ifdef __cplusplus
}
#endif

#endif
