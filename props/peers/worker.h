/* A peer's process: it is started, asked, and where it crashes or hangs ended and started again. */
#ifndef SIPWS_WORKER_H
#define SIPWS_WORKER_H

#include "peer.h"

enum answer_verdict {
    ANSWER_ACCEPT,
    ANSWER_REFUSE,
    ANSWER_CRASH, /* or it ended, or what it wrote is no answer */
    ANSWER_HANG,
    ANSWER_ABSENT
};

struct answer {
    enum answer_verdict verdict;
    char *reason;    /* of everything but ACCEPT; may be NULL */
    json_t *reading; /* of ACCEPT; of a stream of frames also of REFUSE; else NULL */
};

struct worker;

/* Starts nothing yet. `dir` is props/peers, `built` build/peers: for $PEERS and $BUILT. They must
 * outlive it. */
struct worker *worker_new(const struct peer *peer, const char *dir, const char *built);
void worker_free(struct worker *w);

/* Starts it where it does not run, and waits until it has said who it is. False: it is absent. */
bool worker_ready(struct worker *w);
const char *worker_version(const struct worker *w); /* "" before it is ready */
const char *worker_absent(const struct worker *w);  /* why; NULL: it is not */

/* Hands it a message; then its answer is to be taken, which is there after `seconds` or counts as
 * ANSWER_HANG. Several workers can be handed the same one before the first is waited for; `p` must
 * stay until then. */
void worker_send(struct worker *w, const char *p, size_t n);
void worker_take(struct worker *w, double seconds, struct answer *out);

void answer_free(struct answer *a);
const char *answer_name(enum answer_verdict v);

#endif
