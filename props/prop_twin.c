/* ref beside the naive twins of SIP: folds, lists, parameters, lines and URIs. */
#include "gen_field.h"
#include "gen_msg.h"
#include "twin_sip.h"

#include <string.h>

enum { MANY = 64 };

static struct twin_str naive(struct sipws_str s)
{
    return (struct twin_str){s.p, s.n};
}

static bool same(struct twin_str a, struct sipws_str b)
{
    return sipws_str_eq((struct sipws_str){a.p, a.n}, b);
}

/* ---- field/unfold ---------------------------------------------------------------------------- */

static const void *draw_folded(struct tape *t, struct arena *a)
{
    static const char *const pieces[] = {"a", "\r\n ", " ", "b", "\t", "\r\n\t", "\"", "\xC3\xA9"};
    struct sipws_str *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    struct sipws_out o = arena_begin(a);
    while (o.n < 200 && tape_next(t, "piece", 8)) {
        const char *piece = pieces[tape_below(t, 8)];
        sipws_put(&o, (struct sipws_str){piece, strlen(piece)});
        tape_end(t);
    }
    *s = arena_end(a, &o);
    return s->p ? s : NULL;
}

static void explain_str(const void *story, FILE *f)
{
    prop_octets(f, "    ", *(const struct sipws_str *)story);
}

static void wire_str(const void *story, struct sipws_out *o)
{
    sipws_put(o, *(const struct sipws_str *)story);
}

static enum verdict hold_unfold(struct prop_trial *r, const void *story)
{
    struct sipws_str s = *(const struct sipws_str *)story;
    char want[256], got[256];
    struct sipws_out o = sipws_out(got, sizeof got);
    sipws_put_unfolded(&o, s);
    size_t n = twin_unfold(naive(s), want);
    prop_class(r, n == s.n ? "nothing to unfold" : "unfolded");
    return prop_same(r, "unfolded", (struct sipws_str){want, n}, sipws_out_str(&o));
}

const struct prop prop_field_unfold = {
    .name = "field/unfold",
    .plant = "UNFOLD_KEEPS",
    .sentence = "A line end and the white space behind it read as one space, wherever it stands, "
                "and none at either end of a value.",
    .draw = draw_folded,
    .hold = hold_unfold,
    .explain = explain_str,
    .wire = wire_str,
    .classes = {{"unfolded", 300}, {"nothing to unfold", 100}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- field/list, field/params ---------------------------------------------------------------- */

static const void *draw_value(struct tape *t, struct arena *a)
{
    struct gen_value *v = arena_get(a, sizeof *v);
    return v && gen_value(t, a, v) ? v : NULL;
}

static void explain_value(const void *story, FILE *f)
{
    const struct gen_value *v = story;
    fprintf(f, "  %s:\n", sipws_field_info(v->id)->name);
    prop_octets(f, "    ", v->text);
}

static void wire_value(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct gen_value *)story)->text);
}

/* In a callid, quotes and brackets are plain octets, which the twin does not know. */
static bool is_split(enum sipws_field_id id)
{
    enum sipws_shape shape = sipws_field_info(id)->shape;
    return (shape == SIPWS_LIST || shape == SIPWS_LIST_EMPTY) && id != SIPWS_F_IN_REPLY_TO;
}

static const void *draw_list(struct tape *t, struct arena *a)
{
    struct gen_value *v = arena_get(a, sizeof *v);
    unsigned id = tape_below(t, SIPWS_FIELD_COUNT);
    while (!is_split((enum sipws_field_id)id))
        id = (id + 1) % SIPWS_FIELD_COUNT;
    return v && gen_value_of(t, a, (enum sipws_field_id)id, v) ? v : NULL;
}

static enum verdict hold_list(struct prop_trial *r, const void *story)
{
    const struct gen_value *v = story;
    struct twin_str want[MANY];
    struct sipws_diag diag;
    struct sipws_value x;
    struct sipws_cur c = sipws_cur(v->text, &diag);
    if (v->text.n == 0) { /* which some lists may be */
        prop_class(r, "none");
        return HOLDS;
    }
    size_t n = twin_split(naive(v->text), ',', want, MANY), i = 0;
    for (bool more = sipws_value_first(&c, v->id, &x); more;
         more = sipws_value_next(&c, v->id, &x), i++)
        if (i < n && i < MANY && !same(want[i], x.text))
            return prop_fail(r, "element", (size_t)(x.text.p - v->text.p),
                             "element %zu is \"%.*s\", not \"%.*s\"", i, (int)x.text.n, x.text.p,
                             (int)want[i].n, want[i].p);
    if (i != n)
        return prop_fail(r, "count", PROP_NOWHERE, "%zu elements, not %zu", i, n);
    prop_class(r, n > 1 ? "several" : "one");
    return HOLDS;
}

const struct prop prop_field_list = {
    .name = "field/list",
    .plant = "LIST_TEXT_BLANK",
    .sentence = "The elements of a list are what stands between its commas that are in no quotes "
                "and no angle brackets, without the white space around.",
    .draw = draw_list,
    .hold = hold_list,
    .explain = explain_value,
    .wire = wire_value,
    .classes = {{"several", 100}, {"one", 100}, {"none", 0}},
    .discard_percent = 5,
    .tape_max = 256,
};

static enum verdict hold_params(struct prop_trial *r, const void *story)
{
    const struct gen_value *v = story;
    struct sipws_diag diag;
    struct sipws_value x;
    struct sipws_cur c = sipws_cur(v->text, &diag);
    bool some = false;
    for (bool more = sipws_value_first(&c, v->id, &x); more;
         more = sipws_value_next(&c, v->id, &x)) {
        struct twin_str want[MANY + 1], name, value;
        struct sipws_str rest = x.params;
        struct sipws_param p;
        if (!x.params.p)
            continue;
        bool semi = x.params.n > 0 && x.params.p[0] == ';';
        size_t n = twin_split(naive(x.params), semi ? ';' : ',', want, MANY + 1), i = semi;
        for (; sipws_param_next(&rest, &p); i++) {
            if (i >= n || i > MANY)
                return prop_fail(r, "more", PROP_NOWHERE, "more than %zu parameters", n);
            twin_name_value(want[i], &name, &value);
            if (!same(name, p.name) || !value.p != !p.value.p || !same(value, p.value))
                return prop_fail(r, "parameter", (size_t)(p.name.p - v->text.p),
                                 "parameter %zu is \"%.*s\"", i, (int)p.name.n, p.name.p);
        }
        if (i != n)
            return prop_fail(r, "less", PROP_NOWHERE, "%zu parameters, not %zu", i, n);
        some = some || n > 2;
    }
    prop_class(r, some ? "two or more" : "fewer");
    return HOLDS;
}

const struct prop prop_field_params = {
    .name = "field/params",
    .plant = "QUOTED_PAIR_END",
    .sentence = "The parameters of an element are what stands between its semicolons, or commas, "
                "that are in no quotes and no angle brackets.",
    .draw = draw_value,
    .hold = hold_params,
    .explain = explain_value,
    .wire = wire_value,
    .classes = {{"two or more", 50}, {"fewer", 100}},
    .discard_percent = 5,
    .tape_max = 256,
};

/* ---- msg/lines ------------------------------------------------------------------------------- */

static const void *draw_msg(struct tape *t, struct arena *a)
{
    struct gen_msg *m = arena_get(a, sizeof *m);
    struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY};
    return m && gen_msg(t, a, &want, m) ? m : NULL;
}

static void explain_msg(const void *story, FILE *f)
{
    prop_octets(f, "    ", ((const struct gen_msg *)story)->text);
}

static void wire_msg(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct gen_msg *)story)->text);
}

static enum verdict hold_lines(struct prop_trial *r, const void *story)
{
    const struct gen_msg *g = story;
    struct twin_str names[MANY], values[MANY], body;
    struct sipws_field fields[MANY];
    struct sipws_diag d;
    struct sipws_msg m;
    struct sipws_report report = sipws_report(&d, 1);
    if (!sipws_msg_parse(g->text, 0, fields, MANY, &m, &report))
        return prop_fail(r, "refused", d.off, "refused: %s", sipws_err_info(d.err)->id);
    size_t n = twin_lines(naive(g->text), names, values, MANY, &body);
    if (n != m.n)
        return prop_fail(r, "count", PROP_NOWHERE, "%zu lines, not %zu", m.n, n);
    for (size_t i = 0; i < n; i++)
        if (!same(names[i], fields[i].name) || !same(values[i], fields[i].value))
            return prop_fail(r, "line", (size_t)(fields[i].name.p - g->text.p),
                             "line %zu reads otherwise", i);
    prop_class(r, g->folds ? "folded" : "not folded");
    return same(body, m.body) ? HOLDS : prop_fail(r, "body", PROP_NOWHERE, "another body");
}

const struct prop prop_msg_lines = {
    .name = "msg/lines",
    .plant = "MSG_COLON_TRIM",
    .sentence = "A header field is what stands between two line ends that no white space follows: "
                "its name before the first colon, its value behind it.",
    .draw = draw_msg,
    .hold = hold_lines,
    .explain = explain_msg,
    .wire = wire_msg,
    .classes = {{"folded", 100}, {"not folded", 100}},
    .discard_percent = 5,
    .tape_max = 600,
};

/* ---- uri/twin, uri/respelled, uri/one-only --------------------------------------------------- */

/* Each row: spellings of one meaning. */
static const char *const users[][4] = {
    {"a", "%61"},   {"A", "%41"},        {"a;b", "a;%62"},           {"a%3Bb", "a%3bb", "%61%3bb"},
    {"", ""},       {"-", "%2D", "%2d"}, {"a%25", "a%25", "%61%25"}, {"a%2525", "%61%2525"},
    {"%20", "%20"}, {"+", "+"}};
static const char *const hosts[][4] = {
    {"h.example", "H.Example", "h.EXAMPLE"},
    {"10.0.0.1", "10.0.0.1"},
    {"[2001:db8::1]", "[2001:DB8:0:0:0:0:0:1]", "[2001:0db8::0:1]"},
    {"[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[0:0:0:0:0:FFFF:10.0.0.1]"},
    {"i.example", "i.example"}};
static const char *const ports[][4] = {{"", ""}, {":5060", ":05060"}, {":5061", ":5061"}};
static const char *const passwords[][4] = {{"", ""}, {":p", ":%70"}, {":P", ":P"}};
static const char *const params[][4] = {{";x=1", ";X=1", ";%78=%31"},
                                        {";x=2", ";x=2"},
                                        {";x", ";X"},
                                        {";y=ab", ";Y=AB", ";y=a%42"},
                                        {";transport=ws", ";Transport=WS"},
                                        {";transport=tcp", ";transport=TCP"},
                                        {";maddr=h", ";MADDR=H"},
                                        {";ttl=1", ";TTL=1"},
                                        {";user=ip", ";user=IP"},
                                        {";method=BYE", ";Method=BYE"},
                                        {";lr", ";LR"}};
static const char *const headers[][4] = {{"s=1", "S=1", "s=%31"}, {"s=b", "s=%62"}, {"t=", "T="}};

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))

static const char *spell(struct tape *t, const char *const row[4])
{
    const char *s = row[tape_below(t, 4)];
    return s ? s : row[0];
}

static void put(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
}

enum { PARAMS = 4 };

/* What a URI means: rows of the tables; params and headers may be COUNT, for none. */
struct meaning {
    unsigned scheme, user, password, host, port;
    unsigned param[PARAMS], header[2];
};

static struct meaning draw_meaning(struct tape *t)
{
    struct meaning m = {.scheme = tape_chance(t, 40), /* the simplest is at 0 */
                        .user = tape_below(t, COUNT(users)),
                        .password = tape_chance(t, 40) ? tape_below(t, 3) : 0,
                        .host = tape_below(t, COUNT(hosts)),
                        .port = tape_chance(t, 80) ? tape_below(t, 3) : 0};
    for (int i = 0; i < PARAMS; i++)
        m.param[i] = tape_chance(t, 100) ? tape_below(t, COUNT(params)) : COUNT(params);
    /* RFC 3261 does not say how headers of one name compare, so there are none. */
    m.header[0] = tape_chance(t, 40) ? tape_below(t, 2) : COUNT(headers);
    m.header[1] = tape_chance(t, 40) ? 2 : COUNT(headers);
    return m;
}

static struct sipws_str name_of(const char *param)
{
    return (struct sipws_str){param + 1, strcspn(param + 1, "=")};
}

/* Whether a parameter before this one has its name: it may stand once. */
static bool again(const struct meaning *m, int i)
{
    for (int k = 0; k < i; k++)
        if (m->param[k] < COUNT(params) &&
            sipws_str_eq(name_of(params[m->param[k]][0]), name_of(params[m->param[i]][0])))
            return true;
    return false;
}

/* One spelling of it; the parameters that count are those that come first, in any order. */
static struct sipws_str spelled(struct tape *t, struct arena *a, const struct meaning *m)
{
    struct sipws_out o = arena_begin(a);
    char sep = '?';
    put(&o, spell(t, (const char *const[4]){m->scheme ? "sips:" : "sip:",
                                            m->scheme ? "SIPS:" : "SIP:"}));
    if (users[m->user][0][0]) {
        put(&o, spell(t, users[m->user]));
        put(&o, spell(t, passwords[m->password]));
        put(&o, "@");
    }
    put(&o, spell(t, hosts[m->host]));
    put(&o, spell(t, ports[m->port]));
    int from = (int)tape_below(t, PARAMS);
    for (int k = 0; k < PARAMS; k++) {
        int i = (from + k) % PARAMS;
        if (m->param[i] < COUNT(params) && !again(m, i))
            put(&o, spell(t, params[m->param[i]]));
    }
    for (int i = 0; i < 2; i++)
        if (m->header[i] < COUNT(headers)) {
            sipws_put_char(&o, sep);
            put(&o, spell(t, headers[m->header[i]]));
            sep = '&';
        }
    return arena_end(a, &o);
}

struct uris {
    struct sipws_str text[3];
    size_t n;
    const char *only; /* the parameter that one of them has, or NULL */
};

static const void *draw_near(struct tape *t, struct arena *a)
{
    struct uris *u = arena_get(a, sizeof *u);
    if (!u)
        return NULL;
    struct meaning x = draw_meaning(t), y = x, z = draw_meaning(t);
    /* Mostly one part from another URI, sometimes none or several. */
    unsigned which = tape_below(t, 12);
    bool next = tape_chance(t, 128); /* to it in the table: nearly the same */
    if (which == 1)
        y.user = next ? x.user ^ 1 : z.user;
    else if (which == 2)
        y.host = z.host;
    else if (which == 3)
        y.port = z.port;
    else if (which == 4)
        y.password = z.password;
    else if (which == 5)
        y.scheme = z.scheme;
    else if (which <= 8 && which > 5)
        y.param[which - 6] = z.param[which - 6];
    else if (which == 9)
        y.header[0] = z.header[0];
    else if (which == 10)
        y = z;
    u->n = 2;
    u->text[0] = spelled(t, a, &x);
    u->text[1] = spelled(t, a, &y);
    return a->full ? NULL : u;
}

static const void *draw_respelled(struct tape *t, struct arena *a)
{
    struct uris *u = arena_get(a, sizeof *u);
    if (!u)
        return NULL;
    struct meaning x = draw_meaning(t);
    u->n = 3;
    for (int i = 0; i < 3; i++)
        u->text[i] = spelled(t, a, &x);
    return a->full ? NULL : u;
}

static const void *draw_one_only(struct tape *t, struct arena *a)
{
    struct uris *u = arena_get(a, sizeof *u);
    if (!u)
        return NULL;
    struct meaning x = draw_meaning(t), y;
    x.param[0] = tape_below(t, COUNT(params));
    y = x;
    y.param[0] = COUNT(params);
    /* Nor may a later one of the same name take its place. */
    for (int i = 1; i < PARAMS; i++)
        if (x.param[i] < COUNT(params) && again(&x, i))
            x.param[i] = y.param[i] = COUNT(params);
    u->only = params[x.param[0]][0];
    u->n = 2;
    unsigned first = tape_below(t, 2);
    u->text[first] = spelled(t, a, &x);
    u->text[!first] = spelled(t, a, &y);
    return a->full ? NULL : u;
}

static void explain_uris(const void *story, FILE *f)
{
    const struct uris *u = story;
    for (size_t i = 0; i < u->n; i++)
        prop_octets(f, "    ", u->text[i]);
    if (u->only)
        fprintf(f, "  only one has %s\n", u->only + 1);
}

static void wire_uris(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct uris *)story)->text[0]);
}

static bool read_uris(struct prop_trial *r, const struct uris *u, struct sipws_uri *out)
{
    for (size_t i = 0; i < u->n; i++) {
        struct sipws_diag d = {0};
        struct sipws_cur c = sipws_cur(u->text[i], &d);
        if (!sipws_uri(&c, SIPWS_URI_WHOLE, &out[i]) || c.p != c.end) {
            prop_fail(r, "refused", d.off, "URI %zu is refused: %s", i, sipws_err_info(d.err)->id);
            return false;
        }
    }
    return true;
}

static enum verdict hold_twin(struct prop_trial *r, const void *story)
{
    const struct uris *u = story;
    struct sipws_uri uri[3];
    if (!read_uris(r, u, uri))
        return FAILS;
    bool want = twin_uri_eq(naive(u->text[0]), naive(u->text[1]));
    prop_class(r, want ? "equal" : "unequal");
    if (sipws_uri_eq(&uri[0], &uri[1]) != want || sipws_uri_eq(&uri[1], &uri[0]) != want)
        return prop_fail(r, "equality", PROP_NOWHERE, "they are %s by RFC 3261 19.1.4",
                         want ? "equal" : "not equal");
    return HOLDS;
}

const struct prop prop_uri_twin = {
    .name = "uri/twin",
    .plant = "URI_USER_CASE",
    .sentence = "Two URIs are equal just when a slow reading of RFC 3261 19.1.4 and RFC 5954 4.2 "
                "says so, whichever stands first.",
    .draw = draw_near,
    .hold = hold_twin,
    .explain = explain_uris,
    .wire = wire_uris,
    .classes = {{"equal", 200}, {"unequal", 120}},
    .discard_percent = 5,
    .tape_max = 96,
};

static enum verdict hold_respelled(struct prop_trial *r, const void *story)
{
    const struct uris *u = story;
    struct sipws_uri uri[3];
    if (!read_uris(r, u, uri))
        return FAILS;
    bool differ = false;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            differ = differ || !sipws_str_eq(u->text[i], u->text[k]);
            if (!sipws_uri_eq(&uri[i], &uri[k]))
                return prop_fail(r, "unequal", PROP_NOWHERE, "URI %d is not equal to URI %d", i, k);
        }
    prop_class(r, differ ? "different octets" : "the same octets");
    return HOLDS;
}

const struct prop prop_uri_respelled = {
    .name = "uri/respelled",
    .plant = "URI_ESCAPE_DIFFERS",
    .sentence = "URIs with the same parts are equal, each to each: the case of scheme, host and "
                "parameters, escapes of what need none, the order of parameters and the form of an "
                "IPv6 address do not count.",
    .draw = draw_respelled,
    .hold = hold_respelled,
    .explain = explain_uris,
    .wire = wire_uris,
    .classes = {{"different octets", 400}, {"the same octets", 0}},
    .discard_percent = 5,
    .tape_max = 96,
};

static enum verdict hold_one_only(struct prop_trial *r, const void *story)
{
    static const char *const counts[] = {"transport", "user", "ttl", "method", "maddr"};
    const struct uris *u = story;
    struct sipws_uri uri[3];
    if (!read_uris(r, u, uri))
        return FAILS;
    bool matters = false;
    for (int i = 0; i < 5; i++)
        matters = matters ||
                  sipws_str_eq(name_of(u->only), (struct sipws_str){counts[i], strlen(counts[i])});
    prop_class(r, matters ? "one that counts" : "any other");
    return sipws_uri_eq(&uri[0], &uri[1]) != matters
               ? HOLDS
               : prop_fail(r, "one only", PROP_NOWHERE, "they are %s",
                           matters ? "equal" : "not equal");
}

const struct prop prop_uri_one_only = {
    .name = "uri/one-only",
    .plant = "URI_MADDR_LEFT_OUT",
    .sentence = "A parameter that only one of two URIs has makes them unequal if it is transport, "
                "user, ttl, method or maddr, and makes no difference else.",
    .draw = draw_one_only,
    .hold = hold_one_only,
    .explain = explain_uris,
    .wire = wire_uris,
    .classes = {{"one that counts", 200}, {"any other", 200}},
    .discard_percent = 5,
    .tape_max = 96,
};
