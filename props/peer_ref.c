/* ref as a peer: sipws_msg_parse and sipws_msg_check, strict, on a connection that is not known. */
#include "msg.h"
#include "peer.h"

#include <stdio.h>

enum { FIELDS = 1024, DIAGS = 8 };

static void say(struct peer_saying *s, enum peer_row row, struct sipws_str text)
{
    peer_say(s, row, text.p ? text.p : "", text.n);
}

static void say_param(struct peer_saying *s, enum peer_row row, struct sipws_str params,
                      struct sipws_str name)
{
    struct sipws_param param = {{NULL, 0}, {NULL, 0}};
    (void)sipws_param_find(params, name, &param);
    say(s, row, param.value);
}

static unsigned long long elements(const struct sipws_msg *m, enum sipws_field_id id)
{
    unsigned long long n = 0;
    for (size_t i = 0; i < m->n; i++) {
        struct sipws_value v;
        if (m->fields[i].id != id)
            continue;
        struct sipws_cur c = sipws_msg_cur(m, &m->fields[i], 0, NULL);
        for (bool more = sipws_value_first(&c, id, &v); more; more = sipws_value_next(&c, id, &v))
            n++;
    }
    return n;
}

static void say_fields(struct peer_saying *s, const struct sipws_msg *m)
{
    struct sipws_value v;
    if (sipws_msg_first(m, SIPWS_F_VIA, &v)) {
        say(s, PEER_VIA_TRANSPORT, v.via.transport);
        say(s, PEER_VIA_HOST, v.via.host.text);
        if (v.via.port == SIPWS_NO_PORT)
            peer_say_text(s, PEER_VIA_PORT, "");
        else
            peer_say_number(s, PEER_VIA_PORT, (unsigned long long)v.via.port);
        say_param(s, PEER_VIA_BRANCH, v.params, SIPWS_STR("branch"));
    }
    if (sipws_msg_first(m, SIPWS_F_FROM, &v)) {
        say(s, PEER_FROM_URI, v.addr.uri.text);
        say_param(s, PEER_FROM_TAG, v.params, SIPWS_STR("tag"));
    }
    if (sipws_msg_first(m, SIPWS_F_TO, &v)) {
        say(s, PEER_TO_URI, v.addr.uri.text);
        say_param(s, PEER_TO_TAG, v.params, SIPWS_STR("tag"));
    }
    if (sipws_msg_first(m, SIPWS_F_CALL_ID, &v))
        say(s, PEER_CALL_ID, v.call_id);
    if (sipws_msg_first(m, SIPWS_F_CSEQ, &v)) {
        peer_say_number(s, PEER_CSEQ_NUMBER, v.cseq.number);
        say(s, PEER_CSEQ_METHOD, v.cseq.method);
    }
}

static bool ask(struct peer_saying *s, const char *p, size_t n)
{
    static struct sipws_field fields[FIELDS];
    struct sipws_diag diags[DIAGS];
    struct sipws_report r = sipws_report(diags, DIAGS);
    struct sipws_msg m;
    if (!sipws_msg_parse((struct sipws_str){p, n}, 0, fields, FIELDS, &m, &r) ||
        !sipws_msg_check(&m, SIPWS_TRANSPORT_ANY, 0, &r)) {
        char why[128];
        size_t i = 0;
        while (i + 1 < r.n && sipws_err_info(diags[i].err)->severity != SIPWS_ERROR)
            i++;
        snprintf(why, sizeof why, "%s at %zu", sipws_err_info(diags[i].err)->id, diags[i].off);
        peer_say_text(s, PEER_WHY, why);
        return false;
    }
    say(s, PEER_METHOD, m.method_name);
    say(s, PEER_REQUEST_URI, m.uri.text);
    if (!m.is_request)
        peer_say_number(s, PEER_STATUS, m.status);
    say_fields(s, &m);
    peer_say_number(s, PEER_VIAS, elements(&m, SIPWS_F_VIA));
    peer_say_number(s, PEER_CONTACTS, elements(&m, SIPWS_F_CONTACT));
    peer_say_number(s, PEER_ROUTES, elements(&m, SIPWS_F_ROUTE));
    peer_say_number(s, PEER_RECORD_ROUTES, elements(&m, SIPWS_F_RECORD_ROUTE));
    peer_say_number(s, PEER_BODY_LENGTH, m.body.n);
    return true;
}

const struct peer peer_ref = {"ref", SIPWS_VERSION, NULL, ask};
