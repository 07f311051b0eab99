/* A finding becomes a file of corpus/regress, which the tests run from then on. */
#define _POSIX_C_SOURCE 200809L
#include "replay.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PATH_CAP = 4096, NAME_CAP = 64 };

bool replay_save(const struct replay_case *c, const char *path)
{
    if (c->kind == REPLAY_TAPE)
        return prop_save(path, c->prop, c->input, c->n);
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = c->n == 0 || fwrite(c->input, 1, c->n, f) == c->n;
    return fclose(f) == 0 && ok;
}

static size_t add_words(char *out, size_t n, const char *s)
{
    if (n > 0 && *s && n + 1 < NAME_CAP)
        out[n++] = '-';
    for (; *s && n + 1 < NAME_CAP; s++) {
        char ch = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_';
        if (word || (n > 0 && out[n - 1] != '-'))
            out[n++] = word ? ch : '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    out[n] = '\0';
    return n;
}

/* "ws-cut-events", or "heap-buffer-overflow-sipws_uri_read": what broke, and where. */
static void name_it(const struct replay_case *c, const struct replay_bucket *b, char out[NAME_CAP])
{
    char function[96] = "";
    if (b->frame_n > 0)
        snprintf(function, sizeof function, "%.*s", (int)strcspn(b->frames[0], "@"), b->frames[0]);
    out[0] = '\0';
    size_t n = add_words(out, 0, c->kind == REPLAY_TAPE ? c->prop->name : b->property);
    n = add_words(out, n, b->error);
    if (c->kind != REPLAY_TAPE)
        add_words(out, n, function);
}

static bool same_file(const char *a, const char *b)
{
    FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
    int x = 0, y = 1;
    if (f && g)
        do {
            x = fgetc(f);
            y = fgetc(g);
        } while (x == y && x != EOF);
    if (f)
        fclose(f);
    if (g)
        fclose(g);
    return x == y;
}

/* The file of the folder that says the same as `path` does. */
static bool has_already(const char *folder, const char *path, char *out, size_t cap)
{
    DIR *d = opendir(folder);
    bool found = false;
    for (struct dirent *e; d && !found && (e = readdir(d)) != NULL;)
        found = e->d_name[0] != '.' && snprintf(out, cap, "%s/%s", folder, e->d_name) < (int)cap &&
                same_file(out, path);
    if (d)
        closedir(d);
    return found;
}

static bool complain(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return false;
}

bool replay_keep(const struct replay_case *c, const struct replay_bucket *b, const char *root,
                 const char *name, char *out, size_t cap)
{
    char folder[PATH_CAP], fresh[PATH_CAP], own[NAME_CAP];
    const char *target = c->kind == REPLAY_TAPE ? "props" : replay_name(c);
    bool fits =
        c->kind == REPLAY_STORY
            ? snprintf(folder, sizeof folder, "%s/corpus/vectors/stories", root) < PATH_CAP
            : snprintf(folder, sizeof folder, "%s/corpus/regress/%s", root, target) < PATH_CAP;
    if (!name)
        name_it(c, b, own);
    const char *base = name ? name : own, *end = c->kind == REPLAY_STORY ? ".story" : "";
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return complain(folder);
    if (!fits || snprintf(fresh, sizeof fresh, "%s/.new", folder) >= PATH_CAP ||
        !replay_save(c, fresh))
        return complain(folder);
    if (has_already(folder, fresh, out, cap)) {
        remove(fresh);
        return true;
    }
    struct stat st;
    for (unsigned i = 1; i < 1000; i++) {
        char number[16] = "";
        if (i > 1)
            snprintf(number, sizeof number, "-%u", i);
        if (snprintf(out, cap, "%s/%s%s%s", folder, base, number, end) >= (int)cap)
            break;
        if (stat(out, &st) != 0)
            return rename(fresh, out) == 0 || complain(out);
    }
    remove(fresh);
    fprintf(stderr, "%s/%s: there are too many of that name\n", folder, base);
    return false;
}
