/* msg: a SIP message, from its octets to the report and back to octets.
 *
 * Input: one message, as a WebSocket message would carry it.
 *
 * Holds, beyond no crash and no octet read past the end:
 * - offsets lie within the input, and every diagnostic has an error, a rule and a section;
 * - every slice that comes out lies within the input, and all of its octets can be read;
 * - the result, the count of errors and the report agree, and a report with room for one error has
 *   the first one of a report with room for all;
 * - what is accepted strictly is accepted with every leniency, too;
 * - every header field name is a token;
 * - the body of a message without errors runs to its end, and Content-Length says so where it
 * stands; From has a tag, the top Via has a branch;
 * - a message without errors, once printed, is read again without errors, as the same header fields
 *   with the same body, and printing that gives the same octets.
 */
#include "depth.h"
#include "msg.h"

#include <stdlib.h>

enum { LINES, SOUND }; /* layers */

enum { INPUT_MAX = 16384, FIELDS = 64, DIAGS = 32, ALL = (1 << 7) - 1 };

struct reading {
    struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_msg m;
    struct sipws_report r;
    bool parsed, ok;
};

static volatile unsigned char sink;

/* Reads every octet of a slice that lies within the text. */
static void touch(struct sipws_str text, struct sipws_str s)
{
    if (!s.p)
        return;
    must(s.p >= text.p && s.n <= text.n && (size_t)(s.p - text.p) <= text.n - s.n);
    unsigned char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum ^= (unsigned char)s.p[i];
    sink = sum;
}

static void read_msg(struct reading *x, struct sipws_str text, enum sipws_transport transport,
                     uint32_t allow, size_t cap)
{
    x->r = sipws_report(x->diags, cap);
    x->parsed = sipws_msg_parse(text, allow, x->fields, FIELDS, &x->m, &x->r);
    x->ok = sipws_msg_check(&x->m, transport, allow, &x->r) && x->parsed;
}

static void look(const struct reading *x, struct sipws_str text)
{
    size_t errors = 0;
    for (size_t i = 0; i < x->r.n; i++) {
        const struct sipws_diag *d = &x->diags[i];
        must(d->err != SIPWS_OK && d->off <= text.n && d->rule && d->rfc && d->rfc[0]);
        errors += sipws_err_info(d->err)->severity == SIPWS_ERROR;
    }
    must(x->ok == (x->r.errors == 0) && errors == x->r.errors);
    must(x->m.n <= FIELDS);
    for (size_t i = 0; i < x->m.n; i++) {
        struct sipws_str name = x->m.fields[i].name;
        touch(text, name);
        must(name.n > 0 && sipws_span(name.p, name.p + name.n, SIPWS_C_TOKEN) == name.p + name.n);
        touch(text, x->m.fields[i].value);
    }
    touch(text, x->m.method_name);
    touch(text, x->m.uri.text);
    touch(text, x->m.uri.user);
    touch(text, x->m.uri.params);
    touch(text, x->m.uri.headers);
    touch(text, x->m.reason);
    touch(text, x->m.body);
}

static const struct sipws_diag *first_error(const struct reading *x)
{
    size_t i = 0;
    while (i < x->r.n && sipws_err_info(x->diags[i].err)->severity != SIPWS_ERROR)
        i++;
    return i < x->r.n ? &x->diags[i] : NULL;
}

static void needs(const struct sipws_msg *m, enum sipws_field_id id, struct sipws_str name)
{
    struct sipws_value v;
    struct sipws_param param;
    must(sipws_msg_first(m, id, &v) && sipws_param_find(v.params, name, &param));
    must(param.value.n > 0);
}

/* What must be so in a message without errors. */
static void sound(const struct sipws_msg *m)
{
    struct sipws_value v;
    must(m->body.p + m->body.n == m->text.p + m->text.n);
    must(!sipws_msg_first(m, SIPWS_F_CONTENT_LENGTH, &v) || v.number.value == m->body.n);
    needs(m, SIPWS_F_FROM, SIPWS_STR("tag"));
    /* Elsewhere a Via may be one of RFC 2543, without a branch. */
    if (sipws_msg_first(m, SIPWS_F_VIA, &v) && sipws_str_ieq(v.via.transport, SIPWS_STR("WS")))
        needs(m, SIPWS_F_VIA, SIPWS_STR("branch"));
}

static void same_message(const struct sipws_msg *a, const struct sipws_msg *b)
{
    must(a->is_request == b->is_request && a->status == b->status && a->method == b->method);
    must(sipws_str_eq(a->method_name, b->method_name) && sipws_str_eq(a->reason, b->reason));
    must(!a->is_request || sipws_uri_eq(&a->uri, &b->uri));
    must(a->n == b->n && sipws_str_eq(a->body, b->body));
    for (size_t i = 0; i < a->n; i++)
        must(a->fields[i].id == b->fields[i].id);
}

/* A canonical message is longer where a compact name or a bare URI was: by less than a factor of 20
 * for the shortest of lines. */
static char once[INPUT_MAX * 20], twice[INPUT_MAX * 20];

static void print_and_read(const struct reading *x)
{
    static struct reading y;
    struct sipws_out o = sipws_out(once, sizeof once), again = sipws_out(twice, sizeof twice);
    sipws_msg_print(&o, &x->m);
    must(sipws_out_ok(&o));
    read_msg(&y, sipws_out_str(&o), SIPWS_TRANSPORT_ANY, 0, DIAGS);
    must(y.ok);
    same_message(&x->m, &y.m);
    sipws_msg_print(&again, &y.m);
    must(sipws_str_eq(sipws_out_str(&o), sipws_out_str(&again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char room[INPUT_MAX];
    static struct reading all, one, lenient;
    static const char *const layers[] = {"lines", "sound", NULL};
    fuzz_begin(layers, &size);
    if (size > INPUT_MAX)
        return 0;
    /* The text ends where the array ends: AddressSanitizer guards what is behind it. */
    struct sipws_str text = {room + INPUT_MAX - size, size};
    if (size)
        memcpy(room + INPUT_MAX - size, data, size);

    read_msg(&all, text, SIPWS_TRANSPORT_ANY, 0, DIAGS);
    look(&all, text);
    read_msg(&one, text, SIPWS_TRANSPORT_ANY, 0, 1);
    look(&one, text);
    const struct sipws_diag *a = first_error(&all), *b = first_error(&one);
    must(all.ok == one.ok && !a == !b);
    must(!a || (a->err == b->err && a->off == b->off && a->rule == b->rule));

    read_msg(&lenient, text, SIPWS_TRANSPORT_WSS, ALL, DIAGS);
    look(&lenient, text);
    must(lenient.ok || !all.ok);

    if (all.parsed)
        fuzz_past(LINES);
    if (all.ok) {
        fuzz_past(SOUND);
        sound(&all.m);
        print_and_read(&all);
    }
    return 0;
}
