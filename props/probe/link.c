/* Sockets, by libuv. */
#define _POSIX_C_SOURCE 200809L
#include "link.h"

#include <stdlib.h>
#include <uv.h>

struct link {
    uv_loop_t loop;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct sockaddr_storage address;
    char why[160];
    bool up;      /* tcp is a handle of the loop */
    bool pending; /* a connect or write is under way */
    bool late, ended;
    int status; /* of what was under way */
    size_t n;
    char rx[65536];
};

struct link *link_new(void)
{
    struct link *l = calloc(1, sizeof *l);
    if (!l || uv_loop_init(&l->loop) != 0) {
        free(l);
        return NULL;
    }
    uv_timer_init(&l->loop, &l->timer);
    return l;
}

static void drop(struct link *l)
{
    if (l->up && !uv_is_closing((uv_handle_t *)&l->tcp))
        uv_close((uv_handle_t *)&l->tcp, NULL);
    uv_timer_stop(&l->timer);
    l->up = false;
    uv_run(&l->loop, UV_RUN_DEFAULT); /* closes the handle */
}

void link_free(struct link *l)
{
    drop(l);
    uv_close((uv_handle_t *)&l->timer, NULL);
    uv_run(&l->loop, UV_RUN_DEFAULT);
    uv_loop_close(&l->loop);
    free(l);
}

static bool is_loopback(const struct sockaddr *a)
{
    char text[64];
    if (uv_ip_name(a, text, sizeof text) != 0)
        return false;
    return strncmp(text, "127.", 4) == 0 || strcmp(text, "::1") == 0;
}

const char *link_resolve(struct link *l, const char *host, const char *port, bool remote)
{
    uv_getaddrinfo_t request;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *why = NULL;
    int status = uv_getaddrinfo(&l->loop, &request, NULL, host, port, &hints);
    if (status != 0)
        return uv_strerror(status);
    for (const struct addrinfo *i = request.addrinfo; i && !remote && !why; i = i->ai_next)
        if (!is_loopback(i->ai_addr))
            why =
                "it is no loopback address; whoever may send malformed octets there says --remote";
    if (!why)
        memcpy(&l->address, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    uv_freeaddrinfo(request.addrinfo);
    return why;
}

static void on_timer(uv_timer_t *timer)
{
    struct link *l = timer->data;
    l->late = true;
    uv_stop(timer->loop); /* else the loop would go on to wait for what may never come */
}

static void start_timer(struct link *l, unsigned ms)
{
    l->timer.data = l;
    l->late = false;
    uv_update_time(&l->loop);
    uv_timer_start(&l->timer, on_timer, ms, 0);
}

static void done(struct link *l, int status)
{
    l->status = status;
    l->pending = false;
}

static void on_connect(uv_connect_t *request, int status)
{
    done(request->data, status);
}

static void on_write(uv_write_t *request, int status)
{
    done(request->data, status);
}

/* Until what is under way has ended, or `ms` have passed. */
static bool finish(struct link *l, unsigned ms)
{
    start_timer(l, ms);
    while (l->pending && !l->late)
        uv_run(&l->loop, UV_RUN_ONCE);
    uv_timer_stop(&l->timer);
    return !l->pending && l->status == 0;
}

bool link_open(struct link *l, unsigned ms)
{
    drop(l);
    l->ended = false;
    l->pending = true;
    l->connect.data = l->write.data = l->tcp.data = l;
    uv_tcp_init(&l->loop, &l->tcp);
    l->up = true;
    if (uv_tcp_connect(&l->connect, &l->tcp, (struct sockaddr *)&l->address, on_connect) != 0)
        return false;
    uv_tcp_nodelay(&l->tcp, 1);
    return finish(l, ms);
}

bool link_send(struct link *l, struct sipws_str octets, unsigned ms)
{
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)octets.p, (unsigned)octets.n);
    if (octets.n == 0)
        return true;
    int sent = uv_try_write((uv_stream_t *)&l->tcp, &buf, 1);
    if (sent >= 0 && (size_t)sent == octets.n)
        return true;
    if (sent < 0 && sent != UV_EAGAIN)
        return false;
    buf.base += sent > 0 ? sent : 0;
    buf.len -= (size_t)(sent > 0 ? sent : 0);
    l->pending = true;
    return uv_write(&l->write, (uv_stream_t *)&l->tcp, &buf, 1, on_write) == 0 && finish(l, ms);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    (void)request, (void)status;
}

void link_end(struct link *l)
{
    uv_shutdown(&l->shutdown, (uv_stream_t *)&l->tcp, on_shutdown);
}

static void allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct link *l = handle->data;
    (void)suggested;
    *buf = uv_buf_init(l->rx, sizeof l->rx);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct link *l = stream->data;
    (void)buf;
    if (n > 0)
        l->n = (size_t)n;
    else if (n < 0)
        l->ended = true;
    if (n != 0)
        uv_read_stop(stream); /* what is in rx is read first */
}

enum link_got link_wait(struct link *l, unsigned ms, struct sipws_str *octets)
{
    l->n = 0;
    if (l->ended || uv_read_start((uv_stream_t *)&l->tcp, allocate, on_read) != 0)
        return LINK_ENDED;
    start_timer(l, ms);
    while (!l->late && l->n == 0 && !l->ended)
        uv_run(&l->loop, UV_RUN_ONCE);
    uv_timer_stop(&l->timer);
    uv_read_stop((uv_stream_t *)&l->tcp);
    *octets = (struct sipws_str){l->rx, l->n};
    return l->n ? LINK_OCTETS : l->ended ? LINK_ENDED : LINK_SILENT;
}

uint64_t link_now(void)
{
    return uv_hrtime() / 1000000;
}
