/* Properties of header fields and URIs. */
#include "gen_field.h"

#include <string.h>

/* ---- field/print-read ------------------------------------------------------------------------ */

static const void *draw_value(struct tape *t, struct arena *a)
{
    struct gen_value *v = arena_get(a, sizeof *v);
    return v && gen_value(t, a, v) ? v : NULL;
}

static void explain_value(const void *story, FILE *f)
{
    const struct gen_value *v = story;
    const char *name = sipws_field_info(v->id)->name;
    fprintf(f, "  %s, %u elements:\n", name[0] ? name : "an unknown field", v->elements);
    prop_octets(f, "    ", v->text);
    fputs("  canonical:\n", f);
    prop_octets(f, "    ", v->canon);
}

static void wire_value(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct gen_value *)story)->text);
}

/* Same text but for folds. */
static bool same_text(struct sipws_str a, struct sipws_str b)
{
    char one[GEN_VALUE_MAX], two[GEN_VALUE_MAX];
    struct sipws_out x = sipws_out(one, sizeof one), y = sipws_out(two, sizeof two);
    if (!a.p || !b.p)
        return !a.p && !b.p;
    sipws_put_unfolded(&x, a);
    sipws_put_unfolded(&y, b);
    return sipws_out_ok(&x) && sipws_out_ok(&y) &&
           sipws_str_eq(sipws_out_str(&x), sipws_out_str(&y));
}

static bool same_params(struct sipws_str a, struct sipws_str b)
{
    struct sipws_param x, y;
    for (;;) {
        bool more = sipws_param_next(&a, &x), other = sipws_param_next(&b, &y);
        if (!more || !other)
            return more == other;
        if (!sipws_str_eq(x.name, y.name) || !same_text(x.value, y.value))
            return false;
    }
}

/* Member by member; only what the kind has. */
static bool same_value(const struct sipws_value *a, const struct sipws_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SIPWS_K_TEXT:
        return same_text(a->text, b->text);
    case SIPWS_K_TOKEN:
        return sipws_str_eq(a->token, b->token) && same_params(a->params, b->params);
    case SIPWS_K_NUMBER:
        return a->number.value == b->number.value &&
               same_text(a->number.comment, b->number.comment) && same_params(a->params, b->params);
    case SIPWS_K_ADDR:
        return same_text(a->addr.display, b->addr.display) &&
               sipws_uri_eq(&a->addr.uri, &b->addr.uri) && same_params(a->params, b->params);
    case SIPWS_K_STAR:
        return true;
    case SIPWS_K_URI:
        return sipws_uri_eq(&a->uri, &b->uri) && same_params(a->params, b->params);
    case SIPWS_K_VIA:
        return sipws_str_eq(a->via.protocol, b->via.protocol) &&
               sipws_str_eq(a->via.version, b->via.version) &&
               sipws_str_eq(a->via.transport, b->via.transport) && a->via.port == b->via.port &&
               sipws_host_eq(&a->via.host, &b->via.host) && same_params(a->params, b->params);
    case SIPWS_K_CSEQ:
        return a->cseq.number == b->cseq.number && sipws_str_eq(a->cseq.method, b->cseq.method);
    case SIPWS_K_RACK:
        return a->rack.response == b->rack.response && a->rack.number == b->rack.number &&
               sipws_str_eq(a->rack.method, b->rack.method);
    case SIPWS_K_CALL_ID:
        return sipws_str_eq(a->call_id, b->call_id) && same_params(a->params, b->params);
    case SIPWS_K_MEDIA:
        return sipws_str_eq(a->media.type, b->media.type) &&
               sipws_str_eq(a->media.subtype, b->media.subtype) &&
               same_params(a->params, b->params);
    case SIPWS_K_DATE:
        return a->date.year == b->date.year && a->date.month == b->date.month &&
               a->date.day == b->date.day && a->date.weekday == b->date.weekday &&
               a->date.hour == b->date.hour && a->date.minute == b->date.minute &&
               a->date.second == b->date.second;
    case SIPWS_K_TIMESTAMP:
        return sipws_str_eq(a->timestamp.value, b->timestamp.value) &&
               same_text(a->timestamp.delay, b->timestamp.delay);
    case SIPWS_K_WARNING:
        return a->warning.code == b->warning.code &&
               sipws_str_eq(a->warning.agent, b->warning.agent) &&
               same_text(a->warning.quoted, b->warning.quoted);
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
        return sipws_str_eq(a->auth.scheme, b->auth.scheme) &&
               same_text(a->auth.token68, b->auth.token68) && same_params(a->params, b->params);
    case SIPWS_K_AUTH_INFO:
        return same_params(a->params, b->params);
    case SIPWS_K_IDENTITY:
        return sipws_str_eq(a->identity, b->identity) && same_params(a->params, b->params);
    case SIPWS_KIND_COUNT:
        break;
    }
    return false;
}

static enum verdict refused(struct prop_trial *r, const char *id, const struct sipws_diag *d)
{
    return prop_fail(r, id, d->off, "refused: %s (%s) at %zu", sipws_err_info(d->err)->id, d->rule,
                     d->off);
}

static void classify(struct prop_trial *r, const struct gen_value *v)
{
    if (v->folds)
        prop_class(r, "folds");
    if (v->spaces)
        prop_class(r, "spaces");
    if (v->pairs)
        prop_class(r, "quoted-pairs");
    if (v->ipv6)
        prop_class(r, "IPv6");
    if (v->params)
        prop_class(r, "parameters");
    if (v->elements > 1)
        prop_class(r, "lists");
}

static const char *class_of(enum sipws_kind kind)
{
    switch (kind) {
    case SIPWS_K_ADDR:
    case SIPWS_K_URI:
    case SIPWS_K_STAR:
        return "addresses";
    case SIPWS_K_VIA:
        return "Via";
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
    case SIPWS_K_AUTH_INFO:
        return "authentication";
    case SIPWS_K_NUMBER:
    case SIPWS_K_CSEQ:
    case SIPWS_K_RACK:
    case SIPWS_K_DATE:
    case SIPWS_K_TIMESTAMP:
        return "numbers";
    case SIPWS_K_TOKEN:
    case SIPWS_K_MEDIA:
    case SIPWS_K_CALL_ID:
    case SIPWS_K_IDENTITY:
        return "words";
    case SIPWS_K_TEXT:
    case SIPWS_K_WARNING:
        return "text";
    case SIPWS_KIND_COUNT:
        break;
    }
    return "words";
}

static enum verdict hold_print_read(struct prop_trial *r, const void *story)
{
    const struct gen_value *v = story;
    struct sipws_diag diag, again;
    struct sipws_value x, y;
    char printed[GEN_VALUE_MAX * 2];
    struct sipws_out o = sipws_out(printed, sizeof printed);
    struct sipws_cur c = sipws_cur(v->text, &diag), d = sipws_cur(v->canon, &again);
    unsigned n = 0;
    classify(r, v);
    bool more = sipws_value_first(&c, v->id, &x), other = sipws_value_first(&d, v->id, &y);
    while (more && other) {
        if (n++ > 0)
            sipws_put_lit(&o, ", ");
        sipws_value_print(&o, &x);
        prop_class(r, class_of(x.kind));
        if (!same_value(&x, &y))
            return prop_fail(r, "another value", (size_t)(x.text.p - v->text.p),
                             "element %u reads otherwise in its canonical form", n);
        more = sipws_value_next(&c, v->id, &x);
        other = sipws_value_next(&d, v->id, &y);
    }
    if (diag.err != SIPWS_OK)
        return refused(r, "refused", &diag);
    if (again.err != SIPWS_OK)
        return refused(r, "canonical refused", &again);
    if (more != other || n != v->elements)
        return prop_fail(r, "elements", PROP_NOWHERE, "%u elements, not %u", n, v->elements);
    if (!sipws_out_ok(&o))
        return prop_fail(r, "longer", PROP_NOWHERE, "printed to %zu octets", o.n);
    if (n == 1 && o.n > 0) { /* one octet too few: AddressSanitizer watches behind them */
        char *room = arena_get(&r->arena, o.n - 1);
        struct sipws_out tight = sipws_out(room, room ? o.n - 1 : 0);
        sipws_value_print(&tight, &y);
        if (sipws_out_ok(&tight) || tight.n != o.n)
            return prop_fail(r, "short writer", PROP_NOWHERE, "it says that all is there");
    }
    return prop_same(r, "canonical", v->canon, sipws_out_str(&o));
}

const struct prop prop_field_print_read = {
    .name = "field/print-read",
    .plant = "FIELD_PRINT_32",
    .sentence = "A valid value of any header field is read; printed, it is in the canonical form; "
                "and that is read to an equal value.",
    .draw = draw_value,
    .hold = hold_print_read,
    .explain = explain_value,
    .wire = wire_value,
    .classes = {{"folds", 50},
                {"spaces", 100},
                {"quoted-pairs", 10},
                {"IPv6", 10},
                {"parameters", 100},
                {"lists", 50},
                {"addresses", 100},
                {"Via", 5},
                {"authentication", 20},
                {"numbers", 80},
                {"words", 150},
                {"text", 30}},
    .discard_percent = 5,
    .tape_max = 512,
};

/* ---- field/cut ------------------------------------------------------------------------------- */

struct bent {
    struct gen_value value; /* before */
    struct sipws_str text;  /* after; of exactly its size */
    uint32_t allow;
    const char *how;
};

static const void *draw_bent(struct tape *t, struct arena *a)
{
    struct bent *b = arena_get(a, sizeof *b);
    if (!b || !gen_value(t, a, &b->value))
        return NULL;
    struct sipws_str s = b->value.text;
    size_t at = tape_below(t, (uint32_t)s.n + 1);
    unsigned ch = tape_byte(t);
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, (struct sipws_str){s.p, at});
    switch (tape_below(t, 4)) {
    case 0:
        b->how = "cut";
        break;
    case 1:
        b->how = "an octet changed";
        sipws_put_char(&o, (char)ch);
        if (at < s.n)
            sipws_put(&o, (struct sipws_str){s.p + at + 1, s.n - at - 1});
        break;
    case 2:
        b->how = "an octet put in";
        sipws_put_char(&o, (char)ch);
        sipws_put(&o, (struct sipws_str){s.p + at, s.n - at});
        break;
    default:
        b->how = "an octet taken out";
        if (at < s.n)
            sipws_put(&o, (struct sipws_str){s.p + at + 1, s.n - at - 1});
        break;
    }
    struct sipws_str bent = arena_end(a, &o);
    b->text = arena_copy(a, bent);
    b->allow = tape_chance(t, 64) ? tape_below(t, 128) : 0;
    return b->text.p ? b : NULL;
}

static void explain_bent(const void *story, FILE *f)
{
    const struct bent *b = story;
    explain_value(&b->value, f);
    fprintf(f, "  %s, leniencies %#x:\n", b->how, (unsigned)b->allow);
    prop_octets(f, "    ", b->text);
}

static void wire_bent(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct bent *)story)->text);
}

static bool within(struct sipws_str part, struct sipws_str whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static enum verdict hold_cut(struct prop_trial *r, const void *story)
{
    const struct bent *b = story;
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(b->text, &diag), before;
    char first[GEN_VALUE_MAX * 2], second[GEN_VALUE_MAX * 2];
    c.allow = b->allow;
    before = c;
    for (bool more = sipws_value_first(&c, b->value.id, &v); more;
         more = sipws_value_next(&c, b->value.id, &v)) {
        if (c.p < before.p || c.p > c.end)
            return prop_fail(r, "cursor", PROP_NOWHERE, "the cursor went back or too far");
        if (!within(v.text, b->text) || !within(v.params, v.text))
            return prop_fail(r, "slices", PROP_NOWHERE, "a slice lies outside of its element");
        struct sipws_out o = sipws_out(first, sizeof first), p = sipws_out(second, sizeof second);
        struct sipws_value again;
        struct sipws_diag other;
        sipws_value_print(&o, &v);
        if (sipws_out_ok(&o)) { /* what is accepted is accepted as it is printed */
            struct sipws_cur d = sipws_cur(sipws_out_str(&o), &other);
            d.allow = b->allow;
            bool empty = o.n == 0;
            if (!empty && !sipws_value_first(&d, b->value.id, &again))
                return refused(r, "printed, refused", &other);
            if (!empty)
                sipws_value_print(&p, &again);
            if (!empty && !sipws_str_eq(sipws_out_str(&o), sipws_out_str(&p)))
                return prop_same(r, "fixpoint", sipws_out_str(&o), sipws_out_str(&p));
        }
        before = c;
    }
    prop_class(r, diag.err == SIPWS_OK ? "read" : "refused");
    if (diag.err == SIPWS_OK)
        return c.p == c.end ? HOLDS
                            : prop_fail(r, "end", (size_t)(c.p - c.base), "ended before the end");
    if (diag.off > b->text.n)
        return prop_fail(r, "offset", PROP_NOWHERE, "refused at %zu of %zu", diag.off, b->text.n);
    if (!diag.rule[0] || !diag.rfc[0])
        return prop_fail(r, "unexplained", diag.off, "no rule or no RFC");
    return c.p == before.p ? HOLDS
                           : prop_fail(r, "moved", diag.off, "a failed read moved the cursor");
}

const struct prop prop_field_cut = {
    .name = "field/cut",
    .plant = "QUOTED_PAIR_END",
    .sentence =
        "A valid value with one octet changed, put in or taken out, or cut anywhere, is read "
        "or refused within its bounds: with an offset, a rule and an RFC, the cursor "
        "unmoved; and what is read prints to what is read alike.",
    .draw = draw_bent,
    .hold = hold_cut,
    .explain = explain_bent,
    .wire = wire_bent,
    .classes = {{"read", 100}, {"refused", 100}},
    .discard_percent = 5,
    .tape_max = 512,
};

/* ---- field/names ----------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum sipws_field_id id;
} names[] = {
#define F(id, name, compact, shape, rule, rfc) {name, SIPWS_F_##id}, {compact, SIPWS_F_##id},
#include "field.def"
#undef F
};

static unsigned char folded(char ch)
{
    return (unsigned char)(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
}

/* The naive lookup. */
static enum sipws_field_id slow_find(struct sipws_str s)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t k = 0;
        while (k < s.n && names[i].name[k] && folded(s.p[k]) == folded(names[i].name[k]))
            k++;
        if (s.n > 0 && k == s.n && !names[i].name[k])
            return names[i].id;
    }
    return SIPWS_F_EXTENSION;
}

static const void *draw_name(struct tape *t, struct arena *a)
{
    struct sipws_str *s = arena_get(a, sizeof *s);
    char name[32];
    size_t n = 0;
    if (!s)
        return NULL;
    const char *from = names[tape_below(t, sizeof names / sizeof *names)].name;
    for (; *from; from++) {
        char ch = *from;
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        name[n++] = letter && tape_chance(t, 64) ? (char)(ch ^ 0x20) : ch;
    }
    size_t at = tape_below(t, (uint32_t)n + 1);
    char ch = (char)tape_byte(t);
    switch (tape_below(t, 6)) {
    case 1: /* another octet */
        name[at] = ch;
        n += at == n;
        break;
    case 2: /* one that differs in one bit */
        if (at < n)
            name[at] = (char)(name[at] ^ (1 << (ch & 7)));
        break;
    case 3: /* the start of a name */
        n = at;
        break;
    case 4: /* more behind a name */
        name[n++] = ch;
        break;
    case 5: /* an octet doubled */
        if (at < n) {
            memmove(name + at + 1, name + at, n - at);
            n++;
        }
        break;
    default:
        break;
    }
    *s = arena_copy(a, (struct sipws_str){name, n});
    return s->p ? s : NULL;
}

static void explain_name(const void *story, FILE *f)
{
    prop_octets(f, "  ", *(const struct sipws_str *)story);
}

static void wire_name(const void *story, struct sipws_out *o)
{
    sipws_put(o, *(const struct sipws_str *)story);
}

static enum verdict hold_name(struct prop_trial *r, const void *story)
{
    struct sipws_str s = *(const struct sipws_str *)story;
    enum sipws_field_id want = slow_find(s), got = sipws_field_find(s);
    prop_class(r, want == SIPWS_F_EXTENSION ? "unknown" : "known");
    return want == got ? HOLDS
                       : prop_fail(r, "identity", PROP_NOWHERE, "taken for \"%s\", not \"%s\"",
                                   sipws_field_info(got)->name, sipws_field_info(want)->name);
}

const struct prop prop_field_names = {
    .name = "field/names",
    .plant = "FIELD_PREFIX",
    .sentence = "A name is that of a header field exactly when it is the whole name or the whole "
                "compact form, without regard to case.",
    .draw = draw_name,
    .hold = hold_name,
    .explain = explain_name,
    .wire = wire_name,
    .classes = {{"known", 100}, {"unknown", 100}},
    .discard_percent = 5,
    .tape_max = 64,
};

/* ---- uri/print-read -------------------------------------------------------------------------- */

struct uri_pair {
    struct sipws_str text, canon;
};

static const void *draw_uri(struct tape *t, struct arena *a)
{
    struct uri_pair *p = arena_get(a, sizeof *p);
    return p && gen_uri(t, a, &p->text, &p->canon) ? p : NULL;
}

static void explain_uri(const void *story, FILE *f)
{
    const struct uri_pair *p = story;
    prop_octets(f, "  ", p->text);
    fputs("  canonical:\n", f);
    prop_octets(f, "  ", p->canon);
}

static void wire_uri(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct uri_pair *)story)->text);
}

static bool read_uri(struct sipws_str s, struct sipws_diag *d, struct sipws_uri *out)
{
    struct sipws_cur c = sipws_cur(s, d);
    return sipws_uri(&c, SIPWS_URI_WHOLE, out) && c.p == c.end;
}

static enum verdict hold_uri(struct prop_trial *r, const void *story)
{
    const struct uri_pair *p = story;
    struct sipws_diag d = {SIPWS_OK, 0, "", ""};
    struct sipws_uri a, b;
    char printed[GEN_VALUE_MAX];
    struct sipws_out o = sipws_out(printed, sizeof printed);
    if (!read_uri(p->text, &d, &a) || !read_uri(p->canon, &d, &b))
        return refused(r, "refused", &d);
    prop_class(r, a.scheme == SIPWS_SCHEME_OTHER ? "other schemes" : "sip and sips");
    if (a.host.kind == SIPWS_HOST_IPV6)
        prop_class(r, "IPv6");
    if (!sipws_uri_eq(&a, &a) || !sipws_uri_eq(&b, &b))
        return prop_fail(r, "reflexive", PROP_NOWHERE, "a URI is not equal to itself");
    if (!sipws_uri_eq(&a, &b) || !sipws_uri_eq(&b, &a))
        return prop_fail(r, "equal", PROP_NOWHERE, "a URI is not equal to its canonical form");
    sipws_uri_print(&o, &a);
    if (!sipws_out_ok(&o))
        return prop_fail(r, "longer", PROP_NOWHERE, "printed to %zu octets", o.n);
    return prop_same(r, "canonical", p->canon, sipws_out_str(&o));
}

const struct prop prop_uri_print_read = {
    .name = "uri/print-read",
    .plant = "URI_PRINT_PASSWORD",
    .sentence = "A valid URI is read; printed, it is in the canonical form, which is an equal URI.",
    .draw = draw_uri,
    .hold = hold_uri,
    .explain = explain_uri,
    .wire = wire_uri,
    .classes = {{"sip and sips", 300}, {"other schemes", 30}, {"IPv6", 30}},
    .discard_percent = 5,
    .tape_max = 128,
};

/* ---- uri/equality ---------------------------------------------------------------------------- */

struct uri_other {
    struct uri_pair a;
    struct sipws_str b;
    bool equal; /* only spelled otherwise */
};

/* An octet of the user that may be escaped without a change of meaning, or SIZE_MAX. */
static size_t plain_user_octet(struct sipws_str uri, size_t from)
{
    const char *colon = memchr(uri.p, ':', uri.n), *at = memchr(uri.p, '@', uri.n);
    size_t start = colon ? (size_t)(colon - uri.p) + 1 : 0;
    size_t end = at ? (size_t)(at - uri.p) : 0;
    bool sip = colon && (colon - uri.p == 3 || (colon - uri.p == 4 && (colon[-1] | 0x20) == 's'));
    for (size_t i = start > from ? start : from; sip && i < end; i++)
        if (sipws_is(uri.p[i], SIPWS_C_ALPHA) && (i < start + 1 || uri.p[i - 1] != '%') &&
            (i < start + 2 || uri.p[i - 2] != '%'))
            return i;
    return SIZE_MAX;
}

static const void *draw_uri_other(struct tape *t, struct arena *a)
{
    static const char hex[] = "0123456789ABCDEF";
    struct uri_other *u = arena_get(a, sizeof *u);
    if (!u || !gen_uri(t, a, &u->a.text, &u->a.canon))
        return NULL;
    struct sipws_str s = u->a.text;
    size_t at = tape_below(t, (uint32_t)s.n);
    static const char usual[] = "abBz09%;=?&@:.-+";
    char ch = tape_chance(t, 32) ? (char)tape_byte(t) : usual[tape_below(t, sizeof usual - 1)];
    size_t plain = plain_user_octet(s, at);
    if (plain == SIZE_MAX)
        plain = plain_user_octet(s, 0);
    u->equal = tape_chance(t, 128) && plain != SIZE_MAX && memcmp(s.p, "im", 2) != 0;
    struct sipws_out o = arena_begin(a);
    if (u->equal) {
        unsigned octet = (unsigned char)s.p[plain];
        sipws_put(&o, (struct sipws_str){s.p, plain});
        sipws_put_char(&o, '%');
        sipws_put_char(&o, hex[octet >> 4]);
        sipws_put_char(&o, hex[octet & 15]);
        sipws_put(&o, (struct sipws_str){s.p + plain + 1, s.n - plain - 1});
    } else {
        sipws_put(&o, (struct sipws_str){s.p, at});
        sipws_put_char(&o, ch);
        sipws_put(&o, (struct sipws_str){s.p + at + 1, s.n - at - 1});
    }
    u->b = arena_end(a, &o);
    return u->b.p ? u : NULL;
}

static void explain_uri_other(const void *story, FILE *f)
{
    const struct uri_other *u = story;
    prop_octets(f, "  ", u->a.text);
    fputs(u->equal ? "  spelled otherwise:\n" : "  with one octet changed:\n", f);
    prop_octets(f, "  ", u->b);
}

static void wire_uri_other(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct uri_other *)story)->b);
}

static enum verdict hold_equality(struct prop_trial *r, const void *story)
{
    const struct uri_other *u = story;
    struct sipws_diag d = {SIPWS_OK, 0, "", ""};
    struct sipws_uri a, b;
    if (!read_uri(u->a.text, &d, &a))
        return refused(r, "refused", &d);
    if (!read_uri(u->b, &d, &b)) {
        prop_class(r, "no URI");
        return u->equal ? refused(r, "respelled refused", &d) : HOLDS;
    }
    if (!sipws_uri_eq(&a, &a) || !sipws_uri_eq(&b, &b))
        return prop_fail(r, "reflexive", PROP_NOWHERE, "a URI is not equal to itself");
    bool equal = sipws_uri_eq(&a, &b);
    if (equal != sipws_uri_eq(&b, &a))
        return prop_fail(r, "symmetric", PROP_NOWHERE, "equal one way only");
    prop_class(r, equal ? "equal" : "unequal");
    return equal || !u->equal ? HOLDS
                              : prop_fail(r, "respelled", PROP_NOWHERE,
                                          "an escaped letter of the user makes a difference");
}

const struct prop prop_uri_equality = {
    .name = "uri/equality",
    .plant = "URI_ESCAPE_DIFFERS",
    .sentence = "URI equality is reflexive and symmetric, and an unreserved octet of the user is "
                "equal to its escaped form.",
    .draw = draw_uri_other,
    .hold = hold_equality,
    .explain = explain_uri_other,
    .wire = wire_uri_other,
    .classes = {{"equal", 50}, {"unequal", 50}, {"no URI", 50}},
    .discard_percent = 5,
    .tape_max = 128,
};

/* ---- field/numbers --------------------------------------------------------------------------- */

struct digits {
    enum sipws_field_id id;
    const char *least, *most; /* decimal, without leading zeros */
    struct sipws_str text;    /* decimal digits */
};

static const struct {
    enum sipws_field_id id;
    const char *least, *most;
} ranges[] = {
    {SIPWS_F_CONTENT_LENGTH, "0", "18446744073709551615"},
    {SIPWS_F_EXPIRES, "0", "4294967295"},
    {SIPWS_F_MAX_FORWARDS, "0", "255"},
    {SIPWS_F_RSEQ, "1", "4294967295"},
    {SIPWS_F_MIN_EXPIRES, "0", "4294967295"},
    {SIPWS_F_MIN_SE, "0", "4294967295"},
    {SIPWS_F_FLOW_TIMER, "0", "18446744073709551615"},
};

static const void *draw_digits(struct tape *t, struct arena *a)
{
    struct digits *d = arena_get(a, sizeof *d);
    char text[64];
    size_t n = 0;
    if (!d)
        return NULL;
    unsigned i = tape_below(t, sizeof ranges / sizeof *ranges);
    d->id = ranges[i].id;
    d->least = ranges[i].least;
    d->most = ranges[i].most;
    while (n < 8 && tape_chance(t, 32))
        text[n++] = '0';
    switch (tape_below(t, 4)) {
    case 0: /* near a limit of some machine word: its digits, and one of them changed */
        n += strlen(strcpy(
            text + n, (const char *const[]){"255", "256", "2147483647", "4294967295", "4294967296",
                                            "18446744073709551615", "18446744073709551616",
                                            "36893488147419103232"}[tape_below(t, 8)]));
        if (tape_chance(t, 128))
            text[n - 1 - tape_below(t, 3)] = (char)('0' + tape_below(t, 10));
        break;
    default:
        do
            text[n++] = (char)('0' + tape_below(t, 10));
        while (n < 48 && tape_more(t, 8));
        break;
    }
    d->text = arena_copy(a, (struct sipws_str){text, n});
    return d->text.p ? d : NULL;
}

static void explain_digits(const void *story, FILE *f)
{
    const struct digits *d = story;
    fprintf(f, "  %s, from %s to %s:\n", sipws_field_info(d->id)->name, d->least, d->most);
    prop_octets(f, "    ", d->text);
}

static void wire_digits(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct digits *)story)->text);
}

/* As pupils compare decimal numbers: by length, then digit by digit. */
static int compare_decimals(struct sipws_str a, struct sipws_str b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return memcmp(a.p, b.p, a.n);
}

static enum verdict hold_digits(struct prop_trial *r, const void *story)
{
    const struct digits *d = story;
    struct sipws_str s = d->text;
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(s, &diag);
    char printed[32];
    struct sipws_out o = sipws_out(printed, sizeof printed);
    while (s.n > 1 && *s.p == '0')
        s.p++, s.n--;
    bool in = compare_decimals(s, (struct sipws_str){d->least, strlen(d->least)}) >= 0 &&
              compare_decimals(s, (struct sipws_str){d->most, strlen(d->most)}) <= 0;
    bool read = sipws_value_first(&c, d->id, &v);
    prop_class(r, in ? "in range" : "out of range");
    if (read != in)
        return prop_fail(r, "range", 0, read ? "read, out of range" : "refused, in range");
    if (!read)
        return diag.off == 0 ? HOLDS : prop_fail(r, "offset", diag.off, "not at the number");
    sipws_value_print(&o, &v);
    return prop_same(r, "value", s, sipws_out_str(&o));
}

const struct prop prop_field_numbers = {
    .name = "field/numbers",
    .plant = "NUMBER_WRAP",
    .sentence = "A number is read exactly when it is in its field's range, however many digits it "
                "has, and prints as it is.",
    .draw = draw_digits,
    .hold = hold_digits,
    .explain = explain_digits,
    .wire = wire_digits,
    .classes = {{"in range", 100}, {"out of range", 100}},
    .discard_percent = 5,
    .tape_max = 96,
};

/* ---- field/many-params ----------------------------------------------------------------------- */

struct many {
    enum sipws_field_id id;
    unsigned n;    /* parameters */
    unsigned same; /* the one that has the name of the first, or 0 */
    struct sipws_str text;
    size_t at; /* where the first name comes again */
};

static const void *draw_many(struct tape *t, struct arena *a)
{
    static const struct {
        enum sipws_field_id id;
        const char *start, *sep;
    } forms[] = {{SIPWS_F_VIA, "SIP/2.0/WS a.example;", ";"},
                 {SIPWS_F_ROUTE, "<sip:a.example>;", ";"},
                 {SIPWS_F_CONTACT, "<sip:a.example;", ";"},
                 {SIPWS_F_AUTHORIZATION, "X ", ","}};
    struct many *m = arena_get(a, sizeof *m);
    if (!m)
        return NULL;
    unsigned form = tape_below(t, sizeof forms / sizeof *forms);
    m->id = forms[form].id;
    m->n = tape_chance(t, 128) ? SIPWS_MAX_PARAMS - 2 + tape_below(t, 5) : 1 + tape_below(t, 80);
    m->same = tape_chance(t, 96) ? 1 + tape_below(t, m->n) : 0;
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, (struct sipws_str){forms[form].start, strlen(forms[form].start)});
    for (unsigned i = 1; i <= m->n; i++) {
        if (i > 1)
            sipws_put(&o, (struct sipws_str){forms[form].sep, 1});
        if (i == m->same)
            m->at = o.n;
        sipws_put_char(&o, i == m->same ? 'P' : 'p');
        sipws_put_uint(&o, i == m->same ? 1 : i);
        sipws_put_lit(&o, "=x");
    }
    if (m->id == SIPWS_F_CONTACT)
        sipws_put_char(&o, '>');
    struct sipws_str text = arena_end(a, &o);
    m->text = arena_copy(a, text);
    return m->text.p ? m : NULL;
}

static void explain_many(const void *story, FILE *f)
{
    const struct many *m = story;
    fprintf(f, "  %s, %u parameters, the first again as number %u:\n",
            sipws_field_info(m->id)->name, m->n, m->same);
    prop_octets(f, "    ", m->text);
}

static void wire_many(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct many *)story)->text);
}

static enum verdict hold_many(struct prop_trial *r, const void *story)
{
    const struct many *m = story;
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(m->text, &diag);
    bool twice = m->same > 1, read = sipws_value_first(&c, m->id, &v);
    bool over = m->n > SIPWS_MAX_PARAMS;
    prop_class(r, over ? "too many" : twice ? "twice" : "good");
    if (read == (over || twice))
        return prop_fail(r, "verdict", PROP_NOWHERE, read ? "read" : "refused");
    if (read)
        return HOLDS;
    bool first_twice = twice && m->same <= SIPWS_MAX_PARAMS;
    enum sipws_err want = !first_twice               ? SIPWS_E_LIMIT_PARAMS
                          : m->id == SIPWS_F_CONTACT ? SIPWS_E_URI_PARAM_DUPLICATE
                                                     : SIPWS_E_PARAM_DUPLICATE;
    if (diag.err != want || (first_twice && diag.off != m->at))
        return prop_fail(r, "reason", diag.off, "%s, not %s", sipws_err_info(diag.err)->id,
                         sipws_err_info(want)->id);
    return HOLDS;
}

const struct prop prop_field_many_params = {
    .name = "field/many-params",
    .plant = "PARAM_ARRAY",
    .sentence = "An element or URI with at most 64 parameters of distinct names is read; one more, "
                "or a name again in any case, is refused there.",
    .draw = draw_many,
    .hold = hold_many,
    .explain = explain_many,
    .wire = wire_many,
    .classes = {{"good", 100}, {"too many", 100}, {"twice", 50}},
    .discard_percent = 5,
    .tape_max = 32,
};

/* ---- field/no-value -------------------------------------------------------------------------- */

struct no_value {
    enum sipws_field_id id;
    struct sipws_str text;
    size_t at;     /* where a value should stand, or "=" */
    bool equal;    /* "=" stands */
    bool may_lack; /* the grammar has the parameter without "=" as well */
};

static const void *draw_no_value(struct tape *t, struct arena *a)
{
    static const struct {
        enum sipws_field_id id;
        const char *start, *name;
        bool may_lack;
    } forms[] = {
        {SIPWS_F_FROM, "<sip:a.example>", "tag", false},
        {SIPWS_F_TO, "sip:a.example", "tag", false},
        {SIPWS_F_VIA, "SIP/2.0/WS a.example", "branch", false},
        {SIPWS_F_VIA, "SIP/2.0/WS a.example", "received", false},
        {SIPWS_F_VIA, "SIP/2.0/WS a.example", "maddr", false},
        {SIPWS_F_VIA, "SIP/2.0/WS a.example", "ttl", false},
        {SIPWS_F_VIA, "SIP/2.0/WS a.example", "rport", true},
        {SIPWS_F_CONTACT, "<sip:a.example>", "expires", false},
        {SIPWS_F_CONTACT, "<sip:a.example>", "q", false},
        {SIPWS_F_CONTACT, "<sip:a.example>", "+sip.instance", false},
        {SIPWS_F_CONTACT, "<sip:a.example>", "reg-id", false},
        {SIPWS_F_CONTENT_TYPE, "a/b", "boundary", false},
        {SIPWS_F_SUBSCRIPTION_STATE, "active", "expires", false},
        {SIPWS_F_SESSION_EXPIRES, "1800", "refresher", false},
        {SIPWS_F_REASON, "SIP", "cause", false},
        {SIPWS_F_EVENT, "reg", "id", false},
        {SIPWS_F_ROUTE, "<sip:a.example>", "x", true},
    };
    struct no_value *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    unsigned form = tape_below(t, sizeof forms / sizeof *forms);
    s->id = forms[form].id;
    s->may_lack = forms[form].may_lack;
    s->equal = tape_chance(t, 128);
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, (struct sipws_str){forms[form].start, strlen(forms[form].start)});
    if (tape_chance(t, 128))
        sipws_put_lit(&o, ";before=1");
    sipws_put_char(&o, ';');
    sipws_put(&o, (struct sipws_str){forms[form].name, strlen(forms[form].name)});
    if (s->equal)
        sipws_put_char(&o, '=');
    s->at = o.n;
    if (tape_chance(t, 128))
        sipws_put_lit(&o, ";after=\"2\"");
    struct sipws_str text = arena_end(a, &o);
    s->text = arena_copy(a, text);
    return s->text.p ? s : NULL;
}

static void explain_no_value(const void *story, FILE *f)
{
    const struct no_value *s = story;
    fprintf(f, "  %s:\n", sipws_field_info(s->id)->name);
    prop_octets(f, "    ", s->text);
}

static void wire_no_value(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct no_value *)story)->text);
}

static enum verdict hold_no_value(struct prop_trial *r, const void *story)
{
    const struct no_value *s = story;
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(s->text, &diag);
    bool read = sipws_value_first(&c, s->id, &v), good = s->may_lack && !s->equal;
    prop_class(r, good ? "may lack it" : "must have it");
    if (read != good)
        return prop_fail(r, "verdict", s->at, read ? "read" : "refused");
    return read || diag.off == s->at ? HOLDS
                                     : prop_fail(r, "offset", diag.off, "not where it is missing");
}

const struct prop prop_field_no_value = {
    .name = "field/no-value",
    .plant = "PARAM_EMPTY",
    .sentence =
        "A parameter that must have a value is refused without one, where it is missing; an "
        "empty value behind \"=\" always is.",
    .draw = draw_no_value,
    .hold = hold_no_value,
    .explain = explain_no_value,
    .wire = wire_no_value,
    .classes = {{"may lack it", 10}, {"must have it", 500}},
    .discard_percent = 5,
    .tape_max = 16,
};
