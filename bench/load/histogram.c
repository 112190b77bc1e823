#include "histogram.h"

#include <string.h>

enum { STEPS = 64, BUCKETS = STEPS * 48 };

static uint64_t counts[BUCKETS], total;

// Below 64 each value has its bucket; above, the top six bits after the leading one choose it.
static unsigned bucket_of(uint64_t value) {
    if (value < STEPS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - 6;
    unsigned bucket = (shift + 1) * STEPS + (unsigned)((value >> shift) - STEPS);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double middle_of(unsigned bucket) {
    if (bucket < STEPS) return bucket;
    uint64_t width = 1ull << (bucket / STEPS - 1);
    return (double)((bucket % STEPS + STEPS) * width) + (double)width / 2;
}

void histogram_add(uint64_t nanoseconds) {
    counts[bucket_of(nanoseconds)]++;
    total++;
}

void histogram_clear(void) {
    memset(counts, 0, sizeof counts);
    total = 0;
}

uint64_t histogram_count(void) { return total; }

double histogram_percentile(double share) {
    double seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += (double)counts[bucket];
        if (counts[bucket] && seen >= share * (double)total) return middle_of(bucket) / 1000;
    }
    return 0;
}
