#include "oracle.h"

#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the grammar ----------------------------------------------------------------------------- */

static bool same_name(const char *name, struct sipws_str s)
{
    return sipws_str_ieq(s, (struct sipws_str){name, strlen(name)});
}

/* header-name of an extension-header. */
static bool is_other_name(struct sipws_str s)
{
    static const char *const names[] = {
#define F(id, name, compact, shape, rule, rfc) name, compact,
#include "field.def"
#undef F
    };
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        if (!letter && !(ch >= '0' && ch <= '9') && (ch == '\0' || !strchr("-.!%*_+`'~", ch)))
            return false;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (same_name(names[i], s))
            return false;
    return s.n > 0;
}

static void make_other_name(struct tape *t, struct sipws_out *o)
{
    static const char octets[] = "abcdnstvXT-.!%*_+`'~019";
    char name[16];
    size_t n = 0;
    do
        name[n++] = octets[tape_below(t, sizeof octets - 1)];
    while (n < 12 && tape_more(t, 4));
    if (!is_other_name((struct sipws_str){name, n}))
        sipws_put_lit(o, "X-");
    sipws_put(o, (struct sipws_str){name, n});
}

static const struct abnf_prose prose[] = {
    {"a token that is no name above", is_other_name, make_other_name}, {NULL, NULL, NULL}};

/* Read once; constant from then on. */
const struct abnf *oracle_grammar(void)
{
    static struct abnf *g;
    char error[200];
    if (!g) {
        g = abnf_load((struct sipws_str){sip_grammar, sip_grammar_n}, prose, error, sizeof error);
        if (!g) {
            fprintf(stderr, "sip.abnf: %s\n", error);
            exit(2);
        }
    }
    return g;
}

/* One for short inputs, which is quick to make, and one for messages. */
static struct abnf_matcher *matcher(size_t n)
{
    static struct abnf_matcher *matchers[2];
    struct abnf_matcher **m = &matchers[n > ORACLE_VALUE];
    if (!*m)
        *m = abnf_matcher_new(oracle_grammar(), n > ORACLE_VALUE ? ORACLE_MESSAGE : ORACLE_VALUE);
    if (!*m) {
        fputs("oracle: out of memory\n", stderr);
        exit(2);
    }
    return *m;
}

/* ---- what can be compared -------------------------------------------------------------------- */

static bool whole(const struct sipws_cur *c, bool ok)
{
    return ok && (c->p == c->end || sipws_fail(c, c->p, SIPWS_E_SURPLUS, "end"));
}

static bool ref_token(struct sipws_cur *c)
{
    struct sipws_str s;
    return sipws_token(c, &s);
}

static bool ref_word(struct sipws_cur *c)
{
    struct sipws_str s;
    return sipws_word(c, &s);
}

static bool ref_quoted_string(struct sipws_cur *c)
{
    struct sipws_str s;
    sipws_sws(c); /* the rule's own */
    return sipws_quoted_string(c, &s);
}

static bool ref_comment(struct sipws_cur *c)
{
    struct sipws_str s;
    return sipws_comment(c, &s);
}

static bool ref_text(struct sipws_cur *c)
{
    struct sipws_str s;
    return c->p == c->end ? sipws_fail(c, c->p, SIPWS_E_FIELD_VALUE, "TEXT-UTF8-TRIM")
                          : sipws_text_utf8_trim(c, &s);
}

static bool ref_host(struct sipws_cur *c)
{
    struct sipws_host host;
    return sipws_host(c, &host);
}

static bool ref_hostport(struct sipws_cur *c)
{
    struct sipws_host host;
    int32_t port;
    return sipws_hostport(c, &host, &port);
}

static bool ref_uri(struct sipws_cur *c)
{
    struct sipws_uri uri;
    return sipws_uri(c, SIPWS_URI_WHOLE, &uri);
}

static bool ref_bare_uri(struct sipws_cur *c)
{
    struct sipws_uri uri;
    return sipws_uri(c, SIPWS_URI_BARE, &uri);
}

static bool ref_name_addr(struct sipws_cur *c)
{
    struct sipws_addr addr;
    return sipws_name_addr(c, &addr);
}

static const struct {
    const char *rule;
    bool (*read)(struct sipws_cur *c);
} parts[] = {
    {"Request-URI", ref_uri},     {"bare-addr-spec", ref_bare_uri},
    {"host", ref_host},           {"hostport", ref_hostport},
    {"name-addr", ref_name_addr}, {"quoted-string", ref_quoted_string},
    {"comment", ref_comment},     {"TEXT-UTF8-TRIM", ref_text},
    {"token", ref_token},         {"word", ref_word},
};

enum { PARTS = sizeof parts / sizeof *parts };

unsigned oracle_parts(void)
{
    return PARTS;
}

struct oracle_start oracle_part(unsigned i)
{
    return (struct oracle_start){abnf_rule(oracle_grammar(), parts[i].rule), ORACLE_PART, i};
}

struct oracle_start oracle_value(enum sipws_field_id id)
{
    char rule[64] = "header-value";
    if (id != SIPWS_F_EXTENSION)
        snprintf(rule, sizeof rule, "%s-field-value", sipws_field_info(id)->name);
    return (struct oracle_start){abnf_rule(oracle_grammar(), rule), ORACLE_FIELD, id};
}

struct oracle_start oracle_message(void)
{
    return (struct oracle_start){abnf_rule(oracle_grammar(), "SIP-message"), ORACLE_WHOLE, 0};
}

/* ---- what ref may refuse though the grammar takes it ----------------------------------------- */

static const struct {
    enum sipws_err err;
    const char *rule; /* of the diagnostic; NULL: any */
    const char *why;
    bool late; /* permits a later octet only */
} permitted[] = {
    {SIPWS_E_NUMBER_RANGE, NULL, "3261 8.1.1.5, 20: ranges that the prose gives", false},
    {SIPWS_E_LIMIT_NUMBER, NULL, "3261 25.1: no number is above 2^64", false},
    {SIPWS_E_URI_PORT, NULL, "793 3.1: a port has 16 bits", false},
    {SIPWS_E_PARAM_DUPLICATE, NULL, "3261 7.3.1: no parameter name more than once", false},
    {SIPWS_E_URI_PARAM_DUPLICATE, NULL, "3261 19.1.1: no URI parameter more than once", false},
    {SIPWS_E_URI_PARAM, NULL, "3261 19.1.1: a named URI parameter has its own rule", false},
    {SIPWS_E_PARAM_MISSING, NULL, "7616 3.3, 3.4: what a challenge or response must have", false},
    {SIPWS_E_DATE, NULL, "3261 20.17: a date is one that the calendar has", false},
    {SIPWS_E_URI_TEL, NULL, "3966 3: what a tel URI holds", false},
    {SIPWS_E_URI_SCHEME, "PAssertedID-value", "3325 9.1: sip, sips or tel", false},
    {SIPWS_E_URI_SCHEME, "PPreferredID-value", "3325 9.2: sip, sips or tel", false},
    {SIPWS_E_URI_TEL, NULL,
     "3966 3: a tel URI is a telephone-uri, which is less than an absoluteURI", false},
    {SIPWS_E_LIMIT_COMMENT, NULL, "a limit of ours: comments within comments", false},
    {SIPWS_E_LIMIT_PARAMS, NULL, "a limit of ours: parameters of an element or URI", false},
    {SIPWS_E_LIMIT_FIELDS, NULL, "a limit of ours: header fields of a message", false},
    {SIPWS_E_EMPTY, NULL, "3261 7.5: of nothing but line ends, the message is missed at the end",
     true},
    {SIPWS_E_NO_BLANK_LINE, NULL,
     "3261 7: a line that is cut off is not decoded; its end is missed", true},
    {SIPWS_E_LINE_END, NULL, "3261 7: of a line that is cut off, only its line ends are judged",
     true},
    {SIPWS_OK, NULL,
     "3261 25.1, 6750 2.1: a named parameter, and what stands behind Bearer, has its own rule",
     false},
};

enum { PERMITTED = sizeof permitted / sizeof *permitted, NAMED = PERMITTED - 1 };

/* Parameters that have a rule of their own beside generic-param or auth-param, which would take
 * anything for them. */
static const char *const named[] = {
    "branch",     "ttl",    "maddr",         "received",    "rport",     "tag",       "q",
    "expires",    "reg-id", "+sip.instance", "temp-gruu",   "pub-gruu",  "handling",  "purpose",
    "duration",   "id",     "reason",        "retry-after", "refresher", "to-tag",    "from-tag",
    "early-only", "cause",  "text",          "info",        "alg",       "ppt",       "uri",
    "domain",     "nc",     "qop",           "response",    "stale",     "algorithm", "username",
    "realm",      "nonce",  "cnonce",        "opaque",      "nextnonce", "rspauth"};

/* Steps over white space, folds and a token; returns the token. */
static struct sipws_str token_at(struct sipws_str s, size_t *at)
{
    while (*at < s.n && (sipws_is(s.p[*at], SIPWS_C_WSP) || s.p[*at] == '\r' || s.p[*at] == '\n'))
        ++*at;
    const char *start = s.p + *at, *end = sipws_span(start, s.p + s.n, SIPWS_C_TOKEN);
    *at += (size_t)(end - start);
    return sipws_slice(start, end);
}

static bool is_named(struct sipws_str name)
{
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (sipws_str_ieq(name, (struct sipws_str){named[i], strlen(named[i])}))
            return true;
    return false;
}

/* A quoted string starts at `i`: there is a quote that ends it. */
static bool quotes(struct sipws_str s, size_t i)
{
    while (++i < s.n && s.p[i] != '"')
        i += s.p[i] == '\\';
    return i < s.n;
}

/* Whether the octet at `off` belongs to such a parameter: its name stands behind the last separator
 * that is not in a quoted string, or behind the scheme of a challenge; or to a token of Bearer. */
static bool in_named(struct sipws_str s, size_t off)
{
    size_t at = 0;
    bool quoted = false;
    for (size_t i = 0; i < off && i < s.n; i++) {
        if (s.p[i] == '\\' && quoted)
            i++;
        else if (s.p[i] == '"' && quoted)
            quoted = false;
        else if (s.p[i] == '"' && (i == 0 || memchr("=, \t\n", s.p[i - 1], 5)))
            quoted = quotes(s, i); /* a word may have a naked one */
        else if (!quoted && (s.p[i] == ';' || s.p[i] == ','))
            at = i + 1;
    }
    bool first = at == 0;
    struct sipws_str name = token_at(s, &at);
    return is_named(name) ||
           (first && (sipws_str_ieq(name, SIPWS_STR("Bearer")) || is_named(token_at(s, &at))));
}

unsigned oracle_permitted(void)
{
    return PERMITTED;
}

const char *oracle_why(unsigned i)
{
    return permitted[i].why;
}

static int why_permitted(struct sipws_str text, const struct sipws_diag *d, bool refused)
{
    for (int i = 0; i < NAMED; i++)
        if (permitted[i].err == d->err && (refused || !permitted[i].late) &&
            (!permitted[i].rule || strcmp(permitted[i].rule, d->rule) == 0))
            return i;
    return text.n > 0 && in_named(text, d->off) ? NAMED : -1;
}

/* ---- the question ---------------------------------------------------------------------------- */

/* Reads a whole header field value. */
static bool ref_value(struct sipws_cur *c, enum sipws_field_id id)
{
    struct sipws_value v;
    bool more = sipws_value_first(c, id, &v);
    while (more)
        more = sipws_value_next(c, id, &v);
    return c->diag->err == SIPWS_OK;
}

/* Keeps the refusal that names the earliest octet. */
static void earlier(struct oracle_answer *a, const struct sipws_diag *d, int why)
{
    if (a->ref || d->off < a->diag.off) {
        a->diag = *d;
        a->permitted = why;
    }
    a->ref = false;
}

/* The lines of a message, and each value by the rule of its header field. Not what holds across
 * header fields: the grammar knows nothing of that. */
static void ask_message(struct sipws_str text, struct oracle_answer *a)
{
    enum { FIELDS = 128, DIAGS = 16 };
    struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS], d;
    struct sipws_msg m;
    struct sipws_report r = sipws_report(diags, DIAGS);
    bool refused = a->grammar == ABNF_REFUSED;
    a->ref = true;
    sipws_msg_parse(text, 0, fields, FIELDS, &m, &r);
    for (size_t i = 0; i < r.n; i++)
        if (sipws_err_info(diags[i].err)->severity == SIPWS_ERROR)
            earlier(a, &diags[i], why_permitted((struct sipws_str){NULL, 0}, &diags[i], refused));
    for (size_t i = 0; i < m.n; i++) {
        struct sipws_cur c = sipws_msg_cur(&m, &fields[i], 0, &d);
        struct sipws_str value = fields[i].value;
        if (ref_value(&c, fields[i].id))
            continue;
        struct sipws_diag within = d;
        within.off -= (size_t)(value.p - text.p);
        earlier(a, &d, why_permitted(value, &within, refused));
    }
}

void oracle_ask(const struct oracle_start *start, struct sipws_str text, struct oracle_answer *a)
{
    *a = (struct oracle_answer){.permitted = -1};
    a->grammar = abnf_match(matcher(text.n), start->rule, text, &a->far);
    if (a->grammar == ABNF_UNDECIDED)
        return;
    struct sipws_cur c = sipws_cur(text, &a->diag);
    switch (start->kind) {
    case ORACLE_PART:
        a->ref = whole(&c, parts[start->index].read(&c));
        break;
    case ORACLE_FIELD:
        a->ref = ref_value(&c, (enum sipws_field_id)start->index);
        break;
    case ORACLE_WHOLE:
        ask_message(text, a);
        return;
    }
    if (!a->ref)
        a->permitted = why_permitted(text, &a->diag, a->grammar == ABNF_REFUSED);
}
