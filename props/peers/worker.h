/* A peer's process: it is started, asked, and where it crashes or hangs ended and started again. */
#ifndef SIPWS_WORKER_H
#define SIPWS_WORKER_H

#include "mark.h"
#include "peer.h"

/* Whether this is built with a sanitizer that replaces malloc. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(memory_sanitizer))
#else
#define SANITIZED 0
#endif

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

/* Seconds of processor time that it took until now. */
double worker_cpu(const struct worker *w);

/* Hands it a message, whose answer is to be taken later. Up to WORKER_WINDOW messages can be on
 * their way, and their answers come in the same order; several workers can be handed the same one.
 * `p` must stay until its answer is taken. */
enum { WORKER_WINDOW = 64 };
void worker_send(struct worker *w, const char *p, size_t n);

/* The next answer, which is there after `seconds` or counts as ANSWER_HANG. A worker that crashed
 * or hung is started again, and handed what it has not answered yet. */
void worker_take(struct worker *w, double seconds, struct answer *out);

/* The same for those who only want to know whether an answer is like another one: of linked peers,
 * whose children compare in their own process, and so at a multiple of the speed. */
bool worker_marks(const struct worker *w); /* whether it can */
void worker_send_marks(struct worker *w, const char *p, size_t n);
void worker_take_marks(struct worker *w, double seconds, struct marks *out);

void answer_free(struct answer *a);
const char *answer_name(enum answer_verdict v);

#endif
