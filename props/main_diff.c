/* sipws-diff: one message, several readers, and where they disagree. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: sipws-diff [--json] FILE...\n"
    "Shows how ref and other SIP stacks read a message: a grid of what by whom, with "
    "disagreements\n"
    "marked. A file is one message, as one WebSocket message carries it; - is standard input.\n"
    "  --json   one object a line instead\n"
    "Exit status: 0 all agree, 1 some disagree, 2 usage or I/O.\n";

enum { LARGEST = 1 << 20, CELL = 34, PEERS = 8, HANG_SECONDS = 10 };

/* ---- who there is ---------------------------------------------------------------------------- */

extern const struct peer peer_ref;

#ifdef SIPWS_PEER_OSIP
extern const struct peer peer_osip;
#else
static const struct peer peer_osip = {"oSIP", "", SIPWS_NO_PEER_OSIP, NULL};
#endif

#ifdef SIPWS_PEER_SOFIA
extern const struct peer peer_sofia;
#else
static const struct peer peer_sofia = {"Sofia-SIP", "", SIPWS_NO_PEER_SOFIA, NULL};
#endif

const struct peer *const peers[] = {&peer_ref, &peer_osip, &peer_sofia, NULL};

static void *need(void *p)
{
    if (!p) {
        fputs("sipws-diff: out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/* ---- one message ----------------------------------------------------------------------------- */

/* The grid of a file: a reading for each peer. */
struct grid {
    const char *file;
    struct peer_reading readings[PEERS];
};

static bool same_text(const struct peer_text *a, const struct peer_text *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

/* Whether all that have an opinion on a row have the same. */
static bool row_agrees(const struct grid *g, int row)
{
    const struct peer_text *first = NULL;
    for (int i = 0; peers[i]; i++) {
        const struct peer_text *text = &g->readings[i].rows[row];
        if (text->p && first && !same_text(first, text))
            return false;
        if (text->p)
            first = text;
    }
    return true;
}

static bool verdicts_agree(const struct grid *g)
{
    int first = -1;
    for (int i = 0; peers[i]; i++) {
        enum peer_end end = g->readings[i].end;
        if (end == PEER_CRASHES || end == PEER_HANGS)
            return false; /* nobody may, not even all together */
        if (end == PEER_ABSENT)
            continue;
        if (first >= 0 && (enum peer_end)first != end)
            return false;
        first = (int)end;
    }
    return true;
}

static int disagreements(const struct grid *g)
{
    int n = !verdicts_agree(g);
    for (int row = 0; row < PEER_ROW_COUNT; row++)
        n += !row_agrees(g, row);
    return n;
}

static void end_text(const struct peer_reading *r, char *out, size_t cap)
{
    static const char *const words[] = {
        [PEER_ACCEPTS] = "accepts", [PEER_REFUSES] = "refuses", [PEER_CRASHES] = "crashes",
        [PEER_HANGS] = "hangs",     [PEER_ABSENT] = "absent",
    };
    if (r->end == PEER_CRASHES && r->signal)
        snprintf(out, cap, "crashes: signal %d", r->signal);
    else
        snprintf(out, cap, "%s", words[r->end]);
}

/* Octets for people: what is not printable ASCII as \xNN, and a backslash doubled. */
static char *escaped(const struct peer_text *t)
{
    char *out = need(malloc(4 * t->n + 1)), *o = out;
    for (size_t i = 0; i < t->n; i++) {
        unsigned char ch = (unsigned char)t->p[i];
        if (ch == '\\')
            o += sprintf(o, "\\\\");
        else if (ch < ' ' || ch > '~')
            o += sprintf(o, "\\x%02x", ch);
        else
            *o++ = (char)ch;
    }
    *o = '\0';
    return out;
}

/* ---- the grid -------------------------------------------------------------------------------- */

enum { NAME_WIDTH = 13 };

static const char *bold(bool tty)
{
    return tty ? "\033[1m" : "";
}

static const char *red(bool tty)
{
    return tty ? "\033[31m" : "";
}

static const char *plain(bool tty)
{
    return tty ? "\033[0m" : "";
}

/* Cuts a text to a cell: its start and its end are what differs most. */
static void cut(char *text)
{
    size_t n = strlen(text), tail = CELL / 3, head = CELL - tail - 3;
    if (n <= CELL)
        return;
    memcpy(text + head, "...", 3);
    memmove(text + CELL - tail, text + n - tail, tail + 1);
}

struct line {
    const char *name;
    bool agree;
    char *cells[PEERS];
};

static void print_line(const struct line *l, const int widths[PEERS], bool tty, const char *style)
{
    printf("%s%c %-*s", style, l->agree ? ' ' : '!', NAME_WIDTH, l->name);
    for (int i = 0; peers[i]; i++)
        printf("  %-*s", peers[i + 1] ? widths[i] : 0, l->cells[i]);
    printf("%s\n", *style ? plain(tty) : "");
}

/* Fills a line from a row of the readings. False: nobody has an opinion. */
static bool row_line(const struct grid *g, int row, struct line *l)
{
    bool any = false;
    l->name = peer_row_name((enum peer_row)row);
    l->agree = row == PEER_WHY || row_agrees(g, row);
    for (int i = 0; peers[i]; i++) {
        const struct peer_text *t = &g->readings[i].rows[row];
        l->cells[i] = !t->p ? strdup("-") : t->n ? escaped(t) : strdup("(empty)");
        any = any || t->p;
    }
    return any;
}

static void print_grid(const struct grid *g, bool tty)
{
    struct line lines[PEER_ROW_COUNT + 3] = {{"", true, {NULL}},
                                             {"verdict", verdicts_agree(g), {NULL}}};
    int count = 2, n = disagreements(g), widths[PEERS] = {0};
    for (int i = 0; peers[i]; i++) {
        char text[128];
        snprintf(text, sizeof text, "%s%s%s", peers[i]->name, *peers[i]->version ? " " : "",
                 peers[i]->version);
        lines[0].cells[i] = strdup(text);
        end_text(&g->readings[i], text, sizeof text);
        lines[1].cells[i] = strdup(text);
    }
    for (int row = 0; row <= PEER_WHY; row++, count++)
        if (!row_line(g, row, &lines[count]))
            lines[count].name = NULL;
    for (int k = 0; k < count; k++)
        for (int i = 0; peers[i]; i++) {
            cut(need(lines[k].cells[i]));
            int width = (int)strlen(lines[k].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    printf("%s%s%s\n", bold(tty), g->file, plain(tty));
    for (int k = 0; k < count; k++) {
        if (lines[k].name)
            print_line(&lines[k], widths, tty,
                       k == 0            ? bold(tty)
                       : !lines[k].agree ? red(tty)
                                         : "");
        for (int i = 0; peers[i]; i++)
            free(lines[k].cells[i]);
    }
    for (int i = 0; peers[i]; i++)
        if (peers[i]->absent)
            printf("  %s is absent: %s\n", peers[i]->name, peers[i]->absent);
    int asked = 0;
    for (int i = 0; peers[i]; i++)
        asked += !peers[i]->absent;
    if (asked < 2)
        printf("  nobody to compare with\n\n");
    else if (n)
        printf("%s%d %s%s\n\n", red(tty), n, n == 1 ? "disagreement" : "disagreements", plain(tty));
    else
        printf("  all agree\n\n");
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void set_text(json_t *o, const char *key, const struct peer_text *t)
{
    char *text = escaped(t);
    json_object_set_new(o, key, json_string(text));
    free(text);
}

static void print_json(const struct grid *g)
{
    json_t *o = json_pack("{s:s, s:b}", "file", g->file, "agree", disagreements(g) == 0);
    json_t *who = json_array(), *rows = json_array();
    for (int i = 0; peers[i]; i++) {
        const struct peer_reading *r = &g->readings[i];
        char end[64];
        json_t *p = json_pack("{s:s}", "name", peers[i]->name);
        end_text(r, end, sizeof end);
        json_object_set_new(p, "verdict", json_string(end));
        if (peers[i]->absent)
            json_object_set_new(p, "absent", json_string(peers[i]->absent));
        else
            json_object_set_new(p, "version", json_string(peers[i]->version));
        if (r->rows[PEER_WHY].p)
            set_text(p, "why", &r->rows[PEER_WHY]);
        json_array_append_new(who, p);
    }
    for (int row = 0; row < PEER_ROW_COUNT; row++) {
        json_t *readings = json_object();
        for (int i = 0; peers[i]; i++)
            if (g->readings[i].rows[row].p)
                set_text(readings, peers[i]->name, &g->readings[i].rows[row]);
        if (json_object_size(readings) > 0)
            json_array_append_new(rows, json_pack("{s:s, s:b, s:o}", "what",
                                                  peer_row_name((enum peer_row)row), "agree",
                                                  row_agrees(g, row), "readings", readings));
        else
            json_decref(readings);
    }
    json_object_set_new(o, "peers", who);
    json_object_set_new(o, "rows", rows);
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

/* ---- files ----------------------------------------------------------------------------------- */

/* The whole of a file. NULL: *why says what is the matter. */
static char *read_file(const char *file, size_t *n, const char **why)
{
    bool is_stdin = strcmp(file, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY);
    char *p = malloc(LARGEST + 1);
    ssize_t done = 1;
    *why = NULL;
    *n = 0;
    if (!p || fd < 0)
        *why = strerror(errno);
    while (!*why && done > 0 && *n <= LARGEST) {
        done = read(fd, p + *n, LARGEST + 1 - *n);
        if (done < 0 && errno != EINTR)
            *why = strerror(errno);
        *n += done > 0 ? (size_t)done : 0;
        if (done < 0 && !*why)
            done = 1;
    }
    if (!*why && *n > LARGEST)
        *why = "larger than 1 MiB: not one message";
    if (fd >= 0 && !is_stdin)
        close(fd);
    if (*why) {
        free(p);
        return NULL;
    }
    return p;
}

/* 0, 1 or 2, as the exit status. */
static int compare(const char *file, bool json, bool tty)
{
    struct grid g = {.file = file};
    const char *why = NULL;
    size_t n;
    char *p = read_file(file, &n, &why);
    int result = 2;
    for (int i = 0; p && peers[i]; i++)
        if (!peer_run(peers[i], p, n, HANG_SECONDS, &g.readings[i]))
            why = strerror(errno);
    if (why) {
        fprintf(stderr, "sipws-diff: %s: %s\n", file, why);
    } else {
        result = disagreements(&g) ? 1 : 0;
        if (json)
            print_json(&g);
        else
            print_grid(&g, tty);
    }
    for (int i = 0; peers[i]; i++)
        peer_reading_free(&g.readings[i]);
    free(p);
    return result;
}

int main(int argc, char **argv)
{
    bool json = false, tty = isatty(STDOUT_FILENO);
    int counts[3] = {0}, first = 1;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        if (strcmp(argv[first], "--help") == 0) {
            fputs(usage, stdout);
            return 0;
        }
        if (strcmp(argv[first], "--") == 0) {
            first++;
            break;
        }
        if (strcmp(argv[first], "--json") != 0) {
            fprintf(stderr, "sipws-diff: unknown option %s\n%s", argv[first], usage);
            return 2;
        }
        json = true;
    }
    if (first == argc) {
        fputs(usage, stderr);
        return 2;
    }
    for (int i = first; i < argc; i++)
        counts[compare(argv[i], json, tty)]++;
    if (!json)
        printf("%d compared: %d agree, %d disagree%s\n", counts[0] + counts[1], counts[0],
               counts[1], counts[2] ? "; some could not be read" : "");
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "sipws-diff: standard output: %s\n", strerror(errno));
        return 2;
    }
    return counts[2] ? 2 : counts[1] ? 1 : 0;
}
