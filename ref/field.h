/* Header fields: which ones there are, and what their values mean.
 *
 * field.def has one row for each header field; a row names the function that reads one element of
 * the field's value. Adding a header field is one row, and one function where no existing one has
 * its grammar. A field's identity is its whole name, or its whole compact form, without regard to
 * case (RFC 3261 7.3.1, 7.3.3): no prefix, no hash.
 *
 * A value is read element by element into struct sipws_value. Its slices alias the input. Printing
 * needs a value's kind only, so that a value built by hand prints as one that was read.
 */
#ifndef SIPWS_FIELD_H
#define SIPWS_FIELD_H

#include "addr.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which header field: SIPWS_F_NAME for each row of field.def, as SIPWS_F_CALL_ID. */
enum sipws_field_id {
    SIPWS_F_EXTENSION, /* any name that is not in the table: extension-header */
#define F(name, text, compact, shape, read, rfc) SIPWS_F_##name,
#include "field.def"
#undef F
    SIPWS_FIELD_COUNT
};

/* How a field's value is made of elements, and whether the field may stand twice. */
enum sipws_shape {
    SIPWS_ONE,        /* one element, and the field stands once */
    SIPWS_LIST,       /* 1#element, may stand again: the same as one longer list */
    SIPWS_LIST_EMPTY, /* the same, and the value may be empty */
    SIPWS_MANY        /* one element a line, may stand again; commas belong to the element */
};

struct sipws_value;

/* Reads one element. Stops behind it; the caller looks at what follows. */
typedef bool sipws_value_read(struct sipws_cur *c, struct sipws_value *out);

/* One row of field.def. Strings are static and NUL-terminated. */
struct sipws_field_info {
    const char *name;    /* as it is printed */
    const char *compact; /* one letter, or "" */
    enum sipws_shape shape;
    sipws_value_read *read;
    const char *rfc; /* "RFC section" */
};

/* The row of `id`. For SIPWS_F_EXTENSION: name "", shape SIPWS_MANY, reads TEXT-UTF8-TRIM. */
const struct sipws_field_info *sipws_field_info(enum sipws_field_id id);

/* The header field of that name or compact form; SIPWS_F_EXTENSION where the table has none. */
enum sipws_field_id sipws_field_find(struct sipws_str name);

/* What an element is. In brackets: the member of struct sipws_value that holds it. */
enum sipws_kind {
    SIPWS_K_TEXT,        /* text that is not taken apart (text) */
    SIPWS_K_TOKEN,       /* token and parameters (token) */
    SIPWS_K_NUMBER,      /* number, perhaps a comment and parameters (number) */
    SIPWS_K_ADDR,        /* address and parameters (addr) */
    SIPWS_K_STAR,        /* Contact: * */
    SIPWS_K_URI,         /* <absoluteURI> and parameters (uri) */
    SIPWS_K_VIA,         /* via-parm (via) */
    SIPWS_K_CSEQ,        /* number and method (cseq) */
    SIPWS_K_RACK,        /* two numbers and method (rack) */
    SIPWS_K_CALL_ID,     /* callid; parameters in Replaces (call_id) */
    SIPWS_K_MEDIA,       /* type/subtype and parameters (media) */
    SIPWS_K_DATE,        /* SIP-date (date) */
    SIPWS_K_TIMESTAMP,   /* two decimals (timestamp) */
    SIPWS_K_WARNING,     /* warning-value (warning) */
    SIPWS_K_CHALLENGE,   /* scheme and comma-separated parameters (auth) */
    SIPWS_K_CREDENTIALS, /* the same (auth) */
    SIPWS_K_AUTH_INFO,   /* comma-separated parameters only */
    SIPWS_K_IDENTITY,    /* signed-identity-digest and parameters (identity) */
    SIPWS_KIND_COUNT
};

/* Via, without its parameters: SIP/2.0/WSS host:port. */
struct sipws_via {
    struct sipws_str protocol;  /* "SIP" */
    struct sipws_str version;   /* "2.0" */
    struct sipws_str transport; /* "WS", "WSS", "UDP", … */
    struct sipws_host host;     /* sent-by */
    int32_t port;               /* or SIPWS_NO_PORT */
};

/* SIP-date, in UTC. Every member is within what SIP-date and the calendar allow. */
struct sipws_date {
    uint16_t year;
    uint8_t month, day; /* from 1 */
    uint8_t weekday;    /* 0 = Mon, as it stands */
    uint8_t hour, minute, second;
};

/* A number: Max-Forwards, Expires, Retry-After, … */
struct sipws_number {
    uint64_t value;
    struct sipws_str comment; /* with its parentheses; Retry-After only; p NULL: none */
};

/* CSeq: 1 INVITE */
struct sipws_cseq {
    uint32_t number;
    struct sipws_str method;
};

/* RAck: 1 2 INVITE (RFC 3262) */
struct sipws_rack {
    uint32_t response, number; /* RSeq and CSeq of what is acknowledged */
    struct sipws_str method;
};

/* application/sdp */
struct sipws_media {
    struct sipws_str type, subtype;
};

/* Timestamp: 54.21 0.1 */
struct sipws_timestamp {
    struct sipws_str value, delay; /* decimals as they stand; delay.p NULL: none */
};

/* Warning: 399 example.org "…" */
struct sipws_warning {
    uint16_t code;
    struct sipws_str agent, quoted; /* quoted has its quotes */
};

/* A challenge or credentials, without their parameters. */
struct sipws_auth {
    struct sipws_str scheme;  /* "Digest", … */
    struct sipws_str token68; /* of Bearer, which has no parameters; p NULL: none */
};

/* One element of a header field's value. `kind` tells which member of the union is set. */
struct sipws_value {
    enum sipws_kind kind;
    struct sipws_str text;   /* the whole element as it stands, parameters included */
    struct sipws_str params; /* for sipws_param_next; p NULL: none */
    struct sipws_str key;    /* value of the tag of From and To, the branch of Via; p NULL: none */
    union {
        struct sipws_str token; /* TOKEN: token, language-tag, entity-tag, … */
        struct sipws_number number;
        struct sipws_addr addr;
        struct sipws_uri uri;
        struct sipws_via via;
        struct sipws_cseq cseq;
        struct sipws_rack rack;
        struct sipws_str call_id;
        struct sipws_media media;
        struct sipws_date date;
        struct sipws_timestamp timestamp;
        struct sipws_warning warning;
        struct sipws_auth auth;
        struct sipws_str identity;
    };
};

/* Walks over the elements of one field's value:
 *
 *     struct sipws_cur c = sipws_msg_cur(…); // or of sipws_cur: over the value
 *     bool more = sipws_value_first(&c, id, &v);
 *     while (more) {
 *         …
 *         more = sipws_value_next(&c, id, &v);
 *     }
 *
 * False with c->diag->err == SIPWS_OK (which both set at their start): there are no more, and c is
 * at its end. False otherwise: refused, with c->diag->rfc set to the field's section where the
 * error has none of its own. An empty value may be refused too, so c at its end alone tells
 * nothing. What follows an element is checked with it: a true of sipws_value_first on a SIPWS_ONE
 * field means that the whole value is good. */
bool sipws_value_first(struct sipws_cur *c, enum sipws_field_id id, struct sipws_value *out);
bool sipws_value_next(struct sipws_cur *c, enum sipws_field_id id, struct sipws_value *out);

/* Canonical form of one element, by its kind. */
void sipws_value_print(struct sipws_out *o, const struct sipws_value *v);

/* "text", "token", …: a static string; "" for a value outside the enum. */
const char *sipws_kind_name(enum sipws_kind kind);

#ifdef __cplusplus
}
#endif

#endif
