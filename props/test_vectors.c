/* The vectors of corpus/vectors: a strict loader, and every case against ref.
 *
 * corpus/vectors/README.md describes the format. Groups named rfcNNNN judge messages that
 * corpus/import-rfc takes from a copy of that RFC, which is looked for in $SIPWS_RFC_DIR and in
 * ../shared/spec beside the checkout; without one, the group is skipped.
 *
 * Input lies in memory of exactly its size, so that AddressSanitizer sees a read past its end, and
 * streams are fed whole, octet by octet, and in sevens.
 */
#define _POSIX_C_SOURCE 200809L
#include "http.h"
#include "msg.h"
#include "ws.h"

#include <jansson.h>

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { PATH_CAP = 1024, FIELDS = 256, DIAGS = 16, REASONS_SHOWN = 8 };

/* ---- octets ---------------------------------------------------------------------------------- */

struct octets {
    char *p; /* of exactly n octets */
    size_t n;
};

static void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(2);
    }
    return p;
}

/* All that octets() gave and nobody took back: a complaint jumps over those who would. */
static struct held {
    struct held *next;
    char *p;
} * held;

static void take_back(struct octets *o)
{
    struct held **at = &held;
    while ((*at)->p != o->p)
        at = &(*at)->next;
    struct held *h = *at;
    *at = h->next;
    free(h->p);
    free(h);
}

static void take_all_back(void)
{
    while (held)
        take_back(&(struct octets){held->p, 0});
}

static struct octets octets(const void *p, size_t n)
{
    struct octets o = {need(malloc(n ? n : 1)), n};
    struct held *h = need(malloc(sizeof *h));
    *h = (struct held){held, o.p};
    held = h;
    /* With n == 0 there is nothing to copy, and one octet that ASan cannot guard. */
    if (n)
        memcpy(o.p, p, n);
    else
        *o.p = 'X';
    return o;
}

/* [at, at + cut) becomes p[n]. */
static void splice(struct octets *o, size_t at, size_t cut, const void *p, size_t n)
{
    char *all = need(malloc(o->n - cut + n + 1));
    memcpy(all, o->p, at);
    if (n)
        memcpy(all + at, p, n);
    memcpy(all + at + n, o->p + at + cut, o->n - at - cut);
    struct octets new = octets(all, o->n - cut + n);
    free(all);
    take_back(o);
    *o = new;
}

static void append(struct octets *o, const void *p, size_t n)
{
    splice(o, o->n, 0, p, n);
}

static void append_times(struct octets *o, const struct octets *once, size_t times)
{
    char *all = need(malloc(once->n * times + 1));
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * once->n, once->p, once->n);
    append(o, all, once->n * times);
    free(all);
}

static int hex_digit(char ch)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = ch ? strchr(digits, ch) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* ---- the loader ------------------------------------------------------------------------------ */

struct group {
    const char *name;
    json_t *root;
    const char *dir; /* of the files of an RFC, or NULL */
};

/* Where the loader stands, for its complaints; and what it does with them. */
static char where[256];
static char complaint[512];
static jmp_buf refused;

/* What is wrong with a file of vectors. The first complaint ends the loading. */
static _Noreturn void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(complaint, sizeof complaint, format, args);
    va_end(args);
    longjmp(refused, 1);
}

/* Every key of `o` stands in `keys`, words separated by spaces. Those marked ! must be there. */
static void check_keys(json_t *o, const char *keys)
{
    const char *key;
    json_t *value;
    char padded[64], list[512];
    if (!json_is_object(o))
        complain("an object is wanted where there is none");
    snprintf(list, sizeof list, " %s ", keys);
    json_object_foreach(o, key, value)
    {
        snprintf(padded, sizeof padded, " %s ", key);
        const char *plain = strstr(list, padded);
        snprintf(padded, sizeof padded, " %s! ", key);
        if (!plain && !strstr(list, padded))
            complain("unknown key \"%s\"", key);
    }
    for (char *word = strtok(list, " "); word; word = strtok(NULL, " ")) {
        size_t n = strlen(word);
        if (word[n - 1] != '!')
            continue;
        word[n - 1] = '\0';
        if (!json_object_get(o, word))
            complain("the key \"%s\" is missing", word);
    }
}

static const char *text_of(json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    if (!json_is_string(v) || json_string_length(v) == 0 ||
        strlen(json_string_value(v)) != json_string_length(v))
        complain("\"%s\" is not a text", key);
    return json_string_value(v);
}

static size_t number_of(json_t *o, const char *key)
{
    json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        complain("\"%s\" is not a number from 0 on", key);
    return (size_t)json_integer_value(v);
}

/* One of the words of `choice`. */
static const char *choice_of(json_t *o, const char *key, const char *choice)
{
    char padded[64], list[256];
    const char *v = text_of(o, key);
    snprintf(list, sizeof list, " %s ", choice);
    snprintf(padded, sizeof padded, " %s ", v);
    if (strchr(v, ' ') || !strstr(list, padded))
        complain("\"%s\" is none of: %s", key, choice);
    return v;
}

static const struct sipws_err_info *reason_info(const char *reason)
{
    for (unsigned i = SIPWS_OK + 1; i < SIPWS_ERR_COUNT; i++)
        if (strcmp(sipws_err_info((enum sipws_err)i)->id, reason) == 0)
            return sipws_err_info((enum sipws_err)i);
    complain("\"%s\" is not the id of an error", reason);
}

static void append_hex(struct octets *o, const char *s)
{
    for (; *s; s++) {
        if (*s == ' ')
            continue;
        int high = hex_digit(s[0]), low = s[1] ? hex_digit(s[1]) : -1;
        if (high < 0 || low < 0)
            complain("\"hex\" is not pairs of hexadecimal digits in lower case");
        char octet = (char)(high << 4 | low);
        append(o, &octet, 1);
        s++;
    }
}

static void append_string(struct octets *o, json_t *v)
{
    if (!json_is_string(v))
        complain("a string is wanted where there is none");
    append(o, json_string_value(v), json_string_length(v));
}

/* {"text"} or {"hex"}, each perhaps with "times". */
static void append_piece(struct octets *o, json_t *piece)
{
    struct octets once = octets(NULL, 0);
    bool is_text = json_object_get(piece, "text") != NULL;
    check_keys(piece, is_text ? "text! times" : "hex! times");
    if (is_text)
        append_string(&once, json_object_get(piece, "text"));
    else
        append_hex(&once,
                   json_string_length(json_object_get(piece, "hex")) ? text_of(piece, "hex") : "");
    size_t times = json_object_get(piece, "times") ? number_of(piece, "times") : 1;
    append_times(o, &once, times);
    take_back(&once);
}

static struct octets input_of(json_t *input)
{
    struct octets o = octets(NULL, 0);
    size_t i;
    json_t *v;
    if (json_object_get(input, "parts")) {
        check_keys(input, "parts!");
        json_array_foreach(json_object_get(input, "parts"), i, v) append_piece(&o, v);
    } else if (json_object_get(input, "lines")) {
        check_keys(input, "lines! body");
        json_array_foreach(json_object_get(input, "lines"), i, v)
        {
            append_string(&o, v);
            append(&o, "\r\n", 2);
        }
        append(&o, "\r\n", 2);
        if (json_object_get(input, "body"))
            append_string(&o, json_object_get(input, "body"));
    } else {
        append_piece(&o, input);
    }
    return o;
}

static bool read_file(const char *path, struct octets *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    char buf[4096];
    size_t n;
    *out = octets(NULL, 0);
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        append(out, buf, n);
    bool ok = !ferror(f);
    fclose(f);
    return ok;
}

/* Each LF becomes CRLF, and the empty line behind the header is put where it is missing. */
static void mend_line_ends(struct octets *o)
{
    bool blank = false;
    for (size_t i = 0; i < o->n; i++)
        if (o->p[i] == '\n')
            splice(o, i++, 0, "\r", 1);
    for (size_t i = 0; i + 4 <= o->n; i++)
        blank = blank || memcmp(o->p + i, "\r\n\r\n", 4) == 0;
    if (!blank)
        append(o, "\r\n", 2);
}

/* The octets of a case: its input, or its file with what the case does to it. */
static struct octets octets_of(const struct group *g, json_t *c)
{
    if (!g->dir)
        return input_of(json_object_get(c, "input"));
    char path[PATH_CAP];
    struct octets o;
    size_t i;
    json_t *e;
    snprintf(path, sizeof path, "%s/%s", g->dir, text_of(c, "file"));
    if (!read_file(path, &o))
        complain("no file %s", path);
    if (json_object_get(c, "lines"))
        mend_line_ends(&o);
    json_array_foreach(json_object_get(c, "edit"), i, e)
    {
        check_keys(e, "at! cut! put!");
        struct octets put = octets(NULL, 0);
        size_t at = number_of(e, "at"), cut = number_of(e, "cut");
        append_string(&put, json_object_get(e, "put"));
        if (at > o.n || cut > o.n - at)
            complain("the edit is outside of the file");
        splice(&o, at, cut, put.p, put.n);
        take_back(&put);
    }
    return o;
}

/* "here" is what stands at "offset": {"hex"} or a string; "" is the end. */
static void check_here(json_t *e, const struct octets *o)
{
    json_t *here = json_object_get(e, "here");
    size_t at = number_of(e, "offset");
    if (at > o->n)
        complain("\"offset\" is behind the end of the input");
    if (!here)
        return;
    struct octets want = octets(NULL, 0);
    if (json_is_object(here))
        append_piece(&want, here);
    else
        append_string(&want, here);
    bool same = want.n ? want.n <= o->n - at && memcmp(o->p + at, want.p, want.n) == 0 : at == o->n;
    take_back(&want);
    if (!same)
        complain("\"here\" does not stand at \"offset\"");
}

static void check_reason(json_t *e, const struct octets *o)
{
    reason_info(text_of(e, "reason"));
    check_here(e, o);
}

static void check_citation(json_t *e)
{
    const char *rfc = text_of(e, "rfc");
    text_of(e, "why");
    if (strspn(rfc, "0123456789") != 4 || rfc[4] != ' ' || !rfc[5])
        complain("\"rfc\" is not a number and a section, as in \"3261 20.14\"");
}

static bool is_valid(json_t *expect)
{
    size_t i;
    json_t *e;
    json_array_foreach(expect, i,
                       e) if (strcmp(text_of(e, "verdict"), "invalid") == 0) return false;
    return true;
}

static void check_expect(const struct group *g, json_t *c, const char *layer,
                         const struct octets *o)
{
    json_t *expect = json_object_get(c, "expect"), *e, *w;
    bool ws = strcmp(layer, "ws") == 0, http = strcmp(layer, "http") == 0;
    size_t i, k;
    if (!json_is_array(expect) || json_array_size(expect) == 0)
        complain("\"expect\" is empty");
    json_array_foreach(expect, i, e)
    {
        bool valid = strcmp(choice_of(e, "verdict", "valid invalid"), "valid") == 0;
        if (ws)
            check_keys(e, valid ? "verdict! events! rfc! why!"
                                : "verdict! events! reason! offset! here! rfc! why!");
        else if (http)
            check_keys(e, valid ? "verdict! reading rest rfc! why!"
                                : "verdict! reason! offset! here rfc! why!");
        else
            check_keys(e, valid ? "verdict! warnings rfc! why!"
                                : "verdict! reason! offset! here rfc! why!");
        check_citation(e);
        if (!valid)
            check_reason(e, o);
        if (!valid && !g->dir && !json_object_get(e, "here"))
            complain("the key \"here\" is missing");
        json_array_foreach(json_object_get(e, "warnings"), k, w)
        {
            check_keys(w, "reason! offset! here!");
            check_reason(w, o);
            if (reason_info(text_of(w, "reason"))->severity == SIPWS_ERROR)
                complain("\"%s\" is no warning", text_of(w, "reason"));
        }
    }
}

static json_t *case_named(const struct group *g, const char *id)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(g->root, "cases"), i, c)
    {
        json_t *v = json_object_get(c, "id");
        if (json_is_string(v) && strcmp(json_string_value(v), id) == 0)
            return c;
    }
    return NULL;
}

static void check_case(const struct group *g, json_t *c)
{
    const char *id = text_of(c, "id");
    snprintf(where, sizeof where, "%s", id);
    const char *layer = choice_of(c, "layer", "sip conn ws http");
    bool ws = strcmp(layer, "ws") == 0, http = strcmp(layer, "http") == 0;
    const char *common = "id! title! actor! layer! expect! level! twin flags! disputed note ";
    char keys[256];
    snprintf(keys, sizeof keys, "%s%s%s", common, g->dir ? "file! lines edit " : "input! ",
             ws     ? "limits"
             : http ? "limits key key_of"
                    : "transport! allow");
    check_keys(c, keys);
    text_of(c, "title");
    choice_of(c, "actor", ws || http ? "server client" : "any");
    choice_of(c, "level", "MUST SHOULD MAY");
    if (!ws && !http)
        choice_of(c, "transport", "any ws wss");
    if (json_object_get(c, "lines"))
        choice_of(c, "lines", "crlf");
    if (json_object_get(c, "disputed"))
        text_of(c, "disputed");
    if (case_named(g, id) != c)
        complain("another case has this id");
    if (strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(id))
        complain("an id has lower case letters, digits, hyphens and dots");

    struct octets o = octets_of(g, c);
    check_expect(g, c, layer, &o);
    take_back(&o);

    json_t *flags = json_object_get(g->root, "flags"), *f;
    size_t i;
    if (!json_is_array(json_object_get(c, "flags")))
        complain("\"flags\" is not an array");
    json_array_foreach(json_object_get(c, "flags"), i,
                       f) if (!json_is_string(f) || !json_object_get(flags, json_string_value(f)))
        complain("a flag is not explained at the top");

    bool valid = is_valid(json_object_get(c, "expect"));
    if (json_object_get(c, "twin")) {
        json_t *twin = case_named(g, text_of(c, "twin"));
        if (!twin || twin == c || !is_valid(json_object_get(twin, "expect")))
            complain("\"twin\" is not the id of a valid case");
    } else if (!valid && !g->dir) {
        complain("a case that is not valid has a twin");
    }
}

/* Complains unless all of the group is as the README says. */
static void check_group(const struct group *g)
{
    size_t i;
    json_t *c, *f;
    const char *key;
    snprintf(where, sizeof where, "%s", g->name);
    check_keys(g->root, "$schema! group! about! flags! cases!");
    if (strcmp(text_of(g->root, "group"), g->name) != 0)
        complain("\"group\" is not the name of the file");
    text_of(g->root, "about");
    json_object_foreach(json_object_get(g->root, "flags"), key, f)
    {
        check_keys(f, "bug! effect! links!");
        text_of(f, "bug");
        text_of(f, "effect");
    }
    if (!json_is_array(json_object_get(g->root, "cases")))
        complain("\"cases\" is not an array");
    json_array_foreach(json_object_get(g->root, "cases"), i, c) check_case(g, c);
}

/* The file to be judged instead of that of the corpus, or NULL. */
static const char *given;

static json_t *load(const char *name)
{
    char path[PATH_CAP];
    json_error_t error;
    snprintf(path, sizeof path, "%s/corpus/vectors/%s.json", SIPWS_ROOT, name);
    if (given)
        snprintf(path, sizeof path, "%s", given);
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (!root)
        fail_msg("%s:%d:%d: %s", path, error.line, error.column, error.text);
    return root;
}

/* ---- judging --------------------------------------------------------------------------------- */

/* What ref says of a case. */
struct got {
    bool valid;
    struct sipws_diag first; /* of what is not valid */
    struct sipws_diag diags[DIAGS];
    size_t n;
    struct octets *events; /* of ws, one JSON text each */
    size_t events_n;
    struct sipws_http http;
    size_t rest; /* octets behind the head */
    const char *feeding;
    char also[256]; /* why what was expected of its reading does not hold */
};

static uint32_t allow_of(json_t *c)
{
    static const char *const names[] = SIPWS_ALLOW_NAMES;
    uint32_t allow = 0;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(c, "allow"), i, v)
    {
        unsigned bit = 0;
        while (names[bit] && strcmp(names[bit], json_string_value(v)) != 0)
            bit++;
        if (!names[bit])
            complain("\"%s\" is not a leniency", json_string_value(v));
        allow |= UINT32_C(1) << bit;
    }
    return allow;
}

static struct sipws_limits limits_of(json_t *c)
{
    struct sipws_limits limits = SIPWS_LIMITS_DEFAULT;
    json_t *o = json_object_get(c, "limits");
    if (!o)
        return limits;
    check_keys(o, "head message fragments");
    if (json_object_get(o, "head"))
        limits.head = number_of(o, "head");
    if (json_object_get(o, "message"))
        limits.message = number_of(o, "message");
    if (json_object_get(o, "fragments"))
        limits.fragments = (uint32_t)number_of(o, "fragments");
    return limits;
}

static void judge_sip(json_t *c, const struct octets *o, struct got *got)
{
    static struct sipws_field fields[FIELDS];
    const char *over = text_of(c, "transport");
    enum sipws_transport transport = strcmp(over, "ws") == 0    ? SIPWS_TRANSPORT_WS
                                     : strcmp(over, "wss") == 0 ? SIPWS_TRANSPORT_WSS
                                                                : SIPWS_TRANSPORT_ANY;
    struct sipws_report r = sipws_report(got->diags, DIAGS);
    struct sipws_msg msg;
    uint32_t allow = allow_of(c);
    got->valid = sipws_msg_parse((struct sipws_str){o->p, o->n}, allow, fields, FIELDS, &msg, &r) &&
                 sipws_msg_check(&msg, transport, allow, &r);
    got->n = r.n;
    for (size_t i = r.n; i-- > 0;)
        if (sipws_err_info(r.p[i].err)->severity == SIPWS_ERROR)
            got->first = r.p[i];
}

/* One event of the reader as the JSON that a vector would have, but for its data. */
static json_t *event_json(const struct sipws_ws_event *ev, bool size_only)
{
    static const char *const names[] = {[SIPWS_WS_MESSAGE] = "message",
                                        [SIPWS_WS_PING] = "ping",
                                        [SIPWS_WS_PONG] = "pong",
                                        [SIPWS_WS_CLOSE] = "close"};
    json_t *e = json_pack("{s:s}", "event", names[ev->kind]);
    if (ev->kind == SIPWS_WS_MESSAGE)
        json_object_set_new(e, "binary", json_boolean(ev->binary));
    if (ev->kind == SIPWS_WS_CLOSE)
        json_object_set_new(e, "code", json_integer(ev->code));
    if (size_only) {
        json_object_set_new(e, "size", json_integer((json_int_t)ev->data.n));
        return e;
    }
    char *hex = need(malloc(2 * ev->data.n + 1));
    for (size_t i = 0; i < ev->data.n; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned char)ev->data.p[i]);
    hex[2 * ev->data.n] = '\0';
    json_object_set_new(e, "hex", json_string(hex));
    free(hex);
    return e;
}

/* The event with its data as hex. */
static json_t *event_normal(json_t *e)
{
    json_t *out = json_copy(e);
    json_t *text = json_object_get(e, "text");
    const char *kind = choice_of(e, "event", "message ping pong close");
    check_keys(e, strcmp(kind, "message") == 0 ? "event! binary! text hex size"
                  : strcmp(kind, "close") == 0 ? "event! code! text hex size"
                                               : "event! text hex size");
    if (text) {
        char *hex = need(malloc(2 * json_string_length(text) + 1));
        *hex = '\0';
        for (size_t i = 0; i < json_string_length(text); i++)
            snprintf(hex + 2 * i, 3, "%02x", (unsigned char)json_string_value(text)[i]);
        json_object_del(out, "text");
        json_object_set_new(out, "hex", json_string(hex));
        free(hex);
    }
    return out;
}

/* Reads the stream in pieces of `step` octets. False: the events differ, and got->also says how. */
static bool judge_ws(json_t *c, const struct octets *o, size_t step, json_t *want, struct got *got)
{
    struct sipws_limits limits = limits_of(c);
    enum sipws_role role = strcmp(text_of(c, "actor"), "server") == 0 ? SIPWS_SERVER : SIPWS_CLIENT;
    struct sipws_ws w;
    struct sipws_ws_event ev = {.kind = SIPWS_WS_MORE};
    struct octets buf = octets(NULL, 0);
    size_t seen = 0;
    append_times(&buf, &(struct octets){(char[]){" "}, 1}, limits.message);
    sipws_ws_init(&w, role, &limits, buf.p, buf.n);
    for (size_t at = 0; at < o->n && ev.kind != SIPWS_WS_ERROR;) {
        size_t n = step && step < o->n - at ? step : o->n - at;
        struct octets piece = octets(o->p + at, n);
        struct sipws_str in = {piece.p, piece.n};
        while (sipws_ws_read(&w, &in, &ev) != SIPWS_WS_MORE && ev.kind != SIPWS_WS_ERROR) {
            json_t *expected = json_array_get(want, seen);
            json_t *normal = expected ? event_normal(expected) : json_null();
            json_t *actual = event_json(&ev, json_object_get(expected, "size") != NULL);
            if (!json_equal(normal, actual) && !*got->also) {
                char *dump = json_dumps(actual, JSON_COMPACT);
                snprintf(got->also, sizeof got->also, "event %zu is %.200s", seen + 1, dump);
                free(dump);
            }
            json_decref(normal);
            json_decref(actual);
            seen++;
        }
        take_back(&piece);
        at += n;
    }
    if (ev.kind != SIPWS_WS_ERROR)
        sipws_ws_end(&w, &ev);
    take_back(&buf);
    got->valid = ev.kind != SIPWS_WS_ERROR;
    got->first = ev.diag;
    if (seen != json_array_size(want) && !*got->also)
        snprintf(got->also, sizeof got->also, "%zu events instead of %zu", seen,
                 json_array_size(want));
    return !*got->also;
}

static bool judge_head(const struct octets *o, size_t step, size_t limit, struct got *got,
                       size_t *head)
{
    struct sipws_head h;
    enum sipws_head_end end = SIPWS_HEAD_MORE;
    size_t at = 0;
    memset(&h, 0, sizeof h);
    while (at < o->n && end == SIPWS_HEAD_MORE) {
        size_t n = step && step < o->n - at ? step : o->n - at, used = 0;
        struct octets piece = octets(o->p + at, n);
        end = sipws_head_feed(&h, piece.p, n, limit, &used, &got->first);
        take_back(&piece);
        at += used;
        if (end == SIPWS_HEAD_MORE && used != n) {
            snprintf(got->also, sizeof got->also, "sipws_head_feed left octets without need");
            return false;
        }
    }
    if (end == SIPWS_HEAD_MORE)
        sipws_diag_set(&got->first, SIPWS_E_HTTP_CUT, at, "head");
    *head = at;
    return end == SIPWS_HEAD_DONE;
}

/* The key of the request that a response answers: given, or that of another file. */
static struct octets key_of(const struct group *g, json_t *c)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    struct octets o = octets(NULL, 0);
    if (json_object_get(c, "key"))
        append_string(&o, json_object_get(c, "key"));
    else if (json_object_get(c, "key_of")) {
        char path[PATH_CAP], *at = NULL;
        struct octets file;
        snprintf(path, sizeof path, "%s/%s", g->dir, text_of(c, "key_of"));
        if (!read_file(path, &file))
            complain("no file %s", path);
        append(&file, "", 1);
        at = strstr(file.p, name);
        if (!at)
            complain("no key in %s", path);
        at += sizeof name - 1;
        append(&o, at, strcspn(at, "\r"));
        take_back(&file);
    }
    return o;
}

static void judge_http(const struct group *g, json_t *c, const struct octets *o, size_t step,
                       struct got *got)
{
    struct sipws_limits limits = limits_of(c);
    size_t n = 0;
    got->valid = false;
    if (!judge_head(o, step, limits.head, got, &n))
        return;
    struct octets head = octets(o->p, n), key = key_of(g, c);
    struct sipws_str text = {head.p, head.n};
    got->rest = o->n - n;
    got->valid =
        strcmp(text_of(c, "actor"), "server") == 0
            ? sipws_http_request(text, &got->http, &got->first)
            : sipws_http_response(text, (struct sipws_str){key.p, key.n}, &got->http, &got->first);
    /* The reading is compared now, while the head lives. */
    json_t *e = json_array_get(json_object_get(c, "expect"), 0), *v;
    const char *name;
    json_object_foreach(json_object_get(e, "reading"), name, v)
    {
        const struct sipws_http *h = &got->http;
        const struct {
            const char *name;
            struct sipws_str value;
        } texts[] = {{"target", h->target},
                     {"host", h->host},
                     {"origin", h->origin},
                     {"protocol", h->protocol}};
        bool known = false, same = false;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (strcmp(name, texts[i].name) == 0) {
                known = true;
                same = json_string_length(v) == texts[i].value.n && got->valid &&
                       memcmp(json_string_value(v), texts[i].value.p, texts[i].value.n) == 0;
            }
        if (strcmp(name, "offers_sip") == 0)
            known = true, same = json_is_true(v) == h->offers_sip;
        if (strcmp(name, "status") == 0)
            known = true, same = json_integer_value(v) == (json_int_t)h->status;
        if (!known)
            complain("unknown key \"%s\" in \"reading\"", name);
        if (!same && !*got->also)
            snprintf(got->also, sizeof got->also, "the reading has another %s", name);
    }
    if (got->valid && json_object_get(e, "rest") && number_of(e, "rest") != got->rest)
        snprintf(got->also, sizeof got->also, "%zu octets behind the head", got->rest);
    take_back(&head);
    take_back(&key);
}

static bool same_warnings(json_t *want, const struct got *got)
{
    size_t i;
    json_t *w;
    if (!want)
        return true;
    if (json_array_size(want) != got->n)
        return false;
    json_array_foreach(
        want, i, w) if (strcmp(sipws_err_info(got->diags[i].err)->id, text_of(w, "reason")) != 0 ||
                        got->diags[i].off != number_of(w, "offset")) return false;
    return true;
}

static bool agrees(json_t *e, const struct got *got)
{
    if (*got->also)
        return false;
    if (strcmp(text_of(e, "verdict"), "valid") == 0)
        return got->valid && same_warnings(json_object_get(e, "warnings"), got);
    return !got->valid && strcmp(sipws_err_info(got->first.err)->id, text_of(e, "reason")) == 0 &&
           got->first.off == number_of(e, "offset");
}

/* What was expected, with its citation, and what came, beside the octets. */
static void tell(json_t *c, const struct octets *o, const struct got *got)
{
    size_t i;
    json_t *e;
    fprintf(stderr, "%s: %s%s\n", text_of(c, "id"), text_of(c, "title"), got->feeding);
    json_array_foreach(json_object_get(c, "expect"), i, e)
    {
        fprintf(stderr, "  %s %s", i ? "or      " : "expected", text_of(e, "verdict"));
        if (json_object_get(e, "reason"))
            fprintf(stderr, ", %s at %zu", text_of(e, "reason"), number_of(e, "offset"));
        if (json_object_get(e, "warnings"))
            fprintf(stderr, ", with %zu warnings", json_array_size(json_object_get(e, "warnings")));
        fprintf(stderr, "  (RFC %s: %s)\n", text_of(e, "rfc"), text_of(e, "why"));
    }
    fprintf(stderr, "  got      %s", got->valid ? "valid" : "invalid");
    if (!got->valid) {
        size_t at = got->first.off;
        fprintf(stderr, ", %s at %zu [%s], before \"", sipws_err_info(got->first.err)->id, at,
                got->first.rule ? got->first.rule : "no rule");
        for (size_t k = at; k < o->n && k < at + REASONS_SHOWN; k++)
            fprintf(stderr, o->p[k] >= ' ' && o->p[k] < 127 ? "%c" : "\\x%02x",
                    (unsigned char)o->p[k]);
        fputs("\"", stderr);
    }
    if (*got->also)
        fprintf(stderr, "; %s", got->also);
    fputs("\n", stderr);
}

/* True: ref says one of what the case allows, however the octets come. */
static bool judge(const struct group *g, json_t *c)
{
    static const struct {
        size_t step;
        const char *name;
    } feeds[] = {{0, ""}, {1, " (octet by octet)"}, {7, " (in sevens)"}};
    const char *layer = text_of(c, "layer");
    json_t *expect = json_object_get(c, "expect"), *e;
    struct octets o = octets_of(g, c);
    bool stream = strcmp(layer, "ws") == 0 || strcmp(layer, "http") == 0, all = true;
    snprintf(where, sizeof where, "%s", text_of(c, "id"));
    for (size_t i = 0; i < (stream ? sizeof feeds / sizeof *feeds : 1) && all; i++) {
        struct got got;
        size_t k;
        bool any = false;
        memset(&got, 0, sizeof got);
        got.feeding = feeds[i].name;
        if (strcmp(layer, "ws") == 0)
            judge_ws(c, &o, feeds[i].step, json_object_get(json_array_get(expect, 0), "events"),
                     &got);
        else if (strcmp(layer, "http") == 0)
            judge_http(g, c, &o, feeds[i].step, &got);
        else
            judge_sip(c, &o, &got);
        json_array_foreach(expect, k, e) any = any || agrees(e, &got);
        if (!any)
            tell(c, &o, &got);
        all = all && any;
    }
    take_back(&o);
    return all;
}

/* Loads, checks and judges a group. */
static void judge_group(const char *name, const char *dir)
{
    struct group g = {name, load(name), dir};
    size_t i, bad = 0, invalid = 0, n;
    json_t *c;
    if (setjmp(refused))
        fail_msg("%s.json: %s: %s", name, where, complaint);
    check_group(&g);
    n = json_array_size(json_object_get(g.root, "cases"));
    json_array_foreach(json_object_get(g.root, "cases"), i, c)
    {
        invalid += !is_valid(json_object_get(c, "expect"));
        bad += !judge(&g, c);
    }
    print_message("           %s: %zu cases, %zu of them invalid or disputed, %zu mismatches\n",
                  name, n, invalid, bad);
    json_decref(g.root);
    assert_null(held);
    if (bad)
        fail_msg("%zu of %zu vectors of %s", bad, n, name);
}

static void sip(void **state)
{
    (void)state;
    judge_group("sip", NULL);
}

static void ws(void **state)
{
    (void)state;
    judge_group("ws", NULL);
}

static void http(void **state)
{
    (void)state;
    judge_group("http", NULL);
}

/* ---- messages of RFCs ------------------------------------------------------------------------ */

/* Runs corpus/import-rfc. False: it failed. */
static bool import(const char *text, const char *dir)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(3);
        execlp("python3", "python3", SIPWS_ROOT "/corpus/import-rfc", text, dir, (char *)NULL);
        _exit(3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Every file of the directory has a case; removes them. */
static size_t unknown_files(const char *name, const char *dir)
{
    json_t *root = load(name), *c;
    size_t i, unknown = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *entry; (entry = readdir(d));) {
        char path[PATH_CAP];
        bool found = entry->d_name[0] == '.';
        json_array_foreach(json_object_get(root, "cases"), i, c)
        {
            const char *file = json_string_value(json_object_get(c, "file"));
            found = found || (file && strcmp(file, entry->d_name) == 0);
        }
        if (!found)
            fprintf(stderr, "%s: no case for %s\n", name, entry->d_name);
        unknown += !found;
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        unlink(path);
    }
    closedir(d);
    rmdir(dir);
    json_decref(root);
    return unknown;
}

static void rfc_group(const char *name)
{
    const char *env = getenv("SIPWS_RFC_DIR");
    char text[PATH_CAP], dir[] = "/tmp/sipws-rfc-XXXXXX";
    snprintf(text, sizeof text, "%s/%s.txt", env && *env ? env : SIPWS_ROOT "/../shared/spec",
             name);
    if (access(text, R_OK) != 0) {
        print_message("           %s: skipped, there is no %s (set SIPWS_RFC_DIR to a directory "
                      "with the RFC's text)\n",
                      name, text);
        skip();
    }
    assert_non_null(mkdtemp(dir));
    if (!import(text, dir))
        fail_msg("corpus/import-rfc %s", text);
    judge_group(name, dir);
    assert_int_equal(unknown_files(name, dir), 0);
}

static void rfc7118(void **state)
{
    (void)state;
    rfc_group("rfc7118");
}

static void rfc4475(void **state)
{
    (void)state;
    rfc_group("rfc4475");
}

static void rfc5118(void **state)
{
    (void)state;
    rfc_group("rfc5118");
}

/* ---- the loader and the judge say no --------------------------------------------------------- */

/* The loader's complaint about a group of these cases, or NULL. */
static const char *complaint_about(const char *cases)
{
    static const char frame[] = "{\"$schema\":\"schema.json\",\"group\":\"t\",\"about\":\"a\","
                                "\"flags\":{\"F\":{\"bug\":\"b\",\"effect\":\"e\",\"links\":[]}},"
                                "\"cases\":[%s]}";
    char text[4096];
    json_error_t error;
    snprintf(text, sizeof text, frame, cases);
    struct group g = {"t", json_loads(text, JSON_REJECT_DUPLICATES, &error), NULL};
    assert_non_null(g.root);
    const char *result = complaint;
    if (!setjmp(refused)) {
        check_group(&g);
        result = NULL;
    }
    json_decref(g.root);
    take_all_back();
    return result;
}

#define VALID                                                                                      \
    "{\"id\":\"v\",\"title\":\"t\",\"actor\":\"any\",\"layer\":\"sip\",\"transport\":\"any\","     \
    "\"input\":{\"text\":\"abc\"},\"expect\":[{\"verdict\":\"valid\",\"rfc\":\"3261 7\","          \
    "\"why\":\"w\"}],\"level\":\"MUST\",\"flags\":[\"F\"]}"
#define BENT(id, more, reason, offset, here, twin)                                                 \
    ",{\"id\":\"" id                                                                               \
    "\",\"title\":\"t\",\"actor\":\"any\",\"layer\":\"sip\",\"transport\":\"any\","                \
    "\"input\":{\"text\":\"abc\"},\"expect\":[{\"verdict\":\"invalid\",\"reason\":\"" reason       \
    "\",\"offset\":" offset ",\"here\":\"" here "\",\"rfc\":\"3261 7\",\"why\":\"w\"}],"           \
    "\"level\":\"MUST\",\"flags\":[],\"twin\":\"" twin "\"" more "}"

static void the_loader_is_strict(void **state)
{
    (void)state;
    static const struct {
        const char *cases, *complaint;
    } table[] = {
        {VALID, NULL},
        {VALID BENT("b", "", "method", "1", "bc", "v"), NULL},
        {VALID BENT("b", "", "method", "3", "", "v"), NULL},
        {VALID BENT("b", ",\"colour\":1", "method", "1", "bc", "v"), "unknown key \"colour\""},
        {VALID BENT("v", "", "method", "1", "bc", "v"), "another case has this id"},
        {VALID BENT("b", "", "method", "1", "bc", "x"), "\"twin\" is not the id of a valid case"},
        {VALID BENT("b", "", "method", "1", "bc", "b"), "\"twin\" is not the id of a valid case"},
        {VALID BENT("b", "", "meth", "1", "bc", "v"), "\"meth\" is not the id of an error"},
        {VALID BENT("b", "", "method", "2", "bc", "v"), "\"here\" does not stand at \"offset\""},
        {VALID BENT("b", "", "method", "1", "", "v"), "\"here\" does not stand at \"offset\""},
        {VALID BENT("b", "", "method", "4", "", "v"), "\"offset\" is behind the end of the input"},
        {VALID BENT("b", ",\"disputed\":\"\"", "method", "1", "bc", "v"),
         "\"disputed\" is not a text"},
        {VALID BENT("B", "", "method", "1", "bc", "v"),
         "an id has lower case letters, digits, hyphens and dots"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = complaint_about(table[i].cases);
        if (!table[i].complaint)
            assert_null(got);
        else
            assert_string_equal(got ? got : "no complaint", table[i].complaint);
    }
}

/* A verdict that is off by an octet, or for another reason, does not pass. */
static void the_judge_is_strict(void **state)
{
    (void)state;
    json_error_t error;
    json_t *e =
        json_loads("{\"verdict\":\"invalid\",\"reason\":\"method\",\"offset\":4}", 0, &error);
    json_t *v = json_loads("{\"verdict\":\"valid\"}", 0, &error);
    struct got got;
    assert_false(setjmp(refused));
    memset(&got, 0, sizeof got);
    sipws_diag_set(&got.first, SIPWS_E_METHOD, 4, "Method");
    assert_true(agrees(e, &got));
    assert_false(agrees(v, &got));
    got.first.off = 5;
    assert_false(agrees(e, &got));
    sipws_diag_set(&got.first, SIPWS_E_START_SP, 4, "Method");
    assert_false(agrees(e, &got));
    got.valid = true;
    assert_false(agrees(e, &got));
    assert_true(agrees(v, &got));
    snprintf(got.also, sizeof got.also, "another reading");
    assert_false(agrees(v, &got));
    json_decref(e);
    json_decref(v);
}

/* One file, of a group that has its messages in itself. */
static int judge_file(const char *path)
{
    static const struct CMUnitTest groups[] = {{"sip", sip, NULL, NULL, NULL},
                                               {"ws", ws, NULL, NULL, NULL},
                                               {"http", http, NULL, NULL, NULL}};
    json_error_t error;
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    const char *name = json_string_value(json_object_get(root, "group"));
    given = path;
    int status = -1;
    for (size_t i = 0; name && i < sizeof groups / sizeof *groups; i++)
        if (strcmp(name, groups[i].name) == 0)
            status = _cmocka_run_group_tests("vectors", &groups[i], 1, NULL, NULL);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", path,
                !root  ? error.text
                : name ? "the program of all tests runs this group: ctest -R 'vectors|policy'"
                       : "there is no \"group\"");
    json_decref(root);
    return status < 0 ? 2 : status > 0;
}

/* All groups, or the file that is named. */
int main(int argc, char **argv)
{
    if (argc == 2)
        return judge_file(argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loader_is_strict),
        cmocka_unit_test(the_judge_is_strict),
        cmocka_unit_test(sip),
        cmocka_unit_test(ws),
        cmocka_unit_test(http),
        cmocka_unit_test(rfc7118),
        cmocka_unit_test(rfc4475),
        cmocka_unit_test(rfc5118),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
