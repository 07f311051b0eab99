#include "field_impl.h"
#include "msg_impl.h"

#include "plant.h"

/* ---- report ---------------------------------------------------------------------------------- */

static bool is_error(const struct sipws_diag *d)
{
    return sipws_err_info(d->err)->severity == SIPWS_ERROR;
}

bool sipws_report_full(const struct sipws_report *r)
{
    return r->errors > 0 && r->errors >= r->cap;
}

bool sipws_report_add(struct sipws_report *r, const struct sipws_diag *d)
{
    if (sipws_report_full(r))
        return false;
    if (!is_error(d)) {
        if (r->n < r->cap)
            r->p[r->n++] = *d;
        return true;
    }
    if (r->n == r->cap) {
        size_t i = r->n;
        while (i > 0 && is_error(&r->p[i - 1]))
            i--;
        if (i > 0) {
            memmove(&r->p[i - 1], &r->p[i], (r->n - i) * sizeof *r->p);
            r->n--;
        }
    }
    if (r->n < r->cap)
        r->p[r->n++] = *d;
    r->errors++;
    return !sipws_report_full(r);
}

bool sipws_tell(struct sipws_report *r, const struct sipws_cur *c, const char *at,
                enum sipws_err err, const char *rule)
{
    struct sipws_diag d;
    sipws_diag_set(&d, err, (size_t)(at - c->base), rule);
    return sipws_report_add(r, &d);
}

/* ---- methods --------------------------------------------------------------------------------- */

enum sipws_method sipws_method_find(struct sipws_str name)
{
    if (name.n == 0)
        return SIPWS_M_EXTENSION;
    uint64_t first = sipws_first_8(name.p, name.p, name.n, name.p + name.n);
#define ROW(method)                                                                                \
    if ((first == SIPWS_FIRST_8(#method) && sipws_str_eq(name, SIPWS_STR(#method))) ||             \
        SIPWS_PLANT_IF(METHOD_FOLD, sipws_str_ieq(name, SIPWS_STR(#method))))                      \
    return SIPWS_M_##method
    ROW(ACK);
    ROW(BYE);
    ROW(CANCEL);
    ROW(INFO);
    ROW(INVITE);
    ROW(MESSAGE);
    ROW(NOTIFY);
    ROW(OPTIONS);
    ROW(PRACK);
    ROW(PUBLISH);
    ROW(REFER);
    ROW(REGISTER);
    ROW(SUBSCRIBE);
    ROW(UPDATE);
#undef ROW
    return SIPWS_M_EXTENSION;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static bool is_break(char ch)
{
    return ch == '\r' || ch == '\n';
}

struct line {
    const char *p, *end; /* without its line end; folds within */
    const char *next;    /* behind its line end */
    const char *bad;     /* the first CR or LF that should not stand alone, or NULL */
    bool cut;            /* the input ends before the line does */
};

/* The line at the cursor, which stays. A CR alone does not end a line, an LF alone does, so that
 * what is wrong with a line is told once. `folds`: white space after a line end continues it. */
static struct line read_line(const struct sipws_cur *c, bool folds)
{
    struct line l = {c->p, c->p, c->p, NULL, false};
    for (const char *p = c->p;;) {
        p = sipws_span_at(c, p, SIPWS_C_LINE);
        size_t left = (size_t)(c->end - p);
        if (left == 0 || (left == 1 && *p == '\r')) {
            l.end = p;
            l.next = c->end;
            l.cut = true;
            return l;
        }
        bool crlf = *p == '\r' && p[1] == '\n';
        if (!crlf && !l.bad && !(*p == '\n' && (c->allow & SIPWS_ALLOW_BARE_LF)))
            l.bad = p;
        if (!crlf && *p == '\r') {
            p++;
            continue;
        }
        l.end = p;
        p += crlf ? 2 : 1;
        l.next = p;
        if (!folds || (p == c->end && !SIPWS_PLANT(MSG_FOLD_PEEK)) || !sipws_is(*p, SIPWS_C_WSP))
            return l;
    }
}

/* A cursor over the line's octets. */
static inline struct sipws_cur within(const struct sipws_cur *c, const struct line *l,
                                      struct sipws_diag *diag)
{
    struct sipws_cur in = *c;
    in.p = l->p;
    in.end = l->end;
    in.diag = diag;
    return in;
}

/* Reports what is wrong with a line: the refusal `d` of its contents, if any, and its line ends. A
 * refusal at a CR or LF within the line, or behind it, is a consequence of that octet; one at the
 * end of a cut line is a consequence of the cut. */
static bool judge_line(const struct sipws_cur *c, const struct line *l, const struct sipws_diag *d,
                       struct sipws_report *r)
{
    if (d) {
        const char *at = c->base + d->off;
        bool follows = l->bad && at >= l->bad && l->bad < l->end;
        if (!follows && !(l->cut && at == l->end) && !sipws_report_add(r, d))
            return false;
    }
    return !l->bad || sipws_tell(r, c, l->bad, SIPWS_E_LINE_END, "CRLF");
}

/* ---- start line ------------------------------------------------------------------------------ */

/* SIP-Version = "SIP" "/" 1*DIGIT "." 1*DIGIT, and it is 2.0. */
static bool sip_version(struct sipws_cur *c, bool *upper)
{
    static const char want[] = "SIP/2.0";
    *upper = true;
    if (sipws_left(c) >= 7 && memcmp(c->p, want, 7) == 0) {
        c->p += 7;
        return true;
    }
    for (size_t i = 0; i < sizeof want - 1; i++) {
        char ch = i < sipws_left(c) ? c->p[i] : '\0';
        if (ch != want[i] && !(i < 3 && ch == (want[i] | 0x20)))
            return sipws_fail(c, c->p + (i < sipws_left(c) ? i : sipws_left(c)), SIPWS_E_VERSION,
                              "SIP-Version");
        *upper = *upper && ch == want[i];
    }
    c->p += sizeof want - 1;
    return true;
}

/* One SP, and no more white space. */
SIPWS_INLINE bool one_sp(struct sipws_cur *c, const char *rule)
{
    if (sipws_peek(c) != ' ')
        return sipws_fail(c, c->p, SIPWS_E_START_SP, rule);
    if (sipws_left(c) >= 2 && sipws_is(c->p[1], SIPWS_C_WSP))
        return sipws_fail(c, c->p + 1, SIPWS_E_START_SP, rule);
    c->p++;
    return true;
}

/* Method SP Request-URI SP SIP-Version, up to the end of `c`. */
static bool request_line(struct sipws_cur *c, struct sipws_msg *out, bool *upper)
{
    const char *p = sipws_span_at(c, c->p, SIPWS_C_TOKEN);
    if (p == c->p || (p < c->end && !sipws_is(*p, SIPWS_C_WSP)))
        return sipws_fail(c, p, SIPWS_E_METHOD, "Method");
    out->is_request = true;
    out->method_name = sipws_slice(c->p, p);
    out->method = sipws_method_find(out->method_name);
    c->p = p;
    if (!one_sp(c, "Request-Line"))
        return false;
    if (sipws_peek(c) == '<')
        return sipws_fail(c, c->p, SIPWS_E_REQUEST_URI, "Request-URI");
    if (!sipws_uri(c, SIPWS_URI_WHOLE, &out->uri))
        return false;
    if (c->p < c->end && !sipws_is(*c->p, SIPWS_C_WSP))
        return sipws_fail(c, c->p, SIPWS_E_URI_OCTET, "Request-URI");
    const char *sp = c->p;
    if (!one_sp(c, "Request-Line"))
        return false;
    const char *version = c->p;
    if (!sip_version(c, upper)) {
        /* A further space tells that the white space belongs to the URI. */
        if (memchr(version, ' ', (size_t)(c->end - version)) && (version[0] | 0x20) != 's')
            sipws_fail(c, sp, SIPWS_E_REQUEST_URI, "Request-URI");
        return false;
    }
    if (c->p < c->end)
        return sipws_fail(c, c->p,
                          sipws_is(*c->p, SIPWS_C_WSP) ? SIPWS_E_START_SP : SIPWS_E_VERSION,
                          "Request-Line");
    return true;
}

/* Reason-Phrase = *(reserved / unreserved / escaped / UTF8-NONASCII / UTF8-CONT / SP / HTAB) */
static bool reason_phrase(struct sipws_cur *c, struct sipws_str *out)
{
    const char *start = c->p;
    while (c->p < c->end) {
        if (!sipws_span_escaped(c, SIPWS_C_REASON)) {
            c->diag->err = SIPWS_E_REASON_PHRASE;
            return false;
        }
        if (c->p == c->end)
            break;
        unsigned char ch = (unsigned char)*c->p;
        if (ch < 0x80)
            return sipws_fail(c, c->p, SIPWS_E_REASON_PHRASE, "Reason-Phrase");
        if (ch < 0xC0) /* UTF8-CONT */
            c->p++;
        else if (!sipws_utf8_nonascii(c))
            return false;
    }
    *out = sipws_slice(start, c->p);
    return true;
}

/* SIP-Version SP Status-Code SP Reason-Phrase, up to the end of `c`. */
static bool status_line(struct sipws_cur *c, struct sipws_msg *out, bool *upper)
{
    unsigned status = 0;
    if (!sip_version(c, upper))
        return false;
    if (c->p < c->end && !sipws_is(*c->p, SIPWS_C_WSP))
        return sipws_fail(c, c->p, SIPWS_E_VERSION, "SIP-Version");
    if (!one_sp(c, "Status-Line"))
        return false;
    for (int i = 0; i < 3; i++, c->p++) {
        if (c->p == c->end || !sipws_is(*c->p, SIPWS_C_DIGIT) ||
            (i == 0 && (*c->p < '1' || *c->p > '6')))
            return sipws_fail(c, c->p, SIPWS_E_STATUS_CODE, "Status-Code");
        status = status * 10 + (unsigned)(*c->p - '0');
    }
    if (c->p < c->end && !sipws_is(*c->p, SIPWS_C_WSP))
        return sipws_fail(c, c->p, SIPWS_E_STATUS_CODE, "Status-Code");
    out->status = status;
    if (!sipws_take(c, ' ')) /* a second one belongs to the Reason-Phrase */
        return sipws_fail(c, c->p, SIPWS_E_START_SP, "Status-Line");
    return reason_phrase(c, &out->reason);
}

/* start-line = Request-Line / Status-Line. A "/" cannot stand in a Method, so what begins with
 * "SIP/" is a Status-Line. False: the report is full, or the input has ended. */
static bool start_line(struct sipws_cur *c, struct sipws_msg *out, struct sipws_report *r)
{
    struct line l = read_line(c, false);
    struct sipws_diag d;
    struct sipws_cur in = within(c, &l, &d);
    bool upper = true;
    bool is_status =
        l.end - l.p >= 4 && sipws_str_ieq((struct sipws_str){l.p, 4}, SIPWS_STR("SIP/"));
    bool ok = is_status ? status_line(&in, out, &upper) : request_line(&in, out, &upper);
    if (!ok)
        sipws_uri_init(&out->uri);
    if (!judge_line(c, &l, ok ? NULL : &d, r))
        return false;
    if (ok && !upper)
        sipws_tell(r, c, is_status ? l.p : l.end - 7, SIPWS_E_VERSION_CASE, "SIP-Version");
    c->p = l.next;
    if (l.cut)
        sipws_tell(r, c, c->end, SIPWS_E_NO_BLANK_LINE, "SIP-message");
    return !l.cut;
}

/* Line ends before the start line. False: the report is full, or there is nothing else. */
static bool leading(struct sipws_cur *c, struct sipws_report *r)
{
    const char *start = c->p, *bare = NULL;
    for (;;) {
        if (sipws_left(c) >= 2 && c->p[0] == '\r' && c->p[1] == '\n')
            c->p += 2;
        else if (sipws_take(c, '\n'))
            bare = bare ? bare : c->p - 1;
        else
            break;
    }
    if (c->p == c->end) {
        sipws_tell(r, c, c->p, SIPWS_E_EMPTY, "SIP-message");
        return false;
    }
    if (c->p == start)
        return true;
    if (!(c->allow & SIPWS_ALLOW_LEADING_CRLF))
        return sipws_tell(r, c, start, SIPWS_E_LEADING_CRLF, "start-line");
    return !bare || (c->allow & SIPWS_ALLOW_BARE_LF) ||
           sipws_tell(r, c, bare, SIPWS_E_LINE_END, "CRLF");
}

/* ---- header ---------------------------------------------------------------------------------- */

/* header-name HCOLON header-value: HCOLON = *( SP / HTAB ) ":" SWS. `*colon` is the colon. */
static bool field_line(struct sipws_cur *c, struct sipws_field *out, const char **colon)
{
    const char *name = c->p, *end = sipws_span_at(c, name, SIPWS_C_TOKEN);
    const char *p = sipws_span_wsp(end, c->end);
    if (p == c->end || *p != ':' || end == name) {
        bool no_name = end == name || (p == end && p < c->end && !is_break(*p));
        return no_name ? sipws_fail(c, end, SIPWS_E_FIELD_NAME, "header-name")
                       : sipws_fail(c, p, SIPWS_E_FIELD_COLON, "HCOLON");
    }
    *colon = p;
    out->name = sipws_slice(name, SIPWS_PLANT_IF(MSG_COLON_TRIM, p != end) ? p : end);
    out->id = sipws_field_find(out->name);
    c->p = p + 1;
    sipws_sws(c);
    end = c->end;
    if (c->allow & SIPWS_ALLOW_TRAILING_WSP)
        while (end > c->p && (is_break(end[-1]) || sipws_is(end[-1], SIPWS_C_WSP)))
            end--;
    out->value = sipws_slice(c->p, end);
    return true;
}

/* header-name ":" [ SP ] header-value CRLF and no fold, behind eight octets: steps over it. False:
 * it may still be a sound message-header, for field_line to read. */
static inline bool plain_line(struct sipws_cur *c, struct sipws_field *out)
{
    const char *name = c->p, *colon, *line;
    if (SIPWS_SELDOM(!sipws_plain_line(c->base, name, c->end, &colon, &line)))
        return false;
    const char *value = colon + 1 + (colon[1] == ' ');
    if (SIPWS_SELDOM(*value == ' '))
        return false;
    out->name = sipws_slice(name, colon);
    out->value = sipws_slice(value, line);
    out->id = SIPWS_PLANTED ? sipws_field_find(out->name) : sipws_field_find_in(out->name);
    if (SIPWS_SELDOM(out->id == SIPWS_F_EXTENSION) &&
        sipws_span_at(c, name, SIPWS_C_TOKEN) != colon)
        return false;
    c->p = line + 2;
    return true;
}

bool sipws_header(struct sipws_cur *c, struct sipws_field *fields, size_t cap, size_t *n,
                  bool *plain, const char *rule, struct sipws_report *r)
{
    bool told = false, by_lines = !(c->allow & SIPWS_ALLOW_TRAILING_WSP);
    for (;;) {
        if (SIPWS_MOSTLY(by_lines && c->p - c->base >= 8))
            while (SIPWS_MOSTLY(*n < cap && plain_line(c, &fields[*n])))
                ++*n;
        if (sipws_left(c) >= 2 && c->p[0] == '\r' && c->p[1] == '\n') {
            c->p += 2;
            return true;
        }
        if (sipws_peek(c) == '\n') {
            if (!(c->allow & SIPWS_ALLOW_BARE_LF) &&
                !sipws_tell(r, c, c->p, SIPWS_E_LINE_END, "CRLF"))
                return false;
            c->p++;
            return true;
        }
        *plain = false;
        struct line l = read_line(c, true);
        struct sipws_diag d;
        struct sipws_cur in = within(c, &l, &d);
        struct sipws_field f;
        const char *colon = NULL;
        bool ok = field_line(&in, &f, &colon);
        if (ok && colon != f.name.p + f.name.n)
            sipws_tell(r, c, f.name.p + f.name.n, SIPWS_E_COLON_SPACE, "HCOLON");
        if ((!ok || l.bad) && !judge_line(c, &l, ok ? NULL : &d, r))
            return false;
        if (l.cut) {
            sipws_tell(r, c, c->end, SIPWS_E_NO_BLANK_LINE, rule);
            return false; /* what there is of the line means nothing */
        }
        if (ok && *n < cap) {
            fields[(*n)++] = f;
        } else if (ok && !told && !SIPWS_PLANT(MSG_FIELDS_SILENT)) {
            told = true;
            if (!sipws_tell(r, c, l.p, SIPWS_E_LIMIT_FIELDS, "message-header"))
                return false;
        }
        c->p = l.next;
    }
}

/* Content-Length ends the body, as in a datagram (RFC 3261 18.3). */
static size_t body_said(const struct sipws_msg *m)
{
    struct sipws_value v;
    bool less = sipws_msg_first(m, SIPWS_F_CONTENT_LENGTH, &v) && v.number.value < m->body.n;
    return less ? (size_t)v.number.value : m->body.n;
}

/* Member by member, as sipws_uri_init. */
static void init(struct sipws_msg *out, struct sipws_str text, const struct sipws_field *fields)
{
    const struct sipws_str none = {NULL, 0};
    out->text = text;
    out->is_request = false;
    out->method_name = none;
    out->method = SIPWS_M_EXTENSION;
    sipws_uri_init(&out->uri);
    out->status = 0;
    out->reason = none;
    out->fields = fields;
    out->n = 0;
    out->body = none;
    out->plain = false;
}

bool sipws_msg_parse(struct sipws_str text, uint32_t allow, struct sipws_field *fields, size_t cap,
                     struct sipws_msg *out, struct sipws_report *r)
{
    size_t errors = r->errors;
    struct sipws_cur c = sipws_cur(text, NULL);
    c.allow = allow;
    init(out, text, fields);
    bool goes_on = leading(&c, r) && start_line(&c, out, r);
    out->plain = r->errors == errors;
    if (goes_on && sipws_header(&c, fields, cap, &out->n, &out->plain, "SIP-message", r)) {
        out->body = sipws_slice(c.p, c.end);
        if ((allow & SIPWS_ALLOW_EXCESS_BODY) ||
            SIPWS_PLANT_IF(MSG_LENGTH_TRUST, body_said(out) < out->body.n))
            out->body.n = body_said(out);
        if (SIPWS_PLANT_IF(MSG_BODY_NUL, out->body.n && memchr(out->body.p, 0, out->body.n)))
            out->body.n = strlen(out->body.p);
    }
    return r->errors == errors && !sipws_report_full(r);
}

/* ---- fields of a message --------------------------------------------------------------------- */

const struct sipws_field *sipws_msg_find(const struct sipws_msg *m, enum sipws_field_id id)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id == id)
            return &m->fields[i];
    return NULL;
}

struct sipws_cur sipws_msg_cur(const struct sipws_msg *m, const struct sipws_field *f,
                               uint32_t allow, struct sipws_diag *diag)
{
    return sipws_cur_in(m->text.p, f->value.p, f->value.p + f->value.n, diag, allow);
}

struct sipws_cur sipws_msg_body(const struct sipws_msg *m, uint32_t allow)
{
    return sipws_cur_in(m->text.p, m->body.p, m->body.p + m->body.n, NULL, allow);
}

bool sipws_msg_first(const struct sipws_msg *m, enum sipws_field_id id, struct sipws_value *out)
{
    const struct sipws_field *f = sipws_msg_find(m, id);
    if (!f)
        return false;
    struct sipws_cur c = sipws_msg_cur(m, f, 0, NULL);
    return sipws_value_first(&c, id, out);
}

/* ---- printing -------------------------------------------------------------------------------- */

void sipws_msg_print_start(struct sipws_out *o, const struct sipws_msg *m)
{
    if (m->is_request) {
        sipws_put(o, m->method_name);
        sipws_put_char(o, ' ');
        sipws_uri_print(o, &m->uri);
        sipws_put_lit(o, " SIP/2.0\r\n");
    } else {
        sipws_put_lit(o, "SIP/2.0 ");
        sipws_put_uint(o, m->status);
        sipws_put_char(o, ' ');
        sipws_put(o, m->reason);
        sipws_put_lit(o, "\r\n");
    }
}

/* False: the value does not decode; what was printed of it is of no use. */
static bool print_value(struct sipws_out *o, const struct sipws_msg *m, const struct sipws_field *f)
{
    struct sipws_value v;
    struct sipws_diag d = {SIPWS_OK, 0, NULL, NULL};
    struct sipws_cur c = sipws_msg_cur(m, f, 0, &d);
    bool more = sipws_value_first(&c, f->id, &v);
    while (more) {
        sipws_value_print(o, &v);
        d.err = SIPWS_OK;
        more = sipws_value_next(&c, f->id, &v);
        if (more)
            sipws_put_lit(o, ", ");
    }
    return d.err == SIPWS_OK;
}

void sipws_msg_print(struct sipws_out *o, const struct sipws_msg *m)
{
    sipws_msg_print_start(o, m);
    for (size_t i = 0; i < m->n; i++) {
        const struct sipws_field *f = &m->fields[i];
        const char *name = sipws_field_info(f->id)->name;
        sipws_put(o, f->id == SIPWS_F_EXTENSION ? f->name : (struct sipws_str){name, strlen(name)});
        sipws_put_char(o, ':');
        sipws_put_char(o, ' ');
        size_t start = o->n;
        if (!print_value(o, m, f)) {
            o->n = start;
            sipws_put_unfolded(o, f->value);
        }
        if (o->n == start)
            o->n--; /* an empty value needs no white space */
        sipws_put_lit(o, "\r\n");
    }
    sipws_put_lit(o, "\r\n");
    sipws_put(o, m->body);
}
