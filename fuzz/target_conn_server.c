/* conn_server: the engine as a server, against raw octets of a client.
 *
 * Holds, beyond no crash: the same octets give the same events and the same answers however they
 * are cut; what the engine sends is sound for its peer, and carries nothing but its handshake,
 * pongs, keep-alives and close frames.
 */
#include "fuzz_raw.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_raw(SIPWS_SERVER, data, size);
}
