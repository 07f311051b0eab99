/* sipws-props: lists or runs the properties. */
#define _POSIX_C_SOURCE 200809L
#include "property.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-props --list | --plants | [--cases N] [--seed S] [--seconds T] [--save DIR] "
    "[NAME]...\n"
    "Runs properties: statements that hold for every tape. NAME is a property, a group as in\n"
    "\"ws/\", or a pattern as in \"*/chunks\"; all of them without a NAME.\n"
    "  --list       the properties, a line each with what they claim\n"
    "  --plants     each with the deliberate bug that makes it fail, for builds that have them\n"
    "  --cases N    cases a property (10000)\n"
    "  --seed S     the same seed makes the same cases (1)\n"
    "  --seconds T  at most so long a property\n"
    "  --save DIR   where a failing tape is kept (build/findings if there is a build/, else here)\n"
    "  --selftest   also the properties that test this program: false or unhealthy by design\n"
    "Exit status: 0 all hold, 1 a property failed or is not healthy, 2 usage or I/O.\n";

enum { HANG_SECONDS = 20 };

/* What the handler of a deadly signal must know. */
static struct {
    const struct prop *prop;
    const unsigned char *tape;
    size_t n;
    char path[512]; /* where the tape goes */
} now_running;

static const char *save_dir;

static void put_err(const char *s)
{
    ssize_t done = write(STDERR_FILENO, s, strlen(s));
    (void)done;
}

/* Keeps the tape of a case that ended the process. Async-signal-safe. */
static void keep(const char *how)
{
    if (!now_running.prop)
        return;
    const char *name = now_running.prop->name;
    int fd = open(now_running.path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    bool ok = fd >= 0;
    ok = ok && write(fd, "sipws-tape 1 ", 13) == 13;
    ok = ok && write(fd, name, strlen(name)) == (ssize_t)strlen(name) && write(fd, "\n", 1) == 1;
    ok = ok && write(fd, now_running.tape, now_running.n) == (ssize_t)now_running.n;
    put_err("FAIL  ");
    put_err(name);
    put_err(how);
    put_err(ok ? "; shrink and explain it with\n      ci/replay --shrink --explain "
               : "; its tape could not be written to ");
    put_err(now_running.path);
    put_err("\n");
    now_running.prop = NULL;
}

static void deadly(int sig)
{
    keep(sig == SIGALRM   ? " does not come to an end"
         : sig == SIGABRT ? " was aborted"
                          : " crashed");
    _exit(1);
}

static void sanitizer_died(void)
{
    keep(" was stopped by a sanitizer");
}

/* Of the sanitizers' runtimes, where one is linked. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch(void)
{
    struct sigaction sa = {.sa_handler = deadly};
    sigaction(SIGALRM, &sa, NULL);
    sigaction(SIGABRT, &sa, NULL);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(sanitizer_died);
        return; /* it handles the others */
    }
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    sigaction(SIGFPE, &sa, NULL);
    sigaction(SIGILL, &sa, NULL);
}

static void before(const struct prop *p, const unsigned char *tape, size_t n)
{
    now_running.tape = tape;
    now_running.n = n;
    now_running.prop = p;
    alarm(HANG_SECONDS);
}

static void progress(const struct prop *p, uint64_t done, uint64_t cases)
{
    fprintf(stderr, "\r...   %-32s %3u%%", p->name, (unsigned)(100 * done / cases));
}

static void forget_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void path_of(char *out, size_t cap, const char *file)
{
    snprintf(out, cap, "%s/%s", save_dir, file);
}

/* Where the time went. Behind the classes, from which a reader tells it by its last word. */
static void put_times(const struct prop *p, const struct prop_run *run)
{
    double percent = run->spent > 0 ? 100.0 / run->spent : 0.0;
    printf("%s %.0f%% of the time in draw, %.0f%% in hold", p->classes[0].label ? "," : " ",
           run->draw * percent, run->hold * percent);
    if (run->shrink > 0)
        printf(", %.0f%% in shrinking", run->shrink * percent);
}

/* One line, and the story of a failure. */
static bool run_one(const struct prop *p, struct prop_run run)
{
    char file[256];
    snprintf(file, sizeof file, "%s-crash.tape", p->name);
    for (char *c = file; *c; c++)
        if (*c == '/')
            *c = '-';
    path_of(now_running.path, sizeof now_running.path, file);
    run.before = before;
    run.progress = isatty(STDERR_FILENO) ? progress : NULL;
    enum prop_end end = prop_run(p, &run);
    now_running.prop = NULL;
    alarm(0);
    forget_progress();

    printf("%-5s %-32s %9llu cases %6.1f s %5.1f%% discarded",
           end == PROP_OK       ? "ok"
           : end == PROP_FAILED ? "FAIL"
                                : "SICK",
           p->name, (unsigned long long)run.cases, run.spent,
           run.cases ? 100.0 * (double)run.discarded / (double)run.cases : 0.0);
    uint64_t judged = run.cases - run.discarded;
    for (unsigned i = 0; i < PROP_CLASSES && p->classes[i].label; i++)
        printf("%s %s %.1f%%", i ? "," : " ", p->classes[i].label,
               judged ? 100.0 * (double)run.counts[i] / (double)judged : 0.0);
    put_times(p, &run);
    putchar('\n');
    if (p->report)
        p->report(stdout);
    if (end == PROP_UNHEALTHY)
        printf("      %s\n", run.health);
    if (end == PROP_FAILED) {
        char name[256], path[512];
        prop_file_name(p, run.tape, run.tape_n, name, sizeof name);
        path_of(path, sizeof path, name);
        struct prop_trial *r = prop_trial_new();
        enum verdict v = prop_check(p, run.tape, run.tape_n, r);
        prop_explain(r, v, stdout);
        prop_trial_free(r);
        printf("shrunk in %llu tries; ", (unsigned long long)run.shrink_tries);
        if (prop_save(path, p, run.tape, run.tape_n))
            printf("replay it with\n      ci/replay --explain %s\n", path);
        else
            printf("cannot be kept in %s: %s\n", path, strerror(errno));
        free(run.tape);
    }
    fflush(stdout);
    return end == PROP_OK;
}

static bool wanted(const struct prop *p, char **names, int n)
{
    for (int i = 0; i < n; i++) {
        size_t len = strlen(names[i]);
        if ((len > 0 && names[i][len - 1] == '/' && strncmp(p->name, names[i], len) == 0) ||
            fnmatch(names[i], p->name, 0) == 0)
            return true;
    }
    return false;
}

static int complain(const char *what, const char *arg)
{
    fprintf(stderr, "sipws-props: %s%s\n%s", what, arg, usage);
    return 2;
}

static bool number(const char *s, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(s, &end, 10);
    *out = value;
    return s[0] >= '0' && s[0] <= '9' && *end == '\0' && errno == 0 && value <= max;
}

/* Where failing tapes go when nobody says so. */
static const char *default_dir(void)
{
    struct stat st;
    if (stat("build", &st) != 0 || !S_ISDIR(st.st_mode))
        return ".";
    return mkdir("build/findings", 0777) == 0 || errno == EEXIST ? "build/findings" : ".";
}

int main(int argc, char **argv)
{
    struct prop_run run = {.cases = 10000, .seed = 1};
    bool list = false, plants = false, selftest = false;
    int n = 0; /* names, moved to the front of argv */
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        uint64_t value = 0;
        bool option = strncmp(arg, "--", 2) == 0;
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(arg, "--list") == 0) {
            list = true;
        } else if (strcmp(arg, "--plants") == 0) {
            list = plants = true;
        } else if (strcmp(arg, "--selftest") == 0) {
            selftest = true;
        } else if (strcmp(arg, "--save") == 0 && i + 1 < argc) {
            save_dir = argv[++i];
        } else if (strcmp(arg, "--cases") == 0 && i + 1 < argc) {
            if (!number(argv[++i], UINT64_MAX / 1000, &run.cases) || run.cases == 0)
                return complain("--cases wants a number from 1 up, not ", argv[i]);
        } else if (strcmp(arg, "--seed") == 0 && i + 1 < argc) {
            if (!number(argv[++i], UINT64_MAX, &run.seed))
                return complain("--seed wants a number, not ", argv[i]);
        } else if (strcmp(arg, "--seconds") == 0 && i + 1 < argc) {
            if (!number(argv[++i], 1000000, &value) || value == 0)
                return complain("--seconds wants a number from 1 to 1000000, not ", argv[i]);
            run.seconds = (double)value;
        } else if (option || arg[0] == '-' || arg[0] == '\0') {
            return complain("unknown option, or no value for it: ", arg);
        } else {
            argv[n++] = argv[i];
        }
    }
    for (int k = 0; k < n; k++) {
        bool known = false;
        for (size_t i = 0; props[i]; i++)
            known = known ||
                    ((selftest || !prop_is_selftest(props[i])) && wanted(props[i], &argv[k], 1));
        if (!known)
            return complain("no property is named ", argv[k]);
    }
    if (!save_dir)
        save_dir = default_dir();
    if (!list)
        watch();

    uint64_t count = 0, bad = 0;
    for (size_t i = 0; props[i]; i++) {
        const struct prop *p = props[i];
        if ((prop_is_selftest(p) && !selftest) || (n > 0 && !wanted(p, argv, n)))
            continue;
        count++;
        if (list)
            printf("%-32s %s\n", p->name, plants ? p->plant : p->sentence);
        else if (!run_one(p, run))
            bad++;
    }
    if (!list)
        printf("%llu properties, seed %llu: %llu failed\n", (unsigned long long)count,
               (unsigned long long)run.seed, (unsigned long long)bad);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("sipws-props: standard output");
        return 2;
    }
    return bad ? 1 : 0;
}
