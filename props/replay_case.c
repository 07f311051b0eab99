/* What a file is. Each place that may tell is one function; all of them ask the list of targets
 * that is built in. */
#define _XOPEN_SOURCE 700
#include "replay.h"
#include "story.h"

#include <stdlib.h>

enum { FOLDERS = 4, BESIDE = 1 << 16, PATH_CAP = 4096 };

static struct sipws_str text_of(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

const struct replay_target *replay_target_find(struct sipws_str name)
{
    for (const struct replay_target *t = replay_targets; t->name; t++)
        if (sipws_str_eq(text_of(t->name), name))
            return t;
    return NULL;
}

const char *replay_name(const struct replay_case *c)
{
    return c->kind == REPLAY_TAPE      ? c->prop->name
           : c->kind == REPLAY_INPUT   ? c->target->name
           : c->kind == REPLAY_STORY   ? "story"
           : c->kind == REPLAY_VECTORS ? "vectors"
                                       : "unknown";
}

/* ---- names ----------------------------------------------------------------------------------- */

static bool is_word(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '_';
}

/* "fuzz-msg" or "fuzz_msg" somewhere: the name of a target's program. */
static const struct replay_target *program_in(struct sipws_str s)
{
    for (size_t i = 0; i + 5 < s.n; i++) {
        if (memcmp(s.p + i, "fuzz", 4) != 0 || (s.p[i + 4] != '-' && s.p[i + 4] != '_'))
            continue;
        size_t end = i + 5;
        while (end < s.n && is_word(s.p[end]))
            end++;
        const struct replay_target *t =
            replay_target_find((struct sipws_str){s.p + i + 5, end - i - 5});
        if (t)
            return t;
    }
    return NULL;
}

/* A target's name as a whole word; two different ones tell nothing. */
static const struct replay_target *word_in(struct sipws_str s)
{
    const struct replay_target *found = NULL;
    for (size_t i = 0, end; i < s.n; i = end + 1) {
        for (end = i; end < s.n && is_word(s.p[end]);)
            end++;
        const struct replay_target *t = replay_target_find((struct sipws_str){s.p + i, end - i});
        if (t && found && t != found)
            return NULL;
        found = t ? t : found;
    }
    return found;
}

/* "msg-0123456789abcdef", as ci/fuzz names what it found. */
static const struct replay_target *front_of(struct sipws_str s)
{
    const char *dash = memchr(s.p, '-', s.n);
    return dash ? replay_target_find((struct sipws_str){s.p, (size_t)(dash - s.p)}) : NULL;
}

static const struct replay_target *whole(struct sipws_str s)
{
    static const char fuzz[] = "fuzz-";
    const struct replay_target *t = replay_target_find(s);
    if (!t && s.n > 5 && (memcmp(s.p, fuzz, 5) == 0 || memcmp(s.p, "fuzz_", 5) == 0))
        t = replay_target_find((struct sipws_str){s.p + 5, s.n - 5});
    return t;
}

/* ClusterFuzz: clusterfuzz-testcase-minimized-fuzz-msg-5123456789012345. */
static const struct replay_target *of_clusterfuzz(struct sipws_str name)
{
    static const char front[] = "clusterfuzz-testcase-";
    if (name.n < sizeof front || memcmp(name.p, front, sizeof front - 1) != 0)
        return NULL;
    const struct replay_target *t = program_in(name);
    return t ? t : word_in(name);
}

/* ---- what lies beside it --------------------------------------------------------------------- */

static const struct replay_target *told_by(const char *folder, const char *name)
{
    char path[PATH_CAP];
    static char text[BESIDE];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return NULL;
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    return program_in((struct sipws_str){text, n});
}

/* AFL++ writes the command line into crashes/README.txt and the files of the folder above,
 * honggfuzz into its report. */
static const struct replay_target *of_engine(const char *folder)
{
    static const char *const files[] = {"README.txt", "HONGGFUZZ.REPORT.TXT", "../cmdline",
                                        "../fuzzer_stats", "../fuzzer_setup"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct replay_target *t = told_by(folder, files[i]);
        if (t)
            return t;
    }
    return NULL;
}

/* ---- the path -------------------------------------------------------------------------------- */

/* The last part of a path; the rest goes on in *path. */
static struct sipws_str take_last(struct sipws_str *path)
{
    size_t at = path->n;
    while (at > 0 && path->p[at - 1] != '/')
        at--;
    struct sipws_str last = {path->p + at, path->n - at};
    path->n = at > 0 ? at - 1 : 0;
    return last;
}

static const struct replay_target *of_folders(struct sipws_str folders)
{
    for (int i = 0; i < FOLDERS && folders.n > 0; i++) {
        struct sipws_str folder = take_last(&folders);
        const struct replay_target *t = whole(folder);
        t = t ? t : program_in(folder);
        t = t ? t : word_in(folder);
        if (t)
            return t;
    }
    return NULL;
}

static void recognise_path(struct replay_case *c)
{
    char folder[PATH_CAP];
    struct sipws_str rest = text_of(c->path), name = take_last(&rest);
    if (snprintf(folder, sizeof folder, "%.*s", (int)rest.n,
                 rest.n ? rest.p : (c->path[0] == '/' ? "/" : ".")) >= (int)sizeof folder)
        return;
    if (rest.n == 0)
        strcpy(folder, c->path[0] == '/' ? "/" : ".");
    char *real = realpath(folder, NULL);
    struct sipws_str folders = text_of(real ? real : folder), outer = folders;
    struct sipws_str nearest = take_last(&outer);

    if ((c->target = of_clusterfuzz(name)) != NULL)
        c->how = "its name, which ClusterFuzz gave it";
    else if ((c->target = whole(nearest)) != NULL)
        c->how = "its folder";
    else if ((c->target = front_of(name)) != NULL || (c->target = program_in(name)) != NULL)
        c->how = "its name";
    else if ((c->target = of_engine(folder)) != NULL)
        c->how = "what the engine wrote beside it";
    else if ((c->target = of_folders(folders)) != NULL) {
        c->how = "a folder around it";
        c->guess = true;
    }
    free(real);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool is_vectors(struct sipws_str s)
{
    static const char *const keys[] = {"\"group\"", "\"cases\""};
    size_t i = 0;
    while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\n' || s.p[i] == '\r' || s.p[i] == '\t'))
        i++;
    if (i == s.n || s.p[i] != '{')
        return false;
    for (size_t k = 0; k < 2; k++) {
        size_t n = strlen(keys[k]), at = 0;
        while (at + n <= s.n && memcmp(s.p + at, keys[k], n) != 0)
            at++;
        if (at + n > s.n)
            return false;
    }
    return true;
}

static void take_tape(struct replay_case *c, const unsigned char *tape, size_t n)
{
    c->kind = REPLAY_TAPE;
    c->input = c->data + (tape - c->data);
    c->n = n;
}

bool replay_recognise(struct replay_case *c)
{
    const unsigned char *tape = NULL;
    size_t n = 0;
    struct sipws_str text = {(const char *)c->data, c->data_n};
    c->input = c->data;
    c->n = c->data_n;
    if (c->prop) { /* told */
        c->kind = REPLAY_TAPE;
        return true;
    }
    if (prop_file(c->data, c->data_n, &c->prop, &tape, &n)) {
        c->how = "its first line";
        take_tape(c, tape, n);
        return c->prop != NULL;
    }
    if (!c->target && story_is(text)) {
        c->how = "its first line";
        c->kind = REPLAY_STORY;
        return true;
    }
    if (!c->target)
        recognise_path(c);
    if (!c->target && is_vectors(text)) {
        c->how = "its contents";
        c->kind = REPLAY_VECTORS;
        return true;
    }
    if (!c->target)
        return true;
    c->kind = REPLAY_INPUT;
    if (strcmp(c->target->name, "props") == 0 &&
        (c->prop = prop_select(c->data, c->data_n, &tape, &n)) != NULL)
        take_tape(c, tape, n);
    return true;
}
