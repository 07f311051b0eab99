/* WebSocket frames and messages (RFC 6455 sections 5 to 8), both roles.
 *
 * The reader takes octets in pieces of any size and gives events. It copies payload into the
 * caller's buffer while unmasking it, so that a message is in one piece however it was cut into
 * frames and reads. No extension is agreed to, so every reserved bit is refused. The same octets
 * give the same events and errors however they are cut.
 *
 * The octet that an error names is the first at which the refusal is certain:
 * - anything behind a close frame: the octet behind it;
 * - reserved bits, opcode, a fragmented control frame, a frame out of turn, one fragment too many:
 *   the first octet of the frame;
 * - masking, a long control frame, a close frame of one octet: the second octet of the frame;
 * - a length of 2^63 or more: its first octet. A length in too many octets: its second of two, its
 *   sixth of eight (six zeros);
 * - a message above the limit: the octet of the length at which it is above with nothing but zeros
 *   to follow. Not one octet of that frame's payload is waited for;
 * - text or a reason that is not UTF-8: the offending octet. If it ends within a character: the
 *   octet behind the frame, where the character should go on;
 * - a close code: its first octet, for a code is one thing (it is judged when both are there);
 * - the end of the stream within a frame or message: the end.
 * Of two flaws of one octet the one that stands first in this list is named.
 */
#ifndef SIPWS_WS_H
#define SIPWS_WS_H

#include "limits.h"
#include "out.h"
#include "utf8.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Who we are. A server reads masked frames and writes unmasked ones; a client the reverse. */
enum sipws_role { SIPWS_SERVER, SIPWS_CLIENT };

/* Opcodes of RFC 6455 11.8. */
enum sipws_opcode {
    SIPWS_CONTINUATION = 0,
    SIPWS_TEXT = 1,
    SIPWS_BINARY = 2,
    SIPWS_CLOSE = 8,
    SIPWS_PING = 9,
    SIPWS_PONG = 10
};

/* Close codes of RFC 6455 7.4.1, as far as they are named in this library. */
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

/* What sipws_ws_read found. */
enum sipws_ws_kind {
    SIPWS_WS_MORE,    /* all input is used up */
    SIPWS_WS_MESSAGE, /* a whole text or binary message */
    SIPWS_WS_PING,
    SIPWS_WS_PONG,
    SIPWS_WS_CLOSE, /* the last event; what follows on the wire is refused */
    SIPWS_WS_ERROR  /* sticky: every further call gives it again */
};

/* An event, in a variable of the caller's. */
struct sipws_ws_event {
    enum sipws_ws_kind kind;
    bool binary;            /* MESSAGE */
    uint16_t code;          /* CLOSE: the code, or SIPWS_CLOSE_NONE */
    struct sipws_str data;  /* payload of the message or control frame, or the reason of a close;
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

/* A reader of frames. */
struct sipws_ws {
    enum sipws_role role;
    size_t limit;       /* octets of a message, at most what the buffer holds */
    uint32_t fragments; /* frames of a message */
    char *buf;          /* the caller's, for the message */

    /* The rest belongs to the reader. */
    size_t n;        /* octets of the message so far */
    uint32_t frames; /* frames of the message so far; 0 = between messages */
    bool binary, closed;
    struct sipws_utf8 utf8; /* of the text message so far */
    size_t off;             /* octets read from the stream */
    uint8_t head_n;         /* octets of the current frame's header so far */
    uint8_t head_len;       /* octets it has in all, as far as is known: 2 to 14 */
    struct sipws_frame frame;
    uint64_t done; /* payload octets of the current frame read */
    char control[SIPWS_MAX_CONTROL];
    struct sipws_diag error;
};

/* A reader whose messages are put together in buf[cap]. Limits as in `limits`, and `cap`. */
void sipws_ws_init(struct sipws_ws *w, enum sipws_role role, const struct sipws_limits *limits,
                   char *buf, size_t cap);

/* Reads from *in, stepping over what is used, up to the next event or the end of the input. Offsets
 * in diag count from the first octet ever fed. What follows a refused octet or a close frame stays
 * in *in. */
enum sipws_ws_kind sipws_ws_read(struct sipws_ws *w, struct sipws_str *in,
                                 struct sipws_ws_event *out);

/* The stream ended. MORE: between messages; ERROR: ws-cut. */
enum sipws_ws_kind sipws_ws_end(struct sipws_ws *w, struct sipws_ws_event *out);

/* Prints one frame with the shortest length. `key` is the masking key, which a client must draw
 * anew for every frame from a source that cannot be guessed (RFC 6455 5.3); NULL: not masked. The
 * caller sees to it that the frame is one that may be sent. */
void sipws_ws_put(struct sipws_out *o, bool fin, enum sipws_opcode opcode,
                  const unsigned char key[4], struct sipws_str payload);

/* Prints a close frame. SIPWS_CLOSE_NONE, and any other code that may not be sent: without code and
 * reason. The reason is cut at the last character's border within 123 octets, or before what is not
 * UTF-8. */
void sipws_ws_put_close(struct sipws_out *o, const unsigned char key[4], unsigned code,
                        struct sipws_str reason);

/* dst[i] = src[i] ^ key[(phase + i) % 4]. dst and src may be the same, but not overlap otherwise;
 * neither need be aligned. */
void sipws_unmask(char *dst, const char *src, size_t n, const unsigned char key[4], size_t phase);

#ifdef __cplusplus
}
#endif

#endif
