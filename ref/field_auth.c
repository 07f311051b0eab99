/* Digest and other authentication: RFC 3261 20.7 and 22 with RFC 7616 and 8760, Bearer (RFC 8898),
 * and Identity (RFC 8224).
 *
 * Where the grammar leaves a parameter of a Digest challenge or credentials out although the text
 * says that it must stand (RFC 7616 3.3 and 3.4), it is refused. */
#include "field_impl.h"

/* ---- values of parameters -------------------------------------------------------------------- */

/* auth-param: token / quoted-string */
static bool auth_value(struct sipws_cur *c)
{
    return sipws_peek_sws(c) == '"' ? sipws_quoted_value(c) : sipws_token_value(c);
}

static const char *lhex(const char *p, const char *end)
{
    return sipws_span(p, end, SIPWS_C_LHEX);
}

/* request-digest = LDQUOT *LHEX RDQUOT, at least 32 or none (RFC 8760 2.7) */
static bool request_digest(struct sipws_cur *c)
{
    if (!sipws_ldquot(c))
        return false;
    const char *hex = c->p;
    c->p = lhex(c->p, c->end);
    if (c->p > hex && c->p - hex < 32)
        return sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, "request-digest");
    return sipws_rdquot(c);
}

/* response-digest = LDQUOT *LHEX RDQUOT */
static bool response_digest(struct sipws_cur *c)
{
    if (!sipws_ldquot(c))
        return false;
    c->p = lhex(c->p, c->end);
    return sipws_rdquot(c);
}

/* nc-value = 8LHEX */
static bool nc_value(struct sipws_cur *c)
{
    const char *hex = c->p;
    c->p = lhex(c->p, c->end);
    if (c->p - hex == 8)
        return true;
    return sipws_fail(c, c->p - hex > 8 ? hex + 8 : c->p, SIPWS_E_PARAM_VALUE, "nc-value");
}

/* stale, userhash: "true" / "false" */
static bool true_false(struct sipws_cur *c)
{
    struct sipws_str token;
    const char *start = c->p;
    if (!sipws_token(c, &token))
        return false;
    return sipws_str_is(token, SIPWS_STR("true")) || sipws_str_is(token, SIPWS_STR("false")) ||
           sipws_fail(c, start, SIPWS_E_PARAM_VALUE, "stale");
}

/* qop-options = "qop" EQUAL LDQUOT qop-value *( "," qop-value ) RDQUOT */
static bool qop_options(struct sipws_cur *c)
{
    struct sipws_str token;
    if (!sipws_ldquot(c))
        return false;
    do
        if (!sipws_token(c, &token))
            return false;
    while (sipws_take(c, ','));
    return sipws_rdquot(c);
}

/* abs-path [ "?" query ] */
static bool abs_path(struct sipws_cur *c)
{
    return sipws_span_escaped(c, SIPWS_C_URIC);
}

/* URI = absoluteURI / abs-path */
static bool uri(struct sipws_cur *c)
{
    struct sipws_uri out;
    return sipws_peek(c) == '/' ? abs_path(c) : sipws_uri(c, SIPWS_URI_WHOLE, &out);
}

/* domain = "domain" EQUAL LDQUOT URI *( 1*SP URI ) RDQUOT */
static bool domain(struct sipws_cur *c)
{
    if (!sipws_ldquot(c) || !uri(c))
        return false;
    while (sipws_take(c, ' ')) {
        while (sipws_take(c, ' '))
            ;
        if (!uri(c))
            return false;
    }
    return sipws_rdquot(c);
}

/* digest-uri-value = request-uri of HTTP/1.1: "*" / absoluteURI / abs_path / authority */
static bool digest_uri(struct sipws_cur *c)
{
    if (!sipws_ldquot(c))
        return false;
    struct sipws_cur at = *c;
    struct sipws_uri out;
    if (sipws_take(c, '*') && sipws_peek(c) == '"')
        return sipws_rdquot(c);
    c->p = at.p;
    if (sipws_peek(c) == '/')
        return abs_path(c) && sipws_rdquot(c);
    at.diag = NULL;
    if (sipws_uri(&at, SIPWS_URI_WHOLE, &out) && sipws_peek(&at) == '"') {
        c->p = at.p;
        return sipws_rdquot(c);
    }
    /* authority: a host and port also looks like a scheme and a colon. */
    at.p = c->p;
    struct sipws_host host;
    int32_t port;
    if (sipws_hostport(&at, &host, &port) && sipws_peek(&at) == '"') {
        c->p = at.p;
        return sipws_rdquot(c);
    }
    return sipws_uri(c, SIPWS_URI_WHOLE, &out) && sipws_rdquot(c);
}

/* ---- the parameters -------------------------------------------------------------------------- */

/* digest-cln. The first two must be there. */
static const struct sipws_param_rule digest_cln[] = {
    SIPWS_PARAM("realm", sipws_quoted_value),
    SIPWS_PARAM("nonce", sipws_quoted_value),
    SIPWS_PARAM("domain", domain),
    SIPWS_PARAM("opaque", sipws_quoted_value),
    SIPWS_PARAM("stale", true_false),
    SIPWS_PARAM("algorithm", sipws_token_value),
    SIPWS_PARAM("qop", qop_options),
    SIPWS_PARAM("userhash", true_false),
    SIPWS_PARAM_OTHERS(auth_value, false),
};

/* dig-resp. The first five must be there. */
static const struct sipws_param_rule dig_resp[] = {
    SIPWS_PARAM("username", sipws_quoted_value), SIPWS_PARAM("realm", sipws_quoted_value),
    SIPWS_PARAM("nonce", sipws_quoted_value),    SIPWS_PARAM("uri", digest_uri),
    SIPWS_PARAM("response", request_digest),     SIPWS_PARAM("algorithm", sipws_token_value),
    SIPWS_PARAM("cnonce", sipws_quoted_value),   SIPWS_PARAM("opaque", sipws_quoted_value),
    SIPWS_PARAM("qop", sipws_token_value),       SIPWS_PARAM("nc", nc_value),
    SIPWS_PARAM("userhash", true_false),         SIPWS_PARAM_OTHERS(auth_value, false),
};

/* ainfo: no auth-param among them */
static const struct sipws_param_rule ainfo[] = {
    SIPWS_PARAM("nextnonce", sipws_quoted_value),
    SIPWS_PARAM("qop", sipws_token_value),
    SIPWS_PARAM("rspauth", response_digest),
    SIPWS_PARAM("cnonce", sipws_quoted_value),
    SIPWS_PARAM("nc", nc_value),
    SIPWS_PARAM_OTHERS(NULL, false),
};

/* other-challenge, other-response */
static const struct sipws_param_rule auth_params[] = {SIPWS_PARAM_OTHERS(auth_value, false)};

/* ---- elements -------------------------------------------------------------------------------- */

/* The first n parameters of the table are there; bit i of `rows`: that of row i is. */
static bool has(const struct sipws_cur *c, const struct sipws_param_rule *rules, size_t n,
                uint32_t rows)
{
    for (size_t i = 0; i < n; i++)
        if (!(rows >> i & 1))
            return sipws_fail(c, c->p, SIPWS_E_PARAM_MISSING, rules[i].name.p);
    return true;
}

static bool scheme(struct sipws_cur *c, const char *rule, struct sipws_value *out)
{
    out->auth.token68 = (struct sipws_str){NULL, 0};
    return sipws_token(c, &out->auth.scheme) && sipws_need_lws(c, rule);
}

/* challenge = ( "Digest" LWS digest-cln *( COMMA digest-cln ) ) / other-challenge */
bool sipws_challenge(struct sipws_cur *c, struct sipws_value *out)
{
    uint32_t rows;
    out->kind = SIPWS_K_CHALLENGE;
    if (!scheme(c, "challenge", out))
        return false;
    if (!sipws_str_is(out->auth.scheme, SIPWS_STR("Digest")))
        return sipws_comma_params(c, auth_params, &out->params, &rows);
    return sipws_comma_params(c, digest_cln, &out->params, &rows) && has(c, digest_cln, 2, rows);
}

/* The token of Bearer credentials: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
 * (RFC 6750 2.1) */
static bool b64token(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    while (c->p < c->end &&
           (sipws_is(*c->p, SIPWS_C_ALPHA | SIPWS_C_DIGIT) || memchr("-._~+/", *c->p, 6)))
        c->p++;
    if (c->p == start)
        return sipws_fail(c, start, SIPWS_E_TOKEN, "b64token");
    while (sipws_take(c, '='))
        ;
    *out = sipws_slice(start, c->p);
    return true;
}

/* credentials = ( "Digest" LWS digest-response ) / other-response */
bool sipws_credentials(struct sipws_cur *c, struct sipws_value *out)
{
    uint32_t rows;
    out->kind = SIPWS_K_CREDENTIALS;
    if (!scheme(c, "credentials", out))
        return false;
    if (sipws_str_is(out->auth.scheme, SIPWS_STR("Bearer")))
        return b64token(c, &out->auth.token68);
    if (!sipws_str_is(out->auth.scheme, SIPWS_STR("Digest")))
        return sipws_comma_params(c, auth_params, &out->params, &rows);
    struct sipws_param name;
    if (!sipws_comma_params(c, dig_resp, &out->params, &rows))
        return false;
    if (!(rows & 1) && sipws_param_find(out->params, SIPWS_STR("username*"), &name))
        rows |= 1; /* in its place */
    return has(c, dig_resp, 5, rows);
}

/* ainfo *( COMMA ainfo ) */
bool sipws_ainfo(struct sipws_cur *c, struct sipws_value *out)
{
    uint32_t rows;
    out->kind = SIPWS_K_AUTH_INFO;
    return sipws_comma_params(c, ainfo, &out->params, &rows);
}

/* ---- Identity, RFC 8224 4 -------------------------------------------------------------------- */

/* ident-info-uri = LAQUOT absoluteURI RAQUOT */
static bool ident_info_uri(struct sipws_cur *c)
{
    struct sipws_addr addr;
    sipws_sws(c);
    if (sipws_peek(c) != '<')
        return sipws_fail(c, c->p, SIPWS_E_ADDR_BRACKET, "ident-info-uri");
    return sipws_name_addr(c, &addr);
}

/* ident-info-params */
static const struct sipws_param_rule ident_params[] = {
    SIPWS_PARAM("info", ident_info_uri),
    SIPWS_PARAM("alg", sipws_token_value),
    SIPWS_PARAM("ppt", sipws_token_value),
    SIPWS_PARAM_OTHERS(sipws_gen_value, true),
};

/* By erratum 6499 the digest is base64url.
 * signed-identity-digest SEMI ident-info *( SEMI ident-info-params ): "info" is the first */
bool sipws_identity(struct sipws_cur *c, struct sipws_value *out)
{
    const char *start = c->p;
    out->kind = SIPWS_K_IDENTITY;
    while (c->p < c->end &&
           (sipws_is(*c->p, SIPWS_C_ALPHA | SIPWS_C_DIGIT) || memchr("-_.", *c->p, 3)))
        c->p++;
    out->identity = sipws_slice(start, c->p);
    if (c->p == start)
        return sipws_fail(c, start, SIPWS_E_TOKEN, "signed-identity-digest");
    struct sipws_cur at = *c;
    struct sipws_str first = {NULL, 0};
    at.diag = NULL;
    if (sipws_sep(&at, ';'))
        (void)sipws_token(&at, &first);
    if (!sipws_str_is(first, SIPWS_STR("info")))
        return sipws_fail(c, at.p - first.n, SIPWS_E_PARAM_MISSING, "info");
    return sipws_params(c, ident_params, &out->params);
}
