/* The court: who is asked, what they say of a case, and what is kept of it. */
#ifndef SIPWS_COURT_H
#define SIPWS_COURT_H

#include "cases.h"
#include "compare.h"
#include "where.h"

struct coalitions; /* coalition.h */

enum { PEERS_MAX = 64 };

/* What findings fold to, and the shortest case that shows it. */
struct cluster {
    char *key;
    json_t *o; /* as --json prints it, but for the members of its quirk */
    char *p;   /* the witness */
    size_t n;
};

struct court {
    const struct peer *peers[PEERS_MAX]; /* ref is the first */
    struct worker *workers[PEERS_MAX];
    size_t n;
    enum peer_layer layer;
    double seconds; /* after which a peer hangs */
    bool json, clusters, quiet, tty;
    bool no_grammar; /* it is not asked */

    struct cluster *cluster; /* `folded` of them */
    size_t folded, cluster_cap;
    json_t *by_key;                /* key -> index */
    json_t *quirks, *seen;         /* of quirks.json; seen: peer -> version */
    struct where *where;           /* and the patterns that quirks name */
    struct coalitions *coalitions; /* NULL: they are not wanted */

    size_t agreed, disagreed, troubled;
    size_t ours;    /* cases in which ref is at odds with the grammar */
    size_t unknown; /* clusters that no quirk explains; after clusters_print */
};

struct result {
    const struct octets_case *input;
    struct said said[PEERS_MAX];
    json_t *findings;
    char grammar[300]; /* what the grammar says; "" is no opinion */
    bool ours;         /* ref is at odds with it, and no sentence of an RFC permits that */
};

/* p, or the end of the program. */
void *need(void *p);

double seconds_now(void);

/* Asks everybody about up to WORKER_WINDOW cases of one layer at a time. The cases must outlive
 * the results, each of which is to be forgotten. */
void judge(struct court *k, const struct octets_case *c, size_t n, struct result *r);
void forget(struct court *k, struct result *r);

/* ---- grid.c ---------------------------------------------------------------------------------- */

void print_grid(const struct court *k, const struct result *r);
void print_json(const struct court *k, const struct result *r);

void print_line(json_t *o); /* to standard output; takes `o` */
const char *text_of(const json_t *o, const char *key);
char *joined(const json_t *names); /* "oSIP, libre"; from malloc */
const char *colour(const struct court *k, const char *code);

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

/* ---- cluster.c ------------------------------------------------------------------------------- */

/* What makes a finding of one cluster: layer, field, kind and peers; from malloc. */
char *cluster_key(const json_t *finding);

/* Adds the findings of a case. Returns how many clusters are new. */
size_t clusters_add(struct court *k, const struct result *r);

/* A case in which ref is at odds with the grammar is a cluster of its own, by ref's error, that no
 * quirk explains. */
void clusters_fault(struct court *k, const struct result *r);
/* Of each layer, field and kind as many clusters as it takes to show every peer, those with the
 * shortest witnesses. A fuzzer finds one of them with nearly every set of peers. */
void clusters_reduce(struct court *k);

void clusters_free(struct court *k);

/* The quirk that explains a cluster, or NULL; borrowed. */
const json_t *quirk_of(const struct court *k, const struct cluster *c);
bool quirks_load(struct court *k, const char *path, bool must);

/* Writes the witnesses that no quirk explains to a folder, and with them what ref and the grammar
 * are at odds over; the path becomes the name that is printed. False: errno. */
bool clusters_save(struct court *k, const char *out);

/* All of them, and the quirks that could have shown and did not if `unseen`. */
void clusters_print(struct court *k, bool unseen);

#endif
