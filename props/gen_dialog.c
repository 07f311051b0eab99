#include "gen_dialog.h"

#include <stdarg.h>

/* A dialog, a registration, or the one transaction of a request outside of both. */
struct chat {
    struct sipws_str call_id;
    struct sipws_str tag[2]; /* [role]; p NULL: not known yet */
    uint32_t cseq[2];        /* of the last request of each */
    bool open, routed;
};

struct model {
    struct tape *t;
    struct arena *a;
    struct gen_dialog *d;
    unsigned serial; /* makes names differ */

    struct chat registration, call, subscription;
    bool known; /* the registrar has seen good credentials */
    struct sipws_str nonce;
    unsigned nonce_count;
};

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const people[] = {"\"Bob \\\"B\\\" Roe\" <sip:bob@example.com>",
                                     "Alice <sip:alice@example.org>"};
static const char *const targets[] = {"sip:bob@gate.example.com;transport=tcp",
                                      "sip:alice@k3f9.invalid;transport=ws"};
static const char *const hosts[] = {"edge.example.org", "k3f9.invalid"};
static const char *const route = "<sip:edge.example.org;transport=ws;lr>";

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static struct sipws_str
text(struct model *m, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return arena_copy(m->a, (struct sipws_str){line, n > 0 ? (size_t)n : 0});
}

static int width(struct sipws_str s)
{
    return (int)s.n;
}

#define SLICE(s) width(s), (s).p

/* A token that no other one is. */
static struct sipws_str token(struct model *m, const char *front)
{
    static const char *const tails[] = {"", "-", ".x", "!~*", "_+`'", "%25"};
    unsigned tail = tape_below(m->t, 6);
    return text(m, "%s%u%s", front, ++m->serial, tails[tail]);
}

/* callid = word [ "@" word ], and a word may be odd. */
static struct chat chat(struct model *m, enum sipws_role caller)
{
    static const char *const tails[] = {"", "@k3f9.invalid", "(a)", "<b>@[c]", "\"d\\", "{e}?:/"};
    struct chat c = {0};
    unsigned tail = tape_below(m->t, 6);
    c.call_id = text(m, "call%u%s", ++m->serial, tails[tail]);
    c.tag[caller] = token(m, "t");
    c.cseq[0] = tape_range(m->t, 0, 255);
    c.cseq[1] = tape_range(m->t, 0, 65535) * 32767; /* stays below 2**31 */
    return c;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static struct gen_dialog_step *next_step(struct model *m, enum sipws_role from)
{
    struct gen_dialog_step *s = &m->d->steps[m->d->n++];
    s->from = from;
    return s;
}

static void keepalive(struct model *m)
{
    unsigned how = tape_below(m->t, 4);
    struct gen_dialog_step *s = next_step(m, how & 1 ? SIPWS_SERVER : SIPWS_CLIENT);
    s->what = how & 2 ? GEN_DIALOG_CRLF : GEN_DIALOG_PING;
}

static void add(struct gen_dialog_step *s, const char *name, char compact, struct sipws_str value)
{
    s->lines[s->lines_n++] = (struct gen_dialog_line){name, compact, value};
}

static struct sipws_str person(struct model *m, enum sipws_role who, struct sipws_str tag)
{
    return tag.p ? text(m, "%s;tag=%.*s", people[who], SLICE(tag)) : text(m, "%s", people[who]);
}

/* What each SIP message has, whoever sends it. */
static struct gen_dialog_step *sip(struct model *m, enum sipws_role from)
{
    if (tape_chance(m->t, 12))
        keepalive(m);
    struct gen_dialog_step *s = next_step(m, from);
    s->what = GEN_DIALOG_SIP;
    s->compact = tape_chance(m->t, 64);
    return s;
}

/* A request of `c`, with the number after its sender's last one. `uri` NULL: where the other end
 * is. For ACK and CANCEL: `of` is the INVITE that they belong to. */
static struct gen_dialog_step *request(struct model *m, enum sipws_role from, struct chat *c,
                                       const char *method, const char *uri,
                                       const struct gen_dialog_step *of, bool same_transaction)
{
    enum sipws_role to = from == SIPWS_CLIENT ? SIPWS_SERVER : SIPWS_CLIENT;
    struct gen_dialog_step *s = sip(m, from);
    bool registers = c == &m->registration;
    s->method = method;
    s->cseq = of ? of->cseq : ++c->cseq[from];
    s->call_id = c->call_id;
    s->branch = same_transaction ? of->branch : token(m, "z9hG4bK");
    s->from_tag = c->tag[from];
    /* CANCEL has the To of what it cancels. */
    if (!registers)
        s->to_tag = strcmp(method, "CANCEL") == 0 ? of->to_tag : c->tag[to];
    s->start = text(m, "%s %s SIP/2.0", method, uri ? uri : targets[to]);
    add(s, "Via", 'v',
        text(m, "SIP/2.0/%s %s;branch=%.*s%s", m->d->tls ? "WSS" : "WS", hosts[from],
             SLICE(s->branch), from == SIPWS_CLIENT ? ";keep" : ""));
    if (from == SIPWS_CLIENT && c->routed)
        add(s, "Route", '\0', text(m, "%s", route));
    add(s, "Max-Forwards", '\0', text(m, "%d", from == SIPWS_CLIENT ? 70 : 68));
    add(s, "From", 'f', person(m, from, s->from_tag));
    add(s, "To", 't', person(m, registers ? from : to, s->to_tag));
    add(s, "Call-ID", 'i', s->call_id);
    add(s, "CSeq", '\0', text(m, "%u %s", (unsigned)s->cseq, method));
    return s;
}

static void contact(struct model *m, struct gen_dialog_step *s)
{
    add(s, "Contact", 'm', text(m, "<%s>", targets[s->from]));
}

static void body(struct model *m, struct gen_dialog_step *s, const char *type, const char *octets)
{
    add(s, "Content-Type", 'c', text(m, "%s", type));
    s->body = text(m, "%s", octets);
}

/* An answer to `of`; one with a status of 101 and above has the tag of its sender. */
static struct gen_dialog_step *response(struct model *m, const struct gen_dialog_step *of,
                                        struct chat *c, unsigned status, const char *reason)
{
    enum sipws_role from = of->from == SIPWS_CLIENT ? SIPWS_SERVER : SIPWS_CLIENT;
    struct gen_dialog_step *s = sip(m, from);
    bool registers = c == &m->registration;
    if (status > 100 && (registers || !c->tag[from].p))
        c->tag[from] = token(m, "t");
    s->status = status;
    s->method = of->method;
    s->cseq = of->cseq;
    s->call_id = of->call_id;
    s->branch = of->branch;
    s->from_tag = of->from_tag;
    s->to_tag = status > 100 ? c->tag[from] : of->to_tag;
    s->start = text(m, "SIP/2.0 %u %s", status, reason);
    for (size_t i = 0; i < of->lines_n; i++) {
        struct gen_dialog_line l = of->lines[i];
        if (strcmp(l.name, "To") == 0)
            l.value = person(m, registers ? of->from : from, s->to_tag);
        else if (strcmp(l.name, "Via") != 0 && strcmp(l.name, "From") != 0 &&
                 strcmp(l.name, "Call-ID") != 0 && strcmp(l.name, "CSeq") != 0)
            continue;
        s->lines[s->lines_n++] = l;
    }
    return s;
}

/* ---- what the ends do ------------------------------------------------------------------------ */

static const char sdp[] = "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\n"
                          "t=0 0\r\nm=audio 40002 UDP/TLS/RTP/SAVPF 111\r\n";
static const char pidf[] =
    "<?xml version=\"1.0\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
    "entity=\"sip:bob@example.com\"/>\r\n";
static const char latin[] = "\xBFQu\xE9 tal?";
static const char hello[] = "\xC2\xBFQu\xC3\xA9 tal?\r\n\r\n\xF0\x9F\x93\x9E";

static struct gen_dialog_step *put_register(struct model *m, unsigned seconds)
{
    struct gen_dialog_step *s =
        request(m, SIPWS_CLIENT, &m->registration, "REGISTER", "sip:example.org", NULL, false);
    add(s, "Contact", 'm',
        text(m, "<%s>;reg-id=1;+sip.instance=\"<urn:uuid:7c1c7a52-0000-4000-8000-0000000000a1>\"",
             targets[SIPWS_CLIENT]));
    add(s, "Expires", '\0', text(m, "%u", seconds));
    add(s, "Supported", 'k', text(m, "path, outbound, gruu"));
    if (m->nonce.p)
        add(s, "Authorization", '\0',
            text(m,
                 "Digest username=\"alice\", realm=\"example.org\", nonce=\"%.*s\", "
                 "uri=\"sip:example.org\", response=\"%064x\", algorithm=SHA-256, "
                 "cnonce=\"c%u\", qop=auth, nc=%08x",
                 SLICE(m->nonce), m->serial, m->serial, ++m->nonce_count));
    return s;
}

/* First, to refresh, or to end it; a nonce grows old now and then. */
static void registers(struct model *m)
{
    bool ends = tape_chance(m->t, 40) && m->registration.open;
    bool old = tape_chance(m->t, 60);
    unsigned seconds = ends ? 0 : tape_range(m->t, 60, 315);
    if (!m->registration.call_id.p)
        m->registration = chat(m, SIPWS_CLIENT);
    m->registration.tag[SIPWS_SERVER].p = NULL;
    struct gen_dialog_step *s = put_register(m, seconds);
    if (!m->known || old) {
        bool stale = m->nonce.p != NULL;
        struct gen_dialog_step *no = response(m, s, &m->registration, 401, "Unauthorized");
        m->nonce = token(m, "n");
        m->nonce_count = 0;
        add(no, "WWW-Authenticate", '\0',
            text(m,
                 "Digest realm=\"example.org\", nonce=\"%.*s\", algorithm=SHA-256, qop=\"auth\"%s",
                 SLICE(m->nonce), stale ? ", stale=true" : ""));
        s = put_register(m, seconds);
        m->known = true;
    }
    struct gen_dialog_step *ok = response(m, s, &m->registration, 200, "OK");
    if (!ends)
        add(ok, "Contact", 'm', text(m, "<%s>;expires=%u", targets[SIPWS_CLIENT], seconds));
    add(ok, "Service-Route", '\0', text(m, "%s", route));
    m->registration.open = !ends;
}

static void acknowledge(struct model *m, const struct gen_dialog_step *invite, bool accepted)
{
    (void)request(m, invite->from, &m->call, "ACK", NULL, invite, !accepted);
}

/* An INVITE up to its ACK. */
static void invites(struct model *m)
{
    enum { ANSWERED, REJECTED, CANCELLED };
    static const unsigned char weights[] = {150, 50, 56};
    bool again = m->call.open;
    enum sipws_role caller = tape_chance(m->t, 100) ? SIPWS_SERVER : SIPWS_CLIENT;
    enum sipws_role callee = caller == SIPWS_CLIENT ? SIPWS_SERVER : SIPWS_CLIENT;
    unsigned end = tape_weighted(m->t, weights, 3);
    unsigned rings = tape_below(m->t, 3);
    bool recorded = tape_chance(m->t, 128);
    if (!again)
        m->call = chat(m, caller);
    struct gen_dialog_step *invite = request(m, caller, &m->call, "INVITE",
                                             again                    ? NULL
                                             : caller == SIPWS_CLIENT ? "sip:bob@example.com"
                                                                      : targets[callee],
                                             NULL, false);
    contact(m, invite);
    if (!again && recorded && caller == SIPWS_SERVER)
        add(invite, "Record-Route", '\0', text(m, "%s", route));
    body(m, invite, "application/sdp", sdp);
    if (tape_chance(m->t, 100))
        (void)response(m, invite, &m->call, 100, "Trying");
    for (; rings > 0; rings--) {
        struct gen_dialog_step *ringing = response(m, invite, &m->call, 180, "Ringing");
        contact(m, ringing);
        if (!again && recorded)
            add(ringing, "Record-Route", '\0', text(m, "%s", route));
    }
    if (end == ANSWERED) {
        struct gen_dialog_step *ok = response(m, invite, &m->call, 200, "OK");
        contact(m, ok);
        if (!again && recorded)
            add(ok, "Record-Route", '\0', text(m, "%s", route));
        body(m, ok, "application/sdp", sdp);
        m->call.routed = again ? m->call.routed : recorded;
        m->call.open = true;
    } else if (end == REJECTED) {
        (void)response(m, invite, &m->call, again ? 488 : 486,
                       again ? "Not Acceptable Here" : "Busy Here");
    } else {
        struct gen_dialog_step *cancel = request(m, caller, &m->call, "CANCEL",
                                                 again                    ? NULL
                                                 : caller == SIPWS_CLIENT ? "sip:bob@example.com"
                                                                          : targets[callee],
                                                 invite, true);
        (void)response(m, cancel, &m->call, 200, "OK");
        (void)response(m, invite, &m->call, 487, "Request Terminated");
    }
    acknowledge(m, invite, end == ANSWERED);
}

static void ends_call(struct model *m)
{
    enum sipws_role who = tape_chance(m->t, 128) ? SIPWS_SERVER : SIPWS_CLIENT;
    if (!m->call.open)
        return;
    struct gen_dialog_step *bye = request(m, who, &m->call, "BYE", NULL, NULL, false);
    (void)response(m, bye, &m->call, 200, "OK");
    m->call.open = false;
}

static void notifies(struct model *m, bool ends)
{
    bool full = tape_chance(m->t, 128);
    struct gen_dialog_step *s =
        request(m, SIPWS_SERVER, &m->subscription, "NOTIFY", NULL, NULL, false);
    contact(m, s);
    add(s, "Event", 'o', text(m, "presence"));
    add(s, "Subscription-State", '\0',
        text(m, "%s", ends ? "terminated;reason=timeout" : "active;expires=299"));
    if (full)
        body(m, s, "application/pidf+xml", pidf);
    (void)response(m, s, &m->subscription, 200, "OK");
}

/* To begin, to refresh or to end a subscription; or just a notification of one. */
static void subscribes(struct model *m)
{
    bool only = tape_chance(m->t, 80) && m->subscription.open;
    bool ends = tape_chance(m->t, 80) && m->subscription.open && !only;
    if (!only) {
        bool again = m->subscription.open;
        if (!again)
            m->subscription = chat(m, SIPWS_CLIENT);
        struct gen_dialog_step *s = request(m, SIPWS_CLIENT, &m->subscription, "SUBSCRIBE",
                                            again ? NULL : "sip:bob@example.com", NULL, false);
        contact(m, s);
        add(s, "Event", 'o', text(m, "presence"));
        add(s, "Expires", '\0', text(m, "%d", ends ? 0 : 300));
        add(s, "Accept", '\0', text(m, "application/pidf+xml"));
        struct gen_dialog_step *ok = response(m, s, &m->subscription, 200, "OK");
        contact(m, ok);
        add(ok, "Expires", '\0', text(m, "%d", ends ? 0 : 300));
    }
    notifies(m, ends);
    m->subscription.open = !ends;
}

/* A request that changes nothing, within the call or outside of all dialogs. */
static void says(struct model *m, const char *method)
{
    enum sipws_role who = tape_chance(m->t, 100) ? SIPWS_SERVER : SIPWS_CLIENT;
    bool within = tape_chance(m->t, 100) && m->call.open;
    struct chat alone = {0};
    struct chat *c = within ? &m->call : &alone;
    if (!within)
        alone = chat(m, who);
    struct gen_dialog_step *s =
        request(m, who, c, method, within || who == SIPWS_SERVER ? NULL : "sip:bob@example.com",
                NULL, false);
    bool asks = strcmp(method, "OPTIONS") == 0;
    bool is_latin = tape_chance(m->t, 80); /* not UTF-8, so that it needs a binary message */
    if (asks)
        add(s, "Accept", '\0', text(m, "application/sdp"));
    else if (is_latin)
        body(m, s, "text/plain;charset=iso-8859-1", latin);
    else
        body(m, s, "text/plain;charset=utf-8", hello);
    struct gen_dialog_step *ok = response(m, s, c, 200, "OK");
    if (asks)
        add(ok, "Allow", '\0', text(m, "INVITE, ACK, CANCEL, BYE, MESSAGE, NOTIFY"));
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Where things are in the text of a step. */
struct layout {
    struct sipws_str text;
    size_t name[GEN_DIALOG_LINES + 1], value[GEN_DIALOG_LINES + 1];
    size_t blank; /* the empty line */
};

static void put(struct sipws_out *o, const char *s)
{
    sipws_put(o, (struct sipws_str){s, strlen(s)});
}

static struct layout write_step(struct model *m, const struct gen_dialog_step *s)
{
    struct layout l = {0};
    struct sipws_out o = arena_begin(m->a);
    sipws_put(&o, s->start);
    sipws_put_lit(&o, "\r\n");
    for (size_t i = 0; i < s->lines_n; i++) {
        const struct gen_dialog_line *line = &s->lines[i];
        l.name[i] = o.n;
        if (s->compact && line->compact)
            sipws_put_char(&o, line->compact);
        else
            put(&o, line->name);
        sipws_put_lit(&o, ": ");
        l.value[i] = o.n;
        sipws_put(&o, line->value);
        sipws_put_lit(&o, "\r\n");
    }
    l.blank = o.n;
    sipws_put_lit(&o, "\r\n");
    sipws_put(&o, s->body);
    l.text = arena_end(m->a, &o);
    return l;
}

/* The line of that name; lines_n: none. */
static size_t find(const struct gen_dialog_step *s, const char *name)
{
    size_t i = 0;
    while (i < s->lines_n && strcmp(s->lines[i].name, name) != 0)
        i++;
    return i;
}

/* ---- bends ----------------------------------------------------------------------------------- */

const char *gen_dialog_bend_name(enum gen_dialog_bend bend)
{
    static const char *const names[GEN_DIALOG_BENDS] = {
        "sound",
        "another method in CSeq",
        "a response without a tag in To",
        "no tag in From",
        "Via of the other WebSocket transport",
        "Via over UDP",
        "another Content-Length",
        "Call-ID twice",
        "a request without Max-Forwards",
        "no Call-ID",
        "a 401 without a challenge",
        "two messages in one",
        "one message in two",
    };
    return names[bend];
}

static bool bendable(const struct gen_dialog *d, size_t i, enum gen_dialog_bend bend)
{
    const struct gen_dialog_step *s = &d->steps[i], *next = s + 1;
    bool counted = find(s, "Content-Length") < s->lines_n;
    if (s->what != GEN_DIALOG_SIP)
        return false;
    switch (bend) {
    case GEN_DIALOG_CSEQ_METHOD:
    case GEN_DIALOG_NO_HOPS:
        return s->status == 0;
    case GEN_DIALOG_TO_TAG:
        return s->status > 100;
    case GEN_DIALOG_LENGTH:
        return counted;
    case GEN_DIALOG_NO_CHALLENGE:
        return s->status == 401;
    case GEN_DIALOG_GLUED: /* where nobody can take the second for the body of the first */
        return i + 1 < d->n && next->what == GEN_DIALOG_SIP && next->from == s->from &&
               (counted || s->body.n == 0);
    case GEN_DIALOG_SOUND:
    case GEN_DIALOG_FROM_TAG:
    case GEN_DIALOG_VIA_OTHER:
    case GEN_DIALOG_VIA_UDP:
    case GEN_DIALOG_TWICE:
    case GEN_DIALOG_NO_CALL_ID:
    case GEN_DIALOG_HALVES:
    case GEN_DIALOG_BENDS:
        break;
    }
    return true;
}

static void refused(struct gen_dialog_part *p, struct sipws_str octets, enum sipws_err err,
                    size_t off)
{
    *p = (struct gen_dialog_part){
        .text = octets, .want = GEN_DIALOG_REFUSED, .err = err, .off = off};
}

/* The part of a message behind a cut: it starts like no start line. */
static void rest(struct gen_dialog_part *p, struct sipws_str octets)
{
    size_t n = 0;
    while (n < octets.n && !strchr(":=<\xC2\xBF", octets.p[n]))
        n++;
    if (octets.n == 2) /* the empty line alone is the CRLF of RFC 5626 */
        *p = (struct gen_dialog_part){.text = octets, .want = GEN_DIALOG_KEEPALIVE};
    else if (octets.p && octets.p[0] == '\r')
        refused(p, octets, SIPWS_E_LEADING_CRLF, 0);
    else
        refused(p, octets, SIPWS_E_METHOD, n);
    p->unreadable = true;
}

/* Behind the start line, behind any header field, or in front of the body. */
static void halve(struct model *m, struct gen_dialog_step *s, const struct layout *l, unsigned pick)
{
    bool splits_body = s->body.n > 0 && find(s, "Content-Length") < s->lines_n && pick % 4 == 0;
    size_t line = pick / 4 % (s->lines_n + 1);
    size_t cut = splits_body ? l->blank + 2 : line == s->lines_n ? l->blank : l->name[line];
    struct sipws_str front = arena_copy(m->a, sipws_slice(l->text.p, l->text.p + cut));
    struct sipws_str back = arena_copy(m->a, sipws_slice(l->text.p + cut, l->text.p + l->text.n));
    if (splits_body)
        refused(&s->parts[0], front, SIPWS_E_BODY_LENGTH, l->value[find(s, "Content-Length")]);
    else
        refused(&s->parts[0], front, SIPWS_E_NO_BLANK_LINE, cut);
    s->parts[0].unreadable = !splits_body;
    rest(&s->parts[1], back);
    s->n = 2;
}

static struct sipws_str cut_tag(struct sipws_str value)
{
    size_t n = value.n;
    while (n > 0 && value.p[n - 1] != ';')
        n--;
    return (struct sipws_str){value.p, n > 0 ? n - 1 : 0};
}

static void remove_line(struct gen_dialog_step *s, size_t i)
{
    s->lines_n--;
    memmove(&s->lines[i], &s->lines[i + 1], (s->lines_n - i) * sizeof s->lines[0]);
}

static void bend_step(struct model *m, struct gen_dialog_step *s, enum gen_dialog_bend bend,
                      unsigned pick)
{
    struct gen_dialog_step b = *s; /* what is written instead */
    size_t via = find(s, "Via"), from = find(s, "From"), to = find(s, "To");
    size_t cseq = find(s, "CSeq"), length = find(s, "Content-Length"), call = find(s, "Call-ID");
    bool options = strcmp(s->method, "OPTIONS") == 0;
    struct layout l;
    struct gen_dialog_part *p = &s->parts[0];
    s->n = 1;
    switch (bend) {
    case GEN_DIALOG_CSEQ_METHOD:
        b.lines[cseq].value = text(m, "%u %s", (unsigned)s->cseq, options ? "options" : "OPTIONS");
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_CSEQ_METHOD,
                l.value[cseq] + b.lines[cseq].value.n - strlen("OPTIONS"));
        return;
    case GEN_DIALOG_TO_TAG:
        b.lines[to].value = cut_tag(s->lines[to].value);
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_TAG_MISSING, l.value[to] + b.lines[to].value.n);
        return;
    case GEN_DIALOG_FROM_TAG:
        b.lines[from].value = cut_tag(s->lines[from].value);
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_TAG_MISSING, l.value[from] + b.lines[from].value.n);
        return;
    case GEN_DIALOG_VIA_OTHER:
    case GEN_DIALOG_VIA_UDP:
        b.lines[via].value = text(m, "SIP/2.0/%s k3f9.invalid;branch=%.*s",
                                  bend == GEN_DIALOG_VIA_UDP ? "UDP"
                                  : m->d->tls                ? "WS"
                                                             : "WSS",
                                  SLICE(s->branch));
        l = write_step(m, &b);
        refused(p, l.text, bend == GEN_DIALOG_VIA_UDP ? SIPWS_E_VIA_NOT_WS : SIPWS_E_VIA_TRANSPORT,
                l.value[via] + strlen("SIP/2.0/"));
        return;
    case GEN_DIALOG_LENGTH:
        b.lines[length].value =
            text(m, "%llu",
                 (unsigned long long)s->body.n + (pick % 3 == 0   ? 1u
                                                  : pick % 3 == 1 ? 1ull << 32
                                                                  : s->body.n + 7u));
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_BODY_LENGTH, l.value[length]);
        return;
    case GEN_DIALOG_TWICE:
        add(&b, "Call-ID", 'i', pick & 1 ? s->call_id : text(m, "another"));
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_DOUBLE_FIELD, l.name[b.lines_n - 1]);
        return;
    case GEN_DIALOG_NO_HOPS:
    case GEN_DIALOG_NO_CALL_ID:
    case GEN_DIALOG_NO_CHALLENGE:
        remove_line(&b, bend == GEN_DIALOG_NO_HOPS      ? find(s, "Max-Forwards")
                        : bend == GEN_DIALOG_NO_CALL_ID ? call
                                                        : find(s, "WWW-Authenticate"));
        l = write_step(m, &b);
        refused(p, l.text, SIPWS_E_MISSING_FIELD, l.blank);
        return;
    case GEN_DIALOG_GLUED: {
        l = write_step(m, s);
        struct sipws_str second = write_step(m, s + 1).text;
        struct sipws_out o = arena_begin(m->a);
        sipws_put(&o, l.text);
        sipws_put(&o, second);
        if (length < s->lines_n)
            refused(p, arena_end(m->a, &o), SIPWS_E_BODY_LENGTH, l.value[length]);
        else
            refused(p, arena_end(m->a, &o), SIPWS_E_BODY_TYPE, l.text.n);
        s[1].n = 0;
        return;
    }
    case GEN_DIALOG_HALVES:
        l = write_step(m, s);
        halve(m, s, &l, pick);
        return;
    case GEN_DIALOG_SOUND:
    case GEN_DIALOG_BENDS:
        return;
    }
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void act(struct model *m)
{
    switch (tape_below(m->t, 8)) {
    case 0:
        registers(m);
        break;
    case 1:
    case 2:
        invites(m);
        break;
    case 3:
        ends_call(m);
        break;
    case 4:
        subscribes(m);
        break;
    case 5:
        says(m, "MESSAGE");
        break;
    case 6:
        says(m, "OPTIONS");
        break;
    default:
        keepalive(m);
        break;
    }
}

enum { MOST_STEPS = 18 }; /* of one act, each with a keep-alive before it */

struct gen_dialog *gen_dialog(struct tape *t, struct arena *a)
{
    struct gen_dialog *d = arena_get(a, sizeof *d);
    struct model m = {.t = t, .a = a, .d = d};
    if (!d)
        return NULL;
    d->tls = tape_chance(t, 128);
    unsigned bend = tape_below(t, 2 * GEN_DIALOG_BENDS);
    unsigned where = tape_byte(t), pick = tape_byte(t);
    tape_begin(t, "act");
    act(&m);
    tape_end(t);
    while (d->n + MOST_STEPS <= GEN_DIALOG_STEPS && tape_next(t, "act", 8)) {
        act(&m);
        tape_end(t);
    }
    for (size_t i = 0; i < d->n; i++)
        if (d->steps[i].what == GEN_DIALOG_SIP && !tape_chance(t, 64))
            add(&d->steps[i], "Content-Length", 'l', text(&m, "%zu", d->steps[i].body.n));
    for (size_t i = 0; i < d->n; i++)
        if (d->steps[i].what == GEN_DIALOG_SIP) {
            d->steps[i].parts[0].text = write_step(&m, &d->steps[i]).text;
            d->steps[i].n = 1;
        }
    for (size_t k = 0; k < d->n && bend > 0 && bend < GEN_DIALOG_BENDS; k++)
        if (bendable(d, (where + k) % d->n, (enum gen_dialog_bend)bend)) {
            d->bend = (enum gen_dialog_bend)bend;
            d->bent = (where + k) % d->n;
            bend_step(&m, &d->steps[d->bent], d->bend, pick);
            break;
        }
    return a->full ? NULL : d;
}

void gen_dialog_explain(const struct gen_dialog *d, FILE *f)
{
    static const char *const names[] = {"server", "client"};
    fprintf(f, "  a conversation %s TLS; %s", d->tls ? "over" : "without",
            gen_dialog_bend_name(d->bend));
    if (d->bend != GEN_DIALOG_SOUND)
        fprintf(f, ": step %zu", d->bent);
    fputc('\n', f);
    for (size_t i = 0; i < d->n; i++) {
        const struct gen_dialog_step *s = &d->steps[i];
        if (s->what != GEN_DIALOG_SIP) {
            fprintf(f, "  %zu: the %s sends %s\n", i, names[s->from],
                    s->what == GEN_DIALOG_PING ? "a ping" : "CRLF CRLF");
            continue;
        }
        if (s->n == 0)
            fprintf(f, "  %zu: the %s sends nothing: it is in the step before\n", i,
                    names[s->from]);
        for (size_t k = 0; k < s->n; k++) {
            const struct gen_dialog_part *p = &s->parts[k];
            fprintf(f, "  %zu: the %s sends", i, names[s->from]);
            if (p->want == GEN_DIALOG_REFUSED)
                fprintf(f, ", to be refused for %s at %zu,", sipws_err_info(p->err)->id, p->off);
            fputc('\n', f);
            prop_octets(f, "      ", p->text);
        }
    }
}
