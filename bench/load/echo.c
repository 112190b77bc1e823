// A server that sends back what it receives.
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "run.h"

enum { BUFFER = 64 * 1024 };

// What the client did not take at once; nothing is read until it has.
struct echo {
    uint8_t *pending;
    size_t size;
};

static void finish(struct connection *connection) {
    struct echo *echo = state_of(connection);
    free(echo->pending);
    loop_close(connection);
}

static void keep(struct connection *connection, const uint8_t *bytes, size_t size) {
    struct echo *echo = state_of(connection);
    if (!echo->pending) echo->pending = malloc(BUFFER);
    if (!echo->pending) fail("out of memory");
    memmove(echo->pending, bytes, size);
    echo->size = size;
    loop_wait_for(connection, EPOLLOUT);
}

static void opened(struct connection *connection) { (void)connection; }

static void send_back(struct connection *connection, const uint8_t *bytes, size_t size) {
    struct echo *echo = state_of(connection);
    ssize_t sent = stream_write(&connection->stream, bytes, size);
    if (sent == STREAM_FAILED) return finish(connection);
    size_t taken = sent > 0 ? (size_t)sent : 0;
    if (taken < size) return keep(connection, bytes + taken, size - taken);
    echo->size = 0;
    loop_wait_for(connection, EPOLLIN);
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    static uint8_t buffer[BUFFER];
    struct echo *echo = state_of(connection);
    if (echo->size) return send_back(connection, echo->pending, echo->size);
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_AGAIN) return;
    if (size <= 0) return finish(connection);
    send_back(connection, buffer, (size_t)size);
}

void serve_echo(const struct options *options) {
    (void)options;
    static const struct handler handler = {sizeof(struct echo), opened, ready};
    for (loop_listen(&handler);;) loop_turn(UINT64_MAX);
}
