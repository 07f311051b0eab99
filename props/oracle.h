/* The oracle: ref and the RFCs' own grammar (grammar/sip.abnf) on the same octets.
 *
 * Where ref refuses what the grammar takes, or refuses later than the grammar is certain, a
 * sentence of an RFC must stand behind it. `permitted` in oracle.c is the whole list of these
 * sentences.
 */
#ifndef SIPWS_ORACLE_H
#define SIPWS_ORACLE_H

#include "abnf.h"
#include "msg.h"

enum { ORACLE_VALUE = 400, ORACLE_MESSAGE = 900 }; /* octets of the longest inputs */

const struct abnf *oracle_grammar(void);

/* A rule for which ref has a function. */
struct oracle_start {
    int rule; /* of oracle_grammar */
    enum { ORACLE_PART, ORACLE_FIELD, ORACLE_WHOLE } kind;
    unsigned index; /* which part, or which header field */
};

unsigned oracle_parts(void);
struct oracle_start oracle_part(unsigned i);
struct oracle_start oracle_value(enum sipws_field_id id);
struct oracle_start oracle_message(void);

struct oracle_answer {
    enum abnf_verdict grammar; /* ABNF_UNDECIDED: nothing else is set */
    size_t far;                /* of ABNF_REFUSED, as abnf_match has it */
    bool ref;                  /* ref takes it */
    struct sipws_diag diag;    /* else why not */
    int permitted;             /* and which sentence permits that, or -1 */
};

void oracle_ask(const struct oracle_start *start, struct sipws_str text, struct oracle_answer *a);

/* The sentences: 0 to oracle_permitted() - 1. */
unsigned oracle_permitted(void);
const char *oracle_why(unsigned i);

#endif
