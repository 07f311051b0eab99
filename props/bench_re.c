/* libre: sip_msg_decode, which takes the first Via, From, To, CSeq and Content-Type apart, and then
 * its decoders over what is left of the fields that hold an address or a Via. */
#include "bench.h"

#define HAVE_INTTYPES_H
#define HAVE_STDBOOL_H
#define HAVE_STDINT_H
#include <re/re.h>

#include <stdlib.h>

static bool decoded(const struct sip_hdr *hdr)
{
    struct sip_via via;
    struct sip_addr addr;
    switch ((unsigned)hdr->id) {
    case SIP_HDR_VIA:
        return sip_via_decode(&via, &hdr->val) == 0;
    case SIP_HDR_CONTACT:
    case SIP_HDR_ROUTE:
    case SIP_HDR_RECORD_ROUTE:
    case SIP_HDR_PATH:
    case SIP_HDR_SERVICE_ROUTE:
    case SIP_HDR_REFER_TO:
    case SIP_HDR_P_ASSERTED_IDENTITY:
        return sip_addr_decode(&addr, &hdr->val) == 0;
    default:
        return true;
    }
}

static bool run(const char *p, size_t n)
{
    static struct mbuf *mb; /* reused: it grows to the longest message */
    struct sip_msg *msg = NULL;
    if (!mb && !(mb = mbuf_alloc(4096)))
        abort();
    mb->pos = mb->end = 0;
    if (mbuf_write_mem(mb, (const uint8_t *)p, n) != 0)
        abort();
    mb->pos = 0;
    bool ok = sip_msg_decode(&msg, mb) == 0, first_via = true;
    for (struct le *le = ok ? list_head(&msg->hdrl) : NULL; le; le = le->next) {
        const struct sip_hdr *hdr = le->data;
        if (hdr->id != SIP_HDR_VIA || !first_via)
            ok = decoded(hdr) && ok;
        first_via = first_via && hdr->id != SIP_HDR_VIA;
    }
    mem_deref(msg);
    return ok;
}

const struct bench_subject bench_re = {
    "libre", SIPWS_PEER_RE,
    "typed: Via, From, To, Contact, Route, Record-Route and other addresses, CSeq, Content-Type; "
    "others as text; copies into one buffer, allocates each header field, and frees",
    run};
