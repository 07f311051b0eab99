/* A peer in a child process: what it says comes through a pipe, so that nothing it does to its own
 * memory, output or time reaches us. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Through the pipe go records: a row and the size of what follows; the last is a verdict. */
enum { REC_REFUSES = 200, REC_ACCEPTS = 201, REC_MAX = 1 << 24 };

struct record {
    unsigned char row;
    size_t n;
};

struct peer_saying {
    int fd;
};

static const char *const names[] = {
#define R(NAME, text, what) text,
    PEER_ROWS(R)
#undef R
};

const char *peer_row_name(enum peer_row row)
{
    return row < PEER_ROW_COUNT ? names[row] : "why";
}

/* ---- in the child ---------------------------------------------------------------------------- */

static void send_all(int fd, const void *p, size_t n)
{
    for (const char *q = p; n > 0;) {
        ssize_t done = write(fd, q, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            _exit(3);
        q += done;
        n -= (size_t)done;
    }
}

static void send_record(int fd, unsigned char row, const char *p, size_t n)
{
    struct record r;
    memset(&r, 0, sizeof r); /* its padding goes through the pipe too */
    r.row = row;
    r.n = n;
    send_all(fd, &r, sizeof r);
    send_all(fd, p, n);
}

void peer_say(struct peer_saying *s, enum peer_row row, const char *p, size_t n)
{
    if (p)
        send_record(s->fd, (unsigned char)row, p, n);
}

void peer_say_text(struct peer_saying *s, enum peer_row row, const char *text)
{
    if (text)
        peer_say(s, row, text, strlen(text));
}

void peer_say_number(struct peer_saying *s, enum peer_row row, unsigned long long number)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", number);
    peer_say_text(s, row, text);
}

static _Noreturn void run(const struct peer *peer, int fd, const char *p, size_t n)
{
    struct peer_saying saying = {fd};
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        _exit(3);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    /* Octets of exactly this size, so that a sanitizer sees a read past their end. */
    char *copy = malloc(n ? n : 1);
    if (!copy)
        _exit(3);
    if (n)
        memcpy(copy, p, n);
    send_record(fd, peer->ask(&saying, copy, n) ? REC_ACCEPTS : REC_REFUSES, "", 0);
    _exit(0); /* leaks of a peer are not what is looked for */
}

/* ---- in the parent --------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

enum got { GOT_ALL, GOT_END, GOT_LATE, GOT_ERROR };

/* n octets, before `until`. */
static enum got receive(int fd, void *p, size_t n, double until)
{
    for (char *q = p; n > 0;) {
        struct pollfd poll_fd = {fd, POLLIN, 0};
        double left = until - now();
        int ready = left > 0 ? poll(&poll_fd, 1, (int)(left * 1000) + 1) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return ready == 0 ? GOT_LATE : GOT_ERROR;
        ssize_t done = read(fd, q, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done == 0 ? GOT_END : GOT_ERROR;
        q += done;
        n -= (size_t)done;
    }
    return GOT_ALL;
}

/* Records up to the verdict, or as far as they come. out->end is PEER_CRASHES until one is here. */
static enum got receive_reading(int fd, double until, struct peer_reading *out)
{
    for (;;) {
        struct record r;
        enum got got = receive(fd, &r, sizeof r, until);
        if (got != GOT_ALL)
            return got;
        if (r.row == REC_ACCEPTS || r.row == REC_REFUSES) {
            out->end = r.row == REC_ACCEPTS ? PEER_ACCEPTS : PEER_REFUSES;
            return GOT_ALL;
        }
        if (r.row > PEER_WHY || r.n > REC_MAX)
            return GOT_END; /* its memory is not sound */
        struct peer_text *text = &out->rows[r.row];
        free(text->p);
        *text = (struct peer_text){malloc(r.n + 1), r.n};
        if (!text->p)
            return GOT_ERROR;
        text->p[r.n] = '\0';
        got = receive(fd, text->p, r.n, until);
        if (got != GOT_ALL) {
            free(text->p);
            *text = (struct peer_text){NULL, 0};
            return got;
        }
    }
}

/* Only what was accepted counts as read. */
static void keep_why(struct peer_reading *out)
{
    for (int row = 0; row < PEER_ROW_COUNT; row++) {
        free(out->rows[row].p);
        out->rows[row] = (struct peer_text){NULL, 0};
    }
}

bool peer_run(const struct peer *peer, const char *p, size_t n, double seconds,
              struct peer_reading *out)
{
    int fds[2], status = 0;
    memset(out, 0, sizeof *out);
    if (peer->absent) {
        out->end = PEER_ABSENT;
        return true;
    }
    if (pipe(fds) != 0)
        return false;
    pid_t child = fork();
    if (child < 0) {
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    if (child == 0) {
        close(fds[0]);
        run(peer, fds[1], p, n);
    }
    close(fds[1]);
    out->end = PEER_CRASHES;
    enum got got = receive_reading(fds[0], now() + seconds, out);
    close(fds[0]);
    if (got == GOT_LATE || got == GOT_ERROR)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    if (got == GOT_LATE)
        out->end = PEER_HANGS;
    if (out->end == PEER_CRASHES && WIFSIGNALED(status))
        out->signal = WTERMSIG(status);
    if (out->end != PEER_ACCEPTS)
        keep_why(out);
    return got != GOT_ERROR;
}

void peer_reading_free(struct peer_reading *r)
{
    for (size_t i = 0; i < sizeof r->rows / sizeof *r->rows; i++)
        free(r->rows[i].p);
    memset(r, 0, sizeof *r);
}
