#include "twin_sip.h"

#include <string.h>

static bool is_blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

static struct twin_str trim(struct twin_str s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s.p++, s.n--;
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

size_t twin_unfold(struct twin_str s, char *out)
{
    size_t n = 0;
    bool folded = false; /* within the white space behind a line end */
    s = trim(s);
    for (size_t i = 0; i < s.n; i++) {
        bool line_end = s.p[i] == '\r' || s.p[i] == '\n';
        if (folded && is_blank(s.p[i]))
            continue;
        folded = line_end;
        out[n++] = line_end ? ' ' : s.p[i];
    }
    return n;
}

size_t twin_split(struct twin_str s, char separator, struct twin_str *out, size_t cap)
{
    size_t n = 0, start = 0;
    bool quoted = false, angled = false;
    for (size_t i = 0; i <= s.n; i++) {
        if (i == s.n || (!quoted && !angled && s.p[i] == separator)) {
            if (n < cap)
                out[n] = trim((struct twin_str){s.p + start, i - start});
            n++;
            start = i + 1;
        } else if (quoted && s.p[i] == '\\') {
            i++;
        } else if (s.p[i] == '"' && !angled) {
            quoted = !quoted;
        } else if (!quoted && (s.p[i] == '<' || s.p[i] == '>')) {
            angled = s.p[i] == '<';
        }
    }
    return n;
}

void twin_name_value(struct twin_str s, struct twin_str *name, struct twin_str *value)
{
    size_t i = 0;
    while (i < s.n && s.p[i] != '=')
        i++;
    *name = trim((struct twin_str){s.p, i});
    *value = (struct twin_str){NULL, 0};
    if (i < s.n)
        *value = trim((struct twin_str){s.p + i + 1, s.n - i - 1});
}

/* Where "\r\n" stands from `from` on with no white space behind it. */
static size_t line_end(struct twin_str s, size_t from)
{
    for (size_t i = from; i + 1 < s.n; i++)
        if (s.p[i] == '\r' && s.p[i + 1] == '\n' &&
            (i + 2 == s.n || (s.p[i + 2] != ' ' && s.p[i + 2] != '\t')))
            return i;
    return s.n;
}

size_t twin_lines(struct twin_str message, struct twin_str *names, struct twin_str *values,
                  size_t cap, struct twin_str *body)
{
    size_t n = 0, at = 0;
    while (message.p[at] != '\n')
        at++;
    for (at++;; n++) {
        bool empty = message.p[at] == '\r'; /* whatever the body begins with */
        size_t end = line_end(message, at), colon = at;
        if (empty) {
            *body = (struct twin_str){message.p + at + 2, message.n - at - 2};
            return n;
        }
        while (message.p[colon] != ':')
            colon++;
        if (n < cap) {
            names[n] = trim((struct twin_str){message.p + at, colon - at});
            values[n] = trim((struct twin_str){message.p + colon + 1, end - colon - 1});
        }
        at = end + 2;
    }
}

/* ---- URI equality ---------------------------------------------------------------------------- */

static unsigned lower(unsigned ch)
{
    return ch >= 'A' && ch <= 'Z' ? ch + 32 : ch;
}

static unsigned hex(char ch)
{
    unsigned c = lower((unsigned char)ch);
    return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The first character of `s`, taken off it: an octet, or 256 and more for an escaped reserved one,
 * which is not the same as the octet itself. */
static unsigned character(struct twin_str *s)
{
    unsigned ch = (unsigned char)s->p[0];
    size_t used = 1;
    if (ch == '%') {
        ch = hex(s->p[1]) * 16 + hex(s->p[2]);
        used = 3;
        if (ch != 0 && strchr(";/?:@&=+$,", (int)ch))
            ch += 256;
    }
    s->p += used;
    s->n -= used;
    return ch;
}

static bool same(struct twin_str a, struct twin_str b, bool any_case)
{
    if (!a.p != !b.p)
        return false;
    while (a.n > 0 && b.n > 0) {
        unsigned x = character(&a), y = character(&b);
        if (any_case ? lower(x) != lower(y) : x != y)
            return false;
    }
    return a.n == 0 && b.n == 0;
}

/* Cuts off what is in front of the first of `stops`; *stop is that octet, or 0 at the end. */
static struct twin_str cut(struct twin_str *s, const char *stops, char *stop)
{
    struct twin_str front = {s->p, 0};
    while (front.n < s->n && !strchr(stops, s->p[front.n]))
        front.n++;
    *stop = front.n < s->n ? s->p[front.n] : '\0';
    size_t used = front.n + (*stop != '\0');
    s->p += used;
    s->n -= used;
    return front;
}

/* The eight words of "[…]". */
static void ipv6(struct twin_str s, unsigned words[8])
{
    unsigned n = 0, gap = 8;
    memset(words, 0, 8 * sizeof *words);
    for (size_t i = 1; s.p[i] != ']' && n < 8;) {
        if (s.p[i] == ':' && s.p[i + 1] == ':') {
            gap = n;
            i += 2;
            continue;
        }
        i += s.p[i] == ':';
        size_t end = i;
        while (s.p[end] != ':' && s.p[end] != ']' && s.p[end] != '.')
            end++;
        if (s.p[end] == '.') { /* the last 32 bits as an IPv4 address */
            unsigned parts[4] = {0}, k = 0;
            for (; s.p[i] != ']'; i++)
                if (s.p[i] == '.')
                    k++;
                else
                    parts[k & 3] = parts[k & 3] * 10 + (unsigned)(s.p[i] - '0');
            words[n++] = parts[0] * 256 + parts[1];
            if (n < 8)
                words[n++] = parts[2] * 256 + parts[3];
            continue;
        }
        for (; i < end; i++)
            words[n] = words[n] * 16 + hex(s.p[i]);
        n++;
    }
    for (unsigned i = n; gap < 8 && i > gap; i--) { /* what is behind the gap ends at the end */
        unsigned word = words[i - 1];
        words[i - 1] = 0;
        words[8 - (n - i) - 1] = word;
    }
}

struct parts {
    struct twin_str scheme, rest, user, password, host, params, headers;
    bool has_port;
    unsigned long port;
};

static void take_apart(struct twin_str s, struct parts *u)
{
    char stop;
    memset(u, 0, sizeof *u);
    u->scheme = cut(&s, ":", &stop);
    u->rest = s;
    size_t at = 0;
    while (at < s.n && s.p[at] != '@') /* which stands nowhere else */
        at++;
    if (at < s.n) {
        struct twin_str info = {s.p, at};
        u->user = cut(&info, ":", &stop);
        if (stop)
            u->password = info;
        s.p += at + 1;
        s.n -= at + 1;
    }
    struct twin_str host = s;
    host = cut(&s, ";?", &stop);
    if (stop == ';')
        u->params = cut(&s, "?", &stop);
    if (stop == '?')
        u->headers = s;
    size_t end = 0;
    while (end < host.n && host.p[end] != (host.p[0] == '[' ? ']' : ':'))
        end++;
    end += host.p[0] == '[';
    u->host = (struct twin_str){host.p, end};
    u->has_port = end < host.n;
    for (end++; end < host.n; end++)
        u->port = u->port * 10 + (unsigned long)(host.p[end] - '0');
}

static bool same_host(struct twin_str a, struct twin_str b)
{
    unsigned x[8], y[8];
    if (a.p[0] != '[' || b.p[0] != '[')
        return same(a, b, true);
    ipv6(a, x);
    ipv6(b, y);
    return memcmp(x, y, sizeof x) == 0;
}

/* Whether what is in `a` agrees with what is in `b`: parameters separated by ";", headers by "&".
 */
static bool agree(struct twin_str a, struct twin_str b, bool headers)
{
    static const struct twin_str never_left_out[] = {
        {"user", 4}, {"ttl", 3}, {"method", 6}, {"maddr", 5}, {"transport", 9}};
    char stop;
    while (a.n > 0) {
        struct twin_str one = cut(&a, headers ? "&" : ";", &stop), name, value, rest = b;
        bool found = false;
        twin_name_value(one, &name, &value);
        while (!found && rest.n > 0) {
            struct twin_str other = cut(&rest, headers ? "&" : ";", &stop), name_b, value_b;
            twin_name_value(other, &name_b, &value_b);
            found = same(name, name_b, true);
            if (found && !same(value, value_b, !headers))
                return false;
        }
        for (int i = 0; !found && i < 5; i++)
            if (headers || same(name, never_left_out[i], true))
                return false;
    }
    return true;
}

bool twin_uri_eq(struct twin_str a, struct twin_str b)
{
    struct parts x, y;
    take_apart(a, &x);
    take_apart(b, &y);
    if (!same(x.scheme, y.scheme, true))
        return false;
    struct twin_str sip = {"sip", 3}, sips = {"sips", 4};
    if (!same(x.scheme, sip, true) && !same(x.scheme, sips, true))
        return x.rest.n == y.rest.n && memcmp(x.rest.p, y.rest.p, x.rest.n) == 0;
    return same(x.user, y.user, false) && same(x.password, y.password, false) &&
           same_host(x.host, y.host) && x.has_port == y.has_port && x.port == y.port &&
           agree(x.params, y.params, false) && agree(y.params, x.params, false) &&
           agree(x.headers, y.headers, true) && agree(y.headers, x.headers, true);
}
