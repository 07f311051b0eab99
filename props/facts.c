#include "facts.h"

const char *facts_name(enum facts_which which)
{
    static const char *const names[FACTS] = {"tls",    "origin",          "token",
                                             "cookie", "identity",        "revoked",
                                             "digest", "digest identity", "continues"};
    return names[which];
}

enum sipws_known *facts_at(struct sipws_facts *f, enum facts_which which)
{
    enum sipws_known *const facts[FACTS] = {&f->tls,    &f->origin.is,          &f->token,
                                            &f->cookie, &f->identity.is,        &f->revoked,
                                            &f->digest, &f->digest_identity.is, &f->continues};
    return facts[which];
}

enum sipws_known facts_get(const struct sipws_facts *f, enum facts_which which)
{
    struct sipws_facts copy = *f;
    return *facts_at(&copy, which);
}

bool facts_is_less(enum facts_which which, enum sipws_known to)
{
    if (to == SIPWS_UNKNOWN)
        return true;
    return which == FACTS_REVOKED ? to == SIPWS_YES : which != FACTS_TLS && to == SIPWS_NO;
}

bool facts_needed(const struct sipws_policy *policy, const struct sipws_facts *f,
                  const struct sipws_msg *m, enum facts_which which)
{
    bool unchallenged = m->method == SIPWS_M_ACK || m->method == SIPWS_M_CANCEL;
    bool a1 = policy->kind == SIPWS_POLICY_A1;
    switch (which) {
    case FACTS_TLS:
        return m->is_request;
    case FACTS_ORIGIN:
        return policy->kind == SIPWS_POLICY_A3 || policy->origin_n > 0;
    case FACTS_TOKEN:
        return policy->kind == SIPWS_POLICY_A2;
    case FACTS_COOKIE:
        return policy->kind == SIPWS_POLICY_A3;
    case FACTS_IDENTITY:
    case FACTS_REVOKED:
        return !a1;
    case FACTS_DIGEST:
        return a1 && m->is_request && !(unchallenged && f->continues == SIPWS_YES);
    case FACTS_DIGEST_IDENTITY:
        return a1 && m->is_request;
    case FACTS_CONTINUES:
        return a1 && m->is_request && unchallenged && f->digest != SIPWS_YES;
    case FACTS:
        break;
    }
    return false;
}
