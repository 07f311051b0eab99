/* Stories in text: what people read is what is run. */
#include "story.h"

enum { LINES = 1 << 19 };

/* Large, and the same for all cases: a case fills what it reads. */
static struct drive driver;
static char whole[LINES], pieces[LINES], ignored[1];

struct case_story {
    struct gen_conn *conn;
    struct story *text; /* with cuts and time, which change nothing */
};

/* Reads end, time passes (too little for the engine to act), a title is given. */
static void vary(struct tape *t, struct arena *a, const struct gen_ws *ws, struct story *s)
{
    static const struct sipws_str titles[] = {{"a", 1}, {"two words # and a mark", 22}};
    if (tape_chance(t, 100))
        s->title = arena_copy(a, titles[tape_below(t, 2)]);
    if (tape_chance(t, 100))
        s->pieces = 1 + tape_below(t, 200);
    if (tape_chance(t, 60))
        s->refuse = s->role == SIPWS_SERVER;
    if (tape_chance(t, 60))
        s->allow = tape_below(t, 128);
    if (tape_chance(t, 60))
        for (size_t i = 0; i + 1 < ws->n && i + 1 < s->n; i++) /* a frame as its octets */
            if ((s->steps[i + 1].kind == STORY_FRAME || s->steps[i + 1].kind == STORY_SIP) &&
                tape_chance(t, 60)) {
                struct sipws_str octets =
                    sipws_slice(ws->wire.p + ws->frames[i].off, ws->wire.p + ws->frames[i + 1].off);
                s->steps[i + 1] = (struct story_step){.kind = STORY_RAW, .octets = octets};
            }
    for (size_t i = 0; i < s->n; i++) {
        struct story_step *st = &s->steps[i];
        uint32_t at = 0;
        while (st->cuts < STORY_CUTS && tape_next(t, "cut", 1)) {
            at += 1 + tape_below(t, 12);
            if (at < st->octets.n)
                st->cut[st->cuts++] = at;
            tape_end(t);
        }
    }
    if (s->n + 2 <= STORY_STEPS && tape_chance(t, 128)) {
        size_t at = 1 + tape_below(t, (uint32_t)s->n);
        if (at < s->n || s->steps[s->n - 1].kind != STORY_END) {
            memmove(s->steps + at + 1, s->steps + at, (s->n - at) * sizeof *s->steps);
            s->steps[at] =
                (struct story_step){.kind = tape_chance(t, 128) ? STORY_WAIT : STORY_CUT};
            if (s->steps[at].kind == STORY_WAIT)
                s->steps[at].ms = tape_below(t, 1000);
            s->n++;
        }
    }
}

static const void *draw(struct tape *t, struct arena *a)
{
    struct case_story *c = arena_get(a, sizeof *c);
    if (!c)
        return NULL;
    c->conn = gen_conn(t, a);
    if (!c->conn)
        return NULL;
    c->text = story_of_conn(c->conn, a);
    if (!c->text)
        return NULL;
    vary(t, a, c->conn->ws, c->text);
    return a->full ? NULL : c;
}

const struct story *story_drawn(const void *story)
{
    return ((const struct case_story *)story)->text;
}

static struct sipws_str printed(const struct story *s, struct arena *a)
{
    struct sipws_out o = arena_begin(a);
    story_print(s, &o);
    return arena_end(a, &o);
}

static bool happened(const struct story *s, struct arena *a, char *mem, struct sipws_str *out)
{
    struct sipws_out lines = sipws_out(mem, LINES), transcript = sipws_out(ignored, 0);
    bool ok = story_run(s, a, &driver, &lines, &transcript) && sipws_out_ok(&lines);
    *out = sipws_out_str(&lines);
    return ok;
}

static enum verdict hold_text(struct prop_trial *r, const void *story)
{
    const struct case_story *c = story;
    struct arena *a = &r->arena;
    struct story_error e;
    bool raw = false, sip = false, cut = c->text->pieces > 0, waits = false;
    for (size_t i = 0; i < c->text->n; i++) {
        const struct story_step *st = &c->text->steps[i];
        raw = raw || st->kind == STORY_RAW;
        sip = sip || st->kind == STORY_SIP;
        cut = cut || st->cuts > 0 || st->kind == STORY_CUT;
        waits = waits || st->kind == STORY_WAIT;
    }
    prop_class(r, c->text->role == SIPWS_SERVER ? "server" : "client");
    if (raw)
        prop_class(r, "raw octets");
    if (sip)
        prop_class(r, "SIP");
    if (cut)
        prop_class(r, "cut");
    if (waits)
        prop_class(r, "waits");
    if (c->conn->head_bend || c->conn->ws->bend != GEN_WS_GOOD)
        prop_class(r, "bent");

    struct sipws_str text = printed(c->text, a);
    if (!text.p)
        return DISCARDED;
    struct story *again = story_read(text, a, &e);
    if (a->full)
        return DISCARDED;
    if (!again)
        return prop_fail(r, "read", PROP_NOWHERE, "line %zu, column %zu: %s", e.line, e.column,
                         e.reason);
    if (!story_same(c->text, again))
        return prop_fail(r, "same", PROP_NOWHERE, "what was printed reads as another story");
    struct sipws_out o = arena_begin(a);
    story_wire(again, &o);
    struct sipws_str wire = arena_end(a, &o);
    if (!wire.p)
        return DISCARDED;
    enum verdict v = prop_same(r, "wire", c->conn->wire, wire);
    if (v != HOLDS)
        return v;

    struct sipws_str want, got;
    bool ran = happened(again, a, pieces, &got);
    again->pieces = 0;
    for (size_t i = 0; i < again->n; i++)
        again->steps[i].cuts = 0;
    ran = ran && happened(again, a, whole, &want);
    return ran ? prop_same(r, "events", want, got) : DISCARDED;
}

static void explain(const void *story, FILE *f)
{
    static char text[1 << 20];
    struct sipws_out o = sipws_out(text, sizeof text);
    story_print(((const struct case_story *)story)->text, &o);
    if (sipws_out_ok(&o))
        fwrite(text, 1, o.n, f);
}

static void wire_of(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct case_story *)story)->conn->wire);
}

const struct prop prop_story_text = {
    .name = "story/text",
    .plant = "WS_HEAD_LOST",
    .sentence = "a connection printed as a story reads as the same story, makes the same octets, "
                "and runs the same wherever reads end.",
    .draw = draw,
    .hold = hold_text,
    .explain = explain,
    .wire = wire_of,
    .classes = {{"server", 200},
                {"client", 100},
                {"raw octets", 10},
                {"SIP", 100},
                {"cut", 200},
                {"waits", 30},
                {"bent", 80},
                {NULL, 0}},
    .discard_percent = 10,
    .tape_max = 2000,
};
