/* What readers say, as JSON. */
#include "peer.h"

#include "field.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char why[200];

void peer_refuse(const char *text)
{
    snprintf(why, sizeof why, "%s", text ? text : "");
}

const char *peer_why(void)
{
    return why;
}

const char *peer_layer_name(enum peer_layer layer)
{
    static const char *const names[] = {[PEER_SIP] = "sip", [PEER_WS] = "ws", [PEER_HTTP] = "http"};
    return names[layer];
}

/* The octets as a string, or as {"hex"} where they are not UTF-8. */
static json_t *octets(const char *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    json_t *text = json_stringn(p, n);
    if (text)
        return text;
    char *hex = malloc(2 * n + 1);
    if (!hex)
        abort();
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[(unsigned char)p[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)p[i] & 15];
    }
    json_t *o = json_pack("{s:s#}", "hex", hex, 2 * n);
    free(hex);
    return o;
}

void peer_octets(json_t *o, const char *key, const char *p, size_t n)
{
    json_object_set_new(o, key, p ? octets(p, n) : json_null());
}

void peer_text(json_t *o, const char *key, const char *text)
{
    peer_octets(o, key, text, text ? strlen(text) : 0);
}

void peer_part(json_t *o, const char *key, const char *p, size_t n)
{
    peer_octets(o, key, n ? p : NULL, n);
}

void peer_number(json_t *o, const char *key, long long number)
{
    json_object_set_new(o, key, json_integer(number));
}

void peer_digits(json_t *o, const char *key, const char *text)
{
    while (text && text[0] == '0' && text[1])
        text++;
    size_t n = text ? strspn(text, "0123456789") : 0;
    if (!text || !*text)
        json_object_set_new(o, key, json_null());
    else if (text[n] || n > 18)
        peer_text(o, key, text);
    else
        peer_number(o, key, strtoll(text, NULL, 10));
}

void peer_host(json_t *o, const char *p, size_t n)
{
    char text[512];
    bool bare = p && n < sizeof text - 2 && memchr(p, ':', n) && *p != '[';
    if (bare)
        n = (size_t)snprintf(text, sizeof text, "[%.*s]", (int)n, p);
    peer_octets(o, "host", bare ? text : p, n);
}

json_t *peer_object(json_t *o, const char *key)
{
    json_object_set_new(o, key, json_object());
    return json_object_get(o, key);
}

json_t *peer_object_if(json_t *o, const char *key, bool there)
{
    if (there)
        return peer_object(o, key);
    peer_text(o, key, NULL);
    return NULL;
}

json_t *peer_array(json_t *o, const char *key)
{
    json_object_set_new(o, key, json_array());
    return json_object_get(o, key);
}

json_t *peer_item(json_t *array)
{
    json_array_append_new(array, json_object());
    return json_array_get(array, json_array_size(array) - 1);
}

void peer_star(json_t *array)
{
    json_array_append_new(array, json_string("*"));
}

const char *peer_full_name(const char *name, size_t n)
{
    enum sipws_field_id id =
        n == 1 ? sipws_field_find((struct sipws_str){name, n}) : SIPWS_F_EXTENSION;
    return id == SIPWS_F_EXTENSION ? NULL : sipws_field_info(id)->name;
}

json_t *peer_request(json_t *reading, const char *method, size_t n)
{
    json_t *o = peer_object(reading, "request");
    peer_octets(o, "method", method ? method : "", method ? n : 0);
    return o;
}

void peer_response(json_t *reading, long long status)
{
    peer_number(peer_object(reading, "response"), "status", status);
}

void peer_port(json_t *o, long port)
{
    json_object_set_new(o, "port", port > 0 ? json_integer(port) : json_null());
}

void peer_cseq(json_t *reading, long long number, const char *method, size_t n)
{
    json_t *o = peer_object(reading, "cseq");
    peer_number(o, "number", number);
    peer_octets(o, "method", method ? method : "", method ? n : 0);
}

void peer_cseq_digits(json_t *reading, const char *number, const char *method)
{
    json_t *o = peer_object(reading, "cseq");
    peer_digits(o, "number", number);
    peer_text(o, "method", method ? method : "");
}

void peer_length(json_t *reading, long long length)
{
    json_object_set_new(reading, "content-length", length < 0 ? json_null() : json_integer(length));
}

void peer_uri_parts(json_t *o, const char *scheme, size_t scheme_n, const char *user, size_t user_n,
                    const char *password, size_t password_n, const char *host, size_t host_n,
                    long port, const char *params, size_t params_n)
{
    bool sip = (scheme_n == 3 || scheme_n == 4) && strncasecmp(scheme, "sips", scheme_n) == 0;
    peer_octets(o, "scheme", scheme_n ? scheme : "", scheme_n);
    if (!sip)
        return;
    peer_part(o, "user", user, user_n);
    peer_part(o, "password", password, password_n);
    peer_host(o, host, host_n);
    peer_port(o, port);
    peer_part(o, "params", params, params_n);
}

void peer_uri(json_t *o, const char *user, const char *password, const char *host, const char *port)
{
    peer_text(o, "user", user);
    peer_text(o, "password", password);
    peer_host(o, PEER_TEXT(host));
    peer_digits(o, "port", port);
}

void peer_via(json_t *vias, const char *transport, const char *host, const char *port,
              const char *branch)
{
    json_t *o = peer_item(vias);
    peer_text(o, "transport", transport);
    peer_host(o, PEER_TEXT(host));
    peer_digits(o, "port", port);
    peer_text(o, "branch", branch);
}

json_t *peer_address(json_t *o, const char *display, const char *tag)
{
    peer_text(o, "display", display && *display ? display : NULL);
    peer_text(o, "tag", tag);
    return peer_object(o, "uri");
}

void peer_field(json_t *fields, const char *name, size_t name_n, const char *raw, size_t raw_n)
{
    json_t *o = peer_item(fields);
    peer_octets(o, "name", name, name_n);
    if (raw)
        peer_octets(o, "raw", raw, raw_n);
}

void peer_field_line(json_t *fields, const char *name, const char *line, size_t n)
{
    const char *p = memchr(line, ':', n), *end = line + n;
    if (!p)
        return;
    for (p++; end > p && strchr("\r\n", end[-1]); end--)
        ;
    for (; p < end && strchr(" \t", *p); p++)
        ;
    peer_field(fields, name, strlen(name), p, (size_t)(end - p));
}
