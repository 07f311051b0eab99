/* What a server owes to a story. */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>

const struct judge_rule judge_rules[JUDGE_RULES] = {
#define R(name, id, level, rfc, text) {id, JUDGE_##level, rfc, text},
#include "rules.def"
#undef R
};

/* The ping of ours: masked with zeros, so that it stands in a capture as it is. */
#define TAIL       "all of it"
#define TAIL_FRAME "\x89\x89\0\0\0\0" TAIL

static const struct sipws_str tail = {TAIL, sizeof TAIL - 1};

static const char *id_of(enum sipws_err err)
{
    return sipws_err_info(err)->id;
}

#if defined(__GNUC__)
__attribute__((format(printf, 4, 5)))
#endif
static void
find(struct judge *j, enum judge_rule_id rule, const char *on, const char *format, ...)
{
    va_list args;
    for (size_t i = 0; i < j->found_n; i++)
        if (j->found[i].rule == rule)
            return;
    if (j->found_n == JUDGE_FINDINGS)
        return;
    struct judge_finding *f = &j->found[j->found_n++];
    f->rule = rule;
    f->on = on;
    va_start(args, format);
    vsnprintf(f->detail, sizeof f->detail, format, args);
    va_end(args);
}

/* ---- what a right server reads --------------------------------------------------------------- */

static void keep_message(struct judge *j, struct judge_event *e, const struct sipws_msg *m)
{
    struct sipws_value v;
    e->is_request = m->is_request;
    e->is_ack = m->is_request && m->method == SIPWS_M_ACK;
    if (sipws_msg_first(m, SIPWS_F_VIA, &v) && v.key.p)
        e->branch = arena_copy(j->arena, v.key);
    if (sipws_msg_first(m, SIPWS_F_CSEQ, &v))
        e->method = arena_copy(j->arena, v.cseq.method);
    if (sipws_msg_first(m, SIPWS_F_CALL_ID, &v))
        e->call_id = arena_copy(j->arena, v.call_id);
}

static void watch(struct drive *d, const struct sipws_event *ev)
{
    struct judge *j = d->ctx;
    if (!ev || j->want_n == JUDGE_EVENTS)
        return;
    struct judge_event *e = &j->want[j->want_n++];
    *e = (struct judge_event){.kind = ev->kind, .err = ev->diag.err, .code = ev->code, .form = ""};
    if (ev->kind == SIPWS_EV_REQUEST) {
        j->head = d->conn.head.n;
        if (ev->http->key.n == sizeof j->conn.key)
            memcpy(j->conn.key, ev->http->key.p, sizeof j->conn.key);
    }
    if (ev->kind == SIPWS_EV_PING || ev->kind == SIPWS_EV_KEEPALIVE)
        e->data = arena_copy(j->arena, ev->data);
    if (ev->msg)
        keep_message(j, e, ev->msg);
}

/* How each WebSocket message was framed, by its frames' headers. */
static void add_forms(struct judge *j)
{
    const unsigned char *p = (const unsigned char *)j->wire.p;
    size_t at = j->head, event = 0, frames = 0;
    bool binary = false, between = false, wide = false;
    while (at + 2 <= j->wire.n) {
        unsigned opcode = p[at] & 15, extra = (p[at + 1] & 127) == 126   ? 2
                                              : (p[at + 1] & 127) == 127 ? 8
                                                                         : 0;
        uint64_t len = p[at + 1] & 127;
        size_t head = 2 + extra + (p[at + 1] & 128 ? 4 : 0);
        if (at + head > j->wire.n)
            return;
        for (unsigned i = 0; i < extra; i++)
            len = (i ? len << 8 : 0) | p[at + 2 + i];
        if (len > j->wire.n - at - head)
            return;
        at += head + (size_t)len;
        if (opcode >= SIPWS_CLOSE) {
            between = between || frames > 0;
            continue;
        }
        binary = frames == 0 ? opcode == SIPWS_BINARY : binary;
        wide = (frames > 0 && wide) || extra == 8;
        frames++;
        if (!(p[at - (size_t)len - head] & 128))
            continue;
        while (event < j->want_n && j->want[event].kind != SIPWS_EV_MESSAGE &&
               j->want[event].kind != SIPWS_EV_REFUSED && j->want[event].kind != SIPWS_EV_KEEPALIVE)
            event++;
        if (event == j->want_n)
            return;
        j->want[event++].form = between      ? "control frames between fragments"
                                : frames > 1 ? "fragmented"
                                : wide       ? "64-bit length"
                                : binary     ? "binary"
                                             : "plain";
        frames = 0;
        between = false;
    }
}

static void open_reader(struct judge *j, const struct story *s)
{
    static const struct sipws_http_ask ask = {
        {"/", 1}, {"ws.example.org", 14}, {NULL, 0}, {NULL, 0}};
    struct sipws_conn_config config = {.role = SIPWS_CLIENT,
                                       .tls = s->tls,
                                       .limits = {16384, sizeof j->buf, 1024},
                                       .buf = j->buf,
                                       .cap = sizeof j->buf,
                                       .fields = j->fields,
                                       .field_cap = DRIVE_FIELDS};
    struct sipws_io io = {.out = sipws_out(j->tx, sizeof j->tx)};
    sipws_conn_init(&j->conn, &config, 0);
    sipws_conn_start(&j->conn, &io, &ask); /* it is the story that is sent */
}

bool judge_open(struct judge *j, const struct story *s, struct arena *a)
{
    static char none[1];
    struct sipws_out nowhere = sipws_out(none, 0), o = arena_begin(a);
    j->arena = a;
    j->head = j->want_n = j->stops_n = j->found_n = j->other_pongs = 0;
    j->ends = j->swallows = j->open = j->closed = j->ended = j->ponged = j->closing = false;
    j->diag = (struct sipws_diag){.err = SIPWS_OK};
    j->code = 0;
    memset(j->buf, 0, 32); /* status_of */
    for (size_t i = 0; i < s->n; i++)
        j->ends = j->ends || s->steps[i].kind == STORY_END;
    story_wire(s, &o);
    if (!j->ends)
        sipws_put(&o, (struct sipws_str){TAIL_FRAME, sizeof TAIL_FRAME - 1});
    j->wire = arena_end(a, &o);
    j->stops = story_stops(s, a, &j->stops_n);
    open_reader(j, s);

    /* Limits are the server's own business: ref shall have none here. */
    j->drive.role = SIPWS_SERVER;
    j->drive.tls = s->tls;
    j->drive.allow = 0;
    j->drive.limits = (struct sipws_limits){DRIVE_MESSAGE, DRIVE_MESSAGE, UINT32_MAX};
    j->drive.cuts = (struct sipws_str){NULL, 0};
    j->drive.stops = NULL;
    j->drive.stops_n = 0;
    j->drive.stays = !j->ends;
    j->drive.room = 0;
    j->drive.refuse = false;
    j->drive.watch = watch;
    j->drive.ctx = j;
    if (!j->wire.p || !j->stops || s->role != SIPWS_SERVER)
        return false;
    drive_run(&j->drive, j->wire, &nowhere);
    if (j->want_n == 0) /* a head without an end: nothing is owed */
        j->want[j->want_n++] = (struct judge_event){.kind = SIPWS_EV_MORE, .form = ""};
    const struct judge_event *last = &j->want[j->want_n - 1];
    if (last->kind == SIPWS_EV_FULL)
        return false;
    if (j->want[0].kind != SIPWS_EV_REQUEST)
        j->head = j->wire.n - (j->ends ? 0 : sizeof TAIL_FRAME - 1);
    j->swallows = !j->ends && last->kind != SIPWS_EV_FAILED && last->kind != SIPWS_EV_CLOSED &&
                  !(last->kind == SIPWS_EV_PING && sipws_str_eq(last->data, tail));
    add_forms(j);
    return !a->full && j->want_n < JUDGE_EVENTS;
}

static bool is_handshake(const struct judge *j)
{
    return j->want[0].kind == SIPWS_EV_REQUEST;
}

/* How the story ends: FAILED, CLOSED, or MORE. */
static const struct judge_event *end_of(const struct judge *j)
{
    const struct judge_event *last = &j->want[j->want_n - 1];
    bool over = last->kind == SIPWS_EV_FAILED || last->kind == SIPWS_EV_CLOSED;
    return over && last->err != SIPWS_E_WS_LOST && last->err != SIPWS_E_WS_CUT ? last : NULL;
}

static bool is_fault(const struct judge_event *end)
{
    return end && end->kind == SIPWS_EV_FAILED;
}

/* ---- what the server sends ------------------------------------------------------------------- */

static bool has_refused(const struct judge *j)
{
    for (size_t i = 0; i < j->want_n; i++)
        if (j->want[i].kind == SIPWS_EV_REFUSED)
            return true;
    return false;
}

/* The status of the head that came; 0: none. */
static unsigned status_of(const struct judge *j)
{
    unsigned status = 0;
    if (j->open)
        return 101;
    return sscanf(j->buf, "HTTP/1.%*1u %3u", &status) == 1 ? status : 0;
}

/* The transaction is told by the branch and CSeq's method (RFC 3261 17.1.3). */
static bool answers(const struct judge_event *request, const struct judge_event *response)
{
    return request->branch.p && response->branch.p && request->method.p && response->method.p &&
           sipws_str_eq(request->branch, response->branch) &&
           sipws_str_eq(request->method, response->method) &&
           sipws_str_eq(request->call_id, response->call_id);
}

/* A SIP message of the server. A request of its own is its own business. */
static void read_message(struct judge *j, const struct sipws_event *ev)
{
    struct judge_event got = {.kind = ev->kind};
    const struct sipws_msg *m = ev->msg;
    if (m)
        keep_message(j, &got, m);
    for (size_t i = 0; m && !m->is_request && i < j->want_n; i++) {
        struct judge_event *w = &j->want[i];
        if (w->kind == SIPWS_EV_REFUSED && w->is_request && m->status / 100 == 2 &&
            answers(w, &got)) {
            find(j, JUDGE_UNSOUND_TAKEN, id_of(w->err), "%u to %.*s, though %s", m->status,
                 (int)got.method.n, got.method.p, sipws_err_info(w->err)->text);
            return;
        }
        if (w->kind == SIPWS_EV_MESSAGE && w->is_request && answers(w, &got)) {
            w->answered = true;
            if (ev->kind == SIPWS_EV_MESSAGE)
                return;
            break;
        }
        if (i + 1 == j->want_n && ev->kind == SIPWS_EV_MESSAGE && !has_refused(j))
            find(j, JUDGE_ANSWER_UNASKED, "", "%u to %.*s with the branch %.*s", m->status,
                 (int)got.method.n, got.method.p ? got.method.p : "", (int)got.branch.n,
                 got.branch.p ? got.branch.p : "");
    }
    /* What answers an unsound message may have to repeat what is wrong with it. */
    if (ev->kind == SIPWS_EV_REFUSED && !has_refused(j))
        find(j, JUDGE_ANSWER_UNSOUND, id_of(ev->diag.err), "%s, at octet %zu of %zu",
             sipws_err_info(ev->diag.err)->text, ev->diag.off, ev->data.n);
}

static void read_pong(struct judge *j, struct sipws_str data)
{
    bool known = false;
    for (size_t i = 0; i < j->want_n; i++)
        if (j->want[i].kind == SIPWS_EV_PING && sipws_str_eq(j->want[i].data, data))
            known = j->want[i].answered = true;
    j->ponged = j->ponged || sipws_str_eq(data, tail);
    j->other_pongs += !known;
}

/* What is wrong with a 101 is told, and the frames behind it are read all the same. */
static bool open_anyway(struct judge *j)
{
    if (j->open || !is_handshake(j) || status_of(j) != 101)
        return false;
    find(j, JUDGE_HANDSHAKE_ANSWER, id_of(j->diag.err), "%s, at octet %zu",
         sipws_err_info(j->diag.err)->text, j->diag.off);
    j->diag = (struct sipws_diag){.err = SIPWS_OK};
    j->conn.state = SIPWS_CONN_OPEN;
    j->conn.off = j->conn.head.n;
    sipws_ws_init(&j->conn.ws, SIPWS_CLIENT, &j->conn.config.limits, j->buf, sizeof j->buf);
    return true;
}

void judge_read(struct judge *j, struct sipws_str octets)
{
    struct sipws_io io = {.in = octets};
    struct sipws_event ev;
    while (!j->diag.err) {
        io.out = sipws_out(j->tx, sizeof j->tx);
        switch (sipws_conn_read(&j->conn, &io, &ev)) {
        case SIPWS_EV_OPEN:
            j->open = true;
            break;
        case SIPWS_EV_MESSAGE:
        case SIPWS_EV_REFUSED:
            read_message(j, &ev);
            break;
        case SIPWS_EV_PONG:
            read_pong(j, ev.data);
            break;
        case SIPWS_EV_CLOSED:
            j->closed = true;
            j->code = ev.code;
            break;
        case SIPWS_EV_FAILED:
            j->diag = ev.diag;
            if (open_anyway(j))
                j->open = true;
            break;
        case SIPWS_EV_KEEPALIVE:
        case SIPWS_EV_PING:
            break;
        case SIPWS_EV_MORE:
        case SIPWS_EV_FULL:
        case SIPWS_EV_REQUEST:
            return;
        }
    }
}

void judge_end(struct judge *j)
{
    j->ended = true;
}

bool judge_agreed(const struct judge *j)
{
    return j->open && is_handshake(j) && !j->diag.err && !j->ended;
}

/* ---- what is owed ---------------------------------------------------------------------------- */

static const struct judge_event *unanswered(const struct judge *j)
{
    for (size_t i = 0; i < j->want_n; i++) {
        const struct judge_event *w = &j->want[i];
        if (w->kind == SIPWS_EV_MESSAGE && w->is_request && !w->is_ack && !w->answered)
            return w;
    }
    return NULL;
}

bool judge_owes(const struct judge *j, enum judge_phase phase)
{
    const struct judge_event *end = end_of(j);
    if (j->ended || j->diag.err)
        return false;
    if (!j->open)
        return j->want[0].kind != SIPWS_EV_MORE;
    if (phase == JUDGE_HEAD)
        return false;
    if (!is_handshake(j) || j->ends)
        return false;
    if (is_fault(end))
        return !j->ponged;
    if (end || j->closing || j->closed)
        return true; /* up to the end of the stream */
    return (!j->swallows && !j->ponged) || unanswered(j);
}

bool judge_may_close(const struct judge *j)
{
    return judge_agreed(j) && !end_of(j) && !j->ends && !j->swallows && !j->closed && j->ponged;
}

void judge_closing(struct judge *j)
{
    j->closing = true;
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static void find_head_taken(struct judge *j)
{
    enum sipws_err err = j->want[0].err;
    struct sipws_str name = SIPWS_STR("Sec-WebSocket-Protocol"), chosen = {NULL, 0};
    const char *at = j->wire.p + j->drive.conn.error.off;
    bool has = sipws_http_find(&j->conn.http, name, &chosen);
    if (err == SIPWS_E_HTTP_NO_SIP && (j->open || sipws_str_eq(chosen, SIPWS_STR("sip"))))
        find(j, JUDGE_PROTOCOL_TAKEN, id_of(err), "it agreed to sip, which was not offered");
    else if (err == SIPWS_E_HTTP_NO_SIP)
        find(j, JUDGE_PROTOCOL_NONE, id_of(err), "101 %s%.*s",
             has ? "with " : "without a subprotocol", (int)chosen.n, has ? chosen.p : "");
    /* Bare LF and folding a recipient may mend (RFC 7230 3.5 and 3.2.4). */
    else if (err != SIPWS_E_HTTP_CRLF &&
             !(err == SIPWS_E_HTTP_FIELD && at > j->wire.p && at[-1] == '\n'))
        find(j, JUDGE_HANDSHAKE_TAKEN, id_of(err), "101, though %s", sipws_err_info(err)->text);
}

static void find_head(struct judge *j)
{
    unsigned status = status_of(j);
    if (!is_handshake(j) && status == 101)
        find_head_taken(j);
    else if (j->want[0].kind == SIPWS_EV_FAILED && status == 0 && !j->ended)
        find(j, JUDGE_HANDSHAKE_SILENCE, id_of(j->want[0].err), "nothing came");
    else if (is_handshake(j))
        find(j, JUDGE_HANDSHAKE_REFUSED, "", status ? "it answered %u" : "nothing came", status);
}

/* What the server had to read next: all before it has shown its answer. */
static const char *culprit(const struct judge *j, enum judge_rule_id *rule)
{
    size_t next = 1;
    for (size_t i = 1; i < j->want_n; i++)
        if (j->want[i].answered)
            next = i + 1;
    if (next == j->want_n)
        return "all that came";
    const struct judge_event *w = &j->want[next];
    if (w->kind == SIPWS_EV_KEEPALIVE)
        *rule = JUDGE_KEEPALIVE;
    return w->kind == SIPWS_EV_KEEPALIVE ? (w->data.n == 2 ? "CRLF" : "CRLF CRLF")
           : w->kind == SIPWS_EV_MESSAGE ? w->form
                                         : drive_event_name(w->kind);
}

static void find_fault(struct judge *j, enum sipws_err err)
{
    const struct sipws_err_info *info = sipws_err_info(err);
    if (j->ponged)
        find(j, JUDGE_FAULT_TAKEN, info->id, "it answered a ping behind it: %s", info->text);
    else if (!j->ended && !j->closed && info->layer != SIPWS_LAYER_LIMIT)
        find(j, JUDGE_FAULT_STAYS, info->id, "the stream is still open: %s", info->text);
    else if (!j->ended && j->closed)
        find(j, JUDGE_CLOSE_STAYS, info->id, "its close frame is here, and the stream still open");
    if (j->closed && !j->ponged && info->layer != SIPWS_LAYER_LIMIT && j->code != info->ws_close &&
        j->code != SIPWS_CLOSE_PROTOCOL && !has_refused(j))
        find(j, JUDGE_FAULT_CODE, info->id, "it closed with %u, not %u", j->code, info->ws_close);
}

static void find_close(struct judge *j, unsigned code)
{
    if (!j->closed)
        find(j, JUDGE_CLOSE_UNANSWERED, "", j->ended ? "the stream ended" : "nothing came");
    else if (!j->ended)
        find(j, JUDGE_CLOSE_STAYS, "", "both have closed, and the stream is still open");
    if (j->closed && j->code != code &&
        !(code == SIPWS_CLOSE_NONE && j->code == SIPWS_CLOSE_NORMAL))
        find(j, JUDGE_CLOSE_CODE, "", "%u was answered with %u", code, j->code);
}

static void find_stream(struct judge *j)
{
    const struct judge_event *end = end_of(j), *missing = unanswered(j);
    enum judge_rule_id rule = JUDGE_ENDED;
    /* Whoever is sent what is no sound SIP may have enough of it; and who has a limit may say so.
     */
    bool excused = has_refused(j) || j->code == SIPWS_CLOSE_TOO_BIG;
    bool over = j->ended || j->closed;
    if (is_fault(end)) {
        find_fault(j, end->err);
        return;
    }
    if (j->ends)
        return;
    if (over && !j->closed && !excused && !j->closing && (missing || !end)) {
        const char *on = culprit(j, &rule);
        find(j, rule, on, "the stream ended without a close frame");
    } else if (over && j->closed && !excused && !j->closing && !end) {
        const char *on = culprit(j, &rule);
        find(j, rule == JUDGE_KEEPALIVE ? rule : JUDGE_CLOSED, on, "it closed with %u", j->code);
    } else if ((end || j->closing) && !(excused && j->ended && !j->closed)) {
        find_close(j, end ? end->code : SIPWS_CLOSE_NORMAL);
    } else if (!over && !j->ponged && !j->swallows) {
        find(j, j->other_pongs ? JUDGE_PONG_OTHER : JUDGE_PONG_MISSING, culprit(j, &rule),
             "%zu pongs with another payload", j->other_pongs);
    }
    /* Before a close frame of its own a client may not get all answers. */
    if (missing && (!over || j->closing) && !end)
        find(j, JUDGE_ANSWER_MISSING, missing->form, "%.*s with the branch %.*s",
             (int)missing->method.n, missing->method.p, (int)missing->branch.n, missing->branch.p);
}

void judge_findings(struct judge *j)
{
    if (!is_handshake(j) || !j->open)
        find_head(j);
    else if (j->diag.err)
        find(j, JUDGE_FRAMES, id_of(j->diag.err), "%s, at octet %zu of what came",
             sipws_err_info(j->diag.err)->text, j->diag.off);
    else
        find_stream(j);
}
