/* Messages and the heads of handshakes: a start line and header fields, with other names, and what
 * is behind them. */
#include "mutate_impl.h"

enum { FIELDS = 64 };

#define V(rule, text)
#define P(text)
#define H(text)

static const struct {
    const char *name, *text;
} web[] = {
#define W(name, text) {name, text},
#include "mutate_sip.def"
};

const char *mut_sample_msg(struct mut *m)
{
    static const char *const samples[] = {
        "OPTIONS sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WS p9.invalid;branch=z9hG4bKm4\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:ada@example.org>;tag=a1\r\nTo: <sip:bob@example.org>\r\n"
        "Call-ID: m4\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: SIP/2.0/WS p9.invalid;branch=z9hG4bKm5\r\n"
        "f: <sip:ada@example.org>;tag=a1\r\nt: <sip:bob@example.org>;tag=b1\r\ni: m5\r\n"
        "CSeq: 1 MESSAGE\r\nl: 0\r\n\r\n",
        "MESSAGE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/WSS p9.invalid;branch=z9hG4bKm6\r\n"
        "Max-Forwards: 70\r\nFrom: <sip:ada@example.org>;tag=a1\r\nTo: <sip:bob@example.org>\r\n"
        "Call-ID: m6\r\nCSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n"
        "\xE2\x82\xAC"};
    return samples[mut_below(m, COUNT(samples))];
}

/* ---- heads ----------------------------------------------------------------------------------- */

struct field {
    struct span line, name, value; /* the line with its end; the value without white space around */
};

struct head {
    struct span start; /* the start line without its end */
    size_t n;
    struct field fields[FIELDS];
    size_t end;  /* of the last field, where the empty line begins */
    size_t body; /* behind the empty line; the end where there is none */
};

static size_t line_end(const uint8_t *p, size_t from, size_t to)
{
    size_t at = mut_find(p, (struct span){from, to}, '\n');
    return at < to ? at + 1 : to;
}

static bool is_space(uint8_t ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static struct span trim(const uint8_t *p, struct span s)
{
    while (s.from < s.to && is_space(p[s.from]))
        s.from++;
    while (s.to > s.from && is_space(p[s.to - 1]))
        s.to--;
    return s;
}

static void split_head(const uint8_t *p, struct span s, struct head *h)
{
    size_t at = line_end(p, s.from, s.to);
    h->n = 0;
    h->start = trim(p, (struct span){s.from, at});
    while (at < s.to && h->n < FIELDS) {
        struct field *f = &h->fields[h->n];
        f->line = (struct span){at, line_end(p, at, s.to)};
        struct span text = trim(p, f->line);
        if (text.from == text.to) { /* the empty line, or nothing but white space */
            h->end = f->line.from;
            h->body = f->line.to;
            return;
        }
        for (at = f->line.to; at < s.to && (p[at] == ' ' || p[at] == '\t');)
            at = line_end(p, at, s.to);
        f->line.to = at;
        text = trim(p, f->line);
        size_t colon = mut_find(p, text, ':');
        f->name = trim(p, (struct span){text.from, colon});
        f->value = trim(p, (struct span){colon < text.to ? colon + 1 : text.to, text.to});
        h->n++;
    }
    h->end = at;
    h->body = s.to;
}

size_t mut_head_end(const uint8_t *p, struct span s)
{
    struct head h;
    split_head(p, s, &h);
    return h.body;
}

/* ---- Content-Length -------------------------------------------------------------------------- */

static bool find_length(const uint8_t *p, const struct head *h, struct span *value)
{
    for (size_t i = 0; i < h->n; i++)
        if (mut_is(p, h->fields[i].name, "Content-Length") || mut_is(p, h->fields[i].name, "l")) {
            *value = h->fields[i].value;
            return true;
        }
    return false;
}

static size_t put_decimal(char digits[24], size_t value)
{
    char *p = digits + 24;
    do
        *--p = (char)('0' + value % 10);
    while (value /= 10);
    size_t n = (size_t)(digits + 24 - p);
    memmove(digits, p, n);
    return n;
}

/* It stands there, and is that of the body; leading zeros do not count. */
static bool length_right(const uint8_t *p, struct span s)
{
    char digits[24];
    struct head h;
    struct span value;
    split_head(p, s, &h);
    if (!find_length(p, &h, &value))
        return false;
    size_t n = put_decimal(digits, s.to - h.body);
    while (value.to - value.from > n && p[value.from] == '0')
        value.from++;
    return value.to - value.from == n && memcmp(p + value.from, digits, n) == 0;
}

static void set_length(struct mut *m, struct span s)
{
    char digits[24];
    struct head h;
    struct span value;
    split_head(m->p, s, &h);
    if (find_length(m->p, &h, &value) && !length_right(m->p, s))
        mut_splice(m, value.from, value.to, digits, put_decimal(digits, s.to - h.body));
}

/* ---- whole messages -------------------------------------------------------------------------- */

/* Without it a message is not sound, or means something else. */
static bool needed(const uint8_t *p, struct span name)
{
    static const char *const names[] = {"Via",
                                        "v",
                                        "From",
                                        "f",
                                        "To",
                                        "t",
                                        "Call-ID",
                                        "i",
                                        "CSeq",
                                        "Max-Forwards",
                                        "Content-Type",
                                        "c",
                                        "Contact",
                                        "m",
                                        "Event",
                                        "o",
                                        "RAck",
                                        "Refer-To",
                                        "r",
                                        "Subscription-State",
                                        "Host",
                                        "Upgrade",
                                        "Connection",
                                        "Sec-WebSocket-Key",
                                        "Sec-WebSocket-Version",
                                        "Sec-WebSocket-Protocol",
                                        "Sec-WebSocket-Accept"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (mut_is(p, name, names[i]))
            return true;
    return false;
}

/* The same name in its other form or another case; as a bend one that is nearly it, or any. */
static void mutate_name(struct mut *m, const struct field *f)
{
    const struct known *k = mut_known_as(m->p, f->name);
    size_t how = mut_below(m, m->sound ? 2 : 6), n = f->name.to - f->name.from;
    size_t at = f->name.from + mut_below(m, n);
    if (how == 0 && k && k->compact[0]) {
        mut_replace(m, f->name, n == 1 ? k->name : k->compact);
    } else if (how == 1) {
        for (size_t i = f->name.from; i < f->name.to; i++)
            if (mut_is_letter(m->p[i]) && mut_chance(m, 96))
                m->p[i] ^= 0x20;
    } else if (how == 2) {
        mut_replace(m, f->name, mut_any_field(m)->name);
    } else if (how == 3 && at < f->name.to) {
        if (mut_chance(m, 128))
            m->p[at] ^= 0x20;
        else
            mut_copy(m, (struct span){at, at + 1}, at);
    } else if (how == 4) {
        mut_insert(m, f->name.to, mut_chance(m, 128) ? " " : "\t");
    } else if (how == 5) {
        mut_octets(m, f->name);
    }
}

/* The last one of its kind in the head, or NULL. */
static const struct field *find_field(const uint8_t *p, const struct head *h, const struct known *k)
{
    size_t i = h->n;
    while (k && i-- > 0)
        if (mut_is(p, h->fields[i].name, k->name) || mut_is(p, h->fields[i].name, k->compact))
            return &h->fields[i];
    return NULL;
}

static void add_field(struct mut *m, const struct head *h, size_t at, bool is_web)
{
    bool ours = mut_chance(m, is_web ? 16 : 240) || m->sound;
    size_t i = mut_below(m, COUNT(web));
    const struct known *k = mut_any_field(m);
    const char *name = ours ? k->name : web[i].name;
    const char *value = ours ? mut_sample(m, k->rule) : web[i].text;
    if (!value || (m->sound && mut_is_one(k) && find_field(m->p, h, k)))
        return;
    if (ours && k->compact[0] && mut_chance(m, 64))
        name = k->compact;
    size_t end = at;
    const char *const texts[] = {name, mut_chance(m, 192) ? ": " : ":", value, "\r\n"};
    for (size_t j = 0; j < COUNT(texts) && mut_insert(m, end, texts[j]); j++)
        end += strlen(texts[j]);
}

/* The field here that has the name of one of the other text, or NULL. */
static const struct field *find_same(struct mut *m, const struct head *h, struct span name)
{
    const struct known *k = mut_known_as(m->other.p, name);
    size_t n = name.to - name.from;
    if (k)
        return find_field(m->p, h, k);
    for (size_t i = 0; i < h->n; i++) {
        struct span here = h->fields[i].name;
        if (here.to - here.from == n && memcmp(m->p + here.from, m->other.p + name.from, n) == 0)
            return &h->fields[i];
    }
    return NULL;
}

/* A line of the other text's head; where this one has the field too, in its place or beside it. */
static void take_field(struct mut *m, const struct head *h, const struct head *o)
{
    const struct field *f = &o->fields[mut_below(m, o->n)], *here = find_same(m, h, f->name);
    struct span to;
    if (m->sound && mut_is_rule(mut_known_as(m->other.p, f->name), "cseq"))
        return;
    if (here && (m->sound || mut_chance(m, 192)))
        to = here->line;
    else
        to.from = to.to = h->n ? h->fields[mut_below(m, h->n)].line.from : h->end;
    mut_splice(m, to.from, to.to, m->other.p + f->line.from, f->line.to - f->line.from);
}

static void take(struct mut *m, struct span s, const struct head *h)
{
    struct head o;
    split_head(m->other.p, (struct span){0, m->other.n}, &o);
    size_t how = mut_below(m, m->sound ? 6 : 8), body_n = m->other.n - o.body;
    if (how == 6)
        mut_splice(m, h->start.from, h->start.to, m->other.p + o.start.from,
                   o.start.to - o.start.from);
    else if (how == 7 && body_n > 0)
        mut_splice(m, h->body, s.to, m->other.p + o.body, body_n);
    else if (o.n > 0)
        take_field(m, h, &o);
}

static void mutate_lines(struct mut *m, const struct head *h, bool is_web)
{
    const struct field *f = &h->fields[mut_below(m, h->n)], *g = &h->fields[mut_below(m, h->n)];
    const struct known *k = h->n ? mut_known_as(m->p, f->name) : NULL;
    if (h->n == 0 || mut_chance(m, 64)) {
        add_field(m, h, h->n ? f->line.from : h->end, is_web);
    } else if (mut_chance(m, 64)) {
        if (!m->sound || !needed(m->p, f->name))
            mut_drop(m, f->line);
    } else if (mut_chance(m, 85)) {
        if (!m->sound || (k && !mut_is_one(k)))
            mut_copy(m, f->line, m->sound ? f->line.to : g->line.from);
    } else if (mut_chance(m, 128)) {
        if (f != g)
            mut_swap(m, f < g ? f->line : g->line, f < g ? g->line : f->line);
    } else {
        mutate_name(m, f);
    }
}

static void mutate_start(struct mut *m, struct span s)
{
    static const char *const starts[] = {"SIP/2.0 200 OK",
                                         "SIP/2.0 100 ",
                                         "SIP/2.0 699 \xC3\xA9",
                                         "SIP/2.0 099 a",
                                         "SIP/2.0 700 a",
                                         "sip/2.0 200 OK",
                                         "SIP/3.0 200 OK",
                                         "INVITE sip:a@b.invalid SIP/2.0",
                                         "ACK sip:a@b.invalid SIP/2.0",
                                         "invite sip:a@b.invalid SIP/2.0",
                                         "INVITE * SIP/2.0",
                                         "INVITE <sip:a@b.invalid> SIP/2.0",
                                         "GET /sip HTTP/1.1",
                                         "HTTP/1.1 101 Switching Protocols",
                                         "GET / HTTP/1.0",
                                         "HTTP/1.1 426 ",
                                         ""};
    struct span uri;
    if (mut_chance(m, 160)) {
        if (mut_find_uri(m, m->p, s, &uri))
            mut_uri(m, uri);
    } else if (m->sound) {
        return;
    } else if (mut_chance(m, 85)) {
        mut_replace(m, s, starts[mut_below(m, COUNT(starts))]);
    } else if (mut_chance(m, 128)) {
        mut_number(m, s);
    } else {
        mut_space(m, s);
    }
}

/* The next place at or behind `at` that is not within a character. */
static size_t character(const uint8_t *p, size_t at, size_t to)
{
    while (at < to && (p[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static void mutate_body(struct mut *m, struct span body)
{
    static const char *const texts[] = {"a",        "\r\n",    "\r\n\r\n", "v=0\r\n",
                                        "\xC3\xA9", "--b\r\n", "\0",       "\xFF"};
    size_t n = body.to - body.from;
    size_t at = character(m->p, body.from + mut_below(m, n + 1), body.to);
    size_t end = character(m->p, at + mut_below(m, body.to - at + 1), body.to);
    if (mut_chance(m, 128) && n > 1)
        mut_drop(m, (struct span){at, end});
    else if (mut_chance(m, 200))
        mut_insert(m, at, texts[mut_below(m, m->sound ? 5 : COUNT(texts))]);
    else if (!m->sound)
        mut_octets(m, body);
}

/* What a line ends with, or an octet of control, somewhere in the head. */
static void bend_line(struct mut *m, const struct head *h)
{
    static const char *const ends[] = {"\n", "\r", "\r\r\n", "\r\n\r\n", "\n\r", "", "\r\n "};
    if (h->n == 0 || mut_chance(m, 32)) {
        mut_splice(m, h->end, h->end, "\0", 1);
        return;
    }
    const struct field *f = &h->fields[mut_below(m, h->n)];
    size_t end = f->line.to;
    while (end > f->line.from && (m->p[end - 1] == '\n' || m->p[end - 1] == '\r'))
        end--;
    mut_replace(m, (struct span){end, f->line.to}, ends[mut_below(m, COUNT(ends))]);
}

static void mutate_head(struct mut *m, struct span s, const struct head *h, bool is_web)
{
    size_t how = mut_below(m, 16);
    const struct field *f = &h->fields[mut_below(m, h->n)];
    if (m->other.p && mut_chance(m, 128))
        take(m, s, h);
    else if (how == 0)
        mutate_start(m, h->start);
    else if (how == 1 && !m->sound)
        bend_line(m, h);
    else if (how == 2 && !is_web)
        mutate_body(m, (struct span){h->body, s.to});
    else if (how == 3 && !m->sound)
        mut_octets(m, s);
    else if (how < 8 || h->n == 0)
        mutate_lines(m, h, is_web);
    else
        mut_value(m, f->value, mut_known_as(m->p, f->name));
}

void mut_msg(struct mut *m, struct span s)
{
    struct head h;
    struct span length;
    size_t before = m->n;
    bool right = length_right(m->p, s);
    if (s.from == s.to) {
        mut_insert(m, s.from, mut_sample_msg(m));
        return;
    }
    split_head(m->p, s, &h);
    if (!m->sound && mut_chance(m, 6) && find_length(m->p, &h, &length)) {
        mut_number(m, length);
        return;
    }
    mutate_head(m, s, &h, false);
    s.to += m->n - before;
    if (right)
        set_length(m, s);
}

void mut_http(struct mut *m, struct span s)
{
    struct head h;
    split_head(m->p, s, &h);
    mutate_head(m, s, &h, true);
}

/* ---- trimming -------------------------------------------------------------------------------- */

static bool without_piece(struct mut *m, const struct head *h, struct span s, size_t *k)
{
    for (size_t i = 0; i < h->n; i++) {
        if ((*k)-- == 0) {
            mut_drop(m, h->fields[i].line);
            return true;
        }
    }
    if (mut_without_tail(m, (struct span){h->body, s.to}, k))
        return true;
    for (size_t i = 0; i < h->n; i++)
        if (mut_without_part(m, h->fields[i].value, ',', 0, k))
            return true;
    for (size_t i = 0; i < h->n; i++)
        if (mut_without_part(m, h->fields[i].value, ';', 1, k))
            return true;
    return false;
}

bool mut_without_msg(struct mut *m, struct span s, size_t *k)
{
    struct head h;
    bool right = length_right(m->p, s);
    size_t before = m->n;
    split_head(m->p, s, &h);
    if (!without_piece(m, &h, s, k))
        return false;
    s.to += m->n - before;
    if (right)
        set_length(m, s);
    return true;
}
