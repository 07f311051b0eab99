/* sipws: a message as JSON. */
#include "cli_json.h"

#include <assert.h>
#include <stdlib.h>

/* ---- what a kind has ------------------------------------------------------------------------- */

const char *const cli_weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", NULL};

#define AT(member) offsetof(struct sipws_value, member)
#define MUST(key, type, member)                                                                    \
    {                                                                                              \
        key, CLI_##type, false, AT(member), 0, UINT64_MAX                                          \
    }
#define MAY(key, type, member)                                                                     \
    {                                                                                              \
        key, CLI_##type, true, AT(member), 0, UINT64_MAX                                           \
    }
#define RANGE(key, type, member, min, max)                                                         \
    {                                                                                              \
        key, CLI_##type, false, AT(member), min, max                                               \
    }
#define PARAMS MUST("params", PARAMS, params)
#define COMMAS MUST("params", COMMAS, params)
#define END                                                                                        \
    {                                                                                              \
        NULL, CLI_STRING, false, 0, 0, 0                                                           \
    }

static const struct cli_member text[] = {MUST("text", STRING, text), END};
static const struct cli_member token[] = {MUST("token", STRING, token), PARAMS, END};
static const struct cli_member number[] = {MUST("number", U64, number.value),
                                           MAY("comment", STRING, number.comment), PARAMS, END};
static const struct cli_member addr[] = {MAY("display", DISPLAY, addr.display),
                                         MUST("uri", URI, addr.uri), PARAMS, END};
static const struct cli_member star[] = {END};
static const struct cli_member uri[] = {MUST("uri", URI, uri), PARAMS, END};
static const struct cli_member via[] = {MUST("protocol", STRING, via.protocol),
                                        MUST("version", STRING, via.version),
                                        MUST("transport", STRING, via.transport),
                                        MUST("host", HOST, via.host),
                                        MAY("port", PORT, via.port),
                                        PARAMS,
                                        END};
static const struct cli_member cseq[] = {RANGE("number", U32, cseq.number, 0, UINT32_MAX),
                                         MUST("method", STRING, cseq.method), END};
static const struct cli_member rack[] = {RANGE("response", U32, rack.response, 0, UINT32_MAX),
                                         RANGE("number", U32, rack.number, 0, UINT32_MAX),
                                         MUST("method", STRING, rack.method), END};
static const struct cli_member call_id[] = {MUST("call_id", STRING, call_id), PARAMS, END};
static const struct cli_member media[] = {MUST("type", STRING, media.type),
                                          MUST("subtype", STRING, media.subtype), PARAMS, END};
static const struct cli_member date[] = {
    MUST("weekday", WEEKDAY, date.weekday),  RANGE("day", U8, date.day, 1, 31),
    RANGE("month", U8, date.month, 1, 12),   RANGE("year", U16, date.year, 0, 9999),
    RANGE("hour", U8, date.hour, 0, 23),     RANGE("minute", U8, date.minute, 0, 59),
    RANGE("second", U8, date.second, 0, 59), END};
static const struct cli_member timestamp[] = {MUST("value", STRING, timestamp.value),
                                              MAY("delay", STRING, timestamp.delay), END};
static const struct cli_member warning[] = {RANGE("code", U16, warning.code, 0, 999),
                                            MUST("agent", STRING, warning.agent),
                                            MUST("quoted", STRING, warning.quoted), END};
static const struct cli_member auth[] = {MUST("scheme", STRING, auth.scheme), COMMAS, END};
static const struct cli_member auth_info[] = {COMMAS, END};
static const struct cli_member identity[] = {MUST("identity", STRING, identity), PARAMS, END};

const struct cli_member *cli_members(enum sipws_kind kind)
{
    static const struct cli_member *const tables[] = {
        [SIPWS_K_TEXT] = text,
        [SIPWS_K_TOKEN] = token,
        [SIPWS_K_NUMBER] = number,
        [SIPWS_K_ADDR] = addr,
        [SIPWS_K_STAR] = star,
        [SIPWS_K_URI] = uri,
        [SIPWS_K_VIA] = via,
        [SIPWS_K_CSEQ] = cseq,
        [SIPWS_K_RACK] = rack,
        [SIPWS_K_CALL_ID] = call_id,
        [SIPWS_K_MEDIA] = media,
        [SIPWS_K_DATE] = date,
        [SIPWS_K_TIMESTAMP] = timestamp,
        [SIPWS_K_WARNING] = warning,
        [SIPWS_K_CHALLENGE] = auth,
        [SIPWS_K_CREDENTIALS] = auth,
        [SIPWS_K_AUTH_INFO] = auth_info,
        [SIPWS_K_IDENTITY] = identity,
    };
    static_assert(sizeof tables / sizeof *tables == SIPWS_KIND_COUNT, "a table for each kind");
    return tables[kind];
}

#undef AT
#define AT(member) offsetof(struct sipws_uri, member)

static const struct cli_member sip_uri[] = {MUST("scheme", LOWER, scheme_name),
                                            MAY("user", STRING, user),
                                            MAY("password", STRING, password),
                                            MUST("host", HOST, host),
                                            MAY("port", PORT, port),
                                            MUST("params", URI_PARAMS, params),
                                            MUST("headers", URI_HEADERS, headers),
                                            END};
static const struct cli_member other_uri[] = {MUST("scheme", LOWER, scheme_name),
                                              MUST("opaque", STRING, opaque), END};

const struct cli_member *cli_uri_members(enum sipws_scheme scheme)
{
    return scheme == SIPWS_SCHEME_OTHER ? other_uri : sip_uri;
}

/* ---- octets ---------------------------------------------------------------------------------- */

json_t *cli_octets(struct sipws_str s)
{
    static const char digits[] = "0123456789abcdef";
    if (sipws_utf8_valid(s))
        return json_stringn(s.n ? s.p : "", s.n);
    char *hex = cli_alloc(2 * s.n);
    for (size_t i = 0; i < s.n; i++) {
        hex[2 * i] = digits[(unsigned char)s.p[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)s.p[i] & 15];
    }
    json_t *out = json_pack("{ss%}", "hex", hex, 2 * s.n);
    free(hex);
    return out;
}

static json_t *lower(struct sipws_str s)
{
    char *copy = cli_alloc(s.n);
    for (size_t i = 0; i < s.n; i++)
        copy[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 0x20 : s.p[i]);
    json_t *out = cli_octets((struct sipws_str){copy, s.n});
    free(copy);
    return out;
}

/* Each fold is one SP; with `squeeze`, so is any other white space between tokens. */
static json_t *unfolded(struct sipws_str s, bool squeeze)
{
    char *copy = cli_alloc(s.n);
    struct sipws_out o = sipws_out(copy, s.n);
    sipws_put_unfolded(&o, s);
    assert(sipws_out_ok(&o));
    if (squeeze && o.n > 0 && copy[0] != '"') {
        size_t n = 0;
        for (size_t i = 0; i < o.n; i++) {
            bool space = sipws_is(copy[i], SIPWS_C_WSP);
            if (!space || !sipws_is(copy[i + 1], SIPWS_C_WSP))
                copy[n++] = (char)(space ? ' ' : copy[i]);
        }
        o.n = n;
    }
    json_t *out = cli_octets(sipws_out_str(&o));
    free(copy);
    return out;
}

/* Many readers of JSON hold no number above 2^53 - 1 exactly (RFC 7493 2.2). */
static json_t *integer(uint64_t value)
{
    char digits[20];
    struct sipws_out o = sipws_out(digits, sizeof digits);
    if (value < UINT64_C(1) << 53)
        return json_integer((json_int_t)value);
    sipws_put_uint(&o, value);
    return json_stringn(digits, o.n);
}

/* ---- values ---------------------------------------------------------------------------------- */

static json_t *pair(struct sipws_str name, struct sipws_str value)
{
    json_t *out = json_pack("{so}", "name", cli_octets(name));
    if (value.p)
        json_object_set_new(out, "value", unfolded(value, false));
    return out;
}

static json_t *params(struct sipws_str rest)
{
    json_t *out = json_array();
    struct sipws_param param;
    while (rest.p && sipws_param_next(&rest, &param))
        json_array_append_new(out, pair(param.name, param.value));
    return out;
}

static json_t *uri_parts(struct sipws_str rest)
{
    json_t *out = json_array();
    struct sipws_uri_part part;
    while (rest.p && sipws_uri_part_next(&rest, &part))
        json_array_append_new(out, pair(part.name, part.value));
    return out;
}

static void members(json_t *out, const struct cli_member *m, const void *base);

/* NULL: absent. */
static json_t *member(enum cli_type type, const void *p)
{
    const struct sipws_str *s = p;
    switch (type) {
    case CLI_STRING:
        return s->p ? unfolded(*s, false) : NULL;
    case CLI_DISPLAY:
        return s->p ? unfolded(*s, true) : NULL;
    case CLI_LOWER:
        return lower(*s);
    case CLI_HOST:
        return lower(((const struct sipws_host *)p)->text);
    case CLI_PORT: {
        int32_t port = *(const int32_t *)p;
        return port == SIPWS_NO_PORT ? NULL : json_integer(port);
    }
    case CLI_U8:
        return integer(*(const uint8_t *)p);
    case CLI_U16:
        return integer(*(const uint16_t *)p);
    case CLI_U32:
        return integer(*(const uint32_t *)p);
    case CLI_U64:
        return integer(*(const uint64_t *)p);
    case CLI_WEEKDAY:
        return json_string(cli_weekdays[*(const uint8_t *)p]);
    case CLI_URI: {
        const struct sipws_uri *u = p;
        json_t *out = json_object();
        members(out, cli_uri_members(u->scheme), u);
        return out;
    }
    case CLI_PARAMS:
    case CLI_COMMAS:
        return params(*s);
    case CLI_URI_PARAMS:
    case CLI_URI_HEADERS:
        return uri_parts(*s);
    }
    return NULL;
}

static void members(json_t *out, const struct cli_member *m, const void *base)
{
    for (; m->key; m++) {
        json_t *value = member(m->type, (const char *)base + m->off);
        assert(value || m->optional);
        if (value)
            json_object_set_new(out, m->key, value);
    }
}

/* ---- the message ----------------------------------------------------------------------------- */

static void append_elements(json_t *list, const struct sipws_msg *m, const struct sipws_field *f,
                            uint32_t allow)
{
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    struct sipws_value v;
    struct sipws_cur c = sipws_msg_cur(m, f, allow, &diag);
    for (bool more = sipws_value_first(&c, f->id, &v); more;
         more = sipws_value_next(&c, f->id, &v)) {
        json_t *element = json_pack("{ss}", "kind", sipws_kind_name(v.kind));
        members(element, cli_members(v.kind), &v);
        json_array_append_new(list, element);
    }
    assert(c.p == c.end); /* the message has no errors */
}

json_t *cli_reading(const struct sipws_msg *m, uint32_t allow)
{
    json_t *fields = json_array(), *start, *lists[SIPWS_FIELD_COUNT] = {NULL};
    for (size_t i = 0; i < m->n; i++) {
        const struct sipws_field *f = &m->fields[i];
        const struct sipws_field_info *info = sipws_field_info(f->id);
        bool joins = info->shape == SIPWS_LIST || info->shape == SIPWS_LIST_EMPTY;
        json_t *list = joins ? lists[f->id] : NULL;
        if (!list) {
            list = lists[f->id] = json_array();
            json_array_append_new(
                fields,
                json_pack("{so so}", "name",
                          f->id == SIPWS_F_EXTENSION ? lower(f->name) : json_string(info->name),
                          "elements", list));
        }
        append_elements(list, m, f, allow);
    }
    if (m->is_request) {
        start = json_pack("{so}", "method", cli_octets(m->method_name));
        json_object_set_new(start, "uri", member(CLI_URI, &m->uri));
    } else {
        start =
            json_pack("{sI so}", "status", (json_int_t)m->status, "reason", cli_octets(m->reason));
    }
    return json_pack("{so so so}", m->is_request ? "request" : "response", start, "fields", fields,
                     "body", cli_octets(m->body));
}
