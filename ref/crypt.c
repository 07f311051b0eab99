#include "crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* libcrypto is mostly not built with MemorySanitizer, so what it writes counts as uninitialised. */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define WRITTEN(p, n) __msan_unpoison((p), (n))
/* Nor does MemorySanitizer know what libcrypto hands to the C library at the first use of each
 * hash; so here that is before it checks. */
__attribute__((constructor)) static void first_use(void)
{
    __msan_scoped_disable_interceptor_checks();
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    const EVP_MD *hashes[] = {EVP_sha1(), EVP_md5(), EVP_sha256(), EVP_sha512_256()};
    unsigned char out[EVP_MAX_MD_SIZE];
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
        (void)EVP_Digest("", 0, out, NULL, hashes[i], NULL);
    __msan_scoped_enable_interceptor_checks();
}
#endif
#endif
#ifndef WRITTEN
#define WRITTEN(p, n) ((void)(p), (void)(n))
#endif

enum { SHA1_LEN = 20, CONCAT = SIPWS_KEY + 36 };

/* Without the NUL that OpenSSL writes behind it. n is small. */
static bool base64(const unsigned char *p, size_t n, char *out)
{
    unsigned char text[SIPWS_ACCEPT + 1];
    int len = EVP_EncodeBlock(text, p, (int)n);
    WRITTEN(text, sizeof text);
    memcpy(out, text, (size_t)len);
    return len > 0;
}

bool sipws_crypt_accept(struct sipws_str key, char out[SIPWS_ACCEPT])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char concat[CONCAT], hash[EVP_MAX_MD_SIZE];
    if (key.n != SIPWS_KEY)
        return false;
    memcpy(concat, key.p, SIPWS_KEY);
    memcpy(concat + SIPWS_KEY, guid, sizeof guid - 1);
    if (!EVP_Digest(concat, sizeof concat, hash, NULL, EVP_sha1(), NULL))
        return false;
    WRITTEN(hash, sizeof hash);
    return base64(hash, SHA1_LEN, out);
}

bool sipws_crypt_key(const unsigned char nonce[SIPWS_NONCE], char out[SIPWS_KEY])
{
    return base64(nonce, SIPWS_NONCE, out);
}

/* Decoding and encoding again gives the same characters for a canonical encoding only. */
bool sipws_crypt_key_ok(struct sipws_str key)
{
    unsigned char nonce[SIPWS_KEY / 4 * 3];
    char again[SIPWS_KEY];
    if (key.n != SIPWS_KEY ||
        EVP_DecodeBlock(nonce, (const unsigned char *)key.p, SIPWS_KEY) != (int)sizeof nonce)
        return false;
    WRITTEN(nonce, sizeof nonce);
    return base64(nonce, SIPWS_NONCE, again) && memcmp(key.p, again, SIPWS_KEY) == 0;
}

size_t sipws_crypt_hash_len(enum sipws_hash hash)
{
    return hash == SIPWS_MD5 ? 32 : 64;
}

bool sipws_crypt_hash(enum sipws_hash hash, const struct sipws_str *parts, size_t n,
                      char out[SIPWS_HASH_MAX])
{
    static const char digits[] = "0123456789abcdef";
    const EVP_MD *md = hash == SIPWS_MD5       ? EVP_md5()
                       : hash == SIPWS_SHA_256 ? EVP_sha256()
                                               : EVP_sha512_256();
    unsigned char octets[EVP_MAX_MD_SIZE];
    size_t len = sipws_crypt_hash_len(hash);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL);
    for (size_t i = 0; ok && i < n; i++)
        ok = (i == 0 || EVP_DigestUpdate(ctx, ":", 1)) &&
             (parts[i].n == 0 || EVP_DigestUpdate(ctx, parts[i].p, parts[i].n));
    ok = ok && EVP_DigestFinal_ex(ctx, octets, NULL);
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return false;
    WRITTEN(octets, sizeof octets);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[octets[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return true;
}

bool sipws_crypt_eq(struct sipws_str a, struct sipws_str b)
{
    return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}
