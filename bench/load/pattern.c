#include "pattern.h"

#include <inttypes.h>
#include <string.h>

#include "run.h"

// A prime, so that no block of a power of two, lost or doubled, leads back to the same place.
enum { PERIOD = 1048583, SAMPLE = 64 };

static void fill(uint8_t *bytes) {
    uint64_t state = 0x9e3779b97f4a7c15;
    for (size_t index = 0; index < PERIOD; index++) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        bytes[index] = (uint8_t)(state >> 32);
    }
    memcpy(bytes + PERIOD, bytes, PATTERN_CHUNK);
}

const uint8_t *pattern_at(uint64_t position) {
    static uint8_t bytes[PERIOD + PATTERN_CHUNK];
    static bool filled;
    if (!filled) fill(bytes);
    filled = true;
    return bytes + position % PERIOD;
}

bool pattern_matches(const uint8_t *bytes, size_t size, uint64_t position) {
    size_t sample = size < SAMPLE ? size : SAMPLE;
    return !memcmp(bytes, pattern_at(position), sample) &&
           !memcmp(bytes + size - sample, pattern_at(position + size - sample), sample);
}

void pattern_check(const uint8_t *bytes, size_t size, uint64_t position) {
    if (!pattern_matches(bytes, size, position)) fail("wrong bytes within %zu at position %" PRIu64, size, position);
}
