/* story_pair: two ends of ref, joined by a wire that cuts at will, with time that passes.
 *
 * Holds, beyond no crash, what these properties say (sipws-props --list): each SIP message of a
 * whole conversation arrives once, in order, with its dialog's identifiers, and what is bent is
 * refused alone; silence brings pings and never a timeout while the other end lives (conn/dialog);
 * two ends open, exchange any messages and close (conn/pair); a refused handshake fails at the
 * client with the server's status (conn/refusal); time alone pings, and ends what is dead, when it
 * says it will (conn/clock).
 *
 * The states of both ends are coverage (state.h).
 */
#include "fuzz_conn.h"
#include "fuzz_family.h"

extern const struct prop prop_conn_dialog, prop_conn_pair, prop_conn_refusal, prop_conn_clock;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { PAST_STORY = PAST_CONN };
    static const char *const layers[] = {FUZZ_CONN_LAYERS, "story", NULL};
    static const struct prop *const family[] = {&prop_conn_dialog, &prop_conn_pair,
                                                &prop_conn_refusal, &prop_conn_clock};
    fuzz_conn_begin(layers, &size);
    if (size < 1 || size > FAMILY_TAPE)
        return 0;
    const struct prop *p = family[data[0] % (sizeof family / sizeof *family)];
    if (fuzz_judge(p, data + 1, size - 1) == HOLDS)
        fuzz_past(PAST_STORY);
    fuzz_conn_end();
    return 0;
}
