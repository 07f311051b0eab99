/* print: whatever is built is sound, whatever is read prints, and prints once and for all.
 *
 * Input: one octet. Below 128 the rest is the tape of a program for the builder: a request or a
 * response, then header fields in any order, each from a sound value, from a value of another field
 * or from any octets. From 128 on it chooses a property, and the rest is its tape.
 *
 * Holds, beyond no crash and no octet written past the end:
 * - what the builder ends is read without errors, has one header field for each that was set and
 *   the body as it was given; it prints in canonical form, which is read as the same fields and
 *   prints to itself;
 * - what it refuses leaves nothing in the writer, and has an error and a rule;
 * - the same program in a writer without room measures what it takes; with just that room it writes
 *   the same octets, with one octet less it is refused for that alone;
 * - what these properties say (sipws-props --list): msg/print_fixpoint, msg/same_reading,
 *   field/print_read, uri/print_read, build/same, build/noise, build/value, build/response,
 *   rewrite/rest, http/print.
 */
#include "build.h"
#include "fuzz_family.h"
#include "gen_field.h"

#include <string.h>

extern const struct prop prop_msg_print_fixpoint, prop_msg_same_reading, prop_field_print_read,
    prop_uri_print_read, prop_build_same, prop_build_noise, prop_build_value, prop_build_response,
    prop_rewrite_rest, prop_http_print;

enum { FIELDS = 40, ROOM = 1 << 16, ARENA = 1 << 18, OCTETS = 24, CALLS = 24 };
enum { ENDED, PRINTED };

static char built[ROOM], exact[ROOM], once[2 * ROOM], twice[2 * ROOM];

/* ---- programs -------------------------------------------------------------------------------- */

enum op { TEXT, NUMBER, FIELD, PARAM, QUOTED, OPS };

struct call {
    enum op op;
    enum sipws_field_id id;
    struct sipws_str name, text;
    uint64_t number;
};

struct program {
    bool request;
    struct sipws_str method, uri, reason, body;
    unsigned status;
    struct call calls[CALLS];
    size_t n, fields; /* calls, and header fields that they set */
    bool length;      /* Content-Length among them */
};

/* Any octets, most of them such as mean something somewhere. */
static struct sipws_str octets(struct tape *t, struct arena *a)
{
    static const char pool[] = "a1.-;,=:<>\"\\@()[]%/ \t\r\n?&*~z9hG4bKsip:Ws";
    char s[OCTETS];
    size_t n = 0;
    while (n < sizeof s && tape_next(t, "octet", 6)) {
        unsigned pick = tape_byte(t);
        s[n++] = pick < 220 ? pool[pick % (sizeof pool - 1)] : (char)tape_byte(t);
        tape_end(t);
    }
    return arena_copy(a, (struct sipws_str){s, n});
}

/* A sound value of the field; now and then of another one, or any octets. */
static struct sipws_str value(struct tape *t, struct arena *a, enum sipws_field_id id)
{
    struct gen_value v;
    unsigned how = tape_below(t, 16);
    if (how == 15)
        return octets(t, a);
    bool ok = how == 14 ? gen_value(t, a, &v) : gen_value_of(t, a, id, &v);
    return ok ? how == 13 ? v.text : v.canon : (struct sipws_str){NULL, 0};
}

/* What every message has, and one that nearly has it. */
static void draw_needed(struct tape *t, struct arena *a, struct program *p)
{
    static const struct sipws_str needed[][2] = {
        {{"Via", 3}, {"SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK1", 40}},
        {{"Max-Forwards", 12}, {"70", 2}},
        {{"From", 4}, {"<sip:alice@example.org>;tag=a", 29}},
        {{"To", 2}, {"<sip:bob@example.org>;tag=b", 27}},
        {{"Call-ID", 7}, {"c1@k2v9.invalid", 15}},
        {{"CSeq", 4}, {NULL, 0}},
        {{"Contact", 7}, {"<sip:alice@k2v9.invalid>", 24}},
    };
    bool all = !tape_chance(t, 40);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        enum sipws_field_id id = sipws_field_find(needed[i][0]);
        struct call *c = &p->calls[p->n];
        if (!all && tape_chance(t, 60))
            continue;
        *c = (struct call){.op = TEXT, .id = id, .text = needed[i][1]};
        if (id == SIPWS_F_CSEQ) {
            struct sipws_out o = arena_begin(a);
            sipws_put_lit(&o, "7 ");
            sipws_put(&o, p->method);
            c->text = arena_end(a, &o);
        }
        p->n++;
        p->fields++;
    }
}

static void draw_call(struct tape *t, struct arena *a, struct program *p, struct call *c)
{
    static const unsigned char weights[OPS] = {130, 26, 30, 40, 30};
    c->op = (enum op)tape_weighted(t, weights, OPS);
    c->id = (enum sipws_field_id)tape_below(t, SIPWS_FIELD_COUNT);
    if (c->id == SIPWS_F_EXTENSION)
        c->op = FIELD;
    c->number = tape_below(t, UINT32_MAX);
    if (c->op == PARAM || c->op == QUOTED || (c->op == FIELD && tape_chance(t, 128)))
        c->name = octets(t, a);
    else
        c->name = c->id == SIPWS_F_EXTENSION
                      ? SIPWS_STR("X-Note")
                      : (struct sipws_str){sipws_field_info(c->id)->name,
                                           strlen(sipws_field_info(c->id)->name)};
    c->text = c->op == TEXT || c->op == FIELD ? value(t, a, c->id) : octets(t, a);
    bool sets = c->op == TEXT || c->op == NUMBER || c->op == FIELD;
    p->fields += sets;
    p->length = p->length || (sets && (c->op == FIELD ? sipws_field_find(c->name) : c->id) ==
                                          SIPWS_F_CONTENT_LENGTH);
}

static struct program *draw(struct tape *t, struct arena *a)
{
    static const char *const methods[] = {"OPTIONS", "MESSAGE", "INVITE", "REGISTER", "X-OWN"};
    static const uint16_t statuses[] = {200, 180, 302, 486};
    struct program *p = arena_get(a, sizeof *p);
    struct sipws_str canon, text = {NULL, 0};
    if (!p)
        return NULL;
    p->request = !tape_chance(t, 80);
    const char *method = methods[tape_below(t, 5)];
    p->method = (struct sipws_str){method, strlen(method)};
    if (p->request && tape_chance(t, 16))
        p->method = octets(t, a);
    p->status = tape_chance(t, 16) ? tape_below(t, 1000) : statuses[tape_below(t, 4)];
    p->reason = tape_chance(t, 64) ? octets(t, a) : SIPWS_STR("As you say");
    if (tape_chance(t, 128) && gen_uri(t, a, &text, &canon))
        p->uri = tape_chance(t, 32) ? octets(t, a) : text;
    else
        p->uri = SIPWS_STR("sip:bob@example.org");
    p->body = tape_chance(t, 64) ? octets(t, a) : SIPWS_STR("");
    draw_needed(t, a, p);
    while (p->n < CALLS && tape_next(t, "call", 3)) {
        draw_call(t, a, p, &p->calls[p->n++]);
        tape_end(t);
    }
    return a->full ? NULL : p;
}

/* ---- building -------------------------------------------------------------------------------- */

static bool run(const struct program *p, struct sipws_out *o, struct sipws_build *b)
{
    static struct sipws_field fields[FIELDS];
    *b = p->request ? sipws_build_request(o, p->method, p->uri, fields, FIELDS)
                    : sipws_build_response(o, p->status, p->reason, fields, FIELDS);
    for (size_t i = 0; i < p->n; i++) {
        const struct call *c = &p->calls[i];
        switch (c->op) {
        case TEXT:
            sipws_build_text(b, c->id, c->text);
            break;
        case NUMBER:
            sipws_build_number(b, c->id, c->number);
            break;
        case FIELD:
            sipws_build_field(b, c->name, c->text);
            break;
        case PARAM:
            sipws_build_param(b, c->name, c->text);
            break;
        case QUOTED:
            sipws_build_quoted(b, c->name, c->text);
            break;
        case OPS:
            break;
        }
    }
    return sipws_build_end(b, p->body);
}

static bool read_msg(struct sipws_str text, struct sipws_field *fields, struct sipws_msg *m)
{
    struct sipws_diag diag;
    struct sipws_report r = sipws_report(&diag, 1);
    return sipws_msg_parse(text, 0, fields, FIELDS, m, &r) &&
           sipws_msg_check(m, SIPWS_TRANSPORT_ANY, 0, &r);
}

/* A sound message prints, and what it prints is read alike and prints to itself. */
static void print(const struct sipws_msg *m)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_msg again;
    struct sipws_out o = sipws_out(once, sizeof once), o2 = sipws_out(twice, sizeof twice);
    sipws_msg_print(&o, m);
    must(sipws_out_ok(&o) && read_msg(sipws_out_str(&o), fields, &again));
    must(again.n == m->n && sipws_str_eq(again.body, m->body));
    for (size_t i = 0; i < m->n; i++)
        must(again.fields[i].id == m->fields[i].id);
    sipws_msg_print(&o2, &again);
    must(sipws_str_eq(sipws_out_str(&o), sipws_out_str(&o2)));
}

static void sound(const struct program *p, const struct sipws_build *b, struct sipws_str text)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_msg m;
    must(read_msg(text, fields, &m));
    must(m.n == p->fields + !p->length && b->msg.n == m.n);
    must(sipws_str_eq(m.body, p->body) && m.is_request == p->request);
    must(!m.is_request || sipws_str_eq(m.method_name, p->method));
    print(&m);
    fuzz_past(PRINTED);
}

/* The same program in less room. */
static void measured(const struct program *p, struct sipws_str text)
{
    struct sipws_build b;
    struct sipws_out o = sipws_out(NULL, 0);
    must(!run(p, &o, &b) && b.diag.err == SIPWS_E_LIMIT_OUT && o.n == text.n);
    /* The output ends where the array ends: AddressSanitizer guards what is behind it. */
    char *end = exact + sizeof exact - text.n;
    o = sipws_out(end, text.n);
    must(run(p, &o, &b) && sipws_str_eq(sipws_out_str(&o), text));
    o = sipws_out(end, text.n - 1);
    must(!run(p, &o, &b) && b.diag.err == SIPWS_E_LIMIT_OUT && o.n == text.n);
}

static void build(const unsigned char *p, size_t n)
{
    static struct arena a;
    if (!a.p)
        a = (struct arena){malloc(ARENA), ARENA, 0, false};
    must(a.p != NULL);
    arena_clear(&a);
    struct tape t = tape(p, n, NULL, 0);
    struct sipws_out o = sipws_out(built, sizeof built);
    struct sipws_build b;
    const struct program *program = draw(&t, &a);
    if (!program)
        return;
    if (!run(program, &o, &b)) {
        must(o.n == 0 && b.diag.err != SIPWS_OK && b.diag.err != SIPWS_E_LIMIT_OUT);
        must(b.diag.rule && b.diag.rule[0]);
        return;
    }
    fuzz_past(ENDED);
    sound(program, &b, sipws_out_str(&o));
    measured(program, sipws_out_str(&o));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"built", "printed", NULL};
    static const struct prop *const family[] = {&prop_msg_print_fixpoint, &prop_msg_same_reading,
                                                &prop_field_print_read,   &prop_uri_print_read,
                                                &prop_build_same,         &prop_build_noise,
                                                &prop_build_value,        &prop_build_response,
                                                &prop_rewrite_rest,       &prop_http_print};
    fuzz_begin(layers, &size);
    if (size < 1 || size > FAMILY_TAPE)
        return 0;
    if (data[0] < 128)
        build(data + 1, size - 1);
    else
        (void)fuzz_judge(family[(data[0] - 128u) % (sizeof family / sizeof *family)], data + 1,
                         size - 1);
    return 0;
}
