/* What tells two failures apart: the property or target, what broke, and the innermost functions of
 * our own code, read from what AddressSanitizer, MemorySanitizer, UndefinedBehaviorSanitizer or
 * assert printed. Values, addresses and lines differ from build to build, and stay out. */
#define _POSIX_C_SOURCE 200809L
#include "replay.h"

#include <signal.h>
#include <stdlib.h>

/* ---- lines of text --------------------------------------------------------------------------- */

/* The next line without its LF. False: there is none. */
static bool next_line(struct sipws_str *rest, struct sipws_str *line)
{
    if (rest->n == 0)
        return false;
    const char *lf = memchr(rest->p, '\n', rest->n);
    size_t n = lf ? (size_t)(lf - rest->p) : rest->n;
    *line = (struct sipws_str){rest->p, n};
    n += lf != NULL;
    *rest = (struct sipws_str){rest->p + n, rest->n - n};
    return true;
}

/* What follows `mark` in the line; p is NULL where it has none. */
static struct sipws_str behind(struct sipws_str line, const char *mark)
{
    size_t n = strlen(mark);
    for (size_t i = 0; i + n <= line.n; i++)
        if (memcmp(line.p + i, mark, n) == 0)
            return (struct sipws_str){line.p + i + n, line.n - i - n};
    return (struct sipws_str){NULL, 0};
}

static struct sipws_str first_word(struct sipws_str s)
{
    const char *end = s.n ? memchr(s.p, ' ', s.n) : NULL;
    return (struct sipws_str){s.p, end ? (size_t)(end - s.p) : s.n};
}

static void copy(char *out, size_t cap, struct sipws_str s)
{
    snprintf(out, cap, "%.*s", (int)(s.n < cap ? s.n : cap), s.n ? s.p : "");
}

/* Each number as N: the sentence is the same for all values. */
static void copy_plain(char *out, size_t cap, struct sipws_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n && n + 1 < cap; i++) {
        bool digit = s.p[i] >= '0' && s.p[i] <= '9';
        if (!digit)
            out[n++] = s.p[i];
        else if (n == 0 || out[n - 1] != 'N')
            out[n++] = 'N';
        if (digit && i + 1 < s.n && s.p[i] == '0' && s.p[i + 1] == 'x')
            while (i + 1 < s.n && s.p[i + 1] != ' ' && s.p[i + 1] != ',')
                i++;
    }
    out[n] = '\0';
}

static bool starts(struct sipws_str line, const char *front)
{
    size_t n = strlen(front);
    return line.n >= n && memcmp(line.p, front, n) == 0;
}

/* ---- what broke ------------------------------------------------------------------------------ */

/* AddressSanitizer's ABRT and the others' SIGABRT are one thing. */
static const char *of_signal(int sig)
{
    switch (sig) {
    case SIGABRT:
        return "abort";
    case SIGSEGV:
    case SIGBUS:
        return "SEGV";
    case SIGFPE:
        return "FPE";
    case SIGILL:
        return "ILL";
    case SIGXFSZ:
        return "prints-without-end";
    default:
        return "signal";
    }
}

static bool of_assert(char *out, size_t cap, struct sipws_str line)
{
    struct sipws_str claim = behind(line, "Assertion `");
    struct sipws_str end = behind(claim, "' failed");
    if (!claim.p || !end.p)
        return false;
    claim.n = (size_t)(end.p - claim.p) - strlen("' failed");
    copy(out, cap, claim);
    return true;
}

static bool of_sanitizer(char *out, size_t cap, struct sipws_str line)
{
    struct sipws_str summary = behind(line, "SUMMARY: ");
    struct sipws_str rest = behind(summary, "Sanitizer: ");
    if (!rest.p || rest.p - summary.p > 30)
        return false;
    struct sipws_str word = first_word(rest);
    if (behind(rest, " leaked in ").p)
        word = SIPWS_STR("leak");
    else if (sipws_str_eq(word, SIPWS_STR("ABRT")))
        word = SIPWS_STR("abort");
    else if (sipws_str_eq(word, SIPWS_STR("BUS")))
        word = SIPWS_STR("SEGV");
    copy(out, cap, word);
    return true;
}

static const char property[] = "property  ", verdict[] = "verdict   FAILS: ";

/* Some targets hold properties, and tell of one that fails before they abort. */
static bool of_property(struct sipws_str rest, char name[40], char *claim, size_t cap)
{
    struct sipws_str line;
    name[0] = '\0';
    while (next_line(&rest, &line)) {
        if (starts(line, property)) {
            copy(name, 40, first_word(behind(line, property)));
        } else if (name[0] && starts(line, verdict)) {
            struct sipws_str words = behind(line, verdict);
            const char *comma = words.n ? memchr(words.p, ',', words.n) : NULL;
            words.n = comma ? (size_t)(comma - words.p) : words.n;
            copy(claim, cap, words);
            return true;
        }
    }
    name[0] = '\0';
    return false;
}

struct sipws_str replay_story_told(const struct replay_said *said)
{
    struct sipws_str rest = {said->p, said->n}, line;
    const char *start = NULL, *end = NULL;
    while (next_line(&rest, &line)) {
        if (!start && starts(line, property))
            start = line.p;
        else if (start && (starts(line, "==") || starts(line, "AddressSanitizer")))
            break;
        end = rest.p;
    }
    return (struct sipws_str){start, start && end ? (size_t)(end - start) : 0};
}

static void find_error(const struct replay_case *c, struct replay_outcome o, struct sipws_str rest,
                       char *out, size_t cap)
{
    struct sipws_str line, ub;
    bool claimed = false;
    if (o.end == REPLAY_FAILS) {
        copy(out, cap, SIPWS_STR("expectation"));
        if (c->kind == REPLAY_TAPE && prop_check(c->prop, c->input, c->n, c->trial) == FAILS)
            snprintf(out, cap, "%s", c->trial->id);
        return;
    }
    if (o.end == REPLAY_HUNG || o.end == REPLAY_ATE) {
        copy(out, cap, o.end == REPLAY_HUNG ? SIPWS_STR("timeout") : SIPWS_STR("out-of-memory"));
        return;
    }
    if (o.code < 256)
        copy(out, cap, (struct sipws_str){of_signal(o.code), strlen(of_signal(o.code))});
    else
        snprintf(out, cap, "exit-%d", o.code - 256);
    while (next_line(&rest, &line)) {
        if ((ub = behind(line, ": runtime error: ")).p) {
            copy_plain(out, cap, ub);
            return;
        }
        if (of_assert(out, cap, line))
            claimed = true;
        else if (!claimed)
            (void)of_sanitizer(out, cap, line);
    }
}

/* ---- where ----------------------------------------------------------------------------------- */

/* "    #1 0x5602a7663300 in function /somewhere/ref/uri.c:20:5" in its parts. */
struct frame {
    unsigned index;
    struct sipws_str function, file; /* the file from one of our folders on; n is 0: not ours */
    struct sipws_str place;          /* all behind the address: "(program+0x1f)" without names */
};

/* From the last of our folders on, without line and column. */
static struct sipws_str own_file(struct sipws_str place)
{
    static const char *const folders[] = {"/ref/", "/props/", "/fuzz/"};
    struct sipws_str found = {NULL, 0};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        for (struct sipws_str at = behind(place, folders[i]); at.p; at = behind(at, folders[i])) {
            const char *start = at.p - strlen(folders[i]) + 1;
            found = (struct sipws_str){start, place.n - (size_t)(start - place.p)};
        }
    const char *colon = found.n ? memchr(found.p, ':', found.n) : NULL;
    if (colon)
        found.n = (size_t)(colon - found.p);
    return found;
}

static bool read_frame(struct sipws_str line, struct frame *f)
{
    size_t i = 0;
    *f = (struct frame){0};
    while (i < line.n && line.p[i] == ' ')
        i++;
    if (i == line.n || line.p[i++] != '#' || i == line.n || line.p[i] < '0' || line.p[i] > '9')
        return false;
    for (; i < line.n && line.p[i] >= '0' && line.p[i] <= '9'; i++)
        f->index = f->index * 10 + (unsigned)(line.p[i] - '0');
    struct sipws_str address = behind((struct sipws_str){line.p + i, line.n - i}, " 0x");
    if (!address.p)
        return false;
    struct sipws_str word = first_word(address);
    f->place = (struct sipws_str){address.p + word.n, address.n - word.n};
    struct sipws_str named = behind(f->place, " in ");
    if (!named.p)
        return true;
    f->function = first_word(named);
    for (size_t k = 1; k < f->function.n; k++) /* f.part.0, f.constprop.0 */
        if (f->function.p[k] == '.')
            f->function.n = k;
    f->file = own_file((struct sipws_str){named.p + f->function.n, named.n - f->function.n});
    return true;
}

/* The functions that call what is under test: nothing behind them tells failures apart. */
static bool is_outermost(struct sipws_str function)
{
    static const char *const names[] = {"LLVMFuzzerTestOneInput", "judge", "judge_story",
                                        "prop_check", "prop_draw"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (sipws_str_eq(function, (struct sipws_str){names[i], strlen(names[i])}))
            return true;
    return function.n > 13 && memcmp(function.p, "sipws_target_", 13) == 0;
}

/* Of the first stack; a second one tells who allocated. */
static void find_frames(struct sipws_str rest, struct replay_bucket *b)
{
    struct sipws_str line;
    struct frame f;
    unsigned last = 0;
    bool seen = false;
    while (b->frame_n < REPLAY_FRAMES && next_line(&rest, &line)) {
        bool is = read_frame(line, &f);
        if (seen && (!is || f.index < last))
            return;
        if (!is)
            continue;
        seen = true;
        last = f.index;
        if (f.file.n == 0)
            continue;
        bool end = is_outermost(f.function);
        if (!end || b->frame_n == 0)
            snprintf(b->frames[b->frame_n++], sizeof b->frames[0], "%.*s@%.*s",
                     end ? 5 : (int)f.function.n, end ? "entry" : f.function.p, (int)f.file.n,
                     f.file.p);
        if (end)
            return;
    }
}

/* ---- the key --------------------------------------------------------------------------------- */

static size_t add(char *out, size_t cap, size_t n, char between, const char *s)
{
    if (between && n + 1 < cap)
        out[n++] = between;
    for (; *s && n + 1 < cap; s++) {
        char ch = *s > ' ' && *s < 0x7F && *s != ':' ? *s : '-';
        if (ch != '-' || n == 0 || out[n - 1] != '-')
            out[n++] = ch;
    }
    out[n] = '\0';
    return n;
}

void replay_bucket(const struct replay_case *c, struct replay_outcome o,
                   const struct replay_said *said, struct replay_bucket *b)
{
    struct sipws_str text = {said ? said->p : NULL, said ? said->n : 0};
    *b = (struct replay_bucket){0};
    bool held =
        o.end == REPLAY_CRASHED && of_property(text, b->property, b->error, sizeof b->error);
    if (!held)
        find_error(c, o, text, b->error, sizeof b->error);
    if (!held && o.end == REPLAY_CRASHED)
        find_frames(text, b);
    size_t n = add(b->key, sizeof b->key, 0, 0, held ? b->property : replay_name(c));
    n = add(b->key, sizeof b->key, n, ':', b->error);
    for (unsigned i = 0; i < b->frame_n; i++)
        n = add(b->key, sizeof b->key, n, ':', b->frames[i]);
}

static uint64_t mixed(uint64_t h, struct sipws_str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 0x100000001B3u; /* FNV-1a */
    return h;
}

uint64_t replay_fingerprint(struct replay_outcome o, const struct replay_said *said)
{
    char error[160] = "";
    struct sipws_str rest = {said->p, said->n}, line, ub;
    struct frame f;
    bool seen = false;
    unsigned last = 0;
    uint64_t h = 0xCBF29CE484222325u + (uint64_t)o.end * 1000 + (uint64_t)o.code;
    char name[40];
    if (of_property(rest, name, error, sizeof error)) {
        h = mixed(h, (struct sipws_str){name, strlen(name)});
        return mixed(h, (struct sipws_str){error, strlen(error)});
    }
    while (next_line(&rest, &line)) {
        if ((ub = behind(line, ": runtime error: ")).p) {
            copy_plain(error, sizeof error, ub);
            h = mixed(h, (struct sipws_str){error, strlen(error)});
        } else if (of_assert(error, sizeof error, line) ||
                   of_sanitizer(error, sizeof error, line)) {
            h = mixed(h, (struct sipws_str){error, strlen(error)});
        } else if (read_frame(line, &f) && !(seen && f.index < last) && f.index < 12) {
            h = mixed(h, first_word(behind(f.place, "(")));
            seen = true;
            last = f.index;
        } else if (seen) {
            last = 12; /* no frame of another stack */
        }
    }
    return h;
}
