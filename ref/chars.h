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
 * some octets too many: sixteen at a time where the compiler knows vectors and the class is one of
 * those that messages are full of, else eight. */

#if defined(__GNUC__) && (defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__)))
/* Whether the compiler knows vectors of sixteen octets. */
#define SIPWS_VECTORS 1
typedef unsigned char sipws_octets __attribute__((vector_size(16)));

/* 255 for each octet of x in `alphabet`, which is a constant and one of those below; 0 for others.
 */
static inline sipws_octets sipws_in(sipws_octets x, uint32_t alphabet)
{
#define TO(lo, hi) ((sipws_octets)((sipws_octets)(x - (lo)) <= (unsigned char)((hi) - (lo))))
#define IS(ch)     ((sipws_octets)(x == (unsigned char)(ch)))
    sipws_octets alpha = (sipws_octets)((sipws_octets)((x | 0x20) - 'a') <= (unsigned char)25);
    switch (alphabet) {
    case SIPWS_C_TOKEN:
        return alpha | TO('0', '9') | (TO('*', '.') & ~IS(',')) | TO('_', '`') | IS('!') | IS('%') |
               IS('\'') | IS('~');
    case SIPWS_C_WORD:
        return alpha | TO('!', '"') | IS('%') | TO('\'', '+') | TO('-', ':') | IS('<') |
               TO('>', '?') | TO('[', ']') | TO('_', '`') | IS('{') | TO('}', '~');
    case SIPWS_C_USER:
        return alpha | TO('&', '9') | IS('!') | IS('$') | IS(';') | IS('=') | IS('?') | IS('_') |
               IS('~');
    case SIPWS_C_PARAM:
        return alpha | TO('&', '+') | TO('-', ':') | IS('!') | IS('$') | IS('[') | IS(']') |
               IS('_') | IS('~');
    case SIPWS_C_HOST:
        return alpha | TO('0', '9') | TO('-', '.');
    case SIPWS_C_URIC:
        return TO('&', ';') | TO('?', 'Z') | TO('a', 'z') | IS('!') | IS('$') | IS('=') | IS('_') |
               IS('~');
    case SIPWS_C_QDTEXT | SIPWS_C_WSP:
        return (TO(' ', '~') & ~IS('"') & ~IS('\\')) | IS('\t');
    case SIPWS_C_CTEXT:
        return TO('!', '~') & ~TO('(', ')') & ~IS('\\');
    case SIPWS_C_TEXT | SIPWS_C_WSP:
        return TO(' ', '~') | IS('\t');
    case SIPWS_C_LINE:
        return ~IS('\r') & ~IS('\n');
    default:
        return x ^ x;
    }
#undef TO
#undef IS
}

/* Whether sipws_in knows it. */
static inline bool sipws_in_vectors(uint32_t alphabet)
{
    return alphabet == SIPWS_C_TOKEN || alphabet == SIPWS_C_WORD || alphabet == SIPWS_C_USER ||
           alphabet == SIPWS_C_PARAM || alphabet == SIPWS_C_HOST || alphabet == SIPWS_C_URIC ||
           alphabet == (SIPWS_C_QDTEXT | SIPWS_C_WSP) || alphabet == SIPWS_C_CTEXT ||
           alphabet == (SIPWS_C_TEXT | SIPWS_C_WSP) || alphabet == SIPWS_C_LINE;
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

/* Which of the sixteen octets at p are outside of `alphabet`. */
static inline uint64_t sipws_outside_16(const char *p, uint32_t alphabet)
{
    return sipws_bits(~sipws_in(sipws_load_16(p), alphabet));
}
#else
/* Whether the compiler knows vectors of sixteen octets. */
#define SIPWS_VECTORS 0
#endif

/* sipws_span_in without vectors. */
const char *sipws_span_8(const char *p, const char *end, uint32_t classes);

#if SIPWS_VECTORS
/* sipws_span_in for a class of sipws_in, where [p, end) has an octet, and there are sixteen before
 * end. */
static inline const char *sipws_span_16(const char *p, const char *end, uint32_t alphabet)
{
    for (;;) {
        const char *at = end - p >= 16 ? p : end - 16;
        uint64_t outside = sipws_outside_16(at, alphabet) >> SIPWS_LANE * (p - at);
        if (outside)
            return p + __builtin_ctzll(outside) / SIPWS_LANE;
        p = at + 16;
        if (p == end)
            return p;
    }
}

/* The same for any such class: what has more than sixteen octets is rarer. */
const char *sipws_span_more(const char *p, const char *end, uint32_t alphabet);
#endif

/* The first octet in [p, end) that is in none of `classes`, or end. All of [base, end) may be
 * looked at, so that the last few octets are as quick as the others. */
static inline const char *sipws_span_in(const char *base, const char *p, const char *end,
                                        uint32_t classes)
{
#if SIPWS_VECTORS
    if (sipws_in_vectors(classes) && end - base >= 16 && p < end) {
        const char *at = end - p >= 16 ? p : end - 16;
        uint64_t outside = sipws_outside_16(at, classes) >> SIPWS_LANE * (p - at);
        if (outside)
            return p + __builtin_ctzll(outside) / SIPWS_LANE;
        p = at + 16;
        return p == end ? p : sipws_span_more(p, end, classes);
    }
#endif
    (void)base;
    return sipws_span_8(p, end, classes);
}

/* How many octets of `alphabet` are at the cursor, where fewer than sixteen are; else -1: many, or
 * not easily told. What is built of it has a way for the most of cases that calls nothing. */
static inline int sipws_few(const struct sipws_cur *c, uint32_t alphabet)
{
#if SIPWS_VECTORS
    if (c->end - c->base >= 16 && c->p < c->end) {
        const char *at = c->end - c->p >= 16 ? c->p : c->end - 16;
        uint64_t outside = sipws_outside_16(at, alphabet) >> SIPWS_LANE * (c->p - at);
        if (outside)
            return __builtin_ctzll(outside) / SIPWS_LANE;
    }
#endif
    (void)c, (void)alphabet;
    return -1;
}

/* The first CR or LF in [p, end), or end: most lines are longer than sixteen octets, and hardly any
 * is longer than 64. */
static inline const char *sipws_line(const char *base, const char *p, const char *end)
{
#if SIPWS_VECTORS && defined(__SSE2__)
    for (; end - p >= 64; p += 64) {
        uint64_t outside = sipws_outside_16(p, SIPWS_C_LINE) |
                           sipws_outside_16(p + 16, SIPWS_C_LINE) << 16 |
                           sipws_outside_16(p + 32, SIPWS_C_LINE) << 32 |
                           sipws_outside_16(p + 48, SIPWS_C_LINE) << 48;
        if (outside)
            return p + __builtin_ctzll(outside);
    }
#endif
#if SIPWS_VECTORS
    if (end - base >= 16 && p < end)
        return sipws_span_16(p, end, SIPWS_C_LINE);
#endif
    (void)base;
    return sipws_span_8(p, end, SIPWS_C_LINE);
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

/* token = 1*( alphanum and some marks ); word = the same with more marks (Call-ID). */
bool sipws_any_token(struct sipws_cur *c, struct sipws_str *out);
static inline bool sipws_token(struct sipws_cur *c, struct sipws_str *out)
{
    int n = sipws_few(c, SIPWS_C_TOKEN);
    if (n <= 0)
        return sipws_any_token(c, out);
    *out = sipws_slice(c->p, c->p + n);
    c->p += n;
    return true;
}

/* word: more octets than a token has; of Call-ID. */
bool sipws_word(struct sipws_cur *c, struct sipws_str *out);

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
 * SIPWS_MAX_PARAMS, each is compared only with those that have its hash. */
struct sipws_names {
    size_t n;
    uint64_t some[4]; /* bit i of the 256: there is a hash that ends in i */
    uint32_t hash[SIPWS_MAX_PARAMS];
    struct sipws_str name[SIPWS_MAX_PARAMS];
};

/* Whether two names are the same. Such two have the same hash. */
typedef bool sipws_same(struct sipws_str a, struct sipws_str b);

/* Starts with no names. */
static inline void sipws_names_init(struct sipws_names *names)
{
    names->n = 0;
    names->some[0] = names->some[1] = names->some[2] = names->some[3] = 0;
}

/* Whether one of the names is the same as `name`. */
bool sipws_names_has(const struct sipws_names *names, struct sipws_str name, uint32_t hash,
                     sipws_same *same);

/* Adds `name`, for which there must be room. False: it was there. */
static inline bool sipws_names_add(struct sipws_names *names, struct sipws_str name, uint32_t hash,
                                   sipws_same *same)
{
    uint64_t bit = UINT64_C(1) << (hash & 63), *some = &names->some[hash >> 6 & 3];
    if ((*some & bit) && sipws_names_has(names, name, hash, same))
        return false;
    *some |= bit;
    names->hash[names->n] = hash;
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
