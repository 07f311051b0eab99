/* sipws: sockets (libuv), TLS and the connection joined. */
#define _DEFAULT_SOURCE
#include "cli_net.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- addresses ------------------------------------------------------------------------------- */

static bool bad_url(const struct cli_args *a, const char *text, const char *problem)
{
    char *visible = cli_visible(text);
    cli_misuse(a, "'%s': %s", visible, problem);
    free(visible);
    return false;
}

bool net_url(const struct cli_args *a, const char *text, struct net_url *out)
{
    *out = (struct net_url){.tls = strncmp(text, "wss://", 6) == 0};
    if (!out->tls && strncmp(text, "ws://", 5) != 0)
        return bad_url(a, text, "a URL starts with ws:// or wss://");
    const char *p = text + (out->tls ? 6 : 5), *path = p + strcspn(p, "/?#");
    struct sipws_str rest = sipws_slice(p, path);
    struct sipws_cur c = sipws_cur(rest, NULL);
    struct sipws_host host;
    int32_t port;
    if (!sipws_hostport(&c, &host, &port) || c.p != c.end || host.text.n >= sizeof out->host)
        return bad_url(a, text, "behind :// stand a host and perhaps a port");
    if (strchr(path, '#'))
        return bad_url(a, text, "a WebSocket URI has no fragment (RFC 6455 3)");
    if (strlen(path) + 2 > sizeof out->path)
        return bad_url(a, text, "the path is too long");
    int standard = out->tls ? 443 : 80;
    out->port = port == SIPWS_NO_PORT ? (unsigned)standard : (unsigned)port;
    bool v6 = host.kind == SIPWS_HOST_IPV6;
    snprintf(out->host, sizeof out->host, "%.*s", (int)(host.text.n - (v6 ? 2 : 0)),
             host.text.p + (v6 ? 1 : 0));
    snprintf(out->path, sizeof out->path, "%s%s", *path == '/' ? "" : "/", path);
    if (port == SIPWS_NO_PORT || port == standard)
        snprintf(out->authority, sizeof out->authority, "%.*s", (int)host.text.n, host.text.p);
    else
        snprintf(out->authority, sizeof out->authority, "%.*s:%u", (int)host.text.n, host.text.p,
                 out->port);
    return true;
}

static bool is_loopback(const struct sockaddr *address)
{
    static const unsigned char v4[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 127};
    const unsigned char *in4 =
        (const unsigned char *)&((const struct sockaddr_in *)(const void *)address)->sin_addr;
    const unsigned char *in6 =
        (const unsigned char *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    static const unsigned char one[16] = {[15] = 1};
    if (address->sa_family == AF_INET)
        return in4[0] == 127;
    return memcmp(in6, one, 16) == 0 || memcmp(in6, v4, sizeof v4) == 0;
}

bool net_address(const struct cli_args *a, uv_loop_t *loop, const struct net_url *url,
                 bool anywhere, struct sockaddr_storage *out)
{
    char port[8];
    snprintf(port, sizeof port, "%u", url->port);
    struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    uv_getaddrinfo_t req;
    int r = uv_getaddrinfo(loop, &req, NULL, url->host, port, &want);
    if (r < 0) {
        cli_complain(a, url->host, uv_strerror(r));
        return false;
    }
    const struct addrinfo *found = req.addrinfo;
    bool ok = anywhere || is_loopback(found->ai_addr);
    memset(out, 0, sizeof *out);
    memcpy(out, found->ai_addr, found->ai_addrlen);
    uv_freeaddrinfo(req.addrinfo);
    if (!ok)
        cli_complain(a, url->host, "this is not a loopback address; --anywhere allows others");
    return ok;
}

/* ---- the end --------------------------------------------------------------------------------- */

static void closed(uv_handle_t *handle)
{
    struct net *n = handle->data;
    if (--n->handles > 0)
        return;
    n->gone(n, n->why[0] ? n->why : NULL);
    sipws_tls_free(n->tls);
    free(n);
}

void net_drop(struct net *n, const char *why)
{
    if (why && !n->why[0])
        snprintf(n->why, sizeof n->why, "%s", why);
    n->ended = true;
    if (!uv_is_closing((uv_handle_t *)&n->tcp)) {
        uv_close((uv_handle_t *)&n->tcp, closed);
        uv_close((uv_handle_t *)&n->timer, closed);
    }
}

static void shut(uv_shutdown_t *req, int status)
{
    (void)status;
    net_drop(req->data, NULL);
}

/* ---- out ------------------------------------------------------------------------------------- */

struct write {
    uv_write_t req;
    struct net *n;
    char p[];
};

static void written(uv_write_t *req, int status)
{
    struct write *w = (struct write *)(void *)req;
    if (status < 0 && status != UV_ECANCELED)
        net_drop(w->n, uv_strerror(status));
    free(w);
}

static void write_octets(struct net *n, const char *p, size_t size)
{
    enum { BEHIND = 1 << 22 }; /* of a peer that does not read */
    struct write *w = cli_alloc(sizeof *w + size);
    w->n = n;
    memcpy(w->p, p, size);
    uv_buf_t buf = uv_buf_init(w->p, (unsigned)size);
    int r = uv_write(&w->req, (uv_stream_t *)&n->tcp, &buf, 1, written);
    if (r < 0) {
        free(w);
        net_drop(n, uv_strerror(r));
    } else if (uv_stream_get_write_queue_size((uv_stream_t *)&n->tcp) > BEHIND) {
        net_drop(n, "the peer does not read");
    }
}

/* What TLS has for the peer. */
static void flush_tls(struct net *n)
{
    char octets[16384];
    size_t size;
    while (!uv_is_closing((uv_handle_t *)&n->tcp) &&
           (size = sipws_tls_take(n->tls, octets, sizeof octets)) > 0)
        write_octets(n, octets, size);
}

static void send_out(struct net *n, struct sipws_io *io)
{
    if (io->out.n > 0 && !n->tls)
        write_octets(n, io->out.p, io->out.n);
    else if (io->out.n > 0 && !sipws_tls_write(n->tls, io->out.p, io->out.n))
        net_drop(n, sipws_tls_why(n->tls));
    if (n->tls)
        flush_tls(n);
    io->out.n = 0;
}

/* Says goodbye on every layer, and ends when all is sent. */
static void finish(struct net *n)
{
    if (n->ended)
        return;
    n->ended = true;
    if (n->tls) {
        sipws_tls_close(n->tls);
        flush_tls(n);
    }
    n->shutdown.data = n;
    if (uv_shutdown(&n->shutdown, (uv_stream_t *)&n->tcp, shut) < 0)
        net_drop(n, NULL);
}

/* ---- the connection -------------------------------------------------------------------------- */

static struct sipws_io io_of(struct net *n)
{
    struct sipws_io io = {.out = sipws_out(n->tx, sizeof n->tx), .now = uv_now(n->tcp.loop)};
    if (n->conn.config.role == SIPWS_CLIENT && getentropy(io.random, sizeof io.random) != 0)
        net_drop(n, "there are no random octets");
    return io;
}

/* Tells an event. True: there may be more. */
static bool tell(struct net *n, struct sipws_io *io, const struct sipws_event *ev)
{
    if (ev->kind == SIPWS_EV_MORE)
        return false;
    if (ev->kind != SIPWS_EV_FULL)
        n->event(n, io, ev);
    send_out(n, io);
    if (ev->kind == SIPWS_EV_CLOSED || ev->kind == SIPWS_EV_FAILED)
        finish(n);
    return !n->ended;
}

static void tick(uv_timer_t *timer);

static void set_timer(struct net *n)
{
    uint64_t due = sipws_conn_due(&n->conn), now = uv_now(n->tcp.loop);
    if (n->ended || due == UINT64_MAX)
        uv_timer_stop(&n->timer);
    else
        uv_timer_start(&n->timer, tick, due > now ? due - now : 0, 0);
}

static void tick(uv_timer_t *timer)
{
    struct net *n = timer->data;
    struct sipws_io io = io_of(n);
    struct sipws_event ev;
    sipws_conn_tick(&n->conn, &io, &ev);
    send_out(n, &io);
    tell(n, &io, &ev);
    set_timer(n);
}

static void came(struct net *n, struct sipws_str octets)
{
    struct sipws_event ev;
    struct sipws_str left = octets;
    bool more = true;
    while (more && !n->ended) {
        struct sipws_io io = io_of(n); /* each event may send, so each has fresh random octets */
        io.in = left;
        sipws_conn_read(&n->conn, &io, &ev);
        left = io.in;
        more = tell(n, &io, &ev);
    }
}

static void ended(struct net *n)
{
    if (n->ended)
        return;
    struct sipws_io io = io_of(n);
    struct sipws_event ev;
    sipws_conn_end(&n->conn, &io, &ev);
    tell(n, &io, &ev);
    finish(n);
}

static void decrypt(struct net *n, const char *p, size_t size)
{
    char plain[16384];
    size_t got;
    if (!sipws_tls_feed(n->tls, p, size)) {
        net_drop(n, "out of memory");
        return;
    }
    enum sipws_tls_step step;
    while ((step = sipws_tls_read(n->tls, plain, sizeof plain, &got)) == SIPWS_TLS_DATA)
        came(n, (struct sipws_str){plain, got});
    flush_tls(n);
    if (step == SIPWS_TLS_END)
        ended(n);
    else if (step == SIPWS_TLS_FAILED)
        net_drop(n, sipws_tls_why(n->tls));
}

static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    *buf = uv_buf_init(cli_alloc(suggested), (unsigned)suggested);
}

static void start_client(struct net *n);

static void read_octets(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct net *n = stream->data;
    if (size > 0 && n->tls)
        decrypt(n, buf->base, (size_t)size);
    else if (size > 0)
        came(n, (struct sipws_str){buf->base, (size_t)size});
    else if (size == UV_EOF)
        ended(n);
    else if (size < 0)
        net_drop(n, uv_strerror((int)size));
    free(buf->base);
    start_client(n);
    if (!uv_is_closing((uv_handle_t *)&n->timer))
        set_timer(n);
}

/* ---- the start ------------------------------------------------------------------------------- */

struct net *net_new(uv_loop_t *loop, const struct sipws_conn_config *config, struct sipws_tls *tls,
                    net_event *event, net_gone *gone, void *owner)
{
    struct net *n = cli_alloc(sizeof *n);
    struct sipws_conn_config c = *config;
    n->tls = tls;
    n->event = event;
    n->gone = gone;
    n->owner = owner;
    n->ended = false;
    n->ask = NULL;
    n->why[0] = '\0';
    c.tls = tls != NULL;
    c.limits = SIPWS_LIMITS_DEFAULT;
    c.buf = n->buf;
    c.cap = sizeof n->buf;
    c.fields = n->fields;
    c.field_cap = NET_FIELDS;
    sipws_conn_init(&n->conn, &c, uv_now(loop));
    uv_tcp_init(loop, &n->tcp);
    uv_timer_init(loop, &n->timer);
    n->tcp.data = n->timer.data = n;
    n->handles = 2;
    return n;
}

/* A client's handshake starts when that of TLS is done. */
static void start_client(struct net *n)
{
    if (!n->ask || n->ended || (n->tls && !sipws_tls_open(n->tls)))
        return;
    struct sipws_io io = io_of(n);
    if (!sipws_conn_start(&n->conn, &io, n->ask))
        net_drop(n, "the handshake cannot be sent: the path or a header line is not sound");
    n->ask = NULL;
    send_out(n, &io);
}

void net_start(struct net *n, const struct sipws_http_ask *ask)
{
    n->ask = ask;
    int r = uv_read_start((uv_stream_t *)&n->tcp, alloc, read_octets);
    if (r < 0) {
        net_drop(n, uv_strerror(r));
        return;
    }
    if (n->tls)
        decrypt(n, NULL, 0); /* a client's first flight */
    start_client(n);
    set_timer(n);
}

bool net_send(struct net *n, struct sipws_str text, struct sipws_diag *diag)
{
    if (n->ended)
        return sipws_diag_set(diag, SIPWS_E_STATE, 0, "connection");
    struct sipws_io io = io_of(n);
    bool ok = sipws_conn_send(&n->conn, &io, text, diag);
    send_out(n, &io);
    return ok;
}

void net_close(struct net *n, unsigned code, const char *reason)
{
    struct sipws_io io = io_of(n);
    if (n->ended ||
        !sipws_conn_close(&n->conn, &io, code, (struct sipws_str){reason, strlen(reason)})) {
        net_drop(n, NULL);
        return;
    }
    send_out(n, &io);
    set_timer(n);
}
