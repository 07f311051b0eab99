/* Workers: linked stacks in children of ours, and programs; both speak the same on their pipes. */
#define _GNU_SOURCE /* pipe2, which POSIX of 2024 has too */
#include "worker.h"

#include "compare.h"
#include "heap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    LINE_MAX_OCTETS = 64 << 20, /* a longer answer is none */
    LOG_MAX_OCTETS = 16 << 20,
    LOG_MESSAGES = 4096, /* after which the log starts anew: there is room for the last words */
    HELLO_SECONDS = 30,  /* a Java machine on a busy computer */
    READ_ONCE = 1 << 16,
    RENEW = 100000 /* messages: a library that leaks a little does not fill its memory */
};

/* In the length that goes before a message: marks are asked for. */
#define WANT_MARKS ((uint32_t)1 << 31)

/* Of memory that it writes to: one that eats more is a result. */
#define DATA_MAX_OCTETS ((rlim_t)4 << 30)

/* A sanitizer's shadow counts as written to, so where SANITIZED a program's limit is set by its
 * shell, when nothing of ours is left in the process. */

/* A message on its way. */
struct pending {
    unsigned char head[4];
    const char *p;
    size_t n;
};

struct worker {
    const struct peer *peer;
    const char *dir, *built;
    struct worker *next;
    pid_t pid; /* 0: does not run */
    int in, out;
    FILE *log; /* what it writes to standard error */
    char *version, *absent;

    struct pending queue[WORKER_WINDOW]; /* a ring */
    size_t first, count;                 /* those not answered yet */
    size_t sent;                         /* of these, how many are written */
    size_t done;                         /* octets that are written of the next one */
    unsigned answered;                   /* since it was started */
    double cpu;                          /* seconds, of those that ran before */

    char *line; /* what came and is not taken: line_n octets from line_at on; from malloc */
    size_t line_at, line_n, line_cap;
};

/* All there are: a child has to close the pipes of the others, or they would never end. */
static struct worker *workers;

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

const char *answer_name(enum answer_verdict v)
{
    static const char *const names[] = {[ANSWER_ACCEPT] = "accept",
                                        [ANSWER_REFUSE] = "refuse",
                                        [ANSWER_CRASH] = "crash",
                                        [ANSWER_HANG] = "hang",
                                        [ANSWER_ABSENT] = "absent"};
    return names[v];
}

void answer_free(struct answer *a)
{
    free(a->reason);
    json_decref(a->reading);
    *a = (struct answer){ANSWER_ABSENT, NULL, NULL};
}

/* ---- in the child ---------------------------------------------------------------------------- */

/* What the parent sends, as much as there is at a time. */
struct input {
    int fd;
    size_t at, n;
    char buf[READ_ONCE];
};

static bool read_all(struct input *in, void *p, size_t n)
{
    for (char *q = p; n > 0;) {
        if (in->at == in->n) {
            ssize_t got = read(in->fd, in->buf, sizeof in->buf);
            if (got < 0 && errno == EINTR)
                continue;
            if (got <= 0)
                return false;
            in->at = 0;
            in->n = (size_t)got;
        }
        size_t take = in->n - in->at < n ? in->n - in->at : n;
        memcpy(q, in->buf + in->at, take);
        in->at += take;
        q += take;
        n -= take;
    }
    return true;
}

static void write_line(FILE *f, json_t *o)
{
    json_dumpf(o, f, JSON_COMPACT);
    putc('\n', f);
    if (fflush(f) != 0)
        _exit(3);
    json_decref(o);
}

/* Answers are written one by one: of one that crashes, the first without an answer is to blame. */
static void write_marks(FILE *f, struct marks *m)
{
    if (fwrite(m, offsetof(struct marks, p) + (size_t)m->n * sizeof *m->p, 1, f) != 1 ||
        fflush(f) != 0)
        _exit(3);
}

static void answer_one(const struct peer *peer, FILE *f, const char *p, size_t n, bool marks)
{
    json_t *reading = json_object(), *o;
    peer_refuse("");
    bool accept = peer->read(reading, p, n);
    /* Of a refused message only ref's reading counts, which is the first of all. */
    bool counts = accept || peer->layer == PEER_WS || peer == peers[0];
    if (marks) {
        static struct marks m;
        char class[96];
        o = counts ? rows_of(reading, p, n) : NULL;
        marks_of(o, &m);
        refusal_class(accept ? "" : peer_why(), peer == peers[0], class, sizeof class);
        m.verdict = (mark_hash(class, strlen(class)) & ~(uint64_t)7) |
                    (accept ? ANSWER_ACCEPT : ANSWER_REFUSE);
        write_marks(f, &m);
        json_decref(o);
    } else {
        o = json_pack("{s:s}", "verdict", accept ? "accept" : "refuse");
        if (!accept && *peer_why())
            peer_text(o, "reason", peer_why());
        if (counts)
            json_object_set(o, "reading", reading);
        write_line(f, o);
    }
    json_decref(reading);
}

/* A linked stack: asked until standard input ends. */
static _Noreturn void serve(const struct peer *peer, int in, int out)
{
    static struct input input;
    FILE *f = fdopen(out, "w");
    uint32_t n;
    if (!f)
        _exit(3);
    input.fd = in;
    setvbuf(stderr, NULL, _IOFBF, BUFSIZ); /* a parser may say much of what it refuses */
    write_line(f, json_pack("{s:s, s:s}", "peer", peer->name, "version", peer->version));
    while (read_all(&input, &n, sizeof n)) {
        /* Octets of exactly this size, so that a sanitizer sees a read past their end. */
        n = ntohl(n);
        size_t size = n & ~WANT_MARKS;
        heap_use(n & WANT_MARKS);
        char *copy = malloc(size ? size : 1);
        if (!copy || !read_all(&input, copy, size))
            _exit(3);
        answer_one(peer, f, copy, size, n & WANT_MARKS);
        free(copy);
    }
    _exit(0); /* leaks of a peer are not what is looked for */
}

/* A shell, since a program may need a search path, an option of its interpreter, and a word on what
 * is missing. The shell's own complaint ends up in the log. */
static _Noreturn void run_program(const struct worker *w)
{
    setenv("PEERS", w->dir, 1);
    setenv("BUILT", w->built, 1);
    char command[1024];
    int n = snprintf(command, sizeof command, "ulimit -d %llu; %s",
                     (unsigned long long)(DATA_MAX_OCTETS >> 10), w->peer->command);
    if (n < (int)sizeof command)
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static bool lower(struct rlimit *l, rlim_t most)
{
    bool lowers = l->rlim_max == RLIM_INFINITY || l->rlim_max > most;
    if (lowers)
        l->rlim_cur = most;
    return lowers;
}

/* A macro, since the type of `what` is an enumeration here and an int elsewhere. */
#define LIMIT(what, most)                                                                          \
    do {                                                                                           \
        struct rlimit l;                                                                           \
        if (getrlimit((what), &l) == 0 && lower(&l, (most)))                                       \
            (void)setrlimit((what), &l);                                                           \
    } while (0)

static _Noreturn void child(const struct worker *w, int in, int out, int log)
{
    setpgid(0, 0); /* so that its own children end with it */
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN);
    LIMIT(RLIMIT_CORE, 0);
    LIMIT(RLIMIT_FSIZE, LOG_MAX_OCTETS);
    if (!w->peer->command && !SANITIZED)
        LIMIT(RLIMIT_DATA, DATA_MAX_OCTETS);
    for (const struct worker *other = workers; other; other = other->next)
        if (other != w && other->pid) {
            close(other->in);
            close(other->out);
        }
    if (w->peer->command) {
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        run_program(w);
    }
    /* What the library prints must not get between the answers. */
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        _exit(3);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    serve(w->peer, in, out);
}

/* ---- in the parent --------------------------------------------------------------------------- */

struct worker *worker_new(const struct peer *peer, const char *dir, const char *built)
{
    struct worker *w = need(calloc(1, sizeof *w));
    w->peer = peer;
    w->dir = dir;
    w->built = built;
    if (peer->absent)
        w->absent = need(strdup(peer->absent));
    w->next = workers;
    workers = w;
    signal(SIGPIPE, SIG_IGN);
    return w;
}

double worker_cpu(const struct worker *w)
{
    clockid_t clock;
    struct timespec t;
    if (!w->pid || clock_getcpuclockid(w->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return w->cpu;
    return w->cpu + (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Ends it. Returns how it ended, as waitpid has it. */
static int stop(struct worker *w, bool by_force)
{
    int status = 0;
    if (!w->pid)
        return 0;
    w->cpu = worker_cpu(w);
    close(w->in);
    close(w->out);
    if (by_force)
        kill(-w->pid, SIGKILL);
    while (waitpid(w->pid, &status, 0) < 0 && errno == EINTR)
        ;
    kill(-w->pid, SIGKILL); /* what it left behind */
    w->pid = 0;
    w->line_at = w->line_n = 0;
    w->sent = w->done = 0;
    w->answered = 0;
    return status;
}

void worker_free(struct worker *w)
{
    for (struct worker **at = &workers; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    stop(w, true);
    if (w->log)
        fclose(w->log);
    free(w->version);
    free(w->absent);
    free(w->line);
    free(w);
}

/* Of what it wrote to standard error the last line that speaks of an error, or else the last one
 * that has a letter; or NULL. */
static char *last_words(struct worker *w)
{
    char buf[2048], *last = NULL;
    if (!w->log || fseek(w->log, 0, SEEK_END) != 0)
        return NULL;
    long end = ftell(w->log), from = end > (long)sizeof buf - 1 ? end - (long)sizeof buf + 1 : 0;
    if (end < 0 || fseek(w->log, from, SEEK_SET) != 0)
        return NULL;
    buf[fread(buf, 1, sizeof buf - 1, w->log)] = '\0';
    for (char *save = NULL, *line = strtok_r(buf, "\r\n", &save); line;
         line = strtok_r(NULL, "\r\n", &save))
        if (strstr(line, "rror") ||
            (strpbrk(line, "abcdefghijklmnopqrstuvwxyz") && (!last || !strstr(last, "rror"))))
            last = line;
    return last ? need(strndup(last, 200)) : NULL;
}

static bool start(struct worker *w)
{
    int in[2], out[2];
    if (!w->log) {
        w->log = need(tmpfile());
        fcntl(fileno(w->log), F_SETFL, O_APPEND);
    }
    if (ftruncate(fileno(w->log), 0) != 0 || fseek(w->log, 0, SEEK_SET) != 0)
        return false;
    if (pipe2(in, O_CLOEXEC) != 0)
        return false;
    if (pipe2(out, O_CLOEXEC) != 0) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    fflush(NULL); /* else a child that calls exit() writes our buffers once more */
    pid_t pid = fork();
    if (pid == 0) {
        close(in[1]);
        close(out[0]);
        child(w, in[0], out[1], fileno(w->log));
    }
    close(in[0]);
    close(out[1]);
    if (pid < 0) {
        close(in[1]);
        close(out[0]);
        return false;
    }
    setpgid(pid, pid);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    w->pid = pid;
    w->in = in[1];
    w->out = out[0];
    return true;
}

/* Writes what the pipe has room for. */
static void feed(struct worker *w)
{
    while (w->sent < w->count) {
        struct iovec v[2 * WORKER_WINDOW];
        int parts = 0;
        size_t skip = w->done;
        for (size_t i = w->sent; i < w->count; i++) {
            struct pending *q = &w->queue[(w->first + i) % WORKER_WINDOW];
            size_t head = skip < sizeof q->head ? skip : sizeof q->head, body = skip - head;
            if (head < sizeof q->head)
                v[parts++] = (struct iovec){q->head + head, sizeof q->head - head};
            if (body < q->n)
                v[parts++] = (struct iovec){(void *)(uintptr_t)(q->p + body), q->n - body};
            skip = 0;
        }
        ssize_t done = writev(w->in, v, parts);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return; /* full, or nobody reads: which it is shows when the answer is waited for */
        w->done += (size_t)done;
        for (size_t whole; w->sent < w->count; w->sent++, w->done -= whole) {
            whole = sizeof w->queue->head + w->queue[(w->first + w->sent) % WORKER_WINDOW].n;
            if (w->done < whole)
                break;
        }
    }
}

enum got { GOT_ALL, GOT_END, GOT_LATE };

/* Reads what there is. Nothing before `until`: GOT_LATE. */
static enum got get_some(struct worker *w, double until)
{
    bool more = w->sent < w->count;
    struct pollfd fds[2] = {{w->out, POLLIN, 0}, {w->in, POLLOUT, 0}};
    double left = until - now();
    int ready = left > 0 ? poll(fds, more ? 2 : 1, (int)(left * 1000) + 1) : 0;
    if (ready < 0 && errno == EINTR)
        return GOT_ALL;
    if (ready <= 0)
        return GOT_LATE;
    if (more && fds[1].revents & POLLOUT)
        feed(w);
    if (!fds[0].revents)
        return more && fds[1].revents & POLLERR ? GOT_END : GOT_ALL;
    if (w->line_at > 0 && w->line_cap - w->line_at - w->line_n < READ_ONCE) {
        memmove(w->line, w->line + w->line_at, w->line_n);
        w->line_at = 0;
    }
    if (w->line_cap - w->line_at - w->line_n < READ_ONCE) {
        w->line_cap = 2 * w->line_cap + READ_ONCE;
        w->line = need(realloc(w->line, w->line_cap));
    }
    ssize_t got = read(w->out, w->line + w->line_at + w->line_n, READ_ONCE);
    if (got < 0 && errno == EINTR)
        return GOT_ALL;
    if (got <= 0 || w->line_n > LINE_MAX_OCTETS)
        return GOT_END;
    w->line_n += (size_t)got;
    return GOT_ALL;
}

/* One line, at w->line + w->line_at without its end. */
static enum got get_line(struct worker *w, double until)
{
    for (;;) {
        char *end = w->line_n ? memchr(w->line + w->line_at, '\n', w->line_n) : NULL;
        if (end) {
            *end = '\0';
            return GOT_ALL;
        }
        enum got got = get_some(w, until);
        if (got != GOT_ALL)
            return got;
    }
}

/* n octets. */
static enum got get_octets(struct worker *w, size_t n, double until)
{
    enum got got = GOT_ALL;
    while (w->line_n < n && got == GOT_ALL)
        got = get_some(w, until);
    return got;
}

/* Takes away what was got; a worker that writes more than it is asked for has its next answer
 * there. */
static void drop(struct worker *w, size_t n)
{
    w->line_at += n;
    w->line_n -= n;
    if (w->line_n == 0)
        w->line_at = 0;
}

static void drop_line(struct worker *w)
{
    drop(w, strlen(w->line + w->line_at) + 1);
}

static const char *string_of(json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

bool worker_ready(struct worker *w)
{
    char text[300];
    if (w->absent)
        return false;
    if (w->pid)
        return true;
    if (!start(w)) {
        w->absent = need(strdup(strerror(errno)));
        return false;
    }
    enum got got = get_line(w, now() + HELLO_SECONDS);
    json_t *hello = got == GOT_ALL ? json_loads(w->line + w->line_at, 0, NULL) : NULL;
    const char *absent = string_of(hello, "absent"), *version = string_of(hello, "version");
    if (version) {
        drop_line(w);
        free(w->version);
        w->version = need(strdup(version));
        json_decref(hello);
        return true;
    }
    int status = stop(w, got != GOT_END);
    char *words = last_words(w);
    if (absent)
        snprintf(text, sizeof text, "%s", absent);
    else if (got == GOT_LATE)
        snprintf(text, sizeof text, "it did not say who it is within %d s", HELLO_SECONDS);
    else if (words)
        snprintf(text, sizeof text, "%s", words);
    else
        snprintf(text, sizeof text, "it ended before it said who it is (status %d)",
                 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    free(words);
    json_decref(hello);
    w->absent = need(strdup(text));
    return false;
}

const char *worker_version(const struct worker *w)
{
    return w->version ? w->version : "";
}

const char *worker_absent(const struct worker *w)
{
    return w->absent;
}

static void push(struct worker *w, const char *p, size_t n, uint32_t want)
{
    if (w->count == 0 && w->answered >= RENEW)
        stop(w, true);
    if (!worker_ready(w) || w->count == WORKER_WINDOW)
        return;
    struct pending *q = &w->queue[(w->first + w->count++) % WORKER_WINDOW];
    uint32_t length = htonl((uint32_t)n | want);
    memcpy(q->head, &length, sizeof length);
    q->p = p;
    q->n = n;
    feed(w);
}

void worker_send(struct worker *w, const char *p, size_t n)
{
    push(w, p, n, 0);
}

bool worker_marks(const struct worker *w)
{
    return w->peer->read && !w->absent;
}

void worker_send_marks(struct worker *w, const char *p, size_t n)
{
    push(w, p, n, WANT_MARKS);
}

/* The first message is answered, in whichever way. */
static void pop(struct worker *w)
{
    w->first = (w->first + 1) % WORKER_WINDOW;
    w->count--;
    if (w->sent > 0)
        w->sent--;
    else
        w->done = 0; /* it answers what it has not read */
    if (++w->answered % LOG_MESSAGES == 0 && ftruncate(fileno(w->log), 0) != 0)
        fputs("sipws-diff: a log cannot be cut\n", stderr);
}

/* False: this line is no answer. */
static bool take_line(struct worker *w, struct answer *out)
{
    json_t *o = json_loads(w->line + w->line_at, JSON_ALLOW_NUL, NULL),
           *reading = json_object_get(o, "reading");
    const char *verdict = string_of(o, "verdict"), *reason = string_of(o, "reason");
    bool accept = verdict && strcmp(verdict, "accept") == 0 && json_is_object(reading);
    bool refuse = verdict && strcmp(verdict, "refuse") == 0;
    if (accept || (refuse && json_is_object(reading)))
        out->reading = json_incref(reading);
    if (accept) {
        out->verdict = ANSWER_ACCEPT;
    } else if (refuse) {
        out->verdict = ANSWER_REFUSE;
        out->reason = reason ? need(strdup(reason)) : NULL;
    }
    json_decref(o);
    return accept || refuse;
}

/* Starts it again where it has ended, for what it has not answered yet. */
static bool go_on(struct worker *w)
{
    if (w->count == 0 || !worker_ready(w))
        return false;
    feed(w);
    return true;
}

/* No answer to the first message: ends it, and says in which way it went wrong. */
static void give_up(struct worker *w, enum got got, double seconds, struct answer *out)
{
    char text[300];
    int status = stop(w, got != GOT_END);
    char *words = last_words(w);
    out->verdict = got == GOT_LATE ? ANSWER_HANG : ANSWER_CRASH;
    if (got == GOT_LATE)
        snprintf(text, sizeof text, "no answer within %g s", seconds);
    else if (got == GOT_ALL)
        snprintf(text, sizeof text, "what it wrote is no answer");
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "signal %d%s%s", WTERMSIG(status), words ? ": " : "",
                 words ? words : "");
    else
        snprintf(text, sizeof text, "exit %d%s%s", WEXITSTATUS(status), words ? ": " : "",
                 words ? words : "");
    free(words);
    out->reason = need(strdup(text));
    pop(w);
}

void worker_take(struct worker *w, double seconds, struct answer *out)
{
    *out = (struct answer){ANSWER_ABSENT, NULL, NULL};
    if (!go_on(w)) {
        out->reason = w->absent ? need(strdup(w->absent)) : NULL;
        w->count = 0;
        return;
    }
    enum got got = get_line(w, now() + seconds);
    if (got == GOT_ALL && take_line(w, out)) {
        drop_line(w);
        pop(w);
        return;
    }
    give_up(w, got, seconds, out);
}

void worker_take_marks(struct worker *w, double seconds, struct marks *out)
{
    const size_t head = offsetof(struct marks, p);
    struct answer a = {ANSWER_ABSENT, NULL, NULL};
    *out = (struct marks){.verdict = ANSWER_ABSENT};
    if (!go_on(w)) {
        w->count = 0;
        return;
    }
    double until = now() + seconds;
    enum got got = get_octets(w, head, until);
    if (got == GOT_ALL)
        memcpy(out, w->line + w->line_at, head);
    size_t n = head + (size_t)out->n * sizeof *out->p;
    if (got == GOT_ALL && out->n <= MARKS_MAX)
        got = get_octets(w, n, until);
    if (got == GOT_ALL && out->n <= MARKS_MAX) {
        memcpy(out, w->line + w->line_at, n);
        drop(w, n);
        pop(w);
        return;
    }
    give_up(w, got, seconds, &a);
    out->n = 0;
    out->verdict = (mark_hash(a.reason, strlen(a.reason)) & ~(uint64_t)7) | a.verdict;
    answer_free(&a);
}
