/* ref as a peer: sipws_msg_parse and sipws_msg_check, strict, on a connection that is not known. */
#include "msg.h"
#include "peer.h"

#include <stdio.h>

enum { FIELDS = 1024, DIAGS = 8 };

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
    struct sipws_param p = {{NULL, 0}, {NULL, 0}};
    (void)sipws_param_find(params, (struct sipws_str){key, strlen(key)}, &p);
    text(o, key, p.value);
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

static void say(json_t *o, const struct sipws_msg *m)
{
    struct sipws_value v;
    json_t *fields;
    if (m->is_request)
        uri(peer_object(peer_request(o, m->method_name.p, m->method_name.n), "uri"), &m->uri);
    else
        peer_response(o, m->status);
    fields = peer_array(o, "fields");
    for (size_t i = 0; i < m->n; i++) {
        const struct sipws_field *f = &m->fields[i];
        const char *name = sipws_field_info(f->id)->name;
        peer_field(fields, *name ? name : f->name.p, *name ? strlen(name) : f->name.n, f->value.p,
                   f->value.n);
    }
    list(o, "via", m, SIPWS_F_VIA);
    list(o, "contact", m, SIPWS_F_CONTACT);
    list(o, "route", m, SIPWS_F_ROUTE);
    list(o, "record-route", m, SIPWS_F_RECORD_ROUTE);
    if (sipws_msg_first(m, SIPWS_F_FROM, &v))
        address(peer_object(o, "from"), &v);
    if (sipws_msg_first(m, SIPWS_F_TO, &v))
        address(peer_object(o, "to"), &v);
    if (sipws_msg_first(m, SIPWS_F_CALL_ID, &v))
        text(o, "call-id", v.call_id);
    if (sipws_msg_first(m, SIPWS_F_CSEQ, &v))
        peer_cseq(o, v.cseq.number, v.cseq.method.p, v.cseq.method.n);
    bool sized = sipws_msg_first(m, SIPWS_F_CONTENT_LENGTH, &v);
    peer_length(o, sized ? (long long)v.number.value : -1);
    peer_octets(o, "body", m->body.p ? m->body.p : "", m->body.n);
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_report r = sipws_report(diags, DIAGS);
    struct sipws_msg m;
    if (sipws_msg_parse((struct sipws_str){p, n}, 0, fields, FIELDS, &m, &r) &&
        sipws_msg_check(&m, SIPWS_TRANSPORT_ANY, 0, &r)) {
        say(o, &m);
        return true;
    }
    char why[128];
    size_t i = 0;
    while (i + 1 < r.n && sipws_err_info(diags[i].err)->severity != SIPWS_ERROR)
        i++;
    snprintf(why, sizeof why, "%s at %zu", sipws_err_info(diags[i].err)->id, diags[i].off);
    peer_refuse(why);
    return false;
}

const struct peer peer_ref = {"ref", SIPWS_VERSION, PEER_SIP, read_message, NULL, NULL};
