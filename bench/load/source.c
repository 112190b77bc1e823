// Bulk: a server that sends the pattern until the client ends its direction, and then ends its own.
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"

// Chunks are whole records, so that one which the client did not take at once is this long, too.
enum { RECORD = 16 * 1024 };

struct source {
    uint64_t sent;
    bool ended, flushed;  // by the client; and since then no record is half sent
};

static void opened(struct connection *connection) { loop_wait_for(connection, EPOLLIN | EPOLLOUT); }

// Over TLS only close_notify tells an end from a cut, and it can't be sent between the halves of a record.
static void end(struct connection *connection, struct source *source) {
    if (connection->stream.ssl && !source->flushed) {
        ssize_t sent = stream_write(&connection->stream, pattern_at(source->sent), RECORD);
        if (sent == STREAM_AGAIN) return;
        if (sent < 0) return loop_close(connection);
        source->flushed = true;
    }
    if (stream_end(&connection->stream) != STREAM_AGAIN) loop_close(connection);
}

static void ready(struct connection *connection, uint32_t events) {
    struct source *source = state_of(connection);
    if (!source->ended && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        char byte[16 * 1024];
        ssize_t size = stream_read(&connection->stream, byte, sizeof byte);
        if (size >= 0 ? size > 0 : size != STREAM_AGAIN) return loop_close(connection);
        source->ended = size == STREAM_END;
        if (source->ended) loop_wait_for(connection, EPOLLOUT);
    }
    if (source->ended) return end(connection, source);
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
