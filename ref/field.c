#include "field_impl.h"
#include "plant.h"

/* ---- the table ------------------------------------------------------------------------------- */

const struct sipws_field_info sipws_field_rows[SIPWS_FIELD_COUNT] = {
    [SIPWS_F_EXTENSION] = {"", "", SIPWS_MANY, sipws_header_value, "3261 25.1"},
#define F(id, text, compact, shape, rule, rfc)                                                     \
    [SIPWS_F_##id] = {text, compact, shape, sipws_##rule, rfc},
#include "field.def"
#undef F
};

const struct sipws_field_info *sipws_field_info(enum sipws_field_id id)
{
    return &sipws_field_rows[(unsigned)id < SIPWS_FIELD_COUNT ? id : SIPWS_F_EXTENSION];
}

/* ---- names ----------------------------------------------------------------------------------- */

/* The names, then the compact forms. */
const struct sipws_field_words sipws_field_words[2 * SIPWS_FIELD_COUNT] = {
#define AT(s, i)                                                                                   \
    ((uint64_t)(unsigned char)(sizeof(s) - 1 > (i) ? (s)[(i) < sizeof(s) ? (i) : 0] : 0))
#define WORD(s, i)                                                                                 \
    (AT(s, i) | AT(s, (i) + 1) << 8 | AT(s, (i) + 2) << 16 | AT(s, (i) + 3) << 24 |                \
     AT(s, (i) + 4) << 32 | AT(s, (i) + 5) << 40 | AT(s, (i) + 6) << 48 | AT(s, (i) + 7) << 56 |   \
     SIPWS_ONES * 0x20)
#define WORDS(s, id)                                                                               \
    {                                                                                              \
        sizeof(s) - 1, id, WORD(s, 0u), WORD(s, sizeof(s) < 9 ? 0u : sizeof(s) - 9),               \
            sizeof(s) > 17 ? WORD(s, 8u) : 0                                                       \
    }
#define F(id, text, compact, shape, rule, rfc)                                                     \
    [SIPWS_F_##id] = WORDS(text, SIPWS_F_##id),                                                    \
    [SIPWS_FIELD_COUNT + SIPWS_F_##id] = WORDS(compact, SIPWS_F_##id),
#include "field.def"
#undef F
#undef WORDS
#undef WORD
#undef AT
};

const uint8_t sipws_field_slots[512] = {
#define MULTIPLIER(m)
#define SLOT(number, id)    [number] = SIPWS_F_##id,
#define COMPACT(number, id) [number] = SIPWS_FIELD_COUNT + SIPWS_F_##id,
#include "field_slots.def"
#undef COMPACT
#undef SLOT
#undef MULTIPLIER
};

static enum sipws_field_id find_whole(struct sipws_str name)
{
    char room[8 + 24 + 8] = {0};
    if (name.n == 0 || name.n > 24 || memchr(name.p, '\r', name.n) ||
        SIPWS_PLANT_IF(FIELD_COMPACT_CASE, name.n == 1 && name.p[0] >= 'A' && name.p[0] <= 'Z'))
        return SIPWS_F_EXTENSION;
    memcpy(room + 8, name.p, name.n);
    return sipws_field_find_in((struct sipws_str){room + 8, name.n});
}

/* What a plant takes a name for: the field whose name starts it. */
static enum sipws_field_id find_start(struct sipws_str name)
{
    enum sipws_field_id id = SIPWS_F_EXTENSION;
    while (id == SIPWS_F_EXTENSION && name.n-- > 8)
        id = find_whole(name);
    return id;
}

enum sipws_field_id sipws_field_find(struct sipws_str name)
{
    enum sipws_field_id id = find_whole(name);
    if (id == SIPWS_F_EXTENSION &&
        SIPWS_PLANT_IF(FIELD_PREFIX, find_start(name) != SIPWS_F_EXTENSION))
        id = find_start(name);
    return id;
}

#define F(id, text, compact, shape, rule, rfc)                                                     \
    _Static_assert(sizeof(text) - 1 >= 2 && sizeof(text) - 1 <= 24,                                \
                   "sipws_field_find_in does not compare all of a longer name");
#include "field.def"
#undef F

/* ---- the elements of a value ----------------------------------------------------------------- */

static bool is_list(enum sipws_shape shape)
{
    return shape == SIPWS_LIST || shape == SIPWS_LIST_EMPTY;
}

/* Behind an element: the end, or a comma of a list, with the white space before it skipped. */
static bool ends_here(struct sipws_cur *c, enum sipws_shape shape)
{
    if (c->p == c->end || (*c->p == ',' && is_list(shape)))
        return true;
    struct sipws_cur at = *c;
    sipws_sws(&at);
    if (at.p == at.end && (c->allow & SIPWS_ALLOW_TRAILING_WSP)) {
        c->p = at.p;
        return true;
    }
    if (at.p == at.end)
        return sipws_fail(c, c->p, SIPWS_E_LWS, "SWS");
    if (is_list(shape) && *at.p == ',') {
        c->p = at.p;
        return true;
    }
    /* White space may stand before the comma of a list, and before nothing else here. */
    const char *bad = is_list(shape) ? at.p : c->p;
    return sipws_fail(c, bad, sipws_blank(*bad) ? SIPWS_E_LWS : SIPWS_E_SURPLUS,
                      is_list(shape) ? "COMMA" : "message-header");
}

bool sipws_value_ends(struct sipws_cur *c, enum sipws_shape shape, const char *start, bool first,
                      struct sipws_value *out)
{
    const char *text = start, *end = c->p;
    while (text < end && sipws_blank(*text)) /* SWS that the first and last rule took with them */
        text++;
    while (end > text && sipws_blank(end[-1]) && !SIPWS_PLANT(LIST_TEXT_BLANK))
        end--;
    out->text = sipws_slice(text, end);
    if (out->kind == SIPWS_K_STAR) {
        if (!first)
            return sipws_fail(c, start, SIPWS_E_CONTACT_STAR, "STAR");
        if (sipws_peek(c) == ',')
            return sipws_fail(c, c->p, SIPWS_E_CONTACT_STAR, "STAR");
        return ends_here(c, SIPWS_ONE); /* its SWS is read, and nothing else follows */
    }
    return c->p == c->end || ends_here(c, shape);
}

/* The commas between elements: one, or under SIPWS_ALLOW_EMPTY_ELEMENT any number anywhere. */
SIPWS_INLINE bool commas(struct sipws_cur *c, bool first)
{
    const char *comma = NULL;
    if (sipws_peek(c) != ',')
        return true;
    while (sipws_peek(c) == ',') {
        if ((first || comma) && !(c->allow & SIPWS_ALLOW_EMPTY_ELEMENT))
            return sipws_fail(c, c->p, SIPWS_E_LIST_ELEMENT, "COMMA");
        comma = c->p++;
        sipws_sws(c);
    }
    if (comma && c->p == c->end && !(c->allow & SIPWS_ALLOW_EMPTY_ELEMENT))
        return sipws_fail(c, comma, SIPWS_E_LIST_ELEMENT, "COMMA");
    return true;
}

bool sipws_value_refused(struct sipws_cur *c, const char *start,
                         const struct sipws_field_info *info)
{
    if (c->diag && c->diag->rfc[0] == '\0')
        c->diag->rfc = info->rfc;
    return sipws_back(c, start);
}

static inline void nothing_refused(struct sipws_cur *c)
{
    if (c->diag)
        c->diag->err = SIPWS_OK;
}

/* What stands before the first element of a list, or in place of it. True: one follows. *refused:
 * it is not as it should be. */
static bool before_list(struct sipws_cur *c, const struct sipws_field_info *info, bool *refused)
{
    *refused = !(info->shape == SIPWS_LIST_EMPTY && c->p == c->end) && !commas(c, true);
    if (*refused || c->p < c->end)
        return !*refused;
    if (info->shape != SIPWS_LIST_EMPTY)
        *refused = !sipws_fail(c, c->p, SIPWS_E_LIST_ELEMENT, info->name);
    return false;
}

bool sipws_value_first(struct sipws_cur *c, enum sipws_field_id id, struct sipws_value *out)
{
    const struct sipws_field_info *info = sipws_field_info(id);
    const char *start = c->p;
    bool refused;
    nothing_refused(c);
    if ((c->p == c->end || *c->p == ',') && is_list(info->shape) && !before_list(c, info, &refused))
        return refused ? sipws_value_refused(c, start, info) : false;
    return sipws_value_read_at(c, start, info, true, out);
}

/* The next element, whatever stands between it and the one before. */
SIPWS_COLD static bool any_next(struct sipws_cur *c, const struct sipws_field_info *info,
                                struct sipws_value *out)
{
    const char *start = c->p;
    nothing_refused(c);
    if (c->p == c->end)
        return false;
    if (!commas(c, false))
        return sipws_value_refused(c, start, info);
    if (SIPWS_PLANT_IF(LENIENT_LAST, (c->allow & SIPWS_ALLOW_EMPTY_ELEMENT) && c->p < c->end &&
                                         !memchr(c->p, ',', sipws_left(c))))
        c->p = c->end;
    return c->p < c->end && sipws_value_read_at(c, start, info, false, out);
}

/* The same: most have a comma before them, perhaps with one SP behind it. */
bool sipws_value_another(struct sipws_cur *c, const struct sipws_field_info *info,
                         struct sipws_value *out)
{
    const char *start = c->p, *p = start + 1;
    if (SIPWS_SELDOM(sipws_left(c) < 2 || *start != ',' || (c->allow & SIPWS_ALLOW_EMPTY_ELEMENT)))
        return any_next(c, info, out);
    p += *p == ' ';
    if (SIPWS_SELDOM(p == c->end || (unsigned char)*p <= ' ' || *p == ','))
        return any_next(c, info, out);
    c->p = p;
    return sipws_value_read_at(c, start, info, false, out);
}

bool sipws_value_next(struct sipws_cur *c, enum sipws_field_id id, struct sipws_value *out)
{
    return sipws_value_another(c, sipws_field_info(id), out);
}

/* ---- printing -------------------------------------------------------------------------------- */

static void put_digits(struct sipws_out *o, unsigned value, unsigned digits)
{
    for (unsigned unit = digits == 4 ? 1000 : digits == 3 ? 100 : 10; unit > 0; unit /= 10)
        sipws_put_char(o, (char)('0' + value / unit % 10));
}

static void put_name(struct sipws_out *o, const char (*names)[4], unsigned i)
{
    sipws_put(o, (struct sipws_str){names[i], 3});
}

static void put_date(struct sipws_out *o, const struct sipws_date *d)
{
    put_name(o, sipws_wkday_names, d->weekday % 7u);
    sipws_put_lit(o, ", ");
    put_digits(o, d->day, 2);
    sipws_put_char(o, ' ');
    put_name(o, sipws_month_names, (d->month + 11u) % 12u);
    sipws_put_char(o, ' ');
    put_digits(o, d->year, 4);
    sipws_put_char(o, ' ');
    put_digits(o, d->hour, 2);
    sipws_put_char(o, ':');
    put_digits(o, d->minute, 2);
    sipws_put_char(o, ':');
    put_digits(o, d->second, 2);
    sipws_put_lit(o, " GMT");
}

static void put_via(struct sipws_out *o, const struct sipws_via *via)
{
    sipws_put(o, via->protocol);
    sipws_put_char(o, '/');
    sipws_put(o, via->version);
    sipws_put_char(o, '/');
    sipws_put(o, via->transport);
    sipws_put_char(o, ' ');
    sipws_hostport_print(o, &via->host, via->port);
}

void sipws_value_print(struct sipws_out *o, const struct sipws_value *v)
{
    switch (v->kind) {
    case SIPWS_K_TEXT:
        sipws_put_unfolded(o, v->text);
        return; /* its parameters, if any, are part of the text */
    case SIPWS_K_TOKEN:
        sipws_put(o, v->token);
        break;
    case SIPWS_K_NUMBER:
        if (SIPWS_PLANT_IF(FIELD_PRINT_32, v->number.value > UINT32_MAX))
            sipws_put_uint(o, (uint32_t)v->number.value);
        else
            sipws_put_uint(o, v->number.value);
        if (v->number.comment.p) {
            sipws_put_char(o, ' ');
            sipws_put_unfolded(o, v->number.comment);
        }
        break;
    case SIPWS_K_ADDR:
        sipws_addr_print(o, &v->addr);
        break;
    case SIPWS_K_STAR:
        sipws_put_char(o, '*');
        return;
    case SIPWS_K_URI:
        sipws_put_char(o, '<');
        sipws_uri_print(o, &v->uri);
        sipws_put_char(o, '>');
        break;
    case SIPWS_K_VIA:
        put_via(o, &v->via);
        break;
    case SIPWS_K_CSEQ:
        sipws_put_uint(o, v->cseq.number);
        sipws_put_char(o, ' ');
        sipws_put(o, v->cseq.method);
        return;
    case SIPWS_K_RACK:
        sipws_put_uint(o, v->rack.response);
        sipws_put_char(o, ' ');
        sipws_put_uint(o, v->rack.number);
        sipws_put_char(o, ' ');
        sipws_put(o, v->rack.method);
        return;
    case SIPWS_K_CALL_ID:
        sipws_put(o, v->call_id);
        break;
    case SIPWS_K_MEDIA:
        sipws_put(o, v->media.type);
        sipws_put_char(o, '/');
        sipws_put(o, v->media.subtype);
        break;
    case SIPWS_K_DATE:
        put_date(o, &v->date);
        return;
    case SIPWS_K_TIMESTAMP:
        sipws_put(o, v->timestamp.value);
        if (v->timestamp.delay.p) {
            sipws_put_char(o, ' ');
            sipws_put(o, v->timestamp.delay);
        }
        return;
    case SIPWS_K_WARNING:
        put_digits(o, v->warning.code, 3);
        sipws_put_char(o, ' ');
        sipws_put(o, v->warning.agent);
        sipws_put_char(o, ' ');
        sipws_put_unfolded(o, v->warning.quoted);
        return;
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
        sipws_put(o, v->auth.scheme);
        sipws_put_char(o, ' ');
        sipws_put(o, v->auth.token68);
        break;
    case SIPWS_K_AUTH_INFO:
        break;
    case SIPWS_K_IDENTITY:
        sipws_put(o, v->identity);
        break;
    case SIPWS_KIND_COUNT:
        return;
    }
    sipws_params_print(o, v->params);
}

const char *sipws_kind_name(enum sipws_kind kind)
{
    static const char *const names[SIPWS_KIND_COUNT] = {
        "text",      "token",   "number",    "addr",        "star",      "uri",
        "via",       "cseq",    "rack",      "call-id",     "media",     "date",
        "timestamp", "warning", "challenge", "credentials", "auth-info", "identity"};
    return (unsigned)kind < SIPWS_KIND_COUNT ? names[kind] : "";
}
