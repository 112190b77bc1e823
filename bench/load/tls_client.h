// What every TLS client of a benchmark insists on, so that all proxies do the same work: TLS 1.3, one cipher suite,
// one group, a verified certificate, and a session that was resumed exactly when --resume asks for it.
#pragma once

#include <openssl/ssl.h>

#include "options.h"

/// The one suite and the one group that are offered, and that backends take.
#define TLS_SUITE "TLS_AES_256_GCM_SHA384"
#define TLS_GROUP "X25519"

void tls_client_prepare(SSL_CTX *context, const struct options *options);

/// Before the handshake: offers the session that an earlier connection was given, with --resume.
void tls_client_begin(SSL *ssl);

/// After the handshake: fails unless everything came as it was asked for.
void tls_client_check(SSL *ssl);

/// Whether the next connection has a session to resume, or needs none.
bool tls_client_may_resume(void);

/// What was agreed on, as a JSON string; `null` over TCP.
const char *tls_client_summary(void);
