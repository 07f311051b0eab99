/* Generated SIP messages, valid by construction, with what they mean.
 *
 * Each message is written twice at the same time: as octets with odd but legal white space, folds,
 * compact names and letter cases, and in the canonical form. The canonical form is the model: what
 * a right reader prints after reading the octets.
 */
#ifndef GEN_MSG_H
#define GEN_MSG_H

#include "msg.h"
#include "property.h"

enum { GEN_MSG_FIELDS = 48, GEN_MSG_MAX = 16384 };

struct gen_field {
    enum sipws_field_id id;
    struct sipws_str name;  /* as it is written */
    struct sipws_str line;  /* with its line end */
    struct sipws_str canon; /* canonical, with its line end */
    bool needed;            /* the message is wrong without it */
};

struct gen_msg {
    bool is_request;
    enum sipws_method method; /* of the request, or the one that is answered */
    struct sipws_str method_name;
    struct sipws_str uri; /* Request-URI, canonical */
    unsigned status;
    struct sipws_str reason;
    struct sipws_str start, canon_start; /* start lines with their line ends */
    struct gen_field fields[GEN_MSG_FIELDS];
    size_t n;
    struct sipws_str body;
    bool folds, spaces, compact; /* what odd forms it has */

    struct sipws_str text;  /* all of it, of exactly its size */
    struct sipws_str canon; /* canonical */
};

/* What must be so, beyond validity. */
struct gen_msg_want {
    enum sipws_transport transport; /* of the top Via; SIPWS_TRANSPORT_ANY: any */
    bool request, response;         /* one of them only; both or none: either */
    bool plain;                     /* no odd forms: the text is the canonical form */
    bool utf8;                      /* the body too is UTF-8 */
    size_t body;                    /* octets of the longest body; 0: 600 */
};

/* False: the arena is full. */
bool gen_msg(struct tape *t, struct arena *a, const struct gen_msg_want *want, struct gen_msg *out);

/* The message bent in one chosen place, so that it has an error: octets of exactly their size, and
 * what was done to it. `at` is where the text was first changed. NULL p: the arena is full. */
struct gen_bent {
    const char *how; /* static */
    struct sipws_str text;
    size_t at;
};
struct gen_bent gen_msg_bent(struct tape *t, struct arena *a, const struct gen_msg *m);

#endif
