/* Whole conversations between two ends of ref. */
#include "conn.h"
#include "drive.h"
#include "gen_dialog.h"
#include "gen_ws.h"

enum {
    WIRE = 1 << 18,
    MESSAGE = 8192,
    FIELDS = 32,
    EVENTS = 2 * GEN_DIALOG_STEPS + 2,
    PAUSES = 8,
    PAUSE_MAX = 50000 /* milliseconds: longer than the silence that an end bears */
};

struct talk {
    const struct gen_dialog *dialog;
    enum sipws_role closes;
    unsigned char random[16];
    struct gen_cuts cuts;
    uint32_t pauses[PAUSES]; /* milliseconds, over and over: each time when the wire is empty */
};

static const void *draw(struct tape *t, struct arena *a)
{
    struct talk *c = arena_get(a, sizeof *c);
    if (!c)
        return NULL;
    c->closes = tape_chance(t, 128) ? SIPWS_CLIENT : SIPWS_SERVER;
    tape_begin(t, "cuts");
    c->cuts = gen_cuts(t);
    tape_end(t);
    tape_bytes(t, c->random, 4);
    tape_begin(t, "pauses");
    for (unsigned i = 0; i < PAUSES; i++)
        c->pauses[i] = tape_chance(t, 128) ? tape_below(t, PAUSE_MAX) : 0;
    tape_end(t);
    c->dialog = gen_dialog(t, a);
    return c->dialog ? c : NULL;
}

static void explain(const void *story, FILE *f)
{
    const struct talk *c = story;
    gen_dialog_explain(c->dialog, f);
    fprintf(f, "  the %s closes\n", c->closes == SIPWS_CLIENT ? "client" : "server");
    gen_cuts_explain(&c->cuts, f);
    fputs("  milliseconds that pass when nothing is on the wire:", f);
    for (unsigned i = 0; i < PAUSES; i++)
        fprintf(f, " %u", (unsigned)c->pauses[i]);
    fputc('\n', f);
}

/* ---- what must come of it -------------------------------------------------------------------- */

struct expected {
    enum sipws_event_kind kind;
    size_t step, part;
    bool answer; /* to what this end has sent itself */
};

/* All that an end must be told between the handshake and the close, in order. */
static size_t expect(const struct gen_dialog *d, enum sipws_role role, struct expected *out)
{
    static const enum sipws_event_kind kinds[] = {SIPWS_EV_MESSAGE, SIPWS_EV_REFUSED,
                                                  SIPWS_EV_KEEPALIVE};
    size_t n = 0;
    for (size_t i = 0; i < d->n; i++) {
        const struct gen_dialog_step *s = &d->steps[i];
        bool ours = s->from == role;
        if (s->what == GEN_DIALOG_PING)
            out[n++] = (struct expected){ours ? SIPWS_EV_PONG : SIPWS_EV_PING, i, 0, ours};
        else if (s->what == GEN_DIALOG_CRLF)
            out[n++] = (struct expected){SIPWS_EV_KEEPALIVE, i, 0, ours};
        else if (!ours)
            for (size_t k = 0; k < s->n; k++)
                out[n++] = (struct expected){kinds[s->parts[k].want], i, k, false};
    }
    return n;
}

/* ---- the ends -------------------------------------------------------------------------------- */

static const char *const names[] = {"server", "client"};

/* One end, and the octets on their way to it. */
struct end {
    struct sipws_conn conn;
    struct sipws_io io;
    char buf[MESSAGE], tx[WIRE], rx[WIRE];
    size_t rx_n, rx_at;
    struct sipws_field fields[FIELDS];
    struct expected want[EVENTS];
    size_t want_n, at;
    unsigned pings, pongs; /* on their way to it, and in no step: silence made them */
    bool open, closed;
};

static struct end ends[2]; /* [role] */

static enum sipws_role other(enum sipws_role role)
{
    return role == SIPWS_CLIENT ? SIPWS_SERVER : SIPWS_CLIENT;
}

/* What an end has to send goes on the wire. */
static bool flush(enum sipws_role role)
{
    struct end *from = &ends[role], *to = &ends[other(role)];
    bool fits = sipws_out_ok(&from->io.out) && from->io.out.n <= sizeof to->rx - to->rx_n;
    if (fits && from->io.out.n > 0) {
        memcpy(to->rx + to->rx_n, from->tx, from->io.out.n);
        to->rx_n += from->io.out.n;
    }
    from->io.out = sipws_out(from->tx, sizeof from->tx);
    return fits;
}

static bool begin(const struct talk *c)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {"https://phone.example.org", 25}, {NULL, 0}};
    for (int role = 0; role < 2; role++) {
        struct end *e = &ends[role];
        struct sipws_conn_config config = {.role = (enum sipws_role)role,
                                           .tls = c->dialog->tls,
                                           .limits = SIPWS_LIMITS_DEFAULT,
                                           .times = SIPWS_TIMES_DEFAULT,
                                           .buf = e->buf,
                                           .cap = sizeof e->buf,
                                           .fields = e->fields,
                                           .field_cap = FIELDS};
        sipws_conn_init(&e->conn, &config, 0);
        e->io = (struct sipws_io){.out = sipws_out(e->tx, sizeof e->tx)};
        memcpy(e->io.random, c->random, sizeof c->random);
        e->rx_n = e->rx_at = e->at = 0;
        e->pings = e->pongs = 0;
        e->open = e->closed = false;
        e->want_n = expect(c->dialog, (enum sipws_role)role, e->want);
    }
    return sipws_conn_start(&ends[SIPWS_CLIENT].conn, &ends[SIPWS_CLIENT].io, &ask) &&
           flush(SIPWS_CLIENT);
}

/* ---- sending --------------------------------------------------------------------------------- */

/* An end of ref sends what has the lines of a SIP message, and no more; what it does not send goes
 * out as a worse end would send it. */
static enum verdict send_part(struct prop_trial *r, struct end *e, const struct gen_dialog_part *p)
{
    struct sipws_diag d = {0};
    size_t before = e->io.out.n;
    bool sent = sipws_conn_send(&e->conn, &e->io, p->text, &d);
    if (sent == p->unreadable)
        return prop_fail(r, "send", d.off, "%s: %s", sent ? "sent" : "not sent",
                         sipws_err_info(sent ? p->err : d.err)->id);
    if (sent)
        return HOLDS;
    if (e->io.out.n != before)
        return prop_fail(r, "send-some", d.off, "what is not sent leaves octets");
    if (p->want == GEN_DIALOG_REFUSED && (d.err != p->err || d.off != p->off))
        return prop_fail(r, "send-error", d.off, "not sent for %s at %zu, not for %s at %zu",
                         sipws_err_info(d.err)->id, d.off, sipws_err_info(p->err)->id, p->off);
    sipws_ws_put(&e->io.out, true, SIPWS_BINARY, e == &ends[SIPWS_CLIENT] ? e->io.random : NULL,
                 p->text);
    return HOLDS;
}

static enum verdict send_step(struct prop_trial *r, const struct gen_dialog_step *s)
{
    struct end *e = &ends[s->from];
    enum verdict v = HOLDS;
    if (s->what == GEN_DIALOG_SIP)
        for (size_t k = 0; k < s->n && v == HOLDS; k++)
            v = send_part(r, e, &s->parts[k]);
    else if (!(s->what == GEN_DIALOG_PING ? sipws_conn_ping(&e->conn, &e->io)
                                          : sipws_conn_crlf(&e->conn, &e->io)))
        v = prop_fail(r, "send-ping", PROP_NOWHERE, "a keep-alive is not sent");
    return v != HOLDS || flush(s->from) ? v : DISCARDED;
}

/* The end has been told of all that the other one sent in the steps before. */
static bool has_cause(enum sipws_role role, size_t step)
{
    const struct end *e = &ends[role];
    for (size_t i = e->at; i < e->want_n && e->want[i].step < step; i++)
        if (!e->want[i].answer)
            return false;
    return e->open;
}

/* ---- receiving ------------------------------------------------------------------------------- */

static enum verdict differs(struct prop_trial *r, const char *what, size_t step)
{
    return prop_fail(r, what, PROP_NOWHERE, "step %zu is read with another %s", step, what);
}

static struct sipws_str key(const struct sipws_msg *m, enum sipws_field_id id)
{
    struct sipws_value v;
    return sipws_msg_first(m, id, &v) ? v.key : SIPWS_STR("(not decoded)");
}

/* One tag or both none. */
static bool same_key(struct sipws_str a, struct sipws_str b)
{
    return !a.p == !b.p && sipws_str_eq(a, b);
}

static enum verdict judge_message(struct prop_trial *r, const struct sipws_msg *m,
                                  const struct gen_dialog_step *s, size_t step)
{
    struct sipws_str method = {s->method, strlen(s->method)};
    struct sipws_value v;
    if (m->is_request != (s->status == 0) || m->status != s->status)
        return differs(r, "status", step);
    if (m->is_request && !sipws_str_eq(m->method_name, method))
        return differs(r, "method", step);
    if (!sipws_msg_first(m, SIPWS_F_CSEQ, &v) || v.cseq.number != s->cseq ||
        !sipws_str_eq(v.cseq.method, method))
        return differs(r, "CSeq", step);
    if (!sipws_msg_first(m, SIPWS_F_CALL_ID, &v) || !sipws_str_eq(v.call_id, s->call_id))
        return differs(r, "Call-ID", step);
    if (!same_key(key(m, SIPWS_F_FROM), s->from_tag))
        return differs(r, "From tag", step);
    if (!same_key(key(m, SIPWS_F_TO), s->to_tag))
        return differs(r, "To tag", step);
    if (!same_key(key(m, SIPWS_F_VIA), s->branch))
        return differs(r, "branch", step);
    return sipws_str_eq(m->body, s->body) ? HOLDS : differs(r, "body", step);
}

static enum verdict odd(struct prop_trial *r, enum sipws_role role, const struct sipws_event *ev)
{
    const struct end *e = &ends[role];
    const char *want = e->at < e->want_n ? drive_event_name(e->want[e->at].kind) : "nothing";
    return prop_fail(r, "event", PROP_NOWHERE,
                     "the %s has the event %s (%s at %zu), not %s of step %zu", names[role],
                     drive_event_name(ev->kind), sipws_err_info(ev->diag.err)->id, ev->diag.off,
                     want, e->at < e->want_n ? e->want[e->at].step : 0);
}

static enum verdict judge(struct prop_trial *r, const struct gen_dialog *d, enum sipws_role role,
                          const struct sipws_event *ev)
{
    struct end *e = &ends[role];
    if (e->at >= e->want_n || e->want[e->at].kind != ev->kind) {
        unsigned *silent = ev->kind == SIPWS_EV_PING   ? &e->pings
                           : ev->kind == SIPWS_EV_PONG ? &e->pongs
                                                       : NULL;
        if (!silent || *silent == 0 || ev->data.n > 0)
            return odd(r, role, ev);
        --*silent;
        return HOLDS;
    }
    const struct expected *x = &e->want[e->at++];
    const struct gen_dialog_step *s = &d->steps[x->step];
    const struct gen_dialog_part *p = &s->parts[x->part];
    if (ev->kind == SIPWS_EV_KEEPALIVE)
        return prop_same(r, "keepalive",
                         s->what == GEN_DIALOG_CRLF && !x->answer ? SIPWS_STR("\r\n\r\n")
                                                                  : SIPWS_STR("\r\n"),
                         ev->data);
    if (ev->kind != SIPWS_EV_MESSAGE && ev->kind != SIPWS_EV_REFUSED)
        return ev->data.n == 0 ? HOLDS : odd(r, role, ev);
    if (!sipws_str_eq(ev->data, p->text))
        return prop_same(r, "octets", p->text, ev->data);
    bool is_text = false; /* RFC 7118 4.2: what is no UTF-8 goes in binary messages */
    (void)twin_utf8((const unsigned char *)p->text.p, p->text.n, &is_text);
    if (ev->binary != (p->unreadable || !is_text))
        return differs(r, "opcode", x->step);
    if (ev->kind == SIPWS_EV_MESSAGE)
        return judge_message(r, ev->msg, s, x->step);
    if (ev->diag.err != p->err || ev->diag.off != p->off)
        return prop_fail(r, "error", PROP_NOWHERE,
                         "step %zu is refused for %s at %zu, not for %s at %zu", x->step,
                         sipws_err_info(ev->diag.err)->id, ev->diag.off, sipws_err_info(p->err)->id,
                         p->off);
    return HOLDS;
}

/* Reads one piece of what is on the wire, of at most n octets. */
static enum verdict receive(struct prop_trial *r, const struct gen_dialog *d, enum sipws_role role,
                            size_t n)
{
    struct end *e = &ends[role];
    struct sipws_event ev;
    size_t left = e->rx_n - e->rx_at;
    e->io.in = (struct sipws_str){e->rx + e->rx_at, n < left ? n : left};
    e->rx_at += e->io.in.n;
    for (enum verdict v = HOLDS; v == HOLDS;) {
        enum sipws_event_kind kind = sipws_conn_read(&e->conn, &e->io, &ev);
        drive_see(&e->conn, &ev);
        switch (kind) {
        case SIPWS_EV_MORE:
            return flush(role) ? HOLDS : DISCARDED;
        case SIPWS_EV_REQUEST:
            e->open = !e->open && sipws_conn_accept(&e->conn, &e->io);
            v = e->open ? HOLDS : odd(r, role, &ev);
            break;
        case SIPWS_EV_OPEN:
            v = e->open ? odd(r, role, &ev) : HOLDS;
            e->open = true;
            break;
        case SIPWS_EV_CLOSED:
            e->closed = true;
            if (ev.code != SIPWS_CLOSE_NORMAL || e->at < e->want_n)
                return odd(r, role, &ev);
            return flush(role) ? HOLDS : DISCARDED;
        case SIPWS_EV_MESSAGE:
        case SIPWS_EV_REFUSED:
        case SIPWS_EV_KEEPALIVE:
        case SIPWS_EV_PING:
        case SIPWS_EV_PONG:
            v = judge(r, d, role, &ev);
            if (v != HOLDS)
                return v;
            break;
        case SIPWS_EV_FULL:
        case SIPWS_EV_FAILED:
            return odd(r, role, &ev);
        }
    }
    return FAILS;
}

/* ---- the property ---------------------------------------------------------------------------- */

static void classes(struct prop_trial *r, const struct gen_dialog *d)
{
    static const struct {
        const char *method;
        unsigned status;
    } marks[] = {{"REGISTER", 401}, {"INVITE", 200}, {"INVITE", 487},
                 {"BYE", 0},        {"NOTIFY", 0},   {"MESSAGE", 0}};
    static const char *const labels[] = {"challenged", "answered", "cancelled",
                                         "ended",      "notified", "MESSAGE"};
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        for (size_t i = 0; i < d->n; i++)
            if (d->steps[i].what == GEN_DIALOG_SIP && d->steps[i].status == marks[k].status &&
                strcmp(d->steps[i].method, marks[k].method) == 0) {
                prop_class(r, labels[k]);
                break;
            }
    bool single = d->bend != GEN_DIALOG_GLUED && d->bend != GEN_DIALOG_HALVES;
    prop_class(r, d->bend == GEN_DIALOG_SOUND ? (d->n > 0 ? "sound" : "silent")
                  : single                    ? "bent"
                                              : "cut otherwise");
}

/* Nothing is on the wire, and `ms` pass, or less where an end then has something to say: that is a
 * ping, and never that the other end has been silent for too long. */
static enum verdict pass(struct prop_trial *r, uint32_t ms)
{
    uint64_t now = ends[0].io.now + ms;
    for (int role = 0; role < 2; role++) {
        uint64_t due = sipws_conn_due(&ends[role].conn);
        now = due < now ? due : now;
    }
    for (int k = 0; k < 2; k++) {
        enum sipws_role role = (enum sipws_role)k;
        struct end *e = &ends[role];
        struct sipws_event ev;
        e->io.now = now;
        enum sipws_event_kind kind = sipws_conn_tick(&e->conn, &e->io, &ev);
        drive_see(&e->conn, &ev);
        if (kind != SIPWS_EV_MORE)
            return odd(r, role, &ev);
        if (e->io.out.n > 0) {
            prop_class(r, "silence, and a ping");
            ends[other(role)].pings++;
            e->pongs++;
        }
        if (!flush(role))
            return DISCARDED;
    }
    return HOLDS;
}

static bool idle(void)
{
    return ends[0].rx_at == ends[0].rx_n && ends[1].rx_at == ends[1].rx_n;
}

/* All that an end may send by now. Behind the last step, one end closes at once. */
static enum verdict send(struct prop_trial *r, const struct talk *c, enum sipws_role role,
                         size_t *next)
{
    const struct gen_dialog *d = c->dialog;
    struct end *e = &ends[role];
    enum verdict v = HOLDS;
    for (; v == HOLDS && *next < d->n && d->steps[*next].from == role && has_cause(role, *next);
         ++*next)
        v = send_step(r, &d->steps[*next]);
    if (v == HOLDS && *next == d->n && c->closes == role && has_cause(role, *next)) {
        if (!sipws_conn_close(&e->conn, &e->io, SIPWS_CLOSE_NORMAL, SIPWS_STR("done")))
            return prop_fail(r, "close", PROP_NOWHERE, "the %s cannot close", names[role]);
        ++*next;
        return flush(role) ? HOLDS : DISCARDED;
    }
    return v;
}

static enum verdict hold(struct prop_trial *r, const void *story)
{
    const struct talk *c = story;
    const struct gen_dialog *d = c->dialog;
    size_t next = 0, before = 0, pauses = 0;
    classes(r, d);
    if (!begin(c))
        return prop_fail(r, "start", PROP_NOWHERE, "the client cannot start");
    /* Octets move, and the ends take their turns, until nothing moves any more. */
    bool moves = true;
    for (uint32_t i = 0; moves; i++) {
        moves = false;
        for (int k = 0; k < 2; k++) {
            enum sipws_role role = (enum sipws_role)k;
            bool has = ends[k].rx_at < ends[k].rx_n;
            enum verdict v = has ? receive(r, d, role, c->cuts.size[i % c->cuts.n]) : HOLDS;
            if (v == HOLDS && idle() && next <= d->n)
                v = pass(r, c->pauses[pauses++ % PAUSES]);
            if (v == HOLDS)
                v = send(r, c, role, &next);
            if (v != HOLDS)
                return v;
            moves = moves || has || next != before;
            before = next;
        }
    }
    if (next <= d->n)
        return prop_fail(r, "stuck", PROP_NOWHERE, "nothing moves before step %zu of %zu", next,
                         d->n);
    /* An end that closes has been told of everything: receive() sees to it. */
    return ends[0].closed && ends[1].closed
               ? HOLDS
               : prop_fail(r, "open-end", PROP_NOWHERE, "an end is not closed");
}

const struct prop prop_conn_dialog = {
    .name = "conn/dialog",
    .plant = "MSG_LENGTH_TRUST",
    .sentence = "of a whole conversation in SIP each message arrives once and in order with its "
                "dialog's identifiers, however time passes between them, and one that is bent is "
                "refused alone, for what was bent.",
    .draw = draw,
    .hold = hold,
    .explain = explain,
    .classes = {{"sound", 200},
                {"silent", 0},
                {"bent", 100},
                {"cut otherwise", 20},
                {"challenged", 100},
                {"answered", 100},
                {"cancelled", 50},
                {"ended", 20},
                {"notified", 50},
                {"MESSAGE", 100},
                {"silence, and a ping", 5}},
    .discard_percent = 5,
    .tape_max = 500,
};
