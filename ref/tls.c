#include "tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct sipws_tls_context {
    SSL_CTX *ssl;
    enum sipws_role role;
};

struct sipws_tls {
    SSL *ssl;
    BIO *in, *out; /* of ssl, which frees them */
    bool failed;
    char why[160];
};

/* ---- context --------------------------------------------------------------------------------- */

/* The oldest error of OpenSSL's queue, behind what it is about. Empties the queue. */
static void explain(char why[160], const char *what)
{
    unsigned long e = ERR_get_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;
    snprintf(why, 160, "%s: %s", what, reason ? reason : "refused");
    ERR_clear_error();
}

static bool load(SSL_CTX *ssl, const struct sipws_tls_config *config, char why[160])
{
    const char *key = config->key ? config->key : config->cert;
    if (config->cert && SSL_CTX_use_certificate_chain_file(ssl, config->cert) != 1) {
        explain(why, config->cert);
        return false;
    }
    if (key && SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM) != 1) {
        snprintf(why, 160, "%.100s: no private key of the certificate", key);
        ERR_clear_error();
        return false;
    }
    bool trust = config->ca ? SSL_CTX_load_verify_file(ssl, config->ca) == 1
                            : SSL_CTX_set_default_verify_paths(ssl) == 1;
    if (!trust)
        explain(why, config->ca ? config->ca : "the system's certificates");
    return trust;
}

struct sipws_tls_context *sipws_tls_context_new(const struct sipws_tls_config *config,
                                                char why[160])
{
    bool server = config->role == SIPWS_SERVER;
    struct sipws_tls_context *c = calloc(1, sizeof *c);
    SSL_CTX *ssl = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    ERR_clear_error();
    if (!c || !ssl || SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) != 1) {
        explain(why, "TLS");
    } else if (server && !config->cert) {
        snprintf(why, 160, "a server needs a certificate");
    } else if (load(ssl, config, why)) {
        int peer = server ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_PEER;
        bool verify = server ? config->ask : !config->any_peer;
        SSL_CTX_set_verify(ssl, verify ? peer : SSL_VERIFY_NONE, NULL);
        SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
        c->ssl = ssl;
        c->role = config->role;
        return c;
    }
    SSL_CTX_free(ssl);
    free(c);
    return NULL;
}

void sipws_tls_context_free(struct sipws_tls_context *context)
{
    if (context)
        SSL_CTX_free(context->ssl);
    free(context);
}

/* ---- names ----------------------------------------------------------------------------------- */

enum { HOST_FLAGS = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT };

static bool is_address(const char *host)
{
    ASN1_OCTET_STRING *ip = a2i_IPADDRESS(host);
    ASN1_OCTET_STRING_free(ip);
    ERR_clear_error();
    return ip != NULL;
}

/* The peer's certificate, if the chain behind it is good. Sets *is where there is none. */
static X509 *good_certificate(const struct sipws_tls *tls, enum sipws_known *is)
{
    *is = SIPWS_UNKNOWN;
    if (!sipws_tls_open(tls))
        return NULL;
    *is = SIPWS_NO;
    return SSL_get_verify_result(tls->ssl) == X509_V_OK ? SSL_get0_peer_certificate(tls->ssl)
                                                        : NULL;
}

enum sipws_known sipws_tls_server_ok(const struct sipws_tls *tls, const char *host)
{
    enum sipws_known is;
    X509 *cert = good_certificate(tls, &is);
    if (!cert)
        return is;
    int ok = is_address(host) ? X509_check_ip_asc(cert, host, 0)
                              : X509_check_host(cert, host, 0, HOST_FLAGS, NULL);
    return ok == 1 ? SIPWS_YES : SIPWS_NO;
}

/* The octets of a name in a certificate. */
static struct sipws_str octets(const ASN1_STRING *s)
{
    return (struct sipws_str){(const char *)ASN1_STRING_get0_data(s),
                              (size_t)ASN1_STRING_length(s)};
}

/* A sip URI without user: its host. p NULL: another URI. */
static struct sipws_str domain_of(struct sipws_str text)
{
    struct sipws_uri uri;
    struct sipws_cur c = sipws_cur(text, NULL);
    bool ok = sipws_uri(&c, SIPWS_URI_WHOLE, &uri) && c.p == c.end &&
              uri.scheme == SIPWS_SCHEME_SIP && !uri.user.p;
    return ok ? uri.host.text : (struct sipws_str){NULL, 0};
}

/* RFC 5922 7.1: URIs first; DNS names only where no URI is a SIP domain. */
static bool stands_for(const GENERAL_NAMES *names, struct sipws_str domain)
{
    bool uri = false, dns = false, any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI) {
            struct sipws_str host = domain_of(octets(name->d.uniformResourceIdentifier));
            any = any || host.p;
            uri = uri || (host.p && sipws_str_ieq(host, domain));
        } else if (name->type == GEN_DNS) {
            dns = dns || sipws_str_ieq(octets(name->d.dNSName), domain);
        }
    }
    return any ? uri : dns;
}

enum sipws_known sipws_tls_domain_ok(const struct sipws_tls *tls, struct sipws_str domain)
{
    enum sipws_known is;
    X509 *cert = good_certificate(tls, &is);
    if (!cert)
        return is;
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool ok = names && domain.n > 0 && stands_for(names, domain);
    GENERAL_NAMES_free(names);
    return ok ? SIPWS_YES : SIPWS_NO;
}

/* ---- a connection ---------------------------------------------------------------------------- */

/* SNI, and the name that the certificate must stand for. (SSL_set_tlsext_host_name is this call
 * with a cast that takes a const away.) */
static bool expect_host(SSL *ssl, const char *host)
{
    char name[256];
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    if ((size_t)snprintf(name, sizeof name, "%s", host) >= sizeof name)
        return false;
    SSL_set_hostflags(ssl, HOST_FLAGS);
    return SSL_set1_host(ssl, host) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

struct sipws_tls *sipws_tls_new(struct sipws_tls_context *context, const char *host)
{
    struct sipws_tls *t = calloc(1, sizeof *t);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL *ssl = SSL_new(context->ssl);
    if (!t || !in || !out || !ssl || (host && !expect_host(ssl, host))) {
        BIO_free(in);
        BIO_free(out);
        SSL_free(ssl);
        free(t);
        return NULL;
    }
    BIO_set_mem_eof_return(in, -1); /* no octets now is not the end */
    BIO_set_mem_eof_return(out, -1);
    SSL_set_bio(ssl, in, out);
    if (context->role == SIPWS_SERVER)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    *t = (struct sipws_tls){.ssl = ssl, .in = in, .out = out};
    return t;
}

void sipws_tls_free(struct sipws_tls *tls)
{
    if (tls)
        SSL_free(tls->ssl);
    free(tls);
}

bool sipws_tls_feed(struct sipws_tls *tls, const char *p, size_t n)
{
    size_t done = 0;
    return n == 0 || (BIO_write_ex(tls->in, p, n, &done) == 1 && done == n);
}

static void fail(struct sipws_tls *tls)
{
    long verify = SSL_get_verify_result(tls->ssl);
    tls->failed = true;
    if (verify != X509_V_OK) {
        snprintf(tls->why, sizeof tls->why, "the certificate: %s",
                 X509_verify_cert_error_string(verify));
        ERR_clear_error();
    } else {
        explain(tls->why, "TLS");
    }
}

enum sipws_tls_step sipws_tls_read(struct sipws_tls *tls, char *p, size_t cap, size_t *n)
{
    *n = 0;
    if (tls->failed)
        return SIPWS_TLS_FAILED;
    ERR_clear_error();
    if (SSL_read_ex(tls->ssl, p, cap, n) == 1)
        return SIPWS_TLS_DATA;
    switch (SSL_get_error(tls->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SIPWS_TLS_MORE;
    case SSL_ERROR_ZERO_RETURN:
        return SIPWS_TLS_END;
    default:
        fail(tls);
        return SIPWS_TLS_FAILED;
    }
}

bool sipws_tls_write(struct sipws_tls *tls, const char *p, size_t n)
{
    size_t done = 0;
    if (tls->failed || !sipws_tls_open(tls))
        return false;
    ERR_clear_error();
    if (n == 0 || SSL_write_ex(tls->ssl, p, n, &done) == 1)
        return true;
    fail(tls);
    return false;
}

void sipws_tls_close(struct sipws_tls *tls)
{
    if (!tls->failed && sipws_tls_open(tls))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

size_t sipws_tls_take(struct sipws_tls *tls, char *p, size_t cap)
{
    size_t n = 0;
    return BIO_read_ex(tls->out, p, cap, &n) == 1 ? n : 0;
}

bool sipws_tls_open(const struct sipws_tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

const char *sipws_tls_why(const struct sipws_tls *tls)
{
    return tls->failed ? tls->why : "nothing is wrong";
}

const char *sipws_tls_version(const struct sipws_tls *tls)
{
    return SSL_get_version(tls->ssl);
}
