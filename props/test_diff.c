/* sipws-diff: what peers read, that crashes, hangs and lies are results, exit status and output.
 * Peers that are not here are named, and the others tested. */
#define _POSIX_C_SOURCE 200809L
#include <jansson.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
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
/* The program with up to six arguments, the last of which are NULL. */
static int diff(char *out, size_t cap, const char *const args[6])
{
    char copies[6][512];
    char *argv[8] = {program};
    for (int i = 0; i < 6 && args[i]; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", args[i]);
        argv[1 + i] = copies[i];
    }
    return run(out, cap, argv);
}
#define DIFF(out, ...) diff(out, sizeof(out), (const char *const[8]){__VA_ARGS__})

static const char good[] = "OPTIONS sip:b@example.org:5070 SIP/2.0\r\n"
                           "Via: SIP/2.0/WS a.invalid:8080;branch=z9hG4bKd1\r\n"
                           "Max-Forwards: 70\r\n"
                           "To: <sip:b@example.org>\r\n"
                           "From: \"A, b\" <sip:a@example.org>;tag=t1\r\n"
                           "Call-ID: c1@a.invalid\r\n"
                           "CSeq: 0007 OPTIONS\r\n"
                           "Contact: <sip:a@a.invalid;transport=ws>\r\n"
                           "Route: <sip:p.example.org;lr>\r\n"
                           "Content-Type: text/plain\r\n"
                           "Content-Length: 2\r\n"
                           "\r\n"
                           "hi";

static const char other[] = "SIP/2.0 486 Busy Here\r\n"
                            "Via: SIP/2.0/WSS q.invalid;branch=z9hG4bKd9\r\n"
                            "Via: SIP/2.0/TCP c.invalid:5061;branch=z9hG4bKd8\r\n"
                            "To: <sip:d@example.com>;tag=u2\r\n"
                            "From: <sip:e@example.com>;tag=u1\r\n"
                            "Call-ID: other-9\r\n"
                            "CSeq: 21 INVITE\r\n"
                            "Content-Length: 0\r\n"
                            "\r\n";

/* Content-Length is shorter than the body. */
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

/* The lines of --json, from malloc; NULL at the end. */
static json_t **lines(char *text)
{
    json_t **out = calloc(8192, sizeof *out);
    size_t n = 0;
    json_error_t error;
    assert_non_null(out);
    for (char *save = NULL, *line = strtok_r(text, "\n", &save); line && n < 8191;
         line = strtok_r(NULL, "\n", &save)) {
        out[n] = json_loads(line, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
        if (!out[n++])
            fail_msg("no JSON: %s: %s", error.text, line);
    }
    return out;
}

static void free_lines(json_t **all)
{
    for (size_t i = 0; all[i]; i++)
        json_decref(all[i]);
    free(all);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* The line that has this peer's answer, or NULL. */
static const json_t *answer_of(json_t **all, const char *peer)
{
    for (size_t i = 0; all[i]; i++)
        if (strcmp(text_of(all[i], "peer"), peer) == 0)
            return all[i];
    return NULL;
}

/* The finding about a field in which `peer` is among those who differ, or NULL. */
static const json_t *finding_of(json_t **all, const char *field, const char *peer)
{
    for (size_t i = 0; all[i]; i++) {
        const json_t *who = json_object_get(all[i], "peers");
        if (strcmp(text_of(all[i], "field"), field) != 0)
            continue;
        for (size_t k = 0; k < json_array_size(who); k++)
            if (strcmp(json_string_value(json_array_get(who, k)), peer) == 0)
                return all[i];
    }
    return NULL;
}

static char out[1 << 23];

/* All peers on octets; `extra` is NULL or a --peer. */
static json_t **ask(const char *p, size_t n, const char *extra)
{
    const char *path = file_of(p, n);
    if (extra)
        DIFF(out, "--json", "--seconds=20", "--peer", extra, "--peers=ref", path);
    else
        DIFF(out, "--json", "--seconds=60", path);
    unlink(path);
    return lines(out);
}

/* ---- what peers read ------------------------------------------------------------------------- */

/* A path through a reading, as in "via.0.host". */
static const json_t *at(const json_t *o, const char *path)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *save = NULL, *word = strtok_r(copy, ".", &save); word;
         word = strtok_r(NULL, ".", &save))
        o = json_is_array(o) ? json_array_get(o, (size_t)atoi(word)) : json_object_get(o, word);
    return o;
}

/* Every peer that is here reads a sound message as it is meant: so each adapter asks its stack, and
 * puts what that says where it belongs. What a peer has no opinion on is let pass, up to half of
 * it. */
static void reads_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *path, *reading;
    } table[] = {
        {"request.method", "\"OPTIONS\""},
        {"request.uri.scheme", "\"sip\""},
        {"request.uri.user", "\"b\""},
        {"request.uri.host", "\"example.org\""},
        {"request.uri.port", "5070"},
        {"via.0.transport", "\"WS\""},
        {"via.0.host", "\"a.invalid\""},
        {"via.0.port", "8080"},
        {"via.0.branch", "\"z9hG4bKd1\""},
        {"from.uri.user", "\"a\""},
        {"from.uri.host", "\"example.org\""},
        {"from.tag", "\"t1\""},
        {"to.uri.user", "\"b\""},
        {"to.tag", "null"},
        {"call-id", "\"c1@a.invalid\""},
        {"cseq.number", "7"},
        {"cseq.method", "\"OPTIONS\""},
        {"content-length", "2"},
        {"contact.0.uri.host", "\"a.invalid\""},
        {"route.0.uri.host", "\"p.example.org\""},
        {"body", "\"hi\""},
    };
    json_t **all = ask(good, sizeof good - 1, NULL);
    size_t here = 0;
    for (size_t k = 0; all[k]; k++) {
        const char *name = text_of(all[k], "peer"), *verdict = text_of(all[k], "verdict");
        size_t said = 0;
        if (!*name)
            continue;
        if (strcmp(verdict, "absent") == 0) {
            print_message("           %s is absent: %s\n", name, text_of(all[k], "reason"));
            continue;
        }
        here++;
        if (strcmp(verdict, "accept") != 0)
            fail_msg("%s: %s: %s", name, verdict, text_of(all[k], "reason"));
        assert_true(*text_of(all[k], "version"));
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            const json_t *v = at(json_object_get(all[k], "reading"), table[i].path);
            char *got = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
            /* libre 1.1.0 knows no transport WS. */
            bool excused =
                strcmp(name, "libre") == 0 && strcmp(table[i].path, "via.0.transport") == 0;
            if (got && !excused && strcmp(got, table[i].reading) != 0)
                fail_msg("%s reads %s as %s", name, table[i].path, got);
            said += got != NULL;
            free(got);
        }
        if (2 * said < sizeof table / sizeof *table)
            fail_msg("%s says %zu things only", name, said);
    }
    assert_true(here >= 1);
    print_message("           %zu peers read the same\n", here);
    free_lines(all);
}

/* The same message with other values everywhere: an adapter that answers by heart is seen. */
static void reads_what_stands_there(void **state)
{
    (void)state;
    json_t **all = ask(other, sizeof other - 1, NULL);
    for (size_t k = 0; all[k]; k++) {
        const json_t *reading = json_object_get(all[k], "reading");
        if (!*text_of(all[k], "peer") || strcmp(text_of(all[k], "verdict"), "absent") == 0)
            continue;
        if (!reading)
            fail_msg("%s: %s", text_of(all[k], "peer"), text_of(all[k], "reason"));
        const json_t *status = at(reading, "response.status"), *body = at(reading, "body");
        assert_int_equal(json_integer_value(status), 486);
        assert_string_equal(json_string_value(at(reading, "call-id")), "other-9");
        assert_int_equal(json_integer_value(at(reading, "cseq.number")), 21);
        assert_string_equal(json_string_value(at(reading, "to.tag")), "u2");
        assert_string_equal(json_string_value(at(reading, "via.1.host")), "c.invalid");
        if (body)
            assert_string_equal(json_string_value(body), "");
    }
    free_lines(all);
}

/* What is printed fits the schema; props/peers/validate needs a Python module that may be absent.
 */
static void fits_the_schema(void **state)
{
    (void)state;
    char command[1024], sh[] = "/bin/sh", option[] = "-c";
    char *argv[] = {sh, option, command, NULL};
    const char *path = file_of(good, sizeof good - 1);
    snprintf(command, sizeof command,
             "'%s' --json --seconds=60 '%s' | python3 '" SIPWS_ROOT "/props/peers/validate'",
             program, path);
    int status = run(out, sizeof out, argv);
    unlink(path);
    if (status == 77)
        print_message("           skipped: %s", out);
    else if (status != 0)
        fail_msg("%s", out);
}

/* A vector by its id, its octets, and the rows that are compared. */
static void names_a_vector(void **state)
{
    (void)state;
    static const char bare[] = SIPWS_ROOT "/corpus/vectors/sip.json:sip-bare-lf";
    static const char sound[] = SIPWS_ROOT "/corpus/vectors/sip.json:sip-options";
    assert_int_equal(DIFF(out, "--json", "--peers=ref", bare), 0);
    json_t **all = lines(out);
    assert_string_equal(text_of(all[0], "file"), bare);
    assert_non_null(strstr(text_of(all[0], "octets"), "\r\nMax-Forwards: 70\nTo:"));
    assert_string_equal(text_of(all[1], "verdict"), "refuse");
    /* Where lines end is contested; the start line is not. */
    assert_string_equal(json_string_value(at(all[1], "rows.method")), "OPTIONS");
    assert_null(at(all[1], "rows.from uri"));
    assert_null(all[2]);
    free_lines(all);
    assert_int_equal(DIFF(out, "--json", "--peers=ref", sound), 0);
    all = lines(out);
    assert_string_equal(json_string_value(at(all[1], "rows.method")), "OPTIONS");
    free_lines(all);
    assert_int_equal(DIFF(out, "--ws", "--peers=ref", bare), 2); /* it is no stream */
    assert_int_equal(DIFF(out, "--peers=ref", SIPWS_ROOT "/corpus/vectors/sip.json:no"), 2);
    assert_non_null(strstr(out, "No such file"));
}

/* A parameter that is not there is none, whatever other parameters there are. */
static void ref_reads_no_other_parameter(void **state)
{
    (void)state;
    static const char others[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                 "Via: SIP/2.0/WS a.invalid;branc=z9hG4bKd2\r\n"
                                 "To: <sip:b@example.org>;ta=1;x=y\r\n"
                                 "From: <sip:a@example.org>;tags=t1\r\n"
                                 "\r\n";
    const char *path = file_of(others, sizeof others - 1);
    DIFF(out, "--json", "--peers=ref", path);
    json_t **all = lines(out);
    assert_string_equal(json_string_value(at(all[1], "rows.to uri")), "sip:b@example.org");
    assert_string_equal(json_string_value(at(all[1], "rows.to tag")), "(none)");
    assert_string_equal(json_string_value(at(all[1], "rows.from tag")), "(none)");
    assert_string_equal(json_string_value(at(all[1], "rows.via branch")), "(none)");
    free_lines(all);
    unlink(path);
}

static void shows_a_grid(void **state)
{
    (void)state;
    const char *path = file_of(good, sizeof good - 1);
    assert_int_equal(DIFF(out, "--peers=ref", path), 0);
    assert_non_null(strstr(out, "  verdict           accept"));
    assert_non_null(strstr(out, "  via port          8080"));
    assert_non_null(strstr(out, "takes the lines and values"));
    assert_non_null(strstr(out, "1 compared: 1 agree, 0 disagree\n"));
    assert_null(strchr(out, '\033')); /* no colour: this is no terminal */
    assert_null(strchr(out, '!'));
    for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(strlen(line) <= 160);
    unlink(path);
}

/* Content-Length is shorter than the body: ref refuses what is left over. */
static void marks_disagreement(void **state)
{
    (void)state;
    char liar[512];
    snprintf(liar, sizeof liar,
             "loose=printf '{\"peer\":\"loose\",\"version\":\"1\"}\\n"
             "{\"verdict\":\"accept\",\"reading\":{\"request\":{\"method\":\"OPTIONS\"},"
             "\"body\":\"h\"}}\\n'; cat >/dev/null");
    json_t **all = ask(left_over, sizeof left_over - 1, liar);
    const json_t *f = finding_of(all, "verdict", "loose");
    assert_string_equal(text_of(answer_of(all, "ref"), "verdict"), "refuse");
    assert_non_null(strstr(text_of(answer_of(all, "ref"), "reason"), "body-length at "));
    assert_non_null(f);
    assert_string_equal(text_of(f, "kind"), "takes body-length");
    assert_string_equal(text_of(f, "layer"), "message");
    free_lines(all);
    const char *path = file_of(left_over, sizeof left_over - 1);
    assert_int_equal(DIFF(out, "--peer", liar, "--peers=ref", path), 1);
    assert_non_null(strstr(out, "! verdict           a   b"));
    assert_non_null(strstr(out, "1 compared: 0 agree, 1 disagree\n"));
    assert_int_equal(DIFF(out, "--peer", liar, "--clusters", "--quiet", "--peers=ref", path), 1);
    assert_non_null(strstr(out, "takes body-length"));
    assert_non_null(strstr(out, "1 clusters: 0 known"));
    unlink(path);
}

/* The committed corpus: nowhere is ref at odds with the grammar, and disagreements are of kinds
 * that quirks.json knows; a new one is named, for whoever adds a vector to judge it. */
static void corpus_is_explained(void **state)
{
    (void)state;
    static const char *const layers[] = {"--seconds=60", "--ws", "--http"};
    static const char *const witnesses[] = {"--corpus=" SIPWS_ROOT "/props/peers/witness/sip",
                                            "--corpus=" SIPWS_ROOT "/props/peers/witness/ws",
                                            "--corpus=" SIPWS_ROOT "/props/peers/witness/http"};
    size_t known = 0, unknown = 0;
    for (size_t i = 0; i < 3; i++) {
        char json[] = "--json", clusters[] = "--clusters", quiet[] = "--quiet", layer[32],
             witness[512], vectors[] = "--corpus=" SIPWS_ROOT "/corpus/vectors",
             seeds[] = "--corpus=" SIPWS_ROOT "/corpus/seeds/msg";
        snprintf(layer, sizeof layer, "%s", layers[i]);
        snprintf(witness, sizeof witness, "%s", witnesses[i]);
        /* The seeds of messages are nothing else. */
        char *argv[] = {program,          layer, json, clusters, quiet, witness, vectors,
                        i ? NULL : seeds, NULL};
        int status = run(out, sizeof out, argv);
        if (status != 0 && status != 1)
            fail_msg("status %d: %s", status, out);
        json_t **all = lines(out);
        for (size_t k = 0; all[k]; k++) {
            const json_t *c = json_object_get(all[k], "cluster");
            known += c && *text_of(c, "quirk");
            if (!c || *text_of(c, "quirk"))
                continue;
            unknown++;
            char *peers = json_dumps(json_object_get(c, "peers"), JSON_COMPACT);
            print_message("           new: %s, %s: %s %s\n", text_of(c, "field"),
                          text_of(c, "kind"), peers, text_of(c, "witness"));
            free(peers);
        }
        free_lines(all);
    }
    print_message("           %zu clusters known, %zu new\n", known, unknown);
    if (known + unknown == 0) {
        print_message("           skipped: there is nobody to compare with\n");
        skip();
    }
    assert_int_equal(unknown, 0); /* explain each in quirks.json, or mend what it shows of ref */
}

static void bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *p;
        size_t n;
    } junk[] = {{"", 0}, {"\0", 1}, {"\xff\xfe\x81\r\n\r\n", 7}};
    char huge[64];
    assert_int_equal(DIFF(out, NULL), 2);
    assert_non_null(strstr(out, "usage: sipws-diff"));
    assert_int_equal(DIFF(out, "--colour"), 2);
    assert_int_equal(DIFF(out, "--peers=ref,nobody", "x"), 2);
    assert_non_null(strstr(out, "nobody: no such peer"));
    assert_int_equal(DIFF(out, "--seconds=none", "x"), 2);
    assert_int_equal(DIFF(out, "--peer", "x", "x"), 2);
    assert_int_equal(DIFF(out, "--corpus", "/nonexistent"), 2);
    assert_int_equal(DIFF(out, "--peers=ref", "/nonexistent"), 2);
    assert_non_null(strstr(out, "/nonexistent: No such file"));
    assert_int_equal(DIFF(out, "--peers=ref", dir), 2);
    assert_non_null(strstr(out, "Is a directory"));

    /* No octet, a NUL, and octets that are no text: everybody refuses, and nobody crashes. */
    for (size_t i = 0; i < 3; i++) {
        json_t **all = ask(junk[i].p, junk[i].n, NULL);
        for (size_t k = 0; all[k]; k++)
            if (*text_of(all[k], "peer") && strcmp(text_of(all[k], "verdict"), "absent") != 0)
                assert_string_equal(text_of(all[k], "verdict"), "refuse");
        free_lines(all);
    }

    snprintf(huge, sizeof huge, "%s/huge", dir);
    int fd = open(huge, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 100 << 20), 0);
    close(fd);
    assert_int_equal(DIFF(out, "--peers=ref", huge), 2);
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
    char text[1024], path[128];
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
        if (DIFF(out, "--peers=oSIP,Sofia-SIP", path) > 1 || strstr(out, "refuse"))
            fail_msg("%s", out);
        unlink(path);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, others[i]);
        unlink(path);
    }
}

/* ---- peers that behave badly ----------------------------------------------------------------- */

#define HELLO "printf '{\"peer\":\"x\",\"version\":\"1\"}\\n'; "

static void bad_behaviour_is_a_result(void **state)
{
    (void)state;
    static const struct {
        const char *command, *verdict, *reason;
    } table[] = {
        {HELLO "head -c 4 >/dev/null; echo said >&2; kill -SEGV $$", "crash", "signal 11: said"},
        {HELLO "head -c 4 >/dev/null; exit 3", "crash", "exit 3"},
        {HELLO "exec sleep 1000", "hang", "no answer within 3 s"},
        {HELLO "echo nonsense; exec cat >/dev/null", "crash", "what it wrote is no answer"},
        {HELLO "echo '{\"verdict\":\"accept\"}'; exec cat >/dev/null", "crash",
         "what it wrote is no answer"},
        {HELLO "echo '{\"verdict\":\"refuse\",\"reason\":\"because\"}'; exec cat >/dev/null",
         "refuse", "because"},
        {HELLO "exec python3 -c 'x = bytearray(1 << 33); x[::4096] = b\"x\" * (1 << 21)'", "crash",
         "MemoryError"},
        {"echo '{\"absent\":\"not today\"}'", "absent", "not today"},
        {"exec /nonexistent/peer", "absent", "/nonexistent/peer"},
        {"exit 0", "absent", "it ended before it said who it is"},
    };
    const char *path = file_of(good, sizeof good - 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char peer[512];
        snprintf(peer, sizeof peer, "x=%s", table[i].command);
        DIFF(out, "--json", "--seconds=3", "--peer", peer, "--peers=ref", path);
        json_t **all = lines(out);
        const json_t *a = answer_of(all, "x");
        if (strcmp(text_of(a, "verdict"), table[i].verdict) != 0 ||
            !strstr(text_of(a, "reason"), table[i].reason))
            fail_msg("%s: %s: %s", table[i].command, text_of(a, "verdict"), text_of(a, "reason"));
        assert_null(json_object_get(a, "reading"));
        bool bad = strcmp(table[i].verdict, "absent") != 0;
        assert_int_equal(finding_of(all, "verdict", "x") != NULL, bad);
        free_lines(all);
    }
    unlink(path);
}

/* One wrong word in a reading is seen, whichever it is. */
static void a_lie_is_seen(void **state)
{
    (void)state;
    static const struct {
        const char *is, *lie, *field, *kind;
    } table[] = {
        {"\"method\":\"OPTIONS\"", "\"method\":\"options\"", "method", "case"},
        {"\"host\":\"a.invalid\",\"port\":8080", "\"host\":\"z.invalid\",\"port\":8080", "via host",
         "other"},
        {"\"port\":8080", "\"port\":null", "via port", "missing"},
        {"\"branch\":\"z9hG4bKd1\"", "\"branch\":\"z9hG4bK\"", "via branch", "cut at the end"},
        {"\"tag\":\"t1\"", "\"tag\":\"t%31\"", "from tag", "escapes"},
        {"\"number\":7", "\"number\":8", "cseq number", "more"},
        {"\"content-length\":2", "\"content-length\":1", "content-length", "less"},
        {"\"body\":\"hi\"", "\"body\":\"ho\"", "body at", "other"},
        {"\"name\":\"Max-Forwards\"", "\"name\":\"X-Other\"", "header names", "lacks max-forwards"},
    };
    const char *path = file_of(good, sizeof good - 1);
    DIFF(out, "--json", "--peers=ref", path);
    json_t **all = lines(out);
    char *reading = json_dumps(json_object_get(answer_of(all, "ref"), "reading"), JSON_COMPACT);
    free_lines(all);
    for (size_t i = 0; i <= sizeof table / sizeof *table; i++) {
        bool truth = i == sizeof table / sizeof *table;
        char lie[64], peer[128];
        char *where = truth ? NULL : strstr(reading, table[i].is);
        assert_true(truth || where);
        snprintf(lie, sizeof lie, "%s/lie", dir);
        FILE *f = fopen(lie, "w");
        assert_non_null(f);
        fputs("{\"peer\":\"liar\",\"version\":\"1\"}\n{\"verdict\":\"accept\",\"reading\":", f);
        fprintf(f, "%.*s%s%s}\n", truth ? 0 : (int)(where - reading), reading,
                truth ? reading : table[i].lie, truth ? "" : where + strlen(table[i].is));
        assert_int_equal(fclose(f), 0);
        snprintf(peer, sizeof peer, "liar=cat %s; exec cat >/dev/null", lie);
        int status = DIFF(out, "--json", "--peer", peer, "--peers=ref", path);
        all = lines(out);
        if (truth) {
            assert_int_equal(status, 0);
        } else {
            const json_t *found = finding_of(all, table[i].field, "liar");
            if (!found || strcmp(text_of(found, "kind"), table[i].kind) != 0)
                fail_msg("%s: %s", table[i].lie, found ? text_of(found, "kind") : "not seen");
            assert_int_equal(status, 1);
        }
        free_lines(all);
        unlink(lie);
    }
    free(reading);
    unlink(path);
}

static const char sound_head[] =
    "GET / HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: c2l4dGVlbiBvY3RldHMhIQ==\r\nSec-WebSocket-Protocol: sip\r\n"
    "Sec-WebSocket-Version: 13\r\n\r\n";

/* Whether quirks.json says that this reader of frames takes what ref refuses with `kind`. */
static bool is_known_to(const char *peer, const char *kind)
{
    json_t *root = json_load_file(SIPWS_ROOT "/props/peers/quirks.json", 0, NULL), *q, *who;
    size_t i, k;
    bool is = false;
    assert_non_null(root);
    json_array_foreach(json_object_get(root, "quirks"), i, q)
    {
        if (strcmp(text_of(q, "speaks"), "ws") != 0 || strcmp(text_of(q, "kind"), kind) != 0)
            continue;
        json_array_foreach(json_object_get(q, "peers"), k, who)
        {
            is |= strcmp(json_string_value(who), peer) == 0;
        }
    }
    json_decref(root);
    return is;
}

/* Frames: what the readers of WebSocket streams make of one of each; that adapters are in the role
 * of a server, since they refuse a frame that is not masked where the stack itself does. */
static void reads_frames(void **state)
{
    (void)state;
    static const char stream[] =
        "\x81\x82\0\0\0\0hi\x02\x81\0\0\0\0a\x89\x80\0\0\0\0\x80\x81\0\0\0\0"
        "b\x88\x82\0\0\0\0\x03\xe8";
    static const char unmasked[] = "\x81\x02hi";
    const char *path = file_of(stream, sizeof stream - 1);
    DIFF(out, "--ws", "--json", "--seconds=60", path);
    json_t **all = lines(out);
    for (size_t k = 0; all[k]; k++) {
        const char *name = text_of(all[k], "peer");
        if (!*name || strcmp(text_of(all[k], "verdict"), "absent") == 0)
            continue;
        char *events = json_dumps(at(all[k], "reading.events"), JSON_COMPACT | JSON_SORT_KEYS);
        if (!events || strcmp(events, "[{\"data\":\"hi\",\"event\":\"text\"},"
                                      "{\"data\":\"\",\"event\":\"ping\"},"
                                      "{\"data\":\"ab\",\"event\":\"binary\"},"
                                      "{\"code\":1000,\"event\":\"close\",\"reason\":\"\"}]") != 0)
            fail_msg("%s: %s: %s", name, text_of(all[k], "reason"), events ? events : "nothing");
        free(events);
    }
    free_lines(all);
    path = file_of(unmasked, sizeof unmasked - 1);
    DIFF(out, "--ws", "--json", "--seconds=60", path);
    all = lines(out);
    for (size_t k = 0; all[k]; k++)
        if (*text_of(all[k], "peer") && strcmp(text_of(all[k], "verdict"), "absent") != 0 &&
            strcmp(text_of(all[k], "verdict"), "refuse") != 0 &&
            !is_known_to(text_of(all[k], "peer"), "takes ws-unmasked"))
            fail_msg("%s takes an unmasked frame", text_of(all[k], "peer"));
    free_lines(all);
    unlink(path);
}

/* Handshakes: servers agree to a sound request, with the answer to its key, and to none without
 * one. A server that answers by heart is seen. */
static void answers_handshakes(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "c2l4dGVlbiBvY3RldHMhIQ==", "AAAAAAAAAAAAAAAAAAAAAA==", NULL};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char head[512];
        int n = snprintf(head, sizeof head,
                         "GET /sip HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\n"
                         "Connection: Upgrade\r\n%s%s\r\nSec-WebSocket-Protocol: sip\r\n"
                         "Sec-WebSocket-Version: 13\r\n\r\n",
                         keys[i] ? "Sec-WebSocket-Key: " : "X: y", keys[i] ? keys[i] : "");
        const char *path = file_of(head, (size_t)n);
        DIFF(out, "--http", "--json", "--seconds=60", path);
        json_t **all = lines(out);
        for (size_t k = 0; all[k]; k++) {
            const char *name = text_of(all[k], "peer"), *verdict = text_of(all[k], "verdict");
            const char *key = json_string_value(at(all[k], "reading.handshake.key"));
            if (!*name || strcmp(verdict, "absent") == 0)
                continue;
            if (strcmp(verdict, keys[i] ? "accept" : "refuse") != 0)
                fail_msg("%s: %s: %s", name, verdict, text_of(all[k], "reason"));
            if (keys[i] && (!key || strcmp(key, "answered") != 0))
                fail_msg("%s: the key is %s", name, key ? key : "not there");
        }
        free_lines(all);
    }
    static const char by_heart[] =
        "liar=exec python3 -B $PEERS/python/handshake-peer.py liar $PEERS/../probe/by-heart";
    const char *path = file_of(sound_head, sizeof sound_head - 1);
    int status = DIFF(out, "--http", "--json", "--peers=ref", "--peer", by_heart, path);
    json_t **all = lines(out);
    const json_t *found = finding_of(all, "key", "liar");
    if (status != 1 || !found || strcmp(text_of(found, "layer"), "handshake") != 0)
        fail_msg("the wrong answer to a key was not seen: %s", out);
    free_lines(all);
    unlink(path);
}

/* ---- clusters, quirks, coalitions ------------------------------------------------------------ */

/* Writes a file of the directory by name; its path, which lives until the next call. */
static const char *named_file(const char *name, const char *text)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return path;
}

/* A peer in Python, as `reading` of the lines of a message makes it: an expression over `m`, the
 * octets, and `f`, the values of header fields by their names in lower case, in their order. Its
 * option for the command line; lives until the next call but one. */
static const char *python_peer(const char *name, const char *reading)
{
    static char options[2][256];
    static int which;
    char file[32], text[1024];
    which ^= 1;
    snprintf(file, sizeof file, "%s.py", name);
    snprintf(text, sizeof text,
             "import os, sys\n"
             "sys.path.insert(0, '%s')\n"
             "import peer\n"
             "def read(m):\n"
             "    f = {}\n"
             "    for line in m.split(b'\\r\\n\\r\\n')[0].split(b'\\r\\n')[1:]:\n"
             "        n, _, v = line.partition(b':')\n"
             "        f.setdefault(n.decode('latin-1').lower(), []).append(\n"
             "            v.strip().decode('latin-1'))\n"
             "    return %s\n"
             "peer.serve('%s', '1', read)\n",
             SIPWS_ROOT "/props/peers/python", reading, name);
    snprintf(options[which], sizeof options[which], "%s=exec python3 -B %s", name,
             named_file(file, text));
    return options[which];
}

static void remove_named(const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    unlink(path);
}

/* The cluster about a field, or NULL. */
static const json_t *cluster_of(json_t **all, const char *field)
{
    for (size_t i = 0; all[i]; i++) {
        const json_t *c = json_object_get(all[i], "cluster");
        if (strcmp(text_of(c, "field"), field) == 0)
            return c;
    }
    return NULL;
}

/* A line that has this member, or NULL. */
static const json_t *line_with(json_t **all, const char *member)
{
    for (size_t i = 0; all[i]; i++)
        if (json_object_get(all[i], member))
            return json_object_get(all[i], member);
    return NULL;
}

static const char shouting[] = "{'request': {'method': 'options'}, 'from': {'tag': 'x'}}";

/* A cluster is known by a quirk of each of its peers, by exact words, by a rule, or since the peer
 * is known to take what ref refuses; and only then the exit status is 0. */
static void quirks_explain(void **state)
{
    (void)state;
#define QUIRK(peers, field, kind, more)                                                            \
    "{\"id\":\"q\",\"speaks\":\"sip\",\"peers\":[" peers "],\"field\":\"" field                    \
    "\",\"kind\":\"" kind "\"" more "}"
    static const struct {
        const char *quirks;
        bool known, unseen;
    } table[] = {
        {"", false, false},
        {QUIRK("\"loud\"", "method", "case", ""), true, false},
        {QUIRK("\"loud\",\"ref\"", "method", "case", ""), true, true}, /* ref does not show it */
        {QUIRK("\"quiet\"", "method", "case", ""), false, false},
        {QUIRK("\"loud\"", "meth*", "*", ""), true, false},
        {QUIRK("\"loud\"", "method", "cas", ""), false, true},
        {QUIRK("\"loud\"", "method", "case", ",\"refused\":true"), false, true},
        {QUIRK("\"loud\"", "via host", "case", ""), false, true},
        {QUIRK("\"loud\"", "via host|method", "longer|cas*", ""), true, false},
        {QUIRK("\"loud\"", "via host|metho", "*", ""), false, true},
        {QUIRK("\"loud\"", "*", "*", ",\"where\":\"start\""), true, false},
        {QUIRK("\"loud\"", "*", "*", ",\"where\":\"nowhere\""), false, true},
        /* Via has it, and the method is not read from there. */
        {QUIRK("\"loud\"", "*", "*", ",\"where\":\"via\""), false, true},
    };
    char message[128], option[256], quirks[128];
    snprintf(option, sizeof option, "%s",
             python_peer("loud", "{'request': {'method': 'options'}}"));
    snprintf(message, sizeof message, "%s", named_file("m", good));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[512];
        snprintf(text, sizeof text,
                 "{\"where\":{\"start\":{\"pattern\":\"^OPTIONS .*2.0$\"},"
                 "\"nowhere\":{\"pattern\":\"INVITE\"},\"via\":{\"pattern\":\"^Via:\"}},"
                 "\"quirks\":[%s]}",
                 table[i].quirks);
        snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", text));
        char peers[] = "--peers=ref", clusters[] = "--clusters", json[] = "--json",
             quiet[] = "--quiet", with[] = "--peer";
        char *argv[] = {program, peers, with, option, clusters, json, quiet, quirks, message, NULL};
        int status = run(out, sizeof out, argv);
        json_t **all = lines(out);
        const json_t *c = cluster_of(all, "method");
        assert_non_null(c);
        assert_string_equal(text_of(c, "kind"), "case");
        if ((*text_of(c, "quirk") != '\0') != table[i].known || status != !table[i].known ||
            (line_with(all, "unseen") != NULL) != table[i].unseen)
            fail_msg("%s: status %d, %s", table[i].quirks, status, text_of(c, "quirk"));
        free_lines(all);
    }
    remove_named("loud.py");
    remove_named("m");
    remove_named("q");
}

/* A pattern is looked for in the lines that a row is read from: with their folds, by whatever form
 * of the name, and nowhere else; and what is no pattern, or named and not there, is told. */
static void quirks_look_at_lines(void **state)
{
    (void)state;
    static const char spaced[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                 "Via: SIP/2.0/WS a.invalid;branch=z9hG4bKd2\r\n"
                                 "Max-Forwards: 70\r\n"
                                 "To: <sip:b@example.org>\r\n"
                                 "From: <sip:a@example.org>;tag=t1\r\n"
                                 "Call-ID: c2\r\n"
                                 "CSeq: 1 OPTIONS\r\n"
                                 "m\t: <sip:a@a.invalid>\r\n"
                                 "\t;x=y\r\n"
                                 "Content-Type: text/plain\r\n"
                                 "\r\n"
                                 "Contact: body\r\n";
    static const struct {
        const char *pattern;
        int status;
    } table[] = {
        {"^m\\t:.*\\r\\n\\t;x=y$", 0},
        {"branch", 1},
        {"OPTIONS", 1},
        {"body", 1},
        {"\\n\\r", 1},
        {"(", 2},
        {"", 2},
    };
    char option[256], quirks[128], message[128], text[400];
    snprintf(option, sizeof option, "%s",
             python_peer("loud",
                         "{'request': {'method': 'OPTIONS'}, 'fields': [{'name': n} for n in"
                         " f if n[0] not in 'm\\t' or n == 'max-forwards']}"));
    snprintf(message, sizeof message, "%s", named_file("m", spaced));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *name = *table[i].pattern ? "here" : "there";
        snprintf(text, sizeof text,
                 "{\"where\":{\"here\":{\"pattern\":\"%s\"}},\"quirks\":[" QUIRK(
                     "\"loud\"", "header names", "lacks contact", ",\"where\":\"%s\"") "]}",
                 table[i].pattern, name);
        snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", text));
        char peers[] = "--peers=ref", clusters[] = "--clusters", json[] = "--json",
             quiet[] = "--quiet", with[] = "--peer";
        char *argv[] = {program, peers, with, option, clusters, json, quiet, quirks, message, NULL};
        int status = run(out, sizeof out, argv);
        if (status != table[i].status)
            fail_msg("%s: status %d: %s", table[i].pattern, status, out);
    }
    remove_named("loud.py");
    remove_named("m");
    remove_named("q");
}

/* Who is known to take an error is known to read something of its own there, and nobody else. */
static void effects_follow(void **state)
{
    (void)state;
    static const char twice[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                "Via: SIP/2.0/WS a.invalid;branch=z9hG4bKd2\r\n"
                                "Max-Forwards: 70\r\n"
                                "To: <sip:b@example.org>\r\n"
                                "From: <sip:a@example.org>;tag=t1\r\n"
                                "From: <sip:e@example.org>;tag=t2\r\n"
                                "Call-ID: c2\r\n"
                                "CSeq: 1 OPTIONS\r\n"
                                "\r\n";
    for (int both = 0; both < 2; both++) {
        char message[128], first[256], last[256], quirks[128], text[256];
        char peers[] = "--peers=ref", clusters[] = "--clusters", json[] = "--json",
             quiet[] = "--quiet", with[] = "--peer", again[] = "--peer";
        snprintf(message, sizeof message, "%s", named_file("m", twice));
        snprintf(first, sizeof first, "%s",
                 python_peer("first", "{'request': {'method': 'OPTIONS'}, 'from': {'tag': "
                                      "f['from'][0][-2:]}}"));
        snprintf(last, sizeof last, "%s",
                 python_peer("last", "{'request': {'method': 'OPTIONS'}, 'from': {'tag': "
                                     "f['from'][-1][-2:]}}"));
        snprintf(text, sizeof text,
                 "{\"quirks\":[" QUIRK("\"first\"%s", "verdict", "takes double-field", "") "]}",
                 both ? ",\"last\"" : "");
        snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", text));
        char *argv[] = {program,  peers, with,  first,  again,   last,
                        clusters, json,  quiet, quirks, message, NULL};
        assert_int_equal(run(out, sizeof out, argv), !both);
        json_t **all = lines(out);
        const json_t *c = cluster_of(all, "from tag");
        assert_string_equal(text_of(c, "kind"), "split on double-field");
        assert_string_equal(text_of(c, "error"), "double-field");
        assert_int_equal(json_object_size(json_object_get(c, "readings")), 2);
        assert_string_equal(text_of(c, "quirk"), both ? "q" : "");
        /* The rest of the message is not contested: nobody is split over the method. */
        assert_null(cluster_of(all, "method"));
        free_lines(all);
    }
    remove_named("first.py");
    remove_named("last.py");
    remove_named("m");
    remove_named("q");
}

#ifdef SIPWS_PLANTS
/* Where the grammar sides against ref, no quirk helps: here ref refuses white space before "=", and
 * there is a quirk that explains everything. */
static void no_quirk_hides_ref(void **state)
{
    (void)state;
    static const char spaced[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                 "Via: SIP/2.0/WS a.invalid;branch=z9hG4bKd2\r\n"
                                 "Max-Forwards: 70\r\n"
                                 "To: <sip:b@example.org>\r\n"
                                 "From: <sip:a@example.org>;tag=t1;x =y\r\n"
                                 "Call-ID: c2\r\n"
                                 "CSeq: 1 OPTIONS\r\n"
                                 "\r\n";
    const char *was = getenv("SIPWS_PLANT");
    char kept[64], quirks[128], message[128];
    snprintf(kept, sizeof kept, "%s", was ? was : "");
    for (int planted = 0; planted < 2; planted++) {
        snprintf(message, sizeof message, "%s", named_file("m", spaced));
        snprintf(quirks, sizeof quirks, "--quirks=%s",
                 named_file("q", "{\"quirks\":[" QUIRK("\"easy\",\"ref\"", "*", "*", "") "]}"));
        char option[256], peers[] = "--peers=ref", clusters[] = "--clusters", json[] = "--json",
                          quiet[] = "--quiet", with[] = "--peer";
        snprintf(option, sizeof option, "%s",
                 python_peer("easy", "{'request': {'method': 'OPTIONS'}}"));
        if (planted)
            setenv("SIPWS_PLANT", "EQUAL_TIGHT", 1);
        else
            unsetenv("SIPWS_PLANT");
        char *argv[] = {program, peers, with, option, clusters, json, quiet, quirks, message, NULL};
        int status = run(out, sizeof out, argv);
        assert_int_equal(status, planted ? 2 : 0);
        assert_int_equal(strstr(out, "ref and the grammar disagree") != NULL, planted);
        assert_int_equal(strstr(out, "\"refuses what the grammar takes: ") != NULL, planted);
    }
    if (was)
        setenv("SIPWS_PLANT", kept, 1);
    else
        unsetenv("SIPWS_PLANT");
    remove_named("easy.py");
    remove_named("m");
    remove_named("q");
}
#endif

/* Each committed quirk has all that somebody needs who doubts it. */
static void quirks_are_complete(void **state)
{
    (void)state;
    static const char *const members[] = {"id",  "speaks", "layer",   "field",   "kind",  "what",
                                          "rfc", "right",  "matters", "witness", "status"};
    json_t *root =
               json_load_file(SIPWS_ROOT "/props/peers/quirks.json", JSON_REJECT_DUPLICATES, NULL),
           *q, *seen = json_object_get(root, "seen");
    size_t i;
    assert_true(json_array_size(json_object_get(root, "quirks")) > 100);
    json_array_foreach(json_object_get(root, "quirks"), i, q)
    {
        const char *id = text_of(q, "id");
        const json_t *who = json_object_get(q, "peers");
        for (size_t k = 0; k < sizeof members / sizeof *members; k++)
            if (!*text_of(q, members[k]))
                fail_msg("%s: no %s", id, members[k]);
        if (!strstr("ref peer both disputed", text_of(q, "right")) ||
            !strstr("smuggling identity denial interop", text_of(q, "matters")))
            fail_msg("%s: right: %s, matters: %s", id, text_of(q, "right"), text_of(q, "matters"));
        assert_string_equal(text_of(q, "status"), "reviewed");
        if (json_array_size(who) == 0)
            fail_msg("%s: of nobody", id);
        for (size_t k = 0; k < json_array_size(who); k++)
            if (!json_object_get(seen, json_string_value(json_array_get(who, k))))
                fail_msg("%s: with which version of %s?", id,
                         json_string_value(json_array_get(who, k)));
    }
    json_decref(root);
}

/* The smallest witness: what the cluster is about, and nothing else. */
static void shrinks(void **state)
{
    (void)state;
    char message[128], option[256], long_one[4096];
    int n = snprintf(long_one, sizeof long_one, "%.*s", (int)(sizeof good - 1 - 4), good);
    for (int i = 0; i < 20; i++)
        n += snprintf(long_one + n, sizeof long_one - (size_t)n,
                      "X-Padding: %d, more, of; it=%d\r\n", i, i);
    snprintf(long_one + n, sizeof long_one - (size_t)n, "\r\nhi");
    snprintf(message, sizeof message, "%s", named_file("m", long_one));
    snprintf(option, sizeof option, "%s", python_peer("loud", shouting));
    char peers[] = "--peers=ref", shrink[] = "--shrink=60", json[] = "--json", quiet[] = "--quiet",
         clusters[] = "--clusters", with[] = "--peer", quirks[128];
    snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", "{\"quirks\":[]}"));
    char *argv[] = {program, peers, with,   option,  clusters, shrink,
                    json,    quiet, quirks, message, NULL};
    assert_int_equal(run(out, sizeof out, argv), 1);
    char *start = strstr(out, "{\"cluster\"");
    assert_non_null(start);
    json_t **all = lines(start);
    const json_t *method = cluster_of(all, "method"), *tag = cluster_of(all, "from tag");
    assert_non_null(method);
    assert_non_null(tag);
    /* What shows in a sound message is shown in a sound one. */
    assert_null(json_object_get(method, "error"));
    assert_true(json_integer_value(json_object_get(method, "octets")) < 160);
    assert_non_null(strstr(text_of(method, "message"), "OPTIONS "));
    assert_null(strstr(text_of(method, "message"), "X-Padding"));
    assert_non_null(strstr(text_of(method, "message"), "CSeq:"));
    assert_true(json_integer_value(json_object_get(tag, "octets")) < 160);
    assert_null(strstr(text_of(tag, "message"), "Route"));
    free_lines(all);
    remove_named("loud.py");
    remove_named("m");
    remove_named("q");
}

#define READS(from)                                                                                \
    "{'request': {'method': 'OPTIONS'}, 'from': {'uri': {'text': f['from'][" from "]}}}"

/* Two in a chain that take another From of two; nobody where they take the same; nobody where one
 * of them always reads From in its own way, a plain message too. */
static void finds_coalitions(void **state)
{
    (void)state;
    static const char twice[] = "OPTIONS sip:example.org SIP/2.0\r\n"
                                "Via: SIP/2.0/WS a.invalid;branch=z9hG4bKd2\r\n"
                                "Max-Forwards: 70\r\n"
                                "Subject: of no use\r\n"
                                "To: <sip:b@example.org>\r\n"
                                "From: <sip:a@example.org>;tag=t1\r\n"
                                "From: <sip:e@example.org>;tag=t2\r\n"
                                "Call-ID: c2\r\n"
                                "CSeq: 1 OPTIONS\r\n"
                                "\r\n";
    static const struct {
        const char *first, *second;
        size_t pairs;
    } table[] = {
        {READS("0"), READS("-1"), 1},
        {READS("-1"), READS("-1"), 0},
        {READS("0"), "{'request': {'method': 'OPTIONS'}, 'from': {'uri': {'text': 'sip:x'}}}", 0},
        {READS("0"), "(_ for _ in ()).throw(peer.Refused('no', None))", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char message[128], one[256], two[256];
        char peers[] = "--peers=ref", shrink[] = "--shrink=30", json[] = "--json",
             quiet[] = "--quiet", coalitions[] = "--coalitions", with[] = "--peer",
             again[] = "--peer";
        size_t pairs = 0;
        snprintf(message, sizeof message, "%s", named_file("m", twice));
        snprintf(one, sizeof one, "%s", python_peer("sipgo", table[i].first));
        snprintf(two, sizeof two, "%s", python_peer("phone", table[i].second));
        char *argv[] = {program,    peers,  with, one,   again,   two,
                        coalitions, shrink, json, quiet, message, NULL};
        run(out, sizeof out, argv);
        json_t **all = lines(out);
        for (size_t k = 0; all[k]; k++) {
            const json_t *c = json_object_get(all[k], "coalition");
            pairs += c != NULL;
            if (!c)
                continue;
            assert_string_equal(text_of(c, "kind"), "identity");
            assert_int_equal(json_integer_value(json_object_get(c, "severity")), 4);
            assert_string_equal(text_of(c, "cause"), "double-field");
            assert_string_equal(text_of(c, "first"), "sipgo");
            assert_string_equal(text_of(c, "second"), "phone");
            assert_null(strstr(text_of(c, "message"), "Subject")); /* it was made small, */
            assert_non_null(strstr(text_of(c, "message"), "Via")); /* with one error only */
            assert_true(json_integer_value(json_object_get(c, "octets")) < 200);
        }
        if (pairs != table[i].pairs)
            fail_msg("%s and %s: %zu", table[i].first, table[i].second, pairs);
        free_lines(all);
    }
    remove_named("sipgo.py");
    remove_named("phone.py");
    remove_named("m");
}

/* Writes the witnesses of coalitions.json into a folder. */
static json_t *write_coalitions(const char *folder)
{
    json_t *root = json_load_file(SIPWS_ROOT "/props/peers/coalitions.json",
                                  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL),
           *c;
    size_t i;
    assert_int_equal(mkdir(folder, 0700), 0);
    json_array_foreach(json_object_get(root, "coalitions"), i, c)
    {
        char path[160];
        const json_t *m = json_object_get(c, "message"), *hex = json_object_get(m, "hex");
        const char *p = json_string_value(hex ? hex : m);
        snprintf(path, sizeof path, "%s/%zu", folder, i);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        for (size_t k = 0; k < json_string_length(hex ? hex : m); k += hex ? 2 : 1) {
            unsigned octet = (unsigned char)p[k];
            if (hex)
                assert_int_equal(sscanf(p + k, "%2x", &octet), 1);
            putc((int)octet, f);
        }
        assert_int_equal(fclose(f), 0);
        assert_true(json_integer_value(json_object_get(c, "octets")) <= 400);
    }
    return root;
}

/* Who has the version with which a coalition was seen, or is not here. */
static bool same_versions(json_t **all, const json_t *coalition)
{
    const char *name;
    json_t *version;
    json_object_foreach(json_object_get(coalition, "versions"), name, version)
    {
        bool same = false;
        for (size_t i = 0; all[i]; i++)
            same = same || (strcmp(text_of(all[i], "peer"), name) == 0 &&
                            strcmp(text_of(all[i], "version"), json_string_value(version)) == 0);
        if (!same)
            return false;
    }
    return true;
}

/* The committed coalitions show again, between these versions. */
static void coalitions_show(void **state)
{
    (void)state;
    static const char *const members[] = {"kind", "cause", "first", "second"};
    char folder[64], command[100];
    size_t asked = 0, smuggling = 0;
    snprintf(folder, sizeof folder, "%s/coalitions", dir);
    json_t *root = write_coalitions(folder), *c;
    DIFF(out, "--json", "--peers");
    json_t **here = lines(out), **all;
    DIFF(out, "--json", "--coalitions", "--quiet", "--seconds=60", "--corpus", folder);
    all = lines(out);
    size_t i;
    json_array_foreach(json_object_get(root, "coalitions"), i, c)
    {
        bool found = false;
        if (!same_versions(here, c))
            continue;
        for (size_t k = 0; !found && all[k]; k++) {
            const json_t *o = json_object_get(all[k], "coalition");
            found = o != NULL;
            for (size_t m = 0; m < 4; m++)
                found = found && strcmp(text_of(o, members[m]), text_of(c, members[m])) == 0;
        }
        if (!found)
            fail_msg("%s by %s: %s then %s does not show", text_of(c, "kind"), text_of(c, "cause"),
                     text_of(c, "first"), text_of(c, "second"));
        asked++;
        smuggling += json_integer_value(json_object_get(c, "severity")) == 5;
    }
    print_message("           %zu coalitions show, %zu of them smuggle\n", asked, smuggling);
    free_lines(all);
    free_lines(here);
    json_decref(root);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    assert_int_equal(system(command), 0);
    if (asked == 0) {
        print_message("           skipped: no two of these stacks are here\n");
        skip();
    }
}

/* Of messages that are on their way together, the one that crashes a peer is blamed, and the others
 * are answered. */
static void the_right_one_crashes(void **state)
{
    (void)state;
    char option[256], path[8][128];
    char peers[] = "--peers=ref", json[] = "--json", with[] = "--peer";
    snprintf(
        option, sizeof option, "%s",
        python_peer("frail", "os._exit(5) if b'crash' in m else {'request': {'method': 'A'}}"));
    char *argv[16] = {program, peers, json, with, option};
    for (int i = 0; i < 8; i++) {
        char name[8];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(path[i], sizeof path[i], "%s",
                 named_file(name, i == 3 || i == 4 ? "crash" : good));
        argv[5 + i] = path[i];
    }
    run(out, sizeof out, argv);
    json_t **all = lines(out);
    size_t answers = 0;
    for (size_t k = 0; all[k]; k++) {
        const char *file = text_of(all[k], "file");
        if (strcmp(text_of(all[k], "peer"), "frail") != 0)
            continue;
        char digit = file[strlen(file) - 1];
        assert_string_equal(text_of(all[k], "verdict"),
                            digit == '3' || digit == '4' ? "crash" : "accept");
        answers++;
    }
    assert_int_equal(answers, 8);
    free_lines(all);
    for (int i = 0; i < 8; i++)
        unlink(path[i]);
    remove_named("frail.py");
}

/* A short run over the linked peers finds clusters, and each witness that it saves shows its own
 * again. */
static void fuzzes(void **state)
{
    (void)state;
    char quirks[128], folder[128], command[300];
    char fuzz[] = "--fuzz=4", peers[] = "--peers=oSIP,Sofia-SIP,libre", json[] = "--json",
         seed[] = "--seed=1";
    snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", "{\"quirks\":[]}"));
    snprintf(folder, sizeof folder, "--out=%s/found", dir);
    char *argv[] = {program, fuzz, peers, json, seed, quirks, folder, NULL};
    int status = run(out, sizeof out, argv);
    char *start = strstr(out, "{\"cluster\"");
    if (!start) {
        print_message("           skipped: no library is linked\n");
        remove_named("q");
        skip();
    }
    assert_int_equal(status, 1);
    json_t **all = lines(start);
    size_t n = 0, replayed = 0;
    static char again[1 << 16];
    for (; all[n]; n++) {
        const json_t *c = json_object_get(all[n], "cluster");
        if (!c || n % 16 != 0)
            continue;
        char witness[256], clusters[] = "--clusters", quiet[] = "--quiet";
        snprintf(witness, sizeof witness, "%s", text_of(c, "witness"));
        char *replay[] = {program, peers, json, clusters, quiet, quirks, witness, NULL};
        assert_int_equal(run(again, sizeof again, replay), 1);
        json_t **shown = lines(again);
        bool same = false;
        for (size_t k = 0; shown[k]; k++) {
            const json_t *s = json_object_get(shown[k], "cluster");
            same = same || (strcmp(text_of(s, "field"), text_of(c, "field")) == 0 &&
                            strcmp(text_of(s, "kind"), text_of(c, "kind")) == 0 &&
                            json_equal(json_object_get(s, "peers"), json_object_get(c, "peers")));
        }
        if (!same)
            fail_msg("%s does not show %s: %s", witness, text_of(c, "field"), text_of(c, "kind"));
        replayed++;
        free_lines(shown);
    }
    assert_true(n >= 20);
    assert_true(replayed >= 2);
    print_message("           %zu clusters in 4 s\n", n);
    free_lines(all);
    snprintf(command, sizeof command, "rm -r '%s/found'", dir);
    assert_int_equal(system(command), 0);
    remove_named("q");
}

/* Bred handshakes: a server that agrees to whatever has an empty line takes what ref refuses, for
 * many reasons, and all that it is sent has one. */
static void breeds_handshakes(void **state)
{
    (void)state;
    static const char by_heart[] =
        "liar=exec python3 -B $PEERS/python/handshake-peer.py liar $PEERS/../probe/by-heart";
    char quirks[128], folder[128], liar[128], command[300];
    char http[] = "--http", fuzz[] = "--fuzz=4", peers[] = "--peers=ref", json[] = "--json",
         seed[] = "--seed=1", peer[] = "--peer";
    snprintf(liar, sizeof liar, "%s", by_heart);
    snprintf(quirks, sizeof quirks, "--quirks=%s", named_file("q", "{\"quirks\":[]}"));
    snprintf(folder, sizeof folder, "--out=%s/found", dir);
    char *argv[] = {program, http, fuzz, peers, json, seed, peer, liar, quirks, folder, NULL};
    assert_int_equal(run(out, sizeof out, argv), 1);
    char *start = strstr(out, "{\"cluster\"");
    assert_non_null(start);
    json_t **all = lines(start);
    size_t taken = 0;
    for (size_t i = 0; all[i]; i++) {
        const json_t *c = json_object_get(all[i], "cluster");
        const char *message = text_of(c, "message"), *kind = text_of(c, "kind");
        if (!c)
            continue;
        assert_string_equal(text_of(c, "speaks"), "http");
        taken += strncmp(kind, "takes http-", 11) == 0;
        if (*message && !strstr(message, "\r\n\r\n"))
            fail_msg("%s: a head without its end was bred", kind);
    }
    print_message("           %zu errors of ref are taken\n", taken);
    assert_true(taken >= 8);
    free_lines(all);
    snprintf(command, sizeof command, "rm -r '%s/found'", dir);
    assert_int_equal(system(command), 0);
    remove_named("q");
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a chunk costs on the heap of this process: a unit for how slow this machine is right now. */
static double heap_unit(void)
{
    static void *volatile chunk[1000];
    double began = cpu_seconds();
    for (int round = 0; round < 200; round++) {
        for (size_t i = 0; i < 1000; i++)
            chunk[i] = malloc(1 + i % 400);
        for (size_t i = 0; i < 1000; i++)
            free(chunk[i]);
    }
    return (cpu_seconds() - began) / 200e3 * 1e6;
}

/* In microseconds; what a message costs all linked peers together, with breeding and comparing. It
 * is 550 with nobody else on the machine, 900 with five others. Where AddressSanitizer's heap has
 * to serve parsers that allocate thousands of times a message it is 2,000 and more. */
enum { MESSAGE_MOST = 1800, UNITS_MOST = 6000 };

/* Every linked peer reads every case, and what that takes does not creep up. */
static void measures_rates(void **state)
{
    (void)state;
    double unit = heap_unit(), most = MESSAGE_MOST;
    DIFF(out, "--json", "--rate", "--peers=linked");
    unit = (unit + heap_unit()) / 2;
    most = most < UNITS_MOST * unit ? UNITS_MOST * unit : most;
    json_t **all = lines(out), *together = NULL;
    assert_string_equal(text_of(all[0], "peer"), "ref");
    assert_true(json_is_true(json_object_get(all[0], "linked")));
    size_t here = 0;
    for (size_t i = 0; all[i]; i++) {
        here += json_object_get(all[i], "version") != NULL;
        together = together ? together : json_object_get(all[i], "together");
        assert_true(!json_object_get(all[i], "version") ||
                    json_integer_value(json_object_get(all[i], "rate")) > 0);
    }
    if (here > 1) {
        const char *name;
        json_t *peer, *who = json_object_get(together, "peers");
        json_int_t cases = json_integer_value(json_object_get(together, "cases"));
        double cpu = json_real_value(json_object_get(together, "cpu"));
        assert_int_equal(json_object_size(who), here);
        json_object_foreach(who, name, peer)
        {
            assert_int_equal(json_integer_value(json_object_get(peer, "read")), cases);
            assert_true(json_real_value(json_object_get(peer, "cpu")) > 0);
        }
        print_message("           %lld messages a second, %.0f us each (at most %.0f)\n",
                      (long long)json_integer_value(json_object_get(together, "rate")), cpu, most);
        assert_true(cases > 300);
        assert_true(cpu > 0 && cpu < most);
    }
    free_lines(all);
}

/* Of all layers at once: who is the first of all is not the first of each. No program is found. */
static void measures_each_layer(void **state)
{
    (void)state;
    char env[] = "env", where[] = "SIPWS_PEERS=/nonexistent", json[] = "--json", rate[] = "--rate";
    char *argv[] = {env, where, program, json, rate, NULL};
    size_t linked[2] = {0, 0}, together[2] = {0, 0};
    assert_int_equal(run(out, sizeof out, argv), 0);
    json_t **all = lines(out);
    for (size_t i = 0; all[i]; i++) {
        const json_t *t = json_object_get(all[i], "together");
        const char *layer = text_of(t ? t : all[i], "layer");
        size_t is_ws = strcmp(layer, "ws") == 0;
        if (strcmp(layer, "http") == 0)
            continue;
        if (!t) {
            linked[is_ws] += json_is_true(json_object_get(all[i], "linked"));
            continue;
        }
        const char *name;
        json_t *peer;
        together[is_ws] = json_object_size(json_object_get(t, "peers"));
        json_object_foreach(json_object_get(t, "peers"), name, peer)
            assert_true(json_real_value(json_object_get(peer, "cpu")) > 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(together[i], linked[i] > 1 ? linked[i] : 0);
    free_lines(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_same),
        cmocka_unit_test(reads_what_stands_there),
        cmocka_unit_test(reads_frames),
        cmocka_unit_test(answers_handshakes),
        cmocka_unit_test(fits_the_schema),
        cmocka_unit_test(names_a_vector),
        cmocka_unit_test(ref_reads_no_other_parameter),
        cmocka_unit_test(shows_a_grid),
        cmocka_unit_test(marks_disagreement),
        cmocka_unit_test(corpus_is_explained),
        cmocka_unit_test(bad_input),
        cmocka_unit_test(rfc7118),
        cmocka_unit_test(bad_behaviour_is_a_result),
        cmocka_unit_test(a_lie_is_seen),
        cmocka_unit_test(quirks_explain),
        cmocka_unit_test(quirks_look_at_lines),
        cmocka_unit_test(effects_follow),
#ifdef SIPWS_PLANTS
        cmocka_unit_test(no_quirk_hides_ref),
#endif
        cmocka_unit_test(quirks_are_complete),
        cmocka_unit_test(shrinks),
        cmocka_unit_test(finds_coalitions),
        cmocka_unit_test(coalitions_show),
        cmocka_unit_test(the_right_one_crashes),
        cmocka_unit_test(fuzzes),
        cmocka_unit_test(breeds_handshakes),
        cmocka_unit_test(measures_rates),
        cmocka_unit_test(measures_each_layer),
    };
    return cmocka_run_group_tests_name("diff", tests, make_dir, remove_dir);
}
