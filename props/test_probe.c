/* sipws-probe: the judge finds each fault that a server can have, without a socket; and the program
 * passes ref's server, fails those that are useless, and refuses what it should not touch. */
#define _POSIX_C_SOURCE 200809L
#include "judge.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the judge ------------------------------------------------------------------------------- */

enum { ARENA = 1 << 22 };

static struct judge judge;
static unsigned char memory[ARENA];

#define GOOD "engine server\nhandshake good\n"
#define OPTIONS                                                                                    \
    "  OPTIONS sip:example.org SIP/2.0\n"                                                          \
    "  Via: SIP/2.0/WS a.invalid;branch=z9hG4bK1\n"                                                \
    "  Max-Forwards: 70\n"                                                                         \
    "  From: <sip:a@example.org>;tag=1\n"                                                          \
    "  To: <sip:example.org>\n"                                                                    \
    "  Call-ID: 1@a.invalid\n"                                                                     \
    "  CSeq: 1 OPTIONS\n"
#define HANDSHAKE(key, line)                                                                       \
    "engine server\nhandshake\n  GET / HTTP/1.1\n  Host: example.org\n  Upgrade: websocket\n"      \
    "  Connection: Upgrade\n  Sec-WebSocket-Key: " key "\n  Sec-WebSocket-Version: 13\n" line

/* What a server sends. */
#define HEAD                                                                                       \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: " DRIVE_ACCEPT "\r\n"
#define AGREED HEAD "Sec-WebSocket-Protocol: sip\r\n\r\n"
#define TAIL                                                                                       \
    "\x8A\x09"                                                                                     \
    "all of it"
#define BYE "\x88\x02\x03\xE8"
#define OK_OF(branch, more)                                                                        \
    "SIP/2.0 200 OK\r\nVia: SIP/2.0/WS a.invalid;branch=" branch "\r\n"                            \
    "From: <sip:a@example.org>;tag=1\r\nTo: <sip:example.org>;tag=2\r\nCall-ID: 1@a.invalid\r\n"   \
    "CSeq: 1 OPTIONS\r\n" more "\r\n"
/* A text frame of 126 octets and more. */
#define TEXT(length, text) "\x81\x7E\x00" length text
#define OK_FRAME           TEXT("\xA2", OK_OF("z9hG4bK1", ""))
_Static_assert(sizeof OK_OF("z9hG4bK1", "") - 1 == 0xA2, "its length");

/* `owed`: what is found, or NULL. `end`: the server ends the stream behind that. */
static const struct {
    const char *title, *story;
    struct sipws_str server;
    bool end;
    const char *found, *on;
} cases[] = {
#define CASE(title, story, server, end, found, on)                                                 \
    {                                                                                              \
        title, story, {server, sizeof(server) - 1}, end, found, on                                 \
    }
    CASE("a sound one", GOOD "sip\n" OPTIONS "ping \"a\"\n",
         AGREED OK_FRAME "\x8A\x01"
                         "a" TAIL BYE,
         true, NULL, ""),
    CASE("pings may share a pong", GOOD "ping \"a\"\nping \"b\"\n", AGREED TAIL BYE, true, NULL,
         ""),
    CASE("404", GOOD, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", true,
         "handshake-refused", ""),
    CASE("silence", GOOD, "", false, "handshake-refused", ""),
    CASE("no subprotocol", GOOD, HEAD "\r\n" TAIL BYE, true, "handshake-answer", "http-no-sip"),
    CASE("another subprotocol", GOOD, HEAD "Sec-WebSocket-Protocol: gossip\r\n\r\n" TAIL BYE, true,
         "handshake-answer", "http-no-sip"),
    CASE("an extension", GOOD,
         HEAD "Sec-WebSocket-Protocol: sip\r\nSec-WebSocket-Extensions: x\r\n\r\n" TAIL BYE, true,
         "handshake-answer", "http-extension"),
    CASE("takes a short key", HANDSHAKE("AAAA", "  Sec-WebSocket-Protocol: sip\n"), AGREED, false,
         "handshake-taken", "http-key"),
    CASE("refuses a short key", HANDSHAKE("AAAA", "  Sec-WebSocket-Protocol: sip\n"),
         "HTTP/1.1 400 Bad Request\r\n\r\n", true, NULL, ""),
    CASE("a fold may be mended",
         HANDSHAKE(DRIVE_KEY, "  Sec-WebSocket-Protocol: sip\n  X: a\n  \\x20b\n"), AGREED, false,
         NULL, ""),
    CASE("gossip is no sip", HANDSHAKE(DRIVE_KEY, "  Sec-WebSocket-Protocol: gossip\n"), AGREED,
         false, "protocol-taken", "http-no-sip"),
    CASE("nor is SIP", HANDSHAKE(DRIVE_KEY, "  Sec-WebSocket-Protocol: SIP\n"), AGREED, false,
         "protocol-taken", "http-no-sip"),
    CASE("takes gossip", HANDSHAKE(DRIVE_KEY, "  Sec-WebSocket-Protocol: gossip\n"),
         HEAD "Sec-WebSocket-Protocol: gossip\r\n\r\n", false, "protocol-none", "http-no-sip"),
    CASE("says nothing to no handshake", HANDSHAKE("AAAA", "  Sec-WebSocket-Protocol: sip\n"), "",
         false, "handshake-silence", "http-key"),
    CASE("a masked frame", GOOD, AGREED "\x81\x80\0\0\0\0", false, "frames", "ws-masked"),
    CASE("no frame", GOOD "text \"\\r\\n\\r\\n\"\n", AGREED "\r\n", false, "frames", "ws-opcode"),
    CASE("a close code that is none", GOOD, AGREED "\x88\x02\x03\xED", true, "frames",
         "ws-close-code"),
    CASE("reads on", GOOD "ping rsv=1 \"a\"\n", AGREED TAIL, false, "fault-taken", "ws-rsv"),
    CASE("stays", GOOD "ping rsv=1 \"a\"\n", AGREED, false, "fault-stays", "ws-rsv"),
    CASE("ends", GOOD "ping rsv=1 \"a\"\n", AGREED, true, NULL, ""),
    CASE("another code", GOOD "ping rsv=1 \"a\"\n", AGREED BYE, true, "fault-code", "ws-rsv"),
    CASE("the right code", GOOD "ping rsv=1 \"a\"\n", AGREED "\x88\x02\x03\xEA", true, NULL, ""),
    CASE("says so and stays", GOOD "ping rsv=1 \"a\"\n", AGREED "\x88\x02\x03\xEA", false,
         "close-stays", "ws-rsv"),
    CASE("a huge length is its own business", GOOD "text length=4611686018427387904\n", AGREED,
         false, NULL, ""),
    CASE("ends at a request", GOOD "sip\n" OPTIONS, AGREED, true, "ended", "plain"),
    CASE("ends at a binary one", GOOD "sip binary\n" OPTIONS, AGREED, true, "ended", "binary"),
    CASE("ends at a pong", GOOD "pong\n", AGREED, true, "ended", "pong"),
    CASE("may end at what is no SIP", GOOD "text \"no SIP\"\n", AGREED, true, NULL, ""),
    CASE("closes", GOOD "sip\n" OPTIONS, AGREED BYE, true, "closed", "plain"),
    CASE("finds it too large", GOOD "sip\n" OPTIONS, AGREED "\x88\x02\x03\xF1", true, NULL, ""),
    CASE("no pong", GOOD "ping \"a\"\n", AGREED, false, "pong-missing", "ping"),
    CASE("an empty pong", GOOD "ping \"a\"\n", AGREED "\x8A\0\x8A\0", false, "pong-other", "ping"),
    CASE("no close frame", GOOD "close 1000\n", AGREED, true, "close-unanswered", ""),
    CASE("no answer to a close", GOOD "close 1000\n", AGREED, false, "close-unanswered", ""),
    CASE("another close code", GOOD "close 1001\n", AGREED BYE, true, "close-code", ""),
    CASE("1000 for none", GOOD "close\n", AGREED BYE, true, NULL, ""),
    CASE("a stream that stays", GOOD "close 1000\n", AGREED BYE, false, "close-stays", ""),
    CASE("ends at CRLF CRLF", GOOD "text \"\\r\\n\\r\\n\"\n", AGREED, true, "keepalive-answer",
         "CRLF CRLF"),
    CASE("CRLF", GOOD "text \"\\r\\n\\r\\n\"\n", AGREED "\x81\x02\r\n" TAIL BYE, true, NULL, ""),
    CASE("no response", GOOD "sip\n" OPTIONS, AGREED TAIL BYE, true, "answer-missing", "plain"),
    CASE("none to one in fragments",
         GOOD "text more \"OPTIONS sip:example.org SIP/2.0\\r\\nVia: \"\n"
              "continuation\n"
              "  SIP/2.0/WS a.invalid;branch=z9hG4bK1\n"
              "  Max-Forwards: 70\n"
              "  From: <sip:a@example.org>;tag=1\n"
              "  To: <sip:example.org>\n"
              "  Call-ID: 1@a.invalid\n"
              "  CSeq: 1 OPTIONS\n"
              "  \\r\\n\\\n",
         AGREED TAIL BYE, true, "answer-missing", "fragmented"),
    CASE("one of another branch", GOOD "sip\n" OPTIONS,
         AGREED OK_FRAME TEXT("\xA2", OK_OF("z9hG4bK2", "")) TAIL BYE, true, "answer-unasked", ""),
    CASE("a response to a pong", GOOD "pong\n", AGREED OK_FRAME TAIL BYE, true, "answer-unasked",
         ""),
    CASE("200 to a request that is none", GOOD "sip\n" OPTIONS "  Foo: \\x01\n",
         AGREED OK_FRAME TAIL BYE, true, "unsound-taken", "field-value"),
    CASE("an unsound response", GOOD "sip\n" OPTIONS,
         AGREED TEXT("\xAA", OK_OF("z9hG4bK1", "Foo: \x01\r\n")) TAIL BYE, true, "answer-unsound",
         "field-value"),
#undef CASE
};

/* The server's octets come in pieces. */
static void judge_case(size_t i, size_t piece)
{
    struct arena a = {.p = memory, .cap = sizeof memory};
    struct story_error e;
    static char text[4096];
    int n = snprintf(text, sizeof text, "%s%s", STORY_MAGIC, cases[i].story);
    const struct story *s = story_read((struct sipws_str){text, (size_t)n}, &a, &e);
    if (!s)
        fail_msg("%s: %zu:%zu: %s", cases[i].title, e.line, e.column, e.reason);
    assert_true(judge_open(&judge, s, &a));
    struct sipws_str left = cases[i].server;
    while (left.n > 0) {
        struct sipws_str now = {left.p, left.n < piece ? left.n : piece};
        judge_read(&judge, now);
        left = sipws_slice(left.p + now.n, left.p + left.n);
    }
    if (cases[i].end) {
        if (judge_may_close(&judge) || (judge.closed && judge.ponged))
            judge_closing(&judge);
        judge_end(&judge);
    }
    judge_findings(&judge);
}

static void each_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        judge_case(i, SIZE_MAX);
        const struct judge_finding *f = judge.found;
        if (judge.found_n > (cases[i].found ? 1 : 0))
            fail_msg("%s: also %s %s: %s", cases[i].title,
                     judge_rules[f[judge.found_n - 1].rule].id, f[judge.found_n - 1].on,
                     f[judge.found_n - 1].detail);
        if (cases[i].found && judge.found_n == 0)
            fail_msg("%s: nothing was found", cases[i].title);
        if (cases[i].found && (strcmp(judge_rules[f->rule].id, cases[i].found) != 0 ||
                               strcmp(f->on, cases[i].on) != 0))
            fail_msg("%s: found %s \"%s\", not %s \"%s\"", cases[i].title, judge_rules[f->rule].id,
                     f->on, cases[i].found, cases[i].on);
    }
}

/* "gone" is the program's. */
static void each_rule_has_a_case(void **state)
{
    (void)state;
    for (size_t r = 0; r < JUDGE_RULES; r++) {
        bool has = r == JUDGE_GONE;
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            has = has || (cases[i].found && strcmp(cases[i].found, judge_rules[r].id) == 0);
        if (!has)
            fail_msg("no case shows %s", judge_rules[r].id);
    }
}

/* However the octets of the server are cut. */
static void octet_by_octet(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        judge_case(i, SIZE_MAX);
        size_t found = judge.found_n;
        judge_case(i, 1);
        assert_int_equal(judge.found_n, found);
    }
}

/* ---- the program ----------------------------------------------------------------------------- */

static char out[1 << 18];

/* Runs a command to its end: its output, and its exit status. */
static int run(const char *command)
{
    FILE *f = popen(command, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, sizeof out - 1, f);
    out[n] = '\0';
    int status = pclose(f);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The probe against a server that speaks on standard input and output. */
static int probe(const char *server, const char *options)
{
    char command[4096];
    int to[2], from[2];
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[0]), close(to[1]), close(from[0]), close(from[1]);
        snprintf(command, sizeof command, "exec " SIPWS_ROOT "/props/probe/inetd 0 %s", server);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(to[0]), close(from[1]);
    FILE *f = fdopen(from[0], "r");
    unsigned port = 0;
    assert_int_equal(fscanf(f, "%u", &port), 1);
    snprintf(command, sizeof command, SIPWS_BIN "/sipws-probe ws://127.0.0.1:%u %s 2>&1", port,
             options);
    int status = run(command);
    close(to[1]); /* it ends then */
    fclose(f);
    waitpid(pid, NULL, 0);
    return status;
}

static void ref_passes(void **state)
{
    (void)state;
    int status = probe(SIPWS_BIN "/example_server", "--stories 150 --patience 10000");
    if (status != 0)
        fail_msg("status %d: %s", status, out);
    assert_non_null(strstr(out, "150 stories, 0 not as they must be"));
}

/* The vectors that are told to a server. */
static void vectors(void **state)
{
    (void)state;
    int status = probe(SIPWS_BIN "/example_server",
                       "--patience 10000 " SIPWS_ROOT "/corpus/vectors/stories/*.story");
    if (status != 0)
        fail_msg("status %d: %s", status, out);
    assert_non_null(strstr(out, "w01-top-bit.story: as it should be"));
}

#define STRAWMAN SIPWS_ROOT "/props/probe/strawman "
#define STORIES  SIPWS_ROOT "/corpus/vectors/stories/"

/* Useless in different ways: each fails by what it lacks. */
static void strawmen_fail(void **state)
{
    (void)state;
    static const struct {
        const char *server, *options, *found;
    } strawmen[] = {
        {"cat", "--stories 1", "handshake-refused"},
        {"true", "--stories 1", "handshake-refused"},
        {"sh -c 'cat >/dev/null'", "--stories 1", "handshake-refused"},
        {STRAWMAN "deaf", "--stories 3", "pong-missing"},
        {STRAWMAN "echo", "--stories 3", "frames ws-masked"},
        {STRAWMAN "pong", "--stories 3", "answer-missing"},
        {STRAWMAN "lax", STORIES "w11-opcode-reserved.story", "fault-taken ws-opcode"},
        {STRAWMAN "lax", STORIES "w08-ping-of-126.story", "frames ws-control-long"},
    };
    for (size_t i = 0; i < sizeof strawmen / sizeof *strawmen; i++) {
        int status = probe(strawmen[i].server, strawmen[i].options);
        if (status != 1 || !strstr(out, strawmen[i].found))
            fail_msg("%s: status %d, no %s: %s", strawmen[i].server, status, strawmen[i].found,
                     out);
    }
}

/* A server that serves two connections, of which the program needs one to see that it listens. */
static void who_is_gone_is_missed(void **state)
{
    (void)state;
    char twice[] = "/tmp/sipws-probe-XXXXXX", one[64], two[64], server[512];
    assert_non_null(mkdtemp(twice));
    snprintf(one, sizeof one, "%s/1", twice);
    snprintf(two, sizeof two, "%s/2", twice);
    assert_int_equal(mkdir(one, 0700) | mkdir(two, 0700), 0);
    snprintf(server, sizeof server,
             "sh -c 'rmdir %s 2>/dev/null || rmdir %s 2>/dev/null && exec %s/example_server'", one,
             two, SIPWS_BIN);
    int status = probe(server, "--stories 5 --patience 10000");
    if (status != 1 || !strstr(out, "gone") || !strstr(out, "and did not come back"))
        fail_msg("status %d: %s", status, out);
    assert_int_equal(rmdir(twice), 0);
}

static void is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *why;
    } refused[] = {
        {"ws://192.0.2.1:80", "no loopback address"},
        {"wss://127.0.0.1:443", "TLS is not spoken here"},
        {"ws://127.0.0.1", "the port is missing"},
        {"http://127.0.0.1:80", "no ws://HOST:PORT"},
        {"ws://127.0.0.1:1", "nobody listens"},
        {"", "it is missing"},
        {"--stories x ws://127.0.0.1:1", "no number of stories"},
        {"--nonsense ws://127.0.0.1:1", "unknown option"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char command[512];
        snprintf(command, sizeof command, SIPWS_BIN "/sipws-probe %s 2>&1", refused[i].arguments);
        assert_int_equal(run(command), 2);
        if (!strstr(out, refused[i].why))
            fail_msg("%s: %s", refused[i].arguments, out);
    }
    assert_int_equal(run(SIPWS_BIN "/sipws-probe --rules"), 0);
    assert_non_null(strstr(out, "pong-missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case),
        cmocka_unit_test(each_rule_has_a_case),
        cmocka_unit_test(octet_by_octet),
        cmocka_unit_test(ref_passes),
        cmocka_unit_test(vectors),
        cmocka_unit_test(strawmen_fail),
        cmocka_unit_test(who_is_gone_is_missed),
        cmocka_unit_test(is_refused),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
