/* belle-sip: belle_sip_message_parse_raw and belle_sip_message_check_headers, without which a
 * message may be nearly empty. The body is the business of its channels: no opinion. */
#include "peer.h"

#include <belle-sip/belle-sip.h>
#include <string.h>

#define HEADER(m, name) belle_sip_message_get_header_by_type(m, belle_sip_header_##name##_t)

static void uri(json_t *o, const belle_sip_uri_t *u, belle_generic_uri_t *other)
{
    char *text = u ? belle_sip_uri_to_string(u) : other ? belle_generic_uri_to_string(other) : NULL;
    peer_text(o, "text", text);
    belle_sip_free(text);
    peer_text(o, "scheme", other ? belle_generic_uri_get_scheme(other) : NULL);
    if (!u)
        return;
    peer_text(o, "scheme", belle_sip_uri_is_secure(u) ? "sips" : "sip");
    peer_text(o, "user", belle_sip_uri_get_user(u));
    peer_text(o, "password", belle_sip_uri_get_user_password(u));
    peer_host(o, PEER_TEXT(belle_sip_uri_get_host(u)));
    peer_port(o, belle_sip_uri_get_port(u));
}

static void address(json_t *o, const belle_sip_header_address_t *a, const char *tag)
{
    uri(peer_address(o, belle_sip_header_address_get_displayname(a), tag),
        belle_sip_header_address_get_uri(a), belle_sip_header_address_get_absolute_uri(a));
}

static void via(json_t *o, belle_sip_header_via_t *v)
{
    peer_text(o, "transport", belle_sip_header_via_get_transport(v));
    peer_host(o, PEER_TEXT(belle_sip_header_via_get_host(v)));
    peer_port(o, belle_sip_header_via_get_port(v));
    peer_text(o, "branch", belle_sip_header_via_get_branch(v));
}

static void list(json_t *o, const char *key, const char *name, belle_sip_message_t *m)
{
    json_t *array = peer_array(o, key);
    for (const belle_sip_list_t *l = belle_sip_message_get_headers(m, name); l; l = l->next)
        if (strcmp(key, "via") == 0)
            via(peer_item(array), l->data);
        else if (strcmp(key, "contact") == 0 && belle_sip_header_contact_is_wildcard(l->data))
            peer_star(array);
        else
            address(peer_item(array), l->data, NULL);
}

static void say(json_t *o, belle_sip_message_t *m)
{
    json_t *fields = peer_array(o, "fields");
    belle_sip_request_t *r = belle_sip_message_is_request(m) ? BELLE_SIP_REQUEST(m) : NULL;
    if (r)
        uri(peer_object(peer_request(o, PEER_TEXT(belle_sip_request_get_method(r))), "uri"),
            belle_sip_request_get_uri(r), belle_sip_request_get_absolute_uri(r));
    else
        peer_response(o, belle_sip_response_get_status_code(BELLE_SIP_RESPONSE(m)));
    belle_sip_list_t *all = belle_sip_message_get_all_headers(m);
    for (const belle_sip_list_t *l = all; l; l = l->next)
        peer_field(fields, PEER_TEXT(belle_sip_header_get_name(l->data)), NULL, 0);
    belle_sip_list_free(all);
    list(o, "via", "Via", m);
    list(o, "contact", "Contact", m);
    list(o, "route", "Route", m);
    list(o, "record-route", "Record-Route", m);
    belle_sip_header_from_t *f = HEADER(m, from);
    belle_sip_header_to_t *t = HEADER(m, to);
    belle_sip_header_cseq_t *c = HEADER(m, cseq);
    belle_sip_header_call_id_t *id = HEADER(m, call_id);
    belle_sip_header_content_length_t *l = HEADER(m, content_length);
    if (f)
        address(peer_object(o, "from"), BELLE_SIP_HEADER_ADDRESS(f),
                belle_sip_header_from_get_tag(f));
    if (t)
        address(peer_object(o, "to"), BELLE_SIP_HEADER_ADDRESS(t), belle_sip_header_to_get_tag(t));
    peer_text(o, "call-id", id ? belle_sip_header_call_id_get_call_id(id) : NULL);
    if (c)
        peer_cseq(o, belle_sip_header_cseq_get_seq_number(c),
                  PEER_TEXT(belle_sip_header_cseq_get_method(c)));
    peer_length(o, l ? (long long)belle_sip_header_content_length_get_content_length(l) : -1);
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    size_t used = 0;
    belle_sip_set_log_level(BELLE_SIP_LOG_FATAL);
    belle_sip_object_pool_t *pool = belle_sip_object_pool_push(); /* owns what comes from here on */
    belle_sip_message_t *m = belle_sip_message_parse_raw(p, n, &used);
    bool ok = m && belle_sip_message_check_headers(m);
    peer_refuse(m ? "belle_sip_message_check_headers" : "belle_sip_message_parse_raw");
    if (ok)
        say(o, m);
    belle_sip_object_unref(pool);
    return ok;
}

const struct peer peer_belle = {"belle-sip", SIPWS_PEER_BELLE, PEER_SIP, read_message, NULL, NULL};
