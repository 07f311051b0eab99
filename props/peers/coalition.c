/* Pairs of stacks, and what the two read differently. */
#define _POSIX_C_SOURCE 200809L
#include "coalition.h"

#include "shrink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table ------------------------------------------------------------------------------- */

static const struct kind {
    const char *name;
    int severity;
    const char *rfc, *decides, *attack;
} kinds[] = {
#define KIND(name, severity, rfc, decides, attack) {name, severity, rfc, decides, attack},
#include "coalition.def"
};

static const struct {
    const char *row, *kind;
} kind_rows[] = {
#define ROW(row, name) {row, name},
#include "coalition.def"
};

static const char *const hidden[] = {
#define HIDDEN(field) field,
#include "coalition.def"
};

static const char *const firsts[] = {
#define FIRST(peer) peer,
#include "coalition.def"
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct kind *kind_named(const char *name)
{
    size_t i = 0;
    while (strcmp(kinds[i].name, name) != 0)
        i++;
    return &kinds[i];
}

static bool is_first(const char *peer)
{
    for (size_t i = 0; i < COUNT(firsts); i++)
        if (strcmp(firsts[i], peer) == 0)
            return true;
    return false;
}

/* ---- the court's list ------------------------------------------------------------------------ */

struct coalition {
    char *key;
    const struct kind *kind;
    char cause[48];
    const char *row;      /* of kind_rows, or a field of hidden */
    size_t first, second; /* of the court's peers */
    char *p;
    size_t n;
    char *readings[2], *ref, *witness;
    bool shrunk;
};

struct coalitions {
    struct coalition *p;
    size_t n, cap;
    json_t *by_key;
    json_t *plain[PEERS_MAX]; /* the rows of the plain message */
};

/* All that the kinds are about, once and as plain as can be. */
static const char plain[] = "INVITE sip:b@example.org SIP/2.0\r\n"
                            "Via: SIP/2.0/WS a.invalid:5060;branch=z9hG4bKa1\r\n"
                            "Max-Forwards: 70\r\n"
                            "Route: <sip:p.example.org;lr>\r\n"
                            "Record-Route: <sip:q.example.org;lr>\r\n"
                            "From: <sip:a@example.org>;tag=f1\r\n"
                            "To: <sip:b@example.org>;tag=t1\r\n"
                            "Call-ID: c1@a.invalid\r\n"
                            "CSeq: 1 INVITE\r\n"
                            "Contact: <sip:a@a.invalid>\r\n"
                            "P-Asserted-Identity: <sip:a@example.org>\r\n"
                            "P-Preferred-Identity: <sip:a@example.org>\r\n"
                            "Privacy: none\r\n"
                            "Path: <sip:r.example.org;lr>\r\n"
                            "Refer-To: <sip:c@example.org>\r\n"
                            "Replaces: d1;to-tag=x;from-tag=y\r\n"
                            "Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", "
                            "uri=\"sip:b@example.org\", response=\"%s\"\r\n"
                            "Proxy-Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", "
                            "uri=\"sip:b@example.org\", response=\"%s\"\r\n"
                            "Identity: YQ==;info=<https://example.org/c>\r\n"
                            "Content-Type: text/plain\r\n"
                            "Content-Length: 2\r\n"
                            "\r\n"
                            "hi";

void coalitions_begin(struct court *k)
{
    static const char digest[] = "0123456789abcdef0123456789abcdef";
    static char name[] = "plain", text[sizeof plain + 2 * sizeof digest];
    static struct result r;
    k->coalitions = need(calloc(1, sizeof *k->coalitions));
    k->coalitions->by_key = json_object();
    int n = snprintf(text, sizeof text, plain, digest, digest);
    struct octets_case c = {name, PEER_SIP, text, (size_t)n, NULL};
    judge(k, &c, 1, &r);
    for (size_t i = 0; i < k->n; i++)
        k->coalitions->plain[i] = json_incref(r.said[i].rows);
    forget(k, &r);
}

static void forget_witness(struct coalition *c)
{
    free(c->p);
    free(c->readings[0]);
    free(c->readings[1]);
    free(c->ref);
    free(c->witness);
}

void coalitions_free(struct court *k)
{
    struct coalitions *all = k->coalitions;
    for (size_t i = 0; all && i < all->n; i++) {
        forget_witness(&all->p[i]);
        free(all->p[i].key);
    }
    for (size_t i = 0; all && i < k->n; i++)
        json_decref(all->plain[i]);
    if (all) {
        json_decref(all->by_key);
        free(all->p);
    }
    free(all);
    k->coalitions = NULL;
}

/* ---- what two read --------------------------------------------------------------------------- */

static bool has_name(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = names; at && *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len == n && strncmp(at, name, n) == 0)
            return true;
        at += len;
    }
    return false;
}

/* Row `names` is of a field that one lists and the other does not, and both do in a plain message.
 */
static bool hides(const struct court *k, const struct result *r, size_t a, size_t b,
                  const char *field)
{
    const char *x = said_row(&r->said[a], "header names"),
               *y = said_row(&r->said[b], "header names");
    const json_t *pa = k->coalitions->plain[a], *pb = k->coalitions->plain[b];
    return x && y && has_name(x, field) != has_name(y, field) &&
           has_name(text_of(pa, "header names"), field) &&
           has_name(text_of(pb, "header names"), field);
}

/* Differences that nobody gets anything out of. */
static bool is_cosmetic(const char *row, const char *a, const char *b)
{
    static const char *const harmless[] = {"case", "escapes", "space", "quotes"};
    const char *kind = reading_kind(a, b);
    for (size_t i = 0; i < COUNT(harmless); i++)
        if (strcmp(kind, harmless[i]) == 0)
            return true;
    /* A Content-Length that the reader adds where there is none ends the message in the same
     * place. */
    return strcmp(row, "content-length") == 0 &&
           (strspn(a, "0123456789") != strlen(a) || strspn(b, "0123456789") != strlen(b));
}

static bool differs(const struct court *k, const struct result *r, size_t a, size_t b,
                    const char *row)
{
    const char *x = said_row(&r->said[a], row), *y = said_row(&r->said[b], row);
    const char *pa = text_of(k->coalitions->plain[a], row),
               *pb = text_of(k->coalitions->plain[b], row);
    return x && y && strcmp(x, y) != 0 && strcmp(pa, pb) == 0 && !is_cosmetic(row, x, y);
}

static bool shows(const struct court *k, const struct result *r, size_t a, size_t b,
                  const char *row, bool names)
{
    return r->said[a].answer.verdict == ANSWER_ACCEPT &&
           r->said[b].answer.verdict == ANSWER_ACCEPT &&
           (names ? hides(k, r, a, b, row) : differs(k, r, a, b, row));
}

/* ref's error, or "valid". False: there is more than one error, and nobody would know which of them
 * the two make something of. */
static bool cause_of(const struct result *r, char *out, size_t cap)
{
    const char *reason = r->said[0].answer.reason;
    if (r->said[0].answer.verdict == ANSWER_ACCEPT)
        snprintf(out, cap, "valid");
    else
        refusal_class(reason, true, out, cap);
    return !reason || !strstr(reason, " more");
}

/* ---- adding ---------------------------------------------------------------------------------- */

static char *copy(const char *text)
{
    return need(strdup(text ? text : ""));
}

static struct coalition *coalition_of(struct coalitions *all, const char *key, bool *fresh)
{
    const json_t *at = json_object_get(all->by_key, key);
    *fresh = !at;
    if (at)
        return &all->p[json_integer_value(at)];
    if (all->n == all->cap) {
        all->cap = 2 * all->cap + 64;
        all->p = need(realloc(all->p, all->cap * sizeof *all->p));
    }
    json_object_set_new(all->by_key, key, json_integer((json_int_t)all->n));
    all->p[all->n] = (struct coalition){.key = copy(key)};
    return &all->p[all->n++];
}

static void show_by(struct coalition *c, const struct result *r, bool names)
{
    const struct octets_case *in = r->input;
    char ref[200];
    const size_t who[2] = {c->first, c->second};
    forget_witness(c);
    c->p = need(malloc(in->n ? in->n : 1));
    memcpy(c->p, in->p, in->n);
    c->n = in->n;
    for (int i = 0; i < 2; i++)
        c->readings[i] = copy(said_row(&r->said[who[i]], names ? "header names" : c->row));
    snprintf(ref, sizeof ref, "%s%s%s", answer_name(r->said[0].answer.verdict),
             r->said[0].answer.reason ? ": " : "",
             r->said[0].answer.reason ? r->said[0].answer.reason : "");
    c->ref = copy(ref);
    c->witness = copy(in->name);
}

static size_t add(struct court *k, const struct result *r, size_t a, size_t b, const char *row,
                  const char *kind, bool names)
{
    char key[200], cause[48];
    bool fresh;
    if (!shows(k, r, a, b, row, names) || !cause_of(r, cause, sizeof cause))
        return 0;
    snprintf(key, sizeof key, "%s|%s|%s|%s|%s", kind, names ? row : "", cause, k->peers[a]->name,
             k->peers[b]->name);
    struct coalition *c = coalition_of(k->coalitions, key, &fresh);
    if (!fresh && r->input->n >= c->n)
        return 0;
    c->kind = kind_named(kind);
    snprintf(c->cause, sizeof c->cause, "%s", cause);
    c->row = row;
    c->first = a;
    c->second = b;
    show_by(c, r, names);
    c->shrunk = strcmp(r->input->name, "shrunk") == 0;
    return fresh;
}

/* Peers that only watch are in no chain. */
static bool stands(const struct court *k, size_t i)
{
    return i > 0 && strcmp(k->peers[i]->name, "tshark") != 0;
}

size_t coalitions_add(struct court *k, const struct result *r)
{
    size_t fresh = 0;
    if (r->input->layer != PEER_SIP)
        return 0;
    for (size_t a = 1; a < k->n; a++)
        for (size_t b = 1; is_first(k->peers[a]->name) && b < k->n; b++) {
            if (a == b || !stands(k, b))
                continue;
            for (size_t i = 0; i < COUNT(kind_rows); i++)
                fresh += add(k, r, a, b, kind_rows[i].row, kind_rows[i].kind, false);
            for (size_t i = 0; i < COUNT(hidden); i++)
                fresh += add(k, r, a, b, hidden[i], "hidden-field", true);
        }
    return fresh;
}

/* ---- shrinking ------------------------------------------------------------------------------- */

struct wanted {
    const struct coalition *c;
    bool names;
};

/* In the small court the peers are ref, the first and the second. */
static bool still_shows(struct court *k, const struct result *r, const void *what)
{
    const struct wanted *w = what;
    char cause[48];
    return cause_of(r, cause, sizeof cause) && strcmp(cause, w->c->cause) == 0 &&
           shows(k, r, 1, 2, w->c->row, w->names);
}

static void shrink_one(struct court *k, size_t i, double until)
{
    static char name[] = "shrunk";
    static struct result r;
    struct coalition *c = &k->coalitions->p[i];
    struct coalitions two = {
        .plain = {NULL, k->coalitions->plain[c->first], k->coalitions->plain[c->second]}};
    struct court small = {.peers = {k->peers[0], k->peers[c->first], k->peers[c->second]},
                          .workers = {k->workers[0], k->workers[c->first], k->workers[c->second]},
                          .n = 3,
                          .layer = k->layer,
                          .seconds = k->seconds,
                          .coalitions = &two};
    struct wanted w = {c, strcmp(c->kind->name, "hidden-field") == 0};
    struct octets_case in = {name, k->layer, need(malloc(c->n + 24)), c->n, NULL};
    memcpy(in.p, c->p, c->n);
    in.n = shrink(&small, in.p, in.n, still_shows, &w, until);
    c->shrunk = true;
    /* What is left counts for every pair that reads it differently. */
    judge(k, &in, 1, &r);
    coalitions_add(k, &r);
    forget(k, &r);
    free(in.p);
}

static int by_weight(const struct coalition *a, const struct coalition *b)
{
    if (a->kind != b->kind)
        return a->kind->severity != b->kind->severity ? b->kind->severity - a->kind->severity
                                                      : (a->kind > b->kind) - (a->kind < b->kind);
    bool valid_a = strcmp(a->cause, "valid") == 0, valid_b = strcmp(b->cause, "valid") == 0;
    if (valid_a != valid_b) /* what is sound by the RFC passes every filter */
        return valid_a ? -1 : 1;
    int cause = strcmp(a->cause, b->cause), row = strcmp(a->row, b->row);
    if (cause || row)
        return cause ? cause : row;
    return a->n != b->n ? (a->n > b->n) - (a->n < b->n) : memcmp(a->p, b->p, a->n);
}

void coalitions_shrink(struct court *k, double until)
{
    struct coalitions *all = k->coalitions;
    while (seconds_now() < until) {
        const struct coalition *worst = NULL;
        size_t left = 0;
        for (size_t i = 0; i < all->n; i++) {
            left += !all->p[i].shrunk;
            if (!all->p[i].shrunk && (!worst || by_weight(&all->p[i], worst) < 0))
                worst = &all->p[i];
        }
        if (!worst)
            break;
        double share = (until - seconds_now()) / (double)left * 4;
        shrink_one(k, (size_t)(worst - all->p),
                   seconds_now() + share < until ? seconds_now() + share : until);
    }
}

/* ---- on paper -------------------------------------------------------------------------------- */

static json_t *coalition_json(const struct court *k, const struct coalition *c)
{
    const char *one = k->peers[c->first]->name, *two = k->peers[c->second]->name;
    json_t *o = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:I}",
        "kind", c->kind->name, "severity", c->kind->severity, "cause", c->cause, "field", c->row,
        "first", one, "second", two, "versions", one, worker_version(k->workers[c->first]), two,
        worker_version(k->workers[c->second]), "readings", one, c->readings[0], two, c->readings[1],
        "ref", c->ref, "rfc", c->kind->rfc, "decides", c->kind->decides, "attack", c->kind->attack,
        "witness", c->witness, "octets", (json_int_t)c->n);
    peer_octets(o, "message", c->p, c->n);
    return o;
}

static int sorted_by_weight(const void *a, const void *b)
{
    const struct coalition *const *x = a, *const *y = b;
    int weight = by_weight(*x, *y);
    return weight ? weight : strcmp((*x)->key, (*y)->key);
}

static struct coalition **sorted(struct coalitions *all)
{
    struct coalition **out = need(calloc(all->n + 1, sizeof *out));
    for (size_t i = 0; i < all->n; i++)
        out[i] = &all->p[i];
    qsort(out, all->n, sizeof *out, sorted_by_weight);
    return out;
}

/* Pairs of one kind that the same octets show, in one row, stand together. */
static bool stand_together(const struct coalition *a, const struct coalition *b)
{
    return a->kind == b->kind && strcmp(a->row, b->row) == 0 && a->n == b->n &&
           memcmp(a->p, b->p, a->n) == 0;
}

static void print_group(const struct court *k, struct coalition **all, size_t n, bool head)
{
    size_t column = 0, width = 96;
    const struct coalition *c = all[0];
    if (head)
        printf("%s%s%s (severity %d): %s\n    RFC %s: %s\n", colour(k, BOLD), c->kind->name,
               colour(k, PLAIN), c->kind->severity, c->kind->attack, c->kind->rfc,
               c->kind->decides);
    printf("  %s, %s, %zu octets: %s\n", c->cause, c->row, c->n, c->witness);
    for (size_t i = 0; i < n; i++) {
        const char *one = k->peers[all[i]->first]->name, *two = k->peers[all[i]->second]->name;
        size_t room = strlen(one) + strlen(two) + 3;
        if (column == 0 || column + room > width)
            printf("%s      ", column ? "\n" : ""), column = 6;
        printf("%s>%s  ", one, two);
        column += room;
    }
    printf("\n      %s reads %.60s\n      %s reads %.60s\n", k->peers[c->first]->name,
           c->readings[0], k->peers[c->second]->name, c->readings[1]);
}

void coalitions_print(struct court *k)
{
    struct coalition **all = sorted(k->coalitions);
    size_t smuggling = 0, n = k->coalitions->n;
    for (size_t i = 0, end; i < n; i = end) {
        bool head = i == 0 || all[i - 1]->kind != all[i]->kind;
        for (end = i + 1; !k->json && end < n && stand_together(all[i], all[end]); end++)
            ;
        smuggling += all[i]->kind->severity == 5 ? end - i : 0;
        if (k->json)
            print_line(json_pack("{s:o}", "coalition", coalition_json(k, all[i])));
        else
            print_group(k, all + i, end - i, head);
    }
    if (!k->json)
        printf("%zu coalitions, %zu of them of the smuggling kind\n", n, smuggling);
    free(all);
}

bool coalitions_save(struct court *k, const char *out)
{
    struct coalition **all = sorted(k->coalitions);
    json_t *list = json_array(), *o = json_pack("{s:o}", "coalitions", list);
    size_t n = strlen(out) + 32;
    char *path = need(malloc(n));
    bool ok = true;
    for (size_t i = 0; ok && i < k->coalitions->n; i++) {
        snprintf(path, n, "%s/coalition-%03zu.sip", out, i + 1);
        FILE *f = fopen(path, "wb");
        ok = f && fwrite(all[i]->p, 1, all[i]->n, f) == all[i]->n;
        ok = (!f || fclose(f) == 0) && ok;
        free(all[i]->witness);
        all[i]->witness = copy(path);
        json_array_append_new(list, coalition_json(k, all[i]));
    }
    snprintf(path, n, "%s/coalitions.json", out);
    ok = ok && json_dump_file(o, path, JSON_INDENT(1)) == 0;
    json_decref(o);
    free(path);
    free(all);
    return ok;
}
