/* GNU oSIP as a peer: osip_message_parse. It keeps Call-ID in two halves, and of the order of
 * header fields nothing. Nothing is freed: workers are short-lived. */
#include "peer.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

#include <string.h>

/* Without a function of ours it prints to standard output. */
static void silent(const char *file, int line, osip_trace_level_t level, const char *format,
                   va_list args)
{
    (void)file, (void)line, (void)level, (void)format, (void)args;
}

static void uri(json_t *o, const osip_uri_t *u)
{
    char *text = NULL;
    if (!u)
        return;
    if (osip_uri_to_str(u, &text) == OSIP_SUCCESS)
        peer_text(o, "text", text);
    peer_text(o, "scheme", u->scheme);
    if (!u->string) /* sip or sips */
        peer_uri(o, u->username, u->password, u->host, u->port);
}

static const char *param(osip_list_t *params, char *key)
{
    osip_uri_param_t *p = NULL;
    osip_uri_param_get_byname(params, key, &p);
    return p && !p->gvalue ? "" : p ? p->gvalue : NULL;
}

static void address(json_t *o, osip_from_t *a)
{
    char tag[] = "tag";
    uri(peer_address(o, a->displayname, param(&a->gen_params, tag)), a->url);
}

static void list(json_t *o, const char *key, osip_list_t *fields)
{
    json_t *array = peer_array(o, key);
    for (int i = 0; i < osip_list_size(fields); i++) {
        osip_from_t *a = osip_list_get(fields, i);
        if (!a->url && a->displayname && strcmp(a->displayname, "*") == 0)
            peer_star(array);
        else
            address(peer_item(array), a);
    }
}

static void say(json_t *o, osip_message_t *m)
{
    char *call_id = NULL, branch[] = "branch";
    if (m->sip_method)
        uri(peer_object(peer_request(o, PEER_TEXT(m->sip_method)), "uri"), m->req_uri);
    else
        peer_response(o, m->status_code);
    json_t *vias = peer_array(o, "via");
    for (int i = 0; i < osip_list_size(&m->vias); i++) {
        osip_via_t *v = osip_list_get(&m->vias, i);
        peer_via(vias, v->protocol, v->host, v->port, param(&v->via_params, branch));
    }
    if (m->from)
        address(peer_object(o, "from"), m->from);
    if (m->to)
        address(peer_object(o, "to"), m->to);
    list(o, "contact", &m->contacts);
    list(o, "route", &m->routes);
    list(o, "record-route", &m->record_routes);
    if (m->call_id && osip_call_id_to_str(m->call_id, &call_id) == OSIP_SUCCESS)
        peer_text(o, "call-id", call_id);
    if (m->cseq)
        peer_cseq_digits(o, m->cseq->number, m->cseq->method);
    peer_digits(o, "content-length", m->content_length ? m->content_length->value : NULL);
    osip_body_t *body = osip_list_get(&m->bodies, 0);
    if (osip_list_size(&m->bodies) < 2) /* a multipart body is taken apart */
        peer_octets(o, "body", body ? body->body : "", body ? body->length : 0);
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    osip_message_t *m = NULL;
    osip_trace_initialize_func(TRACE_LEVEL7, silent);
    if (parser_init() != OSIP_SUCCESS || osip_message_init(&m) != OSIP_SUCCESS)
        return false;
    int error = osip_message_parse(m, p, n);
    if (error == OSIP_SUCCESS)
        say(o, m);
    else
        peer_refuse(osip_strerror(error));
    osip_message_free(m);
    return error == OSIP_SUCCESS;
}

const struct peer peer_osip = {"oSIP", SIPWS_PEER_OSIP, PEER_SIP, read_message, NULL, NULL};
