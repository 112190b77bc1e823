// One question to an echo server: send a message that no other connection sends, and expect it back.
#pragma once

#include <stdbool.h>

#include "loop.h"

struct ask {
    uint64_t identity;
    unsigned received;
};

/// Sends `size` bytes. A message is small: that a fresh or answered connection does not take it whole is a failure.
void ask_send(struct connection *connection, struct ask *ask, unsigned size);

/// Reads what there is and compares it. True when the answer is whole.
bool ask_answered(struct connection *connection, struct ask *ask, unsigned size);
