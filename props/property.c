#define _POSIX_C_SOURCE 200809L
#include "property.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

/* ---- memory of a case ------------------------------------------------------------------------ */

/* Behind what was drawn, FENCE octets are poisoned for AddressSanitizer. All that is free would be
 * the safer choice, and would take most of the time of a case. */
enum { ALIGN = 16, GAP = 16, FENCE = 4096, ARENA = 4 << 20 };

/* Poisons from `used` on, which ends the last piece, to the end of the fence. */
static void arena_fence(const struct arena *a, size_t used)
{
    size_t end = a->cap - a->n < FENCE ? a->cap : a->n + FENCE;
    (void)end;
    ASAN_POISON_MEMORY_REGION(a->p + used, end - used);
}

/* Where the next piece starts, behind a gap that is never handed out. */
static void arena_step(struct arena *a, size_t n)
{
    a->n += (n + ALIGN - 1) / ALIGN * ALIGN + GAP;
}

static size_t arena_left(const struct arena *a)
{
    return a->full || a->cap - a->n < GAP ? 0 : a->cap - a->n - GAP;
}

void *arena_get(struct arena *a, size_t n)
{
    if (n > arena_left(a) || arena_left(a) - n < ALIGN) {
        a->full = true;
        return NULL;
    }
    unsigned char *p = a->p + a->n;
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    memset(p, 0, n);
    size_t used = a->n + n;
    arena_step(a, n);
    arena_fence(a, used);
    return p;
}

struct sipws_str arena_copy(struct arena *a, struct sipws_str s)
{
    char *p = arena_get(a, s.n);
    if (!p)
        return (struct sipws_str){NULL, 0};
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return (struct sipws_str){p, s.n};
}

struct sipws_out arena_begin(struct arena *a)
{
    size_t left = arena_left(a);
    left -= left < ALIGN ? left : ALIGN;
    ASAN_UNPOISON_MEMORY_REGION(a->p + a->n, left < FENCE ? left : FENCE);
    return sipws_out((char *)a->p + a->n, left);
}

struct sipws_str arena_end(struct arena *a, const struct sipws_out *o)
{
    if (!sipws_out_ok(o) || a->full) {
        a->full = true;
        arena_fence(a, a->n);
        return (struct sipws_str){NULL, 0};
    }
    size_t used = a->n + o->n;
    arena_step(a, o->n);
    arena_fence(a, used);
    return sipws_out_str(o);
}

void arena_clear(struct arena *a)
{
    ASAN_UNPOISON_MEMORY_REGION(a->p, a->cap - a->n < FENCE ? a->cap : a->n + FENCE);
    a->n = 0;
    a->full = false;
    arena_fence(a, 0);
}

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

struct prop_trial *prop_trial_new(void)
{
    struct prop_trial *r = need(calloc(1, sizeof *r));
    r->arena.p = need(calloc(1, ARENA));
    r->arena.cap = ARENA;
    arena_clear(&r->arena);
    return r;
}

void prop_trial_free(struct prop_trial *r)
{
    if (!r)
        return;
    ASAN_UNPOISON_MEMORY_REGION(r->arena.p, r->arena.cap);
    free(r->arena.p);
    free(r);
}

/* ---- for hold -------------------------------------------------------------------------------- */

void prop_class(struct prop_trial *r, const char *label)
{
    for (unsigned i = 0; i < PROP_CLASSES && r->prop->classes[i].label; i++)
        if (strcmp(r->prop->classes[i].label, label) == 0) {
            r->classes |= (uint32_t)1 << i;
            return;
        }
    fprintf(stderr, "%s: the class \"%s\" is not declared\n", r->prop->name, label);
    abort();
}

enum verdict prop_fail(struct prop_trial *r, const char *id, size_t at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    r->id = id;
    r->at = at;
    return FAILS;
}

enum { QUOTED = 24 * 4 + 6 };

/* Up to 24 octets of `s` from `at`, as C would write them. */
static const char *quoted(char out[QUOTED], struct sipws_str s, size_t at)
{
    size_t n = 0, end = s.n - at > 24 ? at + 24 : s.n;
    out[n++] = '"';
    for (size_t i = at; i < end; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        int letter = ch == '\r' ? 'r' : ch == '\n' ? 'n' : ch == '\t' ? 't' : ch;
        int wrote;
        if (letter != ch || ch == '"' || ch == '\\')
            wrote = snprintf(out + n, QUOTED - n, "\\%c", letter);
        else if (ch >= 0x20 && ch <= 0x7E)
            wrote = snprintf(out + n, QUOTED - n, "%c", ch);
        else
            wrote = snprintf(out + n, QUOTED - n, "\\x%02x", ch);
        n += (size_t)wrote;
    }
    snprintf(out + n, QUOTED - n, end < s.n ? "\"..." : "\"");
    return out;
}

enum verdict prop_same(struct prop_trial *r, const char *id, struct sipws_str want,
                       struct sipws_str got)
{
    if (sipws_str_eq(want, got))
        return HOLDS;
    size_t at = 0;
    while (at < want.n && at < got.n && want.p[at] == got.p[at])
        at++;
    char a[QUOTED], b[QUOTED];
    /* The octets are mostly not those of the wire. */
    return prop_fail(r, id, PROP_NOWHERE,
                     "at octet %zu: %s (%zu octets in all) should be %s (%zu octets)", at,
                     quoted(a, got, at), got.n, quoted(b, want, at), want.n);
}

void prop_octets(FILE *f, const char *indent, struct sipws_str s)
{
    size_t column = 0;
    bool hex = false; /* a digit right behind \x would belong to it */
    fprintf(f, "%s\"", indent);
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (column >= 76 || (i > 0 && s.p[i - 1] == '\n')) {
            fprintf(f, "\"\n%s\"", indent);
            column = 0;
            hex = false;
        }
        if (hex &&
            ((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F')))
            column += (size_t)fprintf(f, "\"\"");
        hex = false;
        if (ch == '\r')
            column += (size_t)fprintf(f, "\\r");
        else if (ch == '\n')
            column += (size_t)fprintf(f, "\\n");
        else if (ch == '"' || ch == '\\')
            column += (size_t)fprintf(f, "\\%c", ch);
        else if (ch >= 0x20 && ch <= 0x7E)
            column += (size_t)fprintf(f, "%c", ch);
        else {
            column += (size_t)fprintf(f, "\\x%02x", ch);
            hex = true;
        }
    }
    fputs("\"\n", f);
}

/* ---- one case -------------------------------------------------------------------------------- */

bool prop_draw(const struct prop *p, const unsigned char *octets, size_t n, struct prop_trial *r)
{
    arena_clear(&r->arena);
    r->prop = p;
    r->tape = tape(octets, n, r->spans, PROP_SPANS);
    r->classes = 0;
    r->id = "";
    r->at = PROP_NOWHERE;
    r->text[0] = '\0';
    r->story = p->draw(&r->tape, &r->arena);
    return r->story && !r->arena.full;
}

static enum verdict judge_story(struct prop_trial *r)
{
    enum verdict v = r->prop->hold(r, r->story);
    return r->arena.full ? DISCARDED : v;
}

enum verdict prop_check(const struct prop *p, const unsigned char *octets, size_t n,
                        struct prop_trial *r)
{
    return prop_draw(p, octets, n, r) ? judge_story(r) : DISCARDED;
}

/* Sixteen octets a line, from the line before `at`, with `at` marked. */
static void hex_around(FILE *f, struct sipws_str s, size_t at)
{
    size_t from = at < 16 ? 0 : at / 16 * 16 - 16;
    for (size_t line = from; line < s.n && line < from + 48; line += 16) {
        fprintf(f, "  %6zu ", line);
        for (size_t i = line; i < line + 16; i++)
            if (i < s.n)
                fprintf(f, "%c%02x%c", i == at ? '[' : ' ', (unsigned char)s.p[i],
                        i == at ? ']' : ' ');
            else
                fprintf(f, "    ");
        fputs("  ", f);
        for (size_t i = line; i < line + 16 && i < s.n; i++)
            fputc(s.p[i] >= 0x20 && s.p[i] <= 0x7E ? s.p[i] : '.', f);
        fputc('\n', f);
    }
}

void prop_explain(const struct prop_trial *r, enum verdict v, FILE *f)
{
    fprintf(f, "property  %s\n          %s\n", r->prop->name, r->prop->sentence);
    fprintf(f, "tape      %zu octets, %zu drawn, %u spans\n", r->tape.n, r->tape.at,
            (unsigned)(r->tape.span_n + r->tape.spans_lost));
    if (v == DISCARDED) {
        fputs("verdict   discarded: the tape makes no story\n", f);
        return;
    }
    fputs("story\n", f);
    r->prop->explain(r->story, f);
    if (v == HOLDS) {
        fputs("verdict   holds\n", f);
        return;
    }
    fprintf(f, "verdict   FAILS: %s", r->id);
    if (r->at != PROP_NOWHERE)
        fprintf(f, ", first diverging octet %zu", r->at);
    fprintf(f, "\n          %s\n", r->text);
    if (r->at == PROP_NOWHERE || !r->prop->wire)
        return;
    struct sipws_out o = sipws_out(NULL, 0);
    r->prop->wire(r->story, &o);
    char *octets = need(malloc(o.n + 1));
    o = sipws_out(octets, o.n);
    r->prop->wire(r->story, &o);
    hex_around(f, sipws_out_str(&o), r->at);
    free(octets);
}

void prop_as_c(const struct prop_trial *r, const unsigned char *octets, size_t n, FILE *f)
{
    char *story = NULL;
    size_t story_n = 0;
    FILE *m = need(open_memstream(&story, &story_n));
    r->prop->explain(r->story, m);
    if (fclose(m) != 0)
        need(NULL);

    fprintf(f, "/* %s\n * %s\n *\n", r->prop->name, r->prop->sentence);
    if (r->id[0])
        fprintf(f, " * It failed: %s\n * %s\n *\n", r->id, r->text);
    const char *line = story;
    while (*line) {
        size_t len = strcspn(line, "\n");
        fputs(len ? " * " : " *", f);
        for (size_t i = 0; i < len; i++) {
            fputc(line[i], f);
            if ((line[i] == '*' && line[i + 1] == '/') || (line[i] == '/' && line[i + 1] == '*'))
                fputc(' ', f);
        }
        fputc('\n', f);
        line += len + (line[len] == '\n');
    }
    free(story);
    fputs(" */\n"
          "#include \"property.h\"\n\n"
          "#include <setjmp.h>\n#include <stdarg.h>\n#include <stdlib.h>\n#include <cmocka.h>\n\n"
          "static void holds(void **state)\n{\n"
          "    static const unsigned char tape[] = {",
          f);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "%s0x%02x%s", i % 14 == 0 ? "\n        " : " ", octets[i], i + 1 < n ? "," : "");
    fprintf(f,
            "%s};\n"
            "    struct prop_trial *r = prop_trial_new();\n"
            "    enum verdict v = prop_check(prop_find(SIPWS_STR(\"%s\")), tape, %zu, r);\n"
            "    if (v == FAILS)\n"
            "        prop_explain(r, v, stderr);\n"
            "    prop_trial_free(r);\n"
            "    (void)state;\n"
            "    assert_int_equal(v, HOLDS);\n"
            "}\n\n"
            "int main(void)\n{\n"
            "    const struct CMUnitTest tests[] = {cmocka_unit_test(holds)};\n"
            "    return cmocka_run_group_tests(tests, NULL, NULL);\n"
            "}\n",
            n ? "\n    " : "0", r->prop->name, n);
}

/* ---- shrinking ------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct shrinker {
    const struct prop *prop;
    unsigned char *tape; /* the best so far */
    unsigned char *next; /* the candidate */
    size_t n;
    prop_judge *judge;
    void *ctx;
    double deadline;
    bool late; /* it is over */
    uint64_t tries;
    struct prop_trial *trial; /* has the spans of the best so far */
};

/* Cuts off what is not drawn and what reads the same past the end, and finds the spans. */
static void settle(struct shrinker *s)
{
    if (!s->prop)
        return;
    (void)prop_draw(s->prop, s->tape, s->n, s->trial);
    size_t was = s->n;
    if (s->trial->tape.at < s->n)
        s->n = s->trial->tape.at;
    while (s->n > 0 && s->tape[s->n - 1] == 0)
        s->n--;
    if (s->n < was)
        (void)prop_draw(s->prop, s->tape, s->n, s->trial);
}

/* Before a candidate is made: of a large tape there are very many. */
static bool late(struct shrinker *s)
{
    s->late = s->late || now() > s->deadline;
    return s->late;
}

/* Takes the candidate next[m] if it is simpler and fails alike. */
static bool attempt(struct shrinker *s, size_t m)
{
    if (m > s->n || (m == s->n && memcmp(s->next, s->tape, m) >= 0))
        return false;
    s->tries++;
    if (!s->judge(s->ctx, s->next, m))
        return false;
    memcpy(s->tape, s->next, m);
    s->n = m;
    settle(s);
    return true;
}

/* The best tape with octets [from, to) replaced by those of [a, b). */
static bool replace(struct shrinker *s, size_t from, size_t to, size_t a, size_t b)
{
    if (from > to || to > s->n || a > b || b > s->n || to - from <= b - a || late(s))
        return false;
    memcpy(s->next, s->tape, from);
    memcpy(s->next + from, s->tape + a, b - a);
    memcpy(s->next + from + (b - a), s->tape + to, s->n - to);
    return attempt(s, s->n - (to - from) + (b - a));
}

static bool cut(struct shrinker *s, size_t from, size_t to)
{
    return replace(s, from, to, from, from);
}

static struct tape_span span(const struct shrinker *s, uint32_t i)
{
    return s->trial->spans[i];
}

static uint32_t span_count(const struct shrinker *s)
{
    return s->prop ? s->trial->tape.span_n : 0;
}

static bool cut_spans(struct shrinker *s)
{
    bool better = false;
    for (uint32_t i = 0; i < span_count(s);)
        if (cut(s, span(s, i).from, span(s, i).to))
            better = true;
        else
            i++;
    return better;
}

/* Puts a span in the place of one around it that has the same label. */
static bool lift_spans(struct shrinker *s)
{
    bool better = false;
    for (uint32_t i = 0; i < span_count(s); i++)
        for (uint32_t up = span(s, i).up; up != TAPE_NO_SPAN; up = span(s, up).up)
            if (span(s, up).label == span(s, i).label &&
                replace(s, span(s, up).from, span(s, up).to, span(s, i).from, span(s, i).to)) {
                better = true;
                break;
            }
    return better;
}

/* Large blocks side by side, small ones at each octet; from the end, where less hangs on them. */
static bool cut_blocks(struct shrinker *s)
{
    bool better = false;
    for (size_t k = s->n / 2; k > 0; k = k > 8 ? k / 2 : k - 1)
        for (size_t from = s->n >= k ? s->n - k : 0, step = k > 8 ? k : 1; !s->late;) {
            if (cut(s, from, from + k <= s->n ? from + k : s->n))
                better = true;
            if (from == 0)
                break;
            from = from > step ? from - step : 0;
        }
    return better;
}

/* Of the inputs of a fuzz target, which have no spans: many lines at once, then fewer. */
static bool cut_lines(struct shrinker *s)
{
    bool better = false;
    for (size_t many = 256; !s->prop && many > 0; many /= 2)
        for (size_t to = s->n; to > 0 && to <= s->n && !s->late;) {
            size_t from = to, lines = 0;
            while (from > 0 && (lines += s->tape[from - 1] == '\n' && from < to) < many)
                from--;
            better = cut(s, from, to) || better;
            to = from;
        }
    return better;
}

static bool zero(struct shrinker *s, size_t from, size_t to)
{
    if (from >= to || to > s->n || late(s))
        return false;
    memcpy(s->next, s->tape, s->n);
    memset(s->next + from, 0, to - from);
    return attempt(s, s->n);
}

static bool zero_spans(struct shrinker *s)
{
    bool better = false;
    for (uint32_t i = 0; i < span_count(s); i++)
        better = zero(s, span(s, i).from, span(s, i).to) || better;
    for (size_t k = s->n / 2; k > 1; k /= 2)
        for (size_t from = 0; from + k <= s->n && !s->late; from += k)
            better = zero(s, from, from + k) || better;
    return better;
}

/* Sets the octets at i and j (which may be the same) to `value`. */
static bool lower_to(struct shrinker *s, size_t i, size_t j, unsigned value)
{
    if (i >= s->n || j >= s->n || s->tape[i] <= value || late(s))
        return false;
    memcpy(s->next, s->tape, s->n);
    s->next[i] = s->next[j] = (unsigned char)value;
    return attempt(s, s->n);
}

/* To 0, else to the lowest that a binary search finds, else one lower. */
static bool lower_both(struct shrinker *s, size_t i, size_t j)
{
    if (i >= s->n || s->tape[i] == 0)
        return false;
    if (lower_to(s, i, j, 0))
        return true;
    bool better = false;
    unsigned low = 0; /* does not fail alike */
    while (i < s->n && s->tape[i] > low + 1) {
        unsigned middle = (low + s->tape[i]) / 2;
        if (lower_to(s, i, j, middle))
            better = true;
        else
            low = middle;
    }
    if (!better && i < s->n && s->tape[i] > 1)
        better = lower_to(s, i, j, s->tape[i] - 1u);
    return better;
}

static bool lower(struct shrinker *s)
{
    bool better = false;
    for (size_t i = 0; i < s->n && !s->late; i++)
        better = lower_both(s, i, i) || better;
    return better;
}

/* Two spans with the same octets: lowers both at once. */
static bool lower_twins(struct shrinker *s)
{
    bool better = false;
    for (uint32_t i = 0; i < span_count(s); i++)
        for (uint32_t j = i + 1; j < span_count(s) && !s->late; j++) {
            struct tape_span a = span(s, i), b = span(s, j);
            size_t n = a.to - a.from;
            if (n == 0 || n > 64 || b.to - b.from != n || b.from < a.to || a.label != b.label ||
                memcmp(s->tape + a.from, s->tape + b.from, n) != 0)
                continue;
            for (size_t k = 0; k < n; k++)
                better = lower_both(s, a.from + k, b.from + k) || better;
        }
    return better;
}

/* A count that is drawn before what it counts: lowers it, and cuts as much behind it. */
static bool lower_counts(struct shrinker *s)
{
    bool better = false;
    for (size_t i = 0; i < s->n && !s->late; i++)
        for (unsigned k = s->tape[i]; k > 0; k = k > 1 ? k / 2 : 0)
            for (size_t gap = 1; gap <= 3; gap++) {
                if (i >= s->n || k > s->tape[i] || i + gap + k > s->n || late(s))
                    continue;
                memcpy(s->next, s->tape, s->n);
                s->next[i] = (unsigned char)(s->tape[i] - k);
                memmove(s->next + i + gap, s->next + i + gap + k, s->n - i - gap - k);
                better = attempt(s, s->n - k) || better;
            }
    return better;
}

size_t prop_shrink(const struct prop *p, unsigned char *octets, size_t n, prop_judge *judge,
                   void *ctx, double seconds, uint64_t *tries)
{
    static bool (*const passes[])(struct shrinker *) = {
        cut_spans, lift_spans, cut_lines, cut_blocks, zero_spans, lower, lower_twins, lower_counts};
    struct shrinker s = {.prop = p,
                         .tape = octets,
                         .next = need(malloc(n + 1)),
                         .n = n,
                         .judge = judge,
                         .ctx = ctx,
                         .deadline = now() + seconds,
                         .trial = p ? prop_trial_new() : NULL};
    settle(&s);
    for (bool better = true; better && !late(&s);) {
        better = false;
        for (size_t i = 0; i < sizeof passes / sizeof *passes; i++)
            better = passes[i](&s) || better;
    }
    prop_trial_free(s.trial);
    free(s.next);
    if (tries)
        *tries = s.tries;
    return s.n;
}

struct id_judge {
    const struct prop *prop;
    struct prop_trial *trial;
    const char *id;
};

static bool same_id(void *ctx, const unsigned char *octets, size_t n)
{
    struct id_judge *j = ctx;
    return prop_check(j->prop, octets, n, j->trial) == FAILS && strcmp(j->trial->id, j->id) == 0;
}

size_t prop_shrink_id(const struct prop *p, unsigned char *octets, size_t n, double seconds,
                      uint64_t *tries)
{
    struct id_judge j = {p, prop_trial_new(), NULL};
    if (tries)
        *tries = 0;
    if (prop_check(p, octets, n, j.trial) == FAILS) {
        j.id = j.trial->id;
        n = prop_shrink(p, octets, n, same_id, &j, seconds, tries);
    }
    prop_trial_free(j.trial);
    return n;
}

/* ---- running --------------------------------------------------------------------------------- */

/* splitmix64: a counter through a mixing function. */
uint64_t prop_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static size_t draw_below(uint64_t *state, size_t n)
{
    return n ? prop_random(state) % n : 0;
}

static uint64_t hash64(const void *p, size_t n)
{
    const unsigned char *octets = p;
    uint64_t h = 0xCBF29CE484222325u; /* FNV-1a */
    for (size_t i = 0; i < n; i++)
        h = (h ^ octets[i]) * 0x100000001B3u;
    return h;
}

/* Earlier tapes that mutations start from. */
enum { POOL = 64 };

struct pool {
    unsigned char *tapes; /* POOL of them, `max` octets each */
    size_t n[POOL];
    size_t used, max;
};

size_t prop_fresh(uint64_t *rng, unsigned char *out, size_t limit)
{
    size_t n = draw_below(rng, limit + 1);
    unsigned how = (unsigned)draw_below(rng, 8);
    for (size_t i = 0; i < n; i++) {
        uint64_t z = prop_random(rng);
        unsigned char any = (unsigned char)(z >> 8);
        out[i] = how < 4   ? any
                 : how < 6 ? (unsigned char)(z & 3 ? any : 0)
                 : how < 7 ? (unsigned char)(any >> (z & 7))
                           : (unsigned char)(z & 1 ? 0 : any & 7);
    }
    return n;
}

static size_t mutated(uint64_t *rng, const struct pool *pool, unsigned char *out)
{
    size_t which = draw_below(rng, pool->used);
    size_t n = pool->n[which];
    memcpy(out, pool->tapes + which * pool->max, n);
    for (size_t edits = 1 + draw_below(rng, 4); edits > 0; edits--) {
        size_t at = draw_below(rng, n + 1);
        size_t k = 1 + draw_below(rng, 8);
        size_t other = draw_below(rng, pool->used);
        size_t from = draw_below(rng, pool->n[other] + 1);
        switch (draw_below(rng, 6)) {
        case 0: /* another octet */
            if (at < n)
                out[at] = (unsigned char)prop_random(rng);
            break;
        case 1: /* a near one */
            if (at < n)
                out[at] = (unsigned char)(out[at] + (prop_random(rng) & 1 ? 1 : 255));
            break;
        case 2: /* cut out */
            k = k < n - at ? k : n - at;
            memmove(out + at, out + at + k, n - at - k);
            n -= k;
            break;
        case 3: /* again */
            k = k < n - at ? k : n - at;
            k = k < pool->max - n ? k : pool->max - n;
            memmove(out + at + k, out + at, n - at);
            n += k;
            break;
        case 4: /* the rest of another tape */
            k = pool->n[other] - from;
            k = k < pool->max - at ? k : pool->max - at;
            memcpy(out + at, pool->tapes + other * pool->max + from, k);
            n = at + k;
            break;
        default: /* zeroes */
            k = k < n - at ? k : n - at;
            memset(out + at, 0, k);
            break;
        }
    }
    return n;
}

static void check_health(const struct prop *p, struct prop_run *run)
{
    uint64_t judged = run->cases - run->discarded;
    run->health[0] = '\0';
    if (run->cases >= 200 && run->discarded * 100 > run->cases * p->discard_percent)
        snprintf(run->health, sizeof run->health, "%.1f%% discarded, more than %u%%",
                 100.0 * (double)run->discarded / (double)run->cases, p->discard_percent);
    for (unsigned i = 0; i < PROP_CLASSES && p->classes[i].label && !run->health[0]; i++)
        if (judged >= 500 && run->counts[i] * 1000 < judged * p->classes[i].permille)
            snprintf(run->health, sizeof run->health,
                     "only %.1f%% of the cases are \"%s\"; at least %.1f%% should be",
                     100.0 * (double)run->counts[i] / (double)judged, p->classes[i].label,
                     p->classes[i].permille / 10.0);
}

/* prop_check, and how long its two halves take. */
static enum verdict check_timed(const struct prop *p, const unsigned char *octets, size_t n,
                                struct prop_trial *r, struct prop_run *run)
{
    double start = now();
    bool drawn = prop_draw(p, octets, n, r);
    double middle = now();
    enum verdict v = drawn ? judge_story(r) : DISCARDED;
    run->draw += middle - start;
    run->hold += now() - middle;
    return v;
}

enum { SHRINK_SECONDS = 20, GROWING = 1000 };

enum prop_end prop_run(const struct prop *p, struct prop_run *run)
{
    uint64_t rng = run->seed ^ hash64(p->name, strlen(p->name));
    double start = now(), told = start;
    uint64_t wanted = run->cases;
    /* Tapes grow over the first half of the run. It may be far from its last case when its time is
     * over, and must not have seen short ones only. */
    uint64_t growing = wanted < 2 * GROWING ? wanted / 2 + 1 : GROWING;
    struct pool pool = {.max = p->tape_max};
    unsigned char *octets = need(malloc(pool.max + 1));
    pool.tapes = need(malloc(POOL * pool.max + 1));
    struct prop_trial *r = prop_trial_new();
    enum prop_end end = PROP_OK;

    run->discarded = run->shrink_tries = 0;
    run->draw = run->hold = run->shrink = 0;
    memset(run->counts, 0, sizeof run->counts);
    run->tape = NULL;
    run->tape_n = 0;
    run->health[0] = '\0';
    for (run->cases = 0; run->cases < wanted && end == PROP_OK;) {
        size_t n;
        if (pool.used > 0 && draw_below(&rng, 4) == 0) {
            n = mutated(&rng, &pool, octets);
        } else {
            uint64_t limit = 8 + (pool.max > 8 ? pool.max - 8 : 0) * run->cases / growing;
            n = prop_fresh(&rng, octets, limit < pool.max ? (size_t)limit : pool.max);
        }
        if (run->before)
            run->before(p, octets, n);
        enum verdict v = check_timed(p, octets, n, r, run);
        run->cases++;
        if (v == DISCARDED) {
            run->discarded++;
        } else {
            for (unsigned i = 0; i < PROP_CLASSES; i++)
                run->counts[i] += r->classes >> i & 1;
            size_t slot = pool.used < POOL ? pool.used++ : draw_below(&rng, POOL);
            memcpy(pool.tapes + slot * pool.max, octets, n);
            pool.n[slot] = n;
        }
        if (v == FAILS)
            end = PROP_FAILED;
        if ((run->cases & 63) == 0 && (run->progress || run->seconds > 0)) {
            double t = now();
            if (run->progress && t - told > 0.5) {
                told = t;
                run->progress(p, run->cases, wanted);
            }
            if (run->seconds > 0 && t - start > run->seconds)
                break;
        }
        if (end == PROP_FAILED) {
            run->tape = need(malloc(n + 1));
            memcpy(run->tape, octets, n);
            double before = now();
            run->tape_n = prop_shrink_id(p, run->tape, n, SHRINK_SECONDS, &run->shrink_tries);
            run->shrink = now() - before;
        }
    }
    if (end == PROP_OK) {
        check_health(p, run);
        end = run->health[0] ? PROP_UNHEALTHY : PROP_OK;
    }
    run->spent = now() - start;
    prop_trial_free(r);
    free(pool.tapes);
    free(octets);
    return end;
}

/* ---- registry and files ---------------------------------------------------------------------- */

#define P(name) extern const struct prop prop_##name;
#include "property.def"
#undef P

const struct prop *const props[] = {
#define P(name) &prop_##name,
#include "property.def"
#undef P
    NULL};

const struct prop *prop_find(struct sipws_str name)
{
    for (size_t i = 0; props[i]; i++)
        if (sipws_str_eq((struct sipws_str){props[i]->name, strlen(props[i]->name)}, name))
            return props[i];
    return NULL;
}

bool prop_is_selftest(const struct prop *p)
{
    return strncmp(p->name, "selftest/", 9) == 0;
}

static const char magic[] = "sipws-tape 1 ";

bool prop_file(const unsigned char *data, size_t n, const struct prop **p,
               const unsigned char **octets, size_t *octets_n)
{
    size_t skip = sizeof magic - 1;
    if (n < skip || memcmp(data, magic, skip) != 0)
        return false;
    const unsigned char *name = data + skip;
    const unsigned char *lf = memchr(name, '\n', n - skip);
    if (!lf)
        return false;
    *p = prop_find((struct sipws_str){(const char *)name, (size_t)(lf - name)});
    *octets = lf + 1;
    *octets_n = n - (size_t)(lf + 1 - data);
    return true;
}

static unsigned selector(const struct prop *p)
{
    uint64_t h = hash64(p->name, strlen(p->name));
    return (unsigned)((h ^ h >> 16 ^ h >> 32 ^ h >> 48) & 0xFFFF);
}

void prop_selector(const struct prop *p, unsigned char out[2])
{
    out[0] = (unsigned char)(selector(p) >> 8);
    out[1] = (unsigned char)selector(p);
}

const struct prop *prop_select(const unsigned char *data, size_t n, const unsigned char **octets,
                               size_t *octets_n)
{
    const struct prop *best = NULL;
    if (prop_file(data, n, &best, octets, octets_n) && best)
        return best;
    if (n < 2)
        return NULL;
    *octets = data + 2;
    *octets_n = n - 2;
    unsigned want = (unsigned)data[0] << 8 | data[1], nearest = 0x10000;
    for (size_t i = 0; props[i]; i++) {
        unsigned distance = (selector(props[i]) - want) & 0xFFFF;
        if (!prop_is_selftest(props[i]) && distance < nearest) {
            nearest = distance;
            best = props[i];
        }
    }
    return best;
}

bool prop_save(const char *path, const struct prop *p, const unsigned char *octets, size_t n)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        return false;
    bool ok = fprintf(f, "%s%s\n", magic, p->name) > 0;
    ok = (n == 0 || fwrite(octets, 1, n, f) == n) && ok;
    return fclose(f) == 0 && ok;
}

void prop_file_name(const struct prop *p, const unsigned char *octets, size_t n, char *out,
                    size_t cap)
{
    snprintf(out, cap, "%s-%016llx.tape", p->name, (unsigned long long)hash64(octets, n));
    for (char *c = out; *c; c++)
        if (*c == '/')
            *c = '-';
}
