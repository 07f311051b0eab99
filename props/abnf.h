/* The ABNF engine: grammars as RFC 5234 and RFC 7405 write them, made to recognise and to generate.
 *
 * The recogniser is byte-exact and backtracks fully: it computes, for a rule and a position, the
 * set of all positions where the rule can end, and remembers it. It works by no idea of how a
 * parser should go about it, so it shares no mistake with ref. Its work is bounded; running out of
 * the bound is "undecided", never "refused".
 *
 * Left-recursive rules are refused when the grammar is loaded, as is a rule that is used and not
 * defined.
 */
#ifndef SIPWS_ABNF_H
#define SIPWS_ABNF_H

#include "out.h"
#include "tape.h"

struct abnf;

/* What a prose value stands for: whether these octets are one. */
struct abnf_prose {
    const char *text; /* between the angle brackets; NULL ends an array of these */
    bool (*is)(struct sipws_str s);
    void (*make)(struct tape *t, struct sipws_out *o); /* draws one; NULL: cannot be generated */
};

/* Reads a rulelist: rules in any order, each at the start of a line, "=/" adding to an earlier one;
 * lines may end with LF. The core rules are known. NULL: `error` says what is wrong, in which line.
 * `prose` may be NULL. The caller frees. */
struct abnf *abnf_load(struct sipws_str text, const struct abnf_prose *prose, char *error,
                       size_t cap);
void abnf_free(struct abnf *g);

/* The rule `name`, without regard to case; -1: there is none. Rules are 0 to abnf_rules - 1. */
int abnf_rule(const struct abnf *g, const char *name);
int abnf_rules(const struct abnf *g);
struct sipws_str abnf_rule_name(const struct abnf *g, int rule);

/* Whether `to` can be reached from `from`. */
bool abnf_reaches(const struct abnf *g, int from, int to);

/* ---- recognising ----------------------------------------------------------------------------- */

enum abnf_verdict { ABNF_REFUSED, ABNF_ACCEPTED, ABNF_UNDECIDED };

struct abnf_matcher;

/* A matcher for inputs of at most `max` octets. The caller frees. */
struct abnf_matcher *abnf_matcher_new(const struct abnf *g, size_t max);
void abnf_matcher_free(struct abnf_matcher *m);

/* From now on a verdict may take so many steps; 16 million at first. A step is a visit to an
 * element of the grammar, for all starts that are asked of it at the same time. */
void abnf_matcher_bound(struct abnf_matcher *m, uint64_t steps);

/* Whether the whole of `s` is a sentence of `rule`. Of a refused one, *far is the earliest octet at
 * which a refusal is certain: the octets before it begin some sentence, those up to and with it
 * begin none; s.n where the sentence is only unfinished. `far` may be NULL. */
enum abnf_verdict abnf_match(struct abnf_matcher *m, int rule, struct sipws_str s, size_t *far);

/* ---- generating ------------------------------------------------------------------------------ */

/* How often each alternative of each rule was chosen. */
struct abnf_cover;

struct abnf_cover *abnf_cover_new(const struct abnf *g);
void abnf_cover_free(struct abnf_cover *c);
void abnf_cover_add(struct abnf_cover *sum, const struct abnf_cover *c);

/* Of the alternatives that can be reached from `rule`: how many there are, and how many were
 * chosen. `missing` (may be NULL) gets the name of a rule with one that was not. */
unsigned abnf_cover_of(const struct abnf_cover *c, int rule, unsigned *chosen,
                       struct sipws_str *missing);

/* Which octets of a sentence come from which rule: the rules from the outside to the inside, each
 * before those within it. What there is no room for is left out. */
struct abnf_piece {
    int rule;
    size_t from, to;
};

struct abnf_trace {
    struct abnf_piece *p;
    size_t cap, n;
};

/* Draws a sentence of `rule`, of about `size` octets at most: from there on the shortest way to an
 * end is taken. An alternative is the likelier the more there is behind it. `cover` and `trace` may
 * be NULL. False: the rule needs a prose value that cannot be generated, or a million steps. What
 * was written until then is no sentence. */
bool abnf_generate(const struct abnf *g, int rule, struct tape *t, size_t size, struct sipws_out *o,
                   struct abnf_cover *cover, struct abnf_trace *trace);

/* Bends a sentence: one or two times an octet is deleted, inserted, replaced, swapped with its
 * neighbour or doubled, or a piece is. May give a sentence again. At most cap octets at `out`;
 * returns how many. */
size_t abnf_bend(struct tape *t, struct sipws_str s, char *out, size_t cap);

#endif
