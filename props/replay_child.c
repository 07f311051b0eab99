/* A case in a child, whose crash, hang or hunger is a result; and the second program that judges
 * candidates while a case is made small. */
#define _DEFAULT_SOURCE
#include "replay.h"
#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { EXIT_HOLDS = 70, EXIT_FAILS, EXIT_DISCARDED };
enum { SAID = 1 << 18, PRINTED = 16 << 20, TRANSCRIPT = 4 << 20 };

double replay_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "sipws-replay: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- in this process ------------------------------------------------------------------------- */

static int judge_story(const struct replay_case *c, const unsigned char *text, size_t n)
{
    static struct drive d;
    static char said[TRANSCRIPT], told[TRANSCRIPT];
    struct story_error e;
    struct sipws_out lines = sipws_out(said, sizeof said), why = sipws_out(NULL, 0);
    struct sipws_out transcript = sipws_out(told, sizeof told);
    uint32_t line;
    prop_draw(props[0], NULL, 0, c->trial); /* empties the arena */
    const struct story *s =
        story_read((struct sipws_str){(const char *)text, n}, &c->trial->arena, &e);
    if (!s || !story_run(s, &c->trial->arena, &d, &lines, &transcript) || !sipws_out_ok(&lines))
        return EXIT_DISCARDED;
    return story_holds(s, sipws_out_str(&lines), &line, &why) ? EXIT_HOLDS : EXIT_FAILS;
}

/* The worst case for a shrinker, of each target, where ci/selftest asks for it: one late octet
 * decides, and nothing can be cut. */
static void fail_late(const unsigned char *input, size_t n)
{
#ifdef SIPWS_PLANTS
    const char *want = getenv("SIPWS_SELFTEST");
    if (n == 1 << 16 && input[n - 6] == '!' && want && strcmp(want, "late") == 0)
        abort();
#else
    (void)input;
    (void)n;
#endif
}

static int judge(const struct replay_case *c, const unsigned char *input, size_t n)
{
    if (c->kind == REPLAY_STORY)
        return judge_story(c, input, n);
    if (c->kind == REPLAY_INPUT) {
        c->target->run(input, n);
        fail_late(input, n);
        return EXIT_HOLDS;
    }
    enum verdict v = prop_check(c->prop, input, n, c->trial);
    return v == HOLDS ? EXIT_HOLDS : v == FAILS ? EXIT_FAILS : EXIT_DISCARDED;
}

static struct replay_outcome outcome_of(int status)
{
    if (WIFSIGNALED(status))
        return (struct replay_outcome){WTERMSIG(status) == SIGPROF ? REPLAY_HUNG : REPLAY_CRASHED,
                                       WTERMSIG(status)};
    switch (WEXITSTATUS(status)) {
    case EXIT_HOLDS:
        return (struct replay_outcome){REPLAY_HOLDS, 0};
    case EXIT_FAILS:
        return (struct replay_outcome){REPLAY_FAILS, 0};
    case EXIT_DISCARDED:
        return (struct replay_outcome){REPLAY_DISCARDED, 0};
    default:
        return (struct replay_outcome){REPLAY_CRASHED, 256 + WEXITSTATUS(status)};
    }
}

struct replay_outcome replay_here(const struct replay_case *c, const unsigned char *input, size_t n)
{
    return outcome_of(judge(c, input, n) << 8);
}

/* ---- a child --------------------------------------------------------------------------------- */

/* Megabytes that a process holds. */
static long held_by(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1)
        pages = 0;
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) >> 10) >> 10;
}

static void end_child(pid_t child)
{
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* SIGCHLD wakes the parent at once; between two looks it sleeps. */
struct replay_outcome replay_await(pid_t child, struct replay_limits limits,
                                   bool (*look)(void *ctx), void *ctx)
{
    const struct timespec tick = {0, 50 * 1000 * 1000};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        int status = 0;
        pid_t gone = waitpid(child, &status, WNOHANG);
        must(gone >= 0 || errno == EINTR, "waitpid");
        if (gone == child)
            return outcome_of(status);
        bool hungry = held_by(child) > limits.megabytes;
        if (hungry || replay_now() > limits.until || (look && !look(ctx))) {
            end_child(child);
            return (struct replay_outcome){hungry ? REPLAY_ATE : REPLAY_HUNG, SIGKILL};
        }
        (void)sigtimedwait(&set, NULL, &tick);
    }
}

/* Where children print; one for all of them. */
static int printed(void)
{
    static FILE *f;
    if (!f)
        f = tmpfile();
    must(f != NULL, "a temporary file");
    int fd = fileno(f);
    must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "a temporary file");
    return fd;
}

static void take_said(int fd, struct replay_said *said)
{
    if (!said->p) {
        said->cap = SAID;
        said->p = malloc(SAID);
        must(said->p != NULL, "memory");
    }
    ssize_t got = pread(fd, said->p, said->cap - 1, 0);
    said->n = got > 0 ? (size_t)got : 0;
    said->p[said->n] = '\0';
}

static void set_limits(double seconds)
{
    struct rlimit core = {0, 0}, file = {PRINTED, PRINTED};
    struct itimerval cpu = {
        .it_value = {(time_t)seconds, (suseconds_t)((seconds - (double)(time_t)seconds) * 1e6)}};
    signal(SIGPROF, SIG_DFL);
    setrlimit(RLIMIT_CORE, &core);
    setrlimit(RLIMIT_FSIZE, &file);
    setitimer(ITIMER_PROF, &cpu, NULL);
}

struct replay_outcome replay_apart(const struct replay_case *c, const unsigned char *input,
                                   size_t n, struct replay_limits limits, struct replay_said *said)
{
    sigset_t set, before;
    int fd = said ? printed() : open("/dev/null", O_WRONLY | O_CLOEXEC);
    must(fd >= 0, "/dev/null");
    fflush(NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &before);
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        set_limits(limits.cpu);
        int status = judge(c, input, n);
        fflush(NULL);
        _exit(status);
    }
    struct replay_outcome o = replay_await(child, limits, NULL, NULL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (said)
        take_said(fd, said);
    else
        close(fd);
    return o;
}

/* ---- the second program ---------------------------------------------------------------------- */

struct replay_server {
    pid_t pid;
    int fd;
};

struct question {
    size_t n; /* octets of the input, which follows */
    struct replay_limits limits;
};

struct answer {
    struct replay_outcome outcome;
    size_t n; /* octets of what was said, which follows */
};

static bool put_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t done = send(fd, at, n, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

static bool get_all(int fd, void *p, size_t n)
{
    char *at = p;
    while (n > 0) {
        ssize_t done = read(fd, at, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* The stack is enough. */
enum { ANSWER = 1 << 14 };

int replay_serve(const struct replay_case *c, int fd)
{
    struct question q;
    struct replay_said said = {0};
    unsigned char *input = NULL;
    bool good = true;
    while (good && get_all(fd, &q, sizeof q)) {
        unsigned char *more = realloc(input, q.n + 1);
        must(more != NULL, "memory");
        input = more;
        good = get_all(fd, input, q.n);
        if (!good)
            break;
        struct answer a = {.outcome = replay_apart(c, input, q.n, q.limits, &said)};
        a.n = said.n < ANSWER ? said.n : ANSWER;
        good = put_all(fd, &a, sizeof a) && put_all(fd, said.p, a.n);
    }
    free(input);
    free(said.p);
    return 0;
}

/* Of each sanitizer, what the user said and then this. */
static void without_names(void)
{
    static const char *const names[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "MSAN_OPTIONS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char value[2048];
        const char *was = getenv(names[i]);
        int n = snprintf(value, sizeof value, "%s%ssymbolize=0", was ? was : "", was ? ":" : "");
        if (n > 0 && (size_t)n < sizeof value)
            setenv(names[i], value, 1);
    }
}

struct replay_server *replay_server_start(const struct replay_case *c)
{
    int pair[2];
    if (!SANITIZED || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return NULL;
    struct replay_server *s = malloc(sizeof *s);
    must(s != NULL, "memory");
    fflush(NULL);
    s->fd = pair[0];
    s->pid = fork();
    must(s->pid >= 0, "fork");
    if (s->pid == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", pair[1]);
        close(pair[0]);
        without_names();
        execl("/proc/self/exe", "sipws-replay", "--serve", number,
              c->kind == REPLAY_TAPE ? "--property" : "--target", replay_name(c), (char *)NULL);
        _exit(2);
    }
    close(pair[1]);
    fcntl(s->fd, F_SETFD, FD_CLOEXEC);
    return s;
}

bool replay_server_ask(struct replay_server *s, const unsigned char *input, size_t n,
                       struct replay_limits limits, struct replay_outcome *o,
                       struct replay_said *said)
{
    struct question q = {n, limits};
    struct answer a;
    if (!said->p) {
        said->cap = SAID;
        said->p = malloc(SAID);
        must(said->p != NULL, "memory");
    }
    if (!put_all(s->fd, &q, sizeof q) || !put_all(s->fd, input, n) ||
        !get_all(s->fd, &a, sizeof a) || a.n >= said->cap || !get_all(s->fd, said->p, a.n))
        return false;
    said->n = a.n;
    said->p[a.n] = '\0';
    *o = a.outcome;
    return true;
}

void replay_server_end(struct replay_server *s)
{
    if (!s)
        return;
    close(s->fd);
    end_child(s->pid);
    free(s);
}
