#include "policy.h"

#include "plant.h"

/* One judgement. A rule returns true where it has nothing against; the first that has fills in the
 * verdict. */
struct court {
    const struct sipws_policy *policy;
    const struct sipws_facts *facts;
    const struct sipws_msg *m;
    struct sipws_uri identity; /* whose the connection or the request is */
    struct sipws_verdict *verdict;
};

static bool refuse(struct court *c, enum sipws_fact_layer layer, enum sipws_err err,
                   const char *rule, const char *at)
{
    c->verdict->allow = false;
    c->verdict->layer = layer;
    return sipws_diag_set(&c->verdict->diag, err, at ? (size_t)(at - c->m->text.p) : 0, rule);
}

/* `known` must be `want`. Not knowing is a reason of its own. */
static bool need(struct court *c, enum sipws_known known, enum sipws_known want,
                 enum sipws_fact_layer layer, enum sipws_err err, const char *rule)
{
    if (known == want)
        return true;
    return refuse(c, layer, known == SIPWS_UNKNOWN ? SIPWS_E_POLICY_UNKNOWN : err, rule, NULL);
}

/* ---- the connection -------------------------------------------------------------------------- */

/* RFC 6455 10.2: whole serializations. A look-alike differs in some octet. */
static bool origin_is(struct sipws_str got, struct sipws_str want)
{
    static const size_t scheme = sizeof "https://" - 1;
    if (SIPWS_PLANT_IF(POLICY_ORIGIN_SUFFIX, want.n > scheme && got.n > want.n - scheme &&
                                                 !sipws_str_eq(got, want) &&
                                                 memcmp(got.p + got.n - (want.n - scheme),
                                                        want.p + scheme, want.n - scheme) == 0))
        return true;
    if (SIPWS_PLANT_IF(POLICY_ORIGIN_NULL, sipws_str_eq(got, SIPWS_STR("null"))))
        return true;
    return sipws_str_eq(got, want) && !sipws_str_eq(got, SIPWS_STR("null"));
}

static bool origin(struct court *c)
{
    const struct sipws_fact *origin = &c->facts->origin;
    if (c->policy->origin_n == 0 && c->policy->kind != SIPWS_POLICY_A3)
        return true;
    if (SIPWS_PLANT_IF(POLICY_ORIGIN_ABSENT, origin->is == SIPWS_NO))
        return true;
    if (!need(c, origin->is, SIPWS_YES, SIPWS_FACT_HTTP, SIPWS_E_HTTP_ORIGIN, "origin"))
        return false;
    for (size_t i = 0; i < c->policy->origin_n; i++)
        if (origin_is(origin->value, c->policy->origins[i]))
            return true;
    return refuse(c, SIPWS_FACT_HTTP, SIPWS_E_HTTP_ORIGIN, "origin", NULL);
}

/* A fact that is a SIP or SIPS URI, and nothing but one. */
static bool identity(struct court *c, const struct sipws_fact *fact, enum sipws_fact_layer layer)
{
    struct sipws_cur cur = sipws_cur(fact->value, NULL);
    if (fact->is == SIPWS_YES && sipws_uri(&cur, SIPWS_URI_WHOLE, &c->identity) &&
        cur.p == cur.end && c->identity.scheme != SIPWS_SCHEME_OTHER)
        return true;
    return refuse(c, layer, SIPWS_E_POLICY_UNKNOWN, "identity", NULL);
}

/* A.2 and A.3: the web session allowed this connection, for one identity, and still does. */
static bool session(struct court *c, enum sipws_known credential)
{
    return need(c, credential, SIPWS_YES, SIPWS_FACT_WEB, SIPWS_E_POLICY_CREDENTIAL,
                "credential") &&
           identity(c, &c->facts->identity, SIPWS_FACT_WEB) &&
           (SIPWS_PLANT_IF(POLICY_REVOKED_UNKNOWN, c->facts->revoked == SIPWS_UNKNOWN) ||
            need(c, c->facts->revoked, SIPWS_NO, SIPWS_FACT_WEB, SIPWS_E_POLICY_REVOKED,
                 "revoked"));
}

static bool connection(struct court *c)
{
    if (!origin(c))
        return false;
    switch (c->policy->kind) {
    case SIPWS_POLICY_A1:
        return true; /* each request is authenticated by itself */
    case SIPWS_POLICY_A2:
        return session(c, c->facts->token);
    case SIPWS_POLICY_A3:
        return session(c, c->facts->cookie);
    }
    return refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_UNKNOWN, "policy", NULL);
}

/* ---- the message ----------------------------------------------------------------------------- */

/* Judges one decoded value. */
typedef bool value_rule(struct court *c, const struct sipws_value *v);

/* All values of all fields `id`, in any number and place: whoever reads the message further on may
 * take another than the first. A value that does not decode is not known. */
static bool each_value(struct court *c, enum sipws_field_id id, value_rule *judge, const char *rule,
                       size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < c->m->n; i++) {
        if (c->m->fields[i].id != id)
            continue;
        bool later = *n > 0;
        struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
        struct sipws_value v;
        struct sipws_cur cur = sipws_msg_cur(c->m, &c->m->fields[i], 0, &diag);
        for (bool more = sipws_value_first(&cur, id, &v); more;
             more = sipws_value_next(&cur, id, &v), ++*n)
            if (!judge(c, &v) && !SIPWS_PLANT_IF(POLICY_FIRST_ONLY, later))
                return false;
        if (diag.err != SIPWS_OK && !SIPWS_PLANT_IF(POLICY_FIRST_ONLY, later))
            return refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_UNKNOWN, rule, c->m->text.p + diag.off);
    }
    return true;
}

/* The same for a field that must be there; one that is not is missed at the end of the message. */
static bool each_of_some(struct court *c, enum sipws_field_id id, value_rule *judge,
                         const char *rule)
{
    size_t n;
    if (!each_value(c, id, judge, rule, &n))
        return false;
    return n > 0 ||
           refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_UNKNOWN, rule, c->m->text.p + c->m->text.n);
}

static bool same_identity(const struct sipws_uri *got, const struct sipws_uri *want)
{
    bool same = sipws_uri_eq(got, want);
    return same != SIPWS_PLANT_IF(POLICY_FROM_TEXT, sipws_str_ieq(got->text, want->text) != same);
}

static bool from(struct court *c, const struct sipws_value *v)
{
    return same_identity(&v->addr.uri, &c->identity) ||
           refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_FROM, "from", v->addr.uri.text.p);
}

static bool registered(struct court *c, const struct sipws_value *v)
{
    return same_identity(&v->addr.uri, &c->identity) ||
           refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_IDENTITY, "register", v->addr.uri.text.p);
}

static bool preferred(struct court *c, const struct sipws_value *v)
{
    return same_identity(&v->addr.uri, &c->identity) ||
           refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_IDENTITY, "preferred", v->addr.uri.text.p);
}

/* RFC 5630 3.1.3: sips promises TLS on each hop, this one included. */
static bool no_sips_without_tls(struct court *c, const struct sipws_uri *uri)
{
    if (uri->scheme != SIPWS_SCHEME_SIPS || c->facts->tls == SIPWS_YES)
        return true;
    return refuse(c, SIPWS_FACT_TLS,
                  c->facts->tls == SIPWS_NO ? SIPWS_E_SIPS_PLAIN : SIPWS_E_POLICY_UNKNOWN, "sips",
                  uri->text.p);
}

static bool contact(struct court *c, const struct sipws_value *v)
{
    return v->kind != SIPWS_K_ADDR ||
           SIPWS_PLANT_IF(POLICY_SIPS_CONTACT,
                          c->facts->tls == SIPWS_NO && v->addr.uri.scheme == SIPWS_SCHEME_SIPS) ||
           no_sips_without_tls(c, &v->addr.uri);
}

/* RFC 5630 5.1.1: a sips request has a route of sips URIs only, or some hop is left without TLS. */
static bool route(struct court *c, const struct sipws_value *v)
{
    const struct sipws_uri *uri = &v->addr.uri;
    if (!no_sips_without_tls(c, uri))
        return false;
    return c->m->uri.scheme != SIPWS_SCHEME_SIPS || uri->scheme == SIPWS_SCHEME_SIPS ||
           SIPWS_PLANT(POLICY_ROUTE_LEAVES) ||
           refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_ROUTE, "route", uri->text.p);
}

/* RFC 7118 5.1: the transport of the top Via is the connection's. */
static bool via(struct court *c)
{
    const struct sipws_field *f = sipws_msg_find(c->m, SIPWS_F_VIA);
    struct sipws_value v;
    if (!f || !sipws_msg_first(c->m, SIPWS_F_VIA, &v))
        return refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_UNKNOWN, "via",
                      f ? f->value.p : c->m->text.p + c->m->text.n);
    if (c->facts->tls == SIPWS_UNKNOWN)
        return refuse(c, SIPWS_FACT_TLS, SIPWS_E_POLICY_UNKNOWN, "via", v.via.transport.p);
    struct sipws_str want = c->facts->tls == SIPWS_YES ? SIPWS_STR("WSS") : SIPWS_STR("WS");
    return sipws_str_ieq(v.via.transport, want) ||
           SIPWS_PLANT_IF(POLICY_VIA_WSS, sipws_str_ieq(v.via.transport, SIPWS_STR("WSS"))) ||
           refuse(c, SIPWS_FACT_TLS, SIPWS_E_VIA_TRANSPORT, "via", v.via.transport.p);
}

/* What the message says of its transport holds on this connection (RFC 7118 5, RFC 5630). */
static bool transport(struct court *c)
{
    size_t n;
    return via(c) && no_sips_without_tls(c, &c->m->uri) &&
           each_value(c, SIPWS_F_ROUTE, route, "route", &n) &&
           each_value(c, SIPWS_F_CONTACT, contact, "sips", &n);
}

/* A.1: the request has credentials, or belongs to one that had. */
static bool digest(struct court *c)
{
    const struct sipws_facts *facts = c->facts;
    bool unchallenged = c->m->method == SIPWS_M_ACK || c->m->method == SIPWS_M_CANCEL;
    enum sipws_known known = facts->digest;
    if (unchallenged && known != SIPWS_YES && facts->continues != SIPWS_NO)
        known = facts->continues;
    return need(c, known, SIPWS_YES, SIPWS_FACT_SIP, SIPWS_E_POLICY_DIGEST, "digest") &&
           identity(c, &facts->digest_identity, SIPWS_FACT_SIP);
}

/* RFC 3325 5: what came from a client was asserted by nobody. */
static bool nothing_asserted(struct court *c)
{
    const struct sipws_field *f = sipws_msg_find(c->m, SIPWS_F_P_ASSERTED_IDENTITY);
    return !f || refuse(c, SIPWS_FACT_SIP, SIPWS_E_POLICY_IDENTITY, "asserted", f->name.p);
}

static bool request(struct court *c)
{
    size_t n;
    return transport(c) && (c->policy->kind != SIPWS_POLICY_A1 || digest(c)) &&
           each_of_some(c, SIPWS_F_FROM, from, "from") &&
           (c->m->method != SIPWS_M_REGISTER ||
            each_of_some(c, SIPWS_F_TO, registered, "register")) &&
           nothing_asserted(c) &&
           each_value(c, SIPWS_F_P_PREFERRED_IDENTITY, preferred, "preferred", &n);
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static struct sipws_verdict allowed(const struct sipws_policy *policy)
{
    return (struct sipws_verdict){true,
                                  policy->kind == SIPWS_POLICY_A1 ? SIPWS_FACT_SIP : SIPWS_FACT_WEB,
                                  {SIPWS_OK, 0, "", ""}};
}

struct sipws_verdict sipws_policy_connection(const struct sipws_policy *policy,
                                             const struct sipws_facts *facts)
{
    struct sipws_verdict verdict = allowed(policy);
    struct court c = {.policy = policy, .facts = facts, .verdict = &verdict};
    connection(&c);
    return verdict;
}

struct sipws_verdict sipws_policy_message(const struct sipws_policy *policy,
                                          const struct sipws_facts *facts,
                                          const struct sipws_msg *m)
{
    struct sipws_verdict verdict = allowed(policy);
    struct court c = {.policy = policy, .facts = facts, .m = m, .verdict = &verdict};
    bool good = connection(&c) && (m->is_request ? request(&c) : nothing_asserted(&c));
    return good ? allowed(policy) : verdict;
}

const char *sipws_policy_name(enum sipws_policy_kind kind)
{
    static const char *const names[] = {"A.1", "A.2", "A.3"};
    return names[kind];
}

const char *sipws_fact_layer_name(enum sipws_fact_layer layer)
{
    static const char *const names[] = {"tls", "http", "web", "sip"};
    return names[layer];
}
