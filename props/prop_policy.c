/* The security model: knowing less, or having less, never helps; equal identities are treated alike
 * and unequal ones are not; what a client adds to a message never makes it more trusted. */
#include "facts.h"
#include "property.h"

#include <string.h>

static const struct sipws_str origins[] = {{"https://phone.example.org", 25},
                                           {"https://www.example.org:8443", 28}};

/* ---- identities ------------------------------------------------------------------------------ */

/* How a URI is written. All ways of one person are equal by RFC 3261 19.1.4; those of NEAR are
 * close to it, and not equal. */
enum { WAYS = 6, NEARS = 11 };

static const struct sipws_str equal_ways[WAYS] = {
    {"sip:alice@example.org", 21},           {"SIP:alice@EXAMPLE.org", 21},
    {"sip:%61lice@example.org", 23},         {"sip:alic%65@Example.Org;x=1", 27},
    {"sip:%61%6C%69%63%65@example.org", 31}, {"sip:alice@example.org;method-x;lr", 33},
};

static const struct sipws_str near_ways[NEARS] = {
    {"sip:bob@example.org", 19},
    {"sip:Alice@example.org", 21},
    {"sips:alice@example.org", 22},
    {"sip:alice@example.org:5060", 26},
    {"sip:alice@example.com", 21},
    {"sip:alice@example.org.evil.invalid", 34},
    {"sip:alice:p@example.org", 23},
    {"sip:alice%00@example.org", 24},
    {"sip:example.org", 15},
    {"sip:alice@example.org;user=phone", 32},
    {"sip:alice%40example.org@evil.invalid", 36},
};

/* ---- stories --------------------------------------------------------------------------------- */

enum kind { REQUEST, REGISTRATION, ACKNOWLEDGEMENT, CANCELLATION, RESPONSE, KINDS };

struct story {
    enum sipws_policy_kind policy;
    bool looks_at_origins;
    struct sipws_facts facts;
    enum kind kind;
    bool says_wss;
    struct sipws_str from, to; /* URIs */
    struct sipws_str more;     /* further lines */
    struct sipws_str added;    /* a line that a client adds */
    bool added_first;          /* before all other fields but Via */
    unsigned way;              /* of the other spelling of From */
    struct sipws_str text, text_added, text_way;
};

static enum sipws_known draw_known(struct tape *t, enum sipws_known good, bool bend)
{
    unsigned how = tape_below(t, 3);
    return bend ? (enum sipws_known)how : good;
}

static struct sipws_fact fact_of(enum sipws_known is, struct sipws_str value)
{
    return (struct sipws_fact){is, is == SIPWS_YES ? value : (struct sipws_str){NULL, 0}};
}

/* Facts that allow, in which each is bent now and then. */
static void draw_facts(struct tape *t, struct sipws_facts *f)
{
    static const struct sipws_str others[] = {{"https://evil.invalid", 20},
                                              {"null", 4},
                                              {"https://phone.example.org.evil.invalid", 38},
                                              {"https://evil-phone.example.org", 30}};
    bool bends[9];
    for (int i = 0; i < 9; i++)
        bends[i] = tape_chance(t, 24);
    f->tls = draw_known(t, SIPWS_YES, bends[0]);
    f->token = draw_known(t, SIPWS_YES, bends[1]);
    f->cookie = draw_known(t, SIPWS_YES, bends[2]);
    f->revoked = draw_known(t, SIPWS_NO, bends[3]);
    f->digest = draw_known(t, SIPWS_YES, bends[4]);
    f->continues = draw_known(t, SIPWS_YES, bends[5]);
    unsigned way = tape_below(t, WAYS), near = tape_below(t, NEARS), other = tape_below(t, 4);
    f->identity = fact_of(draw_known(t, SIPWS_YES, bends[6]), equal_ways[way]);
    f->digest_identity =
        fact_of(draw_known(t, SIPWS_YES, bends[7]), bends[7] ? near_ways[near] : equal_ways[way]);
    f->origin =
        fact_of(draw_known(t, SIPWS_YES, bends[8]), bends[8] ? others[other] : origins[way % 2]);
}

static struct sipws_str pick(struct tape *t, bool near)
{
    unsigned way = tape_below(t, WAYS * NEARS);
    return near ? near_ways[way % NEARS] : equal_ways[way % WAYS];
}

static void put_message(struct sipws_out *o, const struct story *s, struct sipws_str from,
                        bool with_added)
{
    static const struct sipws_str starts[KINDS] = {
        [REQUEST] = {"OPTIONS sip:bob@example.com SIP/2.0\r\n", 37},
        [REGISTRATION] = {"REGISTER sip:example.org SIP/2.0\r\n", 34},
        [ACKNOWLEDGEMENT] = {"ACK sip:bob@example.com SIP/2.0\r\n", 33},
        [CANCELLATION] = {"CANCEL sip:bob@example.com SIP/2.0\r\n", 36},
        [RESPONSE] = {"SIP/2.0 200 OK\r\n", 16},
    };
    sipws_put(o, starts[s->kind]);
    sipws_put(o, s->says_wss ? SIPWS_STR("Via: SIP/2.0/WSS x7.invalid;branch=z9hG4bKp\r\n")
                             : SIPWS_STR("Via: SIP/2.0/WS x7.invalid;branch=z9hG4bKp\r\n"));
    if (with_added && s->added_first)
        sipws_put(o, s->added);
    sipws_put_lit(o, "From: \"<sip:x@y>\" <");
    sipws_put(o, from);
    sipws_put_lit(o, ">;tag=a\r\nTo: <");
    sipws_put(o, s->to);
    sipws_put_lit(o, ">\r\n");
    sipws_put(o, s->more);
    if (with_added && !s->added_first)
        sipws_put(o, s->added);
    sipws_put_lit(o, "\r\n");
}

static struct sipws_str draw_more(struct tape *t, struct arena *a)
{
    static const struct sipws_str lines[] = {
        {"X-Note: a\r\n", 11},
        {"P-Preferred-Identity: <sip:alice@example.org>\r\n", 47},
        {"Contact: <sip:a@x7.invalid>\r\n", 29},
        {"Route: <sip:edge.example.org;lr>\r\n", 34},
        {"P-Asserted-Identity: <sip:alice@example.org>\r\n", 46},
        {"P-Preferred-Identity: <tel:+15550100>\r\n", 39},
        {"Contact: <sips:a@x7.invalid>\r\n", 30},
    };
    static const unsigned char weights[] = {60, 60, 60, 60, 5, 5, 5};
    struct sipws_out o = arena_begin(a);
    while (tape_next(t, "line", 1)) {
        sipws_put(&o, lines[tape_weighted(t, weights, 7)]);
        tape_end(t);
    }
    return arena_end(a, &o);
}

/* What a client could add in the hope of being believed. */
static const struct sipws_str additions[] = {
    {"From: <sip:alice@example.org>;tag=b\r\n", 37},
    {"f: <sip:bob@example.org>;tag=b\r\n", 32},
    {"P-Asserted-Identity: <sip:alice@example.org>\r\n", 46},
    {"P-Preferred-Identity: <sip:alice@example.org>\r\n", 47},
    {"To: <sip:alice@example.org>\r\n", 29},
    {"t: <sip:carol@example.org>\r\n", 28},
    {"Authorization: Digest username=\"alice\", realm=\"example.org\"\r\n", 61},
    {"Proxy-Authorization: Bearer alice\r\n", 35},
    {"Cookie: session=1\r\n", 19},
    {"Origin: https://phone.example.org\r\n", 35},
    {"Remote-Party-ID: <sip:alice@example.org>\r\n", 42},
    {"Identity: x;info=<https://example.org/c>\r\n", 42},
    {"Contact: <sip:alice@example.org>\r\n", 34},
    {"Route: <sips:edge.example.org;lr>\r\n", 35},
    {"Privacy: none\r\n", 15},
    {"Via: SIP/2.0/UDP 192.0.2.1\r\n", 28},
};

static const void *draw_story(struct tape *t, struct arena *a)
{
    static const unsigned char kinds[KINDS] = {120, 60, 26, 26, 24};
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->policy = (enum sipws_policy_kind)((tape_below(t, 3) + 1) % 3); /* A.2 is the simplest */
    s->looks_at_origins = s->policy == SIPWS_POLICY_A3 || tape_chance(t, 64);
    draw_facts(t, &s->facts);
    s->kind = (enum kind)tape_weighted(t, kinds, KINDS);
    s->says_wss = (s->facts.tls == SIPWS_YES) != tape_chance(t, 16);
    s->from = pick(t, tape_chance(t, 48));
    s->to =
        s->kind == REGISTRATION ? pick(t, tape_chance(t, 48)) : SIPWS_STR("sip:bob@example.com");
    s->more = draw_more(t, a);
    s->added = additions[tape_below(t, sizeof additions / sizeof *additions)];
    s->added_first = tape_chance(t, 128) && s->added.p[0] != 'V';
    s->way = tape_below(t, WAYS);
    struct sipws_str *texts[] = {&s->text, &s->text_added, &s->text_way};
    for (int i = 0; i < 3; i++) {
        struct sipws_out o = arena_begin(a);
        put_message(&o, s, i == 2 ? equal_ways[s->way] : s->from, i == 1);
        *texts[i] = arena_end(a, &o);
    }
    return a->full ? NULL : s;
}

static void explain_story(const void *story, FILE *f)
{
    static const char *const words[] = {"unknown", "no", "yes"};
    const struct story *s = story;
    const struct sipws_facts *k = &s->facts;
    const struct sipws_fact *slices[] = {&k->origin, &k->identity, &k->digest_identity};
    static const char *const names[] = {"origin", "identity", "digest identity"};
    fprintf(f, "  policy %s%s; tls %s, token %s, cookie %s, revoked %s, digest %s, continues %s\n",
            sipws_policy_name(s->policy), s->looks_at_origins ? " with origins" : "", words[k->tls],
            words[k->token], words[k->cookie], words[k->revoked], words[k->digest],
            words[k->continues]);
    for (int i = 0; i < 3; i++)
        fprintf(f, "  %s: %s %.*s\n", names[i], words[slices[i]->is], (int)slices[i]->value.n,
                slices[i]->value.n ? slices[i]->value.p : "");
    prop_octets(f, "  ", s->text);
    fputs("  added:\n", f);
    prop_octets(f, "  ", s->added);
    fprintf(f, "  or From as %s\n", equal_ways[s->way].p);
}

static void wire_story(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct story *)story)->text);
}

/* ---- judging --------------------------------------------------------------------------------- */

/* False: the text is no message. */
static bool judge(struct prop_trial *r, const struct story *s, const struct sipws_facts *facts,
                  struct sipws_str text, struct sipws_verdict *v)
{
    struct sipws_policy policy = {s->policy, origins, s->looks_at_origins ? 2 : 0};
    struct sipws_field *fields = arena_get(&r->arena, 32 * sizeof *fields);
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    struct sipws_msg m;
    struct sipws_str copy = arena_copy(&r->arena, text);
    if (!fields || !copy.p || !sipws_msg_parse(copy, 0, fields, 32, &m, &report))
        return false;
    *v = sipws_policy_message(&policy, facts, &m);
    return true;
}

static void tell_classes(struct prop_trial *r, const struct story *s, const struct sipws_verdict *v)
{
    static const char *const allowed[] = {"A.1 allows", "A.2 allows", "A.3 allows"};
    prop_class(r, v->allow ? allowed[s->policy] : "refused");
}

/* ---- knowing less, having less --------------------------------------------------------------- */

/* What the table of SECURITY-MODEL.md asks of the story. */
static bool needs(const struct story *s, enum facts_which which)
{
    static const enum sipws_method methods[KINDS] = {
        [REQUEST] = SIPWS_M_OPTIONS,
        [REGISTRATION] = SIPWS_M_REGISTER,
        [ACKNOWLEDGEMENT] = SIPWS_M_ACK,
        [CANCELLATION] = SIPWS_M_CANCEL,
    };
    struct sipws_policy policy = {s->policy, origins, s->looks_at_origins ? 2 : 0};
    struct sipws_msg m = {.is_request = s->kind != RESPONSE, .method = methods[s->kind]};
    return facts_needed(&policy, &s->facts, &m, which);
}

static enum verdict hold_less(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct sipws_verdict base, less;
    if (!judge(r, s, &s->facts, s->text, &base))
        return DISCARDED;
    tell_classes(r, s, &base);
    if (base.allow != (base.diag.err == SIPWS_OK))
        return prop_fail(r, "verdict", PROP_NOWHERE, "allowed, for a reason against it");
    for (unsigned k = 0; k < FACTS; k++) {
        enum facts_which i = (enum facts_which)k;
        for (int to = SIPWS_UNKNOWN; to <= SIPWS_YES; to++) {
            struct sipws_facts f = s->facts;
            if (!facts_is_less(i, (enum sipws_known)to))
                continue;
            *facts_at(&f, i) = (enum sipws_known)to;
            if (!judge(r, s, &f, s->text, &less))
                return DISCARDED;
            if (less.allow && !base.allow)
                return prop_fail(r, "less is more", PROP_NOWHERE,
                                 "%s was %d and is %d now: from %s to yes", facts_name(i),
                                 (int)facts_get(&s->facts, i), to,
                                 sipws_err_info(base.diag.err)->id);
            if (!base.allow)
                continue;
            if (needs(s, i) != !less.allow)
                return prop_fail(r, "need", PROP_NOWHERE, "%s is %s: %s", facts_name(i),
                                 to == SIPWS_UNKNOWN ? "not known" : "against it",
                                 less.allow ? "allowed all the same" : "refused without need");
            if (to == SIPWS_UNKNOWN && !less.allow && less.diag.err != SIPWS_E_POLICY_UNKNOWN)
                return prop_fail(r, "reason", PROP_NOWHERE, "%s is not known: %s", facts_name(i),
                                 sipws_err_info(less.diag.err)->id);
        }
    }
    return HOLDS;
}

const struct prop prop_policy_less = {
    .name = "policy/less",
    .plant = "POLICY_REVOKED_UNKNOWN",
    .sentence = "Taking a credential away, or knowing less, never turns no into yes; what a policy "
                "allows is refused once any fact that it needs is gone or not known, and then "
                "only.",
    .draw = draw_story,
    .hold = hold_less,
    .explain = explain_story,
    .wire = wire_story,
    .classes = {{"refused", 200}, {"A.1 allows", 50}, {"A.2 allows", 50}, {"A.3 allows", 50}},
    .discard_percent = 0,
    .tape_max = 256,
};

/* ---- identities ------------------------------------------------------------------------------ */

static bool is_near(struct sipws_str uri)
{
    for (int i = 0; i < NEARS; i++)
        if (sipws_str_eq(uri, near_ways[i]))
            return true;
    return false;
}

static enum verdict hold_identity(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    const struct sipws_fact *bound =
        s->policy == SIPWS_POLICY_A1 ? &s->facts.digest_identity : &s->facts.identity;
    struct sipws_verdict v, other;
    if (!judge(r, s, &s->facts, s->text, &v) || !judge(r, s, &s->facts, s->text_way, &other))
        return DISCARDED;
    tell_classes(r, s, &v);
    if (s->kind == RESPONSE)
        return v.allow == other.allow ? HOLDS
                                      : prop_fail(r, "response", PROP_NOWHERE, "judged by From");
    bool bound_near = bound->is == SIPWS_YES && is_near(bound->value);
    bool near = is_near(s->from) || (s->kind == REGISTRATION && is_near(s->to));
    /* Two near ways may be the same one. */
    if (v.allow && !bound_near && near)
        return prop_fail(r, "near", PROP_NOWHERE, "another identity is allowed");
    if (v.allow && bound_near && !sipws_str_eq(s->from, bound->value))
        return prop_fail(r, "other", PROP_NOWHERE, "another identity is allowed");
    if (near)
        prop_class(r, "near");
    if (is_near(s->from))
        return HOLDS;
    prop_class(r, "equal");
    if (v.allow != other.allow || v.diag.err != other.diag.err || v.layer != other.layer)
        return prop_fail(r, "equal", PROP_NOWHERE, "%s, and %s in another spelling",
                         sipws_err_info(v.diag.err)->id, sipws_err_info(other.diag.err)->id);
    return HOLDS;
}

const struct prop prop_policy_identity = {
    .name = "policy/identity",
    .plant = "POLICY_FROM_TEXT",
    .sentence =
        "Identities that are equal by RFC 3261 19.1.4 get the same verdict however they are "
        "spelled, and those that are only alike are never allowed.",
    .draw = draw_story,
    .hold = hold_identity,
    .explain = explain_story,
    .wire = wire_story,
    .classes = {{"refused", 200},
                {"A.1 allows", 50},
                {"A.2 allows", 50},
                {"A.3 allows", 50},
                {"near", 100},
                {"equal", 300}},
    .discard_percent = 0,
    .tape_max = 256,
};

/* ---- additions ------------------------------------------------------------------------------- */

static enum verdict hold_added(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct sipws_verdict v, more;
    if (!judge(r, s, &s->facts, s->text, &v) || !judge(r, s, &s->facts, s->text_added, &more))
        return DISCARDED;
    tell_classes(r, s, &v);
    if (v.allow && !more.allow)
        prop_class(r, "the addition is refused");
    return v.allow || !more.allow
               ? HOLDS
               : prop_fail(r, "added", PROP_NOWHERE, "%s, and allowed with %.*s",
                           sipws_err_info(v.diag.err)->id, (int)s->added.n, s->added.p);
}

const struct prop prop_policy_added = {
    .name = "policy/added",
    .plant = "POLICY_FIRST_ONLY",
    .sentence = "No header field that a client adds to a refused message, in any place below the "
                "top Via, makes it allowed.",
    .draw = draw_story,
    .hold = hold_added,
    .explain = explain_story,
    .wire = wire_story,
    .classes = {{"refused", 200},
                {"A.1 allows", 50},
                {"A.2 allows", 50},
                {"A.3 allows", 50},
                {"the addition is refused", 50}},
    .discard_percent = 0,
    .tape_max = 256,
};

/* ---- origins --------------------------------------------------------------------------------- */

struct page {
    struct sipws_policy policy;
    struct sipws_facts facts;
    struct sipws_str origin;
};

/* An allowed origin, in which a stretch of octets is replaced by others. */
static const void *draw_page(struct tape *t, struct arena *a)
{
    static const struct sipws_str bits[] = {{"", 0},
                                            {"https://", 8},
                                            {"evil.invalid", 12},
                                            {".", 1},
                                            {":443", 4},
                                            {"http://", 7},
                                            {"P", 1},
                                            {"evil-", 5},
                                            {"null", 4},
                                            {"/", 1},
                                            {"@", 1},
                                            {"\0", 1},
                                            {" ", 1},
                                            {"phone", 5},
                                            {"org", 3},
                                            {"example.org", 11}};
    struct page *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->policy = (struct sipws_policy){(enum sipws_policy_kind)(SIPWS_POLICY_A3 - tape_below(t, 3)),
                                      origins, 2};
    s->facts = (struct sipws_facts){.tls = SIPWS_YES,
                                    .token = SIPWS_YES,
                                    .cookie = SIPWS_YES,
                                    .identity = fact_of(SIPWS_YES, equal_ways[0]),
                                    .revoked = SIPWS_NO};
    struct sipws_str from = origins[tape_below(t, 2)];
    uint32_t at = tape_below(t, (uint32_t)from.n + 1);
    uint32_t cut = tape_below(t, (uint32_t)from.n - at + 1);
    unsigned bit = tape_below(t, sizeof bits / sizeof *bits);
    bool bend = tape_chance(t, 208);
    if (tape_chance(t, 64)) { /* nothing of it stays */
        at = 0;
        cut = (uint32_t)from.n;
    }
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, bend ? (struct sipws_str){from.p, at} : from);
    if (bend) {
        sipws_put(&o, bits[bit]);
        sipws_put(&o, (struct sipws_str){from.p + at + cut, from.n - at - cut});
    }
    s->origin = arena_end(a, &o);
    s->facts.origin = fact_of(SIPWS_YES, s->origin);
    return a->full ? NULL : s;
}

static void explain_page(const void *story, FILE *f)
{
    const struct page *s = story;
    fprintf(f, "  policy %s; a page of\n", sipws_policy_name(s->policy.kind));
    prop_octets(f, "  ", s->origin);
}

static void wire_page(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct page *)story)->origin);
}

static enum verdict hold_origin(struct prop_trial *r, const void *story)
{
    const struct page *s = story;
    bool want = false;
    for (int i = 0; i < 2; i++)
        want = want ||
               (s->origin.n == origins[i].n && memcmp(s->origin.p, origins[i].p, s->origin.n) == 0);
    prop_class(r, want ? "an allowed page" : "another page");
    struct sipws_verdict v = sipws_policy_connection(&s->policy, &s->facts);
    if (v.allow != want)
        return prop_fail(r, "origin", 0, "%s",
                         v.allow ? "allowed" : sipws_err_info(v.diag.err)->id);
    return want || v.diag.err == SIPWS_E_HTTP_ORIGIN
               ? HOLDS
               : prop_fail(r, "reason", 0, "%s", sipws_err_info(v.diag.err)->id);
}

const struct prop prop_policy_origin = {
    .name = "policy/origin",
    .plant = "POLICY_ORIGIN_SUFFIX",
    .sentence =
        "Where origins are looked at, a page is allowed when its origin is one of them octet "
        "by octet, however much it looks like one.",
    .draw = draw_page,
    .hold = hold_origin,
    .explain = explain_page,
    .wire = wire_page,
    .classes = {{"an allowed page", 50}, {"another page", 200}},
    .discard_percent = 0,
    .tape_max = 16,
};

/* ---- sips and Via ---------------------------------------------------------------------------- */

struct hop {
    struct sipws_facts facts;
    bool says_wss, to_sips;
    unsigned routes, sips_routes, sips_contacts;
    struct sipws_str text;
};

/* One of a few URIs, of which the sips ones are counted. */
static void put_uri(struct sipws_out *o, const char *name, bool sips, unsigned *count)
{
    sipws_put(o, (struct sipws_str){name, strlen(name)});
    sipws_put(o, sips ? SIPWS_STR(": <sips:hop.example.org;lr>\r\n")
                      : SIPWS_STR(": <sip:hop.example.org;lr>\r\n"));
    *count += sips;
}

static const void *draw_hop(struct tape *t, struct arena *a)
{
    struct hop *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->facts = (struct sipws_facts){.tls = (enum sipws_known)((tape_below(t, 3) + 1) % 3),
                                    .digest = SIPWS_YES,
                                    .digest_identity = fact_of(SIPWS_YES, equal_ways[0])};
    s->says_wss = tape_chance(t, 128);
    s->to_sips = tape_chance(t, 96);
    struct sipws_out o = arena_begin(a);
    sipws_put(&o, s->to_sips ? SIPWS_STR("OPTIONS sips:bob@example.com SIP/2.0\r\n")
                             : SIPWS_STR("OPTIONS sip:bob@example.com SIP/2.0\r\n"));
    sipws_put(&o, s->says_wss ? SIPWS_STR("Via: SIP/2.0/WSS x7.invalid;branch=z9hG4bKp\r\n")
                              : SIPWS_STR("Via: SIP/2.0/WS x7.invalid;branch=z9hG4bKp\r\n"));
    sipws_put_lit(&o, "From: <sip:alice@example.org>;tag=a\r\n");
    while (tape_next(t, "line", 1)) {
        bool is_route = tape_chance(t, 128), sips = tape_chance(t, 96);
        if (is_route)
            put_uri(&o, "Route", sips, &s->sips_routes);
        else
            put_uri(&o, "Contact", sips, &s->sips_contacts);
        s->routes += is_route;
        tape_end(t);
    }
    sipws_put_lit(&o, "\r\n");
    s->text = arena_end(a, &o);
    return a->full ? NULL : s;
}

static void explain_hop(const void *story, FILE *f)
{
    static const char *const words[] = {"unknown", "no", "yes"};
    const struct hop *s = story;
    fprintf(f, "  tls %s\n", words[s->facts.tls]);
    prop_octets(f, "  ", s->text);
}

static void wire_hop(const void *story, struct sipws_out *o)
{
    sipws_put(o, ((const struct hop *)story)->text);
}

static enum verdict hold_sips(struct prop_trial *r, const void *story)
{
    const struct hop *s = story;
    const struct story a1 = {.policy = SIPWS_POLICY_A1};
    struct sipws_verdict v;
    bool sips = s->to_sips || s->sips_routes > 0 || s->sips_contacts > 0;
    bool leaves = s->to_sips && s->routes > s->sips_routes;
    bool tls = s->facts.tls == SIPWS_YES;
    bool want = s->facts.tls != SIPWS_UNKNOWN && s->says_wss == tls && !leaves && (tls || !sips);
    if (!judge(r, &a1, &s->facts, s->text, &v))
        return DISCARDED;
    prop_class(r, want ? "allowed" : "refused");
    if (sips)
        prop_class(r, "sips");
    if (v.allow == want)
        return HOLDS;
    return prop_fail(r, want ? "refused" : "allowed", PROP_NOWHERE, "%s, with %u sips routes of %u",
                     sipws_err_info(v.diag.err)->id, s->sips_routes, s->routes);
}

const struct prop prop_policy_sips = {
    .name = "policy/sips",
    .plant = "POLICY_ROUTE_LEAVES",
    .sentence = "A request passes only where Via says what the connection is, sips stands nowhere "
                "unless there is TLS, and a sips request has no route that leaves it.",
    .draw = draw_hop,
    .hold = hold_sips,
    .explain = explain_hop,
    .wire = wire_hop,
    .classes = {{"allowed", 100}, {"refused", 200}, {"sips", 200}},
    .discard_percent = 0,
    .tape_max = 32,
};
