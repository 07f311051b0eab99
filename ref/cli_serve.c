/* sipws serve: a small SIP WebSocket server: registrar and proxy for those who are connected to it.
 *
 * It keeps no transactions and no dialogs. What it must remember about a message on its way, the
 * message carries: a token in Record-Route says between which two flows a dialog runs, the branch
 * of its Via says whence a request came (RFC 3261 16.11, RFC 5626 5.2). Each ends with a part of
 * a hash of a secret, so nobody makes one up.
 */
#define _DEFAULT_SOURCE
#include "cli_net.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

enum { ORIGINS = 16, LISTENERS = 8, MAC = 16, TOKEN = 64 };

struct server;

struct listener {
    uv_tcp_t tcp;
    struct server *server;
    struct net_url url;
};

/* One connection. */
struct flow {
    struct net *net;
    struct listener *listener;
    unsigned id;
    struct flow *next;
};

/* A Contact of an address-of-record, on the flow that registered it. */
struct binding {
    char *aor, *contact; /* URIs, canonical; one allocation with the struct */
    unsigned flow;
    uint64_t until; /* milliseconds of uv_now */
    struct binding *next;
};

struct server {
    const struct cli_args *args;
    uv_loop_t loop;
    uv_signal_t interrupt, terminate;
    struct listener listeners[LISTENERS];
    size_t listener_n;
    struct sipws_tls_context *tls;
    struct sipws_str origins[ORIGINS];
    size_t origin_n;
    size_t most; /* connections */
    bool once;   /* ends with the first connection */
    char secret[32];
    struct flow *flows;
    size_t flow_n;
    unsigned last_id;
    struct binding *bindings;
    char text[NET_MESSAGE], uri[2048], via[512], record[512];
    struct sipws_field fields[NET_FIELDS];
};

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static void tell(const struct flow *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One line to standard output. What comes from the peer is made visible. */
static void tell(const struct flow *f, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    char *visible = cli_visible(line);
    printf("flow %u: %s\n", f->id, visible);
    free(visible);
    cli_flush();
}

/* ---- flows, tokens --------------------------------------------------------------------------- */

static struct flow *flow_of(struct server *s, unsigned id)
{
    struct flow *f = s->flows;
    while (f && f->id != id)
        f = f->next;
    return f;
}

/* `stem` and a part of the hash of it and the secret. */
static bool seal(const struct server *s, const char *stem, char out[TOKEN])
{
    struct sipws_str parts[] = {{s->secret, sizeof s->secret}, str(stem)};
    char hash[SIPWS_HASH_MAX];
    if (!sipws_crypt_hash(SIPWS_SHA_256, parts, 2, hash))
        return false;
    return snprintf(out, TOKEN, "%s.%.*s", stem, MAC, hash) < TOKEN;
}

/* Two flows out of what seal made of "a_b", or one out of "a"; *b is 0 then. */
static bool unseal(const struct server *s, struct sipws_str text, unsigned *a, unsigned *b)
{
    char copy[TOKEN], stem[TOKEN], again[TOKEN];
    if (text.n >= sizeof copy)
        return false;
    snprintf(copy, sizeof copy, "%.*s", (int)text.n, text.p);
    *a = *b = 0;
    if (sscanf(copy, "%9u_%9u", a, b) < 1)
        return false;
    snprintf(stem, sizeof stem, *b > 0 ? "%u_%u" : "%u", *a, *b);
    return seal(s, stem, again) && sipws_crypt_eq(str(again), text);
}

/* ---- answers --------------------------------------------------------------------------------- */

/* Puts the parts of an answer that only this one has. */
typedef void more_fields(struct sipws_build *b, struct server *s, const struct sipws_msg *m);

static void no_more(struct sipws_build *b, struct server *s, const struct sipws_msg *m)
{
    (void)b, (void)s, (void)m;
}

static void answer(struct flow *f, struct sipws_io *io, const struct sipws_msg *m, unsigned status,
                   const char *reason, more_fields *more)
{
    struct server *s = f->listener->server;
    struct sipws_out o = sipws_out(s->text, sizeof s->text);
    char tag[SIPWS_HASH_MAX];
    struct sipws_value via;
    struct sipws_diag d;
    if (!m->is_request || m->method == SIPWS_M_ACK || !sipws_msg_first(m, SIPWS_F_VIA, &via))
        return;
    /* One tag for each transaction, its retransmissions and its CANCEL (RFC 3261 9.2, 19.3). */
    struct sipws_str parts[] = {{s->secret, sizeof s->secret}, SIPWS_STR("tag"), via.key};
    if (!sipws_crypt_hash(SIPWS_SHA_256, parts, 3, tag))
        return;
    struct sipws_build b = sipws_build_response_to(
        &o, m, status, str(reason), (struct sipws_str){tag, MAC}, s->fields, NET_FIELDS);
    sipws_build_text(&b, SIPWS_F_SERVER, SIPWS_STR("sipws/" SIPWS_VERSION));
    more(&b, s, m);
    bool built = sipws_build_end(&b, SIPWS_STR(""));
    bool sent = built && sipws_conn_send(&f->net->conn, io, sipws_out_str(&o), &d);
    /* A request that was refused may lack what an answer needs, or have no room for a tag. */
    if (sent)
        tell(f, "%.*s: %u %s", (int)m->method_name.n, m->method_name.p, status, reason);
    else
        tell(f, "%.*s: no answer: %s", (int)m->method_name.n, m->method_name.p,
             sipws_err_info(built ? d.err : b.diag.err)->text);
}

static void allow(struct sipws_build *b, struct server *s, const struct sipws_msg *m)
{
    (void)s, (void)m;
    sipws_build_text(b, SIPWS_F_ALLOW,
                     SIPWS_STR("ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, "
                               "REFER, REGISTER, SUBSCRIBE, UPDATE"));
    sipws_build_text(b, SIPWS_F_SUPPORTED, SIPWS_STR("outbound, path"));
}

/* ---- registrar (RFC 3261 10.3) --------------------------------------------------------------- */

/* Scheme, user and host, by which addresses-of-record are compared: canonical, and without port,
 * password, parameters and headers (10.3 step 5). False: no SIP URI, or too long. */
static bool aor_of(const struct sipws_uri *uri, char *out, size_t cap)
{
    struct sipws_uri bare = *uri;
    struct sipws_out o = sipws_out(out, cap - 1);
    bare.port = SIPWS_NO_PORT;
    bare.password.p = bare.params.p = bare.headers.p = NULL;
    bare.password.n = bare.params.n = bare.headers.n = 0;
    if (bare.scheme == SIPWS_SCHEME_SIPS)
        bare.scheme = SIPWS_SCHEME_SIP;
    sipws_uri_print(&o, &bare);
    if (uri->scheme == SIPWS_SCHEME_OTHER || !sipws_out_ok(&o))
        return false;
    out[o.n] = '\0';
    return true;
}

/* Forgets the bindings of an address (NULL: of all), on a flow (0: on all), and what has expired.
 */
static void unbind(struct server *s, const char *aor, unsigned flow, uint64_t now)
{
    for (struct binding **at = &s->bindings; *at;) {
        struct binding *b = *at;
        bool meant =
            (aor || flow) && (!aor || strcmp(b->aor, aor) == 0) && (!flow || b->flow == flow);
        if (meant || b->until <= now) {
            *at = b->next;
            free(b);
        } else {
            at = &b->next;
        }
    }
}

static struct binding *binding_of(struct server *s, const char *aor)
{
    unbind(s, NULL, 0, uv_now(&s->loop));
    struct binding *b = s->bindings;
    while (b && strcmp(b->aor, aor) != 0)
        b = b->next;
    return b;
}

static void bind_contact(struct server *s, const char *aor, const struct sipws_uri *contact,
                         unsigned flow, uint64_t until)
{
    size_t n = strlen(aor) + 1;
    struct binding *b = cli_alloc(sizeof *b + n + contact->text.n + 1);
    b->aor = (char *)(b + 1);
    b->contact = b->aor + n;
    memcpy(b->aor, aor, n);
    memcpy(b->contact, contact->text.p, contact->text.n);
    b->contact[contact->text.n] = '\0';
    b->flow = flow;
    b->until = until;
    b->next = s->bindings;
    s->bindings = b;
}

enum { EXPIRES = 600, EXPIRES_MOST = 3600 };

static uint64_t seconds_of(struct sipws_str text, uint64_t otherwise)
{
    uint64_t value;
    struct sipws_cur c = sipws_cur(text, NULL);
    if (!text.p || !sipws_number(&c, 0, UINT32_MAX, &value, "delta-seconds"))
        return otherwise;
    return value < EXPIRES_MOST ? value : EXPIRES_MOST;
}

static void bindings(struct sipws_build *b, struct server *s, const struct sipws_msg *m)
{
    struct sipws_value to;
    char aor[1024], value[2200];
    uint64_t now = uv_now(&s->loop);
    if (!sipws_msg_first(m, SIPWS_F_TO, &to) || !aor_of(&to.addr.uri, aor, sizeof aor))
        return;
    for (struct binding *x = s->bindings; x; x = x->next) {
        if (strcmp(x->aor, aor) != 0 || x->until <= now)
            continue;
        snprintf(value, sizeof value, "<%.2000s>;expires=%u", x->contact,
                 (unsigned)((x->until - now + 999) / 1000));
        sipws_build_text(b, SIPWS_F_CONTACT, str(value));
    }
}

/* Each flow has one binding of an address at most: a new one takes its place. */
static void register_contacts(struct flow *f, struct sipws_io *io, const struct sipws_msg *m)
{
    struct server *s = f->listener->server;
    struct sipws_value to, v;
    char aor[1024];
    uint64_t now = uv_now(&s->loop), otherwise = EXPIRES;
    if (!sipws_msg_first(m, SIPWS_F_TO, &to) || !aor_of(&to.addr.uri, aor, sizeof aor)) {
        answer(f, io, m, 404, "No Address of Record", no_more);
        return;
    }
    if (sipws_msg_first(m, SIPWS_F_EXPIRES, &v))
        otherwise = v.number.value < EXPIRES_MOST ? v.number.value : EXPIRES_MOST;
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id != SIPWS_F_CONTACT)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        for (bool more = sipws_value_first(&c, SIPWS_F_CONTACT, &v); more;
             more = sipws_value_next(&c, SIPWS_F_CONTACT, &v)) {
            struct sipws_param expires = {{NULL, 0}, {NULL, 0}};
            if (v.kind == SIPWS_K_STAR) {
                unbind(s, aor, 0, now);
                continue;
            }
            unbind(s, aor, f->id, now);
            sipws_param_find(v.params, SIPWS_STR("expires"), &expires);
            uint64_t seconds = seconds_of(expires.value, otherwise);
            if (seconds > 0)
                bind_contact(s, aor, &v.addr.uri, f->id, now + seconds * 1000);
        }
    }
    answer(f, io, m, 200, "OK", bindings);
}

/* ---- proxy (RFC 3261 16) --------------------------------------------------------------------- */

/* Sends a changed message on another flow. False: *d says why not. */
static bool pass_on(struct flow *from, struct flow *to, const struct sipws_msg *m,
                    const struct sipws_rewrite *how, struct sipws_diag *d)
{
    struct server *s = from->listener->server;
    struct sipws_out o = sipws_out(s->text, sizeof s->text);
    bool ok = sipws_rewrite(&o, m, how, d) && net_send(to->net, sipws_out_str(&o), d);
    if (ok && m->is_request)
        tell(from, "%.*s: to flow %u", (int)m->method_name.n, m->method_name.p, to->id);
    else if (ok)
        tell(from, "%u: to flow %u", m->status, to->id);
    return ok;
}

static void pass_response(struct flow *f, const struct sipws_msg *m)
{
    struct server *s = f->listener->server;
    struct sipws_value via;
    struct sipws_diag d = {SIPWS_OK, 0, NULL, NULL};
    unsigned a, b;
    const char *dot;
    if (!sipws_msg_first(m, SIPWS_F_VIA, &via) || !via.key.p ||
        !(dot = memchr(via.key.p, '-', via.key.n)) ||
        !unseal(s, sipws_slice(dot + 1, via.key.p + via.key.n), &a, &b)) {
        tell(f, "%u: dropped: its top Via is none of ours", m->status);
        return;
    }
    struct flow *to = flow_of(s, a);
    struct sipws_rewrite how = {.pop_via = true};
    if (!to || !pass_on(f, to, m, &how, &d))
        tell(f, "%u: dropped: %s", m->status,
             to ? sipws_err_info(d.err)->text : "the flow is gone");
}

/* The branch is the same for all that belongs to one transaction, as CANCEL and retransmissions
 * must take the same way (RFC 3261 16.11). */
static bool put_via(struct server *s, const struct flow *from, const struct flow *to,
                    const struct sipws_msg *m, struct sipws_str *via)
{
    struct sipws_value top;
    char stem[16], back[TOKEN], hash[SIPWS_HASH_MAX];
    if (!sipws_msg_first(m, SIPWS_F_VIA, &top))
        return false;
    struct sipws_str parts[] = {{s->secret, sizeof s->secret}, top.key};
    snprintf(stem, sizeof stem, "%u", from->id);
    if (!seal(s, stem, back) || !sipws_crypt_hash(SIPWS_SHA_256, parts, 2, hash))
        return false;
    int n = snprintf(s->via, sizeof s->via, "SIP/2.0/%s %s;branch=z9hG4bK%.16s-%s",
                     to->net->tls ? "WSS" : "WS", to->listener->url.authority, hash, back);
    *via = (struct sipws_str){s->via, (size_t)n};
    return n > 0 && (size_t)n < sizeof s->via;
}

static bool starts_dialog(const struct sipws_msg *m)
{
    return m->method == SIPWS_M_INVITE || m->method == SIPWS_M_SUBSCRIBE ||
           m->method == SIPWS_M_REFER || m->method == SIPWS_M_NOTIFY;
}

/* The flow that a request goes to, and what changes on the way. A status: it goes nowhere. */
static unsigned target(struct flow *f, const struct sipws_msg *m, struct flow **to,
                       struct sipws_rewrite *how)
{
    struct server *s = f->listener->server;
    struct sipws_value route;
    unsigned a, b;
    char aor[1024], stem[32], token[TOKEN];
    if (sipws_msg_first(m, SIPWS_F_ROUTE, &route) && route.addr.uri.user.p) {
        if (!unseal(s, route.addr.uri.user, &a, &b) || (f->id != a && f->id != b))
            return 403;
        how->pop_route = true;
        *to = flow_of(s, f->id == a ? b : a);
        return *to ? 0 : 430;
    }
    how->pop_route = sipws_msg_find(m, SIPWS_F_ROUTE) != NULL; /* of us, without a token */
    if (!aor_of(&m->uri, aor, sizeof aor))
        return 416;
    struct binding *x = binding_of(s, aor);
    if (!x || !(*to = flow_of(s, x->flow)))
        return 404;
    snprintf(s->uri, sizeof s->uri, "%s", x->contact);
    how->uri = str(s->uri);
    if (starts_dialog(m)) {
        snprintf(stem, sizeof stem, "%u_%u", f->id, (*to)->id);
        if (!seal(s, stem, token))
            return 500;
        snprintf(s->record, sizeof s->record, "<sip:%s@%s;transport=ws;lr>", token,
                 f->listener->url.authority);
        how->record_route = str(s->record);
    }
    return 0;
}

static const char *reason_of(unsigned status)
{
    return status == 403   ? "No Such Route"
           : status == 404 ? "Not Registered Here"
           : status == 416 ? "Unsupported URI Scheme"
           : status == 430 ? "Flow Failed"
           : status == 483 ? "Too Many Hops"
                           : "Server Error";
}

static void pass_request(struct flow *f, struct sipws_io *io, const struct sipws_msg *m)
{
    struct server *s = f->listener->server;
    struct flow *to = NULL;
    struct sipws_rewrite how = {.forward = true};
    struct sipws_diag d = {SIPWS_OK, 0, NULL, NULL};
    unsigned status = target(f, m, &to, &how);
    if (status == 0 && to == f)
        status = 404; /* nobody calls himself over one connection */
    if (status == 0 && !put_via(s, f, to, m, &how.via))
        status = 500;
    if (status == 0 && !pass_on(f, to, m, &how, &d))
        status = d.err == SIPWS_E_NUMBER_RANGE ? 483 : 500;
    if (status != 0)
        answer(f, io, m, status, reason_of(status), no_more);
}

static void message(struct flow *f, struct sipws_io *io, const struct sipws_msg *m)
{
    if (!m->is_request)
        pass_response(f, m);
    else if (m->method == SIPWS_M_REGISTER)
        register_contacts(f, io, m);
    else if (!m->uri.user.p && m->method == SIPWS_M_OPTIONS)
        answer(f, io, m, 200, "OK", allow);
    else
        pass_request(f, io, m);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void handshake(struct flow *f, struct sipws_io *io, const struct sipws_http *http)
{
    struct server *s = f->listener->server;
    bool ok = s->origin_n == 0;
    for (size_t i = 0; i < s->origin_n; i++)
        ok = ok || (http->origin.p && sipws_str_eq(http->origin, s->origins[i]));
    tell(f, "%.*s from %.*s: %s", (int)http->target.n, http->target.p,
         http->origin.p ? (int)http->origin.n : 12, http->origin.p ? http->origin.p : "no web page",
         ok ? "101" : "403, the Origin is not allowed");
    if (ok)
        sipws_conn_accept(&f->net->conn, io);
    else
        sipws_conn_refuse(&f->net->conn, io, 403, SIPWS_STR(""));
}

static void refused(struct flow *f, struct sipws_io *io, const struct sipws_event *ev)
{
    const struct sipws_err_info *info = sipws_err_info(ev->diag.err);
    tell(f, "refused at octet %zu: %s (%s, RFC %s)", ev->diag.off, info->text,
         ev->diag.rule ? ev->diag.rule : "", ev->diag.rfc ? ev->diag.rfc : "");
    if (ev->kind == SIPWS_EV_REFUSED && ev->msg && info->status >= 400)
        answer(f, io, ev->msg, info->status, "Refused", no_more);
}

static void event(struct net *n, struct sipws_io *io, const struct sipws_event *ev)
{
    struct flow *f = n->owner;
    switch (ev->kind) {
    case SIPWS_EV_REQUEST:
        handshake(f, io, ev->http);
        break;
    case SIPWS_EV_MESSAGE:
        message(f, io, ev->msg);
        break;
    case SIPWS_EV_REFUSED:
    case SIPWS_EV_FAILED:
        refused(f, io, ev);
        break;
    case SIPWS_EV_CLOSED:
        tell(f, "closed with %u", ev->code);
        break;
    case SIPWS_EV_KEEPALIVE:
        tell(f, "CRLF keep-alive");
        break;
    case SIPWS_EV_PING:
    case SIPWS_EV_PONG:
    case SIPWS_EV_MORE:
    case SIPWS_EV_FULL:
    case SIPWS_EV_OPEN:
        break;
    }
}

static void stop(struct server *s);

static void gone(struct net *n, const char *why)
{
    struct flow *f = n->owner, **at;
    struct server *s = f->listener->server;
    for (at = &s->flows; *at != f; at = &(*at)->next)
        ;
    *at = f->next;
    s->flow_n--;
    unbind(s, NULL, f->id, uv_now(&s->loop));
    tell(f, "gone%s%s", why ? ": " : "", why ? why : "");
    if (s->once)
        stop(s);
    free(f);
}

static void connected(uv_stream_t *stream, int status)
{
    struct listener *l = stream->data;
    struct server *s = l->server;
    if (status < 0)
        return;
    struct sipws_conn_config config = {.role = SIPWS_SERVER, .times = SIPWS_TIMES_DEFAULT};
    struct sipws_tls *tls = l->url.tls ? sipws_tls_new(s->tls, NULL) : NULL;
    struct flow *f = cli_alloc(sizeof *f);
    *f = (struct flow){.listener = l, .id = ++s->last_id, .next = s->flows};
    f->net = net_new(&s->loop, &config, tls, event, gone, f);
    s->flows = f;
    s->flow_n++;
    if (uv_accept(stream, (uv_stream_t *)&f->net->tcp) < 0 || (l->url.tls && !tls))
        net_drop(f->net, "it cannot be accepted");
    else if (s->flow_n > s->most)
        net_drop(f->net, "there are too many connections");
    else
        net_start(f->net, NULL);
}

/* ---- the program ----------------------------------------------------------------------------- */

static void stop(struct server *s)
{
    for (size_t i = 0; i < s->listener_n; i++)
        if (!uv_is_closing((uv_handle_t *)&s->listeners[i].tcp))
            uv_close((uv_handle_t *)&s->listeners[i].tcp, NULL);
    uv_signal_stop(&s->interrupt);
    uv_signal_stop(&s->terminate);
    s->once = false;
    for (struct flow *f = s->flows; f; f = f->next)
        net_close(f->net, SIPWS_CLOSE_AWAY, "the server ends");
}

static void interrupted(uv_signal_t *signal, int number)
{
    (void)number;
    stop(signal->data);
}

/* The port that the system chose where none was named. */
static void real_port(struct listener *l)
{
    struct sockaddr_storage name;
    int n = sizeof name;
    uv_tcp_getsockname(&l->tcp, (struct sockaddr *)&name, &n);
    l->url.port =
        ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&name)->sin6_port
                                         : ((struct sockaddr_in *)(void *)&name)->sin_port);
    bool v6 = strchr(l->url.host, ':') != NULL;
    snprintf(l->url.authority, sizeof l->url.authority, "%s%s%s:%u", v6 ? "[" : "", l->url.host,
             v6 ? "]" : "", l->url.port);
}

static bool listen_at(struct server *s, struct listener *l, bool anywhere)
{
    struct sockaddr_storage address;
    if (!net_address(s->args, &s->loop, &l->url, anywhere, &address))
        return false;
    uv_tcp_init(&s->loop, &l->tcp);
    l->tcp.data = l;
    l->server = s;
    s->listener_n++;
    int r = uv_tcp_bind(&l->tcp, (struct sockaddr *)&address, 0);
    if (r == 0)
        r = uv_listen((uv_stream_t *)&l->tcp, 128, connected);
    if (r < 0) {
        cli_complain(s->args, l->url.authority, uv_strerror(r));
        return false;
    }
    real_port(l);
    printf("listening on %s://%s\n", l->url.tls ? "wss" : "ws", l->url.authority);
    return cli_flush();
}

static bool start(struct server *s, const struct net_url *urls, size_t n, bool anywhere)
{
    for (size_t i = 0; i < n; i++) {
        s->listeners[i].url = urls[i];
        if (!listen_at(s, &s->listeners[i], anywhere))
            return false;
    }
    uv_signal_start(&s->interrupt, interrupted, SIGINT);
    uv_signal_start(&s->terminate, interrupted, SIGTERM);
    return true;
}

static const char usage[] =
    "usage: sipws serve [OPTION]...\n"
    "A small SIP WebSocket server (RFC 7118): registrar and proxy for those who are connected to\n"
    "it, without authentication. Tells what happens, a line each, until it is interrupted.\n"
    "  --listen URL     ws://HOST[:PORT] or wss://HOST[:PORT]; may be repeated; port 0: any\n"
    "                   that is free (default ws://127.0.0.1:8080)\n"
    "  --cert FILE      of wss: the certificate and its chain, PEM\n"
    "  --key FILE       its private key, PEM (default: in the file of --cert)\n"
    "  --client-ca FILE ask clients for a certificate of one of these authorities\n"
    "  --origin ORIGIN  the only web pages that may connect; may be repeated\n"
    "  --connections N  as many at a time (default 64)\n"
    "  --once           end when the first connection has ended\n"
    "  --anywhere       listen on addresses that others can reach too\n"
    "Exit status: 0 interrupted, 2 wrong use, or an address that cannot be listened on.\n";

struct setting {
    struct net_url urls[LISTENERS];
    size_t url_n;
    struct sipws_tls_config tls;
    bool anywhere;
};

/* False: told. */
static bool option(struct cli_args *a, int key, struct server *s, struct setting *set)
{
    switch (key) {
    case 'l':
        if (set->url_n == LISTENERS) {
            cli_misuse(a, "--listen may stand %d times", LISTENERS);
            return false;
        }
        return net_url(a, a->value, &set->urls[set->url_n++]);
    case 'o':
        if (s->origin_n == ORIGINS) {
            cli_misuse(a, "--origin may stand %d times", ORIGINS);
            return false;
        }
        s->origins[s->origin_n++] = str(a->value);
        return true;
    case 'n':
        return cli_size(a, a->value, &s->most);
    case 'c':
        set->tls.cert = a->value;
        return true;
    case 'k':
        set->tls.key = a->value;
        return true;
    case 'C':
        set->tls.ca = a->value;
        set->tls.ask = true;
        return true;
    case '1':
        s->once = true;
        return true;
    case 'a':
        set->anywhere = true;
        return true;
    default:
        cli_misuse(a, "there is nothing to be named but options");
        return false;
    }
}

static bool secure(struct server *s, const struct setting *set)
{
    char why[160];
    bool tls = false;
    for (size_t i = 0; i < set->url_n; i++)
        tls = tls || set->urls[i].tls;
    if (!tls)
        return true;
    s->tls = sipws_tls_context_new(&set->tls, why);
    if (!s->tls)
        cli_complain(s->args, "--listen wss://", why);
    return s->tls != NULL;
}

static int serve(struct cli_args *a)
{
    static const struct cli_option options[] = {
        {"--listen", 'l', true},    {"--cert", 'c', true},      {"--key", 'k', true},
        {"--client-ca", 'C', true}, {"--origin", 'o', true},    {"--connections", 'n', true},
        {"--once", '1', false},     {"--anywhere", 'a', false}, {NULL, 0, false}};
    struct server *s = cli_alloc(sizeof *s);
    struct setting *set = cli_alloc(sizeof *set);
    memset(s, 0, sizeof *s);
    memset(set, 0, sizeof *set);
    s->args = a;
    s->most = 64;
    set->tls.role = SIPWS_SERVER;
    int status = CLI_VALID;
    bool run = true;
    for (int key; run && (key = cli_next(a, options)) != CLI_END;) {
        run = key != CLI_STOP && option(a, key, s, set);
        if (!run)
            status = key == CLI_STOP ? a->status : CLI_TROUBLE;
    }
    if (run && set->url_n == 0)
        run = net_url(a, "ws://127.0.0.1:8080", &set->urls[set->url_n++]);
    if (run) {
        uv_loop_init(&s->loop);
        uv_signal_init(&s->loop, &s->interrupt);
        uv_signal_init(&s->loop, &s->terminate);
        s->interrupt.data = s->terminate.data = s;
        if (getentropy(s->secret, sizeof s->secret) != 0 || !secure(s, set) ||
            !start(s, set->urls, set->url_n, set->anywhere)) {
            status = CLI_TROUBLE;
            stop(s);
        }
        uv_run(&s->loop, UV_RUN_DEFAULT);
        uv_close((uv_handle_t *)&s->interrupt, NULL);
        uv_close((uv_handle_t *)&s->terminate, NULL);
        uv_run(&s->loop, UV_RUN_DEFAULT);
        uv_loop_close(&s->loop);
        unbind(s, NULL, 0, UINT64_MAX);
        sipws_tls_context_free(s->tls);
    }
    free(set);
    free(s);
    return status;
}

const struct cli_command cli_serve = {"serve", "a small SIP WebSocket server: registrar and proxy",
                                      usage, serve};
