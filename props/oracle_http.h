/* The oracle for the opening handshake: ref's two readers, grammar/websocket.abnf, and the prose
 * beside it, on the same octets.
 *
 * What the grammar takes and ref refuses is forbidden by a sentence of an RFC. `rules` in
 * oracle_http.c is the whole list of these, each with a naive judge of its own, so that it is held
 * both ways: ref refuses for one that applies, and takes the head where none does. `late` is what
 * may be refused later than the grammar is certain.
 */
#ifndef SIPWS_ORACLE_HTTP_H
#define SIPWS_ORACLE_HTTP_H

#include "abnf.h"
#include "http.h"

enum { ORACLE_HEAD = 700 }; /* octets of the longest heads */

/* The key that our client sent, and the answer to it (computed with other tools). */
#define ORACLE_KEY    "c2lwd3MgaGFuZHNoYWtlcw=="
#define ORACLE_ANSWER "rd2Fcw1tJcS0UWmNdpQ+310xww4="

/* Its starts are "request" and "response". */
const struct abnf *oracle_http_grammar(void);

struct oracle_http_answer {
    enum abnf_verdict grammar; /* ABNF_UNDECIDED: nothing else is set */
    size_t far;                /* of ABNF_REFUSED, as abnf_match has it */
    bool ref;                  /* ref takes it */
    struct sipws_diag diag;    /* else why not */
    int sentence;              /* that forbids it, or permits a later refusal; -1: none */

    /* NULL: all is as it must be. Else "over-acceptance" (of what the grammar refuses), "late",
     * "over-refusal", or "prose": taken against the sentence. */
    const char *wrong;
};

void oracle_http_ask(struct sipws_str head, bool response, struct oracle_http_answer *a);

/* The sentences: 0 to oracle_http_sentences() - 1. */
unsigned oracle_http_sentences(void);
const char *oracle_http_why(unsigned i);

#endif
