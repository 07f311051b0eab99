/* Every property under cmocka: a fixed seed and moderately many cases (SIPWS_PROPS_CASES changes
 * that). And: a tape has the same verdict under all runners. */
#define _XOPEN_SOURCE 700
#include "property.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <cmocka.h>

/* The other runners, in this process: the fuzz target and sipws-replay. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int sipws_replay_main(int argc, char **argv);
#define main sipws_replay_main
#include "main_replay.c"
#undef main
#include "../fuzz/target_props.c"

enum { TESTS = 256, SELECTOR = 2, AGREEING = 6 };

static void holds(void **state)
{
    const struct prop *p = *state;
    const char *cases = getenv("SIPWS_PROPS_CASES");
    struct prop_run run = {.cases = cases ? strtoull(cases, NULL, 10) : 2000, .seed = 1};
    enum prop_end end = prop_run(p, &run);
    if (end == PROP_UNHEALTHY)
        fail_msg("%s: %s", p->name, run.health);
    if (end == PROP_FAILED) {
        struct prop_trial *r = prop_trial_new();
        enum verdict v = prop_check(p, run.tape, run.tape_n, r);
        prop_explain(r, v, stderr);
        prop_as_c(r, run.tape, run.tape_n, stderr);
        prop_trial_free(r);
        free(run.tape);
        fail_msg("%s failed", p->name);
    }
}

static bool is_plant(const char *name)
{
    static const char *const plants[] = {
#define P(name, class, oracle, text) #name,
#include "plant.def"
#undef P
    };
    for (size_t i = 0; name && i < sizeof plants / sizeof *plants; i++)
        if (strcmp(plants[i], name) == 0)
            return true;
    return false;
}

static void properties_are_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; props[i]; i++) {
        const struct prop *p = props[i];
        size_t n = strlen(p->sentence);
        assert_non_null(p->draw);
        assert_non_null(p->hold);
        assert_non_null(p->explain);
        assert_non_null(strchr(p->name, '/'));
        assert_true(strlen(p->name) <= 32);
        assert_true(n > 20 && p->sentence[n - 1] == '.');
        assert_true(p->tape_max >= 16);
        if (!prop_is_selftest(p) && !is_plant(p->plant))
            fail_msg("%s names no plant that makes it fail", p->name);
        for (size_t k = 0; k < i; k++) {
            unsigned char a[SELECTOR], b[SELECTOR];
            prop_selector(p, a);
            prop_selector(props[k], b);
            assert_string_not_equal(p->name, props[k]->name);
            assert_memory_not_equal(a, b, SELECTOR);
        }
    }
}

/* The octets that the fuzz target takes for this tape. */
static size_t as_input(const struct prop *p, const unsigned char *tape, size_t n,
                       unsigned char *out)
{
    prop_selector(p, out);
    memcpy(out + SELECTOR, tape, n);
    return SELECTOR + n;
}

/* The target in a child: it aborts on a failure. */
static enum verdict target_verdict(const unsigned char *input, size_t n)
{
    pid_t child = fork();
    int status = 0;
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(3);
        signal(SIGABRT, SIG_DFL);
        setenv("SIPWS_SELFTEST", "props", 1);
        _exit(LLVMFuzzerTestOneInput(input, n));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return FAILS;
    /* AddressSanitizer and its kin may turn an abort into an exit. */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? HOLDS : FAILS;
}

static enum verdict replay_verdict(const struct prop *p, const unsigned char *tape, size_t n)
{
    char path[] = "/tmp/sipws-test-XXXXXX";
    int fd = mkstemp(path), status = 0;
    assert_true(fd >= 0);
    close(fd);
    assert_true(prop_save(path, p, tape, n));
    char program[] = "sipws-replay";
    char *argv[] = {program, path, NULL};
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(3);
        _exit(sipws_replay_main(2, argv));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    unlink(path);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
    return WEXITSTATUS(status) ? FAILS : HOLDS;
}

static void same_verdict_everywhere(const struct prop *p, const unsigned char *tape, size_t n)
{
    unsigned char input[SELECTOR + 4096];
    assert_true(n <= 4096);
    struct prop_trial *r = prop_trial_new();
    enum verdict v = prop_check(p, tape, n, r);
    prop_trial_free(r);
    if (v == DISCARDED)
        v = HOLDS; /* the others do not tell them apart */

    const struct prop *found;
    const unsigned char *rest;
    size_t rest_n;
    size_t input_n = as_input(p, tape, n, input);
    if (!prop_is_selftest(p)) { /* a selector never means those */
        found = prop_select(input, input_n, &rest, &rest_n);
        assert_ptr_equal(found, p);
        assert_int_equal(rest_n, n);
        assert_int_equal(target_verdict(input, input_n), v);
    }
    int head = snprintf((char *)input, sizeof input, "sipws-tape 1 %s\n", p->name);
    assert_true(head > 0 && (size_t)head + n <= sizeof input);
    memcpy(input + head, tape, n);
    assert_int_equal(target_verdict(input, (size_t)head + n), v);
    assert_int_equal(replay_verdict(p, tape, n), v);
}

/* A few tapes of each property; the failing ones of the selftest properties among them. */
static void the_runners_agree(void **state)
{
    (void)state;
    for (size_t i = 0; props[i]; i++) {
        if (strcmp(props[i]->name, "selftest/crash") == 0 ||
            strcmp(props[i]->name, "selftest/hang") == 0)
            continue;
        uint32_t seed = 12345;
        for (size_t k = 0; k < AGREEING; k++) {
            unsigned char tape[256];
            for (size_t at = 0; at < sizeof tape; at++) {
                seed = seed * 1664525 + 1013904223;
                tape[at] = (unsigned char)(seed >> 24);
            }
            same_verdict_everywhere(props[i], tape, k * sizeof tape / (AGREEING - 1));
        }
    }
    static const unsigned char sum[] = {255, 255, 3, 231, 255, 3, 231};
    same_verdict_everywhere(prop_find(SIPWS_STR("selftest/sum")), sum, sizeof sum);
    struct prop_trial *r = prop_trial_new();
    assert_int_equal(prop_check(prop_find(SIPWS_STR("selftest/sum")), sum, sizeof sum, r), FAILS);
    prop_trial_free(r);
}

static int replay_status(char *a, char *b)
{
    char program[] = "sipws-replay";
    char *argv[] = {program, a, b, NULL};
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(3);
        _exit(sipws_replay_main(b ? 3 : 2, argv));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void replay_refuses_what_it_cannot_run(void **state)
{
    (void)state;
    char missing[] = "/nonexistent/file", dir[] = "/tmp", null[] = "/dev/null";
    char option[] = "--nonsense", empty[] = "";
    assert_int_equal(replay_status(missing, NULL), 2);
    assert_int_equal(replay_status(dir, NULL), 2);
    assert_int_equal(replay_status(null, NULL), 2);
    assert_int_equal(replay_status(option, NULL), 2);
    assert_int_equal(replay_status(empty, NULL), 2);

    char path[] = "/tmp/sipws-test-XXXXXX", explain[] = "--explain";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(replay_status(explain, path), 2); /* empty */
    static const char unknown[] = "sipws-tape 1 no/such\nx";
    assert_int_equal(write(fd, unknown, sizeof unknown - 1), sizeof unknown - 1);
    assert_int_equal(replay_status(explain, path), 2);
    assert_int_equal(ftruncate(fd, 100 << 20), 0);
    assert_int_equal(replay_status(explain, path), 2);
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_int_equal(replay_status(explain, path), 2);
    close(fd);
    unlink(path);
}

int main(void)
{
    struct CMUnitTest tests[TESTS] = {
        cmocka_unit_test(properties_are_well_formed),
        cmocka_unit_test(the_runners_agree),
        cmocka_unit_test(replay_refuses_what_it_cannot_run),
    };
    size_t n = 3;
    for (size_t i = 0; props[i] && n < TESTS; i++)
        if (!prop_is_selftest(props[i])) {
            void *p = NULL; /* cmocka's state is not const; nobody writes through it */
            memcpy(&p, &props[i], sizeof p);
            tests[n++] = (struct CMUnitTest){props[i]->name, holds, NULL, NULL, p};
        }
    return _cmocka_run_group_tests("props", tests, n, NULL, NULL);
}
