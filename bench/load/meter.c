// How evenly a limited stream arrives: a client that takes the pattern over one connection as fast as it comes, and says how
// much came in each tenth of a second. Then it leaves: what a limit holds back would take longer than the run.
#include <inttypes.h>
#include <stdio.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"
#include "run.h"

enum { SLOT_NS = 100000000, MOST_SLOTS = 600 };

static uint64_t received, start, slots[MOST_SLOTS];

static void opened(struct connection *connection) {
    (void)connection;
    start = now_ns();
}

static void ready(struct connection *connection, uint32_t events) {
    (void)events;
    static uint8_t buffer[PATTERN_CHUNK];
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_AGAIN) return;
    if (size == STREAM_FAILED) fail("after %" PRIu64 " bytes: %s", received, stream_problem(&connection->stream));
    if (size == STREAM_END) fail("the stream ended early, after %" PRIu64 " bytes", received);
    pattern_check(buffer, (size_t)size, received);
    received += (uint64_t)size;
    uint64_t slot = (now_ns() - start) / SLOT_NS;
    if (slot < MOST_SLOTS) slots[slot] += (uint64_t)size;
}

void run_meter(const struct options *options) {
    static const struct handler handler = {0, opened, ready};
    uint64_t count = (uint64_t)(options->seconds * 1e9) / SLOT_NS;
    if (!count || count > MOST_SLOTS) fail("--seconds: 0.1 to %d", MOST_SLOTS / 10);
    loop_connect(&handler);
    while (!start) loop_turn(UINT64_MAX);
    uint64_t end = start + count * SLOT_NS;
    for (uint64_t now; (now = now_ns()) < end;) loop_turn(end - now);
    printf("{\"bytes\": %" PRIu64 ", \"tenths\": [", received);
    for (uint64_t slot = 0; slot < count; slot++) printf("%s%" PRIu64, slot ? ", " : "", slots[slot]);
    gate(false, "]}");
}
