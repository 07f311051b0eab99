/* Naive twins: slow, obvious readings of the standards, to hold the fast ones of ref/ against.
 *
 * They share no code with ref/, only the numbers of its errors, and are written from the RFCs over
 * whole buffers: nothing here streams, skips or looks at words.
 */
#ifndef TWIN_H
#define TWIN_H

#include "err.h"

/* p[i] ^= key[(phase + i) % 4] (RFC 6455 5.3). */
void twin_unmask(unsigned char *p, size_t n, const unsigned char key[4], size_t phase);

/* The index of the first octet after which no text is valid UTF-8 (RFC 3629), or n. *whole: the
 * text is good and does not end within a character. */
size_t twin_utf8(const unsigned char *p, size_t n, bool *whole);

/* Whether a close frame may carry the code (RFC 6455 7.4 and the registry that 11.7 set up). */
bool twin_close_sendable(unsigned code);

enum twin_kind { TWIN_MESSAGE, TWIN_PING, TWIN_PONG, TWIN_CLOSE, TWIN_ERROR };

struct twin_event {
    enum twin_kind kind;
    bool binary;            /* MESSAGE */
    unsigned code;          /* CLOSE; 1005: none */
    const unsigned char *p; /* payload, or the reason of a close */
    size_t n;
    enum sipws_err err; /* ERROR */
    size_t off;
};

struct twin_stream {
    const unsigned char *p; /* all of the stream */
    size_t n;
    bool server; /* we are: the frames come from a client */
    bool ended;  /* nothing will follow */
    size_t limit;
    size_t fragments;
};

/* What the stream is taken for, up to and with the first error. `mem` has room for s->n octets:
 * payloads. Returns the number of events, at most `cap`; one more than that says there were more.
 */
size_t twin_frames(const struct twin_stream *s, unsigned char *mem, struct twin_event *events,
                   size_t cap);

#endif
