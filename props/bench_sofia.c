/* Sofia-SIP: msg_make, which reads the whole message. */
#include "bench.h"

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_parser.h>
#include <sofia-sip/sip_util.h>

static bool run(const char *p, size_t n)
{
    msg_t *msg = msg_make(sip_default_mclass(), 0, p, (ssize_t)n);
    const sip_t *sip = msg ? sip_object(msg) : NULL;
    bool ok = sip && !(sip->sip_flags & MSG_FLG_ERROR) && (sip->sip_flags & MSG_FLG_COMPLETE) &&
              !sip->sip_error;
    if (msg)
        msg_destroy(msg);
    return ok;
}

const struct bench_subject bench_sofia = {
    "Sofia-SIP", SIPWS_PEER_SOFIA,
    "typed: every header field that its default class knows; copies and allocates, and frees", run};
