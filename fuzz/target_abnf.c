/* abnf: the engine that judges ref, on any grammar and any string.
 *
 * The input is a grammar, an octet 0, and octets that are used three times: as a string, as a tape
 * that generates a sentence, and its first octet to choose the rule (counted back from the last
 * one).
 *
 * Holds:
 * - a grammar that is refused has a line and a reason;
 * - a verdict does not depend on what was matched before or on how much room the matcher has;
 * - where a refusal is certain, it lies within the string, and nothing that begins with the octets
 *   up to there is a sentence;
 * - what is generated is no longer than it was measured, is a sentence, and is generated again
 *   from the same tape.
 */
#include "depth.h"
#include "abnf.h"

#include <stdio.h>
#include <stdlib.h>

enum { GRAMMAR_READ, SENTENCE_READ }; /* layers */

enum { GRAMMAR = 1024, TEXT = 96, SENTENCE = 40, WORK = 100000 };

static void die(const char *what)
{
    fprintf(stderr, "abnf: %s\n", what);
    abort();
}

static struct abnf_matcher *matcher(const struct abnf *g, size_t max)
{
    struct abnf_matcher *m = abnf_matcher_new(g, max);
    if (!m)
        die("out of memory");
    abnf_matcher_bound(m, WORK);
    return m;
}

static void check_match(const struct abnf *g, struct abnf_matcher *m, int rule, struct sipws_str s)
{
    size_t far = SIZE_MAX, again = SIZE_MAX;
    enum abnf_verdict v = abnf_match(m, rule, s, &far);
    if (v == ABNF_ACCEPTED)
        fuzz_past(SENTENCE_READ);
    (void)abnf_match(m, 0, s, NULL);
    if (abnf_match(m, rule, s, &again) != v || again != far)
        die("another verdict the second time");
    struct abnf_matcher *exact = matcher(g, s.n);
    if (abnf_match(exact, rule, s, &again) != v || again != far)
        die("another verdict with less room");
    abnf_matcher_free(exact);
    if (v != ABNF_REFUSED)
        return;
    if (far > s.n)
        die("refused behind its end");
    /* The string up to there, with its own start behind it. */
    char other[2 * TEXT];
    if (far == s.n)
        return;
    memcpy(other, s.p, far + 1);
    memcpy(other + far + 1, s.p, s.n - far);
    struct sipws_str t = {other, s.n + 1 < TEXT ? s.n + 1 : TEXT};
    if (abnf_match(m, rule, t, &again) == ABNF_ACCEPTED)
        die("a refusal was said to be certain and is not");
}

static void check_generate(const struct abnf *g, struct abnf_matcher *m, int rule,
                           struct sipws_str octets)
{
    char one[4096], two[4096];
    for (int k = 0; k < 2; k++) {
        struct tape t = tape((const unsigned char *)octets.p, octets.n, NULL, 0), u = t;
        struct sipws_out o = sipws_out(one, sizeof one), p = sipws_out(two, sizeof two);
        bool made = abnf_generate(g, rule, &t, SENTENCE, &o, NULL, NULL);
        if (abnf_generate(g, rule, &u, SENTENCE, &p, NULL, NULL) != made || o.n != p.n ||
            t.at != u.at)
            die("the same tape generates something else");
        if (!made || !sipws_out_ok(&o))
            return;
        if (memcmp(one, two, o.n) != 0)
            die("the same tape generates something else");
        if (abnf_match(m, rule, sipws_out_str(&o), NULL) == ABNF_REFUSED)
            die("what is generated is refused");
        octets.n = 0; /* the shortest way */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t none[1];
    static const char *const layers[] = {"grammar", "sentence", NULL};
    fuzz_begin(layers, &size);
    char error[200] = "";
    const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
    size_t grammar_n = nul ? (size_t)(nul - data) : size;
    struct sipws_str s = {(const char *)(nul ? nul + 1 : none), nul ? size - grammar_n - 1 : 0};
    if (grammar_n > GRAMMAR || s.n > TEXT)
        return 0;
    struct abnf *g =
        abnf_load((struct sipws_str){(const char *)data, grammar_n}, NULL, error, sizeof error);
    if (!g) {
        if (strncmp(error, "line ", 5) != 0 || !strchr(error, ':'))
            die("a grammar is refused without a reason");
        return 0;
    }
    fuzz_past(GRAMMAR_READ);
    int rules = abnf_rules(g);
    int rule = rules - 1 - (s.n ? (unsigned char)s.p[0] % rules : 0);
    if (!abnf_reaches(g, rule, rule) || abnf_rule_name(g, rule).n == 0)
        die("a rule that does not reach itself, or has no name");
    struct abnf_matcher *m = matcher(g, TEXT);
    check_match(g, m, rule, s);
    check_generate(g, m, rule, s);
    abnf_matcher_free(m);
    abnf_free(g);
    return 0;
}
