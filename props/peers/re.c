/* libre as a peer: sip_msg_decode, which takes the first Via, From, To and CSeq apart, and then its
 * decoders over all elements that sip_msg_hdr_apply gives of a field that holds Vias or addresses:
 * one that fails is a refusal. */
#include "peer.h"

#include <re/re.h>

#include <string.h>

#define P(part) (part).p, (part).l

static void uri(json_t *o, struct pl text, const struct uri *u)
{
    peer_octets(o, "text", text.l ? text.p : "", text.l);
    peer_uri_parts(o, P(u->scheme), P(u->user), P(u->password), P(u->host), u->port, P(u->params));
}

static void address(json_t *o, struct pl name, struct pl text, const struct uri *u, struct pl tag)
{
    if (!o)
        return;
    peer_part(o, "display", P(name));
    uri(peer_object(o, "uri"), text, u);
    peer_part(o, "tag", P(tag));
}

static bool bad_via(const struct sip_hdr *h, const struct sip_msg *m, void *vias)
{
    struct sip_via v;
    struct pl host = {NULL, 0}, port = {NULL, 0};
    (void)m;
    if (sip_via_decode(&v, &h->val) != 0)
        return true;
    if (uri_decode_hostport(&v.sentby, &host, &port) != 0)
        host = v.sentby;
    json_t *o = peer_item(vias);
    peer_text(o, "transport", v.tp == SIP_TRANSP_NONE ? NULL : sip_transp_name(v.tp));
    peer_host(o, P(host));
    peer_port(o, port.l ? (long)pl_u32(&port) : -1);
    peer_part(o, "branch", P(v.branch));
    return false;
}

static bool bad_addr(const struct sip_hdr *h, const struct sip_msg *m, void *array)
{
    struct sip_addr a;
    (void)m;
    if (h->id == SIP_HDR_CONTACT && pl_strcmp(&h->val, "*") == 0)
        peer_star(array);
    else if (sip_addr_decode(&a, &h->val) != 0)
        return true;
    else
        address(peer_item(array), a.dname, a.auri, &a.uri, (struct pl){NULL, 0});
    return false;
}

static bool say(json_t *o, const struct sip_msg *m)
{
    json_t *fields = peer_array(o, "fields");
    const struct sip_taddr *f = &m->from, *t = &m->to;
    if (m->req)
        uri(peer_object(peer_request(o, P(m->met)), "uri"), m->ruri, &m->uri);
    else
        peer_response(o, m->scode);
    for (struct le *le = list_head(&m->hdrl); le; le = le->next) {
        const struct sip_hdr *h = le->data;
        const char *full = peer_full_name(P(h->name)); /* it knows fields by a hash of that */
        bool known = full && (hash_joaat_ci(full, strlen(full)) & 0xfff) == (uint32_t)h->id;
        peer_field(fields, known ? full : h->name.p, known ? strlen(full) : h->name.l, P(h->val));
    }
    address(peer_object_if(o, "from", f->auri.p), f->dname, f->auri, &f->uri, f->tag);
    address(peer_object_if(o, "to", t->auri.p), t->dname, t->auri, &t->uri, t->tag);
    peer_part(o, "call-id", P(m->callid));
    peer_cseq(o, m->cseq.num, P(m->cseq.met));
    peer_length(o, m->clen.l ? (long long)pl_u32(&m->clen) : -1);
    peer_octets(o, "body", (const char *)m->mb->buf + m->mb->pos, m->mb->end - m->mb->pos);
    return !sip_msg_hdr_apply(m, true, SIP_HDR_VIA, bad_via, peer_array(o, "via")) &&
           !sip_msg_hdr_apply(m, true, SIP_HDR_CONTACT, bad_addr, peer_array(o, "contact")) &&
           !sip_msg_hdr_apply(m, true, SIP_HDR_ROUTE, bad_addr, peer_array(o, "route")) &&
           !sip_msg_hdr_apply(m, true, SIP_HDR_RECORD_ROUTE, bad_addr,
                              peer_array(o, "record-route"));
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    struct sip_msg *m = NULL;
    struct mbuf *mb = mbuf_alloc(n + 1);
    int error = mbuf_write_mem(mb, (const uint8_t *)p, n);
    mbuf_set_pos(mb, 0);
    error = error ? error : sip_msg_decode(&m, mb);
    bool ok = error == 0 && say(o, m);
    if (!ok)
        peer_refuse(error ? strerror(error) : "a field that does not decode");
    mem_deref(m);
    mem_deref(mb);
    return ok;
}

const struct peer peer_re = {"libre", SIPWS_PEER_RE, PEER_SIP, read_message, NULL, NULL};
