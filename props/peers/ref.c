/* ref as a peer: sipws_msg_parse and sipws_msg_check, strict, on a connection that is not known. */
#include "msg.h"
#include "peer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

enum { FIELDS = 1024, DIAGS = 64 };

static void text(json_t *o, const char *key, struct sipws_str s)
{
    peer_octets(o, key, s.p, s.n);
}

static void port(json_t *o, int32_t number)
{
    peer_text(o, "port", NULL);
    if (number != SIPWS_NO_PORT)
        peer_number(o, "port", number);
}

static void uri(json_t *o, const struct sipws_uri *u)
{
    text(o, "text", u->text);
    text(o, "scheme", u->scheme_name);
    if (u->scheme == SIPWS_SCHEME_OTHER)
        return;
    text(o, "user", u->user);
    text(o, "password", u->password);
    text(o, "host", u->host.text);
    port(o, u->port);
    text(o, "params", u->params);
}

static void param(json_t *o, const char *key, struct sipws_str params)
{
    struct sipws_param p;
    bool found = sipws_param_find(params, (struct sipws_str){key, strlen(key)}, &p);
    text(o, key, found ? p.value : (struct sipws_str){NULL, 0});
}

static void via(json_t *o, const struct sipws_value *v)
{
    text(o, "transport", v->via.transport);
    text(o, "host", v->via.host.text);
    port(o, v->via.port);
    param(o, "branch", v->params);
}

static void address(json_t *o, const struct sipws_value *v)
{
    text(o, "display", v->addr.display);
    uri(peer_object(o, "uri"), &v->addr.uri);
    param(o, "tag", v->params);
}

/* All elements of all fields `id`. */
static void list(json_t *o, const char *key, const struct sipws_msg *m, enum sipws_field_id id)
{
    json_t *array = peer_array(o, key);
    for (size_t i = 0; i < m->n; i++) {
        struct sipws_value v;
        if (m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v))
            if (v.kind == SIPWS_K_STAR)
                peer_star(array);
            else if (id == SIPWS_F_VIA)
                via(peer_item(array), &v);
            else
                address(peer_item(array), &v);
    }
}

/* ---- what is not contested ------------------------------------------------------------------- */

/* A refused message has a reading too, as far as its errors leave one: a wrong Contact says nothing
 * against the top Via, so what others make of that Via is held against ref there as anywhere. */
struct reading {
    const struct sipws_msg *m;
    const char *start, *header, *body; /* the error that contests it, or NULL */
};

static bool is_error(const struct sipws_diag *d)
{
    return sipws_err_info(d->err)->severity == SIPWS_ERROR;
}

/* Errors of the lines: which header fields there are is what readers differ in. */
static bool spoils_header(enum sipws_err err)
{
    static const enum sipws_err errs[] = {
        SIPWS_E_EMPTY,      SIPWS_E_LINE_END,    SIPWS_E_NO_BLANK_LINE, SIPWS_E_LEADING_CRLF,
        SIPWS_E_FIELD_NAME, SIPWS_E_FIELD_COLON, SIPWS_E_LIMIT_FIELDS};
    for (size_t i = 0; i < sizeof errs / sizeof *errs; i++)
        if (errs[i] == err)
            return true;
    return false;
}

static void contest(const char **what, enum sipws_err err)
{
    if (!*what)
        *what = sipws_err_info(err)->id;
}

static struct reading reading_of(const struct sipws_msg *m, const struct sipws_report *r)
{
    struct reading out = {m, NULL, NULL, NULL};
    const char *end = m->text.n ? memchr(m->text.p, '\n', m->text.n) : NULL;
    size_t start = end ? (size_t)(end - m->text.p) : m->text.n;
    bool read = m->uri.text.p || m->status;
    for (size_t i = 0; i < r->n; i++) {
        enum sipws_err err = r->p[i].err;
        if (!is_error(&r->p[i]))
            continue;
        if (r->p[i].off <= start && (!read || spoils_header(err)))
            contest(&out.start, err);
        if (spoils_header(err) || sipws_report_full(r))
            contest(&out.header, err);
        if (spoils_header(err) || err == SIPWS_E_BODY_LENGTH)
            contest(&out.body, err);
    }
    return out;
}

/* The error that contests the fields `id`: one of them does not decode, or there are more of them
 * than there may be. NULL: none. */
static const char *contested(const struct reading *r, enum sipws_field_id id)
{
    size_t seen = 0;
    for (size_t i = 0; i < r->m->n; i++) {
        struct sipws_value v;
        struct sipws_diag d = {SIPWS_OK, 0, NULL, NULL};
        if (r->m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(r->m, &r->m->fields[i], 0, &d);
        bool more = sipws_value_first(&c, id, &v);
        while (more) {
            d.err = SIPWS_OK;
            more = sipws_value_next(&c, id, &v);
        }
        if (d.err != SIPWS_OK)
            return sipws_err_info(d.err)->id;
        if (++seen > 1 && sipws_field_info(id)->shape == SIPWS_ONE)
            return sipws_err_info(SIPWS_E_DOUBLE_FIELD)->id;
    }
    return NULL;
}

/* Whether there is a reading; else it is said in "contested" why not. */
static bool is_sound(json_t *o, const char *key, const char *error)
{
    if (!error)
        return true;
    json_t *why = json_object_get(o, "contested");
    peer_text(why ? why : peer_object(o, "contested"), key, error);
    return false;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void start_line(json_t *o, const struct sipws_msg *m)
{
    if (m->is_request)
        uri(peer_object(peer_request(o, m->method_name.p, m->method_name.n), "uri"), &m->uri);
    else
        peer_response(o, m->status);
}

/* The first element of a field that stands once. */
static bool only(json_t *o, const char *key, const struct reading *r, enum sipws_field_id id,
                 struct sipws_value *v)
{
    return is_sound(o, key, contested(r, id)) && sipws_msg_first(r->m, id, v);
}

/* "fields": those that are contested without a value. */
static void say_fields(json_t *o, const struct reading *r)
{
    json_t *fields = peer_array(o, "fields");
    for (size_t i = 0; i < r->m->n; i++) {
        const struct sipws_field *f = &r->m->fields[i];
        const char *name = sipws_field_info(f->id)->name;
        bool sound = f->id == SIPWS_F_EXTENSION || is_sound(o, name, contested(r, f->id));
        peer_field(fields, *name ? name : f->name.p, *name ? strlen(name) : f->name.n,
                   sound ? f->value.p : NULL, f->value.n);
    }
}

static void say(json_t *o, const struct reading *r)
{
    const struct sipws_msg *m = r->m;
    static const struct {
        const char *key;
        enum sipws_field_id id;
    } lists[] = {{"via", SIPWS_F_VIA},
                 {"contact", SIPWS_F_CONTACT},
                 {"route", SIPWS_F_ROUTE},
                 {"record-route", SIPWS_F_RECORD_ROUTE}};
    struct sipws_value v;
    if (is_sound(o, "start", r->start))
        start_line(o, m);
    if (!is_sound(o, "header", r->header))
        return;
    say_fields(o, r);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (is_sound(o, lists[i].key, contested(r, lists[i].id)))
            list(o, lists[i].key, m, lists[i].id);
    if (only(o, "from", r, SIPWS_F_FROM, &v))
        address(peer_object(o, "from"), &v);
    if (only(o, "to", r, SIPWS_F_TO, &v))
        address(peer_object(o, "to"), &v);
    if (only(o, "call-id", r, SIPWS_F_CALL_ID, &v))
        text(o, "call-id", v.call_id);
    if (only(o, "cseq", r, SIPWS_F_CSEQ, &v))
        peer_cseq(o, v.cseq.number, v.cseq.method.p, v.cseq.method.n);
    const char *length = contested(r, SIPWS_F_CONTENT_LENGTH);
    if (is_sound(o, "content-length", length)) {
        bool sized = sipws_msg_first(m, SIPWS_F_CONTENT_LENGTH, &v);
        char digits[24];
        if (sized)
            snprintf(digits, sizeof digits, "%" PRIu64, v.number.value);
        peer_digits(o, "content-length", sized ? digits : NULL);
    }
    if (is_sound(o, "body", r->body ? r->body : length))
        peer_octets(o, "body", m->body.p ? m->body.p : "", m->body.n);
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_report r = sipws_report(diags, DIAGS);
    struct sipws_msg m;
    bool ok = sipws_msg_parse((struct sipws_str){p, n}, 0, fields, FIELDS, &m, &r);
    ok = sipws_msg_check(&m, SIPWS_TRANSPORT_ANY, 0, &r) && ok;
    struct reading reading = reading_of(&m, &r);
    say(o, &reading);
    if (ok)
        return true;
    char why[128];
    size_t i = 0;
    while (i + 1 < r.n && !is_error(&diags[i]))
        i++;
    int n_why =
        snprintf(why, sizeof why, "%s at %zu", sipws_err_info(diags[i].err)->id, diags[i].off);
    if (r.errors > 1)
        snprintf(why + n_why, sizeof why - (size_t)n_why, ", and %zu more", r.errors - 1);
    peer_refuse(why);
    return false;
}

const struct peer peer_ref = {"ref", SIPWS_VERSION, PEER_SIP, read_message, NULL, NULL};
