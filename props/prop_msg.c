/* Properties of SIP messages: reading, judging and printing, on generated messages. */
#include "gen_msg.h"

#include <string.h>

enum { FIELDS = 64, DIAGS = 64 };

/* A reading of `text`, with its report. */
struct reading {
    struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_msg m;
    struct sipws_report r;
    bool ok; /* no errors, in parse and check */
};

static void read_msg(struct reading *x, struct sipws_str text, enum sipws_transport transport,
                     size_t cap)
{
    x->r = sipws_report(x->diags, cap);
    x->ok = sipws_msg_parse(text, 0, x->fields, FIELDS, &x->m, &x->r);
    x->ok = sipws_msg_check(&x->m, transport, 0, &x->r) && x->ok;
}

static const struct sipws_diag *first_error(const struct reading *x)
{
    for (size_t i = 0; i < x->r.n; i++)
        if (sipws_err_info(x->diags[i].err)->severity == SIPWS_ERROR)
            return &x->diags[i];
    return NULL;
}

/* The canonical form, in memory of exactly its size. */
static struct sipws_str print(struct arena *a, const struct sipws_msg *m)
{
    struct sipws_out measure = sipws_out(NULL, 0);
    sipws_msg_print(&measure, m);
    char *p = arena_get(a, measure.n);
    struct sipws_out o = sipws_out(p, measure.n);
    if (p)
        sipws_msg_print(&o, m);
    return (struct sipws_str){p, o.n};
}

/* ---- stories ----------------------------------------------------------------------------------
 */

struct story {
    struct gen_msg m;
    enum sipws_transport transport;
    struct gen_bent bent; /* of bent stories */

    /* Choices about the message, drawn before it: behind it the tape is mostly at its end. */
    uint32_t where;
    unsigned octet;
    unsigned char bend[8];
};

static struct story *draw(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->transport = (enum sipws_transport)tape_below(t, 3);
    s->where = tape_below(t, 65536);
    s->octet = tape_byte(t);
    tape_bytes(t, s->bend, sizeof s->bend);
    struct gen_msg_want want = {.transport = s->transport};
    return gen_msg(t, a, &want, &s->m) ? s : NULL;
}

static const void *draw_good(struct tape *t, struct arena *a)
{
    return draw(t, a);
}

static void bend(struct arena *a, struct story *s)
{
    struct tape t = tape(s->bend, sizeof s->bend, NULL, 0);
    s->bent = gen_msg_bent(&t, a, &s->m);
}

static const void *draw_bent(struct tape *t, struct arena *a)
{
    struct story *s = draw(t, a);
    if (s)
        bend(a, s);
    return s && s->bent.text.p ? s : NULL;
}

static struct sipws_str text_of(const struct story *s)
{
    return s->bent.how ? s->bent.text : s->m.text;
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    static const char *const transports[] = {"any transport", "ws", "wss"};
    fprintf(f, "  %s\n", transports[s->transport]);
    if (s->bent.how)
        fprintf(f, "  bent at octet %zu: %s\n", s->bent.at, s->bent.how);
    prop_octets(f, "    ", text_of(s));
}

static void wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, text_of(story));
}

static void classes(struct prop_trial *r, const struct gen_msg *m)
{
    prop_class(r, m->is_request ? "request" : "response");
    if (m->folds)
        prop_class(r, "folded");
    if (m->spaces)
        prop_class(r, "odd spaces");
    if (m->compact)
        prop_class(r, "compact");
    if (m->body.n > 0)
        prop_class(r, "body");
    if (m->n > 10)
        prop_class(r, "many fields");
}

#define CLASSES                                                                                    \
    {"request", 200}, {"response", 100}, {"folded", 100}, {"odd spaces", 100}, {"compact", 100},   \
        {"body", 100},                                                                             \
    {                                                                                              \
        "many fields", 100                                                                         \
    }

/* ---- msg/valid --------------------------------------------------------------------------------
 */

static enum verdict hold_valid(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    classes(r, &s->m);
    read_msg(&x, s->m.text, s->transport, DIAGS);
    const struct sipws_diag *d = first_error(&x);
    if (d)
        return prop_fail(r, sipws_err_info(d->err)->id, d->off, "refused at octet %zu: %s in %s",
                         d->off, sipws_err_info(d->err)->text, d->rule);
    return x.ok ? HOLDS : prop_fail(r, "silent", PROP_NOWHERE, "refused without a word");
}

const struct prop prop_msg_valid = {
    .name = "msg/valid",
    .plant = "MSG_COLON_TRIM",
    .sentence = "A message that is made by the rules, in whatever legal form, has no errors.",
    .draw = draw_good,
    .hold = hold_valid,
    .explain = explain,
    .wire = wire,
    .classes = {CLASSES},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/same-reading -------------------------------------------------------------------------
 */

/* What was read, against what was meant. `text` is what the reading's slices lie in. */
static enum verdict compare(struct prop_trial *r, const struct gen_msg *want,
                            const struct sipws_msg *m, bool canonical)
{
    if (m->is_request != want->is_request || m->status != want->status)
        return prop_fail(r, "start", 0, "not the kind of message or status that was sent");
    if (want->is_request) {
        if (m->method != want->method || !sipws_str_eq(m->method_name, want->method_name))
            return prop_fail(r, "method", 0, "not the method that was sent");
        if (canonical && prop_same(r, "uri", want->uri, m->uri.text) == FAILS)
            return FAILS;
    } else if (prop_same(r, "reason", want->reason, m->reason) == FAILS) {
        return FAILS;
    }
    if (m->n != want->n)
        return prop_fail(r, "fields", PROP_NOWHERE, "%zu header fields were sent, %zu read",
                         want->n, m->n);
    for (size_t i = 0; i < m->n; i++) {
        const struct gen_field *f = &want->fields[i];
        if (m->fields[i].id != f->id)
            return prop_fail(r, "field", (size_t)(m->fields[i].name.p - m->text.p),
                             "header field %zu is read as another", i);
        if (!canonical && !sipws_str_eq(m->fields[i].name, f->name))
            return prop_fail(r, "name", (size_t)(m->fields[i].name.p - m->text.p),
                             "the name of header field %zu is not what was sent", i);
    }
    return prop_same(r, "body", want->body, m->body);
}

static enum verdict hold_reading(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    classes(r, &s->m);
    read_msg(&x, s->m.text, s->transport, DIAGS);
    if (compare(r, &s->m, &x.m, false) == FAILS)
        return FAILS;
    struct sipws_str printed = print(&r->arena, &x.m);
    if (!printed.p)
        return DISCARDED;
    if (prop_same(r, "canonical", s->m.canon, printed) == FAILS)
        return FAILS;
    read_msg(&y, printed, s->transport, DIAGS);
    return compare(r, &s->m, &y.m, true);
}

const struct prop prop_msg_same_reading = {
    .name = "msg/same-reading",
    .plant = "MSG_COLON_TRIM",
    .sentence =
        "What is read is what was meant, field by field, before and after printing; and what "
        "is printed is the canonical form.",
    .draw = draw_good,
    .hold = hold_reading,
    .explain = explain,
    .wire = wire,
    .classes = {CLASSES},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/print-fixpoint -----------------------------------------------------------------------
 */

static enum verdict hold_fixpoint(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    classes(r, &s->m);
    read_msg(&x, s->m.text, s->transport, DIAGS);
    struct sipws_str once = print(&r->arena, &x.m);
    if (!once.p)
        return DISCARDED;
    read_msg(&x, once, s->transport, DIAGS);
    if (!x.ok)
        return prop_fail(r, "refused", first_error(&x) ? first_error(&x)->off : PROP_NOWHERE,
                         "what was printed is refused");
    struct sipws_str twice = print(&r->arena, &x.m);
    return twice.p ? prop_same(r, "differs", once, twice) : DISCARDED;
}

const struct prop prop_msg_print_fixpoint = {
    .name = "msg/print-fixpoint",
    .plant = "MSG_COLON_TRIM",
    .sentence = "Printing what was read from a print gives the same octets.",
    .draw = draw_good,
    .hold = hold_fixpoint,
    .explain = explain,
    .wire = wire,
    .classes = {CLASSES},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/sizes --------------------------------------------------------------------------------
 */

static enum verdict hold_sizes(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    read_msg(&x, s->m.text, s->transport, DIAGS);
    struct sipws_str all = print(&r->arena, &x.m);
    if (!all.p)
        return DISCARDED;
    size_t cap = s->where % (all.n + 1);
    if (s->octet % 4 > 1) /* just enough, or just not */
        cap = all.n - s->octet % 2;
    char *p = arena_get(&r->arena, cap + 1);
    if (!p)
        return DISCARDED;
    memset(p, '#', cap + 1);
    struct sipws_out o = sipws_out(p, cap);
    sipws_msg_print(&o, &x.m);
    if (o.n != all.n)
        return prop_fail(r, "measured", cap, "%zu octets with room for %zu, %zu with room for all",
                         o.n, cap, all.n);
    if (sipws_out_ok(&o) != (cap >= all.n))
        return prop_fail(r, "ok", cap, "a short buffer passes for enough");
    if (p[cap] != '#')
        return prop_fail(r, "past", cap, "an octet was written past the buffer");
    if (cap == all.n)
        prop_class(r, "exact");
    prop_class(r, cap < all.n ? "short" : "enough");
    return HOLDS;
}

const struct prop prop_msg_sizes = {
    .name = "msg/sizes",
    .plant = "OUT_BY_ONE",
    .sentence = "A buffer of any size measures the same, and nothing is written past it.",
    .draw = draw_good,
    .hold = hold_sizes,
    .explain = explain,
    .wire = wire,
    .classes = {{"short", 300}, {"enough", 50}, {"exact", 50}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/cut ----------------------------------------------------------------------------------
 */

/* The slice lies within the text. */
static bool within(struct sipws_str s, struct sipws_str text)
{
    return !s.p || (s.p >= text.p && s.p + s.n <= text.p + text.n);
}

static enum verdict sound(struct prop_trial *r, struct sipws_str text, const struct reading *x)
{
    for (size_t i = 0; i < x->r.n; i++)
        if (x->diags[i].off > text.n)
            return prop_fail(r, "offset", x->diags[i].off, "%s is reported at octet %zu of %zu",
                             sipws_err_info(x->diags[i].err)->id, x->diags[i].off, text.n);
    if (x->ok != (x->r.errors == 0))
        return prop_fail(r, "count", PROP_NOWHERE, "the result and the count of errors disagree");
    for (size_t i = 0; i < x->m.n; i++)
        if (!within(x->m.fields[i].name, text) || !within(x->m.fields[i].value, text))
            return prop_fail(r, "slice", PROP_NOWHERE, "a header field lies outside the text");
    return within(x->m.body, text) ? HOLDS
                                   : prop_fail(r, "slice", PROP_NOWHERE, "the body lies outside");
}

static enum verdict hold_cut(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    size_t head = (size_t)(s->m.body.p - s->m.text.p);
    size_t n = s->where % head;
    if (s->octet % 4 == 3)
        n = head + s->where % (s->m.body.n + 1);
    struct sipws_str part = arena_copy(&r->arena, (struct sipws_str){s->m.text.p, n});
    if (!part.p)
        return DISCARDED;
    read_msg(&x, part, s->transport, DIAGS);
    if (sound(r, part, &x) == FAILS)
        return FAILS;
    prop_class(r, n < head ? "header cut" : "body cut");
    if (n < head) {
        /* A header without its end never passes, and its end is where it is missed. */
        bool told = false;
        for (size_t i = 0; i < x.r.n; i++)
            told = told ||
                   ((x.diags[i].err == SIPWS_E_NO_BLANK_LINE || x.diags[i].err == SIPWS_E_EMPTY) &&
                    x.diags[i].off == n);
        if (!told || x.ok)
            return prop_fail(r, "passes", n, "a message cut at octet %zu is not refused for it", n);
    }
    /* One octet changed. */
    struct sipws_str changed = arena_copy(&r->arena, s->m.text);
    if (!changed.p)
        return DISCARDED;
    char *octets = arena_get(&r->arena, changed.n);
    if (!octets)
        return DISCARDED;
    memcpy(octets, changed.p, changed.n);
    octets[s->where % changed.n] = (char)s->octet;
    changed.p = octets;
    read_msg(&x, changed, s->transport, DIAGS);
    if (!x.ok)
        prop_class(r, "change refused");
    return sound(r, changed, &x);
}

const struct prop prop_msg_cut = {
    .name = "msg/cut",
    .plant = "MSG_FOLD_PEEK",
    .sentence =
        "A message cut anywhere within its header is refused where it ends; whatever octet is "
        "changed, offsets and slices lie within the input, and nothing past it is read.",
    .draw = draw_good,
    .hold = hold_cut,
    .explain = explain,
    .wire = wire,
    .classes = {{"header cut", 300}, {"body cut", 20}, {"change refused", 200}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/bent ---------------------------------------------------------------------------------
 */

static enum verdict hold_bent(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    read_msg(&x, s->bent.text, s->transport, DIAGS);
    if (sound(r, s->bent.text, &x) == FAILS)
        return FAILS;
    prop_class(r, s->bent.how);
    return !x.ok ? HOLDS : prop_fail(r, "passes", s->bent.at, "no error: %s", s->bent.how);
}

const struct prop prop_msg_bent = {
    .name = "msg/bent",
    .plant = "MSG_FROM_TAG",
    .sentence = "A good message that is bent in one place is refused.",
    .draw = draw_bent,
    .hold = hold_bent,
    .explain = explain,
    .wire = wire,
    .classes = {{"a needed field is gone", 20},
                {"the CR of a line end is gone", 20},
                {"the LF of a line end is gone", 20},
                {"a name has a space in it", 20},
                {"the empty line is gone", 20},
                {"the version is another", 20},
                {"a line end stands before the start line", 20},
                {"Call-ID stands twice", 20},
                {"a NUL stands in a name", 20},
                {"Content-Length is wrong", 20},
                {"From has no tag", 20},
                {"Via has no branch", 20},
                {"the start line is folded", 20}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/removal ------------------------------------------------------------------------------
 */

/* Same header field, of readings of different texts. */
static bool same_field(const struct sipws_field *a, const struct sipws_field *b)
{
    return a->id == b->id && sipws_str_eq(a->name, b->name) && sipws_str_eq(a->value, b->value);
}

static enum verdict hold_removal(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    size_t gone = s->where % s->m.n;
    const struct gen_field *f = &s->m.fields[gone];
    const char *end = f->line.p + f->line.n;
    char *octets = arena_get(&r->arena, s->m.text.n - f->line.n);
    if (!octets)
        return DISCARDED;
    size_t before = (size_t)(f->line.p - s->m.text.p);
    memcpy(octets, s->m.text.p, before);
    memcpy(octets + before, end, s->m.text.n - f->line.n - before);
    read_msg(&x, s->m.text, s->transport, DIAGS);
    read_msg(&y, (struct sipws_str){octets, s->m.text.n - f->line.n}, s->transport, DIAGS);
    if (y.m.n + 1 != x.m.n)
        return prop_fail(r, "fields", before, "%zu header fields are %zu with one line less", x.m.n,
                         y.m.n);
    for (size_t i = 0, j = 0; i < x.m.n; i++)
        if (i != gone && !same_field(&x.fields[i], &y.fields[j++]))
            return prop_fail(r, "other", before, "another header field changed: number %zu", i);
    if (!sipws_str_eq(x.m.body, y.m.body))
        return prop_fail(r, "body", before, "the body changed");
    bool again = false; /* a list may stand in more than one line */
    for (size_t i = 0; i < s->m.n; i++)
        again = again || (i != gone && s->m.fields[i].id == f->id);
    if (f->needed && !again && y.ok)
        return prop_fail(r, "needed", before, "the message does not need what it needs");
    if (!f->needed && !y.ok)
        return prop_fail(r, "not needed", before, "the message needs what it does not need");
    prop_class(r, f->needed ? "needed" : "not needed");
    return HOLDS;
}

const struct prop prop_msg_removal = {
    .name = "msg/removal",
    .plant = "MSG_COLON_TRIM",
    .sentence =
        "Taking a header line away takes it out of the reading and nothing else, and makes the "
        "message wrong exactly when the field is mandatory.",
    .draw = draw_good,
    .hold = hold_removal,
    .explain = explain,
    .wire = wire,
    .classes = {{"needed", 200}, {"not needed", 100}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- msg/one-report ---------------------------------------------------------------------------
 */

static const void *draw_any(struct tape *t, struct arena *a)
{
    struct story *s = draw(t, a);
    if (!s)
        return NULL;
    if (s->octet % 8)
        bend(a, s);
    struct sipws_str text = text_of(s);
    if (!text.p)
        return NULL;
    /* A second bend of another sort: some octets changed. */
    char *octets = arena_get(a, text.n);
    if (!octets)
        return NULL;
    memcpy(octets, text.p, text.n);
    while (tape_next(t, "change", 1)) {
        uint32_t at = tape_below(t, (uint32_t)text.n);
        octets[at] = (char)tape_byte(t);
        tape_end(t);
    }
    s->bent = (struct gen_bent){
        s->bent.how ? s->bent.how : "octets changed", {octets, text.n}, s->bent.at};
    return s;
}

static enum verdict hold_one_report(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading all, one, none;
    read_msg(&all, s->bent.text, s->transport, DIAGS);
    read_msg(&one, s->bent.text, s->transport, 1);
    read_msg(&none, s->bent.text, s->transport, 0);
    const struct sipws_diag *a = first_error(&all), *b = first_error(&one);
    if (all.ok != one.ok || all.ok != none.ok)
        return prop_fail(r, "result", PROP_NOWHERE, "the room of the report decides the result");
    if (!a != !b || (a && (a->err != b->err || a->off != b->off || a->rule != b->rule)))
        return prop_fail(r, "first", a ? a->off : PROP_NOWHERE,
                         "the first error is %s with much room and %s with room for one",
                         a ? sipws_err_info(a->err)->id : "none",
                         b ? sipws_err_info(b->err)->id : "none");
    prop_class(r, all.ok ? "good" : "bad");
    if (all.r.errors > 1)
        prop_class(r, "several");
    if (all.r.n > 0 && all.diags[0].err != (a ? a->err : SIPWS_OK))
        prop_class(r, "warning first");
    return HOLDS;
}

const struct prop prop_msg_one_report = {
    .name = "msg/one-report",
    .plant = "MSG_FOLD_PEEK",
    .sentence =
        "A report with room for one error names the same first error as one with room for all, "
        "and the result is the same with no room at all.",
    .draw = draw_any,
    .hold = hold_one_report,
    .explain = explain,
    .wire = wire,
    .classes = {{"bad", 300}, {"good", 20}, {"several", 50}, {"warning first", 20}},
    .discard_percent = 5,
    .tape_max = 1024,
};
