/* The ABNF engine against answers that were found by hand: what it reads as a grammar, what it
 * recognises, where a refusal is certain, what it generates; and the grammar of SIP: all of it is
 * used, and all of it is generated. */
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { ERROR_MAX = 200 };

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

/* Without its last octet a grammar ends where memory does. */
static struct abnf *load(const char *text, const struct abnf_prose *prose, char *error)
{
    size_t n = strlen(text);
    char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, text, n);
    struct abnf *g = abnf_load((struct sipws_str){exact, n}, prose, error, ERROR_MAX);
    free(exact);
    return g;
}

/* ---- prose ----------------------------------------------------------------------------------- */

/* As many a as b behind them: no ABNF says that. */
static bool is_balanced(struct sipws_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != (i < s.n / 2 ? 'a' : 'b'))
            return false;
    return s.n % 2 == 0 && s.n > 0;
}

static void make_balanced(struct tape *t, struct sipws_out *o)
{
    int n = 1;
    while (n < 5 && tape_more(t, 2))
        n++;
    for (int i = 0; i < 2 * n; i++)
        sipws_put_char(o, i < n ? 'a' : 'b');
}

static bool is_anything(struct sipws_str s)
{
    (void)s;
    return true;
}

static const struct abnf_prose bound[] = {{"as many a as b", is_balanced, make_balanced},
                                          {"anything", is_anything, NULL},
                                          {NULL, NULL, NULL}};

/* ---- grammars that are none ------------------------------------------------------------------ */

static const struct {
    const char *text, *error;
} no_grammars[] = {
    {"r = s\n", "line 1: s is used and not defined"},
    {"r = \"a\"\nr = \"b\"\n", "line 2: a rule is defined twice"},
    {"r = \"a\"\nR = \"b\"\n", "line 2: a rule is defined twice"},
    {"DIGIT = %x30-39\n", "line 1: a rule is defined twice"},
    {"r =/ \"a\"\n", "line 1: =/ adds to a rule that is not there yet"},
    {"r = r \"a\" / \"a\"\n", "r is left-recursive"},
    {"r = [\"x\"] r \"a\" / \"a\"\n", "r is left-recursive"},
    {"r = *s r / \"a\"\ns = \"b\"\n", "r is left-recursive"},
    {"r = s \"a\" / \"c\"\ns = t \"b\" / \"d\"\nt = r / \"e\"\n", "r is left-recursive"},
    {"r = *r\n", "r is left-recursive"},
    {"r = \"\" r / \"a\"\n", "r is left-recursive"},
    {"r = 0\"x\" r / \"a\"\n", "r is left-recursive"},
    {"r = \"a\" r\n", "r has no finite sentence"},
    {"r = \"a\" s\ns = \"b\" r\n", "has no finite sentence"},
    {"r = 1*(\"a\" r)\n", "r has no finite sentence"},
    {"r = <nobody knows>\n", "line 1: a prose value that nothing is bound to"},
    {"r = <as many a as b \n", "line 1: a prose value without end"},
    {"r = \"a\n", "line 1: an octet that may not stand in a quoted string"},
    {"r = \"a", "line 1: a quoted string without end"},
    {"r = \"\t\"\n", "line 1: an octet that may not stand in a quoted string"},
    {"r = (\"a\" / \"b\"\n", "line 1: a group or option without end"},
    {"r = [\"a\")\n", "line 1: a group or option without end"},
    {"r = \"a\")\n", "line 1: what follows the rule does not belong to it"},
    {"r = \n", "line 1: an element is missing"},
    {"r = \"a\" /\n", "line 1: an element is missing"},
    {"r = *\n", "line 1: an element is missing"},
    {"r = 2\n", "line 1: an element is missing"},
    {"r = / \"a\"\n", "line 1: an element is missing"},
    {"r = ()\n", "line 1: an element is missing"},
    {"r \"a\"\n", "line 1: = is missing behind the rule name"},
    {"\n\n1r = \"a\"\n", "line 3: a rule name is missing"},
    {"r = \"a\"\n\n  \"b\"\n", "line 3: a rule name is missing"},
    {"r = 3*2\"a\"\n", "line 1: a repetition of at least more than at most"},
    {"r = 99999999\"a\"\n", "line 1: a repetition above"},
    {"r = %y41\n", "line 1: % without x, d, b, s or i"},
    {"r = %\n", "line 1: % without x, d, b, s or i"},
    {"r = %x\n", "line 1: digits are missing"},
    {"r = %x41-\n", "line 1: digits are missing"},
    {"r = %x41.\n", "line 1: digits are missing"},
    {"r = %b2\n", "line 1: digits are missing"},
    {"r = %d256\n", "line 1: a number above 255"},
    {"r = %x100\n", "line 1: a number above 255"},
    {"r = %x5A-41\n", "line 1: a range that ends before it starts"},
    {"r = \"a\" ; one\n\t\"b\"\ns = %q\n", "line 3: % without"},
};

static void refused_grammars(void **state)
{
    char error[ERROR_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof no_grammars / sizeof *no_grammars; i++) {
        struct abnf *g = load(no_grammars[i].text, bound, error);
        if (g || !strstr(error, no_grammars[i].error)) {
            print_error("%s: %s, not \"%s\"\n", no_grammars[i].text, g ? "taken" : error,
                        no_grammars[i].error);
            fail();
        }
    }
    /* Nesting is bounded, so that reading is. */
    char deep[400];
    for (int depth = 100; depth <= 101; depth++) {
        size_t n = (size_t)snprintf(deep, sizeof deep, "r = ");
        for (int i = 0; i < depth; i++)
            deep[n++] = '(';
        deep[n++] = '"';
        deep[n++] = 'a';
        deep[n++] = '"';
        for (int i = 0; i < depth; i++)
            deep[n++] = ')';
        deep[n] = '\0';
        struct abnf *g = load(deep, NULL, error);
        assert_int_equal(g != NULL, depth <= 100);
        abnf_free(g);
    }
}

/* ---- what is recognised ---------------------------------------------------------------------- */

/* "|" in a string that is refused stands before the octet at which that is certain, and does not
 * belong to it. */
struct row {
    const char *grammar; /* NULL: that of the row before; its first rule is meant */
    bool yes;
    const char *text;
    size_t n;
};

#define YES(text) {NULL, true, text, sizeof(text) - 1},
#define NO(text)  {NULL, false, text, sizeof(text) - 1},
#define G(text)   {text, false, NULL, 0},

static const struct row rows[] = {
    /* Concatenation, alternatives, and how strongly they bind (RFC 5234 3.10). */
    G("r = \"a\" \"b\" / \"c\"\n") YES("ab") YES("c") NO("a|c") NO("|b") NO("a|") NO("|") NO("ab|c")
        G("r = \"a\" (\"b\" / \"c\")\n") YES("ab") YES("ac") NO("|c") NO("a|a")
    /* A longest match that must be given back. */
    G("r = *\"a\" \"a\"\n") YES("a") YES("aaaa") NO("|") NO("aa|b")
        G("r = *(\"a\" / \"b\") \"abb\"\n") YES("abb") YES("ababbabb") NO("abba|")
            G("r = [\"a\"] \"a\" [\"a\"] \"b\"\n") YES("ab") YES("aab") YES("aaab") NO("aaa|ab")
                G("r = (\"a\" / \"ab\") (\"c\" / \"bcd\")\n") YES("ac") YES("abc") YES("abcd")
                    NO("abc|c")
    /* Ambiguous in many ways, with one answer. */
    G("r = *(\"a\" / \"aa\" / \"aaa\") \"b\"\n") YES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab")
        NO("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|c") G("r = s s s\ns = *\"a\" *\"b\"\n") YES("")
            YES("ababab") YES("bbb") NO("ababab|a")
    /* Repetitions of what may be nothing come to an end. */
    G("r = *(*\"a\")\n") YES("") YES("aaa") NO("a|b") G("r = *([\"a\"] [\"b\"]) \"c\"\n") YES("c")
        YES("abbac") NO("ab|d") G("r = 3([\"a\"])\n") YES("") YES("aa") YES("aaa") NO("aaa|a")
            G("r = 2*3(*\"a\" \"b\")\n") YES("bb") YES("aabab") YES("bbb") NO("b|") NO("bbb|b")
                NO("ba|") G("r = *(*(*(*\"x\")))\n") YES("xxxx") NO("|y") G("r = *\"\"\n") YES("")
                    NO("|a")
    /* Bounds. */
    G("r = 2\"a\"\n") YES("aa") NO("a|") NO("aa|a") G("r = 2*\"a\"\n") YES("aa") YES("aaaaa")
        NO("a|") NO("aa|b") G("r = *2\"a\"\n") YES("") YES("aa") NO("aa|a") G("r = 1*2\"ab\"\n")
            YES("ab") YES("abab") NO("aba|") NO("abab|a") G("r = 0\"a\" \"b\"\n") YES("b") NO("|ab")
                G("r = *0\"a\"\n") YES("") NO("|a") G("r = 0*1(2*2(\"a\"))\n") YES("") YES("aa")
                    NO("a|") NO("aa|a") G("r = 2*3(1*2\"a\") \"b\"\n") YES("aab") YES("aaaaaab")
                        NO("a|b") NO("aaaaaa|ab") G("r = *1(\"a\" / \"b\") 5*5DIGIT\n") YES("12345")
                            YES("a12345") NO("1234|a") NO("12345|6")
                                G("r = 40*40(\"a\" / \"aa\")\n")
                                    YES("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
                                        NO("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|")
    /* Options within options. */
    G("r = [\"a\" [\"b\" [\"c\"]]]\n") YES("") YES("a") YES("ab") YES("abc") NO("|b") NO("ab|b")
        G("r = [[[\"a\"]]] [\"b\"]\n") YES("") YES("ab") NO("b|a")
    /* Case (RFC 5234 2.3, RFC 7405). */
    G("r = \"aB1-\"\n") YES("aB1-") YES("Ab1-") NO("ab1|_") G("r = %s\"aB\"\n") YES("aB") NO("|AB")
        NO("a|b") G("r = %i\"aB\" %S\"c\" %I\"d\"\n") YES("ABcD") NO("AB|C")
            G("r = %x61 %d98 %b1100011\n") YES("abc") NO("|Abc") NO("a|B") G("r = \"{[@`\"\n")
                YES("{[@`") NO("|[[@`") NO("{|{@`") NO("{[|`") G("r = RULE-1\nrule-1 = \"a\"\n")
                    YES("A")
    /* Ranges and sequences of numbers. */
    G("r = %x41-5A\n") YES("A") YES("Z") NO("|@") NO("|[") NO("|a") G("r = %x00-1F\n") YES("\0")
        YES("\x1F") NO("|\x20") G("r = %x80-FF\n") YES("\x80") YES("\xFF") NO("|\x7F")
            G("r = %x0D.0A\n") YES("\r\n") NO("\r|") NO("|\n") NO("\r|\r") G("r = %d13.10.13\n")
                YES("\r\n\r") NO("\r\n|") G("r = %x41-41\n") YES("A") NO("|B") G("r = %xff.00\n")
                    YES("\xFF\0") G("r = %b0-1 1*BIT\n") YES("\0"
                                                             "01") NO("\0|"
                                                                      "2")
    /* Incremental alternatives. */
    G("r = \"a\"\nr =/ \"b\" \"c\"\nr=/\"d\"\n") YES("a") YES("bc") YES("d") NO("b|d") NO("|c")
        G("r = s\ns = \"a\"\nS =/ \"b\" s\n") YES("a") YES("bba") NO("b|")
    /* Comments, white space, lines. */
    G("; first\n\nr = \"a\" ; not \"b\"\n ; nor \"c\"\n   \"d\" ; end\n\n; last") YES("ad")
        NO("a|b") G("r = \"a\"\r\n  / \"b\"\r\n\r\ns = r\r\n") YES("b") NO("|c")
            G("r=\"a\"\"b\"*\"c\"[\"d\"](\"e\")") YES("abe") YES("abccde") NO("abd|") NO("ab|f")
                G("r\n =\n \"a\"\n /\n \"b\"\n") YES("a") YES("b")
                    G("r = (\n  \"a\" ; one\n  / \"b\"\n  )\n") YES("b") G("r = \"; no comment\"\n")
                        YES("; no comment") G("r = \"\"\n") YES("") NO("|a")
    /* Rules within themselves. */
    G("r = \"(\" *r \")\"\n") YES("()") YES("(()(()))") NO("(()|") NO("()|)") NO("(|a)")
        G("r = \"a\" r \"b\" / \"\"\n") YES("") YES("aaabbb") NO("aaabb|") NO("aabb|b") NO("aab|a")
            G("r = \"a\" [r]\n") YES("aaaa") NO("aa|b")
                G("r = \"a\" r \"a\" / \"b\" r \"b\" / \"c\"\n") YES("abacaba") NO("abac|b")
                    NO("abacab|") G("r = DIGIT / \"(\" r (\"+\" / \"*\") r \")\"\n")
                        YES("(1+(2*3))") NO("(1+|+2)") NO("(1+2|")
                            G("r = \"i\" r [\"e\" r] / \"s\"\n") YES("iises") YES("iis")
                                NO("ii|ese") NO("iise|") NO("iiseses|e")
    /* Core rules. */
    G("r = ALPHA DIGIT HEXDIG SP HTAB WSP VCHAR\n") YES("z0f \t ~") YES("Z9A \t\t!") NO("z0|g")
        G("r = CR LF / CRLF CTL DQUOTE CHAR OCTET\n") YES("\r\n") YES("\r\n\x7F\"\x01\xFF")
            NO("\r\n|a") G("r = OCTET\n") YES("\0") YES("\xFF") NO("\0|\0") NO("|")
    /* Prose. */
    G("r = \"x\" <as many a as b> \"b\"\n") YES("xaabbb") NO("xaabb|") NO("x|")
        G("r = <anything> \"!\"\n") YES("!") YES("a\r\n\0!") NO("ab|")
    /* The octets before a refusal begin some sentence, even where one alternative went on longer.
     */
    G("r = \"abcd\" / \"ab\" \"x\"\n") YES("abx") NO("abc|x") NO("ab|y")
        G("r = 1*DIGIT \".\" 1*DIGIT / 1*HEXDIG\n") YES("12.5") YES("12a") NO("12a|.") NO("12.|")
            G("r = *(\"ab\" / \"cd\")\n") YES("abcdab") NO("abc|") NO("ab|b")};

static void cut_mark(const struct row *row, char *out, size_t *n, size_t *mark)
{
    *n = row->n;
    *mark = SIZE_MAX;
    memcpy(out, row->text, row->n);
    const char *at = row->yes ? NULL : memchr(row->text, '|', row->n);
    if (at) {
        *mark = (size_t)(at - row->text);
        memmove(out + *mark, out + *mark + 1, row->n - *mark - 1);
        --*n;
    }
}

static void recognised(void **state)
{
    struct abnf *g = NULL;
    struct abnf_matcher *m = NULL;
    const char *text = NULL;
    char error[ERROR_MAX], input[128];
    int rule = -1, grammars = 0, strings = 0, wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].grammar) {
            abnf_matcher_free(m);
            abnf_free(g);
            text = rows[i].grammar;
            g = load(text, bound, error);
            if (!g)
                fail_msg("%s: %s", text, error);
            m = abnf_matcher_new(g, 127);
            assert_non_null(m);
            rule = abnf_rule(g, "r");
            assert_true(rule >= 0);
            grammars++;
            continue;
        }
        size_t n, mark, far = SIZE_MAX;
        cut_mark(&rows[i], input, &n, &mark);
        enum abnf_verdict want = rows[i].yes ? ABNF_ACCEPTED : ABNF_REFUSED;
        enum abnf_verdict got = abnf_match(m, rule, (struct sipws_str){input, n}, &far);
        strings++;
        if (got != want || (!rows[i].yes && far != mark)) {
            print_error("%s\"%.*s\": verdict %d at %zu\n", text, (int)rows[i].n, rows[i].text, got,
                        far);
            wrong++;
        }
        /* Nothing stays from one call to the next, and `far` may be missing. */
        if (abnf_match(m, rule, (struct sipws_str){input, n}, NULL) != got)
            wrong++;
        /* An error far behind the input that was judged cannot matter. */
        struct abnf_matcher *exact = abnf_matcher_new(g, n);
        assert_non_null(exact);
        if (abnf_match(exact, rule, (struct sipws_str){n ? input : NULL, n}, NULL) != got)
            wrong++;
        abnf_matcher_free(exact);
    }
    abnf_matcher_free(m);
    abnf_free(g);
    assert_int_equal(wrong, 0);
    print_message("%d grammars, %d strings\n", grammars, strings);
    assert_true(grammars >= 60 && strings >= 150);
}

/* Every place at which a word of some length is refused, against all words up to that length: far
 * is the length of the longest start that some sentence has too. */
static void far_by_enumeration(void **state)
{
    static const char *const grammars[] = {
        "r = *(\"ab\" / \"a\" \"c\") \"b\"\n",
        "r = \"a\" r \"b\" / \"c\" / \"\"\n",
        "r = [\"a\"] *2(\"b\" [\"a\"]) \"c\" / \"ba\" \"a\"\n",
        "r = 1*2(\"a\" / \"ab\") (\"c\" / \"bc\")\n",
    };
    enum { MOST = 6 };
    char error[ERROR_MAX];
    (void)state;
    for (size_t k = 0; k < sizeof grammars / sizeof *grammars; k++) {
        struct abnf *g = load(grammars[k], NULL, error);
        assert_non_null(g);
        struct abnf_matcher *m = abnf_matcher_new(g, 2 * MOST);
        assert_non_null(m);
        int rule = abnf_rule(g, "r");
        /* prefix[word]: some sentence of up to twice the length begins so. Words are numbers to
         * the base of 3 with a leading 1. */
        static bool prefix[2 * 531441];
        memset(prefix, 0, sizeof prefix);
        unsigned power = 1;
        for (unsigned n = 0; n <= 2 * MOST; n++, power *= 3)
            for (unsigned word = 0; word < power && power <= 531441; word++) {
                char text[2 * MOST];
                unsigned rest = word;
                for (unsigned i = n; i-- > 0; rest /= 3)
                    text[i] = (char)('a' + rest % 3);
                if (abnf_match(m, rule, (struct sipws_str){text, n}, NULL) != ABNF_ACCEPTED)
                    continue;
                for (unsigned w = power + word; w > 0; w /= 3)
                    prefix[w] = true;
            }
        power = 1;
        for (unsigned n = 0; n <= MOST; n++, power *= 3)
            for (unsigned word = 0; word < power; word++) {
                char text[MOST];
                unsigned rest = word, begun = n;
                size_t far = SIZE_MAX;
                for (unsigned i = n; i-- > 0; rest /= 3)
                    text[i] = (char)('a' + rest % 3);
                if (abnf_match(m, rule, (struct sipws_str){text, n}, &far) != ABNF_REFUSED)
                    continue;
                for (unsigned w = power + word; !prefix[w]; w /= 3)
                    begun--;
                if (far != begun)
                    fail_msg("%s\"%.*s\": %zu, not %u", grammars[k], (int)n, text, far, begun);
            }
        abnf_matcher_free(m);
        abnf_free(g);
    }
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void undecided(void **state)
{
    char error[ERROR_MAX], text[2000];
    (void)state;
    struct abnf *g = load("r = *\"a\"\n", NULL, error);
    struct abnf_matcher *m = abnf_matcher_new(g, 64);
    memset(text, 'a', sizeof text);
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 64}, NULL),
                     ABNF_ACCEPTED);
    /* One octet more than there is room for, whatever it is. */
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 65}, NULL),
                     ABNF_UNDECIDED);
    text[64] = 'b';
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 65}, NULL),
                     ABNF_UNDECIDED);
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 0}, NULL),
                     ABNF_ACCEPTED);
    /* From some number of steps on it is decided, and then always; before, it is undecided. */
    bool decided = false;
    for (uint64_t steps = 0; steps < 200; steps++) {
        abnf_matcher_bound(m, steps);
        enum abnf_verdict v = abnf_match(m, abnf_rule(g, "r"), str("aaaab"), NULL);
        decided = decided || v == ABNF_REFUSED;
        assert_int_equal(v, decided ? ABNF_REFUSED : ABNF_UNDECIDED);
        assert_true(steps > 0 || !decided);
    }
    assert_true(decided);
    abnf_matcher_free(m);
    abnf_free(g);

    /* More work than is allowed: undecided, never refused, and the matcher goes on after it. */
    g = load("r = 1000000(1000000(1000000(\"a\" / \"\"))) \"b\"\n"
             "s = \"b\"\n",
             NULL, error);
    assert_non_null(g);
    m = abnf_matcher_new(g, 64);
    memset(text, 'a', sizeof text);
    text[40] = 'b';
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 41}, NULL),
                     ABNF_UNDECIDED);
    assert_int_equal(abnf_match(m, abnf_rule(g, "s"), (struct sipws_str){text + 40, 1}, NULL),
                     ABNF_ACCEPTED);
    abnf_matcher_free(m);
    abnf_free(g);

    /* A prose value that may be nothing hides that a rule begins with itself. */
    g = load("r = <anything> r \"a\" / \"b\"\n", bound, error);
    assert_non_null(g);
    m = abnf_matcher_new(g, 64);
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), str("ba"), NULL), ABNF_UNDECIDED);
    abnf_matcher_free(m);
    abnf_free(g);

    /* Deep, and still decided. */
    g = load("r = \"(\" r \")\" / \"\"\n", NULL, error);
    m = abnf_matcher_new(g, 400);
    memset(text, '(', 200);
    memset(text + 200, ')', 200);
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 400}, NULL),
                     ABNF_ACCEPTED);
    assert_int_equal(abnf_match(m, abnf_rule(g, "r"), (struct sipws_str){text, 399}, NULL),
                     ABNF_REFUSED);
    abnf_matcher_free(m);
    abnf_free(g);
}

static void names(void **state)
{
    char error[ERROR_MAX];
    (void)state;
    struct abnf *g = load("r = s-1\ns-1 = \"a\"\nt = r\n", NULL, error);
    int r = abnf_rule(g, "R"), s = abnf_rule(g, "S-1"), t = abnf_rule(g, "t");
    assert_true(r >= 0 && s >= 0 && t >= 0 && r != s && s != t);
    assert_int_equal(abnf_rule(g, "s"), -1);
    assert_int_equal(abnf_rule(g, "s-11"), -1);
    assert_true(abnf_rule(g, "alpha") >= 0 && abnf_rules(g) > t);
    assert_true(sipws_str_eq(abnf_rule_name(g, s), str("s-1")));
    assert_true(abnf_reaches(g, t, s) && abnf_reaches(g, r, s) && abnf_reaches(g, r, r));
    assert_false(abnf_reaches(g, s, r));
    assert_false(abnf_reaches(g, r, abnf_rule(g, "ALPHA")));
    abnf_free(g);
    abnf_free(NULL);
    abnf_matcher_free(NULL);
    abnf_cover_free(NULL);
}

/* ---- generating ------------------------------------------------------------------------------ */

static uint64_t rng = 1;

static void random_octets(unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        rng = rng * 6364136223846793005u + 1442695040888963407u;
        p[i] = (unsigned char)(rng >> 56);
    }
}

/* Every sentence that is generated is one, of each grammar above. */
static void generated(void **state)
{
    char error[ERROR_MAX], text[4096];
    unsigned char octets[200];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!rows[i].grammar)
            continue;
        struct abnf *g = load(rows[i].grammar, bound, error);
        struct abnf_matcher *m = abnf_matcher_new(g, sizeof text);
        struct abnf_cover *cover = abnf_cover_new(g);
        int rule = abnf_rule(g, "r");
        unsigned chosen;
        assert_true(m && cover);
        for (int k = 0; k < 300; k++) {
            random_octets(octets, sizeof octets);
            struct tape t = tape(octets, k == 0 ? 0 : sizeof octets, NULL, 0);
            struct sipws_out o = sipws_out(text, sizeof text);
            if (!abnf_generate(g, rule, &t, 50, &o, cover, NULL)) {
                assert_non_null(strstr(rows[i].grammar, "<anything>"));
                break;
            }
            assert_true(sipws_out_ok(&o));
            if (abnf_match(m, rule, sipws_out_str(&o), NULL) != ABNF_ACCEPTED)
                fail_msg("%s\"%.*s\" is generated and not accepted", rows[i].grammar, (int)o.n,
                         text);
            /* The same tape, the same sentence. */
            char again[sizeof text];
            struct tape u = tape(octets, k == 0 ? 0 : sizeof octets, NULL, 0);
            struct sipws_out p = sipws_out(again, sizeof again);
            abnf_generate(g, rule, &u, 50, &p, NULL, NULL);
            assert_true(sipws_str_eq(sipws_out_str(&o), sipws_out_str(&p)));
        }
        struct sipws_str missing;
        unsigned all = abnf_cover_of(cover, rule, &chosen, &missing);
        if (chosen < all && !strstr(rows[i].grammar, "<anything>"))
            fail_msg("%s: %u of %u alternatives were chosen", rows[i].grammar, chosen, all);
        abnf_cover_free(cover);
        abnf_matcher_free(m);
        abnf_free(g);
    }
}

/* More work than a sentence is worth is given up. */
static void generated_within_bounds(void **state)
{
    char error[ERROR_MAX], text[64];
    (void)state;
    struct abnf *g = load("r = 1000000(1000000(1000000(\"a\" / \"\")))\n", NULL, error);
    struct tape t = tape(NULL, 0, NULL, 0);
    struct sipws_out o = sipws_out(text, sizeof text);
    assert_false(abnf_generate(g, abnf_rule(g, "r"), &t, 10, &o, NULL, NULL));
    abnf_free(g);
    /* Of an endless choice the short way is taken when the size is reached. */
    g = load("r = \"a\" r r / \"b\"\n", NULL, error);
    unsigned char ones[200];
    memset(ones, 0, sizeof ones);
    t = tape(ones, sizeof ones, NULL, 0);
    char big[4096];
    o = sipws_out(big, sizeof big);
    assert_true(abnf_generate(g, abnf_rule(g, "r"), &t, 20, &o, NULL, NULL));
    assert_true(o.n < 200);
    abnf_free(g);
}

/* Near misses: within the bounds of their buffer, and mostly near misses. */
static void bent(void **state)
{
    char out[24];
    unsigned char octets[16];
    unsigned same = 0, longer = 0, shorter = 0;
    (void)state;
    for (int k = 0; k < 20000; k++) {
        random_octets(octets, sizeof octets);
        struct tape t = tape(octets, sizeof octets, NULL, 0);
        size_t n = (size_t)k % 20;
        char *in = malloc(n ? n : 1);
        assert_non_null(in);
        memset(in, (unsigned char)('a' + k % 3), n);
        size_t cap = k % 5 == 0 ? n : sizeof out;
        size_t m = abnf_bend(&t, (struct sipws_str){in, n}, out, cap);
        assert_true(m <= cap);
        assert_true(m + 16 >= n && m <= n + 16);
        same += m == n && memcmp(in, out, n) == 0;
        longer += m > n;
        shorter += m < n;
        free(in);
    }
    assert_true(same < 20000 / 2 && longer > 2000 && shorter > 2000);
}

/* ---- the grammar of SIP ---------------------------------------------------------------------- */

/* Rules that SIP-message does not need, and why they are there. */
static const struct {
    const char *rule, *why;
} beside[] = {
    {"BIT", "a core rule"}, {"CHAR", "a core rule"}, {"CR", "a core rule"},
    {"CTL", "a core rule"}, {"LF", "a core rule"},   {"VCHAR", "a core rule"},
};

static void sip_is_used(void **state)
{
    (void)state;
    const struct abnf *g = oracle_grammar();
    int start = abnf_rule(g, "SIP-message"), unused = 0;
    bool needed[sizeof beside / sizeof *beside] = {false};
    assert_true(start >= 0);
    for (int i = 0; i < abnf_rules(g); i++) {
        if (i == start || abnf_reaches(g, start, i))
            continue;
        bool listed = false;
        for (size_t k = 0; k < sizeof beside / sizeof *beside; k++)
            if (abnf_rule(g, beside[k].rule) == i)
                listed = needed[k] = true;
        if (!listed) {
            struct sipws_str name = abnf_rule_name(g, i);
            print_error("%.*s is not reached from SIP-message\n", (int)name.n, name.p);
            unused++;
        }
    }
    for (size_t k = 0; k < sizeof beside / sizeof *beside; k++)
        if (!needed[k]) {
            print_error("%s is listed as unused (%s) and is not\n", beside[k].rule, beside[k].why);
            unused++;
        }
    assert_int_equal(unused, 0);
}

/* Each field value by itself, and whole messages: every alternative is chosen in the end. */
static void sip_is_generated(void **state)
{
    (void)state;
    const struct abnf *g = oracle_grammar();
    enum { MOST = 800 };
    struct abnf_matcher *m = abnf_matcher_new(g, MOST);
    struct abnf_cover *cover = abnf_cover_new(g);
    int start = abnf_rule(g, "SIP-message"), header = abnf_rule(g, "message-header");
    char text[4096];
    unsigned char octets[600];
    unsigned chosen = 0, all = 0, sentences = 0;
    struct sipws_str missing = {NULL, 0};
    assert_true(m && cover);
    for (int round = 0; round < 200 && (chosen < all || all == 0); round++) {
        for (int rule = 0; rule < abnf_rules(g); rule++) {
            struct sipws_str name = abnf_rule_name(g, rule);
            bool value = name.n > 12 && memcmp(name.p + name.n - 12, "-field-value", 12) == 0;
            int times = rule == header ? 60 : rule == start ? 5 : value ? 2 : 0;
            for (int i = 0; i < times; i++) {
                random_octets(octets, sizeof octets);
                struct tape t = tape(octets, sizeof octets, NULL, 0);
                struct sipws_out o = sipws_out(text, sizeof text);
                assert_true(abnf_generate(g, rule, &t, 100, &o, cover, NULL));
                assert_true(sipws_out_ok(&o));
                sentences++;
                if (o.n > MOST || sentences % 16 != 0)
                    continue;
                if (abnf_match(m, rule, sipws_out_str(&o), NULL) == ABNF_REFUSED)
                    fail_msg("a sentence of %.*s is refused: %.*s", (int)name.n, name.p, (int)o.n,
                             text);
            }
        }
        all = abnf_cover_of(cover, start, &chosen, &missing);
    }
    print_message("%u sentences chose %u of %u alternatives\n", sentences, chosen, all);
    if (chosen < all)
        fail_msg("an alternative of %.*s was never chosen", (int)missing.n, missing.p);
    assert_true(all > 300);
    abnf_cover_free(cover);
    abnf_matcher_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_grammars),
        cmocka_unit_test(recognised),
        cmocka_unit_test(far_by_enumeration),
        cmocka_unit_test(undecided),
        cmocka_unit_test(names),
        cmocka_unit_test(generated),
        cmocka_unit_test(generated_within_bounds),
        cmocka_unit_test(bent),
        cmocka_unit_test(sip_is_used),
        cmocka_unit_test(sip_is_generated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
