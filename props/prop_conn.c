/* Connections: RFC 7118 as a whole. */
#include "drive.h"
#include "gen_conn.h"

#include <stdlib.h>

enum { TRANSCRIPT = 1 << 20, BRIEF = 16384 };

/* Large, and the same for all cases: a case fills what it reads. */
static struct drive driver;
static char whole[TRANSCRIPT], pieces[TRANSCRIPT];

static const void *draw(struct tape *t, struct arena *a)
{
    return gen_conn(t, a);
}

static void classes(struct prop_trial *r, const struct gen_conn *c)
{
    bool unsound = false;
    for (size_t i = 0; i < c->n; i++)
        unsound = unsound || c->what[i] == GEN_CONN_UNSOUND;
    prop_class(r, c->role == SIPWS_SERVER ? "server" : "client");
    if (c->talks)
        prop_class(r, "a conversation");
    if (c->head_bend)
        prop_class(r, "handshake bent");
    else if (c->ws->bend != GEN_WS_GOOD)
        prop_class(r, "frames bent");
    else if (unsound)
        prop_class(r, "SIP bent");
    else if (c->n > 0)
        prop_class(r, "sound, with messages");
}

static struct sipws_out run(const struct gen_conn *c, struct sipws_str cuts, char *transcript)
{
    struct sipws_out o = sipws_out(transcript, TRANSCRIPT);
    driver.role = c->role;
    driver.tls = c->tls;
    driver.refuse = false;
    driver.allow = 0;
    driver.limits = c->ws->limits;
    driver.limits.head = 4096;
    driver.cuts = cuts;
    drive_run(&driver, c->wire, &o);
    return o;
}

/* ---- any cut --------------------------------------------------------------------------------- */

static enum verdict hold_cut(struct prop_trial *r, const void *story)
{
    const struct gen_conn *c = story;
    static char sizes[1 << 14];
    classes(r, c);
    for (size_t i = 0; i < sizeof sizes; i++)
        sizes[i] = (char)(c->cuts.size[i % c->cuts.n] % 256);
    struct sipws_out a = run(c, (struct sipws_str){NULL, 0}, whole);
    struct sipws_out b = run(c, (struct sipws_str){sizes, sizeof sizes}, pieces);
    if (!sipws_out_ok(&a) || !sipws_out_ok(&b))
        return DISCARDED;
    return prop_same(r, "cut", sipws_out_str(&a), sipws_out_str(&b));
}

/* ---- what was meant -------------------------------------------------------------------------- */

static struct sipws_str word(const char *p, const char *end)
{
    const char *space = p;
    while (space < end && *space != ' ' && *space != '\n')
        space++;
    return sipws_slice(p, space);
}

/* The kinds of the events of a transcript, with the error of the last. */
static void put_brief(struct sipws_out *o, struct sipws_str transcript)
{
    const char *p = transcript.p, *end = p + transcript.n;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        struct sipws_str kind = word(p, end);
        if (kind.n > 0 && !sipws_str_eq(kind, SIPWS_STR("sent"))) {
            sipws_put(o, kind);
            if (sipws_str_eq(kind, SIPWS_STR("failed"))) {
                const char *id = p; /* failed code N ID */
                for (int i = 0; i < 3; i++)
                    id = word(id, end).p + word(id, end).n + 1;
                sipws_put_char(o, ' ');
                sipws_put(o, word(id, end));
            }
            sipws_put_char(o, '\n');
        }
        p = lf ? lf + 1 : end;
    }
}

static void put_line(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
    sipws_put_char(o, '\n');
}

static void put_failed(struct sipws_out *o, enum sipws_err err)
{
    sipws_put_lit(o, "failed ");
    put_line(o, sipws_err_info(err)->id);
}

static struct sipws_str payload(const struct twin_event *e)
{
    return (struct sipws_str){(const char *)e->p, e->n};
}

static void put_meant(struct sipws_out *o, const struct gen_conn *c)
{
    static const char *const whats[] = {"message", "keepalive", "refused"};
    size_t message = 0;
    bool ours;
    if (c->head_bend) {
        put_failed(o, c->head_err);
        return;
    }
    put_line(o, c->role == SIPWS_SERVER ? "request" : "open");
    for (size_t i = 0; i < c->ws->want_n; i++)
        switch (c->ws->want[i].kind) {
        case TWIN_MESSAGE:
            ours = message < c->n && sipws_str_eq(c->text[message], payload(&c->ws->want[i]));
            put_line(o, ours ? whats[c->what[message]] : "refused");
            message += ours;
            break;
        case TWIN_PING:
            put_line(o, "ping");
            break;
        case TWIN_PONG:
            put_line(o, "pong");
            break;
        case TWIN_CLOSE:
            put_line(o, "closed");
            return;
        case TWIN_ERROR:
            break;
        }
    if (c->ws->err != SIPWS_OK)
        put_failed(o, c->ws->err);
    else
        put_failed(o, SIPWS_E_WS_LOST);
}

static enum verdict hold_meant(struct prop_trial *r, const void *story)
{
    const struct gen_conn *c = story;
    char want[BRIEF], got[BRIEF];
    struct sipws_out w = sipws_out(want, sizeof want), g = sipws_out(got, sizeof got);
    classes(r, c);
    struct sipws_out o = run(c, (struct sipws_str){NULL, 0}, whole);
    if (!sipws_out_ok(&o))
        return DISCARDED;
    put_brief(&g, sipws_out_str(&o));
    put_meant(&w, c);
    if (!sipws_out_ok(&g) || !sipws_out_ok(&w))
        return DISCARDED;
    return prop_same(r, "meant", sipws_out_str(&w), sipws_out_str(&g));
}

/* ---- two endpoints --------------------------------------------------------------------------- */

enum { PAIR_MESSAGES = 4, WIRE = 1 << 17 };

struct pair {
    bool tls;
    struct gen_msg from[2][PAIR_MESSAGES]; /* [role]: what it sends */
    size_t n[2];
    enum sipws_role closes;
    unsigned char random[16];
    struct gen_cuts cuts;
};

static const void *draw_pair(struct tape *t, struct arena *a)
{
    struct pair *p = arena_get(a, sizeof *p);
    if (!p)
        return NULL;
    p->tls = tape_chance(t, 100);
    struct gen_msg_want want = {.transport = p->tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS,
                                .body = 300};
    for (int role = 0; role < 2; role++)
        while (p->n[role] < PAIR_MESSAGES && tape_next(t, "message", 5)) {
            bool ok = gen_msg(t, a, &want, &p->from[role][p->n[role]]);
            tape_end(t);
            if (!ok)
                return NULL;
            p->n[role]++;
        }
    p->closes = tape_chance(t, 128) ? SIPWS_CLIENT : SIPWS_SERVER;
    tape_bytes(t, p->random, sizeof p->random);
    p->cuts = gen_cuts(t);
    return a->full ? NULL : p;
}

/* One end, and the octets on their way to it. */
struct end {
    struct sipws_conn conn;
    struct sipws_io io;
    char buf[GEN_MSG_MAX + 1024], tx[WIRE], rx[WIRE];
    size_t rx_n, rx_at;
    struct sipws_field fields[128];
    size_t received;
    bool open, closed;
};

static struct end ends[2]; /* [role] */

/* What an end has to send goes on the wire. */
static bool flush(struct end *from, struct end *to)
{
    bool fits = sipws_out_ok(&from->io.out) && from->io.out.n <= sizeof to->rx - to->rx_n;
    if (fits && from->io.out.n > 0) {
        memcpy(to->rx + to->rx_n, from->tx, from->io.out.n);
        to->rx_n += from->io.out.n;
    }
    from->io.out = sipws_out(from->tx, sizeof from->tx);
    return fits;
}

static enum verdict odd(struct prop_trial *r, const char *who, const struct sipws_event *ev)
{
    return prop_fail(r, "pair", PROP_NOWHERE, "the %s has the event %s (%s at %zu)", who,
                     drive_event_name(ev->kind), sipws_err_info(ev->diag.err)->id, ev->diag.off);
}

/* Reads one piece of what is on the wire, of at most n octets. */
static enum verdict step(struct prop_trial *r, const struct pair *p, enum sipws_role role, size_t n)
{
    static const char *const names[] = {"server", "client"};
    struct end *e = &ends[role];
    const struct gen_msg *sent = p->from[!role];
    struct sipws_event ev;
    size_t left = e->rx_n - e->rx_at;
    e->io.in = (struct sipws_str){e->rx + e->rx_at, n < left ? n : left};
    e->rx_at += e->io.in.n;
    for (;;) {
        enum sipws_event_kind kind = sipws_conn_read(&e->conn, &e->io, &ev);
        drive_see(&e->conn, &ev);
        switch (kind) {
        case SIPWS_EV_MORE:
            return flush(e, &ends[!role]) ? HOLDS : DISCARDED;
        case SIPWS_EV_REQUEST:
            e->open = sipws_conn_accept(&e->conn, &e->io);
            break;
        case SIPWS_EV_OPEN:
            e->open = true;
            break;
        case SIPWS_EV_MESSAGE:
            if (e->received >= p->n[!role])
                return odd(r, names[role], &ev);
            if (!sipws_str_eq(ev.data, sent[e->received].text))
                return prop_fail(r, "pair-octets", PROP_NOWHERE,
                                 "the %s got message %zu otherwise than it was sent", names[role],
                                 e->received);
            e->received++;
            break;
        case SIPWS_EV_CLOSED:
            e->closed = true;
            if (ev.code != SIPWS_CLOSE_NORMAL)
                return odd(r, names[role], &ev);
            return flush(e, &ends[!role]) ? HOLDS : DISCARDED;
        case SIPWS_EV_FULL:
        case SIPWS_EV_REFUSED:
        case SIPWS_EV_KEEPALIVE:
        case SIPWS_EV_PING:
        case SIPWS_EV_PONG:
        case SIPWS_EV_FAILED:
            return odd(r, names[role], &ev);
        }
    }
}

/* Both ends read in turn, in pieces, until nothing is on the wire. */
static enum verdict settle(struct prop_trial *r, const struct pair *p)
{
    for (uint32_t i = 0; ends[0].rx_at < ends[0].rx_n || ends[1].rx_at < ends[1].rx_n; i++)
        for (int role = 0; role < 2; role++) {
            enum verdict v = step(r, p, (enum sipws_role)role, p->cuts.size[i % p->cuts.n]);
            if (v != HOLDS)
                return v;
        }
    return HOLDS;
}

static enum verdict hold_pair(struct prop_trial *r, const void *story)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {"https://phone.example.org", 25}, {NULL, 0}};
    const struct pair *p = story;
    for (int role = 0; role < 2; role++) {
        struct end *e = &ends[role];
        struct sipws_conn_config config = {.role = (enum sipws_role)role,
                                           .tls = p->tls,
                                           .limits = SIPWS_LIMITS_DEFAULT,
                                           .times = SIPWS_TIMES_DEFAULT,
                                           .buf = e->buf,
                                           .cap = sizeof e->buf,
                                           .fields = e->fields,
                                           .field_cap = 128};
        sipws_conn_init(&e->conn, &config, 0);
        e->io = (struct sipws_io){.out = sipws_out(e->tx, sizeof e->tx)};
        memcpy(e->io.random, p->random, sizeof p->random);
        e->rx_n = e->rx_at = e->received = 0;
        e->open = e->closed = false;
    }
    prop_class(r, p->n[0] > 0 && p->n[1] > 0 ? "both send" : "one or none sends");
    if (!sipws_conn_start(&ends[SIPWS_CLIENT].conn, &ends[SIPWS_CLIENT].io, &ask) ||
        !flush(&ends[SIPWS_CLIENT], &ends[SIPWS_SERVER]))
        return prop_fail(r, "start", PROP_NOWHERE, "the client cannot start");
    enum verdict v = settle(r, p);
    if (v != HOLDS)
        return v;
    if (!ends[0].open || !ends[1].open)
        return prop_fail(r, "open", PROP_NOWHERE, "an end is not open behind the handshake");
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < p->n[role]; i++) {
            struct sipws_diag diag = {0};
            if (!sipws_conn_send(&ends[role].conn, &ends[role].io, p->from[role][i].text, &diag))
                return diag.err == SIPWS_E_LIMIT_OUT
                           ? DISCARDED
                           : prop_fail(r, "send", diag.off, "a sound message is not sent: %s",
                                       sipws_err_info(diag.err)->id);
        }
    struct end *closer = &ends[p->closes];
    if (!sipws_conn_close(&closer->conn, &closer->io, SIPWS_CLOSE_NORMAL, SIPWS_STR("done")))
        return DISCARDED;
    if (!flush(&ends[0], &ends[1]) || !flush(&ends[1], &ends[0]))
        return DISCARDED;
    v = settle(r, p);
    if (v != HOLDS)
        return v;
    for (int role = 0; role < 2; role++)
        if (ends[role].received != p->n[!role] || !ends[role].closed)
            return prop_fail(r, "end", PROP_NOWHERE, "an end got %zu of %zu messages, %s",
                             ends[role].received, p->n[!role],
                             ends[role].closed ? "and is closed" : "and is not closed");
    return HOLDS;
}

static void explain_pair(const void *story, FILE *f)
{
    static const char *const names[] = {"server", "client"};
    const struct pair *p = story;
    fprintf(f, "  two ends, %s TLS; the %s closes\n", p->tls ? "over" : "without",
            names[p->closes]);
    for (int role = 0; role < 2; role++)
        for (size_t i = 0; i < p->n[role]; i++) {
            fprintf(f, "  the %s sends\n", names[role]);
            prop_octets(f, "    ", p->from[role][i].text);
        }
    gen_cuts_explain(&p->cuts, f);
}

/* ---- the table ------------------------------------------------------------------------------- */

#define CLASSES                                                                                    \
    {                                                                                              \
        {"server", 200}, {"client", 100}, {"handshake bent", 40}, {"frames bent", 40},             \
            {"SIP bent", 80}, {"a conversation", 150},                                             \
        {                                                                                          \
            "sound, with messages", 80                                                             \
        }                                                                                          \
    }

const struct prop prop_conn_cut = {
    .name = "conn/cut",
    .plant = "WS_HEAD_LOST",
    .sentence = "any cut of the octets of a connection gives the same events and the same answers.",
    .draw = draw,
    .hold = hold_cut,
    .explain = gen_conn_explain,
    .wire = gen_conn_wire,
    .classes = CLASSES,
    .discard_percent = 10,
    .tape_max = 2000,
};

const struct prop prop_conn_meant = {
    .name = "conn/meant",
    .plant = "WS_PONG_IS_DATA",
    .sentence =
        "a connection gives one event for each thing that the peer meant, in order, and the "
        "error that its one flaw earns.",
    .draw = draw,
    .hold = hold_meant,
    .explain = gen_conn_explain,
    .wire = gen_conn_wire,
    .classes = CLASSES,
    .discard_percent = 10,
    .tape_max = 2000,
};

const struct prop prop_conn_pair = {
    .name = "conn/pair",
    .plant = "WS_HEAD_LOST",
    .sentence =
        "two ends joined by a wire that cuts at will open, get every message of the other once "
        "and in order, and close.",
    .draw = draw_pair,
    .hold = hold_pair,
    .explain = explain_pair,
    .classes = {{"both send", 150}, {"one or none sends", 0}},
    .discard_percent = 10,
    .tape_max = 2000,
};
