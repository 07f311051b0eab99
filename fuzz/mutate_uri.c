/* URIs, and parameters, which they have in common with header fields. */
#include "mutate_impl.h"

#define V(rule, text)
#define W(name, text)

#define H(text)
static const char *const params[] = {
#define P(text) text,
#include "mutate_sip.def"
#undef P
};
#undef H

#define P(text)
static const char *const hosts[] = {
#define H(text) text,
#include "mutate_sip.def"
};

struct uri {
    struct span scheme, user, host, port, params, headers; /* without what separates them */
};

static struct uri split_uri(const uint8_t *p, struct span s)
{
    struct uri u;
    size_t colon = mut_find(p, s, ':'), rest = colon < s.to ? colon + 1 : s.from;
    u.scheme = (struct span){s.from, rest == s.from ? s.from : colon};
    size_t at = mut_find(p, (struct span){rest, s.to}, '@');
    u.user = (struct span){rest, at < s.to ? at : rest};
    struct span tail = {at < s.to ? at + 1 : rest, s.to};
    size_t question = mut_find(p, tail, '?');
    size_t semicolon = mut_find(p, (struct span){tail.from, question}, ';');
    u.headers = (struct span){question < s.to ? question + 1 : s.to, s.to};
    u.params = (struct span){semicolon < question ? semicolon + 1 : question, question};
    struct span hostport = {tail.from, semicolon};
    size_t bracket = mut_find(p, hostport, ']');
    size_t port =
        mut_find(p, (struct span){bracket < semicolon ? bracket : tail.from, semicolon}, ':');
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
void mut_add_param(struct mut *m, size_t at)
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
bool mut_find_uri(struct mut *m, const uint8_t *p, struct span s, struct span *uri)
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
    if (!mut_find_uri(m, m->other.p, (struct span){0, m->other.n}, &theirs))
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
        mut_add_param(m, u.params.to);
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
