/* Properties of building messages, of answering requests and of rewriting, on generated messages.
 */
#include "build.h"
#include "gen_msg.h"

#include <string.h>

enum { FIELDS = 64, ROOM = GEN_MSG_MAX + 4096, POOL = 24 };

/* A strict reading of `text`. */
struct reading {
    struct sipws_field fields[FIELDS];
    struct sipws_msg m;
    struct sipws_diag first; /* the first error */
    bool ok;                 /* no errors, in parse and check */
};

static void read_msg(struct reading *x, struct sipws_str text, enum sipws_transport transport)
{
    struct sipws_report r = sipws_report(&x->first, 1);
    x->ok = sipws_msg_parse(text, 0, x->fields, FIELDS, &x->m, &r) &&
            sipws_msg_check(&x->m, transport, 0, &r);
}

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

/* The canonical form of a header field's elements, joined by ", ". */
static struct sipws_str elements(struct arena *a, const struct sipws_msg *m,
                                 const struct sipws_field *f)
{
    struct sipws_out o = arena_begin(a);
    struct sipws_value v;
    struct sipws_cur c = sipws_msg_cur(m, f, 0, NULL);
    for (bool more = sipws_value_first(&c, f->id, &v); more;) {
        sipws_value_print(&o, &v);
        more = sipws_value_next(&c, f->id, &v);
        if (more)
            sipws_put_lit(&o, ", ");
    }
    return arena_end(a, &o);
}

/* ---- stories ----------------------------------------------------------------------------------
 */

struct story {
    struct gen_msg m;
    struct sipws_str text; /* of m, mostly with more routes */
    enum sipws_transport transport;

    /* Choices about it, drawn before it: behind it the tape is mostly at its end. */
    unsigned char how[16];
    struct sipws_str noise; /* octets for somewhere */
};

static struct story *draw(struct tape *t, struct arena *a, bool request)
{
    /* What values are made of, what starts the next part of a header field, and all of such parts:
     * what comes from a user, and what one adds who wants to be taken for another. */
    static const char *const pool[POOL] = {"a",
                                           "eve",
                                           "z9hG4bK",
                                           "\"Eve\"",
                                           "example.net",
                                           "1",
                                           "\r\n",
                                           ";",
                                           ",",
                                           "\"",
                                           "\\",
                                           ">",
                                           "=",
                                           " ",
                                           "@",
                                           "(",
                                           ")",
                                           "\r\n ",
                                           ";x",
                                           ";tag=a",
                                           ", <sip:eve@example.net>",
                                           "\r\nX-Eve: 1",
                                           "<sip:eve@example.net>",
                                           " ;lr"};
    struct story *s = arena_get(a, sizeof *s);
    if (!s)
        return NULL;
    s->transport = (enum sipws_transport)tape_below(t, 3);
    tape_bytes(t, s->how, sizeof s->how);
    char noise[128];
    struct sipws_out o = sipws_out(noise, sizeof noise);
    while (tape_next(t, "noise", 3)) {
        unsigned i = tape_below(t, POOL + 4);
        sipws_put(&o, i < POOL ? str(pool[i]) : (struct sipws_str){NULL, 0});
        if (i >= POOL)
            sipws_put_char(&o, (char)tape_byte(t));
        tape_end(t);
    }
    s->noise = arena_copy(a, (struct sipws_str){noise, sipws_out_ok(&o) ? o.n : 0});
    struct gen_msg_want want = {.transport = s->transport, .request = request};
    if (!gen_msg(t, a, &want, &s->m))
        return NULL;
    o = arena_begin(a);
    sipws_put(&o, s->m.start);
    if (s->how[15] & 1)
        sipws_put_lit(&o, "Record-Route: <sip:r.example.net;lr>\r\n");
    if ((s->how[15] & 2) && s->m.is_request)
        sipws_put_lit(&o, "Route: <sip:q.example.net;lr> ,\r\n <sip:r.example.net;lr>\r\n");
    if ((s->how[15] & 4) && s->m.is_request)
        sipws_put_lit(&o, "route:<sip:s.example.net;lr>\r\n");
    sipws_put(&o, sipws_slice(s->m.start.p + s->m.start.n, s->m.text.p + s->m.text.n));
    s->text = arena_end(a, &o);
    return s->text.p ? s : NULL;
}

static const void *draw_any(struct tape *t, struct arena *a)
{
    return draw(t, a, false);
}

static const void *draw_request(struct tape *t, struct arena *a)
{
    return draw(t, a, true);
}

static void explain(const void *story, FILE *f)
{
    const struct story *s = story;
    static const char *const transports[] = {"any transport", "ws", "wss"};
    fprintf(f, "  %s; choices", transports[s->transport]);
    for (size_t i = 0; i < sizeof s->how; i++)
        fprintf(f, " %u", s->how[i]);
    fputs("; noise\n", f);
    prop_octets(f, "    ", s->noise);
    fputs("  and\n", f);
    prop_octets(f, "    ", s->text);
}

static void wire(const void *story, struct sipws_out *o)
{
    const struct story *s = story;
    sipws_put(o, s->text);
}

/* ---- build/same -------------------------------------------------------------------------------
 */

/* A value in canonical form, piece by piece: what stands before the parameters, then each of them.
 * Only where there is one element, and its parameters are those of the last. */
static void by_params(struct sipws_build *b, struct arena *a, const struct sipws_field *f,
                      struct sipws_value *v)
{
    struct sipws_str params = v->params;
    struct sipws_param param;
    v->params = (struct sipws_str){NULL, 0};
    struct sipws_out o = arena_begin(a);
    sipws_value_print(&o, v);
    struct sipws_str head = arena_end(a, &o);
    if (head.n > 0 && head.p[head.n - 1] == ' ') /* of a scheme */
        head.n--;
    sipws_build_text(b, f->id, head);
    while (sipws_param_next(&params, &param)) {
        struct sipws_str value = {NULL, 0};
        if (param.value.p) {
            o = arena_begin(a);
            sipws_put_unfolded(&o, param.value);
            value = arena_end(a, &o);
        }
        sipws_build_param(b, param.name, value);
    }
}

/* Sets the header field `f` of `m` again, in one of the ways that there are. */
static void set_again(struct sipws_build *b, struct arena *a, const struct sipws_msg *m,
                      const struct sipws_field *f, unsigned how)
{
    struct sipws_value v;
    struct sipws_cur c = sipws_msg_cur(m, f, 0, NULL);
    bool any = f->id != SIPWS_F_EXTENSION && sipws_value_first(&c, f->id, &v);
    bool one = any && c.p == c.end;
    bool plain = one && v.kind != SIPWS_K_TEXT && v.kind != SIPWS_K_STAR;
    switch (how % 5) {
    case 1:
        if (any) {
            for (bool more = true; more; more = sipws_value_next(&c, f->id, &v))
                sipws_build_value(b, f->id, &v);
            return;
        }
        break;
    case 2:
        if (plain) {
            by_params(b, a, f, &v);
            return;
        }
        break;
    case 3:
        if (f->id != SIPWS_F_EXTENSION) {
            sipws_build_text(b, f->id, elements(a, m, f));
            return;
        }
        break;
    case 4:
        sipws_build_field(b, f->name, f->value);
        return;
    default:
        break;
    }
    sipws_build_copy(b, f);
}

static struct sipws_build start_again(struct sipws_out *o, const struct sipws_msg *m,
                                      struct sipws_field *fields)
{
    return m->is_request ? sipws_build_request(o, m->method_name, m->uri.text, fields, FIELDS)
                         : sipws_build_response(o, m->status, m->reason, fields, FIELDS);
}

/* All elements of `id`, whichever lines they stand in, in canonical form. */
static struct sipws_str all_of(struct arena *a, const struct sipws_msg *m, enum sipws_field_id id,
                               struct sipws_str name)
{
    struct sipws_str all = {NULL, 0};
    char *p = arena_get(a, m->text.n + 2 * FIELDS);
    if (!p)
        return all;
    struct sipws_out o = sipws_out(p, m->text.n + 2 * FIELDS);
    for (size_t i = 0; i < m->n; i++) {
        if (m->fields[i].id != id ||
            (id == SIPWS_F_EXTENSION && !sipws_str_ieq(m->fields[i].name, name)))
            continue;
        struct sipws_str e = elements(a, m, &m->fields[i]);
        if (o.n > 0 && e.n > 0)
            sipws_put_lit(&o, ", ");
        sipws_put(&o, e);
    }
    return sipws_out_ok(&o) ? sipws_out_str(&o) : all;
}

/* Builds the story's message again into `cap` octets. */
static bool build_again(struct prop_trial *r, const struct story *s, const struct sipws_msg *m,
                        struct sipws_out *o, struct sipws_build *b, struct sipws_field *fields)
{
    *b = start_again(o, m, fields);
    b->transport = s->transport;
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id != SIPWS_F_CONTENT_LENGTH)
            set_again(b, &r->arena, m, &m->fields[i], s->how[i % sizeof s->how]);
    return sipws_build_end(b, m->body);
}

static enum verdict hold_same(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    struct sipws_field fields[FIELDS];
    struct sipws_build b;
    read_msg(&x, s->text, s->transport);
    if (!x.ok)
        return prop_fail(r, "source", x.first.off, "the generated message has %s",
                         sipws_err_info(x.first.err)->id);
    struct sipws_out o = sipws_out(arena_get(&r->arena, ROOM), ROOM);
    if (!o.p)
        return DISCARDED;
    if (!build_again(r, s, &x.m, &o, &b, fields))
        return r->arena.full ? DISCARDED
                             : prop_fail(r, "refused", PROP_NOWHERE, "built again it has %s at %zu",
                                         sipws_err_info(b.diag.err)->id, b.diag.off);
    for (unsigned i = 0; i < x.m.n && i < 5; i++)
        if (s->how[i] % 5 == 1)
            prop_class(r, "values");
        else if (s->how[i] % 5 == 2)
            prop_class(r, "parameters");
    for (unsigned id = 0; id < SIPWS_FIELD_COUNT; id++) {
        struct sipws_str name = {NULL, 0};
        for (size_t i = 0; i < x.m.n && id == SIPWS_F_EXTENSION; i++)
            if (x.m.fields[i].id == SIPWS_F_EXTENSION)
                name = x.m.fields[i].name;
        if (id == SIPWS_F_CONTENT_LENGTH || (id == SIPWS_F_EXTENSION && !name.p))
            continue;
        if (prop_same(r, "elements", all_of(&r->arena, &x.m, (enum sipws_field_id)id, name),
                      all_of(&r->arena, &b.msg, (enum sipws_field_id)id, name)) == FAILS)
            return FAILS;
    }
    if (prop_same(r, "body", x.m.body, b.msg.body) == FAILS)
        return FAILS;
    if (r->arena.full)
        return DISCARDED;

    /* Measured, and one octet short. */
    struct sipws_field other[FIELDS];
    size_t whole = o.n;
    char *p = arena_get(&r->arena, whole);
    for (unsigned way = 0; way < 3 && p; way++) {
        struct sipws_out again = way == 0 ? sipws_out(NULL, 0) : sipws_out(p, whole - (way == 1));
        struct sipws_build c;
        bool good = build_again(r, s, &x.m, &again, &c, other);
        if (r->arena.full)
            return DISCARDED;
        if (again.n != whole || good != (way == 2) ||
            c.diag.err != (good ? SIPWS_OK : SIPWS_E_LIMIT_OUT))
            return prop_fail(r, "room", again.n, "%zu octets in %zu: %zu are said to be needed",
                             whole, again.cap, again.n);
    }
    return p ? HOLDS : DISCARDED;
}

const struct prop prop_build_same = {
    .name = "build/same",
    .plant = "MSG_COLON_TRIM",
    .sentence =
        "A message that is built from the parts of a valid one, as text, as typed values or "
        "parameter by parameter, is valid and has the same elements; without room it is "
        "refused, and measured to the octet.",
    .draw = draw_any,
    .hold = hold_same,
    .explain = explain,
    .wire = wire,
    .classes = {{"values", 200}, {"parameters", 200}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- build/noise ------------------------------------------------------------------------------
 */

/* What was set, so that the reading can be held against it. */
struct set {
    struct sipws_str name, value;
};

static enum verdict hold_noise(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    struct sipws_field fields[FIELDS];
    read_msg(&x, s->text, s->transport);
    if (!x.ok)
        return DISCARDED;
    struct sipws_out o = sipws_out(arena_get(&r->arena, ROOM), ROOM);
    if (!o.p)
        return DISCARDED;
    struct sipws_str noise = s->noise;
    unsigned place = s->how[0] % 8;
    size_t victim = s->how[1] % x.m.n, n = 0, nth = SIZE_MAX; /* nth: of those that are set */
    struct sipws_build b;
    if (place == 0)
        b = x.m.is_request ? sipws_build_request(&o, noise, x.m.uri.text, fields, FIELDS)
                           : sipws_build_response(&o, x.m.status, noise, fields, FIELDS);
    else if (place == 1 && x.m.is_request)
        b = sipws_build_request(&o, x.m.method_name, noise, fields, FIELDS);
    else
        b = start_again(&o, &x.m, fields);
    b.transport = s->transport;
    struct set sets[FIELDS + 1];
    bool param = false, quoted = false;
    for (size_t i = 0; i < x.m.n; i++) {
        const struct sipws_field *f = &x.m.fields[i];
        if (f->id == SIPWS_F_CONTENT_LENGTH)
            continue;
        bool here = i == victim;
        nth = here ? n : nth;
        struct set set = {f->name, f->value};
        if (here && place == 2)
            set.value = noise;
        if (here && place == 3)
            set.name = noise;
        if (f->id != SIPWS_F_EXTENSION && here && place == 4) {
            const char *name = sipws_field_info(f->id)->name;
            set = (struct set){str(name), noise};
            sipws_build_text(&b, f->id, noise);
        } else {
            sipws_build_field(&b, set.name, set.value);
        }
        if (here && place >= 5) {
            param = true;
            quoted = place == 6;
            if (place == 5)
                sipws_build_param(&b, SIPWS_STR("noise"), noise);
            else if (quoted)
                sipws_build_quoted(&b, SIPWS_STR("noise"), noise);
            else
                sipws_build_param(&b, noise, (struct sipws_str){NULL, 0});
        }
        sets[n++] = set;
    }
    if (!sipws_build_end(&b, x.m.body)) {
        prop_class(r, "refused");
        if (b.diag.err == SIPWS_OK || b.diag.err == SIPWS_E_LIMIT_OUT || o.n != 0)
            return prop_fail(r, "refusal", PROP_NOWHERE, "%s, with %zu octets written",
                             sipws_err_info(b.diag.err)->id, o.n);
        return HOLDS;
    }
    prop_class(r, "taken");
    if (param)
        prop_class(r, "a parameter taken");
    struct reading y;
    read_msg(&y, sipws_out_str(&o), s->transport);
    if (!y.ok)
        return prop_fail(r, "invalid", y.first.off, "what was built has %s",
                         sipws_err_info(y.first.err)->id);
    bool length = y.m.n == n + 1 && y.fields[n].id == SIPWS_F_CONTENT_LENGTH;
    if (!length)
        return prop_fail(r, "fields", PROP_NOWHERE, "%zu header fields were set, %zu are there", n,
                         y.m.n);
    if (prop_same(r, "body", x.m.body, y.m.body) == FAILS)
        return FAILS;
    for (size_t i = 0; i < n; i++) {
        if (prop_same(r, "name", sets[i].name, y.fields[i].name) == FAILS)
            return FAILS;
        if (param && i == nth)
            continue;
        /* White space before a value is not part of it. */
        struct sipws_str want = sets[i].value, got = y.fields[i].value;
        if (got.n > want.n || (got.n && memcmp(want.p + want.n - got.n, got.p, got.n) != 0))
            return prop_fail(r, "value", PROP_NOWHERE, "header field %zu has another value", i);
    }
    if (!param)
        return HOLDS;

    /* The last element has one parameter more, and says what was set. */
    struct sipws_value v, last;
    struct sipws_cur c = sipws_msg_cur(&y.m, &y.fields[nth], 0, NULL);
    struct sipws_param got;
    unsigned before = 0, after = 0;
    struct sipws_cur old = sipws_msg_cur(&x.m, &x.fields[victim], 0, NULL);
    for (bool more = sipws_value_first(&old, x.fields[victim].id, &v); more; before++)
        more = sipws_value_next(&old, x.fields[victim].id, &v);
    memset(&last, 0, sizeof last);
    for (bool more = sipws_value_first(&c, y.fields[nth].id, &v); more; after++) {
        last = v;
        more = sipws_value_next(&c, y.fields[nth].id, &v);
    }
    if (last.kind == SIPWS_K_TEXT || !last.params.p)
        return HOLDS; /* text has no parameters: the octets are part of it */
    if (before != after)
        return prop_fail(r, "elements", PROP_NOWHERE, "%u elements became %u", before, after);
    struct sipws_str name = place == 7 ? noise : SIPWS_STR("noise");
    if (!sipws_param_find(last.params, name, &got))
        return prop_fail(r, "parameter", PROP_NOWHERE, "the parameter is not there");
    if (place == 5)
        return prop_same(r, "parameter", noise, got.value);
    return HOLDS;
}

const struct prop prop_build_noise = {
    .name = "build/noise",
    .plant = "BUILD_UNREAD",
    .sentence = "Whatever octets stand for a method, URI, reason, name, value or parameter, the "
                "builder refuses, or the message is valid and has just the header fields, values "
                "and parameters that were set.",
    .draw = draw_any,
    .hold = hold_noise,
    .explain = explain,
    .wire = wire,
    .classes = {{"refused", 300}, {"taken", 50}, {"a parameter taken", 10}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- build/value ------------------------------------------------------------------------------
 */

/* A string within a value, by its number. NULL: the kind has no such one. `fold`: it is printed
 * unfolded. `any_case`: its case does not count. */
static struct sipws_str *part_of(struct sipws_value *v, unsigned i, bool *fold, bool *any_case)
{
    struct sipws_uri *uri = v->kind == SIPWS_K_ADDR ? &v->addr.uri : &v->uri;
    *fold = false;
    *any_case = false;
    switch (v->kind) {
    case SIPWS_K_TOKEN:
        return i == 0 ? &v->token : NULL;
    case SIPWS_K_ADDR:
        if (i == 0) {
            *fold = true;
            return &v->addr.display;
        }
        i--;
        /* fall through */
    case SIPWS_K_URI:
        if (uri->scheme == SIPWS_SCHEME_OTHER)
            return i == 0 ? &uri->opaque : NULL;
        *any_case = i == 1;
        return i == 0   ? &uri->user
               : i == 1 ? &uri->host.text
               : i == 2 ? &uri->params
               : i == 3 ? &uri->headers
                        : NULL;
    case SIPWS_K_VIA:
        *any_case = i == 3;
        return i == 0   ? &v->via.protocol
               : i == 1 ? &v->via.version
               : i == 2 ? &v->via.transport
               : i == 3 ? &v->via.host.text
                        : NULL;
    case SIPWS_K_CSEQ:
        return i == 0 ? &v->cseq.method : NULL;
    case SIPWS_K_RACK:
        return i == 0 ? &v->rack.method : NULL;
    case SIPWS_K_CALL_ID:
        return i == 0 ? &v->call_id : NULL;
    case SIPWS_K_MEDIA:
        return i == 0 ? &v->media.type : i == 1 ? &v->media.subtype : NULL;
    case SIPWS_K_TIMESTAMP:
        return i == 0 ? &v->timestamp.value : i == 1 ? &v->timestamp.delay : NULL;
    case SIPWS_K_WARNING:
        *fold = i == 1;
        return i == 0 ? &v->warning.agent : i == 1 ? &v->warning.quoted : NULL;
    case SIPWS_K_CHALLENGE:
    case SIPWS_K_CREDENTIALS:
        return i == 0 ? &v->auth.scheme : i == 1 ? &v->auth.token68 : NULL;
    case SIPWS_K_IDENTITY:
        return i == 0 ? &v->identity : NULL;
    case SIPWS_K_TEXT:
        *fold = true;
        return i == 0 ? &v->text : NULL;
    case SIPWS_K_NUMBER:
    case SIPWS_K_STAR:
    case SIPWS_K_DATE:
    case SIPWS_K_AUTH_INFO:
    case SIPWS_KIND_COUNT:
        break;
    }
    return NULL;
}

static enum verdict hold_value(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    struct sipws_field fields[FIELDS];
    struct sipws_value v, got;
    bool fold, any_case;
    read_msg(&x, s->text, s->transport);
    if (!x.ok)
        return DISCARDED;
    const struct sipws_field *f = &x.m.fields[s->how[1] % x.m.n];
    if (f->id == SIPWS_F_EXTENSION || f->id == SIPWS_F_CONTENT_LENGTH ||
        !sipws_msg_first(&x.m, f->id, &v))
        return DISCARDED; /* what has no typed value, an empty list, or what the end would add */
    unsigned i = s->how[2] % 5;
    struct sipws_str *part = part_of(&v, i, &fold, &any_case);
    if (!part)
        part = part_of(&v, i = 0, &fold, &any_case);
    bool params = !part || s->how[3] % 4 == 0;
    if (params)
        part = &v.params;
    if (v.kind == SIPWS_K_TEXT && params)
        return DISCARDED; /* its parameters are in its text */
    struct sipws_str noise = s->noise;
    *part = noise.n > 0 ? noise : (struct sipws_str){NULL, 0};

    /* One header field and nothing else, so that the rules of messages say nothing. */
    struct sipws_out o = sipws_out(arena_get(&r->arena, ROOM), ROOM);
    if (!o.p)
        return DISCARDED;
    struct sipws_build b = start_again(&o, &x.m, fields);
    sipws_build_value(&b, f->id, &v);
    sipws_build_raw(&b, (struct sipws_str){NULL, 0});
    if (!sipws_build_end(&b, (struct sipws_str){NULL, 0})) {
        prop_class(r, "refused");
        return HOLDS;
    }
    prop_class(r, "taken");
    struct sipws_msg m;
    struct sipws_diag diag;
    struct sipws_report report = sipws_report(&diag, 1);
    if (!sipws_msg_parse(sipws_out_str(&o), 0, fields, FIELDS, &m, &report) || m.n != 2 ||
        fields[0].id != f->id)
        return prop_fail(r, "lines", PROP_NOWHERE, "%zu header fields instead of one and a length",
                         m.n);
    struct sipws_cur c = sipws_msg_cur(&m, &fields[0], 0, &diag);
    if (!sipws_value_first(&c, f->id, &got) || c.p < c.end || got.kind != v.kind)
        return prop_fail(r, "element", PROP_NOWHERE, "it is not one element of its kind");
    if (params) {
        /* As many as are in the noise, and nothing beside them. */
        struct sipws_str a = noise, z = got.params;
        struct sipws_param p, q;
        while (sipws_param_next(&a, &p))
            if (!sipws_param_next(&z, &q) || !sipws_str_eq(p.name, q.name))
                return prop_fail(r, "parameters", PROP_NOWHERE, "a parameter is lost");
        return !sipws_param_next(&z, &q)
                   ? HOLDS
                   : prop_fail(r, "parameters", PROP_NOWHERE, "there is one parameter more");
    }
    struct sipws_str want = noise, is = *part_of(&got, i, &fold, &any_case);
    if (fold) {
        struct sipws_out u = arena_begin(&r->arena);
        sipws_put_unfolded(&u, noise);
        want = arena_end(&r->arena, &u);
    }
    if (any_case && sipws_str_ieq(want, is))
        return HOLDS;
    return prop_same(r, "part", want, is);
}

const struct prop prop_build_value = {
    .name = "build/value",
    .plant = "BUILD_UNREAD",
    .sentence = "Whatever octets stand for a part of a typed value, the builder refuses it, or it "
                "is read as one element with just that part.",
    .draw = draw_any,
    .hold = hold_value,
    .explain = explain,
    .wire = wire,
    .classes = {{"refused", 300}, {"taken", 30}},
    .discard_percent = 30,
    .tape_max = 1024,
};

/* ---- build/response ---------------------------------------------------------------------------
 */

/* The values of `id` in order, as they stand, joined. */
static struct sipws_str values_of(struct arena *a, const struct sipws_msg *m,
                                  enum sipws_field_id id)
{
    struct sipws_out o = arena_begin(a);
    for (size_t i = 0; i < m->n; i++)
        if (m->fields[i].id == id) {
            sipws_put(&o, m->fields[i].value);
            sipws_put_lit(&o, "\r\n");
        }
    return arena_end(a, &o);
}

static enum verdict hold_response(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x;
    struct sipws_field fields[FIELDS];
    struct sipws_value to, v;
    struct sipws_param tag, got;
    read_msg(&x, s->text, s->transport);
    if (!x.ok)
        return DISCARDED;
    /* Statuses that call for no header field of their own. */
    static const uint16_t statuses[] = {404, 100, 183, 200, 202, 302, 486, 500, 603, 199};
    unsigned status = statuses[s->how[0] % 10];
    struct sipws_out o = sipws_out(arena_get(&r->arena, ROOM), ROOM);
    if (!o.p)
        return DISCARDED;
    struct sipws_build b = sipws_build_response_to(&o, &x.m, status, SIPWS_STR("As you say"),
                                                   SIPWS_STR("t4g"), fields, FIELDS);
    b.transport = s->transport;
    enum sipws_method method = x.m.method;
    bool ok = status / 100 == 2;
    if (ok && (method == SIPWS_M_INVITE || method == SIPWS_M_REFER || method == SIPWS_M_UPDATE))
        sipws_build_text(&b, SIPWS_F_CONTACT, SIPWS_STR("<sip:bob@192.0.2.4>"));
    if (ok && (method == SIPWS_M_SUBSCRIBE || method == SIPWS_M_PUBLISH))
        sipws_build_number(&b, SIPWS_F_EXPIRES, 60);
    if (ok && method == SIPWS_M_PUBLISH)
        sipws_build_text(&b, SIPWS_F_SIP_ETAG, SIPWS_STR("e1"));
    if (!sipws_build_end(&b, SIPWS_STR("")))
        return prop_fail(r, "refused", PROP_NOWHERE, "a %u to this has %s at %zu", status,
                         sipws_err_info(b.diag.err)->id, b.diag.off);
    static const enum sipws_field_id same[] = {SIPWS_F_VIA, SIPWS_F_FROM, SIPWS_F_CALL_ID,
                                               SIPWS_F_CSEQ};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (prop_same(r, sipws_field_info(same[i])->name, values_of(&r->arena, &x.m, same[i]),
                      values_of(&r->arena, &b.msg, same[i])) == FAILS)
            return FAILS;
    bool dialog =
        method == SIPWS_M_INVITE || method == SIPWS_M_SUBSCRIBE || method == SIPWS_M_REFER;
    bool routes = sipws_msg_find(&b.msg, SIPWS_F_RECORD_ROUTE) != NULL;
    bool due = sipws_msg_find(&x.m, SIPWS_F_RECORD_ROUTE) && dialog && status > 100 && status < 300;
    if (routes != due)
        return prop_fail(r, "record-route", PROP_NOWHERE, "Record-Route is %s",
                         due ? "missing" : "there");
    if (due)
        prop_class(r, "Record-Route");
    if (!sipws_msg_first(&x.m, SIPWS_F_TO, &to) || !sipws_msg_first(&b.msg, SIPWS_F_TO, &v) ||
        !sipws_param_find(v.params, SIPWS_STR("tag"), &got))
        return prop_fail(r, "to", PROP_NOWHERE, "To has no tag");
    bool had = sipws_param_find(to.params, SIPWS_STR("tag"), &tag);
    prop_class(r, had ? "a tag kept" : "a tag added");
    return prop_same(r, "tag", had ? tag.value : SIPWS_STR("t4g"), got.value);
}

const struct prop prop_build_response = {
    .name = "build/response",
    .plant = "QUOTED_PAIR_END",
    .sentence =
        "The response to any valid request is valid, with the Via, From, Call-ID and CSeq of the "
        "request as they stand, its To with a tag, and Record-Route where a dialog needs it.",
    .draw = draw_request,
    .hold = hold_response,
    .explain = explain,
    .wire = wire,
    .classes = {{"a tag kept", 100}, {"a tag added", 100}, {"Record-Route", 10}},
    .discard_percent = 5,
    .tape_max = 1024,
};

/* ---- rewrite/rest -----------------------------------------------------------------------------
 */

/* The elements of all fields `id` but the first `skip`, in canonical form. */
static struct sipws_str rest_of(struct arena *a, const struct sipws_msg *m, enum sipws_field_id id,
                                unsigned skip)
{
    struct sipws_out o = arena_begin(a);
    for (size_t i = 0; i < m->n; i++) {
        struct sipws_value v;
        if (m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v)) {
            if (skip > 0) {
                skip--;
                continue;
            }
            sipws_value_print(&o, &v);
            sipws_put_lit(&o, "\n");
        }
    }
    return arena_end(a, &o);
}

/* The first `head` and the last `tail` octets of both are the same. */
static bool kept(struct sipws_str was, struct sipws_str is, size_t head, size_t tail)
{
    return head <= was.n && head <= is.n && memcmp(was.p, is.p, head) == 0 && tail <= was.n &&
           tail <= is.n && memcmp(was.p + was.n - tail, is.p + is.n - tail, tail) == 0;
}

static enum verdict hold_rest(struct prop_trial *r, const void *story)
{
    const struct story *s = story;
    struct reading x, y;
    read_msg(&x, s->text, s->transport);
    if (!x.ok)
        return DISCARDED;
    unsigned bits = s->how[0];
    struct sipws_value v;
    bool request = x.m.is_request;
    bool hops = !sipws_msg_first(&x.m, SIPWS_F_MAX_FORWARDS, &v) || v.number.value > 0;
    uint64_t was_hops = sipws_msg_first(&x.m, SIPWS_F_MAX_FORWARDS, &v) ? v.number.value : 71;
    bool sips = x.m.uri.scheme == SIPWS_SCHEME_SIPS;
    struct sipws_rewrite how = {
        .pop_via = (bits & 1) && rest_of(&r->arena, &x.m, SIPWS_F_VIA, 1).n > 0,
        .pop_route = (bits & 2) && sipws_msg_find(&x.m, SIPWS_F_ROUTE),
        .forward = (bits & 4) && request && hops,
    };
    if ((bits & 8) && request)
        how.uri = sips ? SIPWS_STR("sips:next.example.net") : SIPWS_STR("sip:next.example.net;x");
    if (bits & 16)
        how.via = s->transport == SIPWS_TRANSPORT_WS
                      ? SIPWS_STR("SIP/2.0/WS p.example.net;branch=z9hG4bKnew")
                      : SIPWS_STR("SIP/2.0/WSS p.example.net;branch=z9hG4bKnew");
    if (bits & 32)
        how.record_route = SIPWS_STR("<sip:p.example.net;lr>");
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    struct sipws_out measure = sipws_out(NULL, 0);
    if (sipws_rewrite(&measure, &x.m, &how, &diag) || diag.err != SIPWS_E_LIMIT_OUT)
        return prop_fail(r, "measure", PROP_NOWHERE, "without room: %s at %zu",
                         sipws_err_info(diag.err)->id, diag.off);
    char *p = arena_get(&r->arena, measure.n);
    if (!p)
        return DISCARDED;
    struct sipws_out o = sipws_out(p, measure.n);
    if (!sipws_rewrite(&o, &x.m, &how, &diag) || o.n != measure.n)
        return prop_fail(r, "refused", PROP_NOWHERE, "%s at %zu", sipws_err_info(diag.err)->id,
                         diag.off);
    struct sipws_str is = sipws_out_str(&o);
    read_msg(&y, is, how.pop_via && !how.via.p ? SIPWS_TRANSPORT_ANY : s->transport);
    bool sound = y.ok || (how.pop_via && (y.first.err == SIPWS_E_BRANCH_MISSING ||
                                          y.first.err == SIPWS_E_VIA_PROTOCOL));
    sound = sound || y.first.err == SIPWS_E_CONTACT_SIPS || y.first.err == SIPWS_E_SIPS_PLAIN;
    if (!sound)
        return prop_fail(r, "invalid", y.first.off, "the result has %s",
                         sipws_err_info(y.first.err)->id);

    /* The fields that change: their elements. */
    static const enum sipws_field_id lists[] = {SIPWS_F_VIA, SIPWS_F_ROUTE, SIPWS_F_RECORD_ROUTE};
    for (unsigned i = 0; i < 3; i++) {
        bool popped = i == 0 ? how.pop_via : i == 1 && how.pop_route;
        struct sipws_str pushed = i == 0   ? how.via
                                  : i == 2 ? how.record_route
                                           : (struct sipws_str){NULL, 0};
        struct sipws_str want = rest_of(&r->arena, &x.m, lists[i], popped);
        struct sipws_str got = rest_of(&r->arena, &y.m, lists[i], pushed.p ? 1 : 0);
        if (prop_same(r, sipws_field_info(lists[i])->name, want, got) == FAILS)
            return FAILS;
        if (pushed.p && !(sipws_msg_first(&y.m, lists[i], &v) && sipws_str_eq(v.text, pushed)))
            return prop_fail(r, "top", PROP_NOWHERE, "%s does not stand on top",
                             sipws_field_info(lists[i])->name);
        if (popped)
            prop_class(r, i == 0 ? "Via popped" : "Route popped");
    }
    if (how.forward &&
        !(sipws_msg_first(&y.m, SIPWS_F_MAX_FORWARDS, &v) && v.number.value + 1 == was_hops))
        return prop_fail(r, "max-forwards", PROP_NOWHERE, "Max-Forwards is not one lower");
    if (request && prop_same(r, "uri", how.uri.p ? how.uri : x.m.uri.text, y.m.uri.text) == FAILS)
        return FAILS;
    if (how.forward)
        prop_class(r, "forwarded");

    /* All other lines stand as they stood, in their order, and so does the body. */
    size_t j = 0;
    for (size_t i = 0; i < x.m.n; i++) {
        enum sipws_field_id id = x.fields[i].id;
        if (id == SIPWS_F_VIA || id == SIPWS_F_ROUTE || id == SIPWS_F_RECORD_ROUTE ||
            id == SIPWS_F_MAX_FORWARDS)
            continue;
        while (j < y.m.n &&
               (y.fields[j].id == SIPWS_F_VIA || y.fields[j].id == SIPWS_F_ROUTE ||
                y.fields[j].id == SIPWS_F_RECORD_ROUTE || y.fields[j].id == SIPWS_F_MAX_FORWARDS))
            j++;
        const char *a = x.fields[i].name.p, *b = j < y.m.n ? y.fields[j].name.p : "";
        size_t n = (size_t)(x.fields[i].value.p + x.fields[i].value.n - a);
        if (j == y.m.n || (size_t)(is.p + is.n - b) < n || memcmp(a, b, n) != 0)
            return prop_fail(r, "line", (size_t)(a - x.m.text.p), "a line has changed");
        j++;
    }
    if (prop_same(r, "body", x.m.body, y.m.body) == FAILS)
        return FAILS;
    if (!(bits & 63)) /* nothing at all */
        return prop_same(r, "nothing", s->text, is);

    /* With one change only: all octets before and behind it. */
    bool one = !how.uri.p + !how.via.p + !how.record_route.p == 2 && !how.pop_via &&
               !how.pop_route && !how.forward;
    if (one) {
        prop_class(r, "one octet run");
        size_t longest = how.uri.p ? x.m.uri.text.n : 0, head = 0;
        while (head < s->text.n && head < is.n && s->text.p[head] == is.p[head])
            head++;
        size_t tail = s->text.n - head > longest ? s->text.n - head - longest : 0;
        if (!kept(s->text, is, head, tail))
            return prop_fail(r, "octets", head, "octets behind the change are others");
    }
    return HOLDS;
}

const struct prop prop_rewrite_rest = {
    .name = "rewrite/rest",
    .plant = "REWRITE_POP_LINE",
    .sentence =
        "Rewriting changes the reading of what is named and nothing else: the elements below, all "
        "other lines and the body are the same octets, and what was measured is what is written.",
    .draw = draw_any,
    .hold = hold_rest,
    .explain = explain,
    .wire = wire,
    .classes = {{"Via popped", 50},
                {"Route popped", 50},
                {"forwarded", 100},
                {"one octet run", 10}},
    .discard_percent = 5,
    .tape_max = 1024,
};
