/* What a server must answer to a story, and whether it did. No socket and no clock: whoever plays
 * the story hands over what came back, and asks whether something is still owed.
 *
 *     judge_open(j, story, arena);
 *     … send j->wire up to j->head; judge_read() what comes until !judge_owes(j, JUDGE_HEAD)
 *     … if judge_agreed(j), the rest of j->wire, until !judge_owes(j, JUDGE_ALL)
 *     … if judge_may_close(j), a close frame: judge_closing(j), until !judge_owes(j, JUDGE_ALL)
 *     judge_findings(j);
 *
 * What a right server reads in the story is what ref reads in it; whether ref is right is the
 * business of all other tests. What the server sends is read by ref as a client.
 */
#ifndef SIPWS_JUDGE_H
#define SIPWS_JUDGE_H

#include "story.h"

/* A row of rules.def. */
enum judge_level { JUDGE_MUST, JUDGE_SHOULD };

enum judge_rule_id {
#define R(name, id, level, rfc, text) JUDGE_##name,
#include "rules.def"
#undef R
    JUDGE_RULES
};

struct judge_rule {
    const char *id;
    enum judge_level level;
    const char *rfc, *text;
};

extern const struct judge_rule judge_rules[JUDGE_RULES];

struct judge_finding {
    enum judge_rule_id rule;
    const char *on;   /* what it is about, for a class of findings: the id of an error of err.def,
                         or the form of a message ("fragmented", "plain", …); "" for nothing */
    char detail[200]; /* for people */
};

/* What ref reads in the story. */
struct judge_event {
    enum sipws_event_kind kind;
    enum sipws_err err;
    uint16_t code;
    struct sipws_str data;   /* of a ping, a keep-alive */
    bool is_request, is_ack; /* MESSAGE */
    struct sipws_str branch, method, call_id;
    const char *form; /* of a WebSocket message: how it was framed */
    bool answered;
};

enum { JUDGE_EVENTS = 600, JUDGE_FINDINGS = 16 };

enum judge_phase { JUDGE_HEAD, JUDGE_ALL };

struct judge {
    /* Of the story: its octets, of which the first `head` are the handshake, and where reads end
     * and time passes. Behind the story's own octets stands a ping of ours, unless the story ends
     * its stream. */
    struct sipws_str wire;
    size_t head;
    const struct drive_stop *stops;
    size_t stops_n;
    bool ends;     /* the story ends its stream */
    bool swallows; /* the ping of ours is part of an unfinished frame: nothing tells when all is
                      read */
    struct judge_event want[JUDGE_EVENTS];
    size_t want_n;

    /* Of the server. */
    struct sipws_conn conn; /* ours, which reads what it sends */
    struct sipws_diag diag; /* why that is no sound stream; else SIPWS_OK */
    bool open, closed, ended;
    uint16_t code;      /* of its close frame */
    bool ponged;        /* it answered the ping of ours */
    bool closing;       /* the player sent a close frame of ours */
    size_t other_pongs; /* with a payload that no ping had */

    struct judge_finding found[JUDGE_FINDINGS];
    size_t found_n;

    /* Memory of the readers. */
    struct sipws_field fields[DRIVE_FIELDS];
    char buf[DRIVE_MESSAGE], tx[4 * SIPWS_CONN_ROOM];
    struct drive drive;
    struct arena *arena;
};

/* False: the arena is full, or the story has more events than there is room for. The story must be
 * told to a server. */
bool judge_open(struct judge *j, const struct story *s, struct arena *a);

/* Octets of the server; and the end of its stream. */
void judge_read(struct judge *j, struct sipws_str octets);
void judge_end(struct judge *j);

/* Whether it agreed to the handshake, so that frames may be sent. */
bool judge_agreed(const struct judge *j);

/* Whether something is still to come: time may bring it. */
bool judge_owes(const struct judge *j, enum judge_phase phase);

/* Whether the connection is in order and open; then the player closes it. */
bool judge_may_close(const struct judge *j);
void judge_closing(struct judge *j);

/* Fills j->found. */
void judge_findings(struct judge *j);

#endif
