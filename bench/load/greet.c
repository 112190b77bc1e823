// A server that says who it is and ends, so that a probe sees which backend a route leads to.
#include <string.h>

#include "loop.h"
#include "modes.h"

static const char *name;

static void opened(struct connection *connection) {
    if (stream_write(&connection->stream, name, strlen(name)) < 0 || stream_end(&connection->stream) != 1)
        loop_close(connection);
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    char bytes[16 * 1024];
    ssize_t size = stream_read(&connection->stream, bytes, sizeof bytes);
    if (size == STREAM_END || size == STREAM_FAILED) loop_close(connection);
}

void serve_greeting(const struct options *options) {
    name = options->name;
    static const struct handler handler = {0, opened, ready};
    for (loop_listen(&handler);;) loop_turn(UINT64_MAX);
}
