/* Resource limits. Each has an error of its own (layer LIMIT in err.def); none is silent.
 *
 * The constants bound work and stack inside one element. What a deployment may want to change is a
 * member of struct sipws_limits; a limit L accepts L and refuses L + 1.
 */
#ifndef SIPWS_LIMITS_H
#define SIPWS_LIMITS_H

#include <stddef.h>
#include <stdint.h>

enum {
    SIPWS_MAX_PARAMS = 64,         /* parameters of one URI or one list element */
    SIPWS_MAX_COMMENT_DEPTH = 16,  /* comments within comments */
    SIPWS_MAX_MULTIPART_DEPTH = 8, /* multipart bodies within multipart bodies */
    SIPWS_MAX_PART_FIELDS = 32,    /* header fields of a part that sipws_msg_check decodes */
    SIPWS_MAX_HEAD_FIELDS = 64,    /* header fields of a handshake */
    SIPWS_MAX_SUBPROTOCOLS = 32,   /* subprotocols that a handshake offers */
    SIPWS_MAX_CONTROL = 125        /* payload of a control frame, RFC 6455 5.5 */
};

/* The start of a value of struct TYPE with its members in braces, in C and in C++. */
#ifdef __cplusplus
#define SIPWS_NEW(type) type
#else
#define SIPWS_NEW(type) (struct type)
#endif

/* Limits that a connection is configured with. */
struct sipws_limits {
    size_t head;        /* octets of a handshake head, its empty line included */
    size_t message;     /* octets of one WebSocket message, all fragments together */
    uint32_t fragments; /* frames of one WebSocket message */
};

/* 8 KiB, 64 KiB, 1024. A WebRTC offer is 3 to 10 KiB. */
#define SIPWS_LIMITS_DEFAULT (SIPWS_NEW(sipws_limits){8192, 65536, 1024})

#endif
