/* Rows to marks. */
#include "mark.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a. */
uint64_t mark_hash(const char *text, size_t n)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)text[i]) * 1099511628211u;
    return h;
}

static void add(struct marks *m, uint64_t row, const char *text, size_t n)
{
    static const char none[] = "(none)";
    struct mark mark = {row, mark_hash(text, n), (int64_t)n};
    size_t at = m->n;
    if (m->n == MARKS_MAX)
        return;
    if (n == sizeof none - 1 && memcmp(text, none, n) == 0)
        mark.measure = -1;
    else if (n && n < 19 && strspn(text, "0123456789") == n)
        mark.measure = strtoll(text, NULL, 10);
    for (; at > 0 && m->p[at - 1].row > row; at--)
        m->p[at] = m->p[at - 1];
    m->p[at] = mark;
    m->n++;
}

/* A mark for each header name: which of them a reader lacks is what counts. */
static void add_names(struct marks *m, const char *names)
{
    for (const char *at = names; *at; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        add(m, mark_hash(at, n) ^ 1, "", 0);
        at += n;
    }
}

void marks_of(const json_t *rows, struct marks *out)
{
    const char *row;
    json_t *v;
    out->n = 0;
    json_object_foreach((json_t *)(uintptr_t)rows, row, v)
    {
        if (strcmp(row, "header names") == 0)
            add_names(out, json_string_value(v));
        add(out, mark_hash(row, strlen(row)), json_string_value(v), json_string_length(v));
    }
}
