// What the command line said. Every mode reads the fields that concern it.
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct options {
    const char *mode;
    struct sockaddr_storage address;  // --listen or --to
    socklen_t address_length;
    bool listens;
    unsigned connections;  // --connections: how many at a time
    uint64_t count;        // --count: how many in all
    double seconds;        // --seconds: how long to measure
    double deadline;       // --deadline: seconds after which the run has failed; 0: none
    double rate;           // --rate: requests per second in all; 0: as fast as answers come
    unsigned size;         // --size: bytes of a message
    uint64_t bytes;        // --bytes: what a transfer sends each way; the client says
    const char *steps;     // --steps: ascending numbers of connections to hold, by comma
    const char *name;      // --name: what a greeter says
    const char *hello;     // --hello: messages are ClientHellos with this name; `#` stands for a number
    uint64_t names, seed;  // --names, --seed: that number is below the first, and chosen by the second
    bool resume;           // --resume: TLS clients resume the session of the first connection, and never without
    bool takes_cut;        // --takes-cut: at the end of a sink, TLS may end without close_notify
    bool gated;            // --gated: wait for a line on standard input where the mode says so
    const char *certificate, *key;           // --cert, --key: serve TLS
    const char *authority, *server_name;     // --ca, --server-name: speak TLS and verify it
};

/// Fills in the options; on a mistake says which flag is wrong and exits with 2.
void options_parse(struct options *options, int argc, char **argv);
