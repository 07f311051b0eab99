/* A property of multipart bodies: what a body was made of is what it is taken apart into, and a
 * body whose structure is bent at one octet is refused at that octet. */
#include "msg.h"
#include "property.h"

#include <string.h>

enum { PARTS = 32, DEEP = 4, FIELDS = 8, BODY = 4096 };

/* How a body is bent, or not. */
enum bend {
    SOUND,
    NO_BOUNDARY, /* Content-Type does not tell the boundary */
    JUNK,        /* an octet behind a boundary */
    CUT,         /* the closing delimiter is missing */
    GLUED,       /* a boundary line right behind another one */
    BENDS
};

struct part {
    unsigned depth;  /* of the multipart body that it belongs to, from 1 */
    unsigned fields; /* header fields that it has */
    bool nested;     /* it is multipart itself, and its parts follow */
    struct sipws_str body;
};

struct story {
    struct sipws_str text;
    struct part parts[PARTS]; /* in the order in which a walk comes to them */
    unsigned n;
    enum bend bend;
    enum sipws_err err; /* of a bent one */
    size_t off;
};

struct gen {
    struct tape *t;
    struct arena *a;
    struct story *s;
    struct sipws_str boundary[DEEP + 1]; /* by depth */
    size_t delimiters;                   /* of the outermost body that were written */
    size_t bent;                         /* which of them is bent */
    size_t at;                           /* where, in its body */
};

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

/* At each depth another first octet, so that no boundary starts like the one around it. */
static struct sipws_str boundary(struct gen *g, unsigned depth)
{
    static const char bchars[] = "0aZ'()+_,-./:=? ";
    struct sipws_out o = arena_begin(g->a);
    sipws_put_char(&o, (char)('a' + depth));
    while (o.n < 69 && tape_more(g->t, 3))
        sipws_put_char(&o, bchars[tape_below(g->t, sizeof bchars - 1)]);
    if (o.n > 1 && tape_chance(g->t, 128))
        sipws_put_char(&o, '.'); /* behind a space, mostly */
    if (o.n > 0 && o.p && o.n <= o.cap && o.p[o.n - 1] == ' ')
        sipws_put_char(&o, '_');
    return arena_end(g->a, &o);
}

/* CRLF -- and a boundary stand somewhere in it, or would with a line end before it. */
static bool has_delimiter(struct sipws_str s, struct sipws_str boundary)
{
    for (size_t i = 0; i < s.n; i++) {
        bool line = i == 0 || (i >= 2 && s.p[i - 2] == '\r' && s.p[i - 1] == '\n');
        if (line && s.n - i >= boundary.n + 2 && memcmp(s.p + i, "--", 2) == 0 &&
            memcmp(s.p + i + 2, boundary.p, boundary.n) == 0)
            return true;
    }
    return false;
}

/* Octets of a part that is not multipart. */
static struct sipws_str octets(struct gen *g, unsigned depth)
{
    static const char *const pool[] = {"Lunch?", "\r\n", "--",     "\r",           "\n",  "--b",
                                       "-",      " ",    "\r\n--", "Via: not one", "\xFF"};
    struct sipws_out o = arena_begin(g->a);
    while (tape_next(g->t, "octets", 4)) {
        unsigned i = tape_below(g->t, sizeof pool / sizeof *pool + 2);
        struct sipws_str near = g->boundary[1 + tape_below(g->t, depth)];
        if (i < sizeof pool / sizeof *pool)
            sipws_put(&o, str(pool[i]));
        else if (i == sizeof pool / sizeof *pool)
            sipws_put(&o, (struct sipws_str){near.p, near.n - 1}); /* nearly a boundary */
        else
            sipws_put_char(&o, '\0');
        tape_end(g->t);
    }
    struct sipws_str s = arena_end(g->a, &o);
    for (unsigned d = 1; d <= depth && s.p; d++)
        if (has_delimiter(s, g->boundary[d]))
            s.n = 0;
    return s;
}

static void put_type(struct sipws_out *o, struct sipws_str boundary)
{
    sipws_put_lit(o, "Content-Type: multipart/mixed;boundary=\"");
    sipws_put(o, boundary);
    sipws_put_lit(o, "\"\r\n");
}

/* A boundary line behind the first; `last`: the closing one. */
static void put_delimiter(struct gen *g, struct sipws_out *o, unsigned depth, bool last)
{
    bool bent = depth == 1 && g->s->bend != SOUND && g->delimiters++ == g->bent;
    if (o->n > 0 || tape_chance(g->t, 64))
        sipws_put_lit(o, "\r\n");
    if (bent && g->s->bend == GLUED) {
        sipws_put_lit(o, "--");
        sipws_put(o, g->boundary[depth]);
        sipws_put_lit(o, "\r\n");
        g->at = o->n; /* a line that has no line end of its own before it */
    }
    sipws_put_lit(o, "--");
    sipws_put(o, g->boundary[depth]);
    if (bent && g->s->bend == JUNK) {
        g->at = o->n;
        sipws_put_char(o, "x;\n\r\"0"[tape_below(g->t, 6)]);
    }
    if (last)
        sipws_put_lit(o, "--");
    if (tape_chance(g->t, 32))
        sipws_put_lit(o, " \t");
    if (!last)
        sipws_put_lit(o, "\r\n");
}

static struct sipws_str multipart(struct gen *g, unsigned depth);

static void header(struct gen *g, struct part *p, struct sipws_out *o)
{
    static const char *const fields[] = {"Content-Type: text/plain\r\n",
                                         "Content-Disposition: render;handling=optional\r\n",
                                         "Content-ID: <1@k2v9.invalid>\r\n", "X-Part:\r\n  1\r\n"};
    for (unsigned i = p->nested ? 1 : 0; i < sizeof fields / sizeof *fields; i++)
        if (tape_chance(g->t, 96)) {
            sipws_put(o, str(fields[i]));
            p->fields++;
        }
}

static void one_part(struct gen *g, unsigned depth, struct sipws_out *o)
{
    struct part *p = &g->s->parts[g->s->n++];
    p->depth = depth;
    p->nested = depth < DEEP && g->s->n < PARTS && tape_chance(g->t, 64);
    header(g, p, o);
    if (p->nested) {
        g->boundary[depth + 1] = boundary(g, depth + 1);
        put_type(o, g->boundary[depth + 1]);
        p->fields++;
    }
    sipws_put_lit(o, "\r\n");
    p->body = p->nested ? multipart(g, depth + 1) : octets(g, depth);
    sipws_put(o, p->body);
}

/* Its octets lie in an array first, as the parts within are drawn from the same arena. */
static struct sipws_str multipart(struct gen *g, unsigned depth)
{
    char *to = arena_get(g->a, BODY);
    struct sipws_out o = sipws_out(to, to ? BODY : 0);
    if (tape_chance(g->t, 32))
        sipws_put_lit(&o, "a preamble");
    put_delimiter(g, &o, depth, false);
    do {
        one_part(g, depth, &o);
        if (g->s->n == PARTS || !tape_more(g->t, 1))
            break;
        put_delimiter(g, &o, depth, false);
    } while (sipws_out_ok(&o));
    if (depth == 1 && g->s->bend == CUT) {
        g->at = o.n;
    } else {
        put_delimiter(g, &o, depth, true);
        if (tape_chance(g->t, 32))
            sipws_put_lit(&o, "\r\nan epilogue");
    }
    if (!sipws_out_ok(&o))
        g->a->full = true;
    return sipws_out_ok(&o) ? sipws_out_str(&o) : (struct sipws_str){NULL, 0};
}

static const void *draw(struct tape *t, struct arena *a)
{
    static const enum sipws_err errors[BENDS] = {
        [NO_BOUNDARY] = SIPWS_E_PARAM_MISSING,
        [JUNK] = SIPWS_E_MULTIPART_LINE,
        [CUT] = SIPWS_E_MULTIPART_END,
        [GLUED] = SIPWS_E_MULTIPART_LINE,
    };
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    struct gen g = {t, a, s, {{NULL, 0}}, 0, 0, 0};
    s->bend = tape_chance(t, 128) ? 1 + tape_below(t, BENDS - 1) : SOUND;
    s->err = errors[s->bend];
    g.bent = tape_below(t, 3);
    g.boundary[1] = boundary(&g, 1);
    struct sipws_str body = multipart(&g, 1);
    if (a->full)
        return NULL;
    struct sipws_out o = arena_begin(a);
    sipws_put_lit(&o, "MESSAGE sip:bob@example.org SIP/2.0\r\n"
                      "Via: SIP/2.0/WS k2v9.invalid;branch=z9hG4bK7\r\nMax-Forwards: 70\r\n"
                      "From: <sip:ada@example.org>;tag=a1\r\nTo: <sip:bob@example.org>\r\n"
                      "Call-ID: 9d1c@k2v9.invalid\r\nCSeq: 7 MESSAGE\r\n");
    if (s->bend == NO_BOUNDARY) {
        sipws_put_lit(&o, "Content-Type: multipart/mixed");
        s->off = o.n;
        sipws_put_lit(&o, "\r\n");
    } else {
        put_type(&o, g.boundary[1]);
    }
    sipws_put_lit(&o, "\r\n");
    if (s->bend != NO_BOUNDARY)
        s->off = o.n + g.at;
    sipws_put(&o, body);
    s->text = arena_end(a, &o);
    /* There was no such delimiter to bend. */
    if ((s->bend == JUNK || s->bend == GLUED) && g.at == 0)
        s->bend = SOUND;
    return s->text.p ? s : NULL;
}

static void explain(const void *story, FILE *f)
{
    static const char *const how[BENDS] = {"sound", "without boundary", "with an octet too many",
                                           "without end", "with two boundary lines on end"};
    const struct story *s = story;
    fprintf(f, "  a multipart body %s, of %u parts at all depths\n", how[s->bend], s->n);
    prop_octets(f, "    ", s->text);
}

static void wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct story *)story)->text);
}

/* ---- holding -------------------------------------------------------------------------------- */

struct walk {
    struct prop_trial *r;
    const struct story *s;
    unsigned n; /* parts that were come to */
    struct sipws_report report;
};

/* Goes through the body at `c`, of the Content-Type `type`, and all in it. */
static enum verdict go(struct walk *w, struct sipws_cur c, const struct sipws_value *type,
                       unsigned depth)
{
    struct sipws_multipart m;
    struct sipws_part part;
    struct sipws_field fields[FIELDS];
    if (!sipws_multipart(&c, type, &m, &w->report))
        return prop_fail(w->r, "not multipart", PROP_NOWHERE, "at depth %u", depth);
    while (sipws_multipart_next(&c, &m, fields, FIELDS, &part, &w->report)) {
        const struct part *want = &w->s->parts[w->n];
        if (w->n == w->s->n || want->depth != depth)
            return prop_fail(w->r, "another part", PROP_NOWHERE, "part %u is at depth %u", w->n,
                             depth);
        w->n++;
        if (part.n != want->fields)
            return prop_fail(w->r, "other fields", PROP_NOWHERE, "part %u has %zu, not %u", w->n,
                             part.n, want->fields);
        if (prop_same(w->r, "another body", want->body, part.body) == FAILS)
            return FAILS;
        if (want->nested) {
            struct sipws_value inner;
            struct sipws_cur value =
                sipws_cur_in(c.base, fields[part.n - 1].value.p,
                             fields[part.n - 1].value.p + fields[part.n - 1].value.n, NULL, 0);
            struct sipws_cur body =
                sipws_cur_in(c.base, part.body.p, part.body.p + part.body.n, NULL, 0);
            if (!sipws_value_first(&value, SIPWS_F_CONTENT_TYPE, &inner))
                return prop_fail(w->r, "no type", PROP_NOWHERE, "of part %u", w->n);
            if (go(w, body, &inner, depth + 1) == FAILS)
                return FAILS;
        }
    }
    return HOLDS;
}

static enum verdict hold(struct prop_trial *r, const void *story)
{
    static const char *const classes[BENDS] = {"sound", "no boundary", "junk", "cut", "glued"};
    const struct story *s = story;
    struct sipws_field fields[16];
    struct sipws_diag diag;
    struct sipws_msg m;
    struct walk w = {r, s, 0, sipws_report(&diag, 1)};
    bool ok = sipws_msg_parse(s->text, 0, fields, 16, &m, &w.report) &&
              sipws_msg_check(&m, SIPWS_TRANSPORT_WS, 0, &w.report);
    prop_class(r, classes[s->bend]);
    if (s->n > 1 && s->parts[s->n - 1].depth > 1)
        prop_class(r, "nested");
    if (s->bend != SOUND) {
        if (ok)
            return prop_fail(r, "taken", s->off, "wanted %s", sipws_err_info(s->err)->id);
        if (diag.err != s->err || diag.off != s->off)
            return prop_fail(r, "another refusal", diag.off, "wanted %s at %zu, got %s",
                             sipws_err_info(s->err)->id, s->off, sipws_err_info(diag.err)->id);
        return HOLDS;
    }
    if (!ok)
        return prop_fail(r, "refused", diag.off, "%s", sipws_err_info(diag.err)->id);
    struct sipws_value type;
    if (!sipws_msg_first(&m, SIPWS_F_CONTENT_TYPE, &type))
        return prop_fail(r, "no type", PROP_NOWHERE, "of the message");
    if (go(&w, sipws_msg_body(&m, 0), &type, 1) == FAILS)
        return FAILS;
    if (w.report.n > 0 || w.n != s->n)
        return prop_fail(r, "parts are missing", PROP_NOWHERE, "%u of %u", w.n, s->n);
    return HOLDS;
}

const struct prop prop_multipart = {
    .name = "msg/multipart",
    .plant = "MULTIPART_LINE_REST",
    .sentence = "A multipart body, nested or not, is taken apart into the parts it was made of, "
                "header fields and octets; without boundary, without end, or with a boundary line "
                "that is not one, it is refused at the octet where that shows.",
    .draw = draw,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .classes = {{"sound", 200},
                {"nested", 50},
                {"no boundary", 30},
                {"junk", 30},
                {"cut", 30},
                {"glued", 10}},
    .discard_percent = 5,
    .tape_max = 512,
};
