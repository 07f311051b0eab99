/* Delta debugging over the court: a window full of smaller cases is judged at a time. */
#define _POSIX_C_SOURCE 200809L
#include "shrink.h"

#include "breed.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CUTS = WORKER_WINDOW };

struct piece {
    size_t from, to;
};

struct shrinker {
    struct court *k;
    shrink_holds *holds;
    const void *what;
    double until;
    char *p;
    size_t n;
};

/* ---- Content-Length -------------------------------------------------------------------------- */

/* Behind the empty line; n where there is none. */
static size_t body_at(const char *p, size_t n)
{
    for (size_t i = 0; i + 3 < n; i++)
        if (memcmp(p + i, "\r\n\r\n", 4) == 0)
            return i + 4;
    return n;
}

/* The digits of the only Content-Length; from == to where there is none, or more than one. */
static struct piece length_at(const char *p, size_t n)
{
    static const char name[] = "\nContent-Length: ";
    struct piece found = {0, 0};
    for (size_t i = 0, end = body_at(p, n); i + sizeof name < end; i++) {
        if (strncasecmp(p + i, name, sizeof name - 1) != 0)
            continue;
        if (found.to)
            return (struct piece){0, 0};
        found.from = found.to = i + sizeof name - 1;
        while (found.to < end && isdigit((unsigned char)p[found.to]))
            found.to++;
    }
    return found;
}

static bool length_is_right(const char *p, size_t n)
{
    struct piece l = length_at(p, n);
    return l.to > l.from && strtoull(p + l.from, NULL, 10) == n - body_at(p, n);
}

/* Puts the right number there; room for 20 octets more is at p. */
static size_t set_length(char *p, size_t n)
{
    struct piece l = length_at(p, n);
    char digits[24];
    size_t k = (size_t)snprintf(digits, sizeof digits, "%zu", n - body_at(p, n));
    if (l.to == l.from)
        return n;
    memmove(p + l.from + k, p + l.to, n - l.to);
    memcpy(p + l.from, digits, k);
    return n - (l.to - l.from) + k;
}

/* ---- cuts ------------------------------------------------------------------------------------ */

/* p without the pieces whose bit is set, from malloc. */
static char *without(const struct shrinker *s, const struct piece *cuts, size_t n, const bool *gone,
                     size_t *left)
{
    char *out = need(malloc(s->n + 24));
    bool right = s->k->layer == PEER_SIP && length_is_right(s->p, s->n);
    size_t at = 0;
    *left = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t from = i < n ? cuts[i].from : s->n;
        if (i < n && !gone[i])
            continue;
        if (from > at) {
            memcpy(out + *left, s->p + at, from - at);
            *left += from - at;
        }
        if (i < n && cuts[i].to > at)
            at = cuts[i].to;
    }
    if (right)
        *left = set_length(out, *left);
    return out;
}

static void accept(struct shrinker *s, char *p, size_t n)
{
    memcpy(s->p, p, n);
    s->n = n;
}

/* Tries some pieces, each alone, then all those together that could go. Returns whether any did. */
static bool try_cuts(struct shrinker *s, const struct piece *cuts, size_t n)
{
    static char name[] = "shrinking";
    static struct result r[CUTS];
    struct octets_case c[CUTS];
    bool one[CUTS], good[CUTS];
    size_t count = 0, first = n;
    for (size_t i = 0; i < n; i++) {
        memset(one, 0, sizeof one);
        one[i] = true;
        c[i] = (struct octets_case){name, s->k->layer, NULL, 0, NULL};
        c[i].p = without(s, cuts, n, one, &c[i].n);
    }
    judge(s->k, c, n, r);
    for (size_t i = 0; i < n; i++) {
        good[i] = c[i].n < s->n && s->holds(s->k, &r[i], s->what);
        first = good[i] && first == n ? i : first;
        count += good[i];
        forget(s->k, &r[i]);
    }
    if (count > 1) {
        struct octets_case all = {name, s->k->layer, NULL, 0, NULL};
        all.p = without(s, cuts, n, good, &all.n);
        judge(s->k, &all, 1, r);
        if (s->holds(s->k, &r[0], s->what)) {
            accept(s, all.p, all.n);
            first = n;
        }
        forget(s->k, &r[0]);
        free(all.p);
    }
    if (first < n)
        accept(s, c[first].p, c[first].n);
    for (size_t i = 0; i < n; i++)
        free(c[i].p);
    return count > 0;
}

/* ---- what can be cut ------------------------------------------------------------------------- */

/* The end of the piece that begins at `at`, at one of the levels. */
enum level { LINES, ELEMENTS, PARAMS, WORDS, EIGHTS, OCTETS, LEVELS };

static size_t piece_end(const struct shrinker *s, size_t at, enum level level)
{
    static const char *const ends[] = {
        [LINES] = "\n", [ELEMENTS] = "\n,", [PARAMS] = "\n,;", [WORDS] = "\n,; :@=.-"};
    size_t fixed = level == EIGHTS ? 8 : 1, i = at;
    if (level >= EIGHTS)
        return at + fixed < s->n ? at + fixed : s->n;
    for (i++; i < s->n; i++) {
        char before = s->p[i - 1];
        if (before == '\n' && (level > LINES || (s->p[i] != ' ' && s->p[i] != '\t')))
            return i;
        if (level > LINES && (strchr(ends[level], s->p[i]) && s->p[i]))
            return i;
    }
    return s->n;
}

/* Up to where it is cut: the empty line of a handshake stays, or servers would wait for it. */
static size_t cut_end(const struct shrinker *s, enum level level)
{
    size_t stays = s->k->layer != PEER_HTTP ? 0 : level == LINES ? 2 : 4;
    return s->n > stays ? s->n - stays : 0;
}

/* Goes over the case once. */
static bool pass(struct shrinker *s, enum level level)
{
    struct piece cuts[CUTS];
    bool any = false;
    for (size_t at = 0; at < cut_end(s, level) && seconds_now() < s->until;) {
        size_t n = 0, end = at;
        while (n < CUTS && end < cut_end(s, level)) {
            size_t to = piece_end(s, end, level);
            cuts[n].from = end;
            cuts[n].to = end = to < cut_end(s, level) ? to : cut_end(s, level);
            n++;
        }
        size_t before = s->n;
        if (n && try_cuts(s, cuts, n))
            any = true;
        /* What was cut moved the rest up. */
        at = end - (before - s->n < end ? before - s->n : end);
    }
    return any;
}

size_t shrink(struct court *k, char *p, size_t n, shrink_holds *holds, const void *what,
              double until)
{
    struct shrinker s = {k, holds, what, until, p, n};
    bool any = true;
    while (any && seconds_now() < until) {
        any = false;
        for (int level = k->layer == PEER_WS ? EIGHTS : LINES; level < LEVELS; level++)
            any = pass(&s, (enum level)level) || any;
    }
    return s.n;
}

/* ---- clusters -------------------------------------------------------------------------------- */

struct shown {
    char *key;
    bool valid; /* in a message that ref takes, which says more: it stays one */
    bool whole; /* no frame is cut: so it stays, too */
};

static bool is_whole(const char *p, size_t n)
{
    return breed_whole((struct sipws_str){p, n}) == n;
}

static bool shows_key(struct court *k, const struct result *r, const void *what)
{
    const struct shown *want = what;
    bool found = false;
    (void)k;
    if ((want->valid && r->said[0].answer.verdict != ANSWER_ACCEPT) ||
        (want->whole && !is_whole(r->input->p, r->input->n)))
        return false;
    for (size_t i = 0; !found && i < json_array_size(r->findings); i++) {
        char *key = cluster_key(json_array_get(r->findings, i));
        found = strcmp(key, want->key) == 0;
        free(key);
    }
    return found;
}

/* What is left of a witness counts for every cluster that it shows. */
static void shrink_one(struct court *k, size_t i, double until)
{
    static char name[] = "shrunk";
    static struct result r;
    const struct cluster *cluster = &k->cluster[i];
    struct octets_case c = {name, k->layer, need(malloc(cluster->n + 24)), cluster->n, NULL};
    struct shown want = {need(strdup(cluster->key)), !json_object_get(cluster->o, "error"),
                         k->layer == PEER_WS && is_whole(cluster->p, cluster->n)};
    memcpy(c.p, cluster->p, c.n);
    c.n = shrink(k, c.p, c.n, shows_key, &want, until);
    judge(k, &c, 1, &r);
    if (shows_key(k, &r, &want))
        clusters_add(k, &r);
    forget(k, &r);
    free(want.key);
    free(c.p);
}

void clusters_shrink(struct court *k, double until)
{
    size_t wanted = 0, done = 0;
    double began = seconds_now();
    for (size_t i = 0; i < k->folded; i++)
        wanted += quirk_of(k, &k->cluster[i]) == NULL;
    for (size_t i = 0, n = k->folded; i < n && seconds_now() < until; i++) {
        if (quirk_of(k, &k->cluster[i]))
            continue;
        /* Nobody takes all of the time; one that another one made small needs none. */
        double share = (until - seconds_now()) / (double)(wanted - done) * 4;
        if (strcmp(text_of(k->cluster[i].o, "witness"), "shrunk") != 0)
            shrink_one(k, i, seconds_now() + share < until ? seconds_now() + share : until);
        done += done + 1 < wanted;
    }
    if (wanted)
        fprintf(stderr, "%zu of %zu witnesses were made small in %.0f s\n",
                done + (seconds_now() < until), wanted, seconds_now() - began);
}
