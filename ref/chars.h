/* The alphabets of RFC 3261 section 25.1 as one table: a bit an alphabet.
 *
 * A class holds the plain octets of an ABNF rule. What a rule allows beyond single octets
 * (escaped, UTF8-NONASCII, LWS) is read by the rule's function.
 */
#ifndef SIPWS_CHARS_H
#define SIPWS_CHARS_H

#include "str.h"

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
    SIPWS_C_LINE = 1 << 22       /* any octet but CR, LF and NUL: a line before it is decoded */
};

extern const uint32_t sipws_chars[256];

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

#endif
