#include "story.h"

#include <stdarg.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put_text(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
}

static struct sipws_str text_of(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static const struct {
    const char *name;
    uint8_t opcode;
} opcodes[] = {{"continuation", SIPWS_CONTINUATION},
               {"text", SIPWS_TEXT},
               {"binary", SIPWS_BINARY},
               {"close", SIPWS_CLOSE},
               {"ping", SIPWS_PING},
               {"pong", SIPWS_PONG}};

static const char *opcode_name(unsigned opcode)
{
    for (size_t i = 0; i < COUNT(opcodes); i++)
        if (opcodes[i].opcode == opcode)
            return opcodes[i].name;
    return NULL;
}

static const char *const limit_names[] = {"head", "message", "fragments"};
static const char *const form_names[] = {"shortest", "7", "16", "64"};
static const char *const allow_names[] = SIPWS_ALLOW_NAMES;

static void put_wire(const struct story *s, const struct story_step *st, struct sipws_out *o);

/* ---- reading --------------------------------------------------------------------------------- */

struct reader {
    struct arena *a;
    struct story *s;
    struct story_error *e;
    const char *next, *end; /* of the text, behind the current line */
    const char *start;      /* of the current line */
    const char *p, *stop;   /* within the current line; stop is its end, without LF */
    size_t line;
};

static bool refuse(struct reader *r, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool refuse(struct reader *r, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    r->e->line = r->line;
    r->e->column = (size_t)(at - r->start) + 1;
    vsnprintf(r->e->reason, sizeof r->e->reason, format, args);
    va_end(args);
    return false;
}

/* The next line; false at the end. */
static bool next_line(struct reader *r)
{
    if (r->next == r->end)
        return false;
    const char *lf = memchr(r->next, '\n', (size_t)(r->end - r->next));
    r->start = r->p = r->next;
    r->stop = lf ? lf : r->end;
    r->next = lf ? lf + 1 : r->end;
    r->line++;
    return true;
}

static bool blank(const char *p, const char *stop)
{
    while (p < stop && (*p == ' ' || *p == '\t' || *p == '\r'))
        p++;
    return p == stop;
}

static void skip(struct reader *r)
{
    while (r->p < r->stop && *r->p == ' ')
        r->p++;
}

static bool at_end(struct reader *r)
{
    skip(r);
    return r->p == r->stop;
}

/* The word up to the next space; empty at the end of the line. */
static struct sipws_str word(struct reader *r)
{
    skip(r);
    const char *from = r->p;
    while (r->p < r->stop && *r->p != ' ')
        r->p++;
    return sipws_slice(from, r->p);
}

static bool is(struct sipws_str s, const char *name)
{
    return sipws_str_eq(s, text_of(name));
}

static int digit_of(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    if (ch >= 'a' && ch <= 'f')
        return ch - 'a' + 10;
    return ch >= 'A' && ch <= 'F' ? ch - 'A' + 10 : -1;
}

static bool number(struct reader *r, struct sipws_str s, uint64_t max, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < s.n; i++) {
        int digit = s.p[i] >= '0' && s.p[i] <= '9' ? s.p[i] - '0' : -1;
        if (digit < 0)
            return refuse(r, s.p + i, "a number is made of decimal digits");
        if ((unsigned)digit > max || *value > (max - (unsigned)digit) / 10)
            return refuse(r, s.p, "the number is above %llu", (unsigned long long)max);
        *value = *value * 10 + (unsigned)digit;
    }
    return s.n > 0 || refuse(r, s.p, "a number is missing");
}

/* Octets are put into what is left of the arena; arena_end closes them. */
static bool escape(struct reader *r, struct sipws_out *o)
{
    const char *at = r->p++;
    char ch = r->p < r->stop ? *r->p++ : '\0';
    switch (ch) {
    case 'r':
        sipws_put_char(o, '\r');
        return true;
    case 'n':
        sipws_put_char(o, '\n');
        return true;
    case 't':
        sipws_put_char(o, '\t');
        return true;
    case '\\':
    case '"':
        sipws_put_char(o, ch);
        return true;
    case 'x':
        if (r->stop - r->p >= 2 && digit_of(r->p[0]) >= 0 && digit_of(r->p[1]) >= 0) {
            sipws_put_char(o, (char)(digit_of(r->p[0]) << 4 | digit_of(r->p[1])));
            r->p += 2;
            return true;
        }
        return refuse(r, at, "\\x is followed by two hexadecimal digits");
    default:
        return refuse(r, at, "an escape is one of \\r \\n \\t \\\\ \\\" \\xHH");
    }
}

static bool quoted(struct reader *r, struct sipws_out *o)
{
    const char *open = r->p++;
    while (r->p < r->stop && *r->p != '"') {
        if (*r->p == '\\') {
            if (!escape(r, o))
                return false;
        } else {
            sipws_put_char(o, *r->p++);
        }
    }
    if (r->p == r->stop)
        return refuse(r, open, "the string does not end on its line");
    r->p++;
    return true;
}

static bool hex(struct reader *r, struct sipws_out *o)
{
    const char *from = ++r->p;
    for (; r->p < r->stop && *r->p != ' '; r->p += 2) {
        if (r->stop - r->p < 2 || digit_of(r->p[0]) < 0 || digit_of(r->p[1]) < 0)
            return refuse(r, r->p, "hexadecimal octets are pairs of digits");
        sipws_put_char(o, (char)(digit_of(r->p[0]) << 4 | digit_of(r->p[1])));
    }
    return r->p > from || refuse(r, from - 1, "x is followed by hexadecimal octets");
}

/* N*"string": the string N times. */
static bool repeated(struct reader *r, struct sipws_out *o)
{
    const char *from = r->p;
    uint64_t times;
    while (r->p < r->stop && *r->p >= '0' && *r->p <= '9')
        r->p++;
    if (!number(r, sipws_slice(from, r->p), 1 << 20, &times))
        return false;
    if (r->stop - r->p < 2 || r->p[0] != '*' || r->p[1] != '"')
        return refuse(r, r->p, "a count is followed by * and a string");
    r->p++;
    size_t before = o->n;
    if (!quoted(r, o))
        return false;
    size_t n = o->n - before;
    if (n * times > o->cap) {
        o->n = o->cap + 1;
        return true;
    }
    if (times == 0)
        o->n = before;
    for (uint64_t i = 1; i < times && sipws_out_ok(o); i++)
        sipws_put(o, (struct sipws_str){o->p + before, n});
    return true;
}

/* The octets on the rest of the line. */
static bool items(struct reader *r, struct sipws_str *out)
{
    struct sipws_out o = arena_begin(r->a);
    while (!at_end(r)) {
        bool ok;
        if (*r->p == '"')
            ok = quoted(r, &o);
        else if (*r->p == 'x')
            ok = hex(r, &o);
        else if (*r->p >= '0' && *r->p <= '9')
            ok = repeated(r, &o);
        else
            return refuse(r, r->p, "octets are \"text\", xHEX or N*\"text\"; options stand before");
        if (!ok)
            return false;
        if (r->p < r->stop && *r->p != ' ')
            return refuse(r, r->p, "a space is missing");
    }
    *out = arena_end(r->a, &o);
    return true;
}

/* Whether the next line that says anything is indented. */
static bool block_follows(const struct reader *r)
{
    const char *p = r->next;
    while (p < r->end) {
        const char *lf = memchr(p, '\n', (size_t)(r->end - p));
        const char *stop = lf ? lf : r->end;
        if (*p != '#' && !blank(p, stop))
            return *p == ' ' || *p == '\t';
        p = lf ? lf + 1 : r->end;
    }
    return false;
}

/* The lines indented by two spaces, each with CRLF unless it ends in a backslash. An empty line
 * counts where another one of the block follows it. */
static bool block(struct reader *r, struct sipws_str *out)
{
    struct sipws_out o = arena_begin(r->a);
    bool first = true;
    while (block_follows(r)) {
        if (!next_line(r))
            break;
        if (r->p < r->stop && *r->p == '#')
            continue;
        if (blank(r->start, r->stop)) {
            if (first)
                return refuse(r, r->start, "an indented line is wanted here, not an empty one");
            sipws_put_lit(&o, "\r\n");
            continue;
        }
        if (r->stop - r->p < 2 || r->p[0] != ' ' || r->p[1] != ' ')
            return refuse(r, r->p, "lines of octets are indented by two spaces");
        first = false;
        bool open = false;
        for (r->p += 2; r->p < r->stop;) {
            if (*r->p != '\\') {
                sipws_put_char(&o, *r->p++);
            } else if (r->p + 1 == r->stop) {
                open = true;
                r->p++;
            } else if (!escape(r, &o)) {
                return false;
            }
        }
        if (!open)
            sipws_put_lit(&o, "\r\n");
    }
    *out = arena_end(r->a, &o);
    return true;
}

static bool cuts(struct reader *r, struct story_step *step, struct sipws_str list)
{
    const char *p = list.p, *end = p + list.n;
    for (;;) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        struct sipws_str one = sipws_slice(p, comma ? comma : end);
        uint64_t at;
        if (!number(r, one, UINT32_MAX, &at))
            return false;
        if (at == 0 || (step->cuts > 0 && at <= step->cut[step->cuts - 1]))
            return refuse(r, p, "cuts are above 0 and ascend");
        if (step->cuts == STORY_CUTS)
            return refuse(r, p, "a step has at most %d cuts", STORY_CUTS);
        step->cut[step->cuts++] = (uint32_t)at;
        if (!comma)
            return true;
        p = comma + 1;
    }
}

static bool mask(struct reader *r, struct story_step *step, struct sipws_str value)
{
    if (is(value, "no")) {
        step->mask = STORY_MASK_NO;
        return true;
    }
    if (value.n != 8)
        return refuse(r, value.p, "mask is no, or a key of eight hexadecimal digits");
    step->mask = STORY_MASK_KEY;
    for (size_t i = 0; i < 8; i++) {
        int digit = digit_of(value.p[i]);
        if (digit < 0)
            return refuse(r, value.p + i, "mask is no, or a key of eight hexadecimal digits");
        step->key[i / 2] = (unsigned char)(step->key[i / 2] << 4 | digit);
    }
    return true;
}

static bool form(struct reader *r, struct story_step *step, struct sipws_str value)
{
    for (unsigned i = STORY_FORM_7; i < COUNT(form_names); i++)
        if (is(value, form_names[i])) {
            step->form = (enum story_form)i;
            return true;
        }
    return refuse(r, value.p, "form is 7, 16 or 64");
}

/* NAME=VALUE, or a word. *known: it is an option of the step. */
static bool option(struct reader *r, struct story_step *step, struct sipws_str w, bool *known)
{
    const char *eq = memchr(w.p, '=', w.n);
    struct sipws_str name = eq ? sipws_slice(w.p, eq) : w;
    struct sipws_str value = eq ? sipws_slice(eq + 1, w.p + w.n) : (struct sipws_str){w.p, 0};
    bool frame = step->kind == STORY_FRAME || step->kind == STORY_SIP;
    uint64_t n;
    *known = true;
    if (eq && is(name, "cut"))
        return cuts(r, step, value);
    if (frame && eq && is(name, "mask"))
        return mask(r, step, value);
    if (frame && eq && is(name, "form"))
        return form(r, step, value);
    if (frame && eq && is(name, "length")) {
        step->has_length = true;
        return number(r, value, UINT64_MAX, &step->length);
    }
    if (frame && eq && is(name, "rsv")) {
        if (!number(r, value, 7, &n))
            return false;
        step->rsv = (uint8_t)n;
        return true;
    }
    if (frame && is(w, "more"))
        return step->more = true;
    if (step->kind == STORY_SIP && is(w, "binary")) {
        step->opcode = SIPWS_BINARY;
        return true;
    }
    if ((step->kind == STORY_SIP || step->kind == STORY_HANDSHAKE) && is(w, "as-is"))
        return step->as_is = true;
    if (step->kind == STORY_HANDSHAKE && is(w, "good"))
        return step->good = true;
    *known = false;
    return true;
}

/* Options, then octets: on the line, or as a block. */
static bool octets(struct reader *r, struct story_step *step)
{
    const char *from;
    bool known = true;
    while (known && !at_end(r)) {
        from = r->p;
        if (*from == '"' || (*from >= '0' && *from <= '9'))
            break;
        struct sipws_str w = word(r);
        if (!option(r, step, w, &known))
            return false;
        if (!known && (*from != 'x' || step->kind == STORY_SIP || step->kind == STORY_HANDSHAKE))
            return refuse(r, from, "%.*s is no option of this step", w.n > 40 ? 40 : (int)w.n, w.p);
        if (!known)
            r->p = from;
    }
    from = r->p;
    if (step->kind == STORY_FRAME && step->opcode == SIPWS_CLOSE && from < r->stop &&
        *from >= '0' && *from <= '9') {
        /* close 1000 "reason" */
        const char *digits = from;
        while (digits < r->stop && *digits >= '0' && *digits <= '9')
            digits++;
        if (digits == r->stop || *digits == ' ') {
            uint64_t code;
            struct sipws_str reason = {NULL, 0};
            r->p = digits;
            if (!number(r, sipws_slice(from, digits), 65535, &code) || !items(r, &reason))
                return false;
            struct sipws_out o = arena_begin(r->a);
            sipws_put_char(&o, (char)(code >> 8));
            sipws_put_char(&o, (char)(code & 255));
            sipws_put(&o, reason);
            step->octets = arena_end(r->a, &o);
            return true;
        }
    }
    if (!at_end(r)) {
        if (step->kind == STORY_SIP || step->kind == STORY_HANDSHAKE)
            return refuse(r, r->p, "the lines of this step follow indented by two spaces");
        if (!items(r, &step->octets))
            return false;
        if (block_follows(r))
            return refuse(r, from, "octets stand on the line or indented below it, not both");
        return true;
    }
    if (step->kind == STORY_HANDSHAKE && step->good) {
        if (step->as_is || block_follows(r))
            return refuse(r, r->start, "a good handshake has no lines of its own");
        return true;
    }
    if (block_follows(r))
        return block(r, &step->octets);
    if (step->kind != STORY_FRAME)
        return refuse(r, r->p, "the octets of this step are missing");
    return true;
}

static bool settings(struct reader *r, struct sipws_str w, bool *known)
{
    struct story *s = r->s;
    uint64_t n;
    *known = true;
    if (is(w, "title")) {
        skip(r);
        s->title = arena_copy(r->a, sipws_slice(r->p, r->stop));
        r->p = r->stop;
        return s->title.n > 0 || refuse(r, r->p, "the title is missing");
    }
    if (is(w, "engine")) {
        struct sipws_str role = word(r);
        if (!is(role, "server") && !is(role, "client"))
            return refuse(r, role.p, "an engine is a server or a client");
        s->role = is(role, "server") ? SIPWS_SERVER : SIPWS_CLIENT;
        s->tls = false;
        if (at_end(r))
            return true;
        struct sipws_str tls = word(r);
        s->tls = true;
        return is(tls, "tls") || refuse(r, tls.p, "only tls may follow");
    }
    if (is(w, "refuse"))
        return s->refuse = true;
    if (is(w, "pieces")) {
        w = word(r);
        if (!number(r, w, UINT32_MAX, &n))
            return false;
        s->pieces = (uint32_t)n;
        return n > 0 || refuse(r, w.p, "a piece has at least one octet");
    }
    if (is(w, "allow")) {
        w = word(r);
        for (unsigned i = 0; allow_names[i]; i++)
            if (is(w, allow_names[i])) {
                s->allow |= UINT32_C(1) << i;
                return true;
            }
        return refuse(r, w.p, "no leniency has this name");
    }
    if (is(w, "limit")) {
        struct sipws_str which = word(r);
        if (!is(which, "head") && !is(which, "message") && !is(which, "fragments"))
            return refuse(r, which.p, "a limit is of head, message or fragments");
        if (!number(r, word(r), DRIVE_MESSAGE, &n))
            return false;
        if (is(which, "head"))
            s->limits.head = (size_t)n;
        else if (is(which, "message"))
            s->limits.message = (size_t)n;
        else
            s->limits.fragments = (uint32_t)n;
        return true;
    }
    *known = false;
    return true;
}

static bool step(struct reader *r, struct sipws_str w)
{
    struct story *s = r->s;
    if (s->n == STORY_STEPS)
        return refuse(r, r->start, "a story has at most %d steps", STORY_STEPS);
    struct story_step *st = &s->steps[s->n++];
    st->line = (uint32_t)r->line;
    uint64_t n;
    for (size_t i = 0; i < COUNT(opcodes); i++)
        if (is(w, opcodes[i].name)) {
            st->kind = STORY_FRAME;
            st->opcode = opcodes[i].opcode;
            return octets(r, st);
        }
    if (is(w, "opcode")) {
        st->kind = STORY_FRAME;
        if (!number(r, word(r), 15, &n))
            return false;
        st->opcode = (uint8_t)n;
        return octets(r, st);
    }
    if (is(w, "sip")) {
        st->kind = STORY_SIP;
        st->opcode = SIPWS_TEXT;
        return octets(r, st);
    }
    if (is(w, "handshake")) {
        st->kind = STORY_HANDSHAKE;
        return octets(r, st);
    }
    if (is(w, "raw")) {
        st->kind = STORY_RAW;
        return octets(r, st);
    }
    if (is(w, "cut")) {
        st->kind = STORY_CUT;
        return true;
    }
    if (is(w, "end")) {
        st->kind = STORY_END;
        return true;
    }
    if (is(w, "wait")) {
        st->kind = STORY_WAIT;
        if (!number(r, word(r), UINT32_MAX, &n))
            return false;
        st->ms = (uint32_t)n;
        return true;
    }
    if (is(w, "expect")) {
        st->kind = STORY_EXPECT;
        skip(r);
        const char *stop = r->stop;
        while (stop > r->p && (stop[-1] == ' ' || stop[-1] == '\t'))
            stop--;
        st->octets = arena_copy(r->a, sipws_slice(r->p, stop));
        r->p = r->stop;
        return st->octets.n > 0 || refuse(r, r->p, "what is expected?");
    }
    return refuse(r, w.p, "no step and no setting is called %.*s", w.n > 40 ? 40 : (int)w.n, w.p);
}

/* Cuts behind the octets of their step would be without effect. */
static bool cuts_fit(struct reader *r, const char *start, size_t line)
{
    const struct story_step *st = &r->s->steps[r->s->n - 1];
    struct sipws_out o = sipws_out(NULL, 0);
    if (st->cuts == 0)
        return true;
    put_wire(r->s, st, &o);
    if (st->cut[st->cuts - 1] < o.n)
        return true;
    r->start = start;
    r->line = line;
    return refuse(r, start, "the step has %zu octets; its last cut is at %u", o.n,
                  (unsigned)st->cut[st->cuts - 1]);
}

static bool all_lines(struct reader *r)
{
    bool known, engine = false, ended = false;
    while (next_line(r)) {
        if (blank(r->start, r->stop) || *r->start == '#')
            continue;
        if (r->stop[-1] == '\r')
            return refuse(r, r->stop - 1, "a line ends with LF alone");
        if (*r->p == ' ' || *r->p == '\t')
            return refuse(r, r->p, "an indented line belongs to no step");
        struct sipws_str w = word(r);
        if (!settings(r, w, &known))
            return false;
        if (known) {
            if (r->s->n > 0)
                return refuse(r, w.p, "settings stand before the first step");
            engine = engine || is(w, "engine");
        } else {
            if (!engine)
                return refuse(r, w.p, "`engine server` or `engine client` must stand before this");
            const char *start = r->start;
            size_t line = r->line;
            if (!step(r, w) || (!r->a->full && !cuts_fit(r, start, line)))
                return false;
            enum story_kind kind = r->s->steps[r->s->n - 1].kind;
            if (ended && kind != STORY_EXPECT)
                return refuse(r, r->start, "nothing follows the end of the stream");
            ended = ended || kind == STORY_END;
        }
        if (!at_end(r))
            return refuse(r, r->p, "the line should end here");
    }
    if (!engine)
        return refuse(r, r->p, "there is no engine");
    return true;
}

bool story_is(struct sipws_str text)
{
    const size_t n = sizeof STORY_MAGIC - 1;
    return text.n >= n && memcmp(text.p, STORY_MAGIC, n) == 0;
}

struct story *story_read(struct sipws_str text, struct arena *a, struct story_error *e)
{
    struct reader r = {.a = a, .s = arena_get(a, sizeof *r.s), .e = e};
    *e = (struct story_error){0, 0, "the story is too large"};
    if (!r.s)
        return NULL;
    if (!story_is(text)) {
        *e = (struct story_error){1, 1, "a story begins with the line: sipws-story 1"};
        return NULL;
    }
    r.start = r.p = r.stop = r.next = text.p + sizeof STORY_MAGIC - 1;
    r.end = text.p + text.n;
    r.line = 1;
    r.s->limits = SIPWS_LIMITS_DEFAULT;
    if (!all_lines(&r))
        return NULL;
    if (a->full) {
        *e = (struct story_error){r.line, 1, "the story is too large"};
        return NULL;
    }
    return r.s;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void put_escaped(struct sipws_out *o, unsigned char ch, bool last)
{
    static const char digits[] = "0123456789ABCDEF";
    if (ch == '\r' || ch == '\n' || ch == '\t') {
        sipws_put_char(o, '\\');
        sipws_put_char(o, ch == '\r' ? 'r' : ch == '\n' ? 'n' : 't');
    } else if (ch == '\\') {
        put_text(o, "\\\\");
    } else if (ch < ' ' || ch > '~' || (ch == ' ' && last)) {
        char hexed[4] = {'\\', 'x', digits[ch >> 4], digits[ch & 15]};
        sipws_put(o, (struct sipws_str){hexed, sizeof hexed});
    } else {
        sipws_put_char(o, (char)ch);
    }
}

static void put_quoted(struct sipws_out *o, struct sipws_str s)
{
    sipws_put_char(o, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            sipws_put_char(o, '\\');
        put_escaped(o, (unsigned char)s.p[i], false);
    }
    sipws_put_char(o, '"');
}

/* Octets as indented lines. Empty lines at the start and end are spelled out, as a block cannot
 * begin or end with one. */
static void put_block(struct sipws_out *o, struct sipws_str s)
{
    const char *p = s.p, *end = p + s.n, *last = end;
    while (last - p >= 4 && memcmp(last - 4, "\r\n\r\n", 4) == 0)
        last -= 2;
    while (p < end) {
        const char *stop = p;
        while (stop < end && !(stop + 1 < end && stop[0] == '\r' && stop[1] == '\n'))
            stop++;
        bool crlf = stop < end;
        if (stop == p && crlf && (p == s.p || p >= last)) {
            put_text(o, "  \\r\\n\\\n");
        } else if (stop == p) {
            put_text(o, "\n");
        } else {
            put_text(o, "  ");
            for (const char *q = p; q < stop; q++)
                put_escaped(o, (unsigned char)*q, q + 1 == stop);
            put_text(o, crlf ? "\n" : "\\\n");
        }
        p = crlf ? stop + 2 : end;
    }
}

static void put_option(struct sipws_out *o, const char *name, uint64_t value)
{
    put_text(o, name);
    sipws_put_uint(o, value);
}

static void put_step(struct sipws_out *o, const struct story_step *st)
{
    static const char digits[] = "0123456789abcdef";
    bool frame = st->kind == STORY_FRAME || st->kind == STORY_SIP;
    switch (st->kind) {
    case STORY_HANDSHAKE:
        put_text(o, st->good ? "handshake good" : "handshake");
        break;
    case STORY_FRAME:
        if (opcode_name(st->opcode))
            put_text(o, opcode_name(st->opcode));
        else
            put_option(o, "opcode ", st->opcode);
        break;
    case STORY_SIP:
        put_text(o, st->opcode == SIPWS_BINARY ? "sip binary" : "sip");
        break;
    case STORY_RAW:
        put_text(o, "raw");
        break;
    case STORY_CUT:
        put_text(o, "cut");
        break;
    case STORY_WAIT:
        put_option(o, "wait ", st->ms);
        break;
    case STORY_END:
        put_text(o, "end");
        break;
    case STORY_EXPECT:
        put_text(o, "expect ");
        sipws_put(o, st->octets);
        break;
    }
    put_text(o, st->as_is ? " as-is" : "");
    if (frame) {
        put_text(o, st->more ? " more" : "");
        if (st->rsv)
            put_option(o, " rsv=", st->rsv);
        if (st->mask == STORY_MASK_NO)
            put_text(o, " mask=no");
        if (st->mask == STORY_MASK_KEY) {
            put_text(o, " mask=");
            for (int i = 0; i < 4; i++) {
                sipws_put_char(o, digits[st->key[i] >> 4]);
                sipws_put_char(o, digits[st->key[i] & 15]);
            }
        }
        if (st->form) {
            put_text(o, " form=");
            put_text(o, form_names[st->form]);
        }
        if (st->has_length)
            put_option(o, " length=", st->length);
    }
    for (unsigned i = 0; i < st->cuts; i++)
        put_option(o, i ? "," : " cut=", st->cut[i]);
    struct sipws_str octets = st->octets;
    if (st->kind == STORY_FRAME && st->opcode == SIPWS_CLOSE && octets.n >= 2) {
        const unsigned char *code = (const unsigned char *)octets.p;
        put_option(o, " ", (unsigned)(code[0] << 8 | code[1]));
        octets = sipws_slice(octets.p + 2, octets.p + octets.n);
    }
    if ((st->kind == STORY_FRAME && octets.n > 0) || st->kind == STORY_RAW) {
        sipws_put_char(o, ' ');
        put_quoted(o, octets);
    }
    sipws_put_char(o, '\n');
    if (st->kind == STORY_SIP || (st->kind == STORY_HANDSHAKE && !st->good))
        put_block(o, st->octets);
}

void story_print(const struct story *s, struct sipws_out *o)
{
    const struct sipws_limits usual = SIPWS_LIMITS_DEFAULT;
    const uint64_t is_now[] = {s->limits.head, s->limits.message, s->limits.fragments};
    const uint64_t was[] = {usual.head, usual.message, usual.fragments};
    put_text(o, STORY_MAGIC);
    if (s->title.n > 0) {
        put_text(o, "title ");
        sipws_put(o, s->title);
        put_text(o, "\n");
    }
    put_text(o, s->role == SIPWS_SERVER ? "engine server" : "engine client");
    put_text(o, s->tls ? " tls\n" : "\n");
    if (s->refuse)
        put_text(o, "refuse\n");
    for (unsigned i = 0; allow_names[i]; i++)
        if (s->allow & UINT32_C(1) << i) {
            put_text(o, "allow ");
            put_text(o, allow_names[i]);
            put_text(o, "\n");
        }
    for (size_t i = 0; i < COUNT(was); i++)
        if (is_now[i] != was[i]) {
            put_text(o, "limit ");
            put_text(o, limit_names[i]);
            put_option(o, " ", is_now[i]);
            put_text(o, "\n");
        }
    if (s->pieces) {
        put_option(o, "pieces ", s->pieces);
        put_text(o, "\n");
    }
    for (size_t i = 0; i < s->n; i++)
        put_step(o, &s->steps[i]);
}

static bool step_same(const struct story_step *a, const struct story_step *b)
{
    return a->kind == b->kind && a->good == b->good && a->as_is == b->as_is && a->more == b->more &&
           a->rsv == b->rsv && a->opcode == b->opcode && a->mask == b->mask &&
           memcmp(a->key, b->key, 4) == 0 && a->form == b->form && a->has_length == b->has_length &&
           a->length == b->length && sipws_str_eq(a->octets, b->octets) && a->ms == b->ms &&
           a->cuts == b->cuts && memcmp(a->cut, b->cut, a->cuts * sizeof *a->cut) == 0;
}

bool story_same(const struct story *s, const struct story *t)
{
    if (!sipws_str_eq(s->title, t->title) || s->role != t->role || s->tls != t->tls ||
        s->refuse != t->refuse || s->allow != t->allow || s->limits.head != t->limits.head ||
        s->limits.message != t->limits.message || s->limits.fragments != t->limits.fragments ||
        s->pieces != t->pieces || s->n != t->n)
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (!step_same(&s->steps[i], &t->steps[i]))
            return false;
    return true;
}

/* ---- octets ---------------------------------------------------------------------------------- */

#define GOOD_REQUEST                                                                               \
    "GET /sip HTTP/1.1\r\n"                                                                        \
    "Host: ws.example.org\r\n"                                                                     \
    "Upgrade: websocket\r\n"                                                                       \
    "Connection: Upgrade\r\n"                                                                      \
    "Sec-WebSocket-Key: " DRIVE_KEY "\r\n"                                                         \
    "Sec-WebSocket-Version: 13\r\n"                                                                \
    "Sec-WebSocket-Protocol: sip\r\n\r\n"

#define GOOD_RESPONSE                                                                              \
    "HTTP/1.1 101 Switching Protocols\r\n"                                                         \
    "Upgrade: websocket\r\n"                                                                       \
    "Connection: Upgrade\r\n"                                                                      \
    "Sec-WebSocket-Accept: " DRIVE_ACCEPT "\r\n"                                                   \
    "Sec-WebSocket-Protocol: sip\r\n\r\n"

/* Where the empty line ends that ends the head; 0: there is none. */
static size_t head_end(struct sipws_str s)
{
    for (size_t i = 4; i <= s.n; i++)
        if (memcmp(s.p + i - 4, "\r\n\r\n", 4) == 0)
            return i;
    return 0;
}

/* Content-Length or l in the lines of a head; naive, no code of ref. */
static bool tells_length(struct sipws_str head)
{
    static const char *const names[] = {"content-length", "l"};
    for (size_t i = 0; i < head.n; i++) {
        if (i > 0 && head.p[i - 1] != '\n')
            continue;
        for (size_t k = 0; k < COUNT(names); k++) {
            size_t n = strlen(names[k]), at = i + n;
            if (at >= head.n || !sipws_octets_ieq(head.p + i, names[k], n))
                continue;
            while (at < head.n && (head.p[at] == ' ' || head.p[at] == '\t'))
                at++;
            if (at < head.n && head.p[at] == ':')
                return true;
        }
    }
    return false;
}

/* The payload with what is derived. */
static void put_payload(struct sipws_out *o, const struct story_step *st)
{
    struct sipws_str s = st->octets;
    if (st->kind != STORY_SIP || st->as_is) {
        sipws_put(o, s);
        return;
    }
    size_t end = head_end(s), lines = end ? end - 2 : s.n;
    struct sipws_str head = {s.p, lines}, body = {NULL, 0};
    if (end)
        body = sipws_slice(s.p + end, s.p + s.n);
    sipws_put(o, head);
    if (!tells_length(head)) {
        put_option(o, "Content-Length: ", body.n);
        put_text(o, "\r\n");
    }
    put_text(o, "\r\n");
    sipws_put(o, body);
}

static void put_frame(const struct story *s, const struct story_step *st, struct sipws_out *o)
{
    struct sipws_out measure = sipws_out(NULL, 0);
    unsigned char key[4] = {STORY_KEY, STORY_KEY, STORY_KEY, STORY_KEY};
    bool masked =
        st->mask == STORY_MASK_KEY || (st->mask == STORY_MASK_ROLE && s->role == SIPWS_SERVER);
    put_payload(&measure, st);
    uint64_t len = st->has_length ? st->length : measure.n;
    enum story_form as = st->form      ? st->form
                         : len < 126   ? STORY_FORM_7
                         : len < 65536 ? STORY_FORM_16
                                       : STORY_FORM_64;
    unsigned extra = as == STORY_FORM_7 ? 0 : as == STORY_FORM_16 ? 2 : 8;
    unsigned second = extra == 0 ? (unsigned)(len & 127) : extra == 2 ? 126 : 127;
    if (st->mask == STORY_MASK_KEY)
        memcpy(key, st->key, 4);
    sipws_put_char(o, (char)((st->more ? 0 : 128) | st->rsv << 4 | st->opcode));
    sipws_put_char(o, (char)((masked ? 128 : 0) | second));
    while (extra-- > 0)
        sipws_put_char(o, (char)(len >> 8 * extra & 255));
    if (masked)
        sipws_put(o, (struct sipws_str){(char *)key, 4});
    size_t from = o->n;
    put_payload(o, st);
    if (masked && sipws_out_ok(o))
        twin_unmask((unsigned char *)o->p + from, o->n - from, key, 0);
}

static void put_wire(const struct story *s, const struct story_step *st, struct sipws_out *o)
{
    switch (st->kind) {
    case STORY_HANDSHAKE:
        if (st->good)
            put_text(o, s->role == SIPWS_SERVER ? GOOD_REQUEST : GOOD_RESPONSE);
        else
            sipws_put(o, st->octets);
        if (!st->good && !st->as_is && !head_end(st->octets))
            put_text(o, "\r\n");
        break;
    case STORY_FRAME:
    case STORY_SIP:
        put_frame(s, st, o);
        break;
    case STORY_RAW:
        sipws_put(o, st->octets);
        break;
    case STORY_CUT:
    case STORY_WAIT:
    case STORY_END:
    case STORY_EXPECT:
        break;
    }
}

void story_wire(const struct story *s, struct sipws_out *o)
{
    for (size_t i = 0; i < s->n; i++)
        put_wire(s, &s->steps[i], o);
}

/* ---- generated stories ----------------------------------------------------------------------- */

static struct story_step *add(struct story *s, enum story_kind kind)
{
    struct story_step *st = &s->steps[s->n < STORY_STEPS ? s->n++ : STORY_STEPS - 1];
    *st = (struct story_step){.kind = kind};
    return st;
}

/* What is declared is left to derivation wherever that gives the same. */
static void add_frame(struct story *s, const struct gen_ws_frame *f)
{
    struct story_step *st = add(s, STORY_FRAME);
    enum story_form usual = f->len < 126     ? STORY_FORM_7
                            : f->len < 65536 ? STORY_FORM_16
                                             : STORY_FORM_64;
    enum story_form as = f->len_extra == 0   ? STORY_FORM_7
                         : f->len_extra == 2 ? STORY_FORM_16
                                             : STORY_FORM_64;
    st->more = !f->fin;
    st->rsv = f->rsv;
    st->opcode = f->opcode;
    st->mask = f->masked                 ? STORY_MASK_KEY
               : s->role == SIPWS_SERVER ? STORY_MASK_NO
                                         : STORY_MASK_ROLE;
    if (f->masked)
        memcpy(st->key, f->key, 4);
    st->has_length = f->len != f->payload.n;
    st->length = st->has_length ? f->len : 0;
    st->form = as == usual ? STORY_FORM_SHORTEST : as;
    st->octets = f->payload;
    if (f->fin && (f->opcode == SIPWS_TEXT || f->opcode == SIPWS_BINARY) && f->payload.n > 4 &&
        head_end(f->payload)) { /* in lines, for people */
        st->kind = STORY_SIP;
        st->as_is = true;
    }
}

struct story *story_of_conn(const struct gen_conn *c, struct arena *a)
{
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->role = c->role;
    s->tls = c->tls;
    s->limits = c->ws->limits;
    s->limits.head = SIPWS_LIMITS_DEFAULT.head;
    struct story_step *head = add(s, STORY_HANDSHAKE);
    head->as_is = true;
    head->octets = c->head;
    struct sipws_str wire = c->ws->wire;
    size_t at = 0;
    for (size_t i = 0; i < c->ws->n && at < wire.n; i++) {
        struct sipws_out o = arena_begin(a);
        add_frame(s, &c->ws->frames[i]);
        put_frame(s, &s->steps[s->n - 1], &o);
        struct sipws_str made = arena_end(a, &o);
        if (!made.p)
            return NULL;
        if (made.n > wire.n - at || memcmp(made.p, wire.p + at, made.n) != 0) {
            s->n--;
            break;
        }
        at += made.n;
    }
    if (at < wire.n)
        add(s, STORY_RAW)->octets = sipws_slice(wire.p + at, wire.p + wire.n);
    if (c->ws->ended)
        add(s, STORY_END);
    return a->full ? NULL : s;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The lines of what happened. */
struct teller {
    struct sipws_out *o;
    size_t seen; /* octets of what was sent that are told */
    bool headed; /* the head of the engine was among them */
};

/* One frame, whole: the engine prints no others. */
static void tell_frame(struct teller *t, struct sipws_str *left)
{
    const unsigned char *p = (const unsigned char *)left->p;
    size_t len = p[1] & 127, head = 2;
    if (len == 126) {
        len = (size_t)p[2] << 8 | p[3];
        head = 4;
    } else if (len == 127) {
        len = 0;
        for (int i = 0; i < 8; i++)
            len = len << 8 | p[2 + i];
        head = 10;
    }
    head += p[1] & 128 ? 4 : 0; /* the key is zero: drive.h */
    struct sipws_str payload = {left->p + head, len};
    const char *name = opcode_name(p[0] & 15);
    put_text(t->o, "sent ");
    put_text(t->o, name ? name : "?");
    if ((p[0] & 15) == SIPWS_CLOSE && len >= 2) {
        put_option(t->o, " ", (unsigned)p[head] << 8 | p[head + 1]);
        payload = sipws_slice(payload.p + 2, payload.p + len);
    }
    if (payload.n > 0) {
        sipws_put_char(t->o, ' ');
        drive_put_octets(t->o, payload);
    }
    sipws_put_char(t->o, '\n');
    *left = sipws_slice(left->p + head + len, left->p + left->n);
}

/* The first line of a head: "sent GET …", "sent HTTP/1.1 101 …". */
static void tell_head(struct teller *t, struct sipws_str *left)
{
    const char *cr = memchr(left->p, '\r', left->n);
    size_t end = head_end(*left);
    put_text(t->o, "sent ");
    sipws_put(t->o, sipws_slice(left->p, cr ? cr : left->p + left->n));
    sipws_put_char(t->o, '\n');
    t->headed = true;
    *left = sipws_slice(left->p + (end ? end : left->n), left->p + left->n);
}

static void tell_sent(struct drive *d)
{
    struct teller *t = d->ctx;
    struct sipws_str left = sipws_slice(d->sent.p + t->seen, d->sent.p + d->sent.n);
    while (left.n > 0) {
        if (t->headed)
            tell_frame(t, &left);
        else
            tell_head(t, &left);
    }
    t->seen = d->sent.n;
}

static void tell_start_line(struct sipws_out *o, const struct sipws_msg *m)
{
    const char *p = m->text.p, *end = p + m->text.n, *stop = p;
    while (stop < end && *stop != '\r' && *stop != '\n')
        stop++;
    sipws_put(o, sipws_slice(p, stop));
}

static void tell(struct drive *d, const struct sipws_event *ev)
{
    struct teller *t = d->ctx;
    if (!ev) {
        tell_sent(d);
        return;
    }
    put_text(t->o, drive_event_name(ev->kind));
    put_text(t->o, ev->binary ? " binary" : "");
    if (ev->kind == SIPWS_EV_CLOSED)
        put_option(t->o, " ", ev->code);
    if (ev->diag.err) {
        put_text(t->o, " ");
        put_text(t->o, sipws_err_info(ev->diag.err)->id);
        put_option(t->o, " at ", ev->diag.off);
    }
    if (ev->kind == SIPWS_EV_REQUEST) {
        put_text(t->o, " ");
        sipws_put(t->o, ev->http->target);
    } else if (ev->kind == SIPWS_EV_MESSAGE) {
        put_text(t->o, " ");
        tell_start_line(t->o, ev->msg);
    } else if (ev->data.n > 0 && ev->kind != SIPWS_EV_REFUSED) {
        put_text(t->o, " ");
        drive_put_octets(t->o, ev->data);
    }
    put_text(t->o, "\n");
    tell_sent(d);
}

/* By steps, and every `pieces` octets. */
struct drive_stop *story_stops(const struct story *s, struct arena *a, size_t *n)
{
    size_t at = 0, cap = 0;
    struct sipws_out all = sipws_out(NULL, 0);
    story_wire(s, &all);
    cap = s->n * (STORY_CUTS + 1) + (s->pieces ? all.n / s->pieces + 1 : 0) + 1;
    struct drive_stop *stops = arena_get(a, cap * sizeof *stops);
    size_t piece = s->pieces;
    *n = 0;
    for (size_t i = 0; stops && i < s->n; i++) {
        const struct story_step *st = &s->steps[i];
        struct sipws_out o = sipws_out(NULL, 0);
        put_wire(s, st, &o);
        unsigned k = 0;
        /* Both are in order; so is what they make together. */
        for (;;) {
            size_t cut = k < st->cuts ? at + st->cut[k] : SIZE_MAX;
            bool by_piece = s->pieces && piece < cut;
            size_t next = by_piece ? piece : cut;
            if (next > at + o.n)
                break;
            stops[(*n)++] = (struct drive_stop){next, 0};
            if (by_piece)
                piece += s->pieces;
            else
                k++;
        }
        at += o.n;
        if (st->kind == STORY_CUT || st->kind == STORY_WAIT)
            stops[(*n)++] = (struct drive_stop){at, st->ms};
    }
    return stops;
}

bool story_run(const struct story *s, struct arena *a, struct drive *d, struct sipws_out *lines,
               struct sipws_out *transcript)
{
    struct teller t = {.o = lines};
    struct sipws_out o = arena_begin(a);
    story_wire(s, &o);
    struct sipws_str wire = arena_end(a, &o);
    d->role = s->role;
    d->tls = s->tls;
    d->refuse = s->refuse;
    d->allow = s->allow;
    d->limits = s->limits;
    d->cuts = (struct sipws_str){NULL, 0};
    d->stops = story_stops(s, a, &d->stops_n);
    d->stays = true;
    for (size_t i = 0; i < s->n; i++)
        if (s->steps[i].kind == STORY_END)
            d->stays = false;
    d->room = 0;
    d->watch = tell;
    d->ctx = &t;
    bool ok = wire.p && d->stops && !a->full;
    if (ok)
        drive_run(d, wire, transcript);
    d->watch = NULL;
    d->ctx = NULL;
    d->stops = NULL;
    d->stops_n = 0;
    d->stays = false;
    return ok;
}

bool story_expects(const struct story *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->steps[i].kind == STORY_EXPECT)
            return true;
    return false;
}

/* An expectation is the start of the line, up to the end of a word. */
static bool meets(struct sipws_str want, struct sipws_str got)
{
    return want.n <= got.n && memcmp(want.p, got.p, want.n) == 0 &&
           (want.n == got.n || got.p[want.n] == ' ');
}

bool story_holds(const struct story *s, struct sipws_str lines, uint32_t *line,
                 struct sipws_out *why)
{
    const char *p = lines.p, *end = p + lines.n;
    *line = 0;
    if (!story_expects(s))
        return true;
    for (size_t i = 0; i < s->n; i++) {
        const struct story_step *st = &s->steps[i];
        if (st->kind != STORY_EXPECT)
            continue;
        const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
        struct sipws_str got = {NULL, 0};
        if (lf)
            got = sipws_slice(p, lf);
        *line = st->line;
        if (!lf || !meets(st->octets, got)) {
            put_text(why, "expected: ");
            sipws_put(why, st->octets);
            put_text(why, "; but ");
            if (lf)
                put_text(why, "what happened is: ");
            else
                put_text(why, "nothing more happened");
            sipws_put(why, got);
            return false;
        }
        p = lf + 1;
    }
    if (p < end) {
        put_text(why, "nothing more is expected; but this happened: ");
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        sipws_put(why, sipws_slice(p, lf ? lf : end));
        return false;
    }
    return true;
}
