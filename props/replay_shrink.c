/* A smaller case with the same bucket, within a time that is given.
 *
 * A property that says no is asked again in one child, thousands of times a second; what it found
 * lies in memory that outlives it. A case that takes its process down needs a child for each try;
 * where a sanitizer is, the second program runs them, and a stack that is new is asked once more
 * for its names.
 */
#define _DEFAULT_SOURCE
#include "replay.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACKS = 64, STALL = 2 };

/* ---- progress -------------------------------------------------------------------------------- */

struct progress {
    double deadline, told;
    bool terminal;
};

static void show(struct progress *p, size_t n, uint64_t tries)
{
    double now = replay_now();
    if (!p->terminal || now - p->told < 0.2)
        return;
    p->told = now;
    fprintf(stderr, "\r\033[Kshrinks: %zu octets after %llu tries, %.0f s left", n,
            (unsigned long long)tries, p->deadline > now ? p->deadline - now : 0.0);
}

/* ---- a case that takes its process down ------------------------------------------------------ */

struct apart {
    const struct replay_case *c;
    struct replay_outcome want;
    const struct replay_bucket *bucket;
    struct replay_server *server;
    double seconds; /* for one try */
    long megabytes;
    uint64_t tries;
    size_t least; /* octets of the best so far */
    struct progress progress;
    struct replay_said said;

    struct {
        uint64_t print;
        bool same;
    } stacks[STACKS]; /* that are known */
    unsigned stack_n;
};

/* No try goes on for long after the end of all of them. */
static struct replay_limits limits_for_one(const struct apart *a)
{
    return (struct replay_limits){a->seconds, a->progress.deadline + 0.5, a->megabytes};
}

/* With names of functions. */
static bool same_bucket(struct apart *a, const unsigned char *input, size_t n)
{
    struct replay_case c = *a->c;
    struct replay_bucket b;
    memcpy(c.input, input, n);
    c.n = n;
    struct replay_outcome o = replay_apart(&c, input, n, limits_for_one(a), &a->said);
    replay_bucket(&c, o, &a->said, &b);
    return o.end == a->want.end && strcmp(b.key, a->bucket->key) == 0;
}

static bool try_one(struct apart *a, const unsigned char *input, size_t n)
{
    struct replay_outcome o;
    if (!a->server || !replay_server_ask(a->server, input, n, limits_for_one(a), &o, &a->said))
        o = replay_apart(a->c, input, n, limits_for_one(a), &a->said);
    if (o.end != a->want.end)
        return false;
    if (o.end != REPLAY_CRASHED)
        return o.end != REPLAY_FAILS || same_bucket(a, input, n);
    uint64_t print = replay_fingerprint(o, &a->said);
    for (unsigned i = 0; i < a->stack_n; i++)
        if (a->stacks[i].print == print)
            return a->stacks[i].same;
    bool same = same_bucket(a, input, n);
    if (a->stack_n < STACKS) {
        a->stacks[a->stack_n].print = print;
        a->stacks[a->stack_n++].same = same;
    }
    return same;
}

static bool fails_alike(void *ctx, const unsigned char *input, size_t n)
{
    struct apart *a = ctx;
    a->tries++;
    bool alike = try_one(a, input, n);
    if (alike)
        a->least = n;
    show(&a->progress, a->least, a->tries);
    return alike;
}

static uint64_t shrink_apart(struct replay_case *c, struct replay_outcome o,
                             const struct replay_bucket *b, struct replay_limits limits)
{
    unsigned char *scratch = malloc(c->n + 1), *was = malloc(c->n + 1);
    struct apart *a = calloc(1, sizeof *a);
    struct replay_case other = *c; /* same_bucket writes to it */
    size_t was_n = c->n;
    if (!scratch || !was || !a)
        exit(2);
    memcpy(was, c->input, c->n);
    other.input = scratch;
    /* A hang costs its whole time at each try, so a part of it must do; the end is looked at. */
    bool hangs = o.end == REPLAY_HUNG;
    *a = (struct apart){
        .c = &other,
        .want = o,
        .bucket = b,
        .least = c->n,
        .seconds = hangs ? limits.cpu / 5 : limits.cpu,
        .megabytes = limits.megabytes,
        .server = o.end == REPLAY_FAILS ? NULL : replay_server_start(c),
        .progress = {.deadline = hangs ? limits.until - 1.5 * limits.cpu : limits.until,
                     .terminal = isatty(STDERR_FILENO)}};
    c->n = prop_shrink(c->prop, c->input, c->n, fails_alike, a, a->progress.deadline - replay_now(),
                       NULL);
    a->seconds = limits.cpu;
    a->progress.deadline = limits.until;
    if (hangs && !fails_alike(a, c->input, c->n)) {
        memcpy(c->input, was, was_n);
        c->n = was_n;
    }
    uint64_t tries = a->tries;
    if (a->progress.terminal)
        fputs("\r\033[K", stderr);
    replay_server_end(a->server);
    free(a->said.p);
    free(a);
    free(scratch);
    free(was);
    return tries;
}

/* ---- a property that says no ----------------------------------------------------------------- */

/* Shared with the child. The octets are in two places, so that one of them is always whole. */
struct best {
    volatile uint64_t tries;
    volatile bool whole; /* all was tried */
    volatile unsigned which;
    volatile size_t n[2];
    unsigned char octets[]; /* twice `cap` */
};

struct inside {
    const struct replay_case *c;
    struct best *best;
    size_t cap;
    const char *id;
    uint64_t seen; /* tries, when the parent looked */
    double since;  /* and since when it stands still */
    struct progress progress;
};

static bool same_id(void *ctx, const unsigned char *tape, size_t n)
{
    struct inside *s = ctx;
    s->best->tries++;
    if (prop_check(s->c->prop, tape, n, s->c->trial) != FAILS ||
        strcmp(s->c->trial->id, s->id) != 0)
        return false;
    unsigned to = !s->best->which;
    memcpy(s->best->octets + to * s->cap, tape, n);
    s->best->n[to] = n;
    s->best->which = to;
    return true;
}

static bool goes_on(void *ctx)
{
    struct inside *s = ctx;
    double now = replay_now();
    show(&s->progress, s->best->n[s->best->which], s->best->tries);
    if (s->best->tries != s->seen) {
        s->seen = s->best->tries;
        s->since = now;
    }
    return now - s->since < STALL;
}

/* True: it came to its end, and not to that of the time, a crash or a hang. */
static bool shrink_inside(struct replay_case *c, const char *id, struct replay_limits limits,
                          uint64_t *tries)
{
    size_t cap = c->n + 1, size = sizeof(struct best) + 2 * cap;
    struct best *best = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (best == MAP_FAILED)
        return false;
    struct inside s = {.c = c, .best = best, .cap = cap, .id = id, .since = replay_now()};
    s.progress = (struct progress){limits.until, 0, isatty(STDERR_FILENO)};
    memcpy(best->octets, c->input, c->n);
    best->n[0] = c->n;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        size_t n =
            prop_shrink(c->prop, c->input, c->n, same_id, &s, limits.until - replay_now(), NULL);
        (void)same_id(&s, c->input, n); /* octets that are not drawn went without a try */
        best->whole = true;
        _exit(0);
    }
    if (child > 0) {
        limits.until += 0.5;
        (void)replay_await(child, limits, goes_on, &s);
    }
    if (s.progress.terminal)
        fputs("\r\033[K", stderr);
    c->n = best->n[best->which];
    memcpy(c->input, best->octets + best->which * cap, c->n);
    bool whole = best->whole;
    *tries = best->tries;
    munmap(best, size);
    return whole;
}

uint64_t replay_shrink(struct replay_case *c, struct replay_outcome o,
                       const struct replay_bucket *b, struct replay_limits limits)
{
    uint64_t tries = 0;
    bool whole = o.end == REPLAY_FAILS && shrink_inside(c, b->error, limits, &tries);
    if (!whole && replay_now() < limits.until)
        tries += shrink_apart(c, o, b, limits);
    return tries;
}
