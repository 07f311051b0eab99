/* sipws-diff, and the running of peers: what peers read, that crashes and hangs are results, exit
 * status and output. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <jansson.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- running --------------------------------------------------------------------------------- */

static char dir[] = "/tmp/sipws-diff-XXXXXX";

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

/* Writes a file of the directory and returns its path, which lives until the next call. */
static const char *file_of(const char *p, size_t n)
{
    static char path[64];
    snprintf(path, sizeof path, "%s/message", dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* The output of a command, up to cap - 1 octets of it, and its exit status. */
static int run(char *out, size_t cap, char *const argv[])
{
    int fds[2], status = 0;
    size_t n = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(argv[0], argv);
        _exit(99);
    }
    close(fds[1]);
    for (ssize_t got = 1; got > 0; n += (size_t)got) {
        char rest[512];
        got = n + 1 < cap ? read(fds[0], out + n, cap - 1 - n) : read(fds[0], rest, sizeof rest);
        assert_true(got >= 0);
        if (n + 1 >= cap)
            n -= (size_t)got;
    }
    out[n] = '\0';
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static char program[] = SIPWS_BIN "/sipws-diff";
static char json_option[] = "--json";

static int diff(char *out, size_t cap, const char *option, const char *file)
{
    char opt[16], name[256];
    snprintf(opt, sizeof opt, "%s", option ? option : "");
    snprintf(name, sizeof name, "%s", file);
    char *argv[] = {program, option ? opt : name, option ? name : NULL, NULL};
    return run(out, cap, argv);
}

static const char good[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                           "Via : SIP/2.0/WS a.invalid:8080;branch=z9hG4bKd1\r\n"
                           "Max-Forwards: 70\r\n"
                           "To\t: <sip:b@example.org>\r\n"
                           "From: \"A, b\" <sip:a@example.org>;tag=t1\r\n"
                           "Call-ID: c1@a.invalid\r\n"
                           "CSeq: 0007 OPTIONS\r\n"
                           "Content-Type: text/plain\r\n"
                           "Content-Length: 2\r\n"
                           "\r\n"
                           "hi";

/* Content-Length is shorter than the body: ref refuses what is left over, the peers cut it off. */
static const char left_over[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                "Via: SIP/2.0/WS a.invalid;branch=z9hG4bKd2\r\n"
                                "Max-Forwards: 70\r\n"
                                "To: <sip:b@example.org>\r\n"
                                "From: <sip:a@example.org>;tag=t1\r\n"
                                "Call-ID: c2\r\n"
                                "CSeq: 1 OPTIONS\r\n"
                                "Content-Type: text/plain\r\n"
                                "Content-Length: 1\r\n"
                                "\r\n"
                                "hi";

/* What a row of a JSON line says for a peer, or NULL. */
static const char *said(json_t *o, const char *what, const char *peer)
{
    size_t i;
    json_t *row;
    json_array_foreach(
        json_object_get(o, "rows"), i,
        row) if (strcmp(json_string_value(json_object_get(row, "what")), what) ==
                 0) return json_string_value(json_object_get(json_object_get(row, "readings"),
                                                             peer));
    return NULL;
}

static json_t *diff_json(const char *p, size_t n, int status)
{
    char out[8192];
    json_error_t error;
    const char *path = file_of(p, n);
    assert_int_equal(diff(out, sizeof out, json_option, path), status);
    unlink(path);
    json_t *o = json_loads(out, JSON_REJECT_DUPLICATES, &error);
    if (!o)
        fail_msg("no JSON: %s", out);
    return o;
}

/* ---- the program ----------------------------------------------------------------------------- */

/* White space before a colon belongs to HCOLON: everybody reads the same. */
static void reads_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *what, *reading;
    } table[] = {
        {"method", "OPTIONS"},
        {"request-uri", "sip:example.org"},
        {"vias", "1"},
        {"via transport", "WS"},
        {"via host", "a.invalid"},
        {"via port", "8080"},
        {"via branch", "z9hG4bKd1"},
        {"from uri", "sip:a@example.org"},
        {"from tag", "t1"},
        {"to uri", "sip:b@example.org"},
        {"to tag", ""},
        {"call-id", "c1@a.invalid"},
        {"cseq number", "7"},
        {"cseq method", "OPTIONS"},
        {"contacts", "0"},
        {"routes", "0"},
        {"record-routes", "0"},
        {"body length", "2"},
    };
    json_t *o = diff_json(good, sizeof good - 1, 0), *p;
    size_t k;
    assert_true(json_is_true(json_object_get(o, "agree")));
    assert_int_equal(json_array_size(json_object_get(o, "rows")), sizeof table / sizeof *table);
    assert_true(json_array_size(json_object_get(o, "peers")) >= 3);
    json_array_foreach(json_object_get(o, "peers"), k, p)
    {
        const char *name = json_string_value(json_object_get(p, "name"));
        if (json_object_get(p, "absent")) {
            print_message("           %s is absent: %s\n", name,
                          json_string_value(json_object_get(p, "absent")));
            continue;
        }
        assert_string_equal(json_string_value(json_object_get(p, "verdict")), "accepts");
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            const char *got = said(o, table[i].what, name);
            if (!got || strcmp(got, table[i].reading) != 0)
                fail_msg("%s reads %s as %s", name, table[i].what, got ? got : "nothing");
        }
    }
    json_decref(o);
}

static void shows_a_grid(void **state)
{
    (void)state;
    char out[8192];
    const char *path = file_of(good, sizeof good - 1);
    assert_int_equal(diff(out, sizeof out, NULL, path), 0);
    assert_non_null(strstr(out, "  verdict        accepts"));
    assert_non_null(strstr(out, "  via port       8080"));
    assert_non_null(strstr(out, "1 compared: 1 agree, 0 disagree\n"));
    assert_null(strchr(out, '\033')); /* no colour: this is no terminal */
    assert_null(strchr(out, '!'));
    unlink(path);
}

static void marks_disagreement(void **state)
{
    (void)state;
    char out[8192];
    json_t *o = diff_json(good, sizeof good - 1, 0), *p;
    size_t i;
    bool absent = false;
    json_array_foreach(json_object_get(o, "peers"), i, p) absent =
        absent || json_object_get(p, "absent");
    json_decref(o);
    if (absent) {
        print_message("           skipped: a peer is absent\n");
        skip();
    }
    o = diff_json(left_over, sizeof left_over - 1, 1);
    assert_false(json_is_true(json_object_get(o, "agree")));
    p = json_array_get(json_object_get(o, "peers"), 0);
    assert_string_equal(json_string_value(json_object_get(p, "name")), "ref");
    assert_string_equal(json_string_value(json_object_get(p, "verdict")), "refuses");
    assert_non_null(strstr(json_string_value(json_object_get(p, "why")), "body-length at "));
    json_decref(o);
    const char *path = file_of(left_over, sizeof left_over - 1);
    assert_int_equal(diff(out, sizeof out, NULL, path), 1);
    assert_non_null(strstr(out, "! verdict "));
    assert_non_null(strstr(out, "1 compared: 0 agree, 1 disagree\n"));
    unlink(path);
}

static void bad_input(void **state)
{
    (void)state;
    char out[8192], huge[64];
    char *no_file[] = {program, NULL}, option[] = "--colour", *unknown[] = {program, option, NULL};
    assert_int_equal(run(out, sizeof out, no_file), 2);
    assert_non_null(strstr(out, "usage: sipws-diff"));
    assert_int_equal(run(out, sizeof out, unknown), 2);
    assert_int_equal(diff(out, sizeof out, NULL, "/nonexistent"), 2);
    assert_non_null(strstr(out, "/nonexistent: No such file"));
    assert_int_equal(diff(out, sizeof out, NULL, dir), 2);
    assert_non_null(strstr(out, "Is a directory"));

    /* No octet, a NUL, and octets that are no text: everybody refuses, and nobody crashes. */
    json_decref(diff_json("", 0, 0));
    json_decref(diff_json("\0", 1, 0));
    json_decref(diff_json("\xff\xfe\x81\r\n\r\n", 7, 0));

    snprintf(huge, sizeof huge, "%s/huge", dir);
    int fd = open(huge, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 100 << 20), 0);
    close(fd);
    assert_int_equal(diff(out, sizeof out, NULL, huge), 2);
    assert_non_null(strstr(out, "larger than"));
    unlink(huge);
}

/* The messages that RFC 7118 prints, where its print is sound. */
static void rfc7118(void **state)
{
    (void)state;
    static const char *const sound[] = {"8.1-F3", "8.1-F4", "8.2-F2", "8.2-F4",  "8.2-F5",
                                        "8.2-F7", "8.2-F8", "8.2-F9", "8.2-F10", "8.2-F11"};
    static const char *const others[] = {"8.1-F1.http", "8.1-F2.http", "8.2-F1.sip", "8.2-F3.sip",
                                         "8.2-F6.sip"};
    const char *env = getenv("SIPWS_RFC_DIR");
    char text[1024], out[8192], path[128];
    char python[] = "python3", import[] = SIPWS_ROOT "/corpus/import-rfc";
    char *argv[] = {python, import, text, dir, NULL};
    snprintf(text, sizeof text, "%s/rfc7118.txt", env && *env ? env : SIPWS_ROOT "/../shared/spec");
    if (access(text, R_OK) != 0) {
        print_message("           skipped: there is no %s (set SIPWS_RFC_DIR)\n", text);
        skip();
    }
    assert_int_equal(run(out, sizeof out, argv), 0);
    for (size_t i = 0; i < sizeof sound / sizeof *sound; i++) {
        snprintf(path, sizeof path, "%s/%s.sip", dir, sound[i]);
        if (diff(out, sizeof out, NULL, path) != 0)
            fail_msg("%s", out);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, others[i]);
        unlink(path);
    }
}

/* ---- peers that behave badly ----------------------------------------------------------------- */

static bool crashes(struct peer_saying *s, const char *p, size_t n)
{
    (void)p, (void)n;
    peer_say_text(s, PEER_METHOD, "half");
    signal(SIGABRT, SIG_DFL);
    abort();
}

static bool leaves(struct peer_saying *s, const char *p, size_t n)
{
    (void)s, (void)p, (void)n;
    _exit(0);
}

static bool hangs(struct peer_saying *s, const char *p, size_t n)
{
    (void)n;
    peer_say_text(s, PEER_METHOD, "half");
    while (p)
        pause();
    return false;
}

static bool prints(struct peer_saying *s, const char *p, size_t n)
{
    puts("PEER OUTPUT");
    fflush(stdout);
    peer_say(s, PEER_METHOD, p, n);
    peer_say_text(s, PEER_WHY, NULL);
    peer_say_number(s, PEER_STATUS, 18446744073709551615ull);
    return true;
}

static bool refuses(struct peer_saying *s, const char *p, size_t n)
{
    peer_say(s, PEER_METHOD, p, n);
    peer_say_text(s, PEER_WHY, "because");
    return false;
}

static void bad_behaviour_is_a_result(void **state)
{
    (void)state;
    struct peer_reading r;
    const struct peer crash = {"crash", "1", NULL, crashes}, leave = {"leave", "1", NULL, leaves},
                      hang = {"hang", "1", NULL, hangs}, print = {"print", "1", NULL, prints},
                      refuse = {"refuse", "1", NULL, refuses}, absent = {"a", "", "not here", NULL};

    assert_true(peer_run(&crash, "x", 1, 20, &r));
    assert_int_equal(r.end, PEER_CRASHES);
    assert_int_equal(r.signal, SIGABRT);
    assert_null(r.rows[PEER_METHOD].p); /* what it said before counts for nothing */
    peer_reading_free(&r);

    assert_true(peer_run(&leave, "x", 1, 20, &r));
    assert_int_equal(r.end, PEER_CRASHES);
    assert_int_equal(r.signal, 0);
    peer_reading_free(&r);

    assert_true(peer_run(&hang, "x", 1, 0.2, &r));
    assert_int_equal(r.end, PEER_HANGS);
    assert_null(r.rows[PEER_METHOD].p);
    peer_reading_free(&r);

    assert_true(peer_run(&print, "a\0b", 3, 20, &r));
    assert_int_equal(r.end, PEER_ACCEPTS);
    assert_int_equal(r.rows[PEER_METHOD].n, 3);
    assert_memory_equal(r.rows[PEER_METHOD].p, "a\0b", 4);
    assert_string_equal(r.rows[PEER_STATUS].p, "18446744073709551615");
    assert_null(r.rows[PEER_WHY].p);
    assert_null(r.rows[PEER_CALL_ID].p);
    peer_reading_free(&r);

    assert_true(peer_run(&refuse, "x", 1, 20, &r));
    assert_int_equal(r.end, PEER_REFUSES);
    assert_null(r.rows[PEER_METHOD].p);
    assert_string_equal(r.rows[PEER_WHY].p, "because");
    peer_reading_free(&r);

    assert_true(peer_run(&absent, "x", 1, 20, &r));
    assert_int_equal(r.end, PEER_ABSENT);
    peer_reading_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_same),
        cmocka_unit_test(shows_a_grid),
        cmocka_unit_test(marks_disagreement),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(rfc7118),
        cmocka_unit_test(bad_behaviour_is_a_result),
    };
    return cmocka_run_group_tests_name("diff", tests, make_dir, remove_dir);
}
