/* ref against the RFC's own grammar: the same octets, and the engine of abnf.h says what they are.
 *
 * Where ref refuses what the grammar takes, a sentence of an RFC must stand behind it: `permitted`
 * is the whole list. ref never takes what the grammar refuses, and it refuses at or before the
 * octet at which no sentence of the grammar goes on.
 */
#include "abnf.h"
#include "field.h"
#include "grammar.h"
#include "property.h"

#include <stdlib.h>

enum { MAX_TEXT = 400, SIZE = 60 };

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

/* Reads a whole header field value. */
static bool ref_field(struct sipws_cur *c, enum sipws_field_id id)
{
    struct sipws_value v;
    bool more = sipws_value_first(c, id, &v);
    while (more)
        more = sipws_value_next(c, id, &v);
    return c->diag->err == SIPWS_OK;
}

/* ---- what ref may refuse though the grammar takes it ----------------------------------------- */

static const struct {
    enum sipws_err err;
    const char *rule; /* of the diagnostic; NULL: any */
    const char *why;
} permitted[] = {
    {SIPWS_E_NUMBER_RANGE, NULL, "3261 8.1.1.5, 20: ranges that the prose gives"},
    {SIPWS_E_LIMIT_NUMBER, NULL, "3261 25.1: no number is above 2^64"},
    {SIPWS_E_URI_PORT, NULL, "793 3.1: a port has 16 bits"},
    {SIPWS_E_PARAM_DUPLICATE, NULL, "3261 7.3.1: no parameter name more than once"},
    {SIPWS_E_URI_PARAM_DUPLICATE, NULL, "3261 19.1.1: no URI parameter more than once"},
    {SIPWS_E_URI_PARAM, NULL, "3261 19.1.1: a named URI parameter has its own rule"},
    {SIPWS_E_PARAM_MISSING, NULL, "7616 3.3, 3.4: what a challenge or response must have"},
    {SIPWS_E_DATE, NULL, "3261 20.17: a date is one that the calendar has"},
    {SIPWS_E_URI_TEL, NULL, "3966 3: what a tel URI holds"},
    {SIPWS_E_URI_SCHEME, "PAssertedID-value", "3325 9.1: sip, sips or tel"},
    {SIPWS_E_URI_SCHEME, "PPreferredID-value", "3325 9.2: sip, sips or tel"},
    {SIPWS_E_LIMIT_COMMENT, NULL, "a limit of ours"},
    {SIPWS_E_LIMIT_PARAMS, NULL, "a limit of ours"},
};

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

/* Whether the octet at `off` belongs to such a parameter: its name stands behind the last separator
 * that is not in a quoted string, or behind the scheme of a challenge. */
static bool in_named(struct sipws_str s, size_t off)
{
    size_t at = 0;
    bool quoted = false;
    for (size_t i = 0; i < off && i < s.n; i++) {
        if (s.p[i] == '\\' && quoted)
            i++;
        else if (s.p[i] == '"' && (quoted || i == 0 || memchr("= \t\n", s.p[i - 1], 4)))
            quoted = !quoted; /* a word may have a naked one */
        else if (!quoted && (s.p[i] == ';' || s.p[i] == ','))
            at = i + 1;
    }
    bool first = at == 0;
    return is_named(token_at(s, &at)) || (first && is_named(token_at(s, &at)));
}

static const char *why_permitted(struct sipws_str text, const struct sipws_diag *d)
{
    for (size_t i = 0; i < sizeof permitted / sizeof *permitted; i++)
        if (permitted[i].err == d->err &&
            (!permitted[i].rule || strcmp(permitted[i].rule, d->rule) == 0))
            return permitted[i].why;
    return in_named(text, d->off) ? "3261 25.1: a named parameter has its own rule" : NULL;
}

/* ---- the properties -------------------------------------------------------------------------- */

/* The grammar, read once; it is constant from then on. */
static const struct abnf *grammar(void)
{
    static struct abnf *g;
    char error[200];
    if (!g) {
        g = abnf_load((struct sipws_str){sip_grammar, sip_grammar_n}, NULL, error, sizeof error);
        if (!g) {
            fprintf(stderr, "sip.abnf: %s\n", error);
            exit(2);
        }
    }
    return g;
}

static struct abnf_matcher *matcher(void)
{
    static struct abnf_matcher *m;
    if (!m)
        m = abnf_matcher_new(grammar(), MAX_TEXT);
    if (!m) {
        fputs("abnf: out of memory\n", stderr);
        exit(2);
    }
    return m;
}

enum how { SENTENCE, BENT, RAW };

struct story {
    const char *rule;
    int part; /* index of parts, or -1 */
    enum sipws_field_id field;
    enum how how;
    struct sipws_str text;
};

static void draw_text(struct tape *t, struct arena *a, struct story *s)
{
    static const unsigned char weights[] = {90, 150, 16};
    char text[MAX_TEXT], bent[MAX_TEXT];
    struct sipws_out o = sipws_out(text, sizeof text);
    s->how = (enum how)tape_weighted(t, weights, 3);
    tape_begin(t, "sentence");
    if (s->how == RAW)
        for (int n = 0; n < 40 && tape_more(t, 10); n++)
            sipws_put_char(&o, (char)tape_byte(t));
    else
        abnf_generate(grammar(), abnf_rule(grammar(), s->rule), t, SIZE, &o, NULL);
    tape_end(t);
    struct sipws_str made = {text, sipws_out_ok(&o) ? o.n : sizeof text};
    if (s->how == BENT) {
        tape_begin(t, "bend");
        made = (struct sipws_str){bent, abnf_bend(t, made, bent, sizeof bent)};
        tape_end(t);
    }
    s->text = arena_copy(a, made);
}

static const void *draw_part(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->part = (int)tape_below(t, PARTS);
    s->rule = parts[s->part].rule;
    draw_text(t, a, s);
    return s->text.p ? s : NULL;
}

static const void *draw_field(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    char *rule = arena_get(a, 64);
    if (!s || !rule)
        return NULL;
    s->part = -1;
    s->field = (enum sipws_field_id)tape_below(t, SIPWS_FIELD_COUNT);
    if (s->field == SIPWS_F_EXTENSION)
        snprintf(rule, 64, "header-value");
    else
        snprintf(rule, 64, "%s-field-value", sipws_field_info(s->field)->name);
    s->rule = rule;
    if (abnf_rule(grammar(), rule) < 0)
        return NULL;
    draw_text(t, a, s);
    return s->text.p ? s : NULL;
}

static enum verdict hold(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    size_t far = 0;
    enum abnf_verdict want = abnf_match(matcher(), abnf_rule(grammar(), s->rule), s->text, &far);
    if (want == ABNF_UNDECIDED)
        return DISCARDED;
    struct sipws_diag diag = {0};
    struct sipws_cur c = sipws_cur(s->text, &diag);
    bool got = s->part >= 0 ? whole(&c, parts[s->part].read(&c)) : ref_field(&c, s->field);
    prop_class(r, want == ABNF_ACCEPTED ? "accepted" : "refused");
    if (want == ABNF_ACCEPTED && !got) {
        if (!why_permitted(s->text, &diag))
            return prop_fail(r, "over-refusal", diag.off,
                             "%s: ref refuses (%s, %s), the grammar takes it", s->rule,
                             sipws_err_info(diag.err)->id, diag.rule);
        prop_class(r, "permitted difference");
    }
    if (want == ABNF_REFUSED && got)
        return prop_fail(r, "over-acceptance", far, "%s: ref takes it, the grammar refuses it",
                         s->rule);
    if (want == ABNF_REFUSED && diag.off > far && !why_permitted(s->text, &diag))
        return prop_fail(r, "late", far, "%s: ref refuses at %zu (%s, %s); it is certain at %zu",
                         s->rule, diag.off, sipws_err_info(diag.err)->id, diag.rule, far);
    return HOLDS;
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    fprintf(f, "  rule %s, %s\n", s->rule,
            s->how == SENTENCE ? "a sentence of it"
            : s->how == BENT   ? "a bent sentence"
                               : "any octets");
    prop_octets(f, "    ", s->text);
}

static void wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct story *)story)->text);
}

#define CLASSES                                                                                    \
    {                                                                                              \
        {"accepted", 250}, {"refused", 200},                                                       \
        {                                                                                          \
            "permitted difference", 0                                                              \
        }                                                                                          \
    }

const struct prop prop_abnf_part = {
    .name = "abnf/part",
    .sentence =
        "ref takes a URI, host, address, string or comment just when the RFC's grammar does, and "
        "refuses at the latest where no sentence goes on.",
    .draw = draw_part,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 400,
};

const struct prop prop_abnf_field = {
    .name = "abnf/field",
    .sentence = "ref takes the value of a header field just when the RFC's grammar does, and "
                "refuses at the "
                "latest where no sentence goes on.",
    .draw = draw_field,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 400,
};
