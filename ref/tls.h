/* TLS for a SIP WebSocket connection, through memory: octets in, octets out, like the layers below.
 * It stands between a socket and struct sipws_conn, and finds out what TLS can tell of the peer.
 *
 *     // octets came from the socket:
 *     sipws_tls_feed(tls, cipher, n);
 *     while (sipws_tls_read(tls, plain, sizeof plain, &n) == SIPWS_TLS_DATA)
 *         … // n octets for sipws_conn_read; what that says goes through sipws_tls_write
 *     n = sipws_tls_take(tls, cipher, sizeof cipher); // until 0: for the socket
 *
 * OpenSSL does it all. This is the only layer of the library that allocates: what sipws_tls_*_new
 * returns is the caller's until it is freed. It is no part of libsipws and is not installed;
 * compile ref/tls.c in where it is wanted.
 *
 * Identities. Two rules say which name a certificate stands for, and they differ:
 * - As a web server (RFC 6455 4.1, RFC 9525): the host of the wss URI, by a DNS name of the
 *   subjectAltName, in which the leftmost label may be "*"; or by its IP address.
 *   sipws_tls_server_ok tells. This is what browsers do.
 * - As a SIP domain (RFC 5922 7): a sip URI of the subjectAltName without user, or, where there is
 *   none of these, a DNS name; never a wildcard, never a part of a name. sipws_tls_domain_ok tells.
 *   RFC 7118 9.1 asks a client that knows only the WebSocket URI for the first.
 * The CN of the subject is never looked at: RFC 9525 2 forbids it, and RFC 5922 7.1 allows it only
 * for certificates that no authority issues any more.
 */
#ifndef SIPWS_TLS_H
#define SIPWS_TLS_H

#include "conn.h"
#include "policy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What many connections share: certificates and settings. TLS 1.2 at least (RFC 9325 3.1.1). */
struct sipws_tls_context;

struct sipws_tls_config {
    enum sipws_role role;
    const char *cert; /* file, PEM, the chain behind the certificate; a server must have one */
    const char *key;  /* file, PEM; NULL: in `cert` */
    const char *ca;   /* file, PEM: whom to trust; NULL: whom the system trusts */
    bool any_peer;    /* client: go on with a certificate that is not valid; for tests */
    bool ask;         /* server: ask the client for a certificate, and refuse a bad one */
};

/* NULL: refused, and `why` says what is wrong in words. */
struct sipws_tls_context *sipws_tls_context_new(const struct sipws_tls_config *config,
                                                char why[160]);
void sipws_tls_context_free(struct sipws_tls_context *context); /* NULL is fine */

/* One connection. `host` is the host of a client's wss URI, without brackets: it is sent as SNI
 * unless it is an address, and the server's certificate must stand for it. A server passes NULL.
 * NULL: there is no memory. */
struct sipws_tls;
struct sipws_tls *sipws_tls_new(struct sipws_tls_context *context, const char *host);
void sipws_tls_free(struct sipws_tls *tls); /* NULL is fine */

/* Octets of the peer. False: there is no memory. */
bool sipws_tls_feed(struct sipws_tls *tls, const char *p, size_t n);

enum sipws_tls_step {
    SIPWS_TLS_MORE, /* all that was fed is used up; perhaps there is something to take */
    SIPWS_TLS_DATA, /* *n octets are at p */
    SIPWS_TLS_END,  /* the peer has closed, in order */
    SIPWS_TLS_FAILED
};

/* Goes on with the handshake, then decrypts. */
enum sipws_tls_step sipws_tls_read(struct sipws_tls *tls, char *p, size_t cap, size_t *n);

/* Encrypts all of it, once the handshake is done (sipws_tls_open). False: it failed. */
bool sipws_tls_write(struct sipws_tls *tls, const char *p, size_t n);

/* Says goodbye: there is something to take. */
void sipws_tls_close(struct sipws_tls *tls);

/* Octets for the peer: up to `cap`, 0 where there are none. */
size_t sipws_tls_take(struct sipws_tls *tls, char *p, size_t cap);

bool sipws_tls_open(const struct sipws_tls *tls); /* the handshake is done */

/* Why it failed, or what was negotiated, in words: static, or until the connection is freed. */
const char *sipws_tls_why(const struct sipws_tls *tls);
const char *sipws_tls_version(const struct sipws_tls *tls);

/* Whether the peer's certificate is there, is valid now, leads to an authority that is trusted, and
 * stands for that name. UNKNOWN before the handshake is done. */
enum sipws_known sipws_tls_server_ok(const struct sipws_tls *tls, const char *host);
enum sipws_known sipws_tls_domain_ok(const struct sipws_tls *tls, struct sipws_str domain);

#ifdef __cplusplus
}
#endif

#endif
