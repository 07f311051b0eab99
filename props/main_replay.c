/* sipws-replay: runs a case again, whoever found it: a tape of a property, an input of a fuzz
 * target, a story, a file of vectors.
 *
 * A build that links the fuzz targets defines SIPWS_TARGETS as T(uri)T(ws)..., one T a target, and
 * compiles fuzz/target_NAME.c with -DLLVMFuzzerTestOneInput=sipws_target_NAME. That is the only
 * list of targets there is.
 */
#define _XOPEN_SOURCE 700
#include "pcap.h"
#include "replay.h"
#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-replay [OPTION]... FILE...\n"
    "       sipws-replay --bisect GOOD BAD FILE\n"
    "Runs a case again: what ci/fuzz, libFuzzer, AFL++, honggfuzz, OSS-Fuzz or sipws-props found, "
    "a\n"
    "seed, an old bug, a story (props/STORIES.md), a file of vectors. What it is, its contents "
    "tell,\n"
    "its name, its folder, or what the engine wrote beside it; where nothing does, all targets "
    "are\n"
    "tried. ci/replay builds this program with sanitizers and runs it.\n"
    "  --target NAME    the file is an input of this target\n"
    "  --property NAME  the file is the naked tape of this property\n"
    "  --explain        the story or the octets, what happened, and where\n"
    "  --shrink         makes a failing case as small as half a minute allows: FILE.min\n"
    "  --bucket         prints a key that is the same for the same bug (- where nothing fails),\n"
    "                   and the file; of functions it knows where a sanitizer is built in\n"
    "  --json           all that, as an object a file\n"
    "  --bisect G B     finds the commit between G (good) and B (bad) that made the file fail, in\n"
    "                   a work tree of its own: build/bisect\n"
    "  --to-regress     keeps it as corpus/regress/TARGET/NAME, which the tests run; with "
    "--shrink,\n"
    "                   the small one\n"
    "  --name NAME      for --to-regress, instead of what broke and where\n"
    "  --as-c           a cmocka test that fails until the property holds, to standard output\n"
    "  --as-wire        the octets that go over the wire, to standard output\n"
    "  --as-pcap        the same as a capture for Wireshark or tcpdump\n"
    "  --seconds S      for --shrink, instead of 26 (1 to 26)\n"
    "  --timeout S      seconds of the processor after which a case hangs (5)\n"
    "  --rss-limit M    megabytes above which it takes too much memory (2048)\n"
    "  --no-fork        judge in this process, as a debugger wants it\n"
    "  --targets        lists the fuzz targets this program knows\n"
    "Exit status: 0 all hold, 1 one fails, 2 usage or I/O.\n";

enum { MAX_FILE = 16 << 20, PATH_CAP = 4096, FIRST_SECONDS = 12, SHRINK_SECONDS = 26 };
enum { EXPLAINED = 4096, QUOTED_SAID = 1 << 14 };

/* ---- fuzz targets ---------------------------------------------------------------------------- */

#ifdef SIPWS_TARGETS
#define T(name) int sipws_target_##name(const uint8_t *data, size_t n);
SIPWS_TARGETS
#undef T
#endif

const struct replay_target replay_targets[] = {
#ifdef SIPWS_TARGETS
#define T(name) {#name, sipws_target_##name},
    SIPWS_TARGETS
#undef T
#endif
    {NULL, NULL}};

/* ---- sanitizers ------------------------------------------------------------------------------ */

/* What the sanitizers ask for, where there are some; the user's options come after these. An abort
 * has a stack, as other crashes have. */
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wreserved-identifier"
#endif
const char *__asan_default_options(void);
const char *__msan_default_options(void);
const char *__ubsan_default_options(void);

#ifdef SIPWS_SYMBOLIZER
#define SYMBOLIZER ":external_symbolizer_path=" SIPWS_SYMBOLIZER
#else
#define SYMBOLIZER ""
#endif

const char *__asan_default_options(void)
{
    return "handle_abort=1:handle_sigfpe=1:handle_sigill=1:max_allocation_size_mb=2048:"
           "detect_stack_use_after_return=1:quarantine_size_mb=16" SYMBOLIZER;
}

const char *__msan_default_options(void)
{
    return "handle_abort=1:max_allocation_size_mb=2048" SYMBOLIZER;
}

const char *__ubsan_default_options(void)
{
    return "print_stacktrace=1:halt_on_error=1" SYMBOLIZER;
}

/* ---- one case -------------------------------------------------------------------------------- */

struct options {
    const struct replay_target *target;
    const struct prop *prop;
    const char *name;
    double seconds; /* of the clock, for --shrink */
    double timeout; /* of the processor, for one run */
    long megabytes; /* for one run */
    int serve;      /* the descriptor, 0: not */
    bool explain, shrink, bucket, json, bisect, to_regress, as_c, as_wire, as_pcap, no_fork;
};

/* One file, as far as it is known. */
struct work {
    struct replay_case c;
    struct replay_outcome outcome;
    struct replay_bucket bucket;
    struct replay_said said;
    const struct options *o;
    double begun;
    size_t was; /* octets, before it was made small */
    uint64_t tries;
    char small[PATH_CAP], kept[PATH_CAP];
};

/* What goes to standard output may be a file of its own. */
static bool prints_other(const struct options *o)
{
    return o->as_c || o->as_wire || o->as_pcap || o->bucket || o->json;
}

static struct replay_limits limits_of(const struct work *w, double wall)
{
    return (struct replay_limits){w->o->timeout, w->begun + wall, w->o->megabytes};
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

static const char *describe(const struct work *w, char out[320])
{
    char where[128] = "";
    const struct replay_bucket *b = &w->bucket;
    if (b->frame_n > 0) {
        int n = (int)strcspn(b->frames[0], "@");
        snprintf(where, sizeof where, " in %.*s (%s)", n, b->frames[0], b->frames[0] + n + 1);
    }
    switch (w->outcome.end) {
    case REPLAY_HOLDS:
        return "holds";
    case REPLAY_DISCARDED:
        return "holds: the tape makes no story";
    case REPLAY_HUNG:
        return "does not come to an end";
    case REPLAY_ATE:
        return "takes too much memory";
    case REPLAY_FAILS:
    case REPLAY_CRASHED:
        break;
    }
    snprintf(out, 320, "crashed: %s%s", b->error, where);
    return out;
}

/* The story where one can be drawn, and the verdict. */
static void explain(struct work *w)
{
    const struct replay_case *c = &w->c;
    char how[320];
    if (c->kind == REPLAY_INPUT) {
        size_t shown = c->n < EXPLAINED ? c->n : EXPLAINED;
        printf("target    %s\ninput     %zu octets\n", c->target->name, c->n);
        hex_dump(c->input, shown);
        if (shown < c->n)
            printf("          and %zu more\n", c->n - shown);
    } else if (w->outcome.end >= REPLAY_CRASHED) {
        printf("property  %s\n          %s\ntape      %zu octets\nstory\n", c->prop->name,
               c->prop->sentence, c->n);
        if (prop_draw(c->prop, c->input, c->n, c->trial))
            c->prop->explain(c->trial->story, stdout);
    } else {
        enum verdict v = prop_check(c->prop, c->input, c->n, c->trial);
        prop_explain(c->trial, v, stdout);
    }
    if (c->kind == REPLAY_INPUT || w->outcome.end >= REPLAY_CRASHED)
        printf("verdict   %s%s\n", c->kind == REPLAY_TAPE ? "FAILS: " : "", describe(w, how));
    for (unsigned i = 0; i < w->bucket.frame_n; i++)
        printf("%s %s\n", i ? "         " : "stack    ", w->bucket.frames[i]);
    if (replay_failed(w->outcome))
        printf("bucket    %s\n", w->bucket.key);
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

static int as_wire(const struct replay_case *c, bool pcap)
{
    if (c->kind == REPLAY_INPUT)
        return put_wire((struct sipws_str){(const char *)c->input, c->n}, pcap);
    if (!c->prop->wire || !prop_draw(c->prop, c->input, c->n, c->trial)) {
        fprintf(stderr, "%s: %s\n", c->path,
                c->prop->wire ? "the tape makes no story" : "the property has no wire form");
        return 2;
    }
    struct sipws_out o = sipws_out(NULL, 0);
    c->prop->wire(c->trial->story, &o);
    char *p = malloc(o.n + 1);
    if (!p)
        return 2;
    o = sipws_out(p, o.n);
    c->prop->wire(c->trial->story, &o);
    int status = put_wire(sipws_out_str(&o), pcap);
    free(p);
    return status;
}

static int as_c(const struct work *w)
{
    const struct replay_case *c = &w->c;
    if (c->kind == REPLAY_INPUT) {
        fprintf(stderr,
                "%s: only tapes of properties have a C form; --to-regress keeps the file itself, "
                "and the tests run it\n",
                c->path);
        return 2;
    }
    if (!prop_draw(c->prop, c->input, c->n, c->trial)) {
        fprintf(stderr, "%s: the tape makes no story\n", c->path);
        return 2;
    }
    if (w->outcome.end == REPLAY_FAILS)
        (void)prop_check(c->prop, c->input, c->n, c->trial);
    prop_as_c(c->trial, c->input, c->n, stdout);
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

/* The checkout: from here upwards, else from the program upwards. */
static bool find_root(char out[PATH_CAP])
{
    static const char *const starts[] = {".", "/proc/self/exe"};
    char path[PATH_CAP];
    struct stat st;
    for (size_t i = 0; i < 2; i++) {
        char *real = realpath(starts[i], NULL);
        for (char *end = real; end;) {
            if (snprintf(path, sizeof path, "%s/ci/bisect", real) < (int)sizeof path &&
                stat(path, &st) == 0) {
                snprintf(out, PATH_CAP, "%s", real);
                free(real);
                return true;
            }
            if ((end = strrchr(real, '/')) != NULL)
                *end = '\0';
        }
        free(real);
    }
    fprintf(stderr, "sipws-replay: this is no checkout of sipws\n");
    return false;
}

/* ---- stories and vectors --------------------------------------------------------------------- */

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

static int replay_story(const struct work *w, const struct options *o)
{
    static struct drive d;
    static char said[EXPLAINED << 10], told[EXPLAINED << 10];
    char reason[512];
    const char *path = w->c.path;
    struct prop_trial *r = w->c.trial; /* for its memory */
    struct story_error e;
    struct sipws_out lines = sipws_out(said, sizeof said);
    struct sipws_out transcript = sipws_out(told, sizeof told);
    struct sipws_out why = sipws_out(reason, sizeof reason);
    uint32_t line = 0;
    int status = 2;
    (void)prop_draw(props[0], NULL, 0, r); /* empties it */
    const struct story *s =
        story_read((struct sipws_str){(const char *)w->c.data, w->c.data_n}, &r->arena, &e);
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
        FILE *f = prints_other(o) ? stderr : stdout;
        status = !holds;
        if (!holds)
            fprintf(f, "%s:%u: FAILS: %.*s\n", path, (unsigned)line,
                    (int)(sipws_out_ok(&why) ? why.n : why.cap), reason);
        else if (story_expects(s))
            fprintf(f, "%s: holds\n", path);
        else if (!prints_other(o) && !o->explain)
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
    return status;
}

/* Their own program knows their format: it lies beside this one. */
static int replay_vectors(const char *path)
{
    char self[PATH_CAP], program[PATH_CAP], *real = realpath(path, NULL);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    int status = 2;
    if (!real || snprintf(program, sizeof program, "%s/test_vectors", self) >= PATH_CAP)
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
    else if (access(program, X_OK) != 0)
        fprintf(stderr,
                "%s: is a file of vectors, and the program that runs them is not built here\n"
                "  next: cmake --build build/release --target test_vectors && "
                "build/bin/sipws-replay %s\n",
                path, path);
    else {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0) {
            execl(program, program, real, (char *)NULL);
            _exit(2);
        }
        struct replay_outcome o = replay_await(
            child, (struct replay_limits){0, replay_now() + 600, REPLAY_MEGABYTES}, NULL, NULL);
        status = o.end == REPLAY_CRASHED && o.code == 256 ? 0 : 1;
        printf("%s: vectors %s\n", path, status ? "FAIL" : "hold");
    }
    free(real);
    return status;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static void put_string(const char *s, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)s[i];
        if (ch == '"' || ch == '\\')
            printf("\\%c", ch);
        else if (ch == '\n')
            fputs("\\n", stdout);
        else if (ch < 0x20 || ch > 0x7E)
            printf("\\u%04x", ch);
        else
            putchar(ch);
    }
    putchar('"');
}

static void put_member(const char *key, const char *value)
{
    printf(", \"%s\": ", key);
    put_string(value, strlen(value));
}

static void put_json(const struct work *w)
{
    static const char *const kinds[] = {"unknown", "tape", "input", "story", "vectors"};
    static const char *const ends[] = {"holds",   "holds",   "fails",
                                       "crashes", "timeout", "out-of-memory"};
    const struct replay_case *c = &w->c;
    char how[320];
    fputs("{\"file\": ", stdout);
    put_string(c->path, strlen(c->path));
    put_member("kind", kinds[c->kind]);
    put_member("target", c->kind == REPLAY_TAPE ? "props" : replay_name(c));
    if (c->kind == REPLAY_TAPE)
        put_member("property", c->prop->name);
    put_member("told_by", c->how ? c->how : "its contents");
    put_member("end", ends[w->outcome.end]);
    printf(", \"octets\": %zu", c->n);
    if (replay_failed(w->outcome)) {
        put_member("says", w->outcome.end == REPLAY_FAILS ? w->bucket.error : describe(w, how));
        put_member("error", w->bucket.error);
        put_member("bucket", w->bucket.key);
        fputs(", \"frames\": [", stdout);
        for (unsigned i = 0; i < w->bucket.frame_n; i++) {
            fputs(i ? ", " : "", stdout);
            put_string(w->bucket.frames[i], strlen(w->bucket.frames[i]));
        }
        fputs("]", stdout);
        if (w->small[0]) {
            put_member("small", w->small);
            printf(", \"was\": %zu, \"tries\": %llu", w->was, (unsigned long long)w->tries);
        }
        if (w->kept[0])
            put_member("kept", w->kept);
        fputs(", \"printed\": ", stdout);
        put_string(w->said.p, w->said.n < QUOTED_SAID ? w->said.n : QUOTED_SAID);
    }
    fputs("}\n", stdout);
}

/* One line, and of a failure what to do next. */
static void put_verdict(const struct work *w)
{
    const struct replay_case *c = &w->c;
    const struct options *o = w->o;
    FILE *f = prints_other(o) ? stderr : stdout;
    char how[320];
    if (w->outcome.end == REPLAY_FAILS && c->kind == REPLAY_TAPE) {
        (void)prop_check(c->prop, c->input, c->n, c->trial);
        fprintf(f, "%s: %s FAILS: %s: %s\n", c->path, c->prop->name, c->trial->id, c->trial->text);
    } else if (c->kind != REPLAY_STORY || w->outcome.end >= REPLAY_CRASHED) {
        fprintf(f, "%s: %s %s\n", c->path, replay_name(c), describe(w, how));
    }
    fflush(f);
    if (replay_failed(w->outcome) && !o->explain && !o->shrink && !o->to_regress &&
        !prints_other(o))
        fprintf(stderr, "  next: ci/replay --explain --shrink %s\n", c->path);
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Judges, and keeps what a child printed. */
static void judge_it(struct work *w)
{
    struct replay_case *c = &w->c;
    w->outcome = w->o->no_fork
                     ? replay_here(c, c->input, c->n)
                     : replay_apart(c, c->input, c->n, limits_of(w, FIRST_SECONDS), &w->said);
    if (replay_failed(w->outcome))
        replay_bucket(c, w->outcome, &w->said, &w->bucket);
}

/* Every target that is not `but`: the first that fails is it. */
static void try_all(struct work *w, const struct replay_target *but)
{
    struct work best = *w;
    unsigned tried = 0, failing = 0;
    char names[512] = "";
    for (const struct replay_target *t = replay_targets; t->name; t++) {
        struct work one = {.o = w->o, .begun = replay_now()};
        if (t == but || (strcmp(t->name, "selftest") == 0 && !getenv("SIPWS_SELFTEST")))
            continue;
        one.c = w->c;
        one.c.prop = NULL;
        one.c.target = t;
        (void)replay_recognise(&one.c);
        one.c.how = "trying all targets";
        judge_it(&one);
        tried++;
        if (!replay_failed(one.outcome) || failing++ > 0)
            free(one.said.p);
        else
            best = one;
        if (replay_failed(one.outcome) && strlen(names) + strlen(t->name) + 3 < sizeof names)
            strcat(strcat(names, failing > 1 ? ", " : ""), t->name);
    }
    if (failing > 0) {
        free(w->said.p);
        best.begun = w->begun;
        *w = best;
    }
    if (failing > 0 || !but)
        fprintf(stderr, "%s: nothing tells its target; of %u that were tried %s%s\n", w->c.path,
                tried, failing ? "these fail: " : "none fails", names);
}

static void write_small(struct work *w)
{
    struct replay_case *c = &w->c;
    w->was = c->n;
    w->tries = replay_shrink(c, w->outcome, &w->bucket, limits_of(w, w->o->seconds));
    if (snprintf(w->small, sizeof w->small, "%s.min", c->path) >= (int)sizeof w->small ||
        !replay_save(c, w->small)) {
        fprintf(stderr, "%s.min: %s\n", c->path, strerror(errno));
        w->small[0] = '\0';
        return;
    }
    fprintf(stderr, "%s: %zu octets are now %zu, after %llu tries\n", w->small, w->was, c->n,
            (unsigned long long)w->tries);
}

static bool keep(struct work *w)
{
    char root[PATH_CAP];
    if (!find_root(root) || !replay_keep(&w->c, &w->bucket, root, w->o->name, w->kept, PATH_CAP)) {
        w->kept[0] = '\0';
        return false;
    }
    fprintf(stderr, "%s: kept; what shows it:\n  ci/replay --explain %s\n", w->kept, w->kept);
    return true;
}

static int finish(struct work *w)
{
    const struct options *o = w->o;
    struct replay_case *c = &w->c;
    bool failed = replay_failed(w->outcome);
    int status = failed;
    if (w->said.n > 0 && !o->json)
        fwrite(w->said.p, 1, w->said.n, stderr);
    put_verdict(w);
    if (c->kind == REPLAY_STORY && w->outcome.end < REPLAY_CRASHED && !o->to_regress)
        status = replay_story(w, o);
    if (o->shrink && !failed)
        fprintf(stderr, "%s: does not fail; there is nothing to shrink\n", c->path);
    if (o->shrink && failed && c->kind != REPLAY_STORY) {
        write_small(w);
        status = w->small[0] ? status : 2;
    }
    if (o->to_regress && !failed && !o->name) {
        fprintf(stderr, "%s: does not fail; a bug that is mended wants a --name\n", c->path);
        status = 2;
    } else if (o->to_regress && !keep(w)) {
        status = 2;
    }
    if (o->bucket)
        printf("%s %s\n", failed ? w->bucket.key : "-", c->path);
    if (o->json)
        put_json(w);
    if (c->kind == REPLAY_STORY)
        return status;
    if (o->explain && !prints_other(o))
        explain(w);
    int printed = o->as_c ? as_c(w) : o->as_wire || o->as_pcap ? as_wire(c, o->as_pcap) : 0;
    return printed ? printed : status;
}

static int replay(const char *path, const struct options *o)
{
    struct work w = {.o = o, .begun = replay_now()};
    int status = 2;
    w.c.path = path;
    w.c.target = o->target;
    w.c.prop = o->prop;
    w.c.data = read_file(path, &w.c.data_n);
    if (!w.c.data)
        return 2;
    w.c.trial = prop_trial_new();
    w.c.how = o->target || o->prop ? "its option" : NULL;
    if (!replay_recognise(&w.c)) {
        fprintf(stderr, "%s: is a tape of a property that is not known here\n", path);
    } else if (w.c.kind == REPLAY_VECTORS) {
        status = replay_vectors(path);
    } else {
        if (w.c.kind != REPLAY_UNKNOWN)
            judge_it(&w);
        if (w.c.kind == REPLAY_UNKNOWN || (w.c.guess && !replay_failed(w.outcome)))
            try_all(&w, w.c.target);
        if (w.c.kind != REPLAY_UNKNOWN || o->json || o->bucket)
            status = finish(&w);
        else
            status = replay_targets[0].name ? 0 : 2;
    }
    prop_trial_free(w.c.trial);
    free(w.said.p);
    free(w.c.data);
    return status;
}

/* ---- the command line ------------------------------------------------------------------------ */

static int complain(const char *what, const char *arg)
{
    fprintf(stderr, "sipws-replay: %s%s\n%s", what, arg, usage);
    return 2;
}

static int bisect(char **args, int n)
{
    char root[PATH_CAP], script[PATH_CAP + 16];
    if (n != 3)
        return complain("--bisect wants a good commit, a bad one, and a file", "");
    if (!find_root(root))
        return 2;
    snprintf(script, sizeof script, "%s/ci/bisect", root);
    execl(script, script, args[0], args[1], args[2], (char *)NULL);
    perror(script);
    return 2;
}

static bool read_flag(struct options *o, const char *arg)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"--explain", &o->explain}, {"--shrink", &o->shrink},   {"--bucket", &o->bucket},
        {"--json", &o->json},       {"--bisect", &o->bisect},   {"--to-regress", &o->to_regress},
        {"--as-c", &o->as_c},       {"--as-wire", &o->as_wire}, {"--as-pcap", &o->as_pcap},
        {"--no-fork", &o->no_fork},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(arg, flags[i].name) == 0) {
            *flags[i].flag = true;
            return true;
        }
    return false;
}

static bool is_name(const char *s)
{
    return s[0] && s[0] != '.' && !strchr(s, '/') && strlen(s) < 64;
}

static bool read_seconds(const char *s, double min, double max, double *out)
{
    char *end;
    *out = strtod(s, &end);
    return end > s && *end == '\0' && *out >= min && *out <= max;
}

/* An option with a value. 0: taken, else the exit status. */
static int read_value(struct options *o, const char *arg, const char *value)
{
    char *end;
    struct sipws_str text = {value, strlen(value)};
    if (strcmp(arg, "--target") == 0) {
        o->target = replay_target_find(text);
        return o->target ? 0 : complain("no fuzz target is named ", value);
    }
    if (strcmp(arg, "--property") == 0) {
        o->prop = prop_find(text);
        return o->prop ? 0 : complain("no property is named ", value);
    }
    if (strcmp(arg, "--name") == 0) {
        o->name = value;
        return is_name(value) ? 0 : complain("--name wants the name of a file, not ", value);
    }
    if (strcmp(arg, "--timeout") == 0) {
        return read_seconds(value, 0.1, 3600, &o->timeout)
                   ? 0
                   : complain("--timeout wants seconds from 0.1 to 3600, not ", value);
    }
    if (strcmp(arg, "--seconds") == 0) {
        return read_seconds(value, 1, SHRINK_SECONDS, &o->seconds)
                   ? 0
                   : complain("--seconds wants 1 to 26, not ", value);
    }
    if (strcmp(arg, "--rss-limit") == 0) {
        o->megabytes = strtol(value, &end, 10);
        return end > value && *end == '\0' && o->megabytes > 0
                   ? 0
                   : complain("--rss-limit wants megabytes, not ", value);
    }
    if (strcmp(arg, "--serve") == 0) {
        o->serve = (int)strtol(value, &end, 10);
        return 0;
    }
    return complain("unknown option, or no value for it: ", arg);
}

static int serve(const struct options *o)
{
    struct replay_case c = {.path = "", .target = o->target, .prop = o->prop};
    c.kind = o->prop ? REPLAY_TAPE : REPLAY_INPUT;
    c.trial = prop_trial_new();
    int status = o->prop || o->target ? replay_serve(&c, o->serve) : 2;
    prop_trial_free(c.trial);
    return status;
}

int main(int argc, char **argv)
{
    struct options o = {
        .timeout = REPLAY_SECONDS, .megabytes = REPLAY_MEGABYTES, .seconds = SHRINK_SECONDS};
    int files = 0, status = 0;
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(arg, "--targets") == 0) {
            for (const struct replay_target *t = replay_targets; t->name; t++)
                puts(t->name);
            return 0;
        } else if (read_flag(&o, arg)) {
            continue;
        } else if (arg[0] == '-' || arg[0] == '\0') {
            if (i + 1 == argc)
                return complain("unknown option, or no value for it: ", arg);
            status = read_value(&o, arg, argv[++i]);
            if (status)
                return status;
        } else {
            argv[files++] = argv[i];
        }
    }
    if (o.serve)
        return serve(&o);
    if (o.bisect)
        return bisect(argv, files);
    if (files == 0)
        return complain("which file?", "");
    if (o.as_c + o.as_wire + o.as_pcap + o.bucket + o.json > 1)
        return complain("--as-c, --as-wire, --as-pcap, --bucket and --json do not go together", "");
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
