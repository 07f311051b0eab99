/* sipws connect: a small SIP WebSocket client, which says what it finds at each layer. */
#define _DEFAULT_SOURCE
#include "cli_net.h"

#include <stdlib.h>
#include <unistd.h>

enum { JOBS = 32 };

/* What is asked for, one after the other. */
struct job {
    enum { JOB_REGISTER, JOB_OPTIONS, JOB_SEND } kind;
    struct cli_file file; /* of JOB_SEND */
    struct sipws_uri aor; /* of JOB_REGISTER */
};

struct client {
    const struct cli_args *args;
    uv_loop_t loop;
    struct net *net;
    struct net_url url;
    struct sipws_http_ask ask;
    uv_timer_t timer;
    uint64_t patience; /* milliseconds, for each answer */
    struct job jobs[JOBS];
    size_t job_n, job; /* the one at hand */
    bool failed, trouble;
    char id[40], call_id[256]; /* of the request that is waited for */
    char text[NET_MESSAGE], more[512];
    struct sipws_field fields[NET_FIELDS];
};

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

/* An id out of 16 random octets, which starts as a branch does. */
static bool new_id(struct client *c)
{
    unsigned char octets[16];
    if (getentropy(octets, sizeof octets) != 0)
        return false;
    int n = snprintf(c->id, sizeof c->id, "z9hG4bK");
    for (size_t i = 0; i < sizeof octets; i++)
        c->id[n++] = "abcdefghijklmnop"[octets[i] % 16];
    c->id[n] = '\0';
    return true;
}

static void finish(struct client *c, bool failed)
{
    c->failed = c->failed || failed;
    uv_timer_stop(&c->timer);
    net_close(c->net, SIPWS_CLOSE_NORMAL, "");
}

/* ---- requests -------------------------------------------------------------------------------- */

static struct sipws_build request(struct client *c, struct sipws_out *o, const char *method,
                                  const char *uri, const char *from, const char *to)
{
    char value[64];
    struct sipws_build b = sipws_build_request(o, str(method), str(uri), c->fields, NET_FIELDS);
    b.transport = c->url.tls ? SIPWS_TRANSPORT_WSS : SIPWS_TRANSPORT_WS;
    snprintf(value, sizeof value, "SIP/2.0/%s %s.invalid", c->url.tls ? "WSS" : "WS", c->id + 7);
    sipws_build_text(&b, SIPWS_F_VIA, str(value));
    sipws_build_param(&b, SIPWS_STR("branch"), str(c->id));
    sipws_build_number(&b, SIPWS_F_MAX_FORWARDS, 70);
    sipws_build_text(&b, SIPWS_F_FROM, str(from));
    sipws_build_param(&b, SIPWS_STR("tag"), str(c->id + 7));
    sipws_build_text(&b, SIPWS_F_TO, str(to));
    sipws_build_text(&b, SIPWS_F_CALL_ID, str(c->id));
    snprintf(value, sizeof value, "1 %s", method);
    sipws_build_text(&b, SIPWS_F_CSEQ, str(value));
    sipws_build_text(&b, SIPWS_F_USER_AGENT, SIPWS_STR("sipws/" SIPWS_VERSION));
    return b;
}

static bool put_options(struct client *c, struct sipws_out *o)
{
    char uri[320], to[330], from[64];
    snprintf(uri, sizeof uri, "sip:%s", c->url.authority);
    snprintf(to, sizeof to, "<%s>", uri);
    snprintf(from, sizeof from, "<sip:%s.invalid>", c->id + 7);
    struct sipws_build b = request(c, o, "OPTIONS", uri, from, to);
    return sipws_build_end(&b, SIPWS_STR(""));
}

static bool put_register(struct client *c, struct sipws_out *o, const struct sipws_uri *aor)
{
    char uri[320], name[1024], contact[128];
    snprintf(uri, sizeof uri, "%s:%.*s", aor->scheme == SIPWS_SCHEME_SIPS ? "sips" : "sip",
             (int)aor->host.text.n, aor->host.text.p);
    snprintf(name, sizeof name, "<%.*s>", (int)aor->text.n, aor->text.p);
    snprintf(contact, sizeof contact, "<%s:%s.invalid;transport=ws>;expires=60",
             aor->scheme == SIPWS_SCHEME_SIPS ? "sips" : "sip", c->id + 7);
    struct sipws_build b = request(c, o, "REGISTER", uri, name, name);
    sipws_build_text(&b, SIPWS_F_CONTACT, str(contact));
    sipws_build_text(&b, SIPWS_F_SUPPORTED, SIPWS_STR("path, outbound"));
    return sipws_build_end(&b, SIPWS_STR(""));
}

/* The Call-ID of what is sent, so that its answer is known. False: it expects none. */
static bool expects_answer(struct client *c, struct sipws_str text)
{
    struct sipws_msg m;
    struct sipws_value v;
    struct sipws_diag d;
    struct sipws_report r = sipws_report(&d, 1);
    if (!sipws_msg_parse(text, 0, c->fields, NET_FIELDS, &m, &r) || !m.is_request ||
        m.method == SIPWS_M_ACK || !sipws_msg_first(&m, SIPWS_F_CALL_ID, &v))
        return false;
    snprintf(c->call_id, sizeof c->call_id, "%.*s", (int)v.call_id.n, v.call_id.p);
    return true;
}

static void late(uv_timer_t *timer)
{
    struct client *c = timer->data;
    fputs("no final answer came in time\n", stderr);
    finish(c, true);
}

/* Starts the next job, or ends. */
static void next(struct client *c)
{
    for (; c->job < c->job_n; c->job++) {
        struct job *j = &c->jobs[c->job];
        struct sipws_out o = sipws_out(c->text, sizeof c->text);
        struct sipws_str text = {j->file.p, j->file.n};
        struct sipws_diag d = {SIPWS_OK, 0, NULL, NULL};
        if (j->kind != JOB_SEND) {
            bool ok = new_id(c) &&
                      (j->kind == JOB_OPTIONS ? put_options(c, &o) : put_register(c, &o, &j->aor));
            if (!ok) {
                fputs("the request cannot be built\n", stderr);
                finish(c, true);
                return;
            }
            text = sipws_out_str(&o);
        }
        bool waits = expects_answer(c, text);
        if (!net_send(c->net, text, &d)) {
            fprintf(stderr, "not sent, octet %zu: %s\n", d.off, sipws_err_info(d.err)->text);
            finish(c, true);
            return;
        }
        if (waits) {
            uv_timer_start(&c->timer, late, c->patience, 0);
            return;
        }
    }
    finish(c, false);
}

/* ---- what comes ------------------------------------------------------------------------------ */

static void opened(struct client *c)
{
    static const char *const known[] = {"unknown", "no", "yes"};
    if (c->net->tls)
        fprintf(stderr,
                "TLS: %s; the certificate stands for the web server %s: %s; for the SIP domain: "
                "%s\n",
                sipws_tls_version(c->net->tls), c->url.host,
                known[sipws_tls_server_ok(c->net->tls, c->url.host)],
                known[sipws_tls_domain_ok(c->net->tls, str(c->url.host))]);
    fputs("WebSocket: open, subprotocol sip\n", stderr);
}

static void message(struct client *c, const struct sipws_msg *m)
{
    struct sipws_value v;
    printf("%.*s%s", (int)m->text.n, m->text.p, m->body.n ? "\n" : "");
    cli_flush();
    if (m->is_request || m->status < 200 || !sipws_msg_first(m, SIPWS_F_CALL_ID, &v) ||
        !sipws_str_eq(v.call_id, str(c->call_id)))
        return;
    uv_timer_stop(&c->timer);
    c->call_id[0] = '\0';
    c->failed = c->failed || m->status > 299;
    c->job++;
}

static void refused(const struct sipws_event *ev)
{
    const struct sipws_err_info *info = sipws_err_info(ev->diag.err);
    fprintf(stderr, "%s, octet %zu: %s [%s]\n  by %s, RFC %s\n",
            ev->kind == SIPWS_EV_FAILED ? "the connection failed" : "a message is refused",
            ev->diag.off, info->text, info->id, ev->diag.rule ? ev->diag.rule : "",
            ev->diag.rfc ? ev->diag.rfc : "");
    if (ev->diag.err == SIPWS_E_HTTP_STATUS && ev->http)
        fprintf(stderr, "  the server answered %u %.*s\n", ev->http->status,
                (int)ev->http->reason.n, ev->http->reason.p);
}

static void step(uv_timer_t *timer)
{
    next(timer->data);
}

static void event(struct net *n, struct sipws_io *io, const struct sipws_event *ev)
{
    struct client *c = n->owner;
    size_t job = c->job;
    (void)io;
    switch (ev->kind) {
    case SIPWS_EV_OPEN:
        opened(c);
        uv_timer_start(&c->timer, step, 0, 0); /* behind this event */
        break;
    case SIPWS_EV_MESSAGE:
        message(c, ev->msg);
        if (c->job > job)
            uv_timer_start(&c->timer, step, 0, 0);
        break;
    case SIPWS_EV_REFUSED:
    case SIPWS_EV_FAILED:
        refused(ev);
        c->failed = true;
        if (ev->kind == SIPWS_EV_FAILED)
            c->trouble = true;
        break;
    case SIPWS_EV_CLOSED:
        if (c->job < c->job_n) {
            fprintf(stderr, "the server closed with %u %.*s\n", ev->code, (int)ev->data.n,
                    ev->data.p);
            c->failed = true;
        }
        break;
    case SIPWS_EV_REQUEST:
    case SIPWS_EV_KEEPALIVE:
    case SIPWS_EV_PING:
    case SIPWS_EV_PONG:
    case SIPWS_EV_MORE:
    case SIPWS_EV_FULL:
        break;
    }
}

static void gone(struct net *n, const char *why)
{
    struct client *c = n->owner;
    if (why) {
        fprintf(stderr, "%s\n", why);
        c->trouble = true;
    }
    uv_close((uv_handle_t *)&c->timer, NULL);
}

static void connected(uv_connect_t *req, int status)
{
    struct client *c = req->data;
    if (status < 0)
        net_drop(c->net, uv_strerror(status));
    else
        net_start(c->net, &c->ask);
}

/* ---- the program ----------------------------------------------------------------------------- */

static const char usage[] =
    "usage: sipws connect [OPTION]... URL\n"
    "Opens a SIP WebSocket connection (RFC 7118), sends what is asked for, one request after the\n"
    "other's final answer, and closes. Messages that come go to standard output, all else to\n"
    "standard error. Without a request it tells whether the connection opens.\n"
    "  --options        ask the server for its capabilities\n"
    "  --register AOR   register sip:user@domain for a minute\n"
    "  --send FILE      send the message in FILE; its line structure must be sound\n"
    "  --origin ORIGIN  as the page of a browser would: https://www.example.org\n"
    "  --ca FILE        trust these authorities, PEM (default: those of the system)\n"
    "  --cert FILE      a certificate to show, with its key, PEM\n"
    "  --any-cert       go on with a certificate that is not good; what is wrong is told\n"
    "  --timeout N      seconds to wait for each answer (default 10)\n"
    "  --anywhere       go to addresses other than loopback\n"
    "URL is ws://HOST[:PORT][/PATH] or wss://…\n"
    "Exit status: 0 all was answered by 2xx, 1 not, 2 wrong use, or no connection.\n";

struct setting {
    const char *url;
    const char *origin;
    struct sipws_tls_config tls;
    bool anywhere;
};

/* False: told. */
static bool add_job(struct cli_args *a, struct client *c, int key)
{
    struct job *j = &c->jobs[c->job_n];
    if (c->job_n == JOBS) {
        cli_misuse(a, "there may be %d requests", JOBS);
        return false;
    }
    j->kind = key == 'o' ? JOB_OPTIONS : key == 'r' ? JOB_REGISTER : JOB_SEND;
    c->job_n++;
    if (key == 's')
        return cli_load(a, a->value, NET_MESSAGE, &j->file);
    if (key == 'o')
        return true;
    struct sipws_cur cur = sipws_cur(str(a->value), NULL);
    if (sipws_uri(&cur, SIPWS_URI_WHOLE, &j->aor) && cur.p == cur.end && j->aor.user.p &&
        j->aor.scheme != SIPWS_SCHEME_OTHER && j->aor.text.n < 1000)
        return true;
    cli_misuse(a, "--register wants an address-of-record: sip:user@domain");
    return false;
}

static bool option(struct cli_args *a, int key, struct client *c, struct setting *set)
{
    size_t seconds;
    switch (key) {
    case CLI_OPERAND:
        if (set->url) {
            cli_misuse(a, "there is one URL");
            return false;
        }
        set->url = a->value;
        return net_url(a, a->value, &c->url);
    case 'w':
        set->origin = a->value;
        return true;
    case 'a':
        set->tls.ca = a->value;
        return true;
    case 'c':
        set->tls.cert = a->value;
        return true;
    case 'y':
        set->tls.any_peer = true;
        return true;
    case 'A':
        set->anywhere = true;
        return true;
    case 't':
        if (!cli_size(a, a->value, &seconds))
            return false;
        c->patience = seconds * 1000;
        return true;
    default:
        return add_job(a, c, key);
    }
}

static void run_client(struct client *c, const struct setting *set)
{
    struct sipws_conn_config config = {.role = SIPWS_CLIENT, .times = SIPWS_TIMES_DEFAULT};
    struct sipws_tls_context *context = NULL;
    struct sipws_tls *tls = NULL;
    struct sockaddr_storage address;
    uv_connect_t req = {.data = c};
    char why[160];
    c->trouble = !net_address(c->args, &c->loop, &c->url, set->anywhere, &address);
    if (!c->trouble && c->url.tls) {
        context = sipws_tls_context_new(&set->tls, why);
        tls = context ? sipws_tls_new(context, c->url.host) : NULL;
        c->trouble = !tls;
        if (!tls)
            cli_complain(c->args, set->url, context ? "out of memory" : why);
    }
    if (!c->trouble) {
        c->ask =
            (struct sipws_http_ask){.target = str(c->url.path),
                                    .host = str(c->url.authority),
                                    .origin = {set->origin, set->origin ? strlen(set->origin) : 0}};
        uv_timer_init(&c->loop, &c->timer);
        c->timer.data = c;
        c->net = net_new(&c->loop, &config, tls, event, gone, c);
        int r = uv_tcp_connect(&req, &c->net->tcp, (struct sockaddr *)&address, connected);
        if (r < 0)
            net_drop(c->net, uv_strerror(r));
        uv_run(&c->loop, UV_RUN_DEFAULT);
    }
    sipws_tls_context_free(context);
}

static int connect_to(struct cli_args *a)
{
    static const struct cli_option options[] = {
        {"--options", 'o', false},  {"--register", 'r', true},
        {"--send", 's', true},      {"--origin", 'w', true},
        {"--ca", 'a', true},        {"--cert", 'c', true},
        {"--any-cert", 'y', false}, {"--timeout", 't', true},
        {"--anywhere", 'A', false}, {NULL, 0, false}};
    struct client *c = cli_alloc(sizeof *c);
    struct setting set = {.tls = {.role = SIPWS_CLIENT}};
    memset(c, 0, sizeof *c);
    c->args = a;
    c->patience = 10000;
    int status = CLI_VALID;
    bool run = true;
    for (int key; run && (key = cli_next(a, options)) != CLI_END;) {
        run = key != CLI_STOP && option(a, key, c, &set);
        if (!run)
            status = key == CLI_STOP ? a->status : CLI_TROUBLE;
    }
    if (run && !set.url) {
        status = cli_misuse(a, "a URL is missing");
        run = false;
    }
    if (run) {
        uv_loop_init(&c->loop);
        run_client(c, &set);
        uv_loop_close(&c->loop);
        status = c->trouble ? CLI_TROUBLE : c->failed ? CLI_INVALID : CLI_VALID;
    }
    for (size_t i = 0; i < c->job_n; i++)
        free(c->jobs[i].file.p);
    free(c);
    return status;
}

const struct cli_command cli_connect = {"connect", "a small SIP WebSocket client", usage,
                                        connect_to};
