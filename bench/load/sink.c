// Bulk: a client that takes the pattern over several connections. When its time is over it ends its direction and
// reads on to the end, so that every byte the proxy was paid for is counted.
#include <inttypes.h>
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"
#include "run.h"

struct sink {
    struct sink *next;
    struct connection *connection;
    uint64_t received;
};

static struct sink *sinks;
static unsigned open_now, ended;
static uint64_t received;
static bool ending, takes_cut;

static void opened(struct connection *connection) {
    struct sink *sink = state_of(connection);
    *sink = (struct sink){.next = sinks, .connection = connection};
    sinks = sink;
    open_now++;
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    static uint8_t buffer[PATTERN_CHUNK];
    struct sink *sink = state_of(connection);
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_AGAIN) return;
    bool tolerated = size == STREAM_FAILED && ending && takes_cut && stream_was_cut();
    if (size == STREAM_FAILED && !tolerated)
        fail("after %" PRIu64 " bytes: %s", sink->received, stream_problem(&connection->stream));
    if (size > 0) {
        pattern_check(buffer, (size_t)size, sink->received);
        sink->received += (uint64_t)size;
        received += (uint64_t)size;
        return;
    }
    if (!ending) fail("the stream ended early, after %" PRIu64 " bytes", sink->received);
    ended++;
    loop_close(connection);
}

void run_sink(const struct options *options) {
    takes_cut = options->takes_cut;
    static const struct handler handler = {sizeof(struct sink), opened, ready};
    for (unsigned index = 0; index < options->connections; index++) loop_connect(&handler);
    while (open_now < options->connections) loop_turn(UINT64_MAX);
    uint64_t start = now_ns(), before = received, length = (uint64_t)(options->seconds * 1e9);
    while (now_ns() - start < length) loop_turn(length);
    uint64_t timed = received - before, elapsed = now_ns() - start;
    ending = true;
    for (struct sink *sink = sinks; sink; sink = sink->next)
        if (stream_end(&sink->connection->stream) != 1) fail("half-close: %s", stream_problem(&sink->connection->stream));
    while (ended < options->connections) loop_turn(UINT64_MAX);
    gate(false, "{\"bytes\": %" PRIu64 ", \"bytes_per_second\": %.0f}", received, (double)timed * 1e9 / (double)elapsed);
}
