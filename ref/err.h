/* Errors: what is wrong, where, by which rule, and which sentence of which RFC says so.
 *
 * Every function of sipws that can refuse returns false (or an enum sipws_err) and describes the
 * refusal in a struct sipws_diag. All texts are in err.def, the single source.
 */
#ifndef SIPWS_ERR_H
#define SIPWS_ERR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why something is refused: SIPWS_OK, or SIPWS_E_NAME for each row of err.def. */
enum sipws_err {
    SIPWS_OK = 0,
#define E(name, id, layer, severity, ws_close, status, rfc, text, expected, hint) SIPWS_E_##name,
#include "err.def"
#undef E
    SIPWS_ERR_COUNT /* one more than the last */
};

/* The part of a connection that an error is about. */
enum sipws_layer {
    SIPWS_LAYER_LIMIT, /* a resource limit of ours; not a verdict on the sender */
    SIPWS_LAYER_HTTP,  /* the opening handshake, RFC 6455 section 4 */
    SIPWS_LAYER_WS,    /* frames and messages, RFC 6455 sections 5 to 8 */
    SIPWS_LAYER_SIP,   /* the SIP message, RFC 3261 and its extensions */
    SIPWS_LAYER_CONN,  /* SIP on this connection, RFC 7118 */
    SIPWS_LAYER_POLICY /* who may say what, RFC 7118 appendix A */
};

/* How bad it is. */
enum sipws_severity {
    SIPWS_ERROR,   /* it is refused */
    SIPWS_WARNING, /* legal and unwise; the verdict stays */
    SIPWS_NOTE     /* worth knowing; the verdict stays */
};

/* One row of err.def. All strings are static and NUL-terminated. */
struct sipws_err_info {
    const char *id; /* "uri-octet": how people, JSON and `sipws explain` name it */
    enum sipws_layer layer;
    enum sipws_severity severity;
    uint16_t ws_close;    /* the WebSocket close code to send, or 0 */
    uint16_t status;      /* the HTTP or SIP status that answers it, or 0 */
    const char *rfc;      /* "RFC section", as in "3261 20.42"; "" = see sipws_diag.rfc */
    const char *text;     /* what is wrong, as a clause */
    const char *expected; /* what may stand where the error is; "" = what sipws_diag.rule names */
    const char *hint;     /* what to do about it */
};

/* One diagnostic. `rule` and `rfc` are static, NUL-terminated strings. */
struct sipws_diag {
    enum sipws_err err;
    size_t off;       /* octet offset from the start of the input that was judged; from it, lines
                         and columns are the caller's to count */
    const char *rule; /* the rule that failed there: an ABNF rule or header field name */
    const char *rfc;  /* the section that decides, as "3261 20.42"; "" where none is known */
};

/* The row of `err`; for a value outside the enum, the row of SIPWS_OK ("ok"). Never NULL. */
const struct sipws_err_info *sipws_err_info(enum sipws_err err);

/* "sip", "error": static strings, of values that the enums have. */
const char *sipws_layer_name(enum sipws_layer layer);
const char *sipws_severity_name(enum sipws_severity severity);

/* Fills `d` (which may be NULL). Returns false, so that a refusal is one statement. */
bool sipws_diag_set(struct sipws_diag *d, enum sipws_err err, size_t off, const char *rule);

#ifdef __cplusplus
}
#endif

#endif
