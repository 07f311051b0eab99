/* sipws-replay: runs one case again: a tape of a property, an input of a fuzz target, or a story.
 *
 * A build that links the fuzz targets defines SIPWS_TARGETS as T(uri)T(ws)..., one T a target, and
 * compiles fuzz/target_NAME.c with -DLLVMFuzzerTestOneInput=sipws_target_NAME.
 */
#define _POSIX_C_SOURCE 200809L
#include "pcap.h"
#include "property.h"
#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-replay [OPTION]... FILE...\n"
    "Runs a case again: a tape file of a property, an input of a fuzz target, or a story\n"
    "(props/STORIES.md), which is held against its expect lines, or whose events are printed.\n"
    "  --target NAME  the file is an input of this target (else its folder or the front of its\n"
    "                 name tells: corpus/seeds/uri/x, uri-x)\n"
    "  --property NAME  the file is the naked tape of this property\n"
    "  --explain      the story, what happened, and the first diverging octet\n"
    "  --shrink       makes a failing case as small as it gets, and writes it to FILE.min\n"
    "  --as-c         a cmocka test that fails until the property holds, to standard output\n"
    "  --as-wire      the octets that go over the wire, to standard output\n"
    "  --as-pcap      the same as a capture for Wireshark or tcpdump\n"
    "  --no-fork      judge in this process, as a debugger wants it\n"
    "  --targets      lists the fuzz targets this program knows\n"
    "Exit status: 0 all hold, 1 one fails, 2 usage or I/O.\n";

enum { MAX_FILE = 16 << 20, HANG_SECONDS = 20, SHRINK_SECONDS = 25 };

/* ---- fuzz targets ---------------------------------------------------------------------------- */

typedef int target_fn(const uint8_t *data, size_t n);

struct target {
    const char *name;
    target_fn *run;
};

#ifdef SIPWS_TARGETS
#define T(name) target_fn sipws_target_##name;
SIPWS_TARGETS
#undef T
#endif

static const struct target targets[] = {
#ifdef SIPWS_TARGETS
#define T(name) {#name, sipws_target_##name},
    SIPWS_TARGETS
#undef T
#endif
    {NULL, NULL}};

static const struct target *target_find(const char *name, size_t n)
{
    for (const struct target *t = targets; t->name; t++)
        if (strlen(t->name) == n && memcmp(t->name, name, n) == 0)
            return t;
    return NULL;
}

/* By the folder of the file, or the longest front of its name that is a target and a dash. */
static const struct target *target_of_path(const char *path)
{
    const char *base = strrchr(path, '/');
    const struct target *best = NULL;
    if (base) {
        const char *end = base, *dir = base;
        while (dir > path && dir[-1] != '/')
            dir--;
        best = target_find(dir, (size_t)(end - dir));
        if (best)
            return best;
    }
    base = base ? base + 1 : path;
    for (const char *dash = strchr(base, '-'); dash; dash = strchr(dash + 1, '-')) {
        const struct target *t = target_find(base, (size_t)(dash - base));
        best = t ? t : best;
    }
    return best;
}

/* ---- one case -------------------------------------------------------------------------------- */

struct job {
    const char *path;
    unsigned char *data; /* the whole file */
    size_t data_n;
    const struct prop *prop;     /* of a tape */
    const struct target *target; /* of a raw input */
    unsigned char *input;        /* the tape, or the raw input, within data */
    size_t n;
    struct prop_trial *trial;
};

/* How a child ended. */
struct outcome {
    enum { O_HOLDS, O_FAILS, O_DISCARDED, O_CRASHED, O_HUNG } kind;
    int code; /* the signal, or 256 + exit status */
};

enum { EXIT_HOLDS = 70, EXIT_FAILS, EXIT_DISCARDED };

static int judge_here(const struct job *j, const unsigned char *input, size_t n)
{
    if (j->target) {
        j->target->run(input, n);
        return EXIT_HOLDS;
    }
    enum verdict v = prop_check(j->prop, input, n, j->trial);
    return v == HOLDS ? EXIT_HOLDS : v == FAILS ? EXIT_FAILS : EXIT_DISCARDED;
}

static struct outcome outcome_of(int status)
{
    if (WIFSIGNALED(status))
        return (struct outcome){WTERMSIG(status) == SIGALRM ? O_HUNG : O_CRASHED, WTERMSIG(status)};
    switch (WEXITSTATUS(status)) {
    case EXIT_HOLDS:
        return (struct outcome){O_HOLDS, 0};
    case EXIT_FAILS:
        return (struct outcome){O_FAILS, 0};
    case EXIT_DISCARDED:
        return (struct outcome){O_DISCARDED, 0};
    default:
        return (struct outcome){O_CRASHED, 256 + WEXITSTATUS(status)};
    }
}

/* Judges in a child, so that a crash is an outcome. */
static struct outcome judge_apart(const struct job *j, const unsigned char *input, size_t n,
                                  bool quiet, unsigned seconds)
{
    fflush(NULL);
    pid_t child = fork();
    int status = 0;
    if (child < 0) {
        perror("sipws-replay: fork");
        exit(2);
    }
    if (child == 0) {
        int null = quiet ? open("/dev/null", O_WRONLY) : -1;
        if (null >= 0) {
            dup2(null, STDOUT_FILENO);
            dup2(null, STDERR_FILENO);
        }
        alarm(seconds);
        _exit(judge_here(j, input, n));
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) {
            perror("sipws-replay: waitpid");
            exit(2);
        }
    return outcome_of(status);
}

struct shrink_judge {
    const struct job *job;
    struct outcome want;
    unsigned seconds;
};

static bool same_outcome(void *ctx, const unsigned char *input, size_t n)
{
    const struct shrink_judge *s = ctx;
    struct outcome o = judge_apart(s->job, input, n, true, s->seconds);
    return o.kind == s->want.kind && o.code == s->want.code;
}

static bool save(const struct job *j, const char *path)
{
    if (j->prop)
        return prop_save(path, j->prop, j->input, j->n);
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = j->n == 0 || fwrite(j->input, 1, j->n, f) == j->n;
    return fclose(f) == 0 && ok;
}

static bool shrink(struct job *j, struct outcome o)
{
    struct shrink_judge s = {j, o, o.kind == O_HUNG ? 1 : HANG_SECONDS};
    char path[4096];
    uint64_t tries = 0;
    size_t was = j->n;
    if (o.kind == O_FAILS)
        j->n = prop_shrink_id(j->prop, j->input, j->n, SHRINK_SECONDS, &tries);
    else
        j->n = prop_shrink(j->prop, j->input, j->n, same_outcome, &s, SHRINK_SECONDS, &tries);
    if (snprintf(path, sizeof path, "%s.min", j->path) >= (int)sizeof path || !save(j, path)) {
        fprintf(stderr, "%s.min: %s\n", j->path, strerror(errno));
        return false;
    }
    fprintf(stderr, "%s: %zu octets are now %zu, after %llu tries\n", path, was, j->n,
            (unsigned long long)tries);
    return true;
}

static void hex_dump(const unsigned char *p, size_t n)
{
    for (size_t line = 0; line < n; line += 16) {
        printf("  %6zu  ", line);
        for (size_t i = line; i < line + 16; i++)
            if (i < n)
                printf("%02x ", p[i]);
            else
                printf("   ");
        putchar(' ');
        for (size_t i = line; i < line + 16 && i < n; i++)
            putchar(p[i] >= 0x20 && p[i] <= 0x7E ? p[i] : '.');
        putchar('\n');
    }
}

static const char *describe(struct outcome o, char out[64])
{
    if (o.kind == O_HUNG)
        snprintf(out, 64, "does not come to an end");
    else if (o.code >= 256)
        snprintf(out, 64, "ended with status %d", o.code - 256);
    else
        snprintf(out, 64, "crashed: %s", strsignal(o.code));
    return out;
}

/* The story where one can be drawn, and the verdict. */
static void explain(const struct job *j, struct outcome o)
{
    char how[64];
    if (j->target) {
        printf("target    %s\ninput     %zu octets\n", j->target->name, j->n);
        hex_dump(j->input, j->n);
        printf("verdict   %s\n", o.kind == O_HOLDS ? "holds" : describe(o, how));
        return;
    }
    if (o.kind == O_CRASHED || o.kind == O_HUNG) {
        printf("property  %s\n          %s\ntape      %zu octets\nstory\n", j->prop->name,
               j->prop->sentence, j->n);
        if (prop_draw(j->prop, j->input, j->n, j->trial))
            j->prop->explain(j->trial->story, stdout);
        printf("verdict   FAILS: %s\n", describe(o, how));
        return;
    }
    enum verdict v = prop_check(j->prop, j->input, j->n, j->trial);
    prop_explain(j->trial, v, stdout);
}

/* As it is, or as a capture. */
static int put_wire(struct sipws_str wire, bool pcap)
{
    struct sipws_out o = sipws_out(NULL, 0);
    if (!pcap) {
        fwrite(wire.p, 1, wire.n, stdout);
        return 0;
    }
    pcap_print(&o, wire);
    char *p = malloc(o.n);
    if (!p)
        return 2;
    o = sipws_out(p, o.n);
    pcap_print(&o, wire);
    fwrite(o.p, 1, o.n, stdout);
    free(p);
    return 0;
}

static int as_wire(const struct job *j, bool pcap)
{
    if (j->target)
        return put_wire((struct sipws_str){(const char *)j->input, j->n}, pcap);
    if (!j->prop->wire || !prop_draw(j->prop, j->input, j->n, j->trial)) {
        fprintf(stderr, "%s: %s\n", j->path,
                j->prop->wire ? "the tape makes no story" : "the property has no wire form");
        return 2;
    }
    struct sipws_out o = sipws_out(NULL, 0);
    j->prop->wire(j->trial->story, &o);
    char *p = malloc(o.n + 1);
    if (!p)
        return 2;
    o = sipws_out(p, o.n);
    j->prop->wire(j->trial->story, &o);
    int status = put_wire(sipws_out_str(&o), pcap);
    free(p);
    return status;
}

static int as_c(const struct job *j, struct outcome o)
{
    if (j->target) {
        fprintf(stderr,
                "%s: only tapes of properties have a C form; keep the file itself under "
                "corpus/regress/%s/\n",
                j->path, j->target->name);
        return 2;
    }
    if (!prop_draw(j->prop, j->input, j->n, j->trial)) {
        fprintf(stderr, "%s: the tape makes no story\n", j->path);
        return 2;
    }
    if (o.kind == O_FAILS)
        (void)prop_check(j->prop, j->input, j->n, j->trial);
    prop_as_c(j->trial, j->input, j->n, stdout);
    return 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static unsigned char *read_file(const char *path, size_t *n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_NONBLOCK); /* a pipe without a writer does not hang */
    if (fd < 0 || fstat(fd, &st) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    unsigned char *data = NULL;
    if (!S_ISREG(st.st_mode)) {
        fprintf(stderr, "%s: %s\n", path,
                S_ISDIR(st.st_mode) ? "is a directory; name the files in it" : "is no plain file");
    } else if (st.st_size > MAX_FILE) {
        fprintf(stderr, "%s: has %lld octets; at most %d are read\n", path, (long long)st.st_size,
                MAX_FILE);
    } else {
        size_t want = (size_t)st.st_size;
        *n = 0;
        data = malloc(want + 1);
        ssize_t got = 1;
        while (data && *n < want && (got = read(fd, data + *n, want - *n)) > 0)
            *n += (size_t)got;
        if (!data || *n < want) {
            fprintf(stderr, "%s: %s\n", path, got < 0 ? strerror(errno) : "cannot be read whole");
            free(data);
            data = NULL;
        }
    }
    close(fd);
    return data;
}

struct options {
    const struct target *target;
    const struct prop *prop;
    bool explain, shrink, as_c, as_wire, as_pcap, no_fork;
};

/* What the file is. False: it is nothing that can be run. */
static bool recognise(struct job *j, const struct options *o)
{
    const unsigned char *tape = NULL;
    size_t n = 0;
    const struct prop *p = NULL;
    j->input = j->data;
    j->n = j->data_n;
    if (o->prop) {
        j->prop = o->prop;
        return true;
    }
    if (prop_file(j->data, j->data_n, &p, &tape, &n)) {
        if (!p) {
            fprintf(stderr, "%s: is a tape of a property that is not known here\n", j->path);
            return false;
        }
        j->prop = p;
        j->input = j->data + (tape - j->data);
        j->n = n;
        return true;
    }
    j->target = o->target ? o->target : target_of_path(j->path);
    if (j->target && strcmp(j->target->name, "props") == 0 &&
        (p = prop_select(j->data, j->data_n, &tape, &n)) != NULL) {
        j->prop = p;
        j->target = NULL;
        j->input = j->data + (tape - j->data);
        j->n = n;
    }
    if (j->target || j->prop)
        return true;
    if (j->data_n == 0)
        fprintf(stderr, "%s: is empty\n", j->path);
    else
        fprintf(stderr,
                "%s: is no tape file, and neither its folder nor its name tells the fuzz target; "
                "use --target NAME\n",
                j->path);
    return false;
}

/* ---- stories --------------------------------------------------------------------------------- */

enum { TRANSCRIPT = 4 << 20 };

/* How the engine ran, for people. */
static void explain_story(const struct story *s, struct sipws_str lines,
                          struct sipws_str transcript)
{
    printf("story     %.*s\n", (int)s->title.n, s->title.n ? s->title.p : "");
    printf("engine    %s, %s TLS\nwhat happened\n", s->role == SIPWS_SERVER ? "server" : "client",
           s->tls ? "over" : "without");
    for (const char *p = lines.p, *end = p + lines.n; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        printf("  %.*s\n", (int)(lf - p), p);
        p = lf + 1;
    }
    printf("transcript\n");
    fwrite(transcript.p, 1, transcript.n, stdout);
}

static int replay_story(const char *path, struct sipws_str text, const struct options *o)
{
    static struct drive d;
    static char said[TRANSCRIPT], told[TRANSCRIPT];
    char reason[512];
    struct prop_trial *r = prop_trial_new(); /* for its memory */
    struct story_error e;
    struct sipws_out lines = sipws_out(said, sizeof said);
    struct sipws_out transcript = sipws_out(told, sizeof told);
    struct sipws_out why = sipws_out(reason, sizeof reason);
    uint32_t line = 0;
    int status = 2;
    const struct story *s = story_read(text, &r->arena, &e);
    if (!s) {
        fprintf(stderr, "%s:%zu:%zu: %s\n", path, e.line, e.column, e.reason);
    } else if (o->as_c || o->shrink) {
        fprintf(stderr, "%s: a story has no C form and is not shrunk; edit it\n", path);
    } else if (!story_run(s, &r->arena, &d, &lines, &transcript) || !sipws_out_ok(&lines) ||
               !sipws_out_ok(&transcript)) {
        fprintf(stderr, "%s: the story is too large\n", path);
    } else {
        bool holds = story_holds(s, sipws_out_str(&lines), &line, &why);
        bool wire = o->as_wire || o->as_pcap;
        FILE *f = wire ? stderr : stdout;
        status = !holds;
        if (!holds)
            fprintf(f, "%s:%u: FAILS: %.*s\n", path, (unsigned)line,
                    (int)(sipws_out_ok(&why) ? why.n : why.cap), reason);
        else if (story_expects(s))
            fprintf(f, "%s: holds\n", path);
        else if (!wire && !o->explain)
            fwrite(said, 1, lines.n, stdout);
        if (wire) {
            struct sipws_out octets = arena_begin(&r->arena);
            story_wire(s, &octets);
            struct sipws_str stream = arena_end(&r->arena, &octets);
            status = stream.p ? put_wire(stream, o->as_pcap) : 2;
        } else if (o->explain) {
            explain_story(s, sipws_out_str(&lines), sipws_out_str(&transcript));
        }
    }
    prop_trial_free(r);
    return status;
}

static int replay(const char *path, const struct options *o)
{
    struct job j = {.path = path};
    char how[64];
    j.data = read_file(path, &j.data_n);
    if (!j.data)
        return 2;
    struct sipws_str text = {(const char *)j.data, j.data_n};
    if (!o->target && !o->prop && story_is(text)) {
        int status = replay_story(path, text, o);
        free(j.data);
        return status;
    }
    if (!recognise(&j, o)) {
        free(j.data);
        return 2;
    }
    j.trial = prop_trial_new();
    struct outcome out = o->no_fork ? outcome_of(judge_here(&j, j.input, j.n) << 8)
                                    : judge_apart(&j, j.input, j.n, false, HANG_SECONDS);
    bool failed = out.kind != O_HOLDS && out.kind != O_DISCARDED;
    int status = failed;
    bool wire = o->as_wire || o->as_pcap;
    FILE *f = o->as_c || wire ? stderr : stdout;
    if (out.kind == O_FAILS) {
        (void)prop_check(j.prop, j.input, j.n, j.trial);
        fprintf(f, "%s: %s FAILS: %s: %s\n", path, j.prop->name, j.trial->id, j.trial->text);
    } else {
        fprintf(f, "%s: %s %s\n", path, j.prop ? j.prop->name : j.target->name,
                out.kind == O_HOLDS       ? "holds"
                : out.kind == O_DISCARDED ? "holds: the tape makes no story"
                                          : describe(out, how));
    }
    fflush(f);
    if (o->shrink && !failed)
        fprintf(stderr, "%s: does not fail; there is nothing to shrink\n", path);
    if (o->shrink && failed && !shrink(&j, out))
        status = 2;
    if (o->explain && !o->as_c && !wire)
        explain(&j, out);
    int printed = o->as_c ? as_c(&j, out) : wire ? as_wire(&j, o->as_pcap) : 0;
    prop_trial_free(j.trial);
    free(j.data);
    return printed ? printed : status;
}

static int complain(const char *what, const char *arg)
{
    fprintf(stderr, "sipws-replay: %s%s\n%s", what, arg, usage);
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    int files = 0, status = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(arg, "--targets") == 0) {
            for (const struct target *t = targets; t->name; t++)
                puts(t->name);
            return 0;
        } else if (strcmp(arg, "--explain") == 0) {
            o.explain = true;
        } else if (strcmp(arg, "--shrink") == 0) {
            o.shrink = true;
        } else if (strcmp(arg, "--as-c") == 0) {
            o.as_c = true;
        } else if (strcmp(arg, "--as-wire") == 0) {
            o.as_wire = true;
        } else if (strcmp(arg, "--as-pcap") == 0) {
            o.as_pcap = true;
        } else if (strcmp(arg, "--no-fork") == 0) {
            o.no_fork = true;
        } else if (strcmp(arg, "--target") == 0 && i + 1 < argc) {
            o.target = target_find(argv[i + 1], strlen(argv[i + 1]));
            if (!o.target)
                return complain("no fuzz target is named ", argv[i + 1]);
            i++;
        } else if (strcmp(arg, "--property") == 0 && i + 1 < argc) {
            o.prop = prop_find((struct sipws_str){argv[i + 1], strlen(argv[i + 1])});
            if (!o.prop)
                return complain("no property is named ", argv[i + 1]);
            i++;
        } else if (arg[0] == '-' || arg[0] == '\0') {
            return complain("unknown option, or no value for it: ", arg);
        } else {
            argv[files++] = argv[i];
        }
    }
    if (files == 0)
        return complain("which file?", "");
    if (o.as_c + o.as_wire + o.as_pcap > 1)
        return complain("--as-c, --as-wire and --as-pcap do not go together", "");
    for (int i = 0; i < files; i++) {
        int s = replay(argv[i], &o);
        status = s > status ? s : status;
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("sipws-replay: standard output");
        return 2;
    }
    return status;
}
