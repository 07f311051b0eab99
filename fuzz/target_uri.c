/* uri: sipws_uri, on raw octets.
 *
 * The first octet chooses: bit 0 where the URI stands (0 whole, 1 bare). What follows is the URI.
 *
 * Holds:
 * - nothing is read beyond the input; a refusal has an offset within it, a rule and a section, and
 *   leaves the cursor where it was;
 * - every slice that comes out lies in the input and can be read;
 * - what is printed is read again, to an equal URI, and printing that gives the same octets;
 * - equality is reflexive, and symmetric to the URI without its last parameter or header.
 */
#include "depth.h"
#include "uri.h"

#include <stdio.h>
#include <stdlib.h>

enum { READ }; /* layers */

enum { MOST = 4096 };

static void die(const char *what)
{
    fprintf(stderr, "uri: %s\n", what);
    abort();
}

static volatile unsigned char sink;

static void touch(struct sipws_str s)
{
    unsigned char sum = 0;
    for (size_t i = 0; i < s.n; i++)
        sum = (unsigned char)(sum ^ (unsigned char)s.p[i]);
    sink = sum;
}

static void touch_within(struct sipws_str s, struct sipws_str whole)
{
    if (s.n > 0 && (s.p < whole.p || s.p + s.n > whole.p + whole.n))
        die("a slice lies outside of the URI");
    touch(s);
}

static void touch_parts(struct sipws_str parts, struct sipws_str whole)
{
    struct sipws_uri_part part;
    touch_within(parts, whole);
    while (sipws_uri_part_next(&parts, &part)) {
        if (part.name.n == 0)
            die("a part without a name");
        touch_within(part.name, whole);
        touch_within(part.value, whole);
    }
}

static void read_slices(const struct sipws_uri *u)
{
    touch_within(u->scheme_name, u->text);
    touch_within(u->opaque, u->text);
    touch_within(u->user, u->text);
    touch_within(u->password, u->text);
    touch_within(u->host.text, u->text);
    touch_parts(u->params, u->text);
    touch_parts(u->headers, u->text);
    if (u->port < SIPWS_NO_PORT || u->port > 65535)
        die("a port that is none");
    if (u->scheme != SIPWS_SCHEME_OTHER && u->host.kind == SIPWS_HOST_NONE)
        die("a SIP URI without a host");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char one[MOST * 2], two[MOST * 2];
    static const char *const layers[] = {"read", NULL};
    fuzz_begin(layers, &size);
    if (size < 1 || size > MOST)
        return 0;
    enum sipws_uri_place place = data[0] & 1 ? SIPWS_URI_BARE : SIPWS_URI_WHOLE;
    struct sipws_str input = {(const char *)data + 1, size - 1};
    struct sipws_diag diag = {SIPWS_OK, 0, "", ""};
    struct sipws_cur c = sipws_cur(input, &diag);
    struct sipws_uri uri, again;
    const char *start = c.p;
    if (!sipws_uri(&c, place, &uri)) {
        if (diag.err == SIPWS_OK || diag.off > input.n || !diag.rule[0] || !diag.rfc[0])
            die("a refusal that tells nothing");
        if (c.p != start)
            die("a failed read moved the cursor");
        return 0;
    }
    if (c.p <= start || c.p > c.end || uri.text.p != start || uri.text.n != (size_t)(c.p - start))
        die("the URI is not what was read");
    fuzz_past(READ);
    read_slices(&uri);
    if (!sipws_uri_eq(&uri, &uri))
        die("a URI is not equal to itself");

    struct sipws_out o = sipws_out(one, sizeof one);
    sipws_uri_print(&o, &uri);
    if (!sipws_out_ok(&o))
        die("printed to more than twice its length");
    struct sipws_cur d = sipws_cur(sipws_out_str(&o), &diag);
    if (!sipws_uri(&d, place, &again) || d.p != d.end)
        die("what was printed is refused");
    if (!sipws_uri_eq(&uri, &again) || !sipws_uri_eq(&again, &uri))
        die("what was printed is another URI");
    struct sipws_out p = sipws_out(two, sizeof two);
    sipws_uri_print(&p, &again);
    if (!sipws_str_eq(sipws_out_str(&o), sipws_out_str(&p)))
        die("printing is no fixpoint");

    struct sipws_uri bare = uri;
    bare.headers = (struct sipws_str){NULL, 0};
    if (sipws_uri_eq(&uri, &bare) != sipws_uri_eq(&bare, &uri))
        die("equal one way only");
    bare.params = (struct sipws_str){NULL, 0};
    if (sipws_uri_eq(&uri, &bare) != sipws_uri_eq(&bare, &uri))
        die("equal one way only");
    return 0;
}
