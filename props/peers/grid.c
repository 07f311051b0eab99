/* One case on paper: a grid for people, lines of JSON for programs. */
#define _POSIX_C_SOURCE 200809L
#include "court.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* "oSIP, libre" of an array of names. From malloc. */
char *joined(const json_t *names)
{
    size_t n = 1;
    for (size_t i = 0; i < json_array_size(names); i++)
        n += json_string_length(json_array_get(names, i)) + 2;
    char *out = need(calloc(n, 1)), *o = out;
    for (size_t i = 0; i < json_array_size(names); i++)
        o += sprintf(o, "%s%s", i ? ", " : "", json_string_value(json_array_get(names, i)));
    return out;
}

/* ---- the grid -------------------------------------------------------------------------------- */

enum { NAME_WIDTH = 18, WIDTH_LEAST = 80, WIDTH_MOST = 160 };

const char *colour(const struct court *k, const char *code)
{
    return k->tty ? code : "";
}

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

void print_grid(const struct court *k, const struct result *r)
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

void print_line(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

void print_json(const struct court *k, const struct result *r)
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
