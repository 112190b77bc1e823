#include "tls_client.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

static const struct options *options;
static SSL_SESSION *session;
static X509 *verified;
static char summary[160] = "null";

// Sessions arrive after the handshake. The first is kept for all: a server's ticket may be used more than once.
static int keep_session(SSL *ssl, SSL_SESSION *given) {
    (void)ssl;
    if (session || !options->resume) return 0;
    session = given;
    return 1;  // ours now
}

// Verifies a chain once. Whoever presents the same certificate again still has to prove that the key is theirs; to
// check the same signatures each time would take the machine from what is measured.
static int verify_once(X509_STORE_CTX *store, void *unused) {
    (void)unused;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    if (verified && leaf && X509_cmp(verified, leaf) == 0) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        return 1;
    }
    if (X509_verify_cert(store) != 1) return 0;
    X509_free(verified);
    X509_up_ref(leaf);
    verified = leaf;
    return 1;
}

void tls_client_prepare(SSL_CTX *context, const struct options *given) {
    options = given;
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(context, verify_once, NULL);
}

void tls_client_begin(SSL *ssl) {
    // A copy, for OpenSSL makes a session unusable for others once it was used.
    SSL_SESSION *copy = session ? SSL_SESSION_dup(session) : NULL;
    if (session && (!copy || SSL_set_session(ssl, copy) != 1)) fail("the session can't be used");
    SSL_SESSION_free(copy);
}

bool tls_client_may_resume(void) { return !options || !options->resume || session; }

static void summarize(SSL *ssl) {
    X509 *leaf = SSL_get0_peer_certificate(ssl);
    EVP_PKEY *key = leaf ? X509_get0_pubkey(leaf) : NULL;
    if (!key) fail("no certificate");
    snprintf(summary, sizeof summary, "\"%s %s %s %s-%d%s\"", SSL_get_version(ssl), SSL_get_cipher_name(ssl), TLS_GROUP,
             EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key), options->resume ? " resumed" : "");
}

void tls_client_check(SSL *ssl) {
    if (SSL_version(ssl) != TLS1_3_VERSION) fail("not TLS 1.3 but %s", SSL_get_version(ssl));
    if (strcmp(SSL_get_cipher_name(ssl), TLS_SUITE)) fail("not %s but %s", TLS_SUITE, SSL_get_cipher_name(ssl));
    if (SSL_get_negotiated_group(ssl) != NID_X25519) fail("the group is not %s", TLS_GROUP);
    if (SSL_get_verify_result(ssl) != X509_V_OK) fail("the certificate is not verified");
    bool resumed = SSL_session_reused(ssl);
    if (resumed && !session) fail("a session was resumed that was not offered");
    if (!resumed && session) fail("the session was not resumed");
    if (summary[0] == 'n') summarize(ssl);
}

const char *tls_client_summary(void) { return summary; }
