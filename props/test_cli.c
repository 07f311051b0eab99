/* The program sipws, run as people run it: arguments, files and pipes in; octets, complaints and
 * exit statuses out. */
#define _DEFAULT_SOURCE 1   /* wait4 */
#define _XOPEN_SOURCE   700 /* pseudo-terminals */
#include "gen_msg.h"
#include "ws.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define SIPWS SIPWS_BIN "/sipws"

/* ---- running it ------------------------------------------------------------------------------ */

struct run {
    int status; /* exit status, or 1000 + signal */
    char *out;  /* NUL-terminated */
    char *err;
    size_t out_n;
    long max_rss; /* KiB */
};

enum { MAX_ARGS = 24, DEADLINE = 60 };

static char *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t cap = 1 << 16, used = 0, got;
    char *p = malloc(cap + 1);
    assert_non_null(p);
    while ((got = fread(p + used, 1, cap - used, f)) > 0) {
        used += got;
        if (used == cap) {
            cap *= 2;
            p = realloc(p, cap + 1);
            assert_non_null(p);
        }
    }
    fclose(f);
    p[used] = '\0';
    if (n)
        *n = used;
    return p;
}

static void spill(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

#define FILE_OF(path, literal) spill((path), "" literal, sizeof(literal) - 1)

static void child_env(void)
{
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    /* Under AddressSanitizer: keep little of what is freed, to see what is not. */
    const char *more = getenv("ASAN_OPTIONS");
    char options[512];
    snprintf(options, sizeof options, "%s%squarantine_size_mb=1", more ? more : "",
             more && *more ? ":" : "");
    setenv("ASAN_OPTIONS", options, 1);
}

static pid_t start(int in, int out, int err, char **argv)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0)
        return pid;
    child_env();
    alarm(DEADLINE);
    signal(SIGPIPE, SIG_DFL); /* as a shell has it */
    int fds[] = {in, out, err};
    for (int i = 0; i < 3; i++) {
        if (fds[i] < 0)
            close(i);
        else if (dup2(fds[i], i) < 0)
            _exit(99);
    }
    execv(SIPWS, argv);
    _exit(98);
}

static int wait_for(pid_t pid, long *max_rss)
{
    int status;
    struct rusage usage;
    while (wait4(pid, &status, 0, &usage) < 0)
        assert_int_equal(errno, EINTR);
    if (max_rss)
        *max_rss = usage.ru_maxrss;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Runs sipws with the arguments up to NULL, its standard input from the file `in`. */
static struct run run_from(const char *in, ...)
{
    char *argv[MAX_ARGS] = {NULL};
    char sipws[] = "sipws";
    va_list args;
    argv[0] = sipws;
    va_start(args, in);
    for (int i = 1; i < MAX_ARGS - 1 && (argv[i] = va_arg(args, char *)); i++)
        ;
    va_end(args);
    int fd[3] = {open(in, O_RDONLY | O_CLOEXEC),
                 open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600),
                 open("err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    assert_true(fd[0] >= 0 && fd[1] >= 0 && fd[2] >= 0);
    struct run r = {0, NULL, NULL, 0, 0};
    r.status = wait_for(start(fd[0], fd[1], fd[2], argv), &r.max_rss);
    for (int i = 0; i < 3; i++)
        close(fd[i]);
    r.out = slurp("out", &r.out_n);
    r.err = slurp("err", NULL);
    return r;
}

#define RUN(...) run_from("/dev/null", __VA_ARGS__, NULL)

static void done(struct run *r)
{
    free(r->out);
    free(r->err);
}

/* Runs, and expects the status, all of standard output, and a part of standard error ("": nothing
 * at all). NULL: anything. */
static void expect(struct run r, int status, const char *out, const char *err)
{
    if (r.status != status || (out && strcmp(r.out, out) != 0) ||
        (err && (*err ? !strstr(r.err, err) : r.err[0] != '\0')))
        fail_msg("status %d, not %d\n--- stdout\n%s\n--- wanted\n%s\n--- stderr\n%s\n--- wanted "
                 "there\n%s",
                 r.status, status, r.out, out ? out : "(anything)", r.err,
                 err ? err : "(anything)");
    done(&r);
}

static int setup(void **state)
{
    static char dir[] = "/tmp/test_cli.XXXXXX";
    *state = dir;
    return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

/* ---- messages -------------------------------------------------------------------------------- */

#define OPTIONS_WITH(more)                                                                         \
    "OPTIONS sip:carol@chicago.example.com SIP/2.0\r\n"                                            \
    "Via: SIP/2.0/WSS df7.invalid;branch=z9hG4bK77\r\n"                                            \
    "Max-Forwards: 70\r\n"                                                                         \
    "To: <sip:carol@chicago.example.com>\r\n"                                                      \
    "From: Alice <sip:alice@atlanta.example.com>;tag=19\r\n"                                       \
    "Call-ID: a84b4c76e66710\r\n"                                                                  \
    "CSeq: 63104 OPTIONS\r\n" more "\r\n"

#define HEX32 "0123456789abcdef0123456789abcdef"

static const char options_msg[] = OPTIONS_WITH("");

/* The same, said otherwise: compact names, case, folding, white space, addr-spec, rows. */
static const char options_twin[] =
    "OPTIONS sip:carol@CHICAGO.example.com SIP/2.0\r\n"
    "v: SIP / 2.0 / WSS\r\n\tDF7.invalid ; branch=z9hG4bK77\r\n"
    "MAX-FORWARDS:070\r\n"
    "t:sip:carol@chicago.example.com\r\n"
    "F:   Alice\r\n  <SIP:alice@atlanta.example.com> ;\r\n tag = 19\r\n"
    "i:\r\n a84b4c76e66710\r\n"
    "cseq: 0063104\tOPTIONS\r\n"
    "\r\n";

static const char invite_msg[] =
    "INVITE sip:bob:%70@Example.com:5060;transport=WS;x SIP/2.0\r\n"
    "Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks;rport\r\n"
    "Via: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bK1;received=192.0.2.4\r\n"
    "Record-Route: <sip:p1.example.com;transport=ws;lr>,<sip:p2.example.com;lr>\r\n"
    "Max-Forwards: 69\r\n"
    "From: \"Alice \\\"A\\\" \xC3\x85\" "
    "<sip:alice:pw@example.com:5060;user=phone>;tag=asdyka899\r\n"
    "To: sip:bob@example.com;tag=x\r\n"
    "Call-ID: asidkj3ss@host\r\n"
    "CSeq: 4294967 INVITE\r\n"
    "Contact: "
    "<sip:alice@df7jal23ls0d.invalid;transport=ws;ob?subject=a%20b&x=>;+sip.instance=\"<urn:uuid:"
    "f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\";expires=60\r\n"
    "Accept: application/sdp;level=1, text/*;q=0.5, */*\r\n"
    "Accept-Language: en-gb;q=0.8, *\r\n"
    "Supported:\r\n"
    "Allow: INVITE, ACK,BYE\r\n"
    "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"
    "Timestamp: 54.5 0.2\r\n"
    "Retry-After: 18000 (in a (short) meeting);duration=3600\r\n"
    "Warning: 307 isi.example.com \"what \\\"is\\\" this\", 301 [2001:db8::1]:80 \"x\"\r\n"
    "Call-Info: <http://www.example.com/alice/photo.jpg>;purpose=icon\r\n"
    "Authorization: Digest username=\"bob\", realm=\"atlanta.example.com\",\r\n"
    " nonce=\"84f1c1ae\", uri=\"sips:ss2.biloxi.example.com\", response=\"" HEX32 "\"\r\n"
    "Subject: a  b \xC3\xA9\r\n"
    "X-Odd: :;,<>\"\r\n"
    "X-Empty:\r\n"
    "Content-Type: application/sdp\r\n"
    "Content-Length: 7\r\n"
    "\r\n"
    "v=0\r\n\xFF\0";

static const char unauthorized_msg[] =
    "SIP/2.0 401 Unauthor%69zed \xC3\xA9\r\n"
    "Via: SIP/2.0/WS df7.invalid;branch=z9hG4bK77;received=::1\r\n"
    "To: <sip:carol@chicago.example.com>;tag=8\r\n"
    "From: <tel:+1-201-555-0123>;tag=19\r\n"
    "Call-ID: a84b4c76e66710\r\n"
    "CSeq: 2 REGISTER\r\n"
    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"a b\",\r\n"
    "  algorithm = SHA-256 , qop=\"auth,auth-int\", stale=FALSE\r\n"
    "WWW-Authenticate: Digest realm=\"example.com\", nonce=\"c\", algorithm=MD5\r\n"
    "Error-Info: <sip:not-here@example.com;lr>\r\n"
    "Unsupported: a, b\r\n"
    "unsupported: c\r\n"
    "Server: A/1 (c) B\r\n"
    "\r\n";

static const char prack_msg[] =
    "PRACK sip:bob@192.0.2.4 SIP/2.0\r\n"
    "Via: SIP/2.0/WS df7.invalid;branch=z9hG4bK77\r\n"
    "Max-Forwards: 0\r\n"
    "To: <sip:bob@example.com>;tag=8\r\n"
    "From: <sip:alice@example.com>;tag=19\r\n"
    "Call-ID: 1\r\n"
    "CSeq: 2 PRACK\r\n"
    "RAck: 776656 1 INVITE\r\n"
    "Authentication-Info: nextnonce=\"47364c23432d2e131a5fb210812c\", qop=auth\r\n"
    "\r\n";

static const char register_star[] = "REGISTER sip:example.com SIP/2.0\r\n"
                                    "Via: SIP/2.0/WS df7.invalid;branch=z9hG4bK77\r\n"
                                    "Max-Forwards: 70\r\n"
                                    "To: <sip:alice@example.com>\r\n"
                                    "From: <sip:alice@example.com>;tag=19\r\n"
                                    "Call-ID: 1\r\n"
                                    "CSeq: 2 REGISTER\r\n"
                                    "Contact: *\r\n"
                                    "Expires: 0\r\n"
                                    "\r\n";

static const struct {
    const char *p;
    size_t n;
} messages[] = {
    {options_msg, sizeof options_msg - 1}, {options_twin, sizeof options_twin - 1},
    {invite_msg, sizeof invite_msg - 1},   {unauthorized_msg, sizeof unauthorized_msg - 1},
    {prack_msg, sizeof prack_msg - 1},     {register_star, sizeof register_star - 1}};

enum { MESSAGES = sizeof messages / sizeof *messages };

/* ---- the command line ------------------------------------------------------------------------ */

static void version_and_help(void **state)
{
    (void)state;
    static const char *const commands[] = {"lint", "parse", "print", "frames", "explain"};
    /* The version is told in two places, for a program that is built by hand. */
    char *cmake = slurp(SIPWS_ROOT "/CMakeLists.txt", NULL);
    char *at = strstr(cmake, "project(sipws VERSION "), want[32];
    assert_non_null(at);
    assert_int_equal(sscanf(at, "project(sipws VERSION %15[0-9.]", want), 1);
    char line[64];
    snprintf(line, sizeof line, "sipws %s\n", want);
    free(cmake);
    expect(RUN("--version"), 0, line, "");

    struct run r = RUN("--help");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        assert_non_null(strstr(r.out, commands[i]));
        snprintf(line, sizeof line, "usage: sipws %s ", commands[i]);
        struct run help = RUN(commands[i], "--help");
        assert_int_equal(help.status, 0);
        assert_string_equal(help.err, "");
        assert_ptr_equal(strstr(help.out, line), help.out);
        done(&help);
    }
    /* Without a command the same text is a complaint. */
    expect(run_from("/dev/null", NULL), 2, "", r.out);
    done(&r);
}

static void wrong_use(void **state)
{
    (void)state;
    FILE_OF("-odd", "x");
    expect(RUN("lintt"), 2, "", "there is no command 'lintt'; did you mean lint?");
    expect(RUN("brew-tea"), 2, "", "there is no command 'brew-tea'\n");
    expect(RUN("--version", "x"), 2, "", "--version stands alone");
    expect(RUN("lint"), 2, "", "FILE is missing");
    expect(RUN("parse"), 2, "", "FILE is missing");
    expect(RUN("print"), 2, "", "FILE is missing");
    expect(RUN("frames"), 2, "", "FILE is missing");
    expect(RUN("parse", "a", "b"), 2, "", "one FILE at a time");
    expect(RUN("print", "a", "b"), 2, "", "one FILE at a time");
    expect(RUN("frames", "a", "b"), 2, "", "one FILE at a time");
    expect(RUN("lint", "-", "-"), 2, "", "standard input can be read only once");
    expect(RUN("lint", "--jsno", "x"), 2, "", "there is no option --jsno; did you mean --json?");
    expect(RUN("lint", "-odd"), 2, "", "there is no option -odd (a file of that name: ./-odd)");
    expect(RUN("lint", "--json=yes", "x"), 2, "", "--json takes no value");
    expect(RUN("lint", "x", "--allow"), 2, "", "--allow wants a value");
    expect(RUN("lint", "--allow", "bare-fl", "x"), 2, "", "'bare-fl'; did you mean bare-lf?");
    expect(RUN("lint", "--allow", "\x1B[31m", "x"), 2, "", "'\\x1b[31m'");
    expect(RUN("lint", "--transport", "udp", "x"), 2, "", "--transport is any, ws or wss");
    expect(RUN("parse", "--transport=WS", "x"), 2, "", "not 'WS'");
    expect(RUN("lint", "--limit", "0", "x"), 2, "", "'0' is not a number of octets");
    expect(RUN("lint", "--limit", "1k", "x"), 2, "", "'1k' is not a number of octets");
    expect(RUN("lint", "--limit", "", "x"), 2, "", "'' is not a number of octets");
    expect(RUN("lint", "--limit", "99999999999999999999999", "x"), 2, "", "is not a number");
    expect(RUN("frames", "--role", "peer", "x"), 2, "", "--role is server or client, not 'peer'");
    expect(RUN("print", "--json", "x"), 2, "", "there is no option --json");
    expect(RUN("explain", "lin-end"), 2, "", "'lin-end'; did you mean line-end?");
    expect(RUN("explain", "zzzzzzzz"), 2, "", "there is no error 'zzzzzzzz'\n");
    /* Behind "--" a dash starts a name. */
    expect(RUN("lint", "--", "-odd"), 1, NULL, "");
}

/* ---- bad input ------------------------------------------------------------------------------- */

static const char *const readers[] = {"lint", "parse", "print", "frames"};

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    FILE_OF("secret", "x");
    assert_int_equal(chmod("secret", 0), 0);
    for (size_t i = 0; i < 4; i++) {
        expect(RUN(readers[i], "missing"), 2, NULL, "missing: No such file or directory\n");
        expect(RUN(readers[i], "/"), 2, NULL, "/: Is a directory\n");
        expect(RUN(readers[i], "secret/x"), 2, NULL, "secret/x: Not a directory\n");
        expect(RUN(readers[i], ""), 2, NULL, ": No such file or directory\n");
        expect(RUN(readers[i], "a\nb\xFF\x1B"), 2, NULL, "a\\nb\\xff\\x1b: No such file");
        expect(run_from("/", readers[i], "-", NULL), 2, NULL, "standard input: Is a directory\n");
        if (geteuid() != 0)
            expect(RUN(readers[i], "secret"), 2, NULL, "secret: Permission denied\n");
    }
    expect(RUN("parse", "missing"), 2, "", NULL);
    expect(RUN("print", "missing"), 2, "", NULL);
    expect(RUN("frames", "missing"), 2, "", NULL);
    expect(RUN("lint", "--json", "missing"), 2, "", NULL);
}

static void octets_of_any_kind(void **state)
{
    (void)state;
    static char noise[70000];
    FILE_OF("empty", "");
    FILE_OF("nul", "\0\0\0\0");
    expect(RUN("lint", "empty"), 1, NULL, "");
    expect(RUN("parse", "empty"), 1, "", "[empty]");
    expect(RUN("print", "empty"), 1, "", "empty:1:");
    expect(RUN("frames", "empty"), 0, "", ""); /* a stream of no frames is whole */
    expect(RUN("lint", "nul"), 1, NULL, "");
    expect(RUN("parse", "nul"), 1, "", "\\x00\\x00\\x00\\x00\n");
    expect(RUN("print", "nul"), 1, "", "nul:1:");
    expect(RUN("frames", "nul"), 1, NULL, "");

    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++) {
        seed = seed * 1664525 + 1013904223;
        noise[i] = (char)(seed >> 24);
    }
    for (size_t n = 1; n <= sizeof noise; n = n * 3 + 1) {
        spill("noise", noise, n);
        for (size_t i = 0; i < 4; i++) {
            struct run r = RUN(readers[i], "noise");
            assert_int_equal(r.status, 1);
            done(&r);
        }
    }
    /* Each command with what is meant for another. */
    spill("a.sip", options_msg, sizeof options_msg - 1);
    FILE_OF("a.json", "{\"a\": [1, 2]}");
    FILE_OF("a.frame", "\x81\x82\x01\x02\x03\x04\x05\x06");
    expect(RUN("print", "a.sip"), 1, "", "a.sip:1:");
    expect(RUN("frames", "a.sip"), 1, NULL, "");
    expect(RUN("lint", "a.json"), 1, NULL, "");
    expect(RUN("frames", "a.json"), 1, NULL, "");
    expect(RUN("lint", "a.frame"), 1, NULL, "");
    expect(RUN("print", "a.frame"), 1, "", "a.frame:1:");
}

static void a_file_of_100_megabytes(void **state)
{
    (void)state;
    int fd = open("big", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && ftruncate(fd, 100 << 20) == 0 && close(fd) == 0);
    struct run small = RUN("lint", "empty");
    struct run r = RUN("lint", "big");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "[limit-message]"));
    assert_non_null(strstr(r.out, "octet 65536:"));
    assert_true(r.max_rss - small.max_rss < 8 << 10);
    done(&r);
    done(&small);
    expect(RUN("parse", "big"), 1, "", "[limit-message]");
    expect(RUN("print", "big"), 1, "", "big: larger than any reading of a message");
    struct run frames = RUN("frames", "big");
    assert_int_equal(frames.status, 1);
    assert_non_null(strstr(frames.out, "\"event\":\"error\""));
    done(&frames);
    unlink("big");
}

static void message_limit(void **state)
{
    (void)state;
    char limit[24];
    spill("a.sip", options_msg, sizeof options_msg - 1);
    snprintf(limit, sizeof limit, "%zu", sizeof options_msg - 1);
    expect(RUN("lint", "--limit", limit, "a.sip"), 0, "a.sip: valid\n", "");
    snprintf(limit, sizeof limit, "--limit=%zu", sizeof options_msg - 2);
    struct run r = RUN("lint", limit, "a.sip");
    assert_int_equal(r.status, 1);
    assert_non_null(strstr(r.out, "[limit-message]"));
    done(&r);
}

static void pipes(void **state)
{
    (void)state;
    spill("a.sip", options_msg, sizeof options_msg - 1);
    expect(run_from("a.sip", "lint", "-", NULL), 0, "<stdin>: valid\n", "");
    expect(run_from("a.sip", "lint", "--json", "-", NULL), 0,
           "{\"file\":\"-\",\"verdict\":\"valid\",\"diagnostics\":[]}\n", "");
    assert_int_equal(mkfifo("fifo", 0600), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        /* Octet by octet: a short read is not the end. */
        int fd = open("fifo", O_WRONLY);
        for (size_t i = 0; i < sizeof options_msg - 1; i++)
            if (write(fd, &options_msg[i], 1) != 1)
                _exit(1);
        _exit(0);
    }
    expect(RUN("lint", "fifo"), 0, "fifo: valid\n", "");
    assert_int_equal(wait_for(writer, NULL), 0);
    unlink("fifo");
}

/* Runs with standard output to `out`, or closed where it is -1. */
static void lost_output(int out, char **argv, const char *why)
{
    int err = open("err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int status = wait_for(start(STDIN_FILENO, out, err, argv), NULL);
    close(err);
    char *text = slurp("err", NULL);
    if (status != 2 || !strstr(text, why))
        fail_msg("sipws %s: status %d, stderr: %s", argv[1], status, text);
    free(text);
}

static void output_that_cannot_be_written(void **state)
{
    (void)state;
    char sipws[] = "sipws", file[] = "a.sip", frame[] = "a.frame", json[] = "a.json";
    char lint[] = "lint", parse[] = "parse", print[] = "print", frames[] = "frames",
         explain[] = "explain", version[] = "--version";
    spill("a.sip", options_msg, sizeof options_msg - 1);
    FILE_OF("a.frame", "\x81\x82\x01\x02\x03\x04\x69\x6A");
    struct run r = RUN("parse", "a.sip");
    spill("a.json", r.out, r.out_n);
    done(&r);
    char *argvs[][4] = {{sipws, lint, file, NULL},    {sipws, parse, file, NULL},
                        {sipws, print, json, NULL},   {sipws, frames, frame, NULL},
                        {sipws, explain, NULL, NULL}, {sipws, version, NULL, NULL}};
    for (size_t i = 0; i < sizeof argvs / sizeof *argvs; i++) {
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
        if (full >= 0)
            lost_output(full, argvs[i], "standard output: No space left on device\n");
        close(full);
        assert_int_equal(pipe(ends), 0);
        close(ends[0]);
        lost_output(ends[1], argvs[i], "standard output: Broken pipe\n");
        close(ends[1]);
        lost_output(-1, argvs[i], "standard output: Bad file descriptor\n");
    }
}

/* What is opened first takes the place of a closed standard input, and is not what "-" means. */
static void standard_input_is_closed(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"sipws"}, (char[]){"lint"}, (char[]){"a.sip"}, (char[]){"-"}, NULL};
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int err = open("err", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    spill("a.sip", options_msg, sizeof options_msg - 1);
    assert_int_equal(wait_for(start(-1, out, err, argv), NULL), 2);
    close(out);
    close(err);
    char *text = slurp("out", NULL), *said = slurp("err", NULL);
    assert_string_equal(text, "a.sip: valid\n2 files: 1 valid, 0 invalid, 1 not read\n");
    assert_string_equal(said, "sipws lint: standard input: Bad file descriptor\n");
    free(text);
    free(said);
}

/* ---- lint ------------------------------------------------------------------------------------ */

static void lint_golden(void **state)
{
    (void)state;
    FILE_OF("ack.sip", "ACK sip:bob@example.com SIP/2.0\r\n"
                       "Via: SIP/2.0/WS df7.invalid;branch=z9hG4bK77\r\n"
                       "Route: <sip:proxy.example.com;lr>,\r\n"
                       "Max-Forwards: 70\r\n"
                       "To: <sip:bob@example.com>;tag=2\r\n"
                       "From: \tAli\xC3\xA7"
                       "e \xFF <sip:alice@example.com>;tag=1\r\n"
                       "Call-ID: 1\r\n"
                       "CSeq: 5 ACK\r\n"
                       "\r\n");
    expect(RUN("lint", "ack.sip"), 1,
           "ack.sip:3:34: error: a list element is missing: a comma with nothing beside it, or an "
           "empty value [list-element]\n"
           "   3 | Route: <sip:proxy.example.com;lr>,\n"
           "     |                                  ^\n"
           "     = octet 112: found ',', expected an element on both sides of the "
           "comma\n"
           "     = rule: COMMA, RFC 3261 section 20.34\n"
           "     = hint: remove the comma, or add the element\n"
           "ack.sip:6:11: error: a URI has no scheme [uri-scheme]\n"
           "   6 | From: \\tAli\\xc3\\xa7e \\xff <sip:alice@example.com>;tag=1\n"
           "     |            ^~~~\n"
           "     = octet 176: found octet 0xC3, expected a scheme and a colon\n"
           "     = rule: scheme, RFC 3261 section 25.1\n"
           "     = hint: start it with sip:, sips:, tel: or another scheme and a colon\n"
           "ack.sip: invalid, 2 errors\n",
           "");
    FILE_OF("bye.sip", "BYE sip:bob@example.com SIP/2.0\r\n"
                       "Via: SIP/2.0/WS df7.invalid;branch=old\r\n"
                       "Max-Forwards: 70\r\n"
                       "To: <sip:bob@example.com>;tag=2\r\n"
                       "From: <sip:alice@example.com>;tag=1\r\n"
                       "Call-ID: 1\r\n"
                       "CSeq: 5 BYE\r\n"
                       "Content-Length: 0\r\n");
    FILE_OF("short.sip", "OPTIONS sip:example.com SIP/2.0\r\n"
                         "Via: SIP/2.0/WS df7.invalid;branch=z9hG4bK77\r\n"
                         "Max-Forwards: 70\r\n"
                         "To: <sip:bob@example.com>\r\n"
                         "From: <sip:alice@example.com>;tag=1\r\n"
                         "CSeq: 5 OPTIONS\r\n"
                         "\r\n");
    expect(RUN("lint", "short.sip"), 1,
           "short.sip:7:1: error: a mandatory header field is missing: Call-ID [missing-field]\n"
           "   7 | \\r\\n\n"
           "     | ^~~~\n"
           "     = octet 178: found CR LF, expected Call-ID\n"
           "     = rule: Call-ID, RFC 3261 section 8.1.1\n"
           "     = hint: add it\n"
           "short.sip: invalid, 1 error\n",
           "");
    expect(RUN("lint", "bye.sip"), 1,
           "bye.sip:2:36: warning: the branch of the top Via is not z9hG4bK and more "
           "[branch-cookie]\n"
           "   2 | Via: SIP/2.0/WS df7.invalid;branch=old\n"
           "     |                                    ^\n"
           "     = octet 68: found 'o', expected z9hG4bK and more\n"
           "     = rule: via-branch, RFC 3261 section 8.1.1.7\n"
           "     = hint: an element that follows RFC 3261 starts it so, and goes on with a unique "
           "token\n"
           "bye.sip:9:1: error: the empty line after the header fields is missing [no-blank-line]\n"
           "   9 | \n"
           "     | ^\n"
           "     = octet 205: found the end of the input, expected the rest of the line, or CR LF "
           "CR LF\n"
           "     = rule: SIP-message, RFC 3261 section 7\n"
           "     = hint: end the header with CRLF CRLF\n"
           "bye.sip: invalid, 1 error, 1 warning\n",
           "");
}

/* The octet that a diagnostic names, and where it stands. */
static void offsets_lines_and_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *id;
        size_t off, line, column;
        const char *found;
    } cases[] = {
        {"", "empty", 0, 1, 1, "the end of the input"},
        {"OPTIONS  sip:a@b SIP/2.0\r\n\r\n", "start-sp", 8, 1, 9, "a space"},
        {"OPTIONS sip:a@b SIP/3.0\r\n\r\n", "version", 20, 1, 21, "'3'"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA: b\n\r\n", "line-end", 29, 2, 5, "LF"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA: b\rc\r\n\r\n", "line-end", 29, 2, 5, "CR"},
        {"OPTIONS sip:a@b SIP/2.0\r\n\xC3: b\r\n\r\n", "field-name", 25, 2, 1, "octet 0xC3"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA\r\n\r\n", "field-colon", 26, 2, 2, "CR LF"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA: b\r\n c\r\nB\t\r\n\r\n", "field-colon", 37, 4, 3, "CR LF"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA: b\r\n", "no-blank-line", 31, 3, 1, "the end of the input"},
        {"OPTIONS sip:a@b SIP/2.0\r\nA: b", "no-blank-line", 29, 2, 5, "the end of the input"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spill("case.sip", cases[i].text, strlen(cases[i].text));
        struct run r = RUN("lint", "--json", "case.sip");
        json_t *line = json_loads(r.out, 0, NULL), *d = NULL;
        assert_non_null(line);
        assert_int_equal(r.status, 1);
        assert_string_equal(json_string_value(json_object_get(line, "verdict")), "invalid");
        json_t *list = json_object_get(line, "diagnostics");
        for (size_t j = 0; j < json_array_size(list) && !d; j++) {
            json_t *one = json_array_get(list, j);
            if (strcmp(json_string_value(json_object_get(one, "id")), cases[i].id) == 0)
                d = one;
        }
        if (!d)
            fail_msg("case %zu has no %s: %s", i, cases[i].id, r.out);
        assert_int_equal(json_integer_value(json_object_get(d, "offset")), cases[i].off);
        assert_int_equal(json_integer_value(json_object_get(d, "line")), cases[i].line);
        assert_int_equal(json_integer_value(json_object_get(d, "column")), cases[i].column);
        assert_string_equal(json_string_value(json_object_get(d, "found")), cases[i].found);
        json_decref(line);
        done(&r);
    }
}

/* The contract: one object a line, with these keys and no others. */
static void check_lint_line(const char *text, const char *file)
{
    static const char *const keys[] = {"file", "verdict", "diagnostics"};
    static const char *const strings[] = {"id",      "severity", "rule",     "rfc",
                                          "message", "found",    "expected", "hint"};
    static const char *const numbers[] = {"offset", "line", "column"};
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        fail_msg("%s: %s", error.text, text);
    assert_int_equal(json_object_size(line), 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(json_object_get(line, keys[i]));
    assert_string_equal(json_string_value(json_object_get(line, "file")), file);
    const char *verdict = json_string_value(json_object_get(line, "verdict"));
    assert_non_null(verdict);
    json_t *list = json_object_get(line, "diagnostics");
    assert_true(json_is_array(list));
    size_t errors = 0;
    json_int_t last = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *d = json_array_get(list, i);
        assert_int_equal(json_object_size(d), 11);
        for (size_t k = 0; k < 7; k++)
            assert_true(json_is_string(json_object_get(d, strings[k])));
        for (size_t k = 0; k < 3; k++)
            assert_true(json_is_integer(json_object_get(d, numbers[k])));
        const char *severity = json_string_value(json_object_get(d, "severity"));
        assert_true(strcmp(severity, "error") == 0 || strcmp(severity, "warning") == 0 ||
                    strcmp(severity, "note") == 0);
        errors += strcmp(severity, "error") == 0;
        unsigned rfc, section;
        assert_int_equal(
            sscanf(json_string_value(json_object_get(d, "rfc")), "%u %u", &rfc, &section), 2);
        assert_true(json_string_length(json_object_get(d, "rule")) > 0);
        /* By offset, from the top of the message to its end. */
        assert_true(json_integer_value(json_object_get(d, "offset")) >= last);
        last = json_integer_value(json_object_get(d, "offset"));
        assert_true(json_integer_value(json_object_get(d, "line")) >= 1);
        assert_true(json_integer_value(json_object_get(d, "column")) >= 1);
    }
    assert_string_equal(verdict, errors > 0 ? "invalid" : "valid");
    json_decref(line);
}

static void lint_json_lines(void **state)
{
    (void)state;
    spill("good.sip", options_msg, sizeof options_msg - 1);
    FILE_OF("bad.sip", "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/WS,\r\nTo: <sip:\r\nA\r\n"
                       "CSeq: x\r\nx y: z\r\n\r\n");
    FILE_OF("warned.sip", "OPTIONS sip:example.com SIP/2.0\r\n"
                          "Via: SIP/2.0/WS df7.invalid;branch=old\r\n"
                          "Max-Forwards: 70\r\n"
                          "To : <sip:bob@example.com>\r\n"
                          "From: <sip:alice@example.com>;tag=1\r\n"
                          "Call-ID: 1\r\n"
                          "CSeq: 5 OPTIONS\r\n"
                          "\r\n");
    FILE_OF("odd\xFF name", "");
    struct run r = RUN("lint", "--json", "good.sip", "bad.sip", "warned.sip", "odd\xFF name");
    static const char *const files[] = {"good.sip", "bad.sip", "warned.sip", "odd\\xff name"};
    assert_int_equal(r.status, 1);
    assert_string_equal(r.err, "");
    char *line = r.out;
    for (size_t i = 0; i < 4; i++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        check_lint_line(line, files[i]);
        if (i == 2)
            assert_non_null(strstr(line, "\"verdict\":\"valid\",\"diagnostics\":[{\"id\":"));
        line = end + 1;
    }
    assert_string_equal(line, "");
    done(&r);
}

static void the_worst_status_wins(void **state)
{
    (void)state;
    spill("good.sip", options_msg, sizeof options_msg - 1);
    FILE_OF("bad.sip", "nothing");
    expect(RUN("lint", "good.sip", "good.sip"), 0,
           "good.sip: valid\ngood.sip: valid\n2 files: 2 valid, 0 invalid\n", "");
    struct run r = RUN("lint", "bad.sip", "missing", "good.sip");
    assert_int_equal(r.status, 2);
    assert_non_null(strstr(r.out, "bad.sip: invalid, "));
    assert_non_null(strstr(r.out, "good.sip: valid\n3 files: 1 valid, 1 invalid, 1 not read\n"));
    assert_string_equal(r.err, "sipws lint: missing: No such file or directory\n");
    done(&r);
    r = RUN("lint", "good.sip", "bad.sip", "good.sip");
    assert_int_equal(r.status, 1);
    done(&r);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

/* However many there are, all are found, and people see the first of them. */
static void many_problems(void **state)
{
    (void)state;
    enum { PROBLEMS = 3000 };
    static const char head[] = "OPTIONS sip:a@b SIP/2.0\r\n";
    char *text = malloc(sizeof head + PROBLEMS * 3 + 2), *p = text, end[64];
    assert_non_null(text);
    memcpy(p, head, sizeof head - 1);
    p += sizeof head - 1;
    for (int i = 0; i < PROBLEMS; i++, p += 3)
        memcpy(p, "x\r\n", 3);
    memcpy(p, "\r\n", 2);
    spill("many.sip", text, (size_t)(p - text) + 2);
    free(text);
    struct run r = RUN("lint", "many.sip");
    size_t shown = count(r.out, ": error: "), total = 0;
    assert_int_equal(r.status, 1);
    assert_int_equal(shown, 256);
    char *verdict = strstr(r.out, "many.sip: invalid, ");
    assert_non_null(verdict);
    assert_int_equal(sscanf(verdict, "many.sip: invalid, %zu errors; the first %60s", &total, end),
                     2);
    assert_true(total >= PROBLEMS);
    assert_non_null(strstr(verdict, "; the first 256 are shown\n"));
    done(&r);
    r = RUN("lint", "--json", "many.sip");
    assert_int_equal(count(r.out, "\"severity\":\"error\""), total);
    check_lint_line(r.out, "many.sip");
    done(&r);
}

/* A long line is cut around the caret, which still stands under its octet. */
static void long_lines(void **state)
{
    (void)state;
    static const char head[] = "OPTIONS sip:a@b SIP/2.0\r\nZ:";
    for (size_t at = 0; at <= 5000; at += 250) {
        char text[6000];
        size_t n = sizeof head - 1;
        memcpy(text, head, n);
        for (size_t i = 0; i < 5001; i++)
            text[n + i] = (char)(i % 7 == 0 ? '\t' : 'a' + i % 26);
        text[n + at] = '\x01';
        memcpy(text + n + 5001, "\r\n\r\n", 5);
        spill("long.sip", text, n + 5005);
        struct run r = RUN("lint", "long.sip");
        char *id = strstr(r.out, "[field-value]\n"), *line = id ? strchr(id, '\n') + 1 : NULL;
        if (!line)
            fail_msg("%s", r.out);
        char *caret_line = strchr(line, '\n') + 1, *caret = strchr(caret_line, '^');
        assert_non_null(caret);
        assert_true(caret_line - line < 120);
        assert_memory_equal(line + (caret - caret_line), "\\x01", 4);
        assert_memory_equal(caret, "^~~~\n", 5);
        done(&r);
    }
}

static void leniencies_and_transports(void **state)
{
    (void)state;
    static const struct {
        const char *bit, *transport, *id, *text;
    } cases[] = {
        {"bare-lf", "any", "line-end", OPTIONS_WITH("A: b\n")},
        {"trailing-wsp", "any", "lws", OPTIONS_WITH("Supported: a \r\n")},
        {"empty-element", "any", "list-element", OPTIONS_WITH("Supported: a,,b\r\n")},
        {"leading-crlf", "any", "leading-crlf", "\r\n\r\n" OPTIONS_WITH("")},
        {"excess-body", "any", "body-length",
         OPTIONS_WITH("Content-Type: text/plain\r\nContent-Length: 1\r\n") "ab"},
        {"via-transport", "ws", "via-transport", OPTIONS_WITH("")},
        {"sips-plain", "ws", "sips-plain",
         "OPTIONS sips:a@example.com SIP/2.0\r\nVia: SIP/2.0/WS df7.invalid;branch=z9hG4bK77\r\n"
         "Max-Forwards: 70\r\nTo: <sips:a@example.com>\r\nFrom: <sips:b@example.com>;tag=1\r\n"
         "Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContact: <sips:b@df7.invalid>\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char id[64];
        snprintf(id, sizeof id, "\"id\":\"%s\"", cases[i].id);
        spill("a.sip", cases[i].text, strlen(cases[i].text));
        struct run r = RUN("lint", "--json", "--transport", cases[i].transport, "a.sip");
        if (r.status != 1 || !strstr(r.out, id))
            fail_msg("%s: status %d: %s", cases[i].bit, r.status, r.out);
        done(&r);
        r = RUN("lint", "--allow", cases[i].bit, "--transport", cases[i].transport, "a.sip");
        if (r.status != 0)
            fail_msg("%s: status %d: %s", cases[i].bit, r.status, r.out);
        done(&r);
        /* parse takes the same options, and what it read can be printed in the strict form. */
        r = RUN("parse", "--allow", cases[i].bit, "--transport", cases[i].transport, "a.sip");
        if (r.status != 0)
            fail_msg("%s: status %d: %s", cases[i].bit, r.status, r.err);
        spill("a.json", r.out, r.out_n);
        done(&r);
        r = RUN("print", "a.json");
        spill("b.sip", r.out, r.out_n);
        if (i == 6 || i == 5)
            expect(RUN("lint", "b.sip"), 0, NULL, "");
        else
            expect(RUN("lint", "--transport", cases[i].transport, "b.sip"), 0, NULL, "");
        done(&r);
    }
    spill("a.sip", options_msg, sizeof options_msg - 1);
    expect(RUN("lint", "--transport=wss", "a.sip"), 0, NULL, "");
    expect(RUN("lint", "--transport=any", "a.sip"), 0, NULL, "");
    expect(RUN("lint", "--transport=ws", "a.sip"), 1, NULL, "");
}

/* Colours are for terminals that want them. */
static bool coloured_on_a_terminal(const char *name, const char *value)
{
    char *argv[] = {(char[]){"sipws"}, (char[]){"lint"}, (char[]){"bad.sip"}, NULL};
    char text[4096];
    size_t n = 0;
    ssize_t got;
    int host = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(host >= 0 && grantpt(host) == 0 && unlockpt(host) == 0);
    int end = open(ptsname(host), O_RDWR | O_NOCTTY);
    assert_true(end >= 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        child_env();
        setenv(name, value, 1);
        if (dup2(end, 1) == 1)
            execv(SIPWS, argv);
        _exit(98);
    }
    assert_int_equal(wait_for(pid, NULL), 1);
    close(end);
    while (n < sizeof text - 1 && (got = read(host, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    close(host);
    text[n] = '\0';
    assert_non_null(strstr(text, "bad.sip"));
    return strchr(text, '\x1B') != NULL;
}

static void colours(void **state)
{
    (void)state;
    FILE_OF("bad.sip", "OPTIONS x\r\n");
    struct run r = RUN("lint", "bad.sip");
    assert_null(strchr(r.out, '\x1B'));
    done(&r);
    assert_true(coloured_on_a_terminal("TERM", "xterm"));
    assert_false(coloured_on_a_terminal("TERM", "dumb"));
    assert_false(coloured_on_a_terminal("NO_COLOR", "1"));
    assert_true(coloured_on_a_terminal("NO_COLOR", ""));
}

/* ---- parse and print ------------------------------------------------------------------------- */

static void parse_golden(void **state)
{
    (void)state;
    spill("a.sip", prack_msg, sizeof prack_msg - 1);
    struct run r = RUN("parse", "a.sip");
    json_t *got = json_loads(r.out, JSON_REJECT_DUPLICATES, NULL);
    json_t *want = json_loads(
        "{\"request\": {\"method\": \"PRACK\", \"uri\": {\"scheme\": \"sip\", \"user\": \"bob\","
        " \"host\": \"192.0.2.4\", \"params\": [], \"headers\": []}},"
        "\"fields\": ["
        "{\"name\": \"Via\", \"elements\": [{\"kind\": \"via\", \"protocol\": \"SIP\","
        " \"version\": \"2.0\", \"transport\": \"WS\", \"host\": \"df7.invalid\","
        " \"params\": [{\"name\": \"branch\", \"value\": \"z9hG4bK77\"}]}]},"
        "{\"name\": \"Max-Forwards\", \"elements\": [{\"kind\": \"number\", \"number\": 0,"
        " \"params\": []}]},"
        "{\"name\": \"To\", \"elements\": [{\"kind\": \"addr\", \"uri\": {\"scheme\": \"sip\","
        " \"user\": \"bob\", \"host\": \"example.com\", \"params\": [], \"headers\": []},"
        " \"params\": [{\"name\": \"tag\", \"value\": \"8\"}]}]},"
        "{\"name\": \"From\", \"elements\": [{\"kind\": \"addr\", \"uri\": {\"scheme\": \"sip\","
        " \"user\": \"alice\", \"host\": \"example.com\", \"params\": [], \"headers\": []},"
        " \"params\": [{\"name\": \"tag\", \"value\": \"19\"}]}]},"
        "{\"name\": \"Call-ID\", \"elements\": [{\"kind\": \"call-id\", \"call_id\": \"1\","
        " \"params\": []}]},"
        "{\"name\": \"CSeq\", \"elements\": [{\"kind\": \"cseq\", \"number\": 2,"
        " \"method\": \"PRACK\"}]},"
        "{\"name\": \"RAck\", \"elements\": [{\"kind\": \"rack\", \"response\": 776656,"
        " \"number\": 1, \"method\": \"INVITE\"}]},"
        "{\"name\": \"Authentication-Info\", \"elements\": [{\"kind\": \"auth-info\","
        " \"params\": [{\"name\": \"nextnonce\","
        " \"value\": \"\\\"47364c23432d2e131a5fb210812c\\\"\"},"
        " {\"name\": \"qop\", \"value\": \"auth\"}]}]}],"
        "\"body\": \"\"}",
        JSON_REJECT_DUPLICATES, NULL);
    assert_int_equal(r.status, 0);
    assert_non_null(want);
    if (!json_equal(got, want))
        fail_msg("%s", r.out);
    /* The order of the keys is part of the form: the same reading is the same text. */
    char *again = json_dumps(want, JSON_INDENT(2));
    assert_memory_equal(again, r.out, strlen(again));
    assert_string_equal(r.out + strlen(again), "\n");
    free(again);
    json_decref(got);
    json_decref(want);
    done(&r);
}

static void what_means_the_same_reads_the_same(void **state)
{
    (void)state;
    spill("a.sip", options_msg, sizeof options_msg - 1);
    spill("b.sip", options_twin, sizeof options_twin - 1);
    struct run a = RUN("parse", "a.sip");
    assert_int_equal(a.status, 0);
    assert_true(a.out_n > 500);
    expect(RUN("parse", "b.sip"), 0, a.out, "");
    done(&a);

#define DIGEST                                                                                     \
    "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"" HEX32 "\""
    static const char *const twins[][2] = {
        {OPTIONS_WITH("Supported: path, outbound\r\n"),
         OPTIONS_WITH("k: path\r\nSUPPORTED:\r\n outbound\r\n")},
        {OPTIONS_WITH("X-Thing: a b\r\n"), OPTIONS_WITH("x-tHING :a\r\n\tb\r\n")},
        {OPTIONS_WITH("Accept: a/b;c=d, e/f\r\nSubject: x\r\n"),
         OPTIONS_WITH("Accept: a / b ; c = d\r\ns:x\r\naccept:e/f\r\n")},
        {OPTIONS_WITH("Reply-To: A B <sip:a@b.example>\r\n"),
         OPTIONS_WITH("Reply-To: A \t B<sip:a@B.example>\r\n")},
        {OPTIONS_WITH("Authorization: " DIGEST ", a=b, c=\"d e\"\r\n"),
         OPTIONS_WITH("Authorization:\t" DIGEST " ,\r\n a = b\t, c = \"d\r\n e\"\r\n")},
    };
    for (size_t i = 0; i < sizeof twins / sizeof *twins; i++) {
        spill("a.sip", twins[i][0], strlen(twins[i][0]));
        spill("b.sip", twins[i][1], strlen(twins[i][1]));
        a = RUN("parse", "a.sip");
        if (a.status != 0)
            fail_msg("twin %zu: %s", i, a.err);
        expect(RUN("parse", "b.sip"), 0, a.out, "");
        done(&a);
    }
    /* What does not mean the same, does not: the comparison can fail. */
    spill("b.sip", OPTIONS_WITH("Authorization: " DIGEST ", a=B, c=\"d e\"\r\n"),
          strlen(OPTIONS_WITH("Authorization: " DIGEST ", a=B, c=\"d e\"\r\n")));
    a = RUN("parse", "a.sip");
    struct run b = RUN("parse", "b.sip");
    assert_int_equal(b.status, 0);
    assert_string_not_equal(a.out, b.out);
    done(&a);
    done(&b);
}

static void an_invalid_message_has_no_reading(void **state)
{
    (void)state;
    spill("bad.sip", OPTIONS_WITH("Supported: ,\r\n"), strlen(OPTIONS_WITH("Supported: ,\r\n")));
    struct run lint = RUN("lint", "bad.sip"), parse = RUN("parse", "bad.sip");
    assert_int_equal(parse.status, 1);
    assert_string_equal(parse.out, "");
    assert_string_equal(parse.err, lint.out);
    done(&lint);
    done(&parse);
}

static void print_undoes_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES; i++) {
        spill("a.sip", messages[i].p, messages[i].n);
        struct run read1 = RUN("parse", "a.sip");
        if (read1.status != 0)
            fail_msg("message %zu: %s", i, read1.err);
        spill("a.json", read1.out, read1.out_n);
        struct run print1 = RUN("print", "a.json");
        if (print1.status != 0)
            fail_msg("message %zu: %s", i, print1.err);
        assert_string_equal(print1.err, "");
        spill("b.sip", print1.out, print1.out_n);
        expect(RUN("parse", "b.sip"), 0, read1.out, "");
        struct run print2 = run_from("a.json", "print", "-", NULL);
        assert_int_equal(print2.out_n, print1.out_n);
        assert_memory_equal(print2.out, print1.out, print1.out_n);
        expect(RUN("lint", "b.sip"), 0, NULL, "");
        done(&read1);
        done(&print1);
        done(&print2);
    }
}

static void print_golden(void **state)
{
    (void)state;
    static const char canonical[] = "OPTIONS sip:carol@chicago.example.com SIP/2.0\r\n"
                                    "Via: SIP/2.0/WSS df7.invalid;branch=z9hG4bK77\r\n"
                                    "Max-Forwards: 70\r\n"
                                    "To: <sip:carol@chicago.example.com>\r\n"
                                    "From: Alice <sip:alice@atlanta.example.com>;tag=19\r\n"
                                    "Call-ID: a84b4c76e66710\r\n"
                                    "CSeq: 63104 OPTIONS\r\n"
                                    "\r\n";
    spill("a.sip", options_twin, sizeof options_twin - 1);
    struct run r = RUN("parse", "a.sip");
    spill("a.json", r.out, r.out_n);
    expect(RUN("print", "a.json"), 0, canonical, "");
    done(&r);
}

/* The library prints what it read, the program what JSON says: the same octets, where no list was
 * cut into rows and no name is unknown. */
static void two_ways_to_print(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGES; i++) {
        if (messages[i].p == invite_msg || messages[i].p == unauthorized_msg)
            continue;
        struct sipws_field fields[40];
        struct sipws_diag diags[8];
        struct sipws_report report = sipws_report(diags, 8);
        struct sipws_msg m;
        char text[4096];
        struct sipws_out o = sipws_out(text, sizeof text - 1);
        assert_true(sipws_msg_parse((struct sipws_str){messages[i].p, messages[i].n}, 0, fields, 40,
                                    &m, &report));
        sipws_msg_print(&o, &m);
        assert_true(sipws_out_ok(&o));
        text[o.n] = '\0';
        spill("a.sip", messages[i].p, messages[i].n);
        struct run r = RUN("parse", "a.sip");
        spill("a.json", r.out, r.out_n);
        expect(RUN("print", "a.json"), 0, text, "");
        done(&r);
    }
}

/* Of a generated message and its canonical form: both are valid, have one reading, and that reading
 * prints as a message that has it too. */
static void generated_messages(void **state)
{
    (void)state;
    enum { ARENA = 1 << 20, TAPE = 600 };
    const char *wanted = getenv("TEST_CLI_CASES");
    uint32_t seed = 7118, cases = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 40, odd = 0;
    unsigned char *memory = malloc(ARENA);
    assert_non_null(memory);
    struct arena arena = {memory, ARENA, 0, false};
    for (uint32_t i = 0; i < cases; i++) {
        arena_clear(&arena);
        unsigned char octets[TAPE];
        for (size_t k = 0; k < TAPE; k++) {
            seed = seed * 1664525 + 1013904223;
            octets[k] = (unsigned char)(seed >> 24);
        }
        struct tape t = tape(octets, TAPE, NULL, 0);
        struct gen_msg_want want = {.transport = SIPWS_TRANSPORT_ANY};
        struct gen_msg m;
        if (!gen_msg(&t, &arena, &want, &m))
            continue;
        odd += m.folds || m.compact || m.spaces;
        spill("a.sip", m.text.p, m.text.n);
        spill("b.sip", m.canon.p, m.canon.n);
        struct run read1 = RUN("parse", "a.sip"), read2 = RUN("parse", "b.sip");
        if (read1.status != 0 || read2.status != 0)
            fail_msg("case %u: %s%s", i, read1.err, read2.err);
        spill("a.json", read1.out, read1.out_n);
        spill("b.json", read2.out, read2.out_n);
        if (strcmp(read1.out, read2.out) != 0)
            fail_msg("case %u reads otherwise than its canonical form: %s%s", i, read1.out,
                     read2.out);
        struct run print = RUN("print", "a.json");
        if (print.status != 0)
            fail_msg("case %u: %s", i, print.err);
        spill("c.sip", print.out, print.out_n);
        expect(RUN("parse", "c.sip"), 0, read1.out, "");
        done(&read1);
        done(&read2);
        done(&print);
    }
    free(memory);
    assert_true(odd * 4 > cases); /* else there is little to this test */
}

/* Replaces `from` in the document for options_msg with extra fields, and expects the complaint. */
static void refuse_document(const char *document, const char *from, const char *to, const char *why)
{
    const char *at = strstr(document, from);
    if (!at)
        fail_msg("the document has no %s", from);
    size_t n = strlen(document) - strlen(from) + strlen(to);
    char *text = malloc(n + 1);
    assert_non_null(text);
    memcpy(text, document, (size_t)(at - document));
    strcpy(text + (at - document), to);
    strcat(text, at + strlen(from));
    spill("bad.json", text, n);
    struct run r = RUN("print", "bad.json");
    if (r.status != 1 || r.out_n != 0 || !strstr(r.err, why))
        fail_msg("%s to %s: status %d, printed %s, said %s, not %s", from, to, r.status, r.out,
                 r.err, why);
    done(&r);
    free(text);
}

static void documents_that_are_no_reading(void **state)
{
    (void)state;
    static const char text[] =
        OPTIONS_WITH("Supported: a, b\r\n"
                     "Subject: hello\r\n"
                     "Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"
                     "Authorization: " DIGEST "\r\n"
                     "Contact: \"Al\" <sip:al@example.com;transport=ws?h=v>;q=0.5\r\n"
                     "Content-Type: text/plain\r\n"
                     "Content-Length: 3\r\n") "a\xFF"
                                              "b";
    static const struct {
        const char *from, *to, *why;
    } cases[] = {
        /* Not JSON, or not of the form. */
        {"{\"request\"", "[\"request\"", "bad.json:1:"},
        {"{\"request\"", "{\"request\":1,\"request\"", "bad.json:1:"},
        {"\"request\":", "\"reqest\":", "$: \"request\" or \"response\" is missing"},
        {"\"body\":", "\"boddy\":", "$: \"body\" is missing"},
        {"\"body\":", "\"more\":1,\"body\":", "$: there is no key \"more\" here"},
        {"\"fields\":[", "\"fields\":1,\"x\":[", "$: there is no key \"x\" here"},
        {"\"method\":\"OPTIONS\",\"uri\"", "\"method\":7,\"uri\"",
         "$.request.method: a string, or"},
        {"\"method\":\"OPTIONS\",\"uri\"", "\"uri\"", "$.request: \"method\" is missing"},
        {"\"scheme\":\"sip\",\"user\":\"carol\"", "\"scheme\":\"tel\",\"user\":\"carol\"",
         "$.request.uri: \"opaque\" is missing"},
        {"\"scheme\":\"sip\",\"user\":\"carol\"", "\"user\":\"carol\"",
         "$.request.uri: an object with \"scheme\" belongs here"},
        {"\"name\":\"Via\"", "\"nome\":\"Via\"", "$.fields[0]: \"name\" is missing"},
        {"\"name\":\"Via\"", "\"name\":\"v\"", "$.fields[0].name: the name in full is Via"},
        {"\"name\":\"Via\"", "\"name\":\"Supported\"", "$.fields[6].name: Supported stands before"},
        {"\"kind\":\"via\"", "\"kind\":\"viaa\"", "$.fields[0].elements[0].kind: not a kind"},
        {"\"kind\":\"via\",", "", "$.fields[0].elements[0]: an object with \"kind\""},
        {"\"kind\":\"via\"", "\"colour\":0,\"kind\":\"via\"",
         "$.fields[0].elements[0]: there is no key \"colour\" here"},
        {"\"protocol\":\"SIP\",", "", "$.fields[0].elements[0]: \"protocol\" is missing"},
        {"\"host\":\"df7.invalid\"", "\"host\":\"df7..invalid\"",
         "$.fields[0].elements[0].host: not a host name"},
        {"\"host\":\"df7.invalid\"", "\"port\":65536,\"host\":\"df7.invalid\"",
         "$.fields[0].elements[0].port: an integer from 0 to 65535 belongs here"},
        {"\"host\":\"df7.invalid\"", "\"port\":\"5060\",\"host\":\"df7.invalid\"",
         "$.fields[0].elements[0].port: an integer"},
        {"\"params\":[{\"name\":\"branch\"", "\"params\":[{\"name\":\"bra nch\"",
         "$.fields[0].elements[0].params[0].name: not a token"},
        {"\"value\":\"z9hG4bK77\"", "\"value\":\"z9;x=y\"",
         "$.fields[0].elements[0].params[0].value: not the value of"},
        {"\"value\":\"z9hG4bK77\"", "\"value\":\"\\\"z9\"", "not the reading of a valid message"},
        {"\"value\":\"z9hG4bK77\"", "\"value\":\"\"", "not the reading of a valid message"},
        {"\"value\":\"z9hG4bK77\"", "\"value\":\"z9 y\"", "not the value of a parameter"},
        {"\"value\":\"z9hG4bK77\"", "\"value\":\"z9@y\"", "not the reading of a valid message"},
        {"\"value\":\"z9hG4bK77\"", "\"valu\":\"x\"",
         "$.fields[0].elements[0].params[0]: an object with \"name\""},
        {"\"number\":70", "\"number\":-1", "$.fields[1].elements[0].number: an integer"},
        {"\"number\":70", "\"number\":70.5", "$.fields[1].elements[0].number: an integer"},
        {"\"number\":70", "\"number\":\"70\"", "$.fields[1].elements[0].number: an integer"},
        {"\"number\":63104", "\"number\":4294967296",
         "$.fields[5].elements[0].number: an integer from 0 to 4294967295"},
        {"\"weekday\":\"Sat\"", "\"weekday\":\"sat\"",
         "$.fields[8].elements[0].weekday: a day from"},
        {"\"month\":11", "\"month\":13", "$.fields[8].elements[0].month: an integer from 1 to 12"},
        {"\"hex\":\"61ff62\"", "\"hex\":\"61f\"", "$.body: hex is pairs"},
        {"\"hex\":\"61ff62\"", "\"hex\":\"61FF62\"", "$.body: hex is pairs"},
        {"\"hex\":\"61ff62\"", "\"hex\":\"\"", "$.body: hex is pairs"},
        {"\"hex\":\"61ff62\"", "\"hex\":\"616263\"",
         "$.body: what is printed for this would be read as something else"},
        {"\"hex\":\"61ff62\"", "\"hex\":\"61ff62\",\"a\":0", "$.body: a string, or"},

        /* Of the form, and no message. */
        {"\"hex\":\"61ff62\"", "\"hex\":\"61ff6262\"", "[body-length]"},
        {"\"method\":\"OPTIONS\",\"uri\"", "\"method\":\"INFO\",\"uri\"", "[cseq-method]"},
        {"\"method\":\"OPTIONS\",\"uri\"", "\"method\":\"OPTIONS x\",\"uri\"",
         "not the reading of"},
        {"\"number\":70", "\"number\":256", "not the reading of a valid message"},
        {"\"day\":13", "\"day\":31", "[date]"},

        /* Strings that would become structure. */
        {"\"display\":\"\\\"Al\\\"\"", "\"display\":\"\\\"Al\\\"\\r\\nX: y\\r\\nZ: \"",
         "bad.json: "},
        {"\"display\":\"\\\"Al\\\"\"", "\"display\":\"\\\"Al\\\" <sip:x@y>, \\\"B\\\"\"",
         "bad.json: "},
        {"\"display\":\"\\\"Al\\\"\"", "\"display\":\"\\\"A\\r\\n l\\\"\"",
         "$.fields[10].elements[0].display: what is printed for this would be read as something"},
        {"\"text\":\"hello\"", "\"text\":\"hello\\r\\nX: y\"", "bad.json: "},
        {"\"text\":\"hello\"", "\"text\":\"hello\\r\\n y\"",
         "$.fields[7].elements[0].text: what is printed for this would be read as something else"},
        {"\"text\":\"hello\"", "\"text\":\" hello\"",
         "$.fields[7].elements[0].text: what is printed for this would be read as something else"},
        {"\"text\":\"hello\"", "\"text\":\"hel\\u0000lo\"", "not the reading of a valid message"},
        {"\"user\":\"al\"", "\"user\":\"al@evil.example;x=\"", "bad.json: "},
        {"\"user\":\"al\"", "\"user\":\"al\\r\\n\"", "not the reading of a valid message"},
        {"\"name\":\"transport\",\"value\":\"ws\"", "\"name\":\"transport\",\"value\":\"ws;lr\"",
         "params"},
        {"\"name\":\"h\",\"value\":\"v\"", "\"name\":\"h\",\"value\":\"v&w=x\"", "headers"},
        {"\"method\":\"OPTIONS\"}", "\"method\":\"OPTIONS\\r\\nX: y\"}", "bad.json: "},
        {"\"call_id\":\"a84b4c76e66710\"", "\"call_id\":\"a\\r\\nX: y\"", "bad.json: "},
        {"\"token\":\"a\"", "\"token\":\"a, c\"",
         "$.fields[6].elements[0].token: what is printed for this would be read as something"},
        {"\"name\":\"Subject\"", "\"name\":\"X-Y: z\\r\\nSubject\"", "bad.json: "},
        {"\"name\":\"realm\",\"value\":\"\\\"r\\\"\"",
         "\"name\":\"realm\",\"value\":\"\\\"r\\\", stale=true\"",
         "$.fields[9].elements[0].params[1].value: not the value of"},
    };
    spill("a.sip", text, sizeof text - 1);
    struct run r = RUN("parse", "a.sip");
    if (r.status != 0)
        fail_msg("%s", r.err);
    json_t *json = json_loads(r.out, 0, NULL);
    char *document = json_dumps(json, JSON_COMPACT);
    spill("good.json", document, strlen(document));
    struct run good = RUN("print", "good.json");
    assert_int_equal(good.status, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse_document(document, cases[i].from, cases[i].to, cases[i].why);
    json_decref(json);
    free(document);
    done(&good);
    done(&r);
    FILE_OF("bad.json", "[]");
    expect(RUN("print", "bad.json"), 1, "", "$: an object belongs here");

    /* --raw prints what nobody would read so, but not what is no document. */
    expect(RUN("print", "--raw", "bad.json"), 1, "", "$: an object belongs here");
    FILE_OF("raw.json",
            "{\"request\":{\"method\":\"A "
            "B\",\"uri\":{\"scheme\":\"sip\",\"host\":\"x\",\"params\":[],\"headers\":[]}},"
            "\"fields\":[{\"name\":\"Subject\",\"elements\":[{\"kind\":\"text\",\"text\":"
            "\"a\\u0007b\"}]},{\"name\":\"To\",\"elements\":[{\"kind\":\"token\",\"token\":\"t\","
            "\"params\":[{\"name\":\"a;b\",\"value\":\"\"}]}]}],\"body\":\"\"}");
    expect(RUN("print", "raw.json"), 1, "", NULL);
    expect(RUN("print", "--raw", "raw.json"), 0,
           "A B sip:x SIP/2.0\r\nSubject: a\ab\r\nTo: t;a;b=\r\n\r\n", "");
    FILE_OF("bad.json", "{}{}");
    expect(RUN("print", "bad.json"), 1, "", "bad.json:1:");
}

/* Numbers that JSON readers would round are strings. */
static void large_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json;
    } cases[] = {{"0", "0"},
                 {"9007199254740991", "9007199254740991"},
                 {"9007199254740992", "\"9007199254740992\""},
                 {"18446744073709551615", "\"18446744073709551615\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[1024], want[64];
        snprintf(text, sizeof text, OPTIONS_WITH("Flow-Timer: %s\r\n"), cases[i].text);
        snprintf(want, sizeof want, "\"number\": %s,", cases[i].json);
        spill("a.sip", text, strlen(text));
        struct run r = RUN("parse", "a.sip");
        assert_int_equal(r.status, 0);
        assert_non_null(strstr(r.out, want));
        spill("a.json", r.out, r.out_n);
        expect(RUN("print", "a.json"), 0, text, "");
        done(&r);
    }
}

/* ---- frames ---------------------------------------------------------------------------------- */

struct stream {
    char p[1 << 17];
    struct sipws_out o;
};

static void put(struct stream *s, bool fin, enum sipws_opcode opcode, bool masked, const char *p,
                size_t n)
{
    static const unsigned char key[4] = {0x12, 0xF4, 0x56, 0x9A};
    if (s->o.n == 0)
        s->o = sipws_out(s->p, sizeof s->p);
    sipws_ws_put(&s->o, fin, opcode, masked ? key : NULL, (struct sipws_str){p, n});
    assert_true(sipws_out_ok(&s->o));
}

static void frames_of_both_roles(void **state)
{
    (void)state;
    static struct stream s;
    static const char want[] =
        "{\"event\":\"message\",\"offset\":%d,\"binary\":false,\"text\":\"one\"}\n"
        "{\"event\":\"ping\",\"offset\":%d,\"hex\":\"70ff\"}\n"
        "{\"event\":\"message\",\"offset\":%d,\"binary\":false,\"text\":\"h\xC3\xA9llo\"}\n"
        "{\"event\":\"message\",\"offset\":%d,\"binary\":true,\"hex\":\"ff00\"}\n"
        "{\"event\":\"message\",\"offset\":%d,\"binary\":true,\"text\":\"\\u0000\\r\\n\"}\n"
        "{\"event\":\"pong\",\"offset\":%d,\"text\":\"\"}\n"
        "{\"event\":\"close\",\"offset\":%d,\"code\":1000,\"reason\":\"bye\"}\n";
    for (int masked = 0; masked < 2; masked++) {
        char text[1024];
        int k = masked ? 4 : 0; /* octets of the key */
        s.o.n = 0;
        put(&s, true, SIPWS_TEXT, masked, "one", 3);
        put(&s, false, SIPWS_TEXT, masked, "h\xC3", 2); /* cut within a character */
        put(&s, true, SIPWS_PING, masked, "p\xFF", 2);
        put(&s, false, SIPWS_CONTINUATION, masked, "", 0);
        put(&s, true, SIPWS_CONTINUATION, masked, "\xA9llo", 4);
        put(&s, true, SIPWS_BINARY, masked, "\xFF\0", 2);
        put(&s, true, SIPWS_BINARY, masked, "\0\r\n", 3);
        put(&s, true, SIPWS_PONG, masked, "", 0);
        put(&s, true, SIPWS_CLOSE, masked,
            "\x03\xE8"
            "bye",
            5);
        snprintf(text, sizeof text, want, 0, 9 + 2 * k, 5 + k, 21 + 5 * k, 25 + 6 * k, 30 + 7 * k,
                 32 + 8 * k);
        spill("stream", s.p, s.o.n);
        expect(RUN("frames", "--role", masked ? "server" : "client", "stream"), 0, text, "");
        expect(run_from("stream", "frames", masked ? "--role=server" : "--role=client", "-", NULL),
               0, text, "");
        /* In the other role the first frame is wrong. */
        expect(RUN("frames", masked ? "--role=client" : "--role=server", "stream"), 1,
               masked ? "{\"event\":\"error\",\"offset\":1,\"id\":\"ws-masked\",\"close\":1002,"
                        "\"rule\":\"frame-masked\",\"rfc\":\"6455 5.1\",\"message\":\"a frame from "
                        "a server is masked\",\"expected\":\"a MASK bit of 0\",\"hint\":\"do not "
                        "mask frames that a server "
                        "sends\"}\n"
                      : NULL,
               "");
    }
}

static void frames_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
        const char *start; /* of the last line */
    } cases[] = {
#define CASE(octets, start) {octets, sizeof(octets) - 1, start}
        CASE("\x89\x00\xC1\x00",
             "{\"event\":\"error\",\"offset\":2,\"id\":\"ws-rsv\",\"close\":1002,"),
        CASE("\x83\x00", "{\"event\":\"error\",\"offset\":0,\"id\":\"ws-opcode\",\"close\":1002,"),
        CASE("\x80\x00", "{\"event\":\"error\",\"offset\":0,\"id\":\"ws-continuation\""),
        CASE("\x81\x7E\x00\x01"
             "a",
             "{\"event\":\"error\",\"offset\":3,\"id\":\"ws-length-long\""),
        CASE("\x81\x7F\x80", "{\"event\":\"error\",\"offset\":2,\"id\":\"ws-length-top\""),
        CASE("\x81\x02\xC3\x28",
             "{\"event\":\"error\",\"offset\":3,\"id\":\"ws-utf8\",\"close\":1007,"),
        CASE("\x88\x02\x03\xED", "{\"event\":\"error\",\"offset\":2,\"id\":\"ws-close-code\""),
        CASE("\x88\x00\x81\x00", "{\"event\":\"error\",\"offset\":2,\"id\":\"ws-after-close\""),
        /* Cut short, at every place. */
        CASE("\x81", "{\"event\":\"error\",\"offset\":1,\"id\":\"ws-cut\",\"close\":0,"),
        CASE("\x81\x7E\x01", "{\"event\":\"error\",\"offset\":3,\"id\":\"ws-cut\""),
        CASE("\x81\x03"
             "ab",
             "{\"event\":\"error\",\"offset\":4,\"id\":\"ws-cut\""),
        CASE("\x01\x02"
             "ab",
             "{\"event\":\"error\",\"offset\":4,\"id\":\"ws-cut\""),
        CASE("\x89\x00\x01\x02"
             "ab",
             "{\"event\":\"error\",\"offset\":6,\"id\":\"ws-cut\""),
        CASE("\x81\x7E\x10\x01",
             "{\"event\":\"error\",\"offset\":3,\"id\":\"limit-message\",\"close\":1009,"),
#undef CASE
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        spill("stream", cases[i].p, cases[i].n);
        struct run r = RUN("frames", "--role", "client", "--limit", "4096", "stream");
        assert_int_equal(r.status, 1);
        assert_string_equal(r.err, "");
        char *last = r.out, *next;
        while ((next = strchr(last, '\n')) && next[1])
            last = next + 1;
        if (strncmp(last, cases[i].start, strlen(cases[i].start)) != 0)
            fail_msg("case %zu: %s", i, r.out);
        done(&r);
    }
}

/* Each event is told when it has come, not when the stream ends. */
static void frames_as_they_come(void **state)
{
    (void)state;
    char *argv[] = {(char[]){"sipws"}, (char[]){"frames"}, (char[]){"--role=client"}, (char[]){"-"},
                    NULL};
    int in[2], out[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char line[256];
    assert_true(pipe(in) == 0 && pipe(out) == 0);
    assert_true(fcntl(in[1], F_SETFD, FD_CLOEXEC) == 0 && fcntl(out[0], F_SETFD, FD_CLOEXEC) == 0);
    pid_t pid = start(in[0], out[1], null, argv);
    close(in[0]);
    close(out[1]);
    close(null);
    for (int i = 0; i < 3; i++) {
        static const char frame[] = "\x81\x02hi";
        for (size_t k = 0; k < sizeof frame - 1; k++)
            assert_int_equal(write(in[1], &frame[k], 1), 1);
        ssize_t n = read(out[0], line, sizeof line - 1); /* would wait for ever */
        assert_true(n > 0);
        line[n] = '\0';
        assert_non_null(strstr(line, "\"text\":\"hi\"}\n"));
    }
    /* Who has read enough ends the program. */
    close(out[0]);
    (void)!write(in[1], "\x89\x00", 2);
    assert_int_equal(wait_for(pid, NULL), 2);
    close(in[1]);
}

/* A stream of any length in the memory of one message. */
static void frames_in_constant_memory(void **state)
{
    (void)state;
    long rss[2];
    for (int i = 0; i < 2; i++) {
        char *argv[] = {(char[]){"sipws"}, (char[]){"frames"}, (char[]){"-"}, NULL};
        static struct stream s;
        static char payload[60000];
        int in[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        assert_true(pipe(in) == 0 && fcntl(in[1], F_SETFD, FD_CLOEXEC) == 0);
        s.o.n = 0;
        memset(payload, 'a', sizeof payload);
        put(&s, false, SIPWS_TEXT, true, payload, 30000);
        put(&s, true, SIPWS_PING, true, "x", 1);
        put(&s, true, SIPWS_CONTINUATION, true, payload, 30000);
        pid_t pid = start(in[0], null, STDERR_FILENO, argv);
        close(in[0]);
        for (int rounds = i == 0 ? 8 : 400; rounds > 0; rounds--)
            for (size_t at = 0; at < s.o.n;) {
                ssize_t n = write(in[1], s.p + at, s.o.n - at);
                assert_true(n > 0);
                at += (size_t)n;
            }
        close(in[1]);
        close(null);
        assert_int_equal(wait_for(pid, &rss[i]), 0);
    }
    assert_true(rss[1] < rss[0] + (4 << 10)); /* KiB; the stream has 24 MB */
}

/* ---- explain --------------------------------------------------------------------------------- */

static void every_error_is_explained(void **state)
{
    (void)state;
    struct run all = RUN("explain");
    assert_int_equal(all.status, 0);
    for (enum sipws_err err = 1; err < SIPWS_ERR_COUNT; err++) {
        const struct sipws_err_info *info = sipws_err_info(err);
        char line[160];
        snprintf(line, sizeof line, "\n  %s ", info->id);
        assert_non_null(strstr(all.out, line));
        if (err % 16 != 1)
            continue; /* a process for each would take long */
        struct run r = RUN("explain", info->id);
        assert_int_equal(r.status, 0);
        assert_memory_equal(r.out, info->id, strlen(info->id));
        assert_non_null(strstr(r.out, info->text));
        assert_non_null(strstr(r.out, info->hint));
        done(&r);
    }
    done(&all);
    expect(RUN("explain", "via-not-ws"), 0,
           "via-not-ws: the transport of the top Via is not a WebSocket transport\n\n"
           "  A message that came over WebSocket names WS or WSS in its top Via.\n\n"
           "  A server that sees UDP or TCP there sends the response to a host that does\n"
           "  not exist: browsers write random names under .invalid.\n\n"
           "  Bad, over wss:\n"
           "    Via: SIP/2.0/TCP k2v9.invalid;branch=z9hG4bK1\n"
           "                 ^\n\n"
           "  Good, over wss:\n"
           "    Via: SIP/2.0/WSS k2v9.invalid;branch=z9hG4bK1\n\n"
           "  severity   error: what has it is refused\n"
           "  layer      SIP on this WebSocket connection (RFC 7118)\n"
           "  decided by RFC 7118 section 5.1\n"
           "  answer     SIP status 400\n"
           "  expected   WS or WSS\n"
           "  hint       WS over plain, WSS over TLS connections\n",
           "");
    expect(
        RUN("explain", "--json", "http-origin"), 0,
        "{\"id\":\"http-origin\",\"severity\":\"error\",\"layer\":\"http\",\"rfc\":\"6455 4.2.2\","
        "\"status\":403,\"close\":0,\"message\":\"the Origin is not allowed\","
        "\"expected\":\"an allowed origin\",\"hint\":\"serve the page from an allowed "
        "origin\",\"meaning\":\"The page that opened "
        "the connection is not one that this server serves.\",\"why\":\"Browsers send cookies "
        "with every handshake, whichever page asks. Without this check, any web page that a user "
        "visits can open a connection in the user's name (cross-site WebSocket hijacking, RFC "
        "6455 10.2).\",\"examples\":\"WORDS\",\"bad\":\"Origin: https://example.net at a server "
        "that allows https://example.org\",\"at\":null,\"good\":\"Origin: "
        "https://example.org\"}\n",
        "");
    /* Every error as JSON, and the octet at fault within its example. */
    struct run json = RUN("explain", "--json");
    size_t lines = 0;
    for (char *line = json.out, *end; (end = strchr(line, '\n')); line = end + 1, lines++) {
        json_t *row = json_loadb(line, (size_t)(end - line), 0, NULL);
        assert_non_null(row);
        const char *id = json_string_value(json_object_get(row, "id"));
        assert_string_equal(id, sipws_err_info((enum sipws_err)(lines + 1))->id);
        json_t *bad = json_object_get(row, "bad"), *at = json_object_get(row, "at");
        if (json_is_string(bad) && json_is_integer(at))
            assert_true(json_integer_value(at) <= (json_int_t)json_string_length(bad));
        json_decref(row);
    }
    assert_int_equal(lines, SIPWS_ERR_COUNT - 1);
    done(&json);
    expect(RUN("explain", "--jason"), 2, "", NULL);
}

/* The man page and the usage texts leave nothing out. */
static void the_manual_is_whole(void **state)
{
    (void)state;
    static const char *const commands[] = {"lint",    "parse", "print",  "frames",
                                           "explain", "serve", "connect"};
    static const char *const bits[] = SIPWS_ALLOW_NAMES;
    char *manual = slurp(SIPWS_ROOT "/ref/sipws.1", NULL), line[64];
    struct run lint = RUN("lint", "--help");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        snprintf(line, sizeof line, "\n.Ss %s\n", commands[i]);
        assert_non_null(strstr(manual, line));
        struct run help = RUN(commands[i], "--help");
        for (char *p = help.out; (p = strstr(p, "--"));) {
            p += 2;
            size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyz");
            snprintf(line, sizeof line, "Fl -%.*s", (int)n, p);
            if (n > 0 && !strstr(manual, line))
                fail_msg("the manual has no %s", line);
        }
        done(&help);
    }
    for (size_t i = 0; bits[i]; i++) {
        snprintf(line, sizeof line, "\n.It Cm %s\n", bits[i]);
        assert_non_null(strstr(manual, line));
        snprintf(line, sizeof line, " %s ", bits[i]);
        assert_non_null(strstr(lint.out, line));
    }
    for (int kind = 0; kind < SIPWS_KIND_COUNT; kind++) {
        snprintf(line, sizeof line, "\n.It %s Ta", sipws_kind_name((enum sipws_kind)kind));
        assert_non_null(strstr(manual, line));
    }
    done(&lint);
    free(manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_and_help),
        cmocka_unit_test(wrong_use),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(octets_of_any_kind),
        cmocka_unit_test(a_file_of_100_megabytes),
        cmocka_unit_test(message_limit),
        cmocka_unit_test(pipes),
        cmocka_unit_test(output_that_cannot_be_written),
        cmocka_unit_test(standard_input_is_closed),
        cmocka_unit_test(lint_golden),
        cmocka_unit_test(offsets_lines_and_columns),
        cmocka_unit_test(lint_json_lines),
        cmocka_unit_test(the_worst_status_wins),
        cmocka_unit_test(many_problems),
        cmocka_unit_test(long_lines),
        cmocka_unit_test(leniencies_and_transports),
        cmocka_unit_test(colours),
        cmocka_unit_test(parse_golden),
        cmocka_unit_test(what_means_the_same_reads_the_same),
        cmocka_unit_test(an_invalid_message_has_no_reading),
        cmocka_unit_test(print_undoes_parse),
        cmocka_unit_test(print_golden),
        cmocka_unit_test(two_ways_to_print),
        cmocka_unit_test(generated_messages),
        cmocka_unit_test(documents_that_are_no_reading),
        cmocka_unit_test(large_numbers),
        cmocka_unit_test(frames_of_both_roles),
        cmocka_unit_test(frames_that_are_refused),
        cmocka_unit_test(frames_as_they_come),
        cmocka_unit_test(frames_in_constant_memory),
        cmocka_unit_test(every_error_is_explained),
        cmocka_unit_test(the_manual_is_whole),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, setup, teardown);
}
