/* Two tiers. Linked peers answer every case with marks, at thousands a second; a case that shows
 * something new among them is put to everybody in full, judged, folded and kept to breed from. */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include "breed.h"
#include "coalition.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = WORKER_WINDOW,
    SAMPLE_PERCENT = 20, /* of the time may go to cases that are not new */
    FEATURES = 1 << 20,
    RATE_SEED = 1
};

static volatile sig_atomic_t stopped;
static char bred[] = "bred";

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

struct batch {
    struct octets_case c[BATCH];
    char octets[BATCH][BREED_LARGEST];
    struct marks *marks[PEERS_MAX]; /* BATCH of each linked peer */
    size_t n;
};

struct run {
    struct court *k;
    struct fuzz *f;
    struct breed *breed;
    bool linked[PEERS_MAX]; /* and of the layer, and here */
    size_t linked_n, ref;   /* the first of them */
    bool programs;          /* there are some too */
    uint64_t *features;     /* a set: open addressing, 0 is free */
    size_t feature_n;
    double began, shown, all; /* `all`: spent on asking everybody */
    size_t read[PEERS_MAX];   /* cases that a linked peer has answered */
};

/* ---- what is new ----------------------------------------------------------------------------- */

static bool add_feature(struct run *r, uint64_t x)
{
    x = x ? x : 1;
    for (size_t at = x % FEATURES, tries = 0; tries < FEATURES; at = (at + 1) % FEATURES, tries++) {
        if (r->features[at] == x)
            return false;
        if (r->features[at] == 0) {
            if (r->feature_n > FEATURES / 2)
                return false;
            r->features[at] = x;
            r->feature_n++;
            return true;
        }
    }
    return false;
}

static uint64_t mix(uint64_t h, uint64_t x)
{
    return (h ^ x) * 1099511628211u;
}

/* The next row that a peer has an opinion on, over all linked peers; UINT64_MAX: none. */
static uint64_t next_row(const struct run *r, const struct batch *b, size_t c, const size_t *at)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < r->k->n; i++)
        if (r->linked[i] && at[i] < b->marks[i][c].n && b->marks[i][c].p[at[i]].row < least)
            least = b->marks[i][c].p[at[i]].row;
    return least;
}

/* How all read one row: for each peer no opinion, the same as the first who has one, or in which
 * direction it differs. */
static uint64_t row_feature(const struct run *r, const struct batch *b, size_t c, size_t *at,
                            uint64_t row, bool *differ)
{
    const struct mark *base = NULL;
    uint64_t h = row;
    *differ = false;
    for (size_t i = 0; i < r->k->n; i++) {
        const struct mark *m = r->linked[i] ? &b->marks[i][c].p[at[i]] : NULL;
        unsigned how = 0;
        if (m && at[i] < b->marks[i][c].n && m->row == row) {
            at[i]++;
            base = base ? base : m;
            how = m->text == base->text         ? 1
                  : m->measure < base->measure  ? 2
                  : m->measure == base->measure ? 3
                                                : 4;
            *differ = *differ || how > 1;
        }
        h = mix(h, how);
    }
    return h;
}

/* Whether a case shows something that none before did: the tuple of verdicts, or a row in which
 * peers differ as they never did. */
static bool is_new(struct run *r, const struct batch *b, size_t c)
{
    size_t at[PEERS_MAX] = {0};
    uint64_t verdicts = 14695981039346656037u, row, ref = b->marks[r->ref][c].verdict;
    bool differ, fresh;
    for (size_t i = 0; i < r->k->n; i++)
        if (r->linked[i])
            verdicts = mix(verdicts, b->marks[i][c].verdict);
    fresh = add_feature(r, verdicts);
    while ((row = next_row(r, b, c, at)) != UINT64_MAX) {
        uint64_t h = row_feature(r, b, c, at, row, &differ);
        if (differ && add_feature(r, mix(h, ref)))
            fresh = true;
    }
    return fresh;
}

/* ---- progress -------------------------------------------------------------------------------- */

/* How many clusters no quirk explains; those that were looked up stay so. */
static size_t count_new(struct run *r)
{
    static size_t looked, fresh;
    for (; looked < r->k->folded; looked++)
        fresh += quirk_of(r->k, &r->k->cluster[looked]) == NULL;
    return fresh;
}

static void show(struct run *r, bool last)
{
    bool tty = isatty(STDERR_FILENO);
    double now = seconds_now(), spent = now - r->began;
    if (!last && now - r->shown < (tty ? 0.5 : 10))
        return;
    r->shown = now;
    size_t fresh = count_new(r);
    fprintf(stderr,
            "%s%4.0f s  %zu cases (%.0f/s)  all asked %zu  kept %zu  clusters %zu (%zu known, %zu "
            "new)  crashes %zu%s",
            tty ? "\r" : "", spent, r->f->cases, (double)r->f->cases / (spent > 0 ? spent : 1),
            r->f->asked_all, breed_kept(r->breed), r->k->folded, r->k->folded - fresh, fresh,
            r->f->crashes, tty && !last ? "" : "\n");
}

/* ---- a batch --------------------------------------------------------------------------------- */

static void breed_batch(struct run *r, struct batch *b)
{
    /* A small one where the time is that of programs. */
    size_t most = r->programs && r->linked_n < 2 ? BATCH / 8 : BATCH;
    for (b->n = 0; b->n < most;) {
        size_t n = breed_next(r->breed, b->octets[b->n]);
        if (n == 0)
            continue;
        b->c[b->n] = (struct octets_case){bred, r->k->layer, b->octets[b->n], n, NULL};
        b->n++;
    }
}

static void send_batch(struct run *r, const struct batch *b)
{
    for (size_t i = 0; i < r->k->n; i++)
        for (size_t c = 0; r->linked[i] && c < b->n; c++)
            worker_send_marks(r->k->workers[i], b->c[c].p, b->c[c].n);
}

static void take_batch(struct run *r, struct batch *b)
{
    for (size_t i = 0; i < r->k->n; i++)
        for (size_t c = 0; r->linked[i] && c < b->n; c++)
            worker_take_marks(r->k->workers[i], r->k->seconds, &b->marks[i][c]);
}

/* Everybody's opinion in full, for good. */
static void ask_all(struct run *r, const struct octets_case *c, size_t n)
{
    static struct result results[BATCH];
    double began = seconds_now();
    judge(r->k, c, n, results);
    for (size_t i = 0; i < n; i++) {
        const struct result *x = &results[i];
        bool fresh = clusters_add(r->k, x) > 0;
        if (r->k->coalitions)
            coalitions_add(r->k, x);
        if (fresh)
            breed_keep(r->breed, x->input->p, x->input->n);
        if (x->ours) {
            r->k->ours++;
            clusters_fault(r->k, x);
        }
        for (size_t p = 0; p < r->k->n; p++)
            r->f->crashes += x->said[p].answer.verdict == ANSWER_CRASH ||
                             x->said[p].answer.verdict == ANSWER_HANG;
        forget(r->k, &results[i]);
    }
    r->f->asked_all += n;
    r->all += seconds_now() - began;
}

/* Whether programs are asked about a case that is not new, since they may differ where linked peers
 * do not: for as long as this takes its share of the time, or always, where one peer alone is
 * linked and so tells nothing new. */
static bool is_sample(struct run *r)
{
    bool share = r->all * 100 < (seconds_now() - r->began) * SAMPLE_PERCENT;
    return r->programs && (r->linked_n < 2 || (share && breed_below(r->breed, BATCH / 4) == 0));
}

/* Those of a batch that are new, and samples. */
static void sort_out(struct run *r, const struct batch *b)
{
    struct octets_case chosen[BATCH];
    size_t n = 0;
    for (size_t c = 0; c < b->n; c++) {
        bool fresh = is_new(r, b, c);
        if (fresh)
            breed_keep(r->breed, b->c[c].p, b->c[c].n);
        if (fresh || is_sample(r))
            chosen[n++] = b->c[c];
    }
    if (n)
        ask_all(r, chosen, n);
    show(r, false);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void begin(struct run *r, struct batch *b[2])
{
    r->features = need(calloc(FEATURES, sizeof *r->features));
    r->breed = breed_new(r->f->seed, r->k->layer);
    for (size_t i = 0; i < r->k->n; i++) {
        bool here = r->k->peers[i]->layer == r->k->layer && worker_ready(r->k->workers[i]);
        r->linked[i] = here && worker_marks(r->k->workers[i]);
        if (r->linked[i] && r->linked_n++ == 0)
            r->ref = i;
        r->programs = r->programs || (here && !r->linked[i]);
    }
    for (int i = 0; i < 2; i++) {
        b[i] = need(calloc(1, sizeof *b[i]));
        for (size_t p = 0; p < r->k->n; p++)
            if (r->linked[p])
                b[i]->marks[p] = need(calloc(BATCH, sizeof(struct marks)));
    }
}

static void end(struct run *r, struct batch *b[2])
{
    for (int i = 0; i < 2; i++) {
        for (size_t p = 0; p < r->k->n; p++)
            free(b[i]->marks[p]);
        free(b[i]);
    }
    free(r->features);
    breed_free(r->breed);
}

/* While the peers work on a batch, the next one is bred. */
static void breed_on(struct run *r, struct batch *b[2], double seconds,
                     void (*done)(struct run *, const struct batch *))
{
    breed_batch(r, b[0]);
    for (int turn = 0; !stopped && seconds_now() - r->began < seconds; turn ^= 1) {
        send_batch(r, b[turn]);
        breed_batch(r, b[turn ^ 1]);
        take_batch(r, b[turn]);
        r->f->cases += b[turn]->n;
        done(r, b[turn]);
    }
}

static void start_from(struct run *r, const struct cases *seeds)
{
    for (size_t at = 0; at < seeds->n; at += BATCH) {
        size_t n = seeds->n - at < BATCH ? seeds->n - at : BATCH;
        for (size_t i = 0; i < n; i++)
            if (!seeds->p[at + i].trouble)
                breed_keep(r->breed, seeds->p[at + i].p, seeds->p[at + i].n);
        ask_all(r, seeds->p + at, n);
    }
}

void fuzz(struct court *k, const struct cases *seeds, struct fuzz *f)
{
    struct run r = {.k = k, .f = f};
    struct batch *b[2];
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}, old[2];
    begin(&r, b);
    sigaction(SIGINT, &act, &old[0]);
    sigaction(SIGTERM, &act, &old[1]);
    r.began = r.shown = seconds_now();
    start_from(&r, seeds);
    r.all = 0;
    breed_on(&r, b, f->seconds, sort_out);
    show(&r, true);
    f->kept = breed_kept(r.breed);
    f->spent = seconds_now() - r.began;
    sigaction(SIGINT, &old[0], NULL);
    sigaction(SIGTERM, &old[1], NULL);
    end(&r, b);
}

/* ---- rates ----------------------------------------------------------------------------------- */

/* Hands it a batch as it is asked in a run, and takes the answers. */
static void ask_alone(struct court *k, size_t peer, const struct batch *b)
{
    static struct marks m;
    struct worker *w = k->workers[peer];
    bool marks = worker_marks(w);
    for (size_t c = 0; c < b->n; c++)
        if (marks)
            worker_send_marks(w, b->c[c].p, b->c[c].n);
        else
            worker_send(w, b->c[c].p, b->c[c].n);
    for (size_t c = 0; c < b->n; c++) {
        struct answer a;
        if (marks) {
            worker_take_marks(w, k->seconds, &m);
            continue;
        }
        worker_take(w, k->seconds, &a);
        answer_free(&a);
    }
}

struct rate fuzz_rate(struct court *k, size_t peer, double seconds)
{
    struct run r = {.k = k, .breed = breed_new(RATE_SEED, k->layer)};
    struct batch *b = need(calloc(1, sizeof *b));
    struct rate rate = {0, 0, 0};
    double began = seconds_now(), cpu = worker_cpu(k->workers[peer]);
    for (breed_batch(&r, b); seconds_now() - began < seconds && !stopped; rate.cases += b->n)
        ask_alone(k, peer, b);
    if (rate.cases) {
        rate.per_second = (double)rate.cases / (seconds_now() - began);
        rate.cpu = (worker_cpu(k->workers[peer]) - cpu) / (double)rate.cases;
    }
    breed_free(r.breed);
    free(b);
    return rate;
}

static double own_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As sort_out, but that nobody is asked in full; and counts who has read what. */
static void count_read(struct run *r, const struct batch *b)
{
    for (size_t c = 0; c < b->n; c++)
        if (is_new(r, b, c))
            breed_keep(r->breed, b->c[c].p, b->c[c].n);
    for (size_t i = 0; i < r->k->n; i++)
        for (size_t c = 0; r->linked[i] && c < b->n; c++)
            r->read[i] += (b->marks[i][c].verdict & 7) <= ANSWER_REFUSE;
}

bool fuzz_rate_together(struct court *k, double seconds, struct rate *all, struct rate *each)
{
    struct fuzz f = {.seed = RATE_SEED};
    struct run r = {.k = k, .f = &f};
    struct batch *b[2];
    double own = own_cpu(), cpu[PEERS_MAX];
    size_t n = 0;
    begin(&r, b);
    for (size_t i = 0; i < k->n; i++) {
        n += r.linked[i];
        cpu[i] = worker_cpu(k->workers[i]);
    }
    r.began = seconds_now();
    if (n > 1)
        breed_on(&r, b, seconds, count_read);
    *all = (struct rate){(double)f.cases / (seconds_now() - r.began), own_cpu() - own, f.cases};
    for (size_t i = 0; i < k->n; i++) {
        each[i] = (struct rate){0, worker_cpu(k->workers[i]) - cpu[i], r.read[i]};
        all->cpu += r.linked[i] ? each[i].cpu : 0;
        each[i].cpu /= (double)(f.cases ? f.cases : 1);
    }
    all->cpu /= (double)(f.cases ? f.cases : 1);
    end(&r, b);
    return n > 1;
}
