/* sipws: diagnostics for people, as a good compiler prints them:
 *
 *     call.sip:3:38: error: a list element is missing: … [list-element]
 *        3 | Route: <sip:proxy.example.com;lr>,\r\n
 *          |                                   ^~
 *          = octet 118: found CR LF, expected an element on both sides of the comma
 *          = rule: Route, RFC 3261 section 20.34
 *          = hint: remove the comma, or add the element
 *
 * Octets that have no shape of their own are shown as \t, \r, \n or \x and two digits, so that the
 * caret stands where the octet is, on every terminal and in every locale.
 */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"

#include <stdlib.h>
#include <unistd.h>

enum { COLUMNS = 96, BEFORE_CARET = 60 };

size_t cli_place_at(struct cli_place *at, struct sipws_str text, size_t off)
{
    for (; at->off < off && at->off < text.n; at->off++) {
        if (text.p[at->off] == '\n') {
            at->line++;
            at->start = at->off + 1;
        }
    }
    return off - at->start + 1;
}

void cli_found(struct sipws_str text, size_t off, char out[48])
{
    if (off >= text.n) {
        strcpy(out, "the end of the input");
        return;
    }
    unsigned char ch = (unsigned char)text.p[off];
    if (ch == '\r' && off + 1 < text.n && text.p[off + 1] == '\n')
        strcpy(out, "CR LF");
    else if (ch == '\r')
        strcpy(out, "CR");
    else if (ch == '\n')
        strcpy(out, "LF");
    else if (ch == '\t')
        strcpy(out, "a tab");
    else if (ch == ' ')
        strcpy(out, "a space");
    else if (ch > ' ' && ch < 0x7F)
        snprintf(out, 48, "'%c'", ch);
    else
        snprintf(out, 48, "octet 0x%02X", ch);
}

const char *cli_expected(const struct sipws_diag *d)
{
    const struct sipws_err_info *info = sipws_err_info(d->err);
    return info->expected[0] || !d->rule ? info->expected : d->rule;
}

/* ---- octets made visible --------------------------------------------------------------------- */

/* How one octet is shown: at most four octets and their NUL. Returns the width. */
static size_t shown(char ch, char out[8])
{
    unsigned char u = (unsigned char)ch;
    if (u >= ' ' && u < 0x7F)
        return (size_t)snprintf(out, 8, "%c", u);
    if (u == '\t' || u == '\r' || u == '\n')
        return (size_t)snprintf(out, 8, "\\%c", u == '\t' ? 't' : u == '\r' ? 'r' : 'n');
    return (size_t)snprintf(out, 8, "\\x%02x", u);
}

char *cli_visible(const char *name)
{
    struct sipws_str s = {name, strlen(name)};
    char *out = cli_alloc(4 * s.n + 1), *p = out;
    bool utf8 = sipws_utf8_valid(s);
    for (size_t i = 0; i < s.n; i++) {
        char cell[8];
        unsigned char u = (unsigned char)s.p[i], next = (unsigned char)s.p[i + 1];
        unsigned char last = (unsigned char)(i > 0 ? s.p[i - 1] : 0);
        /* C2 80 to C2 9F are control characters too. */
        bool control = (u == 0xC2 && next < 0xA0) || (last == 0xC2 && u < 0xA0);
        if (utf8 && u >= 0x80 && !control) {
            *p++ = s.p[i];
        } else {
            size_t n = shown(s.p[i], cell);
            memcpy(p, cell, n);
            p += n;
        }
    }
    *p = '\0';
    return out;
}

/* ---- colours --------------------------------------------------------------------------------- */

enum paint { PLAIN, BOLD, RED, MAGENTA, CYAN, BLUE, REVERSE };

static void paint(FILE *f, bool colour, enum paint p)
{
    static const char *const codes[] = {"0", "1", "1;31", "1;35", "1;36", "1;34", "7"};
    if (colour)
        fprintf(f, "\033[%sm", codes[p]);
}

static bool wants_colour(FILE *f)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && term && strcmp(term, "dumb") != 0 && isatty(fileno(f)) == 1;
}

static enum paint severity_paint(enum sipws_severity severity)
{
    return severity == SIPWS_ERROR ? RED : severity == SIPWS_WARNING ? MAGENTA : CYAN;
}

/* ---- one diagnostic -------------------------------------------------------------------------- */

/* Prints octets, and returns the columns that they take. */
static size_t put_octets(FILE *f, bool colour, const char *p, const char *end)
{
    size_t width = 0;
    for (; p < end; p++) {
        char cell[8];
        size_t n = shown(*p, cell);
        if (n > 1)
            paint(f, colour, REVERSE);
        fputs(cell, f);
        if (n > 1)
            paint(f, colour, PLAIN);
        width += n;
    }
    return width;
}

static size_t width_of(const char *p, const char *end)
{
    char cell[8];
    size_t width = 0;
    for (; p < end; p++)
        width += shown(*p, cell);
    return width;
}

static void gutter(FILE *f, bool colour, const char *edge)
{
    paint(f, colour, BLUE);
    fprintf(f, "     %s ", edge);
    paint(f, colour, PLAIN);
}

/* The line at `start` with a caret under `off`, both cut to what a terminal shows. Looks at no more
 * of the line than that: a line may be as long as the input. */
static void show_line(FILE *f, bool colour, struct sipws_str text, const struct cli_place *at,
                      size_t off, enum paint mark)
{
    const char *start = text.p + at->start, *caret = text.p + off, *limit = text.p + text.n;
    if (limit - caret > COLUMNS + 1)
        limit = caret + COLUMNS + 1;
    const char *end = memchr(caret, '\n', (size_t)(limit - caret));
    end = end ? end + 1 : limit;
    /* The line's own end is shown only where it is what the caret points at. */
    bool lf = end > start && end[-1] == '\n', crlf = lf && end - start >= 2 && end[-2] == '\r';
    if (caret < end - (crlf ? 2 : 1))
        end -= crlf ? 2 : lf ? 1 : 0;

    char cell[8];
    size_t mark_width = caret < end ? shown(*caret, cell) : 1;
    if (crlf && caret == end - 2)
        mark_width = 4; /* CR LF is one thing */
    const char *from = start, *to = end;
    if (end - start > COLUMNS || width_of(start, end) > COLUMNS) {
        size_t width = 0;
        for (from = caret; from > start; from--) {
            width += shown(from[-1], cell);
            if (width > BEFORE_CARET)
                break;
        }
        width = width_of(from, caret);
        for (to = caret; to < end; to++) {
            width += shown(*to, cell);
            if (width > COLUMNS && to > caret)
                break;
        }
    }

    paint(f, colour, BLUE);
    fprintf(f, "%4zu | ", at->line);
    paint(f, colour, PLAIN);
    size_t column = 0;
    if (from > start)
        column += (size_t)fprintf(f, "...");
    column += put_octets(f, colour, from, caret);
    put_octets(f, colour, caret, to);
    fputs(to < end ? "...\n" : "\n", f);

    gutter(f, colour, "|");
    fprintf(f, "%*s", (int)column, "");
    paint(f, colour, mark);
    for (size_t i = 0; i < mark_width; i++)
        putc(i == 0 ? '^' : '~', f);
    paint(f, colour, PLAIN);
    putc('\n', f);
}

/* "3261 20.42" as people write it. */
static void put_rfc(FILE *f, const char *rfc)
{
    const char *space = strchr(rfc, ' ');
    if (space)
        fprintf(f, "RFC %.*s section %s", (int)(space - rfc), rfc, space + 1);
    else
        fprintf(f, "RFC %s", rfc);
}

/* Whether the text speaks of a header field or parameter that only the rule names. */
static bool rule_is_subject(enum sipws_err err)
{
    return err == SIPWS_E_MISSING_FIELD || err == SIPWS_E_DOUBLE_FIELD ||
           err == SIPWS_E_PARAM_MISSING;
}

static void show(FILE *f, bool colour, const char *name, struct sipws_str text,
                 const struct sipws_diag *d, struct cli_place *at)
{
    const struct sipws_err_info *info = sipws_err_info(d->err);
    size_t off = d->off < text.n ? d->off : text.n;
    size_t column = cli_place_at(at, text, off);
    char found[48];
    paint(f, colour, BOLD);
    fprintf(f, "%s:%zu:%zu: ", name, at->line, column);
    paint(f, colour, severity_paint(info->severity));
    fprintf(f, "%s: ", sipws_severity_name(info->severity));
    paint(f, colour, PLAIN);
    paint(f, colour, BOLD);
    fputs(info->text, f);
    if (rule_is_subject(d->err))
        fprintf(f, ": %s", d->rule);
    paint(f, colour, PLAIN);
    fprintf(f, " [%s]\n", info->id);
    show_line(f, colour, text, at, off, severity_paint(info->severity));

    cli_found(text, off, found);
    gutter(f, colour, "=");
    fprintf(f, "octet %zu: found %s, expected %s\n", off, found, cli_expected(d));
    bool rule = d->rule && d->rule[0], rfc = d->rfc && d->rfc[0];
    if (rule || rfc) {
        gutter(f, colour, "=");
        fputs("rule: ", f);
        if (rule)
            fprintf(f, "%s%s", d->rule, rfc ? ", " : "");
        if (rfc)
            put_rfc(f, d->rfc);
        putc('\n', f);
    }
    if (info->hint[0]) {
        gutter(f, colour, "=");
        fprintf(f, "hint: %s\n", info->hint);
    }
}

static void put_count(FILE *f, size_t n, const char *what)
{
    if (n > 0)
        fprintf(f, ", %zu %s%s", n, what, n == 1 ? "" : "s");
}

void cli_show(FILE *f, const struct cli_case *c, size_t most)
{
    bool colour = wants_colour(f);
    char *name = cli_visible(strcmp(c->file.name, "-") == 0 ? "<stdin>" : c->file.name);
    struct cli_place at = CLI_PLACE;
    for (size_t i = 0; i < c->n && i < most; i++)
        show(f, colour, name, c->text, &c->diags[i], &at);
    paint(f, colour, BOLD);
    fprintf(f, "%s: %s", name, c->valid ? "valid" : "invalid");
    paint(f, colour, PLAIN);
    put_count(f, c->errors, "error");
    put_count(f, c->warnings, "warning");
    put_count(f, c->n - c->errors - c->warnings, "note");
    if (c->n > most)
        fprintf(f, "; the first %zu are shown", most);
    putc('\n', f);
    free(name);
}
