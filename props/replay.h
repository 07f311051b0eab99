/* Running a case again, whoever found it: what it is, how it ends, its bucket, and a smaller one.
 *
 *     replay_case.c    what a file is: its target, property or kind
 *     replay_child.c   runs it in a child, so that a crash is a result
 *     replay_bucket.c  what tells two failures apart
 *     replay_shrink.c  makes it small
 *     replay_keep.c    makes it a regression file
 *     replay_tell.c    what is told of it
 *     main_replay.c    the program
 */
#ifndef REPLAY_H
#define REPLAY_H

#include "property.h"

#include <sys/types.h>

struct replay_target {
    const char *name;
    int (*run)(const uint8_t *data, size_t n);
};

/* Of the program, in the order of their names; the last one's name is NULL. */
extern const struct replay_target replay_targets[];

const struct replay_target *replay_target_find(struct sipws_str name);

/* ---- what it is ------------------------------------------------------------------------------ */

enum replay_kind {
    REPLAY_UNKNOWN, /* an input of some target */
    REPLAY_TAPE,    /* of prop */
    REPLAY_INPUT,   /* of target */
    REPLAY_STORY,   /* props/STORIES.md */
    REPLAY_VECTORS  /* a file of corpus/vectors */
};

struct replay_case {
    const char *path;
    unsigned char *data; /* the whole file */
    size_t data_n;

    enum replay_kind kind;
    const struct prop *prop;
    const struct replay_target *target;
    unsigned char *input; /* the tape, or all of data: within data */
    size_t n;
    const char *how; /* what told the kind, for people */
    bool guess;      /* it told little: when the target holds, another one may not */
    struct prop_trial *trial;
};

/* By the contents, the name (ci/fuzz, ClusterFuzz), the folder (seeds, regress), what AFL++ and
 * honggfuzz put beside it, the folders around it; in this order. False: the tape of a property that
 * is not known here. */
bool replay_recognise(struct replay_case *c);

/* "msg", or the property's name. */
const char *replay_name(const struct replay_case *c);

/* ---- how it ends ----------------------------------------------------------------------------- */

enum replay_end {
    REPLAY_HOLDS,
    REPLAY_DISCARDED, /* the tape makes no story */
    REPLAY_FAILS,     /* the property, or an expectation of the story */
    REPLAY_CRASHED,
    REPLAY_HUNG,
    REPLAY_ATE /* too much memory */
};

struct replay_outcome {
    enum replay_end end;
    int code; /* CRASHED: the signal, or 256 and the exit status */
};

static inline bool replay_failed(struct replay_outcome o)
{
    return o.end > REPLAY_DISCARDED;
}

enum { REPLAY_SECONDS = 5, REPLAY_MEGABYTES = 2048 };

/* What one run may take. */
struct replay_limits {
    double cpu;     /* seconds of the processor */
    double until;   /* and when it ends, whatever else the machine has to do: of replay_now */
    long megabytes; /* that it may hold */
};

/* What a child printed: all of it, up to a limit. */
struct replay_said {
    char *p;
    size_t n, cap;
};

/* In this process. */
struct replay_outcome replay_here(const struct replay_case *c, const unsigned char *input,
                                  size_t n);

/* In a child; `said` may be NULL. Exits with 2 when there can be no child. */
struct replay_outcome replay_apart(const struct replay_case *c, const unsigned char *input,
                                   size_t n, struct replay_limits limits, struct replay_said *said);

/* Waits for a child of ours. It is ended, and has HUNG, when limits.until has come, and ATE when it
 * is too large. `look` is called now and then, and may end it by giving false. */
struct replay_outcome replay_await(pid_t child, struct replay_limits limits,
                                   bool (*look)(void *ctx), void *ctx);

/* Seconds since some time. */
double replay_now(void);

/* A second program, in which a crash is reported without names of functions, and so in no time.
 * NULL: this one has no sanitizer, and is as fast. */
struct replay_server *replay_server_start(const struct replay_case *c);
bool replay_server_ask(struct replay_server *s, const unsigned char *input, size_t n,
                       struct replay_limits limits, struct replay_outcome *o,
                       struct replay_said *said);
void replay_server_end(struct replay_server *s);

/* The other side: answers until there is no more question. The exit status. */
int replay_serve(const struct replay_case *c, int fd);

/* ---- what tells failures apart --------------------------------------------------------------- */

enum { REPLAY_FRAMES = 3 };

struct replay_bucket {
    char property[40];              /* that the target held and told of, or "" */
    char error[160];                /* "heap-buffer-overflow", "SIGABRT", or the broken claim */
    char frames[REPLAY_FRAMES][96]; /* function@file of our own code, innermost first */
    unsigned frame_n;
    char key[512]; /* target or property, error, frames; without blanks */
};

/* Of a failure; `said` is what its child printed, with names of functions where a sanitizer is. */
void replay_bucket(const struct replay_case *c, struct replay_outcome o,
                   const struct replay_said *said, struct replay_bucket *b);

/* The story that a target told of a property, in what it printed; n is 0 where it told none. */
struct sipws_str replay_story_told(const struct replay_said *said);

/* Equal for the same stack in the same program, with or without names. */
uint64_t replay_fingerprint(struct replay_outcome o, const struct replay_said *said);

/* ---- a smaller one --------------------------------------------------------------------------- */

/* Makes c->input and c->n small, as long as the bucket's key stays. One try may take `cpu` seconds,
 * all of them until `until`. Returns how often it tried. */
uint64_t replay_shrink(struct replay_case *c, struct replay_outcome o,
                       const struct replay_bucket *b, struct replay_limits limits);

/* ---- a file of it ---------------------------------------------------------------------------- */

/* A tape file, or the input. */
bool replay_save(const struct replay_case *c, const char *path);

/* Writes corpus/regress/TARGET/NAME of the checkout at `root`; NAME is `name`, or says what the
 * bucket says. The path goes to `out`. False: told to stderr why not. */
bool replay_keep(const struct replay_case *c, const struct replay_bucket *b, const char *root,
                 const char *name, char *out, size_t cap);

/* ---- the program ----------------------------------------------------------------------------- */

enum { REPLAY_PATH = 4096 };

struct replay_options {
    const struct replay_target *target;
    const struct prop *prop;
    const char *name;
    double seconds; /* of the clock, for --shrink */
    double timeout; /* of the processor, for one run */
    long megabytes; /* for one run */
    int serve;      /* the descriptor, 0: not */
    bool explain, shrink, bucket, json, bisect, to_regress, as_c, as_wire, as_pcap, no_fork;
};

/* One file, as far as it is known. */
struct replay_work {
    struct replay_case c;
    struct replay_outcome outcome;
    struct replay_bucket bucket;
    struct replay_said said;
    const struct replay_options *o;
    double begun;
    size_t was; /* octets, before it was made small */
    uint64_t tries;
    char small[REPLAY_PATH], kept[REPLAY_PATH];
};

/* Standard output is not for the verdict. */
bool replay_prints_other(const struct replay_options *o);

/* One line, and of a failure what to do next. */
void replay_put_verdict(const struct replay_work *w);

/* The story where one can be drawn, what happened, and where. */
void replay_explain(struct replay_work *w);

/* A line of JSON. */
void replay_put_json(const struct replay_work *w);

/* Of these the exit status of the program. */
int replay_as_wire(const struct replay_case *c, bool pcap);
int replay_as_c(const struct replay_work *w);
int replay_tell_story(const struct replay_work *w, const struct replay_options *o);

#endif
