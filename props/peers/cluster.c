/* Findings of one kind fold to a cluster, and quirks.json says which clusters are known. */
#include "court.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- folding --------------------------------------------------------------------------------- */

char *cluster_key(const json_t *finding)
{
    char *who = joined(json_object_get(finding, "peers")), *key;
    const char *part[] = {text_of(finding, "layer"), text_of(finding, "field"),
                          text_of(finding, "kind"), who};
    size_t n = 1;
    for (size_t i = 0; i < 4; i++)
        n += strlen(part[i]) + 1;
    key = need(malloc(n));
    snprintf(key, n, "%s|%s|%s|%s", part[0], part[1], part[2], part[3]);
    free(who);
    return key;
}

/* The cluster of a key; *is_new if there was none. Takes the key. */
static struct cluster *cluster_of(struct court *k, char *key, bool *is_new)
{
    const json_t *at = json_object_get(k->by_key, key);
    *is_new = !at;
    if (at) {
        free(key);
        return &k->cluster[json_integer_value(at)];
    }
    if (k->folded == k->cluster_cap) {
        k->cluster_cap = 2 * k->cluster_cap + 64;
        k->cluster = need(realloc(k->cluster, k->cluster_cap * sizeof *k->cluster));
    }
    if (!k->by_key)
        k->by_key = json_object();
    json_object_set_new(k->by_key, key, json_integer((json_int_t)k->folded));
    k->cluster[k->folded] = (struct cluster){key, NULL, NULL, 0};
    return &k->cluster[k->folded++];
}

/* The case becomes the witness. */
static void show_by(struct cluster *c, const struct octets_case *shown, const json_t *finding)
{
    static const char *const members[] = {"against", "readings", "error", "grammar"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_object_del(c->o, members[i]);
        if (json_object_get(finding, members[i]))
            json_object_set(c->o, members[i], json_object_get(finding, members[i]));
    }
    c->p = need(realloc(c->p, shown->n ? shown->n : 1));
    if (shown->n)
        memcpy(c->p, shown->p, shown->n);
    c->n = shown->n;
    json_object_set_new(c->o, "octets", json_integer((json_int_t)c->n));
    json_object_set_new(c->o, "witness", json_string(shown->name));
    peer_octets(c->o, "message", c->p, c->n);
}

static bool enter(struct court *k, const struct octets_case *shown, const json_t *finding)
{
    bool is_new;
    struct cluster *c = cluster_of(k, cluster_key(finding), &is_new);
    if (is_new)
        c->o =
            json_pack("{s:s, s:O, s:O, s:O, s:O, s:i}", "speaks", peer_layer_name(k->layer),
                      "peers", json_object_get(finding, "peers"), "layer",
                      json_object_get(finding, "layer"), "field", json_object_get(finding, "field"),
                      "kind", json_object_get(finding, "kind"), "cases", 0);
    json_int_t cases = json_integer_value(json_object_get(c->o, "cases"));
    json_object_set_new(c->o, "cases", json_integer(cases + 1));
    /* What shows in a message that ref takes says more than what shows in one that it refuses. */
    bool was = json_object_get(c->o, "error") != NULL, is = json_object_get(finding, "error");
    if (is_new || (was && !is) || (was == is && shown->n < c->n))
        show_by(c, shown, finding);
    return is_new;
}

size_t clusters_add(struct court *k, const struct result *r)
{
    size_t i, fresh = 0;
    json_t *f;
    json_array_foreach(r->findings, i, f) fresh += enter(k, r->input, f);
    return fresh;
}

void clusters_fault(struct court *k, const struct result *r)
{
    char kind[96], error[64];
    refusal_class(r->said[0].answer.reason, true, error, sizeof error);
    snprintf(kind, sizeof kind, "%s%s",
             *error ? "refuses what the grammar takes: " : "takes what the grammar refuses", error);
    json_t *f = json_pack("{s:s, s:s, s:s, s:[s], s:[], s:{}, s:s}", "layer", "message", "field",
                          "grammar", "kind", kind, "peers", k->peers[0]->name, "against",
                          "readings", "grammar", r->grammar);
    enter(k, r->input, f);
    json_decref(f);
}

static int by_kind(const void *a, const void *b)
{
    static const char *const members[] = {"speaks", "layer", "field", "kind"};
    const struct cluster *x = a, *y = b;
    int differ = 0;
    for (size_t i = 0; differ == 0 && i < sizeof members / sizeof *members; i++)
        differ = strcmp(text_of(x->o, members[i]), text_of(y->o, members[i]));
    return differ ? differ : (x->n > y->n) - (x->n < y->n);
}

static bool same_kind(const struct cluster *a, const struct cluster *b)
{
    struct cluster x = *a;
    x.n = b->n;
    return by_kind(&x, b) == 0;
}

/* Whether a cluster has a peer that none of those kept of its kind has. */
static bool adds_peer(const json_t *shown, const struct cluster *c)
{
    const json_t *who = json_object_get(c->o, "peers");
    for (size_t i = 0; i < json_array_size(who); i++)
        if (!json_object_get(shown, json_string_value(json_array_get(who, i))))
            return true;
    return false;
}

static void drop(struct cluster *c)
{
    free(c->key);
    free(c->p);
    json_decref(c->o);
}

void clusters_reduce(struct court *k)
{
    size_t kept = 0;
    json_t *shown = json_object();
    if (k->folded)
        qsort(k->cluster, k->folded, sizeof *k->cluster, by_kind);
    for (size_t i = 0; i < k->folded; i++) {
        struct cluster c = k->cluster[i];
        if (kept == 0 || !same_kind(&k->cluster[kept - 1], &c))
            json_object_clear(shown);
        if (!adds_peer(shown, &c)) {
            drop(&c);
            continue;
        }
        const json_t *who = json_object_get(c.o, "peers");
        for (size_t p = 0; p < json_array_size(who); p++)
            json_object_set_new(shown, json_string_value(json_array_get(who, p)), json_true());
        k->cluster[kept++] = c;
    }
    k->folded = kept;
    json_decref(shown);
    json_object_clear(k->by_key);
    for (size_t i = 0; i < kept; i++)
        json_object_set_new(k->by_key, k->cluster[i].key, json_integer((json_int_t)i));
}

void clusters_free(struct court *k)
{
    for (size_t i = 0; i < k->folded; i++)
        drop(&k->cluster[i]);
    free(k->cluster);
    json_decref(k->by_key);
}

/* ---- quirks ---------------------------------------------------------------------------------- */

/* A quirk that names no pattern of the file would explain nothing, for a slip of the pen. */
static bool wheres_are_there(const struct court *k)
{
    for (size_t i = 0; i < json_array_size(k->quirks); i++) {
        const json_t *q = json_array_get(k->quirks, i);
        const char *where = text_of(q, "where");
        if (*where && !where_has(k->where, where)) {
            fprintf(stderr, "sipws-diff: quirk %s: there is no pattern %s\n", text_of(q, "id"),
                    where);
            return false;
        }
    }
    return true;
}

bool quirks_load(struct court *k, const char *path, bool must)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root && (must || access(path, F_OK) == 0)) {
        fprintf(stderr, "sipws-diff: %s:%d: %s\n", path, error.line, error.text);
        return false;
    }
    k->quirks = json_incref(json_object_get(root, "quirks"));
    k->seen = json_incref(json_object_get(root, "seen"));
    k->where = where_load(json_object_get(root, "where"));
    json_decref(root);
    return k->where && wheres_are_there(k);
}

/* Whether one of a quirk's words, with "|" between them, is this one; one that ends with a star is
 * the start of it. */
static bool is_word(const char *patterns, const char *word)
{
    for (const char *at = patterns;; at++) {
        size_t n = strcspn(at, "|");
        bool start = n && at[n - 1] == '*';
        if (strncmp(at, word, start ? n - 1 : n) == 0 && (start || word[n] == '\0'))
            return true;
        at += n;
        if (!*at)
            return false;
    }
}

/* A quirk that is about more than one field or kind. */
static bool is_rule(const json_t *quirk)
{
    return strpbrk(text_of(quirk, "field"), "*|") || strpbrk(text_of(quirk, "kind"), "*|") ||
           *text_of(quirk, "where");
}

static bool is_about(const struct court *k, const json_t *quirk, const struct cluster *c)
{
    const char *field = text_of(c->o, "field"), *kind = text_of(c->o, "kind"),
               *where = text_of(quirk, "where");
    if (json_is_true(json_object_get(quirk, "refused")) && !json_object_get(c->o, "error"))
        return false;
    return strcmp(text_of(quirk, "speaks"), text_of(c->o, "speaks")) == 0 &&
           is_word(text_of(quirk, "field"), field) && is_word(text_of(quirk, "kind"), kind) &&
           (!*where || where_shows(k->where, where, field, kind, c->p, c->n));
}

static bool has(const json_t *names, const json_t *name)
{
    for (size_t i = 0; i < json_array_size(names); i++)
        if (json_equal(json_array_get(names, i), name))
            return true;
    return false;
}

/* Who is known to take what ref refuses for an error is known to read something of its own there,
 * or to drop it: the quirk that says that the peer takes it, or NULL. */
static const json_t *quirk_behind(const struct court *k, const json_t *cluster, const json_t *peer)
{
    static const char *const effects[] = {"split on ", "drops "};
    const char *kind = text_of(cluster, "kind"), *error = NULL;
    for (size_t i = 0; i < sizeof effects / sizeof *effects; i++)
        if (strncmp(kind, effects[i], strlen(effects[i])) == 0)
            error = kind + strlen(effects[i]);
    for (size_t i = 0; error && i < json_array_size(k->quirks); i++) {
        const json_t *q = json_array_get(k->quirks, i);
        const char *takes = text_of(q, "kind");
        if (strcmp(text_of(q, "field"), "verdict") == 0 && strncmp(takes, "takes ", 6) == 0 &&
            strcmp(takes + 6, error) == 0 && has(json_object_get(q, "peers"), peer))
            return q;
    }
    return NULL;
}

/* The quirk about this cluster and a peer of it, rules last; or NULL. */
static const json_t *quirk_for(const struct court *k, const struct cluster *c, const json_t *peer)
{
    for (int rules = 0; rules < 2; rules++)
        for (size_t i = 0; i < json_array_size(k->quirks); i++) {
            const json_t *q = json_array_get(k->quirks, i);
            if (rules == is_rule(q) && has(json_object_get(q, "peers"), peer) && is_about(k, q, c))
                return q;
        }
    return quirk_behind(k, c->o, peer);
}

/* Each of its peers must have one: what one of them is known for explains nothing of another. */
const json_t *quirk_of(const struct court *k, const struct cluster *c)
{
    const json_t *who = json_object_get(c->o, "peers"), *first = NULL;
    if (strcmp(text_of(c->o, "field"), "grammar") == 0)
        return NULL; /* a fault of ref's */
    for (size_t i = 0; i < json_array_size(who); i++) {
        const json_t *q = quirk_for(k, c, json_array_get(who, i));
        if (!q)
            return NULL;
        first = first ? first : q;
    }
    return first;
}

/* Takes down what a cluster shows: quirk -> peers. */
static void mark_seen(const struct court *k, json_t *seen, const struct cluster *c)
{
    const json_t *who = json_object_get(c->o, "peers");
    for (size_t i = 0; i < json_array_size(who); i++) {
        const json_t *peer = json_array_get(who, i), *q = quirk_for(k, c, peer);
        if (!q)
            continue;
        if (!json_object_get(seen, text_of(q, "id")))
            json_object_set_new(seen, text_of(q, "id"), json_object());
        json_object_set_new(json_object_get(seen, text_of(q, "id")), json_string_value(peer),
                            json_true());
    }
}

static bool is_here(const struct court *k, const char *peer)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->peers[i]->name, peer) == 0)
            return !worker_absent(k->workers[i]);
    return false;
}

/* Peers that are here and did not show their quirk: it is mended, or there was no case for it. */
static void print_unseen(const struct court *k, const json_t *seen)
{
    for (size_t i = 0; i < json_array_size(k->quirks); i++) {
        json_t *q = json_array_get(k->quirks, i), *who = json_object_get(q, "peers"),
               *lost = json_array();
        for (size_t p = 0; p < json_array_size(who); p++) {
            json_t *peer = json_array_get(who, p);
            const char *name = json_string_value(peer);
            if (is_here(k, name) && !json_object_get(json_object_get(seen, text_of(q, "id")), name))
                json_array_append(lost, peer);
        }
        char *names = joined(lost);
        if (json_array_size(lost) == 0 ||
            strcmp(text_of(q, "speaks"), peer_layer_name(k->layer)) != 0)
            ;
        else if (k->json)
            print_line(json_pack("{s:O, s:O}", "unseen", q, "peers", lost));
        else
            printf("did not show: %s of %s: %s\n", text_of(q, "id"), names, text_of(q, "what"));
        free(names);
        json_decref(lost);
    }
}

/* What is known of a peer is known of one version. */
static void tell_versions(const struct court *k)
{
    for (size_t i = 0; i < k->n; i++) {
        const char *was = text_of(k->seen, k->peers[i]->name), *is = worker_version(k->workers[i]);
        if (*was && *is && strcmp(was, is) != 0)
            fprintf(stderr, "sipws-diff: %s is %s here; its quirks were seen with %s\n",
                    k->peers[i]->name, is, was);
    }
}

/* ---- saving ---------------------------------------------------------------------------------- */

/* "from-uri-split-on-double-field-1a2b": field, kind and a hash of the key. */
static void file_name(const struct cluster *c, char *out, size_t cap)
{
    char text[96];
    size_t n = 0;
    snprintf(text, sizeof text, "%.30s-%.50s", text_of(c->o, "field"), text_of(c->o, "kind"));
    for (const char *s = text; *s && n + 1 < sizeof text; s++) {
        bool plain = (*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9');
        if (plain || (n && text[n - 1] != '-'))
            text[n++] = plain ? *s : '-';
    }
    text[n] = '\0';
    snprintf(out, cap, "%s-%08x.%s", text, (unsigned)mark_hash(c->key, strlen(c->key)),
             text_of(c->o, "speaks"));
}

bool clusters_save(struct court *k, const char *out)
{
    for (size_t i = 0; i < k->folded; i++) {
        struct cluster *c = &k->cluster[i];
        char name[128], *path = need(malloc(strlen(out) + sizeof name + 2));
        bool ok = true;
        if (!quirk_of(k, c)) {
            file_name(c, name, sizeof name);
            sprintf(path, "%s/%s", out, name);
            FILE *f = fopen(path, "wb");
            ok = f && fwrite(c->p, 1, c->n, f) == c->n;
            ok = f && fclose(f) == 0 && ok;
            json_object_set_new(c->o, "witness", json_string(path));
        }
        free(path);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- on paper -------------------------------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const struct cluster *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

static void print_cluster_json(const struct cluster *c, const json_t *q)
{
    json_t *o = json_copy(c->o);
    if (q) {
        static const char *const members[] = {"status", "what", "rfc", "right", "matters"};
        json_object_set(o, "quirk", json_object_get(q, "id"));
        for (size_t i = 0; i < sizeof members / sizeof *members; i++)
            json_object_set(o, members[i], json_object_get(q, members[i]));
    }
    print_line(json_pack("{s:o}", "cluster", o));
}

static void print_cluster(const struct court *k, const struct cluster *c, const json_t *q)
{
    json_int_t cases = json_integer_value(json_object_get(c->o, "cases"));
    char *who = joined(json_object_get(c->o, "peers"));
    printf("%s%-8s %-16s %-34.60s%s %s\n", q ? "" : colour(k, BOLD), text_of(c->o, "layer"),
           text_of(c->o, "field"), text_of(c->o, "kind"), q ? "" : colour(k, PLAIN), who);
    printf("         %s%lld %s, as %s (%zu octets)%s\n", colour(k, DIM), (long long)cases,
           cases == 1 ? "case" : "cases", text_of(c->o, "witness"), c->n, colour(k, PLAIN));
    if (q)
        printf("         %s %s: %s (RFC %s; right: %s; matters to: %s)\n", text_of(q, "status"),
               text_of(q, "id"), text_of(q, "what"), text_of(q, "rfc"), text_of(q, "right"),
               text_of(q, "matters"));
    free(who);
}

void clusters_print(struct court *k, bool unseen)
{
    json_t *seen = json_object();
    size_t known = 0, drafts = 0;
    const struct cluster **sorted = need(calloc(k->folded + 1, sizeof(struct cluster *)));
    for (size_t i = 0; i < k->folded; i++)
        sorted[i] = &k->cluster[i];
    qsort(sorted, k->folded, sizeof *sorted, by_key);
    for (size_t i = 0; i < k->folded; i++) {
        const json_t *q = quirk_of(k, sorted[i]);
        known += q != NULL;
        drafts += q && strcmp(text_of(q, "status"), "draft") == 0;
        mark_seen(k, seen, sorted[i]);
        if (k->json)
            print_cluster_json(sorted[i], q);
        else
            print_cluster(k, sorted[i], q);
    }
    k->unknown = k->folded - known;
    tell_versions(k);
    if (unseen)
        print_unseen(k, seen);
    if (!k->json)
        printf("%zu clusters: %zu known, %zu of these only drafted; %zu new\n", k->folded, known,
               drafts, k->unknown);
    json_decref(seen);
    free(sorted);
}
