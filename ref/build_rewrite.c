/* sipws_rewrite: a message copied with a few octets exchanged, in one pass. */
#include "build.h"

#include "plant.h"

/* Octets of the message that give way to others. */
struct change {
    const char *from, *to;
    struct sipws_str put[3];
};

/* Every member of struct sipws_rewrite changes one place at most. */
enum { CHANGES = 6 };

struct plan {
    const struct sipws_msg *m;
    struct change changes[CHANGES]; /* in the order of the octets */
    size_t n;
    char hops[20]; /* the digits of Max-Forwards */
    struct sipws_diag *diag;
};

/* Of two changes at one place the one that came first stays first. */
static void change(struct plan *p, struct change add)
{
    size_t i = p->n++;
    for (; i > 0 && p->changes[i - 1].from > add.from; i--)
        p->changes[i] = p->changes[i - 1];
    p->changes[i] = add;
}

/* ---- places ---------------------------------------------------------------------------------- */

/* The empty line, or the line of the field with this index. */
static const char *line_start(const struct sipws_msg *m, size_t i)
{
    if (i < m->n)
        return m->fields[i].name.p;
    return m->body.p - (m->body.p - m->text.p >= 2 && m->body.p[-2] == '\r' ? 2 : 1);
}

/* Where a new line of `id` goes to stand above all others of its kind. */
static const char *top_of(const struct sipws_msg *m, enum sipws_field_id id)
{
    size_t behind_via = 0;
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id == id)
            return line_start(m, i);
        if (m->fields[i].id == SIPWS_F_VIA)
            behind_via = i + 1;
    }
    return line_start(m, behind_via);
}

/* ---- the single changes ---------------------------------------------------------------------- */

/* One element of `id`, and nothing else. */
static bool one_element(struct plan *p, enum sipws_field_id id, struct sipws_str text)
{
    struct sipws_diag diag;
    struct sipws_value v;
    struct sipws_cur c = sipws_cur(text, &diag);
    if (!sipws_value_first(&c, id, &v)) {
        if (p->diag)
            *p->diag = diag;
        return false;
    }
    return c.p == c.end || sipws_diag_set(p->diag, SIPWS_E_SURPLUS, (size_t)(c.p - c.base),
                                          sipws_field_info(id)->name);
}

static bool push(struct plan *p, enum sipws_field_id id, struct sipws_str name,
                 struct sipws_str element)
{
    if (!element.p)
        return true;
    if (!one_element(p, id, element))
        return false;
    const char *at = top_of(p->m, id);
    change(p, (struct change){at, at, {name, element, SIPWS_STR("\r\n")}});
    return true;
}

/* Removes the first element of `id`, or the line that has no other. */
static bool pop(struct plan *p, enum sipws_field_id id)
{
    const struct sipws_msg *m = p->m;
    const struct sipws_field *f = sipws_msg_find(m, id);
    struct sipws_diag diag;
    struct sipws_value top, next;
    if (!f) {
        sipws_diag_set(p->diag, SIPWS_E_MISSING_FIELD, (size_t)(line_start(m, m->n) - m->text.p),
                       sipws_field_info(id)->name);
        return false;
    }
    struct sipws_cur c = sipws_msg_cur(m, f, 0, &diag);
    bool ok = sipws_value_first(&c, id, &top), more = ok && sipws_value_next(&c, id, &next);
    if (!ok || (!more && diag.err != SIPWS_OK)) {
        if (p->diag)
            *p->diag = diag;
        return false;
    }
    if (more && !SIPWS_PLANT(REWRITE_POP_LINE))
        change(p, (struct change){top.text.p, next.text.p, {{NULL, 0}}});
    else
        change(p,
               (struct change){f->name.p, line_start(m, (size_t)(f - m->fields) + 1), {{NULL, 0}}});
    return true;
}

static bool request_uri(struct plan *p, struct sipws_str uri)
{
    struct sipws_diag diag;
    struct sipws_uri read;
    struct sipws_cur c = sipws_cur(uri, &diag);
    if (!uri.p)
        return true;
    if (!p->m->is_request)
        return sipws_diag_set(p->diag, SIPWS_E_METHOD, 0, "Request-URI");
    if (!sipws_uri(&c, SIPWS_URI_WHOLE, &read)) {
        if (p->diag)
            *p->diag = diag;
        return false;
    }
    if (c.p < c.end)
        return sipws_diag_set(p->diag, SIPWS_E_URI_OCTET, (size_t)(c.p - c.base), "Request-URI");
    /* RFC 3261 19.1.1, table 1, and 10.2. */
    struct sipws_str method = sipws_uri_param(&read, SIPWS_STR("method"));
    const char *bad = p->m->method == SIPWS_M_REGISTER && read.user.p ? read.user.p
                      : method.p                                      ? method.p
                                                                      : read.headers.p;
    if (bad)
        return sipws_diag_set(p->diag, SIPWS_E_REQUEST_URI, (size_t)(bad - uri.p), "Request-URI");
    const struct sipws_str old = p->m->uri.text;
    change(p, (struct change){old.p, old.p + old.n, {uri}});
    return true;
}

static bool max_forwards(struct plan *p)
{
    const struct sipws_msg *m = p->m;
    const struct sipws_field *f = sipws_msg_find(m, SIPWS_F_MAX_FORWARDS);
    struct sipws_value v;
    if (!m->is_request)
        return sipws_diag_set(p->diag, SIPWS_E_METHOD, 0, "Max-Forwards");
    if (!f) {
        const char *at = top_of(m, SIPWS_F_MAX_FORWARDS);
        change(p, (struct change){at, at, {SIPWS_STR("Max-Forwards: 70\r\n")}});
        return true;
    }
    struct sipws_cur c = sipws_msg_cur(m, f, 0, p->diag);
    if (!sipws_value_first(&c, SIPWS_F_MAX_FORWARDS, &v))
        return false;
    if (v.number.value == 0) {
        sipws_diag_set(p->diag, SIPWS_E_NUMBER_RANGE, (size_t)(v.text.p - m->text.p),
                       "Max-Forwards");
        if (p->diag)
            p->diag->rfc = "3261 16.3";
        return false;
    }
    struct sipws_out hops = sipws_out(p->hops, sizeof p->hops);
    sipws_put_uint(&hops, v.number.value - 1);
    change(p, (struct change){v.text.p, v.text.p + v.text.n, {sipws_out_str(&hops)}});
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

bool sipws_rewrite(struct sipws_out *o, const struct sipws_msg *m, const struct sipws_rewrite *how,
                   struct sipws_diag *diag)
{
    struct plan p = {.m = m, .diag = diag};
    if (!m->body.p) /* its header does not end: there is nothing that could be forwarded */
        return sipws_diag_set(diag, SIPWS_E_NO_BLANK_LINE, m->text.n, "SIP-message");
    /* What is added at a place goes in before what is removed there. */
    if (!request_uri(&p, how->uri) || !push(&p, SIPWS_F_VIA, SIPWS_STR("Via: "), how->via) ||
        !push(&p, SIPWS_F_RECORD_ROUTE, SIPWS_STR("Record-Route: "), how->record_route) ||
        (how->forward && !max_forwards(&p)) || (how->pop_via && !pop(&p, SIPWS_F_VIA)) ||
        (how->pop_route && !pop(&p, SIPWS_F_ROUTE)))
        return false;
    size_t start = o->n;
    const char *at = m->text.p;
    for (size_t i = 0; i < p.n; i++) {
        const struct change *c = &p.changes[i];
        sipws_put(o, sipws_slice(at, c->from));
        for (size_t k = 0; k < 3; k++)
            sipws_put(o, c->put[k]);
        at = c->to;
    }
    sipws_put(o, sipws_slice(at, m->body.p + m->body.n));
    if (!sipws_out_ok(o))
        return sipws_diag_set(diag, SIPWS_E_LIMIT_OUT, o->cap > start ? o->cap - start : 0,
                              "SIP-message");
    return true;
}
