#include "build.h"

#include "plant.h"
#include "utf8.h"

/* ---- refusals -------------------------------------------------------------------------------- */

static bool refused(const struct sipws_build *b)
{
    return b->diag.err != SIPWS_OK;
}

/* `off` counts from the start of the message. The first refusal stays. */
static void refuse(struct sipws_build *b, enum sipws_err err, size_t off, const char *rule)
{
    if (refused(b))
        return;
    sipws_diag_set(&b->diag, err, off, rule);
    if (b->open && !b->diag.rfc[0])
        b->diag.rfc = sipws_field_info(b->id)->rfc;
}

/* Where the next octet goes, from the start of the message. */
static size_t here(const struct sipws_build *b)
{
    return b->o->n - b->start;
}

/* What was written from `from` on can be read: all of it is there. */
static bool readable(const struct sipws_build *b)
{
    return sipws_out_ok(b->o) && b->o->p;
}

/* A cursor over what was written from `from` on; offsets count from the start of the message. */
static struct sipws_cur written(const struct sipws_build *b, size_t from, struct sipws_diag *diag)
{
    const char *base = b->o->p + b->start;
    return sipws_cur_in(base, b->o->p + from, b->o->p + b->o->n, diag, 0);
}

/* All of `s` is a token. */
static bool is_token(struct sipws_str s)
{
    return s.n > 0 && sipws_span(s.p, s.p + s.n, SIPWS_C_TOKEN) == s.p + s.n;
}

/* ---- same reading ---------------------------------------------------------------------------- */

static bool blank(char ch)
{
    return ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n';
}

/* What sipws_put_unfolded prints of `given` is `got`; both may be absent. */
static bool same_unfolded(struct sipws_str given, struct sipws_str got)
{
    if (!given.p || !got.p)
        return given.n == got.n && (!given.p == !got.p || given.n == 0);
    const char *p = given.p, *end = given.p + given.n, *q = got.p, *got_end = got.p + got.n;
    while (p < end && blank(*p))
        p++;
    while (end > p && blank(end[-1]))
        end--;
    while (p < end && q < got_end) {
        bool fold = *p == '\r' || *p == '\n';
        if (*q++ != (fold ? ' ' : *p++))
            return false;
        while (fold && p < end && blank(*p))
            p++;
    }
    return p == end && q == got_end;
}

/* The same parameters, and `given` is nothing but parameters: what the walk would leave out is not
 * printed, and was meant to be said. */
static bool same_params(struct sipws_str given, struct sipws_str got)
{
    const char *end = given.n ? given.p + given.n : given.p, *at = given.p;
    struct sipws_param a, b;
    while (sipws_param_next(&given, &a)) {
        if (!sipws_param_next(&got, &b) || !sipws_str_eq(a.name, b.name) ||
            !a.value.p != !b.value.p || !same_unfolded(a.value, b.value))
            return false;
        at = a.value.p ? a.value.p + a.value.n : a.name.p + a.name.n;
    }
    while (at < end && blank(*at))
        at++;
    return at == end && !sipws_param_next(&got, &b);
}

/* Same octets, and both absent or both there. */
static bool same_part(struct sipws_str a, struct sipws_str b)
{
    return !a.p == !b.p && sipws_str_eq(a, b);
}

static bool same_uri(const struct sipws_uri *a, const struct sipws_uri *b)
{
    return a->scheme == b->scheme && sipws_str_ieq(a->scheme_name, b->scheme_name) &&
           (a->scheme == SIPWS_SCHEME_OTHER
                ? sipws_str_eq(a->opaque, b->opaque)
                : same_part(a->user, b->user) && same_part(a->password, b->password) &&
                      sipws_str_ieq(a->host.text, b->host.text) && a->port == b->port &&
                      sipws_str_eq(a->params, b->params) && sipws_str_eq(a->headers, b->headers));
}

static bool same_date(const struct sipws_date *a, const struct sipws_date *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day &&
           a->weekday == b->weekday && a->hour == b->hour && a->minute == b->minute &&
           a->second == b->second;
}

/* `got`, which was read from what sipws_value_print printed of `given`, says the same. */
static bool same_value(const struct sipws_value *given, const struct sipws_value *got)
{
    const struct sipws_value *a = given, *b = got;
    bool same = false;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SIPWS_K_TEXT:
        return same_unfolded(a->text, b->text);
    case SIPWS_K_STAR:
        same = true;
        break;
    case SIPWS_K_CSEQ:
        same = a->cseq.number == b->cseq.number && sipws_str_eq(a->cseq.method, b->cseq.method);
        break;
    case SIPWS_K_RACK:
        same = a->rack.response == b->rack.response && a->rack.number == b->rack.number &&
               sipws_str_eq(a->rack.method, b->rack.method);
        break;
    case SIPWS_K_DATE:
        same = same_date(&a->date, &b->date);
        break;
    case SIPWS_K_TIMESTAMP:
        same = sipws_str_eq(a->timestamp.value, b->timestamp.value) &&
               same_part(a->timestamp.delay, b->timestamp.delay);
        break;
    case SIPWS_K_WARNING:
        same = a->warning.code == b->warning.code &&
               sipws_str_eq(a->warning.agent, b->warning.agent) &&
               same_unfolded(a->warning.quoted, b->warning.quoted);
        break;
    case SIPWS_K_TOKEN:
        same = sipws_str_eq(a->token, b->token);
        break;
    case SIPWS_K_NUMBER:
        same = a->number.value == b->number.value &&
               same_unfolded(a->number.comment, b->number.comment);
        break;
    case SIPWS_K_ADDR:
        same =
            same_unfolded(a->addr.display, b->addr.display) && same_uri(&a->addr.uri, &b->addr.uri);
        break;
    case SIPWS_K_URI:
        same = same_uri(&a->uri, &b->uri);
        break;
    case SIPWS_K_VIA:
        same = sipws_str_eq(a->via.protocol, b->via.protocol) &&
               sipws_str_eq(a->via.version, b->via.version) &&
               sipws_str_eq(a->via.transport, b->via.transport) &&
               sipws_str_ieq(a->via.host.text, b->via.host.text) && a->via.port == b->via.port;
        break;
    case SIPWS_K_CALL_ID:
        same = sipws_str_eq(a->call_id, b->call_id);
        break;
    case SIPWS_K_MEDIA:
        same = sipws_str_eq(a->media.type, b->media.type) &&
               sipws_str_eq(a->media.subtype, b->media.subtype);
        break;
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
        same = sipws_str_eq(a->auth.scheme, b->auth.scheme) &&
               sipws_str_eq(a->auth.token68, b->auth.token68);
        break;
    case SIPWS_K_AUTH_INFO:
        same = true;
        break;
    case SIPWS_K_IDENTITY:
        same = sipws_str_eq(a->identity, b->identity);
        break;
    case SIPWS_KIND_COUNT:
        break;
    }
    return same && same_params(a->params, b->params);
}

/* ---- start lines ----------------------------------------------------------------------------- */

static struct sipws_build start(struct sipws_out *o, struct sipws_field *fields, size_t cap)
{
    struct sipws_build b = {.separator = "", .o = o, .start = o->n, .fields = fields, .cap = cap};
    sipws_diag_set(&b.diag, SIPWS_OK, 0, "");
    return b;
}

struct sipws_build sipws_build_request(struct sipws_out *o, struct sipws_str method,
                                       struct sipws_str uri, struct sipws_field *fields, size_t cap)
{
    struct sipws_build b = start(o, fields, cap);
    struct sipws_diag diag;
    struct sipws_cur c = sipws_cur(uri, &diag);
    struct sipws_uri read;
    if (!is_token(method))
        refuse(&b, SIPWS_E_METHOD, 0, "Method");
    if (!sipws_uri(&c, SIPWS_URI_WHOLE, &read))
        refuse(&b, diag.err, method.n + 1 + diag.off, diag.rule);
    else if (c.p < c.end)
        refuse(&b, SIPWS_E_URI_OCTET, method.n + 1 + (size_t)(c.p - c.base), "Request-URI");
    sipws_put(o, method);
    sipws_put_char(o, ' ');
    sipws_put(o, uri);
    sipws_put_lit(o, " SIP/2.0\r\n");
    return b;
}

struct sipws_build sipws_build_response(struct sipws_out *o, unsigned status,
                                        struct sipws_str reason, struct sipws_field *fields,
                                        size_t cap)
{
    struct sipws_build b = start(o, fields, cap);
    if (status < 100 || status > 699)
        refuse(&b, SIPWS_E_STATUS_CODE, 8, "Status-Code");
    sipws_put_lit(o, "SIP/2.0 ");
    sipws_put_uint(o, status);
    sipws_put_char(o, ' ');
    /* A line end would start another line; every other octet is judged at the end. */
    for (size_t i = 0; i < reason.n; i++)
        if (reason.p[i] == '\r' || reason.p[i] == '\n')
            refuse(&b, SIPWS_E_REASON_PHRASE, here(&b) + i, "Reason-Phrase");
    sipws_put(o, reason);
    sipws_put_lit(o, "\r\n");
    return b;
}

struct sipws_build sipws_build_response_to(struct sipws_out *o, const struct sipws_msg *request,
                                           unsigned status, struct sipws_str reason,
                                           struct sipws_str to_tag, struct sipws_field *fields,
                                           size_t cap)
{
    struct sipws_build b = sipws_build_response(o, status, reason, fields, cap);
    bool starts_dialog = request->method == SIPWS_M_INVITE ||
                         request->method == SIPWS_M_SUBSCRIBE || request->method == SIPWS_M_REFER;
    struct sipws_value to;
    struct sipws_param tag;
    for (size_t i = 0; i < request->n; i++) {
        enum sipws_field_id id = request->fields[i].id;
        bool due = id == SIPWS_F_VIA || id == SIPWS_F_FROM || id == SIPWS_F_TO ||
                   id == SIPWS_F_CALL_ID || id == SIPWS_F_CSEQ ||
                   (id == SIPWS_F_TIMESTAMP && status == 100) ||
                   (id == SIPWS_F_RECORD_ROUTE && starts_dialog && status > 100 && status < 300);
        if (!due)
            continue;
        sipws_build_copy(&b, &request->fields[i]);
        if (id == SIPWS_F_TO && to_tag.p && sipws_msg_first(request, SIPWS_F_TO, &to) &&
            !sipws_param_find(to.params, SIPWS_STR("tag"), &tag))
            sipws_build_param(&b, SIPWS_STR("tag"), to_tag);
    }
    return b;
}

/* ---- header fields --------------------------------------------------------------------------- */

/* Reads the value of the open header field back, and ends its line. */
static void close_field(struct sipws_build *b)
{
    if (!b->open)
        return;
    b->open = false;
    if (readable(b)) {
        struct sipws_diag diag;
        struct sipws_value v;
        struct sipws_cur c = written(b, b->value, &diag);
        bool more = sipws_value_first(&c, b->id, &v);
        while (more)
            more = sipws_value_next(&c, b->id, &v);
        if (diag.err != SIPWS_OK && !refused(b) && !SIPWS_PLANT(BUILD_UNREAD))
            b->diag = diag;
    }
    sipws_put_lit(b->o, "\r\n");
}

static void open_field(struct sipws_build *b, enum sipws_field_id id, struct sipws_str name)
{
    close_field(b);
    if (!is_token(name))
        refuse(b, SIPWS_E_FIELD_NAME, here(b), "header-name");
    sipws_put(b->o, name);
    sipws_put_lit(b->o, ": ");
    b->open = true;
    b->id = id;
    b->value = b->o->n;
    b->has_length = b->has_length || id == SIPWS_F_CONTENT_LENGTH;
}

/* Parameters follow commas, not semicolons. */
static bool has_commas(enum sipws_field_id id)
{
    return id == SIPWS_F_AUTHORIZATION || id == SIPWS_F_PROXY_AUTHORIZATION ||
           id == SIPWS_F_WWW_AUTHENTICATE || id == SIPWS_F_PROXY_AUTHENTICATE ||
           id == SIPWS_F_AUTHENTICATION_INFO;
}

/* Opens a field with `text` as its value so far. */
static void open_text(struct sipws_build *b, enum sipws_field_id id, struct sipws_str name,
                      struct sipws_str text)
{
    open_field(b, id, name);
    sipws_put(b->o, text);
    b->separator = !has_commas(id) ? ";" : text.n == 0 ? "" : is_token(text) ? " " : ", ";
}

static struct sipws_str name_of(enum sipws_field_id id)
{
    const char *name = sipws_field_info(id)->name;
    return (struct sipws_str){name, strlen(name)};
}

void sipws_build_text(struct sipws_build *b, enum sipws_field_id id, struct sipws_str text)
{
    open_text(b, id, name_of(id), text);
}

void sipws_build_number(struct sipws_build *b, enum sipws_field_id id, uint64_t number)
{
    open_text(b, id, name_of(id), SIPWS_STR(""));
    sipws_put_uint(b->o, number);
}

void sipws_build_value(struct sipws_build *b, enum sipws_field_id id,
                       const struct sipws_value *value)
{
    open_field(b, id, name_of(id));
    sipws_value_print(b->o, value);
    /* A scheme is printed with the space behind it. */
    bool bare =
        value->params.n == 0 && (value->kind == SIPWS_K_AUTH_INFO || value->auth.token68.n == 0);
    b->separator = !has_commas(id) ? ";" : bare ? "" : ", ";
    if (!readable(b))
        return;
    struct sipws_diag diag;
    struct sipws_value got;
    struct sipws_cur c = written(b, b->value, &diag);
    bool some = sipws_value_first(&c, id, &got);
    if (!some && diag.err != SIPWS_OK)
        return; /* what is wrong with it is told when the field is closed */
    if (!some)  /* an empty list, where an element was meant */
        refuse(b, SIPWS_E_LIST_ELEMENT, b->value - b->start, sipws_field_info(id)->name);
    else if (c.p < c.end || !same_value(value, &got))
        refuse(b, SIPWS_E_SURPLUS, b->value - b->start, sipws_field_info(id)->name);
}

void sipws_build_field(struct sipws_build *b, struct sipws_str name, struct sipws_str text)
{
    open_text(b, sipws_field_find(name), name, text);
}

void sipws_build_copy(struct sipws_build *b, const struct sipws_field *field)
{
    open_text(b, field->id, field->name, field->value);
}

/* ---- parameters ------------------------------------------------------------------------------ */

/* `value` ends where it seems to: nothing in it starts another parameter, element or line, and a
 * quote or bracket that it opens is closed by its last octet. Whether it is what the parameter
 * wants is told when the header field is read back. */
static bool closed(struct sipws_str value)
{
    struct sipws_cur c = sipws_cur(value, NULL);
    struct sipws_str quoted;
    int first = sipws_peek(&c);
    if (first == '"')
        return sipws_quoted_string(&c, &quoted) && c.p == c.end;
    if (first == '<')
        return memchr(value.p, '>', value.n) == value.p + value.n - 1;
    for (; c.p < c.end; c.p++)
        if (blank(*c.p) || memchr(";,\"<>=?", *c.p, 7))
            return false;
    return value.n > 0;
}

/* For a plant: a value may read as one where it goes on behind it into another parameter, element
 * or line. */
static bool goes_on(struct sipws_str value)
{
    for (size_t i = 0; i < value.n; i++)
        if (blank(value.p[i]) || value.p[i] == ';' || value.p[i] == ',')
            return i > 0 || blank(value.p[i]);
    return false;
}

/* The separator, the name and, where there is to be one, the equal sign. */
static void start_param(struct sipws_build *b, struct sipws_str name, bool equal)
{
    if (!b->open)
        refuse(b, SIPWS_E_SEPARATOR, here(b), "SEMI"); /* there is no header field to add it to */
    sipws_put(b->o, (struct sipws_str){b->separator, strlen(b->separator)});
    b->separator = has_commas(b->id) ? ", " : ";";
    if (!is_token(name))
        refuse(b, SIPWS_E_TOKEN, here(b), "token");
    sipws_put(b->o, name);
    if (equal)
        sipws_put_char(b->o, '=');
}

void sipws_build_param(struct sipws_build *b, struct sipws_str name, struct sipws_str value)
{
    start_param(b, name, value.p != NULL);
    if (value.p && !closed(value) && !SIPWS_PLANT_IF(BUILD_PARAM_OPEN, goes_on(value)))
        refuse(b, SIPWS_E_PARAM_VALUE, here(b), "generic-param");
    sipws_put(b->o, value);
}

void sipws_build_quoted(struct sipws_build *b, struct sipws_str name, struct sipws_str text)
{
    start_param(b, name, true);
    size_t at = here(b);
    sipws_put_char(b->o, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char ch = (unsigned char)text.p[i];
        if (ch < ' ' || ch == 0x7F)
            refuse(b, SIPWS_E_QUOTED_OCTET, here(b), "quoted-string");
        if (ch == '"' || ch == '\\')
            sipws_put_char(b->o, '\\');
        sipws_put_char(b->o, (char)ch);
    }
    if (!sipws_utf8_valid(text))
        refuse(b, SIPWS_E_UTF8, at, "quoted-string");
    sipws_put_char(b->o, '"');
}

/* ---- the end --------------------------------------------------------------------------------- */

void sipws_build_raw(struct sipws_build *b, struct sipws_str octets)
{
    close_field(b);
    b->raw = true;
    sipws_put(b->o, octets);
}

/* The whole message, judged as a receiver judges it. */
static void judge(struct sipws_build *b)
{
    struct sipws_diag first;
    struct sipws_report r = sipws_report(&first, 1);
    struct sipws_str text = {b->o->p + b->start, b->o->n - b->start};
    if ((!sipws_msg_parse(text, 0, b->fields, b->cap, &b->msg, &r) ||
         !sipws_msg_check(&b->msg, b->transport, 0, &r)) &&
        !refused(b))
        b->diag = first;
}

bool sipws_build_end(struct sipws_build *b, struct sipws_str body)
{
    if (!b->has_length)
        sipws_build_number(b, SIPWS_F_CONTENT_LENGTH, body.n);
    close_field(b);
    sipws_put_lit(b->o, "\r\n");
    sipws_put(b->o, body);
    if (!sipws_out_ok(b->o))
        refuse(b, SIPWS_E_LIMIT_OUT, b->o->cap > b->start ? b->o->cap - b->start : 0,
               "SIP-message");
    else if (!refused(b) && !b->raw)
        judge(b);
    if (refused(b) && b->diag.err != SIPWS_E_LIMIT_OUT)
        b->o->n = b->start;
    return !refused(b);
}
