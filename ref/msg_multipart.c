/* Multipart bodies, as slices: RFC 2046 5.1.1, which RFC 5621 4.2 asks of every user agent.
 *
 *     [preamble CRLF] --boundary CRLF part *(CRLF --boundary CRLF part) CRLF --boundary--
 * [epilogue]
 *
 * The walk goes from one delimiter to the next: a line end, "--" and the boundary. What stands
 * between two of them is a part, whatever octets it has.
 */
#include "msg_impl.h"
#include "plant.h"

/* bchars, the alphabet of a boundary; SP may not be its last octet. */
static bool is_bchar(char ch)
{
    static const char marks[] = "'()+_,-./:=? ";
    return sipws_is(ch, SIPWS_C_ALPHA | SIPWS_C_DIGIT) || memchr(marks, ch, sizeof marks - 1);
}

/* Takes the boundary out of the parameters of Content-Type. False: there is none, or none that is
 * well-formed. */
static bool boundary(const struct sipws_cur *c, const struct sipws_value *type,
                     struct sipws_multipart *out, struct sipws_report *r)
{
    struct sipws_param param;
    struct sipws_diag d = {SIPWS_OK, 0, "boundary", "2046 5.1.1"};
    const char *end = type->text.p + type->text.n;
    if (!sipws_param_find(type->params, SIPWS_STR("boundary"), &param) || !param.value.p) {
        d.err = SIPWS_E_PARAM_MISSING;
        d.off = (size_t)(end - c->base);
        if (!SIPWS_PLANT(MULTIPART_BARE))
            sipws_report_add(r, &d);
        return false;
    }
    const char *p = param.value.p, *last = p + param.value.n;
    bool quoted = p < last && *p == '"';
    p += quoted;
    last -= quoted;
    const char *bad = NULL;
    for (memcpy(out->delimiter, "\r\n--", 4), out->n = 4; p < last && !bad; p++) {
        p += quoted && *p == '\\'; /* no octet that needs it can stand in a boundary */
        if (!is_bchar(*p) || out->n == sizeof out->delimiter || (*p == ' ' && p + 1 == last))
            bad = p;
        else
            out->delimiter[out->n++] = *p;
    }
    if (!bad && out->n > 4)
        return true;
    d.err = SIPWS_E_PARAM_VALUE;
    d.off = (size_t)((bad ? bad : last) - c->base);
    sipws_report_add(r, &d);
    return false;
}

/* The first delimiter that starts from `p` on, or NULL. */
static const char *find(const struct sipws_multipart *w, const char *p, const char *end)
{
    while ((size_t)(end - p) >= w->n) {
        p = memchr(p, '\r', (size_t)(end - p) - w->n + 1);
        if (!p)
            return NULL;
        if (memcmp(p, w->delimiter, w->n) == 0)
            return p;
        p++;
    }
    return NULL;
}

/* A delimiter but for its line end, which it needs but at the start of the body. */
static bool at_dash_boundary(const struct sipws_cur *c, const struct sipws_multipart *w)
{
    return sipws_left(c) >= w->n - 2 && memcmp(c->p, w->delimiter + 2, w->n - 2) == 0;
}

/* What follows the boundary in its line: "--" behind the last part, transport-padding, CRLF. */
static bool line_end(struct sipws_cur *c, struct sipws_multipart *w, struct sipws_report *r)
{
    if (sipws_left(c) >= 2 && c->p[0] == '-' && c->p[1] == '-') {
        w->last = true;
        c->p += 2;
    }
    c->p = sipws_span_wsp(c->p, c->end);
    if (SIPWS_PLANT_IF(MULTIPART_LINE_REST, c->p < c->end && *c->p != '\r'))
        while (c->p < c->end && *c->p != '\r')
            c->p++;
    if (w->last && c->p == c->end)
        return true;
    if (sipws_left(c) < 2 || c->p[0] != '\r' || c->p[1] != '\n') {
        sipws_tell(r, c, c->p, SIPWS_E_MULTIPART_LINE, "delimiter");
        return false;
    }
    c->p += 2;
    return true;
}

bool sipws_multipart(struct sipws_cur *c, const struct sipws_value *type,
                     struct sipws_multipart *out, struct sipws_report *r)
{
    memset(out, 0, sizeof *out);
    if (type->kind != SIPWS_K_MEDIA || !sipws_str_ieq(type->media.type, SIPWS_STR("multipart")) ||
        !boundary(c, type, out, r))
        return false;
    if (at_dash_boundary(c, out)) {
        c->p += out->n - 2;
        return line_end(c, out, r);
    }
    const char *at = find(out, c->p, c->end);
    if (!at) {
        sipws_tell(r, c, c->end, SIPWS_E_MULTIPART_EMPTY, "dash-boundary");
        return false;
    }
    c->p = at + out->n;
    return line_end(c, out, r);
}

bool sipws_multipart_next(struct sipws_cur *c, struct sipws_multipart *w,
                          struct sipws_field *fields, size_t cap, struct sipws_part *out,
                          struct sipws_report *r)
{
    if (w->last)
        return false;
    if (at_dash_boundary(c, w)) {
        /* The line end before it ended the boundary line in front, and is not its own. */
        sipws_tell(r, c, c->p, SIPWS_E_MULTIPART_LINE, "delimiter");
        return false;
    }
    const char *end = find(w, c->p, c->end);
    if (!end) {
        sipws_tell(r, c, c->end, SIPWS_E_MULTIPART_END, "close-delimiter");
        return false;
    }
    /* Where there is no body, the delimiter's line end is the empty line. */
    struct sipws_cur in = sipws_cur_in(c->base, c->p, end + 2, NULL, c->allow);
    bool plain;
    out->fields = fields;
    out->n = 0;
    if (!sipws_header(&in, fields, cap, &out->n, &plain, "MIME-part-headers", r))
        return false;
    out->body = sipws_slice(in.p < end ? in.p : end, end);
    c->p = end + w->n;
    return line_end(c, w, r);
}
