/* field: the value of any header field, on raw octets.
 *
 * The first octet chooses the field (its index in field.def, modulo their number; 0 is an unknown
 * field), the second the leniencies where its top bit is set. What follows is the value.
 *
 * Holds:
 * - nothing is read beyond the input; a refusal has an offset within it, a rule and a section, and
 *   leaves the cursor where it was;
 * - every slice that comes out lies within its element and can be read, parameters one by one;
 * - every element is printed, read again and printed to the same octets; measuring and printing
 *   agree, and a writer that is too short is not overrun;
 * - a URI in it is equal to itself.
 */
#include "depth.h"
#include "field.h"

#include <stdio.h>
#include <stdlib.h>

enum { ELEMENT, WHOLE }; /* layers */

enum { MOST = 4096 };

static void die(const char *what)
{
    fprintf(stderr, "field: %s\n", what);
    abort();
}

static volatile unsigned char sink;

static void touch(struct sipws_str s, struct sipws_str whole)
{
    unsigned char sum = 0;
    if (s.n > 0 && (s.p < whole.p || s.p + s.n > whole.p + whole.n))
        die("a slice lies outside of its element");
    for (size_t i = 0; i < s.n; i++)
        sum = (unsigned char)(sum ^ (unsigned char)s.p[i]);
    sink = sum;
}

static void touch_uri(const struct sipws_uri *u, struct sipws_str whole)
{
    touch(u->text, whole);
    touch(u->user, u->text);
    touch(u->password, u->text);
    touch(u->host.text, u->text);
    touch(u->opaque, u->text);
    touch(u->params, u->text);
    touch(u->headers, u->text);
    if (!sipws_uri_eq(u, u))
        die("a URI is not equal to itself");
}

static void touch_kind(const struct sipws_value *v)
{
    switch (v->kind) {
    case SIPWS_K_TOKEN:
        touch(v->token, v->text);
        break;
    case SIPWS_K_NUMBER:
        touch(v->number.comment, v->text);
        break;
    case SIPWS_K_ADDR:
        touch(v->addr.display, v->text);
        touch_uri(&v->addr.uri, v->text);
        break;
    case SIPWS_K_URI:
        touch_uri(&v->uri, v->text);
        break;
    case SIPWS_K_VIA:
        touch(v->via.protocol, v->text);
        touch(v->via.version, v->text);
        touch(v->via.transport, v->text);
        touch(v->via.host.text, v->text);
        break;
    case SIPWS_K_CSEQ:
        touch(v->cseq.method, v->text);
        break;
    case SIPWS_K_RACK:
        touch(v->rack.method, v->text);
        break;
    case SIPWS_K_CALL_ID:
        touch(v->call_id, v->text);
        break;
    case SIPWS_K_MEDIA:
        touch(v->media.type, v->text);
        touch(v->media.subtype, v->text);
        break;
    case SIPWS_K_TIMESTAMP:
        touch(v->timestamp.value, v->text);
        touch(v->timestamp.delay, v->text);
        break;
    case SIPWS_K_WARNING:
        touch(v->warning.agent, v->text);
        touch(v->warning.quoted, v->text);
        break;
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
        touch(v->auth.scheme, v->text);
        touch(v->auth.token68, v->text);
        break;
    case SIPWS_K_IDENTITY:
        touch(v->identity, v->text);
        break;
    case SIPWS_K_DATE:
        if (v->date.month < 1 || v->date.month > 12 || v->date.day < 1 || v->date.day > 31)
            die("a date that is none");
        break;
    case SIPWS_K_TEXT:
    case SIPWS_K_STAR:
    case SIPWS_K_AUTH_INFO:
        break;
    case SIPWS_KIND_COUNT:
        die("an element of no kind");
    }
}

static void touch_value(const struct sipws_value *v, struct sipws_str input)
{
    struct sipws_str rest = v->params;
    struct sipws_param param;
    size_t n = 0;
    touch(v->text, input);
    touch(v->params, v->text);
    while (sipws_param_next(&rest, &param)) {
        touch(param.name, v->params);
        touch(param.value, v->params);
        n++;
    }
    if ((v->params.n > 0) != (n > 0) || rest.n > 0)
        die("parameters that the walk over them does not find");
    touch_kind(v);
}

static void print_and_read(const struct sipws_value *v, enum sipws_field_id id, uint32_t allow)
{
    static char one[MOST * 2], two[MOST * 2];
    struct sipws_out o = sipws_out(one, sizeof one), measure = sipws_out(NULL, 0);
    struct sipws_value again;
    struct sipws_diag diag;
    sipws_value_print(&o, v);
    sipws_value_print(&measure, v);
    if (!sipws_out_ok(&o) || measure.n != o.n)
        die("measured otherwise than printed, or more than twice as long");
    if (o.n == 0)
        return;
    struct sipws_out tight = sipws_out(two + sizeof two - (o.n - 1), o.n - 1);
    sipws_value_print(&tight, v); /* AddressSanitizer watches behind `two` */
    if (sipws_out_ok(&tight) || tight.n != o.n)
        die("a short writer says that all is there");
    struct sipws_cur c = sipws_cur(sipws_out_str(&o), &diag);
    c.allow = allow;
    if (!sipws_value_first(&c, id, &again) || c.p != c.end)
        die("what was printed is refused");
    if (again.kind != v->kind)
        die("what was printed is of another kind");
    struct sipws_out p = sipws_out(two, sizeof two);
    sipws_value_print(&p, &again);
    if (!sipws_str_eq(sipws_out_str(&o), sipws_out_str(&p)))
        die("printing is no fixpoint");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"element", "whole", NULL};
    fuzz_begin(layers, &size);
    if (size < 2 || size > MOST)
        return 0;
    enum sipws_field_id id = (enum sipws_field_id)(data[0] % SIPWS_FIELD_COUNT);
    struct sipws_str input = {(const char *)data + 2, size - 2};
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(input, &diag);
    c.allow = data[1] & 0x80 ? data[1] & 0x7F : 0;
    const char *before = c.p;
    for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v)) {
        if (c.p < before || c.p > c.end)
            die("the cursor went back, or beyond the end");
        if (before == input.p)
            fuzz_past(ELEMENT);
        touch_value(&v, input);
        print_and_read(&v, id, c.allow);
        before = c.p;
    }
    if (diag.err == SIPWS_OK)
        fuzz_past(WHOLE);
    if (diag.err == SIPWS_OK ? c.p != c.end
                             : diag.off > input.n || !diag.rule[0] || !diag.rfc[0] || c.p != before)
        die("an end or a refusal that tells nothing");
    return 0;
}
