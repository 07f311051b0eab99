/* Sofia-SIP as a peer: msg_make, then what its own servers look at: the flags of the message, the
 * errors that the parser went past, and sip_sanity_check. */
#include "peer.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>

#include <string.h>

static void uri(json_t *o, msg_t *msg, const url_t *u)
{
    peer_text(o, "text", url_as_string(msg_home(msg), u));
    peer_text(o, "scheme", u->url_scheme ? u->url_scheme : "");
    if (u->url_type == url_sip || u->url_type == url_sips)
        peer_uri(o, u->url_user, u->url_password, u->url_host, u->url_port);
}

static void routes(json_t *o, const char *key, msg_t *msg, const sip_route_t *r)
{
    json_t *array = peer_array(o, key);
    for (; r; r = r->r_next)
        uri(peer_address(peer_item(array), r->r_display, NULL), msg, r->r_url);
}

static void fields(json_t *o, msg_t *msg)
{
    json_t *array = peer_array(o, "fields");
    for (msg_header_t *h = *msg_chain_head(msg); h; h = h->sh_succ) {
        bool unknown = h->sh_class == sip_unknown_class;
        /* Not the start line, the empty one, a body, or an element behind the first. */
        if (h->sh_data && (unknown || h->sh_class->hc_hash >= 0))
            peer_field_line(array, unknown ? h->sh_unknown->un_name : h->sh_class->hc_name,
                            h->sh_data, h->sh_len);
    }
}

static void say(json_t *o, msg_t *msg, const sip_t *sip)
{
    json_t *vias = peer_array(o, "via"), *contacts = peer_array(o, "contact");
    const sip_request_t *r = sip->sip_request;
    if (r)
        uri(peer_object(peer_request(o, PEER_TEXT(r->rq_method_name)), "uri"), msg, r->rq_url);
    else
        peer_response(o, sip->sip_status->st_status);
    fields(o, msg);
    for (const sip_via_t *v = sip->sip_via; v; v = v->v_next) {
        const char *slash = v->v_protocol ? strrchr(v->v_protocol, '/') : NULL;
        peer_via(vias, slash ? slash + 1 : v->v_protocol, v->v_host, v->v_port, v->v_branch);
    }
    for (const sip_contact_t *c = sip->sip_contact; c; c = c->m_next)
        if (c->m_url->url_type == url_any)
            peer_star(contacts);
        else
            uri(peer_address(peer_item(contacts), c->m_display, NULL), msg, c->m_url);
    routes(o, "route", msg, sip->sip_route);
    routes(o, "record-route", msg, sip->sip_record_route);
    const sip_addr_t *from = sip->sip_from, *to = sip->sip_to;
    if (from)
        uri(peer_address(peer_object(o, "from"), from->a_display, from->a_tag), msg, from->a_url);
    if (to)
        uri(peer_address(peer_object(o, "to"), to->a_display, to->a_tag), msg, to->a_url);
    peer_text(o, "call-id", sip->sip_call_id ? sip->sip_call_id->i_id : NULL);
    if (sip->sip_cseq)
        peer_cseq(o, sip->sip_cseq->cs_seq, PEER_TEXT(sip->sip_cseq->cs_method_name));
    peer_length(o, sip->sip_content_length ? sip->sip_content_length->l_length : -1LL);
    peer_octets(o, "body", sip->sip_payload ? sip->sip_payload->pl_data : "",
                sip->sip_payload ? sip->sip_payload->pl_len : 0);
}

/* Why it is no message for a server of theirs, or NULL. */
static const char *refused(const sip_t *sip)
{
    return !sip                                    ? "nothing was made of it"
           : sip->sip_flags & MSG_FLG_ERROR        ? "MSG_FLG_ERROR"
           : !(sip->sip_flags & MSG_FLG_COMPLETE)  ? "not MSG_FLG_COMPLETE"
           : !sip->sip_request && !sip->sip_status ? "no start line"
           : sip->sip_error /* has any header field that is bad, or stands twice */
               ? sip->sip_error->er_common->h_class->hc_name
               : sip_sanity_check(sip) == 0 ? NULL : "sip_sanity_check";
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    msg_t *msg = msg_make(sip_default_mclass(), MSG_DO_EXTRACT_COPY, p, (ssize_t)n);
    sip_t *sip = msg ? sip_object(msg) : NULL;
    const char *why = refused(sip);
    if (why)
        peer_refuse(why);
    else
        say(o, msg, sip);
    msg_destroy(msg);
    return !why;
}

const struct peer peer_sofia = {"Sofia-SIP", SIPWS_PEER_SOFIA, PEER_SIP, read_message, NULL, NULL};
