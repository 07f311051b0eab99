/* ref against the grammar of the RFCs: whatever the octets, the same verdict, but for the
 * differences that oracle.c permits; a run of these properties ends with how often each was used.
 */
#include "oracle.h"
#include "property.h"

enum { VALUE_SIZE = 60, MESSAGE_SIZE = 250 };

enum how { SENTENCE, BENT, RAW };

struct story {
    struct oracle_start start;
    enum how how;
    struct sipws_str text;
};

static void draw_text(struct tape *t, struct arena *a, struct story *s)
{
    static const unsigned char weights[] = {90, 150, 16};
    char text[ORACLE_MESSAGE], bent[ORACLE_MESSAGE];
    size_t cap = s->start.kind == ORACLE_WHOLE ? ORACLE_MESSAGE : ORACLE_VALUE;
    struct sipws_out o = sipws_out(text, cap);
    s->how = (enum how)tape_weighted(t, weights, 3);
    tape_begin(t, "sentence");
    if (s->how == RAW)
        for (int n = 0; n < 40 && tape_more(t, 10); n++)
            sipws_put_char(&o, (char)tape_byte(t));
    else
        abnf_generate(oracle_grammar(), s->start.rule, t,
                      s->start.kind == ORACLE_WHOLE ? MESSAGE_SIZE : VALUE_SIZE, &o, NULL, NULL);
    tape_end(t);
    struct sipws_str made = {text, sipws_out_ok(&o) ? o.n : cap};
    if (s->how == BENT) {
        tape_begin(t, "bend");
        made = (struct sipws_str){bent, abnf_bend(t, made, bent, cap)};
        tape_end(t);
    }
    s->text = arena_copy(a, made);
}

static const void *draw_part(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->start = oracle_part(tape_below(t, oracle_parts()));
    draw_text(t, a, s);
    return s->text.p ? s : NULL;
}

static const void *draw_field(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->start = oracle_value((enum sipws_field_id)tape_below(t, SIPWS_FIELD_COUNT));
    if (s->start.rule < 0)
        return NULL;
    draw_text(t, a, s);
    return s->text.p ? s : NULL;
}

static const void *draw_message(struct tape *t, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->start = oracle_message();
    draw_text(t, a, s);
    return s->text.p ? s : NULL;
}

static const char *name_of(const struct story *s, char *name, size_t cap)
{
    struct sipws_str rule = abnf_rule_name(oracle_grammar(), s->start.rule);
    snprintf(name, cap, "%.*s", (int)rule.n, rule.p);
    return name;
}

/* How often each permitted difference was used: for people only. */
enum { SENTENCES = 64 };
static struct notes {
    unsigned long refused[SENTENCES], late[SENTENCES];
} notes[3];

static enum verdict hold(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct oracle_answer a;
    char name[64];
    struct notes *n = &notes[s->start.kind];
    oracle_ask(&s->start, s->text, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return DISCARDED;
    name_of(s, name, sizeof name);
    prop_class(r, a.grammar == ABNF_ACCEPTED ? "accepted" : "refused");
    if (a.grammar == ABNF_ACCEPTED && !a.ref) {
        if (a.permitted < 0)
            return prop_fail(r, "over-refusal", a.diag.off,
                             "%s: ref refuses (%s, %s), the grammar takes it", name,
                             sipws_err_info(a.diag.err)->id, a.diag.rule);
        prop_class(r, "permitted difference");
        n->refused[a.permitted % SENTENCES]++;
    }
    if (a.grammar == ABNF_REFUSED && a.ref)
        return prop_fail(r, "over-acceptance", a.far, "%s: ref takes it, the grammar refuses it",
                         name);
    if (a.grammar == ABNF_REFUSED && a.diag.off > a.far) {
        if (a.permitted < 0)
            return prop_fail(r, "late", a.far,
                             "%s: ref refuses at %zu (%s, %s); it is certain at %zu", name,
                             a.diag.off, sipws_err_info(a.diag.err)->id, a.diag.rule, a.far);
        n->late[a.permitted % SENTENCES]++;
    }
    return HOLDS;
}

static void report(const struct notes *n, FILE *f)
{
    for (unsigned i = 0; i < oracle_permitted() && i < SENTENCES; i++)
        if (n->refused[i] || n->late[i])
            fprintf(f, "      permitted: %8lu refused, %6lu later  %s\n", n->refused[i], n->late[i],
                    oracle_why(i));
}

static void report_part(FILE *f)
{
    report(&notes[ORACLE_PART], f);
}

static void report_field(FILE *f)
{
    report(&notes[ORACLE_FIELD], f);
}

static void report_message(FILE *f)
{
    report(&notes[ORACLE_WHOLE], f);
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    char name[64];
    fprintf(f, "  rule %s, %s\n", name_of(s, name, sizeof name),
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
    .plant = "HOST_LETTER_FIRST",
    .sentence =
        "ref takes a URI, host, address, string or comment just when the RFC's grammar does, and "
        "refuses at the latest where no sentence goes on.",
    .draw = draw_part,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .report = report_part,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 400,
};

const struct prop prop_abnf_field = {
    .name = "abnf/field",
    .plant = "EQUAL_TIGHT",
    .sentence = "ref takes the value of a header field just when the RFC's grammar does, and "
                "refuses at the latest where no sentence goes on.",
    .draw = draw_field,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .report = report_field,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 400,
};

const struct prop prop_abnf_message = {
    .name = "abnf/message",
    .plant = "EQUAL_TIGHT",
    .sentence = "ref takes the lines and values of a whole message just when SIP-message of the "
                "RFC's grammar does, and refuses at the latest where no sentence goes on.",
    .draw = draw_message,
    .hold = hold,
    .explain = explain,
    .wire = wire,
    .report = report_message,
    .classes = CLASSES,
    .discard_percent = 5,
    .tape_max = 800,
};
