/* The security model: who may say what over a SIP WebSocket connection. SECURITY-MODEL.md is the
 * readable form, with the invariants that hold and the properties that check them.
 *
 * A policy is a pure function over facts and a message. Facts are what other layers have found out:
 * TLS, the HTTP handshake, the web session behind a cookie or token, SIP Digest. The policy finds
 * out nothing by itself and keeps nothing, so the same facts and octets give the same verdict.
 *
 * The three policies are the scenarios of RFC 7118 appendix A:
 * - A.1 Just SIP authentication: every request carries Digest credentials of its From.
 * - A.2 Just web authentication: a token in the handshake stands for one SIP identity, to which the
 *   connection is bound.
 * - A.3 Cookie: the same with the session cookie of the web site. Browsers add cookies to what any
 *   page asks for, so the Origin must be one that the site allows.
 *
 * The readings that are chosen here:
 * - A fact that a policy needs and that is not known refuses. So do an identity that is no SIP or
 *   SIPS URI, and a header field that does not decode: they are not known either.
 * - Identities are compared by RFC 3261 19.1.4. So sips:a@b is not sip:a@b, %61 is a, the user's
 *   case counts, the host's does not, and a parameter that only one of them has is ignored unless
 *   19.1.4 says otherwise.
 * - RFC 7118 A.2 names From. In a REGISTER, To is the address whose bindings change
 *   (RFC 3261 10.2): the connection's identity is the only one that it may change, so To must match
 *   too.
 * - P-Asserted-Identity from a client is refused, even with the client's own identity: it says that
 *   someone trusted has asserted it (RFC 3325 5). A proxy that would rather remove the field judges
 *   the message without it.
 * - P-Preferred-Identity must be the bound identity, in each of its values (RFC 3325 6 leaves the
 *   refusal to the proxy).
 * - Responses are judged for the connection and for P-Asserted-Identity: their From names the other
 *   side.
 */
#ifndef SIPWS_POLICY_H
#define SIPWS_POLICY_H

#include "msg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is unknown, so a fact that nobody filled in never allows. */
enum sipws_known { SIPWS_UNKNOWN, SIPWS_NO, SIPWS_YES };

/* Whether something is there, and then what it is. NO: looked for and absent. */
struct sipws_fact {
    enum sipws_known is;
    struct sipws_str value; /* only with SIPWS_YES */
};

/* Where a fact comes from. */
enum sipws_fact_layer {
    SIPWS_FACT_TLS,
    SIPWS_FACT_HTTP, /* the handshake's own octets */
    SIPWS_FACT_WEB,  /* the session of the web site */
    SIPWS_FACT_SIP   /* the message, and SIP's own authentication */
};

/* All that a policy may know. All zero: nothing is known, so nothing is allowed. */
struct sipws_facts {
    /* TLS. The hop to the client: behind a proxy that ends TLS, that proxy must tell. */
    enum sipws_known tls;

    /* HTTP. The Origin of the handshake, as it stands (RFC 6454 6.2). */
    struct sipws_fact origin;

    /* WEB. Was the credential of the handshake good, for which SIP URI, and has the session behind
     * it ended since? */
    enum sipws_known token;  /* in the request-target, A.2 */
    enum sipws_known cookie; /* A.3 */
    struct sipws_fact identity;
    enum sipws_known revoked;

    /* SIP, of the message that is judged. Were its Digest credentials good, for a fresh nonce, and
     * for which SIP URI? For ACK and CANCEL, which cannot be challenged (RFC 3261 22.1): do they
     * belong to a request of this connection that was allowed? Then digest_identity is that
     * request's. */
    enum sipws_known digest;
    struct sipws_fact digest_identity;
    enum sipws_known continues;
};

/* The scenarios of RFC 7118 appendix A. */
enum sipws_policy_kind { SIPWS_POLICY_A1, SIPWS_POLICY_A2, SIPWS_POLICY_A3 };

/* Which scenario, and what it allows. */
struct sipws_policy {
    enum sipws_policy_kind kind;

    /* Origins that are allowed, each a serialization in lower case without a path. They are
     * compared octet by octet; "null" allows nobody. An empty list means that A.1 and A.2 do not
     * look at the Origin, and that A.3 allows nobody. */
    const struct sipws_str *origins;
    size_t origin_n;
};

/* What a policy says. */
struct sipws_verdict {
    bool allow;
    enum sipws_fact_layer layer; /* whose fact decided */

    /* Of a refusal: the reason, the octet of the message (0 where a fact is at fault), and as
     * `rule` the rule of SECURITY-MODEL.md: "origin", "credential", "identity", "revoked", "sips",
     * "route", "via", "digest", "from", "register", "asserted", "preferred". SIPWS_OK when allowed.
     */
    struct sipws_diag diag;
};

/* May the connection open, or stay open? */
struct sipws_verdict sipws_policy_connection(const struct sipws_policy *policy,
                                             const struct sipws_facts *facts);

/* May this message of the client pass? Judges the connection first. `m` is any message that
 * sipws_msg_parse took; nothing is taken for granted that only sipws_msg_check would have seen. */
struct sipws_verdict sipws_policy_message(const struct sipws_policy *policy,
                                          const struct sipws_facts *facts,
                                          const struct sipws_msg *m);

const char *sipws_policy_name(enum sipws_policy_kind kind);     /* "A.1", … */
const char *sipws_fact_layer_name(enum sipws_fact_layer layer); /* "tls", … */

#ifdef __cplusplus
}
#endif

#endif
