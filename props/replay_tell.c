/* What is told of a case: the verdict, its story, an object of JSON, octets, a test in C. */
#define _POSIX_C_SOURCE 200809L
#include "pcap.h"
#include "replay.h"
#include "story.h"

#include <stdlib.h>

enum { EXPLAINED = 4096, QUOTED_SAID = 1 << 14, TRANSCRIPT = 4 << 20 };

/* What goes to standard output may be a file of its own. */
bool replay_prints_other(const struct replay_options *o)
{
    return o->as_c || o->as_wire || o->as_pcap || o->bucket || o->json;
}

static void hex_dump(const unsigned char *p, size_t n)
{
    for (size_t line = 0; line < n; line += 16) {
        printf("  %6zu  ", line);
        for (size_t i = line; i < line + 16; i++)
            if (i < n)
                printf("%02x ", p[i]);
            else
                printf("   ");
        putchar(' ');
        for (size_t i = line; i < line + 16 && i < n; i++)
            putchar(p[i] >= 0x20 && p[i] <= 0x7E ? p[i] : '.');
        putchar('\n');
    }
}

static const char *describe(const struct replay_work *w, char out[320])
{
    char where[128] = "";
    const struct replay_bucket *b = &w->bucket;
    if (b->frame_n > 0) {
        int n = (int)strcspn(b->frames[0], "@");
        snprintf(where, sizeof where, " in %.*s (%s)", n, b->frames[0], b->frames[0] + n + 1);
    }
    switch (w->outcome.end) {
    case REPLAY_HOLDS:
        return "holds";
    case REPLAY_DISCARDED:
        return "holds: the tape makes no story";
    case REPLAY_HUNG:
        return "does not come to an end";
    case REPLAY_ATE:
        return "takes too much memory";
    case REPLAY_FAILS:
    case REPLAY_CRASHED:
        break;
    }
    if (b->property[0])
        snprintf(out, 320, "crashed: %s fails: %s", b->property, b->error);
    else
        snprintf(out, 320, "crashed: %s%s", b->error, where);
    return out;
}

/* The story where one can be drawn, and the verdict. */
void replay_explain(struct replay_work *w)
{
    const struct replay_case *c = &w->c;
    char how[320];
    struct sipws_str story = replay_story_told(&w->said);
    if (c->kind == REPLAY_INPUT && w->bucket.property[0]) {
        printf("target    %s\ninput     %zu octets\n%.*s", c->target->name, c->n, (int)story.n,
               story.p);
    } else if (c->kind == REPLAY_INPUT) {
        size_t shown = c->n < EXPLAINED ? c->n : EXPLAINED;
        printf("target    %s\ninput     %zu octets\n", c->target->name, c->n);
        hex_dump(c->input, shown);
        if (shown < c->n)
            printf("          and %zu more\n", c->n - shown);
    } else if (w->outcome.end >= REPLAY_CRASHED) {
        printf("property  %s\n          %s\ntape      %zu octets\nstory\n", c->prop->name,
               c->prop->sentence, c->n);
        if (prop_draw(c->prop, c->input, c->n, c->trial))
            c->prop->explain(c->trial->story, stdout);
    } else {
        enum verdict v = prop_check(c->prop, c->input, c->n, c->trial);
        prop_explain(c->trial, v, stdout);
    }
    if (c->kind == REPLAY_INPUT || w->outcome.end >= REPLAY_CRASHED)
        printf("verdict   %s%s\n", c->kind == REPLAY_TAPE ? "FAILS: " : "", describe(w, how));
    for (unsigned i = 0; i < w->bucket.frame_n; i++)
        printf("%s %s\n", i ? "         " : "stack    ", w->bucket.frames[i]);
    if (replay_failed(w->outcome))
        printf("bucket    %s\n", w->bucket.key);
}

/* As it is, or as a capture. */
static int put_wire(struct sipws_str wire, bool pcap)
{
    struct sipws_out o = sipws_out(NULL, 0);
    if (!pcap) {
        fwrite(wire.p, 1, wire.n, stdout);
        return 0;
    }
    pcap_print(&o, wire);
    char *p = malloc(o.n);
    if (!p)
        return 2;
    o = sipws_out(p, o.n);
    pcap_print(&o, wire);
    fwrite(o.p, 1, o.n, stdout);
    free(p);
    return 0;
}

int replay_as_wire(const struct replay_case *c, bool pcap)
{
    if (c->kind == REPLAY_INPUT)
        return put_wire((struct sipws_str){(const char *)c->input, c->n}, pcap);
    if (!c->prop->wire || !prop_draw(c->prop, c->input, c->n, c->trial)) {
        fprintf(stderr, "%s: %s\n", c->path,
                c->prop->wire ? "the tape makes no story" : "the property has no wire form");
        return 2;
    }
    struct sipws_out o = sipws_out(NULL, 0);
    c->prop->wire(c->trial->story, &o);
    char *p = malloc(o.n + 1);
    if (!p)
        return 2;
    o = sipws_out(p, o.n);
    c->prop->wire(c->trial->story, &o);
    int status = put_wire(sipws_out_str(&o), pcap);
    free(p);
    return status;
}

int replay_as_c(const struct replay_work *w)
{
    const struct replay_case *c = &w->c;
    if (c->kind == REPLAY_INPUT) {
        fprintf(stderr,
                "%s: only tapes of properties have a C form; --to-regress keeps the file itself, "
                "and the tests run it\n",
                c->path);
        return 2;
    }
    if (!prop_draw(c->prop, c->input, c->n, c->trial)) {
        fprintf(stderr, "%s: the tape makes no story\n", c->path);
        return 2;
    }
    if (w->outcome.end == REPLAY_FAILS)
        (void)prop_check(c->prop, c->input, c->n, c->trial);
    prop_as_c(c->trial, c->input, c->n, stdout);
    return 0;
}

/* ---- a story --------------------------------------------------------------------------------- */

/* How the engine ran, for people. */
static void explain_story(const struct story *s, struct sipws_str lines,
                          struct sipws_str transcript)
{
    printf("story     %.*s\n", (int)s->title.n, s->title.n ? s->title.p : "");
    printf("engine    %s, %s TLS\nwhat happened\n", s->role == SIPWS_SERVER ? "server" : "client",
           s->tls ? "over" : "without");
    for (const char *p = lines.p, *end = p + lines.n; p < end;) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        printf("  %.*s\n", (int)(lf - p), p);
        p = lf + 1;
    }
    printf("transcript\n");
    fwrite(transcript.p, 1, transcript.n, stdout);
}

int replay_tell_story(const struct replay_work *w, const struct replay_options *o)
{
    static struct drive d;
    static char said[TRANSCRIPT], told[TRANSCRIPT];
    char reason[512];
    const char *path = w->c.path;
    struct prop_trial *r = w->c.trial; /* for its memory */
    struct story_error e;
    struct sipws_out lines = sipws_out(said, sizeof said);
    struct sipws_out transcript = sipws_out(told, sizeof told);
    struct sipws_out why = sipws_out(reason, sizeof reason);
    uint32_t line = 0;
    int status = 2;
    (void)prop_draw(props[0], NULL, 0, r); /* empties it */
    const struct story *s =
        story_read((struct sipws_str){(const char *)w->c.data, w->c.data_n}, &r->arena, &e);
    if (!s) {
        fprintf(stderr, "%s:%zu:%zu: %s\n", path, e.line, e.column, e.reason);
    } else if (o->as_c || o->shrink) {
        fprintf(stderr, "%s: a story has no C form and is not shrunk; edit it\n", path);
    } else if (!story_run(s, &r->arena, &d, &lines, &transcript) || !sipws_out_ok(&lines) ||
               !sipws_out_ok(&transcript)) {
        fprintf(stderr, "%s: the story is too large\n", path);
    } else {
        bool holds = story_holds(s, sipws_out_str(&lines), &line, &why);
        bool wire = o->as_wire || o->as_pcap;
        FILE *f = replay_prints_other(o) ? stderr : stdout;
        status = !holds;
        if (!holds)
            fprintf(f, "%s:%u: FAILS: %.*s\n", path, (unsigned)line,
                    (int)(sipws_out_ok(&why) ? why.n : why.cap), reason);
        else if (story_expects(s))
            fprintf(f, "%s: holds\n", path);
        else if (!replay_prints_other(o) && !o->explain)
            fwrite(said, 1, lines.n, stdout);
        if (wire) {
            struct sipws_out octets = arena_begin(&r->arena);
            story_wire(s, &octets);
            struct sipws_str stream = arena_end(&r->arena, &octets);
            status = stream.p ? put_wire(stream, o->as_pcap) : 2;
        } else if (o->explain) {
            explain_story(s, sipws_out_str(&lines), sipws_out_str(&transcript));
        }
    }
    return status;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static void put_string(const char *s, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        unsigned char ch = (unsigned char)s[i];
        if (ch == '"' || ch == '\\')
            printf("\\%c", ch);
        else if (ch == '\n')
            fputs("\\n", stdout);
        else if (ch < 0x20 || ch > 0x7E)
            printf("\\u%04x", ch);
        else
            putchar(ch);
    }
    putchar('"');
}

static void put_member(const char *key, const char *value)
{
    printf(", \"%s\": ", key);
    put_string(value, strlen(value));
}

void replay_put_json(const struct replay_work *w)
{
    static const char *const kinds[] = {"unknown", "tape", "input", "story", "vectors"};
    static const char *const ends[] = {"holds",   "holds",   "fails",
                                       "crashes", "timeout", "out-of-memory"};
    const struct replay_case *c = &w->c;
    char how[320];
    fputs("{\"file\": ", stdout);
    put_string(c->path, strlen(c->path));
    put_member("kind", kinds[c->kind]);
    put_member("target", c->kind == REPLAY_TAPE ? "props" : replay_name(c));
    if (c->kind == REPLAY_TAPE || w->bucket.property[0])
        put_member("property", c->kind == REPLAY_TAPE ? c->prop->name : w->bucket.property);
    put_member("told_by", c->how ? c->how : "its contents");
    put_member("end", ends[w->outcome.end]);
    printf(", \"octets\": %zu", c->n);
    if (replay_failed(w->outcome)) {
        put_member("says", w->outcome.end == REPLAY_FAILS ? w->bucket.error : describe(w, how));
        put_member("error", w->bucket.error);
        put_member("bucket", w->bucket.key);
        fputs(", \"frames\": [", stdout);
        for (unsigned i = 0; i < w->bucket.frame_n; i++) {
            fputs(i ? ", " : "", stdout);
            put_string(w->bucket.frames[i], strlen(w->bucket.frames[i]));
        }
        fputs("]", stdout);
        if (w->small[0]) {
            put_member("small", w->small);
            printf(", \"was\": %zu, \"tries\": %llu", w->was, (unsigned long long)w->tries);
        }
        if (w->kept[0])
            put_member("kept", w->kept);
        fputs(", \"printed\": ", stdout);
        put_string(w->said.p, w->said.n < QUOTED_SAID ? w->said.n : QUOTED_SAID);
    }
    fputs("}\n", stdout);
}

/* One line, and of a failure what to do next. */
void replay_put_verdict(const struct replay_work *w)
{
    const struct replay_case *c = &w->c;
    const struct replay_options *o = w->o;
    FILE *f = replay_prints_other(o) ? stderr : stdout;
    char how[320];
    if (w->outcome.end == REPLAY_FAILS && c->kind == REPLAY_TAPE) {
        (void)prop_check(c->prop, c->input, c->n, c->trial);
        fprintf(f, "%s: %s FAILS: %s: %s\n", c->path, c->prop->name, c->trial->id, c->trial->text);
    } else if (c->kind != REPLAY_STORY || w->outcome.end >= REPLAY_CRASHED) {
        fprintf(f, "%s: %s %s\n", c->path, replay_name(c), describe(w, how));
    }
    fflush(f);
    if (replay_failed(w->outcome) && !o->explain && !o->shrink && !o->to_regress &&
        !replay_prints_other(o))
        fprintf(stderr, "  next: ci/replay --explain --shrink %s\n", c->path);
}
