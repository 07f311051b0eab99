/* The tape, the arena, shrinking, the runner and the tape file, on properties that are false,
 * unhealthy or deadly by design. */
#define _POSIX_C_SOURCE 200809L
#include "property.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct tape of(const char *octets, size_t n)
{
    return tape((const unsigned char *)octets, n, NULL, 0);
}

#define OF(literal) of("" literal, sizeof(literal) - 1)

static void reads_zero_past_the_end(void **state)
{
    (void)state;
    struct tape t = OF("\x05\xFF");
    unsigned char four[4] = {9, 9, 9, 9};
    assert_int_equal(tape_byte(&t), 5);
    tape_bytes(&t, four, 4);
    assert_memory_equal(four, "\xFF\0\0\0", 4);
    assert_int_equal(tape_below(&t, 1000000), 0);
    assert_false(tape_more(&t, 1000));
    assert_int_equal(t.at, 2 + 3 + 4 + 1);
    t = tape(NULL, 0, NULL, 0);
    assert_int_equal(tape_byte(&t), 0);
}

static void numbers_have_a_fixed_width(void **state)
{
    (void)state;
    static const struct {
        uint32_t below;
        size_t width;
    } cases[] = {{0, 1},   {1, 1},     {2, 1},     {255, 1},     {256, 1},
                 {257, 2}, {65536, 2}, {65537, 4}, {1 << 24, 4}, {UINT32_MAX, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tape t = OF("\xFF\xFE\xFD\xFC\xFB");
        uint32_t value = tape_below(&t, cases[i].below);
        assert_int_equal(t.at, cases[i].width);
        assert_true(value < cases[i].below || (cases[i].below == 0 && value == 0));
    }
    struct tape t = OF("\x01\x02\x00\x00\x00\x07");
    assert_int_equal(tape_below(&t, 65536), 0x0102);
    assert_int_equal(tape_below(&t, UINT32_MAX), 7);
    t = OF("\x00\x07\x09");
    assert_int_equal(tape_range(&t, 10, 12), 10);
    assert_int_equal(tape_range(&t, 10, 12), 11);
    assert_int_equal(tape_range(&t, 10, 10), 10);
}

static void means_and_chances(void **state)
{
    (void)state;
    static const unsigned char weights[] = {1, 0, 200, 55};
    unsigned more3 = 0, chance64 = 0, always = 0, never = 0, hits[4] = {0};
    for (int ch = 0; ch < 256; ch++) {
        unsigned char octet = (unsigned char)ch;
        struct tape t = tape(&octet, 1, NULL, 0);
        more3 += tape_more(&t, 3);
        t.at = 0;
        chance64 += tape_chance(&t, 64);
        t.at = 0;
        always += tape_chance(&t, 256);
        t.at = 0;
        never += tape_chance(&t, 0);
        t.at = 0;
        hits[tape_weighted(&t, weights, 4)]++;
    }
    assert_int_equal(more3, 192); /* three of four go on: three on average */
    assert_int_equal(chance64, 64);
    assert_int_equal(always, 255); /* never on the octet 0 */
    assert_int_equal(never, 0);
    assert_int_equal(hits[0], 1);
    assert_int_equal(hits[1], 0);
    assert_int_equal(hits[2], 200);
    assert_int_equal(hits[3], 55);
}

static void sizes_reach_edges_and_stay_below_max(void **state)
{
    (void)state;
    static const uint32_t edges[] = {125, 126, 5000};
    bool seen125 = false, seen126 = false, big = false;
    for (unsigned i = 0; i < 1 << 18; i++) {
        unsigned char octets[3] = {(unsigned char)(i >> 10), (unsigned char)(i >> 2),
                                   (unsigned char)(i * 7)};
        struct tape t = tape(octets, 3, NULL, 0);
        uint32_t size = tape_size(&t, 1000, edges, 3);
        assert_true(size <= 1000);
        assert_int_equal(t.at, 3);
        seen125 = seen125 || size == 125;
        seen126 = seen126 || size == 126;
        big = big || size > 900;
    }
    assert_true(seen125 && seen126 && big);
    struct tape t = OF("");
    assert_int_equal(tape_size(&t, 1000, edges, 3), 0);
}

static void spans_nest_and_overflow(void **state)
{
    (void)state;
    struct tape_span spans[3];
    struct tape t = tape((const unsigned char *)"abcd", 4, spans, 3);
    tape_begin(&t, "outer");
    tape_byte(&t);
    tape_begin(&t, "inner");
    tape_byte(&t);
    tape_end(&t);
    tape_begin(&t, "second");
    tape_begin(&t, "lost");
    tape_begin(&t, "lost too");
    tape_byte(&t);
    tape_end(&t);
    tape_end(&t);
    tape_end(&t);
    for (int i = 0; i < 9; i++)
        tape_byte(&t);
    tape_end(&t);
    assert_int_equal(t.span_n, 3);
    assert_int_equal(t.spans_lost, 2);
    assert_int_equal(t.open, TAPE_NO_SPAN);
    assert_int_equal(spans[0].from, 0);
    assert_int_equal(spans[0].to, 4); /* not past the end */
    assert_int_equal(spans[0].up, TAPE_NO_SPAN);
    assert_int_equal(spans[1].from, 1);
    assert_int_equal(spans[1].to, 2);
    assert_int_equal(spans[1].up, 0);
    assert_int_equal(spans[2].from, 2);
    assert_int_equal(spans[2].to, 3);
    assert_string_equal(spans[2].label, "second");
}

static void the_arena_is_bounded(void **state)
{
    (void)state;
    static unsigned char memory[256];
    struct arena a = {memory, sizeof memory, 0, false};
    unsigned char *p = arena_get(&a, 10);
    assert_non_null(p);
    memset(p, 1, 10);
    struct sipws_str s = arena_copy(&a, SIPWS_STR("octets"));
    assert_true(sipws_str_eq(s, SIPWS_STR("octets")));
    assert_true((const unsigned char *)s.p >= p + 10);
    struct sipws_out o = arena_begin(&a);
    sipws_put(&o, SIPWS_STR("written"));
    s = arena_end(&a, &o);
    assert_true(sipws_str_eq(s, SIPWS_STR("written")));
    assert_non_null(arena_get(&a, 0));
    assert_null(arena_get(&a, 1000));
    assert_true(a.full);
    assert_null(arena_get(&a, 1)); /* ever after */

    a = (struct arena){memory, sizeof memory, 0, false};
    o = arena_begin(&a);
    for (int i = 0; i < 300; i++)
        sipws_put_char(&o, 'x');
    assert_null(arena_end(&a, &o).p);
    assert_true(a.full);
}

static const struct prop *get(const char *name)
{
    const struct prop *p = prop_find((struct sipws_str){name, strlen(name)});
    assert_non_null(p);
    return p;
}

static bool contains(FILE *f, const char *what)
{
    static char text[65536];
    rewind(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return strstr(text, what) != NULL;
}

/* The shrunk story is about as small as any that fails. */
static void failures_are_found_and_shrunk(void **state)
{
    static const struct {
        const char *name, *id;
        size_t at_most;
    } cases[] = {{"selftest/sum", "sum", 10}, {"selftest/twice", "twice", 7}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            const struct prop *p = get(cases[i].name);
            struct prop_run run = {.cases = 20000, .seed = seed};
            assert_int_equal(prop_run(p, &run), PROP_FAILED);
            assert_non_null(run.tape);
            struct prop_trial *r = prop_trial_new();
            assert_int_equal(prop_check(p, run.tape, run.tape_n, r), FAILS);
            assert_string_equal(r->id, cases[i].id);
            assert_in_range(run.tape_n, 1, cases[i].at_most);
            FILE *f = tmpfile();
            prop_explain(r, FAILS, f);
            assert_true(contains(f, "numbers in 1 groups"));
            prop_trial_free(r);
            free(run.tape);
        }
}

static void the_same_seed_makes_the_same_run(void **state)
{
    (void)state;
    struct prop_run a = {.cases = 3000, .seed = 7}, b = a, c = {.cases = 3000, .seed = 8};
    assert_int_equal(prop_run(get("selftest/sum"), &a), PROP_FAILED);
    assert_int_equal(prop_run(get("selftest/sum"), &b), PROP_FAILED);
    assert_int_equal(prop_run(get("selftest/sum"), &c), PROP_FAILED);
    assert_int_equal(a.cases, b.cases);
    assert_int_equal(a.tape_n, b.tape_n);
    assert_memory_equal(a.tape, b.tape, a.tape_n);
    assert_true(a.cases != c.cases || a.shrink_tries != c.shrink_tries);
    free(a.tape);
    free(b.tape);
    free(c.tape);
}

static void sick_properties_fail(void **state)
{
    (void)state;
    struct prop_run run = {.cases = 2000, .seed = 1};
    assert_int_equal(prop_run(get("selftest/discards"), &run), PROP_UNHEALTHY);
    assert_non_null(strstr(run.health, "discarded"));
    run.cases = 2000;
    assert_int_equal(prop_run(get("selftest/rare"), &run), PROP_UNHEALTHY);
    assert_non_null(strstr(run.health, "two hundred"));
    assert_null(run.tape);
}

static void a_run_ends_in_time(void **state)
{
    (void)state;
    struct prop_run run = {.cases = UINT64_MAX / 1000, .seed = 1, .seconds = 0.2};
    prop_run(get("selftest/rare"), &run);
    assert_true(run.spent < 5);
    assert_true(run.cases > 0);
}

static struct {
    uint64_t all, lengthy;
} tapes_seen;

static void see_tape(const struct prop *p, const unsigned char *octets, size_t n)
{
    (void)octets;
    tapes_seen.all++;
    tapes_seen.lengthy += n > p->tape_max / 2;
}

/* Whether it is the number of cases or the time that ends a run. */
static void a_run_has_long_tapes(void **state)
{
    (void)state;
    static const struct prop_run runs[] = {
        {.cases = 200, .seed = 1},
        {.cases = 2000, .seed = 1},
        {.cases = UINT64_MAX / 1000, .seed = 1, .seconds = 0.2},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct prop_run run = runs[i];
        run.before = see_tape;
        tapes_seen.all = tapes_seen.lengthy = 0;
        prop_run(get("out/measure"), &run);
        assert_int_equal(tapes_seen.all, run.cases);
        assert_true(tapes_seen.lengthy * 5 >= tapes_seen.all);
    }
}

static void times_add_up(void **state)
{
    (void)state;
    struct prop_run run = {.cases = 2000, .seed = 1};
    assert_int_equal(prop_run(get("out/measure"), &run), PROP_OK);
    assert_true(run.draw > 0 && run.hold > 0 && run.shrink == 0);
    assert_true(run.draw + run.hold <= run.spent);
    run.cases = 3000;
    assert_int_equal(prop_run(get("selftest/sum"), &run), PROP_FAILED);
    assert_true(run.draw > 0 && run.hold > 0 && run.shrink > 0);
    assert_true(run.draw + run.hold + run.shrink <= run.spent);
    free(run.tape);
}

/* A judge that looks at octets only: no spans, as for the inputs of a fuzz target. */
static bool has_x_then_y(void *ctx, const unsigned char *p, size_t n)
{
    ++*(unsigned *)ctx;
    const unsigned char *x = n ? memchr(p, 'X', n) : NULL;
    return x && memchr(x, 'Y', n - (size_t)(x - p));
}

static void shrinks_without_a_property(void **state)
{
    (void)state;
    unsigned char tape[] = "a long input with an X and much later, behind other things, a Y in it";
    unsigned calls = 0;
    uint64_t tries = 0;
    size_t n = prop_shrink(NULL, tape, sizeof tape - 1, has_x_then_y, &calls, 10, &tries);
    assert_int_equal(n, 2);
    assert_memory_equal(tape, "XY", 2);
    assert_int_equal(tries, calls);
    assert_true(calls < 2000);
}

/* Some lines of many, all whole: they go and stay at once, where blocks of other sizes would take
 * them apart. */
enum { KEPT = 12, LINES = 300 };

struct lines {
    unsigned calls, least_at; /* how many calls until it was as small as it got */
    size_t least;
};

static size_t put_line(char *out, size_t cap, unsigned i)
{
    int n = i % (LINES / KEPT) == 3 ? snprintf(out, cap, "Keep-%u: v\r\n", i / (LINES / KEPT))
                                    : snprintf(out, cap, "X-Filler: of no use, %u\r\n", i * 7919);
    return (size_t)n;
}

static bool has_kept_lines(void *ctx, const unsigned char *p, size_t n)
{
    struct lines *l = ctx;
    l->calls++;
    for (unsigned k = 0; k < KEPT; k++) {
        char line[64];
        size_t len = put_line(line, sizeof line, k * (LINES / KEPT) + 3), i = 0;
        while (i + len <= n && memcmp(p + i, line, len) != 0)
            i++;
        if (i + len > n)
            return false;
    }
    if (n < l->least) {
        l->least = n;
        l->least_at = l->calls;
    }
    return true;
}

static void lines_go_at_once(void **state)
{
    (void)state;
    static char text[1 << 14];
    struct lines l = {.least = SIZE_MAX};
    size_t n = 0, want = 0;
    for (unsigned i = 0; i < LINES; i++) {
        size_t len = put_line(text + n, sizeof text - n, i);
        want += i % (LINES / KEPT) == 3 ? len : 0;
        n += len;
    }
    n = prop_shrink(NULL, (unsigned char *)text, n, has_kept_lines, &l, 20, NULL);
    assert_int_equal(n, want);
    assert_true(l.least_at < LINES); /* blocks alone need four times as many */
}

static void shrinking_keeps_to_the_id(void **state)
{
    /* Holds, so there is nothing to keep to: the tape stays as it is. */
    (void)state;
    unsigned char tape[] = {200, 200, 0, 5, 0};
    uint64_t tries = 99;
    assert_int_equal(prop_shrink_id(get("selftest/sum"), tape, sizeof tape, 1, &tries), 5);
    assert_int_equal(tries, 0);
    assert_int_equal(tape[3], 5);
}

static void tape_files(void **state)
{
    (void)state;
    static const char good[] = "sipws-tape 1 selftest/sum\nab";
    static const char *const bad[] = {"",
                                      "sipws-tape 1 ",
                                      "sipws-tape 1 selftest/sum",
                                      "sipws-tape 2 selftest/sum\n",
                                      "Sipws-tape 1 selftest/sum\n",
                                      " sipws-tape 1 selftest/sum\n"};
    const struct prop *p = NULL;
    const unsigned char *octets = NULL;
    size_t n = 0;
    assert_true(prop_file((const unsigned char *)good, sizeof good - 1, &p, &octets, &n));
    assert_string_equal(p->name, "selftest/sum");
    assert_int_equal(n, 2);
    assert_memory_equal(octets, "ab", 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(prop_file((const unsigned char *)bad[i], strlen(bad[i]), &p, &octets, &n));
    static const char unknown[] = "sipws-tape 1 no/such\n";
    assert_true(prop_file((const unsigned char *)unknown, sizeof unknown - 1, &p, &octets, &n));
    assert_null(p);

    char name[64];
    prop_file_name(get("selftest/sum"), (const unsigned char *)"ab", 2, name, sizeof name);
    assert_string_equal(name, "selftest-sum-089c4407b545986a.tape"); /* FNV-1a of "ab" */
}

static void octets_as_c(void **state)
{
    (void)state;
    FILE *f = tmpfile();
    prop_octets(f, "  ",
                SIPWS_STR("a\"\\\r\nb\x80"
                          "f\x01g"));
    assert_true(contains(f, "  \"a\\\"\\\\\\r\\n\"\n  \"b\\x80\"\"f\\x01g\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_zero_past_the_end),
        cmocka_unit_test(numbers_have_a_fixed_width),
        cmocka_unit_test(means_and_chances),
        cmocka_unit_test(sizes_reach_edges_and_stay_below_max),
        cmocka_unit_test(spans_nest_and_overflow),
        cmocka_unit_test(the_arena_is_bounded),
        cmocka_unit_test(failures_are_found_and_shrunk),
        cmocka_unit_test(the_same_seed_makes_the_same_run),
        cmocka_unit_test(sick_properties_fail),
        cmocka_unit_test(a_run_ends_in_time),
        cmocka_unit_test(a_run_has_long_tapes),
        cmocka_unit_test(times_add_up),
        cmocka_unit_test(shrinks_without_a_property),
        cmocka_unit_test(lines_go_at_once),
        cmocka_unit_test(shrinking_keeps_to_the_id),
        cmocka_unit_test(tape_files),
        cmocka_unit_test(octets_as_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
