// A client that takes the pattern at a pace, beside others: --rate bytes per second on each connection (0: nothing at all)
// for --seconds. Then it ends its direction, takes what is left as fast as it comes, and has checked all of it.
#include <inttypes.h>
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"
#include "run.h"

// Reads smaller than a record would leave bytes inside TLS that epoll does not tell of.
enum { LEAST = 16 * 1024, TICK_NS = 2000000 };

struct reader {
    struct reader *next;
    struct connection *connection;
    uint64_t received;
};

static struct reader *readers;
static unsigned open_now, ended;
static uint64_t received;
static bool ending;

static void opened(struct connection *connection) {
    struct reader *reader = state_of(connection);
    *reader = (struct reader){.next = readers, .connection = connection};
    readers = reader;
    open_now++;
    loop_wait_for(connection, 0);
}

static bool take(struct reader *reader) {
    static uint8_t buffer[PATTERN_CHUNK];
    struct connection *connection = reader->connection;
    ssize_t size = stream_read(&connection->stream, buffer, ending ? sizeof buffer : LEAST);
    if (size == STREAM_AGAIN) return false;
    if (size == STREAM_FAILED) fail("after %" PRIu64 " bytes: %s", reader->received, stream_problem(&connection->stream));
    if (size == STREAM_END) {
        if (!ending) fail("the stream ended early, after %" PRIu64 " bytes", reader->received);
        ended++;
        loop_close(connection);
        return false;
    }
    pattern_check(buffer, (size_t)size, reader->received);
    reader->received += (uint64_t)size;
    received += (uint64_t)size;
    return true;
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    take(state_of(connection));
}

static void keep_pace(const struct options *options) {
    uint64_t start = now_ns(), length = (uint64_t)(options->seconds * 1e9), elapsed;
    while ((elapsed = now_ns() - start) < length) {
        uint64_t due = (uint64_t)(options->rate * (double)elapsed / 1e9);
        for (struct reader *reader = readers; reader; reader = reader->next)
            while (reader->received + LEAST <= due && take(reader)) continue;
        loop_turn(TICK_NS);
    }
}

void run_paced(const struct options *options) {
    static const struct handler handler = {sizeof(struct reader), opened, ready};
    for (unsigned index = 0; index < options->connections; index++) loop_connect(&handler);
    while (open_now < options->connections) loop_turn(UINT64_MAX);
    if (!gate(options->gated, "{\"ready\": %u}", open_now)) return;
    keep_pace(options);
    uint64_t paced = received;
    ending = true;
    for (struct reader *reader = readers; reader; reader = reader->next) {
        loop_wait_for(reader->connection, EPOLLIN);
        if (stream_end(&reader->connection->stream) != 1)
            fail("half-close: %s", stream_problem(&reader->connection->stream));
    }
    while (ended < options->connections) loop_turn(UINT64_MAX);
    gate(false, "{\"bytes\": %" PRIu64 ", \"paced_bytes\": %" PRIu64 "}", received, paced);
}
