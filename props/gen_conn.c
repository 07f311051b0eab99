#include "gen_conn.h"

#include "drive.h"
#include "gen_dialog.h"

/* ---- the handshake --------------------------------------------------------------------------- */

/* What may be wrong: in which line, what stands there instead, and what it earns. "" takes the line
 * out. */
struct head_bend {
    const char *how;
    unsigned line;
    const char *instead;
    enum sipws_err err;
};

struct head_line {
    const char *forms[3]; /* that mean the same; the last may be NULL */
};

static const struct head_line request_lines[] = {
    {{"Host: ws.example.org", "host:ws.example.org:443", "HOST: [2001:db8::7]:80 "}},
    {{"Upgrade: websocket", "upgrade: WebSocket", "Upgrade:\twebsocket"}},
    {{"Connection: Upgrade", "Connection: keep-alive, Upgrade", "connection: upgrade,close"}},
    {{"Sec-WebSocket-Key: " DRIVE_KEY, "sec-websocket-key:" DRIVE_KEY, NULL}},
    {{"Sec-WebSocket-Protocol: sip", "Sec-WebSocket-Protocol: msrp, sip",
      "sec-websocket-protocol:sip,xmpp"}},
    {{"Sec-WebSocket-Version: 13", "sec-webSocket-version:13", NULL}},
    {{"Origin: https://phone.example.org", "Cookie: a=1; b=2", "X-Any: \x80\xFF"}},
};

static const struct head_bend request_bends[] = {
    {"no Host", 0, "", SIPWS_E_HTTP_HOST},
    {"another Upgrade", 1, "Upgrade: h2c", SIPWS_E_HTTP_UPGRADE},
    {"no Connection", 2, "", SIPWS_E_HTTP_CONNECTION},
    {"a key of 15 octets", 3, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA", SIPWS_E_HTTP_KEY},
    {"no key", 3, "", SIPWS_E_HTTP_KEY},
    {"a name that has sip in it", 4, "Sec-WebSocket-Protocol: gossip, sips", SIPWS_E_HTTP_NO_SIP},
    {"SIP in capitals", 4, "Sec-WebSocket-Protocol: SIP", SIPWS_E_HTTP_NO_SIP},
    {"no subprotocol", 4, "", SIPWS_E_HTTP_NO_SIP},
    {"version 8", 5, "Sec-WebSocket-Version: 8", SIPWS_E_HTTP_WSVERSION},
    {"a name with white space behind it", 6, "Origin : https://phone.example.org",
     SIPWS_E_HTTP_FIELD},
    {"a folded line", 6, "X-Any: a\r\n b", SIPWS_E_HTTP_FIELD},
    {"a bare LF", 6, "X-Any: a\nX-Other: b", SIPWS_E_HTTP_CRLF},
};

static const struct head_line response_lines[] = {
    {{"Upgrade: websocket", "upgrade: WebSocket", NULL}},
    {{"Connection: Upgrade", "connection: upgrade", "Connection:\tUpgrade "}},
    {{"Sec-WebSocket-Accept: " DRIVE_ACCEPT, "sec-websocket-accept:" DRIVE_ACCEPT, NULL}},
    {{"Sec-WebSocket-Protocol: sip", "sec-websocket-protocol:sip", NULL}},
    {{"Server: any", "Date: Mon, 02 Feb 2026 10:00:00 GMT", NULL}},
};

static const struct head_bend response_bends[] = {
    {"another Upgrade", 0, "Upgrade: h2c", SIPWS_E_HTTP_UPGRADE},
    {"no Connection", 1, "", SIPWS_E_HTTP_CONNECTION},
    {"the answer to another key", 2,
     "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=", SIPWS_E_HTTP_ACCEPT},
    {"no answer to the key", 2, "", SIPWS_E_HTTP_ACCEPT},
    {"no subprotocol", 3, "", SIPWS_E_HTTP_NO_SIP},
    {"an extension that was not offered", 4, "Sec-WebSocket-Extensions: permessage-deflate",
     SIPWS_E_HTTP_EXTENSION},
    {"a bare CR", 4, "Server: a\rb", SIPWS_E_HTTP_CRLF},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void put_text(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
}

/* The lines in any order, beginning with any of them and going round. */
static void put_lines(struct tape *t, struct sipws_out *o, const struct head_line *lines,
                      unsigned n, const struct head_bend *bend)
{
    unsigned from = tape_below(t, n);
    for (unsigned k = 0; k < n; k++) {
        unsigned i = (from + k) % n;
        unsigned form = tape_below(t, 3);
        const char *line = lines[i].forms[form] ? lines[i].forms[form] : lines[i].forms[0];
        if (bend && bend->line == i)
            line = bend->instead;
        put_text(o, line);
        put_text(o, line[0] ? "\r\n" : "");
    }
    put_text(o, "\r\n");
}

static void draw_head(struct tape *t, struct arena *a, struct gen_conn *c, bool bent)
{
    bool server = c->role == SIPWS_SERVER;
    const struct head_bend *bends = server ? request_bends : response_bends;
    unsigned pick =
        tape_below(t, server ? (uint32_t)COUNT(request_bends) : (uint32_t)COUNT(response_bends));
    struct sipws_out o = arena_begin(a);
    put_text(&o, server ? "GET /sip?a=b HTTP/1.1\r\n" : "HTTP/1.1 101 Switching Protocols\r\n");
    put_lines(t, &o, server ? request_lines : response_lines,
              server ? COUNT(request_lines) : COUNT(response_lines), bent ? &bends[pick] : NULL);
    c->head = arena_end(a, &o);
    if (bent) {
        c->head_bend = bends[pick].how;
        c->head_err = bends[pick].err;
    }
}

/* ---- what comes behind it -------------------------------------------------------------------- */

static bool says_length(const struct gen_msg *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id == SIPWS_F_CONTENT_LENGTH)
            return true;
    return false;
}

/* WebSocket messages that are no SIP, or not sound. */
static struct sipws_str unsound(struct tape *t, struct arena *a, const struct gen_msg *m)
{
    static const struct sipws_str texts[] = {{"", 0},
                                             {"\r\n\r\n\r\n", 6},
                                             {"{\"method\":\"REGISTER\"}", 21},
                                             {"GET / HTTP/1.1\r\n\r\n", 18},
                                             {"\n\n", 2}};
    unsigned pick = tape_below(t, 14);
    struct gen_bent bent = gen_msg_bent(t, a, m);
    if (pick >= 12 && says_length(m)) { /* two messages, of which the first says where it ends */
        struct sipws_out o = arena_begin(a);
        sipws_put(&o, m->text);
        sipws_put(&o, m->text);
        return arena_end(a, &o);
    }
    return pick < COUNT(texts) ? texts[pick] : bent.text;
}

static void add_message(struct tape *t, struct gen_conn *c, enum gen_conn_what what,
                        struct sipws_str text, bool binary)
{
    bool is_text = false;
    (void)twin_utf8((const unsigned char *)text.p, text.n, &is_text);
    binary = binary || !is_text;
    c->what[c->n] = what;
    c->text[c->n++] = text;
    if (tape_chance(t, 64))
        gen_ws_control(c->ws);
    gen_ws_message(c->ws, binary, text);
}

/* What the peer says in a conversation: its own steps, as far as there is room. */
static void draw_talk(struct tape *t, struct gen_conn *c, const struct gen_dialog *d)
{
    static const enum gen_conn_what whats[] = {
        [GEN_DIALOG_MESSAGE] = GEN_CONN_SIP,
        [GEN_DIALOG_REFUSED] = GEN_CONN_UNSOUND,
        [GEN_DIALOG_KEEPALIVE] = GEN_CONN_KEEPALIVE,
    };
    for (size_t i = 0; i < d->n; i++) {
        const struct gen_dialog_step *step = &d->steps[i];
        if (step->from == c->role || step->what == GEN_DIALOG_PING)
            continue;
        if (c->n + step->n + 1 > GEN_CONN_MESSAGES)
            return;
        if (step->what == GEN_DIALOG_CRLF)
            add_message(t, c, GEN_CONN_KEEPALIVE, SIPWS_STR("\r\n\r\n"), false);
        for (size_t k = 0; k < step->n; k++)
            add_message(t, c, whats[step->parts[k].want], step->parts[k].text, tape_chance(t, 64));
    }
}

static void draw_message(struct tape *t, struct arena *a, struct gen_conn *c)
{
    static const unsigned char weights[] = {150, 50, 56};
    static const struct sipws_str crlf = {"\r\n\r\n", 4};
    struct gen_msg *m = arena_get(a, sizeof *m);
    struct gen_msg_want want = {.transport = c->tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS,
                                .body = 200};
    enum gen_conn_what what = (enum gen_conn_what)tape_weighted(t, weights, 3);
    bool binary = tape_chance(t, 100);
    struct sipws_str text = {crlf.p, tape_chance(t, 100) ? 2 : 4};
    if (what != GEN_CONN_KEEPALIVE) {
        want.utf8 = !binary;
        if (!m || !gen_msg(t, a, &want, m))
            return;
        text = what == GEN_CONN_SIP ? m->text : unsound(t, a, m);
    }
    if (text.p)
        add_message(t, c, what, text, binary);
}

struct gen_conn *gen_conn(struct tape *t, struct arena *a)
{
    struct gen_conn *c = arena_get(a, sizeof *c);
    if (!c)
        return NULL;
    tape_begin(t, "connection");
    c->role = tape_chance(t, 100) ? SIPWS_CLIENT : SIPWS_SERVER;
    c->tls = tape_chance(t, 100);
    c->talks = tape_chance(t, 64);
    const struct gen_dialog *talk = c->talks ? gen_dialog(t, a) : NULL;
    if (talk)
        c->tls = talk->tls;
    unsigned where = tape_below(t, 8); /* 6: the handshake is bent, 7: the frames are */
    tape_begin(t, "handshake");
    draw_head(t, a, c, where == 6);
    tape_end(t);
    c->ws = gen_ws_new(t, a, c->role);
    if (!c->ws)
        return NULL;
    if (talk)
        draw_talk(t, c, talk);
    while (!talk && c->n < GEN_CONN_MESSAGES && tape_next(t, "message", 3)) {
        draw_message(t, a, c);
        tape_end(t);
    }
    if (tape_chance(t, 170))
        gen_ws_close(c->ws);
    enum gen_ws_bend bend = gen_ws_draw_bend(t);
    if (!gen_ws_finish(c->ws, where == 7 ? bend : GEN_WS_GOOD))
        return NULL;
    c->cuts = gen_cuts(t);
    tape_end(t);

    struct sipws_out o = arena_begin(a);
    sipws_put(&o, c->head);
    sipws_put(&o, c->ws->wire);
    c->wire = arena_end(a, &o);
    return a->full ? NULL : c;
}

void gen_conn_explain(const void *story, FILE *f)
{
    const struct gen_conn *c = story;
    fprintf(f, "  the engine is a %s, %s TLS; its peer sends\n",
            c->role == SIPWS_SERVER ? "server" : "client", c->tls ? "over" : "without");
    fprintf(f, "  a handshake%s%s\n", c->head_bend ? ", bent: " : "",
            c->head_bend ? c->head_bend : "");
    prop_octets(f, "    ", c->head);
    gen_ws_explain(c->ws, f);
    gen_cuts_explain(&c->cuts, f);
}

void gen_conn_wire(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct gen_conn *)story)->wire);
}
