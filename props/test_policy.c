/* The security model against its vectors, corpus/vectors/policy.json. The loader is strict: what it
 * does not know, it refuses. */
#include "policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ORIGINS = 8, FIELDS = 32, TEXT = 4096 };

struct loaded {
    struct sipws_policy policy;
    struct sipws_str origins[ORIGINS];
    struct sipws_facts facts;
    char text[TEXT]; /* the message */
    size_t text_n;   /* 0: the connection is judged */
    bool allow;
    enum sipws_err reason;
    const char *rule, *layer;
    const char *here; /* what stands at the offset; NULL: not said */
};

/* The first complaint about the file; empty: none. */
static char complaint[256];

static bool complain(const char *id, const char *what, const char *detail)
{
    if (!complaint[0])
        snprintf(complaint, sizeof complaint, "%s: %s \"%s\"", id, what, detail);
    return false;
}

/* Each key of `object` must be one of the list, which ends with NULL; those with a "!" must be
 * there. */
static bool keys(const char *id, const json_t *object, const char *const *list)
{
    const char *key;
    json_t *value;
    if (!json_is_object(object))
        return complain(id, "no object", "");
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        bool known = false;
        for (size_t i = 0; list[i]; i++)
            known = known || strcmp(key, list[i] + (list[i][0] == '!')) == 0;
        if (!known)
            return complain(id, "unknown key", key);
    }
    for (size_t i = 0; list[i]; i++)
        if (list[i][0] == '!' && !json_object_get(object, list[i] + 1))
            return complain(id, "missing key", list[i] + 1);
    return true;
}

static bool one_of(const char *id, const json_t *value, const char *what, const char *const *list,
                   int *out)
{
    const char *text = json_string_value(value);
    for (int i = 0; text && list[i]; i++)
        if (strcmp(text, list[i]) == 0) {
            *out = i;
            return true;
        }
    return complain(id, what, text ? text : "no string");
}

static struct sipws_str str(const json_t *value)
{
    return (struct sipws_str){json_string_value(value), json_string_length(value)};
}

/* "yes" or "no"; not there: unknown. */
static bool load_known(const char *id, const json_t *facts, const char *key, enum sipws_known *out)
{
    static const char *const words[] = {"no", "yes", NULL};
    const json_t *value = json_object_get(facts, key);
    int which;
    *out = SIPWS_UNKNOWN;
    if (!value)
        return true;
    if (!one_of(id, value, key, words, &which))
        return false;
    *out = which ? SIPWS_YES : SIPWS_NO;
    return true;
}

/* A string; null: absent; not there: unknown. */
static bool load_fact(const char *id, const json_t *facts, const char *key, struct sipws_fact *out)
{
    const json_t *value = json_object_get(facts, key);
    *out = (struct sipws_fact){SIPWS_UNKNOWN, {NULL, 0}};
    if (json_is_null(value))
        out->is = SIPWS_NO;
    else if (json_is_string(value))
        *out = (struct sipws_fact){SIPWS_YES, str(value)};
    else if (value)
        return complain(id, "neither a string nor null", key);
    return true;
}

static bool load_facts(const char *id, const json_t *json, struct sipws_facts *f)
{
    static const char *const names[] = {"tls",       "origin",  "token",  "cookie",
                                        "identity",  "revoked", "digest", "digest_identity",
                                        "continues", NULL};
    return keys(id, json, names) && load_known(id, json, "tls", &f->tls) &&
           load_fact(id, json, "origin", &f->origin) && load_known(id, json, "token", &f->token) &&
           load_known(id, json, "cookie", &f->cookie) &&
           load_fact(id, json, "identity", &f->identity) &&
           load_known(id, json, "revoked", &f->revoked) &&
           load_known(id, json, "digest", &f->digest) &&
           load_fact(id, json, "digest_identity", &f->digest_identity) &&
           load_known(id, json, "continues", &f->continues);
}

static bool add(const char *id, struct loaded *l, struct sipws_str s)
{
    if (s.n > TEXT - l->text_n)
        return complain(id, "the message is too long", "");
    memcpy(l->text + l->text_n, s.p, s.n);
    l->text_n += s.n;
    return true;
}

/* Lines with CRLF and an empty line; or only a From, in a message that is otherwise sound. */
static bool load_message(const char *id, const json_t *c, struct loaded *l)
{
    const json_t *message = json_object_get(c, "message"), *from = json_object_get(c, "from"),
                 *line;
    size_t i;
    l->text_n = 0;
    if (message && from)
        return complain(id, "both from and message", "");
    if (from) {
        return (json_is_string(from) || complain(id, "from is no string", "")) &&
               add(id, l,
                   l->facts.tls == SIPWS_NO
                       ? SIPWS_STR("OPTIONS sip:bob@example.com SIP/2.0\r\n"
                                   "Via: SIP/2.0/WS x7.invalid;branch=z9hG4bKp1\r\nFrom: ")
                       : SIPWS_STR("OPTIONS sip:bob@example.com SIP/2.0\r\n"
                                   "Via: SIP/2.0/WSS x7.invalid;branch=z9hG4bKp1\r\nFrom: ")) &&
               add(id, l, str(from)) &&
               add(id, l,
                   SIPWS_STR("\r\nTo: <sip:bob@example.com>\r\nCall-ID: p1@x7.invalid\r\n"
                             "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n"));
    }
    if (message && (!json_is_array(message) || json_array_size(message) == 0))
        return complain(id, "message is no list", "");
    json_array_foreach((json_t *)(uintptr_t)message, i, line)
    {
        if (!json_is_string(line))
            return complain(id, "a line is no string", "");
        if (!add(id, l, str(line)) || !add(id, l, SIPWS_STR("\r\n")))
            return false;
    }
    return !message || add(id, l, SIPWS_STR("\r\n"));
}

static bool load_expect(const char *id, const json_t *e, struct loaded *l)
{
    static const char *const allow[] = {"!verdict", NULL};
    static const char *const refuse[] = {"!verdict", "!reason", "!rule", "here", NULL};
    static const char *const words[] = {"refuse", "allow", NULL};
    int which;
    if (!json_is_object(e) || !one_of(id, json_object_get(e, "verdict"), "verdict", words, &which))
        return complain(id, "expect", "");
    l->allow = which;
    l->here = NULL;
    if (l->allow)
        return keys(id, e, allow);
    if (!keys(id, e, refuse))
        return false;
    const char *reason = json_string_value(json_object_get(e, "reason"));
    l->reason = SIPWS_OK;
    for (int i = 1; reason && i < SIPWS_ERR_COUNT; i++)
        if (strcmp(sipws_err_info((enum sipws_err)i)->id, reason) == 0)
            l->reason = (enum sipws_err)i;
    if (l->reason == SIPWS_OK)
        return complain(id, "no such reason", reason ? reason : "");
    l->rule = json_string_value(json_object_get(e, "rule"));
    if (!l->rule)
        return complain(id, "rule", "");
    const json_t *here = json_object_get(e, "here");
    if (here && !json_is_string(here))
        return complain(id, "here", "");
    l->here = json_string_value(here);
    return true;
}

static const json_t *find_case(const json_t *cases, const char *id, size_t before)
{
    for (size_t i = 0; i < before; i++) {
        const json_t *c = json_array_get(cases, i);
        const char *other = json_string_value(json_object_get(c, "id"));
        if (other && strcmp(other, id) == 0)
            return c;
    }
    return NULL;
}

/* One case. `file` is the whole file, for twins and flags. */
static bool load_case(const json_t *file, size_t index, struct loaded *l)
{
    static const char *const names[] = {"!id",    "!title", "!layer",  "!policy", "origins",
                                        "!facts", "from",   "message", "!expect", "!level",
                                        "!rfc",   "twin",   "!flags",  NULL};
    static const char *const policies[] = {"A.1", "A.2", "A.3", NULL};
    static const char *const layers[] = {"tls", "http", "web", "sip", NULL};
    static const char *const levels[] = {"MUST", "SHOULD", "MAY", NULL};
    const json_t *cases = json_object_get(file, "cases"), *c = json_array_get(cases, index), *item;
    const char *id = json_string_value(json_object_get(c, "id"));
    int which;
    size_t i;
    id = id ? id : "a case without id";
    if (!keys(id, c, names) || !json_is_string(json_object_get(c, "id")))
        return complain(id, "id", "");
    if (find_case(cases, id, index))
        return complain(id, "the id stands twice", id);
    if (!json_is_string(json_object_get(c, "title")) || !json_is_string(json_object_get(c, "rfc")))
        return complain(id, "title and rfc are strings", "");
    if (!one_of(id, json_object_get(c, "level"), "level", levels, &which) ||
        !one_of(id, json_object_get(c, "layer"), "layer", layers, &which))
        return false;
    l->layer = layers[which];
    if (!one_of(id, json_object_get(c, "policy"), "policy", policies, &which))
        return false;
    const json_t *origins = json_object_get(c, "origins");
    if ((origins && !json_is_array(origins)) || json_array_size(origins) > ORIGINS)
        return complain(id, "origins", "");
    json_array_foreach((json_t *)(uintptr_t)origins, i, item)
    {
        if (!json_is_string(item))
            return complain(id, "an origin is no string", "");
        l->origins[i] = str(item);
    }
    l->policy =
        (struct sipws_policy){(enum sipws_policy_kind)which, l->origins, json_array_size(origins)};
    if (!load_facts(id, json_object_get(c, "facts"), &l->facts) || !load_message(id, c, l) ||
        !load_expect(id, json_object_get(c, "expect"), l))
        return false;
    const json_t *flags = json_object_get(c, "flags"), *known = json_object_get(file, "flags");
    if (!json_is_array(flags))
        return complain(id, "flags", "");
    json_array_foreach((json_t *)(uintptr_t)flags, i, item)
    {
        const char *flag = json_string_value(item);
        if (!flag || !json_object_get(known, flag))
            return complain(id, "a flag that is not explained", flag ? flag : "");
    }
    const json_t *twin = json_object_get(c, "twin");
    if (!l->allow && !json_is_string(twin))
        return complain(id, "a refusal without twin", "");
    if (twin) {
        const char *name = json_string_value(twin);
        const json_t *t = find_case(cases, name ? name : "", json_array_size(cases));
        const char *verdict =
            json_string_value(json_object_get(json_object_get(t, "expect"), "verdict"));
        if (l->allow || !verdict || strcmp(verdict, "allow") != 0)
            return complain(id, "the twin is none", name ? name : "");
    }
    return true;
}

static bool load_file(const json_t *file)
{
    static const char *const names[] = {"!group", "!about", "!flags", "!cases", NULL};
    static const char *const flag[] = {"!bug", "!effect", "!links", NULL};
    const json_t *flags, *value;
    const char *key;
    complaint[0] = 0;
    if (!keys("file", file, names))
        return false;
    flags = json_object_get(file, "flags");
    if (!json_is_object(flags) || !json_is_array(json_object_get(file, "cases")))
        return complain("file", "flags or cases", "");
    json_object_foreach((json_t *)(uintptr_t)flags, key, value)
    {
        if (!keys(key, value, flag))
            return false;
    }
    return true;
}

/* ---- running --------------------------------------------------------------------------------- */

static struct sipws_verdict judge(const struct loaded *l, char **text)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_msg m;
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    *text = NULL;
    if (l->text_n == 0)
        return sipws_policy_connection(&l->policy, &l->facts);
    *text = malloc(l->text_n); /* of exactly its size, for AddressSanitizer */
    assert_non_null(*text);
    memcpy(*text, l->text, l->text_n);
    if (!sipws_msg_parse((struct sipws_str){*text, l->text_n}, 0, fields, FIELDS, &m, &report))
        fail_msg("the message does not parse: %s at %zu", sipws_err_info(diag.err)->id, diag.off);
    return sipws_policy_message(&l->policy, &l->facts, &m);
}

static json_t *load(void)
{
    json_error_t error;
    json_t *file = json_load_file(SIPWS_ROOT "/corpus/vectors/policy.json",
                                  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!file)
        fail_msg("policy.json:%d: %s", error.line, error.text);
    if (!load_file(file))
        fail_msg("policy.json: %s", complaint);
    return file;
}

/* Whether the octets at the offset are those that the case says. */
static bool stands(const struct loaded *l, size_t off)
{
    struct sipws_str rest = {l->text + off, l->text_n - off};
    size_t n = l->here ? strlen(l->here) : 0;
    if (!l->here)
        return true;
    return n == 0 ? rest.n == 0 : n <= rest.n && memcmp(rest.p, l->here, n) == 0;
}

static void vectors_get_their_verdicts(void **state)
{
    (void)state;
    static struct loaded l;
    json_t *file = load();
    const json_t *cases = json_object_get(file, "cases");
    bool reached[SIPWS_ERR_COUNT] = {false};
    size_t n = json_array_size(cases), wrong = 0;
    assert_true(n >= 25);
    for (size_t i = 0; i < n; i++) {
        const json_t *c = json_array_get(cases, i);
        char *text;
        if (!load_case(file, i, &l))
            fail_msg("policy.json: %s", complaint);
        struct sipws_verdict v = judge(&l, &text);
        bool same = v.allow == l.allow &&
                    (l.allow ? v.diag.err == SIPWS_OK
                             : v.diag.err == l.reason && strcmp(v.diag.rule, l.rule) == 0 &&
                                   strcmp(sipws_fact_layer_name(v.layer), l.layer) == 0 &&
                                   v.diag.off <= l.text_n && stands(&l, v.diag.off));
        if (!same) {
            print_error("%s (%s): want %s %s, got %s %s (%s, %s) at %zu\n",
                        json_string_value(json_object_get(c, "id")),
                        json_string_value(json_object_get(c, "title")),
                        l.allow ? "allow" : "refuse", l.allow ? "" : sipws_err_info(l.reason)->id,
                        v.allow ? "allow" : "refuse", sipws_err_info(v.diag.err)->id, v.diag.rule,
                        sipws_fact_layer_name(v.layer), v.diag.off);
            wrong++;
        }
        if (!l.allow)
            reached[l.reason] = true;
        free(text);
    }
    assert_int_equal(wrong, 0);
    assert_true(reached[SIPWS_E_HTTP_ORIGIN] && reached[SIPWS_E_SIPS_PLAIN] &&
                reached[SIPWS_E_VIA_TRANSPORT]);
    for (int e = 1; e < SIPWS_ERR_COUNT; e++)
        if (sipws_err_info((enum sipws_err)e)->layer == SIPWS_LAYER_POLICY && !reached[e])
            fail_msg("no vector reaches %s", sipws_err_info((enum sipws_err)e)->id);
    json_decref(file);
}

/* A message is never allowed on a connection that is not: whatever makes the connection's vectors
 * refuse makes messages refuse, for the same reason. */
static void a_refused_connection_has_no_message(void **state)
{
    (void)state;
    static struct loaded l;
    json_t *file = load();
    size_t n = json_array_size(json_object_get(file, "cases")), judged = 0;
    for (size_t i = 0; i < n; i++) {
        char *text;
        assert_true(load_case(file, i, &l));
        if (l.text_n > 0 || l.allow)
            continue;
        struct sipws_verdict want = judge(&l, &text), got;
        static const char message[] = "OPTIONS sip:b@c SIP/2.0\r\nVia: SIP/2.0/WSS h.invalid\r\n"
                                      "From: <sip:alice@example.org>\r\n\r\n";
        l.text_n = sizeof message - 1;
        memcpy(l.text, message, l.text_n);
        got = judge(&l, &text);
        assert_false(got.allow);
        assert_int_equal(got.diag.err, want.diag.err);
        assert_string_equal(got.diag.rule, want.diag.rule);
        free(text);
        judged++;
    }
    assert_true(judged >= 10);
    json_decref(file);
}

/* ---- the loader ------------------------------------------------------------------------------ */

#define CASE(more)                                                                                 \
    "{\"group\":\"policy\",\"about\":\"\",\"flags\":{\"P1\":{\"bug\":\"\",\"effect\":\"\","        \
    "\"links\":[]}},\"cases\":[{\"id\":\"a\",\"title\":\"\",\"layer\":\"web\","                    \
    "\"policy\":\"A.2\",\"facts\":{},\"expect\":{\"verdict\":\"allow\"},\"level\":\"MUST\","       \
    "\"rfc\":\"7118 A.2\",\"flags\":[]}" more "]}"
#define BENT(id, facts, expect, more)                                                              \
    CASE(",{\"id\":\"" id                                                                          \
         "\",\"title\":\"\",\"layer\":\"web\",\"policy\":\"A.2\",\"facts\":" facts                 \
         ",\"expect\":" expect ",\"level\":\"MUST\",\"rfc\":\"7118 A.2\"," more "}")
#define NO "{\"verdict\":\"refuse\",\"reason\":\"policy-from\",\"rule\":\"from\"}"

static void the_loader_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *text, *complaint;
    } cases[] = {
        {CASE(""), NULL},
        {BENT("b", "{\"tls\":\"no\",\"origin\":null}", NO, "\"flags\":[\"P1\"],\"twin\":\"a\""),
         NULL},
        {"[]", "no object"},
        {"{\"group\":\"policy\",\"about\":\"\",\"flags\":{},\"cases\":[],\"x\":1}", "unknown key"},
        {"{\"group\":\"policy\",\"about\":\"\",\"cases\":[]}", "missing key"},
        {BENT("b", "{}", NO, "\"flags\":[],\"twin\":\"a\",\"note\":\"\""), "unknown key"},
        {BENT("b", "{\"tsl\":\"no\"}", NO, "\"flags\":[],\"twin\":\"a\""), "unknown key"},
        {BENT("b", "{\"tls\":\"maybe\"}", NO, "\"flags\":[],\"twin\":\"a\""), "tls"},
        {BENT("b", "{\"origin\":1}", NO, "\"flags\":[],\"twin\":\"a\""), "neither a string"},
        {BENT("a", "{}", NO, "\"flags\":[],\"twin\":\"a\""), "stands twice"},
        {BENT("b", "{}", NO, "\"flags\":[\"P9\"],\"twin\":\"a\""), "not explained"},
        {BENT("b", "{}", NO, "\"flags\":[],\"twin\":\"c\""), "twin is none"},
        {BENT("b", "{}", NO, "\"flags\":[],\"twin\":\"b\""), "twin is none"},
        {BENT("b", "{}", NO, "\"flags\":[]"), "without twin"},
        {BENT("b", "{}", "{\"verdict\":\"perhaps\"}", "\"flags\":[]"), "verdict"},
        {BENT("b", "{}", "{\"verdict\":\"allow\",\"reason\":\"policy-from\"}", "\"flags\":[]"),
         "unknown key"},
        {BENT("b", "{}", "{\"verdict\":\"refuse\",\"reason\":\"policy-form\",\"rule\":\"from\"}",
              "\"flags\":[],\"twin\":\"a\""),
         "no such reason"},
        {BENT("b", "{}", NO, "\"flags\":[],\"twin\":\"a\",\"from\":\"\",\"message\":[\"\"]"),
         "both from and message"},
        {BENT("b", "{}", NO, "\"flags\":[],\"twin\":\"a\",\"message\":[]"), "no list"},
    };
    static struct loaded l;
    for (size_t i = 0; i < COUNT(cases); i++) {
        json_error_t error;
        json_t *file = json_loads(cases[i].text, JSON_REJECT_DUPLICATES, &error);
        if (!file)
            fail_msg("case %zu is no JSON: %s", i, error.text);
        bool ok = load_file(file);
        for (size_t j = 0; ok && j < json_array_size(json_object_get(file, "cases")); j++)
            ok = load_case(file, j, &l);
        if (ok != !cases[i].complaint || (!ok && !strstr(complaint, cases[i].complaint)))
            fail_msg("case %zu: want %s, got %s", i,
                     cases[i].complaint ? cases[i].complaint : "none", ok ? "none" : complaint);
        json_decref(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loader_is_strict),
        cmocka_unit_test(vectors_get_their_verdicts),
        cmocka_unit_test(a_refused_connection_has_no_message),
    };
    return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
