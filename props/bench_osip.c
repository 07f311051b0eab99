/* GNU oSIP: osip_message_parse. */
#include "bench.h"

#include <osipparser2/osip_parser.h>
#include <osipparser2/osip_port.h>

#include <stdlib.h>

/* Without a function of ours it prints to standard output. */
static void silent(const char *file, int line, osip_trace_level_t level, const char *format,
                   va_list args)
{
    (void)file, (void)line, (void)level, (void)format, (void)args;
}

static bool run(const char *p, size_t n)
{
    static bool ready;
    osip_message_t *m = NULL;
    if (!ready) {
        osip_trace_initialize_func(TRACE_LEVEL0, silent);
        if (parser_init() != OSIP_SUCCESS)
            abort();
        ready = true;
    }
    if (osip_message_init(&m) != OSIP_SUCCESS)
        abort();
    bool ok = osip_message_parse(m, p, n) == OSIP_SUCCESS;
    osip_message_free(m);
    return ok;
}

const struct bench_subject bench_osip = {
    "oSIP", SIPWS_PEER_OSIP,
    "typed: Via, From, To, Contact, Route, Record-Route, Call-ID, CSeq, Content-*, and the headers "
    "of authentication; others as text; copies and allocates, and frees",
    run};
