#include "ask.h"

#include <string.h>

#include "hello.h"
#include "pattern.h"
#include "run.h"

enum { LARGEST = 64 * 1024, STRIDE = 61 };

static const struct options *options;

void ask_prepare(const struct options *given) {
    options = given;
    if (options->size > LARGEST) fail("--size is at most %d", LARGEST);
    if (options->hello) hello_prepare(options);
}

// Each message is another piece of the pattern, which lies ready, so that making and comparing it costs next to nothing.
static const uint8_t *message_of(uint64_t identity, unsigned *size) {
    if (options->hello) return hello_of(identity, size);
    *size = options->size;
    return pattern_at(identity * STRIDE);
}

void ask_send(struct connection *connection, struct ask *ask) {
    static uint64_t next = 1;
    *ask = (struct ask){.identity = next++};
    const uint8_t *message = message_of(ask->identity, &ask->size);
    ssize_t sent = stream_write(&connection->stream, message, ask->size);
    if (sent == STREAM_FAILED) fail("sending: %s", stream_problem(&connection->stream));
    if (sent != (ssize_t)ask->size) fail("%zd of %u bytes were taken", sent, ask->size);
}

bool ask_answered(struct connection *connection, struct ask *ask) {
    static uint8_t answer[LARGEST];
    ssize_t count = stream_read(&connection->stream, answer, sizeof answer);
    if (count == STREAM_AGAIN) return false;
    if (count == STREAM_FAILED) fail("waiting for an answer: %s", stream_problem(&connection->stream));
    if (count == STREAM_END) fail("the connection ended instead of an answer");
    if (ask->received + (size_t)count > ask->size) fail("the answer is longer than the question");
    unsigned size;
    if (memcmp(answer, message_of(ask->identity, &size) + ask->received, (size_t)count)) fail("the answer is not the question");
    ask->received += (unsigned)count;
    if (ask->received < ask->size) return false;
    ask->size = ask->received = 0;
    return true;
}
