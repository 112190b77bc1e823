"""Bytes that tell a connection, a direction and a position: whatever is lost, doubled, changed or mixed up is noticed."""
import random

# A prime, so that no block of a power of two, lost or doubled, leads back to the same place.
_PERIOD = 1048583
LONGEST = 256 * 1024
_BYTES = random.Random(2026).randbytes(_PERIOD)
_BYTES += _BYTES[:LONGEST]


def pattern(seed, position, size):
    """`size` bytes (at most LONGEST) from `position` on, of the stream with that seed."""
    start = (seed + position) % _PERIOD
    return _BYTES[start:start + size]


def matches(data, seed, position):
    return all(data[at:at + LONGEST] == pattern(seed, position + at, min(LONGEST, len(data) - at))
               for at in range(0, len(data), LONGEST))
