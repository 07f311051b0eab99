/* The text form of a story: what a peer does on one SIP WebSocket connection, for people to read,
 * edit and replay. STORIES.md is its grammar.
 *
 * What a step does not say is derived when its octets are made: lengths, masking keys, the end of a
 * head, Content-Length. Whatever is said stands, however wrong.
 */
#ifndef STORY_H
#define STORY_H

#include "drive.h"
#include "gen_conn.h"
#include "property.h"

enum story_kind {
    STORY_HANDSHAKE,
    STORY_FRAME,
    STORY_SIP, /* a frame whose payload is a SIP message */
    STORY_RAW, /* octets as they stand */
    STORY_CUT, /* a read ends here */
    STORY_WAIT,
    STORY_END, /* of the stream */
    STORY_EXPECT
};

/* Whether a frame is masked, and how. */
enum story_mask {
    STORY_MASK_ROLE, /* as its sender must, with STORY_KEY */
    STORY_MASK_NO,
    STORY_MASK_KEY /* with `key` */
};

/* The octets of a length behind the second octet of a frame. */
enum story_form { STORY_FORM_SHORTEST, STORY_FORM_7, STORY_FORM_16, STORY_FORM_64 };

enum {
    STORY_STEPS = 512,
    STORY_CUTS = 14, /* of one step */
    STORY_KEY = 0x5A /* each octet of a derived masking key */
};

struct story_step {
    enum story_kind kind;
    bool good;  /* HANDSHAKE: a sound one, all derived */
    bool as_is; /* HANDSHAKE, SIP: nothing is added to the octets */

    /* FRAME, SIP */
    bool more; /* FIN is not set */
    uint8_t rsv, opcode;
    enum story_mask mask;
    unsigned char key[4];
    enum story_form form;
    bool has_length;
    uint64_t length; /* as declared, if has_length */

    struct sipws_str octets; /* the payload before derivation; EXPECT: the line */
    uint32_t ms;             /* WAIT */

    /* Reads that end within the step: octets from its start, ascending. */
    uint32_t cut[STORY_CUTS];
    uint8_t cuts;
    uint32_t line; /* of the file */
};

struct story {
    struct sipws_str title; /* n is 0: none */
    enum sipws_role role;   /* of the engine */
    bool tls;
    bool refuse; /* a server: answers with 403 */
    uint32_t allow;
    struct sipws_limits limits;
    uint32_t pieces; /* no read is longer; 0: as long as can be */
    size_t n;
    struct story_step steps[STORY_STEPS];
};

/* Why a text is no story. */
struct story_error {
    size_t line, column; /* from 1; columns are octets */
    char reason[160];
};

/* The first line of each story's text, with its LF. */
#define STORY_MAGIC "sipws-story 1\n"

bool story_is(struct sipws_str text);

/* NULL: *e says why, or the arena is full. */
struct story *story_read(struct sipws_str text, struct arena *a, struct story_error *e);

/* Reading the text again gives the same story, except for its line numbers. */
void story_print(const struct story *s, struct sipws_out *o);

bool story_same(const struct story *s, const struct story *t);

/* The story of a generated connection; what is not made of frames becomes raw octets. NULL: the
 * arena is full. */
struct story *story_of_conn(const struct gen_conn *c, struct arena *a);

/* The story of a case of the property story/text: connections from gen_conn, with cuts and time. */
const struct story *story_drawn(const void *story);

/* The octets of the peer. */
void story_wire(const struct story *s, struct sipws_out *o);

/* Where reads end within these octets, and time passes. NULL: the arena is full. */
struct drive_stop *story_stops(const struct story *s, struct arena *a, size_t *n);

/* Runs the engine of `d` over the story. `lines` takes what happened, a line an event or answer:
 * what `expect` is held against; `transcript` all that drive_run tells. False: the arena is full.
 */
bool story_run(const struct story *s, struct arena *a, struct drive *d, struct sipws_out *lines,
               struct sipws_out *transcript);

/* Holds the story's expect lines against what happened; true also where it has none. The first
 * difference is described in `why`; *line is where it was expected in the file. */
bool story_holds(const struct story *s, struct sipws_str lines, uint32_t *line,
                 struct sipws_out *why);

bool story_expects(const struct story *s);

#endif
