// The bytes of one connection, over TCP or TLS, without blocking.
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct stream {
    int fd;
    SSL *ssl;  // null over TCP
};

enum {
    STREAM_END = 0,      // the peer ended its direction: FIN, or over TLS close_notify
    STREAM_AGAIN = -1,   // nothing to be had at the moment
    STREAM_FAILED = -2,  // reset, or over TLS an end without close_notify
};

/// Makes the context for the options' TLS flags, or null when there are none; exits when a file can't be used.
struct options;
SSL_CTX *stream_context(const struct options *options);

/// Begins TLS on a descriptor, as a client when `server_name` is given (which is sent and verified).
SSL *stream_begin_tls(SSL_CTX *context, int fd, const char *server_name);

/// Goes on with the handshake: 1 when done, STREAM_AGAIN with the epoll events to wait for in `wanted`, STREAM_FAILED.
int stream_handshake(struct stream *stream, uint32_t *wanted);

/// Reads up to `size` bytes. Give at least 16 KiB over TLS: then a record is taken whole and epoll's level tells of more.
ssize_t stream_read(struct stream *stream, void *buffer, size_t size);

/// Writes up to `size` bytes; after STREAM_AGAIN the same bytes must be offered again.
ssize_t stream_write(struct stream *stream, const void *buffer, size_t size);

/// Ends our direction and keeps the other: 1 when done, STREAM_AGAIN, STREAM_FAILED.
int stream_end(struct stream *stream);

void stream_close(struct stream *stream);

/// Whether what failed last was an end without close_notify.
bool stream_was_cut(void);

/// What went wrong last, for a message.
const char *stream_problem(const struct stream *stream);
