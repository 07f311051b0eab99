#include "chars.h"
#include "plant.h"

/* Short names for the table below only. */
enum {
    TOK = SIPWS_C_TOKEN,
    WRD = SIPWS_C_WORD,
    USR = SIPWS_C_USER,
    PWD = SIPWS_C_PASSWORD,
    PAR = SIPWS_C_PARAM,
    HNV = SIPWS_C_HNV,
    HST = SIPWS_C_HOST,
    SCH = SIPWS_C_SCHEME,
    URC = SIPWS_C_URIC,
    PCH = SIPWS_C_PCHAR,
    REG = SIPWS_C_REG_NAME,
    QDT = SIPWS_C_QDTEXT,
    CTX = SIPWS_C_CTEXT,
    RSN = SIPWS_C_REASON,
    TEL = SIPWS_C_PHONE,
    LIN = SIPWS_C_LINE,

    /* Every printable ASCII octet is TEXT; all but a few are QDT and CTX too. */
    PRINT = SIPWS_C_TEXT | LIN,
    PLAIN = PRINT | QDT | CTX,
    /* unreserved octets are in every alphabet of a URI */
    UNRES = PLAIN | SIPWS_C_UNRESERVED | USR | PWD | PAR | HNV | URC | PCH | REG | RSN,
    ALNUM = UNRES | TOK | WRD | HST | SCH,
    DIGIT = ALNUM | SIPWS_C_DIGIT | SIPWS_C_HEXDIG | SIPWS_C_LHEX | TEL,
    ALPHA = ALNUM | SIPWS_C_ALPHA,
    UPHEX = ALPHA | SIPWS_C_HEXDIG,
    LOHEX = UPHEX | SIPWS_C_LHEX,
    RESRV = PLAIN | URC | RSN,
    HIGH = LIN
};

#define ROW16(x) x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x

/* clang-format off */
const uint32_t sipws_chars[256] = {
    /* 00 */ LIN, LIN, LIN, LIN, LIN, LIN, LIN, LIN,
    /* 08 */ LIN, SIPWS_C_WSP | RSN | LIN, 0, LIN, LIN, 0, LIN, LIN,
    /* 10 */ ROW16(LIN),
    /* SP */ SIPWS_C_WSP | RSN | LIN,
    /* !  */ UNRES | TOK | WRD,
    /* "  */ PRINT | CTX | WRD,
    /* #  */ PLAIN,
    /* $  */ RESRV | USR | PWD | PAR | HNV | PCH | REG,
    /* %  */ PLAIN | TOK | WRD,
    /* &  */ RESRV | USR | PWD | PAR | PCH | REG,
    /* '  */ UNRES | TOK | WRD,
    /* (  */ (UNRES & ~(uint32_t)CTX) | WRD | TEL,
    /* )  */ (UNRES & ~(uint32_t)CTX) | WRD | TEL,
    /* *  */ UNRES | TOK | WRD,
    /* +  */ RESRV | TOK | WRD | USR | PWD | PAR | HNV | SCH | PCH | REG,
    /* ,  */ RESRV | USR | PWD | PCH | REG,
    /* -  */ UNRES | TOK | WRD | HST | SCH | TEL,
    /* .  */ UNRES | TOK | WRD | HST | SCH | TEL,
    /* /  */ RESRV | WRD | USR | PAR | HNV,
    /* 0  */ DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT, DIGIT,
    /* :  */ RESRV | WRD | PAR | HNV | PCH | REG,
    /* ;  */ RESRV | USR | REG,
    /* <  */ PLAIN | WRD,
    /* =  */ RESRV | USR | PWD | PCH | REG,
    /* >  */ PLAIN | WRD,
    /* ?  */ RESRV | WRD | USR | HNV,
    /* @  */ RESRV | PCH | REG,
    /* A  */ UPHEX, UPHEX, UPHEX, UPHEX, UPHEX, UPHEX,
    /* G  */ ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA,
    /* Q  */ ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA,
    /* [  */ PLAIN | WRD | PAR | HNV,
    /* \  */ PRINT | WRD,
    /* ]  */ PLAIN | WRD | PAR | HNV,
    /* ^  */ PLAIN,
    /* _  */ UNRES | TOK | WRD,
    /* `  */ PLAIN | TOK | WRD,
    /* a  */ LOHEX, LOHEX, LOHEX, LOHEX, LOHEX, LOHEX,
    /* g  */ ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA,
    /* q  */ ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA, ALPHA,
    /* {  */ PLAIN | WRD,
    /* |  */ PLAIN,
    /* }  */ PLAIN | WRD,
    /* ~  */ UNRES | TOK | WRD,
    /* 7F */ LIN,
    /* 80 */ ROW16(HIGH), ROW16(HIGH), ROW16(HIGH), ROW16(HIGH),
    /* C0 */ ROW16(HIGH), ROW16(HIGH), ROW16(HIGH), ROW16(HIGH),
};
/* clang-format on */

#if SIPWS_VECTORS
/* Near the end, how many octets before p the last `n` before it begin, of which there are so many;
 * else 0. */
static inline unsigned octets_before(const char *p, const char *end, int n)
{
    return end - p < n ? (unsigned)(p + n - end) : 0;
}

/* Sixteen at a time what sipws_in has, and a few one by one where it stops. */
static inline const char *span_16(const struct sipws_cur *c, const char *p, uint32_t classes,
                                  uint32_t of)
{
    for (;;) {
        unsigned before = octets_before(p, c->limit, 16);
        unsigned n = sipws_lowest(~(sipws_inside_16(p - before, of) >> before));
        p += n;
        if (p >= c->end)
            return c->end;
        for (unsigned i = 0; i < 8 && n < 16; i++, p++)
            if (p == c->end || !sipws_is(*p, classes))
                return p;
    }
}
#endif

const char *sipws_span_more(const struct sipws_cur *c, const char *p, uint32_t classes)
{
#if SIPWS_VECTORS
    if (sipws_in_knows(classes) && c->limit - c->base >= 16)
        switch (classes) {
        case SIPWS_C_TEXT | SIPWS_C_WSP:
            return span_16(c, p, classes, SIPWS_C_TEXT | SIPWS_C_WSP);
        case SIPWS_C_QDTEXT | SIPWS_C_WSP:
            return span_16(c, p, classes, SIPWS_C_QDTEXT | SIPWS_C_WSP);
        case SIPWS_C_LINE:
            return span_16(c, p, classes, SIPWS_C_LINE);
        default:
            return span_16(c, p, classes, SIPWS_C_HOST);
        }
#endif
    return sipws_span_8(p, c->end, classes);
}

#if SIPWS_VECTORS
struct sipws_marks sipws_last_marks(const char *base, const char *p, const char *end)
{
    struct sipws_marks m = {0, 0};
    if (end - base < 64 || end - p < 8)
        return m;
    unsigned before = octets_before(p, end, 64);
    const char *at = p - before;
    m.low = (sipws_low_64(at) & ~UINT64_C(0) >> 2) >> before;
    m.colons = (sipws_colons_32(at) | (uint64_t)sipws_colons_32(at + 32) << 32) >> before;
    return m;
}
#endif

const char *sipws_span_8(const char *p, const char *end, uint32_t classes)
{
    for (; end - p >= 8; p += 8) {
        unsigned within = 0; /* bit i: p[i] is in one of them */
        for (unsigned i = 0; i < 8; i++)
            within |= (unsigned)sipws_is(p[i], classes) << i;
        if (within != 0xFF)
            break;
    }
    while (p < end && sipws_is(*p, classes))
        p++;
    return p;
}

const char *sipws_run_on(struct sipws_cur *c, const char *p)
{
    for (;; p += 64) {
        uint64_t inside = 0;
        ptrdiff_t left = c->limit - p;
#if SIPWS_VECTORS
        if (SIPWS_MOSTLY(left >= 64))
            inside = sipws_inside_64(p, SIPWS_C_HOST);
        else if (left > 0 && c->limit - c->base >= 64)
            inside = sipws_inside_64(c->limit - 64, SIPWS_C_HOST) >> (64 - left);
        else
#endif
            for (unsigned i = 0; i < 64 && i < left; i++)
                inside |= (uint64_t)sipws_is(p[i], SIPWS_C_HOST) << i;
        c->window.p = p;
        c->window.outside = ~inside;
        const char *stop = p + (~inside ? sipws_lowest(~inside) : 64);
        if (SIPWS_MOSTLY(~inside) || stop >= c->end)
            return SIPWS_MOSTLY(stop < c->end) ? stop : c->end;
    }
}

/* The octets of a line end at p that a fold may stand on: CRLF, or LF where that is allowed. */
static size_t line_end(const struct sipws_cur *c, const char *p)
{
    if (c->end - p >= 2 && p[0] == '\r' && p[1] == '\n')
        return 2;
    if ((c->allow & SIPWS_ALLOW_BARE_LF) && p < c->end && *p == '\n')
        return 1;
    return 0;
}

bool sipws_lws(struct sipws_cur *c)
{
    const char *p = sipws_span_wsp(c->p, c->end);
    if (p == c->p || (c->allow & SIPWS_ALLOW_TRAILING_WSP)) {
        const char *next = p + line_end(c, p);
        const char *after = sipws_span_wsp(next, c->end);
        if (after > next)
            p = after;
    }
    if (p == c->p)
        return false;
    c->p = p;
    return true;
}

bool sipws_any_sep(struct sipws_cur *c, char ch)
{
    const char *start = c->p;
    sipws_sws(c);
    if (SIPWS_PLANT_IF(EQUAL_TIGHT, ch == '=' && sipws_peek(c) == '=' && c->p != start))
        return sipws_back(c, start);
    if (!sipws_take(c, ch))
        return sipws_back(c, start);
    sipws_sws(c);
    return true;
}

bool sipws_need(struct sipws_cur *c, char ch, const char *rule)
{
    if (sipws_sep(c, ch))
        return true;
    struct sipws_cur at = *c;
    sipws_sws(&at);
    return sipws_fail(c, at.p, SIPWS_E_SEPARATOR, rule);
}

/* Digits one by one: any count of them. */
static bool any_number(struct sipws_cur *c, uint64_t min, uint64_t max, uint64_t *out,
                       const char *rule)
{
    const char *p = c->p;
    uint64_t value = 0;
    bool over = false;
    for (; p < c->end && sipws_is(*p, SIPWS_C_DIGIT); p++) {
        unsigned digit = (unsigned char)*p - (unsigned char)'0';
        if (p - c->p >= 19 && value > (UINT64_MAX - digit) / 10) /* nineteen digits always fit */
            over = !SIPWS_PLANT(NUMBER_WRAP);
        value = value * 10 + digit;
    }
    if (p == c->p)
        return sipws_fail(c, p, SIPWS_E_NUMBER, rule);
    if (over && max == UINT64_MAX)
        return sipws_fail(c, c->p, SIPWS_E_LIMIT_NUMBER, rule);
    if (over || value < min || value > max)
        return sipws_fail(c, c->p, SIPWS_E_NUMBER_RANGE, rule);
    *out = value;
    c->p = p;
    return true;
}

/* The same, of up to seven at once. Which octets are digits is told without a loop, and their value
 * is that of pairs of digits, of pairs of these, and of both fours. */
bool sipws_number(struct sipws_cur *c, uint64_t min, uint64_t max, uint64_t *out, const char *rule)
{
    if (SIPWS_SELDOM(c->limit - c->p < 8))
        return any_number(c, min, max, out, rule);
    uint64_t w = sipws_eight(c->p) ^ SIPWS_ONES * '0'; /* a digit is now from 0 to 9 */
    uint64_t other = (w | ((w & SIPWS_ONES * 0x7F) + SIPWS_ONES * (0x80 - 10))) & SIPWS_ONES * 0x80;
    size_t n = other ? sipws_lowest(other) / 8 : 8;
    n = n < sipws_left(c) ? n : sipws_left(c);
    if (SIPWS_SELDOM(n == 0 || n == 8))
        return any_number(c, min, max, out, rule);
    w <<= 64 - 8 * n;
    w = (w * 10 + (w >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
    w = (w * 100 + (w >> 16)) & UINT64_C(0x0000FFFF0000FFFF);
    w = (w * 10000 + (w >> 32)) & UINT32_MAX;
    if (SIPWS_SELDOM(w < min || w > max))
        return any_number(c, min, max, out, rule);
    *out = w;
    c->p += n;
    return true;
}

bool sipws_escaped(struct sipws_cur *c)
{
    const char *p = c->p;
    if (p == c->end || *p != '%')
        return sipws_fail(c, p, SIPWS_E_URI_ESCAPE, "escaped");
    for (p++; p < c->p + 3; p++)
        if (p == c->end || !sipws_is(*p, SIPWS_C_HEXDIG))
            return sipws_fail(c, p, SIPWS_E_URI_ESCAPE, "escaped");
    c->p = p;
    return true;
}

bool sipws_more_escaped(struct sipws_cur *c, uint32_t classes, const char *start)
{
    while (c->p < c->end && *c->p == '%') {
        if (!sipws_escaped(c))
            return sipws_back(c, start);
        sipws_skip(c, classes);
    }
    return true;
}

/* dec-octet: 0 to 255 without leading zeros; NULL: none. */
static inline const char *dec_octet(const char *p, const char *end, unsigned char *out)
{
#define DIGIT(i) ((unsigned)(unsigned char)p[i] - '0')
    unsigned value;
    if (p == end || (value = DIGIT(0)) > 9)
        return NULL;
    if (value > 0 && end - p > 1 && DIGIT(1) <= 9) {
        value = value * 10 + DIGIT(1);
        if (end - p > 2 && DIGIT(2) <= 9 && value * 10 + DIGIT(2) <= 255) {
            value = value * 10 + DIGIT(2);
            p++;
        }
        p++;
    }
#undef DIGIT
    *out = (unsigned char)value;
    return p + 1;
}

const char *sipws_ipv4_address(const char *p, const char *end, unsigned char addr[4],
                               const char **bad)
{
    for (int i = 0; i < 4; i++) {
        *bad = p;
        if (i > 0 && (p == end || *p != '.'))
            return NULL;
        *bad = p += i > 0 ? 1 : 0;
        p = dec_octet(p, end, &addr[i]);
        if (!p)
            return NULL;
    }
    return p;
}

const char *sipws_ipv6_address(const char *p, const char *end, unsigned char addr[16],
                               const char **bad)
{
    unsigned char group[16];
    int n = 0, gap = -1;
    bool colon = false; /* a single ":" wants a group */
    if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
        gap = 0;
        p += 2;
    }
    while (gap < 0 || n < 7) {
        const char *digits = p;
        unsigned value = 0;
        while (p < end && p < digits + 4 && sipws_is(*p, SIPWS_C_HEXDIG)) {
            bool escaped;
            char hex[3] = {'%', '0', *p++};
            const char *h = hex;
            value = value << 4 | sipws_unescape(&h, hex + 3, &escaped);
        }
        *bad = p;
        if (p == digits) {
            if (colon || (n == 0 && gap < 0))
                return NULL;
            break;
        }
        if (p < end && *p == '.' && n <= 6 - (gap >= 0 ? 1 : 0) && (gap >= 0 || n == 6)) {
            const char *after = sipws_ipv4_address(digits, end, &group[2 * n], bad);
            if (!after)
                return NULL;
            n += 2;
            p = after;
            break;
        }
        group[2 * n] = (unsigned char)(value >> 8);
        group[2 * n + 1] = (unsigned char)value;
        n++;
        colon = false;
        if (p == end || *p != ':' || n == (gap < 0 ? 8 : 7))
            break;
        if (end - p >= 2 && p[1] == ':') {
            if (gap >= 0) {
                *bad = p + 1;
                return NULL;
            }
            gap = n;
            p += 2;
        } else {
            colon = true;
            p++;
        }
    }
    *bad = p;
    if (gap < 0 ? n != 8 : n > 7)
        return NULL;
    memset(addr, 0, 16);
    size_t head = gap < 0 ? 16 : (size_t)gap * 2;
    size_t tail = (size_t)n * 2 - (gap < 0 ? (size_t)n * 2 : head);
    memcpy(addr, group, gap < 0 ? 16 : head);
    memcpy(addr + 16 - tail, group + head, tail);
    return p;
}

bool sipws_utf8_nonascii(struct sipws_cur *c)
{
    unsigned char lead = c->p < c->end ? (unsigned char)*c->p : 0;
    int cont = lead < 0xC0   ? 0
               : lead < 0xE0 ? 1
               : lead < 0xF0 ? 2
               : lead < 0xF8 ? 3
               : lead < 0xFC ? 4
               : lead < 0xFE ? 5
                             : 0;
    const char *p = c->p;
    if (cont == 0)
        return sipws_fail(c, p, SIPWS_E_UTF8, "UTF8-NONASCII");
    for (p++; cont > 0; cont--, p++)
        if (p == c->end || ((unsigned char)*p & 0xC0) != 0x80)
            return sipws_fail(c, p, SIPWS_E_UTF8, "UTF8-CONT");
    c->p = p;
    return true;
}

/* What may follow a backslash: %x00-09 / %x0B-0C / %x0E-7F */
static bool quoted_pair(struct sipws_cur *c)
{
    const char *p = c->p + 1;
    if ((p == c->end && !SIPWS_PLANT(QUOTE_PAST_END)) || *p == '\r' || *p == '\n' ||
        ((unsigned char)*p & 0x80))
        return sipws_fail(c, p, SIPWS_E_QUOTED_OCTET, "quoted-pair");
    c->p = p + 1;
    return true;
}

bool sipws_quoted_string(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    if (!sipws_take(c, '"'))
        return sipws_fail(c, start, SIPWS_E_QUOTE, "quoted-string");
    for (;;) {
        sipws_skip(c, SIPWS_C_QDTEXT | SIPWS_C_WSP);
        int ch = sipws_peek(c);
        bool ok = true;
        if (ch == '"')
            break;
        if (ch < 0)
            ok = sipws_fail(c, c->p, SIPWS_E_QUOTE, "quoted-string");
        else if (ch == '\\')
            ok = quoted_pair(c);
        else if (ch >= 0x80)
            ok = sipws_utf8_nonascii(c);
        else if (!sipws_lws(c))
            ok = sipws_fail(c, c->p, SIPWS_E_QUOTED_OCTET, "qdtext");
        if (!ok)
            return sipws_back(c, SIPWS_PLANT_IF(QUOTE_MOVES, c->p != start) ? c->p : start);
    }
    c->p++;
    *out = sipws_slice(start, c->p);
    return true;
}

bool sipws_comment(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    unsigned depth = 0;
    if (!sipws_sep(c, '('))
        return sipws_fail(c, start, SIPWS_E_COMMENT, "comment");
    for (depth = 1; depth > 0;) {
        sipws_skip(c, SIPWS_C_CTEXT);
        int ch = sipws_peek(c);
        bool ok = true;
        if (ch < 0)
            ok = sipws_fail(c, c->p, SIPWS_E_COMMENT, "comment");
        else if (ch == '(' && ++depth > SIPWS_MAX_COMMENT_DEPTH)
            ok = sipws_fail(c, c->p, SIPWS_E_LIMIT_COMMENT, "comment");
        else if (ch == '(' || ch == ')')
            c->p++, depth -= ch == ')';
        else if (ch == '\\')
            ok = quoted_pair(c);
        else if (ch >= 0x80)
            ok = sipws_utf8_nonascii(c);
        else if (!sipws_lws(c))
            ok = sipws_fail(c, c->p, SIPWS_E_COMMENT, "ctext");
        if (!ok)
            return sipws_back(c, start);
    }
    *out = sipws_slice(start, c->p);
    sipws_sws(c);
    return true;
}

bool sipws_text_utf8_trim(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p, *trimmed = start;
    if (c->p < c->end && (sipws_is(*c->p, SIPWS_C_WSP) || *c->p == '\r' || *c->p == '\n'))
        return sipws_fail(c, c->p, SIPWS_E_LWS, "TEXT-UTF8-TRIM");
    while (c->p < c->end) {
        const char *from = c->p, *text;
        sipws_skip(c, SIPWS_C_TEXT | SIPWS_C_WSP);
        for (text = c->p; text > from && sipws_is(text[-1], SIPWS_C_WSP); text--)
            ;
        trimmed = text > from ? text : trimmed;
        if (c->p == c->end || sipws_lws(c))
            continue;
        bool ok = ((unsigned char)*c->p & 0x80) ||
                  sipws_fail(c, c->p, SIPWS_E_FIELD_VALUE, "TEXT-UTF8-TRIM");
        while (ok && c->p < c->end && ((unsigned char)*c->p & 0x80))
            ok = sipws_utf8_nonascii(c);
        if (!ok)
            return sipws_back(c, start);
        trimmed = c->p;
    }
    if (trimmed < c->p && !(c->allow & SIPWS_ALLOW_TRAILING_WSP)) {
        sipws_fail(c, trimmed, SIPWS_E_LWS, "TEXT-UTF8-TRIM");
        return sipws_back(c, start);
    }
    *out = sipws_slice(start, trimmed);
    return true;
}

bool sipws_names_has(const struct sipws_names *names, struct sipws_str name, uint64_t key,
                     sipws_same *same)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->key[i] == key && same(names->name[i], name))
            return true;
    return false;
}

static bool blank(char ch)
{
    return ch == '\r' || ch == '\n' || sipws_is(ch, SIPWS_C_WSP);
}

void sipws_put_unfolded(struct sipws_out *o, struct sipws_str s)
{
    const char *p = s.p, *end = s.n ? s.p + s.n : s.p;
    while (p < end && blank(*p))
        p++;
    while (end > p && blank(end[-1]))
        end--;
    while (p < end) {
        const char *line = p;
        while (p < end && *p != '\r' && *p != '\n')
            p++;
        sipws_put(o, sipws_slice(line, p));
        if (p == end)
            break;
        while (blank(*p) && !SIPWS_PLANT_IF(UNFOLD_KEEPS, *p == '\t'))
            p++;
        sipws_put_char(o, ' ');
    }
}

unsigned char sipws_unescape(const char **p, const char *end, bool *was_escaped)
{
    const char *s = *p;
    *was_escaped = *s == '%' && end - s >= 3;
    if (!*was_escaped) {
        *p = s + 1;
        return (unsigned char)*s;
    }
    unsigned value = 0;
    for (int i = 1; i <= 2; i++) {
        unsigned char ch = (unsigned char)s[i];
        value = value * 16 + (unsigned)(ch <= '9' ? ch - '0' : (ch | 0x20) - 'a' + 10);
    }
    *p = s + 3;
    return (unsigned char)value;
}
