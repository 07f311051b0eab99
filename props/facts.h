/* The facts of a policy by number, and which of them SECURITY-MODEL.md says that a policy needs. */
#ifndef FACTS_H
#define FACTS_H

#include "policy.h"

enum facts_which {
    FACTS_TLS,
    FACTS_ORIGIN,
    FACTS_TOKEN,
    FACTS_COOKIE,
    FACTS_IDENTITY,
    FACTS_REVOKED,
    FACTS_DIGEST,
    FACTS_DIGEST_IDENTITY,
    FACTS_CONTINUES,
    FACTS
};

const char *facts_name(enum facts_which which);

enum sipws_known *facts_at(struct sipws_facts *f, enum facts_which which);
enum sipws_known facts_get(const struct sipws_facts *f, enum facts_which which);

/* Whether `to` is less than what allows: unknown; or no, where yes speaks for the client. That TLS
 * is not there, or that the session was not revoked, is another fact, not less of one. */
bool facts_is_less(enum facts_which which, enum sipws_known to);

/* The table of SECURITY-MODEL.md: whether the policy must know the fact of a message that it
 * allows. */
bool facts_needed(const struct sipws_policy *policy, const struct sipws_facts *f,
                  const struct sipws_msg *m, enum facts_which which);

#endif
