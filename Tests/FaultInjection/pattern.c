// Streams of which every byte is known: where two were mixed up, it shows.
#include "CFaults.h"

static uint8_t byte_at(uint64_t stream, uint64_t offset) {
    uint64_t z = stream * 0x9e3779b97f4a7c15 + (offset >> 3) + 1;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint8_t)((z ^ (z >> 31)) >> 8 * (offset & 7));
}

void faults_pattern(uint64_t stream, uint64_t offset, void *bytes, size_t count) {
    for (size_t index = 0; index < count; index++) ((uint8_t *)bytes)[index] = byte_at(stream, offset + index);
}

int64_t faults_pattern_differs(uint64_t stream, uint64_t offset, const void *bytes, size_t count) {
    for (size_t index = 0; index < count; index++)
        if (((const uint8_t *)bytes)[index] != byte_at(stream, offset + index)) return (int64_t)index;
    return -1;
}
