// Counts durations in buckets of 1/64 of their size, so that percentiles are within 1.6 %.
#pragma once

#include <stdint.h>

void histogram_add(uint64_t nanoseconds);
void histogram_clear(void);
uint64_t histogram_count(void);

/// The duration in microseconds that a share (0...1) of those counted does not exceed; 0 when nothing was counted.
double histogram_percentile(double share);
