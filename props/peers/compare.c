/* Readings side by side. */
#define _GNU_SOURCE /* memmem, which POSIX of 2024 has too */
#include "compare.h"

#include "field.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct row rows[] = {
    {"method", "message"},
    {"request-uri", "uri"},
    {"status", "message"},
    {"header names", "message"},
    {"vias", "field"},
    {"via transport", "field"},
    {"via host", "field"},
    {"via port", "field"},
    {"via branch", "field"},
    {"from display", "field"},
    {"from uri", "uri"},
    {"from tag", "field"},
    {"to display", "field"},
    {"to uri", "uri"},
    {"to tag", "field"},
    {"call-id", "field"},
    {"cseq number", "field"},
    {"cseq method", "field"},
    {"contacts", "field"},
    {"contact uri", "uri"},
    {"routes", "field"},
    {"route uri", "uri"},
    {"record-routes", "field"},
    {"record-route uri", "uri"},
    {"content-length", "field"},
    {"body length", "message"},
    {"body at", "message"},
    {"events", "frames"},
    {"data", "frames"},
    {"close", "frames"},
    {"subprotocol", "handshake"},
    {"key", "handshake"},
    {"extensions", "handshake"},
    {NULL, NULL},
};

static const char none[] = "(none)";

const char *row_layer(const char *name)
{
    for (const struct row *r = rows; r->name; r++)
        if (strcmp(r->name, name) == 0)
            return r->layer;
    return "field";
}

/* ---- text ------------------------------------------------------------------------------------ */

/* A growing text. */
struct text {
    char *p;
    size_t n, cap;
};

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

static void put(struct text *t, char ch)
{
    if (t->n + 1 >= t->cap) {
        t->cap = 2 * t->cap + 64;
        t->p = need(realloc(t->p, t->cap));
    }
    t->p[t->n++] = ch;
    t->p[t->n] = '\0';
}

static void put_text(struct text *t, const char *s)
{
    for (; *s; s++)
        put(t, *s);
}

static void put_octet(struct text *t, unsigned char octet)
{
    static const char digits[] = "0123456789abcdef";
    if (octet == '\\') {
        put_text(t, "\\\\");
    } else if (octet < ' ' || octet > '~') {
        put_text(t, "\\x");
        put(t, digits[octet >> 4]);
        put(t, digits[octet & 15]);
    } else {
        put(t, (char)octet);
    }
}

/* From malloc; "" for nothing. */
static char *taken(struct text *t)
{
    if (!t->p)
        t->p = need(calloc(1, 1));
    return t->p;
}

enum form { AS_IS, LOWER, UPPER, SPACES, NUMBER };

/* The octets of a member, printable; NULL where it is no text. */
static char *printable(const json_t *v, enum form form)
{
    struct text t = {NULL, 0, 0};
    const json_t *hex = json_object_get(v, "hex");
    const char *p = json_string_value(hex ? hex : v);
    size_t n = json_string_length(hex ? hex : v);
    if (json_is_integer(v)) {
        char number[32];
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        put_text(&t, number);
        return taken(&t);
    }
    if (!p)
        return NULL;
    bool space = false;
    for (size_t i = 0; i < n; i += hex ? 2 : 1) {
        unsigned octet = (unsigned char)p[i];
        if (hex)
            sscanf(p + i, "%2x", &octet);
        if (form == SPACES && strchr(" \t\r\n", (int)octet) && octet) {
            space = true;
            continue;
        }
        if (space && t.n > 0 && octet != ',' && t.p[t.n - 1] != ',')
            put(&t, ' ');
        space = false;
        put_octet(&t, (unsigned char)(form == LOWER && octet < 128   ? tolower((int)octet)
                                      : form == UPPER && octet < 128 ? toupper((int)octet)
                                                                     : (int)octet));
    }
    return taken(&t);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Digits without leading zeros: one that is larger than a number of JSON comes as text. */
static void drop_zeros(char *text)
{
    size_t zeros = strspn(text, "0");
    if (zeros && !text[strspn(text, "0123456789")]) {
        zeros -= !text[zeros];
        memmove(text, text + zeros, strlen(text + zeros) + 1);
    }
}

static void set(json_t *o, const char *row, const char *text)
{
    json_object_set_new(o, row, json_string(text));
}

/* A row from a member: nothing where it is absent, "(none)" where it is null. */
static void set_member(json_t *o, const char *row, const json_t *from, const char *key,
                       enum form form)
{
    const json_t *v = json_object_get(from, key);
    char *text = v ? printable(v, form) : NULL;
    if (text && form == NUMBER)
        drop_zeros(text);
    if (text || json_is_null(v))
        set(o, row, text ? text : none);
    free(text);
}

static void set_number(json_t *o, const char *row, size_t number)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", number);
    set(o, row, text);
}

static void lower_scheme(char *text)
{
    size_t n = text ? strcspn(text, ":") : 0;
    for (size_t i = 0; i < n && text[n]; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
}

/* A SIP URI that nobody took apart is without its parameters, its host in lower case, and its port
 * without leading zeros, too. */
static void normalize(char *text)
{
    char *at = strchr(text, '@'), *scheme = strchr(text, ':');
    at = at ? at : text;
    at[strcspn(at, ";?")] = '\0';
    char *port = strrchr(at, ':'), *p;
    for (p = at; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    if (port && port != scheme)
        drop_zeros(port + 1);
}

/* Where a stack took a SIP URI apart, its parts joined again, else its text: so what a stack prints
 * in another order is no difference. Parameters do not count. */
static void set_uri(json_t *o, const char *row, const json_t *u)
{
    char *scheme = printable(json_object_get(u, "scheme"), LOWER);
    char *host = printable(json_object_get(u, "host"), LOWER);
    bool sip = scheme && (strcmp(scheme, "sip") == 0 || strcmp(scheme, "sips") == 0);
    struct text t = {NULL, 0, 0};
    if (json_is_null(u)) {
        set(o, row, none);
    } else if (sip && host) {
        char *user = printable(json_object_get(u, "user"), AS_IS);
        char *password = printable(json_object_get(u, "password"), AS_IS);
        char *port = printable(json_object_get(u, "port"), AS_IS);
        put_text(&t, scheme);
        put(&t, ':');
        if (user) {
            put_text(&t, user);
            if (password)
                put(&t, ':'), put_text(&t, password);
            put(&t, '@');
        }
        put_text(&t, host);
        if (port)
            put(&t, ':'), put_text(&t, port);
        set(o, row, taken(&t));
        free(user);
        free(password);
        free(port);
    } else if (!sip && json_object_get(u, "text")) {
        char *text = printable(json_object_get(u, "text"), AS_IS);
        lower_scheme(text);
        if (text && !scheme && (strncmp(text, "sip:", 4) == 0 || strncmp(text, "sips:", 5) == 0))
            normalize(text);
        set(o, row, text ? text : none);
        free(text);
    }
    free(t.p);
    free(scheme);
    free(host);
}

/* A display name without its quotes and escapes: some stacks keep them, some do not. */
static void set_display(json_t *o, const char *row, const json_t *address)
{
    json_t *v = json_object_get(address, "display");
    char *text = v ? printable(v, SPACES) : NULL;
    size_t n = text ? strlen(text) : 0;
    if (text && n >= 2 && text[0] == '"' && text[n - 1] == '"') {
        char *to = text;
        for (size_t i = 1; i + 1 < n; i++) {
            if (text[i] == '\\' && text[i + 1] == '\\' && i + 3 < n) {
                i += 2; /* a backslash is printed twice; what it escapes follows */
                if (text[i] == '\\')
                    *to++ = '\\', i++;
            }
            *to++ = text[i];
        }
        *to = '\0';
    }
    if (v)
        set(o, row, text && *text ? text : none);
    free(text);
}

static void set_address(json_t *o, const char *who, const json_t *address)
{
    char row[32];
    if (json_is_object(address)) {
        snprintf(row, sizeof row, "%s display", who);
        set_display(o, row, address);
        snprintf(row, sizeof row, "%s uri", who);
        set_uri(o, row, json_object_get(address, "uri"));
        snprintf(row, sizeof row, "%s tag", who);
        set_member(o, row, address, "tag", AS_IS);
    }
}

/* How many there are, and the URI of the first. */
static void set_addresses(json_t *o, const char *who, const json_t *array)
{
    char row[32];
    const json_t *first = json_array_get(array, 0);
    if (!array)
        return;
    snprintf(row, sizeof row, "%ss", who);
    set_number(o, row, json_array_size(array));
    snprintf(row, sizeof row, "%s uri", who);
    if (json_is_string(first))
        set(o, row, json_string_value(first));
    else if (first)
        set_uri(o, row, json_object_get(first, "uri"));
}

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    return strcmp(*x, *y);
}

/* A header field's name in full and lower case, from malloc. */
static char *field_name(const json_t *field)
{
    char *name = printable(json_object_get(field, "name"), LOWER);
    if (!name)
        return need(strdup(""));
    const char *full =
        sipws_field_info(sipws_field_find((struct sipws_str){name, strlen(name)}))->name;
    if (*full) {
        free(name);
        name = need(strdup(full));
        for (char *p = name; *p; p++)
            *p = (char)tolower((unsigned char)*p);
    }
    return name;
}

/* Those that have rows of their own, by type. */
static bool is_typed(const char *name)
{
    static const char *const typed[] = {"via",   "from",         "to",      "call-id",       "cseq",
                                        "route", "record-route", "contact", "content-length"};
    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++)
        if (strcmp(name, typed[i]) == 0)
            return true;
    return false;
}

/* The names that there are, each once; and a row for each field that is not typed, all its values
 * joined. */
static void set_fields(json_t *o, const json_t *fields)
{
    size_t n = json_array_size(fields), i;
    json_t *f;
    if (!fields)
        return;
    char **names = need(calloc(n + 1, sizeof *names));
    json_array_foreach((json_t *)(uintptr_t)fields, i, f)
    {
        char *raw = printable(json_object_get(f, "raw"), SPACES);
        names[i] = field_name(f);
        if (raw && !is_typed(names[i])) {
            const char *before = json_string_value(json_object_get(o, names[i]));
            struct text t = {NULL, 0, 0};
            if (before)
                put_text(&t, before), put(&t, ',');
            put_text(&t, raw);
            set(o, names[i], taken(&t));
            free(t.p);
        }
        free(raw);
    }
    qsort(names, n, sizeof *names, by_name);
    struct text t = {NULL, 0, 0};
    for (i = 0; i < n; i++)
        if (i == 0 || strcmp(names[i], names[i - 1]) != 0) {
            put_text(&t, t.n ? " " : "");
            for (const char *s = *names[i] ? names[i] : "\\x"; *s; s++)
                put_text(&t, *s == ' ' ? "\\x20" : (const char[2]){*s, '\0'});
        }
    set(o, "header names", taken(&t));
    free(t.p);
    for (i = 0; i < n; i++)
        free(names[i]);
    free(names);
}

/* The octets of a body, from malloc. */
static char *octets_of(const json_t *v, size_t *n)
{
    const json_t *hex = json_object_get(v, "hex");
    const char *p = json_string_value(hex ? hex : v);
    *n = json_string_length(hex ? hex : v) / (hex ? 2 : 1);
    char *out = need(malloc(*n + 1));
    for (size_t i = 0; i < *n; i++) {
        unsigned octet = (unsigned char)p[i];
        if (hex)
            sscanf(p + 2 * i, "%2x", &octet);
        out[i] = (char)octet;
    }
    return out;
}

/* A span: how long it is, and where in the message it stands. */
static void set_body(json_t *o, const json_t *body, const char *p, size_t n)
{
    size_t body_n;
    if (!body)
        return;
    char *octets = octets_of(body, &body_n);
    set_number(o, "body length", body_n);
    /* The last place: a body may begin with what the header has too. */
    size_t at = n + 1;
    for (size_t i = body_n <= n ? n - body_n + 1 : 0; body_n && i-- > 0 && at > n;)
        if (memcmp(p + i, octets, body_n) == 0)
            at = i;
    if (body_n && at <= n)
        set_number(o, "body at", at);
    else if (body_n)
        set(o, "body at", "nowhere");
    free(octets);
}

/* text 5, ping 0, close 1000. */
static void set_events(json_t *o, const json_t *reading)
{
    const json_t *events = json_object_get(reading, "events");
    size_t i;
    json_t *e;
    struct text kinds = {NULL, 0, 0}, data = {NULL, 0, 0};
    if (!events)
        return;
    json_array_foreach((json_t *)(uintptr_t)events, i, e)
    {
        char number[32];
        size_t n;
        char *octets = octets_of(json_object_get(e, "data"), &n);
        const json_t *code = json_object_get(e, "code");
        snprintf(number, sizeof number, " %lld",
                 json_is_integer(code) ? (long long)json_integer_value(code) : (long long)n);
        put_text(&kinds, i ? ", " : "");
        put_text(&kinds, json_string_value(json_object_get(e, "event")));
        put_text(&kinds, json_is_null(code) ? "" : number);
        for (size_t k = 0; k < n; k++)
            put_octet(&data, (unsigned char)octets[k]);
        put(&data, '|');
        free(octets);
    }
    set(o, "events", taken(&kinds));
    set(o, "data", taken(&data));
    free(kinds.p);
    free(data.p);
}

json_t *rows_of(const json_t *reading, const char *p, size_t n)
{
    json_t *o = json_object();
    const json_t *request = json_object_get(reading, "request"),
                 *handshake = json_object_get(reading, "handshake"),
                 *vias = json_object_get(reading, "via"), *via = json_array_get(vias, 0),
                 *cseq = json_object_get(reading, "cseq");
    set_member(o, "method", request, "method", AS_IS);
    if (json_object_get(request, "uri"))
        set_uri(o, "request-uri", json_object_get(request, "uri"));
    set_member(o, "status", json_object_get(reading, "response"), "status", AS_IS);
    set_fields(o, json_object_get(reading, "fields"));
    if (vias)
        set_number(o, "vias", json_array_size(vias));
    set_member(o, "via transport", via, "transport", UPPER);
    set_member(o, "via host", via, "host", LOWER);
    set_member(o, "via port", via, "port", NUMBER);
    set_member(o, "via branch", via, "branch", AS_IS);
    set_address(o, "from", json_object_get(reading, "from"));
    set_address(o, "to", json_object_get(reading, "to"));
    set_addresses(o, "contact", json_object_get(reading, "contact"));
    set_addresses(o, "route", json_object_get(reading, "route"));
    set_addresses(o, "record-route", json_object_get(reading, "record-route"));
    set_member(o, "call-id", reading, "call-id", AS_IS);
    set_member(o, "cseq number", cseq, "number", NUMBER);
    set_member(o, "cseq method", cseq, "method", AS_IS);
    set_member(o, "content-length", reading, "content-length", NUMBER);
    set_body(o, json_object_get(reading, "body"), p, n);
    set_events(o, reading);
    set_member(o, "close", reading, "close", AS_IS);
    set_member(o, "subprotocol", handshake, "subprotocol", AS_IS);
    set_member(o, "key", handshake, "key", AS_IS);
    set_member(o, "extensions", handshake, "extensions", AS_IS);
    return o;
}

/* ---- findings -------------------------------------------------------------------------------- */

const char *said_row(const struct said *s, const char *row)
{
    return json_string_value(json_object_get(s->rows, row));
}

/* Without escapes, white space, quotes and backslashes, as asked for; from malloc. */
static char *stripped(const char *s, bool escapes, const char *drop)
{
    char *out = need(malloc(strlen(s) + 1)), *o = out;
    for (; *s; s++) {
        unsigned octet;
        if (escapes && s[0] == '%' && isxdigit((unsigned char)s[1]) &&
            isxdigit((unsigned char)s[2]) && sscanf(s + 1, "%2x", &octet) == 1 && octet) {
            *o++ = (char)octet;
            s += 2;
        } else if (!strchr(drop, *s)) {
            *o++ = *s;
        }
    }
    *o = '\0';
    return out;
}

static bool same_without(const char *a, const char *b, bool escapes, const char *drop)
{
    char *x = stripped(a, escapes, drop), *y = stripped(b, escapes, drop);
    bool same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}

const char *reading_kind(const char *a, const char *b)
{
    size_t n = strlen(a), k = strlen(b);
    if (strcmp(b, none) == 0)
        return "missing";
    if (strcmp(a, none) == 0)
        return "extra";
    if (n && k && strspn(a, "-0123456789") == n && strspn(b, "-0123456789") == k)
        return strtoll(a, NULL, 10) < strtoll(b, NULL, 10) ? "more" : "less";
    if (strcasecmp(a, b) == 0)
        return "case";
    if (same_without(a, b, true, ""))
        return "escapes";
    if (same_without(a, b, false, " "))
        return "space";
    if (same_without(a, b, false, "\"\\ "))
        return "quotes";
    if (k < n && strncmp(a, b, k) == 0)
        return "cut at the end";
    if (k < n && strcmp(a + n - k, b) == 0)
        return "cut at the start";
    if (n < k && strncmp(a, b, n) == 0)
        return "longer";
    return "other";
}

/* Whether a list of names with spaces between them has the n octets at `name`. */
static bool has_name(const char *list, const char *name, size_t n)
{
    for (const char *at = list; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (len == n && memcmp(at, name, n) == 0)
            return true;
        at += len;
    }
    return false;
}

static json_t *finding(const char *layer, const char *field, const char *kind)
{
    return json_pack("{s:s, s:s, s:s, s:[], s:[], s:{}}", "layer", layer, "field", field, "kind",
                     kind, "peers", "against", "readings");
}

static void add_name(json_t *f, const char *key, const struct said *s)
{
    json_array_append_new(json_object_get(f, key), json_string(s->peer->name));
}

static void add_reading(json_t *f, const struct said *s, const char *text)
{
    json_object_set_new(json_object_get(f, "readings"), s->peer->name, json_string(text));
}

/* Who is held against others in a row: nobody whose verdict on a stream is another than ref's,
 * since what follows there differs of necessity. */
static const char *compared(const struct said *said, size_t i, const char *row)
{
    if (strcmp(row_layer(row), "frames") == 0 && said[i].answer.verdict != said[0].answer.verdict)
        return NULL;
    return said_row(&said[i], row);
}

/* Whose reading of a row the others are held against: ref's, or that of the first who has an
 * opinion where ref has none; n: nobody. */
static size_t base_of(const struct said *said, size_t n, const char *row)
{
    size_t base = 0;
    while (base < n && !compared(said, base, row))
        base++;
    return base;
}

/* The id of the error with which ref refuses. */
static int error_of(const struct said *said, const char **id)
{
    *id = said[0].answer.reason ? said[0].answer.reason : "";
    return (int)strcspn(*id, " ");
}

/* As ref's "contested" has it. */
const char *row_source(const char *row)
{
    static const struct {
        const char *start, *source;
    } sources[] = {{"method", "start"},
                   {"request-uri", "start"},
                   {"status", "start"},
                   {"header ", "header"},
                   {"via", "via"},
                   {"from ", "from"},
                   {"to ", "to"},
                   {"cseq ", "cseq"},
                   {"contact", "contact"},
                   {"route", "route"},
                   {"record-route", "record-route"},
                   {"body ", "body"}};
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strncmp(row, sources[i].start, strlen(sources[i].start)) == 0)
            return sources[i].source;
    return row;
}

/* The error that contests a source, or NULL. */
static const char *contest(const struct said *said, const char *source, size_t n)
{
    const json_t *all = json_object_get(said[0].answer.reading, "contested"), *v;
    const char *key;
    json_object_foreach((json_t *)(uintptr_t)all, key, v)
    {
        if (strlen(key) == n && strncasecmp(key, source, n) == 0)
            return json_string_value(v);
    }
    return NULL;
}

/* The error that contests a row: of what it is read from, of the header, or of the message. */
static int contest_of(const struct said *said, const char *row, const char **id)
{
    const char *source = row_source(row);
    *id = contest(said, source, strlen(source));
    *id = *id ? *id : contest(said, "header", 6);
    return *id ? (int)strlen(*id) : error_of(said, id);
}

/* Header names are a set: a finding for each name that some lack, or have. Those that no RFC of
 * ref's names are one kind. */
static void compare_names(json_t *all, const struct said *said, size_t n)
{
    static const char row[] = "header names";
    size_t base = base_of(said, n, row);
    if (base == n)
        return;
    json_t *done = json_object();
    for (size_t i = 0; i < n; i++) {
        const char *names = compared(said, i, row);
        for (const char *at = names ? names : ""; *at; at += strspn(at, " ")) {
            size_t len = strcspn(at, " ");
            bool there = has_name(compared(said, base, row), at, len);
            bool known = sipws_field_find((struct sipws_str){at, len}) != SIPWS_F_EXTENSION;
            char kind[64];
            const char *error = there ? contest(said, at, len) : NULL;
            if (error)
                snprintf(kind, sizeof kind, "drops %s", error);
            else
                snprintf(kind, sizeof kind, "%s %.*s", there ? "lacks" : "has",
                         known ? (int)len : 13, known ? at : "another name");
            json_t *f = NULL;
            for (size_t k = 0; !json_object_getn(done, at, len) && k < n; k++) {
                const char *other = compared(said, k, row);
                if (!other || has_name(other, at, len) == there)
                    continue;
                f = f ? f : finding("message", row, kind);
                add_name(f, "peers", &said[k]);
                add_reading(f, &said[k], other);
            }
            json_object_setn_new(done, at, len, json_true());
            if (f) {
                add_name(f, "against", &said[base]);
                add_reading(f, &said[base], compared(said, base, row));
                json_array_append_new(all, f);
            }
            at += len;
        }
    }
    json_decref(done);
}

/* Where ref refuses, no reading is right, and none is the one to hold others against: those who
 * take the message anyway agree, or are split. */
static void compare_split(json_t *all, const struct said *said, size_t n, const char *row)
{
    const char *first = NULL, *id;
    bool split = false;
    char kind[64];
    for (size_t i = 0; i < n; i++) {
        const char *text = said_row(&said[i], row);
        split = split || (text && first && strcmp(text, first) != 0);
        first = first ? first : text;
    }
    if (!split)
        return;
    int len = contest_of(said, row, &id);
    snprintf(kind, sizeof kind, "split on %.*s", len, id);
    json_t *f = finding(row_layer(row), row, kind);
    for (size_t i = 0; i < n; i++)
        if (said_row(&said[i], row)) {
            add_name(f, "peers", &said[i]);
            add_reading(f, &said[i], said_row(&said[i], row));
        }
    json_array_append_new(all, f);
}

/* Who differs from ref in a row, a finding for each other reading of it. */
static void compare_row(json_t *all, const struct said *said, size_t n, const char *row)
{
    if (said[0].answer.verdict != ANSWER_ACCEPT && !compared(said, 0, row)) {
        compare_split(all, said, n, row);
        return;
    }
    size_t base = base_of(said, n, row);
    if (strcmp(row, "header names") == 0) {
        compare_names(all, said, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text = compared(said, i, row), *want = text ? compared(said, base, row) : "";
        bool first = text && strcmp(text, want) != 0;
        for (size_t k = 0; first && k < i; k++) {
            const char *other = compared(said, k, row);
            first = !other || strcmp(other, text) != 0;
        }
        if (!first)
            continue;
        json_t *f = finding(row_layer(row), row, reading_kind(want, text));
        for (size_t k = 0; k < n; k++) {
            const char *other = compared(said, k, row);
            if (other && strcmp(other, text) == 0)
                add_name(f, "peers", &said[k]), add_reading(f, &said[k], other);
            else if (other && strcmp(other, want) == 0)
                add_name(f, "against", &said[k]), add_reading(f, &said[k], other);
        }
        json_array_append_new(all, f);
    }
}

void refusal_class(const char *reason, bool is_ref, char *out, size_t cap)
{
    size_t n = 0;
    char quote = '\0';
    if (is_ref) {
        snprintf(out, cap, "%.*s", reason ? (int)strcspn(reason, " ") : 0, reason ? reason : "");
        return;
    }
    for (const char *s = reason ? reason : ""; *s && n + 1 < cap && n < 60; s++) {
        /* From there on it is the message's own octets, as in "no tag in [...]" and "(Tag): ...".
         */
        if (strchr("[<\n", *s) || (s > reason + 2 && strncmp(s - 2, "): ", 3) == 0 && s[-3] != '('))
            break;
        if (quote) {
            quote = *s == quote ? '\0' : quote;
            continue;
        }
        /* An apostrophe in a word is none. */
        if (*s == '"' || *s == '`' ||
            (*s == '\'' && (s == reason || !isalpha((unsigned char)s[-1]))))
            quote = *s == '`' ? '`' : *s;
        else if (isdigit((unsigned char)*s)) {
            if (n == 0 || out[n - 1] != 'N')
                out[n++] = 'N';
        } else if (*s >= ' ' && *s <= '~')
            out[n++] = *s;
    }
    out[n] = '\0';
}

static void verdict_reading(json_t *f, const struct said *s)
{
    char text[300];
    snprintf(text, sizeof text, "%s%s%s", answer_name(s->answer.verdict),
             s->answer.reason ? ": " : "", s->answer.reason ? s->answer.reason : "");
    add_reading(f, s, text);
}

static void add_verdicts(json_t *all, json_t *f, const struct said *said, const char *grammar)
{
    add_name(f, "against", &said[0]);
    verdict_reading(f, &said[0]);
    if (grammar)
        json_object_set_new(f, "grammar", json_string(grammar));
    json_array_append_new(all, f);
}

static void compare_verdicts(json_t *all, const struct said *said, size_t n, const char *grammar)
{
    enum answer_verdict ref = said[0].answer.verdict;
    char kind[128], class[96];
    const char *layer = said[0].peer->layer == PEER_HTTP ? "handshake" : "message";
    json_t *takes = NULL;
    for (size_t i = 0; i < n; i++) {
        enum answer_verdict v = said[i].answer.verdict;
        json_t *f = NULL;
        if (v == ANSWER_CRASH || v == ANSWER_HANG) {
            refusal_class(said[i].answer.reason, false, class, sizeof class);
            snprintf(kind, sizeof kind, "%s: %s", answer_name(v), class);
        } else if (i == 0) {
            continue;
        } else if (ref == ANSWER_ACCEPT && v == ANSWER_REFUSE) {
            refusal_class(said[i].answer.reason, false, class, sizeof class);
            snprintf(kind, sizeof kind, "refuses: %s", class);
        } else if (ref == ANSWER_REFUSE && v == ANSWER_ACCEPT) {
            /* ref's reason is the class; everybody who takes it stands in one finding. */
            const char *id;
            int len = error_of(said, &id);
            snprintf(kind, sizeof kind, "takes %.*s", len, id);
            if (!takes)
                takes = finding(layer, "verdict", kind);
            add_name(takes, "peers", &said[i]);
            verdict_reading(takes, &said[i]);
            continue;
        } else {
            continue;
        }
        f = finding(layer, "verdict", kind);
        add_name(f, "peers", &said[i]);
        verdict_reading(f, &said[i]);
        add_verdicts(all, f, said, grammar);
    }
    if (takes)
        add_verdicts(all, takes, said, grammar);
}

/* Each finding on a message that ref refuses says so. */
static void add_error(json_t *all, const struct said *said)
{
    const char *id;
    int len = error_of(said, &id);
    if (said[0].answer.verdict != ANSWER_REFUSE)
        return;
    for (size_t i = 0; i < json_array_size(all); i++)
        json_object_set_new(json_array_get(all, i), "error", json_stringn(id, (size_t)len));
}

json_t *findings_of(const struct said *said, size_t n, const char *grammar)
{
    json_t *all = json_array(), *others = json_object();
    const char *row;
    json_t *v;
    compare_verdicts(all, said, n, grammar);
    for (const struct row *r = rows; r->name; r++)
        compare_row(all, said, n, r->name);
    for (size_t i = 0; i < n; i++)
        json_object_update_missing(others, said[i].rows);
    json_object_foreach(others, row, v)
    {
        bool known = false;
        for (const struct row *r = rows; r->name; r++)
            known = known || strcmp(r->name, row) == 0;
        if (!known)
            compare_row(all, said, n, row);
    }
    json_decref(others);
    add_error(all, said);
    return all;
}
