/* belle-sip: belle_sip_message_parse_raw and belle_sip_message_check_headers. */
#include "bench.h"

#include <belle-sip/belle-sip.h>

static bool run(const char *p, size_t n)
{
    size_t used = 0;
    belle_sip_message_t *m = belle_sip_message_parse_raw(p, n, &used);
    bool ok = m && belle_sip_message_check_headers(m);
    if (m)
        belle_sip_object_unref(m);
    return ok;
}

const struct bench_subject bench_belle = {
    "belle-sip", SIPWS_PEER_BELLE,
    "typed: every header field that its grammar knows; copies and allocates, and frees", run};
