/* What the core takes from OpenSSL: SHA-1 and base64 for the handshake, the hashes of Digest, and a
 * comparison that takes the same time wherever the octets differ. No other core file calls it.
 *
 * A function returns false when libcrypto does: out of memory, or the hash is switched off (MD5 in
 * FIPS mode). Then `out` is not to be used.
 */
#ifndef SIPWS_CRYPT_H
#define SIPWS_CRYPT_H

#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SIPWS_NONCE = 16,   /* octets behind a Sec-WebSocket-Key */
    SIPWS_KEY = 24,     /* those in base64 */
    SIPWS_ACCEPT = 28,  /* a SHA-1 hash in base64 */
    SIPWS_HASH_MAX = 64 /* the longest hash below, in hexadecimal digits */
};

/* The Sec-WebSocket-Accept that answers `key` (RFC 6455 4.2.2). */
bool sipws_crypt_accept(struct sipws_str key, char out[SIPWS_ACCEPT]);

/* The Sec-WebSocket-Key of a nonce, which must be random and used once (RFC 6455 4.1). */
bool sipws_crypt_key(const unsigned char nonce[SIPWS_NONCE], char out[SIPWS_KEY]);

/* Whether `key` is what some nonce encodes to: 22 characters of the base64 alphabet and "==", and
 * the four bits that stand for nothing are zero. RFC 4648 3.5 has the encoder set them so and
 * leaves it to the decoder to check; we do, because RFC 6455 4.1 asks for an encoding of 16 octets
 * and erratum 3150 mends the very example that broke the rule. So the last letter is A, Q, g or w,
 * and a nonce has one key. */
bool sipws_crypt_key_ok(struct sipws_str key);

/* The hashes of Digest (RFC 7616, RFC 8760). */
enum sipws_hash { SIPWS_MD5, SIPWS_SHA_256, SIPWS_SHA_512_256 };

/* The number of hexadecimal digits of a hash: 32 or 64. */
size_t sipws_crypt_hash_len(enum sipws_hash hash);

/* The hash of the parts with a colon between any two, as Digest builds all its hashes, in lower
 * case hexadecimal: sipws_crypt_hash_len characters at `out`. */
bool sipws_crypt_hash(enum sipws_hash hash, const struct sipws_str *parts, size_t n,
                      char out[SIPWS_HASH_MAX]);

/* Same octets, in a time that depends on the lengths only. For what an attacker must not guess
 * octet by octet. */
bool sipws_crypt_eq(struct sipws_str a, struct sipws_str b);

#ifdef __cplusplus
}
#endif

#endif
