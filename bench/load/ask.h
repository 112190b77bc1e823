// One question to an echo server: send a message that no other connection sends, and expect it back.
#pragma once

#include <stdbool.h>

#include "loop.h"

struct ask {
    uint64_t identity;
    unsigned size, received;  // both 0 while no answer is awaited
};

/// Makes ready the messages that the options ask for: --size bytes each, or with --hello a ClientHello.
void ask_prepare(const struct options *options);

/// Sends a message. It is small: that a fresh or answered connection does not take it whole is a failure.
void ask_send(struct connection *connection, struct ask *ask);

/// Reads what there is and compares it; anything that is not an awaited answer is a failure. True when it is whole.
bool ask_answered(struct connection *connection, struct ask *ask);
