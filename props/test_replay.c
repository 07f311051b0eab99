/* sipws-replay: what a file is, whoever named it; how it ends; its bucket; how small it gets, and
 * in what time; and the regression file that is made of it. */
#define _XOPEN_SOURCE 700
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

/* Targets of this test only; the program takes its list from here. */
#define SIPWS_TARGETS T(late) T(over) T(hang) T(hungry) T(two_words) T(props)
int sipws_replay_main(int argc, char **argv);
#define main sipws_replay_main
#include "main_replay.c"
#undef main
#define LLVMFuzzerTestOneInput sipws_target_props
#include "../fuzz/target_props.c"

#include <cmocka.h>

/* ---- the targets ----------------------------------------------------------------------------- */

static void __attribute__((noinline)) inner(void)
{
    abort();
}

/* Fails by one octet, wherever it stands; or, behind a 'B', elsewhere in the code. */
int sipws_target_late(const uint8_t *p, size_t n)
{
    const uint8_t *at = n ? memchr(p, '!', n) : NULL;
    if (at && at > p && at[-1] == 'B')
        abort();
    if (at)
        inner();
    return 0;
}

int sipws_target_over(const uint8_t *p, size_t n)
{
    uint8_t *copy = calloc(1, n + 1);
    volatile uint8_t got = 0;
    if (copy && n > 2 && p[0] == 'O')
        got = copy[n + 1 + (size_t)(p[1] == 'V')];
    (void)got;
    free(copy);
    return 0;
}

int sipws_target_hang(const uint8_t *p, size_t n)
{
    volatile bool forever = n > 0 && memchr(p, 'H', n);
    while (forever)
        continue;
    return 0;
}

int sipws_target_hungry(const uint8_t *p, size_t n)
{
    for (size_t i = 0; n > 0 && p[0] == 'M' && i < 4096; i++) {
        volatile char *more = malloc(1 << 20);
        for (size_t k = 0; more && k < 1 << 20; k += 4096)
            more[k] = 1;
    }
    return 0;
}

int sipws_target_two_words(const uint8_t *p, size_t n)
{
    (void)p;
    return n == SIZE_MAX;
}

/* ---- a folder, and the program in a child ---------------------------------------------------- */

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sipws-replay-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* A file below the folder, with the folders that it needs. */
static const char *put(const char *name, const void *p, size_t n)
{
    static char path[PATH_CAP];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *slash = path + strlen(folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0777);
        *slash = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    fclose(f);
    return path;
}

static char out[1 << 18];

/* Arguments up to a NULL. What it printed goes to `out`. */
static int run(const char *first, ...)
{
    char *argv[16] = {NULL};
    char program[] = "sipws-replay";
    int argc = 0, pair[2], status = 0;
    va_list args;
    argv[argc++] = program;
    va_start(args, first);
    for (const char *arg = first; arg; arg = va_arg(args, const char *))
        argv[argc++] = strdup(arg);
    va_end(args);
    assert_int_equal(pipe(pair), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(pair[1], STDOUT_FILENO);
        dup2(pair[1], STDERR_FILENO);
        close(pair[0]);
        status = sipws_replay_main(argc, argv);
        fflush(NULL);
        _exit(status);
    }
    close(pair[1]);
    size_t n = 0;
    for (ssize_t got; n + 1 < sizeof out; n += (size_t)got)
        if ((got = read(pair[0], out + n, sizeof out - 1 - n)) <= 0)
            break;
    out[n] = '\0';
    close(pair[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    while (argc > 1)
        free(argv[--argc]);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void says(const char *what)
{
    if (!strstr(out, what))
        fail_msg("\"%s\" is not in:\n%s", what, out);
}

/* ---- what it is ------------------------------------------------------------------------------ */

static struct replay_case recognised(const char *path, const void *p, size_t n)
{
    static unsigned char data[256];
    struct replay_case c = {.path = path, .data = data, .data_n = n};
    memcpy(data, p, n);
    assert_true(replay_recognise(&c));
    return c;
}

/* Each engine's names; NULL: nothing tells. */
static void names(void **state)
{
    (void)state;
    static const struct {
        const char *path, *target;
    } rows[] = {
        {"late-0123456789abcdef", "late"},                   /* ci/fuzz */
        {"two_words-0123456789abcdef", "two_words"},         /* a name of two words */
        {"corpus/seeds/late/hang-on", "late"},               /* the folder comes first */
        {"corpus/regress/two_words/any.thing", "two_words"}, /* an old bug */
        {"clusterfuzz-testcase-minimized-fuzz-late-5123456789", "late"},
        {"clusterfuzz-testcase-fuzz-two_words-5123456789", "two_words"},
        {"clusterfuzz-testcase-minimized-late-5123456789", "late"},
        {"clusterfuzz-testcase-minimized-libFuzzer_sipws_fuzz-hang-51", "hang"},
        {"fuzz-late/crash-44209c31af065773e171bf37e9e19cb8edf2dd44", "late"},
        {"run/late-libfuzzer-0-0/crash-44209c31af065773e171bf37e9e19cb8edf2dd44", "late"},
        {"run/late-afl-0-0/out/default/crashes/id:000000,sig:06,src:000001,time:1,op:havoc,rep:2",
         "late"},
        {"fuzz_hang/oom-44209c31af065773e171bf37e9e19cb8edf2dd44", "hang"},
        {"hang/timeout-44209c31af065773e171bf37e9e19cb8edf2dd44", "hang"},
        {"over/SIGSEGV.PC.7ffff7a42428.STACK.18f17d3ffb.CODE.1.ADDR.(nil).INSTR.mov.fuzz", "over"},
        {"crash-44209c31af065773e171bf37e9e19cb8edf2dd44", NULL},
        {"id:000000,sig:06,src:000001,time:1,op:havoc,rep:2", NULL},
        {"lately/x", NULL},
        {"a-late-hang/x", NULL}, /* two targets tell nothing */
        {"clusterfuzz-testcase-minimized-51", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *path = put(rows[i].path, "x", 1);
        struct replay_case c = recognised(path, "x", 1);
        const char *got = c.target ? c.target->name : "nothing";
        if (strcmp(got, rows[i].target ? rows[i].target : "nothing") != 0)
            fail_msg("%s is of %s", path, got);
        assert_true(!c.target == (c.kind == REPLAY_UNKNOWN));
    }
}

/* AFL++ and honggfuzz name no target in a file's name, and write it into files beside it. */
static void engines_tell(void **state)
{
    (void)state;
    static const char afl[] = "Command line used to find this crash:\n\n"
                              "afl-fuzz -i in -o out -- /somewhere/bin/fuzz-two_words\n";
    static const char stats[] = "afl_banner        : fuzz-late\ncommand_line      : afl-fuzz -i a "
                                "-o b -- build/afl/bin/fuzz-late\n";
    static const char hongg[] = " wordlistFile    : NULL\n fuzzTarget      : ./fuzz-hang\nCRASH:\n";
    put("1/crashes/README.txt", afl, sizeof afl - 1);
    put("2/fuzzer_stats", stats, sizeof stats - 1);
    put("3/HONGGFUZZ.REPORT.TXT", hongg, sizeof hongg - 1);
    struct replay_case c = recognised(put("1/crashes/id:0", "x", 1), "x", 1);
    assert_string_equal(c.target->name, "two_words");
    c = recognised(put("2/hangs/id:0", "x", 1), "x", 1);
    assert_string_equal(c.target->name, "late");
    assert_false(c.guess);
    c = recognised(put("3/SIGABRT.PC.1.fuzz", "x", 1), "x", 1);
    assert_string_equal(c.target->name, "hang");
}

static void contents_tell(void **state)
{
    (void)state;
    static const char tape[] = "sipws-tape 1 selftest/sum\n\xff\xff";
    static const char story[] = "sipws-story 1\nrole client\n";
    static const char vectors[] = "{\n  \"group\": \"x\",\n  \"cases\": []\n}\n";
    struct replay_case c = recognised("late-1", tape, sizeof tape - 1);
    assert_int_equal(c.kind, REPLAY_TAPE);
    assert_string_equal(c.prop->name, "selftest/sum");
    assert_int_equal(c.n, 2);
    assert_int_equal(recognised("x.story", story, sizeof story - 1).kind, REPLAY_STORY);
    assert_int_equal(recognised("ws.json", vectors, sizeof vectors - 1).kind, REPLAY_VECTORS);
    assert_int_equal(recognised("ws.json", "{}", 2).kind, REPLAY_UNKNOWN);
    /* The input of the target of all properties is a selector and a tape. */
    unsigned char input[4] = {0};
    size_t i = 0;
    while (prop_is_selftest(props[i])) /* a selector never means those */
        i++;
    const struct prop *p = props[i];
    prop_selector(p, input);
    c = recognised("props-1", input, sizeof input);
    assert_int_equal(c.kind, REPLAY_TAPE);
    assert_ptr_equal(c.prop, p);
    assert_int_equal(c.n, 2);
    c = recognised("props-1", "x", 1);
    assert_int_equal(c.kind, REPLAY_INPUT); /* too short for a selector */
}

/* Another program judges them, the one beside this. */
static void vectors(void **state)
{
    (void)state;
    static char text[1 << 20];
    FILE *f = fopen(SIPWS_ROOT "/corpus/vectors/ws.json", "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_int_equal(run(put("found.json", text, n), NULL), 0);
    says("found.json: vectors hold\n");
    char *verdict = strstr(text, "\"verdict\": \"valid\"");
    assert_non_null(verdict);
    memcpy(strchr(verdict, 'v') + sizeof "verdict\": \"" - 1, "bogus", 5);
    assert_int_equal(run(put("found.json", text, n), NULL), 1);
    says("found.json: vectors FAIL\n");
    assert_int_equal(run(SIPWS_ROOT "/corpus/vectors/policy.json", NULL), 2);
    says("ctest -R");
}

static void all_are_tried(void **state)
{
    (void)state;
    assert_int_equal(run("--bucket", put("crash-1", "a!c", 3), NULL), 1);
    says("nothing tells its target; of 6 that were tried these fail: late\n");
    says("late:abort");
    assert_int_equal(run(put("crash-1", "abc", 3), NULL), 0);
    says("none fails");
    /* What a folder somewhere around it says is no more than a guess. */
    assert_int_equal(run("--bucket", put("hang/deep/crash-1", "a!c", 3), NULL), 1);
    says("late:abort");
    assert_int_equal(run("--target", "over", put("crash-1", "a!c", 3), NULL), 0);
    assert_int_equal(run("--target", "none", put("crash-1", "a!c", 3), NULL), 2);
}

/* ---- how it ends ----------------------------------------------------------------------------- */

static void ends(void **state)
{
    (void)state;
    assert_int_equal(run("--json", put("late-1", "!", 1), NULL), 1);
    says("\"target\": \"late\"");
    says("\"end\": \"crashes\"");
    says("\"error\": \"abort\"");
    assert_int_equal(run("--timeout", "0.3", "--json", put("hang-1", "H", 1), NULL), 1);
    says("\"end\": \"timeout\", \"octets\": 1, \"says\": \"does not come to an end\"");
    says("\"bucket\": \"hang:timeout\"");
    assert_int_equal(run("--rss-limit", "300", "--json", put("hungry-1", "M", 1), NULL), 1);
    says("\"bucket\": \"hungry:out-of-memory\"");
    assert_int_equal(run(put("late-2", "x", 1), NULL), 0);
    says("late holds\n");
    assert_int_equal(run(put("late-1", "!", 1), NULL), 1);
    says("late-1: late crashed: abort");
    says("next: ci/replay --explain --shrink ");
}

static void said_of_a_tape(void **state)
{
    (void)state;
    static const unsigned char crash[] = "sipws-tape 1 selftest/crash\n\xff\xff\0\1\xff\2\xff\0\0";
    static const unsigned char sum[] = "sipws-tape 1 selftest/sum\n\xff\xff\3\xe7\xff\3\xe7";
    assert_int_equal(run("--bucket", put("a", crash, sizeof crash - 1), NULL), 1);
    says("selftest/crash:abort");
    assert_int_equal(run("--bucket", put("a", sum, sizeof sum - 1), NULL), 1);
    says("selftest/sum:sum ");
}

/* ---- its bucket ------------------------------------------------------------------------------ */

static const char *key(const char *printed, int code)
{
    static struct replay_bucket b;
    static char text[4096];
    static const struct replay_target target = {"uri", NULL};
    struct replay_case c = {.kind = REPLAY_INPUT, .target = &target};
    snprintf(text, sizeof text, "%s", printed);
    struct replay_said said = {text, strlen(text), sizeof text};
    replay_bucket(&c, (struct replay_outcome){REPLAY_CRASHED, code}, &said, &b);
    return b.key;
}

static void buckets(void **state)
{
    (void)state;
    /* clang's, with frames of the runtime, an inlined one, and a second stack. */
    static const char clang[] =
        "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000005bd6 at pc 0x56\n"
        "READ of size 1 at 0x602000005bd6 thread T0\n"
        "    #0 0x5602a773ad75 in __asan_memcpy (/b/bin/sipws-replay+0x4711)\n"
        "    #1 0x5602a773ad75 in sipws_uri_read /src/sipws/ref/uri.c:17:130\n"
        "    #2 0x5602a773ad75 in next.part.0 /src/sipws/ref/uri.c:40:2\n"
        "    #3 0x5602a7663300 in sipws_target_uri /src/sipws/fuzz/target_uri.c:20:5\n"
        "    #4 0x5602a7663300 in judge /src/sipws/props/replay_child.c:71:9\n"
        "    #5 0x5602a7663300 in main /src/sipws/props/main_replay.c:480:9\n"
        "\n0x602000005bd6 is located 3 bytes to the right of 3-byte region\n"
        "    #0 0x5602a76ffbfe in malloc (/b+0xdebfe)\n"
        "    #1 0x5602a773aa95 in other /src/sipws/ref/str.c:17:81\n"
        "\nSUMMARY: AddressSanitizer: heap-buffer-overflow /src/ref/uri.c:17:130 in "
        "sipws_uri_read\n";
    static const char want[] = "uri:heap-buffer-overflow:sipws_uri_read@ref/uri.c:next@ref/uri.c";
    assert_string_equal(key(clang, 257), want);
    /* gcc's of the same, from another checkout, some lines further down. */
    static const char gcc[] =
        "    #0 0x7f0017ab89cf in memcpy ../../../../src/libsanitizer/asan/x.cpp:69\n"
        "    #1 0x1 in sipws_uri_read ../../ref/uri.c:99\n"
        "    #2 0x2 in next ../../ref/uri.c:120\n"
        "    #3 0x3 in LLVMFuzzerTestOneInput ../../fuzz/target_uri.c:20\n"
        "SUMMARY: AddressSanitizer: heap-buffer-overflow ../../ref/uri.c:99 in sipws_uri_read\n";
    assert_string_equal(key(gcc, 257), want);
    /* Values stay out. */
    assert_string_equal(key("/src/ref/ws.c:12:9: runtime error: shift exponent 40 is too large\n"
                            "    #0 0x1 in f /src/ref/ws.c:12:9\n",
                            257),
                        "uri:shift-exponent-N-is-too-large:f@ref/ws.c");
    assert_string_equal(key("x: ref/a.c:1: f: Assertion `n > 0' failed.\n"
                            "SUMMARY: AddressSanitizer: ABRT x.c:1 in raise\n",
                            6),
                        "uri:n->-0");
    assert_string_equal(
        key("SUMMARY: AddressSanitizer: 3 byte(s) leaked in 1 allocation(s).\n", 257), "uri:leak");
    assert_string_equal(key("", SIGABRT), "uri:abort");
    assert_string_equal(key("SUMMARY: AddressSanitizer: ABRT x.c:1 in raise\n", 257), "uri:abort");
    assert_string_equal(
        key("SUMMARY: MemorySanitizer: use-of-uninitialized-value a.c:1 in f\n", 257),
        "uri:use-of-uninitialized-value");
    assert_string_equal(key("", SIGSEGV), "uri:SEGV");
    /* A target that holds properties, and tells of one that fails: the same bug as its tape. */
    assert_string_equal(key("property  ws/cut\n          A sentence.\nstory\n  x\n"
                            "verdict   FAILS: events, first diverging octet 4\n          why\n"
                            "==1==ERROR: AddressSanitizer: ABRT on unknown address\n"
                            "    #1 0x1 in fuzz_judge /src/fuzz/fuzz_family.h:30\n"
                            "SUMMARY: AddressSanitizer: ABRT x.c:1 in raise\n",
                            257),
                        "ws/cut:events");
    assert_string_equal(key("", 256 + 3), "uri:exit-3");
}

static uint64_t print_of(const char *text)
{
    static char copy[1024];
    snprintf(copy, sizeof copy, "%s", text);
    struct replay_said said = {copy, strlen(copy), sizeof copy};
    return replay_fingerprint((struct replay_outcome){REPLAY_CRASHED, 257}, &said);
}

static void fingerprints(void **state)
{
    (void)state;
    static const char a[] = "    #0 0x55d0 (/b/sipws-replay+0x1234) (BuildId: 1)\n"
                            "    #1 0x55d8 (/b/sipws-replay+0x2234)\n";
    static const char moved[] = "    #0 0x77d0 (/b/sipws-replay+0x1234) (BuildId: 1)\n"
                                "    #1 0x77d8 (/b/sipws-replay+0x2234)\n";
    static const char other[] = "    #0 0x55d0 (/b/sipws-replay+0x1234) (BuildId: 1)\n"
                                "    #1 0x55d8 (/b/sipws-replay+0x2235)\n";
    assert_true(print_of(a) == print_of(moved));
    assert_true(print_of(a) != print_of(other));
    assert_true(print_of(a) != print_of(""));
    assert_true(print_of("property  a/b\nverdict   FAILS: x\n") !=
                print_of("property  a/b\nverdict   FAILS: y\n"));
}

/* ---- a smaller one --------------------------------------------------------------------------- */

enum { LONG = 1 << 16 };

static size_t small(char got[LONG])
{
    char path[PATH_CAP], *end;
    const char *at = strstr(out, "\"small\": \"");
    assert_non_null(at);
    snprintf(path, sizeof path, "%s", at + 10);
    end = strchr(path, '"');
    assert_non_null(end);
    *end = '\0';
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(got, 1, LONG, f);
    fclose(f);
    return n;
}

/* n octets that fail by one near the end. */
static const char *late_file(const char *name, const char *what, size_t n)
{
    static char text[LONG];
    for (size_t i = 0; i < n; i++)
        text[i] = i % 40 == 39 ? '\n' : 'x';
    memcpy(text + n - 300, what, strlen(what));
    return put(name, text, n);
}

static void shrinks(void **state)
{
    (void)state;
    static char got[LONG];
    double begun = replay_now();
    assert_int_equal(run("--json", "--shrink", late_file("late-1", "!", LONG), NULL), 1);
    assert_true(replay_now() - begun < 30);
    assert_true(small(got) < LONG / 8); /* a busy machine gets that far */
    assert_int_equal(run("--json", "--shrink", late_file("late-2", "!", 1000), NULL), 1);
    assert_int_equal(small(got), 1);
    assert_memory_equal(got, "!", 1);
}

/* Where functions are known, a bug does not become another one on the way. */
static void keeps_to_the_bucket(void **state)
{
    (void)state;
    static char got[LONG];
    struct replay_case c = {.kind = REPLAY_INPUT, .target = replay_targets};
    struct replay_server *server = replay_server_start(&c);
    replay_server_end(server);
    if (!server)
        skip();
    assert_int_equal(run("--json", "--shrink", late_file("late-1", "B!", 1000), NULL), 1);
    says("\"frames\": [\"entry@props/test_replay.c\"]");
    assert_int_equal(small(got), 2);
    assert_memory_equal(got, "B!", 2);
    assert_int_equal(run("--json", "--shrink", put("over-1", "OV and more of it", 17), NULL), 1);
    says("\"error\": \"heap-buffer-overflow\"");
    assert_int_equal(small(got), 3);
}

static void a_hang_shrinks_in_time(void **state)
{
    (void)state;
    static char got[LONG];
    double begun = replay_now();
    assert_int_equal(run("--timeout", "0.5", "--seconds", "4", "--json", "--shrink",
                         late_file("hang-1", "H", LONG), NULL),
                     1);
    assert_true(replay_now() - begun < 8);
    assert_non_null(memchr(got, 'H', small(got)));
}

static void a_tape_shrinks(void **state)
{
    (void)state;
    static char got[LONG];
    unsigned char tape[4096];
    static const char head[] = "sipws-tape 1 selftest/crash\n";
    memset(tape, 255, sizeof tape);
    memcpy(tape, head, sizeof head - 1);
    /* Each try is a child: a small tape, for busy machines. */
    assert_int_equal(run("--json", "--shrink", put("t", tape, sizeof head + 40), NULL), 1);
    assert_true(small(got) <= sizeof head - 1 + 4);
    memcpy(tape, "sipws-tape 1 selftest/sum\n", 26);
    assert_int_equal(run("--json", "--shrink", put("t", tape, sizeof tape), NULL), 1);
    size_t n = small(got);
    assert_true(n > 26 && n <= 26 + 9);
}

/* A candidate that never ends, or kills the process, on the way: both while one child judges all.
 */
static void a_bad_candidate_is_survived(void **state)
{
    (void)state;
    unsigned char tape[] = {255, 255, 3, 231};
    struct replay_case c = {.path = "x", .kind = REPLAY_TAPE, .input = tape, .n = sizeof tape};
    c.prop = prop_find(SIPWS_STR("selftest/hang"));
    c.trial = prop_trial_new();
    double begun = replay_now();
    struct replay_limits limits = {0.1, begun + 40, 1024};
    struct replay_bucket b = {.error = "no such id"};
    /* Some of them hang; the others are tried, and long before the time is over that is all. */
    (void)replay_shrink(&c, (struct replay_outcome){REPLAY_FAILS, 0}, &b, limits);
    assert_true(replay_now() - begun < 30);
    prop_trial_free(c.trial);
}

/* ---- a file of it ---------------------------------------------------------------------------- */

static void becomes_a_regression(void **state)
{
    (void)state;
    char root[PATH_CAP], path[PATH_CAP], before[PATH_CAP];
    static const unsigned char sum[] = "sipws-tape 1 selftest/sum\n\xff\xff\3\xe7\xff\3\xe7";
    put("tree/ci/bisect", "", 0);
    put("tree/corpus/regress/x/y", "", 0);
    snprintf(root, sizeof root, "%s/tree", folder);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(root), 0);
    snprintf(path, sizeof path, "%s", put("late-1", "a!b", 3));
    assert_int_equal(run("--shrink", "--to-regress", path, NULL), 1);
    says("ci/replay --explain ");
    bool named =
        strstr(out, "regress/late/abort-inner: kept") || strstr(out, "regress/late/abort: kept");
    if (!named)
        fail_msg("%s", out);
    assert_int_equal(run("--to-regress", "--name", "a-name", path, NULL), 1);
    says("regress/late/a-name: kept");
    /* The same octets stay one file; others of the same name become another one. */
    assert_int_equal(run("--to-regress", "--name", "b-name", path, NULL), 1);
    says("regress/late/a-name: kept");
    assert_int_equal(run("--to-regress", "--name", "a-name", put("late-2", "!!", 2), NULL), 1);
    says("regress/late/a-name-2: kept");
    assert_int_equal(run("--to-regress", put("s", sum, sizeof sum - 1), NULL), 1);
    says("regress/props/selftest-sum-sum: kept");
    /* What holds is kept only under a name that a person gave. */
    assert_int_equal(run("--to-regress", put("late-3", "x", 1), NULL), 2);
    assert_int_equal(run("--to-regress", "--name", "mended", put("late-3", "x", 1), NULL), 0);
    says("regress/late/mended: kept");
    assert_int_equal(run("--to-regress", "--name", "../x", put("late-3", "x", 1), NULL), 2);
    assert_int_equal(chdir(before), 0);
}

/* What sipws-props tells people to type does what it says: a property that fails, and one that
 * takes the program down. */
static void what_is_told_works(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"selftest/sum", "\n      ci/replay --explain ", "selftest/sum FAILS: sum"},
        {"selftest/crash", "\n      ci/replay --shrink --explain ",
         "selftest/crash crashed: abort"},
    };
    for (size_t i = 0; i < 2; i++) {
        char command[PATH_CAP], path[PATH_CAP];
        snprintf(command, sizeof command, "'%s/sipws-props' --selftest --save '%s' %s 2>&1",
                 SIPWS_BIN, folder, rows[i][0]);
        FILE *p = popen(command, "r");
        assert_non_null(p);
        out[fread(out, 1, sizeof out - 1, p)] = '\0';
        (void)pclose(p);
        says(rows[i][1]);
        const char *at = strstr(out, rows[i][1]) + strlen(rows[i][1]);
        snprintf(path, sizeof path, "%.*s", (int)strcspn(at, "\n"), at);
        assert_int_equal(run("--shrink", "--explain", path, NULL), 1);
        says(rows[i][2]);
    }
}

static void options_are_checked(void **state)
{
    (void)state;
    const char *path = put("late-1", "x", 1);
    assert_int_equal(run("--seconds", "0", path, NULL), 2);
    assert_int_equal(run("--seconds", "25", path, NULL), 2);
    assert_int_equal(run("--timeout", "x", path, NULL), 2);
    assert_int_equal(run("--bucket", "--json", path, NULL), 2);
    assert_int_equal(run("--bisect", "a", "b", NULL), 2);
    assert_int_equal(run("--target", NULL), 2);
    assert_int_equal(run("--help", NULL), 0);
    says("usage: ");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(engines_tell),
        cmocka_unit_test(contents_tell),
        cmocka_unit_test(vectors),
        cmocka_unit_test(all_are_tried),
        cmocka_unit_test(ends),
        cmocka_unit_test(said_of_a_tape),
        cmocka_unit_test(buckets),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(shrinks),
        cmocka_unit_test(keeps_to_the_bucket),
        cmocka_unit_test(a_hang_shrinks_in_time),
        cmocka_unit_test(a_tape_shrinks),
        cmocka_unit_test(a_bad_candidate_is_survived),
        cmocka_unit_test(becomes_a_regression),
        cmocka_unit_test(what_is_told_works),
        cmocka_unit_test(options_are_checked),
    };
    if (argc > 1) /* the second program, which judges while a case is made small */
        return sipws_replay_main(argc, argv);
    return cmocka_run_group_tests_name("replay", tests, set_up, tear_down);
}
