/* libre as a peer: sip_msg_decode, which takes the first Via, From, To and CSeq apart, and then its
 * decoders over the other fields that hold a Via or an address: one that fails is a refusal. Of a
 * field with several elements they read the first. */
#include "peer.h"

#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#define HAVE_STDINT_H
#include <re/re.h>

#include <stdlib.h>
#include <string.h>

/* An empty part that is not there points nowhere. */
static void part(json_t *o, const char *key, const struct pl *pl)
{
    peer_octets(o, key, pl->l ? pl->p : NULL, pl->l);
}

static void uri(json_t *o, const struct pl *text, const struct uri *u)
{
    peer_octets(o, "text", text->l ? text->p : "", text->l);
    peer_octets(o, "scheme", u->scheme.l ? u->scheme.p : "", u->scheme.l);
    if (pl_strcasecmp(&u->scheme, "sip") != 0 && pl_strcasecmp(&u->scheme, "sips") != 0)
        return;
    part(o, "user", &u->user);
    part(o, "password", &u->password);
    peer_host(o, u->host.p, u->host.l);
    peer_port(o, u->port);
    part(o, "params", &u->params);
}

static void address(json_t *o, const struct sip_addr *a, const struct pl *tag)
{
    part(o, "display", &a->dname);
    uri(peer_object(o, "uri"), &a->auri, &a->uri);
    if (tag)
        part(o, "tag", tag);
}

static void via(json_t *o, const struct sip_via *v)
{
    struct pl host = {NULL, 0}, port = {NULL, 0};
    if (uri_decode_hostport(&v->sentby, &host, &port) != 0)
        host = v->sentby;
    peer_text(o, "transport", v->tp == SIP_TRANSP_NONE ? NULL : sip_transp_name(v->tp));
    peer_host(o, host.p, host.l);
    peer_port(o, port.l ? (long)pl_u32(&port) : -1);
    part(o, "branch", &v->branch);
}

/* The name in full of a compact form that it knows: its identities are hashes of names. */
static const char *full_name(const struct sip_hdr *h)
{
    static const char *const names[] = {
        "via",          "from",    "to",        "call-id", "contact",  "content-length",
        "content-type", "subject", "supported", "event",   "refer-to", "session-expires"};
    for (size_t i = 0; h->name.l == 1 && i < sizeof names / sizeof *names; i++)
        if ((hash_joaat_ci(names[i], strlen(names[i])) & 0xfff) == (uint32_t)h->id)
            return names[i];
    return NULL;
}

static bool addresses(json_t *array, const struct sip_hdr *h)
{
    struct sip_addr a;
    bool star = h->id == SIP_HDR_CONTACT && pl_strcmp(&h->val, "*") == 0;
    if (star)
        peer_star(array);
    else if (sip_addr_decode(&a, &h->val) == 0)
        address(peer_item(array), &a, NULL);
    else
        return false;
    return true;
}

static bool say(json_t *o, const struct sip_msg *m)
{
    bool ok = true;
    json_t *fields = peer_array(o, "fields"), *vias = peer_array(o, "via"),
           *contacts = peer_array(o, "contact"), *routes = peer_array(o, "route"),
           *records = peer_array(o, "record-route");
    if (m->req)
        uri(peer_object(peer_request(o, m->met.p, m->met.l), "uri"), &m->ruri, &m->uri);
    else
        peer_response(o, m->scode);
    for (struct le *le = list_head(&m->hdrl); le; le = le->next) {
        const struct sip_hdr *h = le->data;
        struct sip_via v;
        const char *full = full_name(h);
        peer_field(fields, full ? full : h->name.p, full ? strlen(full) : h->name.l, h->val.p,
                   h->val.l);
        if (h->id == SIP_HDR_VIA && sip_via_decode(&v, &h->val) == 0)
            via(peer_item(vias), &v);
        else if (h->id == SIP_HDR_VIA)
            ok = false;
        if (h->id == SIP_HDR_CONTACT || h->id == SIP_HDR_ROUTE || h->id == SIP_HDR_RECORD_ROUTE)
            ok = addresses(h->id == SIP_HDR_CONTACT ? contacts
                           : h->id == SIP_HDR_ROUTE ? routes
                                                    : records,
                           h) &&
                 ok;
    }
    /* From and To have the address that sip_addr_decode made, under other names. */
    const struct sip_addr from = {m->from.dname, m->from.auri, m->from.uri, m->from.params};
    const struct sip_addr to = {m->to.dname, m->to.auri, m->to.uri, m->to.params};
    peer_text(o, "from", NULL);
    peer_text(o, "to", NULL);
    if (from.auri.p)
        address(peer_object(o, "from"), &from, &m->from.tag);
    if (to.auri.p)
        address(peer_object(o, "to"), &to, &m->to.tag);
    part(o, "call-id", &m->callid);
    peer_cseq(o, m->cseq.num, m->cseq.met.p, m->cseq.met.l);
    peer_length(o, m->clen.l ? (long long)pl_u32(&m->clen) : -1);
    peer_octets(o, "body", (const char *)m->mb->buf + m->mb->pos, m->mb->end - m->mb->pos);
    return ok;
}

static bool read_message(json_t *o, const char *p, size_t n)
{
    struct sip_msg *m = NULL;
    struct mbuf *mb = mbuf_alloc(n + 1);
    if (!mb || mbuf_write_mem(mb, (const uint8_t *)p, n) != 0)
        abort();
    mb->pos = 0;
    int error = sip_msg_decode(&m, mb);
    bool ok = error == 0 && say(o, m);
    if (!ok)
        peer_refuse(error ? strerror(error) : "a field that does not decode");
    mem_deref(m);
    mem_deref(mb);
    return ok;
}

const struct peer peer_re = {"libre", SIPWS_PEER_RE, PEER_SIP, read_message, NULL, NULL};
