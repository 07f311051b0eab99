/* Streams of WebSocket frames from a tape: good ones, and ones that are bent in one place.
 *
 * What is drawn is what a sender means (messages, their fragments, control frames between them);
 * from that come the octets and the events that a reader must give. A bend spoils one thing, and
 * knows the error that it earns. Printing, masking and reassembly here are naive and of their own:
 * nothing of ref/ws.c is called.
 *
 *     struct gen_ws *g = gen_ws_new(t, a, SIPWS_SERVER);    // or gen_ws() for all of it
 *     gen_ws_message(g, false, text);                       // as often as you like
 *     gen_ws_finish(g, GEN_WS_GOOD);
 *     … g->wire …
 */
#ifndef GEN_WS_H
#define GEN_WS_H

#include "property.h"
#include "twin.h"
#include "ws.h"

enum gen_ws_bend {
#define B(name, weight, text, err) GEN_WS_##name,
#include "gen_ws.def"
#undef B
    GEN_WS_BENDS
};

struct gen_ws_frame {
    bool fin, masked;
    uint8_t rsv, opcode;
    unsigned char key[4];
    uint64_t len;      /* as declared */
    uint8_t len_extra; /* octets of the length behind the second: 0, 2, 8 */
    struct sipws_str payload;
    size_t off; /* of its first octet in the wire */
};

enum { GEN_WS_FRAMES = 96 };

struct gen_ws {
    struct tape *t; /* while drawing */
    struct arena *a;

    enum sipws_role role; /* of the reader */
    struct sipws_limits
        limits; /* message, fragments: as tight as the good frames allow, or wider */
    struct gen_ws_frame frames[GEN_WS_FRAMES];
    size_t n;
    bool ended; /* the stream ends after the wire */

    enum gen_ws_bend bend;
    size_t bent;        /* the frame from which on no event comes */
    enum sipws_err err; /* what the bend earns; SIPWS_OK: nothing, or GEN_WS_CUT between messages */
    struct sipws_str wire;
    struct twin_event want[GEN_WS_FRAMES]; /* the events before the error */
    size_t want_n;
    size_t largest;   /* octets of the largest whole message */
    uint32_t longest; /* frames of the message of most frames */
};

/* Characters of all lengths and at all edges, `n` octets. */
struct sipws_str gen_ws_text(struct tape *t, struct arena *a, size_t n);

/* Any octets, `n` of them. */
struct sipws_str gen_ws_octets(struct tape *t, struct arena *a, size_t n);

/* A size: mostly small, often where a length changes its form. */
size_t gen_ws_size(struct tape *t);

/* Octets that no text has, and the front of a character. */
struct sipws_str gen_ws_bad_utf8(struct tape *t);
struct sipws_str gen_ws_half_character(struct tape *t);

/* NULL when the arena is full. */
struct gen_ws *gen_ws_new(struct tape *t, struct arena *a, enum sipws_role role);

/* One message in one or more frames, with control frames between them. */
void gen_ws_message(struct gen_ws *g, bool binary, struct sipws_str payload);

/* A ping or pong; a close frame, which must come last. */
void gen_ws_control(struct gen_ws *g);
void gen_ws_close(struct gen_ws *g);

/* What to bend, by the weights of gen_ws.def. */
enum gen_ws_bend gen_ws_draw_bend(struct tape *t);

/* Bends, prints and fills in what is wanted. False: the arena is full. */
bool gen_ws_finish(struct gen_ws *g, enum gen_ws_bend bend);

/* All of it: a role, messages and control frames, half the time a close frame, and a bend in half
 * of the cases if `may_bend`. NULL when the arena is full. */
struct gen_ws *gen_ws(struct tape *t, struct arena *a, bool may_bend);

const char *gen_ws_bend_name(enum gen_ws_bend bend);

/* For struct prop; the story is a struct gen_ws. */
void gen_ws_explain(const void *story, FILE *f);
void gen_ws_wire(const void *story, struct sipws_out *o);

/* How a stream is cut into pieces: the sizes, over and over. */
struct gen_cuts {
    uint32_t n;
    uint32_t size[16];
};

struct gen_cuts gen_cuts(struct tape *t);
void gen_cuts_explain(const struct gen_cuts *c, FILE *f);

#endif
