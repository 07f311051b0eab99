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

/* The first octet in [p, end) that is in none of `classes`, or end. */
static inline const char *sipws_span(const char *p, const char *end, uint32_t classes)
{
    while (p < end && sipws_is(*p, classes))
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
bool sipws_token(struct sipws_cur *c, struct sipws_str *out);
bool sipws_word(struct sipws_cur *c, struct sipws_str *out);

/* 1*DIGIT, from `min` to `max`. Leading zeros count for nothing. */
bool sipws_number(struct sipws_cur *c, uint64_t min, uint64_t max, uint64_t *out, const char *rule);

/* "%" HEXDIG HEXDIG */
bool sipws_escaped(struct sipws_cur *c);

/* Octets of `classes` and escaped, as many as there are; fails on a broken escape only. */
bool sipws_span_escaped(struct sipws_cur *c, uint32_t classes);

/* One character above 127, as the grammar of RFC 3261 has it (RFC 2279: up to six octets). */
bool sipws_utf8_nonascii(struct sipws_cur *c);

/* DQUOTE *(qdtext / quoted-pair) DQUOTE; `out` has the quotes. The rule's leading SWS is the
 * caller's. */
bool sipws_quoted_string(struct sipws_cur *c, struct sipws_str *out);

/* comment, from its LPAREN to its RPAREN with the SWS around both. */
bool sipws_comment(struct sipws_cur *c, struct sipws_str *out);

/* [TEXT-UTF8-TRIM] up to the end of the input. */
bool sipws_text_utf8_trim(struct sipws_cur *c, struct sipws_str *out);

/* Prints `s` with each fold (a line end and the white space after it) as one SP, and without white
 * space at either end (RFC 3261 7.3.1). */
void sipws_put_unfolded(struct sipws_out *o, struct sipws_str s);

/* Reads "%41" and "A" alike: the octet at *p, stepping over it. For validated URI components. */
unsigned char sipws_unescape(const char **p, const char *end, bool *was_escaped);

#ifdef __cplusplus
}
#endif

#endif
