#include "stream.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "options.h"
#include "run.h"
#include "tls_client.h"

static char problem[256];
static bool cut;

static void note_problem(int error) {
    unsigned long code = ERR_peek_last_error();
    cut = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    if (code)
        ERR_error_string_n(code, problem, sizeof problem);
    else
        snprintf(problem, sizeof problem, "%s", error ? strerror(error) : "ended without close_notify");
}

bool stream_was_cut(void) { return cut; }

const char *stream_problem(const struct stream *stream) {
    (void)stream;
    return problem;
}

static void use(int ok, const char *what, const char *file) {
    if (ok == 1) return;
    note_problem(errno);
    fail("%s %s: %s", what, file, problem);
}

SSL_CTX *stream_context(const struct options *options) {
    if (!options->certificate && !options->authority) return NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    if (!context) fail("no TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    use(SSL_CTX_set_ciphersuites(context, TLS_SUITE), "cipher suite", TLS_SUITE);
    use((int)SSL_CTX_set1_groups_list(context, TLS_GROUP), "group", TLS_GROUP);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    if (options->certificate) {
        use(SSL_CTX_use_certificate_chain_file(context, options->certificate), "certificate", options->certificate);
        use(SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM), "key", options->key);
        SSL_CTX_set_num_tickets(context, 0);
    } else {
        use(SSL_CTX_load_verify_file(context, options->authority), "authority", options->authority);
        tls_client_prepare(context, options);
    }
    return context;
}

SSL *stream_begin_tls(SSL_CTX *context, int fd, const char *server_name) {
    SSL *ssl = SSL_new(context);
    if (!ssl || !SSL_set_fd(ssl, fd)) fail("no TLS connection");
    if (server_name) {
        if (!SSL_set_tlsext_host_name(ssl, server_name) || !SSL_set1_host(ssl, server_name)) fail("bad server name");
        SSL_set_connect_state(ssl);
        tls_client_begin(ssl);
    } else {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}

int stream_handshake(struct stream *stream, uint32_t *wanted) {
    ERR_clear_error();
    int result = SSL_do_handshake(stream->ssl);
    if (result == 1) {
        if (!SSL_is_server(stream->ssl)) tls_client_check(stream->ssl);
        return 1;
    }
    int error = errno, reason = SSL_get_error(stream->ssl, result);
    *wanted = reason == SSL_ERROR_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) return STREAM_AGAIN;
    note_problem(error);
    return STREAM_FAILED;
}

// What a TLS call that moved nothing means.
static int tls_outcome(struct stream *stream, int result) {
    int error = errno;
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return STREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN: return STREAM_END;
    default: note_problem(error); return STREAM_FAILED;
    }
}

static ssize_t tcp_outcome(ssize_t result) {
    if (result >= 0) return result;
    if (errno == EAGAIN || errno == EINTR) return STREAM_AGAIN;
    ERR_clear_error();
    note_problem(errno);
    return STREAM_FAILED;
}

ssize_t stream_read(struct stream *stream, void *buffer, size_t size) {
    if (!stream->ssl) return tcp_outcome(recv(stream->fd, buffer, size, 0));
    ERR_clear_error();
    size_t moved;
    int result = SSL_read_ex(stream->ssl, buffer, size, &moved);
    return result == 1 ? (ssize_t)moved : tls_outcome(stream, result);
}

ssize_t stream_write(struct stream *stream, const void *buffer, size_t size) {
    if (!stream->ssl) return tcp_outcome(send(stream->fd, buffer, size, MSG_NOSIGNAL));
    ERR_clear_error();
    size_t total = 0;
    while (total < size) {  // OpenSSL stops after each record
        size_t moved;
        int result = SSL_write_ex(stream->ssl, (const uint8_t *)buffer + total, size - total, &moved);
        if (result != 1) return total ? (ssize_t)total : tls_outcome(stream, result);
        total += moved;
    }
    return (ssize_t)total;
}

int stream_end(struct stream *stream) {
    if (!stream->ssl) return tcp_outcome(shutdown(stream->fd, SHUT_WR)) == 0 ? 1 : STREAM_FAILED;
    ERR_clear_error();
    int result = SSL_shutdown(stream->ssl);  // 0: ours is sent, the peer's is still to come
    return result >= 0 ? 1 : tls_outcome(stream, result);
}

void stream_close(struct stream *stream) {
    if (stream->ssl) SSL_free(stream->ssl);
    if (stream->fd >= 0) close(stream->fd);
    *stream = (struct stream){.fd = -1};
}
