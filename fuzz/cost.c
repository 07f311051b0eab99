#include "cost.h"
#include "conn.h"

#include <string.h>

enum { FIELDS = 256, DIAGS = 64, ROOM = 1 << 18 };

/* An input has this many octets more than it has: what a call costs at least is not its octets'. */
enum { FIXED = 32 };

const struct cost_bounds cost_bounds[COST_ENTRIES] = {
#define COST(name, floor, ceiling) {#name, floor, ceiling},
#include "cost.def"
#undef COST
};

uint64_t cost_steps;

/* What the compiler calls; CMakeLists.txt gives it this name. */
void sipws_step(void);
#if defined(__clang__)
__attribute__((no_sanitize("coverage", "address", "memory", "undefined")))
#endif
void sipws_step(void)
{
    cost_steps++;
}

/* ---- entries --------------------------------------------------------------------------------- */

static char room[ROOM];
static struct sipws_field fields[FIELDS];
static struct sipws_diag diags[DIAGS];
static struct sipws_msg msg;

static void run_uri(struct sipws_str s)
{
    struct sipws_cur c = sipws_cur(s, NULL);
    struct sipws_uri uri;
    struct sipws_out o = sipws_out(room, sizeof room);
    if (sipws_uri(&c, SIPWS_URI_WHOLE, &uri))
        sipws_uri_print(&o, &uri);
}

/* Two URIs with LF between them. */
static void run_uri_eq(struct sipws_str s)
{
    const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;
    struct sipws_uri a, b;
    if (!lf)
        return;
    struct sipws_cur c = sipws_cur(sipws_slice(s.p, lf), NULL);
    struct sipws_cur d = sipws_cur(sipws_slice(lf + 1, s.p + s.n), NULL);
    if (sipws_uri(&c, SIPWS_URI_WHOLE, &a) && sipws_uri(&d, SIPWS_URI_WHOLE, &b))
        (void)sipws_uri_eq(&a, &b);
}

/* The first octet is the header field. */
static void run_field(struct sipws_str s)
{
    if (s.n == 0)
        return;
    enum sipws_field_id id = (enum sipws_field_id)((unsigned char)s.p[0] % SIPWS_FIELD_COUNT);
    struct sipws_cur c = sipws_cur(sipws_slice(s.p + 1, s.p + s.n), NULL);
    struct sipws_value v;
    for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v)) {
        struct sipws_out o = sipws_out(room, sizeof room);
        sipws_value_print(&o, &v);
    }
}

static bool parse(struct sipws_str s, struct sipws_report *r)
{
    *r = sipws_report(diags, DIAGS);
    return sipws_msg_parse(s, 0, fields, FIELDS, &msg, r);
}

static void run_msg_parse(struct sipws_str s)
{
    struct sipws_report r;
    (void)parse(s, &r);
}

static void run_msg_check(struct sipws_str s)
{
    struct sipws_report r;
    if (parse(s, &r))
        (void)sipws_msg_check(&msg, SIPWS_TRANSPORT_WSS, 0, &r);
}

static void run_msg_print(struct sipws_str s)
{
    struct sipws_report r;
    struct sipws_out o = sipws_out(room, sizeof room);
    if (parse(s, &r))
        sipws_msg_print(&o, &msg);
}

static void run_http(struct sipws_str s)
{
    static struct sipws_http h;
    (void)sipws_http_request(s, &h, NULL);
}

static void run_frames(struct sipws_str s)
{
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    struct sipws_ws ws;
    struct sipws_ws_event ev;
    sipws_ws_init(&ws, SIPWS_SERVER, &limits, room, sizeof room);
    do
        sipws_ws_read(&ws, &s, &ev);
    while (ev.kind != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR);
}

static void run_conn(struct sipws_str s)
{
    static char buf[1 << 16], tx[1 << 12];
    static struct sipws_conn conn;
    struct sipws_conn_config config = {.role = SIPWS_SERVER,
                                       .limits = SIPWS_LIMITS_DEFAULT,
                                       .buf = buf,
                                       .cap = sizeof buf,
                                       .fields = fields,
                                       .field_cap = FIELDS};
    struct sipws_io io = {.in = s, .out = sipws_out(tx, sizeof tx)};
    struct sipws_event ev;
    sipws_conn_init(&conn, &config, 0);
    for (;;) {
        enum sipws_event_kind kind = sipws_conn_read(&conn, &io, &ev);
        if (kind == SIPWS_EV_MORE || kind == SIPWS_EV_CLOSED || kind == SIPWS_EV_FAILED)
            return;
        io.out.n = 0;
        if (kind == SIPWS_EV_REQUEST)
            (void)sipws_conn_accept(&conn, &io);
    }
}

/* ---- the unit -------------------------------------------------------------------------------- */

/* Parsed, not checked: a scan of lines, on which the cost of nothing else depends. */
static const char plain[] =
    "OPTIONS sip:alice@example.org;transport=ws;lr SIP/2.0\r\n"
    "Via: SIP/2.0/WSS k2v9.invalid;branch=z9hG4bKp\r\n"
    "Max-Forwards: 70\r\nFrom: Alice <sip:alice@example.org>;tag=a1\r\n"
    "To: <sip:bob@example.org>\r\nCall-ID: c1@k2v9.invalid\r\nCSeq: 7 OPTIONS\r\n"
    "Contact: <sip:alice@k2v9.invalid;transport=ws>\r\nContent-Length: 0\r\n\r\n";

static void (*const entries[COST_ENTRIES])(struct sipws_str s) = {
    [COST_uri] = run_uri,
    [COST_uri_eq] = run_uri_eq,
    [COST_field] = run_field,
    [COST_msg_parse] = run_msg_parse,
    [COST_msg_check] = run_msg_check,
    [COST_msg_print] = run_msg_print,
    [COST_http] = run_http,
    [COST_frames] = run_frames,
    [COST_conn] = run_conn,
};

static uint64_t steps_of(enum cost_entry entry, struct sipws_str input)
{
    uint64_t before = cost_steps;
    entries[entry](input);
    return cost_steps - before;
}

uint64_t cost_of(enum cost_entry entry, struct sipws_str input)
{
    static uint64_t unit;
    if (unit == 0)
        unit = steps_of(COST_msg_parse, (struct sipws_str){plain, sizeof plain - 1});
    if (unit == 0)
        return 0;
    return steps_of(entry, input) * 100 * (sizeof plain - 1 + FIXED) / ((input.n + FIXED) * unit);
}
