/* Patterns over the lines that a row is read from. */
#define _POSIX_C_SOURCE 200809L
#include "where.h"

#include "court.h"
#include "field.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct pattern {
    char *name;
    regex_t re;
};

struct where {
    size_t n;
    struct pattern all[];
};

void where_free(struct where *w)
{
    for (size_t i = 0; w && i < w->n; i++) {
        free(w->all[i].name);
        regfree(&w->all[i].re);
    }
    free(w);
}

struct where *where_load(const json_t *patterns)
{
    struct where *w = need(calloc(1, sizeof *w + json_object_size(patterns) * sizeof *w->all));
    const char *name;
    json_t *o;
    json_object_foreach((json_t *)(uintptr_t)patterns, name, o)
    {
        const char *text = json_string_value(json_object_get(o, "pattern"));
        struct pattern *p = &w->all[w->n];
        int error = regcomp(&p->re, text ? text : "(", REG_EXTENDED | REG_ICASE | REG_NOSUB);
        if (error) {
            char why[100];
            regerror(error, &p->re, why, sizeof why);
            fprintf(stderr, "sipws-diff: quirks.json: where: %s: %s\n", name, why);
            where_free(w);
            return NULL;
        }
        p->name = need(strdup(name));
        w->n++;
    }
    return w;
}

static const struct pattern *pattern_of(const struct where *w, const char *name)
{
    for (size_t i = 0; w && i < w->n; i++)
        if (strcmp(w->all[i].name, name) == 0)
            return &w->all[i];
    return NULL;
}

bool where_has(const struct where *w, const char *name)
{
    return pattern_of(w, name) != NULL;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* A message as a text, of which `at` is the next line. */
struct lines {
    char *text, *at;
    bool started;
};

static struct lines lines_of(const char *p, size_t n)
{
    char *text = need(malloc(n + 1));
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(p[i] ? p[i] : 1);
    text[n] = '\0';
    return (struct lines){text, text, false};
}

/* The next line of the header, cut out of the text, without its end; NULL behind the last one. */
static char *next_line(struct lines *l)
{
    char *line = l->at, *end = line ? strchr(line, '\n') : NULL;
    if (!line || line[strspn(line, "\r")] == '\n' || !*line)
        return NULL;
    while (l->started && end && (end[1] == ' ' || end[1] == '\t'))
        end = strchr(end + 1, '\n');
    l->started = true;
    l->at = end ? end + 1 : NULL;
    if (end && end > line && end[-1] == '\r')
        end--;
    if (end)
        *end = '\0';
    return line;
}

/* Whether a line is of the header field that has this name in full. */
static bool is_of(const char *line, const char *name)
{
    struct sipws_str s = {line, strcspn(line, ": \t\r\n")};
    const char *full = sipws_field_info(sipws_field_find(s))->name;
    return *full ? strcasecmp(full, name) == 0
                 : strlen(name) == s.n && strncasecmp(name, line, s.n) == 0;
}

/* What a finding is read from: "start", the name of a field, or NULL for any line. */
static const char *source(const char *field, const char *kind)
{
    static const char *const whole[] = {"verdict", "header", "body"};
    const char *name = row_source(field);
    if (strcmp(name, "header") == 0 && strncmp(kind, "lacks ", 6) == 0)
        return kind + 6;
    if (strcmp(name, "header") == 0 && strncmp(kind, "has ", 4) == 0)
        return kind + 4;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (strcmp(name, whole[i]) == 0)
            return NULL;
    return name;
}

bool where_shows(const struct where *w, const char *name, const char *field, const char *kind,
                 const char *p, size_t n)
{
    const struct pattern *pattern = pattern_of(w, name);
    const char *from = source(field, kind);
    struct lines l = lines_of(p, n);
    bool first = true, there = false, in_those = false, in_any = false;
    for (char *line; pattern && (line = next_line(&l)) != NULL; first = false) {
        bool shows = regexec(&pattern->re, line, 0, NULL, 0) == 0;
        bool mine = from && (first ? strcmp(from, "start") == 0 : is_of(line, from));
        there = there || mine;
        in_any = in_any || shows;
        in_those = in_those || (mine && shows);
    }
    free(l.text);
    return there ? in_those : in_any;
}
