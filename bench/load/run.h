// What one run of the load generator shares: its clock, its failures, its gates.
#pragma once

#include <stdbool.h>
#include <stdint.h>

/// Nanoseconds of the monotonic clock.
uint64_t now_ns(void);

/// Says what went wrong on standard error and exits with 1: a run either completes and is right, or fails.
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Prints one line of JSON and, when the run is gated, waits for a line on standard input, so that whoever
/// started the run can read counters exactly between two phases. False when standard input ended.
bool gate(bool gated, const char *format, ...) __attribute__((format(printf, 2, 3)));
