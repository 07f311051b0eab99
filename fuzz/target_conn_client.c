/* conn_client: the engine as a client, against raw octets of a server.
 *
 * Holds, beyond no crash: the same octets give the same events and the same answers however they
 * are cut; what the engine sends is sound for its peer, and carries nothing but its handshake,
 * pongs, keep-alives and close frames. Its nonce is zero, so that a seed can hold the right answer.
 */
#include "fuzz_raw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_raw(SIPWS_CLIENT, data, size);
}
