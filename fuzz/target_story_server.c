/* story_server: the engine as a server, against the generated story of a client: its handshake, its
 * frames, and the SIP messages of its end of a conversation, with at most one thing bent.
 *
 * Holds, beyond no crash, what these properties say (sipws-props --list): one event for each thing
 * that the client meant, in order, and the error that its one flaw earns (conn/meant); the same
 * events and answers however the octets are cut (conn/cut), with little room for answers
 * (conn/room), in one frame or many (conn/fragments), as text or binary (conn/binary), with control
 * frames anywhere (conn/control), which get their answers (conn/answers); what follows changes
 * nothing of what was (conn/prefix); one WebSocket message is one SIP message (conn/glued,
 * conn/halves).
 *
 * The states of the engine are coverage (state.h).
 */
#include "fuzz_story.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_story(SIPWS_SERVER, data, size);
}
