#include "ask.h"

#include <string.h>

#include "run.h"

enum { LARGEST = 16 * 1024 };

static uint8_t message[LARGEST];

// Each question starts with a number of its own; the rest is the same for all, so that making it costs nothing.
static void write_message(uint64_t identity, unsigned size) {
    static bool filled;
    if (!filled) memset(message, 'q', sizeof message);
    filled = true;
    if (size > LARGEST) fail("--size is at most %d", LARGEST);
    memcpy(message, &identity, size < sizeof identity ? size : sizeof identity);
}

void ask_send(struct connection *connection, struct ask *ask, unsigned size) {
    static uint64_t next = 1;
    *ask = (struct ask){.identity = next++};
    write_message(ask->identity, size);
    ssize_t sent = stream_write(&connection->stream, message, size);
    if (sent == STREAM_FAILED) fail("sending: %s", stream_problem(&connection->stream));
    if (sent != (ssize_t)size) fail("%zd of %u bytes were taken", sent, size);
}

bool ask_answered(struct connection *connection, struct ask *ask, unsigned size) {
    static uint8_t answer[LARGEST];
    ssize_t count = stream_read(&connection->stream, answer, sizeof answer);
    if (count == STREAM_AGAIN) return false;
    if (count == STREAM_FAILED) fail("waiting for an answer: %s", stream_problem(&connection->stream));
    if (count == STREAM_END) fail("the connection ended instead of an answer");
    if (ask->received + (size_t)count > size) fail("the answer is longer than the question");
    write_message(ask->identity, size);
    if (memcmp(answer, message + ask->received, (size_t)count)) fail("the answer is not the question");
    ask->received += (unsigned)count;
    return ask->received == size;
}
