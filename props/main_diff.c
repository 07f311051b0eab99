/* sipws-diff: one message, several readers, and where they disagree. */
#define _POSIX_C_SOURCE 200809L
#include "option.h"
#include "peers/coalition.h"
#include "peers/fuzz.h"
#include "peers/shrink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-diff [OPTION]... FILE...\n"
    "Shows how ref and other stacks read a message: a grid of what by whom, with disagreements\n"
    "marked. A file is one message, as one WebSocket message carries it; - is standard input,\n"
    "PATH.json:ID a vector.\n"
    "  --json           one object a line: each file's octets, what each peer says of them, each "
    "finding\n"
    "  --clusters       at the end, findings of one kind in one line (--json: one object each)\n"
    "  --quiet          no grids; with --clusters\n"
    "  --corpus DIR     also every file and every vector in DIR\n"
    "  --ws             the octets that a client sends behind its handshake, and readers of "
    "frames\n"
    "  --http           the handshake's request, and what servers answer\n"
    "  --peers          lists the peers, and which are here; with =NAME,… asks only these (ref\n"
    "                   always; 'linked' are all libraries)\n"
    "  --peer N=COMMAND asks a program more (see props/peers/README.md)\n"
    "  --rate           as --peers, and how many messages a second each reads alone, and all that\n"
    "                   are linked together\n"
    "  --quirks FILE    known deviations, for --clusters (default: props/peers/quirks.json)\n"
    "  --seconds N      after which a peer hangs (default 10)\n"
    "  --coalitions     pairs of stacks in a chain that read one message differently, ranked\n"
    "  --shrink         makes witnesses of clusters and coalitions small, for at most 60 s; "
    "=SECONDS\n"
    "  --fuzz SECONDS   breeds cases, from generators and from the files given; implies "
    "--clusters\n"
    "                   and --quiet\n"
    "  --seed N         of --fuzz (default: by the clock)\n"
    "  --out DIR        where witnesses of new clusters and coalitions go (--fuzz: default\n"
    "                   build/findings/diff)\n"
    "Exit status: 0 all agree, 1 some disagree (with --clusters: in a way that is no known "
    "quirk),\n"
    "2 usage or I/O, or ref is at odds with the RFCs' grammar.\n";

#if SANITIZED
/* Workers allocate without end, and what is freed in one case is not used in the next but ten: a
 * long memory of who allocated what costs half of the speed. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "malloc_context_size=2:quarantine_size_mb=2:thread_local_quarantine_size_kb=128";
}
#endif

/* ---- who there is ---------------------------------------------------------------------------- */

extern const struct peer peer_ref, peer_ref_ws, peer_ref_http;

/* Libraries that are not here. */
#ifdef SIPWS_NO_PEER_OSIP
const struct peer peer_osip = {"oSIP", "", PEER_SIP, NULL, NULL, SIPWS_NO_PEER_OSIP};
#endif
#ifdef SIPWS_NO_PEER_SOFIA
const struct peer peer_sofia = {"Sofia-SIP", "", PEER_SIP, NULL, NULL, SIPWS_NO_PEER_SOFIA};
#endif
#ifdef SIPWS_NO_PEER_RE
const struct peer peer_re = {"libre", "", PEER_SIP, NULL, NULL, SIPWS_NO_PEER_RE};
#endif
#ifdef SIPWS_NO_PEER_BELLE
const struct peer peer_belle = {"belle-sip", "", PEER_SIP, NULL, NULL, SIPWS_NO_PEER_BELLE};
#endif
#ifdef SIPWS_NO_PEER_WSLAY
const struct peer peer_wslay = {"wslay", "", PEER_WS, NULL, NULL, SIPWS_NO_PEER_WSLAY};
#endif

#define LINKED(symbol) extern const struct peer peer_##symbol;
#define PROGRAM(symbol, name, layer, command)                                                      \
    static const struct peer peer_##symbol = {name, "", layer, NULL, command, NULL};
#include "peers/peers.def"
#undef LINKED
#undef PROGRAM

const struct peer *const peers[] = {
    &peer_ref,
    &peer_ref_ws,
    &peer_ref_http,
#define LINKED(symbol)                        &peer_##symbol,
#define PROGRAM(symbol, name, layer, command) &peer_##symbol,
#include "peers/peers.def"
#undef LINKED
#undef PROGRAM
    NULL,
};

enum { RATE_SECONDS = 1, TOGETHER_SECONDS = 3, SHRINK_SECONDS = 60 };

/* ---- the command line ------------------------------------------------------------------------ */

/* What becomes of a judged case. */
static void enter(struct court *k, const struct result *r)
{
    if (json_array_size(r->findings))
        k->disagreed++;
    else
        k->agreed++;
    if (r->ours) {
        k->ours++;
        fprintf(stderr, "sipws-diff: %s: ref and the grammar disagree: %s\n", r->input->name,
                r->grammar);
    }
    if (r->ours && k->clusters)
        clusters_fault(k, r);
    if (k->clusters)
        clusters_add(k, r);
    if (k->coalitions)
        coalitions_add(k, r);
    if (k->json && !k->quiet)
        print_json(k, r);
    else if (!k->quiet)
        print_grid(k, r);
}

/* All cases, as many at a time as workers take. */
static void take_cases(struct court *k, const struct cases *cases)
{
    static struct result r[WORKER_WINDOW];
    for (size_t at = 0, n; at < cases->n; at += n) {
        n = 0;
        while (at + n < cases->n && n < WORKER_WINDOW && !cases->p[at + n].trouble)
            n++;
        judge(k, cases->p + at, n, r);
        for (size_t i = 0; i < n; i++) {
            enter(k, &r[i]);
            forget(k, &r[i]);
        }
        if (at + n < cases->n && cases->p[at + n].trouble) {
            fprintf(stderr, "sipws-diff: %s: %s\n", cases->p[at + n].name,
                    cases->p[at + n].trouble);
            k->troubled++;
            n++;
        }
    }
}

static const char *const built_with = SANITIZED ? "AddressSanitizer" : "no sanitizer";

static void list_peer(struct court *k, size_t i, bool rate)
{
    const struct peer *p = k->peers[i];
    bool here = worker_ready(k->workers[i]);
    const char *layer = peer_layer_name(p->layer);
    struct rate r = {0, 0, 0};
    k->layer = p->layer;
    if (here && rate)
        r = fuzz_rate(k, i, RATE_SECONDS);
    if (k->json) {
        json_t *o = json_pack("{s:s, s:s, s:s, s:b}", "peer", p->name, "layer", layer,
                              here ? "version" : "absent",
                              here ? worker_version(k->workers[i]) : worker_absent(k->workers[i]),
                              "linked", p->command == NULL);
        if (here && rate)
            json_object_set_new(o, "rate", json_integer((json_int_t)r.per_second));
        print_line(o);
    } else if (!here) {
        printf("%-18s %-4s absent: %s\n", p->name, layer, worker_absent(k->workers[i]));
    } else if (rate) {
        printf("%-18s %-4s %-14s %-8s %8.0f messages a second\n", p->name, layer,
               worker_version(k->workers[i]), p->command ? "program" : "linked", r.per_second);
    } else {
        printf("%-18s %-4s %s\n", p->name, layer, worker_version(k->workers[i]));
    }
    fflush(stdout);
}

static void list_together_json(const struct court *k, const struct rate *all,
                               const struct rate *each)
{
    json_t *who = json_object();
    for (size_t i = 0; i < k->n; i++)
        if (each[i].cases)
            json_object_set_new(who, k->peers[i]->name,
                                json_pack("{s:s, s:I, s:f}", "version",
                                          worker_version(k->workers[i]), "read",
                                          (json_int_t)each[i].cases, "cpu", each[i].cpu * 1e6));
    print_line(json_pack("{s:{s:s, s:s, s:I, s:I, s:f, s:o}}", "together", "layer",
                         peer_layer_name(k->layer), "built", built_with, "rate",
                         (json_int_t)all->per_second, "cases", (json_int_t)all->cases, "cpu",
                         all->cpu * 1e6, "peers", who));
}

/* What linked peers of a layer read together, and which of them has read how much of it. */
static void list_together(struct court *k)
{
    static struct rate each[PEERS_MAX];
    struct rate all;
    if (!fuzz_rate_together(k, TOGETHER_SECONDS, &all, each))
        return;
    if (k->json) {
        list_together_json(k, &all, each);
        return;
    }
    printf("all linked together, %s: %.0f messages a second, bred, read and compared; built with "
           "%s\n",
           peer_layer_name(k->layer), all.per_second, built_with);
    for (size_t i = 0; i < k->n; i++)
        if (each[i].cases)
            printf("    %-14s %-14s has read %3.0f %%, at %5.0f us of processor time a message\n",
                   k->peers[i]->name, worker_version(k->workers[i]),
                   100 * (double)each[i].cases / (double)all.cases, each[i].cpu * 1e6);
    printf("    with all that breeds and compares %5.0f us a message\n", all.cpu * 1e6);
}

static void list(struct court *k, bool rate)
{
    for (size_t i = 0; i < k->n; i++)
        list_peer(k, i, rate);
    for (int layer = PEER_SIP; rate && layer <= PEER_HTTP; layer++) {
        k->layer = (enum peer_layer)layer;
        list_together(k);
    }
}

/* Whether a list of names asks for a peer. */
static bool wanted(const char *list, const struct peer *p)
{
    size_t n = strlen(p->name);
    for (const char *at = list; at;) {
        size_t len = strcspn(at, ",");
        if ((len == n && strncasecmp(at, p->name, n) == 0) ||
            (len == 6 && strncasecmp(at, "linked", 6) == 0 && p->read))
            return true;
        at = at[len] ? at + len + 1 : NULL;
    }
    return false;
}

/* The names of a list that nobody has. */
static const char *unknown_name(const char *list)
{
    static char name[64];
    for (const char *at = list; at;) {
        size_t len = strcspn(at, ",");
        bool known = len == 6 && strncasecmp(at, "linked", 6) == 0;
        for (size_t i = 0; peers[i]; i++)
            known = known ||
                    (strlen(peers[i]->name) == len && strncasecmp(peers[i]->name, at, len) == 0);
        if (!known) {
            snprintf(name, sizeof name, "%.*s", (int)len, at);
            return name;
        }
        at = at[len] ? at + len + 1 : NULL;
    }
    return NULL;
}

static struct peer extra[PEERS_MAX];
static size_t extras;

static bool add_extra(char *text)
{
    char *equals = strchr(text, '=');
    if (!equals || equals == text || extras == PEERS_MAX / 2)
        return false;
    *equals = '\0';
    extra[extras++] = (struct peer){text, "", PEER_SIP, NULL, equals + 1, NULL};
    return true;
}

static int misuse(const char *what, const char *problem)
{
    fprintf(stderr, "sipws-diff: %s: %s\n", what, problem);
    fputs(usage, stderr);
    return 2;
}

/* What the command line asks for, besides the cases. */
struct asked {
    const char *only, *quirks, *out;
    bool list, rate, coalitions, fuzz;
    double shrink; /* seconds; 0: no */
    struct fuzz f;
};

/* A number of seconds, up to a day; 0: it is none. */
static double seconds_in(const char *text)
{
    char *end;
    double s = strtod(text, &end);
    return *end == '\0' && s > 0 && s <= 86400 ? s : 0;
}

/* -1: go on. */
static int parse(int argc, char **argv, struct court *k, struct asked *a, struct cases *cases)
{
    bool operands = false;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--ws") == 0 || strcmp(argv[i], "--http") == 0)
            k->layer = strcmp(argv[i], "--ws") == 0 ? PEER_WS : PEER_HTTP;
    for (int i = 1; i < argc; i++) {
        char *value;
        if (operands || argv[i][0] != '-' || !argv[i][1]) {
            cases_add_file(cases, argv[i], k->layer);
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        } else if (strcmp(argv[i], "--") == 0) {
            operands = true;
        } else if (strcmp(argv[i], "--json") == 0) {
            k->json = true;
        } else if (strcmp(argv[i], "--clusters") == 0) {
            k->clusters = true;
        } else if (strcmp(argv[i], "--quiet") == 0) {
            k->quiet = true;
        } else if (strcmp(argv[i], "--ws") == 0 || strcmp(argv[i], "--http") == 0) {
            ; /* above */
        } else if (strcmp(argv[i], "--peers") == 0) {
            a->list = true;
        } else if (strncmp(argv[i], "--peers=", 8) == 0) {
            a->only = argv[i] + 8;
        } else if (strcmp(argv[i], "--rate") == 0) {
            a->rate = a->list = true;
        } else if (strcmp(argv[i], "--coalitions") == 0) {
            a->coalitions = true;
        } else if (strcmp(argv[i], "--shrink") == 0) {
            a->shrink = SHRINK_SECONDS;
        } else if (strncmp(argv[i], "--shrink=", 9) == 0) {
            if ((a->shrink = seconds_in(argv[i] + 9)) <= 0)
                return misuse(argv[i], "no number of seconds");
        } else if ((value = option_value(argc, argv, &i, "--fuzz")) != NULL) {
            a->fuzz = k->clusters = k->quiet = true;
            if ((a->f.seconds = seconds_in(value)) <= 0)
                return misuse(value, "no number of seconds");
        } else if ((value = option_value(argc, argv, &i, "--seed")) != NULL) {
            char *end;
            a->f.seed = strtoull(value, &end, 10);
            if (*end || end == value)
                return misuse(value, "no number");
        } else if ((value = option_value(argc, argv, &i, "--out")) != NULL) {
            a->out = value;
        } else if ((value = option_value(argc, argv, &i, "--corpus")) != NULL) {
            if (!cases_add_folder(cases, value, k->layer)) {
                fprintf(stderr, "sipws-diff: %s: %s\n", value, strerror(errno));
                return 2;
            }
        } else if ((value = option_value(argc, argv, &i, "--peer")) != NULL) {
            if (!add_extra(value))
                return misuse(value, "--peer wants NAME=COMMAND");
        } else if ((value = option_value(argc, argv, &i, "--quirks")) != NULL) {
            a->quirks = value;
        } else if ((value = option_value(argc, argv, &i, "--seconds")) != NULL) {
            if ((k->seconds = seconds_in(value)) <= 0)
                return misuse(value, "no number of seconds");
        } else {
            return misuse(argv[i], "unknown option, or its value is missing");
        }
    }
    if (a->only && unknown_name(a->only))
        return misuse(unknown_name(a->only), "no such peer; --peers lists them");
    return -1;
}

static void call(struct court *k, const struct asked *a, const char *dir, const char *built)
{
    for (size_t i = 0; peers[i] && k->n < PEERS_MAX; i++)
        if ((a->list && !a->only) ||
            (peers[i]->layer == k->layer && (k->n == 0 || !a->only || wanted(a->only, peers[i]))))
            k->peers[k->n++] = peers[i];
    for (size_t i = 0; i < extras && k->n < PEERS_MAX; i++) {
        extra[i].layer = k->layer;
        k->peers[k->n++] = &extra[i];
    }
    for (size_t i = 0; i < k->n; i++)
        k->workers[i] = worker_new(k->peers[i], dir, built);
}

/* The folder and those above it. False: errno. */
static bool make_folder(const char *path)
{
    char *copy = need(strdup(path));
    bool ok = true;
    for (char *at = strchr(copy + 1, '/'); ok && at; at = strchr(at + 1, '/')) {
        *at = '\0';
        ok = mkdir(copy, 0777) == 0 || errno == EEXIST;
        *at = '/';
    }
    ok = ok && (mkdir(copy, 0777) == 0 || errno == EEXIST);
    free(copy);
    return ok;
}

/* What was found is made small, saved and printed. False: it could not be saved. */
static bool conclude(struct court *k, const struct asked *a)
{
    double half = a->shrink / (k->clusters && k->coalitions ? 2 : 1);
    k->no_grammar = true;
    size_t found = k->folded;
    if (a->fuzz)
        clusters_reduce(k);
    if (k->coalitions && a->shrink > 0)
        coalitions_shrink(k, seconds_now() + half);
    if (k->clusters && a->shrink > 0)
        clusters_shrink(k, seconds_now() + half);
    bool ok = !a->out || ((!k->clusters || clusters_save(k, a->out)) &&
                          (!k->coalitions || coalitions_save(k, a->out)));
    if (!ok)
        fprintf(stderr, "sipws-diff: %s: %s\n", a->out, strerror(errno));
    if (k->clusters)
        clusters_print(k, !a->fuzz);
    if (a->fuzz && !k->json)
        printf("of %zu clusters, those with the shortest witnesses\n", found);
    if (k->coalitions)
        coalitions_print(k);
    return ok;
}

/* Whether standard output took all of it. */
static bool is_written(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "sipws-diff: standard output: %s\n", strerror(errno));
    return false;
}

static int hear(struct court *k, struct asked *a, struct cases *cases)
{
    bool ok = true;
    if (a->out && !make_folder(a->out)) {
        fprintf(stderr, "sipws-diff: %s: %s\n", a->out, strerror(errno));
        return 2;
    }
    if (a->coalitions)
        coalitions_begin(k);
    if (a->fuzz)
        fuzz(k, cases, &a->f);
    else
        take_cases(k, cases);
    ok = conclude(k, a);
    if (!k->json && a->fuzz)
        printf("%zu cases in %.0f s, %.0f a second; %zu put to everybody; seed %llu\n", a->f.cases,
               a->f.spent, (double)a->f.cases / a->f.spent, a->f.asked_all,
               (unsigned long long)a->f.seed);
    else if (!k->json)
        printf("%zu compared: %zu agree, %zu disagree%s\n", k->agreed + k->disagreed, k->agreed,
               k->disagreed, k->troubled ? "; some could not be read" : "");
    if (!is_written() || !ok || k->troubled || k->ours)
        return 2;
    return (k->clusters ? k->unknown : k->disagreed) ? 1 : 0;
}

static int run(int argc, char **argv, struct court *k, struct cases *cases)
{
    const char *root = getenv("SIPWS_PEERS"), *put = getenv("SIPWS_PEERS_BUILT");
    struct asked a = {.f = {.seed = (uint64_t)time(NULL)}};
    root = root ? root : SIPWS_ROOT "/props/peers";
    put = put ? put : SIPWS_ROOT "/build/peers";
    k->tty = isatty(STDOUT_FILENO);
    int status = parse(argc, argv, k, &a, cases);
    if (status >= 0)
        return status;
    if (k->clusters &&
        !quirks_load(k, a.quirks ? a.quirks : SIPWS_ROOT "/props/peers/quirks.json", a.quirks))
        return 2;
    call(k, &a, root, put);
    if (!a.list && cases->n == 0 && !a.fuzz) {
        fputs(usage, stderr);
        return 2;
    }
    if (a.fuzz && !a.out)
        a.out = SIPWS_ROOT "/build/findings/diff";
    if (!a.list)
        return hear(k, &a, cases);
    list(k, a.rate);
    return is_written() ? 0 : 2;
}

int main(int argc, char **argv)
{
    static struct court k = {.layer = PEER_SIP, .seconds = 10};
    struct cases cases = {NULL, 0, 0};
    int status = run(argc, argv, &k, &cases);
    for (size_t i = 0; i < k.n; i++)
        worker_free(k.workers[i]);
    cases_free(&cases);
    coalitions_free(&k);
    clusters_free(&k);
    json_decref(k.quirks);
    json_decref(k.seen);
    where_free(k.where);
    return status;
}
