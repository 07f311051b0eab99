/* URIs and hosts: what the grammar takes and what it refuses, where; equality.
 *
 * In a case that is refused, "|" stands before the octet at which it must be refused; it is taken
 * out before reading. Expectations from RFC 3261 19.1 and 25.1, RFC 5954, RFC 3966. */
#include "uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

struct row {
    const char *text, *canonical; /* canonical NULL: the same */
    enum sipws_err err;
};

#define OK(text)            {text, NULL, SIPWS_OK},
#define AS(text, canonical) {text, canonical, SIPWS_OK},
#define NO(text, err)       {text, NULL, SIPWS_E_##err},

static const struct row whole[] = {
#include "test_uri.def"
};

static const struct row bare[] = {
    OK("sip:a@b.example") OK("sip:a:b@c:1") OK("tel:+15550100") OK("http://a.example/b")
        NO("sip:a|;b", SURPLUS) NO("sip:a|,b", SURPLUS) NO("sip:a|?b=c", ADDR_BARE)
            NO("http://a.example|?q", ADDR_BARE) NO("http://a.example/b|,c", SURPLUS)
                NO("sip:a|;b@c", SURPLUS) NO("x:|;", URI_OCTET) NO("x:|?", URI_OCTET)
                    NO("tel:7042|;phone-context=a.example", URI_TEL)};

static unsigned failures;

static void judge(const struct row *r, enum sipws_uri_place place)
{
    size_t n = strlen(r->text);
    const char *bar = r->err ? strchr(r->text, '|') : NULL;
    size_t mark = bar ? (size_t)(bar - r->text) : SIZE_MAX;
    char *p = malloc(n ? n : 1), printed[256];
    assert_non_null(p);
    assert_int_equal(!bar, r->err == SIPWS_OK);
    memcpy(p, r->text, n);
    if (bar)
        memmove(p + mark, r->text + mark + 1, --n - mark);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, p, n);
    free(p);
    struct sipws_diag d = {SIPWS_OK, 0, "", ""};
    struct sipws_cur c = sipws_cur((struct sipws_str){exact, n}, &d);
    struct sipws_uri uri;
    struct sipws_out o = sipws_out(printed, sizeof printed);
    bool read = sipws_uri(&c, place, &uri);
    if (read)
        sipws_uri_print(&o, &uri);
    else
        assert_ptr_equal(c.p, exact);
    if (read && c.p < c.end)
        sipws_fail(&c, c.p, SIPWS_E_SURPLUS, "end");
    const char *canonical = r->canonical ? r->canonical : r->text;
    bool good = d.err == r->err && (d.err == SIPWS_OK || (d.off == mark && d.rule[0]));
    if (good && r->err == SIPWS_OK)
        good = sipws_str_eq(sipws_out_str(&o), (struct sipws_str){canonical, strlen(canonical)});
    if (!good) {
        failures++;
        print_error("%s\n  wanted %s, got %s at %zu (%s) %.*s\n", r->text,
                    sipws_err_info(r->err)->id, sipws_err_info(d.err)->id, d.off, d.rule, (int)o.n,
                    printed);
    }
    free(exact);
}

static void every_case_is_judged_right(void **state)
{
    (void)state;
    failures = 0;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        judge(&whole[i], SIPWS_URI_WHOLE);
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        judge(&bare[i], SIPWS_URI_BARE);
    print_message("%zu cases\n", sizeof whole / sizeof *whole + sizeof bare / sizeof *bare);
    assert_int_equal(failures, 0);
}

/* ---- equality, RFC 3261 19.1.4 and RFC 5954 4.2 ---------------------------------------------- */

static struct sipws_uri read_uri(const char *text)
{
    struct sipws_diag d;
    struct sipws_uri uri;
    struct sipws_cur c = sipws_cur((struct sipws_str){text, strlen(text)}, &d);
    if (!sipws_uri(&c, SIPWS_URI_WHOLE, &uri) || c.p != c.end)
        fail_msg("%s is no URI", text);
    return uri;
}

static const struct {
    const char *a, *b;
    bool equal;
} pairs[] = {
    /* escapes of unreserved octets, case of host, names and values of parameters */
    {"sip:%6Dia@lab.example;transport=WS", "sip:mia@LaB.eXample;Transport=ws", true},
    {"sip:mia@lab.example", "sip:%6d%69%61@lab.example", true},
    {"sip:a%2Fb@lab.example", "sip:a/b@lab.example", false}, /* "/" is reserved */
    {"sip:a%25b@lab.example", "sip:a%25b@lab.example", true},
    /* parameters in one of them only: ignored, but for five */
    {"sip:mia@lab.example", "sip:mia@lab.example;color=red", true},
    {"sip:mia@lab.example", "sip:mia@lab.example;lr", true},
    {"sip:mia@lab.example;color=red", "sip:mia@lab.example;color=blue", false},
    {"sip:mia@lab.example;color=red", "sip:mia@lab.example;COLOR=RED", true},
    {"sip:mia@lab.example", "sip:mia@lab.example;transport=udp", false},
    {"sip:mia@lab.example", "sip:mia@lab.example;user=ip", false},
    {"sip:mia@lab.example", "sip:mia@lab.example;ttl=1", false},
    {"sip:mia@lab.example", "sip:mia@lab.example;method=INVITE", false},
    {"sip:mia@lab.example", "sip:mia@lab.example;maddr=192.0.2.1", false},
    {"sip:mia@lab.example;%74tl=1", "sip:mia@lab.example", false},
    {"sip:lab.example;a=1;b=2", "sip:lab.example;b=2;a=1", true},
    {"sip:lab.example;a", "sip:lab.example;a=1", false},
    {"sip:lab.example;transport=ws;method=ACK?to=sip:x%40lab.example",
     "sip:lab.example;method=ACK;transport=ws?to=sip:x%40lab.example", true},
    /* headers: never ignored, in any order */
    {"sip:mia@lab.example?a=x%20y&b=z", "sip:mia@lab.example?b=z&a=x%20y", true},
    {"sip:mia@lab.example", "sip:mia@lab.example?a=x", false},
    {"sip:mia@lab.example?a=x", "sip:mia@lab.example?a=y", false},
    {"sip:mia@lab.example?a=1&a=2", "sip:mia@lab.example?a=1&a=2", true},
    {"sip:mia@lab.example?a=1&a=2", "sip:mia@lab.example?a=1", false},
    {"sip:mia@lab.example?a=1&a=1", "sip:mia@lab.example?a=1&a=2", false},
    /* user, password, host, port, scheme */
    {"SIP:MIA@lab.example;transport=udp", "sip:mia@lab.example;transport=UDP", false},
    {"sip:mia@lab.example", "sip:lab.example", false},
    {"sip:mia:@lab.example", "sip:mia@lab.example", false},
    {"sip:mia:p@lab.example", "sip:mia:P@lab.example", false},
    {"sip:mia@lab.example", "sip:mia@lab.example:5060", false},
    {"sip:mia@lab.example:05060", "sip:mia@lab.example:5060", true},
    {"sip:mia@lab.example", "sip:mia@lab.example:6000;transport=tcp", false},
    {"sip:mia@lab.example", "sips:mia@lab.example", false},
    {"sip:mia@phone.lab.example", "sip:mia@192.0.2.4", false},
    {"sip:mia@[::ffff:192.0.2.128]", "sip:mia@[::FFFF:c000:280]", true},
    {"sip:mia@[2001:db8::9:1]", "sip:mia@[2001:db8::9:01]", true},
    {"sip:mia@[0:0:0:0:0:FFFF:192.0.2.52]", "sip:mia@[::ffff:192.0.2.52]", true},
    {"sip:mia@[::1]", "sip:mia@[::2]", false},
    {"sip:mia@[::192.0.2.1]", "sip:mia@192.0.2.1", false},
    {"sip:+1;a=1;b=2@lab.example;user=phone", "sip:+1;b=2;a=1@lab.example;user=phone", false},
    {"sip:+1;EXT=1@lab.example", "sip:+1;ext=1@lab.example", false},
    /* other schemes: the same octets but for the scheme's case */
    {"IM:a@lab.example", "im:a@lab.example", true},
    {"im:a@lab.example", "im:A@lab.example", false},
    {"im:a@lab.example", "pres:a@lab.example", false},
    {"sip:lab.example", "im:lab.example", false},
};

static void equality_is_that_of_19_1_4(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct sipws_uri a = read_uri(pairs[i].a), b = read_uri(pairs[i].b);
        assert_true(sipws_uri_eq(&a, &a));
        assert_true(sipws_uri_eq(&b, &b));
        if (sipws_uri_eq(&a, &b) != pairs[i].equal || sipws_uri_eq(&b, &a) != pairs[i].equal)
            fail_msg("%s and %s must %sbe equal", pairs[i].a, pairs[i].b,
                     pairs[i].equal ? "" : "not ");
    }
}

static void parts_are_told_apart(void **state)
{
    (void)state;
#define IS(slice, text) assert_true(sipws_str_eq(slice, SIPWS_STR(text)))
    struct sipws_uri u = read_uri("sips:a;b:p@[2001:db8::1]:5061;lr;x=%41?h=1&i=");
    assert_int_equal(u.scheme, SIPWS_SCHEME_SIPS);
    IS(u.user, "a;b");
    IS(u.password, "p");
    IS(u.host.text, "[2001:db8::1]");
    assert_int_equal(u.host.kind, SIPWS_HOST_IPV6);
    assert_memory_equal(u.host.addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16);
    assert_int_equal(u.port, 5061);
    IS(u.params, ";lr;x=%41");
    IS(u.headers, "?h=1&i=");
    IS(sipws_uri_param(&u, SIPWS_STR("X")), "%41");
    assert_int_equal(sipws_uri_param(&u, SIPWS_STR("lr")).n, 0);
    assert_non_null(sipws_uri_param(&u, SIPWS_STR("lr")).p);
    assert_null(sipws_uri_param(&u, SIPWS_STR("l")).p);
    u = read_uri("sip:192.0.2.1");
    assert_null(u.user.p);
    assert_null(u.password.p);
    assert_int_equal(u.port, SIPWS_NO_PORT);
    assert_int_equal(u.host.kind, SIPWS_HOST_IPV4);
    assert_memory_equal(u.host.addr, "\xC0\x00\x02\x01", 4);
    u = read_uri("x:a;b?c");
    assert_int_equal(u.scheme, SIPWS_SCHEME_OTHER);
    IS(u.scheme_name, "x");
    IS(u.opaque, "a;b?c");
    assert_null(u.params.p);
}

/* As many parts as there may be, numbered from `from` on or back to it; headers share one name. */
static struct sipws_uri full_uri(char *text, size_t cap, bool headers, bool back, unsigned from)
{
    struct sipws_uri uri;
    struct sipws_out o = sipws_out(text, cap);
    sipws_put(&o, SIPWS_STR("sip:a"));
    for (unsigned i = 0; i < SIPWS_MAX_PARAMS; i++) {
        unsigned part = from + (back ? SIPWS_MAX_PARAMS - 1 - i : i);
        sipws_put(&o, headers ? i ? SIPWS_STR("&h=") : SIPWS_STR("?h=") : SIPWS_STR(";p"));
        sipws_put_uint(&o, part);
        sipws_put(&o, headers ? SIPWS_STR("") : SIPWS_STR("=x"));
        if (!headers)
            sipws_put_uint(&o, part);
    }
    assert_true(sipws_out_ok(&o));
    struct sipws_cur c = sipws_cur(sipws_out_str(&o), NULL);
    assert_true(sipws_uri(&c, SIPWS_URI_WHOLE, &uri));
    return uri;
}

/* Parameters in any order; headers of one name in theirs. A parameter that one URI only has does
 * not count, a header does. */
static void many_parts_are_compared(void **state)
{
    (void)state;
    for (int headers = 0; headers < 2; headers++) {
        char text[4][1024] = {0};
        struct sipws_uri a = full_uri(text[0], sizeof text[0], headers, false, 10);
        struct sipws_uri again = full_uri(text[1], sizeof text[1], headers, false, 10);
        struct sipws_uri back = full_uri(text[2], sizeof text[2], headers, true, 10);
        struct sipws_uri other = full_uri(text[3], sizeof text[3], headers, false, 11);
        assert_true(sipws_uri_eq(&a, &again));
        assert_int_equal(sipws_uri_eq(&a, &back), !headers);
        assert_int_equal(sipws_uri_eq(&back, &a), !headers);
        assert_int_equal(sipws_uri_eq(&a, &other), !headers);
        *strrchr(text[1], '7') = '8'; /* of the last part: the name, or the value */
        assert_int_equal(sipws_uri_eq(&a, &again), false);
    }
}

static void parts_are_limited(void **state)
{
    (void)state;
    static const char *const forms[][2] = {{"sip:a", ";p"}, {"sip:a?x=", "&p="}};
    for (int form = 0; form < 2; form++)
        for (unsigned n = SIPWS_MAX_PARAMS; n <= SIPWS_MAX_PARAMS + 1; n++) {
            char text[1024];
            struct sipws_diag d = {SIPWS_OK, 0, "", ""};
            struct sipws_out o = sipws_out(text, sizeof text);
            sipws_put(&o, (struct sipws_str){forms[form][0], strlen(forms[form][0])});
            for (unsigned i = form ? 1 : 0; i < n; i++) {
                sipws_put(&o, (struct sipws_str){forms[form][1], strlen(forms[form][1])});
                if (!form)
                    sipws_put_uint(&o, i);
            }
            struct sipws_uri uri;
            struct sipws_cur c = sipws_cur(sipws_out_str(&o), &d);
            assert_int_equal(sipws_uri(&c, SIPWS_URI_WHOLE, &uri), n == SIPWS_MAX_PARAMS);
            assert_int_equal(d.err, n == SIPWS_MAX_PARAMS ? SIPWS_OK : SIPWS_E_LIMIT_PARAMS);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_is_judged_right), cmocka_unit_test(equality_is_that_of_19_1_4),
        cmocka_unit_test(parts_are_told_apart),       cmocka_unit_test(many_parts_are_compared),
        cmocka_unit_test(parts_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
