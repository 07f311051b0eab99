/* proxy: a sound message built again, answered, and changed on its way.
 *
 * Input: two octets that choose what is done, then one SIP message. One with errors ends here: the
 * target msg has those.
 *
 * Holds, beyond no crash and no octet read or written past an end:
 * - built again out of its own header fields, the message is taken and prints as before;
 * - any text in place of one value is refused, or the message has as many header fields as were set
 *   and is sound;
 * - a request can be answered, unless the status calls for a header field of its own;
 * - rewriting leaves the body and every header line that it does not name as they stand, and adds
 *   and removes just the elements that it names;
 * - what is measured is what is written, and one octet less is refused.
 */
#include "depth.h"
#include "build.h"

#include <stdlib.h>

enum { SOUND, REWRITTEN }; /* layers */

enum { INPUT_MAX = 16384, FIELDS = 64, ROOM = INPUT_MAX * 20 };

static struct sipws_field fields[FIELDS], more[FIELDS + 2], again[FIELDS + 4];
static char room[INPUT_MAX], built[ROOM], once[ROOM], twice[ROOM];

static bool read_msg(struct sipws_str text, struct sipws_field *f, size_t cap, struct sipws_msg *m)
{
    struct sipws_diag diag;
    struct sipws_report r = sipws_report(&diag, 1);
    return sipws_msg_parse(text, 0, f, cap, m, &r) &&
           sipws_msg_check(m, SIPWS_TRANSPORT_ANY, 0, &r);
}

static struct sipws_build begin(struct sipws_out *o, const struct sipws_msg *m)
{
    return m->is_request ? sipws_build_request(o, m->method_name, m->uri.text, more, FIELDS + 2)
                         : sipws_build_response(o, m->status, m->reason, more, FIELDS + 2);
}

static void build_again(const struct sipws_msg *m)
{
    struct sipws_out o = sipws_out(built, sizeof built);
    struct sipws_out print = sipws_out(once, sizeof once), print2 = sipws_out(twice, sizeof twice);
    struct sipws_build b = begin(&o, m);
    bool length = sipws_msg_find(m, SIPWS_F_CONTENT_LENGTH) != NULL;
    for (size_t i = 0; i < m->n; i++)
        sipws_build_copy(&b, &m->fields[i]);
    must(sipws_build_end(&b, m->body));
    must(b.msg.n == m->n + (length ? 0 : 1) && sipws_str_eq(b.msg.body, m->body));
    for (size_t i = 0; i < m->n; i++)
        must(sipws_str_eq(b.msg.fields[i].name, m->fields[i].name) &&
             sipws_str_eq(b.msg.fields[i].value, m->fields[i].value));
    if (!length)
        return;
    sipws_msg_print(&print, m);
    sipws_msg_print(&print2, &b.msg);
    must(sipws_str_eq(sipws_out_str(&print), sipws_out_str(&print2)));
}

/* The body, which is any octets, in place of the value of one header field. */
static void another_value(const struct sipws_msg *m, unsigned which)
{
    struct sipws_out o = sipws_out(built, sizeof built);
    struct sipws_build b = begin(&o, m);
    size_t n = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id == SIPWS_F_CONTENT_LENGTH)
            continue;
        n++;
        if (i == which % m->n)
            sipws_build_field(&b, m->fields[i].name, m->body);
        else
            sipws_build_copy(&b, &m->fields[i]);
    }
    if (!sipws_build_end(&b, m->body)) {
        must(b.diag.err != SIPWS_OK && b.diag.err != SIPWS_E_LIMIT_OUT && o.n == 0);
        return;
    }
    must(b.msg.n == n + 1 && sipws_str_eq(b.msg.body, m->body));
}

static void answer(const struct sipws_msg *m, unsigned what)
{
    static const uint16_t statuses[] = {200, 100, 180, 302, 404, 486, 500, 603};
    struct sipws_out o = sipws_out(built, sizeof built);
    struct sipws_build b = sipws_build_response_to(
        &o, m, statuses[what % 8], SIPWS_STR("As you say"), SIPWS_STR("t4g"), more, FIELDS + 2);
    must(sipws_build_end(&b, SIPWS_STR("")) || b.diag.err == SIPWS_E_MISSING_FIELD);
}

static bool named(enum sipws_field_id id)
{
    return id == SIPWS_F_VIA || id == SIPWS_F_ROUTE || id == SIPWS_F_RECORD_ROUTE ||
           id == SIPWS_F_MAX_FORWARDS;
}

/* How many elements all header fields `id` have together. */
static size_t elements(const struct sipws_msg *m, enum sipws_field_id id)
{
    size_t n = 0;
    struct sipws_value v;
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        for (bool some = sipws_value_first(&c, id, &v); some; n++)
            some = sipws_value_next(&c, id, &v);
    }
    return n;
}

static void rewrite(const struct sipws_msg *m, unsigned bits)
{
    struct sipws_rewrite how = {.pop_via = bits & 1,
                                .pop_route = (bits & 2) && sipws_msg_find(m, SIPWS_F_ROUTE),
                                .forward = (bits & 4) && m->is_request};
    if ((bits & 8) && m->is_request)
        how.uri = SIPWS_STR("sip:next.example.net");
    if (bits & 16)
        how.via = SIPWS_STR("SIP/2.0/WS p.example.net;branch=z9hG4bKnew");
    if (bits & 32)
        how.record_route = SIPWS_STR("<sip:p.example.net;lr>");
    struct sipws_diag diag;
    struct sipws_out measure = sipws_out(NULL, 0), o;
    must(!sipws_rewrite(&measure, m, &how, &diag));
    if (diag.err == SIPWS_E_NUMBER_RANGE) /* Max-Forwards: 0 */
        return;
    must(diag.err == SIPWS_E_LIMIT_OUT);
    must(measure.n > 0 && measure.n <= sizeof built);
    /* The output ends where the array ends. */
    char *p = built + sizeof built - measure.n;
    o = sipws_out(p, measure.n - 1);
    must(!sipws_rewrite(&o, m, &how, &diag) && o.n == measure.n);
    o = sipws_out(p, measure.n);
    must(sipws_rewrite(&o, m, &how, &diag) && o.n == measure.n);

    struct sipws_msg out;
    struct sipws_report r = sipws_report(&diag, 1);
    must(sipws_msg_parse(sipws_out_str(&o), 0, again, FIELDS + 4, &out, &r));
    fuzz_past(REWRITTEN);
    must(sipws_str_eq(out.body, m->body));
    must(!how.uri.p || sipws_str_eq(out.uri.text, how.uri));
    must(elements(&out, SIPWS_F_VIA) + how.pop_via ==
         elements(m, SIPWS_F_VIA) + (how.via.p != NULL));
    must(elements(&out, SIPWS_F_ROUTE) + how.pop_route == elements(m, SIPWS_F_ROUTE));
    must(elements(&out, SIPWS_F_RECORD_ROUTE) ==
         elements(m, SIPWS_F_RECORD_ROUTE) + (how.record_route.p != NULL));
    size_t j = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (named(m->fields[i].id))
            continue;
        while (j < out.n && named(out.fields[j].id))
            j++;
        must(j < out.n && sipws_str_eq(out.fields[j].name, m->fields[i].name) &&
             sipws_str_eq(out.fields[j].value, m->fields[i].value));
        j++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sipws_msg m;
    static const char *const layers[] = {"sound", "rewritten", NULL};
    fuzz_begin(layers, &size);
    if (size < 2 || size - 2 > INPUT_MAX)
        return 0;
    /* The text ends where the array ends: AddressSanitizer guards what is behind it. */
    struct sipws_str text = {room + INPUT_MAX - (size - 2), size - 2};
    memcpy(room + INPUT_MAX - (size - 2), data + 2, size - 2);
    if (!read_msg(text, fields, FIELDS, &m))
        return 0;
    fuzz_past(SOUND);
    build_again(&m);
    another_value(&m, data[1]);
    if (m.is_request)
        answer(&m, data[1]);
    rewrite(&m, data[0]);
    return 0;
}
