/* One function for each rule of an element, named after it. Section 25.1 of RFC 3261 where nothing
 * else is said. */
#include "field_impl.h"

/* ---- values of parameters -------------------------------------------------------------------- */

static bool bounded(struct sipws_cur *c, uint64_t min, uint64_t max, const char *rule)
{
    uint64_t value;
    return sipws_number(c, min, max, &value, rule);
}

/* delta-seconds = 1*DIGIT. Its range is that of 20.19: up to 2**32 - 1. */
static bool delta_seconds(struct sipws_cur *c)
{
    return bounded(c, 0, UINT32_MAX, "delta-seconds");
}

/* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
static bool qvalue(struct sipws_cur *c)
{
    bool one = sipws_peek(c) == '1';
    if (!one && sipws_peek(c) != '0')
        return sipws_fail(c, c->p, SIPWS_E_QVALUE, "qvalue");
    c->p++;
    if (!sipws_take(c, '.'))
        return true;
    for (int i = 0; c->p < c->end && sipws_is(*c->p, SIPWS_C_DIGIT); i++, c->p++)
        if (i == 3 || (one && *c->p != '0'))
            return sipws_fail(c, c->p, SIPWS_E_QVALUE, "qvalue");
    return true;
}

/* ttl = 1*3DIGIT ; 0 to 255 */
static bool ttl(struct sipws_cur *c)
{
    const char *digits = c->p;
    if (!bounded(c, 0, 255, "ttl"))
        return false;
    return c->p - digits <= 3 || sipws_fail(c, digits, SIPWS_E_NUMBER_RANGE, "ttl");
}

static bool host(struct sipws_cur *c)
{
    struct sipws_host out;
    return sipws_host(c, &out);
}

/* IPv4address / IPv6address */
static bool ip_address(struct sipws_cur *c)
{
    struct sipws_diag inner;
    struct sipws_cur at = *c;
    struct sipws_host out;
    at.diag = &inner;
    if (!sipws_ip_address(&at, &out)) /* which would ask for IPv6 */
        return sipws_diag_set(c->diag, SIPWS_E_PARAM_VALUE, inner.off, "via-received");
    c->p = at.p;
    return true;
}

static bool port(struct sipws_cur *c)
{
    return bounded(c, 0, 65535, "response-port");
}

static bool digits(struct sipws_cur *c)
{
    return bounded(c, 0, UINT64_MAX, "1*DIGIT");
}

/* 1 to 2**31 - 1, RFC 5626 10 */
static bool reg_id(struct sipws_cur *c)
{
    return bounded(c, 1, INT32_MAX, "c-p-reg");
}

/* LDQUOT = SWS DQUOTE */
bool sipws_ldquot(struct sipws_cur *c)
{
    sipws_sws(c);
    return sipws_take(c, '"') || sipws_fail(c, c->p, SIPWS_E_QUOTE, "LDQUOT");
}

/* RDQUOT = DQUOTE SWS */
bool sipws_rdquot(struct sipws_cur *c)
{
    if (!sipws_take(c, '"'))
        return sipws_fail(c, c->p, c->p == c->end ? SIPWS_E_QUOTE : SIPWS_E_PARAM_VALUE, "RDQUOT");
    sipws_sws(c);
    return true;
}

/* c-p-instance: DQUOTE "<" 1*uric ">" DQUOTE, RFC 5626 10 */
static bool instance(struct sipws_cur *c)
{
    static const char rule[] = "c-p-instance";
    if (!sipws_take(c, '"'))
        return sipws_fail(c, c->p, SIPWS_E_QUOTE, rule);
    if (!sipws_take(c, '<'))
        return sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, rule);
    const char *uric = c->p;
    if (!sipws_span_escaped(c, SIPWS_C_URIC))
        return false;
    if (c->p == uric || !sipws_take(c, '>'))
        return sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, rule);
    return sipws_take(c, '"') || sipws_fail(c, c->p, SIPWS_E_QUOTE, rule);
}

/* temp-gruu, pub-gruu: a quoted-string that holds a SIP URI (RFC 5627 8.2). Where it has
 * quoted-pairs the URI is not what stands there, and is not looked at. */
static bool gruu(struct sipws_cur *c)
{
    sipws_sws(c);
    struct sipws_cur at = *c;
    struct sipws_str quoted;
    if (!sipws_quoted_string(c, &quoted))
        return false;
    if (memchr(quoted.p, '\\', quoted.n))
        return true;
    struct sipws_uri uri;
    at.p = quoted.p + 1;
    at.end = quoted.p + quoted.n - 1;
    const char *start = at.p;
    if (!sipws_uri(&at, SIPWS_URI_WHOLE, &uri))
        return false;
    if (uri.scheme == SIPWS_SCHEME_OTHER)
        return sipws_fail(&at, start, SIPWS_E_URI_SCHEME, "gruu");
    return at.p == at.end || sipws_fail(&at, at.p, SIPWS_E_URI_OCTET, "gruu");
}

/* refresher-param: "uas" / "uac", RFC 4028 4 */
static bool refresher(struct sipws_cur *c)
{
    struct sipws_str token;
    const char *start = c->p;
    if (!sipws_token(c, &token))
        return false;
    return sipws_str_is(token, SIPWS_STR("uas")) || sipws_str_is(token, SIPWS_STR("uac")) ||
           sipws_fail(c, start, SIPWS_E_PARAM_VALUE, "refresher-param");
}

/* ---- the parameters of each element ---------------------------------------------------------- */

#define NO_MORE SIPWS_PARAM_OTHERS(sipws_gen_value, true)

/* accept-param */
static const struct sipws_param_rule accept_params[] = {SIPWS_PARAM("q", qvalue), NO_MORE};

/* m-parameter: the value must stand, and is a token or a quoted-string. */
static bool m_value(struct sipws_cur *c)
{
    return sipws_peek_sws(c) == '"' ? sipws_quoted_value(c) : sipws_token_value(c);
}
static const struct sipws_param_rule media_params[] = {SIPWS_PARAM_OTHERS(m_value, false)};

/* info-param */
static const struct sipws_param_rule info_params[] = {SIPWS_PARAM("purpose", sipws_token_value),
                                                      NO_MORE};

/* contact-params, with RFC 5626 10 and RFC 5627 8.2 */
static const struct sipws_param_rule contact_params[] = {
    SIPWS_PARAM("q", qvalue),
    SIPWS_PARAM("expires", delta_seconds),
    SIPWS_PARAM("reg-id", reg_id),
    SIPWS_PARAM("+sip.instance", instance),
    SIPWS_PARAM("pub-gruu", gruu),
    SIPWS_PARAM("temp-gruu", gruu),
    NO_MORE,
};

/* disp-param */
static const struct sipws_param_rule disp_params[] = {SIPWS_PARAM("handling", sipws_token_value),
                                                      NO_MORE};

/* from-param, to-param */
static const struct sipws_param_rule from_params[] = {SIPWS_PARAM("tag", sipws_token_value),
                                                      NO_MORE};

/* retry-param */
static const struct sipws_param_rule retry_params[] = {SIPWS_PARAM("duration", delta_seconds),
                                                       NO_MORE};

/* via-params, with RFC 3581 3 (rport), RFC 5923 10.1 (alias), RFC 6223 8.2 (keep) */
static const struct sipws_param_rule via_params[] = {
    SIPWS_PARAM("branch", sipws_token_value),
    SIPWS_PARAM("received", ip_address),
    SIPWS_PARAM_OPTIONAL("rport", port),
    SIPWS_PARAM("maddr", host),
    SIPWS_PARAM("ttl", ttl),
    SIPWS_PARAM_OPTIONAL("keep", digits),
    SIPWS_PARAM("alias", NULL),
    NO_MORE,
};

/* event-param, RFC 6665 8.4 */
static const struct sipws_param_rule event_params[] = {SIPWS_PARAM("id", sipws_token_value),
                                                       NO_MORE};

/* subexp-params, RFC 6665 8.4 */
static const struct sipws_param_rule subexp_params[] = {
    SIPWS_PARAM("reason", sipws_token_value),
    SIPWS_PARAM("expires", delta_seconds),
    SIPWS_PARAM("retry-after", delta_seconds),
    NO_MORE,
};

/* reason-params, RFC 3326 2 */
static const struct sipws_param_rule reason_params[] = {
    SIPWS_PARAM("cause", digits),
    SIPWS_PARAM("text", sipws_quoted_value),
    NO_MORE,
};

/* replaces-param, RFC 3891 6.1 */
static const struct sipws_param_rule replaces_params[] = {
    SIPWS_PARAM("to-tag", sipws_token_value),
    SIPWS_PARAM("from-tag", sipws_token_value),
    SIPWS_PARAM("early-only", NULL),
    NO_MORE,
};

/* se-params, RFC 4028 4 */
static const struct sipws_param_rule se_params[] = {SIPWS_PARAM("refresher", refresher), NO_MORE};

/* *( SEMI param ) behind an element, of which most have none. */
static inline bool no_params(const struct sipws_cur *c)
{
    return c->p == c->end || *c->p == ',';
}

static inline bool params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                          struct sipws_value *out)
{
    return no_params(c) || sipws_params(c, rules, &out->params);
}

static inline bool params_key(struct sipws_cur *c, const struct sipws_param_rule *rules,
                              struct sipws_value *out)
{
    return no_params(c) || sipws_params_key(c, rules, &out->params, &out->key);
}

/* ---- white space and text -------------------------------------------------------------------- */

bool sipws_need_lws(struct sipws_cur *c, const char *rule)
{
    if (sipws_left(c) >= 2 && c->p[0] == ' ' && !sipws_blank(c->p[1])) {
        c->p++;
        return true;
    }
    if (!sipws_lws(c))
        return sipws_fail(c, c->p, SIPWS_E_LWS, rule);
    return c->p == c->end || !sipws_blank(*c->p) || sipws_fail(c, c->p, SIPWS_E_LWS, rule);
}

/* header-value = *( TEXT-UTF8char / UTF8-CONT / LWS ) */
bool sipws_header_value(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_TEXT;
    for (;;) {
        sipws_skip(c, SIPWS_C_TEXT | SIPWS_C_WSP);
        int ch = sipws_peek(c);
        if (ch < 0)
            return true;
        if ((ch & 0xC0) == 0x80) /* UTF8-CONT may stand alone here */
            c->p++;
        else if (ch > 0x80 ? !sipws_utf8_nonascii(c) : !sipws_lws(c))
            return ch <= 0x80 ? sipws_fail(c, c->p, SIPWS_E_FIELD_VALUE, "header-value") : false;
    }
}

/* [TEXT-UTF8-TRIM] */
bool sipws_text_trim(struct sipws_cur *c, struct sipws_value *out)
{
    struct sipws_str text;
    out->kind = SIPWS_K_TEXT;
    if (c->p < c->end && sipws_blank(*c->p))
        return sipws_fail(c, c->p, SIPWS_E_LWS, "TEXT-UTF8-TRIM");
    return sipws_text_utf8_trim(c, &text);
}

/* product = token [ SLASH product-version ] */
static bool product(struct sipws_cur *c)
{
    struct sipws_str token;
    return sipws_token(c, &token) && (!sipws_sep(c, '/') || sipws_token(c, &token));
}

/* server-val *( LWS server-val ). The SWS that belong to the parentheses of a comment stand beside
 * the LWS, so that next to comments up to three may come in a row, and one at the end. */
bool sipws_server(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_TEXT;
    for (bool first = true;; first = false) {
        struct sipws_cur at = *c;
        struct sipws_str comment;
        if (first)
            sipws_sws(&at);
        bool is_comment = sipws_peek(&at) == '(';
        if (is_comment) {
            if (!sipws_comment(&at, &comment))
                return false;
            c->p = comment.p + comment.n;
        } else if (!product(c)) {
            return false;
        }
        const char *end = c->p;
        int gaps = 0, most = 2 + (is_comment ? 1 : 0);
        while (gaps < most && sipws_lws(c))
            gaps++;
        int ch = sipws_peek(c);
        if (gaps == most && ch >= 0 && sipws_blank((char)ch))
            return sipws_fail(c, c->p, SIPWS_E_LWS, "server-val");
        if (ch < 0 && gaps <= (is_comment ? 1 : 0))
            return true;
        bool more = ch == '(' || (ch >= 0 && sipws_is((char)ch, SIPWS_C_TOKEN));
        if (!more) {
            c->p = end; /* what stands here is the caller's to refuse */
            return true;
        }
        if (gaps == 0 || gaps > 1 + (is_comment ? 1 : 0) + (ch == '(' ? 1 : 0))
            return sipws_fail(c, c->p, SIPWS_E_LWS, "server-val");
    }
}

/* MIME-Version: 1*DIGIT "." 1*DIGIT */
bool sipws_mime_version(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_TEXT;
    if (!digits(c))
        return false;
    if (!sipws_take(c, '.'))
        return sipws_fail(c, c->p, SIPWS_E_SEPARATOR, "MIME-Version");
    return digits(c);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool token(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_TOKEN;
    return sipws_lone_token(c, &out->token);
}

/* Of a list. */
static inline bool one_token(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_TOKEN;
    return sipws_token(c, &out->token);
}

static bool token_params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                         struct sipws_value *out)
{
    return token(c, out) && params(c, rules, out);
}

/* Method = INVITEm / ACKm / OPTIONSm / BYEm / CANCELm / REGISTERm / extension-method */
bool sipws_method(struct sipws_cur *c, struct sipws_value *out)
{
    return one_token(c, out);
}

/* option-tag = token */
bool sipws_option_tag(struct sipws_cur *c, struct sipws_value *out)
{
    return one_token(c, out);
}

/* content-coding = token */
bool sipws_content_coding(struct sipws_cur *c, struct sipws_value *out)
{
    return one_token(c, out);
}

/* priority-value = "emergency" / "urgent" / "normal" / "non-urgent" / other-priority */
bool sipws_priority_value(struct sipws_cur *c, struct sipws_value *out)
{
    return token(c, out);
}

/* entity-tag = token, RFC 3903 11.4 */
bool sipws_entity_tag(struct sipws_cur *c, struct sipws_value *out)
{
    return token(c, out);
}

/* encoding = ( content-coding / "*" ) *( SEMI accept-param ) */
bool sipws_encoding(struct sipws_cur *c, struct sipws_value *out)
{
    return token_params(c, accept_params, out);
}

/* disp-type *( SEMI disp-param ) */
bool sipws_content_disposition(struct sipws_cur *c, struct sipws_value *out)
{
    return token_params(c, disp_params, out);
}

/* substate-value *( SEMI subexp-params ), RFC 6665 8.4 */
bool sipws_subscription_state(struct sipws_cur *c, struct sipws_value *out)
{
    return token_params(c, subexp_params, out);
}

/* reason-value = protocol *( SEMI reason-params ), RFC 3326 2 */
bool sipws_reason_value(struct sipws_cur *c, struct sipws_value *out)
{
    return token_params(c, reason_params, out);
}

/* Info-package-type = token *( SEMI generic-param ), RFC 6086 9 */
bool sipws_info_package(struct sipws_cur *c, struct sipws_value *out)
{
    return token_params(c, sipws_generic_params, out);
}

/* Letters in groups of 1 to 8, joined by "-". */
static bool language(struct sipws_cur *c, struct sipws_value *out)
{
    const char *start = c->p;
    do {
        const char *tag = c->p;
        sipws_skip(c, SIPWS_C_ALPHA);
        if (c->p == tag || c->p - tag > 8)
            return sipws_fail(c, c->p == tag ? tag : tag + 8, SIPWS_E_LANGUAGE, "language-tag");
    } while (sipws_take(c, '-'));
    out->kind = SIPWS_K_TOKEN;
    out->token = sipws_slice(start, c->p);
    return true;
}

/* language-tag = primary-tag *( "-" subtag ) */
bool sipws_language_tag(struct sipws_cur *c, struct sipws_value *out)
{
    return language(c, out);
}

/* language = ( language-tag / "*" ) *( SEMI accept-param ) */
bool sipws_language(struct sipws_cur *c, struct sipws_value *out)
{
    if (sipws_take(c, '*')) {
        out->kind = SIPWS_K_TOKEN;
        out->token = (struct sipws_str){c->p - 1, 1};
    } else if (!language(c, out)) {
        return false;
    }
    return params(c, accept_params, out);
}

/* event-type = token-nodot *( "." token-nodot ), RFC 6665 8.4: a token without empty parts. */
bool sipws_event_type(struct sipws_cur *c, struct sipws_value *out)
{
    if (!token(c, out))
        return false;
    const char *p = out->token.p, *end = p + out->token.n;
    for (bool wanted = true;; p++) {
        bool dot = p == end || *p == '.';
        if (dot && wanted)
            return sipws_fail(c, p, SIPWS_E_TOKEN, "token-nodot");
        if (p == end)
            return true;
        wanted = dot;
    }
}

/* event-type *( SEMI event-param ), RFC 6665 8.4 */
bool sipws_event(struct sipws_cur *c, struct sipws_value *out)
{
    return sipws_event_type(c, out) && params(c, event_params, out);
}

/* priv-value *( ";" priv-value ), RFC 3323 4.2: no white space around the semicolons. The first is
 * out->token; the others are its parameters. */
bool sipws_privacy(struct sipws_cur *c, struct sipws_value *out)
{
    struct sipws_str value;
    if (!token(c, out))
        return false;
    const char *rest = c->p;
    while (sipws_take(c, ';'))
        if (!sipws_token(c, &value))
            return false;
    if (c->p > rest)
        out->params = sipws_slice(rest, c->p);
    return true;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static bool number(struct sipws_cur *c, uint64_t min, uint64_t max, const char *rule,
                   struct sipws_value *out)
{
    out->kind = SIPWS_K_NUMBER;
    out->number.comment = (struct sipws_str){NULL, 0};
    return sipws_number(c, min, max, &out->number.value, rule);
}

/* delta-seconds = 1*DIGIT ; 0 to 2**32 - 1 */
bool sipws_delta_seconds(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 0, UINT32_MAX, "delta-seconds", out);
}

/* Content-Length: 1*DIGIT */
bool sipws_content_length(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 0, UINT64_MAX, "Content-Length", out);
}

/* Max-Forwards: 1*DIGIT ; 0 to 255 (20.22) */
bool sipws_max_forwards(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 0, 255, "Max-Forwards", out);
}

/* Max-Breadth: 1*DIGIT, RFC 5393 5.3.1 */
bool sipws_max_breadth(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 0, UINT64_MAX, "Max-Breadth", out);
}

/* Flow-Timer: 1*DIGIT, RFC 5626 10 */
bool sipws_flow_timer(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 0, UINT64_MAX, "Flow-Timer", out);
}

/* response-num = 1*DIGIT ; 1 to 2**32 - 1, RFC 3262 7.1 */
bool sipws_rseq(struct sipws_cur *c, struct sipws_value *out)
{
    return number(c, 1, UINT32_MAX, "response-num", out);
}

/* delta-seconds *( SEMI se-params ), RFC 4028 4 */
bool sipws_session_expires(struct sipws_cur *c, struct sipws_value *out)
{
    return sipws_delta_seconds(c, out) && params(c, se_params, out);
}

/* delta-seconds *( SEMI generic-param ), RFC 4028 5 */
bool sipws_min_se(struct sipws_cur *c, struct sipws_value *out)
{
    return sipws_delta_seconds(c, out) && params(c, sipws_generic_params, out);
}

/* delta-seconds [ comment ] *( SEMI retry-param ) */
bool sipws_retry_after(struct sipws_cur *c, struct sipws_value *out)
{
    if (!sipws_delta_seconds(c, out))
        return false;
    struct sipws_cur at = *c;
    sipws_sws(&at);
    if (sipws_peek(&at) == '(') {
        c->p = at.p;
        if (!sipws_comment(c, &out->number.comment))
            return false;
    }
    return params(c, retry_params, out);
}

/* CSeq: 1*DIGIT LWS Method. Below 2**31 by 8.1.1.5. */
static bool cseq_number(struct sipws_cur *c, uint32_t *out)
{
    uint64_t value;
    if (!sipws_number(c, 0, INT32_MAX, &value, "CSeq"))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool sipws_cseq(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_CSEQ;
    return cseq_number(c, &out->cseq.number) && sipws_need_lws(c, "CSeq") &&
           sipws_lone_token(c, &out->cseq.method);
}

/* response-num LWS CSeq-num LWS Method, RFC 3262 10 */
bool sipws_rack(struct sipws_cur *c, struct sipws_value *out)
{
    uint64_t response;
    out->kind = SIPWS_K_RACK;
    if (!sipws_number(c, 1, UINT32_MAX, &response, "response-num"))
        return false;
    out->rack.response = (uint32_t)response;
    return sipws_need_lws(c, "RAck") && cseq_number(c, &out->rack.number) &&
           sipws_need_lws(c, "RAck") && sipws_token(c, &out->rack.method);
}

/* 1*DIGIT [ "." *DIGIT ] [ LWS delay ], delay = *DIGIT [ "." *DIGIT ]. A delay without any octet is
 * none. */
bool sipws_timestamp(struct sipws_cur *c, struct sipws_value *out)
{
    const char *start = c->p;
    out->kind = SIPWS_K_TIMESTAMP;
    out->timestamp.delay = (struct sipws_str){NULL, 0};
    sipws_skip(c, SIPWS_C_DIGIT);
    if (c->p == start)
        return sipws_fail(c, start, SIPWS_E_NUMBER, "Timestamp");
    if (sipws_take(c, '.'))
        sipws_skip(c, SIPWS_C_DIGIT);
    out->timestamp.value = sipws_slice(start, c->p);
    if (!sipws_lws(c))
        return true;
    const char *delay = c->p;
    sipws_skip(c, SIPWS_C_DIGIT);
    if (sipws_take(c, '.'))
        sipws_skip(c, SIPWS_C_DIGIT);
    if (c->p > delay)
        out->timestamp.delay = sipws_slice(delay, c->p);
    return true;
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* A URI in brackets or not, and parameters. */
SIPWS_INLINE bool addr_params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                              struct sipws_value *out)
{
    out->kind = SIPWS_K_ADDR;
    if (!sipws_addr(c, &out->addr) || !params_key(c, rules, out))
        return false;
    /* "sip:a;b@c" without brackets: the parameter was part of the user. */
    return out->addr.brackets || sipws_peek(c) != '@' ||
           sipws_fail(c, c->p, SIPWS_E_ADDR_BARE, "addr-spec");
}

/* from-spec = ( name-addr / addr-spec ) *( SEMI from-param ); To has the same. */
bool sipws_from_spec(struct sipws_cur *c, struct sipws_value *out)
{
    return addr_params(c, from_params, out);
}

/* rplyto-spec = ( name-addr / addr-spec ) *( SEMI rplyto-param ) */
bool sipws_rplyto_spec(struct sipws_cur *c, struct sipws_value *out)
{
    return addr_params(c, sipws_generic_params, out);
}

/* ( name-addr / addr-spec ) *( SEMI generic-param ), RFC 3515 2.1 */
bool sipws_refer_to(struct sipws_cur *c, struct sipws_value *out)
{
    return addr_params(c, sipws_generic_params, out);
}

/* STAR / contact-param = ( name-addr / addr-spec ) *( SEMI contact-params ) */
bool sipws_contact_param(struct sipws_cur *c, struct sipws_value *out)
{
    if (c->p < c->end && (unsigned char)*c->p > ' ' && *c->p != '*')
        return addr_params(c, contact_params, out);
    struct sipws_cur at = *c, display;
    bool star = sipws_sep(&at, '*') && (at.p == at.end || !sipws_is(*at.p, SIPWS_C_TOKEN));
    display = at; /* a display name may be "*" too, with the LWS of its own and that of LAQUOT */
    sipws_sws(&display);
    if (star && sipws_peek(&display) != '<') {
        out->kind = SIPWS_K_STAR;
        c->p = at.p;
        return true;
    }
    return addr_params(c, contact_params, out);
}

/* rec-route, route-param = name-addr *( SEMI rr-param ); path-value (RFC 3327 4) and sr-value (RFC
 * 3608 5) have the same. */
bool sipws_route_param(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_ADDR;
    return sipws_name_addr(c, &out->addr) && params(c, sipws_generic_params, out);
}

/* PAssertedID-value, PPreferredID-value = name-addr / addr-spec, RFC 3325 9.1: a sip, sips or tel
 * URI. */
bool sipws_asserted_id(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_ADDR;
    if (!sipws_addr(c, &out->addr))
        return false;
    const struct sipws_uri *uri = &out->addr.uri;
    return uri->scheme != SIPWS_SCHEME_OTHER || sipws_str_is(uri->scheme_name, SIPWS_STR("tel")) ||
           sipws_fail(c, uri->text.p, SIPWS_E_URI_SCHEME, "PAssertedID-value");
}

/* LAQUOT absoluteURI RAQUOT and parameters. */
static bool uri_params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                       struct sipws_value *out)
{
    struct sipws_addr addr;
    sipws_sws(c);
    if (sipws_peek(c) != '<')
        return sipws_fail(c, c->p, SIPWS_E_ADDR_BRACKET, "LAQUOT");
    if (!sipws_name_addr(c, &addr))
        return false;
    out->kind = SIPWS_K_URI;
    out->uri = addr.uri;
    return params(c, rules, out);
}

/* alert-param = LAQUOT absoluteURI RAQUOT *( SEMI generic-param ) */
bool sipws_alert_param(struct sipws_cur *c, struct sipws_value *out)
{
    return uri_params(c, sipws_generic_params, out);
}

/* error-uri = LAQUOT absoluteURI RAQUOT *( SEMI generic-param ) */
bool sipws_error_uri(struct sipws_cur *c, struct sipws_value *out)
{
    return uri_params(c, sipws_generic_params, out);
}

/* info = LAQUOT absoluteURI RAQUOT *( SEMI info-param ) */
bool sipws_info(struct sipws_cur *c, struct sipws_value *out)
{
    return uri_params(c, info_params, out);
}

/* ---- Via ------------------------------------------------------------------------------------- */

/* sent-protocol = protocol-name SLASH protocol-version SLASH transport */
static bool sent_protocol(struct sipws_cur *c, struct sipws_via *via)
{
    if (sipws_left(c) > 8 && memcmp(c->p, "SIP/2.0/", 8) == 0 && !sipws_blank(c->p[8])) {
        via->protocol = (struct sipws_str){c->p, 3};
        via->version = (struct sipws_str){c->p + 4, 3};
        c->p += 8;
        return sipws_token(c, &via->transport);
    }
    return sipws_token(c, &via->protocol) && sipws_need(c, '/', "SLASH") &&
           sipws_token(c, &via->version) && sipws_need(c, '/', "SLASH") &&
           sipws_token(c, &via->transport);
}

/* sent-by = host [ COLON port ] */
static bool sent_by(struct sipws_cur *c, struct sipws_via *via)
{
    uint64_t value;
    via->port = SIPWS_NO_PORT;
    if (!sipws_host(c, &via->host))
        return false;
    if (sipws_peek(c) == ';' || !sipws_sep(c, ':'))
        return true;
    const char *digit = c->p;
    if (!sipws_number(c, 0, 65535, &value, "port"))
        return sipws_fail(c, digit, SIPWS_E_URI_PORT, "port");
    via->port = (int32_t)value;
    return true;
}

/* via-parm = sent-protocol LWS sent-by *( SEMI via-params ) */
bool sipws_via_parm(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_VIA;
    return sent_protocol(c, &out->via) && sipws_need_lws(c, "via-parm") && sent_by(c, &out->via) &&
           params_key(c, via_params, out);
}

/* ---- Call-ID, media types -------------------------------------------------------------------- */

/* callid = word [ "@" word ] */
bool sipws_callid(struct sipws_cur *c, struct sipws_value *out)
{
    const char *start = c->p;
    struct sipws_str word;
    out->kind = SIPWS_K_CALL_ID;
    if (!sipws_word(c, &word) || (sipws_take(c, '@') && !sipws_word(c, &word)))
        return false;
    out->call_id = sipws_slice(start, c->p);
    return true;
}

/* callid *( SEMI replaces-param ), RFC 3891 6.1: to-tag and from-tag once each */
bool sipws_replaces(struct sipws_cur *c, struct sipws_value *out)
{
    struct sipws_param param;
    if (!sipws_callid(c, out) || !params(c, replaces_params, out))
        return false;
    if (!sipws_param_find(out->params, SIPWS_STR("to-tag"), &param))
        return sipws_fail(c, c->p, SIPWS_E_PARAM_MISSING, "to-tag");
    return sipws_param_find(out->params, SIPWS_STR("from-tag"), &param) ||
           sipws_fail(c, c->p, SIPWS_E_PARAM_MISSING, "from-tag");
}

/* m-type SLASH m-subtype */
static bool media(struct sipws_cur *c, struct sipws_value *out)
{
    out->kind = SIPWS_K_MEDIA;
    return sipws_token(c, &out->media.type) && sipws_need(c, '/', "SLASH") &&
           sipws_token(c, &out->media.subtype);
}

/* media-type = m-type SLASH m-subtype *( SEMI m-parameter ) */
bool sipws_media_type(struct sipws_cur *c, struct sipws_value *out)
{
    return media(c, out) && params(c, media_params, out);
}

/* accept-range = media-range *( SEMI accept-param ). "*" is a token, too. */
bool sipws_accept_range(struct sipws_cur *c, struct sipws_value *out)
{
    return media(c, out) && params(c, accept_params, out);
}

/* ---- Date ------------------------------------------------------------------------------------ */

const char sipws_wkday_names[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
const char sipws_month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* An RFC 1123 date is case-sensitive (20.17). */
static bool literal(struct sipws_cur *c, const char *text)
{
    for (; *text; text++)
        if (!sipws_take(c, *text))
            return sipws_fail(c, c->p, SIPWS_E_DATE, "rfc1123-date");
    return true;
}

static bool name(struct sipws_cur *c, const char (*names)[4], uint8_t count, const char *rule,
                 uint8_t *out)
{
    for (uint8_t i = 0; i < count; i++)
        if (sipws_left(c) >= 3 && memcmp(c->p, names[i], 3) == 0) {
            *out = i;
            c->p += 3;
            return true;
        }
    return sipws_fail(c, c->p, SIPWS_E_DATE, rule);
}

/* `n` digits, up to `max`. */
static bool fixed(struct sipws_cur *c, int n, unsigned max, const char *rule, unsigned *out)
{
    const char *start = c->p;
    for (*out = 0; n > 0; n--, c->p++) {
        if (c->p == c->end || !sipws_is(*c->p, SIPWS_C_DIGIT))
            return sipws_fail(c, c->p, SIPWS_E_DATE, rule);
        *out = *out * 10 + ((unsigned char)*c->p - (unsigned)'0');
    }
    return *out <= max || sipws_fail(c, start, SIPWS_E_DATE, rule);
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* rfc1123-date = wkday "," SP date1 SP time SP "GMT". That the day is one of its month is checked;
 * that it fell on that weekday is not. */
bool sipws_sip_date(struct sipws_cur *c, struct sipws_value *out)
{
    struct sipws_date *d = &out->date;
    unsigned day, year, hour, minute, second;
    uint8_t weekday = 0, month = 0;
    out->kind = SIPWS_K_DATE;
    if (!name(c, sipws_wkday_names, 7, "wkday", &weekday) || !literal(c, ", "))
        return false;
    const char *at = c->p;
    if (!fixed(c, 2, 31, "date1", &day) || !literal(c, " ") ||
        !name(c, sipws_month_names, 12, "month", &month) || !literal(c, " ") ||
        !fixed(c, 4, 9999, "date1", &year))
        return false;
    if (day == 0 || day > days_of(year, month + 1u))
        return sipws_fail(c, at, SIPWS_E_DATE, "date1");
    if (!literal(c, " ") || !fixed(c, 2, 23, "time", &hour) || !literal(c, ":") ||
        !fixed(c, 2, 59, "time", &minute) || !literal(c, ":") ||
        !fixed(c, 2, 59, "time", &second) || !literal(c, " GMT"))
        return false;
    *d = (struct sipws_date){(uint16_t)year, (uint8_t)(month + 1), (uint8_t)day,   weekday,
                             (uint8_t)hour,  (uint8_t)minute,      (uint8_t)second};
    return true;
}

/* ---- Warning --------------------------------------------------------------------------------- */

/* warn-agent = hostport / pseudonym */
static bool warn_agent(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    struct sipws_host name_or_address;
    int32_t number;
    sipws_skip(c, SIPWS_C_TOKEN);
    if (c->p == start || sipws_peek(c) == ':') {
        c->p = start;
        if (!sipws_hostport(c, &name_or_address, &number))
            return false;
    }
    *out = sipws_slice(start, c->p);
    return true;
}

static bool one_space(struct sipws_cur *c)
{
    return sipws_take(c, ' ') || sipws_fail(c, c->p, SIPWS_E_SEPARATOR, "SP");
}

/* warning-value = warn-code SP warn-agent SP warn-text; warn-code = 3DIGIT */
bool sipws_warning_value(struct sipws_cur *c, struct sipws_value *out)
{
    const char *start = c->p;
    uint64_t code;
    out->kind = SIPWS_K_WARNING;
    if (!sipws_number(c, 0, 999, &code, "warn-code"))
        return false;
    if (c->p - start != 3)
        return sipws_fail(c, start, SIPWS_E_NUMBER_RANGE, "warn-code");
    out->warning.code = (uint16_t)code;
    if (!one_space(c) || !warn_agent(c, &out->warning.agent) || !one_space(c))
        return false;
    sipws_sws(c);
    return sipws_quoted_string(c, &out->warning.quoted);
}
