/* peers: other stacks in this process, beside ref: libosip2, Sofia-SIP, libre, belle-sip, as far as
 * they were there when this was built.
 *
 * Input: one SIP message, as a WebSocket message would carry it.
 *
 * Holds: no stack crashes, hangs, or touches memory that is not its own; each gets the message in
 * memory of just its size, and leaves its octets as they were. What fails names the stack.
 *
 * What they make of the message is for sipws-diff to judge. Here it is coverage (state.h): who
 * takes it and who does not, and for which error ref does not; and of which parts each stack has
 * another reading than ref. So inputs on which stacks part are kept, and mutated further.
 *
 * SIPWS_PEERS_SKIP="oSIP,libre" leaves stacks out: those of which faults are known, so that others
 * are found. Under MemorySanitizer there is no such target: the stacks are not instrumented.
 */
#include "depth.h"
#include "msg.h"
#include "peer.h"
#include "state.h"

#include <jansson.h>
#include <string.h>

extern const struct peer peer_osip, peer_sofia, peer_re, peer_belle, peer_ref;

enum { INPUT_MAX = 8192, FIELDS = 64 };
enum { REF, ANY, ALL }; /* layers: who takes it */

static const struct peer *const stacks[] = {
    &peer_ref,
#ifdef SIPWS_PEER_OSIP
    &peer_osip,
#endif
#ifdef SIPWS_PEER_SOFIA
    &peer_sofia,
#endif
#ifdef SIPWS_PEER_RE
    &peer_re,
#endif
#ifdef SIPWS_PEER_BELLE
    &peer_belle,
#endif
};

enum { STACKS = sizeof stacks / sizeof *stacks };

/* Who is asked; ASan calls this before it tells what happened. */
static const struct peer *asked;

void __asan_on_error(void);
void __asan_on_error(void)
{
    if (asked)
        fprintf(stderr, "peers: in %s %s\n", asked->name, asked->version);
}

static bool is_skipped(const struct peer *p)
{
    const char *skip = getenv("SIPWS_PEERS_SKIP"), *at = skip ? strstr(skip, p->name) : NULL;
    char end = at ? at[strlen(p->name)] : '\0';
    return at && (at == skip || at[-1] == ',') && (end == '\0' || end == ',');
}

/* Takes a hundred times as long as the others: is asked last, where two of them take the message.
 */
static bool is_slow(const struct peer *p)
{
    return strcmp(p->name, "belle-sip") == 0;
}

/* Its reading, or NULL: refused, or skipped. */
static json_t *ask(const struct peer *p, const uint8_t *data, size_t size)
{
    json_t *reading = json_object();
    char *copy = malloc(size ? size : 1);
    must(reading && copy);
    memcpy(copy, data, size);
    peer_refuse(NULL);
    asked = p;
    bool ok = p->read(reading, copy, size);
    asked = NULL;
    if (memcmp(copy, data, size) != 0) {
        fprintf(stderr, "peers: %s %s has changed its input\n", p->name, p->version);
        abort();
    }
    free(copy);
    if (ok)
        return reading;
    json_decref(reading);
    return NULL;
}

/* Which parts of a reading are not ref's. */
static uint64_t differing(json_t *ref, json_t *reading)
{
    uint64_t bits = 0;
    const char *key;
    json_t *value;
    unsigned i = 0;
    json_object_foreach(ref, key, value)
    {
        json_t *other = json_object_get(reading, key);
        if (other && !json_equal(value, other))
            bits |= UINT64_C(1) << i % 64;
        i++;
    }
    return bits;
}

/* ref's error, which says more than that it refuses. */
static enum sipws_err error_of(const uint8_t *data, size_t size)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    struct sipws_report r = sipws_report(&diag, 1);
    struct sipws_msg m;
    if (sipws_msg_parse((struct sipws_str){(const char *)data, size}, 0, fields, FIELDS, &m, &r))
        (void)sipws_msg_check(&m, SIPWS_TRANSPORT_ANY, 0, &r);
    return diag.err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"ref", "any", "all", NULL};
    static bool skipped[STACKS], begun;
    fuzz_begin(layers, &size);
    for (unsigned i = 0; i < STACKS && !begun; i++)
        skipped[i] = is_skipped(stacks[i]);
    begun = true;
    if (size > INPUT_MAX)
        return 0;
    json_t *readings[STACKS];
    uint64_t verdicts = error_of(data, size);
    unsigned takers = 0, asked_n = 0;
    for (unsigned i = 0; i < STACKS; i++) {
        bool asks = !skipped[i] && (!is_slow(stacks[i]) || takers > 1);
        readings[i] = asks ? ask(stacks[i], data, size) : NULL;
        asked_n += asks;
        takers += readings[i] != NULL;
        verdicts = verdicts << 1 | (readings[i] != NULL);
    }
    fuzz_state(verdicts);
    for (unsigned i = 1; i < STACKS && readings[0]; i++)
        if (readings[i])
            fuzz_state((UINT64_C(1) << 63 | i) ^ differing(readings[0], readings[i]) << 8);
    if (readings[0])
        fuzz_past(REF);
    if (takers > 0)
        fuzz_past(ANY);
    if (takers == asked_n && readings[0])
        fuzz_past(ALL);
    for (unsigned i = 0; i < STACKS; i++)
        json_decref(readings[i]);
    return 0;
}
