/* Files and vectors. */
#define _POSIX_C_SOURCE 200809L
#include "cases.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static struct octets_case *add(struct cases *c, const char *name, enum peer_layer layer)
{
    if (c->n == c->cap) {
        c->cap = 2 * c->cap + 16;
        c->p = need(realloc(c->p, c->cap * sizeof *c->p));
    }
    c->p[c->n] = (struct octets_case){need(strdup(name)), layer, NULL, 0, NULL};
    return &c->p[c->n++];
}

void cases_free(struct cases *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->p[i].name);
        free(c->p[i].p);
        free(c->p[i].trouble);
    }
    free(c->p);
    *c = (struct cases){NULL, 0, 0};
}

static void add_octets(struct cases *c, const char *path, enum peer_layer layer)
{
    struct octets_case *o = add(c, path, layer);
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY);
    const char *why = fd < 0 ? strerror(errno) : NULL;
    o->p = need(malloc(CASE_LARGEST + 1));
    for (ssize_t done = 1; !why && done > 0 && o->n <= CASE_LARGEST;) {
        done = read(fd, o->p + o->n, CASE_LARGEST + 1 - o->n);
        if (done > 0)
            o->n += (size_t)done;
        else if (done < 0 && errno == EINTR)
            done = 1;
        else if (done < 0)
            why = strerror(errno);
    }
    if (!why && o->n > CASE_LARGEST)
        why = "larger than 1 MiB: not one message";
    if (fd >= 0 && !is_stdin)
        close(fd);
    o->p = need(realloc(o->p, o->n ? o->n : 1));
    if (why)
        o->trouble = need(strdup(why));
}

/* ---- vectors --------------------------------------------------------------------------------- */

static void append(struct octets_case *o, const char *p, size_t n)
{
    o->p = need(realloc(o->p, o->n + n + 1));
    if (n)
        memcpy(o->p + o->n, p, n);
    o->n += n;
}

/* {"text"} or {"hex"}, perhaps with "times". */
static void append_piece(struct octets_case *o, const json_t *piece)
{
    const json_t *text = json_object_get(piece, "text"), *t = json_object_get(piece, "times");
    const char *hex = json_string_value(json_object_get(piece, "hex"));
    for (json_int_t times = t ? json_integer_value(t) : 1; times > 0; times--) {
        if (text)
            append(o, json_string_value(text), json_string_length(text));
        for (const char *h = hex; h && *h; h++) {
            unsigned octet;
            char ch;
            if (*h == ' ' || sscanf(h, "%2x", &octet) != 1)
                continue;
            ch = (char)octet;
            append(o, &ch, 1);
            h++;
        }
    }
}

/* The octets of "input", whose forms corpus/vectors/README.md names. */
static void append_input(struct octets_case *o, const json_t *input)
{
    const json_t *lines = json_object_get(input, "lines"), *parts = json_object_get(input, "parts"),
                 *body = json_object_get(input, "body");
    for (size_t i = 0; i < json_array_size(parts); i++)
        append_piece(o, json_array_get(parts, i));
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        append(o, json_string_value(line), json_string_length(line));
        append(o, "\r\n", 2);
    }
    if (lines)
        append(o, "\r\n", 2);
    if (body)
        append(o, json_string_value(body), json_string_length(body));
    append_piece(o, input);
}

static enum peer_layer layer_of(const json_t *c)
{
    const char *layer = json_string_value(json_object_get(c, "layer"));
    return layer && strcmp(layer, "ws") == 0     ? PEER_WS
           : layer && strcmp(layer, "http") == 0 ? PEER_HTTP
                                                 : PEER_SIP;
}

static bool is_layer(const json_t *c)
{
    const char *layer = json_string_value(json_object_get(c, "layer")),
               *actor = json_string_value(json_object_get(c, "actor"));
    return layer &&
           (strcmp(layer, "ws") == 0 || strcmp(layer, "sip") == 0 || strcmp(layer, "conn") == 0 ||
            (strcmp(layer, "http") == 0 && actor && strcmp(actor, "server") == 0));
}

/* The vectors of a file that are of a layer; with `only` the one with this id. False: none is. */
static bool add_vectors(struct cases *to, const char *path, const char *only, enum peer_layer layer)
{
    bool found = false;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, NULL),
           *cases = json_object_get(root, "cases"), *c;
    size_t i;
    json_array_foreach(cases, i, c)
    {
        const char *id = json_string_value(json_object_get(c, "id"));
        const json_t *input = json_object_get(c, "input");
        if (!id || !input || !is_layer(c) || layer_of(c) != layer ||
            (only && strcmp(id, only) != 0))
            continue;
        found = true;
        char *name = need(malloc(strlen(path) + strlen(id) + 2));
        sprintf(name, "%s:%s", path, id);
        append_input(add(to, name, layer), input);
        free(name);
    }
    json_decref(root);
    return found;
}

void cases_add_file(struct cases *c, const char *path, enum peer_layer layer)
{
    const char *colon = strstr(path, ".json:");
    char *file = need(strdup(path));
    if (colon)
        file[colon + 5 - path] = '\0';
    if (!colon || !add_vectors(c, file, colon + 6, layer))
        add_octets(c, path, layer);
    free(file);
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n >= k && strcmp(s + n - k, end) == 0;
}

bool cases_add_folder(struct cases *c, const char *path, enum peer_layer layer)
{
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, alphasort);
    bool ok = n >= 0;
    for (int i = 0; i < n; i++) {
        char *full = need(malloc(strlen(path) + strlen(names[i]->d_name) + 2));
        struct stat st;
        sprintf(full, "%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] == '.' || stat(full, &st) != 0)
            ; /* no case */
        else if (S_ISDIR(st.st_mode))
            ok = cases_add_folder(c, full, layer) && ok;
        else if (ends_with(full, ".md") || ends_with(full, ".story"))
            ; /* for people, and whole connections */
        else if (ends_with(full, ".json"))
            add_vectors(c, full, NULL, layer);
        else
            add_octets(c, full, layer);
        free(full);
        free(names[i]);
    }
    free(names);
    return ok;
}
