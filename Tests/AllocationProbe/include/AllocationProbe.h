// Counts the heap allocations of chosen threads. Linked into a test binary it stands in for malloc and its kin, for every
// library of the process.
#ifndef ALLOCATION_PROBE_H
#define ALLOCATION_PROBE_H

#include <stdint.h>

/// False under a sanitizer, which stands in for malloc itself: nothing is counted then.
int allocation_probe_is_available(void);

/// From now on, what the calling thread allocates is counted under this number (0 to 63); -1: no more.
void allocation_probe_count_thread_as(int number);

/// Allocations so far of the threads that were counted under this number.
uint64_t allocation_probe_count(int number);

/// Where the latest allocation under this number came from, innermost first, one FILE+OFFSET a line, for addr2line.
void allocation_probe_describe_latest(int number, char *text, int capacity);

#endif
