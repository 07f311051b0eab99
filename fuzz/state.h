/* States as coverage: an input that brings a connection where none has been is worth keeping, even
 * if it runs no new code.
 *
 * Each state is hashed into libFuzzer's extra counters (one octet each, looked at and cleared by it
 * after every execution). Under AFL++ they count for nothing: its map has room for the edges that
 * it knows when it links, and no more. */
#ifndef SIPWS_FUZZ_STATE_H
#define SIPWS_FUZZ_STATE_H

#include "conn.h"

/* Something was in the state that `hash` stands for. */
void fuzz_state(uint64_t hash);

/* Where a connection is, in all of its layers at once: the connection, the head, the frame reader,
 * the message that it puts together, its UTF-8, and what SIP made of it. `ev` may be NULL. Lengths
 * count only as far as they decide what comes next. */
uint64_t fuzz_conn_state(const struct sipws_conn *c, const struct sipws_event *ev);

#endif
