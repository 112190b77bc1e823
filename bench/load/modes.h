// The modes of the load generator. Each runs to its end (servers: until they are killed) and fails on wrong data.
#pragma once

#include "options.h"

// Servers.
void serve_echo(const struct options *options);      // sends back what it receives
void serve_source(const struct options *options);    // sends the pattern until the client ends its direction
void serve_discard(const struct options *options);   // takes the pattern, and says how much that was
void serve_greeting(const struct options *options);  // sends --name and ends
void serve_transfer(const struct options *options);  // the other side of `transfer`

// Clients.
void run_sink(const struct options *options);      // takes the pattern from a source for --seconds
void run_upload(const struct options *options);    // sends the pattern to a `discard` for --seconds
void run_paced(const struct options *options);     // takes the pattern at --rate, and what is left in the end
void run_meter(const struct options *options);     // takes the pattern for --seconds, and says what came when
void run_connect(const struct options *options);   // --count times: connect, one echo, close
void run_pingpong(const struct options *options);  // echoes over --connections for --seconds
void run_idle(const struct options *options);      // holds as many connections as each of --steps says
void run_stampede(const struct options *options);  // --connections at once, one echo each
void run_transfer(const struct options *options);  // --bytes each way at once, hashed at both ends
