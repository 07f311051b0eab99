/* Peers: other stacks, and what they make of a message or of a stream of frames.
 *
 * A peer is a worker: a process that gets messages on its standard input, each behind its length in
 * 4 octets (most significant first), and writes one line of JSON for itself and one for each
 * message (reading.schema.json). A library is linked, and its worker is a child of ours; anything
 * else is a program. So a crash, a hang and whatever a stack does to its memory are results like
 * any other.
 *
 * What a linked stack needs is one file: a function that reads, and a struct peer. README.md walks
 * through one.
 */
#ifndef SIPWS_PEER_H
#define SIPWS_PEER_H

#include <stdbool.h>
#include <stddef.h>

/* jansson's; its header and those of a stack may not get on with each other. */
typedef struct json_t json_t;

enum peer_layer {
    PEER_SIP, /* one message, as one WebSocket message carries it */
    PEER_WS,  /* the octets that a client sends behind its handshake, to their end */
    PEER_HTTP /* the handshake's request, to its empty line */
};

/* "sip", "ws", "http" */
const char *peer_layer_name(enum peer_layer layer);

struct peer {
    const char *name, *version;
    enum peer_layer layer;

    /* Linked: puts into `reading` what the stack understood of the n octets at p. False: refused,
     * and peer_refuse may have said why; of a message the reading counts for nothing then, of a
     * stream it is what came before. NULL: a program. */
    bool (*read)(json_t *reading, const char *p, size_t n);

    /* A program: what to run, by a shell, in a folder of its own. $PEERS is this folder,
     * $BUILT is where ci/setup --peers has put what the programs need. */
    const char *command;

    const char *absent; /* why it cannot be asked; NULL: it may be */
};

/* All of them, absent ones included; NULL at the end. ref is the first. */
extern const struct peer *const peers[];

/* ---- for those who read: members of a JSON object -------------------------------------------- */

/* A member of `o`: n octets. p NULL: null, there is none. */
void peer_octets(json_t *o, const char *key, const char *p, size_t n);
void peer_text(json_t *o, const char *key, const char *text);

/* The same of a stack that says by no octets that there is none. */
void peer_part(json_t *o, const char *key, const char *p, size_t n);

/* A number; peer_digits takes it from text: null where that is empty or NULL, a text where it is no
 * number. */
void peer_number(json_t *o, const char *key, long long number);
void peer_digits(json_t *o, const char *key, const char *text);

/* "host": an IPv6 address gets the brackets that some stacks take off. */
void peer_host(json_t *o, const char *p, size_t n);

/* A new member that is an object or an array; or a new object at the end of an array. Borrowed.
 * peer_object_if: null, and gives NULL, where it is not there. */
json_t *peer_object(json_t *o, const char *key);
json_t *peer_object_if(json_t *o, const char *key, bool there);
json_t *peer_array(json_t *o, const char *key);
json_t *peer_item(json_t *array);

/* "*" at the end of an array: of Contact. */
void peer_star(json_t *array);

/* The name in full of a compact form, or NULL. */
const char *peer_full_name(const char *name, size_t n);

/* The start line. Each gives what the rest goes into: the object of the request, or NULL. */
json_t *peer_request(json_t *reading, const char *method, size_t n);
void peer_response(json_t *reading, long long status);

/* "port": null where there is none, which stacks say by 0 or less; "cseq"; "content-length", null
 * where it is negative. */
void peer_port(json_t *o, long port);
void peer_cseq(json_t *reading, long long number, const char *method, size_t n);
void peer_cseq_digits(json_t *reading, const char *number, const char *method);
void peer_length(json_t *reading, long long length);

/* A URI in octets, none of what is not there: its scheme and, of sip and sips, its parts. */
void peer_uri_parts(json_t *o, const char *scheme, size_t scheme_n, const char *user, size_t user_n,
                    const char *password, size_t password_n, const char *host, size_t host_n,
                    long port, const char *params, size_t params_n);

/* What C libraries give: text or NULL, a port as text. The parts of a SIP URI; an element of "via";
 * an address without its URI, for which the object is given back. */
void peer_uri(json_t *o, const char *user, const char *password, const char *host,
              const char *port);
void peer_via(json_t *vias, const char *transport, const char *host, const char *port,
              const char *branch);
json_t *peer_address(json_t *o, const char *display, const char *tag);

/* A text as two arguments. */
#define PEER_TEXT(text) (text), ((text) ? strlen(text) : 0)

/* A header field, for "fields". raw NULL: not kept. */
void peer_field(json_t *fields, const char *name, size_t name_n, const char *raw, size_t raw_n);

/* The same of its line: the value is what stands behind the colon, without white space around it.
 * Nothing where there is no colon. */
void peer_field_line(json_t *fields, const char *name, const char *line, size_t n);

/* Why it refuses: the last word counts. */
void peer_refuse(const char *why);
const char *peer_why(void);

#endif
