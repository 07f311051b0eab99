/* The edge server of edge.h: an answer goes to the connection its request came over, bodies fall
 * into their parts, and a certificate is that of a whole name. Each against an obvious model. */
#include "edge.h"
#include "property.h"

#include <inttypes.h>

/* ---- edge/flows ------------------------------------------------------------------------------ */

enum { STEPS = 32, HOSTS = 3, USERS = 2, BRANCHES = 3 };

enum what { OPEN, REGISTER, INVITE, OPTIONS, ANSWER, CALL, CANCEL, ACK, CLOSE, WHATS };

struct step {
    enum what what;
    unsigned slot, host, user, branch, transaction;
    struct sipws_str text; /* of a request */
};

struct flows {
    size_t n;
    struct step steps[STEPS];
};

/* Random names, as browsers make them up, and what one would rather not resolve. */
static const char *const hosts[HOSTS] = {"a1.invalid", "b2.invalid", "192.0.2.7"};
static const char *const users[USERS] = {"sip:ann@example.org", "sip:bob@example.org"};
static const char *const branches[BRANCHES] = {"z9hG4bKa", "z9hG4bKb", "z9hG4bKc"};

static bool is_request(enum what what)
{
    return what == REGISTER || what == INVITE || what == OPTIONS || what == CANCEL || what == ACK;
}

static struct sipws_str draw_request(struct arena *a, const struct step *s, unsigned via)
{
    static const char *const methods[WHATS] = {[REGISTER] = "REGISTER",
                                               [INVITE] = "INVITE",
                                               [OPTIONS] = "OPTIONS",
                                               [CANCEL] = "CANCEL",
                                               [ACK] = "ACK"};
    static const char *const more[] = {"", ";rport", ";received=192.0.2.9", ";rport=5060",
                                       ";maddr=192.0.2.7"};
    char line[512];
    int n =
        snprintf(line, sizeof line,
                 "%s sip:example.org SIP/2.0\r\nVia: SIP/2.0/WS %s;branch=%s%s\r\n"
                 "From: <%s>;tag=f\r\nTo: <%s>\r\nCall-ID: c\r\nCSeq: 1 %s\r\n"
                 "Contact: <sip:x@%s;transport=ws>\r\nMax-Forwards: 70\r\n\r\n",
                 methods[s->what], hosts[s->host], branches[s->branch], more[via], users[s->user],
                 users[s->user], methods[s->what], hosts[(s->host + via) % HOSTS]);
    return arena_copy(a, (struct sipws_str){line, (size_t)n});
}

/* The slot of the k-th open connection; false: there is none. */
static bool kth_open(const bool *open, unsigned k, unsigned *slot)
{
    unsigned n = 0;
    for (unsigned i = 0; i < EDGE_SLOTS; i++)
        n += open[i];
    if (n == 0)
        return false;
    k %= n;
    for (*slot = 0; !open[*slot] || k > 0; ++*slot)
        k -= open[*slot];
    return true;
}

/* The first free slot is opened; all else is about one that is open. */
static void draw_slot(struct tape *t, struct step *s, bool *open)
{
    unsigned k = tape_below(t, EDGE_SLOTS), slot = 0;
    if (!kth_open(open, k, &slot))
        s->what = OPEN;
    if (s->what == OPEN)
        for (slot = 0; slot < EDGE_SLOTS - 1 && open[slot];)
            slot++;
    s->slot = slot;
    open[slot] = s->what != CLOSE;
}

/* The last INVITE before the `at`-th step, if its slot is open: what a CANCEL or an ACK is for. */
static const struct step *invite_before(const struct flows *f, const bool *open, size_t at)
{
    while (at > 0 && f->steps[at - 1].what != INVITE)
        at--;
    return at > 0 && open[f->steps[at - 1].slot] ? &f->steps[at - 1] : NULL;
}

static const void *draw_flows(struct tape *t, struct arena *a)
{
    static const unsigned char weights[WHATS] = {40, 44, 30, 26, 44, 30, 14, 10, 18};
    bool open[EDGE_SLOTS] = {false};
    unsigned requests = 0;
    struct flows *f = arena_get(a, sizeof *f);
    if (!f)
        return NULL;
    while (f->n < STEPS && tape_next(t, "step", 16)) {
        struct step *s = &f->steps[f->n++];
        s->what = (enum what)tape_weighted(t, weights, WHATS);
        draw_slot(t, s, open);
        unsigned names = tape_below(t, HOSTS * BRANCHES), more = tape_below(t, 5 * USERS);
        s->host = names % HOSTS;
        s->branch = names / HOSTS;
        s->user = more % USERS;
        const struct step *invite = invite_before(f, open, tape_below(t, 2 * STEPS) % f->n);
        if ((s->what == CANCEL || s->what == ACK) && invite) {
            s->slot = invite->slot;
            s->host = invite->host;
            s->branch = invite->branch;
        }
        s->transaction = tape_below(t, requests + 1);
        requests += is_request(s->what);
        if (is_request(s->what))
            s->text = draw_request(a, s, more / USERS);
        tape_end(t);
    }
    return a->full ? NULL : f;
}

static void explain_flows(const void *story, FILE *out)
{
    static const char *const names[WHATS] = {"open", "register", "invite", "options", "answer",
                                             "call", "cancel",   "ack",    "close"};
    const struct flows *f = story;
    for (size_t i = 0; i < f->n; i++) {
        const struct step *s = &f->steps[i];
        fprintf(out, "  %zu %s: slot %u, %s, %s, %s, transaction %u\n", i, names[s->what], s->slot,
                hosts[s->host], users[s->user], branches[s->branch], s->transaction);
    }
}

static void wire_flows(const void *story, struct sipws_out *o)
{
    const struct flows *f = story;
    for (size_t i = 0; i < f->n; i++)
        sipws_put(o, f->steps[i].text);
}

/* What came, in order, each with the connection's serial. */
struct heard {
    const struct step *step;
    uint32_t serial;
    bool answered;
};

struct model {
    uint32_t serials, open[EDGE_SLOTS]; /* serials; 0: closed */
    uint32_t user[USERS];               /* who registered last */
    struct heard heard[STEPS];          /* one for each transaction, as edge counts them */
    size_t n;
};

/* The transaction of the same connection, branch and sent-by; CANCEL and ACK are for INVITEs. */
static size_t belongs(const struct model *m, uint32_t serial, const struct step *s)
{
    size_t i = 0;
    for (; i < m->n; i++) {
        const struct heard *h = &m->heard[i];
        if (h->serial == serial && h->step->branch == s->branch && h->step->host == s->host &&
            (h->step->what == INVITE || (s->what != CANCEL && s->what != ACK)))
            break;
    }
    return i;
}

static enum edge_what expect(struct model *m, const struct step *s, size_t *which)
{
    uint32_t serial = m->open[s->slot];
    if (serial == 0)
        return EDGE_BAD;
    *which = belongs(m, serial, s);
    bool known = *which < m->n, answered = known && m->heard[*which].answered;
    if (s->what == CANCEL)
        return known && !answered ? EDGE_CANCELLED : EDGE_LATE;
    if (s->what == ACK)
        return answered ? EDGE_AGAIN : EDGE_LATE;
    if (known)
        return EDGE_AGAIN;
    if (s->what == REGISTER) {
        for (unsigned i = 0; i < USERS; i++) /* a connection is reached by one address */
            m->user[i] = m->user[i] == serial ? 0 : m->user[i];
        m->user[s->user] = serial;
    }
    m->heard[m->n++] = (struct heard){s, serial, false};
    return EDGE_NEW;
}

static bool is_open(const struct model *m, uint32_t serial)
{
    for (unsigned i = 0; i < EDGE_SLOTS; i++)
        if (serial > 0 && m->open[i] == serial)
            return true;
    return false;
}

static enum verdict hold_request(struct prop_trial *r, struct edge *e, struct model *m,
                                 const struct step *s)
{
    struct sipws_field fields[16];
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    struct sipws_msg msg;
    unsigned transaction = EDGE_TRANSACTIONS;
    size_t which = STEPS;
    if (!sipws_msg_parse(s->text, 0, fields, 16, &msg, &report))
        return prop_fail(r, "request", diag.off, "%s", sipws_err_info(diag.err)->id);
    enum edge_what want = expect(m, s, &which), got = edge_hear(e, s->slot, &msg, &transaction);
    if (got != want)
        return prop_fail(r, "transaction", PROP_NOWHERE, "what came is %d, not %d", (int)got,
                         (int)want);
    if (want == EDGE_AGAIN)
        prop_class(r, "again");
    if ((want == EDGE_NEW || want == EDGE_AGAIN || want == EDGE_CANCELLED) && transaction != which)
        return prop_fail(r, "which", PROP_NOWHERE, "belongs to transaction %u, not %zu",
                         transaction, which);
    return HOLDS;
}

static enum verdict hold_step(struct prop_trial *r, struct edge *e, struct model *m,
                              const struct step *s)
{
    if (is_request(s->what))
        return hold_request(r, e, m, s);
    if (s->what == OPEN) {
        unsigned slot = edge_open(e);
        if (slot < EDGE_SLOTS)
            m->open[slot] = ++m->serials;
    } else if (s->what == CLOSE && m->open[s->slot]) {
        edge_close(e, s->slot);
        m->open[s->slot] = 0;
        prop_class(r, "closed");
    } else if (s->what == ANSWER && s->transaction < m->n) {
        struct heard *h = &m->heard[s->transaction];
        uint32_t got = edge_answer(e, s->transaction);
        uint32_t want = is_open(m, h->serial) ? h->serial : 0;
        h->answered = true;
        prop_class(r, want ? "answered" : "answered too late");
        if (got != want)
            return prop_fail(r, "answer", PROP_NOWHERE, "goes to connection %u, not %u",
                             (unsigned)got, (unsigned)want);
    } else if (s->what == CALL) {
        uint32_t want = is_open(m, m->user[s->user]) ? m->user[s->user] : 0;
        struct sipws_str aor = {users[s->user], strlen(users[s->user])};
        uint32_t got = edge_call(e, aor);
        if (want)
            prop_class(r, "called");
        if (got != want)
            return prop_fail(r, "call", PROP_NOWHERE, "goes to connection %u, not %u",
                             (unsigned)got, (unsigned)want);
    }
    return HOLDS;
}

static enum verdict hold_flows(struct prop_trial *r, const void *story)
{
    const struct flows *f = story;
    struct edge *e = arena_get(&r->arena, sizeof *e);
    struct model *m = arena_get(&r->arena, sizeof *m);
    enum verdict v = e && m ? HOLDS : DISCARDED;
    for (size_t i = 0; i < f->n && v == HOLDS; i++)
        v = hold_step(r, e, m, &f->steps[i]);
    return v;
}

const struct prop prop_edge_flows = {
    .name = "edge/flows",
    .plant = "EDGE_ANSWER_BY_VIA",
    .sentence = "An answer goes out on the connection its request came over or nowhere, whatever "
                "Via and Contact say and however slots are used again; a call goes to the last "
                "registration; retransmissions, ACK and CANCEL find their transaction.",
    .draw = draw_flows,
    .hold = hold_flows,
    .explain = explain_flows,
    .wire = wire_flows,
    .classes = {{"answered", 80},
                {"answered too late", 20},
                {"called", 50},
                {"again", 20},
                {"closed", 50}},
    .discard_percent = 0,
    .tape_max = 256,
};

/* ---- edge/parts ------------------------------------------------------------------------------ */

struct body {
    struct sipws_str boundary, text;
};

static const void *draw_body(struct tape *t, struct arena *a)
{
    static const char *const names[] = {"b", "bb", "b-", "gate", "--"};
    static const char *const bits[] = {"v=0",      "\r\n", "--", "m=", "Content-Type: text/plain",
                                       "\r\n\r\n", " ",    "\r", "\n", "x"};
    struct body *b = arena_get(a, sizeof *b);
    if (!b)
        return NULL;
    const char *name = names[tape_below(t, 5)];
    b->boundary = (struct sipws_str){name, strlen(name)};
    struct sipws_out o = arena_begin(a);
    while (tape_next(t, "bit", 8)) {
        unsigned how = tape_below(t, 6);
        const char *bit = bits[tape_below(t, sizeof bits / sizeof *bits)];
        if (how == 0 || how == 1) { /* a delimiter, or what looks like one */
            sipws_put_lit(&o, "\r\n--");
            sipws_put(&o, b->boundary);
            if (how == 0)
                sipws_put_lit(&o, "\r\n");
        } else if (how == 2) {
            sipws_put_lit(&o, "\r\n--");
            sipws_put(&o, b->boundary);
            sipws_put_lit(&o, "--");
        } else {
            sipws_put(&o, (struct sipws_str){bit, strlen(bit)});
        }
        tape_end(t);
    }
    struct sipws_str text = arena_end(a, &o);
    b->text = text.p ? arena_copy(a, text) : text;
    return a->full ? NULL : b;
}

static void explain_body(const void *story, FILE *f)
{
    const struct body *b = story;
    fprintf(f, "  boundary %.*s\n", (int)b->boundary.n, b->boundary.p);
    prop_octets(f, "  ", b->text);
}

static void wire_body(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct body *)story)->text);
}

/* The body by lines: where a line is a delimiter, the lines since the one before were a part. */
struct lines {
    struct sipws_str parts[64];
    size_t n;
    bool closed;
};

/* 0 no delimiter, 1 a delimiter, 2 the last. */
static int kind_of_line(struct sipws_str line, struct sipws_str boundary)
{
    size_t n = boundary.n + 2;
    while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
        line.n--;
    if (line.n < n || memcmp(line.p, "--", 2) != 0 || memcmp(line.p + 2, boundary.p, n - 2) != 0)
        return 0;
    return line.n == n ? 1 : line.n == n + 2 && memcmp(line.p + n, "--", 2) == 0 ? 2 : 0;
}

static void by_lines(const struct body *b, struct lines *l)
{
    const char *p = b->text.p, *end = p + b->text.n, *part = NULL;
    while (!l->closed) {
        const char *stop = p;
        while (stop < end && !(end - stop >= 2 && stop[0] == '\r' && stop[1] == '\n'))
            stop++;
        int kind = kind_of_line(sipws_slice(p, stop), b->boundary);
        if (kind == 1 && stop == end)
            kind = 0; /* a delimiter line has an end */
        if (kind > 0 && part && l->n < 64)
            l->parts[l->n++] = sipws_slice(part, p > part ? p - 2 : p);
        l->closed = kind == 2;
        if (stop == end)
            break;
        p = stop + 2;
        if (kind == 1)
            part = p;
    }
}

static enum verdict hold_parts(struct prop_trial *r, const void *story)
{
    const struct body *b = story;
    struct lines *want = arena_get(&r->arena, sizeof *want);
    if (!want)
        return DISCARDED;
    by_lines(b, want);
    struct edge_parts s = edge_parts(b->text, b->boundary);
    struct sipws_str part;
    size_t n = 0;
    for (; edge_part_next(&s, &part); n++) {
        if (n >= 64)
            return DISCARDED;
        if (n >= want->n)
            return prop_fail(r, "more", (size_t)(part.p - b->text.p), "a part that is none");
        if (part.p != want->parts[n].p || part.n != want->parts[n].n)
            return prop_fail(r, "part", (size_t)(part.p - b->text.p),
                             "part %zu has %zu octets, not %zu", n, part.n, want->parts[n].n);
    }
    if (n != want->n || s.closed != want->closed)
        return prop_fail(r, "end", PROP_NOWHERE, "%zu parts, %s, not %zu", n,
                         s.closed ? "closed" : "open", want->n);
    prop_class(r, want->n == 0 ? "no part" : want->closed ? "closed" : "not closed");
    return HOLDS;
}

const struct prop prop_edge_parts = {
    .name = "edge/parts",
    .plant = "EDGE_PART_PREFIX",
    .sentence = "A body falls into the parts between the lines that are delimiters, empty ones "
                "included, and one without close-delimiter says so; nothing is read behind it.",
    .draw = draw_body,
    .hold = hold_parts,
    .explain = explain_body,
    .wire = wire_body,
    .classes = {{"no part", 50}, {"closed", 100}, {"not closed", 50}},
    .discard_percent = 1,
    .tape_max = 128,
};

/* ---- edge/names ------------------------------------------------------------------------------ */

struct names {
    struct edge_certificate certificate;
    struct sipws_str domain;
    bool want;
};

/* Each with the domain that it names by RFC 5922 7.1, in lower case, or NULL. */
static const struct {
    const char *text, *domain;
} uris[] = {
    {"sip:example.org", "example.org"},
    {"SIP:Example.ORG", "example.org"},
    {"sip:edge.example.org", "edge.example.org"},
    {"sips:example.org", NULL},
    {"sip:ann@example.org", NULL},
    {"sip:@example.org", NULL},
    {"https://example.org", NULL},
    {"sip:example.com", "example.com"},
    {"sip:example.org;x=1", "example.org"},
    {"sip:*.example.org", NULL},
};

static const char *const dns[] = {"example.org", "EXAMPLE.org",    "*.example.org",
                                  "org",         "ge.example.org", ".example.org",
                                  "example.com", "192.0.2.7",      "edge.example.org"};
static const char *const domains[] = {"example.org", "edge.example.org", "Edge.Example.Org",
                                      "example.com", "192.0.2.7",        "badge.example.org"};

enum { URIS = sizeof uris / sizeof *uris, DNS = sizeof dns / sizeof *dns };

static struct sipws_str literal(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static bool same_name(const char *a, const char *b)
{
    for (; *a && (*a | 0x20) == (*b | 0x20); a++, b++)
        ;
    return !*a && !*b;
}

/* How many names of a kind: often none, for then it is the next kind that counts. */
static size_t few(struct tape *t)
{
    size_t n = tape_below(t, EDGE_NAMES);
    return tape_chance(t, 96) ? 0 : n;
}

static const void *draw_names(struct tape *t, struct arena *a)
{
    struct names *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    struct edge_certificate *c = &s->certificate;
    const char *domain = domains[tape_below(t, sizeof domains / sizeof *domains)];
    bool by_uri = false, dns_match = false;
    s->domain = literal(domain);
    for (size_t n = few(t); c->uri_n < n; c->uri_n++) {
        unsigned i = tape_below(t, URIS);
        c->uris[c->uri_n] = literal(uris[i].text);
        by_uri = by_uri || uris[i].domain;
        s->want = s->want || (uris[i].domain && same_name(uris[i].domain, domain));
    }
    for (size_t n = few(t); c->dns_n < n; c->dns_n++) {
        const char *name = dns[tape_below(t, DNS)];
        c->dns[c->dns_n] = literal(name);
        dns_match = dns_match || same_name(name, domain);
    }
    bool cn = tape_chance(t, 128);
    const char *name = dns[tape_below(t, DNS)];
    if (cn)
        c->cn = literal(name);
    s->want = s->want || (!by_uri && dns_match) ||
              (cn && c->uri_n == 0 && c->dns_n == 0 && same_name(name, domain));
    return s;
}

static void put_names(const void *story, struct sipws_out *o)
{
    const struct names *s = story;
    const struct edge_certificate *c = &s->certificate;
    for (size_t i = 0; i < c->uri_n; i++) {
        sipws_put_lit(o, "URI:");
        sipws_put(o, c->uris[i]);
        sipws_put_lit(o, "\n");
    }
    for (size_t i = 0; i < c->dns_n; i++) {
        sipws_put_lit(o, "DNS:");
        sipws_put(o, c->dns[i]);
        sipws_put_lit(o, "\n");
    }
    sipws_put_lit(o, "CN:");
    sipws_put(o, c->cn);
    sipws_put_lit(o, "\n");
}

static void explain_names(const void *story, FILE *f)
{
    const struct names *s = story;
    char text[512];
    struct sipws_out o = sipws_out(text, sizeof text);
    put_names(story, &o);
    prop_octets(f, "  ", sipws_out_str(&o));
    fprintf(f, "  %s that of %.*s\n", s->want ? "is" : "is not", (int)s->domain.n, s->domain.p);
}

static enum verdict hold_names(struct prop_trial *r, const void *story)
{
    const struct names *s = story;
    prop_class(r, s->want ? "is" : "is not");
    if (edge_certificate_is(&s->certificate, s->domain) == s->want)
        return HOLDS;
    return prop_fail(r, "name", PROP_NOWHERE, "%s", s->want ? "refused" : "taken");
}

const struct prop prop_edge_names = {
    .name = "edge/names",
    .plant = "EDGE_NAME_SUFFIX",
    .sentence = "A certificate is that of a domain when a sip URI without user names it, or, where "
                "there is no such URI, a DNS name, or CN where there is neither: whole names, "
                "without wildcards, in letters of any case.",
    .draw = draw_names,
    .hold = hold_names,
    .explain = explain_names,
    .wire = put_names,
    .classes = {{"is", 100}, {"is not", 300}},
    .discard_percent = 0,
    .tape_max = 16,
};
