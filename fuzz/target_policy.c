/* policy: any facts about any message of a client, under each policy.
 *
 * Input: an octet of switches (1 and 2 the policy, 4 it looks at origins, 128 a property instead),
 * three octets with the nine facts (two bits each, as in facts.h), then lines that end with LF: the
 * origin, the identity, the identity of Digest, a header line to add; then the message. With 128
 * the rest is an octet that chooses the property and its tape.
 *
 * Holds, beyond no crash and no octet read past the end:
 * - a verdict is a reason or none, has a rule and an offset within the message, and is the same the
 *   second time; no message passes where the connection may not be open;
 * - taking a credential away, or knowing less, never turns no into yes, and of what is allowed each
 *   fact that the policy needs is needed: unknown, it refuses as unknown;
 * - who is allowed is who they say: each From, each To of a REGISTER and each
 *   P-Preferred-Identity equals the identity by RFC 3261 19.1.4, P-Asserted-Identity is not there,
 *   the Origin is an allowed one, and sips has TLS;
 * - a line added below all others never makes a refused sound message allowed;
 * - the properties of prop_policy.c, on the spellings of identities that are generated there.
 */
#include "depth.h"
#include "facts.h"
#include "fuzz_family.h"

#include <string.h>

extern const struct prop prop_policy_less, prop_policy_identity, prop_policy_added,
    prop_policy_origin;

enum { INPUT_MAX = 4096, FIELDS = 48 };
enum { PARSED, SOUND, ALLOWED };

static const struct sipws_str origins[] = {{"https://phone.example.org", 25},
                                           {"https://www.example.org:8443", 28}};

struct trial {
    struct sipws_policy policy;
    struct sipws_facts facts;
    struct sipws_msg m;
    struct sipws_field fields[FIELDS];
    bool sound;
};

/* The text up to LF, which is stepped over. */
static struct sipws_str line(struct sipws_str *rest)
{
    const char *lf = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
    const char *end = rest->p + rest->n, *stop = lf ? lf : end;
    struct sipws_str s = sipws_slice(rest->p, stop);
    *rest = sipws_slice(lf ? lf + 1 : end, end);
    return s;
}

static bool read_msg(struct trial *t, struct sipws_str text)
{
    struct sipws_diag diag;
    struct sipws_report r = sipws_report(&diag, 1);
    if (!sipws_msg_parse(text, 0, t->fields, FIELDS, &t->m, &r))
        return false;
    t->sound = sipws_msg_check(&t->m, SIPWS_TRANSPORT_ANY, 0, &r);
    return true;
}

static struct sipws_verdict judge(const struct trial *t, const struct sipws_facts *facts)
{
    struct sipws_verdict v = sipws_policy_message(&t->policy, facts, &t->m);
    struct sipws_verdict again = sipws_policy_message(&t->policy, facts, &t->m);
    must(v.allow == (v.diag.err == SIPWS_OK));
    must(v.allow == again.allow && v.diag.err == again.diag.err && v.diag.off == again.diag.off);
    must(v.diag.off <= t->m.text.n);
    must(v.allow || (v.diag.rule && v.diag.rule[0]));
    must(!v.allow || sipws_policy_connection(&t->policy, facts).allow);
    return v;
}

static void less(const struct trial *t, bool allowed)
{
    for (unsigned k = 0; k < FACTS; k++)
        for (int to = SIPWS_UNKNOWN; to <= SIPWS_YES; to++) {
            enum facts_which which = (enum facts_which)k;
            struct sipws_facts f = t->facts;
            if (!facts_is_less(which, (enum sipws_known)to))
                continue;
            *facts_at(&f, which) = (enum sipws_known)to;
            struct sipws_verdict v = judge(t, &f);
            must(allowed || !v.allow);
            if (!allowed || to != SIPWS_UNKNOWN)
                continue;
            must(v.allow != facts_needed(&t->policy, &t->facts, &t->m, which));
            must(v.allow || v.diag.err == SIPWS_E_POLICY_UNKNOWN);
        }
}

/* Every element of every field of this kind is the identity. */
static bool all_are(const struct sipws_msg *m, enum sipws_field_id id, const struct sipws_uri *who)
{
    struct sipws_value v;
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        bool some = sipws_value_first(&c, id, &v);
        if (!some)
            return false;
        for (; some; some = sipws_value_next(&c, id, &v))
            if (!sipws_uri_eq(&v.addr.uri, who))
                return false;
    }
    return true;
}

static void is_who_they_say(const struct trial *t)
{
    const struct sipws_msg *m = &t->m;
    bool a1 = t->policy.kind == SIPWS_POLICY_A1;
    struct sipws_str text = a1 ? t->facts.digest_identity.value : t->facts.identity.value;
    struct sipws_str origin = t->facts.origin.value;
    struct sipws_cur c = sipws_cur(text, NULL);
    struct sipws_uri who;
    for (size_t i = 0; i < m->n; i++)
        must(!sipws_str_ieq(m->fields[i].name, SIPWS_STR("P-Asserted-Identity")));
    must(t->policy.origin_n == 0 || sipws_str_eq(origin, origins[0]) ||
         sipws_str_eq(origin, origins[1]));
    if (!m->is_request)
        return;
    must(sipws_uri(&c, SIPWS_URI_WHOLE, &who) && c.p == c.end);
    must(all_are(m, SIPWS_F_FROM, &who) && all_are(m, SIPWS_F_P_PREFERRED_IDENTITY, &who));
    must(m->method != SIPWS_M_REGISTER || all_are(m, SIPWS_F_TO, &who));
    must(m->uri.scheme != SIPWS_SCHEME_SIPS || t->facts.tls == SIPWS_YES);
}

/* The message was refused; so it is with one more line. */
static void add_line(const struct trial *t, struct sipws_str added)
{
    static char room[2 * INPUT_MAX + 8];
    static struct trial more;
    size_t head = t->m.text.n - t->m.body.n - 2;
    struct sipws_out o = sipws_out(room, sizeof room);
    sipws_put(&o, (struct sipws_str){t->m.text.p, head});
    sipws_put(&o, added);
    sipws_put_lit(&o, "\r\n\r\n");
    sipws_put(&o, t->m.body);
    more.policy = t->policy;
    more.facts = t->facts;
    if (read_msg(&more, sipws_out_str(&o)) && more.m.n == t->m.n + 1)
        must(!judge(&more, &more.facts).allow);
}

static void draw(struct trial *t, const uint8_t *head, struct sipws_str *rest)
{
    uint32_t bits = (uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3];
    t->policy.kind = (enum sipws_policy_kind)((head[0] & 3) % 3);
    t->policy.origins = origins;
    t->policy.origin_n = head[0] & 4 || t->policy.kind == SIPWS_POLICY_A3 ? 2 : 0;
    struct sipws_str origin = line(rest), identity = line(rest), digest = line(rest);
    memset(&t->facts, 0, sizeof t->facts);
    for (unsigned k = 0; k < FACTS; k++)
        *facts_at(&t->facts, (enum facts_which)k) = (enum sipws_known)((bits >> 2 * k & 3) % 3);
    if (t->facts.origin.is == SIPWS_YES)
        t->facts.origin.value = origin;
    if (t->facts.identity.is == SIPWS_YES)
        t->facts.identity.value = identity;
    if (t->facts.digest_identity.is == SIPWS_YES)
        t->facts.digest_identity.value = digest;
}

static void family(const uint8_t *data, size_t size)
{
    static const struct prop *const properties[] = {&prop_policy_less, &prop_policy_identity,
                                                    &prop_policy_added, &prop_policy_origin};
    (void)fuzz_judge(properties[data[0] % 4], data + 1, size - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"parsed", "sound", "allowed", NULL};
    static char room[INPUT_MAX];
    static struct trial t;
    fuzz_begin(layers, &size);
    if (size < 5 || size > INPUT_MAX)
        return 0;
    if (data[0] & 128) {
        family(data + 1, size - 1);
        return 0;
    }
    /* The text ends where the array ends: AddressSanitizer guards what is behind it. */
    struct sipws_str rest = {room + INPUT_MAX - (size - 4), size - 4};
    memcpy(room + INPUT_MAX - (size - 4), data + 4, size - 4);
    draw(&t, data, &rest);
    struct sipws_str added = line(&rest);
    if (!read_msg(&t, rest))
        return 0;
    fuzz_past(PARSED);
    struct sipws_verdict v = judge(&t, &t.facts);
    less(&t, v.allow);
    if (t.sound)
        fuzz_past(SOUND);
    if (v.allow) {
        fuzz_past(ALLOWED);
        is_who_they_say(&t);
    } else if (t.sound) {
        add_line(&t, added);
    }
    return 0;
}
