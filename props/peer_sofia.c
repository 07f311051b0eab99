/* Sofia-SIP as a peer: msg_make, then what its own servers look at: the flags of the message, the
 * errors that the parser went past, and sip_sanity_check. */
#include "peer.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_alloc.h>

#include <stdio.h>
#include <string.h>

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void say_uri(struct peer_saying *s, enum peer_row row, msg_t *msg, const url_t *url)
{
    peer_say_text(s, row, url_as_string(msg_home(msg), url));
}

/* The number of fields from `first` on, which `next` links. */
#define SAY_COUNT(s, row, type, first, next)                                                       \
    do {                                                                                           \
        unsigned long long count = 0;                                                              \
        for (const type *field = (first); field; field = field->next)                              \
            count++;                                                                               \
        peer_say_number(s, row, count);                                                            \
    } while (0)

static void say_message(struct peer_saying *s, msg_t *msg, const sip_t *sip)
{
    if (sip->sip_request) {
        peer_say_text(s, PEER_METHOD, sip->sip_request->rq_method_name);
        say_uri(s, PEER_REQUEST_URI, msg, sip->sip_request->rq_url);
    } else {
        peer_say_number(s, PEER_STATUS, (unsigned long long)sip->sip_status->st_status);
    }
    if (sip->sip_via) {
        const char *transport = strrchr(or_empty(sip->sip_via->v_protocol), '/');
        peer_say_text(s, PEER_VIA_TRANSPORT, transport ? transport + 1 : "");
        peer_say_text(s, PEER_VIA_HOST, sip->sip_via->v_host);
        peer_say_text(s, PEER_VIA_PORT, or_empty(sip->sip_via->v_port));
        peer_say_text(s, PEER_VIA_BRANCH, or_empty(sip->sip_via->v_branch));
    }
    if (sip->sip_from) {
        say_uri(s, PEER_FROM_URI, msg, sip->sip_from->a_url);
        peer_say_text(s, PEER_FROM_TAG, or_empty(sip->sip_from->a_tag));
    }
    if (sip->sip_to) {
        say_uri(s, PEER_TO_URI, msg, sip->sip_to->a_url);
        peer_say_text(s, PEER_TO_TAG, or_empty(sip->sip_to->a_tag));
    }
    if (sip->sip_call_id)
        peer_say_text(s, PEER_CALL_ID, sip->sip_call_id->i_id);
    if (sip->sip_cseq) {
        peer_say_number(s, PEER_CSEQ_NUMBER, sip->sip_cseq->cs_seq);
        peer_say_text(s, PEER_CSEQ_METHOD, sip->sip_cseq->cs_method_name);
    }
    SAY_COUNT(s, PEER_VIAS, sip_via_t, sip->sip_via, v_next);
    SAY_COUNT(s, PEER_CONTACTS, sip_contact_t, sip->sip_contact, m_next);
    SAY_COUNT(s, PEER_ROUTES, sip_route_t, sip->sip_route, r_next);
    SAY_COUNT(s, PEER_RECORD_ROUTES, sip_record_route_t, sip->sip_record_route, r_next);
    peer_say_number(s, PEER_BODY_LENGTH, sip->sip_payload ? sip->sip_payload->pl_len : 0);
}

static bool refuse(struct peer_saying *s, const char *why)
{
    peer_say_text(s, PEER_WHY, why);
    return false;
}

static bool ask(struct peer_saying *s, const char *p, size_t n)
{
    msg_t *msg = msg_make(sip_default_mclass(), 0, p, (ssize_t)n);
    sip_t *sip = msg ? sip_object(msg) : NULL;
    if (!sip)
        return refuse(s, "nothing was made of it");
    if (sip->sip_flags & MSG_FLG_ERROR)
        return refuse(s, "MSG_FLG_ERROR");
    if (!(sip->sip_flags & MSG_FLG_COMPLETE))
        return refuse(s, "not MSG_FLG_COMPLETE");
    if (!sip->sip_request && !sip->sip_status)
        return refuse(s, "no start line");
    if (sip->sip_error) /* any header field may be in that list: a bad one, or a second one */
        return refuse(s, or_empty(sip->sip_error->er_common->h_class->hc_name));
    if (sip_sanity_check(sip) != 0)
        return refuse(s, "sip_sanity_check");
    say_message(s, msg, sip);
    return true;
}

const struct peer peer_sofia = {"Sofia-SIP", SIPWS_PEER_SOFIA, NULL, ask};
