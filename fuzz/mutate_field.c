/* The values of header fields. */
#include "mutate_impl.h"

enum { LIST = 64 };

static const struct known known[] = {
#define F(id, name, compact, shape, rule, rfc) {name, compact, #shape, #rule},
#include "field.def"
#undef F
};

#define P(text)
#define H(text)
#define W(name, text)

static const struct {
    const char *rule, *text;
} values[] = {
#define V(rule, text) {#rule, text},
#include "mutate_sip.def"
};

/* A value of the rule, or NULL; a value of any rule for NULL. */
const char *mut_sample(struct mut *m, const char *rule)
{
    size_t begin = mut_below(m, COUNT(values));
    for (size_t i = 0; i < COUNT(values); i++) {
        size_t at = (begin + i) % COUNT(values);
        if (!rule || strcmp(values[at].rule, rule) == 0)
            return values[at].text;
    }
    return NULL;
}

const struct known *mut_any_field(struct mut *m)
{
    return &known[mut_below(m, COUNT(known))];
}

const struct known *mut_known_as(const uint8_t *p, struct span name)
{
    for (size_t i = 0; i < COUNT(known); i++)
        if (mut_is(p, name, known[i].name) ||
            (known[i].compact[0] && mut_is(p, name, known[i].compact)))
            return &known[i];
    return NULL;
}

bool mut_is_one(const struct known *field)
{
    return strcmp(field->shape, "SIPWS_ONE") == 0;
}

bool mut_is_rule(const struct known *field, const char *rule)
{
    return field && strcmp(field->rule, rule) == 0;
}

/* A quoted string in s, without its quotes. */
static bool find_quoted(const uint8_t *p, struct span s, struct span *quoted)
{
    size_t open = mut_find(p, s, '"'), at = open;
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
void mut_space(struct mut *m, struct span s)
{
    static const char *const spaces[] = {
        " ",    "  ",  "\t",  "\r\n ", "\r\n\t", " \r\n  ", /* sound so far */
        "\r\n", "\n ", "\r ", "",      "\v",     "\xC2\xA0", "\r\n\r\n "};
    size_t n = s.to - s.from, at = s.from + mut_below(m, n);
    bool quoted = mut_find(m->p, s, '"') < s.to; /* then it is not worth to look where */
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
        mut_add_param(m, s.to);
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

/* `field` is NULL for one that is not known. */
void mut_value(struct mut *m, struct span s, const struct known *field)
{
    struct span uri, one, parts[LIST];
    const char *text;
    bool list = field && field->shape[6] == 'L';
    bool addresses = mut_find(m->p, s, '>') < s.to;
    size_t n = list ? mut_split(m->p, s, ',', parts, LIST) : 1;
    one = n > 1 ? parts[mut_below(m, n)] : s;
    switch (mut_below(m, m->sound ? 7 : 12)) {
    case 0:
        if (mut_find_uri(m, m->p, one, &uri))
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
        mut_space(m, s);
        break;
    case 5: /* CSeq names the method of the message */
        text =
            field && (!m->sound || !mut_is_rule(field, "cseq")) ? mut_sample(m, field->rule) : NULL;
        if (text)
            mut_replace(m, one, text);
        break;
    case 6:
        if (!m->sound || mut_is_rule(field, "callid"))
            mutate_letter(m, one);
        break;
    case 7:
    case 8:
        mut_number(m, one);
        break;
    case 9:
        mut_replace(m, one, mut_sample(m, NULL));
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
        const char *text = id ? mut_sample(m, known[id - 1].rule) : "a, b; c";
        if (text && mut_replace(m, value, text))
            m->p[s.from] = (uint8_t)id;
    } else if (!m->sound && mut_chance(m, 8)) {
        m->p[s.from + mut_below(m, 2)] = (uint8_t)mut_below(m, 256);
    } else {
        mut_value(m, value, id ? &known[id - 1] : NULL);
    }
}

bool mut_without_field(struct mut *m, struct span s, size_t *k)
{
    if (s.to - s.from < 2)
        return false;
    s.from += 2;
    return mut_without_part(m, s, ',', 0, k) || mut_without_part(m, s, ';', 1, k);
}
