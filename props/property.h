/* Properties: statements that hold for every tape.
 *
 * A property is two functions: draw makes a story from a tape, hold judges it. Whatever mutates,
 * shrinks or prints calls only draw, so draw never calls the code under test: it may crash, hang
 * or lie. The same property runs under cmocka, libFuzzer, AFL++ and sipws-replay; a tape has the
 * same verdict in all of them.
 *
 * Where a file keeps a case it is a tape file: the line "sipws-tape 1 NAME" with its LF, then the
 * octets of the tape.
 */
#ifndef SIPWS_PROPERTY_H
#define SIPWS_PROPERTY_H

#include "out.h"
#include "tape.h"

#include <stdio.h>

enum verdict { HOLDS, FAILS, DISCARDED };

/* Memory for one case. What is drawn from it lies apart, so that AddressSanitizer sees an octet
 * read or written past its end. */
struct arena {
    unsigned char *p;
    size_t cap;
    size_t n;
    bool full; /* something did not fit */
};

/* n zeroed octets, aligned for anything; NULL when they do not fit, and ever after. */
void *arena_get(struct arena *a, size_t n);

/* All of it is free again, from n = 0 on. */
void arena_clear(struct arena *a);

/* A copy of `s` of exactly its size. p is NULL only when it does not fit. */
struct sipws_str arena_copy(struct arena *a, struct sipws_str s);

/* All that is free as one writer; arena_end cuts off what was written and returns it. Nothing else
 * may be drawn in between. Too much: p is NULL, and the arena is full. */
struct sipws_out arena_begin(struct arena *a);
struct sipws_str arena_end(struct arena *a, const struct sipws_out *o);

/* How often a class of cases must come up, so that a generator that misses its point is noticed.
 * 0: only counted. */
struct prop_class {
    const char *label;
    unsigned permille;
};

enum { PROP_CLASSES = 16, PROP_SPANS = 4096 };

struct prop_trial;

struct prop {
    const char *name;     /* "layer/what" */
    const char *plant;    /* a deliberate bug of ref/plant.def that makes it fail */
    const char *sentence; /* what is claimed, for someone to disagree with */

    /* A story, or NULL to discard the tape. A full arena discards too. */
    const void *(*draw)(struct tape *t, struct arena *a);
    enum verdict (*hold)(struct prop_trial *r, const void *story);
    void (*explain)(const void *story, FILE *f);          /* the story, for people */
    void (*wire)(const void *story, struct sipws_out *o); /* its octets, or NULL: none */
    void (*report)(FILE *f); /* what else a run should tell of all its cases, or NULL */

    struct prop_class classes[PROP_CLASSES]; /* up to the first without label */
    unsigned discard_percent;                /* more discarded cases than that fail the run */
    unsigned tape_max;                       /* octets of the longest tapes that the runner makes */
};

/* One case: where draw and hold work, and what came of it. */
struct prop_trial {
    const struct prop *prop;
    struct tape tape; /* as draw left it */
    const void *story;
    struct arena arena;
    uint32_t classes; /* bit i: prop->classes[i] came up */

    /* Of a failure: */
    const char *id; /* static; a shrinker keeps to it */
    size_t at;      /* the first diverging octet of the wire, or PROP_NOWHERE */
    char text[1024];

    struct tape_span spans[PROP_SPANS];
};

#define PROP_NOWHERE SIZE_MAX

/* With memory of its own; exits when there is none. */
struct prop_trial *prop_trial_new(void);
void prop_trial_free(struct prop_trial *r);

/* For hold: says that the story is of a class, which must be one of prop->classes. */
void prop_class(struct prop_trial *r, const char *label);

/* For hold: `return prop_fail(...)`. `id` is static and says which claim broke; `at` is the first
 * diverging octet, or PROP_NOWHERE. */
enum verdict prop_fail(struct prop_trial *r, const char *id, size_t at, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 4, 5)))
#endif
    ;

/* For hold: fails unless both are the same octets, and says where they part. */
enum verdict prop_same(struct prop_trial *r, const char *id, struct sipws_str want,
                       struct sipws_str got);

/* For explain: the octets as C would write them, broken into lines behind each LF. */
void prop_octets(FILE *f, const char *indent, struct sipws_str s);

/* ---- running --------------------------------------------------------------------------------- */

/* Draws only: r->story, r->tape. False: discarded. */
bool prop_draw(const struct prop *p, const unsigned char *tape, size_t n, struct prop_trial *r);

/* Draws and judges. */
enum verdict prop_check(const struct prop *p, const unsigned char *tape, size_t n,
                        struct prop_trial *r);

/* The story of a trial, its verdict, and where it failed. */
void prop_explain(const struct prop_trial *r, enum verdict v, FILE *f);

/* A cmocka test that fails until the property holds. */
void prop_as_c(const struct prop_trial *r, const unsigned char *tape, size_t n, FILE *f);

/* Does this tape still fail in the same way? */
typedef bool prop_judge(void *ctx, const unsigned char *tape, size_t n);

/* Makes a failing tape shorter, then lower, in place, for as long as `judge` agrees and `seconds`
 * have not passed. Returns its new length. Calls draw (for the spans), never hold. `p` may be NULL:
 * then there are no spans. */
size_t prop_shrink(const struct prop *p, unsigned char *tape, size_t n, prop_judge *judge,
                   void *ctx, double seconds, uint64_t *tries);

/* The same, where the way of failing is the id with which the tape fails now. */
size_t prop_shrink_id(const struct prop *p, unsigned char *tape, size_t n, double seconds,
                      uint64_t *tries);

/* The next random number; the state may begin anywhere. */
uint64_t prop_random(uint64_t *state);

/* A tape of up to `limit` octets by chance: each length is as likely, and the octets are of
 * different sorts, so that some tapes choose what is simple nearly everywhere. */
size_t prop_fresh(uint64_t *state, unsigned char *out, size_t limit);

enum prop_end { PROP_OK, PROP_FAILED, PROP_UNHEALTHY };

struct prop_run {
    uint64_t cases; /* in: how many; out: how many ran */
    uint64_t seed;
    double seconds; /* in: stop after that many, 0 = never */

    /* Called now and then, and before each case with the tape; either may be NULL. */
    void (*progress)(const struct prop *p, uint64_t done, uint64_t cases);
    void (*before)(const struct prop *p, const unsigned char *tape, size_t n);

    uint64_t discarded;
    uint64_t counts[PROP_CLASSES];
    uint64_t shrink_tries;
    double spent;        /* seconds in all; of these: */
    double draw, hold;   /* in the two functions of the property, but for shrinking */
    double shrink;       /* what is left went into the tapes */
    unsigned char *tape; /* the shrunk tape of a failure, or NULL; the caller frees it */
    size_t tape_n;
    char health[160]; /* of PROP_UNHEALTHY: what is out of bounds */
};

/* Runs a property: random tapes, short ones first, and mutations of earlier ones. The same seed
 * gives the same tapes. Stops at the first failure and shrinks it. */
enum prop_end prop_run(const struct prop *p, struct prop_run *run);

/* ---- registry and files ---------------------------------------------------------------------- */

/* All properties in the order of property.def, NULL at the end. Names that start with "selftest/"
 * test the runner: they are false, unhealthy or deadly by design. */
extern const struct prop *const props[];

const struct prop *prop_find(struct sipws_str name);
bool prop_is_selftest(const struct prop *p);

/* Splits the contents of a tape file. False: it is none; *p is NULL when only the name is not
 * known. */
bool prop_file(const unsigned char *data, size_t n, const struct prop **p,
               const unsigned char **tape, size_t *tape_n);

/* The property and tape that an input of the fuzz target stands for: a tape file, or a selector of
 * two octets and a tape. NULL: too short. A selector means the property whose hash is next to it,
 * so that adding a property moves few inputs. */
const struct prop *prop_select(const unsigned char *data, size_t n, const unsigned char **tape,
                               size_t *tape_n);

/* The selector of a property. */
void prop_selector(const struct prop *p, unsigned char out[2]);

/* Writes a tape file, or says why not (errno). */
bool prop_save(const char *path, const struct prop *p, const unsigned char *tape, size_t n);

/* "NAME-HASH.tape" with the slash as a dash. */
void prop_file_name(const struct prop *p, const unsigned char *tape, size_t n, char *out,
                    size_t cap);

#endif
