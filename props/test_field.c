/* Header fields: what the grammar takes and what it refuses, where, and in which canonical form.
 *
 * In the value of a case that is refused, "|" stands before the octet at which it must be refused;
 * it is taken out before reading. Each expectation is derived from the ABNF and the text of the RFC
 * of that field, given in field.def. */
#include "field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
    const char *field, *value, *canonical; /* canonical: elements joined by ", "; NULL: not told */
    enum sipws_err err;
};

#define OK(field, value)            {field, value, NULL, SIPWS_OK},
#define AS(field, value, canonical) {field, value, canonical, SIPWS_OK},
#define SAME(field, value)          {field, value, value, SIPWS_OK},
#define NO(field, value, err)       {field, value, NULL, SIPWS_E_##err},

#define HEX32  "0123456789abcdef0123456789abcdef"
#define DIGEST "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:a.example\", "

static const struct row cases[] = {
#include "test_field.def"
};

/* A value in a buffer of exactly its size. */
struct sized {
    char *p;
    size_t n;
    size_t mark; /* of "|", or SIZE_MAX */
};

static struct sized sized(const char *text, bool marked)
{
    size_t n = strlen(text);
    const char *mark = marked ? strchr(text, '|') : NULL;
    struct sized s = {malloc(n + 1), n, mark ? (size_t)(mark - text) : SIZE_MAX};
    assert_non_null(s.p);
    memcpy(s.p, text, n);
    if (mark)
        memmove(s.p + s.mark, text + s.mark + 1, --s.n - s.mark);
    s.p = realloc(s.p, s.n ? s.n : 1);
    assert_non_null(s.p);
    return s;
}

static struct sipws_str str(const char *text)
{
    return (struct sipws_str){text, strlen(text)};
}

/* Reads all elements; prints them to `o` joined by ", ". */
static void read_all(struct sipws_cur *c, enum sipws_field_id id, struct sipws_out *o)
{
    struct sipws_value v;
    size_t start = o->n;
    for (bool more = sipws_value_first(c, id, &v); more; more = sipws_value_next(c, id, &v)) {
        if (o->n > start)
            sipws_put_lit(o, ", ");
        sipws_value_print(o, &v);
    }
}

static unsigned failures;

static void judge(const struct row *r)
{
    char printed[4096];
    struct sized s = sized(r->value, r->err != SIPWS_OK);
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    struct sipws_str value = {s.p, s.n};
    struct sipws_cur c = sipws_cur(value, &diag);
    struct sipws_out o = sipws_out(printed, sizeof printed);
    const char *before = c.p;
    read_all(&c, sipws_field_find(str(r->field)), &o);
    assert_true(sipws_out_ok(&o));
    bool good = diag.err == r->err;
    if (good && r->err != SIPWS_OK)
        good = s.mark == diag.off && diag.rule[0] && diag.rfc[0] && c.p >= before && c.p <= c.end;
    if (good && r->err == SIPWS_OK)
        good = c.p == c.end;
    if (good && r->canonical)
        good = sipws_str_eq(sipws_out_str(&o), str(r->canonical));
    if (!good) {
        failures++;
        print_error("%s: %s\n  wanted %s at %ld, %s\n  got    %s at %zu (%s, %s), %.*s\n", r->field,
                    r->value, sipws_err_info(r->err)->id, s.mark == SIZE_MAX ? -1L : (long)s.mark,
                    r->canonical ? r->canonical : "-", sipws_err_info(diag.err)->id, diag.off,
                    diag.rule, diag.rfc, (int)o.n, printed);
    }
    free(s.p);
}

static void every_case_is_judged_right(void **state)
{
    size_t n = sizeof cases / sizeof *cases, refused = 0;
    (void)state;
    failures = 0;
    for (size_t i = 0; i < n; i++) {
        if (cases[i].err != SIPWS_OK) {
            refused++;
            assert_non_null(strchr(cases[i].value, '|'));
        }
        judge(&cases[i]);
    }
    print_message("%zu cases, %zu of them refused\n", n, refused);
    assert_int_equal(failures, 0);
}

/* Every row of field.def has a case that is accepted and one that is refused. */
static void every_field_has_both_verdicts(void **state)
{
    bool good[SIPWS_FIELD_COUNT] = {false}, bad[SIPWS_FIELD_COUNT] = {false};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        (cases[i].err == SIPWS_OK ? good : bad)[sipws_field_find(str(cases[i].field))] = true;
    for (unsigned id = 0; id < SIPWS_FIELD_COUNT; id++)
        if (!good[id] || !bad[id])
            fail_msg("%s has no case that is %s", sipws_field_info((enum sipws_field_id)id)->name,
                     good[id] ? "refused" : "accepted");
}

/* What was accepted is accepted in its canonical form, and that is canonical. */
static void canonical_forms_are_fixpoints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].err != SIPWS_OK)
            continue;
        char one[4096], two[4096];
        struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
        enum sipws_field_id id = sipws_field_find(str(cases[i].field));
        struct sipws_out o = sipws_out(one, sizeof one), p = sipws_out(two, sizeof two);
        struct sipws_cur c = sipws_cur(str(cases[i].value), &diag);
        read_all(&c, id, &o);
        c = sipws_cur(sipws_out_str(&o), &diag);
        read_all(&c, id, &p);
        if (diag.err != SIPWS_OK || !sipws_str_eq(sipws_out_str(&o), sipws_out_str(&p)))
            fail_msg("%s: %s\n  %.*s\n  %.*s", cases[i].field, cases[i].value, (int)o.n, one,
                     (int)p.n, two);
    }
}

/* ---- names ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *compact;
    enum sipws_field_id id;
} names[] = {
#define F(id, name, compact, shape, rule, rfc) {name, compact, SIPWS_F_##id},
#include "field.def"
#undef F
};
enum { NAMES = sizeof names / sizeof *names };

static void names_are_found_in_any_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        char other[64];
        size_t n = strlen(names[i].name);
        assert_int_equal(sipws_field_find(str(names[i].name)), names[i].id);
        assert_string_equal(sipws_field_info(names[i].id)->name, names[i].name);
        for (size_t k = 0; k <= n; k++)
            other[k] = names[i].name[k] >= 'A' && names[i].name[k] <= 'Z'
                           ? (char)(names[i].name[k] | 0x20)
                           : names[i].name[k];
        assert_int_equal(sipws_field_find(str(other)), names[i].id);
        for (size_t k = 0; k < n; k++)
            if (other[k] >= 'a' && other[k] <= 'z')
                other[k] = (char)(other[k] & ~0x20);
        assert_int_equal(sipws_field_find(str(other)), names[i].id);
        if (names[i].compact[0]) {
            char upper = (char)(names[i].compact[0] & ~0x20);
            assert_int_equal(sipws_field_find(str(names[i].compact)), names[i].id);
            assert_int_equal(sipws_field_find((struct sipws_str){&upper, 1}), names[i].id);
        }
    }
}

/* Every name of one octet, and every name one octet away from a known one, is known by the table
 * only. */
static void no_other_name_is_known(void **state)
{
    (void)state;
    for (int ch = 0; ch < 256; ch++) {
        char octet = (char)ch;
        enum sipws_field_id want = SIPWS_F_EXTENSION;
        for (size_t i = 0; i < NAMES; i++)
            if (names[i].compact[0] &&
                sipws_str_ieq(str(names[i].compact), (struct sipws_str){&octet, 1}))
                want = names[i].id;
        assert_int_equal(sipws_field_find((struct sipws_str){&octet, 1}), want);
    }
    for (size_t i = 0; i < NAMES; i++)
        for (size_t k = 0; k < strlen(names[i].name); k++)
            for (int ch = 0; ch < 256; ch++) {
                size_t n = strlen(names[i].name);
                char *near = malloc(n);
                assert_non_null(near);
                memcpy(near, names[i].name, n);
                near[k] = (char)ch;
                struct sipws_str s = {near, n};
                enum sipws_field_id want = SIPWS_F_EXTENSION;
                for (size_t j = 0; j < NAMES; j++)
                    if (sipws_str_ieq(s, str(names[j].name)))
                        want = names[j].id;
                assert_int_equal(sipws_field_find(s), want);
                s.n = k; /* a prefix: a shorter name, as a whole, or none */
                want = SIPWS_F_EXTENSION;
                for (size_t j = 0; j < NAMES; j++)
                    if (sipws_str_ieq(s, str(names[j].name)) ||
                        (names[j].compact[0] && sipws_str_ieq(s, str(names[j].compact))))
                        want = names[j].id;
                assert_int_equal(sipws_field_find(s), want);
                free(near);
            }
    assert_int_equal(sipws_field_find(str("")), SIPWS_F_EXTENSION);
    assert_int_equal(sipws_field_find(str("Content-Lengthy")), SIPWS_F_EXTENSION);
    assert_int_equal(sipws_field_find(str("Vial")), SIPWS_F_EXTENSION);
    assert_int_equal(sipws_field_find(str("To ")), SIPWS_F_EXTENSION);
    assert_int_equal(sipws_field_find(str(" To")), SIPWS_F_EXTENSION);
}

/* ---- what the values mean -------------------------------------------------------------------- */

static struct sipws_value first(const char *field, const char *value)
{
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(str(value), &diag);
    memset(&v, 0xA5, sizeof v);
    assert_true(sipws_value_first(&c, sipws_field_find(str(field)), &v));
    return v;
}

#define IS(slice, text) assert_true(sipws_str_eq(slice, str(text)))

static void values_are_taken_apart(void **state)
{
    (void)state;
    struct sipws_param param;
    struct sipws_value v =
        first("v", "SIP / 2.0 / WSS [2001:db8::9:1] : 5061 ;Branch = z9hG4bK7 ;rport ; x=\"a;b\"");
    assert_int_equal(v.kind, SIPWS_K_VIA);
    IS(v.via.protocol, "SIP");
    IS(v.via.version, "2.0");
    IS(v.via.transport, "WSS");
    IS(v.via.host.text, "[2001:db8::9:1]");
    assert_int_equal(v.via.host.kind, SIPWS_HOST_IPV6);
    assert_int_equal(v.via.port, 5061);
    assert_true(sipws_param_find(v.params, SIPWS_STR("BRANCH"), &param));
    IS(param.value, "z9hG4bK7");
    assert_true(sipws_param_find(v.params, SIPWS_STR("rport"), &param));
    assert_null(param.value.p);
    assert_true(sipws_param_find(v.params, SIPWS_STR("x"), &param));
    IS(param.value, "\"a;b\"");
    assert_false(sipws_param_find(v.params, SIPWS_STR("b"), &param));

    v = first("Contact", "\"A \\\"B\\\"\" <sip:a@h.example;ob>;expires=60;q=0.3");
    assert_int_equal(v.kind, SIPWS_K_ADDR);
    IS(v.addr.display, "\"A \\\"B\\\"\"");
    IS(v.addr.uri.params, ";ob");
    IS(v.params, ";expires=60;q=0.3");
    assert_true(v.addr.brackets);

    v = first("From", "sip:a@h.example;tag=1"); /* the parameter is the field's */
    assert_false(v.addr.brackets);
    assert_int_equal(v.addr.uri.params.n, 0);
    IS(v.params, ";tag=1");
    IS(v.addr.uri.text, "sip:a@h.example");

    v = first("m", "  *  ");
    assert_int_equal(v.kind, SIPWS_K_STAR);
    v = first("CSeq", "0002147483647  INVITE");
    assert_int_equal(v.cseq.number, 2147483647);
    IS(v.cseq.method, "INVITE");
    v = first("RAck", "4294967295 1 INVITE");
    assert_int_equal(v.rack.response, 4294967295u);
    assert_int_equal(v.rack.number, 1);
    v = first("l", "18446744073709551615");
    assert_true(v.number.value == UINT64_MAX);
    v = first("Retry-After", "120 (in (a) meeting) ;duration=5");
    assert_int_equal(v.number.value, 120);
    IS(v.number.comment, "(in (a) meeting)");
    IS(v.params, ";duration=5");
    v = first("Expires", "0");
    assert_null(v.number.comment.p);
    assert_null(v.params.p);
    v = first("Date", "Tue, 29 Feb 2028 23:59:09 GMT");
    assert_int_equal(v.date.year, 2028);
    assert_int_equal(v.date.month, 2);
    assert_int_equal(v.date.day, 29);
    assert_int_equal(v.date.weekday, 1);
    assert_int_equal(v.date.hour, 23);
    assert_int_equal(v.date.minute, 59);
    assert_int_equal(v.date.second, 9);
    v = first("Timestamp", "54.25 .5");
    IS(v.timestamp.value, "54.25");
    IS(v.timestamp.delay, ".5");
    v = first("Timestamp", "54 ");
    IS(v.timestamp.value, "54");
    assert_null(v.timestamp.delay.p);
    v = first("Warning", "307 [2001:db8::1]:5060 \"a\"");
    assert_int_equal(v.warning.code, 307);
    IS(v.warning.agent, "[2001:db8::1]:5060");
    IS(v.warning.quoted, "\"a\"");
    v = first("c", "application / sdp;charset=\"utf-8\"");
    IS(v.media.type, "application");
    IS(v.media.subtype, "sdp");
    v = first("i", "a(b)@c<d>");
    IS(v.call_id, "a(b)@c<d>");
    v = first("Privacy", "id;user;critical");
    IS(v.token, "id");
    IS(v.params, ";user;critical");
    v = first("Proxy-Authenticate", "Digest realm=\"a, b\" , nonce=\"c\"");
    IS(v.auth.scheme, "Digest");
    assert_null(v.auth.token68.p);
    assert_true(sipws_param_find(v.params, SIPWS_STR("nonce"), &param));
    IS(param.value, "\"c\"");
    v = first("Authorization", "Bearer aGk-._~+/==");
    IS(v.auth.scheme, "Bearer");
    IS(v.auth.token68, "aGk-._~+/==");
    assert_null(v.params.p);
    v = first("Identity", "aa..bb;info=<https://c.example/a;b>;alg=ES256");
    IS(v.identity, "aa..bb");
    assert_true(sipws_param_find(v.params, SIPWS_STR("alg"), &param));
    IS(param.value, "ES256");
    v = first("Alert-Info", "<http://a.example/r?x=1,2> ;a=b");
    assert_int_equal(v.kind, SIPWS_K_URI);
    IS(v.uri.text, "http://a.example/r?x=1,2");
    IS(v.text, "<http://a.example/r?x=1,2> ;a=b");
    v = first("Subject", "");
    assert_int_equal(v.kind, SIPWS_K_TEXT);
    assert_int_equal(v.text.n, 0);
}

/* ---- lists, limits, leniencies --------------------------------------------------------------- */

static enum sipws_err err_of(const char *field, struct sipws_str value, uint32_t allow,
                             unsigned *count)
{
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(value, &diag);
    enum sipws_field_id id = sipws_field_find(str(field));
    c.allow = allow;
    *count = 0;
    for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v))
        ++*count;
    assert_true(diag.err != SIPWS_OK || c.p == c.end);
    return diag.err;
}

static void empty_elements_by_leave(void **state)
{
    (void)state;
    unsigned n;
    static const char *const lists[] = {"<sip:a.example>,", ",<sip:a.example>",
                                        ", ,<sip:a.example>", "<sip:a.example>,,",
                                        "<sip:a.example> , , "};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        assert_int_equal(err_of("Route", str(lists[i]), 0, &n), SIPWS_E_LIST_ELEMENT);
        assert_int_equal(err_of("Route", str(lists[i]), SIPWS_ALLOW_EMPTY_ELEMENT, &n), SIPWS_OK);
        assert_int_equal(n, 1);
    }
    assert_int_equal(err_of("Route", str(","), SIPWS_ALLOW_EMPTY_ELEMENT, &n),
                     SIPWS_E_LIST_ELEMENT);
    assert_int_equal(err_of("k", str(",,"), SIPWS_ALLOW_EMPTY_ELEMENT, &n), SIPWS_OK);
    assert_int_equal(n, 0);
    assert_int_equal(err_of("k", str(""), 0, &n), SIPWS_OK);
    assert_int_equal(n, 0);
}

static void trailing_white_space_by_leave(void **state)
{
    (void)state;
    unsigned n;
    static const char *const values[] = {"60 ", "60\t ", "60\r\n "};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_int_equal(err_of("Expires", str(values[i]), 0, &n), SIPWS_E_LWS);
        assert_int_equal(err_of("Expires", str(values[i]), SIPWS_ALLOW_TRAILING_WSP, &n), SIPWS_OK);
    }
}

static void folds_on_bare_lf_by_leave(void **state)
{
    (void)state;
    unsigned n;
    assert_int_equal(err_of("CSeq", str("1\n ACK"), 0, &n), SIPWS_E_LWS);
    assert_int_equal(err_of("CSeq", str("1\n ACK"), SIPWS_ALLOW_BARE_LF, &n), SIPWS_OK);
    assert_int_equal(err_of("CSeq", str("1 \r\n ACK"), 0, &n), SIPWS_E_LWS);
    assert_int_equal(err_of("CSeq", str("1 \r\n ACK"), SIPWS_ALLOW_TRAILING_WSP, &n), SIPWS_OK);
}

static void parameters_are_limited(void **state)
{
    (void)state;
    char value[2048];
    unsigned n;
    for (int count = SIPWS_MAX_PARAMS; count <= SIPWS_MAX_PARAMS + 1; count++) {
        struct sipws_out o = sipws_out(value, sizeof value);
        sipws_put_lit(&o, "active");
        for (int i = 0; i < count; i++) {
            sipws_put_lit(&o, ";p");
            sipws_put_uint(&o, (uint64_t)i);
        }
        assert_int_equal(err_of("Subscription-State", sipws_out_str(&o), 0, &n),
                         count == SIPWS_MAX_PARAMS ? SIPWS_OK : SIPWS_E_LIMIT_PARAMS);
    }
}

static void comments_nest_to_a_limit(void **state)
{
    (void)state;
    char value[64];
    unsigned n;
    for (int depth = SIPWS_MAX_COMMENT_DEPTH; depth <= SIPWS_MAX_COMMENT_DEPTH + 1; depth++) {
        struct sipws_out o = sipws_out(value, sizeof value);
        for (int i = 0; i < depth; i++)
            sipws_put_char(&o, '(');
        for (int i = 0; i < depth; i++)
            sipws_put_char(&o, ')');
        assert_int_equal(err_of("Server", sipws_out_str(&o), 0, &n),
                         depth == SIPWS_MAX_COMMENT_DEPTH ? SIPWS_OK : SIPWS_E_LIMIT_COMMENT);
    }
}

/* Where a list is longer by ten, so is the walk over it: the reads are counted, not the time. */
static void long_lists_are_walked_once(void **state)
{
    (void)state;
    enum { ELEMENTS = 10000 };
    static const char element[] = "SIP/2.0/WS a.example;branch=z9hG4bK1";
    size_t cap = ELEMENTS * sizeof element + 8;
    char *p = malloc(cap);
    assert_non_null(p);
    struct sipws_out o = sipws_out(p, cap);
    for (int i = 0; i < ELEMENTS; i++) {
        if (i > 0)
            sipws_put_char(&o, ',');
        sipws_put_lit(&o, "SIP/2.0/WS a.example;branch=z9hG4bK1");
    }
    assert_true(sipws_out_ok(&o));
    struct sipws_diag diag;
    struct sipws_cur c = sipws_cur(sipws_out_str(&o), &diag);
    struct sipws_value v;
    unsigned n = 0;
    for (bool more = sipws_value_first(&c, SIPWS_F_VIA, &v); more;
         more = sipws_value_next(&c, SIPWS_F_VIA, &v)) {
        assert_int_equal(v.text.n, sizeof element - 1); /* no element looked beyond its own */
        assert_ptr_equal(v.text.p, p + n * sizeof element);
        n++;
    }
    assert_int_equal(diag.err, SIPWS_OK);
    assert_int_equal(n, ELEMENTS);
    free(p);
}

/* Without a diag, and with a first octet that is not the base, nothing changes. */
static void offsets_count_from_the_base(void **state)
{
    (void)state;
    static const char message[] = "xxxxExpires: 6x";
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur_in(message, message + 13, message + 15, &diag, 0);
    assert_false(sipws_value_first(&c, SIPWS_F_EXPIRES, &v));
    assert_int_equal(diag.err, SIPWS_E_SURPLUS);
    assert_int_equal(diag.off, 14);
    assert_string_equal(diag.rfc, "3261 20.19");
    assert_ptr_equal(c.p, message + 13);
    c.diag = NULL;
    assert_false(sipws_value_first(&c, SIPWS_F_EXPIRES, &v));
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < SIPWS_KIND_COUNT; kind++) {
        assert_true(strlen(sipws_kind_name((enum sipws_kind)kind)) > 0);
        for (int other = 0; other < kind; other++)
            assert_string_not_equal(sipws_kind_name((enum sipws_kind)kind),
                                    sipws_kind_name((enum sipws_kind)other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_right),
        cmocka_unit_test(every_field_has_both_verdicts),
        cmocka_unit_test(canonical_forms_are_fixpoints),
        cmocka_unit_test(names_are_found_in_any_case),
        cmocka_unit_test(no_other_name_is_known),
        cmocka_unit_test(values_are_taken_apart),
        cmocka_unit_test(empty_elements_by_leave),
        cmocka_unit_test(trailing_white_space_by_leave),
        cmocka_unit_test(folds_on_bare_lf_by_leave),
        cmocka_unit_test(parameters_are_limited),
        cmocka_unit_test(comments_nest_to_a_limit),
        cmocka_unit_test(long_lists_are_walked_once),
        cmocka_unit_test(offsets_count_from_the_base),
        cmocka_unit_test(every_kind_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
