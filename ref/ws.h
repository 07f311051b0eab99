/* WebSocket frames and messages (RFC 6455 sections 5 to 8), both roles.
 *
 * The reader takes octets in pieces of any size and gives events. It copies payload into the
 * caller's buffer while unmasking it, so that a message is in one piece however it was cut into
 * frames and reads. No extension is agreed to, so every reserved bit is refused.
 */
#ifndef SIPWS_WS_H
#define SIPWS_WS_H

#include "limits.h"
#include "out.h"
#include "utf8.h"

/* Who we are. A server reads masked frames and writes unmasked ones; a client the reverse. */
enum sipws_role { SIPWS_SERVER, SIPWS_CLIENT };

enum sipws_opcode {
    SIPWS_CONTINUATION = 0,
    SIPWS_TEXT = 1,
    SIPWS_BINARY = 2,
    SIPWS_CLOSE = 8,
    SIPWS_PING = 9,
    SIPWS_PONG = 10
};

enum sipws_close {
    SIPWS_CLOSE_NORMAL = 1000,
    SIPWS_CLOSE_AWAY = 1001,
    SIPWS_CLOSE_PROTOCOL = 1002,
    SIPWS_CLOSE_NONE = 1005, /* the close frame had no code; never sent */
    SIPWS_CLOSE_LOST = 1006, /* there was no close frame; never sent */
    SIPWS_CLOSE_UTF8 = 1007,
    SIPWS_CLOSE_POLICY = 1008,
    SIPWS_CLOSE_TOO_BIG = 1009
};

/* Whether a close frame may carry the code (RFC 6455 7.4): 1000-1003, 1007-1014 (as registered with
 * IANA), 3000-4999. */
bool sipws_close_sendable(unsigned code);

enum sipws_ws_kind {
    SIPWS_WS_MORE,    /* all input is used up */
    SIPWS_WS_MESSAGE, /* a whole text or binary message */
    SIPWS_WS_PING,
    SIPWS_WS_PONG,
    SIPWS_WS_CLOSE, /* the last event; what follows on the wire is refused */
    SIPWS_WS_ERROR  /* sticky: every further call gives it again */
};

struct sipws_ws_event {
    enum sipws_ws_kind kind;
    bool binary;           /* MESSAGE */
    uint16_t code;         /* CLOSE: the code, or SIPWS_CLOSE_NONE */
    struct sipws_str data; /* payload of the message or control frame, or the reason of a close;
                              valid until the next call */
    struct sipws_diag diag; /* ERROR */
};

/* One frame header. */
struct sipws_frame {
    bool fin, masked;
    uint8_t rsv, opcode;
    unsigned char key[4]; /* when masked */
    uint64_t len;
    size_t off; /* of its first octet, from the start of the stream */
};

struct sipws_ws {
    enum sipws_role role;
    size_t limit;       /* octets of a message, at most what the buffer holds */
    uint32_t fragments; /* frames of a message */
    char *buf;          /* the caller's, for the message */

    /* The rest belongs to the reader. */
    size_t n;               /* octets of the message so far */
    uint32_t frames;        /* frames of the message so far; 0 = between messages */
    bool binary, closed;
    struct sipws_utf8 utf8; /* of the text message so far */
    size_t off;             /* octets read from the stream */
    unsigned char head[14]; /* the header of the current frame, as far as it has come */
    uint8_t head_n, head_len;
    struct sipws_frame frame;
    uint64_t done; /* payload octets of the current frame read */
    char control[SIPWS_MAX_CONTROL];
    struct sipws_diag error;
};

/* A reader whose messages are put together in buf[cap]. Limits as in `limits`, and `cap`. */
void sipws_ws_init(struct sipws_ws *w, enum sipws_role role, const struct sipws_limits *limits,
                   char *buf, size_t cap);

/* Reads from *in, stepping over what is used, up to the next event or the end of the input. Offsets
 * in diag count from the first octet ever fed. */
enum sipws_ws_kind sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                 struct sipws_ws_event *out);

/* The stream ended. MORE: between messages; ERROR: ws-cut. */
enum sipws_ws_kind sipws_ws_end(struct sipws_ws *w, struct sipws_ws_event *out);

/* Prints one frame with the shortest length. `key` is the masking key, which a client must draw
 * anew for every frame from a source that cannot be guessed (RFC 6455 5.3); NULL: not masked. The
 * caller sees to it that the frame is one that may be sent. */
void sipws_ws_put(struct sipws_out *o, bool fin, enum sipws_opcode opcode,
                  const unsigned char key[4], struct sipws_str payload);

/* Prints a close frame. SIPWS_CLOSE_NONE: without code. The reason is cut to 123 octets at a
 * character's border. */
void sipws_ws_put_close(struct sipws_out *o, const unsigned char key[4], unsigned code,
                        struct sipws_str reason);

/* dst[i] = src[i] ^ key[(phase + i) % 4]. dst and src may be the same. */
void sipws_unmask(char *dst, const char *src, size_t n, const unsigned char key[4], size_t phase);

#endif
