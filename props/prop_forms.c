/* What must not matter in a SIP message, and what must: other forms of the same, one thing too
 * many, lengths, limits, leniencies. */
#include "gen_msg.h"

#include <string.h>

enum { FIELDS = 64 };

struct reading {
    struct sipws_field fields[FIELDS];
    struct sipws_diag diags[8];
    struct sipws_msg m;
    struct sipws_report r;
    bool ok;
};

static void read_msg(struct reading *x, struct sipws_str text, uint32_t allow, size_t cap)
{
    x->r = sipws_report(x->diags, 8);
    x->ok = sipws_msg_parse(text, allow, x->fields, cap, &x->m, &x->r);
    x->ok = sipws_msg_check(&x->m, SIPWS_TRANSPORT_ANY, allow, &x->r) && x->ok;
}

/* Whether an error `err` was found, and at which octet first. */
static bool found(const struct reading *x, enum sipws_err err, size_t *off)
{
    for (size_t i = 0; i < x->r.n; i++)
        if (x->diags[i].err == err) {
            *off = x->diags[i].off;
            return true;
        }
    return false;
}

static const char *first_id(const struct reading *x)
{
    for (size_t i = 0; i < x->r.n; i++)
        if (sipws_err_info(x->diags[i].err)->severity == SIPWS_ERROR)
            return sipws_err_info(x->diags[i].err)->id;
    return "nothing";
}

struct story {
    struct gen_msg m;
    struct sipws_str other; /* the message in its other form */
    const char *how;        /* static */
    size_t at;              /* of the octet at fault */
    uint64_t number;
    uint32_t allow;
};

static struct story *start(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY, .body = 60};
    if (!s)
        return NULL;
    s->how = "";
    s->number = tape_below(t, 65536);
    s->allow = tape_below(t, 128);
    return gen_msg(t, a, &want, &s->m) ? s : NULL;
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    fprintf(f, "  %s\n", s->how);
    prop_octets(f, "    ", s->m.text);
    if (s->other.p) {
        fputs("  and\n", f);
        prop_octets(f, "    ", s->other);
    }
}

static void wire(const void *story, struct sipws_out *o)
{
    const struct story *s = story;
    sipws_put(o, s->other.p ? s->other : s->m.text);
}

static const void *finish(struct story *s, struct arena *a, struct sipws_out *o)
{
    struct sipws_str made = arena_end(a, o);
    s->other = arena_copy(a, made);
    return s->other.p ? s : NULL;
}

/* The rest of a header line behind its name. */
static struct sipws_str behind_name(const struct gen_field *f)
{
    return sipws_slice(f->line.p + f->name.n, f->line.p + f->line.n);
}

/* A name of the same field: in full or compact, in any letter case. */
static void put_other_name(struct sipws_out *o, const struct gen_field *f, unsigned choice)
{
    const struct sipws_field_info *info = sipws_field_info(f->id);
    struct sipws_str name = f->name;
    if (f->id != SIPWS_F_EXTENSION && (choice & 1))
        name = (struct sipws_str){info->name, strlen(info->name)};
    else if (f->id != SIPWS_F_EXTENSION && info->compact[0])
        name = (struct sipws_str){info->compact, 1};
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z');
        sipws_put_char(o, letter && f->id != SIPWS_F_EXTENSION && (choice >> 1 >> i % 5 & 1)
                              ? (char)(ch ^ 0x20)
                              : ch);
    }
}

/* The same fields with the same octets as values. */
static enum verdict same_fields(struct prop_trial *r, const struct sipws_msg *a,
                                const struct sipws_msg *b)
{
    if (a->n != b->n)
        return prop_fail(r, "fields", PROP_NOWHERE, "%zu header fields, not %zu", b->n, a->n);
    for (size_t i = 0; i < a->n; i++)
        if (a->fields[i].id != b->fields[i].id ||
            !sipws_str_eq(a->fields[i].value, b->fields[i].value))
            return prop_fail(r, "field", (size_t)(b->fields[i].name.p - b->text.p),
                             "header field %zu is read as another", i);
    return sipws_str_eq(a->body, b->body) ? HOLDS
                                          : prop_fail(r, "body", PROP_NOWHERE, "another body");
}

static enum verdict not_sound(struct prop_trial *r, const struct reading *x)
{
    return prop_fail(r, "refused", x->r.n ? x->diags[0].off : PROP_NOWHERE, "refused: %s",
                     first_id(x));
}

/* ---- msg/methods ----------------------------------------------------------------------------- */

static const char *const methods[] = {"ACK",     "BYE",      "CANCEL",    "INFO",  "INVITE",
                                      "MESSAGE", "NOTIFY",   "OPTIONS",   "PRACK", "PUBLISH",
                                      "REFER",   "REGISTER", "SUBSCRIBE", "UPDATE"};

static const void *draw_method(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    char name[16];
    if (!s)
        return NULL;
    s->how = methods[tape_below(t, 14)];
    size_t n = strlen(s->how), at = tape_below(t, (uint32_t)n);
    memcpy(name, s->how, n);
    char ch = (char)tape_byte(t);
    switch (tape_below(t, 5)) {
    case 1:
        name[at] = (char)(name[at] | 0x20);
        break;
    case 2:
        name[at] = ch;
        break;
    case 3:
        n = at + 1;
        break;
    case 4:
        name[n++] = ch;
        break;
    default:
        break;
    }
    s->other = arena_copy(a, (struct sipws_str){name, n});
    return s->other.p ? s : NULL;
}

static void explain_method(const void *story, FILE *f)
{
    prop_octets(f, "    ", ((const struct story *)story)->other);
}

static enum verdict hold_method(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    enum sipws_method want = SIPWS_M_EXTENSION;
    for (unsigned i = 0; i < 14; i++)
        if (s->other.n == strlen(methods[i]) && memcmp(s->other.p, methods[i], s->other.n) == 0)
            want = (enum sipws_method)(SIPWS_M_ACK + i);
    prop_class(r, want == SIPWS_M_EXTENSION ? "unknown" : "known");
    return sipws_method_find(s->other) == want
               ? HOLDS
               : prop_fail(r, "method", PROP_NOWHERE, "taken for method %d, not %d",
                           sipws_method_find(s->other), want);
}

const struct prop prop_msg_methods = {
    .name = "msg/methods",
    .plant = "METHOD_FOLD",
    .sentence = "A method is a known one just when it is its whole name, with the case of each "
                "letter.",
    .draw = draw_method,
    .hold = hold_method,
    .explain = explain_method,
    .wire = wire,
    .classes = {{"known", 100}, {"unknown", 100}},
    .discard_percent = 5,
    .tape_max = 16,
};

/* ---- msg/forms ------------------------------------------------------------------------------- */

static const void *draw_forms(struct tape *t, struct arena *a)
{
    struct story *s = start(t, a);
    if (!s)
        return NULL;
    s->how = "the same with other forms of the names";
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, s->m.start);
    for (size_t i = 0; i < s->m.n; i++) {
        put_other_name(&o, &s->m.fields[i], (unsigned)(s->number >> i % 11));
        sipws_put(&o, behind_name(&s->m.fields[i]));
    }
    sipws_put_lit(&o, "\r\n");
    sipws_put(&o, s->m.body);
    return finish(s, a, &o);
}

static enum verdict hold_forms(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    read_msg(&x, s->m.text, 0, FIELDS);
    read_msg(&y, s->other, 0, FIELDS);
    prop_class(r, sipws_str_eq(s->m.text, s->other) ? "the same octets" : "other octets");
    if (!x.ok || !y.ok)
        return not_sound(r, x.ok ? &y : &x);
    return same_fields(r, &x.m, &y.m);
}

const struct prop prop_msg_forms = {
    .name = "msg/forms",
    .plant = "FIELD_COMPACT_CASE",
    .sentence =
        "Full or compact, in letters of either case, a name of a header field says the same "
        "(RFC 3261 7.3.1, 7.3.3).",
    .draw = draw_forms,
    .hold = hold_forms,
    .explain = explain,
    .wire = wire,
    .classes = {{"other octets", 500}, {"the same octets", 0}},
    .discard_percent = 5,
    .tape_max = 500,
};

/* ---- msg/order ------------------------------------------------------------------------------- */

static const void *draw_order(struct tape *t, struct arena *a)
{
    struct story *s = start(t, a);
    if (!s)
        return NULL;
    s->how = "the same with its header fields the other way round, but for those of one name";
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, s->m.start);
    bool done[GEN_MSG_FIELDS] = {false};
    for (size_t i = s->m.n; i-- > 0;)
        for (size_t k = 0; k < s->m.n && !done[i]; k++) /* all of this name, in their order */
            if (s->m.fields[k].id == s->m.fields[i].id &&
                (s->m.fields[i].id != SIPWS_F_EXTENSION || k == i)) {
                sipws_put(&o, s->m.fields[k].line);
                done[k] = k != i;
                if (k == i)
                    done[i] = true;
            }
    sipws_put_lit(&o, "\r\n");
    sipws_put(&o, s->m.body);
    return finish(s, a, &o);
}

static enum verdict hold_order(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    read_msg(&x, s->m.text, 0, FIELDS);
    read_msg(&y, s->other, 0, FIELDS);
    if (!x.ok || !y.ok)
        return not_sound(r, x.ok ? &y : &x);
    if (x.m.n != y.m.n || !sipws_str_eq(x.m.body, y.m.body))
        return prop_fail(r, "fields", PROP_NOWHERE, "%zu header fields, not %zu", y.m.n, x.m.n);
    for (int id = 1; id < SIPWS_FIELD_COUNT; id++) {
        const struct sipws_field *f = sipws_msg_find(&x.m, (enum sipws_field_id)id);
        const struct sipws_field *g = sipws_msg_find(&y.m, (enum sipws_field_id)id);
        if (!f != !g || (f && !sipws_str_eq(f->value, g->value)))
            return prop_fail(r, "first", PROP_NOWHERE, "the first %s is another",
                             sipws_field_info((enum sipws_field_id)id)->name);
    }
    prop_class(r, sipws_msg_find(&x.m, SIPWS_F_EXPIRES) ? "with Expires" : "without");
    return HOLDS;
}

const struct prop prop_msg_order = {
    .name = "msg/order",
    .plant = "MSG_VIA_FIRST",
    .sentence = "The order of header fields with different names does not matter (RFC 3261 7.3.1).",
    .draw = draw_order,
    .hold = hold_order,
    .explain = explain,
    .wire = wire,
    .classes = {{"with Expires", 20}, {"without", 100}},
    .discard_percent = 5,
    .tape_max = 500,
};

/* ---- msg/twice ------------------------------------------------------------------------------- */

static const void *draw_twice(struct tape *t, struct arena *a)
{
    struct story *s = start(t, a);
    if (!s)
        return NULL;
    s->how = "a header field stands again, in some form of its name";
    size_t which = s->number % s->m.n, from = s->number / 64 % s->m.n;
    while (sipws_field_info(s->m.fields[which].id)->shape != SIPWS_ONE) /* CSeq is one */
        which = (which + 1) % s->m.n;
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, s->m.start);
    for (size_t i = 0; i < s->m.n; i++) {
        sipws_put(&o, s->m.fields[i].line);
        if (i == (from > which ? from : which)) {
            s->at = o.n;
            put_other_name(&o, &s->m.fields[which], (unsigned)(s->number >> 3));
            sipws_put(&o, behind_name(&s->m.fields[which]));
        }
    }
    sipws_put_lit(&o, "\r\n");
    sipws_put(&o, s->m.body);
    return finish(s, a, &o);
}

static enum verdict hold_twice(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    size_t off = 0;
    read_msg(&x, s->other, 0, FIELDS);
    prop_class(r, s->other.p[s->at + 1] == ':' || s->other.p[s->at + 1] == ' ' ? "compact"
                                                                               : "in full");
    if (x.ok || !found(&x, SIPWS_E_DOUBLE_FIELD, &off))
        return prop_fail(r, "not noticed", s->at, "first error: %s", first_id(&x));
    return off == s->at ? HOLDS : prop_fail(r, "where", s->at, "noticed at %zu", off);
}

const struct prop prop_msg_twice = {
    .name = "msg/twice",
    .plant = "MSG_DOUBLE_COMPACT",
    .sentence =
        "A header field that may stand once and stands again, anywhere behind it and in any "
        "form of its name, is refused where it begins again.",
    .draw = draw_twice,
    .hold = hold_twice,
    .explain = explain,
    .wire = wire,
    .classes = {{"compact", 20}, {"in full", 100}},
    .discard_percent = 5,
    .tape_max = 500,
};

/* ---- msg/length ------------------------------------------------------------------------------ */

static const void *draw_length(struct tape *t, struct arena *a)
{
    static const uint64_t steps[] = {0,  1,   UINT64_C(1) << 32, UINT64_C(1) << 16,
                                     10, 256, UINT64_C(1) << 63, 2};
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    unsigned which = tape_below(t, 9);
    bool none = which == 8, below = tape_chance(t, 100);
    unsigned zeros = tape_below(t, 4);
    bool compact = tape_chance(t, 100);
    uint32_t body = tape_below(t, 300);
    struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY, .plain = true};
    if (!gen_msg(t, a, &want, &s->m))
        return NULL;
    s->how = "the same with another body, and a length";
    uint64_t step = steps[which % 8];
    s->number = none ? 0 : below && step <= body ? body - step : body + step;
    s->allow = body;
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, s->m.start);
    bool typed = false;
    for (size_t i = 0; i < s->m.n; i++) {
        typed = typed || s->m.fields[i].id == SIPWS_F_CONTENT_TYPE;
        if (s->m.fields[i].id != SIPWS_F_CONTENT_LENGTH)
            sipws_put(&o, s->m.fields[i].line);
    }
    if (!typed)
        sipws_put_lit(&o, "Content-Type: a/b\r\n");
    if (compact)
        sipws_put_lit(&o, "l: ");
    else
        sipws_put_lit(&o, "Content-Length: ");
    s->at = o.n;
    while (zeros-- > 0)
        sipws_put_char(&o, '0');
    sipws_put_uint(&o, s->number);
    sipws_put_lit(&o, "\r\n\r\n");
    for (uint32_t i = 0; i < body; i++)
        sipws_put_char(&o, (char)('a' + i % 26));
    return finish(s, a, &o);
}

static enum verdict hold_length(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    size_t off = 0;
    bool right = s->number == s->allow;
    read_msg(&x, s->other, 0, FIELDS);
    prop_class(r, right ? "right" : s->number < s->allow ? "too small" : "too large");
    bool told = found(&x, SIPWS_E_BODY_LENGTH, &off);
    if (told == right || x.m.body.n != s->allow)
        return prop_fail(r, "length", s->at, "%s, body of %zu octets",
                         told ? "refused" : "not refused", x.m.body.n);
    return right || off == s->at ? HOLDS : prop_fail(r, "where", s->at, "refused at %zu", off);
}

const struct prop prop_msg_length = {
    .name = "msg/length",
    .plant = "MSG_LENGTH_32",
    .sentence = "A Content-Length is right just when it is the number of octets behind the empty "
                "line, and a wrong one is refused where its number stands; it never moves the end "
                "of the body.",
    .draw = draw_length,
    .hold = hold_length,
    .explain = explain,
    .wire = wire,
    .classes = {{"right", 50}, {"too small", 50}, {"too large", 100}},
    .discard_percent = 5,
    .tape_max = 300,
};

/* ---- msg/body -------------------------------------------------------------------------------- */

static const void *draw_body(struct tape *t, struct arena *a)
{
    static const char *const bodies[] = {"\r\n",
                                         " a\r\n",
                                         "From: <sip:x@y.invalid>;tag=1\r\n",
                                         "\r\nINVITE sip:a.invalid SIP/2.0\r\n",
                                         "\n\n",
                                         "Content-Length: 0\r\n\r\n",
                                         "\"<(",
                                         "\xFF\xFE"};
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    char body[128];
    size_t n = 0;
    while (n < 80 && tape_next(t, "piece", 3)) {
        unsigned pick = tape_below(t, 10);
        const char *piece = pick < 8 ? bodies[pick] : "";
        size_t len = pick < 8 ? strlen(piece) : 1;
        if (pick < 8)
            memcpy(body + n, piece, len);
        else
            body[n] = pick == 8 ? '\0' : (char)tape_byte(t);
        n += len;
        tape_end(t);
    }
    struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY};
    if (!gen_msg(t, a, &want, &s->m))
        return NULL;
    s->how = "the same with another body";
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, sipws_slice(s->m.text.p, s->m.body.p));
    s->at = o.n;
    sipws_put(&o, (struct sipws_str){body, n});
    return finish(s, a, &o);
}

static enum verdict hold_body(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    read_msg(&x, s->m.text, 0, FIELDS);
    read_msg(&y, s->other, 0, FIELDS);
    struct sipws_str body = {s->other.p + s->at, s->other.n - s->at};
    prop_class(r, body.n == 0 ? "empty" : memchr(body.p, 0, body.n) ? "with NUL" : "without");
    if (prop_same(r, "body", body, y.m.body) == FAILS)
        return FAILS;
    y.m.body = x.m.body;
    return same_fields(r, &x.m, &y.m);
}

const struct prop prop_msg_body = {
    .name = "msg/body",
    .plant = "MSG_BODY_NUL",
    .sentence = "The body is every octet behind the first empty line, whatever it looks like, and "
                "changes nothing in what the header says.",
    .draw = draw_body,
    .hold = hold_body,
    .explain = explain,
    .wire = wire,
    .classes = {{"with NUL", 50}, {"without", 200}, {"empty", 0}},
    .discard_percent = 5,
    .tape_max = 300,
};

/* ---- msg/limit ------------------------------------------------------------------------------- */

static const void *draw_limit(struct tape *t, struct arena *a)
{
    struct story *s = start(t, a);
    if (s)
        s->how = "with room for as many header fields, and for fewer";
    return s;
}

static enum verdict hold_limit(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    size_t off = 0, few = s->number % s->m.n;
    read_msg(&x, s->m.text, 0, s->m.n);
    if (!x.ok)
        return not_sound(r, &x);
    read_msg(&x, s->m.text, 0, few);
    prop_class(r, few + 1 == s->m.n ? "one less" : "fewer");
    if (x.ok || !found(&x, SIPWS_E_LIMIT_FIELDS, &off))
        return prop_fail(r, "silent", PROP_NOWHERE, "with room for %zu of %zu: %s", few, s->m.n,
                         first_id(&x));
    size_t want = (size_t)(s->m.fields[few].line.p - s->m.text.p);
    if (off != want)
        return prop_fail(r, "where", want, "refused at %zu", off);
    return x.m.n <= few ? HOLDS
                        : prop_fail(r, "beyond", PROP_NOWHERE, "more than there is room for");
}

const struct prop prop_msg_limit = {
    .name = "msg/limit",
    .plant = "MSG_FIELDS_SILENT",
    .sentence = "A message with as many header fields as there is room for is read; with one less, "
                "it is refused with limit-fields at the first that has none.",
    .draw = draw_limit,
    .hold = hold_limit,
    .explain = explain,
    .wire = wire,
    .classes = {{"one less", 20}, {"fewer", 100}},
    .discard_percent = 5,
    .tape_max = 500,
};

/* ---- msg/leniency ---------------------------------------------------------------------------- */

static const void *draw_leniency(struct tape *t, struct arena *a)
{
    struct story *s = start(t, a);
    if (!s)
        return NULL;
    if (s->number & 1) {
        s->other = gen_msg_bent(t, a, &s->m).text;
        return s->other.p ? s : NULL;
    }
    s->other = s->m.text;
    return s;
}

static void explain_leniency(const void *story, FILE *f)
{
    const struct story *s = story;
    fprintf(f, "  strictly, and with the leniencies %#x\n", (unsigned)s->allow);
    prop_octets(f, "    ", s->other);
}

static bool same_elements(const struct sipws_msg *a, const struct sipws_msg *b, uint32_t allow)
{
    for (size_t i = 0; i < a->n; i++) {
        struct sipws_diag d;
        struct sipws_value v, w;
        struct sipws_cur c = sipws_msg_cur(a, &a->fields[i], 0, &d),
                         e = sipws_msg_cur(b, &b->fields[i], allow, &d);
        enum sipws_field_id id = a->fields[i].id;
        bool more = sipws_value_first(&c, id, &v), also = sipws_value_first(&e, id, &w);
        while (more && also && v.kind == w.kind && sipws_str_eq(v.text, w.text)) {
            more = sipws_value_next(&c, id, &v);
            also = sipws_value_next(&e, id, &w);
        }
        if (more || also)
            return false;
    }
    return true;
}

static enum verdict hold_leniency(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    read_msg(&x, s->other, 0, FIELDS);
    read_msg(&y, s->other, s->allow, FIELDS);
    prop_class(r, x.ok ? "sound" : y.ok ? "forgiven" : "not forgiven");
    if (!x.ok)
        return HOLDS;
    if (!y.ok)
        return prop_fail(r, "narrower", PROP_NOWHERE, "refused by leniency: %s", first_id(&y));
    if (same_fields(r, &x.m, &y.m) == FAILS)
        return FAILS;
    return same_elements(&x.m, &y.m, s->allow)
               ? HOLDS
               : prop_fail(r, "elements", PROP_NOWHERE, "an element is read otherwise");
}

const struct prop prop_msg_leniency = {
    .name = "msg/leniency",
    .plant = "LENIENT_LAST",
    .sentence = "What is sound without leniencies is sound with any of them, and says the same.",
    .draw = draw_leniency,
    .hold = hold_leniency,
    .explain = explain_leniency,
    .wire = wire,
    .classes = {{"sound", 200}, {"not forgiven", 100}, {"forgiven", 4}},
    .discard_percent = 5,
    .tape_max = 500,
};
