/* sipws: a message from the JSON form of its reading.
 *
 * What is printed here is never trusted: it is judged as any message is, and the reading of it must
 * be the document that it was made of. So nothing that stands in a string can become structure.
 */
#include "cli_json.h"

#include <stdarg.h>
#include <stdlib.h>

/* A place in the document: one of a chain that leads up to the root. */
struct place {
    const struct place *up;
    const char *key; /* NULL: an element of an array */
    size_t index;
};

struct memory {
    struct memory *next;
    max_align_t octets[];
};

struct build {
    const struct cli_args *args;
    const char *name;      /* the document's file */
    bool raw;              /* whatever comes of it */
    struct memory *memory; /* what slices point to */
};

static char *keep(struct build *b, size_t n)
{
    struct memory *m = cli_alloc(sizeof *m + n);
    m->next = b->memory;
    b->memory = m;
    return (char *)m->octets;
}

/* ---- complaints ------------------------------------------------------------------------------ */

static void put_place(FILE *f, const struct place *at)
{
    if (!at->up) {
        putc('$', f);
        return;
    }
    put_place(f, at->up);
    if (at->key)
        fprintf(f, ".%s", at->key);
    else
        fprintf(f, "[%zu]", at->index);
}

/* "sipws print: FILE: $.fields[2].name: …". Returns false. */
__attribute__((format(printf, 3, 4))) static bool
refuse(const struct build *b, const struct place *at, const char *format, ...)
{
    char *visible = cli_visible(b->name);
    va_list args;
    fprintf(stderr, "sipws %s: %s: ", b->args->command->name, visible);
    free(visible);
    put_place(stderr, at);
    fputs(": ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    return false;
}

static bool refuse_key(const struct build *b, const struct place *at, const char *key)
{
    char *visible = cli_visible(key);
    refuse(b, at, "there is no key \"%s\" here", visible);
    free(visible);
    return false;
}

/* ---- octets and numbers ---------------------------------------------------------------------- */

static int hex_digit(char ch)
{
    const char *digits = "0123456789abcdef", *p = ch ? strchr(digits, ch) : NULL;
    return p ? (int)(p - digits) : -1;
}

static bool octets(struct build *b, const struct place *at, json_t *json, struct sipws_str *out)
{
    if (json_is_string(json)) {
        *out = (struct sipws_str){json_string_value(json), json_string_length(json)};
        return true;
    }
    json_t *hex = json_object_size(json) == 1 ? json_object_get(json, "hex") : NULL;
    if (!json_is_string(hex))
        return refuse(b, at, "a string, or {\"hex\": \"...\"}, belongs here");
    const char *p = json_string_value(hex);
    size_t n = json_string_length(hex);
    char *copy = keep(b, n / 2);
    for (size_t i = 0; i + 1 < n; i += 2) {
        int high = hex_digit(p[i]), low = hex_digit(p[i + 1]);
        if (high < 0 || low < 0)
            break;
        copy[i / 2] = (char)(high << 4 | low);
        if (i + 2 == n) {
            *out = (struct sipws_str){copy, n / 2};
            return true;
        }
    }
    return refuse(b, at, "hex is pairs of the digits 0 to 9 and a to f");
}

static bool integer(const struct build *b, const struct place *at, json_t *json, uint64_t min,
                    uint64_t max, uint64_t *out)
{
    const uint64_t exact = (UINT64_C(1) << 53) - 1;
    bool good = false;
    if (json_is_integer(json) && json_integer_value(json) >= 0) {
        *out = (uint64_t)json_integer_value(json);
        good = *out <= exact;
    } else if (json_is_string(json) && max > exact) {
        struct sipws_str s = {json_string_value(json), json_string_length(json)};
        struct sipws_cur c = sipws_cur(s, NULL);
        good = sipws_number(&c, exact + 1, max, out, "") && c.p == c.end && s.p[0] != '0';
    }
    if (good && *out >= min && *out <= max)
        return true;
    if (max > exact)
        return refuse(b, at, "an integer, or a string of its digits from 2^53 on, belongs here");
    return refuse(b, at, "an integer from %llu to %llu belongs here", (unsigned long long)min,
                  (unsigned long long)max);
}

/* ---- lists of names and values --------------------------------------------------------------- */

/* {"name": …, "value": …}; value.p is NULL where it is absent. */
static bool pair(struct build *b, const struct place *at, json_t *json, struct sipws_param *out)
{
    json_t *value = json_object_get(json, "value"), *name = json_object_get(json, "name");
    const struct place at_name = {at, "name", 0}, at_value = {at, "value", 0};
    *out = (struct sipws_param){{NULL, 0}, {NULL, 0}};
    if (!name || json_object_size(json) != (value ? 2u : 1u))
        return refuse(b, at,
                      "an object with \"name\" and, where it has one, \"value\" belongs here");
    return octets(b, &at_name, name, &out->name) &&
           (!value || octets(b, &at_value, value, &out->value));
}

/* Whether the printer, which takes parameters apart again, will find just this one. */
static bool sound_param(struct build *b, const struct place *at, const struct sipws_param *param)
{
    const struct place at_name = {at, "name", 0}, at_value = {at, "value", 0};
    size_t n = param->name.n + 1 + param->value.n;
    struct sipws_out o = sipws_out(keep(b, n), n);
    struct sipws_cur c = sipws_cur(param->name, NULL);
    struct sipws_str name, text;
    struct sipws_param again;
    if (!sipws_token(&c, &name) || c.p < c.end)
        return refuse(b, &at_name, "not a token");
    if (!param->value.p)
        return true;
    sipws_put(&o, param->name);
    sipws_put_char(&o, '=');
    sipws_put(&o, param->value);
    text = sipws_out_str(&o);
    return (sipws_param_next(&text, &again) && text.n == 0) ||
           refuse(b, &at_value, "not the value of a parameter");
}

/* A list of pairs as the text that the printer wants; p is NULL where there are none. */
static bool pairs(struct build *b, const struct place *at, json_t *json, enum cli_type type,
                  struct sipws_str *out)
{
    bool header = type == CLI_URI_HEADERS;
    bool sound = type == CLI_PARAMS || type == CLI_COMMAS;
    *out = (struct sipws_str){NULL, 0};
    if (!json_is_array(json))
        return refuse(b, at, "an array belongs here");
    size_t n = json_array_size(json);
    struct sipws_param *list = (void *)keep(b, n * sizeof *list);
    size_t length = 0;
    for (size_t i = 0; i < n; i++) {
        const struct place at_pair = {at, NULL, i};
        if (!pair(b, &at_pair, json_array_get(json, i), &list[i]) ||
            (sound && !b->raw && !sound_param(b, &at_pair, &list[i])))
            return false;
        length += list[i].name.n + list[i].value.n + 3;
    }
    if (n == 0)
        return true;
    char *copy = keep(b, length);
    struct sipws_out o = sipws_out(copy, length);
    for (size_t i = 0; i < n; i++) {
        if (type == CLI_COMMAS && i > 0)
            sipws_put_lit(&o, ", ");
        else if (type != CLI_COMMAS)
            sipws_put_char(&o, (char)(!header ? ';' : i == 0 ? '?' : '&'));
        sipws_put(&o, list[i].name);
        if (list[i].value.p) {
            sipws_put_char(&o, '=');
            sipws_put(&o, list[i].value);
        }
    }
    *out = sipws_out_str(&o);
    return true;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool members(struct build *b, const struct place *at, json_t *json,
                    const struct cli_member *table, const char *also, void *base);

static bool uri(struct build *b, const struct place *at, json_t *json, struct sipws_uri *out)
{
    const struct place at_scheme = {at, "scheme", 0};
    json_t *scheme = json_object_get(json, "scheme");
    struct sipws_str name;
    *out = (struct sipws_uri){.port = SIPWS_NO_PORT};
    if (!scheme)
        return refuse(b, at, "an object with \"scheme\" belongs here");
    if (!octets(b, &at_scheme, scheme, &name))
        return false;
    out->scheme = sipws_str_ieq(name, SIPWS_STR("sip"))    ? SIPWS_SCHEME_SIP
                  : sipws_str_ieq(name, SIPWS_STR("sips")) ? SIPWS_SCHEME_SIPS
                                                           : SIPWS_SCHEME_OTHER;
    return members(b, at, json, cli_uri_members(out->scheme), NULL, out);
}

static bool host(struct build *b, const struct place *at, json_t *json, struct sipws_host *out)
{
    struct sipws_diag diag;
    struct sipws_str s;
    if (!octets(b, at, json, &s))
        return false;
    struct sipws_cur c = sipws_cur(s, &diag);
    if (!sipws_host(&c, out) || c.p < c.end)
        return refuse(b, at, "not a host name, an IPv4 address or an IPv6 address in brackets");
    return true;
}

static bool weekday(const struct build *b, const struct place *at, json_t *json, uint8_t *out)
{
    const char *name = json_is_string(json) ? json_string_value(json) : "";
    for (uint8_t i = 0; cli_weekdays[i]; i++) {
        if (strcmp(name, cli_weekdays[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return refuse(b, at, "a day from \"Mon\" to \"Sun\" belongs here");
}

static bool member(struct build *b, const struct place *at, json_t *json,
                   const struct cli_member *m, void *p)
{
    uint64_t value;
    switch (m->type) {
    case CLI_STRING:
    case CLI_DISPLAY:
    case CLI_LOWER:
        return octets(b, at, json, p);
    case CLI_HOST:
        return host(b, at, json, p);
    case CLI_PORT:
        if (!integer(b, at, json, 0, 65535, &value))
            return false;
        *(int32_t *)p = (int32_t)value;
        return true;
    case CLI_U8:
        if (!integer(b, at, json, m->min, m->max, &value))
            return false;
        *(uint8_t *)p = (uint8_t)value;
        return true;
    case CLI_U16:
        if (!integer(b, at, json, m->min, m->max, &value))
            return false;
        *(uint16_t *)p = (uint16_t)value;
        return true;
    case CLI_U32:
        if (!integer(b, at, json, m->min, m->max, &value))
            return false;
        *(uint32_t *)p = (uint32_t)value;
        return true;
    case CLI_U64:
        return integer(b, at, json, m->min, m->max, p);
    case CLI_WEEKDAY:
        return weekday(b, at, json, p);
    case CLI_URI:
        return uri(b, at, json, p);
    case CLI_PARAMS:
    case CLI_COMMAS:
    case CLI_URI_PARAMS:
    case CLI_URI_HEADERS:
        return pairs(b, at, json, m->type, p);
    }
    return false;
}

/* Fills what lies at `base`. `also` is a key that the object may have besides, or NULL. */
static bool members(struct build *b, const struct place *at, json_t *json,
                    const struct cli_member *table, const char *also, void *base)
{
    size_t known = also && json_object_get(json, also) ? 1 : 0;
    for (const struct cli_member *m = table; m->key; m++) {
        json_t *value = json_object_get(json, m->key);
        const struct place at_member = {at, m->key, 0};
        if (!value && !m->optional)
            return refuse(b, at, "\"%s\" is missing", m->key);
        if (value && !member(b, &at_member, value, m, (char *)base + m->off))
            return false;
        known += value != NULL;
    }
    if (known == json_object_size(json))
        return true;
    const char *key = "";
    json_t *value;
    json_object_foreach(json, key, value)
    {
        const struct cli_member *m = table;
        while (m->key && strcmp(m->key, key) != 0)
            m++;
        if (!m->key && !(also && strcmp(also, key) == 0))
            break;
    }
    return refuse_key(b, at, key);
}

static bool element(struct build *b, const struct place *at, json_t *json, struct sipws_value *out)
{
    const struct place at_kind = {at, "kind", 0};
    json_t *kind = json_object_get(json, "kind");
    int found = -1;
    for (int i = 0; i < SIPWS_KIND_COUNT && json_is_string(kind); i++)
        if (strcmp(json_string_value(kind), sipws_kind_name((enum sipws_kind)i)) == 0)
            found = i;
    if (!kind)
        return refuse(b, at, "an object with \"kind\" belongs here");
    if (found < 0)
        return refuse(b, &at_kind, "not a kind of element");
    *out = (struct sipws_value){.kind = (enum sipws_kind)found};
    if (out->kind == SIPWS_K_VIA)
        out->via.port = SIPWS_NO_PORT;
    if (out->kind == SIPWS_K_ADDR)
        out->addr.brackets = true;
    return members(b, at, json, cli_members(out->kind), "kind", out);
}

/* ---- the message ----------------------------------------------------------------------------- */

/* An object that has just these keys, the last of which may be NULL. */
static bool just(const struct build *b, const struct place *at, json_t *json, const char *one,
                 const char *two, const char *three)
{
    const char *keys[] = {one, two, three};
    size_t n = three ? 3 : 2;
    if (!json_is_object(json))
        return refuse(b, at, "an object belongs here");
    for (size_t i = 0; i < n; i++)
        if (!json_object_get(json, keys[i]))
            return refuse(b, at, "\"%s\" is missing", keys[i]);
    if (json_object_size(json) == n)
        return true;
    const char *key = "";
    json_t *value;
    json_object_foreach(json, key, value)
    {
        if (strcmp(key, one) != 0 && strcmp(key, two) != 0 && !(three && strcmp(key, three) == 0))
            break;
    }
    return refuse_key(b, at, key);
}

static bool start_line(struct build *b, const struct place *at, json_t *json, struct sipws_msg *out)
{
    const struct place at_uri = {at, "uri", 0}, at_method = {at, "method", 0};
    const struct place at_status = {at, "status", 0}, at_reason = {at, "reason", 0};
    uint64_t status = 0;
    if (out->is_request)
        return just(b, at, json, "method", "uri", NULL) &&
               octets(b, &at_method, json_object_get(json, "method"), &out->method_name) &&
               uri(b, &at_uri, json_object_get(json, "uri"), &out->uri);
    if (!just(b, at, json, "status", "reason", NULL) ||
        !integer(b, &at_status, json_object_get(json, "status"), 100, 699, &status) ||
        !octets(b, &at_reason, json_object_get(json, "reason"), &out->reason))
        return false;
    out->status = (unsigned)status;
    return true;
}

static bool field(struct build *b, const struct place *at, json_t *json,
                  bool seen[SIPWS_FIELD_COUNT], struct sipws_out *o)
{
    const struct place at_name = {at, "name", 0}, at_elements = {at, "elements", 0};
    struct sipws_str name;
    if (!just(b, at, json, "name", "elements", NULL) ||
        !octets(b, &at_name, json_object_get(json, "name"), &name))
        return false;
    enum sipws_field_id id = sipws_field_find(name);
    const struct sipws_field_info *info = sipws_field_info(id);
    if (id != SIPWS_F_EXTENSION) {
        if (name.n != strlen(info->name))
            return refuse(b, &at_name, "the name in full is %s", info->name);
        if (seen[id] && (info->shape == SIPWS_LIST || info->shape == SIPWS_LIST_EMPTY))
            return refuse(b, &at_name, "%s stands before; this belongs to its elements",
                          info->name);
        name = (struct sipws_str){info->name, name.n};
        seen[id] = true;
    }
    sipws_put(o, name);
    sipws_put_char(o, ':');
    json_t *list = json_object_get(json, "elements");
    if (!json_is_array(list))
        return refuse(b, &at_elements, "an array belongs here");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const struct place at_element = {&at_elements, NULL, i};
        struct sipws_value v;
        if (!element(b, &at_element, json_array_get(list, i), &v))
            return false;
        if (i > 0)
            sipws_put_char(o, ',');
        sipws_put_char(o, ' ');
        sipws_value_print(o, &v);
    }
    sipws_put_lit(o, "\r\n");
    return true;
}

static bool message(struct build *b, json_t *json, struct sipws_out *o)
{
    const struct place root = {NULL, NULL, 0}, at_fields = {&root, "fields", 0};
    const struct place at_body = {&root, "body", 0};
    struct sipws_msg m = {.is_request = json_object_get(json, "request") != NULL};
    const char *kind = m.is_request ? "request" : "response";
    const struct place at_start = {&root, kind, 0};
    bool seen[SIPWS_FIELD_COUNT] = {false};
    if (json_is_object(json) && !json_object_get(json, kind))
        return refuse(b, &root, "\"request\" or \"response\" is missing");
    if (!just(b, &root, json, kind, "fields", "body") ||
        !start_line(b, &at_start, json_object_get(json, kind), &m) ||
        !octets(b, &at_body, json_object_get(json, "body"), &m.body))
        return false;
    sipws_msg_print_start(o, &m);
    json_t *fields = json_object_get(json, "fields");
    if (!json_is_array(fields))
        return refuse(b, &at_fields, "an array belongs here");
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const struct place at_field = {&at_fields, NULL, i};
        if (!field(b, &at_field, json_array_get(fields, i), seen, o))
            return false;
    }
    sipws_put_lit(o, "\r\n");
    sipws_put(o, m.body);
    return true;
}

/* ---- and back -------------------------------------------------------------------------------- */

/* Whether two strings are one: names and hosts without regard to case. */
static bool same_string(const char *key, const json_t *a, const json_t *b)
{
    struct sipws_str left = {json_string_value(a), json_string_length(a)};
    struct sipws_str right = {json_string_value(b), json_string_length(b)};
    bool any_case =
        key && (strcmp(key, "name") == 0 || strcmp(key, "host") == 0 || strcmp(key, "scheme") == 0);
    return any_case ? sipws_str_ieq(left, right) : sipws_str_eq(left, right);
}

/* Says where the reading of what was printed differs from the document. */
static bool same(const struct build *b, const struct place *at, json_t *wanted, json_t *got)
{
    bool equal = json_typeof(wanted) == json_typeof(got);
    if (equal && json_is_object(wanted)) {
        const char *key;
        json_t *value;
        json_object_foreach(wanted, key, value)
        {
            const struct place at_key = {at, key, 0};
            json_t *other = json_object_get(got, key);
            if (!other)
                return refuse(b, &at_key, "what is printed for this would be read without it");
            if (!same(b, &at_key, value, other))
                return false;
        }
        equal = json_object_size(wanted) == json_object_size(got);
    } else if (equal && json_is_array(wanted)) {
        for (size_t i = 0; i < json_array_size(wanted) && i < json_array_size(got); i++) {
            const struct place at_index = {at, NULL, i};
            if (!same(b, &at_index, json_array_get(wanted, i), json_array_get(got, i)))
                return false;
        }
        equal = json_array_size(wanted) == json_array_size(got);
    } else if (equal) {
        equal =
            json_is_string(wanted) ? same_string(at->key, wanted, got) : json_equal(wanted, got);
    }
    return equal || refuse(b, at, "what is printed for this would be read as something else");
}

/* Judges what was printed, and reads it again. */
static bool reads_back(const struct build *b, json_t *json, struct sipws_str text)
{
    const struct place root = {NULL, NULL, 0};
    struct cli_case c = {.file.name = "the message that it describes"};
    cli_judge(text, &CLI_RULES_DEFAULT, &c);
    bool good = c.valid;
    if (c.valid) {
        json_t *again = cli_reading(&c.msg, 0);
        good = same(b, &root, json, again);
        json_decref(again);
    } else {
        cli_complain(b->args, b->name, "this is not the reading of a valid message");
        cli_show(stderr, &c, CLI_SHOWN);
    }
    cli_case_free(&c);
    return good;
}

char *cli_build(const struct cli_args *a, const char *name, bool raw, json_t *reading, size_t *n)
{
    struct build b = {a, name, raw, NULL};
    struct sipws_out o = sipws_out(NULL, 0);
    char *text = NULL;
    /* Once to measure, once to print. */
    bool good = message(&b, reading, &o);
    if (good) {
        size_t cap = o.n;
        text = cli_alloc(cap);
        o = sipws_out(text, cap);
        good = message(&b, reading, &o) && sipws_out_ok(&o) &&
               (raw || reads_back(&b, reading, sipws_out_str(&o)));
    }
    while (b.memory) {
        struct memory *next = b.memory->next;
        free(b.memory);
        b.memory = next;
    }
    if (good) {
        *n = o.n;
        return text;
    }
    free(text);
    return NULL;
}
