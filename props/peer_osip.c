/* GNU oSIP as a peer: osip_message_parse. It keeps Call-ID in two halves and decodes URIs; printing
 * gives back most of what stood there. Nothing is freed: the process ends. */
#include "peer.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

#include <stdio.h>
#include <string.h>

/* Without a function of ours it prints to standard output. */
static void silent(const char *file, int line, osip_trace_level_t level, const char *format,
                   va_list args)
{
    (void)file, (void)line, (void)level, (void)format, (void)args;
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void say_uri(struct peer_saying *s, enum peer_row row, const osip_uri_t *uri)
{
    char *text = NULL;
    if (uri && osip_uri_to_str(uri, &text) == OSIP_SUCCESS)
        peer_say_text(s, row, text);
}

static void say_param(struct peer_saying *s, enum peer_row row, osip_list_t *params, char *name)
{
    osip_uri_param_t *param = NULL;
    osip_uri_param_get_byname(params, name, &param);
    peer_say_text(s, row, param ? or_empty(param->gvalue) : "");
}

#define SAY_COUNT(s, row, list) peer_say_number(s, row, (unsigned)osip_list_size(list))

static void say_via(struct peer_saying *s, osip_via_t *via)
{
    char host[512] = "", name[] = "branch";
    snprintf(host, sizeof host, strchr(or_empty(via->host), ':') ? "[%s]" : "%s",
             or_empty(via->host));
    peer_say_text(s, PEER_VIA_TRANSPORT, via->protocol);
    peer_say_text(s, PEER_VIA_HOST, host);
    peer_say_text(s, PEER_VIA_PORT, or_empty(via->port));
    say_param(s, PEER_VIA_BRANCH, &via->via_params, name);
}

static void say_message(struct peer_saying *s, osip_message_t *m)
{
    char tag[] = "tag", *call_id = NULL;
    peer_say_text(s, PEER_METHOD, or_empty(m->sip_method));
    if (m->sip_method)
        say_uri(s, PEER_REQUEST_URI, m->req_uri);
    else
        peer_say_number(s, PEER_STATUS, (unsigned long long)m->status_code);
    if (osip_list_size(&m->vias) > 0)
        say_via(s, osip_list_get(&m->vias, 0));
    if (m->from) {
        say_uri(s, PEER_FROM_URI, m->from->url);
        say_param(s, PEER_FROM_TAG, &m->from->gen_params, tag);
    }
    if (m->to) {
        say_uri(s, PEER_TO_URI, m->to->url);
        say_param(s, PEER_TO_TAG, &m->to->gen_params, tag);
    }
    if (m->call_id && osip_call_id_to_str(m->call_id, &call_id) == OSIP_SUCCESS)
        peer_say_text(s, PEER_CALL_ID, call_id);
    if (m->cseq) {
        const char *number = or_empty(m->cseq->number);
        number += strspn(number, "0"); /* one of them stays where there is nothing else */
        peer_say_text(s, PEER_CSEQ_NUMBER, !*number && m->cseq->number ? "0" : number);
        peer_say_text(s, PEER_CSEQ_METHOD, m->cseq->method);
    }
    SAY_COUNT(s, PEER_VIAS, &m->vias);
    SAY_COUNT(s, PEER_CONTACTS, &m->contacts);
    SAY_COUNT(s, PEER_ROUTES, &m->routes);
    SAY_COUNT(s, PEER_RECORD_ROUTES, &m->record_routes);
    osip_body_t *body = osip_list_get(&m->bodies, 0);
    if (osip_list_size(&m->bodies) < 2) /* a multipart body is taken apart */
        peer_say_number(s, PEER_BODY_LENGTH, body ? body->length : 0);
}

static bool ask(struct peer_saying *s, const char *p, size_t n)
{
    osip_message_t *m = NULL;
    osip_trace_initialize_func(TRACE_LEVEL7, silent);
    if (parser_init() != OSIP_SUCCESS || osip_message_init(&m) != OSIP_SUCCESS)
        return false;
    int error = osip_message_parse(m, p, n);
    if (error != OSIP_SUCCESS)
        peer_say_text(s, PEER_WHY, osip_strerror(error));
    else
        say_message(s, m);
    return error == OSIP_SUCCESS;
}

const struct peer peer_osip = {"oSIP", SIPWS_PEER_OSIP, NULL, ask};
