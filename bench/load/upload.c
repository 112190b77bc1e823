// Bulk from the client: the client sends the pattern until its time is over and ends its direction; the server checks
// what comes, and answers the end with what it received, so that both ends agree on every byte that the proxy was paid for.
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop.h"
#include "modes.h"
#include "pattern.h"
#include "run.h"

static const uint64_t ALL_RIGHT = UINT64_MAX;

struct verdict {
    uint64_t received, wrong_at;  // the second: where the first chunk with wrong bytes began
};

struct upload {
    struct upload *next;
    struct connection *connection;
    uint64_t position;
    size_t taken;  // bytes of the verdict
    struct verdict verdict;
};

static struct upload *uploads;
static unsigned open_now, answered;
static uint64_t sent;
static bool ending;

static void receive(struct connection *connection, uint32_t events) {
    (void)events;
    static uint8_t buffer[PATTERN_CHUNK];
    struct verdict *verdict = state_of(connection);
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_AGAIN) return;
    if (size <= 0) {
        // Small, and nothing was sent before: it is taken whole. A client that is gone will say so itself.
        if (size == STREAM_END && stream_write(&connection->stream, verdict, sizeof *verdict) > 0)
            stream_end(&connection->stream);
        return loop_close(connection);
    }
    if (verdict->wrong_at == ALL_RIGHT && !pattern_matches(buffer, (size_t)size, verdict->received))
        verdict->wrong_at = verdict->received;
    verdict->received += (uint64_t)size;
}

static void accepted(struct connection *connection) {
    struct verdict *verdict = state_of(connection);
    verdict->wrong_at = ALL_RIGHT;
}

void serve_discard(const struct options *options) {
    (void)options;
    static const struct handler handler = {sizeof(struct verdict), accepted, receive};
    for (loop_listen(&handler);;) loop_turn(UINT64_MAX);
}

static void opened(struct connection *connection) {
    struct upload *upload = state_of(connection);
    *upload = (struct upload){.next = uploads, .connection = connection};
    uploads = upload;
    open_now++;
}

static void send_some(struct connection *connection, struct upload *upload) {
    if (ending) {
        if (stream_end(&connection->stream) != 1) fail("half-close: %s", stream_problem(&connection->stream));
        return loop_wait_for(connection, EPOLLIN);
    }
    ssize_t size = stream_write(&connection->stream, pattern_at(upload->position), PATTERN_CHUNK);
    if (size == STREAM_FAILED)
        fail("sending after %" PRIu64 " bytes: %s", upload->position, stream_problem(&connection->stream));
    if (size <= 0) return;
    upload->position += (uint64_t)size;
    sent += (uint64_t)size;
}

static void receive_verdict(struct connection *connection, struct upload *upload) {
    uint8_t buffer[16 * 1024];
    ssize_t size = stream_read(&connection->stream, buffer, sizeof buffer);
    if (size == STREAM_AGAIN) return;
    if (size == STREAM_FAILED) fail("waiting for the count: %s", stream_problem(&connection->stream));
    if (size == STREAM_END) fail("the connection ended before the count of what was received");
    if (!ending || (size_t)size > sizeof upload->verdict - upload->taken) fail("bytes that nobody sent");
    memcpy((uint8_t *)&upload->verdict + upload->taken, buffer, (size_t)size);
    upload->taken += (size_t)size;
    if (upload->taken < sizeof upload->verdict) return;
    if (upload->verdict.wrong_at != ALL_RIGHT) fail("wrong bytes arrived, after %" PRIu64, upload->verdict.wrong_at);
    if (upload->verdict.received != upload->position)
        fail("%" PRIu64 " of %" PRIu64 " bytes arrived", upload->verdict.received, upload->position);
    answered++;
    loop_close(connection);
}

static void ready(struct connection *connection, uint32_t events) {
    struct upload *upload = state_of(connection);
    if (events & EPOLLOUT)
        send_some(connection, upload);
    else
        receive_verdict(connection, upload);
}

void run_upload(const struct options *options) {
    static const struct handler handler = {sizeof(struct upload), opened, ready};
    for (unsigned index = 0; index < options->connections; index++) loop_connect(&handler);
    while (open_now < options->connections) loop_turn(UINT64_MAX);
    uint64_t start = now_ns(), length = (uint64_t)(options->seconds * 1e9);
    for (struct upload *upload = uploads; upload; upload = upload->next)
        loop_wait_for(upload->connection, EPOLLIN | EPOLLOUT);
    while (now_ns() - start < length) loop_turn(length);
    uint64_t timed = sent, elapsed = now_ns() - start;
    ending = true;
    while (answered < options->connections) loop_turn(UINT64_MAX);
    gate(false, "{\"bytes\": %" PRIu64 ", \"bytes_per_second\": %.0f}", sent, (double)timed * 1e9 / (double)elapsed);
}
