/* http: the opening handshake, both readers, against raw octets.
 *
 * Input: one octet of switches (1 a response, else a request; 2 a low limit), one octet with that
 * limit less 64, one octet with the size of the first piece less 1, then the stream.
 *
 * Holds, beyond no crash and no octet read past the end:
 * - the head ends at the same octet, or is refused there for the same reason, in one piece, cut in
 *   two, and octet by octet;
 * - a limit is kept, to the octet;
 * - a refusal names an error of this layer or a limit, an offset within the head, and a rule;
 * - every slice of a reading lies within the head, and all of its octets can be read;
 * - what the request printer prints from an accepted request is accepted, with the same reading;
 * - an accepted response has the answer that the printer gives, and the subprotocol sip.
 */
#include "depth.h"
#include "http.h"

#include <stdlib.h>

enum { HEAD, SOUND }; /* layers */

#define KEY "c2lwd3MtdGVzdC1ub25jZQ=="

enum { HEAD_MAX = 8192, PRINT_MAX = 16384 };

/* ---- the end of the head --------------------------------------------------------------------- */

struct ending {
    enum sipws_head_end end;
    size_t used;
    struct sipws_diag diag;
};

/* Feeds s, first a piece of `first` octets, then pieces of `step`, both above 0, each in memory of
 * its own. */
static struct ending feed(struct sipws_str s, size_t limit, size_t first, size_t step)
{
    struct sipws_head head = {0};
    struct ending e = {SIPWS_HEAD_MORE, 0, {SIPWS_OK, 0, "", ""}};
    while (e.end == SIPWS_HEAD_MORE && e.used < s.n) {
        size_t n = e.used == 0 ? first : step, used = SIZE_MAX;
        if (n > s.n - e.used)
            n = s.n - e.used;
        char *piece = malloc(n);
        must(piece != NULL);
        memcpy(piece, s.p + e.used, n);
        e.end = sipws_head_feed(&head, piece, n, limit, &used, &e.diag);
        free(piece);
        must(used <= n && (e.end != SIPWS_HEAD_MORE || used == n));
        e.used += used;
        must(head.n == e.used);
    }
    return e;
}

static bool same_ending(const struct ending *a, const struct ending *b)
{
    return a->end == b->end && a->used == b->used && a->diag.err == b->diag.err &&
           a->diag.off == b->diag.off;
}

/* ---- what it says ---------------------------------------------------------------------------- */

/* Every octet of every slice, and that it is one of the head's. */
static unsigned touch(struct sipws_str head, struct sipws_str s)
{
    unsigned sum = 0;
    must(s.n == 0 || (s.p >= head.p && s.n <= head.n && s.p - head.p <= (ptrdiff_t)(head.n - s.n)));
    for (size_t i = 0; i < s.n; i++)
        sum = sum * 31 + (unsigned char)s.p[i];
    return sum;
}

static volatile unsigned sink;

static void touch_all(struct sipws_str head, const struct sipws_http *h)
{
    const struct sipws_str slices[] = {h->target, h->reason, h->host,    h->origin,
                                       h->key,    h->accept, h->protocol};
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof slices / sizeof *slices; i++)
        sum += touch(head, slices[i]);
    must(h->n <= SIPWS_MAX_HEAD_FIELDS);
    for (size_t i = 0; i < h->n; i++) {
        struct sipws_str value;
        sum += touch(head, h->fields[i].name) + touch(head, h->fields[i].value);
        must(h->fields[i].name.n > 0);
        must(sipws_http_find(h, h->fields[i].name, &value));
    }
    sink = sum;
}

static void check_refusal(struct sipws_str head, const struct sipws_diag *d)
{
    enum sipws_layer layer = sipws_err_info(d->err)->layer;
    must(d->err != SIPWS_OK && d->off <= head.n && d->rule && d->rule[0]);
    must(layer == SIPWS_LAYER_HTTP || layer == SIPWS_LAYER_LIMIT);
}

static bool same_part(struct sipws_str a, struct sipws_str b)
{
    return sipws_str_eq(a, b) && !a.p == !b.p;
}

/* Prints a request that asks for what `h` asks for, with all fields that the printer does not print
 * itself, and reads it. */
static void print_again(const struct sipws_http *h)
{
    static const struct sipws_str own[] = {{"Host", 4},
                                           {"Upgrade", 7},
                                           {"Connection", 10},
                                           {"Origin", 6},
                                           {"Sec-WebSocket-Key", 17},
                                           {"Sec-WebSocket-Version", 21},
                                           {"Sec-WebSocket-Protocol", 22}};
    static char more[PRINT_MAX], text[PRINT_MAX * 2];
    static struct sipws_http again;
    struct sipws_out lines = sipws_out(more, sizeof more), o = sipws_out(text, sizeof text);
    struct sipws_diag diag;
    size_t n = h->origin.p ? 7 : 6;
    for (size_t i = 0; i < h->n; i++) {
        bool is_own = false;
        for (size_t j = 0; j < sizeof own / sizeof *own; j++)
            is_own = is_own || sipws_str_ieq(h->fields[i].name, own[j]);
        if (is_own)
            continue;
        n++;
        sipws_put(&lines, h->fields[i].name);
        sipws_put_lit(&lines, ": ");
        sipws_put(&lines, h->fields[i].value);
        sipws_put_lit(&lines, "\r\n");
    }
    must(sipws_out_ok(&lines));
    struct sipws_http_ask ask = {h->target, h->host, h->origin, sipws_out_str(&lines)};
    must(sipws_http_put_request(&o, &ask, h->key));
    must(sipws_out_ok(&o));
    struct sipws_str printed = sipws_out_str(&o);
    must(sipws_http_request(printed, &again, &diag));
    must(same_part(h->target, again.target) && same_part(h->host, again.host));
    must(same_part(h->origin, again.origin) && same_part(h->key, again.key));
    must(again.offers_sip && again.n == n);
    struct sipws_out size = sipws_out(NULL, 0);
    must(sipws_http_put_request(&size, &ask, h->key) && size.n == o.n);
}

static void read_request(struct sipws_str head)
{
    static struct sipws_http h;
    struct sipws_diag diag = {SIPWS_OK, 0, NULL, NULL};
    bool ok = sipws_http_request(head, &h, &diag);
    must(ok == sipws_http_request(head, &h, NULL));
    touch_all(head, &h);
    if (!ok) {
        check_refusal(head, &diag);
        return;
    }
    fuzz_past(SOUND);
    must(h.target.n > 0 && h.host.n > 0 && h.offers_sip && sipws_crypt_key_ok(h.key));
    must(!h.accept.p && !h.protocol.p && !h.reason.p && h.status == 0);
    print_again(&h);
}

static void read_response(struct sipws_str head)
{
    static struct sipws_http h;
    struct sipws_diag diag = {SIPWS_OK, 0, NULL, NULL};
    char accept[SIPWS_ACCEPT];
    if (!sipws_http_response(head, SIPWS_STR(KEY), &h, &diag)) {
        check_refusal(head, &diag);
        must(diag.err != SIPWS_E_HTTP_STATUS || h.status != 101);
        touch_all(head, &h);
        return;
    }
    touch_all(head, &h);
    fuzz_past(SOUND);
    must(sipws_crypt_accept(SIPWS_STR(KEY), accept));
    must(h.status == 101 && sipws_str_eq(h.accept, (struct sipws_str){accept, sizeof accept}));
    must(sipws_str_eq(h.protocol, SIPWS_STR("sip")) && !h.host.p && !h.key.p && !h.target.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const layers[] = {"head", "sound", NULL};
    fuzz_begin(layers, &size);
    if (size < 3 || size > HEAD_MAX)
        return 0;
    bool is_response = data[0] & 1;
    size_t limit = data[0] & 2 ? (size_t)64 + data[1] : SIZE_MAX, first = (size_t)data[2] + 1;
    struct sipws_str stream = {(const char *)data + 3, size - 3};

    struct ending whole = feed(stream, limit, size, 1);
    struct ending two = feed(stream, limit, first, size);
    struct ending one = feed(stream, limit, 1, 1);
    must(same_ending(&whole, &two) && same_ending(&whole, &one));
    must(whole.used <= limit);
    if (whole.end == SIPWS_HEAD_DONE)
        fuzz_past(HEAD);
    if (whole.end == SIPWS_HEAD_BAD) {
        must(whole.diag.off == whole.used);
        must((whole.diag.err == SIPWS_E_LIMIT_HEAD) == (whole.used == limit));
    }

    /* Exactly its size, whatever it is: the readers take no more for granted than the octets. */
    size_t n = whole.end == SIPWS_HEAD_DONE ? whole.used : stream.n;
    char *copy = malloc(n ? n : 1);
    must(copy != NULL);
    memcpy(copy, stream.p, n);
    struct sipws_str head = {copy, n};
    if (is_response)
        read_response(head);
    else
        read_request(head);
    free(copy);
    return 0;
}
