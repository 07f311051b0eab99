/* Every rule of the SIP grammar that ref implements, which is all of it: sentences with the rule in
 * them, how many of them ref takes as the grammar does, and near misses within the rule that both
 * refuse. A rule for which one of the three is missing fails the test. Prints the table.
 */
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { RULES = 600, PIECES = 2000, TEXT = 2000, TAPE = 500, ROUNDS = 30000 };

/* What is anything, or nothing but its borders, cannot be missed. */
static const struct {
    const char *rule, *why;
} free_rules[] = {
    {"OCTET", "any octet"},
    {"message-body", "any octets"},
};

/* What no one draws by chance, for it has rules across its parts: a date of the calendar, and what
 * a response to a challenge must have. The value, and the rules that it is a sentence of. */
static const struct {
    enum sipws_field_id field;
    const char *value, *rules[14];
} by_hand[] = {
    {SIPWS_F_DATE,
     "Tue, 03 Feb 2026 10:20:30 GMT",
     {"Date-field-value", "SIP-date", "rfc1123-date", "wkday", "date1", "month", "time"}},
    {SIPWS_F_AUTHORIZATION,
     "Digest username=\"ann\",realm=\"example.org\",nonce=\"n1\",uri=\"sip:example.org\","
     "response=\"0123456789abcdef0123456789abcdef\",qop=auth,nc=00000001,cnonce=\"c1\",algorithm="
     "MD5,opaque=\"o\"",
     {"digest-response", "dig-resp", "username", "username-value", "digest-uri", "digest-uri-value",
      "dresponse", "request-digest", "message-qop", "nonce-count", "nc-value", "algorithm",
      "opaque"}},
    {SIPWS_F_WWW_AUTHENTICATE,
     "Digest realm=\"example.org\",nonce=\"n1\",stale=true,qop=\"auth,auth-int\","
     "domain=\"sip:example.org /any\"",
     {"challenge", "digest-cln", "stale", "qop-options", "domain", "URI", "abs-path"}},
};

static struct count {
    unsigned made, accepted, permitted, refused;
} counts[RULES];

static uint64_t rng = 7;

static void random_octets(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)(rng >> 56);
    }
}

static bool is_free(struct sipws_str name)
{
    for (size_t i = 0; i < sizeof free_rules / sizeof *free_rules; i++)
        if (sipws_str_eq(name, (struct sipws_str){free_rules[i].rule, strlen(free_rules[i].rule)}))
            return true;
    return false;
}

static void disagree(const struct oracle_start *start, struct sipws_str text,
                     const struct oracle_answer *a)
{
    struct sipws_str name = abnf_rule_name(oracle_grammar(), start->rule);
    fail_msg("%.*s, \"%.*s\": the grammar %s, ref %s", (int)name.n, name.p, (int)text.n, text.p,
             a->grammar == ABNF_ACCEPTED ? "accepts" : "refuses", a->ref ? "accepts" : "refuses");
}

/* One octet within the piece deleted, put in, or replaced, so that both refuse. */
static void near_miss(const struct oracle_start *start, struct sipws_str text,
                      const struct abnf_piece *piece)
{
    static const char odd[] = "a0;,:=<>\"\\@?&%()[] \t\r\n\x01\x7F\x80\xC3\xFF{|/.-*+~#^G";
    unsigned char r[3];
    char bent[TEXT + 1];
    random_octets(r, sizeof r);
    size_t len = piece->to - piece->from, at = piece->from + (len ? r[0] % len : 0), n = text.n;
    memcpy(bent, text.p, n);
    unsigned how = len ? r[1] % 3 : 1;
    if (how == 0) {
        memmove(bent + at, bent + at + 1, n - at - 1);
        n--;
    } else if (how == 1) {
        memmove(bent + at + 1, bent + at, n - at);
        n++;
    }
    if (how > 0)
        bent[at] = odd[r[2] % (sizeof odd - 1)];
    struct sipws_str s = {bent, n};
    struct oracle_answer a;
    oracle_ask(start, s, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return;
    if (a.grammar == ABNF_REFUSED && a.ref)
        disagree(start, s, &a);
    if (a.grammar == ABNF_ACCEPTED && !a.ref && a.permitted < 0)
        disagree(start, s, &a);
    counts[piece->rule].refused += a.grammar == ABNF_REFUSED && !a.ref;
}

static void sentence(const struct oracle_start *start)
{
    static struct abnf_piece pieces[PIECES];
    unsigned char octets[TAPE];
    char text[TEXT];
    struct abnf_trace trace = {pieces, PIECES, 0};
    struct oracle_answer a;
    random_octets(octets, sizeof octets);
    struct tape t = tape(octets, sizeof octets, NULL, 0);
    struct sipws_out o = sipws_out(text, sizeof text);
    size_t max = start->kind == ORACLE_WHOLE ? ORACLE_MESSAGE : ORACLE_VALUE;
    assert_true(abnf_generate(oracle_grammar(), start->rule, &t, 80, &o, NULL, &trace));
    if (!sipws_out_ok(&o) || o.n > max)
        return;
    oracle_ask(start, sipws_out_str(&o), &a);
    if (a.grammar == ABNF_UNDECIDED)
        return;
    if (a.grammar != ABNF_ACCEPTED || (!a.ref && a.permitted < 0))
        disagree(start, sipws_out_str(&o), &a);
    for (size_t i = 0; i < trace.n; i++) {
        struct count *c = &counts[pieces[i].rule];
        c->made++;
        c->accepted += a.ref;
        c->permitted += !a.ref;
        /* Of rules that come up often, a few. */
        if (o.n < max && c->refused < 50 &&
            !is_free(abnf_rule_name(oracle_grammar(), pieces[i].rule)))
            near_miss(start, sipws_out_str(&o), &pieces[i]);
    }
}

static bool reached(int rule)
{
    int start = oracle_message().rule;
    return rule == start || abnf_reaches(oracle_grammar(), start, rule);
}

static void written_by_hand(void)
{
    for (size_t i = 0; i < sizeof by_hand / sizeof *by_hand; i++) {
        struct oracle_start start = oracle_value(by_hand[i].field);
        struct sipws_str value = {by_hand[i].value, strlen(by_hand[i].value)};
        struct oracle_answer a;
        oracle_ask(&start, value, &a);
        if (a.grammar != ABNF_ACCEPTED || !a.ref)
            disagree(&start, value, &a);
        for (int k = 0; k < 14 && by_hand[i].rules[k]; k++) {
            int rule = abnf_rule(oracle_grammar(), by_hand[i].rules[k]);
            assert_true(rule >= 0 &&
                        (rule == start.rule || abnf_reaches(oracle_grammar(), start.rule, rule)));
            counts[rule].accepted++;
        }
    }
}

static void every_rule(void **state)
{
    const struct abnf *g = oracle_grammar();
    static bool wanted[RULES];
    int n = abnf_rules(g), missing = 0, all = 0;
    (void)state;
    assert_true(n <= RULES);
    written_by_hand();
    for (int i = 0; i < n; i++)
        all += wanted[i] = reached(i);
    struct oracle_start message = oracle_message();
    for (int round = 0; round < ROUNDS; round++) {
        struct oracle_start start =
            round % 8 == 0 ? message
            : round % 8 == 1
                ? oracle_part((unsigned)round / 8 % oracle_parts())
                : oracle_value((enum sipws_field_id)((unsigned)round % SIPWS_FIELD_COUNT));
        assert_true(start.rule >= 0);
        sentence(&start);
    }
    print_message("%-32s %9s %9s %9s %9s\n", "rule", "sentences", "accepted", "permitted",
                  "refused");
    for (int i = 0; i < n; i++) {
        struct sipws_str name = abnf_rule_name(g, i);
        const struct count *c = &counts[i];
        if (!wanted[i])
            continue;
        bool good = c->made && c->accepted && (c->refused || is_free(name));
        missing += !good;
        print_message("%-32.*s %9u %9u %9u %9u%s\n", (int)name.n, name.p, c->made, c->accepted,
                      c->permitted, c->refused, good ? "" : "  MISSING");
    }
    print_message("%d rules\n", all);
    assert_int_equal(missing, 0);
    assert_true(all > 250);
}

/* Nothing in ref's tables is missing in the grammar, and the other way round. */
static void every_field(void **state)
{
    const struct abnf *g = oracle_grammar();
    int values = 0;
    (void)state;
    for (int id = SIPWS_F_EXTENSION; id < SIPWS_FIELD_COUNT; id++) {
        struct oracle_start start = oracle_value((enum sipws_field_id)id);
        if (start.rule < 0)
            fail_msg("the grammar has no rule for %s",
                     sipws_field_info((enum sipws_field_id)id)->name);
        assert_true(reached(start.rule));
    }
    for (int i = 0; i < abnf_rules(g); i++) {
        struct sipws_str name = abnf_rule_name(g, i);
        static const char tail[] = "-field-value";
        size_t n = sizeof tail - 1;
        if (name.n <= n || memcmp(name.p + name.n - n, tail, n) != 0)
            continue;
        values++;
        if (sipws_field_find((struct sipws_str){name.p, name.n - n}) == SIPWS_F_EXTENSION)
            fail_msg("ref does not know the field of %.*s", (int)name.n, name.p);
    }
    assert_int_equal(values, SIPWS_FIELD_COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_field), cmocka_unit_test(every_rule)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
