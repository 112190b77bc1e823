// One thread, one level-triggered epoll, any number of connections: the frame of every mode.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "stream.h"

struct connection;

/// What a mode does with a connection. The state (zeroed) lies behind the connection and goes with it.
struct handler {
    size_t state_size;
    /// Connected and, over TLS, handshaken.
    void (*opened)(struct connection *);
    /// Readable or writable, as asked by loop_wait_for. Errors show when reading or writing.
    void (*ready)(struct connection *, uint32_t events);
};

struct connection {
    struct stream stream;
    const struct handler *handler;
    enum { CONNECTING, HANDSHAKING, OPEN } phase;
    uint32_t waiting_for;
    uint64_t started_ns;  // when connecting began, or when it was accepted
    max_align_t state[];
};

static inline void *state_of(struct connection *connection) { return connection->state; }

/// Prepares the loop of this process; the TLS context comes from the options.
void loop_start(const struct options *options);

/// Binds, listens, prints {"port": N}, and gives every accepted connection to the handler.
void loop_listen(const struct handler *handler);

/// Begins a connection to the options' address.
void loop_connect(const struct handler *handler);

/// The epoll events that the connection is waiting for from now on.
void loop_wait_for(struct connection *connection, uint32_t events);

/// Closes and frees; only the connection that is being handled may be closed inside a callback.
void loop_close(struct connection *connection);

/// Waits at most `timeout_ns` for events and handles them. Fails when the run's deadline has passed.
void loop_turn(uint64_t timeout_ns);
