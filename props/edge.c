#include "edge.h"

#include "plant.h"

/* ---- connections and transactions ------------------------------------------------------------ */

static bool keep(struct edge_text *t, struct sipws_str s)
{
    if (s.n > sizeof t->p)
        return false;
    t->n = s.n;
    if (s.n > 0)
        memcpy(t->p, s.p, s.n);
    return true;
}

static struct sipws_str text(const struct edge_text *t)
{
    return (struct sipws_str){t->p, t->n};
}

unsigned edge_open(struct edge *e)
{
    unsigned i = 0;
    while (i < EDGE_SLOTS && e->slots[i].open)
        i++;
    if (i < EDGE_SLOTS)
        e->slots[i] = (struct edge_slot){.open = true, .serial = ++e->serials};
    return i;
}

void edge_close(struct edge *e, unsigned slot)
{
    e->slots[slot].open = false;
}

/* The transaction that a request with this branch belongs to, or NULL. A branch is chosen by the
 * other end, so that of another connection means nothing. */
static struct edge_transaction *find(struct edge *e, uint32_t serial, struct sipws_str branch,
                                     struct sipws_str host, bool invite)
{
    for (unsigned i = 0; i < EDGE_TRANSACTIONS; i++) {
        struct edge_transaction *t = &e->transactions[i];
        if (t->used && t->serial == serial && sipws_str_eq(text(&t->branch), branch) &&
            sipws_str_ieq(text(&t->host), host) && (!invite || t->method == SIPWS_M_INVITE))
            return t;
    }
    return NULL;
}

static enum edge_what add(struct edge *e, unsigned slot, const struct sipws_value *via,
                          enum sipws_method method, unsigned *transaction)
{
    for (unsigned i = 0; i < EDGE_TRANSACTIONS; i++) {
        struct edge_transaction *t = &e->transactions[i];
        if (t->used)
            continue;
        *t = (struct edge_transaction){
            .used = true, .slot = slot, .serial = e->slots[slot].serial, .method = method};
        *transaction = i;
        return keep(&t->branch, via->key) && keep(&t->host, via->via.host.text) ? EDGE_NEW
                                                                                : EDGE_BAD;
    }
    return EDGE_FULL;
}

enum edge_what edge_hear(struct edge *e, unsigned slot, const struct sipws_msg *m,
                         unsigned *transaction)
{
    struct sipws_value via, to;
    struct edge_slot *s = &e->slots[slot];
    if (!s->open || !m->is_request || !sipws_msg_first(m, SIPWS_F_VIA, &via) || !via.key.p ||
        via.key.n > EDGE_TEXT || via.via.host.text.n > EDGE_TEXT)
        return EDGE_BAD;
    bool cancel = m->method == SIPWS_M_CANCEL, ack = m->method == SIPWS_M_ACK;
    struct edge_transaction *t = find(e, s->serial, via.key, via.via.host.text, cancel || ack);
    if (t)
        *transaction = (unsigned)(t - e->transactions);
    if (cancel)
        return t && (!t->answered || SIPWS_PLANT(EDGE_CANCEL_ANSWERED)) ? EDGE_CANCELLED
                                                                        : EDGE_LATE;
    if (ack)
        return t && t->answered ? EDGE_AGAIN : EDGE_LATE;
    if (t && !SIPWS_PLANT_IF(EDGE_AGAIN_NEW, t->answered))
        return EDGE_AGAIN;
    if (m->method == SIPWS_M_REGISTER && sipws_msg_first(m, SIPWS_F_TO, &to)) {
        if (!keep(&s->aor, to.addr.uri.text) || !keep(&s->host, via.via.host.text))
            return EDGE_BAD;
        for (unsigned i = 0; i < EDGE_SLOTS; i++)
            if (i != slot && sipws_str_eq(text(&e->slots[i].aor), text(&s->aor)))
                e->slots[i].aor.n = 0;
        e->last = slot;
    }
    return add(e, slot, &via, m->method, transaction);
}

/* The open connection whose registration came from `host`, or NULL. */
static const struct edge_slot *by_host(const struct edge *e, struct sipws_str host)
{
    for (unsigned i = 0; i < EDGE_SLOTS; i++)
        if (e->slots[i].open && sipws_str_ieq(text(&e->slots[i].host), host))
            return &e->slots[i];
    return NULL;
}

uint32_t edge_answer(struct edge *e, unsigned transaction)
{
    struct edge_transaction *t = &e->transactions[transaction];
    const struct edge_slot *s = &e->slots[t->slot], *named = by_host(e, text(&t->host));
    t->answered = true;
    if (SIPWS_PLANT_IF(EDGE_ANSWER_BY_VIA, named && named->serial != t->serial))
        return named->serial;
    if (!s->open)
        return 0;
    return s->serial == t->serial || SIPWS_PLANT(EDGE_SLOT_AGAIN) ? s->serial : 0;
}

uint32_t edge_call(const struct edge *e, struct sipws_str aor)
{
    const struct edge_slot *last = &e->slots[e->last];
    if (SIPWS_PLANT_IF(EDGE_CALL_LAST, last->open && !sipws_str_eq(text(&last->aor), aor)))
        return last->serial;
    for (unsigned i = 0; i < EDGE_SLOTS; i++)
        if (e->slots[i].open && e->slots[i].aor.n > 0 && sipws_str_eq(text(&e->slots[i].aor), aor))
            return e->slots[i].serial;
    return 0;
}

/* ---- the parts of a body --------------------------------------------------------------------- */

struct edge_parts edge_parts(struct sipws_str body, struct sipws_str boundary)
{
    return (struct edge_parts){.p = body.p, .end = body.p + body.n, .boundary = boundary};
}

/* Whether a line that starts at `p` is a delimiter: *next is behind it. */
static bool delimiter(const struct edge_parts *s, const char *p, const char **next, bool *closes)
{
    size_t n = s->boundary.n;
    if ((size_t)(s->end - p) < n + 2 || p[0] != '-' || p[1] != '-' ||
        memcmp(p + 2, s->boundary.p, n) != 0)
        return false;
    p += n + 2;
    bool two = s->end - p >= 2 || SIPWS_PLANT(EDGE_PART_PEEK);
    *closes = two && p[0] == '-' && p[1] == '-';
    p += *closes ? 2 : 0;
    while (p < s->end && (*p == ' ' || *p == '\t'))
        p++;
    *next = p;
    if (p == s->end)
        return *closes;
    bool line_end = s->end - p >= 2 && p[0] == '\r' && p[1] == '\n';
    if (line_end)
        *next = p + 2;
    return line_end || SIPWS_PLANT(EDGE_PART_PREFIX);
}

/* Where the line behind the next CRLF starts, or NULL. */
static const char *next_line(const char *p, const char *end)
{
    for (; end - p >= 2; p++)
        if (p[0] == '\r' && p[1] == '\n')
            return p + 2;
    return NULL;
}

bool edge_part_next(struct edge_parts *s, struct sipws_str *part)
{
    const char *start = s->p, *line = s->p, *next = NULL;
    bool closes = false, was_inside = s->inside;
    if (s->closed)
        return false;
    while (line && !delimiter(s, line, &next, &closes))
        line = next_line(line, s->end);
    if (!line) {
        *part = sipws_slice(start, s->end);
        s->p = s->end;
        s->inside = false;
        return was_inside && SIPWS_PLANT(EDGE_PART_UNENDED);
    }
    s->p = next;
    s->inside = true;
    s->closed = closes;
    if (!was_inside) /* that was the preamble */
        return edge_part_next(s, part);
    /* The CRLF in front of a delimiter belongs to it; of an empty part there may be none. */
    *part = sipws_slice(start, line > start ? line - 2 : line);
    return true;
}

/* ---- certificates ---------------------------------------------------------------------------- */

/* The host of a URI that names a SIP domain (RFC 5922 7.1), or nothing. */
static struct sipws_str domain_of(struct sipws_str uri)
{
    struct sipws_cur c = sipws_cur(uri, NULL);
    struct sipws_uri u;
    if (!sipws_uri(&c, SIPWS_URI_WHOLE, &u) || c.p != c.end || u.scheme != SIPWS_SCHEME_SIP ||
        u.user.p)
        return (struct sipws_str){NULL, 0};
    return u.host.text;
}

/* RFC 5922 7.2: whole names, without regard to case. */
static bool same_domain(struct sipws_str name, struct sipws_str domain)
{
    size_t n = name.n;
    if (SIPWS_PLANT_IF(EDGE_NAME_SUFFIX, n > 0 && domain.n > n &&
                                             domain.p[domain.n - n - 1] == '.' &&
                                             memcmp(domain.p + domain.n - n, name.p, n) == 0))
        return true;
    if (SIPWS_PLANT_IF(EDGE_NAME_WILDCARD,
                       n > 2 && name.p[0] == '*' && name.p[1] == '.' && domain.n >= n &&
                           memcmp(domain.p + domain.n - n + 1, name.p + 1, n - 1) == 0))
        return true;
    return n > 0 && sipws_str_ieq(name, domain);
}

bool edge_certificate_is(const struct edge_certificate *c, struct sipws_str domain)
{
    bool by_uri = false;
    for (size_t i = 0; i < c->uri_n; i++) {
        struct sipws_str name = domain_of(c->uris[i]);
        by_uri = by_uri || name.n > 0;
        if (same_domain(name, domain))
            return true;
    }
    for (size_t i = 0; i < c->dns_n && !by_uri; i++)
        if (same_domain(c->dns[i], domain))
            return true;
    bool no_name = c->uri_n == 0 && c->dns_n == 0;
    bool named = same_domain(c->cn, domain);
    return (no_name && named) || SIPWS_PLANT_IF(EDGE_NAME_CN, named);
}
