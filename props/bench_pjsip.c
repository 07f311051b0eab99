/* PJSIP: pjsip_parse_msg. */
#include "bench.h"

#include <pjlib.h>
#include <pjlib-util.h>
#include <pjsip.h>

#include <stdlib.h>
#include <string.h>

static char octets[1 << 17];
static pj_caching_pool caching;
static pj_pool_t *pool;

/* The parser's tables are set up by an endpoint. */
static void begin(void)
{
    pjsip_endpoint *endpoint;
    pj_log_set_level(0);
    if (pj_init() != PJ_SUCCESS || pjlib_util_init() != PJ_SUCCESS)
        abort();
    pj_caching_pool_init(&caching, NULL, 0);
    if (pjsip_endpt_create(&caching.factory, "bench", &endpoint) != PJ_SUCCESS)
        abort();
    pool = pjsip_endpt_create_pool(endpoint, "bench", 16000, 16000);
    if (!pool)
        abort();
}

static bool run(const char *p, size_t n)
{
    pjsip_parser_err_report flaws;
    if (!pool)
        begin();
    if (n >= sizeof octets)
        return false;
    memcpy(octets, p, n); /* it wants NUL behind them */
    octets[n] = 0;
    pj_pool_reset(pool);
    pj_list_init(&flaws);
    return pjsip_parse_msg(pool, octets, n, &flaws) != NULL && pj_list_empty(&flaws);
}

const struct bench_subject bench_pjsip = {
    "PJSIP", SIPWS_PEER_PJSIP,
    "typed: Via, From, To, Contact, Route, Record-Route, Call-ID, CSeq, Max-Forwards, Content-*, "
    "Expires, Allow, Supported and others of its core; the rest as text; copies once, and "
    "allocates "
    "in a pool that is kept",
    run};
