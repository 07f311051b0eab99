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

/* Whether what sipws_in gives is a part of `classes`. */
static inline bool sipws_in_knows(uint32_t classes)
{
    return classes == SIPWS_C_LINE ||
           (classes & (SIPWS_C_HOST | SIPWS_C_TOKEN | SIPWS_C_WORD | SIPWS_C_UNRESERVED |
                       SIPWS_C_USER | SIPWS_C_PASSWORD | SIPWS_C_PARAM | SIPWS_C_HNV |
                       SIPWS_C_SCHEME | SIPWS_C_URIC | SIPWS_C_PCHAR | SIPWS_C_REG_NAME |
                       SIPWS_C_QDTEXT | SIPWS_C_CTEXT | SIPWS_C_TEXT | SIPWS_C_REASON)) != 0;
}

/* Whether the compiler knows vectors of sixteen octets. */
#ifndef SIPWS_VECTORS
#if defined(__GNUC__) && (defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__)))
#define SIPWS_VECTORS 1
#else
#define SIPWS_VECTORS 0
#endif
#endif

#if SIPWS_VECTORS
typedef unsigned char sipws_octets __attribute__((vector_size(16)));
typedef signed char sipws_signed_octets __attribute__((vector_size(16)));

/* 255 for each octet of x from lo to hi, which are constants, or that is ch; 0 for others. Moved to
 * the top of what a signed octet can be, a range is one comparison. */
#define SIPWS_TO(x, lo, hi)                                                                        \
    ((sipws_octets)((sipws_signed_octets)((x) + (unsigned char)(0x7F - (hi))) >                    \
                    (signed char)(0x7E - (hi) + (lo))))
#define SIPWS_IS(x, ch) ((sipws_octets)((x) == (unsigned char)(ch)))

/* The same for octets that are of a part of the class `of`, a constant: of all of it for text and
 * quoted text, those above 13 for lines, else of SIPWS_C_HOST. */
static inline sipws_octets sipws_in(sipws_octets x, uint32_t of)
{
    if (of == (SIPWS_C_TEXT | SIPWS_C_WSP))
        return SIPWS_TO(x, ' ', '~') | SIPWS_IS(x, '\t');
    if (of == (SIPWS_C_QDTEXT | SIPWS_C_WSP))
        return (SIPWS_TO(x, ' ', '~') & ~(SIPWS_IS(x, '"') | SIPWS_IS(x, '\\'))) |
               SIPWS_IS(x, '\t');
    if (of == SIPWS_C_LINE)
        return ~SIPWS_TO(x, 0, 13);
    return SIPWS_TO(x | 0x20, 'a', 'z') | (SIPWS_TO(x, '-', '9') & ~SIPWS_IS(x, '/'));
}

/* A bit for each octet that is 255 and not 0, the first one's the lowest. */
static inline uint64_t sipws_bits(sipws_octets x)
{
#if defined(__SSE2__)
    typedef char octets __attribute__((vector_size(16)));
    return (uint64_t)(unsigned)__builtin_ia32_pmovmskb128((octets)x);
#else
    const sipws_octets weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint64_t half[2]; /* the product has the sum of its octets on top */
    x &= weights;
    memcpy(half, &x, sizeof half);
    return half[0] * SIPWS_ONES >> 56 | half[1] * SIPWS_ONES >> 56 << 8;
#endif
}

/* Sixteen octets of any alignment. */
static inline sipws_octets sipws_load_16(const char *p)
{
    sipws_octets x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* Which of the sixteen octets at p are inside of sipws_in. */
static inline uint64_t sipws_inside_16(const char *p, uint32_t of)
{
    return sipws_bits(sipws_in(sipws_load_16(p), of));
}

/* The same of 64 octets. */
static inline uint64_t sipws_inside_64(const char *p, uint32_t of)
{
    return sipws_inside_16(p, of) | sipws_inside_16(p + 16, of) << 16 |
           sipws_inside_16(p + 32, of) << 32 | sipws_inside_16(p + 48, of) << 48;
}

/* Which of the 64 octets at p are below 14. */
static inline uint64_t sipws_low_64(const char *p)
{
    return sipws_bits(SIPWS_TO(sipws_load_16(p), 0, 13)) |
           sipws_bits(SIPWS_TO(sipws_load_16(p + 16), 0, 13)) << 16 |
           sipws_bits(SIPWS_TO(sipws_load_16(p + 32), 0, 13)) << 32 |
           sipws_bits(SIPWS_TO(sipws_load_16(p + 48), 0, 13)) << 48;
}

/* Which of the 32 octets at p are colons. */
static inline uint32_t sipws_colons_32(const char *p)
{
    return (uint32_t)(sipws_bits(SIPWS_IS(sipws_load_16(p), ':')) |
                      sipws_bits(SIPWS_IS(sipws_load_16(p + 16), ':')) << 16);
}

#endif

/* The first octet in [p, end) that is in none of `classes`, or end: without vectors. */
const char *sipws_span_8(const char *p, const char *end, uint32_t classes);

/* The first octet from p on, and before the cursor's end, that is in none of `classes`, or that
 * end: for what is long, has octets outside of sipws_in, or is near the limit. */
const char *sipws_span_more(const struct sipws_cur *c, const char *p, uint32_t classes);

/* The same, for a constant. */
static inline const char *sipws_span_at(const struct sipws_cur *c, const char *p, uint32_t classes)
{
#if SIPWS_VECTORS
    if (sipws_in_knows(classes) && SIPWS_MOSTLY(c->limit - p >= 64)) {
        if (classes == SIPWS_C_LINE) { /* most lines are long */
            uint64_t low = sipws_low_64(p);
            p += low ? sipws_lowest(low) : 64;
        } else {
            p += sipws_lowest(~sipws_inside_16(p, classes));
        }
        if (SIPWS_SELDOM(p >= c->end))
            return c->end;
        return SIPWS_SELDOM(sipws_is(*p, classes)) ? sipws_span_more(c, p, classes) : p;
    }
#endif
    return sipws_span_more(c, p, classes);
}

/* The end of the octets of SIPWS_C_HOST from p on, which is not before the cursor's window. The
 * window is opened, and moves on, as needed: where one run ends the next begins, and to load octets
 * and compare them takes longer than all else, so it is done for many of them at once. */
const char *sipws_run_on(struct sipws_cur *c, const char *p);

/* The same, where most runs end within the window. */
static inline const char *sipws_run(struct sipws_cur *c, const char *p)
{
    uintptr_t i = (uintptr_t)p - (uintptr_t)c->window.p;
    if (SIPWS_SELDOM(i >= 64 || c->window.outside >> i == 0))
        return sipws_run_on(c, p);
    p += sipws_lowest(c->window.outside >> i);
    return SIPWS_MOSTLY(p < c->end) ? p : c->end;
}

/* name [ "=" value ] at p, both of octets of SIPWS_C_HOST, which most parameters are. *equal:
 * behind the name; *stop: behind all. What stands there the caller looks at. False: it is something
 * else. */
static inline bool sipws_plain_param(struct sipws_cur *c, const char *p, const char **equal,
                                     const char **stop)
{
    const char *q = *equal = *stop = sipws_run(c, p);
    if (SIPWS_SELDOM(q == p))
        return false;
    if (q == c->end || *q != '=')
        return true;
    *stop = sipws_run(c, q + 1);
    return *stop > q + 1;
}

/* Which octets of a line are below 14, and which are colons; of the last few before the end of the
 * input, that is not told. */
struct sipws_marks {
    uint64_t low;
    uint64_t colons;
};

/* Those of what has fewer octets than 66, or none. All of [base, end) may be looked at. */
struct sipws_marks sipws_last_marks(const char *base, const char *p, const char *end);

/* The line at p has octets above 13 and CRLF; what is behind it does not continue it; and it has a
 * colon among its first 32 octets, but not as the first. False: it may be another one. Whether the
 * line ends where it should does not wait for the colon, nor the next line for either. */
static inline bool sipws_plain_line(const char *base, const char *p, const char *end,
                                    const char **colon, const char **cr)
{
#if SIPWS_VECTORS
    const char *q = p;
    struct sipws_marks m;
    if (SIPWS_MOSTLY(end - p >= 66)) {
        m.colons = sipws_colons_32(p);
        m.low = sipws_low_64(p);
        while (SIPWS_SELDOM(m.low == 0) && end - q > 64) {
            q += 64;
            m.low = end - q >= 66 ? sipws_low_64(q) : sipws_last_marks(base, q, end).low;
        }
    } else {
        m = sipws_last_marks(base, p, end);
    }
    if (SIPWS_SELDOM(m.low == 0 || m.colons == 0 || (m.colons & 1)))
        return false;
    *colon = p + sipws_lowest(m.colons);
    *cr = q + sipws_lowest(m.low);
    return SIPWS_MOSTLY(*colon < *cr && memcmp(*cr, "\r\n", 2) == 0 &&
                        ((*cr)[2] > ' ' || (*cr)[2] == '\r'));
#else
    (void)base, (void)p, (void)end, (void)colon, (void)cr;
    return false;
#endif
}

/* The first octet in [p, end) that is in none of `classes`, or end. */
static inline const char *sipws_span(const char *p, const char *end, uint32_t classes)
{
    struct sipws_cur c = sipws_cur_in(p, p, end, NULL, 0);
    return sipws_span_at(&c, p, classes);
}

/* Steps over the octets of `classes`, a constant, as many as there are. */
SIPWS_INLINE void sipws_skip(struct sipws_cur *c, uint32_t classes)
{
    bool text = classes == SIPWS_C_LINE || (classes & SIPWS_C_WSP) != 0;
    if (text || !sipws_in_knows(classes)) {
        c->p = sipws_span_at(c, c->p, classes);
        return;
    }
    const char *p = sipws_run(c, c->p);
    if (p < c->end && SIPWS_SELDOM(sipws_is(*p, classes)))
        p = sipws_span_more(c, p, classes);
    c->p = p;
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
    if (c->p < c->end && SIPWS_SELDOM((unsigned char)*c->p <= ' '))
        (void)sipws_lws(c);
}

/* The octet behind SWS, or -1 at the end. The cursor stays. */
static inline int sipws_peek_sws(struct sipws_cur *c)
{
    const char *start = c->p;
    sipws_sws(c);
    int ch = sipws_peek(c);
    c->p = start;
    return ch;
}

/* SWS ch SWS: SEMI, COMMA, SLASH, EQUAL, COLON, LPAREN, RPAREN, STAR. Silent, so that it can ask
 * whether a separator is next. */
bool sipws_any_sep(struct sipws_cur *c, char ch);

/* The same, where there mostly is no white space. */
static inline bool sipws_sep(struct sipws_cur *c, char ch)
{
    if (SIPWS_MOSTLY(c->end - c->p >= 2 && *c->p == ch && (unsigned char)c->p[1] > ' ')) {
        c->p++;
        return true;
    }
    return sipws_any_sep(c, ch);
}

/* The same, where the separator must stand: refuses with SIPWS_E_SEPARATOR where it is missing. */
bool sipws_need(struct sipws_cur *c, char ch, const char *rule);

/* token = 1*( alphanum and some marks ) */
SIPWS_INLINE bool sipws_token(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    sipws_skip(c, SIPWS_C_TOKEN);
    *out = sipws_slice(start, c->p);
    if (SIPWS_SELDOM(c->p == start))
        return sipws_fail(c, start, SIPWS_E_TOKEN, "token");
    return true;
}

/* The same, where hardly anything else of the kind is near: no window is opened. */
static inline bool sipws_lone_token(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    c->p = sipws_span_at(c, start, SIPWS_C_TOKEN);
    *out = sipws_slice(start, c->p);
    if (SIPWS_SELDOM(c->p == start))
        return sipws_fail(c, start, SIPWS_E_TOKEN, "token");
    return true;
}

/* word = the same with more marks (Call-ID) */
static inline bool sipws_word(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    sipws_skip(c, SIPWS_C_WORD);
    *out = sipws_slice(start, c->p);
    return c->p > start || sipws_fail(c, start, SIPWS_E_WORD, "word");
}

/* 1*DIGIT, from `min` to `max`. Leading zeros count for nothing. */
bool sipws_number(struct sipws_cur *c, uint64_t min, uint64_t max, uint64_t *out, const char *rule);

/* "%" HEXDIG HEXDIG */
bool sipws_escaped(struct sipws_cur *c);

/* Octets of `classes` and escaped, as many as there are; fails on a broken escape only. */
bool sipws_more_escaped(struct sipws_cur *c, uint32_t classes, const char *start);
SIPWS_INLINE bool sipws_span_escaped(struct sipws_cur *c, uint32_t classes)
{
    const char *start = c->p;
    sipws_skip(c, classes);
    return c->p == c->end || *c->p != '%' || sipws_more_escaped(c, classes, start);
}

/* IPv4address in [p, end): the octet behind it, or NULL with *bad at the offending octet. RFC 3986
 * 3.2.2. */
const char *sipws_ipv4_address(const char *p, const char *end, unsigned char addr[4],
                               const char **bad);

/* IPv6address in the same way. The rule of RFC 5954 4.1 in words: eight groups of one to four
 * digits, of which "::" may stand for one or more once, and the last two may be an IPv4address. */
const char *sipws_ipv6_address(const char *p, const char *end, unsigned char addr[16],
                               const char **bad);

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
    if (SIPWS_SELDOM(*some & bit) && sipws_names_has(names, name, key, same))
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
