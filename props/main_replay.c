/* sipws-replay: runs a case again, whoever found it: a tape of a property, an input of a fuzz
 * target, a story, a file of vectors.
 *
 * A build that links the fuzz targets defines SIPWS_TARGETS as T(uri)T(ws)..., one T a target, and
 * compiles fuzz/target_NAME.c with -DLLVMFuzzerTestOneInput=sipws_target_NAME. That is the only
 * list of targets there is.
 */
#define _XOPEN_SOURCE 700
#include "replay.h"

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
    "  --seconds S      for --shrink, instead of 24 (1 to 24)\n"
    "  --timeout S      seconds of the processor after which a case hangs (5)\n"
    "  --rss-limit M    megabytes above which it takes too much memory (2048)\n"
    "  --no-fork        judge in this process, as a debugger wants it\n"
    "  --targets        lists the fuzz targets this program knows\n"
    "Exit status: 0 all hold, 1 one fails, 2 usage or I/O.\n";

enum { MAX_FILE = 16 << 20, PATH_CAP = 4096, FIRST_SECONDS = 12, SHRINK_SECONDS = 24 };

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

static struct replay_limits limits_of(const struct replay_work *w, double wall)
{
    return (struct replay_limits){w->o->timeout, w->begun + wall, w->o->megabytes};
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

/* ---- vectors --------------------------------------------------------------------------------- */

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
                "  next: cmake --preset release && cmake --build --preset release && "
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
        status = o.end != REPLAY_CRASHED || o.code < 256 ? 1 : o.code - 256; /* its exit status */
        if (status < 2)
            printf("%s: vectors %s\n", path, status ? "FAIL" : "hold");
    }
    free(real);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Judges, and keeps what a child printed. Half of the time stays for what follows. */
static void judge_it(struct replay_work *w)
{
    double first = w->o->shrink ? w->o->seconds / 2 : FIRST_SECONDS;
    struct replay_case *c = &w->c;
    w->outcome = w->o->no_fork ? replay_here(c, c->input, c->n)
                               : replay_apart(c, c->input, c->n, limits_of(w, first), &w->said);
    if (replay_failed(w->outcome))
        replay_bucket(c, w->outcome, &w->said, &w->bucket);
}

/* Every target that is not `but`: the first that fails is it. */
static void try_all(struct replay_work *w, const struct replay_target *but)
{
    struct replay_work best = *w;
    unsigned tried = 0, failing = 0;
    char names[512] = "";
    for (const struct replay_target *t = replay_targets; t->name; t++) {
        struct replay_work one = {.o = w->o, .begun = replay_now()};
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

static void write_small(struct replay_work *w)
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
    if (w->bucket.property[0]) /* the story of the small one */
        (void)replay_apart(c, c->input, c->n, limits_of(w, w->o->seconds + 2), &w->said);
    fprintf(stderr, "%s: %zu octets are now %zu, after %llu tries\n", w->small, w->was, c->n,
            (unsigned long long)w->tries);
}

static bool keep(struct replay_work *w)
{
    char root[PATH_CAP];
    if (!find_root(root) || !replay_keep(&w->c, &w->bucket, root, w->o->name, w->kept, PATH_CAP)) {
        w->kept[0] = '\0';
        return false;
    }
    fprintf(stderr, "%s: kept; what shows it:\n  ci/replay --explain %s\n", w->kept, w->kept);
    return true;
}

static int finish(struct replay_work *w)
{
    const struct replay_options *o = w->o;
    struct replay_case *c = &w->c;
    bool failed = replay_failed(w->outcome);
    int status = failed;
    if (w->said.n > 0 && !o->json)
        fwrite(w->said.p, 1, w->said.n, stderr);
    replay_put_verdict(w);
    if (c->kind == REPLAY_STORY && w->outcome.end < REPLAY_CRASHED && !o->to_regress)
        status = replay_tell_story(w, o);
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
        replay_put_json(w);
    if (c->kind == REPLAY_STORY)
        return status;
    if (o->explain && !replay_prints_other(o))
        replay_explain(w);
    int printed = o->as_c                    ? replay_as_c(w)
                  : o->as_wire || o->as_pcap ? replay_as_wire(c, o->as_pcap)
                                             : 0;
    return printed ? printed : status;
}

static int replay(const char *path, const struct replay_options *o)
{
    struct replay_work w = {.o = o, .begun = replay_now()};
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

static int bisect(const struct replay_options *o, char **args, int n)
{
    char root[PATH_CAP], script[PATH_CAP + 16];
    char option[] = "--target";
    char *argv[8] = {script};
    int argc = 1;
    if (n != 3)
        return complain("--bisect wants a good commit, a bad one, and a file", "");
    if (!find_root(root))
        return 2;
    snprintf(script, sizeof script, "%s/ci/bisect", root);
    if (o->target) {
        argv[argc++] = option;
        memcpy(&argv[argc++], &o->target->name, sizeof argv[0]); /* nobody writes to it */
    }
    for (int i = 0; i < n; i++)
        argv[argc++] = args[i];
    execv(script, argv);
    perror(script);
    return 2;
}

static bool read_flag(struct replay_options *o, const char *arg)
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
static int read_value(struct replay_options *o, const char *arg, const char *value)
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
                   : complain("--seconds wants 1 to 24, not ", value);
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

static int serve(const struct replay_options *o)
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
    struct replay_options o = {
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
        return bisect(&o, argv, files);
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
