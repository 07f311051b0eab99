/* Stories in text: every story of corpus/vectors/stories against its expectations, what derivation
 * makes of a step, and what the reader says of texts that are no stories.
 */
#define _POSIX_C_SOURCE 200809L
#include "story.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define STORIES SIPWS_ROOT "/corpus/vectors/stories"

enum { LINES = 1 << 19, FILES = 256 };

static struct drive driver;
static struct prop_trial *trial; /* for its memory */
static char said[LINES], again[LINES], ignored[1];

static int set_up(void **state)
{
    (void)state;
    trial = prop_trial_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    prop_trial_free(trial);
    return 0;
}

static struct arena *memory(void)
{
    prop_trial_free(trial);
    trial = prop_trial_new();
    return &trial->arena;
}

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static struct story *read_story(const char *text, struct arena *a)
{
    struct story_error e;
    struct story *s = story_read(str(text), a, &e);
    if (!s)
        fail_msg("line %zu, column %zu: %s", e.line, e.column, e.reason);
    return s;
}

static struct sipws_str run(const struct story *s, struct arena *a, char *mem)
{
    struct sipws_out lines = sipws_out(mem, LINES), transcript = sipws_out(ignored, 0);
    assert_true(story_run(s, a, &driver, &lines, &transcript));
    assert_true(sipws_out_ok(&lines));
    return sipws_out_str(&lines);
}

static struct sipws_str wire_of(const struct story *s, struct arena *a)
{
    struct sipws_out o = arena_begin(a);
    story_wire(s, &o);
    struct sipws_str wire = arena_end(a, &o);
    assert_non_null(wire.p);
    return wire;
}

/* ---- the stories of the corpus --------------------------------------------------------------- */

static char names[FILES][256];
static size_t names_n;

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list_stories(void)
{
    DIR *dir = opendir(STORIES);
    assert_non_null(dir);
    names_n = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        size_t n = strlen(e->d_name);
        if (n < 7 || strcmp(e->d_name + n - 6, ".story") != 0)
            fail_msg("%s is no .story", e->d_name);
        assert_true(names_n < FILES && n < sizeof names[0]);
        memcpy(names[names_n++], e->d_name, n + 1);
    }
    closedir(dir);
    qsort(names, names_n, sizeof names[0], by_name);
}

static char *slurp(const char *name)
{
    static char text[1 << 18];
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", STORIES, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    fclose(f);
    return text;
}

static void test_corpus(void **state)
{
    (void)state;
    size_t bad = 0;
    list_stories();
    assert_true(names_n >= 55);
    for (size_t i = 0; i < names_n; i++) {
        struct arena *a = memory();
        struct story_error e;
        const char *text = slurp(names[i]);
        char reason[512];
        struct sipws_out why = sipws_out(reason, sizeof reason);
        uint32_t line;
        struct story *s = story_read(str(text), a, &e);
        if (!s) {
            print_error("%s:%zu:%zu: %s\n", names[i], e.line, e.column, e.reason);
            bad++;
        } else if (s->title.n == 0 || !story_expects(s) || !strstr(text, "\n# ") ||
                   !strstr(text, "RFC ")) {
            print_error("%s: a vector has a title, expectations, and the RFC sentence behind it\n",
                        names[i]);
            bad++;
        } else if (!story_holds(s, run(s, a, said), &line, &why)) {
            print_error("%s:%u: %.*s\n", names[i], (unsigned)line,
                        (int)(sipws_out_ok(&why) ? why.n : why.cap), reason);
            bad++;
        }
    }
    assert_int_equal(bad, 0);
}

static void test_corpus_in_pieces(void **state)
{
    (void)state;
    static const uint32_t pieces[] = {1, 2, 3, 7, 64};
    list_stories();
    for (size_t i = 0; i < names_n; i++)
        for (size_t k = 0; k < sizeof pieces / sizeof *pieces; k++) {
            struct arena *a = memory();
            struct story *s = read_story(slurp(names[i]), a);
            struct sipws_str want = run(s, a, said);
            s->pieces = pieces[k];
            struct sipws_str got = run(s, a, again);
            if (!sipws_str_eq(want, got))
                fail_msg("%s, %u octets a read:\n%.*s\ninstead of\n%.*s", names[i],
                         (unsigned)pieces[k], (int)got.n, got.p, (int)want.n, want.p);
        }
}

static void test_corpus_printed(void **state)
{
    (void)state;
    list_stories();
    for (size_t i = 0; i < names_n; i++) {
        struct arena *a = memory();
        struct story_error e;
        struct story *s = read_story(slurp(names[i]), a);
        struct sipws_out o = arena_begin(a);
        story_print(s, &o);
        struct sipws_str text = arena_end(a, &o);
        assert_non_null(text.p);
        struct story *t = story_read(text, a, &e);
        if (!t)
            fail_msg("%s, printed, %zu:%zu: %s", names[i], e.line, e.column, e.reason);
        if (!story_same(s, t))
            fail_msg("%s: what was printed is another story", names[i]);
        assert_true(sipws_str_eq(wire_of(s, a), wire_of(t, a)));
    }
}

/* ---- octets ---------------------------------------------------------------------------------- */

#define SERVER STORY_MAGIC "engine server\n"
#define CLIENT STORY_MAGIC "engine client\n"

struct made {
    const char *text;
    const char *octets;
    size_t n;
};

#define MADE(text, octets)                                                                         \
    {                                                                                              \
        text, octets, sizeof octets - 1                                                            \
    }

static const struct made mades[] = {
    MADE(CLIENT "text \"ab\"\n", "\x81\x02"
                                 "ab"),
    MADE(SERVER "text \"ab\"\n", "\x81\x82ZZZZ;8"),
    MADE(SERVER "text mask=no \"ab\"\n", "\x81\x02"
                                         "ab"),
    MADE(SERVER "text mask=00ff0001 x61626364\n", "\x81\x84\0\xFF\0\1a\x9D"
                                                  "ce"),
    MADE(CLIENT "text mask=00000000 \"a\"\n", "\x81\x81\0\0\0\0a"),
    MADE(CLIENT "continuation more rsv=5\n", "\x50\0"),
    MADE(CLIENT "opcode 11 rsv=1\n", "\x9B\0"),
    MADE(CLIENT "ping form=16 \"a\"\n", "\x89\x7E\0\1a"),
    MADE(CLIENT "ping form=64 \"a\"\n", "\x89\x7F\0\0\0\0\0\0\0\1a"),
    MADE(CLIENT "binary length=18446744073709551615\n", "\x82\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    MADE(CLIENT "binary length=126 form=7\n", "\x82\x7E"),
    MADE(CLIENT "close\n", "\x88\0"),
    MADE(CLIENT "close 1000\n", "\x88\2\3\xE8"),
    MADE(CLIENT "close 4999 \"so\" x21\n", "\x88\5\x13\x87so!"),
    MADE(CLIENT "close \"x\"\n", "\x88\1x"),
    MADE(CLIENT "close 2*\"x\"\n", "\x88\2xx"),
    MADE(CLIENT "raw 3*\"ab\" 0*\"c\" \"\\r\\n\\t\\\\\\\"\\x7f\"\n", "ababab\r\n\t\\\"\x7F"),
    MADE(CLIENT "raw\n  a\n\n# not octets\n  b\\\n\n", "a\r\n\r\nb"),
    MADE(CLIENT "raw\n  \\r\\n\\\n  a\\x20\n    b\n", "\r\na \r\n  b\r\n"),
    MADE(CLIENT "raw\n  # octets\n", "# octets\r\n"),
    MADE(CLIENT "handshake\n  A\n  B: c\n", "A\r\nB: c\r\n\r\n"),
    MADE(CLIENT "handshake as-is\n  A\n  B: c\n", "A\r\nB: c\r\n"),
    MADE(CLIENT "sip\n  A\n", "\x81\x18"
                              "A\r\nContent-Length: 0\r\n\r\n"),
    MADE(CLIENT "sip\n  A\n\n  b\n", "\x81\x1B"
                                     "A\r\nContent-Length: 3\r\n\r\nb\r\n"),
    MADE(CLIENT "sip binary\n  A\n\n  \\xFF\\\n", "\x82\x19"
                                                  "A\r\nContent-Length: 1\r\n\r\n\xFF"),
    MADE(CLIENT "sip\n  A\n  L : 9\n", "\x81\x0C"
                                       "A\r\nL : 9\r\n\r\n"),
    MADE(CLIENT "sip\n  A\n  content-LENGTH:9\n", "\x81\x17"
                                                  "A\r\ncontent-LENGTH:9\r\n\r\n"),
    MADE(CLIENT "sip\n  A\n  Long: 9\n", "\x81\x21"
                                         "A\r\nLong: 9\r\nContent-Length: 0\r\n\r\n"),
    MADE(CLIENT "sip as-is\n  A\n", "\x81\x03"
                                    "A\r\n"),
};

static void test_octets(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mades / sizeof *mades; i++) {
        struct arena *a = memory();
        struct sipws_str got = wire_of(read_story(mades[i].text, a), a);
        if (got.n != mades[i].n || memcmp(got.p, mades[i].octets, got.n) != 0)
            fail_msg("%s gives %zu octets: %.*s", mades[i].text, got.n, (int)got.n, got.p);
    }
}

/* ---- errors ---------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    size_t line, column;
    const char *reason; /* the start of it */
} wrongs[] = {
    {"", 1, 1, "a story begins with the line"},
    {"sipws-story 2\n", 1, 1, "a story begins with the line"},
    {"sipws-story 1 \n", 1, 1, "a story begins with the line"},
    {STORY_MAGIC, 1, 1, "there is no engine"},
    {STORY_MAGIC "ping\n", 2, 1, "`engine server` or"},
    {STORY_MAGIC "engine proxy\n", 2, 8, "an engine is"},
    {STORY_MAGIC "engine server ssl\n", 2, 15, "only tls may follow"},
    {STORY_MAGIC "engine server tls tls\n", 2, 19, "the line should end here"},
    {STORY_MAGIC "title\n", 2, 6, "the title is missing"},
    {SERVER "ping\nlimit head 5\n", 4, 1, "settings stand before"},
    {SERVER "limit body 5\n", 3, 7, "a limit is of"},
    {SERVER "limit head 131073\n", 3, 12, "the number is above 131072"},
    {SERVER "limit head\n", 3, 11, "a number is missing"},
    {SERVER "limit head 1k\n", 3, 13, "a number is made of"},
    {SERVER "pieces 0\n", 3, 8, "a piece has"},
    {SERVER "allow all\n", 3, 7, "no leniency"},
    {SERVER "pong\npung\n", 4, 1, "no step and no setting is called pung"},
    {SERVER "  ping\n", 3, 1, "an indented line belongs to no step"},
    {SERVER "ping\r\n", 3, 5, "a line ends with LF alone"},
    {SERVER "cut\n  a\n", 4, 1, "an indented line belongs to no step"},
    {SERVER "ping \"a\n", 3, 6, "the string does not end"},
    {SERVER "ping \"a\\q\"\n", 3, 8, "an escape is one of"},
    {SERVER "ping \"a\\x1g\"\n", 3, 8, "\\x is followed by"},
    {SERVER "ping \"a\"\"b\"\n", 3, 9, "a space is missing"},
    {SERVER "ping x\n", 3, 6, "x is followed by"},
    {SERVER "ping x123\n", 3, 9, "hexadecimal octets are pairs"},
    {SERVER "ping 3\"a\"\n", 3, 7, "a count is followed by"},
    {SERVER "ping 1048577*\"a\"\n", 3, 6, "the number is above"},
    {SERVER "ping \"a\" more\n", 3, 10, "octets are "},
    {SERVER "ping loud\n", 3, 6, "loud is no option"},
    {SERVER "ping good\n", 3, 6, "good is no option"},
    {SERVER "raw more \"a\"\n", 3, 5, "more is no option"},
    {SERVER "ping rsv=8\n", 3, 10, "the number is above 7"},
    {SERVER "ping form=8\n", 3, 11, "form is 7, 16 or 64"},
    {SERVER "ping mask=123\n", 3, 11, "mask is no, or"},
    {SERVER "ping mask=1234567g\n", 3, 18, "mask is no, or"},
    {SERVER "ping length=18446744073709551616\n", 3, 13, "the number is above"},
    {SERVER "ping cut=0\n", 3, 10, "cuts are above 0"},
    {SERVER "ping cut=2,2\n", 3, 12, "cuts are above 0"},
    {SERVER "ping cut=1,\n", 3, 12, "a number is missing"},
    {SERVER "ping cut=6\n", 3, 1, "the step has 6 octets"},
    {SERVER "ping cut=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 \"abcdefghijklmn\"\n", 3, 43,
     "a step has at most 14"},
    {SERVER "opcode 16\n", 3, 8, "the number is above 15"},
    {SERVER "close 65536\n", 3, 7, "the number is above 65535"},
    {SERVER "wait soon\n", 3, 6, "a number is made of"},
    {SERVER "wait\n", 3, 5, "a number is missing"},
    {SERVER "raw\n", 3, 4, "the octets of this step are missing"},
    {SERVER "sip\ncut\n", 3, 4, "the octets of this step are missing"},
    {SERVER "sip \"a\"\n", 3, 5, "the lines of this step follow"},
    {SERVER "raw \"a\"\n  b\n", 3, 5, "octets stand on the line or"},
    {SERVER "raw\n\n  b\n", 4, 1, "an indented line is wanted here"},
    {SERVER "raw\n b\n", 4, 1, "lines of octets are indented by two"},
    {SERVER "raw\n  a\n\tb\n", 5, 1, "lines of octets are indented by two"},
    {SERVER "raw\n  a\\0\n", 4, 4, "an escape is one of"},
    {SERVER "handshake good\n  a\n", 3, 1, "a good handshake has no lines"},
    {SERVER "expect\n", 3, 7, "what is expected?"},
    {SERVER "end\nping\n", 4, 1, "nothing follows the end"},
    {SERVER "end now\n", 3, 5, "the line should end here"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        struct story_error e;
        if (story_read(str(wrongs[i].text), memory(), &e))
            fail_msg("%s is read", wrongs[i].text);
        if (e.line != wrongs[i].line || e.column != wrongs[i].column ||
            strncmp(e.reason, wrongs[i].reason, strlen(wrongs[i].reason)) != 0)
            fail_msg("%s\nline %zu, column %zu: %s", wrongs[i].text, e.line, e.column, e.reason);
    }
}

static void test_too_many_steps(void **state)
{
    (void)state;
    static char text[8 * STORY_STEPS + 64];
    struct story_error e;
    strcpy(text, SERVER);
    for (int i = 0; i < STORY_STEPS; i++)
        strcat(text, "cut\n");
    assert_int_equal(read_story(text, memory())->n, STORY_STEPS);
    strcat(text, "cut\n");
    assert_null(story_read(str(text), memory(), &e));
    assert_int_equal(e.line, STORY_STEPS + 3);
}

/* Every front of every story of the corpus is a story or has an error within it. */
static void test_fronts(void **state)
{
    (void)state;
    list_stories();
    for (size_t i = 0; i < names_n; i++) {
        const char *text = slurp(names[i]);
        size_t n = strlen(text), step = n / 50 + 1;
        for (size_t k = 0; k < n; k += step) {
            struct arena *a = memory();
            struct story_error e = {0, 0, ""};
            /* apart, so that a read past the end is seen */
            struct sipws_str front = arena_copy(a, (struct sipws_str){text, k});
            if (!story_read(front, a, &e))
                assert_true(e.line > 0 && e.column > 0 && e.reason[0]);
        }
    }
}

/* ---- expectations ---------------------------------------------------------------------------- */

static const struct {
    const char *expect;
    uint32_t line; /* at which it fails; 0: it holds */
    const char *why;
} expectations[] = {
    {"expect request /sip\nexpect sent HTTP/1.1 101\nexpect ping \"a\"\nexpect sent pong \"a\"\n",
     0, ""},
    {"expect request\nexpect sent\nexpect ping\nexpect sent\n", 0, ""},
    {"expect request\nexpect sent\nexpect pong\nexpect sent\n", 7,
     "expected: pong; but what happened is: ping \"a\""},
    {"expect req\nexpect sent\nexpect ping\nexpect sent\n", 5, "expected: req; but what happened"},
    {"expect request\nexpect sent\nexpect ping\n", 7,
     "nothing more is expected; but this happened: sent pong \"a\""},
    {"expect request\nexpect sent\nexpect ping\nexpect sent\nexpect closed\n", 9,
     "expected: closed; but nothing more happened"},
    {"expect request /sip and more\n", 5, "expected: request /sip and more; but"},
    {"", 0, ""},
};

static void test_expectations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        struct arena *a = memory();
        char text[1024], reason[512] = "";
        uint32_t line;
        struct sipws_out why = sipws_out(reason, sizeof reason - 1);
        snprintf(text, sizeof text, SERVER "handshake good\nping \"a\"\n%s",
                 expectations[i].expect);
        struct story *s = read_story(text, a);
        bool holds = story_holds(s, run(s, a, said), &line, &why);
        assert_int_equal(holds, expectations[i].line == 0);
        if (!holds)
            assert_int_equal(line, expectations[i].line);
        if (strncmp(reason, expectations[i].why, strlen(expectations[i].why)) != 0)
            fail_msg("%s", reason);
    }
}

/* ---- the program ----------------------------------------------------------------------------- */

static int replay(const char *text, const char *options, char *out, size_t cap)
{
    char path[] = "/tmp/sipws-story-XXXXXX", command[4096];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    snprintf(command, sizeof command, "'%s/sipws-replay' %s '%s' 2>&1", SIPWS_BIN, options, path);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n = fread(out, 1, cap - 1, p);
    out[n] = '\0';
    int status = pclose(p);
    unlink(path);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_program(void **state)
{
    (void)state;
    static char out[1 << 16];
    const char *good = CLIENT "handshake good\nping\n";
    assert_int_equal(replay(good, "", out, sizeof out), 0);
    assert_string_equal(out, "sent GET / HTTP/1.1\nopen\nping\nsent pong\n");
    assert_int_equal(replay(good, "--explain", out, sizeof out), 0);
    assert_non_null(strstr(out, "engine    client, without TLS\nwhat happened\n  sent GET"));
    assert_non_null(strstr(out, "\ntranscript\nopen\n"));
    assert_int_equal(replay(CLIENT "raw \"octets\"\n", "--as-wire", out, sizeof out), 0);
    assert_string_equal(out, "octets");
    assert_int_equal(replay(CLIENT "raw \"a\"\nexpect sent GET\n", "", out, sizeof out), 0);
    assert_non_null(strstr(out, ": holds\n"));
    assert_int_equal(replay(CLIENT "raw \"a\"\nexpect open\n", "", out, sizeof out), 1);
    assert_non_null(strstr(out, ":4: FAILS: expected: open; but"));
    assert_int_equal(replay(CLIENT "rawr\n", "", out, sizeof out), 2);
    assert_non_null(strstr(out, ":3:1: no step"));
    assert_int_equal(replay(good, "--as-c", out, sizeof out), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corpus),         cmocka_unit_test(test_corpus_in_pieces),
        cmocka_unit_test(test_corpus_printed), cmocka_unit_test(test_octets),
        cmocka_unit_test(test_errors),         cmocka_unit_test(test_too_many_steps),
        cmocka_unit_test(test_fronts),         cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_program),
    };
    return cmocka_run_group_tests_name("story", tests, set_up, tear_down);
}
