// Bulk: a server that sends the pattern until the client ends its direction, and then ends its own.
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"

struct source {
    uint64_t sent;
};

static void opened(struct connection *connection) { loop_wait_for(connection, EPOLLIN | EPOLLOUT); }

static void ready(struct connection *connection, uint32_t events) {
    struct source *source = state_of(connection);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char byte[16 * 1024];
        if (stream_read(&connection->stream, byte, sizeof byte) != STREAM_AGAIN) return loop_close(connection);
    }
    if (!(events & EPOLLOUT)) return;
    ssize_t sent = stream_write(&connection->stream, pattern_at(source->sent), PATTERN_CHUNK);
    if (sent == STREAM_FAILED) return loop_close(connection);
    if (sent > 0) source->sent += (uint64_t)sent;
}

void serve_source(const struct options *options) {
    (void)options;
    static const struct handler handler = {sizeof(struct source), opened, ready};
    for (loop_listen(&handler);;) loop_turn(UINT64_MAX);
}
