#include "gen_field.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The value under construction. */
struct gen {
    struct tape *t;
    struct gen_value *v;
    struct sipws_out wire, canon;
    unsigned names; /* of parameters drawn in this element, to keep them distinct */
};

/* ---- writing both forms ---------------------------------------------------------------------- */

static struct sipws_str str(const char *s)
{
    return (struct sipws_str){s, strlen(s)};
}

static void both(struct gen *g, struct sipws_str s)
{
    sipws_put(&g->wire, s);
    sipws_put(&g->canon, s);
}

static void lit(struct gen *g, const char *s)
{
    both(g, str(s));
}
static void wire(struct gen *g, const char *s)
{
    sipws_put(&g->wire, str(s));
}
static void canon(struct gen *g, const char *s)
{
    sipws_put(&g->canon, str(s));
}

static const char *pick(struct gen *g, const char *const *from, size_t n)
{
    return from[tape_below(g->t, (uint32_t)n)];
}
#define PICK(g, ...)                                                                               \
    pick(g, (const char *const[]){__VA_ARGS__}, COUNT(((const char *const[]){__VA_ARGS__})))

/* One octet of each in turn, so that both see the same. */
static void octet(struct gen *g, char ch)
{
    both(g, (struct sipws_str){&ch, 1});
}

/* LWS, on the wire only. */
static void lws(struct gen *g)
{
    unsigned how = tape_below(g->t, 5);
    g->v->folds |= how >= 3;
    g->v->spaces |= how > 0;
    static const char *const forms[] = {" ", "  ", "\t", "\r\n ", "\r\n\t "};
    wire(g, forms[how]);
}

/* SWS, mostly none. */
static void sws(struct gen *g)
{
    if (tape_chance(g->t, 32)) {
        g->v->spaces = true;
        lws(g);
    }
}

static void sep(struct gen *g, const char *text)
{
    sws(g);
    lit(g, text);
    sws(g);
}

/* Mandatory LWS that is printed as one space. */
static void gap(struct gen *g)
{
    lws(g);
    canon(g, " ");
}

/* Letters that a reader takes in any case and prints in lower case. */
static void lower(struct gen *g, const char *s)
{
    bool upper = tape_chance(g->t, 64);
    for (; *s; s++) {
        char ch = upper && *s >= 'a' && *s <= 'z' ? (char)(*s - 0x20) : *s;
        sipws_put_char(&g->wire, ch);
        sipws_put_char(&g->canon, *s);
    }
}

/* ---- basic rules ----------------------------------------------------------------------------- */

static void chars(struct gen *g, const char *alphabet, unsigned mean)
{
    size_t n = strlen(alphabet);
    do
        octet(g, alphabet[tape_below(g->t, (uint32_t)n)]);
    while (tape_more(g->t, mean));
}

#define DIGITS "0123456789"
#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define ALNUM  LOWER UPPER DIGITS

static void token(struct gen *g)
{
    chars(g, ALNUM "-.!%*_+`'~", 4);
}

/* A number, with leading zeros that count for nothing. */
static void number(struct gen *g, uint64_t min, uint64_t max)
{
    uint64_t value = min;
    switch (tape_below(g->t, 4)) {
    case 0:
        value = min + tape_below(g->t, (uint32_t)(max - min < 200 ? max - min + 1 : 200));
        break;
    case 1:
        value = max;
        break;
    case 2:
        value = max - (max > min);
        break;
    default:
        value =
            min + (((uint64_t)tape_below(g->t, UINT32_MAX) << 31) ^ tape_below(g->t, UINT32_MAX)) %
                      (max - min < UINT64_MAX ? max - min + 1 : max);
        break;
    }
    if (tape_chance(g->t, 16))
        wire(g, "000");
    sipws_put_uint(&g->wire, value);
    sipws_put_uint(&g->canon, value);
}

/* Digits that stand as they are, of a number below 10**n. */
static void digits(struct gen *g, unsigned n)
{
    while (n--)
        octet(g, DIGITS[tape_below(g->t, 10)]);
}

static void utf8(struct gen *g)
{
    lit(g, PICK(g, "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xC0\x80",
                "\xF8\x88\x80\x80\x80", "\xFC\x84\x80\x80\x80\x80"));
}

/* A fold within text: printed as one space. */
static void fold(struct gen *g)
{
    g->v->folds = true;
    wire(g, PICK(g, "\r\n ", "\r\n\t", "\r\n  "));
    canon(g, " ");
}

static void quoted(struct gen *g)
{
    lit(g, "\"");
    while (tape_more(g->t, 4))
        switch (tape_below(g->t, 8)) {
        case 4:
            g->v->pairs = true;
            octet(g, '\\');
            octet(g, "\"\\a;,<\x01\x7F\t "[tape_below(g->t, 10)]);
            break;
        case 5:
            utf8(g);
            break;
        case 6:
            fold(g);
            octet(g, 'x'); /* so that a fold is followed by text */
            break;
        default:
            octet(g, ALNUM " !#$%&'()*+,-./:;<=>?@[]^_`{|}~"[tape_below(g->t, 62 + 31)]);
            break;
        }
    lit(g, "\"");
}

static void comment(struct gen *g, unsigned depth)
{
    lit(g, "(");
    while (tape_more(g->t, 3)) {
        unsigned how = tape_below(g->t, 8);
        if (how == 5 && depth < 6) {
            comment(g, depth + 1);
        } else if (how == 6) {
            lit(g, PICK(g, "\\)", "\\(", "\\\\", "\\\x02"));
        } else if (how == 7) {
            utf8(g);
        } else {
            octet(g, ALNUM " \"!,;:<>[]{}"[tape_below(g->t, 62 + 12)]);
        }
    }
    octet(g, 'z');
    lit(g, ")");
}

/* ---- hosts and URIs -------------------------------------------------------------------------- */

static void ipv6(struct gen *g)
{
    g->v->ipv6 = true;
    lower(g, PICK(g, "::", "2001:db8::9:1", "::ffff:192.0.2.128", "2001:db8:0:0:0:0:0:1",
                  "fe80::aab", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:192.0.2.1"));
}

static void ipv4(struct gen *g)
{
    lit(g, PICK(g, "192.0.2.1", "0.0.0.0", "255.255.255.255", "198.51.100.99"));
}

static void host(struct gen *g)
{
    switch (tape_below(g->t, 6)) {
    case 3:
        ipv4(g);
        break;
    case 4:
        lit(g, "[");
        ipv6(g);
        lit(g, "]");
        break;
    default:
        while (tape_more(g->t, 1)) {
            lower(g, PICK(g, "a", "9", "x-y", "9-9a", "abc"));
            lit(g, ".");
        }
        lower(g, PICK(g, "example", "a", "z-9", "invalid"));
        if (tape_chance(g->t, 16))
            lit(g, ".");
        break;
    }
}

static void port(struct gen *g)
{
    if (!tape_chance(g->t, 80))
        return;
    lit(g, ":");
    number(g, 0, 65535);
}

static void user(struct gen *g, bool bare)
{
    do
        lit(g, PICK(g, "a", "alice", "+15550100", "%41", "%3b", "-_.!~*'()", "&=+$/",
                    bare ? "x" : ";,?", "0"));
    while (tape_more(g->t, 1));
    if (tape_chance(g->t, 24)) {
        lit(g, ":");
        while (tape_more(g->t, 1))
            lit(g, PICK(g, "p", "&=+$", bare ? "q" : ",", "%20"));
    }
    lit(g, "@");
}

static void uri_params(struct gen *g)
{
    static const char *const named[] = {
        ";transport=ws", ";transport=WSS", ";lr",          ";ob",         ";user=phone",
        ";ttl=255",      ";method=INVITE", ";maddr=[::1]", ";gr=urn:x:1", ";keep"};
    unsigned seen = 0;
    while (tape_more(g->t, 1)) {
        unsigned i = tape_below(g->t, COUNT(named) + 2);
        if (i >= COUNT(named)) {
            lit(g, ";p");
            octet(g, DIGITS[g->names++ % 10]);
            if (g->names > 9)
                return;
            if (i == COUNT(named))
                lit(g, PICK(g, "=1", "=[]/:&+$", "=%3B", "=-_.!~*'()"));
        } else if (!(seen & (i <= 1 ? 3u : 1u << i))) {
            seen |= 1u << i;
            lit(g, named[i]);
        }
    }
}

static void sip_uri(struct gen *g, bool bare)
{
    unsigned names = g->names;
    g->names = 0;
    lower(g, tape_chance(g->t, 64) ? "sips" : "sip");
    lit(g, ":");
    if (tape_chance(g->t, 200))
        user(g, bare);
    host(g);
    port(g);
    if (!bare) {
        uri_params(g);
        if (tape_chance(g->t, 24))
            lit(g, PICK(g, "?subject=x", "?a=&b=%0d", "?a=[]/?:+$&a=1"));
    }
    g->names = names;
}

static void other_uri(struct gen *g, bool bare)
{
    if (tape_chance(g->t, 96)) {
        lower(g, "tel");
        lit(g, PICK(g, ":+1-555-0100", ":+15550199", ":+(1)555.0100"));
        if (!bare && tape_chance(g->t, 64))
            lit(g, ";ext=5");
        return;
    }
    lower(g, PICK(g, "http", "im", "x-y.z+1"));
    lit(g, PICK(g, "://a.example/r", ":a@b.example", "://[2001:db8::1]:80/x", "://u@h:1/%41/b",
                ":/x/y", ":x"));
    if (!bare)
        lit(g, PICK(g, "", ";x?y=1,2", "?q"));
}

static void uri(struct gen *g, bool bare)
{
    if (tape_chance(g->t, 48))
        other_uri(g, bare);
    else
        sip_uri(g, bare);
}

/* SWS "<" URI ">" SWS: the white space that a second SWS may follow is sep's. */
static void bracketed(struct gen *g)
{
    lit(g, "<");
    uri(g, false);
    lit(g, ">");
}

static void name_addr(struct gen *g)
{
    switch (tape_below(g->t, 4)) {
    case 1:
        quoted(g);
        sws(g);
        canon(g, " ");
        break;
    case 2:
        token(g);
        if (tape_chance(g->t, 128)) {
            lit(g, " ");
            token(g);
        }
        gap(g);
        break;
    default:
        break;
    }
    bracketed(g);
}

static void addr(struct gen *g)
{
    if (!tape_chance(g->t, 96)) {
        name_addr(g);
        return;
    }
    canon(g, "<");
    uri(g, true);
    canon(g, ">");
}

/* ---- parameters ------------------------------------------------------------------------------ */

typedef void gen_rule(struct gen *g);

struct named {
    const char *name;
    gen_rule *value; /* NULL: none */
};

static void delta_seconds_value(struct gen *g)
{
    /* As it stands: a parameter's value is not taken for a number when it is printed. */
    lit(g, PICK(g, "0", "3600", "4294967295", "0060"));
}
static void qvalue(struct gen *g)
{
    lit(g, PICK(g, "0", "1", "0.5", "1.000", "0.", "0.123", "1."));
}
static void reg_id(struct gen *g)
{
    lit(g, PICK(g, "1", "2147483647", "02"));
}
static void ttl(struct gen *g)
{
    lit(g, PICK(g, "0", "255", "001"));
}
static void small(struct gen *g)
{
    lit(g, PICK(g, "0", "65535", "5060"));
}
static void value_number(struct gen *g)
{
    lit(g, PICK(g, "0", "200", "18446744073709551615"));
}
static void refresher(struct gen *g)
{
    lit(g, PICK(g, "uac", "uas", "UAS"));
}
static void instance(struct gen *g)
{
    lit(g, PICK(g, "\"<urn:x:1>\"", "\"<%41;/?:@&=+$,>\""));
}
static void gruu(struct gen *g)
{
    lit(g, PICK(g, "\"sip:a@b.example;gr=1\"", "\"sips:t.example;gr\"", "\"sip:\\a@b.example\""));
}
static void ip_address(struct gen *g)
{
    lit(g, PICK(g, "192.0.2.9", "2001:DB8::1", "::"));
}
static void host_value(struct gen *g)
{
    lit(g, PICK(g, "a.example", "192.0.2.9", "[2001:DB8::1]"));
}
static void info_uri(struct gen *g)
{
    lit(g, PICK(g, "<https://c.example/a>", "<sip:a;b,e@c>"));
}

static void gen_gen_value(struct gen *g)
{
    switch (tape_below(g->t, 4)) {
    case 2:
        quoted(g);
        break;
    case 3:
        host_value(g);
        break;
    default:
        token(g);
        break;
    }
}

static void m_value(struct gen *g)
{
    if (tape_chance(g->t, 64))
        quoted(g);
    else
        token(g);
}

/* A name that no other parameter of this element has. */
static void new_name(struct gen *g)
{
    lit(g, PICK(g, "x", "p-", "z.", "%", "+a"));
    sipws_put_uint(&g->wire, g->names);
    sipws_put_uint(&g->canon, g->names++);
}

static void value_of(struct gen *g, gen_rule *value)
{
    sep(g, "=");
    value(g);
}

/* *( SEMI param ): each named one once at most, others in between. `others`: their values' rule, or
 * NULL where generic-param may stand. */
static void params(struct gen *g, const struct named *named, gen_rule *others)
{
    uint32_t seen = 0;
    unsigned count = 0;
    while (named && named[count].name)
        count++;
    while (tape_more(g->t, 2) && g->names < 40) {
        unsigned i = tape_below(g->t, count + 1);
        if (i > 0 && (seen >> i & 1))
            continue;
        seen |= 1u << i;
        g->v->params = true;
        sep(g, ";");
        if (i > 0) {
            lit(g, named[i - 1].name);
            if (named[i - 1].value)
                value_of(g, named[i - 1].value);
        } else {
            new_name(g);
            if (others)
                value_of(g, others);
            else if (tape_chance(g->t, 128))
                value_of(g, gen_gen_value);
        }
    }
}

/* ---- elements, one function for each rule of field.def ----------------------------------------
 */

static const struct named q_params[] = {{"q", qvalue}, {NULL, NULL}};

static void gen_accept_range(struct gen *g)
{
    static const char *const types[] = {"application", "*", "text", "x-a"};
    lit(g, types[tape_below(g->t, 4)]);
    sep(g, "/");
    lit(g, PICK(g, "sdp", "*", "plain"));
    params(g, q_params, NULL);
}

static void gen_encoding(struct gen *g)
{
    token(g);
    params(g, q_params, NULL);
}

static void language(struct gen *g)
{
    lit(g, PICK(g, "en", "x", "abcdefgh"));
    while (tape_more(g->t, 1))
        lit(g, PICK(g, "-gb", "-z", "-ABCDEFGH"));
}

static void gen_language_tag(struct gen *g)
{
    language(g);
}

static void gen_language(struct gen *g)
{
    if (tape_chance(g->t, 48))
        lit(g, "*");
    else
        language(g);
    params(g, q_params, NULL);
}

static void gen_alert_param(struct gen *g)
{
    bracketed(g);
    params(g, NULL, NULL);
}
static void gen_error_uri(struct gen *g)
{
    gen_alert_param(g);
}

static void gen_info(struct gen *g)
{
    static const struct named named[] = {{"purpose", token}, {NULL, NULL}};
    bracketed(g);
    params(g, named, NULL);
}

static void gen_method(struct gen *g)
{
    lit(g, PICK(g, "INVITE", "ACK", "x.y", "invite"));
}
static void gen_option_tag(struct gen *g)
{
    token(g);
}
static void gen_content_coding(struct gen *g)
{
    token(g);
}
static void gen_priority_value(struct gen *g)
{
    token(g);
}
static void gen_entity_tag(struct gen *g)
{
    token(g);
}

static void gen_callid(struct gen *g)
{
    chars(g, ALNUM "-.!%*_+`'~()<>:\\\"/[]?{}", 8);
    if (tape_chance(g->t, 128)) {
        lit(g, "@");
        chars(g, ALNUM "-.()<>:\\\"/[]?{}", 4);
    }
}

static void gen_contact_param(struct gen *g)
{
    static const struct named named[] = {{"q", qvalue},      {"expires", delta_seconds_value},
                                         {"reg-id", reg_id}, {"+sip.instance", instance},
                                         {"pub-gruu", gruu}, {"temp-gruu", gruu},
                                         {NULL, NULL}};
    addr(g);
    params(g, named, NULL);
}

static void gen_content_disposition(struct gen *g)
{
    static const struct named named[] = {{"handling", token}, {NULL, NULL}};
    token(g);
    params(g, named, NULL);
}

static void gen_content_length(struct gen *g)
{
    number(g, 0, UINT64_MAX);
}
static void gen_max_breadth(struct gen *g)
{
    number(g, 0, UINT64_MAX);
}
static void gen_flow_timer(struct gen *g)
{
    number(g, 0, UINT64_MAX);
}
static void gen_delta_seconds(struct gen *g)
{
    number(g, 0, UINT32_MAX);
}
static void gen_max_forwards(struct gen *g)
{
    number(g, 0, 255);
}
static void gen_rseq(struct gen *g)
{
    number(g, 1, UINT32_MAX);
}

static void gen_media_type(struct gen *g)
{
    lit(g, PICK(g, "application", "text", "multipart"));
    sep(g, "/");
    token(g);
    params(g, NULL, m_value);
}

static void gen_cseq(struct gen *g)
{
    number(g, 0, INT32_MAX);
    gap(g);
    gen_method(g);
}

static void gen_rack(struct gen *g)
{
    gen_rseq(g);
    gap(g);
    gen_cseq(g);
}

static void gen_sip_date(struct gen *g)
{
    lit(g, PICK(g, "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"));
    lit(g, PICK(g, ", 01 Jan ", ", 29 Feb ", ", 31 Dec ", ", 30 Nov ", ", 28 Feb ", ", 15 Aug "));
    lit(g, PICK(g, "2028", "2000", "2400"));
    lit(g, PICK(g, " 00:00:00 GMT", " 23:59:59 GMT", " 12:34:56 GMT"));
}

static const struct named tag_params[] = {{"tag", token}, {NULL, NULL}};

static void gen_from_spec(struct gen *g)
{
    addr(g);
    params(g, tag_params, NULL);
}

static void gen_rplyto_spec(struct gen *g)
{
    addr(g);
    params(g, NULL, NULL);
}
static void gen_refer_to(struct gen *g)
{
    gen_rplyto_spec(g);
}

static void gen_route_param(struct gen *g)
{
    name_addr(g);
    params(g, NULL, NULL);
}

static void gen_asserted_id(struct gen *g)
{
    if (tape_chance(g->t, 64)) {
        canon(g, "<");
        lit(g, PICK(g, "tel:+15550100", "sip:a@b.example", "sips:c.example"));
        canon(g, ">");
    } else {
        lit(g, "<");
        sip_uri(g, false);
        lit(g, ">");
    }
}

static void gen_mime_version(struct gen *g)
{
    digits(g, 1);
    lit(g, ".");
    digits(g, 1);
}

static void gen_text_trim(struct gen *g)
{
    while (tape_more(g->t, 6))
        switch (tape_below(g->t, 6)) {
        case 3:
            octet(g, 'x');
            fold(g);
            octet(g, 'y');
            break;
        case 4:
            utf8(g);
            break;
        case 5:
            lit(g, "a b");
            break;
        default:
            octet(g, ALNUM "\"\\(),;<>@:"[tape_below(g->t, 62 + 10)]);
            break;
        }
}

static void gen_header_value(struct gen *g)
{
    gen_text_trim(g);
    if (tape_chance(g->t, 32))
        lit(g, "\x80\xBF"); /* UTF8-CONT alone */
    if (tape_chance(g->t, 16))
        lws(g);
}

static void gen_server(struct gen *g)
{
    bool more = false;
    do {
        if (more)
            lit(g, " ");
        if (tape_chance(g->t, 80)) {
            comment(g, 0);
        } else {
            token(g);
            if (tape_chance(g->t, 128)) {
                lit(g, "/");
                token(g);
            }
        }
        more = tape_more(g->t, 1);
    } while (more);
}

static void gen_retry_after(struct gen *g)
{
    static const struct named named[] = {{"duration", delta_seconds_value}, {NULL, NULL}};
    gen_delta_seconds(g);
    if (tape_chance(g->t, 96)) {
        sws(g);
        canon(g, " ");
        comment(g, 0);
    }
    params(g, named, NULL);
}

static void gen_timestamp(struct gen *g)
{
    digits(g, 1);
    lit(g, PICK(g, "", "7", ".", ".25"));
    if (tape_chance(g->t, 128)) {
        gap(g);
        lit(g, PICK(g, "0", ".", ".5", "3.", "3.25"));
    }
}

static void gen_via_parm(struct gen *g)
{
    static const struct named named[] = {
        {"branch", token}, {"received", ip_address}, {"rport", small}, {"maddr", host_value},
        {"ttl", ttl},      {"keep", value_number},   {"alias", NULL},  {NULL, NULL}};
    lit(g, PICK(g, "SIP", "sip", "X"));
    sep(g, "/");
    lit(g, PICK(g, "2.0", "9"));
    sep(g, "/");
    lit(g, PICK(g, "WS", "WSS", "UDP", "tcp", "X-Y"));
    gap(g);
    host(g);
    if (tape_chance(g->t, 80)) {
        sep(g, ":");
        number(g, 0, 65535);
    }
    params(g, named, NULL);
}

static void gen_warning_value(struct gen *g)
{
    digits(g, 3);
    lit(g, " ");
    lit(g, PICK(g, "a.example", "-", "a.example:5060", "[2001:db8::1]", "[2001:db8::1]:1",
                "192.0.2.1:65535"));
    lit(g, " ");
    sws(g);
    quoted(g);
}

/* ---- authentication -------------------------------------------------------------------------- */

#define HEX32 "\"0123456789abcdef0123456789abcdef\""

static void comma_param(struct gen *g, const char *name, gen_rule *value)
{
    sws(g);
    wire(g, ",");
    sws(g);
    canon(g, ", ");
    lit(g, name);
    value_of(g, value);
}

static void hex32(struct gen *g)
{
    lit(g, PICK(g, HEX32, "\"\""));
}
static void response(struct gen *g)
{
    lit(g, PICK(g, HEX32, "\"\"",
                "\""
                "00000000000000000000000000000000000000000000000000000000000000ff"
                "\""));
}
static void digest_uri(struct gen *g)
{
    lit(g, PICK(g, "\"sip:a.example\"", "\"*\"", "\"/a?b\"", "\"sip:[::1]:5060\"",
                "\"h.example:80\""));
}
static void domain(struct gen *g)
{
    lit(g, PICK(g, "\"sip:a.example\"", "\"/a  sip:b /c\""));
}
static void qop_options(struct gen *g)
{
    lit(g, PICK(g, "\"auth\"", "\"auth,auth-int,x\""));
}
static void true_false(struct gen *g)
{
    lit(g, PICK(g, "true", "FALSE"));
}
static void nc(struct gen *g)
{
    lit(g, PICK(g, "00000001", "ffffffff"));
}

static void auth_params(struct gen *g)
{
    while (tape_more(g->t, 1) && g->names < 40) {
        sws(g);
        wire(g, ",");
        sws(g);
        canon(g, ", ");
        new_name(g);
        value_of(g, m_value);
    }
}

static void scheme(struct gen *g, const char *name)
{
    lit(g, name);
    gap(g);
}

static void gen_challenge(struct gen *g)
{
    if (tape_chance(g->t, 64)) {
        scheme(g, PICK(g, "Bearer", "NTLM", "x"));
        lit(g, "realm");
        value_of(g, quoted);
        auth_params(g);
        return;
    }
    scheme(g, PICK(g, "Digest", "DIGEST"));
    lit(g, "realm");
    value_of(g, quoted);
    if (tape_chance(g->t, 64))
        comma_param(g, "domain", domain);
    comma_param(g, "nonce", quoted);
    if (tape_chance(g->t, 64))
        comma_param(g, "stale", true_false);
    if (tape_chance(g->t, 64))
        comma_param(g, "qop", qop_options);
    if (tape_chance(g->t, 64))
        comma_param(g, "algorithm", token);
    auth_params(g);
}

static void gen_credentials(struct gen *g)
{
    switch (tape_below(g->t, 8)) {
    case 6:
        scheme(g, "Bearer");
        chars(g, ALNUM "-._~+/", 8);
        lit(g, PICK(g, "", "=", "=="));
        return;
    case 7:
        scheme(g, "Other");
        lit(g, "a");
        value_of(g, m_value);
        auth_params(g);
        return;
    default:
        break;
    }
    scheme(g, "Digest");
    bool encoded = tape_chance(g->t, 48);
    lit(g, encoded ? "username*" : PICK(g, "username", "Username"));
    value_of(g, encoded ? token : quoted);
    comma_param(g, "realm", quoted);
    comma_param(g, "nonce", quoted);
    comma_param(g, "uri", digest_uri);
    comma_param(g, "response", response);
    if (tape_chance(g->t, 64)) {
        comma_param(g, "qop", token);
        comma_param(g, "nc", nc);
        comma_param(g, "cnonce", quoted);
    }
    auth_params(g);
}

static void gen_ainfo(struct gen *g)
{
    lit(g, "nextnonce");
    value_of(g, quoted);
    if (tape_chance(g->t, 64))
        comma_param(g, "nc", nc);
    if (tape_chance(g->t, 64))
        comma_param(g, "rspauth", hex32);
    if (tape_chance(g->t, 64))
        comma_param(g, "qop", token);
}

/* ---- extensions ------------------------------------------------------------------------------ */

static void gen_privacy(struct gen *g)
{
    token(g);
    while (tape_more(g->t, 1)) {
        lit(g, ";");
        token(g);
    }
}

static void gen_reason_value(struct gen *g)
{
    static const struct named named[] = {{"cause", value_number}, {"text", quoted}, {NULL, NULL}};
    token(g);
    params(g, named, NULL);
}

static void gen_replaces(struct gen *g)
{
    static const struct named named[] = {{"early-only", NULL}, {NULL, NULL}};
    gen_callid(g);
    sep(g, ";");
    lit(g, "to-tag");
    value_of(g, token);
    sep(g, ";");
    lit(g, "From-Tag");
    value_of(g, token);
    params(g, named, NULL);
}

static void gen_session_expires(struct gen *g)
{
    static const struct named named[] = {{"refresher", refresher}, {NULL, NULL}};
    gen_delta_seconds(g);
    params(g, named, NULL);
}

static void gen_min_se(struct gen *g)
{
    gen_delta_seconds(g);
    params(g, NULL, NULL);
}

static void gen_info_package(struct gen *g)
{
    token(g);
    params(g, NULL, NULL);
}

static void gen_event_type(struct gen *g)
{
    do
        lit(g, PICK(g, "reg", "presence", "x-!%*_+`'~9"));
    while (tape_chance(g->t, 64) && (lit(g, "."), true));
}

static void gen_event(struct gen *g)
{
    static const struct named named[] = {{"id", token}, {NULL, NULL}};
    gen_event_type(g);
    params(g, named, NULL);
}

static void gen_subscription_state(struct gen *g)
{
    static const struct named named[] = {{"reason", token},
                                         {"expires", delta_seconds_value},
                                         {"retry-after", delta_seconds_value},
                                         {NULL, NULL}};
    token(g);
    params(g, named, NULL);
}

static void gen_identity(struct gen *g)
{
    static const struct named named[] = {{"alg", token}, {"ppt", token}, {NULL, NULL}};
    chars(g, ALNUM "-_.", 8);
    sep(g, ";");
    lit(g, "info");
    value_of(g, info_uri);
    params(g, named, NULL);
}

/* ---- values ---------------------------------------------------------------------------------- */

static gen_rule *const rules[SIPWS_FIELD_COUNT] = {
    [SIPWS_F_EXTENSION] = gen_header_value,
#define F(id, text, compact, shape, rule, rfc) [SIPWS_F_##id] = gen_##rule,
#include "field.def"
#undef F
};

static bool start(struct gen *g, struct tape *t, struct arena *a, struct gen_value *v)
{
    char *one = arena_get(a, GEN_VALUE_MAX), *two = arena_get(a, GEN_VALUE_MAX);
    if (!one || !two)
        return false;
    *g = (struct gen){t, v, sipws_out(one, GEN_VALUE_MAX), sipws_out(two, GEN_VALUE_MAX), 0};
    return true;
}

static bool finish(struct gen *g, struct arena *a, struct sipws_str *text,
                   struct sipws_str *canonical)
{
    if (!sipws_out_ok(&g->wire) || !sipws_out_ok(&g->canon))
        return false;
    *text = arena_copy(a, sipws_out_str(&g->wire));
    *canonical = arena_copy(a, sipws_out_str(&g->canon));
    return text->p && canonical->p;
}

bool gen_value_of(struct tape *t, struct arena *a, enum sipws_field_id id, struct gen_value *out)
{
    struct gen g;
    enum sipws_shape shape = sipws_field_info(id)->shape;
    memset(out, 0, sizeof *out);
    out->id = id;
    if (!start(&g, t, a, out))
        return false;
    bool list = shape == SIPWS_LIST || shape == SIPWS_LIST_EMPTY;
    if (id == SIPWS_F_CONTACT && tape_chance(t, 24)) {
        sws(&g);
        lit(&g, "*");
        sws(&g);
        out->elements = 1;
    } else if (shape != SIPWS_LIST_EMPTY || !tape_chance(t, 24)) {
        do {
            if (out->elements++ > 0) {
                sws(&g);
                wire(&g, ",");
                sws(&g);
                canon(&g, ", ");
            }
            tape_begin(t, "element");
            g.names = 0;
            rules[id](&g);
            tape_end(t);
        } while (list && tape_more(t, 1));
    }
    return finish(&g, a, &out->text, &out->canon);
}

bool gen_value(struct tape *t, struct arena *a, struct gen_value *out)
{
    return gen_value_of(t, a, (enum sipws_field_id)tape_below(t, SIPWS_FIELD_COUNT), out);
}

bool gen_uri(struct tape *t, struct arena *a, struct sipws_str *text, struct sipws_str *canonical)
{
    struct gen g;
    struct gen_value unused;
    memset(&unused, 0, sizeof unused);
    if (!start(&g, t, a, &unused))
        return false;
    uri(&g, false);
    return finish(&g, a, text, canonical);
}
