#include "addr.h"
#include "plant.h"

/* ---- values of parameters -------------------------------------------------------------------- */

bool sipws_token_value(struct sipws_cur *c)
{
    struct sipws_str token;
    return sipws_token(c, &token);
}

/* quoted-string = SWS DQUOTE *(qdtext / quoted-pair) DQUOTE, with its leading SWS. */
bool sipws_quoted_value(struct sipws_cur *c)
{
    const char *start = c->p;
    struct sipws_str quoted;
    sipws_sws(c);
    return sipws_quoted_string(c, &quoted) || sipws_back(c, start);
}

bool sipws_gen_value(struct sipws_cur *c)
{
    if (c->p < c->end && sipws_is(*c->p, SIPWS_C_TOKEN))
        return sipws_token_value(c);
    struct sipws_host host;
    if (sipws_peek_sws(c) == '"')
        return sipws_quoted_value(c);
    if (sipws_peek(c) == '[')
        return sipws_host(c, &host);
    return sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, "gen-value");
}

const struct sipws_param_rule sipws_generic_params[] = {
    SIPWS_PARAM_OTHERS(sipws_gen_value, true),
};

/* ---- parameters ------------------------------------------------------------------------------ */

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static const char *skip_blank(const char *p, const char *end)
{
    while (p < end && blank(*p))
        p++;
    return p;
}

/* `first`: the first eight octets of the name. */
static inline const struct sipws_param_rule *rule_of(const struct sipws_param_rule *rules,
                                                     uint64_t first, struct sipws_str name)
{
    first |= SIPWS_ONES * 0x20; /* see sipws_key */
    for (;; rules++) {
        if (rules->first == first && rules->name.n == name.n &&
            (name.n <= 8 || sipws_octets_ieq(rules->name.p + 8, name.p + 8, name.n - 8)))
            return rules;
        if (rules->name.n == 0)
            return rules;
    }
}

/* [ EQUAL value ] behind a name, by its rule. */
static bool rest_of_param(struct sipws_cur *c, const struct sipws_param_rule *rule,
                          struct sipws_str *out)
{
    const char *equal = c->p;
    bool none = equal == c->end || *equal == ';' || *equal == ','; /* which is plain to see */
    if (none || !sipws_sep(c, '='))
        return !rule->value || rule->optional || sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, "EQUAL");
    if (!rule->value)
        return sipws_fail(c, skip_blank(equal, c->end), SIPWS_E_PARAM_VALUE, "EQUAL");
    const char *value = c->p;
    if (!rule->value(c))
        return false;
    *out = sipws_slice(value, c->p);
    /* A value that its own rule ends too early. Behind other values the caller looks. */
    return rule->name.n == 0 || c->p == c->end || blank(*c->p) || *c->p == ';' || *c->p == ',' ||
           sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, rule->name.p);
}

SIPWS_INLINE bool param(struct sipws_cur *c, const struct sipws_param_rule *rules,
                        struct sipws_names *seen, struct sipws_str *value,
                        const struct sipws_param_rule **row)
{
    struct sipws_str name;
    const char *start = c->p, *equal, *stop;
    bool plain = sipws_plain_param(c, start, &equal, &stop) &&
                 (stop == c->end || *stop == ';' || *stop == ',');
    if (plain || (equal > start && equal < c->end && *equal == '=')) {
        name = sipws_slice(start, equal);
        c->p = equal;
    } else if (!sipws_token(c, &name)) {
        return false;
    }
    if (seen->n >= SIPWS_MAX_PARAMS && !SIPWS_PLANT_IF(PARAM_ARRAY, seen->n == SIPWS_MAX_PARAMS))
        return sipws_fail(c, name.p, SIPWS_E_LIMIT_PARAMS, "generic-param");
    uint64_t first = sipws_first_at(c, start, name.n);
    if (!sipws_names_add(seen, name, sipws_key(first, name), sipws_str_ieq))
        return sipws_fail(c, name.p, SIPWS_E_PARAM_DUPLICATE, "generic-param");
    const struct sipws_param_rule *rule = *row = rule_of(rules, first, name);
    if (SIPWS_PLANT_IF(PARAM_EMPTY, rule->name.n > 0 && c->p < c->end && *c->p == '=' &&
                                        (c->end - c->p == 1 || c->p[1] == ';'))) {
        c->p++;
        return true;
    }
    if (rule->name.n == 0 && !rule->value)
        return sipws_fail(c, name.p, SIPWS_E_PARAM_UNKNOWN, "generic-param");
    if (plain && stop == equal)
        return SIPWS_MOSTLY(!rule->value || rule->optional) ||
               sipws_fail(c, c->p, SIPWS_E_PARAM_VALUE, "EQUAL");
    if (plain && SIPWS_MOSTLY(rule->value == sipws_token_value || rule->value == sipws_gen_value)) {
        *value = sipws_slice(equal + 1, stop);
        c->p = stop;
        return true;
    }
    return rest_of_param(c, rule, value);
}

/* The end of [start, end) without the white space that the last value's rule took with it. */
static const char *trim(const char *start, const char *end)
{
    while (end > start && blank(end[-1]))
        end--;
    return end;
}

bool sipws_params(struct sipws_cur *c, const struct sipws_param_rule *rules, struct sipws_str *out)
{
    struct sipws_str key;
    return sipws_params_key(c, rules, out, &key);
}

bool sipws_params_key(struct sipws_cur *c, const struct sipws_param_rule *rules,
                      struct sipws_str *out, struct sipws_str *key)
{
    const char *start = c->p, *first = NULL;
    struct sipws_names seen;
    *out = (struct sipws_str){NULL, 0};
    *key = (struct sipws_str){NULL, 0};
    if (c->p == c->end || *c->p == ',')
        return true;
    sipws_names_init(&seen);
    for (;;) {
        const char *before = c->p;
        if (c->p == c->end || *c->p != ';')
            sipws_sws(c);
        if (c->p == c->end || *c->p != ';') {
            c->p = before;
            break;
        }
        first = first ? first : c->p;
        c->p++;
        sipws_sws(c);
        struct sipws_str value = {NULL, 0};
        const struct sipws_param_rule *row = rules;
        if (SIPWS_SELDOM(!param(c, rules, &seen, &value, &row)))
            return sipws_back(c, start);
        if (row == rules && row->name.n > 0)
            *key = sipws_slice(value.p, value.p + value.n);
    }
    if (first)
        *out = sipws_slice(first, trim(first, c->p));
    return true;
}

bool sipws_comma_params(struct sipws_cur *c, const struct sipws_param_rule *rules,
                        struct sipws_str *out, uint32_t *rows)
{
    const char *start = c->p, *comma = NULL;
    struct sipws_str value;
    const struct sipws_param_rule *row = rules;
    struct sipws_names seen;
    sipws_names_init(&seen);
    *rows = 0;
    for (;;) {
        bool ok = true;
        if (comma && c->p == c->end)
            ok = sipws_fail(c, comma, SIPWS_E_LIST_ELEMENT, "auth-param");
        else if (sipws_peek(c) == ',')
            ok = sipws_fail(c, c->p, SIPWS_E_LIST_ELEMENT, "auth-param");
        if (!ok || !param(c, rules, &seen, &value, &row))
            return sipws_back(c, start);
        *rows |= UINT32_C(1) << (row - rules);
        const char *behind = c->p;
        sipws_sws(c);
        if (sipws_peek(c) != ',') {
            c->p = behind;
            break;
        }
        comma = c->p++;
        sipws_sws(c);
    }
    *out = sipws_slice(start, trim(start, c->p));
    return true;
}

bool sipws_generic_param(struct sipws_cur *c, struct sipws_param *out)
{
    const char *start = c->p;
    out->value = (struct sipws_str){NULL, 0};
    if (!sipws_token(c, &out->name))
        return false;
    if (!sipws_sep(c, '='))
        return true;
    const char *value = c->p;
    if (!sipws_gen_value(c))
        return sipws_back(c, start);
    out->value = sipws_slice(skip_blank(value, c->p), c->p);
    return true;
}

/* The end of a checked value: behind its closing quote or bracket, or where a token or host ends.
 */
static const char *value_end(const char *p, const char *end)
{
    if (p < end && *p == '"') {
        for (p++; (p = sipws_span(p, end, SIPWS_C_QDTEXT | SIPWS_C_WSP)) < end && *p != '"'; p++)
            if (*p == '\\' && end - p > 1 && !SIPWS_PLANT_IF(QUOTED_PAIR_END, p[1] == '"'))
                p++;
        return p < end ? p + 1 : end;
    }
    if (p < end && *p == '<') {
        p = memchr(p, '>', (size_t)(end - p));
        return p ? p + 1 : end;
    }
    p = sipws_span(p, end, SIPWS_C_TOKEN);
    while (p < end && !blank(*p) && *p != ';' && *p != ',')
        p++;
    return p;
}

bool sipws_param_next(struct sipws_str *rest, struct sipws_param *out)
{
    if (rest->n == 0)
        return false;
    const char *p = rest->p, *end = rest->p + rest->n;
    p = skip_blank(p, end);
    if (p < end && (*p == ';' || *p == ','))
        p = skip_blank(p + 1, end);
    const char *name = p;
    p = sipws_span(p, end, SIPWS_C_TOKEN);
    out->name = sipws_slice(name, p);
    out->value = (struct sipws_str){NULL, 0};
    const char *equal = skip_blank(p, end);
    if (equal < end && *equal == '=') {
        const char *value = skip_blank(equal + 1, end);
        p = value_end(value, end);
        out->value = sipws_slice(value, p);
    }
    *rest = sipws_slice(p, end);
    if (out->name.n == 0) /* not checked before: end the walk here */
        *rest = (struct sipws_str){NULL, 0};
    return out->name.n > 0;
}

bool sipws_param_find(struct sipws_str params, struct sipws_str name, struct sipws_param *out)
{
    while (sipws_param_next(&params, out))
        if (sipws_str_ieq(out->name, name))
            return true;
    return false;
}

void sipws_params_print(struct sipws_out *o, struct sipws_str params)
{
    bool semi = params.n > 0 && params.p[0] == ';', first = true;
    struct sipws_param param;
    while (sipws_param_next(&params, &param)) {
        if (semi)
            sipws_put_char(o, ';');
        else if (!first)
            sipws_put_lit(o, ", ");
        first = false;
        sipws_put(o, param.name);
        if (param.value.p) {
            sipws_put_char(o, '=');
            sipws_put_unfolded(o, param.value);
        }
    }
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* addr-spec RAQUOT SWS is not what stands at `c`, or not all of it. */
SIPWS_COLD static void no_brackets(struct sipws_cur *c, bool uri)
{
    /* White space within a URI (a fold, mostly) is the fault, whatever else it breaks. */
    if (!uri && c->diag && c->diag->off < (size_t)(c->end - c->base) &&
        blank(c->base[c->diag->off]))
        sipws_fail(c, c->base + c->diag->off, SIPWS_E_URI_OCTET, "addr-spec");
    if (uri)
        sipws_fail(c, c->p, c->p == c->end ? SIPWS_E_ADDR_BRACKET : SIPWS_E_URI_OCTET,
                   c->p == c->end ? "RAQUOT" : "addr-spec");
}

/* LAQUOT addr-spec RAQUOT, where `c` stands behind what comes before: SWS "<" … ">" SWS. */
SIPWS_INLINE bool bracketed(struct sipws_cur *c, struct sipws_addr *out)
{
    const char *start = c->p;
    sipws_sws(c);
    if (SIPWS_SELDOM(!sipws_take(c, '<'))) {
        sipws_fail(c, c->p, SIPWS_E_ADDR_BRACKET, "LAQUOT");
        return sipws_back(c, start);
    }
    bool uri = sipws_uri(c, SIPWS_URI_WHOLE, &out->uri);
    if (SIPWS_SELDOM(!uri || !sipws_take(c, '>'))) {
        no_brackets(c, uri);
        return sipws_back(c, start);
    }
    sipws_sws(c);
    out->brackets = true;
    return true;
}

/* display-name = *( token LWS ) / quoted-string, at c. White space before "<" may be missing, as
 * RFC 3261 20.10 says in words (erratum 5598; RFC 4475 3.1.1.6). *last is the last token. */
static void display_tokens(struct sipws_cur *c, struct sipws_str *out, const char **last)
{
    const char *start = c->p, *end = c->p;
    struct sipws_str token;
    *last = c->p;
    while (c->p < c->end && sipws_is(*c->p, SIPWS_C_TOKEN) && sipws_token(c, &token)) {
        *last = token.p;
        end = c->p;
        if (!sipws_lws(c))
            break;
    }
    if (end > start)
        *out = sipws_slice(start, end);
}

SIPWS_INLINE bool name_addr(struct sipws_cur *c, struct sipws_addr *out)
{
    const char *start = c->p;
    if (sipws_peek(c) == '<')
        return bracketed(c, out);
    struct sipws_cur at = *c;
    sipws_sws(&at);
    if (sipws_peek(&at) == '"') {
        c->p = at.p;
        return (sipws_quoted_string(c, &out->display) && bracketed(c, out)) || sipws_back(c, start);
    }
    if (sipws_peek(&at) == '<')
        return bracketed(c, out);
    const char *last;
    display_tokens(c, &out->display, &last);
    if (sipws_peek(c) == ':') { /* a scheme: the URI has no brackets */
        sipws_fail(c, last, SIPWS_E_ADDR_BRACKET, "LAQUOT");
        return sipws_back(c, start);
    }
    return bracketed(c, out) || sipws_back(c, start);
}

bool sipws_name_addr(struct sipws_cur *c, struct sipws_addr *out)
{
    out->display = (struct sipws_str){NULL, 0};
    out->brackets = false;
    return name_addr(c, out);
}

bool sipws_addr(struct sipws_cur *c, struct sipws_addr *out)
{
    out->display = (struct sipws_str){NULL, 0};
    out->brackets = false;
    if (sipws_peek(c) == '<')
        return bracketed(c, out);
    if (sipws_peek(c) == '"')
        return name_addr(c, out);
    const char *p = sipws_run(c, c->p);
    if (p < c->end && sipws_is(*p, SIPWS_C_TOKEN))
        p = sipws_span_more(c, p, SIPWS_C_TOKEN);
    /* White space here, or behind one token; an angle bracket behind one. */
    bool may_be_name_addr = p < c->end && (blank(*p) || *p == '<');
    if (!may_be_name_addr)
        return sipws_uri(c, SIPWS_URI_BARE, &out->uri);
    return name_addr(c, out);
}

void sipws_addr_print(struct sipws_out *o, const struct sipws_addr *addr)
{
    if (addr->display.n > 0) {
        sipws_put_unfolded(o, addr->display);
        sipws_put_char(o, ' ');
    }
    sipws_put_char(o, '<');
    sipws_uri_print(o, &addr->uri);
    sipws_put_char(o, '>');
}
