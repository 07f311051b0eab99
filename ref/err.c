#include "err.h"

static const struct sipws_err_info rows[] = {
    [SIPWS_OK] = {"ok", SIPWS_LAYER_SIP, SIPWS_NOTE, 0, 0, "", "nothing is wrong", "", ""},
#define E(name, id, layer, severity, ws_close, status, rfc, text, expected, hint)                  \
    [SIPWS_E_##name] = {                                                                           \
        id, SIPWS_LAYER_##layer, SIPWS_##severity, ws_close, status, rfc, text, expected, hint},
#include "err.def"
#undef E
};

const struct sipws_err_info *sipws_err_info(enum sipws_err err)
{
    return &rows[(unsigned)err < SIPWS_ERR_COUNT ? err : SIPWS_OK];
}

const char *sipws_layer_name(enum sipws_layer layer)
{
    static const char *const names[] = {"limit", "http", "ws", "sip", "conn", "policy"};
    return names[layer];
}

const char *sipws_severity_name(enum sipws_severity severity)
{
    static const char *const names[] = {"error", "warning", "note"};
    return names[severity];
}

bool sipws_diag_set(struct sipws_diag *d, enum sipws_err err, size_t off, const char *rule)
{
    if (d)
        *d = (struct sipws_diag){err, off, rule, sipws_err_info(err)->rfc};
    return false;
}
