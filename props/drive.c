#include "drive.h"

static void put_text(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
}

static void put_number(struct sipws_out *o, const char *label, uint64_t value)
{
    put_text(o, label);
    sipws_put_uint(o, value);
}

void drive_put_octets(struct sipws_out *o, struct sipws_str s)
{
    static const char digits[] = "0123456789ABCDEF";
    sipws_put_char(o, '"');
    size_t plain = 0; /* from there on nothing needs a backslash */
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        if (ch >= ' ' && ch <= '~' && ch != '"' && ch != '\\')
            continue;
        char hex[4] = {'\\', 'x', digits[ch >> 4], digits[ch & 15]};
        sipws_put(o, sipws_slice(s.p + plain, s.p + i));
        if (ch == '\r' || ch == '\n')
            sipws_put(o, ch == '\r' ? SIPWS_STR("\\r") : SIPWS_STR("\\n"));
        else
            sipws_put(o, (struct sipws_str){hex, sizeof hex});
        plain = i + 1;
    }
    if (plain < s.n)
        sipws_put(o, sipws_slice(s.p + plain, s.p + s.n));
    sipws_put_char(o, '"');
}

const char *drive_event_name(enum sipws_event_kind kind)
{
    static const char *const names[] = {"more",    "full",    "request",   "open",
                                        "message", "refused", "keepalive", "ping",
                                        "pong",    "closed",  "failed"};
    return names[kind];
}

static void put_http(struct sipws_out *o, const struct sipws_http *h)
{
    for (size_t i = 0; i < h->n; i++) {
        put_text(o, "\n    ");
        drive_put_octets(o, h->fields[i].name);
        sipws_put_char(o, ' ');
        drive_put_octets(o, h->fields[i].value);
    }
}

static void put_msg(struct sipws_out *o, const struct sipws_msg *m)
{
    for (size_t i = 0; i < m->n; i++) {
        put_number(o, "\n    ", (uint64_t)m->fields[i].id);
        sipws_put_char(o, ' ');
        drive_put_octets(o, m->fields[i].name);
        sipws_put_char(o, ' ');
        drive_put_octets(o, m->fields[i].value);
    }
    put_text(o, "\n    body ");
    drive_put_octets(o, m->body);
}

static void put_event(struct sipws_out *o, const struct sipws_event *ev)
{
    put_text(o, drive_event_name(ev->kind));
    if (ev->binary)
        put_text(o, " binary");
    if (ev->code)
        put_number(o, " code ", ev->code);
    if (ev->diag.err) {
        put_text(o, " ");
        put_text(o, sipws_err_info(ev->diag.err)->id);
        put_number(o, " at ", ev->diag.off);
        put_text(o, " in ");
        put_text(o, ev->diag.rule);
    }
    if (ev->http)
        put_http(o, ev->http);
    if (ev->msg)
        put_msg(o, ev->msg);
    else if (ev->data.n > 0) {
        put_text(o, " ");
        drive_put_octets(o, ev->data);
    }
    put_text(o, "\n");
}

static size_t piece(struct drive *d, size_t *cut, size_t left, size_t at, size_t stop)
{
    size_t n = left;
    if (stop < d->stops_n && d->stops[stop].at - at < n)
        n = d->stops[stop].at - at;
    if (*cut < d->cuts.n) {
        n = (unsigned char)d->cuts.p[(*cut)++];
        n = n ? n : 256;
    }
    return n < left ? n : left;
}

/* What is in io->out has been sent: its room is free again. */
static void flush(struct drive *d, struct sipws_io *io)
{
    d->sent.n += io->out.n;
    size_t left = sizeof d->tx - d->sent.n;
    io->out = sipws_out(d->tx + d->sent.n, d->room && d->room < left ? d->room : left);
}

static void tell(struct drive *d, struct sipws_io *io, const struct sipws_event *ev)
{
    if (!d->watch)
        return;
    flush(d, io);
    d->watch(d, ev);
}

void (*drive_spy)(const struct sipws_conn *c, const struct sipws_event *ev);

void drive_see(const struct sipws_conn *c, const struct sipws_event *ev)
{
    if (drive_spy)
        drive_spy(c, ev);
}

/* Reads until the input is used up; false once the connection has ended. */
static bool drain(struct drive *d, struct sipws_io *io, struct sipws_out *transcript)
{
    struct sipws_event ev;
    for (;;) {
        enum sipws_event_kind kind = sipws_conn_read(&d->conn, io, &ev);
        drive_see(&d->conn, &ev);
        if (kind == SIPWS_EV_MORE)
            return true;
        if (kind == SIPWS_EV_FULL && d->room && io->out.n > 0) {
            flush(d, io);
            continue;
        }
        put_event(transcript, &ev);
        tell(d, io, &ev);
        if (kind == SIPWS_EV_CLOSED || kind == SIPWS_EV_FAILED || kind == SIPWS_EV_FULL)
            return false;
        if (kind == SIPWS_EV_REQUEST &&
            !(d->refuse ? sipws_conn_refuse(&d->conn, io, 403, SIPWS_STR("X-Why: no\r\n"))
                        : sipws_conn_accept(&d->conn, io)))
            return false;
        if (kind == SIPWS_EV_REQUEST)
            tell(d, io, NULL);
    }
}

/* Lets `ms` pass, stopping whenever the engine has something to do; false once it has failed. */
static bool pass(struct drive *d, struct sipws_io *io, uint32_t ms, struct sipws_out *transcript)
{
    struct sipws_event ev;
    uint64_t until = io->now + ms;
    for (uint64_t due; (due = sipws_conn_due(&d->conn)) <= until;) {
        io->now = due > io->now ? due : io->now;
        enum sipws_event_kind kind = sipws_conn_tick(&d->conn, io, &ev);
        drive_see(&d->conn, &ev);
        if (kind == SIPWS_EV_FULL && d->room && io->out.n > 0) {
            flush(d, io);
            continue;
        }
        if (kind != SIPWS_EV_MORE) {
            put_event(transcript, &ev);
            tell(d, io, &ev);
            return false;
        }
        tell(d, io, NULL);
    }
    io->now = until;
    return true;
}

void drive_run(struct drive *d, struct sipws_str stream, struct sipws_out *transcript)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {NULL, 0}, {NULL, 0}};
    struct sipws_conn_config config = {.role = d->role,
                                       .tls = d->tls,
                                       .allow = d->allow,
                                       .limits = d->limits,
                                       .times = SIPWS_TIMES_DEFAULT,
                                       .buf = d->buf,
                                       .cap = sizeof d->buf,
                                       .fields = d->fields,
                                       .field_cap = DRIVE_FIELDS};
    struct sipws_io io = {.out = {NULL, 0, 0}};
    struct sipws_event ev;
    size_t at = 0, cut = 0, stop = 0;
    bool on = true;
    d->sent = (struct sipws_str){d->tx, 0};
    flush(d, &io);
    sipws_conn_init(&d->conn, &config, 0);
    if (d->role == SIPWS_CLIENT)
        on = sipws_conn_start(&d->conn, &io, &ask);
    tell(d, &io, NULL);
    while (on) {
        for (; on && stop < d->stops_n && d->stops[stop].at <= at; stop++)
            on = pass(d, &io, d->stops[stop].ms, transcript);
        if (!on || at == stream.n)
            break;
        size_t n = piece(d, &cut, stream.n - at, at, stop);
        io.in = (struct sipws_str){stream.p + at, n};
        at += n;
        on = drain(d, &io, transcript);
    }
    if (on && !d->stays) {
        sipws_conn_end(&d->conn, &io, &ev);
        drive_see(&d->conn, &ev);
        put_event(transcript, &ev);
        tell(d, &io, &ev);
    }
    flush(d, &io);
    tell(d, &io, NULL);
    put_text(transcript, "sent ");
    drive_put_octets(transcript, d->sent);
    put_text(transcript, "\n");
}
