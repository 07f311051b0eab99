#include "conn.h"

#include "plant.h"

#include <assert.h>

/* ---- state ----------------------------------------------------------------------------------- */

static bool is_client(const struct sipws_conn *c)
{
    return c->config.role == SIPWS_CLIENT;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t room(const struct sipws_io *io)
{
    return sipws_out_ok(&io->out) ? io->out.cap - io->out.n : 0;
}

/* The masking key of a frame that goes out: what each of them asks of io->random is in conn.h. */
static const unsigned char *mask(const struct sipws_conn *c, const struct sipws_io *io)
{
    return is_client(c) ? io->random : NULL;
}

static void enter(struct sipws_conn *c, enum sipws_conn_state state, uint64_t now)
{
    c->state = state;
    c->since = now;
}

static void open_frames(struct sipws_conn *c, uint64_t now)
{
    c->off = c->head.n;
    c->heard = now;
    sipws_ws_init(&c->ws, c->config.role, &c->config.limits, c->config.buf, c->config.cap);
    enter(c, SIPWS_CONN_OPEN, now);
}

void sipws_conn_init(struct sipws_conn *c, const struct sipws_conn_config *config, uint64_t now)
{
    assert(config->cap > 0 && config->field_cap > 0);
    if (!SIPWS_PLANT(CONN_INIT_STAYS))
        memset(c, 0, sizeof *c);
    c->config = *config;
    enter(c, is_client(c) ? SIPWS_CONN_START : SIPWS_CONN_HEAD, now);
}

static enum sipws_event_kind give(struct sipws_event *ev, enum sipws_event_kind kind)
{
    ev->kind = kind;
    return kind;
}

static enum sipws_event_kind give_failed(struct sipws_conn *c, struct sipws_event *ev)
{
    ev->diag = c->error;
    ev->code = c->error_code;
    if (SIPWS_PLANT(CONN_ERROR_FADES))
        c->error = (struct sipws_diag){0};
    return give(ev, SIPWS_EV_FAILED);
}

/* Fails the connection (RFC 6455 7.1.7), telling the peer why where it can still be told. */
static enum sipws_event_kind fail(struct sipws_conn *c, struct sipws_io *io, struct sipws_event *ev,
                                  struct sipws_diag diag)
{
    const struct sipws_err_info *info = sipws_err_info(diag.err);
    bool head = c->state == SIPWS_CONN_HEAD || c->state == SIPWS_CONN_ANSWER;
    c->error = diag;
    c->error_code = SIPWS_CLOSE_LOST;
    if (head && !is_client(c) && info->status) {
        sipws_http_put_refusal(&io->out, info->status, (struct sipws_str){NULL, 0});
    } else if (c->state == SIPWS_CONN_OPEN && info->ws_close &&
               !SIPWS_PLANT_IF(CONN_LIMIT_SILENT, diag.err == SIPWS_E_LIMIT_MESSAGE)) {
        c->error_code = info->ws_close;
        sipws_ws_put_close(&io->out, mask(c, io), info->ws_close, (struct sipws_str){NULL, 0});
    }
    enter(c, SIPWS_CONN_FAILED, io->now);
    return give_failed(c, ev);
}

static enum sipws_event_kind fail_now(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev, enum sipws_err err, const char *rule)
{
    struct sipws_diag diag;
    size_t off = c->state < SIPWS_CONN_OPEN ? c->head.n : c->off + c->ws.off;
    sipws_diag_set(&diag, err, off, rule);
    return fail(c, io, ev, diag);
}

/* ---- the opening handshake ------------------------------------------------------------------- */

bool sipws_conn_start(struct sipws_conn *c, struct sipws_io *io, const struct sipws_http_ask *ask)
{
    struct sipws_out size = sipws_out(NULL, 0);
    struct sipws_str key = {c->key, sizeof c->key};
    if (c->state != SIPWS_CONN_START || !sipws_crypt_key(io->random, c->key) ||
        !sipws_http_put_request(&size, ask, key) || size.n > room(io))
        return false;
    sipws_http_put_request(&io->out, ask, key);
    enter(c, SIPWS_CONN_HEAD, io->now);
    return true;
}

static enum sipws_event_kind read_head(struct sipws_conn *c, struct sipws_io *io,
                                       struct sipws_event *ev)
{
    size_t limit = least(c->config.limits.head, c->config.cap), before = c->head.n, used = 0;
    struct sipws_diag diag;
    enum sipws_head_end end = sipws_head_feed(&c->head, io->in.p, io->in.n, limit, &used, &diag);
    if (used > 0) {
        memcpy(c->config.buf + before, io->in.p, used);
        io->in = sipws_slice(io->in.p + used, io->in.p + io->in.n);
    }
    if (end == SIPWS_HEAD_MORE)
        return give(ev, SIPWS_EV_MORE);
    if (end == SIPWS_HEAD_BAD)
        return fail(c, io, ev, diag);

    struct sipws_str head = {c->config.buf, c->head.n}, key = {c->key, sizeof c->key};
    ev->http = &c->http;
    if (!is_client(c)) {
        if (!sipws_http_request(head, &c->http, &diag))
            return fail(c, io, ev, diag);
        enter(c, SIPWS_CONN_ANSWER, c->since);
        return give(ev, SIPWS_EV_REQUEST);
    }
    if (!sipws_http_response(head, key, &c->http, &diag))
        return fail(c, io, ev, diag);
    open_frames(c, io->now);
    return give(ev, SIPWS_EV_OPEN);
}

bool sipws_conn_accept(struct sipws_conn *c, struct sipws_io *io)
{
    if (c->state != SIPWS_CONN_ANSWER || room(io) < SIPWS_CONN_ROOM ||
        !sipws_http_put_accept(&io->out, c->http.key))
        return false;
    open_frames(c, io->now);
    return true;
}

bool sipws_conn_refuse(struct sipws_conn *c, struct sipws_io *io, unsigned status,
                       struct sipws_str more)
{
    struct sipws_out size = sipws_out(NULL, 0);
    if (c->state != SIPWS_CONN_ANSWER || !sipws_http_put_refusal(&size, status, more) ||
        size.n > room(io))
        return false;
    sipws_http_put_refusal(&io->out, status, more);
    enter(c, SIPWS_CONN_CLOSED, io->now);
    return true;
}

/* ---- frames and SIP -------------------------------------------------------------------------- */

/* One WebSocket message: a keep-alive, or one SIP message (RFC 7118 4.1 and 6). */
static enum sipws_event_kind read_sip(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev)
{
    static const struct sipws_str ping = {"\r\n\r\n", 4}, pong = {"\r\n", 2};
    bool crlf = ev->data.n > 2 && ev->data.p[0] == '\r' && ev->data.p[1] == '\n';
    if (SIPWS_PLANT_IF(CONN_CRLF_LONG, crlf && !sipws_str_eq(ev->data, ping)))
        ev->data.n = 2;
    if (SIPWS_PLANT_IF(CONN_CRLF_FRONT, crlf && !sipws_str_eq(ev->data, ping)))
        ev->data = sipws_slice(ev->data.p + 2, ev->data.p + ev->data.n);
    if (sipws_str_eq(ev->data, ping)) {
        /* After our close frame no data frame may follow (RFC 6455 5.5.1). */
        if (c->state == SIPWS_CONN_OPEN && !SIPWS_PLANT_IF(CONN_CRLF_UNANSWERED, ev->binary))
            sipws_ws_put(&io->out, true, ev->binary ? SIPWS_BINARY : SIPWS_TEXT, mask(c, io), pong);
        return give(ev, SIPWS_EV_KEEPALIVE);
    }
    if (sipws_str_eq(ev->data, pong))
        return give(ev, SIPWS_EV_KEEPALIVE);

    struct sipws_report report = sipws_report(&ev->diag, 1);
    enum sipws_transport transport = c->config.tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS;
    uint32_t allow = c->config.allow;
    struct sipws_value length;
    if (!sipws_msg_parse(ev->data, allow, c->config.fields, c->config.field_cap, &c->msg, &report))
        return give(ev, SIPWS_EV_REFUSED);
    ev->msg = &c->msg;
    if (SIPWS_PLANT_IF(CONN_EXCESS_DROPPED,
                       sipws_msg_first(&c->msg, SIPWS_F_CONTENT_LENGTH, &length) &&
                           length.number.value < c->msg.body.n))
        c->msg.body.n = (size_t)length.number.value;
    if (!sipws_msg_check(&c->msg, transport, allow, &report) &&
        !SIPWS_PLANT_IF(CONN_BINARY_PASSES, ev->binary))
        return give(ev, SIPWS_PLANT_IF(CONN_BODY_AWAITED, ev->diag.err == SIPWS_E_BODY_LENGTH)
                            ? SIPWS_EV_MORE
                            : SIPWS_EV_REFUSED);
    ev->diag = (struct sipws_diag){0}; /* a warning at most */
    return give(ev, SIPWS_EV_MESSAGE);
}

static enum sipws_event_kind read_close(struct sipws_conn *c, struct sipws_io *io,
                                        struct sipws_event *ev)
{
    /* The answer repeats the code (RFC 6455 5.5.1), unless it is an answer itself. */
    if (c->state == SIPWS_CONN_OPEN || SIPWS_PLANT(CONN_CLOSE_TWICE))
        sipws_ws_put_close(&io->out, mask(c, io), ev->code, (struct sipws_str){NULL, 0});
    enter(c, SIPWS_CONN_CLOSED, io->now);
    return give(ev, SIPWS_EV_CLOSED);
}

static enum sipws_event_kind read_frames(struct sipws_conn *c, struct sipws_io *io,
                                         struct sipws_event *ev)
{
    struct sipws_ws_event w;
    enum sipws_ws_kind kind = sipws_ws_read(&c->ws, &io->in, &w);
    ev->binary = w.binary;
    ev->code = w.code;
    ev->data = w.data;
    switch (kind) {
    case SIPWS_WS_MORE:
        break;
    case SIPWS_WS_MESSAGE:
        if (SIPWS_PLANT_IF(CONN_CLOSE_OVERTAKES, io->in.n > 0 && (io->in.p[0] & 15) == SIPWS_CLOSE))
            return read_frames(c, io, ev);
        return read_sip(c, io, ev);
    case SIPWS_WS_PING:
        if (SIPWS_PLANT(CONN_PING_AS_SIP))
            return read_sip(c, io, ev);
        if (SIPWS_PLANT_IF(CONN_PONG_EMPTY, w.data.n > 0))
            w.data.n = 0;
        sipws_ws_put(&io->out, true, SIPWS_PONG,
                     SIPWS_PLANT_IF(CONN_PONG_UNMASKED, is_client(c)) ? NULL : mask(c, io), w.data);
        return give(ev, SIPWS_EV_PING);
    case SIPWS_WS_PONG:
        if (SIPWS_PLANT_IF(CONN_PONG_UNASKED, !c->msg.text.p))
            ev->code = (unsigned char)c->msg.text.p[0];
        return give(ev, SIPWS_EV_PONG);
    case SIPWS_WS_CLOSE:
        return read_close(c, io, ev);
    case SIPWS_WS_ERROR:
        w.diag.off += c->off;
        return fail(c, io, ev, w.diag);
    }
    return give(ev, SIPWS_EV_MORE);
}

enum sipws_event_kind sipws_conn_read(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev)
{
    memset(ev, 0, sizeof *ev);
    if (io->in.n > 0) {
        c->heard = io->now;
        if (!SIPWS_PLANT_IF(CONN_ALIVE_UNSEEN, c->pinged))
            c->pinged = false;
    }
    if (room(io) < SIPWS_CONN_ROOM && c->state < SIPWS_CONN_CLOSED) {
        if (SIPWS_PLANT_IF(CONN_FULL_EATS, io->in.n > 0))
            io->in.n = 0;
        return give(ev, SIPWS_EV_FULL);
    }
    switch (c->state) {
    case SIPWS_CONN_HEAD:
        return read_head(c, io, ev);
    case SIPWS_CONN_ANSWER:
        ev->http = &c->http;
        return give(ev, SIPWS_EV_REQUEST);
    case SIPWS_CONN_OPEN:
    case SIPWS_CONN_CLOSING:
        return read_frames(c, io, ev);
    case SIPWS_CONN_FAILED:
        return give_failed(c, ev);
    case SIPWS_CONN_CLOSED:
        io->in.n = 0;
        break;
    case SIPWS_CONN_START:
        return fail_now(c, io, ev, SIPWS_E_STATE, "handshake");
    }
    return give(ev, SIPWS_EV_MORE);
}

/* ---- sending --------------------------------------------------------------------------------- */

bool sipws_conn_send(struct sipws_conn *c, struct sipws_io *io, struct sipws_str text,
                     struct sipws_diag *diag)
{
    struct sipws_msg msg;
    struct sipws_diag own; /* a report has room for one, whether it is wanted or not */
    struct sipws_report report = sipws_report(diag ? diag : &own, 1);
    struct sipws_out size = sipws_out(NULL, 0);
    enum sipws_opcode opcode =
        sipws_utf8_valid(text) || SIPWS_PLANT(CONN_SEND_TEXT) ? SIPWS_TEXT : SIPWS_BINARY;
    if (c->state != SIPWS_CONN_OPEN)
        return sipws_diag_set(diag, SIPWS_E_STATE, 0, "sip-message");
    if (!sipws_msg_parse(text, c->config.allow, c->config.fields, c->config.field_cap, &msg,
                         &report))
        return false;
    sipws_ws_put(&size, true, opcode, mask(c, io), text);
    if (size.n > room(io))
        return sipws_diag_set(diag, SIPWS_E_LIMIT_OUT, 0, "sip-message");
    sipws_ws_put(&io->out, true, opcode, mask(c, io), text);
    return true;
}

static bool send_small(struct sipws_conn *c, struct sipws_io *io, enum sipws_opcode opcode,
                       struct sipws_str payload)
{
    bool late = c->state == SIPWS_CONN_CLOSING && SIPWS_PLANT(CONN_PING_CLOSING);
    if ((c->state != SIPWS_CONN_OPEN && !late) || room(io) < SIPWS_CONN_ROOM)
        return false;
    sipws_ws_put(&io->out, true, opcode, mask(c, io), payload);
    return true;
}

bool sipws_conn_ping(struct sipws_conn *c, struct sipws_io *io)
{
    return send_small(c, io, SIPWS_PING, (struct sipws_str){NULL, 0});
}

bool sipws_conn_crlf(struct sipws_conn *c, struct sipws_io *io)
{
    return send_small(c, io, SIPWS_TEXT, SIPWS_STR("\r\n\r\n"));
}

bool sipws_conn_close(struct sipws_conn *c, struct sipws_io *io, unsigned code,
                      struct sipws_str reason)
{
    if (c->state != SIPWS_CONN_OPEN || room(io) < SIPWS_CONN_ROOM ||
        (code != SIPWS_CLOSE_NONE && !sipws_close_sendable(code)))
        return false;
    sipws_ws_put_close(&io->out, mask(c, io), code, reason);
    enter(c, SIPWS_CONN_CLOSING, io->now);
    return true;
}

/* ---- the end of the stream, and time --------------------------------------------------------- */

enum sipws_event_kind sipws_conn_end(struct sipws_conn *c, struct sipws_io *io,
                                     struct sipws_event *ev)
{
    struct sipws_ws_event w;
    memset(ev, 0, sizeof *ev);
    switch (c->state) {
    case SIPWS_CONN_START:
        return fail_now(c, io, ev, SIPWS_E_STATE, "handshake");
    case SIPWS_CONN_HEAD:
    case SIPWS_CONN_ANSWER:
        return fail_now(c, io, ev, SIPWS_E_HTTP_CUT, "handshake");
    case SIPWS_CONN_OPEN:
    case SIPWS_CONN_CLOSING:
        if (sipws_ws_end(&c->ws, &w) == SIPWS_WS_ERROR) {
            w.diag.off += c->off;
            return fail(c, io, ev, w.diag);
        }
        return fail_now(c, io, ev, SIPWS_E_WS_LOST, "close");
    case SIPWS_CONN_FAILED:
        return give_failed(c, ev);
    case SIPWS_CONN_CLOSED:
        break;
    }
    ev->code = SIPWS_CLOSE_NONE;
    return give(ev, SIPWS_EV_CLOSED);
}

/* `ms` after `from`; never where ms is 0. */
static uint64_t after(uint64_t from, uint32_t ms)
{
    return ms == 0 || from > UINT64_MAX - ms ? UINT64_MAX : from + ms;
}

uint64_t sipws_conn_due(const struct sipws_conn *c)
{
    const struct sipws_times *t = &c->config.times;
    switch (c->state) {
    case SIPWS_CONN_HEAD:
    case SIPWS_CONN_ANSWER:
        return after(c->since, t->handshake);
    case SIPWS_CONN_OPEN:
        return after(c->heard, c->pinged ? t->pong : t->idle);
    case SIPWS_CONN_CLOSING:
        return after(c->since, t->close);
    case SIPWS_CONN_START:
    case SIPWS_CONN_CLOSED:
    case SIPWS_CONN_FAILED:
        break;
    }
    return UINT64_MAX;
}

enum sipws_event_kind sipws_conn_tick(struct sipws_conn *c, struct sipws_io *io,
                                      struct sipws_event *ev)
{
    memset(ev, 0, sizeof *ev);
    if (c->state == SIPWS_CONN_FAILED)
        return give_failed(c, ev);
    uint64_t due = sipws_conn_due(c);
    if (due == UINT64_MAX || io->now < due)
        return give(ev, SIPWS_EV_MORE);
    if (room(io) < SIPWS_CONN_ROOM)
        return give(ev, SIPWS_EV_FULL);
    if (c->state != SIPWS_CONN_OPEN || (c->pinged && !SIPWS_PLANT(CONN_PING_AGAIN)))
        return fail_now(c, io, ev, SIPWS_E_TIMEOUT, "time");
    sipws_conn_ping(c, io);
    c->heard = io->now;
    c->pinged = true;
    return give(ev, SIPWS_EV_MORE);
}
