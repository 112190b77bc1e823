// What Swift sees of the library, and shims for what it cannot import (macros, variadics). No policy.
#ifndef SLUICE_COPENSSL_H
#define SLUICE_COPENSSL_H

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <time.h>

// MARK: Memory
static inline void sluice_openssl_free(void *pointer) { OPENSSL_free(pointer); }
// Zeroes before freeing; for what PEM_read_bio_ex with PEM_FLAG_SECURE returned.
static inline void sluice_openssl_secure_free(void *pointer, size_t count) {
    OPENSSL_secure_clear_free(pointer, count);
}

// MARK: Certificates
// Seconds since 1970 into *seconds; 0 where the time cannot be read.
static inline int sluice_asn1_time_seconds(const ASN1_TIME *time, int64_t *seconds) {
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days = 0, rest = 0;
    int ok = epoch != NULL && ASN1_TIME_diff(&days, &rest, epoch, time);
    ASN1_TIME_free(epoch);
    *seconds = (int64_t)days * 86400 + rest;
    return ok;
}

// The algorithm named by a certificate's SubjectPublicKeyInfo, also where the library does not know the key.
static inline int sluice_x509_key_algorithm(X509 *certificate) {
    ASN1_OBJECT *object = NULL;
    X509_PUBKEY_get0_param(&object, NULL, NULL, NULL, X509_get_X509_PUBKEY(certificate));
    return object ? OBJ_obj2nid(object) : NID_undef;
}

// RFC 2253 form, UTF-8 as it is.
static inline int sluice_x509_name_print(BIO *output, const X509_NAME *name) {
    return X509_NAME_print_ex(output, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
}

// MARK: Revocation lists
/// Why a list says less than it seems to and must not be relied on; NULL where there is no such reason.
static inline const char *sluice_crl_problem(X509_CRL *list) {
    if (X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0) return "it is a delta list: the complete one is needed";
    for (int i = 0; i < X509_CRL_get_ext_count(list); i++) {
        X509_EXTENSION *extension = X509_CRL_get_ext(list, i);
        int kind = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
        if (X509_EXTENSION_get_critical(extension) && kind != NID_issuing_distribution_point && kind != NID_crl_number
            && kind != NID_authority_key_identifier)
            return "it has a critical extension that is not known";
    }
    int found = 0;
    ISSUING_DIST_POINT *point = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, &found, NULL);
    if (!point) return found == -1 ? NULL : "its issuing distribution point cannot be read";
    const char *problem = NULL;
    if (point->indirectCRL > 0) problem = "it speaks for other issuers (indirect)";
    else if (point->onlysomereasons) problem = "it holds only some reasons of revocation";
    else if (point->onlyattr > 0) problem = "it is about attribute certificates";
    else if (point->distpoint && point->distpoint->type != 0) problem = "its distribution point is a relative name";
    ISSUING_DIST_POINT_free(point);
    return problem;
}

/// Whether one of the certificate's distribution points is that of the list.
static inline int sluice_points_meet(const GENERAL_NAMES *own, X509 *certificate) {
    STACK_OF(DIST_POINT) *points = X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    int meet = 0;
    for (int i = 0; i < sk_DIST_POINT_num(points) && !meet; i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);
        if (point->CRLissuer || !point->distpoint || point->distpoint->type != 0) continue;
        const GENERAL_NAMES *names = point->distpoint->name.fullname;
        for (int j = 0; j < sk_GENERAL_NAME_num(names) && !meet; j++)
            for (int k = 0; k < sk_GENERAL_NAME_num(own) && !meet; k++)
                meet = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, j), sk_GENERAL_NAME_value(own, k)) == 0;
    }
    CRL_DIST_POINTS_free(points);
    return meet;
}

/// Whether a list without a problem speaks of this certificate, by its issuer's name and its distribution point.
static inline int sluice_crl_is_about(X509_CRL *list, X509 *certificate) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(certificate)) != 0) return 0;
    ISSUING_DIST_POINT *point = X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, NULL, NULL);
    if (!point) return 1;
    int is_ca = X509_check_ca(certificate) > 0;
    int fits = !(point->onlyuser > 0 && is_ca) && !(point->onlyCA > 0 && !is_ca);
    if (fits && point->distpoint) fits = sluice_points_meet(point->distpoint->name.fullname, certificate);
    ISSUING_DIST_POINT_free(point);
    return fits;
}

/// Whether a CA may sign lists: where it says what its key is for, that must be among it.
static inline int sluice_may_sign_lists(X509 *certificate) {
    return (X509_get_key_usage(certificate) & KU_CRL_SIGN) != 0;
}

// MARK: Keys
static inline EVP_PKEY *sluice_generate_rsa_key(unsigned bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *sluice_generate_ec_key(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *sluice_generate_ed25519_key(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"); }

// MARK: Contexts

static inline SSL_CTX *sluice_server_context(void) { return SSL_CTX_new(TLS_server_method()); }
static inline SSL_CTX *sluice_client_context(void) { return SSL_CTX_new(TLS_client_method()); }

static inline int sluice_context_set_versions(SSL_CTX *context, int minimum, int maximum) {
    return SSL_CTX_set_min_proto_version(context, minimum) && SSL_CTX_set_max_proto_version(context, maximum);
}

/// Partial and moving writes, buffers released when idle: what a proxy with one buffer per worker needs.
static inline void sluice_context_set_relay_mode(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    // A chain is what it was configured to be: none is put together, handshake by handshake, from what verifies the peer.
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    // A FIN without close_notify must not make the session unwritable; sluice_saw_close_notify tells the two apart.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
}

static inline void sluice_context_prefer_server_ciphers(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
}

/// The order of the suites is as it was configured, whatever the client would rather have. DHE is among them only by name.
static inline int sluice_context_set_ciphers(SSL_CTX *context, const char *list) {
    SSL_CTX_clear_options(context, SSL_OP_PRIORITIZE_CHACHA);
    return SSL_CTX_set_cipher_list(context, list) && SSL_CTX_set_dh_auto(context, 1);
}

/// Reads what there is instead of a record's header and then its rest: half as many system calls.
static inline void sluice_context_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }

/// Sessions that servers grant go to the callback of SSL_CTX_sess_set_new_cb, and are kept nowhere else.
static inline void sluice_context_hand_over_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

static inline void sluice_context_disable_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int sluice_context_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int sluice_context_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}

static inline int sluice_context_set_signature_algorithms(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(context, list);
}

// MARK: Certificates of the peer

/// Verifies peers against `store`, of which a reference is taken. Whatever certificate stands in it is an anchor, an
/// intermediate one as well.
static inline int sluice_context_set_trust(SSL_CTX *context, X509_STORE *store) {
    return (int)SSL_CTX_set1_verify_cert_store(context, store)
        && X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
}

/// Lets every chain through; what is wrong with it stays the connection's verify result.
static inline int sluice_tolerate_chain(int ok, X509_STORE_CTX *chain) {
    (void)ok;
    (void)chain;
    return 1;
}

/// A certificate of the chain that a verification has put together; NULL behind its end.
static inline X509 *sluice_chain_certificate(X509_STORE_CTX *verification, int index) {
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(verification);
    return chain && index < sk_X509_num(chain) ? sk_X509_value(chain, index) : NULL;
}

/// Asks clients for a certificate. `required`: the handshake fails without one that verifies.
static inline int sluice_context_ask_for_certificate(SSL_CTX *context, int required, int depth) {
    if (required)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    else
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, sluice_tolerate_chain);
    SSL_CTX_set_verify_depth(context, depth);
    return SSL_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) && SSL_CTX_set_trust(context, X509_TRUST_SSL_CLIENT);
}

/// A ticket says who its client was: where certificates are demanded it must name one, and where they are asked for that
/// one must be valid still, and so must the revocation lists it was held against (`until`: seconds since 1970, NULL without
/// lists). With any other the handshake is a full one.
static inline SSL_TICKET_RETURN sluice_judge_ticket(SSL *ssl, SSL_SESSION *session, const unsigned char *key,
                                                    size_t key_length, SSL_TICKET_STATUS status, void *until) {
    (void)key;
    (void)key_length;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
    X509 *peer = SSL_SESSION_get0_peer(session);
    int required = SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    if (peer ? X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0 : required) return SSL_TICKET_RETURN_IGNORE_RENEW;
    if (until && *(const int64_t *)until <= (int64_t)time(NULL)) return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/// `until` outlives the context's connections.
static inline void sluice_context_judge_tickets(SSL_CTX *context, const int64_t *until) {
    SSL_CTX_set_session_ticket_cb(context, NULL, sluice_judge_ticket, (void *)until);
}

/// No ticket is given or taken.
static inline void sluice_context_disable_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(context, 0);
}

static inline void sluice_context_set_session_seconds(SSL_CTX *context, long seconds) {
    SSL_CTX_set_timeout(context, seconds);
}

// A key of tickets: 16 bytes of name, 32 for AES-256, 32 for HMAC-SHA-256.
enum { SLUICE_TICKET_NAME = 16, SLUICE_TICKET_KEY = 80 };

/// Makes ready what seals or opens one ticket; sealing draws the initialization vector.
static inline int sluice_ticket_start(const unsigned char *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                                      EVP_MAC_CTX *mac, int sealing) {
    if (sealing && RAND_bytes(iv, 16) != 1) return 0;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(key + SLUICE_TICKET_NAME + 32), 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0), OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key + SLUICE_TICKET_NAME, iv, sealing)
        && EVP_MAC_CTX_set_params(mac, parameters);
}

/// HKDF with SHA-256 (RFC 5869).
static inline int sluice_hkdf(const unsigned char *secret, size_t secret_count, const unsigned char *salt,
                              size_t salt_count, const unsigned char *info, size_t info_count, unsigned char *output,
                              size_t count) {
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, secret_count),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_count),
                               OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_count),
                               OSSL_PARAM_construct_end()};
    int ok = context && EVP_KDF_derive(context, output, count, parameters) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return ok;
}

/// Whether a certificate is demanded of the peer, and neither this handshake nor the one its session comes from had one
/// that verified.
static inline int sluice_peer_is_missing(const SSL *ssl) {
    if (!(SSL_get_verify_mode(ssl) & SSL_VERIFY_FAIL_IF_NO_PEER_CERT)) return 0;
    return SSL_get0_peer_certificate(ssl) == NULL || SSL_get_verify_result(ssl) != X509_V_OK;
}

// MARK: Per connection facts, kept in the SSL's ex_data

/// ALPN names in wire format (length-prefixed), in the server's order.
typedef struct {
    const unsigned char *bytes;
    unsigned int count;
} sluice_alpn_list;

// Weak, not static: every Swift object file has its own copy of an inline function's statics, and the callbacks that
// write would not meet the functions that read.
__attribute__((weak)) int sluice_alpn_index_storage = -1;
__attribute__((weak)) int sluice_notify_index_storage = -1;
__attribute__((weak)) int sluice_messages_index_storage = -1;

static inline int sluice_alpn_index(void) { return sluice_alpn_index_storage; }
static inline int sluice_notify_index(void) { return sluice_notify_index_storage; }
static inline int sluice_messages_index(void) { return sluice_messages_index_storage; }

static inline void sluice_tls_reserve_indices(void) {
    sluice_alpn_index_storage = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    sluice_notify_index_storage = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    sluice_messages_index_storage = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

__attribute__((weak)) CRYPTO_ONCE sluice_tls_once = CRYPTO_ONCE_STATIC_INIT;

/// Reserves the ex_data indices, once in the process. Call before making a connection; any thread, as often as you like.
static inline void sluice_tls_prepare(void) {
    CRYPTO_THREAD_run_once(&sluice_tls_once, sluice_tls_reserve_indices);
}

/// Without names nothing is set: the first ex_data of a connection is two blocks of memory.
static inline void sluice_set_alpn_list(SSL *ssl, const sluice_alpn_list *list) {
    if (list->count > 0) SSL_set_ex_data(ssl, sluice_alpn_index(), (void *)list);
}

static inline int sluice_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *length,
                                     const unsigned char *offered, unsigned int offered_length, void *required) {
    const sluice_alpn_list *list = SSL_get_ex_data(ssl, sluice_alpn_index());
    if (!list || list->count == 0) return SSL_TLSEXT_ERR_NOACK;
    unsigned char *chosen = NULL;
    int result = SSL_select_next_proto(&chosen, length, list->bytes, list->count, offered, offered_length);
    if (result != OPENSSL_NPN_NEGOTIATED) return required ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// `required`: a client that offers names, none of them ours, gets the alert no_application_protocol.
static inline void sluice_context_select_alpn_per_connection(SSL_CTX *context, int required) {
    SSL_CTX_set_alpn_select_cb(context, sluice_select_alpn, required ? context : NULL);
}

// Messages behind the handshake (key updates, tickets, requests to negotiate anew) that a peer may send: so many, and one
// more for each so many bytes that it has sent in all. One SSL_read goes through all of them that there are.
enum { SLUICE_FREE_MESSAGES = 32, SLUICE_BYTES_PER_MESSAGE = 16 << 10 };

/// Counts one of them. Where it is one too many nothing of the peer's is read any more.
static inline void sluice_count_message(SSL *ssl) {
    intptr_t count = (intptr_t)SSL_get_ex_data(ssl, sluice_messages_index());
    if (count < 0) return;
    BIO *input = SSL_get_rbio(ssl);
    uint64_t allowed = SLUICE_FREE_MESSAGES + (input ? BIO_number_read(input) / SLUICE_BYTES_PER_MESSAGE : 0);
    count = (uint64_t)count < allowed ? count + 1 : -1;
    SSL_set_ex_data(ssl, sluice_messages_index(), (void *)count);
    if (count < 0) SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
}

/// Whether reading has ended because the peer sent too many of them.
static inline int sluice_sent_too_many_messages(const SSL *ssl) {
    return (intptr_t)SSL_get_ex_data(ssl, sluice_messages_index()) < 0;
}

static inline void sluice_observe(const SSL *ssl, int where, int value) {
    if (where & SSL_CB_LOOP) {
        OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
        if (state == TLS_ST_SR_KEY_UPDATE || state == TLS_ST_CR_KEY_UPDATE || state == TLS_ST_CR_SESSION_TICKET)
            sluice_count_message((SSL *)ssl);
    } else if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        if ((value & 0xff) == SSL_AD_CLOSE_NOTIFY) SSL_set_ex_data((SSL *)ssl, sluice_notify_index(), (void *)ssl);
    } else if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT) {
        if ((value & 0xff) == SSL_AD_NO_RENEGOTIATION) sluice_count_message((SSL *)ssl);
    }
}

/// Makes the functions above and below know what connections of the context are sent.
static inline void sluice_context_observe(SSL_CTX *context) { SSL_CTX_set_info_callback(context, sluice_observe); }

/// Whether the peer really sent close_notify (a bare FIN looks the same to SSL_read).
static inline int sluice_saw_close_notify(const SSL *ssl) {
    return SSL_get_ex_data(ssl, sluice_notify_index()) != NULL;
}

/// What a context belongs to, as its connections find it; not owned.
static inline void sluice_context_set_owner(SSL_CTX *context, void *owner) { SSL_CTX_set_app_data(context, owner); }
static inline void *sluice_owner_of_context(const SSL *ssl) { return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)); }

/// A number that a connection carries; 0 where none was set.
static inline void sluice_set_number(SSL *ssl, intptr_t number) { SSL_set_app_data(ssl, (void *)number); }
static inline intptr_t sluice_number(const SSL *ssl) { return (intptr_t)SSL_get_app_data(ssl); }

/// Whether a session may still be offered: made less than `seconds` ago, by a peer whose certificate has not run out.
static inline int sluice_session_is_fresh(const SSL_SESSION *session, long seconds) {
    X509 *peer = SSL_SESSION_get0_peer((SSL_SESSION *)session);
#if OPENSSL_VERSION_NUMBER >= 0x30300000L
    long age = (long)(time(NULL) - SSL_SESSION_get_time_ex(session));
#else
    long age = (long)time(NULL) - SSL_SESSION_get_time(session);
#endif
    return age >= 0 && age < seconds && peer && X509_cmp_current_time(X509_get0_notAfter(peer)) > 0;
}

// MARK: Connections

/// Leaves a key without its material. Whoever else holds it only compares it with NULL and frees it.
static inline void sluice_empty_key(EVP_PKEY *key) {
    EVP_PKEY_set_type(key, EVP_PKEY_RSA);
    EVP_PKEY_free(key);
}

/// Once the handshake is over its secrets are derived: nothing of OpenSSL 3.0 to 3.5 reads the key shares again, which
/// TLS 1.3 would keep, our private one included, until the connection ends.
static inline void sluice_forget_key_shares(SSL *ssl) {
    EVP_PKEY *key = NULL;
    if (SSL_get_tmp_key(ssl, &key)) sluice_empty_key(key);
    if (SSL_get_peer_tmp_key(ssl, &key)) sluice_empty_key(key);
}

static inline int sluice_take_key_with_material(EVP_PKEY *key) {
    unsigned char *public_key = NULL;
    size_t length = EVP_PKEY_get1_encoded_public_key(key, &public_key);
    OPENSSL_free(public_key);
    EVP_PKEY_free(key);
    return length > 0;
}

/// How many of the two key shares a connection holds.
static inline int sluice_key_shares(SSL *ssl) {
    EVP_PKEY *key = NULL;
    int own = SSL_get_tmp_key(ssl, &key) && sluice_take_key_with_material(key);
    return own + (SSL_get_peer_tmp_key(ssl, &key) && sluice_take_key_with_material(key));
}

static inline int sluice_set_server_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, name);
}

/// The reason code of the newest queued error, 0 without one; the queue is emptied.
static inline int sluice_take_error_reason(void) {
    unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    return error ? ERR_GET_REASON(error) : 0;
}

/// Whether the leaf of the verified peer holds this URI as a subjectAltName.
static inline int sluice_peer_has_uri(const SSL *ssl, const char *uri) {
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    if (!leaf) return 0;
    int found = 0;
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names && !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI) continue;
        const ASN1_IA5STRING *value = name->d.uniformResourceIdentifier;
        size_t length = (size_t)ASN1_STRING_length(value);
        found = length == strlen(uri) && memcmp(ASN1_STRING_get0_data(value), uri, length) == 0;
    }
    GENERAL_NAMES_free(names);
    X509_free(leaf);
    return found;
}

/// Whether the leaf of the peer matches a host name (RFC 6125; no partial wildcards).
static inline int sluice_peer_has_host(const SSL *ssl, const char *host) {
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    if (!leaf) return 0;
    int found = X509_check_host(leaf, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
    X509_free(leaf);
    return found;
}

// MARK: Input and output
// OpenSSL says of an interrupted call what it says of one that would block, but no event follows it: the call is made again.
#define SLUICE_UNINTERRUPTED(call)                                                                                    \
    int result;                                                                                                       \
    do {                                                                                                              \
        errno = 0;                                                                                                    \
        result = (call);                                                                                              \
    } while (result <= 0 && errno == EINTR);                                                                          \
    return result
static inline int sluice_tls_read(SSL *ssl, void *bytes, int count) {
    SLUICE_UNINTERRUPTED(SSL_read(ssl, bytes, count));
}
static inline int sluice_tls_write(SSL *ssl, const void *bytes, int count) {
    SLUICE_UNINTERRUPTED(SSL_write(ssl, bytes, count));
}
static inline int sluice_tls_handshake(SSL *ssl) { SLUICE_UNINTERRUPTED(SSL_do_handshake(ssl)); }
static inline int sluice_tls_shutdown(SSL *ssl) { SLUICE_UNINTERRUPTED(SSL_shutdown(ssl)); }

#endif
