/* sipws-diff: one message, several readers, and where they disagree. */
#define _POSIX_C_SOURCE 200809L
#include "peers/cases.h"
#include "peers/compare.h"

#include "oracle.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
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
    "  --peers          lists the peers, and which are here; with =NAME,… asks only these (ref\n"
    "                   always; 'linked' are all libraries)\n"
    "  --peer N=COMMAND asks a program more (see props/peers/README.md)\n"
    "  --quirks FILE    known deviations, for --clusters (default: props/peers/quirks.json)\n"
    "  --seconds N      after which a peer hangs (default 10)\n"
    "Exit status: 0 all agree, 1 some disagree (with --clusters: in a way that is no known "
    "quirk),\n"
    "2 usage or I/O, or ref is at odds with the RFCs' grammar.\n";

/* ---- who there is ---------------------------------------------------------------------------- */

extern const struct peer peer_ref, peer_ref_ws;

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
#define LINKED(symbol)                        &peer_##symbol,
#define PROGRAM(symbol, name, layer, command) &peer_##symbol,
#include "peers/peers.def"
#undef LINKED
#undef PROGRAM
    NULL,
};

enum { PEERS_MAX = 64, WIDTH_LEAST = 80, WIDTH_MOST = 160 };

struct court {
    const struct peer *peers[PEERS_MAX];
    struct worker *workers[PEERS_MAX];
    size_t n;
    enum peer_layer layer;
    double seconds;
    bool json, clusters, quiet, tty;
    json_t *folded; /* key -> cluster */
    json_t *quirks;
    size_t agreed, disagreed, troubled, ours, unknown;
};

static void *need(void *p)
{
    if (!p) {
        fputs("sipws-diff: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/* ---- one case -------------------------------------------------------------------------------- */

struct result {
    const struct octets_case *input;
    struct said said[PEERS_MAX];
    json_t *findings;
    char grammar[300]; /* what the grammar says; "" is no opinion */
    bool ours;         /* ref is at odds with it, and no sentence of an RFC permits that */
};

/* The grammar's verdict on the lines and values of a message. */
static void ask_grammar(struct result *r)
{
    const struct octets_case *c = r->input;
    struct oracle_answer a;
    if (c->layer != PEER_SIP || c->n > ORACLE_MESSAGE)
        return;
    struct oracle_start start = oracle_message();
    oracle_ask(&start, (struct sipws_str){c->p, c->n}, &a);
    if (a.grammar == ABNF_UNDECIDED)
        return;
    bool takes = a.grammar == ABNF_ACCEPTED;
    r->ours = takes ? !a.ref && a.permitted < 0 : a.ref;
    if (!takes)
        snprintf(r->grammar, sizeof r->grammar, "refuses at %zu", a.far);
    else if (a.ref || a.permitted < 0)
        snprintf(r->grammar, sizeof r->grammar, "takes the lines and values%s",
                 r->ours ? ", which ref refuses" : "");
    else
        snprintf(r->grammar, sizeof r->grammar, "takes it; but: %s",
                 oracle_why((unsigned)a.permitted));
}

static void judge(struct court *k, const struct octets_case *c, struct result *r)
{
    memset(r, 0, sizeof *r);
    r->input = c;
    for (size_t i = 0; i < k->n; i++)
        worker_send(k->workers[i], c->p, c->n);
    ask_grammar(r);
    for (size_t i = 0; i < k->n; i++) {
        struct said *s = &r->said[i];
        s->peer = k->peers[i];
        worker_take(k->workers[i], k->seconds, &s->answer);
        if (s->answer.reading)
            s->rows = rows_of(s->answer.reading, c->p, c->n);
    }
    r->findings = findings_of(r->said, k->n, *r->grammar ? r->grammar : NULL);
}

static void forget(struct court *k, struct result *r)
{
    for (size_t i = 0; i < k->n; i++) {
        answer_free(&r->said[i].answer);
        json_decref(r->said[i].rows);
    }
    json_decref(r->findings);
}

/* ---- the grid -------------------------------------------------------------------------------- */

enum { NAME_WIDTH = 18 };

static const char *colour(const struct court *k, const char *code)
{
    return k->tty ? code : "";
}

#define BOLD  "\033[1m"
#define RED   "\033[31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

/* Cuts a text to a width: its start and its end are what differs most. */
static void print_cut(const char *text, size_t width)
{
    size_t n = strlen(text), tail = width / 3;
    if (n <= width)
        fputs(n ? text : "(empty)", stdout);
    else
        printf("%.*s...%s", (int)(width - tail - 3), text, text + n - tail);
}

static size_t terminal_width(void)
{
    struct winsize w;
    const char *columns = getenv("COLUMNS");
    size_t width = columns ? (size_t)strtoul(columns, NULL, 10) : 0;
    if (width == 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0)
        width = w.ws_col;
    return width < WIDTH_LEAST ? WIDTH_LEAST : width > WIDTH_MOST ? WIDTH_MOST : width;
}

/* Columns are the peers that answered: by their names where there is room, else by numbers. */
static int column_width(const struct court *k, const struct result *r, size_t width, size_t i,
                        bool *numbers)
{
    size_t names = NAME_WIDTH + 2;
    for (size_t p = 0; p < k->n; p++)
        if (r->said[p].answer.verdict != ANSWER_ABSENT)
            names += strlen(k->peers[p]->name) + 1;
    *numbers = names > width;
    return *numbers ? 3 : (int)strlen(k->peers[i]->name);
}

/* The reading of a row by a peer, or NULL; the verdict is a row too. */
static const char *cell(const struct result *r, size_t i, const char *row)
{
    const struct said *s = &r->said[i];
    if (strcmp(row, "verdict") == 0)
        return s->answer.verdict == ANSWER_ABSENT ? NULL : answer_name(s->answer.verdict);
    return said_row(s, row);
}

/* One row: who reads the same has the same letter; then what they read. */
static void print_row(const struct court *k, const struct result *r, const char *row, size_t width)
{
    const char *readings[PEERS_MAX];
    size_t count = 0, opinions = 0;
    char letters[PEERS_MAX];
    bool numbers;
    for (size_t i = 0; i < k->n; i++) {
        const char *text = cell(r, i, row);
        size_t at = 0;
        letters[i] = '-';
        if (!text)
            continue;
        opinions++;
        while (at < count && strcmp(readings[at], text) != 0)
            at++;
        if (at == count)
            readings[count++] = text;
        letters[i] = at < 26 ? (char)('a' + at) : '?';
    }
    if (count == 0)
        return;
    if (count == 1) {
        printf("  %-*s ", NAME_WIDTH - 1, row);
        print_cut(readings[0], width - NAME_WIDTH - 12);
        if (opinions < 2)
            printf("  %s(one only)%s", colour(k, DIM), colour(k, PLAIN));
        putchar('\n');
        return;
    }
    printf("%s! %-*s%s", colour(k, RED), NAME_WIDTH - 1, row, colour(k, PLAIN));
    for (size_t i = 0; i < k->n; i++) {
        if (r->said[i].answer.verdict == ANSWER_ABSENT)
            continue;
        int w = column_width(k, r, width, i, &numbers);
        bool differs = letters[i] != 'a' && letters[i] != '-';
        printf(" %s%-*c%s", differs ? colour(k, RED) : "", w, letters[i],
               differs ? colour(k, PLAIN) : "");
    }
    putchar('\n');
    if (strcmp(row, "verdict") == 0) {
        printf("%*sa %s", NAME_WIDTH + 2, "", readings[0]);
        for (size_t i = 1; i < count; i++)
            printf(", %c %s", (char)('a' + i), readings[i]);
        putchar('\n');
        return;
    }
    for (size_t i = 0; i < count; i++) {
        printf("%*s%c ", NAME_WIDTH + 2, "", i < 26 ? (char)('a' + i) : '?');
        print_cut(readings[i], width - NAME_WIDTH - 5);
        putchar('\n');
    }
}

static void print_grid(const struct court *k, const struct result *r)
{
    size_t width = terminal_width(), asked = 0, n = json_array_size(r->findings);
    bool numbers = false;
    printf("%s%s%s\n%*s", colour(k, BOLD), r->input->name, colour(k, PLAIN), NAME_WIDTH + 1, "");
    for (size_t i = 0; i < k->n; i++) {
        if (r->said[i].answer.verdict == ANSWER_ABSENT)
            continue;
        asked++;
        int w = column_width(k, r, width, i, &numbers);
        if (numbers)
            printf(" %-*zu", w, i + 1);
        else
            printf(" %-*s", w, k->peers[i]->name);
    }
    putchar('\n');
    if (numbers) {
        printf(" ");
        for (size_t i = 0, at = 1; i < k->n; i++) {
            if (r->said[i].answer.verdict == ANSWER_ABSENT)
                continue;
            size_t w = strlen(k->peers[i]->name) + (i >= 9 ? 4 : 3);
            if (at + w > width)
                printf("\n "), at = 1;
            at += w;
            printf(" %zu %s", i + 1, k->peers[i]->name);
        }
        putchar('\n');
    }
    print_row(k, r, "verdict", width);
    for (const struct row *row = rows; row->name; row++)
        print_row(k, r, row->name, width);
    /* Fields without a row of their own only where somebody differs. */
    for (size_t i = 0; i < n; i++) {
        const char *field =
            json_string_value(json_object_get(json_array_get(r->findings, i), "field"));
        bool known = strcmp(field, "verdict") == 0;
        for (const struct row *row = rows; row->name; row++)
            known = known || strcmp(row->name, field) == 0;
        for (size_t j = 0; j < i; j++)
            known =
                known ||
                strcmp(json_string_value(json_object_get(json_array_get(r->findings, j), "field")),
                       field) == 0;
        if (!known)
            print_row(k, r, field, width);
    }
    if (*r->grammar)
        printf("  %-*s %s\n", NAME_WIDTH - 1, "grammar", r->grammar);
    for (size_t i = 0; i < k->n; i++) {
        const struct answer *a = &r->said[i].answer;
        if (a->verdict != ANSWER_ACCEPT && a->reason)
            printf("  %s %s: %.100s\n", k->peers[i]->name,
                   a->verdict == ANSWER_ABSENT ? "is absent" : answer_name(a->verdict), a->reason);
    }
    if (r->ours)
        printf("  %sref and the grammar disagree: that is ref's fault%s\n", colour(k, RED),
               colour(k, PLAIN));
    if (asked < 2)
        printf("  nobody to compare with\n\n");
    else if (n)
        printf("  %zu %s\n\n", n, n == 1 ? "disagreement" : "disagreements");
    else
        printf("  all agree\n\n");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void print_line(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static void print_json(const struct court *k, const struct result *r)
{
    size_t i;
    json_t *f, *file = json_pack("{s:s}", "file", r->input->name);
    peer_octets(file, "octets", r->input->p, r->input->n);
    print_line(file);
    for (i = 0; i < k->n; i++) {
        const struct said *s = &r->said[i];
        json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "file", r->input->name, "peer", s->peer->name,
                              "version", worker_version(k->workers[i]), "verdict",
                              answer_name(s->answer.verdict));
        if (s->answer.reason)
            json_object_set_new(o, "reason", json_string(s->answer.reason));
        if (s->answer.reading)
            json_object_set(o, "reading", s->answer.reading);
        if (s->rows)
            json_object_set(o, "rows", s->rows);
        print_line(o);
    }
    json_array_foreach(r->findings, i, f)
    {
        json_t *o = json_pack("{s:s}", "file", r->input->name);
        json_object_update(o, f);
        print_line(o);
    }
    if (r->ours)
        print_line(json_pack("{s:s, s:s, s:s}", "file", r->input->name, "fault", "ref", "grammar",
                             r->grammar));
}

/* ---- clusters -------------------------------------------------------------------------------- */

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* "oSIP, libre" of an array of names. From malloc. */
static char *joined(const json_t *names)
{
    size_t n = 1;
    for (size_t i = 0; i < json_array_size(names); i++)
        n += json_string_length(json_array_get(names, i)) + 2;
    char *out = need(calloc(n, 1)), *o = out;
    for (size_t i = 0; i < json_array_size(names); i++)
        o += sprintf(o, "%s%s", i ? ", " : "", json_string_value(json_array_get(names, i)));
    return out;
}

/* (peer set, layer, field, kind); the witness is the shortest case. */
static void fold(struct court *k, const struct result *r)
{
    size_t i;
    json_t *f;
    json_array_foreach(r->findings, i, f)
    {
        char *who = joined(json_object_get(f, "peers"));
        size_t cap = strlen(who) + strlen(text_of(f, "field")) + strlen(text_of(f, "kind")) +
                     strlen(text_of(f, "layer")) + 4;
        char *key = need(malloc(cap));
        snprintf(key, cap, "%s|%s|%s|%s", text_of(f, "layer"), text_of(f, "field"),
                 text_of(f, "kind"), who);
        json_t *c = json_object_get(k->folded, key);
        if (!c) {
            c = json_pack("{s:s, s:O, s:O, s:O, s:O, s:i, s:I}", "speaks",
                          k->layer == PEER_WS ? "ws" : "sip", "peers", json_object_get(f, "peers"),
                          "layer", json_object_get(f, "layer"), "field",
                          json_object_get(f, "field"), "kind", json_object_get(f, "kind"), "cases",
                          0, "octets", (json_int_t)-1);
            json_object_set_new(k->folded, key, c);
        }
        json_int_t shortest = json_integer_value(json_object_get(c, "octets")),
                   cases = json_integer_value(json_object_get(c, "cases"));
        json_object_set_new(c, "cases", json_integer(cases + 1));
        if (shortest < 0 || (json_int_t)r->input->n < shortest) {
            json_object_set_new(c, "octets", json_integer((json_int_t)r->input->n));
            json_object_set_new(c, "witness", json_string(r->input->name));
            json_object_set(c, "readings", json_object_get(f, "readings"));
            if (json_object_get(f, "grammar"))
                json_object_set(c, "grammar", json_object_get(f, "grammar"));
        }
        free(key);
        free(who);
    }
}

/* Whether a quirk is of this cluster: the same field and kind, and every peer of the cluster in its
 * list. */
static const json_t *quirk_of(const struct court *k, const json_t *cluster)
{
    for (size_t i = 0; i < json_array_size(k->quirks); i++) {
        const json_t *q = json_array_get(k->quirks, i), *have = json_object_get(q, "peers"),
                     *want = json_object_get(cluster, "peers");
        size_t covered = 0;
        if (strcmp(text_of(q, "speaks"), text_of(cluster, "speaks")) != 0 ||
            strcmp(text_of(q, "field"), text_of(cluster, "field")) != 0 ||
            strcmp(text_of(q, "kind"), text_of(cluster, "kind")) != 0)
            continue;
        for (size_t w = 0; w < json_array_size(want); w++)
            for (size_t h = 0; h < json_array_size(have); h++)
                if (json_equal(json_array_get(want, w), json_array_get(have, h))) {
                    covered++;
                    break;
                }
        if (covered == json_array_size(want))
            return q;
    }
    return NULL;
}

/* Whether every peer of a quirk was asked and is here, so that the quirk could have shown. */
static bool could_show(const struct court *k, const json_t *quirk)
{
    const json_t *who = json_object_get(quirk, "peers");
    size_t here = 0;
    for (size_t i = 0; i < json_array_size(who); i++)
        for (size_t p = 0; p < k->n; p++)
            here += strcmp(json_string_value(json_array_get(who, i)), k->peers[p]->name) == 0 &&
                    !worker_absent(k->workers[p]);
    return here == json_array_size(who) &&
           strcmp(text_of(quirk, "speaks"), k->layer == PEER_WS ? "ws" : "sip") == 0;
}

/* Quirks that no cluster showed, though they could: mended, or the corpus has no such case. */
static void print_unseen(const struct court *k, const json_t *seen)
{
    for (size_t i = 0; i < json_array_size(k->quirks); i++) {
        json_t *q = json_array_get(k->quirks, i);
        if (json_object_get(seen, text_of(q, "id")) || !could_show(k, q))
            continue;
        if (k->json)
            print_line(json_pack("{s:O}", "unseen", q));
        else
            printf("did not show: %s: %s\n", text_of(q, "id"), text_of(q, "what"));
    }
}

static void print_clusters(struct court *k)
{
    json_t *seen = json_object();
    size_t n = json_object_size(k->folded), i = 0, known = 0, drafts = 0;
    const char **keys = need(calloc(n + 1, sizeof *keys)), *key;
    json_t *c;
    json_object_foreach(k->folded, key, c) keys[i++] = key;
    for (size_t a = 1; a < n; a++) /* insertion: there are some hundreds */
        for (size_t b = a; b > 0 && strcmp(keys[b - 1], keys[b]) > 0; b--) {
            const char *swap = keys[b];
            keys[b] = keys[b - 1];
            keys[b - 1] = swap;
        }
    for (i = 0; i < n; i++) {
        c = json_object_get(k->folded, keys[i]);
        const json_t *q = quirk_of(k, c);
        known += q != NULL;
        drafts += q && strcmp(text_of(q, "status"), "draft") == 0;
        if (q) {
            json_object_set_new(seen, text_of(q, "id"), json_true());
            json_object_set(c, "quirk", json_object_get(q, "id"));
            json_object_set(c, "status", json_object_get(q, "status"));
        }
        if (k->json) {
            json_t *o = json_pack("{s:O}", "cluster", c);
            print_line(o);
            continue;
        }
        char *who = joined(json_object_get(c, "peers"));
        printf("%s%-8s %-16s %-34.60s%s %s\n", q ? "" : colour(k, BOLD), text_of(c, "layer"),
               text_of(c, "field"), text_of(c, "kind"), q ? "" : colour(k, PLAIN), who);
        printf("         %s%lld %s, as %s (%lld octets)%s%s\n", colour(k, DIM),
               (long long)json_integer_value(json_object_get(c, "cases")),
               json_integer_value(json_object_get(c, "cases")) == 1 ? "case" : "cases",
               text_of(c, "witness"), (long long)json_integer_value(json_object_get(c, "octets")),
               colour(k, PLAIN), "");
        if (q)
            printf("         %s %s: %s (RFC %s; right: %s; matters to: %s)\n", text_of(q, "status"),
                   text_of(q, "id"), text_of(q, "what"), text_of(q, "rfc"), text_of(q, "right"),
                   text_of(q, "matters"));
        free(who);
    }
    k->unknown = n - known;
    print_unseen(k, seen);
    json_decref(seen);
    if (!k->json)
        printf("%zu clusters: %zu known, %zu of these only drafted; %zu new\n", n, known, drafts,
               n - known);
    free(keys);
}

/* ---- the command line ------------------------------------------------------------------------ */

static void take(struct court *k, const struct octets_case *c)
{
    struct result r;
    if (c->trouble) {
        fprintf(stderr, "sipws-diff: %s: %s\n", c->name, c->trouble);
        k->troubled++;
        return;
    }
    judge(k, c, &r);
    if (json_array_size(r.findings))
        k->disagreed++;
    else
        k->agreed++;
    if (r.ours) {
        k->ours++;
        fprintf(stderr, "sipws-diff: %s: ref and the grammar disagree: %s\n", c->name, r.grammar);
    }
    if (k->clusters)
        fold(k, &r);
    if (k->json && !k->quiet)
        print_json(k, &r);
    else if (!k->quiet)
        print_grid(k, &r);
    forget(k, &r);
}

static int list_peers(struct court *k)
{
    for (size_t i = 0; i < k->n; i++) {
        bool here = worker_ready(k->workers[i]);
        if (k->json) {
            json_t *o =
                json_pack("{s:s, s:s, s:s}", "peer", k->peers[i]->name, "layer",
                          k->peers[i]->layer == PEER_WS ? "ws" : "sip", here ? "version" : "absent",
                          here ? worker_version(k->workers[i]) : worker_absent(k->workers[i]));
            print_line(o);
        } else if (here) {
            printf("%-18s %-4s %s\n", k->peers[i]->name,
                   k->peers[i]->layer == PEER_WS ? "ws" : "sip", worker_version(k->workers[i]));
        } else {
            printf("%-18s %-4s absent: %s\n", k->peers[i]->name,
                   k->peers[i]->layer == PEER_WS ? "ws" : "sip", worker_absent(k->workers[i]));
        }
        fflush(stdout);
    }
    return 0;
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
    const char *only, *quirks;
    bool list;
};

/* An option's value: behind "=", or the next word. */
static char *value_of(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    return argv[*i][n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

/* -1: go on. */
static int parse(int argc, char **argv, struct court *k, struct asked *a, struct cases *cases)
{
    bool operands = false;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--ws") == 0)
            k->layer = PEER_WS;
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
        } else if (strcmp(argv[i], "--ws") == 0) {
            ; /* above */
        } else if (strcmp(argv[i], "--peers") == 0) {
            a->list = true;
        } else if (strncmp(argv[i], "--peers=", 8) == 0) {
            a->only = argv[i] + 8;
        } else if ((value = value_of(argc, argv, &i, "--corpus")) != NULL) {
            if (!cases_add_folder(cases, value, k->layer)) {
                fprintf(stderr, "sipws-diff: %s: %s\n", value, strerror(errno));
                return 2;
            }
        } else if ((value = value_of(argc, argv, &i, "--peer")) != NULL) {
            if (!add_extra(value))
                return misuse(value, "--peer wants NAME=COMMAND");
        } else if ((value = value_of(argc, argv, &i, "--quirks")) != NULL) {
            a->quirks = value;
        } else if ((value = value_of(argc, argv, &i, "--seconds")) != NULL) {
            char *end;
            k->seconds = strtod(value, &end);
            if (*end || !(k->seconds > 0 && k->seconds <= 3600))
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
        if (a->list ||
            (peers[i]->layer == k->layer && (k->n == 0 || !a->only || wanted(a->only, peers[i]))))
            k->peers[k->n++] = peers[i];
    for (size_t i = 0; i < extras && k->n < PEERS_MAX; i++) {
        extra[i].layer = k->layer;
        k->peers[k->n++] = &extra[i];
    }
    for (size_t i = 0; i < k->n; i++)
        k->workers[i] = worker_new(k->peers[i], dir, built);
}

static bool load_quirks(struct court *k, const char *path, bool must)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!root && (must || access(path, F_OK) == 0)) {
        fprintf(stderr, "sipws-diff: %s:%d: %s\n", path, error.line, error.text);
        return false;
    }
    k->quirks = json_incref(json_object_get(root, "quirks"));
    json_decref(root);
    return true;
}

static int run(int argc, char **argv, struct court *k, struct cases *cases)
{
    const char *root = getenv("SIPWS_PEERS"), *put = getenv("SIPWS_PEERS_BUILT");
    struct asked a = {NULL, NULL, false};
    char quirks[4096];
    root = root ? root : SIPWS_ROOT "/props/peers";
    put = put ? put : SIPWS_ROOT "/build/peers";
    k->tty = isatty(STDOUT_FILENO);
    k->folded = json_object();
    int status = parse(argc, argv, k, &a, cases);
    if (status >= 0)
        return status;
    snprintf(quirks, sizeof quirks, "%s",
             a.quirks ? a.quirks : SIPWS_ROOT "/props/peers/quirks.json");
    if (k->clusters && !load_quirks(k, quirks, a.quirks))
        return 2;
    call(k, &a, root, put);
    if (!a.list && cases->n == 0) {
        fputs(usage, stderr);
        return 2;
    }
    if (a.list)
        list_peers(k);
    for (size_t i = 0; !a.list && i < cases->n; i++)
        take(k, &cases->p[i]);
    if (k->clusters)
        print_clusters(k);
    if (!k->json && !a.list)
        printf("%zu compared: %zu agree, %zu disagree%s\n", k->agreed + k->disagreed, k->agreed,
               k->disagreed, k->troubled ? "; some could not be read" : "");
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "sipws-diff: standard output: %s\n", strerror(errno));
        return 2;
    }
    return k->troubled || k->ours ? 2 : k->disagreed ? 1 : 0;
}

int main(int argc, char **argv)
{
    static struct court k = {.layer = PEER_SIP, .seconds = 10};
    struct cases cases = {NULL, 0, 0};
    int status = run(argc, argv, &k, &cases);
    for (size_t i = 0; i < k.n; i++)
        worker_free(k.workers[i]);
    cases_free(&cases);
    json_decref(k.folded);
    json_decref(k.quirks);
    return status;
}
