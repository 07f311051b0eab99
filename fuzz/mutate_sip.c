/* Messages, header fields, values and URIs. A handshake's head is mutated here too: it is a start
 * line and header fields, with other names. */
#include "mutate_impl.h"

enum { FIELDS = 64 };

/* ---- what there is to take ------------------------------------------------------------------- */

static const struct known {
    const char *name, *compact, *shape, *rule;
} known[] = {
#define F(id, name, compact, shape, rule, rfc) {name, compact, #shape, #rule},
#include "field.def"
#undef F
};

#define V(rule, text)
#define P(text)
#define H(text)
#define W(name, text)

static const struct {
    const char *rule, *text;
} values[] = {
#undef V
#define V(rule, text) {#rule, text},
#include "mutate_sip.def"
#undef V
#define V(rule, text)
};

static const char *const params[] = {
#undef P
#define P(text) text,
#include "mutate_sip.def"
#undef P
#define P(text)
};

static const char *const hosts[] = {
#undef H
#define H(text) text,
#include "mutate_sip.def"
#undef H
#define H(text)
};

static const struct {
    const char *name, *text;
} web[] = {
#undef W
#define W(name, text) {name, text},
#include "mutate_sip.def"
};

/* A value of the rule, or NULL; a value of any rule for NULL. */
static const char *sample(struct mut *m, const char *rule)
{
    size_t begin = mut_below(m, COUNT(values));
    for (size_t i = 0; i < COUNT(values); i++) {
        size_t at = (begin + i) % COUNT(values);
        if (!rule || strcmp(values[at].rule, rule) == 0)
            return values[at].text;
    }
    return NULL;
}

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

/* ---- URIs ------------------------------------------------------------------------------------ */

struct uri {
    struct span scheme, user, host, port, params, headers; /* without what separates them */
};

static size_t find(const uint8_t *p, struct span s, uint8_t ch)
{
    const uint8_t *at = s.to > s.from ? memchr(p + s.from, ch, s.to - s.from) : NULL;
    return at ? (size_t)(at - p) : s.to;
}

static struct uri split_uri(const uint8_t *p, struct span s)
{
    struct uri u;
    size_t colon = find(p, s, ':'), rest = colon < s.to ? colon + 1 : s.from;
    u.scheme = (struct span){s.from, rest == s.from ? s.from : colon};
    size_t at = find(p, (struct span){rest, s.to}, '@');
    u.user = (struct span){rest, at < s.to ? at : rest};
    struct span tail = {at < s.to ? at + 1 : rest, s.to};
    size_t question = find(p, tail, '?');
    size_t semicolon = find(p, (struct span){tail.from, question}, ';');
    u.headers = (struct span){question < s.to ? question + 1 : s.to, s.to};
    u.params = (struct span){semicolon < question ? semicolon + 1 : question, question};
    struct span hostport = {tail.from, semicolon};
    size_t bracket = find(p, hostport, ']');
    size_t port = find(p, (struct span){bracket < semicolon ? bracket : tail.from, semicolon}, ':');
    u.host = (struct span){tail.from, port};
    u.port = (struct span){port < semicolon ? port + 1 : semicolon, semicolon};
    return u;
}

static void mutate_user(struct mut *m, struct span user)
{
    static const char hex[] = "0123456789abcdef0123456789ABCDEF";
    static const char *const users[] = {"bob", "B%6Fb", "+1-555;x=y", "a:b", "%00",
                                        "%",   "a%4",   "%C3%A9",     "",    "&=+$,;?/-_.!~*'()"};
    size_t at = user.from + mut_below(m, user.to - user.from);
    if (at < user.to && mut_chance(m, 128)) {
        unsigned big = mut_chance(m, 128) ? 16 : 0;
        char escaped[3] = {'%', hex[big + (m->p[at] >> 4)], hex[big + (m->p[at] & 15)]};
        if (m->p[at] != '%' && m->p[at] != ':')
            mut_splice(m, at, at + 1, escaped, 3);
    } else if (user.to > user.from) {
        mut_replace(m, user, users[mut_below(m, m->sound ? 3 : COUNT(users))]);
    } else if (mut_insert(m, user.from, "@")) {
        mut_insert(m, user.from, users[mut_below(m, m->sound ? 3 : COUNT(users))]);
    }
}

/* A name of its own, so that no parameter is there twice. */
static void add_param(struct mut *m, size_t at)
{
    char own[] = ";x00=y";
    own[2] = (char)('a' + mut_below(m, 26));
    own[3] = (char)('a' + mut_below(m, 26));
    if (m->sound)
        mut_insert(m, at, own);
    else if (mut_insert(m, at, params[mut_below(m, COUNT(params))]))
        mut_insert(m, at, ";");
}

/* A URI somewhere in s: what begins with sip:, sips: or tel:, up to where a URI in brackets or a
 * bare one ends. */
static bool find_uri(struct mut *m, const uint8_t *p, struct span s, struct span *uri)
{
    static const char *const begins[] = {"sip:", "sips:", "tel:"};
    size_t n = s.to - s.from, at = s.from + mut_below(m, n);
    for (size_t i = 0; i < n; i++, at = at + 1 < s.to ? at + 1 : s.from)
        for (size_t j = 0; j < COUNT(begins); j++) {
            size_t len = strlen(begins[j]);
            if (len > s.to - at || !mut_is(p, (struct span){at, at + len}, begins[j]))
                continue;
            bool bare = at == s.from || p[at - 1] != '<';
            size_t end = at;
            while (end < s.to && p[end] > ' ' && !memchr("<>\"", p[end], 3) &&
                   !(bare && (p[end] == ',' || p[end] == ';')))
                end++;
            *uri = (struct span){at, end};
            return true;
        }
    return false;
}

/* A part of some URI in the other text, in the place of the same part. */
static void take_of_uri(struct mut *m, const struct uri *u)
{
    struct span theirs;
    if (!find_uri(m, m->other.p, (struct span){0, m->other.n}, &theirs))
        return;
    const struct uri o = split_uri(m->other.p, theirs);
    const struct span from[] = {o.scheme, o.user, o.host, o.params, o.headers};
    const struct span to[] = {u->scheme, u->user, u->host, u->params, u->headers};
    size_t i = mut_below(m, COUNT(from));
    if (from[i].to > from[i].from && to[i].to > to[i].from)
        mut_splice(m, to[i].from, to[i].to, m->other.p + from[i].from, from[i].to - from[i].from);
}

void mut_uri(struct mut *m, struct span s)
{
    static const char *const schemes[] = {"sip", "sips", "SIP", "tel", "http",
                                          "urn", "x+1",  "1",   ""};
    static const char *const headers[] = {"subject=a%20b", "Replaces=1%40h", "a=", "=", "a",
                                          "body=b"};
    struct uri u = split_uri(m->p, s);
    size_t k = mut_below(m, 4);
    if (m->other.p && mut_chance(m, 128)) {
        take_of_uri(m, &u);
        return;
    }
    switch (mut_below(m, m->sound ? 6 : 10)) {
    case 0:
        mutate_user(m, u.user);
        break;
    case 1:
        mut_replace(m, u.host, hosts[mut_below(m, m->sound ? 6 : COUNT(hosts))]);
        break;
    case 2:
        if (u.port.from == u.host.to)
            mut_insert(m, u.port.from, ":5060");
        else
            mut_number(m, u.port);
        break;
    case 3:
        add_param(m, u.params.to);
        break;
    case 4:
        if (u.headers.from == u.params.to) /* there are none yet */
            mut_insert(m, s.to, m->sound ? "" : "?subject=a");
        else if (m->sound || mut_chance(m, 128))
            mut_parts(m, u.headers, '&');
        else if (mut_insert(m, s.to, headers[mut_below(m, COUNT(headers))]))
            mut_insert(m, s.to, "&");
        break;
    case 5:
        if (!m->sound)
            mut_parts(m, u.params, ';');
        else
            mut_without_part(m, (struct span){u.host.from, u.params.to}, ';', 1, &k);
        break;
    case 6:
        mut_replace(m, u.scheme, schemes[mut_below(m, COUNT(schemes))]);
        break;
    case 7:
        mut_octets(m, mut_chance(m, 128) ? u.host : u.params);
        break;
    case 8:
        mut_number(m, s);
        break;
    default:
        mut_octets(m, s);
    }
}

bool mut_without_uri(struct mut *m, struct span s, size_t *k)
{
    struct uri u = split_uri(m->p, s);
    return mut_without_part(m, (struct span){u.host.from, u.params.to}, ';', 1, k) ||
           mut_without_part(m, u.headers, '&', 0, k);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* A quoted string in s, without its quotes. */
static bool find_quoted(const uint8_t *p, struct span s, struct span *quoted)
{
    size_t open = find(p, s, '"'), at = open;
    if (open == s.to)
        return false;
    do
        at += p[at] == '\\' ? 2 : 1;
    while (at < s.to && p[at] != '"');
    *quoted = (struct span){open + 1, at < s.to ? at : s.to};
    return true;
}

static void mutate_quoted(struct mut *m, struct span s)
{
    static const char *const texts[] = {"\\\"",
                                        "\\\\",
                                        "a",
                                        ";",
                                        ",",
                                        "<",
                                        "\xC3\xA9",
                                        "\xF0\x9F\x98\x80",
                                        "\"",
                                        "\\",
                                        "\r\n",
                                        "\xC3",
                                        "\xED\xA0\x80",
                                        "\\\x80",
                                        "\x7F"};
    struct span q;
    if (!find_quoted(m->p, s, &q)) {
        if (!m->sound)
            mut_insert(m, s.from + mut_below(m, s.to - s.from + 1), "\"");
        return;
    }
    size_t at = q.from + mut_below(m, q.to - q.from + 1);
    if (at > q.from && m->p[at - 1] == '\\') /* not into an escape */
        at = m->sound ? q.from : at;
    if (!m->sound && mut_chance(m, 48))
        mut_drop(m, (struct span){q.from - 1, q.from});
    else
        mut_insert(m, at, texts[mut_below(m, m->sound ? 8 : COUNT(texts))]);
}

/* Where white space may be longer, or fold: at white space outside of quotes. */
static void mutate_space(struct mut *m, struct span s)
{
    static const char *const spaces[] = {
        " ",    "  ",  "\t",  "\r\n ", "\r\n\t", " \r\n  ", /* sound so far */
        "\r\n", "\n ", "\r ", "",      "\v",     "\xC2\xA0", "\r\n\r\n "};
    size_t n = s.to - s.from, at = s.from + mut_below(m, n);
    bool quoted = find(m->p, s, '"') < s.to; /* then it is not worth to look where */
    for (size_t i = 0; i < n; i++, at = at + 1 < s.to ? at + 1 : s.from) {
        size_t end = at;
        while (end < s.to && memchr(" \t\r\n", m->p[end], 4))
            end++;
        if (end == at || (m->sound && (quoted || at == s.from || end == s.to)))
            continue;
        mut_replace(m, (struct span){at, end}, spaces[mut_below(m, m->sound ? 6 : COUNT(spaces))]);
        return;
    }
}

static void mutate_params(struct mut *m, struct span s)
{
    struct span parts[2];
    bool some = mut_split(m->p, s, ';', parts, 2) > 1;
    if (mut_chance(m, 128) || !some)
        add_param(m, s.to);
    else if (!m->sound)
        mut_parts(m, s, ';');
}

/* One letter or digit becomes another one, as in tags and tokens. */
static void mutate_letter(struct mut *m, struct span s)
{
    size_t n = s.to - s.from, at = s.from + mut_below(m, n);
    if (n > 0 && mut_is_letter(m->p[at]))
        m->p[at] = mut_chance(m, 128) ? m->p[at] ^ 0x20 : (uint8_t)('a' + mut_below(m, 26));
}

static bool is_rule(const struct known *field, const char *rule)
{
    return field && strcmp(field->rule, rule) == 0;
}

/* `field` is NULL for one that is not known. */
static void mutate_value(struct mut *m, struct span s, const struct known *field)
{
    struct span uri, one, parts[FIELDS];
    const char *text;
    bool list = field && field->shape[6] == 'L';
    bool addresses = find(m->p, s, '>') < s.to;
    size_t n = list ? mut_split(m->p, s, ',', parts, FIELDS) : 1;
    one = n > 1 ? parts[mut_below(m, n)] : s;
    switch (mut_below(m, m->sound ? 7 : 12)) {
    case 0:
        if (find_uri(m, m->p, one, &uri))
            mut_uri(m, uri);
        break;
    case 1:
        if (list)
            mut_parts(m, s, ',');
        break;
    case 2:
        if (addresses || !m->sound)
            mutate_params(m, one);
        break;
    case 3:
        mutate_quoted(m, one);
        break;
    case 4:
        mutate_space(m, s);
        break;
    case 5: /* CSeq names the method of the message */
        text = field && (!m->sound || !is_rule(field, "cseq")) ? sample(m, field->rule) : NULL;
        if (text)
            mut_replace(m, one, text);
        break;
    case 6:
        if (!m->sound || is_rule(field, "callid"))
            mutate_letter(m, one);
        break;
    case 7:
    case 8:
        mut_number(m, one);
        break;
    case 9:
        mut_replace(m, one, sample(m, NULL));
        break;
    case 10:
        mut_parts(m, s, list ? ';' : ',');
        break;
    default:
        mut_octets(m, one);
    }
}

void mut_field(struct mut *m, struct span s)
{
    if (s.to - s.from < 2 && !mut_splice(m, s.to, s.to, "\0\0", 2))
        return;
    s.to = m->n;
    size_t id = m->p[s.from] % (COUNT(known) + 1); /* 0: one that is not known */
    struct span value = {s.from + 2, s.to};
    if (mut_chance(m, 24)) {
        id = mut_below(m, COUNT(known) + 1);
        const char *text = id ? sample(m, known[id - 1].rule) : "a, b; c";
        if (text && mut_replace(m, value, text))
            m->p[s.from] = (uint8_t)id;
    } else if (!m->sound && mut_chance(m, 8)) {
        m->p[s.from + mut_below(m, 2)] = (uint8_t)mut_below(m, 256);
    } else {
        mutate_value(m, value, id ? &known[id - 1] : NULL);
    }
}

bool mut_without_field(struct mut *m, struct span s, size_t *k)
{
    if (s.to - s.from < 2)
        return false;
    s.from += 2;
    return mut_without_part(m, s, ',', 0, k) || mut_without_part(m, s, ';', 1, k);
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
    size_t at = find(p, (struct span){from, to}, '\n');
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
        size_t colon = find(p, text, ':');
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

static const struct known *known_as(const uint8_t *p, struct span name)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (mut_is(p, name, known[i].name) ||
            (known[i].compact[0] && mut_is(p, name, known[i].compact)))
            return &known[i];
    return NULL;
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

static bool is_one(const struct known *k)
{
    return strcmp(k->shape, "SIPWS_ONE") == 0;
}

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
    const struct known *k = known_as(m->p, f->name);
    size_t how = mut_below(m, m->sound ? 2 : 6), n = f->name.to - f->name.from;
    size_t at = f->name.from + mut_below(m, n);
    if (how == 0 && k && k->compact[0]) {
        mut_replace(m, f->name, n == 1 ? k->name : k->compact);
    } else if (how == 1) {
        for (size_t i = f->name.from; i < f->name.to; i++)
            if (mut_is_letter(m->p[i]) && mut_chance(m, 96))
                m->p[i] ^= 0x20;
    } else if (how == 2) {
        mut_replace(m, f->name, known[mut_below(m, COUNT(known))].name);
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
    size_t i = mut_below(m, ours ? COUNT(known) : COUNT(web));
    const char *name = ours ? known[i].name : web[i].name;
    const char *value = ours ? sample(m, known[i].rule) : web[i].text;
    if (!value || (m->sound && is_one(&known[i]) && find_field(m->p, h, &known[i])))
        return;
    if (ours && known[i].compact[0] && mut_chance(m, 64))
        name = known[i].compact;
    size_t end = at;
    const char *const texts[] = {name, mut_chance(m, 192) ? ": " : ":", value, "\r\n"};
    for (size_t j = 0; j < COUNT(texts) && mut_insert(m, end, texts[j]); j++)
        end += strlen(texts[j]);
}

/* The field here that has the name of one of the other text, or NULL. */
static const struct field *find_same(struct mut *m, const struct head *h, struct span name)
{
    const struct known *k = known_as(m->other.p, name);
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
    if (m->sound && is_rule(known_as(m->other.p, f->name), "cseq"))
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
    const struct known *k = h->n ? known_as(m->p, f->name) : NULL;
    if (h->n == 0 || mut_chance(m, 64)) {
        add_field(m, h, h->n ? f->line.from : h->end, is_web);
    } else if (mut_chance(m, 64)) {
        if (!m->sound || !needed(m->p, f->name))
            mut_drop(m, f->line);
    } else if (mut_chance(m, 85)) {
        if (!m->sound || (k && !is_one(k)))
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
        if (find_uri(m, m->p, s, &uri))
            mut_uri(m, uri);
    } else if (m->sound) {
        return;
    } else if (mut_chance(m, 85)) {
        mut_replace(m, s, starts[mut_below(m, COUNT(starts))]);
    } else if (mut_chance(m, 128)) {
        mut_number(m, s);
    } else {
        mutate_space(m, s);
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
        mutate_value(m, f->value, known_as(m->p, f->name));
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
