/* TLS through memory: two ends joined, octets cut anywhere; and whom a certificate stands for.
 *
 * Certificates are made here, by an authority that is made here.
 */
#define _POSIX_C_SOURCE 200809L
#include "tls.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- certificates ---------------------------------------------------------------------------- */

static char dir[] = "/tmp/sipws-tls-XXXXXX";
static EVP_PKEY *authority_key;
static X509 *authority;

static const char *path_of(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s.pem", dir, name);
    return path;
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    assert_int_equal(X509_add_ext(cert, e, -1), 1);
    X509_EXTENSION_free(e);
}

/* A certificate of `key` with the subject CN `cn` and the subjectAltName `names` ("DNS:a,URI:b"),
 * valid until `days` from now; signed by the authority, or by itself if there is none. */
static X509 *certify(EVP_PKEY *key, const char *cn, const char *names, int days)
{
    static long serial;
    X509 *cert = X509_new();
    X509 *issuer = authority ? authority : cert;
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 3);
    X509_gmtime_adj(X509_getm_notAfter(cert), 86400L * days);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    if (!authority)
        extend(cert, issuer, NID_basic_constraints, "critical,CA:TRUE");
    if (names)
        extend(cert, issuer, NID_subject_alt_name, names);
    assert_true(X509_sign(cert, authority ? authority_key : key, EVP_sha256()) > 0);
    return cert;
}

/* Both in one file. */
static const char *write_pem(const char *name, X509 *cert, EVP_PKEY *key)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    return path;
}

static int make_authority(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    authority_key = EVP_EC_gen("P-256");
    X509 *cert = certify(authority_key, "Test Authority", NULL, 30);
    authority = cert;
    write_pem("ca", cert, authority_key);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    static const char *const names[] = {"ca", "cert", "other"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(path_of(names[i]));
    X509_free(authority);
    EVP_PKEY_free(authority_key);
    return rmdir(dir);
}

/* ---- two ends joined ------------------------------------------------------------------------- */

struct ends {
    struct sipws_tls_context *server_context, *client_context;
    struct sipws_tls *server, *client;
    size_t cut; /* octets that are carried at a time */
    char got[2][256];
    size_t got_n[2];
    enum sipws_tls_step step[2];
};

static void context(struct ends *e, const char *cert, bool any_peer)
{
    char why[160] = "";
    struct sipws_tls_config server = {.role = SIPWS_SERVER, .cert = cert};
    struct sipws_tls_config client = {
        .role = SIPWS_CLIENT, .ca = path_of("ca"), .any_peer = any_peer};
    memset(e, 0, sizeof *e);
    e->cut = 4096;
    e->server_context = sipws_tls_context_new(&server, why);
    e->client_context = sipws_tls_context_new(&client, why);
    assert_string_equal(why, "");
    assert_non_null(e->server_context);
    assert_non_null(e->client_context);
}

/* Carries what one end has for the other. True: there was something. */
static bool carry(struct ends *e, struct sipws_tls *from, struct sipws_tls *to, int who)
{
    char octets[4096];
    size_t n, got;
    bool any = false;
    while ((n = sipws_tls_take(from, octets, e->cut)) > 0) {
        any = true;
        assert_true(sipws_tls_feed(to, octets, n));
        do {
            e->step[who] = sipws_tls_read(to, e->got[who] + e->got_n[who],
                                          sizeof e->got[who] - e->got_n[who], &got);
            e->got_n[who] += got;
        } while (e->step[who] == SIPWS_TLS_DATA);
    }
    return any;
}

static void run(struct ends *e)
{
    while (carry(e, e->client, e->server, 0) || carry(e, e->server, e->client, 1))
        ;
}

static void shake(struct ends *e, const char *host)
{
    size_t n;
    char nothing[1];
    e->server = sipws_tls_new(e->server_context, NULL);
    e->client = sipws_tls_new(e->client_context, host);
    assert_non_null(e->server);
    assert_non_null(e->client);
    assert_int_equal(sipws_tls_read(e->client, nothing, 1, &n), SIPWS_TLS_MORE);
    run(e);
}

static void end(struct ends *e)
{
    sipws_tls_free(e->server);
    sipws_tls_free(e->client);
    sipws_tls_context_free(e->server_context);
    sipws_tls_context_free(e->client_context);
}

static const char *certificate(const char *cn, const char *names, int days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = certify(key, cn, names, days);
    const char *path = write_pem("cert", cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return path;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_both_ways(void **state)
{
    (void)state;
    static const size_t cuts[] = {1, 7, 4096};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct ends e;
        context(&e, certificate("x", "DNS:ws.example.org", 9), false);
        e.cut = cuts[i];
        shake(&e, "ws.example.org");
        assert_true(sipws_tls_open(e.client) && sipws_tls_open(e.server));
        assert_string_equal(sipws_tls_version(e.client), "TLSv1.3");
        assert_string_equal(sipws_tls_why(e.client), "nothing is wrong");
        assert_true(sipws_tls_write(e.client, "ping", 4));
        assert_true(sipws_tls_write(e.server, "po", 2));
        assert_true(sipws_tls_write(e.server, "ng", 2));
        run(&e);
        assert_int_equal(e.got_n[0], 4);
        assert_memory_equal(e.got[0], "ping", 4);
        assert_int_equal(e.got_n[1], 4);
        assert_memory_equal(e.got[1], "pong", 4);
        sipws_tls_close(e.client);
        run(&e);
        assert_int_equal(e.step[0], SIPWS_TLS_END);
        end(&e);
    }
}

/* Before the handshake is done, nothing is sent and nothing is known. */
static void test_early(void **state)
{
    (void)state;
    struct ends e;
    context(&e, certificate("x", "DNS:ws.example.org", 9), false);
    e.client = sipws_tls_new(e.client_context, "ws.example.org");
    assert_false(sipws_tls_write(e.client, "x", 1));
    assert_int_equal(sipws_tls_server_ok(e.client, "ws.example.org"), SIPWS_UNKNOWN);
    assert_int_equal(sipws_tls_domain_ok(e.client, SIPWS_STR("ws.example.org")), SIPWS_UNKNOWN);
    end(&e);
}

static void test_noise(void **state)
{
    (void)state;
    struct ends e;
    char out[16];
    size_t n;
    context(&e, certificate("x", "DNS:ws.example.org", 9), false);
    e.server = sipws_tls_new(e.server_context, NULL);
    assert_true(sipws_tls_feed(e.server, "GET / HTTP/1.1\r\n", 16));
    assert_int_equal(sipws_tls_read(e.server, out, sizeof out, &n), SIPWS_TLS_FAILED);
    assert_int_equal(sipws_tls_read(e.server, out, sizeof out, &n), SIPWS_TLS_FAILED);
    assert_string_equal(sipws_tls_why(e.server), "TLS: http request");
    assert_false(sipws_tls_write(e.server, "x", 1));
    end(&e);
}

/* A client that checks goes on only where the certificate stands for the host of its URI. */
static void test_client_checks(void **state)
{
    (void)state;
    static const struct {
        const char *host, *names;
        int days;
        bool open;
        const char *why;
    } cases[] = {
        {"ws.example.org", "DNS:ws.example.org", 9, true, NULL},
        {"ws.example.org", "DNS:*.example.org", 9, true, NULL},
        {"127.0.0.1", "IP:127.0.0.1", 9, true, NULL},
        {"::1", "IP:::1", 9, true, NULL},
        {"127.0.0.1", "DNS:127.0.0.1", 9, false, "the certificate: IP address mismatch"},
        {"ws.example.com", "DNS:ws.example.org", 9, false, "the certificate: hostname mismatch"},
        {"ws.example.org", NULL, 9, false, "the certificate: hostname mismatch"},
        {"ws.example.org", "DNS:ws.example.org", -1, false,
         "the certificate: certificate has expired"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ends e;
        context(&e, certificate("ws.example.org", cases[i].names, cases[i].days), false);
        shake(&e, cases[i].host);
        assert_int_equal(sipws_tls_open(e.client), cases[i].open);
        if (cases[i].why) {
            assert_int_equal(e.step[1], SIPWS_TLS_FAILED);
            assert_string_equal(sipws_tls_why(e.client), cases[i].why);
            assert_false(sipws_tls_open(e.server));
        }
        end(&e);
    }
}

/* Whom a certificate stands for: as a web server (RFC 9525 6.3), as a SIP domain (RFC 5922 7). */
static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *title, *cn, *names, *asked;
        bool web, sip;
    } cases[] = {
        {"a DNS name", "x", "DNS:example.org", "example.org", true, true},
        {"case does not count", "x", "DNS:Example.ORG", "example.org", true, true},
        {"another name", "x", "DNS:example.org", "example.com", false, false},
        {"the end of a name", "x", "DNS:example.org", "evilexample.org", false, false},
        {"a name below it", "x", "DNS:example.org", "ws.example.org", false, false},
        {"a wildcard", "x", "DNS:*.example.org", "ws.example.org", true, false},
        {"a wildcard for itself", "x", "DNS:*.example.org", "example.org", false, false},
        {"a wildcard for two labels", "x", "DNS:*.example.org", "a.b.example.org", false, false},
        {"a part of a label", "x", "DNS:w*.example.org", "ws.example.org", false, false},
        {"one of several", "x", "DNS:a.example,DNS:example.org", "example.org", true, true},
        {"CN only", "example.org", NULL, "example.org", false, false},
        {"CN beside a name", "example.org", "DNS:a.example", "example.org", false, false},
        {"a sip URI", "x", "URI:sip:example.org", "example.org", false, true},
        {"its scheme in capitals", "x", "URI:SIP:example.org", "example.org", false, true},
        {"a sip URI of another domain", "x", "URI:sip:example.com,DNS:example.org", "example.org",
         true, false},
        {"a sip URI with a user", "x", "URI:sip:ada@example.org", "example.org", false, false},
        {"which counts for nothing", "x", "URI:sip:ada@example.com,DNS:example.org", "example.org",
         true, true},
        {"a sips URI", "x", "URI:sips:example.org", "example.org", false, false},
        {"another scheme", "x", "URI:https://example.org", "example.org", false, false},
        {"its parameters do not count", "x", "URI:sip:example.org;transport=ws", "example.org",
         false, true},
        {"an e-mail address", "x", "email:ada@example.org", "example.org", false, false},
        {"an address", "x", "IP:192.0.2.1", "192.0.2.1", true, false},
        {"no name", "x", "DNS:example.org", "", false, false},
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ends e;
        context(&e, certificate(cases[i].cn, cases[i].names, 9), true);
        shake(&e, NULL);
        assert_true(sipws_tls_open(e.client));
        struct sipws_str asked = {cases[i].asked, strlen(cases[i].asked)};
        enum sipws_known web =
            cases[i].asked[0] ? sipws_tls_server_ok(e.client, cases[i].asked) : SIPWS_NO;
        enum sipws_known sip = sipws_tls_domain_ok(e.client, asked);
        if ((web == SIPWS_YES) != cases[i].web || (sip == SIPWS_YES) != cases[i].sip) {
            print_error("%s: web %d, sip %d\n", cases[i].title, web, sip);
            failures++;
        }
        /* A server that asked for no certificate knows none. */
        assert_int_equal(sipws_tls_domain_ok(e.server, asked), SIPWS_NO);
        end(&e);
    }
    assert_int_equal(failures, 0);
}

/* What is true of a name counts for nothing where the chain is not good. */
static void test_chain(void **state)
{
    (void)state;
    X509 *known = authority;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    authority = NULL;
    X509 *own = certify(key, "x", "DNS:example.org,URI:sip:example.org", 9);
    authority = known;
    struct ends e;
    context(&e, write_pem("other", own, key), true);
    shake(&e, NULL);
    assert_true(sipws_tls_open(e.client));
    assert_int_equal(sipws_tls_server_ok(e.client, "example.org"), SIPWS_NO);
    assert_int_equal(sipws_tls_domain_ok(e.client, SIPWS_STR("example.org")), SIPWS_NO);
    end(&e);
    X509_free(own);
    EVP_PKEY_free(key);
}

static void test_contexts(void **state)
{
    (void)state;
    char why[160] = "";
    struct sipws_tls_config none = {.role = SIPWS_SERVER};
    assert_null(sipws_tls_context_new(&none, why));
    assert_string_equal(why, "a server needs a certificate");
    struct sipws_tls_config absent = {.role = SIPWS_SERVER, .cert = "/nowhere/x.pem"};
    assert_null(sipws_tls_context_new(&absent, why));
    assert_non_null(strstr(why, "/nowhere/x.pem"));
    struct sipws_tls_config ca = {.role = SIPWS_CLIENT, .ca = "/nowhere/y.pem"};
    assert_null(sipws_tls_context_new(&ca, why));
    assert_non_null(strstr(why, "/nowhere/y.pem"));
    struct sipws_tls_config wrong = {
        .role = SIPWS_SERVER, .cert = certificate("x", "DNS:x.example", 9), .key = path_of("ca")};
    assert_null(sipws_tls_context_new(&wrong, why));
    sipws_tls_free(NULL);
    sipws_tls_context_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_early),
        cmocka_unit_test(test_noise),     cmocka_unit_test(test_client_checks),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_chain),
        cmocka_unit_test(test_contexts),
    };
    return cmocka_run_group_tests(tests, make_authority, remove_all);
}
