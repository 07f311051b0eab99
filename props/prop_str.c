/* The contracts of the lowest layers: cursors of every reader of chars.h and uri.h, and writers. */
#include "property.h"
#include "uri.h"

#include <inttypes.h>

/* ---- octets that readers know ---------------------------------------------------------------- */

static const char *const snippets[] = {
    "token",
    "sip:ann:secret@example.org:5061;transport=ws;lr?subject=hello&priority=low",
    "sips:bob@[2001:db8::7]:443;maddr=192.0.2.3;ttl=15",
    "sip:%61nn;x=%20@example.org",
    "tel:+1-555-1000;phone-context=example.org",
    "http://ann@example.com:80/a/b;c?d=e",
    "urn:service:sos",
    "\"Ann \\\"of\\\" two \xC3\xA9\"",
    "(a comment (with \\) another) \xE2\x82\xAC)",
    " \t",
    "\r\n ",
    "\n\t",
    " ; ",
    ",",
    " \r\n : ",
    "%41%2f%7E",
    "4294967296",
    "18446744073709551616",
    "007",
    "192.0.2.255",
    "[::ffff:192.0.2.1]:5060",
    "2001:db8:0:0:0:0:0:1",
    "proxy-1.example.org.:65535",
    "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
    "some text,  and \xC3\xA9 more",
};

enum { SNIPPETS = sizeof snippets / sizeof *snippets };

static struct sipws_str literal(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

/* Snippets, fronts of snippets and single octets, some of them spoiled. */
static struct sipws_str draw_octets(struct tape *t, struct arena *a, unsigned mean)
{
    char octets[1024];
    struct sipws_out o = sipws_out(octets, sizeof octets);
    while (o.n + 160 < sizeof octets && tape_next(t, "piece", mean)) {
        struct sipws_str s = literal(snippets[tape_below(t, SNIPPETS)]);
        unsigned how = tape_below(t, 8), where = tape_byte(t);
        char octet = (char)tape_byte(t);
        if (how == 1)
            s.n = where % (s.n + 1);
        if (how == 2)
            s = (struct sipws_str){&octet, 1};
        size_t at = o.n;
        sipws_put(&o, s);
        if (how == 3)
            octets[at + where % s.n] = octet;
        tape_end(t);
    }
    return arena_copy(a, sipws_out_str(&o));
}

/* ---- str/cursor ------------------------------------------------------------------------------ */

struct walk {
    struct sipws_str octets;
    uint32_t start; /* where the cursor stands; offsets count from the first octet */
    uint32_t allow;
};

static const void *draw_walk(struct tape *t, struct arena *a)
{
    struct walk *w = arena_get(a, sizeof *w);
    if (!w)
        return NULL;
    bool any = tape_chance(t, 60);
    uint32_t allow = tape_below(t, 128);
    w->allow = any ? allow : 0;
    bool inside = tape_chance(t, 128);
    uint32_t start = tape_below(t, 1024);
    w->octets = draw_octets(t, a, 2);
    w->start = inside ? start % ((uint32_t)w->octets.n + 1) : 0;
    return w->octets.p ? w : NULL;
}

static void explain_walk(const void *story, FILE *f)
{
    const struct walk *w = story;
    fprintf(f, "  a cursor at octet %u, with leniencies %#x, in\n", (unsigned)w->start,
            (unsigned)w->allow);
    prop_octets(f, "    ", w->octets);
}

static void wire_walk(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct walk *)story)->octets);
}

/* What a reader gave, as slices that must lie in what it read. */
struct given {
    struct sipws_str slices[12];
    size_t n;
};

static void give(struct given *g, struct sipws_str s)
{
    g->slices[g->n++] = s;
}

static bool read_lws(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_lws(c);
}

static bool read_semi(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_sep(c, ';');
}

static bool read_comma(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_need(c, ',', "COMMA");
}

static bool read_colon(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_need(c, ':', "HCOLON");
}

static bool read_token(struct sipws_cur *c, struct given *g)
{
    struct sipws_str s;
    bool ok = sipws_token(c, &s);
    if (ok)
        give(g, s);
    return ok;
}

static bool read_word(struct sipws_cur *c, struct given *g)
{
    struct sipws_str s;
    bool ok = sipws_word(c, &s);
    if (ok)
        give(g, s);
    return ok;
}

static bool read_number(struct sipws_cur *c, struct given *g)
{
    uint64_t value;
    (void)g;
    return sipws_number(c, 0, UINT64_MAX, &value, "number");
}

static bool read_small_number(struct sipws_cur *c, struct given *g)
{
    uint64_t value;
    (void)g;
    return sipws_number(c, 1, 255, &value, "number");
}

static bool read_escaped(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_escaped(c);
}

static bool read_span_escaped(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_span_escaped(c, SIPWS_C_PARAM);
}

static bool read_utf8_nonascii(struct sipws_cur *c, struct given *g)
{
    (void)g;
    return sipws_utf8_nonascii(c);
}

static bool read_quoted_string(struct sipws_cur *c, struct given *g)
{
    struct sipws_str s;
    bool ok = sipws_quoted_string(c, &s);
    if (ok)
        give(g, s);
    return ok;
}

static bool read_comment(struct sipws_cur *c, struct given *g)
{
    struct sipws_str s;
    bool ok = sipws_comment(c, &s);
    if (ok)
        give(g, s);
    return ok;
}

static bool read_text(struct sipws_cur *c, struct given *g)
{
    struct sipws_str s;
    bool ok = sipws_text_utf8_trim(c, &s);
    if (ok)
        give(g, s);
    return ok;
}

static bool read_host(struct sipws_cur *c, struct given *g)
{
    struct sipws_host host;
    bool ok = sipws_host(c, &host);
    if (ok)
        give(g, host.text);
    return ok;
}

static bool read_ip_address(struct sipws_cur *c, struct given *g)
{
    struct sipws_host host;
    bool ok = sipws_ip_address(c, &host);
    if (ok)
        give(g, host.text);
    return ok;
}

static bool read_hostport(struct sipws_cur *c, struct given *g)
{
    struct sipws_host host;
    int32_t port;
    bool ok = sipws_hostport(c, &host, &port);
    if (ok)
        give(g, host.text);
    return ok;
}

static bool read_any_uri(struct sipws_cur *c, struct given *g, enum sipws_uri_place place)
{
    struct sipws_uri uri;
    if (!sipws_uri(c, place, &uri))
        return false;
    give(g, uri.text);
    give(g, uri.scheme_name);
    give(g, uri.opaque);
    give(g, uri.user);
    give(g, uri.password);
    give(g, uri.host.text);
    give(g, uri.params);
    give(g, uri.headers);
    return true;
}

static bool read_uri(struct sipws_cur *c, struct given *g)
{
    return read_any_uri(c, g, SIPWS_URI_WHOLE);
}

static bool read_addr_spec(struct sipws_cur *c, struct given *g)
{
    return read_any_uri(c, g, SIPWS_URI_BARE);
}

static const struct reader {
    const char *name;
    bool (*read)(struct sipws_cur *c, struct given *g);
    bool silent; /* does not describe a refusal */
    bool is_uri;
} readers[] = {
    {"LWS", read_lws, true, false},
    {"SEMI", read_semi, true, false},
    {"COMMA, needed", read_comma, false, false},
    {"COLON, needed", read_colon, false, false},
    {"token", read_token, false, false},
    {"word", read_word, false, false},
    {"number", read_number, false, false},
    {"number from 1 to 255", read_small_number, false, false},
    {"escaped", read_escaped, false, false},
    {"paramchars", read_span_escaped, false, false},
    {"UTF8-NONASCII", read_utf8_nonascii, false, false},
    {"quoted-string", read_quoted_string, false, false},
    {"comment", read_comment, false, false},
    {"TEXT-UTF8-TRIM", read_text, false, false},
    {"host", read_host, false, true},
    {"IPv4address / IPv6address", read_ip_address, false, true},
    {"hostport", read_hostport, false, true},
    {"SIP-URI / SIPS-URI / absoluteURI", read_uri, false, true},
    {"addr-spec", read_addr_spec, false, true},
};

static enum verdict hold_reader(struct prop_trial *r, const struct walk *w, const struct reader *x)
{
    static const char untouched[] = "untouched";
    const struct sipws_diag none = {SIPWS_OK, 12345, untouched, untouched};
    struct sipws_diag diag = none;
    struct sipws_cur c = sipws_cur(w->octets, &diag);
    const char *start = c.p + w->start;
    c.p = start;
    c.allow = w->allow;
    struct sipws_cur was = c, mute = c;
    struct given g = {.n = 0}, ignored = {.n = 0};
    mute.diag = NULL;

    bool ok = x->read(&c, &g);
    if (x->read(&mute, &ignored) != ok || mute.p != c.p)
        return prop_fail(r, "mute", w->start, "%s: another reading without a diagnostic", x->name);
    if (c.base != was.base || c.end != was.end || c.diag != was.diag || c.allow != was.allow)
        return prop_fail(r, "cursor", w->start, "%s: more of the cursor changed than its place",
                         x->name);
    if (!ok) {
        prop_class(r, x->is_uri ? "URI refused" : "refused");
        if (c.p != start)
            return prop_fail(r, "moved", w->start, "%s: a failed read moved the cursor by %td",
                             x->name, c.p - start);
        if (x->silent)
            return diag.rule == untouched && diag.off == none.off
                       ? HOLDS
                       : prop_fail(r, "noise", w->start, "%s: is not silent", x->name);
        if (diag.err == SIPWS_OK || diag.rule == untouched || !diag.rule || !diag.rfc)
            return prop_fail(r, "undescribed", w->start, "%s: refused without a word", x->name);
        if (diag.off < w->start || diag.off > w->octets.n)
            return prop_fail(r, "offset", diag.off,
                             "%s: refused at octet %zu, outside of %u to %zu", x->name, diag.off,
                             (unsigned)w->start, w->octets.n);
        return HOLDS;
    }
    prop_class(r, x->is_uri ? "URI read" : "read");
    if (c.p < start || c.p > c.end)
        return prop_fail(r, "outside", w->start, "%s: the cursor left its input", x->name);
    for (size_t i = 0; i < g.n; i++) {
        struct sipws_str s = g.slices[i];
        if (s.p && (s.p < start || s.p > c.p || s.n > (size_t)(c.p - s.p)))
            return prop_fail(r, "slice", w->start, "%s: slice %zu is not within what was read",
                             x->name, i);
        if (!s.p && s.n > 0)
            return prop_fail(r, "slice", w->start, "%s: slice %zu lies nowhere", x->name, i);
    }
    return HOLDS;
}

static enum verdict hold_cursor(struct prop_trial *r, const void *story)
{
    const struct walk *w = story;
    if (w->start == w->octets.n)
        prop_class(r, "at the end");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (hold_reader(r, w, &readers[i]) == FAILS)
            return FAILS;
    return HOLDS;
}

const struct prop prop_str_cursor = {
    .name = "str/cursor",
    .plant = "QUOTE_MOVES",
    .sentence = "A failed read leaves the cursor where it was and says why and where; a good one "
                "stays within its input, and what it gives lies in what it read.",
    .draw = draw_walk,
    .hold = hold_cursor,
    .explain = explain_walk,
    .wire = wire_walk,
    .classes = {{"read", 300},
                {"refused", 900},
                {"URI read", 150},
                {"URI refused", 900},
                {"at the end", 20}},
    .discard_percent = 5,
    .tape_max = 256,
};

/* ---- scanning -------------------------------------------------------------------------------- */

static const uint32_t scanned[] = {
    SIPWS_C_TOKEN,
    SIPWS_C_WORD,
    SIPWS_C_USER,
    SIPWS_C_PARAM,
    SIPWS_C_HOST,
    SIPWS_C_URIC,
    SIPWS_C_CTEXT,
    SIPWS_C_QDTEXT | SIPWS_C_WSP,
    SIPWS_C_TEXT | SIPWS_C_WSP,
    SIPWS_C_LINE,
    SIPWS_C_TEXT,
    SIPWS_C_DIGIT,
    SIPWS_C_ALPHA | SIPWS_C_DIGIT,
    SIPWS_C_REASON,
};

struct scan {
    struct sipws_str octets;
    uint32_t classes;
};

/* Mostly octets of some classes, so that the runs of them are of any length. */
static const void *draw_scan(struct tape *t, struct arena *a)
{
    char octets[160];
    struct scan *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    size_t n = 0;
    s->classes = scanned[tape_below(t, sizeof scanned / sizeof *scanned)];
    while (tape_next(t, "run", 4)) {
        char ch = (char)tape_byte(t);
        if (n < sizeof octets)
            octets[n++] = ch; /* of any class */
        for (unsigned run = tape_below(t, 50); run > 0 && n < sizeof octets; run--) {
            do
                ch = (char)(ch + 7);
            while (!sipws_is(ch, s->classes));
            octets[n++] = ch;
        }
        tape_end(t);
    }
    s->octets = arena_copy(a, (struct sipws_str){octets, n});
    return s;
}

static void explain_scan(const void *story, FILE *f)
{
    const struct scan *s = story;
    fprintf(f, "  octets of the classes %#" PRIx32 " in ", s->classes);
    prop_octets(f, "", s->octets);
}

static bool naive_ieq(struct sipws_str a, struct sipws_str b)
{
    for (size_t i = 0; i < a.n; i++) {
        unsigned char x = (unsigned char)a.p[i], y = (unsigned char)b.p[i];
        x = x >= 'A' && x <= 'Z' ? (unsigned char)(x + 32) : x;
        y = y >= 'A' && y <= 'Z' ? (unsigned char)(y + 32) : y;
        if (x != y)
            return false;
    }
    return true;
}

static uint64_t key_of(const char *base, struct sipws_str s, const char *end)
{
    return sipws_key(sipws_first_8(base, s.p, s.n, end), s);
}

/* The line at p is plain where looking at each octet says so, and its colon and CR are found. */
static bool line_is_found(const char *base, const char *p, const char *end)
{
    const char *cr = p, *colon = p, *found, *ends;
    while (cr < end && (unsigned char)*cr > 13)
        cr++;
    while (colon < cr && *colon != ':')
        colon++;
    bool plain = end - cr > 2 && cr[0] == '\r' && cr[1] == '\n' && !sipws_is(cr[2], SIPWS_C_WSP) &&
                 colon > p && colon < cr;
    bool certain = SIPWS_VECTORS && plain && colon - p < 32 && cr - p < 62 && end - base >= 64 &&
                   end - p >= 8 && sipws_is(cr[2], SIPWS_C_TOKEN);
    if (sipws_plain_line(base, p, end, &found, &ends))
        return plain && found == colon && ends == cr;
    return !certain;
}

/* The same of lines made of the octets: a CRLF before the last one, a colon some way from `at`. The
 * copy ends where its array does. */
static bool lines_are_found(struct sipws_str octets, size_t at)
{
    char room[160];
    if (octets.n < 8 || octets.n > sizeof room)
        return true;
    char *end = room + sizeof room, *base = memcpy(end - octets.n, octets.p, octets.n);
    memcpy(end - 3, "\r\n", 2);
    base[(at + 5) % (octets.n - 3)] = ':';
    for (char *p = base; p < end - 3; p++)
        if ((unsigned char)*p <= 13 && at % 2)
            *p = 'a';
    return line_is_found(base, base, end) && line_is_found(base, base + at, end);
}

static enum verdict hold_scan(struct prop_trial *r, const void *story)
{
    const struct scan *s = story;
    const char *base = s->octets.p, *end = base + s->octets.n;
    size_t longest = 0;
    for (const char *p = base; p <= end; p++) {
        const char *want = p;
        while (want < end && sipws_is(*want, s->classes))
            want++;
        size_t at = (size_t)(p - base);
        longest = (size_t)(want - p) > longest ? (size_t)(want - p) : longest;
        /* The class is a constant in the library: each way through sipws_span_at is taken. Of a
         * cursor whose end has moved to the front, more may be looked at. */
        struct sipws_cur whole = sipws_cur_in(base, p, end, NULL, 0), part = whole;
        part.end = want - (want - p) / 2;
        const char *ways[] = {sipws_span(p, end, s->classes), sipws_span_at(&whole, p, s->classes),
                              sipws_span_more(&whole, p, s->classes),
                              sipws_span_8(p, end, s->classes)};
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
            if (ways[i] != want)
                return prop_fail(r, "span", at, "way %zu stops at octet %td, should at %td", i,
                                 ways[i] - base, want - base);
        if (sipws_span_at(&part, p, s->classes) != part.end ||
            sipws_span_more(&part, p, s->classes) != part.end)
            return prop_fail(r, "span", at, "a span goes on behind octet %td", part.end - base);
        const char *run = p;
        while (run < end && sipws_is(*run, SIPWS_C_HOST))
            run++;
        part.end = run - (run - p) / 2;
        if (sipws_run(&whole, p) != run || (run < end && sipws_run(&whole, run + 1) <= run) ||
            sipws_run(&part, p) != part.end)
            return prop_fail(r, "run", at, "a run does not end at octet %td", run - base);
        if (!line_is_found(base, p, end) || !lines_are_found(s->octets, at))
            return prop_fail(r, "line", at, "the line from octet %zu on is not what is found", at);
        /* Two halves of what is left, and one of them in other letters. */
        struct sipws_str a = {p, (size_t)(end - p) / 2}, b = {p + a.n, a.n}, c = {NULL, 0};
        char other[160];
        for (size_t i = 0; i < a.n; i++)
            other[i] = sipws_is(a.p[i], SIPWS_C_ALPHA) ? (char)(a.p[i] ^ 0x20) : a.p[i];
        c = (struct sipws_str){other, a.n};
        if (a.n > 0) { /* one octet that may be no letter */
            size_t k = at % a.n;
            char was = other[k];
            other[k] = (char)(a.p[k] ^ 0x20);
            if (sipws_str_ieq(a, c) != naive_ieq(a, c))
                return prop_fail(r, "case", at + k, "octets that are not letters have no case");
            other[k] = was;
        }
        if (sipws_str_ieq(a, b) != naive_ieq(a, b) || !sipws_str_ieq(a, c))
            return prop_fail(r, "case", at, "two times %zu octets are compared wrongly", a.n);
        if (key_of(base, a, end) != key_of(other, c, other + c.n) ||
            sipws_first_at(&whole, a.p, a.n) != sipws_first_8(base, a.p, a.n, end))
            return prop_fail(r, "key", at, "%zu octets have two keys", a.n);
    }
    prop_class(r, longest > 32 ? "long runs" : longest > 16 ? "runs above 16" : "short runs");
    return HOLDS;
}

const struct prop prop_str_scan = {
    .name = "str/scan",
    .plant = "STR_FOLD",
    .sentence =
        "Scanning by vectors stops where scanning octet by octet does, from every octet on; "
        "comparing and hashing by words knows no case, and nothing else as the same.",
    .draw = draw_scan,
    .hold = hold_scan,
    .explain = explain_scan,
    .classes = {{"long runs", 100}, {"runs above 16", 50}, {"short runs", 50}},
    .discard_percent = 5,
    .tape_max = 256,
};

/* ---- out/measure ----------------------------------------------------------------------------- */

enum kind { PUT_UINT, PUT_CHAR, PUT, PUT_UNFOLDED, PUT_URI, PUT_HOSTPORT, KINDS };

struct print {
    enum kind kind;
    struct sipws_str octets;
    uint64_t value;
};

struct page {
    size_t n;
    struct print prints[24];
    unsigned share; /* of 255: how much of it the short buffer holds */
};

static const void *draw_page(struct tape *t, struct arena *a)
{
    struct page *p = arena_get(a, sizeof *p);
    if (!p)
        return NULL;
    unsigned share = tape_byte(t);
    p->share = tape_chance(t, 50) ? 255 : share;
    do {
        tape_begin(t, "print");
        struct print *x = &p->prints[p->n++];
        x->kind = (enum kind)tape_below(t, KINDS);
        unsigned shift = tape_below(t, 64);
        uint64_t high = tape_below(t, UINT32_MAX), low = tape_below(t, UINT32_MAX);
        x->value = (high << 32 | low) >> shift;
        if (x->kind == PUT_URI || x->kind == PUT_HOSTPORT)
            x->octets = arena_copy(a, literal(snippets[tape_below(t, SNIPPETS)]));
        else
            x->octets = draw_octets(t, a, 2);
        tape_end(t);
    } while (p->n < sizeof p->prints / sizeof *p->prints && tape_more(t, 8));
    return p;
}

static const char *const kind_names[] = {"octets",   "a character", "a number",
                                         "unfolded", "a URI",       "a host and port"};

static void explain_page(const void *story, FILE *f)
{
    const struct page *p = story;
    fprintf(f, "  into a buffer of %u/255 of what is needed:\n", p->share);
    for (size_t i = 0; i < p->n; i++) {
        const struct print *x = &p->prints[i];
        fprintf(f, "  %s ", kind_names[x->kind]);
        if (x->kind == PUT_UINT || x->kind == PUT_CHAR)
            fprintf(f, "%" PRIu64 "\n", x->value);
        else
            prop_octets(f, "", x->octets);
    }
}

/* Prints one thing; the number of octets it must be, or SIZE_MAX where only the writer knows. */
static size_t put(struct sipws_out *o, const struct print *x)
{
    struct sipws_cur c = sipws_cur(x->octets, NULL);
    struct sipws_uri uri;
    struct sipws_host host;
    int32_t port;
    switch (x->kind) {
    case PUT:
    case KINDS:
        sipws_put(o, x->octets);
        return x->octets.n;
    case PUT_CHAR:
        sipws_put_char(o, (char)(x->value & 255));
        return 1;
    case PUT_UINT:
        sipws_put_uint(o, x->value);
        return (size_t)snprintf(NULL, 0, "%" PRIu64, x->value);
    case PUT_UNFOLDED:
        sipws_put_unfolded(o, x->octets);
        return SIZE_MAX;
    case PUT_URI:
        if (!sipws_uri(&c, SIPWS_URI_WHOLE, &uri))
            return 0;
        sipws_uri_print(o, &uri);
        return c.p == c.end ? x->octets.n : SIZE_MAX; /* printing changes case only */
    case PUT_HOSTPORT:
        if (!sipws_hostport(&c, &host, &port))
            return 0;
        sipws_hostport_print(o, &host, port);
        return SIZE_MAX;
    }
    return SIZE_MAX;
}

static enum verdict hold_measure(struct prop_trial *r, const void *story)
{
    const struct page *p = story;
    const char mark = '\x1A'; /* of what nobody wrote */
    struct sipws_out measured = sipws_out(NULL, 0);
    for (size_t i = 0; i < p->n; i++) {
        size_t before = measured.n, want = put(&measured, &p->prints[i]);
        if (want != SIZE_MAX && measured.n - before != want)
            return prop_fail(r, "size", before, "%s: %zu octets, should be %zu",
                             kind_names[p->prints[i].kind], measured.n - before, want);
        if (p->prints[i].kind == PUT_URI && measured.n > before)
            prop_class(r, "URIs");
        if (p->prints[i].kind == PUT_UNFOLDED && measured.n > before)
            prop_class(r, "unfolded");
    }
    size_t cap = measured.n * p->share / 255;
    char *full = arena_get(&r->arena, measured.n), *part = arena_get(&r->arena, cap);
    if (!full || !part)
        return DISCARDED;
    memset(part, mark, cap);
    struct sipws_out whole = sipws_out(full, measured.n), cut = sipws_out(part, cap);
    for (size_t i = 0; i < p->n; i++) {
        put(&whole, &p->prints[i]);
        put(&cut, &p->prints[i]);
    }
    if (whole.n != measured.n || !sipws_out_ok(&whole))
        return prop_fail(r, "measure", PROP_NOWHERE, "%zu octets written, %zu measured", whole.n,
                         measured.n);
    if (cut.n != measured.n || sipws_out_ok(&cut) != (cap == measured.n))
        return prop_fail(r, "short", PROP_NOWHERE,
                         "%zu octets counted in a buffer of %zu; should be %zu", cut.n, cap,
                         measured.n);
    prop_class(r, measured.n == 0 ? "nothing" : cap < measured.n ? "too short" : "long enough");
    /* A front of the whole, then nothing: the writer is sticky. */
    size_t k = 0;
    while (k < cap && part[k] == full[k])
        k++;
    for (size_t i = k; i < cap; i++)
        if (part[i] != mark)
            return prop_fail(r, "sticky", i, "written at octet %zu, behind what did not fit", i);
    return cap < measured.n || k == cap
               ? HOLDS
               : prop_fail(r, "lost", k, "octet %zu is missing although all fits", k);
}

const struct prop prop_out_measure = {
    .name = "out/measure",
    .plant = "OUT_BY_ONE",
    .sentence = "What is measured is what is written, and a buffer too short has a front of it and "
                "is never overrun.",
    .draw = draw_page,
    .hold = hold_measure,
    .explain = explain_page,
    .classes =
        {{"too short", 200}, {"long enough", 10}, {"nothing", 0}, {"URIs", 100}, {"unfolded", 50}},
    .discard_percent = 5,
    .tape_max = 512,
};
